//! Saved views of lists: one's own and those shared with one's roles or with all.

use super::handle;
use crate::call::Acting;
use crate::route::{Route, Rule, Verb};
use crate::wire::{self, Answer};
use kernel::{Code, Fault, Outcome, RecordId};

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Get,
        "/api/v1/metadata/objects/{object}/views",
        "view_list",
        "Saved views of an object: your own and those shared with you",
        Rule::SignedIn(handle!(list)),
    )
    .gives(200, "ViewList"),
    Route::new(
        Verb::Post,
        "/api/v1/metadata/objects/{object}/views",
        "view_create",
        "Save a view",
        Rule::SignedIn(handle!(create)),
    )
    .takes("ViewCreate")
    .gives(201, "View"),
    Route::new(
        Verb::Patch,
        "/api/v1/metadata/objects/{object}/views/{view}",
        "view_change",
        "Change a view, share it, or open the object with it",
        Rule::SignedIn(handle!(change)),
    )
    .takes("ViewChange")
    .gives(200, "View")
    .if_match(),
    Route::new(
        Verb::Delete,
        "/api/v1/metadata/objects/{object}/views/{view}",
        "view_delete",
        "Take a view away",
        Rule::SignedIn(handle!(delete)),
    )
    .gives_nothing()
    .if_match(),
];

/// What is no id names no view.
fn view(acting: &Acting) -> Outcome<RecordId> {
    let unknown = || Fault::new(Code::ViewUnknown, "There is no such view, or it is not shared with you.");
    acting.call.part("view").parse().map_err(|_| unknown())
}

async fn list(acting: Acting) -> Outcome<Answer> {
    Answer::json(&acting.open.records.views(&acting.actor, acting.call.object()).await?)
}

async fn create(acting: Acting) -> Outcome<Answer> {
    let body = wire::json(&acting.call.body)?;
    let shown = acting.open.records.view_create(&acting.actor, acting.call.object(), body).await?;
    Answer::json(&shown)?.status(201).etag(shown.view().version)
}

async fn change(acting: Acting) -> Outcome<Answer> {
    let (id, if_match) = (view(&acting)?, acting.call.if_match()?);
    let patch = wire::json(&acting.call.body)?;
    let shown = acting.open.records.view_change(&acting.actor, acting.call.object(), id, if_match, patch).await?;
    Answer::json(&shown)?.etag(shown.view().version)
}

async fn delete(acting: Acting) -> Outcome<Answer> {
    let (id, if_match) = (view(&acting)?, acting.call.if_match()?);
    acting.open.records.view_drop(&acting.actor, acting.call.object(), id, if_match).await?;
    Ok(Answer::empty())
}
