//! Ports in memory, for tests. They give no way around this crate: an actor still comes from `resume` or `bearer`.

use crate::{
    actor::{Actor, ActorFacts},
    context::{ActorContext, Locale},
    error::{BearerError, SessionError},
    hasher::PasswordHash,
    ports::{Credential, PasswordOrigin, PortError, SessionPort, TokenPort, UserDirectory},
    secret::{Secret, sha256},
    service::{Identity, Ports},
    session::{SessionRecord, cookie_text},
    token::{TokenRecord, token_text},
    token_scopes::TokenScopes,
};
use kernel::{Id, ManualClock, Random, SessionId, Timestamp, TokenId, UserId};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Bytes that look random and are the same in each run.
#[derive(Debug)]
pub struct CountingRandom(AtomicU64);

impl CountingRandom {
    /// Begins at this number; other numbers give other bytes.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed.wrapping_mul(1 << 32)))
    }
}

impl Random for CountingRandom {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let block = sha256(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            chunk.iter_mut().zip(block).for_each(|(to, from)| *to = from);
        }
    }
}

/// Facts of an active user with an id made from the login, without roles, unit and teams.
pub fn facts(login: &str) -> ActorFacts {
    let mut id = [0; 16];
    id.iter_mut().zip(sha256(login.as_bytes())).for_each(|(to, from)| *to = from);
    let user = Id::from_bytes(id);
    ActorFacts {
        user,
        active: true,
        auth_epoch: 1,
        login: login.to_owned(),
        display_name: login.to_owned(),
        roles: Vec::new(),
        unit: None,
        units_below: Arc::from([]),
        teams: Arc::from([]),
        team_members: Arc::from([user]),
        locale: Locale::En,
        first_password: false,
    }
}

/// The actor a user with these facts is in a session.
pub fn session_actor(facts: ActorFacts, context: ActorContext) -> Result<Actor, SessionError> {
    let (memory, identity) = fixture(facts);
    let secret = Secret::generate(&CountingRandom::new(7));
    let state = memory.state();
    let at = Timestamp::from_micros(0);
    let user = state.users.values().next().map(|user| (user.facts.user, user.facts.auth_epoch));
    drop(state);
    let (user, auth_epoch) = user.ok_or_else(|| PortError::new("no user"))?;
    let id = Id::from_bytes([7; 16]);
    let digest = secret.digest();
    SessionPort::insert(
        memory.as_ref(),
        &SessionRecord { id, user, digest, auth_epoch, created_at: at, last_seen_at: at, source: None },
    )?;
    Ok(identity.resume(cookie_text(id, &secret).expose(), context)?.actor)
}

/// The actor a program with a token of that user is.
pub fn token_actor(facts: ActorFacts, scopes: TokenScopes, context: ActorContext) -> Result<Actor, BearerError> {
    let user = facts.user;
    let (memory, identity) = fixture(facts);
    let secret = Secret::generate(&CountingRandom::new(8));
    let created_at = Timestamp::from_micros(0);
    let record = TokenRecord {
        id: Id::from_bytes([8; 16]),
        user,
        name: "test".to_owned(),
        digest: secret.digest(),
        scopes: Arc::new(scopes),
        allow: Vec::new(),
        created_at,
        expires_at: created_at.plus_seconds(60),
        last_used_at: None,
        revoked_at: None,
    };
    TokenPort::insert(memory.as_ref(), &record)?;
    identity.bearer(token_text(record.id, &secret).expose(), context)
}

fn fixture(facts: ActorFacts) -> (Arc<Memory>, Identity) {
    let memory = Arc::new(Memory::default());
    memory.user_put(facts, None);
    let identity =
        Identity::new(memory.ports(), Arc::new(ManualClock::at_seconds(0)), Arc::new(CountingRandom::new(0)));
    (memory, identity)
}

/// A stored user.
#[derive(Clone, Debug)]
pub struct MemoryUser {
    /// What the port answers; `auth_epoch` is part of it.
    pub facts: ActorFacts,
    /// The password, if there is one.
    pub password: Option<PasswordHash>,
    /// Failed sign-ins.
    pub failed_count: u32,
    /// When the last of them happened.
    pub last_failed_at: Option<Timestamp>,
    /// The last sign-in.
    pub signed_in: Option<(Timestamp, Option<IpAddr>)>,
}

#[derive(Default)]
struct State {
    users: HashMap<UserId, MemoryUser>,
    sessions: HashMap<SessionId, SessionRecord>,
    tokens: HashMap<TokenId, TokenRecord>,
    calls: HashMap<&'static str, u32>,
    broken: bool,
}

/// All three ports over hash maps. Counts its calls and can be told to fail.
#[derive(Default)]
pub struct Memory(Mutex<State>);

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory")
    }
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, name: &'static str) -> Result<MutexGuard<'_, State>, PortError> {
        let mut state = self.state();
        *state.calls.entry(name).or_default() += 1;
        if state.broken { Err(PortError::new("the disk is full")) } else { Ok(state) }
    }

    /// The three ports over this memory.
    pub fn ports(self: &Arc<Self>) -> Ports {
        Ports { users: self.clone(), sessions: self.clone(), tokens: self.clone() }
    }

    /// Stores or replaces a user.
    pub fn user_put(&self, facts: ActorFacts, password: Option<PasswordHash>) {
        let user = MemoryUser { facts, password, failed_count: 0, last_failed_at: None, signed_in: None };
        self.state().users.insert(user.facts.user, user);
    }

    /// Changes a stored user, as an administrator would.
    pub fn user_change(&self, user: UserId, change: impl FnOnce(&mut MemoryUser)) {
        if let Some(user) = self.state().users.get_mut(&user) {
            change(user);
        }
    }

    /// A stored user.
    pub fn user(&self, user: UserId) -> Option<MemoryUser> {
        self.state().users.get(&user).cloned()
    }

    /// How many times a port function was called.
    pub fn calls(&self, name: &str) -> u32 {
        self.state().calls.get(name).copied().unwrap_or(0)
    }

    /// From now on every call fails, or works again.
    pub fn break_down(&self, broken: bool) {
        self.state().broken = broken;
    }
}

impl UserDirectory for Memory {
    fn facts(&self, user: UserId) -> Result<Option<ActorFacts>, PortError> {
        Ok(self.call("facts")?.users.get(&user).map(|user| user.facts.clone()))
    }
    fn credential_by_login(&self, folded_login: &str) -> Result<Option<Credential>, PortError> {
        let state = self.call("credential_by_login")?;
        let found = state
            .users
            .values()
            .find(|user| crate::login_fold(&user.facts.login).is_ok_and(|login| login == folded_login));
        Ok(found.map(|user| Credential {
            user: user.facts.user,
            active: user.facts.active,
            auth_epoch: user.facts.auth_epoch,
            password: user.password.clone(),
            failed_count: user.failed_count,
            last_failed_at: user.last_failed_at,
        }))
    }
    fn set_password_hash(&self, user: UserId, hash: &PasswordHash, origin: PasswordOrigin) -> Result<(), PortError> {
        if let Some(user) = self.call("set_password_hash")?.users.get_mut(&user) {
            user.password = Some(hash.clone());
            user.facts.auth_epoch += 1;
            user.facts.first_password = origin == PasswordOrigin::First;
            user.failed_count = 0;
        }
        Ok(())
    }
    fn replace_password_hash(&self, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<(), PortError> {
        let mut state = self.call("replace_password_hash")?;
        let stored = state.users.get_mut(&user).and_then(|user| user.password.as_mut());
        if let Some(stored) = stored.filter(|stored| stored.expose() == old.expose()) {
            *stored = new.clone();
        }
        Ok(())
    }
    fn record_sign_in(&self, user: UserId, at: Timestamp, source: Option<IpAddr>) -> Result<(), PortError> {
        if let Some(user) = self.call("record_sign_in")?.users.get_mut(&user) {
            (user.failed_count, user.signed_in) = (0, Some((at, source)));
        }
        Ok(())
    }
    fn record_failures(&self, user: UserId, failed_count: u32, at: Timestamp) -> Result<(), PortError> {
        if let Some(user) = self.call("record_failures")?.users.get_mut(&user) {
            (user.failed_count, user.last_failed_at) = (failed_count, Some(at));
        }
        Ok(())
    }
}

impl SessionPort for Memory {
    fn insert(&self, session: &SessionRecord) -> Result<(), PortError> {
        self.call("session_insert")?.sessions.insert(session.id, session.clone());
        Ok(())
    }
    fn load(&self, session: SessionId) -> Result<Option<SessionRecord>, PortError> {
        Ok(self.call("session_load")?.sessions.get(&session).cloned())
    }
    fn touch(&self, session: SessionId, at: Timestamp) -> Result<(), PortError> {
        if let Some(session) = self.call("session_touch")?.sessions.get_mut(&session) {
            session.last_seen_at = at;
        }
        Ok(())
    }
    fn delete(&self, session: SessionId) -> Result<(), PortError> {
        self.call("session_delete")?.sessions.remove(&session);
        Ok(())
    }
    fn delete_all_of_user(&self, user: UserId) -> Result<usize, PortError> {
        let mut state = self.call("session_delete_all_of_user")?;
        let before = state.sessions.len();
        state.sessions.retain(|_, session| session.user != user);
        Ok(before - state.sessions.len())
    }
    fn list_of_user(&self, user: UserId) -> Result<Vec<SessionRecord>, PortError> {
        Ok(self
            .call("session_list_of_user")?
            .sessions
            .values()
            .filter(|session| session.user == user)
            .cloned()
            .collect())
    }
    fn delete_ended(&self, created_before: Timestamp, seen_before: Timestamp) -> Result<usize, PortError> {
        let mut state = self.call("session_delete_ended")?;
        let before = state.sessions.len();
        state.sessions.retain(|_, session| session.created_at >= created_before && session.last_seen_at >= seen_before);
        Ok(before - state.sessions.len())
    }
}

impl TokenPort for Memory {
    fn insert(&self, token: &TokenRecord) -> Result<(), PortError> {
        self.call("token_insert")?.tokens.insert(token.id, token.clone());
        Ok(())
    }
    fn load(&self, token: TokenId) -> Result<Option<TokenRecord>, PortError> {
        Ok(self.call("token_load")?.tokens.get(&token).cloned())
    }
    fn touch(&self, token: TokenId, at: Timestamp) -> Result<(), PortError> {
        if let Some(token) = self.call("token_touch")?.tokens.get_mut(&token) {
            token.last_used_at = Some(at);
        }
        Ok(())
    }
    fn revoke(&self, token: TokenId, at: Timestamp) -> Result<(), PortError> {
        if let Some(token) = self.call("token_revoke")?.tokens.get_mut(&token) {
            token.revoked_at.get_or_insert(at);
        }
        Ok(())
    }
    fn list_of_user(&self, user: UserId) -> Result<Vec<TokenRecord>, PortError> {
        Ok(self.call("token_list_of_user")?.tokens.values().filter(|token| token.user == user).cloned().collect())
    }
}
