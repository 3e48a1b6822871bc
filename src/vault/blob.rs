//! Two more kinds of ciphertext with the layout of a field's: the sealed part of an audit entry, under the data subject's
//! key, and the appliance's own blobs (kept answers, configuration secrets), under CS.
//!
//! Change: `0xC2 · 0x01 suite · class · generation u32 · nonce 12 · ciphertext · tag 16`; key HKDF-Expand(DEK,
//! "kontor-change-v1" ‖ object ‖ version, suite); associated data `"kontor-change-v1"`, appliance, object, record,
//! subject, entry id, header. Internal: `0xC3 · 0x01 suite · 0 · epoch u32 · nonce 12 · ciphertext · tag 16`; key
//! HKDF-Expand(CS, "kontor-internal-v1" ‖ label ‖ context); associated data the same with appliance and header.
//! Padding as in a field, to buckets of 32, 64, … 1024 bytes and above that to multiples of 1024.

use crate::{
    ChangePlace, Class, VaultError,
    field::{self, HEADER_LEN, SUITE},
    keys::Keys,
    primitives::{self, Key, put},
};
use kernel::limits;
use zeroize::Zeroizing;

const CHANGE: u8 = 0xC2;
const INTERNAL: u8 = 0xC3;
const STEP: usize = 1024;

fn padded(length: usize) -> Result<usize, VaultError> {
    let limit = limits::SEALED_BLOB_BYTES_MAX;
    if length > limit {
        return Err(VaultError::TooLong { limit });
    }
    let needed = length + 1;
    Ok(if needed <= STEP { needed.next_power_of_two().max(32) } else { needed.next_multiple_of(STEP) })
}

fn change_key(dek: &Key, place: &ChangePlace) -> Result<Key, VaultError> {
    primitives::expand(dek, [b"kontor-change-v1", place.object.as_bytes(), &[CHANGE, SUITE]])
}

fn change_aad(keys: &Keys, place: &ChangePlace, header: &[u8; HEADER_LEN]) -> Vec<u8> {
    let mut aad = Vec::with_capacity(256);
    put(&mut aad, b"kontor-change-v1");
    put(&mut aad, keys.appliance().as_bytes());
    put(&mut aad, place.object.as_bytes());
    put(&mut aad, place.record.as_bytes());
    put(&mut aad, place.subject.as_bytes());
    put(&mut aad, &place.entry);
    put(&mut aad, header);
    aad
}

/// Seals the values of a change under one generation of the subject's key.
pub(crate) fn seal_change(
    keys: &Keys,
    (class, generation, dek): (Class, u32, &Key),
    place: &ChangePlace,
    body: &[u8],
) -> Result<Vec<u8>, VaultError> {
    let [g0, g1, g2, g3] = generation.to_be_bytes();
    let header = [CHANGE, SUITE, class.number(), g0, g1, g2, g3];
    let nonce = primitives::nonce(keys.random.as_ref());
    let key = change_key(dek, place)?;
    field::seal_into(header, nonce, &key, &change_aad(keys, place, &header), (body, padded(body.len())?))
}

/// Which key a sealed change names.
pub(crate) fn change_parts(bytes: &[u8]) -> Result<(Class, field::Parts<'_>), VaultError> {
    let parts = field::parts(bytes, CHANGE)?;
    let class = Class::from_number(parts.flags).ok_or(VaultError::CiphertextMalformed)?;
    Ok((class, parts))
}

/// Opens a sealed change with the key it names.
pub(crate) fn open_change(
    keys: &Keys,
    dek: &Key,
    place: &ChangePlace,
    parts: &field::Parts<'_>,
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    field::open_body(parts, &change_key(dek, place)?, &change_aad(keys, place, &parts.header))
}

/// A key of its own for each label and context: random nonces never have to serve more than a few messages.
fn internal_key(keys: &Keys, label: &str, context: &[u8]) -> Result<Key, VaultError> {
    primitives::expand(&keys.internal, [b"kontor-internal-v1", label.as_bytes(), context])
}

fn internal_aad(keys: &Keys, label: &str, context: &[u8], header: &[u8; HEADER_LEN]) -> Vec<u8> {
    let mut aad = Vec::with_capacity(192);
    put(&mut aad, b"kontor-internal-v1");
    put(&mut aad, keys.appliance().as_bytes());
    put(&mut aad, label.as_bytes());
    put(&mut aad, context);
    put(&mut aad, header);
    aad
}

/// Seals a blob of the appliance itself.
pub(crate) fn seal_internal(keys: &Keys, label: &str, context: &[u8], body: &[u8]) -> Result<Vec<u8>, VaultError> {
    let [e0, e1, e2, e3] = keys.root.epoch.to_be_bytes();
    let header = [INTERNAL, SUITE, 0, e0, e1, e2, e3];
    let nonce = primitives::nonce(keys.random.as_ref());
    let key = internal_key(keys, label, context)?;
    field::seal_into(header, nonce, &key, &internal_aad(keys, label, context, &header), (body, padded(body.len())?))
}

/// Opens a blob of the appliance itself.
pub(crate) fn open_internal(
    keys: &Keys,
    label: &str,
    context: &[u8],
    bytes: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let parts = field::parts(bytes, INTERNAL)?;
    let (found, known) = (parts.number, keys.root.epoch);
    if found != known {
        return Err(VaultError::EpochUnknown { found, known });
    }
    let key = internal_key(keys, label, context)?;
    field::open_body(&parts, &key, &internal_aad(keys, label, context, &parts.header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_grows_in_steps() {
        for (length, wanted) in [(0, 32), (31, 32), (32, 64), (1023, 1024), (1024, 2048), (9_000, 9 * 1024)] {
            assert_eq!(padded(length).unwrap(), wanted, "{length}");
        }
        assert!(padded(limits::SEALED_BLOB_BYTES_MAX + 1).is_err());
    }
}
