//! From a file of unknown make to records of cells: encoding, delimiter, header, each found, explained and overridable.
//! Never replaces a byte it cannot decode and never guesses in silence: every finding says how it was made.

mod decode;
mod dialect;
mod encoding;
mod header;
mod plausible;
mod record;
mod scan;

pub use decode::{Decoded, decode};
pub use dialect::Dialect;
pub use encoding::{Confidence, Detection, detect_encoding, encoding_named};
pub use record::{Record, RecordError, RecordReader};
pub use scan::{LineEnds, Position};

use encoding_rs::Encoding;
use header::Header;
use kernel::{Code, Fault, Outcome};
use std::{
    fmt,
    fs::File,
    io::{self, Cursor, Read},
    path::PathBuf,
    sync::Arc,
};

/// Bytes of decoded text from which delimiter, header and date formats are judged.
const SAMPLE_BYTES: u64 = 1024 * 1024;
/// Records kept of the sample.
const SAMPLE_RECORDS: usize = 1_000;

/// Where the bytes are. It is read several times: to find the encoding, to take a sample, to import.
#[derive(Clone)]
pub enum Input {
    /// A file.
    Path(PathBuf),
    /// Bytes in memory.
    Bytes(Arc<[u8]>),
    /// Something that opens anew each time, and its size.
    Stored(Arc<Opens>, u64),
}

/// Opens a file from its beginning.
pub type Opens = dyn Fn() -> io::Result<Box<dyn Read + Send>> + Send + Sync;

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Input({:?} bytes)", self.size())
    }
}

impl Input {
    /// Bytes in all, when that is known.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Path(path) => std::fs::metadata(path).ok().map(|metadata| metadata.len()),
            Self::Bytes(bytes) => u64::try_from(bytes.len()).ok(),
            Self::Stored(_, size) => Some(*size),
        }
    }
    fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Path(path) => Box::new(File::open(path)?),
            Self::Bytes(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
            Self::Stored(open, _) => open()?,
        })
    }
}

/// What the user states about the file; everything else is found.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// The encoding, by a label of the WHATWG Encoding Standard (`gb18030`, `utf-16le`, `windows-1252`).
    pub encoding: Option<String>,
    /// The delimiter.
    pub delimiter: Option<char>,
    /// Whether there is a header line; found when absent.
    pub header: Option<bool>,
    /// The physical line of the header.
    pub header_line: Option<u64>,
}

/// A file that has been looked at and can be read.
pub struct SourceFile {
    input: Input,
    detection: Detection,
    dialect: Dialect,
    header: Header,
    sample: Vec<Record>,
}

impl SourceFile {
    /// Looks at a file: encoding, delimiter, header.
    ///
    /// # Errors
    /// [`Code::ImportEncoding`] when the text cannot be decoded (with line and offset of the first bad byte),
    /// [`Code::ImportMapping`] when an option is not known, [`Code::LimitExceeded`] for cells or rows beyond the
    /// limits. A missing header is no error here; [`crate::plan`] refuses it unless the user said there is none.
    pub fn open(input: Input, options: &OpenOptions) -> Outcome<Self> {
        let detection = detect_encoding(&mut *input.reader().map_err(unreadable)?, options.encoding.as_deref())?;
        let (text, complete) = sample_text(&input, detection.encoding)?;
        let dialect = dialect::find(&text, complete, options.delimiter, options.header)?;
        let mut sample = dialect::records(&text, complete, &dialect, SAMPLE_RECORDS);
        let header = header::settle(&sample, dialect.width, options.header, options.header_line);
        sample.drain(..header.data_index.min(sample.len()));
        sample.retain(|record| !record.is_empty());
        Ok(Self { input, detection, dialect, header, sample })
    }

    /// Where the bytes are.
    pub fn input(&self) -> &Input {
        &self.input
    }
    /// How the bytes are encoded and how that was found.
    pub fn detection(&self) -> &Detection {
        &self.detection
    }
    /// Delimiter and quoting.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }
    /// The names of the columns; `#1`, `#2`… where there is no header, an empty text where a header cell is empty.
    pub fn columns(&self) -> &[String] {
        &self.header.names
    }
    /// The physical line of the header, when there is one.
    pub fn header_line(&self) -> Option<u64> {
        self.header.line
    }
    /// Why no header was found, when one was expected.
    pub fn header_problem(&self) -> Option<&str> {
        self.header.problem.as_deref()
    }
    /// Lines with content above the header.
    pub fn title_lines(&self) -> usize {
        self.header.titles
    }
    /// Columns up to the last one with a name; cells beyond may be absent from a row.
    pub fn named_width(&self) -> usize {
        self.header.names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last.saturating_add(1))
    }
    /// The first data rows, for detection of formats. At most 1,000.
    pub fn sample(&self) -> &[Record] {
        &self.sample
    }
    /// The position of a column: by its name (exactly, then without regard to case and outer blanks; the first of
    /// several), or by `#` and its number.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        let names = &self.header.names;
        let wanted = name.trim();
        let position = || wanted.strip_prefix('#')?.parse::<usize>().ok()?.checked_sub(1);
        names
            .iter()
            .position(|column| column == wanted && !column.is_empty())
            .or_else(|| {
                names.iter().position(|column| !column.is_empty() && column.to_lowercase() == wanted.to_lowercase())
            })
            .or_else(|| position().filter(|index| *index < names.len()))
    }
    /// Reads the data rows from the first one on.
    ///
    /// # Errors
    /// [`Code::ImportEncoding`] when the file can no longer be opened.
    pub fn records(&self) -> Outcome<RecordReader<Decoded<Box<dyn Read + Send>>>> {
        let decoded = decode(self.input.reader().map_err(unreadable)?, self.detection.encoding);
        let mut reader = RecordReader::new(decoded, &self.dialect);
        reader.skip_to_line(self.header.data_line);
        Ok(reader)
    }
}

fn unreadable(error: io::Error) -> Fault {
    Fault::new(Code::ImportEncoding, "The file cannot be opened for reading.").with_cause(error)
}

/// The first megabyte as text, and whether that is all of it.
fn sample_text(input: &Input, encoding: &'static Encoding) -> Outcome<(String, bool)> {
    let mut bytes = Vec::new();
    decode(input.reader().map_err(unreadable)?, encoding)
        .take(SAMPLE_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| RecordError::Read(error).into_fault())?;
    let complete = u64::try_from(bytes.len()).is_ok_and(|length| length < SAMPLE_BYTES);
    // The cut may fall inside a character; the last record is dropped anyway.
    let valid = std::str::from_utf8(&bytes).map_or_else(|error| error.valid_up_to(), str::len);
    bytes.truncate(valid);
    Ok((String::from_utf8(bytes).unwrap_or_default(), complete))
}
