//! Whether the nodes of an appliance see one and the same folder of files: a random word lies in the folder and in the
//! database. A mount that is missing, or another folder under the same path, is noticed before a file is written into it.

use crate::definitions::{meta, set_meta};
use crate::{Store, StoreError};
use kernel::{AnyKind, Code, Fault, Id};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// The file with the word.
const MARK: &str = "kontor-files";
/// Where the database has it.
pub(crate) const FILES_MARK: &str = "files_mark";
/// Bytes of it that are read.
const MARK_BYTES_MAX: u64 = 100;

fn failed(folder: &Path, error: &io::Error) -> Fault {
    Fault::new(Code::ConfigInvalid, format!("The folder of files {} cannot be used: {error}.", folder.display()))
}

fn read(folder: &Path) -> io::Result<Option<String>> {
    let mut text = String::new();
    match File::open(folder.join(MARK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?.take(MARK_BYTES_MAX).read_to_string(&mut text)?,
    };
    Ok(Some(text.trim().to_owned()))
}

fn write(folder: &Path, mark: &str) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(MARK))?;
    writeln!(file, "{mark}")?;
    file.sync_all()?;
    fs::File::open(folder)?.sync_all()
}

impl Store {
    /// Refuses a folder of files that is not the one of the other nodes. The first node marks its own.
    ///
    /// # Errors
    /// `config_invalid`, and then nothing was written.
    pub fn files_agree(&self) -> Result<(), Fault> {
        if !self.is_shared() {
            return Ok(());
        }
        let folder = self.config().files_folder.clone();
        let known = self.read(|tx| meta(tx.conn, FILES_MARK)).wait()?;
        let found = read(&folder).map_err(|error| failed(&folder, &error))?;
        let mark = match (&known, found) {
            (Some(known), Some(found)) if *known == found => return Ok(()),
            (Some(_), _) => return Err(other_folder(&folder)),
            (None, Some(found)) => found,
            (None, None) => {
                let mark = Id::<AnyKind>::generate(self.clock().as_ref(), self.random().as_ref()).to_string();
                write(&folder, &mark).map_err(|error| failed(&folder, &error))?;
                mark
            }
        };
        let kept = self.write(move |tx| {
            // Another node may have been first.
            let known = meta(tx.conn(), FILES_MARK)?;
            if known.is_none() {
                set_meta(tx.conn(), FILES_MARK, &mark)?;
            }
            Ok(known.is_none_or(|known| known == mark))
        });
        if kept.wait()? { Ok(()) } else { Err(other_folder(&folder)) }
    }
}

fn other_folder(folder: &Path) -> Fault {
    let detail = format!(
        "The folder of files {} is not the one that the nodes of this appliance use, or it is not mounted.",
        folder.display()
    );
    Fault::new(Code::ConfigInvalid, detail)
}

/// Which folder its nodes use means nothing in a copy.
pub(crate) fn forget_folder(conn: &mut crate::engine::Conn) -> Result<(), StoreError> {
    conn.batch("DELETE FROM \"k_meta\" WHERE \"key\" = 'files_mark'")
}
