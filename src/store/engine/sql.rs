//! A query text with its values beside it, built at run time from definitions. Values are always bound, never pasted;
//! names are always quoted.

use super::Db;
use crate::StoreError;
use diesel::deserialize::FromSql;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::row::{Field, Row as DieselRow};
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text, Untyped};
use metadata::ColumnType;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// A value of a column, plain or sealed; never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// No value, of this type.
    Null(ColumnType),
    /// Text.
    Text(String),
    /// Integer.
    Int(i64),
    /// Bytes.
    Bin(Vec<u8>),
    /// Truth.
    Bool(bool),
}

impl Cell {
    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
    pub(crate) fn int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }
    pub(crate) fn bin(&self) -> Option<&[u8]> {
        if let Self::Bin(bytes) = self { Some(bytes) } else { None }
    }
    pub(crate) fn bool(&self) -> Option<bool> {
        if let Self::Bool(flag) = self { Some(*flag) } else { None }
    }
    /// Whether a column of this type can hold it.
    pub(crate) fn fits(&self, column_type: ColumnType) -> bool {
        match self {
            Self::Null(_) => true,
            // The server engine has no NUL in texts.
            Self::Text(text) => column_type == ColumnType::Text && !text.contains('\0'),
            Self::Int(_) => column_type == ColumnType::Integer,
            Self::Bin(_) => column_type == ColumnType::Binary,
            Self::Bool(_) => column_type == ColumnType::Bool,
        }
    }
    /// The type of column that it is a value of.
    pub(crate) fn column_type(&self) -> ColumnType {
        match self {
            Self::Null(column_type) => *column_type,
            Self::Text(_) => ColumnType::Text,
            Self::Int(_) => ColumnType::Integer,
            Self::Bin(_) => ColumnType::Binary,
            Self::Bool(_) => ColumnType::Bool,
        }
    }
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null(_))
    }
    /// An id, or no value.
    pub(crate) fn id<K>(id: Option<kernel::Id<K>>) -> Self {
        id.map_or(Self::Null(ColumnType::Binary), |id| Self::Bin(id.as_bytes().to_vec()))
    }
    /// A text, or no value.
    pub(crate) fn opt_text(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Null(ColumnType::Text), |text| Self::Text(text.into()))
    }
    /// An integer, or no value.
    pub(crate) fn opt_int(number: Option<i64>) -> Self {
        number.map_or(Self::Null(ColumnType::Integer), Self::Int)
    }
}

impl<K> From<kernel::Id<K>> for Cell {
    fn from(id: kernel::Id<K>) -> Self {
        Self::Bin(id.as_bytes().to_vec())
    }
}
impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}
impl From<&[u8]> for Cell {
    fn from(bytes: &[u8]) -> Self {
        Self::Bin(bytes.to_vec())
    }
}
impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

/// One row of an answer.
pub(crate) struct Row(Vec<Cell>);

impl Row {
    /// A row as a query would have brought it.
    pub(crate) fn of(cells: Vec<Cell>) -> Self {
        Self(cells)
    }
    /// The cell at a position; the caller knows its own column list.
    pub(crate) fn get(&self, index: usize) -> &Cell {
        const MISSING: &Cell = &Cell::Null(ColumnType::Text);
        self.0.get(index).unwrap_or(MISSING)
    }
    pub(crate) fn text(&self, index: usize) -> Option<String> {
        self.get(index).text().map(str::to_owned)
    }
    pub(crate) fn int(&self, index: usize) -> Option<i64> {
        self.get(index).int()
    }
    pub(crate) fn id<K>(&self, index: usize) -> Option<kernel::Id<K>> {
        self.get(index).bin().and_then(kernel::Id::from_slice)
    }
    pub(crate) fn into_cells(self) -> Vec<Cell> {
        self.0
    }
}

enum Part {
    Raw(&'static str),
    Shared(Arc<str>),
    Number(u64),
    Ident(String),
    Bind(Cell),
}

/// A statement under construction.
#[derive(Default)]
pub(crate) struct Sql {
    parts: Vec<Part>,
    varied: bool,
}

impl Sql {
    /// Begins with a text.
    pub(crate) fn new(text: &'static str) -> Self {
        let mut sql = Self::default();
        sql.push(text);
        sql
    }
    /// Adds fixed text.
    pub(crate) fn push(&mut self, text: &'static str) -> &mut Self {
        self.parts.push(Part::Raw(text));
        self
    }
    /// Adds text that was made once from quoted names: a list of columns. A caller chooses them, so the texts are many.
    pub(crate) fn shared(&mut self, text: &Arc<str>) -> &mut Self {
        self.varied = true;
        self.parts.push(Part::Shared(Arc::clone(text)));
        self
    }
    /// Adds a number as part of the text. For limits: SQLite plans a statement anew whenever a bound one changes.
    pub(crate) fn number(&mut self, number: usize) -> &mut Self {
        self.parts.push(Part::Number(u64::try_from(number).unwrap_or(u64::MAX)));
        self
    }
    /// Adds a quoted name.
    pub(crate) fn ident(&mut self, name: &str) -> &mut Self {
        self.parts.push(Part::Ident(name.to_owned()));
        self
    }
    /// Adds a bound value.
    pub(crate) fn bind(&mut self, value: impl Into<Cell>) -> &mut Self {
        self.parts.push(Part::Bind(value.into()));
        self
    }
    /// Adds quoted names with commas between.
    pub(crate) fn idents<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) -> &mut Self {
        for (at, name) in names.into_iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            self.ident(name);
        }
        self
    }
    /// Adds bound values with commas between.
    pub(crate) fn binds(&mut self, values: impl IntoIterator<Item = Cell>) -> &mut Self {
        for (at, value) in values.into_iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            self.parts.push(Part::Bind(value));
        }
        self
    }
    /// Adds everything of another statement.
    pub(crate) fn append(&mut self, other: Self) -> &mut Self {
        self.varied |= other.varied;
        self.parts.extend(other.parts);
        self
    }
    /// Marks the text as one of many: it stays prepared among a bounded number of its like.
    pub(crate) fn varied(&mut self) -> &mut Self {
        self.varied = true;
        self
    }
    /// A hash of the text, if it is one of many.
    pub(crate) fn variety(&self) -> Option<u64> {
        if !self.varied {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        for part in &self.parts {
            match part {
                Part::Raw(text) => text.hash(&mut hasher),
                Part::Shared(text) => text.hash(&mut hasher),
                Part::Number(number) => number.hash(&mut hasher),
                Part::Ident(name) => name.hash(&mut hasher),
                Part::Bind(_) => 0u8.hash(&mut hasher),
            }
        }
        Some(hasher.finish())
    }
}

impl QueryId for Sql {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Query for Sql {
    type SqlType = Untyped;
}

impl QueryFragment<Db> for Sql {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        for part in &self.parts {
            match part {
                Part::Raw(text) => out.push_sql(text),
                Part::Shared(text) => out.push_sql(text),
                Part::Number(number) => out.push_sql(&number.to_string()),
                Part::Ident(name) => out.push_identifier(name)?,
                Part::Bind(cell) => match cell {
                    Cell::Text(text) => out.push_bind_param::<Text, _>(text)?,
                    Cell::Int(number) => out.push_bind_param::<BigInt, _>(number)?,
                    Cell::Bin(bytes) => out.push_bind_param::<Binary, _>(bytes)?,
                    Cell::Bool(flag) => out.push_bind_param::<Bool, _>(flag)?,
                    Cell::Null(ColumnType::Text) => out.push_bind_param::<Nullable<Text>, _>(&None::<String>)?,
                    Cell::Null(ColumnType::Integer) => out.push_bind_param::<Nullable<BigInt>, _>(&None::<i64>)?,
                    Cell::Null(ColumnType::Binary) => out.push_bind_param::<Nullable<Binary>, _>(&None::<Vec<u8>>)?,
                    Cell::Null(ColumnType::Bool) => out.push_bind_param::<Nullable<Bool>, _>(&None::<bool>)?,
                },
            }
        }
        Ok(())
    }
}

/// Reads a row whose columns have these types.
pub(super) fn read_row<'r>(row: &impl DieselRow<'r, Db>, types: &[ColumnType]) -> Result<Row, StoreError> {
    let mut cells = Vec::with_capacity(types.len());
    for (index, column_type) in types.iter().enumerate() {
        let field =
            DieselRow::get(row, index).ok_or_else(|| StoreError::damaged("a query returned too few columns"))?;
        let wrong = |error| StoreError::from(diesel::result::Error::DeserializationError(error));
        cells.push(match (field.value(), column_type) {
            (None, column_type) => Cell::Null(*column_type),
            (Some(raw), ColumnType::Text) => Cell::Text(FromSql::<Text, Db>::from_sql(raw).map_err(wrong)?),
            (Some(raw), ColumnType::Integer) => Cell::Int(FromSql::<BigInt, Db>::from_sql(raw).map_err(wrong)?),
            (Some(raw), ColumnType::Binary) => Cell::Bin(FromSql::<Binary, Db>::from_sql(raw).map_err(wrong)?),
            (Some(raw), ColumnType::Bool) => Cell::Bool(FromSql::<Bool, Db>::from_sql(raw).map_err(wrong)?),
        });
    }
    Ok(Row(cells))
}
