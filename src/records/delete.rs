//! Putting records into the recycle bin and taking them out. What happens to records that point to them stands in each
//! relation's rule; the appliance carries it out, on behalf of whoever deleted.

use crate::change::Expect;
use crate::{Pending, RecordView, Records};
use audit::Verb as Act;
use authz::{Delete, Read, Restore, Update, Verb};
use identity::{Actor, ActorContext, Channel, SystemActor};
use kernel::{Code, Fault, RecordId, limits};
use metadata::{Checked, DeleteRule, FieldType, Mode, ObjectDef, Subject};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Cause, Changed, Refused, StoredRow, WriteTx};

/// What a delete did.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct DeletedView {
    /// The record.
    pub id: RecordId,
    /// Its version now.
    pub version: i64,
    /// Records whose reference to it was cleared, as far as the one who deleted could see them.
    pub unlinked: usize,
    /// Records that were deleted with it, as far as the one who deleted could see them.
    pub cascaded: usize,
    /// The same by object and field.
    pub affected: Vec<AffectedView>,
}

/// What a delete does to the records that point to what is deleted.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum DeleteEffect {
    /// They go along.
    Cascaded,
    /// Their reference is cleared.
    Unlinked,
}

/// Records that a delete touches in one way.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct AffectedView {
    /// Their object.
    pub object: String,
    /// The field that points to what is deleted.
    pub field: String,
    /// What becomes of them.
    pub effect: DeleteEffect,
    /// How many, as far as they are in sight.
    pub count: usize,
}

/// What followed. Whether there are records out of sight is a secret, so the answer counts only the others.
#[derive(Default)]
struct Consequences {
    touched: usize,
    seen: BTreeMap<(String, String, DeleteEffect), usize>,
}

impl Consequences {
    fn note(&mut self, object: &ObjectDef, field: &str, effect: DeleteEffect, seen: bool) {
        self.touched += 1;
        if seen {
            *self.seen.entry((object.name.clone(), field.to_owned(), effect)).or_default() += 1;
        }
    }
    fn count(&self, wanted: DeleteEffect) -> usize {
        self.seen.iter().filter(|((_, _, effect), _)| *effect == wanted).map(|(_, count)| count).sum()
    }
    fn views(self) -> Vec<AffectedView> {
        let view = |((object, field, effect), count)| AffectedView { object, field, effect, count };
        self.seen.into_iter().map(view).collect()
    }
}

impl Records {
    /// What putting a record into the bin would do to others: it is done and taken back.
    pub fn delete_plan(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        id: RecordId,
        if_match: Option<i64>,
    ) -> Pending<DeletedView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(self.store.write(move |tx| {
            let mut outcome = Err(Refused::from(Fault::internal("a delete was not tried")));
            let undone = tx.attempt(|tx| -> Result<(), Refused> {
                outcome = records.delete_in_tx(tx, &actor, &definition, id, Expect::Version(if_match));
                // Whatever it was, it does not stay.
                Err(Fault::new(Code::BadRequest, "only tried").into())
            })?;
            drop(undone);
            let view = outcome?;
            let mut entry = tx.entry(&actor, Act::Read).on_record(&definition.name, id);
            "delete preview".clone_into(&mut entry.note);
            tx.log_entry(&entry)?;
            Ok(view)
        }))
    }

    /// Puts a record into the recycle bin.
    pub fn delete(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        id: RecordId,
        if_match: Option<i64>,
    ) -> Pending<DeletedView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(
            self.store.write(move |tx| records.delete_in_tx(tx, &actor, &definition, id, Expect::Version(if_match))),
        )
    }

    pub(crate) fn delete_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        id: RecordId,
        expect: Expect,
    ) -> Result<DeletedView, Refused> {
        let policy = tx.policy();
        let (row, read) = self.row_to_change(tx, actor, object, id, Act::Delete)?;
        let grant = policy
            .grant::<Delete>(actor, object, row.facts())
            .map_err(|denied| self.denial(actor, Act::Delete, denied, Some(id)))?;
        expect.check(tx, &read, &row, None)?;
        let mut done = Consequences::default();
        let system = Arc::new(self.system_actor(actor)?);
        // First the record itself: one that points to itself, or that a ring of rules leads back to, is then out of the way.
        let changed = tx.delete(grant, &row, Cause::default())?;
        self.follow_rules(tx, (actor, &system), object, id, &mut done)?;
        sign_off(tx, object, id)?;
        let (unlinked, cascaded) = (done.count(DeleteEffect::Unlinked), done.count(DeleteEffect::Cascaded));
        Ok(DeletedView { id, version: changed.version, unlinked, cascaded, affected: done.views() })
    }

    /// The appliance, acting within the request of somebody.
    pub(crate) fn system_actor(&self, actor: &Actor) -> Result<Actor, Refused> {
        let context = ActorContext::new(Channel::System, actor.request_id()).map_err(Fault::internal)?;
        Ok(SystemActor::for_boot(self.store.boot(), context))
    }

    fn follow_rules(
        &self,
        tx: &mut WriteTx<'_, '_>,
        (actor, system): (&Arc<Actor>, &Arc<Actor>),
        object: &ObjectDef,
        id: RecordId,
        done: &mut Consequences,
    ) -> Result<(), Refused> {
        let catalog = Arc::clone(tx.read().catalog());
        for (other, at) in catalog.referrers(&object.name) {
            let Some(field) = other.fields.get(at).filter(|field| !field.read_only) else { continue };
            let FieldType::Reference { on_delete, .. } = &field.field_type else { continue };
            let pointing = tx.read().pointing_to(&other, at, id, limits::CASCADE_RECORDS_MAX + 1)?;
            if pointing.is_empty() {
                continue;
            }
            // What is sealed under a subject's key cannot lose its subject.
            let is_subject = other.subject == Subject::Field(field.name.clone());
            if *on_delete == DeleteRule::Refuse || (is_subject && *on_delete == DeleteRule::Unlink) {
                return Err(refused(&other, &field.name).into());
            }
            if done.touched + pointing.len() > limits::CASCADE_RECORDS_MAX {
                return Err(Fault::new(
                    Code::LimitExceeded,
                    format!(
                        "More than {} records depend on this one (CASCADE_RECORDS_MAX); move them first.",
                        limits::CASCADE_RECORDS_MAX
                    ),
                )
                .into());
            }
            for child in pointing {
                if *on_delete == DeleteRule::Cascade {
                    self.cascade(tx, (actor, system), (&other, &field.name), child, done)?;
                } else {
                    let seen = self.clear_reference(tx, (actor, system), &other, &field.name, child)?;
                    done.note(&other, &field.name, DeleteEffect::Unlinked, seen);
                }
            }
        }
        Ok(())
    }

    /// Whether the one who deletes sees a record that is touched in consequence.
    fn sees(tx: &WriteTx<'_, '_>, actor: &Actor, object: &ObjectDef, row: &StoredRow) -> bool {
        tx.policy().grant::<Read>(actor, object, row.facts()).is_ok()
    }

    /// Says whether the one who deletes sees the record.
    fn clear_reference(
        &self,
        tx: &mut WriteTx<'_, '_>,
        (actor, system): (&Arc<Actor>, &Arc<Actor>),
        object: &Arc<ObjectDef>,
        field: &str,
        id: RecordId,
    ) -> Result<bool, Refused> {
        let Some(row) = tx.read().row_whole(object, id)?.filter(|row| !row.deleted()) else { return Ok(false) };
        let seen = Self::sees(tx, actor, object, &row);
        let policy = tx.policy();
        let grant = policy
            .grant::<Update>(system, object, row.facts())
            .map_err(|denied| self.denial(system, Act::Update, denied, Some(id)))?;
        let body = Map::from_iter([(field.to_owned(), Json::Null)]);
        let values = Checked::parse(object, &body, Mode::Change, "").map_err(|_| refused(object, field))?;
        tx.update(grant, &row, values, on_behalf(actor))?;
        Ok(seen)
    }

    fn cascade(
        &self,
        tx: &mut WriteTx<'_, '_>,
        (actor, system): (&Arc<Actor>, &Arc<Actor>),
        (object, field): (&Arc<ObjectDef>, &str),
        id: RecordId,
        done: &mut Consequences,
    ) -> Result<(), Refused> {
        let Some(row) = tx.read().row_whole(object, id)?.filter(|row| !row.deleted()) else { return Ok(()) };
        let policy = tx.policy();
        let grant = policy
            .grant::<Delete>(system, object, row.facts())
            .map_err(|denied| self.denial(system, Act::Delete, denied, Some(id)))?;
        done.note(object, field, DeleteEffect::Cascaded, Self::sees(tx, actor, object, &row));
        tx.delete(grant, &row, on_behalf(actor))?;
        sign_off(tx, object, id)?;
        self.follow_rules(tx, (actor, system), object, id, done)
    }

    /// Takes a record out of the recycle bin. What its delete cleared or took along stays as it is.
    pub fn restore(&self, actor: &Arc<Actor>, object: &str, id: RecordId) -> Pending<RecordView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(self.store.write(move |tx| {
            let changed = records.restore_in_tx(tx, &actor, &definition, (id, None))?;
            records.after_write(tx, &actor, &definition, id, changed.version)
        }))
    }

    /// The same inside a unit of work. A version that is named must be the record's; only who may restore learns whether
    /// it is.
    pub(crate) fn restore_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        (id, version): (RecordId, Option<i64>),
    ) -> Result<Changed, Refused> {
        let policy = tx.policy();
        policy
            .scope(actor, object, Verb::Delete)
            .map_err(|denied| self.denial(actor, Act::Restore, denied, Some(id)))?;
        let row =
            tx.read().row_whole(object, id)?.ok_or_else(|| self.missing(actor, Act::Restore, &object.name, id))?;
        let grant = policy
            .grant::<Restore>(actor, object, row.facts())
            .map_err(|denied| self.denial(actor, Act::Restore, denied, Some(id)))?;
        if version.is_some_and(|version| version != row.version()) {
            return Err(crate::undo::changed_since().into());
        }
        if !row.deleted() {
            return Ok(Changed { id, version: row.version(), moved: false });
        }
        let restored = tx.restore(grant, &row, Cause::default())?;
        if object.name == "user" {
            tx.credential_restore(id)?;
        }
        Ok(restored)
    }
}

/// A deleted user's sessions end, and their login is free for somebody else.
fn sign_off(tx: &mut WriteTx<'_, '_>, object: &ObjectDef, id: RecordId) -> Result<(), Refused> {
    if object.name == "user" {
        tx.credential_free(id)?;
        tx.auth_epoch_bump(id)?;
    }
    Ok(())
}

fn on_behalf(actor: &Actor) -> Cause {
    Cause { on_behalf_of: Some(actor.user()), ..Cause::default() }
}

/// Says where, not how many: some of them may be out of the reader's sight.
fn refused(other: &ObjectDef, field: &str) -> Fault {
    Fault::new(
        Code::DeleteRefused,
        format!("Records of {} point to this one with {field}; delete or move them first.", other.name),
    )
}
