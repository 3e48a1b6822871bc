//! What a line of a dump may look like, as JSON Schema (2020-12), from the definition of its object. Says nothing of values.

use metadata::{FieldDef, FieldType, ObjectDef};
use serde_json::{Map, Value as Json, json};

/// The schema of a line of records of an object, with the fields that the dump has of it.
pub(super) fn of(object: &ObjectDef, fields: &[String]) -> Json {
    let known = object.fields.iter().filter(|field| fields.contains(&field.name));
    let properties: Map<String, Json> = known.map(|field| (field.name.clone(), field_of(field))).collect();
    let uuid = json!({"type": "string", "format": "uuid"});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": object.label.en,
        "description": object.label.zh,
        "type": "object",
        "required": ["id", "object", "version", "fields"],
        "properties": {
            "id": uuid,
            "object": {"const": object.name},
            "version": {"type": "integer", "minimum": 1},
            "deleted": {"type": "boolean", "description": "In the recycle bin. 在回收站中。"},
            "merged_into": uuid,
            "fields": {"type": "object", "properties": properties},
            "reduced": {
                "type": "object",
                "description": "Fields shown behind a mask (text) or by their existence only. 仅以掩码或是否存在显示的字段。"
            }
        }
    })
}

fn field_of(field: &FieldDef) -> Json {
    let nullable = |kind: &str| json!({"type": [kind, "null"]});
    let mut schema = match &field.field_type {
        FieldType::Text { max_chars, .. } => {
            let mut text = nullable("string");
            if let (Some(max), Some(map)) = (max_chars, text.as_object_mut()) {
                map.insert("maxLength".to_owned(), json!(max));
            }
            text
        }
        FieldType::LongText | FieldType::RichText | FieldType::Phone | FieldType::Url | FieldType::Decimal { .. } => {
            nullable("string")
        }
        FieldType::Integer { .. } => nullable("integer"),
        FieldType::Bool => nullable("boolean"),
        FieldType::Money => json!({"type": ["object", "null"], "required": ["amount", "currency"],
            "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}}}),
        FieldType::Date => json!({"type": ["string", "null"], "format": "date"}),
        FieldType::Timestamp => json!({"type": ["string", "null"], "format": "date-time"}),
        FieldType::Email => json!({"type": ["string", "null"], "format": "email"}),
        FieldType::Enum { options } => {
            let codes = options.iter().map(|option| json!(option.code)).chain([Json::Null]);
            json!({"enum": codes.collect::<Vec<_>>()})
        }
        FieldType::MultiEnum { options } => {
            let codes: Vec<Json> = options.iter().map(|option| json!(option.code)).collect();
            json!({"type": ["array", "null"], "items": {"enum": codes}})
        }
        FieldType::Address => nullable("object"),
        FieldType::Reference { targets, .. } if targets.len() > 1 => {
            json!({"type": ["object", "null"], "properties": {"object": {"enum": targets}, "id": {"type": "string"}}})
        }
        FieldType::Reference { .. } | FieldType::File => json!({"type": ["string", "null"], "format": "uuid"}),
        FieldType::Json => json!({}),
    };
    if let Some(map) = schema.as_object_mut() {
        map.insert("title".to_owned(), json!(field.label.en));
        map.insert("description".to_owned(), json!(field.label.zh));
        map.insert("x-kontor-type".to_owned(), json!(field.field_type.name()));
        if let FieldType::Reference { targets, .. } = &field.field_type {
            map.insert("x-kontor-targets".to_owned(), json!(targets));
        }
    }
    schema
}
