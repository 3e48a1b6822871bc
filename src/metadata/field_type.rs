//! The closed set of field types and their parameters. Adding a type means adding a variant here;
//! every `match` over it then fails to compile until it is served.

use crate::DeleteRule;
use kernel::Label;
use serde::{Deserialize, Serialize};

/// One option of an enum field. Records store the code, people read the label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnumOption {
    /// Stable code: lower-case letters, digits, underscores.
    pub code: String,
    /// What people read.
    pub label: Label,
    /// Whether it can be chosen for new values.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub active: bool,
}

fn yes() -> bool {
    true
}
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde wants")]
fn is_true(value: &bool) -> bool {
    *value
}

/// What values a field takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FieldType {
    /// One line of text.
    Text {
        /// Most characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_chars: Option<usize>,
        /// Stored in lower case, so that equality and uniqueness ignore case.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        case_fold: bool,
    },
    /// Several lines of text.
    LongText,
    /// Text with CommonMark formatting; raw HTML in it is never rendered.
    RichText,
    /// A whole number of 64 bits.
    Integer {
        /// Smallest value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<i64>,
        /// Largest value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<i64>,
    },
    /// An exact decimal number with a fixed number of decimals.
    Decimal {
        /// Decimals, 0 to 9; stored as an integer scaled by them.
        scale: u8,
    },
    /// An amount and its currency.
    Money,
    /// A calendar date.
    Date,
    /// An instant in UTC.
    Timestamp,
    /// True or false.
    Bool,
    /// One of the options.
    Enum {
        /// The options, in order.
        options: Vec<EnumOption>,
    },
    /// Any of the options.
    MultiEnum {
        /// The options, in order.
        options: Vec<EnumOption>,
    },
    /// An e-mail address.
    Email,
    /// A telephone number, stored as E.164 (with `;ext=` where it has an extension).
    Phone,
    /// A web address.
    Url,
    /// A postal address in parts.
    Address,
    /// Points to a record.
    Reference {
        /// The objects it may point to; more than one makes it polymorphic.
        targets: Vec<String>,
        /// What happens to this record when the other is deleted.
        #[serde(default)]
        on_delete: DeleteRule,
        /// This record is a child: it cannot be without its parent.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        parent: bool,
    },
    /// Points to a stored file.
    File,
    /// Any JSON value.
    Json,
}

impl FieldType {
    /// The name on the wire.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::LongText => "long_text",
            Self::RichText => "rich_text",
            Self::Integer { .. } => "integer",
            Self::Decimal { .. } => "decimal",
            Self::Money => "money",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Bool => "bool",
            Self::Enum { .. } => "enum",
            Self::MultiEnum { .. } => "multi_enum",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Url => "url",
            Self::Address => "address",
            Self::Reference { .. } => "reference",
            Self::File => "file",
            Self::Json => "json",
        }
    }
    /// The options of an enum or multi-enum; empty for other types.
    pub fn options(&self) -> &[EnumOption] {
        match self {
            Self::Enum { options } | Self::MultiEnum { options } => options,
            _ => &[],
        }
    }
    /// A small number for the header of a sealed value. Never reuse one.
    pub const fn tag(&self) -> u8 {
        match self {
            Self::Text { .. } | Self::LongText | Self::RichText => 1,
            Self::Integer { .. } => 2,
            Self::Decimal { .. } => 3,
            Self::Money => 4,
            Self::Date => 5,
            Self::Timestamp => 6,
            Self::Bool => 7,
            Self::Enum { .. } => 8,
            Self::MultiEnum { .. } => 9,
            Self::Email => 10,
            Self::Phone => 11,
            Self::Url => 12,
            Self::Address => 13,
            Self::Reference { .. } | Self::File => 14,
            Self::Json => 15,
        }
    }
}
