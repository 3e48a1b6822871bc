//! Which records of an object have links or files at all, so that whoever walks over all records need not ask each. Ids only:
//! what lies behind them is for the verbs that take a grant.

use crate::engine::Sql;
use crate::{ReadTx, StoreError};
use kernel::RecordId;
use metadata::{ColumnType, LinkDef, ObjectDef};
use std::collections::HashSet;

impl ReadTx<'_> {
    /// Records that a relation of theirs begins at.
    pub fn linked(&mut self, object: &ObjectDef, link: &LinkDef) -> Result<HashSet<RecordId>, StoreError> {
        let mut sql = Sql::new("SELECT DISTINCT \"from_id\" FROM ");
        sql.ident(&object.link_table(link));
        self.ids(&sql)
    }

    /// Records that have files.
    pub fn with_files(&mut self, object: &str) -> Result<HashSet<RecordId>, StoreError> {
        let mut sql = Sql::new("SELECT DISTINCT \"record\" FROM \"k_attachment\" WHERE \"object\" = ");
        sql.bind(object);
        self.ids(&sql)
    }

    fn ids(&mut self, sql: &Sql) -> Result<HashSet<RecordId>, StoreError> {
        let mut found = HashSet::new();
        self.conn.each(sql, &[ColumnType::Binary], |row| {
            found.extend(row.id(0));
            Ok(())
        })?;
        Ok(found)
    }
}
