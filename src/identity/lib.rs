//! Credentials become an [`Actor`]: passwords, sessions, API tokens, lock-out.
//!
//! The only crate that mints actors; everything above asks an actor who it is and never a cookie or a header.
//! It does no I/O: storage comes through the traits of [`ports`], time and randomness are arguments.
//! It never decides what an actor may do with records; that is `authz`.

mod actor;
mod cache;
mod cidr;
mod context;
mod error;
mod failure_report;
mod hasher;
mod local;
mod lockout;
mod login;
#[cfg(any(test, feature = "memory"))]
pub mod memory;
mod password;
pub mod ports;
mod secret;
mod service;
#[cfg(test)]
mod service_fixture;
mod service_password;
#[cfg(test)]
mod service_tests;
mod service_token;
#[cfg(test)]
mod service_token_tests;
mod session;
mod token;
mod token_scopes;

pub use actor::{Actor, ActorFacts, ActorKind, AuthMethod};
pub use cidr::{Cidr, CidrInvalid};
pub use context::{ActorContext, Channel, ContextInvalid, Locale};
pub use error::{BearerError, PasswordError, SessionEnd, SessionError, SignInError, SignInRefusal, TokenError};
pub use failure_report::{FailureReport, SignInEvent};
pub use hasher::{PasswordHash, PasswordHashInvalid};
pub use local::{
    DirectoryOwnership, LOCAL_OPERATOR_USER, LocalOperator, LocalOperatorProof, NotLocalOperator, ROLE_APPLIANCE,
    ROLE_LOCAL_OPERATOR, SYSTEM_USER, SystemActor,
};
pub use login::{LoginInvalid, login_fold};
pub use password::{PasswordWeakness, password_check, password_generate};
pub use ports::{Credential, PasswordOrigin, PortError, SessionPort, TokenPort, UserDirectory};
pub use secret::{SecretDigest, SecretText};
pub use service::{Identity, Ports, Resumed, SignedIn};
pub use session::{Csrf, CsrfRequired, SessionRecord};
pub use token::TokenRecord;
pub use token_scopes::{ScopesInvalid, TokenScopes, TokenVerb};
