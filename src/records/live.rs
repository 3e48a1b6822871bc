//! Changes as they happen: follows the log, on whichever node they were made, and tells each stream of the records its
//! user may see. Ids and versions only. One look at the database serves all streams; who may know of a record is decided
//! per stream by the scope that every list has.

use crate::Records;
use crate::presence::{Presence, PresenceEvent};
use audit::{Entry, Verb as Act};
use authz::{Facts, Verb};
use identity::Actor;
use kernel::{Code, Fault, RecordId, UserId, limits};
use metadata::ObjectDef;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use store::{LogLine, ReadTx, Refused, Store};
use tokio::sync::broadcast::{self, error::RecvError};

/// How often the log is looked at when nobody of this process has changed anything: for the other nodes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Changes that come this close together are looked at together.
const GATHER: Duration = Duration::from_millis(40);
/// Changes of one look.
const CHANGES_PER_LOOK: usize = 500;
/// Looks that a slow stream may lag behind before it is told to begin anew.
const LOOKS_KEPT: usize = 256;
/// Changes that one stream is told of at a time; more are an import, and the stream is told to look again.
const EVENTS_AT_ONCE_MAX: usize = 200;

/// One changed record, before it is known who may hear of it.
struct LiveChange {
    seq: u64,
    verb: &'static str,
    version: i64,
    object: Arc<ObjectDef>,
    facts: Facts,
}

#[derive(Clone)]
enum Signal {
    Changes(Arc<Vec<LiveChange>>),
    Presence(Arc<PresenceEvent>),
    Notice(Arc<[UserId]>),
}

/// A record was changed.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct EventView {
    /// The entry's number in the log; the id of the event.
    #[serde(skip)]
    pub seq: u64,
    /// The object.
    pub object: String,
    /// The record.
    pub id: RecordId,
    /// Its version now.
    pub version: i64,
    /// What was done.
    pub verb: &'static str,
}

/// What a stream is told.
#[derive(Debug)]
pub enum Told {
    /// Records were changed.
    Changes(Vec<EventView>),
    /// Who has a record open that the user has open too.
    Presence(Arc<PresenceEvent>),
    /// There is a new notification for the user.
    Notice,
    /// More happened than can be told; look at everything again.
    Reset {
        /// The number to go on from.
        seq: u64,
    },
    /// The appliance stops.
    Ended,
}

/// Where a stream begins.
#[derive(Debug)]
pub struct Begun {
    /// What was missed since the number it was left at.
    pub missed: Vec<EventView>,
    /// Whether that cannot be told any more.
    pub reset: bool,
    /// The number to resume after.
    pub seq: u64,
}

/// The followers of one process.
pub(crate) struct Live {
    signals: broadcast::Sender<Signal>,
    streams: Mutex<HashMap<UserId, usize>>,
    running: Mutex<bool>,
    pub(crate) presence: Presence,
}

impl Live {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            signals: broadcast::channel(LOOKS_KEPT).0,
            streams: Mutex::default(),
            running: Mutex::new(false),
            presence: Presence::default(),
        })
    }
    /// To the windows that are open on this node; others see it when they next ask.
    pub(crate) fn tell_notice(&self, users: &[UserId]) {
        let _ = self.signals.send(Signal::Notice(users.into()));
    }
    pub(crate) fn tell_presence(&self, event: PresenceEvent) {
        // Nobody may listen; that is no error.
        let _ = self.signals.send(Signal::Presence(Arc::new(event)));
    }
}

/// One open stream; dropping it makes room for another.
pub struct Watch {
    live: Arc<Live>,
    records: Records,
    user: UserId,
    receiver: broadcast::Receiver<Signal>,
    after: u64,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut streams = self.live.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = streams.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                streams.remove(&self.user);
            }
        }
    }
}

impl Records {
    /// Opens a stream, after the number at which an earlier one was left. Blocks: it waits for the log's entry.
    pub fn watch(&self, actor: &Arc<Actor>, after: Option<u64>) -> Result<(Watch, Begun), Fault> {
        let live = Arc::clone(&self.live);
        {
            let mut streams = live.streams.lock().unwrap_or_else(PoisonError::into_inner);
            let (all, own) = (streams.values().sum::<usize>(), streams.get(&actor.user()).copied().unwrap_or(0));
            let over = [
                (own >= limits::EVENT_STREAMS_PER_USER_MAX, "EVENT_STREAMS_PER_USER_MAX"),
                (all >= limits::EVENT_STREAMS_MAX, "EVENT_STREAMS_MAX"),
            ];
            if let Some((_, name)) = over.into_iter().find(|(over, _)| *over) {
                let detail = format!("Too many streams of events are open ({name}); close another window.");
                return Err(Fault::new(Code::LimitExceeded, detail));
            }
            streams.insert(actor.user(), own + 1);
        }
        // Listening begins before the past is read, so that nothing falls in between; what comes twice is skipped.
        let receiver = live.signals.subscribe();
        let mut watch = Watch { live, records: self.clone(), user: actor.user(), receiver, after: 0 };
        let (records, who) = (self.clone(), Arc::clone(actor));
        let begun = self.store.disclose(move |tx| {
            let begun = records.begin_in_tx(tx, &who, after)?;
            Ok((begun, vec![records.store.entry(&who, Act::Events)]))
        });
        let begun = begun.wait()?.into_inner();
        watch.after = begun.seq;
        self.follow(begun.seq)?;
        Ok((watch, begun))
    }

    fn begin_in_tx(&self, tx: &mut ReadTx<'_>, actor: &Actor, after: Option<u64>) -> Result<Begun, Refused> {
        let size = tx.log_size()?;
        let last = size.saturating_sub(1);
        let Some(after) = after else { return Ok(Begun { missed: Vec::new(), reset: false, seq: last }) };
        let (lines, next) = tx.log_changes(after.saturating_add(1), limits::EVENTS_RESUMED_MAX)?;
        if after >= size || next < size {
            return Ok(Begun { missed: Vec::new(), reset: true, seq: last });
        }
        let changes = changes(tx, lines)?;
        Ok(Begun { missed: self.seen_by(actor, &changes), reset: false, seq: next.saturating_sub(1) })
    }

    /// What of these somebody may know of.
    fn seen_by(&self, actor: &Actor, changes: &[LiveChange]) -> Vec<EventView> {
        let policy = self.policy();
        let mut scopes = BTreeMap::new();
        let mut seen = Vec::new();
        for change in changes {
            let name = change.object.name.as_str();
            let scope = scopes.entry(name).or_insert_with(|| policy.scope(actor, &change.object, Verb::Read).ok());
            if scope.as_ref().is_some_and(|scope| scope.grant(&change.facts).is_ok()) {
                seen.push(EventView {
                    seq: change.seq,
                    object: name.to_owned(),
                    id: change.facts.record,
                    version: change.version,
                    verb: change.verb,
                });
            }
        }
        seen
    }

    /// Starts to follow the log, unless somebody does already.
    fn follow(&self, after: u64) -> Result<(), Fault> {
        let mut running = self.live.running.lock().unwrap_or_else(PoisonError::into_inner);
        if *running {
            return Ok(());
        }
        let (live, store) = (Arc::downgrade(&self.live), Arc::clone(&self.store));
        let follow = move || run(&live, Arc::downgrade(&store), after.saturating_add(1));
        std::thread::Builder::new().name("events".to_owned()).spawn(follow).map_err(Fault::internal)?;
        *running = true;
        Ok(())
    }
}

impl Watch {
    /// Waits for the next thing to tell. Safe to drop while it waits.
    pub async fn next(&mut self, actor: &Actor) -> Told {
        loop {
            match self.receiver.recv().await {
                Ok(Signal::Changes(changes)) => {
                    let Some(last) = changes.last().map(|change| change.seq).filter(|last| *last > self.after) else {
                        continue;
                    };
                    let mut seen = self.records.seen_by(actor, &changes);
                    seen.retain(|event| event.seq > self.after);
                    self.after = last;
                    if seen.len() > EVENTS_AT_ONCE_MAX {
                        return Told::Reset { seq: last };
                    }
                    if !seen.is_empty() {
                        return Told::Changes(seen);
                    }
                }
                Ok(Signal::Presence(event)) if event.users.contains(&actor.user()) => return Told::Presence(event),
                Ok(Signal::Notice(users)) if users.contains(&actor.user()) => return Told::Notice,
                Ok(Signal::Presence(_) | Signal::Notice(_)) => {}
                Err(RecvError::Lagged(_)) => return Told::Reset { seq: self.after },
                Err(RecvError::Closed) => return Told::Ended,
            }
        }
    }
}

/// Reads where the changed records lie now: one query per object, however many streams there are.
fn changes(tx: &mut ReadTx<'_>, lines: Vec<LogLine>) -> Result<Vec<LiveChange>, Refused> {
    let catalog = Arc::clone(tx.catalog());
    let mut entries = Vec::with_capacity(lines.len());
    let mut wanted: BTreeMap<String, Vec<RecordId>> = BTreeMap::new();
    for line in lines {
        let entry = Entry::decode(&line.bytes).map_err(Fault::internal)?;
        let Some(id) = entry.target.record else { continue };
        let ids = wanted.entry(entry.target.object.clone()).or_default();
        if !ids.contains(&id) {
            ids.push(id);
        }
        entries.push((line.seq, entry.act.verb.name(), entry.target.object, id));
    }
    let mut rows = HashMap::new();
    for (name, ids) in &wanted {
        let Some(object) = catalog.object(name) else { continue };
        for row in tx.rows_bare(object, ids)? {
            rows.insert(row.id(), (Arc::clone(object), row.version(), row.facts().clone()));
        }
    }
    let change = |(seq, verb, _, id): (u64, &'static str, String, RecordId)| {
        let (object, version, facts) = rows.get(&id)?;
        Some(LiveChange { seq, verb, version: *version, object: Arc::clone(object), facts: facts.clone() })
    };
    Ok(entries.into_iter().filter_map(change).collect())
}

/// The follower's thread: ends when nobody listens any more, or the store is gone.
fn run(live: &Weak<Live>, store: Weak<Store>, mut next: u64) {
    let mut heard = 0;
    loop {
        // Between two looks nothing is held, so that an appliance that closes is not kept open by this thread.
        let Some(bell) = store.upgrade().map(|store| Arc::clone(store.bell())) else { return };
        heard = bell.wait(heard, LOOK_EVERY);
        bell.rest(GATHER);
        let (Some(live), Some(store)) = (live.upgrade(), store.upgrade()) else { return };
        {
            let mut running = live.running.lock().unwrap_or_else(PoisonError::into_inner);
            if live.signals.receiver_count() == 0 {
                *running = false;
                return;
            }
        }
        for event in live.presence.expired(store.clock().now()) {
            live.tell_presence(event);
        }
        loop {
            let from = next;
            let look = store.disclose(move |tx| {
                let (lines, next) = tx.log_changes(from, CHANGES_PER_LOOK)?;
                let full = lines.len() == CHANGES_PER_LOOK;
                Ok(((changes(tx, lines)?, next, full), Vec::new()))
            });
            match look.wait().map(store::Durable::into_inner) {
                Ok((found, after, full)) => {
                    next = after;
                    if !found.is_empty() {
                        let _ = live.signals.send(Signal::Changes(Arc::new(found)));
                    }
                    if !full {
                        break;
                    }
                }
                Err(fault) => {
                    tracing::warn!(code = fault.code.as_str(), cause = fault.cause(), "the log cannot be followed now");
                    break;
                }
            }
        }
    }
}
