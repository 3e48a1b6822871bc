//! The table of routes: method, address, who may use it, what goes in and out, and the handler. The server, the API
//! description and the denial tests are all made from it, so nothing can be served that is not described and guarded.
//!
//! A route is made from a [`Rule`], and a rule holds access and handler as one value: a handler that needs somebody
//! signed in takes an [`Acting`], which only the check of that rule can make.

use crate::appliance::Open;
use crate::call::{Acting, Call};
use crate::wire::Answer;
use actix_web::http::Method;
use authz::AppAction;
use kernel::Outcome;
use std::{future::Future, pin::Pin, sync::Arc};

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, also while the appliance is sealed.
    SealedOk,
    /// Anybody, once the appliance is open.
    Public,
    /// Whoever is signed in; the records behind it are decided one by one.
    SignedIn,
    /// Whoever is signed in and has this right.
    Act(AppAction),
}

impl Access {
    /// The name in the API description and in the list of routes.
    pub fn text(self) -> String {
        match self {
            Self::SealedOk => "sealed_ok".to_owned(),
            Self::Public => "public".to_owned(),
            Self::SignedIn => "signed_in".to_owned(),
            Self::Act(action) => {
                let name = serde_json::to_value(action).ok();
                format!("act:{}", name.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default())
            }
        }
    }
}

/// What a handler gives. Not `Send`: a request stays on its worker.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Outcome<Answer>>>>;

/// Access and handler in one.
#[derive(Clone, Copy)]
pub(crate) enum Rule {
    SealedOk(fn(Call) -> Answering),
    Public(fn(Call, Arc<Open>) -> Answering),
    SignedIn(fn(Acting) -> Answering),
    Act(AppAction, fn(Acting) -> Answering),
}

impl Rule {
    pub(crate) const fn access(self) -> Access {
        match self {
            Self::SealedOk(_) => Access::SealedOk,
            Self::Public(_) => Access::Public,
            Self::SignedIn(_) => Access::SignedIn,
            Self::Act(action, _) => Access::Act(action),
        }
    }
}

/// A method that a route can have. (HEAD is answered like GET, without the body.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
    pub(crate) fn is(self, method: &Method) -> bool {
        method.as_str() == self.name() || (self == Self::Get && *method == Method::HEAD)
    }
    /// Whether the CSRF header is needed from browsers.
    pub(crate) const fn changes(self) -> bool {
        !matches!(self, Self::Get)
    }
}

/// A parameter of the query string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    /// JSON type in the description: `string`, `integer`, `boolean`.
    pub(crate) kind: &'static str,
    pub(crate) required: bool,
    pub(crate) about: &'static str,
}

pub(crate) const fn param(name: &'static str, kind: &'static str, about: &'static str) -> Param {
    Param { name, kind, required: false, about }
}

/// What becomes of an `Idempotency-Key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// The first answer is remembered.
    Remembered,
    /// Doing it twice does no harm; a key is accepted and changes nothing.
    Harmless,
    /// A key is refused: its promise could not be kept.
    Refused,
}

/// What a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carries {
    Nothing,
    /// JSON of this schema.
    Json(&'static str),
    /// The bytes of a file, which the handler takes piece by piece; its name stands in `Content-Disposition`.
    File,
}

/// What an answer carries when all is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    Nothing,
    /// JSON of this schema.
    Json(&'static str),
    /// Another media type.
    Media(&'static str),
}

/// One line of the table.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    pub(crate) verb: Verb,
    pub(crate) path: &'static str,
    pub(crate) rule: Rule,
    /// The operation's name, noun first.
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) query: &'static [Param],
    /// Whether the query string belongs to the page and is not read here.
    pub(crate) any_query: bool,
    pub(crate) takes: Carries,
    pub(crate) status: u16,
    pub(crate) gives: Gives,
    pub(crate) repeat: Repeat,
    /// Whether `If-Match` is needed.
    pub(crate) if_match: bool,
    /// Whether it is open to a session that still has to change its password.
    pub(crate) with_first_password: bool,
}

impl Route {
    /// The only way to a route. Without a rule there is none.
    pub(crate) const fn new(
        verb: Verb,
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        rule: Rule,
    ) -> Self {
        Self {
            verb,
            path,
            rule,
            name,
            summary,
            query: &[],
            any_query: false,
            takes: Carries::Nothing,
            status: 200,
            gives: Gives::Nothing,
            repeat: Repeat::Refused,
            if_match: false,
            with_first_password: false,
        }
    }
    pub(crate) const fn query(mut self, query: &'static [Param]) -> Self {
        self.query = query;
        self
    }
    pub(crate) const fn any_query(mut self) -> Self {
        self.any_query = true;
        self
    }
    pub(crate) const fn takes(mut self, schema: &'static str) -> Self {
        self.takes = Carries::Json(schema);
        self
    }
    pub(crate) const fn takes_file(mut self) -> Self {
        self.takes = Carries::File;
        self
    }
    pub(crate) const fn gives(mut self, status: u16, schema: &'static str) -> Self {
        self.status = status;
        self.gives = Gives::Json(schema);
        self
    }
    pub(crate) const fn gives_media(mut self, media: &'static str) -> Self {
        self.gives = Gives::Media(media);
        self
    }
    pub(crate) const fn gives_nothing(mut self) -> Self {
        self.status = 204;
        self
    }
    pub(crate) const fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }
    pub(crate) const fn if_match(mut self) -> Self {
        self.if_match = true;
        self
    }
    pub(crate) const fn with_first_password(mut self) -> Self {
        self.with_first_password = true;
        self
    }
    pub(crate) const fn access(&self) -> Access {
        self.rule.access()
    }
    /// The group in the API description: the first part of the address under `/api/v1`.
    pub(crate) fn group(&self) -> &'static str {
        let rest = self.path.strip_prefix("/api/v1/").unwrap_or("");
        match rest.split_once('/').map_or(rest, |(first, _)| first) {
            "" | "openapi.json" => "pages",
            "sessions" => "session",
            first => first,
        }
    }
    /// Whether it belongs to the API, and not to the pages around it.
    pub(crate) fn is_api(&self) -> bool {
        self.path.starts_with("/api/v1/")
    }
}

/// One line of [`routes_list`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteInfo {
    /// The method.
    pub method: &'static str,
    /// The address, with `{names}` for its variable parts.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// The operation's name.
    pub name: &'static str,
}

/// Every route of the server; for the tests that walk over all of them.
pub fn routes_list() -> Vec<RouteInfo> {
    all()
        .map(|route| RouteInfo {
            method: route.verb.name(),
            path: route.path,
            access: route.access(),
            name: route.name,
        })
        .collect()
}

/// Every route, fixed parts of an address before variable ones, as the server tries them in this order.
pub(crate) fn all() -> impl Iterator<Item = &'static Route> {
    crate::routes::TABLE.iter().flat_map(|group| group.iter())
}
