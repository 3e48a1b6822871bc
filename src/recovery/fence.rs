//! The fence on a target: which term is in force. Whoever promotes a standby writes a higher one, signed by the appliance; a
//! node that finds a term higher than its own has been replaced and must take no writes. It decides nothing itself.

use crate::journal::STREAMS;
use crate::{RecoveryError, Target};
use audit::{Signer, VerifierKey, open_note, sign_note};
use std::io::{ErrorKind, Read};

const FENCE: &str = "fence";
const BYTES_MAX: u64 = 16 * 1024;

/// What a fence says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The term in force.
    pub term: u64,
    /// The node that was promoted.
    pub node: String,
    /// When, as text.
    pub at: String,
}

fn path() -> String {
    format!("{STREAMS}/{FENCE}")
}

/// The fence on a target, if there is one.
///
/// # Errors
/// [`RecoveryError::Damaged`] when what lies there is not signed by this key; [`RecoveryError::Target`].
pub fn fence_of(target: &dyn Target, key: &VerifierKey) -> Result<Option<Fence>, RecoveryError> {
    let file = match target.loose_read(&path()) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => return Ok(None),
        file => file.map_err(RecoveryError::target("reading the fence"))?,
    };
    let mut note = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut note).map_err(RecoveryError::target("reading the fence"))?;
    let damaged = |what: &str| RecoveryError::Damaged(format!("the fence on {}: {what}", target.name()));
    let text = open_note(&note, key).map_err(|error| damaged(&error.to_string()))?;
    let lines: Vec<&str> = text.lines().collect();
    match lines.as_slice() {
        [first, term, node, at] if *first == heading(key.name()) => {
            let term = term.parse().map_err(|_| damaged("its term cannot be read"))?;
            Ok(Some(Fence { term, node: (*node).to_owned(), at: (*at).to_owned() }))
        }
        _ => Err(damaged("it has not the four lines it should have")),
    }
}

/// Puts a fence on a target.
///
/// # Errors
/// [`RecoveryError::Target`].
pub fn fence_raise(target: &dyn Target, fence: &Fence, signer: &dyn Signer) -> Result<(), RecoveryError> {
    let text = format!("{}\n{}\n{}\n{}\n", heading(signer.name()), fence.term, fence.node.replace('\n', " "), fence.at);
    let note = sign_note(&text, signer).map_err(|error| RecoveryError::Key(error.to_string()))?;
    target.loose_keep(&path(), note.as_bytes()).map_err(RecoveryError::target("writing the fence"))
}

fn heading(name: &str) -> String {
    format!("{name}/fence")
}
