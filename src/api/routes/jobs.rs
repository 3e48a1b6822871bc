//! Bulk changes that go on by themselves: preview, begin, watch, stop, undo.

use super::handle;
use crate::call::Acting;
use crate::route::{Repeat, Route, Rule, Verb, param};
use crate::wire::{self, Answer};
use kernel::{Code, Fault, Outcome, RecordId};
use records::{BulkOutcome, BulkRequest};

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Post,
        "/api/v1/records/{object}/bulk/preview",
        "bulk_preview",
        "What a bulk change would do, and who would refuse it why",
        Rule::SignedIn(handle!(preview)),
    )
    .takes("BulkRequest")
    .gives(200, "BulkPreview")
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Post,
        "/api/v1/records/{object}/bulk/jobs",
        "bulk_job",
        "Begin a bulk change of up to BULK_JOB_RECORDS_MAX records that goes on by itself",
        Rule::SignedIn(handle!(begin)),
    )
    .takes("BulkRequest")
    .gives(202, "Job")
    .repeat(Repeat::Remembered),
    Route::new(Verb::Get, "/api/v1/jobs", "job_list", "Your jobs, newest first", Rule::SignedIn(handle!(list)))
        .gives(200, "JobList"),
    Route::new(
        Verb::Get,
        "/api/v1/jobs/{job}",
        "job_show",
        "Where one of your jobs stands",
        Rule::SignedIn(handle!(show)),
    )
    .gives(200, "Job"),
    Route::new(
        Verb::Get,
        "/api/v1/jobs/{job}/rows",
        "job_rows",
        "What became of each record of one of your jobs",
        Rule::SignedIn(handle!(rows)),
    )
    .query(&[
        param("outcome", "string", "`done`, `same` or `failed`."),
        param("after", "integer", "`next` of the page before."),
        param("limit", "integer", "Results of the page."),
    ])
    .gives(200, "JobRows"),
    Route::new(
        Verb::Post,
        "/api/v1/jobs/{job}/stop",
        "job_stop",
        "Stop one of your jobs after the records it has in hand",
        Rule::SignedIn(handle!(stop)),
    )
    .gives(200, "Job")
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Post,
        "/api/v1/jobs/{job}/undo",
        "job_undo",
        "Take back what one of your jobs did, where nobody has changed the record since",
        Rule::SignedIn(handle!(undo)),
    )
    .gives(202, "Job"),
];

/// What is no id names no job.
fn job(acting: &Acting) -> Outcome<RecordId> {
    acting.call.part("job").parse().map_err(|_| Fault::new(Code::JobUnknown, "You have no such job."))
}

async fn preview(acting: Acting) -> Outcome<Answer> {
    let request: BulkRequest = wire::json(&acting.call.body)?;
    Answer::json(&acting.open.records.bulk_preview(&acting.actor, acting.call.object(), request).await?)
}

async fn begin(acting: Acting) -> Outcome<Answer> {
    let request: BulkRequest = wire::json(&acting.call.body)?;
    let catalog = acting.open.records.catalog();
    let object = catalog.object(acting.call.object());
    if object.is_some_and(|object| object.kind == metadata::ObjectKind::Organisation) {
        let detail =
            "Users, teams and units decide about rights; change them in one call, with at most BULK_RECORDS_MAX.";
        return Err(Fault::new(Code::ParameterInvalid, detail));
    }
    let retry = acting.call.retry()?;
    let shown = acting.open.records.bulk_job(&acting.actor, acting.call.object(), request, retry).await?;
    Ok(Answer::json(&shown)?.status(202))
}

async fn list(acting: Acting) -> Outcome<Answer> {
    Answer::json(&acting.open.records.jobs(&acting.actor).await?)
}

async fn show(acting: Acting) -> Outcome<Answer> {
    let id = job(&acting)?;
    Answer::json(&acting.open.records.job(&acting.actor, id).await?)
}

async fn rows(acting: Acting) -> Outcome<Answer> {
    let (id, query) = (job(&acting)?, &acting.call.query);
    let outcome = match query.text("outcome") {
        None => None,
        Some("done") => Some(BulkOutcome::Done),
        Some("same") => Some(BulkOutcome::Same),
        Some("failed") => Some(BulkOutcome::Failed),
        Some(_) => return Err(Fault::new(Code::ParameterInvalid, "outcome is done, same or failed.")),
    };
    let (after, limit) = (query.parsed("after", "a whole number")?, query.parsed("limit", "a whole number")?);
    Answer::json(&acting.open.records.job_rows(&acting.actor, id, outcome, after, limit).await?)
}

async fn stop(acting: Acting) -> Outcome<Answer> {
    let id = job(&acting)?;
    Answer::json(&acting.open.records.job_stop(&acting.actor, id).await?)
}

async fn undo(acting: Acting) -> Outcome<Answer> {
    let id = job(&acting)?;
    Ok(Answer::json(&acting.open.records.job_undo(&acting.actor, id).await?)?.status(202))
}
