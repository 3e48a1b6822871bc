//! What security administrators do for users: roles, passwords, sessions, tokens. Users themselves are records.

use super::{handle, session, tokens};
use crate::call::{Acting, blocking};
use crate::route::{Repeat, Route, Rule, Verb};
use crate::wire::{self, Answer, Secret};
use authz::AppAction;
use identity::PasswordOrigin;
use kernel::{Outcome, Timestamp, TokenId};
use serde::Deserialize;
use std::sync::Arc;

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Get,
        "/api/v1/users/{user}/roles",
        "user_roles",
        "The roles of a user",
        Rule::SignedIn(handle!(roles_of)),
    )
    .gives(200, "UserRoles"),
    Route::new(
        Verb::Post,
        "/api/v1/users/{user}/roles",
        "role_grant",
        "Give a role to a user; ends their sessions",
        Rule::Act(AppAction::Roles, handle!(role_grant)),
    )
    .takes("RoleGrant")
    .gives(200, "Done")
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Delete,
        "/api/v1/users/{user}/roles/{role}",
        "role_revoke",
        "Take a role away; ends the user's sessions",
        Rule::Act(AppAction::Roles, handle!(role_revoke)),
    )
    .gives(200, "Done"),
    Route::new(
        Verb::Post,
        "/api/v1/users/{user}/password",
        "password_set",
        "Set another user's password, which they change at their next sign-in; ends their sessions",
        Rule::Act(AppAction::Users, handle!(password_set)),
    )
    .takes("PasswordSet")
    .gives_nothing()
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Get,
        "/api/v1/users/{user}/sessions",
        "user_sessions",
        "The sessions of a user",
        Rule::Act(AppAction::Users, handle!(sessions)),
    )
    .gives(200, "SessionList"),
    Route::new(
        Verb::Delete,
        "/api/v1/users/{user}/sessions",
        "user_sessions_end",
        "End all sessions of a user",
        Rule::Act(AppAction::Users, handle!(sessions_end)),
    )
    .gives_nothing(),
    Route::new(
        Verb::Get,
        "/api/v1/users/{user}/tokens",
        "user_tokens",
        "The API tokens of a user",
        Rule::Act(AppAction::Users, handle!(user_tokens)),
    )
    .gives(200, "TokenList"),
    Route::new(
        Verb::Delete,
        "/api/v1/users/{user}/tokens/{token}",
        "user_token_revoke",
        "Revoke an API token of a user",
        Rule::Act(AppAction::Users, handle!(token_revoke)),
    )
    .gives_nothing(),
];

async fn roles_of(acting: Acting) -> Outcome<Answer> {
    let user = acting.call.id("user")?;
    Answer::json(&acting.open.records.roles_of(&acting.actor, user).await?)
}

/// A role and when it holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleGrant {
    role: String,
    #[serde(default)]
    valid_from: Option<Timestamp>,
    #[serde(default)]
    valid_to: Option<Timestamp>,
}

async fn role_grant(acting: Acting) -> Outcome<Answer> {
    let user = acting.call.id("user")?;
    let RoleGrant { role, valid_from, valid_to } = wire::json(&acting.call.body)?;
    let done = acting.open.records.role_grant(&acting.actor, user, &role, valid_from, valid_to).await?;
    acting.open.identity.invalidate_user(user);
    Answer::json(&done)
}

async fn role_revoke(acting: Acting) -> Outcome<Answer> {
    let user = acting.call.id("user")?;
    let done = acting.open.records.role_revoke(&acting.actor, user, acting.call.part("role")).await?;
    acting.open.identity.invalidate_user(user);
    Answer::json(&done)
}

/// A new password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordSet {
    password: Secret,
}

async fn password_set(acting: Acting) -> Outcome<Answer> {
    let user = acting.call.id("user")?;
    let PasswordSet { password } = wire::json(&acting.call.body)?;
    let (open, actor) = (Arc::clone(&acting.open), Arc::clone(&acting.actor));
    blocking(move || {
        open.records.password_allowed(&actor, user)?;
        open.identity.password_set(user, &password, PasswordOrigin::First)?;
        open.records.note_password(&actor, user)
    })
    .await?;
    Ok(Answer::empty())
}

async fn sessions(acting: Acting) -> Outcome<Answer> {
    let user = acting.call.id("user")?;
    let identity = Arc::clone(&acting.open.identity);
    let sessions = blocking(move || Ok(identity.sessions_list(user)?)).await?;
    Answer::items(&session::lines(&sessions, &acting.actor))
}

async fn sessions_end(acting: Acting) -> Outcome<Answer> {
    let user = acting.call.id("user")?;
    let identity = Arc::clone(&acting.open.identity);
    let count = blocking(move || Ok(identity.sessions_end(user)?)).await?;
    acting.open.records.note(&acting.actor, audit::Verb::SessionEnd, &format!("all {count} of user {user}")).await?;
    Ok(Answer::empty())
}

async fn user_tokens(acting: Acting) -> Outcome<Answer> {
    let user = acting.call.id("user")?;
    let identity = Arc::clone(&acting.open.identity);
    let found = blocking(move || Ok(identity.tokens_list(user)?)).await?;
    Answer::items(&found.iter().map(tokens::line).collect::<Vec<_>>())
}

async fn token_revoke(acting: Acting) -> Outcome<Answer> {
    let user = acting.call.id("user")?;
    let token: TokenId = acting.call.typed("token")?;
    let identity = Arc::clone(&acting.open.identity);
    blocking(move || Ok(identity.token_revoke(user, token)?)).await?;
    acting.open.records.note(&acting.actor, audit::Verb::TokenRevoke, &format!("token {token} of user {user}")).await?;
    Ok(Answer::empty())
}
