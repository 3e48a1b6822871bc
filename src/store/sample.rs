//! Sample data in the tables: which rows are part of it, what was touched since it came, what hangs on it, and its end for
//! good. Ending a record leaves no row, key, token, link or file of it; the log keeps that it was there. It decides
//! nothing: who may end what, and in which order, is asked in `records`.

use crate::change::ChangeLog;
use crate::engine::{Cell, Sql};
use crate::write::check_same;
use crate::{Cause, ReadTx, StoreError, StoredRow, WriteTx, state};
use audit::Verb;
use authz::{Delete, Grant};
use kernel::{RecordId, Timestamp, UserId};
use metadata::{ColumnRole, ColumnType, ObjectDef};
use std::sync::Arc;

const INT: ColumnType = ColumnType::Integer;
const BIN: ColumnType = ColumnType::Binary;

/// A record that somebody changed or made, when, and who.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touched {
    /// The record.
    pub id: RecordId,
    /// When it was changed last.
    pub at: Timestamp,
    /// By whom.
    pub by: Option<UserId>,
}

const TOUCHED: [ColumnType; 3] = [BIN, INT, BIN];

fn touched(row: &crate::engine::Row) -> Option<Touched> {
    Some(Touched { id: row.id(0)?, at: Timestamp::from_micros(row.int(1).unwrap_or_default()), by: row.id(2) })
}

impl ReadTx<'_> {
    /// How many sample records an object has, those in the recycle bin too, and how many of them were changed after `since`.
    pub fn sample_count(&mut self, object: &ObjectDef, since: Timestamp) -> Result<(usize, usize), StoreError> {
        let mut sql = Sql::new("SELECT count(*), coalesce(sum(CASE WHEN \"updated_at\" > ");
        sql.bind(since.micros()).push(" THEN 1 ELSE 0 END), 0) FROM ").ident(&object.name);
        sql.push(" WHERE \"is_sample\" = ").bind(true);
        let row = self.conn.first(&sql, &[INT, INT])?;
        let number = |at| row.as_ref().and_then(|row| usize::try_from(row.int(at)?).ok()).unwrap_or(0);
        Ok((number(0), number(1)))
    }

    /// Sample records that were changed after `since`, newest first.
    pub fn sample_changed(
        &mut self,
        object: &ObjectDef,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Touched>, StoreError> {
        let mut sql = Sql::new("SELECT \"id\", \"updated_at\", \"updated_by_id\" FROM ");
        sql.ident(&object.name).push(" WHERE \"is_sample\" = ").bind(true).push(" AND \"updated_at\" > ");
        sql.bind(since.micros()).push(" ORDER BY \"updated_at\" DESC, \"id\" LIMIT ").number(limit);
        Ok(self.conn.rows(&sql, &TOUCHED)?.iter().filter_map(touched).collect())
    }

    /// Sample records of an object, those in the recycle bin too.
    pub fn sample_ids(&mut self, object: &ObjectDef) -> Result<Vec<RecordId>, StoreError> {
        let mut sql = Sql::new("SELECT \"id\" FROM ");
        sql.ident(&object.name).push(" WHERE \"is_sample\" = ").bind(true).push(" ORDER BY \"id\"");
        Ok(self.conn.rows(&sql, &[BIN])?.iter().filter_map(|row| row.id(0)).collect())
    }

    /// How many files people have put to sample records of an object.
    pub fn sample_files(&mut self, object: &ObjectDef) -> Result<usize, StoreError> {
        let mut sql = Sql::new("SELECT count(*) FROM \"k_attachment\" WHERE \"record\" IN (SELECT \"id\" FROM ");
        sql.ident(&object.name).push(" WHERE \"is_sample\" = ").bind(true).push(")");
        Ok(self.conn.first(&sql, &[INT])?.and_then(|row| usize::try_from(row.int(0)?).ok()).unwrap_or(0))
    }

    /// Live records that are no sample, and whose reference field points to a sample record of `target`.
    pub fn sample_hangers(
        &mut self,
        object: &ObjectDef,
        field: usize,
        target: &ObjectDef,
        limit: usize,
    ) -> Result<Vec<Touched>, StoreError> {
        let columns = object.fields.get(field).map(metadata::FieldDef::columns).unwrap_or_default();
        let Some(column) = columns.into_iter().find(|column| column.role == ColumnRole::Value) else {
            return Ok(Vec::new());
        };
        let mut sql = Sql::new("SELECT t.\"id\", t.\"updated_at\", t.\"updated_by_id\" FROM ");
        sql.ident(&object.name).push(" t WHERE t.\"deleted_at\" IS NULL AND coalesce(t.\"is_sample\", ").bind(false);
        sql.push(") = ").bind(false).push(" AND t.").ident(&column.name).push(" IN (SELECT s.\"id\" FROM ");
        sql.ident(&target.name).push(" s WHERE s.\"is_sample\" = ").bind(true).push(") ORDER BY t.\"id\" LIMIT ");
        sql.number(limit);
        Ok(self.conn.rows(&sql, &TOUCHED)?.iter().filter_map(touched).collect())
    }

    /// Whether an object has a row at all, in the recycle bin too.
    pub fn has_rows(&mut self, object: &ObjectDef) -> Result<bool, StoreError> {
        let mut sql = Sql::new("SELECT \"version\" FROM ");
        sql.ident(&object.name).push(" LIMIT 1");
        Ok(self.conn.first(&sql, &[INT])?.is_some())
    }
}

impl WriteTx<'_, '_> {
    /// Ends a record that was read whole in this unit, for good: nothing but the log knows of it afterwards.
    pub fn purge(&mut self, grant: Grant<'_, Delete>, row: &StoredRow, cause: Cause) -> Result<(), StoreError> {
        let object = Arc::clone(row.object());
        check_same(&grant, row)?;
        let id = row.id();
        let fixed = [("id", Cell::from(id)), ("version", Cell::Int(row.version()))];
        let cells = fixed.iter().map(|(name, cell)| (*name, cell)).chain(row.named_cells());
        let before = state::row_state(&object.name, cells)?;
        self.purge_links(&object, id)?;
        self.purge_files(id)?;
        for (table, column) in [
            ("k_key", "subject"),
            ("k_external_id", "record"),
            ("k_notification", "record"),
            ("k_job_row", "record"),
            ("k_merged", "record"),
        ] {
            self.delete_where(table, column, id)?;
        }
        if object.name == "user" {
            self.purge_user(id)?;
        }
        self.unindex_search(&object, row)?;
        self.read.forget_facts(Some((&object, id)));
        self.delete_where(&object.name, "id", id)?;
        let shared = Arc::clone(self.read.shared);
        self.after_commit(move || shared.vault.forget(id));
        self.log_change(&grant, Verb::Delete, ChangeLog::new(&object, id, id), (Some(before), None), &cause)
    }

    fn delete_where(&mut self, table: &str, column: &str, id: RecordId) -> Result<usize, StoreError> {
        let mut sql = Sql::new("DELETE FROM ");
        sql.ident(table).push(" WHERE ").ident(column).push(" = ").bind(id);
        self.conn().execute(&sql)
    }

    /// The files of a record: their rows now, their bytes once that is on disk.
    fn purge_files(&mut self, record: RecordId) -> Result<(), StoreError> {
        let mut sql = Sql::new("SELECT \"id\" FROM \"k_attachment\" WHERE \"record\" = ");
        sql.bind(record);
        let found: Vec<RecordId> = self.conn().rows(&sql, &[BIN])?.iter().filter_map(|row| row.id(0)).collect();
        if found.is_empty() {
            return Ok(());
        }
        self.delete_where("k_attachment", "record", record)?;
        let shared = Arc::clone(self.read.shared);
        self.after_commit(move || found.into_iter().for_each(|file| shared.files.remove(file)));
        Ok(())
    }

    fn purge_links(&mut self, object: &ObjectDef, id: RecordId) -> Result<(), StoreError> {
        let catalog = Arc::clone(self.read.catalog());
        for definer in catalog.objects() {
            for link in &definer.links {
                let table = definer.link_table(link);
                if definer.name == object.name {
                    self.delete_where(&table, "from_id", id)?;
                }
                if link.target == object.name {
                    self.delete_where(&table, "to_id", id)?;
                }
            }
        }
        Ok(())
    }

    /// What belongs to a user beside the record: credential, sessions, tokens, roles, and what was kept for them.
    fn purge_user(&mut self, user: UserId) -> Result<(), StoreError> {
        let mut sql =
            Sql::new("DELETE FROM \"k_job_row\" WHERE \"job\" IN (SELECT \"id\" FROM \"k_job\" WHERE \"user_id\" = ");
        sql.bind(user).push(")");
        self.conn().execute(&sql)?;
        let mut sql = Sql::new(
            "DELETE FROM \"k_view_default\" WHERE \"view_id\" IN (SELECT \"id\" FROM \"k_view\" WHERE \"owner_id\" = ",
        );
        sql.bind(user).push(")");
        self.conn().execute(&sql)?;
        // Imports and exports have a file of their own.
        for import in self.ids_of_user("k_import", user)? {
            self.import_drop(import)?;
        }
        for export in self.ids_of_user("k_export", user)? {
            self.export_drop(export)?;
        }
        for (table, column) in [
            ("k_credential", "user_id"),
            ("k_session", "user_id"),
            ("k_token", "user_id"),
            ("k_role_assignment", "user_id"),
            ("k_preference", "user_id"),
            ("k_view", "owner_id"),
            ("k_view_default", "user_id"),
            ("k_notification", "user_id"),
            ("k_job", "user_id"),
            ("k_idempotency", "actor"),
        ] {
            self.delete_where(table, column, user)?;
        }
        Ok(())
    }

    fn ids_of_user(&mut self, table: &str, user: UserId) -> Result<Vec<RecordId>, StoreError> {
        let mut sql = Sql::new("SELECT \"id\" FROM ");
        sql.ident(table).push(" WHERE \"user_id\" = ").bind(user);
        Ok(self.conn().rows(&sql, &[BIN])?.iter().filter_map(|row| row.id(0)).collect())
    }

    /// Begins the human numbers anew where an object has no rows left.
    pub fn numbers_reset(&mut self) -> Result<(), StoreError> {
        let catalog = Arc::clone(self.read.catalog());
        for object in catalog.objects().filter(|object| object.number.is_some()) {
            if !self.read.has_rows(object)? {
                let mut sql = Sql::new("DELETE FROM \"k_number\" WHERE \"object\" = ");
                sql.bind(object.name.as_str());
                self.conn().execute(&sql)?;
                self.forget_number(&object.name);
            }
        }
        Ok(())
    }
}
