//! What seals a backup set: the age format (<https://age-encryption.org/v1>) over X25519 keys, so that a set opens with the
//! tool of that name and without us. One key belongs to the appliance and comes from its root key, so the unseal secret is
//! all that a blank machine needs; others can be added, and a site can leave the appliance's own out.
//!
//! age draws its own randomness from the system, because its format is its own affair.

use crate::{VaultError, primitives::Key};
use age::x25519;
use bech32::{ToBase32, Variant};
use std::{
    fmt,
    io::{self, Read, Write},
    str::FromStr,
};
use zeroize::{Zeroize, Zeroizing};

/// The human-readable part of a secret key, as age has it.
const IDENTITY_PREFIX: &str = "age-secret-key-";
/// Characters of the longest key that is looked at.
const KEY_CHARS_MAX: usize = 200;

/// Somebody who can open a set: the public half of a key, `age1…`.
#[derive(Clone)]
pub struct ArchiveRecipient(x25519::Recipient);

impl FromStr for ArchiveRecipient {
    type Err = VaultError;
    fn from_str(text: &str) -> Result<Self, VaultError> {
        if text.len() > KEY_CHARS_MAX {
            return Err(VaultError::ArchiveKey);
        }
        text.trim().parse().map(Self).map_err(|_| VaultError::ArchiveKey)
    }
}

impl fmt::Display for ArchiveRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ArchiveRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for ArchiveRecipient {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// The secret half of a key. Cannot be printed; [`ArchiveIdentity::reveal`] writes it for whoever keeps it on paper.
pub struct ArchiveIdentity(x25519::Identity);

impl ArchiveIdentity {
    /// The key of an appliance, always the same for one root key.
    pub(crate) fn of(seed: &Key) -> Result<Self, VaultError> {
        let mut words = seed.bytes().to_base32();
        let text = bech32::encode(IDENTITY_PREFIX, &words, Variant::Bech32).map(|text| text.to_uppercase());
        words.iter_mut().for_each(|word| *word = bech32::u5::default());
        Self::read(&Zeroizing::new(text.map_err(|_| VaultError::ArchiveKey)?))
    }
    /// A key as age writes it: `AGE-SECRET-KEY-1…`, the first line that is no comment.
    ///
    /// # Errors
    /// [`VaultError::ArchiveKey`].
    pub fn read(text: &str) -> Result<Self, VaultError> {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
        let line = line.filter(|line| line.len() <= KEY_CHARS_MAX).ok_or(VaultError::ArchiveKey)?;
        line.parse().map(Self).map_err(|_| VaultError::ArchiveKey)
    }
    /// The public half.
    pub fn recipient(&self) -> ArchiveRecipient {
        ArchiveRecipient(self.0.to_public())
    }
    /// The text that opens every set of this appliance. Whoever has it needs no passphrase.
    pub fn reveal(&self) -> Zeroizing<String> {
        use age::secrecy::ExposeSecret;
        let mut secret = self.0.to_string().expose_secret().to_owned();
        let text = Zeroizing::new(secret.clone());
        secret.zeroize();
        text
    }
}

/// Bytes on their way into an age file. Without [`ArchiveSealer::finish`] the file is cut short, which every reader notices.
pub struct ArchiveSealer<W: Write>(age::stream::StreamWriter<W>);

impl<W: Write> ArchiveSealer<W> {
    /// Begins a file that each of these can open.
    ///
    /// # Errors
    /// [`VaultError::ArchiveKey`] without recipients; [`VaultError::ArchiveFailed`] when the output refuses.
    pub fn new(recipients: &[ArchiveRecipient], out: W) -> Result<Self, VaultError> {
        let list = recipients.iter().map(|recipient| &recipient.0 as &dyn age::Recipient);
        let sealer = age::Encryptor::with_recipients(list).map_err(|_| VaultError::ArchiveKey)?;
        sealer.wrap_output(out).map(Self).map_err(|error| VaultError::ArchiveFailed(error.to_string()))
    }
    /// Writes the last chunk, which marks the end.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for ArchiveSealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The bytes of an age file. Each 64 KiB are checked before any of them is handed on, and an early end is an error.
///
/// # Errors
/// [`VaultError::ArchiveNotForKey`] when the key is none of its recipients; [`VaultError::ArchiveFailed`] when it is no age
/// file, or cannot be read.
pub fn archive_open<R: Read>(identity: &ArchiveIdentity, input: R) -> Result<impl Read + use<R>, VaultError> {
    let failed = |error: &dyn fmt::Display| VaultError::ArchiveFailed(error.to_string());
    let decryptor = age::Decryptor::new(input).map_err(|error| failed(&error))?;
    decryptor.decrypt(std::iter::once(&identity.0 as &dyn age::Identity)).map_err(|error| match error {
        age::DecryptError::NoMatchingKeys => VaultError::ArchiveNotForKey,
        other => failed(&other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(byte: u8) -> Key {
        Key::from_slice(&[byte; 32]).unwrap()
    }

    #[test]
    fn one_root_has_one_key_and_reads_back() {
        let (one, two) = (ArchiveIdentity::of(&seed(1)).unwrap(), ArchiveIdentity::of(&seed(2)).unwrap());
        assert_ne!(one.recipient(), two.recipient());
        let again = ArchiveIdentity::read(&format!("# kept in the safe\n\n{}\n", one.reveal().as_str())).unwrap();
        assert_eq!(again.recipient(), one.recipient());
        let recipient: ArchiveRecipient = one.recipient().to_string().parse().unwrap();
        assert_eq!(recipient, one.recipient());
        assert!(one.reveal().starts_with("AGE-SECRET-KEY-1"));
        // Of RFC 7748 section 6.1: Alice's private and public key, so that the derivation is X25519 and nothing else.
        let alice = [
            0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45, 0xdf, 0x4c,
            0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a,
        ];
        let public = [
            0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7, 0x5a, 0x0d, 0xbf,
            0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a,
        ];
        let key = ArchiveIdentity::of(&Key::from_slice(&alice).unwrap()).unwrap();
        let expected = bech32::encode("age", public.to_base32(), Variant::Bech32).unwrap();
        assert_eq!(key.recipient().to_string(), expected);
    }

    #[test]
    fn what_is_sealed_opens_for_each_recipient_and_for_nobody_else() {
        let keys = [seed(1), seed(2), seed(3)].map(|seed| ArchiveIdentity::of(&seed).unwrap());
        let text: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).collect();
        let recipients = [keys[0].recipient(), keys[1].recipient()];
        let mut sealer = ArchiveSealer::new(&recipients, Vec::new()).unwrap();
        sealer.write_all(&text).unwrap();
        let sealed = sealer.finish().unwrap();
        for key in &keys[..2] {
            let mut opened = Vec::new();
            archive_open(key, sealed.as_slice()).unwrap().read_to_end(&mut opened).unwrap();
            assert_eq!(opened, text);
        }
        assert!(matches!(archive_open(&keys[2], sealed.as_slice()), Err(VaultError::ArchiveNotForKey)));
        for cut in [sealed.len() - 1, sealed.len() - 70_000, 300] {
            let read = |bytes: &[u8]| -> io::Result<()> {
                let mut opened = Vec::new();
                let open = archive_open(&keys[0], bytes).map_err(io::Error::other)?;
                io::BufReader::new(open).read_to_end(&mut opened).map(drop)
            };
            read(&sealed[..cut]).unwrap_err();
            let mut turned = sealed.clone();
            turned[cut] ^= 1;
            read(&turned).unwrap_err();
        }
        assert!(ArchiveSealer::new(&[], Vec::new()).is_err(), "nobody could open it");
        for text in ["", "age1", "AGE-SECRET-KEY-1", &"A".repeat(5_000)] {
            assert!(ArchiveIdentity::read(text).is_err() && text.parse::<ArchiveRecipient>().is_err());
        }
    }
}
