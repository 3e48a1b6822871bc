//! Sealed files beside the database, below one folder: written chunk by chunk, synced and renamed before a row may name
//! them, removed after their row is gone. So a crash can leave a file that nobody names, never a row without its file;
//! [`Store::files_sweep`] takes such files away at the next start. What is in a file only the vault knows.

use crate::engine::{Cell, Conn, Handover, Sql};
use crate::{Lease, Shared, Store, StoreError};
use kernel::{Code, Fault, RecordId, limits};
use metadata::ColumnType;
use ring::digest;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vault::{FILE_CHUNK_LEN, FILE_HEADER_LEN, FILE_SEALED_CHUNK_LEN, FileOpener, FileSealer, file_sealed_len};
use zeroize::Zeroizing;

/// The tables whose rows name files by their id.
const NAMED_IN: [&str; 3] = ["k_attachment", "k_import", "k_export"];
/// What the name of a file that is being written ends with.
const PART: &str = "part";

/// What became of a file that was written.
#[derive(Clone)]
pub struct FileKept {
    /// Its id.
    pub id: RecordId,
    /// Bytes before sealing.
    pub size: u64,
    /// SHA-256 of them.
    pub digest: [u8; 32],
}

fn failed(error: &io::Error, doing: &str) -> StoreError {
    let detail = format!("A stored file could not be {doing}. If its disk is full, the operator must free some space.");
    Fault::new(Code::Unavailable, detail).with_cause(error).into()
}

/// The folder of a file: by its last byte, so that no folder grows without end.
fn folder_of(folder: &Path, id: RecordId) -> PathBuf {
    let last = id.as_bytes().last().copied().unwrap_or_default();
    folder.join(format!("{last:02x}"))
}

pub(crate) fn path_of(folder: &Path, id: RecordId) -> PathBuf {
    folder_of(folder, id).join(id.to_string())
}

/// The folder of sealed files, and what may not leave it yet.
pub(crate) struct Files {
    pub(crate) folder: PathBuf,
    /// How many copies are being made of it, and what goes once there is none.
    held: Mutex<(usize, Vec<RecordId>)>,
    /// Whether other nodes use it too: then nothing goes at once, for one of them may be copying it.
    shared: bool,
    /// Who has to hear of a file that was put in place.
    pub(crate) handover: Arc<Handover>,
}

impl Files {
    pub(crate) fn new(folder: PathBuf, shared: bool) -> Self {
        Self { folder, held: Mutex::default(), shared, handover: Arc::default() }
    }

    fn held(&self) -> MutexGuard<'_, (usize, Vec<RecordId>)> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes a file whose row is gone, or lets it wait until nobody copies the folder. One that waits when the process
    /// ends goes at the next start; of a folder that several nodes use, it goes with the next sweep.
    pub(crate) fn remove(&self, id: RecordId) {
        if self.shared {
            return;
        }
        let mut held = self.held();
        if held.0 > 0 {
            held.1.push(id);
        } else {
            remove(&self.folder, id);
        }
    }
}

/// As long as it lives, no file goes that a row names now.
pub(crate) struct FilesHeld(Arc<Shared>);

impl FilesHeld {
    pub(crate) fn begin(shared: &Arc<Shared>) -> Self {
        shared.files.held().0 += 1;
        Self(Arc::clone(shared))
    }
}

impl Drop for FilesHeld {
    fn drop(&mut self) {
        let mut held = self.0.files.held();
        held.0 = held.0.saturating_sub(1);
        if held.0 == 0 {
            let gone = std::mem::take(&mut held.1);
            gone.into_iter().for_each(|id| remove(&self.0.files.folder, id));
        }
    }
}

/// The files that rows name.
pub(crate) fn named(conn: &mut Conn) -> Result<Vec<RecordId>, StoreError> {
    let mut found = Vec::new();
    for table in NAMED_IN {
        let mut sql = Sql::new("SELECT \"id\" FROM ");
        sql.ident(table);
        conn.each(&sql, &[ColumnType::Binary], |row| {
            found.extend(row.id(0));
            Ok(())
        })?;
    }
    Ok(found)
}

/// Removes a file. One that is not there is what was wanted.
fn remove(folder: &Path, id: RecordId) {
    match fs::remove_file(path_of(folder, id)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(file = %id, %error, "a stored file could not be removed; the next start tries again");
        }
        _ => {}
    }
}

/// A file on its way in. Dropped before [`FileWriter::finish`], it leaves nothing behind.
pub struct FileWriter {
    id: RecordId,
    path: PathBuf,
    part: PathBuf,
    file: File,
    sealer: FileSealer,
    buffer: Zeroizing<Vec<u8>>,
    digest: digest::Context,
    size: u64,
    bytes_max: u64,
    limit: &'static str,
    kept: bool,
    handover: Arc<Handover>,
}

impl FileWriter {
    /// Begins a file. More than `bytes_max` bytes are refused with the name of that limit.
    fn create(
        files: &Files,
        id: RecordId,
        sealer: FileSealer,
        (bytes_max, limit): (u64, &'static str),
    ) -> io::Result<Self> {
        let (folder, handover) = (&files.folder, Arc::clone(&files.handover));
        DirBuilder::new().recursive(true).mode(0o700).create(folder_of(folder, id))?;
        let path = path_of(folder, id);
        let part = path.with_extension(PART);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        let buffer = Zeroizing::new(Vec::with_capacity(FILE_SEALED_CHUNK_LEN));
        let digest = digest::Context::new(&digest::SHA256);
        let (size, kept) = (0, false);
        let mut writer = Self { id, path, part, file, sealer, buffer, digest, size, bytes_max, limit, kept, handover };
        writer.file.write_all(writer.sealer.header())?;
        Ok(writer)
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// `limit_exceeded` beyond the limit; `unavailable` when the disk refuses.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.size > self.bytes_max {
            let detail = format!("A file may have at most {} bytes (limit {}).", self.bytes_max, self.limit);
            return Err(Fault::new(Code::LimitExceeded, detail).into());
        }
        self.digest.update(bytes);
        while !bytes.is_empty() {
            // A full chunk waits until something follows it: only then is it known not to be the last.
            if self.buffer.len() == FILE_CHUNK_LEN {
                self.flush(false)?;
            }
            let room = FILE_CHUNK_LEN.saturating_sub(self.buffer.len()).min(bytes.len());
            let (now, rest) = bytes.split_at(room);
            self.buffer.extend_from_slice(now);
            bytes = rest;
        }
        Ok(())
    }

    fn flush(&mut self, last: bool) -> Result<(), StoreError> {
        self.sealer.seal(&mut self.buffer, last)?;
        self.file.write_all(&self.buffer).map_err(|error| failed(&error, "written"))?;
        self.buffer.clear();
        Ok(())
    }

    /// Puts the file in its place. When this returns, it is on disk under its name.
    pub fn finish(mut self) -> Result<FileKept, StoreError> {
        self.flush(true)?;
        let placed = self.file.sync_all().and_then(|()| fs::rename(&self.part, &self.path)).and_then(|()| {
            let folder = self.path.parent().map(File::open).transpose()?;
            folder.map_or(Ok(()), |folder| folder.sync_all())
        });
        placed.map_err(|error| failed(&error, "written"))?;
        self.kept = true;
        self.handover.file(self.id);
        let mut digest = [0; 32];
        digest.copy_from_slice(self.digest.clone().finish().as_ref());
        Ok(FileKept { id: self.id, size: self.size, digest })
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        if !self.kept {
            // What is left over goes at the next start.
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// A file on its way out: each chunk is checked before a byte of it is handed on.
pub struct FileReader {
    file: File,
    opener: FileOpener,
    /// Sealed bytes that are still to come.
    left: u64,
    chunk: Zeroizing<Vec<u8>>,
    given: usize,
    ended: bool,
}

impl FileReader {
    /// Opens a file of `size` bytes; `opener` makes what opens it from its header. A file that is too short or too long is
    /// damaged, which is told before its first byte leaves.
    pub(crate) fn open(
        path: &Path,
        size: u64,
        opener: impl FnOnce(&[u8]) -> Result<FileOpener, StoreError>,
    ) -> Result<Self, StoreError> {
        let damaged = |error: io::Error| StoreError::damaged(format!("a file cannot be read: {error}"));
        let mut file = File::open(path).map_err(damaged)?;
        let found = file.metadata().map_err(damaged)?.len();
        let expected = file_sealed_len(size);
        if found != expected {
            return Err(StoreError::damaged(format!("a file has {found} bytes on disk and should have {expected}")));
        }
        let mut header = [0u8; FILE_HEADER_LEN];
        file.read_exact(&mut header).map_err(damaged)?;
        let opener = opener(&header)?;
        let left = found.saturating_sub(u64::try_from(FILE_HEADER_LEN).unwrap_or(u64::MAX));
        Ok(Self { file, opener, left, chunk: Zeroizing::new(Vec::new()), given: 0, ended: false })
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let most = u64::try_from(FILE_SEALED_CHUNK_LEN).unwrap_or(u64::MAX);
        let mut sealed = Vec::with_capacity(FILE_SEALED_CHUNK_LEN);
        let wanted = self.left.min(most);
        (&mut self.file).take(wanted).read_to_end(&mut sealed)?;
        self.left = self.left.saturating_sub(wanted);
        self.ended = self.left == 0;
        let opened = self.opener.open(&sealed, self.ended);
        self.chunk = opened.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        self.given = 0;
        Ok(())
    }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.chunk.len() && !self.ended {
            self.next_chunk()?;
        }
        let waiting = self.chunk.get(self.given..).unwrap_or_default();
        let length = waiting.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), waiting.get(..length)) {
            to.copy_from_slice(from);
        }
        self.given += length;
        Ok(length)
    }
}

impl Store {
    /// Begins a file; it is not there before a row names it.
    pub fn file_writer(
        &self,
        id: RecordId,
        sealer: FileSealer,
        limit: (u64, &'static str),
    ) -> Result<FileWriter, StoreError> {
        FileWriter::create(&self.shared.files, id, sealer, limit).map_err(|error| failed(&error, "written"))
    }

    /// Removes a file that no row names, after its row could not be written.
    pub fn file_forget(&self, id: RecordId) {
        self.shared.files.remove(id);
    }

    /// Removes every file that no row names, and what was left half written. For the start of the one server of a folder,
    /// before anything can be written. Where several nodes use the folder it is for the one that has the schedule, while no
    /// set is made, and leaves alone what is younger than the longest upload: another may be writing it. Says how many went.
    pub fn files_sweep(self: &Arc<Self>) -> Result<usize, Fault> {
        let shared = self.is_shared();
        let held = if shared { self.lease_hold(Lease::Backup)? } else { None };
        if shared && held.is_none() {
            return Ok(0);
        }
        let before = self.clock().now().plus_seconds(-limits::FILE_UNNAMED_SECONDS).micros();
        let old = |path: &Path| !shared || written(path).is_some_and(|at| at < before);
        let folder = self.config().files_folder.clone();
        let mut gone = 0;
        for files in subfolders(&folder).map_err(Fault::internal)? {
            let mut ids = Vec::new();
            for file in fs::read_dir(&files).map_err(Fault::internal)? {
                let path = file.map_err(Fault::internal)?.path();
                if !old(&path) {
                    continue;
                }
                match path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok()) {
                    Some(id) => ids.push(id),
                    None => gone += usize::from(fs::remove_file(&path).is_ok()),
                }
            }
            for unnamed in self.files_unnamed(ids)? {
                held.iter().try_for_each(crate::LeaseHeld::still)?;
                gone += usize::from(fs::remove_file(files.join(unnamed.to_string())).is_ok());
            }
        }
        Ok(gone)
    }

    fn files_unnamed(&self, ids: Vec<RecordId>) -> Result<Vec<RecordId>, Fault> {
        if ids.is_empty() {
            return Ok(ids);
        }
        let found = self.read(move |tx| {
            let mut named: Vec<RecordId> = Vec::new();
            for chunk in ids.chunks(200) {
                for table in NAMED_IN {
                    let mut sql = Sql::new("SELECT \"id\" FROM ");
                    sql.ident(table).push(" WHERE \"id\" IN (");
                    sql.binds(chunk.iter().map(|id| Cell::from(*id))).push(")");
                    let rows = tx.conn.rows(&sql, &[ColumnType::Binary])?;
                    named.extend(rows.into_iter().filter_map(|row| row.id(0)));
                }
            }
            Ok(ids.into_iter().filter(|id| !named.contains(id)).collect())
        });
        found.wait()
    }
}

/// The files below a folder that were written after `since` (microseconds), in those of its folders that changed since they
/// were last `seen`. What cannot be read now is looked at again.
pub(crate) fn named_in_folder(root: &Path, since: i64, seen: &mut BTreeMap<PathBuf, i64>) -> Vec<RecordId> {
    let changed = |path: &Path| written(path).unwrap_or(0);
    let mut found = Vec::new();
    for folder in subfolders(root).unwrap_or_default() {
        let at = changed(&folder);
        if seen.get(&folder) == Some(&at) {
            continue;
        }
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str());
            let id: Option<RecordId> = name.and_then(|name| name.parse().ok());
            found.extend(id.filter(|_| changed(&path) >= since));
        }
        seen.insert(folder, at);
    }
    found
}

/// When a file was written last, in microseconds.
fn written(path: &Path) -> Option<i64> {
    let found = fs::metadata(path).ok()?;
    Some(found.mtime().saturating_mul(1_000_000).saturating_add(found.mtime_nsec() / 1_000))
}

fn subfolders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}
