//! The appliance while it serves: opened once with its root key, sealing its log, telling its log each minute that it
//! lives, and closed in the one order that loses nothing. It answers no request; that is the server's part.

use crate::appliance::backup_desk::BackupDesk;
use crate::appliance::figures::Told;
use crate::appliance::health::ApplianceHealth;
use crate::appliance::keeping::Keeping;
use crate::appliance::picks::PickDesk;
use crate::appliance::waiting_shares::{Given, WaitingShares};
use crate::appliance::watch::{Book, Silent, Watch, post_of};
use crate::appliance::{Appliance, HouseSample, Keeper, LogSigner, Opened, identity_over, layout, membership, upgrade};
use crate::cli::failure::Failure;
use crate::config::Config;
use api::{Brought, Open, Unsealer, Unsealing};
use audit::{Signer, Verb};
use identity::{Actor, ActorContext, Channel, SystemActor};
use kernel::{AnyKind, Code, Fault, Id};
use records::Records;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use store::{Lease, Sealer, Store, StoreError};
use transfer::{Exports, Imports};
use vault::Secret;

/// How often definitions and roles are looked at that a command beside the server may have changed.
const REFRESH_EVERY: Duration = Duration::from_secs(2);
/// Refreshes between two heartbeats: one minute.
const HEARTBEAT_ROUNDS: u32 = 30;
/// Refreshes between two looks for what was kept long enough: one hour.
const SWEEP_ROUNDS: u32 = 1_800;
/// A wall clock that moved this much against the monotonic one was set by somebody.
const CLOCK_STEP_MICROS: i64 = 2_000_000;
/// How long the start waits for a command that is just sealing the log.
const SEALER_WAIT: Duration = Duration::from_secs(10);

/// Opens the appliance when it gets its root key, and keeps what has to be stopped in order.
pub(crate) struct Gate {
    appliance: Appliance,
    running: Mutex<Option<Running>>,
    shares: WaitingShares,
    /// The configuration in force.
    config: Mutex<Config>,
}

struct Running {
    store: Arc<Store>,
    system: Actor,
    sealer: Sealer,
    pulse: Pulse,
    keeping: Keeping,
    watch: Watch,
    picks: Arc<PickDesk>,
    told: Told,
}

impl Gate {
    /// A gate before a sealed or unsealed vault; nothing is opened yet.
    pub(crate) fn new(appliance: Appliance) -> Self {
        let shares = WaitingShares::new(Arc::clone(&appliance.clock));
        let config = Mutex::new(appliance.config.clone());
        Self { appliance, running: Mutex::new(None), shares, config }
    }
    /// The appliance behind it.
    pub(crate) fn appliance(&self) -> &Appliance {
        &self.appliance
    }

    /// The configuration in force.
    pub(crate) fn config(&self) -> Config {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over what of a configuration can change while the appliance serves. The rest stays as it was.
    pub(crate) fn reconfigure(&self, config: Config) -> Result<(), Failure> {
        let held = || self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let open = held().as_ref().map(|running| (Arc::clone(&running.store), running.system.clone()));
        // Nobody holds the appliance while the log takes its time: how long it stands still must be seen all the same.
        if let Some((store, system)) = open {
            let mut entry = store.entry(&system, Verb::ConfigChange);
            "the configuration was read anew".clone_into(&mut entry.note);
            store.append(vec![entry]).wait()?;
        }
        let (running, before) = (held(), self.config());
        if running.is_some() && (config.mail != before.mail || config.server.names != before.server.names) {
            self.appliance.live.post_set(post_of(&self.appliance, &config)?);
        }
        self.appliance.live.backup_set(&config);
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// How long what keeps the appliance going has not gone round: it writes to the log each minute, so a committer that is stuck
    /// keeps it, too. Nothing while the appliance is sealed, or just opens or closes.
    pub(crate) fn standstill(&self) -> Option<Duration> {
        let running = self.running.try_lock().ok()?;
        let beat = Duration::from_millis(running.as_ref()?.pulse.beat.load(Ordering::Acquire));
        Some(self.appliance.clock.monotonic().saturating_sub(beat))
    }

    /// Whether this process is no node of the appliance any more: it must not go on to serve.
    pub(crate) fn is_replaced(&self) -> bool {
        let Ok(running) = self.running.try_lock() else { return false };
        running.as_ref().is_some_and(|running| running.store.node_replaced())
    }

    /// What figures are told of while the appliance is open.
    pub(super) fn told(&self) -> Option<Told> {
        self.running.try_lock().ok()?.as_ref().map(|running| running.told.clone())
    }

    /// Opens the database of the unsealed vault and starts what runs beside the server. Once. `unsealed_with` is told in
    /// the log; the server tells of passphrases itself, with the address they came from.
    pub(crate) fn open(&self, unsealed_with: Option<&str>) -> Result<Open, Failure> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return Err(Failure::new(Code::Internal, "the appliance is open already"));
        }
        let Opened { store, signer, shipping } = self.appliance.open()?;
        self.publish_key(&signer)?;
        membership::join(&self.appliance, &store)?;
        let system = system_actor(&store)?;
        let mut entries = vec![store.entry(&system, Verb::Start)];
        entries.extend(unsealed_with.map(|with| {
            let mut entry = store.entry(&system, Verb::Unseal);
            with.clone_into(&mut entry.note);
            entry
        }));
        store.append(entries).wait()?;
        let opened = Opened { store: Arc::clone(&store), signer: Arc::clone(&signer), shipping: None };
        upgrade::keep_from_first(&opened, &self.appliance.vault, &system)?;
        if !store.is_shared() {
            sweep(&store);
            files_sweep(&store);
        }
        let sealer = start_sealer(&store, &signer)?;
        let pulse = Pulse::start(&store, system.clone())?;
        let keeper = Arc::new(Keeper::new(&self.appliance, &store, &signer, shipping.clone())?);
        let keeping = Keeping::start(Arc::clone(&keeper), system.clone())?;
        let silent = Arc::<Silent>::default();
        self.appliance.live.post_set(post_of(&self.appliance, &self.config())?);
        let health = Arc::new(ApplianceHealth::new(&self.appliance, &store, shipping, Arc::clone(&silent))?);
        let book = Book { store: Arc::clone(&store), system: system.clone() };
        let watch = Watch::start(&self.appliance, (&keeper, keeping.bench()), &health, silent, book)?;
        let picks = Arc::new(PickDesk::start(&keeper)?);
        let told = Told { health: Arc::clone(&health), keeper: Arc::clone(&keeper) };
        let backups = Arc::new(BackupDesk::new(keeper, keeping.bench()));
        let (records, identity) = (Records::new(Arc::clone(&store)), identity_over(&store));
        let sample = HouseSample { clock: Arc::clone(store.clock()), random: Arc::clone(store.random()) };
        let held = Arc::clone(&picks);
        *running =
            Some(Running { store: Arc::clone(&store), system, sealer, pulse, keeping, watch, picks: held, told });
        let imports = Imports::new(records.clone(), Arc::clone(&store));
        let exports = Exports::new(records.clone(), store);
        Ok(Open { records, imports, exports, identity, health, backups, picks, sample: Arc::new(sample) })
    }

    /// The last entry, the last seal, then everything closes. Without a root key there is nothing to do.
    pub(crate) fn close(&self) {
        let Some(mut running) = self.running.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        running.watch.stop();
        running.picks.stop();
        running.keeping.stop();
        running.pulse.stop();
        let entry = running.store.entry(&running.system, Verb::Stop);
        if let Err(fault) = running.store.append(vec![entry]).wait() {
            tracing::error!(
                code = fault.code.as_str(),
                cause = fault.cause(),
                "the last entry of the log could not be written"
            );
        }
        running.sealer.stop();
        if let Err(fault) = running.store.node_end() {
            tracing::warn!(code = fault.code.as_str(), cause = fault.cause(), "other nodes wait until its leases end");
        }
        running.store.close();
        self.appliance.vault.seal();
    }

    /// Auditors find the public key beside the log, also when the file was lost; another key there is an alarm.
    fn publish_key(&self, signer: &LogSigner) -> Result<(), Failure> {
        let path = self.appliance.layout.log_key();
        let key = signer.verifier_key()?;
        if !path.exists() {
            return layout::write_public(&path, &format!("{key}\n"));
        }
        if self.appliance.verifier_key()? == key {
            return Ok(());
        }
        Err(Failure::new(Code::ConfigInvalid, format!("{} is not the key of this appliance's log", path.display()))
            .kept("nothing was changed")
            .todo("somebody exchanged the file or the keys: find out who before you go on; then remove the file and start again"))
    }
}

impl Unsealer for Gate {
    fn unseal(&self, brought: &Brought<'_>) -> Result<Unsealing, Fault> {
        let (secret, told) = match brought {
            Brought::Passphrase(text) => (Secret::passphrase((*text).to_owned()), String::new()),
            Brought::Share(words, source) => match self.shares.give(&self.appliance.vault, words, *source)? {
                Given::Waiting(given) => return Ok(Unsealing::Waiting(given)),
                Given::Enough(secret, told) => (secret, told),
            },
        };
        self.appliance.vault.unseal(&secret)?;
        self.shares.forget();
        let open = self.open(None).map_err(|failure| {
            // Half open is worse than sealed.
            self.appliance.vault.seal();
            Fault::new(
                failure.code,
                "The secret is right, but the appliance could not be opened; the server's log says why.",
            )
            .with_cause(failure.text())
        })?;
        Ok(Unsealing::Open(Box::new(open), told))
    }
}

fn system_actor(store: &Store) -> Result<Actor, Failure> {
    let request: Id<AnyKind> = Id::generate(store.clock().as_ref(), store.random().as_ref());
    let context = ActorContext::new(Channel::System, request.to_string());
    let context = context.map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    Ok(SystemActor::for_boot(store.boot(), context))
}

/// A command that has just finished may hold the log for a moment; only a lasting holder is an error.
fn start_sealer(store: &Arc<Store>, signer: &Arc<LogSigner>) -> Result<Sealer, Failure> {
    let until = store.clock().monotonic() + SEALER_WAIT;
    loop {
        match Sealer::start(store, Arc::clone(signer) as Arc<dyn Signer + Send + Sync>) {
            Ok(sealer) => return Ok(sealer),
            Err(StoreError::LogLocked) if store.clock().monotonic() < until => {
                std::thread::park_timeout(Duration::from_millis(50));
            }
            Err(error) => {
                return Err(Failure::from(error)
                    .kept("the appliance stays closed; nothing was changed in the log")
                    .todo(
                        "look with `kontor audit verify`; if tiles are damaged, restore the log/ folder from a backup",
                    ));
            }
        }
    }
}

/// The thread that tells the log each minute that the appliance lives, and takes over what commands changed.
struct Pulse {
    /// When it last went round, in milliseconds of the monotonic clock.
    beat: Arc<AtomicU64>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Pulse {
    fn start(store: &Arc<Store>, system: Actor) -> Result<Self, Failure> {
        let (stop, stopped) = channel();
        let store = Arc::clone(store);
        let beat = Arc::new(AtomicU64::new(monotonic_millis(&store)));
        let beating = Arc::clone(&beat);
        let thread = std::thread::Builder::new().name("pulse".to_owned()).spawn(move || {
            let mut offset = clock_offset(&store);
            let mut round = 0u32;
            while stopped.recv_timeout(REFRESH_EVERY) == Err(RecvTimeoutError::Timeout) {
                round = round.wrapping_add(1);
                let now = clock_offset(&store);
                if (now - offset).abs() > CLOCK_STEP_MICROS {
                    let mut entry = store.entry(&system, Verb::ClockStep);
                    entry.note = format!("the wall clock moved by {} s", (now - offset) / 1_000_000);
                    append(&store, entry);
                }
                offset = now;
                if round.is_multiple_of(HEARTBEAT_ROUNDS) {
                    append(&store, store.entry(&system, Verb::Heartbeat));
                }
                let scheduled = say_alive(&store);
                if round.is_multiple_of(SWEEP_ROUNDS) && scheduled {
                    sweep(&store);
                    if store.is_shared() {
                        files_sweep(&store);
                    }
                }
                match store.refresh() {
                    Ok(true) => {
                        tracing::info!("definitions or roles were changed by another process; they are in force")
                    }
                    Ok(false) => {}
                    Err(fault) => tracing::warn!(
                        code = fault.code.as_str(),
                        cause = fault.cause(),
                        "definitions could not be looked at"
                    ),
                }
                beating.store(monotonic_millis(&store), Ordering::Release);
            }
        });
        let thread =
            thread.map_err(|error| Failure::new(Code::Unavailable, format!("cannot start a thread: {error}")))?;
        Ok(Self { beat, stop: Some(stop), thread: Some(thread) })
    }
    fn stop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Wall clock less monotonic clock, in microseconds: the same for ever unless somebody sets the clock.
fn clock_offset(store: &Store) -> i64 {
    let monotonic = i64::try_from(store.clock().monotonic().as_micros()).unwrap_or(i64::MAX);
    store.clock().now().micros().saturating_sub(monotonic)
}

fn monotonic_millis(store: &Store) -> u64 {
    u64::try_from(store.clock().monotonic().as_millis()).unwrap_or(u64::MAX)
}

/// Says that this node lives, and keeps the lease on what is due by the clock; whether it has it.
fn say_alive(store: &Store) -> bool {
    let beaten = store.node_beat().and_then(|lives| Ok(lives && store.lease_keep_when_due(Lease::Schedule)?));
    beaten.unwrap_or_else(|fault| {
        tracing::warn!(code = fault.code.as_str(), cause = fault.cause(), "this node could not say that it lives");
        false
    })
}

fn files_sweep(store: &Arc<Store>) {
    match store.files_sweep() {
        Ok(0) => {}
        Ok(gone) => tracing::info!(gone, "files that no record names were removed"),
        Err(fault) => tracing::warn!(cause = fault.cause(), "the folder of files could not be looked through"),
    }
}

fn sweep(store: &Store) {
    match store.old_sweep() {
        Ok(0) => {}
        Ok(gone) => {
            tracing::info!(gone, "imports, exports and notifications that were kept long enough were taken away")
        }
        Err(fault) => {
            tracing::warn!(code = fault.code.as_str(), cause = fault.cause(), "what is old could not be looked for")
        }
    }
}

fn append(store: &Store, entry: audit::Entry) {
    if let Err(fault) = store.append(vec![entry]).wait() {
        tracing::error!(
            code = fault.code.as_str(),
            cause = fault.cause(),
            "the audit log cannot be written; free space on its disk"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appliance::{NewAppliance, create};
    use std::io::Write;
    use std::process::{Command, Stdio};

    #[test]
    fn a_reload_that_waits_for_the_log_hides_no_standstill() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("appliance");
        let made = create(NewAppliance {
            dir: &dir,
            profile: metadata::Profile::Standard,
            passphrase: None,
            key_file: true,
            listen: "127.0.0.1:0",
            names: &[],
            postgres: None,
        });
        let gate = Gate::new(made.unwrap().keep());
        gate.open(None).unwrap();
        assert!(gate.standstill().is_some());
        // Somebody writes and does not end: the committer waits.
        let mut other =
            Command::new("sqlite3").arg(gate.appliance().layout.database()).stdin(Stdio::piped()).spawn().unwrap();
        let mut into = other.stdin.take().unwrap();
        let begun = root.path().join("begun");
        writeln!(into, ".timeout 20000\nBEGIN IMMEDIATE;\n.shell touch {}", begun.display()).unwrap();
        let until = |what: &dyn Fn() -> bool| {
            let end = gate.appliance().clock.monotonic() + Duration::from_secs(20);
            while !what() {
                assert!(gate.appliance().clock.monotonic() < end, "it never came to that");
                std::thread::park_timeout(Duration::from_millis(5));
            }
        };
        until(&|| begun.exists());
        std::thread::scope(|scope| {
            let reload = scope.spawn(|| gate.reconfigure(gate.config()));
            // Held for a moment it may be; not for as long as the log takes.
            for _ in 0..100 {
                until(&|| gate.standstill().is_some());
                assert!(!reload.is_finished(), "nothing was waited for");
                std::thread::park_timeout(Duration::from_millis(5));
            }
            drop(into);
            reload.join().unwrap().unwrap();
        });
        assert!(other.wait().unwrap().success());
        gate.close();
    }
}
