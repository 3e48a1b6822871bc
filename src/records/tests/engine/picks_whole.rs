//! A whole object compared with a set and brought back as a job: counted before, told record by record, undone after.

use crate::picks::keeper;
use identity::Actor;
use kernel::{Code, Fault, RecordId};
use records::{JobState, JobView, PickCompared, PickSet, PickState, PickedAll, Shown};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use testkit::{TestAppliance, on_both_engines};

fn compared(kontor: &TestAppliance, actor: &Arc<Actor>, set: &Arc<PickSet>, object: &str) -> PickCompared {
    kontor.records.pick_compare(actor, set, object).wait().unwrap();
    for _ in 0..600 {
        let view = kontor.records.pick_compared(actor, set, object).unwrap();
        if !view.running {
            return view;
        }
        // Nothing rings when it ends; between two looks it gets on.
        std::thread::park_timeout(Duration::from_millis(50));
    }
    panic!("the comparison does not end");
}

fn bring(
    kontor: &TestAppliance,
    (actor, set): (&Arc<Actor>, &Arc<PickSet>),
    what: &[&str],
    fields: Option<&[&str]>,
) -> Result<JobView, Fault> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let request = PickedAll { what: owned(what), fields: fields.map(owned) };
    kontor.records.pick_bring_all(actor, set, "account", request).wait().map(Shown::into_view)
}

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
    kontor.sql_number(&format!("SELECT count(*) FROM account WHERE {what} AND deleted_at IS NULL"))
}

#[test]
fn a_whole_object_is_compared_brought_back_and_taken_back() {
    on_both_engines(|kontor| {
        let anna = keeper(kontor);
        let make = |number: usize| {
            let body = json!({"name": format!("A{number}"), "legal_name": "old", "phone": "+49 451 1234"});
            kontor.create(&anna, "account", body).unwrap().id
        };
        let ids: Vec<RecordId> = (0..210).map(make).collect();
        let set = kontor.set(1);
        for id in &ids[..3] {
            kontor.change(&anna, "account", *id, json!({"legal_name": "new", "phone": null})).unwrap();
        }
        kontor.change(&anna, "account", ids[3], json!({"phone": "+49 451 9"})).unwrap();
        kontor.delete(&anna, "account", ids[4]).unwrap();
        for id in &ids[5..7] {
            kontor.sql(&format!("DELETE FROM account WHERE id = {}", kontor.sql_bytes(id.as_bytes())));
        }
        let early = bring(kontor, (&anna, &set), &["missing"], None);
        assert_eq!(early.unwrap_err().code, Code::JobUnknown);
        let view = compared(kontor, &anna, &set, "account");
        assert_eq!((view.looked, view.same, view.different, view.binned, view.missing), (210, 203, 4, 1, 2));
        assert_eq!((view.fields["legal_name"], view.fields["phone"], view.fields.len()), (3, 4, 2));
        assert_eq!(names(kontor, "legal_name = 'new'"), 3, "nothing was written by looking");
        let missing = kontor.records.pick_found(&anna, &set, "account", (PickState::Missing, 0)).wait();
        assert_eq!(missing.unwrap().into_view().len(), 2);

        kontor.change(&anna, "account", ids[1], json!({"name": "Touched"})).unwrap();
        let job = bring(kontor, (&anna, &set), &["different", "missing", "binned"], Some(&["legal_name"])).unwrap();
        assert_eq!((job.total, job.action.as_str()), (6, "backup_pick"));
        let done = ended(kontor, &anna, job.id);
        assert_eq!((done.state, done.done, done.failed, done.can_undo), (JobState::Done, 5, 1, true));
        assert_eq!((names(kontor, "legal_name = 'new'"), names(kontor, "1 = 1")), (1, 210));
        assert_eq!(names(kontor, "phone IS NULL"), 3, "only the field that was named");
        let rows = kontor.records.job_rows(&anna, job.id, None, None, None).wait().unwrap().into_view();
        let failed = rows.items.iter().find(|row| row.id == ids[1]).unwrap();
        assert_eq!(failed.code.as_deref(), Some("version_conflict"), "somebody was there since the comparison");

        let undo = kontor.records.job_undo(&anna, job.id).wait().unwrap().into_view();
        let undone = ended(kontor, &anna, undo.id);
        assert_eq!((undone.done, undone.failed), (5, 0));
        assert_eq!((names(kontor, "legal_name = 'new'"), names(kontor, "1 = 1")), (3, 207));
    });
}

#[test]
fn a_comparison_counts_nothing_that_is_out_of_reach() {
    on_both_engines(|kontor| {
        let (lead, other) = (kontor.user("lead", &["sales_manager"], None), kontor.user("other", &["seller"], None));
        let make = |name: &str, owner: RecordId| kontor.make("account", json!({"name": name, "owner": owner}));
        let (mine, far) = (make("Mine", lead), make("Far", other));
        let set = kontor.set(1);
        let operator = kontor.operator();
        for id in [mine, far] {
            kontor.change(&operator, "account", id, json!({"legal_name": "new"})).unwrap();
        }
        let lead = kontor.actor(lead);
        let view = compared(kontor, &lead, &set, "account");
        assert_eq!((view.looked, view.different), (1, 1));
        let job = bring(kontor, (&lead, &set), &["different"], None).unwrap();
        assert_eq!(ended(kontor, &lead, job.id).done, 1);
        assert_eq!(names(kontor, "legal_name = 'new'"), 1);
        let other = kontor.actor(other);
        assert_eq!(
            kontor.records.pick_compare(&other, &set, "account").wait().map(|_| ()).unwrap_err().code,
            Code::AccessDenied
        );
    });
}
