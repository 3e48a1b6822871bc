//! Only the database of a set, unpacked into a scratch folder for somebody who looks for single records. Signature, length and
//! hash are checked as for a restore; log, files and configuration of the set are not read.

use crate::archive::{SUFFIX, unpack};
use crate::manifest::hex;
use crate::restore::{Half, enough_room, is_unused};
use crate::verify::read_manifest;
use crate::{Manifest, Progress, RecoveryError, SetName, Target};
use audit::VerifierKey;
use ring::digest;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use vault::ArchiveIdentity;

/// Takes hash and length of what is read, and stops when asked.
struct Heard<'p, R> {
    from: R,
    digest: digest::Context,
    bytes: u64,
    progress: &'p Progress,
}

impl<R: Read> Read for Heard<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.progress.is_stopped() {
            return Err(io::Error::other("stopped"));
        }
        let read = self.from.read(buffer)?;
        self.digest.update(buffer.get(..read).unwrap_or_default());
        self.bytes += read as u64;
        self.progress.moved(read as u64);
        Ok(read)
    }
}

/// Unpacks the database of a set into `into`, which must not exist yet or be empty: what the set says of itself, and the
/// database file. When this fails, nothing of it is left.
///
/// # Errors
/// As for [`crate::restore`]; [`RecoveryError::Stopped`].
pub fn unpack_database(
    target: &dyn Target,
    set: &SetName,
    (key, identity): (&VerifierKey, &ArchiveIdentity),
    into: &Path,
    progress: &Progress,
) -> Result<(Manifest, PathBuf), RecoveryError> {
    if !is_unused(into)? {
        return Err(RecoveryError::Refused(format!("{} is in use", into.display())));
    }
    let manifest = read_manifest(target, set, key)?;
    let name = format!("database{SUFFIX}");
    let part = manifest.files.iter().find(|part| part.name == name);
    let part = part.ok_or_else(|| RecoveryError::Damaged(format!("{set} has no database")))?;
    progress.expect(part.bytes);
    let half = Half::begin(into)?;
    enough_room(half.path(), part.holds_bytes)?;
    let from = target.read(set, &name).map_err(RecoveryError::target(format!("opening {name} of {set}")))?;
    let mut heard = Heard { from, digest: digest::Context::new(&digest::SHA256), bytes: 0, progress };
    let found = unpack(&name, &mut heard, identity, half.path());
    if progress.is_stopped() {
        return Err(RecoveryError::Stopped);
    }
    let found = found?;
    io::copy(&mut heard, &mut io::sink()).map_err(RecoveryError::target(format!("reading {name} of {set}")))?;
    if heard.bytes != part.bytes || hex(heard.digest.finish().as_ref()) != part.sha256 {
        return Err(RecoveryError::Damaged(format!("{name} was altered: its SHA-256 is not the manifest's")));
    }
    if found != (part.holds_files, part.holds_bytes) {
        return Err(RecoveryError::Damaged(format!("{name} does not hold what the manifest says")));
    }
    half.place(into)?;
    let file = into.join("data/kontor.db");
    Ok((manifest, file))
}
