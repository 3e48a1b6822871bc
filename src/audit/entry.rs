//! What an audit entry says. Plain data: making it canonical bytes is `codec`'s part, deciding what to log the caller's.
//! `Debug` shows the kind of act and where it happened, never a purpose, an address, a note or sealed bytes.

use crate::{
    codes::{ActOutcome, ActorKind, AuthMethod, Channel, Effect, How, Phase, Verb},
    tree::Hash,
};
use kernel::{AnyKind, BootKind, Clock, Code, Id, RecordId, SessionId, Timestamp, TokenId, UserId};
use std::fmt;

/// A keyed hash of one value, truncated to 16 bytes: equal values of one field show as equal, nothing else.
pub type ValueMac = [u8; 16];

/// Who acted, as whom, and how that is known. Ids only: names change and are personal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Actor {
    /// What sort of actor.
    pub kind: ActorKind,
    /// The user, when there is one.
    pub user: Option<UserId>,
    /// How authenticated.
    pub auth: AuthMethod,
    /// The session.
    pub session: Option<SessionId>,
    /// The API token.
    pub token: Option<TokenId>,
    /// The user for whom this was done.
    pub on_behalf_of: Option<UserId>,
    /// The other people who approved it.
    pub approvers: Vec<UserId>,
}

impl Default for Actor {
    fn default() -> Self {
        Self {
            kind: ActorKind::Anonymous,
            user: None,
            auth: AuthMethod::None,
            session: None,
            token: None,
            on_behalf_of: None,
            approvers: Vec::new(),
        }
    }
}

impl Actor {
    /// A signed-in user.
    pub fn user(user: UserId, auth: AuthMethod) -> Self {
        Self { kind: ActorKind::User, user: Some(user), auth, ..Self::default() }
    }
    /// The appliance itself.
    pub fn system() -> Self {
        Self { kind: ActorKind::System, ..Self::default() }
    }
    /// Who runs the command line on the machine.
    pub fn local_operator() -> Self {
        Self { kind: ActorKind::LocalOperator, auth: AuthMethod::Cli, ..Self::default() }
    }
}

/// Where the request came from.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    /// The peer's network address as text; empty when there is none.
    pub address: String,
    /// Through which door.
    pub channel: Channel,
}

impl Default for Source {
    fn default() -> Self {
        Self { address: String::new(), channel: Channel::System }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("channel", &self.channel).finish_non_exhaustive()
    }
}

/// What was done and why.
#[derive(Clone, PartialEq, Eq)]
pub struct Act {
    /// What.
    pub verb: Verb,
    /// Why, in the actor's words; empty when not asked for.
    pub purpose: String,
    /// A case or ticket that asked for it; empty when none.
    pub ticket: String,
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Act").field("verb", &self.verb).finish_non_exhaustive()
    }
}

/// On which record or list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Target {
    /// The object; empty when the act is on none.
    pub object: String,
    /// The record, when it is one.
    pub record: Option<RecordId>,
    /// SHA-256 of the canonical query, for lists and searches.
    pub query: Option<Hash>,
    /// SHA-256 of the scope that limited the list.
    pub scope: Option<Hash>,
    /// The records disclosed or touched; a prefix when all did not fit.
    pub ids: Vec<RecordId>,
    /// How many records were disclosed or touched. Written as at least the number of `ids`.
    pub count: u64,
}

/// Records of another object that were shown along, as related fields of a list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Disclosed {
    /// Their object.
    pub object: String,
    /// The records; a prefix when all did not fit.
    pub ids: Vec<RecordId>,
    /// How many there were. Written as at least the number of `ids`.
    pub count: u64,
}

/// A field and how much of it was shown. A related field is written with its path, such as `account.industry`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldUse {
    /// The field's name or path.
    pub field: String,
    /// What the reader got.
    pub how: How,
}

/// What the policy said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Allowed or denied.
    pub effect: Effect,
    /// The hash of the policy document that decided.
    pub epoch: Option<Hash>,
    /// The rules that decided, by name.
    pub rules: Vec<String>,
    /// The stable error code given to the caller; empty when allowed.
    pub error: String,
}

impl Default for Decision {
    fn default() -> Self {
        Self { effect: Effect::Allow, epoch: None, rules: Vec::new(), error: String::new() }
    }
}

/// One changed field, by keyed hashes of its values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The field.
    pub field: String,
    /// The value before; `None` when it had none.
    pub before: Option<ValueMac>,
    /// The value after; `None` when it has none.
    pub after: Option<ValueMac>,
}

/// The values of changed fields of one key class, sealed under the subject's key. The leaf hashes these bytes, so the
/// log still verifies when the key is destroyed.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedChange {
    /// The key class, as the vault numbers it.
    pub class: u8,
    /// The ciphertext.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for SealedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedChange(class {}, {} bytes)", self.class, self.bytes.len())
    }
}

/// One line of the audit log.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The wall clock.
    pub at: Timestamp,
    /// Microseconds since the process started; tells a moved wall clock from real order.
    pub monotonic_micros: u64,
    /// Which start of the process.
    pub boot: Id<BootKind>,
    /// The node's name.
    pub node: String,
    /// Who.
    pub actor: Actor,
    /// From where.
    pub source: Source,
    /// The request, as in the answer's `request_id`.
    pub request: Option<Id<AnyKind>>,
    /// What and why.
    pub act: Act,
    /// On what.
    pub target: Target,
    /// What else was shown.
    pub related: Vec<Disclosed>,
    /// Which fields and how.
    pub fields: Vec<FieldUse>,
    /// What the policy said.
    pub decision: Decision,
    /// What changed, as keyed hashes.
    pub changes: Vec<Change>,
    /// What changed, sealed.
    pub sealed: Vec<SealedChange>,
    /// Hash of the row before; `None` when there was none.
    pub state_before: Option<Hash>,
    /// Hash of the row after; `None` when the row is gone.
    pub state_after: Option<Hash>,
    /// How it ended.
    pub outcome: ActOutcome,
    /// Which part of the act.
    pub phase: Phase,
    /// How many equal acts this entry stands for, at least 1.
    pub repeats: u64,
    /// A short remark without personal data.
    pub note: String,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            at: Timestamp::default(),
            monotonic_micros: 0,
            boot: Id::from_bytes([0; 16]),
            node: String::new(),
            actor: Actor::default(),
            source: Source::default(),
            request: None,
            act: Act { verb: Verb::Read, purpose: String::new(), ticket: String::new() },
            target: Target::default(),
            related: Vec::new(),
            fields: Vec::new(),
            decision: Decision::default(),
            changes: Vec::new(),
            sealed: Vec::new(),
            state_before: None,
            state_after: None,
            outcome: ActOutcome::Ok,
            phase: Phase::Single,
            repeats: 1,
            note: String::new(),
        }
    }
}

impl Entry {
    /// An entry about an act that happens now.
    pub fn new(verb: Verb, clock: &dyn Clock, boot: Id<BootKind>, node: impl Into<String>) -> Self {
        let mut entry = Self { at: clock.now(), boot, node: node.into(), ..Self::default() };
        entry.monotonic_micros = u64::try_from(clock.monotonic().as_micros()).unwrap_or(u64::MAX);
        entry.act.verb = verb;
        entry
    }
    /// Says who, through which door and from which address.
    #[must_use]
    pub fn by(mut self, actor: Actor, channel: Channel, address: impl Into<String>) -> Self {
        self.actor = actor;
        self.source = Source { address: address.into(), channel };
        self
    }
    /// Says on which record.
    #[must_use]
    pub fn on_record(mut self, object: impl Into<String>, record: RecordId) -> Self {
        self.target.object = object.into();
        self.target.record = Some(record);
        self
    }
    /// Says which records of a list were disclosed.
    #[must_use]
    pub fn on_list(mut self, object: impl Into<String>, ids: Vec<RecordId>) -> Self {
        self.target.object = object.into();
        self.target.count = ids.len() as u64;
        self.target.ids = ids;
        self
    }
    /// Says that it was refused, with which error and by which rules. Nothing was done, so the outcome is failed.
    #[must_use]
    pub fn denied(mut self, code: Code, rules: Vec<String>) -> Self {
        self.decision.effect = Effect::Deny;
        self.decision.error = code.as_str().to_owned();
        self.decision.rules = rules;
        self.outcome = ActOutcome::Failed;
        self
    }
    /// Whether this entry tells the last state of a record's row: an act that was carried out.
    pub(crate) fn tells_state(&self) -> bool {
        self.outcome == ActOutcome::Ok
            && self.phase != Phase::Intent
            && (self.state_before.is_some() || self.state_after.is_some())
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("at", &self.at)
            .field("verb", &self.act.verb)
            .field("object", &self.target.object)
            .field("record", &self.target.record)
            .field("effect", &self.decision.effect)
            .field("outcome", &self.outcome)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
