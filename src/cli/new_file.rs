//! A file that a verb writes for somebody: never over one that is there, and gone again when the verb fails.

use crate::cli::failure::Failure;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// For its owner alone.
pub(crate) const PRIVATE: u32 = 0o600;
/// For whoever the mask of the account lets read it.
pub(crate) const BY_MASK: u32 = 0o666;

/// Empty and ours, until it is written. Dropped before that, it is taken away.
pub(crate) struct NewFile {
    path: PathBuf,
    file: File,
    written: bool,
}

impl NewFile {
    /// Makes it.
    pub(crate) fn make(path: &Path, mode: u32) -> Result<Self, Failure> {
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
        let file = file.map_err(|error| Self::failed(path, &error).todo("name a new file"))?;
        Ok(Self { path: path.to_owned(), file, written: false })
    }

    /// Writes all of it.
    pub(crate) fn write(mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_all());
        self.written = written.is_ok();
        written.map_err(|error| {
            Self::failed(&self.path, &error).todo("free space there, or name a file on another disk; then repeat")
        })
    }

    fn failed(path: &Path, error: &std::io::Error) -> Failure {
        Failure::file(path, error).kept("no such file was written")
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.written {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_is_gone_and_what_was_there_stays() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("request");
        drop(NewFile::make(&path, BY_MASK).unwrap());
        assert!(!path.exists());
        NewFile::make(&path, PRIVATE).unwrap().write(b"x").unwrap();
        assert!(NewFile::make(&path, PRIVATE).err().unwrap().text().contains("name a new file"));
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }
}
