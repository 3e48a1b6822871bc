//! Words and marks that must not be in the tree. They are put together from halves here, so that this file may stay.

use crate::tree::{self, File};

/// Work that was left for later has no place in the source: it is an issue, or it is done.
const UNFINISHED: [&str; 4] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];

/// Wishes, fashions and foreign spellings (the house writes British English), and what to write instead.
const BANNED: [(&str, &str); 16] = [
    (concat!("black", "list"), "deny-list"),
    (concat!("white", "list"), "allow-list"),
    (concat!("hope", "fully"), "say what happens otherwise"),
    (concat!("obvi", "ously"), "leave it out"),
    (concat!("should ", "work"), "test it and say that it does"),
    (concat!("for ", "now"), "say until when, or decide"),
    (concat!("util", "ize"), "use"),
    (concat!("lever", "age"), "use"),
    (concat!("seam", "less"), "say what does not happen"),
    (concat!("cutting", "-edge"), "leave it out"),
    (concat!("state of ", "the art"), "leave it out"),
    (concat!("behav", "ior"), "behaviour"),
    (concat!("unrecog", "nized"), "unrecognised"),
    (concat!("fav", "orite"), "favourite"),
    (concat!("cent", "ralized"), "centralised"),
    (concat!("lorem ", "ipsum"), "write the text"),
];

fn is_source(file: &File) -> bool {
    let endings = [".rs", ".ts", ".tsx", ".sh", ".py", ".sql", ".toml", ".yml", ".yaml", ".css", "Makefile", ".ci/run"];
    endings.iter().any(|ending| file.is(ending))
}

fn is_prose(file: &File) -> bool {
    is_source(file) || file.is(".md")
}

/// Whether `word` stands in `line` by itself.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(part) && !line[at + word.len()..].chars().next().is_some_and(part)
    })
}

/// A quoted mark is a datum: `"XX"` and one more X is ISO 4217's code for no currency.
fn unfinished(line: &str) -> Option<String> {
    let said = |mark: &str| has_word(&line.replace(&format!("\"{mark}\""), ""), mark);
    UNFINISHED.iter().find(|mark| said(mark)).map(|mark| format!("`{mark}`: finish it, or write an issue"))
}

fn banned(line: &str) -> Option<String> {
    let lower = line.to_lowercase();
    BANNED.iter().find(|(word, _)| has_word(&lower, word)).map(|(word, instead)| format!("`{word}`: {instead}"))
}

/// A path of the machine somebody wrote this on: a home folder, or the folder this tree lies in.
fn machine_path(line: &str, here: &str) -> Option<String> {
    let homes = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("\\Us", "ers\\"), here];
    let part = |c: char| c.is_alphanumeric() || "_.-}~".contains(c);
    let begins = |at: usize| !line[..at].chars().next_back().is_some_and(part);
    let found = homes.iter().find(|home| line.match_indices(*home).any(|(at, _)| begins(at)))?;
    Some(format!("`{found}`: a path of one machine"))
}

fn scan(concerns: impl Fn(&File) -> bool, rule: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut offences = Vec::new();
    for file in tree::files().iter().filter(|file| concerns(file)) {
        for (number, line) in file.text().unwrap_or_default().lines().enumerate() {
            offences.extend(rule(line).map(|why| format!("{}:{}: {why}", file.path, number + 1)));
        }
    }
    offences
}

#[test]
fn nothing_is_left_unfinished() {
    crate::none(&scan(is_source, unfinished));
}

#[test]
fn the_words_are_ours() {
    crate::none(&scan(is_prose, banned));
}

#[test]
fn no_path_of_one_machine() {
    let here = format!("{}/", tree::root().display());
    crate::none(&scan(|file| is_prose(file) || file.is(".json"), |line| machine_path(line, &here)));
}

#[test]
fn words_are_found_by_themselves_only() {
    assert!(unfinished(&format!("// {}: later", UNFINISHED[0])).is_some());
    assert!(unfinished(&format!("let {}ES = 330{};", UNFINISHED[0], UNFINISHED[2])).is_none());
    assert!(unfinished(&format!("code == \"{}\"", UNFINISHED[2])).is_none());
    assert!(banned(&format!("It is Uncertain; {} it runs", BANNED[2].0.to_uppercase())).is_some());
    assert!(banned("the list, allowed").is_none());
    assert!(machine_path(&format!("see {}x/y", concat!("/ho", "me/")), "/srv/kontor/").is_some());
    assert!(machine_path("open /srv/kontor/a", "/srv/kontor/").is_some());
    assert!(machine_path(&format!("https://example.org{}", concat!("/ho", "me/")), "/srv/kontor/").is_none());
}
