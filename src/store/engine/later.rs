//! Rows that a unit of work inserts a little later, on the server engine: there every statement is a round trip, so rows of
//! one table go together in one. They wait for the next statement of the connection at most, whatever it is, so nothing
//! that is asked ever misses them. Never used outside a unit of work, whose end sends what still waits.

use super::{Cell, Sql};
use metadata::{ColumnType, ObjectDef};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The column of search tokens on the server engine.
const TOKENS: &str = "search_tokens";
/// Rows of one statement, of each size a text: a rest goes in several.
const SIZES: [usize; 4] = [64, 16, 4, 1];
/// So many rows of one table do not wait any longer: they would only fill memory.
const ROWS_WAITING_MAX: usize = 64;
/// Tables with so few rows each go into one statement together.
const ROWS_TOGETHER_MAX: usize = 4;

/// A row to insert.
pub(crate) struct Insert<'a> {
    /// The table.
    pub(crate) table: &'a str,
    /// Its definition, if it is a record's: it names the field of a unique index.
    pub(crate) object: Option<&'a Arc<ObjectDef>>,
    /// Columns with a value.
    pub(crate) columns: &'a [&'a str],
    /// Their values.
    pub(crate) cells: Vec<Cell>,
    /// Search tokens with spaces between.
    pub(crate) tokens: Option<String>,
    /// What follows the values: what to do when the row is there already. One and the same for all rows of a table.
    pub(crate) otherwise: &'static str,
}

impl Insert<'_> {
    /// The statement for this one row, its tokens left out.
    pub(crate) fn into_single(self) -> Sql {
        let mut sql = Sql::new("INSERT INTO ");
        sql.ident(self.table).push(" (").idents(self.columns.iter().copied()).push(") VALUES (");
        sql.binds(self.cells).push(")").push(self.otherwise).varied();
        sql
    }

    /// A row that is no record and has no tokens.
    pub(crate) fn system<'a>(table: &'a str, columns: &'a [&'a str], cells: Vec<Cell>) -> Insert<'a> {
        Insert { table, object: None, columns, cells, tokens: None, otherwise: "" }
    }
}

/// The waiting rows of one table, as many as one statement takes.
pub(crate) struct Batch {
    table: String,
    /// The definition, if the rows are records.
    pub(crate) object: Option<Arc<ObjectDef>>,
    columns: BTreeMap<String, ColumnType>,
    rows: Vec<BTreeMap<String, Cell>>,
    otherwise: &'static str,
}

/// What waits.
#[derive(Default)]
pub(crate) struct Later {
    open: bool,
    batches: Vec<Batch>,
    /// Where the savepoint of the group's next unit stands.
    pub(crate) savepoint: Savepoint,
}

/// The savepoint of units, as far as the server has been told.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Savepoint {
    /// None is set.
    #[default]
    None,
    /// The group began with one, and no unit has used it yet.
    Fresh,
    /// The last unit is done with its own, which the next one replaces. The end of the group needs no word of it.
    Done,
}

impl Later {
    /// Whether rows may wait now.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Lets rows wait from now on, or no longer.
    pub(crate) fn open(&mut self, open: bool) {
        self.open = open;
    }

    /// Takes a row; hands back a batch that is full.
    pub(crate) fn push(&mut self, insert: Insert<'_>) -> Option<Batch> {
        let found = self.batches.iter().position(|batch| batch.table == insert.table);
        let at = found.unwrap_or(self.batches.len());
        if found.is_none() {
            let (table, object) = (insert.table.to_owned(), insert.object.cloned());
            let (columns, rows, otherwise) = (BTreeMap::new(), Vec::new(), insert.otherwise);
            self.batches.push(Batch { table, object, columns, rows, otherwise });
        }
        let batch = self.batches.get_mut(at)?;
        let tokens = insert.tokens.map(|tokens| (TOKENS, Cell::Text(tokens)));
        let cells = insert.columns.iter().copied().zip(insert.cells).chain(tokens);
        let mut row = BTreeMap::new();
        for (column, cell) in cells {
            if !batch.columns.contains_key(column) {
                batch.columns.insert(column.to_owned(), cell.column_type());
            }
            row.insert(column.to_owned(), cell);
        }
        batch.rows.push(row);
        (batch.rows.len() >= ROWS_WAITING_MAX).then(|| self.batches.remove(at))
    }

    /// Hands over all that waits.
    pub(crate) fn take(&mut self) -> Vec<Batch> {
        std::mem::take(&mut self.batches)
    }
}

/// The statements for these batches, in order. Each of them with the definitions whose rows it holds.
pub(crate) fn statements(batches: Vec<Batch>) -> Vec<(Sql, Vec<Arc<ObjectDef>>)> {
    let together = batches.len() > 1 && batches.iter().all(|batch| batch.rows.len() <= ROWS_TOGETHER_MAX);
    if together {
        return vec![joined(batches)];
    }
    let mut made = Vec::new();
    for Batch { object, table, columns, rows, otherwise } in batches {
        let mut rows = rows.into_iter();
        for size in SIZES {
            while rows.len() >= size {
                let mut sql = Sql::default();
                push_insert(&mut sql, (&table, otherwise), &columns, rows.by_ref().take(size));
                made.push((sql, object.iter().cloned().collect()));
            }
        }
    }
    made
}

/// One statement for a few rows of several tables: all but the last stand before it by name.
fn joined(batches: Vec<Batch>) -> (Sql, Vec<Arc<ObjectDef>>) {
    let mut sql = Sql::default();
    let mut objects = Vec::new();
    let last = batches.len().saturating_sub(1);
    for (at, batch) in batches.into_iter().enumerate() {
        if at < last {
            sql.push(if at == 0 { "WITH \"w" } else { ", \"w" }).number(at).push("\" AS (");
        }
        push_insert(&mut sql, (&batch.table, batch.otherwise), &batch.columns, batch.rows.into_iter());
        if at < last {
            sql.push(if at + 1 == last { ") " } else { ")" });
        }
        objects.extend(batch.object);
    }
    (sql, objects)
}

fn push_insert(
    sql: &mut Sql,
    (table, otherwise): (&str, &'static str),
    columns: &BTreeMap<String, ColumnType>,
    rows: impl Iterator<Item = BTreeMap<String, Cell>>,
) {
    sql.push("INSERT INTO ").ident(table).push(" (").idents(columns.keys().map(String::as_str)).push(") VALUES ");
    for (at, mut row) in rows.enumerate() {
        sql.push(if at == 0 { "(" } else { ", (" });
        for (place, (column, column_type)) in columns.iter().enumerate() {
            let cell = row.remove(column).unwrap_or(Cell::Null(*column_type));
            sql.push(if place == 0 { "" } else { ", " });
            if column == TOKENS {
                sql.push("array_to_tsvector(string_to_array(").bind(cell).push(", ' '))");
            } else {
                sql.bind(cell);
            }
        }
        sql.push(")");
    }
    sql.push(otherwise).varied();
}
