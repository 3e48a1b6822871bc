//! Whose turn it is to make, prove or remove backup sets: one process of a folder by its lock, and one node by its lease. What is
//! written in that name is refused when another has taken over meanwhile. It makes no set itself.

use crate::appliance::Keeper;
use crate::cli::failure::Failure;
use kernel::Code;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use store::{Lease, LeaseHeld, StoreError, WriteTx};

/// Held by the one process that makes, proves or removes sets: the lock of the folder, and the lease among nodes.
pub(super) struct Busy {
    #[expect(dead_code, reason = "held for its lock")]
    file: File,
    pub(super) lease: LeaseHeld,
}

impl Keeper {
    /// Takes the turn; refused while another has it.
    pub(super) fn busy(&self) -> Result<Busy, Failure> {
        let path = self.layout.backup_lock();
        let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = opened.map_err(|error| Failure::file(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {
                let lease = self.store.lease_hold(Lease::Backup)?.ok_or_else(under_way)?;
                Ok(Busy { file, lease })
            }
            Err(TryLockError::WouldBlock) => Err(under_way()),
            Err(TryLockError::Error(error)) => Err(Failure::file(&path, &error)),
        }
    }

    /// Writes in the name of the one who makes sets now; refused when another node has taken over meanwhile.
    pub(super) fn kept<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut WriteTx<'_, '_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let written = self.store.write(move |tx| {
            tx.lease_require(Lease::Backup)?;
            Ok(write(tx)?)
        });
        Ok(written.wait()?)
    }
}

fn under_way() -> Failure {
    Failure::new(Code::Unavailable, "a backup or drill is under way")
        .kept("that one goes on; nothing was changed")
        .todo("wait for it; `kontor backup list` shows how far it is")
}
