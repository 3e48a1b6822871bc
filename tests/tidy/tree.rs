//! The tree as text: its files, what cargo says about it, and Rust source without comments and strings.
//! It knows no rule.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders that are never ours: version control, build output, what a demonstration leaves behind.
const FOREIGN: [&str; 5] = [".git", "target", "run", "node_modules", "dist"];

/// One file, its path relative to the root with `/`.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

impl File {
    /// The text, or nothing when it is not text.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// Whether the name ends so.
    pub(crate) fn is(&self, ending: &str) -> bool {
        self.path.ends_with(ending)
    }
}

/// The folder of this package, which is the root of the workspace.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of ours, sorted by path.
pub(crate) fn files() -> Vec<File> {
    let mut found = Vec::new();
    collect(&root(), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 100, "the walk is broken: only {} files", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !FOREIGN.contains(&name.as_str()) {
                collect(&path, found);
            }
        } else if let Ok(bytes) = fs::read(&path) {
            found.push(File { path: relative(&path), bytes });
        }
    }
}

/// A path below the root, as the rules write it.
pub(crate) fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// The text of a file that must be there.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What `cargo metadata` says, without the network.
pub(crate) fn metadata(arguments: &[&str]) -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline"])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The packages of a metadata answer.
pub(crate) fn packages(metadata: &Value) -> &[Value] {
    metadata["packages"].as_array().unwrap()
}

/// A text of a JSON object; empty when it is absent or null.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// The source with comments, strings and character literals blanked out. Offsets and lines stay the same.
pub(crate) fn code_only(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = skipped(bytes, at);
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = if end > at { end } else { after_word(bytes, at) };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Past an identifier, so that the `r` of `for` does not open a raw string; else one byte.
fn after_word(bytes: &[u8], at: usize) -> usize {
    let length = bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    at + length.max(1)
}

/// Where the comment or literal that begins here ends; `at` itself when none does.
fn skipped(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment(bytes, at),
        [b'"', ..] => string(bytes, at + 1),
        [b'b' | b'c', b'"', ..] => string(bytes, at + 2),
        [b'r', b'"' | b'#', ..] => raw_string(bytes, at, at + 1),
        [b'b' | b'c', b'r', b'"' | b'#', ..] => raw_string(bytes, at, at + 2),
        [b'\'', b'\\', ..] => at + 3 + rest[3..].iter().position(|byte| *byte == b'\'').unwrap_or(0) + 1,
        [b'\'', ..] => character(bytes, at),
        _ => at,
    }
}

fn block_comment(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// `r#"…"#`; a raw identifier (`r#type`) is none.
fn raw_string(bytes: &[u8], start: usize, hashes_at: usize) -> usize {
    let hashes = bytes[hashes_at..].iter().take_while(|byte| **byte == b'#').count();
    if bytes.get(hashes_at + hashes) != Some(&b'"') {
        return start;
    }
    let close: Vec<u8> = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
    let body = hashes_at + hashes + 1;
    bytes[body..]
        .windows(close.len())
        .position(|part| part == close)
        .map_or(bytes.len(), |found| body + found + close.len())
}

/// A literal of one character; a lifetime (`'a`) is none.
fn character(bytes: &[u8], at: usize) -> usize {
    let Some(first) = std::str::from_utf8(&bytes[at + 1..(at + 5).min(bytes.len())])
        .or_else(|error| std::str::from_utf8(&bytes[at + 1..at + 1 + error.valid_up_to()]))
        .ok()
        .and_then(|text| text.chars().next())
    else {
        return at;
    };
    let end = at + 1 + first.len_utf8();
    if bytes.get(end) == Some(&b'\'') { end + 1 } else { at }
}

/// Code with every item that only tests see blanked out as well: `#[cfg(test)]` and what it stands before.
pub(crate) fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = code.to_owned();
    while let Some(start) = out.find(MARK) {
        let end = item_end(out.as_bytes(), start + MARK.len());
        let blank: String = out[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..end, &blank);
    }
    out
}

/// The end of the item that begins here: its `;`, or the brace that closes its body.
fn item_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0;
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b';' if depth == 0 => return at + 1,
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    bytes.len()
}

#[test]
fn comments_and_literals_are_no_code() {
    let source = "let a = \"x // y\"; // tail\nlet b = r#\"q\"q\"#; /* in /* in */ */ let c = 'x'; let l: &'a str; for r in b\"z\" {} '\\n' '\\'' '汉' end";
    let code = code_only(source);
    assert_eq!(code.len(), source.len());
    let words: Vec<&str> = code.split_whitespace().collect();
    assert_eq!(words.join(" "), "let a = ; let b = ; let c = ; let l: &'a str; for r in {} end");
    assert_eq!(code_only("r#type x").trim(), "r#type x");
}

#[test]
fn items_of_tests_are_left_out() {
    let code = "fn a() {}\n#[cfg(test)]\nmod t { fn b() { {} } }\n#[cfg(test)]\nmod u;\nfn c() {}";
    assert_eq!(without_tests(code).split_whitespace().collect::<Vec<_>>().join(" "), "fn a() {} fn c() {}");
}
