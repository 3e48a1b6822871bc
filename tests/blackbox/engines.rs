//! Backups of an appliance on a PostgreSQL server as the administrator has them: sets like all others, back into a file, and
//! back into an empty database, never over one that is in use.

use crate::support::*;
use kernel::Clock;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn set_below(target: &Path) -> PathBuf {
    let house = fs::read_dir(target).unwrap().flatten().next().unwrap().path();
    fs::read_dir(house).unwrap().flatten().map(|entry| entry.path()).max().unwrap()
}

fn content(place: &Place, dir: &Path) -> Value {
    let ran = place.run(&["backup", "content", "--dir", dir.to_str().unwrap(), "--json"]).ended(0);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn from_a_server_into_a_file_and_into_another_server() {
    let place = Place::new();
    let (url, ca) = testkit::postgres_database();
    place.init_on(&url, &ca).ended(0);
    let csv = place.path("customers.csv");
    let rows: String = (0..400).map(|number| format!("Customer {number}\n")).collect();
    fs::write(&csv, format!("name\n{rows}")).unwrap();
    place.on(&["import"], &["--object", "account", csv.to_str().unwrap()]).ended(0);
    let target = place.path("one");
    fs::create_dir(&target).unwrap();
    let config = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap();
    let text = text.replace("[backup.targets]\n", &format!("[backup.targets]\none = {target:?}\n"));
    fs::write(&config, &text).unwrap();
    place.on(&["backup", "run"], &[]).ended(0).says("written and read back");
    place.on(&["backup", "drill"], &[]).ended(0).says("The set was restored and is whole");
    let set = set_below(&target);
    let (set, live) = (set.to_str().unwrap(), content(&place, &place.dir()));
    let key_file = place.dir().join("keys/unseal.key");
    let restore = |dir: &Path, more: &[&str]| {
        let from = ["backup", "restore", "--from", set, "--dir", dir.to_str().unwrap()];
        let key = ["--key-file", key_file.to_str().unwrap()];
        place.run(&[from.as_slice(), key.as_slice(), more].concat())
    };
    // Into a file: the configuration no longer names the server, where the living appliance is.
    let file = place.path("in a file");
    restore(&file, &[]).ended(0).says("as of").says("whole").says("401");
    let moved = fs::read_to_string(file.join("kontor.toml")).unwrap();
    assert!(moved.contains("engine = \"sqlite\"") && !moved.contains("\nurl_file"), "{moved}");
    let accounts = |content: &Value| content.as_array().unwrap().iter().find(|row| row["table"] == "account").cloned();
    assert_eq!(accounts(&content(&place, &file)), accounts(&live));
    // Never over the database of the living one.
    let other = place.path("in a server");
    let (this, ca_file) = (place.secret("this-url", &url), ca.to_str().unwrap().to_owned());
    let on = |url: &Path| {
        ["--database-url-file".to_owned(), url.display().to_string(), "--database-ca-file".to_owned(), ca_file.clone()]
    };
    let words = on(&this);
    restore(&other, &words.each_ref().map(String::as_str))
        .ended(2)
        .complains("not empty")
        .complains("parameter_invalid");
    assert!(!other.exists(), "a refused restore leaves nothing");
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
    // Into an empty one.
    let words = on(&place.secret("other-url", &testkit::postgres_database().0));
    restore(&other, &words.each_ref().map(String::as_str)).ended(0).says("arrived with the hash it had");
    assert!(!other.join("data/kontor.db").exists());
    assert_eq!(content(&place, &other), content(&place, &file));
    let other_dir = other.to_str().unwrap();
    place.run(&["audit", "verify", "--dir", other_dir, "--level", "4"]).ended(0).says("The log is sound");
    let server = Server::start(place.command(&["serve", "--dir", other_dir]), true);
    let url = url_in(&server.line_with("serving"));
    let (status, ready) = answer(client(&other.join("tls/ca.pem")).get(format!("{url}/readyz")).call());
    assert_eq!(status, 200, "{ready}");
    assert_eq!(server.stop(), 0);
    // Killed at several moments: the same command goes on with whatever there is, and what is there at last is whole.
    let killed = place.path("killed");
    let words = on(&place.secret("third-url", &testkit::postgres_database().0));
    let words = words.each_ref().map(String::as_str);
    let from = ["backup", "restore", "--from", set, "--dir", killed.to_str().unwrap()];
    let command = [from.as_slice(), &["--key-file", key_file.to_str().unwrap()], &words].concat();
    for millis in (100..).step_by(200).take(8).take_while(|_| !killed.exists()) {
        let mut running = place.command(&command).spawn().unwrap();
        let begun = kernel::SystemClock::start();
        while running.try_wait().unwrap().is_none() && begun.monotonic().as_millis() < millis {
            std::thread::yield_now();
        }
        let _ = running.kill();
        running.wait().unwrap();
    }
    if !killed.exists() {
        place.run(&command).ended(0);
    }
    assert_eq!(content(&place, &killed), content(&place, &file));
}

#[test]
fn what_is_due_is_made_and_proven_on_a_server_too() {
    let place = Place::new();
    let (url, ca) = testkit::postgres_database();
    place.init_on(&url, &ca).ended(0);
    let target = place.path("one");
    fs::create_dir(&target).unwrap();
    let config = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[backup.targets]\n", &format!("[backup.targets]\none = {target:?}\n"))).unwrap();
    let server = Server::start(place.command(&["serve", "--dir", place.dir().to_str().unwrap()]), true);
    server.line_with("a backup set was made and read back");
    server.line_with("a backup set was restored and is whole");
    assert_eq!(server.stop(), 0);
    // Nothing of the copy that it was made from is left beside the files.
    let left = fs::read_dir(place.dir().join("data/files")).into_iter().flatten().flatten();
    let copy = |entry: &fs::DirEntry| entry.path().is_file() && entry.file_name() != "kontor-files";
    assert_eq!(left.filter(copy).count(), 0);
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}
