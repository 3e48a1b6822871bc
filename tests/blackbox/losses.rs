//! What the running program does when what it stands on goes away: the database server, or the disk.

use crate::support::*;
use rustix::process::{Resource, Rlimit};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

#[test]
fn a_demonstration_on_a_server_survives_its_restart() {
    let (place, database) = (Place::new(), testkit::OwnServer::start());
    let url = place.secret("database-url", &database.url);
    let arguments = [
        "demo",
        "--dir",
        place.dir().to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
        "--json",
        "--database-url-file",
        url.to_str().unwrap(),
        "--database-ca-file",
        database.ca.to_str().unwrap(),
    ]
    .map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let server = Server::start(place.command(&arguments), false);
    let said: Value = serde_json::from_str(&server.line_with("{")).unwrap();
    let url = said["url"].as_str().unwrap().to_owned();
    let client = client(Path::new(said["ca_cert"].as_str().unwrap()));
    let ready = || answer(client.get(format!("{url}/readyz")).call());
    assert_eq!(ready(), (200, json!({"ready": true, "reasons": []})));
    let seller = said["users"].as_array().unwrap().iter().find(|user| user["roles"] == json!(["seller"])).unwrap();
    let login = json!({"login": seller["login"], "password": seller["password"]});
    let sign_in = || answer(client.post(format!("{url}/api/v1/session")).send_json(&login));
    let (status, session) = sign_in();
    assert_eq!((status, &session["password_change_required"]), (200, &json!(false)), "{session}");
    database.down();
    let (status, reasons) = ready();
    assert!(status == 503 && reasons["reasons"][0].as_str().unwrap().starts_with("database"), "{reasons}");
    let (status, problem) = sign_in();
    assert_eq!((status, &problem["code"]), (503, &json!("unavailable")), "{problem}");
    database.up();
    while ready().0 != 200 {}
    assert_eq!(sign_in().0, 200);
    assert_eq!(server.stop(), 0);
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0).says("0 rows not yet sealed");
}

/// A limit on the size of files stands for a disk that fails: the write-ahead log cannot grow, and the engine reports what
/// it reports when the disk does not take its bytes.
#[test]
fn a_disk_that_fails_under_the_log_ends_the_process() {
    let place = Place::new();
    place.init().ended(0);
    let dir = place.dir();
    // Whoever reaches the limit is killed, unless the signal is ignored; then the write fails.
    let mut command = Command::new("bash");
    command.args(["-c", "trap '' XFSZ; exec \"$@\"", "bash", env!("CARGO_BIN_EXE_kontor"), "serve", "--dir"]).arg(&dir);
    let server = Server::start(command, true);
    let url = url_in(&server.line_with("serving"));
    let client = client(&dir.join("tls/ca.pem"));
    assert_eq!(answer(client.get(format!("{url}/readyz")).call()).0, 200);
    let size = fs::metadata(dir.join("data/kontor.db-wal")).unwrap().len();
    let limit = Rlimit { current: Some(size), maximum: Some(size) };
    rustix::process::prlimit(Some(server.pid()), Resource::Fsize, limit).unwrap();
    // The next entry cannot be written, so nobody is answered and the process ends.
    let wrong = json!({"login": "anna", "password": "not the password"});
    let answered = client.post(format!("{url}/api/v1/session")).send_json(&wrong);
    assert!(!answered.is_ok_and(|response| response.status() == 401), "an answer without its entry");
    assert_eq!(server.ended(), 74);
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

/// Signs in; the headers that prove it.
fn signed_in(client: &ureq::Agent, url: &str, login: &Value) -> Option<(String, String)> {
    let response = client.post(format!("{url}/api/v1/session")).send_json(login).ok()?;
    let cookie = response.headers().get("set-cookie")?.to_str().ok()?.split(';').next()?.to_owned();
    let csrf = answer(Ok(response)).1["csrf"].as_str()?.to_owned();
    Some((cookie, csrf))
}

#[test]
fn an_act_is_logged_also_when_nobody_waits_for_its_answer() {
    let place = Place::new();
    let (dir, listen) = (place.dir(), ["--listen", "127.0.0.1:0", "--json"]);
    let server =
        Server::start(place.command(&[&["demo", "--dir", dir.to_str().unwrap()][..], &listen].concat()), false);
    let said: Value = serde_json::from_str(&server.line_with("{")).unwrap();
    let (url, ca) = (said["url"].as_str().unwrap(), Path::new(said["ca_cert"].as_str().unwrap()));
    let somebody = |role: &str| {
        let users = said["users"].as_array().unwrap();
        let user = users.iter().find(|user| user["roles"] == json!([role])).unwrap();
        json!({"login": user["login"], "password": user["password"]})
    };
    let (seller, client) = (somebody("seller"), client(ca));
    let (cookie, csrf) = signed_in(&client, url, &seller).unwrap();
    // Hashing takes far longer than this, and the connection is a warm one.
    let change = json!({"old": seller["password"], "new": "cut off in the middle 9"});
    let cut = client
        .post(format!("{url}/api/v1/session/password"))
        .config()
        .timeout_global(Some(Duration::from_millis(30)))
        .build()
        .header("cookie", &cookie)
        .header("x-csrf-token", &csrf)
        .send_json(&change);
    assert!(cut.is_err(), "the answer came too soon to be cut");
    let renewed = json!({"login": seller["login"], "password": "cut off in the middle 9"});
    let changed = (0..20).any(|_| signed_in(&client, url, &renewed).is_some());
    let (cookie, _) = signed_in(&client, url, &somebody("audit_admin")).unwrap();
    let asked = client.get(format!("{url}/api/v1/audit/entries?verb=password_change")).header("cookie", &cookie);
    let (status, entries) = answer(asked.call());
    assert_eq!(status, 200, "{entries}");
    // The demonstration's people got their first passwords from the command line.
    let own = entries["items"].as_array().unwrap().iter().filter(|entry| entry["actor"] == json!("user"));
    assert_eq!(own.count(), usize::from(changed), "{entries}");
    assert!(changed, "the request never arrived; nothing was tested");
    assert_eq!(server.stop(), 0);
}
