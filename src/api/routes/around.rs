//! What surrounds records: counts and sums over them.

use super::handle;
use crate::call::Acting;
use crate::route::{Repeat, Route, Rule, Verb};
use crate::wire::{self, Answer};
use kernel::Outcome;
use records::SummaryRequest;

/// Stands before the routes of single records: `summary` is no id.
pub(crate) const ROUTES: &[Route] = &[Route::new(
    Verb::Post,
    "/api/v1/records/{object}/summary",
    "record_summary",
    "Counts and sums over records, by group",
    Rule::SignedIn(handle!(summary)),
)
.takes("SummaryRequest")
.gives(200, "Summary")
.repeat(Repeat::Harmless)];

async fn summary(acting: Acting) -> Outcome<Answer> {
    let request: SummaryRequest = wire::json(&acting.call.body)?;
    Answer::json(&acting.open.records.summary(&acting.actor, acting.call.object(), request).await?)
}
