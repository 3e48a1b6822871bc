//! What a reader sees of a value that may not be read. Short values are hidden whole: the ends of a short value are
//! most of it. Never called with the right to the value; never reversible.

use crate::{Address, FieldType, Mask, Value};

/// Stands for a hidden value of unknown length.
const HIDDEN: &str = "●●●●";
/// Stands for the hidden part of a number.
const STARS: &str = "****";
/// Values of up to so many characters show nothing of themselves.
const SHORT_CHARS: usize = 6;
/// Values shorter than this never show both ends.
const BOTH_ENDS_CHARS_MIN: usize = 11;

/// The value as this mask shows it; the empty text when there is no value. A mask that does not fit the type of the
/// value hides all of it.
pub fn mask(mask: Mask, value: &Value, field_type: &FieldType) -> String {
    match (mask, value) {
        (_, Value::Null) => String::new(),
        (Mask::Last4, Value::Text(text)) if *field_type == FieldType::Phone => phone(text),
        (Mask::Last4, Value::Text(text)) => ends(text, 0),
        (Mask::First3Last4, Value::Text(text)) => ends(text, 3),
        (Mask::Name, Value::Text(text)) => name(text),
        (Mask::Mail, Value::Text(text)) => mail(text),
        (Mask::Street, Value::Address(address)) => region(address),
        (Mask::Year, Value::Date(date)) => date.format("%Y").to_string(),
        _ => HIDDEN.to_owned(),
    }
}

/// `first` characters, if the value is long enough to show two ends, and the last four.
fn ends(text: &str, first: usize) -> String {
    let count = text.chars().count();
    if count <= SHORT_CHARS {
        return STARS.to_owned();
    }
    let head = text.chars().take(if count >= BOTH_ENDS_CHARS_MIN { first } else { 0 });
    let tail = text.chars().skip(count.saturating_sub(4));
    head.chain(STARS.chars()).chain(tail).collect()
}

/// `138****1234` for a mainland Chinese number, `****1234` for others: their country and area may be all that there is.
fn phone(text: &str) -> String {
    let number = text.split_once(';').map_or(text, |(number, _)| number);
    match number.strip_prefix("+86") {
        Some(national) => ends(national, 3),
        None => ends(number.trim_start_matches('+'), 0),
    }
}

fn name(text: &str) -> String {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(first), Some(_)) => format!("{first}*"),
        _ => "*".to_owned(),
    }
}

fn mail(text: &str) -> String {
    let Some((local, domain)) = text.rsplit_once('@') else { return HIDDEN.to_owned() };
    if local.is_empty() || domain.is_empty() {
        return HIDDEN.to_owned();
    }
    let first: String = if local.chars().count() > 1 { local.chars().take(1).collect() } else { String::new() };
    format!("{first}***@{domain}")
}

/// Country to district; a postal code can name a single house in some countries.
fn region(address: &Address) -> String {
    let parts = [&address.country, &address.province, &address.city, &address.district];
    let text = parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
    if text.is_empty() { HIDDEN.to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: FieldType = FieldType::Text { max_chars: None, case_fold: false };

    #[track_caller]
    fn check(kind: Mask, field_type: &FieldType, cases: &[(&str, &str)]) {
        for (value, shown) in cases {
            assert_eq!(mask(kind, &Value::Text((*value).to_owned()), field_type), *shown, "{value}");
        }
    }

    #[test]
    fn texts() {
        check(
            Mask::Last4,
            &FieldType::Phone,
            &[
                ("+8613800138000", "138****8000"),
                ("+861065551234", "****1234"),
                ("+49451123456", "****3456"),
                ("+49451123456;ext=12", "****3456"),
                ("+86110", "****"),
                ("+8695588", "****"),
            ],
        );
        check(
            Mask::Last4,
            &TEXT,
            &[("6222021234567890", "****7890"), ("123456", "****"), ("1234567", "****4567"), ("1", "****")],
        );
        check(
            Mask::First3Last4,
            &TEXT,
            &[("110101199003077571", "110****7571"), ("A1234567", "****4567"), ("12345", "****")],
        );
        check(Mask::Name, &TEXT, &[("王伟", "王*"), ("欧阳娜娜", "欧*"), ("John Smith", "J*"), ("王", "*")]);
        check(
            Mask::Mail,
            &FieldType::Email,
            &[
                ("zhang@bank.com", "z***@bank.com"),
                ("z@bank.com", "***@bank.com"),
                ("broken", HIDDEN),
                ("@", HIDDEN),
                ("@bank.com", HIDDEN),
            ],
        );
        check(Mask::All, &TEXT, &[("anything", HIDDEN)]);
        check(Mask::Street, &TEXT, &[("Main Street 1", HIDDEN)]);
        check(Mask::Year, &TEXT, &[("1990-03-07", HIDDEN)]);
    }

    #[test]
    fn other_types() {
        let date = Value::from_text("1990-03-07", &FieldType::Date).unwrap();
        assert_eq!(mask(Mask::Year, &date, &FieldType::Date), "1990");
        assert_eq!(mask(Mask::Last4, &date, &FieldType::Date), HIDDEN);
        let mut address =
            Address { street: Some("南京路1号".into()), postcode: Some("200001".into()), ..Address::default() };
        assert_eq!(mask(Mask::Street, &Value::Address(Box::new(address.clone())), &FieldType::Address), HIDDEN);
        address.province = Some("上海市".into());
        address.district = Some("黄浦区".into());
        assert_eq!(mask(Mask::Street, &Value::Address(Box::new(address)), &FieldType::Address), "上海市 黄浦区");
        assert_eq!(
            mask(Mask::Last4, &Value::Integer(123_456_789), &FieldType::Integer { min: None, max: None }),
            HIDDEN
        );
        assert_eq!(mask(Mask::All, &Value::Null, &TEXT), "");
    }

    proptest! {
        #[test]
        fn never_the_whole_and_never_too_much(text in "[^*●]{1,40}", which in 0usize..7, phone in any::<bool>()) {
            let kinds = [(Mask::Last4, 7), (Mask::First3Last4, 7), (Mask::Name, 1), (Mask::Street, 0), (Mask::Year, 0), (Mask::All, 0), (Mask::Mail, 40)];
            let (kind, most) = kinds[which];
            let field_type = if phone { FieldType::Phone } else { TEXT };
            let shown = mask(kind, &Value::Text(text.clone()), &field_type);
            prop_assert!(!shown.contains(&text), "{kind:?} shows all of {text}");
            let own = shown.chars().filter(|character| !"*●".contains(*character)).count();
            prop_assert!(own <= most, "{kind:?} shows {own} characters");
            if text.chars().count() <= SHORT_CHARS && matches!(kind, Mask::Last4 | Mask::First3Last4) {
                prop_assert_eq!(own, 0);
            }
        }
    }
}
