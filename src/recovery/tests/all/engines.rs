//! From one engine to the other and back: sets made from a server look like all others, come back on either engine, and every
//! table then holds what it held, as its hash tells. Never into a database that has anything in it.

use crate::parts::{attach, config_of, house, write_set};
use kernel::{Clock, Fault, RecordId};
use recovery::{
    DirectoryTarget, House, Progress, RecoveryError, SetName, Target, drill, look_through, restore, verify_set,
};
use serde_json::json;
use std::fs;
use std::path::Path;
use store::{Depth, EngineConfig, PostgresUrl, Store};
use testkit::{Engine, TestAppliance, on_both_engines, postgres_database};

/// Records with all that is hard to carry: sealed values, links, files, a bin, Chinese, quotes and backslashes, long texts.
fn fill(kontor: &TestAppliance) -> RecordId {
    let account = kontor.make("account", json!({"name": "Hanse {\"Kontor\", \\Lübeck\\} NULL"}));
    for number in 0..60 {
        kontor.make(
            "contact",
            json!({"full_name": format!("李 {number} \"'\\"), "last_name": "", "account": account,
                "description": "Tab\tand\nline, {NULL}",
                "email": format!("person{number}@example.org"), "mobile": format!("+86 138 0000 {number:04}")}),
        );
    }
    let unit = kontor.make("unit", json!({"code": "HL", "name": "Lübeck"}));
    let anna = kontor.user("anna.lin", &["sales_manager"], Some(unit));
    let binned = kontor.create(&kontor.actor(anna), "account", json!({"name": "Hanse, binned"})).unwrap();
    kontor.records.delete(&kontor.actor(anna), "account", binned.id, Some(1)).wait().unwrap();
    let team = kontor.team("Team", &[anna]);
    assert_ne!(team, account);
    attach(kontor, account, "a.pdf", &[7; 200_000]);
    kontor.seal_log();
    account
}

fn write(
    kontor: &TestAppliance,
    house: &House,
    target: &dyn Target,
    progress: &Progress,
) -> Result<SetName, RecoveryError> {
    let outcomes = write_set(kontor, house, 1, &[target], progress)?;
    outcomes.into_iter().next().unwrap().outcome.map(|verified| verified.set().clone())
}

fn server() -> EngineConfig {
    let (url, ca) = postgres_database();
    EngineConfig::Postgres { url: PostgresUrl(url), ca_file: Some(ca) }
}

/// What a search finds in a store that was opened over restored data.
fn found(kontor: &TestAppliance, engine: &EngineConfig, dir: &Path, word: &str) -> Vec<String> {
    let (store, records) = kontor.over_restored(config_of(engine.clone(), dir));
    let hits = records.search(&kontor.operator(), word, Some(vec!["account".to_owned()])).wait();
    let groups = hits.unwrap().into_view().groups;
    let names = groups.iter().flat_map(|group| &group.items).map(|hit| hit.id.to_string()).collect();
    let contact = records.create(&kontor.operator(), "contact", testkit::object_of(json!({"full_name": "Next"})), None);
    contact.wait().unwrap();
    store.close();
    names
}

#[test]
fn what_one_engine_held_the_other_holds_and_back() {
    on_both_engines(|kontor| {
        let account = fill(kontor);
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("one")).unwrap();
        let (target, house) = (DirectoryTarget::new("one", &root.path().join("one"), "a"), house(kontor, root.path()));
        let before = Store::content_of(&kontor.store.config().engine).unwrap();
        assert!(before.iter().any(|table| table.table == "contact" && table.rows == 60), "{before:?}");
        let set = write(kontor, &house, &target, &Progress::default()).unwrap();
        let (key, identity) = (kontor.verifier_key(), kontor.store.vault().archive_identity().unwrap());
        let (_, manifest) = verify_set(&target, &set, &key, None).unwrap();
        assert_eq!((manifest.rows("contact"), manifest.rows("k_attachment")), (Some(60), Some(1)));
        // What is written later is not in it.
        kontor.make("account", json!({"name": "Too late"}));
        let report = drill(&target, &set, &key, &identity, &root.path().join("drill"), kontor.clock.as_ref()).unwrap();
        assert!(report.ok, "{report:?}");
        // Back on the embedded engine.
        let dir = root.path().join("restored");
        restore(&target, &set, &key, &identity, &dir).unwrap();
        let file = EngineConfig::Sqlite { file: dir.join("data/kontor.db") };
        assert_eq!(Store::content_of(&file).unwrap(), before);
        // And on the server engine.
        let there = server();
        let (facts, contents) = Store::carry_into(&file, &there, &dir, kontor.clock.now()).unwrap();
        assert_eq!((contents, facts.log_rows), (before.clone(), manifest.log_rows()));
        assert_eq!(Store::content_of(&there).unwrap(), before);
        let checks = look_through(&manifest, &key, (there.clone(), &dir), kontor.clock.as_ref());
        assert!(checks.len() == 3 && checks.iter().all(|check| check.ok), "{checks:?}");
        // Killed before the folder was in its place, the same command goes on; for another folder it does not.
        let again = |place: &Path| Store::carry_into(&file, &there, place, kontor.clock.now());
        assert_eq!(again(&dir).unwrap(), (facts, before.clone()));
        let refuses = |place: &Path| {
            let refused = Fault::from(again(place).err().unwrap());
            assert_eq!(refused.code, kernel::Code::ParameterInvalid, "{refused}");
            assert_eq!(Store::content_of(&there).unwrap(), before);
        };
        refuses(&root.path().join("elsewhere"));
        // Never over anything once it is there.
        Store::carried_in_place(&there).unwrap();
        refuses(&dir);
        // Both are appliances: they find, and take new records after the old ones.
        for engine in [&file, &there] {
            assert_eq!(found(kontor, engine, &dir, "hanse"), [account.to_string()]);
        }
    });
}

#[test]
fn what_a_later_version_left_behind_keeps_no_set_from_the_server_engine() {
    on_both_engines(|kontor| {
        let account = fill(kontor);
        // An upgrade that only added a table was taken back, and lost nothing.
        kontor.sql("CREATE TABLE k_later (a TEXT PRIMARY KEY)");
        kontor.sql("INSERT INTO k_later VALUES ('left')");
        kontor.sql("INSERT INTO k_migration SELECT max(number) + 1, 'later', 'expand:00', 0 FROM k_migration");
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("one")).unwrap();
        let (target, house) = (DirectoryTarget::new("one", &root.path().join("one"), "a"), house(kontor, root.path()));
        let set = write(kontor, &house, &target, &Progress::default()).unwrap();
        let (key, identity) = (kontor.verifier_key(), kontor.store.vault().archive_identity().unwrap());
        let dir = root.path().join("restored");
        restore(&target, &set, &key, &identity, &dir).unwrap();
        let (file, there) = (EngineConfig::Sqlite { file: dir.join("data/kontor.db") }, server());
        let carried = Store::carry_into(&file, &there, &dir, kontor.clock.now()).unwrap();
        assert!(carried.1.iter().any(|table| table.table == "contact" && table.rows == 60), "{carried:?}");
        let left = Store::content_of(&there).unwrap();
        assert!(left == carried.1 && !left.iter().any(|table| table.table == "k_later"), "{left:?}");
        // Killed before the folder was in its place, the same command goes on.
        assert_eq!(Store::carry_into(&file, &there, &dir, kontor.clock.now()).unwrap(), carried);
        assert_eq!(found(kontor, &there, &dir, "hanse"), [account.to_string()]);
    });
}

#[test]
fn the_hash_of_a_table_sees_every_change() {
    let kontor = TestAppliance::new(Engine::Embedded);
    fill(&kontor);
    kontor.store.close();
    let engine = kontor.store.config().engine.clone();
    let EngineConfig::Sqlite { file } = &engine else { panic!("the embedded engine") };
    let mut before = Store::content_of(&engine).unwrap();
    for (table, change) in [
        ("account", "UPDATE account SET name = 'hanse' || substr(name, 6) WHERE name LIKE 'Hanse {%'"),
        (
            "contact",
            "UPDATE contact SET mobile = CAST(substr(mobile, 1, length(mobile) - 1) || x'00' AS BLOB) WHERE rid = 7",
        ),
        ("contact", "UPDATE contact SET do_not_call = 1 - do_not_call WHERE rid = 9"),
        ("contact", "UPDATE contact SET department = '' WHERE rid = 9"),
        ("k_key", "DELETE FROM k_key WHERE class = (SELECT max(class) FROM k_key)"),
        ("team__members", "UPDATE team__members SET created_at = created_at + 1"),
        ("k_audit", "UPDATE k_audit SET at = at + 1 WHERE seq = 3"),
    ] {
        let table = if table == "team__members" { link_table(&before) } else { table.to_owned() };
        let change = change.replace("team__members", &table);
        let changed = std::process::Command::new("sqlite3").args([file.to_str().unwrap(), &change]).status();
        assert!(changed.unwrap().success(), "{change} (Debian: apt-get install sqlite3)");
        let after = Store::content_of(&engine).unwrap();
        let differ = before.iter().zip(&after).filter(|(one, two)| one != two).map(|(one, _)| one.table.as_str());
        assert_eq!(differ.collect::<Vec<_>>(), [table.as_str()], "{change}");
        before = after;
    }
}

/// The table of the members of teams, as the definitions call it.
fn link_table(contents: &[store::TableContent]) -> String {
    let found = contents.iter().find(|one| one.table.contains("team") && one.table.contains("members"));
    found.unwrap().table.clone()
}

#[test]
fn what_is_stopped_or_refused_leaves_nothing() {
    let kontor = TestAppliance::new(Engine::Server);
    fill(&kontor);
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("one")).unwrap();
    let (target, house) = (DirectoryTarget::new("one", &root.path().join("one"), "a"), house(&kontor, root.path()));
    let progress = Progress::default();
    progress.stop();
    let stopped = write(&kontor, &house, &target, &progress);
    assert!(matches!(stopped, Err(RecoveryError::Stopped)), "{stopped:?}");
    assert!(target.list().unwrap().is_empty());
    // The copy of the database beside the files has no name, whatever became of it.
    let left = fs::read_dir(&house.files).into_iter().flatten().flatten().filter(|entry| entry.path().is_file());
    assert_eq!(left.count(), 0);
    // A set whose data are not what the definitions say is not carried at all.
    let set = write(&kontor, &house, &target, &Progress::default()).unwrap();
    let (key, identity) = (kontor.verifier_key(), kontor.store.vault().archive_identity().unwrap());
    let dir = root.path().join("restored");
    restore(&target, &set, &key, &identity, &dir).unwrap();
    let file = dir.join("data/kontor.db");
    let broken = std::process::Command::new("sqlite3")
        .args([file.to_str().unwrap(), "ALTER TABLE k_merged RENAME COLUMN at TO later"])
        .status();
    assert!(broken.unwrap().success(), "sqlite3 (Debian: apt-get install sqlite3)");
    let (from, there) = (EngineConfig::Sqlite { file }, server());
    let refused = Store::carry_into(&from, &there, &dir, kontor.clock.now()).err().unwrap();
    assert!(refused.to_string().contains("k_merged"), "{refused}");
    Store::content_of(&there).unwrap_err();
    // Nothing was left there, so a whole one fits in.
    fs::remove_dir_all(&dir).unwrap();
    restore(&target, &set, &key, &identity, &dir).unwrap();
    Store::carry_into(&from, &there, &dir, kontor.clock.now()).unwrap();
    let report = Store::verify_log(&config_of(there.clone(), &dir), &key, None, Depth(4)).unwrap();
    assert!(report.ok, "{:?}", report.findings);
    // Once somebody has written there it is no longer what an interrupted run left.
    assert_eq!(found(&kontor, &there, &dir, "hanse").len(), 1);
    Store::carry_into(&from, &there, &dir, kontor.clock.now()).unwrap_err();
}
