//! The check for duplicates on both engines: what is found, what is told of records out of reach, who may ask.

use audit::{How, Verb};
use identity::Actor;
use kernel::{Code, Fault};
use records::{DuplicatesRequest, DuplicatesView};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use testkit::{TestAppliance, object_of, on_both_engines};

fn ask(kontor: &TestAppliance, actor: &Arc<Actor>, values: Json) -> Result<DuplicatesView, Fault> {
    let request = DuplicatesRequest { values: object_of(values), except: None };
    kontor.records.duplicates(actor, "account", request).wait().map(records::Shown::into_view)
}

#[test]
fn the_same_customer_is_seen_before_it_is_made_twice() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let ben = kontor.actor(kontor.user("ben", &["seller"], None));
        let hanse = json!({"name": "Hanse Kontor", "phone": "+49 451 1234567", "website": "https://hanse.example"});
        let hanse = kontor.create(&anna, "account", hanse).unwrap().id;

        let found = ask(kontor, &anna, json!({"phone": "0049 451 1234567", "name": "hanse kontor"})).unwrap();
        assert_eq!((found.items.len(), found.others), (1, false));
        assert_eq!((found.items[0].id, found.items[0].title.as_deref()), (hanse, Some("Hanse Kontor")));
        assert_eq!(found.items[0].why, ["phone", "name"]);
        let entry = kontor.log().into_iter().rfind(|entry| entry.note.starts_with("duplicates")).unwrap();
        assert_eq!((entry.act.verb, entry.target.ids.as_slice()), (Verb::Search, [hanse].as_slice()));
        let used: Vec<_> = entry.fields.iter().map(|used| (used.field.as_str(), used.how)).collect();
        assert!(used.contains(&("phone", How::UsedInFilter)), "{used:?}");

        let mine = DuplicatesRequest { values: object_of(json!({"phone": "+49 451 1234567"})), except: Some(hanse) };
        let mine = kontor.records.duplicates(&anna, "account", mine).wait().unwrap().into_view();
        assert_eq!((mine.items.len(), mine.others), (0, false), "a record is no duplicate of itself");

        // Out of reach: that there is one, never which; a name out of reach is not told of at all.
        let found = ask(kontor, &ben, json!({"phone": "+49 451 1234567"})).unwrap();
        assert_eq!((found.items.len(), found.others), (0, true));
        let found = ask(kontor, &ben, json!({"name": "Hanse Kontor"})).unwrap();
        assert_eq!((found.items.len(), found.others), (0, false));

        // Half a value is no error, an unknown field is, and what tells nothing apart is not compared.
        let found = ask(kontor, &anna, json!({"phone": "+49 4", "website": "https://hanse.example"})).unwrap();
        assert_eq!((found.items.len(), found.compared.len()), (0, 0));
        let unknown = ask(kontor, &anna, json!({"fone": "1"})).unwrap_err();
        assert_eq!((unknown.code, unknown.items[0].code), (Code::ParameterInvalid, Code::FieldUnknown));
        let many: Vec<(String, Json)> = (0..21).map(|number| (format!("f{number}"), json!(1))).collect();
        assert_eq!(ask(kontor, &anna, many.into_iter().collect()).unwrap_err().code, Code::LimitExceeded);

        let karl = kontor.actor(kontor.user("karl", &["audit_admin"], None));
        assert_eq!(ask(kontor, &karl, json!({"name": "Hanse"})).unwrap_err().code, Code::AccessDenied);
        kontor.delete(&anna, "account", hanse).unwrap();
        let found = ask(kontor, &ben, json!({"phone": "+49 451 1234567"})).unwrap();
        assert!(!found.others, "what lies in the bin is not in the way");
    });
}

#[test]
fn who_may_only_look_may_not_ask() {
    on_both_engines(|kontor| {
        let words = json!({"en": "Reader", "zh": "读者"});
        kontor.role(json!({"name": "reader", "label": words, "description": words,
            "objects": {"account": {"read": "all"}}, "levels": {"S0": "read", "S1": "read", "S2": "read"}}));
        let reader = kontor.actor(kontor.user("reader", &["reader"], None));
        kontor.make("account", json!({"name": "Hanse", "phone": "+49 451 1234567"}));
        assert_eq!(ask(kontor, &reader, json!({"phone": "+49 451 1234567"})).unwrap_err().code, Code::AccessDenied);

        // A field that one may not read in clear cannot be asked by.
        kontor.role(json!({"name": "masked", "label": words, "description": words,
            "objects": {"account": {"read": "all", "create": "all"}},
            "levels": {"S0": "edit", "S1": "edit", "S2": "masked"}}));
        let masked = kontor.actor(kontor.user("masked", &["masked"], None));
        let found = ask(kontor, &masked, json!({"phone": "+49 451 1234567"})).unwrap();
        assert!(found.items.is_empty() && !found.others && found.compared.is_empty());
    });
}
