//! What surrounds records: counts and sums over them, the timeline of one, who saw it, and who has it open.

use super::handle;
use crate::call::Acting;
use crate::route::{Repeat, Route, Rule, Verb, param};
use crate::wire::{self, Answer};
use kernel::{Code, Fault, Outcome, limits};
use records::{DuplicatesRequest, SummaryRequest, TimelineRequest};

/// Stands before the routes of single records: `summary` is no id.
pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Post,
        "/api/v1/records/{object}/summary",
        "record_summary",
        "Counts and sums over records, by group",
        Rule::SignedIn(handle!(summary)),
    )
    .takes("SummaryRequest")
    .gives(200, "Summary")
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Post,
        "/api/v1/records/{object}/duplicates",
        "record_duplicates",
        "Records that may be the same as what is about to be written",
        Rule::SignedIn(handle!(duplicates)),
    )
    .takes("DuplicatesRequest")
    .gives(200, "Duplicates")
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Get,
        "/api/v1/records/{object}/{id}/timeline",
        "record_timeline",
        "Activities and changes of a record, newest first, what is planned above",
        Rule::SignedIn(handle!(timeline)),
    )
    .query(&[
        param("kind", "string", "Kinds of activities, and `change`, with commas between."),
        param("person", "string", "What this user did or has to do."),
        param("from", "string", "Not before this time."),
        param("to", "string", "Before this time."),
        param("limit", "integer", "Items of the page."),
        param("cursor", "string", "`next` of the page before."),
    ])
    .gives(200, "Timeline"),
    Route::new(
        Verb::Get,
        "/api/v1/records/{object}/{id}/access-log",
        "record_access_log",
        "Who saw, changed or asked for a record",
        Rule::SignedIn(handle!(access_log)),
    )
    .query(&[
        param("before", "integer", "`next` of the page before."),
        param("limit", "integer", "Entries of the page."),
    ])
    .gives(200, "AccessLog"),
    Route::new(
        Verb::Post,
        "/api/v1/records/{object}/{id}/presence",
        "record_presence",
        "Say that you have a record open; say it again before the seconds in the answer are over",
        Rule::SignedIn(handle!(present)),
    )
    .gives(200, "Presence")
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Delete,
        "/api/v1/records/{object}/{id}/presence",
        "record_presence_end",
        "Say that you have closed a record",
        Rule::SignedIn(handle!(absent)),
    )
    .gives(200, "Done"),
];

async fn summary(acting: Acting) -> Outcome<Answer> {
    let request: SummaryRequest = wire::json(&acting.call.body)?;
    Answer::json(&acting.open.records.summary(&acting.actor, acting.call.object(), request).await?)
}

async fn duplicates(acting: Acting) -> Outcome<Answer> {
    let request: DuplicatesRequest = wire::json(&acting.call.body)?;
    let (site, user) = (&acting.call.site, acting.actor.user());
    if !site.checks.admit(user, site.appliance.clock().monotonic(), limits::DUPLICATE_CHECKS_PER_HOUR_MAX) {
        let detail =
            "You have looked for duplicates too often (limit DUPLICATE_CHECKS_PER_HOUR_MAX); the form works without.";
        return Err(Fault::new(Code::RateLimited, detail));
    }
    Answer::json(&acting.open.records.duplicates(&acting.actor, acting.call.object(), request).await?)
}

async fn timeline(acting: Acting) -> Outcome<Answer> {
    let (id, query) = (acting.call.id("id")?, &acting.call.query);
    let request = TimelineRequest {
        kinds: query.list("kind")?.unwrap_or_default(),
        person: query.parsed("person", "an id")?,
        from: query.time("from")?,
        to: query.time("to")?,
        limit: query.parsed("limit", "a whole number")?,
        cursor: query.text("cursor").map(str::to_owned),
    };
    Answer::json(&acting.open.records.timeline(&acting.actor, acting.call.object(), id, request).await?)
}

async fn present(acting: Acting) -> Outcome<Answer> {
    let id = acting.call.id("id")?;
    Answer::json(&acting.open.records.presence_enter(&acting.actor, acting.call.object(), id).await?)
}

async fn absent(acting: Acting) -> Outcome<Answer> {
    let id = acting.call.id("id")?;
    Answer::json(&acting.open.records.presence_leave(&acting.actor, id)?)
}

async fn access_log(acting: Acting) -> Outcome<Answer> {
    let (id, query) = (acting.call.id("id")?, &acting.call.query);
    let (before, limit) = (query.parsed("before", "a whole number")?, query.parsed("limit", "a whole number")?);
    Answer::json(&acting.open.records.access_log(&acting.actor, acting.call.object(), id, before, limit).await?)
}
