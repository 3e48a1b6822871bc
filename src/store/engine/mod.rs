//! One connection to either engine, one text of queries for both. What differs per engine stands in `dialect`.

pub(crate) mod committer;
pub(crate) mod dialect;
mod postgres;
pub(crate) mod readers;
mod sql;
mod sqlite;

pub(crate) use sql::{Cell, Row, Sql};

use crate::StoreError;
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

/// A connection string; `Debug` hides it.
#[derive(Clone)]
pub struct PostgresUrl(pub String);

impl std::fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresUrl(…)")
    }
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
    /// Opens a connection for reading, or the one that writes.
    pub(crate) fn open(config: &EngineConfig, writer: bool) -> Result<Self, StoreError> {
        match config {
            EngineConfig::Sqlite { file } => sqlite::open(file, writer).map(Self::Sqlite),
            EngineConfig::Postgres { url, ca_file } => postgres::open(&url.0, ca_file.as_deref()).map(Self::Postgres),
        }
    }

    /// Which engine this is.
    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    /// Runs a statement and returns the number of rows it touched.
    pub(crate) fn execute(&mut self, sql: &Sql) -> Result<usize, StoreError> {
        self.execute_returning_count(sql).map_err(StoreError::from)
    }

    /// Runs several statements without binds; for migrations and transaction control.
    pub(crate) fn batch(&mut self, text: &str) -> Result<(), StoreError> {
        self.batch_execute(text).map_err(StoreError::from)
    }

    /// Runs a query whose columns have these types and hands each row to `each`.
    pub(crate) fn each(
        &mut self,
        sql: &Sql,
        types: &[ColumnType],
        mut each: impl FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let cursor = LoadConnection::<DefaultLoadingMode>::load(self, sql)?;
        for row in cursor {
            each(sql::read_row(&row?, types)?)?;
        }
        Ok(())
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
