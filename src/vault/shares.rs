//! Recovery shares of an appliance: the words that people keep, and the gathering of enough of them. Each share is compared with
//! what the slot knows of it, so that a wrong one is named when it is given and not when it is too late. Shares live in
//! memory only; nothing here writes one down.

use crate::{
    ApplianceId, VaultError,
    primitives::{self, Key},
    slip39::{self, Shard, ShareFault},
    slots::{SALT_LEN, Secret, SecretKind},
};
use kernel::limits;
use zeroize::Zeroizing;

/// Bytes of what a slot keeps of each share.
pub(crate) const MARK_LEN: usize = 16;

/// What the file of slots says of a set.
pub(crate) struct ShareSet {
    pub(crate) set: u16,
    pub(crate) threshold: u8,
    pub(crate) count: u8,
    pub(crate) marks: Vec<[u8; MARK_LEN]>,
}

/// A slot that recovery shares open.
pub struct ShareSlot {
    pub(crate) slot: u32,
    pub(crate) appliance: ApplianceId,
    pub(crate) salt: [u8; SALT_LEN],
    pub(crate) set: ShareSet,
}

impl ShareSlot {
    /// The number of the slot.
    pub fn slot(&self) -> u32 {
        self.slot
    }
    /// How many shares are needed.
    pub fn threshold(&self) -> u8 {
        self.set.threshold
    }
}

/// What tells a share from any other with the same numbers. A share is as long as the secret and as random, so that its hash
/// tells nothing of either.
pub(crate) fn mark(salt: &[u8; SALT_LEN], appliance: &ApplianceId, shard: &Shard) -> [u8; MARK_LEN] {
    let parts: [&[u8]; 5] =
        [b"kontor-share-mark-v1", appliance.as_bytes(), &shard.set.to_be_bytes(), &[shard.member], &shard.value];
    primitives::short(&primitives::mac(salt, parts))
}

/// One recovery share. Wiped when dropped; shows itself only by [`Share::words`].
pub struct Share(Shard);

impl Share {
    pub(crate) fn new(shard: Shard) -> Self {
        Self(shard)
    }
    /// Its number, from 1.
    pub fn number(&self) -> u8 {
        self.0.member + 1
    }
    /// The number of its set.
    pub fn set(&self) -> u16 {
        self.0.set
    }
    /// The words for whoever keeps it, in order, with one space between them.
    pub fn words(&self) -> Zeroizing<String> {
        self.0.words()
    }
}

/// How far the gathering of a set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// The slot that the shares are for.
    pub slot: u32,
    /// The number of the set.
    pub set: u16,
    /// The numbers of the shares that are there, in their order.
    pub shares: Vec<u8>,
    /// How many are needed.
    pub needed: u8,
}

impl Gathered {
    /// Whether they are enough.
    pub fn is_enough(&self) -> bool {
        self.shares.len() >= usize::from(self.needed)
    }
}

/// Shares that are given one after the other, possibly by different people.
#[derive(Default)]
pub struct Gathering(Vec<Share>);

impl Gathering {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a share, after comparing it with the slots.
    ///
    /// # Errors
    /// [`VaultError::ShareWords`] says what is wrong with the words; [`VaultError::ShareForeign`], [`VaultError::ShareForged`] and
    /// [`VaultError::ShareTwice`] name a share that does not help. What was gathered stays.
    pub fn add(&mut self, slots: &[ShareSlot], words: &str) -> Result<Gathered, VaultError> {
        if words.len() > limits::RECOVERY_SHARE_BYTES_MAX {
            return Err(ShareFault::Count(words.split_whitespace().take(10_000).count()).into());
        }
        let share = Share(Shard::parse(words)?);
        let (number, set) = (share.number(), share.set());
        let slot = slots.iter().find(|slot| slot.set.set == set && share.0.value.len() == primitives::KEY_LEN);
        let slot = slot.ok_or(VaultError::ShareForeign { set })?;
        let known = slot.set.marks.get(usize::from(share.0.member));
        if known != Some(&mark(&slot.salt, &slot.appliance, &share.0)) {
            return Err(VaultError::ShareForged { share: number, set });
        }
        if self.0.iter().any(|given| given.set() == set && given.number() == number) {
            return Err(VaultError::ShareTwice { share: number });
        }
        self.0.push(share);
        let mut shares: Vec<u8> = self.0.iter().filter(|share| share.set() == set).map(Share::number).collect();
        shares.sort_unstable();
        Ok(Gathered { slot: slot.slot, set, shares, needed: slot.set.threshold })
    }

    /// The secret of a set that is whole.
    ///
    /// # Errors
    /// [`VaultError::SharesTooFew`]; [`VaultError::NoSlotOpens`] when the shares do not fit together.
    pub fn secret(&self, slots: &[ShareSlot]) -> Result<Secret, VaultError> {
        let mut best = (0, limits::RECOVERY_SHARES_MAX);
        for slot in slots {
            let needed = usize::from(slot.set.threshold);
            let of: Vec<&Shard> =
                self.0.iter().map(|share| &share.0).filter(|shard| shard.set == slot.set.set).collect();
            let Some(enough) = of.get(..needed) else {
                best = best.max((u8::try_from(of.len()).unwrap_or(u8::MAX), slot.set.threshold));
                continue;
            };
            let master = slip39::combine(enough)?.ok_or(VaultError::NoSlotOpens)?;
            let master = Key::from_slice(&master).ok_or(VaultError::NoSlotOpens)?;
            return Ok(Secret(SecretKind::Shares { set: slot.set.set, master }));
        }
        Err(VaultError::SharesTooFew { given: best.0, needed: best.1 })
    }
}
