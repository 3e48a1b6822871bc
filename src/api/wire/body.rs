//! Request bodies: JSON only, read in two steps so that an error can say where without repeating a value.

use kernel::{Code, Fault, Outcome};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value as Json};
use std::ops::Deref;
use zeroize::Zeroizing;

/// A password or passphrase from a body: wiped when dropped, never printed.
pub(crate) struct Secret(Zeroizing<String>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}
impl Deref for Secret {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

/// A body as JSON. An error names line and column, never the text there.
fn tree(body: &[u8]) -> Outcome<Json> {
    if body.is_empty() {
        return Err(Fault::new(Code::JsonInvalid, "The body is empty; send a JSON object."));
    }
    serde_json::from_slice(body).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        Fault::new(Code::JsonInvalid, format!("The body is not valid JSON (UTF-8); see {place}."))
    })
}

/// A body that must be a JSON object with free members, such as the values of a record.
pub(crate) fn json_object(body: &[u8]) -> Outcome<Map<String, Json>> {
    match tree(body)? {
        Json::Object(map) => Ok(map),
        _ => Err(Fault::new(Code::JsonInvalid, "The body must be a JSON object.")),
    }
}

/// A body of a fixed shape.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Outcome<T> {
    let tree = Json::Object(json_object(body)?);
    serde_json::from_value(tree).map_err(|error| {
        let detail = safe_words(&error.to_string());
        Fault::new(Code::ValidationFailed, "The body does not have the expected shape; see the API description.")
            .with_item("", Code::ValueType, detail)
    })
}

/// What may be repeated of a message that can quote values: names of members and what was expected.
fn safe_words(message: &str) -> String {
    if ["unknown field", "missing field", "duplicate field"].iter().any(|start| message.starts_with(start)) {
        return format!("{}.", message.chars().take(400).collect::<String>());
    }
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("A member has the wrong type or value; expected {expected}."),
        None => "A member has the wrong type or value.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code, reason = "only read by serde")]
        login: String,
        #[serde(default)]
        #[expect(dead_code, reason = "only read by serde")]
        count: u8,
    }

    #[test]
    fn errors_say_where_and_what_but_never_the_value() {
        for (body, code, words) in [
            ("", Code::JsonInvalid, "empty"),
            ("{", Code::JsonInvalid, "line 1 column 1"),
            ("[]", Code::JsonInvalid, "JSON object"),
            ("\"secret\"", Code::JsonInvalid, "JSON object"),
            (r#"{"login":"secret","x":1}"#, Code::ValidationFailed, "unknown field `x`, expected `login` or `count`"),
            (r#"{"count":1}"#, Code::ValidationFailed, "missing field `login`"),
            (r#"{"login":"a","count":"secret"}"#, Code::ValidationFailed, "expected u8"),
            (r#"{"login":{"secret":1}}"#, Code::ValidationFailed, "expected a string"),
            ("{\"login\":\"a\",\"login\":secret}", Code::JsonInvalid, "column"),
        ] {
            let fault = json::<Body>(body.as_bytes()).unwrap_err();
            let text = format!("{} {:?}", fault.detail, fault.items);
            assert_eq!(fault.code, code, "{body}");
            assert!(text.contains(words), "{body}: {text}");
            assert!(!text.contains("secret"), "{body}: {text}");
        }
        assert!(json::<Body>(br#"{"login":"anna"}"#).is_ok());
        assert!(json::<Body>(b"{\"login\":\"\xff\"}").is_err(), "not UTF-8");
    }
}
