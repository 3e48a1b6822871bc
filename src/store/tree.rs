//! A tree of files in another place, for an upgrade. It follows no link, takes nothing but files and folders, and changes nothing where
//! it takes from. Whose rights it has is not its concern.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// The name of a file until it is whole.
const HALF: &str = ".half-copied";

fn refused(path: &Path) -> io::Error {
    let told = format!("{} is no file and no folder: links are not followed", path.display());
    io::Error::new(io::ErrorKind::PermissionDenied, told)
}

/// Files of a folder and, where the second says so, folders; anything else is refused.
fn each(folder: &Path, mut found: impl FnMut(&Path, &OsStr, bool) -> io::Result<()>) -> io::Result<()> {
    if !folder.symlink_metadata()?.is_dir() {
        return Err(refused(folder));
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if !kind.is_dir() && !kind.is_file() {
            return Err(refused(&entry.path()));
        }
        found(&entry.path(), &entry.file_name(), kind.is_dir())?;
    }
    Ok(())
}

/// Copies a folder into one that is made.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(to)?;
    each(from, |path, name, is_folder| {
        let to = to.join(name);
        if is_folder { copy_folder(path, &to) } else { fs::copy(path, to).map(drop) }
    })
}

/// Every file of a folder in another place, by a second name where the file system has one: sealed files never change. Those that are
/// there stay. Nothing where there is no such folder.
///
/// # Errors
/// What the disk says; `PermissionDenied` for a link.
pub fn link_files(from: &Path, to: &Path) -> io::Result<()> {
    if from.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(());
    }
    link_below(from, to)?;
    // The only other copy may go next.
    Ok(rustix::fs::syncfs(File::open(to)?)?)
}

fn link_below(from: &Path, to: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(to)?;
    each(from, |path, name, is_folder| {
        let to = to.join(name);
        if is_folder {
            return link_below(path, &to);
        }
        match fs::hard_link(path, &to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(_) => copy_whole(path, &to),
            Ok(()) => Ok(()),
        }
    })
}

/// Copies a file beside its place and renames it there: what lies under its name is whole.
fn copy_whole(from: &Path, to: &Path) -> io::Result<()> {
    let half = to.with_file_name(HALF);
    match fs::remove_file(&half) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::copy(from, &half)?;
    File::open(&half)?.sync_all()?;
    fs::rename(half, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, symlink};

    #[test]
    fn files_get_a_second_name_and_links_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir_all(at("files/a")).unwrap();
        fs::write(at("files/a/one"), "one").unwrap();
        link_files(&at("files"), &at("out")).unwrap();
        link_files(&at("files"), &at("out")).unwrap();
        assert_eq!(fs::metadata(at("out/a/one")).unwrap().nlink(), 2);
        symlink(at("files"), at("way")).unwrap();
        link_files(&at("way"), &at("by-link")).unwrap_err();
        copy_folder(&at("way"), &at("copied-by-link")).unwrap_err();
        symlink(at("files/a"), at("files/way")).unwrap();
        link_files(&at("files"), &at("below")).unwrap_err();
        copy_folder(&at("files"), &at("copied-below")).unwrap_err();
        assert!(!at("below/way").exists() && !at("copied-below/way").exists());
        fs::remove_dir_all(at("files")).unwrap();
        link_files(&at("out"), &at("files")).unwrap();
        assert_eq!(fs::read_to_string(at("files/a/one")).unwrap(), "one");
        copy_folder(&at("files"), &at("copied")).unwrap();
        assert_eq!(fs::metadata(at("copied/a/one")).unwrap().nlink(), 1);
    }

    #[test]
    fn a_copy_is_under_its_name_when_it_is_whole() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::write(at("one"), "one").unwrap();
        // What was cut off before.
        fs::write(at(HALF), "on").unwrap();
        copy_whole(&at("one"), &at("two")).unwrap();
        assert_eq!(fs::read_to_string(at("two")).unwrap(), "one");
        assert!(!at(HALF).exists());
    }
}
