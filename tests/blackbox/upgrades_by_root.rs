//! Upgrades by root of an appliance that belongs to another account, which may be in somebody else's hands: what root goes by there,
//! and what it gives away.

use crate::support::*;
use crate::upgrades::{Brings, CONTRACTS, EXPANDS, House, done, signify};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// Whether this is root, who alone can act for another account.
fn root_acts() -> bool {
    let acts = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !acts {
        println!("SKIPPED: only root can upgrade what belongs to another account");
    }
    acts && signify()
}

/// The account that has the appliance.
const OTHER: u32 = 65_534;

impl House {
    /// One whose appliance belongs to another account than the one that upgrades.
    fn of_another() -> Self {
        let house = Self::new(false);
        fs::set_permissions(house.place.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        done(Command::new("chown").args(["-R", &format!("{OTHER}:{OTHER}")]).arg(house.place.dir()));
        house
    }
    /// The same command as that account.
    fn as_other(&self, verb: &[&str]) -> Ran {
        let dir = self.place.dir();
        let mut command = Command::new(self.place.path("bin/kontor"));
        command.args(verb).args(["--dir", dir.to_str().unwrap()]).env_remove("KONTOR_PASSPHRASE_FILE");
        Ran::of(command.uid(OTHER).gid(OTHER).output().unwrap())
    }
    fn upgrade(&self, name: &str) -> PathBuf {
        self.place.dir().join("upgrade").join(name)
    }
    /// What the doctor finds of whose files are, who may use them, and of the port, for root and for the account.
    #[track_caller]
    fn doctor_finds(&self, expected: &[&str]) {
        let verb = ["doctor", "--json"];
        for ran in [self.on(&verb, &[]), self.as_other(&verb)] {
            let told: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:#?}"));
            let ids = told["findings"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap());
            let known = ["file_open", "file_foreign", "folder_unreadable", "upgrade_closed", "port_taken"];
            let found: Vec<&str> = ids.filter(|id| known.contains(id)).collect();
            assert_eq!(found, expected, "{ran:#?}");
        }
    }
}

#[test]
fn the_doctor_knows_what_root_leaves_and_what_the_server_has_to_read() {
    if !root_acts() {
        return;
    }
    let house = House::of_another();
    let mode = |path: &PathBuf, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    // A port that the service may open, and not every account, is not taken.
    let config = house.place.dir().join("kontor.toml");
    fs::write(&config, fs::read_to_string(&config).unwrap().replacen("127.0.0.1:0", "127.0.0.1:81", 1)).unwrap();
    house.doctor_finds(&[]);
    house.apply(&house.bundle(&Brings { steps: &[CONTRACTS], ..Brings::default() })).ended(0);
    house.doctor_finds(&[]);
    // Whoever closes the folder or the file closes the appliance, and is told how to open it again.
    for (name, closed, open) in [("", 0o700, 0o755), ("state.json", 0o600, 0o644)] {
        mode(&house.upgrade(name), closed);
        house.doctor_finds(&["upgrade_closed"]);
        house.as_other(&["user", "list"]).ended(2).complains("closed to this account").complains("chmod 755");
        house.as_other(&["serve"]).ended(78).complains("chmod 644");
        mode(&house.upgrade(name), open);
    }
    // What others may write is nobody's.
    mode(&house.upgrade("previous"), 0o666);
    house.doctor_finds(&["file_open"]);
    mode(&house.upgrade("previous"), 0o600);
    house.as_other(&["user", "list"]).ended(0);
    house.on(&["upgrade", "rollback"], &["--lose-newer"]).ended(1).says("entries of the log went with the data");
    house.doctor_finds(&[]);
}

#[test]
fn root_goes_by_nothing_that_the_account_of_the_appliance_could_have_written() {
    if !root_acts() {
        return;
    }
    let house = House::of_another();
    house.apply(&house.bundle(&Brings { steps: &[EXPANDS], ..Brings::default() })).ended(0);
    for name in ["", "state.json", "previous", "next"] {
        assert_eq!(fs::metadata(house.upgrade(name)).unwrap().uid(), 0, "{name}");
    }
    assert_eq!(fs::metadata(house.place.dir().join("data/kontor.db")).unwrap().uid(), OTHER);
    // The account can look, and use the appliance, and not go on with the upgrade.
    house.as_other(&["upgrade", "status"]).ended(0).says("waits to be finalized");
    house.as_other(&["user", "list"]).ended(0);
    house.as_other(&["upgrade", "finalize"]).ended(2).complains("as root");
    // A program that was exchanged is not put into its place.
    let former = fs::read(house.upgrade("previous")).unwrap();
    fs::write(house.upgrade("previous"), "#!/bin/sh\nexit 3\n").unwrap();
    house.on(&["upgrade", "rollback"], &[]).ended(2).complains("was altered");
    assert_eq!(house.version(), "0.2.0");
    fs::write(house.upgrade("previous"), former).unwrap();
    // Nor is a state of somebody else's believed, be it a file, a link or in a folder of theirs.
    let state = house.upgrade("state.json");
    chown(&state, Some(OTHER), None).unwrap();
    house.on(&["upgrade", "resume"], &[]).ended(2).complains("belongs to the account");
    chown(&state, Some(0), None).unwrap();
    let aside = house.place.path("state.json");
    fs::rename(&state, &aside).unwrap();
    symlink(&aside, &state).unwrap();
    house.on(&["upgrade", "resume"], &[]).ended(2).complains("is a link");
    fs::rename(&aside, &state).unwrap();
    chown(house.upgrade(""), Some(OTHER), None).unwrap();
    house.on(&["upgrade", "resume"], &[]).ended(2).complains("belongs to the account");
    chown(house.upgrade(""), Some(0), None).unwrap();
    house.on(&["upgrade", "resume"], &[]).ended(1);
    assert_eq!(house.version(), "0.1.0");
    house.as_other(&["user", "list"]).ended(0);
    house.as_other(&["audit", "verify"]).ended(0);
}

#[test]
fn root_starts_no_program_that_the_account_could_exchange() {
    if !root_acts() {
        return;
    }
    let house = House::of_another();
    let bundle = house.bundle(&Brings::default());
    let program = house.place.path("bin/kontor");
    fs::copy(env!("CARGO_BIN_EXE_kontor"), house.place.path("bin/own")).unwrap();
    fs::rename(house.place.path("bin/own"), &program).unwrap();
    for path in [&program, &house.place.path("bin")] {
        chown(path, Some(OTHER), None).unwrap();
        house.apply(&bundle).ended(2).complains("others than root can write");
        chown(path, Some(0), None).unwrap();
        let mode = fs::metadata(path).unwrap().permissions().mode();
        fs::set_permissions(path, fs::Permissions::from_mode(mode | 0o020)).unwrap();
        house.apply(&bundle).ended(2).complains("others than root can write");
        fs::set_permissions(path, fs::Permissions::from_mode(mode & !0o022)).unwrap();
    }
    assert!(!house.upgrade("state.json").exists());
    house.apply(&bundle).ended(0);
    house.on(&["upgrade", "rollback"], &[]).ended(1);
}

#[test]
fn root_follows_no_link_and_gives_away_nothing_that_was_not_the_appliances() {
    if !root_acts() {
        return;
    }
    let house = House::of_another();
    let bundle = house.bundle(&Brings { steps: &[CONTRACTS], ..Brings::default() });
    let foreign = house.place.path("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("secret"), "not the appliance's").unwrap();
    let files = house.place.dir().join("data/files");
    let aside = house.place.path("files");
    let had = files.exists();
    if had {
        fs::rename(&files, &aside).unwrap();
    }
    symlink(&foreign, &files).unwrap();
    house.apply(&bundle).ended(2).complains("files");
    assert_eq!(house.version(), "0.1.0");
    fs::remove_file(&files).unwrap();
    if had {
        fs::rename(&aside, &files).unwrap();
    }
    let log = house.place.dir().join("log/way");
    symlink(&foreign, &log).unwrap();
    house.apply(&bundle).ended(2).complains("way");
    fs::remove_file(&log).unwrap();
    // What has a second name elsewhere stays whose it is.
    fs::hard_link(foreign.join("secret"), house.place.dir().join("second-name")).unwrap();
    symlink(&foreign, house.place.dir().join("way")).unwrap();
    let probe = house.place.dir().join("upgrade-probe");
    symlink(foreign.join("secret"), &probe).unwrap();
    house.apply(&bundle).ended(0);
    house.on(&["upgrade", "rollback"], &["--lose-newer"]).ended(1);
    assert_eq!(fs::read_to_string(foreign.join("secret")).unwrap(), "not the appliance's");
    for path in [foreign.clone(), foreign.join("secret")] {
        assert_eq!(fs::metadata(&path).unwrap().uid(), 0, "{}", path.display());
    }
    house.as_other(&["user", "list"]).ended(0);
    house.as_other(&["audit", "verify"]).ended(0);
}

#[test]
fn root_reads_and_writes_data_with_the_rights_of_their_account() {
    if !root_acts() {
        return;
    }
    let house = House::of_another();
    let bundle = house.bundle(&Brings { steps: &[CONTRACTS], ..Brings::default() });
    let (data, foreign) = (house.place.dir().join("data"), house.place.path("foreign"));
    fs::create_dir(&foreign).unwrap();
    fs::set_permissions(&foreign, fs::Permissions::from_mode(0o700)).unwrap();
    // A database that is only a way to what the account may not read.
    let (database, roots) = (data.join("kontor.db"), foreign.join("kontor.db"));
    fs::copy(&database, &roots).unwrap();
    let before = fs::read(&roots).unwrap();
    fs::rename(&database, data.join("aside")).unwrap();
    symlink(&roots, &database).unwrap();
    house.apply(&bundle).ended(2);
    assert_eq!(fs::read(&roots).unwrap(), before);
    assert_eq!(house.version(), "0.1.0");
    fs::rename(data.join("aside"), &database).unwrap();
    // A configuration that is a way to what only root may read: the account is told no word of it.
    let (config, secret) = (house.place.dir().join("kontor.toml"), foreign.join("secret"));
    fs::write(&secret, "root:nobody-knows-this\n").unwrap();
    fs::rename(&config, data.join("aside")).unwrap();
    symlink(&secret, &config).unwrap();
    for verb in ["plan", "apply"] {
        let ran = house.on(&["upgrade", verb], &[bundle.to_str().unwrap()]).ended(2).complains("Permission denied");
        assert!(!format!("{ran:?}").contains("nobody-knows-this"), "{ran:#?}");
    }
    fs::rename(data.join("aside"), &config).unwrap();
    // What the self-test renews is the account's.
    let tls = house.place.dir().join("tls");
    fs::remove_file(tls.join("server.pem")).unwrap();
    // The copy is the account's, the folder that it lies in is root's.
    house.apply(&bundle).ended(0);
    for name in ["server.pem", "server.key"] {
        assert_eq!(fs::metadata(tls.join(name)).unwrap().uid(), OTHER, "{name}");
    }
    let owner = |name: &str| fs::metadata(house.upgrade(name)).unwrap().uid();
    assert_eq!(["", "copy", "copy/kontor.db", "copy/content.json"].map(owner), [0, OTHER, OTHER, OTHER]);
    house.on(&["upgrade", "finalize"], &[]).ended(0);
    assert!(!house.upgrade("copy").exists());
    house.as_other(&["audit", "verify"]).ended(0);
}

#[test]
fn an_upgrade_of_root_that_was_put_back_there_is_not_believed() {
    if !root_acts() {
        return;
    }
    let house = House::of_another();
    house.apply(&house.bundle(&Brings { steps: &[EXPANDS], ..Brings::default() })).ended(0);
    // The account has the folder above: it may keep this one, which is root's, and put it back later.
    let (folder, aside) = (house.upgrade(""), house.place.dir().join("aside"));
    done(Command::new("cp").arg("-a").arg(&folder).arg(&aside));
    house.on(&["upgrade", "finalize"], &[]).ended(0);
    fs::remove_dir_all(&folder).unwrap();
    fs::rename(&aside, &folder).unwrap();
    for verb in ["rollback", "resume", "finalize"] {
        house.on(&["upgrade", verb], &[]).ended(2).complains("not of the upgrade that root has begun");
    }
    assert_eq!(house.version(), "0.2.0");
    fs::remove_dir_all(&folder).unwrap();
    house.as_other(&["audit", "verify"]).ended(0);
    house.apply(&house.bundle(&Brings { version: "0.3.0", ..Brings::default() })).ended(0);
    house.on(&["upgrade", "rollback"], &[]).ended(1);
    assert!(fs::read_dir(house.place.path("roots")).unwrap().all(|entry| entry.unwrap().path().extension().is_some()));
}

#[test]
fn credentials_of_the_service_are_read_as_its_account() {
    if !root_acts() {
        return;
    }
    let house = House::of_another();
    let bundle = house.bundle(&Brings { steps: &[CONTRACTS], ..Brings::default() });
    let credentials = house.place.path("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::set_permissions(&credentials, fs::Permissions::from_mode(0o700)).unwrap();
    fs::rename(house.place.dir().join("keys/unseal.key"), credentials.join("unseal-key")).unwrap();
    let config = house.place.dir().join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap();
    let line = text.lines().find(|line| line.starts_with("key_file = ")).unwrap();
    fs::write(&config, text.replace(line, "key_file = \"credential:unseal-key\"")).unwrap();
    let program = house.place.path("bin/kontor");
    let with = |verb: &str, rest: &[&str]| {
        let mut command = house.command(&["upgrade", verb], rest);
        Ran::of(command.env("CREDENTIALS_DIRECTORY", &credentials).output().unwrap())
    };
    let rest = ["--binary", program.to_str().unwrap(), bundle.to_str().unwrap()];
    // In a folder of root's alone the account finds nothing.
    with("apply", &rest).ended(2).complains("unseal-key");
    chown(&credentials, Some(OTHER), Some(OTHER)).unwrap();
    with("apply", &rest).ended(0).says("0.2.0 after 0.1.0");
    with("rollback", &["--lose-newer"]).ended(1);
    assert_eq!(house.version(), "0.1.0");
}
