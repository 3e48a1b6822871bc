//! Single headers, each with its one accepted spelling.

use actix_web::http::header::{self, HeaderMap, HeaderName};
use identity::Locale;
use kernel::{Code, Fault, Outcome, limits::IDEMPOTENCY_KEY_CHARS_MAX};

fn invalid(name: &str, detail: &str) -> Fault {
    Fault::new(Code::ParameterInvalid, format!("The header {name} is not valid: {detail}"))
}

/// The value of a header that may come once. Twice is an error: two readers could choose differently.
pub(crate) fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Outcome<Option<&'h str>> {
    let mut values = headers.get_all(name);
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(invalid(name.as_str(), "send it once."));
    }
    let text = std::str::from_utf8(first.as_bytes()).map_err(|_| invalid(name.as_str(), "it is not UTF-8."))?;
    Ok(Some(text.trim()))
}

/// The version a change is based on (RFC 9110 section 13.1.1): one strong tag, such as `"7"`.
pub(crate) fn if_match(headers: &HeaderMap) -> Outcome<Option<i64>> {
    let Some(text) = single(headers, &header::IF_MATCH)? else { return Ok(None) };
    let version = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).and_then(whole);
    version.map(Some).ok_or_else(|| {
        invalid(
            "If-Match",
            "send the ETag of the record as it was read, such as \"7\"; `*`, lists and weak tags are refused.",
        )
    })
}

/// A positive whole number in its one spelling.
fn whole(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits && !text.starts_with('0')).then(|| text.parse().ok()).flatten()
}

/// The key under which a repeated request gives the first answer.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Outcome<Option<&str>> {
    let Some(text) = single(headers, &HeaderName::from_static("idempotency-key"))? else { return Ok(None) };
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > IDEMPOTENCY_KEY_CHARS_MAX || !visible {
        return Err(invalid(
            "Idempotency-Key",
            &format!("1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters (limit IDEMPOTENCY_KEY_CHARS_MAX)."),
        ));
    }
    Ok(Some(text))
}

/// Why values are asked for; its limits are checked where it is used.
pub(crate) fn purpose(headers: &HeaderMap) -> Outcome<Option<&str>> {
    single(headers, &HeaderName::from_static("x-purpose"))
}

/// The token of `Authorization: Bearer` (RFC 6750). Another scheme is an error, not an anonymous request.
pub(crate) fn bearer(headers: &HeaderMap) -> Outcome<Option<&str>> {
    let Some(text) = single(headers, &header::AUTHORIZATION)? else { return Ok(None) };
    let refused = || Fault::new(Code::SignInRequired, "Send `Authorization: Bearer` with an API token, or sign in.");
    let (scheme, token) = text.split_once(' ').ok_or_else(refused)?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.contains(' ') {
        return Err(refused());
    }
    Ok(Some(token))
}

/// The session cookie's name; over TLS a browser accepts it only from this host and over TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookie {
    pub(crate) secure: bool,
}

impl Cookie {
    fn name(self) -> &'static str {
        if self.secure { "__Host-kontor" } else { "kontor" }
    }
}

/// The session cookie of a request. Two of the name are none: one of them was planted.
pub(crate) fn cookie(headers: &HeaderMap, cookie: Cookie) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    let mut named = all
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(|(name, value)| (name == cookie.name()).then_some(value));
    let first = named.next()?;
    named.next().is_none().then_some(first)
}

/// `Set-Cookie` for a session that ends with the browser; the server ends it earlier.
pub(crate) fn cookie_set(cookie: Cookie, value: &str) -> String {
    let secure = if cookie.secure { "; Secure" } else { "" };
    format!("{}={value}; Path=/; HttpOnly{secure}; SameSite=Strict", cookie.name())
}

/// `Set-Cookie` that takes the cookie away.
pub(crate) fn cookie_clear(cookie: Cookie) -> String {
    format!("{}; Max-Age=0", cookie_set(cookie, ""))
}

/// The language that `Accept-Language` prefers (RFC 9110 section 12.5.4), of the two there are.
pub(crate) fn locale(headers: &HeaderMap) -> Option<Locale> {
    let text = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut best: Option<(u32, Locale)> = None;
    for part in text.split(',').take(20) {
        let (tag, weight) = part.split_once(';').unwrap_or((part, "q=1"));
        let locale = match tag.trim().get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("en") => Locale::En,
            Some("zh") => Locale::Zh,
            _ => continue,
        };
        let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).unwrap_or(0.0);
        // Thousandths, as the grammar has three decimals; casts of floats would hide a NaN.
        let weight = (0..=1000u32).rev().find(|step| f64::from(*step) <= f64::from(weight) * 1000.0).unwrap_or(0);
        if weight > 0 && best.is_none_or(|(known, _)| weight > known) {
            best = Some((weight, locale));
        }
    }
    best.map(|(_, locale)| locale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    fn map(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        map
    }

    #[test]
    fn if_match_has_one_spelling() {
        assert_eq!(if_match(&map(&[])).unwrap(), None);
        assert_eq!(if_match(&map(&[("if-match", "\"7\"")])).unwrap(), Some(7));
        for wrong in [
            "*",
            "7",
            "W/\"7\"",
            "\"7\", \"8\"",
            "\"07\"",
            "\"0\"",
            "\"-1\"",
            "\"\"",
            "\"",
            "",
            "\"99999999999999999999\"",
            "\"7\"\"",
            "\"x\"",
        ] {
            assert_eq!(if_match(&map(&[("if-match", wrong)])).unwrap_err().code, Code::ParameterInvalid, "{wrong}");
        }
        assert!(if_match(&map(&[("if-match", "\"7\""), ("if-match", "\"7\"")])).is_err());
    }

    #[test]
    fn idempotency_keys_are_short_and_visible() {
        assert_eq!(idempotency_key(&map(&[("idempotency-key", "a-1")])).unwrap(), Some("a-1"));
        let long = "k".repeat(IDEMPOTENCY_KEY_CHARS_MAX + 1);
        for wrong in ["", "a b", "é", long.as_str()] {
            assert!(idempotency_key(&map(&[("idempotency-key", wrong)])).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bearer_or_nothing() {
        assert_eq!(bearer(&map(&[])).unwrap(), None);
        assert_eq!(bearer(&map(&[("authorization", "bEARER abc")])).unwrap(), Some("abc"));
        for wrong in ["Basic abc", "Bearer", "Bearer ", "Bearer a b", "abc"] {
            assert_eq!(bearer(&map(&[("authorization", wrong)])).unwrap_err().code, Code::SignInRequired, "{wrong}");
        }
    }

    #[test]
    fn cookies() {
        let tls = Cookie { secure: true };
        assert_eq!(cookie(&map(&[("cookie", "a=1; __Host-kontor=v.x; kontor=y")]), tls), Some("v.x"));
        assert_eq!(cookie(&map(&[("cookie", "kontor=y")]), tls), None);
        assert_eq!(cookie(&map(&[("cookie", "kontor=y")]), Cookie { secure: false }), Some("y"));
        assert_eq!(cookie(&map(&[("cookie", "__Host-kontor=a; __Host-kontor=b")]), tls), None);
        assert_eq!(cookie_set(tls, "v"), "__Host-kontor=v; Path=/; HttpOnly; Secure; SameSite=Strict");
        assert_eq!(cookie_clear(Cookie { secure: false }), "kontor=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    }

    #[test]
    fn languages() {
        for (text, expected) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Locale::Zh)),
            ("en-GB", Some(Locale::En)),
            ("de, en;q=0.3, zh;q=0.7", Some(Locale::Zh)),
            ("zh;q=0, en;q=0.1", Some(Locale::En)),
            ("de", None),
            ("*", None),
            ("zh;q=NaN", None),
            ("", None),
        ] {
            assert_eq!(locale(&map(&[("accept-language", text)])), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(text in "[ -~]{0,60}|\\PC{0,30}") {
            for name in ["if-match", "authorization", "cookie", "accept-language", "idempotency-key"] {
                let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { continue };
                let mut headers = HeaderMap::new();
                headers.insert(HeaderName::from_static(name), value);
                let _ = (if_match(&headers), bearer(&headers), cookie(&headers, Cookie { secure: true }), locale(&headers), idempotency_key(&headers));
            }
        }
    }
}
