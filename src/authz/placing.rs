//! Where a record may be put: each part of its new place, owner, unit and team, must lie in somebody's reach on its own. A
//! scope is a union, so asking whether it admits the record as a whole would let an owner push it into any unit.

use crate::{Facts, Predicate, Scope};
use identity::Actor;
use kernel::UnitId;

/// The parts of the new place (`owner`, `unit`, `team`) that none of these scopes reaches. Parts that stay as they are, that
/// become empty, or that are the actor's own are always in reach; so is the unit of the new owner, whom the record follows.
pub fn out_of_reach(
    actor: &Actor,
    scopes: &[Scope<'_>],
    before: Option<&Facts>,
    after: &Facts,
    owner_unit: Option<UnitId>,
) -> Vec<&'static str> {
    let reached = |test: &dyn Fn(&Predicate) -> bool| {
        scopes.iter().any(|scope| scope.predicate().is_everywhere() || test(scope.predicate()))
    };
    let owner = after.owner.is_none_or(|owner| {
        let colleague = |reach: &Predicate| {
            reach.owners().contains(&owner) || owner_unit.is_some_and(|unit| reach.units().contains(&unit))
        };
        owner == actor.user() || before.and_then(|before| before.owner) == Some(owner) || reached(&colleague)
    });
    let unit = after.unit.is_none_or(|unit| {
        let known = [actor.unit(), owner_unit, before.and_then(|before| before.unit)];
        known.contains(&Some(unit)) || reached(&|reach| reach.units().contains(&unit))
    });
    let team = after.team.is_none_or(|team| {
        let stays = before.and_then(|before| before.team) == Some(team);
        stays || actor.teams().contains(&team) || reached(&|reach| reach.teams().contains(&team))
    });
    [("owner", owner), ("unit", unit), ("team", team)].into_iter().filter(|(_, ok)| !ok).map(|(name, _)| name).collect()
}
