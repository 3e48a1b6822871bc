//! The normal form of a value under a blind index: two spellings of one value must meet, two values must not.
//! A disk format: a change here would orphan every stored index. Never keeps or logs what it sees.

use crate::{FieldType, IndexPart, Value, fold};

/// The text that a blind index of this value, or of this part of it, is computed over.
///
/// `None` when there is no value, when the part does not belong to the type, or when values of the type are too few
/// or too long for a blind index. A bare part, such as the last four digits of a telephone number, has the same form
/// as that part of a whole value, so that people can look for it.
pub fn index_form(field_type: &FieldType, value: &Value, part: Option<IndexPart>) -> Option<String> {
    let form = match (part, value) {
        (None, Value::Text(text)) => match field_type {
            FieldType::Phone => digits(text),
            FieldType::Text { .. } | FieldType::Email | FieldType::Url => fold::index(text),
            _ => return None,
        },
        (None, Value::Integer(_) | Value::Decimal(_)) => value.to_text(field_type)?,
        (Some(IndexPart::Last4), Value::Text(text)) => match field_type {
            FieldType::Phone => last4(&digits(text))?,
            FieldType::Text { .. } => last4(&fold::index(text))?,
            _ => return None,
        },
        (Some(IndexPart::Domain), Value::Text(text)) if *field_type == FieldType::Email => {
            let text = fold::index(text);
            text.rsplit_once('@').map_or(text.as_str(), |(_, domain)| domain).to_owned()
        }
        (Some(IndexPart::MonthDay), Value::Date(date)) => date.format("%m-%d").to_string(),
        _ => return None,
    };
    (!form.is_empty()).then_some(form)
}

/// The digits of an E.164 number without its extension.
fn digits(text: &str) -> String {
    let number = text.split_once(';').map_or(text, |(number, _)| number);
    fold::index(number).chars().filter(char::is_ascii_digit).collect()
}

fn last4(text: &str) -> Option<String> {
    let skip = text.chars().count().checked_sub(4)?;
    Some(text.chars().skip(skip).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: FieldType = FieldType::Text { max_chars: None, case_fold: false };

    #[track_caller]
    fn check(field_type: &FieldType, text: &str, part: Option<IndexPart>, expected: Option<&str>) {
        assert_eq!(index_form(field_type, &Value::Text(text.to_owned()), part).as_deref(), expected, "{text}");
    }

    #[test]
    fn whole_values() {
        check(&FieldType::Phone, "+8613800138000", None, Some("8613800138000"));
        check(&FieldType::Phone, "+49451123456;ext=12", None, Some("49451123456"));
        check(&FieldType::Email, "Wang.Wei@Bank.COM", None, Some("wang.wei@bank.com"));
        check(&TEXT, " １１０１０１ 1990 0307 757Ｘ", None, Some("11010119900307757x"));
        check(&TEXT, "  ", None, None);
        check(&FieldType::LongText, "text", None, None);
        assert_eq!(index_form(&FieldType::Decimal { scale: 2 }, &Value::Decimal(1250), None).as_deref(), Some("12.50"));
        assert_eq!(index_form(&FieldType::Bool, &Value::Bool(true), None), None);
        assert_eq!(index_form(&TEXT, &Value::Null, None), None);
    }

    #[test]
    fn parts() {
        check(&FieldType::Phone, "+8613800138000", Some(IndexPart::Last4), Some("8000"));
        check(&FieldType::Phone, "8000", Some(IndexPart::Last4), Some("8000"));
        check(&FieldType::Phone, "800", Some(IndexPart::Last4), None);
        check(&TEXT, "1101 757X", Some(IndexPart::Last4), Some("757x"));
        check(&FieldType::Email, "wang@Bank.com", Some(IndexPart::Domain), Some("bank.com"));
        check(&FieldType::Email, "Bank.com", Some(IndexPart::Domain), Some("bank.com"));
        check(&TEXT, "wang@bank.com", Some(IndexPart::Domain), None);
        let date = Value::from_text("1990-03-07", &FieldType::Date).unwrap();
        assert_eq!(index_form(&FieldType::Date, &date, Some(IndexPart::MonthDay)).as_deref(), Some("03-07"));
        assert_eq!(index_form(&FieldType::Date, &date, None), None);
    }
}
