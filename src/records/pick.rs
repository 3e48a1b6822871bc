//! Records brought back from a backup set into the live appliance: what a set holds is looked at, compared and chosen field
//! by field, and written by the verbs that write anything else.
//!
//! An old set would show what somebody's rights forbid now. So every record of it passes two decisions, both by the roles of
//! now: at the place and by the definitions it had then, and at the place and by the definitions it has now; a field is
//! shown at the lower of its levels. Sealed values open with the keys that the appliance has now and never with those in
//! the set: whoever's keys were destroyed stays gone. Nothing here writes to a set.

mod bring;
mod browse;
mod fields;
mod job;
mod open;
mod sight;
mod whole;

pub use bring::{PickAsk, Picked};
pub use browse::{PickListed, PickObject, PickObjects, PickPage, PickRow};
pub use fields::{PickField, PickTarget, PickWhy};
pub use job::PickedAll;
pub(crate) use job::{ACTION as PICK_ACTION, PickJob};
pub use open::PickRecord;
pub use sight::PickState;
pub use whole::{PickCompared, PickFound};

use crate::Records;
use authz::AppAction;
use identity::Actor;
use kernel::{Code, Fault, RecordId, Timestamp, UserId};
use metadata::ObjectDef;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use store::{SetStore, StoreError, StoredRow};
use whole::Comparison;

/// A set that is open for browsing.
pub struct PickSet {
    store: SetStore,
    name: String,
    used: AtomicI64,
    compared: Mutex<BTreeMap<(UserId, String), Arc<Comparison>>>,
}

impl PickSet {
    /// A set whose database was opened; `name` is what the log calls it.
    pub fn new(store: SetStore, name: String, now: Timestamp) -> Self {
        Self { store, name, used: AtomicI64::new(now.micros()), compared: Mutex::default() }
    }
    /// What the log calls it.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// When somebody last looked.
    pub fn used_at(&self) -> Timestamp {
        Timestamp::from_micros(self.used.load(Ordering::Relaxed))
    }
    /// Somebody looks.
    pub(crate) fn use_it(&self, now: Timestamp) {
        self.used.store(now.micros(), Ordering::Relaxed);
    }
    fn with_compared<T>(&self, look: impl FnOnce(&mut BTreeMap<(UserId, String), Arc<Comparison>>) -> T) -> T {
        look(&mut self.compared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An object as it was defined then, and as it is now.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) then: Arc<ObjectDef>,
    pub(crate) now: Arc<ObjectDef>,
}

/// A record of a set, and whether the set holds keys of its subject.
pub(crate) struct Kept {
    pub(crate) row: StoredRow,
    pub(crate) keyed: bool,
}

/// Every field of an object.
pub(crate) fn all_fields(object: &ObjectDef) -> Vec<usize> {
    (0..object.fields.len()).collect()
}

impl Records {
    /// The right itself; what is behind it follows the rights on records.
    pub(crate) fn may_pick(&self, actor: &Actor, set: &PickSet) -> Result<(), Fault> {
        set.use_it(self.store.clock().now());
        self.may_act(actor, AppAction::BackupPick, audit::Verb::BackupPick)
    }

    /// Both definitions of an object.
    pub(crate) fn pair(&self, set: &PickSet, object: &str) -> Result<Pair, Fault> {
        let now = self.definition(object)?;
        let then = set.store.catalog().object(object).cloned();
        let then = then.ok_or_else(|| {
            Fault::new(Code::ObjectUnknown, "The set has no such object: it was made before there was one.")
        })?;
        Ok(Pair { then, now })
    }

    /// Records of the set by id; those that lay in the bin then are not among them.
    pub(crate) fn kept_of(
        &self,
        set: &PickSet,
        object: &Arc<ObjectDef>,
        ids: Vec<RecordId>,
    ) -> Result<Vec<Kept>, Fault> {
        let object = Arc::clone(object);
        let found = set.store.read(move |tx| {
            let rows = tx.rows_by_id(&object, &ids, &all_fields(&object))?;
            keyed(tx, rows.into_iter().filter(|row| !row.deleted()).collect())
        });
        found.wait()
    }
}

/// Rows of a set with whether it holds keys of their subjects.
pub(crate) fn keyed(tx: &mut store::ReadTx<'_>, rows: Vec<StoredRow>) -> Result<Vec<Kept>, StoreError> {
    let subjects: Vec<RecordId> = rows.iter().map(StoredRow::subject).collect();
    let keys: BTreeSet<RecordId> = tx.subjects_with_keys(&subjects)?;
    Ok(rows.into_iter().map(|row| Kept { keyed: keys.contains(&row.subject()), row }).collect())
}
