//! Many records in one call: each on the single-record road with its own decision, entry and result. One row's failure
//! leaves the others as they are.

use crate::change::Expect;
use crate::{BulkAction, BulkOutcome, BulkRequest, BulkRow, BulkView, ListRequest, Pending, Records, Retry};
use audit::Verb as Act;
use authz::AppAction;
use identity::Actor;
use kernel::{Code, Fault, RecordId, limits};
use metadata::ObjectDef;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;
use store::{Cause, Refused, Remembered, Ticket, WriteTx};

impl Records {
    /// Does one thing to many records. A request that is sent again gets the first answer, and changes nothing.
    pub fn bulk(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        request: BulkRequest,
        retry: Option<Retry>,
    ) -> Pending<BulkView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::in_background(move || {
            records.bulk_allowed(&actor)?;
            let Some(retry) = retry else { return records.bulk_now(&actor, &definition, &request) };
            if let Some(view) = records.bulk_repeated(&actor, &definition, &retry)? {
                return Ok(view);
            }
            let view = records.bulk_now(&actor, &definition, &request)?;
            records.bulk_remembered(&actor, retry, view)
        })
    }

    pub(crate) fn bulk_allowed(&self, actor: &Actor) -> Result<(), Fault> {
        let Err(denied) = self.policy().act(actor, AppAction::Bulk) else { return Ok(()) };
        let refused = self.denial(actor, Act::Bulk, denied, None);
        if let Some(entry) = refused.entry {
            self.store.append(vec![*entry]).wait()?;
        }
        Err(refused.fault)
    }

    /// The first answer to the same request; the log says that it was given again.
    fn bulk_repeated(&self, actor: &Arc<Actor>, object: &ObjectDef, retry: &Retry) -> Result<Option<BulkView>, Fault> {
        let (user, key) = (actor.user(), retry.key.clone());
        let first = self.store.read(move |tx| tx.remembered(user, &key)).wait()?;
        let Some(body) = first.map(|first| retry.answer_of(first)).transpose()? else { return Ok(None) };
        let view: BulkView = serde_json::from_slice(&body).map_err(Fault::internal)?;
        let ids = view.rows.iter().map(|row| row.id).collect();
        let mut entry = self.store.entry(actor, Act::Bulk).on_list(&object.name, ids);
        "the first answer again".clone_into(&mut entry.note);
        self.store.append(vec![entry]).wait()?;
        Ok(Some(view))
    }

    /// Keeps the answer. Of two equal requests at the same time both have done the same, and the answer of the one that
    /// was ready first holds for both.
    fn bulk_remembered(&self, actor: &Arc<Actor>, retry: Retry, view: BulkView) -> Result<BulkView, Fault> {
        let user = actor.user();
        let kept = self.store.write(move |tx| {
            if let Some(first) = tx.read().remembered(user, &retry.key)? {
                let body = retry.answer_of(first)?;
                return Ok(serde_json::from_slice(&body).map_err(Fault::internal)?);
            }
            let body = serde_json::to_vec(&view).map_err(Fault::internal)?;
            tx.remember(user, &retry.key, &Remembered { request: retry.request.to_vec(), status: 200, body })?;
            Ok(view)
        });
        kept.wait()
    }

    fn bulk_now(&self, actor: &Arc<Actor>, object: &Arc<ObjectDef>, request: &BulkRequest) -> Result<BulkView, Fault> {
        let ids = self.targets(actor, object, request, limits::BULK_RECORDS_MAX)?;
        self.log_bulk(actor, object, &ids)?;
        let tickets: Vec<(RecordId, Ticket<(i64, bool)>)> =
            ids.into_iter().map(|id| (id, self.bulk_one(actor, object, id, &request.change))).collect();
        let mut view = BulkView { done: 0, failed: 0, rows: Vec::with_capacity(tickets.len()) };
        for (id, ticket) in tickets {
            let row = match ticket.wait() {
                Ok((version, moved)) => {
                    view.done += usize::from(moved);
                    let outcome = if moved { BulkOutcome::Done } else { BulkOutcome::Same };
                    BulkRow { id, outcome, version: Some(version), code: None, detail: None }
                }
                Err(fault) => {
                    view.failed += 1;
                    let (code, detail) = (Some(fault.code), Some(words(&fault)));
                    BulkRow { id, outcome: BulkOutcome::Failed, version: None, code, detail }
                }
            };
            view.rows.push(row);
        }
        Ok(view)
    }

    /// The records of a request, at most so many.
    pub(crate) fn targets(
        &self,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        request: &BulkRequest,
        most: usize,
    ) -> Result<Vec<RecordId>, Fault> {
        let too_many = || {
            let name = if most == limits::BULK_RECORDS_MAX { "BULK_RECORDS_MAX" } else { "BULK_JOB_RECORDS_MAX" };
            Fault::new(Code::LimitExceeded, format!("At most {most} records in one call ({name})."))
        };
        if !request.selects() {
            let mut ids = request.ids.clone();
            let mut seen = std::collections::HashSet::new();
            ids.retain(|id| seen.insert(*id));
            return if ids.len() > most {
                Err(too_many())
            } else if ids.is_empty() {
                Err(Fault::new(Code::ParameterInvalid, "Name records in ids, or a filter."))
            } else {
                Ok(ids)
            };
        }
        if !request.ids.is_empty() {
            return Err(Fault::new(Code::ParameterInvalid, "Name either ids or a filter, not both."));
        }
        let mut ids = Vec::new();
        let mut cursor = None;
        loop {
            let page = ListRequest {
                filter: request.filter.clone(),
                q: request.q.clone(),
                fields: Some(Vec::new()),
                limit: Some(limits::PAGE_ROWS_MAX),
                cursor,
                deleted: matches!(request.change, BulkAction::Restore),
                ..ListRequest::default()
            };
            let page = self.list(actor, &object.name, page).wait()?.into_view();
            ids.extend(page.items.iter().map(|item| item.id));
            if ids.len() > most {
                return Err(too_many());
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(ids);
            }
        }
    }

    fn log_bulk(&self, actor: &Actor, object: &ObjectDef, ids: &[RecordId]) -> Result<(), Fault> {
        let entry = self.store.entry(actor, Act::Bulk).on_list(&object.name, ids.to_vec());
        self.store.append(vec![entry]).wait()
    }

    fn bulk_one(
        &self,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        id: RecordId,
        change: &BulkAction,
    ) -> Ticket<(i64, bool)> {
        let (records, actor, object, change) = (self.clone(), Arc::clone(actor), Arc::clone(object), change.clone());
        self.store.write(move |tx| records.bulk_one_in_tx(tx, &actor, &object, id, &change))
    }

    pub(crate) fn bulk_one_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        id: RecordId,
        change: &BulkAction,
    ) -> Result<(i64, bool), Refused> {
        let update = |tx: &mut WriteTx<'_, '_>, body: &Map<String, Json>| {
            let changed = self.change_in_tx(tx, actor, object, (id, Expect::Current), body, Cause::default())?;
            Ok((changed.version, changed.moved))
        };
        match change {
            BulkAction::Update { fields } => update(tx, fields),
            BulkAction::Assign { owner } => update(tx, &Map::from_iter([("owner".to_owned(), json!(owner))])),
            BulkAction::Delete => {
                let deleted = self.delete_in_tx(tx, actor, object, id, Expect::Current)?;
                Ok((deleted.version, true))
            }
            BulkAction::Restore => {
                let changed = self.restore_in_tx(tx, actor, object, (id, None))?;
                Ok((changed.version, changed.moved))
            }
            BulkAction::Tag { tag } | BulkAction::Untag { tag } => {
                let relation = self.tags(object)?;
                let moved = if matches!(change, BulkAction::Tag { .. }) {
                    self.link_in_tx(tx, actor, object, id, &relation, (*tag, None))?
                } else {
                    self.unlink_in_tx(tx, actor, object, id, &relation, *tag)?
                };
                let row = tx.read().row(object, id, &[])?;
                Ok((row.map_or(0, |row| row.version()), moved))
            }
        }
    }
}

/// The detail, and of a value error also which field it is about.
pub(crate) fn words(fault: &Fault) -> String {
    match fault.items.as_slice() {
        [] => fault.detail.clone(),
        items => items.iter().map(|item| format!("{}: {}", item.pointer, item.detail)).collect::<Vec<_>>().join(" "),
    }
}
