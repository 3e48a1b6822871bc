//! Ciphertexts with fixed keys and nonces. The expected bytes were computed once by an independent program in another
//! language from the written format, not by this crate; the snippet in docs/auditor/cryptography.md opens the first.
//! A change here is a change of the disk format, which is final.

use crate::{
    BlindIndex, ChangePlace, Class, Place, Plain, Secret, Vault,
    tests_support::{Fixed, MemoryStore, Reader, contact, hex, place, record, to_hex},
};
use metadata::IndexPart;
use std::sync::Arc;

const SLOTS: &str = r#"{
  "format": "kontor-slots",
  "version": 1,
  "appliance": "01890a5d-ac96-774b-bcce-b302099a8057",
  "epoch": 1,
  "check": "ftqEWYIjGSL4AKa3+COmuw==",
  "slots": [
    {
      "id": 1,
      "kind": "passphrase",
      "created_at": "2026-01-02T03:04:05.000000Z",
      "label": "safe",
      "params": {
        "kdf": "argon2id",
        "memory_kib": 1024,
        "passes": 1,
        "lanes": 1,
        "salt": "cHFyc3R1dnd4eXp7fH1+fw=="
      },
      "wrapped": "oKGio6SlpqeoqaqrWrrS68GKrc14y684Ct9xFj3MOb3MwMfxnC6c+eS9KBTSNE7AmSCMGOHrL5Zs31AK"
    },
    {
      "id": 2,
      "kind": "key_file",
      "created_at": "2026-01-02T03:04:05.000000Z",
      "label": "file",
      "params": {
        "kdf": "hkdf-sha256",
        "salt": "cHFyc3R1dnd4eXp7fH1+fw=="
      },
      "wrapped": "oKGio6SlpqeoqaqrWaZbgF71hZl3V4nBrfhYP91QbYh8AMc3EnODDTHzpKggvbhOIbQc7yDTYSz+sVqj"
    },
    {
      "id": 7,
      "kind": "tpm2",
      "created_at": "2027-01-02T03:04:05.000000Z",
      "label": "later",
      "params": {
        "pcrs": [
          7
        ]
      },
      "wrapped": "opaque",
      "note": "kept"
    }
  ]
}
"#;
const KEY_FILE: &str = "kontor-key-1:gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp8=";
const TEXT: &str = "+8613800138000";
const FIELD: &str = "c1010b00000003a0a1a2a3a4a5a6a7a8a9aaabd07a2898ff708869d6542a54e91c309140ec615cf70568dda9bb55d524cfca137a3233a6dbc6914d8d83f306bc9e6487";
const DEK: &str = "0100000001a0a1a2a3a4a5a6a7a8a9aaab9ae3ad84b0e30470859ebd1dc915a2bea32f55d1e81259a96dbaf1e7c1951ab9dbc965339d63a1758182785970fc4289";
const SIGNING: &str = "0100000001a0a1a2a3a4a5a6a7a8a9aaab9ae3ad84b0e30470859ebd1dc915a2bea32f55d1e81259a96dbaf1e7c1951ab96645c8fafd5c29111658ded521ee4549";
const CHANGE: &str = "c2010100000003a0a1a2a3a4a5a6a7a8a9aaabc511f8e77491247364537b3600a018c8137085ef575f14ec09310d6a6c596b4d5404b7f9fc02697cac943cc6a5491053";
const INTERNAL: &str = "c3010000000001a0a1a2a3a4a5a6a7a8a9aaaba54893b62a6a6ab327b9fee43c2299f33073a5ea50a1c2d0374c3c4e7eb58aceab338ed574ff2c2c294b08f01efe9130";

fn golden() -> (Vault, MemoryStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slots.json");
    std::fs::write(&path, SLOTS).unwrap();
    let vault = Vault::sealed(path, Arc::new(Fixed));
    vault.unseal(&Secret::passphrase("correct horse battery".to_owned())).unwrap();
    let mut store = MemoryStore::default();
    store.rows.insert((record(2), Class::Basic, 3), hex(DEK));
    (vault, store, folder)
}

fn mobile() -> Place {
    place(&contact(), "mobile", record(1), record(2))
}

#[test]
fn slots_open_and_the_file_keeps_its_text() {
    let (vault, _, folder) = golden();
    vault.seal();
    vault.unseal(&Secret::key_text(KEY_FILE).unwrap()).unwrap();
    // Taking a slot away and leaving the rest: every other byte stays, also of the kind that is not known here.
    vault.slot_remove(2).unwrap();
    let text: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("slots.json")).unwrap()).unwrap();
    let mut wanted: serde_json::Value = serde_json::from_str(SLOTS).unwrap();
    wanted["slots"].as_array_mut().unwrap().remove(1);
    assert_eq!(text, wanted);
}

#[test]
fn field() {
    let (vault, mut store, _folder) = golden();
    let mut keys = vault.key_use().unwrap();
    let sealed = keys.seal(&mut store, Plain::receive(mobile(), TEXT.to_owned())).unwrap();
    assert_eq!(to_hex(sealed.bytes()), FIELD);
    let reader = Reader::new(&[]);
    let grant = reader.grant(&contact(), record(1));
    let opened = keys.open(&mut store, &grant, mobile(), &hex(FIELD)).unwrap();
    assert_eq!(opened.expose(&grant).unwrap(), TEXT);
    assert!(opened.is_of(&contact().field("mobile").unwrap().field_type));
}

#[test]
fn key_ring() {
    let (vault, _, _folder) = golden();
    let mut store = MemoryStore::default();
    // The fixed source draws the same key; only the generation differs, so make two more.
    let mut keys = vault.key_use().unwrap();
    keys.seal(&mut store, Plain::receive(mobile(), TEXT.to_owned())).unwrap();
    keys.rotate(&mut store, record(2), Class::Basic).unwrap();
    keys.rotate(&mut store, record(2), Class::Basic).unwrap();
    assert_eq!(to_hex(&store.rows[&(record(2), Class::Basic, 3)]), DEK);
    vault.signing_key(&mut store).unwrap();
    assert_eq!(to_hex(&store.named["checkpoint-signing"]), SIGNING);
}

#[test]
fn change() {
    let (vault, mut store, _folder) = golden();
    let entry = std::array::from_fn(|at| 0x10 + u8::try_from(at).unwrap());
    let at = ChangePlace::of(&contact(), record(1), record(2), entry).unwrap();
    let mut keys = vault.key_use().unwrap();
    assert_eq!(to_hex(&keys.seal_change(&mut store, &at, Class::Basic, b"old and new").unwrap()), CHANGE);
    let reader = Reader::new(&[]);
    let grant = reader.grant(&contact(), record(1));
    let opened = keys.open_change(&mut store, &grant, at, &hex(CHANGE)).unwrap();
    assert_eq!(opened.expose(&grant).unwrap(), b"old and new");
}

#[test]
fn internal() {
    let (vault, _, _folder) = golden();
    assert_eq!(to_hex(&vault.seal_internal("idempotency", b"key-1", b"answer").unwrap()), INTERNAL);
    assert_eq!(**vault.open_internal("idempotency", b"key-1", &hex(INTERNAL)).unwrap(), *b"answer");
}

#[test]
fn indexes_and_macs() {
    let (vault, _, _folder) = golden();
    let (object, plain) = (contact(), Plain::receive(mobile(), TEXT.to_owned()));
    let field = object.field("mobile").unwrap();
    let keys = vault.key_use().unwrap();
    assert_eq!(keys.blind(&plain, BlindIndex::Whole).unwrap(), Some(45902));
    let last4 = BlindIndex::Part(IndexPart::Last4);
    assert_eq!(keys.blind(&plain, last4).unwrap(), Some(17895));
    assert_eq!(vault.blind_query(&object, field, BlindIndex::Whole, " +86 138-0013-8000").unwrap(), Some(45902));
    assert_eq!(vault.blind_query(&object, field, last4, "8000").unwrap(), Some(17895));
    assert_eq!(to_hex(&keys.unique_tag(&plain).unwrap()), "74f200a7ed783194000befb6f7f7f34e");
    assert_eq!(keys.unique_tag(&plain).unwrap(), vault.unique_query(&object, field, "+86 138 0013 8000").unwrap());
    assert_eq!(to_hex(&keys.audit_mac(&plain).unwrap()), "1d05e38df24da34d98439cc963db2b3c");
    let mac = vault.audit_mac("contact", "mobile", record(1), TEXT.as_bytes()).unwrap();
    assert_eq!(mac, keys.audit_mac(&plain).unwrap());
}
