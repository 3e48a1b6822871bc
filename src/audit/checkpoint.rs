//! Checkpoints (C2SP tlog-checkpoint) as signed notes (C2SP signed-note) with Ed25519: what a stranger needs to hold to
//! know later that nothing before it was altered. Checks signatures; makes them only through a [`Signer`].

use crate::note;
use crate::tree::{Hash, plain_hash};
use base64::{Engine, engine::general_purpose::STANDARD};
use kernel::{AnyKind, Id};
use std::{fmt, str::FromStr};

/// The signature type of Ed25519 in C2SP signed-note.
const ALGORITHM_ED25519: u8 = 1;

/// The origin line, and the name of the signing key, of the log of an appliance.
pub fn origin_of(appliance: Id<AnyKind>) -> String {
    format!("kontor.local/{appliance}/log")
}

/// Who signs checkpoints. The key stays behind this.
pub trait Signer {
    /// The key's name; equal to the origin of the log.
    fn name(&self) -> &str;
    /// The Ed25519 public key (RFC 8032).
    fn public_key(&self) -> [u8; 32];
    /// The Ed25519 signature over these bytes.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

/// Why a checkpoint or a key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a signed note with a checkpoint in it.
    #[error("not a signed checkpoint: {0}")]
    Malformed(&'static str),
    /// No line is signed by this key.
    #[error("the checkpoint carries no signature of the key it should be signed with")]
    Unsigned,
    /// The signature does not fit.
    #[error("the signature of the checkpoint does not fit its text")]
    BadSignature,
    /// Of another log.
    #[error("the checkpoint belongs to another log")]
    Origin,
    /// Not a verifier key.
    #[error("not a verifier key: expected name+id+key")]
    Key,
}

/// The public half of a signing key, with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public: [u8; 32],
}

impl VerifierKey {
    /// The key with this name and Ed25519 public key.
    ///
    /// # Errors
    /// [`CheckpointError::Key`] when the name is empty or has spaces, control characters or a `+`.
    pub fn new(name: impl Into<String>, public: [u8; 32]) -> Result<Self, CheckpointError> {
        let name = name.into();
        if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
            return Err(CheckpointError::Key);
        }
        Ok(Self { name, public })
    }
    /// The public half of this signer.
    ///
    /// # Errors
    /// As [`VerifierKey::new`].
    pub fn of(signer: &dyn Signer) -> Result<Self, CheckpointError> {
        Self::new(signer.name(), signer.public_key())
    }
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Its Ed25519 public key.
    pub(crate) fn public(&self) -> &[u8; 32] {
        &self.public
    }
    /// The first four bytes of SHA-256 over name, line feed, signature type and key.
    pub fn id(&self) -> [u8; 4] {
        let hash = plain_hash(&[self.name.as_bytes(), b"\n", &[ALGORITHM_ED25519], &self.public]);
        let mut id = [0; 4];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        id
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key: Vec<u8> = std::iter::once(ALGORITHM_ED25519).chain(self.public).collect();
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id()), STANDARD.encode(key))
    }
}

impl FromStr for VerifierKey {
    type Err = CheckpointError;
    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        // Base64 may hold a plus sign too, so only the first two divide.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(CheckpointError::Key);
        };
        let key = STANDARD.decode(key).map_err(|_| CheckpointError::Key)?;
        let Some((&ALGORITHM_ED25519, public)) = key.split_first() else { return Err(CheckpointError::Key) };
        let parsed = Self::new(name, public.try_into().map_err(|_| CheckpointError::Key)?)?;
        if id != format!("{:08x}", u32::from_be_bytes(parsed.id())) {
            return Err(CheckpointError::Key);
        }
        Ok(parsed)
    }
}

/// The state of a log: how many entries, and the root over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of the Merkle tree over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed: origin, size and root, a line each.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// The signed note.
    ///
    /// # Errors
    /// [`CheckpointError::Key`] when the signer has an unusable name.
    pub fn signed(&self, signer: &dyn Signer) -> Result<String, CheckpointError> {
        note::sign_note(&self.text(), signer)
    }

    /// Reads a signed note and checks that `key` signed it for the log named like the key.
    /// Lines of other keys (witnesses) are passed over.
    ///
    /// # Errors
    /// The reason of the refusal.
    pub fn open(note: &[u8], key: &VerifierKey) -> Result<Self, CheckpointError> {
        if parse(note::unverified(note)?)?.origin != key.name {
            return Err(CheckpointError::Origin);
        }
        parse(note::open_note(note, key)?)
    }

    /// Reads a signed note **without** checking who signed it; for telling what a file claims.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] when it is not one.
    pub fn read_unverified(note: &[u8]) -> Result<Self, CheckpointError> {
        parse(note::unverified(note)?)
    }
}

/// Reads the text of a note as a checkpoint.
fn parse(text: &str) -> Result<Checkpoint, CheckpointError> {
    use CheckpointError::Malformed;
    // Extension lines are not part of this log's format, so a fourth line is a forgery or a newer format.
    let lines: Vec<&str> = text.strip_suffix('\n').unwrap_or(text).split('\n').collect();
    let [origin, size, root] = lines.as_slice() else { return Err(Malformed("it has not three lines")) };
    if origin.is_empty() || !size.bytes().all(|b| b.is_ascii_digit()) || (size.len() > 1 && size.starts_with('0')) {
        return Err(Malformed("origin or size cannot be read"));
    }
    let root = STANDARD.decode(root).ok().and_then(|root| Hash::try_from(root).ok()).ok_or(Malformed("bad root"))?;
    let size = size.parse().map_err(|_| Malformed("origin or size cannot be read"))?;
    Ok(Checkpoint { origin: (*origin).to_owned(), size, root })
}
