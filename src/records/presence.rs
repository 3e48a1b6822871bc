//! Who has a record open, as far as they say so: kept in the memory of this node, gone when nobody says it again. Only
//! whoever may read the record can say it or hear it; it is no access, so the log tells of the opening and not of this.

use crate::{DoneView, Pending, Records};
use audit::Verb as Act;
use authz::Verb;
use identity::Actor;
use kernel::{Fault, RecordId, Timestamp, UserId, limits};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Who has a record open now.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct PresenceEvent {
    /// The object.
    pub object: String,
    /// The record.
    pub id: RecordId,
    /// The users, in the order in which they came.
    pub users: Vec<UserId>,
}

/// The answer to somebody who says that they are there.
#[derive(Clone, Debug, Serialize)]
pub struct PresenceView {
    /// Everybody who is.
    pub users: Vec<UserId>,
    /// After how many seconds of silence one no longer counts.
    pub seconds: i64,
}

struct Present {
    user: UserId,
    /// One person in two windows is two sessions of one user.
    session: String,
    until: Timestamp,
}

#[derive(Default)]
struct Room {
    object: String,
    present: Vec<Present>,
}

impl Room {
    fn users(&self) -> Vec<UserId> {
        let mut users = Vec::new();
        for present in &self.present {
            if !users.contains(&present.user) {
                users.push(present.user);
            }
        }
        users
    }
}

/// All records that somebody has open.
#[derive(Default)]
pub(crate) struct Presence(Mutex<HashMap<RecordId, Room>>);

fn session_of(actor: &Actor) -> String {
    let session = actor.session().map(|session| session.to_string());
    let session = session.or(actor.token().map(|token| token.to_string())).unwrap_or_default();
    format!("{} {session}", actor.user())
}

impl Presence {
    /// Notes that somebody is there; says who is, and whether that is news.
    fn enter(&self, actor: &Actor, object: &str, id: RecordId, now: Timestamp) -> (Vec<UserId>, bool) {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (session, until) = (session_of(actor), now.plus_seconds(limits::PRESENCE_SECONDS));
        let elsewhere = rooms
            .iter()
            .filter(|(room, _)| **room != id)
            .flat_map(|(room, all)| all.present.iter().map(move |present| (*room, present)))
            .filter(|(_, present)| present.session == session);
        let mut elsewhere: Vec<(Timestamp, RecordId)> =
            elsewhere.map(|(room, present)| (present.until, room)).collect();
        if elsewhere.len() >= limits::PRESENCE_RECORDS_PER_USER_MAX {
            elsewhere.sort();
            if let Some(room) = elsewhere.first().and_then(|(_, oldest)| rooms.get_mut(oldest)) {
                room.present.retain(|present| present.session != session);
            }
        }
        let room = rooms.entry(id).or_default();
        object.clone_into(&mut room.object);
        let before = room.users();
        match room.present.iter_mut().find(|present| present.session == session) {
            Some(present) => present.until = until,
            None => room.present.push(Present { user: actor.user(), session, until }),
        }
        let users = room.users();
        let news = users != before;
        (users, news)
    }

    fn leave(&self, actor: &Actor, id: RecordId) -> Option<PresenceEvent> {
        let session = session_of(actor);
        self.keep(|room, present| room != id || present.session != session).into_iter().next()
    }

    /// Drops those who have been silent; says where that is news.
    pub(crate) fn expired(&self, now: Timestamp) -> Vec<PresenceEvent> {
        self.keep(|_, present| present.until > now)
    }

    fn keep(&self, stays: impl Fn(RecordId, &Present) -> bool) -> Vec<PresenceEvent> {
        let mut news = Vec::new();
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|id, room| {
            let before = room.users();
            room.present.retain(|present| stays(*id, present));
            let users = room.users();
            if users != before {
                news.push(PresenceEvent { object: room.object.clone(), id: *id, users });
            }
            !room.present.is_empty()
        });
        news
    }
}

impl Records {
    /// Says that the actor has a record open, for a while. The others who have it open hear of it.
    pub fn presence_enter(&self, actor: &Arc<Actor>, object: &str, id: RecordId) -> Pending<PresenceView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| {
            let scope = records
                .policy()
                .scope(&actor, &definition, Verb::Read)
                .map_err(|denied| records.denial(&actor, Act::Read, denied, Some(id)))?;
            let facts = tx.facts(&definition, id)?;
            let facts = facts.ok_or_else(|| records.missing(&actor, Act::Read, &definition.name, id))?;
            let _may_read =
                scope.grant(&facts).map_err(|denied| records.denial(&actor, Act::Read, denied, Some(id)))?;
            let now = records.store.clock().now();
            // Nobody may be following the log who would drop those that fell silent.
            records.live.presence.expired(now).into_iter().for_each(|event| records.live.tell_presence(event));
            let (users, news) = records.live.presence.enter(&actor, &definition.name, id, now);
            if news {
                let event = PresenceEvent { object: definition.name.clone(), id, users: users.clone() };
                records.live.tell_presence(event);
            }
            Ok((PresenceView { users, seconds: limits::PRESENCE_SECONDS }, Vec::new()))
        }))
    }

    /// Says that the actor has closed it.
    pub fn presence_leave(&self, actor: &Actor, id: RecordId) -> Result<DoneView, Fault> {
        let left = self.live.presence.leave(actor, id);
        let moved = left.is_some();
        left.into_iter().for_each(|event| self.live.tell_presence(event));
        Ok(DoneView { moved })
    }
}
