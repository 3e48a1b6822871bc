//! Bulk changes that go on by themselves: previewed, watched, stopped by nobody, undone where nothing moved since.

use identity::Actor;
use kernel::{Code, Fault, RecordId};
use records::{BulkOutcome, BulkRequest, JobState, JobView, PreviewView, Retry, Shown};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;
use testkit::{TestAppliance, on_both_engines};

fn request(body: Json) -> BulkRequest {
    serde_json::from_value(body).unwrap()
}

fn begin(kontor: &TestAppliance, actor: &Arc<Actor>, body: Json) -> Result<JobView, Fault> {
    kontor.records.bulk_job(actor, "account", request(body), None).wait().map(Shown::into_view)
}

fn preview(kontor: &TestAppliance, actor: &Arc<Actor>, body: Json) -> PreviewView {
    kontor.records.bulk_preview(actor, "account", request(body)).wait().unwrap().into_view()
}

/// Waits until a job has ended.
fn ended(kontor: &TestAppliance, actor: &Arc<Actor>, job: RecordId) -> JobView {
    let mut heard = 0;
    for _ in 0..600 {
        let view = kontor.records.job(actor, job).wait().unwrap().into_view();
        if view.state != JobState::Running {
            return view;
        }
        heard = kontor.store.bell().wait(heard, Duration::from_millis(100));
    }
    panic!("the job does not end");
}

fn names(kontor: &TestAppliance, what: &str) -> i64 {
    kontor.sql_number(&format!("SELECT count(*) FROM account WHERE legal_name = '{what}' AND deleted_at IS NULL"))
}

/// Accounts of anna, one of them of somebody else.
fn world(kontor: &TestAppliance, count: usize) -> (Arc<Actor>, Vec<RecordId>) {
    let (lead, other) = (kontor.user("lead", &["sales_manager"], None), kontor.user("other", &["seller"], None));
    let make = |number: usize| {
        kontor.make("account", json!({"name": format!("A{number}"), "legal_name": "old", "owner": lead}))
    };
    let ids = (0..count).map(make).collect();
    kontor.make("account", json!({"name": "Far", "legal_name": "old", "owner": other}));
    (kontor.actor(lead), ids)
}

#[test]
fn all_that_match_are_changed_and_changed_back_where_untouched() {
    on_both_engines(|kontor| {
        let (lead, ids) = world(kontor, 230);
        kontor.change(&lead, "account", ids[0], json!({"legal_name": "new"})).unwrap();
        let all = json!({"field": "name", "op": "contains", "value": "A"});
        let change = json!({"action": "update", "fields": {"legal_name": "new", "phone": "+49 451 123456"}});
        let job = begin(kontor, &lead, json!({"change": change, "filter": all})).unwrap();
        assert_eq!((job.total, job.state, job.action.as_str()), (230, JobState::Running, "update"));
        let done = ended(kontor, &lead, job.id);
        assert_eq!((done.state, done.done, done.same, done.failed, done.can_undo), (JobState::Done, 230, 0, 0, true));
        assert_eq!((names(kontor, "new"), names(kontor, "old")), (230, 1), "a record out of reach is none of them");
        let rows = kontor
            .records
            .job_rows(&lead, job.id, Some(BulkOutcome::Done), None, Some(200))
            .wait()
            .unwrap()
            .into_view();
        let rest = kontor.records.job_rows(&lead, job.id, None, rows.next, Some(200)).wait().unwrap().into_view();
        assert_eq!((rows.items.len(), rest.items.len(), rest.next), (200, 30, None));
        let stored = kontor.sql("SELECT * FROM k_job").join("");
        assert!(!stored.contains("123456") && !stored.contains("legal_name"), "{stored}");

        kontor.change(&lead, "account", ids[7], json!({"name": "Touched"})).unwrap();
        let undo = kontor.records.job_undo(&lead, job.id).wait().unwrap().into_view();
        let undone = ended(kontor, &lead, undo.id);
        assert_eq!((undone.done, undone.failed, undone.undo_of, undone.can_undo), (229, 1, Some(job.id), false));
        assert_eq!(
            (names(kontor, "new"), names(kontor, "old")),
            (2, 229),
            "what was different before is different again"
        );
        let failed =
            kontor.records.job_rows(&lead, undo.id, Some(BulkOutcome::Failed), None, None).wait().unwrap().into_view();
        assert_eq!(
            (failed.items.len(), failed.items[0].id, failed.items[0].code.as_deref()),
            (1, ids[7], Some("version_conflict"))
        );
        let opened = kontor.open(&lead, "account", ids[1]).unwrap();
        assert_eq!((&opened.fields["legal_name"], &opened.fields["phone"]), (&json!("old"), &Json::Null));
        assert_eq!(kontor.records.job_undo(&lead, job.id).wait().unwrap_err().code, Code::UndoRefused);
        let listed = kontor.records.jobs(&lead).wait().unwrap().into_view().items;
        assert!(listed.len() == 2 && listed.iter().any(|listed| listed.undone_by == Some(undo.id)));
        let notes: Vec<String> = kontor
            .log()
            .into_iter()
            .filter(|entry| entry.act.verb == audit::Verb::Bulk)
            .map(|entry| entry.note)
            .collect();
        assert_eq!(notes, [format!("job {}", job.id), format!("job {}, undo of job {}", undo.id, job.id)]);
    });
}

#[test]
fn deletes_handing_over_and_tags_can_be_undone() {
    on_both_engines(|kontor| {
        let (lead, ids) = world(kontor, 3);
        let other = kontor.user("third", &["seller"], None);
        kontor.team("Both", &[lead.user(), other]);
        let lead = kontor.actor(lead.user());
        let tag = kontor.make("tag", json!({"name": "Important"}));
        let there = |what: &str| kontor.sql_number(what);
        for (change, count) in [
            (json!({"action": "delete"}), "SELECT count(*) FROM account WHERE deleted_at IS NOT NULL".to_owned()),
            (json!({"action": "tag", "tag": tag}), "SELECT count(*) FROM l_account_tags".to_owned()),
            (
                json!({"action": "assign", "owner": other}),
                "SELECT count(*) FROM account a JOIN \"user\" u ON u.id = a.owner_id WHERE u.username = 'third'"
                    .to_owned(),
            ),
        ] {
            let job = begin(kontor, &lead, json!({"change": change, "ids": ids})).unwrap();
            assert_eq!(ended(kontor, &lead, job.id).done, 3, "{change}");
            assert_eq!(there(&count), 3, "{change}");
            let undo = kontor.records.job_undo(&lead, job.id).wait().unwrap().into_view();
            assert_eq!(ended(kontor, &lead, undo.id).done, 3, "{change}");
            assert_eq!(there(&count), 0, "{change}");
        }
    });
}

#[test]
fn a_preview_says_what_would_be_and_changes_nothing() {
    on_both_engines(|kontor| {
        let (lead, ids) = world(kontor, 4);
        kontor.change(&lead, "account", ids[0], json!({"legal_name": "new"})).unwrap();
        let stranger = RecordId::from_bytes([7; 16]);
        let before = kontor.sql_number("SELECT count(*) FROM k_audit WHERE changed IS NOT NULL");
        let change = json!({"action": "update", "fields": {"legal_name": "new"}});
        let named: Vec<RecordId> = ids.iter().copied().chain([stranger]).collect();
        let view = preview(kontor, &lead, json!({"change": change, "ids": named}));
        assert_eq!((view.count, view.tried, view.change, view.same, view.refused), (5, 5, 3, 1, 1));
        assert_eq!(
            (view.reasons[0].code, view.reasons[0].count, &view.reasons[0].ids),
            (Code::RecordNotFound, 1, &vec![stranger])
        );
        assert_eq!(view.sample[0].fields, testkit::object_of(json!({"name": "A0", "legal_name": "new"})));
        let wrong =
            preview(kontor, &lead, json!({"change": {"action": "update", "fields": {"level": "zz"}}, "q": "A1 A2"}));
        assert_eq!((wrong.count, wrong.refused), (0, 0), "no record has both words");
        let wrong =
            preview(kontor, &lead, json!({"change": {"action": "update", "fields": {"level": "zz"}}, "q": "A1"}));
        assert_eq!((wrong.count, wrong.refused, wrong.reasons[0].code), (1, 1, Code::ValidationFailed));
        assert_eq!(kontor.sql_number("SELECT count(*) FROM k_audit WHERE changed IS NOT NULL"), before);
        assert_eq!((names(kontor, "new"), kontor.sql_number("SELECT count(*) FROM k_notification")), (1, 5));
        let last = kontor.log().into_iter().rfind(|entry| entry.act.verb == audit::Verb::Bulk).unwrap();
        assert_eq!(last.note, "preview");
        let refused = |entry: &audit::Entry| entry.note == "preview" && entry.target.record == Some(stranger);
        assert_eq!(
            kontor.log().iter().filter(|entry| refused(entry)).count(),
            1,
            "a refusal is no less one when tried"
        );
    });
}

#[test]
fn jobs_are_ones_own_begin_once_and_not_without_the_right() {
    on_both_engines(|kontor| {
        let (lead, ids) = world(kontor, 2);
        let body = || request(json!({"change": {"action": "update", "fields": {"legal_name": "new"}}, "ids": ids}));
        let retry = || Some(Retry { key: "k".to_owned(), request: [1; 32] });
        let job = |retry| kontor.records.bulk_job(&lead, "account", body(), retry).wait().map(|shown| shown.view().id);
        let first = job(retry()).unwrap();
        assert_eq!(job(retry()).unwrap(), first, "sent again it is the same job");
        ended(kontor, &lead, first);
        let other = kontor.actor(kontor.user("ben", &["seller"], None));
        let code = |outcome: Result<(), Fault>| outcome.unwrap_err().code;
        assert_eq!(code(kontor.records.job(&other, first).wait().map(|_| ())), Code::JobUnknown);
        assert_eq!(code(kontor.records.job_rows(&other, first, None, None, None).wait().map(|_| ())), Code::JobUnknown);
        assert_eq!(code(kontor.records.job_undo(&other, first).wait().map(|_| ())), Code::JobUnknown);
        assert_eq!(code(kontor.records.job_stop(&other, first).wait().map(|_| ())), Code::JobUnknown);
        let agent = kontor.actor(kontor.user("nobody", &[], None));
        assert_eq!(
            code(begin(kontor, &agent, json!({"change": {"action": "delete"}, "ids": ids})).map(|_| ())),
            Code::AccessDenied
        );
        assert_eq!(
            code(begin(kontor, &lead, json!({"change": {"action": "delete"}})).map(|_| ())),
            Code::ParameterInvalid
        );
        kontor.clock.advance_seconds(kernel::limits::BULK_UNDO_SECONDS);
        assert_eq!(
            code(kontor.records.job_undo(&lead, first).wait().map(|_| ())),
            Code::UndoRefused,
            "its time is over"
        );
        kontor.sql("UPDATE k_job SET state = 'running', finished_at = NULL");
        let lost = kontor.records.job(&lead, first).wait().unwrap().into_view();
        assert_eq!(lost.state, JobState::Interrupted, "a job whose node stopped is not running for ever");
    });
}

#[test]
fn a_job_ends_with_the_rights_of_its_user() {
    on_both_engines(|kontor| {
        for suspended in [false, true] {
            let kontor = &TestAppliance::new(kontor.engine);
            let (lead, ids) = world(kontor, 230);
            let change = json!({"action": "update", "fields": {"legal_name": "new"}});
            let job = begin(kontor, &lead, json!({"change": change, "ids": ids})).unwrap();
            if suspended {
                kontor.change(&kontor.operator(), "user", lead.user(), json!({"status": "suspended"})).unwrap();
            } else {
                kontor.records.role_revoke(&kontor.operator(), lead.user(), "sales_manager").wait().unwrap();
            }
            let stopped = ended(kontor, &lead, job.id);
            assert_eq!((stopped.state, stopped.code), (JobState::Stopped, Some(Code::AccessDenied)));
            assert!(names(kontor, "new") < 230 && stopped.done + stopped.failed < 230, "{stopped:?}");
            let log = kontor.log();
            let last = log.iter().rfind(|entry| entry.act.verb == audit::Verb::Bulk).unwrap();
            assert_eq!((last.decision.error.as_str(), last.actor.user), ("access_denied", Some(lead.user())));
        }
    });
}

#[test]
fn a_job_goes_on_with_the_reach_of_now() {
    on_both_engines(|kontor| {
        let (lead, ids) = world(kontor, 230);
        let change = json!({"action": "update", "fields": {"legal_name": "new"}});
        let mut ids = ids;
        let last = kontor.user("last", &["seller"], None);
        let team = kontor.team("Both", &[lead.user(), last]);
        let lead = kontor.actor(lead.user());
        ids.push(kontor.make("account", json!({"name": "Theirs", "legal_name": "old", "owner": last})));
        kontor.open(&lead, "account", ids[230]).unwrap();
        let job = begin(kontor, &lead, json!({"change": change, "ids": ids})).unwrap();
        kontor.records.unlink(&kontor.operator(), "team", team, "members", lead.user()).wait().unwrap();
        let done = ended(kontor, &lead, job.id);
        assert_eq!((done.state, done.done, done.failed), (JobState::Done, 230, 1));
    });
}

#[test]
fn who_looks_after_users_stops_the_job_of_anybody() {
    on_both_engines(|kontor| {
        let (lead, ids) = world(kontor, 230);
        let security = kontor.actor(kontor.user("sec", &["security_admin"], None));
        let seller = kontor.actor(kontor.user("ben", &["seller"], None));
        let change = json!({"action": "update", "fields": {"legal_name": "new"}});
        let job = begin(kontor, &lead, json!({"change": change, "ids": ids})).unwrap();
        assert_eq!(kontor.records.job_stop(&seller, job.id).wait().unwrap_err().code, Code::JobUnknown);
        kontor.records.job_stop(&security, job.id).wait().unwrap();
        let stopped = ended(kontor, &lead, job.id);
        assert_eq!((stopped.state, stopped.code), (JobState::Stopped, None));
        let note = format!("stop job {}", job.id);
        let log = kontor.log();
        let entry = log.iter().find(|entry| entry.note == note).unwrap();
        assert_eq!((entry.actor.user, entry.target.record), (Some(security.user()), Some(lead.user())));
    });
}

#[test]
fn all_jobs_that_run_count_however_many_came_after_them() {
    on_both_engines(|kontor| {
        let (lead, ids) = world(kontor, 1);
        let request = || json!({"change": {"action": "update", "fields": {"legal_name": "new"}}, "ids": ids});
        let first: Vec<RecordId> = (0..kernel::limits::BULK_JOBS_PARALLEL_MAX)
            .map(|_| ended(kontor, &lead, begin(kontor, &lead, request()).unwrap().id).id)
            .collect();
        kontor.clock.advance_seconds(1);
        for _ in 0..50 {
            ended(kontor, &lead, begin(kontor, &lead, request()).unwrap().id);
        }
        for id in first {
            let id = kontor.sql_bytes(id.as_bytes());
            kontor.sql(&format!("UPDATE k_job SET state = 'running', finished_at = NULL WHERE id = {id}"));
        }
        assert_eq!(begin(kontor, &lead, request()).unwrap_err().code, Code::JobBusy);
    });
}

#[test]
fn whoever_may_not_restore_learns_nothing_of_the_version() {
    on_both_engines(|kontor| {
        let (lead, ids) = world(kontor, 1);
        let other = kontor.user("third", &["seller"], None);
        let job = begin(kontor, &lead, json!({"change": {"action": "delete"}, "ids": ids})).unwrap();
        assert_eq!(ended(kontor, &lead, job.id).done, 1);
        let boss = kontor.user("boss", &["sales_manager"], None);
        kontor.team("Near", &[boss, lead.user()]);
        kontor.team("Far", &[boss, other]);
        let boss = kontor.actor(boss);
        kontor.records.restore(&boss, "account", ids[0]).wait().unwrap();
        kontor.change(&boss, "account", ids[0], json!({"owner": other})).unwrap();
        kontor.delete(&boss, "account", ids[0]).unwrap();
        let undo = kontor.records.job_undo(&lead, job.id).wait().unwrap().into_view();
        ended(kontor, &lead, undo.id);
        let rows = kontor.records.job_rows(&lead, undo.id, None, None, None).wait().unwrap().into_view();
        assert_eq!(rows.items[0].code.as_deref(), Some("record_not_found"));
    });
}
