//! All records of an object in a set beside those of now: how many are the same, differ, lie in the bin or are nowhere, and
//! in which fields. It goes on by itself and says how far it is; what it finds is kept in memory, by person, as ids only.

use super::browse::TOGETHER;
use super::fields::Compare;
use super::sight::Present;
use super::{Kept, Pair, PickRow, PickSet, PickState, all_fields};
use crate::reduce::Tally;
use crate::{Pending, Records};
use audit::Verb as Act;
use authz::Verb;
use identity::Actor;
use kernel::{Code, Fault, RecordId, limits};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows of one page of what was found.
const FOUND_SHOWN: usize = 50;

/// How a comparison is.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PickCompared {
    /// The object.
    pub object: String,
    /// Whether it goes on.
    pub running: bool,
    /// Why it ended early.
    pub code: Option<Code>,
    /// Records of the set that were looked at.
    pub looked: u64,
    /// As they are now.
    pub same: u64,
    /// Differ in a field that can be brought back.
    pub different: u64,
    /// In the recycle bin now.
    pub binned: u64,
    /// Nowhere now.
    pub missing: u64,
    /// Differ, or are nowhere, and the actor may not change that.
    pub refused: u64,
    /// Records that differ, by field.
    pub fields: BTreeMap<String, u64>,
    /// Whether more were found than are remembered (`PICK_RECORDS_MAX`); the rest comes with the next comparison.
    pub capped: bool,
}

/// One record that was found.
#[derive(Clone, Debug, Serialize)]
pub struct PickFound {
    /// The record.
    #[serde(flatten)]
    pub row: PickRow,
    /// The fields that differ and can be brought back.
    pub fields: Vec<String>,
}

/// A record that differs, by its id.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) id: RecordId,
    pub(crate) version: Option<i64>,
    pub(crate) state: PickState,
    pub(crate) fields: Vec<String>,
}

/// A comparison and what it found.
#[derive(Default)]
pub(crate) struct Comparison {
    told: Mutex<(PickCompared, Vec<Found>)>,
    stopped: AtomicBool,
}

impl Comparison {
    fn with<T>(&self, look: impl FnOnce(&mut PickCompared, &mut Vec<Found>) -> T) -> T {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (view, found) = &mut *told;
        look(view, found)
    }
    /// What was found of these states, and differs in one of these fields.
    pub(crate) fn found(&self, states: &[PickState], fields: Option<&[String]>) -> Vec<Found> {
        let wanted = |one: &&Found| {
            let named = |fields: &[String]| one.fields.iter().any(|field| fields.contains(field));
            states.contains(&one.state) && (one.state != PickState::Live || fields.is_none_or(named))
        };
        self.with(|_, found| found.iter().filter(wanted).cloned().collect())
    }
    pub(crate) fn is_running(&self) -> bool {
        self.with(|view, _| view.running)
    }
}

impl Records {
    /// The comparison of an object that somebody began on this set.
    pub(crate) fn comparison(&self, actor: &Actor, set: &PickSet, object: &str) -> Result<Arc<Comparison>, Fault> {
        let key = (actor.user(), object.to_owned());
        let known = set.with_compared(|compared| compared.get(&key).cloned());
        known.ok_or_else(|| Fault::new(Code::JobUnknown, "You have not compared this object with the set yet."))
    }

    /// Begins to compare an object; an earlier comparison of it is forgotten.
    pub fn pick_compare(&self, actor: &Arc<Actor>, set: &Arc<PickSet>, object: &str) -> Pending<PickCompared> {
        let (records, actor, set, object) = (self.clone(), Arc::clone(actor), Arc::clone(set), object.to_owned());
        Pending::in_background(move || {
            records.may_pick(&actor, &set)?;
            let pair = records.pair(&set, &object)?;
            let scope = records.policy().scope(&actor, &pair.now, Verb::Read).map(|_| ());
            scope.map_err(|denied| records.log_refusal(records.denial(&actor, Act::BackupPick, denied, None)))?;
            let fresh = Arc::new(Comparison::default());
            fresh.with(|view, _| {
                view.running = true;
                view.object.clone_from(&object);
            });
            let begun = set.with_compared(|compared| {
                let busy = compared.iter().any(|((user, _), one)| *user == actor.user() && one.is_running());
                if !busy {
                    compared.insert((actor.user(), object), Arc::clone(&fresh));
                }
                !busy
            });
            if !begun {
                return Err(Fault::new(Code::JobBusy, "A comparison of yours is running; wait for it, or stop it."));
            }
            let view = fresh.with(|view, _| view.clone());
            let run = move || records.compare_run(&actor, &set, &pair, &fresh);
            std::thread::Builder::new().name("compare".to_owned()).spawn(run).map_err(Fault::internal)?;
            Ok(view)
        })
    }

    /// How the actor's comparison of an object is.
    pub fn pick_compared(&self, actor: &Arc<Actor>, set: &Arc<PickSet>, object: &str) -> Result<PickCompared, Fault> {
        self.may_pick(actor, set)?;
        Ok(self.comparison(actor, set, object)?.with(|view, _| view.clone()))
    }

    /// Stops it; what was found stays.
    pub fn pick_compare_stop(
        &self,
        actor: &Arc<Actor>,
        set: &Arc<PickSet>,
        object: &str,
    ) -> Result<PickCompared, Fault> {
        self.may_pick(actor, set)?;
        let comparison = self.comparison(actor, set, object)?;
        comparison.stopped.store(true, Ordering::Relaxed);
        Ok(comparison.with(|view, _| view.clone()))
    }

    /// Some of what was found, by name.
    pub fn pick_found(
        &self,
        actor: &Arc<Actor>,
        set: &Arc<PickSet>,
        object: &str,
        (state, skip): (PickState, usize),
    ) -> Pending<Vec<PickFound>> {
        let (records, actor, set, object) = (self.clone(), Arc::clone(actor), Arc::clone(set), object.to_owned());
        Pending::in_background(move || {
            records.may_pick(&actor, &set)?;
            let pair = records.pair(&set, &object)?;
            let found = records.comparison(&actor, &set, &object)?.found(&[state], None);
            let found: Vec<Found> = found.into_iter().skip(skip).take(FOUND_SHOWN).collect();
            let kept = records.kept_of(&set, &pair.then, found.iter().map(|one| one.id).collect())?;
            let rows = records.pick_shown(&actor, &set, &pair, (kept, None))?;
            let fields = |id| found.iter().find(|one| one.id == id).map(|one| one.fields.clone()).unwrap_or_default();
            Ok(rows.into_iter().map(|row| PickFound { fields: fields(row.id), row }).collect())
        })
    }

    fn compare_run(&self, actor: &Arc<Actor>, set: &PickSet, pair: &Pair, comparison: &Arc<Comparison>) {
        let outcome = self.compare_all(actor, set, pair, comparison);
        let view = comparison.with(|view, _| {
            view.running = false;
            view.code = outcome.as_ref().err().map(|fault| fault.code);
            view.clone()
        });
        let mut entry = self.store.entry(actor, Act::BackupPick);
        entry.target.object.clone_from(&pair.now.name);
        entry.target.count = view.looked;
        entry.note = format!(
            "{}: compared; {} differ, {} in the bin, {} nowhere",
            set.name(),
            view.different,
            view.binned,
            view.missing
        );
        if let Err(fault) = self.store.append(vec![entry]).wait() {
            // Without its entry nothing of it is told.
            comparison.with(|view, found| {
                found.clear();
                *view =
                    PickCompared { code: Some(fault.code), object: pair.now.name.clone(), ..PickCompared::default() };
            });
        }
    }

    fn compare_all(
        &self,
        actor: &Arc<Actor>,
        set: &PickSet,
        pair: &Pair,
        comparison: &Arc<Comparison>,
    ) -> Result<(), Fault> {
        let mut after = None;
        loop {
            let (kept, next) = self.pick_rows(actor, set, pair, (None, after, TOGETHER))?;
            let visible = self.compare_some(actor, pair, kept, comparison)?;
            comparison.with(|view, _| view.looked += visible);
            set.use_it(self.store.clock().now());
            after = next;
            if after.is_none() || comparison.stopped.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
    }

    /// Compares some; how many were in sight.
    fn compare_some(
        &self,
        actor: &Arc<Actor>,
        pair: &Pair,
        kept: Vec<Kept>,
        comparison: &Arc<Comparison>,
    ) -> Result<u64, Fault> {
        let (records, actor, pair, comparison) =
            (self.clone(), Arc::clone(actor), pair.clone(), Arc::clone(comparison));
        let compared = self.store.read(move |tx| {
            let policy = records.policy();
            let mut present = Present::of(tx, &pair, &kept, &all_fields(&pair.now))?;
            let mut looked = 0;
            for kept in &kept {
                let Some(sight) = present.sight(&policy, &actor, &pair, kept) else { continue };
                if sight.state == PickState::Erased {
                    continue;
                }
                looked += 1;
                let write = records.pick_write_levels(&actor, &pair, kept, &sight);
                let compare = Compare { actor: &actor, pair: &pair, kept, targets: &[], write: write.as_ref() };
                let mut fields = Vec::new();
                if sight.state == PickState::Live {
                    fields = records.pick_fields(tx, &compare, &sight, &mut Tally::default())?;
                }
                let one = Found { id: kept.row.id(), version: sight.version(), state: sight.state, fields: Vec::new() };
                comparison.with(|view, found| note(view, found, one, &fields, write.is_some()));
            }
            Ok(looked)
        });
        compared.wait()
    }
}

/// Counts one record, and remembers it where something of it can be brought back.
fn note(view: &mut PickCompared, found: &mut Vec<Found>, mut one: Found, fields: &[super::PickField], may_write: bool) {
    use super::PickWhy;
    match one.state {
        PickState::Erased => return,
        PickState::Binned => view.binned += 1,
        PickState::Missing if may_write => view.missing += 1,
        PickState::Missing => {
            view.refused += 1;
            return;
        }
        PickState::Live => {
            // A reference is brought back only where its target is there, which is asked when it is.
            let may = |field: &&super::PickField| {
                field.choosable || (field.same == Some(false) && field.why == Some(PickWhy::TargetGone))
            };
            one.fields = fields.iter().filter(may).map(|field| field.field.clone()).collect();
            if one.fields.is_empty() {
                let differs =
                    |field: &super::PickField| field.same == Some(false) && field.why != Some(PickWhy::ReadOnly);
                if fields.iter().any(differs) {
                    view.refused += 1
                } else {
                    view.same += 1
                }
                return;
            }
            view.different += 1;
            for field in &one.fields {
                *view.fields.entry(field.clone()).or_default() += 1;
            }
        }
    }
    if found.len() < limits::PICK_RECORDS_MAX {
        found.push(one);
    } else {
        view.capped = true;
    }
}
