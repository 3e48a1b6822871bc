//! A value of a field, typed. Holds plaintext, so `Debug` prints the type only and there is no `Display`.

use crate::{Address, FieldType};
use kernel::{Currency, Date, Money, RecordId, Timestamp};
use rust_decimal::Decimal;
use std::fmt;

/// A typed value. `Null` stands for "no value" in every type.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// Text, long text, rich text, e-mail, phone (E.164), URL.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A decimal, scaled to an integer by the field's scale.
    Decimal(i64),
    /// Money.
    Money(Money),
    /// A date.
    Date(Date),
    /// An instant.
    Timestamp(Timestamp),
    /// True or false.
    Bool(bool),
    /// The code of an option.
    Enum(String),
    /// The codes of options, sorted, without repeats.
    MultiEnum(Vec<String>),
    /// A record; the object is told when the field is polymorphic.
    Reference {
        /// The object it lies in.
        object: String,
        /// The record.
        id: RecordId,
    },
    /// A stored file.
    File(RecordId),
    /// JSON.
    Json(serde_json::Value),
    /// An address; never empty.
    Address(Box<Address>),
}

/// A stored text is not a value of its type: the row was damaged or made by another version.
#[derive(Debug, thiserror::Error)]
#[error("a stored value is not a valid {expected}")]
pub struct ValueError {
    /// The type it should have had.
    pub expected: &'static str,
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Text(_) => "Text(…)",
            Self::Integer(_) => "Integer(…)",
            Self::Decimal(_) => "Decimal(…)",
            Self::Money(_) => "Money(…)",
            Self::Date(_) => "Date(…)",
            Self::Timestamp(_) => "Timestamp(…)",
            Self::Bool(_) => "Bool(…)",
            Self::Enum(_) => "Enum(…)",
            Self::MultiEnum(_) => "MultiEnum(…)",
            Self::Reference { .. } => "Reference(…)",
            Self::File(_) => "File(…)",
            Self::Json(_) => "Json(…)",
            Self::Address(_) => "Address(…)",
        })
    }
}

impl Value {
    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value as one text, exact and reversible: what is sealed, hashed into the log and shown in history.
    /// `None` for `Null`.
    pub fn to_text(&self, field_type: &FieldType) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Text(text) | Self::Enum(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Decimal(scaled) => decimal_text(*scaled, field_type),
            Self::Money(money) => format!("{} {}", money.amount(), money.currency),
            Self::Date(date) => date.format("%Y-%m-%d").to_string(),
            Self::Timestamp(at) => at.to_string(),
            Self::Bool(flag) => flag.to_string(),
            Self::MultiEnum(codes) => codes.join("|"),
            Self::Reference { object, id } => format!("{object}/{id}"),
            Self::File(id) => id.to_string(),
            Self::Json(json) => json.to_string(),
            Self::Address(address) => serde_json::to_string(address).unwrap_or_default(),
        })
    }

    /// The reverse of [`Value::to_text`].
    pub fn from_text(text: &str, field_type: &FieldType) -> Result<Self, ValueError> {
        let wrong = || ValueError { expected: field_type.name() };
        Ok(match field_type {
            FieldType::Text { .. }
            | FieldType::LongText
            | FieldType::RichText
            | FieldType::Email
            | FieldType::Phone
            | FieldType::Url => Self::Text(text.to_owned()),
            FieldType::Integer { .. } => Self::Integer(text.parse().map_err(|_| wrong())?),
            FieldType::Decimal { scale } => Self::Decimal(decimal_scaled(text, *scale).ok_or_else(wrong)?),
            FieldType::Money => {
                let (amount, currency) = text.split_once(' ').ok_or_else(wrong)?;
                let currency: Currency = currency.parse().map_err(|_| wrong())?;
                Self::Money(Money::parse(amount, currency).map_err(|_| wrong())?)
            }
            FieldType::Date => Self::Date(Date::parse_from_str(text, "%Y-%m-%d").map_err(|_| wrong())?),
            FieldType::Timestamp => Self::Timestamp(text.parse().map_err(|_| wrong())?),
            FieldType::Bool => Self::Bool(text.parse().map_err(|_| wrong())?),
            FieldType::Enum { .. } => Self::Enum(text.to_owned()),
            FieldType::MultiEnum { .. } => {
                Self::MultiEnum(text.split('|').filter(|code| !code.is_empty()).map(str::to_owned).collect())
            }
            FieldType::Reference { .. } => {
                let (object, id) = text.split_once('/').ok_or_else(wrong)?;
                Self::Reference { object: object.to_owned(), id: id.parse().map_err(|_| wrong())? }
            }
            FieldType::File => Self::File(text.parse().map_err(|_| wrong())?),
            FieldType::Json => Self::Json(serde_json::from_str(text).map_err(|_| wrong())?),
            FieldType::Address => Self::Address(Box::new(serde_json::from_str(text).map_err(|_| wrong())?)),
        })
    }

    /// The value as it goes over the wire (see the API conventions).
    pub fn to_wire(&self, field_type: &FieldType) -> serde_json::Value {
        use serde_json::{Value as Json, json};
        match self {
            Self::Null => Json::Null,
            Self::Integer(number) => json!(number),
            Self::Bool(flag) => json!(flag),
            Self::MultiEnum(codes) => json!(codes),
            Self::Money(money) => json!({"amount": money.amount(), "currency": money.currency.as_str()}),
            Self::Json(json) => json.clone(),
            Self::Address(address) => serde_json::to_value(address).unwrap_or(Json::Null),
            Self::Reference { object, id } => match field_type {
                FieldType::Reference { targets, .. } if targets.len() > 1 => json!({"object": object, "id": id}),
                _ => json!(id),
            },
            Self::Text(_) | Self::Enum(_) | Self::Decimal(_) | Self::Date(_) | Self::Timestamp(_) | Self::File(_) => {
                self.to_text(field_type).map_or(Json::Null, Json::String)
            }
        }
    }
}

fn decimal_text(scaled: i64, field_type: &FieldType) -> String {
    let scale = if let FieldType::Decimal { scale } = field_type { u32::from(*scale) } else { 0 };
    Decimal::new(scaled, scale).to_string()
}

/// Reads a decimal text into an integer scaled by `scale` decimals; `None` when it does not fit exactly.
pub(crate) fn decimal_scaled(text: &str, scale: u8) -> Option<i64> {
    let decimal = Decimal::from_str_exact(text).ok()?;
    let factor = Decimal::from(10u64.checked_pow(u32::from(scale))?);
    let scaled = decimal.checked_mul(factor)?.normalize();
    if scaled.scale() != 0 {
        return None;
    }
    scaled.mantissa().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn debug_prints_no_value() {
        assert_eq!(format!("{:?}", Value::Text("王伟".into())), "Text(…)");
    }

    #[test]
    fn decimals_are_exact_or_refused() {
        assert_eq!(decimal_scaled("12.5", 2), Some(1250));
        assert_eq!(decimal_scaled("12.505", 2), None);
        assert_eq!(decimal_scaled("-0.07", 2), Some(-7));
        assert_eq!(decimal_scaled("1e5", 2), None);
        assert_eq!(decimal_scaled("92233720368547758.08", 2), None);
    }

    proptest! {
        #[test]
        fn text_form_round_trips(minor in any::<i64>(), scaled in any::<i64>(), micros in 0i64..4_000_000_000_000_000) {
            let cases = [
                (FieldType::Money, Value::Money(Money { minor, currency: "CNY".parse().unwrap() })),
                (FieldType::Decimal { scale: 4 }, Value::Decimal(scaled)),
                (FieldType::Timestamp, Value::Timestamp(Timestamp::from_micros(micros))),
                (FieldType::Integer { min: None, max: None }, Value::Integer(minor)),
            ];
            for (field_type, value) in cases {
                let text = value.to_text(&field_type).unwrap();
                prop_assert_eq!(Value::from_text(&text, &field_type).unwrap(), value);
            }
        }
    }
}
