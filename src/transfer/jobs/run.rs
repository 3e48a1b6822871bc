//! A run on a thread of its own. Each step is kept in the transaction of its rows: what they made, what was not taken and how
//! far the file was read. After a stop the next run begins behind the last step.

use super::{Import, ImportProblem, ImportState, ImportView, Imports, busy, view::RejectedLine};
use crate::work::Deferred;
use crate::{Go, ImportJob, ImportReport, Ledger, Rejects, Resume, Step, Touch, run};
use identity::Actor;
use kernel::{Code, Fault, Id, Outcome, RecordId, limits};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use store::{Refused, WriteTx};

/// One step as it is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptStep {
    pub(super) touched: Vec<Touch>,
    pub(super) rejected: Vec<RejectedLine>,
    pub(super) deferred: Vec<Deferred>,
    /// Whether it belongs to the references that were set after the last row.
    pub(super) late: bool,
}

/// Keeps the steps of one run.
struct Steps {
    id: RecordId,
    next: AtomicI64,
}

impl Ledger for Steps {
    fn keep(&self, tx: &mut WriteTx<'_, '_>, step: &Step<'_>) -> Result<(), Refused> {
        let rejected =
            step.rejected.iter().map(|row| RejectedLine { line: row.line, code: row.code, reason: row.reason.clone() });
        let kept = KeptStep {
            touched: step.touched.to_vec(),
            rejected: rejected.collect(),
            deferred: step.deferred.to_vec(),
            late: step.late,
        };
        let body = serde_json::to_vec(&kept).map_err(Fault::internal)?;
        let progress = serde_json::to_string(step.report).map_err(Fault::internal)?;
        // A batch that is tried again after a failed row has the same number: the first attempt was taken back whole.
        tx.import_step(self.id, self.next.load(Ordering::Relaxed), &body)?;
        tx.import_beat(self.id, &progress)?;
        Ok(())
    }
    fn kept(&self) {
        self.next.fetch_add(1, Ordering::Relaxed);
    }
}

impl Imports {
    /// Begins a run or a dry run, or goes on with one.
    pub fn start(&self, actor: &Arc<Actor>, id: RecordId, dry_run: bool, resume: bool) -> Outcome<ImportView> {
        self.may(actor)?;
        let import = self.found(actor, id)?;
        if resume != self.view(&import, false)?.can_resume {
            let detail =
                if resume { "This import has nothing to go on with." } else { "This import has begun already." };
            return Err(Fault::new(Code::JobBusy, detail));
        }
        if !resume {
            self.must_be_open(&import)?;
        }
        if import.body.mapping.is_none() || import.body.problem.is_some() && !resume {
            return Err(Fault::new(Code::ImportMapping, "First say which object and columns are meant."));
        }
        let state = if dry_run { ImportState::Checking } else { ImportState::Running };
        let import = self.taken(actor, id, state, import.kept.state)?;
        let view = self.view(&import, true)?;
        let (imports, actor) = (self.clone(), Arc::clone(actor));
        let work = move || imports.work(&actor, import, dry_run);
        std::thread::Builder::new().name("import".to_owned()).spawn(work).map_err(Fault::internal)?;
        Ok(view)
    }

    /// Marks an import as being at work here. It must still be as it was found, and no other of its user may be at work.
    pub(super) fn taken(&self, actor: &Arc<Actor>, id: RecordId, state: ImportState, found: String) -> Outcome<Import> {
        let (imports, user) = (self.clone(), actor.user());
        let boot = Id::from_bytes(*self.store.boot().as_bytes());
        let written = self.store.write(move |tx| {
            let mut working = 0;
            for other in tx.read().imports(user)? {
                working += usize::from(imports.state(&Import::open(other)?).is_working());
            }
            if working >= limits::IMPORTS_PARALLEL_MAX {
                let detail =
                    format!("At most {} imports at a time (IMPORTS_PARALLEL_MAX).", limits::IMPORTS_PARALLEL_MAX);
                return Err(Fault::new(Code::JobBusy, detail).into());
            }
            let mut import = Import::open(tx.read().import(user, id)?.ok_or_else(super::unknown)?)?;
            if import.kept.state != found {
                return Err(busy().into());
            }
            state.name().clone_into(&mut import.kept.state);
            import.kept.wanted.clear();
            import.kept.boot = boot;
            import.kept.finished_at = None;
            import.body.problem = None;
            if state == ImportState::Running && import.kept.progress.is_empty() {
                // Those of the dry run told what would happen; now it happens.
                import.body.first_errors.clear();
            }
            let kept = import.sealed()?;
            tx.import_write(&kept)?;
            Ok(kept)
        });
        Import::open(written.wait()?)
    }

    pub(super) fn steps(&self, id: RecordId) -> Outcome<Vec<KeptStep>> {
        let steps = self.store.read(move |tx| tx.import_steps(id)).wait()?;
        steps.iter().map(|step| serde_json::from_slice(step).map_err(Fault::internal)).collect()
    }

    /// The whole run; whatever becomes of it is written down.
    fn work(&self, actor: &Arc<Actor>, import: Import, dry_run: bool) {
        let id = import.kept.id;
        let ended = self.rows(actor, import, dry_run);
        let written = self.settle(actor, id, dry_run, ended);
        if let Err(fault) = written {
            // The store is closing, or cannot write: the import then counts as interrupted.
            tracing::warn!(import = %id, code = fault.code.as_str(), "an import was interrupted");
        }
    }

    fn rows(&self, actor: &Arc<Actor>, import: Import, dry_run: bool) -> Outcome<Ended> {
        let (id, user, size) = (import.kept.id, actor.user(), import.body.size);
        let steps = if dry_run { Vec::new() } else { self.steps(id)? };
        let ledger = Steps { id, next: AtomicI64::new(i64::try_from(steps.len()).unwrap_or(i64::MAX)) };
        let mut resume = None;
        if !dry_run && !steps.is_empty() {
            let deferred = steps.into_iter().flat_map(|step| step.deferred).collect();
            resume = Some(Resume { report: import.progress()?, deferred });
        }
        let job = ImportJob {
            input: self.input(id, size),
            object: import.body.object.clone().unwrap_or_default(),
            mapping: import.body.mapping.clone(),
            dry_run,
            rejects: Rejects::Kept { first: limits::IMPORT_ERRORS_SHOWN },
            job: id.to_string(),
            is_sample: false,
            ledger: (!dry_run).then(|| Arc::new(ledger) as Arc<dyn Ledger>),
            resume,
        };
        let mut asked = None;
        let store = Arc::clone(&self.store);
        let outcome = run(&self.records, actor, job, &mut |progress| {
            let report = serde_json::to_string(progress.report).unwrap_or_default();
            let looked = store.write(move |tx| {
                if dry_run {
                    tx.import_beat(id, &report)?;
                }
                Ok(tx.read().import(user, id)?.map(|kept| kept.wanted))
            });
            match looked.wait() {
                Ok(Some(wanted)) if wanted.is_empty() => Go::On,
                Ok(wanted) => {
                    asked = wanted.or_else(|| Some("cancel".to_owned()));
                    Go::Stop
                }
                // The next batch will meet the same error, and tell it.
                Err(_) => Go::On,
            }
        });
        let outcome = outcome?;
        Ok(Ended { report: outcome, asked })
    }

    fn settle(&self, actor: &Arc<Actor>, id: RecordId, dry_run: bool, ended: Outcome<Ended>) -> Outcome<()> {
        let now = self.store.clock().now();
        self.changed(actor, id, move |import| {
            let mut state = if dry_run { ImportState::Checked } else { ImportState::Done };
            match ended {
                Ok(Ended { mut report, asked }) => {
                    state = match asked.as_deref() {
                        None => state,
                        Some(_) if dry_run => ImportState::New,
                        Some("pause") => ImportState::Paused,
                        Some(_) => ImportState::Cancelled,
                    };
                    if dry_run {
                        import.body.first_errors.clear();
                    }
                    let room = limits::IMPORT_ERRORS_SHOWN.saturating_sub(import.body.first_errors.len());
                    import.body.first_errors.extend(lines(std::mem::take(&mut report.first_rejected)).take(room));
                    report.detection = None;
                    if dry_run {
                        import.kept.progress.clear();
                        import.body.dry_run = Some(report).filter(|_| state == ImportState::Checked);
                    } else {
                        import.kept.progress = serde_json::to_string(&report).map_err(Fault::internal)?;
                    }
                }
                Err(fault) => {
                    state = if dry_run { ImportState::New } else { ImportState::Stopped };
                    import.body.problem = Some(ImportProblem { code: fault.code, detail: fault.detail });
                    if dry_run {
                        import.kept.progress.clear();
                    }
                }
            }
            import.kept.wanted.clear();
            state.name().clone_into(&mut import.kept.state);
            import.kept.finished_at = Some(now).filter(|_| matches!(state, ImportState::Done | ImportState::Cancelled));
            Ok(())
        })?;
        Ok(())
    }
}

/// How a run ended, and what its user had asked for meanwhile.
struct Ended {
    report: ImportReport,
    asked: Option<String>,
}

fn lines(rows: Vec<crate::RejectedRow>) -> impl Iterator<Item = RejectedLine> {
    rows.into_iter().map(|row| RejectedLine { line: row.line, code: row.code, reason: row.reason })
}
