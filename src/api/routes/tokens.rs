//! The own API tokens. A token's text is in one answer only: that of its making.

use super::handle;
use crate::call::{Acting, blocking};
use crate::route::{Route, Rule, Verb};
use crate::wire::{self, Answer};
use authz::AppAction;
use identity::{Cidr, TokenRecord, TokenVerb};
use kernel::{Code, Fault, Outcome, Timestamp, TokenId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub(crate) const ROUTES: &[Route] = &[
    Route::new(Verb::Get, "/api/v1/tokens", "token_list", "The own API tokens", Rule::SignedIn(handle!(list)))
        .gives(200, "TokenList"),
    Route::new(
        Verb::Post,
        "/api/v1/tokens",
        "token_create",
        "Make an API token; its text is shown once",
        Rule::Act(AppAction::Token, handle!(create)),
    )
    .takes("TokenCreate")
    .gives(201, "TokenCreated"),
    Route::new(
        Verb::Delete,
        "/api/v1/tokens/{token}",
        "token_revoke",
        "Revoke one of the own API tokens",
        Rule::SignedIn(handle!(revoke)),
    )
    .gives_nothing(),
];

/// A token in a list; never its secret.
#[derive(Serialize)]
pub(super) struct TokenLine {
    id: TokenId,
    /// The part of its text that may be seen.
    prefix: String,
    name: String,
    scopes: Vec<String>,
    allow: Vec<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

pub(super) fn line(token: &TokenRecord) -> TokenLine {
    TokenLine {
        id: token.id,
        prefix: token.prefix(),
        name: token.name.clone(),
        scopes: token.scopes.texts(),
        allow: token.allow.iter().map(ToString::to_string).collect(),
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
        revoked_at: token.revoked_at,
    }
}

async fn list(acting: Acting) -> Outcome<Answer> {
    acting.open.records.own_things(&acting.actor, TokenVerb::Read)?;
    let (identity, user) = (Arc::clone(&acting.open.identity), acting.actor.user());
    let tokens = blocking(move || Ok(identity.tokens_list(user)?)).await?;
    Answer::items(&tokens.iter().map(line).collect::<Vec<_>>())
}

/// What a new token is for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenCreate {
    name: String,
    scopes: Vec<String>,
    expires_at: Timestamp,
    /// Networks it may be used from, such as `10.0.0.0/8`; all when empty.
    #[serde(default)]
    allow: Vec<String>,
}

#[derive(Serialize)]
struct TokenCreated<'t> {
    /// The whole token, shown this once.
    token: &'t str,
    #[serde(flatten)]
    line: TokenLine,
}

async fn create(acting: Acting) -> Outcome<Answer> {
    let TokenCreate { name, scopes, expires_at, allow } = wire::json(&acting.call.body)?;
    let mut networks: Vec<Cidr> = Vec::with_capacity(allow.len().min(100));
    for (index, network) in allow.iter().enumerate() {
        let wrong = |_| {
            let detail = "Expected a network such as 10.0.0.0/8 or 2001:db8::/32.";
            Fault::invalid(Vec::new()).with_item(format!("/allow/{index}"), Code::ValueFormat, detail)
        };
        networks.push(network.parse().map_err(wrong)?);
    }
    let (identity, actor) = (Arc::clone(&acting.open.identity), Arc::clone(&acting.actor));
    let (record, text) =
        blocking(move || Ok(identity.token_create(&actor, &name, &scopes, expires_at, networks)?)).await?;
    // A token that the log does not know of must not leave; without its text nobody can use it.
    acting
        .open
        .records
        .note(&acting.actor, audit::Verb::TokenCreate, &format!("token {} {}", record.id, record.scopes))
        .await?;
    Ok(Answer::json(&TokenCreated { token: text.expose(), line: line(&record) })?.status(201))
}

async fn revoke(acting: Acting) -> Outcome<Answer> {
    acting.open.records.own_things(&acting.actor, TokenVerb::Update)?;
    let token: TokenId = acting.call.typed("token")?;
    let (identity, user) = (Arc::clone(&acting.open.identity), acting.actor.user());
    blocking(move || Ok(identity.token_revoke(user, token)?)).await?;
    acting.open.records.note(&acting.actor, audit::Verb::TokenRevoke, &format!("token {token}")).await?;
    Ok(Answer::empty())
}
