//! Failed attempts to unseal: slowed down per address, and kept until there is a log to write them to. In memory only, for a
//! sealed appliance can write nothing that would be worth believing.

use kernel::{Timestamp, limits};
use std::collections::BTreeMap;
use std::net::IpAddr;
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

/// Failures by address; `None` stands for those whose address is not known, and for those beyond the limit.
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
        source.filter(|_| self.0.len() < limits::UNSEAL_SOURCES_MAX || self.0.contains_key(&source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
