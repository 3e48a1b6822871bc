//! Backup sets: made from the data held still, sealed in a format that other people's tools open, verified after they were
//! written, kept by a plan that gives reasons, restored into a new folder, and proven by restoring.
//!
//! A set is a folder (docs/admin/backup.md has the format). It is never complete by looks alone: it gets its name last, and
//! its manifest names each file with length and hash under the appliance's signature. Removing one needs a [`Verified`]
//! younger one, which only reading a set back can make:
//! ```compile_fail,E0451
//! fn forged() -> recovery::Verified { recovery::Verified { sequence: 1 } }
//! ```
//! ```compile_fail,E0599
//! fn twice(set: &recovery::Verified) -> recovery::Verified { set.clone() }
//! ```
//! This crate opens no record and knows no grant: what it moves stays sealed as it lies in the database, under one more seal.

mod archive;
mod carry;
mod complete;
mod drill;
mod error;
mod fence;
mod house;
mod journal;
mod look;
mod manifest;
mod pace;
mod parcel;
mod readme;
mod restore;
mod retention;
mod rewind;
mod segment;
#[cfg(test)]
mod segment_tests;
mod ship;
mod spool;
mod standby;
mod status;
mod stoppable;
mod target;
mod verify;
mod volumes;
mod write;

pub use complete::complete_set;
pub use drill::{DrillReport, Drilled, drill, drill_while, look_through};
pub use error::RecoveryError;
pub use fence::{Fence, fence_of, fence_raise};
pub use house::House;
pub use journal::{StreamFile, StreamPlace};
pub use look::unpack_database;
pub use manifest::{MANIFEST, Manifest, PartFile, SIGNATURE, sign_report};
pub use pace::{Pace, Progress};
pub use parcel::Parcel;
pub use restore::{Restored, fetch_set, own_log_key, restore, restore_with, slots_of};
pub use retention::{Decision, KeepRule, Kept, Policy, Reason, plan};
pub use rewind::{
    Rewind, Rewound, Span, leads_into_stream, rewind, rewind_plan, shipped_words, streams_prune, windows,
};
pub use segment::{FilePiece, Segment, SegmentBody, SegmentHash, SegmentHead, seal_segment};
pub use ship::{ShipPlan, ShipStart, fenced, ship};
pub use standby::{
    Followed, STANDBY, Standby, StandbyFrom, standby_begin, standby_end, standby_follow, standby_verify,
};
pub use status::{ShipStatus, TargetShipped};
pub use target::{DirectoryTarget, PartSink, SetName, Target, TargetStep};
pub use verify::{Verified, read_manifest, remove_set, verify_set};
pub use volumes::{Cut, Finding, Label, Part, VolumeJob, Volumes, VolumesTarget, Written, export_volume};
pub use write::{SetJob, TargetOutcome, write_sets};
