//! Upgrades of an appliance that a service manager serves: what is asked of it, and what follows when it refuses. The manager here only
//! writes down what it is asked; the real one takes part where packages are installed.

use crate::backups::json;
use crate::support::*;
use crate::upgrades::{Brings, CONTRACTS, House, signify};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A `systemctl` that has one service with one open socket.
const SYSTEMCTL: &str = r#"#!/bin/sh
echo "$*" >> HERE/asked
case "$1" in
  show) echo "kontor.socket kontor-sweep.timer" ;;
  start) [ ! -e HERE/broken ] ;;
  stop) [ ! -e HERE/stuck ] ;;
esac
"#;

impl House {
    fn with_manager() -> Self {
        let house = Self::new(false);
        let systemctl = house.place.path("manager/systemctl");
        fs::create_dir(house.place.path("manager")).unwrap();
        let here = house.place.path("manager").display().to_string();
        fs::write(&systemctl, SYSTEMCTL.replace("HERE", &here)).unwrap();
        fs::set_permissions(&systemctl, fs::Permissions::from_mode(0o755)).unwrap();
        house
    }
    fn managed(&self, verb: &[&str], rest: &[&str]) -> Ran {
        let path = format!("{}:{}", self.place.path("manager").display(), std::env::var("PATH").unwrap());
        let _ = fs::remove_file(self.asked());
        Ran::of(self.command(verb, rest).env("PATH", path).output().unwrap())
    }
    fn asked(&self) -> PathBuf {
        self.place.path("manager/asked")
    }
    fn is_broken(&self, broken: bool) {
        let mark = self.place.path("manager/broken");
        if broken { fs::write(mark, "").unwrap() } else { fs::remove_file(mark).unwrap() }
    }
    fn upgrade_with(&self, bundle: &Path) -> Ran {
        let program = self.place.path("bin/kontor");
        let rest = ["--service", "kontor.service", "--binary", program.to_str().unwrap(), bundle.to_str().unwrap()];
        self.managed(&["upgrade", "apply"], &rest)
    }
    /// What was asked that changes something, in order.
    fn orders(&self) -> Vec<String> {
        let text = fs::read_to_string(self.asked()).unwrap_or_default();
        text.lines()
            .filter(|line| !line.starts_with("show") && !line.starts_with("is-active"))
            .map(str::to_owned)
            .collect()
    }
}

#[test]
fn the_service_and_its_sockets_are_stopped_and_started_and_a_start_that_fails_takes_nothing_back() {
    if !signify() {
        return;
    }
    let house = House::with_manager();
    let bundle = house.bundle(&Brings { steps: &[CONTRACTS], ..Brings::default() });
    house.is_broken(true);
    house.upgrade_with(&bundle).ended(2).complains("is in its place").complains("start the service");
    let units = "-- kontor.socket kontor.service";
    assert_eq!(house.orders(), ["stop", "reset-failed", "start"].map(|verb| format!("{verb} {units}")));
    assert_eq!(house.version(), "0.2.0", "its self-test was well");
    house.on(&["upgrade", "status"], &[]).ended(0).says("waits to be finalized");
    // What is written then is counted while nobody serves, and a refusal lets the service go on.
    house.is_broken(false);
    house.add_user("lin").ended(0);
    house.managed(&["upgrade", "rollback"], &[]).ended(2).complains("--lose-newer");
    assert_eq!(house.orders(), ["stop", "reset-failed", "start"].map(|verb| format!("{verb} {units}")));
    // Back, also when the service does not start.
    house.is_broken(true);
    house.managed(&["upgrade", "rollback"], &["--lose-newer"]);
    assert_eq!(house.version(), "0.1.0");
    let status = json(house.on(&["upgrade", "status"], &["--json"]).ended(0));
    assert!(status["upgrade"].is_null(), "{status}");
    house.whole();
}

#[test]
fn a_service_that_cannot_be_stopped_goes_on() {
    if !signify() {
        return;
    }
    let house = House::with_manager();
    let bundle = house.bundle(&Brings { steps: &[CONTRACTS], ..Brings::default() });
    let stuck = house.place.path("manager/stuck");
    fs::write(&stuck, "").unwrap();
    house.upgrade_with(&bundle).ended(2).complains("systemctl stop");
    // Its sockets may be closed already.
    assert_eq!(house.orders().last().map(String::as_str), Some("start -- kontor.socket kontor.service"));
    fs::remove_file(&stuck).unwrap();
    house.upgrade_with(&bundle).ended(0);
    fs::write(&stuck, "").unwrap();
    house.managed(&["upgrade", "rollback"], &["--lose-newer"]).ended(2).complains("systemctl stop");
    assert_eq!(house.orders().last().map(String::as_str), Some("start -- kontor.socket kontor.service"));
    assert_eq!(house.version(), "0.2.0");
}

#[test]
fn what_could_not_begin_is_told_in_the_log_and_the_service_goes_on() {
    if !signify() {
        return;
    }
    let house = House::with_manager();
    let bundle = house.bundle(&Brings::default());
    // What is in the way of the copy stands where files of records are.
    let files = house.place.dir().join("data/files");
    let aside = house.place.path("files");
    fs::rename(&files, &aside).unwrap_or_else(|_| fs::create_dir(&aside).unwrap());
    std::os::unix::fs::symlink(&aside, &files).unwrap();
    house.upgrade_with(&bundle).ended(2);
    assert_eq!(house.orders().last().map(String::as_str), Some("start -- kontor.socket kontor.service"));
    assert_eq!(house.version(), "0.1.0");
    assert!(!house.place.dir().join("upgrade/state.json").exists());
    fs::remove_file(&files).unwrap();
    fs::rename(&aside, &files).unwrap();
    house.whole();
    let database = house.place.dir().join("data/kontor.db");
    let told = "SELECT count(*) FROM k_audit WHERE instr(bytes, CAST('it could not begin' AS BLOB)) > 0";
    let counted = Command::new("sqlite3").arg(database).arg(told).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&counted.stdout).trim(), "1");
}

#[test]
fn a_key_that_is_a_credential_of_the_stopped_service_is_found_where_it_was_put_meanwhile() {
    if !signify() {
        return;
    }
    let house = House::with_manager();
    let bundle = house.bundle(&Brings { steps: &[CONTRACTS], ..Brings::default() });
    let credentials = house.place.path("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::rename(house.place.dir().join("keys/unseal.key"), credentials.join("unseal-key")).unwrap();
    let config = house.place.dir().join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap();
    let line = text.lines().find(|line| line.starts_with("key_file = ")).unwrap();
    fs::write(&config, text.replace(line, "key_file = \"credential:unseal-key\"")).unwrap();
    let program = house.place.path("bin/kontor");
    let rest = ["--binary", program.to_str().unwrap(), bundle.to_str().unwrap()];
    let mut command = house.command(&["upgrade", "apply"], &rest);
    Ran::of(command.env("CREDENTIALS_DIRECTORY", &credentials).output().unwrap()).ended(0).says("0.2.0 after 0.1.0");
    let mut command = house.command(&["upgrade", "rollback"], &[]);
    Ran::of(command.env("CREDENTIALS_DIRECTORY", &credentials).output().unwrap()).ended(1);
    assert_eq!(house.version(), "0.1.0");
}
