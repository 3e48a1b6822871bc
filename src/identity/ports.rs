//! What this crate needs stored, as traits that the store implements. Blocking, so callers keep them off the event loop.
//! Nothing here knows a database.

use crate::{actor::ActorFacts, hasher::PasswordHash, session::SessionRecord, token::TokenRecord};
use kernel::{Code, Fault, SessionId, Timestamp, TokenId, UserId};
use std::net::IpAddr;

/// The storage behind a port failed. The cause is for the operator's log and has no `Display`.
#[derive(Debug, thiserror::Error)]
#[error("the storage of users and sessions failed")]
pub struct PortError {
    cause: String,
    passing: bool,
    told: Option<Box<Fault>>,
}

impl PortError {
    /// A failure with this cause. The cause must hold no personal value.
    pub fn new(cause: impl ToString) -> Self {
        Self { cause: cause.to_string(), passing: false, told: None }
    }
    /// The storage cannot be reached now; the same call may succeed in a moment.
    pub fn passing(cause: impl ToString) -> Self {
        Self { cause: cause.to_string(), passing: true, told: None }
    }
    /// The appliance takes no writes at all, and this is what everybody is told.
    pub fn told(fault: Fault) -> Self {
        Self { cause: fault.to_string(), passing: false, told: Some(Box::new(fault)) }
    }
    /// What went wrong, for the operator.
    pub fn cause(&self) -> &str {
        &self.cause
    }
}

impl From<PortError> for Fault {
    fn from(error: PortError) -> Self {
        if let Some(told) = error.told {
            return *told;
        }
        if error.passing {
            let detail = "Users and sessions cannot be looked up at the moment; try again in a moment.";
            return Self::new(Code::Unavailable, detail).with_cause(error.cause);
        }
        Self::internal(error.cause)
    }
}

/// What is needed to check a password.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The user.
    pub user: UserId,
    /// Whether the user may sign in (status `active`).
    pub active: bool,
    /// The epoch the hash belongs to; a session opens only if the facts still say the same.
    pub auth_epoch: i64,
    /// The password hash; none for users of a directory or before the first password.
    pub password: Option<PasswordHash>,
    /// Failed sign-ins since the last success.
    pub failed_count: u32,
    /// When the last of them happened.
    pub last_failed_at: Option<Timestamp>,
}

/// Whose a password is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordOrigin {
    /// Chosen by its user, or meant to last all the same.
    Own,
    /// Set by somebody else: good for one thing, changing it.
    First,
}

/// Users, their facts and their passwords.
///
/// Contract: whoever changes a user's password, status or roles adds one to `auth_epoch` in the same transaction and then
/// calls [`Identity::invalidate_user`](crate::Identity::invalidate_user). Deleted users are not found.
pub trait UserDirectory: Send + Sync {
    /// The facts of a user as they stand now.
    fn facts(&self, user: UserId) -> Result<Option<ActorFacts>, PortError>;
    /// The credential behind a login, folded as by [`login_fold`](crate::login_fold).
    fn credential_by_login(&self, folded_login: &str) -> Result<Option<Credential>, PortError>;
    /// Sets the password and whose it is, and adds one to `auth_epoch`, in one transaction; sets `failed_count` to zero.
    fn set_password_hash(&self, user: UserId, hash: &PasswordHash, origin: PasswordOrigin) -> Result<(), PortError>;
    /// Replaces `old` by `new`, both of the same password, and only if `old` is still stored. The epoch stays.
    fn replace_password_hash(&self, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<(), PortError>;
    /// Notes a successful sign-in; sets `failed_count` to zero.
    fn record_sign_in(&self, user: UserId, at: Timestamp, source: Option<IpAddr>) -> Result<(), PortError>;
    /// Stores how many sign-ins have failed, and when the last did.
    fn record_failures(&self, user: UserId, failed_count: u32, at: Timestamp) -> Result<(), PortError>;
}

/// Sessions.
pub trait SessionPort: Send + Sync {
    /// Stores a new session.
    fn insert(&self, session: &SessionRecord) -> Result<(), PortError>;
    /// The session with this id.
    fn load(&self, session: SessionId) -> Result<Option<SessionRecord>, PortError>;
    /// Notes that the session was used.
    fn touch(&self, session: SessionId, at: Timestamp) -> Result<(), PortError>;
    /// Removes a session; one that is gone already is no error.
    fn delete(&self, session: SessionId) -> Result<(), PortError>;
    /// Removes all sessions of a user and says how many there were.
    fn delete_all_of_user(&self, user: UserId) -> Result<usize, PortError>;
    /// All sessions of a user.
    fn list_of_user(&self, user: UserId) -> Result<Vec<SessionRecord>, PortError>;
    /// Removes every session created or last seen before these instants, and says how many.
    fn delete_ended(&self, created_before: Timestamp, seen_before: Timestamp) -> Result<usize, PortError>;
}

/// API tokens.
pub trait TokenPort: Send + Sync {
    /// Stores a new token.
    fn insert(&self, token: &TokenRecord) -> Result<(), PortError>;
    /// The token with this id.
    fn load(&self, token: TokenId) -> Result<Option<TokenRecord>, PortError>;
    /// Notes that the token was used.
    fn touch(&self, token: TokenId, at: Timestamp) -> Result<(), PortError>;
    /// Marks a token as revoked; one that is revoked already keeps its time.
    fn revoke(&self, token: TokenId, at: Timestamp) -> Result<(), PortError>;
    /// All tokens of a user, revoked and expired ones too.
    fn list_of_user(&self, user: UserId) -> Result<Vec<TokenRecord>, PortError>;
}
