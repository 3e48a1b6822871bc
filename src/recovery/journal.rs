//! The files of a stream: segments one after another, in files named by the number of the stream and of their first segment.
//! One writer appends to them in a folder; readers take them from a folder or from any target. A file that ends in the
//! middle of a segment is one whose writer was interrupted; the next file then begins with that segment. Files that hold few
//! segments have an ending of their own: what they hold is put together in another file later, and then they go.

use crate::manifest::hex;
use crate::segment::{Found, Segment, SegmentHash};
use crate::{RecoveryError, Target};
use audit::VerifierKey;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The folder of streams on a target.
pub(crate) const STREAMS: &str = "stream";
const ENDING: &str = ".seg";
/// Of a file that is put together with its neighbours later. No name is ever written twice, so none is half replaced.
const ENDING_FEW: &str = ".few";
/// From this size on a new file is begun, so that old ones can go.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// And from this number of segments on, so that a start need not read many of them.
const FILE_SEGMENTS_MAX: u64 = 4096;

/// The name of a file of a stream: its number, and that of its first segment. They sort in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamFile {
    /// The stream.
    pub stream: u32,
    /// Its first segment.
    pub first: u64,
    /// Whether it goes when its segments were put together with others.
    pub few: bool,
}

impl std::fmt::Display for StreamFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ending = if self.few { ENDING_FEW } else { ENDING };
        write!(f, "{:08}-{:012}{ending}", self.stream, self.first)
    }
}

impl FromStr for StreamFile {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let few = text.ends_with(ENDING_FEW);
        let stem = text.strip_suffix(if few { ENDING_FEW } else { ENDING });
        let (stream, first) = stem.and_then(|stem| stem.split_once('-')).ok_or(())?;
        let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(stream, 8) || !digits(first, 12) {
            return Err(());
        }
        Ok(Self { stream: stream.parse().map_err(|_| ())?, first: first.parse().map_err(|_| ())?, few })
    }
}

impl StreamFile {
    /// Its place on a target.
    pub(crate) fn on_target(&self) -> String {
        format!("{STREAMS}/{self}")
    }
}

fn files_of(target: &dyn Target) -> io::Result<Vec<StreamFile>> {
    let mut files: Vec<StreamFile> = target.loose(STREAMS)?.iter().filter_map(|name| name.parse().ok()).collect();
    files.sort();
    Ok(files)
}

/// The files of streams on a target, in order.
pub(crate) fn stream_files(target: &dyn Target) -> Result<Vec<StreamFile>, RecoveryError> {
    files_of(target).map_err(RecoveryError::target("listing the streams"))
}

/// The writer of a stream, in a folder.
pub(crate) struct Journal {
    folder: PathBuf,
    stream: u32,
    synced: bool,
    file: Option<Open>,
}

struct Open {
    file: File,
    bytes: u64,
    segments: u64,
}

impl Journal {
    pub(crate) fn new(folder: &Path, stream: u32, synced: bool) -> Self {
        Self { folder: folder.to_owned(), stream, synced, file: None }
    }

    /// Appends whole segments that begin with number `first`. When this returns and the journal is a synced one, they are on
    /// disk. After an error the next attempt begins a new file.
    pub(crate) fn append(&mut self, first: u64, segments: u64, bytes: &[u8]) -> io::Result<()> {
        let mut open = match self.file.take() {
            Some(open) if open.bytes < FILE_BYTES_MAX && open.segments < FILE_SEGMENTS_MAX => open,
            _ => self.begin(first)?,
        };
        open.file.write_all(bytes)?;
        if self.synced {
            open.file.sync_data()?;
        }
        open.bytes += bytes.len() as u64;
        open.segments += segments;
        self.file = Some(open);
        Ok(())
    }

    fn begin(&self, first: u64) -> io::Result<Open> {
        let path = self.folder.join(StreamFile { stream: self.stream, first, few: false }.to_string());
        // A file of this name holds nothing that anybody counts on: its first segment was never said to be there.
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        if self.synced {
            file.sync_all()?;
            File::open(&self.folder)?.sync_all()?;
        }
        Ok(Open { file, bytes: 0, segments: 0 })
    }
}

/// Makes the folder of streams below the folder of an appliance, whose own parent has to be there.
pub(crate) fn make_folder(house: &Path) -> io::Result<PathBuf> {
    let folder = house.join(STREAMS);
    for path in [house, &folder] {
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(folder)
}

/// The files of a folder, in order.
pub(crate) fn folder_files(folder: &Path) -> io::Result<Vec<StreamFile>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        files.extend(entry?.file_name().to_str().and_then(|name| name.parse::<StreamFile>().ok()));
    }
    files.sort();
    Ok(files)
}

/// Before which segment the journal of a stream begins, and the hash of what was there.
pub(crate) fn journal_begin(folder: &Path, stream: u32) -> io::Result<Option<(u64, SegmentHash)>> {
    let Some(file) = folder_files(folder)?.into_iter().find(|file| file.stream == stream) else { return Ok(None) };
    Ok(match Segment::next(&mut BufReader::new(File::open(folder.join(file.to_string()))?))? {
        Found::Segment(segment) => Some((segment.head.number.saturating_sub(1), segment.head.before)),
        Found::End | Found::Cut | Found::Altered => None,
    })
}

/// The last whole segment of a stream in a folder, newest stream first.
pub(crate) fn last_segment(folder: &Path, key: &VerifierKey) -> io::Result<Option<(u32, Segment)>> {
    let files = folder_files(folder)?;
    let newest = files.last().map(|file| file.stream);
    for file in files.iter().rev().take_while(|file| Some(file.stream) == newest) {
        let mut from = BufReader::new(File::open(folder.join(file.to_string()))?);
        let mut last = None;
        while let Found::Segment(segment) = Segment::next(&mut from)? {
            if !segment.is_signed_by(key) {
                break;
            }
            last = Some(segment);
        }
        if let Some(last) = last {
            return Ok(Some((file.stream, *last)));
        }
    }
    Ok(None)
}

/// Where a stream is being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamPlace {
    /// The number of the stream.
    pub stream: u32,
    /// Its name; `None` before its first segment was seen.
    pub name: Option<[u8; 16]>,
    /// The last segment that is known.
    pub number: u64,
    /// Its hash.
    pub hash: SegmentHash,
}

/// What comes next in a stream.
pub(crate) enum Next {
    /// A segment that belongs there.
    Segment(Box<Segment>),
    /// Nothing yet; `true` when the last file ends in the middle of a segment.
    End(bool),
    /// Something else; the text names the file and what is wrong.
    Broken(String),
}

type Bytes = BufReader<Box<dyn io::Read + Send>>;
type Opener<'t> = Box<dyn Fn(&StreamFile) -> io::Result<Box<dyn io::Read + Send>> + Send + 't>;
type Lister<'t> = Box<dyn Fn() -> io::Result<Vec<StreamFile>> + Send + 't>;

/// Reads a stream in order, from one file to the next. What does not belong is named, and never handed on.
pub(crate) struct Reading<'t> {
    open: Opener<'t>,
    list: Lister<'t>,
    files: Vec<StreamFile>,
    at: StreamPlace,
    key: VerifierKey,
    current: Option<(StreamFile, Bytes)>,
}

impl<'t> Reading<'t> {
    /// Reads on from `at`, from a target.
    pub(crate) fn of_target(target: &'t dyn Target, at: StreamPlace, key: &VerifierKey) -> Self {
        let open = Box::new(move |file: &StreamFile| target.loose_read(&file.on_target()));
        let list = Box::new(move || files_of(target));
        Self { open, list, files: Vec::new(), at, key: key.clone(), current: None }
    }

    /// Reads on from `at`, from a folder.
    pub(crate) fn of_folder(folder: &Path, at: StreamPlace, key: &VerifierKey) -> Reading<'static> {
        let (from, listed) = (folder.to_owned(), folder.to_owned());
        let open = Box::new(move |file: &StreamFile| {
            let file = File::open(from.join(file.to_string()))?;
            Ok(Box::new(file) as Box<dyn io::Read + Send>)
        });
        let list = Box::new(move || folder_files(&listed));
        Reading { open, list, files: Vec::new(), at, key: key.clone(), current: None }
    }

    /// Looks anew which files there are.
    pub(crate) fn refresh(&mut self) -> Result<(), RecoveryError> {
        self.files = (self.list)().map_err(RecoveryError::target("listing the streams"))?;
        Ok(())
    }

    /// Where it is.
    pub(crate) fn at(&self) -> &StreamPlace {
        &self.at
    }

    /// The file that should hold the next segment, and the one behind it.
    fn file(&self) -> Option<(StreamFile, Option<StreamFile>)> {
        let wanted = self.at.number + 1;
        let mine = || self.files.iter().filter(|file| file.stream == self.at.stream);
        let file = mine().rfind(|file| file.first <= wanted)?;
        Some((*file, mine().find(|next| next.first > file.first).copied()))
    }

    /// The next segment.
    pub(crate) fn next(&mut self) -> Result<Next, RecoveryError> {
        let found = self.look();
        if matches!(found, Ok(Next::Segment(_))) && !self.files.is_empty() {
            return found;
        }
        // A new file may have been begun meanwhile, or some were put together in one while they were listed.
        let files = (self.list)().map_err(RecoveryError::target("listing the streams"))?;
        if files == self.files {
            return found;
        }
        (self.files, self.current) = (files, None);
        self.look()
    }

    fn look(&mut self) -> Result<Next, RecoveryError> {
        let wanted = self.at.number + 1;
        let Some((file, behind)) = self.file() else {
            let later = self.files.iter().find(|file| file.stream == self.at.stream);
            let told = |later: &StreamFile| Next::Broken(format!("the file before {later} is missing"));
            return Ok(later.map_or(Next::End(false), told));
        };
        let failed = || RecoveryError::target(format!("reading {file}"));
        if self.current.as_ref().is_none_or(|(current, _)| *current != file) {
            let opened = (self.open)(&file).map_err(failed())?;
            self.current = Some((file, BufReader::with_capacity(256 * 1024, opened)));
        }
        let Some((_, from)) = &mut self.current else { return Ok(Next::End(false)) };
        let found = loop {
            match Segment::next(from).map_err(failed())? {
                Found::Segment(segment) if segment.head.number < wanted => {}
                found => break found,
            }
        };
        let altered = || format!("segment {wanted} in {file} was altered");
        let segment = match (found, behind) {
            (Found::Segment(segment), _) => segment,
            (Found::Altered, None) => return Ok(Next::Broken(altered())),
            (_, Some(behind)) => {
                return Ok(Next::Broken(format!("{file} is cut or altered: {behind} does not follow it")));
            }
            (Found::End, None) => return Ok(Next::End(false)),
            (Found::Cut, None) => {
                // Read from its beginning the next time: what was read of the half is gone.
                self.current = None;
                return Ok(Next::End(true));
            }
        };
        Ok(match self.wrong(&segment) {
            Some(what) => Next::Broken(format!("segment {wanted} in {file} {what}")),
            None => {
                self.at.name = Some(segment.head.stream);
                (self.at.number, self.at.hash) = (wanted, segment.hash);
                Next::Segment(segment)
            }
        })
    }

    fn wrong(&self, segment: &Segment) -> Option<String> {
        let wanted = self.at.number + 1;
        if !segment.is_signed_by(&self.key) {
            Some("was altered, or is not signed by the key of this appliance's log".to_owned())
        } else if segment.head.number != wanted {
            Some(format!("is number {}", segment.head.number))
        } else if segment.head.before != self.at.hash || self.at.name.is_some_and(|name| name != segment.head.stream) {
            Some(format!("does not follow {}", hex(&self.at.hash)))
        } else {
            None
        }
    }
}
