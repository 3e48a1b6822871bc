//! That a node upgrades the appliance: on an engine with several nodes no other begins to serve meanwhile, since what it wrote would
//! be written under the hands of a migration, and go when the copy comes back. It knows nothing of versions.

use crate::{Kept, Store, StoreError, WriteTx};
use kernel::{Code, Fault};

impl Store {
    /// Says that this node upgrades, from now until [`Store::upgrade_end`], also while no process of it runs. Does nothing on an
    /// engine that has one server.
    ///
    /// # Errors
    /// `job_busy` while another node serves or upgrades.
    pub fn upgrade_begin(&self) -> Result<(), Fault> {
        if !self.is_shared() {
            return Ok(());
        }
        let begun = self.write(|tx| {
            tx.require_no_upgrade()?;
            let name = tx.read.shared.node.clone();
            let nodes = tx.read().nodes()?;
            if let Some(other) = nodes.iter().find(|node| node.lives && node.name != name) {
                let told = format!("The node {:?} serves; stop it first.", other.name);
                return Err(Fault::new(Code::JobBusy, told).into());
            }
            Ok(tx.keep(Kept::Upgrading, &name)?)
        });
        begun.wait()
    }

    /// Lets the other nodes serve again.
    pub fn upgrade_end(&self) -> Result<(), Fault> {
        if !self.is_shared() {
            return Ok(());
        }
        self.write(|tx| Ok(tx.forget_kept(Kept::Upgrading)?)).wait()
    }
}

impl WriteTx<'_, '_> {
    /// Refuses while another node upgrades.
    pub(crate) fn require_no_upgrade(&mut self) -> Result<(), StoreError> {
        let (own, by) = (self.read.shared.node.clone(), self.read.kept(Kept::Upgrading)?);
        let Some(by) = by.filter(|by| *by != own) else { return Ok(()) };
        let told = format!(
            "The node {by:?} upgrades this appliance; wait until it is done. If it was cut off: `kontor upgrade resume` there; \
             if it is gone for good: `kontor node remove {by}`."
        );
        Err(Fault::new(Code::JobBusy, told).into())
    }
}
