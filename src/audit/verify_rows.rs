//! Level 3: every entry of the log against its row in the database, both read in order, a thousand at a time.
//! Rows beyond the checkpoint are not sealed yet: they are read and counted, and only a gap among them is a finding.

use crate::{
    entry::Entry,
    report::Report,
    tree::{Hash, leaf_hash},
    verify::{EntryRow, EntrySource},
    verify_states::LoggedStates,
};
use std::collections::VecDeque;

const ROWS_AT_ONCE: usize = 1_000;
/// Entries of one commit may be some moments out of order; more than this is worth a note.
const CLOCK_SLACK_MICROS: i64 = 1_000_000;

/// The walk over the database's rows, beside the walk over the tiles.
pub(crate) struct RowWalk<'a> {
    source: &'a mut dyn EntrySource,
    logged: Option<&'a mut LoggedStates>,
    buffer: VecDeque<EntryRow>,
    /// The lowest number not asked for yet.
    next: u64,
    at_end: bool,
    failed: bool,
    seen: u64,
    count: u64,
    /// A run of missing rows that is still growing: first and last.
    missing: Option<(u64, u64)>,
    /// The number that the next entry must have.
    expected: u64,
    latest_micros: i64,
}

impl<'a> RowWalk<'a> {
    pub(crate) fn new(source: &'a mut dyn EntrySource, logged: Option<&'a mut LoggedStates>) -> Self {
        Self {
            source,
            logged,
            buffer: VecDeque::new(),
            next: 0,
            at_end: false,
            failed: false,
            seen: 0,
            count: 0,
            missing: None,
            expected: 0,
            latest_micros: i64::MIN,
        }
    }

    /// Compares the number of rows with the size that the checkpoint claims.
    pub(crate) fn check_count(&mut self, size: u64, report: &mut Report) {
        match self.source.count() {
            Ok(count) => self.count = count,
            Err(error) => return self.fail(&error.to_string(), report),
        }
        if self.count < size {
            let detail = format!("has {} rows, fewer than the {size} entries of the checkpoint", self.count);
            report.find(3, "database k_audit", detail);
        }
    }

    fn fail(&mut self, why: &str, report: &mut Report) {
        self.failed = true;
        self.at_end = true;
        report.find(3, "database k_audit", format!("cannot be read: {why}"));
    }

    /// The number of the next row, read ahead when needed.
    fn peek(&mut self, report: &mut Report) -> Option<u64> {
        while self.buffer.is_empty() && !self.at_end {
            let rows = match self.source.rows(self.next, ROWS_AT_ONCE) {
                Ok(rows) => rows,
                Err(error) => {
                    self.fail(&error.to_string(), report);
                    return None;
                }
            };
            self.at_end = rows.is_empty();
            for (seq, bytes) in rows {
                self.seen += 1;
                if seq < self.next {
                    report.find(3, place(seq), "is out of order or there twice");
                    continue;
                }
                self.next = seq.saturating_add(1);
                self.buffer.push_back((seq, bytes));
            }
        }
        self.buffer.front().map(|(seq, _)| *seq)
    }

    /// Compares the rows of one bundle. Where the bundle cannot be read, the hashes of its tile stand in.
    pub(crate) fn sealed(
        &mut self,
        first: u64,
        width: usize,
        entries: Option<&[Vec<u8>]>,
        leaves: Option<&[Hash]>,
        report: &mut Report,
    ) {
        for position in 0..width {
            let index = first + position as u64;
            let entry = entries.and_then(|entries| entries.get(position)).map(Vec::as_slice);
            let leaf = leaves.and_then(|leaves| leaves.get(position));
            let row = (self.peek(report) == Some(index)).then(|| self.buffer.pop_front()).flatten();
            self.expected = index + 1;
            if let Some((_, row)) = &row {
                self.end_missing(report);
                report.checked.rows += 1;
                let same = entry.map(|entry| entry == row).or_else(|| leaf.map(|leaf| leaf_hash(row) == *leaf));
                if same == Some(false) {
                    report.find(3, place(index), "differs from the log");
                }
            } else if !self.failed {
                self.miss(index, report);
            }
            if let Some(bytes) = entry.or(row.as_ref().map(|(_, row)| row.as_slice())) {
                self.look_at(index, bytes, &format!("entry {index}"), report);
            }
        }
    }

    fn miss(&mut self, index: u64, report: &mut Report) {
        match &mut self.missing {
            Some((_, last)) if *last + 1 == index => *last = index,
            _ => {
                self.end_missing(report);
                self.missing = Some((index, index));
            }
        }
    }

    fn end_missing(&mut self, report: &mut Report) {
        match self.missing.take() {
            Some((first, last)) if first == last => report.find(3, place(first), "is missing"),
            Some((first, last)) => report.find(3, format!("{} to {last}", place(first)), "are missing"),
            None => {}
        }
    }

    /// Reads an entry and keeps what later checks need of it.
    fn look_at(&mut self, index: u64, bytes: &[u8], place: &str, report: &mut Report) {
        let entry = match Entry::decode(bytes) {
            Ok(entry) => entry,
            Err(error) => return report.find(3, place, error.to_string()),
        };
        let micros = entry.at.micros();
        let back = self.latest_micros.saturating_sub(micros);
        if self.latest_micros != i64::MIN && back > CLOCK_SLACK_MICROS {
            report.note(3, place, format!("its wall clock is {} s before that of earlier entries", back / 1_000_000));
            // From here on the clock is as it is now, else every later entry would be noted.
            self.latest_micros = micros;
        }
        self.latest_micros = self.latest_micros.max(micros);
        if let Some(logged) = self.logged.as_deref_mut() {
            logged.take(index, entry);
        }
    }

    /// Reads the rows that are not sealed yet; false when the database could not be read to the end.
    pub(crate) fn finish(mut self, report: &mut Report) -> bool {
        self.end_missing(report);
        while self.peek(report).is_some() {
            let Some((seq, bytes)) = self.buffer.pop_front() else { break };
            if seq > self.expected {
                self.missing = Some((self.expected, seq - 1));
                self.end_missing(report);
            }
            self.expected = seq.saturating_add(1);
            report.checked.rows_unsealed += 1;
            self.look_at(seq, &bytes, &place(seq), report);
        }
        if !self.failed && self.seen < self.count {
            let surplus = self.count - self.seen;
            report.find(3, "database k_audit", format!("{surplus} rows have no number of the log"));
        }
        !self.failed
    }
}

fn place(seq: u64) -> String {
    format!("database k_audit seq {seq}")
}
