//! What the process says about itself, line by line on its error stream: text for people or JSON for collectors. Where that stream
//! is the journal, each line begins with its level as sd-daemon(3) has it, so that `journalctl -p warning` finds what it should.
//! It is not the audit log, and holds no secret and no personal value.

use crate::config::LogConfig;
use std::io::{self, Write};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

/// The level from which on lines are written; it can be changed while the process runs.
pub(crate) struct LogLevel(reload::Handle<EnvFilter, Registry>);

impl LogLevel {
    /// From now on.
    pub(crate) fn set(&self, level: Level) {
        if let Err(error) = self.0.reload(filter(level)) {
            tracing::warn!(%error, "the level of these lines could not be changed");
        }
    }
}

/// From here on the process says what an operator needs.
pub(crate) fn begin(config: LogConfig) -> LogLevel {
    let (level, handle) = reload::Layer::new(filter(config.level));
    let lines = Lines { journal: stderr_is_the_journal() };
    // The journal has the time of each line already.
    let layer = tracing_subscriber::fmt::layer().with_target(false).with_ansi(false).with_writer(lines);
    let layer = match (config.json, lines.journal) {
        (true, _) => layer.json().boxed(),
        (false, true) => layer.without_time().with_level(false).boxed(),
        (false, false) => layer.boxed(),
    };
    // A second call in one process keeps the first writer.
    let _ = tracing_subscriber::registry().with(level).with(layer).try_init();
    LogLevel(handle)
}

/// The HTTP library tells of its own workers; an operator needs only its warnings.
fn filter(level: Level) -> EnvFilter {
    EnvFilter::new(format!("{level},actix_server=warn,actix_web=warn"))
}

/// Whether the error stream leads to the journal: `JOURNAL_STREAM` names the device and inode of the stream that does.
fn stderr_is_the_journal() -> bool {
    let named = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    let found = rustix::fs::fstat(io::stderr()).map(|stat| format!("{}:{}", stat.st_dev, stat.st_ino));
    found.is_ok_and(|found| found == named)
}

/// Writes lines, with their level in front where the journal reads them.
#[derive(Clone, Copy)]
struct Lines {
    journal: bool,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;
    fn make_writer(&'a self) -> Line {
        Line { priority: None }
    }
    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line {
        Line { priority: self.journal.then(|| priority(meta.level())) }
    }
}

/// The levels of syslog.
fn priority(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

struct Line {
    priority: Option<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // One call: lines of several threads must not mix.
        io::stderr().lock().write_all(&marked(self.priority, bytes))?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

/// The text with its level before each line: the journal takes each for a message of its own.
fn marked(priority: Option<u8>, bytes: &[u8]) -> Vec<u8> {
    let Some(priority) = priority else { return bytes.to_vec() };
    let mut text = Vec::with_capacity(bytes.len() + 8);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        text.extend_from_slice(format!("<{priority}>").as_bytes());
        text.extend_from_slice(line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_level_where_the_journal_reads() {
        assert_eq!(marked(Some(4), b"one\n two\n"), b"<4>one\n<4> two\n");
        assert_eq!(marked(None, b"one\n"), b"one\n");
        let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG];
        assert_eq!(levels.map(|level| priority(&level)), [3, 4, 6, 7]);
    }
}
