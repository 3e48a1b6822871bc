//! Files of records: list, add, download or show, take away.

use super::handle;
use crate::body::{FileBody, Sink, receive};
use crate::call::Acting;
use crate::route::{Route, Rule, Verb, param};
use crate::wire::{Answer, disposition, file_name};
use actix_web::http::header;
use kernel::{Code, Fault, Outcome, RecordId, limits};
use records::Upload;

/// What a file that is shown may do: nothing. It is no part of the page that shows it.
const POLICY: &str = "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Get,
        "/api/v1/records/{object}/{id}/attachments",
        "attachment_list",
        "Files of a record",
        Rule::SignedIn(handle!(list)),
    )
    .gives(200, "AttachmentList"),
    Route::new(
        Verb::Post,
        "/api/v1/records/{object}/{id}/attachments",
        "attachment_add",
        "Add a file: its bytes are the body, its name stands in Content-Disposition",
        Rule::SignedIn(handle!(add)),
    )
    .takes_file()
    .gives(201, "Attachment"),
    Route::new(
        Verb::Get,
        "/api/v1/records/{object}/{id}/attachments/{attachment}",
        "attachment_open",
        "Download a file, or show an image or PDF inside the page",
        Rule::SignedIn(handle!(open)),
    )
    .query(&[param("preview", "boolean", "Show it inside the page instead of saving it; images and PDF only.")])
    .gives_media("application/octet-stream"),
    Route::new(
        Verb::Delete,
        "/api/v1/records/{object}/{id}/attachments/{attachment}",
        "attachment_remove",
        "Take a file away for good",
        Rule::SignedIn(handle!(remove)),
    )
    .gives_nothing(),
];

impl Sink for Upload {
    fn take(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.write(bytes)
    }
}

/// What is no id names no file.
fn attachment(acting: &Acting) -> Outcome<RecordId> {
    let unknown = || Fault::new(Code::AttachmentUnknown, "The record has no such file.");
    acting.call.part("attachment").parse().map_err(|_| unknown())
}

async fn list(acting: Acting) -> Outcome<Answer> {
    let id = acting.call.id("id")?;
    Answer::json(&acting.open.records.attachments(&acting.actor, acting.call.object(), id).await?)
}

async fn add(mut acting: Acting) -> Outcome<Answer> {
    let id = acting.call.id("id")?;
    let name = file_name(acting.call.request.headers())?;
    let begun = acting.open.records.attachment_begin(&acting.actor, acting.call.object(), id, &name).await?;
    let limit = ("ATTACHMENT_BYTES_MAX", limits::ATTACHMENT_BYTES_MAX);
    let upload = receive(&mut acting.call, begun.into_view(), limit).await?;
    let shown = upload.finish().await?;
    let place = format!("{}/{}", acting.call.request.path(), shown.view().id);
    Answer::json(&shown)?.status(201).header(header::LOCATION, &place)
}

async fn open(acting: Acting) -> Outcome<Answer> {
    let (id, file) = (acting.call.id("id")?, attachment(&acting)?);
    let preview = acting.call.query.flag("preview")?;
    let found = acting.open.records.attachment_open(&acting.actor, acting.call.object(), id, (file, preview)).await?;
    let content = found.into_view();
    let media = if preview { content.view.media_type.as_str() } else { "application/octet-stream" };
    Answer::file(FileBody::new(Some(content.view.size), Box::new(content.bytes)))
        .header(header::CONTENT_TYPE, media)?
        .header(header::CONTENT_DISPOSITION, &disposition(preview, &content.view.name))?
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
}

async fn remove(acting: Acting) -> Outcome<Answer> {
    let (id, file) = (acting.call.id("id")?, attachment(&acting)?);
    acting.open.records.attachment_remove(&acting.actor, acting.call.object(), id, file).await?;
    Ok(Answer::empty())
}
