//! Whether what somebody is about to write is there already: the same telephone number, e-mail address or other value that
//! only one record has, or a similar name. Records in reach are named; of those beyond it one learns that there are some,
//! never which. Only who may make or change records of the object may ask, so that it is no search by another door.

use crate::reduce::Tally;
use crate::search::groups_of;
use crate::{Pending, Records};
use audit::Verb as Act;
use authz::{Level, Scope, Verb};
use identity::Actor;
use kernel::{Code, Fault, RecordId, limits};
use metadata::{FieldDef, FieldType, ObjectDef, Sealing, Value, parse_value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Condition, Filter, ListQuery, Op, ReadTx, Refused, SearchQuery};

/// What is about to be written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuplicatesRequest {
    /// The values so far.
    pub values: Map<String, Json>,
    /// The record that is being changed, which is no duplicate of itself.
    #[serde(default)]
    pub except: Option<RecordId>,
}

/// A record that may be the same.
#[derive(Clone, Debug, Serialize)]
pub struct Candidate {
    /// The record.
    pub id: RecordId,
    /// What it is called, as the reader may see it.
    pub title: Option<String>,
    /// The fields that agree.
    pub why: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct DuplicatesView {
    /// Records in reach, those that agree in most fields first.
    pub items: Vec<Candidate>,
    /// Whether a record out of reach has one of these values.
    pub others: bool,
    /// The fields that were compared. Others were not: they are not compared, or may not be read.
    pub compared: Vec<String>,
}

/// Values that hardly two records share.
fn tells_apart(field: &FieldDef) -> bool {
    let kind = matches!(field.field_type, FieldType::Email | FieldType::Phone);
    let found = !field.is_sealed() || field.sealing == Sealing::Exact;
    !field.retired && found && (kind || field.unique || field.sealing == Sealing::Exact)
}

/// The fields in which a value may stand as well: one number is somebody's phone here and mobile there.
fn alike(object: &ObjectDef, at: usize) -> Vec<usize> {
    let Some(field) = object.fields.get(at) else { return Vec::new() };
    let same = |other: &FieldDef| match field.field_type {
        FieldType::Phone => matches!(other.field_type, FieldType::Phone),
        FieldType::Email => matches!(other.field_type, FieldType::Email),
        _ => other.name == field.name,
    };
    (0..object.fields.len())
        .filter(|at| object.fields.get(*at).is_some_and(|other| tells_apart(other) && same(other)))
        .collect()
}

/// One check under way.
struct Check<'a> {
    object: &'a Arc<ObjectDef>,
    scope: Scope<'a>,
    except: Option<RecordId>,
    found: BTreeMap<RecordId, Vec<String>>,
    others: bool,
    compared: Vec<String>,
}

impl Records {
    /// Looks for records that may be the same as what is about to be written.
    pub fn duplicates(&self, actor: &Arc<Actor>, object: &str, request: DuplicatesRequest) -> Pending<DuplicatesView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        if request.values.len() > limits::DUPLICATE_FIELDS_MAX {
            let most = limits::DUPLICATE_FIELDS_MAX;
            let detail = format!("At most {most} values (DUPLICATE_FIELDS_MAX); send those that changed.");
            return Pending::failed(Fault::new(Code::LimitExceeded, detail));
        }
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| records.duplicates_in_tx(tx, &actor, &definition, request)))
    }

    fn duplicates_in_tx(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
        request: DuplicatesRequest,
    ) -> Result<(DuplicatesView, Vec<audit::Entry>), Refused> {
        let policy = self.policy();
        let denial = |denied| self.denial(actor, Act::Search, denied, None);
        let scope = policy.scope(actor, object, Verb::Read).map_err(denial)?;
        if policy.scope(actor, object, Verb::Update).is_err() {
            policy.scope(actor, object, Verb::Create).map_err(denial)?;
        }
        let system = self.system_actor(actor)?;
        let everywhere = policy.scope(&system, object, Verb::Read).map_err(denial)?;
        let (except, found) = (request.except, BTreeMap::new());
        let mut check = Check { object, scope, except, found, others: false, compared: Vec::new() };
        let mut tally = Tally::default();
        for (name, wire) in &request.values {
            let at = crate::fields::position(object, name, name)?;
            let Some(field) = object.fields.get(at) else { continue };
            let name_of_record = *name == object.title_field;
            if wire.is_null() || check.scope.floor().get(at) < Level::Read || !(tells_apart(field) || name_of_record) {
                continue;
            }
            // Half a number is no error while somebody types.
            let Ok(value) = parse_value(field, wire, "") else { continue };
            check.compared.push(name.clone());
            tally.filter(name);
            if tells_apart(field) {
                check.same(tx, &everywhere, at, &value)?;
            }
            if let Value::Text(text) = &value
                && name_of_record
            {
                check.similar(tx, name, text)?;
            }
        }
        let view = self.candidates(tx, actor, check, &mut tally)?;
        let ids = view.items.iter().map(|item| item.id).collect();
        let mut entry = self.store.entry(actor, Act::Search).on_list(&object.name, ids);
        tally.into_entry(&mut entry);
        entry.note = format!("duplicates; beyond reach: {}", if view.others { "some" } else { "none" });
        Ok((view, vec![entry]))
    }

    fn candidates(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        check: Check<'_>,
        tally: &mut Tally,
    ) -> Result<DuplicatesView, Refused> {
        let mut ranked: Vec<(RecordId, Vec<String>)> = check.found.into_iter().collect();
        ranked.sort_by_key(|(_, why)| std::cmp::Reverse(why.len()));
        ranked.truncate(limits::DUPLICATES_SHOWN);
        let wanted = ranked.iter().map(|(id, _)| (check.object.name.clone(), *id)).collect();
        let mut titles = self.titles_in_tx(tx, actor, wanted, tally)?;
        let items = ranked.into_iter().map(|(id, why)| Candidate { id, title: titles.remove(&id), why }).collect();
        Ok(DuplicatesView { items, others: check.others, compared: check.compared })
    }
}

impl Check<'_> {
    fn note(&mut self, id: RecordId, field: &str) {
        if self.except == Some(id) {
            return;
        }
        let why = self.found.entry(id).or_default();
        if !why.iter().any(|known| known == field) {
            why.push(field.to_owned());
        }
    }

    /// Records with exactly this value: those in reach by name, others only as being there.
    fn same(&mut self, tx: &mut ReadTx<'_>, everywhere: &Scope<'_>, at: usize, value: &Value) -> Result<(), Refused> {
        let object = Arc::clone(self.object);
        for place in alike(&object, at) {
            let (Some(field), true) = (object.fields.get(place), self.scope.floor().get(place) >= Level::Read) else {
                continue;
            };
            let query = |limit| ListQuery {
                object: Arc::clone(&object),
                filter: Some(Filter::Is(Condition { field: place, part: None, op: Op::Eq(value.clone()) })),
                search: Vec::new(),
                sort: Vec::new(),
                after: None,
                limit,
                fields: Vec::new(),
                deleted: false,
                within: None,
            };
            for row in tx.list(&self.scope, &query(limits::DUPLICATES_SHOWN + 1))?.rows {
                self.note(row.id(), &field.name);
            }
            if !self.others {
                let all = tx.list(everywhere, &query(limits::PAGE_ROWS_MAX))?;
                self.others = all.rows.iter().any(|row| !self.scope.predicate().admits(row.facts()));
            }
        }
        Ok(())
    }

    /// Records in reach whose name has all these words.
    fn similar(&mut self, tx: &mut ReadTx<'_>, name: &str, text: &str) -> Result<(), Refused> {
        let Ok(groups) = groups_of(self.object, self.scope.floor(), text) else { return Ok(()) };
        let (object, limit) = (Arc::clone(self.object), limits::DUPLICATES_SHOWN + 1);
        for row in tx.search(&self.scope, &SearchQuery { object, groups, fields: Vec::new(), limit })? {
            self.note(row.id(), name);
        }
        Ok(())
    }
}
