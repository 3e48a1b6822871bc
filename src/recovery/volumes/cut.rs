//! Where a stream is cut, and which parity belongs to which volumes. Arithmetic only.

use crate::RecoveryError;
use serde::{Deserialize, Serialize};

/// Bytes of a volume that are coded together with those at the same place of its group.
pub(crate) const STRIPE: u64 = 64 * 1024;
/// Room on each volume for descriptions, instructions, label and the file system's own.
const EXTRA_BYTES: u64 = 512 * 1024;
/// Most volumes of a set.
const VOLUMES_MAX: u64 = 999;
/// Most volumes of a group, and most parity volumes of one.
const GROUP_MAX: u32 = 100;

/// How a stream is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Bytes of the stream.
    pub(crate) bytes: u64,
    /// Bytes of the stream on a full volume.
    pub(crate) payload: u64,
    stripe: u64,
    /// Volumes that hold the stream.
    data: u32,
    /// How many of them share their parity.
    group: u32,
    /// Parity volumes of each group: so many of it may be lost.
    parity: u32,
}

/// What a volume holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A piece of the stream.
    Data {
        /// Its place, from 0.
        index: u32,
    },
    /// Parity of a group.
    Parity {
        /// The group, from 0.
        group: u32,
        /// Its place among the parity of the group, from 0.
        row: u32,
    },
}

impl Cut {
    /// A stream of `bytes` on volumes of `volume` bytes each, `parity` of them for each `group` of data volumes.
    ///
    /// # Errors
    /// [`RecoveryError::Refused`] with the number that does not fit.
    pub fn new(bytes: u64, volume: u64, group: u32, parity: u32) -> Result<Self, RecoveryError> {
        let refused = |what: String| Err(RecoveryError::Refused(what));
        let payload = volume.saturating_sub(EXTRA_BYTES) / STRIPE * STRIPE;
        if payload == 0 {
            return refused(format!("volumes of {volume} bytes are too small; name at least 1M"));
        }
        if group == 0 || group > GROUP_MAX || parity > group {
            return refused(format!("groups have 1 to {GROUP_MAX} volumes and no more parity than that"));
        }
        let data = bytes.div_ceil(payload).max(1);
        let cut = |data| Self { bytes, payload, stripe: STRIPE, data, group, parity };
        match u32::try_from(data).map(cut) {
            Ok(cut) if u64::from(cut.volumes()) <= VOLUMES_MAX => Ok(cut),
            _ => refused(format!("that makes more than {VOLUMES_MAX} volumes; name a larger size")),
        }
    }

    /// Whether it could have been made here; what was read from a volume need not.
    pub(crate) fn is_sound(&self) -> bool {
        let small = self.stripe == STRIPE
            && self.payload > 0
            && self.payload.is_multiple_of(STRIPE)
            && (1..=GROUP_MAX).contains(&self.group)
            && self.parity <= self.group;
        small
            && u64::from(self.data) == self.bytes.div_ceil(self.payload).max(1)
            && u64::from(self.data) <= VOLUMES_MAX
            && u64::from(self.volumes()) <= VOLUMES_MAX
    }

    /// How many volumes there are.
    pub fn volumes(&self) -> u32 {
        self.data.saturating_add(self.groups().saturating_mul(self.parity))
    }
    /// Volumes that hold the stream; the first ones.
    pub fn data(&self) -> u32 {
        self.data
    }
    /// How many of a group may be lost.
    pub fn parity(&self) -> u32 {
        self.parity
    }
    /// How many data volumes share their parity.
    pub fn group(&self) -> u32 {
        self.group
    }
    pub(crate) fn groups(&self) -> u32 {
        self.data.div_ceil(self.group)
    }

    /// What the volume of a number holds; they count from 1.
    pub fn part(&self, number: u32) -> Option<Part> {
        let index = number.checked_sub(1)?;
        if index < self.data {
            return Some(Part::Data { index });
        }
        let index = index - self.data;
        let (group, row) = (index.checked_div(self.parity)?, index.checked_rem(self.parity)?);
        (group < self.groups()).then_some(Part::Parity { group, row })
    }

    /// The number of a parity volume.
    pub(crate) fn parity_number(&self, group: u32, row: u32) -> u32 {
        self.data + group * self.parity + row + 1
    }

    /// The group of a data volume, and its place there.
    pub(crate) fn place(&self, index: u32) -> (u32, u32) {
        (index / self.group, index % self.group)
    }

    /// The data volumes of a group.
    pub(crate) fn members(&self, group: u32) -> std::ops::Range<u32> {
        let first = group * self.group;
        first..(first + self.group).min(self.data)
    }

    /// The bytes of the stream on a data volume: from where, and how many.
    pub(crate) fn range(&self, index: u32) -> (u64, u64) {
        let from = u64::from(index) * self.payload;
        (from, self.bytes.saturating_sub(from).min(self.payload))
    }

    /// Bytes that the volume of a number holds. Parity is as long as the longest of its group, in whole stripes.
    pub(crate) fn bytes_of(&self, number: u32) -> u64 {
        match self.part(number) {
            Some(Part::Data { index }) => self.range(index).1,
            Some(Part::Parity { group, .. }) => {
                let longest = self.members(group).map(|index| self.range(index).1).max().unwrap_or(0);
                longest.div_ceil(STRIPE) * STRIPE
            }
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_byte_lies_on_one_volume(bytes in 1u64..200_000_000, size in 600_000u64..40_000_000, group in 1u32..12, parity in 0u32..4) {
            let Ok(cut) = Cut::new(bytes, size, group, parity.min(group)) else { return Ok(()) };
            prop_assert!(cut.is_sound());
            let mut next = 0;
            for number in 1..=cut.volumes() {
                match cut.part(number).unwrap() {
                    Part::Data { index } => {
                        let (from, length) = cut.range(index);
                        prop_assert_eq!((from, cut.bytes_of(number)), (next, length));
                        next += length;
                        let (group, place) = cut.place(index);
                        prop_assert_eq!(cut.members(group).nth(place as usize), Some(index));
                    }
                    Part::Parity { group, row } => prop_assert_eq!(cut.parity_number(group, row), number),
                }
                prop_assert!(cut.bytes_of(number) + EXTRA_BYTES <= size);
            }
            prop_assert_eq!(next, bytes);
            prop_assert_eq!(cut.part(cut.volumes() + 1), None);
            prop_assert_eq!(cut.part(0), None);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (bytes, size, group, parity) in [
            (1, 1_000, 10, 2),
            (u64::MAX, 1 << 20, 10, 2),
            (1, 1 << 20, 0, 0),
            (1, 1 << 20, 2, 3),
            (1, 1 << 20, 101, 1),
        ] {
            assert!(matches!(Cut::new(bytes, size, group, parity), Err(RecoveryError::Refused(_))), "{bytes} {size}");
        }
        let disc = Cut::new(40_000_000_000, 4_700_000_000, 10, 2).unwrap();
        assert_eq!((disc.data(), disc.volumes()), (9, 11));
    }
}
