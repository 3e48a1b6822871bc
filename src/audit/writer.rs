//! Appends entries to the log: tiles first, synced; then the signed checkpoint, replaced in one step. A crash at any
//! point leaves the log at its last checkpoint; what lies beyond is rewritten. One process at a time.
//! It never changes a tile that a checkpoint covers, and never begins anew where a log was.

use crate::{
    checkpoint::{Checkpoint, Signer, VerifierKey},
    error::LogError,
    files::{Journal, read_optional, replace_checkpoint},
    path::{CHECKPOINT, Shelf, TILE_SPAN, TILE_WIDTH, TileName, items_at},
    reader::TileReader,
    tree::{Frontier, Hash, leaf_hash, perfect_root},
};
use kernel::limits::AUDIT_ENTRY_BYTES_MAX;
use std::{
    fmt, fs,
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

/// The file whose lock says that a process writes.
const LOCK: &str = "lock";

/// What somebody else (the database) knows of the log: a number alone could not tell a forged log of the same length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// How many entries were sealed.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// The one writer of a log. Holds the right edge of the tree and the newest bundle, at most a few MiB.
pub struct TileWriter {
    root: PathBuf,
    /// Held, not read: the lock ends with it.
    _lock: File,
    origin: String,
    /// The newest, incomplete tile of each level.
    edge: Vec<Vec<Hash>>,
    /// The newest, incomplete bundle.
    bundle: Vec<u8>,
    frontier: Frontier,
    /// How many entries the checkpoint on disk covers.
    settled: u64,
    broken: bool,
}

impl fmt::Debug for TileWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TileWriter").field("root", &self.root).field("size", &self.size()).finish_non_exhaustive()
    }
}

impl TileWriter {
    /// Takes the lock and opens the log at its signed checkpoint, or begins one (with a signed checkpoint of size 0)
    /// when the folder has none and `anchor` knows of none.
    ///
    /// # Errors
    /// [`LogError::Locked`] when another process writes; [`LogError::CheckpointMissing`], [`LogError::Anchor`] or
    /// [`LogError::RootDiffers`] when the log is not what it was; else what the files say.
    pub fn open(folder: impl Into<PathBuf>, signer: &dyn Signer, anchor: Option<&Anchor>) -> Result<Self, LogError> {
        Self::open_where(folder.into(), signer, anchor, false)
    }

    /// The same for one of several nodes, whose tiles may be behind what another has signed: [`TileWriter::extend`] and
    /// [`TileWriter::adopt`] bring them up to it.
    ///
    /// # Errors
    /// As [`TileWriter::open`].
    pub fn open_behind(
        folder: impl Into<PathBuf>,
        signer: &dyn Signer,
        anchor: Option<&Anchor>,
    ) -> Result<Self, LogError> {
        Self::open_where(folder.into(), signer, anchor, true)
    }

    fn open_where(
        root: PathBuf,
        signer: &dyn Signer,
        anchor: Option<&Anchor>,
        may_be_behind: bool,
    ) -> Result<Self, LogError> {
        fs::create_dir_all(&root).map_err(|cause| LogError::Write { path: root.clone(), cause })?;
        let lock = lock(&root)?;
        let key = VerifierKey::of(signer)?;
        let expected = anchor.map_or(0, |anchor| anchor.size);
        let checkpoint = match read_optional(&root, CHECKPOINT, 16 * 1024)? {
            Some(note) => Checkpoint::open(&note, &key)?,
            None if root.join("tile").exists() => return Err(LogError::CheckpointMissing),
            None if expected > 0 => return Err(LogError::Anchor { size: 0, expected }),
            None => begin(&root, signer)?,
        };
        let mut reader = TileReader::new(&root, checkpoint.size);
        let behind = may_be_behind && expected > checkpoint.size;
        if let Some(anchor) = anchor.filter(|anchor| anchor.size > 0 && !behind)
            && (anchor.size > checkpoint.size || reader.root_at(anchor.size)? != anchor.root)
        {
            return Err(LogError::Anchor { size: checkpoint.size, expected });
        }
        let (edge, bundle) = right_edge(&reader)?;
        let frontier = Frontier::from_partial_tiles(checkpoint.size, &edge);
        if frontier.root() != checkpoint.root {
            return Err(LogError::RootDiffers);
        }
        let settled = checkpoint.size;
        Ok(Self { root, _lock: lock, origin: checkpoint.origin, edge, bundle, frontier, settled, broken: false })
    }

    /// The log at its checkpoint, for whoever brings it up to one that was signed elsewhere.
    pub(crate) fn following(root: &Path, key: &VerifierKey) -> Result<Self, LogError> {
        let lock = lock(root)?;
        let note = read_optional(root, CHECKPOINT, 16 * 1024)?.ok_or(LogError::CheckpointMissing)?;
        let checkpoint = Checkpoint::open(&note, key)?;
        let (edge, bundle) = right_edge(&TileReader::new(root, checkpoint.size))?;
        let frontier = Frontier::from_partial_tiles(checkpoint.size, &edge);
        if frontier.root() != checkpoint.root {
            return Err(LogError::RootDiffers);
        }
        let root = root.to_owned();
        let settled = checkpoint.size;
        Ok(Self { root, _lock: lock, origin: checkpoint.origin, edge, bundle, frontier, settled, broken: false })
    }

    /// How many entries are sealed.
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The state of the log as of the last append; to be kept elsewhere, for the next [`TileWriter::open`].
    pub fn anchor(&self) -> Anchor {
        Anchor { size: self.size(), root: self.frontier.root() }
    }

    /// Appends entries in this order and signs a new checkpoint. When it returns, all of it is on disk.
    ///
    /// # Errors
    /// After any error but [`LogError::EntryTooLarge`] the writer is broken and must be opened anew. After
    /// [`LogError::Sync`] the process must end.
    pub fn append<E: AsRef<[u8]>>(&mut self, entries: &[E], signer: &dyn Signer) -> Result<Checkpoint, LogError> {
        // Entries that were taken over without their checkpoint are not ours to sign.
        if self.broken || self.settled != self.size() {
            return Err(LogError::Broken);
        }
        if signer.name() != self.origin {
            return Err(crate::CheckpointError::Origin.into());
        }
        if let Some(large) = entries.iter().map(|entry| entry.as_ref().len()).find(|len| *len > AUDIT_ENTRY_BYTES_MAX) {
            return Err(LogError::EntryTooLarge { bytes: large });
        }
        let before = self.size();
        if entries.is_empty() {
            return Ok(self.checkpoint());
        }
        self.broken = true;
        self.write_tiles(entries)?;
        let checkpoint = self.checkpoint();
        replace_checkpoint(&self.root, &checkpoint.signed(signer)?)?;
        self.remove_superseded(before);
        self.settled = self.size();
        self.broken = false;
        Ok(checkpoint)
    }

    /// Takes entries over that another has signed, or will have: tiles without a checkpoint of their own, which
    /// [`TileWriter::adopt`] puts over them.
    ///
    /// # Errors
    /// As [`TileWriter::append`].
    pub fn extend<E: AsRef<[u8]>>(&mut self, entries: &[E]) -> Result<(), LogError> {
        if self.broken {
            return Err(LogError::Broken);
        }
        self.broken = true;
        self.write_tiles(entries)?;
        self.broken = false;
        Ok(())
    }

    /// Puts a checkpoint that was signed elsewhere over the entries, which have to lead to exactly its root. Signs nothing; one
    /// that is not beyond the log's own changes nothing.
    ///
    /// # Errors
    /// [`LogError::RootDiffers`], and what the files say. The checkpoint stays where it was then.
    pub fn adopt(&mut self, note: &str, key: &VerifierKey) -> Result<(), LogError> {
        let to = Checkpoint::open(note.as_bytes(), key)?;
        if to.size != self.size() {
            return Err(LogError::Broken);
        }
        if to.root != self.frontier.root() {
            self.broken = true;
            return Err(LogError::RootDiffers);
        }
        if to.size > self.settled {
            replace_checkpoint(&self.root, note)?;
            self.remove_superseded(self.settled);
            self.settled = to.size;
        }
        Ok(())
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint { origin: self.origin.clone(), size: self.size(), root: self.frontier.root() }
    }

    /// Everything of an append but the checkpoint.
    pub(crate) fn write_tiles<E: AsRef<[u8]>>(&mut self, entries: &[E]) -> Result<(), LogError> {
        let root = self.root.clone();
        let mut journal = Journal::new(&root);
        let before = self.size();
        for entry in entries {
            self.push(entry.as_ref(), &mut journal)?;
        }
        let size = self.size();
        for (level, hashes) in (0u8..).zip(&self.edge) {
            let shelf = Shelf::Hashes(level);
            if !hashes.is_empty() && items_at(shelf, size) != items_at(shelf, before) {
                let number = items_at(shelf, size) / TILE_SPAN;
                let name = TileName { shelf, number, width: hashes.len() };
                journal.write(&name.path(), hashes.as_flattened())?;
            }
        }
        if let Some(name) = TileName::in_log(Shelf::Entries, size / TILE_SPAN, size) {
            journal.write(&name.path(), &self.bundle)?;
        }
        journal.finish()
    }

    fn push(&mut self, entry: &[u8], journal: &mut Journal<'_>) -> Result<(), LogError> {
        let length = u16::try_from(entry.len()).map_err(|_| LogError::EntryTooLarge { bytes: entry.len() })?;
        self.bundle.extend_from_slice(&length.to_be_bytes());
        self.bundle.extend_from_slice(entry);
        let number = self.frontier.size() / TILE_SPAN;
        let mut hash = leaf_hash(entry);
        self.frontier.push(hash);
        if self.frontier.size().is_multiple_of(TILE_SPAN) {
            let name = TileName { shelf: Shelf::Entries, number, width: TILE_WIDTH };
            journal.write(&name.path(), &self.bundle)?;
            self.bundle.clear();
        }
        for level in 0u8.. {
            if self.edge.len() <= usize::from(level) {
                self.edge.push(Vec::with_capacity(TILE_WIDTH));
            }
            let Some(tile) = self.edge.get_mut(usize::from(level)) else { break };
            tile.push(hash);
            if tile.len() < TILE_WIDTH {
                break;
            }
            let shelf = Shelf::Hashes(level);
            let number = items_at(shelf, self.frontier.size()) / TILE_SPAN - 1;
            journal.write(&TileName { shelf, number, width: TILE_WIDTH }.path(), tile.as_flattened())?;
            hash = perfect_root(tile);
            tile.clear();
        }
        Ok(())
    }

    /// Removes partial tiles that a wider one replaces. Failing to is harmless, and the next append tries again.
    fn remove_superseded(&self, before: u64) {
        let size = self.size();
        let levels = (0u8..).take(self.edge.len()).map(Shelf::Hashes);
        for shelf in levels.chain([Shelf::Entries]) {
            let newest = items_at(shelf, size) / TILE_SPAN;
            for number in items_at(shelf, before) / TILE_SPAN..newest {
                drop(fs::remove_dir_all(self.root.join(TileName { shelf, number, width: TILE_WIDTH }.partials())));
            }
            if let Some(name) = TileName::in_log(shelf, newest, size) {
                keep_only(&self.root.join(name.partials()), &name.width.to_string());
            }
        }
    }
}

fn keep_only(folder: &Path, name: &str) {
    let Ok(items) = fs::read_dir(folder) else { return };
    for item in items.flatten().filter(|item| item.file_name() != name) {
        drop(fs::remove_file(item.path()));
    }
}

fn lock(root: &Path) -> Result<File, LogError> {
    let path = root.join(LOCK);
    let file = File::create(&path).map_err(|cause| LogError::Write { path: path.clone(), cause })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogError::Locked { path }),
        Err(TryLockError::Error(cause)) => Err(LogError::Write { path, cause }),
    }
}

/// Begins a log. Its first checkpoint, of size 0, is there before its first tile, so tiles without a checkpoint
/// always mean that somebody took it away.
fn begin(root: &Path, signer: &dyn Signer) -> Result<Checkpoint, LogError> {
    let empty = Checkpoint { origin: signer.name().to_owned(), size: 0, root: Frontier::default().root() };
    replace_checkpoint(root, &empty.signed(signer)?)?;
    Ok(empty)
}

/// The partial tiles and the partial bundle at the end of a log; the entries are hashed again, not believed.
fn right_edge(reader: &TileReader) -> Result<(Vec<Vec<Hash>>, Vec<u8>), LogError> {
    let size = reader.size();
    let mut edge = Vec::new();
    for level in 0..8u8 {
        let shelf = Shelf::Hashes(level);
        let items = items_at(shelf, size);
        if items == 0 {
            break;
        }
        let name = TileName::in_log(shelf, items / TILE_SPAN, size);
        edge.push(name.map_or_else(|| Ok(Vec::new()), |name| reader.hashes(&name))?);
    }
    let mut bundle = Vec::new();
    if let Some(name) = TileName::in_log(Shelf::Entries, size / TILE_SPAN, size) {
        let entries = reader.bundle(&name)?;
        if edge.first().is_none_or(|tile| !tile.iter().copied().eq(entries.iter().map(|entry| leaf_hash(entry)))) {
            return Err(LogError::RootDiffers);
        }
        bundle = reader.bundle_bytes(&name)?;
    }
    Ok((edge, bundle))
}
