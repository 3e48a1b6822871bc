//! Which columns a query needs, for chosen fields of an object. Made once and kept: a list or an open asks for the same few
//! choices again and again. Never touches a value.

use crate::StoreError;
use crate::engine::{Cell, Row, Sql};
use crate::rows::StoredRow;
use authz::Facts;
use kernel::RecordId;
use metadata::{Column, ColumnType, ObjectDef, Subject};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Choices kept; past that all are made anew.
const KEPT_MAX: usize = 512;

/// Columns that every row brings: row number, id, version, owner, unit, team, time of deletion. Where the object has it, the mark
/// of private records follows.
const FIXED: [(&str, ColumnType); 7] = [
    ("rid", ColumnType::Integer),
    ("id", ColumnType::Binary),
    ("version", ColumnType::Integer),
    ("owner_id", ColumnType::Binary),
    ("unit_id", ColumnType::Binary),
    ("team_id", ColumnType::Binary),
    ("deleted_at", ColumnType::Integer),
];

/// Stands for the number of a row that still waits to be inserted; the engines begin with one.
pub(crate) const UNNUMBERED: i64 = 0;

/// The columns of chosen fields, with the place of each field's cells.
pub(crate) struct Selection {
    object: Arc<ObjectDef>,
    columns: Vec<Column>,
    /// By position of the field; empty for those that were not chosen.
    spans: Vec<Option<Range<usize>>>,
    types: Vec<ColumnType>,
    /// Cells before those of the fields.
    fixed: usize,
    /// `t."rid", t."id", …`
    list: Arc<str>,
}

impl Selection {
    /// Of fields by position, in ascending order.
    fn new(object: &Arc<ObjectDef>, wanted: &[usize]) -> Self {
        let mut columns = Vec::new();
        let mut spans = vec![None; object.fields.len()];
        for index in wanted {
            let (Some(field), Some(span)) = (object.fields.get(*index), spans.get_mut(*index)) else { continue };
            let start = columns.len();
            columns.extend(field.columns());
            *span = Some(start..columns.len());
        }
        let mark = object.private_column().map(|name| (name, ColumnType::Bool));
        let fixed: Vec<(&str, ColumnType)> = FIXED.into_iter().chain(mark).collect();
        let mut types: Vec<ColumnType> = fixed.iter().map(|(_, column_type)| *column_type).collect();
        types.extend(columns.iter().map(|column| column.column_type));
        let names = fixed.iter().map(|(name, _)| *name).chain(columns.iter().map(|column| column.name.as_str()));
        let list = names.map(|name| format!("t.\"{}\"", name.replace('"', "\"\""))).collect::<Vec<_>>().join(", ");
        let fixed = fixed.len();
        Self { object: Arc::clone(object), columns, spans, types, fixed, list: list.into() }
    }
    pub(crate) fn object_def(&self) -> &Arc<ObjectDef> {
        &self.object
    }
    pub(crate) fn object_name(&self) -> &str {
        &self.object.name
    }
    pub(crate) fn types(&self) -> &[ColumnType] {
        &self.types
    }
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }
    /// Cells without values, one for each column.
    pub(crate) fn empty_cells(&self) -> Vec<Cell> {
        self.columns.iter().map(|column| Cell::Null(column.column_type)).collect()
    }
    /// Where a field's cells stand, if it was chosen.
    pub(crate) fn span(&self, field: usize) -> Option<Range<usize>> {
        self.spans.get(field)?.clone()
    }
    /// The columns of a field, if it was chosen.
    pub(crate) fn columns_of(&self, field: usize) -> &[Column] {
        self.span(field).and_then(|span| self.columns.get(span)).unwrap_or_default()
    }
    /// Writes `t."a", t."b", …`.
    pub(crate) fn push_columns(&self, sql: &mut Sql) {
        sql.shared(&self.list);
    }
    /// The row that was just inserted, whose number need not be known yet, from its cells in the order of the columns, as reading it again would give it.
    pub(crate) fn inserted(
        self: &Arc<Self>,
        (rid, id): (Option<i64>, RecordId),
        cells: Vec<Cell>,
    ) -> Result<StoredRow, StoreError> {
        let place = |name: &str| {
            let at = self.object.field_index(name).and_then(|index| self.span(index));
            at.and_then(|span| cells.get(span.start).cloned()).unwrap_or(Cell::Null(ColumnType::Binary))
        };
        let mut row = vec![
            Cell::Int(rid.unwrap_or(UNNUMBERED)),
            Cell::from(id),
            Cell::Int(1),
            place("owner"),
            place("unit"),
            place("team"),
        ];
        row.push(Cell::Null(ColumnType::Integer));
        row.extend(self.object.private_column().map(&place));
        row.extend(cells);
        self.row(Row::of(row))
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
            private: self.fixed > FIXED.len() && row.get(FIXED.len()).bool().unwrap_or(false),
        };
        let (rid, version) = (row.int(0).ok_or_else(damaged)?, row.int(2).ok_or_else(damaged)?);
        let deleted = row.int(6).is_some();
        let mut cells = row.into_cells();
        let cells = cells.split_off(self.fixed);
        Ok(StoredRow { selection: Arc::clone(self), rid, version, deleted, facts, cells })
    }
}

/// The object's serial number (one per version of its definition) and the fields' positions.
type Choice = (u64, Vec<usize>);

/// The choices made so far.
#[derive(Default)]
pub(crate) struct Selections(Mutex<HashMap<Choice, Arc<Selection>>>);

impl Selections {
    /// Chooses fields by position. The field that names the data subject is always among them.
    pub(crate) fn of(&self, object: &Arc<ObjectDef>, fields: impl IntoIterator<Item = usize>) -> Arc<Selection> {
        let mut wanted: Vec<usize> = fields.into_iter().collect();
        if let Subject::Field(name) = &object.subject {
            wanted.extend(object.field_index(name));
        }
        wanted.sort_unstable();
        wanted.dedup();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (object.serial.0, wanted);
        if let Some(known) = kept.get(&key) {
            return Arc::clone(known);
        }
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        let made = Arc::new(Selection::new(object, &key.1));
        kept.insert(key, Arc::clone(&made));
        made
    }
    /// All fields.
    pub(crate) fn all(&self, object: &Arc<ObjectDef>) -> Arc<Selection> {
        self.of(object, 0..object.fields.len())
    }
}
