//! Files that are put down for others: sealed with age as one archive, or plain in a folder, with their sums, under a name that
//! nobody mistakes for a whole one until all of it is on disk. Dropped before its end, nothing of it is left.

use crate::archive::{BLOCK, Packer, SUFFIX};
use crate::manifest::hex;
use crate::{Pace, Progress, RecoveryError};
use kernel::{Clock, Timestamp};
use ring::digest;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use vault::ArchiveRecipient;

/// What the folder is called before it is whole.
const HALF: &str = "part";
/// The list of sums, for `sha256sum -c`.
const SUMS: &str = "SHA256SUMS";

/// Files on their way into a folder.
pub struct Parcel<'p> {
    half: PathBuf,
    place: PathBuf,
    packer: Option<Packer<File>>,
    pace: Pace<'p>,
    sums: String,
    files: u64,
    done: bool,
}

impl<'p> Parcel<'p> {
    /// Into a folder that does not exist yet; sealed for these recipients, or plain without any. `stem` names the archive.
    ///
    /// # Errors
    /// [`RecoveryError::Refused`] when there is something at `place`.
    pub fn begin(
        place: &Path,
        stem: &str,
        recipients: &[ArchiveRecipient],
        at: Timestamp,
        (progress, clock): (&'p Progress, &'p dyn Clock),
    ) -> Result<Self, RecoveryError> {
        let taken =
            |path: &Path| RecoveryError::Refused(format!("{} is there already; name a new folder", path.display()));
        if place.exists() {
            return Err(taken(place));
        }
        let mut name = place.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(HALF);
        let half = place.with_file_name(name);
        fs::DirBuilder::new().mode(0o700).create(&half).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => taken(&half),
            _ => RecoveryError::target(format!("making {}", half.display()))(error),
        })?;
        let pace = Pace::begin(progress, None, clock);
        let mut parcel =
            Self { half, place: place.to_owned(), packer: None, pace, sums: String::new(), files: 0, done: false };
        if !recipients.is_empty() {
            let name = format!("{stem}{SUFFIX}");
            let file = create(&parcel.half.join(&name))?;
            let mtime = u64::try_from(at.micros() / 1_000_000).unwrap_or(0);
            parcel.packer = Some(Packer::begin(&name, file, recipients, mtime)?);
        }
        Ok(parcel)
    }

    /// Puts one file of this length in.
    ///
    /// # Errors
    /// [`RecoveryError::Damaged`] when it is shorter; [`RecoveryError::Target`] when the disk refuses.
    pub fn file(&mut self, path: &str, bytes: u64, from: &mut dyn Read) -> Result<(), RecoveryError> {
        let mut counted = Counted { from: from.take(bytes), digest: digest::Context::new(&digest::SHA256), bytes: 0 };
        match &mut self.packer {
            Some(packer) => packer.file(path, bytes, &mut counted, &mut self.pace)?,
            None => {
                let whole = self.half.join(path);
                let made = whole
                    .parent()
                    .map_or(Ok(()), |folder| fs::DirBuilder::new().recursive(true).mode(0o700).create(folder));
                made.map_err(RecoveryError::target(format!("making {path}")))?;
                let mut file = BufWriter::with_capacity(BLOCK, create(&whole)?);
                let written = io::copy(&mut counted, &mut file).and_then(|_| file.flush());
                written.map_err(RecoveryError::target(format!("writing {path}")))?;
            }
        }
        if counted.bytes != bytes {
            return Err(RecoveryError::Damaged(format!("{path} has {} bytes and should have {bytes}", counted.bytes)));
        }
        self.sums.push_str(&format!("{}  {path}\n", hex(counted.digest.finish().as_ref())));
        self.files += 1;
        Ok(())
    }

    /// Puts the sums of all files in, and `beside` in clear beside the archive, and gives the folder its name; how many files.
    ///
    /// # Errors
    /// [`RecoveryError::Target`] when the disk refuses.
    pub fn end(mut self, beside: &[(&str, &[u8])]) -> Result<u64, RecoveryError> {
        let sums = std::mem::take(&mut self.sums);
        self.file(SUMS, sums.len() as u64, &mut sums.as_bytes())?;
        let mut outside = String::new();
        if let Some(packer) = self.packer.take() {
            let part = packer.end()?;
            outside.push_str(&format!("{}  {}\n", part.sha256, part.name));
        }
        for (name, bytes) in beside {
            let sum = hex(digest::digest(&digest::SHA256, bytes).as_ref());
            outside.push_str(&format!("{sum}  {name}\n"));
            self.small(name, bytes)?;
        }
        // In a plain folder the list of sums is there already.
        if !self.half.join(SUMS).exists() {
            self.small(SUMS, outside.as_bytes())?;
        }
        let failed = || format!("putting the folder at {}", self.place.display());
        let folder = File::open(&self.half).map_err(RecoveryError::target(failed()))?;
        rustix::fs::syncfs(&folder).map_err(|error| RecoveryError::target(failed())(error.into()))?;
        fs::rename(&self.half, &self.place).map_err(RecoveryError::target(failed()))?;
        let above = self.place.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(above).and_then(|above| above.sync_all()).map_err(RecoveryError::target(failed()))?;
        self.done = true;
        Ok(self.files)
    }

    fn small(&self, name: &str, bytes: &[u8]) -> Result<(), RecoveryError> {
        let written = create(&self.half.join(name))?.write_all(bytes);
        written.map_err(RecoveryError::target(format!("writing {name}")))
    }
}

impl Drop for Parcel<'_> {
    fn drop(&mut self) {
        if !self.done {
            // What cannot be taken away has a name that says what it is.
            let _ = fs::remove_dir_all(&self.half);
        }
    }
}

fn create(path: &Path) -> Result<File, RecoveryError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(RecoveryError::target(format!("making {}", path.display())))
}

/// A source whose bytes are counted and hashed as they go by.
struct Counted<R> {
    from: R,
    digest: digest::Context,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.digest.update(buffer.get(..read).unwrap_or_default());
        self.bytes += read as u64;
        Ok(read)
    }
}
