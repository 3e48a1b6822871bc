//! Properties of the format of segments: what goes in comes out, and whatever is altered or cut never does.
#![cfg(test)]

use crate::segment::{FilePiece, Found, Segment, SegmentBody, SegmentHead, seal_segment};
use audit::{Signer, VerifierKey};
use kernel::{RecordId, Timestamp};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use store::WalPlace;
use testkit::{Engine, TestAppliance};

fn heads() -> impl Strategy<Value = SegmentHead> {
    let parts = (any::<bool>(), any::<[u8; 16]>(), any::<u64>(), any::<i64>(), any::<u64>());
    let more = (any::<u32>(), any::<[u8; 20]>(), any::<[u8; 32]>(), any::<u64>());
    (parts, more).prop_map(|((border, stream, number, at, commits), (db_pages, place, before, term))| SegmentHead {
        border,
        stream,
        number,
        at: Timestamp::from_micros(at),
        commits,
        db_pages,
        place: WalPlace::from_bytes(&place),
        before,
        term,
    })
}

fn bodies() -> impl Strategy<Value = SegmentBody> {
    let pages = btree_map(1u32.., vec(any::<u8>(), 512), 0..6);
    let piece = (any::<[u8; 16]>(), any::<u64>(), any::<u64>(), vec(any::<u8>(), 0..300));
    let piece =
        piece.prop_map(|(id, offset, total, bytes)| FilePiece { id: RecordId::from_bytes(id), offset, total, bytes });
    (pages, vec(piece, 0..4)).prop_map(|(pages, pieces)| SegmentBody { page_bytes: 512, pages, pieces })
}

fn next(bytes: &[u8]) -> Found {
    Segment::next(&mut &bytes[..]).unwrap()
}

#[test]
fn what_goes_in_comes_out_and_what_was_touched_never_does() {
    let kontor = TestAppliance::new(Engine::Embedded);
    let (signer, key) = (kontor.signer(), kontor.verifier_key());
    let identity = kontor.store.vault().archive_identity().unwrap();
    let recipients = [identity.recipient()];
    let mut runner = TestRunner::new(ProptestConfig::with_cases(24));
    let inputs = (heads(), bodies(), any::<prop::sample::Index>(), 0u8..8);
    let outcome = runner.run(&inputs, |(head, body, place, bit)| {
        let (bytes, hash) = seal_segment(&head, &body, &recipients, &signer as &dyn Signer).unwrap();
        let Found::Segment(whole) = next(&bytes) else { panic!("not read back") };
        prop_assert_eq!((&whole.head, whole.hash), (&head, hash));
        prop_assert!(whole.is_signed_by(&key));
        prop_assert_eq!(whole.open(&identity).unwrap(), body);
        prop_assert_eq!(whole.into_bytes(), bytes.clone());
        let at = place.index(bytes.len());
        let mut turned = bytes.clone();
        turned[at] ^= 1 << bit;
        // Altered, cut by what it says of its own length, or not what was signed.
        let signed = matches!(next(&turned), Found::Segment(found) if found.is_signed_by(&key));
        prop_assert!(!signed, "bit {} of byte {}", bit, at);
        let cut = next(&bytes[..at]);
        let nothing = matches!(cut, Found::End);
        prop_assert!(nothing == (at == 0) && (nothing || matches!(cut, Found::Cut)));
        Ok(())
    });
    outcome.unwrap();
    // Signed by somebody else for their log, it is nothing here.
    let other = TestAppliance::new(Engine::Embedded);
    let head = SegmentHead {
        border: true,
        stream: [7; 16],
        number: 1,
        at: Timestamp::from_micros(1),
        commits: 1,
        db_pages: 1,
        place: WalPlace::default(),
        before: [0; 32],
        term: 0,
    };
    let (bytes, _) = seal_segment(&head, &SegmentBody::default(), &recipients, &other.signer()).unwrap();
    let Found::Segment(theirs) = next(&bytes) else { panic!("not read back") };
    assert!(!theirs.is_signed_by(&key) && theirs.is_signed_by(&VerifierKey::of(&other.signer()).unwrap()));
    assert!(seal_segment(&head, &SegmentBody::default(), &[], &signer).is_err(), "nobody could open it");
}
