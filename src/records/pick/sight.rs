//! Whether somebody may see a record of a set, and how much of each field: by the roles of now, at the place the record had
//! then and at the place it has now. One function for lists, comparisons and what is brought back.

use super::{Kept, Pair};
use authz::{Delete, Grant, Level, Policy, Read, Verb};
use identity::Actor;
use kernel::RecordId;
use serde::Serialize;
use std::collections::BTreeSet;
use store::{ReadTx, StoreError, StoredRow};

/// Where a record of the set is now.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum PickState {
    /// In use.
    Live,
    /// In the recycle bin.
    Binned,
    /// Nowhere.
    Missing,
    /// The keys of its subject were destroyed since: what the set holds of it does not come back.
    Erased,
}

/// What somebody may see of one record of a set.
pub(crate) struct Sight<'a> {
    /// By the definitions and the place of then.
    pub(crate) then: Grant<'a, Read>,
    /// By the definitions of now at the place of then.
    between: Grant<'a, Read>,
    /// The record as it is now.
    pub(crate) now: Option<(StoredRow, Grant<'a, Read>)>,
    /// Where it is now.
    pub(crate) state: PickState,
}

impl<'a> Sight<'a> {
    /// `None` when the actor may not see the record: by then, by now, or from the bin.
    pub(crate) fn of(
        policy: &Policy,
        actor: &'a Actor,
        pair: &Pair,
        kept: &Kept,
        (now, has_keys): (Option<StoredRow>, bool),
    ) -> Option<Self> {
        let facts = kept.row.facts();
        let then = policy.grant::<Read>(actor, &pair.then, facts).ok()?;
        let scope = policy.scope(actor, &pair.now, Verb::Read).ok()?;
        let between = scope.grant(facts).ok()?;
        let mut state = PickState::Missing;
        let now = match now {
            None => None,
            Some(row) => {
                let grant = scope.grant(row.facts()).ok()?;
                state = PickState::Live;
                if row.deleted() {
                    let _reaches = policy.grant::<Delete>(actor, &pair.now, row.facts()).ok()?;
                    state = PickState::Binned;
                }
                Some((row, grant))
            }
        };
        if kept.keyed && !has_keys {
            state = PickState::Erased;
        }
        Some(Self { then, between, now, state })
    }

    /// How much of a field, named by its positions then and now.
    pub(crate) fn level(&self, then: usize, now: usize) -> Level {
        let known = self.then.levels().get(then).min(self.between.levels().get(now));
        self.now.as_ref().map_or(known, |(_, grant)| known.min(grant.levels().get(now)))
    }

    /// The version that a change starts from.
    pub(crate) fn version(&self) -> Option<i64> {
        self.now.as_ref().map(|(row, _)| row.version())
    }
}

/// The records of now that belong to those of a set, and the subjects that have keys now.
pub(crate) struct Present {
    rows: Vec<StoredRow>,
    keys: BTreeSet<RecordId>,
}

impl Present {
    /// Looks for them, with these fields.
    pub(crate) fn of(tx: &mut ReadTx<'_>, pair: &Pair, kept: &[Kept], fields: &[usize]) -> Result<Self, StoreError> {
        let ids: Vec<RecordId> = kept.iter().map(|kept| kept.row.id()).collect();
        let subjects: Vec<RecordId> = kept.iter().map(|kept| kept.row.subject()).collect();
        Ok(Self { rows: tx.rows_by_id(&pair.now, &ids, fields)?, keys: tx.subjects_with_keys(&subjects)? })
    }

    /// What the actor may see of one of them.
    pub(crate) fn sight<'a>(
        &mut self,
        policy: &Policy,
        actor: &'a Actor,
        pair: &Pair,
        kept: &Kept,
    ) -> Option<Sight<'a>> {
        let at = self.rows.iter().position(|row| row.id() == kept.row.id());
        let now = at.map(|at| self.rows.swap_remove(at));
        Sight::of(policy, actor, pair, kept, (now, self.keys.contains(&kept.row.subject())))
    }
}
