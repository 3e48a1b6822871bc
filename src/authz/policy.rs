//! The decision. Roles add up, a forbid wins, nothing is allowed by default. Every decision carries the policy's content
//! hash and the rules that decided.

use crate::reading::{self, levels};
use crate::{
    Action, AppAction, Facts, FieldLevels, Grant, Level, Predicate, Read, RoleDef, ScopeWidth, Verb, Why,
    check_assignment,
};
use identity::{Actor, ActorKind, TokenVerb};
use kernel::{Code, Fault, UserId};
use metadata::ObjectDef;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenyReason {
    /// No role gives the right at all.
    NoRight,
    /// A role forbids it.
    Forbidden,
    /// The right does not reach this record. Its existence is a secret.
    OutOfScope,
    /// The API token does not cover it.
    TokenScope,
    /// The person holds roles that exclude each other.
    RoleConflict,
}

/// A refusal, with what the log needs.
#[derive(Clone, Debug)]
pub struct Denied {
    /// Why.
    pub reason: DenyReason,
    /// The object.
    pub object: String,
    /// The verb or act.
    pub verb: &'static str,
    /// What decided.
    pub why: Arc<Why>,
}

impl Denied {
    /// The stable code: out of scope looks exactly like "not there".
    pub const fn code(&self) -> Code {
        match self.reason {
            DenyReason::OutOfScope => Code::RecordNotFound,
            DenyReason::TokenScope => Code::TokenScope,
            DenyReason::NoRight | DenyReason::Forbidden | DenyReason::RoleConflict => Code::AccessDenied,
        }
    }
}

impl From<Denied> for Fault {
    fn from(denied: Denied) -> Self {
        let detail = match denied.reason {
            DenyReason::OutOfScope => "There is no such record, or it is not visible to you.".to_owned(),
            DenyReason::TokenScope => "The API token was not made for this; make one whose scopes cover it.".to_owned(),
            DenyReason::RoleConflict => {
                "Your account holds roles that exclude each other; a security administrator must take one away."
                    .to_owned()
            }
            DenyReason::NoRight | DenyReason::Forbidden => {
                format!("Your roles do not allow {} on {}. Ask a security administrator.", denied.verb, denied.object)
            }
        };
        Self::new(denied.code(), detail)
    }
}

/// All roles at one moment.
#[derive(Debug)]
pub struct Policy {
    epoch: [u8; 32],
    roles: BTreeMap<String, Arc<RoleDef>>,
    rights: RwLock<HashMap<RightsKey, Arc<Rights>>>,
}

/// One role's part of a scope: where it reaches and what it shows there.
struct View {
    predicate: Predicate,
    levels: Arc<FieldLevels>,
}

/// Which records somebody may reach with one verb, and how much of each. Required for every list.
pub struct Scope<'a> {
    actor: &'a Actor,
    object: String,
    verb: Verb,
    predicate: Predicate,
    views: Vec<View>,
    floor: Arc<FieldLevels>,
    why: Arc<Why>,
}

/// Sets of rights remembered before the memory begins anew.
const RIGHTS_REMEMBERED_MAX: usize = 10_000;

/// What one role gives on one object with one verb.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) width: ScopeWidth,
    pub(crate) levels: Arc<FieldLevels>,
}

/// What a set of roles gives on one object with one verb.
#[derive(Debug)]
pub(crate) struct Rights {
    pub(crate) refused: Option<DenyReason>,
    pub(crate) given: Vec<Given>,
    floor: Arc<FieldLevels>,
    why: Arc<Why>,
}

/// What a set of roles offers on one object with one verb, wherever it reaches: for forms, menus and questions about
/// rights, never for data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// How far each of the roles reaches.
    pub widths: Vec<ScopeWidth>,
    /// The highest level of each field.
    pub levels: FieldLevels,
    /// The level each field has at least; what filters and sorting go by.
    pub floor: FieldLevels,
}

/// Serial of the definition, verb, whether a person acts, roles.
type RightsKey = (u64, Verb, bool, String);

impl Policy {
    /// Joins roles; `epoch` is the SHA-256 of [`Policy::canonical`].
    pub fn new(roles: Vec<RoleDef>, epoch: [u8; 32]) -> Self {
        let roles = roles.into_iter().map(|role| (role.name.clone(), Arc::new(role))).collect();
        Self { epoch, roles, rights: RwLock::default() }
    }
    /// The bytes whose hash names this set of roles: JSON, roles by name, keys sorted.
    pub fn canonical(roles: &[RoleDef]) -> Vec<u8> {
        let sorted: BTreeMap<&str, &RoleDef> = roles.iter().map(|role| (role.name.as_str(), role)).collect();
        serde_json::to_vec(&sorted).unwrap_or_default()
    }
    /// The content hash.
    pub fn epoch(&self) -> [u8; 32] {
        self.epoch
    }
    /// The role of this name.
    pub fn role(&self, name: &str) -> Option<&Arc<RoleDef>> {
        self.roles.get(name)
    }
    /// All roles by name.
    pub fn roles(&self) -> impl Iterator<Item = &Arc<RoleDef>> {
        self.roles.values()
    }

    /// Whether the actor may do an act of the appliance.
    pub fn act(&self, actor: &Actor, action: AppAction) -> Result<Why, Denied> {
        let decided = self.act_of(actor.roles(), actor.kind() == ActorKind::User, action);
        let open = !matches!(&decided, Err(denied) if denied.reason != DenyReason::NoRight);
        if open && !actor.token_allows("appliance", TokenVerb::Admin) {
            return Err(self.act_denied(action, DenyReason::TokenScope, Vec::new()));
        }
        decided
    }

    /// Whether the actor may use API tokens at all; asked at each use, whatever the token itself is for. Who lost the right
    /// has lost the use of all tokens made before.
    /// The secret of a calendar address is no token for anything else.
    pub fn token_use(&self, actor: &Actor) -> Result<Why, Denied> {
        if actor.is_calendar() {
            return Err(self.act_denied(AppAction::Token, DenyReason::TokenScope, Vec::new()));
        }
        self.act_of(actor.roles(), actor.kind() == ActorKind::User, AppAction::Token)
    }

    /// The acts that a person with these roles may do.
    pub fn acts_of(&self, roles: &[String]) -> Vec<AppAction> {
        AppAction::ALL.into_iter().filter(|action| self.act_of(roles, true, *action).is_ok()).collect()
    }

    fn act_denied(&self, action: AppAction, reason: DenyReason, rules: Vec<String>) -> Denied {
        let why = Arc::new(Why { epoch: self.epoch, rules });
        Denied { reason, object: "appliance".to_owned(), verb: action.as_str(), why }
    }

    pub(crate) fn act_of(&self, roles: &[String], person: bool, action: AppAction) -> Result<Why, Denied> {
        let denied = |reason, rules| self.act_denied(action, reason, rules);
        let roles = self.effective(roles, person).map_err(|reason| denied(reason, Vec::new()))?;
        if let Some(role) = roles.iter().find(|role| role.forbid.actions.contains(&action)) {
            return Err(denied(DenyReason::Forbidden, vec![format!("{}:forbid {}", role.name, action.as_str())]));
        }
        let has = roles.iter().filter(|role| role.actions.contains(&action));
        let rules: Vec<String> = has.map(|role| format!("{}:{}", role.name, action.as_str())).collect();
        if rules.is_empty() { Err(denied(DenyReason::NoRight, rules)) } else { Ok(Why { epoch: self.epoch, rules }) }
    }

    /// Which records the actor may reach with a verb.
    pub fn scope<'a>(&self, actor: &'a Actor, object: &ObjectDef, verb: Verb) -> Result<Scope<'a>, Denied> {
        let denied = |reason, why| Denied { reason, object: object.name.clone(), verb: verb.as_str(), why };
        let rights = self.rights_of(actor.roles(), actor.kind() == ActorKind::User, object, verb);
        if let Some(reason) = rights.refused {
            return Err(denied(reason, Arc::clone(&rights.why)));
        }
        if !actor.token_allows(&object.name, token_verb(verb)) {
            return Err(denied(DenyReason::TokenScope, Arc::new(Why { epoch: self.epoch, rules: Vec::new() })));
        }
        let mut predicate = Predicate::default();
        let private_of = private_of(object, verb, actor.user()).filter(|_| actor.kind() != ActorKind::System);
        let mut views = Vec::with_capacity(rights.given.len());
        for given in &rights.given {
            let view = View {
                predicate: Predicate::of(given.width, actor.facts()).with_private_of(private_of),
                levels: Arc::clone(&given.levels),
            };
            predicate = predicate.or(&view.predicate);
            views.push(view);
        }
        let (floor, why) = (Arc::clone(&rights.floor), Arc::clone(&rights.why));
        Ok(Scope { actor, object: object.name.clone(), verb, predicate, views, floor, why })
    }

    /// What a set of roles gives on an object with a verb: computed once, then remembered. It depends on nothing else of
    /// the actor; definitions are told apart by their serial numbers.
    pub(crate) fn rights_of(&self, roles: &[String], person: bool, object: &ObjectDef, verb: Verb) -> Arc<Rights> {
        let key = (object.serial.0, verb, person, roles.join(","));
        let known = self.rights.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        // A definition outside a catalogue has no serial, so nothing may be remembered of it.
        if let Some(known) = known.filter(|_| object.serial.0 != 0) {
            return known;
        }
        let rights = Arc::new(self.compute_rights(roles, person, object, verb));
        let mut remembered = self.rights.write().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= RIGHTS_REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(key, Arc::clone(&rights));
        rights
    }

    fn compute_rights(&self, roles: &[String], person: bool, object: &ObjectDef, verb: Verb) -> Rights {
        let refused = |reason, rules| Rights {
            refused: Some(reason),
            given: Vec::new(),
            floor: Arc::new(FieldLevels::new(Vec::new(), Level::None)),
            why: Arc::new(Why { epoch: self.epoch, rules }),
        };
        let roles = match self.effective(roles, person) {
            Ok(roles) => roles,
            Err(reason) => return refused(reason, Vec::new()),
        };
        if let Some(role) = roles.iter().find(|role| reading::forbids(role, object, verb).is_some()) {
            return refused(
                DenyReason::Forbidden,
                vec![format!("{}:forbid {}.{}", role.name, object.name, verb.as_str())],
            );
        }
        let mut given: Vec<Given> = Vec::new();
        let mut rules = Vec::new();
        for role in &roles {
            let width = reading::rights(role, object).map_or(ScopeWidth::None, |(_, rights)| rights.width(verb));
            if width != ScopeWidth::None {
                rules.push(format!("{}:{}.{}={}", role.name, object.name, verb.as_str(), width.as_str()));
                given.push(Given { width, levels: Arc::new(levels(role, &roles, object)) });
            }
        }
        let floor = given.iter().map(|given| (*given.levels).clone()).reduce(|floor, next| floor.intersection(&next));
        match floor {
            None => refused(DenyReason::NoRight, rules),
            Some(floor) => {
                Rights { refused: None, given, floor: Arc::new(floor), why: Arc::new(Why { epoch: self.epoch, rules }) }
            }
        }
    }

    /// What a person with these roles is offered on an object with a verb.
    pub fn offered(&self, roles: &[String], object: &ObjectDef, verb: Verb) -> Option<Offered> {
        self.offered_by(&self.rights_of(roles, true, object, verb))
    }

    /// What the actor is offered, by roles and token.
    pub fn offered_to(&self, actor: &Actor, object: &ObjectDef, verb: Verb) -> Option<Offered> {
        let _reaches = self.scope(actor, object, verb).ok()?;
        self.offered_by(&self.rights_of(actor.roles(), actor.kind() == ActorKind::User, object, verb))
    }

    fn offered_by(&self, rights: &Rights) -> Option<Offered> {
        let levels = rights.given.iter().map(|given| (*given.levels).clone()).reduce(|all, next| all.union(&next));
        let widths = rights.given.iter().map(|given| given.width).collect();
        levels.map(|levels| Offered { widths, levels, floor: (*rights.floor).clone() })
    }

    /// Whether the actor may do `A` to one record.
    pub fn grant<'a, A: Action>(
        &self,
        actor: &'a Actor,
        object: &ObjectDef,
        facts: &Facts,
    ) -> Result<Grant<'a, A>, Denied> {
        self.scope(actor, object, A::VERB)?.admit(facts)
    }

    /// The highest level any role of the actor gives on each field, wherever it reaches: for forms and menus, never for data.
    pub fn levels_anywhere(&self, actor: &Actor, object: &ObjectDef, verb: Verb) -> Option<FieldLevels> {
        self.offered_to(actor, object, verb).map(|offered| offered.levels)
    }

    /// The roles behind the names. One that is retired is none.
    pub(crate) fn effective(&self, names: &[String], person: bool) -> Result<Vec<Arc<RoleDef>>, DenyReason> {
        let known = names.iter().filter_map(|name| self.roles.get(name.as_str()));
        let roles: Vec<Arc<RoleDef>> = known.filter(|role| !role.retired).cloned().collect();
        if person && check_assignment(roles.iter().map(AsRef::as_ref)).is_err() {
            return Err(DenyReason::RoleConflict);
        }
        Ok(roles)
    }
}

impl<'a> Scope<'a> {
    /// The condition every query of this scope carries.
    pub fn predicate(&self) -> &Predicate {
        &self.predicate
    }
    /// Who.
    pub fn actor(&self) -> &'a Actor {
        self.actor
    }
    /// Which object.
    pub fn object(&self) -> &str {
        &self.object
    }
    /// What decided.
    pub fn why(&self) -> &Why {
        &self.why
    }
    /// What one may use in filters, sorting and grouping: a field counts only if it can be read on every record in scope.
    pub fn floor(&self) -> &FieldLevels {
        &self.floor
    }
    /// A grant for one record of a list, or a refusal when the record is outside.
    pub fn grant(&self, facts: &Facts) -> Result<Grant<'a, Read>, Denied> {
        if self.verb == Verb::Read { self.admit(facts) } else { Err(self.outside()) }
    }

    fn outside(&self) -> Denied {
        Denied {
            reason: DenyReason::OutOfScope,
            object: self.object.clone(),
            verb: self.verb.as_str(),
            why: Arc::clone(&self.why),
        }
    }
    fn admit<A: Action>(&self, facts: &Facts) -> Result<Grant<'a, A>, Denied> {
        if facts.object != self.object || A::VERB != self.verb {
            return Err(self.outside());
        }
        let mut levels: Option<Arc<FieldLevels>> = None;
        for view in self.views.iter().filter(|view| view.predicate.admits(facts)) {
            levels = Some(levels.map_or_else(|| Arc::clone(&view.levels), |sum| Arc::new(sum.union(&view.levels))));
        }
        let levels = levels.ok_or_else(|| self.outside())?;
        Ok(Grant::mint(self.actor, facts.clone(), levels, Arc::clone(&self.why)))
    }
}

/// Whose private records somebody reaches: their own. Who makes a record may make it somebody else's alone.
pub(crate) fn private_of(object: &ObjectDef, verb: Verb, person: UserId) -> Option<UserId> {
    object.private_column().filter(|_| verb != Verb::Create).map(|_| person)
}

const fn token_verb(verb: Verb) -> TokenVerb {
    match verb {
        Verb::Read | Verb::Reveal => TokenVerb::Read,
        Verb::Create => TokenVerb::Create,
        Verb::Update | Verb::Assign => TokenVerb::Update,
        Verb::Delete => TokenVerb::Delete,
    }
}
