//! The calendar feed: a secret address that a calendar program outside can read. The secret is an API token of one scope,
//! `calendar:read`, which opens nothing else; it is revoked like any other, and each look at it is in the log.

use super::handle;
use crate::appliance::Open;
use crate::call::{Acting, Call, blocking};
use crate::route::{Route, Rule, Verb};
use crate::wire::Answer;
use actix_web::http::header;
use authz::AppAction;
use identity::{TokenRecord, TokenVerb};
use kernel::{Code, Fault, Outcome, Timestamp, limits};
use serde::Serialize;
use std::sync::Arc;

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Get,
        "/calendar/{feed}",
        "calendar_feed",
        "A calendar by its secret address (RFC 5545)",
        Rule::Public(handle!(feed, open)),
    )
    .gives_media("text/calendar"),
    Route::new(
        Verb::Get,
        "/api/v1/me/calendar-feed",
        "calendar_feed_show",
        "Whether your calendar has a secret address",
        Rule::SignedIn(handle!(show)),
    )
    .gives(200, "CalendarFeed"),
    Route::new(
        Verb::Post,
        "/api/v1/me/calendar-feed",
        "calendar_feed_create",
        "Give your calendar a secret address, shown once; an older one ends",
        Rule::Act(AppAction::Token, handle!(create)),
    )
    .gives(201, "CalendarFeedCreated"),
    Route::new(
        Verb::Delete,
        "/api/v1/me/calendar-feed",
        "calendar_feed_revoke",
        "End the secret address of your calendar",
        Rule::SignedIn(handle!(revoke)),
    )
    .gives_nothing(),
];

/// Any address that is not a feed of now looks like one that never was.
fn missing() -> Fault {
    Fault::new(Code::RouteNotFound, "There is no such calendar.")
}

async fn feed(call: Call, open: Arc<Open>) -> Outcome<Answer> {
    let secret = call.part("feed").strip_suffix(".ics").ok_or_else(missing)?;
    let secret = zeroize::Zeroizing::new(secret.to_owned());
    let (identity, context) = (Arc::clone(&open.identity), call.context.clone());
    let actor = blocking(move || identity.calendar(&secret, context).map_err(|_| missing())).await?;
    let actor = Arc::new(actor);
    if open.records.policy().token_use(&actor).is_err() {
        open.records.note_denied(&actor, audit::Verb::CalendarFeed, Code::AccessDenied).await?;
        return Err(missing());
    }
    let now = call.site.appliance.clock().monotonic();
    if actor.token().is_some_and(|feed| !call.site.looks.admit(feed, now, limits::CALENDAR_LOOKS_PER_HOUR_MAX)) {
        let detail = "This calendar is looked at too often (limit CALENDAR_LOOKS_PER_HOUR_MAX).";
        return Err(Fault::new(Code::RateLimited, detail));
    }
    let shown = open.records.calendar(&actor).await?;
    Answer::bytes("text/calendar; charset=utf-8", shown.into_view().into_bytes())
        .header(header::CONTENT_DISPOSITION, "inline; filename=\"kontor.ics\"")
}

/// The feed of a user, without its secret.
#[derive(Serialize)]
struct FeedLine {
    created_at: Timestamp,
    expires_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct FeedView {
    feed: Option<FeedLine>,
}

#[derive(Serialize)]
struct FeedCreated {
    /// The address on this server, shown this once.
    path: String,
    expires_at: Timestamp,
}

/// The live feeds of the actor.
async fn feeds(acting: &Acting) -> Outcome<Vec<TokenRecord>> {
    let (identity, user) = (Arc::clone(&acting.open.identity), acting.actor.user());
    let now = acting.call.site.appliance.clock().now();
    let tokens = blocking(move || Ok(identity.tokens_list(user)?)).await?;
    Ok(tokens.into_iter().filter(|token| token.is_calendar() && token.is_live(now)).collect())
}

async fn show(acting: Acting) -> Outcome<Answer> {
    acting.open.records.own_things(&acting.actor, TokenVerb::Read)?;
    let feed = feeds(&acting).await?.into_iter().next();
    let line = |token: TokenRecord| FeedLine {
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
    };
    Answer::json(&FeedView { feed: feed.map(line) })
}

async fn end(acting: &Acting) -> Outcome<usize> {
    let feeds = feeds(acting).await?;
    for feed in &feeds {
        let (identity, user, token) = (Arc::clone(&acting.open.identity), acting.actor.user(), feed.id);
        blocking(move || Ok(identity.token_revoke(user, token)?)).await?;
        acting.open.records.note(&acting.actor, audit::Verb::CalendarFeed, &format!("revoke {token}")).await?;
    }
    Ok(feeds.len())
}

async fn create(acting: Acting) -> Outcome<Answer> {
    acting.open.records.own_things(&acting.actor, TokenVerb::Update)?;
    end(&acting).await?;
    let (identity, actor) = (Arc::clone(&acting.open.identity), Arc::clone(&acting.actor));
    let expires_at = acting.call.site.appliance.clock().now().plus_seconds(limits::TOKEN_LIFE_SECONDS_MAX);
    let (record, text) = blocking(move || Ok(identity.calendar_create(&actor, expires_at)?)).await?;
    // An address that the log does not know of must not leave.
    acting.open.records.note(&acting.actor, audit::Verb::CalendarFeed, &format!("create {}", record.id)).await?;
    let created = FeedCreated { path: format!("/calendar/{}.ics", text.expose()), expires_at };
    Ok(Answer::json(&created)?.status(201))
}

async fn revoke(acting: Acting) -> Outcome<Answer> {
    acting.open.records.own_things(&acting.actor, TokenVerb::Update)?;
    end(&acting).await?;
    Ok(Answer::empty())
}
