//! A drill that is stopped, wherever it is just then: it ends, says so, and leaves nothing behind.
#![cfg(test)]

use audit::Signer;
use kernel::{Clock, Timestamp};
use recovery::{
    DirectoryTarget, House, PartSink, Progress, RecoveryError, SetJob, SetName, Target, TargetStep, drill_while,
    write_sets,
};
use serde_json::json;
use std::fs;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use testkit::{Engine, TestAppliance};

/// Stops the progress at the n-th thing that happens.
struct Trap {
    left: AtomicU64,
    progress: Arc<Progress>,
}

impl Trap {
    fn step(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.progress.stop();
        }
    }
}

/// A target whose reads are such things.
struct Trapped<'a>(&'a DirectoryTarget, Arc<Trap>);

struct Reading(Box<dyn Read + Send>, Arc<Trap>);

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1.step();
        self.0.read(buffer)
    }
}

impl Target for Trapped<'_> {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn begin(&self, _set: &SetName) -> io::Result<()> {
        unreachable!("a drill writes nothing")
    }
    fn part(&self, _set: &SetName, _file: &str) -> io::Result<Box<dyn PartSink>> {
        unreachable!("a drill writes nothing")
    }
    fn publish(&self, _set: &SetName) -> io::Result<()> {
        unreachable!("a drill writes nothing")
    }
    fn abandon(&self, _set: &SetName) {}
    fn read(&self, set: &SetName, file: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Reading(self.0.read(set, file)?, Arc::clone(&self.1))))
    }
    fn list(&self) -> io::Result<Vec<SetName>> {
        self.0.list()
    }
    fn remove(&self, _set: &SetName) -> io::Result<()> {
        unreachable!("a drill removes nothing")
    }
    fn free_bytes(&self) -> Option<u64> {
        None
    }
    fn try_out(&self, _word: &str) -> Vec<TargetStep> {
        Vec::new()
    }
}

/// A clock whose monotonic time, which is asked between two questions of a drill, is such a thing.
struct Ticking<'a>(&'a dyn Clock, Arc<Trap>);

impl Clock for Ticking<'_> {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
    fn monotonic(&self) -> Duration {
        self.1.step();
        self.0.monotonic()
    }
}

#[test]
fn a_drill_ends_wherever_it_is_stopped_and_leaves_nothing() {
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
    let house = House {
        config: dir.join("kontor.toml"),
        slots: kontor.store.vault().slots_path().to_owned(),
        log_key: dir.join("log-key.pub"),
        tls: dir.join("tls"),
        log: kontor.store.config().log_folder.clone(),
        files: kontor.store.config().files_folder.clone(),
        dir,
    };
    let place = root.path().join("disk2");
    fs::create_dir(&place).unwrap();
    let (target, identity) =
        (DirectoryTarget::new("disk2", &place, "a"), kontor.store.vault().archive_identity().unwrap());
    let (signer, at) = (kontor.signer(), kontor.clock.now());
    let job = SetJob {
        store: &kontor.store,
        house: &house,
        signer: &signer as &dyn Signer,
        recipients: &[identity.recipient()],
        own_key: true,
        sequence: 1,
        at,
        made_by: "test",
        bytes_per_second: None,
        progress: &Progress::default(),
    };
    write_sets(&job, &[&target]).unwrap();
    let (key, set, scratch) = (kontor.verifier_key(), SetName::new(1, at), root.path().join("drill"));
    let (mut stopped, mut step) = (0, 1);
    loop {
        let progress = Arc::<Progress>::default();
        let trap = Arc::new(Trap { left: AtomicU64::new(step), progress: Arc::clone(&progress) });
        let clock = Ticking(kontor.clock.as_ref(), Arc::clone(&trap));
        let trapped = Trapped(&target, Arc::clone(&trap));
        let report = drill_while(&trapped, &set, (&key, &identity), &scratch, &clock, &progress);
        let beside: Vec<_> = fs::read_dir(root.path()).unwrap().map(|found| found.unwrap().file_name()).collect();
        assert!(!beside.iter().any(|name| name.to_string_lossy().starts_with("drill")), "step {step}: {beside:?}");
        match report {
            Err(RecoveryError::Stopped) => stopped += 1,
            Ok(report) => {
                assert!(report.ok && !progress.is_stopped(), "step {step}: {report:?}");
                let (done, total) = progress.bytes();
                assert!(done >= total && total > 0, "{done} of {total}");
                break;
            }
            other => panic!("step {step}: {other:?}"),
        }
        step += 1;
    }
    assert!(stopped > 20, "it was stopped {stopped} times, while reading and between the questions");
}
