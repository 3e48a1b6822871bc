//! The arrows between the crates are those of the table in docs/ARCHITECTURE.md, and each dangerous power has one home.
//! Whoever needs another arrow changes the table first, and says why.

use crate::modules;
use crate::tree::{self, code_only, metadata, packages, read, text, without_tests};
use crate::words::has_word;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Which crates may depend on a package that is a power of its own. A name ending in `*` stands for all that begin so.
const POWERS: [(&str, &[&str]); 11] = [
    ("diesel*", &["store"]),
    ("libsqlite3-sys", &["store"]),
    ("tokio-postgres*", &["store"]),
    ("actix*", &["api"]),
    ("argon2", &["identity", "vault"]),
    ("rustls", &["api", "store"]),
    ("rcgen", &["api"]),
    ("ureq", &["kontor", "outbound", "testkit"]),
    ("russh*", &["outbound"]),
    ("lettre", &["notify"]),
    ("reqwest", &[]),
];

/// Words of code that are a power although their package is used elsewhere for something harmless, and their home.
const WORDS: [(&str, &str); 4] =
    [("aead", "src/vault/"), ("Ed25519KeyPair", "src/vault/"), ("diesel", "src/store/"), ("actix_web", "src/api/")];

#[derive(Clone)]
enum May {
    Use(BTreeSet<String>),
    Everything,
}

/// The table `crate | one line | may use` of a text.
fn table(markdown: &str) -> BTreeMap<String, May> {
    let rows = markdown.lines().skip_while(|line| !line.starts_with("| crate | one line | may use |")).skip(2);
    let mut found = BTreeMap::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, _, uses] = cells[..] else { panic!("a row of the table has not three cells: {row}") };
        let uses = match uses {
            "any" => May::Everything,
            "–" => May::Use(BTreeSet::new()),
            list => May::Use(list.split(',').map(|name| name.trim().trim_matches('`').to_owned()).collect()),
        };
        found.insert(name.trim_matches('`').to_owned(), uses);
    }
    found
}

/// An arrow as cargo knows it.
struct Edge<'a> {
    from: &'a str,
    to: &'a str,
    for_tests: bool,
    ours: bool,
}

fn edges(answer: &Value) -> Vec<Edge<'_>> {
    let mut found = Vec::new();
    for package in packages(answer) {
        for dependency in package["dependencies"].as_array().unwrap() {
            found.push(Edge {
                from: text(package, "name"),
                to: text(dependency, "name"),
                for_tests: text(dependency, "kind") == "dev",
                ours: !dependency["path"].is_null(),
            });
        }
    }
    found
}

/// All that is below a crate. Its tests may use that much, to build what their subject works on.
fn below(table: &BTreeMap<String, May>, name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(May::Use(uses)) = open.pop().and_then(|name| table.get(&name)) {
        open.extend(uses.iter().filter(|name| found.insert((*name).clone())).cloned());
    }
    found
}

fn forbidden(table: &BTreeMap<String, May>, edge: &Edge) -> Option<String> {
    let allowed = match table.get(edge.from)? {
        May::Everything => true,
        May::Use(uses) if uses.contains(edge.to) => true,
        May::Use(_) => edge.for_tests && (edge.to == "testkit" || below(table, edge.from).contains(edge.to)),
    };
    let product = edge.to == "testkit" && !edge.for_tests;
    (!allowed || product)
        .then(|| format!("`{}` uses `{}`, which docs/ARCHITECTURE.md does not allow", edge.from, edge.to))
}

fn misplaced(edge: &Edge) -> Option<String> {
    let (_, homes) = POWERS.iter().find(|(name, _)| match name.strip_suffix('*') {
        Some(start) => edge.to.starts_with(start),
        None => edge.to == *name,
    })?;
    let wrong = !edge.for_tests && !homes.contains(&edge.from);
    wrong.then(|| format!("`{}` uses {}, a power of: {}", edge.from, edge.to, homes.join(", ")))
}

#[test]
fn the_table_names_every_crate() {
    let answer = metadata(&["--no-deps"]);
    let table = table(&read("docs/ARCHITECTURE.md"));
    let crates: BTreeSet<&str> = packages(&answer).iter().map(|package| text(package, "name")).collect();
    let mut offences: Vec<String> = crates
        .iter()
        .filter(|name| !table.contains_key(**name))
        .map(|name| format!("`{name}` is not in the table"))
        .collect();
    let gone = table.keys().filter(|name| !crates.contains(name.as_str()));
    offences.extend(gone.map(|name| format!("the table names `{name}`, which does not exist")));
    crate::none(&offences);
}

#[test]
fn every_arrow_is_in_the_table() {
    let answer = metadata(&["--no-deps"]);
    let table = table(&read("docs/ARCHITECTURE.md"));
    let offences: Vec<String> =
        edges(&answer).iter().filter(|edge| edge.ours).filter_map(|edge| forbidden(&table, edge)).collect();
    crate::none(&offences);
}

#[test]
fn dangerous_powers_stay_at_home() {
    let answer = metadata(&["--no-deps"]);
    let offences: Vec<String> = edges(&answer).iter().filter_map(misplaced).collect();
    crate::none(&offences);
}

#[test]
fn dangerous_words_stay_at_home() {
    let reached = modules::reached();
    let mut offences = Vec::new();
    for file in tree::files().iter().filter(|file| reached.get(&file.path) == Some(&false)) {
        offences.extend(words_abroad(&file.path, file.text().unwrap_or_default()));
    }
    crate::none(&offences);
}

fn words_abroad(path: &str, source: &str) -> Vec<String> {
    let code = without_tests(&code_only(source));
    let abroad =
        WORDS.iter().filter(|(word, home)| !path.starts_with(home) && code.lines().any(|line| has_word(line, word)));
    abroad.map(|(word, home)| format!("{path}: `{word}` belongs to {home}")).collect()
}

#[test]
fn bad_arrows_are_seen() {
    let table = table(
        "x\n| crate | one line | may use |\n|---|---|---|\n| `a` | . | – |\n| `b` | . | `a` |\n| `c` | . | `b` |\n| `testkit` | . | any |\n\n| `z` | . | – |\n",
    );
    assert_eq!(table.len(), 4);
    let edge = |from, to, for_tests| Edge { from, to, for_tests, ours: true };
    for (from, to, for_tests, ok) in [
        ("b", "a", false, true),
        ("a", "b", false, false),
        ("a", "b", true, false),
        ("c", "a", false, false),
        ("c", "a", true, true),
        ("testkit", "c", false, true),
        ("c", "testkit", true, true),
        ("c", "testkit", false, false),
    ] {
        assert_eq!(forbidden(&table, &edge(from, to, for_tests)).is_none(), ok, "{from} → {to}");
    }
    for (from, to, for_tests, ok) in [
        ("store", "diesel-async", false, true),
        ("records", "diesel", false, false),
        ("records", "diesel", true, true),
        ("api", "reqwest", false, false),
        ("kontor", "lettre", false, false),
        ("records", "serde", false, true),
    ] {
        assert_eq!(misplaced(&edge(from, to, for_tests)).is_none(), ok, "{from} → {to}");
    }
    assert_eq!(words_abroad("src/audit/a.rs", "use ring::aead;\n// diesel\n").len(), 1);
    assert_eq!(words_abroad("src/vault/a.rs", "use ring::aead;\n#[cfg(test)]\nmod t { use diesel::x; }\n").len(), 0);
}
