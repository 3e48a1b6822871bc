//! Writing and reading below one folder so that it survives a crash: a file is synced before anything refers to it,
//! and so is every folder that got a new name. Knows nothing of what the bytes mean.

use crate::{error::LogError, path::CHECKPOINT};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

/// Files of one append that are written before any is synced: the first sync then carries most of the others with it.
const OPEN_FILES_MAX: usize = 64;

/// Writes of one append; remembers which files and folders have to be synced.
pub(crate) struct Journal<'a> {
    root: &'a Path,
    files: Vec<(PathBuf, File)>,
    folders: BTreeSet<PathBuf>,
}

impl<'a> Journal<'a> {
    pub(crate) fn new(root: &'a Path) -> Self {
        Self { root, files: Vec::new(), folders: BTreeSet::new() }
    }

    fn make_folder(&mut self, folder: &Path) -> Result<(), LogError> {
        if folder.is_dir() {
            return Ok(());
        }
        if let Some(parent) = folder.parent() {
            self.make_folder(parent)?;
            self.folders.insert(parent.to_owned());
        }
        match fs::create_dir(folder) {
            Err(cause) if cause.kind() != ErrorKind::AlreadyExists => {
                Err(LogError::Write { path: folder.to_owned(), cause })
            }
            _ => Ok(()),
        }
    }

    /// Writes a whole file, replacing one that a crash left behind. It is durable after [`Journal::finish`].
    pub(crate) fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), LogError> {
        let path = self.root.join(path);
        if let Some(folder) = path.parent() {
            self.make_folder(folder)?;
            self.folders.insert(folder.to_owned());
        }
        let failed = |cause| LogError::Write { path: path.clone(), cause };
        let mut file = File::create(&path).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        self.files.push((path, file));
        if self.files.len() >= OPEN_FILES_MAX { self.sync_files() } else { Ok(()) }
    }

    pub(crate) fn sync_files(&mut self) -> Result<(), LogError> {
        self.files
            .drain(..)
            .try_for_each(|(path, file)| file.sync_all().map_err(|cause| LogError::Sync { path, cause }))
    }

    /// Makes all files and their names durable.
    pub(crate) fn finish(mut self) -> Result<(), LogError> {
        self.sync_files()?;
        self.folders.iter().try_for_each(|folder| sync_folder(folder))
    }
}

fn sync_folder(path: &Path) -> Result<(), LogError> {
    let failed = |cause| LogError::Sync { path: path.to_owned(), cause };
    File::open(path).map_err(failed)?.sync_all().map_err(failed)
}

/// Replaces the checkpoint in one step: a reader sees the old or the new one, never a half.
pub(crate) fn replace_checkpoint(root: &Path, note: &str) -> Result<(), LogError> {
    let part = format!("{CHECKPOINT}.part");
    let mut journal = Journal::new(root);
    journal.write(&part, note.as_bytes())?;
    // The bytes before the name: else a crash could leave the name of an empty file.
    journal.sync_files()?;
    let path = root.join(CHECKPOINT);
    fs::rename(root.join(part), &path).map_err(|cause| LogError::Write { path, cause })?;
    journal.finish()
}

/// The bytes of a file, or `None` when there is none. A file larger than `bytes_max` is an error, not a load.
pub(crate) fn read_optional(root: &Path, path: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, LogError> {
    let full = root.join(path);
    let failed = |cause| LogError::Read { path: full.clone(), cause };
    let file = match File::open(&full) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?,
    };
    let limit = bytes_max as u64 + 1;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > bytes_max {
        return Err(LogError::Malformed { path: path.to_owned(), what: "the file is longer than it can be" });
    }
    Ok(Some(bytes))
}
