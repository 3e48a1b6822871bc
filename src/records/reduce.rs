//! From stored rows to what one reader may see of them: clear, masked, existence only, or nothing, field by field, by the
//! grant of each record. The same function serves lists, opens, searches and links.

use crate::RecordView;
use crate::fields::{Chosen, RelatedFields, pointed};
use audit::{Disclosed, FieldUse, How};
use authz::{Grant, Level, Read, Scope};
use kernel::RecordId;
use metadata::{ObjectDef, Sensitivity, mask};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use store::{ReadTx, StoreError, StoredRow};

/// What was disclosed, for the log. Only personal fields are named: the rest follows from policy epoch and scope, and an
/// entry of a thousand field names per page would hide what matters.
#[derive(Default)]
pub(crate) struct Tally {
    used: BTreeMap<String, How>,
    related: BTreeMap<String, Vec<RecordId>>,
}

impl Tally {
    pub(crate) fn field(&mut self, object: &ObjectDef, at: usize, how: How) {
        let Some(field) = object.fields.get(at).filter(|field| field.sensitivity >= Sensitivity::S2) else { return };
        let strongest = self.used.entry(field.name.clone()).or_insert(how);
        if how == How::Clear {
            *strongest = how;
        }
    }
    /// What a view shows that was made before.
    pub(crate) fn view(&mut self, object: &ObjectDef, view: &RecordView) {
        for (name, value) in &view.fields {
            if let Some(at) = object.field_index(name).filter(|_| !value.is_null()) {
                self.field(object, at, How::Clear);
            }
        }
        for (name, shown) in &view.reduced {
            if let Some(at) = object.field_index(name) {
                self.field(object, at, if shown.is_boolean() { How::Exists } else { How::Masked });
            }
        }
    }
    pub(crate) fn filter(&mut self, name: &str) {
        self.used.entry(name.to_owned()).or_insert(How::UsedInFilter);
    }
    pub(crate) fn other(&mut self, object: &str, id: RecordId) {
        let ids = self.related.entry(object.to_owned()).or_default();
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    /// Moves everything into an entry.
    pub(crate) fn into_entry(self, entry: &mut audit::Entry) {
        entry.fields = self.used.into_iter().map(|(field, how)| FieldUse { field, how }).collect();
        entry.related = self
            .related
            .into_iter()
            .map(|(object, ids)| Disclosed { object, count: u64::try_from(ids.len()).unwrap_or(u64::MAX), ids })
            .collect();
    }
}

/// One record, reduced to the chosen own fields.
pub(crate) fn record(
    tx: &mut ReadTx<'_>,
    grant: &Grant<'_, Read>,
    row: &StoredRow,
    fields: &[usize],
    tally: &mut Tally,
) -> Result<RecordView, StoreError> {
    let mut view = RecordView {
        id: row.id(),
        object: row.object().name.clone(),
        version: row.version(),
        deleted: row.deleted(),
        merged_into: None,
        fields: Map::with_capacity(fields.len()),
        reduced: Map::new(),
    };
    for at in fields {
        put(tx, grant, row, *at, None, (&mut view.fields, &mut view.reduced), tally)?;
    }
    Ok(view)
}

/// Puts one field where it belongs: among the clear ones or the reduced ones.
fn put(
    tx: &mut ReadTx<'_>,
    grant: &Grant<'_, Read>,
    row: &StoredRow,
    at: usize,
    name: Option<&str>,
    (clear, reduced): (&mut Map<String, Json>, &mut Map<String, Json>),
    tally: &mut Tally,
) -> Result<(), StoreError> {
    let Some(field) = row.object().fields.get(at) else { return Ok(()) };
    let name = name.unwrap_or(&field.name).to_owned();
    match grant.levels().get(at) {
        Level::None => {}
        Level::Exists => {
            let there = tx.has_value(grant, row, at).unwrap_or_default();
            tally.field(row.object(), at, How::Exists);
            reduced.insert(name, Json::Bool(there));
        }
        Level::Masked => {
            let value = tx.value(grant, row, at)?.unwrap_or(metadata::Value::Null);
            if value.is_null() {
                clear.insert(name, Json::Null);
            } else {
                tally.field(row.object(), at, How::Masked);
                reduced.insert(name, Json::String(mask(field.mask_or_all(), &value, &field.field_type)));
            }
        }
        Level::Read | Level::Edit => {
            let value = tx.value(grant, row, at)?.unwrap_or(metadata::Value::Null);
            if !value.is_null() {
                tally.field(row.object(), at, How::Clear);
            }
            clear.insert(name, value.to_wire(&field.field_type));
        }
    }
    Ok(())
}

/// Many records of one scope, with their related fields: one query per related object, not per record.
pub(crate) fn records(
    tx: &mut ReadTx<'_>,
    scope: &Scope<'_>,
    rows: &[StoredRow],
    chosen: &Chosen<'_>,
    tally: &mut Tally,
) -> Result<Vec<RecordView>, StoreError> {
    tx.prefetch(rows, &chosen.own)?;
    let mut views = Vec::with_capacity(rows.len());
    let mut pointers: Vec<Vec<Option<RecordId>>> = vec![Vec::with_capacity(rows.len()); chosen.related.len()];
    for row in rows {
        // The query carried the scope already; a row outside would be a defect, and it stops here.
        let grant = scope.grant(row.facts()).map_err(|denied| StoreError::Fault(denied.into()))?;
        views.push(record(tx, &grant, row, &chosen.own, tally)?);
        for (related, list) in chosen.related.iter().zip(&mut pointers) {
            let visible = grant.levels().get(related.reference) >= Level::Read;
            let value = if visible { tx.value(&grant, row, related.reference)? } else { None };
            list.push(value.as_ref().and_then(pointed));
        }
    }
    for (related, list) in chosen.related.iter().zip(pointers) {
        join(tx, related, &list, &mut views, tally)?;
    }
    Ok(views)
}

/// Adds the fields of the records that one reference points to. Records out of reach add nothing.
fn join(
    tx: &mut ReadTx<'_>,
    related: &RelatedFields<'_>,
    pointers: &[Option<RecordId>],
    views: &mut [RecordView],
    tally: &mut Tally,
) -> Result<(), StoreError> {
    let Some(scope) = &related.scope else { return Ok(()) };
    let mut ids: Vec<RecordId> = pointers.iter().flatten().copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let wanted: Vec<usize> = related.fields.iter().map(|(at, _)| *at).collect();
    let others = tx.rows_in_scope(scope, &related.object, &ids, &wanted)?;
    tx.prefetch(&others, &wanted)?;
    for other in &others {
        let grant = scope.grant(other.facts()).map_err(|denied| StoreError::Fault(denied.into()))?;
        let (mut clear, mut reduced) = (Map::new(), Map::new());
        for (at, name) in &related.fields {
            put(tx, &grant, other, *at, Some(name), (&mut clear, &mut reduced), tally)?;
        }
        if clear.is_empty() && reduced.is_empty() {
            continue;
        }
        tally.other(&related.object.name, other.id());
        for (view, pointer) in views.iter_mut().zip(pointers) {
            if *pointer == Some(other.id()) {
                view.fields.extend(clear.clone());
                view.reduced.extend(reduced.clone());
            }
        }
    }
    Ok(())
}
