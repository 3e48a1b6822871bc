//! The bell: told in the same transaction, titles through the reader's rights, switches, pages, limits.

use identity::Actor;
use kernel::{Code, Timestamp, limits};
use records::{NotificationsRead, NotificationsRequest, NotificationsView, Told};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use store::Notice;
use testkit::{TestAppliance, on_both_engines};

fn bell(kontor: &TestAppliance, actor: &Arc<Actor>) -> NotificationsView {
    kontor.records.notifications_due(actor).wait().unwrap();
    kontor.records.notifications(actor, NotificationsRequest::default()).wait().unwrap().into_view()
}

fn kinds(view: &NotificationsView) -> Vec<(&str, Option<&str>)> {
    view.items.iter().map(|item| (item.kind.as_str(), item.label.as_deref())).collect()
}

#[test]
fn a_new_owner_and_those_named_in_a_text_are_told() {
    on_both_engines(|kontor| {
        let (lead_id, anna_id) =
            (kontor.user("lead", &["sales_manager"], None), kontor.user("anna", &["seller"], None));
        let ben_id = kontor.user("ben", &["seller"], None);
        kontor.team("All", &[lead_id, anna_id, ben_id]);
        let (lead, anna, ben) = (kontor.actor(lead_id), kontor.actor(anna_id), kontor.actor(ben_id));
        let (mut stream, _) = kontor.records.watch(&anna, None).unwrap();
        let account = kontor.create(&lead, "account", json!({"name": "Hanse", "owner": anna_id})).unwrap().id;
        let seen = bell(kontor, &anna);
        assert_eq!((kinds(&seen), seen.unread), (vec![("assigned", Some("Hanse"))], 1));
        assert_eq!(
            (seen.items[0].by, seen.items[0].by_name.as_deref(), seen.items[0].record),
            (Some(lead_id), Some("lead"), Some(account))
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let told = runtime.block_on(async { [stream.next(&anna).await, stream.next(&anna).await] });
        assert!(told.iter().any(|told| matches!(told, Told::Notice)), "{told:?}");
        kontor.change(&anna, "account", account, json!({"name": "Hansa"})).unwrap();
        assert_eq!(
            kinds(&bell(kontor, &anna)),
            [("assigned", Some("Hansa"))],
            "the title is that of now, and the own change is no news"
        );
        let note = json!({"kind": "note", "subject": "Call", "body": "Please @Ben, look. And @nobody. Not a@anna.example", "owner": lead_id});
        let note = kontor.create(&lead, "activity", note).unwrap().id;
        kontor.change(&lead, "activity", note, json!({"body": "Please @ben, look again, @lead"})).unwrap();
        let bens = bell(kontor, &ben);
        assert_eq!(kinds(&bens), [("mentioned", None)], "once, and without a title that is out of reach");
        assert!(bens.items[0].record.is_none() && bens.items[0].object.is_none());
        assert!(bell(kontor, &lead).items.is_empty());
        assert_eq!(kinds(&bell(kontor, &anna)).len(), 1);
        let refused = kontor.create(&lead, "account", json!({"name": "X", "owner": anna_id, "level": "zz"}));
        assert!(refused.is_err() && bell(kontor, &anna).items.len() == 1, "what was not done is not told");
        let entry = kontor
            .log()
            .into_iter()
            .rfind(|entry| entry.note == "notifications" && entry.actor.user == Some(anna_id))
            .unwrap();
        assert!(entry.related.iter().any(|related| related.object == "account" && related.ids == [account]));
    });
}

#[test]
fn tasks_come_due_and_kinds_can_be_switched_off() {
    on_both_engines(|kontor| {
        let anna_id = kontor.user("anna", &["seller"], None);
        let anna = kontor.actor(anna_id);
        let task = |subject: &str, status: &str, due: &str| json!({"kind": "task", "subject": subject, "status": status, "due": due});
        for (subject, status, due) in [
            ("Over", "planned", "2026-03-01T00:00:00Z"),
            ("Done", "completed", "2026-03-01T00:00:00Z"),
            ("Later", "waiting", "2026-03-02T09:30:00Z"),
        ] {
            kontor.create(&anna, "activity", task(subject, status, due)).unwrap();
        }
        assert_eq!(kinds(&bell(kontor, &anna)), [("due", Some("Over"))]);
        kontor.clock.advance_seconds(3600);
        assert_eq!(kinds(&bell(kontor, &anna)), [("due", Some("Later")), ("due", Some("Over"))]);
        assert_eq!(bell(kontor, &anna).items.len(), 2, "asked again, nothing is told twice");
        let set = |value: Json| kontor.records.preference_set(&anna, "notifications", &value).wait().unwrap();
        set(json!({"due": false}));
        assert_eq!((bell(kontor, &anna).items.len(), bell(kontor, &anna).unread), (0, 0));
        set(json!({"due": true}));
        assert_eq!(bell(kontor, &anna).unread, 2);
    });
}

#[test]
fn pages_and_marks() {
    on_both_engines(|kontor| {
        let (lead, anna_id) =
            (kontor.actor(kontor.user("lead", &["sales_manager"], None)), kontor.user("anna", &["seller"], None));
        kontor.team("Both", &[lead.user(), anna_id]);
        let lead = kontor.actor(lead.user());
        let anna = kontor.actor(anna_id);
        for number in 0..5 {
            kontor.create(&lead, "account", json!({"name": format!("A{number}"), "owner": anna_id})).unwrap();
            kontor.clock.advance_seconds(1);
        }
        let page = |limit, cursor, unread| {
            kontor
                .records
                .notifications(&anna, NotificationsRequest { unread, limit: Some(limit), cursor })
                .wait()
                .map(records::Shown::into_view)
        };
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let view = page(2, cursor, false).unwrap();
            seen.extend(view.items.iter().map(|item| item.label.clone().unwrap()));
            cursor = view.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["A4", "A3", "A2", "A1", "A0"]);
        let first = page(1, None, false).unwrap().items[0].id;
        let read = |ids, all| {
            kontor
                .records
                .notifications_read(&anna, NotificationsRead { ids, all })
                .wait()
                .map(|_| ())
                .map_err(|fault| fault.code)
        };
        assert_eq!(read(vec![first], false), Ok(()));
        assert_eq!((page(9, None, true).unwrap().items.len(), page(9, None, false).unwrap().unread), (4, 4));
        let ben = kontor.actor(kontor.user("ben", &["seller"], None));
        kontor.records.notifications_read(&ben, NotificationsRead { ids: Vec::new(), all: true }).wait().unwrap();
        assert_eq!(page(1, None, false).unwrap().unread, 4, "only one's own");
        assert_eq!((read(Vec::new(), true), page(1, None, false).unwrap().unread), (Ok(()), 0));
        assert_eq!(
            (read(Vec::new(), false), read(vec![first], true)),
            (Err(Code::ParameterInvalid), Err(Code::ParameterInvalid))
        );
        assert_eq!(page(0, None, false).unwrap_err().code, Code::ParameterInvalid);
        assert_eq!(page(1, Some("x".to_owned()), false).unwrap_err().code, Code::CursorInvalid);
    });
}

#[test]
fn only_the_newest_are_kept_also_of_somebody_who_never_looks() {
    on_both_engines(|kontor| {
        let anna = kontor.user("anna", &["seller"], None);
        let most = limits::NOTIFICATIONS_PER_USER_MAX;
        let written = kontor.store.write(move |tx| {
            for number in 0..most + 10 {
                tx.notify(&Notice {
                    user: anna,
                    kind: "assigned",
                    object: "account".to_owned(),
                    record: anna,
                    mark: number.to_string(),
                    by: None,
                    at: Timestamp::from_micros(i64::try_from(number).unwrap()),
                })?;
            }
            Ok(())
        });
        written.wait().unwrap();
        assert_eq!(kontor.store.old_sweep().unwrap(), 1);
        let kept = "SELECT count(*), min(at) FROM k_notification";
        assert_eq!(kontor.sql(kept), [format!("{most}|10")]);
        assert_eq!(kontor.store.old_sweep().unwrap(), 0);
    });
}
