//! The one crate that owns a connection: two engines, record tables, the key ring's rows, the log's rows, group commit.
//!
//! Reading needs a [`authz::Scope`] or a [`authz::Grant`]; the only way to change a record is through [`WriteTx`], which
//! writes row and audit entry in one call. An answer that discloses something is handed out as [`Durable`], after its
//! audit entry is on disk. A change cannot be made with a right to read:
//! ```compile_fail
//! fn change(tx: &mut store::WriteTx<'_, '_>, grant: authz::Grant<'_, authz::Read>, row: store::StoredRow, values: metadata::Checked) {
//!     let _ = tx.update(grant, &row, values, store::Cause::default());
//! }
//! ```
//! nor a grant be used twice:
//! ```compile_fail
//! fn twice(tx: &mut store::WriteTx<'_, '_>, grant: authz::Grant<'_, authz::Delete>, row: store::StoredRow) {
//!     let _ = tx.delete(grant, &row, store::Cause::default());
//!     let _ = tx.delete(grant, &row, store::Cause::default());
//! }
//! ```
//! A stored row has no values to print:
//! ```compile_fail
//! fn print(row: store::StoredRow) { println!("{row:?}"); }
//! ```

mod access;
mod archiver;
mod attachments;
mod backups;
#[cfg(feature = "bench")]
pub mod bare;
mod carry;
mod change;
mod checkpoint;
mod cursor;
mod definitions;
mod ends;
mod engine;
mod error;
mod exports;
mod external;
mod files;
mod files_shared;
mod foreseen;
mod history;
mod idempotency;
mod imports;
mod jobs;
mod leases;
mod links;
mod live;
mod log;
mod looking;
mod merge;
mod merging;
mod migrate;
mod nodes;
mod notifications;
mod order;
mod people;
mod preferences;
mod query;
mod reach;
mod read;
mod retention;
mod roles;
mod rows;
mod sample;
mod saved_views;
mod schema;
mod sealing;
mod search;
mod selection;
mod set_store;
mod settings;
mod snapshot;
mod state;
mod still;
mod summary;
mod tap;
mod ticket;
mod timeline;
mod tree;
#[cfg(debug_assertions)]
mod trial;
mod unique;
mod upgrading;
mod verify;
mod write;

pub use access::{DirectoryPorts, RoleAssignment};
pub use archiver::Archiver;
pub use attachments::Attachment;
pub use backups::{BackupRow, DrillRow};
pub use carry::TableContent;
pub use cursor::Cursor;
pub use definitions::SetUp;
pub use engine::bell::Bell;
pub use engine::handover::Waiting;
pub use engine::{EngineConfig, PostgresUrl};
pub use error::StoreError;
pub use exports::ExportKept;
pub use files::{FileKept, FileReader, FileWriter};
pub use history::{FieldMove, HistoryEntry};
pub use idempotency::Remembered;
pub use imports::ImportKept;
pub use jobs::{Job, JobRow, JobRowKept};
pub use leases::{Lease, LeaseHeld, LeaseRow};
pub use links::LinkRow;
pub use log::LogLine;
pub use looking::DatabaseLook;
pub use migrate::{Migrated, SchemaState};
pub use nodes::NodeRow;
pub use notifications::{Notice, Notification};
pub use query::{Condition, Filter, ListQuery, Op, Page};
pub use read::ReadTx;
pub use roles::RoleVersion;
pub use rows::StoredRow;
pub use sample::Touched;
pub use saved_views::{SavedView, Sharing};
pub use sealing::Sealer;
pub use search::SearchQuery;
pub use set_store::SetStore;
pub use settings::Kept;
pub use snapshot::{DatabaseFacts, Snapshot, TableFacts};
pub use summary::{Bucket, FieldSum, GroupField, SummaryLine, SummaryQuery};
pub use tap::{Commits, FILE_PIECE_BYTES, ShipPlace, Tap, Tapped, WalPlace, file_stamp, keep_ship_place, ship_place};
pub use ticket::{Durable, Refused, Ticket};
pub use timeline::TimelineQuery;
pub use tree::link_files;
pub use verify::Depth;
pub use write::{Cause, Changed, WriteTx};

use arc_swap::ArcSwap;
use authz::Policy;
use engine::{Access, Conn, Handover, Overflow, committer, readers};
use kernel::{BootKind, Clock, Fault, Id, Random};
use metadata::{Catalog, Profile};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use vault::Vault;

/// How to open a store.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Where the data lies.
    pub engine: EngineConfig,
    /// Reader threads.
    pub readers: usize,
    /// The folder of the log's tiles.
    pub log_folder: PathBuf,
    /// The folder of sealed files.
    pub files_folder: PathBuf,
    /// The name of this node in the log.
    pub node: String,
}

/// What every transaction shares.
pub(crate) struct Shared {
    pub(crate) catalog: ArcSwap<Catalog>,
    pub(crate) policy: ArcSwap<Policy>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) profile: Profile,
    pub(crate) boot: Id<BootKind>,
    pub(crate) files: files::Files,
    pub(crate) node: String,
    pub(crate) leases: leases::Leases,
    pub(crate) selections: selection::Selections,
    pub(crate) reaches: reach::Reaches,
    /// Whether the keys that lie in this database open values; never those of a set.
    pub(crate) opens: bool,
}

/// An open store.
pub struct Store {
    shared: Arc<Shared>,
    config: StoreConfig,
    committer: Mutex<committer::Committer>,
    readers: Mutex<readers::Readers>,
    checkpointer: Mutex<Option<checkpoint::Checkpointer>>,
    bell: Arc<Bell>,
    overflow: Arc<Overflow>,
    handover: Arc<Handover>,
    database_file: Option<Arc<std::fs::File>>,
    ending: Mutex<Option<Box<dyn Ending>>>,
}

/// What has to be done in order when a store closes.
pub trait Ending: Send {
    /// Nothing is written any more by this process; the engine is still open.
    fn last_commit(&mut self);
    /// Every connection of this process is closed.
    fn closed(&mut self);
}

impl Store {
    /// Opens the database and loads definitions and roles. A database without definitions is refused (`SetUp::run` makes them), and
    /// one that was not brought to this version (`Store::migrate_now`).
    pub fn open(
        config: StoreConfig,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, StoreError> {
        let mut conn = Conn::open(&config.engine, Access::Write)?;
        migrate::check(&mut conn)?;
        let (profile, catalog) = definitions::load(&mut conn)?;
        let policy = people::load_policy(&mut conn)?;
        let shared = Arc::new(Shared {
            catalog: ArcSwap::from_pointee(catalog),
            policy: ArcSwap::from_pointee(policy),
            vault,
            boot: Id::generate(clock.as_ref(), random.as_ref()),
            clock,
            random,
            profile,
            node: config.node.clone(),
            leases: leases::Leases::new(config.engine.is_shared()),
            selections: selection::Selections::default(),
            reaches: reach::Reaches::default(),
            files: files::Files::new(config.files_folder.clone(), config.engine.is_shared()),
            opens: true,
        });
        let (bell, overflow) = (Arc::new(Bell::default()), Arc::new(Overflow::default()));
        let handover = Arc::clone(&shared.files.handover);
        handover.expect(tap::will_be_shipped(&config.log_folder));
        let committer = committer::Committer::start(
            &config.engine,
            Arc::clone(&bell),
            Arc::clone(&overflow),
            Arc::clone(&handover),
        )?;
        let readers = readers::Readers::start(&config.engine, config.readers.max(1))?;
        let checkpointer =
            checkpoint::Checkpointer::start(&config.engine, Arc::clone(&overflow), Arc::clone(&handover))?;
        let database_file = snapshot::database_file(&config.engine)?;
        // Not before others are open: the last connection to close empties the write-ahead log and removes it.
        drop(conn);
        Ok(Self {
            shared,
            config,
            committer: Mutex::new(committer),
            readers: Mutex::new(readers),
            checkpointer: Mutex::new(checkpointer),
            bell,
            overflow,
            handover,
            database_file,
            ending: Mutex::new(None),
        })
    }

    /// Asks to be told when the store closes.
    pub fn on_ending(&self, ending: Box<dyn Ending>) {
        *self.ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(ending);
    }

    /// The definitions as they are now.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.shared.catalog.load_full()
    }
    /// The roles as they are now.
    pub fn policy(&self) -> Arc<Policy> {
        self.shared.policy.load_full()
    }
    /// The key ring.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.shared.vault
    }
    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }
    /// The source of randomness.
    pub fn random(&self) -> &Arc<dyn Random> {
        &self.shared.random
    }
    /// This start of the process, as the log names it.
    pub fn boot(&self) -> Id<BootKind> {
        self.shared.boot
    }
    /// What rings when this process has changed records.
    pub fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }
    /// How it was opened.
    pub fn config(&self) -> &StoreConfig {
        &self.config
    }

    /// Reads what discloses no record: counts of the appliance, definitions, the log's own rows.
    pub fn read<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Ticket<T> {
        let (answer, ticket) = Ticket::new();
        let shared = Arc::clone(&self.shared);
        let sent = self.lock_readers().send(Box::new(move |conn| {
            let outcome = task(&mut ReadTx::begin(conn, &shared));
            answer.send(outcome.map_err(Fault::from));
        }));
        ticket.unless(sent)
    }

    /// Reads records. The answer arrives only once the entries that tell of it are on disk; a refusal likewise.
    pub fn disclose<T: Send + 'static>(
        self: &Arc<Self>,
        task: impl FnOnce(&mut ReadTx<'_>) -> Result<(T, Vec<audit::Entry>), Refused> + Send + 'static,
    ) -> Ticket<Durable<T>> {
        let (answer, ticket) = Ticket::new();
        let store = Arc::clone(self);
        let sent = self.lock_readers().send(Box::new(move |conn| {
            let outcome = {
                let mut tx = ReadTx::begin(conn, &store.shared);
                let outcome = task(&mut tx);
                tx.publish_keys();
                outcome
            };
            let (outcome, entries) = match outcome {
                Ok((payload, entries)) => (Ok(payload), entries),
                Err(Refused { fault, entry }) => (Err(fault), entry.into_iter().map(|entry| *entry).collect()),
            };
            store.settle(entries, move |durable| {
                answer.send(match (outcome, durable) {
                    (Ok(payload), Ok(())) => Ok(Durable(payload)),
                    (Err(fault), Ok(())) => Err(fault),
                    (_, Err(error)) => Err(error.into()),
                });
            });
        }));
        ticket.unless(sent)
    }

    /// Runs a unit of work in the next group. A failing unit leaves nothing behind but its denial, if it names one.
    pub fn write<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut WriteTx<'_, '_>) -> Result<T, Refused> + Send + 'static,
    ) -> Ticket<T> {
        let (answer, ticket) = Ticket::new();
        let shared = Arc::clone(&self.shared);
        let sent = self.lock_committer().unit(Box::new(move |group| write::run_unit(group, &shared, task, answer)));
        ticket.unless(sent)
    }

    /// Puts entries into the log that belong to no change: sign-ins, denials, start and stop.
    pub fn append(&self, entries: Vec<audit::Entry>) -> Ticket<()> {
        let (answer, ticket) = Ticket::new();
        self.settle(entries, move |durable| answer.send(durable.map_err(Fault::from)));
        ticket
    }

    fn settle(&self, entries: Vec<audit::Entry>, then: impl FnOnce(Result<(), StoreError>) + Send + 'static) {
        if cfg!(feature = "bench-without-audit") || entries.is_empty() {
            then(Ok(()));
            return;
        }
        let rows: Result<Vec<_>, StoreError> = entries.iter().map(log::row_of).collect();
        match rows {
            Ok(rows) => {
                let settle: committer::Settle = Box::new(move |outcome| then(outcome.map_err(StoreError::Commit)));
                // A closed queue drops the settle and with it the answer: the caller sees that nothing was disclosed.
                let _ = self.lock_committer().append(rows, settle);
            }
            Err(error) => then(Err(error)),
        }
    }

    /// Lets the queues run dry, checkpoints and closes. Idempotent.
    pub fn close(&self) {
        self.lock_readers().stop();
        self.lock_committer().stop();
        let mut ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ending) = &mut ending {
            ending.last_commit();
        }
        if let Some(mut checkpointer) = self.checkpointer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            checkpointer.stop();
        }
        if let Some(ending) = &mut ending {
            ending.closed();
        }
    }

    fn lock_committer(&self) -> std::sync::MutexGuard<'_, committer::Committer> {
        self.committer.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn lock_readers(&self) -> std::sync::MutexGuard<'_, readers::Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}
