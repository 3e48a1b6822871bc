//! The writing half of an import: draft rows become records by the same verbs as everybody's, a few hundred to a commit.
//! Each row stands for itself: it is written whole or rejected whole with its reason, and a second run changes nothing.

use crate::resolve::{Resolver, definition, look_up};
use crate::{
    DetectionReport, DraftRecord, DraftRow, Input, Mapping, OnExisting, Plan, ReferenceBy, RejectWriter, RejectedRow,
    RowError, RowReader, SourceFile, plan, propose, targets_of,
};
use authz::AppAction;
use identity::Actor;
use kernel::{Code, Fault, Outcome, RecordId, limits};
use records::{CreateOptions, Records};
use serde::Serialize;
use serde_json::{Map, json};
use std::path::PathBuf;
use std::sync::Arc;
use store::{Cause, Refused, WriteTx};

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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Created,
    Updated,
    Unchanged,
    Skipped,
}

/// A reference to a later row.
#[derive(Clone)]
struct Deferred {
    line: u64,
    record: RecordId,
    field: String,
    by: ReferenceBy,
    text: String,
    raw: csv::StringRecord,
}

/// What a batch did, handed back also when a dry run rolled it back.
#[derive(Default)]
struct BatchOutcome {
    fates: Vec<Result<Fate, RejectedRow>>,
    related: u64,
    deferred: Vec<Deferred>,
    resolver: Resolver,
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

    fn batch(&mut self, rows: Vec<DraftRow>) -> Outcome<()> {
        let (records, actor, cause) = (self.records.clone(), Arc::clone(&self.actor), self.cause.clone());
        let (object, dry_run, resolver) = (self.job_object.clone(), self.dry_run, std::mem::take(&mut self.resolver));
        let slot = Arc::new(std::sync::Mutex::new(None));
        let result = Arc::clone(&slot);
        let unit = self.records.unit(move |tx| {
            let work = Work { records: &records, actor: &actor, cause: &cause, object: &object };
            let outcome = work.batch(tx, rows, resolver)?;
            if let Ok(mut slot) = result.lock() {
                *slot = Some(outcome);
            }
            // A dry run does everything and then takes it all back.
            if dry_run { Err(Refused::from(Fault::new(Code::Unavailable, "dry run"))) } else { Ok(()) }
        });
        let done = unit.wait();
        let outcome = slot.lock().ok().and_then(|mut slot| slot.take());
        match (outcome, done) {
            (Some(outcome), Ok(())) => self.take(outcome),
            (Some(mut outcome), Err(_)) if self.dry_run => {
                outcome.deferred.clear();
                outcome.resolver = Resolver::default();
                self.take(outcome)
            }
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

/// What one batch needs.
struct Work<'a> {
    records: &'a Records,
    actor: &'a Arc<Actor>,
    cause: &'a Cause,
    object: &'a str,
}

impl Work<'_> {
    fn batch(
        &self,
        tx: &mut WriteTx<'_, '_>,
        rows: Vec<DraftRow>,
        resolver: Resolver,
    ) -> Result<BatchOutcome, Refused> {
        let mut outcome = BatchOutcome { resolver, ..BatchOutcome::default() };
        for row in rows {
            let before = (outcome.resolver.mark(), outcome.deferred.len(), outcome.related);
            let attempt = tx.attempt(|tx| self.row(tx, &row, &mut outcome))?;
            match attempt {
                Ok(fate) => outcome.fates.push(Ok(fate)),
                Err(Refused { fault, .. }) => {
                    outcome.resolver.back_to(before.0);
                    outcome.deferred.truncate(before.1);
                    outcome.related = before.2;
                    outcome.fates.push(Err(rejected(&row, &fault)));
                }
            }
        }
        Ok(outcome)
    }

    fn row(&self, tx: &mut WriteTx<'_, '_>, row: &DraftRow, outcome: &mut BatchOutcome) -> Result<Fate, Refused> {
        for related in &row.related {
            let (_, fate) = self.record(tx, related, row, outcome)?;
            outcome.related += u64::from(fate == Fate::Created);
        }
        self.record(tx, &row.main, row, outcome).map(|(_, fate)| fate)
    }

    fn record(
        &self,
        tx: &mut WriteTx<'_, '_>,
        draft: &DraftRecord,
        row: &DraftRow,
        outcome: &mut BatchOutcome,
    ) -> Result<(RecordId, Fate), Refused> {
        let object = definition(self.records, &draft.object)?;
        let existing = self.existing(tx, draft)?;
        let mut body = draft.fields.clone();
        let mut later = Vec::new();
        for reference in &draft.references {
            let wanted =
                (reference.objects.as_slice(), &reference.by, reference.text.as_str(), &reference.create_missing);
            match outcome.resolver.find(self.records, tx, self.actor, wanted, self.cause)? {
                Some(found) => {
                    outcome.related += u64::from(found.made);
                    body.insert(reference.field.clone(), pointer(&object, &reference.field, &found.object, found.id));
                }
                None if reference.objects.iter().any(|name| name == self.object) && draft.object == self.object => {
                    later.push(reference)
                }
                None => return Err(not_found(&reference.field).into()),
            }
        }
        let (id, fate) = match existing {
            None => (self.create(tx, draft, &body)?, Fate::Created),
            Some(id) => match draft.on_existing {
                OnExisting::Skip => (id, Fate::Skipped),
                OnExisting::Reject => {
                    return Err(Fault::new(Code::ValueNotUnique, "The record is there already.").into());
                }
                OnExisting::Update => {
                    let changed = self.records.upsert_in_tx(tx, self.actor, &object, id, &body, self.cause.clone())?;
                    (id, if changed.moved { Fate::Updated } else { Fate::Unchanged })
                }
            },
        };
        for link in &draft.links {
            let wanted = (link.objects.as_slice(), &link.by, link.text.as_str(), &link.create_missing);
            let found = outcome.resolver.find(self.records, tx, self.actor, wanted, self.cause)?;
            let found = found.ok_or_else(|| not_found(&link.relation))?;
            outcome.related += u64::from(found.made);
            self.records.link_by_name_in_tx(
                tx,
                self.actor,
                &object,
                id,
                &link.relation,
                (found.id, link.role.as_deref()),
            )?;
        }
        for reference in later {
            outcome.deferred.push(Deferred {
                line: row.line,
                record: id,
                field: reference.field.clone(),
                by: reference.by.clone(),
                text: reference.text.clone(),
                raw: row.raw.clone(),
            });
        }
        Ok((id, fate))
    }

    fn create(
        &self,
        tx: &mut WriteTx<'_, '_>,
        draft: &DraftRecord,
        body: &Map<String, serde_json::Value>,
    ) -> Result<RecordId, Refused> {
        let object = definition(self.records, &draft.object)?;
        let options = CreateOptions { cause: self.cause.clone(), external_id: draft.external_id.clone(), id: None };
        self.records.create_in_tx(tx, self.actor, &object, body, options)
    }

    /// The record that the row means, if it is there: by its name in the other system, else by unique fields.
    fn existing(&self, tx: &mut WriteTx<'_, '_>, draft: &DraftRecord) -> Result<Option<RecordId>, Refused> {
        if let Some((system, external_id)) = &draft.external_id {
            return Ok(tx.read().external_find(&draft.object, system, external_id)?);
        }
        let object = definition(self.records, &draft.object)?;
        for field in &draft.match_fields {
            let Some(text) = draft.fields.get(field).and_then(serde_json::Value::as_str) else { continue };
            if let Some(id) = look_up(tx, &object, &ReferenceBy::Field(field.clone()), text)? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Sets a reference that named a later row; hands back the row when there is none even now.
    fn deferred(&self, tx: &mut WriteTx<'_, '_>, one: Deferred) -> Result<Option<RejectedRow>, Refused> {
        let object = definition(self.records, self.object)?;
        let attempt = tx.attempt(|tx| {
            let found = look_up(tx, &object, &one.by, &one.text)?.ok_or_else(|| not_found(&one.field))?;
            let body = Map::from_iter([(one.field.clone(), pointer(&object, &one.field, self.object, found))]);
            self.records.upsert_in_tx(tx, self.actor, &object, one.record, &body, self.cause.clone())
        })?;
        Ok(attempt.err().map(|refused| RejectedRow {
            line: one.line,
            code: refused.fault.code,
            reason: format!(
                "The record was imported, but its field {} was not set: {}",
                one.field,
                words(&refused.fault)
            ),
            raw: one.raw,
        }))
    }
}

fn pointer(object: &metadata::ObjectDef, field: &str, target: &str, id: RecordId) -> serde_json::Value {
    let several = object.field(field).is_some_and(|field| field.reference_targets().len() > 1);
    if several { json!({"object": target, "id": id}) } else { json!(id) }
}

fn not_found(field: &str) -> Fault {
    Fault::new(Code::ReferenceUnknown, format!("Field {field}: no record fits the reference."))
}

fn rejected(row: &DraftRow, fault: &Fault) -> RejectedRow {
    RejectedRow {
        line: row.line,
        code: fault.items.first().map_or(fault.code, |item| item.code),
        reason: words(fault),
        raw: row.raw.clone(),
    }
}

/// The detail, and of value errors which field they are about. Never a value.
fn words(fault: &Fault) -> String {
    if fault.items.is_empty() {
        return fault.detail.clone();
    }
    fault
        .items
        .iter()
        .map(|item| format!("{}: {}", item.pointer.trim_start_matches('/'), item.detail))
        .collect::<Vec<_>>()
        .join(" ")
}
