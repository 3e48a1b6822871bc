//! Versions: what was read decides, conflicts show both sides, no change writes nothing, one of many writers wins.

use kernel::Code;
use serde_json::{Value as Json, json};
use std::sync::{Arc, Barrier};
use testkit::{object_of, on_both_engines};

#[test]
fn a_change_names_the_version_it_was_made_from() {
    on_both_engines(|kontor| {
        let operator = kontor.operator();
        let id = kontor.make("account", json!({"name": "One", "phone": "+49 451 1", "industry": "finance"}));
        let change = |version, body: Json| {
            kontor
                .records
                .change(&operator, "account", id, version, object_of(body))
                .wait()
                .map(records::Shown::into_view)
        };
        assert_eq!(change(None, json!({"name": "x"})).unwrap_err().code, Code::VersionRequired);
        assert_eq!(
            kontor.records.delete(&operator, "account", id, None).wait().map(|_| ()).unwrap_err().code,
            Code::AccessDenied
        );
        assert_eq!(change(Some(1), json!({"name": "Two", "phone": "+49 451 2"})).unwrap().version, 2);
        let stale = change(Some(1), json!({"name": "Three", "phone": "+49 451 2", "industry": "mining"})).unwrap_err();
        assert_eq!((stale.code, stale.code.status()), (Code::VersionConflict, 412));
        let told: Json = serde_json::from_str(stale.extension.as_deref().unwrap()).unwrap();
        assert_eq!(
            told,
            json!({"current_version": 2, "differences": [
            {"field": "name", "yours": "Three", "theirs": "Two"}, {"field": "industry", "yours": "mining", "theirs": "finance"}]})
        );
        assert_eq!(change(Some(9), json!({"name": "x"})).unwrap_err().code, Code::VersionConflict);
        assert_eq!(kontor.open(&operator, "account", id).unwrap().version, 2);
    });
}

#[test]
fn no_change_writes_nothing() {
    on_both_engines(|kontor| {
        let operator = kontor.operator();
        let body = json!({"name": "One", "phone": "+49 451 1", "registered_address": {"city": "Lübeck", "street": "Breite Straße 1"}, "description": "long", "annual_revenue": {"amount": "1", "currency": "EUR"}});
        let id = kontor.make("account", body.clone());
        let row = |kontor: &testkit::TestAppliance| kontor.sql("SELECT * FROM account");
        let before = row(kontor);
        let acts = kontor.history(&operator, "account", id).unwrap().items.len();
        for body in [body, json!({}), json!({"phone": "0049 451-1", "industry": null})] {
            assert_eq!(kontor.change(&operator, "account", id, body).unwrap().version, 1);
        }
        assert_eq!(row(kontor), before);
        assert_eq!(kontor.history(&operator, "account", id).unwrap().items.len(), acts);
        let user = kontor.user("anna", &["seller"], None);
        let epoch = kontor.sql_number("SELECT auth_epoch FROM k_credential");
        kontor.change(&operator, "user", user, json!({"username": "Anna", "status": "active"})).unwrap();
        assert_eq!(
            kontor.sql_number("SELECT auth_epoch FROM k_credential"),
            epoch,
            "sessions go on when nothing was changed"
        );
        kontor.change(&operator, "user", user, json!({"status": "locked"})).unwrap();
        assert!(kontor.sql_number("SELECT auth_epoch FROM k_credential") > epoch);
    });
}

#[test]
fn of_many_writers_exactly_one_wins_each_version() {
    on_both_engines(|kontor| {
        let operator = kontor.operator();
        let id = kontor.make("account", json!({"name": "start"}));
        for version in 1..=5 {
            let barrier = Barrier::new(8);
            let wins = std::thread::scope(|scope| {
                let write = |writer: usize| {
                    let (barrier, operator) = (&barrier, Arc::clone(&operator));
                    scope.spawn(move || {
                        barrier.wait();
                        let body = object_of(json!({"name": format!("writer {writer} of {version}")}));
                        match kontor.records.change(&operator, "account", id, Some(version), body).wait() {
                            Ok(_) => 1,
                            Err(fault) => {
                                assert_eq!(fault.code, Code::VersionConflict, "{:?}", fault.cause());
                                0
                            }
                        }
                    })
                };
                let writers: Vec<_> = (0..8).map(write).collect();
                writers.into_iter().map(|writer| writer.join().unwrap()).sum::<usize>()
            });
            assert_eq!((wins, kontor.version("account", id)), (1, version + 1));
        }
        assert_eq!(kontor.history(&operator, "account", id).unwrap().items.len(), 6);
        kontor.seal_log();
        let report = kontor.verify(4);
        assert!(report.ok, "{:?}", report.findings);
    });
}
