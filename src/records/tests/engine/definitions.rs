//! Custom objects, fields, options and relations at run time: planned, all or nothing, usable at once, O(1) on rows.

use kernel::{Code, Random};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use store::Store;
use testkit::{TestAppliance, on_both_engines, told};

fn label(text: &str) -> Json {
    json!({"en": text, "zh": text})
}

fn plan(kontor: &TestAppliance, changes: &Json) -> Result<records::PlanView, kernel::Fault> {
    kontor
        .records
        .plan(&kontor.operator(), serde_json::from_value(changes.clone()).unwrap())
        .wait()
        .map(records::Shown::into_view)
}

fn boat() -> Json {
    json!({"change": "create_object", "definition": {"name": "x_boat", "label": label("Boat"), "plural": label("Boats"), "title_field": "name", "number": {"prefix": "B-", "digits": 3}, "fields": [
        {"name": "name", "label": label("Name"), "type": "text", "sensitivity": "S1", "sealing": "plain", "required": true, "searchable": true, "indexed": true},
        {"name": "owner_phone", "label": label("Phone"), "type": "phone", "sensitivity": "S2"}],
        "links": [{"name": "crew", "label": label("Crew"), "target": "contact", "inverse": "boats", "roles": [{"code": "captain", "label": label("Captain")}]}]}})
}

#[test]
fn a_plan_shows_and_a_run_makes_usable_at_once() {
    on_both_engines(|kontor| {
        let operator = kontor.operator();
        let tables = kontor.tables();
        let changes = json!([boat(), {"change": "add_field", "object": "account", "field": {"name": "berth", "label": label("Berth"), "type": "integer", "sensitivity": "S1", "indexed": true}},
            {"change": "add_option", "object": "account", "field": "industry", "option": {"code": "shipping", "label": label("Shipping")}}]);
        let shown = plan(kontor, &changes).unwrap();
        assert!(!shown.applied && shown.steps.len() >= 5, "{:?}", shown.steps);
        assert_eq!((kontor.tables(), kontor.records.catalog().version()), (tables, 0), "a plan changes nothing");
        let done = kontor.define(changes).unwrap();
        assert_eq!((done.applied, done.catalog_version, done.steps.len()), (true, 1, shown.steps.len()));
        let account = kontor.make("account", json!({"name": "A", "berth": 7, "industry": "shipping"}));
        assert_eq!(
            kontor
                .found(&operator, "account", "name", &json!({"field": "berth", "op": "ge", "value": 7}), &["-berth"])
                .unwrap(),
            [json!("A")]
        );
        let boat = kontor.make("x_boat", json!({"name": "Adler von Lübeck", "owner_phone": "+49 451 5"}));
        let contact = kontor.make("contact", json!({"full_name": "Smutje"}));
        kontor.records.link(&operator, "contact", contact, "boats", boat, Some("captain".to_owned())).wait().unwrap();
        assert_eq!(
            kontor.records.links(&operator, "x_boat", boat, "crew").wait().unwrap().view().items[0].record.id,
            contact
        );
        assert_eq!(kontor.open(&operator, "x_boat", boat).unwrap().fields["number"], "B-001");
        assert_eq!(kontor.records.search(&operator, "adler", None).wait().unwrap().view().groups[0].items[0].id, boat);
        assert_eq!(
            kontor
                .found(
                    &operator,
                    "x_boat",
                    "name",
                    &json!({"field": "owner_phone", "op": "eq", "value": "+494515"}),
                    &[]
                )
                .unwrap()
                .len(),
            1
        );
        let entry = kontor.log().into_iter().find(|entry| entry.act.verb == audit::Verb::DefinitionChange).unwrap();
        assert!(entry.note.contains("x_boat"), "{}", entry.note);
        kontor.define(json!([{"change": "retire_field", "object": "account", "field": "berth"}])).unwrap();
        assert!(!kontor.open(&operator, "account", account).unwrap().fields.contains_key("berth"));
        assert_eq!(
            told(&kontor.change(&operator, "account", account, json!({"berth": 8})).unwrap_err()).1,
            [("/berth".to_owned(), Code::FieldUnknown)]
        );
        kontor.define(json!([{"change": "restore_field", "object": "account", "field": "berth"}])).unwrap();
        assert_eq!(
            kontor.open(&operator, "account", account).unwrap().fields["berth"],
            7,
            "a retired field keeps its values"
        );
        kontor.define(json!([{"change": "change_option", "object": "account", "field": "industry", "code": "shipping", "patch": {"active": false}}])).unwrap();
        assert_eq!(kontor.open(&operator, "account", account).unwrap().fields["industry"], "shipping");
        assert_eq!(
            told(&kontor.create(&operator, "account", json!({"name": "B", "industry": "shipping"})).unwrap_err()).1,
            [("/industry".to_owned(), Code::ValueNotAnOption)]
        );
    });
}

#[test]
fn every_error_is_told_at_once_and_nothing_is_done() {
    on_both_engines(|kontor| {
        let tables = kontor.tables();
        let changes = json!([boat(), {"change": "add_field", "object": "x_nothing", "field": {"name": "a", "label": label("a"), "type": "text", "sensitivity": "S1"}},
            {"change": "add_field", "object": "account", "field": {"name": "Bad Name", "label": label("a"), "type": "text", "sensitivity": "S1"}},
            {"change": "add_field", "object": "account", "field": {"name": "name", "label": label("a"), "type": "text", "sensitivity": "S1"}},
            {"change": "retire_field", "object": "account", "field": "nothing"}]);
        for fault in [plan(kontor, &changes).unwrap_err(), kontor.define(changes.clone()).unwrap_err()] {
            assert_eq!(fault.code, Code::PlanRefused);
            let places: Vec<&str> = fault.items.iter().map(|item| &item.pointer[..2]).collect();
            assert_eq!(places, ["/1", "/2", "/3", "/4"], "{:?}", fault.items);
        }
        assert_eq!((kontor.tables(), kontor.records.catalog().version()), (tables, 0));
        let seller = kontor.actor(kontor.user("anna", &["seller"], None));
        let refused = kontor
            .records
            .run_plan(&seller, serde_json::from_value(json!([boat()])).unwrap())
            .wait()
            .map(|_| ())
            .unwrap_err();
        assert_eq!(refused.code, Code::AccessDenied);
        assert!(kontor.records.catalog().object("x_boat").is_none());
    });
}

#[test]
fn a_new_field_touches_no_row() {
    on_both_engines(|kontor| {
        for at in 0..50 {
            kontor.make(
                "account",
                json!({"name": format!("Account {at}"), "phone": "+49 451 1", "short_name": format!("王 {at}")}),
            );
        }
        let rows = |kontor: &TestAppliance| {
            kontor.sql("SELECT rid, id, version, name, phone, updated_at FROM account ORDER BY rid")
        };
        let before = rows(kontor);
        let field = |name: &str, more: Json| {
            let mut field = json!({"name": name, "label": label(name), "type": "text", "sensitivity": "S2"});
            field.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            json!({"change": "add_field", "object": "account", "field": field})
        };
        kontor
            .define(json!([
                field("one", json!({"sealing": "plain", "sensitivity": "S1", "indexed": true, "searchable": true})),
                field("two", json!({"sealing": "exact", "unique": true})),
                field("three", json!({"sealing": "sealed"}))
            ]))
            .unwrap();
        assert_eq!(rows(kontor), before);
        // A field that was there gets its index and sort key: no record has changed, and the log still agrees.
        kontor.define(json!([{"change": "change_field", "object": "account", "field": "short_name", "patch": {"indexed": true}}])).unwrap_or_else(|fault| panic!("{fault} {:?}", fault.items));
        let sorted = kontor.found(&kontor.operator(), "account", "short_name", &Json::Null, &["-short_name"]).unwrap();
        assert_eq!(sorted[0], "王 9");
        kontor.make("account", json!({"name": "After", "one": "findable", "two": "u"}));
        kontor.seal_log();
        let report = kontor.verify(4);
        assert!(report.ok && report.checked.records >= 51, "{:?}", report.findings);
    });
}

#[test]
fn another_process_learns_of_it() {
    on_both_engines(|kontor| {
        let random: Arc<dyn Random> = Arc::clone(kontor.store.random());
        let other = Arc::new(
            Store::open(
                kontor.store.config().clone(),
                Arc::clone(kontor.store.vault()),
                Arc::clone(kontor.store.clock()),
                random,
            )
            .unwrap(),
        );
        let theirs = records::Records::new(Arc::clone(&other));
        kontor.define(json!([boat()])).unwrap();
        kontor.role(json!({"name": "sailor", "label": label("S"), "description": label("S"), "objects": {"x_boat": {"read": "all"}}}));
        assert!(other.catalog().object("x_boat").is_none());
        assert_eq!((other.refresh().unwrap(), other.refresh().unwrap()), (true, false));
        assert!(other.policy().role("sailor").is_some());
        let made = theirs
            .create(&kontor.operator(), "x_boat", testkit::object_of(json!({"name": "Theirs"})), None)
            .wait()
            .unwrap();
        assert_eq!(kontor.open(&kontor.operator(), "x_boat", made.view().id).unwrap().fields["name"], "Theirs");
        // Who plans on old definitions is told, and nothing is half done.
        kontor.define(json!([{"change": "retire_field", "object": "x_boat", "field": "owner_phone"}])).unwrap();
        let add = json!([{"change": "add_field", "object": "x_boat", "field": {"name": "late", "label": label("l"), "type": "text", "sensitivity": "S1"}}]);
        let fault = theirs
            .run_plan(&kontor.operator(), serde_json::from_value(add.clone()).unwrap())
            .wait()
            .map(|_| ())
            .unwrap_err();
        assert_eq!(fault.code, Code::VersionConflict);
        other.refresh().unwrap();
        theirs.run_plan(&kontor.operator(), serde_json::from_value(add).unwrap()).wait().unwrap();
    });
}

#[test]
fn a_look_never_puts_older_definitions_or_roles_over_newer_ones() {
    on_both_engines(|kontor| {
        kontor.define(json!([boat()])).unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !done.load(std::sync::atomic::Ordering::Relaxed) {
                        kontor.store.refresh().unwrap();
                    }
                });
            }
            for round in 0..60u64 {
                let name = format!("role_{round}");
                kontor.role(json!({"name": name, "label": label("S"), "description": label("S"), "objects": {"x_boat": {"read": "all"}}}));
                let change = if round % 2 == 0 { "retire_field" } else { "restore_field" };
                kontor.define(json!([{"change": change, "object": "x_boat", "field": "owner_phone"}])).unwrap();
                for _ in 0..20 {
                    let (version, role) =
                        (kontor.store.catalog().version(), kontor.store.policy().role(&name).is_some());
                    if (version, role) != (round + 2, true) {
                        done.store(true, std::sync::atomic::Ordering::Relaxed);
                        panic!("round {round}: version {version}, role there: {role}");
                    }
                    std::thread::yield_now();
                }
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    });
}

#[test]
fn records_of_an_object_without_search_are_deleted_and_restored() {
    on_both_engines(|kontor| {
        kontor.define(json!([{"change": "create_object", "definition": {"name": "x_mute", "label": label("M"), "plural": label("M"), "title_field": "name", "fields": [
            {"name": "name", "label": label("n"), "type": "text", "sensitivity": "S1", "sealing": "plain", "required": true}]}}])).unwrap();
        let manager = kontor.actor(kontor.user("boss", &["sales_manager"], None));
        let id = kontor.create(&manager, "x_mute", json!({"name": "one"})).unwrap().id;
        kontor.delete(&manager, "x_mute", id).unwrap_or_else(|fault| panic!("{fault} {:?}", fault.cause()));
        kontor
            .records
            .restore(&manager, "x_mute", id)
            .wait()
            .unwrap_or_else(|fault| panic!("{fault} {:?}", fault.cause()));
        assert!(kontor.records.search(&manager, "one", None).wait().unwrap().view().groups.is_empty());
    });
}

#[test]
fn a_record_keeps_the_subject_it_is_sealed_for() {
    on_both_engines(|kontor| {
        kontor.define(json!([{"change": "create_object", "definition": {"name": "x_talk", "label": label("T"), "plural": label("T"), "title_field": "name", "subject": {"field": "person"}, "fields": [
            {"name": "name", "label": label("n"), "type": "text", "sensitivity": "S1", "sealing": "plain", "required": true},
            {"name": "person", "label": label("p"), "type": "reference", "targets": ["contact"], "on_delete": "unlink", "sensitivity": "S1"},
            {"name": "words", "label": label("w"), "type": "long_text", "sensitivity": "S2"}]}}])).unwrap_or_else(|fault| panic!("{fault} {:?}", fault.items));
        let manager = kontor.actor(kontor.user("boss", &["sales_manager"], None));
        let contact = |name: &str| kontor.create(&manager, "contact", json!({"full_name": name})).unwrap().id;
        let (one, two) = (contact("One"), contact("Two"));
        let talk =
            kontor.create(&manager, "x_talk", json!({"name": "t", "person": one, "words": "spoken"})).unwrap().id;
        let free = kontor.create(&manager, "x_talk", json!({"name": "f", "words": "spoken"})).unwrap().id;
        for (id, person) in [(talk, json!(two)), (talk, Json::Null), (free, json!(one))] {
            let fault = kontor.change(&manager, "x_talk", id, json!({"person": person})).unwrap_err();
            assert_eq!(told(&fault).1, [("/person".to_owned(), Code::FieldReadOnly)]);
        }
        kontor.change(&manager, "x_talk", talk, json!({"person": one, "words": "written"})).unwrap();
        assert_eq!(kontor.delete(&manager, "contact", one).unwrap_err().code, Code::DeleteRefused);
        assert_eq!(kontor.open(&manager, "x_talk", talk).unwrap().fields["words"], "written");
        assert_eq!(kontor.history(&manager, "x_talk", talk).unwrap().items[0].changes[0].before, Some(json!("spoken")));
    });
}
