//! Sets completed on a target from another that has them whole: after a target was away, or the process was killed between two
//! targets, or where a target is new. It makes no set, and takes nothing away.

use crate::appliance::keeper::RETRY_SECONDS;
use crate::appliance::{Keeper, recovery_failure};
use crate::cli::failure::Failure;
use identity::Actor;
use recovery::{Progress, RecoveryError, SetName, TargetOutcome, complete_set};
use store::BackupRow;

impl Keeper {
    /// Looks what became of sets whose making was interrupted, once nobody can be at it any more. One that got its name before
    /// that is whole, and others are completed from it.
    pub(crate) fn settle_interrupted(&self) -> Result<(), Failure> {
        let before = self.now().plus_seconds(-RETRY_SECONDS);
        let left = |row: &BackupRow| row.state == "writing" && row.made_at <= before;
        if !self.sets()?.iter().any(left) {
            return Ok(());
        }
        // Whoever holds the lock may be the one who writes.
        let Ok(_busy) = self.busy() else { return Ok(()) };
        self.reconcile(&self.targets()).map(drop)
    }

    /// For those of the targets that are due: a set that another target has whole, newer than all it has itself and new enough
    /// for the schedule.
    pub(crate) fn donors(&self, due: &[String]) -> Result<Vec<(String, BackupRow)>, Failure> {
        let config = self.config();
        let Some(schedule) = config.schedule.as_ref().filter(|_| !due.is_empty()) else { return Ok(Vec::new()) };
        let (rows, known, now) = (self.sets()?, self.target_names(), self.now());
        let newest = |name: &str| {
            let verified = rows.iter().filter(|row| row.target == name && row.state == "verified");
            verified.map(|row| row.sequence).max().unwrap_or(0)
        };
        let donor = |name: &String| {
            let mut whole = rows.iter().filter(|row| row.state == "verified" && row.target != *name);
            let fits = |row: &&BackupRow| {
                known.contains(&row.target)
                    && row.sequence > newest(name)
                    && !schedule.is_due(Some(row.made_at), now)
                    && row.marked_at.is_none()
            };
            Some((name.clone(), whole.find(fits)?.clone()))
        };
        Ok(due.iter().filter_map(donor).collect())
    }

    /// Completes that set on this target; its bytes, or why not. Either stands in the log and in the table of sets.
    pub(crate) fn complete(
        &self,
        by: &Actor,
        progress: &Progress,
        target: &str,
        donor: &BackupRow,
    ) -> Result<Result<u64, String>, Failure> {
        let _busy = self.busy()?;
        let (from, to) = (self.target(&donor.target)?, self.target(target)?);
        let set: SetName = donor.name.parse().map_err(recovery_failure)?;
        let (rate, clock) = (self.config().bytes_per_second, self.clock());
        // Whoever put it there may have been killed before it could say so.
        if to.list().is_ok_and(|there| there.contains(&set)) {
            self.adopt(to.as_ref(), &set)?;
            return Ok(Ok(donor.bytes));
        }
        let pair = (from.as_ref(), to.as_ref());
        let outcome = complete_set(pair, &set, self.log_key(), (progress, clock.as_ref()), rate);
        let told = outcome.as_ref().map(recovery::Verified::bytes).map_err(RecoveryError::to_string);
        self.settle(by, &set, donor.made_at, &TargetOutcome { target: target.to_owned(), outcome })?;
        Ok(told)
    }
}
