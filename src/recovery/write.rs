//! Making one set and putting it on every target at once: packed and sealed once, written `.part`, synced, renamed, read
//! back and verified. A target that fails is told by itself; the others go on. What it has of the set by then stays under that name
//! when another target has the set whole, to be gone on with; else it keeps nothing.

use crate::archive::{BLOCK, Packer, SUFFIX};
use crate::manifest::{Heading, MANIFEST, PartFile, SIGNATURE, hex};
use crate::target::Out;
use crate::{House, Manifest, Pace, Progress, RecoveryError, SetName, Target, Verified, readme, verify_set};
use audit::{Signer, VerifierKey};
use kernel::{RecordId, Timestamp};
use ring::digest;
use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use store::{Snapshot, Store};
use vault::{ArchiveRecipient, FILE_CHUNK_LEN};

/// What a set is made from.
pub struct SetJob<'a> {
    /// The open store.
    pub store: &'a Store,
    /// Where the appliance's own files lie.
    pub house: &'a House,
    /// Who signs.
    pub signer: &'a dyn Signer,
    /// Who can open it: at least one.
    pub recipients: &'a [ArchiveRecipient],
    /// Whether the appliance itself is one of them.
    pub own_key: bool,
    /// Its number.
    pub sequence: u64,
    /// Its moment.
    pub at: Timestamp,
    /// The version of the program.
    pub made_by: &'a str,
    /// Bytes a second, at most.
    pub bytes_per_second: Option<u64>,
    /// What others see of it.
    pub progress: &'a Progress,
}

/// What became of the set on one target.
pub struct TargetOutcome {
    /// The target's name.
    pub target: String,
    /// The set as it was read back, or why there is none.
    pub outcome: Result<Verified, RecoveryError>,
}

/// Makes the set and puts it on all targets. Its manifest, when there is one, and what became of it on each, in their order.
///
/// # Errors
/// What kept it from being made at all; then no target has anything of it.
pub fn write_sets(
    job: &SetJob<'_>,
    targets: &[&dyn Target],
) -> Result<(Option<Manifest>, Vec<TargetOutcome>), RecoveryError> {
    let set = SetName::new(job.sequence, job.at);
    let snapshot = job
        .store
        .snapshot_while(&|| !job.progress.is_stopped())
        .map_err(|error| if job.progress.is_stopped() { RecoveryError::Stopped } else { error.into() })?;
    let mut run = Run::begin(job, targets, &set);
    let written = run.everything(&snapshot);
    drop(snapshot);
    let manifest = match written {
        Ok(manifest) => manifest,
        Err(error) => {
            run.abandon();
            return run.explain(error).map(|outcomes| (None, outcomes));
        }
    };
    let key = VerifierKey::of(job.signer).map_err(|error| RecoveryError::Key(error.to_string()))?;
    let outcomes = run.settle(&key);
    Ok((Some(manifest), outcomes))
}

struct Run<'a> {
    job: &'a SetJob<'a>,
    targets: &'a [&'a dyn Target],
    set: &'a SetName,
    /// Those that began the set: of others nothing has to be taken away, and asking a dead one for that takes long.
    begun: Vec<bool>,
    alive: Vec<bool>,
    failed: Vec<Option<RecoveryError>>,
    parts: Vec<PartFile>,
}

impl<'a> Run<'a> {
    fn begin(job: &'a SetJob<'a>, targets: &'a [&'a dyn Target], set: &'a SetName) -> Self {
        let mut run = Self {
            job,
            targets,
            set,
            begun: vec![true; targets.len()],
            alive: vec![true; targets.len()],
            failed: targets.iter().map(|_| None).collect(),
            parts: Vec::new(),
        };
        for (at, target) in targets.iter().enumerate() {
            if let Err(cause) = target.begin(set) {
                run.begun.get_mut(at).into_iter().for_each(|begun| *begun = false);
                run.fail(vec![(at, RecoveryError::Target { what: "beginning a set".to_owned(), cause })]);
            }
        }
        run
    }

    fn abandon(&self) {
        for (target, _) in self.targets.iter().zip(&self.begun).filter(|(_, begun)| **begun) {
            target.abandon(self.set);
        }
    }

    fn fail(&mut self, failed: Vec<(usize, RecoveryError)>) {
        for (at, error) in failed {
            if let Some(alive) = self.alive.get_mut(at) {
                *alive = false;
            }
            if let Some(slot) = self.failed.get_mut(at) {
                slot.get_or_insert(error);
            }
        }
    }

    fn everything(&mut self, snapshot: &Snapshot) -> Result<Manifest, RecoveryError> {
        let mut pace = Pace::begin(self.job.progress, self.job.bytes_per_second, self.job.store.clock().as_ref());
        let (entries, log) = snapshot.log();
        self.job.progress.expect(snapshot.database_bytes());
        self.packed("database", |packer| {
            packer.file("data/kontor.db", snapshot.database_bytes(), Frozen { snapshot, at: 0 }, &mut pace)
        })?;
        let folder = self.job.house.log.clone();
        self.packed("log", |packer| {
            for part in log {
                let path = format!("log/{}", part.path);
                match &part.bytes {
                    Some(bytes) => packer.file(&path, bytes.len() as u64, Cursor::new(bytes), &mut pace)?,
                    None => file_of(packer, &path, &folder.join(&part.path), &mut pace)?,
                }
            }
            Ok(())
        })?;
        let folder = self.job.house.files.clone();
        self.packed("files", |packer| {
            snapshot.files().iter().try_for_each(|id| {
                let place = place_of(*id);
                file_of(packer, &format!("data/files/{place}"), &folder.join(&place), &mut pace)
            })
        })?;
        let pieces = self.job.house.pieces()?;
        self.packed("appliance", |packer| {
            pieces.iter().try_for_each(|piece| {
                packer.file(&piece.path, piece.bytes.len() as u64, Cursor::new(&piece.bytes), &mut pace)
            })
        })?;
        // In clear, so that the unseal secret alone opens the rest: slots hold a wrapped key and no secret.
        for (name, path) in [("slots.json", "keys/slots.json"), ("log-key.pub", "log-key.pub")] {
            let piece = pieces.iter().find(|piece| piece.path == path);
            self.plain(name, piece.map_or(&[], |piece| piece.bytes.as_slice()))?;
        }
        self.plain(readme::NAME, readme::text().as_bytes())?;
        let mut manifest = Manifest::new(self.heading(entries), snapshot.facts(), self.parts.clone());
        manifest.shipped = snapshot.shipped().cloned();
        let (text, note) = manifest.signed(self.job.signer)?;
        self.plain(MANIFEST, &text)?;
        self.plain(SIGNATURE, note.as_bytes())?;
        Ok(manifest)
    }

    fn heading(&self, log_entries: u64) -> Heading<'a> {
        Heading {
            made_by: self.job.made_by,
            node: &self.job.store.config().node,
            sequence: self.job.sequence,
            made_at: self.job.at,
            log_entries,
            recipients: self.job.recipients.iter().map(ToString::to_string).collect(),
            own_key: self.job.own_key,
        }
    }

    fn packed(
        &mut self,
        stem: &str,
        fill: impl FnOnce(&mut Packer<&mut Out>) -> Result<(), RecoveryError>,
    ) -> Result<(), RecoveryError> {
        let name = format!("{stem}{SUFFIX}");
        let mut out = Out::begin(self.targets, &self.alive, self.set, &name);
        let mtime = u64::try_from(self.job.at.micros() / 1_000_000).unwrap_or(0);
        let written = Packer::begin(&name, &mut out, self.job.recipients, mtime).and_then(|mut packer| {
            fill(&mut packer)?;
            packer.end()
        });
        self.fail(out.finish());
        self.parts.push(written?);
        self.somebody_left()
    }

    fn plain(&mut self, name: &str, bytes: &[u8]) -> Result<(), RecoveryError> {
        let mut out = Out::begin(self.targets, &self.alive, self.set, name);
        let written = out.write_all(bytes);
        self.fail(out.finish());
        self.somebody_left()?;
        written.map_err(RecoveryError::target(format!("writing {name}")))?;
        let sha256 = hex(digest::digest(&digest::SHA256, bytes).as_ref());
        let length = bytes.len() as u64;
        self.parts.push(PartFile { name: name.to_owned(), bytes: length, sha256, holds_bytes: length, holds_files: 1 });
        Ok(())
    }

    fn somebody_left(&self) -> Result<(), RecoveryError> {
        if self.alive.iter().any(|alive| *alive) {
            return Ok(());
        }
        Err(RecoveryError::Target { what: "writing the set".to_owned(), cause: io::Error::other("no target is left") })
    }

    /// When every target has failed, each is told by itself; anything else is an error of the whole.
    fn explain(self, error: RecoveryError) -> Result<Vec<TargetOutcome>, RecoveryError> {
        if self.targets.is_empty() || self.alive.iter().any(|alive| *alive) {
            return Err(error);
        }
        let told = self.targets.iter().zip(self.failed).map(|(target, failed)| TargetOutcome {
            target: target.name().to_owned(),
            outcome: Err(failed.unwrap_or(RecoveryError::Stopped)),
        });
        Ok(told.collect())
    }

    /// Gives the set its name on each target and reads it back there.
    fn settle(mut self, key: &VerifierKey) -> Vec<TargetOutcome> {
        let mut outcomes = Vec::with_capacity(self.targets.len());
        for (at, target) in self.targets.iter().enumerate() {
            let failed = self.failed.get_mut(at).and_then(Option::take);
            let outcome = failed.map_or_else(|| self.publish(*target, key), Err);
            outcomes.push(TargetOutcome { target: target.name().to_owned(), outcome });
        }
        // What a full disk has goes: it needs the room. Elsewhere it stays if there is a whole set that it can be completed from.
        let whole = outcomes.iter().any(|one| one.outcome.is_ok());
        for ((target, outcome), begun) in self.targets.iter().zip(&outcomes).zip(&self.begun) {
            let full = outcome.outcome.as_ref().is_err_and(RecoveryError::is_full);
            if *begun && outcome.outcome.is_err() && (full || !whole) {
                target.abandon(self.set);
            }
        }
        outcomes
    }
}

impl Run<'_> {
    /// Gives the set its name on a target and reads it back. One that does not read back must not look whole.
    fn publish(&self, target: &dyn Target, key: &VerifierKey) -> Result<Verified, RecoveryError> {
        target.publish(self.set).map_err(RecoveryError::target("giving the set its name"))?;
        verify_set(target, self.set, key, Some(self.job.progress)).map(|(verified, _)| verified).inspect_err(|_| {
            if let Err(error) = target.remove(self.set) {
                tracing::error!(target_name = target.name(), set = %self.set, %error, "a set that does not read back could not be removed; remove it by hand");
            }
        })
    }
}

/// Where a sealed file lies below its folder.
pub(crate) fn place_of(id: RecordId) -> String {
    format!("{:02x}/{id}", id.as_bytes().last().copied().unwrap_or_default())
}

fn file_of(
    packer: &mut Packer<&mut Out>,
    path: &str,
    from: &std::path::Path,
    pace: &mut Pace<'_>,
) -> Result<(), RecoveryError> {
    let failed = || format!("reading {path}");
    let file = File::open(from).map_err(RecoveryError::target(failed()))?;
    let bytes = file.metadata().map_err(RecoveryError::target(failed()))?.len();
    packer.file(path, bytes, io::BufReader::with_capacity(FILE_CHUNK_LEN, file), pace)
}

/// The database file, read from its beginning.
struct Frozen<'s> {
    snapshot: &'s Snapshot,
    at: u64,
}

impl Read for Frozen<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(BLOCK);
        let read = self.snapshot.read_database(buffer.get_mut(..length).unwrap_or_default(), self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
