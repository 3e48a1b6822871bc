//! A look at a database from beside: how the engine is set up, whether it is whole, what is remembered of backups. It needs no key of the
//! appliance, opens nothing sealed, takes no lock that others wait for, and writes nothing.

use crate::backups::{backups_of, drills_of};
use crate::engine::{Access, Conn, Sql};
use crate::{BackupRow, DrillRow, EngineConfig, Store, StoreError, migrate};
use kernel::Timestamp;
use metadata::ColumnType;
use std::collections::BTreeMap;

/// Lines of what is damaged.
const DAMAGE_MAX: usize = 10;

/// What was seen.
#[derive(Clone, Debug)]
pub struct DatabaseLook {
    /// The settings of the engine by name, as it says them.
    pub settings: BTreeMap<String, String>,
    /// What is damaged in the file; `None` where nobody looked.
    pub damage: Option<Vec<String>>,
    /// The clock of the server's machine; `None` where the engine is embedded.
    pub now: Option<Timestamp>,
    /// Sets, newest first.
    pub backups: Vec<BackupRow>,
    /// Drills, newest first.
    pub drills: Vec<DrillRow>,
}

impl Store {
    /// Looks at a database. With `whole` every page of an embedded one is read, which takes its time.
    ///
    /// # Errors
    /// When it cannot be opened or is not one of this version.
    pub fn look_at(engine: &EngineConfig, rows_max: usize, whole: bool) -> Result<DatabaseLook, StoreError> {
        let mut conn = Conn::open(engine, Access::Look)?;
        migrate::check(&mut conn)?;
        let (settings, damage, now) = match engine {
            EngineConfig::Sqlite { .. } => (embedded(&mut conn)?, whole.then(|| damaged(&mut conn)).transpose()?, None),
            EngineConfig::Postgres { .. } => {
                let (settings, now) = server(&mut conn)?;
                (settings, None, now)
            }
        };
        let (backups, drills) = (backups_of(&mut conn, rows_max)?, drills_of(&mut conn, rows_max)?);
        Ok(DatabaseLook { settings, damage, now, backups, drills })
    }
}

fn embedded(conn: &mut Conn) -> Result<BTreeMap<String, String>, StoreError> {
    let sql = Sql::new(
        "SELECT 'version', sqlite_version() UNION ALL SELECT 'journal_mode', \"journal_mode\" FROM pragma_journal_mode \
         UNION ALL SELECT 'pages', CAST(\"page_count\" AS TEXT) FROM pragma_page_count \
         UNION ALL SELECT 'pages_free', CAST(\"freelist_count\" AS TEXT) FROM pragma_freelist_count \
         UNION ALL SELECT 'page_bytes', CAST(\"page_size\" AS TEXT) FROM pragma_page_size",
    );
    pairs(conn, &sql)
}

fn damaged(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    let mut sql = Sql::new("SELECT \"quick_check\" FROM pragma_quick_check LIMIT ");
    sql.number(DAMAGE_MAX);
    let rows = conn.rows(&sql, &[ColumnType::Text])?;
    Ok(rows.iter().filter_map(|row| row.text(0)).filter(|line| line != "ok").collect())
}

fn server(conn: &mut Conn) -> Result<(BTreeMap<String, String>, Option<Timestamp>), StoreError> {
    let sql = Sql::new(
        "SELECT CAST(name AS text), CAST(setting AS text) FROM pg_settings WHERE name IN ('server_version', \
         'server_version_num', 'fsync', 'synchronous_commit', 'full_page_writes', 'max_connections', 'wal_level', \
         'data_checksums') UNION ALL SELECT 'connections', CAST(count(*) AS text) FROM pg_stat_activity \
         WHERE backend_type = 'client backend' UNION ALL SELECT 'encrypted', CAST(coalesce(bool_or(ssl), false) AS text) \
         FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    );
    let settings = pairs(conn, &sql)?;
    let clock = Sql::new("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)");
    let now = conn.first(&clock, &[ColumnType::Integer])?.and_then(|row| row.int(0)).map(Timestamp::from_micros);
    Ok((settings, now))
}

fn pairs(conn: &mut Conn, sql: &Sql) -> Result<BTreeMap<String, String>, StoreError> {
    let rows = conn.rows(sql, &[ColumnType::Text, ColumnType::Text])?;
    Ok(rows.iter().filter_map(|row| Some((row.text(0)?, row.text(1)?))).collect())
}
