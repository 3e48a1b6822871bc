//! What the tests of this crate share: where the third-party data are, and targets made from the shipped definitions.

use kernel::Label;
use serde_json::Value;
use std::{env, fs, path::PathBuf};
use transfer::{Input, Mapping, SourceFile, TargetField, TargetKind, TargetObject, TargetOption, TargetRelation};

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of third-party data. `None`, with a line saying so, where it is absent; on CI its absence is a failure.
pub(crate) fn data() -> Option<PathBuf> {
    let shared = env::var_os("KONTOR_SHARED").map_or_else(|| repository().join("../shared"), PathBuf::from);
    let data = shared.join("data");
    if data.is_dir() {
        return Some(data);
    }
    assert!(env::var_os("CI").is_none(), "the shared data are missing");
    println!("SKIPPED: no shared data at {}", data.display());
    None
}

/// A mapping of tests/mappings.
pub(crate) fn mapping(name: &str) -> Mapping {
    let text = fs::read_to_string(repository().join("tests/mappings").join(name)).unwrap();
    Mapping::parse(&text).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

/// Opens a file as its mapping says.
pub(crate) fn open(path: PathBuf, mapping: &Mapping) -> SourceFile {
    SourceFile::open(Input::Path(path), &mapping.open_options()).unwrap()
}

/// The shipped objects as targets, read from their definition files.
pub(crate) fn targets() -> Vec<TargetObject> {
    let folder = repository().join("src/metadata/objects");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let definitions: Vec<Value> =
        files.iter().map(|file| serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()).collect();
    definitions.iter().map(|definition| target(definition, &definitions)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
fn label(value: &Value) -> Label {
    Label::new(text(&value["en"]), text(&value["zh"]))
}

fn target(definition: &Value, all: &[Value]) -> TargetObject {
    let name = text(&definition["name"]);
    let mut fields: Vec<TargetField> = items(&definition["fields"]).map(|field| self::field(field, all)).collect();
    fields.push(TargetField {
        name: "owner".to_owned(),
        label: Label::new("Owner", "负责人"),
        kind: TargetKind::Reference { objects: vec!["user".to_owned()], by: "display_name".to_owned() },
        aliases: Vec::new(),
    });
    let relation = |name: &Value, target: &Value| TargetRelation { name: text(name), objects: vec![text(target)] };
    let mut relations: Vec<TargetRelation> =
        items(&definition["links"]).map(|link| relation(&link["name"], &link["target"])).collect();
    for other in all {
        let inverse =
            items(&other["links"]).filter(|link| link["target"] == definition["name"] && link["inverse"].is_string());
        relations.extend(inverse.map(|link| relation(&link["inverse"], &other["name"])));
    }
    TargetObject { name, fields, relations }
}

fn field(field: &Value, all: &[Value]) -> TargetField {
    let options = || {
        items(&field["options"])
            .map(|option| TargetOption { code: text(&option["code"]), label: label(&option["label"]) })
            .collect()
    };
    let kind = match field["type"].as_str().unwrap() {
        "integer" => TargetKind::Integer,
        "decimal" => TargetKind::Decimal,
        "money" => TargetKind::Money,
        "date" => TargetKind::Date,
        "timestamp" => TargetKind::Timestamp,
        "bool" => TargetKind::Bool,
        "enum" => TargetKind::Enum { options: options() },
        "multi_enum" => TargetKind::MultiEnum { options: options() },
        "address" => TargetKind::Address,
        "json" => TargetKind::Json,
        "reference" => {
            let objects: Vec<String> = items(&field["targets"]).map(text).collect();
            let titled = all.iter().find(|object| Some(&text(&object["name"])) == objects.first());
            let by = titled.map_or_else(|| "name".to_owned(), |object| text(&object["title_field"]));
            TargetKind::Reference { objects, by }
        }
        _ => TargetKind::Text,
    };
    let aliases = items(&field["aliases"]).map(text).collect();
    TargetField { name: text(&field["name"]), label: label(&field["label"]), kind, aliases }
}
