//! What became of the last upgrade, for whoever looks after a reboot: a small file beside the state. It decides nothing.

use crate::appliance::Layout;
use crate::appliance::upgrade::own;
use crate::appliance::upgrade::state::PUBLIC;
use crate::cli::failure::Failure;
use kernel::{Code, Timestamp, limits};
use serde::{Deserialize, Serialize};
use upgrade::Version;

/// The name of that file.
const LAST: &str = "last.json";

/// What became of an upgrade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Last {
    pub(crate) from: Version,
    pub(crate) to: Version,
    pub(crate) at: Timestamp,
    /// `finalized` or `back`.
    pub(crate) outcome: String,
    /// Why it went back.
    pub(crate) why: String,
}

impl Last {
    /// The last one, if there was any.
    pub(crate) fn read(layout: &Layout) -> Option<Self> {
        serde_json::from_str(&own::read(layout, LAST, limits::CONFIG_BYTES_MAX).ok()??).ok()
    }
    /// Writes it down.
    pub(super) fn keep(&self, layout: &Layout) -> Result<(), Failure> {
        let text = serde_json::to_string(self).map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
        own::replace(layout, LAST, &text, PUBLIC)
    }
}
