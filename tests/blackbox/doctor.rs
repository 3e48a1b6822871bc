//! The doctor on appliances that are well, stopped, sealed, serving, and ill in ways that are made here.

use crate::support::*;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// The names of what is found.
fn found(place: &Place, rest: &[&str]) -> Vec<String> {
    let ran = place.on(&["doctor", "--json"], rest);
    let told: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:#?}"));
    let bad = told["ok"] == Value::Bool(false);
    assert_eq!(ran.code, i32::from(bad), "{ran:#?}");
    told["findings"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn finds(place: &Place, rest: &[&str], id: &str) {
    let all = found(place, rest);
    assert!(all.iter().any(|one| one == id), "{id} in {all:?}");
}

fn change(place: &Place, old: &str, new: &str) {
    let path = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{old} in {text}");
    fs::write(&path, text.replacen(old, new, 1)).unwrap();
}

#[test]
fn a_stopped_appliance_is_looked_over_and_nothing_of_it_changes() {
    let place = Place::new();
    place.run(&["doctor", "--dir", "nowhere"]).ended(2).complains("there is no appliance");
    place.init().ended(0);
    let before = fs::read(place.dir().join("data/kontor.db")).unwrap();
    let all = found(&place, &["--deep"]);
    for id in ["service_stopped", "backup_none", "key_beside_data"] {
        assert!(all.iter().any(|one| one == id), "{id} in {all:?}");
    }
    for id in
        ["database_unreadable", "database_damaged", "log_broken", "log_unverified", "file_open", "certificate_ends"]
    {
        assert!(!all.iter().any(|one| one == id), "{id} in {all:?}");
    }
    assert_eq!(fs::read(place.dir().join("data/kontor.db")).unwrap(), before);
    place.on(&["doctor"], &[]).ended(1).says("to do: ").says("The audit log is sound");
}

#[test]
fn what_is_ill_is_named() {
    let place = Place::new();
    place.init().ended(0);
    let key = place.dir().join("tls/ca.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    finds(&place, &[], "file_open");
    change(&place, "names = []", "names = [\"crm.bank.example\"]");
    finds(&place, &[], "certificate_names");
    fs::write(place.dir().join("tls/server.pem"), "nothing").unwrap();
    finds(&place, &[], "certificate_unusable");
    let gone = place.path("gone");
    change(&place, "# disk2 = \"/mnt/disk2/kontor\"", &format!("disk2 = {gone:?}"));
    let all = found(&place, &[]);
    assert!(all.contains(&"backup_target_away".to_owned()) && all.contains(&"backup_late".to_owned()), "{all:?}");
    // A byte of a tile.
    let tile =
        walk(&place.dir().join("log/tile")).into_iter().find(|path| path.to_str().unwrap().contains("/0/")).unwrap();
    let mut bytes = fs::read(&tile).unwrap();
    bytes[0] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let all = found(&place, &[]);
    assert!(all.iter().any(|id| id == "log_broken" || id == "log_unverified"), "{all:?}");
    // Pages of the database in the middle of the file.
    let database = place.dir().join("data/kontor.db");
    let mut bytes = fs::read(&database).unwrap();
    let (from, to) = (bytes.len() / 2, bytes.len() / 2 + 64 * 1024);
    bytes[from..to].fill(0x55);
    fs::write(&database, bytes).unwrap();
    let all = found(&place, &["--deep"]);
    assert!(all.iter().any(|id| id == "database_damaged" || id == "database_unreadable"), "{all:?}");
    fs::write(place.dir().join("kontor.toml"), "node = 1").unwrap();
    assert_eq!(found(&place, &[]), ["config_invalid"]);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn a_serving_and_a_sealed_one_go_on_undisturbed() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for sealed in [false, true] {
        let place = Place::new();
        if sealed {
            place.init_sealed().ended(0)
        } else {
            place.init().ended(0)
        };
        change(&place, "127.0.0.1:0", &port.to_string());
        let server = Server::start(place.command(&["serve", "--dir", place.dir().to_str().unwrap()]), true);
        server.line_with("serving");
        let all = found(&place, &[]);
        assert_eq!(all.contains(&"service_sealed".to_owned()), sealed, "{all:?}");
        for id in ["service_stopped", "service_silent", "service_not_ready", "database_unreadable"] {
            assert!(!all.contains(&id.to_owned()), "{id} in {all:?}");
        }
        assert_eq!(server.stop(), 0);
    }
}

#[test]
fn a_database_server_is_asked_for_its_settings() {
    let place = Place::new();
    let (url, ca) = testkit::postgres_database();
    place.init_on(&url, &ca).ended(0);
    let ran = place.on(&["doctor"], &[]).ended(1);
    assert!(ran.out.contains("PostgreSQL") && ran.out.contains("clocks of this machine"), "{ran:#?}");
    let all = found(&place, &[]);
    assert!(
        !all.iter().any(|id| ["database_unreadable", "postgres_old", "clock_skew"].contains(&id.as_str())),
        "{all:?}"
    );
}
