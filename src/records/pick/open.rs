//! One record of a set beside the record of now.

use super::browse::{plain_text, title_of};
use super::fields::{Compare, Target};
use super::sight::{Present, Sight};
use super::{Kept, Pair, PickField, PickSet, PickState, all_fields};
use crate::reduce::Tally;
use crate::{Pending, Records};
use audit::Verb as Act;
use authz::{Create, FieldLevels, Update};
use identity::Actor;
use kernel::{Fault, Label, RecordId};
use serde::Serialize;
use std::sync::Arc;
use store::{ReadTx, Refused};

/// Both sides of one record.
#[derive(Clone, Debug, Serialize)]
pub struct PickRecord {
    /// The object.
    pub object: String,
    /// The record.
    pub id: RecordId,
    /// What it was called then, as far as that may be read.
    pub title: Option<String>,
    /// Its human number then.
    pub number: Option<String>,
    /// Where it is now.
    pub state: PickState,
    /// Its version now, for `If-Match`; absent when it is nowhere.
    pub version: Option<i64>,
    /// Whether the actor may bring anything of it back.
    pub may_bring: bool,
    /// Field by field; none of a record whose keys were destroyed.
    pub fields: Vec<PickField>,
    /// Fields of then that there are no more, by their labels.
    pub gone: Vec<Label>,
}

impl Records {
    /// One record of a set beside the record of now.
    pub fn pick_open(&self, actor: &Arc<Actor>, set: &Arc<PickSet>, object: &str, id: RecordId) -> Pending<PickRecord> {
        let (records, actor, set, object) = (self.clone(), Arc::clone(actor), Arc::clone(set), object.to_owned());
        Pending::in_background(move || {
            records.may_pick(&actor, &set)?;
            let pair = records.pair(&set, &object)?;
            let (kept, targets) = records.pick_kept(&actor, &set, &pair, id)?;
            let name = set.name().to_owned();
            let shown = records.clone().store.disclose(move |tx| {
                let mut tally = Tally::default();
                let view = records.pick_view(tx, (&actor, &pair), &kept, &targets, &mut tally)?;
                let mut entry = records.store.entry(&actor, Act::BackupPick).on_record(&pair.now.name, id);
                entry.note = name;
                tally.into_entry(&mut entry);
                Ok((view, vec![entry]))
            });
            shown.wait().map(store::Durable::into_inner)
        })
    }

    /// A record of the set with what its references point to. The refusal is the same for what is not in the set and what is
    /// out of sight.
    pub(crate) fn pick_kept(
        &self,
        actor: &Arc<Actor>,
        set: &PickSet,
        pair: &Pair,
        id: RecordId,
    ) -> Result<(Kept, Vec<Target>), Fault> {
        match self.kept_of(set, &pair.then, vec![id])?.pop() {
            Some(kept) => self.targets_of(actor, set, pair, kept),
            None => Err(self.log_refusal(self.missing(actor, Act::BackupPick, &pair.now.name, id))),
        }
    }

    /// The sight of one record, or "not there".
    pub(crate) fn pick_sight<'a>(
        &self,
        tx: &mut ReadTx<'_>,
        (actor, pair): (&'a Actor, &Pair),
        kept: &Kept,
    ) -> Result<Sight<'a>, Refused> {
        let mut present = Present::of(tx, pair, std::slice::from_ref(kept), &all_fields(&pair.now))?;
        let sight = present.sight(&self.policy(), actor, pair, kept);
        sight.ok_or_else(|| self.missing(actor, Act::BackupPick, &pair.now.name, kept.row.id()))
    }

    /// What the actor may set on the record of now, or on one that would be made anew.
    pub(crate) fn pick_write_levels(
        &self,
        actor: &Actor,
        pair: &Pair,
        kept: &Kept,
        sight: &Sight<'_>,
    ) -> Option<FieldLevels> {
        let policy = self.policy();
        match (&sight.now, sight.state) {
            (_, PickState::Erased) => None,
            (Some((row, _)), _) => {
                policy.grant::<Update>(actor, &pair.now, row.facts()).ok().map(|grant| grant.levels().clone())
            }
            (None, _) => {
                policy.grant::<Create>(actor, &pair.now, kept.row.facts()).ok().map(|grant| grant.levels().clone())
            }
        }
    }

    fn pick_view(
        &self,
        tx: &mut ReadTx<'_>,
        (actor, pair): (&Actor, &Pair),
        kept: &Kept,
        targets: &[Target],
        tally: &mut Tally,
    ) -> Result<PickRecord, Refused> {
        let sight = self.pick_sight(tx, (actor, pair), kept)?;
        let write = self.pick_write_levels(actor, pair, kept, &sight);
        let compare = Compare { actor, pair, kept, targets, write: write.as_ref() };
        let fields = self.pick_fields(tx, &compare, &sight, tally)?;
        let erased = sight.state == PickState::Erased;
        let title = if erased { None } else { title_of(tx, pair, kept, &sight, tally)? };
        let number = if erased { None } else { plain_text(tx, pair, kept, &sight, "number")? };
        let gone = pair.then.fields.iter().enumerate().filter(|(at, field)| {
            let today = pair.now.field(&field.name);
            !erased
                && !field.retired
                && today.is_none_or(|today| today.retired)
                && sight.then.levels().get(*at) >= authz::Level::Exists
                && tx.has_value(&sight.then, &kept.row, *at) == Some(true)
        });
        Ok(PickRecord {
            object: pair.now.name.clone(),
            id: kept.row.id(),
            title,
            number,
            state: sight.state,
            version: sight.version(),
            // Out of the bin one may take whatever one may see there.
            may_bring: write.is_some() || sight.state == PickState::Binned,
            gone: gone.map(|(_, field)| field.label.clone()).collect(),
            fields,
        })
    }
}
