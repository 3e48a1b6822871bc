//! The Merkle tree of RFC 6962 section 2.1 over SHA-256: hashing, roots and the making of proofs.
//! It stores nothing: complete nodes come from a [`HashSource`].

use crate::proof::is_subtree;
use ring::digest::{Context, SHA256};

/// A SHA-256 value.
pub type Hash = [u8; 32];

fn digest(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// The SHA-256 of some bytes, without a prefix; for key ids of signed notes.
pub(crate) fn plain_hash(parts: &[&[u8]]) -> Hash {
    digest(parts)
}

/// The root of a tree without leaves: the hash of no bytes.
pub fn empty_root() -> Hash {
    digest(&[])
}

/// The hash of a leaf: the prefix 0x00 keeps an entry from posing as an inner node.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    digest(&[&[0], entry])
}

/// The hash of an inner node: prefix 0x01, left, right.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    digest(&[&[1], left, right])
}

/// Where the hashes of complete nodes come from.
pub trait HashSource {
    /// Why a hash could not be had.
    type Error;
    /// The node over leaves `index << level .. (index + 1) << level`, all of which exist.
    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// Why a proof could not be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError<E> {
    /// The tree asked about does not have these leaves.
    #[error("there is no such leaf or range in a tree of this size")]
    Range,
    /// A node could not be had.
    #[error(transparent)]
    Source(#[from] E),
}

/// The largest power of two smaller than `length`, which is at least 2.
fn split(length: u64) -> u64 {
    1 << (63 - (length - 1).leading_zeros())
}

/// The root of the subtree over leaves `start .. end`; for `0 .. size` the root of the tree.
///
/// # Errors
/// [`ProofError::Range`] when the leaves are not a subtree: `start` must be a multiple of the next power of two.
pub fn range_root<S: HashSource>(source: &mut S, start: u64, end: u64) -> Result<Hash, ProofError<S::Error>> {
    if !is_subtree(start, end, end) {
        return Err(ProofError::Range);
    }
    Ok(subtree_root(source, start, end)?)
}

fn subtree_root<S: HashSource>(source: &mut S, start: u64, end: u64) -> Result<Hash, S::Error> {
    let length = end.saturating_sub(start);
    if length == 0 {
        return Ok(empty_root());
    }
    if length.is_power_of_two() {
        let level = length.trailing_zeros();
        return source.node(u8::try_from(level).unwrap_or(63), start >> level);
    }
    let middle = start + split(length);
    let left = subtree_root(source, start, middle)?;
    Ok(node_hash(&left, &subtree_root(source, middle, end)?))
}

/// The proof that leaf `index` is in the tree of `size` leaves, nearest sibling first (RFC 6962 section 2.1.1).
///
/// # Errors
/// [`ProofError::Range`] when there is no such leaf, else the source's.
pub fn inclusion_proof<S: HashSource>(
    source: &mut S,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProofError<S::Error>> {
    if index >= size {
        return Err(ProofError::Range);
    }
    let (mut start, mut end) = (0, size);
    let mut proof = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(subtree_root(source, middle, end)?);
            end = middle;
        } else {
            proof.push(subtree_root(source, start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `new` leaves begins with the tree of `old` leaves (RFC 6962 section 2.1.2).
///
/// # Errors
/// [`ProofError::Range`] when `old` is 0 (nothing could be proved) or beyond `new`, else the source's.
pub fn consistency_proof<S: HashSource>(source: &mut S, old: u64, new: u64) -> Result<Vec<Hash>, ProofError<S::Error>> {
    if old == 0 || old > new {
        return Err(ProofError::Range);
    }
    let (mut start, mut end) = (0, new);
    let mut known = true;
    let mut proof = Vec::new();
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(subtree_root(source, middle, end)?);
            end = middle;
        } else {
            proof.push(subtree_root(source, start, middle)?);
            start = middle;
            known = false;
        }
    }
    // The verifier has the old root already when the walk never left the left edge.
    if !known {
        proof.push(subtree_root(source, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The root over a power-of-two number of neighbouring hashes of one level.
pub(crate) fn perfect_root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => empty_root(),
        [one] => *one,
        [left, right] => node_hash(left, right),
        more => {
            let (left, right) = more.split_at(more.len() / 2);
            node_hash(&perfect_root(left), &perfect_root(right))
        }
    }
}

/// The right edge of a growing tree: the roots of its complete subtrees, largest first. At most 64 hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The edge of a tree of `size` leaves whose partial tiles, level 0 first, are these.
    pub(crate) fn from_partial_tiles(size: u64, levels: &[Vec<Hash>]) -> Self {
        let mut peaks = Vec::new();
        for level in levels.iter().rev() {
            let mut rest = level.as_slice();
            while !rest.is_empty() {
                let width = 1 << rest.len().ilog2();
                let (front, back) = rest.split_at_checked(width).unwrap_or((rest, &[]));
                peaks.push(perfect_root(front));
                rest = back;
            }
        }
        Self { size, peaks }
    }

    /// Adds the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        let (mut hash, mut size) = (leaf, self.size);
        while size & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            size >>= 1;
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// How many leaves there are.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree as it is.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return empty_root() };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}
