//! Backups as the administrator has them at the command line, and as somebody has them who has no Kontor: age, zstd, tar and
//! sqlite3 alone. And what remains of a set when its maker is killed.

use crate::support::*;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An appliance with some customers and two targets.
pub(crate) fn with_targets(place: &Place, more: &str) -> [PathBuf; 2] {
    place.init().ended(0);
    let csv = place.path("customers.csv");
    let rows: String = (0..400).map(|number| format!("Customer {number}\n")).collect();
    fs::write(&csv, format!("name\n{rows}")).unwrap();
    place.on(&["import"], &["--object", "account", csv.to_str().unwrap()]).ended(0);
    let targets = ["one", "two"].map(|name| place.path(name));
    targets.iter().for_each(|target| fs::create_dir(target).unwrap());
    let config = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap();
    let list = format!("[backup.targets]\none = {:?}\ntwo = {:?}\n", targets[0], targets[1]);
    let text = text.replace("[backup.targets]\n", &list).replace("mib_per_second = 0", more);
    fs::write(&config, text).unwrap();
    place.on(&["config", "check"], &[]).ended(0);
    targets
}

/// The whole sets below a target, oldest first.
pub(crate) fn sets(target: &Path) -> Vec<PathBuf> {
    let houses = fs::read_dir(target).into_iter().flatten().flatten().map(|house| house.path());
    let mut found: Vec<PathBuf> =
        houses.flat_map(|house| fs::read_dir(house).into_iter().flatten().flatten()).map(|set| set.path()).collect();
    found.retain(|set| set.extension().is_none() && !set.ends_with("stream"));
    found.sort();
    found
}

pub(crate) fn json(ran: Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error} in {ran:#?}"))
}

/// A shell line of somebody without Kontor.
#[track_caller]
fn shell(line: &str) -> String {
    let output = Command::new("bash").args(["-euo", "pipefail", "-c", line]).stdin(Stdio::null()).output().unwrap();
    let ran = Ran::of(output);
    assert_eq!(ran.code, 0, "{line}\n{ran:#?}");
    ran.out.trim().to_owned()
}

#[test]
fn a_dead_machine_comes_back_on_a_blank_one() {
    let place = Place::new();
    let targets = with_targets(&place, "mib_per_second = 0");
    place.on(&["backup", "drill"], &[]).ended(2).complains("there is no verified set");
    let made = json(place.on(&["backup", "run"], &["--json"]).ended(0));
    assert_eq!(made["targets"].as_array().unwrap().len(), 2, "{made}");
    let drilled = json(place.on(&["backup", "drill"], &["--json"]).ended(0));
    assert_eq!((&drilled["ok"], &drilled["set"]), (&Value::from(true), &made["set"]), "{drilled}");
    // What it found is a file that other people's tools check: the key of the log signed its SHA-256.
    let papers = place.path("papers");
    fs::create_dir(&papers).unwrap();
    place.on(&["backup", "report"], &["--to", papers.to_str().unwrap()]).ended(0).says(".json");
    let key = fs::read_to_string(place.dir().join("log-key.pub")).unwrap();
    let checked = shell(&format!(
        r#"cd '{}'; report=$(echo *.json)
        head -n 2 *.sig > text
        tail -n 1 *.sig | cut -d' ' -f3 | base64 -d | tail -c 64 > signature
        {{ printf '\060\052\060\005\006\003\053\145\160\003\041\000'; echo '{}' | cut -d+ -f3- | base64 -d | tail -c 32; }} > key.der
        [ "$(sha256sum "$report" | cut -d' ' -f1)" = "$(tail -n 1 text)" ]
        openssl pkeyutl -verify -pubin -inkey key.der -keyform DER -rawin -in text -sigfile signature"#,
        papers.display(),
        key.trim()
    ));
    assert!(checked.contains("Verified Successfully"), "{checked}");
    let list = json(place.on(&["backup", "list"], &["--json"]).ended(0));
    assert_eq!((&list[0]["plan"]["reason"], &list[0]["state"]), (&"newest".into(), &"verified".into()), "{list}");
    assert!(list[0]["proven_at"].is_string(), "{list}");
    let set = sets(&targets[1]).pop().unwrap();
    let (set, key_file) = (set.to_str().unwrap().to_owned(), place.path("from the safe.key"));
    fs::copy(place.dir().join("keys/unseal.key"), &key_file).unwrap();
    let known = place.path("auditors.pub");
    fs::copy(place.dir().join("log-key.pub"), &known).unwrap();
    // The machine is gone, with everything but the set and the unseal secret.
    fs::remove_dir_all(place.dir()).unwrap();
    fs::remove_dir_all(&targets[0]).unwrap();
    let dir = place.dir();
    let from = ["backup", "restore", "--from", &set, "--dir", dir.to_str().unwrap()];
    let wrong = place.secret("wrong", "not the passphrase at all");
    place
        .run(&[&from[..], &["--passphrase-file", wrong.to_str().unwrap()]].concat())
        .ended(1)
        .complains("unseal_failed");
    assert!(!dir.exists(), "a refused restore leaves nothing");
    // Who comes with the passphrase alone is told that the configuration waits for the key file.
    let (elsewhere, right) = (place.path("elsewhere"), place.secret("right", PASSPHRASE));
    let by_hand = ["--dir", elsewhere.to_str().unwrap(), "--from", &set, "--passphrase-file", right.to_str().unwrap()];
    place.run(&[&["backup", "restore"][..], &by_hand].concat()).ended(0).says("Put your copy of it there");
    // A set under another name is told from a folder without one.
    let renamed = place.path("renamed");
    fs::rename(&set, &renamed).unwrap();
    let from_renamed = ["backup", "verify", "--from", renamed.to_str().unwrap()];
    place.run(&from_renamed).ended(2).complains("a set under another name");
    fs::rename(&renamed, &set).unwrap();
    let others = ["--log-key", known.to_str().unwrap(), "--key-file", key_file.to_str().unwrap()];
    place.run(&[&from[..], &others].concat()).ended(0).says("as of");
    place.run(&[&from[..], &others].concat()).ended(2).complains("is not empty");
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0).says("The log is sound");
    let server = Server::start(place.command(&["serve", "--dir", dir.to_str().unwrap()]), true);
    let url = url_in(&server.line_with("serving"));
    let client = client(&dir.join("tls/ca.pem"));
    let (status, ready) = answer(client.get(format!("{url}/readyz")).call());
    assert_eq!(status, 200, "{ready}");
    assert_eq!(server.stop(), 0);
    // Its next set comes after those that the target has, also after the one it was made from.
    fs::create_dir(&targets[0]).unwrap();
    let next = json(place.on(&["backup", "run"], &["--json"]).ended(0));
    assert_eq!(next["sequence"], 2, "{next}");
}

#[test]
fn a_set_opens_with_other_peoples_tools() {
    let place = Place::new();
    let targets = with_targets(&place, "mib_per_second = 0");
    place.on(&["backup", "run"], &[]).ended(0);
    let key = place.secret("key", place.on(&["backup", "key"], &[]).ended(0).out.trim());
    let (set, into) = (sets(&targets[0]).pop().unwrap(), place.path("opened"));
    fs::create_dir(&into).unwrap();
    let (set_text, into_text) = (set.to_str().unwrap(), into.to_str().unwrap());
    for tool in ["age", "zstd", "tar", "sqlite3", "sha256sum"] {
        shell(&format!(
            "command -v {tool} >/dev/null || {{ echo 'install the Debian package of {tool}' >&2; exit 1; }}"
        ));
    }
    let manifest: Value = serde_json::from_slice(&fs::read(set.join("manifest.json")).unwrap()).unwrap();
    for file in manifest["files"].as_array().unwrap() {
        let name = file["name"].as_str().unwrap();
        let sum = shell(&format!("sha256sum < '{set_text}/{name}' | cut -d' ' -f1"));
        assert_eq!(file["sha256"], Value::from(sum), "{name}");
    }
    let key = key.to_str().unwrap();
    shell(&format!(
        "cd '{set_text}'; for file in *.tar.zst.age; do age -d -i '{key}' \"$file\" | zstd -dq | tar -x -C '{into_text}'; done"
    ));
    let found =
        shell(&format!("sqlite3 '{into_text}/data/kontor.db' 'PRAGMA integrity_check; SELECT count(*) FROM account'"));
    assert_eq!(found, "ok\n400");
    let opened = [("audit", "verify")].map(|(verb, what)| place.run(&[verb, what, "--dir", into_text, "--level", "4"]));
    opened.into_iter().for_each(|ran| drop(ran.ended(0)));
    // What lies in the set in clear tells nothing of the customers.
    for file in fs::read_dir(&set).unwrap().flatten() {
        let bytes = fs::read(file.path()).unwrap();
        assert!(!bytes.windows(9).any(|window| window == b"Customer "), "{:?}", file.path());
    }
    // That the key was shown is in the log.
    let words = shell(&format!("strings -n 6 '{}/data/kontor.db' | grep -c 'operator' || true", place.dir().display()));
    assert!(words.parse::<u64>().unwrap() > 0);
}

#[test]
fn a_set_whose_maker_was_killed_never_looks_whole() {
    let place = Place::new();
    // Slow enough that something of each file is there to be killed at.
    let targets = with_targets(&place, "mib_per_second = 2");
    let written = || -> u64 {
        let below = |path: &Path| {
            fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>()
        };
        let files =
            below(&targets[0]).iter().flat_map(|house| below(house)).flat_map(|set| below(&set)).collect::<Vec<_>>();
        files.iter().filter_map(|file| file.metadata().ok()).map(|found| found.len()).sum()
    };
    let dir = place.dir();
    let mut killed = 0;
    for step in 0..8u64 {
        let (before, threshold) = (written(), step * 40_000);
        let mut child = place
            .command(&["backup", "run", "--dir", dir.to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while child.try_wait().unwrap().is_none() && written().saturating_sub(before) <= threshold {
            std::thread::yield_now();
        }
        killed += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        for set in targets.iter().flat_map(|target| sets(target)) {
            place.run(&["backup", "verify", "--from", set.to_str().unwrap()]).ended(0).says("is whole");
        }
    }
    assert!(killed >= 3, "only {killed} were killed in the middle; nothing was tested");
    place.on(&["backup", "run"], &[]).ended(0);
    let list = json(place.on(&["backup", "list"], &["--json"]).ended(0));
    for row in list.as_array().unwrap() {
        assert!(row["state"] != "writing", "{row}");
    }
    let parts = shell(&format!("find '{}' '{}' -name '*.part' | wc -l", targets[0].display(), targets[1].display()));
    assert_eq!(parts, "0", "what was half written is taken away");
    place.on(&["backup", "drill"], &[]).ended(0);
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

#[test]
fn what_is_due_is_made_and_proven_while_the_appliance_serves() {
    let place = Place::new();
    let targets = with_targets(&place, "mib_per_second = 0");
    let server = Server::start(place.command(&["serve", "--dir", place.dir().to_str().unwrap()]), true);
    server.line_with("a backup set was made and read back");
    server.line_with("a backup set was restored and is whole");
    assert_eq!(server.stop(), 0);
    assert!(targets.iter().all(|target| sets(target).len() == 1));
    let list = json(place.on(&["backup", "list"], &["--json"]).ended(0));
    assert!(list.as_array().unwrap().iter().any(|row| row["proven_at"].is_string()), "{list}");
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

#[test]
fn mistakes_in_the_configuration_are_told_at_once() {
    let place = Place::new();
    place.init().ended(0);
    let config = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap();
    let wrong = text
        .replace("schedule = \"15 2 * * *\"", "schedule = \"at night\"")
        .replace("recipients = []", "recipients = [\"age1nobody\"]")
        .replace("keep_at_least = 3", "keep_at_least = 0")
        .replace("[backup.targets]\n", "[backup.targets]\nBig = \"/mnt\"\n");
    fs::write(&config, wrong).unwrap();
    let ran = place.on(&["config", "check"], &[]).ended(1);
    for part in ["backup.schedule", "backup.recipients[0]", "backup.keep_at_least", "backup.targets"] {
        assert!(ran.err.contains(part) || ran.out.contains(part), "{part} in {ran:#?}");
    }
    fs::write(&config, text).unwrap();
    place.on(&["backup", "run"], &[]).ended(2).complains("there is no target for backups");
}
