//! What a file is, told by its first bytes and never by what somebody calls it, and the names files may have. Decides which
//! kinds are taken at all; it opens nothing and unpacks nothing.

use kernel::{Code, Fault, limits};

/// First bytes that are enough to tell.
pub(crate) const HEAD_BYTES: usize = 4096;

/// The kinds with a mark of their own: where it stands, the mark, the media type.
const MARKS: &[(usize, &[u8], &str)] = &[
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xFF\xD8\xFF", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "application/x-ole-storage"),
    (30, b"mimetypeapplication/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
    (30, b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.spreadsheet"),
    (30, b"mimetypeapplication/vnd.oasis.opendocument.presentation", "application/vnd.oasis.opendocument.presentation"),
];
/// What the entries of an office document begin with, and its media type.
const OFFICE: [(&[u8], &str); 3] = [
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
];
const ZIP: &[u8] = b"PK\x03\x04";

/// The media type of a file that begins with these bytes.
///
/// # Errors
/// `media_type_unsupported` for what is neither text nor one of the kinds above; programs are among them.
pub(crate) fn media_type_of(head: &[u8]) -> Result<&'static str, Fault> {
    let at = |(place, mark, _): &&(usize, &[u8], &str)| head.get(*place..).is_some_and(|rest| rest.starts_with(mark));
    if let Some((_, _, media)) = MARKS.iter().find(at) {
        let riff = *media != "image/webp" || head.starts_with(b"RIFF");
        if riff {
            return Ok(media);
        }
    }
    if head.starts_with(ZIP) {
        let holds = |mark: &[u8]| head.windows(mark.len()).any(|window| window == mark);
        let office = OFFICE.iter().find(|(mark, _)| holds(b"[Content_Types].xml") && holds(mark));
        return Ok(office.map_or("application/zip", |(_, media)| media));
    }
    if !head.is_empty() && is_text(head) {
        return Ok("text/plain");
    }
    Err(Fault::new(
        Code::MediaTypeUnsupported,
        "Files of this kind are not taken. Taken are PDF, images (PNG, JPEG, GIF, WebP, TIFF, HEIC), office documents, RTF, ZIP and text; what counts is what is in the file, not its name.",
    ))
}

/// Text of any of the usual encodings: no control characters but those of lines and pages. UTF-16 has a mark.
fn is_text(head: &[u8]) -> bool {
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return true;
    }
    head.iter().all(|byte| !matches!(byte, 0..=8 | 0x0E..=0x1A | 0x1C..=0x1F | 0x7F))
}

/// Whether a browser may show it inside the page: pictures that are only pictures, and PDF.
pub(crate) fn is_previewable(media_type: &str) -> bool {
    matches!(media_type, "application/pdf" | "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

/// A name as it may be kept: one line, no path, nothing that would show it otherwise than it is.
pub fn name_allowed(name: &str) -> Result<String, Fault> {
    let name = name.trim();
    let length = name.chars().count();
    let bad = |char: char| {
        char.is_control()
            || matches!(char, '/' | '\\' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    if length == 0 || length > limits::FILE_NAME_CHARS_MAX || name.chars().any(bad) || [".", ".."].contains(&name) {
        let detail = format!(
            "Give the name of the file in Content-Disposition (filename*=UTF-8''…): 1 to {} characters (FILE_NAME_CHARS_MAX), without `/`, `\\` and invisible ones.",
            limits::FILE_NAME_CHARS_MAX
        );
        return Err(Fault::new(Code::ParameterInvalid, detail));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_bytes() {
        for (head, expected) in [
            (b"%PDF-1.7\n".as_slice(), Some("application/pdf")),
            (b"\x89PNG\r\n\x1a\n....", Some("image/png")),
            (b"\xFF\xD8\xFF\xE0", Some("image/jpeg")),
            (b"RIFF1234WEBPVP8 ", Some("image/webp")),
            (b"XXXX1234WEBPVP8 \0", None),
            (b"PK\x03\x04..............", Some("application/zip")),
            (b"PK\x03\x04....[Content_Types].xml....word/document.xml", Some(OFFICE[0].1)),
            ("Straße, 客户\r\n".as_bytes(), Some("text/plain")),
            (b"<html><script>", Some("text/plain")),
            (b"MZ\x90\0\x03", None),
            (b"\x7fELF\x02\x01", None),
            (b"\xCA\xFE\xBA\xBE\0\0", None),
            (b"", None),
        ] {
            assert_eq!(media_type_of(head).ok(), expected, "{head:?}");
        }
        assert!(!is_previewable("text/plain") && !is_previewable("image/svg+xml"));
    }

    #[test]
    fn names_are_names() {
        assert_eq!(name_allowed("  合同 2026.pdf ").unwrap(), "合同 2026.pdf");
        let long = "x".repeat(limits::FILE_NAME_CHARS_MAX + 1);
        for bad in ["", " ", ".", "..", "a/b", "a\\b", "a\nb", "gpj.\u{202E}exe", long.as_str()] {
            assert!(name_allowed(bad).is_err(), "{bad:?}");
        }
    }
}
