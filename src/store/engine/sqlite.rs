//! Opening the embedded engine: WAL, an fsync per commit, and checkpoints that this process alone decides.

use crate::StoreError;
use diesel::Connection;
use diesel::connection::SimpleConnection;
use std::path::Path;

/// Opens a connection. Writers and readers differ only in what they may do and how much they cache.
pub(super) fn open(file: &Path, writer: bool) -> Result<diesel::SqliteConnection, StoreError> {
    let path = file.to_str().ok_or_else(|| StoreError::damaged("the database path is not UTF-8"))?;
    let mut conn = diesel::SqliteConnection::establish(path)?;
    conn.set_prepared_statement_cache_size(diesel::connection::CacheSize::Unbounded);
    // busy_timeout first: another process (an import) may hold the write lock while the mode is set.
    conn.batch_execute(
        "PRAGMA busy_timeout = 30000;
         PRAGMA page_size = 4096;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA mmap_size = 268435456;",
    )?;
    conn.batch_execute(if writer {
        "PRAGMA cache_size = -16384;"
    } else {
        "PRAGMA cache_size = -4096; PRAGMA query_only = ON;"
    })?;
    Ok(conn)
}
