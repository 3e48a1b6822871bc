//! The signals that end this process or let it read its configuration anew. They are listened for before anybody is told that the
//! server is there: a stop that comes at once is heard.

use crate::cli::failure::Failure;
use kernel::Code;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What somebody wants of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// SIGTERM, SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

/// The signals.
pub(crate) struct Signals {
    runtime: tokio::runtime::Runtime,
    terminate: Signal,
    interrupt: Signal,
    hang_up: Option<Signal>,
}

impl Signals {
    /// Listens for those that end a process.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (terminate, interrupt) = {
            let _inside = runtime.enter();
            (signal(SignalKind::terminate()).map_err(failed)?, signal(SignalKind::interrupt()).map_err(failed)?)
        };
        Ok(Self { runtime, terminate, interrupt, hang_up: None })
    }

    /// The same, and for the one that reloads.
    pub(crate) fn listen_for_reload() -> Result<Self, Failure> {
        let mut signals = Self::listen()?;
        let inside = signals.runtime.enter();
        let hang_up = signal(SignalKind::hangup()).map_err(failed)?;
        drop(inside);
        signals.hang_up = Some(hang_up);
        Ok(signals)
    }

    /// Returns at a signal, or after so long without one.
    pub(crate) fn next(&mut self, patience: Duration) -> Option<Wish> {
        let Self { runtime, terminate, interrupt, hang_up } = self;
        runtime.block_on(async {
            let reload = async {
                match hang_up {
                    Some(signal) => signal.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = terminate.recv() => Some(Wish::Stop),
                _ = interrupt.recv() => Some(Wish::Stop),
                _ = reload => Some(Wish::Reload),
                () = tokio::time::sleep(patience) => None,
            }
        })
    }

    /// Returns at a signal that ends the process.
    pub(crate) fn wait_alone(mut self) {
        while self.next(Duration::from_secs(3_600)) != Some(Wish::Stop) {}
    }
}

fn failed(error: std::io::Error) -> Failure {
    Failure::new(Code::Unavailable, format!("signals cannot be waited for: {error}"))
}
