//! The small world in which the tests of the service play: one user, ports in memory, a clock that is moved by hand.

use crate::{
    ActorContext, Channel, Identity, PasswordHash, SessionEnd, SessionError, SignInError, SignedIn,
    hasher::Hasher,
    memory::{CountingRandom, Memory, facts},
};
use kernel::{Code, Fault, ManualClock, UserId};
use std::sync::{Arc, OnceLock};

pub(crate) const PASSWORD: &str = "correct horse battery";
const START: i64 = 1_700_000_000;

/// Hashed once for all tests.
pub(crate) fn password_hash() -> PasswordHash {
    static HASH: OnceLock<PasswordHash> = OnceLock::new();
    HASH.get_or_init(|| Hasher::new().hash(PASSWORD, &CountingRandom::new(99)).unwrap()).clone()
}

pub(crate) struct World {
    pub(crate) memory: Arc<Memory>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) identity: Identity,
    pub(crate) anna: UserId,
}

impl World {
    pub(crate) fn new() -> Self {
        let (memory, clock) = (Arc::new(Memory::default()), Arc::new(ManualClock::at_seconds(START)));
        let identity = Identity::new(memory.ports(), clock.clone(), Arc::new(CountingRandom::new(0)));
        let anna = facts("Anna");
        let user = anna.user;
        memory.user_put(anna, Some(password_hash()));
        Self { memory, clock, identity, anna: user }
    }
    pub(crate) fn restarted(&self) -> Identity {
        Identity::new(self.memory.ports(), self.clock.clone(), Arc::new(CountingRandom::new(1)))
    }
    pub(crate) fn sign_in(&self) -> SignedIn {
        self.identity.sign_in(" ANNA ", PASSWORD, context()).unwrap()
    }
    pub(crate) fn fail(&self, login: &str) -> SignInError {
        self.identity.sign_in(login, "wrong horse battery", context()).unwrap_err()
    }
    pub(crate) fn end_of(&self, cookie: &SignedIn) -> Option<SessionEnd> {
        match self.identity.resume(cookie.cookie.expose(), context()) {
            Ok(_) => None,
            Err(SessionError::Ended(end)) => Some(end),
            Err(SessionError::Port(error)) => panic!("{error:?}"),
        }
    }
}

pub(crate) fn context() -> ActorContext {
    ActorContext::new(Channel::Ui, "r-1").unwrap().with_source("10.0.0.1".parse().unwrap())
}
pub(crate) fn from(address: &str) -> ActorContext {
    ActorContext::new(Channel::Api, "r-2").unwrap().with_source(address.parse().unwrap())
}
pub(crate) fn code(error: impl Into<Fault>) -> Code {
    error.into().code
}
