//! Following the log: which records were changed since a number, and where they lie now. Ids and facts only; whether
//! somebody may know of them is decided above, by the same scope as everything else.

use crate::engine::{Cell, Sql};
use crate::log::LogLine;
use crate::rows::StoredRow;
use crate::{ReadTx, StoreError};
use kernel::RecordId;
use metadata::{ColumnType, ObjectDef};
use std::sync::Arc;

impl ReadTx<'_> {
    /// Entries about changes of records from a number on, oldest first, and the number to go on from. Entries in between
    /// that changed nothing are passed over.
    pub fn log_changes(&mut self, from: u64, max: usize) -> Result<(Vec<LogLine>, u64), StoreError> {
        let size = self.log_size()?;
        if size <= from {
            return Ok((Vec::new(), size));
        }
        let number = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
        let mut sql =
            Sql::new("SELECT \"seq\", \"bytes\" FROM \"k_audit\" WHERE \"changed\" IS NOT NULL AND \"seq\" >= ");
        sql.bind(number(from)).push(" AND \"seq\" < ").bind(number(size)).push(" ORDER BY \"seq\" LIMIT ");
        sql.number(max);
        let rows = self.conn.rows(&sql, &[ColumnType::Integer, ColumnType::Binary])?;
        let lines = rows.into_iter().map(crate::log::line).collect::<Result<Vec<_>, _>>()?;
        let next = lines.last().filter(|_| lines.len() == max).map_or(size, |last| last.seq + 1);
        Ok((lines, next))
    }

    /// Records by id without any field, whether or not somebody may see them, those in the bin too: mint a grant from
    /// their facts before use.
    pub fn rows_bare(&mut self, object: &Arc<ObjectDef>, ids: &[RecordId]) -> Result<Vec<StoredRow>, StoreError> {
        let selection = self.shared.selections.of(object, []);
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(100) {
            let mut sql = Sql::new("SELECT ");
            selection.push_columns(&mut sql);
            sql.push(" FROM ").ident(&object.name).push(" t WHERE t.\"id\" IN (");
            sql.binds(chunk.iter().map(|id| Cell::from(*id))).push(")").varied();
            for row in self.conn.rows(&sql, selection.types())? {
                found.push(selection.row(row)?);
            }
        }
        Ok(found)
    }
}
