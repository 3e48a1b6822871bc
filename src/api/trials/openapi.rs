//! The API description: valid in shape, without dangling references, and the same as the committed one for the shipped objects.

use crate::openapi::{document, shipped_objects};
use crate::route;
use crate::trials::golden;
use serde_json::Value as Json;
use std::collections::BTreeSet;

fn references(json: &Json, found: &mut BTreeSet<String>) {
    match json {
        Json::Object(map) => {
            if let Some(Json::String(reference)) = map.get("$ref") {
                found.insert(reference.clone());
            }
            map.values().for_each(|value| references(value, found));
        }
        Json::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn the_description_of_the_shipped_objects() {
    let text = serde_json::to_string_pretty(&document(&shipped_objects())).unwrap();
    golden("snapshots/openapi.json", &format!("{text}\n"));
}

#[test]
fn references_resolve_and_shapes_are_used() {
    let document = document(&shipped_objects());
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 60);
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        let used = found.contains(&format!("#/components/schemas/{name}")) || name.ends_with("_record");
        assert!(used, "the shape {name} is used nowhere");
    }
}

#[test]
fn every_shape_is_a_schema_of_2020_12() {
    let document = document(&shipped_objects());
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let whole = serde_json::json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": document["components"],
            "allOf": [schema],
        });
        assert!(jsonschema::meta::is_valid(&whole), "{name} is no JSON Schema");
        assert!(jsonschema::validator_for(&whole).is_ok(), "{name} cannot be compiled");
    }
}

#[test]
fn every_route_of_the_api_is_described_with_its_access() {
    let document = document(&[]);
    for route in route::all().filter(|route| route.is_api()) {
        let path = route.path.replace(":.*}", "}");
        let operation = &document["paths"][&path][route.verb.name().to_lowercase()];
        assert_eq!(operation["operationId"], route.name, "{path}");
        assert_eq!(operation["x-kontor-access"], route.access().text(), "{path}");
        assert!(document["tags"].as_array().unwrap().iter().any(|tag| tag["name"] == operation["tags"][0]), "{path}");
        let public = matches!(route.access(), crate::Access::SealedOk | crate::Access::Public);
        assert_eq!(operation["security"].as_array().unwrap().is_empty(), public, "{path}");
    }
}

#[test]
fn custom_fields_and_options_are_in_it() {
    let mut objects = shipped_objects();
    objects.retain(|object| object.name == "account");
    let field = r#"{"name":"x_colour","label":{"en":"Colour","zh":"颜色"},"type":"enum","sensitivity":"S1","custom":true,
        "options":[{"code":"red","label":{"en":"Red","zh":"红"}},{"code":"old","label":{"en":"Old","zh":"旧"},"active":false}]}"#;
    objects[0].fields.insert(0, serde_json::from_str(field).unwrap());
    let schemas = document(&objects)["components"]["schemas"].clone();
    let read = &schemas["account_record"]["properties"]["fields"]["properties"]["x_colour"];
    assert_eq!(read["enum"], serde_json::json!(["red", "old", null]));
    assert_eq!(read["x-kontor-custom"], true);
    assert_eq!(schemas["account_change"]["properties"]["x_colour"]["enum"], serde_json::json!(["red", null]));
    assert_eq!(schemas["account_create"]["allOf"][1]["required"], serde_json::json!(["name"]));
    assert!(schemas["account_change"]["properties"].get("created_at").is_none(), "set by the appliance");
}
