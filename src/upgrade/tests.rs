//! Bundles made here and read back: signatures, key sets that follow on each other, and everything that has to be refused.

use crate::keys::KeySet;
use crate::{Advisories, Bundle, BundleError, Kind, Ratchet, Version, compiled_keys, dependencies_in};
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use std::path::PathBuf;

fn pair(number: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap()
}

fn line(number: u8, body: &[u8]) -> String {
    STANDARD.encode([b"Ed".as_slice(), &[number; 8], body].concat())
}

fn set(epoch: u32, numbers: [u8; 3]) -> Vec<u8> {
    let keys = numbers.map(|number| line(number, pair(number).public_key().as_ref()));
    serde_json::to_vec(&json!({"epoch": epoch, "keys": keys})).unwrap()
}

fn signed(number: u8, message: &[u8]) -> Vec<u8> {
    format!("untrusted comment: trial\n{}\n", line(number, pair(number).sign(message).as_ref())).into_bytes()
}

struct Made {
    folder: tempfile::TempDir,
    members: Vec<(String, Vec<u8>)>,
}

const BINARY: &[u8] = b"#!/bin/sh\necho hello\n";

fn manifest(version: &str) -> Value {
    let hash: String = digest(&SHA256, BINARY).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"format": 1, "product": "kontor", "version": version, "upgrades_from": "0.1.0", "formats": 1, "keys_epoch": 1,
        "made_at": "2026-11-22T10:00:00Z",
        "files": [{"name": "kontor", "kind": "binary", "platform": "x86_64-linux", "bytes": BINARY.len(), "sha256": hash}]})
}

impl Made {
    fn new(manifest: &Value, signers: &[u8]) -> Self {
        let text = serde_json::to_vec(manifest).unwrap();
        let mut members = vec![("manifest.json".to_owned(), text.clone())];
        members.extend(signers.iter().map(|key| (format!("manifest.json.{key}.sig"), signed(*key, &text))));
        members.push(("kontor".to_owned(), BINARY.to_vec()));
        Self { folder: tempfile::tempdir().unwrap(), members }
    }
    fn with_keys(mut self, epoch: u32, numbers: [u8; 3], signers: &[u8]) -> Self {
        let text = set(epoch, numbers);
        let at = self.members.len() - 1;
        let name = format!("keys-{epoch}.json");
        let signed = signers.iter().map(|key| (format!("{name}.{key}.sig"), signed(*key, &text)));
        let new: Vec<_> = std::iter::once((name.clone(), text.clone())).chain(signed).collect();
        self.members.splice(at..at, new);
        self
    }
    fn path(&self) -> PathBuf {
        let path = self.folder.path().join("bundle");
        let mut tar = tar::Builder::new(std::fs::File::create(&path).unwrap());
        for (name, bytes) in &self.members {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
        }
        tar.into_inner().unwrap();
        path
    }
    fn open(&self) -> Result<Bundle, BundleError> {
        Bundle::open(&self.path(), &trusted())
    }
}

fn trusted() -> KeySet {
    KeySet::read(&set(1, [1, 2, 3])).unwrap()
}

fn refusal(made: &Made) -> String {
    made.open().err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn the_trial_keys_are_those_of_these_tests() {
    assert_eq!(compiled_keys().unwrap().unwrap(), trusted());
}

#[test]
fn two_of_three_keys_make_a_bundle() {
    for signers in [[1, 2], [1, 3], [2, 3]] {
        let made = Made::new(&manifest("0.2.0"), &signers);
        let bundle = made.open().unwrap();
        assert_eq!(bundle.signers().len(), 2);
        let member = bundle.manifest().member(Kind::Binary, "x86_64-linux").unwrap().clone();
        let mut copied = Vec::new();
        bundle.copy(&member, &mut copied).unwrap();
        assert_eq!(copied, BINARY);
    }
    for signers in [vec![], vec![1], vec![1, 1], vec![1, 9], vec![8, 9]] {
        assert!(refusal(&Made::new(&manifest("0.2.0"), &signers)).contains("2 are needed"), "{signers:?}");
    }
}

#[test]
fn a_signature_is_for_these_bytes_and_this_key_only() {
    let mut made = Made::new(&manifest("0.2.0"), &[1, 2]);
    made.members[0].1 = serde_json::to_vec(&manifest("0.3.0")).unwrap();
    assert!(refusal(&made).contains("by 0 of the 3"), "{}", refusal(&made));
    // The signature of another key under the number of a trusted one.
    let mut made = Made::new(&manifest("0.2.0"), &[1]);
    let forged = pair(9).sign(&made.members[0].1);
    let text = format!("untrusted comment: x\n{}\n", line(2, forged.as_ref()));
    made.members.insert(2, ("manifest.json.2.sig".to_owned(), text.into_bytes()));
    assert!(refusal(&made).contains("by 1 of the 3"), "{}", refusal(&made));
}

#[test]
fn what_is_altered_cut_or_in_another_order_is_refused() {
    let mut made = Made::new(&manifest("0.2.0"), &[1, 2]);
    made.members[3].1[3] ^= 1;
    assert!(refusal(&made).contains("SHA-256"), "{}", refusal(&made));
    let mut made = Made::new(&manifest("0.2.0"), &[1, 2]);
    made.members.swap(0, 3);
    assert!(refusal(&made).contains("does not begin"), "{}", refusal(&made));
    let mut made = Made::new(&manifest("0.2.0"), &[1, 2]);
    made.members.push(("more".to_owned(), vec![1]));
    assert!(refusal(&made).contains("not those"), "{}", refusal(&made));
    let made = Made::new(&manifest("0.2.0"), &[1, 2]);
    let whole = std::fs::read(made.path()).unwrap();
    for length in (0..whole.len() - 1024).step_by(97) {
        let path = made.folder.path().join("cut");
        std::fs::write(&path, &whole[..length]).unwrap();
        // What is cut behind the last byte of the last file has lost padding only.
        let inside = length < 512 * 7 + BINARY.len();
        assert_eq!(Bundle::open(&path, &trusted()).is_err(), inside, "{length}");
    }
}

#[test]
fn names_that_lead_out_are_refused() {
    for name in ["../kontor", "a/b", ".hidden", "-rf"] {
        let mut value = manifest("0.2.0");
        value["files"][0]["name"] = json!(name);
        assert!(Made::new(&value, &[1, 2]).open().is_err(), "{name}");
    }
    let mut value = manifest("0.2.0");
    value["surprise"] = json!(1);
    assert!(refusal(&Made::new(&value, &[1, 2])).contains("surprise"));
}

#[test]
fn key_sets_follow_on_each_other() {
    let mut value = manifest("0.4.0");
    value["keys_epoch"] = json!(3);
    let made = || Made::new(&value, &[21, 22]);
    let chain = made().with_keys(2, [11, 12, 13], &[1, 3]).with_keys(3, [21, 22, 23], &[12, 13]);
    let bundle = chain.open().unwrap();
    assert_eq!(bundle.keys().epoch, 3);
    // Who has the later set already passes over what lies behind.
    assert!(Bundle::open(&chain.path(), bundle.keys()).is_ok());
    // The way leads through each set that was ever known, and through no other of the same epoch.
    let known = |epoch, numbers| KeySet::read(&set(epoch, numbers)).unwrap();
    assert!(
        [known(1, [1, 2, 3]), known(2, [11, 12, 13]), known(3, [21, 22, 23])]
            .iter()
            .all(|set| bundle.leads_through(set))
    );
    assert!(![known(2, [11, 12, 31]), known(4, [31, 32, 33])].iter().any(|set| bundle.leads_through(set)));
    let later = Bundle::open(&chain.path(), bundle.keys()).unwrap();
    assert!(later.leads_through(&known(2, [11, 12, 31])), "what lies behind the trusted keys is theirs");
    // One of two old keys is not enough; a set cannot be left out.
    let weak = made().with_keys(2, [11, 12, 13], &[1]).with_keys(3, [21, 22, 23], &[12, 13]);
    assert!(refusal(&weak).contains("epoch 2"), "{}", refusal(&weak));
    let gap = made().with_keys(3, [21, 22, 23], &[1, 2]);
    assert!(refusal(&gap).contains("does not follow"), "{}", refusal(&gap));
    // Keys that were replaced sign nothing any more.
    let old = Made::new(&manifest("0.9.0"), &[1, 2]);
    assert!(Bundle::open(&old.path(), bundle.keys()).is_err());
}

#[test]
fn a_key_set_is_three_different_keys() {
    for (epoch, numbers) in [(0, [1, 2, 3]), (1, [1, 1, 2])] {
        assert!(KeySet::read(&set(epoch, numbers)).is_err(), "{epoch} {numbers:?}");
    }
}

#[test]
fn versions_go_forward_and_the_ratchet_stays() {
    let bundle = Made::new(&manifest("0.3.0"), &[1, 2]).open().unwrap();
    let version = |text: &str| Version::parse(text).unwrap();
    for (running, ok) in [("0.1.0", true), ("0.2.9", true), ("0.3.0", false), ("0.4.0", false), ("0.0.9", false)] {
        assert_eq!(bundle.manifest().follows_on(&version(running)).is_ok(), ok, "{running}");
    }
    let ratchet = Ratchet::begin(version("0.1.0"), 1, Some(trusted()));
    let next = KeySet::read(&set(2, [11, 12, 13])).unwrap();
    let raised = ratchet.raised(&version("0.3.0"), 2, Some(&next));
    assert!(raised.admit(&version("0.2.0")).is_err() && raised.admit(&version("0.3.0")).is_ok());
    let again = raised.raised(&version("0.2.0"), 1, Some(&trusted()));
    assert_eq!(again, raised);
    assert_eq!(raised.keys, Some(next));
}

#[test]
fn advisories_concern_versions_that_are_not_mended() {
    let text = json!({"made_at": "2026-11-01", "source": "trial", "advisories": [
        {"id": "RUSTSEC-1", "crate": "ring", "patched": [">=0.17.12"], "unaffected": ["<0.10"], "title": "t"},
        {"id": "RUSTSEC-2", "crate": "tar", "patched": [], "title": "never mended"}]});
    let advisories = Advisories::read(&text.to_string()).unwrap();
    for (list, found) in [
        ("ring 0.17.14\n", vec![]),
        ("ring 0.17.11\nserde 1.0.0\n", vec!["RUSTSEC-1"]),
        ("ring 0.9.0\ntar 0.4.46\n", vec!["RUSTSEC-2"]),
        ("ring 0.17.12-alpha.1\n", vec!["RUSTSEC-1"]),
        ("ring strange\n", vec!["RUSTSEC-1"]),
    ] {
        let dependencies = dependencies_in(list);
        let ids: Vec<&str> = advisories.concerning(&dependencies).iter().map(|(one, _)| one.id.as_str()).collect();
        assert_eq!(ids, found, "{list}");
    }
}
