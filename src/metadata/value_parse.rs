//! From a wire value to a typed one, with every rule of the field's type. Errors say what is wrong and what would be
//! right, never the value itself: it may be personal.

use crate::{Address, FieldDef, FieldType, Value, value::decimal_scaled};
use chrono::Datelike;
use kernel::{Code, Currency, Date, FaultItem, Money, MoneyError, Timestamp, limits};
use serde_json::Value as Json;
use unicode_normalization::UnicodeNormalization;

type Parsed = Result<Value, (Code, String)>;

/// Reads one field from its wire form. `pointer` names the place in the input for the error.
pub fn parse_value(field: &FieldDef, wire: &Json, pointer: &str) -> Result<Value, FaultItem> {
    parse(field, wire).map_err(|(code, detail)| FaultItem { pointer: pointer.to_owned(), code, detail })
}

fn parse(field: &FieldDef, wire: &Json) -> Parsed {
    match wire {
        Json::Null => Ok(Value::Null),
        Json::String(text) if text.trim().is_empty() && field.field_type != FieldType::Json => Ok(Value::Null),
        _ => parse_present(field, wire),
    }
}

fn parse_present(field: &FieldDef, wire: &Json) -> Parsed {
    match &field.field_type {
        FieldType::Text { max_chars, case_fold } => {
            one_line(string(wire)?, max_chars.unwrap_or(limits::TEXT_CHARS_MAX), *case_fold)
        }
        FieldType::LongText | FieldType::RichText => long(string(wire)?),
        FieldType::Integer { min, max } => integer(wire, *min, *max),
        FieldType::Decimal { scale } => decimal(wire, *scale),
        FieldType::Money => money(wire),
        FieldType::Date => date(string(wire)?),
        FieldType::Timestamp => timestamp(string(wire)?),
        FieldType::Bool => wire.as_bool().map(Value::Bool).ok_or_else(|| type_error("true or false")),
        FieldType::Enum { options } => {
            let code = string(wire)?;
            known_option(options, code)?;
            Ok(Value::Enum(code.to_owned()))
        }
        FieldType::MultiEnum { options } => multi_enum(wire, options),
        FieldType::Email => email(string(wire)?),
        FieldType::Phone => phone(string(wire)?),
        FieldType::Url => url(string(wire)?),
        FieldType::Address => address(wire),
        FieldType::Reference { targets, .. } => reference(wire, targets),
        FieldType::File => string(wire)?.parse().map(Value::File).map_err(|_| format_error("the id of a stored file")),
        FieldType::Json => {
            if wire.to_string().len() > limits::JSON_BYTES_MAX {
                return Err((Code::ValueTooLong, format!("At most {} bytes of JSON.", limits::JSON_BYTES_MAX)));
            }
            Ok(Value::Json(wire.clone()))
        }
    }
}

fn string(wire: &Json) -> Result<&str, (Code, String)> {
    wire.as_str().ok_or_else(|| type_error("a text"))
}
fn type_error(expected: &str) -> (Code, String) {
    (Code::ValueType, format!("Expected {expected}."))
}
fn format_error(expected: &str) -> (Code, String) {
    (Code::ValueFormat, format!("Expected {expected}."))
}
fn too_long(max: usize) -> (Code, String) {
    (Code::ValueTooLong, format!("At most {max} characters."))
}

/// The engines agree about the years 1 to 9999 only.
fn year_error() -> (Code, String) {
    (Code::ValueRange, "Expected a year from 1 to 9999.".to_owned())
}

fn date(text: &str) -> Parsed {
    let date = Date::parse_from_str(text, "%Y-%m-%d").map_err(|_| format_error("a date such as 2026-01-31"))?;
    if (1..=9999).contains(&date.year()) { Ok(Value::Date(date)) } else { Err(year_error()) }
}

fn timestamp(text: &str) -> Parsed {
    let time: Timestamp = text.parse().map_err(|_| format_error("a time such as 2026-01-31T09:30:00Z (RFC 3339)"))?;
    // From the first instant of the year 1 to before that of the year 10000, in UTC.
    let years = -62_135_596_800_000_000..253_402_300_800_000_000;
    if years.contains(&time.micros()) { Ok(Value::Timestamp(time)) } else { Err(year_error()) }
}

fn one_line(text: &str, max: usize, case_fold: bool) -> Parsed {
    // Folding can lengthen a text and leave it unnormalised, so it comes before both.
    let folded = if case_fold { text.trim().to_lowercase() } else { text.trim().to_owned() };
    let text: String = folded.nfc().collect();
    if text.chars().any(|character| character.is_control() && character != '\t') {
        return Err(format_error("one line without control characters"));
    }
    if text.chars().count() > max {
        return Err(too_long(max));
    }
    Ok(Value::Text(text))
}

fn long(text: &str) -> Parsed {
    if text.contains('\0') {
        return Err(format_error("text without NUL characters"));
    }
    let text: String = text.nfc().collect();
    if text.chars().count() > limits::LONG_TEXT_CHARS_MAX {
        return Err(too_long(limits::LONG_TEXT_CHARS_MAX));
    }
    Ok(Value::Text(text))
}

fn integer(wire: &Json, min: Option<i64>, max: Option<i64>) -> Parsed {
    let number = wire.as_i64().ok_or_else(|| type_error("a whole number"))?;
    if min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max) {
        let bound = |value: Option<i64>| value.map_or_else(|| "…".to_owned(), |value| value.to_string());
        return Err((Code::ValueRange, format!("Expected a number from {} to {}.", bound(min), bound(max))));
    }
    Ok(Value::Integer(number))
}

fn decimal(wire: &Json, scale: u8) -> Parsed {
    let text = match wire {
        Json::String(text) => text.trim().to_owned(),
        // A JSON integer is exact; a JSON fraction is already rounded by most writers.
        Json::Number(number) if number.is_i64() => number.to_string(),
        _ => return Err(type_error("a decimal number as a text, such as \"12.50\"")),
    };
    decimal_scaled(&text, scale)
        .map(Value::Decimal)
        .ok_or_else(|| format_error(&format!("a number with at most {scale} decimals")))
}

fn money(wire: &Json) -> Parsed {
    let shape = || type_error("an object such as {\"amount\":\"12.30\",\"currency\":\"EUR\"}");
    let object = wire.as_object().ok_or_else(shape)?;
    if object.keys().any(|key| key != "amount" && key != "currency") {
        return Err(shape());
    }
    let amount = object.get("amount").and_then(Json::as_str).ok_or_else(shape)?;
    let currency = object.get("currency").and_then(Json::as_str).ok_or_else(shape)?;
    let currency: Currency = currency.parse().map_err(|error: MoneyError| (Code::ValueFormat, error.to_string()))?;
    match Money::parse(amount.trim(), currency) {
        Ok(money) => Ok(Value::Money(money)),
        Err(MoneyError::Range) => Err((Code::ValueRange, "The amount is too large.".to_owned())),
        Err(error) => Err((Code::ValueFormat, format!("{error}."))),
    }
}

fn known_option(options: &[crate::EnumOption], code: &str) -> Result<(), (Code, String)> {
    if options.iter().any(|option| option.active && option.code == code) {
        return Ok(());
    }
    let mut codes: Vec<&str> =
        options.iter().filter(|option| option.active).map(|option| option.code.as_str()).collect();
    let more = if codes.len() > 20 { ", …" } else { "" };
    codes.truncate(20);
    Err((Code::ValueNotAnOption, format!("Expected one of: {}{more}.", codes.join(", "))))
}

fn multi_enum(wire: &Json, options: &[crate::EnumOption]) -> Parsed {
    let list = wire.as_array().ok_or_else(|| type_error("a list of option codes"))?;
    let mut codes = Vec::with_capacity(list.len());
    for item in list {
        let code = string(item)?;
        known_option(options, code)?;
        codes.push(code.to_owned());
    }
    codes.sort();
    codes.dedup();
    Ok(if codes.is_empty() { Value::Null } else { Value::MultiEnum(codes) })
}

/// One `@`, something before it, a dotted or local domain after it, no blanks: what mail systems in the field accept.
fn email(text: &str) -> Parsed {
    let text: String = text.trim().nfkc().collect();
    let wrong = || format_error("an e-mail address such as name@example.com");
    let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
    let bad = |character: char| character.is_whitespace() || character.is_control() || "<>,;\"".contains(character);
    if local.is_empty() || domain.is_empty() || text.chars().any(bad) || text.chars().count() > 254 {
        return Err(wrong());
    }
    if domain.starts_with('.') || domain.ends_with('.') || domain.contains("..") || local.contains('@') {
        return Err(wrong());
    }
    Ok(Value::Text(format!("{local}@{}", domain.to_lowercase())))
}

/// E.164 where a country is told by a leading `+` or `00`; mainland Chinese numbers without one are completed.
fn phone(text: &str) -> Parsed {
    let text: String = text.trim().nfkc().collect();
    if text.chars().count() > 40 {
        return Err(too_long(40));
    }
    let (number, extension) = match text.split_once(";ext=") {
        Some((number, extension)) => (number, Some(extension)),
        None => (text.as_str(), None),
    };
    let normal = e164(number, extension).ok_or_else(|| {
        format_error("a telephone number with its country, such as +49 451 123456; Chinese numbers may omit +86")
    })?;
    Ok(Value::Text(normal))
}

/// E.164, with an extension as RFC 3966 writes it; `None` when that would not be read as the same number again.
fn e164(number: &str, extension: Option<&str>) -> Option<String> {
    let international = number.strip_prefix("00").map_or_else(|| number.to_owned(), |rest| format!("+{rest}"));
    let region = (!international.starts_with('+')).then_some(phonenumber::country::CN);
    let parsed = phonenumber::parse(region, &international).ok()?;
    let normal = format!("+{}{}", parsed.code().value(), parsed.national());
    let again = phonenumber::parse(None, &normal).ok()?;
    if format!("+{}{}", again.code().value(), again.national()) != normal {
        return None;
    }
    let inner = parsed.extension().map(|extension| extension.as_ref().to_owned());
    match (inner, extension) {
        (None, None) => Some(normal),
        (Some(_), Some(_)) => None,
        (Some(extension), None) => with_extension(&normal, &extension),
        (None, Some(extension)) => with_extension(&normal, extension),
    }
}

fn with_extension(number: &str, extension: &str) -> Option<String> {
    let fits = (1..=8).contains(&extension.len()) && extension.bytes().all(|digit| digit.is_ascii_digit());
    fits.then(|| format!("{number};ext={extension}"))
}

fn url(text: &str) -> Parsed {
    let text = text.trim();
    let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let rest = full.strip_prefix("https://").or_else(|| full.strip_prefix("http://"));
    match rest {
        Some(rest)
            if has_host(rest)
                && full.len() <= 2_000
                && !full.chars().any(|character| {
                    character.is_whitespace() || character.is_control() || "<>\"".contains(character)
                }) =>
        {
            Ok(Value::Text(full))
        }
        _ => Err(format_error("a web address that begins with https:// or http://")),
    }
}

/// Whether what follows the scheme begins with a host and, at most, a port. A user name in front of the host is refused:
/// it only ever serves to deceive the reader about where a link leads.
fn has_host(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, "0"),
    };
    !host.is_empty() && !host.contains('@') && !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit())
}

fn address(wire: &Json) -> Parsed {
    let mut address: Address = serde_json::from_value(wire.clone())
        .map_err(|_| type_error("an object with country, province, city, district, street, postcode"))?;
    for part in [
        &mut address.country,
        &mut address.province,
        &mut address.city,
        &mut address.district,
        &mut address.street,
        &mut address.postcode,
    ] {
        let Some(text) = part.take() else { continue };
        if let Value::Text(text) = one_line(&text.replace(['\r', '\n'], " "), 200, false)? {
            *part = (!text.is_empty()).then_some(text);
        }
    }
    Ok(if address.is_empty() { Value::Null } else { Value::Address(Box::new(address)) })
}

fn reference(wire: &Json, targets: &[String]) -> Parsed {
    let wrong = || type_error("the id of a record, or {\"object\":…,\"id\":…} where several objects are possible");
    let (object, id) = match (wire, targets) {
        (Json::String(id), [only]) => (only.as_str(), id.as_str()),
        (Json::Object(map), _) => (
            map.get("object").and_then(Json::as_str).or(targets.first().map(String::as_str)).ok_or_else(wrong)?,
            map.get("id").and_then(Json::as_str).ok_or_else(wrong)?,
        ),
        _ => return Err(wrong()),
    };
    if !targets.iter().any(|target| target == object) {
        return Err((Code::ValueNotAnOption, format!("Expected a record of: {}.", targets.join(", "))));
    }
    let id = id.parse().map_err(|_| format_error("the id of a record (a UUID)"))?;
    Ok(Value::Reference { object: object.to_owned(), id })
}

#[cfg(test)]
#[path = "value_parse_tests.rs"]
mod tests;
