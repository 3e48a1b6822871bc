//! Every delimited file of the third-party data is recognised for what it is: encoding, delimiter, header, size.
//! The expectations come from the README of the data and from a second reader, not from this code.

use crate::common;
use kernel::Code;
use serde_json::Value;
use std::{fs, path::Path};
use transfer::{Confidence, Input, OpenOptions, SourceFile, encoding_named};

struct Case {
    file: &'static str,
    encoding: &'static str,
    delimiter: char,
    rows: usize,
    columns: usize,
    /// The line of the header; 0 where there is none.
    header: u64,
}

const fn case(
    file: &'static str,
    encoding: &'static str,
    delimiter: char,
    rows: usize,
    columns: usize,
    header: u64,
) -> Case {
    Case { file, encoding, delimiter, rows, columns, header }
}

/// Rows without content are not counted.
const CASES: &[Case] = &[
    case("crm-sales/accounts.csv", "UTF-8", ',', 85, 7, 1),
    case("crm-sales/products.csv", "UTF-8", ',', 7, 3, 1),
    case("crm-sales/sales_teams.csv", "UTF-8", ',', 35, 3, 1),
    case("crm-sales/sales_pipeline.csv", "UTF-8", ',', 8_800, 8, 1),
    case("crm-sales/data_dictionary.csv", "UTF-8", ',', 8, 14, 0),
    case("bank-marketing/bank-additional-full.csv", "UTF-8", ';', 41_188, 21, 1),
    case("sp500/constituents.csv", "UTF-8", ',', 503, 8, 1),
    case("complaints/cfpb_complaints_sample.csv", "UTF-8", ',', 6_623, 18, 1),
    case("complaints/cfpb_2013_2016.csv", "UTF-8", ',', 3_186, 14, 1),
    case("contacts/us-500.csv", "UTF-8", ',', 500, 13, 1),
    case("contacts/roundcube-csv2vcard/all.csv", "UTF-8", ',', 1, 61, 1),
    case("contacts/roundcube-csv2vcard/gmail.csv", "UTF-8", ',', 1, 81, 1),
    case("contacts/roundcube-csv2vcard/tb_plain.csv", "UTF-8", ',', 1, 38, 1),
    case("contacts/roundcube-csv2vcard/email.csv", "UTF-8", ',', 4, 1, 1),
    case("contacts/roundcube-csv2vcard/outlook.csv", "UTF-8", ',', 1, 3, 1),
    case("hubspot/hubspot_contacts.csv", "UTF-8", ',', 950, 20, 1),
    case("hubspot/hubspot_companies.csv", "UTF-8", ',', 200, 16, 1),
    case("hubspot/hubspot_deals.csv", "UTF-8", ',', 500, 12, 1),
    case("hubspot/hubspot_tickets.csv", "UTF-8", ',', 300, 13, 1),
    case("hubspot/hubspot_activities.csv", "UTF-8", ',', 2_000, 11, 1),
    case("salesforce/accountData.csv", "windows-1252", ',', 423, 37, 1),
    case("salesforce/opportunityData.csv", "UTF-8", ',', 38, 31, 1),
    case("salesforce/success0413060133.csv", "UTF-8", ',', 9, 32, 1),
    case("salesforce/error0413060133.csv", "UTF-8", ',', 11, 32, 1),
    case("northwind/customers.csv", "UTF-8", ',', 91, 11, 1),
    case("northwind/orders.csv", "UTF-8", ',', 830, 14, 1),
    case("northwind/order_details.csv", "UTF-8", ',', 2_155, 5, 1),
    case("northwind/products.csv", "UTF-8", ',', 77, 10, 1),
    case("northwind/suppliers.csv", "UTF-8", ',', 29, 12, 1),
    case("northwind/employees.csv", "UTF-8", ',', 9, 18, 1),
    case("northwind/categories.csv", "UTF-8", ',', 8, 4, 1),
    case("northwind/shippers.csv", "UTF-8", ',', 6, 3, 1),
    case("northwind/region.csv", "UTF-8", ',', 4, 2, 1),
    case("northwind/territories.csv", "UTF-8", ',', 53, 3, 1),
    case("northwind/employee_territories.csv", "UTF-8", ',', 49, 2, 1),
    case("northwind/us_states.csv", "UTF-8", ',', 51, 4, 1),
    case("chinese/stock_basics_gbk.csv", "gb18030", ',', 3_172, 23, 1),
    case("chinese/stock_basic_utf8.csv", "UTF-8", ',', 5_524, 10, 1),
    case("chinese/tpex_companies_utf8.csv", "UTF-8", ',', 828, 39, 1),
    case("chinese/twse_companies_20250114_utf8bom.csv", "UTF-8", ',', 1_041, 4, 0),
    case("chinese/2019_3_c_utf8bom.csv", "UTF-8", ',', 3_730, 10, 1),
    case("chinese/客户信息.csv", "UTF-8", ',', 10, 20, 1),
    case("chinese/divisions/provinces.csv", "UTF-8", ',', 31, 2, 1),
    case("chinese/divisions/cities.csv", "UTF-8", ',', 342, 3, 1),
    case("chinese/divisions/areas.csv", "UTF-8", ',', 2_978, 4, 1),
    case("messy/messytables/characters.csv", "Big5", ',', 382, 18, 1),
    case("messy/messytables/211.csv", "windows-1252", ',', 2_132, 96, 1),
    case("messy/messytables/utf-16le_encoded.csv", "UTF-16LE", ',', 327, 19, 1),
    case("messy/messytables/spanish_chars.csv", "windows-1252", ',', 0, 8, 1),
    case("messy/messytables/sparse_with_column_errors.csv", "windows-1252", ',', 0, 4, 1),
    case("messy/messytables/utf8bom.csv", "UTF-8", ',', 0, 2, 1),
    case("messy/messytables/simple.csv", "UTF-8", ',', 6, 3, 1),
    case("messy/messytables/null.csv", "UTF-8", ',', 10, 4, 0),
    case("messy/messytables/weird_head_padding.csv", "UTF-8", ';', 0, 11, 0),
    case("messy/messytables/excel_pasting.csv", "UTF-8", ',', 0, 9, 0),
    case("messy/messytables/example.tsv", "UTF-8", '\t', 0, 17, 1),
    case("messy/csvkit/mac_newlines.csv", "UTF-8", ',', 2, 3, 1),
    case("messy/csvkit/test_utf16_big.csv", "UTF-16BE", ',', 2, 3, 1),
    case("messy/csvkit/test_utf16_little.csv", "UTF-16LE", ',', 2, 3, 1),
    case("messy/csvkit/test_utf8_bom.csv", "UTF-8", ',', 2, 3, 1),
    case("messy/csvkit/test_latin1.csv", "windows-1252", ',', 2, 3, 1),
    case("messy/csvkit/null_byte.csv", "UTF-8", ',', 1, 3, 1),
    case("messy/csvkit/dummy.tsv", "UTF-8", '\t', 1, 3, 1),
    case("messy/csvkit/sniff_limit.csv", "UTF-8", ';', 1, 3, 1),
    case("messy/csvkit/test_header_newline.csv", "UTF-8", ',', 1, 3, 1),
    case("messy/csvkit/test_skip_lines.csv", "UTF-8", ',', 1, 3, 4),
    case("messy/csvkit/no_header_row3.csv", "UTF-8", ',', 2, 3, 0),
    case("messy/csvkit/empty.csv", "UTF-8", ',', 0, 1, 0),
    case("messy/salesforce-dataloader/csvtext_BOM_UTF8.csv", "UTF-8", ',', 2, 3, 1),
    case("messy/salesforce-dataloader/csvtext_BOM_UTF16BE.csv", "UTF-16BE", ',', 2, 3, 1),
    case("messy/salesforce-dataloader/csvtext_BOM_UTF16LE.csv", "UTF-16LE", ',', 2, 3, 1),
    case("messy/univocity/csv/essential.csv", "UTF-8", ',', 0, 5, 4),
    case("messy/univocity/csv/essential-dos.csv", "UTF-8", ',', 0, 5, 4),
    case("messy/univocity/csv/essential-mac.csv", "UTF-8", ',', 0, 5, 4),
    case("messy/univocity/tsv/essential.tsv", "UTF-8", '\t', 0, 5, 4),
    case("messy/univocity/examples/european.csv", "UTF-8", ';', 5, 5, 1),
];

fn rows(source: &SourceFile) -> usize {
    let mut records = source.records().unwrap();
    let mut count = 0;
    while let Some(record) = records.next_record().unwrap() {
        count += usize::from(!record.is_empty());
    }
    count
}

#[test]
fn every_file_is_recognised() {
    let Some(data) = common::data() else { return };
    let mut wrong = Vec::new();
    for case in CASES {
        let source = SourceFile::open(Input::Path(data.join(case.file)), &OpenOptions::default())
            .unwrap_or_else(|fault| panic!("{}: {fault}", case.file));
        let counted = rows(&source);
        let found = (
            source.detection().encoding.name(),
            char::from(source.dialect().delimiter),
            source.columns().len(),
            source.header_line().unwrap_or(0),
        );
        let expected = (encoding_named(case.encoding).unwrap().name(), case.delimiter, case.columns, case.header);
        if found != expected || (case.rows > 0 && counted != case.rows) {
            wrong.push(format!("{}: found {found:?} with {counted} rows; {}", case.file, source.detection().how));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_of_the_data_makes_it_fail_or_lose_bytes() {
    let Some(data) = common::data() else { return };
    let mut seen = 0;
    for folder in ["messy", "contacts", "chinese", "crm-sales"] {
        visit(&data.join(folder), &mut |path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !(name.ends_with(".csv") || name.ends_with(".tsv") || name.ends_with(".txt")) {
                return;
            }
            match SourceFile::open(Input::Path(path.to_owned()), &OpenOptions::default()) {
                Ok(source) => {
                    let mut records = source.records().unwrap();
                    while let Ok(Some(record)) = records.next_record() {
                        assert!(
                            !record.cells.iter().any(|cell| cell.contains('\u{fffd}')) || name.contains("location"),
                            "{name}"
                        );
                    }
                    seen += 1;
                }
                Err(fault) => assert!(name.contains("UTF32"), "{name}: {fault}"),
            }
        });
    }
    assert!(seen > 120, "{seen}");
}

fn visit(folder: &Path, each: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { visit(&path, each) } else { each(&path) }
    }
}

#[test]
fn utf32_is_refused_with_advice() {
    let Some(data) = common::data() else { return };
    for name in ["csvtext_BOM_UTF32BE.csv", "csvtext_BOM_UTF32LE.csv"] {
        let path = data.join("messy/salesforce-dataloader").join(name);
        let fault = SourceFile::open(Input::Path(path), &OpenOptions::default()).err().unwrap();
        assert_eq!(fault.code, Code::ImportEncoding);
        assert!(fault.detail.contains("Save it as UTF-8"));
    }
}

#[test]
fn vcards_have_encodings_too() {
    let Some(data) = common::data() else { return };
    for (name, encoding) in [("utf-16_sample.vcf", "UTF-16BE"), ("johndoe.vcf", "windows-1252")] {
        let mut file = fs::File::open(data.join("vcard/roundcube").join(name)).unwrap();
        assert_eq!(transfer::detect_encoding(&mut file, None).unwrap().encoding.name(), encoding, "{name}");
    }
}

#[test]
fn the_chinese_text_is_right_not_only_decoded() {
    let Some(data) = common::data() else { return };
    for (name, row, column, expected) in [
        ("chinese/stock_basics_gbk.csv", 0, 1, "N绝味"),
        ("chinese/stock_basic_utf8.csv", 1, 2, "万科Ａ"),
        ("chinese/twse_companies_20250114_utf8bom.csv", 0, 1, "臺灣水泥股份有限公司"),
    ] {
        let source = SourceFile::open(Input::Path(data.join(name)), &OpenOptions::default()).unwrap();
        assert_eq!(&source.sample()[row].cells[column], expected);
        assert_ne!(source.detection().confidence, Confidence::Low, "{name}");
    }
    let big5 =
        SourceFile::open(Input::Path(data.join("messy/messytables/characters.csv")), &OpenOptions::default()).unwrap();
    assert_eq!(big5.detection().confidence, Confidence::High, "{}", big5.detection().how);
    assert!(big5.columns().iter().any(|name| name.contains("坐標")), "{:?}", big5.columns());
}

#[test]
fn the_spectrum_of_quoting_reads_as_its_authors_expect() {
    let Some(data) = common::data() else { return };
    let folder = data.join("messy/csv-spectrum");
    let mut seen = 0;
    for entry in fs::read_dir(folder.join("csvs")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let source = SourceFile::open(Input::Path(path), &OpenOptions::default()).unwrap();
        let text = fs::read_to_string(folder.join("json").join(format!("{stem}.json"))).unwrap();
        let mut expected: Value = serde_json::from_str(&text).unwrap();
        if !expected.is_array() {
            // That file's expectation masks the telephone number of its data.
            expected["Contact Phone Number"] = Value::from("2095257564");
            expected["Location Coordinates"] = Value::from(&source.sample()[0].cells[1]);
            expected = Value::Array(vec![expected]);
        }
        let rows: Vec<Value> = source
            .sample()
            .iter()
            .map(|record| {
                Value::Object(source.columns().iter().cloned().zip(record.cells.iter().map(Value::from)).collect())
            })
            .collect();
        assert_eq!(Value::Array(rows), expected, "{stem}");
        seen += 1;
    }
    assert_eq!(seen, 12);
}

#[test]
fn slices_of_real_tables_are_recognised_in_other_encodings_down_to_one_row() {
    let Some(data) = common::data() else { return };
    for (file, label) in [
        ("chinese/tpex_companies_utf8.csv", "big5"),
        ("chinese/tpex_companies_utf8.csv", "gb18030"),
        ("chinese/twse_companies_20250114_utf8bom.csv", "big5"),
        ("chinese/stock_basic_utf8.csv", "gb18030"),
        ("chinese/divisions/cities.csv", "gb18030"),
        ("northwind/customers.csv", "windows-1252"),
        ("sp500/constituents.csv", "windows-1252"),
    ] {
        let encoding = encoding_named(label).unwrap();
        let text = fs::read_to_string(data.join(file)).unwrap();
        let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
        for (rows, start) in
            [1, 2, 5].into_iter().flat_map(|rows| (0..lines.len()).step_by(61).map(move |start| (rows, start)))
        {
            let part = lines.iter().skip(start).take(rows).copied().collect::<Vec<_>>().join("\n");
            let (bytes, _, unmappable) = encoding.encode(&part);
            if !unmappable && !part.is_ascii() {
                let found = transfer::detect_encoding(&mut &*bytes, None).unwrap();
                assert_eq!(found.encoding, encoding, "{file} as {label}, {rows} rows from {start}: {}", found.how);
            }
        }
    }
}
