//! The plan of which sets stay, over the table of sets. It decides nothing by itself and removes nothing.

use crate::appliance::Keeper;
use crate::cli::failure::Failure;
use kernel::Timestamp;
use recovery::{Decision, Kept, Policy};
use std::collections::BTreeMap;
use store::BackupRow;

/// What would happen with each set, by target, and whether the clock allows it.
pub(crate) type Plans = BTreeMap<String, (Vec<Decision>, bool)>;

/// The plan over these rows.
pub(super) fn plan_of(rows: &[BackupRow], policy: &Policy, now: Timestamp) -> Plans {
    let mut sets: BTreeMap<String, Vec<Kept>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.state == "verified") {
        sets.entry(row.target.clone()).or_default().push(Kept {
            sequence: row.sequence,
            made_at: row.made_at,
            verified: row.verified_at.is_some(),
            pinned: row.pinned,
            marked_at: row.marked_at,
        });
    }
    sets.into_iter().map(|(target, sets)| (target, recovery::plan(&sets, policy, now))).collect()
}

impl Keeper {
    /// What would happen with each set now.
    pub(crate) fn plan(&self) -> Result<Plans, Failure> {
        Ok(plan_of(&self.sets()?, &self.config().policy, self.now()))
    }
}
