//! Things that several tests of this crate need: a signer, entries, a database in memory, a finished log in a folder.

use crate::{
    Actor, AuthMethod, Change, Channel, Entry, EntryRow, EntrySource, FieldUse, Hash, How, PortError, Report,
    SealedChange, Signer, StateSource, TileWriter, Verb, Verification, VerifierKey, origin_of, verify,
};
use kernel::{Id, RecordId, Timestamp};
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

pub(crate) struct TestSigner {
    name: String,
    pair: Ed25519KeyPair,
}

impl TestSigner {
    pub(crate) fn new() -> Self {
        Self::with_seed(7)
    }
    pub(crate) fn with_seed(seed: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        Self { name: origin_of(Id::from_bytes([0xA1; 16])), pair }
    }
    pub(crate) fn key(&self) -> VerifierKey {
        VerifierKey::of(self).unwrap()
    }
}

impl Signer for TestSigner {
    fn name(&self) -> &str {
        &self.name
    }
    fn public_key(&self) -> [u8; 32] {
        self.pair.public_key().as_ref().try_into().unwrap()
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.pair.sign(message).as_ref().try_into().unwrap()
    }
}

pub(crate) fn record(number: u64) -> RecordId {
    let mut bytes = [0x11; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    Id::from_bytes(bytes)
}

pub(crate) fn state(number: u64) -> Hash {
    crate::leaf_hash(&number.to_le_bytes())
}

/// Entry `number` of a typical log: reads, and a change of one of fifty accounts in every third.
pub(crate) fn entry(number: u64) -> Entry {
    let who = Actor::user(record(900), AuthMethod::Password);
    let mut entry = Entry { node: "kontor-1".to_owned(), boot: Id::from_bytes([5; 16]), ..Entry::default() }
        .by(who, Channel::Ui, "192.0.2.7")
        .on_record("account", record(number % 50));
    entry.at = Timestamp::from_micros(1_700_000_000_000_000 + number as i64 * 1_000);
    entry.monotonic_micros = number * 1_000;
    entry.fields = vec![FieldUse { field: "name".to_owned(), how: How::Clear }];
    if number.is_multiple_of(3) {
        entry.act.verb = Verb::Update;
        entry.state_before = Some(state(number));
        entry.state_after = Some(state(number + 1));
        entry.changes = vec![Change { field: "name".to_owned(), before: None, after: Some([3; 16]) }];
        entry.sealed = vec![SealedChange { class: 1, bytes: vec![0xC1; 48] }];
    }
    entry
}

pub(crate) fn encoded(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|number| entry(number).encode().unwrap()).collect()
}

/// The entry table of a database.
#[derive(Clone, Default)]
pub(crate) struct Rows(pub(crate) Vec<EntryRow>);

impl Rows {
    pub(crate) fn of(entries: &[Vec<u8>]) -> Self {
        Self((0..).zip(entries.iter().cloned()).collect())
    }
}

impl EntrySource for Rows {
    fn rows(&mut self, from_seq: u64, max: usize) -> Result<Vec<EntryRow>, PortError> {
        // In the order of storage, so that a test can disorder it.
        let start = self.0.iter().position(|(seq, _)| *seq >= from_seq).unwrap_or(self.0.len());
        Ok(self.0[start..].iter().take(max).cloned().collect())
    }
    fn count(&mut self) -> Result<u64, PortError> {
        Ok(self.0.len() as u64)
    }
}

/// The record tables of a database, as state hashes.
#[derive(Clone, Default)]
pub(crate) struct States(pub(crate) BTreeMap<String, BTreeMap<RecordId, Hash>>);

impl States {
    /// What the first `count` entries of [`entry`] leave behind.
    pub(crate) fn after(count: u64) -> Self {
        let mut accounts = BTreeMap::new();
        for number in (0..count).filter(|number| number % 3 == 0) {
            accounts.insert(record(number % 50), state(number + 1));
        }
        Self(BTreeMap::from([("account".to_owned(), accounts)]))
    }
}

impl StateSource for States {
    fn objects(&mut self) -> Result<Vec<String>, PortError> {
        Ok(self.0.keys().cloned().collect())
    }
    fn rows(&mut self, object: &str, after: Option<RecordId>, max: usize) -> Result<Vec<(RecordId, Hash)>, PortError> {
        let rows = &self.0[object];
        Ok(rows.iter().filter(|(id, _)| Some(**id) > after).take(max).map(|(id, hash)| (*id, *hash)).collect())
    }
}

/// A log on disk and the database that goes with it.
pub(crate) struct Sample {
    pub(crate) folder: TempDir,
    pub(crate) signer: TestSigner,
    pub(crate) rows: Rows,
    pub(crate) states: States,
}

impl Sample {
    pub(crate) fn with(count: u64) -> Self {
        let (folder, signer) = (TempDir::new().unwrap(), TestSigner::new());
        let entries = encoded(count);
        let mut writer = TileWriter::open(folder.path(), &signer, None).unwrap();
        // Several appends, so that partial tiles are replaced and removed on the way.
        for batch in entries.chunks(173) {
            writer.append(batch, &signer).unwrap();
        }
        Self { folder, signer, rows: Rows::of(&entries), states: States::after(count) }
    }
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
    /// Verifies at all four levels.
    pub(crate) fn verify(&mut self) -> Report {
        let key = self.signer.key();
        let what = Verification {
            folder: self.folder.path(),
            key: &key,
            older: None,
            entries: Some(&mut self.rows),
            states: Some(&mut self.states),
        };
        verify(what)
    }
    /// All files that a verifier reads, with their names.
    pub(crate) fn files(&self) -> Vec<(String, PathBuf)> {
        let mut found = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for item in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = item.path();
                if path.is_dir() {
                    folders.push(path);
                } else if item.file_name() != "lock" {
                    let name = path.strip_prefix(self.path()).unwrap().to_str().unwrap().to_owned();
                    found.push((name, path));
                }
            }
        }
        found.sort();
        found
    }
}

/// The folder of shared test data, or `None` (after saying so) where a checkout has none.
pub(crate) fn shared(part: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = env::var_os("KONTOR_SHARED").map_or_else(beside, PathBuf::from).join(part);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(env::var_os("CI").is_none(), "the shared test data ({part}) must be there in CI");
    println!("SKIPPED: no shared test data ({part}); set KONTOR_SHARED to their folder");
    None
}
