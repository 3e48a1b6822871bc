//! Mail as an administrator has it: tried out, alarms when something is wrong and when it is over, the digest at its time, and
//! a relay that is away without anything else being so.

use crate::support::*;
use kernel::{Clock, SystemClock};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PASSWORD: &str = "a lantern over the quay";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/smtpd.sh");

/// A mail server; it ends with this.
struct Relay {
    folder: PathBuf,
    port: u16,
}

fn sh(arguments: &[&str], folder: &Path) -> Option<String> {
    let ran = Command::new(SCRIPT).arg(arguments[0]).arg(folder).args(&arguments[1..]).output().unwrap();
    assert!(ran.status.success() || ran.status.code() == Some(3), "{ran:?}");
    (ran.status.code() != Some(3)).then(|| String::from_utf8(ran.stdout).unwrap())
}

impl Relay {
    fn start(place: &Place) -> Option<Self> {
        let folder = place.path("relay");
        let Some(answer) = sh(&["start", "starttls"], &folder) else {
            assert!(std::env::var_os("CI").is_none(), "no mail server for the tests (Debian: python3-aiosmtpd)");
            println!("SKIPPED: no mail server can be had on this machine (Debian: python3-aiosmtpd)");
            return None;
        };
        Some(Self { folder, port: answer.trim().parse().unwrap() })
    }
    fn stop(&self) {
        sh(&["stop"], &self.folder);
    }
    fn start_again(&self) {
        sh(&["start", "starttls", &self.port.to_string()], &self.folder).unwrap();
    }
    fn section(&self, password: &Path, rest: &str) -> String {
        let (port, ca) = (self.port, self.folder.join("ca.pem"));
        format!(
            "[mail]\nrelay = \"127.0.0.1\"\nport = {port}\nca_file = {ca:?}\nuser = \"kontor\"\npassword_file = {password:?}\n\
             from = \"kontor@crm.example.org\"\n{rest}\n"
        )
    }
    /// The letters with this in their subject.
    fn mail(&self, part: &str) -> Vec<String> {
        let files = fs::read_dir(self.folder.join("mail")).unwrap().map(|found| found.unwrap().path());
        let files = files.filter(|file| file.extension().is_some_and(|kind| kind == "eml"));
        let subject = |text: &String| text.lines().any(|line| line.starts_with("Subject: ") && line.contains(part));
        files.map(|file| fs::read_to_string(file).unwrap().replace("=\r\n", "")).filter(subject).collect()
    }
    #[track_caller]
    fn mail_with(&self, part: &str) -> String {
        until(|| self.mail(part).pop()).unwrap_or_else(|| panic!("no letter about {part:?} came"))
    }
}

/// Waits for it, with a patience.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let clock = SystemClock::start();
    while clock.monotonic() < PATIENCE {
        if let Some(found) = look() {
            return Some(found);
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    None
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Puts this in the place of the section of mail and of the targets.
fn configure(place: &Place, targets: &str, mail: &str) {
    let config = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap();
    let before = text.split("[backup.targets]").next().unwrap();
    fs::write(&config, format!("{before}[backup.targets]\n{targets}\n{mail}")).unwrap();
}

/// What the health page says of one thing, to an administrator of the system who signs in for it.
fn health(place: &Place, url: &str, check: &str) -> (bool, String) {
    let agent = client(&place.dir().join("tls/ca.pem"));
    let login = json!({"login": "greta", "password": PASSWORD});
    let signed_in = agent.post(format!("{url}/api/v1/session")).send_json(login).unwrap();
    let cookie = signed_in.headers().get("set-cookie").unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
    let (status, page) = answer(agent.get(format!("{url}/api/v1/system/health")).header("cookie", &cookie).call());
    assert_eq!(status, 200, "{page}");
    let found = page["checks"].as_array().unwrap().iter().find(|one| one["name"] == check).unwrap().clone();
    (found["ok"].as_bool().unwrap(), found["state"].as_str().unwrap().to_owned())
}

#[test]
fn the_way_to_the_relay_is_tried_out() {
    let place = Place::new();
    place.init().ended(0);
    place.on(&["mail", "test"], &[]).ended(2).complains("mail.relay names no relay");
    place.on(&["config", "check"], &[]).ended(0).says("mail        none");
    let Some(relay) = Relay::start(&place) else { return };
    let password = place.secret("password", "secret");
    let to = "[mail.to]\nbackup = [\"it@example.org\"]\naudit = [\"audit@example.org\", \"it@example.org\"]";
    configure(&place, "", &relay.section(&password, to));
    place.on(&["config", "check"], &[]).ended(0).says("(STARTTLS) to 2 recipients");
    let sent: Value = serde_json::from_str(&place.on(&["mail", "test"], &["--json"]).ended(0).out).unwrap();
    assert_eq!(sent["sent"].as_array().unwrap().len(), 2, "{sent}");
    assert!(sent["sent"][0]["answer"].as_str().unwrap().starts_with("250 "), "{sent}");
    assert_eq!(relay.mail("Test").len(), 2);
    let refused = place.on(&["mail", "test"], &["--to", "gone@refused.example"]).ended(1);
    refused.says("NOT taken").says("the relay said: 550 5.1.1");
    place.on(&["mail", "test"], &["--to", "a@x.example\nBcc: b@x.example"]).ended(2).complains("is no address");
    let wrong = place.secret("wrong", "nothing");
    configure(&place, "", &relay.section(&wrong, to));
    place.on(&["mail", "test"], &[]).ended(1).says("look at tls, user and password_file");
    let section = relay.section(&password, to);
    configure(&place, "", &section.replace("ca.pem", "other.pem"));
    place.on(&["mail", "test"], &[]).ended(1).says("name its authority as ca_file");
    relay.stop();
    configure(&place, "", &section);
    place.on(&["mail", "test"], &[]).ended(1).says("cannot be reached");
    configure(&place, "", &section.replace("kontor@crm.example.org", "kontor"));
    place.on(&["config", "check"], &[]).ended(1).complains("mail.from");
}

#[test]
fn alarms_and_the_digest_come_and_a_relay_that_is_away_stops_nothing() {
    let place = Place::new();
    place.init().ended(0);
    let Some(relay) = Relay::start(&place) else { return };
    relay.stop();
    let (password, disk) = (place.secret("password", "secret"), place.path("disk2"));
    let rest = "digest = \"* * * * *\"\n[mail.to]\ndigest = [\"it@example.org\"]\nbackup = [\"it@example.org\"]";
    configure(&place, &format!("disk2 = {disk:?}"), &relay.section(&password, rest));
    let file = place.secret("greta", PASSWORD);
    let add = ["--role", "system_admin", "greta", "--lasting", "--password-file", file.to_str().unwrap()];
    place.on(&["user", "add"], &add).ended(0);
    let serve = || Server::start(place.command(&["serve", "--dir", place.dir().to_str().unwrap()]), true);
    let server = serve();
    let url = url_in(&server.line_with("serving"));
    // The folder of the target is not there, and neither is the relay: the appliance serves all the same.
    server.line_with("mail could not be sent");
    assert_eq!(health(&place, &url, "mail"), (false, "mail_waits".to_owned()));
    assert!(!health(&place, &url, "backup").0);
    let ready = client(&place.dir().join("tls/ca.pem")).get(format!("{url}/readyz")).call();
    assert_eq!(answer(ready).0, 200, "late backups and mail are no reason to take it out of service");
    relay.start_again();
    let silent = relay.mail_with("A backup target does not answer: disk2");
    until(|| (health(&place, &url, "mail") == (true, "mail_good".to_owned())).then_some(())).expect("well again");
    assert!(silent.contains("X-Test-Tls: True") && silent.contains("kontor backup target test"), "{silent}");
    assert!(!silent.contains(disk.to_str().unwrap()), "no path of the machine: {silent}");
    relay.mail_with("A backup set could not be made: disk2");
    fs::create_dir(&disk).unwrap();
    let over = relay.mail_with("Over: A backup target does not answer");
    assert!(over.contains("It began at"), "{over}");
    let digest = relay.mail_with("Digest: ");
    assert!(digest.contains("Last proven restore: none yet") && digest.contains("- disk2: "), "{digest}");
    assert_eq!(server.stop(), 0);
    // Each letter has its entries: before it left, and what became of it.
    for letter in ["target_silent", "digest"] {
        let count = format!("SELECT count(*) FROM k_audit WHERE instr(bytes, CAST('{letter}' AS BLOB))");
        let ran = std::process::Command::new("sqlite3").arg(place.dir().join("data/kontor.db")).arg(count).output();
        let entries: usize = String::from_utf8(ran.unwrap().stdout).unwrap().trim().parse().unwrap();
        assert!(entries >= 2, "{letter}: {entries} entries");
    }
    // What was told is not told again, also by another process.
    let told = place.dir().join("mail.json");
    assert_eq!(mode(&told), 0o600);
    let written = || fs::metadata(&told).unwrap().ino();
    let (letters, last) = (relay.mail("A backup set could not be made").len(), written());
    let server = serve();
    server.line_with("serving");
    until(|| (written() != last).then_some(())).expect("it looked");
    assert_eq!(server.stop(), 0);
    assert_eq!(relay.mail("A backup set could not be made").len(), letters);
}

#[test]
fn a_certificate_of_the_site_that_ends_is_told_of_with_what_to_do() {
    let place = Place::new();
    place.init().ended(0);
    let Some(relay) = Relay::start(&place) else { return };
    let authority = crate::certificates::Authority::new(&place);
    authority.serve_site(&place, 20);
    let password = place.secret("password", "secret");
    configure(&place, "", &relay.section(&password, "[mail.to]\nsystem = [\"it@example.org\"]"));
    let serve = || Server::start(place.command(&["serve", "--dir", place.dir().to_str().unwrap()]), true);
    let server = serve();
    let letter = relay.mail_with("The certificate has to be renewed");
    assert!(letter.contains("good for 19 days") && letter.contains("kontor tls csr"), "{letter}");
    authority.serve_site(&place, 9);
    let letter = relay.mail_with("The certificate is about to end");
    assert!(letter.contains("good for 8 days") && letter.contains("kontor tls import"), "{letter}");
    authority.serve_site(&place, 200);
    let over = until(|| Some(relay.mail("certificate")).filter(|letters| letters.len() == 4));
    assert!(over.is_some(), "each is over: {:?}", relay.mail("certificate"));
    assert_eq!(server.stop(), 0);
}
