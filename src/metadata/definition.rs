//! The closed vocabulary of definitions: what an object, a field and a relation are. Shipped objects are JSON files of
//! exactly this shape; the JSON Schema beside them says the same. Never holds a value of a record.

use crate::{Column, FieldType, column};
use kernel::Label;
use serde::{Deserialize, Serialize};

/// How sensitive a field's values are; drives sealing, masks and defaults of roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sensitivity {
    /// Public.
    S0,
    /// Internal.
    S1,
    /// Personal.
    S2,
    /// Sensitive personal; also every field that nobody has classified yet.
    S3,
}

/// How a value lies in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Sealing {
    /// A plain typed column.
    #[default]
    Plain,
    /// Encrypted; cannot be searched.
    Sealed,
    /// Encrypted, with a keyed blind index of the normalised value: exact match, unique, upsert.
    Exact,
    /// Encrypted; searched and sorted in memory only. Until that index exists, not searchable.
    Memory,
}

/// A part of a sealed value that has a blind index of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexPart {
    /// The last four characters of a number.
    Last4,
    /// The part of an e-mail address after the `@`.
    Domain,
    /// Month and day of a date.
    MonthDay,
}

/// Which of a subject's keys seals a field. Fixed when the field is made: the ciphertext does not name its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyClass {
    /// Contact data and everything without a class of its own.
    Basic,
    /// Accounts, limits, ratings.
    Financial,
    /// Numbers of identity documents.
    IdentityDocument,
    /// Free text.
    Notes,
}

/// How a value looks to somebody who may know that it exists but not read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mask {
    /// `138****1234`
    Last4,
    /// First three and last four characters.
    #[serde(rename = "first3_last4")]
    First3Last4,
    /// `王*`
    Name,
    /// `z***@bank.com`
    Mail,
    /// The region of an address without the street.
    Street,
    /// The year of a date.
    Year,
    /// `●●●●`
    All,
}

/// Which sealing a definition takes; chosen once, when the appliance is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Contact data and numbers are sealed, names stay plain.
    #[default]
    Standard,
    /// Names and subjects are sealed as well.
    Strict,
}

/// What kind of records an object holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// Customer data: administrators cannot open it.
    #[default]
    Business,
    /// The organisation itself: units, users, teams.
    Organisation,
    /// Shared lists that hold nobody's data: products, tags.
    Reference,
}

/// Whose data key seals a record's values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The record is its own subject.
    #[default]
    Own,
    /// The record named by this reference field, if set; else the record itself.
    Field(String),
}

/// What happens to a record when the record it points to is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum DeleteRule {
    /// The delete is refused while this record points there.
    Refuse,
    /// The reference is cleared.
    #[default]
    Unlink,
    /// This record is deleted too.
    Cascade,
}

/// One field of an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "crate::FieldDraft")]
pub struct FieldDef {
    /// Stable name: lower-case letters, digits, single underscores.
    pub name: String,
    /// What people read.
    pub label: Label,
    /// What values it takes.
    #[serde(flatten)]
    pub field_type: FieldType,
    /// How sensitive its values are.
    pub sensitivity: Sensitivity,
    /// How it lies in the database under the standard profile.
    #[serde(skip_serializing_if = "is_default")]
    pub sealing: Sealing,
    /// How it lies in the database under the strict profile, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealing_strict: Option<Sealing>,
    /// Parts with a blind index of their own; only of sealed values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<IndexPart>,
    /// Which of the subject's keys seals it; by its type when absent. Never changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_class: Option<KeyClass>,
    /// The mask shown to readers without the right to the value; `all` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<Mask>,
    /// Must have a value.
    #[serde(skip_serializing_if = "is_default")]
    pub required: bool,
    /// No two live records share a value.
    #[serde(skip_serializing_if = "is_default")]
    pub unique: bool,
    /// Found by the global search and `q=`.
    #[serde(skip_serializing_if = "is_default")]
    pub searchable: bool,
    /// Has an index for filters and sorting.
    #[serde(skip_serializing_if = "is_default")]
    pub indexed: bool,
    /// Set by the appliance, never by a person.
    #[serde(skip_serializing_if = "is_default")]
    pub read_only: bool,
    /// The value of a new record when none is given (wire form).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// Help beside the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<Label>,
    /// Other names of the field in files to import.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Added by the customer at run time.
    #[serde(skip_serializing_if = "is_default")]
    pub custom: bool,
    /// No longer offered; its column and values stay.
    #[serde(skip_serializing_if = "is_default")]
    pub retired: bool,
    /// One of the columns that every object has.
    #[serde(skip)]
    pub system: bool,
}

/// A many-to-many relation with an optional role on each link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkDef {
    /// Stable name, unique among the fields and relations of the object.
    pub name: String,
    /// What people read.
    pub label: Label,
    /// The object at the other end.
    pub target: String,
    /// The name of this relation seen from the other end; absent when it is only used from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inverse: Option<String>,
    /// The roles a link may have; empty when links have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<crate::EnumOption>,
    /// Added by the customer at run time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub custom: bool,
}

/// Tells definitions apart that one process has built. It is no part of what a definition says: all serials are equal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serial(pub u64);

impl PartialEq for Serial {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// How records of an object get a human number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberDef {
    /// What stands before the digits, such as `OPP-`.
    pub prefix: String,
    /// Fewest digits; zeros fill up.
    pub digits: u8,
}

/// A kind of record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectDef {
    /// The JSON Schema beside the shipped files; ignored.
    #[serde(rename = "$schema", default, skip_serializing)]
    pub schema: Option<String>,
    /// Stable name; also the name of the table. Custom objects begin with `x_`.
    pub name: String,
    /// What people read, singular.
    pub label: Label,
    /// What people read, plural.
    pub plural: Label,
    /// What kind of records it holds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: ObjectKind,
    /// The field that names a record to people.
    pub title_field: String,
    /// How records get a human number; absent: they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<NumberDef>,
    /// Whose key seals the values.
    #[serde(default, skip_serializing_if = "is_default")]
    pub subject: Subject,
    /// The fields, in the order in which people see them; system fields follow once loaded into a catalogue.
    pub fields: Vec<FieldDef>,
    /// Many-to-many relations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkDef>,
    /// How its pages are arranged; absent until somebody arranges them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<crate::LayoutDef>,
    /// How often the layout was changed, going back to the standard included.
    #[serde(default, skip_serializing_if = "is_default")]
    pub layout_version: u64,
    /// Added by the customer at run time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub custom: bool,
    /// Tells this definition from every other that this process has built; 0 before it is part of a catalogue.
    #[serde(skip)]
    pub serial: Serial,
    /// Bits of a truncated blind index; planned from the number of rows (see the security design).
    #[serde(default = "blind_bits_default")]
    pub blind_bits: u8,
}

/// Fits tables up to about a million rows: 2 ≤ rows / 2^16 ≤ √rows.
fn blind_bits_default() -> u8 {
    16
}

/// The name of the field in which the appliance keeps since when a record is in its stage.
pub const STAGE_SINCE: &str = "stage_changed_at";

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl FieldDef {
    /// How this field lies in the database under a profile.
    pub fn sealing_in(&self, profile: Profile) -> Sealing {
        match profile {
            Profile::Standard => self.sealing,
            Profile::Strict => self.sealing_strict.unwrap_or(self.sealing),
        }
    }
    /// Whether any part of the value is sealed. (Of an address, only the street is.)
    pub fn is_sealed(&self) -> bool {
        self.sealing != Sealing::Plain
    }
    /// The columns that hold this field.
    pub fn columns(&self) -> Vec<Column> {
        column::columns_of(self)
    }
    /// Which of the subject's keys seals it.
    pub fn sealed_under(&self) -> KeyClass {
        self.key_class.unwrap_or(match self.field_type {
            FieldType::Money | FieldType::Decimal { .. } => KeyClass::Financial,
            FieldType::LongText | FieldType::RichText | FieldType::Json => KeyClass::Notes,
            _ => KeyClass::Basic,
        })
    }
    /// The objects a reference may point to; empty for other types.
    pub fn reference_targets(&self) -> &[String] {
        match &self.field_type {
            FieldType::Reference { targets, .. } => targets,
            _ => &[],
        }
    }
    /// The mask for readers without the right to the value.
    pub fn mask_or_all(&self) -> Mask {
        self.mask.unwrap_or(Mask::All)
    }
}

impl ObjectDef {
    /// The field of this name, system fields included.
    pub fn field(&self, name: &str) -> Option<&FieldDef> {
        self.fields.iter().find(|field| field.name == name)
    }
    /// The position of the field of this name.
    pub fn field_index(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
    /// The field that says how far a record has come, if there is one, also for people: the first of `stage` and `status`
    /// that offers a choice.
    pub fn stage_index(&self) -> Option<usize> {
        let index = |name| self.field_index(name);
        let is_choice = |at: &usize| {
            self.fields.get(*at).is_some_and(|field| matches!(field.field_type, crate::FieldType::Enum { .. }))
        };
        ["stage", "status"].into_iter().filter_map(index).find(is_choice)
    }
    /// The column of the mark that shows a record to its owner alone. Only of shipped objects: a field of the same name that a
    /// customer adds means what the customer says.
    pub fn private_column(&self) -> Option<&str> {
        let mark = self.field("private").filter(|field| !field.custom && !field.is_sealed());
        mark.filter(|field| field.field_type == crate::FieldType::Bool).map(|field| field.name.as_str())
    }
    /// That field, where the appliance keeps since when a record is there: in the field [`STAGE_SINCE`].
    pub fn stage_timed(&self) -> Option<usize> {
        let kept = self
            .field(STAGE_SINCE)
            .is_some_and(|field| field.read_only && field.field_type == crate::FieldType::Timestamp);
        self.stage_index().filter(|_| kept)
    }
    /// The relation of this name, seen from this object.
    pub fn link(&self, name: &str) -> Option<&LinkDef> {
        self.links.iter().find(|link| link.name == name)
    }
    /// The link table of one of this object's relations.
    pub fn link_table(&self, link: &LinkDef) -> String {
        format!("l_{}_{}", self.name, link.name)
    }
    /// The full-text table that belongs to this object on the embedded engine.
    pub fn search_table(&self) -> String {
        format!("s_{}", self.name)
    }
}
