//! Level 1: every hash of every tile is computed anew, from the entries or from the tiles below, and the root from the
//! leaves. Each level is compared with what lies on disk below it, so one altered byte is named where it is.

use crate::{
    checkpoint::Checkpoint,
    error::LogError,
    path::{CHECKPOINT, Shelf, TILE_SPAN, TILE_WIDTH, TileName},
    reader::TileReader,
    report::Report,
    tree::{Frontier, Hash, leaf_hash, perfect_root},
    verify_rows::RowWalk,
};

/// After so many neighbouring tiles and bundles that are both missing, the rest is not looked for: a forged checkpoint
/// may claim any size.
const MISSING_RUN_MAX: u32 = 16;

/// Hashes computed for a tile in progress; `None` where the tile below cannot be read.
#[derive(Default)]
struct Pending {
    number: u64,
    hashes: Vec<Option<Hash>>,
}

/// The walk over all tiles of a log, from the first to the last entry.
pub(crate) struct TileWalk<'a> {
    reader: TileReader,
    older: Option<&'a Checkpoint>,
    /// The tile in progress of level 1 and above.
    above: Vec<Pending>,
    frontier: Frontier,
    /// Whether every leaf was known, so that the root means something.
    whole: bool,
}

impl<'a> TileWalk<'a> {
    pub(crate) fn new(reader: TileReader, older: Option<&'a Checkpoint>) -> Self {
        Self { reader, older, above: Vec::new(), frontier: Frontier::default(), whole: true }
    }

    /// Walks to the end; false when it had to give up before.
    pub(crate) fn run(&mut self, root: &Hash, mut rows: Option<&mut RowWalk<'_>>, report: &mut Report) -> bool {
        let size = self.reader.size();
        let mut missing_run = 0;
        let mut number = 0;
        while let Some(name) = TileName::in_log(Shelf::Entries, number, size) {
            let entries = self.bundle(&name, report);
            let leaves = self.leaves(&name, entries.as_deref(), report);
            missing_run = if leaves.is_none() { missing_run + 1 } else { 0 };
            if missing_run > MISSING_RUN_MAX {
                report.find(1, name.path(), "this and what follows is missing; the rest was not looked at");
                return false;
            }
            if let Some(rows) = rows.as_deref_mut() {
                rows.sealed(number * TILE_SPAN, name.width, entries.as_deref(), leaves.as_deref(), report);
            }
            self.take_leaves(&name, leaves, report);
            number += 1;
        }
        self.finish_levels(report);
        if self.whole && self.frontier.root() != *root {
            report.find(1, CHECKPOINT, "the root differs from the one the tiles lead to");
        }
        true
    }

    fn bundle(&self, name: &TileName, report: &mut Report) -> Option<Vec<Vec<u8>>> {
        let entries = self.reader.bundle(name).map_err(|error| tell(name, &error, report)).ok()?;
        report.checked.entries += entries.len() as u64;
        Some(entries)
    }

    /// The leaf hashes of one bundle: those on disk, once compared; else the computed ones.
    fn leaves(&self, bundle: &TileName, entries: Option<&[Vec<u8>]>, report: &mut Report) -> Option<Vec<Hash>> {
        let name = TileName { shelf: Shelf::Hashes(0), ..*bundle };
        let computed: Option<Vec<Hash>> = entries.map(|entries| entries.iter().map(|entry| leaf_hash(entry)).collect());
        let Ok(tile) = self.reader.hashes(&name).map_err(|error| tell(&name, &error, report)) else {
            return computed;
        };
        report.checked.tiles += 1;
        if let Some(computed) = computed {
            report.checked.hashes += computed.len() as u64;
            for (position, _) in tile.iter().zip(&computed).enumerate().filter(|(_, (left, right))| left != right) {
                let entry = name.number * TILE_SPAN + position as u64;
                let detail = format!("hash {position} differs from entry {entry} in {}", bundle.path());
                report.find(1, name.path(), detail);
            }
        }
        Some(tile)
    }

    fn take_leaves(&mut self, name: &TileName, leaves: Option<Vec<Hash>>, report: &mut Report) {
        let Some(leaves) = leaves else {
            self.whole = false;
            if name.width == TILE_WIDTH {
                self.rise(1, None, report);
            }
            return;
        };
        for leaf in &leaves {
            self.check_older(report);
            self.frontier.push(*leaf);
        }
        self.check_older(report);
        if name.width == TILE_WIDTH {
            self.rise(1, Some(perfect_root(&leaves)), report);
        }
    }

    fn check_older(&mut self, report: &mut Report) {
        if let Some(older) = self.older.filter(|older| self.whole && older.size == self.frontier.size()) {
            self.older = None;
            if older.root != self.frontier.root() {
                let detail = format!("the first {} entries differ from those of the older checkpoint", older.size);
                report.find(1, CHECKPOINT, detail);
            }
        }
    }

    /// Hands the root of a full tile to the level above; checks that level's tile when it is full too.
    fn rise(&mut self, level: u8, hash: Option<Hash>, report: &mut Report) {
        let index = usize::from(level) - 1;
        if self.above.len() <= index {
            self.above.push(Pending::default());
        }
        let Some(pending) = self.above.get_mut(index) else { return };
        pending.hashes.push(hash);
        if pending.hashes.len() == TILE_WIDTH {
            let computed = std::mem::take(&mut pending.hashes);
            let number = pending.number;
            pending.number += 1;
            let root = self.compare(level, number, &computed, report);
            self.rise(level + 1, root, report);
        }
    }

    fn compare(&self, level: u8, number: u64, computed: &[Option<Hash>], report: &mut Report) -> Option<Hash> {
        let name = TileName { shelf: Shelf::Hashes(level), number, width: computed.len() };
        let on_disk = self.reader.hashes(&name).map_err(|error| tell(&name, &error, report)).ok();
        if let Some(tile) = &on_disk {
            report.checked.tiles += 1;
            for (position, (left, right)) in tile.iter().zip(computed).enumerate() {
                report.checked.hashes += 1;
                if right.is_some_and(|right| right != *left) {
                    let below = TileName {
                        shelf: Shelf::Hashes(level - 1),
                        number: number * TILE_SPAN + position as u64,
                        width: TILE_WIDTH,
                    };
                    report.find(1, name.path(), format!("hash {position} differs from the root of {}", below.path()));
                }
            }
        }
        let hashes = on_disk.or_else(|| computed.iter().copied().collect())?;
        (hashes.len() == TILE_WIDTH).then(|| perfect_root(&hashes))
    }

    fn finish_levels(&mut self, report: &mut Report) {
        for (level, pending) in (1u8..).zip(std::mem::take(&mut self.above)) {
            if !pending.hashes.is_empty() {
                self.compare(level, pending.number, &pending.hashes, report);
            }
        }
    }
}

fn tell(name: &TileName, error: &LogError, report: &mut Report) {
    let detail = match error {
        LogError::Missing { .. } => "the file is missing".to_owned(),
        LogError::Malformed { what, .. } => (*what).to_owned(),
        LogError::Read { cause, .. } => format!("the file cannot be read: {cause}"),
        other => other.to_string(),
    };
    report.find(1, name.path(), detail);
}
