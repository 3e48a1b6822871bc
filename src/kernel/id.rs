//! Typed identifiers: UUIDv7 (RFC 9562), so that ids sort by creation and a user id cannot be passed for a unit id.
//! Never invents time or randomness: both are handed in.

use crate::Clock;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{cmp, fmt, hash, marker::PhantomData, str::FromStr};
use uuid::Uuid;

/// A source of unpredictable bytes. The real one is the operating system's, behind `vault`.
pub trait Random: Send + Sync {
    /// Fills the whole buffer. Implementations abort the process rather than return weak bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// A UUIDv7 that names a thing of kind `K`.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

macro_rules! kinds { ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $($(#[$doc])* #[derive(Debug)] pub enum $name {})* } }
kinds! {
    /// A record of any object.
    RecordKind,
    /// A sign-in session.
    SessionKind,
    /// An API token.
    TokenKind,
    /// A role.
    RoleKind,
    /// A background job or an import run.
    JobKind,
    /// One start of the process.
    BootKind,
    /// A thing whose kind is told elsewhere.
    AnyKind,
}

/// Names a record. Users and units are records too.
pub type RecordId = Id<RecordKind>;
/// Names a user: the id of a record of object `user`.
pub type UserId = Id<RecordKind>;
/// Names an organisation unit: the id of a record of object `unit`.
pub type UnitId = Id<RecordKind>;
/// Names a session.
pub type SessionId = Id<SessionKind>;
/// Names an API token.
pub type TokenId = Id<TokenKind>;

impl<K> Id<K> {
    /// A new id from the time (milliseconds, 48 bits) and 74 random bits.
    pub fn generate(clock: &dyn Clock, random: &dyn Random) -> Self {
        let millis = u64::try_from(clock.now().micros() / 1000).unwrap_or(0);
        let mut tail = [0u8; 10];
        random.fill(&mut tail);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid(), PhantomData)
    }

    /// The id with these 16 bytes, as stored in the database.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes), PhantomData)
    }

    /// Reads 16 stored bytes; anything else is `None`.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Uuid::from_slice(bytes).ok().map(|id| Self(id, PhantomData))
    }

    /// The 16 bytes, big-endian, in the order in which ids sort.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The same bytes read as an id of another kind; for places where the kind is told by a neighbour.
    pub const fn cast<L>(self) -> Id<L> {
        Id(self.0, PhantomData)
    }
}

/// The text is not a UUID.
#[derive(Debug, thiserror::Error)]
#[error("not an id: expected a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057")]
pub struct IdParseError;

impl<K> FromStr for Id<K> {
    type Err = IdParseError;
    fn from_str(text: &str) -> Result<Self, IdParseError> {
        // Only the hyphenated form: one id has one spelling.
        if text.len() != 36 {
            return Err(IdParseError);
        }
        Uuid::parse_str(text).map(|id| Self(id, PhantomData)).map_err(|_| IdParseError)
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}
impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    struct Fixed;
    impl Random for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0xAB);
        }
    }

    #[test]
    fn ids_sort_by_time_and_round_trip() {
        let clock = ManualClock::at_seconds(1_700_000_000);
        let first: RecordId = Id::generate(&clock, &Fixed);
        clock.advance_seconds(1);
        let second: RecordId = Id::generate(&clock, &Fixed);
        assert!(first < second);
        assert_eq!(first.to_string().parse::<RecordId>().unwrap(), first);
        assert_eq!(first.to_string().as_bytes()[14], b'7', "version nibble of RFC 9562");
        assert_eq!(RecordId::from_slice(first.as_bytes()), Some(first));
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in ["", "x", "{01890a5d-ac96-774b-bcce-b302099a8057}", "01890a5dac96774bbcceb302099a8057"] {
            assert!(text.parse::<RecordId>().is_err(), "{text}");
        }
    }
}
