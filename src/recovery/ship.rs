//! Ships what is committed as it is committed: takes it from the tap, seals it into segments and appends them to the journal,
//! which lies on the second disk (then answers wait for it) or in the appliance's folder. Carriers bring the journal to the
//! other targets. Nothing here opens a record, and nothing is left out silently: what cannot go on ends the stream, says so,
//! and a new stream with a new set begins.

use crate::carry::Carrier;
use crate::fence::fence_of;
use crate::journal::{Journal, folder_files, last_segment, make_folder, stream_files};
use crate::manifest::hex;
use crate::segment::{FilePiece, SegmentBody, SegmentHash, SegmentHead, seal_segment};
use crate::spool::{outgrown, spool_clear};
use crate::status::ShipStatus;
use crate::{RecoveryError, Target};
use audit::{Signer, VerifierKey};
use kernel::{Clock, Code, Fault, Random, RecordId, Timestamp};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;
use store::{Ending, ShipPlace, Store, Tap, Tapped, Waiting, WalPlace, file_stamp, keep_ship_place};
use vault::ArchiveRecipient;

/// How often it is looked at what other processes committed, and whether the reader that is held can move on.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often something that failed is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// How often the folder of files is looked at for those of other processes.
const FILES_EVERY: Duration = Duration::from_secs(1);
/// How long a start waits for targets to say whether another node was promoted.
const FENCE_PATIENCE: Duration = Duration::from_secs(5);
/// Frames after which the reader that is held moves on, however busy it is: 8 MiB.
const GUARD_FRAMES_MAX: u32 = 2048;

/// Where commits go.
pub struct ShipPlan {
    /// The target that answers wait for, and the folder of the appliance on it.
    pub sync: Option<(Arc<dyn Target>, PathBuf)>,
    /// Targets that get everything within a second.
    pub others: Vec<Arc<dyn Target>>,
    /// The folder for the journal where there is no second disk.
    pub spool: PathBuf,
    /// Bytes that may wait for a target, in the write-ahead log or the journal.
    pub bytes_max: u64,
    /// Whether writes are refused while the copy on the second disk cannot be made.
    pub strict: bool,
    /// Who can open the segments.
    pub recipients: Vec<ArchiveRecipient>,
    /// The term of this node.
    pub term: u64,
}

/// What the shipper needs beside the store.
pub(crate) struct Means {
    pub(crate) plan: ShipPlan,
    pub(crate) signer: Arc<dyn Signer + Send + Sync>,
    pub(crate) key: VerifierKey,
    pub(crate) clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    log_folder: PathBuf,
    database: PathBuf,
    opened_from: Option<(u64, i64)>,
    pub(crate) status: Arc<ShipStatus>,
    pub(crate) stop: AtomicBool,
}

impl Means {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
    pub(crate) fn journal_folder(&self) -> Result<PathBuf, RecoveryError> {
        let made = match &self.plan.sync {
            Some((_, house)) => make_folder(house),
            None => make_folder(&self.plan.spool),
        };
        made.map_err(RecoveryError::target("the folder of the journal"))
    }
    fn targets(&self) -> impl Iterator<Item = &Arc<dyn Target>> {
        self.plan.sync.iter().map(|(target, _)| target).chain(&self.plan.others)
    }
    /// A term on one of these targets that is higher than our own: then this node was replaced.
    pub(crate) fn fenced_by(&self, target: &dyn Target) -> Result<bool, RecoveryError> {
        let fence = fence_of(target, &self.key)?;
        let Some(fence) = fence.filter(|fence| fence.term > self.plan.term) else { return Ok(false) };
        self.status.fence(fence.term, &fence.node);
        Ok(true)
    }
}

/// The fault of a node that was replaced.
pub fn fenced(term: u64, node: &str) -> Fault {
    let detail = format!(
        "Another node ({node}) was promoted and has term {term}; this one takes no writes any more. Use that one. Nothing \
         written there is here: to go on with this node, make it a standby of the other."
    );
    Fault::new(Code::Fenced, detail)
}

/// The handle to the shipper. Stopped in order when the store closes.
struct Shipper {
    means: Arc<Means>,
    threads: Vec<JoinHandle<()>>,
}

/// What to ship with.
pub struct ShipStart {
    /// Where to.
    pub plan: ShipPlan,
    /// Who signs segments.
    pub signer: Arc<dyn Signer + Send + Sync>,
    /// What the closed database file looked like before this process opened it ([`store::file_stamp`]).
    pub opened_from: Option<(u64, i64)>,
    /// The database file.
    pub database: PathBuf,
}

/// Begins to ship what this store commits; it ends when the store closes. Says nothing when another process ships: then
/// this one waits until that one ends.
///
/// # Errors
/// `fenced` when a target says that another node was promoted; what keeps a thread from starting.
pub fn ship(store: &Arc<Store>, start: ShipStart) -> Result<Arc<ShipStatus>, RecoveryError> {
    let key = VerifierKey::of(start.signer.as_ref()).map_err(|error| RecoveryError::Key(error.to_string()))?;
    let sync = start.plan.sync.as_ref().map(|(target, _)| target.name().to_owned());
    let others = start.plan.others.iter().map(|target| target.name().to_owned()).collect();
    let status = Arc::new(ShipStatus::new(sync, others, store.clock().now()));
    let means = Arc::new(Means {
        plan: start.plan,
        signer: start.signer,
        key,
        clock: Arc::clone(store.clock()),
        random: Arc::clone(store.random()),
        log_folder: store.config().log_folder.clone(),
        database: start.database,
        opened_from: start.opened_from,
        status: Arc::clone(&status),
        stop: AtomicBool::new(false),
    });
    if is_fenced_at_start(&means) {
        store.refuse_writes(status.fence_fault());
        return Ok(status);
    }
    let mut run = Run::new(Arc::clone(&means), Arc::downgrade(store));
    run.look();
    let failed = |error| RecoveryError::Target { what: "starting the shipper".to_owned(), cause: error };
    let mut threads = Vec::new();
    let shipper = std::thread::Builder::new().name("shipper".to_owned()).spawn(move || run.all()).map_err(failed)?;
    threads.push(shipper);
    for (at, _) in means.plan.others.iter().enumerate() {
        let carrier = Carrier::new(Arc::clone(&means), at);
        let thread = std::thread::Builder::new().name(format!("carrier-{at}")).spawn(move || carrier.run());
        threads.push(thread.map_err(failed)?);
    }
    store.on_ending(Box::new(Shipper { means, threads }));
    Ok(status)
}

/// Asks all targets at once. One that does not answer soon is asked again with each segment, and keeps no start waiting.
fn is_fenced_at_start(means: &Arc<Means>) -> bool {
    let (sender, told) = channel();
    for target in means.targets() {
        let (asked, target, sender) = (Arc::clone(means), Arc::clone(target), sender.clone());
        // Where no thread can be had nobody asks here; the carriers do.
        let thread = std::thread::Builder::new().name("fence".to_owned()).spawn(move || {
            let _ = sender.send(asked.fenced_by(target.as_ref()).unwrap_or(false));
        });
        drop(thread);
    }
    drop(sender);
    let until = means.clock.monotonic() + FENCE_PATIENCE;
    while let Ok(fenced) = told.recv_timeout(until.saturating_sub(means.clock.monotonic())) {
        if fenced {
            return true;
        }
    }
    false
}

impl Ending for Shipper {
    fn last_commit(&mut self) {
        self.means.stop.store(true, Ordering::Relaxed);
        self.means.status.wake();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }

    fn closed(&mut self) {
        // Only what was shipped to its end, by this process, and closed by everybody may be gone on from.
        let Some(mut place) = self.means.status.ended() else { return };
        place.closed = file_stamp(&self.means.database);
        if place.closed.is_some()
            && let Err(error) = keep_ship_place(&self.means.log_folder, &place)
        {
            tracing::warn!(%error, "how far was shipped could not be written down; the next start makes a new set");
        }
    }
}

/// A stream that is being written.
struct Stream {
    journal: Journal,
    number: u32,
    name: [u8; 16],
    segment: u64,
    hash: SegmentHash,
    commits: u64,
}

impl Stream {
    fn place(&self) -> ShipPlace {
        ShipPlace {
            stream: self.number,
            name: hex(&self.name),
            segment: self.segment,
            hash: hex(&self.hash),
            closed: None,
        }
    }
}

struct Run {
    means: Arc<Means>,
    store: Weak<Store>,
    tap: Option<Tap>,
    stream: Option<Stream>,
    tried: Option<Duration>,
    moved: Duration,
    files_seen: (Duration, Timestamp),
    first: bool,
    lost: bool,
}

impl Run {
    fn new(means: Arc<Means>, store: Weak<Store>) -> Self {
        let now = means.now();
        let (moved, files_seen) = (means.clock.monotonic(), (Duration::ZERO, now));
        Self { means, store, tap: None, stream: None, tried: None, moved, files_seen, first: true, lost: false }
    }

    fn all(mut self) {
        while !self.means.stop.load(Ordering::Relaxed) {
            self.look();
        }
        // The last commits of this process; nobody waits for a second look.
        self.tried = None;
        self.look();
        let whole = self.means.status.is_well() && self.stream.is_some();
        self.means.status.end(self.stream.as_ref().filter(|_| whole).map(Stream::place));
        drop(self.tap.take());
    }

    /// One look: what was committed goes into the journal, and answers go.
    fn look(&mut self) {
        let (waiting, asked) = match &self.tap {
            Some(tap) => tap.wait(if self.first { Duration::ZERO } else { LOOK_EVERY }),
            None => {
                if !self.first {
                    self.means.status.rest(LOOK_EVERY);
                }
                (Vec::new(), 0)
            }
        };
        self.first = false;
        let outcome = if self.is_fenced() { Ok(()) } else { self.carry(asked) };
        self.tell(outcome, waiting);
        if let Some(tap) = &self.tap {
            tap.answered(asked);
        }
    }

    fn is_fenced(&mut self) -> bool {
        let Some(fault) = self.means.status.fence_fault() else { return false };
        if let Some(mut tap) = self.tap.take() {
            tap.refuse_writes(Some(fault));
            tap.give_up();
            self.stream = None;
        }
        true
    }

    /// Lets answers go, as the outcome and the plan want it.
    fn tell(&mut self, outcome: Result<(), RecoveryError>, waiting: Vec<Waiting>) {
        let strict = self.means.plan.strict && self.means.plan.sync.is_some();
        let (answer, fault) = match &outcome {
            Ok(()) => (Ok(()), None),
            Err(error) if strict => {
                let detail = "The copy on the second disk cannot be made, and this appliance is told to write nothing without \
                              it (backup.ship.strict). Look at that disk; the health page says more.";
                (Err(error.to_string()), Some(Fault::new(Code::CopyMissing, detail).with_cause(error)))
            }
            Err(_) => (Ok(()), None),
        };
        let now = self.means.now();
        match &outcome {
            Ok(()) => self.means.status.well(now),
            Err(error) => self.means.status.trouble(now, &error.to_string()),
        }
        if let Some(tap) = self.tap.as_ref().filter(|_| self.means.status.fence_fault().is_none()) {
            tap.refuse_writes(fault);
        }
        waiting.into_iter().for_each(|waiting| waiting.settle(answer.clone()));
    }

    fn carry(&mut self, asked: u64) -> Result<(), RecoveryError> {
        let now = self.means.clock.monotonic();
        if let Some((target, _)) = &self.means.plan.sync
            && self.means.fenced_by(target.as_ref())?
        {
            return Ok(());
        }
        if self.stream.is_none() {
            if self.tried.is_some_and(|tried| now.saturating_sub(tried) < RETRY_EVERY) {
                return self.means.status.again();
            }
            self.tried = Some(now);
            if !self.begin()? {
                return Ok(());
            }
        }
        let shipped = self.ship(asked, now);
        if let Err(error) = &shipped {
            self.after(error, now);
        }
        shipped
    }

    /// Takes the tap, and goes on with the last stream or begins a new one. Not while another process ships.
    fn begin(&mut self) -> Result<bool, RecoveryError> {
        if self.tap.is_none() {
            let Some(store) = self.store.upgrade() else { return Ok(false) };
            self.tap = store.tap()?;
        }
        let Some(tap) = &mut self.tap else {
            self.means.status.elsewhere();
            return Ok(false);
        };
        let means = &self.means;
        let folder = means.journal_folder()?;
        let last = last_segment(&folder, &means.key).map_err(RecoveryError::target("reading the journal"))?;
        let known = store::ship_place(&means.log_folder);
        let waits = means.plan.sync.is_some();
        if let Some((number, last)) = last {
            let closed = known.as_ref().is_some_and(|known| {
                known.closed.is_some()
                    && known.closed == means.opened_from
                    && (known.segment, &known.hash) == (last.head.number, &hex(&last.hash))
            });
            let from = if closed { Some(WalPlace::default()) } else { Some(last.head.place) };
            if closed || tap.continues(last.head.place)? {
                tap.begin(from, waits)?;
                self.stream = Some(Stream {
                    journal: Journal::new(&folder, number, waits),
                    number,
                    name: last.head.stream,
                    segment: last.head.number,
                    hash: last.hash,
                    commits: last.head.commits,
                });
                self.files_seen.1 = last.head.at;
                means.status.stream(number, last.head.stream, last.head.number, last.head.at);
                return Ok(true);
            }
        }
        let mut number = folder_files(&folder).map_err(RecoveryError::target("listing the journal"))?;
        for target in means.targets() {
            // One that does not answer now gets the number that the others give.
            number.extend(stream_files(target.as_ref()).unwrap_or_default());
        }
        let known = known.map_or(0, |known| known.stream);
        let number = number.iter().map(|file| file.stream).max().unwrap_or(0).max(known) + 1;
        let mut name = [0; 16];
        means.random.fill(&mut name);
        tap.begin(None, waits)?;
        tracing::info!(stream = number, "a new stream of commits begins; a backup set will be made for it");
        means.status.stream(number, name, 0, means.now());
        self.files_seen.1 = means.now();
        let journal = Journal::new(&folder, number, waits);
        self.stream = Some(Stream { journal, number, name, segment: 0, hash: [0; 32], commits: 0 });
        Ok(true)
    }

    fn ship(&mut self, asked: u64, now: Duration) -> Result<(), RecoveryError> {
        let (Some(tap), Some(stream)) = (&mut self.tap, &mut self.stream) else { return Ok(()) };
        let behind = tap.behind() >= GUARD_FRAMES_MAX;
        let moves = asked > 0 || behind || now.saturating_sub(self.moved) >= LOOK_EVERY;
        if moves {
            tap.advance()?;
        }
        loop {
            let tapped = tap.read()?;
            let mut files = tap.files();
            if now.saturating_sub(self.files_seen.0) >= FILES_EVERY {
                let at = self.means.now();
                files.extend(tap.files_of_others(self.files_seen.1));
                self.files_seen = (now, at);
                self.lost = outgrown(&self.means)?;
                if self.lost {
                    let what = "what waits for a target that does not take it has outgrown backup.ship.spool_mib";
                    return Err(RecoveryError::Damaged(what.to_owned()));
                }
            }
            if let Err(error) = ship_files(&self.means, stream, tap, &files) {
                tap.put_back(files);
                return Err(error);
            }
            let commits = match tapped {
                Tapped::Commits(commits) => commits,
                Tapped::Nothing => break,
                Tapped::Gone => {
                    self.lost = true;
                    let what = "the write-ahead log began anew before all of it was shipped";
                    return Err(RecoveryError::Damaged(what.to_owned()));
                }
            };
            let page_bytes = commits.pages.values().next().map_or(0, Vec::len);
            let body = SegmentBody {
                page_bytes: u32::try_from(page_bytes).unwrap_or(0),
                pages: commits.pages,
                pieces: Vec::new(),
            };
            let ends = (commits.border, commits.db_pages, stream.commits + commits.commits);
            append(&self.means, stream, &body, ends, commits.to)?;
            tap.accept(commits.to);
        }
        if moves {
            self.moved = now;
        }
        Ok(tap.settle(&stream.place())?)
    }

    /// What follows from something that could not be shipped.
    fn after(&mut self, error: &RecoveryError, now: Duration) {
        self.tried = Some(now);
        let Some(tap) = &mut self.tap else { return };
        let lost = std::mem::take(&mut self.lost);
        if !lost && tap.held_bytes() <= self.means.plan.bytes_max {
            return;
        }
        tracing::error!(%error, "the stream of commits ends here; a new one and a new set begin as soon as that is possible");
        tap.give_up();
        (self.tap, self.stream) = (None, None);
        if lost && self.means.plan.sync.is_none() {
            spool_clear(&self.means);
        }
    }
}

fn ship_files(means: &Means, stream: &mut Stream, tap: &Tap, files: &[RecordId]) -> Result<(), RecoveryError> {
    for id in files {
        let mut offset = 0;
        while let Some((bytes, total)) = tap.piece(*id, offset)? {
            let next = offset + bytes.len() as u64;
            let piece = FilePiece { id: *id, offset, total, bytes };
            let body = SegmentBody { pieces: vec![piece], ..SegmentBody::default() };
            append(means, stream, &body, (false, 0, stream.commits), tap.at())?;
            offset = next;
            if offset >= total {
                break;
            }
        }
    }
    Ok(())
}

fn append(
    means: &Means,
    stream: &mut Stream,
    body: &SegmentBody,
    (border, db_pages, commits): (bool, u32, u64),
    place: WalPlace,
) -> Result<(), RecoveryError> {
    let (number, at) = (stream.segment + 1, means.now());
    let head = SegmentHead {
        border,
        stream: stream.name,
        number,
        at,
        commits,
        db_pages,
        place,
        before: stream.hash,
        term: means.plan.term,
    };
    let (bytes, hash) = seal_segment(&head, body, &means.plan.recipients, means.signer.as_ref())?;
    let kept = stream.journal.append(number, 1, &bytes);
    kept.map_err(RecoveryError::target(format!("appending segment {number} to the journal")))?;
    (stream.segment, stream.hash, stream.commits) = (number, hash, commits);
    means.status.shipped(number, at, border);
    Ok(())
}
