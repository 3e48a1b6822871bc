//! Removing sample data: everything that came with it goes for good, and the log keeps that it was there. What people
//! changed or added since is named before, and goes only when they say so. Whoever asks stays, even as part of the sample.

use crate::sample::{Hanger, SampleState, SampleView, hangers, marker_in_tx};
use crate::sample_load::{busy, spawn};
use crate::settings::note_config;
use crate::{Pending, Records};
use audit::Verb as Act;
use authz::{AppAction, Delete, Update};
use identity::{Actor, ActorKind};
use kernel::{Code, Fault, RecordId, UserId};
use metadata::{Checked, Mode, ObjectDef, Value};
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use store::{Cause, Kept, Refused, WriteTx};

/// Records of one commit.
const BATCH: usize = 250;

/// Who removes: the appliance, on behalf of somebody.
#[derive(Clone)]
struct Hand {
    system: Arc<Actor>,
    by: Option<UserId>,
}

impl Hand {
    fn cause(&self) -> Cause {
        Cause { on_behalf_of: self.by, ..Cause::default() }
    }
}

impl Records {
    /// Begins to remove the sample data and answers at once; [`Records::sample_show`] tells how far it is. Refused while
    /// somebody's changes would go unseen: `confirmed` says that they were looked at. `then` runs at the end: what is
    /// remembered of the users that went has to be forgotten.
    pub fn sample_remove(
        &self,
        actor: &Arc<Actor>,
        confirmed: bool,
        then: impl FnOnce() + Send + 'static,
    ) -> Pending<SampleView> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::in_background(move || {
            records.may_act(&actor, AppAction::System, Act::ConfigChange)?;
            let before = records.sample_view(&actor)?;
            match before.state {
                SampleState::None => return Err(Fault::new(Code::SampleRefused, "There is no sample data.")),
                SampleState::Loading | SampleState::Removing => return Err(busy()),
                SampleState::Present | SampleState::Interrupted => {}
            }
            if !confirmed && before.changed_total + before.added_total + before.files > 0 {
                let detail = "Somebody has changed sample records or added records to them; look at them and confirm.";
                return Err(Fault::new(Code::SampleRefused, detail));
            }
            if !records.sample.claim(SampleState::Removing) {
                return Err(busy());
            }
            let (remover, who) = (records.clone(), Arc::clone(&actor));
            let work = move || {
                let outcome = remover.sample_remove_all(&who);
                if let Err(fault) = &outcome {
                    tracing::warn!(
                        code = fault.code.as_str(),
                        detail = fault.detail,
                        "the sample data was not removed"
                    );
                }
                then();
                remover.sample.end(&outcome);
            };
            spawn(&records, "sample", work)?;
            records.sample_view(&actor)
        })
    }

    fn sample_remove_all(&self, actor: &Arc<Actor>) -> Result<(), Fault> {
        let by = (actor.kind() == ActorKind::User).then(|| actor.user());
        let hand = Hand { system: Arc::new(self.system_actor(actor).map_err(|refused| refused.fault)?), by };
        self.sample_note(actor, "sample data: removing".to_owned())?;
        if let Some(user) = by {
            self.sample_keep_user(&hand, user)?;
        }
        let hanging = self.store.read(|tx| Ok(hangers(tx))).wait()?.map_err(|refused| refused.fault)?;
        let (clear, mut going): (Vec<Hanger>, Vec<Hanger>) = hanging.into_iter().partition(|one| one.clear.is_some());
        let mut all = self.sample_all()?;
        going.sort_unstable_by_key(|one| one.touched.id);
        going.dedup_by_key(|one| one.touched.id);
        all.extend(going.into_iter().map(|one| (one.object, one.touched.id)));
        let total = all.len();
        for part in clear.chunks(BATCH) {
            let (records, hand, part) = (self.clone(), hand.clone(), part.to_vec());
            let cleared =
                self.store.write(move |tx| part.iter().try_for_each(|one| records.sample_clear(tx, &hand, one)));
            cleared.wait()?;
        }
        for (at, part) in all.chunks(BATCH).enumerate() {
            self.sample.at(at * BATCH, total);
            let (records, hand, part) = (self.clone(), hand.clone(), part.to_vec());
            let purged = self
                .store
                .write(move |tx| part.iter().try_for_each(|(object, id)| records.sample_purge(tx, &hand, object, *id)));
            purged.wait()?;
        }
        self.sample_end(actor, total)
    }

    /// The records of the sample.
    fn sample_all(&self) -> Result<Vec<(Arc<ObjectDef>, RecordId)>, Fault> {
        let all = self.store.read(|tx| {
            let catalog = Arc::clone(tx.catalog());
            let mut all = Vec::new();
            for object in catalog.objects() {
                all.extend(tx.sample_ids(object)?.into_iter().map(|id| (Arc::clone(object), id)));
            }
            Ok(all)
        });
        all.wait()
    }

    /// Whoever removes the sample is no longer part of it, and so stays.
    fn sample_keep_user(&self, hand: &Hand, user: UserId) -> Result<(), Fault> {
        let users = self.definition("user")?;
        let (records, hand) = (self.clone(), hand.clone());
        let kept = self.store.write(move |tx| {
            if !tx.read().sample_ids(&users)?.contains(&user) {
                return Ok(());
            }
            records.sample_update(tx, &hand, &users, user, |values| {
                values.set_system(&users, "is_sample", Value::Bool(false));
            })
        });
        kept.wait()
    }

    fn sample_clear(&self, tx: &mut WriteTx<'_, '_>, hand: &Hand, one: &Hanger) -> Result<(), Refused> {
        let Some(field) = &one.clear else { return Ok(()) };
        let body = Map::from_iter([(field.clone(), Json::Null)]);
        let values = Checked::parse(&one.object, &body, Mode::Change, "").map_err(Fault::invalid)?;
        self.sample_update(tx, hand, &one.object, one.touched.id, |all| *all = values)
    }

    fn sample_update(
        &self,
        tx: &mut WriteTx<'_, '_>,
        hand: &Hand,
        object: &Arc<ObjectDef>,
        id: RecordId,
        set: impl FnOnce(&mut Checked),
    ) -> Result<(), Refused> {
        let Some(row) = tx.read().row_whole(object, id)?.filter(|row| !row.deleted()) else { return Ok(()) };
        let policy = tx.policy();
        let grant = policy
            .grant::<Update>(&hand.system, object, row.facts())
            .map_err(|denied| self.denial(&hand.system, Act::Update, denied, Some(id)))?;
        let mut values = Checked::parse(object, &Map::new(), Mode::Change, "").map_err(Fault::invalid)?;
        set(&mut values);
        tx.update(grant, &row, values, hand.cause())?;
        Ok(())
    }

    fn sample_purge(
        &self,
        tx: &mut WriteTx<'_, '_>,
        hand: &Hand,
        object: &Arc<ObjectDef>,
        id: RecordId,
    ) -> Result<(), Refused> {
        let Some(row) = tx.read().row_whole(object, id)? else { return Ok(()) };
        let policy = tx.policy();
        let grant = policy
            .grant::<Delete>(&hand.system, object, row.facts())
            .map_err(|denied| self.denial(&hand.system, Act::Delete, denied, Some(id)))?;
        Ok(tx.purge(grant, &row, hand.cause())?)
    }

    fn sample_note(&self, actor: &Arc<Actor>, note: String) -> Result<(), Fault> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        let noted = self.store.write(move |tx| {
            let rules = records.may_run(tx, &actor, AppAction::System)?;
            note_config(tx, &actor, rules, note)
        });
        noted.wait()
    }

    fn sample_end(&self, actor: &Arc<Actor>, total: usize) -> Result<(), Fault> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        let ended = self.store.write(move |tx| {
            let rules = records.may_run(tx, &actor, AppAction::System)?;
            if marker_in_tx(tx.read())?.is_some() {
                tx.forget_kept(Kept::Sample)?;
            }
            tx.numbers_reset()?;
            note_config(tx, &actor, rules, format!("sample data: removed {total} records"))
        });
        ended.wait()
    }
}
