//! Release keys: sets of three, of which two sign. A set follows on another when two keys of the other signed it; so what an
//! appliance trusts can be renewed, and never by one person. Keys and signatures are those of OpenBSD's `signify`.

use crate::BundleError;
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Signatures that a manifest or a key set needs.
pub const SIGNATURES_NEEDED: usize = 2;
/// Keys of a set.
const KEYS: usize = 3;
/// The name of the algorithm in front of a key or signature of signify.
const ALGORITHM: &[u8; 2] = b"Ed";
const NUMBER_LEN: usize = 8;
const PUBLIC_LEN: usize = 32;
const SIGNATURE_LEN: usize = 64;

/// The keys of one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySet {
    /// Its number; the next set has the next.
    pub epoch: u32,
    /// The second lines of three public key files of signify.
    keys: Vec<String>,
}

struct PublicKey {
    number: [u8; NUMBER_LEN],
    bytes: [u8; PUBLIC_LEN],
}

fn decoded(line: &str, body: usize) -> Option<([u8; NUMBER_LEN], Vec<u8>)> {
    let bytes = STANDARD.decode(line.trim()).ok()?;
    let rest = bytes.strip_prefix(ALGORITHM)?;
    let (number, rest) = rest.split_first_chunk::<NUMBER_LEN>()?;
    (rest.len() == body).then(|| (*number, rest.to_vec()))
}

fn hex(number: &[u8]) -> String {
    number.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl KeySet {
    /// Reads a set.
    ///
    /// # Errors
    /// When it is not three different keys with a number above none.
    pub fn read(text: &[u8]) -> Result<Self, BundleError> {
        let wrong = |what: &str| BundleError::malformed(format!("the key set: {what}"));
        let set: Self = serde_json::from_slice(text).map_err(|error| wrong(&error.to_string()))?;
        let keys = set.public().ok_or_else(|| wrong("a key is not one of signify"))?;
        let different: BTreeSet<_> = keys.iter().map(|key| key.bytes).collect();
        let numbers: BTreeSet<_> = keys.iter().map(|key| key.number).collect();
        if set.epoch == 0 || different.len() != KEYS || numbers.len() != KEYS || set.keys.len() != KEYS {
            return Err(wrong("it has to hold three different keys and an epoch from 1 on"));
        }
        Ok(set)
    }

    fn public(&self) -> Option<Vec<PublicKey>> {
        let key = |line: &String| {
            let (number, bytes) = decoded(line, PUBLIC_LEN)?;
            Some(PublicKey { number, bytes: bytes.try_into().ok()? })
        };
        self.keys.iter().map(key).collect()
    }

    /// The numbers of its keys, as people compare them.
    pub fn numbers(&self) -> Vec<String> {
        self.public().unwrap_or_default().iter().map(|key| hex(&key.number)).collect()
    }

    /// The numbers of those keys that signed this message, if they are enough.
    ///
    /// # Errors
    /// [`BundleError::Untrusted`] when fewer than two different keys of the set did.
    pub fn check(&self, what: &str, message: &[u8], signatures: &[Vec<u8>]) -> Result<Vec<String>, BundleError> {
        let keys = self.public().unwrap_or_default();
        let signed = |key: &&PublicKey| {
            signatures.iter().filter_map(|text| signature(text)).any(|(number, signature)| {
                number == key.number && UnparsedPublicKey::new(&ED25519, key.bytes).verify(message, &signature).is_ok()
            })
        };
        let signers: Vec<String> = keys.iter().filter(signed).map(|key| hex(&key.number)).collect();
        if signers.len() >= SIGNATURES_NEEDED {
            return Ok(signers);
        }
        Err(BundleError::Untrusted(format!(
            "{what} is signed by {} of the {KEYS} release keys of epoch {}; {SIGNATURES_NEEDED} are needed",
            signers.len(),
            self.epoch
        )))
    }

    /// The set that follows on this one, if two keys of this one signed it.
    ///
    /// # Errors
    /// When its epoch is not the next, or it is not signed.
    pub fn followed_by(&self, text: &[u8], signatures: &[Vec<u8>]) -> Result<Self, BundleError> {
        let next = Self::read(text)?;
        if Some(next.epoch) != self.epoch.checked_add(1) {
            return Err(BundleError::Untrusted(format!(
                "the key set of epoch {} does not follow on that of epoch {}",
                next.epoch, self.epoch
            )));
        }
        self.check(&format!("the key set of epoch {}", next.epoch), text, signatures)?;
        Ok(next)
    }
}

/// A signature file of signify: a comment, and a line with the key's number and the signature.
fn signature(text: &[u8]) -> Option<([u8; NUMBER_LEN], Vec<u8>)> {
    let text = std::str::from_utf8(text).ok()?;
    let mut lines = text.lines();
    lines.next().filter(|line| line.starts_with("untrusted comment: "))?;
    decoded(lines.next()?, SIGNATURE_LEN)
}

/// The key set that this binary was built with (KONTOR_RELEASE_KEYS). Without one a build with debug assertions trusts the trial
/// keys, whose secret halves anybody can make; any other trusts nobody, and has `None`.
///
/// # Errors
/// When what was built in is no key set.
pub fn compiled_keys() -> Result<Option<KeySet>, BundleError> {
    let release = include_str!(concat!(env!("OUT_DIR"), "/release-keys.json"));
    let text = if release.is_empty() && cfg!(debug_assertions) { include_str!("trial-keys.json") } else { release };
    if text.is_empty() { Ok(None) } else { KeySet::read(text.as_bytes()).map(Some) }
}
