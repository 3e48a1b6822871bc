//! The verbs of identity: sign in, resume, sign out, upkeep. Passwords and tokens have files of their own.
//! It decides who somebody is, never what they may do; whoever calls an administrative verb has checked that first.

use crate::{
    actor::{Actor, ActorFacts, Shown},
    cache::{Cache, Entry},
    context::ActorContext,
    error::{SessionEnd, SessionError, SignInError, SignInRefusal},
    failure_report::{Moment, SignInEvent},
    hasher::{Checked, Hasher},
    lockout::{Attempt, Lockout},
    login::login_fold,
    ports::{Credential, PortError, SessionPort, TokenPort, UserDirectory},
    secret::{Secret, SecretText},
    session::{Csrf, CsrfRequired, SessionRecord, cookie_parse, cookie_text},
    token::TokenRecord,
};
use kernel::{
    Clock, Id, Random, SessionId, Timestamp, TokenId, UserId,
    limits::{SESSION_ABSOLUTE_SECONDS, SESSION_IDLE_SECONDS, SESSIONS_PER_USER_MAX},
};
use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

/// The storage behind identity.
#[derive(Clone)]
pub struct Ports {
    /// Users and passwords.
    pub users: Arc<dyn UserDirectory>,
    /// Sessions.
    pub sessions: Arc<dyn SessionPort>,
    /// API tokens.
    pub tokens: Arc<dyn TokenPort>,
}

/// The service. One per process: the lock-out and the short memory of actors live in it.
pub struct Identity {
    pub(crate) ports: Ports,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) hasher: Hasher,
    pub(crate) lockout: Lockout,
    pub(crate) sessions: Cache<SessionId, SessionRecord>,
    pub(crate) tokens: Cache<TokenId, TokenRecord>,
}

/// A session that has just been opened.
#[derive(Debug)]
pub struct SignedIn {
    /// The cookie's text.
    pub cookie: SecretText,
    /// What the page sends back as `X-CSRF-Token`.
    pub csrf: SecretText,
    /// Who signed in.
    pub actor: Actor,
    /// When the session ends in any case.
    pub expires: Timestamp,
}

/// A session that goes on.
#[derive(Debug)]
pub struct Resumed {
    /// Who it is.
    pub actor: Actor,
    /// Checks the header of requests that change something.
    pub csrf: Csrf,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    /// The service over this storage.
    pub fn new(ports: Ports, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self {
            ports,
            clock,
            random,
            hasher: Hasher::new(),
            lockout: Lockout::new(),
            sessions: Cache::new(),
            tokens: Cache::new(),
        }
    }

    /// Opens a session for a login and password. Takes tens of milliseconds of processor time and 19 MiB; keep it off the event loop.
    ///
    /// Errors tell neither whether the login exists nor whether the account is closed; nor does the time they take.
    pub fn sign_in(&self, login: &str, password: &str, context: ActorContext) -> Result<SignedIn, SignInError> {
        let folded = login_fold(login).ok();
        let source = context.source();
        // A text that cannot be a login is treated as one that does not exist.
        let mut attempt = self.attempt(folded.as_deref().unwrap_or_default(), source)?;
        let checked = self.password_checked(folded.as_deref(), password, &mut attempt);
        let (user, facts) = self.attempt_closed(&attempt, source, checked)?;
        self.ports.users.record_sign_in(user, self.clock.now(), source)?;
        Ok(self.session_open(Arc::new(facts), context)?)
    }

    /// Lets an attempt through the lock-out or refuses it.
    pub(crate) fn attempt(&self, folded_login: &str, source: Option<IpAddr>) -> Result<Attempt, SignInError> {
        self.lockout.admit(folded_login, source, self.clock.monotonic()).map_err(|delay| SignInError {
            refusal: SignInRefusal::Delayed { seconds: delay.0 },
            event: self.lockout.refused(source, self.moment()),
        })
    }

    /// Settles an attempt with the lock-out: counts it, forgives it, or takes it back when nothing could be checked.
    pub(crate) fn attempt_closed<T>(
        &self,
        attempt: &Attempt,
        source: Option<IpAddr>,
        checked: Result<PasswordOutcome<T>, SignInRefusal>,
    ) -> Result<(UserId, T), SignInError> {
        match checked {
            Ok(PasswordOutcome::Right(user, value)) => {
                self.lockout.succeeded(attempt, user, self.clock.monotonic());
                Ok((user, value))
            }
            Ok(PasswordOutcome::Wrong(user)) => {
                let event = self.lockout.failed(attempt, user, self.moment());
                Err(SignInError { refusal: SignInRefusal::Failed, event })
            }
            Err(refusal @ SignInRefusal::Delayed { .. }) => {
                Err(SignInError { refusal, event: self.lockout.refused(source, self.moment()) })
            }
            Err(refusal) => {
                self.lockout.undo(attempt, self.clock.monotonic());
                Err(refusal.into())
            }
        }
    }

    fn password_checked(
        &self,
        folded: Option<&str>,
        password: &str,
        attempt: &mut Attempt,
    ) -> Result<PasswordOutcome<ActorFacts>, SignInRefusal> {
        let credential = folded.map(|login| self.ports.users.credential_by_login(login)).transpose()?.flatten();
        if let Some(credential) = &credential {
            self.failures_remembered(credential, attempt)?;
        }
        let stored = credential.as_ref().and_then(|credential| credential.password.as_ref());
        let checked = self.hasher.check(password, stored)?;
        let Some(credential) = credential else { return Ok(PasswordOutcome::Wrong(None)) };
        let wrong = Ok(PasswordOutcome::Wrong(Some(credential.user)));
        if checked == Checked::Wrong || !credential.active {
            return wrong;
        }
        // The facts are newer than the credential: a password changed in between must not open a session.
        let facts = self.facts(credential.user)?.filter(|facts| facts.auth_epoch == credential.auth_epoch);
        let Some(facts) = facts else { return wrong };
        if let (Checked::RightButOld, Some(old)) = (checked, credential.password.as_ref()) {
            let new = self.hasher.hash(password, self.random.as_ref())?;
            self.ports.users.replace_password_hash(credential.user, old, &new)?;
        }
        Ok(PasswordOutcome::Right(credential.user, facts))
    }

    fn failures_remembered(&self, credential: &Credential, attempt: &mut Attempt) -> Result<(), SignInRefusal> {
        let Some(last) = credential.last_failed_at else { return Ok(()) };
        let age = u64::try_from(self.clock.now().micros().saturating_sub(last.micros())).unwrap_or(0);
        let now = self.clock.monotonic();
        self.lockout
            .remember(attempt, credential.failed_count, Duration::from_micros(age), now)
            .map_err(|delay| SignInRefusal::Delayed { seconds: delay.0 })
    }

    /// The facts of an active user, without reserved roles.
    pub(crate) fn facts(&self, user: UserId) -> Result<Option<ActorFacts>, PortError> {
        let facts = self.ports.users.facts(user)?;
        Ok(facts.filter(|facts| facts.active && facts.user == user).map(ActorFacts::without_reserved_roles))
    }

    /// Opens a session; the oldest make room when the user has too many.
    pub(crate) fn session_open(&self, facts: Arc<ActorFacts>, context: ActorContext) -> Result<SignedIn, PortError> {
        let mut present = self.ports.sessions.list_of_user(facts.user)?;
        present.sort_by_key(|session| session.last_seen_at);
        let surplus = (present.len() + 1).saturating_sub(SESSIONS_PER_USER_MAX);
        for session in present.iter().take(surplus) {
            self.session_end(session.id)?;
        }
        let secret = Secret::generate(self.random.as_ref());
        let now = self.clock.now();
        let record = SessionRecord {
            id: Id::generate(self.clock.as_ref(), self.random.as_ref()),
            user: facts.user,
            digest: secret.digest(),
            auth_epoch: facts.auth_epoch,
            created_at: now,
            last_seen_at: now,
            source: context.source(),
        };
        self.ports.sessions.insert(&record)?;
        let cookie = cookie_text(record.id, &secret);
        let actor = Actor::mint(facts, Shown::Session(record.id), context);
        Ok(SignedIn { cookie, csrf: Csrf::new(secret).text(), actor, expires: record.expires_at() })
    }

    /// The actor of a cookie. On the hot path: for some seconds after a load it touches no storage.
    pub fn resume(&self, cookie: &str, context: ActorContext) -> Result<Resumed, SessionError> {
        let (id, secret) = cookie_parse(cookie).ok_or(SessionError::Ended(SessionEnd::Unknown))?;
        let entry = match self.sessions.get(id, self.clock.monotonic()) {
            Some(entry) => entry,
            None => self.session_load(id, &secret)?,
        };
        if !entry.digest.matches(&secret.digest()) {
            return Err(SessionError::Ended(SessionEnd::Unknown));
        }
        let now = self.clock.now();
        if let Some(end) = entry.record.ended_by_time(entry.last_seen(), now) {
            self.session_end(id)?;
            return Err(SessionError::Ended(end));
        }
        if entry.touch_due(now) {
            self.ports.sessions.touch(id, now)?;
        }
        Ok(Resumed { actor: Actor::mint(entry.facts.clone(), Shown::Session(id), context), csrf: Csrf::new(secret) })
    }

    /// The same as [`Identity::resume`] where nothing has to be asked of the storage, so that the event loop may call it.
    /// `None` means "ask `resume`": the session is not remembered, its use is to be stored, or it has ended.
    pub fn resume_remembered(&self, cookie: &str, context: &ActorContext) -> Option<Resumed> {
        let (id, secret) = cookie_parse(cookie)?;
        let entry = self.sessions.get(id, self.clock.monotonic())?;
        let now = self.clock.now();
        let good =
            entry.digest.matches(&secret.digest()) && entry.record.ended_by_time(entry.last_seen(), now).is_none();
        if !good || entry.touch_is_due(now) {
            return None;
        }
        let actor = Actor::mint(entry.facts.clone(), Shown::Session(id), context.clone());
        Some(Resumed { actor, csrf: Csrf::new(secret) })
    }

    /// The actor of a cookie, for what goes on by itself: looking does not keep the session alive.
    pub fn resume_quiet(&self, cookie: &str, context: ActorContext) -> Result<Actor, SessionError> {
        let (id, secret) = cookie_parse(cookie).ok_or(SessionError::Ended(SessionEnd::Unknown))?;
        let entry = match self.sessions.get(id, self.clock.monotonic()) {
            Some(entry) => entry,
            None => self.session_load(id, &secret)?,
        };
        if !entry.digest.matches(&secret.digest()) {
            return Err(SessionError::Ended(SessionEnd::Unknown));
        }
        match entry.record.ended_by_time(entry.last_seen(), self.clock.now()) {
            Some(end) => Err(SessionError::Ended(end)),
            None => Ok(Actor::mint(entry.facts.clone(), Shown::Session(id), context)),
        }
    }

    fn session_load(&self, id: SessionId, secret: &Secret) -> Result<Arc<Entry<SessionRecord>>, SessionError> {
        let generation = self.sessions.generation();
        // Somebody who does not know the secret learns nothing and ends nothing.
        let record = self.ports.sessions.load(id)?.filter(|record| record.digest.matches(&secret.digest()));
        let record = record.ok_or(SessionError::Ended(SessionEnd::Unknown))?;
        let facts = self.facts(record.user)?;
        let end = match &facts {
            None => Some(SessionEnd::UserClosed),
            Some(facts) if facts.auth_epoch != record.auth_epoch => Some(SessionEnd::RightsChanged),
            Some(_) => None,
        };
        let (Some(facts), None) = (facts, end) else {
            self.session_end(id)?;
            return Err(SessionError::Ended(end.unwrap_or(SessionEnd::UserClosed)));
        };
        let loaded = self.clock.monotonic();
        let (digest, seen) = (record.digest.clone(), record.last_seen_at);
        let entry = Arc::new(Entry::new(record, digest, Arc::new(facts), loaded, seen));
        self.sessions.put(id, entry.clone(), generation, loaded);
        Ok(entry)
    }

    /// Checks the `X-CSRF-Token` header of a request that changes something.
    pub fn check_csrf(&self, resumed: &Resumed, header: Option<&str>) -> Result<(), CsrfRequired> {
        resumed.csrf.check(header)
    }

    /// Ends the actor's own session; without one nothing happens.
    pub fn sign_out(&self, actor: &Actor) -> Result<(), PortError> {
        actor.session().map_or(Ok(()), |session| self.session_end(session))
    }

    /// Ends one session.
    pub fn session_end(&self, session: SessionId) -> Result<(), PortError> {
        self.ports.sessions.delete(session)?;
        self.sessions.forget_key(session);
        Ok(())
    }

    /// Ends all sessions of a user and says how many there were.
    pub fn sessions_end(&self, user: UserId) -> Result<usize, PortError> {
        let count = self.ports.sessions.delete_all_of_user(user)?;
        self.invalidate_user(user);
        Ok(count)
    }

    /// The live sessions of a user, the last used first.
    pub fn sessions_list(&self, user: UserId) -> Result<Vec<SessionRecord>, PortError> {
        let now = self.clock.now();
        let mut sessions = self.ports.sessions.list_of_user(user)?;
        sessions.retain(|session| session.ended_by_time(session.last_seen_at, now).is_none());
        sessions.sort_by_key(|session| std::cmp::Reverse(session.last_seen_at));
        Ok(sessions)
    }

    /// To be called after a user's status, roles, unit or teams have changed and are committed: the next request loads them.
    pub fn invalidate_user(&self, user: UserId) {
        self.sessions.forget_user(user);
        self.tokens.forget_user(user);
    }

    /// The same for everybody, after a change of roles, units or teams themselves.
    pub fn invalidate_all(&self) {
        self.sessions.forget_all();
        self.tokens.forget_all();
    }

    /// To be called about every ten seconds: stores failure counts and returns what the audit log has to be told.
    /// With `stopping`, nothing is held back for a later report.
    pub fn upkeep(&self, stopping: bool) -> (Vec<SignInEvent>, Result<(), PortError>) {
        let mut stored = Ok(());
        for (user, count, at) in self.lockout.unsaved() {
            if stored.is_ok() {
                stored = self.ports.users.record_failures(user, count, at);
            }
            if stored.is_err() {
                self.lockout.unsaved_again(user, count, at);
            }
        }
        (self.lockout.reports_due(self.clock.monotonic(), stopping), stored)
    }

    /// Removes sessions that time has ended; to be called about every hour. Says how many there were.
    pub fn sessions_sweep(&self) -> Result<usize, PortError> {
        let now = self.clock.now();
        let (created, seen) = (now.plus_seconds(-SESSION_ABSOLUTE_SECONDS), now.plus_seconds(-SESSION_IDLE_SECONDS));
        self.ports.sessions.delete_ended(created, seen)
    }

    /// How many times a password hash was computed since the start; for the metrics.
    pub fn password_hashes_computed(&self) -> u64 {
        self.hasher.runs()
    }

    fn moment(&self) -> Moment {
        Moment { monotonic: self.clock.monotonic(), wall: self.clock.now() }
    }
}

/// What checking a password found.
pub(crate) enum PasswordOutcome<T> {
    Right(UserId, T),
    /// Wrong, or the account is closed; the user when the login exists.
    Wrong(Option<UserId>),
}
