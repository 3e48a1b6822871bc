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

/// The name under which a role can set the level of an object's files: `account.attachments`.
pub const FILES: &str = "attachments";

/// The levels of all fields of one object, by field position, and that of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldLevels {
    fields: Vec<Level>,
    files: Level,
}

impl FieldLevels {
    pub(crate) fn new(fields: Vec<Level>, files: Level) -> Self {
        Self { fields, files }
    }
    /// The level of the record's files: from `read` on they can be listed and opened, with `edit` added and taken away.
    pub fn files(&self) -> Level {
        self.files
    }
    /// The level of the field at this position; `None` beyond the end.
    pub fn get(&self, index: usize) -> Level {
        self.fields.get(index).copied().unwrap_or_default()
    }
    /// Field by field the higher level.
    #[must_use]
    pub(crate) fn union(&self, other: &Self) -> Self {
        let fields = self.fields.iter().zip(&other.fields).map(|(a, b)| *a.max(b)).collect();
        Self { fields, files: self.files.max(other.files) }
    }
    /// Field by field the lower level.
    #[must_use]
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let fields = self.fields.iter().zip(&other.fields).map(|(a, b)| *a.min(b)).collect();
        Self { fields, files: self.files.min(other.files) }
    }
}
