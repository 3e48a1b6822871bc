//! Level 4: every live row against the last state that the log tells of it. Finds edits, deletions and insertions made
//! in the database past the program. Keeps one hash and one number per record, no values.

use crate::{entry::Entry, report::Report, tree::Hash, verify::PortError};
use kernel::RecordId;
use std::collections::{BTreeMap, HashMap};

const ROWS_AT_ONCE: usize = 1_000;

/// The database's records, by the hash of each row as it is now. See [`crate::EntrySource`] on snapshots.
pub trait StateSource {
    /// The objects whose records are logged with state hashes.
    fn objects(&mut self) -> Result<Vec<String>, PortError>;
    /// Rows of an object with ids after `after`, ascending by id, at most `max`; none when there are no more.
    /// Rows in the recycle bin are rows.
    fn rows(&mut self, object: &str, after: Option<RecordId>, max: usize) -> Result<Vec<(RecordId, Hash)>, PortError>;
}

/// The last logged state of every record that should have a row: its hash and the entry that says so.
#[derive(Default)]
pub(crate) struct LoggedStates {
    objects: BTreeMap<String, HashMap<RecordId, (Hash, u64)>>,
}

impl LoggedStates {
    /// Takes over what an entry says about the state of a row.
    pub(crate) fn take(&mut self, index: u64, entry: Entry) {
        let Some(record) = entry.target.record.filter(|_| entry.tells_state()) else { return };
        let records = self.objects.entry(entry.target.object).or_default();
        match entry.state_after {
            Some(state) => records.insert(record, (state, index)),
            None => records.remove(&record),
        };
    }
}

/// Compares all records; false when the database could not be read to the end.
pub(crate) fn compare_states(source: &mut dyn StateSource, mut logged: LoggedStates, report: &mut Report) -> bool {
    let objects = match source.objects() {
        Ok(objects) => objects,
        Err(error) => {
            report.find(4, "database", format!("cannot be read: {error}"));
            return false;
        }
    };
    let mut whole = true;
    for object in objects {
        let mut records = logged.objects.remove(&object).unwrap_or_default();
        if let Err(error) = compare_object(source, &object, &mut records, report) {
            report.find(4, format!("database {object}"), format!("cannot be read: {error}"));
            whole = false;
        } else {
            tell_lost(&object, records, report);
        }
    }
    for (object, records) in logged.objects {
        tell_lost(&object, records, report);
    }
    whole
}

fn compare_object(
    source: &mut dyn StateSource,
    object: &str,
    records: &mut HashMap<RecordId, (Hash, u64)>,
    report: &mut Report,
) -> Result<(), PortError> {
    let mut after = None;
    loop {
        let rows = source.rows(object, after, ROWS_AT_ONCE)?;
        if rows.is_empty() {
            return Ok(());
        }
        for (record, state) in rows {
            if after.is_some_and(|after| record <= after) {
                return Err(PortError("the rows are not in the order of their ids".to_owned()));
            }
            after = Some(record);
            report.checked.records += 1;
            let place = || format!("{object} {record}");
            match records.remove(&record) {
                None => report.find(4, place(), "the log tells of no such record"),
                Some((logged, entry)) if logged != state => {
                    report.find(4, place(), format!("row differs from the state logged in entry {entry}"));
                }
                Some(_) => {}
            }
        }
    }
}

fn tell_lost(object: &str, records: HashMap<RecordId, (Hash, u64)>, report: &mut Report) {
    let mut lost: Vec<_> = records.into_iter().collect();
    lost.sort_unstable_by_key(|(record, _)| *record);
    for (record, (_, entry)) in lost {
        report.find(4, format!("{object} {record}"), format!("row is missing; its state was logged in entry {entry}"));
    }
}
