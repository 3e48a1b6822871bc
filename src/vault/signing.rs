//! The appliance's Ed25519 key (RFC 8032) for signing checkpoints, and the check of such signatures.
//! Never gives the key away; the seed is wiped once ring has read it.

use crate::{VaultError, primitives::Key};
use ring::signature::{self, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

/// Bytes of a public key.
pub const PUBLIC_KEY_LEN: usize = 32;
/// Bytes of a signature.
pub const SIGNATURE_LEN: usize = 64;

/// Signs in the name of the appliance. Cannot be printed, copied or serialised.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: [u8; PUBLIC_KEY_LEN],
}

impl SigningKey {
    pub(crate) fn from_seed(seed: &Key) -> Result<Self, VaultError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.bytes()).map_err(|_| VaultError::Primitive)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| VaultError::Primitive)?;
        Ok(Self { pair, public })
    }
    /// The public half, as it stands in the verifier's key.
    pub fn public(&self) -> &[u8; PUBLIC_KEY_LEN] {
        &self.public
    }
    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_LEN], VaultError> {
        self.pair.sign(message).as_ref().try_into().map_err(|_| VaultError::Primitive)
    }
}

/// Whether the signature of a message is good.
pub fn signature_is_good(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&signature::ED25519, public).verify(message, signature).is_ok()
}
