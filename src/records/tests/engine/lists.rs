//! Lists: order, columns, related columns, counts, search beside a filter, limits by name.

use kernel::Code;
use serde_json::{Value as Json, json};
use testkit::{TestAppliance, same_on_both_engines};

const NAMES: [&str; 12] =
    ["Zebra", "apple", "Äpfel", "Apple", "王伟", "李娜", "wang", "lina", "ÉCLAIR", "eclair", "１２３", "123"];

fn fill(kontor: &TestAppliance) {
    for (at, name) in NAMES.iter().enumerate() {
        let tier = ["a", "b", "c"].get(at % 4);
        // Ids of one moment have no order of their own.
        kontor.clock.advance_seconds(1);
        let revenue = (at % 3 > 0).then(|| json!({"amount": (at % 3 * 10).to_string(), "currency": "EUR"}));
        kontor.make("account", json!({"name": name, "level": tier, "annual_revenue": revenue}));
    }
}

#[test]
fn people_find_names_where_they_look_for_them() {
    same_on_both_engines(|kontor| {
        fill(kontor);
        let operator = kontor.operator();
        let names = |sort: &[&str]| json!(kontor.found(&operator, "account", "name", &Json::Null, sort).unwrap());
        let up = names(&["name"]);
        // By folded, romanised key; of equal keys the older record first.
        let mut keyed: Vec<(String, usize)> =
            NAMES.iter().enumerate().map(|(at, name)| (metadata::sort_key(name), at)).collect();
        keyed.sort();
        let expected: Vec<&str> = keyed.iter().map(|(_, at)| NAMES[*at]).collect();
        assert_eq!(up, json!(expected));
        let mut down = up.as_array().unwrap().clone();
        down.reverse();
        assert_eq!(names(&["-name"]), json!(down));
        json!({"name": up, "two": names(&["level", "-annual_revenue", "name"]), "three": names(&["-level", "annual_revenue", "-name"])})
    });
}

#[test]
fn columns_are_those_asked_for_related_ones_among_them() {
    testkit::on_both_engines(|kontor| {
        let operator = kontor.operator();
        let account = kontor.make("account", json!({"name": "Hanse", "phone": "+49 451 1", "description": "long"}));
        let deal = kontor.make("opportunity", json!({"name": "Deal", "account": account, "stage": "prospecting"}));
        let lone = kontor.make("opportunity", json!({"name": "Lone", "stage": "prospecting"}));
        let view = kontor
            .list(
                &operator,
                "opportunity",
                json!({"fields": ["name", "account.name", "account.phone"], "sort": ["name"]}),
            )
            .unwrap();
        assert_eq!(
            json!(view.items[0].fields),
            json!({"name": "Deal", "account.name": "Hanse", "account.phone": "+494511"})
        );
        assert_eq!((view.items[0].id, view.items[1].id), (deal, lone));
        assert_eq!(json!(view.items[1].fields), json!({"name": "Lone"}));
        let view = kontor.list(&operator, "account", json!({})).unwrap();
        assert!(
            view.items[0].fields.contains_key("name")
                && !view.items[0].fields.contains_key("phone")
                && !view.items[0].fields.contains_key("description")
        );
        let log = kontor.log();
        let entry = log
            .iter()
            .rev()
            .find(|entry| entry.target.object == "opportunity" && entry.act.verb == audit::Verb::List)
            .unwrap();
        assert_eq!(entry.related[0].ids, [account], "the log knows whose columns were shown");
        for (request, code) in [
            (json!({"fields": ["nothing"]}), Code::ParameterInvalid),
            (json!({"fields": ["regarding.name"]}), Code::ParameterInvalid),
            (json!({"fields": ["account.nothing"]}), Code::ParameterInvalid),
            (json!({"fields": ["name.first"]}), Code::ParameterInvalid),
            (json!({"sort": ["nothing"]}), Code::ParameterInvalid),
            (json!({"limit": 0}), Code::ParameterInvalid),
            (json!({"limit": 201}), Code::ParameterInvalid),
            (json!({"sort": ["name", "name", "name", "name", "name"]}), Code::LimitExceeded),
            (json!({"fields": vec!["name"; 101]}), Code::LimitExceeded),
            (json!({"q": "x".repeat(201)}), Code::LimitExceeded),
            (json!({"q": "?!"}), Code::ParameterInvalid),
            (json!({"sort": ["description"]}), Code::FieldNotFilterable),
        ] {
            assert_eq!(
                kontor.list(&operator, "opportunity", request.clone()).err().map(|fault| fault.code),
                Some(code),
                "{request}"
            );
        }
        for (request, limit) in [
            (json!({"limit": 500}), "PAGE_ROWS_MAX"),
            (json!({"sort": vec!["name"; 5]}), "SORT_FIELDS_MAX"),
            (json!({"fields": vec!["name"; 101]}), "LIST_FIELDS_MAX"),
            (json!({"q": "x".repeat(201)}), "SEARCH_CHARS_MAX"),
        ] {
            assert!(
                kontor.list(&operator, "account", request).unwrap_err().detail.contains(limit),
                "a limit is told by its name: {limit}"
            );
        }
        assert_eq!(kontor.list(&operator, "x_nothing", json!({})).unwrap_err().code, Code::ObjectUnknown);
    });
}

#[test]
fn counts_follow_filter_search_and_scope() {
    testkit::on_both_engines(|kontor| {
        fill(kontor);
        let operator = kontor.operator();
        let seller = kontor.actor(kontor.user("anna", &["seller"], None));
        kontor
            .create(&seller, "account", json!({"name": "Apple of Anna", "level": "a", "phone": "+49 451 77"}))
            .unwrap();
        let count = |actor, request: Json| {
            let view = kontor.list(actor, "account", request).unwrap();
            (view.count, view.count_is_minimum)
        };
        assert_eq!(count(&operator, json!({"limit": 1})), (None, false));
        assert_eq!(count(&operator, json!({"limit": 1, "count": "exact"})), (Some(13), false));
        assert_eq!(count(&operator, json!({"limit": 1, "count": "estimate"})), (Some(13), false));
        assert_eq!(
            count(&operator, json!({"count": "exact", "filter": {"field": "level", "op": "eq", "value": "a"}})),
            (Some(4), false)
        );
        assert_eq!(count(&operator, json!({"count": "exact", "q": "apple"})), (Some(3), false));
        assert_eq!(
            count(
                &operator,
                json!({"count": "exact", "filter": {"field": "phone", "op": "eq", "value": "+49 451 77"}})
            ),
            (Some(1), false)
        );
        assert_eq!(
            count(&seller, json!({"count": "exact"})),
            (Some(1), false),
            "rows outside the scope are not counted"
        );
        assert_eq!(count(&seller, json!({"count": "exact", "q": "apple"})), (Some(1), false));
        assert_eq!(
            count(&seller, json!({"count": "exact", "filter": {"field": "phone", "op": "empty"}})),
            (Some(0), false)
        );
    });
}
