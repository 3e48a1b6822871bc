//! The service manager, where there is one: told when the service is ready, reloads and stops, and fed while it is really well.
//! Without one (`NOTIFY_SOCKET` is not set) all of this says nothing to nobody.

use sd_notify::NotifyState;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Tells that it is ready, and how it is in words.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Tells how it is in words.
pub(crate) fn status(status: &str) {
    tell(&[NotifyState::Status(status)]);
}

/// Tells that it reads its configuration anew; `ready` ends that.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the service manager could not be told of the reload"),
    }
}

/// Tells that it stops, and how long that may take.
pub(crate) fn stopping(at_most: Duration) {
    let micros = u32::try_from(at_most.as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Stopping, NotifyState::Status("Stopping."), NotifyState::ExtendTimeoutUsec(micros)]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager could not be told how the service is");
    }
}

/// Feeds the watchdog of the service manager as long as the service is well.
pub(crate) struct Watchdog {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Starts it, where the service manager asks for it. `well` says what is wrong.
    pub(crate) fn start(well: impl Fn() -> Result<(), String> + Send + 'static) -> std::io::Result<Self> {
        let Some(patience) = sd_notify::watchdog_enabled() else { return Ok(Self { stop: None, thread: None }) };
        // Three looks in its patience: one that fails for a moment ends nothing.
        let every = patience / 3;
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            let mut wait = Duration::ZERO;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                wait = every;
                match well() {
                    Ok(()) => tell(&[NotifyState::Watchdog]),
                    Err(what) => tracing::error!(what, "not well; the service manager will start this service anew"),
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
    /// Ends it.
    pub(crate) fn stop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop();
    }
}
