//! The vault as the rest of the appliance sees it: sealed or unsealed, and what can be asked of it in either state.
//! Without the root key every operation on data is an error; nothing falls back to plaintext.

use crate::{
    ApplianceId, ArchiveIdentity, BlindIndex, KeyStore, KeyUse, Normaliser, PassphraseCost, Secret, SigningKey,
    SlotInfo, VaultError, blind, blob,
    file::{FileHeader, FileOpener, FilePlace, FileSealer},
    key_ring,
    keys::Keys,
    primitives::Key,
    shares::{Share, ShareSlot},
    slot_file,
    slots::{Root, SlotsFile},
};
use kernel::{Clock, Random, RecordId};
use metadata::{FieldDef, ObjectDef};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};
use zeroize::Zeroizing;

/// Name of the checkpoint signing key in the key store.
const SIGNING_KEY: &str = "checkpoint-signing";

/// The vault of one appliance. Share it behind an `Arc`; every method takes `&self`.
pub struct Vault {
    slots_path: PathBuf,
    random: Arc<dyn Random>,
    keys: RwLock<Option<Arc<Keys>>>,
}

impl Vault {
    /// The vault of an appliance whose slots lie at `slots_path` (`keys/slots.json`), without its root key.
    pub fn sealed(slots_path: impl Into<PathBuf>, random: Arc<dyn Random>) -> Self {
        Self { slots_path: slots_path.into(), random, keys: RwLock::new(None) }
    }

    /// Makes the root key of a new appliance and its first slot. The vault comes back unsealed.
    ///
    /// # Errors
    /// [`VaultError::SlotsExist`] when there is a file of slots already: a root key is never overwritten.
    pub fn create(
        slots_path: impl Into<PathBuf>,
        appliance: ApplianceId,
        (secret, label, cost): (&Secret, &str, PassphraseCost),
        clock: &dyn Clock,
        random: Arc<dyn Random>,
    ) -> Result<Self, VaultError> {
        let vault = Self::sealed(slots_path, random);
        let writer = slot_file::hold(&vault.slots_path)?;
        match slot_file::read(&vault.slots_path) {
            Err(VaultError::SlotsMissing) => {}
            Ok(_) => return Err(VaultError::SlotsExist),
            Err(error) => return Err(error),
        }
        let root = Root { appliance, epoch: 1, key: Key::random(vault.random.as_ref()) };
        let mut file = SlotsFile::new(&root)?;
        file.add(&root, secret, label, cost, clock.now(), vault.random.as_ref())?;
        slot_file::replace(&vault.slots_path, &file.to_text()?)?;
        drop(writer);
        vault.install(root)?;
        Ok(vault)
    }

    /// Opens the root key with any one slot. Takes as long as the passphrase hash takes: not for an async thread.
    ///
    /// # Errors
    /// [`VaultError::NoSlotOpens`] for a wrong secret; other errors name what is wrong with the file.
    pub fn unseal(&self, secret: &Secret) -> Result<(), VaultError> {
        let file = SlotsFile::parse(&slot_file::read(&self.slots_path)?)?;
        self.install(file.open(secret)?)
    }

    /// Forgets the root key and everything derived from it; also uses that have begun end here.
    pub fn seal(&self) {
        let keys = self.keys.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(keys) = keys {
            keys.close();
        }
    }

    /// Whether there is no root key in memory.
    pub fn is_sealed(&self) -> bool {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// The appliance and the epoch of its root key.
    pub fn appliance(&self) -> Result<(ApplianceId, u32), VaultError> {
        let keys = self.keys()?;
        Ok((*keys.appliance(), keys.root.epoch))
    }

    /// Where the file of slots lies.
    pub fn slots_path(&self) -> &Path {
        &self.slots_path
    }

    /// The slots, without their secrets. Works sealed, too.
    pub fn slot_list(&self) -> Result<Vec<SlotInfo>, VaultError> {
        Ok(SlotsFile::parse(&slot_file::read(&self.slots_path)?)?.infos())
    }

    /// Adds a slot that opens with `secret`; returns its number.
    pub fn slot_add(
        &self,
        secret: &Secret,
        label: &str,
        cost: PassphraseCost,
        clock: &dyn Clock,
    ) -> Result<u32, VaultError> {
        self.change_slots(|file, root| file.add(root, secret, label, cost, clock.now(), self.random.as_ref()))
    }

    /// Makes a set of recovery shares, `threshold` of `count` (SLIP-0039), with a slot that they open; returns its number.
    /// `deliver` gets the shares before anything is changed; when it fails, nothing is. With `replaces`, that slot goes in
    /// the same moment.
    ///
    /// # Errors
    /// [`VaultError::SharesNumbers`] outside 2 to 16; whatever `deliver` says.
    pub fn slot_add_shares<E: From<VaultError>>(
        &self,
        numbers: (u8, u8),
        label: &str,
        replaces: Option<u32>,
        clock: &dyn Clock,
        deliver: impl FnOnce(u32, &[Share]) -> Result<(), E>,
    ) -> Result<u32, E> {
        self.change_slots(|file, root| {
            let (id, shares) = file.add_shares(root, numbers, label, clock.now(), self.random.as_ref())?;
            if let Some(old) = replaces {
                file.remove(old)?;
            }
            deliver(id, &shares)?;
            Ok(id)
        })
    }

    /// The slots of recovery shares: what a [`crate::Gathering`] compares shares with. Works sealed, too.
    pub fn share_slots(&self) -> Result<Vec<ShareSlot>, VaultError> {
        SlotsFile::parse(&slot_file::read(&self.slots_path)?)?.share_slots()
    }

    /// Whether a secret would unseal, and by which slot. Nothing is unsealed, and nothing is kept of the secret.
    ///
    /// # Errors
    /// As [`Vault::unseal`].
    pub fn slot_test(&self, secret: &Secret) -> Result<u32, VaultError> {
        SlotsFile::parse(&slot_file::read(&self.slots_path)?)?.try_slots(secret).map(|(_, slot)| slot)
    }

    /// Takes a slot away; refuses the last one that can open the appliance.
    pub fn slot_remove(&self, id: u32) -> Result<(), VaultError> {
        self.change_slots(|file, _| file.remove(id))
    }

    /// The key that opens the backup sets of this appliance.
    pub fn archive_identity(&self) -> Result<ArchiveIdentity, VaultError> {
        ArchiveIdentity::of(&self.keys()?.archive)
    }

    /// Begins the use of data keys within one transaction. Begin it before the transaction reads anything.
    pub fn key_use(&self) -> Result<KeyUse, VaultError> {
        Ok(KeyUse::begin(self.keys()?))
    }

    /// Drops the opened keys of a subject whose rows in the key ring are gone. Call it after the commit.
    pub fn forget(&self, subject: RecordId) {
        // A sealed vault has no opened keys.
        if let Ok(keys) = self.keys() {
            keys.cache.forget(subject);
        }
    }

    /// The index entry to look for when `text` is asked for; `None` when the text has no such part.
    pub fn blind_query(
        &self,
        object: &ObjectDef,
        field: &FieldDef,
        index: BlindIndex,
        text: &str,
    ) -> Result<Option<i64>, VaultError> {
        let how = (index, Normaliser::of(&field.field_type), object.blind_bits);
        blind::entry(self.keys()?.as_ref(), &object.name, &field.name, how, text)
    }

    /// The 128-bit tag to look for under a unique rule.
    pub fn unique_query(&self, object: &ObjectDef, field: &FieldDef, text: &str) -> Result<[u8; 16], VaultError> {
        let normaliser = Normaliser::of(&field.field_type);
        blind::unique_tag(self.keys()?.as_ref(), &object.name, &field.name, normaliser, text)
    }

    /// What stands for the value of a plain field in the audit log. Of sealed fields see [`KeyUse::audit_mac`]; for
    /// equal values both give the same.
    pub fn audit_mac(&self, object: &str, field: &str, record: RecordId, value: &[u8]) -> Result<[u8; 16], VaultError> {
        Ok(blind::audit_mac(self.keys()?.as_ref(), object, field, record.as_bytes(), value))
    }

    /// Seals a blob of the appliance itself (a kept answer, a configuration secret). It opens only with the same label
    /// and context; the context should name the one thing it belongs to.
    pub fn seal_internal(&self, label: &str, context: &[u8], body: &[u8]) -> Result<Vec<u8>, VaultError> {
        blob::seal_internal(self.keys()?.as_ref(), label, context, body)
    }

    /// Opens a blob of the appliance itself.
    pub fn open_internal(&self, label: &str, context: &[u8], bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        blob::open_internal(self.keys()?.as_ref(), label, context, bytes)
    }

    /// Begins to seal a file of the appliance itself; it opens only under the same label and id.
    pub fn file_seal_internal(&self, label: &str, file: RecordId) -> Result<FileSealer, VaultError> {
        let keys = self.keys()?;
        let place = FilePlace::internal(label, file)?;
        FileSealer::new(keys.appliance(), &place, (None, keys.root.epoch, &keys.internal), self.random.as_ref())
    }

    /// Begins to open a file of the appliance itself; `header` are its first bytes.
    pub fn file_open_internal(&self, label: &str, file: RecordId, header: &[u8]) -> Result<FileOpener, VaultError> {
        let keys = self.keys()?;
        let header = FileHeader::parse(header)?;
        let (found, known) = (header.number, keys.root.epoch);
        if header.class.is_some() {
            return Err(VaultError::CiphertextRefused);
        }
        if found != known {
            return Err(VaultError::EpochUnknown { found, known });
        }
        FileOpener::new(keys.appliance(), &FilePlace::internal(label, file)?, &header, &keys.internal)
    }

    /// What stands for the content of a file of a record in the audit log, from its SHA-256.
    pub fn audit_mac_file(&self, object: &str, record: RecordId, digest: &[u8; 32]) -> Result<[u8; 16], VaultError> {
        self.audit_mac(object, authz::FILES, record, digest)
    }

    /// The key that signs checkpoints, made and stored on first use. Keep it: reading it costs a query.
    pub fn signing_key(&self, store: &mut dyn KeyStore) -> Result<SigningKey, VaultError> {
        let keys = self.keys()?;
        SigningKey::from_seed(&key_ring::named_key(&keys, store, SIGNING_KEY)?)
    }

    fn keys(&self) -> Result<Arc<Keys>, VaultError> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(VaultError::Sealed)
    }

    fn install(&self, root: Root) -> Result<(), VaultError> {
        let keys = Arc::new(Keys::derive(root, Arc::clone(&self.random))?);
        let mut current = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        // A second unseal keeps the keys that are in use.
        if current.is_none() {
            *current = Some(keys);
        }
        Ok(())
    }

    fn change_slots<T, E: From<VaultError>>(
        &self,
        change: impl FnOnce(&mut SlotsFile, &Root) -> Result<T, E>,
    ) -> Result<T, E> {
        let keys = self.keys()?;
        let _writer = slot_file::hold(&self.slots_path)?;
        let mut file = SlotsFile::parse(&slot_file::read(&self.slots_path)?)?;
        if !file.belongs_to(&keys.root) {
            return Err(VaultError::SlotsCorrupt("it belongs to another root key").into());
        }
        let done = change(&mut file, &keys.root)?;
        slot_file::replace(&self.slots_path, &file.to_text()?)?;
        Ok(done)
    }
}
