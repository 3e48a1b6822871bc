//! The log's side of the store: entries begun from an actor, turned into rows, and sealed into tiles within a second.
//! Rows are the truth of the transaction; tiles are what strangers verify.

use crate::StoreConfig;
use crate::engine::{Access, Conn, Line, Row, Sql, committer::LogRow, dialect};
use crate::read::Ring;
use crate::snapshot::SealGate;
use crate::{ReadTx, Shared, Store, StoreError, WriteTx};
use audit::{Anchor, Entry, Signer, TileWriter, Verb};
use identity::Actor;
use kernel::RecordId;
use metadata::ColumnType;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Entries sealed at a time.
const SEAL_BATCH: usize = 4_096;
/// How often new entries are looked for. "Within a second" includes the writing.
const SEAL_EVERY: Duration = Duration::from_millis(300);

/// One entry as read back from the database.
pub struct LogLine {
    /// Its sequence number, the index of its leaf.
    pub seq: u64,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
}

pub(crate) fn row_of(entry: &Entry) -> Result<LogRow, StoreError> {
    let bytes = entry.encode().map_err(|error| StoreError::Audit(error.to_string()))?;
    let tells_change = entry.state_before.is_some()
        || entry.state_after.is_some()
        || matches!(
            entry.act.verb,
            Verb::Link | Verb::Unlink | Verb::AttachmentAdd | Verb::AttachmentRemove | Verb::Merge
        );
    let changed = entry.target.record.filter(|_| tells_change);
    Ok(LogRow { at: entry.at.micros(), changed, bytes })
}

impl WriteTx<'_, '_> {
    /// Completes this unit's last entry about the record of `read` with what its answer shows; where the unit has none, `read`
    /// itself becomes one.
    pub fn log_shown(&mut self, read: Entry, fill: impl FnOnce(&mut Entry)) -> Result<(), StoreError> {
        for row in self.log.iter_mut().rev() {
            let mut entry = Entry::decode(&row.bytes).map_err(|error| StoreError::Audit(error.to_string()))?;
            if entry.target.record == read.target.record && entry.target.object == read.target.object {
                fill(&mut entry);
                row.bytes = row_of(&entry)?.bytes;
                return Ok(());
            }
        }
        let mut read = read;
        fill(&mut read);
        self.log_entry(&read)
    }
}

impl Shared {
    /// An entry about an act of this actor, now.
    pub(crate) fn entry(&self, actor: &Actor, verb: Verb) -> Entry {
        let (kind, auth) = (audit_kind(actor), audit_auth(actor));
        let mut who = audit::Actor { kind, auth, ..audit::Actor::default() };
        who.user = (kind == audit::ActorKind::User).then(|| actor.user());
        who.session = actor.session();
        who.token = actor.token();
        let address = actor.source().map(|address| address.to_string()).unwrap_or_default();
        let mut entry =
            Entry::new(verb, self.clock.as_ref(), self.boot, self.node.clone()).by(who, audit_channel(actor), address);
        entry.request = actor.request_id().parse().ok();
        entry.act.purpose = actor.purpose().unwrap_or_default().to_owned();
        entry.decision.epoch = Some(self.policy.load().epoch());
        if kind == audit::ActorKind::LocalOperator {
            entry.note = format!("operator {}", actor.login());
        }
        entry
    }
}

impl Store {
    /// An entry about an act of this actor, now, for [`Store::append`] and [`Store::disclose`].
    pub fn entry(&self, actor: &Actor, verb: Verb) -> Entry {
        self.shared.entry(actor, verb)
    }
    /// An entry about an act that nobody has signed in for.
    pub fn entry_anonymous(&self, verb: Verb, channel: audit::Channel, address: &str) -> Entry {
        Entry::new(verb, self.shared.clock.as_ref(), self.shared.boot, self.shared.node.clone()).by(
            audit::Actor::default(),
            channel,
            address,
        )
    }
}

fn audit_kind(actor: &Actor) -> audit::ActorKind {
    match actor.kind() {
        identity::ActorKind::User => audit::ActorKind::User,
        identity::ActorKind::LocalOperator => audit::ActorKind::LocalOperator,
        identity::ActorKind::System => audit::ActorKind::System,
    }
}
fn audit_auth(actor: &Actor) -> audit::AuthMethod {
    match actor.auth() {
        identity::AuthMethod::Password => audit::AuthMethod::Password,
        identity::AuthMethod::Token => audit::AuthMethod::Token,
        identity::AuthMethod::LocalOperator => audit::AuthMethod::Cli,
        identity::AuthMethod::System => audit::AuthMethod::None,
    }
}
fn audit_channel(actor: &Actor) -> audit::Channel {
    match actor.channel() {
        identity::Channel::Ui => audit::Channel::Ui,
        identity::Channel::Api => audit::Channel::Api,
        identity::Channel::Cli => audit::Channel::Cli,
        identity::Channel::Job => audit::Channel::Job,
        identity::Channel::Import => audit::Channel::Import,
        identity::Channel::System => audit::Channel::System,
    }
}

pub(crate) fn lines(conn: &mut Conn, from: u64, max: usize) -> Result<Vec<LogLine>, StoreError> {
    let mut sql = Sql::new("SELECT \"seq\", \"bytes\" FROM \"k_audit\" WHERE \"seq\" >= ");
    sql.bind(i64::try_from(from).unwrap_or(i64::MAX)).push(" ORDER BY \"seq\" LIMIT ");
    sql.number(max);
    let rows = conn.rows(&sql, &[ColumnType::Integer, ColumnType::Binary])?;
    rows.into_iter().map(line).collect()
}

pub(crate) fn line(row: Row) -> Result<LogLine, StoreError> {
    let seq = row.int(0).and_then(|seq| u64::try_from(seq).ok());
    let seq = seq.ok_or_else(|| StoreError::damaged("a log row has no sequence number"))?;
    Ok(LogLine { seq, bytes: row.get(1).bin().unwrap_or_default().to_vec() })
}

impl ReadTx<'_> {
    /// Entries from a sequence number on.
    pub fn log_lines(&mut self, from: u64, max: usize) -> Result<Vec<LogLine>, StoreError> {
        lines(self.conn, from, max)
    }
    /// Entries before a sequence number, newest first; all when it is absent.
    pub fn log_lines_before(&mut self, before: Option<u64>, max: usize) -> Result<Vec<LogLine>, StoreError> {
        let mut sql = Sql::new("SELECT \"seq\", \"bytes\" FROM \"k_audit\" WHERE \"seq\" < ");
        sql.bind(before.and_then(|seq| i64::try_from(seq).ok()).unwrap_or(i64::MAX))
            .push(" ORDER BY \"seq\" DESC LIMIT ");
        sql.number(max);
        let rows = self.conn.rows(&sql, &[ColumnType::Integer, ColumnType::Binary])?;
        rows.into_iter().map(line).collect()
    }
    /// Entries between two sequence numbers that may be about a record, newest first: its id stands somewhere in their
    /// bytes. The engine looks, so that a walk over the log does not carry every entry up here.
    pub fn log_lines_about(
        &mut self,
        record: RecordId,
        (from, before): (u64, u64),
        max: usize,
    ) -> Result<Vec<LogLine>, StoreError> {
        let number = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
        let mut sql = Sql::new("SELECT \"seq\", \"bytes\" FROM \"k_audit\" WHERE \"seq\" >= ");
        sql.bind(number(from)).push(" AND \"seq\" < ").bind(number(before));
        dialect::push_holds(self.conn, &mut sql, "bytes", record.as_bytes());
        sql.push(" ORDER BY \"seq\" DESC LIMIT ").bind(i64::try_from(max).unwrap_or(i64::MAX));
        let rows = self.conn.rows(&sql, &[ColumnType::Integer, ColumnType::Binary])?;
        rows.into_iter().map(line).collect()
    }
    /// How many entries there are.
    pub fn log_size(&mut self) -> Result<u64, StoreError> {
        let row = self
            .conn
            .first(&Sql::new("SELECT coalesce(max(\"seq\"), -1) + 1 FROM \"k_audit\""), &[ColumnType::Integer])?;
        Ok(row.and_then(|row| u64::try_from(row.int(0)?).ok()).unwrap_or(0))
    }
}

/// Seals committed entries into tiles while the appliance runs.
pub struct Sealer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sealer {
    /// Starts the thread. Fails when the log on disk is not the one the database knows.
    pub fn start(store: &Arc<Store>, signer: Arc<dyn Signer + Send + Sync>) -> Result<Self, StoreError> {
        let mut reader = Line::open(&store.config.engine, Access::Read)?;
        let mut writer = open_writer(reader.same(), &store.config.log_folder, signer.as_ref())??;
        let store = Arc::clone(store);
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("sealer".to_owned())
            .spawn(move || {
                loop {
                    let last = stopped.recv_timeout(SEAL_EVERY) != Err(RecvTimeoutError::Timeout);
                    let sealed = reader.live().and_then(|conn| seal_all(&store, conn, &mut writer, signer.as_ref()));
                    if let Err(error) = sealed.or_else(|error| if error.passes() { Ok(()) } else { Err(error) }) {
                        // Tiles can be written again from the rows; entries are not lost, but strangers cannot verify them.
                        tracing::error!(%error, "the log could not be sealed; verify the disk of the log folder");
                        return;
                    }
                    if last {
                        return;
                    }
                }
            })
            .map_err(|error| StoreError::config(format!("cannot start the sealer: {error}")))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
    /// Seals what is left and joins the thread.
    pub fn stop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Store {
    /// The key that signs checkpoints; made and wrapped into the key ring on first use.
    pub fn signing_key(&self) -> Result<vault::SigningKey, StoreError> {
        let key = self.write(|tx| {
            let vault = Arc::clone(&tx.read().shared.vault);
            Ok(vault.signing_key(&mut Ring(tx.conn()))?)
        });
        key.wait().map_err(StoreError::Fault)
    }

    /// Seals everything committed so far, once; for commands that end. Says how many entries the log then has, or
    /// `None` when another process seals.
    pub fn seal_log(&self, signer: &dyn Signer) -> Result<Option<u64>, StoreError> {
        let mut conn = Conn::open(&self.config.engine, Access::Read)?;
        let mut writer = match open_writer(&mut conn, &self.config.log_folder, signer)? {
            Err(audit::LogError::Locked { .. }) => return Ok(None),
            other => other?,
        };
        seal_all(self, &mut conn, &mut writer, signer)?;
        Ok(Some(writer.anchor().size))
    }
}

fn open_writer(
    conn: &mut Conn,
    folder: &Path,
    signer: &dyn Signer,
) -> Result<Result<TileWriter, audit::LogError>, StoreError> {
    let anchor = anchor(conn)?;
    Ok(TileWriter::open(folder, signer, anchor.as_ref()))
}

fn seal_all(store: &Store, conn: &mut Conn, writer: &mut TileWriter, signer: &dyn Signer) -> Result<(), StoreError> {
    loop {
        let size = writer.anchor().size;
        let batch = lines(conn, size, SEAL_BATCH)?;
        for (expected, line) in (size..).zip(&batch) {
            if line.seq != expected {
                return Err(StoreError::Audit(format!("entry {expected} is missing from the database")));
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        // A snapshot sees tiles and database agree, or waits.
        let _gate = SealGate::pass(&store.config.log_folder)?;
        let bytes: Vec<&[u8]> = batch.iter().map(|line| line.bytes.as_slice()).collect();
        let checkpoint = writer.append(&bytes, signer).map_err(|error| {
            if matches!(error, audit::LogError::Sync { .. }) {
                tracing::error!("the disk failed under the audit log; stopping (exit code 74)");
                std::process::exit(74);
            }
            StoreError::from(error)
        })?;
        let note = checkpoint.signed(signer).map_err(|error| StoreError::Audit(error.to_string()))?;
        remember(store, &writer.anchor(), note)?;
        if batch.len() < SEAL_BATCH {
            return Ok(());
        }
    }
}

/// Where the database keeps the signed checkpoint of its anchor.
const LOG_NOTE: &str = "log_checkpoint";

impl Store {
    /// Brings the tiles of a log's folder up to what a database knows of them: for a database that was rolled forward while
    /// no server had it open. Signs nothing. How many entries are sealed then.
    ///
    /// # Errors
    /// When the entries do not lead to the checkpoint that was signed over them.
    pub fn log_follow(config: &StoreConfig, key: &audit::VerifierKey) -> Result<u64, StoreError> {
        let mut conn = Conn::open(&config.engine, Access::Look)?;
        let known = anchor(&mut conn)?.map_or(0, |anchor| anchor.size);
        let note = crate::definitions::meta(&mut conn, LOG_NOTE)?;
        let mut rows = crate::verify::entries_of(conn);
        let size = audit::log_follow(&config.log_folder, note.as_deref().map(str::as_bytes), key, &mut rows)?;
        if size < known {
            return Err(StoreError::Audit(format!("the log has {size} entries and the database knows of {known}")));
        }
        Ok(size)
    }
}

/// The last state of the tiles that the database knows, so that exchanged tile files are noticed.
fn anchor(conn: &mut Conn) -> Result<Option<Anchor>, StoreError> {
    let text = crate::definitions::meta(conn, "log_anchor")?;
    Ok(text.and_then(|text| {
        let (size, root) = text.split_once(' ')?;
        let mut bytes = [0u8; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(root.get(at * 2..at * 2 + 2)?, 16).ok()?;
        }
        Some(Anchor { size: size.parse().ok()?, root: bytes })
    }))
}

/// Through the one writer: a second connection that writes would make commits wait for its lock. The signed checkpoint stands
/// beside it, so that the database alone can tell what its tiles have to be.
fn remember(store: &Store, anchor: &Anchor, note: String) -> Result<(), StoreError> {
    let root: String = anchor.root.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!("{} {root}", anchor.size);
    let written = store.write(move |tx| {
        crate::definitions::set_meta(tx.conn(), "log_anchor", &text)?;
        Ok(crate::definitions::set_meta(tx.conn(), LOG_NOTE, &note)?)
    });
    written.wait().map_err(StoreError::Fault)
}
