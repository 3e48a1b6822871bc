//! What a comparison found, brought back record by record as a job: each with its own decision, entry and result, stopped and
//! undone like any other job.

use super::bring::Choice;
use super::{Pair, PickSet, PickState};
use crate::change::Expect;
use crate::jobs::Doing;
use crate::preferences::is_person;
use crate::undo::{changed_since, old_values};
use crate::{JobView, Pending, Records};
use audit::Verb as Act;
use identity::{Actor, TokenVerb};
use kernel::{Code, Fault, RecordId, limits};
use metadata::ObjectDef;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{Refused, WriteTx};

/// What a job is called that brings records back.
pub(crate) const ACTION: &str = "backup_pick";

/// What of a comparison is brought back.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PickedAll {
    /// `missing`, `binned`, `different`.
    pub what: Vec<String>,
    /// Of those that differ, these fields; all when absent.
    #[serde(default)]
    pub fields: Option<Vec<String>>,
}

/// What a job needs of the set.
pub(crate) struct PickJob {
    set: Arc<PickSet>,
    pair: Pair,
    fields: Option<Vec<String>>,
}

impl PickedAll {
    fn states(&self) -> Result<Vec<PickState>, Fault> {
        let state = |word: &String| match word.as_str() {
            "missing" => Ok(PickState::Missing),
            "binned" => Ok(PickState::Binned),
            "different" => Ok(PickState::Live),
            _ => Err(Fault::new(Code::ParameterInvalid, "what names missing, binned and different.")),
        };
        self.what.iter().map(state).collect()
    }
}

impl Records {
    /// Begins to bring back what the actor's comparison of an object found.
    pub fn pick_bring_all(
        &self,
        actor: &Arc<Actor>,
        set: &Arc<PickSet>,
        object: &str,
        request: PickedAll,
    ) -> Pending<JobView> {
        let (records, actor, set, object) = (self.clone(), Arc::clone(actor), Arc::clone(set), object.to_owned());
        Pending::in_background(move || {
            is_person(&actor, TokenVerb::Update)?;
            records.may_pick(&actor, &set)?;
            records.bulk_allowed(&actor)?;
            if request.fields.as_ref().is_some_and(|fields| fields.len() > limits::PICK_FIELDS_MAX) {
                let detail = format!("At most {} fields (PICK_FIELDS_MAX).", limits::PICK_FIELDS_MAX);
                return Err(Fault::new(Code::LimitExceeded, detail));
            }
            let pair = records.pair(&set, &object)?;
            let comparison = records.comparison(&actor, &set, &object)?;
            if comparison.is_running() {
                return Err(Fault::new(
                    Code::JobBusy,
                    "The comparison is still running; stop it, or wait for its end.",
                ));
            }
            let found = comparison.found(&request.states()?, request.fields.as_deref());
            if found.is_empty() {
                return Err(Fault::new(Code::ParameterInvalid, "Nothing of this was found; compare first."));
            }
            let items = (0..).zip(found).map(|(ord, one)| (ord, one.id, one.version.unwrap_or(0))).collect();
            let change = serde_json::json!({"action": ACTION, "set": set.name(), "what": request.what, "fields": request.fields});
            let change = serde_json::to_vec(&change).map_err(Fault::internal)?;
            let doing = Doing::Pick(Arc::new(PickJob { set, pair: pair.clone(), fields: request.fields }));
            records.begin(&actor, &pair.now, (change, doing), (items, None), None)
        })
    }

    /// One record of a job.
    pub(crate) fn pick_one(
        &self,
        actor: &Arc<Actor>,
        job: &Arc<PickJob>,
        (id, version): (RecordId, i64),
    ) -> Result<impl FnOnce(&mut WriteTx<'_, '_>) -> Result<(i64, bool), Refused> + Send + 'static, Fault> {
        job.set.use_it(self.store.clock().now());
        let (kept, targets) = self.pick_kept(actor, &job.set, &job.pair, id)?;
        let (records, actor, job) = (self.clone(), Arc::clone(actor), Arc::clone(job));
        Ok(move |tx: &mut WriteTx<'_, '_>| {
            let read = Some(version).filter(|version| *version > 0);
            let fields = job.fields.as_deref();
            let choice = Choice { expect: Expect::Version(read), fields, with: &[], as_it_lay: true };
            let before = read.unwrap_or(0);
            let picked = records.pick_in_tx(tx, &actor, job.set.name(), &job.pair, (&kept, &targets), &choice)?;
            Ok((picked.version, picked.version != before))
        })
    }

    /// Takes back what a job brought, if the record is still as the job left it.
    pub(crate) fn pick_undo_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        (id, version): (RecordId, i64),
    ) -> Result<(i64, bool), Refused> {
        let as_left = Expect::Version(Some(version));
        let (row, grant) = self.row_to_change(tx, actor, object, id, Act::Update)?;
        if row.version() != version {
            return Err(changed_since().into());
        }
        let last = tx.read().history(&grant, &row, None, 1)?;
        if last.first().is_some_and(|act| act.verb == Act::Update) {
            let body = old_values(tx, object, (&row, &grant), 1)?;
            let changed = self.change_in_tx(tx, actor, object, (id, as_left), &body, store::Cause::default())?;
            return Ok((changed.version, changed.moved));
        }
        // It was made anew, or taken out of the bin.
        drop((row, grant));
        Ok((self.delete_in_tx(tx, actor, object, id, as_left)?.version, true))
    }
}
