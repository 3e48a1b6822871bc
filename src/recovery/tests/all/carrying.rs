//! What is carried to further targets: they follow, catch up, get few files and not many, and a stream ends where too much waits.

use crate::parts::attach;
use crate::shipping::{database, files, site};
use kernel::Clock;
use recovery::{leads_into_stream, streams_prune};
use serde_json::json;
use std::fs;
use store::file_stamp;

#[test]
fn other_targets_follow_and_one_that_was_away_catches_up() {
    let site = site();
    let status = site.ship(&site.kontor.store, site.plan(None, &["two", "three"]), None);
    site.set(1, &["two", "three"]);
    site.based(&status);
    let (there, away) = (site.root.path().join("three"), site.root.path().join("away"));
    site.account("One");
    site.wait("both have it", || site.back("two", None).unwrap() == 2 && site.back("three", None).unwrap() == 2);
    fs::rename(&there, &away).unwrap();
    for number in 0..20 {
        site.account(&format!("Customer {number}"));
    }
    site.wait("the other goes on", || site.back("two", None).unwrap() == 22);
    let of = |name: &str| {
        let targets = status.targets(site.kontor.clock.now().plus_seconds(90));
        targets.into_iter().find(|target| target.target == name).unwrap()
    };
    site.wait("it is told", || of("three").trouble.is_some() && of("three").rpo_seconds >= 90);
    fs::rename(&away, &there).unwrap();
    site.wait("it catches up", || site.back("three", None).unwrap() == 22);
    site.wait("and is well", || of("three").trouble.is_none() && of("three").rpo_seconds == 0);
}

#[test]
fn many_small_files_of_another_target_are_put_together() {
    let site = site();
    let status = site.ship(&site.kontor.store, site.plan(Some("one"), &["two"]), None);
    site.set(1, &["two"]);
    site.based(&status);
    let operator = site.kontor.operator();
    let account = site.account("With files");
    let count = |ending: &str| {
        let there = files(&site.folder("two"));
        there.iter().filter(|file| file.extension().is_some_and(|extension| extension == ending)).count()
    };
    let upload = |round: usize| {
        // Nothing that can be made small.
        let mut word = 88_172_645_463_325_252u64 + round as u64;
        let bytes = std::iter::repeat_with(|| {
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            word.to_be_bytes()
        });
        let bytes: Vec<u8> = bytes.take(200_000).flatten().collect();
        attach(&site.kontor, account, "large.pdf", &bytes);
    };
    let of = |name: &str| {
        let targets = status.targets(site.kontor.clock.now().plus_seconds(90));
        targets.into_iter().find(|target| target.target == name).unwrap().rpo_seconds
    };
    for round in 0..4 {
        upload(round);
        site.wait("it is there", || of("two") == 0);
    }
    // Four times 1.6 MB: as soon as four megabytes are there, one file has them.
    site.wait("they are put together", || count("seg") == 1 && count("few") <= 1);
    assert_eq!(site.back("two", None).unwrap(), 2);
    let before = files(&site.folder("two")).len();
    // A start goes on where the last one was, also with what is still in small files.
    site.kontor.store.close();
    let stamp = file_stamp(&database(site.kontor.store.config()));
    let (store, records) = site.kontor.over_restored(site.kontor.store.config().clone());
    let status = site.ship(&store, site.plan(Some("one"), &["two"]), stamp);
    let again = testkit::object_of(json!({"name": "Again"}));
    records.create(&operator, "account", again, None).wait().unwrap();
    let now = || site.kontor.clock.now().plus_seconds(90);
    site.wait("it goes on", || status.targets(now()).iter().all(|target| target.rpo_seconds == 0 || target.sync));
    store.close();
    assert!(files(&site.folder("two")).len() <= before + 2);
    assert_eq!(site.back("two", None).unwrap(), 3);
    // Where all of it stood already when its neighbours were removed, nothing is lost.
    assert_eq!(streams_prune(&site.target("two"), site.kontor.clock.now()).unwrap(), 0);
    assert_eq!(site.back("two", None).unwrap(), 3);
}

#[test]
fn what_waits_too_long_for_a_target_begins_a_new_stream() {
    let site = site();
    let mut plan = site.plan(None, &["two"]);
    plan.bytes_max = 60_000;
    let status = site.ship(&site.kontor.store, plan, None);
    site.set(1, &["two"]);
    let first = status.stream_name();
    site.account("One");
    site.wait("it is there", || site.back("two", None).unwrap() == 2);
    let (there, away) = (site.root.path().join("two"), site.root.path().join("away"));
    fs::rename(&there, &away).unwrap();
    site.wait("the journal outgrows its limit", || {
        site.later();
        site.account("More and more");
        status.stream_name() != first
    });
    fs::rename(&away, &there).unwrap();
    site.later();
    site.wait("the new stream is there", || {
        site.later();
        site.account("Even more");
        files(&site.folder("two")).len() > 1
    });
    assert!(!leads_into_stream(&site.target("two"), &status.stream_name().unwrap()).unwrap(), "a new set is wanted");
    assert_eq!(site.back("two", None).unwrap(), 2, "what was shipped before is still there");
    site.set(2, &["two"]);
    let rows = site.kontor.sql_number("SELECT count(*) FROM account");
    site.wait("all of it", || site.back("two", None).unwrap() == rows);
}
