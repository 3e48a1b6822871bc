//! Brings the journal of a stream to one more target: what was appended since, in one file at a time, at most a second late.
//! It opens and seals nothing, and removes from the journal only what every target has.

use crate::RecoveryError;
use crate::Target;
use crate::journal::{Next, Reading, StreamFile, StreamPlace, folder_files, stream_files};
use crate::segment::{Found, Segment};
use crate::ship::Means;
use std::fs;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long segments are gathered before a file of them is put on the target: writing one must not be the rule.
const GATHER: Duration = Duration::from_millis(250);
/// How often a target that does not answer is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// Bytes of one file.
const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Looks for the rest when the appliance stops: as many files are put at most.
const LAST_FILES_MAX: usize = 64;

pub(crate) struct Carrier {
    means: Arc<Means>,
    target: Option<Arc<dyn Target>>,
    reading: Option<Reading<'static>>,
}

impl Carrier {
    pub(crate) fn new(means: Arc<Means>, at: usize) -> Self {
        let target = means.plan.others.get(at).map(Arc::clone);
        Self { means, target, reading: None }
    }

    pub(crate) fn run(mut self) {
        let Some(target) = self.target.take() else { return };
        while !self.means.status.is_over() {
            let known = self.reading.as_ref().map_or(0, |reading| reading.at().number);
            self.means.status.wait_for_more(known, GATHER);
            self.means.status.rest(GATHER);
            if let Err(error) = self.carry(target.as_ref()) {
                self.reading = None;
                self.means.status.not_carried(target.name(), &error.to_string());
                self.means.status.rest(RETRY_EVERY);
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
        if self.means.fenced_by(target)? {
            return Ok(false);
        }
        if self.reading.as_ref().is_none_or(|reading| reading.at().stream != number) {
            let at = known_by(target, number, name)?;
            let folder = self.means.journal_folder()?;
            self.reading = Some(Reading::of_folder(&folder, at, &self.means.key));
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
        let Some(moment) = moment else {
            self.means.status.carried(target.name(), reading.at().number, self.means.now());
            return Ok(false);
        };
        let file = StreamFile { stream: number, first };
        let kept = target.loose_keep(&file.on_target(), &bytes);
        kept.map_err(RecoveryError::target(format!("putting {file} on {}", target.name())))?;
        self.means.status.carried(target.name(), reading.at().number, moment);
        if self.means.plan.sync.is_none() {
            spool_prune(&self.means.journal_folder()?, number, self.means.status.carried_everywhere())?;
        }
        Ok(true)
    }
}

/// How much of a stream a target has.
fn known_by(target: &dyn Target, stream: u32, name: [u8; 16]) -> Result<StreamPlace, RecoveryError> {
    let mut at = StreamPlace { stream, name: Some(name), number: 0, hash: [0; 32] };
    let Some(file) = stream_files(target)?.into_iter().rfind(|file| file.stream == stream) else { return Ok(at) };
    let failed = || RecoveryError::target(format!("reading {file}"));
    let mut from = BufReader::new(target.loose_read(&file.on_target()).map_err(failed())?);
    while let Found::Segment(segment) = Segment::next(&mut from).map_err(failed())? {
        if segment.head.stream != name {
            return Err(RecoveryError::Refused(format!(
                "{file} is of another stream; remove it, or find out who writes there"
            )));
        }
        (at.number, at.hash) = (segment.head.number, segment.hash);
    }
    Ok(at)
}

/// Removes files of the journal that every target has, and those of older streams.
fn spool_prune(folder: &Path, stream: u32, everywhere: u64) -> Result<(), RecoveryError> {
    let files = folder_files(folder).map_err(RecoveryError::target("listing the journal"))?;
    for (file, next) in files.iter().zip(files.iter().skip(1)) {
        let done = file.stream < stream || (next.stream == stream && next.first <= everywhere.saturating_add(1));
        if done {
            let gone = fs::remove_file(folder.join(file.to_string()));
            gone.map_err(RecoveryError::target(format!("removing {file}")))?;
        }
    }
    Ok(())
}
