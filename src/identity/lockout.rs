//! Slows down guessing: per login and per source address, after some free failures each further one doubles the wait.
//!
//! Nothing is ever locked for good, and an attacker cannot keep a person out: from an address where a person has signed in before,
//! only failures from there count (the "device cookie" idea of OWASP, keyed by address). It holds no logins, only digests of them.

use crate::{
    failure_report::{Failure, Moment, Reports, SignInEvent},
    secret::sha256,
};
use kernel::{
    Timestamp, UserId,
    limits::{
        SIGN_IN_DELAY_SECONDS_MAX, SIGN_IN_FREE_FAILURES, SIGN_IN_SOURCE_FREE_FAILURES, SIGN_IN_TABLE_ENTRIES_MAX,
    },
};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// After this long without a failure the count begins anew.
const FORGET: Duration = Duration::from_secs(3600);
/// How long an address stays known for a login after a sign-in from there.
const KNOWN: Duration = Duration::from_secs(30 * 24 * 3600);
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Login([u8; 16]),
    Source(IpAddr),
    /// A login from one address where it is known.
    Pair([u8; 16], IpAddr),
}

impl Key {
    const fn free_failures(self) -> u32 {
        match self {
            Self::Login(_) | Self::Pair(..) => SIGN_IN_FREE_FAILURES,
            Self::Source(_) => SIGN_IN_SOURCE_FREE_FAILURES,
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Entry {
    failures: u32,
    last: Duration,
    blocked_until: Duration,
    known_until: Duration,
}

impl Entry {
    fn kept_until(&self) -> Duration {
        self.known_until.max(self.last + FORGET)
    }
}

#[derive(Default)]
struct Tables {
    entries: HashMap<Key, Entry>,
    reports: Reports,
    /// Counts that wait to be stored, so that a failure costs no write and takes as long for an unknown login.
    unsaved: HashMap<UserId, (u32, Timestamp)>,
    entries_max: usize,
}

/// An attempt that was let through. It is counted as failed until [`Lockout::succeeded`] or [`Lockout::undo`] says otherwise,
/// so that a thousand attempts at once do not all see a count of zero.
pub(crate) struct Attempt {
    login: [u8; 16],
    primary: Key,
    source: Option<IpAddr>,
    failures: u32,
}

/// Refused: so many whole seconds to wait.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Delay(pub(crate) u64);

pub(crate) struct Lockout(Mutex<Tables>);

impl Lockout {
    pub(crate) fn new() -> Self {
        Self::with_capacity(SIGN_IN_TABLE_ENTRIES_MAX)
    }

    fn with_capacity(entries_max: usize) -> Self {
        Self(Mutex::new(Tables { entries_max, ..Tables::default() }))
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets an attempt through and counts it, or says how long to wait.
    pub(crate) fn admit(&self, folded_login: &str, source: Option<IpAddr>, now: Duration) -> Result<Attempt, Delay> {
        let login = login_key(folded_login);
        let source = source.map(network_of);
        let mut tables = self.tables();
        let pair = source.map(|source| Key::Pair(login, source));
        let known = pair.filter(|pair| tables.entries.get(pair).is_some_and(|entry| entry.known_until > now));
        let primary = known.unwrap_or(Key::Login(login));
        let keys = [Some(primary), source.map(Key::Source)];
        let until =
            keys.iter().flatten().filter_map(|key| tables.entries.get(key)).map(|entry| entry.blocked_until).max();
        if let Some(wait) = until.and_then(|until| until.checked_sub(now)).filter(|wait| !wait.is_zero()) {
            return Err(Delay(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)));
        }
        let mut failures = 0;
        for key in keys.into_iter().flatten().rev() {
            failures = tables.charge(key, now);
        }
        Ok(Attempt { login, primary, source, failures })
    }

    /// Takes what is stored about the user into account: after a restart, or with several nodes, it knows more than this table.
    pub(crate) fn remember(
        &self,
        attempt: &mut Attempt,
        failed_count: u32,
        age: Duration,
        now: Duration,
    ) -> Result<(), Delay> {
        if !matches!(attempt.primary, Key::Login(_)) || failed_count < attempt.failures || age >= FORGET {
            return Ok(());
        }
        let wait = delay(failed_count, SIGN_IN_FREE_FAILURES).saturating_sub(age);
        let mut tables = self.tables();
        let Some(entry) = tables.entries.get_mut(&attempt.primary) else { return Ok(()) };
        if wait.is_zero() {
            attempt.failures = failed_count.saturating_add(1);
            entry.failures = attempt.failures;
            entry.blocked_until = now + delay(entry.failures, SIGN_IN_FREE_FAILURES);
            Ok(())
        } else {
            entry.failures = failed_count;
            entry.blocked_until = now + wait;
            Err(Delay(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)))
        }
    }

    /// The password was right: the login starts at zero, the address is known for it, the address's own count loses this attempt only.
    pub(crate) fn succeeded(&self, attempt: &Attempt, user: UserId, now: Duration) {
        let mut tables = self.tables();
        tables.entries.remove(&attempt.primary);
        tables.unsaved.remove(&user);
        if let Some(source) = attempt.source {
            tables.give_back(Key::Source(source), now);
            tables.make_room(now);
            let known = Entry { known_until: now + KNOWN, last: now, ..Entry::default() };
            tables.entries.insert(Key::Pair(attempt.login, source), known);
        }
    }

    /// Neither right nor wrong: the appliance could not check.
    pub(crate) fn undo(&self, attempt: &Attempt, now: Duration) {
        let mut tables = self.tables();
        tables.give_back(attempt.primary, now);
        if let Some(source) = attempt.source {
            tables.give_back(Key::Source(source), now);
        }
    }

    /// The password was wrong. The count stays as charged; the user's, if there is one, is stored at the next upkeep.
    pub(crate) fn failed(&self, attempt: &Attempt, user: Option<UserId>, now: Moment) -> Option<SignInEvent> {
        let mut tables = self.tables();
        if let Some(user) = user {
            tables.unsaved.insert(user, (attempt.failures, now.wall));
        }
        tables.reports.count(attempt.source, Failure::Wrong(user), now)
    }

    /// An attempt was refused unread.
    pub(crate) fn refused(&self, source: Option<IpAddr>, now: Moment) -> Option<SignInEvent> {
        self.tables().reports.count(source.map(network_of), Failure::Refused, now)
    }

    /// Reports whose minute is over; all of them when `all`, as before a stop.
    pub(crate) fn reports_due(&self, now: Duration, all: bool) -> Vec<SignInEvent> {
        self.tables().reports.due(now, all)
    }

    /// Failure counts to be stored; they leave the list.
    pub(crate) fn unsaved(&self) -> Vec<(UserId, u32, Timestamp)> {
        self.tables().unsaved.drain().map(|(user, (count, at))| (user, count, at)).collect()
    }

    /// Puts a count back that could not be stored, unless a newer one has come.
    pub(crate) fn unsaved_again(&self, user: UserId, count: u32, at: Timestamp) {
        self.tables().unsaved.entry(user).or_insert((count, at));
    }
}

impl Tables {
    /// Counts a failure of this key and sets its wait; the number of failures so far.
    fn charge(&mut self, key: Key, now: Duration) -> u32 {
        if !self.entries.contains_key(&key) {
            self.make_room(now);
        }
        let entry = self.entries.entry(key).or_default();
        if entry.last + FORGET <= now {
            entry.failures = 0;
        }
        entry.failures = entry.failures.saturating_add(1);
        entry.last = now;
        entry.blocked_until = now + delay(entry.failures, key.free_failures());
        entry.failures
    }

    fn give_back(&mut self, key: Key, now: Duration) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.failures = entry.failures.saturating_sub(1);
            entry.blocked_until = now;
        }
    }

    /// Keeps the table within its bound: first what has expired goes, then the eighth that blocks least and was used longest ago.
    fn make_room(&mut self, now: Duration) {
        if self.entries.len() < self.entries_max {
            return;
        }
        self.entries.retain(|_, entry| entry.kept_until() > now);
        if self.entries.len() < self.entries_max {
            return;
        }
        let mut order: Vec<_> =
            self.entries.iter().map(|(key, entry)| (entry.blocked_until.max(entry.last), *key)).collect();
        order.sort_unstable_by_key(|(until, _)| *until);
        for (_, key) in order.into_iter().take(self.entries_max.div_ceil(8)) {
            self.entries.remove(&key);
        }
    }
}

/// The wait after this many failures: nothing for the free ones, then 2, 4, 8 … seconds up to the limit.
fn delay(failures: u32, free: u32) -> Duration {
    let beyond = failures.saturating_sub(free);
    let most = SIGN_IN_DELAY_SECONDS_MAX.unsigned_abs();
    Duration::from_secs(if beyond == 0 {
        0
    } else {
        1u64.checked_shl(beyond).map_or(most, |seconds| seconds.min(most))
    })
}

/// Logins are kept as digests: what people type there can be a password.
fn login_key(folded_login: &str) -> [u8; 16] {
    let mut key = [0; 16];
    key.iter_mut().zip(sha256(folded_login.as_bytes())).for_each(|(to, from)| *to = from);
    key
}

/// One subscriber has a whole IPv6 /64, so addresses within it count as one.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX)).into(),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Id;

    const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)));
    const THERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2)));

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }
    fn moment(at: u64) -> Moment {
        Moment { monotonic: seconds(at), wall: Timestamp::from_micros(0).plus_seconds(i64::try_from(at).unwrap()) }
    }
    fn user() -> UserId {
        Id::from_bytes([9; 16])
    }

    #[test]
    fn the_curve_doubles_and_is_capped() {
        let waits: Vec<_> = (0..20).map(|failures| delay(failures, 5).as_secs()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900, 900]);
        assert_eq!(delay(u32::MAX, 5).as_secs(), 900);
    }

    #[test]
    fn a_login_waits_longer_with_each_failure_and_is_never_locked_for_good() {
        let lockout = Lockout::new();
        let mut now = 10;
        for expected in [0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            // Another source each time: the login itself is what waits.
            let source = Some(IpAddr::from([10, 1, 0, u8::try_from(now % 250).unwrap()]));
            assert!(lockout.admit("anna", source, seconds(now)).is_ok());
            if expected > 0 {
                assert_eq!(lockout.admit("anna", HERE, seconds(now)).err(), Some(Delay(expected)));
                assert_eq!(lockout.admit("anna", HERE, seconds(now + expected - 1)).err(), Some(Delay(1)));
            }
            now += expected;
        }
        assert!(lockout.admit("bert", HERE, seconds(now)).is_ok(), "others are not touched");
        assert!(lockout.admit("anna", HERE, seconds(now + 4_000)).is_ok());
        assert!(lockout.admit("anna", HERE, seconds(now + 4_000)).is_ok(), "after an hour the count begins anew");
    }

    #[test]
    fn a_source_that_tries_many_logins_waits_too() {
        let lockout = Lockout::new();
        for attempt in 0..=SIGN_IN_SOURCE_FREE_FAILURES {
            assert!(lockout.admit(&format!("login{attempt}"), HERE, seconds(10)).is_ok(), "{attempt}");
        }
        assert_eq!(lockout.admit("anna", HERE, seconds(10)).err(), Some(Delay(2)));
        assert!(lockout.admit("anna", THERE, seconds(10)).is_ok());
        let six = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        for attempt in 0..=SIGN_IN_SOURCE_FREE_FAILURES {
            let _ = lockout.admit(&format!("other{attempt}"), six(&format!("2001:db8::{attempt}")), seconds(10));
        }
        assert!(lockout.admit("anna", six("2001:db8::ffff"), seconds(10)).is_err(), "a /64 counts as one source");
        assert!(lockout.admit("anna", six("2001:db8:0:1::1"), seconds(10)).is_ok());
    }

    #[test]
    fn a_known_address_is_not_kept_out_by_strangers() {
        let lockout = Lockout::new();
        let attempt = lockout.admit("anna", HERE, seconds(1)).unwrap();
        lockout.succeeded(&attempt, user(), seconds(1));
        for _ in 0..=SIGN_IN_FREE_FAILURES {
            assert!(lockout.admit("anna", THERE, seconds(2)).is_ok());
        }
        assert!(lockout.admit("anna", THERE, seconds(2)).is_err());
        for _ in 0..=SIGN_IN_FREE_FAILURES {
            assert!(lockout.admit("anna", HERE, seconds(2)).is_ok());
        }
        assert_eq!(lockout.admit("anna", HERE, seconds(2)).err(), Some(Delay(2)), "but it has its own curve");
        let later = seconds(2) + KNOWN;
        for _ in 0..=SIGN_IN_FREE_FAILURES {
            let _ = lockout.admit("anna", THERE, later);
        }
        assert!(lockout.admit("anna", HERE, later).is_err(), "an address is not known for ever");
    }

    #[test]
    fn success_resets_the_login_and_gives_the_source_one_back() {
        let lockout = Lockout::new();
        for _ in 0..4 {
            assert!(lockout.admit("anna", HERE, seconds(1)).is_ok());
        }
        let attempt = lockout.admit("anna", HERE, seconds(1)).unwrap();
        assert_eq!(attempt.failures, 5);
        lockout.succeeded(&attempt, user(), seconds(1));
        assert_eq!(lockout.admit("anna", THERE, seconds(1)).unwrap().failures, 1);
        let source = lockout.tables().entries.get(&Key::Source(HERE.unwrap())).unwrap().failures;
        assert_eq!(source, 4);
        let attempt = lockout.admit("bert", HERE, seconds(1)).unwrap();
        lockout.undo(&attempt, seconds(1));
        assert_eq!(lockout.admit("bert", HERE, seconds(1)).unwrap().failures, 1);
    }

    #[test]
    fn stored_counts_survive_a_restart() {
        let lockout = Lockout::new();
        let mut attempt = lockout.admit("anna", HERE, seconds(0)).unwrap();
        assert_eq!(lockout.remember(&mut attempt, 8, seconds(3), seconds(0)), Err(Delay(5)));
        assert_eq!(lockout.admit("anna", HERE, seconds(4)).err(), Some(Delay(1)));
        let mut attempt = lockout.admit("anna", HERE, seconds(5)).unwrap();
        assert_eq!(attempt.failures, 9);
        assert_eq!(lockout.remember(&mut attempt, 8, seconds(8), seconds(5)), Ok(()));
        assert_eq!(lockout.admit("anna", HERE, seconds(5)).err(), Some(Delay(16)));
        let mut other = lockout.admit("bert", HERE, seconds(5)).unwrap();
        assert_eq!(lockout.remember(&mut other, 30, FORGET, seconds(5)), Ok(()), "old failures are forgotten");
        assert!(lockout.admit("bert", HERE, seconds(5)).is_ok());
    }

    #[test]
    fn the_table_is_bounded_and_keeps_what_blocks() {
        let lockout = Lockout::with_capacity(64);
        for _ in 0..10 {
            let _ = lockout.admit("anna", None, seconds(1));
            lockout.tables().entries.get_mut(&Key::Login(login_key("anna"))).unwrap().blocked_until = seconds(0);
        }
        assert!(lockout.admit("anna", None, seconds(1)).is_ok());
        for count in 0..1_000 {
            let _ = lockout.admit(&format!("login{count}"), None, seconds(2));
            assert!(lockout.tables().entries.len() <= 64);
        }
        assert!(lockout.admit("anna", None, seconds(2)).is_err(), "the waiting one is still known");
    }

    #[test]
    fn counts_of_users_wait_to_be_stored_and_leave_with_a_success() {
        let lockout = Lockout::new();
        for at in 1..=3 {
            let attempt = lockout.admit("anna", HERE, seconds(at)).unwrap();
            let _ = lockout.failed(&attempt, Some(user()), moment(at));
        }
        assert_eq!(lockout.unsaved(), [(user(), 3, moment(3).wall)]);
        assert!(lockout.unsaved().is_empty());
        let attempt = lockout.admit("anna", HERE, seconds(4)).unwrap();
        let _ = lockout.failed(&attempt, Some(user()), moment(4));
        lockout.unsaved_again(user(), 3, moment(3).wall);
        assert_eq!(lockout.unsaved(), [(user(), 4, moment(4).wall)], "the newer count stays");
        let attempt = lockout.admit("anna", HERE, seconds(5)).unwrap();
        let _ = lockout.failed(&attempt, Some(user()), moment(5));
        lockout.succeeded(&attempt, user(), seconds(5));
        assert!(lockout.unsaved().is_empty());
    }
}
