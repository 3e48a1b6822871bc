//! Bulk changes of more records than one request can wait for: they go on by themselves, say how far they are, and can be
//! stopped and undone. Each record goes the single-record road, with its own decision, entry and result.

use crate::bulk::words;
use crate::pick::{PICK_ACTION, PickJob};
use crate::preferences::is_person;
use crate::undo::{changed_since, old_values};
use crate::{BulkAction, BulkOutcome, BulkRequest, Pending, Records, Retry};
use audit::Verb as Act;
use authz::AppAction;
use identity::{Actor, TokenVerb};
use kernel::{Code, Fault, Id, RecordId, Timestamp, limits};
use metadata::ObjectDef;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{Job, JobRow, Refused, Remembered, Ticket, WriteTx};

/// Records whose results are awaited together.
const CHUNK: usize = 100;
/// A running job that is silent for so long is one whose node has stopped.
const SILENCE_SECONDS: i64 = 60;
/// How a job is kept that was stopped because its user may no longer do it.
const REVOKED: &str = "revoked";
/// Jobs of one list.
const JOBS_SHOWN: usize = 50;

/// Where a job stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It goes on.
    Running,
    /// It was stopped, by somebody or because its user may no longer do it; what was done stays.
    Stopped,
    /// Its node was stopped under it; what was done stays.
    Interrupted,
    /// It is through.
    Done,
}

/// A job as its user sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobView {
    /// Its id.
    pub id: RecordId,
    /// The object of its records.
    pub object: String,
    /// What it does to them: `update`, `assign`, `delete`…
    pub action: String,
    /// Where it stands.
    pub state: JobState,
    /// Why the appliance stopped it: `access_denied` when its user may no longer do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The job whose changes it undoes.
    pub undo_of: Option<RecordId>,
    /// The job that undoes its changes.
    pub undone_by: Option<RecordId>,
    /// Whether it can be undone now.
    pub can_undo: bool,
    /// Records.
    pub total: i64,
    /// Changed.
    pub done: i64,
    /// As they were.
    pub same: i64,
    /// Left as they are.
    pub failed: i64,
    /// When it began.
    pub at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// The actor's jobs.
#[derive(Clone, Debug, Serialize)]
pub struct JobsView {
    /// Newest first.
    pub items: Vec<JobView>,
}

/// What became of one record.
#[derive(Clone, Debug, Serialize)]
pub struct JobRowView {
    /// The record.
    pub id: RecordId,
    /// `done`, `same` or `failed`.
    pub outcome: String,
    /// The version then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A page of results.
#[derive(Clone, Debug, Serialize)]
pub struct JobRowsView {
    /// In the order of the job.
    pub items: Vec<JobRowView>,
    /// Pass as `after` to see more.
    pub next: Option<i64>,
}

/// What a job does to each record.
#[derive(Clone)]
pub(crate) enum Doing {
    /// A change.
    Bulk(BulkAction),
    /// That change taken back.
    Undo(BulkAction),
    /// What a backup set holds of it is brought back.
    Pick(Arc<PickJob>),
    /// That taken back.
    PickUndo,
}

/// What one job does to its records.
#[derive(Clone)]
struct Work {
    job: RecordId,
    actor: Arc<Actor>,
    object: Arc<ObjectDef>,
    doing: Doing,
}

/// One record of a job: its place, itself, and the version it is expected in, where one is.
pub(crate) type Item = (i64, RecordId, i64);

fn unknown() -> Fault {
    Fault::new(Code::JobUnknown, "You have no such job.")
}

impl Records {
    fn job_view(&self, job: &Job) -> JobView {
        let now = self.store.clock().now();
        // One of a version that did not write it down is known by its silence alone.
        let gone = job.boot.is_some_and(|boot| !self.store.boot_lives(boot));
        let silent = gone || job.beat_at.plus_seconds(SILENCE_SECONDS) < now;
        let state = match job.state.as_str() {
            "done" => JobState::Done,
            "stopped" | REVOKED => JobState::Stopped,
            _ if silent => JobState::Interrupted,
            _ => JobState::Running,
        };
        let action: serde_json::Value = serde_json::from_slice(&job.change).unwrap_or_default();
        let can_undo = state != JobState::Running
            && job.undo_of.is_none()
            && job.undone_by.is_none()
            && job.done > 0
            && now < job.at.plus_seconds(limits::BULK_UNDO_SECONDS);
        JobView {
            id: job.id,
            object: job.object.clone(),
            action: action.get("action").and_then(|action| action.as_str()).unwrap_or_default().to_owned(),
            state,
            code: (job.state == REVOKED).then_some(Code::AccessDenied),
            undo_of: job.undo_of,
            undone_by: job.undone_by,
            can_undo,
            total: job.total,
            done: job.done,
            same: job.same,
            failed: job.failed,
            at: job.at,
            finished_at: job.finished_at,
        }
    }

    /// The actor's jobs.
    pub fn jobs(&self, actor: &Arc<Actor>) -> Pending<JobsView> {
        if let Err(fault) = is_person(actor, TokenVerb::Read) {
            return Pending::failed(fault);
        }
        let (records, user) = (self.clone(), actor.user());
        Pending::written(self.store.read(move |tx| {
            let jobs = tx.jobs(user, JOBS_SHOWN)?;
            Ok(JobsView { items: jobs.iter().map(|job| records.job_view(job)).collect() })
        }))
    }

    /// One job of the actor.
    pub fn job(&self, actor: &Arc<Actor>, id: RecordId) -> Pending<JobView> {
        if let Err(fault) = is_person(actor, TokenVerb::Read) {
            return Pending::failed(fault);
        }
        let (records, user) = (self.clone(), actor.user());
        Pending::written(self.store.read(move |tx| Ok(records.job_view(&tx.job(user, id)?.ok_or_else(unknown)?))))
    }

    /// Results of a job of the actor.
    pub fn job_rows(
        &self,
        actor: &Arc<Actor>,
        id: RecordId,
        outcome: Option<BulkOutcome>,
        after: Option<i64>,
        limit: Option<usize>,
    ) -> Pending<JobRowsView> {
        if let Err(fault) = is_person(actor, TokenVerb::Read) {
            return Pending::failed(fault);
        }
        let limit = limit.unwrap_or(limits::PAGE_ROWS_DEFAULT);
        if !(1..=limits::PAGE_ROWS_MAX).contains(&limit) {
            let detail = format!("limit is from 1 to {} (PAGE_ROWS_MAX).", limits::PAGE_ROWS_MAX);
            return Pending::failed(Fault::new(Code::ParameterInvalid, detail));
        }
        let user = actor.user();
        Pending::written(self.store.read(move |tx| {
            tx.job(user, id)?.ok_or_else(unknown)?;
            let mut rows = tx.job_rows(id, after.unwrap_or(-1), outcome.map(BulkOutcome::as_str), limit + 1)?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| more).map(|row| row.ord);
            let view = |row: store::JobRowKept| JobRowView {
                id: row.record,
                outcome: row.outcome,
                version: row.version,
                code: row.code,
                detail: row.detail,
            };
            Ok(JobRowsView { items: rows.into_iter().map(view).collect(), next })
        }))
    }

    /// Tells a job to stop after the records it has in hand. Who looks after users may stop those of others, too.
    pub fn job_stop(&self, actor: &Arc<Actor>, id: RecordId) -> Pending<JobView> {
        if let Err(fault) = is_person(actor, TokenVerb::Update) {
            return Pending::failed(fault);
        }
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(self.store.write(move |tx| {
            let job = tx.read().job_of_anybody(id)?.ok_or_else(unknown)?;
            if job.user != actor.user() {
                tx.policy().act(&actor, AppAction::Users).map_err(|_| unknown())?;
                let mut entry = tx.entry(&actor, Act::Bulk).on_record("user", job.user);
                entry.note = format!("stop job {id}");
                tx.log_entry(&entry)?;
            }
            tx.job_state(id, "stopping", false)?;
            let job = tx.read().job_of_anybody(id)?.ok_or_else(unknown)?;
            Ok(records.job_view(&job))
        }))
    }

    /// Begins a bulk change that goes on by itself.
    pub fn bulk_job(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        request: BulkRequest,
        retry: Option<Retry>,
    ) -> Pending<JobView> {
        let definition =
            match self.definition(object).and_then(|found| is_person(actor, TokenVerb::Update).map(|()| found)) {
                Ok(definition) => definition,
                Err(fault) => return Pending::failed(fault),
            };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::in_background(move || {
            records.bulk_allowed(&actor)?;
            if let Some(view) = records.job_repeated(&actor, retry.as_ref())? {
                return Ok(view);
            }
            let ids = records.targets(&actor, &definition, &request, limits::BULK_JOB_RECORDS_MAX)?;
            let places = (0..).zip(ids).map(|(ord, id)| (ord, id, 0)).collect();
            let change = serde_json::to_vec(&request.change).map_err(Fault::internal)?;
            records.begin(&actor, &definition, (change, Doing::Bulk(request.change)), (places, None), retry)
        })
    }

    /// Takes back what a job did, where nobody has changed the record since.
    pub fn job_undo(&self, actor: &Arc<Actor>, id: RecordId) -> Pending<JobView> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::in_background(move || {
            records.bulk_allowed(&actor)?;
            let user = actor.user();
            let found = records.store.read(move |tx| {
                let job = tx.job(user, id)?.ok_or_else(unknown)?;
                let most = usize::try_from(job.total).unwrap_or(0);
                Ok((tx.job_rows(id, -1, Some(BulkOutcome::Done.as_str()), most)?, job))
            });
            let (rows, job) = found.wait()?;
            let view = records.job_view(&job);
            if view.state == JobState::Running {
                return Err(Fault::new(Code::JobBusy, "The job is still running; stop it, or wait for its end."));
            }
            if !view.can_undo {
                let detail = "Nothing was changed, it was undone already, is an undo itself, or its time is over (BULK_UNDO_SECONDS).";
                return Err(Fault::new(Code::UndoRefused, detail));
            }
            let doing = if view.action == PICK_ACTION {
                Doing::PickUndo
            } else {
                Doing::Undo(serde_json::from_slice(&job.change).map_err(Fault::internal)?)
            };
            let object = records.definition(&job.object)?;
            let places = rows.iter().map(|row| (row.ord, row.record, row.version.unwrap_or(0))).collect();
            records.begin(&actor, &object, (job.change, doing), (places, Some(id)), None)
        })
    }

    /// The job that the same request began before.
    fn job_repeated(&self, actor: &Arc<Actor>, retry: Option<&Retry>) -> Result<Option<JobView>, Fault> {
        let Some(retry) = retry else { return Ok(None) };
        let (user, key) = (actor.user(), retry.key.clone());
        let first = self.store.read(move |tx| tx.remembered(user, &key)).wait()?;
        let Some(body) = first.map(|first| retry.answer_of(first)).transpose()? else { return Ok(None) };
        let view: JobView = serde_json::from_slice(&body).map_err(Fault::internal)?;
        Ok(Some(self.job(actor, view.id).wait()?.into_view()))
    }

    /// Keeps the job, says so in the log and starts its thread.
    pub(crate) fn begin(
        &self,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        (change, doing): (Vec<u8>, Doing),
        (items, undo_of): (Vec<Item>, Option<RecordId>),
        retry: Option<Retry>,
    ) -> Result<JobView, Fault> {
        let now = self.store.clock().now();
        let job = Job {
            id: Id::generate(self.store.clock().as_ref(), self.store.random().as_ref()),
            user: actor.user(),
            object: object.name.clone(),
            state: "running".to_owned(),
            change,
            undo_of,
            undone_by: None,
            boot: Some(Id::from_bytes(*self.store.boot().as_bytes())),
            total: i64::try_from(items.len()).unwrap_or(i64::MAX),
            done: 0,
            same: 0,
            failed: 0,
            at: now,
            beat_at: now,
            finished_at: None,
        };
        let view = self.job_view(&job);
        let (kept, who) = (view.clone(), Arc::clone(actor));
        let ids: Vec<RecordId> = items.iter().map(|(_, id, _)| *id).collect();
        let (id, name) = (job.id, object.name.clone());
        let written = self.store.write(move |tx| {
            if tx.read().jobs_alive(who.user(), now.plus_seconds(-SILENCE_SECONDS))? >= limits::BULK_JOBS_PARALLEL_MAX {
                let detail =
                    format!("At most {} jobs at a time (BULK_JOBS_PARALLEL_MAX).", limits::BULK_JOBS_PARALLEL_MAX);
                return Err(Fault::new(Code::JobBusy, detail).into());
            }
            tx.jobs_prune(who.user(), now.plus_seconds(-limits::BULK_JOB_SECONDS))?;
            tx.job_begin(&job)?;
            let mut entry = tx.entry(&who, Act::Bulk).on_list(&name, ids);
            entry.note = match undo_of {
                Some(undone) => format!("job {id}, undo of job {undone}"),
                None => format!("job {id}"),
            };
            tx.log_entry(&entry)?;
            if let Some(retry) = retry {
                let body = serde_json::to_vec(&kept).map_err(Fault::internal)?;
                tx.remember(
                    who.user(),
                    &retry.key,
                    &Remembered { request: retry.request.to_vec(), status: 202, body },
                )?;
            }
            Ok(())
        });
        written.wait()?;
        let work = Work { job: id, actor: Arc::clone(actor), object: Arc::clone(object), doing };
        let records = self.clone();
        let run = move || {
            if let Err(fault) = records.run(&work, &items) {
                // The store is closing, or cannot write: the job then counts as interrupted.
                tracing::warn!(job = %work.job, code = fault.code.as_str(), "a bulk job was interrupted");
            }
        };
        std::thread::Builder::new().name("bulk job".to_owned()).spawn(run).map_err(Fault::internal)?;
        Ok(view)
    }

    /// The job's user with the rights of now, or the refusal when they may no longer do it; the log knows of that then.
    fn still_allowed(&self, work: &Work) -> Result<Result<Arc<Actor>, Fault>, Fault> {
        let asked = (AppAction::Bulk, Act::Bulk);
        match self.still_acts(&work.actor, asked, &format!("job {}", work.job)) {
            Ok(actor) => Ok(Ok(actor)),
            Err(fault) if matches!(fault.code, Code::AccessDenied | Code::TokenScope) => Ok(Err(fault)),
            Err(fault) => Err(fault),
        }
    }

    fn run(&self, work: &Work, items: &[Item]) -> Result<(), Fault> {
        let mut work = work.clone();
        let (mut done, mut same, mut failed) = (0, 0, 0);
        let (job, user) = (work.job, work.actor.user());
        for chunk in items.chunks(CHUNK) {
            let state = self.store.read(move |tx| Ok(tx.job(user, job)?.map(|job| job.state))).wait()?;
            if state.as_deref() != Some("running") {
                return self.store.write(move |tx| Ok(tx.job_state(job, "stopped", true).map(|_| ())?)).wait();
            }
            match self.still_allowed(&work)? {
                Ok(actor) => work.actor = actor,
                Err(_) => return self.store.write(move |tx| Ok(tx.job_state(job, REVOKED, true).map(|_| ())?)).wait(),
            }
            let one = |item: &Item| (*item, self.one(&work, *item));
            let tickets: Vec<(Item, Ticket<bool>)> = chunk.iter().map(one).collect();
            let mut rows = Vec::new();
            for ((ord, record, _), ticket) in tickets {
                match ticket.wait() {
                    Ok(true) => done += 1,
                    Ok(false) => same += 1,
                    Err(fault) if matches!(fault.code, Code::Unavailable | Code::AuditUnavailable | Code::Sealed) => {
                        return Err(fault);
                    }
                    Err(fault) => {
                        failed += 1;
                        let (code, detail) = (Some(fault.code.as_str()), Some(words(&fault)));
                        rows.push(JobRow { ord, record, outcome: "failed", version: None, code, detail });
                    }
                }
            }
            let noted = self.store.write(move |tx| {
                rows.iter().try_for_each(|row| tx.job_row(job, row))?;
                Ok(tx.job_beat(job, (done, same, failed))?)
            });
            noted.wait()?;
        }
        self.store.write(move |tx| Ok(tx.job_state(job, "done", true).map(|_| ())?)).wait()
    }

    /// One record and its result, in one unit.
    fn one(&self, work: &Work, (ord, id, version): Item) -> Ticket<bool> {
        let (records, work) = (self.clone(), work.clone());
        // The set is asked outside the unit: nobody else waits for it.
        let mut picked = match &work.doing {
            Doing::Pick(pick) => Some(self.pick_one(&work.actor, pick, (id, version))),
            Doing::Bulk(_) | Doing::Undo(_) | Doing::PickUndo => None,
        };
        self.store.write(move |tx| {
            let (actor, object) = (&work.actor, &work.object);
            let (version, moved) = match (&work.doing, picked.take()) {
                (Doing::Undo(action), _) => records.undo_one_in_tx(tx, actor, object, (id, version), action)?,
                (Doing::PickUndo, _) => records.pick_undo_in_tx(tx, actor, object, (id, version))?,
                (Doing::Bulk(action), _) => records.bulk_one_in_tx(tx, actor, object, id, action)?,
                (Doing::Pick(_), Some(bring)) => bring?(tx)?,
                (Doing::Pick(_), None) => return Err(Fault::internal("a job lost its set").into()),
            };
            let outcome = if moved { BulkOutcome::Done } else { BulkOutcome::Same }.as_str();
            let row = JobRow { ord, record: id, outcome, version: Some(version), code: None, detail: None };
            tx.job_row(work.job, &row)?;
            Ok(moved)
        })
    }

    /// Takes one change back, if the record is still as the job left it.
    fn undo_one_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        (id, version): (RecordId, i64),
        action: &BulkAction,
    ) -> Result<(i64, bool), Refused> {
        use crate::change::Expect;
        let as_left = Expect::Version(Some(version));
        match action {
            BulkAction::Update { .. } | BulkAction::Assign { .. } => {
                let (row, grant) = self.row_to_change(tx, actor, object, id, Act::Update)?;
                if row.version() != version {
                    return Err(changed_since().into());
                }
                let body = old_values(tx, object, (&row, &grant), 1)?;
                let changed = self.change_in_tx(tx, actor, object, (id, as_left), &body, store::Cause::default())?;
                Ok((changed.version, changed.moved))
            }
            BulkAction::Delete => {
                let changed = self.restore_in_tx(tx, actor, object, (id, Some(version)))?;
                Ok((changed.version, changed.moved))
            }
            BulkAction::Restore => Ok((self.delete_in_tx(tx, actor, object, id, as_left)?.version, true)),
            BulkAction::Tag { tag } => self.bulk_one_in_tx(tx, actor, object, id, &BulkAction::Untag { tag: *tag }),
            BulkAction::Untag { tag } => self.bulk_one_in_tx(tx, actor, object, id, &BulkAction::Tag { tag: *tag }),
        }
    }
}
