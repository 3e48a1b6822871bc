//! Sample data: how much there is, loading it into an empty appliance, removing all of it.

use super::handle;
use crate::call::Acting;
use crate::route::{Repeat, Route, Rule, Verb, param};
use crate::wire::Answer;
use authz::AppAction;
use kernel::Outcome;
use std::sync::Arc;

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Get,
        "/api/v1/sample",
        "sample_show",
        "How much sample data there is, what was changed or added since, and how far its loading or removal is",
        Rule::Act(AppAction::System, handle!(show)),
    )
    .gives(200, "Sample"),
    Route::new(
        Verb::Post,
        "/api/v1/sample",
        "sample_load",
        "Begin to load sample data into an appliance without customers",
        Rule::Act(AppAction::System, handle!(load)),
    )
    .gives(202, "Sample")
    .repeat(Repeat::Refused),
    Route::new(
        Verb::Delete,
        "/api/v1/sample",
        "sample_remove",
        "Begin to remove all sample data for good; whoever asks stays",
        Rule::Act(AppAction::System, handle!(remove)),
    )
    .query(&[param("confirmed", "boolean", "What was changed or added since was looked at, and may go too.")])
    .gives(202, "Sample"),
];

async fn show(acting: Acting) -> Outcome<Answer> {
    Answer::json(&acting.open.records.sample_show(&acting.actor).await?)
}

async fn load(acting: Acting) -> Outcome<Answer> {
    let begun = acting.open.records.sample_load(&acting.actor, Arc::clone(&acting.open.sample)).await?;
    Ok(Answer::json(&begun)?.status(202))
}

async fn remove(acting: Acting) -> Outcome<Answer> {
    let confirmed = acting.call.query.flag("confirmed")?;
    let identity = Arc::clone(&acting.open.identity);
    let begun = acting.open.records.sample_remove(&acting.actor, confirmed, move || identity.invalidate_all()).await?;
    Ok(Answer::json(&begun)?.status(202))
}
