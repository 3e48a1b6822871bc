//! What the tests of every kind of target share: sets written and read as their makers do, and files beside them.

use kernel::Timestamp;
use recovery::{MANIFEST, SIGNATURE, SetName, Target};
use std::fs;
use std::io::{ErrorKind, Read, Result, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub(crate) fn set(number: u64) -> SetName {
    SetName::new(number, Timestamp::from_micros(1_790_000_000_000_000))
}

/// Begins a set and writes these files of it.
pub(crate) fn write(target: &dyn Target, set: &SetName, files: &[(&str, &[u8])]) {
    target.begin(set).unwrap();
    for (name, bytes) in files {
        let mut sink = target.part(set, name).unwrap();
        for block in bytes.chunks(100_000) {
            sink.write_all(block).unwrap();
        }
        sink.finish().unwrap();
    }
}

pub(crate) fn read(target: &dyn Target, set: &SetName, file: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    target.read(set, file)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file that only its owner can read.
pub(crate) fn secret(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Files beside the sets: whole, replaced, listed, gone.
pub(crate) fn loose(target: &dyn Target) {
    assert!(target.loose("stream").unwrap().is_empty());
    for text in ["first", "second, and longer"] {
        target.loose_keep("stream/segment-1", text.as_bytes()).unwrap();
        let mut found = String::new();
        target.loose_read("stream/segment-1").unwrap().read_to_string(&mut found).unwrap();
        assert_eq!(found, text);
    }
    assert_eq!(target.loose("stream").unwrap(), ["segment-1"]);
    assert_eq!(target.appliances().unwrap(), ["a-b"]);
    assert!(target.list().unwrap().is_empty(), "they are no sets");
    target.loose_remove("stream/segment-1").unwrap();
    target.loose_remove("stream/segment-1").unwrap();
    assert!(target.loose("stream").unwrap().is_empty());
}

/// What one process began, another finds and goes on with.
pub(crate) fn gone_on_with(target: &dyn Target, next: &dyn Target) {
    let set = set(3);
    assert!(target.halves().unwrap().is_empty());
    target.resume(&set).unwrap();
    write(target, &set, &[("database.tar.zst.age", b"finished"), ("log.tar.zst.age", b"ha")]);
    assert_eq!((next.list().unwrap(), next.halves().unwrap()), (vec![], vec![set.clone()]));
    next.resume(&set).unwrap();
    let mut kept = String::new();
    next.kept(&set, "database.tar.zst.age").unwrap().read_to_string(&mut kept).unwrap();
    assert_eq!(kept, "finished");
    assert!(next.kept(&set, "absent").is_err());
    for (name, bytes) in [("log.tar.zst.age", "half, and whole"), (MANIFEST, "m"), (SIGNATURE, "s")] {
        let mut sink = next.part(&set, name).unwrap();
        sink.write_all(bytes.as_bytes()).unwrap();
        sink.finish().unwrap();
    }
    next.publish(&set).unwrap();
    assert_eq!((next.list().unwrap(), next.halves().unwrap()), (vec![set.clone()], vec![]));
    for (name, bytes) in [("database.tar.zst.age", "finished"), ("log.tar.zst.age", "half, and whole")] {
        assert_eq!(read(next, &set, name).unwrap(), bytes.as_bytes(), "{name}");
    }
    assert_eq!(next.resume(&set).unwrap_err().kind(), ErrorKind::AlreadyExists);
}
