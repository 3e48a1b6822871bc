//! A target that is new, or was away, gets the set that another has whole; a process that is killed in the middle of that is gone on
//! with where it was.

use crate::support::*;
use kernel::{Clock, SystemClock};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// The files of a folder by name, with their inode.
fn files(folder: &Path) -> BTreeMap<String, u64> {
    let found = fs::read_dir(folder).into_iter().flatten().flatten();
    found.map(|file| (file.file_name().into_string().unwrap(), file.metadata().unwrap().ino())).collect()
}

#[test]
fn a_new_target_gets_the_set_of_another_also_when_the_process_is_killed_meanwhile() {
    let place = Place::new();
    place.init().ended(0);
    let (disk, nas) = (place.path("disk2"), place.path("nas"));
    fs::create_dir(&disk).unwrap();
    fs::create_dir(&nas).unwrap();
    let config = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap();
    let before = text.split("[backup.targets]").next().unwrap().replace("mib_per_second = 0", "mib_per_second = 1");
    fs::write(&config, format!("{before}[backup.targets]\ndisk2 = {disk:?}\n")).unwrap();
    let made: Value = serde_json::from_str(&place.on(&["backup", "run"], &["--json"]).ended(0).out).unwrap();
    let set = made["set"].as_str().unwrap();
    let house = fs::read_dir(&disk).unwrap().next().unwrap().unwrap().file_name();
    let (from, whole) = (disk.join(&house).join(set), nas.join(&house).join(set));
    let half = nas.join(&house).join(format!("{set}.part"));
    fs::write(&config, format!("{before}[backup.targets]\ndisk2 = {disk:?}\nnas = {nas:?}\n")).unwrap();
    let serve = || {
        let server = Server::start(place.command(&["serve", "--dir", place.dir().to_str().unwrap()]), true);
        server.line_with("serving");
        server
    };
    let clock = SystemClock::start();
    let until = |there: &dyn Fn() -> bool| {
        let begun = clock.monotonic();
        while !there() {
            assert!(clock.monotonic() - begun < PATIENCE, "it was never completed");
            std::thread::park_timeout(Duration::from_millis(2));
        }
    };
    // Killed as soon as there is one more file than the time before: what was finished by then stays the same file.
    let (mut kept, mut kills) = (BTreeMap::new(), 0);
    for count in 1..=6 {
        let server = serve();
        until(&|| whole.exists() || files(&half).len() >= count);
        drop(server);
        if whole.exists() {
            break;
        }
        kills += 1;
        let now = files(&half);
        // The last file may be half; those before it are finished.
        let same = kept.iter().filter(|(name, inode)| now.get(*name) == Some(*inode)).count();
        assert!(same + 1 >= kept.len(), "kill {count}: {kept:?}, then {now:?}");
        kept = now;
    }
    let server = serve();
    let listed =
        || -> Value { serde_json::from_str(&place.on(&["backup", "list"], &["--json"]).ended(0).out).unwrap() };
    let whole_there = |row: &Value| row["target"] == "nas" && row["name"] == set && row["state"] == "verified";
    until(&|| listed().as_array().unwrap().iter().any(whole_there));
    assert_eq!(server.stop(), 0);
    for (name, _) in files(&from) {
        assert!(fs::read(from.join(&name)).unwrap() == fs::read(whole.join(&name)).unwrap(), "{name} differs");
    }
    assert!(!half.exists(), "after {kills} kills");
    let list = listed();
    let states: Vec<(&str, &str, &str)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["target"].as_str().unwrap(), row["name"].as_str().unwrap(), row["state"].as_str().unwrap()))
        .collect();
    assert!(states.contains(&("nas", set, "verified")) && states.contains(&("disk2", set, "verified")), "{states:?}");
    place.run(&["backup", "verify", "--from", whole.to_str().unwrap()]).ended(0).says("is whole");
}

#[test]
fn a_command_that_is_told_to_stop_takes_away_what_is_half_done() {
    let place = Place::new();
    place.init().ended(0);
    let disk = place.path("disk2");
    fs::create_dir(&disk).unwrap();
    let config = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap().replace("mib_per_second = 0", "mib_per_second = 1");
    fs::write(&config, text.replace("[backup.targets]", &format!("[backup.targets]\ndisk2 = {disk:?}"))).unwrap();
    // Something that takes some seconds at that rate.
    let rows: String = (0..3_000).map(|number| format!("Customer {number}\n")).collect();
    let csv = place.path("customers.csv");
    fs::write(&csv, format!("name\n{rows}")).unwrap();
    place.on(&["import"], &["--object", "account", csv.to_str().unwrap()]).ended(0);
    let making = Server::start(place.command(&["backup", "run", "--dir", place.dir().to_str().unwrap()]), true);
    let half = || fs::read_dir(&disk).unwrap().flatten().flat_map(|house| files(&house.path()).into_keys()).next();
    let clock = SystemClock::start();
    while half().is_none() {
        assert!(clock.monotonic() < PATIENCE, "it never began");
        std::thread::park_timeout(Duration::from_millis(2));
    }
    assert!(half().unwrap().ends_with(".part"), "{:?}", half());
    assert_ne!(making.stop(), 0);
    assert_eq!(half(), None, "nothing of it is left");
    let list = place.on(&["backup", "list"], &["--json"]).ended(0);
    assert!(list.out.contains("it was stopped"), "{list:#?}");
}
