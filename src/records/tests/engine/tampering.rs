//! Hands in the database or in the files: each change is found, at the level that promises it, with its place.

use kernel::RecordId;
use serde_json::json;
use std::path::{Path, PathBuf};
use testkit::{TestAppliance, on_both_engines};

/// What the highest level finds, as text.
fn findings(kontor: &TestAppliance, level: u8) -> Vec<String> {
    let report = kontor.verify(level);
    assert_eq!(report.ok, report.findings_total == 0, "{report:?}");
    report
        .findings
        .into_iter()
        .map(|finding| format!("{} {} {}", finding.level, finding.place, finding.detail))
        .collect()
}

#[track_caller]
fn finds(kontor: &TestAppliance, level: u8, place: &str) {
    assert!(
        findings(kontor, level)
            .iter()
            .any(|finding| finding.starts_with(&level.to_string()) && finding.contains(place)),
        "level {level} does not name {place}: {:?}",
        findings(kontor, level)
    );
}

fn tiles(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() { tiles(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

#[test]
fn rows_changed_past_the_program_are_found() {
    on_both_engines(|kontor| {
        let ids: Vec<RecordId> = (0..5)
            .map(|at| {
                kontor
                    .make("account", json!({"name": format!("Account {at}"), "phone": format!("+49 451 {at}{at}{at}")}))
            })
            .collect();
        kontor.seal_log();
        assert!(findings(kontor, 4).is_empty(), "{:?}", findings(kontor, 4));
        let id = kontor.sql_bytes(ids[2].as_bytes());
        for column in ["name", "phone", "owner_id", "version", "deleted_at", "is_sample", "phone__bx"] {
            let other = kontor.sql_bytes(ids[1].as_bytes());
            let value = match column {
                "name" => "'Account 3'".to_owned(),
                "phone" => format!("(SELECT other.phone FROM account other WHERE other.id = {other})"),
                "owner_id" => other,
                "is_sample" if kontor.engine == testkit::Engine::Server => "true".to_owned(),
                _ => "7".to_owned(),
            };
            kontor.sql("DROP TABLE IF EXISTS before_it");
            kontor.sql(&format!("CREATE TABLE before_it AS SELECT {column} AS kept FROM account WHERE id = {id}"));
            kontor.sql(&format!("UPDATE account SET {column} = {value} WHERE id = {id}"));
            assert!(findings(kontor, 3).is_empty());
            finds(kontor, 4, &format!("account {}", ids[2]));
            kontor.sql(&format!("UPDATE account SET {column} = (SELECT kept FROM before_it) WHERE id = {id}"));
            assert!(findings(kontor, 4).is_empty(), "{column} was put back");
        }
        kontor.sql("DROP TABLE before_it");
        let made = if kontor.engine == testkit::Engine::Server { "OVERRIDING SYSTEM VALUE" } else { "" };
        kontor.sql(&format!(
            "INSERT INTO account (rid, id, version, name) {made} VALUES (900, {}, 1, 'By hand')",
            kontor.sql_bytes(&[7; 16])
        ));
        finds(kontor, 4, "account 07070707-0707-0707-0707-070707070707");
        kontor.sql("DELETE FROM account WHERE rid = 900");
        assert!(findings(kontor, 4).is_empty());
        kontor.sql(&format!("DELETE FROM account WHERE id = {id}"));
        finds(kontor, 4, &format!("account {}", ids[2]));
    });
}

#[test]
fn entries_changed_in_the_database_are_found() {
    on_both_engines(|kontor| {
        for at in 0..5 {
            kontor.make("account", json!({"name": format!("Account {at}")}));
        }
        kontor.seal_log();
        let flip = match kontor.engine {
            testkit::Engine::Embedded => "CAST(substr(bytes, 1, 40) || x'ff' || substr(bytes, 42) AS BLOB)",
            testkit::Engine::Server => "set_byte(bytes, 40, get_byte(bytes, 40) # 255)",
        };
        kontor.sql("CREATE TABLE kept AS SELECT seq, at, changed, bytes FROM k_audit");
        let put_back = || {
            kontor.sql("DELETE FROM k_audit");
            kontor.sql("INSERT INTO k_audit (seq, at, changed, bytes) SELECT seq, at, changed, bytes FROM kept");
            assert!(findings(kontor, 3).is_empty(), "{:?}", findings(kontor, 3));
        };
        kontor.sql(&format!("UPDATE k_audit SET bytes = {flip} WHERE seq = 3"));
        assert!(findings(kontor, 2).is_empty());
        finds(kontor, 3, "3");
        put_back();
        kontor.sql("DELETE FROM k_audit WHERE seq = 2");
        finds(kontor, 3, "2");
        put_back();
        kontor.sql("UPDATE k_audit SET bytes = (SELECT bytes FROM kept WHERE kept.seq = 1) WHERE seq = 4");
        finds(kontor, 3, "4");
        put_back();
        kontor.sql("DELETE FROM k_audit WHERE seq >= 3");
        assert!(!findings(kontor, 3).is_empty(), "a log cut short is found");
        put_back();
    });
}

#[test]
fn files_of_the_log_changed_on_disk_are_found() {
    on_both_engines(|kontor| {
        for at in 0..300 {
            kontor.make("tag", json!({"name": format!("Tag {at}")}));
        }
        kontor.seal_log();
        assert!(findings(kontor, 4).is_empty());
        let folder = kontor.store.config().log_folder.clone();
        let mut files = Vec::new();
        tiles(&folder, &mut files);
        files.retain(|file| file.to_string_lossy().contains("tile") || file.ends_with("checkpoint"));
        files.sort();
        assert!(files.len() >= 4, "{files:?}");
        for file in files {
            let good = std::fs::read(&file).unwrap();
            let mut bad = good.clone();
            let at = bad.len() / 2;
            bad[at] ^= 1;
            std::fs::write(&file, &bad).unwrap();
            let name = file.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
            let found = findings(kontor, 3);
            assert!(found.iter().any(|finding| finding.contains(&name) || name == "checkpoint"), "{name}: {found:?}");
            std::fs::remove_file(&file).unwrap();
            assert!(!findings(kontor, 3).is_empty(), "{name} is gone and nobody misses it");
            std::fs::write(&file, &good).unwrap();
            assert!(findings(kontor, 3).is_empty());
        }
    });
}
