//! What can go wrong below the verbs. Converted into a `Fault` at the edge; engine texts stay in the operator's log.

use crate::engine::committer::NotCommitted;
use kernel::{Code, Fault};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine refused or failed.
    #[error("the database engine reports: {0}")]
    Engine(#[from] diesel::result::Error),
    /// No connection.
    #[error("no connection to the database: {0}")]
    Connection(#[from] diesel::ConnectionError),
    /// What is stored contradicts the definitions.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// A setting is wrong.
    #[error("{0}")]
    Config(String),
    /// The database was made by a version this one does not know.
    #[error("{0}")]
    SchemaUnknown(String),
    /// The commit did not reach the disk.
    #[error("the commit failed: {0}")]
    Commit(NotCommitted),
    /// The database server went away.
    #[error("the connection to the database was lost: {0}")]
    Lost(String),
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// The key ring refused.
    #[error(transparent)]
    Vault(#[from] vault::VaultError),
    /// The log refused.
    #[error("the audit log: {0}")]
    Audit(String),
    /// Another process seals the log.
    #[error("the audit log is sealed by another process")]
    LogLocked,
    /// Something for the person who asked.
    #[error("{0}")]
    Fault(Fault),
}

impl StoreError {
    /// Stored data that cannot be.
    pub fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }
    /// Whether it may go by itself, when the database is back.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::Lost(_) | Self::Commit(_) => true,
            Self::Fault(fault) => fault.code.row().retryable,
            _ => false,
        }
    }
    /// A wrong setting, with what to do.
    pub fn config(what: impl Into<String>) -> Self {
        Self::Config(what.into())
    }
}

impl From<audit::LogError> for StoreError {
    fn from(error: audit::LogError) -> Self {
        match error {
            audit::LogError::Locked { .. } => Self::LogLocked,
            other => Self::Audit(other.to_string()),
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Fault(fault) => fault,
            StoreError::Vault(error) => error.into(),
            StoreError::Commit(NotCommitted::Failed(cause)) => Self::new(
                Code::AuditUnavailable,
                "The change or its audit entry could not be written; nothing was changed.",
            )
            .with_cause(cause),
            StoreError::Commit(NotCommitted::Unknown(cause)) => Self::new(
                Code::Unavailable,
                "The database went away at the last moment, so the change may have been made or not. Look before you send it again.",
            )
            .with_cause(cause),
            StoreError::Lost(cause) => Self::new(
                Code::Unavailable,
                "The database cannot be reached at the moment; nothing was changed. Try again in a moment.",
            )
            .with_cause(cause),
            StoreError::Closed => Self::new(Code::Unavailable, "The appliance is stopping; try again in a moment."),
            StoreError::SchemaUnknown(detail) => Self::new(Code::SchemaUnknown, detail),
            StoreError::Config(detail) => Self::new(Code::ConfigInvalid, detail),
            other => Self::internal(other),
        }
    }
}
