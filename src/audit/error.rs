//! What can go wrong with the files of the log, in words for the operator. Paths are told, contents never.

use crate::{checkpoint::CheckpointError, tree::ProofError};
use std::{io, path::PathBuf};

/// A failure of the log's files.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file cannot be read.
    #[error("cannot read {path}: {cause}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file cannot be written; nothing was promised yet. Free space or mend the permissions, then start again.
    #[error("cannot write {path}: {cause}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The system could not say that data is on disk. What was written is unknown from here on: the process must end
    /// (exit code 74) and read everything anew, for a second fsync may report success without having written.
    #[error("cannot make {path} durable: {cause}")]
    Sync {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Another process writes this log.
    #[error("another process is writing this log ({path} is locked); stop it first")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A file of the log is not there.
    #[error("{path} is missing")]
    Missing {
        /// Which, relative to the log.
        path: String,
    },
    /// A file of the log has not the shape it must have.
    #[error("{path}: {what}")]
    Malformed {
        /// Which, relative to the log.
        path: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The checkpoint is gone although the log was begun.
    #[error("the log was begun but its checkpoint is missing; restore the log from a backup, do not begin a new one")]
    CheckpointMissing,
    /// The log does not contain what was sealed before.
    #[error(
        "the log ends at entry {size} or differs before entry {expected}, which was sealed; restore it from a backup"
    )]
    Anchor {
        /// How many entries there are.
        size: u64,
        /// How many there were.
        expected: u64,
    },
    /// The tiles do not lead to the root in the checkpoint.
    #[error("the newest tiles do not lead to the root in the checkpoint; verify the log")]
    RootDiffers,
    /// The checkpoint was refused.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// An entry does not fit.
    #[error("an entry of {bytes} bytes is larger than AUDIT_ENTRY_BYTES_MAX")]
    EntryTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// An earlier append failed, so memory and disk may differ; open the log anew.
    #[error("an earlier append failed; the log must be opened anew")]
    Broken,
    /// There is no such entry or tree.
    #[error("there is no such entry or tree in this log")]
    Range,
}

impl From<ProofError<LogError>> for LogError {
    fn from(error: ProofError<LogError>) -> Self {
        match error {
            ProofError::Range => Self::Range,
            ProofError::Source(error) => error,
        }
    }
}
