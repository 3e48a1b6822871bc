//! Taking an import back: what it made goes into the bin, what it changed gets its old values from the history, each only where
//! nobody has touched the record since, and each with the right to do so. What stays is told, with the reason.

use super::{Import, ImportFailure, ImportState, ImportView, Imports, UndoView};
use authz::AppAction;
use identity::Actor;
use kernel::{Code, Fault, Outcome, RecordId};
use std::collections::HashMap;
use std::sync::Arc;

/// Failures that are told one by one.
const FAILURES_SHOWN: usize = 200;
/// Records between two signs of life.
const BEAT_EVERY: usize = 100;

/// What an import did to one record, over all its steps.
struct Record {
    object: String,
    id: RecordId,
    /// The version before; 0 when the import made it.
    before: i64,
    after: i64,
}

impl Imports {
    /// Begins to take an import back.
    pub fn undo(&self, actor: &Arc<Actor>, id: RecordId) -> Outcome<ImportView> {
        self.may(actor)?;
        let import = self.found(actor, id)?;
        if !self.view(&import, false)?.can_undo {
            let detail = "There is nothing to take back, it is still at work, or it was taken back already.";
            return Err(Fault::new(Code::UndoRefused, detail));
        }
        let import = self.taken(actor, id, ImportState::Undoing, import.kept.state)?;
        let view = self.view(&import, true)?;
        let (imports, actor) = (self.clone(), Arc::clone(actor));
        let work = move || {
            if let Err(fault) = imports.take_back(&actor, id) {
                tracing::warn!(import = %id, code = fault.code.as_str(), "taking an import back was interrupted");
            }
        };
        std::thread::Builder::new().name("import undo".to_owned()).spawn(work).map_err(Fault::internal)?;
        Ok(view)
    }

    /// Every record that the import touched, in the order in which it first did.
    fn touched(&self, id: RecordId) -> Outcome<Vec<Record>> {
        let mut all: Vec<Record> = Vec::new();
        let mut places: HashMap<RecordId, usize> = HashMap::new();
        for touch in self.steps(id)?.into_iter().flat_map(|step| step.touched) {
            let known = places.get(&touch.id).and_then(|place| all.get_mut(*place));
            match known {
                Some(record) => record.after = touch.after,
                None => {
                    places.insert(touch.id, all.len());
                    let (object, id) = (touch.object, touch.id);
                    all.push(Record { object, id, before: touch.before, after: touch.after });
                }
            }
        }
        Ok(all)
    }

    fn take_back(&self, actor: &Arc<Actor>, id: RecordId) -> Outcome<()> {
        let mut actor = Arc::clone(actor);
        self.records.note(&actor, audit::Verb::Import, &format!("undo of import {id} begin")).wait()?;
        let all = self.touched(id)?;
        let mut view = UndoView { total: u64::try_from(all.len()).unwrap_or(u64::MAX), ..UndoView::default() };
        // Changed records first: putting a new one into the bin may clear references to it.
        let changed = all.iter().filter(|record| record.before > 0);
        let made: Vec<&Record> = all.iter().filter(|record| record.before == 0).rev().collect();
        let as_left = self.as_left(&made)?;
        for (at, record) in changed.chain(made).enumerate() {
            if at.is_multiple_of(BEAT_EVERY) {
                // The rights of now: taking back may outlive the request that began it.
                let asked = (AppAction::Import, audit::Verb::Import);
                actor = self.records.still_acts(&actor, asked, &format!("undo of import {id}"))?;
                self.undo_noted(&actor, id, view.clone(), false)?;
            }
            let intact = record.before > 0 || as_left.get(&record.id) == Some(&record.after);
            let outcome = if intact { self.one(&actor, record) } else { Err(records::changed_since()) };
            match outcome {
                Ok(()) if record.before > 0 => view.restored += 1,
                Ok(()) => view.removed += 1,
                Err(fault) if matches!(fault.code, Code::AuditUnavailable | Code::Sealed) => return Err(fault),
                Err(fault) => {
                    view.failed += 1;
                    if view.failures.len() < FAILURES_SHOWN {
                        let (object, id) = (record.object.clone(), record.id);
                        view.failures.push(ImportFailure { object, id, code: fault.code, detail: fault.detail });
                    }
                }
            }
        }
        let told = format!(
            "undo of import {id} end: removed {} restored {} left {}",
            view.removed, view.restored, view.failed
        );
        self.undo_noted(&actor, id, view, true)?;
        self.records.note(&actor, audit::Verb::Import, &told).wait()
    }

    /// The versions of new records before any of them goes: one that goes may touch another that points to it.
    fn as_left(&self, made: &[&Record]) -> Outcome<HashMap<RecordId, i64>> {
        let mut by_object: HashMap<String, Vec<RecordId>> = HashMap::new();
        for record in made {
            by_object.entry(record.object.clone()).or_default().push(record.id);
        }
        let mut versions = HashMap::new();
        for (object, ids) in by_object {
            let Some(definition) = self.records.catalog().object(&object).cloned() else { continue };
            let rows = self.store.read(move |tx| {
                let rows = tx.rows_bare(&definition, &ids)?;
                Ok(rows.iter().filter(|row| !row.deleted()).map(|row| (row.id(), row.version())).collect::<Vec<_>>())
            });
            versions.extend(rows.wait()?);
        }
        Ok(versions)
    }

    fn one(&self, actor: &Arc<Actor>, record: &Record) -> Outcome<()> {
        let (records, actor) = (self.records.clone(), Arc::clone(actor));
        let definition = self.records.catalog().object(&record.object).cloned();
        let definition = definition.ok_or_else(|| Fault::new(Code::ObjectUnknown, "The object is gone."))?;
        let (id, before, after) = (record.id, record.before, record.after);
        self.store.write(move |tx| records.take_back_in_tx(tx, &actor, &definition, (id, before, after))).wait()
    }

    fn undo_noted(&self, actor: &Arc<Actor>, id: RecordId, view: UndoView, ended: bool) -> Outcome<()> {
        let now = self.store.clock().now();
        self.changed(actor, id, move |import: &mut Import| {
            import.body.undo = Some(view);
            if ended {
                ImportState::Undone.name().clone_into(&mut import.kept.state);
                import.kept.finished_at = Some(now);
            }
            Ok(())
        })?;
        Ok(())
    }
}
