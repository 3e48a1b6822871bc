//! Changes as they happen, as server-sent events: object, id, version and verb of records that the reader may see.

use super::handle;
use crate::call::{Acting, blocking};
use crate::route::{Route, Rule, Verb, param};
use crate::stream::Stream;
use crate::wire::{self, Answer};
use actix_web::http::header::HeaderName;
use kernel::{Code, Fault, Outcome};
use std::sync::Arc;

pub(crate) const ROUTES: &[Route] = &[Route::new(
    Verb::Get,
    "/api/v1/events",
    "event_stream",
    "Changes as they happen: ids and versions of records that you may see, and who has open what you have open",
    Rule::SignedIn(handle!(events)),
)
.query(&[param("after", "integer", "Go on after this event, when `Last-Event-ID` cannot be sent.")])
.gives_media("text/event-stream")];

async fn events(acting: Acting) -> Outcome<Answer> {
    let header = wire::single(acting.call.request.headers(), &HeaderName::from_static("last-event-id"))?;
    let invalid = |_| Fault::new(Code::ParameterInvalid, "Last-Event-ID is not the id of an event.");
    let after = match header {
        Some(id) => Some(id.parse::<u64>().map_err(invalid)?),
        None => acting.call.query.parsed("after", "the id of an event")?,
    };
    let (records, actor) = (acting.open.records.clone(), Arc::clone(&acting.actor));
    let (watch, begun) = blocking(move || records.watch(&actor, after)).await?;
    let Acting { call, open, actor, .. } = acting;
    let stream = Stream::new(
        (open, call.site.appliance.clone()),
        (watch, actor),
        (&call.request, call.context.clone(), call.site.cookie),
    )?;
    // A gateway that gathers answers would hold events back.
    Answer::events(stream.start(begun)).header(HeaderName::from_static("x-accel-buffering"), "no")
}
