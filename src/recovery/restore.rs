//! A set becomes an appliance's folder again: verified, unpacked beside the place, and moved there last. Never over
//! anything: a bad restore never replaces good data.

use crate::archive::{SUFFIX, unpack};
use crate::manifest::{MANIFEST, SIGNATURE};
use crate::verify::{read_manifest, small, verify_set};
use crate::{Manifest, RecoveryError, SetName, Target};
use audit::VerifierKey;
use std::fs;
use std::path::{Path, PathBuf};
use vault::ArchiveIdentity;

/// What the folder is called until it is whole.
const HALF: &str = "restoring";

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// What the set says of itself.
    pub manifest: Manifest,
    /// Bytes that were unpacked.
    pub bytes: u64,
    /// Files that were unpacked.
    pub files: u64,
}

/// The key that signed a set, as the set itself has it: to be compared with a copy that was kept elsewhere.
///
/// # Errors
/// [`RecoveryError::Damaged`] when it cannot be read.
pub fn own_log_key(target: &dyn Target, set: &SetName) -> Result<VerifierKey, RecoveryError> {
    let text = small(target, set, "log-key.pub")?;
    let text = String::from_utf8(text).map_err(|_| RecoveryError::Damaged("log-key.pub is no text".to_owned()))?;
    text.trim().parse().map_err(|error| RecoveryError::Damaged(format!("log-key.pub: {error}")))
}

/// The unseal slots of a set as they lie beside it in clear.
///
/// # Errors
/// What the target says.
pub fn slots_of(target: &dyn Target, set: &SetName) -> Result<Vec<u8>, RecoveryError> {
    small(target, set, "slots.json")
}

/// Brings a set as it lies on a target into a folder below `into`, for what has to read here and there in it. It is not
/// verified yet; what is half there when this fails is the caller's to take away.
///
/// # Errors
/// [`RecoveryError::Refused`] when there is no room; what target and disk say.
pub fn fetch_set(target: &dyn Target, set: &SetName, key: &VerifierKey, into: &Path) -> Result<PathBuf, RecoveryError> {
    let manifest = read_manifest(target, set, key)?;
    enough_room(into, manifest.bytes())?;
    let folder = into.join(set.as_str());
    let failed = |name: &str| RecoveryError::target(format!("fetching {name} of {set}"));
    fs::create_dir(&folder).map_err(failed("the folder"))?;
    let parts = manifest.files.iter().map(|part| part.name.as_str());
    for name in [MANIFEST, SIGNATURE].into_iter().chain(parts) {
        let mut from = target.read(set, name).map_err(failed(name))?;
        let made = fs::File::create_new(folder.join(name));
        made.and_then(|mut file| std::io::copy(&mut from, &mut file)).map_err(failed(name))?;
    }
    Ok(folder)
}

/// Verifies a set with the key of its log and unpacks it into `into`, which must not exist yet or be empty. When this fails,
/// nothing of it is left.
///
/// # Errors
/// [`RecoveryError::Refused`] when there is something at `into`; [`RecoveryError::Key`] and [`RecoveryError::Damaged`] when
/// the set does not open or is not whole; [`RecoveryError::Target`] when the disk refuses.
pub fn restore(
    target: &dyn Target,
    set: &SetName,
    key: &VerifierKey,
    identity: &ArchiveIdentity,
    into: &Path,
) -> Result<Restored, RecoveryError> {
    restore_with(target, set, key, identity, into, |_, _| Ok(()))
}

/// The same, with a last step on the folder before it is put in its place: what it refuses leaves nothing of the folder.
///
/// # Errors
/// As for [`restore`], and what the step says.
pub fn restore_with(
    target: &dyn Target,
    set: &SetName,
    key: &VerifierKey,
    identity: &ArchiveIdentity,
    into: &Path,
    last: impl FnOnce(&Path, &Manifest) -> Result<(), RecoveryError>,
) -> Result<Restored, RecoveryError> {
    if !is_unused(into)? {
        return Err(RecoveryError::Refused(format!(
            "{} is not empty; name a folder that does not exist yet",
            into.display()
        )));
    }
    let (_, manifest) = verify_set(target, set, key, None)?;
    let half = Half::begin(into)?;
    enough_room(&half.0, manifest.holds_bytes())?;
    let (mut files, mut bytes) = (0, 0);
    for part in manifest.files.iter().filter(|part| part.name.ends_with(SUFFIX)) {
        let from = target.read(set, &part.name).map_err(RecoveryError::target(format!("opening {}", part.name)))?;
        let found = unpack(&part.name, from, identity, &half.0)?;
        if found != (part.holds_files, part.holds_bytes) {
            return Err(RecoveryError::Damaged(format!("{} does not hold what the manifest says", part.name)));
        }
        files += found.0;
        bytes += found.1;
    }
    last(&half.0, &manifest)?;
    half.place(into)?;
    Ok(Restored { manifest, bytes, files })
}

pub(crate) fn is_unused(into: &Path) -> Result<bool, RecoveryError> {
    match fs::read_dir(into) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(cause) => Err(RecoveryError::Target { what: format!("looking at {}", into.display()), cause }),
    }
}

/// Better before than in the middle.
pub(crate) fn enough_room(place: &Path, bytes: u64) -> Result<(), RecoveryError> {
    let free = rustix::fs::statvfs(place).map_or(u64::MAX, |found| found.f_bavail.saturating_mul(found.f_frsize));
    if free < bytes {
        return Err(RecoveryError::Refused(format!(
            "{} has {} MiB free and {} MiB are needed for the set; make room or name a folder elsewhere",
            place.display(),
            free >> 20,
            bytes >> 20
        )));
    }
    Ok(())
}

/// The folder before it is whole. Dropped without [`Half::place`], it goes.
pub(crate) struct Half(PathBuf);

impl Half {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn begin(into: &Path) -> Result<Self, RecoveryError> {
        use std::os::unix::fs::DirBuilderExt;
        let mut name = into.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(HALF);
        let half = into.with_file_name(name);
        let failed = || format!("making {}", half.display());
        if half.exists() {
            fs::remove_dir_all(&half).map_err(RecoveryError::target(failed()))?;
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&half).map_err(RecoveryError::target(failed()))?;
        Ok(Self(half))
    }

    pub(crate) fn place(self, into: &Path) -> Result<(), RecoveryError> {
        let failed = || format!("putting the folder at {}", into.display());
        let folder = fs::File::open(&self.0).map_err(RecoveryError::target(failed()))?;
        // One sync for all of it: a set may hold a hundred thousand files.
        rustix::fs::syncfs(&folder).map_err(|error| RecoveryError::target(failed())(error.into()))?;
        // An empty folder in the way may be replaced; anything else makes this fail.
        fs::rename(&self.0, into).map_err(RecoveryError::target(failed()))?;
        let above = into.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let synced = fs::File::open(above).and_then(|above| above.sync_all());
        synced.map_err(RecoveryError::target(failed()))
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        if self.0.exists() {
            // What cannot be removed is told by the next attempt, which begins with removing it.
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
