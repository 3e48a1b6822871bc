//! What is one's own beside records: the preferences that the web interface keeps.

use super::handle;
use crate::call::Acting;
use crate::route::{Route, Rule, Verb};
use crate::wire::{self, Answer};
use kernel::Outcome;
use serde::Deserialize;
use serde_json::Value as Json;

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Get,
        "/api/v1/me/preferences",
        "preference_list",
        "What the web interface keeps for you",
        Rule::SignedIn(handle!(list)),
    )
    .gives(200, "Preferences"),
    Route::new(
        Verb::Put,
        "/api/v1/me/preferences/{key}",
        "preference_set",
        "Keep a value for yourself",
        Rule::SignedIn(handle!(set)),
    )
    .takes("PreferenceSet")
    .gives_nothing(),
    Route::new(
        Verb::Delete,
        "/api/v1/me/preferences/{key}",
        "preference_forget",
        "Forget a value",
        Rule::SignedIn(handle!(forget)),
    )
    .gives_nothing(),
];

async fn list(acting: Acting) -> Outcome<Answer> {
    Answer::json(&acting.open.records.preferences(&acting.actor).await?)
}

/// Any JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PreferenceSet {
    value: Json,
}

async fn set(acting: Acting) -> Outcome<Answer> {
    let PreferenceSet { value } = wire::json(&acting.call.body)?;
    acting.open.records.preference_set(&acting.actor, acting.call.part("key"), &value).await?;
    Ok(Answer::empty())
}

async fn forget(acting: Acting) -> Outcome<Answer> {
    acting.open.records.preference_forget(&acting.actor, acting.call.part("key")).await?;
    Ok(Answer::empty())
}
