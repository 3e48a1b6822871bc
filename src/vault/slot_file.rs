//! The two files around the root key: `slots.json`, replaced as a whole or not at all, and key files.
//! Never writes a secret but the key file it was asked to make, and never overwrites one.

use crate::{
    VaultError,
    primitives::{KEY_LEN, Key},
    slots::{Secret, SecretKind},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use kernel::{Random, limits};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};
use zeroize::Zeroizing;

const KEY_FILE_PREFIX: &str = "kontor-key-1:";
const KEY_FILE_BYTES_MAX: u64 = 256;
/// Readable and writable by the owner only.
const PRIVATE: u32 = 0o600;

fn io(what: &'static str) -> impl FnOnce(io::Error) -> VaultError {
    move |source| VaultError::Io { what, source }
}

/// Reads the file of slots.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, VaultError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(VaultError::SlotsMissing),
        Err(error) => return Err(io("reading the unseal slots")(error)),
    };
    let mut text = Vec::new();
    file.take(limits::UNSEAL_FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(io("reading the unseal slots"))?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > limits::UNSEAL_FILE_BYTES_MAX {
        return Err(VaultError::SlotsCorrupt("too long"));
    }
    Ok(text)
}

/// Held while the file of slots is read, changed and replaced: a server and a command that change it at once do so one after the
/// other, and neither takes back what the other did. The lock is on the folder, since the file itself is replaced; it ends with the
/// process at the latest.
pub(crate) fn hold(path: &Path) -> Result<File, VaultError> {
    let what = "waiting for others who change the unseal slots";
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = File::open(folder).map_err(io(what))?;
    folder.lock().map_err(io(what))?;
    Ok(folder)
}

/// Replaces the file of slots: written beside it, synced, renamed, and the folder synced. After a crash at any point
/// either the old or the new file is there, whole.
pub(crate) fn replace(path: &Path, text: &[u8]) -> Result<(), VaultError> {
    let what = "writing the unseal slots";
    let part = path.with_extension("json.part");
    // A left-over of a crash goes first: opened as it is, it would keep its own mode.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(what)(error)),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(&part).map_err(io(what))?;
    file.write_all(text).and_then(|()| file.sync_all()).map_err(io(what))?;
    fs::rename(&part, path).map_err(io(what))?;
    sync_folder(path).map_err(io(what))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

impl Secret {
    /// Makes a new key file (32 random bytes as one line of text, mode 0600) and returns what it opens with.
    pub fn key_file_create(path: &Path, random: &dyn Random) -> Result<Self, VaultError> {
        let key = Key::random(random);
        let mut text = Zeroizing::new(String::with_capacity(128));
        text.push_str(KEY_FILE_PREFIX);
        BASE64.encode_string(key.bytes(), &mut text);
        text.push('\n');
        let what = "writing the key file";
        let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path).map_err(io(what))?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io(what))?;
        sync_folder(path).map_err(io(what))?;
        Ok(Self(SecretKind::KeyFile(key)))
    }

    /// Reads a key file; refuses one that others can read.
    pub fn key_file_read(path: &Path) -> Result<Self, VaultError> {
        let what = "reading the key file";
        let file = File::open(path).map_err(io(what))?;
        if file.metadata().map_err(io(what))?.permissions().mode() & 0o077 != 0 {
            return Err(VaultError::KeyFileMode);
        }
        let mut text = Zeroizing::new(String::with_capacity(512));
        file.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text).map_err(|_| VaultError::KeyFileFormat)?;
        Self::key_text(&text)
    }

    /// Reads the text of a key file, as it comes over the unseal request or from a credential.
    pub fn key_text(text: &str) -> Result<Self, VaultError> {
        let encoded = text.trim().strip_prefix(KEY_FILE_PREFIX).ok_or(VaultError::KeyFileFormat)?;
        let mut bytes = Zeroizing::new([0u8; KEY_LEN + 4]);
        let length = BASE64.decode_slice(encoded, bytes.as_mut()).map_err(|_| VaultError::KeyFileFormat)?;
        let key = bytes.get(..length).and_then(Key::from_slice).ok_or(VaultError::KeyFileFormat)?;
        Ok(Self(SecretKind::KeyFile(key)))
    }
}
