//! Credentials from files that only their owner can read. Read when they are used, never kept, never part of an error.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of the largest file of credentials: a private key of SSH with its comment.
const BYTES_MAX: u64 = 16 * 1024;

fn refuse(path: &Path, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, format!("{}: {what}", path.display()))
}

/// The text of a private file.
pub(crate) fn private_text(path: &Path) -> io::Result<Zeroizing<String>> {
    let file =
        File::open(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    let found = file.metadata()?;
    if found.is_file() && found.permissions().mode() & 0o077 != 0 {
        return Err(refuse(path, "it can be read by others: run chmod 600 on it"));
    }
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(BYTES_MAX).unwrap_or_default()));
    file.take(BYTES_MAX).read_to_string(&mut text).map_err(|error| refuse(path, &error.to_string()))?;
    Ok(text)
}

/// The lines of a private file that are neither empty nor comments.
pub(crate) fn private_lines(path: &Path, count: usize) -> io::Result<Vec<Zeroizing<String>>> {
    let text = private_text(path)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let lines: Vec<Zeroizing<String>> = lines.map(|line| Zeroizing::new(line.to_owned())).collect();
    if lines.len() == count {
        return Ok(lines);
    }
    Err(refuse(path, &format!("it should have {count} lines, and has {}", lines.len())))
}
