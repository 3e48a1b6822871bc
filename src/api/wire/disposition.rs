//! Names of files in headers: read from what a client sends, and written so that every browser saves a file under its own
//! name (RFC 6266 with RFC 8187). Whether a name is a good one is decided elsewhere.

use super::headers::single;
use actix_web::http::header::{self, HeaderMap};
use kernel::{Code, Fault, Outcome};
use std::fmt::Write as _;

fn invalid() -> Fault {
    let detail =
        "Send the name of the file as `Content-Disposition: attachment; filename*=UTF-8''name`, percent-encoded.";
    Fault::new(Code::ParameterInvalid, detail)
}

/// The name in `Content-Disposition`: `filename*` before `filename`.
pub(crate) fn file_name(headers: &HeaderMap) -> Outcome<String> {
    let text = single(headers, &header::CONTENT_DISPOSITION)?.ok_or_else(invalid)?;
    let mut plain = None;
    for part in parts(text).into_iter().skip(1) {
        let Some((name, value)) = part.split_once('=') else { return Err(invalid()) };
        match name.trim().to_ascii_lowercase().as_str() {
            "filename*" => return extended(value.trim()),
            "filename" => plain = Some(quoted(value.trim())),
            _ => {}
        }
    }
    plain.ok_or_else(invalid)
}

/// Splits at semicolons outside quotes.
fn parts(text: &str) -> Vec<String> {
    let (mut parts, mut inside, mut escaped) = (vec![String::new()], false, false);
    for char in text.chars() {
        match char {
            ';' if !inside => {
                parts.push(String::new());
                continue;
            }
            '"' if !escaped => inside = !inside,
            _ => {}
        }
        escaped = inside && char == '\\' && !escaped;
        if let Some(last) = parts.last_mut() {
            last.push(char);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

/// A token, or a quoted string without its quotes.
fn quoted(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return text.to_owned() };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        out.extend(if char == '\\' { chars.next() } else { Some(char) });
    }
    out
}

/// `UTF-8'en'%e2%82%ac`.
fn extended(text: &str) -> Outcome<String> {
    let mut parts = text.splitn(3, '\'');
    let charset = parts.next().unwrap_or_default();
    let value = parts.nth(1).ok_or_else(invalid)?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return Err(invalid());
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = digit(rest.next()).zip(digit(rest.next())).ok_or_else(invalid)?;
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| invalid())?);
    }
    String::from_utf8(bytes).map_err(|_| invalid())
}

/// `Content-Disposition` for an answer: an ASCII stand-in for old clients, the name itself for all others.
pub(crate) fn disposition(inline: bool, name: &str) -> String {
    let safe = |char: char| char.is_ascii_alphanumeric() || " .-_".contains(char);
    let stand_in: String = name.chars().map(|char| if safe(char) { char } else { '_' }).collect();
    let mut text =
        format!("{}; filename=\"{stand_in}\"; filename*=UTF-8''", if inline { "inline" } else { "attachment" });
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    fn read(text: &str) -> Outcome<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_bytes(text.as_bytes()).unwrap());
        file_name(&headers)
    }

    #[test]
    fn names_are_read() {
        for (text, expected) in [
            ("attachment; filename=plain.txt", "plain.txt"),
            ("attachment; filename=\"a; b\\\" c.txt\"", "a; b\" c.txt"),
            ("attachment; filename=\"x.pdf\"; filename*=UTF-8''%E5%90%88%E5%90%8C.pdf", "合同.pdf"),
            ("attachment; filename*=utf-8'de'Stra%c3%9fe%20%22.pdf", "Straße \".pdf"),
            ("inline;FileName*=UTF-8''a%27b", "a'b"),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
        for wrong in [
            "",
            "attachment",
            "attachment; name=x",
            "attachment; filename*=x",
            "attachment; filename*=ISO-8859-1''x",
            "attachment; filename*=UTF-8''%",
            "attachment; filename*=UTF-8''%zz",
            "attachment; filename*=UTF-8''%ff",
            "attachment; filename",
        ] {
            assert_eq!(read(wrong).unwrap_err().code, Code::ParameterInvalid, "{wrong}");
        }
        assert!(file_name(&HeaderMap::new()).is_err());
    }

    #[test]
    fn names_are_written() {
        assert_eq!(
            disposition(false, "合同 \"1\".pdf"),
            "attachment; filename=\"__ _1_.pdf\"; filename*=UTF-8''%E5%90%88%E5%90%8C%20%221%22.pdf"
        );
        assert!(disposition(true, "a.png").starts_with("inline; filename=\"a.png\";"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(name in "\\PC{1,40}") {
            let header = disposition(false, &name);
            prop_assert!(header.bytes().all(|byte| (0x20..0x7F).contains(&byte)), "{}", header);
            prop_assert_eq!(read(&header).unwrap(), name);
        }
        #[test]
        fn no_header_panics(text in "[ -~]{0,60}") {
            let _ = read(&text);
        }
    }
}
