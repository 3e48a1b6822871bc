//! The writing half of an import: draft rows become records by the same verbs as everybody's, a few hundred to a commit.
//! Each row stands for itself: it is written whole or rejected whole with its reason, and a second run changes nothing.

use crate::resolve::Resolver;
use crate::work::{BatchOutcome, Deferred, Fate, Work};
use crate::{
    DetectionReport, DraftRow, Input, Mapping, Plan, RejectWriter, RejectedRow, RowError, RowReader, SourceFile, plan,
    propose, targets_of,
};
use authz::AppAction;
use identity::Actor;
use kernel::{Code, Fault, Outcome, limits};
use records::Records;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use store::{Cause, Refused};

/// References to later rows of the same file that one run keeps in mind.
const DEFERRED_MAX: usize = 200_000;

/// An import.
pub struct ImportJob {
    /// The file.
    pub file: PathBuf,
    /// The object of its rows.
    pub object: String,
    /// The mapping; proposed from the header when absent.
    pub mapping: Option<Mapping>,
    /// Try everything, write nothing.
    pub dry_run: bool,
    /// Where rejected rows go; the file is made only when there are some.
    pub reject_file: PathBuf,
    /// Names the run in the log and on every record.
    pub job: String,
    /// The records are sample data.
    pub is_sample: bool,
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Bytes of the file that were read.
    pub bytes: u64,
    /// Bytes of the file.
    pub bytes_total: u64,
    /// Rows that were dealt with.
    pub rows: u64,
}

/// What became of a file. `created + updated + unchanged + skipped + rejected` are all its rows.
#[derive(Debug, Default, Serialize)]
pub struct ImportReport {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// What was found out about the file.
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
}

/// Runs an import to its end; stops early only when the file itself cannot be read further.
pub fn run(
    records: &Records,
    actor: &Arc<Actor>,
    job: &ImportJob,
    progress: &mut dyn FnMut(Progress),
) -> Outcome<ImportReport> {
    records.may_act(actor, AppAction::Import, audit::Verb::Import)?;
    let (source, plan, detection) = prepare(records, job)?;
    let rejects = RejectWriter::create(&job.reject_file, source.columns(), source.dialect().delimiter);
    let rejects = rejects.map_err(|error| {
        Fault::new(Code::Unavailable, format!("The file for rejected rows cannot be made: {error}."))
    })?;
    let total = source.input().size().unwrap_or(0);
    let mut run = Run {
        records: records.clone(),
        actor: Arc::clone(actor),
        cause: Cause { import_job: Some(job.job.clone()), is_sample: job.is_sample, ..Cause::default() },
        job_object: job.object.clone(),
        dry_run: job.dry_run,
        rejects,
        resolver: Resolver::default(),
        deferred: Vec::new(),
        careful: false,
        report: ImportReport { dry_run: job.dry_run, detection: Some(detection), ..ImportReport::default() },
    };
    run.note("begin")?;
    let mut reader = RowReader::new(&source, plan)?;
    let stopped = run.rows(&mut reader, total, progress)?;
    run.report.empty_lines = reader.tally().empty;
    run.second_pass()?;
    run.finish(stopped)
}

fn prepare(records: &Records, job: &ImportJob) -> Outcome<(SourceFile, Plan, DetectionReport)> {
    let targets = targets_of(&records.catalog());
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
    let source = SourceFile::open(Input::Path(job.file.clone()), &options)?;
    let proposal = if job.mapping.is_none() { Some(propose(&source, target, None)?) } else { None };
    let mapping = job.mapping.as_ref().or(proposal.as_ref().map(|proposal| &proposal.mapping));
    let mapping = mapping.ok_or_else(|| Fault::new(Code::ImportMapping, "There is no mapping."))?;
    let plan = plan(mapping, &targets, &source)?;
    let report = DetectionReport::new(&source, Some(&plan), proposal.as_ref());
    Ok((source, plan, report))
}

struct Run {
    records: Records,
    actor: Arc<Actor>,
    cause: Cause,
    job_object: String,
    dry_run: bool,
    rejects: RejectWriter,
    resolver: Resolver,
    deferred: Vec<Deferred>,
    /// The last batch had bad rows, so the next is likely to.
    careful: bool,
    report: ImportReport,
}

impl Run {
    /// Reads and writes all rows; returns why the file could not be read further, if so.
    fn rows(
        &mut self,
        reader: &mut RowReader,
        total: u64,
        progress: &mut dyn FnMut(Progress),
    ) -> Outcome<Option<Fault>> {
        let mut batch = Vec::with_capacity(limits::IMPORT_BATCH_ROWS);
        let mut stopped = None;
        let mut rows = 0;
        loop {
            let next = reader.next();
            let last = matches!(next, None | Some(Err(RowError::Stopped(_))));
            match next {
                Some(Ok(row)) => batch.push(row),
                Some(Err(RowError::Rejected(row))) => self.reject(&row)?,
                Some(Err(RowError::Stopped(fault))) => stopped = Some(fault),
                None => {}
            }
            if batch.len() == limits::IMPORT_BATCH_ROWS || (last && !batch.is_empty()) {
                rows += u64::try_from(batch.len()).unwrap_or(0);
                self.batch(std::mem::take(&mut batch))?;
                progress(Progress { bytes: reader.bytes_read(), bytes_total: total, rows });
            }
            if last {
                return Ok(stopped);
            }
        }
    }

    /// Writes a batch. Most batches have no bad row, and a savepoint for each row costs more than the row: so first all
    /// rows together, and only when one fails the batch again, row by row.
    fn batch(&mut self, rows: Vec<DraftRow>) -> Outcome<()> {
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
        let (object, dry_run, resolver) = (self.job_object.clone(), self.dry_run, std::mem::take(&mut self.resolver));
        let slot = Arc::new(std::sync::Mutex::new(None));
        let result = Arc::clone(&slot);
        let unit = self.records.unit(move |tx| {
            let work = Work { records: &records, actor: &actor, cause: &cause, object: &object };
            let outcome = work.batch(tx, rows, resolver, careful)?;
            if let Ok(mut slot) = result.lock() {
                *slot = Some(outcome);
            }
            // A dry run does everything and then takes it all back.
            if dry_run { Err(Refused::from(Fault::new(Code::Unavailable, "dry run"))) } else { Ok(()) }
        });
        let done = unit.wait();
        let outcome = slot.lock().ok().and_then(|mut slot| slot.take());
        match (outcome, done) {
            (Some(outcome), Ok(())) => self.take(outcome).map(|()| true),
            (Some(mut outcome), Err(_)) if self.dry_run => {
                outcome.deferred.clear();
                outcome.resolver = Resolver::default();
                self.take(outcome).map(|()| true)
            }
            (None, Err(_)) if !careful => Ok(false),
            (_, Err(fault)) => Err(fault),
            (None, Ok(())) => Err(Fault::internal("an import batch left no result")),
        }
    }

    fn take(&mut self, outcome: BatchOutcome) -> Outcome<()> {
        self.report.related += outcome.related;
        self.resolver = outcome.resolver;
        self.deferred.extend(outcome.deferred);
        for fate in outcome.fates {
            match fate {
                Ok(Fate::Created) => self.report.created += 1,
                Ok(Fate::Updated) => self.report.updated += 1,
                Ok(Fate::Unchanged) => self.report.unchanged += 1,
                Ok(Fate::Skipped) => self.report.skipped += 1,
                Err(row) => self.reject(&row)?,
            }
        }
        if self.deferred.len() > DEFERRED_MAX {
            return Err(Fault::new(
                Code::LimitExceeded,
                format!(
                    "More than {DEFERRED_MAX} references name later rows; sort the file so that parents come first."
                ),
            ));
        }
        Ok(())
    }

    fn reject(&mut self, row: &RejectedRow) -> Outcome<()> {
        self.report.rejected += 1;
        *self.report.reasons.entry(format!("{}: {}", row.code.as_str(), row.reason)).or_default() += 1;
        self.rejects.write(row).map_err(|error| {
            Fault::new(Code::Unavailable, format!("The file for rejected rows cannot be written: {error}."))
        })
    }

    /// References to rows that came later: now everything is there. What still is not found is told, not lost.
    fn second_pass(&mut self) -> Outcome<()> {
        for deferred in std::mem::take(&mut self.deferred).chunks(limits::IMPORT_BATCH_ROWS) {
            let (records, actor, cause, object) =
                (self.records.clone(), Arc::clone(&self.actor), self.cause.clone(), self.job_object.clone());
            let batch = deferred.to_vec();
            let unit = self.records.unit(move |tx| {
                let work = Work { records: &records, actor: &actor, cause: &cause, object: &object };
                batch.into_iter().map(|one| work.deferred(tx, one)).collect::<Result<Vec<_>, Refused>>()
            });
            for row in unit.wait()? {
                match row {
                    None => self.report.deferred += 1,
                    Some(row) => {
                        // The record itself was taken; only its reference was not.
                        *self.report.reasons.entry(format!("{}: {}", row.code.as_str(), row.reason)).or_default() += 1;
                        self.rejects.write(&row).map_err(Fault::internal)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn note(&self, what: &str) -> Outcome<()> {
        let mode = if self.dry_run { "dry run" } else { "import" };
        let job = self.cause.import_job.clone().unwrap_or_default();
        self.records.note(&self.actor, audit::Verb::Import, &format!("{mode} {job} {} {what}", self.job_object)).wait()
    }

    fn finish(mut self, stopped: Option<Fault>) -> Outcome<ImportReport> {
        let report = &self.report;
        self.note(&format!(
            "end: created {} updated {} unchanged {} skipped {} rejected {}",
            report.created, report.updated, report.unchanged, report.skipped, report.rejected
        ))?;
        self.report.reject_file = self.rejects.finish().map_err(Fault::internal)?;
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
