//! Changing records. The version decides: who read an older one gets both sides of what differs and loses nothing.

use crate::create::editable;
use crate::notice::Notices;
use crate::{Pending, RecordView, Records};
use audit::Verb as Act;
use authz::{Facts, Grant, Level, Read, Update, Verb};
use identity::Actor;
use kernel::{Code, Fault, RecordId};
use metadata::{Checked, Mode, ObjectDef, Value};
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;
use store::{Cause, Changed, Refused, StoredRow, WriteTx};

/// Which version a change was made from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expect {
    /// The one that was read; absent is an error.
    Version(Option<i64>),
    /// Whatever is there: bulk changes and imports.
    Current,
}

impl Expect {
    /// Refuses what was made from another version than the one that is there; `values` are those that were sent.
    pub(crate) fn check(
        self,
        tx: &mut WriteTx<'_, '_>,
        read: &Grant<'_, Read>,
        row: &StoredRow,
        values: Option<&Checked>,
    ) -> Result<(), Refused> {
        match self {
            Self::Version(None) => Err(Fault::new(
                Code::VersionRequired,
                "Send If-Match with the version you read, such as If-Match: \"3\".",
            )
            .into()),
            Self::Version(Some(version)) if version != row.version() => Err(conflict(tx, read, row, values)?.into()),
            Self::Version(_) | Self::Current => Ok(()),
        }
    }
}

impl Records {
    /// Changes the named fields of a record.
    pub fn change(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        id: RecordId,
        if_match: Option<i64>,
        body: Map<String, Json>,
    ) -> Pending<RecordView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(self.store.write(move |tx| {
            let changed = records.change_in_tx(
                tx,
                &actor,
                &definition,
                (id, Expect::Version(if_match)),
                &body,
                Cause::default(),
            )?;
            records.after_write(tx, &actor, &definition, id, changed.version)
        }))
    }

    /// Changes a record whatever its version is, inside a unit of work; for imports, which name it by another system's id.
    pub fn upsert_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        id: RecordId,
        body: &Map<String, Json>,
        cause: Cause,
    ) -> Result<Changed, Refused> {
        self.change_in_tx(tx, actor, object, (id, Expect::Current), body, cause)
    }

    pub(crate) fn change_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        (id, expect): (RecordId, Expect),
        body: &Map<String, Json>,
        cause: Cause,
    ) -> Result<Changed, Refused> {
        let policy = tx.policy();
        let (row, read) = self.row_to_change(tx, actor, object, id, Act::Update)?;
        let grant = policy
            .grant::<Update>(actor, object, row.facts())
            .map_err(|denied| self.denial(actor, Act::Update, denied, Some(id)))?;
        let values = Checked::parse(object, body, Mode::Change, "").map_err(Fault::invalid)?;
        editable(object, grant.levels(), &values, body.keys())
            .map_err(|fault| self.field_denied(actor, Act::Update, &object.name, fault))?;
        expect.check(tx, &read, &row, Some(&values))?;
        let after = facts_after(object, row.facts(), &values);
        self.may_place(tx, actor, object, &after, Some(row.facts()))?;
        self.references_exist(tx, actor, object, &values)?;
        let hook = UserHook::of(object, &values)?;
        let notices = Notices::of(actor, object, &values, (Some(row.facts()), &after), &cause);
        let changed = tx.update(grant, &row, values, cause)?;
        if changed.moved {
            notices.write(self, tx, actor, object, id)?;
            hook.run(tx, id)?;
        }
        Ok(changed)
    }

    /// The whole row of a live record the actor can see, with the grant to see it.
    pub(crate) fn row_to_change<'a>(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &'a Actor,
        object: &Arc<ObjectDef>,
        id: RecordId,
        act: Act,
    ) -> Result<(StoredRow, Grant<'a, Read>), Refused> {
        let policy = tx.policy();
        let scope =
            policy.scope(actor, object, Verb::Read).map_err(|denied| self.denial(actor, act, denied, Some(id)))?;
        let row = tx.read().row_whole(object, id)?.filter(|row| !row.deleted());
        let row = row.ok_or_else(|| self.missing(actor, act, &object.name, id))?;
        let grant = scope.grant(row.facts()).map_err(|denied| self.denial(actor, act, denied, Some(id)))?;
        Ok((row, grant))
    }
}

/// Where the record will be after the change.
fn facts_after(object: &ObjectDef, before: &Facts, values: &Checked) -> Facts {
    let moved = |name: &str, old: Option<RecordId>| match object.field_index(name).and_then(|at| values.get(at)) {
        Some(value) => crate::fields::pointed(value),
        None => old,
    };
    Facts {
        owner: moved("owner", before.owner),
        unit: moved("unit", before.unit),
        team: moved("team", before.team),
        private: crate::create::marked_private(object, values).unwrap_or(before.private),
        ..before.clone()
    }
}

/// The answer to a stale change or delete: for each field that differs, what was sent and what is there, as the reader may see it.
fn conflict(
    tx: &mut WriteTx<'_, '_>,
    read: &Grant<'_, Read>,
    row: &StoredRow,
    values: Option<&Checked>,
) -> Result<Fault, Refused> {
    let object = Arc::clone(row.object());
    let mut differences = Vec::new();
    for (at, yours) in values.into_iter().flat_map(Checked::values) {
        let Some(field) = object.fields.get(*at).filter(|_| read.levels().get(*at) >= Level::Read) else { continue };
        let theirs = tx.read().value(read, row, *at)?.unwrap_or(Value::Null);
        if theirs != *yours {
            differences.push(json!({
                "field": field.name,
                "yours": yours.to_wire(&field.field_type),
                "theirs": theirs.to_wire(&field.field_type),
            }));
        }
    }
    let mut fault = Fault::new(
        Code::VersionConflict,
        "The record was changed since you read it, so nothing was done. Look at what differs and send again with the current version.",
    );
    fault.extension = Some(json!({"current_version": row.version(), "differences": differences}).to_string().into());
    Ok(fault)
}

/// What follows from a change of a user's record: the login moves, sessions of a closed user end.
struct UserHook {
    login: Option<String>,
    status: bool,
}

impl UserHook {
    fn of(object: &ObjectDef, values: &Checked) -> Result<Self, Fault> {
        let moved = |name: &str| object.field_index(name).is_some_and(|at| values.get(at).is_some());
        Ok(Self { login: crate::create::login_of(object, values)?, status: object.name == "user" && moved("status") })
    }
    fn run(self, tx: &mut WriteTx<'_, '_>, user: RecordId) -> Result<(), Refused> {
        if let Some(login) = &self.login {
            tx.credential_rename(user, login)?;
        }
        if self.status || self.login.is_some() {
            tx.auth_epoch_bump(user)?;
        }
        Ok(())
    }
}
