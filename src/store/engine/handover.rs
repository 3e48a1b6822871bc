//! What stands between the committer and whoever carries commits on to a second place: answers that wait for that, files
//! that were put in place, and the word that nothing may be written any more. It carries nothing itself.

use super::committer::{NotCommitted, Settle};
use crate::ShipPlace;
use kernel::{Fault, RecordId};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A group that is on disk, and whose answers wait until it is in the second place too.
pub struct Waiting {
    pub(crate) settles: Vec<Settle>,
    pub(crate) ring: Option<Arc<super::bell::Bell>>,
}

impl Waiting {
    /// Lets the answers go; `Err` says in words why it is not known that they are in the second place.
    pub fn settle(self, outcome: Result<(), String>) {
        let outcome = outcome.map_err(NotCommitted::Unknown);
        self.settles.into_iter().for_each(|settle| settle(outcome.clone()));
        if let Some(bell) = self.ring {
            bell.ring();
        }
    }
}

#[derive(Default)]
struct State {
    expected: bool,
    carried: bool,
    waits: bool,
    waiting: Vec<Waiting>,
    files: Vec<RecordId>,
    asked: u64,
    done: u64,
    place: Option<ShipPlace>,
    refused: Option<Fault>,
}

/// Shared by the committer, the store and the one who carries on.
#[derive(Default)]
pub(crate) struct Handover {
    state: Mutex<State>,
    bell: Condvar,
}

impl Handover {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody carries on from now on, and answers wait for it or not; or nobody does any more, and nothing waits.
    pub(crate) fn carried(&self, carried: bool, waits: bool) {
        let left = {
            let mut state = self.state();
            (state.carried, state.waits) = (carried, waits);
            if carried { Vec::new() } else { std::mem::take(&mut state.waiting) }
        };
        left.into_iter().for_each(|waiting| waiting.settle(Ok(())));
        self.bell.notify_all();
    }

    /// Takes a group whose answers have to wait; hands it back when nobody waits.
    pub(crate) fn give(&self, waiting: Waiting) -> Option<Waiting> {
        let mut state = self.state();
        if !(state.carried && state.waits) {
            return Some(waiting);
        }
        state.waiting.push(waiting);
        self.bell.notify_all();
        None
    }

    /// A file was put in place, whose row may be committed from now on.
    pub(crate) fn file(&self, id: RecordId) {
        let mut state = self.state();
        if state.carried {
            state.files.push(id);
        }
    }

    pub(crate) fn take_files(&self) -> Vec<RecordId> {
        std::mem::take(&mut self.state().files)
    }

    /// Puts back what could not be carried.
    pub(crate) fn put_back_files(&self, files: Vec<RecordId>) {
        self.state().files.splice(0..0, files);
    }

    /// Waits for groups or for being asked, or for this long; what waits, and the number of the last asking.
    pub(crate) fn wait(&self, most: Duration) -> (Vec<Waiting>, u64) {
        let state = self.state();
        let idle = |state: &mut State| state.waiting.is_empty() && state.asked == state.done;
        let waited = self.bell.wait_timeout_while(state, most, idle).unwrap_or_else(PoisonError::into_inner);
        let mut state = waited.0;
        (std::mem::take(&mut state.waiting), state.asked)
    }

    /// Everything up to this asking was tried.
    pub(crate) fn passed(&self, asked: u64) {
        self.state().done = asked;
        self.bell.notify_all();
    }

    /// Asks that everything be carried on, and waits for that, at most this long. Without anybody who carries there is
    /// nothing to wait for.
    pub(crate) fn pass(&self, most: Duration) {
        let mut state = self.state();
        if !state.carried {
            return;
        }
        state.asked += 1;
        let mine = state.asked;
        self.bell.notify_all();
        drop(self.bell.wait_timeout_while(state, most, |state| state.carried && state.done < mine));
    }

    /// Somebody will carry on, here or in another process: until then nothing may be moved out of the write-ahead log.
    pub(crate) fn expect(&self, expected: bool) {
        self.state().expected = expected;
    }

    /// Whether what is in the write-ahead log may be moved as far as its readers let it.
    pub(crate) fn may_move(&self) -> bool {
        let state = self.state();
        state.carried || !state.expected
    }

    /// Whether somebody carries on.
    pub(crate) fn is_carried(&self) -> bool {
        self.state().carried
    }

    pub(crate) fn set_place(&self, place: Option<ShipPlace>) {
        self.state().place = place;
    }
    pub(crate) fn place(&self) -> Option<ShipPlace> {
        self.state().place.clone()
    }

    /// Nothing may be written from now on, and this is why; or it may again.
    pub(crate) fn refuse(&self, fault: Option<Fault>) {
        self.state().refused = fault;
    }
    pub(crate) fn refused(&self) -> Option<Fault> {
        self.state().refused.clone()
    }
}
