//! The proof that a set can be restored: it is restored, into a scratch folder, and asked. Damage in the database file, the
//! whole log with every record's state, and the counts of the manifest; and how long all that took.

use crate::restore::restore;
use crate::rewind::{config_of, rewind_plan, roll};
use crate::stoppable::Stoppable;
use crate::verify::read_manifest;
use crate::{Manifest, Progress, RecoveryError, SetName, Target};
use audit::VerifierKey;
use kernel::Clock;
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use store::{Depth, EngineConfig, Store, StoreConfig};
use vault::ArchiveIdentity;

/// Findings that a report keeps of one check.
const FINDINGS_MAX: usize = 10;

/// How often a question that takes long is asked whether its answer is still wanted.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drilled {
    /// `unpack`, `integrity`, `counts`, `log`, and `stream` where commits are shipped.
    pub check: String,
    /// Whether it was well.
    pub ok: bool,
    /// What was looked at, or what is wrong.
    pub detail: String,
    /// How long it took.
    pub millis: u64,
}

/// What a drill found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillReport {
    /// The set.
    pub set: String,
    /// Its number.
    pub sequence: u64,
    /// The target it was read from.
    pub target: String,
    /// Whether everything was well.
    pub ok: bool,
    /// From the first byte to the last check: the time a recovery takes, without people.
    pub millis: u64,
    /// The questions.
    pub checks: Vec<Drilled>,
}

/// Restores a set into `scratch`, asks it, and takes `scratch` away again.
///
/// # Errors
/// Only what has nothing to do with the set, such as a scratch folder that is in use. A set that does not open is a finding.
pub fn drill(
    target: &dyn Target,
    set: &SetName,
    key: &VerifierKey,
    identity: &ArchiveIdentity,
    scratch: &Path,
    clock: &dyn Clock,
) -> Result<DrillReport, RecoveryError> {
    drill_while(target, set, (key, identity), scratch, clock, &Arc::default())
}

/// The same as long as it is wanted: when the progress is told to stop, it ends within a moment, and nothing is left of it.
///
/// # Errors
/// [`RecoveryError::Stopped`] then; that says nothing about the set.
pub fn drill_while(
    target: &dyn Target,
    set: &SetName,
    (key, identity): (&VerifierKey, &ArchiveIdentity),
    scratch: &Path,
    clock: &dyn Clock,
    progress: &Arc<Progress>,
) -> Result<DrillReport, RecoveryError> {
    let report = drilled(&Stoppable::new(target, progress), set, (key, identity), scratch, (clock, progress));
    if progress.is_stopped() {
        remove(scratch)?;
        return Err(RecoveryError::Stopped);
    }
    report
}

fn remove(scratch: &Path) -> Result<(), RecoveryError> {
    match fs::remove_dir_all(scratch) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(RecoveryError::target("removing the scratch folder")(error))
        }
        _ => Ok(()),
    }
}

fn drilled(
    target: &dyn Target,
    set: &SetName,
    (key, identity): (&VerifierKey, &ArchiveIdentity),
    scratch: &Path,
    (clock, progress): (&dyn Clock, &Progress),
) -> Result<DrillReport, RecoveryError> {
    // Read twice: to verify it and to unpack it. What cannot be read is told below.
    if let Ok(manifest) = read_manifest(target, set, key) {
        progress.expect(manifest.bytes().saturating_mul(2));
    }
    if scratch.exists() {
        fs::remove_dir_all(scratch).map_err(RecoveryError::target("emptying the scratch folder"))?;
    }
    let mut run = Run { clock, progress, began: clock.monotonic(), last: Duration::ZERO, checks: Vec::new() };
    let restored = restore(target, set, key, identity, scratch);
    match restored {
        Err(RecoveryError::Refused(why)) => return Err(RecoveryError::Refused(why)),
        Err(error) => run.tell("unpack", Err(error.to_string())),
        Ok(restored) => {
            let told = format!("{} files, {} MiB", restored.files, restored.bytes >> 20);
            run.tell("unpack", Ok(told));
            let engine = EngineConfig::Sqlite { file: scratch.join("data/kontor.db") };
            run.ask(&restored.manifest, key, (engine, scratch), false);
            if restored.manifest.shipped.is_some() {
                let rolled = rolled(target, set, (key, identity), scratch, progress);
                run.tell("stream", rolled);
            }
        }
    }
    remove(scratch)?;
    Ok(DrillReport {
        set: set.to_string(),
        sequence: set.sequence(),
        target: target.name().to_owned(),
        ok: run.checks.iter().all(|check| check.ok),
        millis: millis(run.so_far()),
        checks: run.checks,
    })
}

/// Asks what was restored into a folder, its data on this engine: damage, counts, and the whole log with every record's state.
pub fn look_through(
    manifest: &Manifest,
    key: &VerifierKey,
    (engine, folder): (EngineConfig, &Path),
    clock: &dyn Clock,
) -> Vec<Drilled> {
    let progress = Progress::default();
    let mut run =
        Run { clock, progress: &progress, began: clock.monotonic(), last: Duration::ZERO, checks: Vec::new() };
    run.ask(manifest, key, (engine, folder), true);
    run.checks
}

/// What was shipped since the set, applied to it and looked through again.
fn rolled(
    target: &dyn Target,
    set: &SetName,
    (key, identity): (&VerifierKey, &ArchiveIdentity),
    scratch: &Path,
    progress: &Progress,
) -> Result<String, String> {
    let plan = rewind_plan(target, Some(set), None, key).map_err(|error| error.to_string())?;
    if let Some(broken) = plan.broken {
        return Err(format!("{broken}; it can be gone back to {} at the latest", plan.moment));
    }
    roll(target, &plan, key, identity, scratch).map_err(|error| error.to_string())?;
    let config = config_of(scratch);
    let damage = integrity(&config.engine, progress)?;
    let wanted = || !progress.is_stopped();
    let report = Store::verify_log_while(&config, key, None, Depth(4), &wanted).map_err(|error| error.to_string())?;
    let found = report.findings.iter().map(|finding| format!("{}: {}", finding.place, finding.detail));
    let told = format!("{} segments, to {}", plan.segments, plan.moment);
    none(damage.into_iter().chain(found).collect(), told)
}

/// Damage in a database. When it is no longer wanted, the file is cut: a database without pages is looked through in a moment, and
/// this one is of no use to anybody any more.
fn integrity(engine: &EngineConfig, progress: &Progress) -> Result<Vec<String>, String> {
    let (answer, answered) = channel();
    std::thread::scope(|scope| {
        scope.spawn(move || answer.send(Store::integrity_of(engine)));
        loop {
            match answered.recv_timeout(LOOK_EVERY) {
                Ok(found) => return found.map_err(|error| error.to_string()),
                Err(RecvTimeoutError::Disconnected) => return Err("it was not looked through".to_owned()),
                Err(RecvTimeoutError::Timeout) if !progress.is_stopped() => {}
                Err(RecvTimeoutError::Timeout) => {
                    if let EngineConfig::Sqlite { file } = engine {
                        // What cannot be cut is looked through to its end.
                        let _ = OpenOptions::new().write(true).open(file).and_then(|file| file.set_len(0));
                    }
                }
            }
        }
    })
}

struct Run<'c> {
    clock: &'c dyn Clock,
    progress: &'c Progress,
    began: Duration,
    last: Duration,
    checks: Vec<Drilled>,
}

impl Run<'_> {
    fn so_far(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.began)
    }

    fn tell(&mut self, check: &str, answer: Result<String, String>) {
        let so_far = self.so_far();
        let took = so_far.saturating_sub(self.last);
        self.last = so_far;
        let (ok, detail) = match answer {
            Ok(detail) => (true, detail),
            Err(detail) => (false, detail),
        };
        self.checks.push(Drilled { check: check.to_owned(), ok, detail, millis: millis(took) });
    }

    /// `at_once`: the log is verified beside the rest, where nobody else wants the processor.
    fn ask(&mut self, manifest: &Manifest, key: &VerifierKey, (engine, folder): (EngineConfig, &Path), at_once: bool) {
        let (progress, place) = (self.progress, engine.clone());
        let config = StoreConfig {
            engine,
            readers: 1,
            log_folder: folder.join("log"),
            files_folder: folder.join("data/files"),
            node: String::new(),
        };
        let logged = || {
            let wanted = || !progress.is_stopped();
            let report = Store::verify_log_while(&config, key, None, Depth(4), &wanted);
            let report = report.map_err(|error| error.to_string())?;
            let found = report.findings.iter().map(|finding| format!("{}: {}", finding.place, finding.detail));
            let told = format!("{} entries and {} records", report.checked.entries, report.checked.records);
            none(found.collect(), told)
        };
        let log = std::thread::scope(|scope| {
            let beside = at_once.then(|| scope.spawn(logged));
            self.ask_file(manifest, &place);
            match beside {
                Some(beside) => beside.join().unwrap_or_else(|_| Err("it was not verified to its end".to_owned())),
                None => logged(),
            }
        });
        self.tell("log", log);
    }

    fn ask_file(&mut self, manifest: &Manifest, engine: &EngineConfig) {
        let file = matches!(engine, EngineConfig::Sqlite { .. });
        let damage = integrity(engine, self.progress);
        self.tell(
            "integrity",
            damage.and_then(|lines| {
                none(lines, if file { "the database file is whole" } else { "the server answers" }.to_owned())
            }),
        );
        let facts = Store::facts_of(engine).map_err(|error| error.to_string());
        let rows: i64 = manifest.table_rows();
        self.tell(
            "counts",
            facts.and_then(|facts| none(manifest.differences(&facts), format!("{rows} rows, as the manifest says"))),
        );
    }
}

/// Well when there is nothing, else the first findings in words.
fn none(found: Vec<String>, well: String) -> Result<String, String> {
    if found.is_empty() {
        return Ok(well);
    }
    let more = found.len().saturating_sub(FINDINGS_MAX);
    let mut words = found.into_iter().take(FINDINGS_MAX).collect::<Vec<_>>().join("; ");
    if more > 0 {
        words.push_str(&format!("; and {more} more"));
    }
    Err(words)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
