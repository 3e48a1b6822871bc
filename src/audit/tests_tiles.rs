//! The log on disk: the same tree however it is appended, crashes, locks, partial tiles, proofs, signed checkpoints.

use crate::{
    Anchor, Checkpoint, CheckpointError, Frontier, Hash, HashSource, LogError, Signer, TileReader, TileWriter,
    VerifierKey, consistency_proof, empty_root, inclusion_proof, leaf_hash, node_hash,
    path::{Shelf, TileName},
    range_root,
    sample::TestSigner,
    verify_consistency, verify_inclusion, verify_subtree_consistency, verify_subtree_inclusion,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use std::{convert::Infallible, fs, path::Path};
use tempfile::TempDir;

fn leaves(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("entry {number}").into_bytes()).collect()
}

/// RFC 6962 section 2.1, word for word.
fn naive_root(entries: &[Vec<u8>]) -> Hash {
    match entries.len() {
        0 => empty_root(),
        1 => leaf_hash(&entries[0]),
        n => {
            let k = (0..).map(|power| 1usize << power).take_while(|k| *k < n).last().unwrap();
            node_hash(&naive_root(&entries[..k]), &naive_root(&entries[k..]))
        }
    }
}

struct Memory<'a>(&'a [Vec<u8>]);
impl HashSource for Memory<'_> {
    type Error = Infallible;
    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Infallible> {
        let width = 1usize << level;
        let start = index as usize * width;
        Ok(naive_root(&self.0[start..start + width]))
    }
}

fn exists(folder: &Path, path: &str) -> bool {
    folder.join(path).exists()
}

#[test]
fn paths_are_those_of_the_specification() {
    let name = |number, width| TileName { shelf: Shelf::Hashes(2), number, width }.path();
    assert_eq!(name(1_234_067, 256), "tile/2/x001/x234/067");
    assert_eq!(name(0, 1), "tile/2/000.p/1");
    assert_eq!(name(1000, 256), "tile/2/x001/000");
    assert_eq!(TileName { shelf: Shelf::Entries, number: 273, width: 112 }.path(), "tile/entries/273.p/112");
    // The example of the specification: 70,000 entries.
    let width = |level, number| TileName::in_log(Shelf::Hashes(level), number, 70_000).map(|name| name.width);
    assert_eq!((width(0, 272), width(0, 273), width(0, 274)), (Some(256), Some(112), None));
    assert_eq!((width(1, 0), width(1, 1), width(2, 0), width(3, 0)), (Some(256), Some(17), Some(1), None));
}

#[test]
fn sizes_around_a_full_tile_are_written_read_and_continued() {
    let signer = TestSigner::new();
    for size in [1, 2, 255, 256, 257, 511, 512, 513] {
        let folder = TempDir::new().unwrap();
        let entries = leaves(size);
        let mut writer = TileWriter::open(folder.path(), &signer, None).unwrap();
        let checkpoint = writer.append(&entries, &signer).unwrap();
        assert_eq!((checkpoint.size, checkpoint.root), (size, naive_root(&entries)));
        drop(writer);
        let (mut reader, read) = TileReader::open(folder.path(), &signer.key()).unwrap();
        assert_eq!((read, reader.root_at(size).unwrap()), (checkpoint, naive_root(&entries)));
        let mut found = Vec::new();
        while (found.len() as u64) < size {
            found.extend(reader.entries(found.len() as u64, 100).unwrap());
        }
        assert_eq!(found, entries);
        assert!(matches!(reader.entries(size, 1), Err(LogError::Range)));
        assert_eq!(exists(folder.path(), "tile/0/000"), size >= 256);
        let mut writer = TileWriter::open(folder.path(), &signer, None).unwrap();
        writer.append(&[b"one more"], &signer).unwrap();
        let all: Vec<_> = entries.into_iter().chain([b"one more".to_vec()]).collect();
        assert_eq!(writer.anchor().root, naive_root(&all));
        assert_eq!(exists(folder.path(), "tile/0/000.p"), size + 1 < 256, "superseded partial tiles are removed");
    }
}

#[test]
fn a_third_level_of_tiles_begins_at_65536_entries() {
    let (folder, signer, entries) = (TempDir::new().unwrap(), TestSigner::new(), leaves(65_537));
    let mut writer = TileWriter::open(folder.path(), &signer, None).unwrap();
    writer.append(&entries[..65_535], &signer).unwrap();
    writer.append(&entries[65_535..65_536], &signer).unwrap();
    assert!(exists(folder.path(), "tile/1/000") && exists(folder.path(), "tile/2/000.p/1"));
    writer.append(&entries[65_536..], &signer).unwrap();
    drop(writer);
    let writer = TileWriter::open(folder.path(), &signer, None).unwrap();
    assert_eq!(writer.anchor(), Anchor { size: 65_537, root: naive_root(&entries) });
    let (mut reader, checkpoint) = TileReader::open(folder.path(), &signer.key()).unwrap();
    for index in [0, 255, 65_535, 65_536] {
        let proof = reader.inclusion_proof(index).unwrap();
        let leaf = leaf_hash(&entries[index as usize]);
        assert_eq!(verify_inclusion(index, 65_537, &leaf, &proof, &checkpoint.root), Ok(()));
    }
    let proof = reader.consistency_proof(300).unwrap();
    assert_eq!(verify_consistency(300, 65_537, &naive_root(&entries[..300]), &checkpoint.root, &proof), Ok(()));
    let key = signer.key();
    let what = |older| crate::Verification { folder: folder.path(), key: &key, older, entries: None, states: None };
    let report = crate::verify(what(None));
    assert!(report.ok && report.checked.entries == 65_537 && report.checked.tiles == 259, "{report:?}");
    for (file, place) in [("tile/2/000.p/1", "tile/2/000.p/1"), ("tile/1/000", "tile/1/000")] {
        let path = folder.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        bytes[3] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(crate::verify(what(None)).findings.iter().any(|finding| finding.place == place));
        bytes[3] ^= 1;
        fs::write(&path, &bytes).unwrap();
    }
}

/// The states in which a crash can leave an append, by what had been written.
#[test]
fn a_crash_before_the_checkpoint_leaves_the_log_at_the_last_one() {
    let signer = TestSigner::new();
    for (first, lost) in [(0, 10), (10, 5), (250, 20), (250, 600), (256, 1), (300, 300)] {
        let folder = TempDir::new().unwrap();
        let entries = leaves(first + 700);
        let mut writer = TileWriter::open(folder.path(), &signer, None).unwrap();
        writer.append(&entries[..first as usize], &signer).unwrap();
        let sealed = writer.anchor();
        // All tiles of entries that the database then loses, but no checkpoint; and a half checkpoint beside.
        let other: Vec<_> = (0..lost).map(|number| format!("lost {number}")).collect();
        writer.write_tiles(&other).unwrap();
        fs::write(folder.path().join("checkpoint.part"), "half").unwrap();
        drop(writer);

        let mut writer = TileWriter::open(folder.path(), &signer, Some(&sealed)).unwrap();
        assert_eq!(writer.anchor(), sealed);
        for batch in entries[first as usize..].chunks(90) {
            writer.append(batch, &signer).unwrap();
        }
        assert_eq!(writer.anchor(), Anchor { size: first + 700, root: naive_root(&entries) });
        let key = signer.key();
        let what = crate::Verification { folder: folder.path(), key: &key, older: None, entries: None, states: None };
        let report = crate::verify(what);
        assert!(report.ok, "{first} {lost} {report:?}");
    }
}

#[test]
fn a_torn_file_beyond_the_checkpoint_is_rewritten() {
    let (folder, signer, entries) = (TempDir::new().unwrap(), TestSigner::new(), leaves(300));
    let mut writer = TileWriter::open(folder.path(), &signer, None).unwrap();
    writer.append(&entries[..100], &signer).unwrap();
    drop(writer);
    for path in ["tile/0/000", "tile/entries/000", "tile/entries/000.p/120"] {
        fs::write(folder.path().join(path), b"torn").unwrap();
    }
    let mut writer = TileWriter::open(folder.path(), &signer, None).unwrap();
    writer.append(&entries[100..], &signer).unwrap();
    assert_eq!(writer.anchor().root, naive_root(&entries));
    assert_eq!(fs::read(folder.path().join("tile/0/000")).unwrap().len(), 8192);
}

#[test]
fn only_one_process_writes() {
    let (folder, signer) = (TempDir::new().unwrap(), TestSigner::new());
    let writer = TileWriter::open(folder.path(), &signer, None).unwrap();
    assert!(matches!(TileWriter::open(folder.path(), &signer, None), Err(LogError::Locked { .. })));
    drop(writer);
    assert!(TileWriter::open(folder.path(), &signer, None).is_ok());
}

#[test]
fn a_log_that_was_taken_away_is_not_begun_anew() {
    let (folder, signer) = (TempDir::new().unwrap(), TestSigner::new());
    let mut writer = TileWriter::open(folder.path(), &signer, None).unwrap();
    writer.append(&leaves(20), &signer).unwrap();
    let old = fs::read(folder.path().join("checkpoint")).unwrap();
    writer.append(&leaves(20), &signer).unwrap();
    let anchor = writer.anchor();
    drop(writer);
    let open = |anchor: Option<&Anchor>| TileWriter::open(folder.path(), &signer, anchor);
    // A log of the right length with other entries: the number alone would not tell.
    let forged = Anchor { root: [1; 32], ..anchor };
    assert!(matches!(open(Some(&forged)), Err(LogError::Anchor { size: 40, expected: 40 })));
    let newer = fs::read(folder.path().join("checkpoint")).unwrap();
    fs::write(folder.path().join("checkpoint"), old).unwrap();
    assert!(matches!(open(Some(&anchor)), Err(LogError::Anchor { size: 20, expected: 40 })), "an older checkpoint");
    fs::write(folder.path().join("checkpoint"), newer).unwrap();
    assert!(open(Some(&anchor)).is_ok());
    fs::remove_file(folder.path().join("checkpoint")).unwrap();
    assert!(matches!(open(None), Err(LogError::CheckpointMissing)));
    fs::remove_dir_all(folder.path().join("tile")).unwrap();
    assert!(matches!(open(Some(&anchor)), Err(LogError::Anchor { size: 0, expected: 40 })), "the whole log");
}

#[test]
fn an_altered_right_edge_is_not_built_upon() {
    for file in ["tile/0/000.p/20", "tile/entries/000.p/20"] {
        let (folder, signer) = (TempDir::new().unwrap(), TestSigner::new());
        TileWriter::open(folder.path(), &signer, None).unwrap().append(&leaves(20), &signer).unwrap();
        let path = folder.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        bytes[40] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(matches!(TileWriter::open(folder.path(), &signer, None), Err(LogError::RootDiffers)), "{file}");
    }
}

#[test]
fn a_failed_append_breaks_the_writer_and_loses_nothing() {
    let (folder, signer) = (TempDir::new().unwrap(), TestSigner::new());
    let mut writer = TileWriter::open(folder.path(), &signer, None).unwrap();
    writer.append(&leaves(3), &signer).unwrap();
    let large = vec![vec![0; 16 * 1024 + 1]];
    assert!(matches!(writer.append(&large, &signer), Err(LogError::EntryTooLarge { bytes: 16_385 })));
    // A file where a folder must be: writing fails, whoever runs the test.
    fs::remove_dir_all(folder.path().join("tile/0")).unwrap();
    fs::write(folder.path().join("tile/0"), b"").unwrap();
    assert!(matches!(writer.append(&leaves(2), &signer), Err(LogError::Write { .. })));
    assert!(matches!(writer.append(&leaves(2), &signer), Err(LogError::Broken)));
    let key = signer.key();
    let note = TileReader::checkpoint_note(folder.path()).unwrap();
    assert_eq!(Checkpoint::open(&note, &key).unwrap().size, 3);
}

#[test]
fn older_partial_tiles_are_the_beginning_of_newer_ones() {
    let (folder, signer, entries) = (TempDir::new().unwrap(), TestSigner::new(), leaves(300));
    let mut writer = TileWriter::open(folder.path(), &signer, None).unwrap();
    let mut seen = Vec::new();
    for batch in entries.chunks(60) {
        let checkpoint = writer.append(batch, &signer).unwrap();
        let reader = TileReader::new(folder.path(), checkpoint.size);
        let mark = if checkpoint.size < 256 { format!(".p/{}", checkpoint.size) } else { String::new() };
        for path in [format!("tile/0/000{mark}"), format!("tile/entries/000{mark}")] {
            let bytes = reader.resource(&path).unwrap();
            seen.push((checkpoint.clone(), path, bytes));
        }
    }
    for (checkpoint, path, bytes) in seen {
        let mut reader = TileReader::new(folder.path(), checkpoint.size);
        assert_eq!(reader.resource(&path).unwrap(), bytes, "{path}");
        assert_eq!(reader.root_at(checkpoint.size).unwrap(), checkpoint.root);
    }
    let reader = TileReader::new(folder.path(), 300);
    for path in [
        "",
        "checkpoint",
        "lock",
        "tile/0/002",
        "tile/0/001",
        "tile/0/001.p/45",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/012",
        "tile/00/000",
        "tile/0/0",
        "tile/0/x000/000",
        "tile/0/../../lock",
        "tile/9/000",
        "tile/0/000/",
        "tile//000",
        "tile/0/+00",
        "/tile/0/000",
        "tile/0/99999999999999999999999999",
    ] {
        assert!(matches!(reader.resource(path), Err(LogError::Range)), "{path}");
    }
    assert_eq!(reader.resource("tile/1/000.p/1").unwrap().len(), 32);
}

#[test]
fn a_signed_checkpoint_is_the_note_of_the_specification() {
    let signer = TestSigner::new();
    let checkpoint = Checkpoint { origin: signer.name().to_owned(), size: 0, root: empty_root() };
    let note = checkpoint.signed(&signer).unwrap();
    let key = signer.key();
    let signature = signer.sign(checkpoint.text().as_bytes());
    let line: Vec<u8> = key.id().into_iter().chain(signature).collect();
    let name = "kontor.local/a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1/log";
    let expected =
        format!("{name}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— {name} {}\n", STANDARD.encode(line));
    assert_eq!(note, expected);
    assert_eq!(Checkpoint::open(note.as_bytes(), &key).unwrap(), checkpoint);
    assert_eq!(key.to_string().parse::<VerifierKey>().unwrap(), key);
    // The lines of witnesses are passed over, before and after ours.
    let (text, own) = note.split_once("\n\n").unwrap();
    let other = "— witness.example/w AAAAAAAAAAAA\n";
    for signatures in [format!("{other}{own}"), format!("{own}{other}")] {
        assert!(Checkpoint::open(format!("{text}\n\n{signatures}").as_bytes(), &key).is_ok());
    }
    let only_other = format!("{text}\n\n{other}");
    assert_eq!(Checkpoint::open(only_other.as_bytes(), &key), Err(CheckpointError::Unsigned));
    let stranger = TestSigner::with_seed(8).key();
    assert_eq!(Checkpoint::open(note.as_bytes(), &stranger), Err(CheckpointError::Unsigned));
    let elsewhere = VerifierKey::new("other.example/log", signer.public_key()).unwrap();
    assert_eq!(Checkpoint::open(note.as_bytes(), &elsewhere), Err(CheckpointError::Origin));
}

#[test]
fn every_altered_byte_of_a_checkpoint_is_refused() {
    let signer = TestSigner::new();
    let checkpoint = Checkpoint { origin: signer.name().to_owned(), size: 1234, root: [7; 32] };
    let note = checkpoint.signed(&signer).unwrap().into_bytes();
    for at in 0..note.len() {
        for flip in [1, 2, 4, 8, 16, 32, 64, 128] {
            let mut altered = note.clone();
            altered[at] ^= flip;
            assert!(Checkpoint::open(&altered, &signer.key()).is_err(), "byte {at} bit {flip}");
        }
        assert!(Checkpoint::open(&note[..at], &signer.key()).is_err(), "cut at {at}");
    }
}

#[test]
fn published_verifier_keys_are_read() {
    for key in [
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert_eq!(key.parse::<VerifierKey>().unwrap().to_string(), key);
    }
    for bad in
        ["", "a", "a+b+c", "sum.golang.org+033de0af+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8", "+033de0ae+AA=="]
    {
        assert_eq!(bad.parse::<VerifierKey>(), Err(CheckpointError::Key), "{bad}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_batches_make_the_same_tree(batches in prop::collection::vec(0usize..300, 1..6), reopen in any::<u8>()) {
        let (folder, signer) = (TempDir::new().unwrap(), TestSigner::new());
        let entries = leaves(batches.iter().sum::<usize>() as u64);
        let mut writer = TileWriter::open(folder.path(), &signer, None).unwrap();
        let mut done = 0;
        for (number, batch) in batches.iter().enumerate() {
            writer.append(&entries[done..done + batch], &signer).unwrap();
            done += batch;
            prop_assert_eq!(writer.anchor(), Anchor { size: done as u64, root: naive_root(&entries[..done]) });
            if reopen & (1 << number) != 0 {
                drop(writer);
                writer = TileWriter::open(folder.path(), &signer, None).unwrap();
            }
        }
    }
}

proptest! {
    #[test]
    fn proofs_hold_and_altered_ones_do_not(size in 1u64..200, old in 1u64..200, index in 0u64..200, bit in 0u8..8) {
        let (old, index, entries) = (1 + old % size, index % size, leaves(size));
        let root = naive_root(&entries);
        let mut source = Memory(&entries);
        let mut frontier = Frontier::default();
        entries.iter().for_each(|entry| frontier.push(leaf_hash(entry)));
        prop_assert_eq!(frontier.root(), root);
        prop_assert_eq!(range_root(&mut source, 0, size), Ok(root));

        let leaf = leaf_hash(&entries[index as usize]);
        let mut proof = inclusion_proof(&mut source, index, size).unwrap();
        prop_assert_eq!(verify_inclusion(index, size, &leaf, &proof, &root), Ok(()));
        prop_assert_eq!(verify_subtree_inclusion(index + 256, 256, 256 + size, &leaf, &proof, &root), Ok(()));
        if let Some(hash) = proof.first_mut() {
            hash[0] ^= 1 << bit;
            prop_assert!(verify_inclusion(index, size, &leaf, &proof, &root).is_err());
        }
        let old_root = naive_root(&entries[..old as usize]);
        let mut proof = consistency_proof(&mut source, old, size).unwrap();
        prop_assert_eq!(verify_consistency(old, size, &old_root, &root, &proof), Ok(()));
        if let Some(hash) = proof.last_mut() {
            hash[31] ^= 1 << bit;
            prop_assert!(verify_consistency(old, size, &old_root, &root, &proof).is_err());
        }
    }

    /// A complete subtree in the middle: its consistency proof is the inclusion proof of its root, seen as a leaf.
    #[test]
    fn complete_subtrees_are_consistent(size in 2u64..200, level in 0u32..5, index in 0u64..200) {
        let width = 1u64 << level;
        prop_assume!(size >= width);
        let (entries, index) = (leaves(size), index % (size / width));
        let (start, end) = (index * width, (index + 1) * width);
        let mut source = Memory(&entries);
        let mut proof = inclusion_proof(&mut source, start, size).unwrap();
        prop_assume!(end < size || start > 0);
        // The lowest `level` hashes lie inside the subtree.
        proof.drain(..level as usize);
        let (part, root) = (naive_root(&entries[start as usize..end as usize]), naive_root(&entries));
        prop_assert_eq!(verify_subtree_consistency(start, end, size, &part, &root, &proof), Ok(()));
        prop_assert!(verify_subtree_consistency(start, end, size, &root, &root, &proof).is_err());
    }
}
