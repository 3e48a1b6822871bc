//! The one writer. It takes the whole queue, runs each unit of work in a savepoint of one transaction, commits once and
//! answers all. No timer: whoever comes while a commit is under way forms the next group.
//!
//! The same on both engines. The log needs dense sequence numbers in commit order, so writers must pass one point anyway;
//! on PostgreSQL that point is an advisory lock, and grouping pays for the round trips.

use super::bell::Bell;
use super::dialect::{self, Indexing};
use super::{Access, Cell, Conn, EngineConfig, Handover, Line, Overflow, Sql, Waiting};
use crate::StoreError;
use crate::read::KnownFacts;
use metadata::ColumnType;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

/// Most units of one group; bounds how long the first of them waits.
const GROUP_UNITS_MAX: usize = 512;
/// Rows of one multi-row insert into the log.
const LOG_ROWS_PER_INSERT: usize = 32;
/// `EX_IOERR` of sysexits: the disk failed under the log, and nothing can be trusted after that.
const EXIT_DISK_FAILED: i32 = 74;

/// One entry on its way into the log.
pub(crate) struct LogRow {
    /// Microseconds since the epoch.
    pub(crate) at: i64,
    /// The record whose state the entry tells, for its history; reads are not indexed.
    pub(crate) changed: Option<kernel::RecordId>,
    /// Canonical bytes.
    pub(crate) bytes: Vec<u8>,
}

/// Why a group counts as not committed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotCommitted {
    /// It is not: nothing of it was kept.
    #[error("{0}")]
    Failed(String),
    /// The database went away between the commit and its answer, and nothing is left to tell by.
    #[error("whether it was committed is unknown: {0}")]
    Unknown(String),
}

/// What a unit of work sees of its group.
pub(crate) struct Group<'c> {
    pub(crate) conn: &'c mut Conn,
    pub(crate) log: Vec<LogRow>,
    /// Entered just before the commit: the embedded engine writes its full-text index out at every savepoint, and each
    /// unit has one.
    pub(crate) search: Vec<Indexing>,
    /// What units have read and nobody else can change before the commit.
    pub(crate) known: Known,
}

/// What the units of a group hand on to each other.
#[derive(Default)]
pub(crate) struct Known {
    /// What decides who reaches records.
    pub(crate) facts: KnownFacts,
    /// The last human numbers, by object.
    pub(crate) numbers: BTreeMap<String, i64>,
}

/// Called once the group is on disk, or is not.
pub(crate) type Settle = Box<dyn FnOnce(Result<(), NotCommitted>) + Send>;
/// Runs inside the group; returns what to do once it is settled. Failing units roll back their own savepoint.
pub(crate) type Unit = Box<dyn FnOnce(&mut Group<'_>) -> Settle + Send>;

enum Message {
    Unit(Unit),
    Append(Vec<LogRow>, Settle),
    Stop,
}

/// The handle to the writer's thread.
pub(crate) struct Committer {
    queue: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    /// Starts the thread with a connection of its own; the bell rings after each group that changed a record.
    pub(crate) fn start(
        config: &EngineConfig,
        bell: Arc<Bell>,
        overflow: Arc<Overflow>,
        handover: Arc<Handover>,
    ) -> Result<Self, StoreError> {
        let line = Line::open(config, Access::Write)?;
        let (queue, messages) = channel();
        let thread = std::thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || run(line, &messages, &bell, (&overflow, &handover)))
            .map_err(|error| StoreError::config(format!("cannot start the writer: {error}")))?;
        Ok(Self { queue, thread: Some(thread) })
    }
    /// Queues a unit of work.
    pub(crate) fn unit(&self, unit: Unit) -> Result<(), StoreError> {
        self.queue.send(Message::Unit(unit)).map_err(|_| StoreError::Closed)
    }
    /// Queues entries that belong to no change.
    pub(crate) fn append(&self, rows: Vec<LogRow>, settle: Settle) -> Result<(), StoreError> {
        self.queue.send(Message::Append(rows, settle)).map_err(|_| StoreError::Closed)
    }
    /// Lets the queue run dry and joins the thread.
    pub(crate) fn stop(&mut self) {
        let _ = self.queue.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(mut line: Line, messages: &Receiver<Message>, bell: &Arc<Bell>, (overflow, handover): (&Overflow, &Handover)) {
    while let Ok(first) = messages.recv() {
        let mut batch = vec![first];
        while batch.len() < GROUP_UNITS_MAX {
            match messages.try_recv() {
                Ok(message) => batch.push(message),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        let stop = batch.iter().any(|message| matches!(message, Message::Stop));
        overflow.relieve(&mut line, handover);
        commit_group(&mut line, batch, bell, handover);
        if stop {
            break;
        }
    }
}

fn commit_group(line: &mut Line, batch: Vec<Message>, bell: &Arc<Bell>, handover: &Handover) {
    if let Err(error) = begin(line) {
        let cause = error.to_string();
        for message in batch {
            refuse(message, &cause);
        }
        return;
    }
    let mut settles = Vec::with_capacity(batch.len());
    let mut group = Group { conn: line.same(), log: Vec::new(), search: Vec::new(), known: Known::default() };
    for message in batch {
        match message {
            Message::Unit(unit) => settles.push(unit(&mut group)),
            Message::Append(rows, settle) => {
                group.log.extend(rows);
                settles.push(settle);
            }
            Message::Stop => {}
        }
    }
    let Group { log, search, .. } = group;
    let changed = log.iter().any(|row| row.changed.is_some());
    let outcome = commit(line, search, log);
    if let Err(cause) = &outcome {
        tracing::error!(%cause, "a group could not be committed");
    }
    if let Err(cause) = outcome {
        settles.into_iter().for_each(|settle| settle(Err(cause.clone())));
        return;
    }
    // Whoever ships what was committed lets the answers go; else nobody has to wait for it.
    let waiting = Waiting { settles, ring: changed.then(|| Arc::clone(bell)) };
    if let Some(waiting) = handover.give(waiting) {
        waiting.settle(Ok(()));
    }
}

/// Begins a group. Nothing of it has run yet, so it is safe to begin again when the connection turns out to be lost.
fn begin(line: &mut Line) -> Result<(), StoreError> {
    match dialect::begin_group(line.live()?) {
        Err(StoreError::Lost(_)) => dialect::begin_group(line.live()?),
        begun => begun,
    }
}

/// Writes the full-text entries and the log and commits, on the connection on which the group was begun.
fn commit(line: &mut Line, search: Vec<Indexing>, log: Vec<LogRow>) -> Result<(), NotCommitted> {
    let conn = line.same();
    let mut search = search.into_iter();
    let written =
        search.try_for_each(|indexing| dialect::index_tokens(conn, indexing)).and_then(|()| write_log(conn, log));
    let (last, error) = match written {
        Ok(last) => match conn.batch("COMMIT") {
            Ok(()) => return Ok(()),
            Err(error) => (Some(last), error),
        },
        Err(error) => (None, error),
    };
    let cause = error.to_string();
    if cause.contains("disk I/O error") {
        tracing::error!("the disk failed under the audit log; stopping (exit code {EXIT_DISK_FAILED})");
        std::process::exit(EXIT_DISK_FAILED);
    }
    match (error, last) {
        // The server may have committed before it went; its answer never came.
        (StoreError::Lost(_), Some(last)) => match last.map(|last| is_kept(line, &last)) {
            Some(Ok(true)) => Ok(()),
            Some(Ok(false)) => Err(NotCommitted::Failed(cause)),
            Some(Err(_)) | None => Err(NotCommitted::Unknown(cause)),
        },
        _ => {
            let _ = conn.batch("ROLLBACK");
            Err(NotCommitted::Failed(cause))
        }
    }
}

/// Whether the last entry of a group is in the database. Begun as a group: the writer's lock waits for the end of a
/// transaction whose connection was cut.
fn is_kept(line: &mut Line, (seq, bytes): &(i64, Vec<u8>)) -> Result<bool, StoreError> {
    let conn = line.live()?;
    dialect::begin_group(conn)?;
    let mut sql = Sql::new("SELECT \"bytes\" FROM \"k_audit\" WHERE \"seq\" = ");
    sql.bind(*seq);
    let found = conn.first(&sql, &[ColumnType::Binary]);
    conn.batch("ROLLBACK")?;
    Ok(found?.is_some_and(|row| row.get(0).bin() == Some(bytes.as_slice())))
}

/// A unit needs a group to tell its caller anything, so it gets one whose statements fail.
fn refuse(message: Message, cause: &str) {
    match message {
        Message::Append(_, settle) => settle(Err(NotCommitted::Failed(cause.to_owned()))),
        // Dropping the unit drops its answer channel; the caller reads that as "not done".
        Message::Unit(unit) => drop(unit),
        Message::Stop => {}
    }
}

/// Gives the entries their sequence numbers and writes them; hands back the last.
fn write_log(conn: &mut Conn, rows: Vec<LogRow>) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    let Some(last_bytes) = rows.last().map(|row| row.bytes.clone()) else { return Ok(None) };
    let last = Sql::new("SELECT coalesce(max(\"seq\"), -1) FROM \"k_audit\"");
    let mut next = conn.first(&last, &[ColumnType::Integer])?.and_then(|row| row.int(0)).unwrap_or(-1) + 1;
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let chunk: Vec<LogRow> = rows.by_ref().take(LOG_ROWS_PER_INSERT).collect();
        let mut sql = Sql::new("INSERT INTO \"k_audit\" (\"seq\", \"at\", \"changed\", \"bytes\") VALUES ");
        // Only full chunks and single rows keep their text prepared: two texts, not thirty-two.
        if chunk.len() != LOG_ROWS_PER_INSERT && chunk.len() > 4 {
            sql.varied();
        }
        for (at, row) in chunk.into_iter().enumerate() {
            sql.push(if at == 0 { "(" } else { ", (" });
            sql.bind(next).push(", ").bind(row.at).push(", ").bind(Cell::id(row.changed)).push(", ");
            sql.bind(Cell::Bin(row.bytes)).push(")");
            next += 1;
        }
        conn.execute(&sql)?;
    }
    Ok(Some((next - 1, last_bytes)))
}
