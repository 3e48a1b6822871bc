//! Changes as they happen: told to those who may see the record, also when another node made them, and never twice.

use identity::Actor;
use kernel::{Code, RecordId, limits};
use records::{EventView, Told, Watch};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use testkit::{TestAppliance, on_both_engines};

/// Waits for the next thing told; a test that waits this long has failed.
fn next(watch: &mut Watch, actor: &Actor) -> Option<Told> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(9), watch.next(actor)).await.ok() })
}

fn changes(watch: &mut Watch, actor: &Actor) -> Vec<EventView> {
    loop {
        match next(watch, actor) {
            Some(Told::Changes(events)) => return events,
            // Whoever gets a record is told that, too.
            Some(Told::Notice) => {}
            other => panic!("{other:?} instead of changes"),
        }
    }
}

struct People {
    anna: Arc<Actor>,
    ben: Arc<Actor>,
}

fn people(kontor: &TestAppliance) -> People {
    let actor = |login| kontor.actor(kontor.user(login, &["seller"], None));
    People { anna: actor("anna"), ben: actor("ben") }
}

fn account(kontor: &TestAppliance, owner: &Actor) -> RecordId {
    kontor.make("account", json!({"name": "Hanse", "owner": owner.user()}))
}

#[test]
fn a_stream_tells_of_records_in_reach_and_of_no_other() {
    on_both_engines(|kontor| {
        let People { anna, ben } = people(kontor);
        let (mut hers, begun) = kontor.records.watch(&anna, None).unwrap();
        assert!(begun.missed.is_empty() && !begun.reset);
        let (mut his, _) = kontor.records.watch(&ben, None).unwrap();
        let (one, two) = (account(kontor, &anna), account(kontor, &ben));
        let seen = changes(&mut hers, &anna);
        assert_eq!((seen.len(), seen[0].id, seen[0].version, seen[0].verb), (1, one, 1, "create"));
        assert_eq!(changes(&mut his, &ben)[0].id, two);
        kontor.change(&anna, "account", one, json!({"name": "Hansa"})).unwrap();
        let seen = changes(&mut hers, &anna);
        assert_eq!((seen[0].id, seen[0].version, seen[0].verb), (one, 2, "update"));
        kontor.change(&kontor.operator(), "account", two, json!({"owner": anna.user()})).unwrap();
        assert_eq!(changes(&mut hers, &anna)[0].id, two, "it has come into reach");
        kontor.delete(&anna, "account", one).unwrap();
        assert_eq!(changes(&mut hers, &anna)[0].verb, "delete");
        let opened = kontor.log().iter().filter(|entry| entry.act.verb == audit::Verb::Events).count();
        assert_eq!(opened, 2);
        let text = serde_json::to_string(&seen).unwrap();
        assert!(!text.contains("Hans"), "no value: {text}");
    });
}

#[test]
fn a_change_of_another_node_is_told() {
    on_both_engines(|kontor| {
        let People { anna, .. } = people(kontor);
        let other = Arc::new(
            store::Store::open(
                kontor.store.config().clone(),
                Arc::clone(kontor.store.vault()),
                Arc::clone(kontor.store.clock()),
                Arc::clone(kontor.store.random()),
            )
            .unwrap(),
        );
        let theirs = records::Records::new(Arc::clone(&other));
        let (mut watch, _) = kontor.records.watch(&anna, None).unwrap();
        let fields = testkit::object_of(json!({"name": "Elsewhere", "owner": anna.user()}));
        let made = theirs.create(&kontor.operator(), "account", fields, None).wait().unwrap();
        assert_eq!(changes(&mut watch, &anna)[0].id, made.view().id);
    });
}

#[test]
fn a_stream_goes_on_where_it_was_left() {
    on_both_engines(|kontor| {
        let People { anna, ben } = people(kontor);
        let (watch, begun) = kontor.records.watch(&anna, None).unwrap();
        drop(watch);
        let (one, _) = (account(kontor, &anna), account(kontor, &ben));
        let (_again, missed) = kontor.records.watch(&anna, Some(begun.seq)).unwrap();
        assert_eq!(missed.missed.iter().map(|event| event.id).collect::<Vec<_>>(), [one]);
        assert!(missed.seq > begun.seq && !missed.reset);
        let (_third, nothing) = kontor.records.watch(&anna, Some(missed.seq)).unwrap();
        assert!(nothing.missed.is_empty() && !nothing.reset);
        let (_ahead, reset) = kontor.records.watch(&anna, Some(u64::MAX)).unwrap();
        assert!(reset.reset, "a number that the log has not reached belongs to another log");
    });
}

#[test]
fn streams_of_one_user_have_a_limit_and_make_room_when_they_close() {
    let kontor = TestAppliance::new(testkit::Engine::Embedded);
    let People { anna, ben } = people(&kontor);
    let mut open: Vec<_> =
        (0..limits::EVENT_STREAMS_PER_USER_MAX).map(|_| kontor.records.watch(&anna, None).unwrap()).collect();
    assert_eq!(kontor.records.watch(&anna, None).map(|_| ()).unwrap_err().code, Code::LimitExceeded);
    assert!(kontor.records.watch(&ben, None).is_ok());
    open.pop();
    assert!(kontor.records.watch(&anna, None).is_ok());
}

#[test]
fn who_has_a_record_open_is_told_to_those_who_have_it_open() {
    on_both_engines(|kontor| {
        let (lead_id, anna_id) =
            (kontor.user("lead", &["sales_manager"], None), kontor.user("anna", &["seller"], None));
        kontor.team("Both", &[lead_id, anna_id]);
        let (lead, anna) = (kontor.actor(lead_id), kontor.actor(anna_id));
        let ben = kontor.actor(kontor.user("ben", &["seller"], None));
        let id = account(kontor, &anna);
        let enter = |actor: &Arc<Actor>| {
            kontor.records.presence_enter(actor, "account", id).wait().map(records::Shown::into_view)
        };
        let (mut hers, _) = kontor.records.watch(&anna, None).unwrap();
        assert_eq!(enter(&anna).unwrap().users, [anna_id]);
        assert_eq!(enter(&ben).unwrap_err().code, Code::RecordNotFound);
        let users =
            |told| if let Some(Told::Presence(event)) = told { event.users.clone() } else { panic!("{told:?}") };
        assert_eq!(users(next(&mut hers, &anna)), [anna_id]);
        assert_eq!(enter(&lead).unwrap().users, [anna_id, lead_id]);
        assert_eq!(users(next(&mut hers, &anna)), [anna_id, lead_id]);
        enter(&lead).unwrap();
        assert!(kontor.records.presence_leave(&lead, id).unwrap().moved);
        assert_eq!(users(next(&mut hers, &anna)), [anna_id], "saying it again is no news");
        enter(&lead).unwrap();
        assert_eq!(users(next(&mut hers, &anna)), [anna_id, lead_id]);
        kontor.clock.advance_seconds(30);
        enter(&anna).unwrap();
        kontor.clock.advance_seconds(30);
        assert_eq!(users(next(&mut hers, &anna)), [anna_id], "who is silent is gone");
        let denied = kontor.log().into_iter().filter(|entry| entry.decision.error == "record_not_found").count();
        assert_eq!(denied, 1);
    });
}

#[test]
fn who_fell_silent_is_gone_even_when_nobody_listens() {
    on_both_engines(|kontor| {
        let (anna_id, lead_id) =
            (kontor.user("anna", &["seller"], None), kontor.user("lead", &["sales_manager"], None));
        kontor.team("Both", &[lead_id, anna_id]);
        let (anna, lead) = (kontor.actor(anna_id), kontor.actor(lead_id));
        let id = account(kontor, &anna);
        let enter =
            |actor: &Arc<Actor>| kontor.records.presence_enter(actor, "account", id).wait().unwrap().into_view().users;
        assert_eq!(enter(&anna), [anna_id]);
        kontor.clock.advance_seconds(kernel::limits::PRESENCE_SECONDS);
        assert_eq!(enter(&lead), [lead_id]);
    });
}
