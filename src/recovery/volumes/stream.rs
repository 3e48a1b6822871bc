//! The stream that is cut: the files of a set as one tar archive, of which any piece can be read without the rest. So a volume
//! is made by itself, again if need be, and `cat` and `tar` put all of them together.

use super::Member;
use crate::RecoveryError;
use kernel::Timestamp;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What tar counts in.
const TAR_BLOCK: u64 = 512;
/// The end of an archive: two empty blocks.
const END: u64 = 2 * TAR_BLOCK;

/// Where each file lies in the stream.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Header, its place, and the length of the file that follows it.
    places: Vec<(Vec<u8>, u64, u64)>,
    bytes: u64,
}

impl Layout {
    /// Of these files below a folder of the set's name.
    pub(crate) fn new(set: &str, members: &[Member], at: Timestamp) -> Result<Self, RecoveryError> {
        let mut places = Vec::with_capacity(members.len());
        let mut next = 0u64;
        for member in members {
            let mut header = tar::Header::new_gnu();
            let path = format!("{set}/{}", member.name);
            header.set_path(&path).map_err(RecoveryError::target(format!("naming {path}")))?;
            header.set_size(member.bytes);
            header.set_mode(0o600);
            header.set_mtime(u64::try_from(at.micros() / 1_000_000).unwrap_or(0));
            header.set_entry_type(tar::EntryType::Regular);
            header.set_cksum();
            places.push((header.as_bytes().to_vec(), next, member.bytes));
            next = next
                .saturating_add(TAR_BLOCK)
                .saturating_add(member.bytes.div_ceil(TAR_BLOCK).saturating_mul(TAR_BLOCK));
        }
        Ok(Self { places, bytes: next.saturating_add(END) })
    }

    /// Bytes of the stream.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where the bytes of a file begin, by its place among the files, and how many there are.
    pub(crate) fn file(&self, at: usize) -> Option<(u64, u64)> {
        self.places.get(at).map(|(_, from, length)| (from + TAR_BLOCK, *length))
    }
}

/// The stream of a set that lies in a folder.
pub(crate) struct Stream {
    layout: Layout,
    files: Vec<File>,
}

impl Stream {
    /// Opens the files of a set. One that has not the length it should have is damaged.
    pub(crate) fn open(folder: &Path, members: &[Member], layout: Layout) -> Result<Self, RecoveryError> {
        let mut files = Vec::with_capacity(members.len());
        for member in members {
            let failed = || format!("opening {}", member.name);
            let file = File::open(folder.join(&member.name)).map_err(RecoveryError::target(failed()))?;
            let bytes = file.metadata().map_err(RecoveryError::target(failed()))?.len();
            if bytes != member.bytes {
                return Err(RecoveryError::Damaged(format!(
                    "{} has {bytes} bytes and should have {}",
                    member.name, member.bytes
                )));
            }
            files.push(file);
        }
        Ok(Self { layout, files })
    }

    /// Fills a buffer from a place of the stream; what lies behind its end is empty.
    pub(crate) fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        buffer.fill(0);
        let end = at.saturating_add(buffer.len() as u64);
        for ((header, from, length), file) in self.layout.places.iter().zip(&self.files) {
            copy(header, *from, buffer, at);
            let (from, to) = (from + TAR_BLOCK, from + TAR_BLOCK + length);
            let (first, last) = (from.max(at), to.min(end));
            if first < last {
                let piece = piece(buffer, first - at, last - first);
                file.read_exact_at(piece, first - from)?;
            }
        }
        Ok(())
    }
}

/// A piece of a buffer; nothing where it does not lie inside.
fn piece(buffer: &mut [u8], from: u64, length: u64) -> &mut [u8] {
    let bounds = usize::try_from(from).ok().zip(usize::try_from(from.saturating_add(length)).ok());
    bounds.and_then(|(from, to)| buffer.get_mut(from..to)).unwrap_or_default()
}

/// Copies what of `bytes`, which lie at `from` in the stream, falls into a buffer at `at`.
fn copy(bytes: &[u8], from: u64, buffer: &mut [u8], at: u64) {
    let (first, last) = (from.max(at), (from + bytes.len() as u64).min(at.saturating_add(buffer.len() as u64)));
    if first >= last {
        return;
    }
    let wanted = usize::try_from(first - from).ok().zip(usize::try_from(last - from).ok());
    let source = wanted.and_then(|(from, to)| bytes.get(from..to)).unwrap_or_default();
    let into = piece(buffer, first - at, last - first);
    if into.len() == source.len() {
        into.copy_from_slice(source);
    }
}
