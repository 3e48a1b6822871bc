//! The folder `upgrade/` as whoever acts may trust it. Root acts for an appliance whose account may be in somebody else's hands: what
//! root executes, installs or goes by there is root's own, opened without following a link, and still what was written down of it.
//! It never decides what an upgrade does next.

use crate::appliance::Layout;
use crate::cli::failure::Failure;
use kernel::Code;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// What lies in the folder between two upgrades.
const FOLDER_MODE: u32 = 0o755;
/// Names that are tried for a folder of the moment.
const MOMENT_TRIES: u32 = 64;

/// The account that an appliance belongs to, where root acts for it.
pub(super) fn acts_for(layout: &Layout) -> Result<Option<(u32, u32)>, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let above = fs::metadata(layout.dir()).map_err(|error| Failure::file(layout.dir(), &error))?;
    // The folder itself lies where only root can put it; the slots are asked only where that is root's.
    let found = match above.uid() {
        0 => fs::symlink_metadata(layout.slots()).map_err(|error| Failure::file(&layout.slots(), &error))?,
        _ => above,
    };
    Ok((found.uid() != 0).then_some((found.uid(), found.gid())))
}

/// Refuses a program that root would start and others than root can exchange.
pub(super) fn require_roots_program(layout: &Layout, program: &Path) -> Result<(), Failure> {
    if acts_for(layout)?.is_none() {
        return Ok(());
    }
    for path in program.ancestors() {
        let found = fs::symlink_metadata(path).map_err(|error| Failure::file(path, &error))?;
        // In a folder where everybody may make something, nobody takes away what is another's.
        let shared = found.is_dir() && found.mode() & 0o1000 != 0;
        if found.uid() != 0 || (found.mode() & 0o022 != 0 && !shared) {
            let told =
                format!("root would start {}, and others than root can write {}", program.display(), path.display());
            return Err(Failure::new(Code::AccessDenied, told).kept("nothing was changed").todo(
                "put the program where only root writes, /usr/bin or /opt; or upgrade as the account of the appliance",
            ));
        }
    }
    Ok(())
}

fn euid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn flags(more: OFlags) -> i32 {
    // Bits of the system, which the standard library takes as a signed number. A pipe in place of a file does not hold anybody up.
    (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | more).bits().cast_signed()
}

fn foreign(path: &Path, what: &str) -> Failure {
    Failure::new(Code::AccessDenied, format!("{} {what}", path.display())).kept("it was not used; nothing was changed").todo(
        "let the account that began the upgrade go on with it; if that was root, somebody has exchanged the file: find out who, \
         then restore a backup set into another folder",
    )
}

/// Whoever may not read how far it is does not go on as if there were no upgrade.
fn closed(layout: &Layout, path: &Path) -> Failure {
    let (told, folder) = (path.display(), layout.upgrade());
    Failure::new(Code::AccessDenied, format!("{told} is closed to this account, which has to read it"))
        .kept("nothing was changed")
        .todo(format!("give them their modes back, as root: chmod 755 {}; chmod 644 {told}", folder.display()))
}

/// Refuses a folder `upgrade/` that others than root and this account can write.
fn require_own_folder(layout: &Layout) -> Result<(), Failure> {
    let path = layout.upgrade();
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::file(&path, &error)),
        Ok(found) if !found.is_dir() => Err(foreign(&path, "is no folder")),
        Ok(found) if found.uid() != euid() && found.uid() != 0 => {
            Err(foreign(&path, &format!("belongs to the account with the number {}", found.uid())))
        }
        Ok(found) if found.mode() & 0o022 != 0 => Err(foreign(&path, "can be written by others")),
        Ok(_) => Ok(()),
    }
}

/// Makes the folder, and keeps it out of the hands of the account that root acts for.
pub(super) fn make_folder(layout: &Layout) -> Result<(), Failure> {
    let path = layout.upgrade();
    let failed = |error: io::Error| Failure::file(&path, &error);
    let mode = if acts_for(layout)?.is_some() { FOLDER_MODE } else { 0o700 };
    let found = match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().mode(mode).create(&path).map_err(failed)?;
            fs::symlink_metadata(&path).map_err(failed)?
        }
        found => found.map_err(failed)?,
    };
    if !found.is_dir() {
        return Err(foreign(&path, "is no folder"));
    }
    let folder = OpenOptions::new().read(true).custom_flags(flags(OFlags::DIRECTORY)).open(&path).map_err(failed)?;
    let owner = folder.metadata().map_err(failed)?.uid();
    if owner != euid() {
        if !rustix::process::geteuid().is_root() {
            return Err(Failure::new(Code::AccessDenied, format!("{} belongs to root", path.display()))
                .kept("nothing was changed")
                .todo("root has upgraded this appliance: use the same command as root"));
        }
        if path.join("state.json").symlink_metadata().is_ok() {
            return Err(foreign(&path, &format!("belongs to the account with the number {owner}")));
        }
        // No upgrade is under way: what lies there decides nothing, and each file is made anew before it is used.
        std::os::unix::fs::fchown(&folder, Some(0), Some(0)).map_err(failed)?;
    }
    folder.set_permissions(Permissions::from_mode(mode)).map_err(failed)
}

/// Opens a file of the folder that belongs to root or to this account; `None` when there is none.
pub(super) fn open(layout: &Layout, name: &str) -> Result<Option<File>, Failure> {
    require_own_folder(layout)?;
    let path = layout.upgrade().join(name);
    let file = match OpenOptions::new().read(true).custom_flags(flags(OFlags::empty())).open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(foreign(&path, "is a link"));
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(closed(layout, &path)),
        opened => opened.map_err(|error| Failure::file(&path, &error))?,
    };
    let found = file.metadata().map_err(|error| Failure::file(&path, &error))?;
    if !found.is_file() {
        return Err(foreign(&path, "is no file"));
    }
    if found.uid() != euid() && found.uid() != 0 {
        return Err(foreign(&path, &format!("belongs to the account with the number {}", found.uid())));
    }
    Ok(Some(file))
}

/// The text of such a file.
pub(super) fn read(layout: &Layout, name: &str, bytes_max: u64) -> Result<Option<String>, Failure> {
    let Some(file) = open(layout, name)? else { return Ok(None) };
    let path = layout.upgrade().join(name);
    let mut text = String::new();
    file.take(bytes_max + 1).read_to_string(&mut text).map_err(|error| Failure::file(&path, &error))?;
    if text.len() as u64 > bytes_max {
        return Err(Failure::new(Code::ConfigInvalid, format!("{} is too large", path.display())));
    }
    Ok(Some(text))
}

/// Makes a file anew, whatever lay there under its name.
pub(super) fn create(path: &Path, mode: u32) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let made = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(mode)
        .custom_flags(flags(OFlags::empty()))
        .open(path)?;
    // Whatever mask this account works under: the server has to read what is meant for it.
    made.set_permissions(Permissions::from_mode(mode))?;
    Ok(made)
}

/// Opens the file of a lock, and makes it where there is none.
pub(super) fn lock_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600).custom_flags(flags(OFlags::empty()));
    options.open(path)
}

/// A program or package that lies in the folder until it is used, and what it was when it was put there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Piece {
    name: String,
    bytes: u64,
    sha256: String,
}

impl Piece {
    /// Measures a file that was just made.
    pub(super) fn of(name: &str, file: &mut File) -> io::Result<Self> {
        file.rewind()?;
        let (bytes, sha256) = upgrade::measured(file)?;
        Ok(Self { name: name.to_owned(), bytes, sha256 })
    }

    /// The piece of this name, opened and found to be what it was.
    pub(super) fn open(pieces: &[Self], layout: &Layout, name: &str) -> Result<File, Failure> {
        let path = layout.upgrade().join(name);
        let file = open(layout, name)?;
        let (Some(piece), Some(mut file)) = (pieces.iter().find(|piece| piece.name == name), file) else {
            return Err(foreign(&path, "is missing"));
        };
        let found = Self::of(name, &mut file).map_err(|error| Failure::file(&path, &error))?;
        if found != *piece {
            return Err(foreign(&path, "was altered: its SHA-256 is not the one that was written down"));
        }
        file.rewind().map_err(|error| Failure::file(&path, &error))?;
        Ok(file)
    }
}

/// Lets something be done with a file by its path, in a folder of the moment that only this account can enter.
pub(super) fn aside<T>(file: &mut File, name: &str, done: impl FnOnce(&Path) -> T) -> io::Result<T> {
    let above = std::env::temp_dir();
    let mut tries = 0;
    let folder = loop {
        let folder = above.join(format!("kontor-upgrade-{}-{tries}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => break folder,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < MOMENT_TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    };
    let path = folder.join(name);
    let copied = create(&path, 0o600).and_then(|mut made| io::copy(file, &mut made));
    let ended = copied.map(|_| done(&path));
    fs::remove_dir_all(&folder)?;
    ended
}
