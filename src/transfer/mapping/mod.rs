//! The mapping file: which column becomes which field, and how. Version 1 of the format is final; its JSON Schema is
//! `mapping.schema.json` beside this crate. Unknown members are refused, so a misspelt rule is never ignored.

mod auto;
mod bind;
mod bind_value;
mod plan;

pub use auto::{Proposal, ProposalReason, Proposed, propose};
pub(crate) use plan::column_name;
pub use plan::{Plan, plan};

use crate::OpenOptions;
use kernel::{Code, Fault, Outcome, limits};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The version of the format this code reads and writes.
const VERSION: u32 = 1;

/// A mapping file.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The JSON Schema this file follows; for editors.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The version of the format: 1.
    pub kontor_mapping: u32,
    /// What this mapping is for, for its readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The object the rows become records of.
    pub object: String,
    /// The encoding of the file; found when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The delimiter; found when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// Whether there is a header line; found when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// The physical line of the header; found when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_line: Option<u64>,
    /// What holds for every field unless it says otherwise.
    #[serde(default)]
    pub defaults: Defaults,
    /// Where the identifier of the record in the source system stands; re-runs find records by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalIdRule>,
    /// Fields by whose values an existing record is found where there is no external id.
    #[serde(rename = "match", default, skip_serializing_if = "Vec::is_empty")]
    pub match_fields: Vec<String>,
    /// What to do when the record exists.
    #[serde(default)]
    pub on_existing: OnExisting,
    /// The rules of the fields, by field name (`stage`) or part of an address (`billing_address.city`).
    pub fields: BTreeMap<String, FieldRule>,
    /// Links of many-to-many relations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkRule>,
    /// Other records that the same row describes, written before the main one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<RelatedRule>,
    /// Columns that are left out on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore_columns: Vec<String>,
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`Code::ImportMapping`] with the place when it is not a mapping of a version this code knows.
    pub fn parse(text: &str) -> Outcome<Self> {
        if text.len() > limits::IMPORT_MAPPING_BYTES_MAX {
            return Err(Fault::new(Code::LimitExceeded, "The mapping file exceeds IMPORT_MAPPING_BYTES_MAX."));
        }
        let mapping: Self = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| Fault::new(Code::ImportMapping, format!("The mapping file cannot be read: {error}.")))?;
        if mapping.kontor_mapping != VERSION {
            let detail =
                format!("The mapping file has version {}; this version reads {VERSION}.", mapping.kontor_mapping);
            return Err(Fault::new(Code::ImportMapping, detail));
        }
        Ok(mapping)
    }
    /// An empty mapping onto an object.
    pub fn new(object: &str) -> Self {
        Self {
            schema: None,
            kontor_mapping: VERSION,
            description: None,
            object: object.to_owned(),
            encoding: None,
            delimiter: None,
            header: None,
            header_line: None,
            defaults: Defaults::default(),
            external_id: None,
            match_fields: Vec::new(),
            on_existing: OnExisting::default(),
            fields: BTreeMap::new(),
            links: Vec::new(),
            related: Vec::new(),
            ignore_columns: Vec::new(),
        }
    }
    /// Whether it says at most how the file is to be read.
    pub fn is_bare(&self) -> bool {
        self.fields.is_empty() && self.links.is_empty() && self.related.is_empty()
    }
    /// The same for a file that is to be read so.
    #[must_use]
    pub fn reading(self, said: OpenOptions) -> Self {
        let OpenOptions { encoding, delimiter, header, header_line } = said;
        Self { encoding, delimiter, header, header_line, ..self }
    }
    /// What it says about the file itself.
    pub fn open_options(&self) -> OpenOptions {
        OpenOptions {
            encoding: self.encoding.clone(),
            delimiter: self.delimiter,
            header: self.header,
            header_line: self.header_line,
        }
    }
}

/// What holds for every field unless it says otherwise.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// Formats of dates, in the notation of strftime; found per column when empty.
    pub date_formats: Vec<String>,
    /// The decimal mark.
    pub decimal: char,
    /// The mark between groups of three digits; an empty text for none.
    pub thousands: String,
    /// Texts that mean "no value".
    pub null_values: Vec<String>,
    /// Whether blanks around values are removed (also full-width blanks and tabs).
    pub trim: bool,
    /// The currency of amounts that do not name theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The offset from UTC of times that do not name theirs, such as `+08:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utc_offset: Option<String>,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            date_formats: Vec::new(),
            decimal: '.',
            thousands: ",".to_owned(),
            null_values: vec![String::new()],
            trim: true,
            currency: None,
            utc_offset: None,
        }
    }
}

/// Where the identifier in the source system stands.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ExternalIdRule {
    /// The name of the source system.
    pub system: String,
    /// The column with the identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The columns that identify together; joined by `/`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
}

/// What to do with a row whose record exists.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum OnExisting {
    /// Change it to what the row says.
    #[default]
    Update,
    /// Leave it alone; count the row as skipped.
    Skip,
    /// Reject the row.
    Reject,
}

/// What to do with an empty cell.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum WhenEmpty {
    /// Leave the field alone.
    #[default]
    Skip,
    /// Clear the field.
    Clear,
    /// Reject the row.
    Reject,
}

/// How one field gets its value: exactly one of `column`, `columns` and `constant`, then the steps in the order of the members.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct FieldRule {
    /// The column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Several columns, whose texts are joined; empty ones are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// What stands between the texts of several columns; a blank when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join: Option<String>,
    /// The same text, number or truth value for every row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constant: Option<Value>,
    /// Texts and what they stand for, applied to each cell; compared without regard to case and width.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// What becomes of a text that `values` does not know: `keep` it, `reject` the row, or this text instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values_default: Option<String>,
    /// Changes to the text, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transform: Vec<String>,
    /// Format of the date or time, in the notation of strftime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The decimal mark, where it differs from the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal: Option<char>,
    /// The mark between groups of digits, where it differs from the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thousands: Option<String>,
    /// The number is multiplied by this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<serde_json::Number>,
    /// The currency of the amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The column with the currency of the amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency_column: Option<String>,
    /// What stands between the values of a multi-enum; `;` `,` `|` and their Chinese forms when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// How the text names another record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceRule>,
    /// What an empty cell means.
    pub when_empty: WhenEmpty,
}

/// How a text names another record.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ReferenceRule {
    /// `external_id`, or the field whose value the text is.
    pub by: String,
    /// The source system, for `external_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The object, where the field may point to several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// When there is no such record, create it with these fields beside the one it was looked up by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_missing: Option<Map<String, Value>>,
}

/// How links of a many-to-many relation are made.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct LinkRule {
    /// The relation.
    pub relation: String,
    /// The role of the links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The same text for every row, instead of a column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constant: Option<Value>,
    /// What stands between several names in one cell; a cell is one name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// Texts and what they stand for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// Changes to the text, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transform: Vec<String>,
    /// How the text names the record on the other side.
    pub reference: ReferenceRule,
    /// What an empty cell means; `clear` is not possible for links.
    #[serde(default)]
    pub when_empty: WhenEmpty,
}

/// Another record that the same row describes.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct RelatedRule {
    /// Its object.
    pub object: String,
    /// For which rows; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<ColumnWhen>,
    /// Where its identifier stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalIdRule>,
    /// Fields by whose values an existing record is found.
    #[serde(rename = "match", default, skip_serializing_if = "Vec::is_empty")]
    pub match_fields: Vec<String>,
    /// What to do when it exists.
    #[serde(default)]
    pub on_existing: OnExisting,
    /// The rules of its fields.
    pub fields: BTreeMap<String, FieldRule>,
    /// Its links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkRule>,
}

/// A condition on a cell.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ColumnWhen {
    /// The column.
    pub column: String,
    /// The texts that fulfil the condition; any text but an empty one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Vec<String>>,
}
