//! The proof that somebody may do one thing to one record. Minted by the policy, consumed by use.

use crate::{Facts, FieldLevels, Verb};
use identity::Actor;
use kernel::RecordId;
use std::{marker::PhantomData, sync::Arc};

mod private {
    pub trait Act {}
}

/// What a grant is for. Closed: only this crate names acts.
pub trait Action: private::Act {
    /// The verb that is decided.
    const VERB: Verb;
}

macro_rules! actions { ($($(#[$doc:meta])* $name:ident = $verb:expr;)*) => { $(
    $(#[$doc])* #[derive(Debug)] pub enum $name {}
    impl private::Act for $name {}
    impl Action for $name { const VERB: Verb = $verb; }
)* } }
actions! {
    /// See the record.
    Read = Verb::Read;
    /// Make it.
    Create = Verb::Create;
    /// Change it.
    Update = Verb::Update;
    /// Put it into the recycle bin.
    Delete = Verb::Delete;
    /// Take it out of the recycle bin.
    Restore = Verb::Delete;
    /// See masked values of it in clear.
    Reveal = Verb::Reveal;
}

/// What decided, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// Content hash of the policy.
    pub epoch: [u8; 32],
    /// The rules that gave the right, such as `seller:account.read=own`.
    pub rules: Vec<String>,
}

/// One actor may do `A` to one record, seeing or setting its fields at these levels.
#[must_use]
pub struct Grant<'a, A: Action> {
    actor: &'a Actor,
    facts: Facts,
    levels: Arc<FieldLevels>,
    why: Arc<Why>,
    action: PhantomData<A>,
}

impl<'a, A: Action> Grant<'a, A> {
    pub(crate) fn mint(actor: &'a Actor, facts: Facts, levels: Arc<FieldLevels>, why: Arc<Why>) -> Self {
        Self { actor, facts, levels, why, action: PhantomData }
    }
    /// Who.
    pub fn actor(&self) -> &'a Actor {
        self.actor
    }
    /// Which object.
    pub fn object(&self) -> &str {
        &self.facts.object
    }
    /// Which record.
    pub fn record(&self) -> RecordId {
        self.facts.record
    }
    /// How much of each field.
    pub fn levels(&self) -> &FieldLevels {
        &self.levels
    }
    /// What decided.
    pub fn why(&self) -> &Why {
        &self.why
    }
    /// The verb of the act.
    pub const fn verb(&self) -> Verb {
        A::VERB
    }
}
