//! Names that records have in other systems: how imports find again what they brought.

use crate::engine::{Cell, Insert, Sql};
use crate::read::push_predicate;
use crate::{ReadTx, StoreError, WriteTx};
use authz::Scope;
use kernel::RecordId;
use metadata::{ColumnType, ObjectDef};

impl ReadTx<'_> {
    /// The record behind a name in another system, live or deleted.
    pub fn external_find(
        &mut self,
        object: &str,
        system: &str,
        external_id: &str,
    ) -> Result<Option<RecordId>, StoreError> {
        if let Some(known) = self.foreseen.external(object, system, external_id) {
            return Ok(known);
        }
        let mut sql = Sql::new("SELECT \"record\" FROM \"k_external_id\" WHERE \"object\" = ");
        sql.bind(object).push(" AND \"system\" = ").bind(system).push(" AND \"external_id\" = ").bind(external_id);
        Ok(self.conn.first(&sql, &[ColumnType::Binary])?.and_then(|row| row.id(0)))
    }

    /// Live records in reach whose plain field equals a text; two are enough to know that it is not one. For resolving
    /// references of an import: it tells ids only.
    pub fn ids_by_text(
        &mut self,
        scope: &Scope<'_>,
        object: &ObjectDef,
        field: &str,
        text: &str,
    ) -> Result<Vec<RecordId>, StoreError> {
        may_look_up(scope, object, field)?;
        if let Some(known) = self.foreseen.text(scope, object, field, text) {
            return Ok(known);
        }
        let sorted = has_sort_key(object, field);
        let mut sql = Sql::new("SELECT t.\"id\" FROM ");
        sql.ident(&object.name).push(" t WHERE t.\"deleted_at\" IS NULL AND t.").ident(field).push(" = ").bind(text);
        if sorted {
            // The index stands on the sort key; the text itself decides.
            sql.push(" AND t.").ident(&format!("{field}__sort")).push(" = ").bind(Cell::Text(metadata::sort_key(text)));
        }
        push_predicate(&mut sql, scope.predicate(), "t");
        sql.push(" LIMIT 2");
        Ok(self.conn.rows(&sql, &[ColumnType::Binary])?.into_iter().filter_map(|row| row.id(0)).collect())
    }
}

impl WriteTx<'_, '_> {
    /// Names a record just made. A name that another record has is an error of the engine.
    pub fn external_set(
        &mut self,
        object: &str,
        record: RecordId,
        system: &str,
        external_id: &str,
    ) -> Result<(), StoreError> {
        self.read.foreseen.named(object, system, external_id, record);
        let cells = vec![Cell::from(object), Cell::from(system), Cell::from(external_id), Cell::from(record)];
        let columns = &["object", "system", "external_id", "record"];
        self.conn().insert(Insert::system("k_external_id", columns, cells))
    }
}

/// Only plain fields are looked up by text, and only within the scope of their own object.
pub(crate) fn may_look_up(scope: &Scope<'_>, object: &ObjectDef, field: &str) -> Result<(), StoreError> {
    let plain = object.field(field).is_some_and(|field| !field.is_sealed());
    if plain && scope.object() == object.name {
        return Ok(());
    }
    Err(StoreError::damaged(format!("{}.{field} cannot be looked up by text", object.name)))
}

/// Whether the field's index stands on a sort key.
pub(crate) fn has_sort_key(object: &ObjectDef, field: &str) -> bool {
    let field = object.field(field);
    field.is_some_and(|field| field.columns().iter().any(|column| column.role == metadata::ColumnRole::SortKey))
}
