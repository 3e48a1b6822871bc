//! The ports of `identity` over this store: users' facts, credentials, sessions and tokens. Blocking, as the ports are.

use crate::engine::{Cell, Row, Sql};
use crate::{Refused, Store, StoreError, WriteTx, people};
use identity::{
    ActorFacts, Credential, PasswordHash, PasswordOrigin, PortError, SecretDigest, SessionPort, SessionRecord,
    TokenPort, TokenRecord, TokenScopes, UserDirectory,
};
use kernel::{Code, Fault, SessionId, Timestamp, TokenId, UserId};
use metadata::ColumnType;
use std::net::IpAddr;
use std::sync::Arc;

pub use crate::people::RoleAssignment;

const TEXT: ColumnType = ColumnType::Text;
const INT: ColumnType = ColumnType::Integer;
const BIN: ColumnType = ColumnType::Binary;

const SESSION_COLUMNS: &str =
    "\"id\", \"user_id\", \"digest\", \"auth_epoch\", \"created_at\", \"last_seen_at\", \"source\"";
const SESSION_TYPES: [ColumnType; 7] = [BIN, BIN, BIN, INT, INT, INT, TEXT];
const TOKEN_COLUMNS: &str = "\"id\", \"user_id\", \"name\", \"digest\", \"scopes\", \"allow\", \"created_at\", \"expires_at\", \"last_used_at\", \"revoked_at\"";
const TOKEN_TYPES: [ColumnType; 10] = [BIN, BIN, TEXT, BIN, TEXT, TEXT, INT, INT, INT, INT];

/// The store as `identity` sees it.
pub struct DirectoryPorts(pub Arc<Store>);

fn port(fault: Fault) -> PortError {
    if matches!(fault.code, Code::Fenced | Code::CopyMissing) {
        return PortError::told(fault);
    }
    let cause = fault.cause().map_or_else(|| fault.to_string(), str::to_owned);
    if fault.code.row().retryable && fault.code != Code::Internal {
        PortError::passing(cause)
    } else {
        PortError::new(cause)
    }
}

impl DirectoryPorts {
    fn first(&self, sql: Sql, types: &'static [ColumnType]) -> Result<Option<Row>, PortError> {
        self.0.read(move |tx| tx.conn.first(&sql, types)).wait().map_err(port)
    }
    fn rows(&self, sql: Sql, types: &'static [ColumnType]) -> Result<Vec<Row>, PortError> {
        self.0.read(move |tx| tx.conn.rows(&sql, types)).wait().map_err(port)
    }
    fn write<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut WriteTx<'_, '_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, PortError> {
        self.0.write(move |tx| task(tx).map_err(Refused::from)).wait().map_err(port)
    }
    fn execute(&self, sql: Sql) -> Result<usize, PortError> {
        self.write(move |tx| tx.conn().execute(&sql))
    }
}

impl UserDirectory for DirectoryPorts {
    fn facts(&self, user: UserId) -> Result<Option<ActorFacts>, PortError> {
        let now = self.0.clock().now();
        self.0.read(move |tx| people::facts(tx.conn, user, now)).wait().map_err(port)
    }

    fn credential_by_login(&self, folded_login: &str) -> Result<Option<Credential>, PortError> {
        let mut sql = Sql::new(
            "SELECT c.\"user_id\", u.\"status\", c.\"auth_epoch\", c.\"password_hash\", c.\"failed_count\", c.\"last_failed_at\" \
             FROM \"k_credential\" c JOIN \"user\" u ON u.\"id\" = c.\"user_id\" WHERE u.\"deleted_at\" IS NULL AND c.\"login\" = ",
        );
        sql.bind(folded_login);
        let Some(row) = self.first(sql, &[BIN, TEXT, INT, TEXT, INT, INT])? else { return Ok(None) };
        let password = row.get(3).text().map(PasswordHash::parse).transpose();
        Ok(Some(Credential {
            user: row.id(0).ok_or_else(|| PortError::new("a credential has no user"))?,
            active: row.get(1).text() == Some("active"),
            auth_epoch: row.int(2).unwrap_or_default(),
            password: password.map_err(|_| PortError::new("a password hash cannot be read"))?,
            failed_count: row.int(4).and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
            last_failed_at: row.int(5).map(Timestamp::from_micros),
        }))
    }

    fn set_password_hash(&self, user: UserId, hash: &PasswordHash, origin: PasswordOrigin) -> Result<(), PortError> {
        let mut sql = Sql::new("UPDATE \"k_credential\" SET \"password_hash\" = ");
        sql.bind(hash.expose())
            .push(", \"first_password\" = ")
            .bind(i64::from(origin == PasswordOrigin::First))
            .push(", \"auth_epoch\" = \"auth_epoch\" + 1, \"failed_count\" = 0 WHERE \"user_id\" = ")
            .bind(user);
        self.execute(sql).map(|_| ())
    }

    fn replace_password_hash(&self, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<(), PortError> {
        let mut sql = Sql::new("UPDATE \"k_credential\" SET \"password_hash\" = ");
        sql.bind(new.expose())
            .push(" WHERE \"user_id\" = ")
            .bind(user)
            .push(" AND \"password_hash\" = ")
            .bind(old.expose());
        self.execute(sql).map(|_| ())
    }

    fn record_sign_in(&self, user: UserId, at: Timestamp, source: Option<IpAddr>) -> Result<(), PortError> {
        let mut sql = Sql::new("UPDATE \"k_credential\" SET \"failed_count\" = 0, \"last_sign_in_at\" = ");
        sql.bind(at.micros())
            .push(", \"last_sign_in_from\" = ")
            .bind(Cell::opt_text(source.map(|source| source.to_string())));
        sql.push(" WHERE \"user_id\" = ").bind(user);
        self.execute(sql).map(|_| ())
    }

    fn record_failures(&self, user: UserId, failed_count: u32, at: Timestamp) -> Result<(), PortError> {
        let mut sql = Sql::new("UPDATE \"k_credential\" SET \"failed_count\" = ");
        sql.bind(i64::from(failed_count))
            .push(", \"last_failed_at\" = ")
            .bind(at.micros())
            .push(" WHERE \"user_id\" = ")
            .bind(user);
        self.execute(sql).map(|_| ())
    }
}

fn session(row: &Row) -> Result<SessionRecord, PortError> {
    let damaged = || PortError::new("a session row is damaged");
    Ok(SessionRecord {
        id: row.id(0).ok_or_else(damaged)?,
        user: row.id(1).ok_or_else(damaged)?,
        digest: row.get(2).bin().and_then(SecretDigest::from_slice).ok_or_else(damaged)?,
        auth_epoch: row.int(3).ok_or_else(damaged)?,
        created_at: Timestamp::from_micros(row.int(4).ok_or_else(damaged)?),
        last_seen_at: Timestamp::from_micros(row.int(5).ok_or_else(damaged)?),
        source: row.get(6).text().and_then(|text| text.parse().ok()),
    })
}

impl SessionPort for DirectoryPorts {
    fn insert(&self, session: &SessionRecord) -> Result<(), PortError> {
        let mut sql = Sql::new("INSERT INTO \"k_session\" (");
        sql.push(SESSION_COLUMNS).push(") VALUES (").bind(session.id).push(", ").bind(session.user).push(", ");
        sql.bind(session.digest.as_bytes().as_slice()).push(", ").bind(session.auth_epoch).push(", ");
        sql.bind(session.created_at.micros()).push(", ").bind(session.last_seen_at.micros()).push(", ");
        sql.bind(Cell::opt_text(session.source.map(|source| source.to_string()))).push(")");
        self.execute(sql).map(|_| ())
    }
    fn load(&self, id: SessionId) -> Result<Option<SessionRecord>, PortError> {
        let mut sql = Sql::new("SELECT ");
        sql.push(SESSION_COLUMNS).push(" FROM \"k_session\" WHERE \"id\" = ").bind(id);
        self.first(sql, &SESSION_TYPES)?.map(|row| session(&row)).transpose()
    }
    fn touch(&self, id: SessionId, at: Timestamp) -> Result<(), PortError> {
        let mut sql = Sql::new("UPDATE \"k_session\" SET \"last_seen_at\" = ");
        sql.bind(at.micros()).push(" WHERE \"id\" = ").bind(id);
        self.execute(sql).map(|_| ())
    }
    fn delete(&self, id: SessionId) -> Result<(), PortError> {
        let mut sql = Sql::new("DELETE FROM \"k_session\" WHERE \"id\" = ");
        sql.bind(id);
        self.execute(sql).map(|_| ())
    }
    fn delete_all_of_user(&self, user: UserId) -> Result<usize, PortError> {
        let mut sql = Sql::new("DELETE FROM \"k_session\" WHERE \"user_id\" = ");
        sql.bind(user);
        self.execute(sql)
    }
    fn list_of_user(&self, user: UserId) -> Result<Vec<SessionRecord>, PortError> {
        let mut sql = Sql::new("SELECT ");
        sql.push(SESSION_COLUMNS)
            .push(" FROM \"k_session\" WHERE \"user_id\" = ")
            .bind(user)
            .push(" ORDER BY \"created_at\"");
        self.rows(sql, &SESSION_TYPES)?.iter().map(session).collect()
    }
    fn delete_ended(&self, created_before: Timestamp, seen_before: Timestamp) -> Result<usize, PortError> {
        let mut sql = Sql::new("DELETE FROM \"k_session\" WHERE \"created_at\" < ");
        sql.bind(created_before.micros()).push(" OR \"last_seen_at\" < ").bind(seen_before.micros());
        self.execute(sql)
    }
}

fn token(row: &Row) -> Result<TokenRecord, PortError> {
    let damaged = || PortError::new("a token row is damaged");
    let scopes: TokenScopes = row.get(4).text().and_then(|text| text.parse().ok()).ok_or_else(damaged)?;
    let allow =
        row.get(5).text().unwrap_or_default().split_whitespace().map(|text| text.parse().map_err(|_| damaged()));
    Ok(TokenRecord {
        id: row.id(0).ok_or_else(damaged)?,
        user: row.id(1).ok_or_else(damaged)?,
        name: row.text(2).unwrap_or_default(),
        digest: row.get(3).bin().and_then(SecretDigest::from_slice).ok_or_else(damaged)?,
        scopes: Arc::new(scopes),
        allow: allow.collect::<Result<_, _>>()?,
        created_at: Timestamp::from_micros(row.int(6).ok_or_else(damaged)?),
        expires_at: Timestamp::from_micros(row.int(7).ok_or_else(damaged)?),
        last_used_at: row.int(8).map(Timestamp::from_micros),
        revoked_at: row.int(9).map(Timestamp::from_micros),
    })
}

impl TokenPort for DirectoryPorts {
    fn insert(&self, token: &TokenRecord) -> Result<(), PortError> {
        let allow: Vec<String> = token.allow.iter().map(ToString::to_string).collect();
        let time = |at: Option<Timestamp>| Cell::opt_int(at.map(Timestamp::micros));
        let mut sql = Sql::new("INSERT INTO \"k_token\" (");
        sql.push(TOKEN_COLUMNS).push(") VALUES (").bind(token.id).push(", ").bind(token.user).push(", ");
        sql.bind(token.name.as_str()).push(", ").bind(token.digest.as_bytes().as_slice()).push(", ");
        sql.bind(token.scopes.to_string().as_str()).push(", ").bind(allow.join(" ").as_str()).push(", ");
        sql.bind(token.created_at.micros()).push(", ").bind(token.expires_at.micros()).push(", ");
        sql.bind(time(token.last_used_at)).push(", ").bind(time(token.revoked_at)).push(")");
        self.execute(sql).map(|_| ())
    }
    fn load(&self, id: TokenId) -> Result<Option<TokenRecord>, PortError> {
        let mut sql = Sql::new("SELECT ");
        sql.push(TOKEN_COLUMNS).push(" FROM \"k_token\" WHERE \"id\" = ").bind(id);
        self.first(sql, &TOKEN_TYPES)?.map(|row| token(&row)).transpose()
    }
    fn touch(&self, id: TokenId, at: Timestamp) -> Result<(), PortError> {
        let mut sql = Sql::new("UPDATE \"k_token\" SET \"last_used_at\" = ");
        sql.bind(at.micros()).push(" WHERE \"id\" = ").bind(id);
        self.execute(sql).map(|_| ())
    }
    fn revoke(&self, id: TokenId, at: Timestamp) -> Result<(), PortError> {
        let mut sql = Sql::new("UPDATE \"k_token\" SET \"revoked_at\" = ");
        sql.bind(at.micros()).push(" WHERE \"revoked_at\" IS NULL AND \"id\" = ").bind(id);
        self.execute(sql).map(|_| ())
    }
    fn list_of_user(&self, user: UserId) -> Result<Vec<TokenRecord>, PortError> {
        let mut sql = Sql::new("SELECT ");
        sql.push(TOKEN_COLUMNS)
            .push(" FROM \"k_token\" WHERE \"user_id\" = ")
            .bind(user)
            .push(" ORDER BY \"created_at\"");
        self.rows(sql, &TOKEN_TYPES)?.iter().map(token).collect()
    }
}
