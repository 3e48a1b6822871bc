//! Shares of a secret as words: SLIP-0039 (<https://github.com/satoshilabs/slips/blob/master/slip-0039.md>), so that other
//! people's tools can check and combine them. Its word list lies beside this file. Without a passphrase of its own:
//! what is shared is random already. It knows no slots and no appliance; that is `shares`.
//!
//! A share is 20 bits (set 15, extendable 1, exponent 4), 20 bits (group, its threshold, their count, member, its
//! threshold), the value with zeros before it, and 30 bits of a Reed-Solomon checksum; ten bits are a word.

mod field;

use crate::{VaultError, primitives};
use field::{Point, interpolate};
use kernel::Random;
use ring::pbkdf2;
use std::num::NonZeroU32;
use zeroize::Zeroizing;

const WORDS: &str = include_str!("slip39/words.txt");
const RADIX_BITS: usize = 10;
const HEAD_WORDS: usize = 4;
const CHECK_WORDS: usize = 3;
/// A secret of 128 bits; the standard knows none that is shorter.
const WORDS_MIN: usize = 20;
/// A secret of 512 bits; longer ones are not of our making, and cost time to look at.
const WORDS_MAX: usize = 59;
/// Letters that tell each word of the list from all others.
const LETTERS_ENOUGH: usize = 4;
/// Where the digest and the secret lie on the polynomials.
const DIGEST_AT: u8 = 254;
const SECRET_AT: u8 = 255;
const DIGEST_LEN: usize = 4;
const ROUNDS: u8 = 4;
const ROUND_ITERATIONS: u32 = 2_500;

/// Why words are no share. It never says which words they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareFault {
    /// Too few or too many words.
    #[error("a share of this appliance has 33 words; here are {0}")]
    Count(usize),
    /// A word that is not in the list.
    #[error("word {0} is not one of the list of 1024 words: look at the sheet again")]
    Word(usize),
    /// The words are of the list, but one is wrong.
    #[error("the words do not fit together: most likely word {0} is wrong")]
    WrongWord(usize),
    /// The words are of the list, but several are wrong, or two have changed places.
    #[error("the words do not fit together: at least two of them are wrong or have changed places")]
    WrongWords,
    /// The checksum fits, but what it says cannot be.
    #[error("the words are of no share as SLIP-0039 has them")]
    Shape,
}

/// One share.
pub(crate) struct Shard {
    /// The number of the set, 15 bits; the same in all shares that were made together.
    pub(crate) set: u16,
    pub(crate) extendable: bool,
    /// The exponent of the stretching.
    pub(crate) exponent: u8,
    pub(crate) group: u8,
    pub(crate) group_threshold: u8,
    pub(crate) groups: u8,
    /// The place of the member, from 0.
    pub(crate) member: u8,
    /// How many members are needed.
    pub(crate) threshold: u8,
    pub(crate) value: Zeroizing<Vec<u8>>,
}

impl Shard {
    /// Reads words as typed: any white space, any case, four letters of a word are enough.
    pub(crate) fn parse(text: &str) -> Result<Self, ShareFault> {
        let mut numbers = Zeroizing::new(Vec::with_capacity(WORDS_MAX));
        for (at, word) in text.split_whitespace().enumerate().take(WORDS_MAX + 1) {
            numbers.push(number_of(word).ok_or(ShareFault::Word(at + 1))?);
        }
        if !(WORDS_MIN..=WORDS_MAX).contains(&numbers.len()) {
            return Err(ShareFault::Count(text.split_whitespace().take(10_000).count()));
        }
        if checksum(&numbers) != 1 {
            return Err(suspect(&mut numbers).map_or(ShareFault::WrongWords, |at| ShareFault::WrongWord(at + 1)));
        }
        Self::of_numbers(&numbers).ok_or(ShareFault::Shape)
    }

    fn of_numbers(numbers: &[u16]) -> Option<Self> {
        let (head, rest) = numbers.split_first_chunk::<HEAD_WORDS>()?;
        let (body, _) = rest.split_last_chunk::<CHECK_WORDS>()?;
        let [first, second, third, fourth] = head.map(u32::from);
        let (names, places) = ((first << 10) | second, (third << 10) | fourth);
        let four = |bits: u32, shift: u32| u8::try_from((bits >> shift) & 15).unwrap_or_default();
        let shard = Self {
            set: u16::try_from(names >> 5).ok()?,
            extendable: (names >> 4) & 1 == 1,
            exponent: four(names, 0),
            group: four(places, 16),
            group_threshold: four(places, 12) + 1,
            groups: four(places, 8) + 1,
            member: four(places, 4),
            threshold: four(places, 0) + 1,
            value: value_of(body)?,
        };
        (shard.group_threshold <= shard.groups && shard.group < shard.groups).then_some(shard)
    }

    /// The words, with one space between them.
    pub(crate) fn words(&self) -> Zeroizing<String> {
        let bits = |number: u8, shift: u32| u32::from(number.wrapping_sub(1) & 15) << shift;
        let names = (u32::from(self.set) << 5) | (u32::from(self.extendable) << 4) | u32::from(self.exponent);
        let places = (u32::from(self.group) << 16)
            | bits(self.group_threshold, 12)
            | bits(self.groups, 8)
            | (u32::from(self.member) << 4)
            | bits(self.threshold, 0);
        let ten = |bits: u32, shift: u32| u16::try_from((bits >> shift) & 1023).unwrap_or_default();
        let mut numbers = Zeroizing::new(vec![ten(names, 10), ten(names, 0), ten(places, 10), ten(places, 0)]);
        numbers.reserve_exact(WORDS_MAX);
        push_value(&mut numbers, &self.value);
        numbers.extend([0; CHECK_WORDS]);
        let check = checksum(&numbers) ^ 1;
        let length = numbers.len().saturating_sub(CHECK_WORDS);
        numbers.truncate(length);
        numbers.extend([ten(check, 20), ten(check, 10), ten(check, 0)]);
        let list: Vec<&str> = WORDS.lines().collect();
        // Room for all of it at once: a buffer that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(numbers.len() * 9));
        for number in numbers.iter() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(list.get(usize::from(*number)).copied().unwrap_or_default());
        }
        text
    }
}

fn number_of(word: &str) -> Option<u16> {
    let word = Zeroizing::new(word.to_ascii_lowercase());
    let fits = |known: &str| known == *word || (word.len() >= LETTERS_ENOUGH && known.starts_with(word.as_str()));
    let at = WORDS.lines().position(fits)?;
    u16::try_from(at).ok()
}

/// The value behind its words; zeros fill the first of them up, less than a byte's worth and a half.
fn value_of(body: &[u16]) -> Option<Zeroizing<Vec<u8>>> {
    let bits = body.len() * RADIX_BITS;
    let filling = bits % 16;
    let mut value = Zeroizing::new(Vec::with_capacity(bits / 8));
    let (mut held, mut count) = (0u32, 0usize);
    for (at, number) in body.iter().enumerate() {
        held = (held << RADIX_BITS) | u32::from(*number);
        count += RADIX_BITS;
        if at == 0 {
            count = count.checked_sub(filling)?;
            if filling > 8 || held >> count != 0 {
                return None;
            }
        }
        while count >= 8 {
            count -= 8;
            value.push(u8::try_from((held >> count) & 0xff).ok()?);
            held &= (1 << count) - 1;
        }
    }
    Some(value)
}

fn push_value(numbers: &mut Vec<u16>, value: &[u8]) {
    let filling = (value.len() * 8).next_multiple_of(RADIX_BITS) - value.len() * 8;
    let (mut held, mut count) = (0u32, filling);
    for byte in value {
        held = (held << 8) | u32::from(*byte);
        count += 8;
        while count >= RADIX_BITS {
            count -= RADIX_BITS;
            numbers.push(u16::try_from((held >> count) & 1023).unwrap_or_default());
            held &= (1 << count) - 1;
        }
    }
}

/// RS1024 over the words of a share with its checksum; 1 when they fit.
fn checksum(numbers: &[u16]) -> u32 {
    const GENERATOR: [u32; 10] = [
        0x00E0_E040,
        0x01C1_C080,
        0x0383_8100,
        0x0707_0200,
        0x0E0E_0009,
        0x1C0C_2412,
        0x3808_6C24,
        0x3090_FC48,
        0x21B1_F890,
        0x03F3_F120,
    ];
    // The extendable flag decides which name the words are checked under.
    let extendable = numbers.get(1).is_some_and(|second| (second >> 4) & 1 == 1);
    let name: &[u8] = if extendable { b"shamir_extendable" } else { b"shamir" };
    let mut check = 1u32;
    for number in name.iter().map(|byte| u32::from(*byte)).chain(numbers.iter().map(|number| u32::from(*number))) {
        let top = check >> 20;
        check = ((check & 0xF_FFFF) << 10) ^ number;
        for (bit, generator) in GENERATOR.iter().enumerate() {
            check ^= generator & ((top >> bit) & 1).wrapping_neg();
        }
    }
    check
}

/// The one place where another word would make all fit; `None` when there is no such place, or more than one.
fn suspect(numbers: &mut [u16]) -> Option<usize> {
    let mut found = None;
    for at in 0..numbers.len() {
        let was = *numbers.get(at)?;
        for other in 0..1024u16 {
            *numbers.get_mut(at)? = other;
            if checksum(numbers) == 1 {
                if found.is_some() {
                    return None;
                }
                found = Some(at);
            }
        }
        *numbers.get_mut(at)? = was;
    }
    found
}

/// Shares a secret of 16 bytes or more among `count` members of one group, of whom `threshold` are needed (2 at least).
pub(crate) fn split(
    secret: &[u8],
    (threshold, count): (u8, u8),
    set: u16,
    random: &dyn Random,
) -> Result<Vec<Shard>, VaultError> {
    // The exponent only matters for secrets that people made up.
    let (extendable, exponent) = (false, 0);
    let hidden = stretch(secret, (set, extendable, exponent), Way::Hide)?;
    let mut digest = Zeroizing::new(vec![0u8; hidden.len()]);
    let (_, salt) = digest.split_at_mut_checked(DIGEST_LEN).ok_or(VaultError::Primitive)?;
    random.fill(salt);
    let tag = primitives::mac_plain(salt, &hidden);
    digest.iter_mut().zip(tag.as_ref()).take(DIGEST_LEN).for_each(|(byte, of)| *byte = *of);
    let free = threshold.checked_sub(2).ok_or(VaultError::Primitive)?;
    let mut values: Vec<Zeroizing<Vec<u8>>> = Vec::with_capacity(usize::from(count));
    for _ in 0..free {
        let mut value = Zeroizing::new(vec![0u8; hidden.len()]);
        random.fill(&mut value);
        values.push(value);
    }
    for member in free..count {
        let mut points = vec![Point { at: DIGEST_AT, value: &digest }, Point { at: SECRET_AT, value: &hidden }];
        points.extend((0..free).zip(&values).map(|(at, value)| Point { at, value }));
        let value = interpolate(&points, member);
        values.push(value);
    }
    let shard = |(member, value)| Shard {
        set,
        extendable,
        exponent,
        group: 0,
        group_threshold: 1,
        groups: 1,
        member,
        threshold,
        value,
    };
    Ok((0..count).zip(values).map(shard).collect())
}

/// Gives the secret back from shares of one set: of as many groups as are needed, each with as many members. `None` when they do
/// not belong together, are too few or too many, or one of them is not what was handed out.
pub(crate) fn combine(shards: &[&Shard]) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
    let Some(first) = shards.first() else { return Ok(None) };
    let common = |shard: &Shard| {
        (shard.set, shard.extendable, shard.exponent, shard.group_threshold, shard.groups, shard.value.len())
    };
    if shards.iter().any(|shard| common(shard) != common(first)) {
        return Ok(None);
    }
    let mut groups: Vec<(u8, Zeroizing<Vec<u8>>)> = Vec::new();
    for group in 0..first.groups {
        let members: Vec<&Shard> = shards.iter().filter(|shard| shard.group == group).copied().collect();
        let Some(one) = members.first() else { continue };
        let mut places: Vec<u8> = members.iter().map(|shard| shard.member).collect();
        places.sort_unstable();
        places.dedup();
        let whole = places.len() == members.len() && places.len() == usize::from(one.threshold);
        if !whole || members.iter().any(|shard| shard.threshold != one.threshold) {
            return Ok(None);
        }
        let points = members.iter().map(|shard| Point { at: shard.member, value: &shard.value }).collect();
        let Some(value) = recover(one.threshold, points) else { return Ok(None) };
        groups.push((group, value));
    }
    if groups.len() != usize::from(first.group_threshold) {
        return Ok(None);
    }
    let points = groups.iter().map(|(at, value)| Point { at: *at, value }).collect();
    let Some(hidden) = recover(first.group_threshold, points) else { return Ok(None) };
    stretch(&hidden, (first.set, first.extendable, first.exponent), Way::Show).map(Some)
}

fn recover(threshold: u8, points: Vec<Point<'_>>) -> Option<Zeroizing<Vec<u8>>> {
    if threshold == 1 {
        return points.first().map(|point| Zeroizing::new(point.value.to_vec()));
    }
    let (secret, digest) = (interpolate(&points, SECRET_AT), interpolate(&points, DIGEST_AT));
    let (tag, salt) = digest.split_at_checked(DIGEST_LEN)?;
    primitives::mac_plain(salt, &secret).as_ref().starts_with(tag).then_some(secret)
}

#[derive(Clone, Copy)]
enum Way {
    Hide,
    Show,
}

/// The four rounds of Feistel between a secret and what is shared of it.
fn stretch(
    secret: &[u8],
    (set, extendable, exponent): (u16, bool, u8),
    way: Way,
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let half = secret.len() / 2;
    let (left, right) = secret
        .split_at_checked(half)
        .filter(|(left, right)| left.len() == right.len() && half >= 8)
        .ok_or(VaultError::Primitive)?;
    let (mut left, mut right) = (Zeroizing::new(left.to_vec()), Zeroizing::new(right.to_vec()));
    let iterations = NonZeroU32::new(ROUND_ITERATIONS << exponent.min(15)).ok_or(VaultError::Primitive)?;
    for step in 0..ROUNDS {
        let round = match way {
            Way::Hide => step,
            Way::Show => ROUNDS - 1 - step,
        };
        let mut salt = Zeroizing::new(Vec::with_capacity(8 + half));
        if !extendable {
            salt.extend_from_slice(b"shamir");
            salt.extend_from_slice(&set.to_be_bytes());
        }
        salt.extend_from_slice(&right);
        let mut mask = Zeroizing::new(vec![0u8; half]);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &salt, &[round], &mut mask);
        left.iter_mut().zip(mask.iter()).for_each(|(byte, of)| *byte ^= of);
        std::mem::swap(&mut left, &mut right);
    }
    Ok(Zeroizing::new([right.as_slice(), left.as_slice()].concat()))
}
