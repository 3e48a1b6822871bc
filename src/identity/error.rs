//! Why an identity call failed, and the code of the public table each failure answers with.
//! Messages name no login and no password; what the storage said goes to the operator's log only.

use crate::{
    failure_report::SignInEvent, hasher::HashError, password::PasswordWeakness, ports::PortError,
    session::CsrfRequired, token_scopes::ScopesInvalid,
};
use kernel::{
    Code, Fault,
    limits::{
        SESSION_ABSOLUTE_SECONDS, SESSION_IDLE_SECONDS, TOKEN_NAME_CHARS_MAX, TOKEN_NETWORKS_MAX, TOKENS_PER_USER_MAX,
    },
};

/// Why a sign-in did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum SignInRefusal {
    /// Wrong login or password, or the account is closed; which of them is not told.
    #[error("login or password is wrong, or the account is closed")]
    Failed,
    /// Too many failures before; nothing was checked.
    #[error("too many failed attempts; wait {seconds} seconds")]
    Delayed {
        /// Whole seconds to wait.
        seconds: u64,
    },
    /// Too many sign-ins at the same time.
    #[error("too many sign-ins at the same time; try again in a moment")]
    Busy,
    /// The storage failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The password hash failed: a defect. The cause is for the operator.
    #[error("the password could not be hashed")]
    Hash(String),
}

/// A refused sign-in, with what must be audited.
#[derive(Debug, thiserror::Error)]
#[error("{refusal}")]
pub struct SignInError {
    /// Why.
    pub refusal: SignInRefusal,
    /// To be written to the audit log, when this refusal is not summed with others.
    pub event: Option<SignInEvent>,
}

impl From<SignInRefusal> for SignInError {
    fn from(refusal: SignInRefusal) -> Self {
        Self { refusal, event: None }
    }
}
impl From<PortError> for SignInError {
    fn from(error: PortError) -> Self {
        SignInRefusal::Port(error).into()
    }
}
impl From<HashError> for SignInRefusal {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::Busy,
            HashError::Failed(cause) => Self::Hash(cause),
        }
    }
}

impl From<SignInRefusal> for Fault {
    fn from(refusal: SignInRefusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            SignInRefusal::Failed => {
                Self::new(Code::SignInFailed, "Login or password is wrong, or the account is closed.")
            }
            SignInRefusal::Delayed { seconds } => {
                let detail = format!("Too many failed attempts. Wait {seconds} seconds, then try again.");
                let mut fault = Self::new(Code::SignInDelayed, detail);
                fault.extension = Some(format!("{{\"retry_after_seconds\":{seconds}}}").into());
                fault
            }
            SignInRefusal::Busy => {
                Self::new(Code::RateLimited, "Too many sign-ins at the same time. Try again in a moment.")
            }
            SignInRefusal::Port(error) => error.into(),
            SignInRefusal::Hash(cause) => Self::internal(format!("{text}: {cause}")),
        }
    }
}
impl From<SignInError> for Fault {
    fn from(error: SignInError) -> Self {
        error.refusal.into()
    }
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// There is no such session, or the cookie is not one.
    Unknown,
    /// Not used for too long.
    Idle,
    /// As old as a session may become.
    Absolute,
    /// The account was closed.
    UserClosed,
    /// Password or roles have changed since.
    RightsChanged,
}

/// Why a cookie gives no actor.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The session is over.
    #[error("the session is over")]
    Ended(SessionEnd),
    /// The storage failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl From<SessionError> for Fault {
    fn from(error: SessionError) -> Self {
        let detail = match error {
            SessionError::Port(error) => return error.into(),
            SessionError::Ended(SessionEnd::Unknown) => "Sign in first.".to_owned(),
            SessionError::Ended(SessionEnd::Idle) => {
                format!("The session was not used for {} minutes. Sign in again.", SESSION_IDLE_SECONDS / 60)
            }
            SessionError::Ended(SessionEnd::Absolute) => {
                format!("A session lasts at most {} hours. Sign in again.", SESSION_ABSOLUTE_SECONDS / 3600)
            }
            SessionError::Ended(SessionEnd::UserClosed) => "The account is closed.".to_owned(),
            SessionError::Ended(SessionEnd::RightsChanged) => {
                "Your password or roles have changed. Sign in again.".to_owned()
            }
        };
        Self::new(Code::SignInRequired, detail)
    }
}

impl From<CsrfRequired> for Fault {
    fn from(_: CsrfRequired) -> Self {
        Self::new(
            Code::CsrfRequired,
            "Send the X-CSRF-Token of this session with every request that changes something.",
        )
    }
}

/// Why a bearer token gives no actor.
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// Not a token of this appliance.
    #[error("the token is not known")]
    Unknown,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// It was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// Its owner's account is closed.
    #[error("the account of the token is closed")]
    UserClosed,
    /// It may not be used from this address.
    #[error("the token may not be used from this address")]
    Source,
    /// The storage failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl From<BearerError> for Fault {
    fn from(error: BearerError) -> Self {
        match error {
            BearerError::Port(error) => error.into(),
            BearerError::Unknown => {
                Self::new(Code::SignInRequired, "The token is not known. Create one under your profile.")
            }
            BearerError::Expired => Self::new(Code::SignInRequired, "The token has expired. Create a new one."),
            BearerError::Revoked => Self::new(Code::SignInRequired, "The token was revoked. Create a new one."),
            BearerError::UserClosed => Self::new(Code::SignInRequired, "The account of the token is closed."),
            BearerError::Source => Self::new(Code::TokenScope, "The token may not be used from this address."),
        }
    }
}

/// Why a token could not be made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Only a person in a session manages tokens: a token cannot make another that outlives it.
    #[error("tokens are managed in a signed-in session")]
    SessionRequired,
    /// Empty, too long or with control characters.
    #[error("the name needs 1 to {TOKEN_NAME_CHARS_MAX} characters")]
    Name,
    /// The scopes are not valid.
    #[error(transparent)]
    Scopes(#[from] ScopesInvalid),
    /// In the past or too far away.
    #[error("the token must expire in the future and within 366 days")]
    Expiry,
    /// Too many networks.
    #[error("a token can name at most {TOKEN_NETWORKS_MAX} networks")]
    Networks,
    /// The user has too many live tokens.
    #[error("a user can have at most {TOKENS_PER_USER_MAX} tokens; revoke one first")]
    TooMany,
    /// No such token of this user.
    #[error("there is no such token")]
    NotFound,
    /// The storage failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl From<TokenError> for Fault {
    fn from(error: TokenError) -> Self {
        let detail = format!("{error}.");
        let (pointer, code) = match error {
            TokenError::Port(error) => return error.into(),
            TokenError::SessionRequired => {
                return Self::new(Code::AccessDenied, "Sign in with a password to manage tokens.");
            }
            TokenError::NotFound => return Self::new(Code::RecordNotFound, "There is no such token."),
            TokenError::TooMany => {
                return Self::new(
                    Code::LimitExceeded,
                    format!("{detail} (limit TOKENS_PER_USER_MAX = {TOKENS_PER_USER_MAX})"),
                );
            }
            TokenError::Name => ("/name", Code::ValueFormat),
            TokenError::Scopes(_) => ("/scopes", Code::ValueFormat),
            TokenError::Expiry => ("/expires_at", Code::ValueRange),
            TokenError::Networks => ("/allow", Code::ValueTooLong),
        };
        Self::invalid(Vec::new()).with_item(pointer, code, detail)
    }
}

/// Why a password was not set.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The new one is refused.
    #[error(transparent)]
    Weak(#[from] PasswordWeakness),
    /// The old one is wrong, or a wait is not over; counts as a failed sign-in.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// Only a person in a session changes the own password.
    #[error("passwords are changed in a signed-in session")]
    SessionRequired,
    /// There is no such user.
    #[error("there is no such user")]
    UserUnknown,
}

impl From<PortError> for PasswordError {
    fn from(error: PortError) -> Self {
        Self::SignIn(error.into())
    }
}
impl From<HashError> for PasswordError {
    fn from(error: HashError) -> Self {
        Self::SignIn(SignInRefusal::from(error).into())
    }
}

impl From<PasswordError> for Fault {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Weak(weakness) => {
                let code = match weakness {
                    PasswordWeakness::TooLong => Code::ValueTooLong,
                    _ => Code::ValueFormat,
                };
                Self::invalid(Vec::new()).with_item("/password", code, format!("{weakness}."))
            }
            PasswordError::SignIn(error) => error.into(),
            PasswordError::SessionRequired => Self::new(Code::AccessDenied, "Sign in with a password to change it."),
            PasswordError::UserUnknown => Self::new(Code::RecordNotFound, "There is no such user."),
        }
    }
}
