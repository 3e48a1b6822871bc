//! Which encoding a file is in, how sure that is, and how it was decided, in words for the user.
//! "It decodes" is no proof: Big5 bytes decode as GB18030 to nonsense, so legacy encodings are judged by what they say.

use super::{
    plausible::{self, Judgement},
    scan::Scan,
};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use kernel::{Code, Fault, Outcome};
use serde::Serialize;
use std::io::Read;

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Proven: stated by the user, by a byte order mark, or valid to the last byte in an encoding that others fail.
    Certain,
    /// Far more plausible than the next.
    High,
    /// A guess; the user should look at the preview.
    Low,
}

/// The encoding of a file and the reasons.
#[derive(Clone, Debug)]
pub struct Detection {
    /// The encoding to decode with.
    pub encoding: &'static Encoding,
    /// How sure that is.
    pub confidence: Confidence,
    /// How it was decided, one English sentence.
    pub how: String,
    /// Whether the file begins with a byte order mark.
    pub byte_order_mark: bool,
}

impl Detection {
    fn new(encoding: &'static Encoding, confidence: Confidence, how: impl Into<String>) -> Self {
        Self { encoding, confidence, how: how.into(), byte_order_mark: false }
    }
}

/// The encoding of this label of the WHATWG Encoding Standard; `None` for unknown ones and for those without meaning.
pub fn encoding_named(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label_no_replacement(label.trim().as_bytes())
}

/// Finds the encoding. Reads to the end of the file, so that a bad byte in row 900,000 is told before row 1 is imported.
///
/// # Errors
/// [`Code::ImportEncoding`]: the bytes cannot be read, are UTF-32, or are UTF-8 that is broken somewhere;
/// [`Code::ImportMapping`]: the stated encoding is not known.
pub fn detect_encoding(reader: &mut dyn Read, stated: Option<&str>) -> Outcome<Detection> {
    let scan = Scan::run(reader)
        .map_err(|error| Fault::new(Code::ImportEncoding, "The file cannot be read to its end.").with_cause(error))?;
    if is_utf32(&scan.head) {
        return Err(Fault::new(
            Code::ImportEncoding,
            "The file looks like UTF-32, which is not supported. Save it as UTF-8 and try again.",
        ));
    }
    let detection = match (Encoding::for_bom(&scan.head), stated) {
        (Some((encoding, _)), _) => from_mark(encoding, stated),
        (None, Some(label)) => from_statement(label)?,
        (None, None) => from_bytes(&scan),
    };
    match scan.first_invalid {
        Some(at) if detection.encoding == UTF_8 => Err(Fault::new(
            Code::ImportEncoding,
            format!(
                "The file is UTF-8, but not throughout: line {} has a byte that is not UTF-8 (byte {} of the file; {} such \
                 places in all). Mend it there, or state another encoding.",
                at.line, at.offset, scan.invalid
            ),
        )),
        _ => Ok(detection),
    }
}

/// A byte order mark is the writer's own word, so it also beats an encoding that the user stated for a batch of files:
/// a reject file (UTF-8 with a mark) goes back in with the mapping of its GB18030 original.
fn from_mark(encoding: &'static Encoding, stated: Option<&str>) -> Detection {
    let other = stated.and_then(encoding_named).is_some_and(|stated| stated != encoding);
    let aside = if other { "; it overrides the stated encoding" } else { "" };
    let how = format!("byte order mark of {}{aside}", encoding.name());
    Detection { byte_order_mark: true, ..Detection::new(encoding, Confidence::Certain, how) }
}

fn from_statement(label: &str) -> Outcome<Detection> {
    let encoding = encoding_named(label).ok_or_else(|| {
        Fault::new(
            Code::ImportMapping,
            "The stated encoding is not known. Known are, among others: utf-8, utf-16le, utf-16be, gb18030, gbk, big5, \
             windows-1252, iso-8859-1.",
        )
    })?;
    Ok(Detection::new(encoding, Confidence::Certain, "stated by the user"))
}

fn from_bytes(scan: &Scan) -> Detection {
    if let Some(encoding) = utf16_by_nuls(&scan.head) {
        let how = "no byte order mark, but the zero bytes stand where this encoding puts them";
        return Detection::new(encoding, Confidence::High, how);
    }
    if scan.invalid == 0 {
        let how = if scan.multibyte == 0 {
            "only ASCII characters, the same in every encoding".to_owned()
        } else {
            format!("valid UTF-8 to the last byte, {} characters beyond ASCII", scan.multibyte)
        };
        return Detection::new(UTF_8, Confidence::Certain, how);
    }
    // Other encodings hardly ever form valid UTF-8 sequences by chance: a file full of them with a few bad bytes is a
    // damaged UTF-8 file, and guessing another encoding would garble every name in it.
    if scan.multibyte >= 10 && scan.multibyte >= scan.invalid.saturating_mul(10) {
        return Detection::new(UTF_8, Confidence::Low, "mostly valid UTF-8");
    }
    let Judgement { encoding, sure, how } = plausible::judge(&scan.evidence, scan.evidence_complete);
    Detection::new(encoding, if sure { Confidence::High } else { Confidence::Low }, how)
}

/// UTF-32 with a mark, or with three zero bytes in four (some writers put a UTF-16 mark before UTF-32).
fn is_utf32(head: &[u8]) -> bool {
    let zeros = head.iter().filter(|byte| **byte == 0).count();
    let mostly_zeros = head.len() >= 8 && zeros.saturating_mul(10) > head.len().saturating_mul(6);
    head.starts_with(&[0xFF, 0xFE, 0, 0]) || head.starts_with(&[0, 0, 0xFE, 0xFF]) || mostly_zeros
}

/// UTF-16 without a mark: delimiters, digits and line ends have their zero byte, always on the same side, and make up a
/// fair part of any table. A few stray NULs in an ASCII file do not.
fn utf16_by_nuls(head: &[u8]) -> Option<&'static Encoding> {
    let (mut little, mut big, mut pairs) = (0_usize, 0_usize, 0_usize);
    for pair in head.chunks_exact(2) {
        let telling = |byte: u8| matches!(byte, b'\n' | b'\r' | b'\t' | b',' | b';' | b'|' | b'"' | b' ' | b'0'..=b'9');
        pairs = pairs.saturating_add(1);
        match *pair {
            [byte, 0] if telling(byte) => little = little.saturating_add(1),
            [0, byte] if telling(byte) => big = big.saturating_add(1),
            _ => {}
        }
    }
    let clear =
        |this: usize, other: usize| this >= 2 && this >= other.saturating_mul(10) && this.saturating_mul(30) >= pairs;
    if clear(little, big) {
        Some(UTF_16LE)
    } else if clear(big, little) {
        Some(UTF_16BE)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{BIG5, GB18030, WINDOWS_1252};

    fn check(bytes: &[u8], expected: &'static Encoding) {
        let found = detect_encoding(&mut &*bytes, None).unwrap();
        assert_eq!(found.encoding, expected, "{}", found.how);
    }

    #[test]
    fn short_texts_in_each_encoding() {
        let simplified = "客户名称,城市\n深圳市华为技术有限公司,深圳\n中国银行,北京\n";
        let traditional = "公司名稱,地址\n臺灣水泥股份有限公司,臺北市\n亞洲水泥股份有限公司,臺北市\n";
        let western = "Name,City\nMüller & Söhne,Köln\nCafé Olé,Málaga\n";
        check(simplified.as_bytes(), UTF_8);
        check(&GB18030.encode(simplified).0, GB18030);
        check(&BIG5.encode(traditional).0, BIG5);
        check(&WINDOWS_1252.encode(western).0, WINDOWS_1252);
    }

    #[test]
    fn utf16_without_a_mark() {
        let text = "客户名称,城市\r\n华为,深圳\r\n中国银行,北京\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        check(&little, UTF_16LE);
        check(&big, UTF_16BE);
        check(b"a,b,c\n\0,2,3\n", UTF_8);
    }

    #[test]
    fn the_first_accent_may_come_late() {
        let mut bytes = b"id,name\n1,Smith\n".repeat(200_000);
        bytes.extend_from_slice(b"2,Andr\xE9\n3,Fran\xE7ois\n4,Jos\xE9 Mu\xF1oz\n");
        check(&bytes, WINDOWS_1252);
    }

    #[test]
    fn damaged_utf8_is_told_with_its_place_unless_another_encoding_is_stated() {
        let mut bytes = "名称,城市\n".repeat(300_000).into_bytes();
        bytes.extend_from_slice(b"caf\xE9,x\n");
        let fault = detect_encoding(&mut &*bytes, None).unwrap_err();
        assert_eq!(fault.code, Code::ImportEncoding);
        assert!(fault.detail.contains("line 300001 "), "{}", fault.detail);
        assert!(detect_encoding(&mut &*bytes, Some("latin1")).is_ok());
        assert_eq!(detect_encoding(&mut &*bytes, Some("klingon")).unwrap_err().code, Code::ImportMapping);
    }

    #[test]
    fn a_mark_beats_a_statement() {
        let found = detect_encoding(&mut &b"\xEF\xBB\xBFa,b\n"[..], Some("gb18030")).unwrap();
        assert_eq!(found.encoding, UTF_8);
        assert!(found.how.contains("overrides"));
    }
}
