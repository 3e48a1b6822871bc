//! The key that signs checkpoints, as the log asks for it. The key itself stays in the vault's type; its public half is
//! what `log-key.pub` holds.

use crate::cli::failure::Failure;
use audit::{Signer, VerifierKey};
use kernel::Code;
use store::Store;
use vault::{ApplianceId, SigningKey};

/// Signs in the name of one log.
pub(crate) struct LogSigner {
    name: String,
    key: SigningKey,
}

impl LogSigner {
    /// The signer of this appliance's log; its key is made on first use.
    pub(crate) fn load(store: &Store, appliance: ApplianceId) -> Result<Self, Failure> {
        Ok(Self { name: audit::origin_of(appliance), key: store.signing_key()? })
    }
    /// The public half as auditors get it.
    pub(crate) fn verifier_key(&self) -> Result<VerifierKey, Failure> {
        VerifierKey::of(self).map_err(|error| Failure::new(Code::Internal, error.to_string()))
    }
}

impl Signer for LogSigner {
    fn name(&self) -> &str {
        &self.name
    }
    fn public_key(&self) -> [u8; 32] {
        *self.key.public()
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        // Signing cannot fail on a key that was read; a made-up signature would be worse than no process.
        self.key.sign(message).unwrap_or_else(|_| std::process::abort())
    }
}
