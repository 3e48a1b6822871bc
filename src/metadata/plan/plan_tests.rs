//! One line per rule: a change, and the codes and places of the errors that it must give.

use super::*;
use crate::shipped;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const ROWS: u64 = 1_000;

fn rows(object: &str) -> u64 {
    assert!(!object.is_empty());
    if object.starts_with("x_") { 0 } else { ROWS }
}

fn catalog_in(profile: Profile) -> Catalog {
    Catalog::build(shipped(), profile, 0).unwrap()
}

fn planned(catalog: &Catalog, changes: Json) -> Plan {
    let changes: Vec<DefinitionChange> = serde_json::from_value(changes).unwrap_or_else(|error| panic!("{error}"));
    let plan = plan(catalog, &changes, &rows);
    assert_eq!(plan.next.is_some(), plan.errors.is_empty());
    assert!(plan.errors.is_empty() || plan.steps.is_empty(), "a faulty plan has steps");
    if let Some(next) = &plan.next {
        let next = Catalog::build(next.clone(), catalog.profile(), 1).unwrap();
        // What is stored can be read back as it was.
        for definition in next.definitions() {
            let text = serde_json::to_string(&definition).unwrap();
            let mut again: ObjectDef = serde_json::from_str(&text).unwrap();
            again.schema.clone_from(&definition.schema);
            assert_eq!(again, definition);
        }
    }
    plan
}

/// The plan of `changes` has exactly these errors, as `code place`.
#[track_caller]
fn check(changes: Json, expected: &[&str]) {
    let plan = planned(&catalog_in(Profile::Standard), changes.clone());
    let found: Vec<String> =
        plan.errors.iter().map(|error| format!("{} {}", error.code.as_str(), error.pointer)).collect();
    assert_eq!(found, expected, "{changes}\n{:#?}", plan.errors);
}

fn label() -> Json {
    json!({"en": "A", "zh": "甲"})
}

fn with(mut base: Json, extra: Json) -> Json {
    for (key, value) in extra.as_object().unwrap() {
        base[key] = value.clone();
    }
    base
}

/// Adds a field to `account`: an internal text unless `extra` says otherwise.
fn field(extra: Json) -> Json {
    let field = with(json!({"name": "extra", "label": label(), "type": "text", "sensitivity": "S1"}), extra);
    json!([{"change": "add_field", "object": "account", "field": field}])
}

fn object(extra: Json) -> Json {
    let fields = json!([{"name": "name", "label": label(), "type": "text", "sensitivity": "S1", "required": true}]);
    let definition =
        json!({"name": "x_car", "label": label(), "plural": label(), "title_field": "name", "fields": fields});
    json!([{"change": "create_object", "definition": with(definition, extra)}])
}

fn link(object: &str, extra: Json) -> Json {
    let link = with(json!({"name": "friends", "label": label(), "target": "contact"}), extra);
    json!([{"change": "add_link", "object": object, "link": link}])
}

fn patch(name: &str, patch: Json) -> Json {
    json!([{"change": "change_field", "object": "account", "field": name, "patch": patch}])
}

#[test]
fn field_names() {
    check(field(json!({})), &[]);
    check(field(json!({"name": "Extra"})), &["value_format /0/field/name"]);
    check(field(json!({"name": "a__b"})), &["value_format /0/field/name"]);
    check(field(json!({"name": "a_"})), &["value_format /0/field/name"]);
    check(field(json!({"name": "a".repeat(49)})), &["value_format /0/field/name"]);
    check(field(json!({"name": "name"})), &["value_not_unique /0/field/name"]);
    check(field(json!({"name": "contacts"})), &["value_not_unique /0/field/name"]);
    check(field(json!({"name": "owner"})), &["value_not_unique /0/field/name"]);
    check(field(json!({"name": "parent_id"})), &["value_not_unique /0/field/name"]);
    check(field(json!({"name": "owner_id"})), &["value_not_unique /0/field/name"]);
    check(field(json!({"label": {"en": "", "zh": " "}})), &["field_required /0/field/label"]);
    check(field(json!({"label": {"en": "", "zh": "甲"}})), &[]);
    check(
        json!([{"change": "add_field", "object": "nothing", "field": field(json!({}))[0]["field"]}]),
        &["object_unknown /0/object"],
    );
    check(json!([]), &["field_required "]);
}

#[test]
fn field_types() {
    check(field(json!({"max_chars": 0})), &["value_range /0/field/max_chars"]);
    check(field(json!({"max_chars": 1001})), &["value_range /0/field/max_chars"]);
    check(field(json!({"type": "integer", "min": 3, "max": 2})), &["value_range /0/field/min"]);
    check(field(json!({"type": "decimal"})), &["value_format /0/field/type"]);
    check(field(json!({"type": "decimal", "scale": 10})), &["value_range /0/field/scale"]);
    check(field(json!({"type": "date", "scale": 1})), &["value_format /0/field/type"]);
    let options =
        |codes: &[&str]| json!(codes.iter().map(|code| json!({"code": code, "label": label()})).collect::<Vec<_>>());
    check(field(json!({"type": "enum", "options": options(&["a", "b"])})), &[]);
    check(field(json!({"type": "enum", "options": []})), &["field_required /0/field/options"]);
    check(field(json!({"type": "enum", "options": options(&["a", "a"])})), &["value_not_unique /0/field/options"]);
    check(field(json!({"type": "multi_enum", "options": options(&["A"])})), &["value_format /0/field/options"]);
    let reference =
        |extra: Json| field(with(json!({"type": "reference", "targets": ["contact"], "on_delete": "unlink"}), extra));
    check(reference(json!({})), &[]);
    check(field(json!({"type": "reference", "targets": ["contact"]})), &["field_required /0/field/on_delete"]);
    check(reference(json!({"targets": []})), &["field_required /0/field/targets"]);
    check(reference(json!({"targets": ["contact", "contact"]})), &["value_not_unique /0/field/targets"]);
    check(reference(json!({"targets": ["ship"]})), &["object_unknown "]);
    check(
        reference(json!({"parent": true})),
        &["value_not_an_option /0/field/on_delete", "field_required /0/field/parent"],
    );
    check(reference(json!({"sealing": "sealed"})), &["value_not_an_option /0/field/sealing"]);
    check(reference(json!({"sensitivity": "S3"})), &["field_required /0/field/sensitivity"]);
}

#[test]
fn field_sealing() {
    check(field(json!({"sensitivity": "S3", "sealing": "plain"})), &["value_not_an_option /0/field/sealing"]);
    check(
        field(json!({"type": "long_text", "sensitivity": "S2", "sealing": "plain"})),
        &["value_not_an_option /0/field/sealing"],
    );
    check(
        field(json!({"sealing": "sealed", "sealing_strict": "plain"})),
        &["value_not_an_option /0/field/sealing_strict"],
    );
    check(field(json!({"type": "bool", "sealing": "exact"})), &["value_not_an_option /0/field/sealing"]);
    check(field(json!({"type": "date", "sealing": "exact"})), &["value_not_an_option /0/field/sealing"]);
    check(
        field(json!({"type": "integer", "min": 1, "max": 31, "sealing": "exact"})),
        &["value_not_an_option /0/field/sealing"],
    );
    check(field(json!({"type": "integer", "min": 1, "max": 32, "sealing": "exact"})), &[]);
    check(field(json!({"sealing": "sealed", "unique": true})), &["value_not_an_option /0/field/unique"]);
    check(field(json!({"sealing": "exact", "unique": true, "parts": ["last4"]})), &[]);
    check(field(json!({"type": "bool", "unique": true})), &["value_not_an_option /0/field/unique"]);
    check(field(json!({"sealing": "sealed", "parts": ["last4"]})), &["value_not_an_option /0/field/parts"]);
    check(field(json!({"sealing": "exact", "parts": ["domain"]})), &["value_not_an_option /0/field/parts"]);
    check(field(json!({"sealing": "exact", "parts": ["last4", "last4"]})), &["value_not_unique /0/field/parts"]);
    check(field(json!({"type": "date", "sealing": "sealed", "parts": ["month_day"]})), &[]);
    check(field(json!({"sealing": "sealed", "searchable": true})), &["field_not_filterable /0/field/searchable"]);
    check(field(json!({"type": "money", "searchable": true})), &["field_not_filterable /0/field/searchable"]);
    check(field(json!({"sealing": "exact", "indexed": true})), &["field_not_filterable /0/field/indexed"]);
    check(field(json!({"type": "address", "sensitivity": "S2", "indexed": true})), &[]);
    check(field(json!({"type": "json", "indexed": true})), &["field_not_filterable /0/field/indexed"]);
}

#[test]
fn field_behaviour() {
    check(field(json!({"required": true})), &["field_required /0/field/required"]);
    check(field(json!({"required": true, "default": "x"})), &[]);
    check(field(json!({"type": "date", "default": "31.1.2026"})), &["value_format /0/field/default"]);
    check(field(json!({"unique": true, "default": "x"})), &["value_not_unique /0/field/default"]);
    check(field(json!({"mask": "street"})), &["value_not_an_option /0/field/mask"]);
    check(field(json!({"mask": "name"})), &[]);
    check(field(json!({"read_only": true})), &["field_read_only /0/field/read_only"]);
    check(field(json!({"retired": true})), &["field_read_only /0/field/retired"]);
    check(field(json!({"aliases": [" "]})), &["value_format /0/field/aliases"]);
}

#[test]
fn all_errors_at_once() {
    check(
        field(
            json!({"name": "Owner", "max_chars": 0, "sensitivity": "S3", "sealing": "plain", "required": true, "mask": "year"}),
        ),
        &[
            "value_format /0/field/name",
            "value_range /0/field/max_chars",
            "value_not_an_option /0/field/sealing",
            "value_not_an_option /0/field/mask",
            "field_required /0/field/required",
        ],
    );
    // A mistake is not reported again by what builds on it.
    let mut changes = object(json!({"kind": "organisation"}));
    let add = json!({"change": "add_field", "object": "x_car", "field": field(json!({}))[0]["field"]});
    changes.as_array_mut().unwrap().push(add);
    check(changes, &["value_not_an_option /0/definition/kind"]);
}

#[test]
fn objects() {
    check(object(json!({})), &[]);
    check(object(json!({"name": "car"})), &["value_format /0/definition/name"]);
    check(
        object(json!({"name": "account"})),
        &["value_format /0/definition/name", "value_not_unique /0/definition/name"],
    );
    check(object(json!({"title_field": "nothing"})), &["field_unknown /0/definition/title_field"]);
    check(
        object(json!({"fields": []})),
        &["limit_exceeded /0/definition/fields", "field_unknown /0/definition/title_field"],
    );
    check(object(json!({"number": {"prefix": "car", "digits": 6}})), &["value_format /0/definition/number/prefix"]);
    check(
        object(json!({"number": {"prefix": "OPP-", "digits": 6}})),
        &["value_not_unique /0/definition/number/prefix"],
    );
    check(object(json!({"number": {"prefix": "CAR-", "digits": 0}})), &["value_range /0/definition/number/digits"]);
    check(object(json!({"number": {"prefix": "CAR-", "digits": 4}, "title_field": "number"})), &[]);
    check(object(json!({"subject": {"field": "name"}})), &["value_type /0/definition/subject/field"]);
    let one = json!({"name": "a", "label": label(), "type": "text", "sensitivity": "S1", "required": true});
    check(object(json!({"fields": [one, one], "title_field": "a"})), &["value_not_unique /0/definition/fields/1/name"]);
    let loose = with(one.clone(), json!({"required": false}));
    check(object(json!({"fields": [loose], "title_field": "a"})), &["field_required /0/definition/title_field"]);
    let account = json!([{"change": "change_object", "object": "account", "patch": {"title_field": "website"}}]);
    check(account, &["value_type /0/patch/title_field"]);
    check(
        json!([{"change": "change_object", "object": "account", "patch": {"label": {"en": "Client", "zh": "客户"}}}]),
        &[],
    );
}

#[test]
fn relations() {
    check(link("account", json!({})), &[]);
    check(link("account", json!({"name": "contacts"})), &["value_not_unique /0/link/name"]);
    check(link("account", json!({"inverse": "full_name"})), &["value_not_unique /0/link/inverse"]);
    check(link("contact", json!({"inverse": "friends"})), &["value_not_unique /0/link/inverse"]);
    check(link("account", json!({"target": "ship"})), &["object_unknown "]);
    check(link("account", json!({"roles": [{"code": "A", "label": label()}]})), &["value_format /0/link/roles"]);
    check(link("account", json!({"name": "a".repeat(48)})), &["value_too_long /0/link/name"]);
    // Two pairs of names, one table.
    let mut changes = object(json!({"name": "x_a"}));
    let more = changes.as_array_mut().unwrap();
    more.push(object(json!({"name": "x_a_b"}))[0].clone());
    more.push(link("x_a", json!({"name": "b_c"}))[0].clone());
    more.push(link("x_a_b", json!({"name": "c"}))[0].clone());
    check(changes, &["value_not_unique /3/link/name"]);
    // The far end is made later in the same plan.
    let mut changes = link("account", json!({"target": "x_car", "inverse": "name"}));
    changes.as_array_mut().unwrap().push(object(json!({}))[0].clone());
    check(changes, &["value_not_unique "]);
}

#[test]
fn field_changes() {
    check(patch("nothing", json!({})), &["field_unknown /0/field"]);
    check(patch("owner", json!({"required": true})), &["field_read_only /0/field"]);
    check(patch("name", json!({"required": false})), &["field_read_only /0/patch/required"]);
    check(patch("website", json!({"required": true})), &["field_required /0/patch/required"]);
    check(patch("website", json!({"required": true, "default": "https://example.com"})), &[]);
    check(patch("industry", json!({"default": "nonsense"})), &["value_not_an_option /0/patch/default"]);
    check(patch("kind", json!({"default": null})), &[]);
    check(patch("name", json!({"sensitivity": "S0"})), &["value_not_an_option /0/patch/sensitivity"]);
    check(patch("name", json!({"sensitivity": "S2"})), &[]);
    check(patch("name", json!({"sensitivity": "S3"})), &["value_not_an_option /0/patch/sensitivity"]);
    check(patch("name", json!({"max_chars": 100})), &["value_range /0/patch/max_chars"]);
    check(patch("name", json!({"max_chars": 300})), &[]);
    check(patch("phone", json!({"searchable": true})), &["field_not_filterable /0/patch/searchable"]);
    check(patch("phone", json!({"mask": "street"})), &["value_not_an_option /0/patch/mask"]);
    check(patch("name", json!({"indexed": false})), &["value_not_an_option /0/patch/indexed"]);
    check(
        patch("parent", json!({"required": true, "default": null})),
        &["value_not_an_option /0/patch/required", "field_required /0/patch/required"],
    );
    let change = |change: &str, field: &str| json!([{"change": change, "object": "contact", "field": field}]);
    check(change("retire_field", "department"), &[]);
    check(change("retire_field", "full_name"), &["field_read_only /0/field"]);
    check(change("retire_field", "marital"), &["field_unknown /0/field"]);
    check(change("restore_field", "marital"), &[]);
    check(change("restore_field", "department"), &["field_unknown /0/field"]);
}

#[test]
fn options() {
    let add = |field: &str, code: &str| json!([{"change": "add_option", "object": "lead", "field": field, "option": {"code": code, "label": label()}}]);
    check(add("status", "parked"), &[]);
    check(add("status", "new"), &["value_not_unique /0/option"]);
    check(add("status", "Par ked"), &["value_format /0/option"]);
    check(add("topic", "parked"), &["value_type /0/field"]);
    let change = |code: &str, patch: Json| json!([{"change": "change_option", "object": "lead", "field": "status", "code": code, "patch": patch}]);
    check(change("recycled", json!({"active": false})), &[]);
    check(change("new", json!({"active": false})), &["value_not_an_option /0/patch/active"]);
    check(change("nothing", json!({})), &["value_not_an_option /0/code"]);
    check(change("new", json!({"label": {"en": " ", "zh": ""}})), &["field_required /0/patch"]);
}

#[test]
fn misspelt_changes_are_refused() {
    for wrong in [
        json!({"change": "drop_object", "object": "account"}),
        json!({"change": "retire_field", "object": "account", "field": "name", "force": true}),
        json!({"change": "change_field", "object": "account", "field": "name", "patch": {"type": "date"}}),
        json!({"change": "add_field", "object": "account", "field": {"name": "a", "label": label(), "type": "text", "sensitve": "S1"}}),
    ] {
        assert!(serde_json::from_value::<DefinitionChange>(wrong.clone()).is_err(), "{wrong}");
    }
    let change: DefinitionChange = serde_json::from_value(field(json!({}))[0].clone()).unwrap();
    let again: DefinitionChange = serde_json::from_value(serde_json::to_value(&change).unwrap()).unwrap();
    assert_eq!(again, change);
}

fn actions(plan: &Plan) -> Vec<String> {
    assert!(plan.errors.is_empty(), "{:#?}", plan.errors);
    plan.steps
        .iter()
        .map(|step| serde_json::to_value(step).unwrap())
        .map(|step| {
            let part = |name: &str| {
                step.get(name).map_or(String::new(), |value| format!(" {}", value.to_string().replace('"', "")))
            };
            format!(
                "{}{}{}{}{}",
                step["action"].as_str().unwrap(),
                part("column"),
                part("columns"),
                part("table"),
                part("cost")
            )
        })
        .collect()
}

#[test]
fn steps_and_costs() {
    let catalog = catalog_in(Profile::Standard);
    let of = |changes: Json| actions(&planned(&catalog, changes));
    assert_eq!(of(field(json!({}))), ["add_column extra instant", "update_definition instant"]);
    assert_eq!(
        of(field(json!({"indexed": true}))),
        [
            "add_column extra instant",
            "add_column extra__sort instant",
            "create_index [extra__sort,id] {rows:1000}",
            "update_definition instant",
        ]
    );
    assert_eq!(
        of(field(json!({"type": "phone", "sensitivity": "S2", "unique": true, "parts": ["last4"]}))),
        [
            "add_column extra instant",
            "add_column extra__bx instant",
            "add_column extra__bx_last4 instant",
            "add_column extra__ux instant",
            "create_index [extra__bx,id] {rows:1000}",
            "create_index [extra__bx_last4,id] {rows:1000}",
            "create_index [extra__ux] {rows:1000}",
            "update_definition instant",
        ]
    );
    assert_eq!(
        of(patch("short_name", json!({"indexed": true}))),
        [
            "add_column short_name__sort instant",
            "fill_sort_key short_name__sort {rows:1000}",
            "create_index [short_name__sort,id] {rows:1000}",
            "update_definition instant",
        ]
    );
    assert_eq!(
        of(patch("bank_name", json!({"searchable": true}))),
        ["fill_search {rows:1000}", "update_definition instant"]
    );
    assert_eq!(
        of(link("account", json!({}))),
        ["create_link_table l_account_friends instant", "update_definition instant"]
    );
    let mut changes =
        object(json!({"links": [{"name": "drivers", "label": label(), "target": "contact", "inverse": "cars"}]}));
    let add =
        json!({"change": "add_field", "object": "x_car", "field": field(json!({"searchable": true}))[0]["field"]});
    changes.as_array_mut().unwrap().push(add);
    assert_eq!(
        of(changes),
        [
            "create_table instant",
            "create_search_table instant",
            "create_link_table l_x_car_drivers instant",
            "update_definition instant",
        ]
    );
}

#[test]
fn what_is_left_open_is_chosen_carefully() {
    let sealing_of = |profile: Profile, extra: Json| {
        let mut changes = field(extra);
        changes[0]["field"].as_object_mut().unwrap().remove("sensitivity");
        let plan = planned(&catalog_in(profile), changes);
        assert!(plan.errors.is_empty(), "{:#?}", plan.errors);
        let next = plan.next.unwrap();
        let field = next.iter().find(|object| object.name == "account").unwrap().field("extra").unwrap().clone();
        assert!(field.custom);
        (field.sensitivity, field.sealing, field.mask, plan.notes.len())
    };
    use crate::{Mask, Sealing, Sensitivity};
    let standard = Profile::Standard;
    assert_eq!(sealing_of(standard, json!({})), (Sensitivity::S3, Sealing::Sealed, None, 1));
    assert_eq!(sealing_of(standard, json!({"unique": true})), (Sensitivity::S3, Sealing::Exact, None, 1));
    assert_eq!(sealing_of(standard, json!({"type": "phone"})), (Sensitivity::S3, Sealing::Exact, Some(Mask::Last4), 1));
    assert_eq!(sealing_of(standard, json!({"type": "money"})), (Sensitivity::S3, Sealing::Sealed, None, 1));
    assert_eq!(
        sealing_of(Profile::Strict, json!({"type": "address"})),
        (Sensitivity::S3, Sealing::Sealed, Some(Mask::Street), 1)
    );
}

#[test]
fn a_plan_in_the_strict_profile_keeps_both_profiles_in_store() {
    let catalog = catalog_in(Profile::Strict);
    let plan = planned(&catalog, field(json!({"sealing_strict": "memory"})));
    assert_eq!(actions(&plan), ["add_column extra instant", "update_definition instant"]);
    let next = plan.next.unwrap();
    assert!(
        next.iter()
            .any(|object| object.name == "account" && object.field("name").is_some_and(|field| field.searchable))
    );
    assert!(next.iter().all(|object| object.fields.iter().all(|field| !field.system)));
}

proptest! {
    #[test]
    fn random_changes_give_steps_or_errors(
        picks in prop::collection::vec((0usize..12, "[a-z_]{1,12}", prop::sample::select(vec!["account", "contact", "x_car", "no"]), any::<bool>(), 0usize..6), 1..8)
    ) {
        let catalog = catalog_in(Profile::Standard);
        let types = ["text", "phone", "date", "bool", "long_text", "email"];
        let changes: Vec<Json> = picks.iter().map(|(kind, name, target, flag, which)| match kind {
            0 => object(json!({"name": format!("x_{name}")}))[0].clone(),
            1 => object(json!({}))[0].clone(),
            2 => link(target, json!({"name": name, "target": "x_car", "inverse": name}))[0].clone(),
            3 => json!({"change": "retire_field", "object": target, "field": name}),
            4 => json!({"change": "change_field", "object": target, "field": "name", "patch": {"searchable": flag, "indexed": flag}}),
            _ => with(field(json!({"name": name, "type": types[*which], "unique": flag, "sensitivity": if *flag { "S2" } else { "S1" }}))[0].clone(), json!({"object": target})),
        }).collect();
        planned(&catalog, json!(changes));
    }
}
