//! What one row of a file becomes: records in the wire form of the API, with references still as texts to be resolved.
//! Never printed: a draft holds personal values, so no type here has `Debug` or `Display`.

use crate::OnExisting;
use csv::StringRecord;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One row, typed and not yet written.
#[derive(Clone, PartialEq)]
pub struct DraftRow {
    /// The physical line (1-based) on which the row begins.
    pub line: u64,
    /// Records to be written from the same row before the main one, in order.
    pub related: Vec<DraftRecord>,
    /// The record the row is about.
    pub main: DraftRecord,
    /// The row as it stood in the file, for the reject file.
    pub raw: StringRecord,
}

/// One record to be created or changed.
#[derive(Clone, PartialEq)]
pub struct DraftRecord {
    /// The object it belongs to.
    pub object: String,
    /// System and identifier in that system; when present, the record is found by it.
    pub external_id: Option<(String, String)>,
    /// Fields by whose values an existing record is found when no external id is given.
    pub match_fields: Vec<String>,
    /// What to do when the record exists.
    pub on_existing: OnExisting,
    /// Field values in wire form. `null` clears a field; an absent field is left alone.
    pub fields: Map<String, Value>,
    /// References to be resolved to ids.
    pub references: Vec<PendingReference>,
    /// Links of many-to-many relations to be made.
    pub links: Vec<PendingLink>,
}

/// How the text of a reference names its record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceBy {
    /// It is the record's identifier in this other system.
    ExternalId(String),
    /// It is the value of this field.
    Field(String),
}

/// Fields of a record that may be created when a reference finds none, beside the field it was looked up by.
pub type CreateMissing = Option<Map<String, Value>>;

/// A reference field whose record is known by a text only. It may name a record of a later row of the same file.
#[derive(Clone, PartialEq)]
pub struct PendingReference {
    /// The field to be set.
    pub field: String,
    /// The objects it may point to.
    pub objects: Vec<String>,
    /// How the text names the record.
    pub by: ReferenceBy,
    /// The text.
    pub text: String,
    /// Whether and with what a missing record is created.
    pub create_missing: CreateMissing,
}

/// A link of a many-to-many relation whose other side is known by a text only.
#[derive(Clone, PartialEq)]
pub struct PendingLink {
    /// The relation.
    pub relation: String,
    /// The role of the link, where the relation has roles.
    pub role: Option<String>,
    /// The objects on the other side.
    pub objects: Vec<String>,
    /// How the text names the record.
    pub by: ReferenceBy,
    /// The text.
    pub text: String,
    /// Whether and with what a missing record is created.
    pub create_missing: CreateMissing,
}
