//! The vocabulary every other crate speaks: ids, time, money, randomness, limits and the one error table.
//!
//! It does no I/O and reads no clock: time and randomness come in as arguments ([`Clock`], [`Random`]),
//! so that every test can fix them.

mod clock;
mod code;
mod fault;
mod id;
pub mod limits;
mod money;

pub use clock::{Clock, Date, ManualClock, SystemClock, Timestamp};
pub use code::{Code, Kind, Row};
pub use fault::{Fault, FaultItem, Outcome};
pub use id::{
    AnyKind, BootKind, Id, IdParseError, JobKind, Random, RecordId, RecordKind, RoleKind, SessionId, SessionKind,
    TokenId, TokenKind, UnitId, UserId,
};
pub use money::{Currency, Money, MoneyError};

use serde::{Deserialize, Serialize};

/// A text for people, in both languages of the product. Neither may be empty in a shipped definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
}

impl Label {
    /// Builds a label from its two texts.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }
}
