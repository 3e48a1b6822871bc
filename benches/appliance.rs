//! The appliance under measurement: made by `kontor init`, filled by `kontor import`, with the people who will load it.
//! It knows how large things are, never how fast.

use crate::client::{Answer, Endpoint};
use crate::data;
use crate::process::{Kontor, Server, Taken};
use crate::{Options, Outcome};
use kernel::{Clock, Timestamp};
use serde_json::{Value as Json, json};
use std::net::{SocketAddr, TcpListener};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::EngineConfig;
use store::bare::{Bare, Statement, Value};

/// The password of the bench's own people, of an appliance that is thrown away.
const PASSWORD: &str = "correct horse bench staple 9";
/// Sees and makes every record: what a scope is compared with.
const READER: &str = "bench.reader";
/// Sees the records of a team of ten.
pub(crate) const MANAGER: &str = "bench.manager";
/// The file that keeps the address for the next run on the same folder.
const ADDRESS: &str = "address";
/// How long a server may take until it answers.
const START_SECONDS: u64 = 60;

/// An appliance in its folder.
pub(crate) struct Bench<'a> {
    pub(crate) options: &'a Options,
    pub(crate) dir: PathBuf,
    pub(crate) address: SocketAddr,
    pub(crate) engine: EngineConfig,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What people send with their requests.
pub(crate) struct People {
    pub(crate) reader: String,
    pub(crate) manager: String,
    pub(crate) cookie: String,
}

/// An import, measured.
pub(crate) struct Imported {
    pub(crate) rows: u64,
    pub(crate) taken: Taken,
}

fn private(path: &Path, text: &str) -> Outcome<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    Ok(std::io::Write::write_all(&mut file, text.as_bytes())?)
}

/// A role that reaches everything, as one line of the table of roles.
fn reader_role() -> Json {
    let all = json!({"read": "all", "create": "all", "update": "all"});
    json!({
        "name": READER, "label": {"en": "Bench reader", "zh": "测试"}, "description": {"en": "Sees all.", "zh": "全部"},
        "kind": "business", "objects": {"*": all, "organisation": {"read": "all"}, "reference": {"read": "all"}},
        "levels": {"S0": "edit", "S1": "edit", "S2": "edit", "S3": "masked"}, "actions": ["token"],
    })
}

impl<'a> Bench<'a> {
    /// The appliance that an earlier run left in the scratch folder, if one did.
    pub(crate) fn find(options: &'a Options, clock: Arc<dyn Clock>) -> Outcome<Option<Self>> {
        let dir = options.scratch.join("appliance");
        if !dir.exists() {
            return Ok(None);
        }
        let address = std::fs::read_to_string(options.scratch.join(ADDRESS))?.parse()?;
        Ok(Some(Self { options, address, engine: options.engine_config(&dir)?, dir, clock }))
    }

    /// Makes the appliance and its people.
    pub(crate) fn make(options: &'a Options, clock: Arc<dyn Clock>) -> Outcome<Self> {
        let dir = options.scratch.join("appliance");
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        std::fs::write(options.scratch.join(ADDRESS), address.to_string())?;
        let engine = options.engine_config(&dir)?;
        let bench = Self { options, dir, address, engine, clock };
        let kontor = bench.kontor(&options.kontor);
        let listen = address.to_string();
        let mut init = vec!["init", "--unseal", "key-file", "--listen", listen.as_str()];
        let (url, ca) =
            (path_text(options.database_url_file.as_deref()), path_text(options.database_ca_file.as_deref()));
        url.iter().for_each(|url| init.extend(["--database-url-file", url.as_str()]));
        ca.iter().for_each(|ca| init.extend(["--database-ca-file", ca.as_str()]));
        kontor.run(&init)?;
        let role = reader_role();
        let mut bare = Bare::open(&bench.engine)?;
        let insert = Statement::new("INSERT INTO \"k_role\" (\"name\", \"definition\") VALUES (?, ?)");
        bare.execute(&insert, &[Value::Text(READER.to_owned()), Value::Text(role.to_string())])?;
        drop(bare);
        let password = options.scratch.join("password");
        private(&password, PASSWORD)?;
        let password = password.to_string_lossy().into_owned();
        for (login, role) in [(READER, READER), (MANAGER, "sales_manager")] {
            kontor.run(&[
                "user",
                "add",
                login,
                "--role",
                role,
                "--unit",
                "HQ",
                "--lasting",
                "--password-file",
                &password,
            ])?;
        }
        let users = options.scratch.join("users.csv");
        data::users(&users, MANAGER)?;
        bench.import(&users, &data::users_mapping(), data::OWNERS + 1)?;
        Ok(bench)
    }

    pub(crate) fn kontor<'b>(&'b self, program: &'b Path) -> Kontor<'b> {
        Kontor { program, dir: &self.dir, scratch: &self.options.scratch, clock: self.clock.as_ref() }
    }

    pub(crate) fn import_accounts(&self) -> Outcome<Imported> {
        let file = self.options.scratch.join("accounts.csv");
        data::accounts(&file, self.options.accounts)?;
        self.import(&file, &data::accounts_mapping(), self.options.accounts)
    }

    pub(crate) fn import_contacts(&self, range: Range<u64>, sealed: bool) -> Outcome<Imported> {
        let file = self.options.scratch.join("contacts.csv");
        let rows = range.end - range.start;
        data::contacts(&file, range, self.options.accounts, sealed)?;
        self.import(&file, &data::contacts_mapping(sealed), rows)
    }

    fn import(&self, file: &Path, mapping: &Json, rows: u64) -> Outcome<Imported> {
        let map = self.options.scratch.join("mapping.json");
        std::fs::write(&map, mapping.to_string())?;
        let (map, file_text) = (map.to_string_lossy(), file.to_string_lossy());
        let (told, taken) = self.kontor(&self.options.kontor).run(&["import", "--json", "--map", &map, &file_text])?;
        let report: Json = serde_json::from_str(&told)?;
        let count = |name: &str| report.get(name).and_then(Json::as_u64).unwrap_or(0);
        if count("created") + count("updated") != rows {
            return Err(format!("an import took {} of {rows} rows: {told}", count("created")).into());
        }
        std::fs::remove_file(file)?;
        Ok(Imported { rows, taken })
    }

    /// Starts the server and waits until it answers a request for a record (or for its health, before there are people).
    /// Returns how long that took.
    pub(crate) fn start(&self, program: &Path, first: &[u8]) -> Outcome<(Server, Arc<Endpoint>, f64)> {
        let endpoint = Arc::new(Endpoint::new(self.address, &self.dir.join("tls").join("ca.pem"))?);
        let began = self.clock.monotonic();
        let mut server = self.kontor(program).serve()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        loop {
            let answered = runtime.block_on(endpoint.once(first)).and_then(Answer::good);
            let waited = self.clock.monotonic() - began;
            match answered {
                Ok(_) => return Ok((server, endpoint, waited.as_secs_f64())),
                Err(error) if server.ended() || waited > Duration::from_secs(START_SECONDS) => {
                    let said = std::fs::read_to_string(self.options.scratch.join("kontor.err")).unwrap_or_default();
                    return Err(format!("the server does not answer: {error}\n{said}").into());
                }
                Err(_) => std::thread::park_timeout(Duration::from_millis(5)),
            }
        }
    }

    /// Signs the people in and gives them tokens.
    pub(crate) fn people(&self, endpoint: &Endpoint) -> Outcome<People> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (reader, cookie) = runtime.block_on(self.token(endpoint, READER))?;
        let (manager, _) = runtime.block_on(self.token(endpoint, MANAGER))?;
        Ok(People { reader, manager, cookie })
    }

    async fn token(&self, endpoint: &Endpoint, login: &str) -> Outcome<(String, String)> {
        let sign_in = json!({"login": login, "password": PASSWORD});
        let session = endpoint.once(&post("/api/v1/session", "", &sign_in)).await?.good()?;
        let cookie = session.head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("set-cookie").then(|| value.split(';').next().unwrap_or_default().to_owned())
        });
        let cookie = cookie.ok_or("the session has no cookie")?;
        let body: Json = serde_json::from_str(&session.body)?;
        let csrf = body.get("csrf").and_then(Json::as_str).ok_or("the session has no CSRF token")?;
        let expires: Timestamp = self.clock.now().plus_seconds(86_400);
        let wanted = json!({"name": "bench", "scopes": ["records:*"], "expires_at": expires});
        let headers = format!("cookie: {cookie}\r\nx-csrf-token: {csrf}\r\n");
        let made = endpoint.once(&post("/api/v1/tokens", &headers, &wanted)).await?.good()?;
        let made: Json = serde_json::from_str(&made.body)?;
        let token = made.get("token").and_then(Json::as_str).ok_or("no token was made")?;
        Ok((format!("authorization: Bearer {token}\r\n"), format!("cookie: {cookie}\r\n")))
    }
}

/// A request with a body.
pub(crate) fn post(path: &str, headers: &str, body: &Json) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// A request without one.
pub(crate) fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").into_bytes()
}

fn path_text(path: Option<&Path>) -> Option<String> {
    path.map(|path| path.to_string_lossy().into_owned())
}
