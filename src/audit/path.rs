//! Names of the log's files below its folder (C2SP tlog-tiles). Touches no file.

use std::path::PathBuf;

/// Hashes or entries in one full tile.
pub(crate) const TILE_WIDTH: usize = 256;
/// The same, for arithmetic on positions.
pub(crate) const TILE_SPAN: u64 = 256;
/// The name of the signed checkpoint.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// Which row of tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shelf {
    /// Hashes at this tile level, 0 to 7: level n holds the roots of full tiles of level n - 1.
    Hashes(u8),
    /// The entries themselves.
    Entries,
}

/// One tile or bundle, full (width 256) or partial (1 to 255).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TileName {
    pub(crate) shelf: Shelf,
    pub(crate) number: u64,
    pub(crate) width: usize,
}

impl TileName {
    /// The tile of this number in a log of `size` entries; `None` when that log has no such tile.
    pub(crate) fn in_log(shelf: Shelf, number: u64, size: u64) -> Option<Self> {
        let items = items_at(shelf, size);
        let rest = items.checked_sub(number.checked_mul(TILE_SPAN)?).filter(|rest| *rest > 0)?;
        Some(Self { shelf, number, width: usize::try_from(rest.min(TILE_SPAN)).unwrap_or(TILE_WIDTH) })
    }

    /// Reads a path as [`TileName::path`] writes it; every other spelling is `None`.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let (shelf, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let shelf = if shelf == "entries" { Shelf::Entries } else { Shelf::Hashes(shelf.parse().ok()?) };
        let (digits, width) = match rest.split_once(".p/") {
            Some((digits, width)) => (digits, width.parse().ok().filter(|width| (1..TILE_WIDTH).contains(width))?),
            None => (rest, TILE_WIDTH),
        };
        let number = digits.split('/').try_fold(0u64, |number, part| {
            let part: u64 = part.strip_prefix('x').unwrap_or(part).parse().ok()?;
            number.checked_mul(1000)?.checked_add(part)
        })?;
        Some(Self { shelf, number, width }).filter(|name| name.path() == path)
    }

    /// The name without a mark of width.
    fn full(&self) -> String {
        let mut parts = vec![format!("{:03}", self.number % 1000)];
        let mut rest = self.number / 1000;
        while rest > 0 {
            parts.push(format!("x{:03}", rest % 1000));
            rest /= 1000;
        }
        parts.reverse();
        let parts = parts.join("/");
        match self.shelf {
            Shelf::Hashes(level) => format!("tile/{level}/{parts}"),
            Shelf::Entries => format!("tile/entries/{parts}"),
        }
    }

    /// The folder of the partial tiles of this number.
    pub(crate) fn partials(&self) -> PathBuf {
        PathBuf::from(format!("{}.p", self.full()))
    }

    /// The path, with slashes, as in findings and in addresses.
    pub(crate) fn path(&self) -> String {
        if self.width == TILE_WIDTH { self.full() } else { format!("{}.p/{}", self.full(), self.width) }
    }

    /// The path of the full tile of this number.
    pub(crate) fn full_path(&self) -> String {
        self.full()
    }
}

/// How many hashes (or entries) a log of `size` entries has on this shelf.
pub(crate) fn items_at(shelf: Shelf, size: u64) -> u64 {
    match shelf {
        Shelf::Hashes(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
        Shelf::Entries => size,
    }
}
