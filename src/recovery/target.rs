//! Where sets are kept. A target takes a set under a name that nobody mistakes for a whole one, and gives it its real name
//! last. The first kind is a folder: a second disk, or what is mounted there (NFS, SMB).

use crate::RecoveryError;
use kernel::Timestamp;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What the folder of a set is called before it is whole, and while it goes.
const HALF: &str = ".part";
const GOING: &str = ".going";
/// Names that are looked at in a target; more are left alone.
const NAMES_MAX: usize = 100_000;

/// The name of a set: its number, and its moment for people. They sort in the order they were made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetName(String);

impl SetName {
    /// The name of a set of this number and moment.
    pub fn new(sequence: u64, at: Timestamp) -> Self {
        Self(format!("set-{sequence:08}-{}", at.to_datetime().format("%Y%m%dT%H%M%SZ")))
    }
    /// Its number.
    pub fn sequence(&self) -> u64 {
        self.0.get(4..12).and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SetName {
    type Err = RecoveryError;
    fn from_str(text: &str) -> Result<Self, RecoveryError> {
        let parts: Vec<&str> = text.split('-').collect();
        let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        let moment = |text: &str| {
            text.len() == 16
                && text.bytes().enumerate().all(|(at, byte)| match at {
                    8 => byte == b'T',
                    15 => byte == b'Z',
                    _ => byte.is_ascii_digit(),
                })
        };
        match parts.as_slice() {
            ["set", sequence, at] if digits(sequence, 8) && moment(at) => Ok(Self(text.to_owned())),
            _ => Err(RecoveryError::Refused(format!(
                "{text:?} is not the name of a set (set-00000001-20260131T021500Z)"
            ))),
        }
    }
}

/// A file on its way to a target.
pub trait PartSink: Write + Send {
    /// Makes it durable. Without this it counts for nothing.
    ///
    /// # Errors
    /// What the target says.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// A place for the sets of one appliance.
pub trait Target: Send + Sync {
    /// What the operator calls it.
    fn name(&self) -> &str;
    /// Begins a set under a name that nobody mistakes for a whole one.
    ///
    /// # Errors
    /// What the target says.
    fn begin(&self, set: &SetName) -> io::Result<()>;
    /// Goes on with a set that was begun here before: what was finished of it stays. Where there is nothing, it begins.
    ///
    /// # Errors
    /// What the target says.
    fn resume(&self, set: &SetName) -> io::Result<()> {
        self.begin(set)
    }
    /// A file of a set that was begun and is not whole yet. It may be half written.
    ///
    /// # Errors
    /// What the target says.
    fn kept(&self, _set: &SetName, _file: &str) -> io::Result<Box<dyn Read + Send>> {
        Err(io::ErrorKind::NotFound.into())
    }
    /// The sets that were begun here and are not whole.
    ///
    /// # Errors
    /// What the target says.
    fn halves(&self) -> io::Result<Vec<SetName>> {
        Ok(Vec::new())
    }
    /// Begins a file of a set that was begun; over one that was half written.
    ///
    /// # Errors
    /// What the target says.
    fn part(&self, set: &SetName, file: &str) -> io::Result<Box<dyn PartSink>>;
    /// Gives a set that was begun its real name. When this returns, that is durable.
    ///
    /// # Errors
    /// What the target says; the set is then not there.
    fn publish(&self, set: &SetName) -> io::Result<()>;
    /// Takes away what is left of a set that was begun.
    fn abandon(&self, set: &SetName);
    /// A file of a whole set, as it lies there: not from a memory of writing it.
    ///
    /// # Errors
    /// What the target says.
    fn read(&self, set: &SetName, file: &str) -> io::Result<Box<dyn Read + Send>>;
    /// The whole sets, oldest first.
    ///
    /// # Errors
    /// What the target says.
    fn list(&self) -> io::Result<Vec<SetName>>;
    /// Removes a whole set; from the first moment on it no longer looks like one.
    ///
    /// # Errors
    /// What the target says.
    fn remove(&self, set: &SetName) -> io::Result<()>;
    /// Free bytes, where the target knows.
    fn free_bytes(&self) -> Option<u64>;
    /// What may be appliances that have sets beside this one's: the folders there.
    ///
    /// # Errors
    /// What the target says. A target that holds the sets of one only refuses.
    fn appliances(&self) -> io::Result<Vec<String>> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Tries out what a set needs of it with a small file named after `word`, and takes that away again. It ends at the first
    /// step after which the others make no sense.
    fn try_out(&self, word: &str) -> Vec<TargetStep>;
    /// The names of the files in a folder beside the sets; none when there is no such folder yet.
    ///
    /// # Errors
    /// What the target says. A target without such files refuses.
    fn loose(&self, _folder: &str) -> io::Result<Vec<String>> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// One of these files, as it lies there now; `path` is its folder and its name.
    ///
    /// # Errors
    /// What the target says.
    fn loose_read(&self, _path: &str) -> io::Result<Box<dyn Read + Send>> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Puts such a file there whole, over one of that name. When this returns, that is durable.
    ///
    /// # Errors
    /// What the target says; nothing is half there then.
    fn loose_keep(&self, _path: &str, _bytes: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Removes such a file. One that is not there is what was wanted.
    ///
    /// # Errors
    /// What the target says.
    fn loose_remove(&self, _path: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// One step of trying a target out.
pub struct TargetStep {
    /// What was done, in English: `write`.
    pub step: &'static str,
    /// How it went.
    pub outcome: io::Result<()>,
}

impl TargetStep {
    /// A step that went so.
    pub fn new(step: &'static str, outcome: io::Result<()>) -> Self {
        Self { step, outcome }
    }
    /// A step that is well when these bytes came back.
    pub fn same(step: &'static str, found: io::Result<Vec<u8>>, wanted: &[u8]) -> Self {
        let differs = || io::Error::new(io::ErrorKind::InvalidData, "what came back is not what was written");
        Self::new(step, found.and_then(|found| if found == wanted { Ok(()) } else { Err(differs()) }))
    }
    /// Whether it went well.
    pub fn is_well(&self) -> bool {
        self.outcome.is_ok()
    }
}

/// A folder with a folder of its own for each appliance.
pub struct DirectoryTarget {
    name: String,
    dir: PathBuf,
}

impl DirectoryTarget {
    /// The sets of `appliance` below `root`. `root` has to be there: a mount that is missing is no place for sets.
    pub fn new(name: &str, root: &Path, appliance: &str) -> Self {
        Self { name: name.to_owned(), dir: root.join(appliance) }
    }
    /// A folder that holds sets itself; for reading them where they were found.
    pub fn holding_sets(dir: &Path) -> Self {
        Self { name: dir.display().to_string(), dir: dir.to_owned() }
    }
    fn half(&self, set: &SetName) -> PathBuf {
        self.dir.join(format!("{set}{HALF}"))
    }
    fn whole(&self, set: &SetName) -> PathBuf {
        self.dir.join(set.as_str())
    }
}

struct FileSink(File);

impl Write for FileSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl PartSink for FileSink {
    fn finish(self: Box<Self>) -> io::Result<()> {
        self.0.sync_all()
    }
}

fn read_from_disk(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let file = File::open(path)?;
    // What was just written is still in memory; the disk is what has to be right. It is a hint, so a refusal is none.
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    Ok(Box::new(file))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Target for DirectoryTarget {
    fn name(&self) -> &str {
        &self.name
    }
    fn begin(&self, set: &SetName) -> io::Result<()> {
        match fs::DirBuilder::new().mode(0o700).create(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        remove_if_there(&self.half(set))?;
        fs::DirBuilder::new().mode(0o700).create(self.half(set))
    }
    fn resume(&self, set: &SetName) -> io::Result<()> {
        if self.half(set).is_dir() { Ok(()) } else { self.begin(set) }
    }
    fn kept(&self, set: &SetName, file: &str) -> io::Result<Box<dyn Read + Send>> {
        read_from_disk(&self.half(set).join(file))
    }
    fn halves(&self) -> io::Result<Vec<SetName>> {
        let names = self.loose(".")?;
        Ok(names.iter().filter_map(|name| name.strip_suffix(HALF)?.parse().ok()).collect())
    }
    fn part(&self, set: &SetName, file: &str) -> io::Result<Box<dyn PartSink>> {
        let path = self.half(set).join(file);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        Ok(Box::new(FileSink(file)))
    }
    fn publish(&self, set: &SetName) -> io::Result<()> {
        sync_folder(&self.half(set))?;
        fs::rename(self.half(set), self.whole(set))?;
        sync_folder(&self.dir)
    }
    fn abandon(&self, set: &SetName) {
        if let Err(error) = remove_if_there(&self.half(set)) {
            tracing::warn!(target_name = self.name, %set, %error, "what is left of a set could not be taken away");
        }
    }
    fn read(&self, set: &SetName, file: &str) -> io::Result<Box<dyn Read + Send>> {
        read_from_disk(&self.whole(set).join(file))
    }
    fn list(&self) -> io::Result<Vec<SetName>> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // No set yet is one thing, a place that is not there another.
                return self.dir.parent().map_or(Ok(()), |root| fs::metadata(root).map(drop)).map(|()| Vec::new());
            }
            entries => entries?,
        };
        let mut sets = Vec::new();
        for entry in entries.take(NAMES_MAX) {
            sets.extend(entry?.file_name().to_str().and_then(|name| name.parse().ok()));
        }
        sets.sort();
        Ok(sets)
    }
    fn remove(&self, set: &SetName) -> io::Result<()> {
        let going = self.dir.join(format!("{set}{GOING}"));
        remove_if_there(&going)?;
        fs::rename(self.whole(set), &going)?;
        sync_folder(&self.dir)?;
        fs::remove_dir_all(going)
    }
    fn try_out(&self, word: &str) -> Vec<TargetStep> {
        let root = self.dir.parent().unwrap_or(&self.dir);
        let (half, whole) = (root.join(format!(".probe-{word}{HALF}")), root.join(format!(".probe-{word}")));
        let write = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&half)?;
            file.write_all(word.as_bytes())?;
            file.sync_all()
        };
        let mut steps = vec![TargetStep::new("write", write())];
        if steps.iter().all(TargetStep::is_well) {
            steps.push(TargetStep::new("rename", fs::rename(&half, &whole).and_then(|()| sync_folder(root))));
            steps.push(TargetStep::same("read back", fs::read(&whole), word.as_bytes()));
            let left = if whole.exists() { &whole } else { &half };
            steps.push(TargetStep::new("remove", fs::remove_file(left)));
        }
        steps
    }
    fn free_bytes(&self) -> Option<u64> {
        let place = if self.dir.exists() { self.dir.as_path() } else { self.dir.parent()? };
        rustix::fs::statvfs(place).ok().map(|found| found.f_bavail.saturating_mul(found.f_frsize))
    }
    fn loose(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.dir.join(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return self.dir.parent().map_or(Ok(()), |root| fs::metadata(root).map(drop)).map(|()| Vec::new());
            }
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry?.file_name().to_str().map(str::to_owned));
        }
        Ok(names)
    }
    fn loose_read(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(self.dir.join(path))?))
    }
    fn loose_keep(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let whole = self.dir.join(path);
        let folder = whole.parent().unwrap_or(&self.dir);
        for made in [self.dir.as_path(), folder] {
            match fs::DirBuilder::new().mode(0o700).create(made) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        let half = self.dir.join(format!("{path}{HALF}"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
        file.write_all(bytes).and_then(|()| file.sync_all())?;
        fs::rename(&half, &whole)?;
        sync_folder(folder)
    }
    fn loose_remove(&self, path: &str) -> io::Result<()> {
        match fs::remove_file(self.dir.join(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// One file on its way to several targets at once. A target that fails drops out and is told why; the others go on.
pub(crate) struct Out {
    file: String,
    sinks: Vec<(usize, Box<dyn PartSink>)>,
    failed: Vec<(usize, RecoveryError)>,
}

impl Out {
    /// Begins the file on those targets that have not failed yet.
    pub(crate) fn begin(targets: &[&dyn Target], alive: &[bool], set: &SetName, file: &str) -> Self {
        let mut out = Self { file: file.to_owned(), sinks: Vec::new(), failed: Vec::new() };
        for (at, target) in targets.iter().enumerate().filter(|(at, _)| alive.get(*at) == Some(&true)) {
            match target.part(set, file) {
                Ok(sink) => out.sinks.push((at, sink)),
                Err(cause) => out.failed.push((at, RecoveryError::Target { what: format!("beginning {file}"), cause })),
            }
        }
        out
    }

    /// Makes it durable everywhere; which targets have failed with it.
    pub(crate) fn finish(mut self) -> Vec<(usize, RecoveryError)> {
        for (at, sink) in self.sinks {
            if let Err(cause) = sink.finish() {
                self.failed.push((at, RecoveryError::Target { what: format!("writing {}", self.file), cause }));
            }
        }
        self.failed
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = &self.file;
        let failed = &mut self.failed;
        self.sinks.retain_mut(|(at, sink)| match sink.write_all(bytes) {
            Ok(()) => true,
            Err(cause) => {
                failed.push((*at, RecoveryError::Target { what: format!("writing {file}"), cause }));
                false
            }
        });
        if self.sinks.is_empty() { Err(io::Error::other("no target is left")) } else { Ok(bytes.len()) }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
