//! How much of a field somebody sees, and the levels of all fields of an object side by side.

use serde::{Deserialize, Serialize};

/// How much of a field somebody sees; each level includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Not even that the field exists on the record.
    #[default]
    None,
    /// Whether there is a value.
    Exists,
    /// The value behind its mask.
    Masked,
    /// The value.
    Read,
    /// The value, and may change it.
    Edit,
}

impl Level {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Exists => "exists",
            Self::Masked => "masked",
            Self::Read => "read",
            Self::Edit => "edit",
        }
    }
}

/// The levels of all fields of one object, by field position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldLevels(Vec<Level>);

impl FieldLevels {
    pub(crate) fn new(levels: Vec<Level>) -> Self {
        Self(levels)
    }
    /// The level of the field at this position; `None` beyond the end.
    pub fn get(&self, index: usize) -> Level {
        self.0.get(index).copied().unwrap_or_default()
    }
    /// Field by field the higher level.
    #[must_use]
    pub(crate) fn union(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| *a.max(b)).collect())
    }
    /// Field by field the lower level.
    #[must_use]
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| *a.min(b)).collect())
    }
}
