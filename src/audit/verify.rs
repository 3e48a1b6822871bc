//! The verifier: is the log what it was, and does the database still say the same?
//! Level 1 tiles and consistency, 2 signature, 3 every entry hashed anew and equal to its database row,
//! 4 live rows equal their last logged state. It reads only, streams levels 1 to 3, and goes on after a finding so that
//! one report names every place.

use crate::{
    checkpoint::{Checkpoint, VerifierKey},
    path::CHECKPOINT,
    reader::TileReader,
    report::Report,
    verify_rows::RowWalk,
    verify_states::{LoggedStates, StateSource, compare_states},
    verify_tiles::TileWalk,
};
use std::path::Path;

/// A row of the database's entry table: its dense number (from 0) and the entry's bytes.
pub type EntryRow = (u64, Vec<u8>);

/// The database could not answer. The words are for the report and must hold no value.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PortError(pub String);

/// The database's side of the log. All answers of one verification must come from one snapshot, the same as those of
/// its [`StateSource`]; else changes made meanwhile would be taken for forgeries.
pub trait EntrySource {
    /// Rows numbered `from_seq` or higher, ascending, at most `max`; none when there are no more.
    fn rows(&mut self, from_seq: u64, max: usize) -> Result<Vec<EntryRow>, PortError>;
    /// How many rows the table has in all.
    fn count(&mut self) -> Result<u64, PortError>;
}

/// What to verify against what. Without `entries` it ends at level 2, without `states` at level 3.
pub struct Verification<'a> {
    /// The folder of the log.
    pub folder: &'a Path,
    /// The key that must have signed the checkpoint; its name is the log's origin.
    pub key: &'a VerifierKey,
    /// A checkpoint from earlier, kept elsewhere: the log must still begin with it.
    pub older: Option<&'a Checkpoint>,
    /// The rows of the database.
    pub entries: Option<&'a mut dyn EntrySource>,
    /// The records of the database.
    pub states: Option<&'a mut dyn StateSource>,
}

/// Verifies as far as asked and tells everything it finds.
pub fn verify(what: Verification<'_>) -> Report {
    let Verification { folder, key, older, entries, states } = what;
    let asked = match (&entries, &states) {
        (None, _) => 2,
        (Some(_), None) => 3,
        (Some(_), Some(_)) => 4,
    };
    let mut report = Report::new(asked);
    let Some(note) = TileReader::checkpoint_note(folder).map_err(|e| report.find(1, CHECKPOINT, e.to_string())).ok()
    else {
        return report.close();
    };
    let claimed = match Checkpoint::read_unverified(&note) {
        Ok(claimed) => claimed,
        Err(error) => {
            report.find(1, CHECKPOINT, error.to_string());
            return report.close();
        }
    };
    report.claim(claimed.size, &claimed.root);
    if let Err(error) = Checkpoint::open(&note, key) {
        report.find(2, CHECKPOINT, error.to_string());
    }
    check_older(older, key, &claimed, &mut report);

    let mut logged = states.is_some().then(LoggedStates::default);
    let mut rows = entries.map(|source| RowWalk::new(source, logged.as_mut()));
    if let Some(rows) = &mut rows {
        rows.check_count(claimed.size, &mut report);
    }
    let mut tiles = TileWalk::new(TileReader::new(folder, claimed.size), older);
    if !tiles.run(&claimed.root, rows.as_mut(), &mut report) {
        return report.close();
    }
    report.level_reached = 2;
    let Some(rows) = rows else { return report.close() };
    if rows.finish(&mut report) {
        report.level_reached = 3;
        if let (Some(source), Some(logged)) = (states, logged)
            && compare_states(source, logged, &mut report)
        {
            report.level_reached = 4;
        }
    }
    report.close()
}

fn check_older(older: Option<&Checkpoint>, key: &VerifierKey, claimed: &Checkpoint, report: &mut Report) {
    let Some(older) = older else { return };
    if older.origin != key.name() {
        report.find(1, CHECKPOINT, "the older checkpoint belongs to another log");
    }
    if older.size > claimed.size {
        let detail =
            format!("the log has {} entries, fewer than the {} of the older checkpoint", claimed.size, older.size);
        report.find(1, CHECKPOINT, detail);
    }
}
