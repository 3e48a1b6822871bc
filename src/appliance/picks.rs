//! The one set that somebody looks into: its database unpacked into a scratch folder by a thread of its own, kept open while
//! it is used, closed after a while or when asked, and its folder taken away, also what a crash has left. It reads the sets
//! and writes to none; what is seen and brought back is decided by `records`.

use crate::appliance::Keeper;
use crate::appliance::keeper::failure;
use crate::cli::failure::Failure;
use api::{PickOpenView, PickSetLine, Picks, PicksView};
use audit::{ActOutcome, Verb};
use identity::Actor;
use kernel::{Code, Fault, Outcome, Timestamp, UserId, limits};
use records::PickSet;
use recovery::{Progress, SetName};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use store::{BackupRow, SetStore};

/// How often it is asked whether somebody still looks.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Somebody who looked within this time, in seconds, is not put out by somebody else who wants another set.
const AT_WORK_SECONDS: i64 = 5 * 60;
/// Sets that are offered.
const SETS_SHOWN: usize = 1_000;

/// The scratch folder of an open set and the lock on it. Dropped, the folder goes.
pub(crate) struct Scratch {
    folder: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Takes the place, emptied of what a crash has left. One process at a time has it.
    fn take(keeper: &Keeper) -> Result<Self, Failure> {
        let path = keeper.layout.browse_lock();
        let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let lock = opened.map_err(|error| Failure::file(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::new(Code::Unavailable, "another process looks into a backup set")
                    .kept("that one goes on; nothing was changed")
                    .todo("close the set in the web interface, or wait until it closes by itself"));
            }
            Err(TryLockError::Error(error)) => return Err(Failure::file(&path, &error)),
        }
        let folder = keeper.layout.browse();
        for left in [folder.clone(), folder.with_extension("restoring")] {
            if left.exists() {
                fs::remove_dir_all(&left).map_err(|error| Failure::file(&left, &error))?;
            }
        }
        Ok(Self { folder, _lock: lock })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.folder.exists() {
            // What cannot be removed is told by the next one, which begins with removing it.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl Keeper {
    /// Opens a set for browsing, and says so in the log whatever becomes of it.
    pub(crate) fn browse(
        &self,
        by: &Actor,
        row: &BackupRow,
        progress: &Progress,
    ) -> Result<(Scratch, Arc<PickSet>), Failure> {
        let name = format!("{} on {}", row.name, row.target);
        let mut entry = self.store.entry(by, Verb::BackupPick);
        let opened = self.browse_opened(row, &name, progress);
        entry.note = match &opened {
            Ok(_) => format!("{name}: opened"),
            Err(failure) => format!("{name}: {}", failure.text()),
        };
        if opened.is_err() {
            entry.outcome = ActOutcome::Failed;
        }
        self.store.append(vec![entry]).wait()?;
        opened
    }

    fn browse_opened(
        &self,
        row: &BackupRow,
        name: &str,
        progress: &Progress,
    ) -> Result<(Scratch, Arc<PickSet>), Failure> {
        let scratch = Scratch::take(self)?;
        let set: SetName = row.name.parse().map_err(failure)?;
        let target = self.target(&row.target)?;
        let identity = self.vault.archive_identity()?;
        let keys = (self.log_key(), &identity);
        let unpacked = recovery::unpack_database(target.as_ref(), &set, keys, &scratch.folder, progress);
        let (_, file) = unpacked.map_err(failure)?;
        let (vault, clock, random) =
            (Arc::clone(&self.vault), Arc::clone(self.store.clock()), Arc::clone(self.store.random()));
        let store = SetStore::open(&file, vault, clock, random)?;
        Ok((scratch, Arc::new(PickSet::new(store, name.to_owned(), self.now()))))
    }

    /// A set that can be opened.
    pub(crate) fn browsable(&self, sequence: u64, target: &str) -> Result<BackupRow, Failure> {
        if !self.config().own_key {
            return Err(Failure::new(Code::ConfigInvalid, "The appliance cannot open its own sets (backup.own_key)")
                .kept("nothing was changed")
                .todo("restore a set with one of the recipients' keys on another machine: `kontor backup restore`"));
        }
        let row = self.set(sequence, target)?;
        if row.state != "verified" {
            return Err(Failure::new(Code::RecordNotFound, format!("The set is not there: {}.", row.state)));
        }
        Ok(row)
    }
}

/// What the thread is told.
enum Told {
    Open(Arc<Actor>, Box<BackupRow>, Arc<Progress>),
    Close,
    Stop,
}

/// Where it stands.
#[derive(Default)]
enum State {
    #[default]
    Closed,
    Opening(BackupRow, Arc<Progress>),
    Open(BackupRow, UserId, Arc<PickSet>),
}

#[derive(Default)]
struct Standing {
    state: State,
    failed: Option<String>,
}

/// The one set that is open.
pub(crate) struct PickDesk {
    keeper: Arc<Keeper>,
    shared: Arc<Mutex<Standing>>,
    sender: Sender<Told>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl PickDesk {
    /// Starts its thread; what a crash has left goes.
    pub(crate) fn start(keeper: &Arc<Keeper>) -> Result<Self, Failure> {
        // Another process may just have a set open: then that one clears up.
        drop(Scratch::take(keeper));
        let (sender, told) = channel();
        let shared = Arc::<Mutex<Standing>>::default();
        let work = Work { keeper: Arc::clone(keeper), shared: Arc::clone(&shared) };
        let thread = std::thread::Builder::new().name("browser".to_owned()).spawn(move || work.run(&told));
        let thread =
            thread.map_err(|error| Failure::new(Code::Unavailable, format!("cannot start a thread: {error}")))?;
        Ok(Self { keeper: Arc::clone(keeper), shared, sender, thread: Mutex::new(Some(thread)) })
    }

    /// Closes and joins the thread.
    pub(crate) fn stop(&self) {
        let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        with(&self.shared, |standing| {
            if let State::Opening(_, progress) = &standing.state {
                progress.stop();
            }
        });
        // An error says that the thread has ended already.
        let _ = self.sender.send(Told::Stop);
        let _ = thread.join();
    }

    fn tell(&self, told: Told) -> Outcome<()> {
        self.sender.send(told).map_err(|_| Fault::new(Code::Unavailable, "The appliance is stopping."))
    }
}

fn with<T>(shared: &Mutex<Standing>, look: impl FnOnce(&mut Standing) -> T) -> T {
    look(&mut shared.lock().unwrap_or_else(PoisonError::into_inner))
}

fn line(row: &BackupRow) -> PickSetLine {
    let (sequence, target, name) = (row.sequence, row.target.clone(), row.name.clone());
    PickSetLine { sequence, target, name, made_at: row.made_at }
}

impl Picks for PickDesk {
    fn show(&self) -> Outcome<PicksView> {
        let rows = self.keeper.sets().map_err(|failure| failure.fault())?;
        let known = self.keeper.target_names();
        let there = rows.iter().filter(|row| row.state == "verified" && known.contains(&row.target));
        let (open, failed) = with(&self.shared, |standing| {
            let open = match &standing.state {
                State::Closed => None,
                State::Opening(row, progress) => {
                    let (done, total) = progress.bytes();
                    Some(PickOpenView { line: line(row), ready: false, done, total, closes_at: None })
                }
                State::Open(row, _, set) => {
                    let closes_at = Some(set.used_at().plus_seconds(limits::PICK_IDLE_SECONDS));
                    Some(PickOpenView { line: line(row), ready: true, done: 0, total: 0, closes_at })
                }
            };
            (open, standing.failed.clone())
        });
        let own_key = self.keeper.config().own_key;
        Ok(PicksView { own_key, sets: there.take(SETS_SHOWN).map(line).collect(), open, failed })
    }

    fn open(&self, by: &Arc<Actor>, sequence: u64, target: &str) -> Outcome<()> {
        let row = self.keeper.browsable(sequence, target).map_err(|failure| failure.fault())?;
        let progress = Arc::new(Progress::default());
        let now = self.keeper.now();
        let begun = with(&self.shared, |standing| {
            match &standing.state {
                State::Opening(..) => return Err(Fault::new(Code::Unavailable, "A set is being opened. Wait for it.")),
                State::Open(there, _, _) if (there.sequence, &there.target) == (row.sequence, &row.target) => {
                    return Ok(false);
                }
                State::Open(there, user, set) => {
                    let at_work = set.used_at().plus_seconds(AT_WORK_SECONDS) > now || Arc::strong_count(set) > 1;
                    if at_work && *user != by.user() {
                        let detail =
                            format!("Somebody looks into {}; one set at a time. Wait until they are done.", there.name);
                        return Err(Fault::new(Code::Unavailable, detail));
                    }
                }
                State::Closed => {}
            }
            standing.state = State::Opening(row.clone(), Arc::clone(&progress));
            standing.failed = None;
            Ok(true)
        })?;
        if begun { self.tell(Told::Open(Arc::clone(by), Box::new(row), progress)) } else { Ok(()) }
    }

    fn close(&self, by: &Actor) -> Outcome<bool> {
        let there = with(&self.shared, |standing| match &standing.state {
            State::Closed => Ok(false),
            State::Opening(_, progress) => {
                progress.stop();
                Ok(true)
            }
            State::Open(_, user, set) if *user != by.user() && is_at_work(set, self.keeper.now()) => {
                Err(Fault::new(Code::Unavailable, "Somebody else looks into the set. Wait until they are done."))
            }
            State::Open(..) => {
                standing.state = State::Closed;
                Ok(true)
            }
        })?;
        self.tell(Told::Close)?;
        Ok(there)
    }

    fn set(&self) -> Outcome<Arc<PickSet>> {
        with(&self.shared, |standing| match &standing.state {
            State::Open(_, _, set) => Ok(Arc::clone(set)),
            State::Opening(..) => Err(Fault::new(Code::SetNotOpen, "The set is still being opened.")),
            State::Closed => {
                Err(Fault::new(Code::SetNotOpen, "Open a backup set first; it closes when nobody looks for a while."))
            }
        })
    }
}

fn is_at_work(set: &PickSet, now: Timestamp) -> bool {
    set.used_at().plus_seconds(AT_WORK_SECONDS) > now
}

struct Work {
    keeper: Arc<Keeper>,
    shared: Arc<Mutex<Standing>>,
}

impl Work {
    fn run(&self, told: &Receiver<Told>) {
        let mut held: Option<Scratch> = None;
        loop {
            match told.recv_timeout(LOOK_EVERY) {
                Ok(Told::Open(by, row, progress)) => {
                    drop(held.take());
                    held = self.opened(&by, *row, &progress);
                }
                Ok(Told::Close) => {
                    if with(&self.shared, |standing| matches!(standing.state, State::Closed)) {
                        drop(held.take());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    if self.is_left() {
                        drop(held.take());
                    }
                }
                Ok(Told::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    with(&self.shared, |standing| standing.state = State::Closed);
                    return;
                }
            }
        }
    }

    fn opened(&self, by: &Actor, row: BackupRow, progress: &Progress) -> Option<Scratch> {
        match self.keeper.browse(by, &row, progress) {
            Ok((scratch, set)) => {
                with(&self.shared, |standing| standing.state = State::Open(row, by.user(), set));
                Some(scratch)
            }
            Err(failure) => {
                with(&self.shared, |standing| {
                    standing.state = State::Closed;
                    standing.failed = Some(failure.text().to_owned());
                });
                None
            }
        }
    }

    /// Whether nobody has looked for a while; then it is closed. What still works with it holds it.
    fn is_left(&self) -> bool {
        let now = self.keeper.now();
        with(&self.shared, |standing| {
            let left = match &standing.state {
                State::Open(_, _, set) => {
                    Arc::strong_count(set) == 1 && set.used_at().plus_seconds(limits::PICK_IDLE_SECONDS) <= now
                }
                State::Closed | State::Opening(..) => false,
            };
            if left {
                standing.state = State::Closed;
            }
            left
        })
    }
}
