//! The audit log: entries in canonical bytes, a Merkle tree of them in C2SP tiles, signed checkpoints, proofs, and a
//! verifier that tells where a log or a database was altered.
//!
//! It opens no sealed value, holds no key (signing goes through [`Signer`]) and touches no file but those of the log.
//! The order of entries is the caller's: the dense number of a database row (from 0) is the index of its leaf.

mod checkpoint;
mod codec;
mod codes;
mod entry;
mod error;
mod files;
mod follow;
mod note;
mod parts;
mod path;
mod proof;
mod reader;
mod report;
mod tree;
mod verify;
mod verify_rows;
mod verify_states;
mod verify_tiles;
mod writer;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests_entry;
#[cfg(test)]
mod tests_probes;
#[cfg(test)]
mod tests_tiles;
#[cfg(test)]
mod tests_verify;

pub use checkpoint::{Checkpoint, CheckpointError, Signer, VerifierKey, origin_of};
pub use codec::EntryError;
pub use codes::{ActOutcome, ActorKind, AuthMethod, Channel, Effect, How, Phase, Verb};
pub use entry::{Act, Actor, Change, Decision, Disclosed, Entry, FieldUse, SealedChange, Source, Target, ValueMac};
pub use error::LogError;
pub use follow::log_follow;
pub use note::{open_note, sign_note, signature_fits};
pub use parts::{LogPart, log_parts};
pub use proof::{Refusal, verify_consistency, verify_inclusion, verify_subtree_consistency, verify_subtree_inclusion};
pub use reader::TileReader;
pub use report::{Counts, Finding, Report};
pub use tree::{
    Frontier, Hash, HashSource, ProofError, consistency_proof, empty_root, inclusion_proof, leaf_hash, node_hash,
    range_root,
};
pub use verify::{EntryRow, EntrySource, PortError, Verification, verify};
pub use verify_states::StateSource;
pub use writer::{Anchor, TileWriter};
