//! The keys under the root key, in memory while the appliance is unsealed. Each comes from the root key by HKDF with a
//! label of its own, so none tells anything about another. Wiped when the last user lets go.
//!
//! Only `KW` may change when the root key does: the others carry what lies on disk (blind indexes, audit values, sealed
//! blobs). A version that rotates the root key must carry them over, wrapped, in version 2 of the file of slots, which
//! this version refuses by its number.

use crate::{
    ApplianceId, VaultError,
    cache::Cache,
    primitives::{self, KEY_LEN, Key},
    slots::Root,
};
use kernel::{Random, limits};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use zeroize::Zeroizing;

/// All keys of an unsealed appliance.
pub(crate) struct Keys {
    pub(crate) root: Root,
    /// Wraps the key ring.
    pub(crate) wrap: Key,
    /// Root of the blind indexes.
    pub(crate) blind: Key,
    /// MACs of values in the audit log.
    pub(crate) audit: Key,
    /// Blobs of the appliance itself.
    pub(crate) internal: Key,
    /// Seed of the key that opens backup sets.
    pub(crate) archive: Key,
    /// Opened data keys.
    pub(crate) cache: Cache,
    pub(crate) random: Arc<dyn Random>,
    closed: AtomicBool,
}

impl Keys {
    /// Derives everything from a root key.
    pub(crate) fn derive(root: Root, random: Arc<dyn Random>) -> Result<Self, VaultError> {
        let derived = |label: &[u8]| -> Result<Key, VaultError> {
            let mut bytes = Zeroizing::new([0u8; KEY_LEN]);
            primitives::hkdf(root.appliance.as_bytes(), root.key.bytes(), label, bytes.as_mut())?;
            Key::from_slice(bytes.as_ref()).ok_or(VaultError::Primitive)
        };
        Ok(Self {
            wrap: derived(b"kontor-KW-v1")?,
            blind: derived(b"kontor-BI-v1")?,
            audit: derived(b"kontor-AH-v1")?,
            internal: derived(b"kontor-CS-v1")?,
            archive: derived(b"kontor-AR-v1")?,
            cache: Cache::new(limits::KEY_CACHE_ENTRIES_MAX),
            random,
            closed: AtomicBool::new(false),
            root,
        })
    }

    /// The appliance these keys belong to.
    pub(crate) fn appliance(&self) -> &ApplianceId {
        &self.root.appliance
    }

    /// Ends the use of these keys also for those who still hold them.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// An error once the appliance was sealed.
    pub(crate) fn check_open(&self) -> Result<(), VaultError> {
        if self.closed.load(Ordering::Acquire) { Err(VaultError::Sealed) } else { Ok(()) }
    }
}
