//! Which sets stay and which may go, with the reason for each. Pure: the plan is shown before anything is done, and doing it
//! is somebody else's part, who needs a set that was just read back.
//!
//! Grandfather, father, son: the newest set of each of the last days, weeks, months and years. Order is that of the numbers,
//! never of the clock; where both disagree nothing goes at all.

use kernel::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;

/// How far the clock of a set may be ahead of now: several nodes never agree to the second.
const AHEAD_MICROS: i64 = 5 * 60 * 1_000_000;
const SECOND_MICROS: i64 = 1_000_000;

/// How many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Days of which the newest set stays.
    pub daily: usize,
    /// The same of ISO weeks.
    pub weekly: usize,
    /// The same of months.
    pub monthly: usize,
    /// The same of years.
    pub yearly: usize,
    /// Verified sets that always stay, whatever their age.
    pub floor: usize,
    /// Seconds between the decision that a set may go and its going: time to call it back.
    pub delay_seconds: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { daily: 7, weekly: 4, monthly: 12, yearly: 7, floor: 3, delay_seconds: 72 * 3600 }
    }
}

/// A set on one target, as far as the plan asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub sequence: u64,
    /// Its moment.
    pub made_at: Timestamp,
    /// Whether it was read back whole.
    pub verified: bool,
    /// Whether somebody wants it to stay.
    pub pinned: bool,
    /// Since when it may go.
    pub marked_at: Option<Timestamp>,
}

/// Why a set stays, or may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Somebody wants it to stay.
    Pinned,
    /// The newest verified one.
    Newest,
    /// The newest of its day.
    Daily,
    /// The newest of its week.
    Weekly,
    /// The newest of its month.
    Monthly,
    /// The newest of its year.
    Yearly,
    /// One of the fewest that always stay.
    Floor,
    /// It was never read back whole, and no younger one was.
    OnlyHope,
    /// Younger sets do for it.
    Replaced,
    /// It was never read back whole, and a younger one was.
    NeverVerified,
}

/// What happens with a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepRule {
    /// It stays.
    Keep,
    /// It may go once the delay is over.
    Mark,
    /// The delay is over: it may go now.
    Remove,
}

/// The plan for one set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Its number.
    pub sequence: u64,
    /// What happens with it.
    pub rule: KeepRule,
    /// Why.
    pub reason: Reason,
}

/// The plan for the sets of one target, newest first, and whether the clock allows to do it. When it does not, every set
/// that might go is told as [`KeepRule::Mark`] at most.
pub fn plan(sets: &[Kept], policy: &Policy, now: Timestamp) -> (Vec<Decision>, bool) {
    let mut sets = sets.to_vec();
    sets.sort_by_key(|set| std::cmp::Reverse(set.sequence));
    let steady = clock_is_steady(&sets, now);
    let stays = periods(&sets, policy);
    let newest_verified = sets.iter().find(|set| set.verified).map(|set| set.sequence);
    let decided = sets.iter().zip(stays).map(|(set, stay)| {
        let younger_verified = newest_verified.is_some_and(|newest| newest > set.sequence);
        let (keep, reason) = match stay {
            _ if set.pinned => (true, Reason::Pinned),
            Some(reason) => (true, reason),
            None if !set.verified && !younger_verified => (true, Reason::OnlyHope),
            None if !set.verified => (false, Reason::NeverVerified),
            None => (false, Reason::Replaced),
        };
        let over = set.marked_at.is_some_and(|at| {
            now.micros().saturating_sub(at.micros()) >= policy.delay_seconds.saturating_mul(SECOND_MICROS)
        });
        let rule = match (keep, over && steady) {
            (true, _) => KeepRule::Keep,
            (false, true) => KeepRule::Remove,
            (false, false) => KeepRule::Mark,
        };
        Decision { sequence: set.sequence, rule, reason }
    });
    (decided.collect(), steady)
}

/// Later numbers bear later times, and none is of tomorrow.
fn clock_is_steady(newest_first: &[Kept], now: Timestamp) -> bool {
    let in_order = newest_first.windows(2).all(|pair| match pair {
        [later, earlier] => later.made_at >= earlier.made_at,
        _ => true,
    });
    let marked = newest_first.iter().filter_map(|set| set.marked_at);
    let latest = newest_first.iter().map(|set| set.made_at).chain(marked).max();
    in_order && latest.is_none_or(|latest| latest.micros().saturating_sub(now.micros()) <= AHEAD_MICROS)
}

/// For each set, newest first, the first reason by which it stays.
fn periods(newest_first: &[Kept], policy: &Policy) -> Vec<Option<Reason>> {
    let mut stays: Vec<Option<Reason>> = vec![None; newest_first.len()];
    let rules: [(Reason, usize, &str); 4] = [
        (Reason::Daily, policy.daily, "%Y-%m-%d"),
        (Reason::Weekly, policy.weekly, "%G-%V"),
        (Reason::Monthly, policy.monthly, "%Y-%m"),
        (Reason::Yearly, policy.yearly, "%Y"),
    ];
    if let Some((_, stay)) = newest_first.iter().zip(&mut stays).find(|(set, _)| set.verified) {
        *stay = Some(Reason::Newest);
    }
    for (reason, count, format) in rules {
        let mut seen = BTreeSet::new();
        for (set, stay) in newest_first.iter().zip(&mut stays).filter(|(set, _)| set.verified) {
            if seen.len() >= count {
                break;
            }
            if seen.insert(set.made_at.to_datetime().format(format).to_string()) {
                stay.get_or_insert(reason);
            }
        }
    }
    // The floor comes last: it only adds what the periods leave.
    let mut kept = stays.iter().flatten().count();
    for (_, stay) in newest_first.iter().zip(&mut stays).filter(|(set, _)| set.verified) {
        if kept >= policy.floor {
            break;
        }
        if stay.is_none() {
            *stay = Some(Reason::Floor);
            kept += 1;
        }
    }
    stays
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = 86_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_767_225_600_000_000).plus_seconds(seconds)
    }
    fn set(sequence: u64, day: i64) -> Kept {
        Kept { sequence, made_at: at(day * DAY), verified: true, pinned: false, marked_at: None }
    }
    fn rule(decisions: &[Decision], sequence: u64) -> (KeepRule, Reason) {
        let found = decisions.iter().find(|decision| decision.sequence == sequence).unwrap();
        (found.rule, found.reason)
    }

    #[test]
    fn a_year_of_nights_leaves_days_weeks_and_months() {
        // From 1 January 2026 to 31 December, one a night.
        let sets: Vec<Kept> = (0..365).map(|day| set(day + 1, day as i64)).collect();
        let (decisions, steady) = plan(&sets, &Policy::default(), at(365 * DAY));
        assert!(steady);
        let count = |reason| decisions.iter().filter(|decision| decision.reason == reason).count();
        // The newest is also that of its day, week, month and year; that of the week before is one of the last days.
        assert_eq!((count(Reason::Newest), count(Reason::Daily), count(Reason::Weekly)), (1, 6, 2));
        assert_eq!((count(Reason::Monthly), count(Reason::Yearly), count(Reason::Floor)), (11, 0, 0));
        assert_eq!(rule(&decisions, 365), (KeepRule::Keep, Reason::Newest));
        assert_eq!(rule(&decisions, 31), (KeepRule::Keep, Reason::Monthly));
        assert_eq!(rule(&decisions, 30), (KeepRule::Mark, Reason::Replaced), "first marked, and gone only later");
    }

    #[test]
    fn nothing_goes_before_its_time_nor_while_the_clock_is_odd() {
        let policy = Policy { daily: 1, weekly: 0, monthly: 0, yearly: 0, floor: 1, delay_seconds: 72 * 3600 };
        let mut sets = [set(1, 0), set(2, 1)];
        sets[0].marked_at = Some(at(2 * DAY));
        let first = |sets: &[Kept], now: i64| rule(&plan(sets, &policy, at(now)).0, 1).0;
        assert_eq!(first(&sets, 5 * DAY - 1), KeepRule::Mark);
        assert_eq!(first(&sets, 5 * DAY), KeepRule::Remove);
        // The clock was set back, or a later set has an earlier time.
        assert_eq!(first(&sets, 0), KeepRule::Mark);
        let mut odd = sets;
        odd[1].made_at = at(-1);
        assert_eq!((plan(&odd, &policy, at(9 * DAY)).1, first(&odd, 9 * DAY)), (false, KeepRule::Mark));
        sets[0].pinned = true;
        assert_eq!(first(&sets, 9 * DAY), KeepRule::Keep);
    }

    #[test]
    fn a_set_that_was_never_read_back_replaces_nothing() {
        let policy = Policy { daily: 1, weekly: 0, monthly: 0, yearly: 0, floor: 1, delay_seconds: 0 };
        let unread = |sequence, day| Kept { verified: false, ..set(sequence, day) };
        let (decisions, _) = plan(&[set(1, 0), unread(2, 1), unread(3, 2)], &policy, at(9 * DAY));
        assert_eq!(rule(&decisions, 1), (KeepRule::Keep, Reason::Newest));
        assert_eq!(rule(&decisions, 3), (KeepRule::Keep, Reason::OnlyHope));
        let (decisions, _) = plan(&[unread(1, 0), set(2, 1)], &policy, at(9 * DAY));
        assert_eq!(rule(&decisions, 1), (KeepRule::Mark, Reason::NeverVerified));
    }

    fn any_sets() -> impl Strategy<Value = Vec<Kept>> {
        let one = (0i64..900, any::<bool>(), any::<bool>(), proptest::option::of(0i64..900));
        proptest::collection::vec(one, 0..80).prop_map(|mut sets| {
            sets.sort_by_key(|set| set.0);
            let numbered = (1u64..).zip(sets);
            numbered
                .map(|(sequence, (day, verified, pinned, marked))| Kept {
                    sequence,
                    made_at: at(day * DAY),
                    verified,
                    pinned: pinned && day % 7 == 0,
                    marked_at: marked.map(|day| at(day * DAY)),
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn what_goes_is_never_missed(sets in any_sets(), now in 0i64..1_000, floor in 1usize..5, daily in 0usize..9) {
            let policy = Policy { daily, weekly: 2, monthly: 3, yearly: 1, floor, delay_seconds: 0 };
            let (decisions, steady) = plan(&sets, &policy, at(now * DAY));
            prop_assert_eq!(decisions.len(), sets.len());
            let goes: Vec<u64> =
                decisions.iter().filter(|one| one.rule == KeepRule::Remove).map(|one| one.sequence).collect();
            prop_assert!(steady || goes.is_empty());
            let verified: Vec<&Kept> = sets.iter().filter(|set| set.verified).collect();
            let left = verified.iter().filter(|set| !goes.contains(&set.sequence)).count();
            prop_assert!(left >= floor.min(verified.len()), "{} of {} are left", left, verified.len());
            // Whatever goes has a younger one that was read back and stays.
            for gone in &goes {
                prop_assert!(verified.iter().any(|set| set.sequence > *gone && !goes.contains(&set.sequence)));
            }
            // Doing the plan changes nothing about the rest.
            let rest: Vec<Kept> = sets.iter().filter(|set| !goes.contains(&set.sequence)).copied().collect();
            let (again, _) = plan(&rest, &policy, at(now * DAY));
            prop_assert!(again.iter().all(|one| one.rule != KeepRule::Remove));
        }
    }
}
