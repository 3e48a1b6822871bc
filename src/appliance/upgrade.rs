//! An appliance brought to another version, and back: preflight, copy, switch of the program, migration, self-test, and what is to
//! be done when any of it fails or is cut off. How far it is stands in one file that is replaced as a whole; every step can be
//! repeated. It opens no record.
//!
//! The version that is left makes the copy and switches; the version that comes migrates, tests and says so in the log. On the way
//! back it is the other way round. Each of them only ever opens a database of its own schema.

mod apply;
mod drive;
mod fault;
mod kept;
mod last;
mod mark;
mod own;
mod owner;
mod plan;
mod self_test;
mod state;
mod switch;

pub(crate) use apply::{Wanted, apply, finalize, roll_back};
pub(crate) use drive::{Ended, Secrecy, drive, require_wanted};
pub(crate) use kept::{admit, keep_from_first, trusted};
pub(crate) use last::Last;
pub(crate) use owner::{Owner, as_owner, owner_of};
pub(crate) use plan::{Plan, bundle_of, plan};
pub(crate) use state::{Phase, State, refuse_half_done};

use kernel::Code;
use upgrade::{BundleError, Version};

use crate::cli::failure::Failure;

/// The level of the formats on disk that this version can write. It writes those of the level that was finalized.
pub(crate) const FORMATS: u32 = 1;

/// The version that runs.
pub(crate) fn running() -> Version {
    let text = fault::version().unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned());
    // The version of a package is one of Cargo's.
    Version::parse(&text).unwrap_or(Version::new(0, 0, 0))
}

/// The version before, where somebody else has switched the program and it is not known.
pub(crate) const UNKNOWN: Version = Version::new(0, 0, 0);

/// A version in a sentence.
pub(crate) fn told(version: &Version) -> String {
    if *version == UNKNOWN { "the version before".to_owned() } else { version.to_string() }
}

/// The platform that a file of a bundle has to be for.
pub(crate) fn platform() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// What is wrong with a bundle, for the operator.
pub(crate) fn refused(error: BundleError) -> Failure {
    let (code, todo) = match &error {
        BundleError::Read { .. } => (Code::Unavailable, "look at the medium and the path, then repeat it"),
        BundleError::Malformed(_) => (Code::ParameterInvalid, "copy the bundle again from where it was published"),
        BundleError::Untrusted(_) => {
            (Code::ParameterInvalid, "use it only if it came from the publisher; ask there, over another way")
        }
        BundleError::Older(_) => {
            (Code::ParameterInvalid, "use a newer bundle; to go back behind it, restore a backup set")
        }
        BundleError::Unfit(_) => (Code::ParameterInvalid, "use a bundle that leads on from the version that runs"),
    };
    Failure::new(code, format!("the bundle is refused: {error}")).kept("nothing was changed").todo(todo)
}
