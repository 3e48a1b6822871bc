//! Records: list, open, create, change, delete, restore, history, links, bulk, reveal, and the search over all of them.

use super::handle;
use crate::call::Acting;
use crate::route::{Param, Repeat, Route, Rule, Verb, param};
use crate::wire::{self, Answer};
use actix_web::http::header;
use kernel::{Code, Fault, Outcome, RecordId};
use records::{BulkRequest, ListRequest, MergeRequest};
use serde::Deserialize;

const LIST: &[Param] = &[
    param(
        "filter",
        "string",
        "A filter tree as JSON, such as {\"field\":\"city\",\"op\":\"eq\",\"value\":\"Lübeck\"}.",
    ),
    param("sort", "string", "Fields with commas between, `-` before those in descending order."),
    param("fields", "string", "Fields to show, with commas between; those of related objects as `account.name`."),
    param("limit", "integer", "Rows of the page."),
    param("cursor", "string", "`next` of the page before."),
    param("count", "string", "`none`, `estimate` or `exact`."),
    param("q", "string", "Search text."),
    param("deleted", "boolean", "List the recycle bin."),
];

pub(crate) const ROUTES: &[Route] = &[
    Route::new(Verb::Get, "/api/v1/search", "record_search", "Search all objects", Rule::SignedIn(handle!(search)))
        .query(&[
            Param { name: "q", kind: "string", required: true, about: "Search text." },
            param("objects", "string", "Objects to search, with commas between; all that you may read when absent."),
        ])
        .gives(200, "SearchResult"),
    Route::new(Verb::Get, "/api/v1/records/{object}", "record_list", "List records", Rule::SignedIn(handle!(list)))
        .query(LIST)
        .gives(200, "RecordPage"),
    Route::new(
        Verb::Post,
        "/api/v1/records/{object}",
        "record_create",
        "Create a record",
        Rule::SignedIn(handle!(create)),
    )
    .takes("RecordCreate")
    .gives(201, "Record")
    .repeat(Repeat::Remembered),
    Route::new(
        Verb::Post,
        "/api/v1/records/{object}/query",
        "record_query",
        "List records; the parameters stand in the body",
        Rule::SignedIn(handle!(query)),
    )
    .takes("ListRequest")
    .gives(200, "RecordPage")
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Post,
        "/api/v1/records/{object}/bulk",
        "record_bulk",
        "Change many records, with a result for each",
        Rule::SignedIn(handle!(bulk)),
    )
    .takes("BulkRequest")
    .gives(200, "BulkResult")
    .repeat(Repeat::Remembered),
    Route::new(
        Verb::Get,
        "/api/v1/records/{object}/{id}",
        "record_open",
        "Open a record",
        Rule::SignedIn(handle!(open)),
    )
    .query(&[param("fields", "string", "Fields to show, with commas between.")])
    .gives(200, "Record"),
    Route::new(
        Verb::Patch,
        "/api/v1/records/{object}/{id}",
        "record_change",
        "Change fields of a record",
        Rule::SignedIn(handle!(change)),
    )
    .takes("RecordChange")
    .gives(200, "Record")
    .if_match(),
    Route::new(
        Verb::Delete,
        "/api/v1/records/{object}/{id}",
        "record_delete",
        "Put a record into the recycle bin",
        Rule::SignedIn(handle!(delete)),
    )
    .query(&[param("plan", "boolean", "Only show what would happen to others.")])
    .gives(200, "Deleted")
    .if_match(),
    Route::new(
        Verb::Post,
        "/api/v1/records/{object}/{id}/restore",
        "record_restore",
        "Take a record out of the recycle bin",
        Rule::SignedIn(handle!(restore)),
    )
    .gives(200, "Record")
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Post,
        "/api/v1/records/{object}/{id}/merge",
        "record_merge",
        "Make several records one; cannot be undone as a whole",
        Rule::SignedIn(handle!(merge)),
    )
    .query(&[param("plan", "boolean", "Only show what would happen.")])
    .takes("MergeRequest")
    .gives(200, "Merged")
    .if_match(),
    Route::new(
        Verb::Get,
        "/api/v1/records/{object}/{id}/history",
        "record_history",
        "What was done to a record",
        Rule::SignedIn(handle!(history)),
    )
    .query(&[param("before", "integer", "`next` of the page before."), param("limit", "integer", "Acts of the page.")])
    .gives(200, "History"),
    Route::new(
        Verb::Post,
        "/api/v1/records/{object}/{id}/reveal",
        "record_reveal",
        "See masked fields in clear, with a purpose that is logged",
        Rule::SignedIn(handle!(reveal)),
    )
    .takes("RevealRequest")
    .gives(200, "Record")
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Get,
        "/api/v1/records/{object}/{id}/links/{relation}",
        "record_links",
        "Records linked in a relation",
        Rule::SignedIn(handle!(links)),
    )
    .gives(200, "Links"),
    Route::new(
        Verb::Post,
        "/api/v1/records/{object}/{id}/links/{relation}",
        "record_link",
        "Link a record",
        Rule::SignedIn(handle!(link)),
    )
    .takes("LinkRequest")
    .gives(200, "Linked")
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Delete,
        "/api/v1/records/{object}/{id}/links/{relation}/{other}",
        "record_unlink",
        "Take a link away",
        Rule::SignedIn(handle!(unlink)),
    )
    .gives(200, "Linked"),
];

async fn search(acting: Acting) -> Outcome<Answer> {
    let query = &acting.call.query;
    let missing = || Fault::new(Code::ParameterInvalid, "The parameter `q` is needed: the text to search for.");
    let q = query.text("q").ok_or_else(missing)?;
    let objects = query.list("objects")?;
    Answer::json(&acting.open.records.search(&acting.actor, q, objects).await?)
}

async fn list(acting: Acting) -> Outcome<Answer> {
    let request = acting.call.query.list_request()?;
    Answer::json(&acting.open.records.list(&acting.actor, acting.call.object(), request).await?)
}

async fn query(acting: Acting) -> Outcome<Answer> {
    let request: ListRequest = wire::json(&acting.call.body)?;
    Answer::json(&acting.open.records.list(&acting.actor, acting.call.object(), request).await?)
}

async fn open(acting: Acting) -> Outcome<Answer> {
    let fields = acting.call.query.list("fields")?;
    let id = acting.call.id("id")?;
    let shown = acting.open.records.open(&acting.actor, acting.call.object(), id, fields).await?;
    Answer::json(&shown)?.etag(shown.view().version)
}

async fn create(acting: Acting) -> Outcome<Answer> {
    let object = acting.call.object();
    let body = wire::json_object(&acting.call.body)?;
    let retry = acting.call.retry()?;
    let shown = acting.open.records.create(&acting.actor, object, body, retry).await?;
    rights_moved(&acting);
    let (id, version) = (shown.view().id, shown.view().version);
    Answer::json(&shown)?.status(201).etag(version)?.header(header::LOCATION, &format!("/api/v1/records/{object}/{id}"))
}

async fn change(acting: Acting) -> Outcome<Answer> {
    let id = acting.call.id("id")?;
    let if_match = acting.call.if_match()?;
    let body = wire::json_object(&acting.call.body)?;
    let shown = acting.open.records.change(&acting.actor, acting.call.object(), id, if_match, body).await?;
    rights_moved(&acting);
    Answer::json(&shown)?.etag(shown.view().version)
}

async fn delete(acting: Acting) -> Outcome<Answer> {
    let id = acting.call.id("id")?;
    let if_match = acting.call.if_match()?;
    if acting.call.query.flag("plan")? {
        let planned = acting.open.records.delete_plan(&acting.actor, acting.call.object(), id, if_match).await?;
        return Answer::json(&planned);
    }
    let shown = acting.open.records.delete(&acting.actor, acting.call.object(), id, if_match).await?;
    rights_moved(&acting);
    Answer::json(&shown)?.etag(shown.view().version)
}

async fn restore(acting: Acting) -> Outcome<Answer> {
    let id = acting.call.id("id")?;
    let shown = acting.open.records.restore(&acting.actor, acting.call.object(), id).await?;
    rights_moved(&acting);
    Answer::json(&shown)?.etag(shown.view().version)
}

async fn merge(acting: Acting) -> Outcome<Answer> {
    let id = acting.call.id("id")?;
    let if_match = acting.call.if_match()?;
    let request: MergeRequest = wire::json(&acting.call.body)?;
    let (records, object) = (&acting.open.records, acting.call.object());
    let pending = if acting.call.query.flag("plan")? {
        records.merge_plan(&acting.actor, object, (id, if_match), request)
    } else {
        records.merge(&acting.actor, object, (id, if_match), request)
    };
    let shown = pending.await?;
    Answer::json(&shown)?.etag(shown.view().version)
}

async fn history(acting: Acting) -> Outcome<Answer> {
    let query = &acting.call.query;
    let before = query.parsed("before", "a whole number")?;
    let limit = query.parsed("limit", "a whole number")?;
    let id = acting.call.id("id")?;
    Answer::json(&acting.open.records.history(&acting.actor, acting.call.object(), id, before, limit).await?)
}

/// Which fields to see in clear, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RevealRequest {
    fields: Vec<String>,
    #[serde(default)]
    purpose: Option<String>,
}

async fn reveal(acting: Acting) -> Outcome<Answer> {
    let id = acting.call.id("id")?;
    let request: RevealRequest = wire::json(&acting.call.body)?;
    let purpose = request.purpose.as_deref().or(acting.actor.purpose()).unwrap_or_default();
    let shown = acting.open.records.reveal(&acting.actor, acting.call.object(), id, request.fields, purpose).await?;
    Answer::json(&shown)?.etag(shown.view().version)
}

async fn links(acting: Acting) -> Outcome<Answer> {
    let id = acting.call.id("id")?;
    let relation = acting.call.part("relation");
    Answer::json(&acting.open.records.links(&acting.actor, acting.call.object(), id, relation).await?)
}

/// The record to link, and its role.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkRequest {
    record: RecordId,
    #[serde(default)]
    role: Option<String>,
}

async fn link(acting: Acting) -> Outcome<Answer> {
    let id = acting.call.id("id")?;
    let LinkRequest { record, role } = wire::json(&acting.call.body)?;
    let relation = acting.call.part("relation");
    let shown = acting.open.records.link(&acting.actor, acting.call.object(), id, relation, record, role).await?;
    rights_moved(&acting);
    Answer::json(&shown)
}

async fn unlink(acting: Acting) -> Outcome<Answer> {
    let (id, other) = (acting.call.id("id")?, acting.call.id("other")?);
    let relation = acting.call.part("relation");
    let shown = acting.open.records.unlink(&acting.actor, acting.call.object(), id, relation, other).await?;
    rights_moved(&acting);
    Answer::json(&shown)
}

async fn bulk(acting: Acting) -> Outcome<Answer> {
    let request: BulkRequest = wire::json(&acting.call.body)?;
    let retry = acting.call.retry()?;
    let shown = acting.open.records.bulk(&acting.actor, acting.call.object(), request, retry).await?;
    rights_moved(&acting);
    Answer::json(&shown)
}

/// Users, teams and units decide who reaches what; after a change of them nothing remembered about actors holds.
fn rights_moved(acting: &Acting) {
    let catalog = acting.open.records.catalog();
    if catalog.object(acting.call.object()).is_some_and(|object| object.kind == metadata::ObjectKind::Organisation) {
        acting.open.identity.invalidate_all();
    }
}
