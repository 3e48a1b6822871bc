//! Where the wrapped signing key is kept: a file per key beside the unseal slots. Holds wrapped bytes only.

use kernel::{RecordId, limits};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use vault::{Class, KeyStore, KeyStoreError, WrappedKey};

/// Named keys in files.
pub(super) struct KeptKeys {
    folder: PathBuf,
}

impl KeptKeys {
    /// In the folder of the file of slots.
    pub(super) fn beside(slots: &Path) -> Self {
        Self { folder: slots.parent().map(Path::to_owned).unwrap_or_default() }
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.wrapped"))
    }
}

fn failed(error: &std::io::Error) -> KeyStoreError {
    KeyStoreError::Failed(error.to_string())
}

fn of_subjects<T>() -> Result<T, KeyStoreError> {
    Err(KeyStoreError::Failed("keys of data subjects lie in the database".to_owned()))
}

impl KeyStore for KeptKeys {
    fn load(&mut self, _: RecordId, _: Class) -> Result<Vec<(u32, Vec<u8>)>, KeyStoreError> {
        of_subjects()
    }
    fn load_many(&mut self, _: &[RecordId]) -> Result<Vec<WrappedKey>, KeyStoreError> {
        of_subjects()
    }
    fn insert(&mut self, _: RecordId, _: Class, _: u32, _: &[u8]) -> Result<(), KeyStoreError> {
        of_subjects()
    }
    fn load_named(&mut self, name: &str) -> Result<Option<Vec<u8>>, KeyStoreError> {
        let file = match File::open(self.path(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| failed(&error))?,
        };
        let mut bytes = Vec::new();
        file.take(limits::UNSEAL_FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
        Ok(Some(bytes))
    }
    fn insert_named(&mut self, name: &str, wrapped: &[u8]) -> Result<(), KeyStoreError> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.path(name));
        match file {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(KeyStoreError::Conflict),
            Err(error) => Err(failed(&error)),
            Ok(mut file) => file.write_all(wrapped).and_then(|()| file.sync_all()).map_err(|error| failed(&error)),
        }
    }
}
