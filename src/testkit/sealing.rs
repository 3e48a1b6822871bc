//! The log of a test appliance: a signer over the vault's own key, sealing on demand and verification.

use crate::TestAppliance;
use audit::{Report, Signer, VerifierKey};
use store::Depth;
use vault::SigningKey;

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

impl TestAppliance {
    /// The signer of its log.
    pub fn signer(&self) -> TestSigner {
        let appliance = self.store.appliance().expect("an appliance").parse().expect("an id");
        let key = self.store.signing_key().expect("a signing key");
        TestSigner { name: audit::origin_of(appliance), key }
    }

    /// Seals everything committed so far into tiles and says how many entries they hold.
    pub fn seal_log(&self) -> u64 {
        self.store.seal_log(&self.signer()).expect("a sealed log").expect("nobody else seals")
    }

    /// Verifies the log to this level.
    pub fn verify(&self, level: u8) -> Report {
        self.verify_with(&self.verifier_key(), level)
    }

    /// The public key of its log.
    pub fn verifier_key(&self) -> VerifierKey {
        VerifierKey::of(&self.signer()).expect("a verifier key")
    }

    /// Verifies the log to this level with a key, also when the store is closed.
    pub fn verify_with(&self, key: &VerifierKey, level: u8) -> Report {
        store::Store::verify_log(self.store.config(), key, None, Depth(level)).expect("a report")
    }
}
