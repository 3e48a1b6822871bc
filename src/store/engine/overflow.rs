//! The signal that the embedded engine's write-ahead log has grown too long to be emptied beside a writer that never rests, and
//! what the writer then does between two groups. Never waits long for a reader: it is asked again.

use super::{Conn, Sql};
use metadata::ColumnType;
use std::sync::atomic::{AtomicBool, Ordering};

/// Raised by the checkpointer, lowered by the committer.
#[derive(Default)]
pub(crate) struct Overflow(AtomicBool);

impl Overflow {
    /// Asks the committer to empty the log before its next group.
    pub(crate) fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Empties the log if that was asked for. A reader in the middle of a long answer would hold up every commit, so it gets
    /// a quarter of a second to end; else the log stays until the checkpointer asks again.
    pub(crate) fn relieve(&self, conn: &mut Conn) {
        if !self.0.swap(false, Ordering::Relaxed) {
            return;
        }
        let emptied = conn
            .batch("PRAGMA busy_timeout = 250")
            .and_then(|()| conn.rows(&Sql::new("PRAGMA wal_checkpoint(TRUNCATE)"), &[ColumnType::Integer; 3]));
        let restored = conn.batch("PRAGMA busy_timeout = 30000");
        if let Err(error) = emptied.map(drop).and(restored) {
            tracing::warn!(%error, "the write-ahead log could not be emptied");
        }
    }
}
