//! Layouts: stored with the definitions, the same for every process, and never wider than what a reader may know.

use kernel::Code;
use serde_json::{Value as Json, json};
use testkit::{TestAppliance, on_both_engines};

fn section(name: &str, fields: &[&str]) -> Json {
    json!({"label": {"en": name, "zh": name}, "fields": fields})
}

fn arrange(kontor: &TestAppliance, layout: Json, version: u64) -> Result<records::PlanView, kernel::Fault> {
    kontor.define(json!([{"change": "set_layout", "object": "account", "layout": layout, "version": version}]))
}

#[test]
fn a_layout_is_stored_logged_and_shows_only_what_its_reader_may_know() {
    on_both_engines(|kontor| {
        kontor.role(json!({"name": "narrow", "label": {"en": "N", "zh": "N"}, "description": {"en": "N", "zh": "N"},
            "objects": {"account": {"read": "all"}}, "levels": {"S0": "read", "S1": "read", "S2": "read"}, "fields": {"account.credit_limit": "none", "account.kyc_status": "none"}}));
        let narrow = kontor.actor(kontor.user("nora", &["narrow"], None));
        let view = |actor: &std::sync::Arc<identity::Actor>| kontor.records.object(actor, "account").unwrap();
        let standard = view(&kontor.operator()).layout;
        assert!((standard.version, standard.arranged) == (0, false) && standard.sections.len() >= 5);
        let layout = json!({"highlights": ["credit_limit", "phone"], "create": ["name", "kyc_status"], "sections": [
            section("Secret affairs", &["credit_limit", "kyc_status"]), section("All", &["name", "phone"])], "hidden": ["fax"]});
        let done = arrange(kontor, layout.clone(), 0).unwrap();
        assert!(done.notes.iter().any(|note| note.en.contains("Fax")), "{:?}", done.notes);
        let whole = view(&kontor.operator()).layout;
        assert_eq!((whole.version, whole.arranged), (1, true));
        assert_eq!(
            whole.sections.iter().map(|section| section.label.en.as_str()).collect::<Vec<_>>(),
            ["Secret affairs", "All", "Further fields"]
        );
        let shown = serde_json::to_string(&view(&narrow)).unwrap();
        for secret in ["credit_limit", "kyc_status", "Secret affairs"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert_eq!(view(&narrow).layout.highlights, ["phone"]);
        let entry = kontor.log().into_iter().find(|entry| entry.act.verb == audit::Verb::DefinitionChange).unwrap();
        assert!(entry.note.contains("Arranges the pages of account"), "{}", entry.note);
        let late = arrange(kontor, layout.clone(), 0).unwrap_err();
        assert_eq!(late.items.first().map(|item| item.code), Some(Code::VersionConflict));
        // Another process, and this one after a restart, read the same.
        let stored = kontor.sql("SELECT definition FROM k_object WHERE name = 'account'");
        assert!(format!("{stored:?}").contains("Secret affairs"));
        arrange(kontor, Json::Null, 1).unwrap();
        let back = view(&kontor.operator()).layout;
        assert_eq!((back.version, back.arranged, back.sections == standard.sections), (2, false, true));
    });
}

#[test]
fn a_field_that_nobody_placed_is_on_the_page() {
    on_both_engines(|kontor| {
        let layout =
            json!({"highlights": [], "create": ["name"], "sections": [section("One", &["name"])], "hidden": []});
        arrange(kontor, layout, 0).unwrap();
        kontor.define(json!([{"change": "add_field", "object": "account", "field": {"name": "x_berth", "label": {"en": "Berth", "zh": "泊位"}, "type": "text", "sensitivity": "S1"}}])).unwrap();
        let seller = kontor.actor(kontor.user("anna", &["seller"], None));
        let layout = kontor.records.object(&seller, "account").unwrap().layout;
        assert!(layout.sections.last().unwrap().fields.contains(&"x_berth".to_owned()), "{layout:?}");
    });
}
