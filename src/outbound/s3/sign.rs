//! Signatures of requests as S3 wants them (AWS Signature Version 4), over `ring`. Always in a header, and always over the
//! hash of the body, so that no address carries a credential and a store notices a body that was altered on its way.

use kernel::Timestamp;
use ring::{digest, hmac};
use std::fmt::Write;

/// What is signed beside the key.
pub(super) struct Subject<'a> {
    pub(super) method: &'a str,
    pub(super) host: &'a str,
    /// The path, encoded already.
    pub(super) path: &'a str,
    /// The query, encoded and sorted already.
    pub(super) query: &'a str,
    /// The SHA-256 of the body in hexadecimal.
    pub(super) body: &'a str,
    pub(super) at: Timestamp,
}

/// The moment as the header `x-amz-date` has it.
pub(super) fn moment(at: Timestamp) -> String {
    at.to_datetime().format("%Y%m%dT%H%M%SZ").to_string()
}

/// The SHA-256 of bytes in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

/// The header `authorization`.
pub(super) fn authorization(subject: &Subject<'_>, region: &str, (id, secret): (&str, &str)) -> String {
    const NAMES: &str = "host;x-amz-content-sha256;x-amz-date";
    let moment = moment(subject.at);
    let day = moment.get(..8).unwrap_or_default();
    let canonical = format!(
        "{}\n{}\n{}\nhost:{}\nx-amz-content-sha256:{}\nx-amz-date:{moment}\n\n{NAMES}\n{}",
        subject.method, subject.path, subject.query, subject.host, subject.body, subject.body
    );
    let scope = format!("{day}/{region}/s3/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let mut first = zeroize::Zeroizing::new(Vec::with_capacity(4 + secret.len()));
    first.extend_from_slice(b"AWS4");
    first.extend_from_slice(secret.as_bytes());
    let mut key = mac(&first, day);
    for part in [region, "s3", "aws4_request"] {
        key = mac(key.as_ref(), part);
    }
    let signature = hex(mac(key.as_ref(), &text).as_ref());
    format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={NAMES}, Signature={signature}")
}

/// Percent-encoding as the signature wants it: all but unreserved characters, and `/` where it parts a path.
pub(super) fn encoded(text: &str, path: bool) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || (path && byte == b'/') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first example of the public description of Signature Version 4 for S3 has the header `range` too, which we do not sign;
    /// its list of objects has what we have.
    #[test]
    fn the_published_example_comes_out() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let subject = Subject {
            method: "GET",
            host: "examplebucket.s3.amazonaws.com",
            path: "/",
            query: "max-keys=2&prefix=J",
            body: empty,
            at: "2013-05-24T00:00:00Z".parse().unwrap(),
        };
        assert_eq!(sha256(b""), empty);
        let keys = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        assert_eq!(
            authorization(&subject, "us-east-1", keys),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
             Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }

    #[test]
    fn names_are_encoded_once() {
        assert_eq!(encoded("a b/ü~.tar", true), "a%20b/%C3%BC~.tar");
        assert_eq!(encoded("a/b+c", false), "a%2Fb%2Bc");
    }
}
