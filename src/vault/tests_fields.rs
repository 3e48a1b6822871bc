//! What a sealed value must survive and must not: it opens where it belongs and nowhere else, tells its length only
//! roughly, and every changed byte is found.

use crate::{
    ChangePlace, Class, OVERHEAD, OsRandom, Place, Plain, VaultError,
    tests_support::{MemoryStore, Reader, TestVault, appliance, contact, object, place, record},
};
use authz::Level;
use kernel::limits;
use proptest::prelude::*;
use std::sync::{Arc, LazyLock, Mutex};

struct World {
    vault: TestVault,
    store: MemoryStore,
}
static WORLD: LazyLock<Mutex<World>> =
    LazyLock::new(|| Mutex::new(World { vault: TestVault::new(), store: MemoryStore::default() }));

impl World {
    fn seal(&mut self, place: Place, text: &str) -> Vec<u8> {
        let mut keys = self.vault.vault.key_use().unwrap();
        let sealed = keys.seal(&mut self.store, Plain::receive(place, text.to_owned())).unwrap();
        keys.commit();
        sealed.into_bytes()
    }
    fn open(&mut self, place: Place, bytes: &[u8]) -> Result<String, VaultError> {
        let (reader, object) = (Reader::new(&[]), object(place.object()));
        let grant = reader.grant(&object, place.record());
        let mut keys = self.vault.vault.key_use().unwrap();
        let opened = keys.open(&mut self.store, &grant, place, bytes)?;
        Ok(opened.expose(&grant)?.to_owned())
    }
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[ -~]{0,140}", "[一-龥]{0,60}", Just("\0\u{80}\0".to_owned())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn opens_where_it_belongs_and_nowhere_else(text in texts()) {
        let mut world = WORLD.lock().unwrap();
        let here = place(&contact(), "mobile", record(1), record(2));
        let bytes = world.seal(here, &text);
        prop_assert_eq!(world.open(here, &bytes).unwrap(), text);
        // Keys of the other subject and the other class exist, so that only the binding can refuse.
        world.seal(place(&contact(), "mobile", record(1), record(3)), "x");
        world.seal(place(&contact(), "note", record(1), record(2)), "x");
        for elsewhere in [
            place(&contact(), "mobile", record(4), record(2)),
            place(&contact(), "mobile", record(1), record(3)),
            place(&contact(), "phone", record(1), record(2)),
            place(&contact(), "note", record(1), record(2)),
            place(&object("lead"), "mobile", record(1), record(2)),
        ] {
            prop_assert!(matches!(world.open(elsewhere, &bytes), Err(VaultError::CiphertextRefused)));
        }
    }

    #[test]
    fn length_tells_the_bucket_only(length in 0usize..5_000) {
        let mut world = WORLD.lock().unwrap();
        let bytes = world.seal(place(&contact(), "note", record(1), record(2)), &"x".repeat(length));
        let bucket = (length + 1).next_power_of_two().max(32);
        prop_assert_eq!(bytes.len(), bucket + OVERHEAD);
    }

    #[test]
    fn rubbish_is_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), lead in 0u8..4) {
        let mut world = WORLD.lock().unwrap();
        let here = place(&contact(), "mobile", record(1), record(2));
        let mut bytes = bytes;
        for (byte, wanted) in bytes.iter_mut().zip([0xC1, 0x01, 0x0B, 0]).take(usize::from(lead)) {
            *byte = wanted;
        }
        prop_assert!(world.open(here, &bytes).is_err());
    }
}

#[test]
fn every_changed_byte_is_found() {
    let mut world = WORLD.lock().unwrap();
    let here = place(&contact(), "mobile", record(1), record(2));
    let bytes = world.seal(here, "+8613800138000");
    for at in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            let error = world.open(here, &changed).unwrap_err();
            let fits = match at {
                0 => matches!(error, VaultError::VersionUnknown(_)),
                1 => matches!(error, VaultError::SuiteUnknown(_)),
                2 => matches!(error, VaultError::CiphertextRefused | VaultError::CiphertextMalformed),
                3..=6 => matches!(error, VaultError::KeyMissing),
                _ => matches!(error, VaultError::CiphertextRefused),
            };
            assert!(fits, "byte {at}: {error:?}");
        }
    }
    for cut in 0..bytes.len() {
        assert!(world.open(here, &bytes[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn another_appliance_with_the_same_keys_cannot_open() {
    // The whole of the appliance's files is copied, and only its id is another.
    let mut one =
        World { vault: TestVault::of(appliance(1), Arc::new(OsRandom::new())), store: MemoryStore::default() };
    let here = place(&contact(), "mobile", record(1), record(2));
    let bytes = one.seal(here, "text");
    let text = std::fs::read_to_string(one.vault.path()).unwrap();
    let other = text.replace(&appliance(1).to_string(), &appliance(2).to_string());
    assert_ne!(text, other);
    std::fs::write(one.vault.path(), other).unwrap();
    one.vault.vault.seal();
    let secret = crate::Secret::passphrase(crate::tests_support::PASSPHRASE.to_owned());
    assert!(matches!(one.vault.vault.unseal(&secret), Err(VaultError::NoSlotOpens)));
    let two = World { vault: TestVault::of(appliance(2), Arc::new(OsRandom::new())), store: one.store.clone() };
    let mut two = two;
    assert!(matches!(two.open(here, &bytes), Err(VaultError::KeyRefused)));
}

#[test]
fn the_same_text_never_gives_the_same_bytes() {
    let mut world = WORLD.lock().unwrap();
    let here = place(&contact(), "mobile", record(1), record(2));
    assert_ne!(world.seal(here, "same"), world.seal(here, "same"));
}

#[test]
fn the_largest_value_fits_and_one_byte_more_does_not() {
    let mut world = WORLD.lock().unwrap();
    let here = place(&contact(), "note", record(1), record(2));
    let largest = "x".repeat(limits::SEALED_VALUE_BYTES_MAX);
    let bytes = world.seal(here, &largest);
    assert_eq!(world.open(here, &bytes).unwrap().len(), largest.len());
    let mut keys = world.vault.vault.key_use().unwrap();
    let refused = keys.seal(&mut MemoryStore::default(), Plain::receive(here, largest + "x"));
    assert!(matches!(refused, Err(VaultError::TooLong { .. })));
}

#[test]
fn a_grant_reaches_its_own_record_and_fields_only() {
    let mut world = WORLD.lock().unwrap();
    let definition = contact();
    let here = place(&definition, "mobile", record(1), record(2));
    let bytes = world.seal(here, "secret");
    let mut store = world.store.clone();
    let mut keys = world.vault.vault.key_use().unwrap();
    let reader = Reader::new(&[("contact.email", Level::Masked), ("contact.mobile", Level::Exists)]);
    let (own, other) = (reader.grant(&definition, record(1)), reader.grant(&definition, record(5)));
    let refused = |result: Result<_, VaultError>| matches!(result, Err(VaultError::NotGranted));
    assert!(refused(keys.open(&mut store, &own, here, &bytes).map(drop)), "level exists");
    let seer = Reader::new(&[]);
    let grant = seer.grant(&definition, record(1));
    let opened = keys.open(&mut store, &grant, here, &bytes).unwrap();
    assert_eq!(opened.expose(&grant).unwrap(), "secret");
    assert!(refused(opened.expose(&own).map(drop)), "opened for somebody else");
    assert!(refused(opened.expose(&seer.grant(&definition, record(5))).map(drop)), "another record");
    assert!(refused(opened.expose(&seer.grant(&object("lead"), record(1))).map(drop)), "another object");
    let mail = Plain::receive(place(&definition, "email", record(1), record(2)), "a@b.c".to_owned());
    assert_eq!(mail.expose(&own).unwrap(), "a@b.c", "the mask is made from the text");
    assert!(refused(mail.expose(&other).map(drop)));
    let change = ChangePlace::of(&definition, record(1), record(2), [1; 16]).unwrap();
    let blob = keys.seal_change(&mut store, &change, Class::Basic, b"x").unwrap();
    assert!(refused(keys.open_change(&mut store, &other, change, &blob).map(drop)));
    let elsewhere = ChangePlace::of(&definition, record(1), record(2), [2; 16]).unwrap();
    assert!(matches!(keys.open_change(&mut store, &grant, elsewhere, &blob), Err(VaultError::CiphertextRefused)));
}

#[test]
fn a_plain_field_has_no_place() {
    let object = contact();
    let city = object.field("city").unwrap();
    assert!(matches!(Place::of(&object, city, record(1), record(1)), Err(VaultError::NotSealedField)));
    let mut stranger = object.field("mobile").unwrap().clone();
    stranger.name = "not_here".to_owned();
    assert!(matches!(Place::of(&object, &stranger, record(1), record(1)), Err(VaultError::NotSealedField)));
}

#[test]
fn candidates_are_compared_in_one_spelling() {
    let mut world = WORLD.lock().unwrap();
    let here = place(&contact(), "email", record(1), record(2));
    let bytes = world.seal(here, "Ada@Bank.com");
    let mut keys = world.vault.vault.key_use().unwrap();
    let mut store = world.store.clone();
    assert!(keys.matches(&mut store, here, &bytes, " ada@bank.COM ").unwrap());
    assert!(!keys.matches(&mut store, here, &bytes, "bob@bank.com").unwrap());
    let plain = Plain::receive(here, "Ada@Bank.com".to_owned());
    let index = crate::BlindIndex::Part(metadata::IndexPart::Domain);
    assert_eq!(keys.blind_sealed(&mut store, here, &bytes, index).unwrap(), keys.blind(&plain, index).unwrap());
    assert_eq!(keys.audit_mac_sealed(&mut store, here, &bytes).unwrap(), keys.audit_mac(&plain).unwrap());
}
