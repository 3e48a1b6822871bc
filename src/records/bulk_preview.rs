//! What a bulk change would do, found out by doing it to the first records and taking it back at once: the same decisions
//! and the same errors as the change itself, and nothing that stays but the entry that somebody asked.

use crate::bulk::words;
use crate::{BulkAction, BulkRequest, CountMode, ListRequest, Pending, RecordView, Records};
use audit::Verb as Act;
use identity::Actor;
use kernel::{Code, Fault, RecordId, limits};
use metadata::ObjectDef;
use serde::Serialize;
use std::sync::Arc;
use store::{Refused, WriteTx};

/// Records that are tried.
const TRIED_MAX: usize = 200;
/// The same of deletes, which may take others along.
const DELETES_TRIED_MAX: usize = 20;
/// Records that are tried in one unit; between two of them others write.
const TRIED_TOGETHER: usize = 10;
/// Records shown as they are now.
const SAMPLE: usize = 10;
/// Ids told per reason.
const IDS_PER_REASON: usize = 5;

/// Why some records would be refused.
#[derive(Clone, Debug, Serialize)]
pub struct PreviewReason {
    /// The error.
    pub code: Code,
    /// The same in words.
    pub detail: String,
    /// How many of those tried.
    pub count: usize,
    /// The first of them.
    pub ids: Vec<RecordId>,
}

/// What a bulk change would do.
#[derive(Clone, Debug, Serialize)]
pub struct PreviewView {
    /// Records it is about.
    pub count: u64,
    /// How many of them were tried; the numbers below speak of these.
    pub tried: usize,
    /// Would be changed.
    pub change: usize,
    /// Are so already.
    pub same: usize,
    /// Would be refused.
    pub refused: usize,
    /// Why.
    pub reasons: Vec<PreviewReason>,
    /// The first records as they are now: title and the fields that would change.
    pub sample: Vec<RecordView>,
}

impl Records {
    /// What a bulk change would do.
    pub fn bulk_preview(&self, actor: &Arc<Actor>, object: &str, request: BulkRequest) -> Pending<PreviewView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::in_background(move || {
            records.bulk_allowed(&actor)?;
            let (ids, count) = records.first_targets(&actor, &definition, &request)?;
            let sample = records.sample(&actor, &definition, &request, &ids)?;
            let mut view =
                PreviewView { count, tried: ids.len(), change: 0, same: 0, refused: 0, reasons: Vec::new(), sample };
            for batch in ids.chunks(TRIED_TOGETHER) {
                let (who, object, writer) = (Arc::clone(&actor), Arc::clone(&definition), records.clone());
                let (batch, change) = (batch.to_vec(), request.change.clone());
                let tried = records.store.write(move |tx| {
                    let mut outcomes = Vec::with_capacity(batch.len());
                    for id in batch {
                        outcomes.push((id, writer.tried(tx, &who, &object, id, &change)?));
                    }
                    Ok(outcomes)
                });
                for (id, outcome) in tried.wait()? {
                    match outcome {
                        Ok(true) => view.change += 1,
                        Ok(false) => view.same += 1,
                        Err(fault) => view.refuse(id, &fault),
                    }
                }
            }
            let mut entry = records.store.entry(&actor, Act::Bulk).on_list(&definition.name, ids);
            "preview".clone_into(&mut entry.note);
            records.store.append(vec![entry]).wait()?;
            Ok(view)
        })
    }

    /// The first records of a request, and how many there are.
    fn first_targets(
        &self,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        request: &BulkRequest,
    ) -> Result<(Vec<RecordId>, u64), Fault> {
        let most = if matches!(request.change, BulkAction::Delete) { DELETES_TRIED_MAX } else { TRIED_MAX };
        if !request.selects() {
            let mut ids = self.targets(actor, object, request, limits::BULK_JOB_RECORDS_MAX)?;
            let count = u64::try_from(ids.len()).unwrap_or(u64::MAX);
            ids.truncate(most);
            return Ok((ids, count));
        }
        let page = ListRequest {
            filter: request.filter.clone(),
            q: request.q.clone(),
            fields: Some(Vec::new()),
            limit: Some(most),
            count: CountMode::Exact,
            deleted: matches!(request.change, BulkAction::Restore),
            ..ListRequest::default()
        };
        let page = self.list(actor, &object.name, page).wait()?.into_view();
        Ok((page.items.iter().map(|item| item.id).collect(), page.count.unwrap_or(0)))
    }

    fn sample(
        &self,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        request: &BulkRequest,
        ids: &[RecordId],
    ) -> Result<Vec<RecordView>, Fault> {
        let mut fields = vec![object.title_field.clone()];
        match &request.change {
            BulkAction::Update { fields: changed } => {
                fields.extend(changed.keys().filter(|name| object.field(name).is_some()).cloned());
            }
            BulkAction::Assign { .. } => fields.push("owner".to_owned()),
            BulkAction::Delete | BulkAction::Restore | BulkAction::Tag { .. } | BulkAction::Untag { .. } => {}
        }
        let mut sample = Vec::new();
        for id in ids.iter().take(SAMPLE) {
            match self.open(actor, &object.name, *id, Some(fields.clone())).wait() {
                Ok(shown) => sample.push(shown.into_view()),
                Err(fault) if fault.code == Code::RecordNotFound => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(sample)
    }

    /// Does it and takes it back; a refusal stays in the log. The outer error is the engine's.
    fn tried(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        id: RecordId,
        change: &BulkAction,
    ) -> Result<Result<bool, Fault>, Refused> {
        let mut outcome = Err(Refused::from(Fault::internal("a change was not tried")));
        let undone = tx.attempt(|tx| -> Result<(), Refused> {
            outcome = self.bulk_one_in_tx(tx, actor, object, id, change).map(|(_, moved)| moved);
            // Whatever it was, it does not stay.
            Err(Fault::new(Code::BadRequest, "only tried").into())
        })?;
        drop(undone);
        match outcome {
            Err(refused) if refused.fault.code == Code::Internal => Err(refused),
            Err(Refused { fault, entry }) => {
                if let Some(mut entry) = entry {
                    "preview".clone_into(&mut entry.note);
                    tx.log_entry(&entry)?;
                }
                Ok(Err(fault))
            }
            Ok(moved) => Ok(Ok(moved)),
        }
    }
}

impl PreviewView {
    fn refuse(&mut self, id: RecordId, fault: &Fault) {
        self.refused += 1;
        let detail = words(fault);
        let known = self.reasons.iter_mut().find(|reason| reason.code == fault.code && reason.detail == detail);
        match known {
            Some(reason) => {
                reason.count += 1;
                if reason.ids.len() < IDS_PER_REASON {
                    reason.ids.push(id);
                }
            }
            None => self.reasons.push(PreviewReason { code: fault.code, detail, count: 1, ids: vec![id] }),
        }
    }
}
