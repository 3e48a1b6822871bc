//! Why somebody may or may not do one thing: the decision itself, taken apart. It asks the same functions as the decision,
//! and hands out no grant: what it says is about rights, never about what a record holds.
//!
//! A record that does not exist and one that no right reaches give the same answer, to the letter: who asks learns from a
//! "no" nothing about the record.

use crate::policy::Rights;
use crate::reading::{self, LevelSource, Part};
use crate::{AppAction, DenyReason, Facts, FieldLevels, Level, Policy, Predicate, RoleDef, ScopeWidth, Verb};
use identity::ActorFacts;
use metadata::{ObjectDef, ObjectKind};
use serde::Serialize;
use std::sync::Arc;

/// Roles named as a way out.
const HELPS_MAX: usize = 20;

/// What is asked about an object.
#[derive(Clone, Copy)]
pub struct Question<'q> {
    /// About whom.
    pub person: &'q ActorFacts,
    /// On which object.
    pub object: &'q ObjectDef,
    /// Doing what.
    pub verb: Verb,
    /// To which field, if to one.
    pub field: Option<Part<'q>>,
    /// On which records.
    pub place: Place<'q>,
}

/// Which records a question is about.
#[derive(Clone, Copy)]
pub enum Place<'f> {
    /// Any.
    Anywhere,
    /// One; without facts when there is none of that id.
    Record(Option<&'f Facts>),
}

/// What decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A role gives it.
    Granted,
    /// No role gives it.
    NoRight,
    /// The person is an administrator, who opens no customer data.
    Administration,
    /// A role forbids it.
    Forbidden,
    /// No right reaches a record of this id.
    OutOfScope,
    /// The roles exclude each other, and so give nothing.
    RoleConflict,
    /// The record may be reached, but the field only at a lower level.
    FieldLevel,
    /// The appliance sets the field, nobody else.
    FieldReadOnly,
    /// The account is not active.
    Inactive,
}

/// One role's part in a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RightTrace {
    /// The role.
    pub role: String,
    /// The entry that speaks of it, such as `account.read` or `*.read`; none when the role says nothing of it.
    pub entry: Option<String>,
    /// How far it reaches.
    pub width: ScopeWidth,
    /// Whether it reaches the record; none when no record was named or nothing is given.
    pub reaches: Option<bool>,
    /// By which parts of the record's place.
    pub through: Vec<&'static str>,
}

/// Something a role takes away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ForbidTrace {
    /// The role.
    pub role: String,
    /// The entry, such as `account.delete` or `account.phone`.
    pub entry: String,
}

/// How much of a field one role shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LevelTrace {
    /// The role.
    pub role: String,
    /// How much.
    pub level: Level,
    /// What kind of entry says so.
    pub source: LevelSource,
    /// Whether it counts: the role gives the act, and reaches the record where one was named.
    pub counts: bool,
}

/// A decision taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// Whether it may be done.
    pub allowed: bool,
    /// What decided.
    pub reason: Reason,
    /// The verb it was decided on: `read` where the record must be in sight for another, and is not.
    pub decided_by: Verb,
    /// Each role in force.
    pub rights: Vec<RightTrace>,
    /// What is taken away; wins over all rights.
    pub forbids: Vec<ForbidTrace>,
    /// The level of the field that holds, where a field was asked for.
    pub level: Option<Level>,
    /// How much of the field each role shows.
    pub levels: Vec<LevelTrace>,
    /// Roles that would give it, where no role does; never told for lack of reach, which would tell of the record.
    pub helps: Vec<String>,
}

impl Explained {
    fn bare(reason: Reason, decided_by: Verb) -> Self {
        let allowed = reason == Reason::Granted;
        Self {
            allowed,
            reason,
            decided_by,
            rights: Vec::new(),
            forbids: Vec::new(),
            level: None,
            levels: Vec::new(),
            helps: Vec::new(),
        }
    }
}

impl Policy {
    /// Why a person may or may not do something to records of an object, or to one.
    pub fn explain(&self, question: Question<'_>) -> Explained {
        let Question { person, object, verb, .. } = question;
        if !person.active {
            return Explained::bare(Reason::Inactive, verb);
        }
        let Ok(roles) = self.effective(&person.roles, true) else {
            return Explained::bare(Reason::RoleConflict, verb);
        };
        let rights = self.rights_of(&person.roles, true, object, verb);
        let mut told = Explained::bare(reason_of(&rights, &roles, object), verb);
        told.rights = roles.iter().map(|role| right_trace(role, &question)).collect();
        told.forbids = roles
            .iter()
            .filter_map(|role| {
                reading::forbids(role, object, verb).map(|key| (role, format!("{key}.{}", verb.as_str())))
            })
            .map(|(role, entry)| ForbidTrace { role: role.name.clone(), entry })
            .collect();
        let reached = told.rights.iter().any(|right| right.width != ScopeWidth::None && right.reaches != Some(false));
        if told.reason == Reason::Granted && !reached {
            told.reason = Reason::OutOfScope;
        }
        if let Some(field) = question.field {
            self.explain_field(&question, field, &roles, &mut told);
        }
        // What one does not see cannot be changed, and what one does not even see masked cannot be revealed.
        if !matches!(verb, Verb::Read | Verb::Create) && told.reason == Reason::Granted {
            let field = question.field.filter(|_| verb == Verb::Reveal);
            let read = self.explain(Question { verb: Verb::Read, field, ..question });
            if !read.allowed && read.level.is_none_or(|level| level < Level::Masked) {
                (told.reason, told.decided_by) = (read.reason, Verb::Read);
            }
        }
        told.allowed = told.reason == Reason::Granted;
        told.helps = self.helps(&question, told.reason);
        told
    }

    /// Adds what the roles say of a field, and whether that is enough for the verb.
    fn explain_field(&self, question: &Question<'_>, field: Part<'_>, roles: &[Arc<RoleDef>], told: &mut Explained) {
        let object = question.object;
        let forbidding = reading::forbid_part(roles, object, field);
        let entry = format!("{}.{}", object.name, field.name);
        let taken: Vec<ForbidTrace> =
            forbidding.map(|role| ForbidTrace { role: role.name.clone(), entry: entry.clone() }).collect();
        let granted = told.reason == Reason::Granted;
        for (role, right) in roles.iter().zip(&told.rights) {
            let (level, source) = reading::level_of(role, object, field);
            let counts = granted && right.width != ScopeWidth::None && right.reaches != Some(false);
            told.levels.push(LevelTrace { role: role.name.clone(), level, source, counts });
        }
        let highest = told.levels.iter().filter(|trace| trace.counts).map(|trace| trace.level).max();
        let level = if taken.is_empty() { highest.unwrap_or_default() } else { Level::None };
        if granted {
            told.level = Some(level);
            told.reason = match question.verb {
                Verb::Create | Verb::Update | Verb::Assign if field.read_only => Reason::FieldReadOnly,
                _ if level >= needed(question.verb) => Reason::Granted,
                _ if !taken.is_empty() => Reason::Forbidden,
                _ => Reason::FieldLevel,
            };
        }
        told.forbids.extend(taken);
    }

    /// Roles that could be given, and with which there would be the right. Lack of reach is not helped: which roles would
    /// reach a record tells where it lies.
    fn helps(&self, question: &Question<'_>, reason: Reason) -> Vec<String> {
        if !matches!(reason, Reason::NoRight | Reason::FieldLevel) {
            return Vec::new();
        }
        let anywhere = |role: &RoleDef| {
            let mut names = question.person.roles.clone();
            names.push(role.name.clone());
            let offered = self.offered(&names, question.object, question.verb);
            let level = |field: Part<'_>, levels: &FieldLevels| match question.object.field_index(field.name) {
                Some(at) => levels.get(at),
                None => levels.files(),
            };
            let enough =
                |levels: &FieldLevels| question.field.is_none_or(|field| level(field, levels) >= needed(question.verb));
            offered.is_some_and(|offered| enough(&offered.levels))
        };
        let free = self.roles().filter(|role| role.is_assignable() && !question.person.roles.contains(&role.name));
        free.filter(|role| anywhere(role)).map(|role| role.name.clone()).take(HELPS_MAX).collect()
    }

    /// Why a person may or may not do an act of the appliance. (Of an act, `decided_by` says nothing.)
    pub fn explain_act(&self, person: &ActorFacts, action: AppAction) -> Explained {
        let bare = |reason| Explained::bare(reason, Verb::Read);
        if !person.active {
            return bare(Reason::Inactive);
        }
        let Ok(roles) = self.effective(&person.roles, true) else { return bare(Reason::RoleConflict) };
        let decided = self.act_of(&person.roles, true, action);
        let mut told = bare(match decided.as_ref().map_err(|denied| denied.reason) {
            Ok(_) => Reason::Granted,
            Err(DenyReason::Forbidden) => Reason::Forbidden,
            Err(_) => Reason::NoRight,
        });
        let entry = action.as_str();
        told.rights = roles.iter().map(|role| act_trace(role, action)).collect();
        let taking = roles.iter().filter(|role| role.forbid.actions.contains(&action));
        told.forbids = taking.map(|role| ForbidTrace { role: role.name.clone(), entry: entry.to_owned() }).collect();
        if told.reason == Reason::NoRight {
            let could = |role: &RoleDef| {
                let mut names = person.roles.clone();
                names.push(role.name.clone());
                role.is_assignable() && self.act_of(&names, true, action).is_ok()
            };
            told.helps =
                self.roles().filter(|role| could(role)).map(|role| role.name.clone()).take(HELPS_MAX).collect();
        }
        told
    }
}

fn act_trace(role: &RoleDef, action: AppAction) -> RightTrace {
    let has = role.actions.contains(&action);
    RightTrace {
        role: role.name.clone(),
        entry: has.then(|| action.as_str().to_owned()),
        width: if has { ScopeWidth::All } else { ScopeWidth::None },
        reaches: None,
        through: Vec::new(),
    }
}

/// The level of a field without which a verb does nothing to it.
const fn needed(verb: Verb) -> Level {
    match verb {
        Verb::Read | Verb::Delete => Level::Read,
        Verb::Reveal => Level::Masked,
        Verb::Create | Verb::Update | Verb::Assign => Level::Edit,
    }
}

fn reason_of(rights: &Rights, roles: &[Arc<RoleDef>], object: &ObjectDef) -> Reason {
    let administrators = !roles.is_empty() && roles.iter().all(|role| role.kind.is_administration());
    match rights.refused {
        None => Reason::Granted,
        Some(DenyReason::Forbidden) => Reason::Forbidden,
        Some(DenyReason::RoleConflict) => Reason::RoleConflict,
        Some(_) if administrators && object.kind == ObjectKind::Business => Reason::Administration,
        Some(_) => Reason::NoRight,
    }
}

fn right_trace(role: &RoleDef, question: &Question<'_>) -> RightTrace {
    let found = reading::rights(role, question.object);
    let width = found.map_or(ScopeWidth::None, |(_, rights)| rights.width(question.verb));
    let entry = found.map(|(key, _)| format!("{key}.{}", question.verb.as_str()));
    let through = match question.place {
        Place::Record(Some(facts)) => {
            let private_of = crate::policy::private_of(question.object, question.verb, question.person.user);
            Predicate::of(width, question.person).with_private_of(private_of).through(facts)
        }
        Place::Record(None) | Place::Anywhere => Vec::new(),
    };
    let reaches = match question.place {
        Place::Record(_) if width != ScopeWidth::None => Some(!through.is_empty()),
        Place::Record(_) | Place::Anywhere => None,
    };
    RightTrace { role: role.name.clone(), entry, width, reaches, through }
}
