//! Reading a set back: manifest, signature, and each file's length and hash, from the target itself. What was read back
//! whole is a [`Verified`], and only with a younger one of those on the same target may an older set go.

use crate::archive::BLOCK;
use crate::manifest::{MANIFEST, MANIFEST_BYTES_MAX, PartFile, SIGNATURE, hex};
use crate::{Manifest, Progress, RecoveryError, SetName, Target};
use audit::VerifierKey;
use ring::digest;
use std::io::Read;

/// A set that was read back whole from its target just now.
#[derive(Debug)]
pub struct Verified {
    sequence: u64,
    target: String,
    set: SetName,
    bytes: u64,
}

impl Verified {
    /// The set.
    pub fn set(&self) -> &SetName {
        &self.set
    }
    /// Its number.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }
    /// Its bytes on the target.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Reads a whole set back.
///
/// # Errors
/// [`RecoveryError::Damaged`] naming the file that is missing, cut short or altered; [`RecoveryError::Key`] when the
/// manifest is not signed by this key.
pub fn verify_set(
    target: &dyn Target,
    set: &SetName,
    key: &VerifierKey,
    progress: Option<&Progress>,
) -> Result<(Verified, Manifest), RecoveryError> {
    let manifest = read_manifest(target, set, key)?;
    for part in &manifest.files {
        verify_part(target, set, part, progress)?;
    }
    let target = target.name().to_owned();
    Ok((Verified { sequence: manifest.sequence, target, set: set.clone(), bytes: manifest.bytes() }, manifest))
}

/// What a set says of itself, with the signature checked; its other files are not read.
///
/// # Errors
/// As [`verify_set`].
pub fn read_manifest(target: &dyn Target, set: &SetName, key: &VerifierKey) -> Result<Manifest, RecoveryError> {
    let text = small(target, set, MANIFEST)?;
    let manifest = Manifest::open(&text, &small(target, set, SIGNATURE)?, key)?;
    if manifest.sequence == set.sequence() {
        return Ok(manifest);
    }
    Err(RecoveryError::Damaged(format!("{set} holds the manifest of set {}", manifest.sequence)))
}

/// A small file of a set, whole.
pub(crate) fn small(target: &dyn Target, set: &SetName, name: &str) -> Result<Vec<u8>, RecoveryError> {
    let file = target.read(set, name).map_err(RecoveryError::target(format!("opening {name} of {set}")))?;
    let mut bytes = Vec::new();
    file.take(MANIFEST_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(RecoveryError::target(format!("reading {name} of {set}")))?;
    if bytes.len() as u64 > MANIFEST_BYTES_MAX {
        return Err(RecoveryError::Damaged(format!("{name} is larger than it can be")));
    }
    Ok(bytes)
}

fn verify_part(
    target: &dyn Target,
    set: &SetName,
    part: &PartFile,
    progress: Option<&Progress>,
) -> Result<(), RecoveryError> {
    let name = &part.name;
    let file = target.read(set, name).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => RecoveryError::Damaged(format!("{name} is missing")),
        _ => RecoveryError::Target { what: format!("opening {name} of {set}"), cause },
    })?;
    part_is_whole(file, set, part, progress)
}

/// Reads a file of a set to its end: whether it is what the manifest says.
pub(crate) fn part_is_whole(
    mut file: Box<dyn Read + Send>,
    set: &SetName,
    part: &PartFile,
    progress: Option<&Progress>,
) -> Result<(), RecoveryError> {
    let name = &part.name;
    let mut context = digest::Context::new(&digest::SHA256);
    let mut block = vec![0; BLOCK];
    let mut bytes = 0u64;
    loop {
        let read = file.read(&mut block).map_err(RecoveryError::target(format!("reading {name} of {set}")))?;
        if read == 0 {
            break;
        }
        context.update(block.get(..read).unwrap_or_default());
        bytes += read as u64;
        if progress.is_some_and(Progress::is_stopped) {
            return Err(RecoveryError::Stopped);
        }
    }
    if bytes != part.bytes {
        return Err(RecoveryError::Damaged(format!("{name} has {bytes} bytes and should have {}", part.bytes)));
    }
    if hex(context.finish().as_ref()) != part.sha256 {
        return Err(RecoveryError::Damaged(format!("{name} was altered: its SHA-256 is not the manifest's")));
    }
    Ok(())
}

/// Removes a set, given a younger one of the same target that was just read back whole.
///
/// # Errors
/// [`RecoveryError::Refused`] when `successor` is none of this; [`RecoveryError::Target`] when the target refuses.
pub fn remove_set(target: &dyn Target, set: &SetName, successor: &Verified) -> Result<(), RecoveryError> {
    if successor.target != target.name() || successor.sequence <= set.sequence() {
        return Err(RecoveryError::Refused(format!(
            "{set} stays: {} is no younger set of {}",
            successor.set,
            target.name()
        )));
    }
    target.remove(set).map_err(RecoveryError::target(format!("removing {set}")))
}
