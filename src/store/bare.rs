//! The bare engine, for `make bench` only (feature `bench`): runs given SQL on a plain connection, opened as the store
//! opens its own, so that a measurement has the engine's own speed beside it. No permission, no sealing, no log: it must
//! never be reached by the product, and no release is built with it.

use crate::engine::{Access, Conn, Sql};
use crate::{EngineConfig, StoreError};
use diesel::connection::{Connection, DefaultLoadingMode, LoadConnection};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::row::{Field, Row as DieselRow};
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text, Untyped};
use diesel::sqlite::Sqlite;
use metadata::ColumnType;

/// A value of a column.
#[derive(Clone)]
pub enum Value {
    /// None, of this type.
    Null(ColumnType),
    /// Text.
    Text(String),
    /// Integer.
    Integer(i64),
    /// Bytes.
    Binary(Vec<u8>),
    /// Truth.
    Bool(bool),
}

impl From<crate::engine::Cell> for Value {
    fn from(cell: crate::engine::Cell) -> Self {
        use crate::engine::Cell;
        match cell {
            Cell::Null(column_type) => Self::Null(column_type),
            Cell::Text(text) => Self::Text(text),
            Cell::Int(number) => Self::Integer(number),
            Cell::Bin(bytes) => Self::Binary(bytes),
            Cell::Bool(flag) => Self::Bool(flag),
        }
    }
}

/// A statement whose `?` stand for values; kept prepared by the connection.
pub struct Statement(Vec<String>);

impl Statement {
    /// Cuts the text at its `?`.
    pub fn new(text: &str) -> Self {
        Self(text.split('?').map(str::to_owned).collect())
    }
}

/// A statement with its values.
struct Bound<'s>(&'s Statement, &'s [Value]);

impl QueryId for Bound<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Query for Bound<'_> {
    type SqlType = Untyped;
}

macro_rules! on_backend {
    ($backend:ty) => {
        impl QueryFragment<$backend> for Bound<'_> {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, $backend>) -> QueryResult<()> {
                let mut values = self.1.iter();
                for (at, piece) in self.0.0.iter().enumerate() {
                    if at > 0 {
                        match values.next() {
                            Some(Value::Text(text)) => out.push_bind_param::<Text, _>(text)?,
                            Some(Value::Integer(number)) => out.push_bind_param::<BigInt, _>(number)?,
                            Some(Value::Binary(bytes)) => out.push_bind_param::<Binary, _>(bytes)?,
                            Some(Value::Bool(flag)) => out.push_bind_param::<Bool, _>(flag)?,
                            Some(Value::Null(ColumnType::Integer)) => {
                                out.push_bind_param::<Nullable<BigInt>, _>(&None::<i64>)?
                            }
                            Some(Value::Null(ColumnType::Binary)) => {
                                out.push_bind_param::<Nullable<Binary>, _>(&None::<Vec<u8>>)?
                            }
                            Some(Value::Null(ColumnType::Bool)) => {
                                out.push_bind_param::<Nullable<Bool>, _>(&None::<bool>)?
                            }
                            Some(Value::Null(ColumnType::Text)) | None => {
                                out.push_bind_param::<Nullable<Text>, _>(&None::<String>)?
                            }
                        }
                    }
                    out.push_sql(piece);
                }
                Ok(())
            }
        }
    };
}
on_backend!(Sqlite);
on_backend!(Pg);

/// Steps through an answer and looks at each column, copying none.
fn stepped<'b, C, B>(conn: &'b mut C, bound: Bound<'b>) -> QueryResult<usize>
where
    C: Connection<Backend = B> + LoadConnection<DefaultLoadingMode>,
    B: diesel::backend::Backend + diesel::expression::QueryMetadata<Untyped>,
    Bound<'b>: QueryFragment<B>,
{
    let mut rows = 0;
    for row in conn.load(bound)? {
        let row = row?;
        let filled =
            (0..row.field_count()).filter(|at| DieselRow::get(&row, *at).is_some_and(|field| field.value().is_some()));
        std::hint::black_box(filled.count());
        rows += 1;
    }
    Ok(rows)
}

/// A plain connection.
pub struct Bare(Conn);

impl Bare {
    /// Opens it with the settings of the store's writer.
    pub fn open(config: &EngineConfig) -> Result<Self, StoreError> {
        Conn::open(config, Access::Write).map(Self)
    }
    /// Opens it with the settings of the store's readers.
    pub fn open_reader(config: &EngineConfig) -> Result<Self, StoreError> {
        Conn::open(config, Access::Read).map(Self)
    }
    /// Runs statements without values.
    pub fn batch(&mut self, text: &str) -> Result<(), StoreError> {
        self.0.batch(text)
    }
    /// Runs a statement and says how many rows it touched.
    pub fn execute(&mut self, statement: &Statement, values: &[Value]) -> Result<usize, StoreError> {
        let bound = Bound(statement, values);
        Ok(match &mut self.0 {
            Conn::Sqlite(conn) => conn.execute_returning_count(&bound)?,
            Conn::Postgres(conn) => conn.execute_returning_count(&bound)?,
        })
    }
    /// Runs a query and says how many rows it gave.
    pub fn count(&mut self, statement: &Statement, values: &[Value]) -> Result<usize, StoreError> {
        let bound = Bound(statement, values);
        Ok(match &mut self.0 {
            Conn::Sqlite(conn) => stepped(conn, bound)?,
            Conn::Postgres(conn) => stepped(conn, bound)?,
        })
    }
    /// Runs a query and returns its rows, whose columns have these types.
    pub fn rows(
        &mut self,
        text: &'static str,
        values: Vec<Value>,
        types: &[ColumnType],
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        let mut sql = Sql::default();
        let mut values = values.into_iter();
        for (at, piece) in text.split('?').enumerate() {
            if let Some(value) = (at > 0).then(|| values.next()).flatten() {
                sql.bind(cell(value));
            }
            sql.push(piece);
        }
        let rows = self.0.rows(&sql, types)?;
        Ok(rows.into_iter().map(|row| row.into_cells().into_iter().map(Value::from).collect()).collect())
    }
}

fn cell(value: Value) -> crate::engine::Cell {
    use crate::engine::Cell;
    match value {
        Value::Null(column_type) => Cell::Null(column_type),
        Value::Text(text) => Cell::Text(text),
        Value::Integer(number) => Cell::Int(number),
        Value::Binary(bytes) => Cell::Bin(bytes),
        Value::Bool(flag) => Cell::Bool(flag),
    }
}
