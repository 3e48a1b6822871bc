//! What can go wrong with a backup set, in words for the operator: what, and what to do. No message holds a key or a value.

use kernel::{Code, Fault};
use std::{fmt, io};

/// Why it was not done.
#[derive(Debug)]
pub enum RecoveryError {
    /// A target did not take or give bytes.
    Target {
        /// What was attempted, with the file.
        what: String,
        /// What the system said.
        cause: io::Error,
    },
    /// A set is not what its manifest says; the text names the file.
    Damaged(String),
    /// A key opens none of the set, or does not fit the appliance.
    Key(String),
    /// The operator stopped it.
    Stopped,
    /// Something is in the way, and nothing was changed.
    Refused(String),
    /// The data could not be held still or looked at.
    Store(Fault),
}

impl RecoveryError {
    /// An error of a target, while this was done.
    pub(crate) fn target(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Target { what: what.into(), cause }
    }
    /// A stable word for the kind of it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Target { cause, .. } if cause.kind() == io::ErrorKind::StorageFull => "disk_full",
            Self::Target { .. } => "target",
            Self::Damaged(_) => "damaged",
            Self::Key(_) => "key",
            Self::Stopped => "stopped",
            Self::Refused(_) => "refused",
            Self::Store(_) => "data",
        }
    }
}

impl fmt::Display for RecoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target { what, cause } => write!(f, "{what}: {cause}"),
            Self::Damaged(what) => write!(f, "the set is damaged: {what}"),
            Self::Key(what) | Self::Refused(what) => f.write_str(what),
            Self::Stopped => f.write_str("it was stopped; what was half written is gone"),
            Self::Store(fault) => write!(f, "{} ({})", fault.detail, fault.code.as_str()),
        }
    }
}

impl std::error::Error for RecoveryError {}

impl From<store::StoreError> for RecoveryError {
    fn from(error: store::StoreError) -> Self {
        Self::Store(error.into())
    }
}

impl From<vault::VaultError> for RecoveryError {
    fn from(error: vault::VaultError) -> Self {
        match error {
            vault::VaultError::ArchiveFailed(what) => Self::Damaged(what),
            other => Self::Key(other.to_string()),
        }
    }
}

impl From<RecoveryError> for Fault {
    fn from(error: RecoveryError) -> Self {
        match error {
            RecoveryError::Store(fault) => fault,
            RecoveryError::Key(_) => Self::new(Code::UnsealFailed, error.to_string()),
            RecoveryError::Refused(_) => Self::new(Code::ParameterInvalid, error.to_string()),
            other => Self::new(Code::Unavailable, other.to_string()),
        }
    }
}
