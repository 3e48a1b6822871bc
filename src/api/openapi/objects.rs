//! One object's definition as JSON Schemas: its record, and what a create and a change may carry.

use super::reference;
use kernel::limits;
use metadata::{EnumOption, FieldDef, FieldType, ObjectDef};
use serde_json::{Map, Value as Json, json};

/// Reading shows every option that records may still hold; writing offers the active ones.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Read,
    Write,
}

/// `<object>_record`, `<object>_create` and `<object>_change`.
pub(super) fn schemas(object: &ObjectDef) -> Vec<(String, Json)> {
    let properties = |way: Way| -> Map<String, Json> {
        let kept = |field: &&FieldDef| way == Way::Read || (!field.read_only && !field.retired);
        object.fields.iter().filter(kept).map(|field| (field.name.clone(), property(field, way))).collect()
    };
    let defaulted = |field: &&FieldDef| field.required && !field.read_only && !field.retired && field.default.is_none();
    let required: Vec<&str> = object.fields.iter().filter(defaulted).map(|field| field.name.as_str()).collect();
    let (label, label_zh) = (&object.label.en, &object.label.zh);
    let head = |what: &str| json!({"title": format!("{label}: {what}"), "x-kontor-label-zh": label_zh, "type": "object", "additionalProperties": false});
    let record = merged(
        head("record"),
        json!({
            "required": ["id", "object", "version", "fields"],
            "properties": {
                "id": reference("Id"),
                "object": {"const": object.name},
                "version": {"type": "integer", "minimum": 1},
                "deleted": {"type": "boolean"},
                "merged_into": reference("Id"),
                "fields": {"type": "object", "additionalProperties": true, "properties": properties(Way::Read),
                    "description": "Fields the caller may not see are absent; related ones come as `account.name`."},
                "reduced": {"type": "object", "additionalProperties": {"type": ["string", "boolean"]}}
            }
        }),
    );
    let create = json!({"title": format!("{label}: values of a new one"), "x-kontor-label-zh": label_zh,
        "allOf": [reference(&format!("{}_change", object.name)), {"required": required}]});
    let change = merged(head("values to change"), json!({"properties": properties(Way::Write)}));
    [("record", record), ("create", create), ("change", change)]
        .map(|(suffix, schema)| (format!("{}_{suffix}", object.name), schema))
        .into()
}

fn merged(mut one: Json, two: Json) -> Json {
    if let (Json::Object(one), Json::Object(two)) = (&mut one, two) {
        one.extend(two);
    }
    one
}

fn property(field: &FieldDef, way: Way) -> Json {
    if way == Way::Write {
        // What a field means stands once, in the record.
        return merged(json!({"title": field.label.en}), shape(&field.field_type, way));
    }
    let mut notes = json!({
        "title": field.label.en,
        "x-kontor-label-zh": field.label.zh,
        "x-kontor-sensitivity": field.sensitivity,
    });
    if let (Json::Object(notes), Some(help)) = (&mut notes, &field.help) {
        notes.insert("description".to_owned(), json!(help.en));
    }
    for (name, holds) in [
        ("x-kontor-sealed", field.is_sealed()),
        ("x-kontor-custom", field.custom),
        ("deprecated", field.retired),
        ("readOnly", field.read_only),
    ] {
        if let (Json::Object(notes), true) = (&mut notes, holds) {
            notes.insert(name.to_owned(), json!(true));
        }
    }
    merged(notes, shape(&field.field_type, way))
}

fn nullable(schema: &str) -> Json {
    json!({"anyOf": [reference(schema), {"type": "null"}]})
}

fn codes(options: &[EnumOption], way: Way) -> Vec<&str> {
    options.iter().filter(|option| way == Way::Read || option.active).map(|option| option.code.as_str()).collect()
}

/// An empty value is null, whatever the type.
fn shape(field_type: &FieldType, way: Way) -> Json {
    match field_type {
        FieldType::Text { max_chars, .. } => {
            json!({"type": ["string", "null"], "maxLength": max_chars.unwrap_or(limits::TEXT_CHARS_MAX)})
        }
        FieldType::LongText | FieldType::RichText => {
            json!({"type": ["string", "null"], "maxLength": limits::LONG_TEXT_CHARS_MAX})
        }
        FieldType::Integer { min, max } => {
            let mut schema = json!({"type": ["integer", "null"], "format": "int64"});
            for (name, bound) in [("minimum", min), ("maximum", max)] {
                if let (Json::Object(schema), Some(bound)) = (&mut schema, bound) {
                    schema.insert(name.to_owned(), json!(bound));
                }
            }
            schema
        }
        FieldType::Decimal { scale } => {
            json!({"type": ["string", "null"], "description": format!("A decimal number with at most {scale} decimals.")})
        }
        FieldType::Money => nullable("Money"),
        FieldType::Date => json!({"type": ["string", "null"], "format": "date"}),
        FieldType::Timestamp => nullable("Timestamp"),
        FieldType::Bool => json!({"type": ["boolean", "null"]}),
        FieldType::Enum { options } => {
            let mut codes: Vec<Json> = codes(options, way).into_iter().map(Json::from).collect();
            codes.push(Json::Null);
            json!({"enum": codes})
        }
        FieldType::MultiEnum { options } => {
            json!({"type": ["array", "null"], "items": {"enum": codes(options, way)}, "uniqueItems": true})
        }
        FieldType::Email => json!({"type": ["string", "null"], "format": "email"}),
        FieldType::Phone => {
            json!({"type": ["string", "null"], "description": "E.164 when read; any usual form when written."})
        }
        FieldType::Url => json!({"type": ["string", "null"], "format": "uri"}),
        FieldType::Address => nullable("Address"),
        FieldType::Reference { targets, .. } if targets.len() > 1 => {
            merged(nullable("RecordRef"), json!({"x-kontor-targets": targets}))
        }
        FieldType::Reference { targets, .. } => merged(nullable("Id"), json!({"x-kontor-targets": targets})),
        FieldType::File => nullable("Id"),
        FieldType::Json => json!({}),
    }
}
