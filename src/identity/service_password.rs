//! Setting and changing passwords. Both end the user's sessions.

use crate::{
    actor::{Actor, ActorKind, AuthMethod},
    error::{PasswordError, SignInRefusal},
    hasher::Checked,
    login::login_fold,
    password::{PasswordWeakness, normalise, password_check},
    ports::PasswordOrigin,
    service::{Identity, PasswordOutcome, SignedIn},
};
use kernel::UserId;
use std::sync::Arc;

impl Identity {
    /// Sets a user's password without asking for the old one; the caller has checked the right to do so. With
    /// [`PasswordOrigin::First`] its user signs in with it only to change it.
    /// Ends the user's sessions. API tokens go on: they have their own life and are revoked by name.
    pub fn password_set(&self, user: UserId, new: &str, origin: PasswordOrigin) -> Result<(), PasswordError> {
        // A user who is not active yet may get a password, so the facts are read without that condition.
        let facts = self.ports.users.facts(user)?.ok_or(PasswordError::UserUnknown)?;
        password_check(&facts.login, new)?;
        self.password_store(user, new, origin)
    }

    /// Changes the actor's own password. A wrong old one counts as a failed sign-in.
    /// Ends all the user's sessions and opens a new one in place of the present.
    pub fn password_change(&self, actor: &Actor, old: &str, new: &str) -> Result<SignedIn, PasswordError> {
        if actor.kind() != ActorKind::User || actor.auth() != AuthMethod::Password {
            return Err(PasswordError::SessionRequired);
        }
        password_check(actor.login(), new)?;
        let folded = login_fold(actor.login()).map_err(|_| PasswordError::UserUnknown)?;
        let attempt = self.attempt(&folded, actor.source())?;
        let checked = self.old_password_checked(actor.user(), &folded, old);
        self.attempt_closed(&attempt, actor.source(), checked)?;
        // Only who knows the old password learns that the new one equals it.
        if normalise(old).is_some() && normalise(old) == normalise(new) {
            return Err(PasswordWeakness::Unchanged.into());
        }
        self.password_store(actor.user(), new, PasswordOrigin::Own)?;
        let facts = self.facts(actor.user())?.ok_or(PasswordError::UserUnknown)?;
        Ok(self.session_open(Arc::new(facts), actor.context().clone())?)
    }

    fn old_password_checked(
        &self,
        user: UserId,
        folded: &str,
        old: &str,
    ) -> Result<PasswordOutcome<()>, SignInRefusal> {
        let credential = self.ports.users.credential_by_login(folded)?.filter(|credential| credential.user == user);
        let stored =
            credential.as_ref().filter(|credential| credential.active).and_then(|found| found.password.as_ref());
        Ok(match self.hasher.check(old, stored)? {
            Checked::Wrong => PasswordOutcome::Wrong(Some(user)),
            Checked::Right | Checked::RightButOld => PasswordOutcome::Right(user, ()),
        })
    }

    fn password_store(&self, user: UserId, new: &str, origin: PasswordOrigin) -> Result<(), PasswordError> {
        let hash = self.hasher.hash(new, self.random.as_ref())?;
        // The epoch moves with the hash, so the old sessions are dead even if removing them fails.
        let stored = self.ports.users.set_password_hash(user, &hash, origin);
        self.invalidate_user(user);
        stored?;
        self.sessions_end(user)?;
        Ok(())
    }
}
