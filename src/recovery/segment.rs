//! One segment of a stream: what was committed since the one before, sealed like a backup set, with a header in clear that
//! says where it belongs, chained by hash and signed by the appliance. Segments stand one after another in files.
//!
//! Header, big-endian, 120 bytes: `KSG1`, flags (bit 0: ends with a commit), three zeros, name of the stream (16), number of
//! the segment (8), moment in microseconds (8), commits so far (8), pages of the database (4), place in the write-ahead log
//! (20), SHA-256 of the segment before (32), term (8), length of what is sealed (4), the first bytes of SHA-256 over all this (4). Then what is sealed (age over zstd), then an
//! Ed25519 signature (64). The hash of a segment is SHA-256 over header and sealed bytes.
//!
//! Sealed: page size (4), pages (4), each number (4) and bytes; pieces of files (4), each id (16), offset (8), length of the
//! whole (8), length of the piece (4), bytes.

use crate::RecoveryError;
use crate::manifest::hex;
use audit::{Signer, VerifierKey, signature_fits};
use kernel::{RecordId, Timestamp};
use ring::digest;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use store::WalPlace;
use vault::{ArchiveIdentity, ArchiveRecipient, ArchiveSealer, archive_open};

const MAGIC: &[u8; 4] = b"KSG1";
/// Bytes of the header.
pub(crate) const HEADER_BYTES: usize = 120;
/// Bytes of it that its own check is over.
const CHECKED_BYTES: usize = 116;
/// Bytes of the signature.
pub(crate) const SIGNATURE_BYTES: usize = 64;
/// Sealed bytes of the largest segment that is read.
pub(crate) const SEALED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of the largest segment, opened: 4096 pages of the largest size would be more than it ever holds.
const OPENED_BYTES_MAX: u64 = 300 * 1024 * 1024;
const LEVEL: i32 = 1;
const BORDER: u8 = 1;

/// A SHA-256.
pub type SegmentHash = [u8; 32];

/// What a segment says of itself in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentHead {
    /// Whether the data are whole after it: it ends with a commit.
    pub border: bool,
    /// The random name of the stream.
    pub stream: [u8; 16],
    /// Its number; the first is 1.
    pub number: u64,
    /// Everything in it was committed by then.
    pub at: Timestamp,
    /// Commits of the stream so far.
    pub commits: u64,
    /// Pages of the database after it; 0 where it does not end with a commit.
    pub db_pages: u32,
    /// Where the write-ahead log went on.
    pub place: WalPlace,
    /// The hash of the segment before; zeros for the first.
    pub before: SegmentHash,
    /// The term of the node that wrote it.
    pub term: u64,
}

/// What a segment brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentBody {
    /// Bytes of a page.
    pub page_bytes: u32,
    /// Pages by number.
    pub pages: BTreeMap<u32, Vec<u8>>,
    /// Pieces of sealed files.
    pub pieces: Vec<FilePiece>,
}

/// A piece of a sealed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePiece {
    /// The file.
    pub id: RecordId,
    /// Where the piece begins.
    pub offset: u64,
    /// Bytes of the whole file.
    pub total: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A whole segment as it lies on a target: looked at, not opened.
#[derive(Clone, Debug)]
pub struct Segment {
    /// What it says of itself.
    pub head: SegmentHead,
    /// Its hash.
    pub hash: SegmentHash,
    sealed: Vec<u8>,
    signature: [u8; SIGNATURE_BYTES],
}

fn message(key_name: &str, hash: &SegmentHash) -> String {
    // Unlike every note, which begins with a line of its own: none passes for the other.
    format!("{key_name}\nsegment\n{}\n", hex(hash))
}

/// A cut segment and an altered one are two things; only the second has a header that does not fit itself.
fn check_of(header: &[u8]) -> [u8; 4] {
    let hash = digest::digest(&digest::SHA256, header);
    hash.as_ref().first_chunk::<4>().copied().unwrap_or_default()
}

fn hash_of(head: &[u8], sealed: &[u8]) -> SegmentHash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(head);
    context.update(sealed);
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

impl SegmentHead {
    fn to_bytes(&self, sealed: u32) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[u8::from(self.border) * BORDER, 0, 0, 0]);
        bytes.extend_from_slice(&self.stream);
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(&self.at.micros().to_be_bytes());
        bytes.extend_from_slice(&self.commits.to_be_bytes());
        bytes.extend_from_slice(&self.db_pages.to_be_bytes());
        bytes.extend_from_slice(&self.place.to_bytes());
        bytes.extend_from_slice(&self.before);
        bytes.extend_from_slice(&self.term.to_be_bytes());
        bytes.extend_from_slice(&sealed.to_be_bytes());
        let check = check_of(&bytes);
        bytes.extend_from_slice(&check);
        bytes
    }

    fn from_bytes(bytes: &[u8; HEADER_BYTES]) -> Option<(Self, usize)> {
        let (checked, check) = bytes.split_first_chunk::<CHECKED_BYTES>()?;
        if check != check_of(checked) {
            return None;
        }
        let mut rest = Cut(bytes);
        let flags = (rest.take::<4>()? == *MAGIC).then(|| rest.take::<4>())??;
        if !matches!(flags, [0 | BORDER, 0, 0, 0]) {
            return None;
        }
        let head = Self {
            border: flags == [BORDER, 0, 0, 0],
            stream: rest.take()?,
            number: rest.long()?,
            at: Timestamp::from_micros(i64::from_be_bytes(rest.take()?)),
            commits: rest.long()?,
            db_pages: rest.word()?,
            place: WalPlace::from_bytes(&rest.take()?),
            before: rest.take()?,
            term: rest.long()?,
        };
        let sealed = usize::try_from(rest.word()?).ok().filter(|length| *length <= SEALED_BYTES_MAX)?;
        Some((head, sealed))
    }
}

/// Bytes that are taken from the front.
struct Cut<'b>(&'b [u8]);

impl Cut<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }
    fn word(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }
    fn long(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }
    fn bytes(&mut self, length: u32) -> Option<Vec<u8>> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken.to_vec())
    }
}

impl SegmentBody {
    fn to_bytes(&self) -> Vec<u8> {
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&self.page_bytes.to_be_bytes());
        bytes.extend_from_slice(&count(self.pages.len()));
        for (number, page) in &self.pages {
            bytes.extend_from_slice(&number.to_be_bytes());
            bytes.extend_from_slice(page);
        }
        bytes.extend_from_slice(&count(self.pieces.len()));
        for piece in &self.pieces {
            bytes.extend_from_slice(piece.id.as_bytes());
            bytes.extend_from_slice(&piece.offset.to_be_bytes());
            bytes.extend_from_slice(&piece.total.to_be_bytes());
            bytes.extend_from_slice(&count(piece.bytes.len()));
            bytes.extend_from_slice(&piece.bytes);
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = Cut(bytes);
        let mut body = Self { page_bytes: rest.word()?, ..Self::default() };
        for _ in 0..rest.word()? {
            body.pages.insert(rest.word().filter(|number| *number > 0)?, rest.bytes(body.page_bytes)?);
        }
        for _ in 0..rest.word()? {
            let id = RecordId::from_bytes(rest.take()?);
            let (offset, total, length) = (rest.long()?, rest.long()?, rest.word()?);
            body.pieces.push(FilePiece { id, offset, total, bytes: rest.bytes(length)? });
        }
        rest.0.is_empty().then_some(body)
    }
}

/// Makes a segment: its bytes as they are kept, and its hash.
///
/// # Errors
/// [`RecoveryError::Key`] without recipients.
pub fn seal_segment(
    head: &SegmentHead,
    body: &SegmentBody,
    recipients: &[ArchiveRecipient],
    signer: &dyn Signer,
) -> Result<(Vec<u8>, SegmentHash), RecoveryError> {
    let failed = || RecoveryError::target(format!("sealing segment {}", head.number));
    let mut small = zstd::Encoder::new(ArchiveSealer::new(recipients, Vec::new())?, LEVEL).map_err(failed())?;
    small.write_all(&body.to_bytes()).map_err(failed())?;
    let sealed = small.finish().and_then(ArchiveSealer::finish).map_err(failed())?;
    let length = u32::try_from(sealed.len()).ok().filter(|length| *length as usize <= SEALED_BYTES_MAX);
    let length = length.ok_or_else(|| RecoveryError::Refused(format!("segment {} is too large", head.number)))?;
    let mut bytes = head.to_bytes(length);
    let hash = hash_of(&bytes, &sealed);
    bytes.extend_from_slice(&sealed);
    bytes.extend_from_slice(&signer.sign(message(signer.name(), &hash).as_bytes()));
    Ok((bytes, hash))
}

impl Segment {
    /// The next segment of a file, or what is there instead.
    ///
    /// # Errors
    /// What the source says.
    pub(crate) fn next(from: &mut impl Read) -> io::Result<Found> {
        let mut header = [0; HEADER_BYTES];
        match filled(from, &mut header)? {
            0 => return Ok(Found::End),
            HEADER_BYTES => {}
            _ => return Ok(Found::Cut),
        }
        let Some((head, length)) = SegmentHead::from_bytes(&header) else {
            // A disk that lost its power may leave zeros where nothing was said to be written.
            return Ok(if header == [0; HEADER_BYTES] { Found::Cut } else { Found::Altered });
        };
        let (mut sealed, mut signature) = (vec![0; length], [0; SIGNATURE_BYTES]);
        if filled(from, &mut sealed)? < length || filled(from, &mut signature)? < SIGNATURE_BYTES {
            return Ok(Found::Cut);
        }
        let hash = hash_of(&header, &sealed);
        Ok(Found::Segment(Box::new(Self { head, hash, sealed, signature })))
    }

    /// Its bytes, as they were kept.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.head.to_bytes(u32::try_from(self.sealed.len()).unwrap_or(u32::MAX));
        bytes.extend_from_slice(&self.sealed);
        bytes.extend_from_slice(&self.signature);
        bytes
    }

    /// Whether the appliance with this key wrote it.
    pub fn is_signed_by(&self, key: &VerifierKey) -> bool {
        signature_fits(key, message(key.name(), &self.hash).as_bytes(), &self.signature)
    }

    /// What it brings.
    ///
    /// # Errors
    /// [`RecoveryError::Key`] when this key is none of its recipients; [`RecoveryError::Damaged`].
    pub fn open(&self, identity: &ArchiveIdentity) -> Result<SegmentBody, RecoveryError> {
        let damaged = |what: String| RecoveryError::Damaged(format!("segment {}: {what}", self.head.number));
        let opened = archive_open(identity, self.sealed.as_slice()).map_err(|error| match error {
            vault::VaultError::ArchiveFailed(why) => damaged(why),
            other => other.into(),
        })?;
        let mut bytes = Vec::new();
        let large = zstd::Decoder::new(opened).map_err(|error| damaged(error.to_string()))?;
        large.take(OPENED_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| damaged(error.to_string()))?;
        SegmentBody::from_bytes(&bytes).ok_or_else(|| damaged("it does not hold what it should".to_owned()))
    }
}

/// Reads this much, or what there is; how much that was.
fn filled(from: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// What lies at a place of a file.
pub(crate) enum Found {
    /// A whole segment. Whether it belongs there is another question.
    Segment(Box<Segment>),
    /// Nothing: the file ends here.
    End,
    /// The beginning of a segment: its writer was interrupted, or is just writing it, or somebody cut the file.
    Cut,
    /// Something that nobody wrote so.
    Altered,
}
