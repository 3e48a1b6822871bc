//! The log for those who audit: entries, and the signed tiles that strangers' tools verify. Reading it is logged too.

use super::handle;
use crate::call::Acting;
use crate::route::{Route, Rule, Verb, param};
use crate::wire::Answer;
use authz::AppAction;
use kernel::Outcome;
use records::LogQuery;

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Get,
        "/api/v1/audit/entries",
        "audit_entries",
        "Entries of the log, newest first",
        Rule::Act(AppAction::AuditRead, handle!(entries)),
    )
    .query(&[
        param("before", "integer", "`next` of the page before."),
        param("limit", "integer", "Entries of the page."),
        param("user", "string", "Acts of this user."),
        param("object", "string", "Acts on this object."),
        param("record", "string", "Acts on this record."),
        param("verb", "string", "Acts of this kind."),
        param("without", "string", "No acts of this kind, such as `heartbeat`."),
        param("from", "string", "Not before this time."),
        param("to", "string", "Not after this time."),
    ])
    .gives(200, "LogPage"),
    Route::new(
        Verb::Get,
        "/api/v1/audit/checkpoint",
        "audit_checkpoint",
        "The signed checkpoint (C2SP signed note)",
        Rule::Act(AppAction::AuditRead, handle!(checkpoint)),
    )
    .gives_media("text/plain; charset=utf-8"),
    Route::new(
        Verb::Get,
        "/api/v1/audit/tile/{path:.*}",
        "audit_tile",
        "A tile (C2SP tlog-tiles)",
        Rule::Act(AppAction::AuditRead, handle!(tile)),
    )
    .gives_media("application/octet-stream"),
    Route::new(
        Verb::Get,
        "/api/v1/audit/proof/inclusion/{seq}",
        "audit_proof_inclusion",
        "That an entry is in the log",
        Rule::Act(AppAction::AuditRead, handle!(inclusion)),
    )
    .gives(200, "Proof"),
    Route::new(
        Verb::Get,
        "/api/v1/audit/proof/consistency/{size}",
        "audit_proof_consistency",
        "That the log still begins as it did when it had so many entries",
        Rule::Act(AppAction::AuditRead, handle!(consistency)),
    )
    .gives(200, "Proof"),
];

async fn entries(acting: Acting) -> Outcome<Answer> {
    let query = &acting.call.query;
    let query = LogQuery {
        before: query.parsed("before", "a whole number")?,
        limit: query.parsed("limit", "a whole number")?,
        user: query.parsed("user", "an id")?,
        object: query.text("object").map(str::to_owned),
        record: query.parsed("record", "an id")?,
        verb: query.text("verb").map(str::to_owned),
        without: query.text("without").map(str::to_owned),
        from: query.time("from")?,
        to: query.time("to")?,
    };
    Answer::json(&acting.open.records.log_entries(&acting.actor, query).await?)
}

async fn checkpoint(acting: Acting) -> Outcome<Answer> {
    let shown = acting.open.records.log_resource(&acting.actor, "checkpoint").await?;
    Ok(Answer::bytes("text/plain; charset=utf-8", shown.into_view()))
}

async fn tile(acting: Acting) -> Outcome<Answer> {
    let path = format!("tile/{}", acting.call.part("path"));
    let shown = acting.open.records.log_resource(&acting.actor, &path).await?;
    Ok(Answer::bytes("application/octet-stream", shown.into_view()))
}

async fn inclusion(acting: Acting) -> Outcome<Answer> {
    let seq = acting.call.typed("seq")?;
    Answer::json(&acting.open.records.log_inclusion(&acting.actor, seq).await?)
}

async fn consistency(acting: Acting) -> Outcome<Answer> {
    let size = acting.call.typed("size")?;
    Answer::json(&acting.open.records.log_consistency(&acting.actor, size).await?)
}
