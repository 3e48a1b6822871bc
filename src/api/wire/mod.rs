//! What HTTP is turned into and from: headers, query strings, bodies, answers, problem documents. Strict on the way in:
//! what is not understood is refused, never skipped. It decides nothing about rights.

mod answer;
mod body;
mod disposition;
mod headers;
mod packing;
mod problem;
mod query;

pub(crate) use answer::{Answer, Payload};
pub(crate) use body::{Secret, json, json_object};
pub(crate) use disposition::{disposition, file_name};
pub(crate) use headers::{
    Cookie, bearer, cookie, cookie_clear, cookie_set, idempotency_key, if_match, locale, purpose, single,
};
pub(crate) use packing::{small, takes};
pub(crate) use problem::respond_problem;
pub(crate) use query::Query;
