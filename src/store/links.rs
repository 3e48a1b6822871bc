//! Many-to-many relations and references that point to a record. Links carry a role; a link is made and undone with an
//! entry in the history of the record it was made from.

use crate::engine::{Cell, Sql, dialect};
use crate::{ReadTx, StoreError, WriteTx};
use audit::Verb;
use authz::{Grant, Read, Update};
use kernel::{RecordId, Timestamp};
use metadata::{ColumnRole, ColumnType, ObjectDef, Relation};
use std::sync::Arc;

/// One link, seen from one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRow {
    /// The record at the other end.
    pub other: RecordId,
    /// Its role.
    pub role: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The columns that hold this end and the other end of a relation.
fn ends(relation: &Relation) -> (&'static str, &'static str) {
    if relation.inverse { ("to_id", "from_id") } else { ("from_id", "to_id") }
}

impl ReadTx<'_> {
    /// The links of a record, newest first.
    pub fn links(
        &mut self,
        grant: &Grant<'_, Read>,
        relation: &Relation,
        limit: usize,
    ) -> Result<Vec<LinkRow>, StoreError> {
        let (here, there) = ends(relation);
        let mut sql = Sql::new("SELECT ");
        sql.ident(there).push(", \"role\", \"created_at\" FROM ").ident(&relation.definer.link_table(&relation.link));
        sql.push(" WHERE ").ident(here).push(" = ").bind(grant.record()).push(" ORDER BY \"created_at\" DESC, ");
        sql.ident(there).push(" DESC LIMIT ").number(limit);
        let rows = self.conn.rows(&sql, &[ColumnType::Binary, ColumnType::Text, ColumnType::Integer])?;
        let link = |row: crate::engine::Row| {
            let created_at = Timestamp::from_micros(row.int(2).unwrap_or_default());
            Some(LinkRow { other: row.id(0)?, role: row.text(1), created_at })
        };
        Ok(rows.into_iter().filter_map(link).collect())
    }

    /// Live records of an object whose reference field points to `target`; at most `limit`.
    pub fn pointing_to(
        &mut self,
        object: &Arc<ObjectDef>,
        field: usize,
        target: RecordId,
        limit: usize,
    ) -> Result<Vec<RecordId>, StoreError> {
        let column = object
            .fields
            .get(field)
            .and_then(|field| field.columns().into_iter().find(|column| column.role == ColumnRole::Value));
        let Some(column) = column else { return Ok(Vec::new()) };
        let mut sql = Sql::new("SELECT \"id\" FROM ");
        sql.ident(&object.name).push(" WHERE \"deleted_at\" IS NULL AND ").ident(&column.name).push(" = ").bind(target);
        sql.push(" LIMIT ").number(limit);
        Ok(self.conn.rows(&sql, &[ColumnType::Binary])?.into_iter().filter_map(|row| row.id(0)).collect())
    }
}

impl WriteTx<'_, '_> {
    /// Links two records, or changes the role of their link. Says whether anything was different.
    pub fn link(
        &mut self,
        grant: &Grant<'_, Update>,
        relation: &Relation,
        other: RecordId,
        role: Option<&str>,
    ) -> Result<bool, StoreError> {
        let (here, there) = ends(relation);
        let (now, user) = (self.now().micros(), grant.actor().user());
        let table = relation.definer.link_table(&relation.link);
        let (begin, end) = dialect::insert_or_ignore(self.conn());
        let mut sql = Sql::new(begin);
        sql.ident(&table)
            .push(" (")
            .ident(here)
            .push(", ")
            .ident(there)
            .push(", \"role\", \"created_at\", \"created_by\") VALUES (");
        sql.bind(grant.record()).push(", ").bind(other).push(", ").bind(Cell::opt_text(role)).push(", ").bind(now);
        sql.push(", ").bind(user).push(")").push(end);
        let mut moved = self.conn().execute(&sql)? > 0;
        if !moved {
            let mut sql = Sql::new("UPDATE ");
            sql.ident(&table)
                .push(" SET \"role\" = ")
                .bind(Cell::opt_text(role))
                .push(" WHERE ")
                .ident(here)
                .push(" = ");
            sql.bind(grant.record()).push(" AND ").ident(there).push(" = ").bind(other);
            sql.push(" AND coalesce(\"role\", '') <> ").bind(role.unwrap_or_default());
            moved = self.conn().execute(&sql)? > 0;
        }
        if moved {
            self.log_link(grant, Verb::Link, relation, other, role)?;
        }
        Ok(moved)
    }

    /// Undoes a link. Says whether there was one.
    pub fn unlink(
        &mut self,
        grant: &Grant<'_, Update>,
        relation: &Relation,
        other: RecordId,
    ) -> Result<bool, StoreError> {
        let (here, there) = ends(relation);
        let mut sql = Sql::new("DELETE FROM ");
        sql.ident(&relation.definer.link_table(&relation.link)).push(" WHERE ").ident(here).push(" = ");
        sql.bind(grant.record()).push(" AND ").ident(there).push(" = ").bind(other);
        let moved = self.conn().execute(&sql)? > 0;
        if moved {
            self.log_link(grant, Verb::Unlink, relation, other, None)?;
        }
        Ok(moved)
    }

    fn log_link(
        &mut self,
        grant: &Grant<'_, Update>,
        verb: Verb,
        relation: &Relation,
        other: RecordId,
        role: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut entry = self.entry(grant.actor(), verb).on_record(grant.object(), grant.record());
        entry.decision.rules = grant.why().rules.clone();
        entry.decision.epoch = Some(grant.why().epoch);
        entry.related = vec![audit::Disclosed { object: relation.target.clone(), ids: vec![other], count: 1 }];
        entry.note = role.map_or_else(|| relation.name.clone(), |role| format!("{} {role}", relation.name));
        self.log_entry(&entry)
    }
}
