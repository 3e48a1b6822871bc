//! Keeps what a request needs to know about its session or token for some seconds, so that most requests load nothing.
//! Never longer than [`FRESH`]; a change made in this process is seen at once through [`Cache::forget_user`].

use crate::{actor::ActorFacts, secret::SecretDigest};
use kernel::{Timestamp, UserId, limits::ACTOR_CACHE_ENTRIES_MAX};
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

/// How long an entry may be used. Changes made by another node are seen after at most this long.
pub(crate) const FRESH: Duration = Duration::from_secs(10);
/// Uses are stored at most this often.
const TOUCH_MICROS: i64 = 60_000_000;

/// A session or token with its user's facts.
pub(crate) struct Entry<R> {
    pub(crate) record: R,
    pub(crate) digest: SecretDigest,
    pub(crate) facts: Arc<ActorFacts>,
    loaded: Duration,
    /// Microseconds of the last stored use.
    seen: AtomicI64,
}

impl<R> Entry<R> {
    pub(crate) fn new(
        record: R,
        digest: SecretDigest,
        facts: Arc<ActorFacts>,
        loaded: Duration,
        seen: Timestamp,
    ) -> Self {
        Self { record, digest, facts, loaded, seen: AtomicI64::new(seen.micros()) }
    }

    pub(crate) fn last_seen(&self) -> Timestamp {
        Timestamp::from_micros(self.seen.load(Ordering::Relaxed))
    }

    /// Whether a use at this time would be stored; asks only.
    pub(crate) fn touch_is_due(&self, now: Timestamp) -> bool {
        now.micros().saturating_sub(self.seen.load(Ordering::Relaxed)) >= TOUCH_MICROS
    }

    /// Whether this use is to be stored. Of several requests at once only one is told so.
    pub(crate) fn touch_due(&self, now: Timestamp) -> bool {
        let seen = self.seen.load(Ordering::Relaxed);
        now.micros().saturating_sub(seen) >= TOUCH_MICROS
            && self.seen.compare_exchange(seen, now.micros(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// How many forgettings there were when a load began; an entry loaded before one of them is not kept.
#[derive(Clone, Copy)]
pub(crate) struct Generation(u64);

pub(crate) struct Cache<K, R> {
    entries: RwLock<HashMap<K, Arc<Entry<R>>>>,
    generation: AtomicU64,
}

impl<K: Copy + Eq + Hash, R> Cache<K, R> {
    pub(crate) fn new() -> Self {
        Self { entries: RwLock::new(HashMap::new()), generation: AtomicU64::new(0) }
    }

    pub(crate) fn get(&self, key: K, now: Duration) -> Option<Arc<Entry<R>>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(&key).filter(|entry| now.saturating_sub(entry.loaded) < FRESH).cloned()
    }

    /// To be taken before loading what is then given to [`Cache::put`].
    pub(crate) fn generation(&self) -> Generation {
        Generation(self.generation.load(Ordering::SeqCst))
    }

    /// Keeps the entry, unless something was forgotten since: it could have been loaded before the change that led to it.
    pub(crate) fn put(&self, key: K, entry: Arc<Entry<R>>, generation: Generation, now: Duration) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if self.generation.load(Ordering::SeqCst) != generation.0 {
            return;
        }
        if entries.len() >= ACTOR_CACHE_ENTRIES_MAX {
            entries.retain(|_, entry| now.saturating_sub(entry.loaded) < FRESH);
        }
        if entries.len() >= ACTOR_CACHE_ENTRIES_MAX {
            entries.clear();
        }
        entries.insert(key, entry);
    }

    pub(crate) fn forget_user(&self, user: UserId) {
        self.forget(|_, entry| entry.facts.user == user);
    }

    pub(crate) fn forget_key(&self, key: K) {
        self.forget(|known, _| *known == key);
    }

    pub(crate) fn forget_all(&self) {
        self.forget(|_, _| true);
    }

    fn forget(&self, which: impl Fn(&K, &Entry<R>) -> bool) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::SeqCst);
        entries.retain(|key, entry| !which(key, entry));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::facts;

    fn entry(loaded: u64) -> Arc<Entry<()>> {
        let digest = SecretDigest::from_bytes([0; 32]);
        Arc::new(Entry::new(
            (),
            digest,
            Arc::new(facts("anna")),
            Duration::from_secs(loaded),
            Timestamp::from_micros(0),
        ))
    }

    #[test]
    fn entries_live_ten_seconds_and_end_with_their_user() {
        let cache = Cache::new();
        let at = Duration::from_secs;
        cache.put(1u32, entry(5), cache.generation(), at(5));
        assert!(cache.get(1, at(14)).is_some());
        assert!(cache.get(1, at(15)).is_none());
        cache.forget_user(facts("bert").user);
        assert!(cache.get(1, at(5)).is_some());
        cache.forget_user(facts("anna").user);
        assert!(cache.get(1, at(5)).is_none());
    }

    #[test]
    fn what_was_loaded_before_a_change_is_not_kept() {
        let cache = Cache::new();
        let before = cache.generation();
        cache.forget_user(facts("anna").user);
        cache.put(1u32, entry(0), before, Duration::ZERO);
        assert!(cache.get(1, Duration::ZERO).is_none());
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache = Cache::new();
        for key in 0..ACTOR_CACHE_ENTRIES_MAX + 10 {
            cache.put(key, entry(0), cache.generation(), Duration::ZERO);
        }
        assert!(cache.entries.read().unwrap().len() <= ACTOR_CACHE_ENTRIES_MAX);
    }

    #[test]
    fn one_use_a_minute_is_stored() {
        let entry = entry(0);
        let at = |seconds| Timestamp::from_micros(0).plus_seconds(seconds);
        let due: Vec<_> = [0, 59, 60, 61, 119, 120].into_iter().filter(|second| entry.touch_due(at(*second))).collect();
        assert_eq!(due, [60, 120]);
        assert_eq!(entry.last_seen(), at(120));
    }
}
