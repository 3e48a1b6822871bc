//! What administrators ask of the keeper about single sets and targets: how one lies there, that one stays,
//! whether a target takes anything.

use crate::appliance::Keeper;
use crate::appliance::keeper::failure;
use crate::cli::failure::Failure;
use api::BackupOrder;
use audit::Verb;
use identity::Actor;
use kernel::Code;
use recovery::{Manifest, SetName, TargetStep};
use store::BackupRow;

impl Keeper {
    /// A set that is known.
    pub(crate) fn set(&self, sequence: u64, target: &str) -> Result<BackupRow, Failure> {
        let rows = self.sets()?;
        let found = rows.into_iter().find(|row| row.sequence == sequence && row.target == target);
        found.ok_or_else(|| Failure::new(Code::RecordNotFound, "There is no such set."))
    }

    /// What a set says of itself on its target, with the signature checked, and where it lies.
    pub(crate) fn manifest(&self, row: &BackupRow) -> Result<(String, Manifest), Failure> {
        if row.state != "verified" {
            return Err(Failure::new(Code::RecordNotFound, format!("The set is not there: {}.", row.state)));
        }
        let set: SetName = row.name.parse().map_err(failure)?;
        let target = self.target(&row.target)?;
        let manifest = recovery::read_manifest(target.as_ref(), &set, self.log_key()).map_err(failure)?;
        Ok((format!("{}/{set}", self.place_of_sets(&row.target)), manifest))
    }

    /// Tries a target out with a small file of a name that no set has.
    pub(crate) fn try_out(&self, target: &str) -> Result<Vec<TargetStep>, Failure> {
        let unknown = |_| Failure::new(Code::RecordNotFound, "There is no such target.");
        Ok(self.target(target).map_err(unknown)?.try_out(&self.word()))
    }

    /// Whether something can be begun at all.
    pub(crate) fn can(&self, order: &BackupOrder) -> Result<(), Failure> {
        let config = self.config();
        if config.targets.is_empty() {
            return Err(Failure::new(Code::ConfigInvalid, "There is no target for backups")
                .todo("name one under [backup.targets] in kontor.toml"));
        }
        match order {
            BackupOrder::Prove(_) if !config.own_key => {
                Err(Failure::new(Code::ConfigInvalid, "The appliance cannot open its own sets (backup.own_key)")
                    .todo("restore a set with one of the recipients' keys on another machine"))
            }
            _ => Ok(()),
        }
    }

    /// Says that a set stays whatever the plan says, or no longer. One that was to go is called back.
    pub(crate) fn pin(&self, by: &Actor, sequence: u64, target: &str, pinned: bool) -> Result<(), Failure> {
        let row = self.set(sequence, target)?;
        if row.state != "verified" {
            return Err(Failure::new(Code::RecordNotFound, format!("The set is not there: {}.", row.state)));
        }
        let marked_at = row.marked_at.filter(|_| !pinned);
        let told = if pinned { "it stays" } else { "the plan decides" };
        self.keep(by, Verb::BackupPin, BackupRow { pinned, marked_at, ..row }, true, told)
    }
}
