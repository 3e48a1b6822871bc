//! The tap on the embedded engine's commits: hands each on in order to whoever ships them, and sees to it that none can go
//! before it was handed on, whichever process made it. It ships nothing itself.
//!
//! A write-ahead log begins anew only after all of it was moved into the database file, and nothing is moved past the mark
//! of a reader. So the tap always holds a reader whose mark is not beyond what was shipped: a new one begins before the log is
//! read, and the old one ends only after what was read is in its place. A reader that begins when all was moved needs nothing
//! of the log; it lets the log begin anew once, and keeps anything of the new one from being moved. SQLite's own locks do
//! this for every process.

use crate::engine::wal::{self, WalAnswer};
use crate::engine::{Access, Conn, EngineConfig, Handover, Sql, Waiting};
use crate::files::{named_in_folder, path_of};
use crate::{ReadTx, Shared, Store, StoreError, WriteTx, definitions};
use kernel::{Fault, RecordId, Timestamp};
use metadata::ColumnType;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use crate::engine::wal::WalPlace;

/// In the folder of the log: how far was shipped, for other processes; its lock says that somebody ships.
const SHIPPED: &str = "shipped";
/// Where the database keeps the term.
const TERM: &str = "term";
const LOCK: &str = "shipper";
/// Frames that are read at once: 16 MiB of pages.
const FRAMES_MAX: u32 = 4096;
/// Bytes of a file that are carried at once.
pub const FILE_PIECE_BYTES: usize = 4 * 1024 * 1024;
/// Files written up to this long before the last look are looked at again.
const FILES_AGAIN_SECONDS: i64 = 60;

/// How far commits were shipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipPlace {
    /// The number of the stream.
    pub stream: u32,
    /// Its random name, in hexadecimal: numbers may come twice after a restore, names do not.
    pub name: String,
    /// The last segment.
    pub segment: u64,
    /// Its hash, in hexadecimal.
    pub hash: String,
    /// Length and time of the database file after its last process closed it in order, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<(u64, i64)>,
}

/// What was committed since.
pub struct Commits {
    /// Pages by number.
    pub pages: BTreeMap<u32, Vec<u8>>,
    /// Pages of the database after it; 0 inside a long commit.
    pub db_pages: u32,
    /// Commits that end in here.
    pub commits: u64,
    /// Where to go on.
    pub to: WalPlace,
    /// Whether it ends with a commit.
    pub border: bool,
}

/// What the tap gives.
pub enum Tapped {
    /// Nothing was committed since.
    Nothing,
    /// Something was.
    Commits(Commits),
    /// The write-ahead log went on without the tap: something in between is lost to it.
    Gone,
}

/// The one tap of a folder. Held by its lock.
pub struct Tap {
    shared: Arc<Shared>,
    handover: Arc<Handover>,
    folder: PathBuf,
    wal_path: PathBuf,
    wal: Option<File>,
    guards: [Conn; 2],
    held: usize,
    next: bool,
    at: WalPlace,
    marked: u32,
    kept: Option<ShipPlace>,
    seen: BTreeMap<PathBuf, i64>,
    known: BTreeSet<RecordId>,
    _lock: File,
}

/// What a closed database file looked like before this process opened it.
pub fn file_stamp(database: &Path) -> Option<(u64, i64)> {
    let wal = PathBuf::from(format!("{}-wal", database.display()));
    if fs::metadata(&wal).is_ok_and(|found| found.len() > 0) {
        return None;
    }
    let found = fs::metadata(database).ok()?;
    Some((found.len(), found.mtime().saturating_mul(1_000_000_000).saturating_add(found.mtime_nsec())))
}

/// How far the commits of a log's folder were shipped, as the one who ships last said.
pub fn ship_place(log_folder: &Path) -> Option<ShipPlace> {
    let text = fs::read(log_folder.join(SHIPPED)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Writes down how far was shipped. Never torn; not synced: after a crash the stream itself says more.
pub fn keep_ship_place(log_folder: &Path, place: &ShipPlace) -> Result<(), StoreError> {
    let text = serde_json::to_vec(place).map_err(|error| StoreError::damaged(error.to_string()))?;
    let half = log_folder.join(format!("{SHIPPED}.part"));
    let kept = fs::write(&half, text).and_then(|()| fs::rename(&half, log_folder.join(SHIPPED)));
    kept.map_err(|error| StoreError::Audit(format!("{SHIPPED} in the log's folder: {error}")))
}

/// Whether somebody ships from this folder, now or when it is next opened.
pub(crate) fn will_be_shipped(log_folder: &Path) -> bool {
    log_folder.join(LOCK).exists()
}

/// Whether somebody ships from this folder now.
pub(crate) fn is_shipped(log_folder: &Path) -> bool {
    let file = OpenOptions::new().write(true).open(log_folder.join(LOCK));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

impl Store {
    /// Becomes the one who ships. `None` when another process does, or this engine ships by its own means.
    /// Commits wait for nothing yet; [`Tap::begin`] says from where on.
    ///
    /// # Errors
    /// What the disk or the engine says.
    pub fn tap(&self) -> Result<Option<Tap>, StoreError> {
        let EngineConfig::Sqlite { file } = &self.config.engine else { return Ok(None) };
        let folder = self.config.log_folder.clone();
        let failed = |error: std::io::Error| StoreError::Audit(format!("{LOCK} in the log's folder: {error}"));
        fs::create_dir_all(&folder).map_err(failed)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(folder.join(LOCK));
        let lock = lock.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        self.handover.expect(true);
        let mut guards =
            [Conn::open(&self.config.engine, Access::Read)?, Conn::open(&self.config.engine, Access::Read)?];
        let [first, _] = &mut guards;
        hold(first)?;
        Ok(Some(Tap {
            shared: Arc::clone(&self.shared),
            handover: Arc::clone(&self.handover),
            folder,
            wal_path: PathBuf::from(format!("{}-wal", file.display())),
            wal: None,
            guards,
            held: 0,
            next: false,
            at: WalPlace::default(),
            marked: 0,
            kept: None,
            seen: BTreeMap::new(),
            known: BTreeSet::new(),
            _lock: lock,
        }))
    }

    /// Lets nothing be written from now on, with this reason, or lets it again.
    pub fn refuse_writes(&self, why: Option<Fault>) {
        self.handover.refuse(why);
    }

    /// Nothing is shipped from this folder any more, whatever was so before; unless a process that began earlier still does.
    ///
    /// # Errors
    /// What the disk says.
    pub fn ship_never(&self) -> Result<(), StoreError> {
        if is_shipped(&self.config.log_folder) {
            return Ok(());
        }
        self.handover.expect(false);
        match fs::remove_file(self.config.log_folder.join(LOCK)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::Audit(format!("{LOCK} in the log's folder: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// How far was shipped, by this process or another; `None` when nobody ships. Exact only while nothing can be written and
    /// all of the write-ahead log was moved.
    pub(crate) fn shipped(&self) -> Option<ShipPlace> {
        if self.handover.is_carried() {
            return self.handover.place();
        }
        let place = ship_place(&self.config.log_folder)?;
        is_shipped(&self.config.log_folder).then_some(place).filter(|place| place.closed.is_none())
    }
}

impl ReadTx<'_> {
    /// The term of this node: it goes up with each promotion of a standby.
    pub fn term(&mut self) -> Result<u64, StoreError> {
        Ok(definitions::meta(self.conn, TERM)?.and_then(|text| text.parse().ok()).unwrap_or(0))
    }
}

impl WriteTx<'_, '_> {
    /// Takes a higher term.
    pub fn set_term(&mut self, term: u64) -> Result<(), StoreError> {
        definitions::set_meta(self.conn(), TERM, &term.to_string())
    }
}

fn hold(conn: &mut Conn) -> Result<(), StoreError> {
    conn.batch("BEGIN")?;
    conn.first(&Sql::new("SELECT count(*) FROM \"k_meta\""), &[ColumnType::Integer]).map(drop)
}

impl Tap {
    fn file(&mut self) -> Result<Option<&File>, StoreError> {
        if self.wal.is_none() {
            self.wal = match File::open(&self.wal_path) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => return Err(self.failed(&error)),
            };
        }
        Ok(self.wal.as_ref())
    }

    fn failed(&self, error: &std::io::Error) -> StoreError {
        StoreError::damaged(format!("{}: {error}", self.wal_path.display()))
    }

    /// Whether the write-ahead log goes on from there, so that nothing lies between.
    ///
    /// # Errors
    /// What the disk says.
    pub fn continues(&mut self, from: WalPlace) -> Result<bool, StoreError> {
        let found = match self.file()? {
            Some(file) => wal::continues(file, from),
            None => Ok(false),
        };
        found.map_err(|error| self.failed(&error))
    }

    /// Begins: at a place known from earlier, at the beginning of what is in the log (`Some` of the default place), or
    /// behind everything that was committed so far. From now on answers wait until they are let go, if they should.
    ///
    /// # Errors
    /// What the disk says.
    pub fn begin(&mut self, from: Option<WalPlace>, waits: bool) -> Result<(), StoreError> {
        self.at = match from {
            Some(place) => place,
            None => {
                let found = self.file()?.map_or(Ok(WalPlace::default()), |file| wal::end(file, WalPlace::default()));
                found.map_err(|error| self.failed(&error))?
            }
        };
        self.handover.carried(true, waits);
        Ok(())
    }

    /// Waits for commits of this process, for being asked, or for this long. What waits has to be let go.
    pub fn wait(&self, most: Duration) -> (Vec<Waiting>, u64) {
        self.handover.wait(most)
    }

    /// Begins the next reader, so that the one that is held can end when all that is read from now on was shipped.
    ///
    /// # Errors
    /// What the engine says.
    pub fn advance(&mut self) -> Result<(), StoreError> {
        if !self.next {
            let other = self.guards.get_mut(1 - self.held).ok_or(StoreError::Closed)?;
            hold(other)?;
            self.next = true;
        }
        Ok(())
    }

    /// What was committed since the last that was accepted.
    ///
    /// # Errors
    /// What the disk says.
    pub fn read(&mut self) -> Result<Tapped, StoreError> {
        let at = self.at;
        let answer = match self.file()? {
            Some(file) => wal::read(file, at, FRAMES_MAX),
            None => Ok(WalAnswer::Nothing),
        };
        match answer.map_err(|error| self.failed(&error))? {
            WalAnswer::Nothing => Ok(Tapped::Nothing),
            WalAnswer::Gone => Ok(Tapped::Gone),
            WalAnswer::Read(read) => Ok(Tapped::Commits(Commits {
                pages: read.pages,
                db_pages: read.db_pages,
                commits: read.commits,
                to: read.to,
                border: read.border,
            })),
        }
    }

    /// That was shipped: go on from there.
    pub fn accept(&mut self, to: WalPlace) {
        self.at = to;
    }

    /// Frames that were read since the held reader began.
    pub fn behind(&self) -> u32 {
        self.at.frames.saturating_sub(self.marked)
    }

    /// Where it goes on.
    pub fn at(&self) -> WalPlace {
        self.at
    }

    /// Whoever asked may look for themselves whether all was shipped and can be moved.
    pub fn answered(&self, asked: u64) {
        self.handover.passed(asked);
    }

    /// All that was read is in its place: the older reader ends.
    ///
    /// # Errors
    /// What the engine says.
    pub fn settle(&mut self, place: &ShipPlace) -> Result<(), StoreError> {
        self.handover.set_place(Some(place.clone()));
        if self.next {
            if self.kept.as_ref() != Some(place) {
                keep_ship_place(&self.folder, place)?;
                self.kept = Some(place.clone());
            }
            let held = self.guards.get_mut(self.held).ok_or(StoreError::Closed)?;
            held.batch("COMMIT")?;
            (self.held, self.next) = (1 - self.held, false);
            self.marked = self.at.frames;
        }
        Ok(())
    }

    /// Bytes of the write-ahead log that nothing may be moved from.
    pub fn held_bytes(&self) -> u64 {
        fs::metadata(&self.wal_path).map_or(0, |found| found.len())
    }

    /// The files that this process has put in place since the last time.
    pub fn files(&self) -> Vec<RecordId> {
        self.handover.take_files()
    }

    /// Gives files back that could not be shipped.
    pub fn put_back(&self, files: Vec<RecordId>) {
        self.handover.put_back_files(files);
    }

    /// Files that somebody put in place since `since`, and that were not named by this before: for those of other processes.
    pub fn files_of_others(&mut self, since: Timestamp) -> Vec<RecordId> {
        let root = self.shared.files.folder.clone();
        let since = since.plus_seconds(-FILES_AGAIN_SECONDS).micros();
        named_in_folder(&root, since, &mut self.seen).into_iter().filter(|id| self.known.insert(*id)).collect()
    }

    /// A piece of a sealed file, and its whole length; `None` when it is gone again.
    ///
    /// # Errors
    /// What the disk says.
    pub fn piece(&self, id: RecordId, offset: u64) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
        let failed = |error: std::io::Error| StoreError::damaged(format!("a stored file cannot be read: {error}"));
        let file = match File::open(path_of(&self.shared.files.folder, id)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let total = file.metadata().map_err(failed)?.len();
        let length = total.saturating_sub(offset).min(FILE_PIECE_BYTES as u64);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact_at(&mut bytes, offset).map_err(failed)?;
        Ok(Some((bytes, total)))
    }

    /// Lets nothing be written from now on, with this reason, or lets it again.
    pub fn refuse_writes(&self, why: Option<Fault>) {
        self.handover.refuse(why);
    }

    /// Gives up: nothing waits any more, and the write-ahead log is held no longer. What was not shipped is lost to the
    /// stream, which must end here.
    pub fn give_up(&mut self) {
        self.handover.set_place(None);
        self.handover.carried(false, false);
        for guard in &mut self.guards {
            // One of the two has no transaction, which is told and does not matter.
            let _ = guard.batch("COMMIT");
        }
        self.next = false;
        self.handover.expect(false);
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.handover.set_place(None);
        self.handover.carried(false, false);
    }
}
