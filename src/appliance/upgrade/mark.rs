//! Which upgrade root has begun, where only root writes: an account has the folder above `upgrade/`, and could put one back there that
//! root has made before. It knows nothing of how far an upgrade is.

use crate::appliance::Layout;
use crate::appliance::upgrade::fault;
use crate::cli::failure::Failure;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

/// Where the marks lie, one for each appliance that root acts for.
const PLACE: &str = "/var/lib/kontor-upgrades";

/// The file of an appliance; nothing where whoever acts has it.
fn file(layout: &Layout) -> Option<PathBuf> {
    layout.owner()?;
    let (_, name) = upgrade::measured(&mut layout.dir().as_os_str().as_bytes()).ok()?;
    Some(fault::place().unwrap_or_else(|| PathBuf::from(PLACE)).join(name))
}

/// Notes that this upgrade is the one.
pub(super) fn keep(layout: &Layout, id: &str) -> Result<(), Failure> {
    let Some(path) = file(layout) else { return Ok(()) };
    let above = path.parent().unwrap_or(&path);
    let half = path.with_extension("half");
    let made = DirBuilder::new().recursive(true).mode(0o700).create(above);
    made.and_then(|()| {
        let mut file = File::create(&half)?;
        file.write_all(id.as_bytes())?;
        file.sync_all()?;
        fs::rename(&half, &path)?;
        File::open(above)?.sync_all()
    })
    .map_err(|error| Failure::file(&path, &error))
}

/// The file whose lock says that root upgrades; nothing where whoever acts has the appliance.
pub(super) fn lock_file(layout: &Layout) -> Result<Option<File>, Failure> {
    let Some(path) = file(layout).map(|path| path.with_extension("lock")) else { return Ok(None) };
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path.parent().unwrap_or(&path));
    let opened = made.and_then(|()| File::create(&path));
    opened.map(Some).map_err(|error| Failure::file(&path, &error))
}

/// Whether this upgrade is the one; each is, where whoever acts has the appliance.
pub(super) fn is_of(layout: &Layout, id: &str) -> Result<bool, Failure> {
    let Some(path) = file(layout) else { return Ok(true) };
    match fs::read_to_string(&path) {
        Ok(kept) => Ok(kept == id),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::file(&path, &error)),
    }
}

/// None is under way any more.
pub(super) fn forget(layout: &Layout) -> Result<(), Failure> {
    let Some(path) = file(layout) else { return Ok(()) };
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::file(&path, &error)),
        _ => Ok(()),
    }
}
