//! Counts and sums: right numbers per group and currency, the same on both engines, within scope and levels only.

use identity::Actor;
use kernel::{Code, Fault};
use records::{Shown, SummaryView};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use testkit::{TestAppliance, on_both_engines, same_on_both_engines, told};

fn summary(kontor: &TestAppliance, actor: &Arc<Actor>, object: &str, request: Json) -> Result<SummaryView, Fault> {
    let request = serde_json::from_value(request).unwrap();
    kontor.records.summary(actor, object, request).wait().map(Shown::into_view)
}

/// Deals of two sellers in two currencies.
fn deals(kontor: &TestAppliance) -> (Arc<Actor>, Arc<Actor>) {
    let (anna, ben) = (kontor.user("anna", &["seller"], None), kontor.user("ben", &["seller"], None));
    let account =
        kontor.make("account", json!({"name": "Hanse", "owner": anna, "registered_address": {"city": "Lübeck"}}));
    kontor.make("account", json!({"name": "Alster", "owner": anna, "registered_address": {"city": "Hamburg"}}));
    for (owner, stage, amount, currency, day) in [
        (anna, "proposal", "10.50", "EUR", "2025-12-29"),
        (anna, "proposal", "0.25", "EUR", "2026-01-04"),
        (anna, "proposal", "1000", "JPY", "2026-01-05"),
        (anna, "won", "7", "EUR", "2026-03-31"),
        (ben, "won", "99", "EUR", "2026-04-01"),
    ] {
        kontor.make("opportunity", json!({"name": "Deal", "account": account, "owner": owner, "stage": stage, "amount": {"amount": amount, "currency": currency}, "expected_close": day}));
    }
    kontor.make(
        "opportunity",
        json!({"name": "Bare", "account": account, "owner": anna, "stage": "proposal", "expected_close": "2026-03-31"}),
    );
    (kontor.actor(anna), kontor.actor(ben))
}

#[test]
fn groups_sums_and_means_by_currency() {
    same_on_both_engines(|kontor| {
        let (anna, ben) = deals(kontor);
        let by_stage = summary(
            kontor,
            &anna,
            "opportunity",
            json!({"group_by": ["stage"], "sums": ["amount"], "averages": ["amount"]}),
        )
        .unwrap();
        let (first, second) = (&by_stage.groups[0], &by_stage.groups[1]);
        assert_eq!(
            (json!(first.key), first.figures.count, first.label[0].as_deref()),
            (json!(["proposal"]), 4, Some("Proposal"))
        );
        assert_eq!(
            first.figures.sums["amount"],
            json!([{"amount": "10.75", "currency": "EUR"}, {"amount": "1000", "currency": "JPY"}])
        );
        assert_eq!(
            first.figures.averages["amount"],
            json!([{"amount": "5.38", "currency": "EUR"}, {"amount": "1000", "currency": "JPY"}])
        );
        assert_eq!(
            (json!(second.key), second.figures.count),
            (json!(["won"]), 1),
            "another seller's deals do not count"
        );
        assert_eq!(by_stage.total.count, 5);
        assert_eq!(
            by_stage.total.sums["amount"],
            json!([{"amount": "17.75", "currency": "EUR"}, {"amount": "1000", "currency": "JPY"}])
        );
        let of = |actor: &Arc<Actor>, request| {
            serde_json::to_value(summary(kontor, actor, "opportunity", request).unwrap()).unwrap()
        };
        let total = of(&ben, json!({"sums": ["amount"]}));
        assert_eq!(
            total,
            json!({"groups": [], "more": false, "total": {"count": 1, "sums": {"amount": [{"amount": "99.00", "currency": "EUR"}]}}})
        );
        let few = of(&anna, json!({"group_by": ["stage"], "limit": 1}));
        assert!(few["more"] == true && few["total"]["count"] == 5, "{few}");
        let filtered =
            of(&anna, json!({"group_by": ["stage"], "filter": {"field": "stage", "op": "eq", "value": "won"}}));
        assert_eq!((filtered["total"]["count"].as_u64(), filtered["groups"].as_array().unwrap().len()), (Some(1), 1));
        let by_account = summary(kontor, &anna, "opportunity", json!({"group_by": ["account"]})).unwrap();
        assert_eq!(by_account.groups[0].label[0].as_deref(), Some("Hanse"));
        let for_ben = summary(kontor, &ben, "opportunity", json!({"group_by": ["account"]})).unwrap();
        assert_eq!(for_ben.groups[0].label[0], None, "the account is out of reach, and so is its title");
        let cities = summary(kontor, &anna, "account", json!({"group_by": ["registered_address.city"]}));
        let cities = cities.map(|view| view.groups.iter().map(|group| group.key[0].clone()).collect::<Vec<_>>());
        json!([by_stage.total, few["total"], filtered["groups"], cities.ok()])
    });
}

#[test]
fn lengths_of_time() {
    same_on_both_engines(|kontor| {
        let (anna, _) = deals(kontor);
        let days = |group: &str, object: &str| {
            let view = summary(kontor, &anna, object, json!({"group_by": [group]})).unwrap();
            view.groups.iter().map(|group| json!([group.key[0], group.figures.count])).collect::<Vec<_>>()
        };
        assert_eq!(json!(days("expected_close:year", "opportunity")), json!([["2025-01-01", 1], ["2026-01-01", 4]]));
        assert_eq!(json!(days("expected_close:quarter", "opportunity")), json!([["2025-10-01", 1], ["2026-01-01", 4]]));
        assert_eq!(
            json!(days("expected_close:month", "opportunity")),
            json!([["2025-12-01", 1], ["2026-01-01", 2], ["2026-03-01", 2]])
        );
        assert_eq!(
            json!(days("expected_close:week", "opportunity")),
            json!([["2025-12-29", 2], ["2026-01-05", 1], ["2026-03-30", 2]])
        );
        assert_eq!(json!(days("expected_close:day", "opportunity")).as_array().unwrap().len(), 4);
        let all = ["year", "quarter", "month", "week", "day"]
            .map(|bucket| days(&format!("created_at:{bucket}"), "opportunity"));
        assert_eq!(
            json!(all),
            json!([
                [["2026-01-01", 5]],
                [["2026-01-01", 5]],
                [["2026-03-01", 5]],
                [["2026-03-02", 5]],
                [["2026-03-02", 5]]
            ])
        );
        json!(all)
    });
}

#[test]
fn a_sealed_condition_is_opened_before_it_counts() {
    on_both_engines(|kontor| {
        let lead = kontor.user("lead", &["sales_manager"], None);
        for (name, mail) in [("A", "a@x.example"), ("B", "b@x.example"), ("C", "a@x.example")] {
            kontor.make("account", json!({"name": name, "email": mail, "owner": lead}));
        }
        let lead = kontor.actor(lead);
        let count = |mail: &str| {
            summary(
                kontor,
                &lead,
                "account",
                json!({"group_by": ["owner"], "filter": {"field": "email", "op": "eq", "value": mail}}),
            )
            .unwrap()
            .total
            .count
        };
        assert_eq!((count("a@x.example"), count("b@x.example"), count("c@x.example")), (2, 1, 0));
    });
}

#[test]
fn what_may_not_be_read_is_neither_counted_by_nor_added_up() {
    on_both_engines(|kontor| {
        let (anna, _) = deals(kontor);
        for (request, pointer) in [
            (json!({"group_by": ["credit_rating"]}), "/group_by/0"),
            (json!({"sums": ["credit_limit"]}), "/sums/0"),
            (json!({"averages": ["credit_limit"]}), "/averages/0"),
            (json!({"group_by": ["email"]}), "/group_by/0"),
            (json!({"group_by": ["owner", "created_at"]}), "/group_by/1"),
            (json!({"group_by": ["name:month"]}), "/group_by/0"),
            (json!({"group_by": ["created_at:decade"]}), "/group_by/0"),
            (json!({"sums": ["name"]}), "/sums/0"),
        ] {
            let fault = summary(kontor, &anna, "account", request.clone()).unwrap_err();
            let (code, parts) = told(&fault);
            assert_eq!((code, parts[0].0.as_str()), (Code::FieldNotFilterable, pointer), "{request}");
        }
        let denied = kontor
            .log()
            .iter()
            .filter(|entry| entry.act.verb == audit::Verb::Summary && entry.decision.error == "field_not_filterable")
            .count();
        assert_eq!(denied, 3, "what is forbidden is logged, what is mistyped is not");
        let code = |request| summary(kontor, &anna, "account", request).unwrap_err().code;
        assert_eq!(code(json!({"group_by": ["owner", "unit", "team"]})), Code::LimitExceeded);
        assert_eq!(code(json!({"limit": 0})), Code::ParameterInvalid);
        assert_eq!(code(json!({"group_by": ["nothing"]})), Code::ParameterInvalid);
        let nobody = kontor.actor(kontor.user("nobody", &[], None));
        assert_eq!(summary(kontor, &nobody, "account", json!({})).unwrap_err().code, Code::AccessDenied);
    });
}

#[test]
fn it_is_logged_like_a_list() {
    on_both_engines(|kontor| {
        let (anna, _) = deals(kontor);
        summary(kontor, &anna, "opportunity", json!({"group_by": ["account"], "sums": ["amount"], "q": "Deal"}))
            .unwrap();
        let log = kontor.log();
        let entry = log.iter().rfind(|entry| entry.act.verb == audit::Verb::Summary).unwrap();
        assert!(
            entry.target.count == 4
                && entry.target.ids.len() == 1
                && entry.target.query.is_some()
                && entry.target.scope.is_some()
        );
        assert_eq!(entry.related[0].object, "account", "titles that were shown along");
        assert!(!entry.decision.rules.is_empty());
    });
}

#[test]
fn groups_that_are_single_records_are_refused_or_named() {
    on_both_engines(|kontor| {
        let anna = kontor.user("anna", &["seller"], None);
        let text = |name: &str, sensitivity: &str| json!({"change": "add_field", "object": "account", "field": {"name": name, "label": {"en": name, "zh": name}, "type": "text", "max_chars": 20, "sensitivity": sensitivity}});
        kontor.define(json!([text("nickname", "S2"), text("motto", "S1")])).unwrap();
        let make = |name: &str, motto: &str| {
            kontor.make("account", json!({"name": name, "motto": motto, "owner": anna, "credit_code": null}))
        };
        let (one, _, _) = (make("A", "alone"), make("B", "both"), make("C", "both"));
        let anna = kontor.actor(anna);
        for field in ["number", "credit_code", "nickname"] {
            let fault = summary(kontor, &anna, "account", json!({"group_by": [field]})).unwrap_err();
            assert_eq!(fault.code, Code::FieldNotFilterable, "{field}");
        }
        let ids = |request: Json| {
            summary(kontor, &anna, "account", request).unwrap();
            kontor.log().into_iter().rfind(|entry| entry.act.verb == audit::Verb::Summary).unwrap().target.ids
        };
        assert_eq!(ids(json!({"group_by": ["motto"]})), [one]);
        assert_eq!(ids(json!({"filter": {"field": "motto", "op": "eq", "value": "alone"}})), [one]);
        assert!(ids(json!({"filter": {"field": "motto", "op": "eq", "value": "both"}})).is_empty());
    });
}
