//! Reads what was committed from the embedded engine's write-ahead log, whoever committed it: the format is SQLite's own
//! (<https://www.sqlite.org/fileformat2.html#walformat>). Every frame is believed only with its checksum, which chains from the
//! frame before. It writes nothing, and whether a log may begin anew is not its affair.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
/// The two magic numbers: checksums over little-endian and over big-endian words.
const MAGIC_LITTLE: u32 = 0x377f_0682;
const MAGIC_BIG: u32 = 0x377f_0683;
/// Largest page that the engine knows.
const PAGE_BYTES_MAX: u32 = 65_536;

/// A place in the write-ahead log: all frames before it are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalPlace {
    /// The salts of the log. The first goes up by one each time the log begins anew.
    pub(crate) salts: [u32; 2],
    /// Frames before this place.
    pub(crate) frames: u32,
    /// The checksum of the last of them; of the header when there is none.
    pub(crate) sums: [u32; 2],
}

impl WalPlace {
    /// Its bytes, for whoever keeps it.
    pub fn to_bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        let words = [self.salts[0], self.salts[1], self.frames, self.sums[0], self.sums[1]];
        for (to, word) in bytes.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }
    /// Read from its bytes.
    pub fn from_bytes(bytes: &[u8; 20]) -> Self {
        let mut words = bytes.chunks_exact(4).map(big);
        let mut next = || words.next().unwrap_or_default();
        Self { salts: [next(), next()], frames: next(), sums: [next(), next()] }
    }
}

/// What was read at once.
#[derive(Debug)]
pub(crate) struct WalRead {
    /// Pages by number, each as it was last.
    pub(crate) pages: BTreeMap<u32, Vec<u8>>,
    /// Pages of the database after the last commit in here; 0 when none ends in here.
    pub(crate) db_pages: u32,
    /// Commits that end in here.
    pub(crate) commits: u64,
    /// Where the next read begins.
    pub(crate) to: WalPlace,
    /// Whether it ends with a commit. A long one comes in several reads.
    pub(crate) border: bool,
}

/// What the log says to a place.
#[derive(Debug)]
pub(crate) enum WalAnswer {
    /// Nothing was committed since.
    Nothing,
    /// Something was.
    Read(WalRead),
    /// The place is no longer in it: it began anew with something between.
    Gone,
}

fn big(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |word, byte| (word << 8) | u32::from(*byte))
}

#[derive(Clone, Copy)]
struct Header {
    big_sums: bool,
    page_bytes: u32,
    start: WalPlace,
}

fn sum(big_sums: bool, sums: [u32; 2], bytes: &[u8]) -> [u32; 2] {
    let (mut one, mut two) = (sums[0], sums[1]);
    for pair in bytes.chunks_exact(8) {
        let (left, right) = pair.split_at(4);
        let word = |bytes: &[u8]| if big_sums { big(bytes) } else { big(bytes).swap_bytes() };
        one = one.wrapping_add(word(left)).wrapping_add(two);
        two = two.wrapping_add(word(right)).wrapping_add(one);
    }
    [one, two]
}

fn exact(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<bool> {
    match file.read_exact_at(bytes, offset) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn word_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, big)
}

fn header(file: &File) -> io::Result<Option<Header>> {
    let mut bytes = [0; HEADER_BYTES];
    if !exact(file, &mut bytes, 0)? {
        return Ok(None);
    }
    let magic = word_at(&bytes, 0);
    let big_sums = magic == MAGIC_BIG;
    let page_bytes = word_at(&bytes, 8);
    let sums = sum(big_sums, [0, 0], bytes.get(..24).unwrap_or_default());
    let whole = (big_sums || magic == MAGIC_LITTLE)
        && sums == [word_at(&bytes, 24), word_at(&bytes, 28)]
        && page_bytes.is_power_of_two()
        && (512..=PAGE_BYTES_MAX).contains(&page_bytes);
    let start = WalPlace { salts: [word_at(&bytes, 16), word_at(&bytes, 20)], frames: 0, sums };
    Ok(whole.then_some(Header { big_sums, page_bytes, start }))
}

/// One frame after another, as long as they belong together.
struct Frames<'f> {
    file: &'f File,
    header: Header,
    at: WalPlace,
    bytes: Vec<u8>,
}

impl<'f> Frames<'f> {
    fn new(file: &'f File, header: Header, at: WalPlace) -> Self {
        let bytes = vec![0; FRAME_HEADER_BYTES + header.page_bytes as usize];
        Self { file, header, at, bytes }
    }

    /// The next frame: its page, and the pages of the database if a commit ends with it.
    fn next(&mut self) -> io::Result<Option<(u32, u32)>> {
        let size = self.bytes.len() as u64;
        let offset = HEADER_BYTES as u64 + u64::from(self.at.frames) * size;
        if !exact(self.file, &mut self.bytes, offset)? {
            return Ok(None);
        }
        let (head, page) = self.bytes.split_at(FRAME_HEADER_BYTES);
        let sums = sum(self.header.big_sums, self.at.sums, head.get(..8).unwrap_or_default());
        let sums = sum(self.header.big_sums, sums, page);
        let number = word_at(head, 0);
        let ours = [word_at(head, 8), word_at(head, 12)] == self.header.start.salts;
        if number == 0 || !ours || sums != [word_at(head, 16), word_at(head, 20)] {
            return Ok(None);
        }
        self.at = WalPlace { frames: self.at.frames + 1, sums, ..self.at };
        Ok(Some((number, word_at(head, 4))))
    }

    fn page(&self) -> Vec<u8> {
        self.bytes.get(FRAME_HEADER_BYTES..).unwrap_or_default().to_vec()
    }
}

/// Where reading goes on from `from`: in this log, at its beginning when it began anew just once, or nowhere.
fn start(file: &File, from: WalPlace) -> io::Result<Option<(Header, WalPlace)>> {
    let Some(header) = header(file)? else { return Ok(None) };
    let at = if header.start.salts == from.salts { from } else { header.start };
    Ok(Some((header, at)))
}

/// Whether the log goes on from `from`.
pub(crate) fn continues(file: &File, from: WalPlace) -> io::Result<bool> {
    let Some(header) = header(file)? else { return Ok(from == WalPlace::default()) };
    if header.start.salts[0] == from.salts[0].wrapping_add(1) {
        return Ok(true);
    }
    if header.start.salts != from.salts {
        return Ok(false);
    }
    if from.frames == 0 {
        return Ok(header.start.sums == from.sums);
    }
    let size = FRAME_HEADER_BYTES as u64 + u64::from(header.page_bytes);
    let mut head = [0; FRAME_HEADER_BYTES];
    let found = exact(file, &mut head, HEADER_BYTES as u64 + u64::from(from.frames - 1) * size)?;
    let salts = [word_at(&head, 8), word_at(&head, 12)];
    Ok(found && salts == from.salts && [word_at(&head, 16), word_at(&head, 20)] == from.sums)
}

/// The place behind the last commit.
pub(crate) fn end(file: &File, from: WalPlace) -> io::Result<WalPlace> {
    let Some((header, at)) = start(file, from)? else { return Ok(from) };
    end_of(file, header, at)
}

fn end_of(file: &File, header: Header, at: WalPlace) -> io::Result<WalPlace> {
    let mut frames = Frames::new(file, header, at);
    let mut end = at;
    while let Some((_, db_pages)) = frames.next()? {
        if db_pages > 0 {
            end = frames.at;
        }
    }
    Ok(end)
}

/// What was committed since `from`, at most about this many frames at once; a commit that is longer comes in parts.
pub(crate) fn read(file: &File, from: WalPlace, frames_max: u32) -> io::Result<WalAnswer> {
    let Some((header, at)) = start(file, from)? else { return Ok(WalAnswer::Nothing) };
    let unknown = from == WalPlace::default();
    let anew = header.start.salts[0] == from.salts[0].wrapping_add(1);
    if header.start.salts != from.salts && !anew && !unknown {
        return Ok(WalAnswer::Gone);
    }
    read_on(file, header, at, frames_max)
}

/// What was committed behind `at` in the log that had this header. It may have begun anew since the header was read, when all of
/// it was shipped: then nothing of it is left behind `at`, and whoever looks again finds the new one. Looking at the header twice
/// would mix the two, and take for lost what is not.
fn read_on(file: &File, header: Header, at: WalPlace, frames_max: u32) -> io::Result<WalAnswer> {
    let last = end_of(file, header, at)?;
    if last.frames == at.frames {
        return Ok(WalAnswer::Nothing);
    }
    let mut frames = Frames::new(file, header, at);
    let mut read = WalRead { pages: BTreeMap::new(), db_pages: 0, commits: 0, to: at, border: false };
    let mut waiting = BTreeMap::new();
    while frames.at.frames < last.frames {
        let Some((number, db_pages)) = frames.next()? else { return Ok(WalAnswer::Gone) };
        waiting.insert(number, frames.page());
        let full = frames.at.frames - at.frames >= frames_max;
        if db_pages > 0 {
            read.pages.append(&mut waiting);
            (read.db_pages, read.commits) = (db_pages, read.commits + 1);
            (read.to, read.border) = (frames.at, true);
        }
        if full {
            break;
        }
    }
    if !read.border {
        (read.pages, read.to) = (waiting, frames.at);
    }
    Ok(WalAnswer::Read(read))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of one page for each commit, as SQLite writes it.
    fn log(salts: [u32; 2], commits: u32) -> Vec<u8> {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        let mut bytes = words(&[MAGIC_LITTLE, 3_007_000, 512, 1, salts[0], salts[1]]);
        let mut sums = sum(false, [0, 0], &bytes);
        bytes.extend(words(&sums));
        for number in 1..=commits {
            let (head, page) = (words(&[number, commits]), [number as u8; 512]);
            sums = sum(false, sum(false, sums, &head), &page);
            bytes.extend([head, words(&salts), words(&sums), page.to_vec()].concat());
        }
        bytes
    }

    fn commits(answer: WalAnswer) -> Option<u64> {
        match answer {
            WalAnswer::Nothing => Some(0),
            WalAnswer::Read(read) => Some(read.commits),
            WalAnswer::Gone => None,
        }
    }

    #[test]
    fn a_log_that_begins_anew_while_it_is_read_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wal");
        std::fs::write(&path, log([7, 1], 2)).unwrap();
        let file = File::open(&path).unwrap();
        let at = end(&file, WalPlace::default()).unwrap();
        assert_eq!((at.frames, commits(read(&file, at, 100).unwrap())), (2, Some(0)));
        // All of it was shipped. Between the look at its header and the look behind it another begins, and is longer.
        for longer in [1, 2, 5] {
            let old = header(&file).unwrap().unwrap();
            std::fs::write(&path, log([8, 99], longer)).unwrap();
            assert_eq!(commits(read_on(&file, old, at, 100).unwrap()), Some(0), "{longer}");
            assert!(continues(&file, at).unwrap());
            assert_eq!(commits(read(&file, at, 100).unwrap()), Some(u64::from(longer)));
            std::fs::write(&path, log([7, 1], 2)).unwrap();
        }
        // Twice anew is another matter: what was in between is gone.
        std::fs::write(&path, log([9, 5], 3)).unwrap();
        assert_eq!(commits(read(&file, at, 100).unwrap()), None);
    }
}
