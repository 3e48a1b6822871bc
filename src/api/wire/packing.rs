//! Long answers made small for readers who take them so (RFC 9110 section 12.5.3). Which answers may be is said where they
//! are made; nothing is chosen here.

use actix_web::http::header::{self, HeaderMap};
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

/// Less than this travels in one packet anyway, in bytes.
const WORTH_IT: usize = 1_400;

/// Whether the reader takes this form. One with `q=0` is refused.
pub(crate) fn takes(headers: &HeaderMap, wanted: &str) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    accepted.flat_map(|text| text.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.trim().parse::<f32>().is_ok_and(|q| q <= 0.0));
        name.trim().eq_ignore_ascii_case(wanted) && !refused
    })
}

/// The small form (gzip, RFC 1952), where there is one worth it.
pub(crate) fn small(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() < WORTH_IT {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 8), Compression::fast());
    encoder.write_all(text).ok()?;
    encoder.finish().ok().filter(|small| small.len() < text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    #[test]
    fn a_long_text_comes_back_whole_and_a_short_one_stays() {
        assert!(small(b"{}").is_none());
        let text = r#"{"name":"account"}"#.repeat(1_000);
        let packed = small(text.as_bytes()).unwrap();
        assert!(packed.len() * 10 < text.len());
        let mut again = String::new();
        GzDecoder::new(packed.as_slice()).read_to_string(&mut again).unwrap();
        assert_eq!(again, text);
    }
}
