//! The rules that every shipped definition keeps.

use super::{FILES, OBJECT_SCHEMA, shipped};
use crate::*;
use kernel::{Label, limits};
use std::collections::BTreeSet;

fn catalog(profile: Profile) -> Catalog {
    Catalog::build(shipped(), profile, 0).unwrap()
}

fn each_field(mut check: impl FnMut(&ObjectDef, &FieldDef)) {
    for object in shipped() {
        for field in &object.fields {
            check(&object, field);
        }
    }
}

fn schema() -> jsonschema::Validator {
    jsonschema::validator_for(&serde_json::from_str(OBJECT_SCHEMA).unwrap()).unwrap()
}

#[test]
fn every_file_fits_the_schema_and_loads() {
    let schema = schema();
    for (name, text) in FILES {
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let errors: Vec<_> =
            schema.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        let object: ObjectDef = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(&object.name, name);
        // Written and read again it is the same, and still fits.
        let written = serde_json::to_value(&object).unwrap();
        assert!(schema.is_valid(&written), "{name} written");
        let mut again: ObjectDef = serde_json::from_value(written).unwrap();
        again.schema.clone_from(&object.schema);
        assert_eq!(again, object);
    }
    assert_eq!(shipped().len(), FILES.len());
}

#[test]
fn schema_and_reader_refuse_the_same() {
    let field = |extra: &str| {
        format!(
            r#"{{"name":"x_a","label":{{"en":"A","zh":"甲"}},"plural":{{"en":"A","zh":"甲"}},"title_field":"n",
            "fields":[{{"name":"n","label":{{"en":"N","zh":"名"}},{extra}}}]}}"#
        )
    };
    let check = |extra: &str, good: bool| {
        let json: serde_json::Value = serde_json::from_str(&field(extra)).unwrap();
        assert_eq!(schema().is_valid(&json), good, "schema on {extra}");
        assert_eq!(serde_json::from_value::<ObjectDef>(json).is_ok(), good, "reader on {extra}");
    };
    check(r#""type":"text","sensitivity":"S1""#, true);
    check(r#""type":"text","sensitivity":"S1","max_chars":20,"case_fold":true"#, true);
    check(r#""type":"text""#, false);
    check(r#""type":"text","sensitivity":"S9""#, false);
    check(r#""type":"text","sensitivity":"S1","serchable":true"#, false);
    check(r#""type":"date","sensitivity":"S1","max_chars":20"#, false);
    check(r#""type":"decimal","sensitivity":"S1""#, false);
    check(r#""type":"decimal","sensitivity":"S1","scale":2"#, true);
    check(r#""type":"enum","sensitivity":"S1""#, false);
    check(r#""type":"enum","sensitivity":"S1","options":[{"code":"a","label":{"en":"A","zh":"甲"}}]"#, true);
    check(r#""type":"reference","sensitivity":"S1""#, false);
    check(
        r#""type":"reference","sensitivity":"S1","targets":["user"],"on_delete":"refuse"}"#.trim_end_matches('}'),
        true,
    );
    check(r#""type":"bool","sensitivity":"S1","targets":["user"]"#, false);
}

#[test]
fn both_profiles_build_and_keep_their_definitions() {
    for profile in [Profile::Standard, Profile::Strict] {
        let catalog = catalog(profile);
        assert_eq!(catalog.objects().count(), FILES.len());
        let again = Catalog::build(catalog.definitions(), profile, 1).unwrap();
        for (one, two) in catalog.objects().zip(again.objects()) {
            assert_eq!(one, two);
        }
    }
}

#[test]
fn labels_are_there_in_both_languages() {
    let full = |label: &Label, place: &str| {
        assert!(!label.en.trim().is_empty() && !label.zh.trim().is_empty(), "{place}");
        assert!(label.en.is_ascii() || !label.en.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{place}");
    };
    for object in shipped() {
        full(&object.label, &object.name);
        full(&object.plural, &object.name);
        for link in &object.links {
            full(&link.label, &link.name);
            link.roles.iter().for_each(|role| full(&role.label, &role.code));
        }
    }
    each_field(|object, field| {
        let place = format!("{}.{}", object.name, field.name);
        full(&field.label, &place);
        field.help.iter().for_each(|help| full(help, &place));
        field.field_type.options().iter().for_each(|option| full(&option.label, &place));
    });
}

fn valid_name(name: &str) -> bool {
    name.len() <= limits::NAME_CHARS_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.contains("__")
        && !name.ends_with('_')
}

#[test]
fn names_are_valid_unique_and_not_reserved() {
    for object in shipped() {
        assert!(valid_name(&object.name));
        let mut seen = BTreeSet::new();
        for field in &object.fields {
            assert!(valid_name(&field.name), "{}.{}", object.name, field.name);
            assert!(!SYSTEM_FIELD_NAMES.contains(&field.name.as_str()), "{}.{} is reserved", object.name, field.name);
            assert!(seen.insert(field.name.clone()), "{}.{} twice", object.name, field.name);
            let mut codes = BTreeSet::new();
            for option in field.field_type.options() {
                assert!(valid_name(&option.code) && codes.insert(&option.code), "{}.{}", field.name, option.code);
            }
        }
        assert!(object.field(&object.title_field).is_some_and(|field| field.required), "{}", object.name);
    }
    let catalog = catalog(Profile::Standard);
    for object in catalog.objects() {
        let mut columns = BTreeSet::new();
        for column in object.fields.iter().flat_map(FieldDef::columns) {
            assert!(column.name.len() <= 63 && columns.insert(column.name.clone()), "{}.{}", object.name, column.name);
        }
        let mut relations: BTreeSet<String> = object.fields.iter().map(|field| field.name.clone()).collect();
        for relation in catalog.relations(&object.name) {
            assert!(relations.insert(relation.name.clone()), "{}.{} twice", object.name, relation.name);
        }
    }
}

#[test]
fn sealed_fields_lie_in_binary_columns_only() {
    for profile in [Profile::Standard, Profile::Strict] {
        for object in catalog(profile).objects() {
            for field in object.fields.iter().filter(|field| field.is_sealed()) {
                for column in field.columns() {
                    let expected = match column.role {
                        ColumnRole::Sealed | ColumnRole::UniqueTag => ColumnType::Binary,
                        ColumnRole::Blind | ColumnRole::BlindPart(_) => ColumnType::Integer,
                        ColumnRole::Region(_) => ColumnType::Text,
                        other => panic!("{}.{} has a plain column {other:?}", object.name, field.name),
                    };
                    assert_eq!(column.column_type, expected, "{}.{}", object.name, column.name);
                }
                let indexed = field.indexed && field.field_type != FieldType::Address;
                assert!(!field.searchable && !indexed, "{}.{} is sealed", object.name, field.name);
            }
        }
    }
}

#[test]
fn personal_values_are_sealed_by_default() {
    // Names and a few personal facts that lists and scopes need stay plain under the standard profile.
    let plain_personal = [
        "user.display_name",
        "user.last_login_at",
        "contact.last_name",
        "contact.first_name",
        "contact.full_name",
        "contact.gender",
        "contact.nationality",
        "lead.full_name",
        "account.risk_level",
    ];
    each_field(|object, field| {
        let place = format!("{}.{}", object.name, field.name);
        let contact_data = matches!(field.field_type, FieldType::Email | FieldType::Phone | FieldType::Address);
        let free = matches!(field.field_type, FieldType::LongText | FieldType::RichText);
        let personal = field.sensitivity >= Sensitivity::S2;
        assert!(field.sensitivity < Sensitivity::S3 || field.is_sealed(), "{place} is S3 and plain");
        assert!(!contact_data || field.is_sealed(), "{place} holds contact data");
        assert!(!free || field.is_sealed() || field.sensitivity == Sensitivity::S0, "{place} is free text");
        assert!(
            !personal || field.is_sealed() || plain_personal.contains(&place.as_str()),
            "{place} is personal and plain"
        );
    });
}

#[test]
fn sealing_fits_the_type() {
    each_field(|object, field| {
        let place = format!("{}.{}", object.name, field.name);
        let few_values = matches!(
            field.field_type,
            FieldType::Bool | FieldType::Enum { .. } | FieldType::MultiEnum { .. } | FieldType::Date
        );
        for profile in [Profile::Standard, Profile::Strict] {
            let sealing = field.sealing_in(profile);
            assert!(!(few_values && sealing == Sealing::Exact), "{place} has too few values for a blind index");
            assert!(!(field.unique && sealing != Sealing::Plain && sealing != Sealing::Exact), "{place} unique");
            assert!(field.parts.is_empty() || sealing != Sealing::Plain, "{place} has parts of a plain value");
        }
        for part in &field.parts {
            let fits = match part {
                IndexPart::Last4 => matches!(field.field_type, FieldType::Phone | FieldType::Text { .. }),
                IndexPart::Domain => field.field_type == FieldType::Email,
                IndexPart::MonthDay => field.field_type == FieldType::Date,
            };
            assert!(fits, "{place} {part:?}");
        }
        if field.field_type == FieldType::Address {
            assert_eq!(field.mask, Some(Mask::Street), "{place}");
        }
    });
}

#[test]
fn indexes_are_few_and_defaults_parse() {
    for object in shipped() {
        let indexed = object.fields.iter().filter(|field| field.indexed).count();
        assert!(indexed <= 8, "{} has {indexed} indexes", object.name);
    }
    each_field(|object, field| {
        let place = format!("{}.{}", object.name, field.name);
        if let Some(default) = &field.default {
            assert!(parse_value(field, default, "").is_ok(), "{place}");
        }
        assert!(!field.searchable || matches!(field.field_type, FieldType::Text { .. }), "{place} is searchable");
    });
}

#[test]
fn import_aliases_are_lower_case_and_unambiguous() {
    for object in shipped() {
        let mut seen: BTreeSet<String> = object.fields.iter().map(|field| field.name.clone()).collect();
        for field in &object.fields {
            for alias in &field.aliases {
                assert_eq!(*alias, alias.trim().to_lowercase(), "{}.{}", object.name, field.name);
                assert!(alias == &field.name || seen.insert(alias.clone()), "{}: alias {alias} twice", object.name);
            }
        }
        let folded = |label: &str| label.to_lowercase();
        for field in &object.fields {
            for other in object.fields.iter().filter(|other| other.name != field.name) {
                for label in [folded(&field.label.en), folded(&field.label.zh)] {
                    assert!(
                        !other.aliases.contains(&label),
                        "{}.{}: alias {label} is the label of {}",
                        object.name,
                        other.name,
                        field.name
                    );
                }
            }
        }
    }
}

#[test]
fn business_objects_can_be_tagged() {
    for object in shipped().iter().filter(|object| object.kind == ObjectKind::Business) {
        assert!(object.link("tags").is_some_and(|link| link.target == "tag"), "{}", object.name);
    }
}
