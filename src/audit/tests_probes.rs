//! The published Merkle proof probes: what must be accepted is accepted, what must be refused is refused.

use crate::{
    Hash, sample::shared, verify_consistency, verify_inclusion, verify_subtree_consistency, verify_subtree_inclusion,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use std::{fs, path::Path};

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

/// The proof and, where the probe has one, the leaf; `None` when a hash has not 32 bytes, which our types refuse.
fn hashes(value: &Value) -> Option<Vec<Hash>> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|item| Hash::try_from(bytes(item)).ok()).collect()
}

fn number(probe: &Value, name: &str) -> u64 {
    probe[name].as_u64().unwrap()
}

fn run(kind: &str, probe: &Value) -> Option<()> {
    let proof = hashes(&probe["proof"])?;
    let of = |name: &str| number(probe, name);
    let leaf = || Hash::try_from(bytes(&probe["leafHash"])).ok();
    let root = |name: &str| bytes(&probe[name]);
    match kind {
        "inclusion" => verify_inclusion(of("leafIdx"), of("treeSize"), &leaf()?, &proof, &root("root")).ok(),
        "consistency" => verify_consistency(of("size1"), of("size2"), &root("root1"), &root("root2"), &proof).ok(),
        "subtreeinclusion" => {
            let (index, start, end) = (of("leafIdx"), of("start"), of("end"));
            verify_subtree_inclusion(index, start, end, &leaf()?, &proof, &root("root")).ok()
        }
        _ => {
            let (start, end, size) = (of("start"), of("end"), of("size"));
            verify_subtree_consistency(start, end, size, &root("root1"), &root("root2"), &proof).ok()
        }
    }
}

fn probes(folder: &Path, each: &mut dyn FnMut(&Path, &Value)) {
    for item in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = item.path();
        if path.is_dir() {
            probes(&path, each);
        } else {
            each(&path, &serde_json::from_slice(&fs::read(&path).unwrap()).unwrap());
        }
    }
}

#[test]
fn all_published_probes_end_as_they_say() {
    let Some(folder) = shared("data/merkle") else { return };
    let kinds = [("inclusion", 98), ("consistency", 98), ("subtreeinclusion", 204), ("subtreeconsistency", 118)];
    for (kind, expected) in kinds {
        let (mut count, mut accepted) = (0, 0);
        probes(&folder.join(kind), &mut |path, probe| {
            count += 1;
            let refused = run(kind, probe).is_none();
            accepted += u32::from(!refused);
            assert_eq!(refused, probe["wantErr"].as_bool().unwrap(), "{}: {}", path.display(), probe["desc"]);
        });
        assert_eq!(count, expected, "number of {kind} probes");
        assert!(accepted > 0, "a verifier that refuses everything would pass: {kind}");
    }
}
