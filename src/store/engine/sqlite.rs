//! Opening the embedded engine: WAL, an fsync per commit, and checkpoints that this process alone decides.

use super::Access;
use crate::StoreError;
use diesel::Connection;
use diesel::connection::SimpleConnection;
use std::path::Path;

/// Opens a connection. What writers and readers may do and how much they cache differs; a look writes nothing at all.
pub(super) fn open(file: &Path, access: Access) -> Result<diesel::SqliteConnection, StoreError> {
    let path = file.to_str().ok_or_else(|| StoreError::damaged("the database path is not UTF-8"))?;
    if access == Access::Look {
        return look(path);
    }
    let mut conn = diesel::SqliteConnection::establish(path)?;
    conn.set_prepared_statement_cache_size(diesel::connection::CacheSize::Unbounded);
    if access == Access::Fill {
        // Nobody else knows the file, and a half one is thrown away: it needs neither a log nor the disk's word.
        conn.batch_execute(
            "PRAGMA page_size = 4096; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
             PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768;",
        )?;
        return Ok(conn);
    }
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
         PRAGMA mmap_size = 0;",
    )?;
    conn.batch_execute(if access == Access::Write {
        "PRAGMA cache_size = -16384;"
    } else {
        "PRAGMA cache_size = -4096; PRAGMA query_only = ON;"
    })?;
    Ok(conn)
}

/// A file without a write-ahead log beside it belongs to no running process, since the last one to close it removes that
/// file. Only then may it be called immutable, which lets it lie on a medium that cannot be written.
fn look(path: &str) -> Result<diesel::SqliteConnection, StoreError> {
    let mut name = String::with_capacity(path.len());
    for char in path.chars() {
        match char {
            '%' => name.push_str("%25"),
            '?' => name.push_str("%3f"),
            '#' => name.push_str("%23"),
            char => name.push(char),
        }
    }
    let served = Path::new(&format!("{path}-wal")).exists();
    let mode = if served { "mode=ro" } else { "mode=ro&immutable=1" };
    let opened = diesel::SqliteConnection::establish(&format!("file:{name}?{mode}")).map_err(StoreError::from);
    let settings = "PRAGMA busy_timeout = 30000; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; \
                    PRAGMA temp_store = MEMORY; SELECT count(*) FROM sqlite_master;";
    let opened = opened.and_then(|mut conn| conn.batch_execute(settings).map(|()| conn).map_err(StoreError::from));
    opened.map_err(|error| {
        StoreError::config(format!(
            "cannot read {path}: {error}; a copy taken from a running appliance needs its -wal and -shm files beside it, \
             in a folder where this account may write"
        ))
    })
}
