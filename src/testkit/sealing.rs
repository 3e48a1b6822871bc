//! The log of a test appliance: a signer over the vault's own key, sealing on demand and verification.

use crate::TestAppliance;
use audit::{Report, Signer, VerifierKey};
use kernel::RecordId;
use std::collections::HashMap;
use std::sync::Mutex;
use store::Depth;
use vault::{Class, KeyStore, KeyStoreError, SigningKey, WrappedKey};

/// Signs with a key that the vault made.
pub struct TestSigner {
    name: String,
    key: SigningKey,
}

impl Signer for TestSigner {
    fn name(&self) -> &str {
        &self.name
    }
    fn public_key(&self) -> [u8; 32] {
        *self.key.public()
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).expect("a signature")
    }
}

/// Named keys in memory: the same signing key as long as the appliance lives.
#[derive(Default)]
pub(crate) struct NamedKeys(Mutex<HashMap<String, Vec<u8>>>);

struct Borrowed<'k>(&'k NamedKeys);

impl KeyStore for Borrowed<'_> {
    fn load(&mut self, _subject: RecordId, _class: Class) -> Result<Vec<(u32, Vec<u8>)>, KeyStoreError> {
        Ok(Vec::new())
    }
    fn load_many(&mut self, _subjects: &[RecordId]) -> Result<Vec<WrappedKey>, KeyStoreError> {
        Ok(Vec::new())
    }
    fn insert(&mut self, _: RecordId, _: Class, _: u32, _: &[u8]) -> Result<(), KeyStoreError> {
        Err(KeyStoreError::Conflict)
    }
    fn load_named(&mut self, name: &str) -> Result<Option<Vec<u8>>, KeyStoreError> {
        Ok(self.0.0.lock().expect("keys").get(name).cloned())
    }
    fn insert_named(&mut self, name: &str, wrapped: &[u8]) -> Result<(), KeyStoreError> {
        self.0.0.lock().expect("keys").insert(name.to_owned(), wrapped.to_vec());
        Ok(())
    }
}

impl TestAppliance {
    /// The signer of its log.
    pub fn signer(&self) -> TestSigner {
        let appliance = self.store.appliance().expect("an appliance").parse().expect("an id");
        let key = self.store.vault().signing_key(&mut Borrowed(&self.named_keys)).expect("a signing key");
        TestSigner { name: audit::origin_of(appliance), key }
    }

    /// Seals everything committed so far into tiles and says how many entries they hold.
    pub fn seal_log(&self) -> u64 {
        self.store.seal_log(&self.signer()).expect("a sealed log").expect("nobody else seals")
    }

    /// Verifies the log to this level.
    pub fn verify(&self, level: u8) -> Report {
        let key = VerifierKey::of(&self.signer()).expect("a verifier key");
        self.store.verify_log(&key, None, Depth(level)).expect("a report")
    }
}
