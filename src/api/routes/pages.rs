//! Pages and files inside the binary: the web interface, the API description and its reader, the manual. Nothing of them
//! is about this installation but the API description of somebody who is signed in.

use super::handle;
use crate::call::Call;
use crate::manual::{self, Page};
use crate::openapi;
use crate::route::{Route, Rule, Verb};
use crate::ui;
use crate::wire::Answer;
use identity::Locale;
use kernel::{Code, Fault, Outcome};
use std::sync::LazyLock;

pub(crate) const ROUTES: &[Route] = &[
    Route::new(Verb::Get, "/", "page_first", "The web interface", Rule::SealedOk(handle!(interface)))
        .gives_media("text/html"),
    Route::new(Verb::Get, "/app", "page_app", "The web interface", Rule::SealedOk(handle!(interface)))
        .gives_media("text/html")
        .any_query(),
    Route::new(
        Verb::Get,
        "/app/{path:.*}",
        "page_app_path",
        "Every address of the web interface, and its files",
        Rule::SealedOk(handle!(interface)),
    )
    .gives_media("text/html")
    .any_query(),
    Route::new(
        Verb::Get,
        "/pages/{file}",
        "page_file",
        "Style, script and mark of the pages",
        Rule::SealedOk(handle!(asset)),
    )
    .gives_media("text/css"),
    Route::new(
        Verb::Get,
        "/api/docs",
        "page_api",
        "The reader of the API description",
        Rule::SealedOk(handle!(reader)),
    )
    .gives_media("text/html"),
    Route::new(Verb::Get, "/docs", "page_manual", "The manual", Rule::SealedOk(handle!(manual_page)))
        .gives_media("text/html"),
    Route::new(
        Verb::Get,
        "/docs/{path:.*}",
        "page_manual_page",
        "A page of the manual",
        Rule::SealedOk(handle!(manual_page)),
    )
    .gives_media("text/html"),
    Route::new(
        Verb::Get,
        "/api/v1/openapi.json",
        "openapi",
        "This description; with the own objects and fields when signed in",
        Rule::SealedOk(handle!(description)),
    )
    .gives_media("application/json"),
];

/// Style sheets, scripts and pictures by name.
const ASSETS: &[(&str, &str, &str)] = &[
    ("style.css", "text/css; charset=utf-8", include_str!("../pages/style.css")),
    ("reader.js", "text/javascript; charset=utf-8", include_str!("../pages/reader.js")),
    ("reader_words.js", "text/javascript; charset=utf-8", include_str!("../pages/reader_words.js")),
    ("mark.svg", "image/svg+xml", include_str!("../pages/mark.svg")),
];

async fn asset(call: Call) -> Outcome<Answer> {
    let wanted = call.part("file");
    let found = ASSETS.iter().find(|(name, _, _)| *name == wanted);
    let (_, media, text) = found.ok_or_else(not_found)?;
    Ok(Answer::page(media, text.as_bytes().to_vec()))
}

fn not_found() -> Fault {
    Fault::new(Code::RouteNotFound, "There is no such page; see /docs for the manual.")
}

fn locale(call: &Call) -> Locale {
    call.context.locale().unwrap_or(Locale::En)
}

async fn interface(call: Call) -> Outcome<Answer> {
    if let Some(answer) = ui::answer(call.part("path"), call.request.headers()) {
        return answer;
    }
    if ui::is_built() {
        return Err(not_found());
    }
    let locale = locale(&call);
    let (title, body) = match locale {
        Locale::En => ("This Kontor is running", include_str!("../pages/first.en.html")),
        Locale::Zh => ("Kontor 正在运行", include_str!("../pages/first.zh.html")),
    };
    Ok(manual::html_answer(&Page { title: title.to_owned(), locale, other: None, body: body.to_owned() }))
}

async fn reader(_: Call) -> Outcome<Answer> {
    Ok(Answer::page("text/html; charset=utf-8", include_bytes!("../pages/reader.html").to_vec()))
}

async fn manual_page(call: Call) -> Outcome<Answer> {
    manual::answer(call.part("path").trim_end_matches('/'), locale(&call)).ok_or_else(not_found)
}

/// What strangers get, made once: it is the same in every installation of this version.
static SHIPPED: LazyLock<Vec<u8>> =
    LazyLock::new(|| openapi::document(&openapi::shipped_objects()).to_string().into_bytes());

/// Without credentials, or sealed: the objects as they ship. Signed in: those the caller may know of, as they are now.
async fn description(call: Call) -> Outcome<Answer> {
    if let Some(open) = call.site.appliance.open_if_any()
        && let Some(actor) = call.actor_if_any(&open).await
    {
        let objects: Vec<_> = open.records.objects(&actor)?.into_iter().map(|view| view.definition).collect();
        return Answer::json(&openapi::document(&objects));
    }
    Ok(Answer::bytes("application/json", SHIPPED.clone()))
}
