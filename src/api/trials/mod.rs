//! Tests of the server as a whole, in this process, and the helper for files that are compared with what code makes.

mod access;
mod administration;
mod attachments;
mod backups;
mod calendar;
mod desk;
mod events;
mod exports;
mod house;
mod imports;
mod openapi;
mod picks;
mod program;
mod records;
mod roles;
mod session;
mod site;
mod table;

use std::{env, fs, path::Path};

/// Compares a text with a file beside the sources; with `KONTOR_UPDATE=1` writes it instead. CI never writes.
pub(crate) fn golden(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let old = fs::read_to_string(&path).unwrap_or_default();
    if old == text {
        return;
    }
    let update = env::var_os("KONTOR_UPDATE").is_some() && env::var_os("CI").is_none();
    assert!(
        update,
        "{file} is not what the code makes; look at the difference, then run this test with KONTOR_UPDATE=1"
    );
    fs::write(&path, text).unwrap();
}
