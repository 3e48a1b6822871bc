//! Imports over the API: a file that waits, sealed, while its user finds the mapping; a dry run; a run that goes on by itself,
//! survives a restart without importing a row twice, and can be paused and taken back. It reads and writes by the same engine
//! as the command line; here is only what surrounds a run. An import belongs to its user and nobody else.

mod begin;
mod rejected;
mod run;
mod undo;
mod view;

pub use begin::{ImportPatch, ImportUpload};
pub use rejected::RejectedCsv;
pub use view::{
    ImportFailure, ImportProblem, ImportState, ImportView, ImportsView, RejectedLine, SampleView, UndoView,
};

use crate::{ImportReport, Input, Mapping, SourceFile};
use authz::AppAction;
use identity::Actor;
use kernel::{Code, Fault, Outcome, RecordId, limits};
use records::Records;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::io;
use std::sync::Arc;
use store::{ImportKept, Store};

/// A running import that is silent for so long is one whose process has stopped.
const SILENCE_SECONDS: i64 = 120;

/// Imports of users. Cheap to clone. Every call may block: none is for the event loop.
#[derive(Clone)]
pub struct Imports {
    records: Records,
    store: Arc<Store>,
}

/// What is known of an import beside its progress; kept sealed.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Body {
    file_name: String,
    size: u64,
    object: Option<String>,
    mapping: Option<Mapping>,
    /// What was found out about the file, as it is shown.
    detection: Option<Json>,
    sample: Option<SampleView>,
    problem: Option<ImportProblem>,
    dry_run: Option<ImportReport>,
    first_errors: Vec<RejectedLine>,
    undo: Option<UndoView>,
}

/// One import, opened.
struct Import {
    kept: ImportKept,
    body: Body,
}

fn unknown() -> Fault {
    Fault::new(Code::JobUnknown, "You have no such import.")
}

fn busy() -> Fault {
    Fault::new(Code::JobBusy, "The import is at work; pause or cancel it, or wait for its end.")
}

impl Import {
    fn open(kept: ImportKept) -> Outcome<Self> {
        let body = serde_json::from_slice(&kept.body).map_err(Fault::internal)?;
        Ok(Self { kept, body })
    }
    /// As it is to be kept.
    fn sealed(mut self) -> Outcome<ImportKept> {
        self.kept.body = serde_json::to_vec(&self.body).map_err(Fault::internal)?;
        Ok(self.kept)
    }
    fn progress(&self) -> Outcome<ImportReport> {
        if self.kept.progress.is_empty() {
            return Ok(ImportReport::default());
        }
        serde_json::from_str(&self.kept.progress).map_err(Fault::internal)
    }
}

impl Imports {
    /// Imports over this store.
    pub fn new(records: Records, store: Arc<Store>) -> Self {
        Self { records, store }
    }

    fn may(&self, actor: &Actor) -> Outcome<()> {
        self.records.may_act(actor, AppAction::Import, audit::Verb::Import)
    }

    fn found(&self, actor: &Actor, id: RecordId) -> Outcome<Import> {
        let user = actor.user();
        let kept = self.store.read(move |tx| tx.import(user, id)).wait()?;
        Import::open(kept.ok_or_else(unknown)?)
    }

    /// Writes an import anew after somebody has looked at it as it is now; nobody else writes in between.
    fn changed(
        &self,
        actor: &Actor,
        id: RecordId,
        change: impl FnOnce(&mut Import) -> Outcome<()> + Send + 'static,
    ) -> Outcome<Import> {
        let user = actor.user();
        let written = self.store.write(move |tx| {
            let mut import = Import::open(tx.read().import(user, id)?.ok_or_else(unknown)?)?;
            change(&mut import)?;
            let kept = import.sealed()?;
            tx.import_write(&kept)?;
            Ok(kept)
        });
        Import::open(written.wait()?)
    }

    fn state(&self, import: &Import) -> ImportState {
        let kept = &import.kept;
        let lives = self.store.boot_lives(kept.boot);
        let silent = kept.beat_at.plus_seconds(SILENCE_SECONDS) < self.store.clock().now();
        let state = ImportState::from_name(&kept.state);
        if state.is_working() && (!lives || silent) { ImportState::Interrupted } else { state }
    }

    /// The actor's imports.
    pub fn list(&self, actor: &Actor) -> Outcome<ImportsView> {
        self.may(actor)?;
        let user = actor.user();
        let all = self.store.read(move |tx| tx.imports(user)).wait()?;
        let views = all.into_iter().map(|kept| self.view(&Import::open(kept)?, false));
        Ok(ImportsView { items: views.collect::<Outcome<_>>()? })
    }

    /// One import of the actor.
    pub fn get(&self, actor: &Actor, id: RecordId) -> Outcome<ImportView> {
        self.may(actor)?;
        self.view(&self.found(actor, id)?, true)
    }

    /// Forgets an import and its file. What it imported stays.
    pub fn forget(&self, actor: &Actor, id: RecordId) -> Outcome<()> {
        self.may(actor)?;
        let import = self.found(actor, id)?;
        if self.state(&import).is_working() {
            return Err(busy());
        }
        self.store.write(move |tx| Ok(tx.import_drop(id)?)).wait()
    }

    /// Tells a running import to stop behind the rows in hand; one that waits is ended at once by `cancel`.
    pub fn want(&self, actor: &Actor, id: RecordId, cancel: bool) -> Outcome<ImportView> {
        self.may(actor)?;
        let import = self.found(actor, id)?;
        let state = self.state(&import);
        let wanted = if cancel { "cancel" } else { "pause" };
        if matches!(state, ImportState::Running | ImportState::Checking) {
            self.store.write(move |tx| Ok(tx.import_want(id, wanted)?)).wait()?;
            return self.get(actor, id);
        }
        let may = matches!(state, ImportState::Paused | ImportState::Interrupted | ImportState::Stopped);
        if !cancel || !may {
            let detail = "Only a running import can be paused, and only one that has begun can be cancelled.";
            return Err(Fault::new(Code::JobBusy, detail));
        }
        let now = self.store.clock().now();
        let import = self.changed(actor, id, move |import| {
            ImportState::Cancelled.name().clone_into(&mut import.kept.state);
            import.kept.finished_at = Some(now);
            Ok(())
        })?;
        self.view(&import, true)
    }

    /// The file of an import, to be read as often as needed.
    fn input(&self, id: RecordId, size: u64) -> Input {
        let store = Arc::clone(&self.store);
        let open = move || -> io::Result<Box<dyn io::Read + Send>> {
            let file = store.import_file(id, size).map_err(|error| io::Error::other(error.to_string()))?;
            Ok(Box::new(file))
        };
        Input::Stored(Arc::new(open), size)
    }

    fn source(&self, import: &Import) -> Outcome<SourceFile> {
        let options = import.body.mapping.as_ref().map(Mapping::open_options).unwrap_or_default();
        SourceFile::open(self.input(import.kept.id, import.body.size), &options)
    }

    /// Rejected rows with their reasons, as a file that can be mended and imported again.
    pub fn rejected(&self, actor: &Actor, id: RecordId) -> Outcome<RejectedCsv> {
        self.may(actor)?;
        let import = self.found(actor, id)?;
        if self.state(&import).is_working() {
            return Err(busy());
        }
        let steps = self.steps(id)?;
        let mut lines: Vec<RejectedLine> = steps.into_iter().flat_map(|step| step.rejected).collect();
        if lines.is_empty() {
            lines.clone_from(&import.body.first_errors);
        }
        self.records.note(actor, audit::Verb::Import, &format!("rejected rows of import {id} were fetched")).wait()?;
        RejectedCsv::new(&self.source(&import)?, lines)
    }

    /// An import that nobody works on and that may be changed: the mapping is still open.
    fn must_be_open(&self, import: &Import) -> Outcome<()> {
        match self.state(import) {
            ImportState::New | ImportState::Checked => Ok(()),
            state if state.is_working() => Err(busy()),
            _ => {
                let detail = "The import has begun; its mapping stays. Cancel it and send the file again.";
                Err(Fault::new(Code::JobBusy, detail))
            }
        }
    }
}

fn too_many() -> Fault {
    let detail = format!("At most {} imports (IMPORTS_PER_USER_MAX); delete old ones.", limits::IMPORTS_PER_USER_MAX);
    Fault::new(Code::LimitExceeded, detail)
}
