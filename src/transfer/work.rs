//! One batch of draft rows inside a unit of work: references resolved, records made or changed, links set. Decides nothing
//! about the run as a whole.

use crate::resolve::{Found, Resolver, definition, look_up};
use crate::{DraftRecord, DraftRow, OnExisting, ReferenceBy, RejectedRow};
use identity::Actor;
use kernel::{Code, Fault, RecordId};
use records::{CreateOptions, Records};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use std::sync::Arc;
use store::{Cause, Changed, Refused, WriteTx};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Created,
    Updated,
    Unchanged,
    Skipped,
}

/// What an import did to one record in one act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// Its object.
    pub object: String,
    /// The record.
    pub id: RecordId,
    /// The version before; 0 when it was made.
    pub before: i64,
    /// The version after.
    pub after: i64,
}

impl Touch {
    fn made(object: &str, id: RecordId) -> Self {
        Self { object: object.to_owned(), id, before: 0, after: 1 }
    }
    fn changed(object: &str, changed: Changed) -> Option<Self> {
        let (object, id, after) = (object.to_owned(), changed.id, changed.version);
        changed.moved.then_some(Self { object, id, before: after - 1, after })
    }
}

/// A reference to a later row.
#[derive(Clone, Serialize, Deserialize)]
pub struct Deferred {
    pub(crate) line: u64,
    pub(crate) record: RecordId,
    pub(crate) field: String,
    pub(crate) by: ReferenceBy,
    pub(crate) text: String,
    /// The row as it stood in the file; it can be read there again.
    #[serde(skip)]
    pub(crate) raw: csv::StringRecord,
}

/// What a batch did, handed back also when a dry run rolled it back.
#[derive(Default)]
pub(crate) struct BatchOutcome {
    pub(crate) fates: Vec<Result<Fate, RejectedRow>>,
    pub(crate) related: u64,
    pub(crate) touched: Vec<Touch>,
    pub(crate) deferred: Vec<Deferred>,
    /// What the log is told of refused rows; part of the unit, so a dry run tells it again.
    pub(crate) denied: Vec<audit::Entry>,
    pub(crate) resolver: Resolver,
}

impl BatchOutcome {
    /// Counts a record that a reference brought along.
    fn found(&mut self, found: &Found) {
        if found.made {
            self.related += 1;
            self.touched.push(Touch::made(&found.object, found.id));
        }
    }
}

/// What one batch needs.
pub(crate) struct Work<'a> {
    pub(crate) records: &'a Records,
    pub(crate) actor: &'a Arc<Actor>,
    pub(crate) cause: &'a Cause,
    pub(crate) object: &'a str,
}

impl Work<'_> {
    pub(crate) fn batch(
        &self,
        tx: &mut WriteTx<'_, '_>,
        rows: Vec<DraftRow>,
        resolver: Resolver,
        careful: bool,
    ) -> Result<BatchOutcome, Refused> {
        let mut outcome = BatchOutcome { resolver, ..BatchOutcome::default() };
        self.foresee(tx, &rows, &outcome.resolver)?;
        for row in rows {
            if !careful {
                // A refusal is told in the log when the rows are done again one by one.
                let fate = self.row(tx, &row, &mut outcome).map_err(|refused| refused.fault)?;
                outcome.fates.push(Ok(fate));
                continue;
            }
            let before = (outcome.resolver.mark(), outcome.deferred.len(), outcome.related, outcome.touched.len());
            let attempt = tx.attempt(|tx| self.row(tx, &row, &mut outcome))?;
            match attempt {
                Ok(fate) => outcome.fates.push(Ok(fate)),
                Err(Refused { fault, entry }) => {
                    if let Some(entry) = entry {
                        tx.log_entry(&entry)?;
                        outcome.denied.push(*entry);
                    }
                    outcome.resolver.back_to(before.0);
                    outcome.deferred.truncate(before.1);
                    outcome.related = before.2;
                    outcome.touched.truncate(before.3);
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
                    outcome.found(&found);
                    body.insert(reference.field.clone(), pointer(&object, &reference.field, &found.object, found.id));
                }
                None if reference.objects.iter().any(|name| name == self.object) && draft.object == self.object => {
                    later.push(reference)
                }
                None => return Err(not_found(&reference.field).into()),
            }
        }
        let (id, fate) = match existing {
            None => {
                let id = self.create(tx, draft, &body)?;
                outcome.touched.push(Touch::made(&draft.object, id));
                (id, Fate::Created)
            }
            Some(id) => match draft.on_existing {
                OnExisting::Skip => (id, Fate::Skipped),
                OnExisting::Reject => {
                    return Err(Fault::new(Code::ValueNotUnique, "The record is there already.").into());
                }
                OnExisting::Update => {
                    let changed = self.records.upsert_in_tx(tx, self.actor, &object, id, &body, self.cause.clone())?;
                    outcome.touched.extend(Touch::changed(&draft.object, changed));
                    (id, if changed.moved { Fate::Updated } else { Fate::Unchanged })
                }
            },
        };
        for link in &draft.links {
            let wanted = (link.objects.as_slice(), &link.by, link.text.as_str(), &link.create_missing);
            let found = outcome.resolver.find(self.records, tx, self.actor, wanted, self.cause)?;
            let found = found.ok_or_else(|| not_found(&link.relation))?;
            outcome.found(&found);
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
        let options = CreateOptions {
            cause: self.cause.clone(),
            external_id: draft.external_id.clone(),
            ..CreateOptions::default()
        };
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
            let by = ReferenceBy::Field(field.clone());
            if let Some(id) = look_up(self.records, tx, self.actor, (&object, &by, text))? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Sets a reference that named a later row; hands back the row when there is none even now.
    pub(crate) fn deferred(
        &self,
        tx: &mut WriteTx<'_, '_>,
        one: Deferred,
    ) -> Result<Result<Option<Touch>, RejectedRow>, Refused> {
        let object = definition(self.records, self.object)?;
        let attempt = tx.attempt(|tx| {
            let found = look_up(self.records, tx, self.actor, (&object, &one.by, one.text.as_str()))?;
            let found = found.ok_or_else(|| not_found(&one.field))?;
            let body = Map::from_iter([(one.field.clone(), pointer(&object, &one.field, self.object, found))]);
            self.records.upsert_in_tx(tx, self.actor, &object, one.record, &body, self.cause.clone())
        })?;
        if let Err(Refused { entry: Some(entry), .. }) = &attempt {
            tx.log_entry(entry)?;
        }
        Ok(attempt.map(|changed| Touch::changed(self.object, changed)).map_err(|refused| RejectedRow {
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
