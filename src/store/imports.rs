//! Imports that go on by themselves: the sealed facts of each, how far it has come, and step by step what it did. A step is
//! written in the transaction of the rows it tells of, so that a run that was cut off goes on exactly behind them.

use crate::engine::{Cell, Row, Sql};
use crate::files::{self, FileReader};
use crate::{ReadTx, Store, StoreError, WriteTx};
use kernel::{RecordId, Timestamp, UserId};
use metadata::ColumnType;
use std::sync::Arc;
use vault::FileSealer;

const LABEL: &str = "import";
const BIN: ColumnType = ColumnType::Binary;
const INT: ColumnType = ColumnType::Integer;
const TEXT: ColumnType = ColumnType::Text;
const COLUMNS: &str = "SELECT \"id\", \"user_id\", \"state\", \"wanted\", \"boot\", \"body\", \"progress\", \"at\", \"beat_at\", \"finished_at\" FROM \"k_import\" WHERE \"user_id\" = ";
const TYPES: [ColumnType; 10] = [BIN, BIN, TEXT, TEXT, BIN, BIN, TEXT, INT, INT, INT];

/// An import as it is kept.
#[derive(Clone)]
pub struct ImportKept {
    /// Its id, and that of its file.
    pub id: RecordId,
    /// Whose.
    pub user: UserId,
    /// Where it stands.
    pub state: String,
    /// What its user wants of a running one: empty, `pause` or `cancel`.
    pub wanted: String,
    /// The start of the process that runs it.
    pub boot: RecordId,
    /// What is known of file and mapping, as JSON text; sealed.
    pub body: Vec<u8>,
    /// How far it has come, as JSON text; counts and reasons, no values.
    pub progress: String,
    /// When the file came.
    pub at: Timestamp,
    /// When it last said that it goes on.
    pub beat_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

fn step_context(id: RecordId, ord: i64) -> Vec<u8> {
    let mut context = id.as_bytes().to_vec();
    context.extend_from_slice(&ord.to_be_bytes());
    context
}

impl ReadTx<'_> {
    fn import_of(&self, row: &Row) -> Result<ImportKept, StoreError> {
        let damaged = || StoreError::damaged("an import has no id, user or process");
        let id: RecordId = row.id(0).ok_or_else(damaged)?;
        let sealed = row.get(5).bin().unwrap_or_default();
        let time = |at| row.int(at).map(Timestamp::from_micros);
        Ok(ImportKept {
            id,
            user: row.id(1).ok_or_else(damaged)?,
            state: row.text(2).unwrap_or_default(),
            wanted: row.text(3).unwrap_or_default(),
            boot: row.id(4).ok_or_else(damaged)?,
            body: self.shared.vault.open_internal(LABEL, id.as_bytes(), sealed)?.to_vec(),
            progress: row.text(6).unwrap_or_default(),
            at: time(7).unwrap_or_default(),
            beat_at: time(8).unwrap_or_default(),
            finished_at: time(9),
        })
    }

    /// A user's imports, newest first.
    pub fn imports(&mut self, user: UserId) -> Result<Vec<ImportKept>, StoreError> {
        let mut sql = Sql::new(COLUMNS);
        sql.bind(user).push(" ORDER BY \"at\" DESC, \"id\" DESC");
        let rows = self.conn.rows(&sql, &TYPES)?;
        rows.iter().map(|row| self.import_of(row)).collect()
    }

    /// One import of a user.
    pub fn import(&mut self, user: UserId, id: RecordId) -> Result<Option<ImportKept>, StoreError> {
        let mut sql = Sql::new(COLUMNS);
        sql.bind(user).push(" AND \"id\" = ").bind(id);
        let row = self.conn.first(&sql, &TYPES)?;
        row.map(|row| self.import_of(&row)).transpose()
    }

    /// The steps of an import in order, as JSON texts.
    pub fn import_steps(&mut self, id: RecordId) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut sql = Sql::new("SELECT \"ord\", \"body\" FROM \"k_import_step\" WHERE \"import\" = ");
        sql.bind(id).push(" ORDER BY \"ord\"");
        let rows = self.conn.rows(&sql, &[INT, BIN])?;
        let open = |row: &Row| {
            let context = step_context(id, row.int(0).unwrap_or_default());
            let sealed = row.get(1).bin().unwrap_or_default();
            Ok(self.shared.vault.open_internal(LABEL, &context, sealed)?.to_vec())
        };
        rows.iter().map(open).collect()
    }
}

impl WriteTx<'_, '_> {
    /// Keeps a new import.
    pub fn import_insert(&mut self, import: &ImportKept) -> Result<(), StoreError> {
        let sealed = self.read.shared.vault.seal_internal(LABEL, import.id.as_bytes(), &import.body)?;
        let mut sql = Sql::new(
            "INSERT INTO \"k_import\" (\"id\", \"user_id\", \"state\", \"wanted\", \"boot\", \"body\", \"progress\", \"at\", \"beat_at\") VALUES (",
        );
        sql.bind(import.id).push(", ").bind(import.user).push(", ").bind(import.state.as_str()).push(", ");
        sql.bind(import.wanted.as_str()).push(", ").bind(import.boot).push(", ").bind(sealed.as_slice()).push(", ");
        sql.bind(import.progress.as_str()).push(", ").bind(import.at.micros()).push(", ");
        sql.bind(import.beat_at.micros()).push(")");
        self.conn().execute(&sql).map(|_| ())
    }

    /// Writes an import anew, all but id, user and time.
    pub fn import_write(&mut self, import: &ImportKept) -> Result<(), StoreError> {
        let sealed = self.read.shared.vault.seal_internal(LABEL, import.id.as_bytes(), &import.body)?;
        let (now, finished) = (self.now().micros(), import.finished_at.map(Timestamp::micros));
        let mut sql = Sql::new("UPDATE \"k_import\" SET \"state\" = ");
        sql.bind(import.state.as_str()).push(", \"wanted\" = ").bind(import.wanted.as_str());
        sql.push(", \"boot\" = ").bind(import.boot).push(", \"body\" = ").bind(sealed.as_slice());
        sql.push(", \"progress\" = ").bind(import.progress.as_str()).push(", \"beat_at\" = ").bind(now);
        sql.push(", \"finished_at\" = ").bind(Cell::opt_int(finished)).push(" WHERE \"id\" = ").bind(import.id);
        self.conn().execute(&sql).map(|_| ())
    }

    /// Says how far a running import has come.
    pub fn import_beat(&mut self, id: RecordId, progress: &str) -> Result<(), StoreError> {
        let now = self.now().micros();
        let mut sql = Sql::new("UPDATE \"k_import\" SET \"progress\" = ");
        sql.bind(progress).push(", \"beat_at\" = ").bind(now).push(" WHERE \"id\" = ").bind(id);
        self.conn().execute(&sql).map(|_| ())
    }

    /// Tells a running import what its user wants.
    pub fn import_want(&mut self, id: RecordId, wanted: &str) -> Result<(), StoreError> {
        let mut sql = Sql::new("UPDATE \"k_import\" SET \"wanted\" = ");
        sql.bind(wanted).push(" WHERE \"id\" = ").bind(id);
        self.conn().execute(&sql).map(|_| ())
    }

    /// Keeps a step in the transaction of its rows. A step that is there already is an error: two runs never write one import.
    pub fn import_step(&mut self, id: RecordId, ord: i64, body: &[u8]) -> Result<(), StoreError> {
        let sealed = self.read.shared.vault.seal_internal(LABEL, &step_context(id, ord), body)?;
        let mut sql = Sql::new("INSERT INTO \"k_import_step\" (\"import\", \"ord\", \"body\") VALUES (");
        sql.bind(id).push(", ").bind(ord).push(", ").bind(sealed.as_slice()).push(")");
        self.conn().execute(&sql).map(|_| ())
    }

    /// Forgets an import with its steps; its file goes once that is on disk. The records it made stay.
    pub fn import_drop(&mut self, id: RecordId) -> Result<(), StoreError> {
        for table in [("k_import_step", "import"), ("k_import", "id")] {
            let mut sql = Sql::new("DELETE FROM ");
            sql.ident(table.0).push(" WHERE ").ident(table.1).push(" = ").bind(id);
            self.conn().execute(&sql)?;
        }
        let shared = Arc::clone(self.read.shared);
        self.after_commit(move || shared.files.remove(id));
        Ok(())
    }
}

impl Store {
    /// Begins to seal the file of an import.
    pub fn import_seal(&self, id: RecordId) -> Result<FileSealer, StoreError> {
        Ok(self.vault().file_seal_internal(LABEL, id)?)
    }
    /// The file of an import from its beginning, opened as it is read.
    pub fn import_file(&self, id: RecordId, size: u64) -> Result<FileReader, StoreError> {
        let path = files::path_of(&self.config().files_folder, id);
        FileReader::open(&path, size, |header| Ok(self.vault().file_open_internal(LABEL, id, header)?))
    }
}
