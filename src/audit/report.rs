//! What a verification found, for people and for programs. Holds places, numbers and record ids, never a value.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use std::fmt;

use crate::tree::Hash;

/// Findings kept with their words; beyond that they are only counted.
const FINDINGS_KEPT_MAX: usize = 1_000;
/// Notes kept with their words.
const NOTES_KEPT_MAX: usize = 100;

/// One thing that is not as it must be, or a note about one that is odd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The level of verification that found it, 1 to 4.
    pub level: u8,
    /// Where: a file of the log, a row of the database, a record.
    pub place: String,
    /// What is wrong with it.
    pub detail: String,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Hash tiles read.
    pub tiles: u64,
    /// Hashes in tiles that were computed anew and compared.
    pub hashes: u64,
    /// Entries of the log hashed anew.
    pub entries: u64,
    /// Database rows compared with the log.
    pub rows: u64,
    /// Database rows newer than the checkpoint, read but not yet sealed.
    pub rows_unsealed: u64,
    /// Records compared with their last logged state.
    pub records: u64,
}

/// The result of a verification.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether nothing is wrong at any level that was asked for, and each was carried out to its end.
    pub ok: bool,
    /// The highest level asked for.
    pub level_asked: u8,
    /// The highest level up to which everything was carried out to its end.
    pub level_reached: u8,
    /// Entries under the checkpoint, as it claims.
    pub size: u64,
    /// The root in the checkpoint, base64; empty when there was no readable checkpoint.
    pub root: String,
    /// How much was looked at.
    pub checked: Counts,
    /// What is wrong; the first 1,000.
    pub findings: Vec<Finding>,
    /// How many findings there were.
    pub findings_total: u64,
    /// What is odd but may be right, such as a wall clock that went back; the first 100.
    pub notes: Vec<Finding>,
    /// How many notes there were.
    pub notes_total: u64,
}

impl Report {
    pub(crate) fn new(level_asked: u8) -> Self {
        Self {
            ok: false,
            level_asked,
            level_reached: 0,
            size: 0,
            root: String::new(),
            checked: Counts::default(),
            findings: Vec::new(),
            findings_total: 0,
            notes: Vec::new(),
            notes_total: 0,
        }
    }
    pub(crate) fn claim(&mut self, size: u64, root: &Hash) {
        self.size = size;
        self.root = STANDARD.encode(root);
    }
    pub(crate) fn find(&mut self, level: u8, place: impl Into<String>, detail: impl Into<String>) {
        self.findings_total += 1;
        if self.findings.len() < FINDINGS_KEPT_MAX {
            self.findings.push(Finding { level, place: place.into(), detail: detail.into() });
        }
    }
    pub(crate) fn note(&mut self, level: u8, place: impl Into<String>, detail: impl Into<String>) {
        self.notes_total += 1;
        if self.notes.len() < NOTES_KEPT_MAX {
            self.notes.push(Finding { level, place: place.into(), detail: detail.into() });
        }
    }
    pub(crate) fn close(mut self) -> Self {
        self.ok = self.findings_total == 0 && self.level_reached == self.level_asked;
        self
    }

    /// Writes the report as plain English text, one finding per line.
    ///
    /// # Errors
    /// Only what `out` says.
    pub fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let verdict = if self.ok { "The log is sound" } else { "The log is NOT sound" };
        writeln!(out, "{verdict}: level {} of {} carried out.", self.level_reached, self.level_asked)?;
        writeln!(out, "Checkpoint: {} entries, root {}", self.size, self.root)?;
        let Counts { tiles, hashes, entries, rows, rows_unsealed, records } = self.checked;
        writeln!(out, "Checked: {tiles} tiles, {hashes} hashes, {entries} entries, {rows} database rows")?;
        writeln!(out, "         {rows_unsealed} rows not yet sealed, {records} records")?;
        write_list(out, "Findings", &self.findings, self.findings_total)?;
        write_list(out, "Notes", &self.notes, self.notes_total)
    }
}

fn write_list(out: &mut dyn fmt::Write, title: &str, list: &[Finding], total: u64) -> fmt::Result {
    if total == 0 {
        return Ok(());
    }
    writeln!(out, "{title}: {total}")?;
    for Finding { level, place, detail } in list {
        writeln!(out, "  level {level}  {place}: {detail}")?;
    }
    let more = total - list.len() as u64;
    if more > 0 { writeln!(out, "  and {more} more") } else { Ok(()) }
}
