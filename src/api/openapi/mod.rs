//! The API description (OpenAPI 3.1): made from the table of routes, the shapes in `schemas.json`, the shape of
//! definitions in `metadata`, and the objects as they are defined at the moment, custom fields included.
//!
//! It is built as JSON values and not with a derive library: half of it depends on definitions known only at run time,
//! and the other half belongs to crates that know no HTTP. Tests hold every answer against it.

mod limits;
mod objects;
mod paths;

use kernel::Code;
use metadata::ObjectDef;
use serde_json::{Map, Value as Json, json};

/// Shapes of requests and answers that no definition changes.
const SCHEMAS: &str = include_str!("schemas.json");

/// The whole description for a caller who may know of these objects, with the fields that are still in them.
pub fn document(objects: &[ObjectDef]) -> Json {
    json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Kontor",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "The API of this appliance. The web interface uses nothing else.",
            "description": "Sign in with a session (browser) or an API token (program). Every disclosing answer is in the audit log before it leaves. Errors are problem documents (RFC 9457); all codes are under x-kontor-errors, all limits under x-kontor-limits.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
        },
        "servers": [{"url": "/"}],
        "tags": paths::tags(),
        "paths": paths::paths(objects),
        "components": {
            "schemas": schemas(objects),
            "parameters": paths::shared_parameters(),
            "responses": paths::shared_responses(),
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-kontor", "description": "Set by POST /api/v1/session. Changing requests also need X-CSRF-Token."},
                "token": {"type": "http", "scheme": "bearer", "description": "An API token: POST /api/v1/tokens."}
            }
        },
        "x-kontor-errors": errors(),
        "x-kontor-limits": limits::limits(),
    })
}

/// The description for somebody who has not signed in: the objects as they ship, nothing of this installation.
pub(crate) fn shipped_objects() -> Vec<ObjectDef> {
    let catalog = metadata::Catalog::build(metadata::shipped(), metadata::Profile::Standard, 0);
    catalog.map(|catalog| catalog.objects().map(|object| ObjectDef::clone(object)).collect()).unwrap_or_default()
}

fn errors() -> Vec<Json> {
    let line = |row: &kernel::Row| {
        json!({
            "code": row.name,
            "status": row.status,
            "kind": format!("{:?}", row.kind).to_ascii_lowercase(),
            "retryable": row.retryable,
            "title": row.title_en,
            "title_zh": row.title_zh,
        })
    };
    Code::table().iter().map(line).collect()
}

fn schemas(objects: &[ObjectDef]) -> Map<String, Json> {
    let mut all: Map<String, Json> = serde_json::from_str(SCHEMAS).unwrap_or_default();
    all.extend(definition_schemas());
    for object in objects {
        all.extend(objects::schemas(object));
    }
    for (name, suffix) in [("RecordCreate", "create"), ("RecordChange", "change")] {
        let any: Vec<Json> = objects.iter().map(|object| reference(&format!("{}_{suffix}", object.name))).collect();
        let about = "The values by field, by the definition of the object in the address.";
        let schema = if any.is_empty() {
            json!({"description": about, "type": "object"})
        } else {
            json!({"description": about, "anyOf": any})
        };
        all.insert(name.to_owned(), schema);
    }
    all
}

pub(super) fn reference(schema: &str) -> Json {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// The shape of definitions, from the one JSON Schema of `metadata`, with its references moved to here.
fn definition_schemas() -> Map<String, Json> {
    const NAMES: [(&str, &str); 7] = [
        ("name", "Name"),
        ("label", "Label"),
        ("option", "EnumOption"),
        ("options", "EnumOptions"),
        ("link", "LinkDef"),
        ("sealing", "Sealing"),
        ("field", "FieldDef"),
    ];
    let moved = NAMES.iter().fold(metadata::OBJECT_SCHEMA.to_owned(), |text, (from, to)| {
        text.replace(&format!("\"#/$defs/{from}\""), &format!("\"#/components/schemas/{to}\""))
    });
    let mut object: Map<String, Json> = serde_json::from_str(&moved).unwrap_or_default();
    let mut found = Map::new();
    if let Some(Json::Object(mut defs)) = object.remove("$defs") {
        for (from, to) in NAMES {
            found.extend(defs.remove(from).map(|schema| (to.to_owned(), schema)));
        }
    }
    for member in ["$schema", "$id"] {
        object.remove(member);
    }
    let mut draft = object.clone();
    if let Some(fields) = draft.get_mut("properties").and_then(|properties| properties.pointer_mut("/fields/items")) {
        *fields = reference("FieldDraft");
    }
    let mut field = found.get("FieldDef").cloned().unwrap_or_default();
    if let Some(Json::Array(required)) = field.get_mut("required") {
        // What a customer leaves open is chosen carefully: unclassified counts as the most sensitive.
        required.retain(|name| name != "sensitivity");
    }
    found.insert("FieldDraft".to_owned(), field);
    found.insert("ObjectDraft".to_owned(), Json::Object(draft));
    found.insert("ObjectDef".to_owned(), Json::Object(object));
    found
}
