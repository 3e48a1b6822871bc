//! Bulk changes that go on by themselves: where they stand and what became of each record. A record's result is written in
//! the transaction of its change, so that what is said to be done is done. The change itself is sealed: it holds values.

use crate::engine::{Cell, Row, Sql};
use crate::{ReadTx, StoreError, WriteTx};
use kernel::{RecordId, Timestamp, UserId};
use metadata::ColumnType;

const LABEL: &str = "job";
const BIN: ColumnType = ColumnType::Binary;
const INT: ColumnType = ColumnType::Integer;
const TEXT: ColumnType = ColumnType::Text;
const COLUMNS: &str = "SELECT \"id\", \"user_id\", \"object\", \"state\", \"change\", \"undo_of\", \"undone_by\", \"total\", \"done\", \"same\", \"failed\", \"at\", \"beat_at\", \"finished_at\", \"boot\" FROM \"k_job\" WHERE ";
const TYPES: [ColumnType; 15] = [BIN, BIN, TEXT, TEXT, BIN, BIN, BIN, INT, INT, INT, INT, INT, INT, INT, BIN];

/// A job as it is kept.
#[derive(Clone)]
pub struct Job {
    /// Its id.
    pub id: RecordId,
    /// Whose.
    pub user: UserId,
    /// The object of its records.
    pub object: String,
    /// `running`, `stopping`, `stopped`, `revoked` or `done`.
    pub state: String,
    /// What it does, as JSON text.
    pub change: Vec<u8>,
    /// The job whose changes it undoes.
    pub undo_of: Option<RecordId>,
    /// The job that undoes its changes.
    pub undone_by: Option<RecordId>,
    /// The start of the process that does it.
    pub boot: Option<RecordId>,
    /// Records.
    pub total: i64,
    /// Changed.
    pub done: i64,
    /// As they were.
    pub same: i64,
    /// Left as they are.
    pub failed: i64,
    /// When it began.
    pub at: Timestamp,
    /// When it last said that it goes on.
    pub beat_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// What became of one record.
#[derive(Clone)]
pub struct JobRow {
    /// Its place in the job.
    pub ord: i64,
    /// The record.
    pub record: RecordId,
    /// `done`, `same` or `failed`.
    pub outcome: &'static str,
    /// The version then.
    pub version: Option<i64>,
    /// Why it failed.
    pub code: Option<&'static str>,
    /// The same in words, which hold no value of the record.
    pub detail: Option<String>,
}

/// The same, as read back.
pub struct JobRowKept {
    /// Its place in the job.
    pub ord: i64,
    /// The record.
    pub record: RecordId,
    /// `done`, `same` or `failed`.
    pub outcome: String,
    /// The version then.
    pub version: Option<i64>,
    /// Why it failed.
    pub code: Option<String>,
    /// The same in words.
    pub detail: Option<String>,
}

impl ReadTx<'_> {
    fn job_of(&self, row: &Row) -> Result<Job, StoreError> {
        let damaged = || StoreError::damaged("a job has no id or user");
        let id: RecordId = row.id(0).ok_or_else(damaged)?;
        let sealed = row.get(4).bin().unwrap_or_default();
        let time = |at| row.int(at).map(Timestamp::from_micros);
        Ok(Job {
            id,
            user: row.id(1).ok_or_else(damaged)?,
            object: row.text(2).unwrap_or_default(),
            state: row.text(3).unwrap_or_default(),
            change: self.shared.vault.open_internal(LABEL, id.as_bytes(), sealed)?.to_vec(),
            undo_of: row.id(5),
            undone_by: row.id(6),
            total: row.int(7).unwrap_or_default(),
            done: row.int(8).unwrap_or_default(),
            same: row.int(9).unwrap_or_default(),
            failed: row.int(10).unwrap_or_default(),
            at: time(11).unwrap_or_default(),
            beat_at: time(12).unwrap_or_default(),
            finished_at: time(13),
            boot: row.id(14),
        })
    }

    /// A user's jobs, newest first.
    pub fn jobs(&mut self, user: UserId, limit: usize) -> Result<Vec<Job>, StoreError> {
        let mut sql = Sql::new(COLUMNS);
        sql.push("\"user_id\" = ").bind(user).push(" ORDER BY \"at\" DESC, \"id\" DESC LIMIT ");
        sql.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = self.conn.rows(&sql, &TYPES)?;
        rows.iter().map(|row| self.job_of(row)).collect()
    }

    /// One job of a user.
    pub fn job(&mut self, user: UserId, id: RecordId) -> Result<Option<Job>, StoreError> {
        let mut sql = Sql::new(COLUMNS);
        sql.push("\"user_id\" = ").bind(user).push(" AND \"id\" = ").bind(id);
        let row = self.conn.first(&sql, &TYPES)?;
        row.map(|row| self.job_of(&row)).transpose()
    }

    /// One job, whosever it is; for those who may stop the jobs of others.
    pub fn job_of_anybody(&mut self, id: RecordId) -> Result<Option<Job>, StoreError> {
        let mut sql = Sql::new(COLUMNS);
        sql.push("\"id\" = ").bind(id);
        let row = self.conn.first(&sql, &TYPES)?;
        row.map(|row| self.job_of(&row)).transpose()
    }

    /// How many jobs of a user have not ended and were heard of at this time or later.
    pub fn jobs_alive(&mut self, user: UserId, since: Timestamp) -> Result<usize, StoreError> {
        let mut sql = Sql::new("SELECT count(*) FROM \"k_job\" WHERE \"finished_at\" IS NULL AND \"user_id\" = ");
        sql.bind(user).push(" AND \"beat_at\" >= ").bind(since.micros());
        let count = self.conn.first(&sql, &[INT])?.and_then(|row| row.int(0)).unwrap_or_default();
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// Results of a job after a place, in order; only those with this outcome when one is named.
    pub fn job_rows(
        &mut self,
        job: RecordId,
        after: i64,
        outcome: Option<&str>,
        limit: usize,
    ) -> Result<Vec<JobRowKept>, StoreError> {
        let mut sql = Sql::new(
            "SELECT \"ord\", \"record\", \"outcome\", \"version\", \"code\", \"detail\" FROM \"k_job_row\" WHERE \"job\" = ",
        );
        sql.bind(job).push(" AND \"ord\" > ").bind(after);
        if let Some(outcome) = outcome {
            sql.push(" AND \"outcome\" = ").bind(outcome);
        }
        sql.push(" ORDER BY \"ord\" LIMIT ").bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let kept = |row: &Row| {
            Ok(JobRowKept {
                ord: row.int(0).unwrap_or_default(),
                record: row.id(1).ok_or_else(|| StoreError::damaged("a result of a job has no record"))?,
                outcome: row.text(2).unwrap_or_default(),
                version: row.int(3),
                code: row.text(4),
                detail: row.text(5),
            })
        };
        self.conn.rows(&sql, &[INT, BIN, TEXT, INT, TEXT, TEXT])?.iter().map(kept).collect()
    }
}

impl WriteTx<'_, '_> {
    /// Keeps a new job.
    pub fn job_begin(&mut self, job: &Job) -> Result<(), StoreError> {
        let sealed = self.read.shared.vault.seal_internal(LABEL, job.id.as_bytes(), &job.change)?;
        let mut sql = Sql::new(
            "INSERT INTO \"k_job\" (\"id\", \"user_id\", \"object\", \"state\", \"change\", \"undo_of\", \"total\", \"done\", \"same\", \"failed\", \"at\", \"beat_at\", \"boot\") VALUES (",
        );
        sql.bind(job.id).push(", ").bind(job.user).push(", ").bind(job.object.as_str()).push(", ");
        sql.bind(job.state.as_str()).push(", ").bind(sealed.as_slice()).push(", ").bind(Cell::id(job.undo_of));
        sql.push(", ").bind(job.total).push(", 0, 0, 0, ").bind(job.at.micros()).push(", ");
        sql.bind(job.at.micros()).push(", ").bind(Cell::id(job.boot)).push(")");
        self.conn().execute(&sql)?;
        let Some(undone) = job.undo_of else { return Ok(()) };
        let mut sql = Sql::new("UPDATE \"k_job\" SET \"undone_by\" = ");
        sql.bind(job.id).push(" WHERE \"id\" = ").bind(undone);
        self.conn().execute(&sql).map(|_| ())
    }

    /// Notes what became of a record.
    pub fn job_row(&mut self, job: RecordId, row: &JobRow) -> Result<(), StoreError> {
        let mut sql = Sql::new(
            "INSERT INTO \"k_job_row\" (\"job\", \"ord\", \"record\", \"outcome\", \"version\", \"code\", \"detail\") VALUES (",
        );
        sql.bind(job).push(", ").bind(row.ord).push(", ").bind(row.record).push(", ").bind(row.outcome);
        sql.push(", ").bind(Cell::opt_int(row.version)).push(", ").bind(Cell::opt_text(row.code)).push(", ");
        sql.bind(Cell::opt_text(row.detail.as_deref())).push(")");
        self.conn().execute(&sql).map(|_| ())
    }

    /// Says that a job goes on, and how far it has come.
    pub fn job_beat(&mut self, id: RecordId, (done, same, failed): (i64, i64, i64)) -> Result<(), StoreError> {
        let mut sql = Sql::new("UPDATE \"k_job\" SET \"done\" = ");
        sql.bind(done).push(", \"same\" = ").bind(same).push(", \"failed\" = ").bind(failed).push(", \"beat_at\" = ");
        sql.bind(self.now().micros()).push(" WHERE \"id\" = ").bind(id);
        self.conn().execute(&sql).map(|_| ())
    }

    /// Moves a job that has not ended to a state; says whether it was one.
    pub fn job_state(&mut self, id: RecordId, state: &str, ended: bool) -> Result<bool, StoreError> {
        let now = self.now().micros();
        let mut sql = Sql::new("UPDATE \"k_job\" SET \"state\" = ");
        sql.bind(state).push(", \"finished_at\" = ").bind(Cell::opt_int(ended.then_some(now)));
        sql.push(" WHERE \"finished_at\" IS NULL AND \"id\" = ").bind(id);
        Ok(self.conn().execute(&sql)? > 0)
    }

    /// Drops jobs of a user that are older, with their results.
    pub fn jobs_prune(&mut self, user: UserId, before: Timestamp) -> Result<(), StoreError> {
        let mut sql =
            Sql::new("DELETE FROM \"k_job_row\" WHERE \"job\" IN (SELECT \"id\" FROM \"k_job\" WHERE \"user_id\" = ");
        sql.bind(user).push(" AND \"at\" < ").bind(before.micros()).push(")");
        self.conn().execute(&sql)?;
        let mut sql = Sql::new("DELETE FROM \"k_job\" WHERE \"user_id\" = ");
        sql.bind(user).push(" AND \"at\" < ").bind(before.micros());
        self.conn().execute(&sql).map(|_| ())
    }
}
