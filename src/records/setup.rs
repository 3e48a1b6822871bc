//! The first run: which of its steps are done, and by whom. Three administrators share an appliance, so each step names
//! the right it needs, and each of them does their own. A step only notes that it was done; what it does goes through the
//! verbs that exist for it. An appliance that never began a first run counts as set up.

use crate::settings::note_config;
use crate::{Pending, Records};
use audit::Verb as Act;
use authz::{AppAction, Policy};
use identity::Actor;
use kernel::{Code, Fault, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Kept, ReadTx, Refused, StoreError};

/// A step of the first run, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetupStep {
    /// The name of the organisation and its fiscal year.
    Organisation,
    /// Language, currency, time zone.
    Region,
    /// Units and users.
    People,
    /// Where the secrets lie that open the appliance.
    Custody,
    /// Where copies of the appliance go.
    Backup,
    /// Sample data or none.
    Sample,
    /// The first run is over.
    Finish,
}

impl SetupStep {
    /// All of them, in order.
    pub const ALL: [Self; 7] =
        [Self::Organisation, Self::Region, Self::People, Self::Custody, Self::Backup, Self::Sample, Self::Finish];
    /// The rights of which one is needed.
    const fn rights(self) -> &'static [AppAction] {
        match self {
            Self::Organisation | Self::Region | Self::Backup | Self::Sample | Self::Finish => &[AppAction::System],
            Self::People => &[AppAction::Users],
            Self::Custody => &[AppAction::Keys, AppAction::System],
        }
    }
    const fn name(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Region => "region",
            Self::People => "people",
            Self::Custody => "custody",
            Self::Backup => "backup",
            Self::Sample => "sample",
            Self::Finish => "finish",
        }
    }
    fn is_for(self, policy: &Policy, actor: &Actor) -> bool {
        self.rights().iter().any(|right| policy.act(actor, *right).is_ok())
    }
}

/// When a step was done, and by whom.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Done {
    at: Timestamp,
    by: Option<UserId>,
}

type Steps = BTreeMap<SetupStep, Done>;

/// A step as one administrator sees it.
#[derive(Clone, Debug, Serialize)]
pub struct SetupStepView {
    /// The step.
    pub step: SetupStep,
    /// Whether it is theirs to do.
    pub mine: bool,
    /// When it was done.
    pub done_at: Option<Timestamp>,
    /// By whom.
    pub done_by: Option<UserId>,
}

/// A secret that opens the appliance; never the secret itself.
#[derive(Clone, Debug, Serialize)]
pub struct SlotView {
    /// Its number.
    pub slot: u32,
    /// `passphrase`, `key_file`, or `other` for a kind of another version.
    pub kind: &'static str,
    /// What somebody called it.
    pub label: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// How far the first run has come.
#[derive(Clone, Debug, Serialize)]
pub struct SetupView {
    /// Whether it is over, or never began.
    pub finished: bool,
    /// The steps in order.
    pub steps: Vec<SetupStepView>,
    /// The secrets that open the appliance, for those who look after them.
    pub slots: Vec<SlotView>,
}

impl Records {
    /// How far the first run has come, for administrators.
    pub fn setup(&self, actor: &Arc<Actor>) -> Pending<SetupView> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::in_background(move || {
            records.is_administrator(&actor)?;
            let steps = records.store.read(steps_in_tx).wait()?;
            records.setup_view(&actor, steps.as_ref())
        })
    }

    /// Notes that a step is done, or takes the note back. Ends the first run with [`SetupStep::Finish`].
    pub fn setup_done(&self, actor: &Arc<Actor>, step: SetupStep, done: bool) -> Pending<SetupView> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::in_background(move || {
            let (writer, who) = (records.clone(), Arc::clone(&actor));
            let written = records.store.write(move |tx| {
                let policy = tx.policy();
                let mut refused = None;
                let mut rules = None;
                for right in step.rights() {
                    match policy.act(&who, *right) {
                        Ok(why) => rules = rules.or(Some(why.rules)),
                        Err(denied) => refused = Some(denied),
                    }
                }
                let Some(rules) = rules else {
                    let told = || Refused::from(Fault::internal("a step of the first run names no right"));
                    return Err(
                        refused.map_or_else(told, |denied| writer.denial(&who, Act::ConfigChange, denied, None))
                    );
                };
                let Some(mut steps) = steps_in_tx(tx.read())? else {
                    return Err(
                        Fault::new(Code::ParameterInvalid, "This appliance has no first run to go through.").into()
                    );
                };
                if steps.contains_key(&step) == done {
                    return Ok(Some(steps));
                }
                if done {
                    let by = (who.kind() == identity::ActorKind::User).then(|| who.user());
                    steps.insert(step, Done { at: writer.store.clock().now(), by });
                } else {
                    steps.remove(&step);
                }
                tx.keep(Kept::Setup, &serde_json::to_string(&steps).map_err(Fault::internal)?)?;
                let word = if done { "done" } else { "open again" };
                note_config(tx, &who, rules, format!("first run: {} {word}", step.name()))?;
                Ok(Some(steps))
            });
            let steps = written.wait()?;
            records.setup_view(&actor, steps.as_ref())
        })
    }

    /// Begins a first run, for `kontor init`.
    pub fn setup_begin(&self, actor: &Arc<Actor>) -> Pending<crate::DoneView> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(self.store.write(move |tx| {
            let rules = records.may_run(tx, &actor, AppAction::System)?;
            tx.keep(Kept::Setup, "{}")?;
            note_config(tx, &actor, rules, "first run: begun".to_owned())?;
            Ok(crate::DoneView { moved: true })
        }))
    }

    fn is_administrator(&self, actor: &Actor) -> Result<(), Fault> {
        let policy = self.policy();
        if [AppAction::Users, AppAction::Keys].iter().any(|right| policy.act(actor, *right).is_ok()) {
            return Ok(());
        }
        self.may_act(actor, AppAction::System, Act::ConfigChange)
    }

    fn setup_view(&self, actor: &Actor, steps: Option<&Steps>) -> Result<SetupView, Fault> {
        let policy = self.policy();
        let view = |step: SetupStep| {
            let done = steps.and_then(|steps| steps.get(&step));
            SetupStepView {
                step,
                mine: step.is_for(&policy, actor),
                done_at: done.map(|done| done.at),
                done_by: done.and_then(|done| done.by),
            }
        };
        let slot = |slot: vault::SlotInfo| SlotView {
            slot: slot.id,
            kind: match slot.kind {
                vault::SlotKind::Passphrase => "passphrase",
                vault::SlotKind::KeyFile => "key_file",
                vault::SlotKind::Shares { .. } => "shares",
                vault::SlotKind::Unsupported(_) => "other",
            },
            label: slot.label,
            created_at: slot.created_at,
        };
        let slots =
            if SetupStep::Custody.is_for(&policy, actor) { self.store.vault().slot_list()? } else { Vec::new() };
        Ok(SetupView {
            finished: steps.is_none_or(|steps| steps.contains_key(&SetupStep::Finish)),
            steps: SetupStep::ALL.map(view).into(),
            slots: slots.into_iter().map(slot).collect(),
        })
    }
}

/// The steps that are done; `None` when no first run was begun.
fn steps_in_tx(tx: &mut ReadTx<'_>) -> Result<Option<Steps>, StoreError> {
    let Some(text) = tx.kept(Kept::Setup)? else { return Ok(None) };
    let read = serde_json::from_str(&text);
    read.map(Some).map_err(|error| StoreError::damaged(format!("the steps of the first run: {error}")))
}
