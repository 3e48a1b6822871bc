//! Full text: tokens of searchable plain fields in the engine's own index, each tagged with its field, so that a field one
//! may not read cannot be searched. The tokens are ours and the same on both engines.

use crate::engine::dialect::{self, Indexing, SearchStep};
use crate::engine::{Cell, Sql};
use crate::read::push_predicate;
use crate::rows::StoredRow;
use crate::{ReadTx, StoreError, WriteTx};
use authz::Scope;
use metadata::{Checked, ColumnRole, ColumnType, FieldDef, ObjectDef, encode_token, index_tokens};
use std::sync::Arc;

/// Rows that a rebuild of the index reads at a time.
const REBUILD_ROWS: usize = 1_000;

/// A search in one object.
pub struct SearchQuery {
    /// The object.
    pub object: Arc<ObjectDef>,
    /// Encoded tokens: every group must match, one of its tokens suffices; `true` marks a prefix.
    pub groups: Vec<Vec<(String, bool)>>,
    /// Fields to load.
    pub fields: Vec<usize>,
    /// Most hits.
    pub limit: usize,
}

fn searchable(object: &ObjectDef) -> impl Iterator<Item = (usize, &FieldDef)> {
    object.fields.iter().enumerate().filter(|(_, field)| field.searchable && !field.is_sealed() && !field.retired)
}

/// Whether the object has a search index at all: one whose fields are all retired still has it.
pub(crate) fn has_index(object: &ObjectDef) -> bool {
    object.fields.iter().any(|field| field.searchable)
}

fn tokens_of<'v>(values: impl Iterator<Item = (&'v str, &'v str)>) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    for (tag, text) in values {
        tokens.extend(index_tokens(text).iter().map(|token| encode_token(tag, token)));
    }
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

fn indexing(object: &ObjectDef, rid: i64, tokens: &[String]) -> Indexing {
    Indexing { tokens: tokens.join(" "), fresh: false, ..dialect::fresh(object, rid, String::new()) }
}

/// The tokens of a record that is being made, with spaces between; none where it has nothing to find.
pub(crate) fn fresh_tokens(object: &ObjectDef, values: &Checked) -> Option<String> {
    let texts = searchable(object).filter_map(|(index, field)| {
        let text = values.get(index)?.to_text(&field.field_type)?;
        Some((field.name.as_str(), text))
    });
    let texts: Vec<(&str, String)> = texts.collect();
    let tokens = tokens_of(texts.iter().map(|(tag, text)| (*tag, text.as_str())));
    (!tokens.is_empty()).then(|| tokens.join(" "))
}

/// The tokens of a row as it lies in its table, of whose columns `cell` knows the values.
pub(crate) fn tokens_at_rest(
    object: &ObjectDef,
    cell: impl Fn(&str) -> Option<Cell>,
) -> Result<Option<String>, StoreError> {
    let mut texts: Vec<(&str, String)> = Vec::new();
    for (_, field) in searchable(object) {
        let cells: Vec<Cell> = field.columns().iter().filter_map(|column| cell(&column.name)).collect();
        if let Some(text) = crate::rows::plain_value(field, &cells)?.to_text(&field.field_type) {
            texts.push((&field.name, text));
        }
    }
    let tokens = tokens_of(texts.iter().map(|(tag, text)| (*tag, text.as_str())));
    Ok((!tokens.is_empty()).then(|| tokens.join(" ")))
}

impl ReadTx<'_> {
    /// The newest hits inside a scope.
    pub fn search(&mut self, scope: &Scope<'_>, query: &SearchQuery) -> Result<Vec<StoredRow>, StoreError> {
        if scope.object() != query.object.name || query.groups.is_empty() || scope.predicate().is_nothing() {
            return Ok(Vec::new());
        }
        let selection = self.shared.selections.of(&query.object, query.fields.iter().copied());
        let tables = (query.object.name.as_str(), query.object.search_table());
        let mut types = selection.types().to_vec();
        types.push(ColumnType::Integer);
        let mut found = Vec::new();
        for step in SearchStep::of(self.conn) {
            let columns = |sql: &mut Sql| selection.push_columns(sql);
            let reach = |sql: &mut Sql| push_predicate(sql, scope.predicate(), "t");
            let sql = step.query((tables.0, &tables.1), &query.groups, query.limit, (columns, reach));
            found = self.conn.rows(&sql, &types)?;
            let seen = found.first().and_then(|row| row.int(selection.types().len())).unwrap_or(0);
            if step.is_enough(found.len(), query.limit, seen) {
                break;
            }
        }
        found.into_iter().map(|row| selection.row(row)).collect()
    }
}

impl WriteTx<'_, '_> {
    /// Follows an update in the index, if a searchable field moved.
    pub(crate) fn index_search(
        &mut self,
        object: &Arc<ObjectDef>,
        values: &Checked,
        before: &StoredRow,
    ) -> Result<(), StoreError> {
        let mut texts: Vec<(&str, String)> = Vec::new();
        let mut moved = false;
        for (index, field) in searchable(object) {
            let value = if let Some(value) = values.get(index) {
                moved = true;
                value.clone()
            } else {
                crate::rows::plain_value(field, before.cells_of(index).unwrap_or_default())?
            };
            if let Some(text) = value.to_text(&field.field_type) {
                texts.push((&field.name, text));
            }
        }
        if !moved {
            return Ok(());
        }
        let tokens = tokens_of(texts.iter().map(|(tag, text)| (*tag, text.as_str())));
        self.search.push(indexing(object, before.rid, &tokens));
        Ok(())
    }

    /// Takes a row out.
    pub(crate) fn unindex_search(&mut self, object: &ObjectDef, row: &StoredRow) -> Result<(), StoreError> {
        if !has_index(object) {
            return Ok(());
        }
        self.search.push(indexing(object, row.rid, &[]));
        Ok(())
    }

    /// Enters a row as it is.
    pub(crate) fn index_search_row(&mut self, object: &Arc<ObjectDef>, row: &StoredRow) -> Result<(), StoreError> {
        if !has_index(object) {
            return Ok(());
        }
        let mut texts: Vec<(&str, String)> = Vec::new();
        for (index, field) in searchable(object) {
            let value = crate::rows::plain_value(field, row.cells_of(index).unwrap_or_default())?;
            if let Some(text) = value.to_text(&field.field_type) {
                texts.push((&field.name, text));
            }
        }
        let tokens = tokens_of(texts.iter().map(|(tag, text)| (*tag, text.as_str())));
        self.search.push(indexing(object, row.rid, &tokens));
        Ok(())
    }

    /// Makes the index of an object anew, after its searchable fields changed.
    pub(crate) fn rebuild_search(&mut self, object: &Arc<ObjectDef>) -> Result<(), StoreError> {
        let selection = self.read.shared.selections.of(object, searchable(object).map(|(index, _)| index));
        let mut last = 0i64;
        loop {
            let mut sql = Sql::new("SELECT ");
            selection.push_columns(&mut sql);
            sql.push(" FROM ")
                .ident(&object.name)
                .push(" t WHERE t.\"deleted_at\" IS NULL AND t.\"rid\" > ")
                .bind(last);
            sql.push(" ORDER BY t.\"rid\" LIMIT ").number(REBUILD_ROWS);
            let rows = self.conn().rows(&sql, selection.types())?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                let row = selection.row(row)?;
                last = row.rid;
                self.index_search_row(object, &row)?;
            }
            // A million rows would not fit into memory until the commit.
            for indexing in std::mem::take(&mut self.search) {
                dialect::index_tokens(self.conn(), indexing)?;
            }
        }
    }

    /// Computes the sort keys of a field that has just got its column.
    pub(crate) fn fill_sort_keys(&mut self, object: &Arc<ObjectDef>, field: &str) -> Result<(), StoreError> {
        let key = object
            .field(field)
            .and_then(|field| field.columns().into_iter().find(|column| column.role == ColumnRole::SortKey));
        let Some(key) = key else { return Ok(()) };
        let mut last = 0i64;
        loop {
            let mut sql = Sql::new("SELECT \"rid\", ");
            sql.ident(field)
                .push(" FROM ")
                .ident(&object.name)
                .push(" WHERE ")
                .ident(field)
                .push(" IS NOT NULL AND \"rid\" > ");
            sql.bind(last).push(" ORDER BY \"rid\" LIMIT ").number(REBUILD_ROWS);
            let rows = self.conn().rows(&sql, &[ColumnType::Integer, ColumnType::Text])?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in rows {
                last = row.int(0).unwrap_or(i64::MAX);
                let mut sql = Sql::new("UPDATE ");
                sql.ident(&object.name).push(" SET ").ident(&key.name).push(" = ");
                sql.bind(metadata::sort_key(row.get(1).text().unwrap_or_default()).as_str())
                    .push(" WHERE \"rid\" = ")
                    .bind(last);
                self.conn().execute(&sql)?;
            }
        }
    }
}
