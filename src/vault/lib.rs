//! Keys and ciphertexts: unseal slots, the key ring, sealed fields, blind indexes. The only crate with authenticated
//! encryption. It never logs, never keeps plaintext, and never opens a value without a read grant for its record.
//!
//! ```text
//! unseal slots (passphrase, key file, recovery shares) ── root key RK
//!    ├ KW wraps the key ring ── DEK[subject, class, generation] ── key of one field
//!    ├ BI blind indexes   ├ AH values in the audit log   ├ CS blobs of the appliance   ├ AR key of backup sets
//!    └ SK checkpoint signing key (random, wrapped by KW)
//! ```
//!
//! What does not compile keeps the promises. A plaintext cannot be printed, cloned or serialised:
//! ```compile_fail,E0277
//! fn print(plain: &vault::Plain) { println!("{plain}"); }
//! ```
//! ```compile_fail,E0277
//! fn debug(plain: &vault::Plain) { println!("{plain:?}"); }
//! ```
//! ```compile_fail,E0308
//! fn twice(plain: &vault::Plain) -> vault::Plain { plain.clone() }
//! ```
//! ```compile_fail,E0277
//! fn json(plain: &vault::Plain) -> String { serde_json::to_string(plain).unwrap() }
//! ```
//! Nor can what was opened, a key, or a secret:
//! ```compile_fail,E0277
//! fn debug(opened: &vault::Opened) { println!("{opened:?}"); }
//! ```
//! ```compile_fail,E0277
//! fn debug(secret: &vault::Secret) { println!("{secret:?}"); }
//! ```
//! ```compile_fail,E0308
//! fn twice(key: &vault::SigningKey) -> vault::SigningKey { key.clone() }
//! ```
//! It shows itself to a read grant, and to no other:
//! ```
//! fn show<'p>(plain: &'p vault::Plain, grant: &authz::Grant<'_, authz::Read>) -> Option<&'p str> { plain.expose(grant).ok() }
//! ```
//! ```compile_fail,E0308
//! fn show<'p>(plain: &'p vault::Plain, grant: &authz::Grant<'_, authz::Update>) -> Option<&'p str> { plain.expose(grant).ok() }
//! ```
//! ```compile_fail,E0308
//! fn show<'p>(opened: &'p vault::Opened, grant: &authz::Grant<'_, authz::Update>) -> Option<&'p str> { opened.expose(grant).ok() }
//! ```
//! A place comes from a definition only, and a sealed value is used up by no one but its place:
//! ```compile_fail,E0451
//! fn move_to(place: vault::Place, record: kernel::RecordId) -> vault::Place { vault::Place { record, ..place } }
//! ```
//! ```compile_fail,E0451
//! fn forge(place: vault::Place) -> vault::Sealed { vault::Sealed { place, bytes: Vec::new() } }
//! ```
//! Sealing uses the plaintext up:
//! ```compile_fail,E0382
//! fn twice(keys: &mut vault::KeyUse, store: &mut dyn vault::KeyStore, plain: vault::Plain) {
//!     let _ = keys.seal(store, plain);
//!     let _ = keys.seal(store, plain);
//! }
//! ```

mod archive;
mod blind;
mod blob;
mod cache;
mod error;
mod field;
mod file;
mod key_ring;
mod key_use;
mod keys;
mod normalise;
mod place;
mod primitives;
mod random;
mod self_test;
mod shares;
mod signing;
mod slip39;
mod slot_file;
mod slots;
#[cfg(test)]
mod tests_fields;
#[cfg(test)]
mod tests_files;
#[cfg(test)]
mod tests_golden;
#[cfg(test)]
mod tests_keys;
#[cfg(test)]
mod tests_shares;
#[cfg(test)]
mod tests_slots;
#[cfg(test)]
mod tests_support;
#[cfg(test)]
mod tests_wycheproof;
mod vault;

pub use archive::{ArchiveIdentity, ArchiveRecipient, ArchiveSealer, archive_open};
pub use blind::{BlindIndex, BlindRefusal, bits_for_rows, blind_allowed};
pub use error::{KeyStoreError, VaultError};
pub use field::OVERHEAD;
pub use file::{
    FILE_CHUNK_LEN, FILE_HEADER_LEN, FILE_SEALED_CHUNK_LEN, FileOpener, FilePlace, FileSealer, file_sealed_len,
};
pub use key_ring::{Class, KeyStore, WRAPPED_LEN, WrappedKey};
pub use key_use::KeyUse;
pub use normalise::Normaliser;
pub use place::{ChangePlace, Opened, OpenedChange, Place, Plain, Sealed};
pub use random::OsRandom;
pub use self_test::self_test;
pub use shares::{Gathered, Gathering, Share, ShareSlot};
pub use signing::{PUBLIC_KEY_LEN, SIGNATURE_LEN, SigningKey, signature_is_good};
pub use slip39::ShareFault;
pub use slots::{PassphraseCost, Secret, SlotInfo, SlotKind};
pub use vault::Vault;

/// Names one installation; part of what every ciphertext is bound to.
pub type ApplianceId = kernel::Id<kernel::AnyKind>;
