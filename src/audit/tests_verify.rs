//! The verifier finds what was altered and names the place, in the log and in the database.

use crate::{
    ActOutcome, Checkpoint, Phase, Report, TileReader, TileWriter, Verification,
    sample::{Sample, encoded, entry, record, state},
    verify,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use std::{fs, path::Path, process::Command};

fn has(report: &Report, level: u8, place: &str, detail: &str) -> bool {
    let fits = |f: &crate::Finding| f.level == level && f.place.contains(place) && f.detail.contains(detail);
    !report.ok && report.findings.iter().any(fits)
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    report.write_text(&mut text).unwrap();
    text
}

#[test]
fn a_sound_log_passes_all_levels() {
    for size in [0, 1, 255, 256, 257, 700] {
        let mut sample = Sample::with(size);
        let report = sample.verify();
        assert!(report.ok && report.level_reached == 4, "{size}: {}", text(&report));
        assert_eq!((report.checked.entries, report.checked.rows), (size, size));
        assert_eq!(report.checked.records, 50.min(size.div_ceil(3)));
        assert!(text(&report).starts_with("The log is sound: level 4 of 4"));
        assert!(serde_json::to_string(&report).unwrap().contains("\"ok\":true"));
    }
}

/// Every file, every position: what lies on disk is covered by the checkpoint to the last bit.
#[test]
fn one_flipped_bit_in_any_file_is_found_and_named() {
    let sample = std::cell::RefCell::new(Sample::with(600));
    let files = sample.borrow().files();
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "checkpoint",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ];
    assert_eq!(names, expected, "no superseded partial tiles are left");
    let at = (prop::sample::select(files), any::<prop::sample::Index>(), 0u8..8);
    let mut runner = TestRunner::new(Config::with_cases(400));
    let flip = |((name, path), at, bit): ((String, std::path::PathBuf), prop::sample::Index, u8)| {
        let good = fs::read(&path).unwrap();
        let mut bytes = good.clone();
        bytes[at.index(good.len())] ^= 1 << bit;
        fs::write(&path, bytes).unwrap();
        let report = sample.borrow_mut().verify();
        fs::write(&path, good).unwrap();
        prop_assert!(!report.ok);
        let named = |f: &crate::Finding| f.place == name || f.detail.contains(&name);
        prop_assert!(report.findings.iter().any(named), "{} not named in {}", name, text(&report));
        Ok(())
    };
    runner.run(&at, flip).unwrap();
    assert!(sample.borrow_mut().verify().ok, "all restored");
}

#[test]
fn one_flipped_bit_in_any_row_is_found_and_named() {
    let sample = std::cell::RefCell::new(Sample::with(300));
    let at = (0usize..300, any::<prop::sample::Index>(), 0u8..8);
    let mut runner = TestRunner::new(Config::with_cases(100));
    let flip = |(row, at, bit): (usize, prop::sample::Index, u8)| {
        let good = sample.borrow().rows.0[row].1.clone();
        sample.borrow_mut().rows.0[row].1[at.index(good.len())] ^= 1 << bit;
        let report = sample.borrow_mut().verify();
        sample.borrow_mut().rows.0[row].1 = good;
        let place = format!("database k_audit seq {row}");
        prop_assert!(has(&report, 3, &place, "differs from the log"));
        prop_assert_eq!(report.findings_total, 1);
        Ok(())
    };
    runner.run(&at, flip).unwrap();
}

#[test]
fn missing_and_cut_and_grown_files_are_named() {
    let sample = std::cell::RefCell::new(Sample::with(600));
    let files = sample.borrow().files();
    for (name, path) in files {
        let good = fs::read(&path).unwrap();
        let check = |what: &str| {
            let report = sample.borrow_mut().verify();
            assert!(report.findings.iter().any(|f| f.place == name), "{what} {name}: {}", text(&report));
        };
        fs::remove_file(&path).unwrap();
        check("missing");
        fs::write(&path, &good[..good.len() - 1]).unwrap();
        check("cut");
        fs::write(&path, [good.as_slice(), b"x"].concat()).unwrap();
        check("grown");
        fs::write(&path, good).unwrap();
    }
}

#[test]
fn a_rewritten_bundle_with_its_tile_is_still_found() {
    // Somebody who knows the format alters an entry and the leaf hash, but cannot reach the root.
    let mut sample = Sample::with(600);
    let (bundle, tile) = (sample.path().join("tile/entries/000"), sample.path().join("tile/0/000"));
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[40] ^= 1;
    let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    let leaf = crate::leaf_hash(&bytes[2..2 + length]);
    fs::write(&bundle, &bytes).unwrap();
    let mut hashes = fs::read(&tile).unwrap();
    hashes[..32].copy_from_slice(&leaf);
    fs::write(&tile, hashes).unwrap();
    let report = sample.verify();
    assert!(has(&report, 1, "tile/1/000.p/2", "hash 0 differs from the root of tile/0/000"), "{}", text(&report));
    assert!(has(&report, 1, "checkpoint", "root differs"));
    assert!(has(&report, 3, "seq 0", "differs from the log"));
}

#[test]
fn rows_missing_surplus_moved_or_out_of_order_are_found() {
    let mut sample = Sample::with(300);
    let good = sample.rows.clone();
    sample.rows.0.drain(100..103);
    let report = sample.verify();
    assert!(has(&report, 3, "seq 100 to 102", "are missing") && has(&report, 3, "k_audit", "297 rows, fewer"));

    sample.rows = good.clone();
    sample.rows.0.truncate(250);
    assert!(has(&sample.verify(), 3, "seq 250 to 299", "are missing"));

    sample.rows = good.clone();
    sample.rows.0.swap(7, 8);
    assert!(has(&sample.verify(), 3, "seq 7", "out of order"));

    // Two rows have changed places, numbers and all: order is right, contents are not.
    sample.rows = good.clone();
    let (seven, eight) = (sample.rows.0[7].1.clone(), sample.rows.0[8].1.clone());
    (sample.rows.0[7].1, sample.rows.0[8].1) = (eight, seven);
    let report = sample.verify();
    assert!(has(&report, 3, "seq 7", "differs") && has(&report, 3, "seq 8", "differs"));

    sample.rows = good.clone();
    sample.rows.0.insert(7, good.0[7].clone());
    assert!(has(&sample.verify(), 3, "seq 7", "there twice"));
    sample.rows.0.clear();
    assert!(has(&sample.verify(), 3, "seq 0 to 299", "are missing"), "an emptied table");
}

#[test]
fn rows_not_yet_sealed_are_read_and_counted() {
    let mut sample = Sample::with(300);
    for number in 300..303 {
        sample.rows.0.push((number, entry(number).encode().unwrap()));
    }
    sample.states = crate::sample::States::after(303);
    let report = sample.verify();
    assert!(report.ok && report.checked.rows_unsealed == 3, "{}", text(&report));
    sample.rows.0.remove(301);
    assert!(has(&sample.verify(), 3, "seq 301", "is missing"));
    sample.rows.0[301].1[0] ^= 1;
    assert!(has(&sample.verify(), 3, "seq 302", ""), "not canonical");
}

#[test]
fn entries_that_are_not_canonical_are_named_though_the_tree_is_right() {
    let mut sample = Sample::with(0);
    let mut writer = TileWriter::open(sample.path(), &sample.signer, None).unwrap();
    let mut entries = encoded(3);
    entries[1] = b"not cbor".to_vec();
    writer.append(&entries, &sample.signer).unwrap();
    sample.rows = crate::sample::Rows::of(&entries);
    sample.states = crate::sample::States::after(1);
    let report = sample.verify();
    assert!(has(&report, 3, "entry 1", "malformed") && report.findings_total == 1, "{}", text(&report));
}

#[test]
fn a_clock_that_went_back_is_a_note() {
    let mut sample = Sample::with(0);
    let mut writer = TileWriter::open(sample.path(), &sample.signer, None).unwrap();
    let times = [10, 20, 5, 6, 7].map(|seconds| {
        let mut entry = entry(1);
        entry.at = kernel::Timestamp::from_micros(seconds * 1_000_000);
        entry.encode().unwrap()
    });
    writer.append(&times, &sample.signer).unwrap();
    sample.rows = crate::sample::Rows::of(&times);
    let report = sample.verify();
    assert!(report.ok && report.notes_total == 1, "{}", text(&report));
    assert_eq!(report.notes[0].place, "entry 2");
    assert!(report.notes[0].detail.contains("15 s before"));
}

#[test]
fn records_edited_deleted_or_added_in_the_database_are_found() {
    let mut sample = Sample::with(300);
    let edited = record(6);
    let accounts = sample.states.0.get_mut("account").unwrap();
    accounts.insert(edited, state(12345));
    accounts.remove(&record(7));
    accounts.insert(record(77), state(1));
    sample.states.0.insert("contact".to_owned(), [(record(1), state(1))].into());
    let report = sample.verify();
    let last = (0..300).rfind(|n| n % 3 == 0 && n % 50 == 6).unwrap();
    assert!(has(&report, 4, &format!("account {edited}"), &format!("differs from the state logged in entry {last}")));
    assert!(has(&report, 4, &format!("account {}", record(7)), "row is missing"));
    assert!(has(&report, 4, &format!("account {}", record(77)), "no such record"));
    assert!(has(&report, 4, &format!("contact {}", record(1)), "no such record"));
    assert_eq!(report.findings_total, 4, "{}", text(&report));
    sample.states.0.remove("account");
    assert!(has(&sample.verify(), 4, &format!("account {}", record(0)), "row is missing"), "a dropped table");
}

#[test]
fn failed_acts_and_intents_do_not_change_what_a_row_should_be() {
    let mut sample = Sample::with(0);
    let mut writer = TileWriter::open(sample.path(), &sample.signer, None).unwrap();
    let mut failed = entry(3);
    (failed.outcome, failed.state_after) = (ActOutcome::Failed, Some(state(99)));
    let mut intent = entry(3);
    (intent.phase, intent.state_after) = (Phase::Intent, Some(state(98)));
    let mut gone = entry(6);
    gone.state_after = None;
    let all = [entry(3), failed, intent, entry(6), gone].map(|entry| entry.encode().unwrap());
    writer.append(&all, &sample.signer).unwrap();
    sample.rows = crate::sample::Rows::of(&all);
    sample.states.0.insert("account".to_owned(), [(record(3), state(4))].into());
    let report = sample.verify();
    assert!(report.ok, "{}", text(&report));
}

#[test]
fn a_foreign_signature_and_a_forged_size_are_found() {
    let mut sample = Sample::with(300);
    let checkpoint = sample.path().join("checkpoint");
    let good = fs::read(&checkpoint).unwrap();
    let claimed = Checkpoint::read_unverified(&good).unwrap();
    let stranger = crate::sample::TestSigner::with_seed(9);
    fs::write(&checkpoint, claimed.signed(&stranger).unwrap()).unwrap();
    let report = sample.verify();
    assert!(has(&report, 2, "checkpoint", "no signature of the key") && report.findings_total == 1);

    let huge = Checkpoint { size: 1 << 60, ..claimed.clone() };
    fs::write(&checkpoint, huge.signed(&stranger).unwrap()).unwrap();
    let report = sample.verify();
    assert!(has(&report, 1, "tile/0/002", "the file is missing") || has(&report, 1, "tile/entries/", "missing"));
    assert!(report.level_reached < 2 && report.findings.len() <= 1_000);
}

#[test]
fn an_older_checkpoint_kept_elsewhere_finds_a_rewritten_log() {
    let mut sample = Sample::with(300);
    let old = Checkpoint::read_unverified(&TileReader::checkpoint_note(sample.path()).unwrap()).unwrap();
    let mut writer = TileWriter::open(sample.path(), &sample.signer, None).unwrap();
    let more: Vec<_> = (300..320).map(|number| entry(number).encode().unwrap()).collect();
    writer.append(&more, &sample.signer).unwrap();
    drop(writer);
    let key = sample.signer.key();
    let check = |folder: &Path, older: &Checkpoint| {
        verify(Verification { folder, key: &key, older: Some(older), entries: None, states: None })
    };
    assert!(check(sample.path(), &old).ok);
    let other = Checkpoint { root: [9; 32], ..old.clone() };
    assert!(has(&check(sample.path(), &other), 1, "checkpoint", "first 300 entries differ"));
    // The operator, who has the key, writes a new log: sound in itself, but not what was handed out.
    let rewritten = Sample::with(200);
    assert!(verify(Verification { folder: rewritten.path(), key: &key, older: None, entries: None, states: None }).ok);
    assert!(has(&check(rewritten.path(), &old), 1, "checkpoint", "200 entries, fewer than the 300"));
    fs::remove_file(sample.path().join("checkpoint")).unwrap();
    assert!(has(&sample.verify(), 1, "checkpoint", "is missing"));
}

#[test]
fn what_survives_is_checked_where_a_bundle_is_lost() {
    let mut sample = Sample::with(600);
    fs::remove_file(sample.path().join("tile/entries/001")).unwrap();
    sample.rows.0[300].1[20] ^= 1;
    let report = sample.verify();
    assert!(has(&report, 1, "tile/entries/001", "the file is missing"));
    assert!(has(&report, 3, "seq 300", "differs from the log"), "the tile's hash stands in: {}", text(&report));
    assert_eq!(report.checked.rows, 600);
}

#[test]
fn findings_are_kept_up_to_a_limit_and_counted_beyond() {
    let mut sample = Sample::with(1_500);
    sample.rows.0.iter_mut().for_each(|(_, bytes)| bytes[10] ^= 1);
    let report = sample.verify();
    assert_eq!((report.findings.len(), report.findings_total), (1_000, 1_500));
    assert!(text(&report).contains("and 500 more"));
}

/// The auditor's script uses nothing of ours: it must agree with the verifier, in both directions.
#[test]
fn the_script_in_the_documentation_agrees() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/auditor/verify_log.py");
    let run = |sample: &Sample| {
        let key = sample.signer.key().to_string();
        Command::new("python3").arg(&script).arg(sample.path()).arg(key).output()
    };
    let sample = Sample::with(700);
    let Ok(output) = run(&sample) else {
        println!("SKIPPED: no python3 to run the auditor's script");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("700 entries"), "{said}");
    for name in ["checkpoint", "tile/0/000", "tile/1/000.p/2", "tile/entries/002.p/188"] {
        let path = sample.path().join(name);
        let good = fs::read(&path).unwrap();
        let mut bytes = good.clone();
        bytes[60] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(!run(&sample).unwrap().status.success(), "{name}");
        fs::write(&path, good).unwrap();
    }
}
