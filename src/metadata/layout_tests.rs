//! Layouts: every field stands somewhere, fields that went leave, and the shipped arrangements name only fields that exist.
#![cfg(test)]

use crate::{
    Catalog, DefinitionChange, LayoutDef, LayoutSection, ObjectDef, Plan, Profile, layout::SHIPPED, plan, shipped,
};
use kernel::{Code, Label, limits};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

fn catalog() -> Catalog {
    Catalog::build(shipped(), Profile::Standard, 0).unwrap()
}

fn places(layout: &LayoutDef) -> Vec<&String> {
    layout.sections.iter().flat_map(|section| &section.fields).chain(&layout.hidden).collect()
}

#[test]
fn every_field_of_every_object_stands_in_exactly_one_place() {
    let catalog = catalog();
    assert_eq!(SHIPPED.len(), 8);
    for object in catalog.objects() {
        let layout = object.layout_in_force();
        let placed = places(&layout);
        let once: BTreeSet<_> = placed.iter().collect();
        let live = object.fields.iter().filter(|field| !field.retired).count();
        assert_eq!((placed.len(), once.len()), (live, live), "{}", object.name);
        assert!(layout.highlights.len() <= limits::LAYOUT_HIGHLIGHTS_MAX, "{}", object.name);
        assert!(!layout.hidden.contains(&object.title_field), "{}", object.name);
        let names = |name: &String| object.field(name).is_some();
        let Some(shipped) = SHIPPED.get(&object.name) else { continue };
        let all = shipped.highlights.iter().chain(&shipped.create).chain(places(shipped));
        let unknown: Vec<_> = all.filter(|name| !names(name)).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", object.name);
        let closed: Vec<_> = shipped.create.iter().filter(|name| object.field(name).unwrap().read_only).collect();
        assert!(closed.is_empty(), "{}: {closed:?} cannot be filled in", object.name);
    }
}

fn of(change: Json) -> Plan {
    plan(&catalog(), &[serde_json::from_value::<DefinitionChange>(change).unwrap()], &|_| 0)
}

fn label(text: &str) -> Label {
    Label::new(text, text)
}

fn arranged(object: &str, change: impl FnOnce(&mut LayoutDef)) -> Json {
    let mut layout = catalog().object(object).unwrap().layout_in_force();
    change(&mut layout);
    json!({"change": "set_layout", "object": object, "layout": layout, "version": 0})
}

fn account(plan: &Plan) -> ObjectDef {
    assert!(plan.errors.is_empty(), "{:?}", plan.errors);
    let next = Catalog::build(plan.next.clone().unwrap(), Profile::Standard, 1).unwrap();
    ObjectDef::clone(next.object("account").unwrap())
}

#[test]
fn a_layout_is_stored_a_new_field_comes_last_and_a_retired_one_leaves() {
    let first = arranged("account", |layout| {
        layout.sections =
            vec![LayoutSection { label: label("One"), fields: vec!["name".to_owned(), "phone".to_owned()] }];
        layout.highlights = vec!["phone".to_owned()];
        layout.hidden = vec!["fax".to_owned()];
    });
    let stored = account(&of(first));
    assert_eq!((stored.layout_version, stored.layout.is_some()), (1, true));
    let layout = stored.layout_in_force();
    assert_eq!(layout.sections[0].fields, ["name", "phone"]);
    assert_eq!(layout.sections[1].label.en, "Further fields");
    assert!(layout.hidden.contains(&"fax".to_owned()) && !layout.sections[1].fields.contains(&"fax".to_owned()));
    let mut grown = stored.clone();
    let mut berth = grown.field("short_name").unwrap().clone();
    berth.name = "berth".to_owned();
    grown.fields.push(berth);
    assert_eq!(grown.layout_in_force().sections[1].fields.last().unwrap(), "berth");
    for field in grown.fields.iter_mut().filter(|field| field.name == "phone") {
        field.retired = true;
    }
    let layout = grown.layout_in_force();
    assert!(layout.highlights.is_empty() && layout.sections[0].fields == ["name"], "{layout:?}");
}

type Edit<'e> = &'e dyn Fn(&mut LayoutDef);

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let missing = |layout: &mut LayoutDef| layout.sections[0].fields.push("nothing".to_owned());
    let twice = |layout: &mut LayoutDef| layout.hidden.push("phone".to_owned());
    let nameless = |layout: &mut LayoutDef| layout.sections[1].label = label(" ");
    let unnamed = |layout: &mut LayoutDef| {
        layout.sections[0].fields.retain(|name| name != "name");
        layout.hidden.push("name".to_owned());
    };
    let closed = |layout: &mut LayoutDef| layout.create.push("created_at".to_owned());
    let many = |layout: &mut LayoutDef| {
        layout.highlights = ["name", "kind", "phone", "fax", "email", "website", "level"].map(str::to_owned).into();
    };
    let cases: [(Edit<'_>, &str, Code); 6] = [
        (&missing, "/0/layout/sections/0/fields/16", Code::FieldUnknown),
        (&twice, "/0/layout/sections/1/fields/0", Code::ValueNotUnique),
        (&nameless, "/0/layout/sections/1/label", Code::FieldRequired),
        (&unnamed, "/0/layout/hidden", Code::ValueNotAnOption),
        (&closed, "/0/layout/create/9", Code::FieldReadOnly),
        (&many, "/0/layout/highlights", Code::LimitExceeded),
    ];
    for (change, pointer, code) in cases {
        let errors = of(arranged("account", |layout| change(layout))).errors;
        let told: Vec<_> = errors.iter().map(|item| (item.pointer.as_str(), item.code)).collect();
        assert_eq!(told, [(pointer, code)]);
    }
    let mut stale = arranged("account", |_| {});
    stale["version"] = json!(3);
    assert_eq!(of(stale).errors[0].code, Code::VersionConflict);
}

#[test]
fn going_back_to_the_standard_counts_as_a_change() {
    let mut definitions = shipped();
    let account_at = definitions.iter().position(|object| object.name == "account").unwrap();
    definitions[account_at].layout = Some(LayoutDef::default());
    definitions[account_at].layout_version = 4;
    let catalog = Catalog::build(definitions, Profile::Standard, 0).unwrap();
    let change = json!({"change": "set_layout", "object": "account", "layout": null, "version": 4});
    let plan = plan(&catalog, &[serde_json::from_value(change).unwrap()], &|_| 0);
    let next = account(&plan);
    assert_eq!((next.layout.is_none(), next.layout_version), (true, 5));
    assert_eq!(next.layout_in_force(), next.layout_standard());
}
