//! Who one is and what one may do; giving and taking roles. Nobody gives a role to themselves, and roles that exclude
//! each other do not meet in one person.

use crate::{Pending, Records};
use audit::Verb as Act;
use authz::{AppAction, RoleDef, check_assignment};
use identity::{Actor, ActorKind};
use kernel::{Code, Fault, RecordId, Timestamp, UserId};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Refused, RoleAssignment, WriteTx};

/// Who am I, what may I do.
#[derive(Clone, Debug, Serialize)]
pub struct MeView {
    /// The user.
    pub id: UserId,
    /// The login.
    pub login: String,
    /// The name others see.
    pub display_name: String,
    /// Roles in force.
    pub roles: Vec<String>,
    /// The unit.
    pub unit: Option<RecordId>,
    /// Teams.
    pub teams: Vec<RecordId>,
    /// `en` or `zh`.
    pub locale: &'static str,
    /// Acts of the appliance that the roles allow.
    pub actions: BTreeSet<AppAction>,
}

/// A role, for lists.
#[derive(Clone, Debug, Serialize)]
pub struct RoleView {
    /// The role as it is defined.
    pub role: RoleDef,
    /// Whether it can be given to people.
    pub assignable: bool,
    /// Whether it was made here and can be changed.
    pub custom: bool,
}

/// A role in somebody's hands.
#[derive(Clone, Debug, Serialize)]
pub struct RoleHeld {
    /// The role.
    pub role: String,
    /// From when.
    pub valid_from: Option<Timestamp>,
    /// Until when.
    pub valid_to: Option<Timestamp>,
}

/// The roles of one user.
#[derive(Clone, Debug, Serialize)]
pub struct RolesOfView {
    /// The user.
    pub user: UserId,
    /// Their roles.
    pub roles: Vec<RoleHeld>,
}

/// Something was done.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
pub struct DoneView {
    /// False when it was so already.
    pub moved: bool,
}

impl Records {
    /// Who the actor is and what they may do.
    pub fn me(&self, actor: &Actor) -> Result<MeView, Fault> {
        let policy = self.policy();
        Ok(MeView {
            id: actor.user(),
            login: actor.login().to_owned(),
            display_name: actor.display_name().to_owned(),
            roles: actor.roles().to_vec(),
            unit: actor.unit(),
            teams: actor.teams().to_vec(),
            locale: actor.locale().as_str(),
            actions: AppAction::ALL.into_iter().filter(|action| policy.act(actor, *action).is_ok()).collect(),
        })
    }

    /// All roles, for those who give them or check them.
    pub fn role_list(&self, actor: &Actor) -> Result<Vec<RoleView>, Fault> {
        let policy = self.policy();
        self.may_see_roles(actor, Act::RoleChange)?;
        let view = |role: &Arc<RoleDef>| RoleView {
            role: (**role).clone(),
            assignable: role.is_assignable(),
            custom: role.is_custom(),
        };
        Ok(policy.roles().map(view).collect())
    }

    /// Somebody with the rights of now, for work that outlives the request that began it. Who may no longer do this gets a
    /// refusal, which is logged.
    pub fn still_acts(&self, actor: &Actor, (action, act): (AppAction, Act), note: &str) -> Result<Arc<Actor>, Fault> {
        let directory = store::DirectoryPorts(Arc::clone(&self.store));
        let Some(actor) = actor.renewed(&directory).map_err(Fault::from)? else {
            let mut entry = self.store.entry(actor, act).denied(Code::AccessDenied, Vec::new());
            note.clone_into(&mut entry.note);
            self.store.append(vec![entry]).wait()?;
            return Err(Fault::new(Code::AccessDenied, "The user may no longer act."));
        };
        self.may_act(&actor, action, act)?;
        Ok(Arc::new(actor))
    }

    /// Whether the actor gives roles or checks them; a refusal is logged.
    pub(crate) fn may_see_roles(&self, actor: &Actor, act: Act) -> Result<(), Fault> {
        match self.policy().act(actor, AppAction::Roles) {
            Ok(_) => Ok(()),
            Err(_) => self.may_act(actor, AppAction::AuditRead, act),
        }
    }

    /// Whether the actor may do this; a refusal is logged.
    pub fn may_act(&self, actor: &Actor, action: AppAction, act: Act) -> Result<(), Fault> {
        match self.policy().act(actor, action) {
            Ok(_) => Ok(()),
            Err(denied) => Err(self.log_refusal(self.denial(actor, act, denied, None))),
        }
    }

    /// Whether the actor may set this user's password or end their sessions.
    pub fn password_allowed(&self, actor: &Actor, user: UserId) -> Result<(), Fault> {
        if actor.kind() == ActorKind::User && actor.user() == user {
            return Err(Fault::new(
                Code::AccessDenied,
                "Change your own password with the old one; setting it is for others.",
            ));
        }
        self.may_act(actor, AppAction::Users, Act::PasswordChange)
    }

    /// Notes that a password was set or changed.
    pub fn note_password(&self, actor: &Actor, user: UserId) -> Result<(), Fault> {
        let entry = self.store.entry(actor, Act::PasswordChange).on_record("user", user);
        self.store.append(vec![entry]).wait()
    }

    /// The roles of a user.
    pub fn roles_of(&self, actor: &Arc<Actor>, user: UserId) -> Pending<RolesOfView> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::in_background(move || {
            if records.policy().act(&actor, AppAction::Roles).is_err()
                && records.policy().act(&actor, AppAction::Users).is_err()
            {
                records.may_act(&actor, AppAction::AuditRead, Act::Read)?;
            }
            let held = records.store.read(move |tx| tx.role_assignments(user)).wait()?;
            let role = |role: RoleAssignment| RoleHeld {
                role: role.role,
                valid_from: role.valid_from,
                valid_to: role.valid_to,
            };
            Ok(RolesOfView { user, roles: held.into_iter().map(role).collect() })
        })
    }

    /// Gives a role to a user. The caller then drops what it remembers of that user's rights.
    pub fn role_grant(
        &self,
        actor: &Arc<Actor>,
        user: UserId,
        role: &str,
        valid_from: Option<Timestamp>,
        valid_to: Option<Timestamp>,
    ) -> Pending<DoneView> {
        let assignment = RoleAssignment { role: role.to_owned(), valid_from, valid_to };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(self.store.write(move |tx| records.role_grant_in_tx(tx, &actor, user, &assignment)))
    }

    fn role_grant_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Actor,
        user: UserId,
        assignment: &RoleAssignment,
    ) -> Result<DoneView, Refused> {
        self.may_change_roles(tx, actor, user)?;
        // As stored: a role that the unit before this one retires must not be given behind its back.
        let policy = tx.read().policy_stored()?;
        let wanted = policy.role(&assignment.role).filter(|role| !role.retired).cloned();
        let wanted = wanted.ok_or_else(|| invalid_role("There is no such role, or it is retired."))?;
        let held = tx.read().role_assignments(user)?;
        let mut roles: Vec<Arc<RoleDef>> = held.iter().filter_map(|held| policy.role(&held.role).cloned()).collect();
        roles.push(Arc::clone(&wanted));
        check_assignment(roles.iter().map(AsRef::as_ref)).map_err(|error| invalid_role(&format!("{error}.")))?;
        if held.contains(assignment) {
            return Ok(DoneView { moved: false });
        }
        tx.role_grant(user, assignment, actor.user())?;
        self.log_role(tx, actor, user, &format!("grant {}", assignment.role))?;
        Ok(DoneView { moved: true })
    }

    /// Takes a role away.
    pub fn role_revoke(&self, actor: &Arc<Actor>, user: UserId, role: &str) -> Pending<DoneView> {
        let (records, actor, role) = (self.clone(), Arc::clone(actor), role.to_owned());
        Pending::written(self.store.write(move |tx| {
            records.may_change_roles(tx, &actor, user)?;
            let moved = tx.role_revoke(user, &role)?;
            if moved {
                records.log_role(tx, &actor, user, &format!("revoke {role}"))?;
            }
            Ok(DoneView { moved })
        }))
    }

    fn may_change_roles(&self, tx: &mut WriteTx<'_, '_>, actor: &Actor, user: UserId) -> Result<(), Refused> {
        tx.policy()
            .act(actor, AppAction::Roles)
            .map_err(|denied| self.denial(actor, Act::RoleChange, denied, Some(user)))?;
        if actor.kind() == ActorKind::User && actor.user() == user {
            let fault =
                Fault::new(Code::AccessDenied, "Nobody changes their own roles; ask another security administrator.");
            return Err(self.field_denied(actor, Act::RoleChange, "user", fault));
        }
        let users = self.definition("user")?;
        if tx.read().facts(&users, user)?.is_none() {
            return Err(self.missing(actor, Act::RoleChange, "user", user));
        }
        Ok(())
    }

    pub(crate) fn log_role(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Actor,
        user: UserId,
        note: &str,
    ) -> Result<(), Refused> {
        let mut entry = tx.entry(actor, Act::RoleChange).on_record("user", user);
        note.clone_into(&mut entry.note);
        Ok(tx.log_entry(&entry)?)
    }

    /// The user behind a login, for the command line.
    pub fn user_by_login(&self, login: &str) -> Result<Option<UserId>, Fault> {
        let folded = identity::login_fold(login).map_err(|error| Fault::new(Code::ValueFormat, error.to_string()))?;
        self.store.read(move |tx| tx.user_by_login(folded.as_ref())).wait()
    }
}

fn invalid_role(detail: &str) -> Fault {
    Fault::invalid(Vec::new()).with_item("/role", Code::ValueNotAnOption, detail)
}
