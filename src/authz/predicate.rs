//! Which records a right reaches, as data: the store turns it into a condition of the query, and the same data tells
//! whether one record is inside. One definition for both, so a list and an open can never disagree.

use crate::ScopeWidth;
use identity::ActorFacts;
use kernel::{RecordId, UnitId, UserId};

/// What about a record decides whether it is inside a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The object.
    pub object: String,
    /// The record.
    pub record: RecordId,
    /// Its owner.
    pub owner: Option<UserId>,
    /// Its unit.
    pub unit: Option<UnitId>,
    /// Its team.
    pub team: Option<RecordId>,
    /// Whether it is marked as its owner's alone.
    pub private: bool,
}

/// Whose private records are inside a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PrivateOf(UserId);

/// A union of conditions on owner, unit and team; where the object knows private records, without those of others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Predicate {
    all: bool,
    owners: Vec<UserId>,
    units: Vec<UnitId>,
    teams: Vec<RecordId>,
    private_of: Option<PrivateOf>,
}

impl Predicate {
    /// The condition of a width for a person.
    pub(crate) fn of(width: ScopeWidth, person: &ActorFacts) -> Self {
        match width {
            ScopeWidth::None => Self::default(),
            ScopeWidth::All => Self { all: true, ..Self::default() },
            ScopeWidth::Own => Self { owners: vec![person.user], ..Self::default() },
            ScopeWidth::Team => {
                let mut owners: Vec<UserId> = person.team_members.to_vec();
                owners.push(person.user);
                Self { owners, teams: person.teams.to_vec(), ..Self::default() }.tidy()
            }
            ScopeWidth::Unit => {
                Self { owners: vec![person.user], units: person.unit.into_iter().collect(), ..Self::default() }
            }
            ScopeWidth::UnitAndBelow => {
                Self { owners: vec![person.user], units: person.units_below.to_vec(), ..Self::default() }.tidy()
            }
        }
    }

    /// The same without private records of others than this person.
    #[must_use]
    pub(crate) fn with_private_of(mut self, person: Option<UserId>) -> Self {
        self.private_of = person.map(PrivateOf);
        self
    }

    /// Reaches every record.
    pub fn is_all(&self) -> bool {
        self.all && self.private_of.is_none()
    }
    /// Reaches records of every place, but perhaps for private ones.
    pub fn is_everywhere(&self) -> bool {
        self.all
    }
    /// Of records marked as private only those of this owner are inside; `None` where the mark counts for nothing.
    pub fn private_of(&self) -> Option<UserId> {
        self.private_of.map(|PrivateOf(person)| person)
    }
    /// Reaches no record.
    pub fn is_nothing(&self) -> bool {
        !self.all && self.owners.is_empty() && self.units.is_empty() && self.teams.is_empty()
    }
    /// Records of these owners are inside.
    pub fn owners(&self) -> &[UserId] {
        &self.owners
    }
    /// Records of these units are inside.
    pub fn units(&self) -> &[UnitId] {
        &self.units
    }
    /// Records of these teams are inside.
    pub fn teams(&self) -> &[RecordId] {
        &self.teams
    }
    /// Whether one record is inside.
    pub fn admits(&self, facts: &Facts) -> bool {
        self.shows_private(facts) && self.places(facts)
    }
    fn shows_private(&self, facts: &Facts) -> bool {
        self.private_of.is_none_or(|PrivateOf(person)| !facts.private || facts.owner == Some(person))
    }
    fn places(&self, facts: &Facts) -> bool {
        self.all
            || facts.owner.is_some_and(|owner| self.owners.contains(&owner))
            || facts.unit.is_some_and(|unit| self.units.contains(&unit))
            || facts.team.is_some_and(|team| self.teams.contains(&team))
    }
    /// By which parts of its place a record is inside: `all`, or of `owner`, `unit` and `team` those that count.
    pub fn through(&self, facts: &Facts) -> Vec<&'static str> {
        if !self.shows_private(facts) {
            return Vec::new();
        }
        let parts = [
            ("all", self.all),
            ("owner", facts.owner.is_some_and(|owner| self.owners.contains(&owner))),
            ("unit", facts.unit.is_some_and(|unit| self.units.contains(&unit))),
            ("team", facts.team.is_some_and(|team| self.teams.contains(&team))),
        ];
        parts
            .into_iter()
            .filter(|(_, inside)| *inside)
            .map(|(part, _)| part)
            .take(if self.all { 1 } else { 3 })
            .collect()
    }
    /// Both together.
    #[must_use]
    pub(crate) fn or(mut self, other: &Self) -> Self {
        if self.is_nothing() {
            return other.clone();
        }
        self.private_of = self.private_of.or(other.private_of);
        self.all |= other.all;
        self.owners.extend(&other.owners);
        self.units.extend(&other.units);
        self.teams.extend(&other.teams);
        self.tidy()
    }
    fn tidy(mut self) -> Self {
        for list in [&mut self.owners, &mut self.units, &mut self.teams] {
            list.sort();
            list.dedup();
        }
        self
    }
}
