//! Sessions of browsers: what is stored, the cookie's text, when a session ends, the CSRF token.
//! The server stores only a digest of the cookie's secret, so a stolen database opens no session.

use crate::{
    error::SessionEnd,
    secret::{SECRET_CHARS, Secret, SecretDigest, SecretText, base64url, base64url_decode},
};
use kernel::{
    SessionId, Timestamp, UserId,
    limits::{SESSION_ABSOLUTE_SECONDS, SESSION_IDLE_SECONDS},
};
use std::net::IpAddr;
use zeroize::Zeroizing;

/// Characters of a session id in base64url.
const ID_CHARS: usize = 22;
/// How far a stored time may lie in the future before the clock must have been set back.
const CLOCK_STEP_SECONDS: i64 = 300;
const CSRF_LABEL: &[u8] = b"kontor-csrf";

/// A stored session.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    /// Its id; not secret.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// SHA-256 of the secret in the cookie.
    pub digest: SecretDigest,
    /// The user's epoch when it was opened; it ends when the epoch moves.
    pub auth_epoch: i64,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// Where it was opened from.
    pub source: Option<IpAddr>,
}

impl SessionRecord {
    /// When it ends in any case.
    pub const fn expires_at(&self) -> Timestamp {
        self.created_at.plus_seconds(SESSION_ABSOLUTE_SECONDS)
    }

    /// Whether time has ended it, counted from when it was last seen.
    pub(crate) fn ended_by_time(&self, last_seen: Timestamp, now: Timestamp) -> Option<SessionEnd> {
        if now >= self.expires_at() {
            Some(SessionEnd::Absolute)
        } else if now >= last_seen.plus_seconds(SESSION_IDLE_SECONDS)
            || last_seen > now.plus_seconds(CLOCK_STEP_SECONDS)
        {
            // A session from the future: the clock was set back, and counting on would stretch both limits.
            Some(SessionEnd::Idle)
        } else {
            None
        }
    }
}

/// Writes the cookie: `<id>.<secret>`, both base64url.
pub(crate) fn cookie_text(id: SessionId, secret: &Secret) -> SecretText {
    SecretText::new(format!("{}.{}", base64url(id.as_bytes()), secret.text().as_str()))
}

/// Reads a cookie; each has exactly one spelling.
pub(crate) fn cookie_parse(text: &str) -> Option<(SessionId, Secret)> {
    if text.len() != ID_CHARS + 1 + SECRET_CHARS {
        return None;
    }
    let (id, secret) = text.split_once('.').filter(|(id, _)| id.len() == ID_CHARS)?;
    Some((SessionId::from_slice(&base64url_decode(id)?)?, Secret::parse(secret)?))
}

/// The header `X-CSRF-Token` is missing or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the X-CSRF-Token header is missing or wrong")]
pub struct CsrfRequired;

/// The CSRF token of a session: an HMAC under the session's secret, so another site can neither read nor guess it.
pub struct Csrf(Secret);

impl Csrf {
    pub(crate) const fn new(secret: Secret) -> Self {
        Self(secret)
    }
    /// The token's text, for the page that belongs to the session.
    pub fn text(&self) -> SecretText {
        SecretText::new(base64url(self.0.mac(CSRF_LABEL).as_ref()))
    }
    /// Checks the header of a changing request, in constant time.
    pub fn check(&self, header: Option<&str>) -> Result<(), CsrfRequired> {
        let tag = header.filter(|text| text.len() == SECRET_CHARS).and_then(base64url_decode).map(Zeroizing::new);
        match tag {
            Some(tag) if self.0.mac_verify(CSRF_LABEL, &tag) => Ok(()),
            _ => Err(CsrfRequired),
        }
    }
}

impl std::fmt::Debug for Csrf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Csrf")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::CountingRandom;
    use kernel::{Id, Random};
    use proptest::prelude::*;

    fn secret(seed: u64) -> Secret {
        Secret::generate(&CountingRandom::new(seed))
    }

    #[test]
    fn csrf_right_wrong_and_missing() {
        let csrf = Csrf::new(secret(1));
        let text = csrf.text();
        assert_eq!(csrf.check(Some(text.expose())), Ok(()));
        let other = Csrf::new(secret(2)).text();
        let flipped =
            text.expose().replace(&text.expose()[..1], if text.expose().starts_with('A') { "B" } else { "A" });
        for wrong in [
            None,
            Some(""),
            Some(other.expose()),
            Some(flipped.as_str()),
            Some(&text.expose()[1..]),
            Some(&"é".repeat(21)),
        ] {
            assert_eq!(csrf.check(wrong), Err(CsrfRequired));
        }
    }

    #[test]
    fn a_cookie_has_one_spelling() {
        let id: SessionId = Id::from_bytes([0xFB; 16]);
        let text = cookie_text(id, &secret(1));
        let (read, shown) = cookie_parse(text.expose()).unwrap();
        assert_eq!(read, id);
        assert!(shown.digest().matches(&secret(1).digest()));
        assert!(!shown.digest().matches(&secret(2).digest()));
        for wrong in [
            String::new(),
            text.expose().replace('.', "-"),
            format!("{}=", text.expose()),
            text.expose().replace('-', "+"),
            text.expose()[1..].to_owned(),
            format!(".{}", &text.expose()[..65]),
            "é".repeat(33),
        ] {
            assert!(cookie_parse(&wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_clock_ends_a_session() {
        let at = Timestamp::from_micros(1_700_000_000_000_000);
        let record = SessionRecord {
            id: Id::from_bytes([1; 16]),
            user: Id::from_bytes([2; 16]),
            digest: secret(1).digest(),
            auth_epoch: 1,
            created_at: at,
            last_seen_at: at,
            source: None,
        };
        let ended = |seen: i64, now: i64| record.ended_by_time(at.plus_seconds(seen), at.plus_seconds(now));
        assert_eq!(ended(0, SESSION_IDLE_SECONDS - 1), None);
        assert_eq!(ended(0, SESSION_IDLE_SECONDS), Some(SessionEnd::Idle));
        assert_eq!(ended(SESSION_ABSOLUTE_SECONDS - 1, SESSION_ABSOLUTE_SECONDS - 1), None);
        assert_eq!(ended(SESSION_ABSOLUTE_SECONDS, SESSION_ABSOLUTE_SECONDS), Some(SessionEnd::Absolute));
        assert_eq!(ended(0, -CLOCK_STEP_SECONDS), None);
        assert_eq!(ended(0, -CLOCK_STEP_SECONDS - 1), Some(SessionEnd::Idle));
    }

    proptest! {
        #[test]
        fn no_cookie_text_panics(text in "\\PC{0,80}") {
            let _ = cookie_parse(&text);
        }

        #[test]
        fn cookies_round_trip(bytes in any::<[u8; 16]>(), seed in any::<u64>()) {
            let random = CountingRandom::new(seed);
            random.fill(&mut [0; 3]);
            let secret = Secret::generate(&random);
            let (id, read) = cookie_parse(cookie_text(Id::from_bytes(bytes), &secret).expose()).unwrap();
            prop_assert_eq!(id.as_bytes(), &bytes);
            prop_assert!(read.digest().matches(&secret.digest()));
        }
    }
}
