//! Exports that go on by themselves: the sealed facts of each and its file. Which records go into a file is decided elsewhere.

use crate::engine::{Row, Sql};
use crate::files::{self, FileReader};
use crate::{ReadTx, Store, StoreError, WriteTx};
use kernel::{RecordId, Timestamp, UserId};
use metadata::ColumnType;
use std::sync::Arc;
use vault::FileSealer;

const LABEL: &str = "export";
const COLUMNS: &str =
    "SELECT \"id\", \"user_id\", \"state\", \"boot\", \"body\", \"at\", \"beat_at\" FROM \"k_export\" WHERE ";
const TYPES: [ColumnType; 7] = [
    ColumnType::Binary,
    ColumnType::Binary,
    ColumnType::Text,
    ColumnType::Binary,
    ColumnType::Binary,
    ColumnType::Integer,
    ColumnType::Integer,
];

/// An export as it is kept.
#[derive(Clone)]
pub struct ExportKept {
    /// Its id, and that of its file.
    pub id: RecordId,
    /// Whose.
    pub user: UserId,
    /// Where it stands.
    pub state: String,
    /// The start of the process that runs it.
    pub boot: RecordId,
    /// What was asked and how far it is, as JSON text; sealed.
    pub body: Vec<u8>,
    /// When it was asked for.
    pub at: Timestamp,
    /// When it last said that it goes on; of one that has ended, when that was.
    pub beat_at: Timestamp,
}

impl ReadTx<'_> {
    fn export_of(&self, row: &Row) -> Result<ExportKept, StoreError> {
        let damaged = || StoreError::damaged("an export has no id, user or process");
        let id: RecordId = row.id(0).ok_or_else(damaged)?;
        let sealed = row.get(4).bin().unwrap_or_default();
        let time = |at| row.int(at).map(Timestamp::from_micros).unwrap_or_default();
        Ok(ExportKept {
            id,
            user: row.id(1).ok_or_else(damaged)?,
            state: row.text(2).unwrap_or_default(),
            boot: row.id(3).ok_or_else(damaged)?,
            body: self.shared.vault.open_internal(LABEL, id.as_bytes(), sealed)?.to_vec(),
            at: time(5),
            beat_at: time(6),
        })
    }

    /// A user's exports, newest first.
    pub fn exports(&mut self, user: UserId) -> Result<Vec<ExportKept>, StoreError> {
        let mut sql = Sql::new(COLUMNS);
        sql.push("\"user_id\" = ").bind(user).push(" ORDER BY \"at\" DESC, \"id\" DESC");
        let rows = self.conn.rows(&sql, &TYPES)?;
        rows.iter().map(|row| self.export_of(row)).collect()
    }

    /// One export of a user.
    pub fn export(&mut self, user: UserId, id: RecordId) -> Result<Option<ExportKept>, StoreError> {
        let mut sql = Sql::new(COLUMNS);
        sql.push("\"user_id\" = ").bind(user).push(" AND \"id\" = ").bind(id);
        let row = self.conn.first(&sql, &TYPES)?;
        row.map(|row| self.export_of(&row)).transpose()
    }
}

impl WriteTx<'_, '_> {
    /// Keeps a new export.
    pub fn export_insert(&mut self, export: &ExportKept) -> Result<(), StoreError> {
        let sealed = self.read.shared.vault.seal_internal(LABEL, export.id.as_bytes(), &export.body)?;
        let mut sql = Sql::new(
            "INSERT INTO \"k_export\" (\"id\", \"user_id\", \"state\", \"boot\", \"body\", \"at\", \"beat_at\") VALUES (",
        );
        sql.bind(export.id).push(", ").bind(export.user).push(", ").bind(export.state.as_str()).push(", ");
        sql.bind(export.boot).push(", ").bind(sealed.as_slice()).push(", ").bind(export.at.micros()).push(", ");
        sql.bind(export.beat_at.micros()).push(")");
        self.conn().execute(&sql).map(|_| ())
    }

    /// Writes state and facts anew. False when somebody has taken the export away meanwhile.
    pub fn export_write(&mut self, export: &ExportKept) -> Result<bool, StoreError> {
        let sealed = self.read.shared.vault.seal_internal(LABEL, export.id.as_bytes(), &export.body)?;
        let now = self.now().micros();
        let mut sql = Sql::new("UPDATE \"k_export\" SET \"state\" = ");
        sql.bind(export.state.as_str()).push(", \"body\" = ").bind(sealed.as_slice());
        sql.push(", \"beat_at\" = ").bind(now).push(" WHERE \"id\" = ").bind(export.id);
        Ok(self.conn().execute(&sql)? > 0)
    }

    /// Forgets an export; its file goes once that is on disk.
    pub fn export_drop(&mut self, id: RecordId) -> Result<(), StoreError> {
        let mut sql = Sql::new("DELETE FROM \"k_export\" WHERE \"id\" = ");
        sql.bind(id);
        self.conn().execute(&sql)?;
        let shared = Arc::clone(self.read.shared);
        self.after_commit(move || shared.files.remove(id));
        Ok(())
    }
}

impl Store {
    /// Begins to seal the file of an export.
    pub fn export_seal(&self, id: RecordId) -> Result<FileSealer, StoreError> {
        Ok(self.vault().file_seal_internal(LABEL, id)?)
    }
    /// The file of an export from its beginning, opened as it is read.
    pub fn export_file(&self, id: RecordId, size: u64) -> Result<FileReader, StoreError> {
        let path = files::path_of(&self.config().files_folder, id);
        FileReader::open(&path, size, |header| Ok(self.vault().file_open_internal(LABEL, id, header)?))
    }
}
