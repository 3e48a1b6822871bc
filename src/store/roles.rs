//! Custom roles: who holds one, its versions, and taking it from everybody. What a role may say is checked by `authz`; here
//! nothing is decided.

use crate::engine::{Conn, Sql};
use crate::people::{self, RoleAssignment};
use crate::{ReadTx, StoreError, WriteTx};
use authz::{Policy, RoleDef};
use identity::ActorFacts;
use kernel::{Timestamp, UserId};
use metadata::ColumnType;
use std::sync::Arc;

const TEXT: ColumnType = ColumnType::Text;
const INT: ColumnType = ColumnType::Integer;
const BIN: ColumnType = ColumnType::Binary;

/// A role as it was from a moment on.
#[derive(Clone, Debug)]
pub struct RoleVersion {
    /// What was done to it.
    pub act: String,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: UserId,
    /// The role.
    pub role: RoleDef,
}

impl ReadTx<'_> {
    /// The roles as they stand in the database, what this unit has changed included: the ones in force may be older by the
    /// changes of a group that is not on disk yet.
    pub fn policy_stored(&mut self) -> Result<Policy, StoreError> {
        people::load_policy(self.conn)
    }

    /// What an actor would be minted from now; gives no rights.
    pub fn actor_facts(&mut self, user: UserId) -> Result<Option<ActorFacts>, StoreError> {
        let now = self.shared.clock.now();
        Ok(people::facts(self.conn, user, now)?.map(ActorFacts::without_reserved_roles))
    }

    /// Everybody who holds a role now or will, with all their roles.
    pub fn role_holders(&mut self, role: &str) -> Result<Vec<(UserId, Vec<RoleAssignment>)>, StoreError> {
        let now = self.shared.clock.now();
        let mut sql = Sql::new(
            "SELECT a.\"user_id\", a.\"role\", a.\"valid_from\", a.\"valid_to\" FROM \"k_role_assignment\" a \
             JOIN \"user\" u ON u.\"id\" = a.\"user_id\" WHERE u.\"deleted_at\" IS NULL AND EXISTS \
             (SELECT 1 FROM \"k_role_assignment\" h WHERE h.\"user_id\" = a.\"user_id\" AND h.\"role\" = ",
        );
        sql.bind(role).push(") ORDER BY a.\"user_id\", a.\"role\"");
        let mut found: Vec<(UserId, Vec<RoleAssignment>)> = Vec::new();
        for row in self.conn.rows(&sql, &[BIN, TEXT, INT, INT])? {
            let user = row.id(0).ok_or_else(|| StoreError::damaged("a role is given to nobody"))?;
            let time = |at| row.int(at).map(Timestamp::from_micros);
            let held = RoleAssignment { role: row.text(1).unwrap_or_default(), valid_from: time(2), valid_to: time(3) };
            if held.valid_to.is_some_and(|to| to <= now) {
                continue;
            }
            match found.last_mut() {
                Some((known, roles)) if *known == user => roles.push(held),
                _ => found.push((user, vec![held])),
            }
        }
        found.retain(|(_, roles)| roles.iter().any(|held| held.role == role));
        Ok(found)
    }

    /// The versions of a role, the newest first.
    pub fn role_versions(&mut self, role: &str, max: usize) -> Result<Vec<RoleVersion>, StoreError> {
        let mut sql =
            Sql::new("SELECT \"act\", \"at\", \"by_user\", \"definition\" FROM \"k_role_version\" WHERE \"role\" = ");
        sql.bind(role).push(" ORDER BY \"version\" DESC LIMIT ").number(max);
        let damaged = || StoreError::damaged(format!("a version of the role {role} cannot be read"));
        let version = |row: crate::engine::Row| {
            let role = serde_json::from_str(&row.text(3).unwrap_or_default()).map_err(|_| damaged())?;
            Ok(RoleVersion {
                act: row.text(0).unwrap_or_default(),
                at: Timestamp::from_micros(row.int(1).ok_or_else(damaged)?),
                by: row.id(2).ok_or_else(damaged)?,
                role,
            })
        };
        self.conn.rows(&sql, &[TEXT, INT, BIN, TEXT])?.into_iter().map(version).collect()
    }
}

impl WriteTx<'_, '_> {
    /// Stores a role; the new policy is in force once the group is on disk.
    pub fn role_write(&mut self, role: &RoleDef) -> Result<(), StoreError> {
        people::write_role(self.conn(), role)?;
        let policy = Arc::new(people::load_policy(self.conn())?);
        let shared = Arc::clone(self.read.shared);
        self.after_commit(move || shared.policy.store(policy));
        Ok(())
    }

    /// Keeps this version of a role.
    pub fn role_version_keep(&mut self, role: &RoleDef, act: &str, by: UserId) -> Result<(), StoreError> {
        let at = self.now().micros();
        let text = serde_json::to_string(role).map_err(|error| StoreError::damaged(error.to_string()))?;
        let mut sql = Sql::new(
            "INSERT INTO \"k_role_version\" (\"role\", \"version\", \"act\", \"at\", \"by_user\", \"definition\") VALUES (",
        );
        sql.bind(role.name.as_str()).push(", ").bind(i64::from(role.version)).push(", ").bind(act).push(", ").bind(at);
        sql.push(", ").bind(by).push(", ").bind(text.as_str()).push(")");
        self.conn().execute(&sql).map(|_| ())
    }

    /// Takes a role from everybody, those in the recycle bin included, and ends their sessions; says from whom.
    pub fn role_take_from_all(&mut self, role: &str) -> Result<Vec<UserId>, StoreError> {
        let users = holders(self.conn(), role)?;
        for user in &users {
            self.role_revoke(*user, role)?;
        }
        Ok(users)
    }
}

fn holders(conn: &mut Conn, role: &str) -> Result<Vec<UserId>, StoreError> {
    let mut sql = Sql::new("SELECT \"user_id\" FROM \"k_role_assignment\" WHERE \"role\" = ");
    sql.bind(role).push(" ORDER BY \"user_id\"");
    Ok(conn.rows(&sql, &[BIN])?.into_iter().filter_map(|row| row.id(0)).collect())
}
