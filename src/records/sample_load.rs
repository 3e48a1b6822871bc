//! Loading sample data: the steps that somebody else made up, through the verbs of everybody, marked as sample, in few
//! commits. It knows nothing of what the sample is about, and never loads into an appliance that has customers.

use crate::sample::{Marker, SampleState, SampleView, marker_in_tx};
use crate::settings::note_config;
use crate::{CreateOptions, Pending, Records};
use authz::AppAction;
use identity::{Actor, ActorKind};
use kernel::{Code, Fault, RecordId, Timestamp};
use metadata::{ObjectDef, ObjectKind};
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use store::{Cause, Kept, Refused, WriteTx};

/// Records of one commit.
const BATCH: usize = 250;

/// A many-to-many link to an earlier record of the sample.
pub struct SampleLink {
    /// The relation, seen from the record that carries the link.
    pub relation: &'static str,
    /// The record at the other end.
    pub other: RecordId,
    /// Its role.
    pub role: Option<&'static str>,
}

/// One step of the loading.
pub enum SampleStep {
    /// Make a record with this id.
    Create {
        /// The object.
        object: Arc<ObjectDef>,
        /// The record.
        id: RecordId,
        /// Its values in wire form.
        fields: Map<String, Json>,
        /// Its links.
        links: Vec<SampleLink>,
        /// When it would have been made.
        created_at: Timestamp,
    },
    /// Change one that was made before.
    Change {
        /// The object.
        object: Arc<ObjectDef>,
        /// The record.
        id: RecordId,
        /// The values in wire form.
        fields: Map<String, Json>,
    },
}

/// Makes up a sample. Blocking; called on a thread of its own.
pub trait SampleSource: Send + Sync {
    /// The steps, in an order in which every record comes after those it points to.
    fn steps(&self, records: &Records) -> Result<Vec<SampleStep>, Fault>;
}

impl Records {
    /// Begins to load sample data into an appliance without customers, and answers at once; [`Records::sample_show`] tells how
    /// far it is.
    pub fn sample_load(&self, actor: &Arc<Actor>, source: Arc<dyn SampleSource>) -> Pending<SampleView> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::in_background(move || {
            records.may_act(&actor, AppAction::System, audit::Verb::ConfigChange)?;
            if !records.sample.claim(SampleState::Loading) {
                return Err(busy());
            }
            if let Err(fault) = records.sample_begin(&actor) {
                records.sample.end(&Ok(()));
                return Err(fault);
            }
            let (loader, who) = (records.clone(), Arc::clone(&actor));
            let work = move || {
                let outcome = source.steps(&loader).and_then(|steps| loader.sample_steps(&who, steps));
                if let Err(fault) = &outcome {
                    tracing::warn!(code = fault.code.as_str(), detail = fault.detail, "the sample data was not loaded");
                }
                loader.sample.end(&outcome);
            };
            spawn(&records, "sample", work)?;
            records.sample_view(&actor)
        })
    }

    /// Loads sample data and waits for its end; for the command line.
    pub fn sample_load_now(&self, actor: &Arc<Actor>, steps: Vec<SampleStep>) -> Result<(), Fault> {
        self.sample_begin(actor)?;
        self.sample_steps(actor, steps)
    }

    /// The view, when its right was checked before.
    pub(crate) fn sample_view(&self, actor: &Arc<Actor>) -> Result<SampleView, Fault> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        let shown = self.store.disclose(move |tx| Ok((records.sample_in_tx(tx, &actor)?, Vec::new())));
        Ok(shown.wait()?.into_inner())
    }

    /// Marks the appliance as one with sample data, if it may have some.
    fn sample_begin(&self, actor: &Arc<Actor>) -> Result<(), Fault> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        let begun = self.store.write(move |tx| {
            let rules = records.may_run(tx, &actor, AppAction::System)?;
            if marker_in_tx(tx.read())?.is_some() {
                let detail = "There is sample data already; remove it before you load it again.";
                return Err(Fault::new(Code::SampleRefused, detail).into());
            }
            let catalog = Arc::clone(tx.read().catalog());
            for object in catalog.objects().filter(|object| object.kind == ObjectKind::Business) {
                if tx.read().has_rows(object)? {
                    let detail =
                        format!("There are records of {} already; sample data is for an empty appliance.", object.name);
                    return Err(Fault::new(Code::SampleRefused, detail).into());
                }
            }
            let marker = Marker { begun_at: records.store.clock().now(), loaded_at: None };
            tx.keep(Kept::Sample, &marker.text()?)?;
            note_config(tx, &actor, rules, "sample data: loading".to_owned())
        });
        begun.wait()
    }

    fn sample_steps(&self, actor: &Arc<Actor>, steps: Vec<SampleStep>) -> Result<(), Fault> {
        let system = Arc::new(self.system_actor(actor).map_err(|refused| refused.fault)?);
        let by = (actor.kind() == ActorKind::User).then(|| actor.user());
        let total = steps.len();
        let mut done = 0;
        let mut steps = steps.into_iter().peekable();
        while steps.peek().is_some() {
            self.sample.at(done, total);
            let part: Vec<SampleStep> = steps.by_ref().take(BATCH).collect();
            done += part.len();
            let (records, system) = (self.clone(), Arc::clone(&system));
            let unit = self
                .store
                .write(move |tx| part.into_iter().try_for_each(|step| records.sample_step(tx, &system, by, step)));
            unit.wait()?;
        }
        let (records, actor) = (self.clone(), Arc::clone(actor));
        let ended = self.store.write(move |tx| {
            let rules = records.may_run(tx, &actor, AppAction::System)?;
            let now = records.store.clock().now();
            let begun_at = marker_in_tx(tx.read())?.map_or(now, |marker| marker.begun_at);
            tx.keep(Kept::Sample, &Marker { begun_at, loaded_at: Some(now) }.text()?)?;
            note_config(tx, &actor, rules, format!("sample data: loaded in {total} steps"))
        });
        ended.wait()
    }

    fn sample_step(
        &self,
        tx: &mut WriteTx<'_, '_>,
        system: &Arc<Actor>,
        by: Option<kernel::UserId>,
        step: SampleStep,
    ) -> Result<(), Refused> {
        let cause = |created_at| Cause { is_sample: true, created_at, on_behalf_of: by, ..Cause::default() };
        match step {
            SampleStep::Create { object, id, mut fields, links, created_at } => {
                // What the appliance keeps of a real record, a sample brings along: it has no past in which it was kept.
                let names: Vec<String> =
                    fields.keys().filter(|name| object.field(name).is_some_and(|one| one.read_only)).cloned().collect();
                let kept = names.into_iter().filter_map(|name| fields.remove_entry(&name)).collect();
                let told = |refused: Refused| in_words(refused, &object.name);
                let options =
                    CreateOptions { cause: cause(Some(created_at)), id: Some(id), kept, ..CreateOptions::default() };
                self.create_in_tx(tx, system, &object, &fields, options).map_err(told)?;
                for SampleLink { relation, other, role } in links {
                    self.link_by_name_in_tx(tx, system, &object, id, relation, (other, role)).map_err(told)?;
                }
                Ok(())
            }
            SampleStep::Change { object, id, fields } => {
                self.upsert_in_tx(tx, system, &object, id, &fields, cause(None)).map(|_| ())
            }
        }
    }
}

/// Runs the work on a thread; when there is none, nothing goes on.
pub(crate) fn spawn(records: &Records, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Fault> {
    match std::thread::Builder::new().name(name.to_owned()).spawn(work) {
        Ok(_) => Ok(()),
        Err(error) => {
            records.sample.end(&Ok(()));
            Err(Fault::internal(error))
        }
    }
}

pub(crate) fn busy() -> Fault {
    Fault::new(Code::JobBusy, "Sample data is being loaded or removed; wait until that is over.")
}

/// Names the object, so that a sample that does not fit the definitions can be mended.
fn in_words(mut refused: Refused, object: &str) -> Refused {
    refused.fault.detail = format!("a sample record of {object}: {}", refused.fault.detail);
    refused
}
