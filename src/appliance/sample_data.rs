//! The sample of the house as steps of its loading: keys become ids, references become records. The same sample for the
//! demonstration and for an appliance that wants one from the browser. It writes nothing.

use kernel::{Clock, Code, Fault, Id, Random, RecordId};
use metadata::{Catalog, ObjectDef};
use records::{Records, SampleLink, SampleSource, SampleStep};
use sample::{Sample, SampleRecord};
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;
use std::sync::Arc;

/// The same sample everywhere, so that guides and screenshots fit.
const SEED: u64 = 2024;

/// Makes up the sample of the house.
pub(crate) struct HouseSample {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl HouseSample {
    /// The sample as it looks now.
    pub(crate) fn generate(&self) -> Sample {
        sample::generate(self.clock.now(), SEED)
    }
    /// The steps that load it, and where its records go.
    pub(crate) fn lay_out(&self, catalog: &Catalog, sample: &Sample) -> Result<(Vec<SampleStep>, Places), Fault> {
        let people = sample.users.iter().map(|user| &user.record);
        let records: Vec<&SampleRecord> =
            sample.units.iter().chain(&sample.teams).chain(people).chain(&sample.records).collect();
        let new_id = || Id::generate(self.clock.as_ref(), self.random.as_ref());
        let places = Places(records.iter().map(|record| (record.key.clone(), (record.object, new_id()))).collect());
        let mut steps = Vec::with_capacity(records.len() + sample.patches.len());
        for record in records {
            let mut links = Vec::with_capacity(record.links.len());
            for link in &record.links {
                links.push(SampleLink { relation: link.relation, other: places.id(&link.target)?, role: link.role });
            }
            let (object, id) = (definition(catalog, record.object)?, places.id(&record.key)?);
            let (fields, created_at) = (places.resolved(&record.fields)?, record.created_at);
            steps.push(SampleStep::Create { object, id, fields, links, created_at });
        }
        for (key, fields) in &sample.patches {
            let (object, id) = places.of(key)?;
            let (object, fields) = (definition(catalog, object)?, places.resolved(fields)?);
            steps.push(SampleStep::Change { object, id, fields });
        }
        Ok((steps, places))
    }
}

impl SampleSource for HouseSample {
    fn steps(&self, records: &Records) -> Result<Vec<SampleStep>, Fault> {
        Ok(self.lay_out(&records.catalog(), &self.generate())?.0)
    }
}

fn definition(catalog: &Catalog, object: &str) -> Result<Arc<ObjectDef>, Fault> {
    let unknown = || Fault::new(Code::ObjectUnknown, format!("the sample has records of {object}, which is no object"));
    catalog.object(object).cloned().ok_or_else(unknown)
}

/// Where the records of the sample go.
pub(crate) struct Places(HashMap<String, (&'static str, RecordId)>);

impl Places {
    /// The record with this key.
    pub(crate) fn id(&self, key: &str) -> Result<RecordId, Fault> {
        self.of(key).map(|(_, id)| id)
    }
    fn of(&self, key: &str) -> Result<(&'static str, RecordId), Fault> {
        let unknown = || Fault::internal(format!("the sample names {key}, which it does not have"));
        self.0.get(key).copied().ok_or_else(unknown)
    }
    /// Replaces every `{"$ref": key}` by the record it names.
    fn resolved(&self, fields: &Map<String, Json>) -> Result<Map<String, Json>, Fault> {
        let mut resolved = Map::new();
        for (name, value) in fields {
            let value = match value.get("$ref").and_then(Json::as_str) {
                Some(key) => {
                    let (object, id) = self.of(key)?;
                    json!({"object": object, "id": id})
                }
                None => value.clone(),
            };
            resolved.insert(name.clone(), value);
        }
        Ok(resolved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::SampleState;
    use std::collections::BTreeMap;
    use testkit::{Engine, TestAppliance};

    /// Rows of every table but the log.
    fn rows(kontor: &TestAppliance) -> BTreeMap<String, i64> {
        let count = |table: String| {
            let rows = kontor.sql_number(&format!("SELECT count(*) FROM \"{table}\""));
            (table, rows)
        };
        kontor.tables().into_iter().filter(|table| table != "k_audit").map(count).collect()
    }

    /// The whole sample on one engine; every kind of row it leaves is tried on both in `records`.
    #[test]
    fn the_sample_of_the_house_goes_to_the_last_row() {
        let kontor = TestAppliance::new(Engine::Embedded);
        let (clock, random) = (Arc::clone(kontor.store.clock()), Arc::clone(kontor.store.random()));
        let house = HouseSample { clock, random };
        let (operator, before) = (kontor.operator(), rows(&kontor));
        let steps = house.steps(&kontor.records).unwrap();
        kontor.records.sample_load_now(&operator, steps).unwrap();
        assert!(rows(&kontor).values().sum::<i64>() > before.values().sum::<i64>() + 2_000);
        kontor.records.sample_remove(&operator, false, || {}).wait().unwrap();
        let ended = loop {
            let view = kontor.records.sample_show(&operator).wait().unwrap().into_view();
            if view.state != SampleState::Removing {
                break view;
            }
            std::thread::yield_now();
        };
        assert_eq!((ended.state, ended.error), (SampleState::None, None));
        assert_eq!(rows(&kontor), before);
        kontor.seal_log();
        assert!(kontor.verify(4).ok);
    }
}
