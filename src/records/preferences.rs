//! What the web interface keeps for its user: layout, favourites, recents, widths. Only the user's own, never anybody
//! else's. It is no data of a record, so the log does not tell of it: a dragged column would be an entry.

use crate::{DoneView, Pending, Records};
use identity::{Actor, ActorKind, TokenVerb};
use kernel::{Code, Fault, limits};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// Everything kept for a user.
#[derive(Clone, Debug, Serialize)]
pub struct PreferencesView {
    /// Values by key.
    pub items: Map<String, Json>,
}

impl Records {
    /// What is kept for the actor.
    pub fn preferences(&self, actor: &Arc<Actor>) -> Pending<PreferencesView> {
        if let Err(fault) = is_person(actor, TokenVerb::Read) {
            return Pending::failed(fault);
        }
        let user = actor.user();
        Pending::written(self.store.read(move |tx| {
            let mut items = Map::new();
            for (key, text) in tx.preferences(user)? {
                items.insert(key, serde_json::from_slice(&text).unwrap_or(Json::Null));
            }
            Ok(PreferencesView { items })
        }))
    }

    /// Keeps a value for the actor.
    pub fn preference_set(&self, actor: &Arc<Actor>, key: &str, value: &Json) -> Pending<DoneView> {
        let text = value.to_string().into_bytes();
        if let Err(fault) =
            is_person(actor, TokenVerb::Update).and_then(|()| key_allowed(key)).and_then(|()| size_allowed(text.len()))
        {
            return Pending::failed(fault);
        }
        let (user, key) = (actor.user(), key.to_owned());
        Pending::written(self.store.write(move |tx| {
            let (count, there) = tx.read().preference_count(user, &key)?;
            if !there && count >= limits::PREFERENCES_PER_USER_MAX {
                let detail =
                    format!("At most {} preferences (PREFERENCES_PER_USER_MAX).", limits::PREFERENCES_PER_USER_MAX);
                return Err(Fault::new(Code::LimitExceeded, detail).into());
            }
            tx.preference_set(user, &key, &text)?;
            Ok(DoneView { moved: true })
        }))
    }

    /// Forgets a value of the actor.
    pub fn preference_forget(&self, actor: &Arc<Actor>, key: &str) -> Pending<DoneView> {
        if let Err(fault) = is_person(actor, TokenVerb::Update).and_then(|()| key_allowed(key)) {
            return Pending::failed(fault);
        }
        let (user, key) = (actor.user(), key.to_owned());
        Pending::written(self.store.write(move |tx| Ok(DoneView { moved: tx.preference_forget(user, &key)? })))
    }
}

impl Records {
    /// Whether the actor may look at or change what is their own: sessions, tokens, the calendar's address.
    pub fn own_things(&self, actor: &Actor, verb: TokenVerb) -> Result<(), Fault> {
        is_person(actor, verb)
    }
}

/// The operator and the appliance have no screen. A token made for some object, or for a calendar, has no business with
/// what a person keeps: it needs a scope for `me`, as `*` and `records` give it.
pub(crate) fn is_person(actor: &Actor, verb: TokenVerb) -> Result<(), Fault> {
    if actor.kind() != ActorKind::User {
        return Err(Fault::new(Code::AccessDenied, "Only users have something of their own here."));
    }
    if actor.token_allows("me", verb) {
        return Ok(());
    }
    let detail =
        format!("The API token was not made for what its owner keeps; it needs the scope me:{}.", verb.as_str());
    Err(Fault::new(Code::TokenScope, detail))
}

/// Lower-case letters, digits and `.`, `-`, `_` between: a key names a thing of the interface, never a person.
fn key_allowed(key: &str) -> Result<(), Fault> {
    let inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(byte);
    let ends = key.bytes().next().zip(key.bytes().last());
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let well = ends.is_some_and(|(first, last)| word(first) && word(last));
    if well && key.len() <= limits::PREFERENCE_KEY_CHARS_MAX && key.as_bytes().iter().all(inner) {
        return Ok(());
    }
    Err(Fault::new(
        Code::ParameterInvalid,
        format!(
            "A key has 1 to {} lower-case letters, digits and `.`, `-`, `_` between (PREFERENCE_KEY_CHARS_MAX).",
            limits::PREFERENCE_KEY_CHARS_MAX
        ),
    ))
}

fn size_allowed(bytes: usize) -> Result<(), Fault> {
    if bytes <= limits::PREFERENCE_BYTES_MAX {
        return Ok(());
    }
    let detail = format!("At most {} bytes of JSON (PREFERENCE_BYTES_MAX).", limits::PREFERENCE_BYTES_MAX);
    Err(Fault::new(Code::LimitExceeded, detail))
}
