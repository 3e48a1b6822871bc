//! Imports: the file, what was found out about it, mapping, dry run, run, rejected rows, and taking it back. One's own only.

use super::handle;
use crate::body::{FileBody, Sink, receive};
use crate::call::{Acting, blocking};
use crate::route::{Repeat, Route, Rule, Verb, param};
use crate::wire::{self, Answer, disposition, file_name};
use actix_web::http::header;
use authz::AppAction;
use kernel::{Code, Fault, Outcome, RecordId, limits};
use std::sync::Arc;
use transfer::{ImportPatch, ImportUpload, ImportView, Imports};

/// A route of one import, with nothing but its address.
const fn act(path: &'static str, name: &'static str, summary: &'static str, rule: Rule, status: u16) -> Route {
    Route::new(Verb::Post, path, name, summary, rule).gives(status, "Import").repeat(Repeat::Harmless)
}

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Get,
        "/api/v1/imports",
        "import_list",
        "Your imports",
        Rule::Act(AppAction::Import, handle!(list)),
    )
    .gives(200, "ImportList"),
    Route::new(
        Verb::Post,
        "/api/v1/imports",
        "import_create",
        "Send a file to import: its bytes are the body, its name stands in Content-Disposition",
        Rule::Act(AppAction::Import, handle!(create)),
    )
    .query(&[param("object", "string", "The object of its rows, where it is known; a mapping is then proposed.")])
    .takes_file()
    .gives(201, "Import"),
    Route::new(
        Verb::Get,
        "/api/v1/imports/{import}",
        "import_open",
        "Where an import stands",
        Rule::Act(AppAction::Import, handle!(open)),
    )
    .gives(200, "Import"),
    Route::new(
        Verb::Patch,
        "/api/v1/imports/{import}",
        "import_change",
        "Say which object and columns are meant",
        Rule::Act(AppAction::Import, handle!(change)),
    )
    .takes("ImportChange")
    .gives(200, "Import"),
    Route::new(
        Verb::Delete,
        "/api/v1/imports/{import}",
        "import_forget",
        "Forget an import and its file; what it imported stays",
        Rule::Act(AppAction::Import, handle!(forget)),
    )
    .gives_nothing(),
    act(
        "/api/v1/imports/{import}/dry-run",
        "import_dry_run",
        "Try every row and write nothing",
        Rule::Act(AppAction::Import, handle!(dry_run)),
        202,
    ),
    act(
        "/api/v1/imports/{import}/run",
        "import_run",
        "Import the rows",
        Rule::Act(AppAction::Import, handle!(run)),
        202,
    ),
    act(
        "/api/v1/imports/{import}/pause",
        "import_pause",
        "Pause behind the rows in hand",
        Rule::Act(AppAction::Import, handle!(pause)),
        200,
    ),
    act(
        "/api/v1/imports/{import}/resume",
        "import_resume",
        "Go on behind the last row",
        Rule::Act(AppAction::Import, handle!(resume)),
        202,
    ),
    act(
        "/api/v1/imports/{import}/cancel",
        "import_cancel",
        "End it early; what was imported stays",
        Rule::Act(AppAction::Import, handle!(cancel)),
        200,
    ),
    act(
        "/api/v1/imports/{import}/undo",
        "import_undo",
        "Take back what it imported, where nobody has touched it since",
        Rule::Act(AppAction::Import, handle!(undo)),
        202,
    ),
    Route::new(
        Verb::Get,
        "/api/v1/imports/{import}/rejected",
        "import_rejected",
        "Rejected rows with their reasons, as a file that can be mended and imported again",
        Rule::Act(AppAction::Import, handle!(rejected)),
    )
    .gives_media("text/csv"),
];

impl Sink for ImportUpload {
    fn take(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.write(bytes)
    }
}

/// What is no id names no import.
fn import(acting: &Acting) -> Outcome<RecordId> {
    let unknown = || Fault::new(Code::JobUnknown, "You have no such import.");
    acting.call.part("import").parse().map_err(|_| unknown())
}

/// One call about one import.
async fn about(
    acting: Acting,
    status: u16,
    call: impl FnOnce(Imports, Arc<identity::Actor>, RecordId) -> Outcome<ImportView> + Send + 'static,
) -> Outcome<Answer> {
    let id = import(&acting)?;
    let (imports, actor) = (acting.open.imports.clone(), Arc::clone(&acting.actor));
    Ok(Answer::json(&blocking(move || call(imports, actor, id)).await?)?.status(status))
}

async fn list(acting: Acting) -> Outcome<Answer> {
    let (imports, actor) = (acting.open.imports.clone(), Arc::clone(&acting.actor));
    Answer::json(&blocking(move || imports.list(&actor)).await?)
}

async fn create(mut acting: Acting) -> Outcome<Answer> {
    let name = file_name(acting.call.request.headers())?;
    let object = acting.call.query.text("object").map(str::to_owned);
    let (imports, actor) = (acting.open.imports.clone(), Arc::clone(&acting.actor));
    let upload = blocking(move || imports.begin(&actor, &name, object)).await?;
    let limit = ("IMPORT_FILE_BYTES_MAX", limits::IMPORT_FILE_BYTES_MAX);
    let upload = receive(&mut acting.call, upload, limit).await?;
    let view = blocking(move || upload.finish()).await?;
    let place = format!("/api/v1/imports/{}", view.id);
    Answer::json(&view)?.status(201).header(header::LOCATION, &place)
}

async fn open(acting: Acting) -> Outcome<Answer> {
    about(acting, 200, |imports, actor, id| imports.get(&actor, id)).await
}

async fn change(acting: Acting) -> Outcome<Answer> {
    let patch: ImportPatch = wire::json(&acting.call.body)?;
    about(acting, 200, move |imports, actor, id| imports.patch(&actor, id, patch)).await
}

async fn forget(acting: Acting) -> Outcome<Answer> {
    let id = import(&acting)?;
    let (imports, actor) = (acting.open.imports.clone(), Arc::clone(&acting.actor));
    blocking(move || imports.forget(&actor, id)).await?;
    Ok(Answer::empty())
}

async fn dry_run(acting: Acting) -> Outcome<Answer> {
    about(acting, 202, |imports, actor, id| imports.start(&actor, id, true, false)).await
}

async fn run(acting: Acting) -> Outcome<Answer> {
    about(acting, 202, |imports, actor, id| imports.start(&actor, id, false, false)).await
}

async fn pause(acting: Acting) -> Outcome<Answer> {
    about(acting, 200, |imports, actor, id| imports.want(&actor, id, false)).await
}

async fn resume(acting: Acting) -> Outcome<Answer> {
    about(acting, 202, |imports, actor, id| imports.start(&actor, id, false, true)).await
}

async fn cancel(acting: Acting) -> Outcome<Answer> {
    about(acting, 200, |imports, actor, id| imports.want(&actor, id, true)).await
}

async fn undo(acting: Acting) -> Outcome<Answer> {
    about(acting, 202, |imports, actor, id| imports.undo(&actor, id)).await
}

async fn rejected(acting: Acting) -> Outcome<Answer> {
    let id = import(&acting)?;
    let (imports, actor) = (acting.open.imports.clone(), Arc::clone(&acting.actor));
    let (csv, name) = blocking(move || {
        let name = imports.get(&actor, id)?.file_name;
        Ok((imports.rejected(&actor, id)?, name))
    })
    .await?;
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    Answer::file(FileBody::new(None, Box::new(csv)))
        .header(header::CONTENT_TYPE, "text/csv; charset=utf-8")?
        .header(header::CONTENT_DISPOSITION, &disposition(false, &format!("{stem}.rejected.csv")))
}
