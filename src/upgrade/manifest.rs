//! What a bundle says of itself: versions, its files with their hashes, and what changes for those who configure the appliance or
//! write programs against it. Read strictly; a manifest of a later format is refused by its number.

use crate::BundleError;
use semver::Version;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The format this code reads.
const FORMAT: u32 = 1;
/// Most files of a bundle.
const MEMBERS_MAX: usize = 64;
/// Most bytes of one file of a bundle.
const MEMBER_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The program.
    Binary,
    /// A package of Debian.
    Deb,
    /// A package of RPM.
    Rpm,
    /// The list of what it was built from.
    Sbom,
    /// Known advisories at the time of the release.
    Advisories,
    /// What is new, for people.
    Notes,
}

/// One file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Its name in the bundle.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// The platform, such as `x86_64-linux`; empty for all.
    #[serde(default)]
    pub platform: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// A setting that was renamed or goes away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingChange {
    /// The key as it was, `section.key`.
    pub key: String,
    /// The version that changed it.
    pub since: Version,
    /// Whether a configuration that still has it is refused.
    pub removed: bool,
    /// What to write instead.
    pub what: Words,
}

/// A change for those who write programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiChange {
    /// The version that changed it.
    pub since: Version,
    /// What changed.
    pub what: Words,
}

/// A step of the schema that the target has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Milliseconds it took for a million records when the release was measured.
    pub millis_per_million: u64,
}

/// What a bundle says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format of the manifest.
    format: u32,
    /// `kontor`.
    product: String,
    /// The version it brings.
    pub version: Version,
    /// The oldest version it can follow on, in one hop.
    pub upgrades_from: Version,
    /// The level of formats on disk that it writes once it is finalized.
    pub formats: u32,
    /// The epoch of the keys that signed it.
    pub keys_epoch: u32,
    /// When it was made.
    pub made_at: String,
    /// Its files, in their order.
    pub files: Vec<Member>,
    /// Settings that were renamed or go away.
    #[serde(default)]
    pub settings: Vec<SettingChange>,
    /// Changes for those who write programs.
    #[serde(default)]
    pub api: Vec<ApiChange>,
    /// The steps of the schema of all versions that can be left, with what they cost.
    #[serde(default)]
    pub steps: Vec<Step>,
}

impl Manifest {
    /// Reads a manifest. Whoever calls this has checked its signatures.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, BundleError> {
        let wrong = |what: String| BundleError::malformed(format!("manifest.json: {what}"));
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        if manifest.format != FORMAT || manifest.product != "kontor" {
            return Err(wrong(format!("it is not of format {FORMAT} of kontor")));
        }
        let names: BTreeSet<&str> = manifest.files.iter().map(|member| member.name.as_str()).collect();
        if names.len() != manifest.files.len() || manifest.files.len() > MEMBERS_MAX {
            return Err(wrong(format!("a file is named twice, or there are more than {MEMBERS_MAX}")));
        }
        for member in &manifest.files {
            let hash = member.sha256.len() == 64 && member.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !name_is_plain(&member.name) || !hash || member.bytes > MEMBER_BYTES_MAX {
                return Err(wrong(format!("the file {:?} has a name, length or hash that cannot be", member.name)));
            }
        }
        if manifest.upgrades_from > manifest.version {
            return Err(wrong("it follows on a version that is newer than its own".to_owned()));
        }
        Ok(manifest)
    }

    /// The one file of a kind for this platform.
    pub fn member(&self, kind: Kind, platform: &str) -> Option<&Member> {
        self.files
            .iter()
            .find(|member| member.kind == kind && (member.platform == platform || member.platform.is_empty()))
    }

    /// Refuses what does not lead from one version to this one.
    ///
    /// # Errors
    /// [`BundleError::Unfit`] when it brings no newer version, or cannot follow on the one that runs.
    pub fn follows_on(&self, running: &Version) -> Result<(), BundleError> {
        if self.version <= *running {
            return Err(BundleError::Unfit(format!(
                "version {running} runs here, and the bundle brings {}",
                self.version
            )));
        }
        if self.upgrades_from > *running {
            return Err(BundleError::Unfit(format!(
                "the bundle follows on {} or newer, and {running} runs here; upgrade to {} first",
                self.upgrades_from, self.upgrades_from
            )));
        }
        Ok(())
    }
}

/// Whether a name can be that of a file of a bundle: no folder, no dot in front, nothing to escape.
pub(crate) fn name_is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-+~".contains(c);
    (1..=100).contains(&name.len()) && !name.starts_with(['.', '-']) && name.chars().all(plain)
}
