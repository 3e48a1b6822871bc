//! First answers of requests that carried an idempotency key, kept for a day with their bodies sealed: a repeated request
//! gets the same answer and changes nothing twice.

use crate::engine::Sql;
use crate::{ReadTx, StoreError, WriteTx};
use kernel::{UserId, limits};
use metadata::ColumnType;

/// A kept answer.
pub struct Remembered {
    /// SHA-256 of the first request.
    pub request: Vec<u8>,
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

const LABEL: &str = "idempotency";

fn context(actor: UserId, key: &str) -> Vec<u8> {
    let mut context = actor.as_bytes().to_vec();
    context.extend_from_slice(key.as_bytes());
    context
}

impl ReadTx<'_> {
    /// The answer kept under an actor's key.
    pub fn remembered(&mut self, actor: UserId, key: &str) -> Result<Option<Remembered>, StoreError> {
        let oldest = self.shared.clock.now().plus_seconds(-limits::IDEMPOTENCY_SECONDS).micros();
        let mut sql = Sql::new("SELECT \"request\", \"status\", \"body\" FROM \"k_idempotency\" WHERE \"actor\" = ");
        sql.bind(actor).push(" AND \"key\" = ").bind(key).push(" AND \"at\" >= ").bind(oldest);
        let types = [ColumnType::Binary, ColumnType::Integer, ColumnType::Binary];
        let Some(row) = self.conn.first(&sql, &types)? else { return Ok(None) };
        let sealed = row.get(2).bin().unwrap_or_default();
        let body = self.shared.vault.open_internal(LABEL, &context(actor, key), sealed)?.to_vec();
        let status = row.int(1).and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
        Ok(Some(Remembered { request: row.get(0).bin().unwrap_or_default().to_vec(), status, body }))
    }
}

impl WriteTx<'_, '_> {
    /// Keeps an answer in the same transaction as the change it tells of, and drops those that are a day old.
    pub fn remember(&mut self, actor: UserId, key: &str, answer: &Remembered) -> Result<(), StoreError> {
        let now = self.now();
        let mut sql = Sql::new("DELETE FROM \"k_idempotency\" WHERE \"at\" < ");
        sql.bind(now.plus_seconds(-limits::IDEMPOTENCY_SECONDS).micros());
        self.conn().execute(&sql)?;
        let sealed = self.read.shared.vault.seal_internal(LABEL, &context(actor, key), &answer.body)?;
        let mut sql = Sql::new(
            "INSERT INTO \"k_idempotency\" (\"actor\", \"key\", \"request\", \"status\", \"body\", \"at\") VALUES (",
        );
        sql.bind(actor).push(", ").bind(key).push(", ").bind(answer.request.as_slice()).push(", ");
        sql.bind(i64::from(answer.status)).push(", ").bind(sealed.as_slice()).push(", ").bind(now.micros()).push(")");
        self.conn().execute(&sql).map(|_| ())
    }
}
