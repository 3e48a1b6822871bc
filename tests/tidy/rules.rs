//! Rules about one source file or one crate at a time: what it opens with, how long it is, what it may not say.
//! Lints already hold most of the rest; see clippy.toml and `[workspace.lints]`.

use crate::modules;
use crate::tree::{self, File, code_only, metadata, packages, relative, text, without_tests};
use std::path::Path;

const FILE_LINES_MAX: usize = 500;
const MAIN_LINES_MAX: usize = 120;
/// The description of the API is the largest: it grows with every route and object.
const FILE_BYTES_MAX: usize = 1_000_000;

/// What code may not contain, in tests or out of them, and the reason.
const NEVER: [(&str, &str); 4] = [
    (concat!("#[al", "low("), "use #[expect(…, reason = …)]: it complains when it is no longer needed"),
    (concat!("#![al", "low("), "use #![expect(…, reason = …)]: it complains when it is no longer needed"),
    (concat!("#[ig", "nore"), "a test that does not run is no test"),
    (concat!("unimpl", "emented!("), "finish it"),
];

/// What only tests may contain.
const NEVER_IN_PRODUCT: [(&str, &str); 3] = [
    (concat!("to", "do!("), "finish it"),
    (concat!("thread::", "sleep"), "wait for a condition, never for time"),
    (concat!("static ", "mut "), "state is an argument"),
];

fn offences(path: &str, source: &str, tests: bool) -> Vec<String> {
    let mut found = Vec::new();
    if !source.starts_with("//! ") {
        found.push(format!("{path}: does not open with `//!` (what it is for, what it never does)"));
    }
    let lines = source.lines().count();
    let limit = if path == "src/main.rs" { MAIN_LINES_MAX } else { FILE_LINES_MAX };
    if lines > limit {
        found.push(format!("{path}: {lines} lines, at most {limit}; split it by job"));
    }
    let code = code_only(source);
    found.extend(hits(path, &code, &NEVER));
    if !tests {
        found.extend(hits(path, &without_tests(&code), &NEVER_IN_PRODUCT));
    }
    found
}

fn hits(path: &str, code: &str, rules: &[(&str, &str)]) -> Vec<String> {
    let lines = || code.lines().enumerate();
    let hit = |(number, line): (usize, &str)| {
        let (mark, why) = rules.iter().find(|(mark, _)| line.contains(mark))?;
        Some(format!("{path}:{}: `{mark}`: {why}", number + 1))
    };
    lines().filter_map(hit).collect()
}

#[test]
fn source_files_keep_the_rules() {
    let reached = modules::reached();
    let found: Vec<String> = tree::files()
        .iter()
        .filter(|file| file.is(".rs") && !file.path.contains("/compile_fail/"))
        .flat_map(|file| offences(&file.path, file.text().unwrap_or_default(), reached.get(&file.path) == Some(&true)))
        .collect();
    crate::none(&found);
}

#[test]
fn every_crate_says_what_it_is() {
    let answer = metadata(&["--no-deps"]);
    let mut found = Vec::new();
    for package in packages(&answer) {
        let manifest = relative(Path::new(text(package, "manifest_path")));
        if text(package, "description").len() < 20 {
            found.push(format!("{manifest}: no description of what the crate is for"));
        }
        if text(package, "license") != "Apache-2.0" {
            found.push(format!("{manifest}: `license.workspace = true` is missing"));
        }
        if !tree::read(&manifest).contains("[lints]\nworkspace = true") {
            found.push(format!("{manifest}: does not take the lints of the workspace"));
        }
        let folder = manifest.trim_end_matches("Cargo.toml").trim_end_matches('/');
        // What measures the product is no part of it, and lies outside src/.
        let outside = text(package, "name") == "kontor-bench" && folder == "benches";
        if !folder.is_empty() && !outside && folder != format!("src/{}", text(package, "name")) {
            found.push(format!("{manifest}: a crate lies in src/<its name>"));
        }
    }
    crate::none(&found);
}

#[test]
fn no_file_is_large() {
    let large = |file: &&File| file.bytes.len() > FILE_BYTES_MAX;
    let found: Vec<String> = tree::files()
        .iter()
        .filter(large)
        .map(|file| {
            format!(
                "{}: {} bytes, at most {FILE_BYTES_MAX}; data are fetched or generated",
                file.path,
                file.bytes.len()
            )
        })
        .collect();
    crate::none(&found);
}

#[test]
fn the_house_is_complete() {
    let files = tree::files();
    let wanted = [
        "LICENSE",
        "README.md",
        "README.zh-CN.md",
        "docs/ARCHITECTURE.md",
        "docs/STYLE.md",
        "deny.toml",
        "Makefile",
        ".ci/run",
    ];
    let missing = wanted.iter().filter(|name| !files.iter().any(|file| file.path == **name));
    crate::none(&missing.map(|name| format!("{name} is missing")).collect::<Vec<_>>());
}

#[test]
fn bad_sources_are_seen() {
    let head = "//! What it is for.\n";
    assert!(offences("src/a/lib.rs", &format!("{head}fn a() {{}}\n"), false).is_empty());
    assert_eq!(offences("src/a/lib.rs", "fn a() {}\n", false).len(), 1);
    assert_eq!(offences("src/a/lib.rs", &format!("{head}{}", "\n".repeat(FILE_LINES_MAX)), false).len(), 1);
    assert_eq!(offences("src/main.rs", &format!("{head}{}", "\n".repeat(MAIN_LINES_MAX)), false).len(), 1);
    for (mark, _) in NEVER {
        assert_eq!(offences("src/a/lib.rs", &format!("{head}{mark}"), true).len(), 1, "{mark}");
    }
    for (mark, _) in NEVER_IN_PRODUCT {
        assert_eq!(offences("src/a/lib.rs", &format!("{head}{mark}"), false).len(), 1, "{mark}");
        assert_eq!(
            offences("src/a/lib.rs", &format!("{head}// {mark}\nlet a = \"{mark}\";"), false).len(),
            0,
            "{mark}"
        );
        assert_eq!(
            offences("src/a/lib.rs", &format!("{head}#[cfg(test)]\nmod t {{ {mark} }}"), false).len(),
            0,
            "{mark}"
        );
        assert_eq!(offences("tests/a.rs", &format!("{head}{mark}"), true).len(), 0, "{mark}");
    }
}
