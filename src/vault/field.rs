//! The ciphertext of a field, exactly as the security design lays it out; the format is final.
//!
//! `0xC1 version · 0x01 suite · flags · generation u32 · nonce 12 · ciphertext · tag 16`: 35 bytes over the padded text.
//! Flags: low four bits the type of the value (`FieldType::tag`), high four bits e of the pad bucket of 32·2^e bytes.
//! Padding is that of ISO/IEC 7816-4: one byte 0x80, then zeros up to the bucket. Key: HKDF-Expand(DEK, object ‖ field ‖
//! version, suite). Associated data: `"kontor-field-v1"`, appliance, object, field, record, subject, the 7 bytes of header.
//! Parts of both have their length before them as 64 bits, big-endian. Never tries a second key.

use crate::{
    ApplianceId, Place, VaultError,
    primitives::{self, Key, NONCE_LEN, TAG_LEN, put},
};
use kernel::limits;
use zeroize::Zeroizing;

pub(crate) const VERSION: u8 = 0xC1;
pub(crate) const SUITE: u8 = 0x01;
/// Bytes of the header that the associated data repeats.
pub(crate) const HEADER_LEN: usize = 7;
/// What a ciphertext is longer than its padded text.
pub const OVERHEAD: usize = HEADER_LEN + NONCE_LEN + TAG_LEN;
const BUCKET_MIN: usize = 32;
const PAD: u8 = 0x80;

/// A ciphertext taken apart. Nothing of it is trusted before the tag was checked.
pub(crate) struct Parts<'b> {
    pub(crate) header: [u8; HEADER_LEN],
    pub(crate) flags: u8,
    pub(crate) number: u32,
    pub(crate) nonce: [u8; NONCE_LEN],
    pub(crate) body: &'b [u8],
}

/// Takes any of the three kinds of ciphertext apart: they share their layout and differ in version and flags.
pub(crate) fn parts(bytes: &[u8], version: u8) -> Result<Parts<'_>, VaultError> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_LEN>().ok_or(VaultError::CiphertextMalformed)?;
    let [found, suite, flags, number @ ..] = *header;
    if found != version {
        return Err(VaultError::VersionUnknown(found));
    }
    if suite != SUITE {
        return Err(VaultError::SuiteUnknown(suite));
    }
    let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::CiphertextMalformed)?;
    Ok(Parts { header: *header, flags, number: u32::from_be_bytes(number), nonce: *nonce, body })
}

/// The same ciphertext with the checks that only fields have.
pub(crate) fn field_parts(bytes: &[u8]) -> Result<Parts<'_>, VaultError> {
    let parts = parts(bytes, VERSION)?;
    let bucket = BUCKET_MIN << (parts.flags >> 4);
    if parts.body.len() == bucket + TAG_LEN { Ok(parts) } else { Err(VaultError::CiphertextMalformed) }
}

/// The type of value that a field's flags name.
pub(crate) fn value_type(flags: u8) -> u8 {
    flags & 0x0F
}

/// The pad bucket of a text: (e, 32·2^e), with room for one byte of padding at least.
fn bucket(length: usize) -> Result<(u8, usize), VaultError> {
    let limit = limits::SEALED_VALUE_BYTES_MAX;
    (0u8..16)
        .map(|exponent| (exponent, BUCKET_MIN << exponent))
        .find(|(_, bucket)| *bucket > length && length <= limit)
        .ok_or(VaultError::TooLong { limit })
}

/// Puts text and padding behind a header and nonce and encrypts them there: the only buffer is the result.
pub(crate) fn seal_into(
    header: [u8; HEADER_LEN],
    nonce: [u8; NONCE_LEN],
    key: &Key,
    aad: &[u8],
    (text, padded): (&[u8], usize),
) -> Result<Vec<u8>, VaultError> {
    let mut out = Vec::with_capacity(OVERHEAD + padded);
    out.extend_from_slice(&header);
    out.extend_from_slice(&nonce);
    let start = out.len();
    out.extend_from_slice(text);
    out.push(PAD);
    out.resize(start + padded, 0);
    let body = out.get_mut(start..).ok_or(VaultError::Primitive)?;
    let tag = primitives::gcm_seal(key.bytes(), nonce, aad, body)?;
    out.extend_from_slice(&tag);
    Ok(out)
}

/// Decrypts the body and takes the padding off.
pub(crate) fn open_body(parts: &Parts<'_>, key: &Key, aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let mut body = Zeroizing::new(parts.body.to_vec());
    let length = primitives::gcm_open(key.bytes(), parts.nonce, aad, &mut body).ok_or(VaultError::CiphertextRefused)?;
    let padded = body.get(..length).ok_or(VaultError::CiphertextMalformed)?;
    let end = padded.iter().rposition(|byte| *byte != 0).ok_or(VaultError::CiphertextMalformed)?;
    if padded.get(end) != Some(&PAD) {
        return Err(VaultError::CiphertextMalformed);
    }
    body.truncate(end);
    Ok(body)
}

fn field_key(dek: &Key, place: &Place) -> Result<Key, VaultError> {
    primitives::expand(dek, [place.object.as_bytes(), place.field.as_bytes(), &[VERSION, SUITE]])
}

fn aad<'s>(scratch: &'s mut Vec<u8>, appliance: &ApplianceId, place: &Place, header: &[u8; HEADER_LEN]) -> &'s [u8] {
    scratch.clear();
    put(scratch, b"kontor-field-v1");
    put(scratch, appliance.as_bytes());
    put(scratch, place.object.as_bytes());
    put(scratch, place.field.as_bytes());
    put(scratch, place.record.as_bytes());
    put(scratch, place.subject.as_bytes());
    put(scratch, header);
    scratch
}

/// Seals a text for a place under one generation of its key.
pub(crate) fn seal(
    appliance: &ApplianceId,
    (generation, dek): (u32, &Key),
    place: &Place,
    (text, value_type): (&str, u8),
    nonce: [u8; NONCE_LEN],
    scratch: &mut Vec<u8>,
) -> Result<Vec<u8>, VaultError> {
    let (exponent, padded) = bucket(text.len())?;
    let [g0, g1, g2, g3] = generation.to_be_bytes();
    let header = [VERSION, SUITE, (exponent << 4) | (value_type & 0x0F), g0, g1, g2, g3];
    let key = field_key(dek, place)?;
    seal_into(header, nonce, &key, aad(scratch, appliance, place, &header), (text.as_bytes(), padded))
}

/// Opens a ciphertext found at a place with the key of the generation it names.
pub(crate) fn open(
    appliance: &ApplianceId,
    dek: &Key,
    place: &Place,
    parts: &Parts<'_>,
    scratch: &mut Vec<u8>,
) -> Result<Zeroizing<String>, VaultError> {
    let key = field_key(dek, place)?;
    let mut body = open_body(parts, &key, aad(scratch, appliance, place, &parts.header))?;
    let text = String::from_utf8(std::mem::take(&mut *body)).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        VaultError::CiphertextMalformed
    })?;
    Ok(Zeroizing::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets() {
        assert_eq!(OVERHEAD, 35);
        for (length, wanted) in
            [(0, 32), (31, 32), (32, 64), (63, 64), (64, 128), (limits::SEALED_VALUE_BYTES_MAX, 1 << 20)]
        {
            assert_eq!(bucket(length).unwrap().1, wanted, "{length}");
        }
        assert!(matches!(bucket(limits::SEALED_VALUE_BYTES_MAX + 1), Err(VaultError::TooLong { .. })));
    }
}
