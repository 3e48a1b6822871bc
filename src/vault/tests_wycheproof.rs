//! Project Wycheproof's vectors against the primitives in use. What ring does not offer is counted, and the counts are
//! asserted, so that nothing is skipped silently. X25519 vectors are not run: the vault has no key agreement.

use crate::{
    primitives::{self, NONCE_LEN},
    signing::signature_is_good,
    tests_support::hex,
};
use ring::aead;
use serde_json::Value;
use std::{fs, path::PathBuf};

/// The vectors, or `None` where they are not at hand. A machine of the build must have them.
fn vectors(name: &str) -> Option<Value> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("KONTOR_SHARED").map_or_else(beside, PathBuf::from);
    let path = shared.join("data/wycheproof").join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(_) if std::env::var_os("CI").is_some() => panic!("the vectors {name} must be there in CI"),
        Err(_) => {
            println!("SKIPPED: the vectors {name} are not there (set KONTOR_SHARED)");
            None
        }
    }
}

/// Runs `check` over every case: (group, case, whether it must be accepted).
fn each(file: &Value, mut check: impl FnMut(&Value, &Value, bool)) {
    for group in file["testGroups"].as_array().unwrap() {
        for case in group["tests"].as_array().unwrap() {
            let good = match case["result"].as_str().unwrap() {
                "valid" => true,
                "invalid" => false,
                // No file in use has "acceptable" cases.
                other => panic!("unknown result {other}"),
            };
            check(group, case, good);
        }
    }
}

fn bytes(case: &Value, name: &str) -> Vec<u8> {
    hex(case[name].as_str().unwrap())
}

fn gcm_128_open(key: &[u8], nonce: [u8; NONCE_LEN], aad: &[u8], data: &mut [u8]) -> Option<usize> {
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_128_GCM, key).unwrap());
    let nonce = aead::Nonce::assume_unique_for_key(nonce);
    key.open_in_place(nonce, aead::Aad::from(aad), data).ok().map(|plain| plain.len())
}

#[test]
fn aes_gcm() {
    let Some(file) = vectors("aes_gcm_test.json") else { return };
    let (mut ours, mut ring_only, mut nonce_sizes, mut key_sizes) = (0, 0, 0, 0);
    each(&file, |group, case, good| {
        assert_eq!(group["tagSize"], 128);
        let Ok(nonce) = <[u8; NONCE_LEN]>::try_from(bytes(case, "iv")) else {
            nonce_sizes += 1;
            return;
        };
        let (key, aad, msg) = (bytes(case, "key"), bytes(case, "aad"), bytes(case, "msg"));
        let mut data = [bytes(case, "ct"), bytes(case, "tag")].concat();
        let wanted = data.clone();
        let opened = match key.len() {
            32 => {
                ours += 1;
                let key = key.as_slice().try_into().unwrap();
                let mut sealed = msg.clone();
                let tag = primitives::gcm_seal(key, nonce, &aad, &mut sealed).unwrap();
                assert_eq!([sealed, tag.to_vec()].concat() == wanted, good, "{}", case["tcId"]);
                primitives::gcm_open(key, nonce, &aad, &mut data)
            }
            16 => {
                ring_only += 1;
                gcm_128_open(&key, nonce, &aad, &mut data)
            }
            _ => {
                key_sizes += 1;
                return;
            }
        };
        assert_eq!(opened.map(|length| data[..length].to_vec()), good.then_some(msg), "{}", case["tcId"]);
    });
    // 256-bit keys are what the vault uses; 128-bit keys run against ring itself.
    assert_eq!((ours, ring_only), (66, 67));
    // ring has no 192-bit keys and no nonces but of 96 bits; the vault uses neither.
    assert_eq!((key_sizes, nonce_sizes), (64, 119));
}

#[test]
fn hkdf_sha256() {
    let Some(file) = vectors("hkdf_sha256_test.json") else { return };
    let mut run = 0;
    each(&file, |_, case, good| {
        let mut out = vec![0u8; usize::try_from(case["size"].as_u64().unwrap()).unwrap()];
        let done = primitives::hkdf(&bytes(case, "salt"), &bytes(case, "ikm"), &bytes(case, "info"), &mut out);
        assert_eq!(done.is_ok() && out == bytes(case, "okm"), good, "{}", case["tcId"]);
        run += 1;
    });
    assert_eq!(run, 86);
}

#[test]
fn hmac_sha256() {
    let Some(file) = vectors("hmac_sha256_test.json") else { return };
    let mut run = 0;
    each(&file, |group, case, good| {
        let tag = primitives::mac_plain(&bytes(case, "key"), &bytes(case, "msg"));
        let wanted = bytes(case, "tag");
        let fits = match group["tagSize"].as_u64().unwrap() {
            256 => tag.as_ref() == wanted,
            128 => primitives::short(&tag).as_slice() == wanted,
            other => panic!("tag of {other} bits"),
        };
        assert_eq!(fits, good, "{}", case["tcId"]);
        run += 1;
    });
    assert_eq!(run, 174);
}

#[test]
fn ed25519() {
    let Some(file) = vectors("ed25519_test.json") else { return };
    let mut run = 0;
    each(&file, |group, case, good| {
        let public = bytes(&group["publicKey"], "pk");
        assert_eq!(signature_is_good(&public, &bytes(case, "msg"), &bytes(case, "sig")), good, "{}", case["tcId"]);
        run += 1;
    });
    assert_eq!(run, 151);
}
