//! Recovery shares: what other people's implementation made is read, every choice of enough shares opens, and a share that does
//! not help is named.

use crate::{
    Gathering, Secret, Share, SlotKind, Vault, VaultError,
    slip39::{self, Shard, ShareFault},
    tests_support::{CHEAP, PASSPHRASE, TestVault},
};
use kernel::{Code, Fault, ManualClock};
use proptest::prelude::*;
use std::{cell::RefCell, collections::BTreeSet, fs};

fn clock() -> ManualClock {
    ManualClock::at_seconds(1_767_323_045)
}

/// A set of shares with its slot.
fn add(test: &TestVault, numbers: (u8, u8), replaces: Option<u32>) -> Result<(u32, Vec<String>), VaultError> {
    let made = RefCell::new(Vec::new());
    let words = |shares: &[Share]| shares.iter().map(|share| share.words().to_string()).collect();
    let slot = test.vault.slot_add_shares(numbers, "safes", replaces, &clock(), |_, shares| {
        *made.borrow_mut() = words(shares);
        Ok::<(), VaultError>(())
    })?;
    Ok((slot, made.into_inner()))
}

fn gather(vault: &Vault, shares: &[&String]) -> Result<Secret, VaultError> {
    let (slots, mut gathering) = (vault.share_slots()?, Gathering::new());
    for words in shares {
        gathering.add(&slots, words)?;
    }
    gathering.secret(&slots)
}

#[test]
fn every_three_of_five_open_and_no_two_do() {
    let test = TestVault::new();
    let (slot, shares) = add(&test, (3, 5), None).unwrap();
    assert_eq!((slot, shares.len()), (2, 5));
    assert!(shares.iter().all(|words| words.split(' ').count() == 33));
    let appliance = test.vault.appliance().unwrap();
    for left_out in (0..5).flat_map(|first| (0..first).map(move |second| (first, second))) {
        let three: Vec<&String> =
            (0..5).filter(|at| *at != left_out.0 && *at != left_out.1).rev().map(|at| &shares[at]).collect();
        test.vault.seal();
        let secret = gather(&test.vault, &three).unwrap();
        assert_eq!(test.vault.slot_test(&secret).unwrap(), 2);
        assert!(test.vault.is_sealed(), "a test opens nothing");
        test.vault.unseal(&secret).unwrap();
        assert_eq!(test.vault.appliance().unwrap(), appliance);
    }
    let too_few = gather(&test.vault, &[&shares[0], &shares[3]]).map(drop).unwrap_err();
    assert!(matches!(too_few, VaultError::SharesTooFew { given: 2, needed: 3 }), "{too_few}");
    // The file knows how to tell the shares, and holds none.
    let text = fs::read_to_string(test.path()).unwrap();
    // Some of its keys are words of the list as well; two in a row are not.
    let mut pairs = shares.iter().flat_map(|words| {
        let words: Vec<&str> = words.split(' ').collect();
        words.windows(2).map(|pair| pair.join(" ")).collect::<Vec<_>>()
    });
    assert!(pairs.all(|pair| !text.contains(&pair)));
    let kinds: Vec<_> = test.vault.slot_list().unwrap().into_iter().map(|slot| slot.kind).collect();
    assert!(matches!(kinds[..], [SlotKind::Passphrase, SlotKind::Shares { threshold: 3, count: 5, .. }]));
}

#[test]
fn a_share_that_does_not_help_is_named() {
    let (test, other) = (TestVault::new(), TestVault::new());
    let (_, shares) = add(&test, (3, 5), None).unwrap();
    let (_, others) = add(&other, (3, 5), None).unwrap();
    let slots = test.vault.share_slots().unwrap();
    let mut gathering = Gathering::new();
    let gathered = gathering.add(&slots, &shares[4]).unwrap();
    assert_eq!((gathered.shares.as_slice(), gathered.needed, gathered.is_enough()), (&[5][..], 3, false));
    let mut refused = |words: &str| gathering.add(&slots, words).unwrap_err();
    assert!(matches!(refused(&shares[4].to_uppercase()), VaultError::ShareTwice { share: 5 }));
    assert!(matches!(refused(&others[0]), VaultError::ShareForeign { .. }));
    // Somebody who knows the standard alters a share and mends its checksum.
    let mut forged = Shard::parse(&shares[1]).unwrap();
    forged.value[7] ^= 1;
    let forged = refused(&forged.words());
    assert!(matches!(forged, VaultError::ShareForged { share: 2, .. }), "{forged}");
    assert_eq!(Fault::from(forged).code, Code::UnsealFailed);
    // Typing mistakes.
    let words: Vec<&str> = shares[0].split(' ').collect();
    let with = |at: usize, word: &str| {
        let mut words = words.clone();
        words[at] = word;
        words.join(" ")
    };
    assert!(matches!(refused(&with(6, "kontor")), VaultError::ShareWords(ShareFault::Word(7))));
    let another = if words[6] == "academic" { "acid" } else { "academic" };
    assert!(matches!(refused(&with(6, another)), VaultError::ShareWords(ShareFault::WrongWord(7))));
    let swapped = words.iter().zip(&words[1..]).position(|(one, two)| one != two).unwrap();
    let mut changed = words.clone();
    changed.swap(swapped, swapped + 1);
    let fault = refused(&changed.join(" "));
    assert!(matches!(fault, VaultError::ShareWords(ShareFault::WrongWords | ShareFault::WrongWord(_))), "{fault}");
    assert!(matches!(refused(&words[..32].join(" ")), VaultError::ShareWords(_)));
    assert!(matches!(refused(""), VaultError::ShareWords(ShareFault::Count(0))));
    assert!(matches!(refused(&"academic ".repeat(200)), VaultError::ShareWords(ShareFault::Count(200))));
    // Four letters of each word are enough, and what was refused did not spoil what was there.
    let short: Vec<String> = words.iter().map(|word| word.chars().take(4).collect()).collect();
    assert_eq!(gathering.add(&slots, &short.join("\n")).unwrap().shares, [1, 5]);
}

#[test]
fn a_new_set_takes_the_place_of_the_old() {
    let test = TestVault::new();
    let (old, first) = add(&test, (2, 3), None).unwrap();
    let (new, second) = add(&test, (3, 4), Some(old)).unwrap();
    assert_eq!((old, new), (2, 3));
    assert!(matches!(gather(&test.vault, &[&first[0]]), Err(VaultError::ShareForeign { .. })));
    let mixed = gather(&test.vault, &[&second[0], &second[1], &first[2]]).map(drop);
    assert!(matches!(mixed, Err(VaultError::ShareForeign { .. })));
    let secret = gather(&test.vault, &[&second[3], &second[1], &second[0]]).unwrap();
    test.vault.seal();
    test.vault.unseal(&secret).unwrap();
    // Two sets beside each other are gathered apart.
    let (third, beside) = add(&test, (2, 2), None).unwrap();
    let secret = gather(&test.vault, &[&second[0], &beside[0], &beside[1]]).unwrap();
    assert_eq!(test.vault.slot_test(&secret).unwrap(), third);
    // Shares alone may stay; the last slot may not go.
    test.vault.slot_remove(1).unwrap();
    test.vault.slot_remove(new).unwrap();
    assert!(matches!(test.vault.slot_remove(third), Err(VaultError::SlotLast(_))));
    test.vault.seal();
    assert!(matches!(test.vault.unseal(&Secret::passphrase(PASSPHRASE.to_owned())), Err(VaultError::NoSlotOpens)));
}

#[test]
fn nothing_is_changed_when_the_shares_do_not_reach_their_people() {
    let test = TestVault::new();
    let before = fs::read(test.path()).unwrap();
    let failed = test.vault.slot_add_shares((3, 5), "safes", None, &clock(), |_, _| Err(VaultError::Primitive));
    assert!(failed.is_err());
    assert_eq!(fs::read(test.path()).unwrap(), before);
    for numbers in [(1, 5), (0, 0), (6, 5), (2, 17), (2, 1)] {
        assert!(matches!(add(&test, numbers, None), Err(VaultError::SharesNumbers)), "{numbers:?}");
    }
    assert!(matches!(add(&test, (2, 2), Some(9)), Err(VaultError::SlotUnknown(9))));
    assert_eq!(fs::read(test.path()).unwrap(), before);
    test.vault.slot_add(&Secret::passphrase("another long passphrase".to_owned()), "second", CHEAP, &clock()).unwrap();
}

#[test]
fn what_the_slot_says_of_its_shares_cannot_be_changed() {
    let test = TestVault::new();
    let (_, shares) = add(&test, (2, 3), None).unwrap();
    let whole = fs::read_to_string(test.path()).unwrap();
    let secret = gather(&test.vault, &[&shares[0], &shares[1]]).unwrap();
    for (from, to) in [("\"threshold\": 2", "\"threshold\": 3"), ("\"kind\": \"shares\"", "\"kind\": \"key_file\"")] {
        let changed = whole.replace(from, to);
        assert_ne!(changed, whole);
        fs::write(test.path(), changed).unwrap();
        assert!(test.vault.slot_test(&secret).is_err(), "{from}");
    }
    // A scheme of a later version is kept and told about, and opens nothing here.
    fs::write(test.path(), whole.replace("slip-0039", "slip-9999")).unwrap();
    assert!(matches!(test.vault.slot_test(&secret), Err(VaultError::NoSlotOpens)));
    let kinds: Vec<_> = test.vault.slot_list().unwrap().into_iter().map(|slot| slot.kind).collect();
    assert_eq!(kinds.get(1), Some(&SlotKind::Unsupported("shares".to_owned())));
    fs::write(test.path(), whole).unwrap();
    assert_eq!(test.vault.slot_test(&secret).unwrap(), 2);
}

#[test]
fn the_list_has_its_thousand_and_twenty_four_words() {
    let words: Vec<&str> = include_str!("slip39/words.txt").lines().collect();
    assert_eq!((words.len(), words[0], words[1023]), (1024, "academic", "zero"));
    assert!(words.is_sorted() && words.iter().all(|word| (4..=8).contains(&word.len())));
    let heads: BTreeSet<&str> = words.iter().map(|word| &word[..4]).collect();
    assert_eq!(heads.len(), 1024, "four letters tell them apart");
}

/// Sets that the Python package shamir-mnemonic 0.3.0 made, with the secret it made them from: one and two groups, with and
/// without the extendable flag, 128 and 256 bits.
#[test]
fn what_other_peoples_tool_made_gives_its_secret() {
    let text = include_str!("slip39/foreign.json");
    let sets: Vec<(String, Vec<String>)> = serde_json::from_str(text).unwrap();
    assert!(sets.len() >= 6);
    for (wanted, words) in sets {
        let shards: Vec<Shard> = words.iter().map(|words| Shard::parse(words).unwrap()).collect();
        let secret = slip39::combine(&shards.iter().collect::<Vec<_>>()).unwrap().unwrap();
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, wanted);
        for (shard, words) in shards.iter().zip(&words) {
            assert_eq!(shard.words().as_str(), words, "written as it was read");
        }
        let mut forged: Vec<Shard> = words.iter().map(|words| Shard::parse(words).unwrap()).collect();
        forged[0].value[0] ^= 1;
        let forged = slip39::combine(&forged.iter().collect::<Vec<_>>()).unwrap();
        assert!(forged.is_none_or(|secret| shards[0].threshold == 1 && !secret.is_empty()));
        assert!(slip39::combine(&shards[1..].iter().collect::<Vec<_>>()).unwrap().is_none());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_numbers_and_any_secret_come_back(
        secret in proptest::collection::vec(any::<u8>(), 8..17),
        (threshold, count) in (2u8..=16).prop_flat_map(|count| (2u8..=count, Just(count))),
        set in 0u16..(1 << 15),
        skip in any::<usize>(),
    ) {
        let secret: Vec<u8> = secret.iter().flat_map(|byte| [*byte, !*byte]).collect();
        let shards = slip39::split(&secret, (threshold, count), set, &crate::OsRandom::new()).unwrap();
        let words: Vec<String> = shards.iter().map(|shard| shard.words().to_string()).collect();
        let again: Vec<Shard> = words.iter().map(|words| Shard::parse(words).unwrap()).collect();
        let skip = skip % (usize::from(count - threshold) + 1);
        let enough: Vec<&Shard> = again.iter().skip(skip).take(usize::from(threshold)).collect();
        let back = slip39::combine(&enough).unwrap().unwrap();
        prop_assert_eq!(back.as_slice(), secret.as_slice());
        prop_assert!(slip39::combine(&enough[1..]).unwrap().is_none());
    }
}
