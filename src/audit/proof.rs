//! Checking of Merkle proofs: inclusion and consistency, of whole trees (RFC 9162 section 2.1) and of subtrees
//! (the Internet-Draft on Merkle tree certificates). Pure arithmetic over what the caller hands in.

use crate::tree::{Hash, empty_root, node_hash};

/// Why a proof was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The indices name no leaf, tree or subtree, or nothing that could be proved.
    #[error("the indices do not name a leaf and a tree that could be proved")]
    Range,
    /// The proof has too few or too many hashes.
    #[error("the proof has the wrong length")]
    Length,
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Mismatch,
}

/// Whether `start .. end` is a subtree of a tree of `size` leaves. An empty range is one.
pub(crate) fn is_subtree(start: u64, end: u64, size: u64) -> bool {
    if start > end || end > size {
        return false;
    }
    let length = end - start;
    length == 0 || length.checked_next_power_of_two().map_or(start == 0, |ceiling| start.is_multiple_of(ceiling))
}

/// Checks that the leaf with hash `leaf` is number `index` of the tree of `size` leaves with this root.
///
/// # Errors
/// The reason of the [`Refusal`].
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &[u8]) -> Result<(), Refusal> {
    if index >= size {
        return Err(Refusal::Range);
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(Refusal::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // At the right edge of an incomplete tree, levels without a sibling are skipped.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last, hash.as_slice() == root) {
        (0, true) => Ok(()),
        (0, false) => Err(Refusal::Mismatch),
        _ => Err(Refusal::Length),
    }
}

/// Checks that leaf `index` of the log is in the subtree `start .. end` with this root.
///
/// # Errors
/// The reason of the [`Refusal`]; a range that is no subtree is one.
pub fn verify_subtree_inclusion(
    index: u64,
    start: u64,
    end: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &[u8],
) -> Result<(), Refusal> {
    if !is_subtree(start, end, end) || index < start {
        return Err(Refusal::Range);
    }
    verify_inclusion(index - start, end - start, leaf, proof, root)
}

/// Checks that the tree of `new` leaves begins with the tree of `old` leaves.
///
/// # Errors
/// The reason of the [`Refusal`]. An `old` of 0 is refused: an empty tree begins every log, so it proves nothing.
pub fn verify_consistency(old: u64, new: u64, old_root: &[u8], new_root: &[u8], proof: &[Hash]) -> Result<(), Refusal> {
    if old == 0 {
        return Err(Refusal::Range);
    }
    verify_subtree_consistency(0, old, new, old_root, new_root, proof)
}

/// Checks that the subtree `start .. end` with root `subtree_root` is part of the tree of `size` leaves.
/// An empty subtree is part of every tree, with an empty proof.
///
/// # Errors
/// The reason of the [`Refusal`]; a range that is no subtree is one.
pub fn verify_subtree_consistency(
    start: u64,
    end: u64,
    size: u64,
    subtree_root: &[u8],
    root: &[u8],
    proof: &[Hash],
) -> Result<(), Refusal> {
    if !is_subtree(start, end, size) {
        return Err(Refusal::Range);
    }
    let same = |left: &[u8], right: &[u8]| if left == right { Ok(()) } else { Err(Refusal::Mismatch) };
    if start == end || (start == 0 && end == size) {
        let expected = if start == end { &empty_root() } else { root };
        return if proof.is_empty() { same(subtree_root, expected) } else { Err(Refusal::Length) };
    }
    let known = Hash::try_from(subtree_root).map_err(|_| Refusal::Mismatch)?;
    walk(start, end, size, &known, root, proof)
}

/// Rebuilds both roots from one proof. `first`, `last` and `edge` are the subtree's first and last leaf and the
/// tree's last leaf, as seen from the level that the walk has reached.
fn walk(start: u64, end: u64, size: u64, known: &Hash, root: &[u8], proof: &[Hash]) -> Result<(), Refusal> {
    let (mut first, mut last, mut edge) = (start, end - 1, size - 1);
    // Levels at which the subtree ends on a complete node need no hash.
    while first != last && (last == edge || last & 1 == 1) {
        first >>= 1;
        last >>= 1;
        edge >>= 1;
    }
    let mut hashes = proof.iter();
    let seed = if first == last { *known } else { *hashes.next().ok_or(Refusal::Length)? };
    let (mut small, mut large) = (seed, seed);
    for hash in hashes {
        if edge == 0 {
            return Err(Refusal::Length);
        }
        if last & 1 == 1 || last == edge {
            if first < last {
                small = node_hash(hash, &small);
            }
            large = node_hash(hash, &large);
            while last & 1 == 0 && last != 0 {
                first >>= 1;
                last >>= 1;
                edge >>= 1;
            }
        } else {
            large = node_hash(&large, hash);
        }
        first >>= 1;
        last >>= 1;
        edge >>= 1;
    }
    match (edge, small == *known && large.as_slice() == root) {
        (0, true) => Ok(()),
        (0, false) => Err(Refusal::Mismatch),
        _ => Err(Refusal::Length),
    }
}
