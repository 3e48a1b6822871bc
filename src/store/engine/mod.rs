//! One connection to either engine, one text of queries for both. What differs per engine stands in `dialect`.

pub(crate) mod bell;
pub(crate) mod bulk;
pub(crate) mod committer;
pub(crate) mod dialect;
pub(crate) mod handover;
mod later;
mod line;
mod overflow;
mod postgres;
mod prepared;
pub(crate) mod readers;
mod sql;
mod sqlite;
pub(crate) mod wal;

pub(crate) use handover::{Handover, Waiting};
pub(crate) use later::Insert;
pub(crate) use line::Line;
pub(crate) use overflow::Overflow;
pub(crate) use sql::{Cell, Row, Sql};

use crate::StoreError;
use crate::unique::unique;
use diesel::Connection;
use diesel::connection::{DefaultLoadingMode, LoadConnection, SimpleConnection};
use metadata::ColumnType;
use std::path::PathBuf;

/// Where the data lies.
#[derive(Clone, Debug)]
pub enum EngineConfig {
    /// SQLite in a file of the appliance.
    Sqlite {
        /// The database file.
        file: PathBuf,
    },
    /// A PostgreSQL server, version 15 or newer.
    Postgres {
        /// A libpq connection string or URL; holds a password, so it is never printed.
        url: PostgresUrl,
        /// The PEM file of the authority that signed the server's certificate; without it only loopback or a Unix socket is accepted.
        ca_file: Option<PathBuf>,
    },
}

impl EngineConfig {
    /// Whether several processes may serve from such a database at once.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres { .. })
    }
}

/// A connection string; `Debug` hides it.
#[derive(Clone)]
pub struct PostgresUrl(pub String);

impl std::fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresUrl(…)")
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// The one that writes.
    Write,
    /// Reading beside it.
    Read,
    /// Filling a new file of the embedded engine that counts only when it is whole.
    Fill,
    /// Looking at what may be a copy on a medium that cannot be written; nothing is created beside it.
    Look,
}

/// A connection to one of the engines.
#[derive(diesel::MultiConnection)]
#[expect(clippy::large_enum_variant, reason = "a handful of connections live as long as the process")]
pub(crate) enum Conn {
    /// Embedded.
    Sqlite(diesel::SqliteConnection),
    /// Server.
    Postgres(postgres::PgConn),
}

/// The joint backend of both engines, as Diesel names it.
pub(crate) type Db = <Conn as Connection>::Backend;

impl Conn {
    /// Opens a connection.
    pub(crate) fn open(config: &EngineConfig, access: Access) -> Result<Self, StoreError> {
        match config {
            EngineConfig::Sqlite { file } => sqlite::open(file, access).map(Self::Sqlite),
            EngineConfig::Postgres { url, ca_file } => {
                postgres::open(&url.0, ca_file.as_deref(), access).map(Self::Postgres)
            }
        }
    }

    /// Whether the server's end is gone; never with the embedded engine.
    pub(crate) fn is_lost(&mut self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(conn) => conn.is_lost(),
        }
    }

    /// An error of the engine, or that the engine itself is gone.
    fn told(&mut self, error: StoreError) -> StoreError {
        let (Self::Postgres(conn), StoreError::Engine(cause)) = (self, &error) else { return error };
        if conn.lost_by(cause) { StoreError::Lost(cause.to_string()) } else { error }
    }

    /// Which engine this is.
    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Whether inserted rows may wait from now on; what waits already does so no longer than until the next statement.
    pub(crate) fn let_wait(&mut self, may: bool) {
        if let Self::Postgres(conn) = self {
            conn.later.open(may);
        }
    }

    /// Notes where the savepoint of units stands, for the engine that is told of it late; hands back where it stood.
    pub(crate) fn set_savepoint(&mut self, savepoint: later::Savepoint) -> later::Savepoint {
        if let Self::Postgres(conn) = self {
            return std::mem::replace(&mut conn.later.savepoint, savepoint);
        }
        later::Savepoint::None
    }

    /// Inserts a row, or lets it wait for the next statement; a failure is then told there.
    pub(crate) fn insert(&mut self, insert: Insert<'_>) -> Result<(), StoreError> {
        let object = insert.object;
        let full = match self {
            Self::Postgres(conn) => conn.later.push(insert).into_iter().collect(),
            Self::Sqlite(_) => {
                let done = self.run(&insert.into_single()).map(|_| ());
                return match object {
                    Some(object) => done.map_err(|error| unique(object, error)),
                    None => done,
                };
            }
        };
        self.send(full)?;
        if self.may_wait() { Ok(()) } else { self.flush() }
    }

    /// Whether inserted rows wait for the next statement.
    pub(crate) fn may_wait(&self) -> bool {
        if let Self::Postgres(conn) = self { conn.later.is_open() } else { false }
    }

    /// Sends the rows that wait.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        let Self::Postgres(conn) = self else { return Ok(()) };
        let waiting = conn.later.take();
        self.send(waiting)
    }

    /// Drops the rows that wait: their unit is being undone.
    pub(crate) fn drop_waiting(&mut self) {
        if let Self::Postgres(conn) = self {
            drop(conn.later.take());
        }
    }

    fn send(&mut self, batches: Vec<later::Batch>) -> Result<(), StoreError> {
        for (sql, objects) in later::statements(batches) {
            self.run(&sql).map_err(|error| objects.iter().fold(error, |error, object| unique(object, error)))?;
        }
        Ok(())
    }

    /// Runs a statement and returns the number of rows it touched.
    pub(crate) fn execute(&mut self, sql: &Sql) -> Result<usize, StoreError> {
        self.flush()?;
        self.run(sql)
    }

    fn run(&mut self, sql: &Sql) -> Result<usize, StoreError> {
        prepared::keep(self, sql);
        self.execute_returning_count(sql).map_err(|error| self.told(error.into()))
    }

    /// Runs several statements without binds; for migrations and transaction control.
    pub(crate) fn batch(&mut self, text: &str) -> Result<(), StoreError> {
        self.flush()?;
        self.batch_execute(text).map_err(|error| self.told(error.into()))
    }

    /// Runs a query whose columns have these types and hands each row to `each`.
    pub(crate) fn each(
        &mut self,
        sql: &Sql,
        types: &[ColumnType],
        mut each: impl FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.flush()?;
        prepared::keep(self, sql);
        let mut read = || {
            for row in LoadConnection::<DefaultLoadingMode>::load(self, sql)? {
                each(sql::read_row(&row?, types)?)?;
            }
            Ok(())
        };
        let outcome = read();
        outcome.map_err(|error| self.told(error))
    }

    /// Runs a query and returns all its rows; the caller bounds their number.
    pub(crate) fn rows(&mut self, sql: &Sql, types: &[ColumnType]) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        self.each(sql, types, |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Runs a query and returns its first row.
    pub(crate) fn first(&mut self, sql: &Sql, types: &[ColumnType]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, types)?.into_iter().next())
    }
}
