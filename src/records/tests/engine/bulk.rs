//! Bulk changes: one result per record, targets by filter, limits, and no way around the single-record rules.

use identity::Actor;
use kernel::{Code, RecordId};
use records::{
    BulkOutcome,
    BulkOutcome::{Done, Failed, Same},
    BulkRequest, BulkView, Shown,
};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use testkit::{TestAppliance, on_both_engines};

fn bulk(kontor: &TestAppliance, actor: &Arc<Actor>, request: Json) -> Result<BulkView, kernel::Fault> {
    let request: BulkRequest = serde_json::from_value(request).unwrap();
    kontor.records.bulk(actor, "account", request, None).wait().map(Shown::into_view)
}

fn outcomes(view: &BulkView) -> Vec<(BulkOutcome, Option<Code>)> {
    view.rows.iter().map(|row| (row.outcome, row.code)).collect()
}

#[test]
fn each_record_has_its_own_result() {
    on_both_engines(|kontor| {
        let (anna, bo) = (kontor.actor(kontor.user("anna", &["seller"], None)), kontor.user("bo", &["seller"], None));
        let make = |name: &str, level: Option<&str>| {
            kontor.create(&anna, "account", json!({"name": name, "level": level})).unwrap().id
        };
        let (one, two) = (make("One", None), make("Two", Some("a")));
        let others = kontor.create(&kontor.actor(bo), "account", json!({"name": "Bo's", "level": "b"})).unwrap().id;
        let nobody: RecordId = "0197b3d2-7c3a-7000-8000-00000000dead".parse().unwrap();
        let ids = json!([one, two, others, nobody, one]);
        let view =
            bulk(kontor, &anna, json!({"change": {"action": "update", "fields": {"level": "a"}}, "ids": ids})).unwrap();
        assert_eq!((view.done, view.failed), (1, 2));
        let unseen = (Failed, Some(Code::RecordNotFound));
        assert_eq!(outcomes(&view), [(Done, None), (Same, None), unseen, unseen], "out of reach looks like not there");
        assert_eq!((view.rows[0].version, view.rows[1].version), (Some(2), Some(1)));
        assert!(!serde_json::to_string(&view).unwrap().contains("Bo"));
        let view = bulk(
            kontor,
            &anna,
            json!({"change": {"action": "update", "fields": {"level": "zz", "risk_level": "low"}}, "ids": [one]}),
        )
        .unwrap();
        assert_eq!(view.rows[0].code, Some(Code::ValidationFailed));
        assert!(view.rows[0].detail.as_ref().unwrap().contains("/level"));
        let view =
            bulk(kontor, &anna, json!({"change": {"action": "update", "fields": {"risk_level": "low"}}, "ids": [one]}))
                .unwrap();
        assert_eq!(view.rows[0].code, Some(Code::FieldDenied));
        let view = bulk(kontor, &anna, json!({"change": {"action": "assign", "owner": bo}, "ids": [one]})).unwrap();
        assert_eq!(view.rows[0].code, Some(Code::AccessDenied), "a seller may not hand over accounts");
        let tag = kontor.make("tag", json!({"name": "T"}));
        for (action, expected) in [("tag", Done), ("tag", Same), ("untag", Done), ("untag", Same)] {
            assert_eq!(
                bulk(kontor, &anna, json!({"change": {"action": action, "tag": tag}, "ids": [one]})).unwrap().rows[0]
                    .outcome,
                expected
            );
        }
        let view = bulk(kontor, &anna, json!({"change": {"action": "delete"}, "ids": [one, others]})).unwrap();
        assert_eq!(outcomes(&view), [(Done, None), unseen]);
        let view = bulk(kontor, &anna, json!({"change": {"action": "restore"}, "ids": [one]})).unwrap();
        assert_eq!(outcomes(&view), [(Done, None)]);
        assert_eq!(kontor.open(&kontor.actor(bo), "account", others).unwrap().version, 1);
        let changed = kontor
            .log()
            .into_iter()
            .filter(|entry| entry.target.record == Some(others) && entry.decision.effect == audit::Effect::Deny)
            .count();
        assert_eq!(changed, 2, "each refusal is in the log");
    });
}

#[test]
fn targets_by_filter_are_those_in_reach() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let bo = kontor.actor(kontor.user("bo", &["seller"], None));
        for (actor, name) in [(&anna, "Anna's"), (&bo, "Bo's")] {
            for _ in 0..3 {
                kontor.create(actor, "account", json!({"name": name, "level": "d"})).unwrap();
            }
        }
        let filter = json!({"field": "level", "op": "eq", "value": "d"});
        let view =
            bulk(kontor, &anna, json!({"change": {"action": "update", "fields": {"level": "a"}}, "filter": filter}))
                .unwrap();
        assert_eq!((view.done, view.failed, view.rows.len()), (3, 0, 3));
        assert_eq!(kontor.found(&bo, "account", "name", &filter, &[]).unwrap().len(), 3);
        let refused = |request: Json| bulk(kontor, &anna, request).unwrap_err().code;
        let delete = json!({"action": "delete"});
        assert_eq!(refused(json!({"change": delete})), Code::ParameterInvalid);
        assert_eq!(
            refused(json!({"change": delete, "ids": ["0197b3d2-7c3a-7000-8000-00000000dead"], "filter": filter})),
            Code::ParameterInvalid
        );
        assert_eq!(
            refused(json!({"change": delete, "filter": {"field": "kyc_notes", "op": "eq", "value": "x"}})),
            Code::FieldNotFilterable
        );
        let many: Vec<String> =
            (0..=kernel::limits::BULK_RECORDS_MAX).map(|at| format!("0197b3d2-7c3a-7000-8000-{at:012x}")).collect();
        let fault = bulk(kontor, &anna, json!({"change": delete, "ids": many})).unwrap_err();
        assert!(fault.code == Code::LimitExceeded && fault.detail.contains("BULK_RECORDS_MAX"));
        let agent = kontor.actor(kontor.user("agent", &["service_agent"], None));
        let fault = bulk(kontor, &agent, json!({"change": delete, "filter": filter})).unwrap_err();
        assert_eq!(fault.code, Code::AccessDenied);
        let last = kontor.log().pop().unwrap();
        assert_eq!(
            (last.act.verb, last.decision.effect, last.actor.user),
            (audit::Verb::Bulk, audit::Effect::Deny, Some(agent.user()))
        );
    });
}
