//! The delimiter: the one under which most records have the same number of cells and a header can be seen.
//! Quoted text is honoured, so a comma inside quotes counts for nothing. Never splits what the user says is one column.

use super::{
    LineEnds,
    header::{self, HEADER_SEARCH_RECORDS},
    record::{Record, RecordReader},
};
use kernel::{Code, Fault, Outcome};

/// Delimiters that are tried, in order of preference.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Records judged per delimiter.
const JUDGED_RECORDS: usize = 300;

/// How cells are separated and quoted.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialect {
    /// Between cells; an ASCII character.
    pub delimiter: u8,
    /// Around cells.
    pub quote: u8,
    /// Before a quote inside quotes, where a doubled quote is not the way of this file.
    pub escape: Option<u8>,
    /// The usual number of cells.
    pub width: usize,
    /// How lines end.
    pub line_ends: LineEnds,
    /// How the delimiter was found, in words.
    pub how: String,
}

impl Dialect {
    /// The common dialect (RFC 4180) with this delimiter.
    pub fn new(delimiter: u8) -> Self {
        Self { delimiter, quote: b'"', escape: None, width: 0, line_ends: LineEnds::None, how: String::new() }
    }
    /// The delimiter for people.
    pub fn delimiter_name(&self) -> String {
        match self.delimiter {
            b',' => "comma".to_owned(),
            b';' => "semicolon".to_owned(),
            b'\t' => "tab".to_owned(),
            b'|' => "pipe".to_owned(),
            other => char::from(other).to_string(),
        }
    }
}

/// The records of a sample. The last one of an incomplete sample is dropped: it may have been cut. A record that cannot
/// be read ends the sample; reading the whole file will tell.
pub(crate) fn records(text: &str, complete: bool, dialect: &Dialect, count_max: usize) -> Vec<Record> {
    let mut reader = RecordReader::new(text.as_bytes(), dialect);
    let mut records = Vec::new();
    while records.len() < count_max {
        match reader.next_record() {
            Ok(Some(record)) => records.push(record),
            Ok(None) => {
                if !complete {
                    records.pop();
                }
                break;
            }
            Err(_) => break,
        }
    }
    records
}

/// The number of cells most records have; of equally frequent ones, the one seen first. Also how many have it.
fn usual_width(records: &[Record]) -> (usize, usize, usize) {
    let mut counts: Vec<(usize, usize)> = Vec::new();
    let filled: Vec<&Record> = records.iter().filter(|record| !record.is_empty()).collect();
    for record in &filled {
        let width = record.cells.len();
        match counts.iter_mut().find(|(seen, _)| *seen == width) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => counts.push((width, 1)),
        }
    }
    // `max_by_key` keeps the last of equals, so the search runs backwards.
    let (width, count) = counts.into_iter().rev().max_by_key(|(_, count)| *count).unwrap_or((1, 0));
    (width, count, filled.len())
}

struct Candidate {
    dialect: Dialect,
    score: f64,
}

fn judge(text: &str, complete: bool, mut dialect: Dialect, stated_header: Option<bool>) -> Candidate {
    let records = records(text, complete, &dialect, JUDGED_RECORDS);
    let (width, same, all) = usual_width(&records);
    dialect.width = width;
    dialect.how = format!("{same} of {all} sampled rows have {width} {}", if width == 1 { "cell" } else { "cells" });
    if width < 2 || all == 0 {
        return Candidate { dialect, score: 0.0 };
    }
    let share = |part: usize, whole: usize| {
        f64::from(u32::try_from(part).unwrap_or(u32::MAX)) / f64::from(u32::try_from(whole).unwrap_or(u32::MAX))
    };
    let searched = records.get(..records.len().min(HEADER_SEARCH_RECORDS)).unwrap_or_default();
    let headed = stated_header != Some(false) && header::find(searched, width).is_some();
    let score = share(same, all) + if headed { 0.3 } else { 0.0 } + share(width.min(20), 20) * 0.2;
    Candidate { dialect, score }
}

/// Finds the dialect of a sample; `stated` is the user's delimiter.
///
/// # Errors
/// [`Code::ImportMapping`] when the stated delimiter is not a single ASCII character other than quote and line end.
pub(crate) fn find(text: &str, complete: bool, stated: Option<char>, header: Option<bool>) -> Outcome<Dialect> {
    let line_ends = LineEnds::of(text);
    let stated = stated.map(usable).transpose()?;
    let tried: Vec<u8> = stated.map_or_else(|| DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
    let mut best: Option<Candidate> = None;
    for delimiter in tried {
        // A backslash before a quote is an escape only where that makes the rows more regular.
        let escapes: &[Option<u8>] = if text.contains("\\\"") { &[None, Some(b'\\')] } else { &[None] };
        for escape in escapes {
            let mut candidate = judge(text, complete, Dialect { escape: *escape, ..Dialect::new(delimiter) }, header);
            if escape.is_some() {
                candidate.score -= 0.01;
            }
            if best.as_ref().is_none_or(|best| candidate.score > best.score) {
                best = Some(candidate);
            }
        }
    }
    let mut dialect = best.map_or_else(|| Dialect::new(b','), |candidate| candidate.dialect);
    if stated.is_some() {
        dialect.how = "stated by the user".to_owned();
    }
    dialect.line_ends = line_ends;
    Ok(dialect)
}

fn usable(delimiter: char) -> Outcome<u8> {
    u8::try_from(delimiter)
        .ok()
        .filter(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'"' | b'\n' | b'\r' | 0))
        .ok_or_else(|| {
            Fault::new(Code::ImportMapping, "The delimiter must be one ASCII character, such as , ; | or a tab.")
        })
}
