//! Cells of an export: what a reader was shown becomes text that a spreadsheet takes for text. A cell that it would take for
//! a formula gets an apostrophe in front; numbers of number fields stay numbers.

use csv::{Terminator, Writer, WriterBuilder};
use encoding_rs::GB18030;
use identity::Locale;
use kernel::{Fault, Label, Outcome};
use metadata::{EnumOption, FieldDef, FieldType};
use records::RecordView;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// How the file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// CSV in UTF-8 with a byte order mark.
    Csv,
    /// CSV in GB18030, for programs that expect the national encoding.
    CsvGb18030,
}

/// One chosen column.
pub(super) struct Column {
    /// The name in the record that the list gives.
    pub(super) name: String,
    /// Where the readable name of the record stands that a reference points to.
    pub(super) title: Option<String>,
    pub(super) field: FieldDef,
    /// What stands above it.
    pub(super) label: Label,
}

/// What a spreadsheet takes for the beginning of a formula, in both widths.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A text that no spreadsheet runs.
pub(super) fn tame(text: String) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text }
}

fn in_words(label: &Label, locale: Locale) -> &str {
    match locale {
        Locale::En => &label.en,
        Locale::Zh => &label.zh,
    }
}

fn yes_no(flag: bool, locale: Locale) -> &'static str {
    match (locale, flag) {
        (Locale::En, true) => "yes",
        (Locale::En, false) => "no",
        (Locale::Zh, true) => "是",
        (Locale::Zh, false) => "否",
    }
}

fn option_text(options: &[EnumOption], value: &Json, locale: Locale) -> String {
    let code = value.as_str().unwrap_or_default();
    let known = options.iter().find(|option| option.code == code);
    known.map_or(code, |option| in_words(&option.label, locale)).to_owned()
}

/// Anything else as the text that it is.
fn plain(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => value.to_string(),
    }
}

/// A value as it is on the wire, tamed; for files that programs read too.
pub(crate) fn plain_cell(value: &Json) -> String {
    let is_number = |text: &str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    match value {
        Json::Number(_) | Json::Bool(_) => plain(value),
        Json::String(text) if is_number(text) => text.clone(),
        Json::Null | Json::String(_) | Json::Array(_) | Json::Object(_) => tame(plain(value)),
    }
}

fn parts(value: &Json, names: &[&str], between: &str) -> String {
    let parts = names.iter().filter_map(|name| value.get(name).and_then(Json::as_str)).filter(|text| !text.is_empty());
    parts.collect::<Vec<_>>().join(between)
}

impl Column {
    /// The cells above this column: an amount has two, so that the number stays one.
    pub(super) fn heads(&self, locale: Locale) -> Vec<String> {
        let label = in_words(&self.label, locale);
        let mut heads = vec![tame(label.to_owned())];
        if self.field.field_type == FieldType::Money {
            let currency = match locale {
                Locale::En => format!("{label} (currency)"),
                Locale::Zh => format!("{label}（币种）"),
            };
            heads.push(tame(currency));
        }
        heads
    }

    /// The cells of one record.
    pub(super) fn cells(&self, record: &RecordView, locale: Locale) -> Vec<String> {
        let money = self.field.field_type == FieldType::Money;
        let Some(value) = record.fields.get(&self.name).filter(|value| !value.is_null()) else {
            let reduced = match record.reduced.get(&self.name) {
                // Only whether there is something may be known.
                Some(Json::Bool(true)) => "***".to_owned(),
                Some(Json::Bool(false)) | None => String::new(),
                Some(masked) => plain(masked),
            };
            let mut cells = vec![tame(reduced)];
            cells.extend(money.then(String::new));
            return cells;
        };
        let number = |text: String| {
            let digits = text.strip_prefix('-').unwrap_or(&text);
            if digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') { text } else { tame(text) }
        };
        match &self.field.field_type {
            FieldType::Integer { .. } | FieldType::Decimal { .. } => vec![number(plain(value))],
            FieldType::Money => {
                let amount = value.get("amount").map(plain).unwrap_or_default();
                vec![number(amount), tame(value.get("currency").map(plain).unwrap_or_default())]
            }
            FieldType::Bool => vec![value.as_bool().map_or_else(String::new, |flag| yes_no(flag, locale).to_owned())],
            FieldType::Enum { options } => vec![tame(option_text(options, value, locale))],
            FieldType::MultiEnum { options } => {
                let words = value.as_array().into_iter().flatten().map(|code| option_text(options, code, locale));
                vec![tame(words.collect::<Vec<_>>().join("; "))]
            }
            FieldType::Address => {
                let text = match locale {
                    Locale::En => {
                        parts(value, &["street", "postcode", "city", "district", "province", "country"], ", ")
                    }
                    Locale::Zh => parts(value, &["country", "province", "city", "district", "street", "postcode"], " "),
                };
                vec![tame(text)]
            }
            FieldType::Reference { .. } => {
                let title = self
                    .title
                    .as_ref()
                    .and_then(|title| record.fields.get(title).or(record.reduced.get(title)).and_then(Json::as_str));
                let id = || value.as_str().or_else(|| value.get("id").and_then(Json::as_str)).unwrap_or_default();
                vec![tame(title.unwrap_or_else(id).to_owned())]
            }
            FieldType::Text { .. }
            | FieldType::LongText
            | FieldType::RichText
            | FieldType::Date
            | FieldType::Timestamp
            | FieldType::Email
            | FieldType::Phone
            | FieldType::Url
            | FieldType::File
            | FieldType::Json => vec![tame(plain(value))],
        }
    }
}

/// Writes lines in one encoding.
pub(super) struct Lines {
    format: ExportFormat,
}

impl Lines {
    pub(super) const fn new(format: ExportFormat) -> Self {
        Self { format }
    }

    /// What the file begins with.
    pub(super) const fn mark(&self) -> &'static [u8] {
        match self.format {
            ExportFormat::Csv => b"\xEF\xBB\xBF",
            ExportFormat::CsvGb18030 => b"",
        }
    }

    /// One line of cells.
    pub(super) fn line(&self, cells: &[String]) -> Outcome<Vec<u8>> {
        let mut writer: Writer<Vec<u8>> =
            WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::with_capacity(256));
        writer.write_record(cells).map_err(Fault::internal)?;
        let bytes = writer.into_inner().map_err(|error| Fault::internal(error.error()))?;
        match self.format {
            ExportFormat::Csv => Ok(bytes),
            ExportFormat::CsvGb18030 => {
                let text = String::from_utf8(bytes).map_err(Fault::internal)?;
                Ok(GB18030.encode(&text).0.into_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metadata::Sensitivity;
    use serde_json::json;

    fn column(field_type: Json) -> Column {
        let words = json!({"en": "Field", "zh": "字段"});
        let mut field = json!({"name": "f", "label": words, "sensitivity": Sensitivity::S1});
        field.as_object_mut().unwrap().extend(field_type.as_object().unwrap().clone());
        let field: FieldDef = serde_json::from_value(field).unwrap();
        Column { name: "f".to_owned(), title: None, label: field.label.clone(), field }
    }

    fn cells(field_type: Json, value: Json) -> Vec<String> {
        let record =
            json!({"id": kernel::RecordId::from_bytes([1; 16]), "object": "o", "version": 1, "fields": {"f": value}});
        column(field_type).cells(&serde_json::from_value(record).unwrap(), Locale::En)
    }

    #[test]
    fn no_cell_is_a_formula() {
        let text = json!({"type": "text"});
        for bad in ["=1+1", "+49 451", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1"] {
            assert_eq!(cells(text.clone(), json!(bad)), [format!("'{bad}")], "{bad}");
        }
        for good in ["Hanse", "", "1=1", "王伟", "'=1"] {
            assert_eq!(cells(text.clone(), json!(good)), [good], "{good}");
        }
        assert_eq!(cells(json!({"type": "integer"}), json!(-5)), ["-5"]);
        assert_eq!(cells(json!({"type": "money"}), json!({"amount": "-5.10", "currency": "EUR"})), ["-5.10", "EUR"]);
        assert_eq!(cells(json!({"type": "decimal", "scale": 2}), json!("-1.50")), ["-1.50"]);
        assert_eq!(cells(json!({"type": "json"}), json!("=1")), ["'=1"]);
    }

    #[test]
    fn cells_are_written_for_people() {
        let options = json!([{"code": "a", "label": {"en": "=Alpha", "zh": "甲"}}, {"code": "b", "label": {"en": "Beta", "zh": "乙"}}]);
        assert_eq!(cells(json!({"type": "enum", "options": options}), json!("a")), ["'=Alpha"]);
        assert_eq!(cells(json!({"type": "multi_enum", "options": options}), json!(["b", "a"])), ["Beta; =Alpha"]);
        assert_eq!(cells(json!({"type": "bool"}), json!(true)), ["yes"]);
        let place = json!({"street": "Beckergrube 1", "city": "Lübeck", "country": "DE"});
        assert_eq!(cells(json!({"type": "address"}), place), ["Beckergrube 1, Lübeck, DE"]);
        assert_eq!(cells(json!({"type": "money"}), Json::Null), ["", ""]);
        assert_eq!(column(json!({"type": "money"})).heads(Locale::Zh), ["字段", "字段（币种）"]);
    }

    #[test]
    fn lines_are_quoted_and_encoded() {
        let cells = ["a,b".to_owned(), "say \"hi\"".to_owned(), "多行\n文".to_owned()];
        let text = "\"a,b\",\"say \"\"hi\"\"\",\"多行\n文\"\r\n";
        assert_eq!(Lines::new(ExportFormat::Csv).line(&cells).unwrap(), text.as_bytes());
        let encoded = Lines::new(ExportFormat::CsvGb18030).line(&cells).unwrap();
        assert_eq!(GB18030.decode(&encoded).0, text);
        assert_ne!(encoded, text.as_bytes());
    }
}
