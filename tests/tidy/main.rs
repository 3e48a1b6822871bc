//! The house rules as tests: what a reviewer should not have to look for. docs/STYLE.md gives the reasons.
//! They read the tree as it lies there and never change it. Every rule has a test of its own that it can fail.
#![cfg(test)]

mod dependencies;
mod docs;
mod edges;
mod licence;
mod migrations;
mod modules;
mod rules;
mod tree;
mod words;

/// Fails with every offence at once, one a line.
#[track_caller]
fn none(offences: &[String]) {
    assert!(offences.is_empty(), "\n  {}\n", offences.join("\n  "));
}
