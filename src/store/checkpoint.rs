//! The embedded engine's own checkpointer: a thread that moves the write-ahead log into the database file when it has
//! grown, beside the commits. Only when writers never rest does it ask the committer for a moment. PostgreSQL does this itself.

use crate::StoreError;
use crate::engine::{Access, Conn, EngineConfig, Handover, Overflow, Sql};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the size of the write-ahead log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// From this size on it is moved.
const WAL_BYTES_MIN: u64 = 16 * 1024 * 1024;
/// From this size on the committer empties it between two groups. While frames are added without a pause the file cannot
/// begin anew by itself: an import of a million records would leave ten gigabytes, and each read would search them.
const WAL_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// The handle to the checkpointer's thread.
pub(crate) struct Checkpointer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts it; `None` on PostgreSQL.
    pub(crate) fn start(
        config: &EngineConfig,
        overflow: Arc<Overflow>,
        handover: Arc<Handover>,
    ) -> Result<Option<Self>, StoreError> {
        let EngineConfig::Sqlite { file } = config else { return Ok(None) };
        let mut conn = Conn::open(config, Access::Write)?;
        let wal = PathBuf::from(format!("{}-wal", file.display()));
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("checkpointer".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                    if !handover.may_move() {
                        continue;
                    }
                    let size = std::fs::metadata(&wal).map_or(0, |meta| meta.len());
                    if size >= WAL_BYTES_MIN && !overflow.is_paused() {
                        checkpoint(&mut conn, "PRAGMA wal_checkpoint(PASSIVE)");
                    }
                    // Asked after the pass above, so that little is left to move while commits wait.
                    if size >= WAL_BYTES_MAX {
                        overflow.raise();
                    }
                }
                // The engine empties the log when the last process closes it; while others are there it may be held.
                if handover.may_move() {
                    checkpoint(&mut conn, "PRAGMA wal_checkpoint(PASSIVE)");
                }
            })
            .map_err(|error| StoreError::config(format!("cannot start the checkpointer: {error}")))?;
        Ok(Some(Self { stop: Some(stop), thread: Some(thread) }))
    }
    /// Moves everything and joins the thread.
    pub(crate) fn stop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn checkpoint(conn: &mut Conn, pragma: &'static str) {
    let types = [metadata::ColumnType::Integer; 3];
    if let Err(error) = conn.rows(&Sql::new(pragma), &types) {
        tracing::warn!(%error, "the write-ahead log could not be moved into the database file");
    }
}
