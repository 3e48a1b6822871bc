//! `kontor serve`: the appliance at work, until it is told to stop. Starts sealed when there is no key file.

use crate::appliance::upgrade::{self, refuse_half_done};
use crate::appliance::{Appliance, FolderLock, Gate, restart_keys};
use crate::cli::Dir;
use crate::cli::failure::{EXIT_CONFIG, Failure};
use crate::cli::out::Out;
use crate::config::Config;
use crate::service::journal::{self, LogLevel};
use crate::service::manager::{self, Watchdog};
use crate::service::signals::{Signals, Wish};
use crate::service::sockets;
use api::{Asker, Handle, InUse, OwnCertificates, ServerConfig};
use kernel::Code;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// How often a waiting server looks whether it ended by itself, and whether it was unsealed.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long each step of a question to itself may take.
const ASK_PATIENCE: Duration = Duration::from_secs(5);
/// How long the appliance may stand still before it counts as stuck. A database server that is away answers with an error long
/// before.
const STANDSTILL_MAX: Duration = Duration::from_secs(180);
/// How long the end may take beside the drain: running requests, a backup that is stopped, the last seal.
const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// Starts the appliance and serves until SIGTERM or SIGINT.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kontor serve --dir /srv/kontor

With a key file (unseal.key_file in kontor.toml) it opens at once. Without one it starts sealed: only health and unseal \
answer until `kontor unseal` brings the passphrase. Writes what an operator needs to the error stream; a second server on \
the same folder is refused. /healthz says whether it lives, /readyz whether it can serve and why not.
SIGTERM stops it in order; SIGHUP lets it read its configuration and certificate anew. Under systemd it tells when it is ready, \
feeds the watchdog while it is well, and takes over the sockets of a socket unit in place of server.listen.
Exit codes: 0 stopped as asked; 2 could not start or failed; 74 the disk failed under the audit log (look at the disk \
before starting again); 78 the configuration is not valid, or an upgrade was cut off \
(starting again will not help).")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    dir: Dir,
}

pub(crate) fn run(args: &ServeArgs, out: &mut Out) -> Result<u8, Failure> {
    // Before any thread: the environment is changed.
    let sockets = sockets::handed()?;
    let appliance = Appliance::load(&args.dir.dir).map_err(config_exit)?;
    let level = journal::begin(appliance.config.log);
    let problems = appliance.config.problems_on_disk();
    if !problems.is_empty() {
        return Err(config_exit(crate::appliance::config_failure(&appliance.layout, &problems)));
    }
    let served = Served::start(appliance, level, Where::Configured(sockets))?;
    out.flush();
    served.until_told()
}

fn config_exit(failure: Failure) -> Failure {
    if failure.code == Code::ConfigInvalid { failure.exit(EXIT_CONFIG) } else { failure }
}

/// Where a server listens.
pub(crate) enum Where {
    /// On the sockets that were handed over; without any, where the configuration says.
    Configured(Vec<TcpListener>),
    /// Here, whatever the configuration says.
    Here(SocketAddr),
}

/// A serving appliance.
pub(crate) struct Served {
    gate: Arc<Gate>,
    site: api::Appliance,
    server: Handle,
    signals: Signals,
    level: LogLevel,
    watchdog: Watchdog,
    _lock: FolderLock,
}

impl Served {
    /// Takes the folder, opens it where a key file allows, and listens.
    pub(crate) fn start(appliance: Appliance, level: LogLevel, at: Where) -> Result<Self, Failure> {
        vault::self_test()?;
        sockets::make_room();
        appliance.refuse_standby()?;
        // Starting again does not help: a service manager must not try.
        refuse_half_done(&appliance.layout).map_err(|failure| failure.exit(EXIT_CONFIG))?;
        let lock = FolderLock::take(&appliance.layout)?;
        let signals = Signals::listen_for_reload()?;
        let tls = certificates(&appliance, &appliance.config)?;
        let secret = appliance.key_file_secret()?;
        let mut config = match at {
            Where::Here(address) => ServerConfig::new(address, tls),
            Where::Configured(_) => ServerConfig::new(appliance.config.server.listen, tls),
        };
        if let Where::Configured(sockets) = at {
            config.sockets = sockets;
        }
        config.proxies = appliance.config.server.proxies.clone();
        let (clock, random) = (Arc::clone(&appliance.clock), Arc::clone(&appliance.random));
        let gate = Arc::new(Gate::new(appliance));
        let site = api::Appliance::sealed(Arc::clone(&gate) as Arc<dyn api::Unsealer>, clock, random);
        if let Some(secret) = secret {
            gate.appliance().unseal(&secret)?;
            site.set_open(gate.open(Some("key file"))?);
        }
        config.metrics = Some(Arc::clone(&gate) as Arc<dyn api::Metrics>);
        let server = api::serve(config, site.clone()).map_err(|error| {
            gate.close();
            Failure::new(Code::Unavailable, error.to_string())
                .kept("the appliance is closed; nothing was changed")
                .todo("free the address, or set server.listen to another")
        })?;
        let watchdog = watchdog(&gate, server.asker())?;
        if let Err(error) = lock.tell(&server.url()) {
            tracing::warn!(%error, "commands on this machine look for the server where the configuration says");
        }
        let dir = gate.appliance().layout.dir().display();
        tracing::info!(url = server.url(), %dir, version = %upgrade::running(), "serving");
        if site.is_sealed() {
            tracing::warn!("the appliance is sealed; run `kontor unseal --dir {dir}`");
        }
        let served = Self { gate, site, server, signals, level, watchdog, _lock: lock };
        manager::ready(&served.status());
        Ok(served)
    }
    /// The address for people and programs on this machine.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }
    /// The folder and what lies in it.
    pub(crate) fn appliance(&self) -> &Appliance {
        self.gate.appliance()
    }
    fn status(&self) -> String {
        if self.site.is_sealed() {
            return "Sealed: waits for `kontor unseal`.".to_owned();
        }
        format!("Serves {}.", self.server.url())
    }

    /// Serves until SIGTERM or SIGINT; then stops in order: it says so, running requests end, the log is closed.
    pub(crate) fn until_told(mut self) -> Result<u8, Failure> {
        let told = self.wait();
        tracing::info!("stopping");
        self.watchdog.stop();
        if told.is_ok() {
            self.drain();
        }
        let ended = self.server.stop();
        self.gate.close();
        told?;
        ended.map_err(|error| {
            Failure::new(Code::Unavailable, error.to_string())
                .kept("the log is closed and whole")
                .todo("look at the lines above, then start again")
        })?;
        tracing::info!("stopped");
        Ok(0)
    }

    /// Returns when it is told to stop, or when the server has ended by itself.
    fn wait(&mut self) -> Result<(), Failure> {
        let mut sealed = self.site.is_sealed();
        loop {
            match self.signals.next(LOOK_EVERY) {
                Some(Wish::Stop) => return Ok(()),
                Some(Wish::Reload) => self.reload(),
                None if self.server.is_finished() => {
                    return Err(Failure::new(Code::Unavailable, "the HTTP server ended by itself"));
                }
                None if self.gate.is_replaced() => {
                    return Err(Failure::new(Code::Fenced, "this process is no node of the appliance any more: another took its name, or it was removed")
                        .kept("what it had answered; it answers nobody any more")
                        .todo("start it again, if it is still to serve: it takes its place anew, unless another has it; see `kontor node list`"));
                }
                None if sealed != self.site.is_sealed() => {
                    sealed = !sealed;
                    manager::status(&self.status());
                }
                None => {}
            }
        }
    }

    /// Goes on to answer for as long as is configured, while whoever distributes requests learns that it stops. A second signal
    /// ends that.
    fn drain(&mut self) {
        let drain = Duration::from_secs(self.gate.config().server.drain_seconds);
        manager::stopping(drain + STOP_PATIENCE);
        self.server.stop_announce();
        if !drain.is_zero() {
            tracing::info!(seconds = drain.as_secs(), "still answering, so that others can take over");
            self.signals.next(drain);
        }
    }

    /// Reads configuration and certificate anew. What cannot be used changes nothing, and is told.
    fn reload(&mut self) {
        manager::reloading();
        let status = match self.reloaded() {
            Ok(later) if later.is_empty() => {
                tracing::info!("the configuration was read anew and is in force");
                self.status()
            }
            Ok(later) => {
                let keys = later.join(", ");
                tracing::warn!(keys, "the configuration was read anew; these keys count from the next start on");
                format!("{} At the next start: {keys}.", self.status())
            }
            Err(failure) => {
                tracing::error!(told = failure.text(), "the configuration was not taken over; the former one stays");
                format!("{} The new configuration is NOT in force, look at the journal.", self.status())
            }
        };
        manager::ready(&status);
    }

    fn reloaded(&mut self) -> Result<Vec<&'static str>, Failure> {
        let (appliance, before) = (self.gate.appliance(), self.gate.config());
        let refused =
            |problems: &[crate::config::Problem]| crate::appliance::config_failure(&appliance.layout, problems);
        let after = Config::read(&appliance.layout).map_err(|problems| refused(&problems))?;
        let problems = after.problems_on_disk();
        if !problems.is_empty() {
            return Err(refused(&problems));
        }
        if let Some(files) = certificates(appliance, &after)?.filter(|_| !before.server.plain_http_on_loopback) {
            self.server.certificate_replace(&files).map_err(|error| tls_failure(&error))?;
        }
        let later = restart_keys(&appliance.config, &after);
        self.level.set(after.log.level);
        self.gate.reconfigure(after)?;
        Ok(later)
    }
}

/// Fed while the server answers over its own socket and the appliance does not stand still.
fn watchdog(gate: &Arc<Gate>, asker: Asker) -> Result<Watchdog, Failure> {
    let gate = Arc::clone(gate);
    let started = Watchdog::start(move || {
        match asker.ask(ASK_PATIENCE) {
            // Starting anew would help nobody: whoever takes all connections takes them again, and a sealed appliance stays closed.
            Err(error) if sockets::are_taken() => {
                tracing::warn!(%error, "nearly all connections are taken; the server could not ask itself whether it lives");
            }
            asked => asked.map_err(|error| format!("the server does not answer itself: {error}"))?,
        }
        match gate.standstill() {
            Some(long) if long > STANDSTILL_MAX => Err(format!("the log took nothing for {} s", long.as_secs())),
            _ => Ok(()),
        }
    });
    started.map_err(|error| Failure::new(Code::Unavailable, format!("cannot start a thread: {error}")))
}

/// The files of the certificate: the one of the site where there is one, else the own one, renewed where that is due.
pub(crate) fn certificates(appliance: &Appliance, config: &Config) -> Result<Option<api::TlsFiles>, Failure> {
    if config.server.plain_http_on_loopback {
        return Ok(None);
    }
    let in_use = InUse::in_folder(&appliance.layout.tls());
    if in_use.of_site {
        in_use.files.usable().map_err(|error| tls_failure(&error))?;
        return Ok(Some(in_use.files));
    }
    let own = OwnCertificates::in_folder(appliance.layout.tls());
    let renewed =
        own.renew_if_due(&config.server.names, appliance.clock.as_ref()).map_err(|error| tls_failure(&error))?;
    if renewed {
        tracing::info!("a new server certificate was issued; the authority that browsers trust is the same");
    }
    Ok(Some(own.server()))
}

fn tls_failure(error: &api::TlsError) -> Failure {
    Failure::new(Code::ConfigInvalid, error.to_string())
        .exit(EXIT_CONFIG)
        .kept("nothing was changed")
        .todo("look with `kontor tls show`; import the certificate of the site again, or go back to the own one with `kontor tls own`; restore the tls/ folder from a backup")
}
