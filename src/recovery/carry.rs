//! Brings the journal of a stream to one more target: what was appended since, in one file at a time, at most a second late. A
//! target cannot be appended to, so these files hold few segments; enough of them are put together in one, and then they go.
//! It opens and seals nothing, and removes from the journal only what every target has.

use crate::RecoveryError;
use crate::Target;
use crate::journal::{Next, Reading, StreamFile, StreamPlace, journal_begin, stream_files};
use crate::segment::{Found, Segment};
use crate::ship::Means;
use crate::spool::spool_prune;
use std::collections::VecDeque;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long segments are gathered before a file of them is put on the target: writing one must not be the rule.
const GATHER: Duration = Duration::from_millis(250);
/// How often a target that does not answer is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked for a fence while nothing is committed.
const FENCE_EVERY: Duration = Duration::from_secs(1);
/// Bytes of one file.
const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Looks for the rest when the appliance stops: as many files are put at most.
const LAST_FILES_MAX: usize = 64;
/// So many files with few segments, or so many bytes in them, are put together in one.
const TOGETHER_FILES: usize = 256;
const TOGETHER_BYTES: usize = 4 * 1024 * 1024;
/// Files that were put together and are removed between two others: so nothing waits long for them.
const REMOVED_AT_ONCE: usize = 8;

pub(crate) struct Carrier {
    means: Arc<Means>,
    target: Option<Arc<dyn Target>>,
    reading: Option<Reading<'static>>,
    /// What is on the target in files with few segments.
    few: Few,
    /// Files whose segments lie in another one now.
    gone: VecDeque<StreamFile>,
    fence_seen: Option<Duration>,
}

/// Files with few segments, one after another, and what is in them.
#[derive(Default)]
struct Few {
    files: Vec<StreamFile>,
    bytes: Vec<u8>,
}

impl Few {
    fn is_enough(&self) -> bool {
        self.files.len() >= TOGETHER_FILES || (self.files.len() > 1 && self.bytes.len() >= TOGETHER_BYTES)
    }
}

/// How much of a stream a target has.
struct Known {
    at: StreamPlace,
    few: Few,
    gone: VecDeque<StreamFile>,
}

impl Carrier {
    pub(crate) fn new(means: Arc<Means>, at: usize) -> Self {
        let target = means.plan.others.get(at).map(Arc::clone);
        Self { means, target, reading: None, few: Few::default(), gone: VecDeque::new(), fence_seen: None }
    }

    pub(crate) fn run(mut self) {
        let Some(target) = self.target.take() else { return };
        while !self.means.status.is_over() {
            let known = self.reading.as_ref().map_or(0, |reading| reading.at().number);
            self.means.status.wait_for_more(known, GATHER);
            self.means.status.rest_through(GATHER);
            if let Err(error) = self.carry(target.as_ref()) {
                self.reading = None;
                self.means.status.not_carried(target.name(), &error.to_string());
                self.means.status.rest_through(RETRY_EVERY);
            }
        }
        // The shipper is done: the rest, as far as the target takes it. What it does not is carried by the next start.
        for _ in 0..LAST_FILES_MAX {
            if !self.carry(target.as_ref()).unwrap_or(false) {
                return;
            }
        }
    }

    /// Puts one file there; whether there was anything.
    fn carry(&mut self, target: &dyn Target) -> Result<bool, RecoveryError> {
        let Some((number, name, last)) = self.means.status.place() else { return Ok(false) };
        let known = self.reading.as_ref().filter(|reading| reading.at().stream == number).map(|one| one.at().number);
        if self.is_fenced(target, known.is_some_and(|known| known >= last))? {
            return Ok(false);
        }
        if known.is_none() {
            let folder = self.means.journal_folder()?;
            let known = Known::on(target, number, name, &folder)?;
            self.reading = Some(Reading::of_folder(&folder, known.at, &self.means.key));
            (self.few, self.gone) = (known.few, known.gone);
        }
        let Some(reading) = &mut self.reading else { return Ok(false) };
        // A file that could not be written to its end is followed by one that begins with the same segment.
        reading.refresh()?;
        let (first, mut bytes, mut moment) = (reading.at().number + 1, Vec::new(), None);
        while reading.at().number < last && bytes.len() < FILE_BYTES_MAX {
            match reading.next()? {
                Next::Segment(segment) => {
                    moment = Some(segment.head.at);
                    bytes.extend(segment.into_bytes());
                }
                Next::End(_) => return Err(RecoveryError::Damaged("the journal ends too early".to_owned())),
                Next::Broken(what) => return Err(RecoveryError::Damaged(what)),
            }
        }
        let at = reading.at().number;
        let Some(moment) = moment else {
            self.means.status.carried(target.name(), at, self.means.now());
            self.remove(target)?;
            return Ok(false);
        };
        // What is large is left as it is, unless it stands between others that are not.
        let few = bytes.len() < TOGETHER_BYTES || !self.few.files.is_empty();
        let file = StreamFile { stream: number, first, few };
        put(target, &file, &bytes)?;
        self.means.status.carried(target.name(), at, moment);
        if few {
            self.few.files.push(file);
            self.few.bytes.extend(bytes);
        }
        self.put_together(target)?;
        self.remove(target)?;
        if self.means.plan.sync.is_none() {
            spool_prune(&self.means.journal_folder()?, number, self.means.status.carried_everywhere())?;
        }
        Ok(true)
    }

    /// While nothing is committed it is not asked each time: a store counts questions.
    fn is_fenced(&mut self, target: &dyn Target, idle: bool) -> Result<bool, RecoveryError> {
        let now = self.means.clock.monotonic();
        if idle && self.fence_seen.is_some_and(|seen| now.saturating_sub(seen) < FENCE_EVERY) {
            return Ok(false);
        }
        let fenced = self.means.fenced_by(target)?;
        self.fence_seen = Some(now);
        Ok(fenced)
    }

    /// One file for many, which go only when it is there; whoever reads meanwhile finds the same in either.
    fn put_together(&mut self, target: &dyn Target) -> Result<(), RecoveryError> {
        let Some(first) = self.few.files.first().filter(|_| self.few.is_enough()).copied() else { return Ok(()) };
        put(target, &StreamFile { few: false, ..first }, &self.few.bytes)?;
        self.gone.extend(self.few.files.drain(..));
        self.few.bytes.clear();
        Ok(())
    }

    /// From the front, so that what is left always reaches up to what follows.
    fn remove(&mut self, target: &dyn Target) -> Result<(), RecoveryError> {
        for _ in 0..REMOVED_AT_ONCE {
            let Some(file) = self.gone.front() else { return Ok(()) };
            target.loose_remove(&file.on_target()).map_err(RecoveryError::target(format!("removing {file}")))?;
            self.gone.pop_front();
        }
        Ok(())
    }
}

fn put(target: &dyn Target, file: &StreamFile, bytes: &[u8]) -> Result<(), RecoveryError> {
    let kept = target.loose_keep(&file.on_target(), bytes);
    kept.map_err(RecoveryError::target(format!("putting {file} on {}", target.name())))
}

impl Known {
    /// What of this stream is on a target. One that has nothing of it is given what the journal has.
    fn on(target: &dyn Target, stream: u32, name: [u8; 16], journal: &Path) -> Result<Self, RecoveryError> {
        let at = StreamPlace { stream, name: Some(name), number: 0, hash: [0; 32] };
        let mut known = Self { at, few: Few::default(), gone: VecDeque::new() };
        let files: Vec<StreamFile> = stream_files(target)?.into_iter().filter(|file| file.stream == stream).collect();
        if files.is_empty() {
            let begin = journal_begin(journal, stream).map_err(RecoveryError::target("reading the journal"))?;
            if let Some((number, hash)) = begin {
                (known.at.number, known.at.hash) = (number, hash);
            }
            return Ok(known);
        }
        if let Some(whole) = files.iter().rfind(|file| !file.few) {
            known.read(target, whole, name)?;
        }
        for file in files.iter().filter(|file| file.few) {
            let before = known.at.number;
            let bytes = known.read(target, file, name)?;
            if known.at.number == before {
                known.gone.push_back(*file);
                continue;
            }
            if file.first != before + 1 {
                // The ones between were pruned: what is before them is not gone on from.
                known.few = Few::default();
            }
            known.few.files.push(*file);
            known.few.bytes.extend(bytes);
        }
        Ok(known)
    }

    /// Goes on to the end of a file; its segments as they lie there.
    fn read(&mut self, target: &dyn Target, file: &StreamFile, name: [u8; 16]) -> Result<Vec<u8>, RecoveryError> {
        let failed = || RecoveryError::target(format!("reading {file}"));
        let mut from = BufReader::new(target.loose_read(&file.on_target()).map_err(failed())?);
        let mut bytes = Vec::new();
        while let Found::Segment(segment) = Segment::next(&mut from).map_err(failed())? {
            if segment.head.stream != name {
                return Err(RecoveryError::Refused(format!(
                    "{file} is of another stream; remove it, or find out who writes there"
                )));
            }
            if segment.head.number > self.at.number {
                (self.at.number, self.at.hash) = (segment.head.number, segment.hash);
            }
            if file.few {
                bytes.extend(segment.into_bytes());
            }
        }
        Ok(bytes)
    }
}
