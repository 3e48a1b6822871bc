//! Exports of lists: a file that is made by itself, page by page with the rights of each moment, lies sealed for a day, and is
//! handed to the one who asked for it. Every page is in the log, with its records and fields, before a byte of it is written; so
//! is every download before a byte of it leaves. An export belongs to its user and nobody else.

mod cells;
mod columns;
mod run;

pub use cells::ExportFormat;
pub(crate) use cells::plain_cell;

use authz::AppAction;
use columns::columns_of;
use identity::{Actor, Locale};
use kernel::{Code, Fault, Id, Outcome, RecordId, Timestamp, limits};
use records::Records;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{ExportKept, FileReader, Store};

/// A running export that is silent for so long is one whose process has stopped.
const SILENCE_SECONDS: i64 = 120;

/// A list to take out, as asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// The columns in order, related ones as `account.name`.
    pub columns: Vec<String>,
    /// How the file is written.
    pub format: ExportFormat,
    /// The filter tree of the list.
    #[serde(default)]
    pub filter: Option<Json>,
    /// Search text of the list.
    #[serde(default)]
    pub q: Option<String>,
    /// Fields to sort by, `-` for descending.
    #[serde(default)]
    pub sort: Vec<String>,
}

macro_rules! states { ($($(#[$doc:meta])* $name:ident $word:literal),* $(,)?) => {
    /// Where an export stands.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ExportState { $($(#[$doc])* $name),* }
    impl ExportState {
        /// The name in the table and on the wire.
        const fn name(self) -> &'static str {
            match self { $(Self::$name => $word),* }
        }
        fn from_name(name: &str) -> Self {
            [$(Self::$name),*].into_iter().find(|state| state.name() == name).unwrap_or(Self::Failed)
        }
    }
} }
states! {
    /// Records are being read.
    Running "running",
    /// The file can be downloaded.
    Ready "ready",
    /// It could not be made; `problem` says why.
    Failed "failed",
    /// Its process was stopped under it; ask anew.
    Interrupted "interrupted",
}

/// Why there is no file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportProblem {
    /// The stable code.
    pub code: Code,
    /// The same in words.
    pub detail: String,
}

/// What is known of an export; kept sealed.
#[derive(Clone, Serialize, Deserialize)]
struct Body {
    object: String,
    request: ExportRequest,
    zh: bool,
    file_name: String,
    /// Every object that something was taken from.
    objects: BTreeSet<String>,
    /// The rights that it was taken with.
    reach: [u8; 32],
    rows: u64,
    size: u64,
    digest: Option<String>,
    problem: Option<ExportProblem>,
    finished_at: Option<Timestamp>,
}

impl Body {
    const fn locale(&self) -> Locale {
        if self.zh { Locale::Zh } else { Locale::En }
    }
}

/// An export as its user sees it.
#[derive(Clone, Debug, Serialize)]
pub struct ExportView {
    /// Its id.
    pub id: RecordId,
    /// Where it stands.
    pub state: ExportState,
    /// The object of its records.
    pub object: String,
    /// How the file is written.
    pub format: ExportFormat,
    /// The columns.
    pub columns: Vec<String>,
    /// What the file is called.
    pub file_name: String,
    /// Records in it so far.
    pub rows: u64,
    /// Bytes of the file.
    pub size: Option<u64>,
    /// SHA-256 of the file, in hex.
    pub sha256: Option<String>,
    /// Why there is no file.
    pub problem: Option<ExportProblem>,
    /// When it was asked for.
    pub at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Until when the file can be downloaded.
    pub expires_at: Option<Timestamp>,
}

/// The actor's exports.
#[derive(Clone, Debug, Serialize)]
pub struct ExportsView {
    /// Newest first.
    pub items: Vec<ExportView>,
}

/// A file on its way out.
pub struct ExportFile {
    /// What it is.
    pub view: ExportView,
    /// Its bytes; an error on the way means that the file is damaged, and what came before it is worth nothing.
    pub bytes: FileReader,
}

/// Exports of users. Cheap to clone. Every call may block: none is for the event loop.
#[derive(Clone)]
pub struct Exports {
    records: Records,
    store: Arc<Store>,
}

/// One export, opened.
struct Export {
    kept: ExportKept,
    body: Body,
}

fn unknown() -> Fault {
    Fault::new(Code::JobUnknown, "You have no such export, or its time is over.")
}

impl Export {
    fn open(kept: ExportKept) -> Outcome<Self> {
        let body = serde_json::from_slice(&kept.body).map_err(Fault::internal)?;
        Ok(Self { kept, body })
    }
    fn sealed(&self) -> Outcome<ExportKept> {
        let body = serde_json::to_vec(&self.body).map_err(Fault::internal)?;
        Ok(ExportKept { body, ..self.kept.clone() })
    }
    fn expires_at(&self) -> Option<Timestamp> {
        self.body.finished_at.map(|at| at.plus_seconds(limits::EXPORT_SECONDS))
    }
}

impl Exports {
    /// Exports over this store.
    pub fn new(records: Records, store: Arc<Store>) -> Self {
        Self { records, store }
    }

    fn may(&self, actor: &Actor) -> Outcome<()> {
        self.records.may_act(actor, AppAction::Export, audit::Verb::Export)
    }

    fn view(&self, export: &Export) -> ExportView {
        let (kept, body) = (&export.kept, &export.body);
        let lives = self.store.boot_lives(kept.boot);
        let silent = kept.beat_at.plus_seconds(SILENCE_SECONDS) < self.store.clock().now();
        let state = match ExportState::from_name(&kept.state) {
            ExportState::Running if !lives || silent => ExportState::Interrupted,
            state => state,
        };
        let ready = state == ExportState::Ready;
        ExportView {
            id: kept.id,
            state,
            object: body.object.clone(),
            format: body.request.format,
            columns: body.request.columns.clone(),
            file_name: body.file_name.clone(),
            rows: body.rows,
            size: Some(body.size).filter(|_| ready),
            sha256: body.digest.clone().filter(|_| ready),
            problem: body.problem.clone(),
            at: kept.at,
            finished_at: body.finished_at,
            expires_at: export.expires_at().filter(|_| ready),
        }
    }

    /// One export of the actor whose time is not over.
    fn found(&self, actor: &Actor, id: RecordId) -> Outcome<Export> {
        let user = actor.user();
        let kept = self.store.read(move |tx| tx.export(user, id)).wait()?;
        let export = Export::open(kept.ok_or_else(unknown)?)?;
        if export.expires_at().is_some_and(|at| at <= self.store.clock().now()) { Err(unknown()) } else { Ok(export) }
    }

    /// The actor's exports.
    pub fn list(&self, actor: &Actor) -> Outcome<ExportsView> {
        self.may(actor)?;
        let (user, now) = (actor.user(), self.store.clock().now());
        let all = self.store.read(move |tx| tx.exports(user)).wait()?;
        let mut items = Vec::with_capacity(all.len());
        for kept in all {
            let export = Export::open(kept)?;
            if export.expires_at().is_none_or(|at| at > now) {
                items.push(self.view(&export));
            }
        }
        Ok(ExportsView { items })
    }

    /// One export of the actor.
    pub fn get(&self, actor: &Actor, id: RecordId) -> Outcome<ExportView> {
        self.may(actor)?;
        Ok(self.view(&self.found(actor, id)?))
    }

    /// Takes an export and its file away; a running one stops.
    pub fn forget(&self, actor: &Actor, id: RecordId) -> Outcome<()> {
        self.may(actor)?;
        self.found(actor, id)?;
        self.store.write(move |tx| Ok(tx.export_drop(id)?)).wait()
    }

    /// The file, for the one who asked for it, as long as the rights are those it was made with. The log knows of it when this
    /// returns.
    pub fn download(&self, actor: &Arc<Actor>, id: RecordId) -> Outcome<ExportFile> {
        self.may(actor)?;
        let export = self.found(actor, id)?;
        let view = self.view(&export);
        if view.state != ExportState::Ready {
            return Err(Fault::new(Code::JobBusy, "There is no file yet, or there will be none; look at the export."));
        }
        if self.records.export_reach(actor, &export.body.objects)? != export.body.reach {
            let told = format!("download of export {id} refused: rights were changed since");
            self.records.export_note(actor, &view.object, &told).wait()?;
            let detail = "Your rights, or what roles allow, have changed since the file was made; make it anew.";
            return Err(Fault::new(Code::AccessDenied, detail));
        }
        let bytes = self.store.export_file(id, export.body.size)?;
        let digest = view.sha256.as_deref().unwrap_or_default();
        let told =
            format!("download of export {id}: {} records, {} bytes, sha256 {digest}", view.rows, export.body.size);
        self.records.export_note(actor, &view.object, &told).wait()?;
        Ok(ExportFile { view, bytes })
    }

    /// Begins an export.
    pub fn begin(&self, actor: &Arc<Actor>, object: &str, request: ExportRequest) -> Outcome<ExportView> {
        self.may(actor)?;
        let columns = columns_of(&self.records, actor, object, &request.columns)?;
        let objects = columns.objects.clone();
        let reach = self.records.export_reach(actor, &objects)?;
        let page = run::first_page(&request, &columns);
        // A filter or an order that cannot be is told now, not by a job that fails.
        let probe = records::ListRequest { limit: Some(1), fields: Some(Vec::new()), ..page };
        self.records.list(actor, object, probe).wait()?;
        let now = self.store.clock().now();
        let id: RecordId = Id::generate(self.store.clock().as_ref(), self.store.random().as_ref());
        let day = now.to_string();
        let file_name = format!("{object}-{}.csv", day.get(..10).unwrap_or_default());
        let zh = actor.locale() == Locale::Zh;
        let export = Export {
            kept: ExportKept {
                id,
                user: actor.user(),
                state: ExportState::Running.name().to_owned(),
                boot: Id::from_bytes(*self.store.boot().as_bytes()),
                body: Vec::new(),
                at: now,
                beat_at: now,
            },
            body: Body {
                object: object.to_owned(),
                request,
                zh,
                file_name,
                objects,
                reach,
                rows: 0,
                size: 0,
                digest: None,
                problem: None,
                finished_at: None,
            },
        };
        self.keep(actor, &export)?;
        let view = self.view(&export);
        let (exports, actor) = (self.clone(), Arc::clone(actor));
        let work = move || exports.work(&actor, export, &columns);
        std::thread::Builder::new().name("export".to_owned()).spawn(work).map_err(Fault::internal)?;
        Ok(view)
    }

    /// Keeps a new export where there is room for it; the log knows what was asked for.
    fn keep(&self, actor: &Arc<Actor>, export: &Export) -> Outcome<()> {
        let (kept, who, exports) = (export.sealed()?, Arc::clone(actor), self.clone());
        let before = self.store.clock().now().plus_seconds(-limits::EXPORT_SECONDS);
        let asked = format!("export {} begin: {}", kept.id, export.body.request.columns.join(","));
        let object = export.body.object.clone();
        let written = self.store.write(move |tx| {
            tx.exports_prune(before)?;
            let all = tx.read().exports(kept.user)?;
            if all.len() >= limits::EXPORTS_PER_USER_MAX {
                let most = limits::EXPORTS_PER_USER_MAX;
                let detail =
                    format!("At most {most} exports a day (EXPORTS_PER_USER_MAX); delete one that you have taken.");
                return Err(Fault::new(Code::LimitExceeded, detail).into());
            }
            for other in all {
                if exports.view(&Export::open(other)?).state == ExportState::Running {
                    let detail = "One export at a time; wait for the one that is running, or delete it.";
                    return Err(Fault::new(Code::JobBusy, detail).into());
                }
            }
            tx.export_insert(&kept)?;
            let mut entry = tx.entry(&who, audit::Verb::Export);
            entry.target.object = object;
            entry.note = asked;
            Ok(tx.log_entry(&entry)?)
        });
        written.wait()
    }
}
