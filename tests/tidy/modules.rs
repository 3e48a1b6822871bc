//! Which source files are reached from a crate's root by `mod`, and which of them only by tests.
//! A file that nobody names is never compiled, and so never tested.

use crate::tree::{self, code_only, metadata, packages, relative, text};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The reached files; true where only tests see them.
pub(crate) fn reached() -> BTreeMap<String, bool> {
    let mut found = BTreeMap::new();
    let answer = metadata(&["--no-deps"]);
    for package in packages(&answer) {
        // testkit is never part of the product.
        let aid = text(package, "name") == "testkit";
        for target in package["targets"].as_array().unwrap() {
            let kinds: Vec<&str> = target["kind"].as_array().unwrap().iter().filter_map(|kind| kind.as_str()).collect();
            let tests = aid || kinds.iter().any(|kind| ["test", "bench", "example"].contains(kind));
            follow(Path::new(text(target, "src_path")), true, tests, &mut found);
        }
    }
    found
}

fn follow(file: &Path, is_root: bool, tests: bool, found: &mut BTreeMap<String, bool>) {
    let name = relative(file);
    // Product code wins: a file that both see is product code.
    if found.get(&name).is_some_and(|known| !known || tests) {
        return;
    }
    found.insert(name, tests);
    let Ok(source) = std::fs::read_to_string(file) else { return };
    let folder =
        if is_root || file.ends_with("mod.rs") { file.parent().unwrap().to_owned() } else { file.with_extension("") };
    for child in children(&source) {
        let path = match &child.path {
            Some(path) => file.parent().unwrap().join(path),
            None => existing(&folder, &child.name),
        };
        follow(&path, false, tests || child.tests, found);
    }
}

fn existing(folder: &Path, name: &str) -> PathBuf {
    let beside = folder.join(format!("{name}.rs"));
    if beside.exists() { beside } else { folder.join(name).join("mod.rs") }
}

#[derive(Debug, PartialEq)]
struct Child {
    name: String,
    path: Option<String>,
    tests: bool,
}

/// The `mod name;` lines of a source, with the attributes above them.
fn children(source: &str) -> Vec<Child> {
    let code = code_only(source);
    let mut found = Vec::new();
    let mut attributes: Vec<&str> = Vec::new();
    for (line, raw) in code.lines().zip(source.lines()) {
        let line = line.trim();
        if line.starts_with("#[") && line.ends_with(']') {
            attributes.push(raw.trim());
            continue;
        }
        if let Some(name) = line.strip_suffix(';').and_then(|line| line.rsplit_once("mod ")) {
            let visible = name.0.is_empty() || name.0.starts_with("pub");
            if visible && name.1.chars().all(|c| c.is_alphanumeric() || c == '_') {
                let path = attributes.iter().find_map(|line| line.strip_prefix("#[path = \"")?.strip_suffix("\"]"));
                let tests = attributes.contains(&"#[cfg(test)]");
                found.push(Child { name: name.1.to_owned(), path: path.map(str::to_owned), tests });
            }
        }
        if !line.is_empty() {
            attributes.clear();
        }
    }
    found
}

#[test]
fn every_source_file_belongs_to_a_crate() {
    let reached = reached();
    let orphans: Vec<String> = tree::files()
        .iter()
        // Sources that must not compile are read by the test that tries them.
        .filter(|file| file.is(".rs") && !file.path.contains("/compile_fail/") && !reached.contains_key(&file.path))
        .map(|file| format!("{}: no `mod` leads here; name it or remove it", file.path))
        .collect();
    crate::none(&orphans);
}

#[test]
fn module_lines_are_found() {
    let source =
        "//! mod no;\nmod a;\n#[cfg(test)]\n#[path = \"x/b.rs\"]\npub(crate) mod b;\nmod inline {}\npub mod c;\n";
    let child = |name: &str, path: Option<&str>, tests| Child { name: name.into(), path: path.map(Into::into), tests };
    assert_eq!(children(source), [child("a", None, false), child("b", Some("x/b.rs"), true), child("c", None, false)]);
}
