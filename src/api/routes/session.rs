//! Sign in, who am I, sign out, the own password, the own sessions. What happens here is in the log before it is answered.

use super::handle;
use crate::appliance::Open;
use crate::call::{Acting, Call, blocking};
use crate::route::{Repeat, Route, Rule, Verb};
use crate::wire::{self, Answer, Secret, cookie_clear, cookie_set};
use actix_web::http::header;
use identity::{Actor, PasswordError, SecretText, SessionRecord, SignInError, SignedIn, TokenVerb};
use kernel::{Code, Fault, Outcome, SessionId, Timestamp};
use records::MeView;
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, sync::Arc};

pub(crate) const ROUTES: &[Route] = &[
    Route::new(Verb::Post, "/api/v1/session", "session_open", "Sign in", Rule::Public(handle!(sign_in, open)))
        .takes("SignIn")
        .gives(200, "Session")
        .repeat(Repeat::Harmless),
    Route::new(
        Verb::Get,
        "/api/v1/session",
        "session_show",
        "Who am I, and what may I do",
        Rule::SignedIn(handle!(show)),
    )
    .gives(200, "Session")
    .with_first_password(),
    Route::new(Verb::Delete, "/api/v1/session", "session_close", "Sign out", Rule::SignedIn(handle!(sign_out)))
        .gives_nothing()
        .with_first_password(),
    Route::new(
        Verb::Post,
        "/api/v1/session/password",
        "password_change",
        "Change the own password; ends all other sessions",
        Rule::SignedIn(handle!(password)),
    )
    .takes("PasswordChange")
    .gives(200, "Session")
    .with_first_password(),
    Route::new(Verb::Get, "/api/v1/sessions", "session_list", "The own sessions", Rule::SignedIn(handle!(list)))
        .gives(200, "SessionList"),
    Route::new(
        Verb::Delete,
        "/api/v1/sessions/{session}",
        "session_end",
        "End one of the own sessions",
        Rule::SignedIn(handle!(end)),
    )
    .gives_nothing(),
];

/// Login and password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    login: String,
    password: Secret,
    /// For the second factor, which no user has yet.
    #[serde(default)]
    code: Option<String>,
}

/// A session, as its own browser sees it.
#[derive(Serialize)]
struct SessionView {
    /// To be sent back as `X-CSRF-Token`; null for API tokens, which need none.
    csrf: Option<String>,
    /// Who.
    user: MeView,
    /// Whether it is good for changing the password and nothing else, because somebody else set it.
    password_change_required: bool,
    /// When it ends in any case, if it has just begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

async fn sign_in(call: Call, open: Arc<Open>) -> Outcome<Answer> {
    let SignIn { login, password, code } = wire::json(&call.body)?;
    if code.is_some() {
        return Err(Fault::invalid(Vec::new()).with_item(
            "/code",
            Code::FieldUnknown,
            "No second factor is set up; leave the code out.",
        ));
    }
    let (identity, context) = (Arc::clone(&open.identity), call.context.clone());
    let outcome = blocking(move || Ok(identity.sign_in(&login, &password, context))).await?;
    match outcome {
        Ok(signed_in) => begin(&call, &open, signed_in, audit::Verb::SignIn).await,
        Err(SignInError { refusal, event }) => {
            if let Some(event) = event {
                open.records.note_sign_in_failed(&event).await?;
            }
            Err(refusal.into())
        }
    }
}

/// Hands out the cookie of a new session, once the log knows of it. Without an entry there is no session.
async fn begin(call: &Call, open: &Arc<Open>, signed_in: SignedIn, act: audit::Verb) -> Outcome<Answer> {
    let SignedIn { cookie, csrf, actor, expires } = signed_in;
    let actor = Arc::new(actor);
    if let Err(fault) = open.records.note(&actor, act, "").await {
        let (identity, ended) = (Arc::clone(&open.identity), Arc::clone(&actor));
        blocking(move || Ok(identity.sign_out(&ended)?)).await?;
        return Err(fault);
    }
    let user = open.records.me(&actor)?;
    let view = SessionView {
        csrf: Some(csrf.expose().to_owned()),
        user,
        password_change_required: actor.must_change_password(),
        expires_at: Some(expires),
    };
    Answer::json(&view)?.header(header::SET_COOKIE, &cookie_of(call, &cookie))
}

fn cookie_of(call: &Call, cookie: &SecretText) -> String {
    cookie_set(call.site.cookie, cookie.expose())
}

async fn show(acting: Acting) -> Outcome<Answer> {
    let user = acting.open.records.me(&acting.actor)?;
    let csrf = acting.csrf.as_ref().map(|csrf| csrf.text().expose().to_owned());
    let password_change_required = acting.actor.must_change_password();
    Answer::json(&SessionView { csrf, user, password_change_required, expires_at: None })
}

async fn sign_out(acting: Acting) -> Outcome<Answer> {
    if acting.actor.session().is_none() {
        return Err(Fault::new(Code::AccessDenied, "An API token has no session to end; revoke it instead."));
    }
    let (identity, actor) = (Arc::clone(&acting.open.identity), Arc::clone(&acting.actor));
    blocking(move || Ok(identity.sign_out(&actor)?)).await?;
    acting.open.records.note(&acting.actor, audit::Verb::SignOut, "").await?;
    Answer::empty().header(header::SET_COOKIE, &cookie_clear(acting.call.site.cookie))
}

/// The old and the new password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    old: Secret,
    new: Secret,
}

async fn password(acting: Acting) -> Outcome<Answer> {
    let PasswordChange { old, new } = wire::json(&acting.call.body)?;
    let (identity, actor) = (Arc::clone(&acting.open.identity), Arc::clone(&acting.actor));
    let outcome = blocking(move || Ok(identity.password_change(&actor, &old, &new))).await?;
    match outcome {
        Ok(signed_in) => {
            let (records, actor) = (acting.open.records.clone(), Arc::clone(&acting.actor));
            blocking(move || records.note_password(&actor, actor.user())).await?;
            begin(&acting.call, &acting.open, signed_in, audit::Verb::SignIn).await
        }
        Err(error) => {
            if let PasswordError::SignIn(SignInError { event: Some(event), .. }) = &error {
                acting.open.records.note_sign_in_failed(event).await?;
            }
            Err(error.into())
        }
    }
}

/// One session in a list.
#[derive(Serialize)]
pub(super) struct SessionLine {
    id: SessionId,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    expires_at: Timestamp,
    source: Option<IpAddr>,
    /// Whether it is the one that asks.
    current: bool,
}

pub(super) fn lines(sessions: &[SessionRecord], actor: &Actor) -> Vec<SessionLine> {
    let line = |session: &SessionRecord| SessionLine {
        id: session.id,
        created_at: session.created_at,
        last_seen_at: session.last_seen_at,
        expires_at: session.expires_at(),
        source: session.source,
        current: actor.session() == Some(session.id),
    };
    sessions.iter().map(line).collect()
}

async fn list(acting: Acting) -> Outcome<Answer> {
    acting.open.records.own_things(&acting.actor, TokenVerb::Read)?;
    let (identity, user) = (Arc::clone(&acting.open.identity), acting.actor.user());
    let sessions = blocking(move || Ok(identity.sessions_list(user)?)).await?;
    Answer::items(&lines(&sessions, &acting.actor))
}

async fn end(acting: Acting) -> Outcome<Answer> {
    acting.open.records.own_things(&acting.actor, TokenVerb::Update)?;
    let session: SessionId = acting.call.typed("session")?;
    let (identity, user) = (Arc::clone(&acting.open.identity), acting.actor.user());
    blocking(move || {
        let own = identity.sessions_list(user)?.iter().any(|record| record.id == session);
        if !own {
            return Err(Fault::new(Code::RecordNotFound, "You have no such session."));
        }
        Ok(identity.session_end(session)?)
    })
    .await?;
    acting.open.records.note(&acting.actor, audit::Verb::SessionEnd, &format!("session {session}")).await?;
    Ok(Answer::empty())
}
