//! The HTTP server: listens, with TLS or plainly on a loopback address only, and stops gracefully. Runs on a thread of
//! its own, so that the binary stays in charge of signals. It never opens a way out.

use crate::appliance::{Appliance, Metrics};
use crate::asker::Asker;
use crate::call::{Site, blocking};
use crate::meter::Meter;
use crate::proxies::Proxies;
use crate::rate::{RateLimit, Rates};
use crate::router::Router;
use crate::tls::{Shown, TlsError, TlsFiles};
use crate::wire::Cookie;
use crate::{dispatch, upkeep};
use actix_web::{App, HttpServer, dev::ServerHandle, rt};
use kernel::{Fault, limits};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

/// How to serve.
pub struct ServerConfig {
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Sockets that are listened on already, each instead of the address.
    pub sockets: Vec<TcpListener>,
    /// Certificate and key; without them plain HTTP, which is refused on any address but loopback.
    pub tls: Option<TlsFiles>,
    /// Threads that answer; the number of processors when absent.
    pub workers: Option<usize>,
    /// How many requests one network address may send; unlimited when absent.
    pub rate: Option<RateLimit>,
    /// Who is believed when it says for whom it asks.
    pub proxies: Proxies,
    /// How long a stop waits for requests that are being answered.
    pub stop_seconds: u64,
    /// What is told to a monitoring system beside requests; nothing is when absent.
    pub metrics: Option<Arc<dyn Metrics>>,
}

impl ServerConfig {
    /// The usual settings on this address.
    pub fn new(listen: SocketAddr, tls: Option<TlsFiles>) -> Self {
        Self {
            listen,
            sockets: Vec::new(),
            tls,
            workers: None,
            rate: Some(RateLimit::default()),
            proxies: Proxies::default(),
            stop_seconds: 10,
            metrics: None,
        }
    }
}

/// Why the server did not start or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Plain HTTP on an address that others reach.
    #[error("plain HTTP is only served on a loopback address; give a certificate, or listen on 127.0.0.1")]
    PlainHttp,
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The server ended with an error.
    #[error("the HTTP server failed: {0}")]
    Failed(#[from] io::Error),
    /// The server's thread is gone.
    #[error("the HTTP server ended before it began")]
    Gone,
}

/// A running server. Dropping it does not stop it; call [`Handle::stop`].
pub struct Handle {
    address: SocketAddr,
    shown: Option<Arc<Shown>>,
    server: ServerHandle,
    appliance: Appliance,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Handle {
    /// The address it listens on, with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// The address for people and programs on this machine.
    pub fn url(&self) -> String {
        let scheme = if self.shown.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }
    /// Shows new connections what lies in these files; those that are open go on.
    ///
    /// # Errors
    /// When the files cannot be used; then what was shown stays.
    pub fn certificate_replace(&self, files: &TlsFiles) -> Result<(), TlsError> {
        self.shown.as_ref().map_or(Ok(()), |shown| shown.replace(files))
    }
    /// Asks this server whether it lives, the way a client does.
    pub fn asker(&self) -> Asker {
        Asker::new(self.address, self.shown.clone())
    }
    /// Goes on to answer, but says that it will stop: `/readyz` is 503, connections end with their answer, and streams
    /// begin elsewhere.
    pub fn stop_announce(&self) {
        self.appliance.set_stopping();
        self.appliance.streams_end();
    }
    /// Stops accepting, lets running requests end, and waits until all is quiet.
    pub fn stop(mut self) -> Result<(), ServeError> {
        // A stream would never end by itself.
        self.stop_announce();
        // The server's own runtime drives the stop; nothing has to poll this future.
        drop(self.server.stop(true));
        self.join()
    }
    /// Waits until the server ends by itself, which it only does on an error.
    pub fn wait(mut self) -> Result<(), ServeError> {
        self.join()
    }
    /// Whether the server has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
    fn join(&mut self) -> Result<(), ServeError> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => Ok(ended?),
            Some(Err(_)) => Err(ServeError::Gone),
            None => Ok(()),
        }
    }
}

/// Starts the server and returns once it listens.
pub fn serve(mut config: ServerConfig, appliance: Appliance) -> Result<Handle, ServeError> {
    let shown = config.tls.as_ref().map(Shown::load).transpose()?;
    let sockets = listeners(&mut config, shown.is_some())?;
    let tls = shown.as_ref().map(Shown::config).transpose()?;
    let Some((_, address)) = sockets.first().map(|(socket, address)| (socket, *address)) else {
        return Err(ServeError::Gone);
    };
    let served = appliance.clone();
    let (ready, started) = mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("http".to_owned())
        .spawn(move || rt::System::new().block_on(run(config, tls, sockets, appliance, ready)))?;
    match started.recv() {
        Ok(server) => Ok(Handle { address, shown, server, appliance: served, thread: Some(thread) }),
        Err(_) => match thread.join() {
            Ok(Err(error)) => Err(error.into()),
            _ => Err(ServeError::Gone),
        },
    }
}

/// The sockets, each with its address: those that were handed in, or one that is bound now.
fn listeners(config: &mut ServerConfig, secure: bool) -> Result<Vec<(TcpListener, SocketAddr)>, ServeError> {
    let listen = config.listen;
    let failed = |source| ServeError::Listen { address: listen, source };
    let private = |address: &SocketAddr| secure || address.ip().to_canonical().is_loopback();
    let mut sockets = std::mem::take(&mut config.sockets);
    if sockets.is_empty() {
        if !private(&listen) {
            return Err(ServeError::PlainHttp);
        }
        sockets.push(TcpListener::bind(listen).map_err(failed)?);
    }
    let addressed = sockets.into_iter().map(|socket| {
        let address = socket.local_addr().map_err(failed)?;
        if private(&address) { Ok((socket, address)) } else { Err(ServeError::PlainHttp) }
    });
    addressed.collect()
}

async fn run(
    config: ServerConfig,
    tls: Option<rustls::ServerConfig>,
    sockets: Vec<(TcpListener, SocketAddr)>,
    appliance: Appliance,
    ready: mpsc::Sender<ServerHandle>,
) -> io::Result<()> {
    let site = Arc::new(Site {
        appliance: appliance.clone(),
        rates: config.rate.map(Rates::new),
        proxies: config.proxies.clone(),
        cookie: Cookie { secure: tls.is_some() },
        meter: Meter::new(),
        metrics: config.metrics,
        looks: Default::default(),
        checks: Default::default(),
    });
    let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let workers = config.workers.unwrap_or(processors).max(1);
    let router = Router::new(crate::route::all()).map_err(io::Error::other)?;
    let router = Arc::new(router);
    let mut server = HttpServer::new(move || {
        let (site, router) = (Arc::clone(&site), Arc::clone(&router));
        App::new().configure(move |config| dispatch::configure(config, &site, &router))
    })
    .workers(workers)
    .max_connections(limits::CONNECTIONS_MAX.div_ceil(workers))
    .keep_alive(Duration::from_secs(limits::KEEP_ALIVE_SECONDS))
    .client_request_timeout(Duration::from_secs(limits::REQUEST_HEAD_SECONDS_MAX))
    .client_disconnect_timeout(Duration::from_secs(5))
    .shutdown_timeout(config.stop_seconds)
    .disable_signals();
    for (socket, _) in sockets {
        server = match &tls {
            Some(tls) => server.listen_rustls_0_23(socket, tls.clone())?,
            None => server.listen(socket)?,
        };
    }
    let server = server.run();
    let timer = rt::spawn(upkeep::run(appliance.clone()));
    // Nobody waits any more when the starter is gone; then the server ends with it.
    let _ = ready.send(server.handle());
    let ended = server.await;
    timer.abort();
    if let Some(open) = appliance.open_if_any() {
        let last = blocking(move || upkeep::once(&open, true)).await;
        if let Err(fault) = last {
            report(&fault);
        }
    }
    ended
}

/// To the operator's log.
pub(crate) fn report(fault: &Fault) {
    tracing::error!(code = fault.code.as_str(), cause = fault.cause(), "upkeep failed: {}", fault.detail);
}
