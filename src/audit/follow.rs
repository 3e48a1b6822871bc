//! Brings a log up to a checkpoint that was signed elsewhere: the entries come from the rows of a database that was rolled
//! forward, and have to lead to exactly the root that was signed. It signs nothing.

use crate::checkpoint::{Checkpoint, VerifierKey};
use crate::error::LogError;
use crate::path::CHECKPOINT;
use crate::verify::EntrySource;
use crate::writer::TileWriter;
use std::path::Path;

/// Entries that are taken at once.
const BATCH: usize = 4096;

/// Appends the entries between the log's own checkpoint and `note`, a newer one, and puts `note` in its place. Without one,
/// or with an older one, the log stays as it is. How many entries it has then.
///
/// # Errors
/// [`LogError::RootDiffers`] when the entries do not lead to the root of `note`, and what the files say. The checkpoint stays
/// where it was then.
pub fn log_follow(
    folder: &Path,
    note: Option<&[u8]>,
    key: &VerifierKey,
    entries: &mut dyn EntrySource,
) -> Result<u64, LogError> {
    let mut writer = TileWriter::following(folder, key)?;
    let before = writer.size();
    let Some(note) = note else { return Ok(before) };
    let to = Checkpoint::open(note, key)?;
    let missing = |what| LogError::Malformed { path: CHECKPOINT.to_owned(), what };
    while writer.size() < to.size {
        let from = writer.size();
        let most = usize::try_from(to.size - from).unwrap_or(BATCH).min(BATCH);
        let rows = entries.rows(from, most).map_err(|_| missing("the rows of its entries cannot be read"))?;
        if rows.is_empty() || rows.iter().zip(from..).any(|((seq, _), expected)| *seq != expected) {
            return Err(missing("rows of its entries are missing"));
        }
        let bytes: Vec<&[u8]> = rows.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        writer.extend(&bytes)?;
    }
    if writer.size() == to.size {
        writer.adopt(std::str::from_utf8(note).map_err(|_| missing("it is not UTF-8"))?, key)?;
    }
    Ok(writer.size())
}
