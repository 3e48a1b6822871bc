//! Whatever is sent as a filter or a cursor: an answer or a named error, never a panic and never an error of ours.

use kernel::Code;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};
use testkit::{Engine, TestAppliance};

fn scraps() -> impl Strategy<Value = Json> {
    let fields = [
        "name",
        "phone",
        "level",
        "owner",
        "registered_address",
        "registered_address.city",
        "annual_revenue",
        "created_at",
        "kyc_next_on",
        "parent.name",
        "parent.phone",
        "score_explain",
        "is_sample",
        "number",
        "tax_no",
        "id",
        "rid",
        "",
        "a.b.c",
    ];
    let ops = [
        "eq",
        "ne",
        "lt",
        "ge",
        "in",
        "between",
        "contains",
        "starts_with",
        "has",
        "empty",
        "mine",
        "my_team",
        "my_unit_and_below",
        "today",
        "last_7_days",
        "and",
        "DROP",
    ];
    let values = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(Json::from),
        Just(json!("a")),
        Just(json!("2026-01-01")),
        Just(json!("+49 451 1")),
        Just(json!({"amount": "1", "currency": "EUR"})),
        Just(json!([1, "a", null])),
        Just(json!(["a", "b"])),
        Just(json!([])),
        Just(json!("%_\\'\"\0")),
    ];
    let leaf = (proptest::sample::select(fields.to_vec()), proptest::sample::select(ops.to_vec()), values.clone())
        .prop_map(|(field, op, value)| json!({"field": field, "op": op, "value": value}));
    prop_oneof![4 => leaf, 1 => values].prop_recursive(4, 24, 4, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![3 => list.clone().prop_map(|list| json!({"and": list})), 3 => list.clone().prop_map(|list| json!({"or": list})), 1 => list.prop_map(Json::Array),
            1 => (".{0,8}", inner).prop_map(|(key, value)| json!({key: value}))]
    })
}

#[test]
fn any_filter_is_answered_or_refused_by_name() {
    let appliances = [TestAppliance::new(Engine::Embedded), TestAppliance::new(Engine::Server)];
    for kontor in &appliances {
        for name in ["a", "b", "王伟"] {
            kontor.make("account", json!({"name": name, "level": "a", "phone": "+49 451 1", "annual_revenue": {"amount": "1", "currency": "EUR"}}));
        }
    }
    let mut runner = TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&scraps(), |filter| {
        let answers = appliances.each_ref().map(|kontor| {
            match kontor.found(&kontor.operator(), "account", "name", &filter, &["name", "level"]) {
                Ok(names) => json!(names),
                Err(fault) => {
                    assert_ne!(fault.code, Code::Internal, "{filter}: {:?}", fault.cause());
                    json!(fault.code.as_str())
                }
            }
        });
        prop_assert_eq!(&answers[0], &answers[1], "the engines answer differently: {}", filter);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn any_cursor_is_read_or_refused() {
    let kontor = TestAppliance::new(Engine::Server);
    for at in 0..5 {
        kontor.make("account", json!({"name": format!("a{at}"), "level": "a"}));
    }
    let operator = kontor.operator();
    let good =
        kontor.list(&operator, "account", json!({"sort": ["level", "-name"], "limit": 2})).unwrap().next.unwrap();
    let mut runner = TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
    let changed = (0..good.len(), proptest::char::range('A', 'z'));
    runner
        .run(&changed, |(at, character)| {
            let cursor: String =
                good.char_indices().map(|(here, old)| if here == at { character } else { old }).collect();
            if let Err(fault) = kontor.list(&operator, "account", json!({"sort": ["level", "-name"], "cursor": cursor}))
            {
                prop_assert_eq!(fault.code, Code::CursorInvalid);
            }
            Ok(())
        })
        .unwrap();
}
