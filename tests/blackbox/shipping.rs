//! Continuous shipping as its administrator has it: a server that is killed at any point, the machine lost with it, and what
//! was answered comes back from the second folder.

use crate::backups::{json, sets, with_targets};
use crate::support::*;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PASSWORD: &str = "a-long-enough-password-7";

/// An appliance that ships to `one` before it answers and to `two` within a second; with somebody who may write.
fn with_shipping(place: &Place) -> [PathBuf; 2] {
    let targets = with_targets(place, "mib_per_second = 0");
    let config = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap();
    let text = text.replace("sync = \"\"", "sync = \"one\"").replace("also = []", "also = [\"two\"]");
    // The first drill is due at once, and while it goes on no command may make a set.
    let text = text.replace("drill = \"45 3 * * *\"", "drill = \"\"");
    assert!(text.contains("drill = \"\""));
    fs::write(&config, text).unwrap();
    place.on(&["config", "check"], &[]).ended(0);
    seller(place);
    targets
}

/// Somebody who may write, for [`Session`].
pub(crate) fn seller(place: &Place) {
    let file = place.secret("password", PASSWORD);
    let password = ["--lasting", "--password-file", file.to_str().unwrap()];
    place.on(&["user", "add"], &[&["--role", "seller", "berta"], &password[..]].concat()).ended(0);
}

pub(crate) struct Session {
    agent: ureq::Agent,
    url: String,
    cookie: String,
    csrf: String,
}

impl Session {
    pub(crate) fn open(dir: &Path, url: &str) -> Self {
        let agent = client(&dir.join("tls/ca.pem"));
        let login = json!({"login": "berta", "password": PASSWORD});
        let response = agent.post(format!("{url}/api/v1/session")).send_json(login).unwrap();
        let cookie = response.headers().get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
        let (status, body) = answer(Ok(response));
        assert_eq!(status, 200, "{body}");
        let cookie = cookie.unwrap().split(';').next().unwrap().to_owned();
        let csrf = body["csrf"].as_str().unwrap().to_owned();
        Self { agent, url: url.to_owned(), cookie, csrf }
    }
    /// Makes an account; whether that was answered with a yes.
    pub(crate) fn make(&self, name: &str) -> Result<u16, String> {
        let sent = self
            .agent
            .post(format!("{}/api/v1/records/account", self.url))
            .header("cookie", &self.cookie)
            .header("x-csrf-token", &self.csrf)
            .send_json(json!({"name": name}));
        sent.map(|response| response.status().as_u16()).map_err(|error| error.to_string())
    }
}

pub(crate) fn serve(place: &Place, dir: &Path) -> (Server, String) {
    let server = Server::start(place.command(&["serve", "--dir", dir.to_str().unwrap()]), true);
    let url = url_in(&server.line_with("serving"));
    (server, url)
}

/// What somebody without Kontor counts.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let file = dir.join("data/kontor.db");
    let output = Command::new("sqlite3").arg(&file).arg("SELECT name FROM account").output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn rounds() -> u64 {
    std::env::var("KONTOR_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

/// `make kills` for the long run.
#[test]
fn nothing_that_was_answered_is_lost_with_the_machine_wherever_it_is_killed() {
    let place = Place::new();
    let targets = with_shipping(&place);
    let (server, _) = serve(&place, &place.dir());
    server.line_with("a backup set was made and read back");
    assert_eq!(server.stop(), 0);
    let key_file = place.path("from the safe.key");
    fs::copy(place.dir().join("keys/unseal.key"), &key_file).unwrap();
    let mut said = Vec::new();
    let (mut answered, mut restores, mut chance) = (Vec::new(), 0, 88_172_645_463_325_252u64);
    for round in 0..rounds() {
        let (server, url) = serve(&place, &place.dir());
        let session = Session::open(&place.dir(), &url);
        // At a point of its own in each round: after so many answers, and so many turns of a loop.
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let (writes, turns) = (1 + chance % 7, chance >> 44);
        let pid = server.pid();
        for write in 0..writes {
            let name = format!("Answered {round} {write}");
            if session.make(&name) == Ok(201) {
                answered.push(name);
            }
        }
        let last = std::thread::spawn(move || {
            (0..turns).for_each(|_| std::hint::spin_loop());
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        });
        let name = format!("Perhaps {round}");
        if session.make(&name) == Ok(201) {
            answered.push(name);
        }
        last.join().unwrap();
        said.extend(server.said().into_iter().filter(|line| !line.contains("serving")).map(|line| (round, line)));
        // The machine is lost: all that is left is the second folder and the key file.
        if round % 4 == 3 || round + 1 == rounds() {
            restores += 1;
            let into = place.path(&format!("restored-{round}"));
            let (from, dir) = (targets[0].to_str().unwrap(), into.to_str().unwrap());
            let key = key_file.to_str().unwrap();
            place.run(&["backup", "restore", "--from", from, "--dir", dir, "--key-file", key]).ended(0);
            let found = names(&into);
            let lost: Vec<&String> = answered.iter().filter(|name| !found.contains(name)).collect();
            let last: Vec<&(u64, String)> = said.iter().filter(|(said, _)| said + 8 > round).collect();
            assert!(lost.is_empty(), "round {round}: {lost:?} of {} were lost; {last:#?}", answered.len());
            fs::remove_dir_all(&into).unwrap();
        }
    }
    assert!(answered.len() as u64 > rounds(), "only {} were answered; nothing was tested", answered.len());
    let window = json(place.run(&["backup", "window", "--from", targets[0].to_str().unwrap(), "--json"]).ended(0));
    assert_eq!(window.as_array().unwrap().len(), 1, "one stream over all starts: {window}");
    println!("{} kills, {} writes answered, {restores} restores, none of the answered lost", rounds(), answered.len());
}

#[test]
fn the_window_the_drill_and_the_other_target_know_what_was_shipped() {
    let place = Place::new();
    let targets = with_shipping(&place);
    let (server, url) = serve(&place, &place.dir());
    server.line_with("a backup set was made and read back");
    let session = Session::open(&place.dir(), &url);
    assert_eq!(session.make("Before noon"), Ok(201));
    // A command beside the server: what it commits is shipped, too.
    let csv = place.path("more.csv");
    fs::write(&csv, "name\nBy a command\n").unwrap();
    place.on(&["import"], &["--object", "account", csv.to_str().unwrap()]).ended(0);
    // And so is a set that it makes: the stream leads on from it.
    place.on(&["backup", "run"], &[]).ended(0);
    let set = sets(&targets[0]).pop().unwrap();
    let manifest: Value = serde_json::from_slice(&fs::read(set.join("manifest.json")).unwrap()).unwrap();
    assert!(manifest["shipped"]["segment"].as_u64().is_some(), "{manifest}");
    assert_eq!(session.make("After noon"), Ok(201));
    assert_eq!(server.stop(), 0);
    let drilled = json(place.on(&["backup", "drill"], &["--json"]).ended(0));
    let checks: Vec<&str> =
        drilled["checks"].as_array().unwrap().iter().filter_map(|one| one["check"].as_str()).collect();
    assert_eq!(checks, ["unpack", "integrity", "counts", "log", "stream"], "{drilled}");
    for target in &targets {
        let from = target.to_str().unwrap();
        let window = json(place.run(&["backup", "window", "--from", from, "--json"]).ended(0));
        assert_eq!(window.as_array().unwrap().len(), 1, "{window}");
        let (first, last) = (window[0]["from"].as_str().unwrap(), window[0]["to"].as_str().unwrap());
        for (at, there) in [(first, false), (last, true)] {
            let into = place.path(if there { "new" } else { "old" });
            let dir = into.to_str().unwrap();
            let key = place.dir().join("keys/unseal.key");
            let asked =
                ["backup", "restore", "--from", from, "--dir", dir, "--at", at, "--key-file", key.to_str().unwrap()];
            place.run(&asked).ended(0).says("will NOT be in it");
            let found = names(&into);
            for name in ["Before noon", "By a command", "After noon"] {
                assert_eq!(found.iter().any(|one| one == name), there, "{name} at {at} on {from}");
            }
            place.run(&["audit", "verify", "--dir", dir, "--level", "4"]).ended(0);
            fs::remove_dir_all(&into).unwrap();
        }
    }
    // One byte of it, and it is named; the last good moment is offered.
    let stream = set.parent().unwrap().join("stream");
    let mut files: Vec<PathBuf> = fs::read_dir(&stream).unwrap().flatten().map(|file| file.path()).collect();
    files.sort();
    let file = files.last().unwrap();
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
    let into = place.path("never");
    let asked = ["backup", "restore", "--from", targets[0].to_str().unwrap(), "--dir", into.to_str().unwrap()];
    let name = file.file_name().unwrap().to_str().unwrap();
    place.run(&asked).ended(2).complains(name).complains("--at");
    assert!(!into.exists());
}

#[test]
fn a_standby_takes_the_place_of_the_first_and_the_old_node_refuses() {
    let place = Place::new();
    let targets = with_shipping(&place);
    let (server, url) = serve(&place, &place.dir());
    server.line_with("a backup set was made and read back");
    let session = Session::open(&place.dir(), &url);
    assert_eq!(session.make("Before the standby"), Ok(201));
    let (from, key) = (targets[0].to_str().unwrap().to_owned(), place.dir().join("keys/unseal.key"));
    let second = place.path("second");
    let (dir, key) = (second.to_str().unwrap(), key.to_str().unwrap());
    let follow = ["standby", "follow", "--from", &from, "--dir", dir, "--key-file", key, "--once"];
    place.run(&["standby", "status", "--dir", dir]).ended(2);
    place.run(&follow).ended(0).says("as they should be");
    assert_eq!(session.make("While it follows"), Ok(201));
    // It is no appliance yet.
    place.run(&["serve", "--dir", dir]).ended(2).complains("is a standby");
    // Nor where it would start sealed, for nobody's passphrase would ever open it.
    let config = Path::new(dir).join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("\nkey_file = ", "\n# key_file = ")).unwrap();
    place.run(&["serve", "--dir", dir]).ended(2).complains("is a standby");
    fs::write(&config, text).unwrap();
    place.run(&["backup", "list", "--dir", dir]).ended(2).complains("is a standby");
    // Killed at any point, it goes on.
    for turns in [1u64 << 12, 1 << 18, 1 << 22] {
        let mut child = place.command(&follow[..follow.len() - 1]).spawn().unwrap();
        assert_eq!(session.make("Meanwhile"), Ok(201));
        (0..turns).for_each(|_| std::hint::spin_loop());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    place.run(&follow).ended(0);
    let status = json(place.run(&["standby", "status", "--dir", dir, "--json"]).ended(0));
    assert!(status["trouble"].is_null() && status["verified_at"].is_string(), "{status}");
    assert_eq!(session.make("The last before the fall"), Ok(201));
    // The first machine falls; the second takes its place with all that was answered.
    drop(server);
    place.run(&["standby", "promote", "--dir", dir]).ended(0).says("A fence with term 1");
    place.run(&["standby", "status", "--dir", dir]).ended(2);
    place.run(&["audit", "verify", "--dir", dir, "--level", "4"]).ended(0);
    let (server, url) = serve(&place, &second);
    server.line_with("a backup set was made and read back");
    let session = Session::open(&second, &url);
    assert_eq!(session.make("On the second"), Ok(201));
    let found = names(&second);
    for name in ["Before the standby", "While it follows", "Meanwhile", "The last before the fall", "On the second"] {
        assert!(found.iter().any(|one| one == name), "{name} in {found:?}");
    }
    // The first comes back: it takes nothing, and says why.
    let before = names(&place.dir()).len();
    let (old, old_url) = serve(&place, &place.dir());
    let agent = client(&place.dir().join("tls/ca.pem"));
    let (status, reasons) = answer(agent.get(format!("{old_url}/readyz")).call());
    assert_eq!(status, 503, "{reasons}");
    assert!(reasons["reasons"][0].as_str().unwrap().contains("promoted"), "{reasons}");
    let login = json!({"login": "berta", "password": PASSWORD});
    let (status, problem) = answer(agent.post(format!("{old_url}/api/v1/session")).send_json(login));
    assert_eq!((status, &problem["code"]), (503, &Value::from("fenced")), "{problem}");
    old.stop();
    let csv = place.path("late.csv");
    fs::write(&csv, "name\nToo late\n").unwrap();
    let ran = place.on(&["import"], &["--object", "account", csv.to_str().unwrap()]);
    assert!(ran.code != 0 && format!("{ran:?}").contains("fenced"), "{ran:?}");
    assert_eq!(names(&place.dir()).len(), before);
    assert_eq!(server.stop(), 0);
    // What the second ships can be gone back to, and what was before it, too.
    let window = json(place.run(&["backup", "window", "--from", &from, "--json"]).ended(0));
    assert_eq!(window.as_array().unwrap().len(), 2, "{window}");
}
