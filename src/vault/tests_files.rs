//! Files in chunks: what comes back, and that nothing but the file itself comes back.

#![cfg(test)]

use crate::{
    Class, FILE_CHUNK_LEN, FILE_HEADER_LEN, FILE_SEALED_CHUNK_LEN, FileOpener, FilePlace, FileSealer, VaultError,
    file_sealed_len,
    tests_support::{MemoryStore, Reader, TestVault, appliance, contact, object, record},
};
use authz::Level;
use proptest::prelude::*;
use std::sync::Arc;

fn seal_with(mut sealer: FileSealer, plain: &[u8]) -> Vec<u8> {
    let mut out = sealer.header().to_vec();
    let mut chunks = plain.chunks(FILE_CHUNK_LEN).peekable();
    if plain.is_empty() {
        let mut chunk = Vec::new();
        sealer.seal(&mut chunk, true).unwrap();
        out.extend(chunk);
    }
    while let Some(chunk) = chunks.next() {
        let mut chunk = chunk.to_vec();
        sealer.seal(&mut chunk, chunks.peek().is_none()).unwrap();
        out.extend(chunk);
    }
    out
}

fn open_with(mut opener: FileOpener, body: &[u8]) -> Result<Vec<u8>, VaultError> {
    let mut out = Vec::new();
    let mut chunks = body.chunks(FILE_SEALED_CHUNK_LEN).peekable();
    if body.is_empty() {
        return opener.open(&[], true).map(|plain| plain.to_vec());
    }
    while let Some(chunk) = chunks.next() {
        out.extend_from_slice(&opener.open(chunk, chunks.peek().is_none())?);
    }
    Ok(out)
}

/// One file of one record.
struct Scene {
    vault: TestVault,
    store: MemoryStore,
    reader: Reader,
}

impl Scene {
    fn new() -> Self {
        Self { vault: TestVault::new(), store: MemoryStore::default(), reader: Reader::new(&[]) }
    }
    fn place(&self, of: u8, file: u8) -> FilePlace {
        FilePlace::of(&contact(), record(of), record(of), record(file)).unwrap()
    }
    fn seal(&mut self, place: &FilePlace, plain: &[u8]) -> Vec<u8> {
        let mut keys = self.vault.vault.key_use().unwrap();
        let sealer = keys.file_seal(&mut self.store, place, Class::IdentityDocument).unwrap();
        keys.commit();
        seal_with(sealer, plain)
    }
    fn open(&mut self, place: &FilePlace, of: u8, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let object = contact();
        let grant = self.reader.grant(&object, record(of));
        let Some((header, body)) = sealed.split_at_checked(FILE_HEADER_LEN) else {
            return Err(VaultError::CiphertextMalformed);
        };
        let mut keys = self.vault.vault.key_use().unwrap();
        let opener = keys.file_open(&mut self.store, &grant, place, header)?;
        open_with(opener, body)
    }
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
}

#[test]
fn what_was_sealed_opens_at_every_length_around_a_chunk() {
    let mut scene = Scene::new();
    let place = scene.place(1, 9);
    for length in [0, 1, FILE_CHUNK_LEN - 1, FILE_CHUNK_LEN, FILE_CHUNK_LEN + 1, 2 * FILE_CHUNK_LEN, 50_000] {
        let plain = bytes(length);
        let sealed = scene.seal(&place, &plain);
        assert_eq!(sealed.len() as u64, file_sealed_len(length as u64), "{length}");
        assert!(length < 16 || !sealed.windows(16).any(|window| window == &plain[..16]), "{length}");
        assert_eq!(scene.open(&place, 1, &sealed).unwrap(), plain, "{length}");
        assert_ne!(sealed, scene.seal(&place, &plain), "every sealing has a key of its own");
    }
}

#[test]
fn a_file_that_was_changed_cut_swapped_or_moved_does_not_open() {
    let mut scene = Scene::new();
    let place = scene.place(1, 9);
    let sealed = scene.seal(&place, &bytes(3 * FILE_CHUNK_LEN));
    let chunk =
        |at: usize| FILE_HEADER_LEN + at * FILE_SEALED_CHUNK_LEN..FILE_HEADER_LEN + (at + 1) * FILE_SEALED_CHUNK_LEN;
    let mut tampered: Vec<(String, Vec<u8>)> = Vec::new();
    for at in [2, 3, 7, FILE_HEADER_LEN - 1, FILE_HEADER_LEN, FILE_HEADER_LEN + FILE_SEALED_CHUNK_LEN, sealed.len() - 1]
    {
        let mut bad = sealed.clone();
        bad[at] ^= 1;
        tampered.push((format!("byte {at} flipped"), bad));
    }
    for kept in [FILE_HEADER_LEN, chunk(0).end, chunk(1).end, chunk(1).end + 20, sealed.len() - 1] {
        tampered.push((format!("cut to {kept}"), sealed[..kept].to_vec()));
    }
    let mut longer = sealed.clone();
    longer.push(0);
    tampered.push(("lengthened".to_owned(), longer));
    let mut swapped = sealed[..FILE_HEADER_LEN].to_vec();
    for at in [1, 0, 2] {
        swapped.extend_from_slice(&sealed[chunk(at)]);
    }
    tampered.push(("chunks swapped".to_owned(), swapped));
    let mut dropped = sealed[..FILE_HEADER_LEN].to_vec();
    dropped.extend_from_slice(&sealed[chunk(1)]);
    dropped.extend_from_slice(&sealed[chunk(2)]);
    tampered.push(("first chunk dropped".to_owned(), dropped));
    let mut doubled = sealed[..chunk(0).end].to_vec();
    doubled.extend_from_slice(&sealed[chunk(0)]);
    doubled.extend_from_slice(&sealed[chunk(2)]);
    tampered.push(("a chunk doubled".to_owned(), doubled));
    let other = scene.seal(&place, &bytes(3 * FILE_CHUNK_LEN));
    let mut mixed = sealed.clone();
    mixed[chunk(1)].copy_from_slice(&other[chunk(1)]);
    tampered.push(("a chunk of another sealing of the same file".to_owned(), mixed));
    let mut head = other[..FILE_HEADER_LEN].to_vec();
    head.extend_from_slice(&sealed[FILE_HEADER_LEN..]);
    tampered.push(("the header of another sealing".to_owned(), head));
    for (what, bad) in tampered {
        assert!(scene.open(&place, 1, &bad).is_err(), "{what}");
    }
    assert!(scene.open(&place, 1, &sealed).is_ok());

    let elsewhere = [
        FilePlace::of(&contact(), record(1), record(1), record(8)).unwrap(),
        FilePlace::of(&object("account"), record(1), record(1), record(9)).unwrap(),
        FilePlace::of(&contact(), record(1), record(2), record(9)).unwrap(),
        scene.place(2, 9),
    ];
    // The other subjects have keys, too.
    let second = scene.place(2, 9);
    let _ = scene.seal(&second, b"x");
    for (at, place) in elsewhere.iter().enumerate() {
        assert!(scene.open(place, 1, &sealed).is_err(), "place {at}");
        assert!(scene.open(place, 2, &sealed).is_err(), "place {at}");
    }
    let stranger = TestVault::of(appliance(2), Arc::new(crate::OsRandom::new()));
    scene.vault = stranger;
    assert!(scene.open(&place, 1, &sealed).is_err(), "another appliance");
}

#[test]
fn a_file_opens_only_for_who_sees_the_files_of_its_record() {
    let mut scene = Scene::new();
    let place = scene.place(1, 9);
    let sealed = scene.seal(&place, b"passport");
    assert!(matches!(scene.open(&place, 2, &sealed), Err(VaultError::NotGranted)));
    scene.reader = Reader::new(&[("contact.attachments", Level::Masked)]);
    assert!(matches!(scene.open(&place, 1, &sealed), Err(VaultError::NotGranted)));
    scene.reader = Reader::new(&[("contact.attachments", Level::Read)]);
    assert!(scene.open(&place, 1, &sealed).is_ok());
    scene.store.rows.clear();
    scene.vault.vault.forget(record(1));
    assert!(matches!(scene.open(&place, 1, &sealed), Err(VaultError::KeyMissing)), "erased with the subject's key");
}

#[test]
fn chunks_have_one_size_and_an_end() {
    let scene = Scene::new();
    let mut sealer = scene.vault.vault.file_seal_internal("import", record(1)).unwrap();
    assert!(sealer.seal(&mut vec![0; FILE_CHUNK_LEN + 1], true).is_err());
    assert!(sealer.seal(&mut vec![0; 5], false).is_err());
    sealer.seal(&mut vec![0; 5], true).unwrap();
    assert!(sealer.seal(&mut vec![0; 5], true).is_err(), "nothing comes after the last");
}

#[test]
fn the_appliances_own_files_open_under_their_label_and_id() {
    let mut scene = Scene::new();
    let vault = &scene.vault.vault;
    let sealed = seal_with(vault.file_seal_internal("import", record(1)).unwrap(), b"a,b");
    let (header, body) = sealed.split_at(FILE_HEADER_LEN);
    assert_eq!(open_with(vault.file_open_internal("import", record(1), header).unwrap(), body).unwrap(), b"a,b");
    assert!(vault.file_open_internal("import", record(2), header).is_err());
    assert!(vault.file_open_internal("export", record(1), header).is_err());
    let place = scene.place(1, 1);
    assert!(scene.open(&place, 1, &sealed).is_err(), "and not as the file of a record");
    let of_record = scene.seal(&place, b"x");
    assert!(scene.vault.vault.file_open_internal("import", record(1), &of_record[..FILE_HEADER_LEN]).is_err());
    scene.vault.vault.seal();
    assert!(matches!(scene.vault.vault.file_seal_internal("import", record(1)), Err(VaultError::Sealed)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_one_change_is_seen(length in 0usize..70_000, at in any::<prop::sample::Index>(), flip in 1u8.., cut in any::<prop::sample::Index>()) {
        let scene = Scene::new();
        let vault = &scene.vault.vault;
        let plain = bytes(length);
        let sealed = seal_with(vault.file_seal_internal("import", record(1)).unwrap(), &plain);
        let open = |sealed: &[u8]| {
            let (header, body) = sealed.split_at_checked(FILE_HEADER_LEN).ok_or(VaultError::CiphertextMalformed)?;
            open_with(vault.file_open_internal("import", record(1), header)?, body)
        };
        prop_assert_eq!(open(&sealed).unwrap(), plain);
        let mut bad = sealed.clone();
        bad[at.index(sealed.len())] ^= flip;
        prop_assert!(open(&bad).is_err());
        prop_assert!(open(&sealed[..cut.index(sealed.len())]).is_err());
    }
}
