//! The folder `upgrade/` as whoever acts may trust it. Root acts for an appliance whose account may be in somebody else's hands, and has
//! the folder above: so the folder is looked at and held on to by its descriptor, and nothing in it is reached by a path. What root
//! executes, installs or goes by there is root's own, and still what was written down of it. It never decides what an upgrade does next.

use crate::appliance::Layout;
use crate::appliance::upgrade::as_owner;
use crate::cli::failure::Failure;
use kernel::Code;
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// What lies in the folder between two upgrades.
const FOLDER_MODE: u32 = 0o755;
/// The name of the file that says how far an upgrade is.
pub(super) const STATE: &str = "state.json";
/// The name of the folder of the copy.
const COPY: &str = "copy";
const COPY_HALF: &str = "copy.half";
/// Names that are tried for a folder of the moment.
const MOMENT_TRIES: u32 = 64;

fn euid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn flags(more: OFlags) -> i32 {
    // Bits of the system, which the standard library takes as a signed number. A pipe in place of a file does not hold anybody up.
    (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | more).bits().cast_signed()
}

pub(super) fn foreign(path: &Path, what: &str) -> Failure {
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

/// The folder, held: whatever is put in its place afterwards, what is done is done in this one. Refused where others than root and this
/// account can write.
fn hold(layout: &Layout) -> Result<Option<OwnedFd>, Failure> {
    let path = layout.upgrade();
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = match rustix::fs::open(&path, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::NOTDIR | Errno::LOOP) => return Err(foreign(&path, "is no folder")),
        held => held.map_err(|error| Failure::file(&path, &error.into()))?,
    };
    let found = rustix::fs::fstat(&held).map_err(|error| Failure::file(&path, &error.into()))?;
    if found.st_uid != euid() && found.st_uid != 0 {
        return Err(foreign(&path, &format!("belongs to the account with the number {}", found.st_uid)));
    }
    if found.st_mode & 0o022 != 0 {
        return Err(foreign(&path, "can be written by others"));
    }
    Ok(Some(held))
}

/// The folder, which has to be there.
fn held(layout: &Layout) -> Result<OwnedFd, Failure> {
    hold(layout)?.ok_or_else(|| foreign(&layout.upgrade(), "is missing"))
}

/// Makes the folder, and keeps it out of the hands of the account that root acts for.
pub(super) fn make_folder(layout: &Layout) -> Result<(), Failure> {
    let path = layout.upgrade();
    let failed = |error: io::Error| Failure::file(&path, &error);
    let mode = if layout.owner().is_some() { FOLDER_MODE } else { 0o700 };
    match DirBuilder::new().mode(mode).create(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    let folder = match OpenOptions::new().read(true).custom_flags(flags(OFlags::DIRECTORY)).open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(foreign(&path, "is no folder")),
        opened => opened.map_err(failed)?,
    };
    let owner = folder.metadata().map_err(failed)?.uid();
    if owner != euid() {
        if !rustix::process::geteuid().is_root() {
            return Err(Failure::new(Code::AccessDenied, format!("{} belongs to root", path.display()))
                .kept("nothing was changed")
                .todo("root has upgraded this appliance: use the same command as root"));
        }
        if rustix::fs::statat(&folder, STATE, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
            return Err(foreign(&path, &format!("belongs to the account with the number {owner}")));
        }
        // No upgrade is under way: what lies there decides nothing, and each file is made anew before it is used.
        std::os::unix::fs::fchown(&folder, Some(0), Some(0)).map_err(failed)?;
    }
    folder.set_permissions(Permissions::from_mode(mode)).map_err(failed)
}

/// Opens a file of the folder that belongs to root or to this account; `None` when there is none.
pub(super) fn open(layout: &Layout, name: &str) -> Result<Option<File>, Failure> {
    let Some(folder) = hold(layout)? else { return Ok(None) };
    let path = layout.upgrade().join(name);
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(&folder, name, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err(foreign(&path, "is a link")),
        Err(Errno::ACCESS) => return Err(closed(layout, &path)),
        opened => File::from(opened.map_err(|error| Failure::file(&path, &error.into()))?),
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

/// Makes a file of the folder anew, whatever lay there under its name.
pub(super) fn create(layout: &Layout, name: &str, mode: u32) -> Result<File, Failure> {
    let made = create_at(held(layout)?.as_fd(), Path::new(name), mode);
    made.map_err(|error| Failure::file(&layout.upgrade().join(name), &error))
}

/// Replaces a file of the folder as a whole.
pub(super) fn replace(layout: &Layout, name: &str, text: &str, mode: u32) -> Result<(), Failure> {
    let folder = held(layout)?;
    let half = format!("{name}.half");
    let written = create_at(folder.as_fd(), Path::new(&half), mode);
    let written = written.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written
        .and_then(|()| Ok(rustix::fs::renameat(&folder, half.as_str(), &folder, name)?))
        .and_then(|()| synced(folder.as_fd()))
        .map_err(|error| Failure::file(&layout.upgrade().join(name), &error))
}

/// Takes files of the folder away, in this order.
pub(super) fn remove(layout: &Layout, names: impl Iterator<Item = &'static str>) -> Result<(), Failure> {
    let Some(folder) = hold(layout)? else { return Ok(()) };
    for name in names {
        match rustix::fs::unlinkat(&folder, name, AtFlags::empty()) {
            Err(error) if error != Errno::NOENT => {
                return Err(Failure::file(&layout.upgrade().join(name), &error.into()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Opens the file of the lock, and makes it where there is none.
pub(super) fn lock_file(layout: &Layout, name: &str) -> Result<File, Failure> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(held(layout)?, name, flags, Mode::RUSR | Mode::WUSR);
    opened.map(File::from).map_err(|error| Failure::file(&layout.upgrade().join(name), &error.into()))
}

/// An empty folder for the copy of the data, in the hands of the account that has them.
pub(super) fn make_copy_folder(layout: &Layout) -> Result<(), Failure> {
    remove_copy_folder(layout)?;
    let folder = held(layout)?;
    let made = || {
        // Under its name it is the account's, whenever this is cut off.
        match rustix::fs::unlinkat(&folder, COPY_HALF, AtFlags::REMOVEDIR) {
            Err(error) if error != Errno::NOENT => return Err(error),
            _ => {}
        }
        rustix::fs::mkdirat(&folder, COPY_HALF, Mode::RWXU)?;
        if let Some(owner) = layout.owner() {
            let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let made = rustix::fs::openat(&folder, COPY_HALF, flags, Mode::empty())?;
            rustix::fs::fchown(&made, Some(Uid::from_raw(owner.uid)), Some(Gid::from_raw(owner.gid)))?;
        }
        rustix::fs::renameat(&folder, COPY_HALF, &folder, COPY)
    };
    made().map_err(|error| Failure::file(&layout.upgrade_copy(), &error.into()))
}

/// Takes the copy away: what is in it as the account that has it.
pub(super) fn remove_copy_folder(layout: &Layout) -> Result<(), Failure> {
    let Some(folder) = hold(layout)? else { return Ok(()) };
    let path = layout.upgrade_copy();
    let gone = || rustix::fs::unlinkat(&folder, COPY, AtFlags::REMOVEDIR);
    match gone() {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::NOTEMPTY) => {}
        Err(error) => return Err(Failure::file(&path, &error.into())),
    }
    as_owner(layout, || empty(&path).map_err(|error| Failure::file(&path, &error)))?;
    gone().map_err(|error| Failure::file(&path, &error.into()))
}

fn empty(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
    }
    Ok(())
}

/// Makes a file anew in a folder where only this account writes, whatever lay there under its name.
pub(super) fn create_alone(path: &Path, mode: u32) -> io::Result<File> {
    create_at(rustix::fs::CWD, path, mode)
}

fn create_at(folder: BorrowedFd<'_>, name: &Path, mode: u32) -> io::Result<File> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Err(error) if error != Errno::NOENT => return Err(error.into()),
        _ => {}
    }
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let made = File::from(rustix::fs::openat(folder, name, flags, Mode::from_raw_mode(mode))?);
    // Whatever mask this account works under: the server has to read what is meant for it.
    made.set_permissions(Permissions::from_mode(mode))?;
    Ok(made)
}

fn synced(folder: BorrowedFd<'_>) -> io::Result<()> {
    let opened = rustix::fs::openat(folder, c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    File::from(opened).sync_all()
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
    let copied = create_alone(&path, 0o600).and_then(|mut made| io::copy(file, &mut made));
    let ended = copied.map(|_| done(&path));
    fs::remove_dir_all(&folder)?;
    ended
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_is_held_is_written_into_whatever_takes_its_place() {
        let place = tempfile::tempdir().unwrap();
        let layout = Layout::new(place.path());
        make_folder(&layout).unwrap();
        let (aside, elsewhere) = (place.path().join("aside"), place.path().join("elsewhere"));
        let folder = held(&layout).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        fs::rename(layout.upgrade(), &aside).unwrap();
        symlink(&elsewhere, layout.upgrade()).unwrap();
        create_at(folder.as_fd(), Path::new("next"), 0o600).unwrap();
        assert!(aside.join("next").is_file() && !elsewhere.join("next").exists());
        // Who comes later is not led there either.
        for refused in
            [create(&layout, "next", 0o600).map(drop), replace(&layout, STATE, "{}", 0o644), make_folder(&layout)]
        {
            assert!(refused.unwrap_err().what().contains("is no folder"));
        }
        assert!(fs::read_dir(&elsewhere).unwrap().next().is_none());
    }
}
