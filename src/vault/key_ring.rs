//! The key ring: one random data key per (data subject, class, generation), stored wrapped by KW.
//! Knows the wrapped form and the port to where it is kept; never holds a database.
//!
//! Wrapped key, 65 bytes: `format 0x01 · epoch u32 · nonce 12 · key 32 · tag 16`. Associated data, each part with its
//! length: `"kontor-dek-v1"`, appliance, subject, class, generation. Named keys (the checkpoint signing key) have the
//! same form with `"kontor-named-key-v1"`, appliance, name.

use crate::{
    KeyStoreError, VaultError,
    keys::Keys,
    primitives::{self, KEY_LEN, Key, NONCE_LEN, TAG_LEN, put},
};
use kernel::RecordId;
use metadata::{FieldDef, KeyClass};

const WRAP_FORMAT: u8 = 0x01;
/// Bytes of a wrapped key.
pub const WRAPPED_LEN: usize = 1 + 4 + NONCE_LEN + KEY_LEN + TAG_LEN;

/// Which of a subject's keys. The numbers are part of the disk format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// Names, contact data and everything not below.
    Basic = 1,
    /// Amounts.
    Financial = 2,
    /// Identity documents, and the files of records, which may be such.
    IdentityDocument = 3,
    /// Free text.
    Notes = 4,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 4] = [Self::Basic, Self::Financial, Self::IdentityDocument, Self::Notes];

    /// The number on disk.
    pub const fn number(self) -> u8 {
        match self {
            Self::Basic => 1,
            Self::Financial => 2,
            Self::IdentityDocument => 3,
            Self::Notes => 4,
        }
    }

    /// The class with this number on disk.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.number() == number)
    }

    /// The class of a field.
    ///
    /// It follows from the definition and never changes, because the ciphertext does not name its class: were it to follow from the
    /// sensitivity, reclassifying a field would leave its old values without their key.
    pub fn of(field: &FieldDef) -> Self {
        match field.sealed_under() {
            KeyClass::Basic => Self::Basic,
            KeyClass::Financial => Self::Financial,
            KeyClass::IdentityDocument => Self::IdentityDocument,
            KeyClass::Notes => Self::Notes,
        }
    }
}

/// One row of the stored key ring.
#[derive(Clone, Debug)]
pub struct WrappedKey {
    /// Whose key.
    pub subject: RecordId,
    /// Which of the subject's keys.
    pub class: Class,
    /// Its generation, from 1.
    pub generation: u32,
    /// The wrapped key ([`WRAPPED_LEN`] bytes).
    pub wrapped: Vec<u8>,
}

/// Where the wrapped keys are kept: the database, within the caller's transaction.
pub trait KeyStore {
    /// All generations of one key; empty when there is none.
    fn load(&mut self, subject: RecordId, class: Class) -> Result<Vec<(u32, Vec<u8>)>, KeyStoreError>;
    /// All keys of all classes of these subjects, in any order. The store splits long lists as its engine needs.
    fn load_many(&mut self, subjects: &[RecordId]) -> Result<Vec<WrappedKey>, KeyStoreError>;
    /// Stores a new key. [`KeyStoreError::Conflict`] when the place is taken; the transaction must then still be usable.
    fn insert(&mut self, subject: RecordId, class: Class, generation: u32, wrapped: &[u8])
    -> Result<(), KeyStoreError>;
    /// A key of the appliance itself by name.
    fn load_named(&mut self, name: &str) -> Result<Option<Vec<u8>>, KeyStoreError>;
    /// Stores a key of the appliance itself; [`KeyStoreError::Conflict`] as above.
    fn insert_named(&mut self, name: &str, wrapped: &[u8]) -> Result<(), KeyStoreError>;
}

fn dek_aad(keys: &Keys, subject: RecordId, class: Class, generation: u32) -> Vec<u8> {
    let mut aad = Vec::with_capacity(96);
    put(&mut aad, b"kontor-dek-v1");
    put(&mut aad, keys.appliance().as_bytes());
    put(&mut aad, subject.as_bytes());
    put(&mut aad, &[class.number()]);
    put(&mut aad, &generation.to_be_bytes());
    aad
}

fn named_aad(keys: &Keys, name: &str) -> Vec<u8> {
    let mut aad = Vec::with_capacity(96);
    put(&mut aad, b"kontor-named-key-v1");
    put(&mut aad, keys.appliance().as_bytes());
    put(&mut aad, name.as_bytes());
    aad
}

fn wrap(keys: &Keys, aad: &[u8], key: &Key) -> Result<Vec<u8>, VaultError> {
    let nonce = primitives::nonce(keys.random.as_ref());
    let mut out = Vec::with_capacity(WRAPPED_LEN);
    out.push(WRAP_FORMAT);
    out.extend_from_slice(&keys.root.epoch.to_be_bytes());
    out.extend_from_slice(&nonce);
    let start = out.len();
    out.extend_from_slice(key.bytes());
    let body = out.get_mut(start..).ok_or(VaultError::Primitive)?;
    let tag = primitives::gcm_seal(keys.wrap.bytes(), nonce, aad, body)?;
    out.extend_from_slice(&tag);
    Ok(out)
}

fn unwrap(keys: &Keys, aad: &[u8], wrapped: &[u8]) -> Result<Key, VaultError> {
    let (format, rest) = wrapped.split_first().ok_or(VaultError::KeyRefused)?;
    if *format != WRAP_FORMAT {
        return Err(VaultError::KeyFormat(*format));
    }
    let (epoch, rest) = rest.split_first_chunk::<4>().ok_or(VaultError::KeyRefused)?;
    let (found, known) = (u32::from_be_bytes(*epoch), keys.root.epoch);
    if found != known {
        return Err(VaultError::EpochUnknown { found, known });
    }
    let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::KeyRefused)?;
    let mut body: zeroize::Zeroizing<[u8; KEY_LEN + TAG_LEN]> =
        zeroize::Zeroizing::new(body.try_into().map_err(|_| VaultError::KeyRefused)?);
    primitives::gcm_open(keys.wrap.bytes(), *nonce, aad, body.as_mut())
        .and_then(|length| body.get(..length))
        .and_then(Key::from_slice)
        .ok_or(VaultError::KeyRefused)
}

/// Wraps a data key for its place in the key ring.
pub(crate) fn wrap_dek(
    keys: &Keys,
    subject: RecordId,
    class: Class,
    generation: u32,
    key: &Key,
) -> Result<Vec<u8>, VaultError> {
    wrap(keys, &dek_aad(keys, subject, class, generation), key)
}

/// Opens a data key found at its place in the key ring.
pub(crate) fn unwrap_dek(
    keys: &Keys,
    subject: RecordId,
    class: Class,
    generation: u32,
    wrapped: &[u8],
) -> Result<Key, VaultError> {
    unwrap(keys, &dek_aad(keys, subject, class, generation), wrapped)
}

/// The named key, made on first use. Two transactions that both make it agree on the one stored first.
pub(crate) fn named_key(keys: &Keys, store: &mut dyn KeyStore, name: &str) -> Result<Key, VaultError> {
    let aad = named_aad(keys, name);
    if let Some(wrapped) = store.load_named(name)? {
        return unwrap(keys, &aad, &wrapped);
    }
    let key = Key::random(keys.random.as_ref());
    match store.insert_named(name, &wrap(keys, &aad, &key)?) {
        Ok(()) => Ok(key),
        Err(KeyStoreError::Conflict) => {
            let wrapped = store.load_named(name)?.ok_or(VaultError::KeyMissing)?;
            unwrap(keys, &aad, &wrapped)
        }
        Err(error) => Err(error.into()),
    }
}
