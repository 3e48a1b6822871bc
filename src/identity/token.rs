//! API tokens: `kontor_<id>_<secret>`. The prefix and id may be seen, so a leaked token can be found and revoked;
//! of the secret only a digest is stored.

use crate::{
    cidr::Cidr,
    secret::{SECRET_CHARS, Secret, SecretDigest, SecretText},
    token_scopes::TokenScopes,
};
use kernel::{Id, Timestamp, TokenId, UserId};
use std::{fmt, net::IpAddr, sync::Arc};

const PREFIX: &str = "kontor_";
/// Crockford's base 32 in lower case: no i, l, o, u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of 128 bits in base 32.
const ID_CHARS: usize = 26;

/// A stored API token.
#[derive(Clone)]
pub struct TokenRecord {
    /// Its id, part of the visible prefix.
    pub id: TokenId,
    /// Whose rights it carries.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// SHA-256 of its secret.
    pub digest: SecretDigest,
    /// What it may be used for.
    pub scopes: Arc<TokenScopes>,
    /// The networks it may be used from; empty means all.
    pub allow: Vec<Cidr>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl TokenRecord {
    /// The visible part of the token's text.
    pub fn prefix(&self) -> String {
        prefix(self.id)
    }
    /// Whether it can still be used at this time.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
    /// Whether it is the secret of a calendar address, and nothing else.
    pub fn is_calendar(&self) -> bool {
        *self.scopes == TokenScopes::calendar()
    }
    /// Whether it may be used from there. With a list of networks, an unknown address is outside.
    pub(crate) fn allows_source(&self, source: Option<IpAddr>) -> bool {
        self.allow.is_empty() || source.is_some_and(|source| self.allow.iter().any(|network| network.contains(source)))
    }
}

impl fmt::Debug for TokenRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenRecord({} of {})", self.id, self.user)
    }
}

fn prefix(id: TokenId) -> String {
    let mut text = String::with_capacity(PREFIX.len() + ID_CHARS);
    text.push_str(PREFIX);
    let bits = u128::from_be_bytes(*id.as_bytes());
    for place in (0..ID_CHARS).rev() {
        let five = usize::try_from((bits >> (place * 5)) & 31).unwrap_or(0);
        text.push(ALPHABET.get(five).map_or('0', |byte| char::from(*byte)));
    }
    text
}

/// Writes the token; the only time that it is seen whole.
pub(crate) fn token_text(id: TokenId, secret: &Secret) -> SecretText {
    SecretText::new(format!("{}_{}", prefix(id), secret.text().as_str()))
}

/// Reads a token; each has exactly one spelling.
pub(crate) fn token_parse(text: &str) -> Option<(TokenId, Secret)> {
    if text.len() != PREFIX.len() + ID_CHARS + 1 + SECRET_CHARS {
        return None;
    }
    let (id, rest) = text.strip_prefix(PREFIX)?.split_at_checked(ID_CHARS)?;
    let secret = Secret::parse(rest.strip_prefix('_')?)?;
    let mut bits = 0u128;
    for (place, byte) in id.bytes().enumerate() {
        let five = u128::try_from(ALPHABET.iter().position(|known| *known == byte)?).ok()?;
        // 26 × 5 bits are two more than an id has: the first character carries three bits only.
        if place == 0 && five > 7 {
            return None;
        }
        bits = (bits << 5) | five;
    }
    Some((Id::from_bytes(bits.to_be_bytes()), secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::CountingRandom;
    use proptest::prelude::*;

    fn secret(seed: u64) -> Secret {
        Secret::generate(&CountingRandom::new(seed))
    }

    #[test]
    fn spelling_and_misspelling() {
        let id = Id::from_bytes([0xFF; 16]);
        let text = token_text(id, &secret(1));
        let text = text.expose();
        assert!(text.starts_with("kontor_7zzzzzzzzzzzzzzzzzzzzzzzzz_"), "{text}");
        assert_eq!(token_parse(text).unwrap().0, id);
        for wrong in [
            String::new(),
            text.to_uppercase(),
            text.replacen("kontor_7", "kontor_8", 1),
            text.replacen("kontor_7", "kontor_i", 1),
            text.replacen("kontor", "kontur", 1),
            format!("{text}A"),
            text[..text.len() - 1].to_owned(),
            format!("{}é", &text[..text.len() - 2]),
        ] {
            assert!(token_parse(&wrong).is_none(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn tokens_round_trip(bytes in any::<[u8; 16]>(), seed in any::<u64>()) {
            let text = token_text(Id::from_bytes(bytes), &secret(seed));
            let (id, read) = token_parse(text.expose()).unwrap();
            prop_assert_eq!(id.as_bytes(), &bytes);
            prop_assert!(read.digest().matches(&secret(seed).digest()));
        }

        #[test]
        fn no_text_panics_and_what_is_read_is_written_the_same(text in "(kontor_)?[0-9a-z]{20,26}_[-_0-9A-Za-z]{43}|\\PC{0,90}") {
            if let Some((id, secret)) = token_parse(&text) {
                let written = token_text(id, &secret);
                prop_assert_eq!(written.expose(), text.as_str());
            }
        }
    }
}
