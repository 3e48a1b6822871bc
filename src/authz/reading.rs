//! What a role's own words say of one object: its rights, what it forbids, and how much of a field it shows, each with the
//! entry that says so. The decision and its explanation both read here, so they cannot differ. Never adds roles up.

use crate::{FILES, FieldLevels, Level, ObjectRights, RoleDef, Verb};
use metadata::{FieldDef, ObjectDef, ObjectKind, Sensitivity};
use serde::Serialize;
use std::sync::Arc;

/// The rights a role gives on an object, with the key of the entry that gives them.
pub(crate) fn rights<'r>(role: &'r RoleDef, object: &'r ObjectDef) -> Option<(&'r str, &'r ObjectRights)> {
    // An administrator opens no customer data, whatever a role file says.
    if role.kind.is_administration() && object.kind == ObjectKind::Business {
        return None;
    }
    let keys = [object.name.as_str(), kind_key(object.kind)];
    keys.into_iter().find_map(|key| role.objects.get(key).map(|rights| (key, rights)))
}

/// The key that stands for every object of a kind that is not named.
pub(crate) const fn kind_key(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Business => "*",
        ObjectKind::Organisation => "organisation",
        ObjectKind::Reference => "reference",
    }
}

/// The key of the entry by which a role forbids a verb on an object.
pub(crate) fn forbids<'r>(role: &'r RoleDef, object: &'r ObjectDef, verb: Verb) -> Option<&'r str> {
    let every = (object.kind == ObjectKind::Business).then_some("*");
    let mut keys = [Some(object.name.as_str()), every].into_iter().flatten();
    keys.find(|key| role.forbid.objects.get(*key).is_some_and(|verbs| verbs.contains(&verb)))
}

/// Which entry of a role says how much of a field it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LevelSource {
    /// The field is named.
    Field,
    /// The object and the field's sensitivity.
    Object,
    /// The field's sensitivity.
    Sensitivity,
    /// No entry; then it shows nothing.
    Nothing,
}

/// A part of a record that has a level: a field, or the record's files.
#[derive(Clone, Copy, Debug)]
pub struct Part<'p> {
    /// Its name.
    pub name: &'p str,
    /// How sensitive it is.
    pub sensitivity: Sensitivity,
    /// Set by the appliance, never by a person.
    pub read_only: bool,
}

impl Part<'_> {
    /// The files. Nobody knows what a file holds; it counts as personal data, as most fields of a person do.
    pub const FILES: Part<'static> = Part { name: FILES, sensitivity: Sensitivity::S2, read_only: false };
}

impl<'p> From<&'p FieldDef> for Part<'p> {
    fn from(field: &'p FieldDef) -> Self {
        Self { name: &field.name, sensitivity: field.sensitivity, read_only: field.read_only }
    }
}

/// How much of a part a role shows by its own words, and by which of them. What any role forbids is not looked at.
pub(crate) fn level_of(role: &RoleDef, object: &ObjectDef, part: Part<'_>) -> (Level, LevelSource) {
    let named = role.fields.get(&format!("{}.{}", object.name, part.name)).map(|level| (*level, LevelSource::Field));
    let by_object = role.object_levels.get(&object.name).and_then(|levels| levels.get(&part.sensitivity));
    let by_object = by_object.map(|level| (*level, LevelSource::Object));
    let by_role = role.levels.get(&part.sensitivity).map(|level| (*level, LevelSource::Sensitivity));
    named.or(by_object).or(by_role).unwrap_or((Level::None, LevelSource::Nothing))
}

/// The roles that forbid a part.
pub(crate) fn forbid_part<'r>(
    roles: &'r [Arc<RoleDef>],
    object: &ObjectDef,
    part: Part<'_>,
) -> impl Iterator<Item = &'r Arc<RoleDef>> {
    let name = format!("{}.{}", object.name, part.name);
    roles.iter().filter(move |role| role.forbid.fields.contains(&name))
}

/// How much of each part of an object a role shows, together with what all roles of the person forbid.
pub(crate) fn levels(role: &RoleDef, all: &[Arc<RoleDef>], object: &ObjectDef) -> FieldLevels {
    let level = |part: Part<'_>| match forbid_part(all, object, part).next() {
        Some(_) => Level::None,
        None => level_of(role, object, part).0,
    };
    FieldLevels::new(object.fields.iter().map(|field| level(field.into())).collect(), level(Part::FILES))
}
