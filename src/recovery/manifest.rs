//! What a set says of itself: which appliance, which moment, and each of its files with length and SHA-256. Its own hash is
//! in a signed note beside it, so that whoever has the public key of the log can tell an edited set. It holds counts, never
//! values.

use crate::RecoveryError;
use audit::{Signer, VerifierKey, open_note, sign_note};
use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use store::{DatabaseFacts, ShipPlace, TableFacts};

/// The format that this version writes and reads.
pub(crate) const FORMAT: &str = "kontor-backup-1";
/// The manifest's file.
pub const MANIFEST: &str = "manifest.json";
/// The signed note with its hash.
pub const SIGNATURE: &str = "manifest.sig";
/// Bytes of the largest manifest that is read.
pub(crate) const MANIFEST_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Files of a set.
const FILES_MAX: usize = 64;

/// One file of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartFile {
    /// Its name in the folder of the set.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256, in hexadecimal.
    pub sha256: String,
    /// Bytes of what is packed in it; for a plain file its length.
    pub holds_bytes: u64,
    /// How many files are packed in it; 1 for a plain file.
    pub holds_files: u64,
}

/// One table as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Table {
    table: String,
    rows: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    live: Option<i64>,
}

/// The log as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Log {
    entries: u64,
    rows: u64,
}

/// What a set says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: String,
    /// The version of the program that made it.
    pub made_by: String,
    /// The appliance.
    pub appliance: String,
    /// The node that made it.
    pub node: String,
    /// Its place among the sets of the appliance: later ones have higher numbers, whatever the clock says.
    pub sequence: u64,
    /// The moment whose data it holds.
    pub made_at: Timestamp,
    /// The last step of the schema.
    pub schema: i64,
    /// The version of the definitions.
    pub catalog: u64,
    log: Log,
    tables: Vec<Table>,
    /// Who can open it.
    pub recipients: Vec<String>,
    /// Whether the unseal secret of the appliance opens it.
    pub own_key: bool,
    /// Its files.
    pub files: Vec<PartFile>,
    /// How far commits were shipped at its moment: the stream leads on from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped: Option<ShipPlace>,
}

/// What a manifest is made from, beside the files.
pub(crate) struct Heading<'a> {
    pub(crate) made_by: &'a str,
    pub(crate) node: &'a str,
    pub(crate) sequence: u64,
    pub(crate) made_at: Timestamp,
    pub(crate) log_entries: u64,
    pub(crate) recipients: Vec<String>,
    pub(crate) own_key: bool,
}

impl Manifest {
    pub(crate) fn new(heading: Heading<'_>, facts: &DatabaseFacts, files: Vec<PartFile>) -> Self {
        let table = |facts: &TableFacts| Table { table: facts.table.clone(), rows: facts.rows, live: facts.live };
        Self {
            format: FORMAT.to_owned(),
            made_by: heading.made_by.to_owned(),
            appliance: facts.appliance.clone(),
            node: heading.node.to_owned(),
            sequence: heading.sequence,
            made_at: heading.made_at,
            schema: facts.schema,
            catalog: facts.catalog,
            log: Log { entries: heading.log_entries, rows: facts.log_rows },
            tables: facts.tables.iter().map(table).collect(),
            recipients: heading.recipients,
            own_key: heading.own_key,
            files,
            shipped: None,
        }
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Bytes of what is packed in them: what a restore needs.
    pub fn holds_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.holds_bytes).sum()
    }

    /// How many entries of the log it holds, sealed or not.
    pub fn log_rows(&self) -> u64 {
        self.log.rows
    }

    /// Rows of all tables.
    pub(crate) fn table_rows(&self) -> i64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// The tables with their rows, as they were.
    pub fn tables(&self) -> impl Iterator<Item = (&str, i64)> {
        self.tables.iter().map(|table| (table.table.as_str(), table.rows))
    }

    /// Rows of a table, as they were.
    pub fn rows(&self, table: &str) -> Option<i64> {
        self.tables.iter().find(|found| found.table == table).map(|found| found.rows)
    }

    /// The same questions, answered by a restored database: each answer that differs, in words.
    pub(crate) fn differences(&self, found: &DatabaseFacts) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, then: &dyn ToString, now: &dyn ToString| {
            let (then, now) = (then.to_string(), now.to_string());
            if then != now {
                differences.push(format!("{what}: {then} in the manifest, {now} restored"));
            }
        };
        compare("appliance", &self.appliance, &found.appliance);
        compare("schema", &self.schema, &found.schema);
        compare("definitions", &self.catalog, &found.catalog);
        compare("entries of the log", &self.log.rows, &found.log_rows);
        compare("tables", &self.tables.len(), &found.tables.len());
        for (then, now) in self.tables.iter().zip(&found.tables) {
            compare("table", &then.table, &now.table);
            compare(&format!("rows of {}", then.table), &then.rows, &now.rows);
            let live = |live: Option<i64>| live.map_or_else(String::new, |live| live.to_string());
            compare(&format!("rows of {} outside the bin", then.table), &live(then.live), &live(now.live));
        }
        differences
    }

    /// Its text, and the signed note with the hash of that text.
    pub(crate) fn signed(&self, signer: &dyn Signer) -> Result<(Vec<u8>, String), RecoveryError> {
        let text = serde_json::to_vec_pretty(self).map(|mut text| {
            text.push(b'\n');
            text
        });
        let text = text.map_err(|error| RecoveryError::Damaged(error.to_string()))?;
        let note = sign_note(&note_text(&self.appliance, "backup", &text), signer);
        Ok((text, note.map_err(|error| RecoveryError::Key(error.to_string()))?))
    }

    /// Reads a manifest and checks that the appliance's log key signed it.
    ///
    /// # Errors
    /// [`RecoveryError::Damaged`], naming the file; [`RecoveryError::Key`] when another appliance signed it.
    pub fn open(text: &[u8], note: &[u8], key: &VerifierKey) -> Result<Self, RecoveryError> {
        let manifest = Self::read_unverified(text)?;
        let signed = open_note(note, key).map_err(|error| {
            RecoveryError::Key(format!("{SIGNATURE} is not signed by the key of this appliance's log: {error}"))
        })?;
        if signed != note_text(&manifest.appliance, "backup", text) {
            return Err(RecoveryError::Damaged(format!("{MANIFEST} is not the one that {SIGNATURE} is about")));
        }
        Ok(manifest)
    }

    /// Reads a manifest **without** asking who signed it; for telling what a folder claims to be.
    ///
    /// # Errors
    /// [`RecoveryError::Damaged`].
    pub fn read_unverified(text: &[u8]) -> Result<Self, RecoveryError> {
        let damaged = |what: String| RecoveryError::Damaged(format!("{MANIFEST}: {what}"));
        let json: serde_json::Value =
            serde_json::from_slice(text).map_err(|error| damaged(format!("not JSON ({error})")))?;
        match json.get("format").and_then(serde_json::Value::as_str) {
            Some(FORMAT) => {}
            Some(other) => return Err(damaged(format!("its format {other:?} is not known to this version"))),
            None => return Err(damaged("it is no manifest of a backup set".to_owned())),
        }
        let manifest: Self = serde_json::from_value(json).map_err(|error| damaged(error.to_string()))?;
        let named = |file: &PartFile| {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
            !file.name.is_empty() && !file.name.starts_with('.') && file.name.chars().all(plain)
        };
        if manifest.files.len() > FILES_MAX || !manifest.files.iter().all(named) {
            return Err(damaged("it names files that cannot be".to_owned()));
        }
        Ok(manifest)
    }
}

/// What is signed: the first line keeps it from passing for a checkpoint of the log, whose first line is the log's name.
pub(crate) fn note_text(appliance: &str, what: &str, manifest: &[u8]) -> String {
    format!(
        "kontor.local/{appliance}/{what}\n{}\n",
        hex(ring::digest::digest(&ring::digest::SHA256, manifest).as_ref())
    )
}

/// A signed note over the report of a drill, which is told from notes over other things by its first line.
///
/// # Errors
/// [`RecoveryError::Key`] when the key cannot sign.
pub fn sign_report(appliance: &str, report: &[u8], signer: &dyn Signer) -> Result<String, RecoveryError> {
    sign_note(&note_text(appliance, "drill", report), signer).map_err(|error| RecoveryError::Key(error.to_string()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
