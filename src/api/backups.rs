//! The appliance's backups as its administrators see and steer them in the browser. What is made, proven and removed is done
//! by whoever implements [`Backups`]; a set holds no record that this could show, and counts are all it tells of one.

use identity::Actor;
use kernel::{Outcome, Timestamp};
use serde::Serialize;
use std::sync::Arc;

/// The backups of an open appliance. Its methods may block on a disk or a network.
pub trait Backups: Send + Sync {
    /// What there is and what comes next.
    fn show(&self) -> Outcome<BackupsView>;
    /// One set on one target, read from there.
    ///
    /// # Errors
    /// `record_not_found` without such a set; `unavailable` when the target does not answer.
    fn set(&self, sequence: u64, target: &str) -> Outcome<SetView>;
    /// Begins something that runs by itself.
    ///
    /// # Errors
    /// `unavailable` while something else runs.
    fn begin(&self, by: &Arc<Actor>, order: BackupOrder) -> Outcome<()>;
    /// Asks what runs to stop at its next block; whether something ran.
    fn stop(&self) -> bool;
    /// Writes, reads back and removes a small file on a target. It says how each step went; it never fails by itself.
    ///
    /// # Errors
    /// `record_not_found` without such a target.
    fn test(&self, target: &str) -> Outcome<TestView>;
    /// Says that a set stays whatever the plan says, or no longer.
    ///
    /// # Errors
    /// `record_not_found` without such a set.
    fn pin(&self, by: &Actor, sequence: u64, target: &str, pinned: bool) -> Outcome<()>;
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupOrder {
    /// A set on these targets; on all when none is named.
    Make(Vec<String>),
    /// The newest set of a target, or of the first that has one, restored and looked through.
    Prove(Option<String>),
}

/// What there is and what comes next.
#[derive(Debug, Serialize)]
pub struct BackupsView {
    /// When sets are made, in the words of cron; absent when never by itself.
    pub schedule: Option<String>,
    /// When the newest is proven.
    pub drill: Option<String>,
    /// When the next set is made.
    pub next_at: Option<Timestamp>,
    /// Whether the unseal secret opens the sets.
    pub own_key: bool,
    /// How many further keys open them.
    pub recipients: usize,
    /// How long they stay.
    pub keep: KeepView,
    /// Whether clock and numbers of the sets agree; while they do not, nothing goes.
    pub steady: bool,
    /// Where they go.
    pub targets: Vec<TargetView>,
    /// The newest sets, newest first.
    pub sets: Vec<SetLine>,
    /// The newest drills, newest first.
    pub drills: Vec<DrillView>,
    /// Days to any second of which one can go back, where commits are shipped; absent where only sets are made.
    pub window_days: Option<u64>,
    /// What is under way in this process.
    pub running: Option<RunningView>,
}

/// How many sets stay.
#[derive(Debug, Serialize)]
pub struct KeepView {
    /// Days of which the newest set stays.
    pub daily: usize,
    /// The same of weeks.
    pub weekly: usize,
    /// The same of months.
    pub monthly: usize,
    /// The same of years.
    pub yearly: usize,
    /// Sets that always stay.
    pub at_least: usize,
    /// Hours between the decision that a set may go and its going.
    pub delay_hours: i64,
}

/// Where sets go.
#[derive(Debug, Serialize)]
pub struct TargetView {
    /// What the operator calls it.
    pub name: String,
    /// Where that is.
    pub place: String,
    /// Whether it should have a newer set by now.
    pub late: bool,
    /// How far the commits of this moment are there; absent where only sets go.
    pub shipped: Option<ShippedView>,
}

/// How shipping to a target stands.
#[derive(Debug, Serialize)]
pub struct ShippedView {
    /// Whether an answer waits until its commit is there.
    pub sync: bool,
    /// Seconds of work that would be lost if this target alone were left.
    pub rpo_seconds: u64,
    /// What is in the way.
    pub trouble: Option<String>,
}

/// How a target did when it was tried.
#[derive(Debug, Serialize)]
pub struct TestView {
    /// The target.
    pub target: String,
    /// Whether sets can be put there.
    pub ok: bool,
    /// The steps, up to the first that was not well.
    pub steps: Vec<TestStep>,
}

/// One step of trying a target.
#[derive(Debug, Serialize)]
pub struct TestStep {
    /// `write`, `rename`, `read back`, `list` or `remove`.
    pub step: &'static str,
    /// Whether it was well.
    pub ok: bool,
    /// What was wrong.
    pub detail: Option<String>,
}

/// One set on one target.
#[derive(Debug, Serialize)]
pub struct SetLine {
    /// Its number.
    pub sequence: u64,
    /// The target.
    pub target: String,
    /// Its name there.
    pub name: String,
    /// `writing`, `verified`, `failed`, `lost` or `removed`.
    pub state: String,
    /// Its moment.
    pub made_at: Timestamp,
    /// Its bytes there.
    pub bytes: u64,
    /// When it was last read back whole.
    pub verified_at: Option<Timestamp>,
    /// When a drill last restored it with everything well.
    pub proven_at: Option<Timestamp>,
    /// Whether somebody wants it to stay.
    pub pinned: bool,
    /// Why it failed.
    pub detail: String,
    /// `keep`, `mark` or `remove`, for a set that is there.
    pub plan: Option<&'static str>,
    /// Why, as one word such as `daily`.
    pub reason: Option<&'static str>,
    /// When it goes, if nobody wants it to stay.
    pub goes_at: Option<Timestamp>,
}

/// What a drill found.
#[derive(Debug, Serialize)]
pub struct DrillView {
    /// When it ended.
    pub at: Timestamp,
    /// The number of the set.
    pub sequence: u64,
    /// The target it was read from.
    pub target: String,
    /// Whether everything was well.
    pub ok: bool,
    /// How long a recovery takes, without people, in milliseconds.
    pub millis: u64,
    /// What was asked.
    pub checks: Vec<DrillCheck>,
}

/// One question of a drill.
#[derive(Debug, Serialize)]
pub struct DrillCheck {
    /// `unpack`, `integrity`, `counts`, `log`.
    pub check: String,
    /// Whether it was well.
    pub ok: bool,
    /// What was looked at, or what is wrong.
    pub detail: String,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

/// What is under way.
#[derive(Debug, Serialize)]
pub struct RunningView {
    /// `make` or `prove`.
    pub what: &'static str,
    /// Since when.
    pub since: Timestamp,
    /// Bytes so far.
    pub done: u64,
    /// Bytes in all; 0 while that is not known.
    pub total: u64,
}

/// A set as it lies on its target, and what there is now that was not there then.
#[derive(Debug, Serialize)]
pub struct SetView {
    /// The line of the list.
    #[serde(flatten)]
    pub line: SetLine,
    /// Where it lies, for the command that restores it.
    pub place: String,
    /// Whether that is a folder of the machine.
    pub folder: bool,
    /// The version of the program that made it.
    pub made_by: String,
    /// Bytes of what is packed in it: what a restore needs.
    pub holds_bytes: u64,
    /// Its files.
    pub files: Vec<SetFile>,
    /// What each table held, and holds now.
    pub tables: Vec<SetTable>,
    /// Entries of the log then, and now: acts after the set are what a restore loses.
    pub log_then: u64,
    /// Entries of the log now.
    pub log_now: u64,
}

/// One file of a set.
#[derive(Debug, Serialize)]
pub struct SetFile {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256, in hexadecimal.
    pub sha256: String,
}

/// One table of a set.
#[derive(Debug, Serialize)]
pub struct SetTable {
    /// Its name.
    pub table: String,
    /// Rows then.
    pub then: i64,
    /// Rows now.
    pub now: i64,
}
