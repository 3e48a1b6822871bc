//! The thread that keeps the appliance backed up while it serves: makes what is due, proves it, lets old sets go. A failure
//! is told in the log and on the health page, and tried again later; it never stops the appliance.

use crate::appliance::Keeper;
use crate::cli::failure::Failure;
use identity::Actor;
use recovery::Progress;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it is asked what is due.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The handle to the thread.
pub(crate) struct Keeping {
    stop: Option<Sender<()>>,
    progress: Arc<Progress>,
    thread: Option<JoinHandle<()>>,
}

impl Keeping {
    /// Starts it.
    pub(crate) fn start(keeper: Arc<Keeper>, system: Actor) -> Result<Self, Failure> {
        let (stop, stopped) = channel();
        let progress = Arc::new(Progress::default());
        let shown = Arc::clone(&progress);
        let thread = std::thread::Builder::new().name("keeper".to_owned()).spawn(move || {
            while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                if let Err(failure) = once(&keeper, &system, &shown) {
                    tracing::warn!(told = failure.text(), "backups");
                }
            }
        });
        let thread = thread
            .map_err(|error| Failure::new(kernel::Code::Unavailable, format!("cannot start a thread: {error}")))?;
        Ok(Self { stop: Some(stop), progress, thread: Some(thread) })
    }
    /// Stops what is under way at its next block and joins the thread.
    pub(crate) fn stop(&mut self) {
        self.stop = None;
        self.progress.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        self.stop();
    }
}

fn once(keeper: &Keeper, system: &Actor, progress: &Progress) -> Result<(), Failure> {
    let due = keeper.targets_due()?;
    if !due.is_empty() {
        let made = keeper.make(system, progress, &due)?;
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
        let gone = keeper.prune(system)?;
        if gone > 0 {
            tracing::info!(gone, "backup sets that younger ones do for were removed");
        }
    }
    if keeper.drill_is_due()? {
        let report = keeper.drill(system, None)?;
        if report.ok {
            tracing::info!(set = report.set, millis = report.millis, "a backup set was restored and is whole");
        } else {
            tracing::error!(set = report.set, "a backup set could NOT be restored; look at `kontor backup list`");
        }
    }
    Ok(())
}
