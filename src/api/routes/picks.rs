//! Looking into a backup set and bringing records back from it: open one, its objects, its records, one beside what it is now,
//! what was chosen written, and a whole object compared and brought back.

use super::handle;
use crate::call::{Acting, blocking};
use crate::picks::Picks;
use crate::route::{Repeat, Route, Rule, Verb, param};
use crate::wire::{self, Answer};
use authz::AppAction;
use kernel::{Code, Fault, Outcome, limits};
use records::{PickAsk, PickListed, PickSet, PickState, PickedAll};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const RIGHT: AppAction = AppAction::BackupPick;

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Get,
        "/api/v1/picks",
        "pick_show",
        "Backup sets to look into, and the one that is open",
        Rule::Act(RIGHT, handle!(show)),
    )
    .gives(200, "Picks"),
    Route::new(
        Verb::Post,
        "/api/v1/picks",
        "pick_open",
        "Begin to open a backup set, to look for single records in it",
        Rule::Act(RIGHT, handle!(open)),
    )
    .takes("PickOpen")
    .gives(202, "Picks")
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Delete,
        "/api/v1/picks",
        "pick_close",
        "Close the set that is open",
        Rule::Act(RIGHT, handle!(close)),
    )
    .gives(200, "PickClosed"),
    Route::new(
        Verb::Get,
        "/api/v1/picks/objects",
        "pick_objects",
        "The objects of the open set, with the records you may see",
        Rule::Act(RIGHT, handle!(objects)),
    )
    .gives(200, "PickObjects"),
    Route::new(
        Verb::Get,
        "/api/v1/picks/records/{object}",
        "pick_list",
        "Records of the open set, and where they are now",
        Rule::Act(RIGHT, handle!(list)),
    )
    .query(&[
        param("q", "string", "Words of the name, a human number, or an id."),
        param("cursor", "string", "`next` of the page before."),
        param("limit", "integer", "Rows of the page."),
    ])
    .gives(200, "PickPage"),
    Route::new(
        Verb::Get,
        "/api/v1/picks/records/{object}/{id}",
        "pick_compare_one",
        "A record of the open set beside what it is now, field by field",
        Rule::Act(RIGHT, handle!(record)),
    )
    .gives(200, "PickRecord"),
    Route::new(
        Verb::Post,
        "/api/v1/picks/records/{object}/{id}",
        "pick_bring",
        "Bring a record back: chosen fields of one that is there, or the whole of one that is not",
        Rule::Act(RIGHT, handle!(bring)),
    )
    .takes("PickAsk")
    .gives(200, "Picked")
    .repeat(Repeat::Refused)
    .if_match(),
    Route::new(
        Verb::Post,
        "/api/v1/picks/compared/{object}",
        "pick_compare",
        "Begin to compare all records of an object with the open set",
        Rule::Act(RIGHT, handle!(compare)),
    )
    .gives(202, "PickCompared")
    .repeat(Repeat::Refused),
    Route::new(
        Verb::Get,
        "/api/v1/picks/compared/{object}",
        "pick_compared",
        "How your comparison of an object is",
        Rule::Act(RIGHT, handle!(compared)),
    )
    .gives(200, "PickCompared"),
    Route::new(
        Verb::Delete,
        "/api/v1/picks/compared/{object}",
        "pick_compare_stop",
        "Stop your comparison of an object; what was found stays",
        Rule::Act(RIGHT, handle!(stop)),
    )
    .gives(200, "PickCompared"),
    Route::new(
        Verb::Get,
        "/api/v1/picks/compared/{object}/rows",
        "pick_found",
        "Records that your comparison found",
        Rule::Act(RIGHT, handle!(found)),
    )
    .query(&[
        param("what", "string", "`different`, `binned` or `missing`."),
        param("skip", "integer", "How many to pass over."),
    ])
    .gives(200, "PickFoundList"),
    Route::new(
        Verb::Post,
        "/api/v1/picks/compared/{object}/bring",
        "pick_bring_all",
        "Begin a job that brings back what your comparison found",
        Rule::Act(RIGHT, handle!(bring_all)),
    )
    .takes("PickedAll")
    .gives(202, "Job")
    .repeat(Repeat::Refused),
];

/// Asks off the event loop.
async fn asked<T: Send + 'static>(
    acting: &Acting,
    ask: impl FnOnce(&dyn Picks) -> Outcome<T> + Send + 'static,
) -> Outcome<T> {
    let picks = Arc::clone(&acting.open.picks);
    blocking(move || ask(picks.as_ref())).await
}

async fn set(acting: &Acting) -> Outcome<Arc<PickSet>> {
    asked(acting, |picks| picks.set()).await
}

async fn show(acting: Acting) -> Outcome<Answer> {
    Answer::json(&asked(&acting, |picks| picks.show()).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenAsk {
    sequence: u64,
    target: String,
}

async fn open(acting: Acting) -> Outcome<Answer> {
    let OpenAsk { sequence, target } = wire::json(&acting.call.body)?;
    if target.chars().count() > limits::NAME_CHARS_MAX {
        return Err(Fault::new(Code::RecordNotFound, "There is no such set."));
    }
    let actor = Arc::clone(&acting.actor);
    let shown = asked(&acting, move |picks| picks.open(&actor, sequence, &target).and_then(|()| picks.show())).await?;
    Ok(Answer::json(&shown)?.status(202))
}

#[derive(Serialize)]
struct Closed {
    closed: bool,
}

async fn close(acting: Acting) -> Outcome<Answer> {
    let actor = Arc::clone(&acting.actor);
    Answer::json(&Closed { closed: asked(&acting, move |picks| picks.close(&actor)).await? })
}

async fn objects(acting: Acting) -> Outcome<Answer> {
    let set = set(&acting).await?;
    Answer::json(&acting.open.records.pick_objects(&acting.actor, &set).await?)
}

async fn list(acting: Acting) -> Outcome<Answer> {
    let (set, query) = (set(&acting).await?, &acting.call.query);
    let text = |name: &str| query.text(name).map(str::to_owned);
    let request = PickListed { q: text("q"), cursor: text("cursor"), limit: query.parsed("limit", "a whole number")? };
    Answer::json(&acting.open.records.pick_list(&acting.actor, &set, acting.call.object(), request).await?)
}

async fn record(acting: Acting) -> Outcome<Answer> {
    let (set, id) = (set(&acting).await?, acting.call.id("id")?);
    Answer::json(&acting.open.records.pick_open(&acting.actor, &set, acting.call.object(), id).await?)
}

async fn bring(acting: Acting) -> Outcome<Answer> {
    let ask: PickAsk = wire::json(&acting.call.body)?;
    let (set, id, version) = (set(&acting).await?, acting.call.id("id")?, acting.call.if_match()?);
    let of = (acting.call.object(), id);
    Answer::json(&acting.open.records.pick_bring(&acting.actor, &set, of, version, ask).await?)
}

async fn compare(acting: Acting) -> Outcome<Answer> {
    let set = set(&acting).await?;
    let shown = acting.open.records.pick_compare(&acting.actor, &set, acting.call.object()).await?;
    Ok(Answer::json(&shown)?.status(202))
}

async fn compared(acting: Acting) -> Outcome<Answer> {
    let (set, records, actor) = (set(&acting).await?, acting.open.records.clone(), Arc::clone(&acting.actor));
    let object = acting.call.object().to_owned();
    Answer::json(&blocking(move || records.pick_compared(&actor, &set, &object)).await?)
}

async fn stop(acting: Acting) -> Outcome<Answer> {
    let (set, records, actor) = (set(&acting).await?, acting.open.records.clone(), Arc::clone(&acting.actor));
    let object = acting.call.object().to_owned();
    Answer::json(&blocking(move || records.pick_compare_stop(&actor, &set, &object)).await?)
}

#[derive(Serialize)]
struct FoundList<T> {
    items: T,
}

async fn found(acting: Acting) -> Outcome<Answer> {
    let (set, query) = (set(&acting).await?, &acting.call.query);
    let state = match query.text("what") {
        Some("different") | None => PickState::Live,
        Some("binned") => PickState::Binned,
        Some("missing") => PickState::Missing,
        Some(_) => return Err(Fault::new(Code::ParameterInvalid, "what is different, binned or missing.")),
    };
    let skip = query.parsed("skip", "a whole number")?.unwrap_or(0);
    let shown = acting.open.records.pick_found(&acting.actor, &set, acting.call.object(), (state, skip)).await?;
    Answer::json(&FoundList { items: shown.into_view() })
}

async fn bring_all(acting: Acting) -> Outcome<Answer> {
    let request: PickedAll = wire::json(&acting.call.body)?;
    let set = set(&acting).await?;
    let shown = acting.open.records.pick_bring_all(&acting.actor, &set, acting.call.object(), request).await?;
    Ok(Answer::json(&shown)?.status(202))
}
