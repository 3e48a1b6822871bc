//! Rows of record tables: which columns a query needs, how a field's value lies in them, and what comes back.
//! A stored row shows nothing by itself: values leave it only through a read grant (see `read`).

use crate::StoreError;
use crate::engine::{Cell, Row, Sql};
use authz::Facts;
use kernel::{Currency, Date, Money, RecordId, Timestamp};
use metadata::{Address, Column, ColumnRole, ColumnType, FieldDef, FieldType, ObjectDef, Sealing, Subject, Value};
use std::ops::Range;
use std::sync::Arc;

/// Columns that every row brings: row number, id, version, owner, unit, team, time of deletion.
const FIXED: [(&str, ColumnType); 7] = [
    ("rid", ColumnType::Integer),
    ("id", ColumnType::Binary),
    ("version", ColumnType::Integer),
    ("owner_id", ColumnType::Binary),
    ("unit_id", ColumnType::Binary),
    ("team_id", ColumnType::Binary),
    ("deleted_at", ColumnType::Integer),
];

/// The columns of chosen fields, with the place of each field's cells.
pub(crate) struct Selection {
    object: Arc<ObjectDef>,
    columns: Vec<Column>,
    spans: Vec<(usize, Range<usize>)>,
    types: Vec<ColumnType>,
}

impl Selection {
    /// Chooses fields by position. The field that names the data subject is always among them.
    pub(crate) fn new(object: &Arc<ObjectDef>, fields: impl IntoIterator<Item = usize>) -> Self {
        let mut wanted: Vec<usize> = fields.into_iter().collect();
        if let Subject::Field(name) = &object.subject {
            wanted.extend(object.field_index(name));
        }
        wanted.sort_unstable();
        wanted.dedup();
        let mut columns = Vec::new();
        let mut spans = Vec::with_capacity(wanted.len());
        for index in wanted {
            let Some(field) = object.fields.get(index) else { continue };
            let start = columns.len();
            columns.extend(field.columns());
            spans.push((index, start..columns.len()));
        }
        let mut types: Vec<ColumnType> = FIXED.iter().map(|(_, column_type)| *column_type).collect();
        types.extend(columns.iter().map(|column| column.column_type));
        Self { object: Arc::clone(object), columns, spans, types }
    }
    /// All fields.
    pub(crate) fn all(object: &Arc<ObjectDef>) -> Self {
        Self::new(object, 0..object.fields.len())
    }
    pub(crate) fn object_def(&self) -> &Arc<ObjectDef> {
        &self.object
    }
    pub(crate) fn types(&self) -> &[ColumnType] {
        &self.types
    }
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }
    /// Writes `t."a", t."b", …`.
    pub(crate) fn push_columns(&self, sql: &mut Sql) {
        let names = FIXED.iter().map(|(name, _)| *name).chain(self.columns.iter().map(|column| column.name.as_str()));
        for (at, name) in names.enumerate() {
            sql.push(if at == 0 { "t." } else { ", t." }).ident(name);
        }
    }
    /// Turns an answer into a stored row.
    pub(crate) fn row(self: &Arc<Self>, row: Row) -> Result<StoredRow, StoreError> {
        let damaged = || StoreError::damaged(format!("a row of {} has no id or version", self.object.name));
        let facts = Facts {
            object: self.object.name.clone(),
            record: row.id(1).ok_or_else(damaged)?,
            owner: row.id(3),
            unit: row.id(4),
            team: row.id(5),
        };
        let (rid, version) = (row.int(0).ok_or_else(damaged)?, row.int(2).ok_or_else(damaged)?);
        let deleted = row.int(6).is_some();
        let mut cells = row.into_cells();
        let cells = cells.split_off(FIXED.len());
        Ok(StoredRow { selection: Arc::clone(self), rid, version, deleted, facts, cells })
    }
}

/// One row as it lies in the table. Values leave it only through a grant.
pub struct StoredRow {
    selection: Arc<Selection>,
    pub(crate) rid: i64,
    version: i64,
    deleted: bool,
    facts: Facts,
    cells: Vec<Cell>,
}

impl StoredRow {
    /// The definition it was read with.
    pub fn object(&self) -> &Arc<ObjectDef> {
        &self.selection.object
    }
    /// The record.
    pub fn id(&self) -> RecordId {
        self.facts.record
    }
    /// Its version: one more with each change.
    pub fn version(&self) -> i64 {
        self.version
    }
    /// Whether it lies in the recycle bin.
    pub fn deleted(&self) -> bool {
        self.deleted
    }
    /// What decides who reaches it.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
    /// The cells of a field, if it was selected.
    pub(crate) fn cells_of(&self, field: usize) -> Option<&[Cell]> {
        let (_, span) = self.selection.spans.iter().find(|(index, _)| *index == field)?;
        self.cells.get(span.clone())
    }
    /// Cells and columns side by side.
    pub(crate) fn named_cells(&self) -> impl Iterator<Item = (&str, &Cell)> {
        self.selection.columns().iter().map(|column| column.name.as_str()).zip(&self.cells)
    }
    /// Whether the field has a value. Not a disclosure of it, but of its existence.
    pub(crate) fn has_value(&self, field: usize) -> bool {
        self.cells_of(field).is_some_and(|cells| cells.iter().any(|cell| !cell.is_null()))
    }
    /// Whether the sealed part of a field has a value.
    pub(crate) fn has_sealed(&self, field: usize) -> bool {
        let found = self.selection.object.fields.get(field).zip(self.cells_of(field));
        found.is_some_and(|(definition, cells)| sealed_cell(definition, cells).is_some())
    }
    /// Whose keys seal the values.
    pub(crate) fn subject(&self) -> RecordId {
        let Subject::Field(name) = &self.selection.object.subject else { return self.id() };
        let cell = self.selection.object.field_index(name).and_then(|index| self.cells_of(index)?.first());
        cell.and_then(Cell::bin).and_then(RecordId::from_slice).unwrap_or_else(|| self.id())
    }
}

/// The plain part of a field's value: the whole of it for plain fields, the region of an address with a sealed street,
/// `Null` for sealed ones.
///
/// It relies on the order of a field's columns (main one first, of an address the street last) instead of building their
/// list: this runs for every field of every row.
pub(crate) fn plain_value(field: &FieldDef, cells: &[Cell]) -> Result<Value, StoreError> {
    if field.field_type == FieldType::Address {
        return Ok(plain_address(field, cells));
    }
    if is_sealed(field) {
        return Ok(Value::Null);
    }
    let (main, second) = (cells.first(), cells.get(1).and_then(Cell::text));
    match main {
        Some(cell) if !cell.is_null() => from_cell(field, cell, second),
        _ => Ok(Value::Null),
    }
}

/// The region of an address, and its street where that lies plain.
fn plain_address(field: &FieldDef, cells: &[Cell]) -> Value {
    let mut address = Address::default();
    for (column, cell) in field.columns().iter().zip(cells) {
        match column.role {
            ColumnRole::Region(part) => address.set_region(part, cell.text().map(str::to_owned)),
            ColumnRole::Value => address.street = cell.text().map(str::to_owned),
            _ => {}
        }
    }
    if address.is_empty() { Value::Null } else { Value::Address(Box::new(address)) }
}

fn from_cell(field: &FieldDef, cell: &Cell, second: Option<&str>) -> Result<Value, StoreError> {
    let damaged = || StoreError::damaged(format!("field {} holds a value of another type", field.name));
    let text = || cell.text().ok_or_else(damaged);
    let int = || cell.int().ok_or_else(damaged);
    Ok(match &field.field_type {
        FieldType::Integer { .. } => Value::Integer(int()?),
        FieldType::Decimal { .. } => Value::Decimal(int()?),
        FieldType::Timestamp => Value::Timestamp(Timestamp::from_micros(int()?)),
        FieldType::Bool => Value::Bool(cell.bool().ok_or_else(damaged)?),
        FieldType::Money => {
            let currency: Currency = second.and_then(|code| code.parse().ok()).ok_or_else(damaged)?;
            Value::Money(Money { minor: int()?, currency })
        }
        FieldType::Reference { targets, .. } => Value::Reference {
            object: second.or(targets.first().map(String::as_str)).unwrap_or_default().to_owned(),
            id: cell.bin().and_then(RecordId::from_slice).ok_or_else(damaged)?,
        },
        FieldType::File => Value::File(cell.bin().and_then(RecordId::from_slice).ok_or_else(damaged)?),
        other => Value::from_text(text()?, other).map_err(|_| damaged())?,
    })
}

/// The cell a plain value is compared by: the same as its main column holds.
pub(crate) fn compare_cell(value: &Value) -> Option<Cell> {
    Some(match value {
        Value::Null | Value::Address(_) | Value::Json(_) => return None,
        Value::Text(text) | Value::Enum(text) => Cell::Text(text.clone()),
        Value::Integer(number) | Value::Decimal(number) => Cell::Int(*number),
        Value::Money(money) => Cell::Int(money.minor),
        Value::Date(date) => Cell::Text(date_text(*date)),
        Value::Timestamp(at) => Cell::Int(at.micros()),
        Value::Bool(flag) => Cell::Bool(*flag),
        Value::MultiEnum(codes) => Cell::Text(set_text(codes)),
        Value::Reference { id, .. } | Value::File(id) => Cell::from(*id),
    })
}

pub(crate) fn date_text(date: Date) -> String {
    date.format("%Y-%m-%d").to_string()
}

/// A set of codes as one text that `LIKE '%|code|%'` can test.
fn set_text(codes: &[String]) -> String {
    format!("|{}|", codes.join("|"))
}

/// The cells of a plain field, in the order of its columns.
pub(crate) fn plain_cells(field: &FieldDef, value: &Value) -> Vec<Cell> {
    let cell_of = |column: &Column| {
        let cell = match (&column.role, value) {
            (ColumnRole::Region(part), Value::Address(address)) => address.region(part).map(Cell::from),
            (ColumnRole::Value, Value::Address(address)) => address.street.as_deref().map(Cell::from),
            (ColumnRole::Value, Value::Json(json)) => Some(Cell::Text(json.to_string())),
            (ColumnRole::Value, value) => compare_cell(value),
            (ColumnRole::Currency, Value::Money(money)) => Some(Cell::from(money.currency.as_str())),
            (ColumnRole::TargetObject, Value::Reference { object, .. }) => Some(Cell::from(object.as_str())),
            (ColumnRole::SortKey, Value::Text(text)) => Some(Cell::Text(metadata::sort_key(text))),
            _ => None,
        };
        cell.unwrap_or(Cell::Null(column.column_type))
    };
    field.columns().iter().map(cell_of).collect()
}

/// The text of a value that is sealed: all of it, or of an address the street.
pub(crate) fn sealed_text(field: &FieldDef, value: &Value) -> Option<String> {
    match value {
        Value::Address(address) => address.street.clone(),
        other => other.to_text(&field.field_type),
    }
}

/// The ciphertext among a field's cells, if there is one.
pub(crate) fn sealed_cell<'c>(field: &FieldDef, cells: &'c [Cell]) -> Option<&'c [u8]> {
    if !is_sealed(field) {
        return None;
    }
    let cell = if field.field_type == FieldType::Address { cells.last() } else { cells.first() };
    cell?.bin()
}

/// Whether a field's value lies sealed, whole or in part.
pub(crate) fn is_sealed(field: &FieldDef) -> bool {
    field.sealing != Sealing::Plain
}
