//! Opened data keys in memory: bounded, split into shards, wiped when they leave.
//! Only holds what a finished transaction published, so a key that was rolled back is never here.

use crate::{key_ring::Class, primitives::Key};
use kernel::RecordId;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// All generations of one subject's key of one class.
pub(crate) struct KeySet {
    newest: (u32, Key),
    older: Vec<(u32, Key)>,
}

impl KeySet {
    /// A set of the given generations; `None` when there are none.
    pub(crate) fn new(mut generations: Vec<(u32, Key)>) -> Option<Self> {
        generations.sort_unstable_by_key(|(generation, _)| *generation);
        let newest = generations.pop()?;
        Some(Self { newest, older: generations })
    }
    /// The newest generation: what new values are sealed with.
    pub(crate) fn newest(&self) -> (u32, &Key) {
        (self.newest.0, &self.newest.1)
    }
    /// The key of one generation.
    pub(crate) fn get(&self, generation: u32) -> Option<&Key> {
        if self.newest.0 == generation {
            return Some(&self.newest.1);
        }
        self.older.iter().find(|(number, _)| *number == generation).map(|(_, key)| key)
    }
}

/// Names a set.
pub(crate) type SetId = (RecordId, Class);

const SHARDS: usize = 16;

/// The cache. Evicts by second chance, so that one long scan does not push out what is used all the time.
pub(crate) struct Cache {
    shards: [Mutex<Shard>; SHARDS],
    /// Counts calls of [`Cache::forget`]; see [`Cache::publish`].
    forgotten: AtomicU64,
    per_shard: usize,
}

#[derive(Default)]
struct Shard {
    index: HashMap<SetId, usize>,
    slots: Vec<Slot>,
    hand: usize,
}

struct Slot {
    id: SetId,
    set: Arc<KeySet>,
    used: bool,
}

impl Cache {
    /// A cache of at most about this many sets.
    pub(crate) fn new(entries_max: usize) -> Self {
        let shards = std::array::from_fn(|_| Mutex::new(Shard::default()));
        Self { shards, forgotten: AtomicU64::new(0), per_shard: entries_max.div_ceil(SHARDS).max(1) }
    }

    fn shard(&self, id: &SetId) -> Option<MutexGuard<'_, Shard>> {
        // The last byte of an id is random.
        let at = usize::from(*id.0.as_bytes().last()?) % SHARDS;
        self.shards.get(at).map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The set, if it is here.
    pub(crate) fn get(&self, id: &SetId) -> Option<Arc<KeySet>> {
        let mut shard = self.shard(id)?;
        let at = *shard.index.get(id)?;
        let slot = shard.slots.get_mut(at)?;
        slot.used = true;
        Some(Arc::clone(&slot.set))
    }

    /// How many subjects were forgotten so far. Take it before the first look at the database.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::SeqCst)
    }

    /// Puts a set here, unless any subject was forgotten since `forgotten_before`: a transaction that read the key ring
    /// before an erasure and ends after it would otherwise bring a destroyed key back to life.
    pub(crate) fn publish(&self, id: SetId, set: Arc<KeySet>, forgotten_before: u64) {
        let Some(mut shard) = self.shard(&id) else { return };
        // Checked under the shard's lock: a forget that counts later waits for this lock and then removes the set.
        if self.forgotten() == forgotten_before {
            shard.put(id, set, self.per_shard);
        }
    }

    /// Drops every key of a subject.
    pub(crate) fn forget(&self, subject: RecordId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        for class in Class::ALL {
            if let Some(mut shard) = self.shard(&(subject, class)) {
                shard.remove(&(subject, class));
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().slots.len()).sum()
    }
}

impl Shard {
    fn put(&mut self, id: SetId, set: Arc<KeySet>, capacity: usize) {
        if let Some(slot) = self.index.get(&id).and_then(|at| self.slots.get_mut(*at)) {
            slot.set = set;
            return;
        }
        let slot = Slot { id, set, used: false };
        if self.slots.len() < capacity {
            self.index.insert(id, self.slots.len());
            self.slots.push(slot);
        } else if let Some((at, place)) = self.victim() {
            let gone = std::mem::replace(place, slot).id;
            self.index.remove(&gone);
            self.index.insert(id, at);
        }
    }

    /// The next slot that was not used since the hand last passed it.
    fn victim(&mut self) -> Option<(usize, &mut Slot)> {
        // One round takes every mark away, so the slot after it is free to go.
        for _ in 0..=self.slots.len() {
            let at = self.hand % self.slots.len().max(1);
            self.hand = at + 1;
            if !std::mem::take(&mut self.slots.get_mut(at)?.used) {
                return self.slots.get_mut(at).map(|slot| (at, slot));
            }
        }
        None
    }

    fn remove(&mut self, id: &SetId) {
        let Some(at) = self.index.remove(id) else { return };
        self.slots.swap_remove(at);
        if let Some(moved) = self.slots.get(at) {
            self.index.insert(moved.id, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u16) -> SetId {
        let mut bytes = [0u8; 16];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        bytes[15] = number.to_be_bytes()[1];
        (RecordId::from_bytes(bytes), Class::Basic)
    }
    fn set(byte: u8) -> Arc<KeySet> {
        Arc::new(KeySet::new(vec![(1, Key::from_slice(&[byte; 32]).unwrap())]).unwrap())
    }

    #[test]
    fn is_bounded_and_keeps_what_is_used() {
        let cache = Cache::new(64);
        cache.publish(id(0), set(9), 0);
        for number in 1..2_000 {
            assert!(cache.get(&id(0)).is_some(), "lost after {number}");
            cache.publish(id(number), set(1), 0);
        }
        assert_eq!(cache.len(), 64);
        assert!(cache.get(&id(1_999)).is_some() && cache.get(&id(1)).is_none());
    }

    #[test]
    fn a_forgotten_subject_does_not_come_back() {
        let cache = Cache::new(64);
        let before = cache.forgotten();
        cache.publish(id(1), set(1), before);
        cache.forget(id(1).0);
        assert!(cache.get(&id(1)).is_none());
        cache.publish(id(1), set(1), before);
        assert!(cache.get(&id(1)).is_none(), "read before the erasure, published after it");
        cache.publish(id(1), set(2), cache.forgotten());
        assert!(cache.get(&id(1)).is_some());
    }

    #[test]
    fn generations_are_found_by_number() {
        let key = |byte| Key::from_slice(&[byte; 32]).unwrap();
        let set = KeySet::new(vec![(2, key(2)), (1, key(1)), (7, key(7))]).unwrap();
        assert_eq!(set.newest().0, 7);
        assert_eq!(set.get(1).unwrap().bytes(), &[1; 32]);
        assert!(set.get(3).is_none());
        assert!(KeySet::new(Vec::new()).is_none());
    }
}
