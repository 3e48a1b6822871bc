//! A set that one target has whole is completed on another on which its writing was cut, or which is new. Files are sealed under
//! keys of their own that are gone when a set is done, so a set cannot be made twice: what is gone on with is the same set, file by
//! file. What is there and has the hash of the manifest stays, what was half written is carried anew.

use crate::archive::BLOCK;
use crate::manifest::{MANIFEST, PartFile, SIGNATURE, hex};
use crate::verify::{part_is_whole, read_manifest, small, verify_set};
use crate::{Pace, Progress, RecoveryError, SetName, Target, Verified};
use audit::VerifierKey;
use kernel::Clock;
use ring::digest;
use std::io::{self, Read, Write};

/// Completes a set on `to` from `from`, which has it whole, and reads it back there.
///
/// # Errors
/// [`RecoveryError::Damaged`] when `from` has it no longer whole; [`RecoveryError::Target`] when one of them refuses. What was carried
/// by then stays for the next attempt, unless the disk is full.
pub fn complete_set(
    (from, to): (&dyn Target, &dyn Target),
    set: &SetName,
    key: &VerifierKey,
    (progress, clock): (&Progress, &dyn Clock),
    bytes_per_second: Option<u64>,
) -> Result<Verified, RecoveryError> {
    let pace = Pace::begin(progress, bytes_per_second, clock);
    let carried = carry((from, to), set, key, (progress, pace));
    if carried.as_ref().is_err_and(RecoveryError::is_full) {
        to.abandon(set);
    }
    carried?;
    verify_set(to, set, key, Some(progress)).map(|(verified, _)| verified).inspect_err(|error| {
        if !matches!(error, RecoveryError::Stopped)
            && let Err(error) = to.remove(set)
        {
            tracing::error!(target_name = to.name(), %set, %error, "a set that does not read back could not be removed; remove it by hand");
        }
    })
}

fn carry(
    (from, to): (&dyn Target, &dyn Target),
    set: &SetName,
    key: &VerifierKey,
    (progress, mut pace): (&Progress, Pace<'_>),
) -> Result<(), RecoveryError> {
    let manifest = read_manifest(from, set, key)?;
    progress.expect(manifest.bytes());
    to.resume(set).map_err(RecoveryError::target(format!("going on with {set}")))?;
    for part in &manifest.files {
        if is_kept(to, set, part, progress)? {
            pace.moved(part.bytes)?;
        } else {
            carry_part((from, to), set, part, &mut pace)?;
        }
    }
    // Last, as when a set is made: without them it looks like none.
    for name in [MANIFEST, SIGNATURE] {
        let bytes = small(from, set, name)?;
        let written = to.part(set, name).and_then(|mut sink| sink.write_all(&bytes).and_then(|()| sink.finish()));
        written.map_err(RecoveryError::target(format!("writing {name}")))?;
    }
    to.publish(set).map_err(RecoveryError::target("giving the set its name"))
}

/// Whether this file was finished here before. What cannot be read is carried anew.
fn is_kept(to: &dyn Target, set: &SetName, part: &PartFile, progress: &Progress) -> Result<bool, RecoveryError> {
    let Ok(file) = to.kept(set, &part.name) else { return Ok(false) };
    match part_is_whole(file, set, part, Some(progress)) {
        Ok(()) => Ok(true),
        Err(RecoveryError::Stopped) => Err(RecoveryError::Stopped),
        Err(_) => Ok(false),
    }
}

fn carry_part(
    (from, to): (&dyn Target, &dyn Target),
    set: &SetName,
    part: &PartFile,
    pace: &mut Pace<'_>,
) -> Result<(), RecoveryError> {
    let name = &part.name;
    let (reading, writing) = (|| format!("reading {name} of {set}"), || format!("writing {name}"));
    let mut file = from.read(set, name).map_err(RecoveryError::target(reading()))?;
    let mut sink = to.part(set, name).map_err(RecoveryError::target(format!("beginning {name}")))?;
    let (mut context, mut block, mut bytes) = (digest::Context::new(&digest::SHA256), vec![0; BLOCK], 0u64);
    loop {
        let read = file.read(&mut block).map_err(RecoveryError::target(reading()))?;
        if read == 0 {
            break;
        }
        let read_now = block.get(..read).unwrap_or_default();
        context.update(read_now);
        bytes += read as u64;
        sink.write_all(read_now).map_err(RecoveryError::target(writing()))?;
        pace.moved(read as u64)?;
    }
    if bytes != part.bytes || hex(context.finish().as_ref()) != part.sha256 {
        return Err(RecoveryError::Damaged(format!("{name} on {} is not what the manifest says", from.name())));
    }
    sink.finish().map_err(RecoveryError::target(writing()))
}

impl RecoveryError {
    /// Whether there is no room left.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self, Self::Target { cause, .. } if cause.kind() == io::ErrorKind::StorageFull)
    }
}
