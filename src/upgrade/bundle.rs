//! A bundle as a file: a tar whose members come in a fixed order. Signatures are checked before anything else is believed; each
//! file is compared with its hash whenever it is read. Nothing is unpacked but by name, to a place the caller names.
//!
//! Order: `manifest.json`, its signatures `manifest.json.*.sig`, then for each key set that follows `keys-N.json` and its
//! signatures, then the files as the manifest lists them.

use crate::manifest::name_is_plain;
use crate::{BundleError, KeySet, Manifest, Member};
use ring::digest;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The name of the manifest.
pub const MANIFEST: &str = "manifest.json";
/// Bytes of a manifest or key set.
const MANIFEST_BYTES_MAX: u64 = 1024 * 1024;
/// Bytes of a signature file.
const SIGNATURE_BYTES_MAX: u64 = 1024;
/// Members of the tar.
const ENTRIES_MAX: usize = 256;
const BLOCK: usize = 64 * 1024;

/// A bundle whose signatures were checked and whose files are whole.
#[derive(Debug)]
pub struct Bundle {
    path: PathBuf,
    manifest: Manifest,
    /// The key sets that lead here: first the trusted one, last the one that signed it.
    passed: Vec<KeySet>,
    keys: KeySet,
    signers: Vec<String>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    at: u64,
    bytes: u64,
    small: Vec<u8>,
}

impl Bundle {
    /// Opens a bundle, checks it against the keys that are trusted, and reads all of it.
    ///
    /// # Errors
    /// When it cannot be read, is not whole, or is not signed by two keys of the newest set that leads here from the trusted one.
    pub fn open(path: &Path, trusted: &KeySet) -> Result<Self, BundleError> {
        let entries = listed(path)?;
        let mut rest = entries.iter().peekable();
        let first = rest.next().filter(|entry| entry.name == MANIFEST);
        let first = first.ok_or_else(|| BundleError::malformed("it does not begin with manifest.json"))?;
        let signatures = signatures_of(&mut rest, MANIFEST);
        let (mut keys, mut passed) = (trusted.clone(), vec![trusted.clone()]);
        while let Some(entry) = rest.next_if(|entry| entry.name.starts_with("keys-") && entry.name.ends_with(".json")) {
            let signed = signatures_of(&mut rest, &entry.name);
            // Sets that this appliance has behind it are passed over: they lead others here.
            if KeySet::read(&entry.small)?.epoch > keys.epoch {
                keys = keys.followed_by(&entry.small, &signed)?;
                passed.push(keys.clone());
            }
        }
        let signers = keys.check(MANIFEST, &first.small, &signatures)?;
        let manifest = Manifest::read(&first.small)?;
        if manifest.keys_epoch != keys.epoch {
            return Err(BundleError::Untrusted(format!(
                "the bundle was made for keys of epoch {}, and this appliance trusts epoch {}",
                manifest.keys_epoch, keys.epoch
            )));
        }
        let files: Vec<&Entry> = rest.collect();
        let named = |(entry, member): (&&Entry, &Member)| entry.name == member.name && entry.bytes == member.bytes;
        if files.len() != manifest.files.len() || !files.iter().zip(&manifest.files).all(named) {
            return Err(BundleError::malformed("its files are not those that the manifest lists, in that order"));
        }
        let bundle = Self { path: path.to_owned(), manifest, passed, keys, signers, entries };
        for member in &bundle.manifest.files {
            bundle.copy(member, &mut io::sink())?;
        }
        Ok(bundle)
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
    /// The key set that signed it: the newest that this appliance can trust.
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }
    /// Whether the way from the trusted keys to those that signed it leads through this set, or begins behind it.
    pub fn leads_through(&self, known: &KeySet) -> bool {
        self.passed.first().is_some_and(|first| known.epoch < first.epoch) || self.passed.contains(known)
    }
    /// The numbers of the keys that signed it.
    pub fn signers(&self) -> &[String] {
        &self.signers
    }

    /// Copies a file of the bundle, compared with its hash once more: the bundle may lie on a medium that changes.
    ///
    /// # Errors
    /// When it cannot be read, or is no longer what was verified.
    pub fn copy(&self, member: &Member, to: &mut dyn Write) -> Result<(), BundleError> {
        let name = &member.name;
        let failed = || BundleError::read(format!("reading {name} of the bundle"));
        let entry = self.entries.iter().find(|entry| entry.name == *name);
        let entry = entry.ok_or_else(|| BundleError::malformed(format!("{name} is not in the bundle")))?;
        let mut file = File::open(&self.path).map_err(failed())?;
        file.seek(SeekFrom::Start(entry.at)).map_err(failed())?;
        let mut from = file.take(entry.bytes);
        let (mut context, mut block, mut bytes) = (digest::Context::new(&digest::SHA256), vec![0; BLOCK], 0u64);
        loop {
            let read = from.read(&mut block).map_err(failed())?;
            let part = block.get(..read).unwrap_or_default();
            if part.is_empty() {
                break;
            }
            context.update(part);
            bytes += part.len() as u64;
            to.write_all(part).map_err(BundleError::read(format!("writing {name}")))?;
        }
        let sha256: String = context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        if bytes != member.bytes || sha256 != member.sha256 {
            return Err(BundleError::malformed(format!(
                "{name} is cut short or was altered: its SHA-256 is not the manifest's"
            )));
        }
        Ok(())
    }
}

/// The length of what can be read, and its SHA-256 as a manifest writes it.
///
/// # Errors
/// What reading says.
pub fn measured(from: &mut dyn Read) -> std::io::Result<(u64, String)> {
    let (mut context, mut block, mut bytes) = (digest::Context::new(&digest::SHA256), vec![0; BLOCK], 0u64);
    loop {
        let read = from.read(&mut block)?;
        let part = block.get(..read).unwrap_or_default();
        if part.is_empty() {
            break;
        }
        context.update(part);
        bytes += part.len() as u64;
    }
    Ok((bytes, context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()))
}

fn signatures_of<'e>(rest: &mut std::iter::Peekable<std::slice::Iter<'e, Entry>>, of: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let is_one = |entry: &&'e Entry| {
        entry.name.strip_prefix(of).is_some_and(|rest| rest.starts_with('.') && rest.ends_with(".sig"))
    };
    while let Some(entry) = rest.next_if(is_one) {
        found.push(entry.small.clone());
    }
    found
}

/// The members of the tar with their places, and the small ones whole.
fn listed(path: &Path) -> Result<Vec<Entry>, BundleError> {
    let failed = || BundleError::read(path.display().to_string());
    let broken = |error: io::Error| BundleError::malformed(format!("it is no bundle, or cut short: {error}"));
    let file = File::open(path).map_err(failed())?;
    let length = file.metadata().map_err(failed())?.len();
    let mut archive = tar::Archive::new(BufReader::new(file));
    let mut found = Vec::new();
    for entry in archive.entries_with_seek().map_err(broken)?.take(ENTRIES_MAX + 1) {
        let mut entry = entry.map_err(broken)?;
        let bytes = entry.header().entry_size().map_err(broken)?;
        let name = entry.path().map_err(broken)?.to_str().unwrap_or_default().to_owned();
        if entry.header().entry_type() != tar::EntryType::Regular || !name_is_plain(&name) {
            return Err(BundleError::malformed(format!("{name:?} is no plain file")));
        }
        let at = entry.raw_file_position();
        if at.saturating_add(bytes) > length {
            return Err(BundleError::malformed(format!("it is cut short in {name}")));
        }
        let mut small = Vec::new();
        let is_signature = name.ends_with(".sig");
        if name == MANIFEST || name.starts_with("keys-") || is_signature {
            if bytes > if is_signature { SIGNATURE_BYTES_MAX } else { MANIFEST_BYTES_MAX } {
                return Err(BundleError::malformed(format!("{name} is larger than it can be")));
            }
            entry.read_to_end(&mut small).map_err(broken)?;
        }
        found.push(Entry { name, at, bytes, small });
    }
    if found.len() > ENTRIES_MAX {
        return Err(BundleError::malformed(format!("it has more than {ENTRIES_MAX} files")));
    }
    Ok(found)
}
