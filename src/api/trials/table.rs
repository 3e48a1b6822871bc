//! The table of routes: what is public is reviewed line by line, every name is there once, every line is described.

use crate::route::{self, Access, Carries, Gives, Repeat, Verb};
use crate::trials::golden;
use std::collections::BTreeSet;

/// The list only ever grows with a look at it.
#[test]
fn routes_and_their_access() {
    let mut text = String::new();
    for route in route::all() {
        text.push_str(&format!(
            "{:<6} {:<72} {:<18} {}\n",
            route.verb.name(),
            route.path,
            route.access().text(),
            route.name
        ));
    }
    golden("snapshots/routes.txt", &text);
}

#[test]
fn whatever_is_not_signed_in_is_on_this_list() {
    let open: Vec<&str> = route::all()
        .filter(|route| matches!(route.access(), Access::SealedOk | Access::Public))
        .map(|route| route.name)
        .collect();
    let reviewed = [
        "page_first",
        "page_app",
        "page_app_path",
        "page_file",
        "page_api",
        "page_manual",
        "page_manual_page",
        "openapi",
        "healthz",
        "readyz",
        "system_unseal",
        "metrics",
        "session_open",
        "calendar_feed",
    ];
    assert_eq!(open, reviewed);
}

#[test]
fn names_and_addresses_are_unique_and_lines_complete() {
    let mut names = BTreeSet::new();
    let mut places = BTreeSet::new();
    for route in route::all() {
        assert!(names.insert(route.name), "{} comes twice", route.name);
        assert!(places.insert((route.path, route.verb.name())), "{} {} comes twice", route.verb.name(), route.path);
        assert!(!route.summary.is_empty(), "{}", route.name);
        assert_eq!(route.gives == Gives::Nothing, route.status == 204, "{}", route.name);
        assert!(route.verb != Verb::Get || route.takes == Carries::Nothing, "{}", route.name);
        assert!(route.repeat != Repeat::Remembered || route.verb == Verb::Post, "{}", route.name);
    }
}
