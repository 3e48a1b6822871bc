//! What somebody should look at: who, why, which record. Ids only. A row is written in the transaction of the change that
//! it tells of, so there is no change without it and none of it without a change.

use crate::engine::{Cell, Row, Sql, dialect};
use crate::{ReadTx, StoreError, WriteTx};
use kernel::{Id, RecordId, Timestamp, UserId};
use metadata::ColumnType;

const COLUMNS: &str = "SELECT \"id\", \"kind\", \"object\", \"record\", \"by_id\", \"at\", \"read_at\" FROM \"k_notification\" WHERE \"user_id\" = ";
const TYPES: [ColumnType; 7] = [
    ColumnType::Binary,
    ColumnType::Text,
    ColumnType::Text,
    ColumnType::Binary,
    ColumnType::Binary,
    ColumnType::Integer,
    ColumnType::Integer,
];

/// A notification as it is kept.
pub struct Notification {
    /// Its id.
    pub id: RecordId,
    /// Why.
    pub kind: String,
    /// The object.
    pub object: String,
    /// The record.
    pub record: RecordId,
    /// Who caused it.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// When it was read.
    pub read_at: Option<Timestamp>,
}

/// A new notification.
#[derive(Clone)]
pub struct Notice {
    /// For whom.
    pub user: UserId,
    /// Why.
    pub kind: &'static str,
    /// The object.
    pub object: String,
    /// The record.
    pub record: RecordId,
    /// Tells apart what may happen again; of equal marks only the first is kept.
    pub mark: String,
    /// Who caused it.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
}

fn notification(row: &Row) -> Result<Notification, StoreError> {
    let damaged = || StoreError::damaged("a notification has no id or record");
    Ok(Notification {
        id: row.id(0).ok_or_else(damaged)?,
        kind: row.text(1).unwrap_or_default(),
        object: row.text(2).unwrap_or_default(),
        record: row.id(3).ok_or_else(damaged)?,
        by: row.id(4),
        at: Timestamp::from_micros(row.int(5).unwrap_or_default()),
        read_at: row.int(6).map(Timestamp::from_micros),
    })
}

fn push_kinds(sql: &mut Sql, without: &[String]) {
    if !without.is_empty() {
        sql.push(" AND \"kind\" NOT IN (").binds(without.iter().map(|kind| Cell::from(kind.as_str()))).push(")");
        sql.varied();
    }
}

impl ReadTx<'_> {
    /// A user's notifications, newest first, before one of them; without these kinds.
    pub fn notifications(
        &mut self,
        user: UserId,
        without: &[String],
        (before, unread): (Option<(Timestamp, RecordId)>, bool),
        limit: usize,
    ) -> Result<Vec<Notification>, StoreError> {
        let mut sql = Sql::new(COLUMNS);
        sql.bind(user);
        push_kinds(&mut sql, without);
        if unread {
            sql.push(" AND \"read_at\" IS NULL");
        }
        if let Some((at, id)) = before {
            sql.push(" AND (\"at\" < ").bind(at.micros()).push(" OR (\"at\" = ").bind(at.micros());
            sql.push(" AND \"id\" < ").bind(id).push("))");
        }
        sql.push(" ORDER BY \"at\" DESC, \"id\" DESC LIMIT ").bind(i64::try_from(limit).unwrap_or(i64::MAX));
        self.conn.rows(&sql, &TYPES)?.iter().map(notification).collect()
    }

    /// How many a user has not read, and how many there are.
    pub fn notifications_count(&mut self, user: UserId, without: &[String]) -> Result<(u64, u64), StoreError> {
        let mut sql = Sql::new(
            "SELECT coalesce(sum(CASE WHEN \"read_at\" IS NULL THEN 1 ELSE 0 END), 0), count(*) FROM \"k_notification\" WHERE \"user_id\" = ",
        );
        sql.bind(user);
        push_kinds(&mut sql, without);
        let row = self.conn.first(&sql, &[ColumnType::Integer, ColumnType::Integer])?;
        let count = |at| row.as_ref().and_then(|row| u64::try_from(row.int(at)?).ok()).unwrap_or(0);
        Ok((count(0), count(1)))
    }

    /// Which of these notices a user has already.
    pub fn notices_known(&mut self, notices: &[Notice]) -> Result<Vec<bool>, StoreError> {
        let mut known = Vec::with_capacity(notices.len());
        for notice in notices {
            let mut sql = Sql::new("SELECT \"at\" FROM \"k_notification\" WHERE \"user_id\" = ");
            sql.bind(notice.user).push(" AND \"kind\" = ").bind(notice.kind).push(" AND \"record\" = ");
            sql.bind(notice.record).push(" AND \"mark\" = ").bind(notice.mark.as_str());
            known.push(self.conn.first(&sql, &[ColumnType::Integer])?.is_some());
        }
        Ok(known)
    }
}

impl WriteTx<'_, '_> {
    /// Keeps a notice, once.
    pub fn notify(&mut self, notice: &Notice) -> Result<(), StoreError> {
        let shared = self.read.shared;
        let id: RecordId = Id::generate(shared.clock.as_ref(), shared.random.as_ref());
        let (begin, end) = dialect::insert_or_ignore(self.conn());
        let mut sql = Sql::new(begin);
        sql.push("\"k_notification\" (\"id\", \"user_id\", \"kind\", \"object\", \"record\", \"mark\", \"by_id\", \"at\") VALUES (");
        sql.bind(id).push(", ").bind(notice.user).push(", ").bind(notice.kind).push(", ");
        sql.bind(notice.object.as_str()).push(", ").bind(notice.record).push(", ").bind(notice.mark.as_str());
        sql.push(", ").bind(Cell::id(notice.by)).push(", ").bind(notice.at.micros()).push(")").push(end);
        self.conn().execute(&sql).map(|_| ())
    }

    /// Marks a user's notifications as read: these, or all up to a time.
    pub fn notifications_read(&mut self, user: UserId, ids: &[RecordId], up_to: Timestamp) -> Result<(), StoreError> {
        let mut sql = Sql::new("UPDATE \"k_notification\" SET \"read_at\" = ");
        sql.bind(self.now().micros()).push(" WHERE \"read_at\" IS NULL AND \"user_id\" = ").bind(user);
        if ids.is_empty() {
            sql.push(" AND \"at\" <= ").bind(up_to.micros());
        } else {
            sql.push(" AND \"id\" IN (").binds(ids.iter().map(|id| Cell::from(*id))).push(")").varied();
        }
        self.conn().execute(&sql).map(|_| ())
    }

    /// Keeps only the newest of a user.
    pub fn notifications_prune(&mut self, user: UserId, keep: usize) -> Result<(), StoreError> {
        let mut sql = Sql::new("SELECT \"at\" FROM \"k_notification\" WHERE \"user_id\" = ");
        sql.bind(user).push(" ORDER BY \"at\" DESC, \"id\" DESC LIMIT 1 OFFSET ");
        sql.bind(i64::try_from(keep).unwrap_or(i64::MAX));
        let Some(oldest) = self.conn().first(&sql, &[ColumnType::Integer])?.and_then(|row| row.int(0)) else {
            return Ok(());
        };
        let mut sql = Sql::new("DELETE FROM \"k_notification\" WHERE \"user_id\" = ");
        sql.bind(user).push(" AND \"at\" <= ").bind(oldest);
        self.conn().execute(&sql).map(|_| ())
    }
}
