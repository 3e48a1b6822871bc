//! Sealing: committed entries become tiles with a signed checkpoint, within a second. Of several nodes one signs, under a lease;
//! each has tiles of its own, made from the rows, and takes over a checkpoint of another only when its own tiles lead to the
//! root that was signed. Nobody signs over rows that contradict what was sealed before.

use crate::engine::{Access, Conn, Line};
use crate::leases::Lease;
use crate::log::{LogLine, lines};
use crate::snapshot::SealGate;
use crate::{Store, StoreConfig, StoreError};
use audit::{Anchor, Checkpoint, Signer, TileReader, TileWriter, VerifierKey};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Entries sealed at a time.
const SEAL_BATCH: usize = 4_096;
/// How often new entries are looked for. "Within a second" includes the writing.
const SEAL_EVERY: Duration = Duration::from_millis(300);
/// Where the database keeps the signed checkpoint of its anchor.
const LOG_NOTE: &str = "log_checkpoint";

/// Seals committed entries into tiles while the appliance runs.
pub struct Sealer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sealer {
    /// Starts the thread. Fails when the log on disk is not the one the database knows.
    pub fn start(store: &Arc<Store>, signer: Arc<dyn Signer + Send + Sync>) -> Result<Self, StoreError> {
        let mut reader = Line::open(&store.config.engine, Access::Read)?;
        let mut seals = Seals::open(store, reader.same(), signer.as_ref())??;
        // Before anybody is served: tiles of a log that is gone, after a way back on another node, would be shown as this one.
        if store.is_shared() {
            seals.take_over(store, reader.same())?;
            seals.compare(store, reader.same())?;
        }
        let store = Arc::clone(store);
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("sealer".to_owned())
            .spawn(move || {
                loop {
                    let last = stopped.recv_timeout(SEAL_EVERY) != Err(RecvTimeoutError::Timeout);
                    let sealed = reader.live().and_then(|conn| seals.round(&store, conn, signer.as_ref()));
                    if let Err(error) = sealed.or_else(|error| seals.excuse(error)) {
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
            Ok(vault.signing_key(&mut crate::read::Ring(tx.conn()))?)
        });
        key.wait().map_err(StoreError::Fault)
    }

    /// Seals everything committed so far, once; for commands that end. Says how many entries the log then has, or
    /// `None` when another process seals.
    pub fn seal_log(&self, signer: &dyn Signer) -> Result<Option<u64>, StoreError> {
        let mut conn = Conn::open(&self.config.engine, Access::Read)?;
        let mut seals = match Seals::open(self, &mut conn, signer)? {
            Err(audit::LogError::Locked { .. }) => return Ok(None),
            other => other?,
        };
        let signs = seals.round(self, &mut conn, signer)?;
        self.lease_release(Lease::Sealing).map_err(StoreError::Fault)?;
        Ok(signs.then(|| seals.writer.size()))
    }

    /// Brings the tiles of a log's folder up to what a database knows of them: for a database that was rolled forward while
    /// no server had it open. Signs nothing. How many entries are sealed then.
    ///
    /// # Errors
    /// When the entries do not lead to the checkpoint that was signed over them.
    pub fn log_follow(config: &StoreConfig, key: &VerifierKey) -> Result<u64, StoreError> {
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

    /// Begins the log's folder of a further node: it holds a checkpoint over nothing, and the rows make the rest.
    pub fn log_begin(folder: &Path, signer: &dyn Signer) -> Result<(), StoreError> {
        TileWriter::open(folder, signer, None)?;
        Ok(())
    }
}

/// The tiles of this node and how they stand to those of the others.
struct Seals {
    writer: TileWriter,
    key: VerifierKey,
    /// Whether this node signed last time. Who begins to sign has to look first what the others have signed.
    signs: bool,
    /// Whether the newest sealed entry was compared with its row since the connection was made.
    compared: bool,
}

impl Seals {
    fn open(store: &Store, conn: &mut Conn, signer: &dyn Signer) -> Result<Result<Self, audit::LogError>, StoreError> {
        let (folder, anchor) = (&store.config.log_folder, anchor(conn)?);
        let key = VerifierKey::of(signer).map_err(|error| StoreError::Audit(error.to_string()))?;
        let opened = if store.is_shared() {
            TileWriter::open_behind(folder, signer, anchor.as_ref())
        } else {
            TileWriter::open(folder, signer, anchor.as_ref())
        };
        Ok(opened.map(|writer| Self { writer, key, signs: false, compared: false }))
    }

    /// One look: what is new is sealed here, or what another has sealed is taken over. Whether this node signs.
    fn round(&mut self, store: &Store, conn: &mut Conn, signer: &dyn Signer) -> Result<bool, StoreError> {
        let signs = store.lease_keep_when_due(Lease::Sealing).map_err(StoreError::Fault)?;
        if store.is_shared() {
            if !signs || !self.signs {
                self.take_over(store, conn)?;
            }
            if !self.compared {
                self.compare(store, conn)?;
                self.compared = true;
            }
            if signs && !self.signs {
                tracing::info!(entries = self.writer.size(), "this node signs the log");
            }
            self.signs = signs;
        }
        if signs {
            self.seal(store, conn, signer)?;
        }
        Ok(signs)
    }

    /// An error that passes is no end: everything is looked at anew when the database is back.
    fn excuse(&mut self, error: StoreError) -> Result<bool, StoreError> {
        (self.signs, self.compared) = (false, false);
        if error.passes() { Ok(false) } else { Err(error) }
    }

    /// Brings the tiles up to the checkpoint that the database has.
    fn take_over(&mut self, store: &Store, conn: &mut Conn) -> Result<(), StoreError> {
        let Some(note) = crate::definitions::meta(conn, LOG_NOTE)? else { return Ok(()) };
        let to = Checkpoint::open(note.as_bytes(), &self.key).map_err(|error| StoreError::Audit(error.to_string()))?;
        if to.size < self.writer.size() {
            return Ok(());
        }
        let _gate = SealGate::pass(&store.config.log_folder)?;
        while self.writer.size() < to.size {
            let from = self.writer.size();
            let most = usize::try_from(to.size - from).unwrap_or(SEAL_BATCH).min(SEAL_BATCH);
            let batch = dense(lines(conn, from, most)?, from)?;
            if batch.is_empty() {
                return Err(missing(from));
            }
            let bytes: Vec<&[u8]> = batch.iter().map(|line| line.bytes.as_slice()).collect();
            self.writer.extend(&bytes).map_err(fatal)?;
        }
        self.writer.adopt(&note, &self.key).map_err(fatal)
    }

    /// Whether the newest entry of the tiles is the one of the database. A server that was replaced by one that had not
    /// everything has lost what was answered; to sign on would make a second log.
    fn compare(&self, store: &Store, conn: &mut Conn) -> Result<(), StoreError> {
        let Some(last) = self.writer.size().checked_sub(1) else { return Ok(()) };
        let sealed = TileReader::new(&store.config.log_folder, self.writer.size()).entries(last, 1)?;
        let row = lines(conn, last, 1)?;
        let (sealed, row) = (sealed.first(), row.first().map(|line| &line.bytes));
        if sealed.is_some() && sealed == row {
            return Ok(());
        }
        Err(StoreError::Audit(format!(
            "entry {last} was sealed here and the database no longer has it: its server was put back or replaced by one that \
             was behind. Nothing more is signed; see `kontor audit verify` and the guide to several nodes"
        )))
    }

    fn seal(&mut self, store: &Store, conn: &mut Conn, signer: &dyn Signer) -> Result<(), StoreError> {
        loop {
            let size = self.writer.anchor().size;
            let batch = dense(lines(conn, size, SEAL_BATCH)?, size)?;
            if batch.is_empty() {
                return Ok(());
            }
            // A snapshot sees tiles and database agree, or waits.
            let _gate = SealGate::pass(&store.config.log_folder)?;
            let bytes: Vec<&[u8]> = batch.iter().map(|line| line.bytes.as_slice()).collect();
            let checkpoint = self.writer.append(&bytes, signer).map_err(fatal)?;
            let note = checkpoint.signed(signer).map_err(|error| StoreError::Audit(error.to_string()))?;
            remember(store, &self.writer.anchor(), note)?;
            if batch.len() < SEAL_BATCH {
                return Ok(());
            }
        }
    }
}

fn fatal(error: audit::LogError) -> StoreError {
    if matches!(error, audit::LogError::Sync { .. }) {
        tracing::error!("the disk failed under the audit log; stopping (exit code 74)");
        std::process::exit(74);
    }
    StoreError::from(error)
}

fn missing(seq: u64) -> StoreError {
    StoreError::Audit(format!("entry {seq} is missing from the database"))
}

fn dense(batch: Vec<LogLine>, from: u64) -> Result<Vec<LogLine>, StoreError> {
    for (expected, line) in (from..).zip(&batch) {
        if line.seq != expected {
            return Err(missing(expected));
        }
    }
    Ok(batch)
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
/// beside it, so that the database alone can tell what its tiles have to be. Whoever lost the lease meanwhile is refused: an
/// older checkpoint would go over a newer one.
fn remember(store: &Store, anchor: &Anchor, note: String) -> Result<(), StoreError> {
    let root: String = anchor.root.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!("{} {root}", anchor.size);
    let written = store.write(move |tx| {
        tx.lease_require(Lease::Sealing)?;
        crate::definitions::set_meta(tx.conn(), "log_anchor", &text)?;
        Ok(crate::definitions::set_meta(tx.conn(), LOG_NOTE, &note)?)
    });
    written.wait().map_err(StoreError::Fault)
}
