//! What of an appliance's folder belongs into a set beside the data: configuration, certificates, unseal slots, the log's
//! public key. Never the key file: the set holds all that a blank machine needs but the unseal secret.

use crate::RecoveryError;
use std::fs;
use std::path::{Path, PathBuf};

/// Largest file of this kind: a certificate chain, a configuration.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Most files of the folder of certificates.
const TLS_FILES_MAX: usize = 64;

/// Where an appliance's own files lie.
#[derive(Clone, Debug)]
pub struct House {
    /// Its folder.
    pub dir: PathBuf,
    /// The configuration.
    pub config: PathBuf,
    /// The file of unseal slots.
    pub slots: PathBuf,
    /// The public key of the log.
    pub log_key: PathBuf,
    /// The folder of the certificates.
    pub tls: PathBuf,
    /// The folder of the log.
    pub log: PathBuf,
    /// The folder of sealed files.
    pub files: PathBuf,
}

/// A small file with its place below the appliance's folder.
pub(crate) struct Piece {
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

impl House {
    /// The small files of the appliance.
    pub(crate) fn pieces(&self) -> Result<Vec<Piece>, RecoveryError> {
        let mut pieces = vec![
            piece("kontor.toml", &self.config)?,
            piece("keys/slots.json", &self.slots)?,
            piece("log-key.pub", &self.log_key)?,
        ];
        let listed = fs::read_dir(&self.tls).map_err(RecoveryError::target("listing the certificates"))?;
        for entry in listed.take(TLS_FILES_MAX) {
            let path = entry.map_err(RecoveryError::target("listing the certificates"))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
            if let Some(name) = name.filter(|_| path.is_file()) {
                pieces.push(piece(&format!("tls/{name}"), &path)?);
            }
        }
        pieces.sort_by(|one, two| one.path.cmp(&two.path));
        Ok(pieces)
    }
}

fn piece(name: &str, path: &Path) -> Result<Piece, RecoveryError> {
    let failed = || format!("reading {}", path.display());
    let found = fs::metadata(path).map_err(RecoveryError::target(failed()))?;
    if found.len() > FILE_BYTES_MAX {
        return Err(RecoveryError::Refused(format!("{} is larger than it can be", path.display())));
    }
    let bytes = fs::read(path).map_err(RecoveryError::target(failed()))?;
    Ok(Piece { path: name.to_owned(), bytes })
}
