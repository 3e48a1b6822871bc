//! The use of data keys within one transaction. Keys made or read here reach the shared cache only through
//! [`KeyUse::commit`], so a key whose row was rolled back is never used again.
//!
//! Begin it before the transaction looks at the database: an erasure in between then keeps its keys out of the cache.

use crate::{
    BlindIndex, ChangePlace, Class, KeyStore, KeyStoreError, Opened, OpenedChange, Place, Plain, Sealed, VaultError,
    blind, blob,
    cache::{KeySet, SetId},
    field,
    file::{FileHeader, FileOpener, FilePlace, FileSealer},
    key_ring::{self, WrappedKey},
    keys::Keys,
    primitives::{self, Key},
};
use authz::{Grant, Read};
use kernel::RecordId;
use std::{
    collections::{BTreeMap, HashMap, HashSet, hash_map::Entry},
    sync::Arc,
};
use zeroize::Zeroizing;

/// Seals and opens values within one transaction.
pub struct KeyUse {
    keys: Arc<Keys>,
    forgotten: u64,
    local: HashMap<SetId, Local>,
    /// Subjects made in this transaction: the ring cannot hold keys of theirs yet.
    newborn: HashSet<RecordId>,
    scratch: Vec<u8>,
}

struct Local {
    set: Arc<KeySet>,
    /// Not known to the cache yet.
    fresh: bool,
}

impl KeyUse {
    pub(crate) fn begin(keys: Arc<Keys>) -> Self {
        let forgotten = keys.cache.forgotten();
        Self { keys, forgotten, local: HashMap::new(), newborn: HashSet::new(), scratch: Vec::with_capacity(320) }
    }

    /// Shares the keys with later transactions. Call it after the database has committed, and never when it has not.
    pub fn commit(self) {
        for (id, local) in self.local {
            if local.fresh {
                self.keys.cache.publish(id, local.set, self.forgotten);
            }
        }
    }

    /// Says that this subject is made in this transaction, so that the ring need not be asked for keys it cannot have.
    pub fn newborn(&mut self, subject: RecordId) {
        self.newborn.insert(subject);
    }

    /// Seals a value. Makes the subject's key on first use.
    pub fn seal(&mut self, store: &mut dyn KeyStore, plain: Plain) -> Result<Sealed, VaultError> {
        let place = plain.place;
        let bytes = self.seal_text(store, &place, &plain.text, place.value_type)?;
        Ok(Sealed { place, bytes })
    }

    /// Opens a stored value for a reader of the record.
    pub fn open(
        &mut self,
        store: &mut dyn KeyStore,
        grant: &Grant<'_, Read>,
        place: Place,
        bytes: &[u8],
    ) -> Result<Opened, VaultError> {
        place.check(grant)?;
        let (value_type, text) = self.open_text(store, &place, bytes)?;
        Ok(Opened { place, value_type, text })
    }

    /// Whether a stored value equals `text` once both are normalised: the check of an index candidate.
    pub fn matches(
        &mut self,
        store: &mut dyn KeyStore,
        place: Place,
        bytes: &[u8],
        text: &str,
    ) -> Result<bool, VaultError> {
        let (_, stored) = self.open_text(store, &place, bytes)?;
        Ok(*place.normaliser.apply(&stored) == *place.normaliser.apply(text))
    }

    /// Seals a stored value again under the newest generation of its key; `None` when it is under that one already.
    /// The plaintext does not leave this call.
    pub fn rewrap(
        &mut self,
        store: &mut dyn KeyStore,
        place: Place,
        bytes: &[u8],
    ) -> Result<Option<Sealed>, VaultError> {
        let found = field::field_parts(bytes)?.number;
        let set = self.existing(store, (place.subject, place.class), found)?;
        if set.newest().0 == found {
            return Ok(None);
        }
        let (value_type, text) = self.open_text(store, &place, bytes)?;
        let bytes = self.seal_text(store, &place, &text, value_type)?;
        Ok(Some(Sealed { place, bytes }))
    }

    /// Makes a new generation of a subject's key, which values are sealed with from now on. Returns its number.
    pub fn rotate(&mut self, store: &mut dyn KeyStore, subject: RecordId, class: Class) -> Result<u32, VaultError> {
        self.keys.check_open()?;
        // Read anew: the cache need not know the newest generation of another node.
        let stored = store.load(subject, class)?;
        let generation =
            stored.iter().map(|(number, _)| *number).max().ok_or(VaultError::KeyMissing)?.saturating_add(1);
        let key = Key::random(self.keys.random.as_ref());
        let wrapped = key_ring::wrap_dek(&self.keys, subject, class, generation, &key)?;
        store.insert(subject, class, generation, &wrapped)?;
        let set = self.unwrap_set((subject, class), stored, Some((generation, key)))?.ok_or(VaultError::KeyMissing)?;
        self.local.insert((subject, class), Local { set, fresh: true });
        Ok(generation)
    }

    /// Fetches the keys of a page of values with one query, as far as they are not known yet.
    pub fn prefetch(&mut self, store: &mut dyn KeyStore, wanted: &[SetId]) -> Result<(), VaultError> {
        self.keys.check_open()?;
        let mut missing: Vec<RecordId> = Vec::new();
        for id in wanted {
            if self.known(*id).is_none() {
                missing.push(id.0);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort_unstable();
        missing.dedup();
        let mut rows: BTreeMap<SetId, Vec<(u32, Vec<u8>)>> = BTreeMap::new();
        for WrappedKey { subject, class, generation, wrapped } in store.load_many(&missing)? {
            rows.entry((subject, class)).or_default().push((generation, wrapped));
        }
        for (id, stored) in rows {
            if self.known(id).is_none() && wanted.contains(&id) {
                self.adopt(id, stored)?;
            }
        }
        Ok(())
    }

    /// Seals the values of a change for its audit entry, under the subject's key of a class.
    pub fn seal_change(
        &mut self,
        store: &mut dyn KeyStore,
        place: &ChangePlace,
        class: Class,
        body: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let set = self.existing_or_new(store, (place.subject, class))?;
        let (generation, dek) = set.newest();
        blob::seal_change(&self.keys, (class, generation, dek), place, body)
    }

    /// Opens the sealed part of an audit entry for a reader of the record.
    pub fn open_change(
        &mut self,
        store: &mut dyn KeyStore,
        grant: &Grant<'_, Read>,
        place: ChangePlace,
        bytes: &[u8],
    ) -> Result<OpenedChange, VaultError> {
        place.check(grant)?;
        let (class, parts) = blob::change_parts(bytes)?;
        let set = self.existing(store, (place.subject, class), parts.number)?;
        let dek = set.get(parts.number).ok_or(VaultError::KeyMissing)?;
        let body = blob::open_change(&self.keys, dek, &place, &parts)?;
        Ok(OpenedChange { place, body })
    }

    /// Begins to seal a file of a record, under its subject's key of a class. Makes that key on first use: the file may be
    /// kept only once the transaction has committed.
    pub fn file_seal(
        &mut self,
        store: &mut dyn KeyStore,
        place: &FilePlace,
        class: Class,
    ) -> Result<FileSealer, VaultError> {
        let set = self.existing_or_new(store, (place.subject, class))?;
        let (generation, dek) = set.newest();
        FileSealer::new(self.keys.appliance(), place, (Some(class), generation, dek), self.keys.random.as_ref())
    }

    /// Begins to open a file for a reader of the record who sees its files; `header` are the file's first bytes.
    pub fn file_open(
        &mut self,
        store: &mut dyn KeyStore,
        grant: &Grant<'_, Read>,
        place: &FilePlace,
        header: &[u8],
    ) -> Result<FileOpener, VaultError> {
        place.check(grant)?;
        let header = FileHeader::parse(header)?;
        let class = header.class.ok_or(VaultError::CiphertextRefused)?;
        let set = self.existing(store, (place.subject, class), header.number)?;
        let dek = set.get(header.number).ok_or(VaultError::KeyMissing)?;
        FileOpener::new(self.keys.appliance(), place, &header, dek)
    }

    /// The entry of a value in a blind index of its field; `None` when it has no such part.
    pub fn blind(&self, plain: &Plain, index: BlindIndex) -> Result<Option<i64>, VaultError> {
        self.keys.check_open()?;
        self.blind_text(&plain.place, index, &plain.text)
    }

    /// The same of a stored value, for making an index anew.
    pub fn blind_sealed(
        &mut self,
        store: &mut dyn KeyStore,
        place: Place,
        bytes: &[u8],
        index: BlindIndex,
    ) -> Result<Option<i64>, VaultError> {
        let (_, text) = self.open_text(store, &place, bytes)?;
        self.blind_text(&place, index, &text)
    }

    /// The 128-bit tag of a value under a unique rule.
    pub fn unique_tag(&self, plain: &Plain) -> Result<[u8; 16], VaultError> {
        self.keys.check_open()?;
        let place = &plain.place;
        blind::unique_tag(&self.keys, place.object(), place.field(), place.normaliser, &plain.text)
    }

    /// What stands for a value in the audit log.
    pub fn audit_mac(&self, plain: &Plain) -> Result<[u8; 16], VaultError> {
        self.keys.check_open()?;
        Ok(self.audit_mac_text(&plain.place, &plain.text))
    }

    /// The same of a stored value.
    pub fn audit_mac_sealed(
        &mut self,
        store: &mut dyn KeyStore,
        place: Place,
        bytes: &[u8],
    ) -> Result<[u8; 16], VaultError> {
        let (_, text) = self.open_text(store, &place, bytes)?;
        Ok(self.audit_mac_text(&place, &text))
    }

    fn audit_mac_text(&self, place: &Place, text: &str) -> [u8; 16] {
        blind::audit_mac(&self.keys, place.object(), place.field(), place.record.as_bytes(), text.as_bytes())
    }

    fn blind_text(&self, place: &Place, index: BlindIndex, text: &str) -> Result<Option<i64>, VaultError> {
        let how = (index, place.normaliser, place.blind_bits);
        blind::entry(&self.keys, place.object(), place.field(), how, text)
    }

    fn seal_text(
        &mut self,
        store: &mut dyn KeyStore,
        place: &Place,
        text: &str,
        value_type: u8,
    ) -> Result<Vec<u8>, VaultError> {
        let set = self.existing_or_new(store, (place.subject, place.class))?;
        let nonce = primitives::nonce(self.keys.random.as_ref());
        field::seal(self.keys.appliance(), set.newest(), place, (text, value_type), nonce, &mut self.scratch)
    }

    fn open_text(
        &mut self,
        store: &mut dyn KeyStore,
        place: &Place,
        bytes: &[u8],
    ) -> Result<(u8, Zeroizing<String>), VaultError> {
        let parts = field::field_parts(bytes)?;
        let set = self.existing(store, (place.subject, place.class), parts.number)?;
        let dek = set.get(parts.number).ok_or(VaultError::KeyMissing)?;
        let text = field::open(self.keys.appliance(), dek, place, &parts, &mut self.scratch)?;
        Ok((field::value_type(parts.flags), text))
    }

    /// The keys as this transaction or the cache knows them.
    fn known(&mut self, id: SetId) -> Option<Arc<KeySet>> {
        match self.local.entry(id) {
            Entry::Occupied(entry) => Some(Arc::clone(&entry.get().set)),
            Entry::Vacant(entry) => {
                let set = self.keys.cache.get(&id)?;
                entry.insert(Local { set: Arc::clone(&set), fresh: false });
                Some(set)
            }
        }
    }

    /// The keys that hold this generation; looks again where a newer one was made elsewhere.
    fn existing(&mut self, store: &mut dyn KeyStore, id: SetId, generation: u32) -> Result<Arc<KeySet>, VaultError> {
        self.keys.check_open()?;
        if let Some(set) = self.known(id).filter(|set| set.get(generation).is_some()) {
            return Ok(set);
        }
        let stored = store.load(id.0, id.1)?;
        let set = self.adopt(id, stored)?.ok_or(VaultError::KeyMissing)?;
        if set.get(generation).is_some() { Ok(set) } else { Err(VaultError::KeyMissing) }
    }

    fn existing_or_new(&mut self, store: &mut dyn KeyStore, id: SetId) -> Result<Arc<KeySet>, VaultError> {
        self.keys.check_open()?;
        if let Some(set) = self.known(id) {
            return Ok(set);
        }
        if !self.newborn.contains(&id.0) {
            let stored = store.load(id.0, id.1)?;
            if let Some(set) = self.adopt(id, stored)? {
                return Ok(set);
            }
        }
        let key = Key::random(self.keys.random.as_ref());
        let wrapped = key_ring::wrap_dek(&self.keys, id.0, id.1, 1, &key)?;
        match store.insert(id.0, id.1, 1, &wrapped) {
            Ok(()) => {
                let set = Arc::new(KeySet::new(vec![(1, key)]).ok_or(VaultError::KeyMissing)?);
                self.local.insert(id, Local { set: Arc::clone(&set), fresh: true });
                Ok(set)
            }
            // Another transaction was first: its key is the one.
            Err(KeyStoreError::Conflict) => {
                let stored = store.load(id.0, id.1)?;
                self.adopt(id, stored)?.ok_or(VaultError::KeyMissing)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn adopt(&mut self, id: SetId, stored: Vec<(u32, Vec<u8>)>) -> Result<Option<Arc<KeySet>>, VaultError> {
        let set = self.unwrap_set(id, stored, None)?;
        if let Some(set) = &set {
            self.local.insert(id, Local { set: Arc::clone(set), fresh: true });
        }
        Ok(set)
    }

    fn unwrap_set(
        &self,
        (subject, class): SetId,
        stored: Vec<(u32, Vec<u8>)>,
        made: Option<(u32, Key)>,
    ) -> Result<Option<Arc<KeySet>>, VaultError> {
        let mut generations = Vec::with_capacity(stored.len() + usize::from(made.is_some()));
        for (generation, wrapped) in stored {
            generations.push((generation, key_ring::unwrap_dek(&self.keys, subject, class, generation, &wrapped)?));
        }
        generations.extend(made);
        Ok(KeySet::new(generations).map(Arc::new))
    }
}
