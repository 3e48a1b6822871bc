//! Since when a record is in its stage: kept by the appliance on every road, never set by hand, sorted and filtered by.

use kernel::Code;
use serde_json::{Value as Json, json};
use testkit::{on_both_engines, told};

#[test]
fn the_time_of_the_last_change_of_stage_is_kept_and_nothing_else_moves_it() {
    on_both_engines(|kontor| {
        let boss = kontor.actor(kontor.user("boss", &["sales_manager"], None));
        let deal = |name: &str| kontor.create(&boss, "opportunity", json!({"name": name})).unwrap().id;
        let since = |id| kontor.open(&boss, "opportunity", id).unwrap().fields["stage_changed_at"].clone();
        let (one, two) = (deal("One"), deal("Two"));
        let first = since(one);
        assert!(first.is_string(), "{first}");
        kontor.clock.advance_seconds(86_400);
        kontor.change(&boss, "opportunity", one, json!({"next_step": "Call"})).unwrap();
        kontor.change(&boss, "opportunity", one, json!({"stage": "prospecting"})).unwrap();
        assert_eq!(since(one), first, "the same stage is no change");
        kontor.change(&boss, "opportunity", one, json!({"stage": "proposal"})).unwrap();
        let second = since(one);
        assert!(second.as_str() > first.as_str(), "{first} {second}");
        let history = kontor.history(&boss, "opportunity", one).unwrap();
        assert_eq!(history.items[0].changes.len(), 1, "the act has its time already");
        // In many records at once, and back again.
        kontor.clock.advance_seconds(86_400);
        let change = json!({"ids": [two], "change": {"action": "update", "fields": {"stage": "engaging"}}});
        kontor.records.bulk(&boss, "opportunity", serde_json::from_value(change).unwrap(), None).wait().unwrap();
        assert!(since(two).as_str() > second.as_str());
        let before = json!({"field": "stage_changed_at", "op": "le", "value": second});
        assert_eq!(kontor.found(&boss, "opportunity", "name", &before, &[]).unwrap(), [json!("One")]);
        let sorted = kontor.found(&boss, "opportunity", "name", &Json::Null, &["-stage_changed_at"]).unwrap();
        assert_eq!(sorted, [json!("Two"), json!("One")]);
        let set = kontor.change(&boss, "opportunity", one, json!({"stage_changed_at": second})).unwrap_err();
        assert_eq!(told(&set).1, [("/stage_changed_at".to_owned(), Code::FieldReadOnly)]);
        kontor.seal_log();
        assert!(kontor.verify(4).ok);
    });
}
