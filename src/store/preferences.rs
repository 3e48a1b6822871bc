//! What the web interface keeps for one user, by key. Values are sealed with a key of the appliance, bound to user and key:
//! a saved filter or a recent search may hold a customer's name. Nothing here is read by anybody but its user.

use crate::engine::Sql;
use crate::{ReadTx, StoreError, WriteTx};
use kernel::UserId;
use metadata::ColumnType;

const LABEL: &str = "preference";

fn context(user: UserId, key: &str) -> Vec<u8> {
    let mut context = user.as_bytes().to_vec();
    context.extend_from_slice(key.as_bytes());
    context
}

impl ReadTx<'_> {
    /// Everything kept for a user: keys in order, values as JSON text.
    pub fn preferences(&mut self, user: UserId) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let mut sql = Sql::new("SELECT \"key\", \"value\" FROM \"k_preference\" WHERE \"user_id\" = ");
        sql.bind(user).push(" ORDER BY \"key\"");
        let rows = self.conn.rows(&sql, &[ColumnType::Text, ColumnType::Binary])?;
        rows.into_iter()
            .map(|row| {
                let key = row.text(0).unwrap_or_default();
                let sealed = row.get(1).bin().unwrap_or_default();
                let value = self.shared.vault.open_internal(LABEL, &context(user, &key), sealed)?.to_vec();
                Ok((key, value))
            })
            .collect()
    }

    /// One value, as JSON text.
    pub fn preference(&mut self, user: UserId, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut sql = Sql::new("SELECT \"value\" FROM \"k_preference\" WHERE \"user_id\" = ");
        sql.bind(user).push(" AND \"key\" = ").bind(key);
        let Some(row) = self.conn.first(&sql, &[ColumnType::Binary])? else { return Ok(None) };
        let sealed = row.get(0).bin().unwrap_or_default();
        Ok(Some(self.shared.vault.open_internal(LABEL, &context(user, key), sealed)?.to_vec()))
    }

    /// How many are kept for a user, and whether this one is among them.
    pub fn preference_count(&mut self, user: UserId, key: &str) -> Result<(usize, bool), StoreError> {
        let mut sql = Sql::new("SELECT count(*), coalesce(sum(CASE WHEN \"key\" = ");
        sql.bind(key).push(" THEN 1 ELSE 0 END), 0) FROM \"k_preference\" WHERE \"user_id\" = ").bind(user);
        let row = self.conn.first(&sql, &[ColumnType::Integer, ColumnType::Integer])?;
        let count = row.as_ref().and_then(|row| usize::try_from(row.int(0)?).ok()).unwrap_or(0);
        Ok((count, row.and_then(|row| row.int(1)).unwrap_or(0) > 0))
    }
}

impl WriteTx<'_, '_> {
    /// Keeps a value, in place of an older one.
    pub fn preference_set(&mut self, user: UserId, key: &str, json: &[u8]) -> Result<(), StoreError> {
        let sealed = self.read.shared.vault.seal_internal(LABEL, &context(user, key), json)?;
        let mut sql =
            Sql::new("INSERT INTO \"k_preference\" (\"user_id\", \"key\", \"value\", \"updated_at\") VALUES (");
        sql.bind(user).push(", ").bind(key).push(", ").bind(sealed.as_slice()).push(", ").bind(self.now().micros());
        sql.push(") ON CONFLICT (\"user_id\", \"key\") DO UPDATE SET \"value\" = excluded.\"value\", \"updated_at\" = excluded.\"updated_at\"");
        self.conn().execute(&sql).map(|_| ())
    }

    /// Forgets a value; says whether there was one.
    pub fn preference_forget(&mut self, user: UserId, key: &str) -> Result<bool, StoreError> {
        let mut sql = Sql::new("DELETE FROM \"k_preference\" WHERE \"user_id\" = ");
        sql.bind(user).push(" AND \"key\" = ").bind(key);
        Ok(self.conn().execute(&sql)? > 0)
    }
}
