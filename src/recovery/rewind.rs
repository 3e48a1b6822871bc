//! Back to a moment: the set before it, and the segments of its stream up to it. First it is found out what is there and
//! whether it belongs together; only then is anything made. The result ends with a commit, always.

use crate::journal::{Next, Reading, StreamPlace, stream_files};
use crate::manifest::{MANIFEST, hex};
use crate::segment::SegmentHash;
use crate::segment::{Segment, SegmentBody};
use crate::verify::small;
use crate::{Manifest, RecoveryError, Restored, SetName, Target, restore_with};
use audit::VerifierKey;
use kernel::{RecordId, Timestamp};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use store::{EngineConfig, ShipPlace, Store, StoreConfig};
use vault::ArchiveIdentity;

/// What can be restored, and to which moment exactly.
#[derive(Clone, Debug)]
pub struct Rewind {
    /// The set that it begins with.
    pub set: SetName,
    /// Its moment.
    pub set_at: Timestamp,
    /// The moment that the result has: everything in it was committed by then, and nothing later is in it.
    pub moment: Timestamp,
    /// Segments that are applied.
    pub segments: u64,
    /// Commits in them.
    pub commits: u64,
    /// What is in the way of anything later, if something is.
    pub broken: Option<String>,
    /// Whether the newest file ends in the middle of a segment: its writer was interrupted.
    pub torn: bool,
    from: Option<StreamPlace>,
    to: u64,
    hash: SegmentHash,
}

impl Rewind {
    /// Where in its stream the result stands, if it has one.
    pub(crate) fn end(&self) -> Option<StreamPlace> {
        self.from.as_ref().map(|from| StreamPlace { number: self.to, hash: self.hash, ..from.clone() })
    }
}

/// A stretch of time that one can go back to.
#[derive(Clone, Debug)]
pub struct Span {
    /// The oldest set that leads on into it.
    pub set: SetName,
    /// From this moment on.
    pub from: Timestamp,
    /// Up to this one.
    pub to: Timestamp,
    /// What is in the way of anything later, if something is.
    pub broken: Option<String>,
}

/// What was made.
#[derive(Debug)]
pub struct Rewound {
    /// What was restored of the set.
    pub restored: Restored,
    /// How many entries of the log are sealed.
    pub log_entries: u64,
}

/// The bytes that a text in hexadecimal says.
pub(crate) fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

/// Where a set stands in its stream.
fn place_of(place: &ShipPlace) -> Option<StreamPlace> {
    let (name, hash) = (bytes_of(&place.name)?.try_into().ok()?, bytes_of(&place.hash)?.try_into().ok()?);
    Some(StreamPlace { stream: place.stream, name: Some(name), number: place.segment, hash })
}

fn manifest_of(target: &dyn Target, set: &SetName) -> Result<Manifest, RecoveryError> {
    Manifest::read_unverified(&small(target, set, MANIFEST)?)
}

/// Finds out what the restore to `at` (or to the newest moment) would be. Reads and checks the whole chain up to there, with
/// the key of the appliance's log; opens nothing. `only` names a set that it has to begin with.
///
/// # Errors
/// [`RecoveryError::Refused`] when there is no set that old; what a target says.
pub fn rewind_plan(
    target: &dyn Target,
    only: Option<&SetName>,
    at: Option<Timestamp>,
    key: &VerifierKey,
) -> Result<Rewind, RecoveryError> {
    let mut oldest = None;
    for set in target.list().map_err(RecoveryError::target("listing the sets"))?.into_iter().rev() {
        if only.is_some_and(|only| *only != set) {
            continue;
        }
        let Ok(manifest) = manifest_of(target, &set) else { continue };
        oldest = Some(manifest.made_at);
        if at.is_some_and(|at| manifest.made_at > at) {
            continue;
        }
        return walk(target, set, &manifest, at, key);
    }
    Err(RecoveryError::Refused(match oldest {
        Some(oldest) => format!("there is no set that old; the oldest is of {oldest}"),
        None => "there is no set".to_owned(),
    }))
}

fn walk(
    target: &dyn Target,
    set: SetName,
    manifest: &Manifest,
    at: Option<Timestamp>,
    key: &VerifierKey,
) -> Result<Rewind, RecoveryError> {
    let from = manifest.shipped.as_ref().and_then(place_of);
    let (set_at, moment, to) = (manifest.made_at, manifest.made_at, from.as_ref().map_or(0, |from| from.number));
    let hash = from.as_ref().map_or([0; 32], |from| from.hash);
    let mut plan = Rewind { set, set_at, moment, segments: 0, commits: 0, broken: None, torn: false, from, to, hash };
    let Some(from) = plan.from.clone() else { return Ok(plan) };
    let first = from.number;
    let (mut commits_first, mut reading) = (None, Reading::of_target(target, from, key));
    loop {
        match reading.next()? {
            Next::Segment(segment) if at.is_some_and(|at| segment.head.at > at) => break,
            Next::Segment(segment) => {
                // Commits are counted from the beginning of the stream.
                let before = *commits_first.get_or_insert(segment.head.commits.saturating_sub(1));
                if segment.head.border {
                    plan.moment = segment.head.at.max(set_at);
                    (plan.to, plan.segments) = (segment.head.number, segment.head.number - first);
                    plan.hash = segment.hash;
                    plan.commits = segment.head.commits.saturating_sub(before);
                }
            }
            Next::End(torn) => {
                plan.torn = torn;
                break;
            }
            Next::Broken(what) => {
                // What cannot be read may be of any later moment; who goes back to the last good one does not need it.
                plan.broken = Some(what).filter(|_| at.is_none_or(|at| at > plan.moment));
                break;
            }
        }
    }
    Ok(plan)
}

/// The stretches of time that a target can go back to, oldest first. Reads all of its chains.
///
/// # Errors
/// What the target says.
pub fn windows(target: &dyn Target, key: &VerifierKey) -> Result<Vec<Span>, RecoveryError> {
    let mut spans: Vec<(Option<String>, Span)> = Vec::new();
    for set in target.list().map_err(RecoveryError::target("listing the sets"))? {
        let Ok(manifest) = manifest_of(target, &set) else { continue };
        let name = manifest.shipped.as_ref().map(|place| place.name.clone());
        // An older set of the same stream reaches as far, unless something between them is broken.
        let covered = spans.iter().any(|(other, span)| name.is_some() && *other == name && span.to >= manifest.made_at);
        if !covered {
            let plan = walk(target, set, &manifest, None, key)?;
            spans.push((name, Span { set: plan.set, from: plan.set_at, to: plan.moment, broken: plan.broken }));
        }
    }
    Ok(spans.into_iter().map(|(_, span)| span).collect())
}

/// Makes an appliance's folder as of the moment of the plan, with a last step before it is in its place. When this fails, nothing of it is left.
///
/// # Errors
/// As [`crate::restore`]; [`RecoveryError::Damaged`] also when the database or the log is not whole at the end.
pub fn rewind(
    target: &dyn Target,
    plan: &Rewind,
    key: &VerifierKey,
    identity: &ArchiveIdentity,
    into: &Path,
    last: impl FnOnce(&Path) -> Result<(), RecoveryError>,
) -> Result<Rewound, RecoveryError> {
    let mut log_entries = 0;
    let restored = restore_with(target, &plan.set, key, identity, into, |folder, _| {
        log_entries = roll(target, plan, key, identity, folder)?;
        let found = Store::integrity_of(&config_of(folder).engine)?;
        if found.is_empty() {
            return last(folder);
        }
        Err(RecoveryError::Damaged(format!("the database at {}: {}", plan.moment, found.join("; "))))
    })?;
    Ok(Rewound { restored, log_entries })
}

/// Rolls a restored set forward, where it lies, and brings its log up to its database.
pub(crate) fn roll(
    target: &dyn Target,
    plan: &Rewind,
    key: &VerifierKey,
    identity: &ArchiveIdentity,
    folder: &Path,
) -> Result<u64, RecoveryError> {
    if let Some(from) = &plan.from {
        let mut applier = Applier::open(folder)?;
        let mut reading = Reading::of_target(target, from.clone(), key);
        while reading.at().number < plan.to {
            match reading.next()? {
                Next::Segment(segment) => applier.apply(&segment, &segment.open(identity)?)?,
                Next::Broken(what) => return Err(RecoveryError::Damaged(what)),
                Next::End(_) => {
                    return Err(RecoveryError::Damaged(format!("the stream ends before segment {}", plan.to)));
                }
            }
        }
        applier.finish()?;
    }
    Ok(Store::log_follow(&config_of(folder), key)?)
}

/// How the store of a folder is opened.
pub(crate) fn config_of(folder: &Path) -> StoreConfig {
    StoreConfig {
        engine: EngineConfig::Sqlite { file: folder.join("data/kontor.db") },
        readers: 1,
        log_folder: folder.join("log"),
        files_folder: folder.join("data/files"),
        node: String::new(),
    }
}

/// Puts what segments bring into a folder. Applying one again changes nothing.
pub(crate) struct Applier {
    database: File,
    files: PathBuf,
    page_bytes: u64,
}

impl Applier {
    pub(crate) fn open(folder: &Path) -> Result<Self, RecoveryError> {
        let path = folder.join("data/kontor.db");
        let failed = || RecoveryError::target(format!("opening {}", path.display()));
        let database = OpenOptions::new().read(true).write(true).open(&path).map_err(failed())?;
        let mut size = [0; 2];
        database.read_exact_at(&mut size, 16).map_err(failed())?;
        // 1 stands for the one size that two bytes cannot hold.
        let page_bytes = match u16::from_be_bytes(size) {
            1 => 65_536,
            size => u64::from(size),
        };
        Ok(Self { database, files: folder.join("data/files"), page_bytes })
    }

    pub(crate) fn apply(&mut self, segment: &Segment, body: &SegmentBody) -> Result<(), RecoveryError> {
        let number = segment.head.number;
        let failed = || RecoveryError::target(format!("applying segment {number}"));
        if !body.pages.is_empty() && u64::from(body.page_bytes) != self.page_bytes {
            return Err(RecoveryError::Damaged(format!("segment {number} has pages of {} bytes", body.page_bytes)));
        }
        for (page, bytes) in &body.pages {
            let offset = u64::from(page.saturating_sub(1)) * self.page_bytes;
            self.database.write_all_at(bytes, offset).map_err(failed())?;
        }
        if segment.head.border && segment.head.db_pages > 0 {
            self.database.set_len(u64::from(segment.head.db_pages) * self.page_bytes).map_err(failed())?;
        }
        for piece in &body.pieces {
            self.piece(piece.id, piece.offset, piece.total, &piece.bytes).map_err(failed())?;
        }
        Ok(())
    }

    fn piece(&self, id: RecordId, offset: u64, total: u64, bytes: &[u8]) -> io::Result<()> {
        let path = self.files.join(crate::write::place_of(id));
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.write_all_at(bytes, offset)?;
        file.set_len(total)
    }

    /// Makes all of it durable.
    pub(crate) fn finish(&self) -> Result<(), RecoveryError> {
        self.database.sync_all().map_err(RecoveryError::target("syncing the database"))
    }
}

/// Removes what was shipped before the newest set that is not younger than `begins`: from there on one can go back to any
/// moment. Where every set is younger, what leads on from the oldest stays. Says how many files went.
///
/// # Errors
/// What the target says.
pub fn streams_prune(target: &dyn Target, begins: Timestamp) -> Result<usize, RecoveryError> {
    let mut base: Option<(Timestamp, ShipPlace)> = None;
    for set in target.list().map_err(RecoveryError::target("listing the sets"))? {
        let Ok(manifest) = manifest_of(target, &set) else { continue };
        let Some(place) = manifest.shipped else { continue };
        if base.is_none() || manifest.made_at <= begins {
            base = Some((manifest.made_at, place));
        }
    }
    let Some((_, oldest)) = base else { return Ok(0) };
    let files = stream_files(target)?;
    let mut gone = 0;
    for (at, file) in files.iter().enumerate() {
        // Up to where a whole one reaches is said by the next whole one only: those with few segments may lie over it.
        let Some(next) = files.iter().skip(at + 1).find(|next| file.few || !next.few) else { continue };
        let same = file.stream == oldest.stream && next.stream == oldest.stream;
        if file.stream < oldest.stream || (same && next.first <= oldest.segment.saturating_add(1)) {
            target.loose_remove(&file.on_target()).map_err(RecoveryError::target(format!("removing {file}")))?;
            gone += 1;
        }
    }
    Ok(gone)
}

/// Whether a target has a set that leads on into this stream; looks at its newest few.
///
/// # Errors
/// What the target says.
pub fn leads_into_stream(target: &dyn Target, stream_name: &str) -> Result<bool, RecoveryError> {
    leads_into(target, |place| place.name == stream_name)
}

/// Whether a target has a set with a place like this among its newest few.
pub(crate) fn leads_into(target: &dyn Target, wanted: impl Fn(&ShipPlace) -> bool) -> Result<bool, RecoveryError> {
    let sets = target.list().map_err(RecoveryError::target("listing the sets"))?;
    let manifests = sets.iter().rev().take(LOOKED_AT).filter_map(|set| manifest_of(target, set).ok());
    Ok(manifests.filter_map(|manifest| manifest.shipped).any(|place| wanted(&place)))
}

/// Sets that are looked at for one that leads into a stream.
const LOOKED_AT: usize = 8;

/// Where a set stands in its stream, in words.
pub fn shipped_words(manifest: &Manifest) -> Option<String> {
    let place = manifest.shipped.as_ref().and_then(place_of)?;
    Some(format!("stream {}, behind segment {} ({})", place.stream, place.number, hex(place.hash.get(..4)?)))
}
