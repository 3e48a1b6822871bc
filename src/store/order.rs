//! The order of a list and where its next page begins: sort columns, ties, and the rows after a cursor. Pages joined are
//! the full order, also where values are missing or equal. Never says which records are in reach.

use crate::engine::{Cell, Sql};
use crate::query::{not_filterable, unknown_field};
use crate::{Cursor, ListQuery, StoreError};
use kernel::{Code, Fault};
use metadata::{ColumnRole, ColumnType, FieldType};

/// One column of the order.
pub(crate) struct SortColumn {
    /// Position of its field.
    pub(crate) field: usize,
    pub(crate) column: String,
    column_type: ColumnType,
    pub(crate) descending: bool,
}

/// What a list is sorted by. When nothing is asked, the newest come first: by their time of creation, which has indexes that hold
/// the scope; by their ids, which tell it too, where the page is picked from what a search found.
pub(crate) fn sort_columns(query: &ListQuery, along_an_index: bool) -> Result<Vec<SortColumn>, StoreError> {
    let created = query.object.field_index("created_at").filter(|_| along_an_index && query.search.is_empty());
    let newest = created.filter(|_| query.sort.is_empty()).map(|field| (field, true));
    let mut keys = Vec::with_capacity(query.sort.len() + 1);
    for (position, descending) in query.sort.iter().chain(&newest) {
        let Some(field) = query.object.fields.get(*position) else { return Err(unknown_field()) };
        let columns = field.columns();
        let by = |role| columns.iter().find(|column| column.role == role);
        if matches!(field.field_type, FieldType::Address | FieldType::Json) {
            return Err(not_filterable(field, "its values have no order"));
        }
        let Some(column) = by(ColumnRole::SortKey).or_else(|| by(ColumnRole::Value)) else {
            return Err(not_filterable(field, "it is sealed and cannot be sorted by"));
        };
        keys.push(SortColumn {
            field: *position,
            column: column.name.clone(),
            column_type: column.column_type,
            descending: *descending,
        });
    }
    Ok(keys)
}

/// Whether the engine may walk an index in the list's order instead of sorting what it found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Walk {
    /// It decides.
    May,
    /// It sorts: the rows in reach are few.
    Never,
}

/// Nulls come first in ascending order on both engines; ids break ties, newest first when nothing else is asked.
pub(crate) fn push_order(sql: &mut Sql, keys: &[SortColumn], walk: Walk) {
    // A sign before the name: no index has that expression, so none can serve the order.
    let column = if walk == Walk::Never { "+t." } else { "t." };
    sql.push(" ORDER BY ");
    for key in keys {
        sql.push(column).ident(&key.column).push(if key.descending {
            " DESC NULLS LAST, "
        } else {
            " ASC NULLS FIRST, "
        });
    }
    // No id is missing, but only so does the order equal that of the indexes on both engines.
    let tie = if tie_descending(keys) { "\"id\" DESC NULLS LAST" } else { "\"id\" ASC NULLS FIRST" };
    sql.push(column).push(tie);
}

/// The tie-break runs in the direction of the last key, so that one index serves both.
fn tie_descending(keys: &[SortColumn]) -> bool {
    keys.last().is_none_or(|key| key.descending)
}

/// Rows after the cursor: for each prefix of equal keys, the next key beyond.
pub(crate) fn push_after(sql: &mut Sql, keys: &[SortColumn], after: &Cursor) -> Result<(), StoreError> {
    let values = after
        .values(keys.len())
        .filter(|values| keys.iter().zip(*values).all(|(key, value)| value.fits(key.column_type)));
    let values = values.ok_or_else(|| {
        StoreError::from(Fault::new(Code::CursorInvalid, "The cursor belongs to another list; begin again without it."))
    })?;
    sql.push(" AND (");
    for depth in 0..=keys.len() {
        if depth > 0 {
            sql.push(" OR ");
        }
        sql.push("(");
        for (key, value) in keys.iter().zip(values).take(depth) {
            sql.push("t.").ident(&key.column);
            if value.is_null() {
                sql.push(" IS NULL AND ")
            } else {
                sql.push(" = ").bind(value.clone()).push(" AND ")
            };
        }
        match keys.get(depth).zip(values.get(depth)) {
            Some((key, value)) => push_beyond(sql, key, value),
            None => {
                sql.push(if tie_descending(keys) { "t.\"id\" < " } else { "t.\"id\" > " }).bind(after.id());
            }
        }
        sql.push(")");
    }
    sql.push(")");
    // The plain bound on the first key lets the engine start inside its index; the rest only refines it.
    if let Some((key, value)) = keys.first().zip(values.first()) {
        match (key.descending, value.is_null()) {
            (false, false) => {
                sql.push(" AND t.").ident(&key.column).push(" >= ").bind(value.clone());
            }
            (true, false) => {
                sql.push(" AND (t.").ident(&key.column).push(" <= ").bind(value.clone());
                sql.push(" OR t.").ident(&key.column).push(" IS NULL)");
            }
            (_, true) => {}
        }
    }
    Ok(())
}

fn push_beyond(sql: &mut Sql, key: &SortColumn, value: &Cell) {
    // In brackets of its own: an `OR` beside the equal keys before it would let in rows of other keys.
    sql.push("(t.").ident(&key.column);
    match (key.descending, value.is_null()) {
        (false, true) => sql.push(" IS NOT NULL"),
        (false, false) => sql.push(" > ").bind(value.clone()),
        (true, false) => sql.push(" < ").bind(value.clone()).push(" OR t.").ident(&key.column).push(" IS NULL"),
        (true, true) => sql.push(" IS NULL AND 1 = 0"),
    };
    sql.push(")");
}
