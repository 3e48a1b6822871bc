//! `kontor serve`: the appliance at work, until it is told to stop. Starts sealed when there is no key file.

use crate::appliance::{Appliance, FolderLock, Gate};
use crate::cli::Dir;
use crate::cli::failure::{EXIT_CONFIG, Failure};
use crate::cli::out::Out;
use crate::config::LogConfig;
use api::{Handle, OwnCertificates, ServerConfig};
use kernel::Code;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How often a waiting server looks whether it ended by itself.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Starts the appliance and serves until SIGTERM or SIGINT.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kontor serve --dir /srv/kontor

With a key file (unseal.key_file in kontor.toml) it opens at once. Without one it starts sealed: only health and unseal \
answer until `kontor unseal` brings the passphrase. Writes what an operator needs to the error stream; a second server on \
the same folder is refused. /healthz says whether it lives, /readyz whether it can serve and why not.
Exit codes: 0 stopped as asked; 2 could not start or failed; 74 the disk failed under the audit log (look at the disk \
before starting again); 78 the configuration is not valid (starting again will not help).")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    dir: Dir,
}

pub(crate) fn run(args: &ServeArgs, out: &mut Out) -> Result<u8, Failure> {
    let appliance = Appliance::load(&args.dir.dir).map_err(config_exit)?;
    begin_log(appliance.config.log);
    let problems = appliance.config.problems_on_disk();
    if !problems.is_empty() {
        return Err(config_exit(crate::appliance::config_failure(&appliance.layout, &problems)));
    }
    let served = Served::start(appliance, None)?;
    out.flush();
    served.until_told()
}

fn config_exit(failure: Failure) -> Failure {
    if failure.code == Code::ConfigInvalid { failure.exit(EXIT_CONFIG) } else { failure }
}

/// From here on the process says what an operator needs on its error stream.
pub(crate) fn begin_log(config: LogConfig) {
    // The HTTP library tells of its own workers; an operator needs only its warnings.
    let filter = tracing_subscriber::EnvFilter::new(format!("{},actix_server=warn,actix_web=warn", config.level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second call in one process keeps the first writer.
    let _ = if config.json { builder.json().try_init() } else { builder.with_ansi(false).try_init() };
}

/// A serving appliance.
pub(crate) struct Served {
    gate: Arc<Gate>,
    server: Handle,
    signals: Signals,
    _lock: FolderLock,
}

impl Served {
    /// Takes the folder, opens it where a key file allows, and listens; `listen` goes before the configuration.
    pub(crate) fn start(appliance: Appliance, listen: Option<SocketAddr>) -> Result<Self, Failure> {
        vault::self_test()?;
        appliance.refuse_standby()?;
        let lock = FolderLock::take(&appliance.layout)?;
        let signals = Signals::listen()?;
        let tls = certificates(&appliance)?;
        let secret = appliance.key_file_secret()?;
        let listen = listen.unwrap_or(appliance.config.server.listen);
        let (clock, random) = (Arc::clone(&appliance.clock), Arc::clone(&appliance.random));
        let gate = Arc::new(Gate::new(appliance));
        let site = api::Appliance::sealed(Arc::clone(&gate) as Arc<dyn api::Unsealer>, clock, random);
        if let Some(secret) = secret {
            gate.appliance().unseal(&secret)?;
            site.set_open(gate.open(Some("key file"))?);
        }
        let sealed = site.is_sealed();
        let server = api::serve(ServerConfig::new(listen, tls), site).map_err(|error| {
            gate.close();
            Failure::new(Code::Unavailable, error.to_string())
                .kept("the appliance is closed; nothing was changed")
                .todo("free the address, or set server.listen to another")
        })?;
        let dir = gate.appliance().layout.dir().display();
        tracing::info!(url = server.url(), %dir, version = env!("CARGO_PKG_VERSION"), "serving");
        if sealed {
            tracing::warn!("the appliance is sealed; run `kontor unseal --dir {dir}`");
        }
        Ok(Self { gate, server, signals, _lock: lock })
    }
    /// The address for people and programs on this machine.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }
    /// The folder and what lies in it.
    pub(crate) fn appliance(&self) -> &Appliance {
        self.gate.appliance()
    }

    /// Serves until SIGTERM or SIGINT; then stops in order: no new requests, running ones end, the log is closed.
    pub(crate) fn until_told(self) -> Result<u8, Failure> {
        let told = self.signals.wait(&self.server);
        tracing::info!("stopping");
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
}

fn certificates(appliance: &Appliance) -> Result<Option<api::TlsFiles>, Failure> {
    let config = &appliance.config.server;
    if config.plain_http_on_loopback {
        return Ok(None);
    }
    let own = OwnCertificates::in_folder(appliance.layout.tls());
    let renewed = own.renew_if_due(&config.names, appliance.clock.as_ref()).map_err(|error| {
        Failure::new(Code::ConfigInvalid, error.to_string())
            .exit(EXIT_CONFIG)
            .kept("the appliance stays closed")
            .todo("restore the tls/ folder from a backup, and check server.names in kontor.toml")
    })?;
    if renewed {
        tracing::info!("a new server certificate was issued; the authority that browsers trust is the same");
    }
    Ok(Some(own.server()))
}

/// SIGTERM and SIGINT, listened for before anybody is told that the server is there: a stop that comes at once is heard.
pub(crate) struct Signals {
    runtime: tokio::runtime::Runtime,
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    pub(crate) fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed =
            |error: std::io::Error| Failure::new(Code::Unavailable, format!("signals cannot be waited for: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (terminate, interrupt) = {
            let _inside = runtime.enter();
            (signal(SignalKind::terminate()).map_err(failed)?, signal(SignalKind::interrupt()).map_err(failed)?)
        };
        Ok(Self { runtime, terminate, interrupt })
    }

    /// Returns at a signal.
    pub(crate) fn wait_alone(mut self) {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.terminate.recv() => {},
                _ = self.interrupt.recv() => {},
            }
        });
    }

    /// Returns at a signal, or when the server has ended by itself.
    fn wait(mut self, server: &Handle) -> Result<(), Failure> {
        self.runtime.block_on(async {
            let mut look = tokio::time::interval(LOOK_EVERY);
            loop {
                tokio::select! {
                    _ = self.terminate.recv() => return Ok(()),
                    _ = self.interrupt.recv() => return Ok(()),
                    _ = look.tick() => if server.is_finished() {
                        return Err(Failure::new(Code::Unavailable, "the HTTP server ended by itself"));
                    },
                }
            }
        })
    }
}
