//! From a text in a cell to a record: by a name in another system or by a plain field, remembered for the rest of the run.
//! A text that fits two records is an error, never a guess.

use crate::{CreateMissing, ReferenceBy};
use authz::{Level, Verb};
use identity::Actor;
use kernel::{Code, Fault, RecordId};
use metadata::ObjectDef;
use records::{CreateOptions, Records};
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;
use std::sync::Arc;
use store::{Cause, Refused, WriteTx};

/// Texts remembered; beyond that the database answers again.
const REMEMBERED_MAX: usize = 100_000;

/// What a text resolved to.
pub(crate) struct Found {
    pub(crate) object: String,
    pub(crate) id: RecordId,
    pub(crate) made: bool,
}

/// Remembers what texts resolved to. What a rejected row learned is forgotten with it: it may have been undone.
#[derive(Default)]
pub(crate) struct Resolver {
    known: HashMap<Key, RecordId>,
    learned: Vec<Key>,
}

type Key = (String, ReferenceKey, String);

type ReferenceKey = (bool, String);

fn key_of(by: &ReferenceBy) -> ReferenceKey {
    match by {
        ReferenceBy::ExternalId(system) => (true, system.clone()),
        ReferenceBy::Field(field) => (false, field.clone()),
    }
}

impl Resolver {
    /// The record behind a text; `None` when there is none and none may be made.
    pub(crate) fn find(
        &mut self,
        records: &Records,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        (objects, by, text, create): (&[String], &ReferenceBy, &str, &CreateMissing),
        cause: &Cause,
    ) -> Result<Option<Found>, Refused> {
        for object in objects {
            let key = (object.clone(), key_of(by), text.to_owned());
            if let Some(id) = self.known.get(&key) {
                return Ok(Some(Found { object: object.clone(), id: *id, made: false }));
            }
            let definition = definition(records, object)?;
            if let Some(id) = look_up(records, tx, actor, (&definition, by, text))? {
                self.remember(key, id);
                return Ok(Some(Found { object: object.clone(), id, made: false }));
            }
        }
        let (Some(fields), [object], ReferenceBy::Field(field)) = (create, objects, by) else { return Ok(None) };
        let definition = definition(records, object)?;
        let mut body: Map<String, Json> = fields.clone();
        body.insert(field.clone(), json!(text));
        let options = CreateOptions { cause: cause.clone(), ..CreateOptions::default() };
        let id = records.create_in_tx(tx, actor, &definition, &body, options)?;
        self.remember((object.clone(), key_of(by), text.to_owned()), id);
        Ok(Some(Found { object: object.clone(), id, made: true }))
    }

    /// The record behind a text, if that was found out before.
    pub(crate) fn knows(&self, object: &str, by: &ReferenceBy, text: &str) -> Option<RecordId> {
        self.known.get(&(object.to_owned(), key_of(by), text.to_owned())).copied()
    }

    fn remember(&mut self, key: Key, id: RecordId) {
        if self.known.len() < REMEMBERED_MAX {
            self.known.insert(key.clone(), id);
            self.learned.push(key);
        }
    }

    /// Where a row begins.
    pub(crate) fn mark(&self) -> usize {
        self.learned.len()
    }

    /// Forgets everything learned since the mark.
    pub(crate) fn back_to(&mut self, mark: usize) {
        for key in self.learned.drain(mark.min(self.learned.len())..) {
            self.known.remove(&key);
        }
    }
}

pub(crate) fn definition(records: &Records, object: &str) -> Result<Arc<ObjectDef>, Fault> {
    let unknown = || Fault::new(Code::ObjectUnknown, format!("There is no object {object}."));
    records.catalog().object(object).cloned().ok_or_else(unknown)
}

/// The one record that fits, none, or an error when more do. Records out of the actor's reach are not there, and a field that
/// the actor may not read finds nothing.
pub(crate) fn look_up(
    records: &Records,
    tx: &mut WriteTx<'_, '_>,
    actor: &Arc<Actor>,
    (object, by, text): (&Arc<ObjectDef>, &ReferenceBy, &str),
) -> Result<Option<RecordId>, Refused> {
    let policy = records.policy();
    let Ok(scope) = policy.scope(actor, object, Verb::Read) else { return Ok(None) };
    let found = match by {
        ReferenceBy::ExternalId(system) => {
            let Some(id) = tx.read().external_find(&object.name, system, text)? else { return Ok(None) };
            let facts = tx.read().facts(object, id)?;
            return Ok(facts.filter(|facts| scope.predicate().admits(facts)).map(|_| id));
        }
        ReferenceBy::Field(field) => {
            let plain = object.field(field).is_some_and(|field| !field.is_sealed());
            let read = object.field_index(field).is_some_and(|at| scope.floor().get(at) >= Level::Read);
            if !plain || !read {
                let detail = format!(
                    "Field {field} of {} is sealed, unknown or not yours to read, so records cannot be found by it.",
                    object.name
                );
                return Err(Fault::new(Code::FieldNotFilterable, detail).into());
            }
            tx.read().ids_by_text(&scope, object, field, text)?
        }
    };
    match found.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(*only)),
        _ => Err(Fault::new(
            Code::ReferenceAmbiguous,
            format!("More than one {} fits; name it by an external id.", object.name),
        )
        .into()),
    }
}
