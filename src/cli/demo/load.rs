//! Puts the generated sample into an appliance: through the verbs of everybody, marked as sample data, in few commits.
//! It knows nothing of what the sample is about.

use crate::appliance::Desk;
use crate::cli::failure::Failure;
use kernel::{Code, Id, RecordId, Timestamp};
use metadata::ObjectDef;
use records::CreateOptions;
use sample::{Sample, SampleRecord};
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;
use std::sync::Arc;
use store::{Cause, Refused};

/// Records of one commit.
const BATCH: usize = 250;

/// Where the records of the sample went.
pub(super) struct Loaded(HashMap<String, (&'static str, RecordId)>);

impl Loaded {
    /// The record with this key.
    pub(super) fn id(&self, key: &str) -> Result<RecordId, Failure> {
        self.place(key).map(|(_, id)| id)
    }
    fn place(&self, key: &str) -> Result<(&'static str, RecordId), Failure> {
        let unknown = || Failure::new(Code::Internal, format!("the sample names {key}, which it does not have"));
        self.0.get(key).copied().ok_or_else(unknown)
    }
    /// Replaces every `{"$ref": key}` by the record it names.
    fn resolved(&self, fields: &Map<String, Json>) -> Result<Map<String, Json>, Failure> {
        let mut resolved = Map::new();
        for (name, value) in fields {
            let value = match value.get("$ref").and_then(Json::as_str) {
                Some(key) => {
                    let (object, id) = self.place(key)?;
                    json!({"object": object, "id": id})
                }
                None => value.clone(),
            };
            resolved.insert(name.clone(), value);
        }
        Ok(resolved)
    }
}

/// One step of a commit.
enum Step {
    Create { object: Arc<ObjectDef>, id: RecordId, fields: Map<String, Json>, links: Vec<Link>, created_at: Timestamp },
    Change { object: Arc<ObjectDef>, id: RecordId, fields: Map<String, Json> },
}

struct Link {
    relation: &'static str,
    other: RecordId,
    role: Option<&'static str>,
}

/// Makes all records of the sample, then the changes that had to wait for them.
pub(super) fn load(desk: &Desk, sample: &Sample) -> Result<Loaded, Failure> {
    let people = sample.users.iter().map(|user| &user.record);
    let records: Vec<&SampleRecord> =
        sample.units.iter().chain(&sample.teams).chain(people).chain(&sample.records).collect();
    let new_id = || Id::generate(desk.store.clock().as_ref(), desk.store.random().as_ref());
    let loaded = Loaded(records.iter().map(|record| (record.key.clone(), (record.object, new_id()))).collect());
    let catalog = desk.records.catalog();
    let definition = |object: &str| {
        let unknown =
            || Failure::new(Code::ObjectUnknown, format!("the sample has records of {object}, which is no object"));
        catalog.object(object).cloned().ok_or_else(unknown)
    };
    let mut steps = Vec::with_capacity(records.len() + sample.patches.len());
    for record in records {
        let mut links = Vec::with_capacity(record.links.len());
        for link in &record.links {
            links.push(Link { relation: link.relation, other: loaded.id(&link.target)?, role: link.role });
        }
        let (object, id) = (definition(record.object)?, loaded.id(&record.key)?);
        let (fields, created_at) = (loaded.resolved(&record.fields)?, record.created_at);
        steps.push(Step::Create { object, id, fields, links, created_at });
    }
    for (key, fields) in &sample.patches {
        let (object, id) = loaded.place(key)?;
        steps.push(Step::Change { object: definition(object)?, id, fields: loaded.resolved(fields)? });
    }
    let mut steps = steps.into_iter().peekable();
    while steps.peek().is_some() {
        commit(desk, steps.by_ref().take(BATCH).collect())?;
    }
    Ok(loaded)
}

fn commit(desk: &Desk, steps: Vec<Step>) -> Result<(), Failure> {
    let (records, operator) = (desk.records.clone(), Arc::clone(&desk.operator));
    let unit = desk.records.unit(move |tx| {
        let cause = |created_at| Cause { is_sample: true, created_at, ..Cause::default() };
        for step in steps {
            match step {
                Step::Create { object, id, fields, links, created_at } => {
                    let options =
                        CreateOptions { cause: cause(Some(created_at)), id: Some(id), ..CreateOptions::default() };
                    let told = |refused: Refused| in_words(refused, &object.name);
                    records.create_in_tx(tx, &operator, &object, &fields, options).map_err(told)?;
                    for Link { relation, other, role } in links {
                        records
                            .link_by_name_in_tx(tx, &operator, &object, id, relation, (other, role))
                            .map_err(told)?;
                    }
                }
                Step::Change { object, id, fields } => {
                    records.upsert_in_tx(tx, &operator, &object, id, &fields, cause(None))?;
                }
            }
        }
        Ok(())
    });
    Ok(unit.wait()?)
}

/// Names the object, so that a sample that does not fit the definitions can be mended.
fn in_words(mut refused: Refused, object: &str) -> Refused {
    refused.fault.detail = format!("a sample record of {object}: {}", refused.fault.detail);
    refused
}
