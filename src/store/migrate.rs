//! System tables: linear migrations, one text per engine, each known by its hash. A database made by a version this one
//! does not know is refused before anything is read from it, unless all that it does not know are tables and indexes of their own:
//! such a step says so in front of its hash, and a version without it passes it by. Opening never migrates; an upgrade does.

use crate::engine::{Conn, Sql};
use crate::{StoreError, engine::dialect};
use kernel::Timestamp;
use metadata::ColumnType;

#[derive(Clone)]
pub(crate) struct Migration {
    pub(crate) number: i64,
    pub(crate) name: &'static str,
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// In front of the hash of a step that only adds tables and indexes.
const EXPANDS: &str = "expand:";

/// All migrations, oldest first. Append only; a released text never changes.
const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "base",
        sqlite: include_str!("../../migrations/sqlite/0001_base/up.sql"),
        postgres: include_str!("../../migrations/postgres/0001_base/up.sql"),
    },
    Migration {
        number: 2,
        name: "preference",
        sqlite: include_str!("../../migrations/sqlite/0002_preference/up.sql"),
        postgres: include_str!("../../migrations/postgres/0002_preference/up.sql"),
    },
    Migration {
        number: 3,
        name: "view",
        sqlite: include_str!("../../migrations/sqlite/0003_view/up.sql"),
        postgres: include_str!("../../migrations/postgres/0003_view/up.sql"),
    },
    Migration {
        number: 4,
        name: "first_password",
        sqlite: include_str!("../../migrations/sqlite/0004_first_password/up.sql"),
        postgres: include_str!("../../migrations/postgres/0004_first_password/up.sql"),
    },
    Migration {
        number: 5,
        name: "notification",
        sqlite: include_str!("../../migrations/sqlite/0005_notification/up.sql"),
        postgres: include_str!("../../migrations/postgres/0005_notification/up.sql"),
    },
    Migration {
        number: 6,
        name: "bulk_job",
        sqlite: include_str!("../../migrations/sqlite/0006_bulk_job/up.sql"),
        postgres: include_str!("../../migrations/postgres/0006_bulk_job/up.sql"),
    },
    Migration {
        number: 7,
        name: "attachment",
        sqlite: include_str!("../../migrations/sqlite/0007_attachment/up.sql"),
        postgres: include_str!("../../migrations/postgres/0007_attachment/up.sql"),
    },
    Migration {
        number: 8,
        name: "import",
        sqlite: include_str!("../../migrations/sqlite/0008_import/up.sql"),
        postgres: include_str!("../../migrations/postgres/0008_import/up.sql"),
    },
    Migration {
        number: 9,
        name: "role_version",
        sqlite: include_str!("../../migrations/sqlite/0009_role_version/up.sql"),
        postgres: include_str!("../../migrations/postgres/0009_role_version/up.sql"),
    },
    Migration {
        number: 10,
        name: "export",
        sqlite: include_str!("../../migrations/sqlite/0010_export/up.sql"),
        postgres: include_str!("../../migrations/postgres/0010_export/up.sql"),
    },
    Migration {
        number: 11,
        name: "merged",
        sqlite: include_str!("../../migrations/sqlite/0011_merged/up.sql"),
        postgres: include_str!("../../migrations/postgres/0011_merged/up.sql"),
    },
    Migration {
        number: 12,
        name: "backup",
        sqlite: include_str!("../../migrations/sqlite/0012_backup/up.sql"),
        postgres: include_str!("../../migrations/postgres/0012_backup/up.sql"),
    },
    Migration {
        number: 13,
        name: "node",
        sqlite: include_str!("../../migrations/sqlite/0013_node/up.sql"),
        postgres: include_str!("../../migrations/postgres/0013_node/up.sql"),
    },
];

/// The steps of this version. A build with debug assertions takes further ones for its tests of upgrades; no release does.
fn steps() -> &'static [Migration] {
    #[cfg(debug_assertions)]
    return crate::trial::steps(MIGRATIONS);
    #[cfg(not(debug_assertions))]
    MIGRATIONS
}

fn text_of(conn: &Conn, migration: &Migration) -> &'static str {
    if conn.is_sqlite() { migration.sqlite } else { migration.postgres }
}

fn hash_of(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a step adds tables, and indexes of these, and does nothing else. Derived from its text, so nobody can mark it wrongly.
fn expands(text: &str) -> bool {
    let code: String =
        text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join(" ");
    let mut made: Vec<String> = Vec::new();
    code.split(';').map(str::trim).filter(|statement| !statement.is_empty()).all(|statement| {
        let words: Vec<String> =
            statement.split(['(', ' ', '\t']).filter(|word| !word.is_empty()).map(str::to_uppercase).collect();
        let word = |at: usize| words.get(at).map_or("", String::as_str);
        match (word(0), word(1)) {
            ("CREATE", "TABLE") => {
                made.push(word(2).to_owned());
                true
            }
            ("CREATE", "INDEX") => word(3) == "ON" && made.iter().any(|table| table == word(4)),
            ("CREATE", "UNIQUE") => word(4) == "ON" && made.iter().any(|table| table == word(5)),
            _ => false,
        }
    })
}

/// Brings the system tables up to this version, in one transaction; says which steps ran.
pub(crate) fn migrate(conn: &mut Conn, now: Timestamp) -> Result<Vec<&'static Migration>, StoreError> {
    dialect::begin_group(conn)?;
    let outcome = migrate_in_tx(conn, now);
    conn.batch(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    outcome
}

/// The same inside a transaction of the caller.
pub(crate) fn migrate_in_tx(conn: &mut Conn, now: Timestamp) -> Result<Vec<&'static Migration>, StoreError> {
    migrate_up_to(conn, now, i64::MAX)
}

/// The same up to a step: for a copy of a database that has no more.
pub(crate) fn migrate_up_to(conn: &mut Conn, now: Timestamp, last: i64) -> Result<Vec<&'static Migration>, StoreError> {
    conn.batch("CREATE TABLE IF NOT EXISTS \"k_migration\" (\"number\" BIGINT PRIMARY KEY, \"name\" TEXT NOT NULL, \"hash\" TEXT NOT NULL, \"at\" BIGINT NOT NULL)")?;
    let missing: Vec<_> = missing(conn)?.iter().filter(|step| step.number <= last).collect();
    for migration in &missing {
        let text = text_of(conn, migration);
        conn.batch(text)?;
        let hash = format!("{}{}", if expands(text) { EXPANDS } else { "" }, hash_of(text));
        let mut sql = Sql::new("INSERT INTO \"k_migration\" VALUES (");
        sql.bind(migration.number).push(", ").bind(migration.name).push(", ");
        sql.bind(hash.as_str()).push(", ").bind(now.micros()).push(")");
        conn.execute(&sql)?;
    }
    Ok(missing)
}

/// The steps that the database does not have yet. One that has steps this version does not know is refused, unless those only
/// added what this version can pass by.
fn missing(conn: &mut Conn) -> Result<&'static [Migration], StoreError> {
    let list = Sql::new("SELECT \"number\", \"name\", \"hash\" FROM \"k_migration\" ORDER BY \"number\"");
    let done = conn.rows(&list, &[ColumnType::Integer, ColumnType::Text, ColumnType::Text])?;
    for (at, row) in done.iter().enumerate() {
        let hash = row.text(2).unwrap_or_default();
        let Some(known) = steps().get(at).filter(|known| row.int(0) == Some(known.number)) else {
            if at >= steps().len() && hash.starts_with(EXPANDS) {
                continue;
            }
            return Err(StoreError::SchemaUnknown(format!(
                "The database has step {} ({}), which this version does not know; start the newer version again.",
                row.int(0).unwrap_or_default(),
                row.text(1).unwrap_or_default()
            )));
        };
        if hash.strip_prefix(EXPANDS).unwrap_or(&hash) != hash_of(text_of(conn, known)) {
            return Err(StoreError::SchemaUnknown(format!(
                "Step {} of the database was made from another text; this version cannot tell what is in it.",
                known.number
            )));
        }
    }
    Ok(steps().get(done.len()..).unwrap_or_default())
}

/// Refuses a database whose system tables are not those of this version; changes nothing.
pub(crate) fn check(conn: &mut Conn) -> Result<(), StoreError> {
    match missing(conn)?.first() {
        None => Ok(()),
        Some(step) => Err(StoreError::SchemaUnknown(format!(
            "The database does not have step {} ({}) of this version yet. Bring it there with `kontor upgrade adopt`, which keeps a \
             copy to go back to; or use the version that made it.",
            step.number, step.name
        ))),
    }
}

/// Refuses a database that has steps this version does not know; those that it does not have yet are no matter to who only
/// reads what every version has.
pub(crate) fn check_known(conn: &mut Conn) -> Result<(), StoreError> {
    missing(conn).map(drop)
}

/// The last step that this version knows.
pub(crate) fn last_known() -> i64 {
    steps().last().map_or(0, |step| step.number)
}

/// The last step that a database has.
pub(crate) fn last_step(conn: &mut Conn) -> Result<i64, StoreError> {
    let last = Sql::new("SELECT coalesce(max(\"number\"), 0) FROM \"k_migration\"");
    Ok(conn.first(&last, &[ColumnType::Integer])?.and_then(|row| row.int(0)).unwrap_or_default())
}

/// Where the schema of a database stands against this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaState {
    /// Its last step.
    pub at: i64,
    /// The last step of this version.
    pub known: i64,
    /// The steps that it does not have yet.
    pub pending: Vec<&'static str>,
    /// The last step that no version can pass by: those behind it only add.
    expanding_behind: i64,
}

impl SchemaState {
    /// Whether a version whose last step is this one can work with the database as it is.
    pub fn is_readable_from(&self, last_known: i64) -> bool {
        last_known >= self.expanding_behind
    }
}

impl crate::Store {
    /// Where the schema of a database stands. Changes nothing.
    ///
    /// # Errors
    /// When it has steps that this version does not know.
    pub fn schema_of(engine: &crate::EngineConfig) -> Result<SchemaState, StoreError> {
        let mut conn = Conn::open(engine, crate::engine::Access::Look)?;
        let pending = missing(&mut conn)?.iter().map(|step| step.name).collect();
        let list = Sql::new("SELECT \"number\", \"hash\" FROM \"k_migration\" ORDER BY \"number\"");
        let rows = conn.rows(&list, &[ColumnType::Integer, ColumnType::Text])?;
        let needed = |row: &&crate::engine::Row| !row.text(1).unwrap_or_default().starts_with(EXPANDS);
        let behind = rows.iter().rev().find(needed).and_then(|row| row.int(0)).unwrap_or_default();
        Ok(SchemaState { at: last_step(&mut conn)?, known: last_known(), pending, expanding_behind: behind })
    }

    /// What [`Self::migrate_now`] would do. Changes nothing.
    ///
    /// # Errors
    /// When the database has steps that this version does not know.
    pub fn migration_ahead(engine: &crate::EngineConfig) -> Result<Migrated, StoreError> {
        let mut conn = Conn::open(engine, crate::engine::Access::Look)?;
        let steps = missing(&mut conn)?.iter().collect::<Vec<_>>();
        Ok(Migrated::of(&conn, &steps))
    }

    /// Brings the system tables of a database that no server has open up to this version: all steps or none. Says which ran, and
    /// which tables these name.
    ///
    /// # Errors
    /// When a step fails; then the database is as it was.
    pub fn migrate_now(engine: &crate::EngineConfig, now: Timestamp) -> Result<Migrated, StoreError> {
        let mut conn = Conn::open(engine, crate::engine::Access::Write)?;
        let ran = migrate(&mut conn, now)?;
        Ok(Migrated::of(&conn, &ran))
    }
}

/// What a migration did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The steps.
    pub steps: Vec<i64>,
    text: String,
}

impl Migrated {
    fn of(conn: &Conn, steps: &[&'static Migration]) -> Self {
        let text = steps.iter().map(|step| text_of(conn, step)).collect::<Vec<_>>().join("\n");
        Self { steps: steps.iter().map(|step| step.number).collect(), text }
    }
    /// Whether a step names this table, and so may have changed what is in it.
    pub fn names(&self, table: &str) -> bool {
        self.text.contains(table)
    }
}

#[cfg(test)]
mod tests {
    use super::expands;

    #[test]
    fn only_new_tables_and_their_indexes_can_be_passed_by() {
        for (text, ok) in [
            ("-- why\nCREATE TABLE \"k_x\" (\"a\" TEXT);\nCREATE INDEX \"k_x_a\" ON \"k_x\" (\"a\");", true),
            ("CREATE TABLE k_x (a TEXT);\nCREATE UNIQUE INDEX k_x_a ON k_x (a);", true),
            ("CREATE INDEX k_meta_v ON k_meta (value);", false),
            ("CREATE UNIQUE INDEX k_meta_v ON k_meta (value);", false),
            ("ALTER TABLE k_meta ADD COLUMN x TEXT;", false),
            ("CREATE TABLE k_x (a TEXT); DELETE FROM k_meta;", false),
            ("UPDATE k_meta SET value = ''", false),
            ("CREATE TABLE k_x (a TEXT); INSERT INTO k_x VALUES ('1');", false),
        ] {
            assert_eq!(expands(text), ok, "{text}");
        }
    }
}
