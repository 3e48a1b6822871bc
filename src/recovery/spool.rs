//! The journal in the appliance's own folder, where no second disk has it: how large it may grow, and what of it goes. It never
//! removes what a target still waits for, unless the stream has ended.

use crate::RecoveryError;
use crate::journal::{StreamFile, folder_files};
use crate::ship::Means;
use std::fs;
use std::path::Path;

/// The journal in the appliance's own folder may wait for targets only so long.
pub(crate) fn outgrown(means: &Means) -> Result<bool, RecoveryError> {
    if means.plan.sync.is_some() {
        return Ok(false);
    }
    let folder = means.journal_folder()?;
    let files = folder_files(&folder).map_err(RecoveryError::target("listing the journal"))?;
    let bytes = |file: &StreamFile| fs::metadata(folder.join(file.to_string())).map_or(0, |found| found.len());
    Ok(files.iter().map(bytes).sum::<u64>() > means.plan.bytes_max)
}

/// What nobody can use without what was not shipped goes.
pub(crate) fn spool_clear(means: &Means) {
    let Ok(folder) = means.journal_folder() else { return };
    for file in folder_files(&folder).unwrap_or_default() {
        if let Err(error) = fs::remove_file(folder.join(file.to_string())) {
            tracing::warn!(%file, %error, "a file of the journal could not be removed");
        }
    }
}

/// Removes files of the journal that every target has, and those of older streams.
pub(crate) fn spool_prune(folder: &Path, stream: u32, everywhere: u64) -> Result<(), RecoveryError> {
    let files = folder_files(folder).map_err(RecoveryError::target("listing the journal"))?;
    for (file, next) in files.iter().zip(files.iter().skip(1)) {
        let done = file.stream < stream || (next.stream == stream && next.first <= everywhere.saturating_add(1));
        if done {
            let gone = fs::remove_file(folder.join(file.to_string()));
            gone.map_err(RecoveryError::target(format!("removing {file}")))?;
        }
    }
    Ok(())
}
