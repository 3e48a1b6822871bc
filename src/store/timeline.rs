//! Records in the order of what happened when: several times of a record make one, the first that is there. For the
//! timeline of another record, whose activities they are.

use crate::engine::{Cell, Sql};
use crate::query::not_filterable;
use crate::rows::StoredRow;
use crate::{ListQuery, ReadTx, StoreError};
use authz::{Level, Scope};
use kernel::{RecordId, Timestamp};
use metadata::{ColumnRole, ColumnType, FieldType, ObjectDef};

/// Which records, in which order.
pub struct TimelineQuery {
    /// Object, filter, fields and limit; nothing else of it counts.
    pub list: ListQuery,
    /// Positions of plain times, of which the first that has a value is the record's.
    pub times: Vec<usize>,
    /// Oldest first, instead of newest.
    pub ascending: bool,
    /// Only records beyond this one, in that order.
    pub after: Option<(Timestamp, RecordId)>,
    /// Only from this time on.
    pub from: Option<Timestamp>,
    /// Only before this time.
    pub to: Option<Timestamp>,
}

impl ReadTx<'_> {
    /// Records in scope with their times.
    pub fn timeline(
        &mut self,
        scope: &Scope<'_>,
        query: &TimelineQuery,
    ) -> Result<Vec<(Timestamp, StoredRow)>, StoreError> {
        let object = &query.list.object;
        if scope.object() != object.name {
            return Err(StoreError::damaged("a scope of another object was given to a timeline"));
        }
        let columns = time_columns(scope, object, &query.times)?;
        let compiled = self.conditions(scope, &query.list)?;
        if !compiled.is_exact() {
            return Err(StoreError::damaged("a timeline was asked for by a sealed value"));
        }
        let selection = self.shared.selections.of(object, query.list.fields.iter().copied());
        let mut sql = Sql::new("SELECT ");
        selection.push_columns(&mut sql);
        sql.push(", ");
        push_time(&mut sql, &columns);
        sql.push(" FROM ").ident(&object.name).push(" t WHERE ").append(compiled.into_sql()).varied();
        for (bound, operator) in [(query.from, " >= "), (query.to, " < ")] {
            if let Some(bound) = bound {
                sql.push(" AND ");
                push_time(&mut sql, &columns);
                sql.push(operator).bind(bound.micros());
            }
        }
        let beyond = if query.ascending { " > " } else { " < " };
        if let Some((at, id)) = query.after {
            sql.push(" AND (");
            push_time(&mut sql, &columns);
            sql.push(beyond).bind(at.micros()).push(" OR (");
            push_time(&mut sql, &columns);
            sql.push(" = ").bind(at.micros()).push(" AND t.\"id\"").push(beyond).bind(Cell::from(id)).push("))");
        }
        sql.push(" ORDER BY ");
        push_time(&mut sql, &columns);
        sql.push(if query.ascending { " ASC, t.\"id\" ASC LIMIT " } else { " DESC, t.\"id\" DESC LIMIT " });
        sql.number(query.list.limit);
        let mut types = selection.types().to_vec();
        types.push(ColumnType::Integer);
        let time_at = types.len() - 1;
        let rows = self.conn.rows(&sql, &types)?;
        rows.into_iter()
            .map(|row| {
                let at = Timestamp::from_micros(row.int(time_at).unwrap_or_default());
                Ok((at, selection.row(row)?))
            })
            .collect()
    }
}

fn time_columns(scope: &Scope<'_>, object: &ObjectDef, times: &[usize]) -> Result<Vec<String>, StoreError> {
    let mut columns = Vec::with_capacity(times.len());
    for at in times {
        let field = object.fields.get(*at).ok_or_else(crate::query::unknown_field)?;
        let plain = field.field_type == FieldType::Timestamp && !field.is_sealed();
        let column = field.columns().into_iter().find(|column| column.role == ColumnRole::Value);
        match column.filter(|_| plain && scope.floor().get(*at) >= Level::Read) {
            Some(column) => columns.push(column.name),
            None => return Err(not_filterable(field, "it cannot order records")),
        }
    }
    if columns.is_empty() { Err(StoreError::damaged("a timeline without a time")) } else { Ok(columns) }
}

/// One engine refuses `coalesce` of a single value.
fn push_time(sql: &mut Sql, columns: &[String]) {
    sql.push("coalesce(");
    for column in columns {
        sql.push("t.").ident(column).push(", ");
    }
    sql.push("0)");
}
