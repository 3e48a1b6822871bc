//! The few primitives everything here is made of: a key that wipes itself, HKDF-SHA-256, HMAC-SHA-256, AES-256-GCM,
//! and the one way in which several byte strings become one. Never chooses a nonce and never keeps a ring key:
//! ring's own key types are not wiped, so they live only as long as one call.

use crate::VaultError;
use kernel::Random;
use ring::{aead, hkdf, hmac};
use zeroize::Zeroizing;

/// Bytes of every key here.
pub(crate) const KEY_LEN: usize = 32;
/// Bytes of a GCM nonce.
pub(crate) const NONCE_LEN: usize = 12;
/// Bytes of a GCM tag.
pub(crate) const TAG_LEN: usize = 16;

/// 256 secret bits. Wiped when dropped; cannot be printed, copied, compared or serialised.
pub(crate) struct Key(Zeroizing<[u8; KEY_LEN]>);

impl Key {
    /// A fresh random key.
    pub(crate) fn random(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0u8; KEY_LEN]);
        random.fill(bytes.as_mut());
        Self(bytes)
    }
    /// A key from exactly 32 bytes.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0u8; KEY_LEN]);
        (bytes.len() == KEY_LEN).then(|| key.copy_from_slice(bytes))?;
        Some(Self(key))
    }
    /// The bytes, for wrapping only.
    pub(crate) fn bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }
}

/// A sealing never repeats a nonce under a key: 96 random bits, and no key seals more than one column of one subject.
pub(crate) fn nonce(random: &dyn Random) -> [u8; NONCE_LEN] {
    let mut bytes = [0u8; NONCE_LEN];
    random.fill(&mut bytes);
    bytes
}

/// Appends a part with its length as 64 bits, big-endian, so that no two lists of parts give the same bytes.
pub(crate) fn put(out: &mut Vec<u8>, part: &[u8]) {
    out.extend_from_slice(&len64(part));
    out.extend_from_slice(part);
}

/// The length prefix of a part.
pub(crate) fn len64(part: &[u8]) -> [u8; 8] {
    // usize has at most 64 bits on every platform Rust knows.
    u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes()
}

struct OutLen(usize);
impl hkdf::KeyType for OutLen {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-SHA-256 (RFC 5869), both steps, for input that is not a uniform key.
pub(crate) fn hkdf(salt: &[u8], input: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), VaultError> {
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(input);
    let info = [info];
    let okm = prk.expand(&info, OutLen(out.len())).map_err(|_| VaultError::Primitive)?;
    okm.fill(out).map_err(|_| VaultError::Primitive)
}

/// HKDF-Expand with SHA-256 from a key that is uniform already. Each part of `info` is length-prefixed.
pub(crate) fn expand<const N: usize>(key: &Key, info: [&[u8]; N]) -> Result<Key, VaultError> {
    let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, key.bytes());
    let lengths = info.map(len64);
    let mut parts: Vec<&[u8]> = Vec::with_capacity(N * 2);
    for (length, part) in lengths.iter().zip(info) {
        parts.push(length);
        parts.push(part);
    }
    let okm = prk.expand(&parts, OutLen(KEY_LEN)).map_err(|_| VaultError::Primitive)?;
    let mut out = Zeroizing::new([0u8; KEY_LEN]);
    okm.fill(out.as_mut()).map_err(|_| VaultError::Primitive)?;
    Ok(Key(out))
}

/// HMAC-SHA-256 over the parts, each with its length.
pub(crate) fn mac<const N: usize>(key: &[u8], parts: [&[u8]; N]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(&len64(part));
        context.update(part);
    }
    context.sign()
}

/// HMAC-SHA-256 over one message as it is.
pub(crate) fn mac_plain(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

/// The first 16 bytes of a tag.
pub(crate) fn short(tag: &hmac::Tag) -> [u8; 16] {
    tag.as_ref().first_chunk().copied().unwrap_or([0; 16])
}

fn gcm(key: &[u8; KEY_LEN]) -> Result<aead::LessSafeKey, VaultError> {
    let key = aead::UnboundKey::new(&aead::AES_256_GCM, key).map_err(|_| VaultError::Primitive)?;
    Ok(aead::LessSafeKey::new(key))
}

/// Encrypts `data` where it lies and returns its tag (AES-256-GCM, NIST SP 800-38D).
pub(crate) fn gcm_seal(
    key: &[u8; KEY_LEN],
    nonce: [u8; NONCE_LEN],
    aad: &[u8],
    data: &mut [u8],
) -> Result<[u8; TAG_LEN], VaultError> {
    let nonce = aead::Nonce::assume_unique_for_key(nonce);
    let tag =
        gcm(key)?.seal_in_place_separate_tag(nonce, aead::Aad::from(aad), data).map_err(|_| VaultError::Primitive)?;
    tag.as_ref().first_chunk().copied().ok_or(VaultError::Primitive)
}

/// Decrypts `data` (ciphertext and tag) where it lies and returns the length of the plaintext at its start;
/// `None` when the tag does not fit.
pub(crate) fn gcm_open(key: &[u8; KEY_LEN], nonce: [u8; NONCE_LEN], aad: &[u8], data: &mut [u8]) -> Option<usize> {
    let nonce = aead::Nonce::assume_unique_for_key(nonce);
    gcm(key).ok()?.open_in_place(nonce, aead::Aad::from(aad), data).ok().map(|plain| plain.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        let key = [7u8; 32];
        assert_ne!(mac(&key, [b"ab", b"c"]).as_ref(), mac(&key, [b"a", b"bc"]).as_ref());
        let (mut one, mut two) = (Vec::new(), Vec::new());
        put(&mut one, b"ab");
        put(&mut one, b"");
        put(&mut two, b"a");
        put(&mut two, b"b");
        assert_ne!(one, two);
        assert_eq!(one, b"\0\0\0\0\0\0\0\x02ab\0\0\0\0\0\0\0\0");
    }

    #[test]
    fn expand_is_hkdf_expand_over_length_prefixed_info() {
        let key = Key::from_slice(&[3; 32]).unwrap();
        let mut info = Vec::new();
        put(&mut info, b"table");
        put(&mut info, b"column");
        let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, key.bytes());
        let mut wanted = [0u8; 32];
        prk.expand(&[&info], OutLen(32)).unwrap().fill(&mut wanted).unwrap();
        assert_eq!(expand(&key, [b"table", b"column"]).unwrap().bytes(), &wanted);
    }

    #[test]
    fn keys_have_one_length() {
        assert!(Key::from_slice(&[0; 31]).is_none());
        assert!(Key::from_slice(&[0; 33]).is_none());
    }
}
