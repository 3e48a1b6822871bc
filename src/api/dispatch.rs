//! From an HTTP request to an HTTP response: finds the route, runs its checks and handler, and dresses the answer with
//! the headers that every answer carries.

use crate::call::{self, Call, Site};
use crate::route::{Carries, Route};
use crate::router::{Parts, Router};
use crate::wire::{self, Answer, Payload, Query, respond_problem, takes};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        ConnectionType, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    rt,
    web::{self, Bytes},
};
use identity::Locale;
use kernel::{Code, Fault, Outcome};
use std::sync::Arc;

/// Nothing from outside, no inline code, no frame around it. `data:` images are the icons inside the style sheets.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Answers every address. One with a method it does not know is 405, any other 404, both as problem documents.
pub(crate) fn configure(config: &mut web::ServiceConfig, site: &Arc<Site>, router: &Arc<Router>) {
    let (site, router) = (Arc::clone(site), Arc::clone(router));
    config.default_service(web::to(move |request: HttpRequest, payload: web::Payload| {
        serve(Arc::clone(&site), Arc::clone(&router), request, payload)
    }));
}

/// Answers to the end, also when nobody waits any more: a connection that is cut between an act and its log entry must
/// not leave the one without the other, and the server drops what it was answering when a connection is lost.
async fn serve(site: Arc<Site>, router: Arc<Router>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let answered = rt::spawn(answer(site, router, request, payload)).await;
    answered.unwrap_or_else(|_| HttpResponse::InternalServerError().finish())
}

async fn answer(site: Arc<Site>, router: Arc<Router>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let (routes, parts) = router.find(request.match_info().as_str());
    let id = call::request_id(&site);
    let locale = crate::wire::locale(request.headers()).unwrap_or(Locale::En);
    let (asked, begun) = (Arc::clone(&site), site.appliance.clock().monotonic());
    let known = routes.iter().copied().find(|route| route.verb.is(request.method()));
    let (secure, small) = (site.cookie.secure, takes(request.headers(), "gzip"));
    let outcome = run(site, (routes, parts), request, payload, &id).await;
    let mut response = match outcome {
        Ok(answer) => respond(answer, small),
        Err(fault) => {
            let mut response = respond_problem(&fault, locale, &id);
            if fault.code == Code::MethodNotAllowed {
                let allowed: Vec<&str> = routes.iter().map(|route| route.verb.name()).collect();
                put(response.headers_mut(), header::ALLOW, &allowed.join(", "));
            }
            response
        }
    };
    dress(response.headers_mut(), &id, secure);
    let took = asked.appliance.clock().monotonic().saturating_sub(begun);
    asked.meter.note(known, response.status().as_u16(), took);
    if asked.appliance.is_stopping() {
        // Whoever keeps the connection would send its next request to a server that is gone.
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    response
}

async fn run(
    site: Arc<Site>,
    (routes, parts): (&[&'static Route], Parts),
    request: HttpRequest,
    payload: web::Payload,
    id: &str,
) -> Outcome<Answer> {
    call::admit(&site, &request)?;
    if routes.is_empty() {
        return Err(Fault::new(Code::RouteNotFound, "There is no such address; see /api/docs."));
    }
    let found = routes.iter().find(|route| route.verb.is(request.method()));
    let route: &'static Route = found
        .ok_or_else(|| Fault::new(Code::MethodNotAllowed, "This address does not know this method; see /api/docs."))?;
    call::check_form(route, &request)?;
    let context = call::context(&site, &request, id)?;
    let text = if route.any_query { "" } else { request.query_string() };
    let query = Query::parse(text, route.query.iter().map(|param| param.name))?;
    let (body, payload) = match route.takes {
        Carries::File => (Bytes::new(), Some(payload)),
        Carries::Nothing | Carries::Json(_) => (call::body(route, &request, payload).await?, None),
    };
    Call { site, route, request, parts, query, body, payload, context }.answer().await
}

fn respond(answer: Answer, small: bool) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK));
    for (name, value) in answer.headers {
        response.append_header((name, value));
    }
    match answer.payload {
        Payload::Empty => response.finish(),
        Payload::Json(text) => response.insert_header((header::CONTENT_TYPE, "application/json")).body(text),
        Payload::Packed(text) => {
            response.insert_header((header::CONTENT_TYPE, "application/json"));
            response.insert_header((header::VARY, "Accept-Encoding"));
            match small.then(|| wire::small(&text)).flatten() {
                Some(packed) => response.insert_header((header::CONTENT_ENCODING, "gzip")).body(packed),
                None => response.body(text),
            }
        }
        Payload::Bytes(media, bytes) => response.insert_header((header::CONTENT_TYPE, media)).body(bytes),
        Payload::File(file) => response.body(file),
        Payload::Events(events) => response.insert_header((header::CONTENT_TYPE, "text/event-stream")).body(events),
        Payload::Page(media, bytes) => {
            response.insert_header((header::CACHE_CONTROL, "no-cache"));
            response.insert_header((header::CONTENT_TYPE, media)).body(bytes)
        }
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The headers of every answer.
fn dress(headers: &mut HeaderMap, request_id: &str, secure: bool) {
    put(headers, HeaderName::from_static("x-request-id"), request_id);
    put(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(headers, header::REFERRER_POLICY, "no-referrer");
    // A file that is shown has a stricter one.
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        put(headers, header::CONTENT_SECURITY_POLICY, POLICY);
    }
    put(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    put(headers, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    put(headers, HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
    if secure {
        put(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        put(headers, header::CACHE_CONTROL, "no-store");
    }
}
