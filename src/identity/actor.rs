//! Who acts: the one value that authorisation, audit and the record verbs take.
//! An actor is minted only inside this crate; it cannot be built, defaulted or read from data by others.

use crate::{
    context::{ActorContext, Channel, Locale},
    local::{ROLE_APPLIANCE, ROLE_LOCAL_OPERATOR},
    ports::{PortError, UserDirectory},
    token_scopes::{TokenScopes, TokenVerb},
};
use kernel::{RecordId, SessionId, TokenId, UnitId, UserId};
use std::{fmt, net::IpAddr, sync::Arc};

/// What the store knows of a user at a moment. Holding facts gives no rights: only this crate turns them into an [`Actor`].
#[derive(Clone)]
pub struct ActorFacts {
    /// The user.
    pub user: UserId,
    /// Whether the user may act at all (status `active`).
    pub active: bool,
    /// Grows with each change of password, status or roles; sessions of an older epoch end.
    pub auth_epoch: i64,
    /// The login as the user wrote it at creation.
    pub login: String,
    /// The name others see.
    pub display_name: String,
    /// Names of the roles in force now. The two reserved names are dropped when an actor is minted.
    pub roles: Vec<String>,
    /// The user's unit.
    pub unit: Option<UnitId>,
    /// That unit and every unit under it.
    pub units_below: Arc<[UnitId]>,
    /// The teams the user belongs to.
    pub teams: Arc<[RecordId]>,
    /// Everybody in those teams, the user too.
    pub team_members: Arc<[UserId]>,
    /// The user's language.
    pub locale: Locale,
    /// Whether the password is one that somebody else set.
    pub first_password: bool,
}

impl ActorFacts {
    /// The facts as they may be used: the roles of the command line and of the appliance cannot be given to a user.
    #[must_use]
    pub fn without_reserved_roles(mut self) -> Self {
        self.roles.retain(|role| role != ROLE_LOCAL_OPERATOR && role != ROLE_APPLIANCE);
        self
    }
}

impl fmt::Debug for ActorFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActorFacts({} epoch {})", self.user, self.auth_epoch)
    }
}

/// What kind of actor this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// A person, or a program with a person's token.
    User,
    /// Whoever runs the command line on the server as the service account.
    LocalOperator,
    /// The appliance itself.
    System,
}

/// How the actor was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthMethod {
    /// A session opened with a password.
    Password,
    /// An API token.
    Token,
    /// Access to the appliance's own files on the server.
    LocalOperator,
    /// The process itself.
    System,
}

impl AuthMethod {
    /// The stable name used in audit entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Token => "token",
            Self::LocalOperator => "local_operator",
            Self::System => "system",
        }
    }
}

/// What the actor showed, with what only that kind of proof brings.
#[derive(Clone)]
pub(crate) enum Shown {
    Session(SessionId),
    Token(TokenId, Arc<TokenScopes>),
    LocalOperator,
    System,
}

/// Who acts, through which door, with which rights-giving facts. Fixed for one request.
///
/// Nobody outside this crate can make one:
/// ```compile_fail
/// fn forge(facts: std::sync::Arc<identity::ActorFacts>, context: identity::ActorContext) -> identity::Actor {
///     identity::Actor { facts, shown: todo!(), context }
/// }
/// ```
/// ```compile_fail
/// let nobody = identity::Actor::default();
/// ```
/// ```compile_fail
/// fn promote(actor: &mut identity::Actor) {
///     actor.facts = todo!();
/// }
/// ```
/// Reading one is open to all:
/// ```
/// fn name(actor: &identity::Actor) -> &str {
///     actor.display_name()
/// }
/// ```
#[derive(Clone)]
pub struct Actor {
    facts: Arc<ActorFacts>,
    shown: Shown,
    context: ActorContext,
}

impl Actor {
    pub(crate) const fn mint(facts: Arc<ActorFacts>, shown: Shown, context: ActorContext) -> Self {
        Self { facts, shown, context }
    }
    /// The same user with what another proof allows.
    pub(crate) fn narrowed(self, shown: Shown) -> Self {
        Self { shown, ..self }
    }
    /// The same proof with the user's facts of now, for what goes on long after its request; `None` when the user may no
    /// longer act. Who is no user stays as they are.
    pub fn renewed(&self, users: &dyn UserDirectory) -> Result<Option<Self>, PortError> {
        if self.kind() != ActorKind::User {
            return Ok(Some(self.clone()));
        }
        let facts = users.facts(self.user())?.filter(|facts| facts.active && facts.user == self.user());
        let facts = facts.map(ActorFacts::without_reserved_roles);
        Ok(facts.map(|facts| Self { facts: Arc::new(facts), ..self.clone() }))
    }
    /// What the store knew of the user when this actor was minted.
    pub fn facts(&self) -> &ActorFacts {
        &self.facts
    }
    /// Whether the secret of a calendar address was shown as if it were a token of the API.
    pub fn is_calendar(&self) -> bool {
        self.has_scopes(&TokenScopes::calendar())
    }
    /// Whether a token with exactly these scopes was shown.
    pub(crate) fn has_scopes(&self, scopes: &TokenScopes) -> bool {
        matches!(&self.shown, Shown::Token(_, shown) if **shown == *scopes)
    }
    /// The request this actor was minted for; lets a new session continue it.
    pub(crate) const fn context(&self) -> &ActorContext {
        &self.context
    }
    /// The user. The local operator and the appliance have fixed ids of their own.
    pub fn user(&self) -> UserId {
        self.facts.user
    }
    /// Whether this session is good for changing the password and nothing else: somebody else set it.
    pub fn must_change_password(&self) -> bool {
        self.facts.first_password && matches!(self.shown, Shown::Session(_))
    }
    /// What kind of actor this is.
    pub const fn kind(&self) -> ActorKind {
        match self.shown {
            Shown::Session(_) | Shown::Token(..) => ActorKind::User,
            Shown::LocalOperator => ActorKind::LocalOperator,
            Shown::System => ActorKind::System,
        }
    }
    /// The login; the operating system's user name for the local operator.
    pub fn login(&self) -> &str {
        &self.facts.login
    }
    /// The name others see.
    pub fn display_name(&self) -> &str {
        &self.facts.display_name
    }
    /// Names of the roles in force.
    pub fn roles(&self) -> &[String] {
        &self.facts.roles
    }
    /// Whether this role is in force.
    pub fn has_role(&self, name: &str) -> bool {
        self.facts.roles.iter().any(|role| role == name)
    }
    /// The user's unit.
    pub fn unit(&self) -> Option<UnitId> {
        self.facts.unit
    }
    /// The user's unit and every unit under it.
    pub fn units_below(&self) -> &Arc<[UnitId]> {
        &self.facts.units_below
    }
    /// The user's teams.
    pub fn teams(&self) -> &Arc<[RecordId]> {
        &self.facts.teams
    }
    /// Everybody in the user's teams, the user too.
    pub fn team_members(&self) -> &Arc<[UserId]> {
        &self.facts.team_members
    }
    /// How the actor was recognised.
    pub const fn auth(&self) -> AuthMethod {
        match self.shown {
            Shown::Session(_) => AuthMethod::Password,
            Shown::Token(..) => AuthMethod::Token,
            Shown::LocalOperator => AuthMethod::LocalOperator,
            Shown::System => AuthMethod::System,
        }
    }
    /// The session, when there is one.
    pub const fn session(&self) -> Option<SessionId> {
        match self.shown {
            Shown::Session(session) => Some(session),
            _ => None,
        }
    }
    /// The API token, when one was shown.
    pub const fn token(&self) -> Option<TokenId> {
        match self.shown {
            Shown::Token(token, _) => Some(token),
            _ => None,
        }
    }
    /// The scopes of that token.
    pub fn token_scopes(&self) -> Option<&TokenScopes> {
        match &self.shown {
            Shown::Token(_, scopes) => Some(scopes),
            _ => None,
        }
    }
    /// Whether the token covers this act; true without a token. Says nothing about the user's own rights.
    pub fn token_allows(&self, object: &str, verb: TokenVerb) -> bool {
        self.token_scopes().is_none_or(|scopes| scopes.allows(object, verb))
    }
    /// The door the request came through.
    pub const fn channel(&self) -> Channel {
        self.context.channel()
    }
    /// The network address, when there is one.
    pub const fn source(&self) -> Option<IpAddr> {
        self.context.source()
    }
    /// The id that ties answer, log and audit entry together.
    pub fn request_id(&self) -> &str {
        self.context.request_id()
    }
    /// Why values are asked for.
    pub fn purpose(&self) -> Option<&str> {
        self.context.purpose()
    }
    /// The language of answers: the request's, else the user's.
    pub fn locale(&self) -> Locale {
        self.context.locale().unwrap_or(self.facts.locale)
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor")
            .field("user", &self.user())
            .field("auth", &self.auth())
            .field("session", &self.session())
            .field("token", &self.token())
            .field("request_id", &self.request_id())
            .finish()
    }
}
