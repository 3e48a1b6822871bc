//! Exports: a list becomes a file in the background; look, download, take away. One's own only.

use super::handle;
use crate::body::FileBody;
use crate::call::{Acting, blocking};
use crate::route::{Route, Rule, Verb};
use crate::wire::{self, Answer, disposition};
use actix_web::http::header;
use authz::AppAction;
use kernel::{Code, Fault, Outcome, RecordId};
use std::sync::Arc;
use transfer::{ExportFormat, ExportRequest};

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Post,
        "/api/v1/records/{object}/export",
        "record_export",
        "Begin to take a list out as a file",
        Rule::Act(AppAction::Export, handle!(begin)),
    )
    .takes("ExportRequest")
    .gives(202, "Export"),
    Route::new(
        Verb::Get,
        "/api/v1/exports",
        "export_list",
        "Your exports, newest first",
        Rule::Act(AppAction::Export, handle!(list)),
    )
    .gives(200, "ExportList"),
    Route::new(
        Verb::Get,
        "/api/v1/exports/{export}",
        "export_show",
        "Where one of your exports stands",
        Rule::Act(AppAction::Export, handle!(show)),
    )
    .gives(200, "Export"),
    Route::new(
        Verb::Delete,
        "/api/v1/exports/{export}",
        "export_forget",
        "Take an export and its file away; a running one stops",
        Rule::Act(AppAction::Export, handle!(forget)),
    )
    .gives_nothing(),
    Route::new(
        Verb::Get,
        "/api/v1/exports/{export}/file",
        "export_file",
        "Download the file, as long as its time and your rights last",
        Rule::Act(AppAction::Export, handle!(download)),
    )
    .gives_media("text/csv"),
];

/// What is no id names no export.
fn export(acting: &Acting) -> Outcome<RecordId> {
    let unknown = || Fault::new(Code::JobUnknown, "You have no such export, or its time is over.");
    acting.call.part("export").parse().map_err(|_| unknown())
}

async fn begin(acting: Acting) -> Outcome<Answer> {
    let request: ExportRequest = wire::json(&acting.call.body)?;
    let (exports, actor) = (acting.open.exports.clone(), Arc::clone(&acting.actor));
    let object = acting.call.object().to_owned();
    let view = blocking(move || exports.begin(&actor, &object, request)).await?;
    let place = format!("/api/v1/exports/{}", view.id);
    Answer::json(&view)?.status(202).header(header::LOCATION, &place)
}

async fn list(acting: Acting) -> Outcome<Answer> {
    let (exports, actor) = (acting.open.exports.clone(), Arc::clone(&acting.actor));
    Answer::json(&blocking(move || exports.list(&actor)).await?)
}

async fn show(acting: Acting) -> Outcome<Answer> {
    let id = export(&acting)?;
    let (exports, actor) = (acting.open.exports.clone(), Arc::clone(&acting.actor));
    Answer::json(&blocking(move || exports.get(&actor, id)).await?)
}

async fn forget(acting: Acting) -> Outcome<Answer> {
    let id = export(&acting)?;
    let (exports, actor) = (acting.open.exports.clone(), Arc::clone(&acting.actor));
    blocking(move || exports.forget(&actor, id)).await?;
    Ok(Answer::empty())
}

async fn download(acting: Acting) -> Outcome<Answer> {
    let id = export(&acting)?;
    let (exports, actor) = (acting.open.exports.clone(), Arc::clone(&acting.actor));
    let file = blocking(move || exports.download(&actor, id)).await?;
    let media = match file.view.format {
        ExportFormat::Csv => "text/csv; charset=utf-8",
        ExportFormat::CsvGb18030 => "text/csv; charset=gb18030",
    };
    Answer::file(FileBody::new(file.view.size, Box::new(file.bytes)))
        .header(header::CONTENT_TYPE, media)?
        .header(header::CONTENT_DISPOSITION, &disposition(false, &file.view.file_name))
}
