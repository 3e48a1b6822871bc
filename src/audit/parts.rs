//! A log as a list of files, for whoever copies it: which files a checkpoint covers, and the bytes of those that the next
//! append replaces. It copies nothing itself.

use crate::{
    checkpoint::Checkpoint,
    error::LogError,
    files::read_optional,
    path::{CHECKPOINT, Shelf, TILE_WIDTH, TileName},
};
use std::path::Path;

/// Levels of hash tiles that a log can have.
const LEVELS: u8 = 8;
/// Bytes of the largest tile or bundle: 256 entries of 16 KiB with their lengths.
const PART_BYTES_MAX: usize = 256 * (16 * 1024 + 2);

/// One file of a log.
#[derive(Debug)]
pub struct LogPart {
    /// Its path below the folder of the log.
    pub path: String,
    /// Its bytes, when it may be replaced by the next append; `None` for a full tile, which stays as it is for ever.
    pub bytes: Option<Vec<u8>>,
}

/// The files of the log as its checkpoint covers them, the checkpoint first; how many entries that are. Nothing may be
/// appended while this runs; afterwards anything may. Who signed the checkpoint is not looked at.
///
/// # Errors
/// What the files say.
pub fn log_parts(folder: &Path) -> Result<(u64, Vec<LogPart>), LogError> {
    let note = read_optional(folder, CHECKPOINT, 16 * 1024)?.ok_or(LogError::CheckpointMissing)?;
    let size = Checkpoint::read_unverified(&note)?.size;
    let mut parts = vec![LogPart { path: CHECKPOINT.to_owned(), bytes: Some(note) }];
    for shelf in (0..LEVELS).map(Shelf::Hashes).chain([Shelf::Entries]) {
        for name in (0..).map_while(|number| TileName::in_log(shelf, number, size)) {
            let path = name.path();
            let bytes = if name.width == TILE_WIDTH {
                None
            } else {
                let missing =
                    || LogError::Malformed { path: path.clone(), what: "a tile of the checkpoint is missing" };
                Some(read_optional(folder, &path, PART_BYTES_MAX)?.ok_or_else(missing)?)
            };
            parts.push(LogPart { path, bytes });
        }
    }
    Ok((size, parts))
}
