//! One timeline of a record: planned above, done and changed in one order, paged without gaps, each thing by its own rights.

use identity::Actor;
use kernel::{Code, Fault, RecordId};
use records::{Shown, TimelineItem, TimelineRequest, TimelineView};
use serde_json::json;
use std::sync::Arc;
use testkit::{TestAppliance, on_both_engines};

fn timeline(
    kontor: &TestAppliance,
    actor: &Arc<Actor>,
    id: RecordId,
    request: TimelineRequest,
) -> Result<TimelineView, Fault> {
    kontor.records.timeline(actor, "account", id, request).wait().map(Shown::into_view)
}

/// What stands on it, in words.
fn words(items: &[TimelineItem]) -> Vec<String> {
    let word = |item: &TimelineItem| match item {
        TimelineItem::Activity { record, .. } => record.fields["subject"].as_str().unwrap_or_default().to_owned(),
        TimelineItem::Change { act, .. } => act.verb.to_owned(),
    };
    items.iter().map(word).collect()
}

fn kinds(kinds: &[&str]) -> TimelineRequest {
    TimelineRequest { kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(), ..TimelineRequest::default() }
}

struct World {
    anna: Arc<Actor>,
    ben: Arc<Actor>,
    account: RecordId,
}

/// An account of anna with activities of hers and of ben.
fn world(kontor: &TestAppliance) -> World {
    let (anna_id, ben_id) = (kontor.user("anna", &["sales_manager"], None), kontor.user("ben", &["seller"], None));
    kontor.team("Both", &[anna_id, ben_id]);
    let (anna, ben) = (kontor.actor(anna_id), kontor.actor(ben_id));
    let account = kontor.make("account", json!({"name": "Hanse", "owner": anna_id}));
    let make = |owner: RecordId, kind: &str, subject: &str, more: serde_json::Value| {
        let mut fields = json!({"kind": kind, "subject": subject, "owner": owner, "regarding": {"object": "account", "id": account}});
        fields.as_object_mut().unwrap().extend(testkit::object_of(more));
        kontor.make("activity", fields)
    };
    make(
        anna_id,
        "call",
        "Called",
        json!({"status": "completed", "start": "2026-03-01T10:00:00Z", "body": "Secret words"}),
    );
    make(ben_id, "meeting", "Met", json!({"status": "completed", "completed_at": "2026-02-01T10:00:00Z"}));
    make(anna_id, "task", "Later", json!({"due": "2026-06-01T10:00:00Z"}));
    make(anna_id, "task", "Sooner", json!({"due": "2026-05-01T10:00:00Z"}));
    make(anna_id, "note", "Noted", json!({"start": "2026-02-15T10:00:00Z"}));
    kontor.change(&anna, "account", account, json!({"name": "Hansa"})).unwrap();
    World { anna, ben, account }
}

#[test]
fn planned_above_done_and_changes_between() {
    on_both_engines(|kontor| {
        let World { anna, ben, account } = world(kontor);
        let (anna_id, ben_id) = (anna.user(), ben.user());
        let all = timeline(kontor, &anna, account, TimelineRequest::default()).unwrap();
        let planned: Vec<_> = all.planned.unwrap().iter().map(|record| record.fields["subject"].clone()).collect();
        assert_eq!(planned, [json!("Sooner"), json!("Later")]);
        assert_eq!(words(&all.items), ["update", "create", "Called", "Noted", "Met"]);
        assert_eq!(all.next, None);
        assert!(
            serde_json::to_string(&all.items).unwrap().contains("Secret words"),
            "sealed text is opened for its reader"
        );
        let mut seen = Vec::new();
        let mut cursor = None;
        for _ in 0..10 {
            let page = timeline(
                kontor,
                &anna,
                account,
                TimelineRequest { limit: Some(1), cursor, ..TimelineRequest::default() },
            )
            .unwrap();
            assert_eq!(page.planned.is_some(), seen.is_empty());
            seen.extend(words(&page.items));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, words(&all.items), "pages go on without gap or repeat");
        let only = |request| words(&timeline(kontor, &anna, account, request).unwrap().items);
        assert_eq!(only(kinds(&["call", "note"])), ["Called", "Noted"]);
        assert_eq!(only(kinds(&["change"])), ["update", "create"]);
        assert_eq!(
            only(TimelineRequest { person: Some(anna_id), ..TimelineRequest::default() }),
            ["update", "Called", "Noted"]
        );
        let (from, to) = ("2026-02-10T00:00:00Z".parse().ok(), "2026-03-01T12:00:00Z".parse().ok());
        assert_eq!(only(TimelineRequest { from, to, ..TimelineRequest::default() }), ["Called", "Noted"]);
        assert_eq!(timeline(kontor, &ben, account, TimelineRequest::default()).unwrap_err().code, Code::RecordNotFound);
        kontor.change(&anna, "account", account, json!({"owner": ben_id})).unwrap();
        let bens = timeline(kontor, &ben, account, kinds(&["call", "meeting", "note"])).unwrap();
        assert_eq!(
            (words(&bens.items), bens.planned.unwrap().len()),
            (vec!["Met".to_owned()], 0),
            "only activities in reach"
        );
        let wrong = TimelineRequest { cursor: Some("x".to_owned()), ..TimelineRequest::default() };
        assert_eq!(timeline(kontor, &anna, account, wrong).unwrap_err().code, Code::CursorInvalid);
        let entry = kontor
            .log()
            .into_iter()
            .rfind(|entry| entry.note == "timeline" && entry.decision.error.is_empty())
            .unwrap();
        assert!(entry.target.record == Some(account) && entry.related[0].object == "activity");
    });
}

#[test]
fn who_saw_a_record_is_told_to_managers_and_auditors_only() {
    on_both_engines(|kontor| {
        let (lead_id, anna_id) =
            (kontor.user("lead", &["sales_manager"], None), kontor.user("anna", &["seller"], None));
        kontor.team("All", &[lead_id, anna_id]);
        let (lead, anna) = (kontor.actor(lead_id), kontor.actor(anna_id));
        let auditor = kontor.actor(kontor.user("auditor", &["audit_admin"], None));
        let stranger = kontor.actor(kontor.user("stranger", &["sales_manager"], None));
        let account = kontor.make("account", json!({"name": "Hanse", "owner": anna_id, "phone": "+49 451 123456", "credit_limit": {"amount": "5", "currency": "EUR"}}));
        kontor.open(&anna, "account", account).unwrap();
        kontor.list(&anna, "account", json!({})).unwrap();
        kontor
            .records
            .reveal(&anna, "account", account, vec!["credit_limit".to_owned()], "a call back")
            .wait()
            .unwrap();
        kontor.change(&lead, "account", account, json!({"name": "Hansa"})).unwrap();
        assert!(kontor.open(&stranger, "account", account).is_err());
        let log = |actor: &Arc<Actor>, before, limit| {
            kontor.records.access_log(actor, "account", account, before, limit).wait().map(Shown::into_view)
        };
        let seen = log(&lead, None, None).unwrap();
        let lines: Vec<_> = seen.items.iter().map(|item| (item.verb, item.way, item.name.as_deref())).collect();
        assert_eq!(
            lines[..4],
            [
                ("update", "record", Some("lead")),
                ("reveal", "record", Some("anna")),
                ("list", "list", Some("anna")),
                ("read", "record", Some("anna"))
            ]
        );
        assert_eq!(seen.items[1].purpose, "a call back");
        assert_eq!(seen.items[1].fields, [("credit_limit".to_owned(), "clear")]);
        assert_eq!(seen.items[0].changed, ["name"]);
        assert!(seen.items.iter().all(|item| item.address.is_none() && item.error.is_empty()));
        let audited = log(&auditor, None, None).unwrap();
        assert!(audited.items.iter().any(|item| item.error == "record_not_found"), "auditors also see who was refused");
        assert!(audited.items.iter().any(|item| item.verb == "access_log"), "and who asked before them");
        assert_eq!(log(&anna, None, None).unwrap_err().code, Code::AccessDenied, "a seller does not see who saw");
        assert_eq!(log(&stranger, None, None).unwrap_err().code, Code::RecordNotFound);
        let (mut before, mut paged) = (None, Vec::new());
        loop {
            let page = log(&auditor, before, Some(2)).unwrap();
            paged.extend(page.items.iter().map(|item| item.seq).filter(|seq| *seq <= audited.items[0].seq));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(paged, audited.items.iter().map(|item| item.seq).collect::<Vec<_>>());
        let asked = kontor.log().into_iter().filter(|entry| entry.act.verb == audit::Verb::AccessLog).count();
        assert!(asked > 5, "asking and being refused is in the log");
    });
}

#[test]
fn old_personal_values_that_are_shown_are_named_in_the_log() {
    on_both_engines(|kontor| {
        let anna = kontor.user("anna", &["seller"], None);
        let account = kontor.make("account", json!({"name": "Hanse", "owner": anna, "phone": "+49 451 123456", "credit_limit": {"amount": "5", "currency": "EUR"}}));
        let operator = kontor.operator();
        kontor.change(&operator, "account", account, json!({"phone": null, "credit_limit": null})).unwrap();
        let anna = kontor.actor(anna);
        let used = || {
            let entry = kontor.log().into_iter().rfind(|entry| entry.act.verb == audit::Verb::History).unwrap();
            entry.fields.into_iter().map(|used| (used.field, used.how.name())).collect::<Vec<_>>()
        };
        let expected = [("credit_limit".to_owned(), "masked"), ("phone".to_owned(), "clear")];
        kontor.history(&anna, "account", account).unwrap();
        assert_eq!(used(), expected);
        timeline(kontor, &anna, account, kinds(&["change"])).unwrap();
        assert_eq!(used(), expected);
    });
}

#[test]
fn who_saw_a_colleague_is_for_auditors() {
    on_both_engines(|kontor| {
        let lead = kontor.actor(kontor.user("lead", &["sales_manager"], None));
        let auditor = kontor.actor(kontor.user("auditor", &["audit_admin"], None));
        let log = |actor: &Arc<Actor>| kontor.records.access_log(actor, "user", lead.user(), None, None).wait();
        assert_eq!(log(&lead).unwrap_err().code, Code::AccessDenied);
        log(&auditor).unwrap();
    });
}
