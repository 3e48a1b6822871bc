//! Letters on their way: a bounded queue and the thread that works it off. While the relay fails it waits longer each time;
//! what waited too long is given up, and that is told. It never blocks whoever puts a letter in, and never ends the process.

use crate::{Letter, Relay, SendError};
use kernel::Timestamp;
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Letters that wait at most, each for one recipient: all alarms to all recipients, and more.
const WAITING_MAX: usize = 500;

/// How long is waited, and for how long it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Before the second attempt; it doubles.
    pub first: Duration,
    /// Between two attempts, at most.
    pub most: Duration,
    /// After so long a letter is given up.
    pub keep: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { first: seconds(30), most: seconds(15 * 60), keep: seconds(24 * 3600) }
    }
}

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it was put in as.
    pub key: String,
    /// Whether the relay took it.
    pub taken: bool,
    /// When.
    pub at: Timestamp,
}

/// How the post is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxStatus {
    /// Letters that wait.
    pub waiting: usize,
    /// Letters that the relay took since the start.
    pub taken: u64,
    /// When it took the last.
    pub last: Option<Timestamp>,
    /// Letters that were given up since the start.
    pub given_up: u64,
    /// Recipients whose last letter was refused for good.
    pub refused: usize,
    /// Since when nothing goes, and why.
    pub failing: Option<(Timestamp, String)>,
}

struct Waiting {
    key: String,
    to: String,
    letter: Letter,
    until: Duration,
}

#[derive(Default)]
struct Inner {
    waiting: Vec<Waiting>,
    told: Vec<Told>,
    refused: BTreeSet<String>,
    status: OutboxStatus,
}

impl Inner {
    fn tell(&mut self, key: String, taken: bool, at: Timestamp) {
        if self.told.len() >= WAITING_MAX {
            self.told.remove(0);
        }
        self.told.push(Told { key, taken, at });
        if !taken {
            self.status.given_up += 1;
        }
    }
}

/// The queue. Dropped, its thread ends after the letter that it is just sending; nobody waits for that.
pub struct Outbox {
    inner: Arc<Mutex<Inner>>,
    relay: Arc<Relay>,
    keep: Duration,
    bell: Sender<()>,
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Outbox {
    /// Starts it.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(relay: Relay, patience: Patience) -> std::io::Result<Self> {
        let (relay, inner) = (Arc::new(relay), Arc::new(Mutex::new(Inner::default())));
        let (bell, heard) = channel();
        let work = Work { inner: Arc::clone(&inner), relay: Arc::clone(&relay), patience };
        std::thread::Builder::new().name("mail".to_owned()).spawn(move || work.run(&heard))?;
        Ok(Self { inner, relay, keep: patience.keep, bell })
    }

    /// Puts a letter in for each recipient. One of the same key that still waits for somebody is replaced: who gets it late
    /// gets the newer.
    pub fn put(&self, key: &str, letter: &Letter, to: &[String]) {
        let clock = self.relay.clock();
        let (now, until) = (clock.now(), clock.monotonic() + self.keep);
        let mut inner = lock(&self.inner);
        for to in to {
            inner.waiting.retain(|waiting| waiting.key != key || waiting.to != *to);
            if inner.waiting.len() >= WAITING_MAX {
                let oldest = inner.waiting.remove(0);
                inner.tell(oldest.key, false, now);
            }
            inner.waiting.push(Waiting { key: key.to_owned(), to: to.clone(), letter: letter.clone(), until });
        }
        inner.status.waiting = inner.waiting.len();
        drop(inner);
        // An error says that the thread has ended; then nothing is sent any more anyway.
        let _ = self.bell.send(());
    }

    /// Whether one of this key still waits.
    pub fn waits(&self, key: &str) -> bool {
        lock(&self.inner).waiting.iter().any(|waiting| waiting.key == key)
    }

    /// What became of letters since this was asked last.
    pub fn told(&self) -> Vec<Told> {
        std::mem::take(&mut lock(&self.inner).told)
    }

    /// How it is.
    pub fn status(&self) -> OutboxStatus {
        lock(&self.inner).status.clone()
    }
}

struct Work {
    inner: Arc<Mutex<Inner>>,
    relay: Arc<Relay>,
    patience: Patience,
}

impl Work {
    fn run(&self, bell: &Receiver<()>) {
        let mut wait: Option<Duration> = None;
        loop {
            let heard = match wait {
                None => bell.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => self.rest(bell, wait),
            };
            if heard == Err(RecvTimeoutError::Disconnected) {
                return;
            }
            wait = if self.work_off() {
                None
            } else {
                Some(wait.map_or(self.patience.first, |wait| (wait * 2).min(self.patience.most)))
            };
        }
    }

    /// Waits all of it: a new letter is no reason to try a relay sooner that has just failed.
    fn rest(&self, bell: &Receiver<()>, wait: Duration) -> Result<(), RecvTimeoutError> {
        let until = self.relay.clock().monotonic() + wait;
        loop {
            let left = until.saturating_sub(self.relay.clock().monotonic());
            if left.is_zero() {
                return Ok(());
            }
            if bell.recv_timeout(left) == Err(RecvTimeoutError::Disconnected) {
                return Err(RecvTimeoutError::Disconnected);
            }
        }
    }

    /// Tries each letter that waits once; whether none waits any more.
    fn work_off(&self) -> bool {
        let mut later = Vec::new();
        while let Some(next) = self.take() {
            let (sent, now) = (self.relay.send(&next.letter, &next.to), self.relay.clock().now());
            let over = next.until <= self.relay.clock().monotonic();
            let mut inner = lock(&self.inner);
            let reached = sent.as_ref().err().is_none_or(|error| error.about_letter);
            match sent {
                Ok(_) => {
                    inner.refused.remove(&next.to);
                    (inner.status.taken, inner.status.last) = (inner.status.taken + 1, Some(now));
                    inner.tell(next.key, true, now);
                    if inner.status.failing.take().is_some() {
                        tracing::info!("the relay takes mail again");
                    }
                }
                Err(error) => self.failed(&mut inner, next, (error, over), now, &mut later),
            }
            inner.status.refused = inner.refused.len();
            if !reached {
                break;
            }
        }
        let mut inner = lock(&self.inner);
        // A newer one of the same key may have come meanwhile.
        let newer =
            |inner: &Inner, old: &Waiting| inner.waiting.iter().any(|new| new.key == old.key && new.to == old.to);
        later.retain(|old| !newer(&inner, old));
        later.append(&mut inner.waiting);
        inner.waiting = later;
        inner.status.waiting = inner.waiting.len();
        inner.waiting.is_empty()
    }

    fn take(&self) -> Option<Waiting> {
        let mut inner = lock(&self.inner);
        (!inner.waiting.is_empty()).then(|| inner.waiting.remove(0))
    }

    fn failed(
        &self,
        inner: &mut Inner,
        letter: Waiting,
        (error, over): (SendError, bool),
        now: Timestamp,
        later: &mut Vec<Waiting>,
    ) {
        if inner.status.failing.as_ref().is_none_or(|(_, told)| *told != error.told) {
            tracing::warn!(told = error.told, "mail could not be sent");
        }
        let since = inner.status.failing.as_ref().map_or(now, |(since, _)| *since);
        inner.status.failing = Some((since, error.told));
        if error.lasting {
            inner.refused.insert(letter.to);
            inner.tell(letter.key, false, now);
        } else if over {
            inner.tell(letter.key, false, now);
        } else {
            later.push(letter);
        }
    }
}
