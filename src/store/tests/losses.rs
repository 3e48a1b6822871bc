//! What happens when the database goes away: whoever asks is told in a stable way, nothing is half done, and the appliance
//! goes on by itself when the server is back. And that a look at the log needs no right to write.

use kernel::Code;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use store::bare::Bare;
use store::{EngineConfig, Store};
use testkit::{Engine, OwnServer, TestAppliance, on_both_engines};

#[test]
fn a_restart_of_the_server_is_survived() {
    let server = OwnServer::start();
    let kontor = TestAppliance::on_server(&server);
    let anna = kontor.actor(kontor.user("anna", &["seller"], None));
    let before = kontor.create(&anna, "account", json!({"name": "Before", "phone": "+49 451 1"})).unwrap().id;
    server.down();
    for round in 0..3 {
        let codes = [
            kontor.create(&anna, "account", json!({"name": "Meanwhile"})).unwrap_err().code,
            kontor.open(&anna, "account", before).unwrap_err().code,
            kontor.list(&anna, "account", json!({})).unwrap_err().code,
            kontor.store.append(vec![kontor.store.entry(&anna, audit::Verb::Heartbeat)]).wait().unwrap_err().code,
        ];
        assert!(
            codes.iter().all(|code| matches!(code, Code::Unavailable | Code::AuditUnavailable)),
            "round {round}: {codes:?}"
        );
        assert!(codes.iter().all(|code| code.row().retryable));
    }
    server.up();
    // Each connection has seen its loss by now, so the first call of each succeeds.
    let after = kontor.create(&anna, "account", json!({"name": "After"})).unwrap().id;
    for _ in 0..4 {
        assert_eq!(kontor.open(&anna, "account", before).unwrap().fields["phone"], "+494511");
    }
    assert_eq!(kontor.open(&anna, "account", after).unwrap().fields["name"], "After");
    assert_eq!(kontor.sql_number("SELECT count(*) FROM account"), 2);
    kontor.seal_log();
    let report = kontor.verify(4);
    assert!(report.ok, "{:?}", report.findings);
}

#[test]
fn under_load_every_answer_is_true() {
    let server = OwnServer::start();
    let kontor = TestAppliance::on_server(&server);
    let anna = kontor.actor(kontor.user("anna", &["seller"], None));
    let done = AtomicBool::new(false);
    let outcomes = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut outcomes = Vec::new();
                    while !done.load(Ordering::Relaxed) {
                        outcomes.push(kontor.create(&anna, "account", json!({"name": "Load"})).map(|view| view.id));
                    }
                    outcomes
                })
            })
            .collect();
        for _ in 0..2 {
            server.down();
            server.up();
            while kontor.list(&anna, "account", json!({"limit": 1})).is_err() {}
        }
        done.store(true, Ordering::Relaxed);
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
    });
    let made = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let unsure = outcomes
        .iter()
        .filter(|outcome| outcome.as_ref().is_err_and(|fault| fault.detail.contains("may have been made or not")))
        .count();
    for outcome in &outcomes {
        match outcome {
            Ok(id) => assert!(kontor.open(&anna, "account", *id).is_ok(), "an answer was given for what is not there"),
            Err(fault) => assert!(matches!(fault.code, Code::Unavailable | Code::AuditUnavailable), "{fault:?}"),
        }
    }
    let rows = usize::try_from(kontor.sql_number("SELECT count(*) FROM account")).unwrap();
    assert!(made > 0 && rows >= made && rows <= made + unsure, "{rows} rows, {made} answers, {unsure} unsure");
    kontor.seal_log();
    let report = kontor.verify(4);
    assert!(report.ok, "{:?}", report.findings);
}

#[test]
fn the_log_is_verified_without_writing() {
    on_both_engines(|kontor| {
        kontor.make("account", json!({"name": "A"}));
        kontor.seal_log();
        let key = kontor.verifier_key();
        let while_open = kontor.verify_with(&key, 4);
        assert!(while_open.ok, "{:?}", while_open.findings);
        kontor.store.close();
        let before = match &kontor.store.config().engine {
            EngineConfig::Sqlite { file } => {
                let folder = file.parent().unwrap();
                Some((folder, std::fs::metadata(folder).unwrap().modified().unwrap(), std::fs::read(file).unwrap()))
            }
            EngineConfig::Postgres { .. } => {
                let name = kontor.sql("SELECT current_database()").remove(0);
                kontor.sql(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
                None
            }
        };
        let report = kontor.verify_with(&key, 4);
        assert!(report.ok && report.checked.records == 1, "{:?}", report.findings);
        if let (Some((folder, modified, bytes)), EngineConfig::Sqlite { file }) =
            (before, &kontor.store.config().engine)
        {
            assert_eq!(std::fs::metadata(folder).unwrap().modified().unwrap(), modified, "no file came or went");
            assert_eq!(std::fs::read(file).unwrap(), bytes);
        }
    });
}

#[test]
fn a_database_that_is_not_there_is_not_made_by_looking() {
    let kontor = TestAppliance::new(Engine::Embedded);
    let mut config = kontor.store.config().clone();
    let file = kontor.dir().join("with ? # % in it.db");
    config.engine = EngineConfig::Sqlite { file: file.clone() };
    kontor.seal_log();
    let key = kontor.verifier_key();
    assert!(Store::verify_log(&config, &key, None, store::Depth(3)).is_err());
    assert!(!file.exists());
    kontor.store.close();
    std::fs::copy(kontor.dir().join("kontor.db"), &file).unwrap();
    assert!(Store::verify_log(&config, &key, None, store::Depth(3)).unwrap().ok);
}

/// Writers that never rest leave the write-ahead log no moment to begin anew by itself.
#[test]
fn the_write_ahead_log_does_not_outgrow_the_data_under_writers_that_never_rest() {
    // Far more than the log may hold, so that it is emptied on any machine long before the end.
    const MEGABYTES_MAX: u64 = 4_000;
    let kontor = TestAppliance::new(Engine::Embedded);
    let anna = kontor.actor(kontor.user("anna", &["seller"], None));
    let mut beside = Bare::open(&kontor.store.config().engine).unwrap();
    beside.batch("CREATE TABLE weight (bytes BLOB)").unwrap();
    let wal = kontor.dir().join("kontor.db-wal");
    let (mut longest, mut rounds, mut emptied) = (0, 0, false);
    while !emptied && rounds < MEGABYTES_MAX {
        rounds += 1;
        beside.batch("INSERT INTO weight VALUES (zeroblob(1000000))").unwrap();
        kontor.create(&anna, "account", json!({"name": format!("Weight {rounds}")})).unwrap();
        let size = std::fs::metadata(&wal).unwrap().len();
        emptied = size < longest / 2;
        longest = longest.max(size);
    }
    assert!(emptied, "{longest} bytes after {rounds} rounds");
    assert_eq!(kontor.sql_number("SELECT count(*) FROM account"), i64::try_from(rounds).unwrap());
}
