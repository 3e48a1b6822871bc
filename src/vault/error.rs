//! What can go wrong with keys and ciphertexts, and how it is told to people.
//! No message holds a key, a passphrase or a value; messages for operators say what to do.

use crate::ShareFault;
use kernel::{Code, Fault};

/// Why the port to the stored key ring did not answer.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// Another transaction stored a key at the same place first; look again.
    #[error("another transaction stored this key first")]
    Conflict,
    /// The database failed; the text is for the operator's log.
    #[error("the key ring cannot be read or written: {0}")]
    Failed(String),
}

/// Why the vault did not do it.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no root key in memory.
    #[error("the appliance is sealed")]
    Sealed,
    /// No slot opens with that passphrase or key file.
    #[error("no unseal slot opens with that secret")]
    NoSlotOpens,
    /// The file of unseal slots is not there.
    #[error(
        "there is no file of unseal slots: create the appliance first, or restore keys/slots.json from a backup set"
    )]
    SlotsMissing,
    /// The file of unseal slots is there already.
    #[error("there is a file of unseal slots already; it is never overwritten")]
    SlotsExist,
    /// The file of unseal slots cannot be understood.
    #[error("the file of unseal slots is damaged ({0}): restore keys/slots.json from a backup set")]
    SlotsCorrupt(&'static str),
    /// The file of unseal slots was written by a newer version.
    #[error("the file of unseal slots has version {0}, which this version does not know: use the newer version again")]
    SlotsVersion(u32),
    /// There is no slot with this number.
    #[error("there is no unseal slot {0}")]
    SlotUnknown(u32),
    /// It is the last slot that this version can open.
    #[error("unseal slot {0} is the last one that can open this appliance: add another slot first")]
    SlotLast(u32),
    /// There is no room for another slot.
    #[error("there are {limit} unseal slots already: remove one first", limit = kernel::limits::UNSEAL_SLOTS_MAX)]
    SlotsFull,
    /// The label of a slot is empty, too long, or has control characters.
    #[error("the label of a slot needs 1 to {limit} printable characters", limit = kernel::limits::UNSEAL_LABEL_CHARS_MAX)]
    SlotLabel,
    /// The passphrase is too short or too long to protect the root key.
    #[error("the passphrase needs at least {min} characters and at most {max} bytes", min = kernel::limits::PASSWORD_CHARS_MIN,
        max = kernel::limits::PASSPHRASE_BYTES_MAX)]
    PassphraseLength,
    /// Words are no recovery share.
    #[error("{0}")]
    ShareWords(#[from] ShareFault),
    /// A share of no set that a slot of this appliance has.
    #[error(
        "the share is of no set of this appliance (it is of set {set}): it was replaced by a newer one, or is somebody else's"
    )]
    ShareForeign {
        /// The number of the set it names.
        set: u16,
    },
    /// A share that names a set of this appliance and is none of those that were handed out.
    #[error("share {share} of set {set} is not the one that was handed out: somebody has altered it")]
    ShareForged {
        /// The number it gives itself, from 1.
        share: u8,
        /// The number of its set.
        set: u16,
    },
    /// A share that was given before.
    #[error("share {share} was given already: another one is needed")]
    ShareTwice {
        /// Its number, from 1.
        share: u8,
    },
    /// Not enough shares to open anything.
    #[error("{given} recovery shares were given, and {needed} of one set are needed")]
    SharesTooFew {
        /// How many there are, of the set that has most.
        given: u8,
        /// How many are needed.
        needed: u8,
    },
    /// Numbers of shares that cannot be.
    #[error("recovery shares: 2 to {max} of them, of which 2 or more are needed", max = kernel::limits::RECOVERY_SHARES_MAX)]
    SharesNumbers,
    /// The key file does not hold a key.
    #[error("the key file is not a Kontor key file (one line, kontor-key-1:… )")]
    KeyFileFormat,
    /// Not a key of backup sets.
    #[error("not a key of backup sets: expected age1… for who may open one, or AGE-SECRET-KEY-1… to open one")]
    ArchiveKey,
    /// The key is none of those a set was sealed for.
    #[error("the set was not sealed for this key")]
    ArchiveNotForKey,
    /// An age file could not be written or read; the text says why.
    #[error("an encrypted file of the set: {0}")]
    ArchiveFailed(String),
    /// The key file can be read by others.
    #[error("the key file can be read by others: give it mode 0600 or 0400")]
    KeyFileMode,
    /// A file cannot be read or written.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// There is no data key for this subject, class and generation: never made, or destroyed by an erasure.
    #[error("there is no data key for this value: it was destroyed or never made")]
    KeyMissing,
    /// A wrapped key does not open.
    #[error("a stored key does not open: the key ring was changed or belongs to another appliance")]
    KeyRefused,
    /// A wrapped key has a shape this version does not know.
    #[error("a stored key has format {0}, which this version does not know")]
    KeyFormat(u8),
    /// A key or blob was made under another root key.
    #[error("made under epoch {found} of the root key; epoch {known} is open")]
    EpochUnknown {
        /// The epoch of the stored bytes.
        found: u32,
        /// The epoch of the root key in memory.
        known: u32,
    },
    /// The stored key ring did not answer.
    #[error(transparent)]
    KeyStore(#[from] KeyStoreError),
    /// The first byte of a ciphertext is not one this version knows.
    #[error("a ciphertext has version {0:#04x}, which this version does not know")]
    VersionUnknown(u8),
    /// The suite of a ciphertext is not one this version knows.
    #[error("a ciphertext has suite {0:#04x}, which this version does not know")]
    SuiteUnknown(u8),
    /// A ciphertext is too short, too long, or contradicts itself.
    #[error("a ciphertext is malformed")]
    CiphertextMalformed,
    /// A ciphertext was changed, or does not belong where it was found.
    #[error("a ciphertext does not open here: it was changed, or belongs to another field, record or appliance")]
    CiphertextRefused,
    /// The value is longer than a sealed value may be.
    #[error("the value is longer than {limit} bytes")]
    TooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// The definition does not seal this field, so it has no place in the vault.
    #[error("the field is not a sealed field")]
    NotSealedField,
    /// The grant is for another record, or shows nothing of this field.
    #[error("the grant does not reach this value")]
    NotGranted,
    /// A cryptographic primitive refused its arguments.
    #[error("a cryptographic operation failed")]
    Primitive,
    /// A known answer did not come out; nothing may be sealed or opened.
    #[error("the self-test of {0} failed: this build or this machine computes wrongly")]
    SelfTest(&'static str),
}

impl From<VaultError> for Fault {
    fn from(error: VaultError) -> Self {
        let (code, words) = match &error {
            VaultError::Sealed => (Code::Sealed, "The appliance is sealed. An operator must unseal it first."),
            VaultError::NoSlotOpens => (Code::UnsealFailed, "No unseal slot opens with that passphrase or key file."),
            VaultError::TooLong { .. } => (Code::ValueTooLong, "The value is too long to be sealed."),
            VaultError::ShareForeign { .. } | VaultError::ShareForged { .. } => {
                return Fault::new(Code::UnsealFailed, error.to_string());
            }
            VaultError::ShareWords(_)
            | VaultError::ShareTwice { .. }
            | VaultError::SharesTooFew { .. }
            | VaultError::SharesNumbers
            | VaultError::PassphraseLength
            | VaultError::SlotLabel
            | VaultError::KeyFileFormat
            | VaultError::ArchiveKey => {
                return Fault::new(Code::ValueFormat, error.to_string());
            }
            VaultError::ArchiveNotForKey => (Code::UnsealFailed, "The backup set was not sealed for this key."),
            VaultError::ArchiveFailed(_) => return Fault::new(Code::Unavailable, error.to_string()),
            VaultError::SlotUnknown(_) => return Fault::new(Code::ParameterInvalid, error.to_string()),
            VaultError::SlotLast(_) | VaultError::SlotsFull => {
                return Fault::new(Code::LimitExceeded, error.to_string());
            }
            VaultError::SlotsMissing
            | VaultError::SlotsExist
            | VaultError::SlotsCorrupt(_)
            | VaultError::SlotsVersion(_)
            | VaultError::KeyFileMode => return Fault::new(Code::Unavailable, error.to_string()),
            VaultError::Io { .. }
            | VaultError::KeyMissing
            | VaultError::KeyRefused
            | VaultError::KeyFormat(_)
            | VaultError::EpochUnknown { .. }
            | VaultError::KeyStore(_)
            | VaultError::VersionUnknown(_)
            | VaultError::SuiteUnknown(_)
            | VaultError::CiphertextMalformed
            | VaultError::CiphertextRefused
            | VaultError::NotSealedField
            | VaultError::NotGranted
            | VaultError::Primitive
            | VaultError::SelfTest(_) => return Fault::internal(error),
        };
        Fault::new(code, words)
    }
}
