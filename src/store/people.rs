//! Roles and who holds them: the policy's source. Every change of a right adds one to the user's epoch in the same
//! transaction, which ends sessions that began with other rights.

use crate::engine::{Cell, Conn, Sql};
use crate::{ReadTx, StoreError, WriteTx};
use authz::{Policy, RoleDef};
use identity::{ActorFacts, Locale};
use kernel::{Code, Fault, RecordId, Timestamp, UserId};
use metadata::ColumnType;

const TEXT: ColumnType = ColumnType::Text;
const INT: ColumnType = ColumnType::Integer;
const BIN: ColumnType = ColumnType::Binary;

pub(crate) fn write_role(conn: &mut Conn, role: &RoleDef) -> Result<(), StoreError> {
    let text = serde_json::to_string(role).map_err(|error| StoreError::damaged(error.to_string()))?;
    let mut sql = Sql::new("INSERT INTO \"k_role\" (\"name\", \"definition\") VALUES (");
    sql.bind(role.name.as_str()).push(", ").bind(text.as_str());
    sql.push(") ON CONFLICT (\"name\") DO UPDATE SET \"definition\" = excluded.\"definition\"");
    conn.execute(&sql).map(|_| ())
}

/// All roles of the database and the internal ones, as a policy with its content hash.
pub(crate) fn load_policy(conn: &mut Conn) -> Result<Policy, StoreError> {
    let sql = Sql::new("SELECT \"name\", \"definition\" FROM \"k_role\" ORDER BY \"name\"");
    let mut roles = Vec::new();
    for row in conn.rows(&sql, &[TEXT, TEXT])? {
        let text = row.text(1).unwrap_or_default();
        let role: RoleDef = serde_json::from_str(&text).map_err(|error| {
            StoreError::damaged(format!("the role {} cannot be read: {error}", row.text(0).unwrap_or_default()))
        })?;
        roles.push(role);
    }
    roles.extend(authz::internal_roles());
    let digest = ring::digest::digest(&ring::digest::SHA256, &Policy::canonical(&roles));
    let mut epoch = [0u8; 32];
    epoch.copy_from_slice(digest.as_ref());
    Ok(Policy::new(roles, epoch))
}

/// A role in somebody's hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleAssignment {
    /// The role.
    pub role: String,
    /// From when; at once when absent.
    pub valid_from: Option<Timestamp>,
    /// Until when; for good when absent.
    pub valid_to: Option<Timestamp>,
}

pub(crate) fn assignments(conn: &mut Conn, user: UserId) -> Result<Vec<RoleAssignment>, StoreError> {
    let mut sql =
        Sql::new("SELECT \"role\", \"valid_from\", \"valid_to\" FROM \"k_role_assignment\" WHERE \"user_id\" = ");
    sql.bind(user).push(" ORDER BY \"role\"");
    let time = |number: Option<i64>| number.map(Timestamp::from_micros);
    let rows = conn.rows(&sql, &[TEXT, INT, INT])?;
    Ok(rows
        .into_iter()
        .map(|row| RoleAssignment {
            role: row.text(0).unwrap_or_default(),
            valid_from: time(row.int(1)),
            valid_to: time(row.int(2)),
        })
        .collect())
}

/// What an actor is minted from: the user's record, epoch, roles in force, unit tree and teams.
pub(crate) fn facts(conn: &mut Conn, user: UserId, now: Timestamp) -> Result<Option<ActorFacts>, StoreError> {
    let mut sql = Sql::new(
        "SELECT u.\"status\", c.\"auth_epoch\", u.\"username\", u.\"display_name\", u.\"unit_id\", u.\"locale\", c.\"first_password\" \
         FROM \"user\" u JOIN \"k_credential\" c ON c.\"user_id\" = u.\"id\" WHERE u.\"deleted_at\" IS NULL AND u.\"id\" = ",
    );
    sql.bind(user);
    let Some(row) = conn.first(&sql, &[TEXT, INT, TEXT, TEXT, BIN, TEXT, INT])? else { return Ok(None) };
    let unit = row.id(4);
    let in_force = |role: &RoleAssignment| {
        role.valid_from.is_none_or(|from| from <= now) && role.valid_to.is_none_or(|to| now < to)
    };
    let roles = assignments(conn, user)?.into_iter().filter(in_force).map(|role| role.role).collect();
    let teams = ids(conn, Sql::new("SELECT \"from_id\" FROM \"l_team_members\" WHERE \"to_id\" = ").bind(user))?;
    let members = match teams.as_slice() {
        [] => vec![user],
        teams => {
            let mut sql = Sql::new("SELECT DISTINCT \"to_id\" FROM \"l_team_members\" WHERE \"from_id\" IN (");
            sql.binds(teams.iter().map(|id: &RecordId| Cell::from(*id))).push(")");
            ids(conn, &sql)?
        }
    };
    let units = match unit {
        None => Vec::new(),
        Some(unit) => units_below(conn, unit)?,
    };
    Ok(Some(ActorFacts {
        user,
        active: row.get(0).text() == Some("active"),
        auth_epoch: row.int(1).unwrap_or_default(),
        login: row.text(2).unwrap_or_default(),
        display_name: row.text(3).unwrap_or_default(),
        roles,
        unit,
        units_below: units.into(),
        teams: teams.into(),
        team_members: members.into(),
        locale: if row.get(5).text().is_some_and(|locale| locale.starts_with("zh")) { Locale::Zh } else { Locale::En },
        first_password: row.int(6) == Some(1),
    }))
}

/// Logins are folded further than usernames, so two usernames may meet in one login.
fn login_taken(error: StoreError) -> StoreError {
    use diesel::result::{DatabaseErrorKind::UniqueViolation, Error::DatabaseError};
    if !matches!(&error, StoreError::Engine(DatabaseError(UniqueViolation, _))) {
        return error;
    }
    let detail = "Another user signs in with this name.";
    Fault::new(Code::ValueNotUnique, detail).with_item("/username", Code::ValueNotUnique, detail).into()
}

fn ids(conn: &mut Conn, sql: &Sql) -> Result<Vec<RecordId>, StoreError> {
    Ok(conn.rows(sql, &[BIN])?.into_iter().filter_map(|row| row.id(0)).collect())
}

/// A unit and every unit under it. `UNION` ends the walk even if the tree were a ring.
fn units_below(conn: &mut Conn, unit: RecordId) -> Result<Vec<RecordId>, StoreError> {
    let mut sql = Sql::new("WITH RECURSIVE below(id) AS (SELECT \"id\" FROM \"unit\" WHERE \"id\" = ");
    sql.bind(unit).push(
        " UNION SELECT u.\"id\" FROM \"unit\" u JOIN below b ON u.\"parent_id\" = b.id WHERE u.\"deleted_at\" IS NULL) SELECT id FROM below",
    );
    ids(conn, &sql)
}

impl ReadTx<'_> {
    /// The roles of a user, in force or not.
    pub fn role_assignments(&mut self, user: UserId) -> Result<Vec<RoleAssignment>, StoreError> {
        assignments(self.conn, user)
    }
    /// The user behind a folded login.
    pub fn user_by_login(&mut self, login: &str) -> Result<Option<UserId>, StoreError> {
        let mut sql = Sql::new("SELECT \"user_id\" FROM \"k_credential\" WHERE \"login\" = ");
        sql.bind(login);
        Ok(self.conn.first(&sql, &[BIN])?.and_then(|row| row.id(0)))
    }
    /// Whether somebody who may sign in holds this role.
    pub fn role_is_held(&mut self, role: &str) -> Result<bool, StoreError> {
        let mut sql = Sql::new(
            "SELECT 1 FROM \"k_role_assignment\" a JOIN \"k_credential\" c ON c.\"user_id\" = a.\"user_id\" WHERE c.\"password_hash\" IS NOT NULL AND a.\"role\" = ",
        );
        sql.bind(role).push(" LIMIT 1");
        Ok(self.conn.first(&sql, &[INT])?.is_some())
    }
}

impl WriteTx<'_, '_> {
    /// Makes the place where a user's credential will stand. The login is folded.
    pub fn credential_create(&mut self, user: UserId, login: &str) -> Result<(), StoreError> {
        let mut sql = Sql::new(
            "INSERT INTO \"k_credential\" (\"user_id\", \"login\", \"auth_epoch\", \"failed_count\") VALUES (",
        );
        sql.bind(user).push(", ").bind(login).push(", 0, 0)");
        self.conn().execute(&sql).map(|_| ()).map_err(login_taken)
    }
    /// Follows a change of the login.
    pub fn credential_rename(&mut self, user: UserId, login: &str) -> Result<(), StoreError> {
        let mut sql = Sql::new("UPDATE \"k_credential\" SET \"login\" = ");
        sql.bind(login).push(" WHERE \"user_id\" = ").bind(user);
        self.conn().execute(&sql).map(|_| ()).map_err(login_taken)
    }
    /// Frees the login of a user in the recycle bin, so that a new user may have it. No login begins with a blank.
    pub fn credential_free(&mut self, user: UserId) -> Result<(), StoreError> {
        let mut sql = Sql::new("UPDATE \"k_credential\" SET \"login\" = ");
        sql.bind(format!(" {user} ").as_str()).push(" || \"login\" WHERE \"user_id\" = ").bind(user);
        self.conn().execute(&sql).map(|_| ())
    }
    /// Gives a user out of the recycle bin their login back, unless somebody else has it now.
    pub fn credential_restore(&mut self, user: UserId) -> Result<(), StoreError> {
        let mut sql = Sql::new("UPDATE \"k_credential\" SET \"login\" = substr(\"login\", ");
        sql.push("39) WHERE \"login\" LIKE ' %' AND \"user_id\" = ").bind(user);
        self.conn().execute(&sql).map(|_| ()).map_err(login_taken)
    }
    /// Ends every session of a user: what they may do has changed.
    pub fn auth_epoch_bump(&mut self, user: UserId) -> Result<(), StoreError> {
        let mut sql = Sql::new("UPDATE \"k_credential\" SET \"auth_epoch\" = \"auth_epoch\" + 1 WHERE \"user_id\" = ");
        sql.bind(user);
        self.conn().execute(&sql).map(|_| ())
    }
    /// Gives a role. The caller has checked that the roles go together.
    pub fn role_grant(&mut self, user: UserId, assignment: &RoleAssignment, by: UserId) -> Result<(), StoreError> {
        let now = self.now().micros();
        let time = |at: Option<Timestamp>| Cell::opt_int(at.map(Timestamp::micros));
        let mut sql = Sql::new(
            "INSERT INTO \"k_role_assignment\" (\"user_id\", \"role\", \"valid_from\", \"valid_to\", \"granted_by\", \"granted_at\") VALUES (",
        );
        sql.bind(user)
            .push(", ")
            .bind(assignment.role.as_str())
            .push(", ")
            .bind(time(assignment.valid_from))
            .push(", ");
        sql.bind(time(assignment.valid_to)).push(", ").bind(by).push(", ").bind(now);
        sql.push(") ON CONFLICT (\"user_id\", \"role\") DO UPDATE SET \"valid_from\" = excluded.\"valid_from\", \"valid_to\" = excluded.\"valid_to\", \"granted_by\" = excluded.\"granted_by\", \"granted_at\" = excluded.\"granted_at\"");
        self.conn().execute(&sql)?;
        self.auth_epoch_bump(user)
    }
    /// Takes a role away; says whether it was held.
    pub fn role_revoke(&mut self, user: UserId, role: &str) -> Result<bool, StoreError> {
        let mut sql = Sql::new("DELETE FROM \"k_role_assignment\" WHERE \"user_id\" = ");
        sql.bind(user).push(" AND \"role\" = ").bind(role);
        let held = self.conn().execute(&sql)? > 0;
        self.auth_epoch_bump(user)?;
        Ok(held)
    }
}
