//! The writing half of an import: draft rows become records by the same verbs as everybody's, a few hundred to a commit.
//! Each row stands for itself: it is written whole or rejected whole with its reason, and a second run changes nothing.
//! A ledger, where there is one, is told of each batch inside its transaction, so that a run can go on behind its last one.

use crate::resolve::Resolver;
use crate::targets::targets_for;
use crate::work::{BatchOutcome, Deferred, Fate, Touch, Work};
use crate::{
    DetectionReport, DraftRow, Input, Mapping, Plan, RejectWriter, RejectedRow, RowError, RowReader, SourceFile, plan,
    propose,
};
use authz::AppAction;
use identity::Actor;
use kernel::{Code, Fault, Outcome, limits};
use records::Records;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use store::{Cause, Refused, WriteTx};

/// References to later rows of the same file that one run keeps in mind.
const DEFERRED_MAX: usize = 200_000;
/// Rows of a run after which the engine's idea of a table is old; it finds out by itself only within minutes.
const STATISTICS_ROWS: u64 = 500;

/// Where rejected rows go.
pub enum Rejects {
    /// Into a file, which is made only when there are some.
    File(PathBuf),
    /// To the ledger; the report shows the first so many.
    Kept {
        /// How many.
        first: usize,
    },
}

/// What one batch did.
pub struct Step<'s> {
    /// Records that were made or changed.
    pub touched: &'s [Touch],
    /// Rows that were not taken.
    pub rejected: &'s [RejectedRow],
    /// References to rows that come later.
    pub deferred: &'s [Deferred],
    /// Everything so far, with this batch.
    pub report: &'s ImportReport,
    /// Whether it is about references that were set after the last row.
    pub late: bool,
}

/// Keeps the steps of a run.
pub trait Ledger: Send + Sync {
    /// Writes a step in the transaction of its rows; may be called again for a batch that was taken back.
    fn keep(&self, tx: &mut WriteTx<'_, '_>, step: &Step<'_>) -> Result<(), Refused>;
    /// The last step is on disk.
    fn kept(&self);
}

/// Where an earlier run of the same import ended.
pub struct Resume {
    /// Its report.
    pub report: ImportReport,
    /// References that it still had to set, all of them in order.
    pub deferred: Vec<Deferred>,
}

/// An import.
pub struct ImportJob {
    /// The file.
    pub input: Input,
    /// The object of its rows.
    pub object: String,
    /// The mapping; proposed from the header when absent.
    pub mapping: Option<Mapping>,
    /// Try everything, write nothing.
    pub dry_run: bool,
    /// Where rejected rows go.
    pub rejects: Rejects,
    /// Names the run in the log and on every record.
    pub job: String,
    /// The records are sample data.
    pub is_sample: bool,
    /// Who keeps the steps. A dry run has none.
    pub ledger: Option<Arc<dyn Ledger>>,
    /// Where to go on.
    pub resume: Option<Resume>,
}

/// How far a run is.
#[derive(Clone, Copy)]
pub struct Progress<'r> {
    /// Bytes of the file that were read.
    pub bytes: u64,
    /// Bytes of the file.
    pub bytes_total: u64,
    /// Rows that were dealt with.
    pub rows: u64,
    /// What became of them.
    pub report: &'r ImportReport,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// With the next batch.
    On,
    /// Not; what was written stays.
    Stop,
}

/// What became of a file. `created + updated + unchanged + skipped + rejected` are all its rows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ImportReport {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// What was found out about the file.
    #[serde(skip_deserializing)]
    pub detection: Option<DetectionReport>,
    /// Rows that made a record.
    pub created: u64,
    /// Rows that changed one.
    pub updated: u64,
    /// Rows whose record was so already.
    pub unchanged: u64,
    /// Rows whose record was there and was to be left alone.
    pub skipped: u64,
    /// Rows that were not taken.
    pub rejected: u64,
    /// Lines without content.
    pub empty_lines: u64,
    /// Records of other objects that rows brought along.
    pub related: u64,
    /// References that were set after the last row, because they name a later one.
    pub deferred: u64,
    /// The file with the rejected rows and their reasons.
    pub reject_file: Option<PathBuf>,
    /// How often each reason occurred.
    pub reasons: std::collections::BTreeMap<String, u64>,
    /// The line on which the last row begins that was dealt with.
    pub line: u64,
    /// Bytes of the file that were read.
    pub bytes_read: u64,
    /// Bytes of the file.
    pub bytes_total: u64,
    /// How many of the references to later rows were looked at.
    pub late: u64,
    /// The first rejected rows, where they do not go into a file.
    #[serde(skip)]
    pub first_rejected: Vec<RejectedRow>,
}

impl ImportReport {
    fn rows(&self) -> u64 {
        self.created + self.updated + self.unchanged + self.skipped + self.rejected
    }
    fn reason(&mut self, row: &RejectedRow) {
        *self.reasons.entry(format!("{}: {}", row.code.as_str(), row.reason)).or_default() += 1;
    }
    fn refuse(&mut self, row: &RejectedRow) {
        self.rejected += 1;
        self.reason(row);
    }
    /// Counts a batch and hands back the rows of it that were not taken.
    fn count(&mut self, outcome: &mut BatchOutcome) -> Vec<RejectedRow> {
        let mut rejected = Vec::new();
        for fate in std::mem::take(&mut outcome.fates) {
            match fate {
                Ok(Fate::Created) => self.created += 1,
                Ok(Fate::Updated) => self.updated += 1,
                Ok(Fate::Unchanged) => self.unchanged += 1,
                Ok(Fate::Skipped) => self.skipped += 1,
                Err(row) => {
                    self.refuse(&row);
                    rejected.push(row);
                }
            }
        }
        self.related += outcome.related;
        rejected
    }
}

/// Runs an import to its end or until it is told to stop; stops early by itself only when the file cannot be read further.
pub fn run(
    records: &Records,
    actor: &Arc<Actor>,
    job: ImportJob,
    progress: &mut dyn FnMut(Progress<'_>) -> Go,
) -> Outcome<ImportReport> {
    records.may_act(actor, AppAction::Import, audit::Verb::Import)?;
    let (source, plan, detection) = prepare(records, actor, &job)?;
    let sink = match &job.rejects {
        Rejects::Kept { first } => Sink::First(*first),
        Rejects::File(path) => {
            let made = RejectWriter::create(path, source.columns(), source.dialect().delimiter);
            Sink::File(Box::new(made.map_err(|error| unwritable("made", &error))?))
        }
    };
    let begun = if job.resume.is_some() { "resume" } else { "begin" };
    let (report, deferred) = job.resume.map_or_else(Default::default, |resume| (resume.report, resume.deferred));
    let report = ImportReport { dry_run: job.dry_run, detection: Some(detection), ..report };
    let mut run = Run {
        records: records.clone(),
        actor: Arc::clone(actor),
        cause: Cause { import_job: Some(job.job), is_sample: job.is_sample, ..Cause::default() },
        job_object: job.object,
        ledger: job.ledger,
        sink,
        pending: Vec::new(),
        resolver: Resolver::default(),
        deferred,
        careful: false,
        report,
    };
    run.note(begun)?;
    let mut reader = RowReader::new(&source, plan)?;
    run.report.bytes_total = source.input().size().unwrap_or(0);
    let (stopped, go) = run.rows(&mut reader, progress)?;
    if go == Go::On {
        run.report.empty_lines = reader.tally().empty;
        run.second_pass(progress)?;
    }
    run.finish(stopped)
}

fn unwritable(what: &str, error: &std::io::Error) -> Fault {
    Fault::new(Code::Unavailable, format!("The file for rejected rows cannot be {what}: {error}."))
}

fn prepare(records: &Records, actor: &Actor, job: &ImportJob) -> Outcome<(SourceFile, Plan, DetectionReport)> {
    let targets = targets_for(records, actor)?;
    let target = targets.iter().find(|target| target.name == job.object);
    let target =
        target.ok_or_else(|| Fault::new(Code::ObjectUnknown, format!("There is no object {}.", job.object)))?;
    if let Some(mapping) = &job.mapping
        && mapping.object != job.object
    {
        return Err(Fault::new(
            Code::ImportMapping,
            format!("The mapping is for {}, not for {}.", mapping.object, job.object),
        ));
    }
    let options = job.mapping.as_ref().map(Mapping::open_options).unwrap_or_default();
    let source = SourceFile::open(job.input.clone(), &options)?;
    let proposal = if job.mapping.is_none() { Some(propose(&source, target, None)?) } else { None };
    let mapping = job.mapping.as_ref().or(proposal.as_ref().map(|proposal| &proposal.mapping));
    let mapping = mapping.ok_or_else(|| Fault::new(Code::ImportMapping, "There is no mapping."))?;
    let plan = plan(mapping, &targets, &source)?;
    let report = DetectionReport::new(&source, Some(&plan), proposal.as_ref());
    Ok((source, plan, report))
}

/// Where rejected rows go, opened.
enum Sink {
    File(Box<RejectWriter>),
    First(usize),
}

struct Run {
    records: Records,
    actor: Arc<Actor>,
    cause: Cause,
    job_object: String,
    ledger: Option<Arc<dyn Ledger>>,
    sink: Sink,
    /// Rows that could not be read, counted already, that no step tells of yet.
    pending: Vec<RejectedRow>,
    resolver: Resolver,
    deferred: Vec<Deferred>,
    /// The last batch had bad rows, so the next is likely to.
    careful: bool,
    report: ImportReport,
}

impl Run {
    /// Reads and writes all rows; returns why the file could not be read further, if so, and whether to go on.
    fn rows(
        &mut self,
        reader: &mut RowReader,
        progress: &mut dyn FnMut(Progress<'_>) -> Go,
    ) -> Outcome<(Option<Fault>, Go)> {
        let done_before = self.report.line;
        let mut batch = Vec::with_capacity(limits::IMPORT_BATCH_ROWS);
        let mut stopped = None;
        loop {
            let next = reader.next();
            let last = matches!(next, None | Some(Err(RowError::Stopped(_))));
            match next {
                Some(Ok(row)) if row.line > done_before => batch.push(row),
                Some(Err(RowError::Rejected(row))) if row.line > done_before => {
                    self.report.refuse(&row);
                    self.pending.push(*row);
                }
                Some(Err(RowError::Stopped(fault))) => stopped = Some(fault),
                Some(Ok(_) | Err(RowError::Rejected(_))) | None => {}
            }
            let waiting = batch.len() + self.pending.len();
            if waiting >= limits::IMPORT_BATCH_ROWS || (last && waiting > 0) {
                self.report.bytes_read = reader.bytes_read();
                self.batch(std::mem::take(&mut batch))?;
                self.within_limits()?;
                if progress(self.progress()) == Go::Stop {
                    return Ok((None, Go::Stop));
                }
            }
            if last {
                return Ok((stopped, Go::On));
            }
        }
    }

    /// The rights of now: a long run outlives the request that began it.
    fn renew(&mut self) -> Outcome<()> {
        let note = format!("import {}", self.cause.import_job.as_deref().unwrap_or_default());
        self.actor = self.records.still_acts(&self.actor, (AppAction::Import, audit::Verb::Import), &note)?;
        Ok(())
    }

    fn progress(&self) -> Progress<'_> {
        let report = &self.report;
        Progress { bytes: report.bytes_read, bytes_total: report.bytes_total, rows: report.rows(), report }
    }

    /// Writes a batch. Most batches have no bad row, and a savepoint for each row costs more than the row: so first all
    /// rows together, and only when one fails the batch again, row by row.
    fn batch(&mut self, rows: Vec<DraftRow>) -> Outcome<()> {
        self.renew()?;
        if !self.careful && self.attempt_batch(rows.clone(), false)? {
            return Ok(());
        }
        let rejected = self.report.rejected;
        self.attempt_batch(rows, true)?;
        self.careful = self.report.rejected > rejected;
        Ok(())
    }

    /// Says whether the batch was dealt with; only one without care can be undone and say no.
    fn attempt_batch(&mut self, rows: Vec<DraftRow>, careful: bool) -> Outcome<bool> {
        let (records, actor, cause) = (self.records.clone(), Arc::clone(&self.actor), self.cause.clone());
        let (object, dry_run, resolver) =
            (self.job_object.clone(), self.report.dry_run, std::mem::take(&mut self.resolver));
        let (ledger, mut report, read) = (self.ledger.clone(), self.report.clone(), self.pending.clone());
        report.line =
            rows.iter().map(|row| row.line).chain(read.iter().map(|row| row.line)).fold(report.line, u64::max);
        let slot = Arc::new(Mutex::new(None));
        let result = Arc::clone(&slot);
        let unit = self.records.unit(move |tx| {
            let work = Work { records: &records, actor: &actor, cause: &cause, object: &object };
            let mut outcome = work.batch(tx, rows, resolver, careful)?;
            let mut rejected = read;
            rejected.extend(report.count(&mut outcome));
            rejected.sort_by_key(|row| row.line);
            if let Some(ledger) = &ledger {
                let (touched, deferred) = (outcome.touched.as_slice(), outcome.deferred.as_slice());
                ledger.keep(tx, &Step { touched, rejected: &rejected, deferred, report: &report, late: false })?;
            }
            *result.lock().unwrap_or_else(PoisonError::into_inner) = Some((outcome, report, rejected));
            // A dry run does everything and then takes it all back.
            if dry_run { Err(Refused::from(Fault::new(Code::Unavailable, "dry run"))) } else { Ok(()) }
        });
        let done = unit.wait();
        let found = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (found, done) {
            (Some((outcome, report, rejected)), Ok(())) => {
                self.take(report, rejected)?;
                self.resolver = outcome.resolver;
                self.deferred.extend(outcome.deferred);
                Ok(true)
            }
            // What was learned in a dry run was taken back with it; that somebody was refused was not.
            (Some((outcome, report, rejected)), Err(_)) if dry_run => {
                let denied = outcome.denied;
                let told = self.records.unit(move |tx| Ok(denied.iter().try_for_each(|entry| tx.log_entry(entry))?));
                told.wait()?;
                self.take(report, rejected).map(|()| true)
            }
            (None, Err(_)) if !careful => Ok(false),
            (_, Err(fault)) => Err(fault),
            (None, Ok(())) => Err(Fault::internal("an import batch left no result")),
        }
    }

    /// Goes on from what a batch left.
    fn take(&mut self, report: ImportReport, rejected: Vec<RejectedRow>) -> Outcome<()> {
        self.report = report;
        self.pending.clear();
        if let Some(ledger) = &self.ledger {
            ledger.kept();
        }
        self.told(rejected)
    }

    fn told(&mut self, rejected: Vec<RejectedRow>) -> Outcome<()> {
        match &mut self.sink {
            Sink::File(file) => {
                rejected.iter().try_for_each(|row| file.write(row)).map_err(|error| unwritable("written", &error))
            }
            Sink::First(most) => {
                let room = most.saturating_sub(self.report.first_rejected.len());
                self.report.first_rejected.extend(rejected.into_iter().take(room));
                Ok(())
            }
        }
    }

    fn within_limits(&self) -> Outcome<()> {
        if self.deferred.len() > DEFERRED_MAX {
            return Err(Fault::new(
                Code::LimitExceeded,
                format!(
                    "More than {DEFERRED_MAX} references name later rows; sort the file so that parents come first."
                ),
            ));
        }
        if matches!(self.sink, Sink::First(_)) && self.report.rejected > limits::IMPORT_REJECTED_MAX {
            let most = limits::IMPORT_REJECTED_MAX;
            let detail = format!("More than {most} rows were rejected (IMPORT_REJECTED_MAX); mend the mapping first.");
            return Err(Fault::new(Code::LimitExceeded, detail));
        }
        Ok(())
    }

    /// References to rows that came later: now everything is there. What still is not found is told, not lost.
    fn second_pass(&mut self, progress: &mut dyn FnMut(Progress<'_>) -> Go) -> Outcome<()> {
        let done = usize::try_from(self.report.late).unwrap_or(usize::MAX);
        let deferred = std::mem::take(&mut self.deferred);
        self.renew()?;
        for chunk in deferred.get(done..).unwrap_or_default().chunks(limits::IMPORT_BATCH_ROWS) {
            let (records, actor, cause, object) =
                (self.records.clone(), Arc::clone(&self.actor), self.cause.clone(), self.job_object.clone());
            let (batch, ledger, mut report) = (chunk.to_vec(), self.ledger.clone(), self.report.clone());
            let unit = self.records.unit(move |tx| {
                let work = Work { records: &records, actor: &actor, cause: &cause, object: &object };
                let (mut touched, mut rejected) = (Vec::new(), Vec::new());
                for one in batch {
                    report.late += 1;
                    match work.deferred(tx, one)? {
                        Ok(touch) => {
                            report.deferred += 1;
                            touched.extend(touch);
                        }
                        Err(row) => {
                            // The record itself was taken; only its reference was not.
                            report.reason(&row);
                            rejected.push(row);
                        }
                    }
                }
                if let Some(ledger) = &ledger {
                    let step =
                        Step { touched: &touched, rejected: &rejected, deferred: &[], report: &report, late: true };
                    ledger.keep(tx, &step)?;
                }
                Ok((report, rejected))
            });
            let (report, rejected) = unit.wait()?;
            self.take(report, rejected)?;
            // Stopped here, the next run goes on behind this chunk; without the rest nothing would be whole.
            let _ = progress(self.progress());
        }
        Ok(())
    }

    fn note(&self, what: &str) -> Outcome<()> {
        let mode = if self.report.dry_run { "dry run" } else { "import" };
        let job = self.cause.import_job.clone().unwrap_or_default();
        self.records.note(&self.actor, audit::Verb::Import, &format!("{mode} {job} {} {what}", self.job_object)).wait()
    }

    fn finish(mut self, stopped: Option<Fault>) -> Outcome<ImportReport> {
        let report = &self.report;
        self.note(&format!(
            "end: created {} updated {} unchanged {} skipped {} rejected {}",
            report.created, report.updated, report.unchanged, report.skipped, report.rejected
        ))?;
        if !report.dry_run && report.created + report.updated >= STATISTICS_ROWS {
            let object = crate::resolve::definition(&self.records, &self.job_object)?;
            self.records.unit(move |tx| Ok(tx.statistics_gather(&object)?)).wait()?;
        }
        if let Sink::File(file) = self.sink {
            self.report.reject_file = file.finish().map_err(Fault::internal)?;
        }
        match stopped {
            None => Ok(self.report),
            Some(mut fault) => {
                let detail = format!(
                    "{} Rows before it are imported ({} new, {} changed); mend the file and run it again.",
                    fault.detail, self.report.created, self.report.updated
                );
                fault.detail = detail;
                Err(fault)
            }
        }
    }
}
