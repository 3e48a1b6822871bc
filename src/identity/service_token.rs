//! API tokens: make, list, revoke, and recognise their bearer.

use crate::{
    actor::{Actor, AuthMethod, Shown},
    cache::Entry,
    cidr::Cidr,
    context::ActorContext,
    error::{BearerError, TokenError},
    ports::PortError,
    secret::{Secret, SecretText},
    service::Identity,
    token::{TokenRecord, token_parse, token_text},
    token_scopes::TokenScopes,
};
use kernel::{
    Id, Timestamp, TokenId, UserId,
    limits::{TOKEN_LIFE_SECONDS_MAX, TOKEN_NAME_CHARS_MAX, TOKEN_NETWORKS_MAX, TOKENS_PER_USER_MAX},
};
use std::sync::Arc;

impl Identity {
    /// The actor of a bearer token (RFC 6750), given without the word `Bearer`.
    pub fn bearer(&self, token: &str, context: ActorContext) -> Result<Actor, BearerError> {
        let (id, secret) = token_parse(token).ok_or(BearerError::Unknown)?;
        let entry = match self.tokens.get(id, self.clock.monotonic()) {
            Some(entry) => entry,
            None => self.token_load(id, &secret)?,
        };
        if !entry.digest.matches(&secret.digest()) {
            return Err(BearerError::Unknown);
        }
        let now = self.clock.now();
        if entry.record.revoked_at.is_some() {
            return Err(BearerError::Revoked);
        }
        if !entry.record.is_live(now) {
            return Err(BearerError::Expired);
        }
        if !entry.record.allows_source(context.source()) {
            return Err(BearerError::Source);
        }
        if entry.touch_due(now) {
            self.ports.tokens.touch(id, now)?;
        }
        Ok(Actor::mint(entry.facts.clone(), Shown::Token(id, entry.record.scopes.clone()), context))
    }

    /// The same as [`Identity::bearer`] where nothing has to be asked of the storage, so that the event loop may call it.
    /// `None` means "ask `bearer`": the token is not remembered, its use is to be stored, or it is refused.
    pub fn bearer_remembered(&self, token: &str, context: &ActorContext) -> Option<Actor> {
        let (id, secret) = token_parse(token)?;
        let entry = self.tokens.get(id, self.clock.monotonic())?;
        let (now, record) = (self.clock.now(), &entry.record);
        let good =
            entry.digest.matches(&secret.digest()) && record.is_live(now) && record.allows_source(context.source());
        let actor = || Actor::mint(entry.facts.clone(), Shown::Token(id, record.scopes.clone()), context.clone());
        (good && !entry.touch_is_due(now)).then(actor)
    }

    /// The actor of a secret calendar address: whoever it belongs to, reading activities only. A token for anything else is
    /// no address.
    pub fn calendar(&self, secret: &str, context: ActorContext) -> Result<Actor, BearerError> {
        let known = self.bearer(secret, context)?;
        let (Some(id), true) = (known.token(), known.has_scopes(&TokenScopes::calendar())) else {
            return Err(BearerError::Unknown);
        };
        Ok(known.narrowed(Shown::Token(id, Arc::new(TokenScopes::activities()))))
    }

    /// Makes the secret of a calendar address for the actor, who must be in a session.
    pub fn calendar_create(
        &self,
        actor: &Actor,
        expires_at: Timestamp,
    ) -> Result<(TokenRecord, SecretText), TokenError> {
        self.token_create(actor, "Calendar", &TokenScopes::calendar().texts(), expires_at, Vec::new())
    }

    fn token_load(&self, id: TokenId, secret: &Secret) -> Result<Arc<Entry<TokenRecord>>, BearerError> {
        let generation = self.tokens.generation();
        let record = self.ports.tokens.load(id)?.filter(|record| record.digest.matches(&secret.digest()));
        let record = record.ok_or(BearerError::Unknown)?;
        let facts = self.facts(record.user)?.ok_or(BearerError::UserClosed)?;
        let loaded = self.clock.monotonic();
        let digest = record.digest.clone();
        // Never used means used infinitely long ago: the first use is stored at once.
        let seen = record.last_used_at.unwrap_or(Timestamp::from_micros(i64::MIN));
        let entry = Arc::new(Entry::new(record, digest, Arc::new(facts), loaded, seen));
        self.tokens.put(id, entry.clone(), generation, loaded);
        Ok(entry)
    }

    /// Makes a token for the actor, who must be in a session. Returns its record and its text, which is never seen again.
    pub fn token_create<T: AsRef<str>>(
        &self,
        actor: &Actor,
        name: &str,
        scopes: &[T],
        expires_at: Timestamp,
        allow: Vec<Cidr>,
    ) -> Result<(TokenRecord, SecretText), TokenError> {
        if actor.auth() != AuthMethod::Password {
            return Err(TokenError::SessionRequired);
        }
        let name = name.trim();
        if name.is_empty() || name.chars().count() > TOKEN_NAME_CHARS_MAX || name.chars().any(char::is_control) {
            return Err(TokenError::Name);
        }
        let scopes = Arc::new(TokenScopes::parse(scopes)?);
        let now = self.clock.now();
        if expires_at <= now || expires_at > now.plus_seconds(TOKEN_LIFE_SECONDS_MAX) {
            return Err(TokenError::Expiry);
        }
        if allow.len() > TOKEN_NETWORKS_MAX {
            return Err(TokenError::Networks);
        }
        let live = self.ports.tokens.list_of_user(actor.user())?.iter().filter(|token| token.is_live(now)).count();
        if live >= TOKENS_PER_USER_MAX {
            return Err(TokenError::TooMany);
        }
        let secret = Secret::generate(self.random.as_ref());
        let record = TokenRecord {
            id: Id::generate(self.clock.as_ref(), self.random.as_ref()),
            user: actor.user(),
            name: name.to_owned(),
            digest: secret.digest(),
            scopes,
            allow,
            created_at: now,
            expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        self.ports.tokens.insert(&record)?;
        let text = token_text(record.id, &secret);
        Ok((record, text))
    }

    /// Revokes a token of this user at once; the caller has checked that the actor is the user or may do so for others.
    pub fn token_revoke(&self, user: UserId, token: TokenId) -> Result<(), TokenError> {
        self.ports.tokens.load(token)?.filter(|record| record.user == user).ok_or(TokenError::NotFound)?;
        self.ports.tokens.revoke(token, self.clock.now())?;
        self.tokens.forget_key(token);
        Ok(())
    }

    /// All tokens of a user, the newest first; also those that can no longer be used.
    pub fn tokens_list(&self, user: UserId) -> Result<Vec<TokenRecord>, PortError> {
        let mut tokens = self.ports.tokens.list_of_user(user)?;
        tokens.sort_by_key(|token| std::cmp::Reverse(token.created_at));
        Ok(tokens)
    }
}
