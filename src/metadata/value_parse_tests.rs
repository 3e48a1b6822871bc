//! What comes in is refused or becomes a value that reads the same the next time.

use crate::{FieldDef, FieldType, Value, parse_value, shipped};
use proptest::prelude::*;
use serde_json::json;

fn field(field_type: FieldType) -> FieldDef {
    let mut field = shipped().into_iter().next().and_then(|unit| unit.fields.into_iter().next()).unwrap();
    field.field_type = field_type;
    field
}

fn read(field_type: &FieldType, wire: &serde_json::Value) -> Option<Value> {
    parse_value(&field(field_type.clone()), wire, "").ok()
}

#[track_caller]
fn check(field_type: &FieldType, wire: &str, expected: Option<&str>) {
    let text = read(field_type, &json!(wire)).and_then(|value| value.to_text(field_type));
    assert_eq!(text.as_deref(), expected, "{wire}");
}

#[test]
fn phones() {
    let phone = FieldType::Phone;
    check(&phone, "138 0013 8000", Some("+8613800138000"));
    check(&phone, "（０１０）６５５５-１２３４", Some("+861065551234"));
    check(&phone, "+49 451 123456", Some("+49451123456"));
    check(&phone, "0049 451 123456", Some("+49451123456"));
    check(&phone, "+1 781-948-6348x4026", Some("+17819486348;ext=4026"));
    check(&phone, "+17819486348;ext=4026", Some("+17819486348;ext=4026"));
    check(&phone, "+39 06 698 12345", Some("+390669812345"));
    check(&phone, "+39 06 698 12345 ext. 7", Some("+390669812345;ext=7"));
    check(&phone, "95588", Some("+8695588"));
    check(&phone, "+49 451 123456;ext=x", None);
    check(&phone, "call me", None);
}

#[test]
fn years_that_both_engines_know() {
    for (day, known) in [
        ("0001-01-01", true),
        ("9999-12-31", true),
        ("0000-12-31", false),
        ("-0001-01-01", false),
        ("+10000-01-01", false),
    ] {
        assert_eq!(read(&FieldType::Date, &json!(day)).is_some(), known, "{day}");
    }
    for (time, known) in [
        ("0001-01-01T00:00:00Z", true),
        ("9999-12-31T23:59:59Z", true),
        ("0000-12-31T23:59:59Z", false),
        ("0001-01-01T00:30:00+01:00", false),
        ("9999-12-31T23:30:00-01:00", false),
    ] {
        assert_eq!(read(&FieldType::Timestamp, &json!(time)).is_some(), known, "{time}");
    }
    let fault = parse_value(&field(FieldType::Date), &json!("+10000-01-01"), "").unwrap_err();
    assert_eq!(fault.code, kernel::Code::ValueRange);
}

#[test]
fn mails_and_addresses_of_the_web() {
    check(&FieldType::Email, " Wang.Wei@Bank.COM ", Some("Wang.Wei@bank.com"));
    check(&FieldType::Email, "a@b@c", None);
    check(&FieldType::Email, "a b@c.de", None);
    check(&FieldType::Url, "example.com/a", Some("https://example.com/a"));
    check(&FieldType::Url, "http://[2001:db8::1]:8080/", Some("http://[2001:db8::1]:8080/"));
    check(&FieldType::Url, "example.com:8080", Some("https://example.com:8080"));
    check(&FieldType::Url, "https://bank.com@evil.com/", None);
    check(&FieldType::Url, "javascript:alert(1)", None);
    check(&FieldType::Url, "javascript://alert(1)", None);
    check(&FieldType::Url, "file:///etc/passwd", None);
}

fn text_types() -> Vec<FieldType> {
    vec![
        FieldType::Text { max_chars: None, case_fold: false },
        FieldType::Text { max_chars: Some(20), case_fold: true },
        FieldType::LongText,
        FieldType::Date,
        FieldType::Timestamp,
        FieldType::Decimal { scale: 4 },
        FieldType::Email,
        FieldType::Phone,
        FieldType::Url,
        FieldType::File,
        FieldType::Json,
    ]
}

proptest! {
    // Reading a telephone number is slow in debug builds.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_is_refused_or_stable(text in any::<String>()) {
        for field_type in text_types() {
            stable(&field_type, &json!(text))?;
        }
    }

    #[test]
    fn likely_text_is_refused_or_stable(text in "[0-9A-Za-zİẞ+@.:/;=x() -]{0,24}", phone in "(\\+|00)?[0-9]{1,15}(( |x|;ext=|#)[0-9]{1,6})?") {
        for field_type in text_types() {
            stable(&field_type, &json!(text))?;
            stable(&field_type, &json!(phone))?;
        }
    }
}

fn stable(field_type: &FieldType, wire: &serde_json::Value) -> Result<(), TestCaseError> {
    let Some(value) = read(field_type, wire) else { return Ok(()) };
    let Some(text) = value.to_text(field_type) else { return Ok(()) };
    prop_assert!(Value::from_text(&text, field_type).unwrap() == value, "{field_type:?} from its text {text}");
    let again = read(field_type, &value.to_wire(field_type));
    prop_assert!(
        again.as_ref() == Some(&value),
        "{:?} from its wire form: {text} became {:?}",
        field_type,
        again.and_then(|again| again.to_text(field_type))
    );
    Ok(())
}
