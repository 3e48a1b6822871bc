//! Many rows at once: how many statements an import needs, what it still tells of single rows, and that a search among more
//! hits than it reads whole finds the newest.
#![cfg(test)]

use serde_json::{Value as Json, json};
use testkit::{Engine, TestAppliance, on_both_engines};
use transfer::{Go, ImportJob, ImportReport, Input, Mapping, Rejects, run};

fn import(kontor: &TestAppliance, name: &str, mapping: Json, lines: impl Iterator<Item = String>) -> ImportReport {
    let file = kontor.dir().join(format!("{name}.csv"));
    std::fs::write(&file, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let job = ImportJob {
        input: Input::Path(file),
        object: mapping["object"].as_str().unwrap().to_owned(),
        mapping: Some(Mapping::parse(&mapping.to_string()).unwrap()),
        dry_run: false,
        rejects: Rejects::File(kontor.dir().join(format!("{name}-rejected.csv"))),
        job: name.to_owned(),
        is_sample: false,
        ledger: None,
        resume: None,
    };
    run(&kontor.records, &kontor.operator(), job, &mut |_| Go::On).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

fn accounts(kontor: &TestAppliance, name: &str, rows: std::ops::Range<u32>) -> ImportReport {
    let mapping = json!({
        "kontor_mapping": 1, "object": "account", "external_id": {"system": "test", "column": "id"},
        "fields": {"kind": {"constant": "company"}, "name": {"column": "name"}},
    });
    let lines = rows.map(|row| format!("{row},同名公司 {row}"));
    import(kontor, name, mapping, std::iter::once("id,name".to_owned()).chain(lines))
}

/// Contacts with a sealed field, each of its own account.
fn contacts(kontor: &TestAppliance, name: &str, rows: std::ops::Range<u32>) -> ImportReport {
    let mapping = json!({
        "kontor_mapping": 1, "object": "contact", "external_id": {"system": "test", "column": "id"},
        "fields": {
            "full_name": {"column": "name"}, "email": {"column": "email"},
            "account": {"column": "account", "reference": {"by": "external_id", "system": "test"}},
        },
    });
    let lines = rows.map(|row| format!("{row},Person {row},person{row}@example.com,{row}"));
    import(kontor, name, mapping, std::iter::once("id,name,email,account".to_owned()).chain(lines))
}

#[test]
fn an_import_needs_few_statements_whatever_its_rows() {
    let kontor = TestAppliance::new(Engine::Server);
    let extension =
        "SELECT count(*) FROM pg_settings WHERE name = 'shared_preload_libraries' AND setting LIKE '%pg_stat%'";
    if kontor.sql_number(extension) == 0 {
        assert!(std::env::var_os("CI").is_none(), "pg_stat_statements is missing in CI");
        eprintln!("SKIPPED: the server does not count statements");
        return;
    }
    kontor.sql("CREATE EXTENSION pg_stat_statements");
    let statements = |run: &dyn Fn() -> ImportReport, rows: u64| {
        let counted = "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE dbid = \
                       (SELECT oid FROM pg_database WHERE datname = current_database())";
        let before = kontor.sql_number(counted);
        let report = run();
        assert_eq!((report.created, report.rejected), (rows, 0), "{:?}", report.reasons);
        kontor.sql_number(counted) - before
    };
    statements(&|| accounts(&kontor, "accounts", 0..600), 600);
    let few = statements(&|| contacts(&kontor, "few", 0..100), 100);
    let many = statements(&|| contacts(&kontor, "many", 100..600), 500);
    // 400 rows more: records, two keys each, names in another system and entries of the log, each many to a statement.
    assert!(many - few < 100, "100 rows need {few} statements, 500 rows {many}");
}

#[test]
fn a_row_that_fails_is_told_and_the_others_go_in() {
    on_both_engines(|kontor| {
        assert_eq!(accounts(kontor, "accounts", 0..100).created, 100);
        // Of the rows in between, ten name accounts that are not there, and the last ten are there already.
        assert_eq!(contacts(kontor, "first", 80..90).created, 10);
        let report = contacts(kontor, "second", 0..110);
        assert_eq!((report.created, report.unchanged, report.rejected), (90, 10, 10), "{:?}", report.reasons);
        let again = contacts(kontor, "third", 0..100);
        assert_eq!((again.created, again.unchanged, again.rejected), (0, 100, 0), "{:?}", again.reasons);
    });
}

#[test]
fn names_that_rows_of_the_same_file_bring_are_found_at_once() {
    on_both_engines(|kontor| {
        let mapping = json!({
            "kontor_mapping": 1, "object": "account", "match": ["name"],
            "fields": {"kind": {"constant": "company"}, "name": {"column": "name"}, "website": {"column": "site"}},
        });
        let lines = (0..120).map(|row| format!("Firm {},https://firm{row}.example", row % 40));
        let report = import(kontor, "twice", mapping, std::iter::once("name,site".to_owned()).chain(lines));
        assert_eq!((report.created, report.updated, report.rejected), (40, 80, 0), "{:?}", report.reasons);
    });
}

#[test]
fn the_newest_of_many_hits_are_found_wherever_they_lie() {
    on_both_engines(|kontor| {
        assert_eq!(accounts(kontor, "accounts", 0..2_100).created, 2_100);
        let newest = || {
            let found = kontor.records.search(&kontor.operator(), "同名", Some(vec!["account".into()]));
            let names: Vec<String> = found.wait().unwrap().into_view().groups[0]
                .items
                .iter()
                .map(|item| item.fields["name"].as_str().unwrap().to_owned())
                .collect();
            assert!(names.len() > 1);
            for (name, row) in names.iter().zip((0..2_100).rev()) {
                assert_eq!(*name, format!("同名公司 {row}"));
            }
        };
        newest();
        // Far behind the newest rows.
        if matches!(kontor.store.config().engine, store::EngineConfig::Postgres { .. }) {
            kontor.sql("ALTER TABLE account ALTER COLUMN rid RESTART WITH 100000");
        }
        kontor.make("account", json!({"kind": "company", "name": "Another"}));
        newest();
    });
}
