//! What a file can be mapped onto: objects, their fields and relations, as plain data handed in by the engine half.
//! Never reads definitions itself, so the reading half stays independent of metadata and database.

use kernel::Label;

/// One option of an enum field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetOption {
    /// The code that is stored.
    pub code: String,
    /// What people read; a cell may hold either.
    pub label: Label,
}

/// What values a field takes, as far as reading text needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// Text of any sort that needs no conversion: text, long text, e-mail, phone, URL, file id.
    Text,
    /// A whole number.
    Integer,
    /// An exact decimal, written as a text on the wire.
    Decimal,
    /// An amount and a currency.
    Money,
    /// A calendar date.
    Date,
    /// An instant.
    Timestamp,
    /// True or false.
    Bool,
    /// One of the options.
    Enum {
        /// The options.
        options: Vec<TargetOption>,
    },
    /// Any of the options.
    MultiEnum {
        /// The options.
        options: Vec<TargetOption>,
    },
    /// A postal address: mapped by parts (`billing_address.city`); the whole field takes the street.
    Address,
    /// A record of one of these objects.
    Reference {
        /// The objects it may point to.
        objects: Vec<String>,
        /// The field people name such a record by (`name`, `display_name`); used by the automatic mapping.
        by: String,
    },
    /// Any JSON value.
    Json,
}

/// The parts of an address that can be mapped one by one.
pub(crate) const ADDRESS_PARTS: [&str; 6] = ["country", "province", "city", "district", "street", "postcode"];

/// A field that can receive values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetField {
    /// Its name on the wire.
    pub name: String,
    /// What people read; headers are compared with both languages.
    pub label: Label,
    /// What values it takes.
    pub kind: TargetKind,
    /// Other names by which headers may call it.
    pub aliases: Vec<String>,
}

/// A many-to-many relation that can receive links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRelation {
    /// Its name on the wire.
    pub name: String,
    /// The objects on its other side.
    pub objects: Vec<String>,
}

/// An object that can receive records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetObject {
    /// Its name on the wire.
    pub name: String,
    /// Its fields.
    pub fields: Vec<TargetField>,
    /// Its many-to-many relations.
    pub relations: Vec<TargetRelation>,
}

impl TargetObject {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&TargetField> {
        self.fields.iter().find(|field| field.name == name)
    }
}
