//! Custom roles: made, copied, changed, retired and brought back, each planned first. A plan says what changes for whom, or
//! every error; running it writes role, version and entry in one unit, and the new rights hold from its commit on.
//!
//! Nobody changes a role they hold, and the roles that ship do not change. What else a role may not say is in `authz`.

use crate::{Pending, Records};
use audit::Verb as Act;
use authz::{
    AppAction, Effect, FILES, Held, Part, Policy, RightsChange, RoleDef, RoleDraft, RoleKind, RolePatch, Verb,
    differences, forbid_differences, role_name_problems, role_problems,
};
use identity::{Actor, ActorKind};
use kernel::{Code, Fault, Label, Timestamp, UserId, limits};
use metadata::{Catalog, ObjectKind, Sensitivity};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{ReadTx, Refused, RoleAssignment, RoleVersion, WriteTx};

/// What is to be done to roles. The number is the version it was read at.
#[derive(Clone, Debug)]
pub enum RoleChange {
    /// Make one.
    Create(RoleDraft),
    /// Change one.
    Change(String, Option<i64>, RolePatch),
    /// Stop using one, and take it from everybody.
    Retire(String, Option<i64>),
    /// Offer a retired one again; nobody holds it then.
    Restore(String, Option<i64>),
}

/// People for whom the same changes: they hold the same roles.
#[derive(Clone, Debug, Serialize)]
pub struct RolePeople {
    /// Their roles until now.
    pub roles: Vec<String>,
    /// Who; the first of them when they are many.
    pub users: Vec<UserId>,
    /// How many.
    pub count: usize,
    /// What changes for them, other roles of theirs considered.
    pub changes: Vec<RightsChange>,
}

/// What a change of roles would do, or did.
#[derive(Clone, Debug, Serialize)]
pub struct RolePlanView {
    /// Whether it was run.
    pub applied: bool,
    /// `create`, `change`, `retire` or `restore`.
    pub act: &'static str,
    /// The role as it is then.
    pub role: RoleDef,
    /// What changes about what it gives.
    pub changes: Vec<RightsChange>,
    /// Whether its label or description changes.
    pub words: bool,
    /// For whom, in groups.
    pub people: Vec<RolePeople>,
    /// How many people hold it.
    pub people_count: usize,
    /// What to know before agreeing.
    pub notes: Vec<Label>,
}

/// One version of a role.
#[derive(Clone, Debug, Serialize)]
pub struct RoleVersionView {
    /// Its number.
    pub version: u32,
    /// What was done.
    pub act: String,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: UserId,
    /// The role from then on.
    pub role: RoleDef,
    /// What differed from the version before.
    pub changes: Vec<RightsChange>,
}

/// A field as a role speaks of it.
#[derive(Clone, Debug, Serialize)]
pub struct RoleFieldView {
    /// Its name.
    pub name: String,
    /// What people read.
    pub label: Label,
    /// How sensitive its values are.
    pub sensitivity: Sensitivity,
    /// Whether its values are sealed.
    pub sealed: bool,
    /// Set by the appliance.
    pub read_only: bool,
}

/// An object as a role speaks of it: names and sensitivity, nothing of its records.
#[derive(Clone, Debug, Serialize)]
pub struct RoleObjectView {
    /// Its name.
    pub name: String,
    /// What people read, singular.
    pub label: Label,
    /// What people read, plural.
    pub plural: Label,
    /// What kind of records it holds.
    pub kind: ObjectKind,
    /// Its fields, without those retired.
    pub fields: Vec<RoleFieldView>,
}

/// A checked change, before it is written.
struct Planned {
    view: RolePlanView,
    moved: bool,
}

impl Records {
    /// The objects and fields that roles speak of, for those who give roles or check them. They need the structure to judge
    /// rights, and get no definition beyond it.
    pub fn role_objects(&self, actor: &Actor) -> Result<Vec<RoleObjectView>, Fault> {
        self.may_see_roles(actor, Act::RoleChange)?;
        let field = |field: &metadata::FieldDef| RoleFieldView {
            name: field.name.clone(),
            label: field.label.clone(),
            sensitivity: field.sensitivity,
            sealed: field.is_sealed(),
            read_only: field.read_only,
        };
        let object = |object: &Arc<metadata::ObjectDef>| RoleObjectView {
            name: object.name.clone(),
            label: object.label.clone(),
            plural: object.plural.clone(),
            kind: object.kind,
            fields: object.fields.iter().filter(|field| !field.retired).map(field).chain([files()]).collect(),
        };
        Ok(self.catalog().objects().map(object).collect())
    }

    /// The versions of a custom role, the newest first.
    pub fn role_versions(&self, actor: &Arc<Actor>, name: &str) -> Pending<Vec<RoleVersionView>> {
        let (records, actor, name) = (self.clone(), Arc::clone(actor), name.to_owned());
        Pending::in_background(move || {
            records.may_see_roles(&actor, Act::RoleChange)?;
            let policy = records.policy();
            if policy.role(&name).is_none() {
                return Err(unknown());
            }
            let found = records.store.read(move |tx| tx.role_versions(&name, limits::ROLE_VERSIONS_MAX)).wait()?;
            Ok(version_views(&policy, &records.catalog(), found))
        })
    }

    /// What a change would do; nothing is changed.
    pub fn role_plan(&self, actor: &Arc<Actor>, change: RoleChange) -> Pending<RolePlanView> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| {
            let planned = records.role_planned(tx, &actor, change)?;
            Ok((planned.view, Vec::new()))
        }))
    }

    /// Runs a change. The caller then drops what it remembers of everybody's rights.
    pub fn role_run(&self, actor: &Arc<Actor>, change: RoleChange) -> Pending<RolePlanView> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(self.store.write(move |tx| {
            let planned = records.role_planned(tx.read(), &actor, change)?;
            if planned.moved { records.role_write_in_tx(tx, &actor, planned.view) } else { Ok(planned.view) }
        }))
    }

    fn role_write_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Actor,
        view: RolePlanView,
    ) -> Result<RolePlanView, Refused> {
        let role = &view.role;
        tx.role_write(role)?;
        tx.role_version_keep(role, view.act, actor.user())?;
        if view.act == "retire" {
            for user in tx.role_take_from_all(&role.name)? {
                self.log_role(tx, actor, user, &format!("revoke {}", role.name))?;
            }
        }
        let mut entry = tx.entry(actor, Act::RoleChange);
        entry.decision.rules = tx.policy().act(actor, AppAction::Roles).map(|why| why.rules).unwrap_or_default();
        entry.note = note(&view);
        tx.log_entry(&entry)?;
        Ok(RolePlanView { applied: true, ..view })
    }

    /// Checks a change and says what it would do.
    fn role_planned(&self, tx: &mut ReadTx<'_>, actor: &Actor, change: RoleChange) -> Result<Planned, Refused> {
        self.policy()
            .act(actor, AppAction::Roles)
            .map_err(|denied| self.denial(actor, Act::RoleChange, denied, None))?;
        // As stored: another change of the same group is not in force yet, and must not be overwritten.
        let (before, catalog) = (tx.policy_stored()?, Arc::clone(tx.catalog()));
        let (act, old, new) = resolve(&before, change)?;
        let problems = if matches!(act, "create" | "change") { role_problems(&new, &catalog) } else { Vec::new() };
        let named = if old.is_none() { role_name_problems(&new.name, &before) } else { Vec::new() };
        if !problems.is_empty() || !named.is_empty() {
            let mut fault = Fault::new(Code::PlanRefused, "The role was not changed; see the list of errors.");
            fault.items = named.into_iter().chain(problems).collect();
            return Err(fault.into());
        }
        let holders = tx.role_holders(&new.name)?;
        if actor.kind() == ActorKind::User && holders.iter().any(|(user, _)| *user == actor.user()) {
            let detail = "Nobody changes a role they hold themselves; ask another security administrator.";
            return Err(self.field_denied(actor, Act::RoleChange, "user", Fault::new(Code::AccessDenied, detail)));
        }
        let moved = old.as_ref().is_none_or(|old| RoleDef { version: old.version, ..new.clone() } != *old);
        let role = if moved { new } else { old.clone().unwrap_or(new) };
        let view = preview(&before, &catalog, (act, old.as_ref(), role), &holders);
        Ok(Planned { view, moved })
    }
}

fn unknown() -> Fault {
    Fault::new(Code::RoleUnknown, "There is no such role; see /api/v1/roles.")
}

/// The files of a record, which roles speak of as if they were a field.
fn files() -> RoleFieldView {
    RoleFieldView {
        name: FILES.to_owned(),
        label: Label::new("Files", "附件"),
        sensitivity: Part::FILES.sensitivity,
        sealed: true,
        read_only: false,
    }
}

/// The act, the role as it was, and as it would be.
fn resolve(policy: &Policy, change: RoleChange) -> Result<(&'static str, Option<RoleDef>, RoleDef), Fault> {
    let found = |name: &str, version: Option<i64>| {
        let role = policy.role(name).ok_or_else(unknown)?;
        if !role.is_custom() {
            let detail = "Roles that ship with the product do not change. Make a copy, and change that.";
            return Err(Fault::new(Code::RoleFixed, detail));
        }
        match version {
            None => Err(Fault::new(Code::VersionRequired, "Send If-Match with the version of the role you read.")),
            Some(version) if version != i64::from(role.version) => Err(Fault::new(
                Code::VersionConflict,
                "Somebody else has changed the role since you opened it. Look at it again.",
            )),
            Some(_) => Ok(RoleDef::clone(role)),
        }
    };
    match change {
        RoleChange::Create(draft) => {
            let role = draft.into_role(policy).map_err(|item| {
                let mut fault = Fault::new(Code::PlanRefused, "The role was not made; see the list of errors.");
                fault.items.push(item);
                fault
            })?;
            Ok(("create", None, role))
        }
        RoleChange::Change(name, version, patch) => {
            let old = found(&name, version)?;
            if old.retired {
                return Err(Fault::new(Code::RoleFixed, "The role is retired. Restore it before you change it."));
            }
            let new = patch.applied_to(&old);
            Ok(("change", Some(old), new))
        }
        RoleChange::Retire(name, version) => Ok(retired(found(&name, version)?, true)),
        RoleChange::Restore(name, version) => Ok(retired(found(&name, version)?, false)),
    }
}

fn retired(old: RoleDef, retired: bool) -> (&'static str, Option<RoleDef>, RoleDef) {
    let version = if old.retired == retired { old.version } else { old.version.saturating_add(1) };
    let new = RoleDef { retired, version, ..old.clone() };
    (if retired { "retire" } else { "restore" }, Some(old), new)
}

fn preview(
    before: &Policy,
    catalog: &Catalog,
    (act, old, role): (&'static str, Option<&RoleDef>, RoleDef),
    holders: &[(UserId, Vec<RoleAssignment>)],
) -> RolePlanView {
    let after = before.with_role(&role);
    let name = std::slice::from_ref(&role.name);
    let (was, will) = (Held { policy: before, roles: name }, Held { policy: &after, roles: name });
    let mut changes = differences(was, will, catalog);
    let nothing = authz::Forbid::default();
    let forbid =
        |role: Option<&RoleDef>| role.filter(|role| !role.retired).map_or(nothing.clone(), |r| r.forbid.clone());
    changes.extend(forbid_differences(&forbid(old), &forbid(Some(&role))));
    let words = old.is_some_and(|old| (&old.label, &old.description) != (&role.label, &role.description));
    let people = people(before, &after, catalog, holders);
    let notes = notes(&after, catalog, act, &role, &people);
    RolePlanView { applied: false, act, changes, words, people_count: holders.len(), people, notes, role }
}

/// Who holds the same roles is told together. A retired role is nobody's any more, and `after` gives nothing for it.
fn people(
    before: &Policy,
    after: &Policy,
    catalog: &Catalog,
    holders: &[(UserId, Vec<RoleAssignment>)],
) -> Vec<RolePeople> {
    let mut groups: BTreeMap<Vec<String>, Vec<UserId>> = BTreeMap::new();
    for (user, held) in holders {
        groups.entry(held.iter().map(|held| held.role.clone()).collect()).or_default().push(*user);
    }
    let mut room = limits::ROLE_PEOPLE_MAX;
    let mut found = Vec::with_capacity(groups.len());
    for (roles, mut users) in groups {
        let count = users.len();
        users.truncate(room);
        room = room.saturating_sub(count);
        let (was, will) = (Held { policy: before, roles: &roles }, Held { policy: after, roles: &roles });
        let changes = differences(was, will, catalog);
        found.push(RolePeople { roles, users, count, changes });
    }
    found
}

fn notes(after: &Policy, catalog: &Catalog, act: &str, role: &RoleDef, people: &[RolePeople]) -> Vec<Label> {
    let mut notes = Vec::new();
    let held: usize = people.iter().map(|group| group.count).sum();
    match (act, held) {
        ("retire", 0) | ("change", 0) => notes.push(Label::new("Nobody holds this role.", "无人持有此角色。")),
        ("retire", _) => notes.push(Label::new(
            "It is taken from everybody who holds it, and their sessions end. Restoring the role does not give it back to them.",
            "所有持有者将失去此角色，其会话随即结束；恢复角色不会自动归还给他们。",
        )),
        ("restore", _) => notes.push(Label::new("Nobody holds it until it is given again.", "重新授予之前无人持有。")),
        _ => {}
    }
    let wider = |change: &RightsChange| match change {
        RightsChange::Verb { effect, .. }
        | RightsChange::Fields { effect, .. }
        | RightsChange::Act { effect, .. }
        | RightsChange::Forbid { effect, .. } => *effect == Effect::Wider,
    };
    if act == "retire" && people.iter().any(|group| group.changes.iter().any(wider)) {
        notes.push(Label::new(
            "What the role forbids goes with it: some people may do more afterwards.",
            "该角色的禁止项也随之失效：部分人员的权限会因此变大。",
        ));
    }
    let name = std::slice::from_ref(&role.name);
    let held = Held { policy: after, roles: name };
    for object in catalog.objects() {
        let blind = held.blind(object);
        if !blind.is_empty() {
            let en = blind.iter().map(|verb| words(*verb).0).collect::<Vec<_>>().join(", ");
            let zh = blind.iter().map(|verb| words(*verb).1).collect::<Vec<_>>().join("、");
            notes.push(Label::new(
                format!("{}: wider than what is seen reaches {en}; it does nothing there.", object.plural.en),
                format!("{}：{zh}的范围大于查看范围，超出部分不起作用。", object.plural.zh),
            ));
        }
    }
    if role.kind == RoleKind::Business && matches!(act, "create" | "change") {
        let whole = catalog.objects().filter(|object| object.kind == ObjectKind::Business);
        let whole: Vec<_> = whole.filter(|object| held.width(object, Verb::Read) == "all").collect();
        if !whole.is_empty() {
            let join = |words: Vec<&str>, between| words.join(between);
            let en = join(whole.iter().map(|object| object.plural.en.as_str()).collect(), ", ");
            let zh = join(whole.iter().map(|object| object.plural.zh.as_str()).collect(), "、");
            notes.push(Label::new(
                format!("Reaches every record of: {en}."),
                format!("可查看以下对象的全部记录：{zh}。"),
            ));
        }
    }
    notes
}

/// A verb as people read it.
const fn words(verb: Verb) -> (&'static str, &'static str) {
    match verb {
        Verb::Read => ("see", "查看"),
        Verb::Create => ("create", "新建"),
        Verb::Update => ("change", "更改"),
        Verb::Delete => ("delete", "删除"),
        Verb::Assign => ("hand over", "移交"),
        Verb::Reveal => ("reveal", "显示明文"),
    }
}

/// What the log keeps of a change: the hash names the role as it is now, whatever the lines have no room for.
fn note(view: &RolePlanView) -> String {
    let text = serde_json::to_vec(&view.role).unwrap_or_default();
    let digest = ring::digest::digest(&ring::digest::SHA256, &text);
    let hash: String = digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let mut note = format!("{} {} version {} sha256 {hash}", view.act, view.role.name, view.role.version);
    if view.words {
        note.push_str("; words");
    }
    for change in &view.changes {
        note.push_str("; ");
        note.push_str(&change.line());
    }
    note.chars().take(NOTE_CHARS).collect()
}

/// Characters of the note of one entry about a role.
const NOTE_CHARS: usize = 2_000;

fn version_views(policy: &Policy, catalog: &Catalog, found: Vec<RoleVersion>) -> Vec<RoleVersionView> {
    let mut views = Vec::with_capacity(found.len());
    let mut newer = found.into_iter().peekable();
    while let Some(version) = newer.next() {
        let name = std::slice::from_ref(&version.role.name);
        let is = policy.with_role(&version.role);
        let changes = newer.peek().map_or_else(Vec::new, |older| {
            let was = policy.with_role(&older.role);
            let mut changes =
                differences(Held { policy: &was, roles: name }, Held { policy: &is, roles: name }, catalog);
            changes.extend(forbid_differences(&older.role.forbid, &version.role.forbid));
            changes
        });
        views.push(RoleVersionView {
            version: version.role.version,
            act: version.act,
            at: version.at,
            by: version.by,
            changes,
            role: version.role,
        });
    }
    views
}
