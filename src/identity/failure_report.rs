//! Failed sign-ins for the audit log: the first of a source at once, the rest summed once a minute, so that an attack cannot flood the log.
//! It never keeps the login that was typed; people type passwords there.

use kernel::{Timestamp, UserId};
use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    time::Duration,
};

/// Failures of one source within this time are told in one event.
const WINDOW: Duration = Duration::from_secs(60);
/// Sources told apart; the rest are summed without an address.
const SOURCES_MAX: usize = 1_000;
/// Users named in one report.
const USERS_MAX: usize = 16;

/// Failed sign-ins of one source within a minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureReport {
    /// The address (of IPv6 the /64 network); none when it is not known or too many addresses failed at once.
    pub source: Option<IpAddr>,
    /// Attempts with a wrong login or password, or for a closed account.
    pub failures: u32,
    /// Attempts refused unread because a wait was not over.
    pub refused: u32,
    /// The users whose logins were tried, at most 16.
    pub users: Vec<UserId>,
    /// The first of them.
    pub first_at: Timestamp,
    /// The last of them.
    pub last_at: Timestamp,
}

/// What the caller must put into the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInEvent {
    /// The first failure of a source, told at once.
    Failed(FailureReport),
    /// Its further failures of the last minute, told together.
    FailedAgain(FailureReport),
}

/// What happened to an attempt that did not succeed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Checked and wrong; the user when the login exists.
    Wrong(Option<UserId>),
    /// Not checked, because a wait was not over.
    Refused,
}

/// The two times of a moment: one that never goes back for waiting, one for the record.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) monotonic: Duration,
    pub(crate) wall: Timestamp,
}

/// The sources whose minute is running.
#[derive(Default)]
pub(crate) struct Reports(HashMap<Option<IpAddr>, Open>);

struct Open {
    window_start: Duration,
    report: FailureReport,
    users: BTreeSet<UserId>,
}

impl Reports {
    /// Counts a failure; the event when it is the first of its source.
    pub(crate) fn count(&mut self, source: Option<IpAddr>, failure: Failure, now: Moment) -> Option<SignInEvent> {
        let full = self.0.len() >= SOURCES_MAX && !self.0.contains_key(&source);
        let source = if full { None } else { source };
        let first = !self.0.contains_key(&source);
        let (first_at, last_at) = (now.wall, now.wall);
        let open = self.0.entry(source).or_insert_with(|| Open {
            window_start: now.monotonic,
            report: FailureReport { source, failures: 0, refused: 0, users: Vec::new(), first_at, last_at },
            users: BTreeSet::new(),
        });
        open.count(failure, now.wall);
        first.then(|| SignInEvent::Failed(open.take()))
    }

    /// Reports whose minute is over; every one when `all`, as before a stop.
    pub(crate) fn due(&mut self, now: Duration, all: bool) -> Vec<SignInEvent> {
        let mut due = Vec::new();
        self.0.retain(|_, open| {
            if !all && open.window_start + WINDOW > now {
                return true;
            }
            let news = open.report.failures + open.report.refused > 0;
            if news {
                due.push(SignInEvent::FailedAgain(open.take()));
                open.window_start = now;
            }
            // A source that goes on stays summed; one that fell silent is told at once when it comes back.
            news && !all
        });
        due
    }
}

impl Open {
    fn count(&mut self, failure: Failure, at: Timestamp) {
        let report = &mut self.report;
        if report.failures + report.refused == 0 {
            report.first_at = at;
        }
        report.last_at = at;
        match failure {
            Failure::Refused => report.refused = report.refused.saturating_add(1),
            Failure::Wrong(user) => {
                report.failures = report.failures.saturating_add(1);
                if let Some(user) = user.filter(|_| self.users.len() < USERS_MAX) {
                    self.users.insert(user);
                }
            }
        }
    }

    /// The report so far; counting goes on from zero.
    fn take(&mut self) -> FailureReport {
        let users = std::mem::take(&mut self.users).into_iter().collect();
        let report = FailureReport { users, ..self.report.clone() };
        (self.report.failures, self.report.refused) = (0, 0);
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Id;

    const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)));

    fn moment(at: u64) -> Moment {
        let wall = Timestamp::from_micros(0).plus_seconds(i64::try_from(at).unwrap());
        Moment { monotonic: Duration::from_secs(at), wall }
    }

    #[test]
    fn failures_are_told_at_once_and_then_once_a_minute() {
        let user: UserId = Id::from_bytes([9; 16]);
        let mut reports = Reports::default();
        let Some(SignInEvent::Failed(first)) = reports.count(HERE, Failure::Wrong(None), moment(1)) else {
            panic!("the first is told at once")
        };
        assert_eq!((first.source, first.failures, first.refused, first.users.len()), (HERE, 1, 0, 0));
        assert_eq!(reports.count(HERE, Failure::Wrong(Some(user)), moment(2)), None);
        assert_eq!(reports.count(HERE, Failure::Wrong(Some(user)), moment(3)), None);
        assert_eq!(reports.count(HERE, Failure::Refused, moment(4)), None);
        assert!(reports.due(Duration::from_secs(60), false).is_empty());
        let due = reports.due(Duration::from_secs(61), false);
        let [SignInEvent::FailedAgain(again)] = due.as_slice() else { panic!("{due:?}") };
        assert_eq!((again.failures, again.refused, again.users.as_slice()), (2, 1, [user].as_slice()));
        assert_eq!((again.first_at, again.last_at), (moment(2).wall, moment(4).wall));
        assert!(reports.due(Duration::from_secs(121), false).is_empty(), "nothing new");
        assert!(reports.count(HERE, Failure::Refused, moment(130)).is_some(), "told at once again");
        assert_eq!(reports.count(HERE, Failure::Refused, moment(131)), None);
        assert_eq!(reports.due(Duration::from_secs(131), true).len(), 1, "before a stop everything is told");
    }

    #[test]
    fn tables_are_bounded() {
        let mut reports = Reports::default();
        let mut told = 0;
        for count in 0..2_000u32 {
            told += usize::from(reports.count(Some(IpAddr::V4(count.into())), Failure::Refused, moment(1)).is_some());
        }
        assert_eq!(told, SOURCES_MAX + 1);
        let due = reports.due(Duration::from_secs(61), false);
        let [SignInEvent::FailedAgain(rest)] = due.as_slice() else { panic!("{due:?}") };
        assert_eq!((rest.source, rest.refused), (None, 999), "the rest share one report");
        for count in 0..40u8 {
            reports.count(HERE, Failure::Wrong(Some(Id::from_bytes([count; 16]))), moment(62));
        }
        let due = reports.due(Duration::from_secs(200), false);
        assert!(
            due.iter()
                .any(|event| matches!(event, SignInEvent::FailedAgain(report) if report.users.len() == USERS_MAX))
        );
    }
}
