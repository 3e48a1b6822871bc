//! What an upgrade arrives in: an off-line bundle, signed by two of three release keys. Which key sets follow on which, what a
//! bundle may follow on, and which published advisories concern a list of dependencies. It reads files that it is given and
//! changes nothing: no appliance, no database, no network.
//!
//! A manifest is only to be had with its signatures checked:
//! ```compile_fail,E0423
//! fn forged(bytes: &[u8]) -> upgrade::Bundle { upgrade::Bundle(bytes.to_vec()) }
//! ```

mod advisories;
mod bundle;
mod error;
mod keys;
mod manifest;
mod ratchet;
#[cfg(test)]
mod tests;

pub use advisories::{Advisories, Advisory, Dependency, dependencies_in};
pub use bundle::{Bundle, MANIFEST, measured};
pub use error::BundleError;
pub use keys::{KeySet, SIGNATURES_NEEDED, compiled_keys};
pub use manifest::{ApiChange, Kind, Manifest, Member, SettingChange, Step, Words};
pub use ratchet::Ratchet;
pub use semver::Version;
