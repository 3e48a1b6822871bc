//! The file of rejected rows: the original cells, then `_line`, `_code` and `_reason`; UTF-8 with a byte order mark, so
//! that spreadsheets read it, and readable by its owner only. Mended, it goes back in with the mapping of its original.
//!
//! Cells that begin with `=`, `+`, `-` or `@` are deliberately not disarmed here: a prefix would come back as part of
//! the value. The file holds nothing but what its owner already had. Never appears under its name before it is whole.

use csv::{StringRecord, Terminator, WriterBuilder};
use kernel::Code;
use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// A row that did not become a record, and why.
#[derive(Clone, PartialEq)]
pub struct RejectedRow {
    /// The physical line on which it begins.
    pub line: u64,
    /// The stable code of the first reason.
    pub code: Code,
    /// All reasons in words, without the values of the row.
    pub reason: String,
    /// The row as it stood in the file.
    pub raw: StringRecord,
}

impl fmt::Debug for RejectedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectedRow")
            .field("line", &self.line)
            .field("code", &self.code)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// Writes rejected rows to `<path>.part` and renames it at the end.
pub struct RejectWriter {
    path: PathBuf,
    part: PathBuf,
    writer: csv::Writer<BufWriter<File>>,
    rows: u64,
}

impl RejectWriter {
    /// Begins a file for rows with these columns; an empty name is written as the number of the column. `delimiter` is
    /// that of the source, so that its mapping fits.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path, columns: &[String], delimiter: u8) -> io::Result<Self> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        // A left-over part of an earlier run may have other permissions; a new file gets them right from the start.
        match fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut buffer = BufWriter::new(options.open(&part)?);
        buffer.write_all("\u{feff}".as_bytes())?;
        let mut writer =
            WriterBuilder::new().delimiter(delimiter).flexible(true).terminator(Terminator::CRLF).from_writer(buffer);
        writer.write_record(header_of(columns)).map_err(csv_error)?;
        Ok(Self { path: path.to_owned(), part, writer, rows: 0 })
    }

    /// Adds a row. One with too many or too few cells keeps its own count, so that it is refused again until mended.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, row: &RejectedRow) -> io::Result<()> {
        self.writer.write_record(row_of(&row.raw, row.line, row.code, &row.reason)).map_err(csv_error)?;
        self.rows = self.rows.saturating_add(1);
        Ok(())
    }

    /// Rows written so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Puts the file in place and returns its path; without a single row no file remains, and an older one is untouched.
    ///
    /// # Errors
    /// When the file cannot be written, synced or renamed.
    pub fn finish(self) -> io::Result<Option<PathBuf>> {
        let mut buffer = self.writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        buffer.flush()?;
        if self.rows == 0 {
            fs::remove_file(&self.part)?;
            return Ok(None);
        }
        buffer.get_ref().sync_all()?;
        fs::rename(&self.part, &self.path)?;
        Ok(Some(self.path))
    }
}

/// The first line of a file of rejected rows.
pub(crate) fn header_of(columns: &[String]) -> Vec<String> {
    let names = columns
        .iter()
        .enumerate()
        .map(|(index, name)| if name.is_empty() { format!("#{}", index.saturating_add(1)) } else { name.clone() });
    names.chain(["_line", "_code", "_reason"].into_iter().map(str::to_owned)).collect()
}

/// One rejected row.
pub(crate) fn row_of(raw: &StringRecord, line: u64, code: Code, reason: &str) -> Vec<String> {
    raw.iter().map(str::to_owned).chain([line.to_string(), code.as_str().to_owned(), reason.to_owned()]).collect()
}

fn csv_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
