//! This folder as one node of its appliance: the id that tells it from other folders of the same name, and the entry among
//! the nodes. Whether a node may act is for the database to say.

use crate::appliance::{Appliance, layout, read_small};
use crate::cli::failure::Failure;
use kernel::{AnyKind, Code, Id};
use store::{Lease, Store};

/// Bytes of the file with the id, with room for a newline.
const ID_BYTES_MAX: u64 = 64;

/// Enters this folder among the nodes and looks whether it sees the files that the others see. For the one server of the folder.
pub(super) fn join(appliance: &Appliance, store: &Store) -> Result<(), Failure> {
    let folder = folder_id(appliance)?;
    match store.node_begin(folder, env!("CARGO_PKG_VERSION")) {
        // Another has taken its place, or the copy that each write waits for is away: it opens all the same, and `/readyz` and
        // the health page say why it writes nothing.
        Err(fault) if matches!(fault.code, Code::Fenced | Code::CopyMissing) => return Ok(()),
        begun => begun.map_err(closed)?,
    }
    // Whoever comes first has the schedule before anything looks for it.
    store.lease_keep(Lease::Schedule).map_err(closed)?;
    store.files_agree().map_err(|fault| {
        closed(fault).todo(
            "mount the folder that the other nodes use and name it as files.folder in kontor.toml; docs/admin/scale.md",
        )
    })
}

fn closed(fault: kernel::Fault) -> Failure {
    Failure::from(fault).kept("the appliance stays closed on this node; nothing was changed")
}

fn folder_id(appliance: &Appliance) -> Result<Id<AnyKind>, Failure> {
    let path = appliance.layout.node_id();
    if !path.exists() {
        let id: Id<AnyKind> = Id::generate(appliance.clock.as_ref(), appliance.random.as_ref());
        layout::write_private(&path, &format!("{id}\n"))?;
        return Ok(id);
    }
    read_small(&path, ID_BYTES_MAX)?.trim().parse().map_err(|_| {
        Failure::new(Code::ConfigInvalid, format!("{} does not hold the id of a node", path.display()))
            .kept("nothing was changed")
            .todo("remove the file; the next start makes another")
    })
}
