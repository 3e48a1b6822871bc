//! Rules about the documentation: links lead somewhere, and what people read exists in both languages.

use crate::tree::{self, File, read};
use std::collections::BTreeSet;
use std::path::{Component, Path};

/// The targets of `[text](target)` in a text, without those inside code.
fn links(markdown: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        // Every second piece between back-ticks is code.
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("code");
        for part in prose.split("](").skip(1) {
            found.extend(
                part.split_once(')').map(|(target, _)| target.split_whitespace().next().unwrap_or_default().to_owned()),
            );
        }
    }
    found
}

/// The anchors that headings get: lower case, blanks to hyphens, punctuation gone.
fn anchors(markdown: &str) -> BTreeSet<String> {
    let headings =
        markdown.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings
        .map(|heading| {
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// `docs/a/../b.md` → `docs/b.md`.
fn joined(from: &str, target: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let path = Path::new(from).parent().unwrap_or(Path::new("")).join(target);
    for component in path.components() {
        match component {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            _ => {}
        }
    }
    parts.join("/")
}

/// Why a link of `from` is broken, if it is.
fn broken(from: &str, target: &str, exists: impl Fn(&str) -> bool, read: impl Fn(&str) -> String) -> Option<String> {
    if target.starts_with("http://") || target.starts_with("https://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() { from.to_owned() } else { joined(from, file) };
    if !exists(&path) {
        return Some(format!("{from}: the link `{target}` leads nowhere"));
    }
    let lost = !anchor.is_empty() && path.ends_with(".md") && !anchors(&read(&path)).contains(anchor);
    lost.then(|| format!("{from}: `{target}`: no such heading"))
}

#[test]
fn links_lead_somewhere() {
    let files = tree::files();
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| file.is(".md")) {
        for target in links(file.text().unwrap_or_default()) {
            offences.extend(broken(&file.path, &target, |path| tree::root().join(path).exists(), read));
        }
    }
    crate::none(&offences);
}

/// Pages for people that lack their twin in the other language.
fn single(paths: &[&str]) -> Vec<String> {
    let known: BTreeSet<&str> = paths.iter().copied().collect();
    let mut offences = Vec::new();
    for path in paths {
        let twin = match path.strip_suffix(".zh-CN.md") {
            Some(stem) => format!("{stem}.md"),
            None => path.replace(".md", ".zh-CN.md"),
        };
        if !known.contains(twin.as_str()) {
            offences.push(format!("{path}: {twin} is missing"));
        }
    }
    offences
}

#[test]
fn guides_exist_in_both_languages() {
    let files = tree::files();
    let for_people = |file: &&File| {
        let folder = ["docs/admin/", "docs/auditor/", "docs/user/"].iter().any(|folder| file.path.starts_with(folder));
        file.is(".md") && (folder || file.path.starts_with("README"))
    };
    let paths: Vec<&str> = files.iter().filter(for_people).map(|file| file.path.as_str()).collect();
    crate::none(&single(&paths));
}

#[test]
fn bad_documents_are_seen() {
    assert_eq!(links("a [b](c.md#d) `[x](y)` [e](f)\n```\n[g](h)\n```\n"), ["c.md#d", "f"]);
    let text = |_: &str| "# One\n## 2. Two words\n## 三、中文".to_owned();
    let exists = |path: &str| path == "docs/a.md" || path == "README.md";
    for (target, ok) in [
        ("../README.md", true),
        ("a.md#2-two-words", true),
        ("#三中文", true),
        ("https://example.org/x", true),
        ("b.md", false),
        ("a.md#three", false),
        ("../../README.txt", false),
    ] {
        assert_eq!(broken("docs/a.md", target, exists, text).is_none(), ok, "{target}");
    }
    assert_eq!(single(&["docs/user/a.md", "docs/user/a.zh-CN.md", "docs/user/b.zh-CN.md", "docs/user/c.md"]).len(), 2);
}
