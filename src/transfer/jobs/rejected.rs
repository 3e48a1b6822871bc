//! The file of rejected rows, made while it is read: the cells come from the imported file, the reasons from the steps. The
//! same form as the command line writes, so it goes back in with the same mapping.

use super::view::RejectedLine;
use crate::reject::{header_of, row_of};
use crate::{Decoded, RecordReader, SourceFile};
use csv::{Terminator, Writer, WriterBuilder};
use kernel::Outcome;
use std::collections::BTreeMap;
use std::io::{self, Read};

/// The bytes of the file, as they are read.
pub struct RejectedCsv {
    records: RecordReader<Decoded<Box<dyn Read + Send>>>,
    delimiter: u8,
    /// What is still to be found, by line.
    wanted: BTreeMap<u64, Vec<RejectedLine>>,
    ready: Vec<u8>,
    given: usize,
}

impl RejectedCsv {
    pub(super) fn new(source: &SourceFile, lines: Vec<RejectedLine>) -> Outcome<Self> {
        let mut wanted: BTreeMap<u64, Vec<RejectedLine>> = BTreeMap::new();
        for line in lines {
            wanted.entry(line.line).or_default().push(line);
        }
        let delimiter = source.dialect().delimiter;
        let mut ready = "\u{feff}".as_bytes().to_vec();
        ready.extend(record(delimiter, |writer| writer.write_record(header_of(source.columns())))?);
        Ok(Self { records: source.records()?, delimiter, wanted, ready, given: 0 })
    }

    /// Fills `ready` with the next row; says whether there was one.
    fn next_row(&mut self) -> io::Result<bool> {
        while !self.wanted.is_empty() {
            let next = self.records.next_record().map_err(|error| io::Error::other(error.to_string()))?;
            let Some(found) = next else { return Ok(false) };
            let Some(reasons) = self.wanted.remove(&found.line) else { continue };
            self.ready.clear();
            self.given = 0;
            for reason in reasons {
                let line = record(self.delimiter, |writer| {
                    writer.write_record(row_of(&found.cells, reason.line, reason.code, &reason.reason))
                });
                self.ready.extend(line.map_err(|fault| io::Error::other(fault.to_string()))?);
            }
            return Ok(true);
        }
        Ok(false)
    }
}

fn record(delimiter: u8, write: impl FnOnce(&mut Writer<Vec<u8>>) -> Result<(), csv::Error>) -> Outcome<Vec<u8>> {
    let mut writer =
        WriterBuilder::new().delimiter(delimiter).flexible(true).terminator(Terminator::CRLF).from_writer(Vec::new());
    write(&mut writer).map_err(kernel::Fault::internal)?;
    writer.into_inner().map_err(|error| kernel::Fault::internal(error.error()))
}

impl Read for RejectedCsv {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() {
            if !self.next_row()? {
                return Ok(0);
            }
        }
        let waiting = self.ready.get(self.given..).unwrap_or_default();
        let length = waiting.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), waiting.get(..length)) {
            to.copy_from_slice(from);
        }
        self.given += length;
        Ok(length)
    }
}
