//! Upgrades with the real program in two versions: there, back, cut off at every step, refused. The version that comes is the same
//! program with another number and further steps of the schema, which only builds with debug assertions take. Bundles are made by
//! the script of a release and signed with signify.

use crate::backups::json;
use crate::support::*;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A step that an older version cannot pass by, and one that it can.
pub(crate) const CONTRACTS: &str = "ALTER TABLE \"k_preference\" ADD COLUMN \"trial\" TEXT";
pub(crate) const EXPANDS: &str = "CREATE TABLE \"k_trial\" (\"a\" TEXT PRIMARY KEY)";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn signify() -> bool {
    let there = Command::new("signify-openbsd").output().is_ok();
    if !there {
        assert!(std::env::var_os("CI").is_none(), "signify-openbsd is not installed (scripts/setup.sh test)");
        println!("SKIPPED: signify-openbsd is not installed, so no bundle can be signed (scripts/setup.sh test)");
    }
    there
}

/// An appliance and a program of its own that an upgrade may replace.
pub(crate) struct House {
    pub(crate) place: Place,
}

/// What a bundle brings.
pub(crate) struct Brings<'a> {
    pub(crate) version: &'a str,
    pub(crate) steps: &'a [&'a str],
    pub(crate) keys: &'a [u8],
    /// A line of shell before the program is started.
    pub(crate) first: &'a str,
}

impl Default for Brings<'_> {
    fn default() -> Self {
        Self { version: "0.2.0", steps: &[], keys: &[1, 3], first: "" }
    }
}

impl House {
    pub(crate) fn new(server: bool) -> Self {
        let place = Place::new();
        if server {
            let (url, ca) = testkit::postgres_database();
            place.init_on(&url, &ca).ended(0);
        } else {
            place.init().ended(0);
        }
        let csv = place.path("customers.csv");
        let rows: String = (0..40).map(|number| format!("Customer {number}\n")).collect();
        fs::write(&csv, format!("name\n{rows}")).unwrap();
        place.on(&["import"], &["--object", "account", csv.to_str().unwrap()]).ended(0);
        fs::create_dir(place.path("bin")).unwrap();
        let program = place.path("bin/kontor");
        let built = env!("CARGO_BIN_EXE_kontor");
        fs::hard_link(built, &program).or_else(|_| fs::copy(built, &program).map(drop)).unwrap();
        Self { place }
    }

    fn both(test: impl Fn(&Self, bool)) {
        if signify() {
            [false, true].into_iter().for_each(|server| test(&Self::new(server), server));
        }
    }

    /// The program that is in its place.
    pub(crate) fn command(&self, verb: &[&str], rest: &[&str]) -> Command {
        let dir = self.place.dir();
        let mut command = Command::new(self.place.path("bin/kontor"));
        command.args(verb).args(["--dir", dir.to_str().unwrap()]).args(rest).env_remove("KONTOR_PASSPHRASE_FILE");
        command.env("KONTOR_TRIAL_PLACE", self.place.path("roots"));
        command
    }
    pub(crate) fn on(&self, verb: &[&str], rest: &[&str]) -> Ran {
        Ran::of(self.command(verb, rest).output().unwrap())
    }
    pub(crate) fn apply(&self, bundle: &Path) -> Ran {
        let program = self.place.path("bin/kontor");
        self.on(&["upgrade", "apply"], &["--binary", program.to_str().unwrap(), bundle.to_str().unwrap()])
    }
    pub(crate) fn version(&self) -> String {
        let ran = Ran::of(Command::new(self.place.path("bin/kontor")).args(["version", "--json"]).output().unwrap());
        json(ran)["version"].as_str().unwrap().to_owned()
    }
    /// What the tables of records hold.
    fn content(&self) -> Vec<Value> {
        let tables = json(self.on(&["backup", "content"], &["--json"]).ended(0));
        let of_records = |table: &&Value| !table["table"].as_str().unwrap().starts_with("k_");
        tables.as_array().unwrap().iter().filter(of_records).cloned().collect()
    }
    pub(crate) fn whole(&self) {
        self.on(&["audit", "verify"], &["--level", "4"]).ended(0);
    }
    /// The log that went with the data is kept, and still leads to what was signed.
    fn given_up_is_whole(&self) {
        let names = fs::read_dir(self.place.dir()).unwrap().map(|entry| entry.unwrap().path());
        let kept: Vec<_> = names.filter(|path| path.to_string_lossy().contains("log-given-up-0.3.0-")).collect();
        self.on(&["audit", "verify"], &["--log", kept[0].to_str().unwrap()]).ended(0).says("sound");
        let size = |log: &Path| {
            let text = fs::read_to_string(log.join("checkpoint")).unwrap();
            text.lines().nth(1).unwrap().parse::<u64>().unwrap()
        };
        assert!(kept.len() == 1 && size(&kept[0]) > 0 && size(&self.place.dir().join("log")) > 0);
    }
    pub(crate) fn add_user(&self, login: &str) -> Ran {
        self.on(&["user", "add"], &[login, "--name", login])
    }

    /// A program of another version, as a file.
    fn program(&self, brings: &Brings<'_>) -> PathBuf {
        let folder = self.place.path(&format!("next-{}", brings.version));
        fs::create_dir_all(&folder).unwrap();
        for (at, text) in brings.steps.iter().enumerate() {
            let step = folder.join(format!("steps/{:04}_trial{at}", released() + 1 + at));
            fs::create_dir_all(&step).unwrap();
            for name in ["sqlite.sql", "postgres.sql"] {
                fs::write(step.join(name), text).unwrap();
            }
        }
        let path = folder.join("program");
        let (steps, real) = (folder.join("steps"), env!("CARGO_BIN_EXE_kontor"));
        let text = format!(
            "#!/bin/sh\n{}\nKONTOR_TRIAL_VERSION={} KONTOR_TRIAL_STEPS={} exec {real} \"$@\"\n",
            brings.first,
            brings.version,
            steps.display()
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A bundle, as a release makes it.
    pub(crate) fn bundle(&self, brings: &Brings<'_>) -> PathBuf {
        self.bundle_of(brings.version, &self.program(brings), brings.keys)
    }

    fn bundle_of(&self, version: &str, program: &Path, keys: &[u8]) -> PathBuf {
        let word: String = keys.iter().map(u8::to_string).collect();
        let folder = self.place.path(&format!("release-{version}-{word}"));
        let script = root().join("packaging/bundle.py");
        let binary = format!("{}-linux={}", std::env::consts::ARCH, program.display());
        done(Command::new("python3").arg(&script).arg("prepare").arg(&folder).args([
            "--version",
            version,
            "--binary",
            &binary,
        ]));
        self.sign(&folder, "manifest.json", keys);
        // Beside, and not in place of what stands behind the version's last point.
        let bundle = self.place.path(&format!("release-{version}-{word}.bundle"));
        if keys.len() >= 2 {
            done(Command::new("python3").arg(&script).arg("assemble").arg(&folder).arg(&bundle));
        }
        bundle
    }

    fn sign(&self, folder: &Path, name: &str, keys: &[u8]) {
        let keys: Vec<String> = keys.iter().map(u8::to_string).collect();
        done(
            Command::new("python3")
                .arg(root().join("tests/support/trial_keys.py"))
                .arg(self.place.path(""))
                .args(&keys),
        );
        for key in &keys {
            let (secret, message) = (self.place.path(&format!("{key}.sec")), folder.join(name));
            let signature = folder.join(format!("{name}.{key}.sig"));
            done(
                Command::new("signify-openbsd")
                    .args(["-S", "-s"])
                    .arg(secret)
                    .arg("-m")
                    .arg(message)
                    .arg("-x")
                    .arg(signature),
            );
        }
    }
}

#[track_caller]
pub(crate) fn done(command: &mut Command) {
    Ran::of(command.output().unwrap()).ended(0);
}

/// How many steps of the schema are released.
fn released() -> usize {
    fs::read_dir(root().join("migrations/sqlite")).unwrap().count()
}

#[test]
fn there_and_final_and_never_behind_that_again() {
    House::both(|house, _| {
        let before = house.content();
        let bundle = house.bundle(&Brings { steps: &[CONTRACTS], ..Brings::default() });
        Ran::of(house.place.command(&["upgrade", "verify", bundle.to_str().unwrap()]).output().unwrap())
            .ended(0)
            .says("The bundle is good");
        let plan = json(house.on(&["upgrade", "plan"], &["--json", bundle.to_str().unwrap()]).ended(0));
        assert_eq!((&plan["from"], &plan["to"]), (&Value::from("0.1.0"), &Value::from("0.2.0")), "{plan}");
        assert!(
            plan["needs_bytes"].as_u64() > plan["database_bytes"].as_u64() && plan["seconds"].as_u64() > Some(0),
            "{plan}"
        );
        house.on(&["upgrade", "finalize"], &[]).ended(2).complains("no upgrade waits");
        house.apply(&bundle).ended(0).says("0.2.0 after 0.1.0");
        assert_eq!((house.version(), house.content()), ("0.2.0".to_owned(), before));
        house.whole();
        house.on(&["upgrade", "status"], &[]).ended(0).says("waits to be finalized");
        // The version that was left cannot open what it does not know.
        house.place.on(&["user", "list"], &[]).ended(2).complains("does not know");
        house.apply(&bundle).ended(2).complains("is not finished");
        house.on(&["upgrade", "finalize"], &[]).ended(0).says("0.2.0 is final");
        assert!(!house.place.dir().join("upgrade/copy").exists());
        house.on(&["user", "list"], &[]).ended(0);
        // The same bundle again, and a version in between that knows the same schema.
        house.apply(&bundle).ended(2).complains("runs here");
        let between = house.program(&Brings { version: "0.1.5", steps: &[CONTRACTS], ..Brings::default() });
        let dir = house.place.dir();
        let ran = Command::new(between).args(["user", "list", "--dir", dir.to_str().unwrap()]).output().unwrap();
        Ran::of(ran).ended(2).complains("older than 0.2.0");
        // From there on, several versions in one hop.
        let far = Brings {
            version: "0.5.0",
            steps: &[CONTRACTS, EXPANDS, "CREATE INDEX \"k_trial_a\" ON \"k_trial\" (\"a\")"],
            ..Brings::default()
        };
        house.apply(&house.bundle(&far)).ended(0).says("0.5.0 after 0.2.0");
        house.on(&["upgrade", "status"], &[]).ended(0).says("finalized at");
    });
}

#[test]
fn what_a_bundle_brought_cannot_be_exchanged_while_it_waits() {
    if !signify() {
        return;
    }
    let houses = [House::new(false), House::new(false)];
    let states = houses.each_ref().map(|house| {
        house.apply(&house.bundle(&Brings::default())).ended(0);
        let path = house.place.dir().join("upgrade/state.json");
        let state: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        (path, state)
    });
    let (path, state) = &states[0];
    for accepted in [states[1].1["accepted"].clone(), Value::from("00"), Value::from("")] {
        let mut altered = state.clone();
        altered["accepted"] = accepted;
        fs::write(path, altered.to_string()).unwrap();
        houses[0].on(&["upgrade", "finalize"], &[]).ended(2).complains("was altered");
    }
    fs::write(path, state.to_string()).unwrap();
    houses[0].on(&["upgrade", "finalize"], &[]).ended(0);
}

#[test]
fn back_with_what_was_written_or_without() {
    House::both(|house, _| {
        let bundle = house.bundle(&Brings { steps: &[EXPANDS], ..Brings::default() });
        house.apply(&bundle).ended(0);
        house.add_user("lin").ended(0);
        // Only tables were added: the former version reads the data as they are.
        house.on(&["upgrade", "rollback"], &[]).ended(1).says("nothing is lost");
        assert_eq!(house.version(), "0.1.0");
        house.on(&["user", "list"], &[]).ended(0).says("lin");
        house.whole();
        let bundle = house.bundle(&Brings { version: "0.3.0", steps: &[EXPANDS, CONTRACTS], ..Brings::default() });
        house.apply(&bundle).ended(0);
        house.add_user("mia").ended(0);
        house.on(&["upgrade", "rollback"], &[]).ended(2).complains("were written since");
        assert_eq!(house.version(), "0.3.0");
        house.on(&["upgrade", "rollback"], &["--lose-newer"]).ended(1).says("entries of the log went with the data");
        assert_eq!(house.version(), "0.1.0");
        let users = house.on(&["user", "list"], &[]).ended(0).says("lin");
        assert!(!users.out.contains("mia"), "{users:#?}");
        house.whole();
        house.given_up_is_whole();
        assert!(!house.place.dir().join("upgrade/state.json").exists());
    });
}

#[test]
fn what_fails_leaves_everything_as_it_was() {
    House::both(|house, server| {
        let before = house.content();
        let bad = [
            Brings {
                version: "0.2.1",
                steps: &["CREATE TABLE \"k_trial\" (\"a\" TEXT); SELECT no_such_thing"],
                ..Brings::default()
            },
            Brings { version: "0.2.2", steps: &["UPDATE \"account\" SET \"version\" = 7"], ..Brings::default() },
            Brings { version: "0.2.3", steps: &[CONTRACTS, "DELETE FROM \"account\""], ..Brings::default() },
            Brings { version: "0.2.4", first: "exit 7", ..Brings::default() },
            Brings { version: "0.2.5", first: "kill -9 $$", ..Brings::default() },
        ];
        // The server engine differs in what a failed step and a wrong table leave behind.
        for brings in bad.iter().take(if server { 2 } else { bad.len() }) {
            house.apply(&house.bundle(brings)).ended(1).says("The former version is in its place");
            assert_eq!(house.version(), "0.1.0", "{}", brings.version);
            assert_eq!(house.content(), before, "{}", brings.version);
            house.on(&["user", "list"], &[]).ended(0);
            house.on(&["upgrade", "status"], &[]).ended(0).says("back at");
        }
        house.whole();
    });
}

#[test]
fn cut_off_at_every_step_it_goes_on_or_back() {
    House::both(|house, server| {
        let before = house.content();
        let program = house.place.path("bin/kontor");
        let good = house.bundle(&Brings { steps: &[CONTRACTS], ..Brings::default() });
        let bad = house.bundle(&Brings { version: "0.2.3", steps: &["DELETE FROM \"account\""], ..Brings::default() });
        for (bundle, phase) in [
            (&good, "begun"),
            (&good, "copied"),
            (&good, "switching"),
            (&good, "switched"),
            (&good, "schema!"),
            (&good, "migrated"),
            (&good, "tested"),
            (&bad, "leaving"),
            (&bad, "restoring"),
        ] {
            if server && !["copied", "schema!", "restoring"].contains(&phase) {
                continue;
            }
            let mut command = house
                .command(&["upgrade", "apply"], &["--binary", program.to_str().unwrap(), bundle.to_str().unwrap()]);
            Ran::of(command.env("KONTOR_TRIAL_KILL", phase).output().unwrap());
            if house.place.dir().join("upgrade/state.json").exists() {
                let state = json(house.on(&["upgrade", "status"], &["--json"]));
                if state["upgrade"]["phase"] != "waiting" {
                    house.on(&["user", "list"], &[]).ended(2).complains("was cut off");
                    // The code for which no service manager starts again.
                    house.on(&["serve"], &[]).ended(78).complains("was cut off");
                }
            }
            let resumed = house.on(&["upgrade", "resume"], &[]);
            assert!(resumed.code < 2, "{phase}: {resumed:#?}");
            // A migration that was done before the cut is well: what it named is still known.
            assert!(phase != "schema!" || house.version() == "0.2.0", "{resumed:#?}");
            if house.version() == "0.2.0" {
                house.on(&["upgrade", "rollback"], &["--lose-newer"]).ended(1);
            }
            assert_eq!((house.version().as_str(), &house.content()), ("0.1.0", &before), "{phase}");
            house.on(&["user", "list"], &[]).ended(0);
            house.whole();
        }
    });
}

#[test]
fn bundles_that_nobody_may_trust_are_refused() {
    if !signify() {
        return;
    }
    let house = House::new(false);
    let good = house.bundle(&Brings::default());
    let verify = |bundle: &Path| house.place.run(&["upgrade", "verify", bundle.to_str().unwrap()]);
    verify(&good).ended(0);
    let whole = fs::read(&good).unwrap();
    let spoilt = house.place.path("spoilt.bundle");
    // In the manifest, and in the program.
    for mark in ["upgrades_from", "KONTOR_TRIAL_VERSION"] {
        let mut bytes = whole.clone();
        let change = whole.windows(mark.len()).position(|window| window == mark.as_bytes()).unwrap();
        bytes[change] ^= 1;
        fs::write(&spoilt, bytes).unwrap();
        verify(&spoilt).ended(1).complains("the bundle is refused");
        house.apply(&spoilt).ended(2).complains("the bundle is refused");
    }
    fs::write(&spoilt, &whole[..whole.len() / 4]).unwrap();
    verify(&spoilt).ended(1);
    verify(&house.bundle(&Brings { version: "0.2.1", keys: &[1, 9], ..Brings::default() }))
        .ended(1)
        .complains("signed by 1 of the 3");
    verify(&house.place.path("nothing")).ended(2);
    let wrong = house.bundle(&Brings { version: "0.2.2", keys: &[8, 9], ..Brings::default() });
    verify(&wrong).ended(1).complains("signed by 0 of the 3");
    assert_eq!(house.version(), "0.1.0");
}

#[test]
fn the_way_back_leads_to_the_version_that_ran() {
    if !signify() {
        return;
    }
    let house = House::new(false);
    let bundle = house.bundle(&Brings { steps: &[CONTRACTS], ..Brings::default() });
    let other = house.program(&Brings { version: "0.1.5", ..Brings::default() });
    let named = ["--binary", other.to_str().unwrap(), bundle.to_str().unwrap()];
    house.on(&["upgrade", "apply"], &named).ended(2).complains("is version \"0.1.5\", and version 0.1.0 runs");
    // A bundle that brings another version than it says does not start itself over and over.
    let wrong = house.program(&Brings { version: "0.3.0", steps: &[CONTRACTS], ..Brings::default() });
    let right = house.program(&Brings { version: "0.3.1", steps: &[CONTRACTS], ..Brings::default() });
    fs::copy(&wrong, &right).unwrap();
    let bundle = house.bundle_of("0.3.1", &right, &[1, 3]);
    house.apply(&bundle).ended(1).complains("is version 0.3.0 and should be 0.3.1");
    assert_eq!(house.version(), "0.1.0");
    // Nor does one that was put in the place of the former version while it goes back.
    house.apply(&house.bundle(&Brings { version: "0.2.1", steps: &[CONTRACTS], ..Brings::default() })).ended(0);
    let mut command = house.command(&["upgrade", "rollback"], &[]);
    Ran::of(command.env("KONTOR_TRIAL_KILL", "restoring").output().unwrap());
    let program = house.place.path("bin/kontor");
    let former = house.place.path("bin/former");
    fs::rename(&program, &former).unwrap();
    fs::copy(&other, &program).unwrap();
    house.on(&["upgrade", "resume"], &[]).ended(2).complains("is version 0.1.5 and should be 0.1.0");
    fs::rename(&former, &program).unwrap();
    house.on(&["upgrade", "resume"], &[]).ended(1);
    assert_eq!(house.version(), "0.1.0");
    house.whole();
}

#[test]
fn a_server_that_runs_is_not_upgraded_under_its_feet() {
    if !signify() {
        return;
    }
    let house = House::new(false);
    let bundle = house.bundle(&Brings::default());
    let server = Server::start(house.command(&["serve"], &[]), true);
    server.line_with("serving");
    house.on(&["upgrade", "plan"], &[bundle.to_str().unwrap()]).ended(0);
    house.apply(&bundle).ended(2).complains("already");
    assert_eq!(server.stop(), 0);
    assert_eq!(house.version(), "0.1.0");
    house.apply(&bundle).ended(0);
    // It says in its health that nobody has finalized it.
    let server = Server::start(house.command(&["serve"], &[]), true);
    let url = url_in(&server.line_with("serving"));
    let (status, ready) = answer(client(&house.place.dir().join("tls/ca.pem")).get(format!("{url}/readyz")).call());
    assert_eq!(status, 200, "{ready}");
    // Nothing is counted, and nothing goes back, while somebody may still write.
    house.on(&["upgrade", "rollback"], &["--lose-newer"]).ended(2).complains("already");
    house.on(&["upgrade", "status"], &[]).ended(0).says("waits to be finalized");
    assert_eq!(server.stop(), 0);
    house.on(&["upgrade", "rollback"], &[]).ended(1);
}

#[test]
fn a_program_that_was_switched_by_hand_takes_the_database_along() {
    House::both(|house, _| {
        let before = house.content();
        let next = house.program(&Brings { steps: &[CONTRACTS], ..Brings::default() });
        let dir = house.place.dir();
        let run = |verb: &[&str]| {
            Ran::of(Command::new(&next).args(verb).args(["--dir", dir.to_str().unwrap()]).output().unwrap())
        };
        run(&["user", "list"]).ended(2).complains("kontor upgrade adopt");
        run(&["upgrade", "adopt"]).ended(0).says("after the version before");
        run(&["user", "list"]).ended(0);
        run(&["upgrade", "rollback"]).ended(1);
        house.on(&["user", "list"], &[]).ended(0);
        assert_eq!(house.content(), before);
        house.whole();
    });
}

#[test]
fn advisories_are_known_without_a_network() {
    let place = Place::new();
    let list = place.run(&["advisories", "--dependencies"]).ended(0).says("ring 0.17");
    assert!(list.out.lines().count() > 150 && !list.out.contains("proptest"), "{}", list.out);
    let file = place.path("advisories.json");
    let write = |patched: &str| {
        let text = serde_json::json!({"made_at": "2026-11-01", "source": "trial", "advisories": [
            {"id": "RUSTSEC-1", "crate": "ring", "patched": [patched], "title": "a trial", "severity": "low", "link": ""}]});
        fs::write(&file, text.to_string()).unwrap();
    };
    write(">=0.17.1");
    place.run(&["advisories", "--file", file.to_str().unwrap()]).ended(0).says("None concerns");
    write(">=99");
    place.run(&["advisories", "--file", file.to_str().unwrap()]).ended(1).says("RUSTSEC-1  ring 0.17");
    place.run(&["advisories", "--file", place.path("none").to_str().unwrap()]).ended(2);
}
