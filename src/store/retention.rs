//! What is kept for a time only goes when that time is over, whether or not anybody looks at it again: files of imports and
//! exports, and notifications beyond the newest of each user. Records and the log are never touched.

use crate::engine::Sql;
use crate::{Store, StoreError, WriteTx};
use kernel::{Fault, RecordId, Timestamp, UserId, limits};
use metadata::ColumnType;

/// Of each kind in one unit: nobody waits long for it, and what is left goes with the next.
const TOGETHER: usize = 200;

impl WriteTx<'_, '_> {
    fn old_of(&mut self, table: &str, before: Timestamp) -> Result<Vec<RecordId>, StoreError> {
        let mut sql = Sql::new("SELECT \"id\" FROM ");
        sql.ident(table).push(" WHERE \"beat_at\" < ").bind(before.micros()).push(" LIMIT ").number(TOGETHER);
        let rows = self.conn().rows(&sql, &[ColumnType::Binary])?;
        Ok(rows.into_iter().filter_map(|row| row.id(0)).collect())
    }

    /// Forgets exports of all users that were last at work before this time. Says how many.
    pub fn exports_prune(&mut self, before: Timestamp) -> Result<usize, StoreError> {
        let old = self.old_of("k_export", before)?;
        old.iter().try_for_each(|id| self.export_drop(*id))?;
        Ok(old.len())
    }

    fn imports_prune(&mut self, before: Timestamp) -> Result<usize, StoreError> {
        let old = self.old_of("k_import", before)?;
        old.iter().try_for_each(|id| self.import_drop(*id))?;
        Ok(old.len())
    }

    fn notifications_prune_all(&mut self, keep: usize) -> Result<usize, StoreError> {
        let mut sql = Sql::new("SELECT \"user_id\" FROM \"k_notification\" GROUP BY \"user_id\" HAVING count(*) > ");
        sql.bind(i64::try_from(keep).unwrap_or(i64::MAX)).push(" LIMIT ").number(TOGETHER);
        let rows = self.conn().rows(&sql, &[ColumnType::Binary])?;
        let users: Vec<UserId> = rows.into_iter().filter_map(|row| row.id(0)).collect();
        users.iter().try_for_each(|user| self.notifications_prune(*user, keep))?;
        Ok(users.len())
    }
}

impl Store {
    /// Takes away what nobody may use any more. For the appliance, from time to time. Says how much went, in imports, exports
    /// and users with too many notifications.
    pub fn old_sweep(&self) -> Result<usize, Fault> {
        let now = self.clock().now();
        let swept = self.write(move |tx| {
            let exports = tx.exports_prune(now.plus_seconds(-limits::EXPORT_SECONDS))?;
            let imports = tx.imports_prune(now.plus_seconds(-limits::IMPORT_SECONDS))?;
            let users = tx.notifications_prune_all(limits::NOTIFICATIONS_PER_USER_MAX)?;
            Ok(exports + imports + users)
        });
        swept.wait()
    }
}
