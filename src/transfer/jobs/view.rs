//! What a user sees of an import. Cells are those of the user's own file; reasons never repeat a value.

use super::{Import, Imports};
use crate::{ImportReport, Mapping};
use kernel::{Code, Outcome, RecordId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

macro_rules! states { ($($(#[$doc:meta])* $name:ident $word:literal),* $(,)?) => {
    /// Where an import stands.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ImportState { $($(#[$doc])* $name),* }
    impl ImportState {
        /// The name in the table and on the wire.
        pub const fn name(self) -> &'static str {
            match self { $(Self::$name => $word),* }
        }
        /// The one of this name; of a name that is none, the one with which nothing can be done but forget it.
        pub(super) fn from_name(name: &str) -> Self {
            [$(Self::$name),*].into_iter().find(|state| state.name() == name).unwrap_or(Self::Cancelled)
        }
    }
} }
states! {
    /// The file is there; the mapping can be changed.
    New "new",
    /// A dry run is at work.
    Checking "checking",
    /// A dry run has ended; the mapping can still be changed.
    Checked "checked",
    /// Rows are being imported.
    Running "running",
    /// It was paused and can go on.
    Paused "paused",
    /// Its process was stopped under it; it can go on.
    Interrupted "interrupted",
    /// It could not go on by itself; `problem` says why.
    Stopped "stopped",
    /// It was ended early; what was imported stays.
    Cancelled "cancelled",
    /// All rows were dealt with.
    Done "done",
    /// It is being taken back.
    Undoing "undoing",
    /// It was taken back, as far as possible.
    Undone "undone",
}

impl ImportState {
    /// Whether something goes on by itself.
    pub(super) const fn is_working(self) -> bool {
        matches!(self, Self::Checking | Self::Running | Self::Undoing)
    }
}

/// The first rows of a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SampleView {
    /// The columns.
    pub columns: Vec<String>,
    /// Their first rows; long cells are cut.
    pub rows: Vec<Vec<String>>,
}

/// Why something did not go on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportProblem {
    /// The stable code.
    pub code: Code,
    /// The same in words.
    pub detail: String,
}

/// A row that was not taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RejectedLine {
    /// The physical line on which it begins.
    pub line: u64,
    /// The stable code of the first reason.
    pub code: Code,
    /// All reasons in words.
    pub reason: String,
}

/// A record that could not be taken back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportFailure {
    /// Its object.
    pub object: String,
    /// The record.
    pub id: RecordId,
    /// Why.
    pub code: Code,
    /// The same in words.
    pub detail: String,
}

/// What became of taking an import back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct UndoView {
    /// Records that are to be dealt with.
    pub total: u64,
    /// New ones that were put into the bin.
    pub removed: u64,
    /// Changed ones that have their old values again.
    pub restored: u64,
    /// Those that stay as they are.
    pub failed: u64,
    /// The first of these, with the reason.
    pub failures: Vec<ImportFailure>,
}

/// An import as its user sees it.
#[derive(Clone, Debug, Serialize)]
pub struct ImportView {
    /// Its id.
    pub id: RecordId,
    /// Where it stands.
    pub state: ImportState,
    /// What the file is called.
    pub file_name: String,
    /// Bytes of the file.
    pub size: u64,
    /// The object of its rows.
    pub object: Option<String>,
    /// Which column goes where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Mapping>,
    /// What was found out about the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detection: Option<Json>,
    /// The first rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<SampleView>,
    /// Why it cannot be read or did not go on.
    pub problem: Option<ImportProblem>,
    /// How far it has come and what became of the rows.
    pub progress: ImportReport,
    /// What the last dry run would have done.
    pub dry_run: Option<ImportReport>,
    /// The first rows that were not taken, of the dry run or the run.
    pub first_errors: Vec<RejectedLine>,
    /// What became of taking it back.
    pub undo: Option<UndoView>,
    /// Whether it can be begun.
    pub can_run: bool,
    /// Whether it can go on.
    pub can_resume: bool,
    /// Whether it can be taken back.
    pub can_undo: bool,
    /// When the file came.
    pub at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// The actor's imports.
#[derive(Clone, Debug, Serialize)]
pub struct ImportsView {
    /// Newest first, without mapping, sample and findings.
    pub items: Vec<ImportView>,
}

impl Imports {
    pub(super) fn view(&self, import: &Import, whole: bool) -> Outcome<ImportView> {
        let (kept, body) = (&import.kept, &import.body);
        let (state, progress) = (self.state(import), import.progress()?);
        let did = progress.created + progress.updated + progress.related + progress.deferred > 0;
        let open = matches!(state, ImportState::New | ImportState::Checked);
        Ok(ImportView {
            id: kept.id,
            state,
            file_name: body.file_name.clone(),
            size: body.size,
            object: body.object.clone(),
            mapping: body.mapping.clone().filter(|_| whole),
            detection: body.detection.clone().filter(|_| whole),
            sample: body.sample.clone().filter(|_| whole),
            problem: body.problem.clone(),
            dry_run: body.dry_run.clone(),
            first_errors: body.first_errors.clone(),
            undo: body.undo.clone(),
            can_run: open && body.mapping.is_some() && body.problem.is_none(),
            can_resume: matches!(state, ImportState::Paused | ImportState::Interrupted | ImportState::Stopped)
                && body.undo.is_none(),
            can_undo: did && !state.is_working() && state != ImportState::Undone,
            at: kept.at,
            finished_at: kept.finished_at,
            progress,
        })
    }
}
