//! The signal that the embedded engine's write-ahead log has grown too long to be emptied beside a writer that never rests, and
//! what the writer then does between two groups. Never waits long for a reader: it is asked again.

use super::{Conn, Sql};
use metadata::ColumnType;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Raised by the checkpointer, lowered by the committer.
#[derive(Default)]
pub(crate) struct Overflow {
    raised: AtomicBool,
    /// How many copies of the database file are being made: until they are done nothing can be moved into it.
    paused: AtomicUsize,
}

impl Overflow {
    /// Asks the committer to empty the log before its next group.
    pub(crate) fn raise(&self) {
        if !self.is_paused() {
            self.raised.store(true, Ordering::Relaxed);
        }
    }

    /// Whether asking would be in vain, and cost the commits a wait.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed) > 0
    }

    /// A copy of the database file begins, or ends.
    pub(crate) fn pause(&self, begins: bool) {
        if begins {
            self.paused.fetch_add(1, Ordering::Relaxed);
        } else {
            self.paused.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Empties the log if that was asked for. A reader in the middle of a long answer would hold up every commit, so it gets
    /// a quarter of a second to end; else the log stays until the checkpointer asks again.
    pub(crate) fn relieve(&self, conn: &mut Conn) {
        if !self.raised.swap(false, Ordering::Relaxed) || self.is_paused() {
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
