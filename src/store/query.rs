//! Lists: filter, scope, sort and page as one query. Filters come typed and already permitted; this file turns them into
//! conditions and never loosens one. Sealed fields are found by their blind index, opened and compared before they count.

use crate::engine::{Cell, Sql, dialect};
use crate::order::{Walk, push_after, push_order, sort_columns};
use crate::read::{ReadTx, push_predicate};
use crate::rows::{self, StoredRow};
use crate::{Cursor, StoreError};
use authz::{Predicate, Scope};
use kernel::{Code, Fault, RecordId, limits};
use metadata::{ColumnRole, ColumnType, FieldDef, ObjectDef, Sealing, Value};
use std::sync::Arc;

/// A condition on one field.
#[derive(Clone)]
pub struct Condition {
    /// Position of the field.
    pub field: usize,
    /// A region part of an address (`city`), when the field is one.
    pub part: Option<String>,
    /// The comparison.
    pub op: Op,
}

/// A comparison. Values have the field's type.
#[derive(Clone)]
pub enum Op {
    /// Equal.
    Eq(Value),
    /// Not equal, or without a value.
    Ne(Value),
    /// Less.
    Lt(Value),
    /// Less or equal.
    Le(Value),
    /// Greater.
    Gt(Value),
    /// Greater or equal.
    Ge(Value),
    /// One of these.
    In(Vec<Value>),
    /// Holds this text, ASCII letters without case.
    Contains(String),
    /// Begins with this text, ASCII letters without case.
    StartsWith(String),
    /// Has this option among others.
    Has(String),
    /// Has no value, or has one.
    Empty(bool),
}

/// A filter tree.
#[derive(Clone)]
pub enum Filter {
    /// All hold.
    And(Vec<Filter>),
    /// At least one holds.
    Or(Vec<Filter>),
    /// One condition.
    Is(Condition),
    /// The record is one of these.
    Ids(Vec<RecordId>),
    /// A condition on the record that a reference field points to, as far as the reader's scope there reaches.
    Related {
        /// Position of the reference field.
        field: usize,
        /// The other object.
        object: Arc<ObjectDef>,
        /// The reader's scope there.
        predicate: Predicate,
        /// The condition.
        filter: Box<Filter>,
    },
}

impl Filter {
    /// Whether it leaves no more than the records it names.
    fn names_records(&self) -> bool {
        match self {
            Self::Ids(_) => true,
            Self::And(parts) => parts.iter().any(Self::names_records),
            Self::Or(_) | Self::Is(_) | Self::Related { .. } => false,
        }
    }
}

/// What to list.
pub struct ListQuery {
    /// The object.
    pub object: Arc<ObjectDef>,
    /// The filter.
    pub filter: Option<Filter>,
    /// Search tokens: every group must match.
    pub search: Vec<Vec<(String, bool)>>,
    /// Field positions and whether descending; empty sorts by newest first.
    pub sort: Vec<(usize, bool)>,
    /// Where the page begins.
    pub after: Option<Cursor>,
    /// Rows of the page.
    pub limit: usize,
    /// Fields to load.
    pub fields: Vec<usize>,
    /// List the recycle bin instead.
    pub deleted: bool,
    /// A second reach that the records must also lie in; it only narrows.
    pub within: Option<Predicate>,
}

/// One page.
pub struct Page {
    /// The rows, in order.
    pub rows: Vec<StoredRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// Sealed fields whose blind index was used: to be opened and compared on every candidate.
pub(crate) type Rechecks = Vec<(usize, Vec<String>)>;

pub(crate) struct Compiled {
    sql: Sql,
    walk: Walk,
    rechecks: Rechecks,
}

impl Compiled {
    /// Whether the conditions alone decide, without a look into sealed values.
    pub(crate) fn is_exact(&self) -> bool {
        self.rechecks.is_empty()
    }
    pub(crate) fn into_sql(self) -> Sql {
        self.sql
    }
}

impl ListQuery {
    fn names_records(&self) -> bool {
        self.filter.as_ref().is_some_and(Filter::names_records)
    }
    /// The same records, only their ids.
    pub(crate) fn of_ids(&self, limit: usize) -> Self {
        Self {
            after: None,
            limit,
            fields: Vec::new(),
            sort: Vec::new(),
            object: Arc::clone(&self.object),
            filter: self.filter.clone(),
            search: self.search.clone(),
            deleted: self.deleted,
            within: self.within.clone(),
        }
    }
}

impl ReadTx<'_> {
    /// One page of the records in scope.
    pub fn list(&mut self, scope: &Scope<'_>, query: &ListQuery) -> Result<Page, StoreError> {
        if scope.object() != query.object.name {
            return Err(StoreError::damaged("a scope of another object was given to a list"));
        }
        let conditions = self.conditions(scope, query)?;
        let exact = conditions.is_exact();
        let keys = sort_columns(query, exact)?;
        let mut wanted = query.fields.clone();
        wanted.extend(keys.iter().map(|key| key.field));
        wanted.extend(conditions.rechecks.iter().map(|(field, _)| *field));
        let selection = self.shared.selections.of(&query.object, wanted);
        // Candidates of a blind index may drop out, so more of them are fetched, up to a named limit.
        let fetch = if exact { query.limit + 1 } else { limits::SEALED_CANDIDATES_MAX };
        let merged = match conditions.walk {
            Walk::May if exact && !query.names_records() => {
                let reaches = [Some(scope.predicate()), query.within.as_ref()];
                self.merged(query, &keys, reaches, &selection, fetch)?
            }
            _ => None,
        };
        let Compiled { sql, walk, rechecks } = conditions;
        let sql = match merged {
            Some(merged) => merged,
            None => {
                let mut along = Sql::new("SELECT ");
                selection.push_columns(&mut along);
                along.push(" FROM ").ident(&query.object.name).push(" t WHERE ").append(sql);
                if let Some(after) = &query.after {
                    push_after(&mut along, &keys, after)?;
                }
                push_order(&mut along, &keys, walk);
                along.push(" LIMIT ").number(fetch);
                along
            }
        };
        let rows = self.conn.rows(&sql, selection.types())?;
        let candidates = rows.len();
        let mut page = Vec::with_capacity(query.limit.min(candidates));
        for row in rows {
            let row = selection.row(row)?;
            if page.len() <= query.limit && self.confirmed(&row, &rechecks)? {
                page.push(row);
            }
        }
        if !rechecks.is_empty() && candidates == fetch && page.len() <= query.limit {
            return Err(Fault::new(Code::LimitExceeded, format!(
                "More than {} records share the index entry of this sealed value (limit SEALED_CANDIDATES_MAX); add another condition.",
                limits::SEALED_CANDIDATES_MAX
            )).into());
        }
        let more = page.len() > query.limit;
        page.truncate(query.limit);
        let next = page
            .last()
            .filter(|_| more)
            .map(|last| Cursor::after(last, &keys.iter().map(|key| key.column.as_str()).collect::<Vec<_>>()));
        Ok(Page { rows: page, next })
    }

    /// How many records are in scope; stops counting at `stop`.
    pub fn count(&mut self, scope: &Scope<'_>, query: &ListQuery, stop: Option<usize>) -> Result<u64, StoreError> {
        let conditions = self.conditions(scope, query)?;
        if !conditions.rechecks.is_empty() {
            let whole = query.of_ids(limits::SEALED_CANDIDATES_MAX - 1);
            return Ok(u64::try_from(self.list(scope, &whole)?.rows.len()).unwrap_or(u64::MAX));
        }
        let mut sql = Sql::new("SELECT count(*) FROM (SELECT 1 FROM ");
        sql.ident(&query.object.name).push(" t WHERE ").append(conditions.sql);
        if let Some(stop) = stop {
            sql.push(" LIMIT ").number(stop);
        }
        sql.push(") counted");
        let row = self.conn.first(&sql, &[ColumnType::Integer])?;
        Ok(row.and_then(|row| u64::try_from(row.int(0)?).ok()).unwrap_or(0))
    }

    fn confirmed(&mut self, row: &StoredRow, rechecks: &Rechecks) -> Result<bool, StoreError> {
        for (field, texts) in rechecks {
            if !self.sealed_matches(row, *field, texts)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) fn conditions(&mut self, scope: &Scope<'_>, query: &ListQuery) -> Result<Compiled, StoreError> {
        let mut sql = Sql::new(if query.deleted { "t.\"deleted_at\" IS NOT NULL" } else { "t.\"deleted_at\" IS NULL" });
        let few = query.names_records();
        // The bin is small and has no index over its rows. The other engine plans by its own statistics.
        let mut walk = if few && self.conn.is_sqlite() { Walk::Never } else { Walk::May };
        for reach in [Some(scope.predicate()), query.within.as_ref()].into_iter().flatten() {
            if query.deleted || few {
                push_predicate(&mut sql, reach, "t");
            } else if self.push_reach(&mut sql, &query.object, reach)? == Walk::Never {
                walk = Walk::Never;
            }
        }
        if !query.search.is_empty() {
            let (table, search_table) = (&query.object.name, query.object.search_table());
            sql.push(" AND ").append(dialect::matches(self.conn, table, &search_table, &query.search));
        }
        let mut rechecks = Vec::new();
        if let Some(filter) = &query.filter {
            sql.push(" AND ");
            self.push_filter(&mut sql, &query.object, "t", filter, Some(&mut rechecks))?;
            sql.varied();
        }
        Ok(Compiled { sql, walk, rechecks })
    }

    /// Writes one node. `rechecks` is absent below an `or` and in another object, where a candidate could not be dropped.
    pub(crate) fn push_filter(
        &mut self,
        sql: &mut Sql,
        object: &Arc<ObjectDef>,
        alias: &'static str,
        filter: &Filter,
        mut rechecks: Option<&mut Rechecks>,
    ) -> Result<(), StoreError> {
        match filter {
            Filter::And(parts) | Filter::Or(parts) => {
                let or = matches!(filter, Filter::Or(_));
                sql.push("(").push(if parts.is_empty() { if or { "1 = 0" } else { "1 = 1" } } else { "" });
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        sql.push(if or { " OR " } else { " AND " });
                    }
                    let inner = if or && parts.len() > 1 { None } else { rechecks.as_deref_mut() };
                    self.push_filter(sql, object, alias, part, inner)?;
                }
                sql.push(")");
                Ok(())
            }
            Filter::Is(condition) => self.push_condition(sql, object, alias, condition, rechecks),
            Filter::Ids(ids) if ids.is_empty() => {
                sql.push("1 = 0");
                Ok(())
            }
            Filter::Ids(ids) => {
                sql.push(alias).push(".\"id\" IN (").binds(ids.iter().map(|id| Cell::from(*id))).push(")");
                Ok(())
            }
            Filter::Related { field, object: other, predicate, filter } => {
                let Some(reference) = object.fields.get(*field) else { return Err(unknown_field()) };
                let column = main_column(reference)?;
                sql.push(alias).push(".").ident(&column).push(" IN (SELECT r.\"id\" FROM ").ident(&other.name);
                sql.push(" r WHERE r.\"deleted_at\" IS NULL");
                push_predicate(sql, predicate, "r");
                sql.push(" AND ");
                self.push_filter(sql, other, "r", filter, None)?;
                sql.push(")");
                Ok(())
            }
        }
    }

    fn push_condition(
        &mut self,
        sql: &mut Sql,
        object: &Arc<ObjectDef>,
        alias: &'static str,
        condition: &Condition,
        rechecks: Option<&mut Rechecks>,
    ) -> Result<(), StoreError> {
        let Some(field) = object.fields.get(condition.field) else { return Err(unknown_field()) };
        let whole = condition.part.is_none();
        match (&condition.op, field.sealing) {
            (Op::Empty(empty), _) if whole => push_empty(sql, alias, field, *empty),
            (_, Sealing::Plain) => push_plain(sql, alias, field, condition),
            (_, _) if !whole => push_plain(sql, alias, field, condition),
            (Op::Eq(value), Sealing::Exact) => {
                self.push_blind(sql, object, alias, condition.field, std::slice::from_ref(value), rechecks)
            }
            (Op::In(values), Sealing::Exact) => self.push_blind(sql, object, alias, condition.field, values, rechecks),
            (_, Sealing::Exact) => Err(not_filterable(field, "it is sealed; only eq and in can be answered")),
            (_, Sealing::Sealed | Sealing::Memory) => {
                Err(not_filterable(field, "it is sealed and has no index; only empty can be answered"))
            }
        }
    }

    fn push_blind(
        &mut self,
        sql: &mut Sql,
        object: &Arc<ObjectDef>,
        alias: &'static str,
        position: usize,
        values: &[Value],
        rechecks: Option<&mut Rechecks>,
    ) -> Result<(), StoreError> {
        let Some(field) = object.fields.get(position) else { return Err(unknown_field()) };
        let Some(rechecks) = rechecks else {
            return Err(not_filterable(
                field,
                "a sealed field can be compared only where every record must match it: not below an or, not in a related object",
            ));
        };
        let Some(column) = field.columns().into_iter().find(|column| column.role == ColumnRole::Blind) else {
            return Err(StoreError::damaged("a field with exact match has no blind index"));
        };
        let mut texts = Vec::with_capacity(values.len());
        let mut entries = Vec::with_capacity(values.len());
        for value in values {
            let Some(text) = rows::sealed_text(field, value) else { continue };
            if let Some(entry) = self.blind_query(object, field, &text)? {
                entries.push(Cell::Int(entry));
            }
            texts.push(text);
        }
        if entries.is_empty() {
            sql.push("1 = 0");
            return Ok(());
        }
        sql.push(alias).push(".").ident(&column.name).push(" IN (").binds(entries).push(")");
        rechecks.push((position, texts));
        Ok(())
    }
}

pub(crate) fn unknown_field() -> StoreError {
    StoreError::damaged("a filter names a field position that does not exist")
}

pub(crate) fn not_filterable(field: &FieldDef, why: &str) -> StoreError {
    Fault::new(Code::FieldNotFilterable, format!("Field {} cannot be used like this: {why}.", field.name)).into()
}

fn main_column(field: &FieldDef) -> Result<String, StoreError> {
    let column = field.columns().into_iter().find(|column| column.role == ColumnRole::Value);
    column.map(|column| column.name).ok_or_else(|| not_filterable(field, "it has no plain value"))
}

fn push_empty(sql: &mut Sql, alias: &'static str, field: &FieldDef, empty: bool) -> Result<(), StoreError> {
    sql.push("(");
    for (at, column) in field.columns().iter().enumerate() {
        if at > 0 {
            sql.push(if empty { " AND " } else { " OR " });
        }
        sql.push(alias).push(".").ident(&column.name).push(if empty { " IS NULL" } else { " IS NOT NULL" });
    }
    sql.push(")");
    Ok(())
}

fn push_plain(sql: &mut Sql, alias: &'static str, field: &FieldDef, condition: &Condition) -> Result<(), StoreError> {
    let column = match &condition.part {
        Some(part) => format!("{}__{part}", field.name),
        None => main_column(field)?,
    };
    let compare = |sql: &mut Sql, operator: &'static str, value: &Value| -> Result<(), StoreError> {
        let cell = rows::compare_cell(value)
            .ok_or_else(|| not_filterable(field, "there is nothing to compare with; use empty"))?;
        sql.push("(").push(alias).push(".").ident(&column).push(operator).bind(cell);
        if let Value::Money(money) = value {
            sql.push(" AND ")
                .push(alias)
                .push(".")
                .ident(&format!("{column}__cur"))
                .push(" = ")
                .bind(money.currency.as_str());
        }
        sql.push(")");
        Ok(())
    };
    match &condition.op {
        Op::Eq(value) => compare(sql, " = ", value),
        Op::Lt(value) => compare(sql, " < ", value),
        Op::Le(value) => compare(sql, " <= ", value),
        Op::Gt(value) => compare(sql, " > ", value),
        Op::Ge(value) => compare(sql, " >= ", value),
        Op::Ne(value) => {
            sql.push("(NOT ");
            compare(sql, " = ", value)?;
            sql.push(" OR ").push(alias).push(".").ident(&column).push(" IS NULL)");
            Ok(())
        }
        // Amounts compare with their currency, so each is a pair of conditions.
        Op::In(values) if !values.iter().any(|value| matches!(value, Value::Money(_))) => {
            let cells: Option<Vec<Cell>> = values.iter().map(rows::compare_cell).collect();
            let cells = cells.ok_or_else(|| not_filterable(field, "there is nothing to compare with; use empty"))?;
            if cells.is_empty() {
                // PostgreSQL has no empty list; nothing can match it.
                sql.push("1 = 0");
            } else {
                sql.push(alias).push(".").ident(&column).push(" IN (").binds(cells).push(")");
            }
            Ok(())
        }
        Op::In(values) => {
            for (at, value) in values.iter().enumerate() {
                sql.push(if at == 0 { "(" } else { " OR " });
                compare(sql, " = ", value)?;
            }
            sql.push(")");
            Ok(())
        }
        Op::Contains(text) => {
            push_like(sql, alias, &column, format!("%{}%", escape_like(text)));
            Ok(())
        }
        Op::StartsWith(text) => {
            push_like(sql, alias, &column, format!("{}%", escape_like(text)));
            Ok(())
        }
        Op::Has(code) => {
            push_like(sql, alias, &column, format!("%|{}|%", escape_like(code)));
            Ok(())
        }
        Op::Empty(empty) => {
            sql.push(alias).push(".").ident(&column).push(if *empty { " IS NULL" } else { " IS NOT NULL" });
            Ok(())
        }
    }
}

/// `lower` folds ASCII letters only, on both engines alike (PostgreSQL under the "C" collation).
fn push_like(sql: &mut Sql, alias: &'static str, column: &str, pattern: String) {
    sql.push("lower(").push(alias).push(".").ident(column).push(") LIKE ");
    sql.bind(Cell::Text(pattern.to_ascii_lowercase())).push(" ESCAPE '\\'");
}

fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
