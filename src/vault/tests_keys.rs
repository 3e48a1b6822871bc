//! The life of data keys: made once, shared after a commit only, rotated, forgotten, refused when sealed.

use crate::{
    BlindIndex, Class, KeyStore, Plain, Secret, VaultError, signature_is_good,
    tests_support::{MemoryStore, PASSPHRASE, Reader, TestVault, contact, place, record},
};
use kernel::{Code, Fault};

fn plain(text: &str) -> Plain {
    Plain::receive(place(&contact(), "mobile", record(1), record(2)), text.to_owned())
}

#[test]
fn a_key_that_was_rolled_back_is_not_used_again() {
    let test = TestVault::new();
    let mut store = MemoryStore::default();
    let mut first = test.vault.key_use().unwrap();
    first.seal(&mut store, plain("a")).unwrap();
    drop(first);
    store.rows.clear();
    let mut second = test.vault.key_use().unwrap();
    second.seal(&mut store, plain("b")).unwrap();
    assert_eq!(store.rows.len(), 1, "a new key was stored");
    second.commit();
    let loads = store.loads;
    let mut third = test.vault.key_use().unwrap();
    third.seal(&mut store, plain("c")).unwrap();
    assert_eq!(store.loads, loads, "the committed key came from the cache");
}

#[test]
fn two_transactions_agree_on_the_key_stored_first() {
    let test = TestVault::new();
    let (mut store, mut rival) = (MemoryStore::default(), MemoryStore::default());
    let mut other = test.vault.key_use().unwrap();
    let theirs = other.seal(&mut rival, plain("theirs")).unwrap();
    store.rival = Some(rival.rows);
    let mut keys = test.vault.key_use().unwrap();
    keys.seal(&mut store, plain("ours")).unwrap();
    let (reader, place) = (Reader::new(&[]), *theirs.place());
    let grant = reader.grant(&contact(), record(1));
    assert_eq!(keys.open(&mut store, &grant, place, theirs.bytes()).unwrap().expose(&grant).unwrap(), "theirs");
}

#[test]
fn rotation_keeps_old_values_and_rewraps_them() {
    let test = TestVault::new();
    let mut store = MemoryStore::default();
    let mut keys = test.vault.key_use().unwrap();
    let old = keys.seal(&mut store, plain("kept")).unwrap();
    let here = *old.place();
    assert!(keys.rewrap(&mut store, here, old.bytes()).unwrap().is_none());
    keys.commit();
    let mut stale = test.vault.key_use().unwrap();
    stale.seal(&mut store, plain("x")).unwrap();
    let mut keys = test.vault.key_use().unwrap();
    assert_eq!(keys.rotate(&mut store, record(2), Class::Basic).unwrap(), 2);
    let new = keys.rewrap(&mut store, here, old.bytes()).unwrap().unwrap();
    assert_eq!(new.bytes()[3..7], [0, 0, 0, 2]);
    keys.commit();
    let reader = Reader::new(&[]);
    let grant = reader.grant(&contact(), record(1));
    for bytes in [old.bytes(), new.bytes()] {
        // Also a transaction that knew the first generation only finds the second.
        assert_eq!(stale.open(&mut store, &grant, here, bytes).unwrap().expose(&grant).unwrap(), "kept");
    }
    let missing = test.vault.key_use().unwrap().rotate(&mut store, record(9), Class::Basic);
    assert!(matches!(missing, Err(VaultError::KeyMissing)));
}

#[test]
fn an_erased_subject_stays_erased() {
    let test = TestVault::new();
    let mut store = MemoryStore::default();
    let mut keys = test.vault.key_use().unwrap();
    let sealed = keys.seal(&mut store, plain("gone")).unwrap();
    keys.commit();
    let mut reading = test.vault.key_use().unwrap();
    let (reader, here) = (Reader::new(&[]), *sealed.place());
    let grant = reader.grant(&contact(), record(1));
    reading.open(&mut store, &grant, here, sealed.bytes()).unwrap();
    store.rows.clear();
    test.vault.forget(record(2));
    reading.commit();
    let mut after = test.vault.key_use().unwrap();
    assert!(matches!(after.open(&mut store, &grant, here, sealed.bytes()), Err(VaultError::KeyMissing)));
}

#[test]
fn a_page_needs_one_query() {
    let test = TestVault::new();
    let (mut store, object) = (MemoryStore::default(), contact());
    let mut keys = test.vault.key_use().unwrap();
    let mut sealed = Vec::new();
    for number in 1..=20 {
        let at = place(&object, "mobile", record(number), record(number));
        sealed.push(keys.seal(&mut store, Plain::receive(at, number.to_string())).unwrap());
    }
    drop(keys);
    store.loads = 0;
    let mut keys = test.vault.key_use().unwrap();
    let wanted: Vec<_> = (1..=25).map(|number| (record(number), Class::Basic)).collect();
    keys.prefetch(&mut store, &wanted).unwrap();
    let reader = Reader::new(&[]);
    for sealed in &sealed {
        let grant = reader.grant(&object, sealed.place().record());
        keys.open(&mut store, &grant, *sealed.place(), sealed.bytes()).unwrap();
    }
    assert_eq!(store.loads, 1);
}

#[test]
fn stored_keys_belong_to_their_place() {
    let test = TestVault::new();
    let mut store = MemoryStore::default();
    let mut keys = test.vault.key_use().unwrap();
    keys.seal(&mut store, plain("a")).unwrap();
    let wrapped = store.rows.remove(&(record(2), Class::Basic, 1)).unwrap();
    assert_eq!(wrapped.len(), crate::WRAPPED_LEN);
    let refused = |wrapped: Vec<u8>, id| {
        let mut store = MemoryStore::default();
        store.rows.insert(id, wrapped);
        test.vault.key_use().unwrap().seal(&mut store, plain("b")).map(drop).unwrap_err()
    };
    let here = (record(2), Class::Basic, 1);
    for at in 0..wrapped.len() {
        let mut changed = wrapped.clone();
        changed[at] ^= 1;
        let error = refused(changed, here);
        let fits = match at {
            0 => matches!(error, VaultError::KeyFormat(0)),
            1..=4 => matches!(error, VaultError::EpochUnknown { known: 1, .. }),
            _ => matches!(error, VaultError::KeyRefused),
        };
        assert!(fits, "byte {at}: {error:?}");
    }
    assert!(matches!(refused(wrapped[..64].to_vec(), here), VaultError::KeyRefused));
    assert!(matches!(refused(wrapped, (record(2), Class::Basic, 2)), VaultError::KeyRefused));
}

#[test]
fn sealed_means_nothing_opens() {
    let test = TestVault::new();
    let mut store = MemoryStore::default();
    let mut keys = test.vault.key_use().unwrap();
    let sealed = keys.seal(&mut store, plain("a")).unwrap();
    test.vault.seal();
    assert!(test.vault.is_sealed());
    let refused = |result: Result<(), VaultError>| assert!(matches!(result, Err(VaultError::Sealed)), "{result:?}");
    let here = *sealed.place();
    refused(keys.seal(&mut store, plain("b")).map(drop));
    refused(keys.matches(&mut store, here, sealed.bytes(), "a").map(drop));
    refused(keys.rewrap(&mut store, here, sealed.bytes()).map(drop));
    refused(keys.rotate(&mut store, record(2), Class::Basic).map(drop));
    refused(keys.prefetch(&mut store, &[(record(2), Class::Basic)]));
    refused(keys.blind(&plain("a"), BlindIndex::Whole).map(drop));
    refused(keys.unique_tag(&plain("a")).map(drop));
    refused(keys.audit_mac(&plain("a")).map(drop));
    refused(test.vault.key_use().map(drop));
    refused(test.vault.audit_mac("contact", "city", record(1), b"x").map(drop));
    refused(test.vault.seal_internal("l", b"c", b"x").map(drop));
    refused(test.vault.open_internal("l", b"c", b"x").map(drop));
    refused(test.vault.signing_key(&mut store).map(drop));
    assert_eq!(Fault::from(VaultError::Sealed).code, Code::Sealed);
    test.vault.unseal(&Secret::passphrase(PASSPHRASE.to_owned())).unwrap();
    assert!(test.vault.key_use().unwrap().matches(&mut store, here, sealed.bytes(), "a").unwrap());
}

#[test]
fn the_signing_key_is_made_once() {
    let test = TestVault::new();
    let mut store = MemoryStore::default();
    let key = test.vault.signing_key(&mut store).unwrap();
    let again = test.vault.signing_key(&mut store).unwrap();
    assert_eq!(key.public(), again.public());
    let signature = key.sign(b"checkpoint").unwrap();
    assert!(signature_is_good(again.public(), b"checkpoint", &signature));
    assert!(!signature_is_good(again.public(), b"checkpoinT", &signature));
    assert_eq!(store.load_named("checkpoint-signing").unwrap().unwrap().len(), crate::WRAPPED_LEN);
}

#[test]
fn internal_blobs_open_under_their_label_and_context_only() {
    let test = TestVault::new();
    let sealed = test.vault.seal_internal("idempotency", b"1", b"answer").unwrap();
    assert_eq!(**test.vault.open_internal("idempotency", b"1", &sealed).unwrap(), *b"answer");
    for (label, context) in [("idempotency", b"2"), ("config", b"1")] {
        let opened = test.vault.open_internal(label, context, &sealed);
        assert!(matches!(opened, Err(VaultError::CiphertextRefused)));
    }
    for at in 7..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        let opened = test.vault.open_internal("idempotency", b"1", &changed);
        assert!(matches!(opened, Err(VaultError::CiphertextRefused)));
    }
}
