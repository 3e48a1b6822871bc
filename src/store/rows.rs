//! Rows of record tables: how a field's value lies in its cells, and what comes back. A stored row shows nothing by itself: values leave it only through a read grant (see `read`).

use crate::StoreError;
use crate::engine::Cell;
use crate::selection::Selection;
use authz::Facts;
use kernel::{Currency, Date, Money, RecordId, Timestamp};
use metadata::{Address, Column, ColumnRole, FieldDef, FieldType, ObjectDef, REGION_PARTS, Sealing, Subject, Value};
use std::sync::Arc;

/// One row as it lies in the table. Values leave it only through a grant.
pub struct StoredRow {
    pub(crate) selection: Arc<Selection>,
    pub(crate) rid: i64,
    pub(crate) version: i64,
    pub(crate) deleted: bool,
    pub(crate) facts: Facts,
    pub(crate) cells: Vec<Cell>,
}

impl StoredRow {
    /// The definition it was read with.
    pub fn object(&self) -> &Arc<ObjectDef> {
        self.selection.object_def()
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
        self.cells.get(self.selection.span(field)?)
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
        let found = self.object().fields.get(field).zip(self.cells_of(field));
        found.is_some_and(|(definition, cells)| sealed_cell(definition, cells).is_some())
    }
    /// Whose keys seal the values.
    pub fn subject(&self) -> RecordId {
        let Subject::Field(name) = &self.object().subject else { return self.id() };
        let cell = self.object().field_index(name).and_then(|index| self.cells_of(index)?.first());
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
    for (part, cell) in REGION_PARTS.iter().zip(cells) {
        address.set_region(part, cell.text().map(str::to_owned));
    }
    if !is_sealed(field) {
        address.street = cells.get(REGION_PARTS.len()).and_then(Cell::text).map(str::to_owned);
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
pub(crate) fn plain_cells(columns: &[Column], value: &Value) -> Vec<Cell> {
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
    columns.iter().map(cell_of).collect()
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
