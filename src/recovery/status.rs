//! How shipping is: how far, what is in the way, and what would be lost now. Shared by the threads that ship and whoever asks.

use crate::RecoveryError;
use crate::manifest::hex;
use crate::ship::fenced;
use kernel::{Fault, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::ShipPlace;

/// What is told until the set is there that leads into a new stream.
const BASELESS: &str = "a new stream has begun, and the set that leads into it is still to be made";

/// How it is with one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetShipped {
    /// The target.
    pub target: String,
    /// Whether answers wait for it.
    pub sync: bool,
    /// Seconds of work that would be lost if this target alone were left.
    pub rpo_seconds: u64,
    /// What is in the way.
    pub trouble: Option<String>,
}

#[derive(Clone)]
struct Other {
    segment: u64,
    at: Timestamp,
    trouble: Option<String>,
}

struct Inner {
    sync: Option<String>,
    others: BTreeMap<String, Other>,
    stream: Option<(u32, [u8; 16])>,
    segment: u64,
    at: Timestamp,
    trouble: Option<(Timestamp, String)>,
    elsewhere: bool,
    /// Since when there is a stream of which it is not known that a set leads into it.
    baseless: Option<Timestamp>,
    base_known: bool,
    fence: Option<(u64, String)>,
    ended: Option<ShipPlace>,
    over: bool,
}

/// How shipping is.
pub struct ShipStatus {
    inner: Mutex<Inner>,
    bell: Condvar,
}

impl ShipStatus {
    pub(crate) fn new(sync: Option<String>, others: Vec<String>, now: Timestamp) -> Self {
        let other = |name| (name, Other { segment: 0, at: now, trouble: None });
        let others = others.into_iter().map(other).collect();
        let inner = Inner {
            sync,
            others,
            stream: None,
            segment: 0,
            at: now,
            trouble: None,
            elsewhere: false,
            baseless: None,
            base_known: false,
            fence: None,
            ended: None,
            over: false,
        };
        Self { inner: Mutex::new(inner), bell: Condvar::new() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every target that commits are shipped to.
    pub fn targets(&self, now: Timestamp) -> Vec<TargetShipped> {
        let inner = self.inner();
        let seconds = |since: Timestamp| u64::try_from(now.micros() - since.micros()).unwrap_or(0) / 1_000_000;
        let baseless = |since: &Timestamp| (seconds(*since).max(1), BASELESS.to_owned());
        let journal = inner.trouble.as_ref().map(|(since, what)| (seconds(*since).max(1), what.clone()));
        let journal = journal.or_else(|| inner.baseless.as_ref().map(baseless));
        let sync = inner.sync.iter().map(|name| TargetShipped {
            target: name.clone(),
            sync: true,
            rpo_seconds: journal.as_ref().map_or(0, |(seconds, _)| *seconds),
            trouble: journal.as_ref().map(|(_, what)| what.clone()),
        });
        let others = inner.others.iter().map(|(name, other)| {
            let behind = if other.segment >= inner.segment { 0 } else { seconds(other.at) };
            let waits = journal.as_ref().map_or(0, |(seconds, _)| *seconds);
            TargetShipped {
                target: name.clone(),
                sync: false,
                rpo_seconds: behind.max(waits),
                trouble: other.trouble.clone().or_else(|| journal.as_ref().map(|(_, what)| what.clone())),
            }
        });
        sync.chain(others).collect()
    }

    /// The random name of the stream, in hexadecimal: sets that lead on to it name it.
    pub fn stream_name(&self) -> Option<String> {
        self.inner().stream.map(|(_, name)| hex(&name))
    }

    /// The name of the stream, as long as it is not known that a set leads into it on every target.
    pub fn stream_without_base(&self) -> Option<String> {
        let inner = self.inner();
        inner.stream.filter(|_| !inner.base_known).map(|(_, name)| hex(&name))
    }

    /// A set leads into this stream on every target, so that what is shipped can be used; or not yet.
    pub fn base_is_known(&self, stream: &str, known: bool, now: Timestamp) {
        let mut inner = self.inner();
        if inner.stream.is_some_and(|(_, name)| hex(&name) == stream) {
            inner.base_known = known;
            inner.baseless = if known { None } else { inner.baseless.or(Some(now)) };
        }
    }

    /// Whether another process of this appliance ships.
    pub fn is_elsewhere(&self) -> bool {
        self.inner().elsewhere
    }

    /// Why this node takes no writes any more, if another was promoted.
    pub fn fence_fault(&self) -> Option<Fault> {
        self.inner().fence.as_ref().map(|(term, node)| fenced(*term, node))
    }

    pub(crate) fn stream(&self, number: u32, name: [u8; 16], segment: u64, at: Timestamp) {
        let mut inner = self.inner();
        if inner.stream != Some((number, name)) {
            inner.base_known = false;
            inner.baseless = (segment == 0).then_some(at);
            inner.others.values_mut().for_each(|other| (other.segment, other.at) = (0, at));
        }
        (inner.stream, inner.segment, inner.at, inner.elsewhere) = (Some((number, name)), segment, at, false);
    }

    pub(crate) fn shipped(&self, segment: u64, at: Timestamp, _border: bool) {
        let mut inner = self.inner();
        (inner.segment, inner.at) = (segment, at);
        self.bell.notify_all();
    }

    /// The stream, and its last segment.
    pub(crate) fn place(&self) -> Option<(u32, [u8; 16], u64)> {
        let inner = self.inner();
        inner.stream.map(|(number, name)| (number, name, inner.segment))
    }

    pub(crate) fn carried(&self, target: &str, segment: u64, at: Timestamp) {
        if let Some(other) = self.inner().others.get_mut(target) {
            *other = Other { segment, at, trouble: None };
        }
    }

    pub(crate) fn not_carried(&self, target: &str, what: &str) {
        if let Some(other) = self.inner().others.get_mut(target) {
            if other.trouble.is_none() {
                tracing::error!(target_name = target, what, "commits cannot be shipped; it is tried again");
            }
            other.trouble = Some(what.to_owned());
        }
    }

    /// The segment that every other target has.
    pub(crate) fn carried_everywhere(&self) -> u64 {
        self.inner().others.values().map(|other| other.segment).min().unwrap_or(u64::MAX)
    }

    pub(crate) fn well(&self, now: Timestamp) {
        let mut inner = self.inner();
        if let Some((since, _)) = inner.trouble.take() {
            let seconds = (now.micros() - since.micros()) / 1_000_000;
            tracing::info!(seconds, "commits are shipped again");
        }
    }

    pub(crate) fn trouble(&self, now: Timestamp, what: &str) {
        let mut inner = self.inner();
        if inner.trouble.is_none() {
            tracing::error!(what, "commits cannot be shipped; it is tried again");
        }
        let since = inner.trouble.as_ref().map_or(now, |(since, _)| *since);
        inner.trouble = Some((since, what.to_owned()));
    }

    pub(crate) fn is_well(&self) -> bool {
        let inner = self.inner();
        inner.trouble.is_none() && inner.fence.is_none()
    }

    /// What was in the way the last time is taken to be so still.
    pub(crate) fn again(&self) -> Result<(), RecoveryError> {
        match &self.inner().trouble {
            Some((_, what)) => Err(RecoveryError::Refused(what.clone())),
            None => Ok(()),
        }
    }

    pub(crate) fn elsewhere(&self) {
        self.inner().elsewhere = true;
    }

    pub(crate) fn fence(&self, term: u64, node: &str) {
        let mut inner = self.inner();
        if inner.fence.is_none() {
            tracing::error!(term, node, "another node was promoted; this one takes no writes any more");
        }
        inner.fence = Some((term, node.to_owned()));
    }

    pub(crate) fn end(&self, place: Option<ShipPlace>) {
        let mut inner = self.inner();
        (inner.ended, inner.over) = (place, true);
        self.bell.notify_all();
    }
    /// Whether the last segment was appended.
    pub(crate) fn is_over(&self) -> bool {
        self.inner().over
    }
    pub(crate) fn ended(&self) -> Option<ShipPlace> {
        self.inner().ended.clone()
    }

    pub(crate) fn wake(&self) {
        self.bell.notify_all();
    }

    pub(crate) fn rest(&self, time: Duration) {
        drop(self.bell.wait_timeout(self.inner(), time));
    }

    /// Rests for this long whatever is shipped meanwhile, or until the last segment was appended.
    pub(crate) fn rest_through(&self, time: Duration) {
        drop(self.bell.wait_timeout_while(self.inner(), time, |inner| !inner.over));
    }

    /// Waits until there is more than this segment, or for this long.
    pub(crate) fn wait_for_more(&self, segment: u64, most: Duration) {
        drop(self.bell.wait_timeout_while(self.inner(), most, |inner| inner.segment <= segment));
    }
}
