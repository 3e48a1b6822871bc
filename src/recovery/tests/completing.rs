//! A set that is completed on one target from another: cut anywhere, any number of times, it becomes the same set in the end, what
//! was finished is not carried twice, and what does not fit the manifest never becomes part of it.
#![cfg(test)]

use audit::Signer;
use kernel::Clock;
use recovery::{
    DirectoryTarget, House, MANIFEST, PartSink, Progress, RecoveryError, SetJob, SetName, Target, TargetStep,
    complete_set, verify_set, write_sets,
};
use serde_json::json;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use testkit::{Engine, TestAppliance};

/// A folder on a connection that breaks at the n-th write, and stays broken until it is mended. It counts the bytes that came.
struct Flaky {
    inner: DirectoryTarget,
    left: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
    abandoned: AtomicU64,
}

fn broken<T>() -> io::Result<T> {
    Err(io::ErrorKind::BrokenPipe.into())
}

impl Flaky {
    fn new(place: &Path) -> Self {
        let inner = DirectoryTarget::new("nas", place, "a");
        Self { inner, left: Arc::default(), bytes: Arc::default(), abandoned: AtomicU64::new(0) }
    }
    fn mended_for(&self, writes: u64) {
        self.left.store(writes, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
    }
    fn up<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if self.left.load(Ordering::Relaxed) == 0 { broken() } else { act() }
    }
}

struct Sink(Box<dyn PartSink>, Arc<AtomicU64>, Arc<AtomicU64>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.1.load(Ordering::Relaxed);
        if left <= 1 {
            // The last thing that arrives is half a block.
            self.0.write_all(&bytes[..bytes.len() / 2])?;
            self.1.store(0, Ordering::Relaxed);
            return broken();
        }
        self.1.store(left - 1, Ordering::Relaxed);
        self.2.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl PartSink for Sink {
    fn finish(self: Box<Self>) -> io::Result<()> {
        if self.1.load(Ordering::Relaxed) == 0 { broken() } else { self.0.finish() }
    }
}

impl Target for Flaky {
    fn name(&self) -> &str {
        "nas"
    }
    fn begin(&self, set: &SetName) -> io::Result<()> {
        self.up(|| self.inner.begin(set))
    }
    fn resume(&self, set: &SetName) -> io::Result<()> {
        self.up(|| self.inner.resume(set))
    }
    fn kept(&self, set: &SetName, file: &str) -> io::Result<Box<dyn Read + Send>> {
        self.up(|| self.inner.kept(set, file))
    }
    fn halves(&self) -> io::Result<Vec<SetName>> {
        self.up(|| self.inner.halves())
    }
    fn part(&self, set: &SetName, file: &str) -> io::Result<Box<dyn PartSink>> {
        let inner = self.up(|| self.inner.part(set, file))?;
        Ok(Box::new(Sink(inner, Arc::clone(&self.left), Arc::clone(&self.bytes))))
    }
    fn publish(&self, set: &SetName) -> io::Result<()> {
        self.up(|| self.inner.publish(set))
    }
    fn abandon(&self, set: &SetName) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
        self.inner.abandon(set);
    }
    fn read(&self, set: &SetName, file: &str) -> io::Result<Box<dyn Read + Send>> {
        self.up(|| self.inner.read(set, file))
    }
    fn list(&self) -> io::Result<Vec<SetName>> {
        self.up(|| self.inner.list())
    }
    fn remove(&self, set: &SetName) -> io::Result<()> {
        self.up(|| self.inner.remove(set))
    }
    fn free_bytes(&self) -> Option<u64> {
        None
    }
    fn try_out(&self, word: &str) -> Vec<TargetStep> {
        self.inner.try_out(word)
    }
}

const WHOLE: u64 = 1_000_000;

struct Site {
    kontor: TestAppliance,
    root: tempfile::TempDir,
    house: House,
}

impl Site {
    fn new() -> Self {
        let kontor = TestAppliance::new(Engine::Embedded);
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("house");
        fs::create_dir_all(dir.join("tls")).unwrap();
        fs::write(dir.join("kontor.toml"), "node = \"kontor\"\n").unwrap();
        fs::write(dir.join("log-key.pub"), format!("{}\n", kontor.verifier_key())).unwrap();
        for number in 0..20 {
            kontor.make("account", json!({"name": format!("Customer {number}")}));
        }
        kontor.seal_log();
        let config = kontor.store.config();
        let house = House {
            config: dir.join("kontor.toml"),
            slots: kontor.store.vault().slots_path().to_owned(),
            log_key: dir.join("log-key.pub"),
            tls: dir.join("tls"),
            log: config.log_folder.clone(),
            files: config.files_folder.clone(),
            dir,
        };
        Self { root, house, kontor }
    }
    fn place(&self, name: &str) -> PathBuf {
        let place = self.root.path().join(name);
        fs::create_dir_all(&place).unwrap();
        place
    }
    fn write(&self, sequence: u64, targets: &[&dyn Target]) -> (SetName, Vec<bool>) {
        let (signer, at) = (self.kontor.signer(), self.kontor.clock.now());
        let job = SetJob {
            store: &self.kontor.store,
            house: &self.house,
            signer: &signer as &dyn Signer,
            recipients: &[self.kontor.store.vault().archive_identity().unwrap().recipient()],
            own_key: true,
            sequence,
            at,
            made_by: "test",
            bytes_per_second: None,
            progress: &Progress::default(),
        };
        let (_, outcomes) = write_sets(&job, targets).unwrap();
        (SetName::new(sequence, at), outcomes.iter().map(|one| one.outcome.is_ok()).collect())
    }
    fn complete(&self, from: &dyn Target, to: &dyn Target, set: &SetName) -> Result<u64, RecoveryError> {
        let (progress, key) = (Progress::default(), self.kontor.verifier_key());
        let done = complete_set((from, to), set, &key, (&progress, self.kontor.clock.as_ref()), None);
        done.map(|verified| verified.bytes())
    }
}

fn contents(place: &Path, set: &SetName) -> Vec<(String, Vec<u8>)> {
    let folder = fs::read_dir(place.join("a").join(set.as_str())).unwrap().map(|found| found.unwrap());
    let mut files: Vec<_> =
        folder.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect();
    files.sort();
    files
}

#[test]
fn cut_at_any_write_it_becomes_the_same_set_in_the_end() {
    let site = Site::new();
    let (here, there) = (site.place("disk2"), site.place("nas"));
    let (disk, nas) = (DirectoryTarget::new("disk2", &here, "a"), Flaky::new(&there));
    let mut sequence = 0;
    for cut in 1.. {
        sequence += 1;
        nas.mended_for(cut);
        let (set, outcomes) = site.write(sequence, &[&disk, &nas]);
        let made_whole = outcomes == [true, true];
        assert!(outcomes[0], "the other target has it");
        if !made_whole {
            assert!(nas.inner.list().unwrap().iter().all(|found| *found != set), "cut at {cut}: it looks whole");
            // Cut again and again, each time a little later, as a process that is killed would leave it.
            for again in [1, 2, 4] {
                nas.mended_for(again);
                if site.complete(&disk, &nas, &set).is_err() {
                    assert!(nas.inner.list().unwrap().iter().all(|found| *found != set), "cut at {cut}, {again}");
                    assert_eq!(nas.inner.halves().unwrap(), std::slice::from_ref(&set));
                } else {
                    break;
                }
            }
            nas.mended_for(WHOLE);
            if !nas.inner.list().unwrap().contains(&set) {
                site.complete(&disk, &nas, &set).unwrap();
            }
        }
        verify_set(&nas.inner, &set, &site.kontor.verifier_key(), None).unwrap();
        assert!(contents(&here, &set) == contents(&there, &set), "cut at {cut}: another set");
        assert_eq!(nas.inner.halves().unwrap(), []);
        if made_whole {
            assert!(cut > 8, "it was cut {cut} times, in every file");
            break;
        }
    }
    assert_eq!(nas.abandoned.load(Ordering::Relaxed), 0, "what is gone on with is not taken away");
}

#[test]
fn what_is_finished_is_not_carried_twice_and_what_is_altered_is() {
    let site = Site::new();
    let (here, there) = (site.place("disk2"), site.place("nas"));
    let (disk, nas) = (DirectoryTarget::new("disk2", &here, "a"), Flaky::new(&there));
    let (set, _) = site.write(1, &[&disk]);
    let whole: u64 = contents(&here, &set).iter().map(|(_, bytes)| bytes.len() as u64).sum();
    let database = fs::read(here.join("a").join(set.as_str()).join("database.tar.zst.age")).unwrap();
    for (spoil, carried) in [(false, whole - database.len() as u64), (true, whole)] {
        let _ = nas.inner.remove(&set);
        nas.inner.begin(&set).unwrap();
        let half = there.join("a").join(format!("{set}.part")).join("database.tar.zst.age");
        let mut bytes = database.clone();
        if spoil {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 4;
        }
        fs::write(half, bytes).unwrap();
        nas.mended_for(WHOLE);
        site.complete(&disk, &nas, &set).unwrap();
        assert_eq!(nas.bytes.load(Ordering::Relaxed), carried, "altered: {spoil}");
        assert!(contents(&here, &set) == contents(&there, &set));
    }
    // One that is not whole any more gives nothing.
    nas.inner.remove(&set).unwrap();
    let file = here.join("a").join(set.as_str()).join("log.tar.zst.age");
    let mut bytes = fs::read(&file).unwrap();
    bytes[100] ^= 1;
    fs::write(&file, bytes).unwrap();
    let refused = site.complete(&disk, &nas, &set).unwrap_err();
    assert!(refused.word() == "damaged" && refused.to_string().contains("log.tar.zst.age on disk2"), "{refused}");
    assert_eq!(nas.inner.list().unwrap(), []);
    fs::remove_file(here.join("a").join(set.as_str()).join(MANIFEST)).unwrap();
    site.complete(&disk, &nas, &set).unwrap_err();
}

#[test]
fn a_target_that_is_not_there_is_not_asked_to_take_anything_away() {
    let site = Site::new();
    let (disk, nas) = (DirectoryTarget::new("disk2", &site.place("disk2"), "a"), Flaky::new(&site.place("nas")));
    assert_eq!(site.write(1, &[&disk, &nas]).1, [true, false]);
    assert_eq!(site.write(2, &[&nas]).1, [false]);
    assert_eq!(nas.abandoned.load(Ordering::Relaxed), 0);
    // Alone there is nothing it could be completed from: what it has goes.
    nas.mended_for(3);
    assert_eq!(site.write(3, &[&nas]).1, [false]);
    assert_eq!((nas.abandoned.load(Ordering::Relaxed), nas.inner.halves().unwrap()), (1, vec![]));
}
