//! Black-box tests of the command line: each starts the binary in a folder of its own, on a free port, and waits for
//! conditions, never for a time.
#![cfg(test)]

use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const PASSPHRASE: &str = "correct horse battery staple";
/// Longest wait for one line of a server: a slow machine hashes a passphrase and makes two thousand records.
const PATIENCE: Duration = Duration::from_secs(180);

/// A folder for one test.
struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }
    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }
    fn dir(&self) -> PathBuf {
        self.path("appliance")
    }
    /// A file only its owner can read.
    fn secret(&self, name: &str, text: &str) -> PathBuf {
        use std::io::Write;
        let path = self.path(name);
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path).unwrap();
        writeln!(file, "{text}").unwrap();
        path
    }
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kontor"));
        command.args(arguments).current_dir(self.root.path()).stdin(Stdio::null()).env_remove("KONTOR_PASSPHRASE_FILE");
        command
    }
    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }
    /// A verb on the appliance of this place.
    fn on(&self, verb: &[&str], rest: &[&str]) -> Ran {
        let dir = self.dir();
        let at = ["--dir", dir.to_str().unwrap()];
        self.run(&[verb, at.as_slice(), rest].concat())
    }
    /// An appliance with both slots, a security administrator and a free port.
    fn init(&self) -> Ran {
        let file = self.secret("passphrase", PASSPHRASE);
        self.on(
            &["init"],
            &[
                "--passphrase-file",
                file.to_str().unwrap(),
                "--unseal",
                "both",
                "--admin",
                "anna",
                "--listen",
                "127.0.0.1:0",
            ],
        )
    }
    /// The same without a key file: it starts sealed.
    fn init_sealed(&self) -> Ran {
        let file = self.secret("passphrase", PASSPHRASE);
        self.on(&["init"], &["--passphrase-file", file.to_str().unwrap(), "--listen", "127.0.0.1:0"])
    }
}

/// What a command said and how it ended.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
    #[track_caller]
    fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
    #[track_caller]
    fn says(self, part: &str) -> Self {
        assert!(self.out.contains(part), "{part:?} in {self:#?}");
        self
    }
    #[track_caller]
    fn complains(self, part: &str) -> Self {
        assert!(self.err.contains(part), "{part:?} in {self:#?}");
        self
    }
}

/// A running server; killed when the test fails before it was stopped.
struct Server {
    child: Child,
    lines: Receiver<String>,
}

impl Server {
    /// Starts a server and reads one of its streams line by line.
    fn start(mut command: Command, errors: bool) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (read, other): (Box<dyn Read + Send>, Box<dyn Read + Send>) =
            if errors { (Box::new(err), Box::new(out)) } else { (Box::new(out), Box::new(err)) };
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(read).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
        });
        // The other stream is drained, so that a full pipe never stops the server.
        std::thread::spawn(move || std::io::copy(&mut BufReader::new(other), &mut std::io::sink()));
        Self { child, lines }
    }
    /// The next line that holds this text.
    #[track_caller]
    fn line_with(&self, part: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("the server never said {part:?}"));
            if line.contains(part) {
                return line;
            }
        }
    }
    /// SIGTERM, and the code it ends with.
    fn stop(mut self) -> i32 {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that trusts one authority.
fn client(ca: &Path) -> ureq::Agent {
    let authority = ureq::tls::Certificate::from_pem(&fs::read(ca).unwrap()).unwrap();
    let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::new_with_certs(&[authority])).build();
    ureq::Agent::config_builder().tls_config(tls).proxy(None).http_status_as_error(false).build().into()
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, Value) {
    let mut response = response.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap_or(Value::Null))
}

/// The address in a line of the server's log.
fn url_in(line: &str) -> String {
    let rest = line.split("url=\"").nth(1).unwrap_or_else(|| panic!("no url in {line}"));
    rest.split('"').next().unwrap().to_owned()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn help_and_version_answer_and_mistakes_are_refused() {
    let place = Place::new();
    let help = place.run(&["--help"]).ended(0);
    for verb in ["init", "serve", "demo", "unseal", "slot", "user", "object", "import", "audit", "config", "version"] {
        assert!(help.out.contains(&format!("  {verb}")), "{verb} in {}", help.out);
    }
    place.run(&["help", "audit", "verify"]).ended(0).says("--older").says("Exit codes: 0 sound; 1 findings");
    place.run(&["version"]).ended(0).says(env!("CARGO_PKG_VERSION"));
    let version: Value = serde_json::from_str(&place.run(&["version", "--json"]).ended(0).out).unwrap();
    assert_eq!((&version["name"], &version["version"]), (&json!("kontor"), &json!(env!("CARGO_PKG_VERSION"))));
    place.run(&["servr"]).ended(2).complains("serve");
    place.run(&["init"]).ended(2).complains("--dir");
    place.on(&["config", "check"], &[]).ended(2).complains("there is no appliance").complains("kontor init");
    place.on(&["audit", "verify"], &[]).ended(2).complains("config_invalid");
}

#[test]
fn init_makes_a_private_appliance_that_verifies() {
    let place = Place::new();
    let made = place.init().ended(0).says("security administrator  anna").says("kontor serve");
    let dir = place.dir();
    for folder in ["", "keys", "data", "log", "tls"] {
        assert_eq!(mode(&dir.join(folder)), 0o700, "{folder}");
    }
    for file in ["kontor.toml", "keys/slots.json", "keys/unseal.key", "tls/ca.key", "tls/server.key", "data/kontor.db"]
    {
        assert_eq!(mode(&dir.join(file)) & 0o077, 0, "{file}");
    }
    let password = made.out.split("first password").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    for file in ["kontor.toml", "keys/slots.json", "data/kontor.db"] {
        let bytes = fs::read(dir.join(file)).unwrap();
        assert!(!bytes.windows(password.len()).any(|part| part == password.as_bytes()), "the password lies in {file}");
    }
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0).says("The log is sound: level 4 of 4");
    place.on(&["config", "check"], &[]).ended(0).says("valid").says("unseal.key");
    place.on(&["slot", "list"], &[]).ended(0).says("key file").says("passphrase");
    place.init().ended(2).complains("is not empty").complains("kept: everything in it");
    place.on(&["user", "list"], &[]).ended(0).says("security_admin");
}

#[test]
fn a_failed_init_leaves_nothing_behind() {
    let place = Place::new();
    let short = place.secret("short", "too short");
    place.on(&["init"], &["--passphrase-file", short.to_str().unwrap()]).ended(2).complains("12 characters");
    assert!(!place.dir().exists());
    let open = place.secret("open", PASSPHRASE);
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    place.on(&["init"], &["--passphrase-file", open.to_str().unwrap()]).ended(2).complains("read by others");
    place.on(&["init"], &[]).ended(2).complains("no terminal");
    place.on(&["init"], &["--unseal", "key-file", "--name", "not a name"]).ended(2).complains("not a name");
    assert!(!place.dir().exists());
    // A later step that fails takes everything away again: this login cannot be one.
    place.on(&["init"], &["--unseal", "key-file", "--admin", " "]).ended(2);
    assert!(!place.dir().exists());
}

#[test]
fn every_mistake_of_a_configuration_is_told_at_once() {
    let place = Place::new();
    place.on(&["init"], &["--unseal", "key-file"]).ended(0);
    let path = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&path)
        .unwrap()
        .replace("level = \"info\"", "level = \"loud\"\nlevle = 1")
        .replace("127.0.0.1:8443", "nowhere");
    fs::write(&path, text).unwrap();
    place
        .on(&["config", "check"], &[])
        .ended(1)
        .complains("3 problems")
        .complains("log.level")
        .complains("log.levle")
        .complains("server.listen");
    place.on(&["serve"], &[]).ended(78).complains("config_invalid");
    fs::remove_file(place.dir().join("keys/unseal.key")).unwrap();
    fs::write(&path, "[unseal]\nkey_file = \"keys/unseal.key\"\n").unwrap();
    place.on(&["config", "check"], &[]).ended(1).complains("unseal.key_file");
}

#[test]
fn slots_open_and_the_last_one_stays() {
    let place = Place::new();
    place.init().ended(0);
    let (new, wrong) = (place.secret("new", "another long passphrase"), place.secret("wrong", "not this passphrase"));
    let old = place.path("passphrase");
    place
        .on(&["slot", "add-passphrase"], &["--label", "branch", "--new-passphrase-file", new.to_str().unwrap()])
        .ended(0)
        .says("Slot 3");
    place
        .on(&["user", "list"], &["--passphrase-file", wrong.to_str().unwrap()])
        .ended(1)
        .complains("unseal_failed")
        .complains("to do:");
    place.on(&["user", "list"], &["--passphrase-file", new.to_str().unwrap()]).ended(0);
    let key = place.path("stick.key");
    place.on(&["slot", "add-key-file"], &[key.to_str().unwrap()]).ended(0).says("Slot 4");
    assert_eq!(mode(&key), 0o600);
    let with = ["--passphrase-file", old.to_str().unwrap()];
    for slot in ["1", "3", "4"] {
        place.on(&["slot", "remove"], &[with[0], with[1], slot]).ended(0);
    }
    place.on(&["slot", "remove"], &[with[0], with[1], "2"]).ended(2).complains("last one");
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

#[test]
fn users_and_definitions_change_by_the_local_operator() {
    let place = Place::new();
    place.init().ended(0);
    place
        .on(&["user", "add"], &["li.na", "--name", "李娜", "--unit", "HQ", "--role", "seller"])
        .ended(0)
        .says("shown once");
    place.on(&["user", "add"], &["li.na"]).ended(2).complains("value_not_unique");
    place
        .on(&["user", "add"], &["bo", "--role", "king"])
        .ended(2)
        .complains("there is no role king")
        .complains("seller");
    place.on(&["user", "grant"], &["li.na", "audit_admin"]).ended(2).complains("may not be held by one person");
    place.on(&["user", "grant"], &["li.na", "service_agent"]).ended(0).says("has the role");
    place.on(&["user", "revoke"], &["li.na", "seller"]).ended(0);
    let weak = place.secret("weak", "aaaaaaaaaaaaaa");
    place
        .on(&["user", "password"], &["li.na", "--password-file", weak.to_str().unwrap()])
        .ended(2)
        .complains("repetition");
    place.on(&["user", "password"], &["li.na"]).ended(0).says("shown once");
    place.on(&["user", "close"], &["li.na"]).ended(0);
    place.on(&["user", "close"], &["nobody"]).ended(2).complains("no user");
    let users: Value = serde_json::from_str(&place.on(&["user", "list"], &["--json"]).ended(0).out).unwrap();
    let li = users.as_array().unwrap().iter().find(|user| user["login"] == "li.na").unwrap();
    assert_eq!(*li, json!({"login": "li.na", "name": "李娜", "status": "left", "roles": ["service_agent"]}));

    let field = json!([{"change": "add_field", "object": "account", "field":
        {"name": "x_kennel", "label": {"en": "Kennel", "zh": "犬舍"}, "type": "text", "sensitivity": "S1"}}]);
    let file = place.secret("changes.json", &field.to_string());
    place.on(&["object", "plan"], &[file.to_str().unwrap()]).ended(0).says("This would run").says("x_kennel");
    place.on(&["object", "apply"], &[file.to_str().unwrap()]).ended(0).says("version 1");
    place.on(&["object", "apply"], &[file.to_str().unwrap()]).ended(2).complains("plan_refused").complains("kept:");
    place.on(&["object", "show"], &["account"]).ended(0).says("x_kennel");
    place.on(&["object", "list"], &[]).ended(0).says("客户").says("opportunity");
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

#[test]
fn an_import_accounts_for_every_row_and_can_be_repeated() {
    let place = Place::new();
    place.init().ended(0);
    let rows = "id,name,founded\nA-1,Salzspeicher Lübeck,1579\nA-2,上海琥珀潮,2011\nA-3,Broken,soon\n";
    let csv = place.secret("firms.csv", rows.trim_end());
    let mapping = json!({"kontor_mapping": 1, "object": "account", "external_id": {"system": "old", "column": "id"},
        "fields": {"name": {"column": "name"}, "founded_year": {"column": "founded"}}});
    let map = place.secret("map.json", &mapping.to_string());
    let arguments = ["--map", map.to_str().unwrap(), csv.to_str().unwrap()];
    let dry = place
        .on(&["import"], &[["--dry-run"].as_slice(), &arguments].concat())
        .ended(1)
        .says("Dry run")
        .says("created 2");
    assert!(dry.out.contains("rejected 1"), "{dry:?}");
    place.on(&["import"], &arguments).ended(1).says("created 2").says("3 rows in all");
    let rejected = fs::read_to_string(place.path("firms.csv.rejected.csv")).unwrap();
    assert!(rejected.contains("A-3") && rejected.contains("_reason"), "{rejected}");
    place.on(&["import"], &arguments).ended(1).says("created 0").says("the same 2");
    place.on(&["import"], &["--object", "no_such", csv.to_str().unwrap()]).ended(2).complains("object_unknown");
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

#[test]
fn one_byte_changed_in_the_log_is_found_and_named() {
    let place = Place::new();
    place.init().ended(0);
    let kept = place.path("older");
    fs::copy(place.dir().join("log/checkpoint"), &kept).unwrap();
    place.on(&["user", "add"], &["bo"]).ended(0);
    place.on(&["audit", "verify"], &["--older", kept.to_str().unwrap()]).ended(0);
    let folder = place.dir().join("log/tile/entries/000.p");
    let tile = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&tile).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let report: Value = serde_json::from_str(&place.on(&["audit", "verify"], &["--json"]).ended(1).out).unwrap();
    assert_eq!(report["ok"], json!(false));
    let places: Vec<&str> =
        report["findings"].as_array().unwrap().iter().filter_map(|finding| finding["place"].as_str()).collect();
    assert!(places.iter().any(|place| place.starts_with("tile/0/000")), "the tile: {places:?}");
    assert!(places.iter().any(|place| place.starts_with("database k_audit seq")), "the row that differs: {places:?}");
}

#[test]
fn a_sealed_start_waits_for_the_right_passphrase() {
    let place = Place::new();
    place.init_sealed().ended(0).says("starts sealed");
    let server = Server::start(place.command(&["serve", "--dir", place.dir().to_str().unwrap()]), true);
    let url = url_in(&server.line_with("serving"));
    server.line_with("sealed");
    let client = client(&place.dir().join("tls/ca.pem"));
    let (status, ready) = answer(client.get(format!("{url}/readyz")).call());
    assert_eq!(status, 503);
    assert!(ready["reasons"][0].as_str().unwrap().starts_with("sealed"), "{ready}");
    let (status, problem) = answer(client.get(format!("{url}/api/v1/records/account")).call());
    assert_eq!((status, &problem["code"]), (503, &json!("sealed")));
    place.on(&["serve"], &[]).ended(2).complains("another process serves");
    // The log can be verified without any key.
    place.on(&["audit", "verify"], &[]).ended(0);

    let wrong = place.secret("wrong", "not this passphrase");
    place
        .on(&["unseal"], &["--url", &url, "--passphrase-file", wrong.to_str().unwrap()])
        .ended(1)
        .complains("unseal_failed");
    let right = place.path("passphrase");
    place.on(&["unseal"], &["--url", &url, "--passphrase-file", right.to_str().unwrap()]).ended(0).says("is open");
    place.on(&["unseal"], &["--url", &url, "--passphrase-file", right.to_str().unwrap()]).ended(0).says("already");
    assert_eq!(answer(client.get(format!("{url}/readyz")).call()), (200, json!({"ready": true, "reasons": []})));
    // A command beside the server goes through the same log.
    place.on(&["user", "add"], &["bo", "--passphrase-file", right.to_str().unwrap()]).ended(0);
    assert_eq!(server.stop(), 0);
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0).says("0 rows not yet sealed");
    place
        .on(&["unseal"], &["--url", &url, "--passphrase-file", right.to_str().unwrap()])
        .ended(2)
        .complains("does not answer");
}

#[test]
fn a_demonstration_serves_its_users_and_serves_again() {
    let place = Place::new();
    let arguments =
        ["demo", "--dir", place.dir().to_str().unwrap(), "--listen", "127.0.0.1:0", "--json"].map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let server = Server::start(place.command(&arguments), false);
    let said: Value = serde_json::from_str(&server.line_with("{")).unwrap();
    let url = said["url"].as_str().unwrap().to_owned();
    let client = client(Path::new(said["ca_cert"].as_str().unwrap()));
    let seller =
        said["users"].as_array().unwrap().iter().find(|user| user["roles"] == json!(["seller"])).unwrap().clone();
    let login = json!({"login": seller["login"], "password": seller["password"]});
    let (status, session) = answer(client.post(format!("{url}/api/v1/session")).send_json(&login));
    assert_eq!(status, 200, "{session}");
    let (status, list) = answer(client.get(format!("{url}/api/v1/records/account?limit=5&count=exact")).call());
    assert_eq!(status, 401, "without a cookie: {list}");
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
    let bad = json!({"login": seller["login"], "password": "not the password"});
    assert_eq!(answer(client.post(format!("{url}/api/v1/session")).send_json(&bad)).0, 401);
    assert_eq!(server.stop(), 0);

    let again = Server::start(place.command(&arguments), false);
    let second: Value = serde_json::from_str(&again.line_with("{")).unwrap();
    assert_eq!(second["users"], said["users"], "the same people with the same passwords");
    assert_eq!(again.stop(), 0);
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

#[test]
fn an_appliance_is_no_demonstration() {
    let place = Place::new();
    place.on(&["init"], &["--unseal", "key-file"]).ended(0);
    place.on(&["demo"], &["--listen", "127.0.0.1:0"]).ended(2).complains("is not a demonstration");
}
