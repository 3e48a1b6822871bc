//! What the running program does when what it stands on goes away: the database server, or the disk.

use crate::support::*;
use kernel::{Clock, SystemClock};
use rustix::process::{Resource, Rlimit};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

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

/// The demonstration, started again without TLS, so that a test may cut its connection where it likes.
fn in_the_clear(place: &Place) -> (Value, Server) {
    let dir = place.dir();
    let demo = ["demo", "--dir", dir.to_str().unwrap(), "--listen", "127.0.0.1:0", "--json"];
    let server = Server::start(place.command(&demo), false);
    let said: Value = serde_json::from_str(&server.line_with("{")).unwrap();
    assert_eq!(server.stop(), 0);
    let config = dir.join("kontor.toml");
    let (tls, clear) = ("plain_http_on_loopback = false", "plain_http_on_loopback = true");
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains(tls), "{text}");
    fs::write(&config, text.replace(tls, clear)).unwrap();
    (said, Server::start(place.command(&["serve", "--dir", dir.to_str().unwrap()]), true))
}

#[test]
fn an_act_is_logged_also_when_nobody_waits_for_its_answer() {
    let place = Place::new();
    let (said, server) = in_the_clear(&place);
    let url = url_in(&server.line_with("serving"));
    let client = client(&place.dir().join("tls/ca.pem"));
    let somebody = |role: &str| {
        let users = said["users"].as_array().unwrap();
        let user = users.iter().find(|user| user["roles"] == json!([role])).unwrap();
        json!({"login": user["login"], "password": user["password"]})
    };
    let seller = somebody("seller");
    let (other, _) = signed_in(&client, &url, &seller).unwrap();
    let (cookie, csrf) = signed_in(&client, &url, &seller).unwrap();
    let body = json!({"old": seller["password"], "new": "cut off in the middle 9"}).to_string();
    let host = url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(host).unwrap();
    write!(
        connection,
        "POST /api/v1/session/password HTTP/1.1\r\nhost: {host}\r\ncookie: {cookie}\r\nx-csrf-token: {csrf}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    // Whoever asked is gone before the answer can be written.
    drop(connection);
    // A new password ends the other sessions: that is how the rest of the world learns that it was changed.
    let still = |cookie: &str| client.get(format!("{url}/api/v1/session")).header("cookie", cookie).call();
    let clock = SystemClock::start();
    while answer(still(&other)).0 == 200 {
        assert!(clock.monotonic() < PATIENCE, "the request never arrived; nothing was tested");
    }
    let (cookie, _) = signed_in(&client, &url, &somebody("audit_admin")).unwrap();
    let asked = client.get(format!("{url}/api/v1/audit/entries?verb=password_change")).header("cookie", &cookie);
    let (status, entries) = answer(asked.call());
    assert_eq!(status, 200, "{entries}");
    // The demonstration's people got their first passwords from the command line.
    let own = entries["items"].as_array().unwrap().iter().filter(|entry| entry["actor"] == json!("user"));
    assert_eq!(own.count(), 1, "{entries}");
    assert_eq!(server.stop(), 0);
}
