//! Sample data as administrators see it: how much there is, what people changed or added since it came, and how far its
//! loading or removal is. A record is known to be sample by its system field `is_sample`, which only the loader sets. No
//! value of a record is shown here: whoever runs the appliance opens no customer data.

use crate::{Pending, Records};
use audit::Verb as Act;
use authz::AppAction;
use identity::Actor;
use kernel::{Fault, RecordId, Timestamp, UserId, limits};
use metadata::{Catalog, DeleteRule, FieldDef, FieldType, ObjectDef, Subject};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use store::{Kept, ReadTx, Refused, StoreError, Touched};

/// Where the sample data stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleState {
    /// There is none.
    None,
    /// It is on its way in.
    Loading,
    /// It is there.
    Present,
    /// It is on its way out.
    Removing,
    /// Its loading was cut off; what there is of it can be removed.
    Interrupted,
}

/// The sample records of one object.
#[derive(Clone, Debug, Serialize)]
pub struct SampleCount {
    /// The object.
    pub object: String,
    /// How many, those in the recycle bin too.
    pub count: usize,
    /// How many of them somebody has changed since.
    pub changed: usize,
}

/// A sample record that somebody has changed since. It goes with the sample.
#[derive(Clone, Debug, Serialize)]
pub struct SampleChange {
    /// The object.
    pub object: String,
    /// The record.
    pub id: RecordId,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Option<UserId>,
}

/// A record that is no sample and points to one.
#[derive(Clone, Debug, Serialize)]
pub struct SampleAdded {
    /// The object.
    pub object: String,
    /// The record.
    pub id: RecordId,
    /// When it was changed last.
    pub at: Timestamp,
    /// By whom.
    pub by: Option<UserId>,
    /// Whether it goes with the sample, because it cannot be without the record it points to; otherwise it stays and
    /// loses the reference.
    pub goes: bool,
}

/// Where the sample data stands, and what its removal would take along.
#[derive(Clone, Debug, Serialize)]
pub struct SampleView {
    /// Where it stands.
    pub state: SampleState,
    /// Records loaded or removed so far, while that goes on.
    pub done: usize,
    /// Of how many.
    pub total: usize,
    /// Why the last loading or removal stopped, if it did.
    pub error: Option<String>,
    /// When it came.
    pub loaded_at: Option<Timestamp>,
    /// Sample records by object; objects without any are left out.
    pub objects: Vec<SampleCount>,
    /// Sample records changed since, at most SAMPLE_NAMED_MAX of them.
    pub changed: Vec<SampleChange>,
    /// How many were changed.
    pub changed_total: usize,
    /// Records that point to sample records, at most SAMPLE_NAMED_MAX of them.
    pub added: Vec<SampleAdded>,
    /// How many there are.
    pub added_total: usize,
    /// How many of those go with the sample.
    pub added_goes: usize,
    /// Files that people have put to sample records; they go.
    pub files: usize,
    /// Whether whoever asks is part of the sample; they stay.
    pub you: bool,
}

/// What is kept of a sample.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// When its loading began.
    pub(crate) begun_at: Timestamp,
    /// When it was whole; absent while it is not.
    pub(crate) loaded_at: Option<Timestamp>,
}

impl Marker {
    /// After this time a change is somebody's. Without an end of the loading nothing can be told apart.
    pub(crate) fn since(&self) -> Timestamp {
        self.loaded_at.unwrap_or(Timestamp::from_micros(i64::MAX))
    }
    pub(crate) fn text(&self) -> Result<String, Fault> {
        serde_json::to_string(self).map_err(Fault::internal)
    }
}

pub(crate) fn marker_in_tx(tx: &mut ReadTx<'_>) -> Result<Option<Marker>, StoreError> {
    let Some(text) = tx.kept(Kept::Sample)? else { return Ok(None) };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| StoreError::damaged(format!("the mark of the sample data: {error}")))
}

/// What this process is doing with sample data.
#[derive(Default)]
pub(crate) struct Progress(Mutex<Doing>);

#[derive(Clone, Default)]
pub(crate) struct Doing {
    /// Loading or removing; `None` when nothing goes on.
    pub(crate) state: Option<SampleState>,
    pub(crate) done: usize,
    pub(crate) total: usize,
    pub(crate) error: Option<String>,
}

impl Progress {
    /// Begins, unless something goes on already.
    pub(crate) fn claim(&self, state: SampleState) -> bool {
        let mut doing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if doing.state.is_some() {
            return false;
        }
        *doing = Doing { state: Some(state), ..Doing::default() };
        true
    }
    pub(crate) fn at(&self, done: usize, total: usize) {
        let mut doing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (doing.done, doing.total) = (done, total);
    }
    pub(crate) fn end(&self, outcome: &Result<(), Fault>) {
        let mut doing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let error = outcome.as_ref().err().map(|fault| fault.detail.clone());
        *doing = Doing { error, ..Doing::default() };
    }
    pub(crate) fn now(&self) -> Doing {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A record that is no sample and hangs on the sample.
#[derive(Clone)]
pub(crate) struct Hanger {
    pub(crate) object: Arc<ObjectDef>,
    pub(crate) touched: Touched,
    /// The field to clear; `None` when the record cannot be without it and goes.
    pub(crate) clear: Option<String>,
}

impl Records {
    /// Where the sample data stands, for who runs the appliance.
    pub fn sample_show(&self, actor: &Arc<Actor>) -> Pending<SampleView> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| {
            let why = records
                .policy()
                .act(&actor, AppAction::System)
                .map_err(|denied| records.denial(&actor, Act::Summary, denied, None))?;
            let view = records.sample_in_tx(tx, &actor)?;
            let mut entry = records.store.entry(&actor, Act::Summary);
            entry.decision.rules = why.rules;
            entry.note = "sample data".to_owned();
            entry.target.count = u64::try_from(view.objects.iter().map(|one| one.count).sum::<usize>()).unwrap_or(0);
            Ok((view, vec![entry]))
        }))
    }

    pub(crate) fn sample_in_tx(&self, tx: &mut ReadTx<'_>, actor: &Actor) -> Result<SampleView, Refused> {
        let doing = self.sample.now();
        let marker = marker_in_tx(tx)?;
        let resting = match &marker {
            None => SampleState::None,
            Some(Marker { loaded_at: None, .. }) => SampleState::Interrupted,
            Some(_) => SampleState::Present,
        };
        let mut view = SampleView {
            state: doing.state.unwrap_or(resting),
            done: doing.done,
            total: doing.total,
            error: doing.error,
            loaded_at: marker.as_ref().and_then(|marker| marker.loaded_at),
            objects: Vec::new(),
            changed: Vec::new(),
            changed_total: 0,
            added: Vec::new(),
            added_total: 0,
            added_goes: 0,
            files: 0,
            you: false,
        };
        let Some(marker) = marker.filter(|_| doing.state.is_none()) else { return Ok(view) };
        let catalog = Arc::clone(tx.catalog());
        for object in catalog.objects() {
            let (count, changed) = tx.sample_count(object, marker.since())?;
            if count == 0 {
                continue;
            }
            let room = limits::SAMPLE_NAMED_MAX.saturating_sub(view.changed.len());
            if changed > 0 && room > 0 {
                let found = tx.sample_changed(object, marker.since(), room)?;
                view.changed.extend(found.into_iter().map(|Touched { id, at, by }| SampleChange {
                    object: object.name.clone(),
                    id,
                    at,
                    by,
                }));
            }
            view.changed_total += changed;
            view.files += tx.sample_files(object)?;
            view.objects.push(SampleCount { object: object.name.clone(), count, changed });
        }
        let mut added: BTreeMap<(String, RecordId), SampleAdded> = BTreeMap::new();
        for Hanger { object, touched: Touched { id, at, by }, clear } in hangers(tx)? {
            let key = (object.name.clone(), id);
            let one = added.entry(key).or_insert(SampleAdded { object: object.name.clone(), id, at, by, goes: false });
            one.goes |= clear.is_none();
        }
        (view.added_total, view.added_goes) = (added.len(), added.values().filter(|one| one.goes).count());
        view.added = added.into_values().take(limits::SAMPLE_NAMED_MAX).collect();
        view.you = self.is_sample_user(tx, actor)?;
        Ok(view)
    }

    /// Whether the user who asks is part of the sample.
    pub(crate) fn is_sample_user(&self, tx: &mut ReadTx<'_>, actor: &Actor) -> Result<bool, Refused> {
        if actor.kind() != identity::ActorKind::User {
            return Ok(false);
        }
        let users = self.definition("user")?;
        Ok(tx.sample_ids(&users)?.contains(&actor.user()))
    }
}

/// Every reference by which a record that is no sample hangs on the sample, or on a record that goes with it.
pub(crate) fn hangers(tx: &mut ReadTx<'_>) -> Result<Vec<Hanger>, Refused> {
    let catalog: Arc<Catalog> = Arc::clone(tx.catalog());
    let mut found: Vec<Hanger> = Vec::new();
    let most = limits::CASCADE_RECORDS_MAX + 1;
    for target in catalog.objects() {
        for (object, at) in catalog.referrers(&target.name) {
            let Some(field) = object.fields.get(at).filter(|field| !field.read_only) else { continue };
            let clear = clearable(&object, field);
            for touched in tx.sample_hangers(&object, at, target, most)? {
                found.push(Hanger { object: Arc::clone(&object), touched, clear: clear.clone() });
            }
            enough(&found)?;
        }
    }
    let gone = |one: &Hanger| one.clear.is_none();
    let mut seen: HashSet<RecordId> = found.iter().filter(|one| gone(one)).map(|one| one.touched.id).collect();
    let mut going: Vec<Hanger> = found.iter().filter(|one| gone(one)).cloned().collect();
    while let Some(one) = going.pop() {
        for (object, at) in catalog.referrers(&one.object.name) {
            let Some(field) = object.fields.get(at).filter(|field| !field.read_only) else { continue };
            let clear = clearable(&object, field);
            for id in tx.pointing_to(&object, at, one.touched.id, most)? {
                let touched = Touched { id, ..one.touched };
                let next = Hanger { object: Arc::clone(&object), touched, clear: clear.clone() };
                if next.clear.is_none() && seen.insert(id) {
                    going.push(next.clone());
                }
                found.push(next);
            }
            enough(&found)?;
        }
    }
    Ok(found)
}

fn enough(found: &[Hanger]) -> Result<(), Fault> {
    if found.len() <= limits::CASCADE_RECORDS_MAX {
        return Ok(());
    }
    let detail = format!(
        "More than {} records hang on the sample data (CASCADE_RECORDS_MAX); move them first.",
        limits::CASCADE_RECORDS_MAX
    );
    Err(Fault::new(kernel::Code::LimitExceeded, detail))
}

/// The name of a reference field that can be cleared. What seals the record, is required or takes it along cannot.
fn clearable(object: &ObjectDef, field: &FieldDef) -> Option<String> {
    let cascades = matches!(&field.field_type, FieldType::Reference { on_delete: DeleteRule::Cascade, .. });
    let seals = object.subject == Subject::Field(field.name.clone());
    (!cascades && !seals && !field.required).then(|| field.name.clone())
}
