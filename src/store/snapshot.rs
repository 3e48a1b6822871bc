//! The appliance's data as of one moment, held still for whoever copies it: the database, the sealed files its rows name, and
//! the log as far as it was sealed. Work goes on beside it. It copies nothing itself and opens nothing sealed.
//!
//! The embedded engine: with the write lock held the write-ahead log is moved whole into the database file, and a reader
//! begins. Such a reader needs nothing of the log, and as long as it reads no process can move anything into the file, by
//! SQLite's own locks (<https://www.sqlite.org/walformat.html>, section 2.3). So the file stands still and is copied at the speed of the
//! disk, while commits go on into the log.
//!
//! The server engine: one transaction sees the data as of its first question, and all of it is carried into a file of the
//! embedded engine (`carry`). So a set looks the same whatever it was made from. The file has no name: it goes with the process.

use crate::engine::{Access, Conn, EngineConfig, Overflow, Sql, dialect};
use crate::files::FilesHeld;
use crate::{ShipPlace, Store, StoreError, carry, definitions, migrate};
use audit::LogPart;
use kernel::{BootKind, Code, Fault, Id, RecordId};
use metadata::ColumnType;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The file in the folder of the log whose lock says that its last checkpoint and the database's knowledge of it are just
/// being changed, or looked at.
const GATE: &str = "gate";
/// How often a reader that is in the way is waited for.
const TRIES_MAX: u32 = 200;
const TRY_PAUSE: Duration = Duration::from_millis(50);
/// How often that is tried while nobody may write: another process ships what it sees ten times a second.
const SHIPPED_TRIES_MAX: u32 = 6;
/// How often writers are kept waiting for that: what cannot be shipped now would keep them waiting for nothing.
const SHIPPED_STOPS_MAX: u32 = 5;
const INT: ColumnType = ColumnType::Integer;

/// Held while entries are sealed, and while a snapshot looks at what is sealed. Across processes.
pub(crate) struct SealGate(#[expect(dead_code, reason = "held for its lock")] File);

impl SealGate {
    pub(crate) fn pass(folder: &Path) -> Result<Self, StoreError> {
        let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(folder.join(GATE));
        let file = opened.and_then(|file| file.lock().map(|()| file));
        file.map(Self).map_err(|error| StoreError::Audit(format!("the gate of the log's folder: {error}")))
    }
}

/// What a table held at the moment of a snapshot; the same questions are asked of a restored one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFacts {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: i64,
    /// Those that are not in the bin, where it has one.
    pub live: Option<i64>,
}

/// What a database says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseFacts {
    /// The appliance it belongs to.
    pub appliance: String,
    /// The last step of the schema.
    pub schema: i64,
    /// The version of the definitions.
    pub catalog: u64,
    /// Entries of the log among its rows.
    pub log_rows: u64,
    /// Every table that can be counted.
    pub tables: Vec<TableFacts>,
}

/// The data of one moment. As long as it lives, the database file does not change and no file of a record goes.
pub struct Snapshot {
    database: Arc<File>,
    bytes: u64,
    facts: DatabaseFacts,
    files: Vec<RecordId>,
    log: (u64, Vec<LogPart>),
    shipped: Option<ShipPlace>,
    _held: (Option<Pause>, FilesHeld, Conn),
}

/// Keeps this process's own checkpointer from asking for what cannot be had.
struct Pause(Arc<Overflow>);

impl Pause {
    fn begin(overflow: &Arc<Overflow>) -> Self {
        overflow.pause(true);
        Self(Arc::clone(overflow))
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        self.0.pause(false);
    }
}

impl Snapshot {
    /// Bytes of the database file.
    pub fn database_bytes(&self) -> u64 {
        self.bytes
    }
    /// Reads from the database file.
    ///
    /// # Errors
    /// What the disk says.
    pub fn read_database(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.database.read_at(buffer, offset)
    }
    /// What the database says of itself.
    pub fn facts(&self) -> &DatabaseFacts {
        &self.facts
    }
    /// The sealed files that its rows name.
    pub fn files(&self) -> &[RecordId] {
        &self.files
    }
    /// How many entries the log had sealed, and the files of that log.
    pub fn log(&self) -> (u64, &[LogPart]) {
        (self.log.0, &self.log.1)
    }
    /// How far commits were shipped at its moment, if somebody ships them: what comes behind that leads on from here.
    pub fn shipped(&self) -> Option<&ShipPlace> {
        self.shipped.as_ref()
    }
}

impl Store {
    /// Holds the data still. Writers wait some milliseconds meanwhile; afterwards everything goes on beside it.
    ///
    /// # Errors
    /// `unavailable` when readers in other processes do not let the write-ahead log be emptied for ten seconds.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.snapshot_while(&|| true)
    }

    /// The same, as long as `go_on` says so: on the server engine it takes as long as reading everything does.
    ///
    /// # Errors
    /// As above; and `unavailable` when it was told to stop.
    pub fn snapshot_while(&self, go_on: &dyn Fn() -> bool) -> Result<Snapshot, StoreError> {
        let Some(database) = &self.database_file else { return self.carried(go_on) };
        let held = FilesHeld::begin(&self.shared);
        let pause = Pause::begin(&self.overflow);
        let mut mover = Conn::open(&self.config.engine, Access::Write)?;
        // Most of the log is moved while commits go on.
        move_log(&mut mover)?;
        let ((mut reader, shipped), log) = {
            let _gate = SealGate::pass(&self.config.log_folder)?;
            let frozen = self.frozen(&mut mover)?;
            (frozen, audit::log_parts(&self.config.log_folder)?)
        };
        let facts = database_facts(&mut reader)?;
        let files = crate::files::named(&mut reader)?;
        let bytes = database.metadata().map_err(|error| StoreError::damaged(error.to_string()))?.len();
        let (database, held) = (Arc::clone(database), (Some(pause), held, reader));
        Ok(Snapshot { database, bytes, facts, files, log, shipped, _held: held })
    }

    /// Everything carried into a file of the embedded engine that has no name any more when this returns.
    fn carried(&self, go_on: &dyn Fn() -> bool) -> Result<Snapshot, StoreError> {
        let held = FilesHeld::begin(&self.shared);
        let mut reader = Conn::open(&self.config.engine, Access::Look)?;
        let log = {
            let _gate = SealGate::pass(&self.config.log_folder)?;
            dialect::begin_snapshot(&mut reader)?;
            // The first question is the moment.
            definitions::meta(&mut reader, "appliance")?;
            audit::log_parts(&self.config.log_folder)?
        };
        let place = Id::<BootKind>::generate(self.shared.clock.as_ref(), self.shared.random.as_ref());
        let place = self.config.files_folder.join(format!("copy-{place}"));
        let failed = |error: io::Error| {
            Fault::new(
                Code::Unavailable,
                "The database could not be copied beside the files of records; look at that disk.",
            )
            .with_cause(error)
        };
        std::fs::create_dir_all(&self.config.files_folder).map_err(failed)?;
        let made = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&place);
        let database = Arc::new(made.map_err(failed)?);
        let mut copy = Conn::open(&EngineConfig::Sqlite { file: place.clone() }, Access::Fill)?;
        let begun = dialect::begin_group(&mut copy);
        std::fs::remove_file(&place).map_err(failed)?;
        begun?;
        carry::carry(&mut reader, &mut copy, self.shared.clock.now(), go_on)?;
        crate::files_shared::forget_folder(&mut copy)?;
        copy.batch("COMMIT")?;
        reader.batch("ROLLBACK")?;
        let (facts, files) = (database_facts(&mut copy)?, crate::files::named(&mut copy)?);
        let bytes = database.metadata().map_err(failed)?.len();
        Ok(Snapshot { database, bytes, facts, files, log, shipped: None, _held: (None, held, copy) })
    }

    /// A reader that needs nothing of the write-ahead log; and how far commits were shipped when it began.
    fn frozen(&self, mover: &mut Conn) -> Result<(Conn, Option<ShipPlace>), StoreError> {
        let shipped = self.shipped().is_some();
        for _ in 0..if shipped { SHIPPED_STOPS_MAX } else { TRIES_MAX } {
            let mut writer = Conn::open(&self.config.engine, Access::Write)?;
            let mut reader = Conn::open(&self.config.engine, Access::Read)?;
            writer.batch("BEGIN IMMEDIATE")?;
            let begun = self.moved(mover).and_then(|whole| {
                if whole {
                    reader.batch("BEGIN")?;
                    reader.first(&Sql::new("SELECT count(*) FROM \"k_meta\""), &[INT])?;
                }
                // Nothing can be moved that was not shipped, so this is how far it was.
                Ok(whole.then(|| self.shipped()))
            });
            writer.batch("ROLLBACK")?;
            if let Some(shipped) = begun? {
                return Ok((reader, shipped));
            }
            std::thread::park_timeout(TRY_PAUSE);
        }
        if shipped {
            let what = "What was committed cannot be shipped now, and a set leads on from what was; the health page says why. It is tried again.";
            return Err(Fault::new(Code::Unavailable, what).into());
        }
        Err(Fault::new(
            Code::Unavailable,
            "Something reads the database without an end, so it cannot be held still for a backup. Look for a command or an import that hangs.",
        )
        .into())
    }

    /// Moves the whole write-ahead log, while nobody writes; whether that was possible. Where commits are shipped, by this
    /// process or another, that comes first, and takes a moment.
    fn moved(&self, mover: &mut Conn) -> Result<bool, StoreError> {
        let patience = if self.shipped().is_some() { SHIPPED_TRIES_MAX } else { 1 };
        for _ in 0..patience {
            self.handover.pass(TRY_PAUSE);
            if move_log(mover)? {
                return Ok(true);
            }
            if patience > 1 {
                std::thread::park_timeout(TRY_PAUSE);
            }
        }
        Ok(false)
    }

    /// What a database that no server has open says of itself; asked of a restored one. Writes nothing.
    pub fn facts_of(engine: &EngineConfig) -> Result<DatabaseFacts, StoreError> {
        let mut conn = Conn::open(engine, Access::Look)?;
        migrate::check_known(&mut conn)?;
        database_facts(&mut conn)
    }

    /// Looks through the whole database file for damage, with the engine's own means; what it found, at most 20 lines.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn integrity_of(engine: &EngineConfig) -> Result<Vec<String>, StoreError> {
        let mut conn = Conn::open(engine, Access::Look)?;
        if !conn.is_sqlite() {
            return Ok(Vec::new());
        }
        let rows = conn.rows(&Sql::new("PRAGMA integrity_check(20)"), &[ColumnType::Text])?;
        Ok(rows.into_iter().filter_map(|row| row.text(0)).filter(|line| line != "ok").collect())
    }
}

impl crate::ReadTx<'_> {
    /// What the database says of itself now. It counts every row.
    pub fn database_facts(&mut self) -> Result<DatabaseFacts, StoreError> {
        database_facts(self.conn)
    }
}

/// The database file, opened once for the life of a store. It must not be opened and closed beside its connections: on
/// POSIX the close of any descriptor drops the locks that this process holds on the file.
pub(crate) fn database_file(engine: &EngineConfig) -> Result<Option<Arc<File>>, StoreError> {
    let EngineConfig::Sqlite { file } = engine else { return Ok(None) };
    let opened = File::open(file).map(|file| Some(Arc::new(file)));
    opened.map_err(|error| StoreError::config(format!("cannot read {}: {error}", PathBuf::from(file).display())))
}

/// Moves what it can of the write-ahead log into the database file; whether that was all.
fn move_log(conn: &mut Conn) -> Result<bool, StoreError> {
    let row = conn.first(&Sql::new("PRAGMA wal_checkpoint(PASSIVE)"), &[INT; 3])?;
    Ok(row.is_some_and(|row| row.int(0) == Some(0) && row.int(1) == row.int(2)))
}

pub(crate) fn database_facts(conn: &mut Conn) -> Result<DatabaseFacts, StoreError> {
    let number = |conn: &mut Conn, sql: &Sql| -> Result<i64, StoreError> {
        Ok(conn.first(sql, &[INT])?.and_then(|row| row.int(0)).unwrap_or_default())
    };
    let (_, catalog) = definitions::load(conn)?;
    let mut tables = Vec::new();
    for object in catalog.objects() {
        let mut live = Sql::new("SELECT count(*) FROM ");
        live.ident(&object.name).push(" WHERE \"deleted_at\" IS NULL");
        let live = Some(number(conn, &live)?);
        tables.push(TableFacts { live, ..counted(conn, object.name.clone())? });
        for link in &object.links {
            tables.push(counted(conn, object.link_table(link))?);
        }
    }
    for table in ["k_attachment", "k_key", "k_audit"] {
        tables.push(counted(conn, table.to_owned())?);
    }
    let log_rows = tables.last().and_then(|facts| u64::try_from(facts.rows).ok()).unwrap_or(0);
    Ok(DatabaseFacts {
        appliance: definitions::meta(conn, "appliance")?.unwrap_or_default(),
        schema: number(conn, &Sql::new("SELECT max(\"number\") FROM \"k_migration\""))?,
        catalog: catalog.version(),
        log_rows,
        tables,
    })
}

fn counted(conn: &mut Conn, table: String) -> Result<TableFacts, StoreError> {
    let mut sql = Sql::new("SELECT count(*) FROM ");
    sql.ident(&table);
    let rows = conn.first(&sql, &[INT])?.and_then(|row| row.int(0)).unwrap_or_default();
    Ok(TableFacts { table, rows, live: None })
}
