//! Merging records of one object: the survivor takes chosen values and everything that belongs to the others, which go into the
//! bin with a way from their old address. One unit of work; what it takes from each right is asked like everywhere else, and
//! what merely follows the survivor is moved by the appliance, as it is when a record is deleted. Never taken back as a whole.

mod files;
mod follow;

use crate::change::Expect;
use crate::{Pending, Records};
use audit::Verb as Act;
use authz::{Delete, Grant, Level, Read, Update};
use identity::Actor;
use kernel::{Code, Fault, RecordId, limits};
use metadata::{Checked, Mode, ObjectDef, ObjectKind, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Cause, ReadTx, Refused, StoredRow, WriteTx};

/// A record that goes into another.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MergeLoser {
    /// The record.
    pub id: RecordId,
    /// The version that was looked at.
    pub version: i64,
}

/// What becomes one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MergeRequest {
    /// The records that go into the survivor.
    pub losers: Vec<MergeLoser>,
    /// Fields whose value comes from one of them, and from which. All others keep the survivor's.
    #[serde(default)]
    pub fields: BTreeMap<String, RecordId>,
}

/// Records that follow the survivor: by a reference field of theirs, or by a relation.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct MovedView {
    /// Their object.
    pub object: String,
    /// The reference field of that object, or the relation of the merged one.
    pub by: String,
    /// How many, as far as the one who merges sees them.
    pub count: usize,
}

/// What a merge did, or would do.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct MergeView {
    /// Whether it was done.
    pub applied: bool,
    /// The survivor.
    pub id: RecordId,
    /// Its version now.
    pub version: i64,
    /// Fields that took another record's value.
    pub changed: Vec<String>,
    /// Fields of which another record has a value that may not be read, so that the survivor's stays.
    pub kept: Vec<String>,
    /// Whether the object has fields that one does not see at all; of these too the survivor's values stay.
    pub unseen: bool,
    /// What follows the survivor.
    pub moved: Vec<MovedView>,
    /// Files that follow it, as far as one sees the files of the records.
    pub files: usize,
}

/// One record of a merge, read whole, with what its reader may see.
struct Side<'a> {
    row: StoredRow,
    read: Grant<'a, Read>,
}

/// What is asked, and by whom.
struct Merge<'m> {
    actor: &'m Arc<Actor>,
    system: &'m Arc<Actor>,
    object: &'m Arc<ObjectDef>,
    id: RecordId,
    request: &'m MergeRequest,
}

impl Merge<'_> {
    /// What the appliance does in consequence says on whose behalf.
    fn cause(&self) -> Cause {
        Cause { on_behalf_of: Some(self.actor.user()), ..Cause::default() }
    }
    fn losers(&self) -> Vec<RecordId> {
        self.request.losers.iter().map(|loser| loser.id).collect()
    }
}

pub(crate) fn refused(detail: impl Into<String>) -> Fault {
    Fault::new(Code::MergeRefused, detail)
}

impl Records {
    /// What a merge would do: it is done and taken back.
    pub fn merge_plan(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        (id, if_match): (RecordId, Option<i64>),
        request: MergeRequest,
    ) -> Pending<MergeView> {
        let definition = match self.mergeable(object, id, &request) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(self.store.write(move |tx| {
            let mut outcome = Err(Refused::from(Fault::internal("a merge was not tried")));
            let undone = tx.attempt(|tx| -> Result<(), Refused> {
                let system = Arc::new(records.system_actor(&actor)?);
                let merge = Merge { actor: &actor, system: &system, object: &definition, id, request: &request };
                outcome = records.merge_in_tx(tx, &merge, if_match, None);
                // Whatever it was, it does not stay.
                Err(Fault::new(Code::BadRequest, "only tried").into())
            })?;
            drop(undone);
            let view = outcome?;
            let mut entry = tx.entry(&actor, Act::Read).on_record(&definition.name, id);
            "merge preview".clone_into(&mut entry.note);
            tx.log_entry(&entry)?;
            Ok(MergeView { applied: false, ..view })
        }))
    }

    /// Makes several records one.
    pub fn merge(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        (id, if_match): (RecordId, Option<i64>),
        request: MergeRequest,
    ) -> Pending<MergeView> {
        let definition = match self.mergeable(object, id, &request) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::in_background(move || {
            // Files are sealed anew for the survivor before the merge, and only if it would be done at all.
            records.merge_plan(&actor, &definition.name, (id, if_match), request.clone()).wait()?;
            let copies = records.files_copied(&actor, &definition, id, &request)?;
            let (kept, worker) = (copies.made(), records.clone());
            let merged = records.store.write(move |tx| {
                let system = Arc::new(worker.system_actor(&actor)?);
                let merge = Merge { actor: &actor, system: &system, object: &definition, id, request: &request };
                worker.merge_in_tx(tx, &merge, if_match, Some(&copies))
            });
            merged.wait().inspect_err(|fault| {
                // Of a commit that may have been made, the files stay: the next start knows whether a row names them.
                if fault.code != Code::Unavailable {
                    kept.into_iter().for_each(|file| records.store.file_forget(file));
                }
            })
        })
    }

    fn mergeable(&self, object: &str, id: RecordId, request: &MergeRequest) -> Result<Arc<ObjectDef>, Fault> {
        let definition = self.definition(object)?;
        if definition.kind == ObjectKind::Organisation {
            return Err(refused("Users, units and teams are not merged: sign-ins and rights hang on each of them."));
        }
        let most = limits::MERGE_LOSERS_MAX;
        if request.losers.is_empty() || request.losers.len() > most {
            let detail = format!("Name 1 to {most} records that go into this one (MERGE_LOSERS_MAX).");
            return Err(Fault::new(Code::LimitExceeded, detail));
        }
        let mut seen = vec![id];
        for (at, loser) in request.losers.iter().enumerate() {
            if seen.contains(&loser.id) {
                let detail = "Each record is named once, and the one that stays is not among them.";
                let fault = Fault::invalid(Vec::new());
                return Err(fault.with_item(format!("/losers/{at}/id"), Code::ValueNotUnique, detail));
            }
            seen.push(loser.id);
        }
        for (name, from) in &request.fields {
            if !seen.contains(from) {
                let detail = "The value comes from none of the records that are merged.";
                let fault = Fault::invalid(Vec::new());
                return Err(fault.with_item(format!("/fields/{name}"), Code::ReferenceUnknown, detail));
            }
        }
        Ok(definition)
    }

    fn merge_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        merge: &Merge<'_>,
        if_match: Option<i64>,
        copies: Option<&files::Copies>,
    ) -> Result<MergeView, Refused> {
        let (actor, object, id) = (merge.actor, merge.object, merge.id);
        let policy = tx.policy();
        let denial = |denied, id| self.denial(actor, Act::Merge, denied, Some(id));
        let (row, read) = self.row_to_change(tx, actor, object, id, Act::Merge)?;
        let stays = policy.grant::<Update>(actor, object, row.facts()).map_err(|denied| denial(denied, id))?;
        Expect::Version(if_match).check(tx, &read, &row, None)?;
        let survivor = Side { row, read };
        let (mut losers, mut deletes) = (Vec::new(), Vec::new());
        for loser in &merge.request.losers {
            let (row, read) = self.row_to_change(tx, actor, object, loser.id, Act::Merge)?;
            deletes
                .push(policy.grant::<Delete>(actor, object, row.facts()).map_err(|denied| denial(denied, loser.id))?);
            Expect::Version(Some(loser.version)).check(tx, &read, &row, None)?;
            losers.push(Side { row, read });
        }
        let body = self.chosen_values(tx, merge, &losers)?;
        let (kept, unseen) = unread(tx.read(), object, &survivor, &losers);
        let moved = self.follow_survivor(tx, merge, &losers)?;
        let files = self.files_follow(tx, merge, (&survivor, &losers), copies)?;
        for (loser, delete) in losers.iter().zip(deletes) {
            self.leave(tx, merge, loser.row.id(), delete)?;
        }
        if !body.is_empty() {
            self.change_in_tx(tx, actor, object, (id, Expect::Current), &body, Cause::default())?;
        }
        let note = format!("{} records moved, {} fields taken", moved.total, body.len());
        tx.merge_mark(&stays, &merge.losers(), &note)?;
        let version = tx.read().row(object, id, &[])?.map_or(0, |row| row.version());
        let changed = body.into_iter().map(|(name, _)| name).collect();
        Ok(MergeView { applied: true, id, version, changed, kept, unseen, moved: moved.views, files })
    }

    /// The values that come from others, in wire form: only such as may be read there.
    fn chosen_values(
        &self,
        tx: &mut WriteTx<'_, '_>,
        merge: &Merge<'_>,
        losers: &[Side<'_>],
    ) -> Result<Map<String, Json>, Refused> {
        let object = merge.object;
        let mut body = Map::new();
        for (name, from) in &merge.request.fields {
            let at = crate::fields::position(object, name, name)?;
            let Some(side) = losers.iter().find(|side| side.row.id() == *from) else { continue };
            let Some(field) = object.fields.get(at) else { continue };
            if side.read.levels().get(at) < Level::Read {
                let detail = format!("You cannot read {name} of that record, so its value cannot be taken over.");
                let fault = Fault::new(Code::FieldDenied, detail);
                return Err(self.field_denied(merge.actor, Act::Merge, &object.name, fault));
            }
            let value = tx.read().value(&side.read, &side.row, at)?.unwrap_or(Value::Null);
            let leads_back =
                matches!(&value, Value::Reference { id, .. } if *id == merge.id || merge.losers().contains(id));
            if leads_back {
                let detail = "The record that stays would point to itself; keep its own value.";
                let fault = Fault::invalid(Vec::new());
                return Err(fault.with_item(format!("/fields/{name}"), Code::ReferenceUnknown, detail).into());
            }
            body.insert(name.clone(), value.to_wire(&field.field_type));
        }
        Ok(body)
    }

    /// A loser goes into the bin. Where the object keeps what its records were merged into, it says so.
    fn leave(
        &self,
        tx: &mut WriteTx<'_, '_>,
        merge: &Merge<'_>,
        loser: RecordId,
        delete: Grant<'_, Delete>,
    ) -> Result<(), Refused> {
        let object = merge.object;
        let own = object.field("merged_into").filter(|field| field.read_only && !field.system);
        if own.is_some_and(|field| field.reference_targets() == [object.name.clone()]) {
            self.point(tx, merge, (object, loser), "merged_into", Some(merge.id))?;
        }
        let row = tx.read().row_whole(object, loser)?;
        let row = row.ok_or_else(|| self.missing(merge.actor, Act::Merge, &object.name, loser))?;
        tx.delete(delete, &row, Cause::default())?;
        Ok(())
    }

    /// Points a reference of a record elsewhere, as the appliance does in consequence of a merge.
    fn point(
        &self,
        tx: &mut WriteTx<'_, '_>,
        merge: &Merge<'_>,
        (object, id): (&Arc<ObjectDef>, RecordId),
        field: &str,
        to: Option<RecordId>,
    ) -> Result<(), Refused> {
        let Some(row) = tx.read().row_whole(object, id)?.filter(|row| !row.deleted()) else { return Ok(()) };
        let policy = tx.policy();
        let grant = policy
            .grant::<Update>(merge.system, object, row.facts())
            .map_err(|denied| self.denial(merge.system, Act::Update, denied, Some(id)))?;
        let mut values = Checked::parse(object, &Map::new(), Mode::Change, "").map_err(Fault::invalid)?;
        let value = to.map_or(Value::Null, |id| Value::Reference { object: merge.object.name.clone(), id });
        values.set_kept(object, field, value);
        tx.update(grant, &row, values, merge.cause())?;
        Ok(())
    }

    /// Where the address of a record in the bin leads, if it was merged into one that this reader sees.
    pub(crate) fn survivor_in_sight(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
        id: RecordId,
    ) -> Result<Option<RecordId>, Refused> {
        let mut at = id;
        // A survivor may have been merged itself. Each step is a later act, so the way ends.
        for _ in 0..limits::MERGE_STEPS_MAX {
            let Some(next) = tx.merged_into(&object.name, at)? else { return Ok(None) };
            if let Some(facts) = tx.facts(object, next)? {
                return Ok(self.policy().grant::<Read>(actor, object, &facts).ok().map(|_| next));
            }
            at = next;
        }
        Ok(None)
    }
}

/// The answer for a record that went into another which the reader sees.
pub(crate) fn led_on(mut refused: Refused, to: RecordId) -> Refused {
    let mut fault = Fault::new(Code::RecordMerged, "The record was merged into another; open that one.");
    fault.extension = Some(json!({"merged_into": to}).to_string().into());
    refused.fault = fault;
    refused
}

/// Fields with a value in a record that goes which its reader knows of but cannot read, and whether there are fields one does
/// not see at all.
fn unread(tx: &ReadTx<'_>, object: &ObjectDef, survivor: &Side<'_>, losers: &[Side<'_>]) -> (Vec<String>, bool) {
    let (mut kept, mut unseen) = (Vec::new(), false);
    for (at, field) in object.fields.iter().enumerate().filter(|(_, field)| !field.retired && !field.read_only) {
        let known = |side: &Side<'_>| side.read.levels().get(at) > Level::None;
        unseen |= !known(survivor);
        let hidden = |side: &&Side<'_>| {
            let level = side.read.levels().get(at);
            level < Level::Read && tx.has_value(&side.read, &side.row, at) == Some(true)
        };
        if known(survivor) && losers.iter().any(|side| hidden(&side)) {
            kept.push(field.name.clone());
        }
    }
    (kept, unseen)
}
