//! How fast a copy may be, how far it is, and that it can be stopped. Bytes are those read from the data, before packing.

use crate::RecoveryError;
use kernel::Clock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// What others see of a copy while it is made.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    total: AtomicU64,
    stopped: AtomicBool,
}

impl Progress {
    /// Bytes done, and bytes in all as far as known.
    pub fn bytes(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
    /// Asks it to stop at the next block.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
    /// Whether that was asked.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
    pub(crate) fn count(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }
    pub(crate) fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }
    pub(crate) fn moved(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A limit of bytes a second, and the progress it is told to.
pub struct Pace<'p> {
    progress: &'p Progress,
    bytes_per_second: Option<u64>,
    clock: &'p dyn Clock,
    began: Duration,
    moved: u64,
}

impl<'p> Pace<'p> {
    /// Begins now. Without a limit it only counts.
    pub fn begin(progress: &'p Progress, bytes_per_second: Option<u64>, clock: &'p dyn Clock) -> Self {
        let bytes_per_second = bytes_per_second.filter(|rate| *rate > 0);
        Self { progress, bytes_per_second, clock, began: clock.monotonic(), moved: 0 }
    }

    /// Counts bytes, and waits when they came too fast.
    ///
    /// # Errors
    /// [`RecoveryError::Stopped`].
    pub(crate) fn moved(&mut self, bytes: u64) -> Result<(), RecoveryError> {
        self.moved += bytes;
        self.progress.count(bytes);
        if self.progress.is_stopped() {
            return Err(RecoveryError::Stopped);
        }
        if let Some(rate) = self.bytes_per_second {
            let due = Duration::from_micros(self.moved.saturating_mul(1_000_000).checked_div(rate).unwrap_or(0));
            let wait = due.saturating_sub(self.clock.monotonic().saturating_sub(self.began));
            if !wait.is_zero() {
                std::thread::park_timeout(wait.min(Duration::from_millis(500)));
            }
        }
        Ok(())
    }
}
