//! How many requests one network address may send: a token bucket per address, in memory, of limited number.
//! It slows floods down; it is no lock-out, which lives in `identity`.

use kernel::limits::{RATE_REQUESTS_BURST, RATE_REQUESTS_PER_SECOND, RATE_SOURCES_MAX};
use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How many requests per address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// In the long run.
    pub per_second: u32,
    /// At once.
    pub burst: u32,
    /// Whether requests from this machine itself are not counted: its own command line and a gateway in front of it,
    /// which counts for itself.
    pub spare_loopback: bool,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { per_second: RATE_REQUESTS_PER_SECOND, burst: RATE_REQUESTS_BURST, spare_loopback: true }
    }
}

/// Thousandths of a request are counted, so that slow refills do not round to nothing.
const MILLI: u64 = 1_000;

struct Bucket {
    milli: u64,
    at: Duration,
}

/// The buckets of all addresses.
pub(crate) struct Rates {
    limit: RateLimit,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

impl Rates {
    pub(crate) fn new(limit: RateLimit) -> Self {
        Self { limit, buckets: Mutex::new(HashMap::new()) }
    }

    /// Takes one request from the address's bucket; `false` when it is empty. `now` never goes back.
    pub(crate) fn admit(&self, source: IpAddr, now: Duration) -> bool {
        if self.limit.spare_loopback && source.to_canonical().is_loopback() {
            return true;
        }
        let full = u64::from(self.limit.burst).saturating_mul(MILLI);
        let per_milli = u64::from(self.limit.per_second);
        let whole = |bucket: &Bucket| u64::try_from(now.saturating_sub(bucket.at).as_millis()).unwrap_or(u64::MAX);
        let refilled = |bucket: &Bucket| bucket.milli.saturating_add(whole(bucket).saturating_mul(per_milli)).min(full);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= RATE_SOURCES_MAX {
            // Full buckets carry no memory. If none is full, all are in a flood, and starting over slows it still.
            buckets.retain(|_, bucket| refilled(bucket) < full);
            if buckets.len() >= RATE_SOURCES_MAX {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(network(source)).or_insert(Bucket { milli: full, at: now });
        let milli = refilled(bucket);
        // Only whole milliseconds have been paid out; the rest counts next time.
        bucket.at = bucket.at.saturating_add(Duration::from_millis(whole(bucket)));
        bucket.milli = milli;
        match milli.checked_sub(MILLI) {
            Some(rest) => {
                bucket.milli = rest;
                true
            }
            None => false,
        }
    }
}

/// One customer has a whole /64 of IPv6 addresses.
pub(crate) fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

/// How long a budget counts.
const HOUR: Duration = Duration::from_secs(3600);

/// How often somebody did something in the current hour; of limited number, because only those who are known are counted.
pub(crate) struct Budget<K>(Mutex<HashMap<K, (Duration, u32)>>);

impl<K> Default for Budget<K> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Eq + Hash> Budget<K> {
    /// Counts once more, and says whether that is still within `most` an hour.
    pub(crate) fn admit(&self, who: K, now: Duration, most: u32) -> bool {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spent.retain(|_, (began, _)| now.saturating_sub(*began) < HOUR);
        let (_, count) = spent.entry(who).or_insert((now, 0));
        *count += 1;
        *count <= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(rates: &Rates, source: &str, now: u64, tries: usize) -> usize {
        let source: IpAddr = source.parse().unwrap();
        (0..tries).filter(|_| rates.admit(source, Duration::from_millis(now))).count()
    }

    #[test]
    fn a_burst_then_the_rate() {
        let rates = Rates::new(RateLimit { per_second: 10, burst: 20, spare_loopback: true });
        assert_eq!(admitted(&rates, "10.0.0.1", 0, 100), 20);
        assert_eq!(admitted(&rates, "10.0.0.2", 0, 5), 5, "another address has its own");
        assert_eq!(admitted(&rates, "10.0.0.1", 1_000, 100), 10);
        assert_eq!(admitted(&rates, "10.0.0.1", 60_000, 100), 20, "never more than a burst");
    }

    #[test]
    fn slow_rates_do_not_round_to_nothing() {
        let rates = Rates::new(RateLimit { per_second: 1, burst: 1, spare_loopback: true });
        assert_eq!(admitted(&rates, "10.0.0.1", 0, 1), 1);
        let admitted: usize = (1..=3_000).map(|now| admitted(&rates, "10.0.0.1", now, 1)).sum();
        assert_eq!(admitted, 3);
    }

    #[test]
    fn a_network_of_version_6_counts_as_one_and_mapped_addresses_as_version_4() {
        let rates = Rates::new(RateLimit { per_second: 1, burst: 2, spare_loopback: true });
        assert_eq!(admitted(&rates, "2001:db8::1", 0, 1) + admitted(&rates, "2001:db8::2", 0, 5), 2);
        assert_eq!(admitted(&rates, "2001:db8:0:1::1", 0, 5), 2);
        assert_eq!(admitted(&rates, "10.0.0.1", 0, 2) + admitted(&rates, "::ffff:10.0.0.1", 0, 2), 2);
    }

    #[test]
    fn this_machine_is_spared_where_said() {
        for (spare_loopback, expected) in [(true, 10), (false, 1)] {
            let rates = Rates::new(RateLimit { per_second: 1, burst: 1, spare_loopback });
            assert_eq!(admitted(&rates, "127.0.0.1", 0, 10), expected);
            assert_eq!(admitted(&rates, "::1", 0, 10), expected);
        }
    }

    #[test]
    fn the_table_has_a_limit() {
        let rates = Rates::new(RateLimit { per_second: 1, burst: 2, spare_loopback: true });
        for number in 0..u32::try_from(RATE_SOURCES_MAX).unwrap() + 10 {
            rates.admit(IpAddr::V4(number.into()), Duration::ZERO);
        }
        assert!(rates.buckets.lock().unwrap().len() <= RATE_SOURCES_MAX);
    }
}
