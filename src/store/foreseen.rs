//! What a unit of work looks up ahead, for many rows in one query each: names in other systems, records by a text, facts.
//! Nobody else writes meanwhile, and what the unit itself writes is followed here, so an answer is the one that the
//! database would give. Never decides who may see what: the same scope asks, ahead and later.

use crate::engine::{Cell, Sql};
use crate::external::{has_sort_key, may_look_up};
use crate::read::push_predicate;
use crate::{ReadTx, StoreError};
use authz::{Predicate, Scope};
use kernel::RecordId;
use metadata::{Checked, ColumnType, ObjectDef, Value};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Values in one query, of each size a text; a rest is filled up with its last value.
const SIZES: [usize; 3] = [8, 64, 256];

type Names = HashMap<String, Option<RecordId>>;
type Texts = HashMap<String, Vec<RecordId>>;

/// What was looked up.
#[derive(Default)]
pub(crate) struct Foreseen {
    /// By object and system.
    externals: HashMap<(String, String), Names>,
    /// By object, field and reach.
    texts: HashMap<(u64, String, Predicate), Texts>,
}

impl Foreseen {
    pub(crate) fn external(&self, object: &str, system: &str, name: &str) -> Option<Option<RecordId>> {
        if self.externals.is_empty() {
            return None;
        }
        self.externals.get(&(object.to_owned(), system.to_owned()))?.get(name).copied()
    }

    pub(crate) fn text(&self, scope: &Scope<'_>, object: &ObjectDef, field: &str, text: &str) -> Option<Vec<RecordId>> {
        if self.texts.is_empty() {
            return None;
        }
        self.texts.get(&(object.serial.0, field.to_owned(), scope.predicate().clone()))?.get(text).cloned()
    }

    /// A record was named.
    pub(crate) fn named(&mut self, object: &str, system: &str, name: &str, record: RecordId) {
        if let Some(names) = self.externals.get_mut(&(object.to_owned(), system.to_owned())) {
            names.insert(name.to_owned(), Some(record));
        }
    }

    /// A record was made: its texts fit one record more than they did.
    pub(crate) fn made(&mut self, object: &ObjectDef, values: &Checked) {
        for ((serial, field, _), texts) in &mut self.texts {
            let index = object.field_index(field).filter(|_| *serial == object.serial.0);
            if let Some(text) = index.and_then(|index| text_of(object, index, values.get(index)?)) {
                texts.remove(&text);
            }
        }
    }

    /// A record was changed, which may have moved it out of reach or into it.
    pub(crate) fn changed(&mut self, object: &ObjectDef) {
        self.texts.retain(|(serial, _, _), _| *serial != object.serial.0);
    }
}

fn text_of(object: &ObjectDef, index: usize, value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        other => other.to_text(&object.fields.get(index)?.field_type),
    }
}

/// Values in as many queries as they need, of few sizes, so that few texts stay prepared.
fn portions<T: Clone>(values: &[T]) -> impl Iterator<Item = Vec<T>> {
    let most = SIZES.last().copied().unwrap_or(1);
    values.chunks(most).map(|chunk| {
        let size = SIZES.into_iter().find(|size| *size >= chunk.len()).unwrap_or(chunk.len());
        let mut portion = chunk.to_vec();
        if let Some(last) = chunk.last() {
            portion.resize(size, last.clone());
        }
        portion
    })
}

impl ReadTx<'_> {
    /// Looks up names of records in another system ahead; hands back the records they have.
    pub fn externals_foresee(
        &mut self,
        object: &str,
        system: &str,
        names: &BTreeSet<&str>,
    ) -> Result<Vec<RecordId>, StoreError> {
        let mut found: Names = names.iter().map(|name| ((*name).to_owned(), None)).collect();
        let names: Vec<&str> = names.iter().copied().collect();
        for portion in portions(&names) {
            // One search of the index for each name: a join, or a list, would be planned by what the engine believes to be
            // in the table, which an import has just filled.
            let mut sql =
                Sql::new("SELECT w.\"column1\", (SELECT e.\"record\" FROM \"k_external_id\" e WHERE e.\"object\" = ");
            sql.bind(object).push(" AND e.\"system\" = ").bind(system);
            sql.push(" AND e.\"external_id\" = w.\"column1\") FROM (VALUES ");
            for (at, name) in portion.into_iter().enumerate() {
                sql.push(if at == 0 { "(" } else { ", (" }).bind(name).push(")");
            }
            sql.push(") w").varied();
            for row in self.conn.rows(&sql, &[ColumnType::Text, ColumnType::Binary])? {
                if let Some(name) = row.text(0) {
                    found.insert(name, row.id(1));
                }
            }
        }
        let ids = found.values().flatten().copied().collect();
        self.foreseen.externals.entry((object.to_owned(), system.to_owned())).or_default().extend(found);
        Ok(ids)
    }

    /// Looks up records by a text of a plain field ahead, as [`ReadTx::ids_by_text`] would; hands back those that fit.
    pub fn texts_foresee(
        &mut self,
        scope: &Scope<'_>,
        object: &ObjectDef,
        field: &str,
        texts: &BTreeSet<&str>,
    ) -> Result<Vec<RecordId>, StoreError> {
        may_look_up(scope, object, field)?;
        let sorted = has_sort_key(object, field);
        let mut known = Texts::new();
        let texts: Vec<&str> = texts.iter().copied().collect();
        for portion in portions(&texts) {
            let push_fitting = |sql: &mut Sql| {
                sql.push(" FROM ").ident(&object.name).push(" t WHERE t.\"deleted_at\" IS NULL AND t.").ident(field);
                sql.push(" = w.\"column1\"");
                if sorted {
                    // The index stands on the sort key; the text itself decides.
                    sql.push(" AND t.").ident(&format!("{field}__sort")).push(" = w.\"column2\"");
                }
                push_predicate(sql, scope.predicate(), "t");
            };
            let mut sql = Sql::new("SELECT w.\"column1\", (SELECT t.\"id\"");
            push_fitting(&mut sql);
            sql.push(" LIMIT 1), (SELECT count(*) FROM (SELECT 1");
            push_fitting(&mut sql);
            sql.push(" LIMIT 2) n) FROM (VALUES ");
            for (at, text) in portion.into_iter().enumerate() {
                sql.push(if at == 0 { "(" } else { ", (" }).bind(text).push(", ");
                sql.bind(Cell::Text(metadata::sort_key(text))).push(")");
            }
            sql.push(") w").varied();
            for row in self.conn.rows(&sql, &[ColumnType::Text, ColumnType::Binary, ColumnType::Integer])? {
                // One that fits several is looked up when it is its turn, and told there.
                if let Some(text) = row.text(0).filter(|_| row.int(2).is_some_and(|fit| fit < 2)) {
                    known.insert(text, row.id(1).into_iter().collect());
                }
            }
        }
        let ids = known.values().flatten().copied().collect();
        let key = (object.serial.0, field.to_owned(), scope.predicate().clone());
        self.foreseen.texts.entry(key).or_default().extend(known);
        Ok(ids)
    }

    /// Reads what decides who reaches these records, as [`ReadTx::facts`] would for each.
    pub fn facts_foresee(&mut self, object: &Arc<ObjectDef>, ids: &BTreeSet<RecordId>) -> Result<(), StoreError> {
        let selection = self.shared.selections.of(object, []);
        let unknown: Vec<RecordId> = ids.iter().copied().filter(|id| !self.knows_facts(object, *id)).collect();
        for portion in portions(&unknown) {
            let mut sql = Sql::new("SELECT ");
            selection.push_columns(&mut sql);
            sql.push(" FROM ").ident(&object.name).push(" t WHERE t.\"id\" IN (");
            sql.binds(portion.iter().map(|id| Cell::from(*id))).push(")").varied();
            let mut found = HashMap::with_capacity(portion.len());
            for row in self.conn.rows(&sql, selection.types())? {
                let row = selection.row(row)?;
                found.insert(row.id(), (!row.deleted()).then(|| row.facts().clone()));
            }
            for id in portion {
                let facts = found.get(&id).cloned().flatten();
                self.keep_facts(object, id, facts);
            }
        }
        Ok(())
    }
}
