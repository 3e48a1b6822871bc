//! Migrations come in pairs, one for each engine under the same name, numbered without a gap.
//! Whether both make the same schema is a test of the crate `store`.

use crate::tree;
use std::collections::BTreeSet;

/// What is wrong with the migration files of both engines.
fn offences(paths: &[&str]) -> Vec<String> {
    let names = |engine: &str| -> BTreeSet<String> {
        let prefix = format!("migrations/{engine}/");
        paths.iter().filter_map(|path| path.strip_prefix(&prefix)?.strip_suffix("/up.sql")).map(str::to_owned).collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    let mut found: Vec<String> = sqlite
        .symmetric_difference(&postgres)
        .map(|name| format!("migrations: {name} exists for one engine only"))
        .collect();
    for (number, name) in sqlite.union(&postgres).enumerate() {
        if !name.starts_with(&format!("{:04}_", number + 1)) {
            found.push(format!("migrations: {name} should be number {:04}", number + 1));
        }
    }
    let strange = |path: &&&str| path.starts_with("migrations/") && !path.ends_with("/up.sql");
    found.extend(
        paths
            .iter()
            .filter(strange)
            .map(|path| format!("{path}: only {{sqlite,postgres}}/NNNN_name/up.sql lives here")),
    );
    if sqlite.is_empty() {
        found.push("migrations: none found".to_owned());
    }
    found
}

#[test]
fn migrations_come_in_pairs() {
    let files = tree::files();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    crate::none(&offences(&paths));
}

#[test]
fn bad_migrations_are_seen() {
    let good = ["migrations/sqlite/0001_a/up.sql", "migrations/postgres/0001_a/up.sql"];
    assert!(offences(&good).is_empty());
    assert_eq!(offences(&[]).len(), 1);
    assert_eq!(offences(&good[..1]).len(), 1);
    assert_eq!(offences(&["migrations/sqlite/0002_a/up.sql", "migrations/postgres/0002_a/up.sql"]).len(), 1);
    assert_eq!(offences(&[good[0], good[1], "migrations/sqlite/0001_a/down.sql"]).len(), 1);
}
