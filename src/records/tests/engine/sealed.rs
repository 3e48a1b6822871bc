//! Sealed fields: what can be asked of them, collisions of the blind index, unique rules, and no trace after clearing.

use kernel::Code;
use serde_json::{Value as Json, json};
use testkit::{TestAppliance, on_both_engines, told};

fn field(name: &str, kind: &str, more: Json) -> Json {
    let mut draft = json!({"name": name, "label": {"en": name, "zh": name}, "type": kind, "sensitivity": "S2"});
    draft.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    draft
}

fn object(fields: Json) -> Json {
    json!([{"change": "create_object", "definition": {"name": "x_card", "label": {"en": "Card", "zh": "卡"},
        "plural": {"en": "Cards", "zh": "卡"}, "title_field": "holder", "fields": fields}}])
}

fn cards(kontor: &TestAppliance) {
    kontor
        .define(object(json!([
            field("holder", "text", json!({"sealing": "plain", "required": true, "sensitivity": "S1"})),
            field("pan", "text", json!({"sealing": "exact", "parts": ["last4"], "mask": "last4"})),
            field("code", "text", json!({"sealing": "exact", "unique": true})),
            field("tag", "text", json!({"sealing": "plain", "unique": true, "sensitivity": "S1"})),
            field("tag_two", "text", json!({"sealing": "plain", "unique": true, "sensitivity": "S1"})),
            field("note", "long_text", json!({"sealing": "sealed"})),
            field("alias", "text", json!({"sealing": "memory"}))
        ])))
        .unwrap_or_else(|fault| panic!("{fault} {:?}", fault.items));
}

#[test]
fn questions_that_a_seal_does_not_answer_are_errors_with_a_reason() {
    on_both_engines(|kontor| {
        cards(kontor);
        let operator = kontor.operator();
        kontor.make("x_card", json!({"holder": "one", "pan": "6222021234567890", "note": "secret", "alias": "alias"}));
        let eq = |field: &str, value: &str| json!({"field": field, "op": "eq", "value": value});
        let plain = json!({"field": "holder", "op": "eq", "value": "two"});
        let exact = eq("pan", "6222021234567890");
        for (filter, answered) in [
            (exact.clone(), true),
            (json!({"and": [exact.clone(), eq("holder", "one")]}), true),
            (json!({"or": [exact.clone()]}), true),
            (json!({"and": [{"or": [{"and": [exact.clone()]}]}]}), true),
            (json!({"field": "note", "op": "empty", "value": false}), true),
            (json!({"field": "alias", "op": "empty", "value": false}), true),
            (json!({"or": [exact.clone(), plain.clone()]}), false),
            (json!({"or": [plain, {"and": [exact]}]}), false),
            (eq("note", "secret"), false),
            (eq("alias", "alias"), false),
            (json!({"field": "pan", "op": "contains", "value": "7890"}), false),
            (json!({"field": "pan", "op": "ne", "value": "1"}), false),
            (json!({"field": "pan", "op": "ge", "value": "1"}), false),
        ] {
            match kontor.found(&operator, "x_card", "holder", &filter, &[]) {
                Ok(found) => assert!(answered && found == [json!("one")], "{filter} found {found:?}"),
                Err(fault) => assert!(
                    !answered && fault.code == Code::FieldNotFilterable && fault.detail.contains("sealed"),
                    "{filter}: {fault}"
                ),
            }
        }
        let deal = json!({"field": "account.phone", "op": "eq", "value": "+49 451 1"});
        assert_eq!(
            kontor.found(&operator, "opportunity", "name", &deal, &[]).unwrap_err().code,
            Code::FieldNotFilterable
        );
    });
}

#[test]
fn a_collision_of_the_blind_index_shows_no_wrong_row() {
    on_both_engines(|kontor| {
        let operator = kontor.operator();
        // 8 bits: users share index entries by the dozen.
        for at in 0..300 {
            kontor.make("user", json!({"username": format!("u{at}"), "display_name": format!("U {at}"), "email": format!("u{at}@example.com")}));
        }
        let distinct = kontor.sql_number("SELECT count(DISTINCT email__bx) FROM \"user\"");
        assert!(distinct <= 256, "the test needs collisions, and has {distinct} entries for 300 values");
        for at in (0..300).step_by(37) {
            let filter = json!({"field": "email", "op": "eq", "value": format!("U{at}@EXAMPLE.com")});
            assert_eq!(kontor.found(&operator, "user", "username", &filter, &[]).unwrap(), [json!(format!("u{at}"))]);
        }
        let none = json!({"field": "email", "op": "in", "value": ["nobody@example.com", "noone@example.com", "nix@example.com"]});
        assert!(kontor.found(&operator, "user", "username", &none, &[]).unwrap().is_empty());
        let counted = kontor
            .list(
                &operator,
                "user",
                json!({"filter": {"field": "email", "op": "eq", "value": "u7@example.com"}, "count": "exact"}),
            )
            .unwrap();
        assert_eq!(counted.count, Some(1));
        let many: Vec<String> = (0..50).map(|at| format!("u{at}@example.com")).collect();
        let request = |cursor: Json| json!({"filter": {"field": "email", "op": "in", "value": many}, "sort": ["username"], "fields": ["username"], "limit": 7, "cursor": cursor});
        let (mut cursor, mut seen) = (Json::Null, Vec::new());
        loop {
            let page = kontor.list(&operator, "user", request(cursor)).unwrap();
            seen.extend(page.items.into_iter().map(|item| item.fields["username"].as_str().unwrap().to_owned()));
            match page.next {
                Some(next) => cursor = json!(next),
                None => break,
            }
        }
        let mut expected: Vec<String> = (0..50).map(|at| format!("u{at}")).collect();
        expected.sort();
        assert_eq!(seen, expected, "candidates that drop out leave no gap between pages");
    });
}

#[test]
fn unique_rules_hold_for_live_records() {
    on_both_engines(|kontor| {
        cards(kontor);
        kontor.role(json!({"name": "clerk", "label": {"en": "C", "zh": "C"}, "description": {"en": "C", "zh": "C"},
            "objects": {"*": {"read": "all", "create": "all", "update": "all", "delete": "all", "assign": "all"}}, "levels": {"S1": "edit", "S2": "edit"}}));
        let clerk = kontor.actor(kontor.user("clerk", &["clerk"], None));
        for name in ["code", "tag", "tag_two"] {
            let body = |holder: &str| json!({"holder": holder, name: "Same-1"});
            let first = kontor
                .create(&clerk, "x_card", body("first"))
                .unwrap_or_else(|fault| panic!("{name}: {fault} {:?}", fault.cause()));
            let clash = kontor.create(&clerk, "x_card", body("second")).unwrap_err();
            let expected = (Code::ValueNotUnique, vec![(format!("/{name}"), Code::ValueNotUnique)]);
            assert_eq!(told(&clash), expected, "{name}");
            assert!(!format!("{clash:?}").contains("Same-1"), "an error repeats no value");
            let other = kontor.create(&clerk, "x_card", json!({"holder": "other", name: "Other"})).unwrap();
            assert_eq!(
                told(&kontor.change(&clerk, "x_card", other.id, json!({name: "Same-1"})).unwrap_err()),
                expected
            );
            kontor.delete(&clerk, "x_card", first.id).unwrap();
            let second = kontor.create(&clerk, "x_card", body("second")).unwrap();
            let back = kontor.records.restore(&clerk, "x_card", first.id).wait().unwrap_err();
            assert_eq!(told(&back), expected, "{name}");
            kontor.change(&clerk, "x_card", second.id, json!({name: null})).unwrap();
            kontor.records.restore(&clerk, "x_card", first.id).wait().unwrap();
            kontor
                .change(&clerk, "x_card", second.id, json!({"holder": "two values of nothing are no clash"}))
                .unwrap();
            kontor.create(&clerk, "x_card", json!({"holder": "third"})).unwrap();
        }
        kontor.seal_log();
        let report = kontor.verify(4);
        assert!(report.ok, "{:?}: every refused write left the rows as the log has them", report.findings);
    });
}

#[test]
fn clearing_a_value_leaves_nothing_to_find() {
    on_both_engines(|kontor| {
        cards(kontor);
        let operator = kontor.operator();
        let card = kontor.make(
            "x_card",
            json!({"holder": "one", "pan": "6222021234567890", "code": "K1", "note": "n", "alias": "a"}),
        );
        let find = |value: &str| {
            kontor
                .found(&operator, "x_card", "holder", &json!({"field": "pan", "op": "eq", "value": value}), &[])
                .unwrap()
                .len()
        };
        assert_eq!(find("6222021234567890"), 1);
        kontor.change(&operator, "x_card", card, json!({"pan": "5555"})).unwrap();
        assert_eq!((find("6222021234567890"), find("5555")), (0, 1));
        kontor
            .change(&operator, "x_card", card, json!({"pan": null, "code": null, "note": null, "alias": null}))
            .unwrap();
        assert_eq!(find("5555"), 0);
        let left = "SELECT count(*) FROM x_card WHERE coalesce(pan, code, note, alias, code__ux) IS NOT NULL OR coalesce(pan__bx, pan__bx_last4, code__bx) IS NOT NULL";
        assert_eq!(kontor.sql_number(left), 0);
    });
}

#[test]
fn a_value_moved_to_another_row_does_not_open() {
    on_both_engines(|kontor| {
        cards(kontor);
        let operator = kontor.operator();
        let one = kontor.make("x_card", json!({"holder": "one", "pan": "1111222233334444"}));
        let two = kontor.make("x_card", json!({"holder": "two", "pan": "5555666677778888"}));
        kontor.sql("UPDATE x_card SET pan = (SELECT other.pan FROM x_card other WHERE other.holder = 'one') WHERE holder = 'two'");
        assert!(kontor.open(&operator, "x_card", one).is_ok());
        let fault = kontor.open(&operator, "x_card", two).unwrap_err();
        assert!(!format!("{fault:?}").contains("1111"), "{fault:?}");
    });
}
