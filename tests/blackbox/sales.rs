//! The main job on real input, as its people do it: an administrator imports a sales team's data with four commands, a
//! seller and a manager look at it through the server, an auditor verifies, and one byte changed anywhere is found.

use crate::support::{Place, Ran, Server, answer, client, url_in};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

const PASSWORD: &str = "a-long-enough-password-7";

fn sales_data() -> Option<PathBuf> {
    testkit::shared_data()
}

fn import(place: &Place, object: &str, mapping: &str, file: &Path) -> Ran {
    let map = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/mappings").join(mapping);
    let rejects = place.path("rejected.csv");
    let taken = [
        "--object",
        object,
        "--map",
        map.to_str().unwrap(),
        "--rejects",
        rejects.to_str().unwrap(),
        file.to_str().unwrap(),
    ];
    place.on(&["import"], &taken)
}

/// Gives an imported user a password and a role.
fn admit(place: &Place, login: &str, role: &str) {
    let file = place.secret("password", PASSWORD);
    place.on(&["user", "password"], &["--lasting", "--password-file", file.to_str().unwrap(), login]).ended(0);
    place.on(&["user", "grant"], &[login, role]).ended(0);
}

/// A browser's session: cookie and CSRF token.
struct Session {
    agent: ureq::Agent,
    url: String,
    cookie: String,
}

impl Session {
    fn open(place: &Place, url: &str, login: &str) -> Self {
        let agent = client(&place.dir().join("tls/ca.pem"));
        let response = agent
            .post(format!("{url}/api/v1/session"))
            .send_json(json!({"login": login, "password": PASSWORD}))
            .unwrap();
        assert!(response.status().is_success(), "{login} signs in: {}", response.status());
        let cookie =
            response.headers().get("set-cookie").unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
        Self { agent, url: url.to_owned(), cookie }
    }
    fn get(&self, path: &str) -> (u16, Value) {
        answer(self.agent.get(format!("{}{path}", self.url)).header("Cookie", &self.cookie).call())
    }
    fn count(&self, object: &str) -> u64 {
        let (status, page) = self.get(&format!("/api/v1/records/{object}?count=exact&limit=1"));
        assert_eq!(status, 200, "{page}");
        page["count"].as_u64().unwrap()
    }
}

fn rows_of(file: &Path, agent: &str) -> u64 {
    std::fs::read_to_string(file).unwrap().lines().filter(|line| line.split(',').nth(1) == Some(agent)).count() as u64
}

/// Everything up to the verified log; hands back nothing, so that each engine's forgery can follow.
fn main_job(place: &Place, data: &Path) {
    let sales = data.join("crm-sales");
    let pipeline = sales.join("sales_pipeline.csv");
    import(place, "account", "crm-sales-accounts.json", &sales.join("accounts.csv")).ended(0).says("85 rows in all");
    import(place, "product", "crm-sales-products.json", &sales.join("products.csv")).ended(0).says("7 rows in all");
    import(place, "user", "crm-sales-teams.json", &sales.join("sales_teams.csv")).ended(0).says("35 rows in all");
    import(place, "opportunity", "crm-sales-pipeline.json", &pipeline).ended(0).says("created 8800").says("rejected 0");
    import(place, "account", "chinese-stock-basics-gbk.json", &data.join("chinese/stock_basics_gbk.csv"))
        .ended(0)
        .says("rejected 0");
    admit(place, "darcel.schlecht", "seller");
    admit(place, "melvin.marxen", "sales_manager");
    let auditor = place.secret("password", PASSWORD);
    place
        .on(
            &["user", "add"],
            &["auditor", "--lasting", "--role", "audit_admin", "--password-file", auditor.to_str().unwrap()],
        )
        .ended(0);

    let dir = place.dir();
    let server = Server::start(place.command(&["serve", "--dir", dir.to_str().unwrap()]), true);
    let url = url_in(&server.line_with("url="));
    let seller = Session::open(place, &url, "darcel.schlecht");
    assert_eq!(seller.count("opportunity"), rows_of(&pipeline, "Darcel Schlecht"), "a seller sees own deals only");
    let manager = Session::open(place, &url, "melvin.marxen");
    let team = manager.count("opportunity");
    assert!(team > rows_of(&pipeline, "Darcel Schlecht") && team < 8_800, "a manager sees the team's deals: {team}");
    let (status, found) = manager.get("/api/v1/search?q=%E5%B9%B3%E5%AE%89");
    assert_eq!(status, 200, "{found}");
    let auditor = Session::open(place, &url, "auditor");
    let (status, _) = auditor.get("/api/v1/records/opportunity");
    assert_eq!(status, 403, "an auditor opens no customer data");
    let (status, log) = auditor.get("/api/v1/audit/entries?verb=list&limit=50");
    assert_eq!(status, 200, "{log}");
    assert!(log["items"].as_array().unwrap().len() >= 2, "each look is in the log: {log}");
    assert_eq!(server.stop(), 0);
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

/// Changes one byte of a file at the first place where this text stands.
fn change_byte(file: &Path, text: &[u8]) {
    let mut bytes = std::fs::read(file).unwrap();
    let at = bytes.windows(text.len()).position(|window| window == text).expect("the text is in the file");
    bytes[at + text.len() - 1] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

fn a_changed_tile_is_found(place: &Place) {
    let bundles = place.dir().join("log/tile/entries");
    let bundle =
        std::fs::read_dir(&bundles).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_file()).unwrap();
    let whole = std::fs::read(&bundle).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    std::fs::write(&bundle, changed).unwrap();
    place.on(&["audit", "verify"], &[]).ended(1).says("tile/entries/");
    std::fs::write(&bundle, whole).unwrap();
    place.on(&["audit", "verify"], &[]).ended(0);
}

#[test]
fn the_main_job_on_the_embedded_engine() {
    let Some(data) = sales_data() else { return };
    let place = Place::new();
    place.init().ended(0);
    main_job(&place, &data);
    a_changed_tile_is_found(&place);
    change_byte(&place.dir().join("data/kontor.db"), b"Hottechi");
    place.on(&["audit", "verify"], &["--level", "4"]).ended(1).says("differs from the state logged");
}

#[test]
fn the_main_job_on_postgresql() {
    let Some(data) = sales_data() else { return };
    let place = Place::new();
    let (url, ca) = testkit::postgres_database();
    place.init_on(&url, &ca).ended(0);
    main_job(&place, &data);
    a_changed_tile_is_found(&place);
    let forged = Command::new("psql")
        .args([
            url.as_str(),
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            "UPDATE account SET name = 'Hottechj' WHERE name = 'Hottechi'",
        ])
        .env("PGSSLROOTCERT", &ca)
        .output()
        .unwrap();
    assert!(forged.status.success(), "{}", String::from_utf8_lossy(&forged.stderr));
    place.on(&["audit", "verify"], &["--level", "4"]).ended(1).says("account ").says("differs from the state logged");
}
