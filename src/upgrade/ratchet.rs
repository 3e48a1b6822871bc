//! What an appliance has reached and never goes behind: the highest version that was finalized, and the newest key set. Where it
//! is kept, and under which seal, is not decided here.

use crate::{BundleError, KeySet};
use semver::Version;
use serde::{Deserialize, Serialize};

/// What was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratchet {
    /// The highest version that was finalized.
    pub finalized: Version,
    /// The highest level of the formats on disk that may be written.
    pub formats: u32,
    /// The newest key set; `None` when no build with release keys was here yet.
    pub keys: Option<KeySet>,
}

impl Ratchet {
    /// Where an appliance begins.
    pub fn begin(running: Version, formats: u32, keys: Option<KeySet>) -> Self {
        Self { finalized: running, formats, keys }
    }

    /// What is reached when this version is finalized.
    #[must_use]
    pub fn raised(&self, version: &Version, formats: u32, keys: Option<&KeySet>) -> Self {
        let keys = [self.keys.as_ref(), keys].into_iter().flatten().max_by_key(|set| set.epoch).cloned();
        Self { finalized: self.finalized.clone().max(version.clone()), formats: self.formats.max(formats), keys }
    }

    /// Refuses a version below what was finalized.
    ///
    /// # Errors
    /// [`BundleError::Older`].
    pub fn admit(&self, version: &Version) -> Result<(), BundleError> {
        if *version >= self.finalized {
            return Ok(());
        }
        Err(BundleError::Older(format!(
            "version {version} is older than {}, which was finalized on this appliance",
            self.finalized
        )))
    }
}
