//! Signed notes (C2SP signed-note) with Ed25519 in general: text, a blank line, signature lines. What the text means is its
//! reader's affair; each kind of text begins with a line of its own, so that none passes for another.

use crate::checkpoint::{CheckpointError, Signer, VerifierKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{ED25519, UnparsedPublicKey};

/// Bytes of a signed note that are read at most; leaves room for the signatures of witnesses.
const NOTE_BYTES_MAX: usize = 16 * 1024;
/// An em dash and a space begin each signature line.
const SIGNATURE_MARK: &str = "\u{2014} ";

/// The note of a text. The text ends with a line feed and has no blank line.
///
/// # Errors
/// [`CheckpointError::Key`] when the signer has an unusable name.
pub fn sign_note(text: &str, signer: &dyn Signer) -> Result<String, CheckpointError> {
    let key = VerifierKey::of(signer)?;
    let line: Vec<u8> = key.id().into_iter().chain(signer.sign(text.as_bytes())).collect();
    Ok(format!("{text}\n{SIGNATURE_MARK}{} {}\n", key.name(), STANDARD.encode(line)))
}

/// The text of a note, if `key` signed it. Lines of other keys (witnesses) are passed over.
///
/// # Errors
/// The reason of the refusal.
pub fn open_note<'n>(note: &'n [u8], key: &VerifierKey) -> Result<&'n str, CheckpointError> {
    let (text, signatures) = divide(note)?;
    let mut result = Err(CheckpointError::Unsigned);
    for line in signatures.lines() {
        let (name, signature) = signature_line(line)?;
        let Some((id, signature)) = signature.split_at_checked(4) else {
            return Err(CheckpointError::Malformed("a signature is too short"));
        };
        if name != key.name() || id != key.id() {
            continue;
        }
        UnparsedPublicKey::new(&ED25519, key.public())
            .verify(text.as_bytes(), signature)
            .map_err(|_| CheckpointError::BadSignature)?;
        result = Ok(());
    }
    result.map(|()| text)
}

/// Whether this is the signature of `key` over exactly these bytes. What they mean, and that they can mean nothing else, is
/// the caller's affair.
pub fn signature_fits(key: &VerifierKey, message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, key.public()).verify(message, signature).is_ok()
}

/// The text of a note **without** checking who signed it; that its signature lines can be read is checked.
pub(crate) fn unverified(note: &[u8]) -> Result<&str, CheckpointError> {
    let (text, signatures) = divide(note)?;
    signatures.lines().try_for_each(|line| signature_line(line).map(|_| ()))?;
    Ok(text)
}

fn signature_line(line: &str) -> Result<(&str, Vec<u8>), CheckpointError> {
    let bad = CheckpointError::Malformed("a signature line cannot be read");
    let (name, signature) = line.strip_prefix(SIGNATURE_MARK).and_then(|rest| rest.split_once(' ')).ok_or(bad)?;
    Ok((name, STANDARD.decode(signature).map_err(|_| bad)?))
}

/// Divides a note into signed text, with its last line feed, and signature lines.
fn divide(note: &[u8]) -> Result<(&str, &str), CheckpointError> {
    use CheckpointError::Malformed;
    if note.len() > NOTE_BYTES_MAX {
        return Err(Malformed("it is too long"));
    }
    let note = std::str::from_utf8(note).map_err(|_| Malformed("it is not UTF-8"))?;
    let (body, signatures) = note.rsplit_once("\n\n").ok_or(Malformed("there is no blank line"))?;
    if signatures.is_empty() || !signatures.ends_with('\n') || note.contains('\r') {
        return Err(Malformed("the last line is incomplete"));
    }
    let text = note.get(..=body.len()).ok_or(Malformed("there is no blank line"))?;
    Ok((text, signatures))
}
