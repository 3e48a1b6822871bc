//! What differs between what two sets of roles give: for the preview of a change, and for its entry in the log. Computed
//! from what the roles give, not from their words: an entry that changes nothing for anybody shows as no difference.

use crate::{AppAction, DenyReason, FILES, FieldLevels, Forbid, Level, Policy, RoleDef, ScopeWidth, Verb};
use metadata::{Catalog, ObjectDef};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Whether a difference gives more or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// More may be done or seen.
    Wider,
    /// Less.
    Narrower,
    /// Both, or neither.
    Other,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RightsChange {
    /// How far a verb reaches on an object: `none`, `own`, `team`, `unit`, `unit_and_below`, `all`, two of them joined by
    /// `+`, or `forbidden`.
    Verb {
        /// The object.
        object: String,
        /// The verb.
        verb: Verb,
        /// Until now.
        before: String,
        /// From then on.
        after: String,
        /// More or less.
        effect: Effect,
    },
    /// How much of these fields is shown: a level, or several as `read:own masked:all` where it depends on the record.
    Fields {
        /// The object.
        object: String,
        /// The fields.
        fields: Vec<String>,
        /// Until now.
        before: String,
        /// From then on.
        after: String,
        /// More or less.
        effect: Effect,
    },
    /// An act of the appliance: `no`, `yes` or `forbidden`.
    Act {
        /// The act.
        act: AppAction,
        /// Until now.
        before: String,
        /// From then on.
        after: String,
        /// More or less.
        effect: Effect,
    },
    /// Something that a role takes away, whatever others give: `account.delete`, `*.read`, `account.phone`, or an act.
    Forbid {
        /// The entry.
        entry: String,
        /// Whether it was taken away until now.
        before: bool,
        /// Whether it is from then on.
        after: bool,
        /// More or less.
        effect: Effect,
    },
}

/// Where a record may lie, seen from somebody: a right reaches each of these or not, and all widths are told apart by it.
const PLACES: [ScopeWidth; 5] =
    [ScopeWidth::Own, ScopeWidth::Team, ScopeWidth::Unit, ScopeWidth::UnitAndBelow, ScopeWidth::All];

/// Whether a right of this width reaches a record at this place. (A record of one's team may lie in any unit.)
const fn reaches(width: ScopeWidth, place: ScopeWidth) -> bool {
    match width {
        ScopeWidth::None => false,
        ScopeWidth::Own => matches!(place, ScopeWidth::Own),
        ScopeWidth::Team => matches!(place, ScopeWidth::Own | ScopeWidth::Team),
        ScopeWidth::Unit => matches!(place, ScopeWidth::Own | ScopeWidth::Unit),
        ScopeWidth::UnitAndBelow => {
            matches!(place, ScopeWidth::Own | ScopeWidth::Unit | ScopeWidth::UnitAndBelow)
        }
        ScopeWidth::All => true,
    }
}

/// What a set of roles gives on one object with one verb, place by place.
#[derive(Clone, PartialEq, Eq)]
struct Reach {
    forbidden: bool,
    at: [bool; 5],
}

impl Reach {
    fn text(&self) -> String {
        if self.forbidden {
            return "forbidden".to_owned();
        }
        let [own, team, unit, below, all] = self.at;
        let wide = if below { Some("unit_and_below") } else { unit.then_some("unit") };
        match (all, team, wide) {
            (true, ..) => "all".to_owned(),
            (_, true, Some(wide)) => format!("team+{wide}"),
            (_, true, None) => "team".to_owned(),
            (_, false, Some(wide)) => wide.to_owned(),
            _ if own => "own".to_owned(),
            _ => "none".to_owned(),
        }
    }
}

/// More, less, or both.
fn effect<'v, V: PartialOrd + 'v>(pairs: impl Iterator<Item = (&'v V, &'v V)>) -> Effect {
    let (mut more, mut less) = (false, false);
    for (before, after) in pairs {
        more |= after > before;
        less |= after < before;
    }
    match (more, less) {
        (true, false) => Effect::Wider,
        (false, true) => Effect::Narrower,
        _ => Effect::Other,
    }
}

/// Roles of a policy, as one person holds them.
#[derive(Clone, Copy)]
pub struct Held<'h> {
    /// The policy.
    pub policy: &'h Policy,
    /// The roles.
    pub roles: &'h [String],
}

impl Held<'_> {
    /// How far a verb reaches on an object, in the words of [`RightsChange::Verb`].
    pub fn width(&self, object: &ObjectDef, verb: Verb) -> String {
        self.reach(object, verb).text()
    }
    /// The verbs that reach records which cannot be seen, and so do nothing there.
    pub fn blind(&self, object: &ObjectDef) -> Vec<Verb> {
        let sight = self.reach(object, Verb::Read).at;
        let unseen =
            |verb: &Verb| self.reach(object, *verb).at.iter().zip(sight).any(|(reached, seen)| *reached && !seen);
        [Verb::Update, Verb::Delete, Verb::Assign, Verb::Reveal].into_iter().filter(unseen).collect()
    }
    fn reach(&self, object: &ObjectDef, verb: Verb) -> Reach {
        let rights = self.policy.rights_of(self.roles, true, object, verb);
        let at = PLACES.map(|place| rights.given.iter().any(|given| reaches(given.width, place)));
        Reach { forbidden: rights.refused == Some(DenyReason::Forbidden), at }
    }
    /// The level of each field, and of the files, at each place.
    fn levels(&self, object: &ObjectDef) -> Vec<[Level; 5]> {
        let rights = self.policy.rights_of(self.roles, true, object, Verb::Read);
        let at = |level: &dyn Fn(&FieldLevels) -> Level, place| {
            let here = rights.given.iter().filter(|given| reaches(given.width, place));
            here.map(|given| level(&given.levels)).max().unwrap_or_default()
        };
        let fields = (0..object.fields.len()).map(|field| PLACES.map(|place| at(&|levels| levels.get(field), place)));
        fields.chain([PLACES.map(|place| at(&FieldLevels::files, place))]).collect()
    }
    fn act(&self, action: AppAction) -> &'static str {
        match self.policy.act_of(self.roles, true, action) {
            Ok(_) => "yes",
            Err(denied) if denied.reason == DenyReason::Forbidden => "forbidden",
            Err(_) => "no",
        }
    }
}

/// The text of levels by place: one word where all that is reached shows alike.
fn shown(levels: &[Level; 5], reach: &Reach) -> String {
    let mut parts: Vec<(Level, ScopeWidth)> = Vec::new();
    for ((level, inside), place) in levels.iter().zip(reach.at).zip(PLACES) {
        if inside && !parts.iter().any(|(known, _)| known == level) {
            parts.push((*level, place));
        }
    }
    match parts.as_slice() {
        [] => Level::None.as_str().to_owned(),
        [(level, _)] => level.as_str().to_owned(),
        several => {
            let part = |(level, place): &(Level, ScopeWidth)| format!("{}:{}", level.as_str(), place.as_str());
            several.iter().map(part).collect::<Vec<_>>().join(" ")
        }
    }
}

/// Every difference, by object in the order of the catalogue.
pub fn differences(before: Held<'_>, after: Held<'_>, catalog: &Catalog) -> Vec<RightsChange> {
    let mut found = Vec::new();
    for object in catalog.objects() {
        for verb in Verb::ALL {
            let (old, new) = (before.reach(object, verb), after.reach(object, verb));
            // That a right which nobody gives is now forbidden as well shows among what is forbidden.
            if old.at != new.at {
                found.push(RightsChange::Verb {
                    object: object.name.clone(),
                    verb,
                    before: old.text(),
                    after: new.text(),
                    effect: effect(old.at.iter().zip(&new.at)),
                });
            }
        }
        field_differences(before, after, object, &mut found);
    }
    for act in AppAction::ALL {
        let (old, new) = (before.act(act), after.act(act));
        if (old == "yes") != (new == "yes") {
            let effect = effect([(&(old == "yes"), &(new == "yes"))].into_iter());
            found.push(RightsChange::Act { act, before: old.to_owned(), after: new.to_owned(), effect });
        }
    }
    found
}

/// Fields that change alike: their names, and the levels of one of them by place, before and after.
type Alike = (Vec<String>, [Level; 5], [Level; 5]);

/// Fields that show otherwise, those that change alike together. Where an object can no longer be read at all, its fields
/// are not told one by one.
fn field_differences(before: Held<'_>, after: Held<'_>, object: &Arc<ObjectDef>, found: &mut Vec<RightsChange>) {
    let (old_reach, new_reach) = (before.reach(object, Verb::Read), after.reach(object, Verb::Read));
    if !new_reach.at.contains(&true) {
        return;
    }
    let mut groups: BTreeMap<(String, String), Alike> = BTreeMap::new();
    let parts = object.fields.iter().map(|field| (field.name.as_str(), field.retired)).chain([(FILES, false)]);
    for (((name, retired), old), new) in parts.zip(before.levels(object)).zip(after.levels(object)) {
        let both = old_reach.at.iter().zip(new_reach.at).map(|(old, new)| *old && new);
        let same_there = old.iter().zip(&new).zip(both).all(|((old, new), both)| !both || old == new);
        // What is reached anew shows like what was reached before: the verb's line says it.
        let first = new.iter().zip(new_reach.at).find(|(_, inside)| *inside).map(|(level, _)| level);
        let even = new.iter().zip(new_reach.at).all(|(level, inside)| !inside || Some(level) == first);
        let told_by_verb = same_there && even && old_reach.at.contains(&true);
        if retired || old == new || told_by_verb {
            continue;
        }
        let key = (shown(&old, &old_reach), shown(&new, &new_reach));
        groups.entry(key).or_insert_with(|| (Vec::new(), old, new)).0.push(name.to_owned());
    }
    for ((before, after), (fields, old, new)) in groups {
        let effect = effect(old.iter().zip(&new));
        found.push(RightsChange::Fields { object: object.name.clone(), fields, before, after, effect });
    }
}

/// What a role takes away and did not, or the other way round.
pub fn forbid_differences(before: &Forbid, after: &Forbid) -> Vec<RightsChange> {
    let (old, new) = (entries(before), entries(after));
    let line = |entry: &String, before: bool| {
        let effect = if before { Effect::Wider } else { Effect::Narrower };
        RightsChange::Forbid { entry: entry.clone(), before, after: !before, effect }
    };
    let gone = old.difference(&new).map(|entry| line(entry, true));
    gone.chain(new.difference(&old).map(|entry| line(entry, false))).collect()
}

fn entries(forbid: &Forbid) -> BTreeSet<String> {
    let verbs = forbid.objects.iter().flat_map(|(object, verbs)| verbs.iter().map(move |verb| (object, verb)));
    let verbs = verbs.map(|(object, verb)| format!("{object}.{}", verb.as_str()));
    let acts = forbid.actions.iter().map(|act| act.as_str().to_owned());
    verbs.chain(acts).chain(forbid.fields.iter().cloned()).collect()
}

impl Policy {
    /// The policy as it would be with this role in place of the one of its name. For previews: it has no hash of its own.
    #[must_use]
    pub fn with_role(&self, role: &RoleDef) -> Self {
        let others = self.roles().filter(|other| other.name != role.name).map(|other| (**other).clone());
        Self::new(others.chain([role.clone()]).collect(), [0; 32])
    }
}

impl RightsChange {
    /// The difference in one line, for the log: names of objects and fields, no personal value.
    pub fn line(&self) -> String {
        match self {
            Self::Verb { object, verb, before, after, .. } => format!("{object}.{} {before}>{after}", verb.as_str()),
            Self::Fields { object, fields, before, after, .. } => {
                format!("{object}({}) {before}>{after}", fields.join(","))
            }
            Self::Act { act, before, after, .. } => format!("{} {before}>{after}", act.as_str()),
            Self::Forbid { entry, after, .. } => format!("{} {entry}", if *after { "forbids" } else { "allows" }),
        }
    }
}
