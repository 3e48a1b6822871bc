//! Rings when a group with changes of records is on disk, so that whoever follows the log need not wait for its next look.
//! It tells only that something is there; what, is read from the log.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Shared by the writer of this process and those who follow the log.
#[derive(Default)]
pub struct Bell {
    rung: Mutex<u64>,
    waiting: Condvar,
}

impl Bell {
    /// Wakes everybody who waits.
    pub(crate) fn ring(&self) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        *rung = rung.wrapping_add(1);
        self.waiting.notify_all();
    }

    /// Waits for this long, whatever rings: under load, many groups are then looked at together. Blocks.
    pub fn rest(&self, time: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.waiting.wait_timeout_while(rung, time, |_| true));
    }

    /// Waits until it has rung since `heard`, or for this long; returns what to pass the next time. Blocks.
    pub fn wait(&self, heard: u64, most: Duration) -> u64 {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.waiting.wait_timeout_while(rung, most, |rung| *rung == heard);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
