//! A set on off-line media: cut into volumes of a fixed size, with parity so that some may be lost, each verified by itself and
//! by public tools, and put together again without a copy in between. Cutting needs no key of the set: what is sealed stays so.

mod cut;
mod export;
mod found;
mod rebuild;
mod stream;
mod words;

pub use cut::{Cut, Part};
pub use export::{VolumeJob, Written, export_volume};
pub use found::{Finding, Volumes, VolumesTarget};
pub use words::Label;

use crate::RecoveryError;
use crate::manifest::{hex, note_text};
use audit::{Signer, VerifierKey, open_note, sign_note};
use kernel::Timestamp;
use ring::digest;
use serde::{Deserialize, Serialize};

/// The format that this version writes and reads.
const FORMAT: &str = "kontor-volume-1";
/// How the parity is made: Reed-Solomon over GF(2^16), additive FFT after Lin, Chung and Han (Leopard), stripe by stripe.
const CODE: &str = "leopard-gf16";
const MANIFEST: &str = "volume.json";
const SIGNATURE: &str = "volume.sig";
const SUMS: &str = "SHA256SUMS";
/// Bytes of the largest description of a volume that is read.
const MANIFEST_BYTES_MAX: u64 = 1024 * 1024;
/// Bytes moved at a time.
const BLOCK: usize = 1024 * 1024;

/// A file of the set, and its place in the stream that is cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    name: String,
    bytes: u64,
}

/// What a volume says of itself. All but number, kind and hash is the same on each of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VolumeFile {
    format: String,
    code: String,
    appliance: String,
    set: String,
    made_at: Timestamp,
    cut: Cut,
    members: Vec<Member>,
    number: u32,
    of: u32,
    bytes: u64,
    sha256: String,
}

impl VolumeFile {
    /// Its text and the note that signs it.
    fn signed(&self, signer: &dyn Signer) -> Result<(Vec<u8>, String), RecoveryError> {
        let text = serde_json::to_vec_pretty(self).map(|mut text| {
            text.push(b'\n');
            text
        });
        let text = text.map_err(|error| RecoveryError::Damaged(error.to_string()))?;
        let note = sign_note(&note_text(&self.appliance, "volume", &text), signer);
        Ok((text, note.map_err(|error| RecoveryError::Key(error.to_string()))?))
    }

    /// Reads one; with a key only one that it signed.
    fn open(text: &[u8], note: &[u8], key: &VerifierKey) -> Result<Self, String> {
        let file: Self = serde_json::from_slice(text).map_err(|error| format!("{MANIFEST}: {error}"))?;
        let signed = open_note(note, key).map_err(|error| format!("{SIGNATURE}: {error}"))?;
        if signed != note_text(&file.appliance, "volume", text) {
            return Err(format!("{MANIFEST} is not the one that {SIGNATURE} is about"));
        }
        if file.format != FORMAT || file.code != CODE {
            return Err(format!("{MANIFEST}: its format is not known to this version"));
        }
        let plain =
            |member: &Member| !member.name.is_empty() && !member.name.contains('/') && !member.name.starts_with('.');
        if !file.members.iter().all(plain) || !file.cut.is_sound() || file.of != file.cut.volumes() {
            return Err(format!("{MANIFEST} says what cannot be"));
        }
        Ok(file)
    }

    /// Whether two volumes belong together.
    fn goes_with(&self, other: &Self) -> bool {
        let head = |file: &Self| Self { number: 0, bytes: 0, sha256: String::new(), ..file.clone() };
        head(self) == head(other)
    }
}

/// The SHA-256 of what was given to it.
struct Sum(digest::Context);

impl Sum {
    fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
    fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    fn end(self) -> String {
        hex(self.0.finish().as_ref())
    }
    fn of(bytes: &[u8]) -> String {
        hex(digest::digest(&digest::SHA256, bytes).as_ref())
    }
}
