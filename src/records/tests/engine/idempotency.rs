//! Requests that are sent again: the first answer once more, as far as its reader may still see it.

use identity::Actor;
use kernel::{Code, Fault};
use records::{RecordView, Retry, Shown};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use testkit::{TestAppliance, object_of, on_both_engines};

fn send(kontor: &TestAppliance, actor: &Arc<Actor>, key: &str, body: Json) -> Result<RecordView, Fault> {
    let mut request = [0; 32];
    let text = body.to_string();
    request.iter_mut().zip(text.bytes().rev()).for_each(|(to, from)| *to = from);
    kontor
        .records
        .create(actor, "account", object_of(body), Some(Retry { key: key.to_owned(), request }))
        .wait()
        .map(Shown::into_view)
}

#[test]
fn the_same_key_with_the_same_body_gives_the_first_answer() {
    on_both_engines(|kontor| {
        let (anna, bo) =
            (kontor.actor(kontor.user("anna", &["seller"], None)), kontor.actor(kontor.user("bo", &["seller"], None)));
        let body = json!({"name": "Canary-Name-7261", "phone": "+49 451 7261726"});
        let first = send(kontor, &anna, "key-1", body.clone()).unwrap();
        kontor.change(&anna, "account", first.id, json!({"level": "a"})).unwrap();
        let entries = kontor.log().len();
        let again = send(kontor, &anna, "key-1", body.clone()).unwrap();
        assert_eq!(again, first, "also after the record has moved on");
        let log = kontor.log();
        assert_eq!(
            (log.len(), log.last().unwrap().target.record),
            (entries + 1, Some(first.id)),
            "a repeated answer discloses, and the log says so"
        );
        assert_eq!(send(kontor, &anna, "key-1", json!({"name": "Other"})).unwrap_err().code, Code::IdempotencyMismatch);
        let others = send(kontor, &bo, "key-1", body.clone()).unwrap();
        assert_ne!(others.id, first.id, "keys belong to their user");
        assert_ne!(send(kontor, &anna, "key-2", body.clone()).unwrap().id, first.id);
        assert_eq!(kontor.sql_number("SELECT count(*) FROM account"), 3);
        let kept = kontor.sql("SELECT * FROM k_idempotency").join("\n");
        assert!(
            !kept.contains("Canary") && !kept.contains("7261726") && !kept.contains("43616e617279"),
            "the kept answer is sealed"
        );
        kontor.clock.advance_seconds(kernel::limits::IDEMPOTENCY_SECONDS + 1);
        assert_ne!(send(kontor, &anna, "key-1", body).unwrap().id, first.id, "keys last a day");
        assert_eq!(kontor.sql_number("SELECT count(*) FROM k_idempotency"), 1);
    });
}

#[test]
fn a_failed_request_keeps_no_answer() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        assert_eq!(send(kontor, &anna, "key", json!({"name": null})).unwrap_err().code, Code::ValidationFailed);
        send(kontor, &anna, "key", json!({"name": "Mended"})).unwrap();
    });
}

#[test]
fn a_repeated_answer_shows_no_more_than_its_reader_may_see_now() {
    on_both_engines(|kontor| {
        let rights = |level: &str| {
            json!({"name": "shrinking", "label": {"en": "S", "zh": "S"}, "description": {"en": "S", "zh": "S"},
            "objects": {"account": {"read": "own", "create": "own", "update": "own"}}, "levels": {"S1": "edit", "S2": "edit"},
            "fields": {"account.phone": level, "account.email": level}})
        };
        kontor.role(rights("edit"));
        let user = kontor.user("anna", &["shrinking"], None);
        let anna = kontor.actor(user);
        let body = json!({"name": "Hanse", "phone": "+49 451 123456"});
        let first = send(kontor, &anna, "key", body.clone()).unwrap();
        assert_eq!(first.fields["phone"], "+49451123456");
        for (level, shown) in [("masked", false), ("exists", false), ("none", false), ("read", true)] {
            kontor.role(rights(level));
            let again = send(kontor, &kontor.actor(user), "key", body.clone()).unwrap();
            assert_eq!((again.id, json!(again).to_string().contains("123456")), (first.id, shown), "{level}");
        }
        let other = kontor.user("bo", &["shrinking"], None);
        let operator = kontor.operator();
        kontor.change(&operator, "account", first.id, json!({"owner": other})).unwrap();
        let again = send(kontor, &kontor.actor(user), "key", body).unwrap();
        assert!(again.fields.is_empty() && again.reduced.is_empty(), "{again:?}");
    });
}

#[test]
fn a_bulk_change_that_is_sent_again_changes_nothing_twice() {
    on_both_engines(|kontor| {
        let (anna, bo) =
            (kontor.actor(kontor.user("anna", &["seller"], None)), kontor.actor(kontor.user("bo", &["seller"], None)));
        let make = || kontor.create(&anna, "account", json!({"name": "A", "level": "b"})).unwrap().id;
        let (one, two) = (make(), make());
        let send = |actor: &Arc<Actor>, key: &str, request: u8, change: Json| {
            let body = serde_json::from_value(json!({"change": change, "ids": [one, two]})).unwrap();
            let retry = Some(Retry { key: key.to_owned(), request: [request; 32] });
            kontor.records.bulk(actor, "account", body, retry).wait().map(Shown::into_view)
        };
        let change = json!({"action": "update", "fields": {"level": "a"}});
        let first = send(&anna, "key", 1, change.clone()).unwrap();
        assert_eq!((first.done, first.failed), (2, 0));
        kontor.change(&anna, "account", one, json!({"level": "c"})).unwrap();
        assert_eq!(send(&anna, "key", 1, change.clone()).unwrap(), first, "also what failed or moved since");
        assert_eq!(kontor.open(&anna, "account", one).unwrap().fields["level"], "c", "and nothing is done again");
        let entry = kontor.log().into_iter().rev().find(|entry| entry.act.verb == audit::Verb::Bulk).unwrap();
        assert_eq!((entry.target.ids, entry.note.as_str()), (vec![one, two], "the first answer again"));
        assert_eq!(send(&anna, "key", 2, change.clone()).unwrap_err().code, Code::IdempotencyMismatch);
        let others = send(&bo, "key", 1, change.clone()).unwrap();
        assert_eq!((others.done, others.failed), (0, 2), "keys belong to their user");
        assert_eq!(send(&bo, "key", 1, change.clone()).unwrap(), others, "codes and words of failures come back");
        assert_eq!(send(&anna, "other", 1, change).unwrap().done, 1);
    });
}
