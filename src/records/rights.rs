//! What somebody may do, and why; and what the interface would offer to somebody. Both speak of rights and structure, never
//! of what a record holds, so that those who give roles or check them can answer "why" without opening customer data.
//!
//! Of a record that is named, an answer tells whether and by which part of its place the person reaches it. A record that
//! does not exist and one out of the person's reach answer alike. Every question is an entry of the log under the record it
//! named, so that those who look after the record see that it was asked about.

use crate::{ObjectView, Pending, Records};
use audit::Verb as Act;
use authz::{AppAction, Explained, FILES, Facts, Held, Part, Place, Question, Verb, check_assignment};
use identity::{Actor, ActorFacts};
use kernel::{Code, Fault, RecordId, UserId};
use metadata::ObjectDef;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{ReadTx, Refused};

/// Roles that one view can be asked for.
const VIEW_ROLES_MAX: usize = 20;

/// May somebody do something?
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RightsQuestion {
    /// About whom.
    pub user: UserId,
    /// On which object; absent for an act of the appliance.
    #[serde(default)]
    pub object: Option<String>,
    /// To which record; any when absent.
    #[serde(default)]
    pub record: Option<RecordId>,
    /// Doing what; reading when absent.
    #[serde(default)]
    pub verb: Option<Verb>,
    /// To which field.
    #[serde(default)]
    pub field: Option<String>,
    /// The act of the appliance, in place of an object.
    #[serde(default)]
    pub act: Option<AppAction>,
}

/// The answer, with what decided.
#[derive(Clone, Debug, Serialize)]
pub struct RightsAnswer {
    /// About whom.
    pub user: UserId,
    /// Their roles in force.
    pub roles: Vec<String>,
    /// The decision taken apart.
    #[serde(flatten)]
    pub explained: Explained,
}

/// Whose view of the interface.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RightsViewRequest {
    /// A person's, with the roles they hold now.
    #[serde(default)]
    pub user: Option<UserId>,
    /// That of somebody with these roles.
    #[serde(default)]
    pub roles: Option<Vec<String>>,
}

/// What the interface would offer: acts, objects, fields and levels. No record.
#[derive(Clone, Debug, Serialize)]
pub struct RightsView {
    /// The roles it is for.
    pub roles: Vec<String>,
    /// Whether the roles exclude each other, or the account is not active; then nothing is offered.
    pub nothing: bool,
    /// Acts of the appliance.
    pub actions: Vec<AppAction>,
    /// Objects as the person knows them.
    pub objects: Vec<ObjectView>,
    /// How far each verb reaches, by object.
    pub reach: BTreeMap<String, BTreeMap<&'static str, String>>,
}

impl Records {
    /// Whether somebody may do something, and what decides.
    pub fn rights_check(&self, actor: &Arc<Actor>, question: RightsQuestion) -> Pending<RightsAnswer> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| {
            records.may_ask_rights(&actor)?;
            let person = records.person(tx, &actor, question.user)?;
            let explained = records.explained(tx, &person, &question)?;
            let mut entry = records.store.entry(&actor, Act::RightsCheck);
            entry.target.object = question.object.clone().unwrap_or_default();
            entry.target.record = question.record;
            entry.note = asked(&question, &explained);
            Ok((RightsAnswer { user: person.user, roles: person.roles, explained }, vec![entry]))
        }))
    }

    /// What the interface would offer to somebody.
    pub fn rights_view(&self, actor: &Arc<Actor>, request: RightsViewRequest) -> Pending<RightsView> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| {
            records.may_ask_rights(&actor)?;
            let (roles, active) = match (request.user, request.roles) {
                (Some(user), None) => {
                    let person = records.person(tx, &actor, user)?;
                    (person.roles, person.active)
                }
                (None, Some(roles)) => (records.known_roles(roles)?, true),
                _ => return Err(Fault::new(Code::ParameterInvalid, "Name either a user or roles.").into()),
            };
            let mut entry = records.store.entry(&actor, Act::RightsCheck);
            let whose =
                request.user.map_or_else(|| format!("roles {}", roles.join(",")), |user| format!("user {user}"));
            entry.note = format!("view of {whose}").chars().take(NOTE_CHARS).collect();
            Ok((records.offer(roles, active), vec![entry]))
        }))
    }

    fn may_ask_rights(&self, actor: &Actor) -> Result<(), Refused> {
        let policy = self.policy();
        if policy.act(actor, AppAction::Roles).is_ok() {
            return Ok(());
        }
        let asked = policy.act(actor, AppAction::AuditRead);
        asked.map(|_| ()).map_err(|denied| self.denial(actor, Act::RightsCheck, denied, None))
    }

    fn person(&self, tx: &mut ReadTx<'_>, actor: &Actor, user: UserId) -> Result<ActorFacts, Refused> {
        tx.actor_facts(user)?.ok_or_else(|| self.missing(actor, Act::RightsCheck, "user", user))
    }

    fn known_roles(&self, mut roles: Vec<String>) -> Result<Vec<String>, Fault> {
        let policy = self.policy();
        if roles.len() > VIEW_ROLES_MAX {
            return Err(Fault::new(Code::LimitExceeded, format!("Name at most {VIEW_ROLES_MAX} roles.")));
        }
        if roles.iter().any(|role| policy.role(role).is_none()) {
            return Err(Fault::new(Code::RoleUnknown, "There is no such role; see /api/v1/roles."));
        }
        roles.sort();
        roles.dedup();
        Ok(roles)
    }

    fn explained(
        &self,
        tx: &mut ReadTx<'_>,
        person: &ActorFacts,
        question: &RightsQuestion,
    ) -> Result<Explained, Refused> {
        let policy = self.policy();
        let (object, act) = (question.object.as_deref(), question.act);
        let alone = question.record.is_none() && question.field.is_none() && question.verb.is_none();
        let object = match (object, act) {
            (None, Some(act)) if alone => return Ok(policy.explain_act(person, act)),
            (Some(object), None) => self.definition(object)?,
            _ => {
                let detail = "Ask about an object, with a verb, record or field, or about an act alone.";
                return Err(Fault::new(Code::ParameterInvalid, detail).into());
            }
        };
        let field = question.field.as_deref().map(|name| known_field(&object, name)).transpose()?;
        let verb = question.verb.unwrap_or(Verb::Read);
        let place = match question.record {
            None => {
                return Ok(policy.explain(Question { person, object: &object, verb, field, place: Place::Anywhere }));
            }
            Some(record) => self.facts_for(tx, person, &object, verb, record)?,
        };
        let place = Place::Record(place.as_ref());
        Ok(policy.explain(Question { person, object: &object, verb, field, place }))
    }

    /// Where a record lies, if it is there for this person: what is in the bin is there for those who may delete it, and
    /// then only to be looked at or brought back.
    fn facts_for(
        &self,
        tx: &mut ReadTx<'_>,
        person: &ActorFacts,
        object: &Arc<ObjectDef>,
        verb: Verb,
        record: RecordId,
    ) -> Result<Option<Facts>, Refused> {
        let Some(row) = tx.row(object, record, &[])? else { return Ok(None) };
        let facts = row.facts().clone();
        if !row.deleted() {
            return Ok(Some(facts));
        }
        let place = Place::Record(Some(&facts));
        let removes = self.policy().explain(Question { person, object, verb: Verb::Delete, field: None, place });
        Ok((removes.allowed && matches!(verb, Verb::Read | Verb::Delete)).then_some(facts))
    }

    fn offer(&self, roles: Vec<String>, active: bool) -> RightsView {
        let (policy, catalog) = (self.policy(), self.catalog());
        let held = roles.iter().filter_map(|role| policy.role(role)).map(AsRef::as_ref);
        if !active || check_assignment(held).is_err() {
            return RightsView {
                roles,
                nothing: true,
                actions: Vec::new(),
                objects: Vec::new(),
                reach: BTreeMap::new(),
            };
        }
        let actions = policy.acts_of(&roles);
        let all = actions.contains(&AppAction::Definitions);
        let objects: Vec<ObjectView> = catalog
            .objects()
            .filter_map(|object| self.object_view_of(object, all, &|verb| policy.offered(&roles, object, verb)))
            .collect();
        let asked = Held { policy: &policy, roles: &roles };
        let widths = |object: &Arc<ObjectDef>| {
            (object.name.clone(), Verb::ALL.map(|verb| (verb.as_str(), asked.width(object, verb))).into())
        };
        let reach = catalog.objects().map(widths).collect();
        RightsView { roles, nothing: false, actions, objects, reach }
    }
}

fn known_field<'o>(object: &'o ObjectDef, name: &str) -> Result<Part<'o>, Fault> {
    if name == FILES {
        return Ok(Part::FILES);
    }
    let unknown = || Fault::new(Code::FieldUnknown, "The object has no such field; see /api/v1/roles/objects.");
    object.field(name).map(Part::from).ok_or_else(unknown)
}

/// Characters of the note of one entry about a question.
const NOTE_CHARS: usize = 500;

/// The question in one line, without a value: ids, names of definitions, and what decided.
fn asked(question: &RightsQuestion, explained: &Explained) -> String {
    let what = match (&question.object, question.act) {
        (Some(object), _) => {
            let field = question.field.as_deref().map(|field| format!(".{field}")).unwrap_or_default();
            format!("{} {object}{field}", question.verb.unwrap_or(Verb::Read).as_str())
        }
        (None, Some(act)) => act.as_str().to_owned(),
        (None, None) => String::new(),
    };
    let reason = serde_json::to_value(explained.reason).ok();
    let reason = reason.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
    format!("user {} {what}: {reason}", question.user).chars().take(NOTE_CHARS).collect()
}
