//! From the text of a cell to a value in the wire form of the API: numbers, money, dates, times, truth values, options.
//! Rules that the definition of a field states (lengths, ranges, e-mail syntax) are checked where records are written.
//! Reasons never repeat the text: it may be personal.

mod choice;
mod date;
mod number;
mod transform;

pub(crate) use choice::{Choices, boolean};
pub(crate) use date::{DateRule, FoundFormats, TimeRule, find_date_formats, format_problem};
pub(crate) use number::{CurrencyRule, NumberStyle, amount, number};
pub(crate) use transform::Transform;

use kernel::Code;
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde_json::{Value, json};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// Why a text is not a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The stable code.
    pub(crate) code: Code,
    /// What would be right.
    pub(crate) detail: String,
}

impl Wrong {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
    pub(crate) fn format(detail: impl Into<String>) -> Self {
        Self::new(Code::ValueFormat, detail)
    }
}

/// Compatibility forms (full and half width) unified; most cells are ASCII and need no work.
pub(crate) fn unified(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.nfkc().collect()) }
}

/// The form in which texts are compared: compatibility forms (full and half width) unified, blanks trimmed, no case.
pub(crate) fn fold(text: &str) -> String {
    unified(text).trim().to_lowercase()
}

/// How the text of one field becomes a value.
pub(crate) enum ValueRule {
    /// As it stands.
    Text,
    /// A whole number.
    Integer(NumberStyle),
    /// An exact decimal.
    Decimal(NumberStyle),
    /// An amount; the currency may stand in the cell or in another column.
    Money(NumberStyle, CurrencyRule),
    /// A date.
    Date(DateRule),
    /// An instant.
    Timestamp(TimeRule),
    /// Yes or no.
    Bool,
    /// One option.
    Enum(Choices),
    /// Several options.
    MultiEnum(Choices, Option<String>),
    /// Any JSON.
    Json,
}

impl ValueRule {
    /// Converts a text that is not empty. `currency` is the text of the currency column.
    pub(crate) fn convert(&self, text: &str, currency: Option<&str>) -> Result<Value, Wrong> {
        match self {
            Self::Text => Ok(Value::String(text.to_owned())),
            Self::Integer(style) => integer(number(text, style)?),
            Self::Decimal(style) => Ok(Value::String(plain(number(text, style)?))),
            Self::Money(style, rule) => amount(text, style, rule, currency),
            Self::Date(rule) => rule.read(text).map(Value::String),
            Self::Timestamp(rule) => rule.read(text).map(Value::String),
            Self::Bool => boolean(text).map(Value::Bool),
            Self::Enum(choices) => choices.code(text).map(|code| Value::String(code.to_owned())),
            Self::MultiEnum(choices, separator) => choices.codes(text, separator.as_deref()),
            Self::Json => serde_json::from_str(text).map_err(|_| Wrong::format("Expected JSON.")),
        }
    }
}

fn integer(number: Decimal) -> Result<Value, Wrong> {
    if !number.fract().is_zero() {
        return Err(Wrong::format("Expected a whole number."));
    }
    number.to_i64().map(|whole| json!(whole)).ok_or_else(|| Wrong::new(Code::ValueRange, "The number is too large."))
}

/// Digits without needless zeros, and no minus before zero.
pub(crate) fn plain(number: Decimal) -> String {
    if number.is_zero() { "0".to_owned() } else { number.normalize().to_string() }
}
