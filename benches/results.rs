//! What a run found, as it is kept in the JSON file beside the document, and the machine it was found on.

use crate::Outcome;
use crate::bare::Bulk;
use crate::load::Figure;
use crate::process::{Memory, Taken};
use kernel::Clock;
use serde::Serialize;
use std::fs::{File, read_to_string};
use std::io::Write;
use std::path::Path;

/// Syncs of the probe of the disk.
const SYNCS: u32 = 200;

/// One verb at one number of connections.
#[derive(Debug, Serialize)]
pub(crate) struct VerbResult {
    pub(crate) verb: &'static str,
    pub(crate) connections: usize,
    pub(crate) figure: Figure,
    pub(crate) without_audit: Option<Figure>,
    /// Processor time of the server per request, in microseconds.
    pub(crate) processor_micros: f64,
}

/// A query or insert on the bare engine.
#[derive(Debug, Serialize)]
pub(crate) struct BareResult {
    pub(crate) verb: &'static str,
    pub(crate) threads: usize,
    pub(crate) figure: Figure,
}

/// An import and the bulk insert of the same rows.
#[derive(Debug, Serialize)]
pub(crate) struct ImportResult {
    pub(crate) name: &'static str,
    pub(crate) rows: u64,
    pub(crate) per_second: f64,
    pub(crate) taken: Taken,
    pub(crate) bare: Option<Bulk>,
    pub(crate) bare_per_second: Option<f64>,
}

/// The server doing nothing.
#[derive(Debug, Serialize)]
pub(crate) struct IdleResult {
    pub(crate) contacts: u64,
    pub(crate) memory: Memory,
    pub(crate) first_answer_seconds: f64,
}

/// The machine.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory_kib: u64,
    pub(crate) kernel: String,
    pub(crate) file_system: String,
    /// A page written and synced, median of many.
    pub(crate) sync_micros: u64,
}

impl Machine {
    /// In one line, for people.
    pub(crate) fn words(&self) -> String {
        let (gib, kernel, sync) = (gib(self.memory_kib), &self.kernel, self.sync_micros);
        format!(
            "{} × {}, {gib:.1} GiB memory, Linux {kernel}, {}, a synced 4 KiB write takes {sync} µs (median)",
            self.cores, self.processor, self.file_system
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn gib(kib: u64) -> f64 {
    kib as f64 / 1_048_576.0
}

/// All of a run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Results {
    pub(crate) date: String,
    pub(crate) engine: &'static str,
    pub(crate) engine_version: String,
    pub(crate) kontor_version: String,
    pub(crate) contacts: u64,
    pub(crate) accounts: u64,
    pub(crate) seconds: u64,
    pub(crate) machine: Machine,
    pub(crate) binary_bytes: u64,
    pub(crate) imports: Vec<ImportResult>,
    pub(crate) idle: Vec<IdleResult>,
    pub(crate) memory_under_load: Memory,
    pub(crate) verbs: Vec<VerbResult>,
    pub(crate) bare: Vec<BareResult>,
}

impl Results {
    /// The figures of a verb at so many connections.
    pub(crate) fn verb(&self, verb: &str, connections: usize) -> Option<&VerbResult> {
        self.verbs.iter().find(|result| result.verb == verb && result.connections == connections)
    }
    /// The best of the bare engine for a verb, over the numbers of threads that were tried.
    pub(crate) fn bare(&self, verb: &str) -> Option<&BareResult> {
        let mine = self.bare.iter().filter(|result| result.verb == verb);
        mine.max_by(|one, other| one.figure.per_second.total_cmp(&other.figure.per_second))
    }
}

fn field(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map(|rest| rest.trim_start_matches([' ', '\t', ':']).trim().to_owned()).unwrap_or_default()
}

/// Looks at this machine; the disk is the one that holds `scratch`.
pub(crate) fn machine(scratch: &Path, clock: &dyn Clock) -> Outcome<Machine> {
    let memory = field(&read_to_string("/proc/meminfo")?, "MemTotal");
    Ok(Machine {
        processor: field(&read_to_string("/proc/cpuinfo")?, "model name"),
        cores: std::thread::available_parallelism()?.get(),
        memory_kib: memory.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0),
        kernel: read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
        file_system: file_system(scratch)?,
        sync_micros: sync_micros(scratch, clock)?,
    })
}

/// The type of the file system that holds a folder.
fn file_system(folder: &Path) -> Outcome<String> {
    let folder = folder.canonicalize()?;
    let mounts = read_to_string("/proc/mounts")?;
    let mut parts = mounts.lines().map(|line| line.split_whitespace().skip(1));
    let mut best: (usize, String) = (0, String::new());
    for mount in &mut parts {
        let [place, kind] = mount.take(2).collect::<Vec<_>>().try_into().unwrap_or(["", ""]);
        if !place.is_empty() && folder.starts_with(place) && place.len() >= best.0 {
            best = (place.len(), kind.to_owned());
        }
    }
    Ok(best.1)
}

fn sync_micros(scratch: &Path, clock: &dyn Clock) -> Outcome<u64> {
    let path = scratch.join("sync");
    let mut file = File::create(&path)?;
    let mut micros = Vec::new();
    for _ in 0..SYNCS {
        let began = clock.monotonic();
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        micros.push(u64::try_from((clock.monotonic() - began).as_micros())?);
    }
    std::fs::remove_file(path)?;
    Ok(Figure::of(micros, 0, 1.0).median_micros)
}
