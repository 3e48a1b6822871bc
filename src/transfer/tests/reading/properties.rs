//! Any table, written in any encoding, delimiter and line end, reads back as it was, also when the bytes come in small
//! pieces; and for well-formed input this reader agrees with the csv crate.

use encoding_rs::{Encoding, UTF_8};
use proptest::prelude::*;
use std::io::{self, Read};
use transfer::{Dialect, Input, OpenOptions, RecordReader, SourceFile, decode, encoding_named};

/// Hands out bytes in pieces of changing small sizes.
struct Trickle<'a> {
    bytes: &'a [u8],
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()].min(buffer.len()).min(self.bytes.len());
        self.turn += 1;
        buffer[..size].copy_from_slice(&self.bytes[..size]);
        self.bytes = &self.bytes[size..];
        Ok(size)
    }
}

/// encoding_rs writes no UTF-16, as the standard for the web demands.
fn encode(text: &str, label: &str) -> Option<Vec<u8>> {
    match label {
        "utf-16le" => Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        "utf-16be" => Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        _ => {
            let (bytes, _, unmappable) = encoding_named(label).unwrap().encode(text);
            (!unmappable).then(|| bytes.into_owned())
        }
    }
}

fn write(rows: &[Vec<String>], delimiter: u8, end: csv::Terminator, style: csv::QuoteStyle) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(end)
        .quote_style(style)
        .flexible(true)
        .from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

fn read<R: Read>(source: R, dialect: &Dialect) -> Vec<Vec<String>> {
    let mut reader = RecordReader::new(source, dialect);
    let mut rows = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        rows.push(record.cells.iter().map(str::to_owned).collect());
    }
    rows
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 ,;|\t\"'\r\n\\\\=-]{0,12}",
        "[a-zäöüßéñ€ ,\"]{0,10}",
        "[客户名称公司深圳市华为,，\"\n]{0,8}",
        "[臺灣水泥股份,\"]{0,6}",
        "\\PC{0,6}",
    ]
}
fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
    (1_usize..6).prop_flat_map(|width| prop::collection::vec(prop::collection::vec(cell(), width), 1..12))
}
fn label() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["utf-8", "utf-16le", "utf-16be", "gb18030", "big5", "windows-1252"])
}
fn delimiter() -> impl Strategy<Value = u8> {
    prop::sample::select(vec![b',', b';', b'\t', b'|'])
}
fn end() -> impl Strategy<Value = u8> {
    prop::sample::select(vec![b'\n', b'\r', 0])
}
fn terminator(end: u8) -> csv::Terminator {
    if end == 0 { csv::Terminator::CRLF } else { csv::Terminator::Any(end) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_table_in_any_encoding_reads_back(
        rows in table(),
        label in label(),
        delimiter in delimiter(),
        end in end(),
        sizes in prop::collection::vec(1_usize..9, 1..5),
    ) {
        let text = String::from_utf8(write(&rows, delimiter, terminator(end), csv::QuoteStyle::Always)).unwrap();
        // A text that begins with a byte order mark is not a text but a mark.
        prop_assume!(!text.starts_with('\u{feff}'));
        let Some(bytes) = encode(&text, label) else { return Ok(()) };
        let decoded = decode(Trickle { bytes: &bytes, sizes, turn: 0 }, encoding_named(label).unwrap());
        prop_assert_eq!(read(decoded, &Dialect::new(delimiter)), rows);
    }

    #[test]
    fn it_agrees_with_the_csv_crate(rows in table(), delimiter in delimiter(), end in end()) {
        let bytes = write(&rows, delimiter, terminator(end), csv::QuoteStyle::Necessary);
        let mut other = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(&bytes[..]);
        let expected: Vec<Vec<String>> =
            other.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
        prop_assert_eq!(read(&bytes[..], &Dialect::new(delimiter)), expected);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(source) = SourceFile::open(Input::Bytes(bytes.into()), &OpenOptions::default()) {
            let mut records = source.records().unwrap();
            while let Ok(Some(_)) = records.next_record() {}
        }
    }

    #[test]
    fn broken_utf8_is_always_told(before in "[a-z客,\n]{0,40}", bad in 0x80_u8..0xC0, after in "[a-z,\n]{0,40}") {
        let mut bytes = before.clone().into_bytes();
        bytes.push(bad);
        bytes.extend_from_slice(after.as_bytes());
        let encoding: &'static Encoding = UTF_8;
        let mut text = String::new();
        prop_assert!(decode(&bytes[..], encoding).read_to_string(&mut text).is_err());
    }
}
