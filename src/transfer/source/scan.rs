//! One pass over all bytes of a file in constant memory: is it UTF-8 to the end, where is the first byte that is not,
//! what do the non-ASCII parts look like. Decides nothing; `encoding` does.

use serde::Serialize;
use std::io::{self, Read};

/// Bytes kept from the beginning of the file.
const HEAD_BYTES: usize = 1024 * 1024;
/// Bytes kept from the first line with a non-ASCII byte on.
const EVIDENCE_BYTES: usize = 64 * 1024;
/// After so many bad sequences the file is not UTF-8, and further counting tells nothing.
const INVALID_ENOUGH: u64 = 10_000;

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Physical line, from 1; LF, CRLF and a lone CR each end a line.
    pub line: u64,
    /// Byte offset, from 0.
    pub offset: u64,
}

/// How lines end in the sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineEnds {
    /// No line end seen.
    None,
    /// LF.
    Lf,
    /// CR LF.
    CrLf,
    /// A lone CR, as old Macintosh programs wrote.
    Cr,
    /// More than one kind; often CRLF with bare LF inside quoted cells.
    Mixed,
}

impl LineEnds {
    /// The kind of line ends in a text.
    pub(crate) fn of(text: &str) -> Self {
        let crlf = text.matches("\r\n").count();
        let lf = text.matches('\n').count().saturating_sub(crlf);
        let cr = text.matches('\r').count().saturating_sub(crlf);
        match (lf > 0, crlf > 0, cr > 0) {
            (false, false, false) => Self::None,
            (true, false, false) => Self::Lf,
            (false, true, false) => Self::CrLf,
            (false, false, true) => Self::Cr,
            _ => Self::Mixed,
        }
    }
}

/// Counts physical lines over chunks of ASCII-compatible bytes.
#[derive(Default)]
pub(crate) struct LineCounter {
    ended: u64,
    after_cr: bool,
}

impl LineCounter {
    /// Takes the next bytes into account.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\r' || (*byte == b'\n' && !self.after_cr) {
                self.ended = self.ended.saturating_add(1);
            }
            self.after_cr = *byte == b'\r';
        }
    }
    /// The line the next byte stands on, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.ended.saturating_add(1)
    }
}

/// What one pass over the bytes has shown.
#[derive(Default)]
pub(crate) struct Scan {
    /// The first bytes.
    pub(crate) head: Vec<u8>,
    /// From the start of the first line with a non-ASCII byte.
    pub(crate) evidence: Vec<u8>,
    /// Whether the evidence goes to the end of the file.
    pub(crate) evidence_complete: bool,
    /// Well-formed UTF-8 sequences of two and more bytes.
    pub(crate) multibyte: u64,
    /// Ill-formed UTF-8 sequences.
    pub(crate) invalid: u64,
    /// The first of them.
    pub(crate) first_invalid: Option<Position>,
    offset: u64,
    lines: LineCounter,
    /// Bytes of the current line, as long as no evidence has begun; capped.
    line_start: Vec<u8>,
}

impl Scan {
    /// Reads to the end, or until it is plain that the file is not UTF-8.
    pub(crate) fn run(reader: &mut dyn Read) -> io::Result<Self> {
        let mut scan = Self::default();
        let mut buffer = vec![0_u8; 64 * 1024];
        let mut carry: Vec<u8> = Vec::new();
        loop {
            let count = match reader.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            let fresh = buffer.get(..count).unwrap_or_default();
            scan.collect(fresh);
            if carry.is_empty() && fresh.is_ascii() && count > 0 {
                scan.pass(fresh);
                continue;
            }
            carry.extend_from_slice(fresh);
            let used = scan.validate(&carry, count == 0);
            carry.drain(..used.min(carry.len()));
            if count == 0 {
                scan.evidence_complete = scan.evidence.len() < EVIDENCE_BYTES;
                return Ok(scan);
            }
            let told_enough = scan.invalid > INVALID_ENOUGH && scan.evidence.len() >= EVIDENCE_BYTES;
            if told_enough && scan.head.len() >= HEAD_BYTES {
                return Ok(scan);
            }
        }
    }

    fn collect(&mut self, fresh: &[u8]) {
        let room = HEAD_BYTES.saturating_sub(self.head.len()).min(fresh.len());
        self.head.extend_from_slice(fresh.get(..room).unwrap_or_default());
        let mut rest = fresh;
        if self.evidence.is_empty() {
            let Some(first) = fresh.iter().position(|byte| !byte.is_ascii()) else {
                self.remember_line(fresh);
                return;
            };
            let (before, after) = fresh.split_at_checked(first).unwrap_or_default();
            self.remember_line(before);
            self.evidence.append(&mut self.line_start);
            rest = after;
        }
        let room = EVIDENCE_BYTES.saturating_sub(self.evidence.len()).min(rest.len());
        self.evidence.extend_from_slice(rest.get(..room).unwrap_or_default());
    }

    fn remember_line(&mut self, bytes: &[u8]) {
        let fresh_line = bytes.iter().rposition(|byte| matches!(byte, b'\n' | b'\r'));
        if let Some(end) = fresh_line {
            self.line_start.clear();
            self.line_start.extend_from_slice(bytes.get(end.saturating_add(1)..).unwrap_or_default());
        } else {
            self.line_start.extend_from_slice(bytes);
        }
        // A lead byte can only precede a non-ASCII one, so cutting ASCII context is harmless.
        if self.line_start.len() > 4_096 {
            self.line_start.clear();
        }
    }

    /// Takes valid bytes into account.
    fn pass(&mut self, bytes: &[u8]) {
        self.lines.feed(bytes);
        self.offset = self.offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }

    /// Validates as much as possible and says how much that was; an unfinished sequence at the end waits for more.
    fn validate(&mut self, bytes: &[u8], last: bool) -> usize {
        let mut used = 0_usize;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            let (valid, bad) = match std::str::from_utf8(rest) {
                Ok(_) => (rest.len(), None),
                Err(error) => (error.valid_up_to(), Some(error.error_len())),
            };
            let good = rest.get(..valid).unwrap_or_default();
            let sequences = good.iter().filter(|byte| **byte >= 0xC2).count();
            self.multibyte = self.multibyte.saturating_add(u64::try_from(sequences).unwrap_or(u64::MAX));
            self.pass(good);
            used = used.saturating_add(valid);
            let skip = match bad {
                None => return used,
                Some(None) if !last => return used,
                Some(None) => rest.len().saturating_sub(valid),
                Some(Some(length)) => length,
            };
            self.invalid = self.invalid.saturating_add(1);
            self.first_invalid.get_or_insert(Position { line: self.lines.line(), offset: self.offset });
            self.pass(bytes.get(used..used.saturating_add(skip)).unwrap_or_default());
            used = used.saturating_add(skip);
        }
    }
}
