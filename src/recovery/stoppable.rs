//! A target that can be told to stop giving: whatever reads from it ends then at its next block. It counts what was read, and
//! never writes.

use crate::target::{PartSink, Target, TargetStep};
use crate::{Progress, SetName};
use std::io::{self, Read};
use std::sync::Arc;

/// A target under a progress; for reading only.
pub(crate) struct Stoppable<'a> {
    inner: &'a dyn Target,
    progress: Arc<Progress>,
}

impl<'a> Stoppable<'a> {
    pub(crate) fn new(inner: &'a dyn Target, progress: &Arc<Progress>) -> Self {
        Self { inner, progress: Arc::clone(progress) }
    }
    fn counted(&self, from: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        Box::new(Counted { from, progress: Arc::clone(&self.progress) })
    }
}

fn going(progress: &Progress) -> io::Result<()> {
    // Not `Interrupted`: that is tried again by whoever reads.
    if progress.is_stopped() { Err(io::Error::other("stopped")) } else { Ok(()) }
}

struct Counted {
    from: Box<dyn Read + Send>,
    progress: Arc<Progress>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        going(&self.progress)?;
        let read = self.from.read(buffer)?;
        self.progress.count(read as u64);
        Ok(read)
    }
}

fn reads_only<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Target for Stoppable<'_> {
    fn name(&self) -> &str {
        self.inner.name()
    }
    fn begin(&self, _set: &SetName) -> io::Result<()> {
        reads_only()
    }
    fn part(&self, _set: &SetName, _file: &str) -> io::Result<Box<dyn PartSink>> {
        reads_only()
    }
    fn publish(&self, _set: &SetName) -> io::Result<()> {
        reads_only()
    }
    fn abandon(&self, _set: &SetName) {}
    fn read(&self, set: &SetName, file: &str) -> io::Result<Box<dyn Read + Send>> {
        going(&self.progress)?;
        Ok(self.counted(self.inner.read(set, file)?))
    }
    fn list(&self) -> io::Result<Vec<SetName>> {
        going(&self.progress)?;
        self.inner.list()
    }
    fn remove(&self, _set: &SetName) -> io::Result<()> {
        reads_only()
    }
    fn free_bytes(&self) -> Option<u64> {
        self.inner.free_bytes()
    }
    fn try_out(&self, word: &str) -> Vec<TargetStep> {
        self.inner.try_out(word)
    }
    fn loose(&self, folder: &str) -> io::Result<Vec<String>> {
        going(&self.progress)?;
        self.inner.loose(folder)
    }
    fn loose_read(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        going(&self.progress)?;
        Ok(self.counted(self.inner.loose_read(path)?))
    }
}
