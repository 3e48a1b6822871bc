//! One packed file of a set on its way out and in: tar, made small with zstd, sealed with age. On its way out its SHA-256 and
//! length are taken over what is written; on its way in nothing is believed that age has not checked.

use crate::manifest::{PartFile, hex};
use crate::{Pace, RecoveryError};
use ring::digest;
use std::io::{self, BufReader, Read, Write};
use std::path::{Component, Path};
use vault::{ArchiveIdentity, ArchiveRecipient, ArchiveSealer, archive_open};

/// What every packed file ends with.
pub(crate) const SUFFIX: &str = ".tar.zst.age";
/// How hard zstd tries: its own default, quicker than the disks it writes to.
const LEVEL: i32 = 3;
/// Bytes moved at a time.
pub(crate) const BLOCK: usize = 256 * 1024;

/// Takes hash and length of what goes through.
pub(crate) struct Measured<W> {
    inner: W,
    digest: digest::Context,
    bytes: u64,
}

impl<W: Write> Measured<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, digest: digest::Context::new(&digest::SHA256), bytes: 0 }
    }
    pub(crate) fn end(self) -> (W, u64, String) {
        (self.inner, self.bytes, hex(self.digest.finish().as_ref()))
    }
}

impl<W: Write> Write for Measured<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

type Chain<W> = zstd::Encoder<'static, ArchiveSealer<Measured<io::BufWriter<W>>>>;

/// A packed file that is being written.
pub(crate) struct Packer<W: Write> {
    name: String,
    tar: tar::Builder<Chain<W>>,
    mtime: u64,
    holds_bytes: u64,
    holds_files: u64,
}

impl<W: Write> Packer<W> {
    /// Begins it. `mtime`, in seconds, is the moment of the set: whatever is packed bears it.
    pub(crate) fn begin(
        name: &str,
        out: W,
        recipients: &[ArchiveRecipient],
        mtime: u64,
    ) -> Result<Self, RecoveryError> {
        let sealer = ArchiveSealer::new(recipients, Measured::new(io::BufWriter::with_capacity(BLOCK, out)))?;
        let small = zstd::Encoder::new(sealer, LEVEL).map_err(RecoveryError::target(format!("beginning {name}")))?;
        let name = name.to_owned();
        Ok(Self { name, tar: tar::Builder::new(small), mtime, holds_bytes: 0, holds_files: 0 })
    }

    /// Packs one file of this length.
    pub(crate) fn file(
        &mut self,
        path: &str,
        bytes: u64,
        from: impl Read,
        pace: &mut Pace<'_>,
    ) -> Result<(), RecoveryError> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_mtime(self.mtime);
        header.set_entry_type(tar::EntryType::Regular);
        let mut paced = Paced { from, pace, refused: None };
        let packed = self.tar.append_data(&mut header, path, (&mut paced).take(bytes));
        if let Some(refused) = paced.refused {
            return Err(refused);
        }
        packed.map_err(RecoveryError::target(format!("packing {path} into {}", self.name)))?;
        self.holds_bytes += bytes;
        self.holds_files += 1;
        Ok(())
    }

    /// Ends it; what the manifest says of it.
    pub(crate) fn end(self) -> Result<PartFile, RecoveryError> {
        let ended = || format!("ending {}", self.name);
        let small = self.tar.into_inner().map_err(RecoveryError::target(ended()))?;
        let sealer = small.finish().map_err(RecoveryError::target(ended()))?;
        let (buffer, bytes, sha256) = sealer.finish().map_err(RecoveryError::target(ended()))?.end();
        buffer.into_inner().map_err(|error| RecoveryError::target(ended())(error.into_error()))?;
        let (holds_bytes, holds_files) = (self.holds_bytes, self.holds_files);
        Ok(PartFile { name: self.name, bytes, sha256, holds_bytes, holds_files })
    }
}

/// A source that counts, waits and stops.
struct Paced<'a, 'p, R> {
    from: R,
    pace: &'a mut Pace<'p>,
    refused: Option<RecoveryError>,
}

impl<R: Read> Read for &mut Paced<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        if let Err(refused) = self.pace.moved(read as u64) {
            self.refused = Some(refused);
            return Err(io::Error::other("stopped"));
        }
        Ok(read)
    }
}

/// Unpacks into a folder; how many files and bytes came. A path that would lead out of the folder is refused, and so is
/// anything that is no plain file.
pub(crate) fn unpack(
    name: &str,
    from: impl Read,
    identity: &ArchiveIdentity,
    into: &Path,
) -> Result<(u64, u64), RecoveryError> {
    let opened = archive_open(identity, BufReader::with_capacity(BLOCK, from)).map_err(|error| match error {
        vault::VaultError::ArchiveFailed(why) => RecoveryError::Damaged(format!("{name}: {why}")),
        other => other.into(),
    })?;
    let damaged = |error: io::Error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::PermissionDenied => {
            RecoveryError::target(format!("unpacking {name}"))(error)
        }
        _ => RecoveryError::Damaged(format!("{name}: {error}")),
    };
    let large = zstd::Decoder::new(opened).map_err(damaged)?;
    let mut tar = tar::Archive::new(large);
    let (mut files, mut bytes) = (0, 0);
    for entry in tar.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let path = entry.path().map_err(damaged)?.into_owned();
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        if !plain || entry.header().entry_type() != tar::EntryType::Regular {
            return Err(RecoveryError::Damaged(format!("{name} holds something that is no plain file")));
        }
        bytes += keep(&mut entry, &into.join(&path)).map_err(damaged)?;
        files += 1;
    }
    // What follows the end of the archive has to open, too, else a cut file would pass.
    let mut rest = tar.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(damaged)?;
    Ok((files, bytes))
}

fn keep(from: &mut impl Read, path: &Path) -> io::Result<u64> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    io::copy(from, &mut file)
}
