//! The thread that keeps the appliance backed up while it serves: makes what is due or asked for, proves it, lets old sets go.
//! A failure is told in the log and on the health page, and tried again later; it never stops the appliance.

use crate::appliance::Keeper;
use crate::appliance::keeper::RETRY_SECONDS;
use crate::cli::failure::Failure;
use api::{BackupOrder, RunningView};
use identity::Actor;
use kernel::{Code, Fault, Outcome, Timestamp};
use recovery::Progress;
use std::cell::Cell;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use store::{BackupRow, Lease};

/// How often it is asked what is due.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// And how soon after the start: what is shipped is worth little before the set that leads into it.
const LOOK_FIRST: Duration = Duration::from_secs(1);

/// What the thread is told.
enum Told {
    /// Somebody asks for something.
    Order(Arc<Actor>, BackupOrder),
    /// The appliance stops.
    Stop,
}

/// What is under way, for those who look.
struct Current {
    what: &'static str,
    since: Timestamp,
    progress: Arc<Progress>,
}

/// What there is to do.
#[derive(Default)]
struct Desk {
    current: Option<Current>,
    /// Something was asked for and not begun yet.
    asked: bool,
    stopping: bool,
}

/// What the thread and those who look at it share.
#[derive(Default)]
struct Shared(Mutex<Desk>);

impl Shared {
    fn with<T>(&self, look: impl FnOnce(&mut Desk) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
    fn stop_current(&self) -> bool {
        self.with(|desk| desk.current.as_ref().map(|current| current.progress.stop()).is_some())
    }
}

/// A way to ask the thread for something. It may outlive the thread; then nobody answers.
#[derive(Clone)]
pub(crate) struct Bench {
    sender: Sender<Told>,
    shared: Arc<Shared>,
}

impl Bench {
    /// Asks for something.
    ///
    /// # Errors
    /// `unavailable` while something else is under way.
    pub(crate) fn ask(&self, by: &Arc<Actor>, order: BackupOrder) -> Outcome<()> {
        let free = self.shared.with(|desk| {
            let free = desk.current.is_none() && !desk.asked;
            desk.asked |= free;
            free
        });
        if !free {
            return Err(Fault::new(Code::Unavailable, "A backup or drill is under way. Wait for it, or stop it."));
        }
        let sent = self.sender.send(Told::Order(Arc::clone(by), order));
        sent.map_err(|_| Fault::new(Code::Unavailable, "The appliance is stopping."))
    }
    /// What is under way.
    pub(crate) fn running(&self) -> Option<RunningView> {
        self.shared.with(|desk| {
            desk.current.as_ref().map(|current| {
                let (done, total) = current.progress.bytes();
                RunningView { what: current.what, since: current.since, done, total }
            })
        })
    }
    /// Asks what is under way to stop; whether there was something.
    pub(crate) fn stop(&self) -> bool {
        self.shared.stop_current()
    }
}

/// The handle to the thread.
pub(crate) struct Keeping {
    bench: Bench,
    thread: Option<JoinHandle<()>>,
}

impl Keeping {
    /// Starts it.
    pub(crate) fn start(keeper: Arc<Keeper>, system: Actor) -> Result<Self, Failure> {
        let (sender, told) = channel();
        let bench = Bench { sender, shared: Arc::default() };
        let work = Work { keeper, system, shared: Arc::clone(&bench.shared), drill_stopped: Cell::new(None) };
        let thread = std::thread::Builder::new().name("keeper".to_owned()).spawn(move || work.run(&told));
        let thread =
            thread.map_err(|error| Failure::new(Code::Unavailable, format!("cannot start a thread: {error}")))?;
        Ok(Self { bench, thread: Some(thread) })
    }
    /// A way to ask it for something.
    pub(crate) fn bench(&self) -> Bench {
        self.bench.clone()
    }
    /// Stops what is under way, a set or a drill, at its next block and joins the thread.
    pub(crate) fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.bench.shared.with(|desk| desk.stopping = true);
        self.bench.stop();
        // An error says that the thread has ended already.
        let _ = self.bench.sender.send(Told::Stop);
        let _ = thread.join();
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Work {
    keeper: Arc<Keeper>,
    system: Actor,
    shared: Arc<Shared>,
    /// When somebody last stopped a drill: it is not begun again at once.
    drill_stopped: Cell<Option<Timestamp>>,
}

impl Work {
    fn run(&self, told: &Receiver<Told>) {
        let mut wait = LOOK_FIRST;
        loop {
            let heard = told.recv_timeout(wait);
            wait = LOOK_EVERY;
            let done = match heard {
                Ok(Told::Order(by, order)) => self.ordered(&by, order),
                Err(RecvTimeoutError::Timeout) => self.due(),
                Ok(Told::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            };
            if let Err(failure) = done {
                tracing::warn!(told = failure.text(), "backups");
            }
        }
    }

    /// Does something that others can see and stop.
    fn shown<T>(&self, what: &'static str, act: impl FnOnce(&Arc<Progress>) -> T) -> T {
        let progress = Arc::new(Progress::default());
        let current = Current { what, since: self.keeper.now(), progress: Arc::clone(&progress) };
        self.shared.with(|desk| {
            if desk.stopping {
                current.progress.stop();
            }
            desk.asked = false;
            desk.current = Some(current);
        });
        let done = act(&progress);
        self.shared.with(|desk| desk.current = None);
        done
    }

    fn ordered(&self, by: &Actor, order: BackupOrder) -> Result<(), Failure> {
        match order {
            BackupOrder::Make(targets) if targets.is_empty() => self.make(by, &self.keeper.target_names()),
            BackupOrder::Make(targets) => self.make(by, &targets),
            BackupOrder::Prove(target) => self.prove(by, target.as_deref()),
        }
    }

    fn due(&self) -> Result<(), Failure> {
        // Of several nodes one does what is due; what somebody asks for is done where it was asked.
        if !self.keeper.store.lease_held(Lease::Schedule) {
            return Ok(());
        }
        self.keeper.settle_interrupted()?;
        let mut due = self.keeper.targets_due()?;
        // A set that another target has whole is as good as a new one, and costs the data nothing.
        for (target, donor) in self.keeper.donors(&due)? {
            due.retain(|name| *name != target);
            self.complete(&target, &donor)?;
        }
        // A stream is worth nothing without the set that leads into it.
        due.extend(self.keeper.targets_without_base());
        due.sort();
        due.dedup();
        if !due.is_empty() {
            self.make(&self.system, &due)?;
        }
        let stopped = self.drill_stopped.get();
        let rests = stopped.is_some_and(|at| at.plus_seconds(RETRY_SECONDS) > self.keeper.now());
        if !rests && self.keeper.drill_is_due()? {
            self.prove(&self.system, None)?;
        }
        Ok(())
    }

    fn complete(&self, target: &str, donor: &BackupRow) -> Result<(), Failure> {
        let outcome = self.shown("make", |progress| self.keeper.complete(&self.system, progress, target, donor))?;
        match outcome {
            Ok(bytes) => {
                tracing::info!(
                    set = donor.name,
                    target_name = target,
                    bytes,
                    "a backup set was completed from another target and read back"
                );
            }
            Err(error) => {
                tracing::error!(set = donor.name, target_name = target, %error, "a backup set could not be completed");
            }
        }
        Ok(())
    }

    fn make(&self, by: &Actor, targets: &[String]) -> Result<(), Failure> {
        let made = self.shown("make", |progress| self.keeper.make(by, progress, targets))?;
        for outcome in &made.outcomes {
            match &outcome.outcome {
                Ok(verified) => {
                    tracing::info!(set = %made.name, target_name = outcome.target, bytes = verified.bytes(), "a backup set was made and read back");
                }
                Err(error) => {
                    tracing::error!(set = %made.name, target_name = outcome.target, %error, "a backup set could not be made");
                }
            }
        }
        let gone = self.keeper.prune(&self.system)?;
        if gone > 0 {
            tracing::info!(gone, "backup sets that younger ones do for were removed");
        }
        Ok(())
    }

    fn prove(&self, by: &Actor, target: Option<&str>) -> Result<(), Failure> {
        let (report, stopped) =
            self.shown("prove", |progress| (self.keeper.drill(by, progress, target), progress.is_stopped()));
        if stopped {
            self.drill_stopped.set(Some(self.keeper.now()));
        }
        let report = report?;
        if report.ok {
            tracing::info!(set = report.set, millis = report.millis, "a backup set was restored and is whole");
        } else {
            tracing::error!(set = report.set, "a backup set could NOT be restored; look at `kontor backup list`");
        }
        Ok(())
    }
}
