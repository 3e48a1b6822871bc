//! Runs a plan over a file: one draft or one rejected row at a time, in constant memory, with a tally at the end.
//! Never skips a row without counting it, and never goes on after a place from which the file cannot be read safely.

use crate::{
    DraftRow, Plan, RecordReader, RejectedRow, SourceFile,
    mapping::column_name,
    source::{Decoded, Record},
};
use kernel::{Code, Fault, Outcome};
use serde::Serialize;
use std::io::Read;

/// What a run has seen so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Rows that became drafts.
    pub drafts: u64,
    /// Rows that were rejected.
    pub rejected: u64,
    /// Lines without content.
    pub empty: u64,
    /// Columns that are neither mapped nor ignored, and how many values were left out because of that.
    pub left_out: Vec<(String, u64)>,
}

/// Why a row did not become a draft.
#[derive(Debug)]
pub enum RowError {
    /// This row only; the next ones follow.
    Rejected(Box<RejectedRow>),
    /// The file cannot be read further; nothing follows.
    Stopped(Fault),
}

/// Yields the rows of a file as drafts.
pub struct RowReader {
    records: RecordReader<Decoded<Box<dyn Read + Send>>>,
    plan: Plan,
    width: usize,
    named: usize,
    tally: Tally,
    stopped: bool,
}

impl RowReader {
    /// Starts at the first data row.
    ///
    /// # Errors
    /// When the file can no longer be opened.
    pub fn new(source: &SourceFile, plan: Plan) -> Outcome<Self> {
        let left_out = plan.unmapped.iter().map(|index| (column_name(source.columns(), *index), 0)).collect();
        Ok(Self {
            records: source.records()?,
            width: source.columns().len(),
            named: source.named_width(),
            plan,
            tally: Tally { left_out, ..Tally::default() },
            stopped: false,
        })
    }
    /// What was seen so far; whole once the iterator has ended.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }
    /// Bytes of the file taken so far, for a progress bar.
    pub fn bytes_read(&self) -> u64 {
        self.records.source().consumed()
    }

    fn row(&mut self, record: Record) -> Result<DraftRow, RowError> {
        if let Some(reason) = self.misfit(&record) {
            return Err(self.reject(record, Code::ImportRow, reason));
        }
        for (index, count) in self.plan.unmapped.iter().zip(self.tally.left_out.iter_mut()) {
            if record.cells.get(*index).is_some_and(|cell| !cell.trim().is_empty()) {
                count.1 = count.1.saturating_add(1);
            }
        }
        let mut faults = Vec::new();
        let applying = self.plan.related.iter().filter(|related| related.applies(&record.cells));
        let related = applying.map(|related| related.draft(&record.cells, &mut faults)).collect();
        let main = self.plan.main.draft(&record.cells, &mut faults);
        if let Some((_, first)) = faults.first() {
            let code = first.code;
            let reasons: Vec<String> =
                faults.iter().map(|(place, wrong)| format!("{place}: {}", wrong.detail)).collect();
            return Err(self.reject(record, code, reasons.join(" ")));
        }
        self.tally.drafts = self.tally.drafts.saturating_add(1);
        Ok(DraftRow { line: record.line, related, main, raw: record.cells })
    }

    fn reject(&mut self, record: Record, code: Code, reason: String) -> RowError {
        self.tally.rejected = self.tally.rejected.saturating_add(1);
        RowError::Rejected(Box::new(RejectedRow { line: record.line, code, reason, raw: record.cells }))
    }

    /// A row must have the cells of the header; only cells beyond the last named column may be absent, and cells
    /// beyond the last column must be empty. A shifted row would put values into wrong fields.
    fn misfit(&self, record: &Record) -> Option<String> {
        let count = record.cells.len();
        let surplus = record.cells.iter().skip(self.width).any(|cell| !cell.trim().is_empty());
        if surplus || count < self.named {
            return Some(format!(
                "The row has {count} cells, the header {}. A delimiter or quote is missing or too many.",
                self.width
            ));
        }
        let zero = record.cells.iter().any(|cell| cell.contains('\0'));
        zero.then(|| "The row has a NUL character, which no field can hold.".to_owned())
    }
}

impl Iterator for RowReader {
    type Item = Result<DraftRow, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.stopped {
            match self.records.next_record() {
                Ok(None) => self.stopped = true,
                Ok(Some(record)) if record.is_empty() => self.tally.empty = self.tally.empty.saturating_add(1),
                Ok(Some(record)) => return Some(self.row(record)),
                Err(error) => {
                    self.stopped = true;
                    return Some(Err(RowError::Stopped(error.into_fault())));
                }
            }
        }
        None
    }
}
