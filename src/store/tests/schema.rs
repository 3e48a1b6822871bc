//! Rules of the schema, read from the engines' own catalogues: the same on both, the same however it came about, and
//! refused when it is not one that this version made.

#![expect(clippy::panic, reason = "a test stops where something is not as it must be")]

use metadata::{ColumnRole, ColumnType};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Store, StoreError};
use testkit::{Engine, TestAppliance, on_both_engines};

/// Table → column → type as both engines share it.
type Tables = BTreeMap<String, BTreeMap<String, String>>;

fn tables(kontor: &TestAppliance) -> Tables {
    let text = match kontor.engine {
        Engine::Embedded => {
            "SELECT m.name, p.name, p.type || CASE WHEN p.\"notnull\" THEN ' required' ELSE '' END FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 's\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%'"
        }
        Engine::Server => {
            "SELECT table_name, column_name, data_type || CASE WHEN is_nullable = 'NO' THEN ' required' ELSE '' END FROM information_schema.columns WHERE table_schema = 'public'"
        }
    };
    let mut found = Tables::new();
    for line in kontor.sql(text) {
        let parts: Vec<&str> = line.split('|').collect();
        let [table, column, kind] = parts[..] else { panic!("{line}") };
        // Keys are required without saying so on one engine, and the search tokens have a table of their own there.
        let kind = kind
            .to_lowercase()
            .replace("bytea", "blob")
            .replace("bigint", "integer")
            .replace("boolean", "integer")
            .replace(" required", "");
        if column != "search_tokens" {
            found.entry(table.to_owned()).or_default().insert(column.to_owned(), kind);
        }
    }
    found
}

/// Index → its columns, whether unique, and whether over live rows only.
fn indexes(kontor: &TestAppliance) -> BTreeMap<String, String> {
    let text = match kontor.engine {
        Engine::Embedded => {
            "SELECT name || '|' || replace(sql, char(10), ' ') FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        }
        Engine::Server => {
            "SELECT indexname || '|' || indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%\\_pkey' AND indexname NOT LIKE '%\\_key' AND indexname NOT LIKE 's\\_%'"
        }
    };
    let shape = |sql: &str| {
        let columns =
            sql.split_once('(').map(|(_, rest)| rest.split(')').next().unwrap_or_default()).unwrap_or_default();
        let columns = columns.replace(['"', ' '], "").replace("NULLSFIRST", "").replace("ASC", "");
        format!(
            "{} {columns}{}",
            if sql.contains("UNIQUE") { "unique" } else { "plain" },
            if sql.to_uppercase().contains("WHERE") { " partial" } else { "" }
        )
    };
    kontor
        .sql(text)
        .iter()
        .filter_map(|line| line.split_once('|').map(|(name, sql)| (name.to_owned(), shape(sql))))
        .collect()
}

#[test]
fn both_engines_have_the_same_schema() {
    let appliances = [Engine::Embedded, Engine::Server].map(TestAppliance::new);
    let [one, two] = appliances.each_ref().map(tables);
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    for (table, columns) in &one {
        assert_eq!(columns, &two[table], "{table}");
    }
    assert!(one.len() > 25 && one["account"].len() > 60, "{}", one.len());
    let [one, two] = appliances.each_ref().map(indexes);
    assert_eq!(one, two);
    assert!(one.len() > 60 && one.values().any(|shape| shape.starts_with("unique")), "{one:?}");
}

#[test]
fn columns_are_those_of_the_definitions_and_sealed_ones_are_binary() {
    on_both_engines(|kontor| {
        let found = tables(kontor);
        for object in kontor.store.catalog().objects() {
            let mut expected: BTreeSet<String> = ["rid", "id", "version"].map(str::to_owned).into();
            for field in &object.fields {
                for column in field.columns() {
                    let kind = found[&object.name]
                        .get(&column.name)
                        .unwrap_or_else(|| panic!("{}.{} is missing", object.name, column.name));
                    let wanted = match column.column_type {
                        ColumnType::Text => "text",
                        ColumnType::Integer | ColumnType::Bool => "integer",
                        ColumnType::Binary => "blob",
                    };
                    assert_eq!(kind, wanted, "{}.{}", object.name, column.name);
                    let derived =
                        matches!(column.role, ColumnRole::Blind | ColumnRole::BlindPart(_) | ColumnRole::Region(_));
                    assert!(
                        !field.is_sealed() || derived || kind == "blob",
                        "{}.{} is sealed and not binary",
                        object.name,
                        column.name
                    );
                    expected.insert(column.name);
                }
            }
            assert_eq!(
                found[&object.name].keys().cloned().collect::<BTreeSet<_>>(),
                expected,
                "{} has columns that no definition names",
                object.name
            );
        }
    });
}

#[test]
fn a_table_made_by_a_plan_is_like_one_made_at_the_start() {
    on_both_engines(|kontor| {
        // The definition of a shipped object, made again as a custom one.
        let source: Json = serde_json::from_str(include_str!("../../metadata/objects/contact.json")).unwrap();
        let keep = |field: &&Json| field["retired"] != true && field["read_only"] != true;
        let fields: Vec<Json> = source["fields"]
            .as_array()
            .unwrap()
            .iter()
            .filter(keep)
            .cloned()
            .map(|mut field| {
                // A shipped field without a sealing is plain; of a custom one the planner would choose.
                if field["sealing"].is_null() {
                    field["sealing"] = json!("plain");
                }
                field
            })
            .collect();
        let names: Vec<String> = fields.iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect();
        let (first, rest) = fields.split_at(6);
        let mut changes = vec![
            json!({"change": "create_object", "definition": {"name": "x_contact", "label": source["label"], "plural": source["plural"], "title_field": "full_name", "number": {"prefix": "XC-", "digits": 6}, "fields": first}}),
        ];
        kontor.define(json!(changes)).unwrap_or_else(|fault| panic!("{fault} {:?}", fault.items));
        // The other half comes later, field by field, as an upgrade would bring it.
        changes =
            rest.iter().map(|field| json!({"change": "add_field", "object": "x_contact", "field": field})).collect();
        kontor.define(json!(changes)).unwrap_or_else(|fault| panic!("{fault} {:?}", fault.items));
        let (found, mut fresh) = (tables(kontor), tables(kontor)["contact"].clone());
        let catalog = kontor.store.catalog();
        let dropped: Vec<String> = catalog
            .object("contact")
            .unwrap()
            .fields
            .iter()
            .filter(|field| !field.system && !names.contains(&field.name))
            .flat_map(|field| field.columns())
            .map(|column| column.name)
            .collect();
        fresh.retain(|column, _| !dropped.contains(column));
        assert_eq!(found["x_contact"], fresh);
        let shapes = |table: &str| -> BTreeMap<String, String> {
            let all = indexes(kontor).into_iter();
            all.filter_map(|(name, shape)| {
                name.strip_prefix("i_")
                    .or(name.strip_prefix("u_"))
                    .and_then(|rest| rest.strip_prefix(&format!("{table}_")))
                    .map(|rest| (rest.to_owned(), shape))
            })
            .collect()
        };
        assert_eq!(shapes("x_contact"), shapes("contact"));
    });
}

fn reopen(kontor: &TestAppliance) -> Result<(), StoreError> {
    Store::open(
        kontor.store.config().clone(),
        Arc::clone(kontor.store.vault()),
        Arc::clone(kontor.store.clock()),
        Arc::clone(kontor.store.random()),
    )
    .map(|store| store.close())
}

#[test]
fn a_schema_of_another_version_is_refused() {
    on_both_engines(|kontor| {
        reopen(kontor).unwrap();
        kontor.sql("INSERT INTO k_migration VALUES (9999, 'from the future', 'ff', 0)");
        let refused = reopen(kontor).unwrap_err();
        assert!(
            matches!(&refused, StoreError::SchemaUnknown(detail) if detail.contains("from the future")),
            "{refused}"
        );
        kontor.sql("DELETE FROM k_migration WHERE number = 9999");
        reopen(kontor).unwrap();
        kontor.sql("UPDATE k_migration SET hash = 'ff' WHERE number = 1");
        let refused = reopen(kontor).unwrap_err();
        assert!(matches!(&refused, StoreError::SchemaUnknown(detail) if detail.contains("another text")), "{refused}");
    });
}

#[test]
fn a_database_is_set_up_once() {
    on_both_engines(|kontor| {
        kontor.make("account", json!({"name": "Here"}));
        let again =
            store::SetUp::run(kontor.store.config(), metadata::Profile::Standard, "other", kontor.clock.as_ref());
        assert!(matches!(again, Err(StoreError::Config(_))), "{again:?}");
        assert_eq!(kontor.sql_number("SELECT count(*) FROM account"), 1);
        kontor.sql("UPDATE k_meta SET value = 'lax' WHERE key = 'profile'");
        assert!(matches!(reopen(kontor), Err(StoreError::SchemaUnknown(_))));
        kontor.sql("DELETE FROM k_meta WHERE key = 'profile'");
        assert!(matches!(reopen(kontor), Err(StoreError::Config(_))));
    });
}
