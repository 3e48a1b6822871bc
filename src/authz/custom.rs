//! Roles made at an installation: what is sent becomes a whole role, and every mistake in it is told at once. Guard rails
//! live here: a role of the business has no act of an administration and changes nothing of the organisation, and a role of
//! an administration has nothing that the shipped role of that administration has not. Never decides about a person.

use crate::reading::{self, Part, kind_key};
use crate::{
    AppAction, CUSTOM_ROLE_PREFIX, FILES, Forbid, Level, ObjectRights, Policy, RoleDef, RoleKind, ScopeWidth, Verb,
    standard_roles,
};
use kernel::{Code, FaultItem, Label, limits};
use metadata::{Catalog, ObjectDef, ObjectKind, Sensitivity, complete_label, name_problem};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A change of a role; what is absent stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RolePatch {
    /// What people read.
    pub label: Option<Label>,
    /// What it is for.
    pub description: Option<Label>,
    /// Rights by object, as a whole.
    pub objects: Option<BTreeMap<String, ObjectRights>>,
    /// Level by sensitivity, as a whole.
    pub levels: Option<BTreeMap<Sensitivity, Level>>,
    /// Level by object and sensitivity, as a whole.
    pub object_levels: Option<BTreeMap<String, BTreeMap<Sensitivity, Level>>>,
    /// Level by field, as a whole.
    pub fields: Option<BTreeMap<String, Level>>,
    /// Acts of the appliance, as a whole.
    pub actions: Option<BTreeSet<AppAction>>,
    /// What it takes away, as a whole.
    pub forbid: Option<Forbid>,
}

/// A new role: from nothing, or as a copy of another.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleDraft {
    /// Stable name; begins with `x_`.
    pub name: String,
    /// The role it begins as.
    #[serde(default)]
    pub copy_of: Option<String>,
    /// Business unless said otherwise; a copy is of the kind of the other.
    #[serde(default)]
    pub kind: Option<RoleKind>,
    /// What differs from the role it begins as.
    #[serde(default)]
    pub role: RolePatch,
}

impl RolePatch {
    /// The role with this change.
    pub fn applied_to(self, role: &RoleDef) -> RoleDef {
        let whole = |label: Label| complete_label(&label).unwrap_or(label);
        RoleDef {
            name: role.name.clone(),
            label: self.label.map_or_else(|| role.label.clone(), whole),
            description: self.description.map_or_else(|| role.description.clone(), whole),
            kind: role.kind,
            objects: self.objects.unwrap_or_else(|| role.objects.clone()),
            levels: self.levels.unwrap_or_else(|| role.levels.clone()),
            object_levels: self.object_levels.unwrap_or_else(|| role.object_levels.clone()),
            fields: self.fields.unwrap_or_else(|| role.fields.clone()),
            actions: self.actions.unwrap_or_else(|| role.actions.clone()),
            forbid: self.forbid.unwrap_or_else(|| role.forbid.clone()),
            version: role.version.saturating_add(1),
            retired: role.retired,
        }
    }
}

impl RoleDraft {
    /// The role that would be made; the other errors of it are told by [`role_problems`].
    pub fn into_role(self, policy: &Policy) -> Result<RoleDef, FaultItem> {
        let Self { name, copy_of, kind, role } = self;
        let source = copy_of.map(|source| policy.role(&source).cloned().ok_or_else(|| unknown_role("/copy_of")));
        let source = source.transpose()?;
        let kind = kind.or(source.as_ref().map(|source| source.kind)).unwrap_or_default();
        let empty = RoleDef {
            name: String::new(),
            label: Label::default(),
            description: Label::default(),
            kind,
            objects: BTreeMap::new(),
            levels: BTreeMap::new(),
            object_levels: BTreeMap::new(),
            fields: BTreeMap::new(),
            actions: BTreeSet::new(),
            forbid: Forbid::default(),
            version: 0,
            retired: false,
        };
        let begun = source.map_or(empty, |source| (*source).clone());
        Ok(role.applied_to(&RoleDef { name, kind, version: 0, retired: false, ..begun }))
    }
}

fn unknown_role(pointer: &str) -> FaultItem {
    item(pointer, Code::ValueNotAnOption, "There is no such role.")
}

fn item(pointer: impl Into<String>, code: Code, detail: impl Into<String>) -> FaultItem {
    FaultItem { pointer: pointer.into(), code, detail: detail.into() }
}

/// What is wrong with the name of a new role.
pub fn role_name_problems(name: &str, policy: &Policy) -> Vec<FaultItem> {
    let mut found = Vec::new();
    if let Some(detail) = name_problem(name) {
        found.push(item("/name", Code::ValueFormat, detail));
    } else if !name.starts_with(CUSTOM_ROLE_PREFIX) {
        let detail = "Names of custom roles begin with x_, so that none meets a later role of the product.";
        found.push(item("/name", Code::ValueFormat, detail));
    }
    if policy.role(name).is_some() {
        found.push(item(
            "/name",
            Code::ValueNotUnique,
            "There is already a role of this name; a retired one keeps it.",
        ));
    }
    if policy.roles().filter(|role| role.is_custom()).count() >= limits::ROLES_CUSTOM_MAX {
        let detail = format!("At most {} custom roles (limit ROLES_CUSTOM_MAX).", limits::ROLES_CUSTOM_MAX);
        found.push(item("/name", Code::LimitExceeded, detail));
    }
    found
}

/// Everything that is wrong with a role, its name aside. The pointers are into the role.
pub fn role_problems(role: &RoleDef, catalog: &Catalog) -> Vec<FaultItem> {
    let mut check = Check { role, catalog, found: Vec::new() };
    check.words();
    check.size();
    check.names();
    match role.kind {
        RoleKind::Business => check.business(),
        RoleKind::SystemAdministration | RoleKind::SecurityAdministration | RoleKind::AuditAdministration => {
            check.administration();
        }
        RoleKind::Internal => {
            check.add("/kind", Code::ValueNotAnOption, "Roles of the appliance itself are not made or copied.");
        }
    }
    check.found
}

struct Check<'c> {
    role: &'c RoleDef,
    catalog: &'c Catalog,
    found: Vec<FaultItem>,
}

impl Check<'_> {
    fn add(&mut self, pointer: impl Into<String>, code: Code, detail: impl Into<String>) {
        self.found.push(item(pointer, code, detail));
    }

    fn words(&mut self) {
        for (pointer, label) in [("/label", &self.role.label), ("/description", &self.role.description)] {
            if let Err((code, detail)) = complete_label(label) {
                self.add(pointer, code, detail);
            }
        }
    }

    fn size(&mut self) {
        let role = self.role;
        let bytes = serde_json::to_vec(role).map_or(usize::MAX, |text| text.len());
        if bytes > limits::ROLE_BYTES_MAX {
            let detail = format!("A role has at most {} bytes (limit ROLE_BYTES_MAX).", limits::ROLE_BYTES_MAX);
            self.add("", Code::LimitExceeded, detail);
        }
        let fields = role.fields.len() + role.forbid.fields.len();
        if fields > limits::ROLE_FIELDS_MAX {
            let detail = format!("At most {} named fields (limit ROLE_FIELDS_MAX).", limits::ROLE_FIELDS_MAX);
            self.add("/fields", Code::LimitExceeded, detail);
        }
    }

    /// Every object and field that is named must be there: a rule about nothing is a mistake somewhere else.
    fn names(&mut self) {
        let role = self.role;
        let kinds = [ObjectKind::Business, ObjectKind::Organisation, ObjectKind::Reference].map(kind_key);
        let unknown = |name: &&String| self.catalog.object(name).is_none();
        let mut found = Vec::new();
        for name in role.objects.keys().filter(unknown).filter(|name| !kinds.contains(&name.as_str())) {
            found.push((format!("/objects/{}", escaped(name)), Code::ObjectUnknown));
        }
        for name in role.object_levels.keys().filter(unknown) {
            found.push((format!("/object_levels/{}", escaped(name)), Code::ObjectUnknown));
        }
        for name in role.forbid.objects.keys().filter(unknown).filter(|name| name.as_str() != "*") {
            found.push((format!("/forbid/objects/{}", escaped(name)), Code::ObjectUnknown));
        }
        for name in role.fields.keys().filter(|name| !self.knows_field(name)) {
            found.push((format!("/fields/{}", escaped(name)), Code::FieldUnknown));
        }
        for name in role.forbid.fields.iter().filter(|name| !self.knows_field(name)) {
            found.push((format!("/forbid/fields/{}", escaped(name)), Code::FieldUnknown));
        }
        for (pointer, code) in found {
            let what = if code == Code::FieldUnknown { "field" } else { "object" };
            self.add(pointer, code, format!("There is no such {what}; see /api/v1/roles/objects."));
        }
    }

    fn knows_field(&self, path: &str) -> bool {
        let Some((object, field)) = path.split_once('.') else { return false };
        self.catalog.object(object).is_some_and(|object| field == FILES || object.field(field).is_some())
    }

    /// Who works with customer data has no act of an administration, and does not move units, users or teams: on those
    /// depends what everybody reaches, and so what they themselves would.
    fn business(&mut self) {
        let role = self.role;
        for act in role.actions.iter().filter(|act| act.is_administration()) {
            let detail = "This act belongs to an administration, which is kept apart from the business.";
            self.add(format!("/actions/{}", act.as_str()), Code::ValueNotAnOption, detail);
        }
        let organisation = |name: &str| {
            name == kind_key(ObjectKind::Organisation)
                || self.catalog.object(name).is_some_and(|object| object.kind == ObjectKind::Organisation)
        };
        let mut found = Vec::new();
        for (name, rights) in role.objects.iter().filter(|(name, _)| organisation(name)) {
            let changing = Verb::ALL.into_iter().filter(|verb| !matches!(verb, Verb::Read | Verb::Reveal));
            for verb in changing.filter(|verb| rights.width(*verb) != ScopeWidth::None) {
                found.push(format!("/objects/{name}/{}", verb.as_str()));
            }
        }
        for pointer in found {
            let detail =
                "Units, users and teams are changed by the security administration only: they decide who reaches what.";
            self.add(pointer, Code::ValueNotAnOption, detail);
        }
    }

    /// Nothing beyond the shipped role of the same administration.
    fn administration(&mut self) {
        let role = self.role;
        let shipped = standard_roles().unwrap_or_default();
        let Some(shipped) = shipped.iter().find(|other| other.kind == role.kind) else {
            self.add("/kind", Code::ValueNotAnOption, "There is no such administration.");
            return;
        };
        let beyond = format!("An administration has nothing beyond the shipped role {}.", shipped.name);
        for act in role.actions.difference(&shipped.actions) {
            self.add(format!("/actions/{}", act.as_str()), Code::ValueNotAnOption, beyond.clone());
        }
        let business = |name: &str| {
            name == kind_key(ObjectKind::Business)
                || self.catalog.object(name).is_some_and(|object| object.kind == ObjectKind::Business)
        };
        let opens = |rights: &ObjectRights| Verb::ALL.into_iter().any(|verb| rights.width(verb) != ScopeWidth::None);
        let customer: Vec<String> = role
            .objects
            .iter()
            .filter(|(name, rights)| business(name) && opens(rights))
            .map(|(name, _)| format!("/objects/{}", escaped(name)))
            .collect();
        for pointer in customer {
            self.add(pointer, Code::ValueNotAnOption, "An administrator opens no customer data.");
        }
        let others: Vec<&Arc<ObjectDef>> =
            self.catalog.objects().filter(|object| object.kind != ObjectKind::Business).collect();
        for object in others {
            self.within(object, shipped, &beyond);
        }
    }

    fn within(&mut self, object: &ObjectDef, shipped: &RoleDef, beyond: &str) {
        let width = |role: &RoleDef, verb| {
            reading::rights(role, object).map_or(ScopeWidth::None, |(_, rights)| rights.width(verb))
        };
        for verb in Verb::ALL.into_iter().filter(|verb| width(self.role, *verb) > width(shipped, *verb)) {
            let key = reading::rights(self.role, object).map_or(object.name.as_str(), |(key, _)| key);
            let pointer = format!("/objects/{key}/{}", verb.as_str());
            if !self.found.iter().any(|known| known.pointer == pointer) {
                self.add(pointer, Code::ValueNotAnOption, beyond);
            }
        }
        for part in object.fields.iter().map(Part::from).chain([Part::FILES]) {
            let level = |role: &RoleDef| reading::level_of(role, object, part).0;
            if level(self.role) > level(shipped) {
                let pointer = format!("/fields/{}.{}", object.name, part.name);
                self.add(pointer, Code::ValueNotAnOption, beyond);
            }
        }
    }
}

/// A name as part of a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
