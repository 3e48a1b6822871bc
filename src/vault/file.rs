//! Files at rest: sealed in chunks, so that neither side ever holds a whole file, and read in order.
//!
//! `0xC4 version · 0x01 suite · class · number u32 · salt 32 · commitment 32`, then chunks of 16 KiB (the last one shorter,
//! perhaps empty), each with its tag of 16 bytes. `number` is the generation of the subject's key; of the appliance's own files
//! (class 0) the epoch of the root key. Each file has a key of its own: HKDF-Expand(DEK or CS, "kontor-file-v1" ‖ object ‖
//! record ‖ subject ‖ file ‖ salt), from it by HKDF-Expand the chunk key ("chunk") and the commitment ("commitment"), so no
//! other key opens the file even by construction. Nonce: three zeros, the last-flag, the number of the chunk as 64 bits.
//! Associated data: `"kontor-file-v1"`, appliance, object, record, subject, file, header, number of the chunk, last-flag. A file
//! that was cut, lengthened, reordered, mixed with another or put elsewhere does not open.
//!
//! It never reads a file itself, and hands out no byte of a chunk whose tag does not fit.

use crate::{
    ApplianceId, Class, VaultError,
    field::{HEADER_LEN, SUITE},
    place::Name,
    primitives::{self, KEY_LEN, Key, NONCE_LEN, TAG_LEN, put},
};
use authz::{Grant, Read};
use kernel::{Random, RecordId};
use metadata::ObjectDef;
use zeroize::Zeroizing;

const VERSION: u8 = 0xC4;
const SALT_LEN: usize = 32;
const LABEL: &[u8] = b"kontor-file-v1";
/// Bytes of the header of a sealed file.
pub const FILE_HEADER_LEN: usize = HEADER_LEN + SALT_LEN + KEY_LEN;
/// Bytes of one chunk before it is sealed; all but the last have exactly so many.
pub const FILE_CHUNK_LEN: usize = 16 * 1024;
/// Bytes of one chunk after it was sealed; the last may have fewer.
pub const FILE_SEALED_CHUNK_LEN: usize = FILE_CHUNK_LEN + TAG_LEN;

/// Bytes of the sealed form of a file with this many bytes.
pub fn file_sealed_len(plain: u64) -> u64 {
    let (chunk, tag) = (FILE_CHUNK_LEN as u64, TAG_LEN as u64);
    // A file of whole chunks ends with a whole one; only an empty file has an empty chunk.
    let chunks = plain.div_ceil(chunk).max(1);
    FILE_HEADER_LEN as u64 + plain + chunks * tag
}

/// Where a file of a record belongs: object, record, data subject and the file's own id.
#[derive(Clone, Copy)]
pub struct FilePlace {
    object: Name,
    record: RecordId,
    pub(crate) subject: RecordId,
    file: [u8; 16],
}

impl FilePlace {
    /// The place of the file with this id.
    pub fn of(object: &ObjectDef, record: RecordId, subject: RecordId, file: RecordId) -> Result<Self, VaultError> {
        let object = Name::new(&object.name).ok_or(VaultError::NotSealedField)?;
        Ok(Self { object, record, subject, file: *file.as_bytes() })
    }
    /// The place of a file of the appliance itself, such as one that waits to be imported.
    pub(crate) fn internal(label: &str, file: RecordId) -> Result<Self, VaultError> {
        let object = Name::new(label).ok_or(VaultError::NotSealedField)?;
        Ok(Self { object, record: file, subject: file, file: *file.as_bytes() })
    }
    /// An error unless the grant is for this record and shows its files.
    pub(crate) fn check(&self, grant: &Grant<'_, Read>) -> Result<(), VaultError> {
        let reaches = grant.record() == self.record && grant.object() == self.object.as_str();
        if reaches && grant.levels().files() >= authz::Level::Read { Ok(()) } else { Err(VaultError::NotGranted) }
    }
}

/// Which key a sealed file names.
pub(crate) struct FileHeader {
    bytes: [u8; FILE_HEADER_LEN],
    /// None for files of the appliance itself.
    pub(crate) class: Option<Class>,
    pub(crate) number: u32,
}

impl FileHeader {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, VaultError> {
        let bytes: [u8; FILE_HEADER_LEN] = bytes.try_into().map_err(|_| VaultError::CiphertextMalformed)?;
        let [version, suite, class, n0, n1, n2, n3, ..] = bytes;
        if version != VERSION {
            return Err(VaultError::VersionUnknown(version));
        }
        if suite != SUITE {
            return Err(VaultError::SuiteUnknown(suite));
        }
        let class = match class {
            0 => None,
            number => Some(Class::from_number(number).ok_or(VaultError::CiphertextMalformed)?),
        };
        Ok(Self { bytes, class, number: u32::from_be_bytes([n0, n1, n2, n3]) })
    }
    fn salt(&self) -> &[u8] {
        self.bytes.get(HEADER_LEN..HEADER_LEN + SALT_LEN).unwrap_or_default()
    }
    fn commitment(&self) -> &[u8] {
        self.bytes.get(HEADER_LEN + SALT_LEN..).unwrap_or_default()
    }
}

/// The key of one file and what its chunks are bound to. Wiped when dropped.
struct FileKey {
    chunk: Key,
    bound: Vec<u8>,
    number: u64,
    ended: bool,
}

/// The chunk key and the commitment of a file.
fn derive(root: &Key, place: &FilePlace, salt: &[u8]) -> Result<(Key, Key), VaultError> {
    let info = [LABEL, place.object.as_bytes(), place.record.as_bytes(), place.subject.as_bytes(), &place.file, salt];
    let file = primitives::expand(root, info)?;
    Ok((primitives::expand(&file, [b"chunk"])?, primitives::expand(&file, [b"commitment"])?))
}

impl FileKey {
    fn new(appliance: &ApplianceId, place: &FilePlace, header: &[u8; FILE_HEADER_LEN], chunk: Key) -> Self {
        let mut bound = Vec::with_capacity(320);
        put(&mut bound, LABEL);
        put(&mut bound, appliance.as_bytes());
        put(&mut bound, place.object.as_bytes());
        put(&mut bound, place.record.as_bytes());
        put(&mut bound, place.subject.as_bytes());
        put(&mut bound, &place.file);
        put(&mut bound, header);
        Self { chunk, bound, number: 0, ended: false }
    }

    /// Nonce and associated data of the next chunk. After the last there is none.
    fn next(&mut self, last: bool) -> Result<([u8; NONCE_LEN], Vec<u8>), VaultError> {
        if self.ended {
            return Err(VaultError::CiphertextMalformed);
        }
        let number = self.number.to_be_bytes();
        let mut nonce = [0u8; NONCE_LEN];
        for (place, byte) in nonce.iter_mut().skip(3).zip(std::iter::once(u8::from(last)).chain(number)) {
            *place = byte;
        }
        let mut aad = self.bound.clone();
        put(&mut aad, &number);
        put(&mut aad, &[u8::from(last)]);
        self.number = self.number.checked_add(1).ok_or(VaultError::CiphertextMalformed)?;
        self.ended = last;
        Ok((nonce, aad))
    }
}

/// Seals one file, chunk by chunk.
pub struct FileSealer {
    key: FileKey,
    header: [u8; FILE_HEADER_LEN],
}

impl FileSealer {
    pub(crate) fn new(
        appliance: &ApplianceId,
        place: &FilePlace,
        (class, number, root): (Option<Class>, u32, &Key),
        random: &dyn Random,
    ) -> Result<Self, VaultError> {
        let mut salt = [0u8; SALT_LEN];
        random.fill(&mut salt);
        let (chunk, commitment) = derive(root, place, &salt)?;
        let start = [VERSION, SUITE, class.map_or(0, Class::number)].into_iter().chain(number.to_be_bytes());
        let mut header = [0u8; FILE_HEADER_LEN];
        for (place, byte) in header.iter_mut().zip(start.chain(salt).chain(*commitment.bytes())) {
            *place = byte;
        }
        Ok(Self { key: FileKey::new(appliance, place, &header, chunk), header })
    }
    /// The first bytes of the sealed file.
    pub fn header(&self) -> &[u8] {
        &self.header
    }
    /// Seals a chunk where it lies and appends its tag. All but the last have [`FILE_CHUNK_LEN`] bytes.
    ///
    /// # Errors
    /// [`VaultError::CiphertextMalformed`] for a chunk of the wrong size, or after the last one.
    pub fn seal(&mut self, chunk: &mut Vec<u8>, last: bool) -> Result<(), VaultError> {
        if chunk.len() > FILE_CHUNK_LEN || (!last && chunk.len() != FILE_CHUNK_LEN) {
            return Err(VaultError::CiphertextMalformed);
        }
        let (nonce, aad) = self.key.next(last)?;
        let tag = primitives::gcm_seal(self.key.chunk.bytes(), nonce, &aad, chunk)?;
        chunk.extend_from_slice(&tag);
        Ok(())
    }
}

/// Opens one file, chunk by chunk, in order.
pub struct FileOpener {
    key: FileKey,
}

impl FileOpener {
    pub(crate) fn new(
        appliance: &ApplianceId,
        place: &FilePlace,
        header: &FileHeader,
        root: &Key,
    ) -> Result<Self, VaultError> {
        let (chunk, commitment) = derive(root, place, header.salt())?;
        // Neither side is a secret of the caller's: the commitment lies in the file.
        if commitment.bytes().as_slice() != header.commitment() {
            return Err(VaultError::CiphertextRefused);
        }
        Ok(Self { key: FileKey::new(appliance, place, &header.bytes, chunk) })
    }
    /// Opens the next chunk. `last` is whether nothing follows it in the file.
    ///
    /// # Errors
    /// [`VaultError::CiphertextRefused`] when it is not the chunk that belongs here.
    pub fn open(&mut self, sealed: &[u8], last: bool) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        if sealed.len() > FILE_SEALED_CHUNK_LEN || (!last && sealed.len() != FILE_SEALED_CHUNK_LEN) {
            return Err(VaultError::CiphertextMalformed);
        }
        let (nonce, aad) = self.key.next(last)?;
        let mut body = Zeroizing::new(sealed.to_vec());
        let length = primitives::gcm_open(self.key.chunk.bytes(), nonce, &aad, &mut body)
            .ok_or(VaultError::CiphertextRefused)?;
        body.truncate(length);
        Ok(body)
    }
}
