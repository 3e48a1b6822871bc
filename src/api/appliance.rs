//! The appliance as the server sees it: sealed, or open with its services. One value, shared by all workers, that an
//! unseal switches at run time. It opens nothing itself; the binary hands in how.

use crate::attempts::{Attempts, Kept, Turn};
use crate::backups::Backups;
use crate::picks::Picks;
use arc_swap::ArcSwapOption;
use identity::Identity;
use kernel::{Clock, Code, Fault, Outcome, Random, Timestamp};
use records::{Records, SampleSource};
use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;
use transfer::{Exports, Imports};

/// One thing that health depends on.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Check {
    /// A stable name, such as `audit_log`.
    pub name: &'static str,
    /// Whether it is well.
    pub ok: bool,
    /// A stable word for the state, such as `log_sealed`: what an interface has words of its own for.
    pub state: &'static str,
    /// The figures of the state by name, such as `free_bytes`.
    pub figures: BTreeMap<&'static str, u64>,
    /// The state in English words, with what to do when it is not well. No personal values.
    pub detail: String,
    /// Whether it cannot serve well without this. A late backup is an alarm, but no reason to take a node out of service.
    #[serde(skip)]
    pub serves: bool,
}

/// Says how the appliance is. Blocking calls are fine: it is asked off the event loop.
pub trait Health: Send + Sync {
    /// Every check, in a fixed order.
    fn checks(&self) -> Vec<Check>;
}

/// Tells figures to a monitoring system. Blocking calls are fine.
pub trait Metrics: Send + Sync {
    /// Whether this token may see them; `None` where they are switched off.
    fn admits(&self, token: &str) -> Option<bool>;
    /// Everything beside the requests.
    fn tell(&self, page: &mut crate::Exposition);
}

/// The services of an unsealed appliance.
pub struct Open {
    /// The verbs.
    pub records: Records,
    /// Imports of users.
    pub imports: Imports,
    /// Exports of users.
    pub exports: Exports,
    /// Who somebody is.
    pub identity: Arc<Identity>,
    /// How it is.
    pub health: Arc<dyn Health>,
    /// Its backups.
    pub backups: Arc<dyn Backups>,
    /// The backup set that somebody looks into.
    pub picks: Arc<dyn Picks>,
    /// What can be loaded as sample data.
    pub sample: Arc<dyn SampleSource>,
}

/// What somebody brings to unseal a sealed appliance.
pub enum Brought<'a> {
    /// A passphrase.
    Passphrase(&'a str),
    /// The words of one recovery share, and the address they came from.
    Share(&'a str, Option<IpAddr>),
}

/// What became of it.
pub enum Unsealing {
    /// It is open; what is told of it in the log.
    Open(Box<Open>, String),
    /// The share is good, and more are needed.
    Waiting(SharesGiven),
}

/// Recovery shares that wait for the next one.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SharesGiven {
    /// The number of the set they are of.
    pub set: u16,
    /// Their numbers.
    pub given: Vec<u8>,
    /// How many are needed.
    pub needed: u8,
    /// How long they wait for the next one, in seconds.
    pub forgotten_after_seconds: u64,
}

/// Opens a sealed appliance. Blocking: run on a thread of its own.
pub trait Unsealer: Send + Sync {
    /// Opens with a passphrase, or gathers recovery shares until they are enough. A wrong one is [`Code::UnsealFailed`].
    fn unseal(&self, brought: &Brought<'_>) -> Result<Unsealing, Fault>;
}

/// What an attempt to unseal has led to.
pub(crate) enum Attempt {
    /// It was open before.
    WasOpen,
    /// More shares are needed.
    Waiting(SharesGiven),
    /// It is open now: the services, the failures that went before, what is told of it in the log.
    Opened(Arc<Open>, Kept, String),
}

/// How long an attempt to unseal waits for the one before it, which computes a hash of about a second.
const TURN_WAIT: Duration = Duration::from_secs(5);

struct Inner {
    open: ArcSwapOption<Open>,
    unsealer: Arc<dyn Unsealer>,
    /// Held during an attempt, so that guesses come one at a time.
    turn: Turn,
    /// What failed until now.
    attempts: Mutex<Attempts>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    started: Timestamp,
    /// Counts the times that open streams were told to end.
    streams: watch::Sender<u64>,
    /// Whether it was told to stop: it answers, and asks to be left.
    stopping: AtomicBool,
}

/// An appliance, sealed or open. Cheap to clone.
#[derive(Clone)]
pub struct Appliance(Arc<Inner>);

impl fmt::Debug for Appliance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Appliance({})", if self.is_sealed() { "sealed" } else { "open" })
    }
}

impl Appliance {
    /// A sealed appliance.
    pub fn sealed(unsealer: Arc<dyn Unsealer>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let started = clock.now();
        Self(Arc::new(Inner {
            open: ArcSwapOption::empty(),
            unsealer,
            turn: Turn::default(),
            attempts: Mutex::default(),
            clock,
            random,
            started,
            streams: watch::Sender::new(0),
            stopping: AtomicBool::new(false),
        }))
    }
    /// Opens it with services that the binary has made, from a key file for example.
    pub fn set_open(&self, open: Open) {
        self.0.open.store(Some(Arc::new(open)));
    }
    /// Takes the services away: from now on everything but health and unseal answers `sealed`.
    pub fn seal(&self) -> Option<Arc<Open>> {
        self.streams_end();
        self.0.open.swap(None)
    }
    /// From now on it says that it stops: to those who ask whether it is ready, and with every answer.
    pub(crate) fn set_stopping(&self) {
        self.0.stopping.store(true, Ordering::Release);
    }
    /// Whether it was told to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Acquire)
    }
    /// Ends the streams that are open now: the server stops, or the appliance is sealed.
    pub(crate) fn streams_end(&self) {
        self.0.streams.send_modify(|count| *count = count.wrapping_add(1));
    }
    /// What a stream listens to, in order to end.
    pub(crate) fn streams_ended(&self) -> watch::Receiver<u64> {
        self.0.streams.subscribe()
    }
    /// Whether there are no services.
    pub fn is_sealed(&self) -> bool {
        self.0.open.load().is_none()
    }
    /// The services, or the error to answer with.
    pub fn open(&self) -> Outcome<Arc<Open>> {
        self.open_if_any().ok_or_else(|| {
            let detail =
                "The appliance is sealed. An operator must unseal it: `kontor unseal`, or POST /api/v1/system/unseal.";
            Fault::new(Code::Sealed, detail)
        })
    }
    /// The services, if there are any.
    pub fn open_if_any(&self) -> Option<Arc<Open>> {
        self.0.open.load_full()
    }
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }
    pub(crate) fn random(&self) -> &dyn Random {
        self.0.random.as_ref()
    }
    pub(crate) fn started(&self) -> Timestamp {
        self.0.started
    }

    /// Tries a passphrase or a recovery share; one attempt at a time, and slower after failures from the same address. Blocking. An
    /// appliance that is open already stays as it is.
    pub(crate) fn unseal(&self, brought: &Brought<'_>, source: Option<IpAddr>) -> Outcome<Attempt> {
        if !self.is_sealed() {
            return Ok(Attempt::WasOpen);
        }
        // Who has to wait anyway does not stand in the way of others.
        self.unseal_admitted(source)?;
        let busy = || Fault::new(Code::RateLimited, "Another attempt to unseal is running. Try again in a moment.");
        let _turn = self.0.turn.take(TURN_WAIT).ok_or_else(busy)?;
        if !self.is_sealed() {
            return Ok(Attempt::WasOpen);
        }
        self.unseal_admitted(source)?;
        let opened = self.0.unsealer.unseal(brought);
        if opened.as_ref().is_err_and(|fault| fault.code == Code::UnsealFailed) {
            self.attempts().failed(source, self.0.clock.now(), self.0.clock.monotonic());
        }
        match opened? {
            Unsealing::Waiting(given) => Ok(Attempt::Waiting(given)),
            Unsealing::Open(open, told) => {
                let open = Arc::new(*open);
                self.0.open.store(Some(Arc::clone(&open)));
                Ok(Attempt::Opened(open, self.attempts().take(), told))
            }
        }
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.0.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses an address that has to wait after its failures.
    fn unseal_admitted(&self, source: Option<IpAddr>) -> Outcome<()> {
        let Some(seconds) = self.attempts().wait_seconds(source, self.0.clock.monotonic()) else { return Ok(()) };
        let detail = format!("Too many failed attempts from this address; try again in {seconds} s.");
        let mut fault = Fault::new(Code::RateLimited, detail);
        fault.extension = Some(format!("{{\"retry_after_seconds\":{seconds}}}").into());
        Err(fault)
    }
}
