//! Splits UTF-8 text into records of cells (RFC 4180 and its common deviations) with what an import needs on top: the
//! physical line of each record under every kind of line end, limits on cell and row while they are read, blanks before
//! an opening quote, and an error where a quote is never closed. Interprets no cell.

use super::{decode::DecodeError, dialect::Dialect};
use csv::{ByteRecord, StringRecord};
use kernel::{Code, Fault, limits};
use std::io::{self, Read};

/// One record.
#[derive(Clone, PartialEq)]
pub struct Record {
    /// The physical line it begins on, from 1.
    pub line: u64,
    /// Its cells, unquoted, otherwise untouched.
    pub cells: StringRecord,
}

impl Record {
    /// Whether there is nothing in it but blanks.
    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

/// Why reading stopped. There is no safe way to go on after any of these.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A quoted cell is open at the end of the file.
    #[error("the quoted cell of the record on line {line} is never closed")]
    QuoteOpen {
        /// The line the record begins on.
        line: u64,
    },
    /// A limit is exceeded.
    #[error("the record on line {line} exceeds {limit}")]
    Limit {
        /// The line the record begins on.
        line: u64,
        /// The name of the limit.
        limit: &'static str,
    },
    /// The bytes cannot be read or decoded.
    #[error("reading failed")]
    Read(#[source] io::Error),
}

impl RecordError {
    /// The same for the person who imports.
    pub fn into_fault(self) -> Fault {
        match self {
            Self::QuoteOpen { line } => Fault::new(
                Code::ImportRow,
                format!(
                    "A quoted cell of the row on line {line} is never closed, so the rest of the file is part of it. Close or double the quote there."
                ),
            ),
            Self::Limit { line, limit } => Fault::new(
                Code::LimitExceeded,
                format!(
                    "The row on line {line} exceeds {limit}. A quote that is opened there and never closed is the usual cause."
                ),
            ),
            Self::Read(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<DecodeError>()) {
                Some(bad) => Fault::new(
                    Code::ImportEncoding,
                    format!(
                        "Line {} has bytes that are not valid {} (byte {} of the file). State the right encoding.",
                        bad.at.line, bad.encoding, bad.at.offset
                    ),
                ),
                None => Fault::new(Code::ImportEncoding, "The file cannot be read to its end.").with_cause(error),
            },
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first character of a cell; blanks seen so far are in `cell`.
    Start,
    Plain,
    Quoted,
    /// After the escape character inside quotes.
    Escaped,
    /// After a quote inside quotes: the end of the cell, or the first half of a doubled quote.
    QuoteSeen,
}

/// The state of the record being read.
struct Machine {
    delimiter: u8,
    quote: u8,
    escape: Option<u8>,
    state: State,
    cell: Vec<u8>,
    cells: ByteRecord,
    row_bytes: usize,
    begun: bool,
    start_line: u64,
    line: u64,
    after_cr: bool,
    swallow_lf: bool,
}

impl Machine {
    /// Takes bytes until a record ends; says how many and whether one did.
    fn feed(&mut self, chunk: &[u8]) -> Result<(usize, bool), RecordError> {
        let mut used = 0_usize;
        while let Some(byte) = chunk.get(used).copied() {
            if std::mem::take(&mut self.swallow_lf) && byte == b'\n' {
                self.after_cr = false;
                used = used.saturating_add(1);
                continue;
            }
            if !std::mem::replace(&mut self.begun, true) {
                self.start_line = self.line;
            }
            let rest = chunk.get(used..).unwrap_or_default();
            let run = self.run(rest);
            if run > 0 {
                self.push(rest.get(..run).unwrap_or_default())?;
                used = used.saturating_add(run);
                continue;
            }
            used = used.saturating_add(1);
            if self.step(byte)? {
                return Ok((used, true));
            }
        }
        Ok((used, false))
    }

    /// How many of the next bytes are plain content.
    fn run(&self, rest: &[u8]) -> usize {
        let special = |byte: &u8| match self.state {
            State::Plain => *byte == self.delimiter || *byte == b'\n' || *byte == b'\r',
            State::Quoted => *byte == self.quote || *byte == b'\n' || *byte == b'\r' || Some(*byte) == self.escape,
            _ => true,
        };
        rest.iter().position(special).unwrap_or(rest.len())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), RecordError> {
        self.after_cr = false;
        self.cell.extend_from_slice(bytes);
        self.row_bytes = self.row_bytes.saturating_add(bytes.len());
        if self.cell.len() > limits::IMPORT_CELL_BYTES_MAX {
            return Err(RecordError::Limit { line: self.start_line, limit: "IMPORT_CELL_BYTES_MAX" });
        }
        if self.row_bytes > limits::IMPORT_ROW_BYTES_MAX {
            return Err(RecordError::Limit { line: self.start_line, limit: "IMPORT_ROW_BYTES_MAX" });
        }
        Ok(())
    }

    /// Takes one byte that may mean something; says whether the record ends with it.
    fn step(&mut self, byte: u8) -> Result<bool, RecordError> {
        let inside = matches!(self.state, State::Quoted | State::Escaped);
        if matches!(byte, b'\n' | b'\r') {
            let counted = byte == b'\r' || !self.after_cr;
            self.line = if counted { self.line.saturating_add(1) } else { self.line };
            if !inside {
                self.swallow_lf = byte == b'\r';
                self.end_cell()?;
                return Ok(true);
            }
            self.state = State::Quoted;
            self.push(&[byte])?;
            self.after_cr = byte == b'\r';
            return Ok(false);
        }
        if byte == self.delimiter && !inside {
            self.end_cell()?;
            return Ok(false);
        }
        match self.state {
            State::Start if byte == self.quote => {
                self.cell.clear();
                self.state = State::Quoted;
            }
            State::Start => {
                if !matches!(byte, b' ' | b'\t') {
                    self.state = State::Plain;
                }
                self.push(&[byte])?;
            }
            State::Quoted if byte == self.quote => self.state = State::QuoteSeen,
            State::Quoted => self.state = State::Escaped,
            State::Escaped => {
                // Only a quote or the escape itself is escaped; `\n` and `\x` are two ordinary characters.
                if byte != self.quote && Some(byte) != self.escape {
                    self.push(self.escape.as_slice().to_vec().as_slice())?;
                }
                self.push(&[byte])?;
                self.state = State::Quoted;
            }
            State::QuoteSeen if byte == self.quote => {
                self.push(&[byte])?;
                self.state = State::Quoted;
            }
            // Text after a closing quote is kept as text, as spreadsheets do.
            State::QuoteSeen | State::Plain => {
                self.push(&[byte])?;
                self.state = State::Plain;
            }
        }
        Ok(false)
    }

    fn end_cell(&mut self) -> Result<(), RecordError> {
        if self.cells.len() >= limits::IMPORT_COLUMNS_MAX {
            return Err(RecordError::Limit { line: self.start_line, limit: "IMPORT_COLUMNS_MAX" });
        }
        self.cells.push_field(&self.cell);
        self.cell.clear();
        self.state = State::Start;
        Ok(())
    }

    fn take(&mut self) -> Result<Record, RecordError> {
        let bytes = std::mem::replace(&mut self.cells, ByteRecord::new());
        self.row_bytes = 0;
        self.begun = false;
        let cells = StringRecord::from_byte_record(bytes).map_err(|error| {
            RecordError::Read(io::Error::new(io::ErrorKind::InvalidData, error.utf8_error().clone()))
        })?;
        Ok(Record { line: self.start_line, cells })
    }
}

/// Reads records one by one from UTF-8 text, in memory bounded by the limits.
pub struct RecordReader<R> {
    source: R,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    machine: Machine,
    from_line: u64,
    ended: bool,
}

impl<R: Read> RecordReader<R> {
    /// A reader of text in this dialect.
    pub fn new(source: R, dialect: &Dialect) -> Self {
        let machine = Machine {
            delimiter: dialect.delimiter,
            quote: dialect.quote,
            escape: dialect.escape,
            state: State::Start,
            cell: Vec::new(),
            cells: ByteRecord::new(),
            row_bytes: 0,
            begun: false,
            start_line: 1,
            line: 1,
            after_cr: false,
            swallow_lf: false,
        };
        Self { source, buffer: vec![0; 64 * 1024], from: 0, to: 0, machine, from_line: 0, ended: false }
    }

    /// The reader of the text.
    pub fn source(&self) -> &R {
        &self.source
    }

    /// Leaves out records that begin before this line.
    pub fn skip_to_line(&mut self, line: u64) {
        self.from_line = line;
    }

    /// The next record, with empty lines as records of one empty cell; `None` at the end. After an error, `None`.
    ///
    /// # Errors
    /// As [`RecordError`] says.
    pub fn next_record(&mut self) -> Result<Option<Record>, RecordError> {
        while !self.ended {
            let result = self.read();
            match &result {
                Ok(Some(record)) if record.line < self.from_line => continue,
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => self.ended = true,
            }
            return result;
        }
        Ok(None)
    }

    fn read(&mut self) -> Result<Option<Record>, RecordError> {
        loop {
            if self.from >= self.to {
                self.from = 0;
                self.to = match self.source.read(&mut self.buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    other => other.map_err(RecordError::Read)?,
                };
                if self.to == 0 {
                    return self.finish();
                }
            }
            let chunk = self.buffer.get(self.from..self.to).unwrap_or_default();
            let (used, complete) = self.machine.feed(chunk)?;
            self.from = self.from.saturating_add(used);
            if complete {
                return self.machine.take().map(Some);
            }
        }
    }

    /// The end of the text also ends a record.
    fn finish(&mut self) -> Result<Option<Record>, RecordError> {
        if matches!(self.machine.state, State::Quoted | State::Escaped) {
            return Err(RecordError::QuoteOpen { line: self.machine.start_line });
        }
        if !self.machine.begun {
            return Ok(None);
        }
        self.machine.end_cell()?;
        self.machine.take().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, dialect: &Dialect) -> Vec<(u64, Vec<String>)> {
        let mut reader = RecordReader::new(text.as_bytes(), dialect);
        let mut rows = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            rows.push((record.line, record.cells.iter().map(str::to_owned).collect()));
        }
        rows
    }
    fn row(line: u64, cells: &[&str]) -> (u64, Vec<String>) {
        (line, cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn lines_are_counted_under_every_kind_of_line_end() {
        let comma = Dialect::new(b',');
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a,b", "\"x", "y\",2", "", "3,4"].join(end);
            let expected =
                [row(1, &["a", "b"]), row(2, &[&format!("x{end}y"), "2"]), row(4, &[""]), row(5, &["3", "4"])];
            assert_eq!(read(&text, &comma), expected);
        }
    }

    #[test]
    fn quotes_blanks_and_escapes() {
        let comma = Dialect::new(b',');
        assert_eq!(read("a, \"b, c\" ,\"d\"\"e\",\"v\"x", &comma), [row(1, &["a", "b, c ", "d\"e", "vx"])]);
        let escaping = Dialect { escape: Some(b'\\'), ..Dialect::new(b';') };
        assert_eq!(read(r#""a \"b; c\" \n \\";2"#, &escaping), [row(1, &[r#"a "b; c" \n \"#, "2"])]);
    }

    #[test]
    fn an_open_quote_and_each_limit_are_errors() {
        let comma = Dialect::new(b',');
        let error = |text: &str| {
            let mut reader = RecordReader::new(text.as_bytes(), &comma);
            loop {
                match reader.next_record() {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("no error"),
                    Err(error) => return error,
                }
            }
        };
        assert!(matches!(error("a\n\"b,c\nd"), RecordError::QuoteOpen { line: 2 }));
        let long = "x".repeat(limits::IMPORT_CELL_BYTES_MAX + 1);
        assert!(matches!(error(&long), RecordError::Limit { limit: "IMPORT_CELL_BYTES_MAX", .. }));
        let wide = ",".repeat(limits::IMPORT_COLUMNS_MAX);
        assert!(matches!(error(&wide), RecordError::Limit { limit: "IMPORT_COLUMNS_MAX", .. }));
        let heavy = format!("{},", "x".repeat(limits::IMPORT_CELL_BYTES_MAX)).repeat(9);
        assert!(matches!(error(&heavy), RecordError::Limit { limit: "IMPORT_ROW_BYTES_MAX", .. }));
    }
}
