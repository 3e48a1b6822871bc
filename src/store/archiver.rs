//! Whether the server engine's own archive of its log goes on. It looks; the archive itself is the server's affair.

use crate::engine::Sql;
use crate::{ReadTx, StoreError};
use kernel::Timestamp;
use metadata::ColumnType;

/// What the server says of its archiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Archiver {
    /// When a piece of its log was last put into the archive.
    pub archived_at: Option<Timestamp>,
    /// When that last failed.
    pub failed_at: Option<Timestamp>,
}

impl Archiver {
    /// Whether the last attempt failed.
    pub fn is_failing(&self) -> bool {
        self.failed_at.is_some_and(|failed| self.archived_at.is_none_or(|archived| archived < failed))
    }
}

impl ReadTx<'_> {
    /// The archiver; nothing where none is switched on, or the engine has none.
    pub fn archiver(&mut self) -> Result<Option<Archiver>, StoreError> {
        if self.conn.is_sqlite() {
            return Ok(None);
        }
        let sql = Sql::new(
            "SELECT current_setting('archive_mode'), CAST(extract(epoch FROM last_archived_time) * 1000000 AS bigint), \
             CAST(extract(epoch FROM last_failed_time) * 1000000 AS bigint) FROM pg_stat_archiver",
        );
        let row = self.conn.first(&sql, &[ColumnType::Text, ColumnType::Integer, ColumnType::Integer])?;
        let time = |at: Option<i64>| at.map(Timestamp::from_micros);
        Ok(row
            .filter(|row| row.text(0).as_deref() != Some("off"))
            .map(|row| Archiver { archived_at: time(row.int(1)), failed_at: time(row.int(2)) }))
    }
}
