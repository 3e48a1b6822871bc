//! The web interface inside the binary: the files of `src/ui/dist/site`, compressed when they were built. Files with a hash
//! in their name never change and are kept by browsers; the page itself is asked for each time and answered by its tag.
//! Without a built interface there are none, and the binary says so instead. It reads no file at run time.

use crate::wire::{Answer, takes};
use actix_web::http::header::{self, HeaderMap};
use kernel::Outcome;
use ring::digest::{SHA256, digest};
use std::sync::LazyLock;

include!(concat!(env!("OUT_DIR"), "/ui_files.rs"));

/// One file of the interface, as it is and compressed.
pub(crate) struct File {
    name: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// The page that starts everything.
const PAGE: &str = "index.html";
/// What lies below this has a hash in its name.
const HASHED: &str = "assets/";
/// A year, the most that caches count.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

static PAGE_TAG: LazyLock<String> = LazyLock::new(|| {
    let bytes = file(PAGE).map_or(&[] as &[u8], |page| page.plain);
    let sum = digest(&SHA256, bytes);
    let hex: String = sum.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
});

fn file(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

/// A compressed form and how it is named, the smallest that the browser takes.
fn chosen(file: &File, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
    let takes = |wanted| takes(headers, wanted);
    match (file.brotli, file.gzip) {
        (Some(bytes), _) if takes("br") => (Some("br"), bytes),
        (_, Some(bytes)) if takes("gzip") => (Some("gzip"), bytes),
        _ => (None, file.plain),
    }
}

fn media(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

fn dressed(file: &File, headers: &HeaderMap) -> Outcome<Answer> {
    let (encoding, bytes) = chosen(file, headers);
    let answer = Answer::bytes(media(file.name), bytes.to_vec()).header(header::VARY, "Accept-Encoding")?;
    match encoding {
        Some(name) => answer.header(header::CONTENT_ENCODING, name),
        None => Ok(answer),
    }
}

/// Whether the interface was built before the binary.
pub(crate) fn is_built() -> bool {
    file(PAGE).is_some()
}

/// The page, or that the browser has it already. `None` without a built interface.
pub(crate) fn page(headers: &HeaderMap) -> Option<Outcome<Answer>> {
    let file = file(PAGE)?;
    let has = |value: &str| value.split(',').any(|tag| tag.trim().trim_start_matches("W/") == PAGE_TAG.as_str());
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(has);
    let answer = if known { Ok(Answer::empty().status(304)) } else { dressed(file, headers) };
    Some(
        answer
            .and_then(|answer| answer.header(header::ETAG, &PAGE_TAG))
            .and_then(|answer| answer.header(header::CACHE_CONTROL, "no-cache")),
    )
}

/// What lies at an address of the interface: a file that never changes, or for every other address the page, which knows
/// the rest. `None` for a file of another version, and without a built interface.
pub(crate) fn answer(path: &str, headers: &HeaderMap) -> Option<Outcome<Answer>> {
    if path.starts_with(HASHED) {
        let found = dressed(file(path)?, headers);
        return Some(found.and_then(|answer| answer.header(header::CACHE_CONTROL, FOR_GOOD)));
    }
    page(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    const SAMPLE: File = File { name: "assets/a-1.js", plain: b"plain", brotli: Some(b"br"), gzip: Some(b"gz") };

    fn takes(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(text).unwrap());
        headers
    }

    #[test]
    fn the_browser_chooses_the_form() {
        for (accept, encoding, bytes) in [
            ("gzip, deflate, br", Some("br"), "br"),
            ("gzip", Some("gzip"), "gz"),
            ("br;q=0, GZIP;q=0.5", Some("gzip"), "gz"),
            ("br;q=0,gzip;q=0.0", None, "plain"),
            ("identity", None, "plain"),
            ("brotli", None, "plain"),
        ] {
            assert_eq!(chosen(&SAMPLE, &takes(accept)), (encoding, bytes.as_bytes()), "{accept}");
        }
        let bare = File { brotli: None, gzip: None, ..SAMPLE };
        assert_eq!(chosen(&bare, &takes("br")), (None, &b"plain"[..]));
        assert_eq!(chosen(&SAMPLE, &HeaderMap::new()), (None, &b"plain"[..]));
    }

    #[test]
    fn the_built_interface_is_whole() {
        if !is_built() {
            println!("SKIPPED: the interface is not built, so nothing embedded can be looked at.");
            return;
        }
        let page = std::str::from_utf8(file(PAGE).unwrap().plain).unwrap();
        assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains("http:"), "{page}");
        for part in page.split("/app/assets/").skip(1) {
            let name = format!("assets/{}", part.split('"').next().unwrap());
            let found = file(&name).unwrap_or_else(|| panic!("{name} is missing"));
            assert!(found.brotli.is_some() && found.gzip.is_some(), "{name} is not compressed");
        }
        assert!(FILES.iter().all(|file| media(file.name) != "application/octet-stream"));
        assert!(answer("assets/none.js", &HeaderMap::new()).is_none());
        assert!(answer("o/account", &HeaderMap::new()).unwrap().is_ok());
    }
}
