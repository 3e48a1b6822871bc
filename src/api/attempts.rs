//! Failed attempts to unseal: slowed down per address, and kept until there is a log to write them to. In memory only, for a
//! sealed appliance can write nothing that would be worth believing.

use crate::rate::network;
use kernel::{Timestamp, limits};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Failures of one address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failures {
    /// How many.
    pub(crate) count: u64,
    /// The first.
    pub(crate) first: Timestamp,
    /// The last.
    pub(crate) last: Timestamp,
    /// When the next attempt is let through, on the monotonic clock.
    next: Duration,
}

/// What was kept of each address.
pub(crate) type Kept = Vec<(Option<IpAddr>, Failures)>;

/// Failures by network as the rate limit tells them apart; `None` stands for those whose address is not known, and for those beyond the limit.
#[derive(Debug, Default)]
pub(crate) struct Attempts(BTreeMap<Option<IpAddr>, Failures>);

impl Attempts {
    /// Whole seconds until an attempt from there is let through; `None` when it is now.
    pub(crate) fn wait_seconds(&self, source: Option<IpAddr>, now: Duration) -> Option<u64> {
        let next = self.0.get(&self.place(source))?.next;
        (next > now).then(|| u64::try_from((next - now).as_millis().div_ceil(1_000)).unwrap_or(u64::MAX))
    }

    /// Counts a failure. The first few cost nothing more than the hash; then the wait doubles up to its limit.
    pub(crate) fn failed(&mut self, source: Option<IpAddr>, at: Timestamp, now: Duration) {
        let failures =
            self.0.entry(self.place(source)).or_insert(Failures { count: 0, first: at, last: at, next: now });
        failures.count += 1;
        failures.last = at;
        let doubled = failures.count.saturating_sub(limits::UNSEAL_FREE_FAILURES).min(16);
        let seconds = if doubled == 0 { 0 } else { (1u64 << doubled).min(limits::UNSEAL_WAIT_SECONDS_MAX) };
        failures.next = now + Duration::from_secs(seconds);
    }

    /// Everything kept, which is then no longer kept here.
    pub(crate) fn take(&mut self) -> Kept {
        std::mem::take(&mut self.0).into_iter().collect()
    }

    fn place(&self, source: Option<IpAddr>) -> Option<IpAddr> {
        let source = source.map(network);
        source.filter(|_| self.0.len() < limits::UNSEAL_SOURCES_MAX || self.0.contains_key(&source))
    }
}

/// Lets guesses come one at a time. Whoever comes second waits, but not for ever: a flood of guesses must not turn the
/// operator away at once, nor keep threads for long.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    taken: Mutex<bool>,
    free: Condvar,
}

/// The turn of one attempt; dropping it lets the next one through.
#[derive(Debug)]
pub(crate) struct Taken<'t>(&'t Turn);

impl Turn {
    /// Waits for the turn at most so long.
    pub(crate) fn take(&self, most: Duration) -> Option<Taken<'_>> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.free.wait_timeout_while(taken, most, |taken| *taken);
        let (mut taken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        // Made only when it is ours: one that is made and thrown away would free the turn of the other.
        let ours = !std::mem::replace(&mut *taken, true);
        ours.then(|| Taken(self))
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.free.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_nobody_waits_for_ever() {
        let turn = Turn::default();
        let first = turn.take(Duration::ZERO).unwrap();
        assert!(turn.take(Duration::from_millis(1)).is_none());
        std::thread::scope(|scope| {
            let second = scope.spawn(|| turn.take(Duration::from_secs(60)).is_some());
            drop(first);
            assert!(second.join().unwrap(), "who waits is let through when the first is done");
        });
        assert!(turn.take(Duration::ZERO).is_some());
    }

    #[test]
    fn waits_double_and_end_at_their_limit() {
        let mut attempts = Attempts::default();
        let (here, there) = (Some([192, 0, 2, 1].into()), Some([192, 0, 2, 2].into()));
        let (at, now) = (Timestamp::from_micros(7), Duration::from_secs(100));
        for expected in [None, None, None, Some(2), Some(4), Some(8), Some(16), Some(32), Some(60), Some(60)] {
            attempts.failed(here, at, now);
            assert_eq!(attempts.wait_seconds(here, now), expected);
        }
        assert_eq!(attempts.wait_seconds(here, now + Duration::from_secs(60)), None);
        assert_eq!(attempts.wait_seconds(there, now), None, "an attacker elsewhere keeps nobody out");
        let kept = attempts.take();
        assert_eq!((kept.len(), kept[0].0, kept[0].1.count), (1, here, 10));
        assert!(attempts.take().is_empty());
    }

    #[test]
    fn a_network_of_version_6_waits_as_one() {
        let mut attempts = Attempts::default();
        let (now, source) = (Duration::ZERO, |text: &str| Some(text.parse::<IpAddr>().unwrap()));
        for number in 0..10 {
            attempts.failed(source(&format!("2001:db8::{number}")), Timestamp::from_micros(0), now);
        }
        assert_eq!(attempts.wait_seconds(source("2001:db8::ffff"), now), Some(60));
        assert_eq!(attempts.wait_seconds(source("2001:db8:0:1::1"), now), None);
    }

    #[test]
    fn addresses_beyond_the_limit_share_a_place() {
        let mut attempts = Attempts::default();
        for number in 0..2 * u32::try_from(limits::UNSEAL_SOURCES_MAX).unwrap() {
            attempts.failed(Some(IpAddr::V4(number.into())), Timestamp::from_micros(0), Duration::ZERO);
        }
        let kept = attempts.take();
        assert_eq!(kept.len(), limits::UNSEAL_SOURCES_MAX + 1);
        assert_eq!(kept.iter().map(|(_, failures)| failures.count).sum::<u64>(), 2 * limits::UNSEAL_SOURCES_MAX as u64);
    }
}
