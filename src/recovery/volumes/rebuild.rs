//! Parity, stripe by stripe: made from the data volumes of a group, and used to make lost ones again.

use super::cut::{Cut, STRIPE};
use crate::RecoveryError;
use reed_solomon_simd::{ReedSolomonDecoder, ReedSolomonEncoder};

/// A stripe in memory.
pub(crate) const STRIPE_LEN: usize = STRIPE as usize;

fn failed(error: reed_solomon_simd::Error) -> RecoveryError {
    RecoveryError::Damaged(format!("the parity cannot be computed: {error}"))
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Makes the parity of one group.
pub(crate) struct Encoder {
    inner: ReedSolomonEncoder,
    row: usize,
}

impl Encoder {
    pub(crate) fn new(cut: &Cut, group: u32, row: u32) -> Result<Self, RecoveryError> {
        let inner = ReedSolomonEncoder::new(cut.members(group).len(), count(cut.parity()), STRIPE_LEN);
        Ok(Self { inner: inner.map_err(failed)?, row: count(row) })
    }

    /// The next stripe of the parity, from the stripes of the data volumes in their order.
    pub(crate) fn stripe(&mut self, data: &[Vec<u8>], into: &mut [u8]) -> Result<(), RecoveryError> {
        for shard in data {
            self.inner.add_original_shard(shard).map_err(failed)?;
        }
        let made = self.inner.encode().map_err(failed)?;
        let shard = made.recovery(self.row).filter(|shard| shard.len() == into.len());
        into.copy_from_slice(shard.ok_or_else(|| RecoveryError::Damaged("there is no such parity".to_owned()))?);
        Ok(())
    }
}

/// One stripe of a lost volume from what is left of its group: by place, data first and parity after it.
pub(crate) fn decode(
    cut: &Cut,
    group: u32,
    lost: u32,
    data: &[(u32, Vec<u8>)],
    parity: &[(u32, Vec<u8>)],
) -> Result<Vec<u8>, RecoveryError> {
    let decoder = ReedSolomonDecoder::new(cut.members(group).len(), count(cut.parity()), STRIPE_LEN);
    let mut decoder = decoder.map_err(failed)?;
    for (place, shard) in data {
        decoder.add_original_shard(count(*place), shard).map_err(failed)?;
    }
    for (row, shard) in parity {
        decoder.add_recovery_shard(count(*row), shard).map_err(failed)?;
    }
    let made = decoder.decode().map_err(failed)?;
    let shard = made.restored_original(count(lost)).map(<[u8]>::to_vec);
    shard.ok_or_else(|| RecoveryError::Damaged("too little of the group is left".to_owned()))
}
