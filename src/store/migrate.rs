//! System tables: linear migrations, one text per engine, each known by its hash. A database made by a version this one
//! does not know is refused before anything is read from it.

use crate::engine::{Conn, Sql};
use crate::{StoreError, engine::dialect};
use kernel::Timestamp;
use metadata::ColumnType;

struct Migration {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

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

fn text_of(conn: &Conn, migration: &Migration) -> &'static str {
    if conn.is_sqlite() { migration.sqlite } else { migration.postgres }
}

fn hash_of(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Brings the system tables up to this version, in one transaction; says how many steps ran.
pub(crate) fn migrate(conn: &mut Conn, now: Timestamp) -> Result<usize, StoreError> {
    dialect::begin_group(conn)?;
    let outcome = migrate_in_tx(conn, now);
    conn.batch(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    outcome
}

/// The same inside a transaction of the caller.
pub(crate) fn migrate_in_tx(conn: &mut Conn, now: Timestamp) -> Result<usize, StoreError> {
    conn.batch("CREATE TABLE IF NOT EXISTS \"k_migration\" (\"number\" BIGINT PRIMARY KEY, \"name\" TEXT NOT NULL, \"hash\" TEXT NOT NULL, \"at\" BIGINT NOT NULL)")?;
    let missing = missing(conn)?;
    for migration in missing {
        let text = text_of(conn, migration);
        conn.batch(text)?;
        let mut sql = Sql::new("INSERT INTO \"k_migration\" VALUES (");
        sql.bind(migration.number).push(", ").bind(migration.name).push(", ");
        sql.bind(hash_of(text).as_str()).push(", ").bind(now.micros()).push(")");
        conn.execute(&sql)?;
    }
    Ok(missing.len())
}

/// The steps that the database does not have yet. One that has steps this version does not know is refused.
fn missing(conn: &mut Conn) -> Result<&'static [Migration], StoreError> {
    let list = Sql::new("SELECT \"number\", \"name\", \"hash\" FROM \"k_migration\" ORDER BY \"number\"");
    let done = conn.rows(&list, &[ColumnType::Integer, ColumnType::Text, ColumnType::Text])?;
    for (at, row) in done.iter().enumerate() {
        let Some(known) = MIGRATIONS.get(at).filter(|known| row.int(0) == Some(known.number)) else {
            return Err(StoreError::SchemaUnknown(format!(
                "The database has step {} ({}), which this version does not know; start the newer version again.",
                row.int(0).unwrap_or_default(),
                row.text(1).unwrap_or_default()
            )));
        };
        if row.text(2).as_deref() != Some(hash_of(text_of(conn, known)).as_str()) {
            return Err(StoreError::SchemaUnknown(format!(
                "Step {} of the database was made from another text; this version cannot tell what is in it.",
                known.number
            )));
        }
    }
    Ok(MIGRATIONS.get(done.len()..).unwrap_or_default())
}

/// Refuses a database whose system tables are not those of this version; changes nothing.
pub(crate) fn check(conn: &mut Conn) -> Result<(), StoreError> {
    match missing(conn)?.first() {
        None => Ok(()),
        Some(step) => Err(StoreError::SchemaUnknown(format!(
            "The database does not have step {} yet; use the version that made it.",
            step.number
        ))),
    }
}
