//! Import and export. The reading half: the bytes of a delimited text file and a mapping become typed draft rows. The writing half
//! ([`run`]): draft rows become records, by the same verbs as everybody's, with every row accounted for.
//!
//! The road: [`SourceFile::open`] finds encoding, delimiter and header and says how it found them;
//! [`plan`] binds a [`Mapping`] (written by hand or proposed by [`propose`]) to the columns of the file and to the
//! fields of the objects, all errors at once; [`RowReader`] then yields one [`DraftRow`] or [`RejectedRow`] per row in
//! constant memory; [`RejectWriter`] keeps the rejected ones in a file that can be fed in again.
//!
//! The reading half never talks to a database, resolves no reference and invents no value. Nothing is lost
//! silently: a byte that cannot be decoded, a ragged row and a column that nobody mapped are each told.

mod draft;
mod dump;
mod engine;
mod exports;
mod foresee;
mod jobs;
mod mapping;
mod reject;
mod report;
mod resolve;
mod row;
mod source;
mod target;
mod targets;
mod value;
mod work;

pub use draft::{CreateMissing, DraftRecord, DraftRow, PendingLink, PendingReference, ReferenceBy};
pub use dump::{Dump, DumpSink, DumpedObject};
pub use engine::{Go, ImportJob, ImportReport, Ledger, Progress, Rejects, Resume, Step, run};
pub use exports::{
    ExportFile, ExportFormat, ExportProblem, ExportRequest, ExportState, ExportView, Exports, ExportsView,
};
pub use jobs::{
    ImportFailure, ImportPatch, ImportProblem, ImportState, ImportUpload, ImportView, Imports, ImportsView,
    RejectedCsv, RejectedLine, SampleView, UndoView,
};
pub use mapping::{
    ColumnWhen, Defaults, ExternalIdRule, FieldRule, LinkRule, Mapping, OnExisting, Plan, Proposal, ProposalReason,
    Proposed, ReferenceRule, RelatedRule, WhenEmpty, plan, propose,
};
pub use reject::{RejectWriter, RejectedRow};
pub use report::{ColumnReport, DetectionReport};
pub use row::{RowError, RowReader, Tally};
pub use source::{
    Confidence, Decoded, Detection, Dialect, Input, LineEnds, OpenOptions, Opens, Position, Record, RecordError,
    RecordReader, SourceFile, decode, detect_encoding, encoding_named,
};
pub use target::{TargetField, TargetKind, TargetObject, TargetOption, TargetRelation};
pub use targets::{targets_for, targets_of};
pub use work::{Deferred, Touch};
