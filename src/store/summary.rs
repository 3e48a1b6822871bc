//! Counts and sums over the records of a scope, in one statement. It groups and adds only what can be read on every record
//! of the scope, and never what is sealed: the engine sees no such value.

use crate::engine::{Cell, Row, Sql, dialect};
use crate::query::not_filterable;
use crate::rows;
use crate::{ListQuery, ReadTx, StoreError};
use authz::{Level, Scope};
use kernel::{Code, Currency, Date, Fault, RecordId, limits};
use metadata::{ColumnRole, ColumnType, FieldDef, FieldType, ObjectDef, Value};

/// Sums are taken in two halves, so that neither engine's 64 bits overflow.
const HALF: i128 = 1_000_000;

/// The length of time that dates are put together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    /// From 1 January.
    Year,
    /// From the first day of January, April, July, October.
    Quarter,
    /// From the first day of a month.
    Month,
    /// From Monday.
    Week,
    /// One day, of UTC.
    Day,
}

/// What records are put together by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupField {
    /// Position of the field.
    pub field: usize,
    /// A region part of an address.
    pub part: Option<&'static str>,
    /// Of dates and times.
    pub bucket: Option<Bucket>,
}

/// What to count and add up. Of the list only object, filter and search count.
pub struct SummaryQuery {
    /// Which records.
    pub list: ListQuery,
    /// What to put them together by; all together when empty.
    pub group: Vec<GroupField>,
    /// Positions of the fields to add up.
    pub sums: Vec<usize>,
}

/// The sum of one field over some records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSum {
    /// Of money: the currency of these values. Records with another are in another line.
    pub currency: Option<Currency>,
    /// Minor units, or the number scaled as its definition says.
    pub sum: i128,
    /// How many records have a value.
    pub values: u64,
}

/// Records that agree in the group fields and in the currencies of the summed ones.
pub struct SummaryLine {
    /// A value per group field; of a bucket its first day.
    pub keys: Vec<Value>,
    /// How many records.
    pub count: u64,
    /// The record, when it is one: its numbers are its values.
    pub only: Option<RecordId>,
    /// A sum per field.
    pub sums: Vec<FieldSum>,
}

impl ReadTx<'_> {
    /// Counts and adds up, a line per group and currency. Too many groups are refused, never cut off silently.
    pub fn summary(&mut self, scope: &Scope<'_>, query: &SummaryQuery) -> Result<Vec<SummaryLine>, StoreError> {
        let object = &query.list.object;
        if scope.object() != object.name {
            return Err(StoreError::damaged("a scope of another object was given to a summary"));
        }
        let used = query.group.iter().map(|group| group.field).chain(query.sums.iter().copied());
        for at in used {
            let field = object.fields.get(at).ok_or_else(crate::query::unknown_field)?;
            if scope.floor().get(at) < Level::Read {
                return Err(not_filterable(field, "you may not read it"));
            }
        }
        let Some(conditions) = self.summary_conditions(scope, &query.list)? else { return Ok(Vec::new()) };
        let (sql, types) = self.statement(object, query, conditions)?;
        let rows = self.conn.rows(&sql, &types)?;
        if rows.len() > limits::SUMMARY_GROUPS_FOUND_MAX {
            let detail = format!(
                "More than {} groups (SUMMARY_GROUPS_FOUND_MAX); group by something coarser or add a filter.",
                limits::SUMMARY_GROUPS_FOUND_MAX
            );
            return Err(Fault::new(Code::LimitExceeded, detail).into());
        }
        rows.iter().map(|row| line(object, query, row)).collect()
    }

    /// The condition of the records. Candidates of a blind index are opened and compared first; the rest is then about
    /// their ids. `None` when there is no record.
    fn summary_conditions(&mut self, scope: &Scope<'_>, list: &ListQuery) -> Result<Option<Sql>, StoreError> {
        let compiled = self.conditions(scope, list)?;
        if compiled.is_exact() {
            return Ok(Some(compiled.into_sql()));
        }
        let whole = list.of_ids(limits::SEALED_CANDIDATES_MAX - 1);
        let found = self.list(scope, &whole)?.rows;
        if found.is_empty() {
            return Ok(None);
        }
        let mut sql = Sql::new("t.\"deleted_at\" IS NULL AND t.\"id\" IN (");
        sql.binds(found.iter().map(|row| Cell::from(row.id()))).push(")").varied();
        Ok(Some(sql))
    }

    fn statement(
        &self,
        object: &ObjectDef,
        query: &SummaryQuery,
        conditions: Sql,
    ) -> Result<(Sql, Vec<ColumnType>), StoreError> {
        let mut sql = Sql::new("SELECT ");
        sql.varied();
        let mut types = Vec::new();
        for group in &query.group {
            let field = object.fields.get(group.field).ok_or_else(crate::query::unknown_field)?;
            for (name, column_type) in key_columns(field, group)? {
                match group.bucket {
                    Some(bucket) => {
                        let instant = field.field_type == FieldType::Timestamp;
                        dialect::push_bucket(self.conn, &mut sql, &name, instant, bucket);
                    }
                    None => {
                        sql.push("t.").ident(&name);
                    }
                }
                sql.push(", ");
                types.push(column_type);
            }
        }
        for at in &query.sums {
            let field = object.fields.get(*at).ok_or_else(crate::query::unknown_field)?;
            if field.field_type == FieldType::Money {
                sql.push("t.").ident(&format!("{}__cur", field.name)).push(", ");
                types.push(ColumnType::Text);
            }
        }
        let keys = types.len();
        sql.push("count(*), ");
        dialect::push_first_id(self.conn, &mut sql);
        types.extend([ColumnType::Integer, ColumnType::Text]);
        for at in &query.sums {
            let field = object.fields.get(*at).ok_or_else(crate::query::unknown_field)?;
            let column = sum_column(field)?;
            sql.push(", CAST(coalesce(sum(t.").ident(&column).push(" / 1000000), 0) AS BIGINT)");
            sql.push(", CAST(coalesce(sum(t.").ident(&column).push(" % 1000000), 0) AS BIGINT), count(t.");
            sql.ident(&column).push(")");
            types.extend([ColumnType::Integer; 3]);
        }
        sql.push(" FROM ").ident(&object.name).push(" t WHERE ").append(conditions);
        const POSITIONS: [&str; 12] =
            ["1", ", 2", ", 3", ", 4", ", 5", ", 6", ", 7", ", 8", ", 9", ", 10", ", 11", ", 12"];
        for (at, position) in POSITIONS.iter().take(keys).enumerate() {
            sql.push(if at == 0 { " GROUP BY " } else { "" }).push(position);
        }
        if keys > POSITIONS.len() {
            return Err(StoreError::damaged("a summary has more keys than its limits allow"));
        }
        sql.push(" LIMIT ").bind(i64::try_from(limits::SUMMARY_GROUPS_FOUND_MAX + 1).unwrap_or(i64::MAX));
        Ok((sql, types))
    }
}

/// The columns that hold a group's value.
fn key_columns(field: &FieldDef, group: &GroupField) -> Result<Vec<(String, ColumnType)>, StoreError> {
    if let Some(part) = group.part {
        return Ok(vec![(format!("{}__{part}", field.name), ColumnType::Text)]);
    }
    if field.is_sealed() {
        return Err(not_filterable(field, "it is sealed, so records cannot be put together by it"));
    }
    let groups = matches!(
        field.field_type,
        FieldType::Text { .. }
            | FieldType::Integer { .. }
            | FieldType::Date
            | FieldType::Timestamp
            | FieldType::Bool
            | FieldType::Enum { .. }
            | FieldType::Reference { .. }
    );
    let dated = matches!(field.field_type, FieldType::Date | FieldType::Timestamp);
    if !groups || dated != group.bucket.is_some() {
        return Err(not_filterable(field, "records cannot be put together by it"));
    }
    let kept = |column: &metadata::Column| matches!(column.role, ColumnRole::Value | ColumnRole::TargetObject);
    let column_type = |column: &metadata::Column| if dated { ColumnType::Text } else { column.column_type };
    Ok(field.columns().into_iter().filter(kept).map(|column| (column.name.clone(), column_type(&column))).collect())
}

fn sum_column(field: &FieldDef) -> Result<String, StoreError> {
    let number = matches!(field.field_type, FieldType::Integer { .. } | FieldType::Decimal { .. } | FieldType::Money);
    if field.is_sealed() {
        return Err(not_filterable(field, "it is sealed, so its values cannot be added up"));
    }
    if number { Ok(field.name.clone()) } else { Err(not_filterable(field, "its values cannot be added up")) }
}

fn line(object: &ObjectDef, query: &SummaryQuery, row: &Row) -> Result<SummaryLine, StoreError> {
    let mut at = 0;
    let mut next = || {
        at += 1;
        row.get(at - 1).clone()
    };
    let mut keys = Vec::with_capacity(query.group.len());
    for group in &query.group {
        let field = object.fields.get(group.field).ok_or_else(crate::query::unknown_field)?;
        let cells: Vec<Cell> = key_columns(field, group)?.iter().map(|_| next()).collect();
        keys.push(key(field, group, &cells)?);
    }
    let money = |at: &usize| object.fields.get(*at).is_some_and(|field| field.field_type == FieldType::Money);
    let currencies: Vec<Option<Currency>> = query
        .sums
        .iter()
        .map(|at| if money(at) { next().text().and_then(|code| code.parse().ok()) } else { None })
        .collect();
    let count = next().int().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
    let first = next().text().and_then(|hex| u128::from_str_radix(hex, 16).ok());
    let only = first.filter(|_| count == 1).map(|id| RecordId::from_bytes(id.to_be_bytes()));
    let sums = currencies
        .into_iter()
        .map(|currency| {
            let (high, low) = (next().int().unwrap_or(0), next().int().unwrap_or(0));
            let values = next().int().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
            FieldSum { currency, sum: i128::from(high) * HALF + i128::from(low), values }
        })
        .collect();
    Ok(SummaryLine { keys, count, only, sums })
}

fn key(field: &FieldDef, group: &GroupField, cells: &[Cell]) -> Result<Value, StoreError> {
    let Some(first) = cells.first().filter(|cell| !cell.is_null()) else { return Ok(Value::Null) };
    if group.part.is_some() {
        return Ok(first.text().map_or(Value::Null, |text| Value::Text(text.to_owned())));
    }
    if group.bucket.is_some() {
        let day = first.text().and_then(|text| Date::parse_from_str(text, "%Y-%m-%d").ok());
        // A date before the year 1 or after 9999 has no bucket on one of the engines.
        return Ok(day.map_or(Value::Null, Value::Date));
    }
    rows::plain_value(field, cells)
}
