//! One request on its way to a handler, and the checks between: limits, credentials, CSRF, the route's declared access.
//! It never reads a record.

use crate::appliance::{Appliance, Metrics, Open};
use crate::meter::Meter;
use crate::proxies::Proxies;
use crate::rate::{Budget, Rates};
use crate::route::{Access, Carries, Repeat, Route, Rule, Verb};
use crate::router::Parts;
use crate::wire::{self, Answer, Cookie, Query};
use actix_web::{
    HttpRequest,
    http::header::HeaderName,
    web::{self, Bytes},
};
use identity::{Actor, ActorContext, AuthMethod, Channel, Csrf};
use kernel::{Code, Fault, Id, Outcome, RecordId, TokenId, UserId, limits};
use records::Retry;
use std::{str::FromStr, sync::Arc, time::Duration};

/// What all workers share.
pub(crate) struct Site {
    pub(crate) appliance: Appliance,
    pub(crate) rates: Option<Rates>,
    pub(crate) proxies: Proxies,
    pub(crate) cookie: Cookie,
    /// What is counted.
    pub(crate) meter: Meter,
    /// What else is told to a monitoring system.
    pub(crate) metrics: Option<Arc<dyn Metrics>>,
    /// How often each calendar was looked at.
    pub(crate) looks: Budget<TokenId>,
    /// How often each user looked for duplicates.
    pub(crate) checks: Budget<UserId>,
}

/// A request whose form is right.
pub(crate) struct Call {
    pub(crate) site: Arc<Site>,
    pub(crate) route: &'static Route,
    pub(crate) request: HttpRequest,
    pub(crate) parts: Parts,
    pub(crate) query: Query,
    pub(crate) body: Bytes,
    /// A body that the handler takes piece by piece.
    pub(crate) payload: Option<web::Payload>,
    pub(crate) context: ActorContext,
}

/// A request of somebody who is signed in and passed the route's rule. Made only here.
pub(crate) struct Acting {
    pub(crate) call: Call,
    pub(crate) open: Arc<Open>,
    pub(crate) actor: Arc<Actor>,
    /// The CSRF token of the session; none for API tokens.
    pub(crate) csrf: Option<Csrf>,
}

/// Runs what may block off the event loop.
pub(crate) async fn blocking<T: Send + 'static>(task: impl FnOnce() -> Outcome<T> + Send + 'static) -> Outcome<T> {
    match web::block(task).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault::new(Code::Unavailable, "The appliance is too busy to answer. Try again in a moment.")),
    }
}

impl Call {
    /// A part of the address.
    pub(crate) fn part(&self, name: &str) -> &str {
        self.parts.get(name)
    }
    /// The object of the address.
    pub(crate) fn object(&self) -> &str {
        self.part("object")
    }
    /// An id in the address. What is no id names nothing.
    pub(crate) fn id(&self, name: &str) -> Outcome<RecordId> {
        let missing = || Fault::new(Code::RecordNotFound, "There is no such record, or it is not visible to you.");
        self.part(name).parse().map_err(|_| missing())
    }
    /// Any other typed part of the address.
    pub(crate) fn typed<T: FromStr>(&self, name: &str) -> Outcome<T> {
        self.part(name).parse().map_err(|_| Fault::new(Code::RouteNotFound, "There is no such address."))
    }
    /// How many bytes the body is said to have.
    pub(crate) fn announced(&self) -> Outcome<Option<u64>> {
        let text = wire::single(self.request.headers(), &actix_web::http::header::CONTENT_LENGTH)?;
        let wrong = |_| Fault::new(Code::BadRequest, "The header Content-Length is not a number.");
        text.map(|text| text.parse().map_err(wrong)).transpose()
    }
    /// The version that a change is based on.
    pub(crate) fn if_match(&self) -> Outcome<Option<i64>> {
        wire::if_match(self.request.headers())
    }
    /// The key of a request that may be repeated, with the digest that tells the same request from another.
    pub(crate) fn retry(&self) -> Outcome<Option<Retry>> {
        let Some(key) = wire::idempotency_key(self.request.headers())? else { return Ok(None) };
        let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
        for part in [self.route.verb.name().as_bytes(), self.request.path().as_bytes(), &self.body] {
            digest.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part);
        }
        let mut request = [0; 32];
        request.copy_from_slice(digest.finish().as_ref());
        Ok(Some(Retry { key: key.to_owned(), request }))
    }

    /// Whoever the credentials name. Only in use for routes that are public but show more to those who are signed in.
    pub(crate) async fn actor_if_any(&self, open: &Arc<Open>) -> Option<Arc<Actor>> {
        let actor = self.sign_in(open).await.ok().map(|(actor, _)| actor)?;
        let token = actor.auth() == AuthMethod::Token;
        let may = if token { open.records.policy().token_use(&actor).is_ok() } else { !actor.must_change_password() };
        may.then_some(actor)
    }

    /// Recognises the bearer of a token, or of a session's cookie. With both, the token counts.
    async fn sign_in(&self, open: &Arc<Open>) -> Outcome<(Arc<Actor>, Option<Csrf>)> {
        let headers = self.request.headers();
        let identity = Arc::clone(&open.identity);
        let context = self.context.clone();
        if let Some(token) = wire::bearer(headers)? {
            if let Some(actor) = identity.bearer_remembered(token, &context) {
                return Ok((Arc::new(actor), None));
            }
            let token = zeroize::Zeroizing::new(token.to_owned());
            return blocking(move || Ok((Arc::new(identity.bearer(&token, context)?), None))).await;
        }
        let Some(cookie) = wire::cookie(headers, self.site.cookie) else {
            return Err(Fault::new(Code::SignInRequired, "Sign in first."));
        };
        if let Some(resumed) = identity.resume_remembered(cookie, &context) {
            return Ok((Arc::new(resumed.actor), Some(resumed.csrf)));
        }
        let cookie = zeroize::Zeroizing::new(cookie.to_owned());
        let resumed = blocking(move || Ok(identity.resume(&cookie, context)?)).await?;
        Ok((Arc::new(resumed.actor), Some(resumed.csrf)))
    }

    /// Checks what the route's rule asks for.
    async fn acting(self, open: Arc<Open>) -> Outcome<Acting> {
        let (actor, csrf) = self.sign_in(&open).await?;
        if actor.auth() == AuthMethod::Token
            && let Err(denied) = open.records.policy().token_use(&actor)
        {
            let fault = Fault::from(denied);
            open.records.note_denied(&actor, audit::Verb::Denied, fault.code).await?;
            return Err(fault);
        }
        if actor.must_change_password() && !self.route.with_first_password {
            let detail = "Somebody else set your password. Change it first: POST /api/v1/session/password.";
            return Err(Fault::new(Code::PasswordChangeRequired, detail));
        }
        if let Some(csrf) = csrf.as_ref().filter(|_| self.route.verb.changes()) {
            let header = wire::single(self.request.headers(), &HeaderName::from_static("x-csrf-token"))?;
            if let Err(refused) = csrf.check(header) {
                let fault = Fault::from(refused);
                open.records.note_denied(&actor, audit::Verb::Denied, fault.code).await?;
                return Err(fault);
            }
        }
        if let Access::Act(action) = self.route.access()
            && open.records.policy().act(&actor, action).is_err()
        {
            // Decided again with the log's entry, which has to be on disk before the answer leaves.
            let (records, actor) = (open.records.clone(), Arc::clone(&actor));
            blocking(move || records.may_act(&actor, action, audit::Verb::Denied)).await?;
        }
        Ok(Acting { call: self, open, actor, csrf })
    }

    /// Passes the checks and runs the handler.
    pub(crate) async fn answer(self) -> Outcome<Answer> {
        match self.route.rule {
            Rule::SealedOk(handler) => handler(self).await,
            Rule::Public(handler) => {
                let open = self.site.appliance.open()?;
                handler(self, open).await
            }
            Rule::SignedIn(handler) | Rule::Act(_, handler) => {
                let open = self.site.appliance.open()?;
                handler(self.acting(open).await?).await
            }
        }
    }
}

/// A request id: a UUIDv7, so that the audit entry can hold it.
pub(crate) fn request_id(site: &Site) -> String {
    Id::<kernel::AnyKind>::generate(site.appliance.clock().as_ref(), site.appliance.random()).to_string()
}

/// What is known of a request before anybody is recognised.
pub(crate) fn context(site: &Site, request: &HttpRequest, request_id: &str) -> Outcome<ActorContext> {
    let headers = request.headers();
    let program = headers.contains_key(actix_web::http::header::AUTHORIZATION);
    let channel = if program { Channel::Api } else { Channel::Ui };
    let mut context = ActorContext::new(channel, request_id).map_err(Fault::internal)?;
    if let Some(source) = site.proxies.source_of(request) {
        context = context.with_source(source);
    }
    if let Some(locale) = wire::locale(headers) {
        context = context.with_locale(locale);
    }
    if let Some(purpose) = wire::purpose(headers)? {
        let refused =
            |error| Fault::new(Code::ParameterInvalid, format!("The header X-Purpose is not valid: {error}."));
        context = context.with_purpose(purpose).map_err(refused)?;
    }
    Ok(context)
}

/// Refuses what is too large or too frequent, before anything else is looked at.
pub(crate) fn admit(site: &Site, request: &HttpRequest) -> Outcome<()> {
    if let (Some(rates), Some(source)) = (&site.rates, site.proxies.source_of(request))
        && !rates.admit(source, site.appliance.clock().monotonic())
    {
        let detail = "Too many requests from this network address (limit RATE_REQUESTS_PER_SECOND). Slow down.";
        return Err(Fault::new(Code::RateLimited, detail));
    }
    let url = request.uri().path_and_query().map_or(0, |text| text.as_str().len());
    if url > limits::URL_BYTES_MAX {
        return Err(too_large("The address", "URL_BYTES_MAX", limits::URL_BYTES_MAX));
    }
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if headers > limits::HEADER_BYTES_MAX {
        return Err(too_large("The headers together", "HEADER_BYTES_MAX", limits::HEADER_BYTES_MAX));
    }
    Ok(())
}

fn too_large(what: &str, limit: &str, bytes: usize) -> Fault {
    Fault::new(Code::LimitExceeded, format!("{what} may have at most {bytes} bytes (limit {limit})."))
}

/// Reads the body of a route that takes one, and refuses one where none is expected.
pub(crate) async fn body(route: &Route, request: &HttpRequest, payload: web::Payload) -> Outcome<Bytes> {
    let headers = request.headers();
    let announced = headers.get(actix_web::http::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|text| text.parse::<usize>().ok());
    let too_large = || too_large("The body", "BODY_BYTES_MAX", limits::BODY_BYTES_MAX);
    if announced.is_some_and(|bytes| bytes > limits::BODY_BYTES_MAX) {
        return Err(too_large());
    }
    let seconds = Duration::from_secs(limits::REQUEST_BODY_SECONDS_MAX);
    let read = actix_web::rt::time::timeout(seconds, payload.to_bytes_limited(limits::BODY_BYTES_MAX)).await;
    let slow = |_| Fault::new(Code::BadRequest, "The body came too slowly (limit REQUEST_BODY_SECONDS_MAX).");
    let body = read.map_err(slow)?.map_err(|_| too_large())?;
    let body = body.map_err(|_| Fault::new(Code::BadRequest, "The body could not be read to its end."))?;
    match route.takes {
        Carries::Nothing if body.is_empty() => {}
        Carries::Nothing => {
            return Err(Fault::new(Code::BadRequest, "This address takes no body."));
        }
        Carries::File => {}
        Carries::Json(_) => {
            let media = wire::single(headers, &actix_web::http::header::CONTENT_TYPE)?.unwrap_or_default();
            let kind = media.split(';').next().unwrap_or_default().trim();
            if !kind.eq_ignore_ascii_case("application/json") {
                let detail = "Send the body as `Content-Type: application/json`.";
                return Err(Fault::new(Code::MediaTypeUnsupported, detail));
            }
        }
    }
    Ok(body)
}

/// Refuses a request that another site made the browser send, and keys whose promise could not be kept.
pub(crate) fn check_form(route: &Route, request: &HttpRequest) -> Outcome<()> {
    let headers = request.headers();
    let site = headers.get("sec-fetch-site").map(|value| value.as_bytes());
    if route.verb.changes() && matches!(site, Some(b"cross-site" | b"same-site")) {
        return Err(Fault::new(Code::CsrfRequired, "Another web site sent this request; it was refused."));
    }
    if route.verb == Verb::Post && route.repeat == Repeat::Refused && wire::idempotency_key(headers)?.is_some() {
        let detail = "This address does not remember an Idempotency-Key; send the request without one.";
        return Err(Fault::new(Code::ParameterInvalid, detail));
    }
    Ok(())
}
