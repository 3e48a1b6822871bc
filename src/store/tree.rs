//! A tree of files in another place, for an upgrade that root does in a folder of somebody else: it holds on to each folder by its
//! descriptor, follows no link, and takes nothing that belongs to others. It changes nothing where it takes from.

use rustix::fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, Stat, Uid};
use rustix::io::Errno;
use std::ffi::CStr;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Opens a folder and nothing that only leads to one.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Opens a file; a pipe in its place does not hold anybody up.
const FILE: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const NEW: OFlags =
    OFlags::RDWR.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The name of a file until it is whole.
const HALF: &CStr = c".half-copied";

/// Accounts whose files are taken, or into whose folders they are put.
#[derive(Clone, Copy)]
enum Whose {
    Any,
    Only(u32),
    Either(u32, u32),
}

impl Whose {
    fn has(self, uid: u32) -> bool {
        match self {
            Self::Any => true,
            Self::Only(one) => one == uid,
            Self::Either(one, other) => [one, other].contains(&uid),
        }
    }
}

fn refused(name: &CStr, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, format!("{} {what}", name.to_string_lossy()))
}

fn stat_of(from: BorrowedFd<'_>, name: &CStr) -> io::Result<(Stat, FileType)> {
    let stat = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    Ok((stat, kind))
}

fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    let opened = rustix::fs::open(path, FOLDER, Mode::empty());
    opened.map_err(|error| io::Error::new(io::Error::from(error).kind(), format!("{}: {error}", path.display())))
}

/// Files and folders of a folder; anything else is refused.
fn each(folder: BorrowedFd<'_>, mut found: impl FnMut(&CStr, FileType) -> io::Result<()>) -> io::Result<()> {
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if [c".", c".."].contains(&name) {
            continue;
        }
        match stat_of(folder, name)?.1 {
            kind @ (FileType::Directory | FileType::RegularFile) => found(name, kind)?,
            _ => return Err(refused(name, "is no file and no folder: links are not followed")),
        }
    }
    Ok(())
}

/// Copies a file into a new one of this name.
fn copy_as(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    (name, new): (&CStr, &CStr),
    fits: impl Fn(&Stat) -> bool,
) -> io::Result<File> {
    let file = rustix::fs::openat(from, name, FILE, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || !fits(&stat) {
        return Err(refused(name, "belongs to another account, or has a second name"));
    }
    let made = rustix::fs::openat(to, new, NEW, Mode::RUSR | Mode::WUSR)?;
    rustix::fs::fchmod(&made, Mode::from_raw_mode(stat.st_mode & 0o777))?;
    let mut made = File::from(made);
    io::copy(&mut File::from(file), &mut made)?;
    Ok(made)
}

/// Copies a file beside its place and renames it there: what lies under its name is whole, and its owner's.
fn copy_whole(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &CStr,
    owner: Option<(u32, u32)>,
    fits: impl Fn(&Stat) -> bool,
) -> io::Result<()> {
    match rustix::fs::unlinkat(to, HALF, AtFlags::empty()) {
        Err(error) if error != Errno::NOENT => return Err(error.into()),
        _ => {}
    }
    let made = copy_as(from, to, (name, HALF), fits)?;
    if let Some((uid, gid)) = owner {
        rustix::fs::fchown(&made, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
    }
    made.sync_all()?;
    Ok(rustix::fs::renameat(to, HALF, to, name)?)
}

/// Copies a folder into one that is made: files of the account that has the folder, or of this one, by their only name.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(to)?;
    let (from, to) = (open_folder(from)?, open_folder(to)?);
    let whose = Whose::Either(rustix::fs::fstat(&from)?.st_uid, rustix::process::geteuid().as_raw());
    copy_below(from.as_fd(), to.as_fd(), whose)
}

fn copy_below(from: BorrowedFd<'_>, to: BorrowedFd<'_>, whose: Whose) -> io::Result<()> {
    each(from, |name, kind| {
        if kind == FileType::RegularFile {
            return copy_as(from, to, (name, name), |stat| stat.st_nlink == 1 && whose.has(stat.st_uid)).map(drop);
        }
        let below = rustix::fs::openat(from, name, FOLDER, Mode::empty())?;
        if !whose.has(rustix::fs::fstat(&below)?.st_uid) {
            return Err(refused(name, "belongs to another account"));
        }
        rustix::fs::mkdirat(to, name, Mode::RWXU)?;
        let made = rustix::fs::openat(to, name, FOLDER, Mode::empty())?;
        copy_below(below.as_fd(), made.as_fd(), whose)
    })
}

/// Every file of a folder of one account in another place, by a second name: sealed files never change. Those that are there stay.
/// Without an account, whoever has them.
///
/// # Errors
/// What the disk says; `PermissionDenied` for a link, and for what belongs to others.
pub fn link_out(from: &Path, to: &Path, owner: Option<u32>) -> io::Result<()> {
    if from.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(to)?;
    let whose = owner.map_or(Whose::Any, Whose::Only);
    let (from, to) = (open_folder(from)?, open_folder(to)?);
    if !whose.has(rustix::fs::fstat(&from)?.st_uid) {
        return Err(refused(c"the folder of the files", "belongs to another account than the appliance"));
    }
    link_below(from.as_fd(), to.as_fd(), whose, None)?;
    Ok(rustix::fs::syncfs(&to)?)
}

/// The way back: into the folder of an account, which gets what is made there.
///
/// # Errors
/// As for the way out.
pub fn link_back(from: &Path, to: &Path, owner: Option<(u32, u32)>) -> io::Result<()> {
    if from.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(());
    }
    let from = open_folder(from)?;
    let Some((uid, gid)) = owner else {
        DirBuilder::new().recursive(true).mode(0o700).create(to)?;
        let to = open_folder(to)?;
        link_below(from.as_fd(), to.as_fd(), Whose::Any, None)?;
        return Ok(rustix::fs::syncfs(&to)?);
    };
    if to.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        // Only what is missing at the end is made: a path of several parts could lead anywhere.
        let above = open_folder(to.parent().unwrap_or(Path::new("/")))?;
        let name = std::ffi::CString::new(to.file_name().unwrap_or_default().as_encoded_bytes())?;
        if rustix::fs::fstat(&above)?.st_uid != uid {
            return Err(refused(&name, "would lie in a folder of another account"));
        }
        drop(folder_at(above.as_fd(), &name, Some((uid, gid)))?);
    }
    let to = open_folder(to)?;
    if rustix::fs::fstat(&to)?.st_uid != uid {
        return Err(refused(c"the folder of the files", "belongs to another account than the appliance"));
    }
    link_below(from.as_fd(), to.as_fd(), Whose::Any, owner)?;
    // The only other copy may go next.
    Ok(rustix::fs::syncfs(&to)?)
}

/// A folder below another, made where there is none, and given to its owner.
fn folder_at(to: BorrowedFd<'_>, name: &CStr, owner: Option<(u32, u32)>) -> io::Result<OwnedFd> {
    let made = match rustix::fs::mkdirat(to, name, Mode::RWXU) {
        Ok(()) => true,
        Err(Errno::EXIST) => false,
        Err(error) => return Err(error.into()),
    };
    let folder = rustix::fs::openat(to, name, FOLDER, Mode::empty())?;
    if let Some((uid, gid)) = owner {
        if made {
            rustix::fs::fchown(&folder, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
        } else if !Whose::Either(uid, rustix::process::geteuid().as_raw()).has(rustix::fs::fstat(&folder)?.st_uid) {
            return Err(refused(name, "belongs to another account"));
        }
    }
    Ok(folder)
}

fn link_below(from: BorrowedFd<'_>, to: BorrowedFd<'_>, whose: Whose, owner: Option<(u32, u32)>) -> io::Result<()> {
    each(from, |name, kind| {
        if kind == FileType::Directory {
            let below = rustix::fs::openat(from, name, FOLDER, Mode::empty())?;
            if !whose.has(rustix::fs::fstat(&below)?.st_uid) {
                return Err(refused(name, "belongs to another account"));
            }
            return link_below(below.as_fd(), folder_at(to, name, owner)?.as_fd(), whose, owner);
        }
        let whole = match rustix::fs::linkat(from, name, to, name, AtFlags::empty()) {
            Ok(()) => true,
            Err(Errno::EXIST) => return Ok(()),
            Err(_) => false,
        };
        if !whole {
            return copy_whole(from, to, name, owner, |stat| whose.has(stat.st_uid));
        }
        // Looked at after it was linked: before, it could have been exchanged in between.
        let (stat, kind) = stat_of(to, name)?;
        if kind == FileType::RegularFile && whose.has(stat.st_uid) {
            return Ok(());
        }
        rustix::fs::unlinkat(to, name, AtFlags::empty())?;
        Err(refused(name, "belongs to another account, or is a link"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, symlink};

    #[test]
    fn links_are_refused_and_files_of_others_are_not_taken() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir_all(at("files/a")).unwrap();
        fs::write(at("files/a/one"), "one").unwrap();
        let mine = fs::metadata(at("files")).unwrap().uid();
        link_out(&at("files"), &at("out"), Some(mine)).unwrap();
        assert_eq!(fs::metadata(at("out/a/one")).unwrap().nlink(), 2);
        link_out(&at("files"), &at("other"), Some(mine + 1)).unwrap_err();
        assert!(!at("other/a").exists());
        symlink(at("files"), at("way")).unwrap();
        link_out(&at("way"), &at("by-link"), None).unwrap_err();
        copy_folder(&at("way"), &at("copied-by-link")).unwrap_err();
        link_back(&at("out"), &at("way"), Some((mine, 0))).unwrap_err();
        symlink(at("files/a"), at("files/way")).unwrap();
        link_out(&at("files"), &at("below"), None).unwrap_err();
        copy_folder(&at("files"), &at("copied-below")).unwrap_err();
        assert!(!at("below/way").exists() && !at("copied-below/way").exists());
        fs::remove_dir_all(at("files")).unwrap();
        link_back(&at("out"), &at("files"), Some((mine + 1, 0))).unwrap_err();
        assert!(!at("files").exists());
        link_back(&at("out"), &at("files"), None).unwrap();
        assert_eq!(fs::read_to_string(at("files/a/one")).unwrap(), "one");
    }

    #[test]
    fn a_copy_takes_no_file_with_a_second_name() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir(at("log")).unwrap();
        fs::write(at("elsewhere"), "not the log's").unwrap();
        fs::write(at("log/one"), "one").unwrap();
        copy_folder(&at("log"), &at("copy")).unwrap();
        assert_eq!(fs::read_to_string(at("copy/one")).unwrap(), "one");
        fs::hard_link(at("elsewhere"), at("log/two")).unwrap();
        copy_folder(&at("log"), &at("again")).unwrap_err();
    }
}
