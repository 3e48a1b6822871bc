//! The signal that the embedded engine's write-ahead log has grown too long to be emptied beside a writer that never rests, and
//! what the writer then does between two groups. Never waits long for a reader: it is asked again.

use super::{Access, Conn, Handover, Line, Row, Sql};
use crate::StoreError;
use metadata::ColumnType;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How long commits wait at most until what was committed is shipped, so that the log can be emptied.
const PASS_MAX: Duration = Duration::from_millis(500);
/// Askings that are passed over after one that was in vain: ten seconds.
const PASSED_OVER: usize = 20;

/// Raised by the checkpointer, lowered by the committer.
#[derive(Default)]
pub(crate) struct Overflow {
    raised: AtomicBool,
    /// How many copies of the database file are being made: until they are done nothing can be moved into it.
    paused: AtomicUsize,
    /// How often asking is passed over, after it was in vain.
    passed_over: AtomicUsize,
}

impl Overflow {
    /// Asks the committer to empty the log before its next group.
    pub(crate) fn raise(&self) {
        let left = self.passed_over.load(Ordering::Relaxed);
        self.passed_over.store(left.saturating_sub(1), Ordering::Relaxed);
        if left == 0 && !self.is_paused() {
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

    /// Empties the log if that was asked for, without losing what is still to be shipped. A reader in the middle of a long answer would hold up every commit, so it gets
    /// a quarter of a second to end; else the log stays until the checkpointer asks again.
    pub(crate) fn relieve(&self, line: &mut Line, handover: &Handover) {
        if !self.raised.swap(false, Ordering::Relaxed) || self.is_paused() {
            return;
        }
        let emptied = if handover.is_carried() { passed_on(line, handover) } else { truncated(line.same()) };
        match emptied {
            Ok(true) => {}
            // What is held is not let go by asking often, and each asking makes commits wait.
            Ok(false) => self.passed_over.store(PASSED_OVER, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "the write-ahead log could not be emptied"),
        }
    }
}

/// Whether all of the log was moved, by what the engine says of a checkpoint.
fn is_whole(rows: Vec<Row>) -> bool {
    rows.first().is_some_and(|row| row.int(0) == Some(0) && row.int(1) == row.int(2))
}

fn truncated(conn: &mut Conn) -> Result<bool, StoreError> {
    let emptied = conn
        .batch("PRAGMA busy_timeout = 250")
        .and_then(|()| conn.rows(&Sql::new("PRAGMA wal_checkpoint(TRUNCATE)"), &[ColumnType::Integer; 3]));
    let restored = conn.batch("PRAGMA busy_timeout = 30000");
    emptied.and_then(|rows| restored.map(|()| is_whole(rows)))
}

/// Where commits are shipped, a reader holds the log up to what was not. With nobody writing, everything is shipped and
/// moved, and the reader that then begins lets the next commit begin the log anew.
fn passed_on(line: &mut Line, handover: &Handover) -> Result<bool, StoreError> {
    let mut mover = Conn::open(line.config(), Access::Write)?;
    line.same().batch("BEGIN IMMEDIATE")?;
    handover.pass(PASS_MAX);
    let moved = mover.rows(&Sql::new("PRAGMA wal_checkpoint(PASSIVE)"), &[ColumnType::Integer; 3]);
    handover.pass(PASS_MAX);
    line.same().batch("ROLLBACK")?;
    moved.map(is_whole)
}
