//! Unseal slots: every slot opens, nothing else does, and the file survives what happens to files.

use crate::{
    PassphraseCost, Secret, SlotKind, Vault, VaultError,
    tests_support::{CHEAP, PASSPHRASE, TestVault, appliance},
};
use kernel::{Code, Fault, ManualClock};
use proptest::prelude::*;
use std::{fs, os::unix::fs::PermissionsExt, sync::Arc};

fn passphrase(text: &str) -> Secret {
    Secret::passphrase(text.to_owned())
}
fn clock() -> ManualClock {
    ManualClock::at_seconds(1_767_323_045)
}
fn text(test: &TestVault) -> String {
    fs::read_to_string(test.path()).unwrap()
}
fn unseal_anew(test: &TestVault, secret: &Secret) -> Result<(), VaultError> {
    test.vault.seal();
    test.vault.unseal(secret)
}

#[test]
fn any_slot_opens_and_a_wrong_secret_does_not() {
    let test = TestVault::new();
    let key_path = test.folder.path().join("kontor.key");
    let key = Secret::key_file_create(&key_path, &crate::OsRandom::new()).unwrap();
    assert_eq!(test.vault.slot_add(&key, "usb stick", CHEAP, &clock()).unwrap(), 2);
    assert_eq!(test.vault.slot_add(&passphrase("另一个口令另一个口令另一"), "second", CHEAP, &clock()).unwrap(), 3);
    let (appliance, epoch) = test.vault.appliance().unwrap();
    unseal_anew(&test, &passphrase(PASSPHRASE)).unwrap();
    unseal_anew(&test, &Secret::key_file_read(&key_path).unwrap()).unwrap();
    unseal_anew(&test, &passphrase("另一个口令另一个口令另一")).unwrap();
    assert_eq!(test.vault.appliance().unwrap(), (appliance, epoch));
    let wrong = unseal_anew(&test, &passphrase("correct horse batterY")).unwrap_err();
    assert!(matches!(wrong, VaultError::NoSlotOpens) && test.vault.is_sealed());
    assert_eq!(Fault::from(wrong).code, Code::UnsealFailed);
    let kinds: Vec<_> =
        test.vault.slot_list().unwrap().into_iter().map(|slot| (slot.id, slot.kind, slot.label)).collect();
    let (safe, usb, second) = ("safe".to_owned(), "usb stick".to_owned(), "second".to_owned());
    assert_eq!(
        kinds,
        [(1, SlotKind::Passphrase, safe), (2, SlotKind::KeyFile, usb), (3, SlotKind::Passphrase, second)]
    );
}

#[test]
fn two_processes_that_change_the_slots_at_once_lose_nothing() {
    let test = TestVault::new();
    // As a command beside a server: each has a vault of its own over the same file.
    let vaults: Vec<Vault> = (0..4)
        .map(|_| {
            let vault = Vault::sealed(test.path(), Arc::new(crate::OsRandom::new()));
            vault.unseal(&passphrase(PASSPHRASE)).unwrap();
            vault
        })
        .collect();
    std::thread::scope(|scope| {
        for (number, vault) in vaults.iter().enumerate() {
            scope.spawn(move || {
                for round in 0..3 {
                    let label = format!("{number} {round}");
                    vault
                        .slot_add(&passphrase(&format!("a long passphrase {label}")), &label, CHEAP, &clock())
                        .unwrap();
                }
            });
        }
    });
    let mut labels: Vec<String> = test.vault.slot_list().unwrap().into_iter().map(|slot| slot.label).collect();
    labels.sort();
    let mut wanted: Vec<String> = (0..12).map(|one| format!("{} {}", one / 3, one % 3)).collect();
    wanted.push("safe".to_owned());
    assert_eq!(labels, wanted);
}

#[test]
fn two_keyboards_type_the_same_passphrase() {
    let test = TestVault::new();
    test.vault.slot_add(&passphrase("Gru\u{308}n und blau"), "nfd", CHEAP, &clock()).unwrap();
    unseal_anew(&test, &passphrase("Gr\u{fc}n und blau")).unwrap();
}

#[test]
fn the_last_slot_that_opens_stays() {
    let test = TestVault::new();
    let later = r#""slots": [ {"id": 9, "kind": "tpm2", "created_at": "2027-01-01T00:00:00Z", "label": "l", "params": {}, "wrapped": "?"},"#;
    fs::write(test.path(), text(&test).replacen("\"slots\": [", later, 1)).unwrap();
    assert!(matches!(test.vault.slot_remove(1), Err(VaultError::SlotLast(1))));
    assert!(matches!(test.vault.slot_remove(5), Err(VaultError::SlotUnknown(5))));
    test.vault.slot_add(&passphrase("another long passphrase"), "second", CHEAP, &clock()).unwrap();
    test.vault.slot_remove(1).unwrap();
    assert!(matches!(unseal_anew(&test, &passphrase(PASSPHRASE)), Err(VaultError::NoSlotOpens)));
    test.vault.unseal(&passphrase("another long passphrase")).unwrap();
    let kinds: Vec<_> = test.vault.slot_list().unwrap().into_iter().map(|slot| slot.kind).collect();
    assert_eq!(kinds, [SlotKind::Unsupported("tpm2".to_owned()), SlotKind::Passphrase]);
}

#[test]
fn damage_is_told_apart_from_a_wrong_secret() {
    let test = TestVault::new();
    let whole = text(&test);
    let version = whole.replace("\"version\": 1", "\"version\": 2");
    let corrupt = |text: &str| {
        fs::write(test.path(), text).unwrap();
        unseal_anew(&test, &passphrase(PASSPHRASE)).unwrap_err()
    };
    assert!(matches!(corrupt(&version), VaultError::SlotsVersion(2)));
    for damaged in [
        String::new(),
        whole[..whole.len() / 2].to_owned(),
        whole.replace("kontor-slots", "other"),
        whole.replace("\"salt\"", "\"pepper\""),
        whole.replace("\"memory_kib\": 1024", "\"memory_kib\": 4294967295"),
        whole.replace("\"wrapped\": \"", "\"wrapped\": \"AAAA"),
        " ".repeat(300 * 1024),
    ] {
        assert_ne!(damaged, whole);
        assert!(matches!(corrupt(&damaged), VaultError::SlotsCorrupt(_)), "{damaged:.80}");
    }
    // What the slot is bound to cannot be changed either.
    for changed in [whole.replace("\"epoch\": 1", "\"epoch\": 2"), whole.replace("\"id\": 1", "\"id\": 4")] {
        assert_ne!(changed, whole);
        assert!(matches!(corrupt(&changed), VaultError::NoSlotOpens));
    }
    let check = whole.find("\"check\": \"").unwrap() + 10;
    let other = format!("{}AAAA{}", &whole[..check], &whole[check + 4..]);
    assert!(matches!(corrupt(&other), VaultError::SlotsCorrupt(_)));
    fs::remove_file(test.path()).unwrap();
    assert!(matches!(test.vault.unseal(&passphrase(PASSPHRASE)), Err(VaultError::SlotsMissing)));
}

#[test]
fn files_are_private_and_whole() {
    let test = TestVault::new();
    // A left-over of a crash is no obstacle.
    fs::write(test.folder.path().join("slots.json.part"), "half").unwrap();
    test.vault.slot_add(&passphrase("another long passphrase"), "second", CHEAP, &clock()).unwrap();
    assert!(!test.folder.path().join("slots.json.part").exists());
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&test.path()) & 0o177, 0);
    let key_path = test.folder.path().join("kontor.key");
    Secret::key_file_create(&key_path, &crate::OsRandom::new()).map(drop).unwrap();
    assert_eq!(mode(&key_path), 0o600);
    assert!(fs::read_to_string(&key_path).unwrap().starts_with("kontor-key-1:"));
    assert!(matches!(Secret::key_file_create(&key_path, &crate::OsRandom::new()), Err(VaultError::Io { .. })));
    fs::set_permissions(&key_path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(Secret::key_file_read(&key_path), Err(VaultError::KeyFileMode)));
    for wrong in ["", "kontor-key-1:", "kontor-key-1:AAAA", "kontor-key-2:gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp8="]
    {
        assert!(matches!(Secret::key_text(wrong), Err(VaultError::KeyFileFormat)), "{wrong}");
    }
}

#[test]
fn nothing_is_overwritten_and_limits_hold() {
    let test = TestVault::new();
    let random = Arc::new(crate::OsRandom::new());
    let again = Vault::create(test.path(), appliance(1), (&passphrase(PASSPHRASE), "x", CHEAP), &clock(), random);
    assert!(matches!(again, Err(VaultError::SlotsExist)));
    let add = |secret: &Secret, label: &str| test.vault.slot_add(secret, label, CHEAP, &clock()).map(drop);
    assert!(matches!(add(&passphrase("too short"), "x"), Err(VaultError::PassphraseLength)));
    assert!(matches!(add(&passphrase(&"x".repeat(2_000)), "x"), Err(VaultError::PassphraseLength)));
    for label in [String::new(), "a\nb".to_owned(), "x".repeat(101)] {
        assert!(matches!(add(&passphrase(PASSPHRASE), &label), Err(VaultError::SlotLabel)));
    }
    let key = Secret::key_text("kontor-key-1:gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp8=").unwrap();
    (2..=16).for_each(|_| add(&key, "x").unwrap());
    assert!(matches!(add(&key, "x"), Err(VaultError::SlotsFull)));
    test.vault.seal();
    assert!(matches!(add(&key, "x"), Err(VaultError::Sealed)));
}

#[test]
fn the_default_cost_works() {
    let test = TestVault::new();
    let cost = PassphraseCost::default();
    assert_eq!((cost.memory_kib, cost.passes, cost.lanes), (65_536, 3, 1));
    test.vault.slot_add(&passphrase("a passphrase of full cost"), "real", cost, &clock()).unwrap();
    test.vault.slot_remove(1).unwrap();
    unseal_anew(&test, &passphrase("a passphrase of full cost")).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_passphrase_round_trips(text in "\\PC{12,40}", other in "\\PC{12,40}") {
        let test = TestVault::new();
        test.vault.slot_add(&passphrase(&text), "p", CHEAP, &clock()).unwrap();
        prop_assert!(unseal_anew(&test, &passphrase(&text)).is_ok());
        let same = unicode_normalization::UnicodeNormalization::nfc(text.as_str())
            .eq(unicode_normalization::UnicodeNormalization::nfc(other.as_str()));
        prop_assert_eq!(unseal_anew(&test, &passphrase(&other)).is_ok(), same);
    }
}
