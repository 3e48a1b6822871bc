//! Backup sets that are opened so that single records can be found in them and brought back. Which set is open, and how it
//! comes to be, is the business of whoever implements [`Picks`]; what is seen in it is decided by `records`.

use identity::Actor;
use kernel::{Outcome, Timestamp};
use records::PickSet;
use serde::Serialize;
use std::sync::Arc;

/// The one set that is open for browsing. Its methods may block on a disk or a network.
pub trait Picks: Send + Sync {
    /// The sets that can be opened, and the one that is.
    fn show(&self) -> Outcome<PicksView>;
    /// Begins to open a set; it goes on by itself.
    ///
    /// # Errors
    /// `record_not_found` without such a set; `unavailable` while somebody else looks into another one.
    fn open(&self, by: &Arc<Actor>, sequence: u64, target: &str) -> Outcome<()>;
    /// Closes the set that is open and takes its scratch folder away; whether there was one.
    fn close(&self, by: &Actor) -> Outcome<bool>;
    /// The set that is open.
    ///
    /// # Errors
    /// `set_not_open` without one.
    fn set(&self) -> Outcome<Arc<PickSet>>;
}

/// The sets that can be opened, and the one that is.
#[derive(Debug, Serialize)]
pub struct PicksView {
    /// Whether the appliance can open its sets.
    pub own_key: bool,
    /// Newest first.
    pub sets: Vec<PickSetLine>,
    /// The one that is open, or on its way.
    pub open: Option<PickOpenView>,
    /// Why the last one could not be opened.
    pub failed: Option<String>,
}

/// A set that can be opened.
#[derive(Clone, Debug, Serialize)]
pub struct PickSetLine {
    /// Its number.
    pub sequence: u64,
    /// The target it lies on.
    pub target: String,
    /// Its name.
    pub name: String,
    /// Its moment.
    pub made_at: Timestamp,
}

/// The set that is open, or on its way.
#[derive(Clone, Debug, Serialize)]
pub struct PickOpenView {
    /// Which.
    #[serde(flatten)]
    pub line: PickSetLine,
    /// Whether it can be looked into.
    pub ready: bool,
    /// Bytes read so far.
    pub done: u64,
    /// Bytes in all; 0 while that is not known.
    pub total: u64,
    /// When it closes by itself unless somebody looks.
    pub closes_at: Option<Timestamp>,
}
