//! Reports of drills as files that somebody else can check: what was asked, what came of it, and a signature with the key of the
//! audit log. It reads what drills left; it makes none.

use crate::appliance::Keeper;
use crate::cli::failure::Failure;
use kernel::Code;
use serde_json::{Value, json};

/// What the file is, so that a later version can tell.
const FORMAT: &str = "kontor-drill-1";

/// A report and what vouches for it.
pub(crate) struct SignedReport {
    /// The name of its file, without an ending.
    pub(crate) name: String,
    /// The file: JSON, with a line feed at its end.
    pub(crate) text: Vec<u8>,
    /// A signed note (C2SP signed-note, Ed25519) over the SHA-256 of the file.
    pub(crate) note: String,
}

impl Keeper {
    /// The reports of the newest drills, newest first.
    ///
    /// # Errors
    /// `record_not_found` when there was none.
    pub(crate) fn signed_reports(&self, most: usize) -> Result<Vec<SignedReport>, Failure> {
        let drills = self.drills()?;
        if drills.is_empty() {
            return Err(
                Failure::new(Code::RecordNotFound, "there was no drill yet").todo("make one: `kontor backup drill`")
            );
        }
        let internal = |error: serde_json::Error| Failure::new(Code::Internal, error.to_string());
        let signed = |row: &store::DrillRow| {
            let report: Value = serde_json::from_str(&row.report).map_err(internal)?;
            let file = json!({"format": FORMAT, "appliance": self.appliance, "at": row.at, "report": report});
            let mut text = serde_json::to_vec_pretty(&file).map_err(internal)?;
            text.push(b'\n');
            let note = recovery::sign_report(&self.appliance, &text, self.signer.as_ref())
                .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
            let at: String = row.at.to_string().chars().filter(|c| !matches!(c, '-' | ':')).take(15).collect();
            Ok(SignedReport { name: format!("drill-{at}Z-set-{:08}-{}", row.sequence, row.target), text, note })
        };
        drills.iter().take(most).map(signed).collect()
    }
}
