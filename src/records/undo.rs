//! Taking changes back where nobody has touched the record since. Old values come from the record's history, where they lie
//! sealed under its subject's key; whoever may not change a field may not bring its old value back either.

use crate::Records;
use crate::change::Expect;
use audit::Verb as Act;
use authz::{Grant, Read};
use identity::Actor;
use kernel::{Code, Fault, RecordId, limits};
use metadata::ObjectDef;
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use store::{Cause, Refused, StoredRow, WriteTx};

/// Why a record stays as it is: somebody was there since.
pub fn changed_since() -> Fault {
    Fault::new(Code::VersionConflict, "Somebody has changed the record since; it stays as it is.")
}

pub(crate) fn not_kept() -> Fault {
    Fault::new(Code::UndoRefused, "The old values were not kept, or their key was destroyed.")
}

/// The values that the last `changes` changes of a record replaced.
pub(crate) fn old_values(
    tx: &mut WriteTx<'_, '_>,
    object: &ObjectDef,
    (row, grant): (&StoredRow, &Grant<'_, Read>),
    changes: usize,
) -> Result<Map<String, Json>, Refused> {
    let acts = tx.read().history(grant, row, None, limits::PAGE_ROWS_DEFAULT)?;
    let acts: Vec<_> = acts.into_iter().filter(|act| act.verb == Act::Update).take(changes).collect();
    if acts.len() < changes {
        return Err(not_kept().into());
    }
    let mut body = Map::new();
    // Newest first, so that of a field that moved twice the older value stays.
    for moved in acts.iter().flat_map(|act| &act.moves) {
        let Some(field) = object.fields.get(moved.field).filter(|field| !field.read_only) else { continue };
        if !moved.kept {
            return Err(not_kept().into());
        }
        let before = moved.before.as_ref().map(|value| value.to_wire(&field.field_type));
        body.insert(field.name.clone(), before.unwrap_or_default());
    }
    Ok(body)
}

impl Records {
    /// Takes back what an import did to a record between two versions; with 0 before, the record goes into the bin. The
    /// caller has looked that a record that goes is as the import left it.
    pub fn take_back_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        (id, before, after): (RecordId, i64, i64),
    ) -> Result<(), Refused> {
        if before == 0 {
            return self.delete_in_tx(tx, actor, object, id, Expect::Current).map(|_| ());
        }
        let (row, grant) = self.row_to_change(tx, actor, object, id, Act::Update)?;
        if row.version() != after {
            return Err(changed_since().into());
        }
        let changes = usize::try_from(after - before).unwrap_or(0);
        let body = old_values(tx, object, (&row, &grant), changes)?;
        self.change_in_tx(tx, actor, object, (id, Expect::Version(Some(after))), &body, Cause::default())?;
        Ok(())
    }
}
