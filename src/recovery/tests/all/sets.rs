//! Sets from their making to their restoring, and what becomes of them when a target fails, lies, or is tampered with.

use crate::parts::{attach, file_in, files_of, write_set};
use kernel::{Clock, RecordId, Timestamp};
use recovery::{
    DirectoryTarget, House, PartSink, Progress, RecoveryError, SetName, Target, TargetOutcome, drill, restore,
    verify_set,
};
use serde_json::json;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use store::{Depth, Store, StoreConfig};
use testkit::{Engine, TestAppliance};
use vault::ArchiveIdentity;

/// An appliance with some records, a file, and the small files of its folder.
struct Site {
    kontor: TestAppliance,
    house: House,
    root: tempfile::TempDir,
    account: RecordId,
}

fn site() -> Site {
    let kontor = TestAppliance::new(Engine::Embedded);
    let root = tempfile::tempdir().unwrap();
    let house = crate::parts::house(&kontor, root.path());
    let account = kontor.make("account", json!({"name": "Hanse"}));
    for number in 0..40 {
        kontor.make("account", json!({"name": format!("Customer {number}")}));
    }
    attach(&kontor, account, "a.pdf", &[7; 200_000]);
    kontor.seal_log();
    Site { kontor, house, root, account }
}

impl Site {
    fn place(&self, name: &str) -> PathBuf {
        let place = self.root.path().join(name);
        fs::create_dir_all(&place).unwrap();
        place
    }
    fn target(&self, name: &str) -> DirectoryTarget {
        DirectoryTarget::new(name, &self.place(name), "a")
    }
    fn identity(&self) -> ArchiveIdentity {
        self.kontor.store.vault().archive_identity().unwrap()
    }
    fn write(
        &self,
        sequence: u64,
        targets: &[&dyn Target],
        progress: &Progress,
    ) -> Result<Vec<TargetOutcome>, RecoveryError> {
        write_set(&self.kontor, &self.house, sequence, targets, progress)
    }
    fn set(&self, sequence: u64) -> SetName {
        SetName::new(sequence, self.kontor.clock.now())
    }
}

fn config_of(dir: &Path) -> StoreConfig {
    crate::parts::config_of(file_in(dir), dir)
}

#[test]
fn a_set_goes_to_every_target_and_becomes_an_appliance_again() {
    let site = site();
    let (one, two) = (site.target("one"), site.target("two"));
    let outcomes = site.write(1, &[&one, &two], &Progress::default()).unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.outcome.is_ok()));
    // What is written later is not in it.
    site.kontor.make("account", json!({"name": "Too late"}));
    let (set, key, into) = (site.set(1), site.kontor.verifier_key(), site.root.path().join("restored"));
    for target in [&one, &two] {
        assert_eq!(target.list().unwrap(), std::slice::from_ref(&set));
        let (_, manifest) = verify_set(target, &set, &key, None).unwrap();
        assert_eq!((manifest.sequence, manifest.rows("account"), manifest.own_key), (1, Some(41), true));
        let restored = restore(target, &set, &key, &site.identity(), &into).unwrap();
        assert_eq!(restored.manifest, manifest);
        let report = Store::verify_log(&config_of(&into), &key, None, Depth(4)).unwrap();
        assert!(report.ok && report.checked.records >= 41, "{:?}", report.findings);
        let file = files_of(&into.join("data/files"));
        assert_eq!(file.len(), 1);
        assert_eq!(file[0].1, files_of(&site.house.files)[0].1);
        assert_eq!(fs::read(into.join("tls/ca.pem")).unwrap(), b"a certificate");
        assert!(into.join("keys/slots.json").is_file() && into.join("kontor.toml").is_file());
        // Never over anything.
        let again = restore(target, &set, &key, &site.identity(), &into);
        assert!(matches!(again, Err(RecoveryError::Refused(_))), "{again:?}");
        fs::remove_dir_all(&into).unwrap();
        let report = drill(target, &set, &key, &site.identity(), &into, site.kontor.clock.as_ref()).unwrap();
        assert!(report.ok && report.checks.len() == 4 && !into.exists(), "{report:?}");
    }
}

#[test]
fn whatever_is_altered_cut_or_missing_is_named_and_nothing_of_it_is_restored() {
    let site = site();
    let target = site.target("one");
    site.write(1, &[&target], &Progress::default()).unwrap();
    let (set, key, into) = (site.set(1), site.kontor.verifier_key(), site.root.path().join("restored"));
    let folder = site.place("one").join("a").join(set.as_str());
    let whole = files_of(&folder);
    assert_eq!(whole.len(), 9);
    for (path, bytes) in &whole {
        let path = &folder.join(path);
        let name = path.file_name().unwrap().to_str().unwrap();
        let middle = bytes.len() / 2;
        let mut turned = bytes.clone();
        turned[middle] ^= 1;
        for damaged in [Some(turned), Some(bytes[..middle].to_vec()), Some([bytes.as_slice(), b"x"].concat()), None] {
            match &damaged {
                Some(damaged) => fs::write(path, damaged).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
            let refused = verify_set(&target, &set, &key, None).unwrap_err();
            assert!(refused.to_string().contains(name) || name.starts_with("manifest"), "{name}: {refused}");
            restore(&target, &set, &key, &site.identity(), &into).unwrap_err();
            let report = drill(&target, &set, &key, &site.identity(), &into, site.kontor.clock.as_ref()).unwrap();
            assert!(!report.ok, "{name}");
            assert!(!into.exists() && !into.with_file_name("restored.restoring").exists());
        }
        fs::write(path, bytes).unwrap();
    }
    verify_set(&target, &set, &key, None).unwrap();
    // A set of another appliance, whole in itself.
    let other = self::site();
    let refused = verify_set(&target, &set, &other.kontor.verifier_key(), None).unwrap_err();
    assert_eq!(refused.word(), "key", "{refused}");
    let refused = restore(&target, &set, &key, &other.identity(), &into).unwrap_err();
    assert_eq!(refused.word(), "key", "{refused}");
}

/// What a target does wrong.
#[derive(Clone, Copy)]
enum Fault {
    /// Its disk is full after so many bytes.
    FullAfter(usize),
    /// It turns a bit of the byte there, and says that all went well.
    TurnsBitAt(usize),
    /// It drops what comes after so many bytes, and says that all went well.
    ForgetsAfter(usize),
}

/// A folder on a bad disk.
struct BadTarget {
    inner: DirectoryTarget,
    fault: Fault,
    written: Arc<Mutex<usize>>,
}

struct BadSink {
    inner: Box<dyn PartSink>,
    fault: Fault,
    written: Arc<Mutex<usize>>,
}

impl Write for BadSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.written.lock().unwrap();
        let (from, to) = (*written, *written + bytes.len());
        *written = to;
        let kept = match self.fault {
            Fault::FullAfter(limit) if to > limit => return Err(io::ErrorKind::StorageFull.into()),
            Fault::TurnsBitAt(place) if (from..to).contains(&place) => {
                let mut turned = bytes.to_vec();
                turned[place - from] ^= 4;
                turned
            }
            Fault::ForgetsAfter(limit) if to > limit => bytes[..limit.saturating_sub(from)].to_vec(),
            _ => bytes.to_vec(),
        };
        self.inner.write_all(&kept).map(|()| bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl PartSink for BadSink {
    fn finish(self: Box<Self>) -> io::Result<()> {
        self.inner.finish()
    }
}

impl Target for BadTarget {
    fn name(&self) -> &str {
        "bad"
    }
    fn begin(&self, set: &SetName) -> io::Result<()> {
        self.inner.begin(set)
    }
    fn part(&self, set: &SetName, file: &str) -> io::Result<Box<dyn PartSink>> {
        let inner = self.inner.part(set, file)?;
        Ok(Box::new(BadSink { inner, fault: self.fault, written: Arc::clone(&self.written) }))
    }
    fn publish(&self, set: &SetName) -> io::Result<()> {
        self.inner.publish(set)
    }
    fn abandon(&self, set: &SetName) {
        self.inner.abandon(set);
    }
    fn read(&self, set: &SetName, file: &str) -> io::Result<Box<dyn Read + Send>> {
        self.inner.read(set, file)
    }
    fn list(&self) -> io::Result<Vec<SetName>> {
        self.inner.list()
    }
    fn remove(&self, set: &SetName) -> io::Result<()> {
        self.inner.remove(set)
    }
    fn free_bytes(&self) -> Option<u64> {
        None
    }
    fn try_out(&self, word: &str) -> Vec<recovery::TargetStep> {
        self.inner.try_out(word)
    }
}

#[test]
fn a_target_that_fails_or_lies_keeps_nothing_and_stops_no_other() {
    let site = site();
    let good = site.target("good");
    site.write(1, &[&good], &Progress::default()).unwrap();
    let whole: usize = files_of(&site.place("good")).iter().map(|(_, bytes)| bytes.len()).sum();
    // Places all over the set, from its first byte to its last.
    // A set is longer or shorter than the one before: its manifest tells times and counts, and what is sealed packs differently.
    let surely = whole - whole / 64;
    let places: Vec<usize> = (0..12).map(|step| surely * step / 11).collect();
    let mut sequence = 1;
    for place in places {
        for fault in [Fault::FullAfter(place), Fault::TurnsBitAt(place), Fault::ForgetsAfter(place)] {
            sequence += 1;
            let inner = DirectoryTarget::new("bad", &site.place("bad"), "a");
            let bad = BadTarget { inner, fault, written: Arc::default() };
            let outcomes = site.write(sequence, &[&bad, &good], &Progress::default()).unwrap();
            let error = outcomes[0].outcome.as_ref().unwrap_err();
            let word = if matches!(fault, Fault::FullAfter(_)) { &["disk_full"][..] } else { &["damaged", "key"][..] };
            assert!(word.contains(&error.word()), "at {place} of {whole}: {error}");
            assert_eq!(files_of(&site.place("bad")), [], "at {place} of {whole}");
            assert!(outcomes[1].outcome.is_ok(), "the other target has it");
            good.remove(&site.set(sequence)).unwrap();
        }
    }
    // Alone, it is told likewise, and a target that is not there at all.
    let inner = DirectoryTarget::new("bad", &site.place("bad"), "a");
    let bad = BadTarget { inner, fault: Fault::FullAfter(1_000), written: Arc::default() };
    let gone = DirectoryTarget::new("gone", &site.root.path().join("not mounted"), "a");
    let outcomes = site.write(99, &[&bad, &gone], &Progress::default()).unwrap();
    let words: Vec<&str> = outcomes.iter().map(|one| one.outcome.as_ref().unwrap_err().word()).collect();
    assert_eq!(words, ["disk_full", "target"]);
    assert!(gone.list().is_err(), "a mount that is missing is not a target without sets");
}

#[test]
fn the_data_stand_still_while_work_goes_on() {
    let site = site();
    let operator = site.kontor.operator();
    let held = site.kontor.store.snapshot().unwrap();
    let before = files_of(&site.house.files);
    let read = || {
        let mut bytes = vec![0; usize::try_from(held.database_bytes()).unwrap()];
        let mut at = 0;
        while at < bytes.len() {
            at += held.read_database(&mut bytes[at..], at as u64).unwrap();
        }
        bytes
    };
    let first = read();
    // Much is written, a file goes, the log is sealed, and the log of writes would like to be moved.
    for number in 0..200 {
        site.kontor.make("account", json!({"name": format!("Meanwhile {number}")}));
    }
    let files = site.kontor.records.attachments(&operator, "account", site.account).wait().unwrap().into_view();
    let file = files.items[0].id;
    site.kontor.records.attachment_remove(&operator, "account", site.account, file).wait().unwrap();
    site.kontor.seal_log();
    // Another process would like to move it too, and is kept from it by the engine's own locks.
    site.kontor.sql("PRAGMA wal_checkpoint(PASSIVE); PRAGMA wal_checkpoint(TRUNCATE)");
    assert!(read() == first, "the database file has changed");
    assert_eq!(files_of(&site.house.files), before, "a file has gone that the snapshot names");
    assert_eq!(held.facts().tables.iter().find(|table| table.table == "account").unwrap().rows, 41);
    drop(held);
    assert_eq!(files_of(&site.house.files), [], "it waited until nobody copied the folder");
    // What follows is held still at its own moment.
    assert_eq!(site.kontor.store.snapshot().unwrap().facts().tables[0].rows, 241);
}

#[test]
fn what_is_stopped_leaves_nothing() {
    let site = site();
    let target = site.target("one");
    let progress = Progress::default();
    progress.stop();
    let stopped = site.write(1, &[&target], &progress);
    assert!(matches!(stopped, Err(RecoveryError::Stopped)), "not stopped");
    assert_eq!(files_of(&site.place("one")), []);
}

#[test]
fn a_set_goes_only_with_a_younger_one_of_the_same_target_that_was_read_back() {
    let site = site();
    let (one, two) = (site.target("one"), site.target("two"));
    site.write(1, &[&one, &two], &Progress::default()).unwrap();
    site.write(2, &[&one], &Progress::default()).unwrap();
    let key = site.kontor.verifier_key();
    let (older, _) = verify_set(&one, &site.set(1), &key, None).unwrap();
    let (younger, _) = verify_set(&one, &site.set(2), &key, None).unwrap();
    for (target, set, successor) in [(&one, 2, &older), (&one, 1, &older), (&two, 1, &younger)] {
        let refused = recovery::remove_set(target, &site.set(set), successor).unwrap_err();
        assert_eq!(refused.word(), "refused");
    }
    recovery::remove_set(&one, &site.set(1), &younger).unwrap();
    assert_eq!((one.list().unwrap(), two.list().unwrap()), (vec![site.set(2)], vec![site.set(1)]));
}

#[test]
fn names_of_sets_are_read_strictly() {
    let at: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
    let name = SetName::new(7, at);
    assert_eq!(name.to_string(), "set-00000007-20260302T090000Z");
    assert_eq!((name.to_string().parse::<SetName>().unwrap(), name.sequence()), (name.clone(), 7));
    for wrong in [
        "",
        "set-7-x",
        "set-00000007-20260302T090000Z.part",
        "../set-00000007-20260302T090000Z",
        "set-0000000é-20260302T09000Z",
    ] {
        assert!(wrong.parse::<SetName>().is_err(), "{wrong}");
    }
}
