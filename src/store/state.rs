//! The state hash of a record row: what an audit entry says the row looked like, and what the verifier computes again.
//! Format: SHA-256 over `"kontor-row-v1"`, the object's name and a deterministic CBOR map of column name to stored value,
//! names in byte order, columns without a value and sort keys left out: a sort key follows from its text, and a field that
//! gets one later has changed in no record. Adding a field therefore changes no hash.

use crate::StoreError;
use crate::engine::Cell;
use minicbor::Encoder;

/// Hashes one row; `columns` and `cells` run side by side and hold every column but the row number and search tokens.
pub(crate) fn row_state<'c>(
    object: &str,
    columns: impl Iterator<Item = (&'c str, &'c Cell)>,
) -> Result<[u8; 32], StoreError> {
    let mut present: Vec<(&str, &Cell)> =
        columns.filter(|(name, cell)| !cell.is_null() && !name.ends_with("__sort")).collect();
    present.sort_by_key(|(name, _)| *name);
    let mut encoder = Encoder::new(Vec::with_capacity(512));
    encode(&mut encoder, object, &present).map_err(|error| StoreError::damaged(error.to_string()))?;
    let digest = ring::digest::digest(&ring::digest::SHA256, encoder.writer());
    let mut state = [0; 32];
    state.copy_from_slice(digest.as_ref());
    Ok(state)
}

fn encode(
    encoder: &mut Encoder<Vec<u8>>,
    object: &str,
    present: &[(&str, &Cell)],
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    encoder.str("kontor-row-v1")?.str(object)?.map(u64::try_from(present.len()).unwrap_or(u64::MAX))?;
    for (name, cell) in present {
        encoder.str(name)?;
        match cell {
            Cell::Null(_) => encoder.null()?,
            Cell::Text(text) => encoder.str(text)?,
            Cell::Int(number) => encoder.i64(*number)?,
            Cell::Bin(bytes) => encoder.bytes(bytes)?,
            Cell::Bool(flag) => encoder.bool(*flag)?,
        };
    }
    Ok(())
}
