//! Reads a log of a given size: hashes, entries, proofs. Checks shapes, not truth: that is `verify`'s part.
//! It never takes the size from the files: who reads names the checkpoint it trusts.

use crate::{
    checkpoint::{Checkpoint, VerifierKey},
    error::LogError,
    files::read_optional,
    path::{CHECKPOINT, Shelf, TILE_SPAN, TILE_WIDTH, TileName},
    tree::{Hash, HashSource, consistency_proof, inclusion_proof, perfect_root, range_root},
};
use kernel::limits::AUDIT_ENTRY_BYTES_MAX;
use std::{
    fs,
    path::{Path, PathBuf},
};

const BUNDLE_BYTES_MAX: usize = TILE_WIDTH * (AUDIT_ENTRY_BYTES_MAX + 2);
const TILE_BYTES_MAX: usize = TILE_WIDTH * 32;
const CHECKPOINT_BYTES_MAX: usize = 16 * 1024;

/// Reads the first `size` entries of a log and the tree over them. Keeps one tile per level in memory.
#[derive(Debug)]
pub struct TileReader {
    root: PathBuf,
    size: u64,
    recent: [Option<(u64, Vec<Hash>)>; 8],
}

/// A tile's file: of exactly the width asked for, or a wider one that begins with it.
struct Raw {
    bytes: Vec<u8>,
    exact: bool,
}

impl TileReader {
    /// Reads below this folder, as of a checkpoint of this size.
    pub fn new(folder: impl Into<PathBuf>, size: u64) -> Self {
        Self { root: folder.into(), size, recent: Default::default() }
    }

    /// Reads as of the newest checkpoint, once its signature is found good.
    ///
    /// # Errors
    /// When the checkpoint is missing or refused.
    pub fn open(folder: impl Into<PathBuf>, key: &VerifierKey) -> Result<(Self, Checkpoint), LogError> {
        let folder = folder.into();
        let checkpoint = Checkpoint::open(&Self::checkpoint_note(&folder)?, key)?;
        Ok((Self::new(folder, checkpoint.size), checkpoint))
    }

    /// The newest signed checkpoint as it lies on disk, unchecked.
    ///
    /// # Errors
    /// [`LogError::Missing`] when there is none.
    pub fn checkpoint_note(folder: &Path) -> Result<Vec<u8>, LogError> {
        read_optional(folder, CHECKPOINT, CHECKPOINT_BYTES_MAX)?
            .ok_or_else(|| LogError::Missing { path: CHECKPOINT.to_owned() })
    }

    /// How many entries this reader sees.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The bytes of a tile or bundle by its path (`tile/0/x001/234`, `tile/entries/000.p/12`), for serving it. Every
    /// partial tile that a checkpoint up to this size ever named is there, cut from a wider one when need be.
    ///
    /// # Errors
    /// [`LogError::Range`] when the path is none of a log of this size, else what the files say.
    pub fn resource(&self, path: &str) -> Result<Vec<u8>, LogError> {
        let name = TileName::parse(path).ok_or(LogError::Range)?;
        if TileName::in_log(name.shelf, name.number, self.size).is_none_or(|widest| widest.width < name.width) {
            return Err(LogError::Range);
        }
        match name.shelf {
            Shelf::Hashes(_) => self.hash_bytes(&name),
            Shelf::Entries => self.bundle_bytes(&name),
        }
    }

    pub(crate) fn bundle_bytes(&self, name: &TileName) -> Result<Vec<u8>, LogError> {
        let Raw { mut bytes, exact } = self.raw(name, BUNDLE_BYTES_MAX)?;
        let length = bundle_entries(name, &bytes, exact)?.iter().map(|entry| entry.len() + 2).sum();
        bytes.truncate(length);
        Ok(bytes)
    }

    /// The file of a tile: the exact one, else the full one, else the next wider partial one. Old partial tiles are
    /// removed when newer ones are durable, and a wider one begins with the same bytes.
    fn raw(&self, name: &TileName, bytes_max: usize) -> Result<Raw, LogError> {
        // The second round is for a writer that replaced the tile between two looks.
        for _ in 0..2 {
            if let Some(bytes) = read_optional(&self.root, &name.path(), bytes_max)? {
                return Ok(Raw { bytes, exact: true });
            }
            if let Some(bytes) = read_optional(&self.root, &name.full_path(), bytes_max)? {
                return Ok(Raw { bytes, exact: false });
            }
            if let Some(width) = self.wider(name)
                && let Some(bytes) = read_optional(&self.root, &TileName { width, ..*name }.path(), bytes_max)?
            {
                return Ok(Raw { bytes, exact: false });
            }
        }
        Err(LogError::Missing { path: name.path() })
    }

    fn wider(&self, name: &TileName) -> Option<usize> {
        fs::read_dir(self.root.join(name.partials()))
            .ok()?
            .filter_map(|item| item.ok()?.file_name().to_str()?.parse().ok())
            .filter(|width: &usize| *width > name.width && *width < TILE_WIDTH)
            .min()
    }

    fn hash_bytes(&self, name: &TileName) -> Result<Vec<u8>, LogError> {
        let Raw { mut bytes, exact } = self.raw(name, TILE_BYTES_MAX)?;
        let length = name.width * 32;
        if bytes.len() < length || (exact && bytes.len() > length) {
            return Err(LogError::Malformed { path: name.path(), what: "the file has the wrong length" });
        }
        bytes.truncate(length);
        Ok(bytes)
    }

    pub(crate) fn hashes(&self, name: &TileName) -> Result<Vec<Hash>, LogError> {
        Ok(self.hash_bytes(name)?.chunks_exact(32).filter_map(|chunk| chunk.try_into().ok()).collect())
    }

    pub(crate) fn bundle(&self, name: &TileName) -> Result<Vec<Vec<u8>>, LogError> {
        let Raw { bytes, exact } = self.raw(name, BUNDLE_BYTES_MAX)?;
        Ok(bundle_entries(name, &bytes, exact)?.into_iter().map(<[u8]>::to_vec).collect())
    }

    /// Up to `max` entries from number `from` on; fewer at the end or when a bundle ends.
    ///
    /// # Errors
    /// [`LogError::Range`] when there is no entry `from`.
    pub fn entries(&self, from: u64, max: usize) -> Result<Vec<Vec<u8>>, LogError> {
        let name = TileName::in_log(Shelf::Entries, from / TILE_SPAN, self.size).ok_or(LogError::Range)?;
        let skip = usize::try_from(from % TILE_SPAN).unwrap_or(0);
        if skip >= name.width {
            return Err(LogError::Range);
        }
        Ok(self.bundle(&name)?.into_iter().skip(skip).take(max).collect())
    }

    /// The root of the tree over the first `size` entries.
    ///
    /// # Errors
    /// When `size` is beyond this reader's, or a tile cannot be read.
    pub fn root_at(&mut self, size: u64) -> Result<Hash, LogError> {
        if size > self.size {
            return Err(LogError::Range);
        }
        Ok(range_root(self, 0, size)?)
    }

    /// The proof that entry `index` is in the tree of this size.
    ///
    /// # Errors
    /// When there is no such entry, or a tile cannot be read.
    pub fn inclusion_proof(&mut self, index: u64) -> Result<Vec<Hash>, LogError> {
        let size = self.size;
        Ok(inclusion_proof(self, index, size)?)
    }

    /// The proof that the tree of this size begins with the tree of `old` entries.
    ///
    /// # Errors
    /// When `old` is 0 or beyond this size, or a tile cannot be read.
    pub fn consistency_proof(&mut self, old: u64) -> Result<Vec<Hash>, LogError> {
        let size = self.size;
        Ok(consistency_proof(self, old, size)?)
    }
}

impl HashSource for TileReader {
    type Error = LogError;
    fn node(&mut self, level: u8, index: u64) -> Result<Hash, LogError> {
        let (tile_level, depth) = (level / 8, level % 8);
        let first = index.checked_shl(depth.into()).ok_or(LogError::Range)?;
        let number = first / TILE_SPAN;
        let slot = self.recent.get_mut(usize::from(tile_level)).ok_or(LogError::Range)?;
        let tile = match slot.take().filter(|(kept, _)| *kept == number) {
            Some((_, hashes)) => hashes,
            None => {
                let name = TileName::in_log(Shelf::Hashes(tile_level), number, self.size).ok_or(LogError::Range)?;
                self.hashes(&name)?
            }
        };
        let from = usize::try_from(first % TILE_SPAN).unwrap_or(0);
        let hash = tile.get(from..from + (1 << depth)).map(perfect_root);
        if let Some(slot) = self.recent.get_mut(usize::from(tile_level)) {
            *slot = Some((number, tile));
        }
        hash.ok_or(LogError::Range)
    }
}

/// Divides a bundle into its entries: each after its length in two big-endian bytes.
fn bundle_entries<'b>(name: &TileName, bytes: &'b [u8], exact: bool) -> Result<Vec<&'b [u8]>, LogError> {
    let bad = |what| LogError::Malformed { path: name.path(), what };
    let mut rest = bytes;
    let mut entries = Vec::with_capacity(name.width);
    while entries.len() < name.width {
        let (length, after) = rest.split_first_chunk::<2>().ok_or_else(|| bad("an entry is missing at the end"))?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length > AUDIT_ENTRY_BYTES_MAX {
            return Err(bad("an entry is longer than an entry can be"));
        }
        let (entry, after) = after.split_at_checked(length).ok_or_else(|| bad("an entry is cut off"))?;
        entries.push(entry);
        rest = after;
    }
    if exact && !rest.is_empty() {
        return Err(bad("there are bytes after the last entry"));
    }
    Ok(entries)
}
