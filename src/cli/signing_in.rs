//! A user at the command line, for what the operator of the machine may not do alone: by password, as at every other door,
//! with a session that ends when the verb does.

use crate::appliance::{Desk, layout};
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::secret;
use audit::Verb;
use identity::{Actor, ActorContext, Channel, SignInError};
use kernel::{AnyKind, Code, Fault, Id};
use std::path::PathBuf;
use std::sync::Arc;

/// Who acts.
#[derive(clap::Args)]
pub(crate) struct AsUser {
    /// The login of the user who does it; roles, reach and masks of that user decide.
    #[arg(long = "as", value_name = "LOGIN")]
    pub(crate) login: String,
    /// A file (mode 0600) whose first line is that user's password, instead of the question.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl AsUser {
    /// Signs in, acts, and signs out whatever became of it. `what` is told in the log.
    pub(crate) fn act<T>(
        &self,
        desk: &Desk,
        what: &str,
        act: impl FnOnce(&Arc<Actor>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let actor = self.signed_in(desk, what)?;
        let done = act(&actor);
        // The session was for this; it ends whatever became of it.
        desk.identity.sign_out(&actor)?;
        desk.records.note(&actor, Verb::SignOut, "").wait()?;
        done
    }

    fn signed_in(&self, desk: &Desk, what: &str) -> Result<Arc<Actor>, Failure> {
        let password = match &self.password_file {
            Some(file) => {
                layout::require_private(file)?;
                secret::first_line(file)?
            }
            None => secret::ask(&format!("Password of {}: ", self.login))?,
        };
        let request: Id<AnyKind> = Id::generate(desk.store.clock().as_ref(), desk.store.random().as_ref());
        let context = ActorContext::new(Channel::Cli, request.to_string())
            .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
        let signed_in = match desk.identity.sign_in(&self.login, &password, context) {
            Ok(signed_in) => signed_in,
            Err(SignInError { refusal, event }) => {
                if let Some(event) = event {
                    desk.records.note_sign_in_failed(&event).wait()?;
                }
                return Err(Failure::from(Fault::from(refusal)).exit(EXIT_ANSWER_BAD).kept("nothing was written"));
            }
        };
        let actor = Arc::new(signed_in.actor);
        if actor.must_change_password() {
            desk.identity.sign_out(&actor)?;
            return Err(Failure::new(
                Code::AccessDenied,
                format!("{} has a password that somebody else set", self.login),
            )
            .kept("nothing was written")
            .todo("let the user sign in to the web interface and choose an own one first"));
        }
        desk.records.note(&actor, Verb::SignIn, &format!("for {what}")).wait()?;
        Ok(actor)
    }
}
