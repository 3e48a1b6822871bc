//! Query strings: each route names its parameters, and any other, or one given twice, is refused.

use actix_web::web;
use kernel::{Code, Fault, Outcome, Timestamp};
use records::{CountMode, ListRequest};
use std::{collections::BTreeMap, str::FromStr};

/// The parameters of one request.
#[derive(Debug, Default)]
pub(crate) struct Query(BTreeMap<String, String>);

pub(crate) fn invalid(name: &str, expected: &str) -> Fault {
    Fault::new(Code::ParameterInvalid, format!("The parameter `{name}` is not valid: expected {expected}."))
}

impl Query {
    /// Reads a query string that may have these parameters.
    pub(crate) fn parse(text: &str, allowed: impl Iterator<Item = &'static str> + Clone) -> Outcome<Self> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let pairs = web::Query::<Vec<(String, String)>>::from_query(text)
            .map_err(|_| Fault::new(Code::ParameterInvalid, "The query string cannot be read."))?;
        let mut found = BTreeMap::new();
        for (name, value) in pairs.into_inner() {
            if !allowed.clone().any(|known| known == name) {
                let known: Vec<&str> = allowed.collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let detail = format!("There is an unknown parameter. This address knows: {known}.");
                return Err(Fault::new(Code::ParameterInvalid, detail));
            }
            if found.insert(name.clone(), value).is_some() {
                return Err(Fault::new(Code::ParameterInvalid, format!("The parameter `{name}` comes twice.")));
            }
        }
        Ok(Self(found))
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
    /// A value of another type; `expected` says which.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, expected: &str) -> Outcome<Option<T>> {
        self.text(name).map(|text| text.parse().map_err(|_| invalid(name, expected))).transpose()
    }
    /// `true` or `false`; absent is false.
    pub(crate) fn flag(&self, name: &str) -> Outcome<bool> {
        Ok(self.parsed(name, "true or false")?.unwrap_or(false))
    }
    /// A list with commas between, without blanks or empty parts.
    pub(crate) fn list(&self, name: &str) -> Outcome<Option<Vec<String>>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let parts: Vec<String> = text.split(',').map(|part| part.trim().to_owned()).collect();
        if parts.iter().any(String::is_empty) {
            return Err(invalid(name, "names with commas between"));
        }
        Ok(Some(parts))
    }
    pub(crate) fn time(&self, name: &str) -> Outcome<Option<Timestamp>> {
        self.parsed(name, "a time such as 2026-01-31T09:30:00Z (RFC 3339)")
    }

    /// The parameters of a list of records.
    pub(crate) fn list_request(&self) -> Outcome<ListRequest> {
        let filter = self.text("filter").map(|text| {
            serde_json::from_str(text)
                .map_err(|_| Fault::new(Code::FilterInvalid, "The parameter `filter` is not valid JSON."))
        });
        let count = match self.text("count") {
            None | Some("none") => CountMode::None,
            Some("estimate") => CountMode::Estimate,
            Some("exact") => CountMode::Exact,
            Some(_) => return Err(invalid("count", "none, estimate or exact")),
        };
        Ok(ListRequest {
            filter: filter.transpose()?,
            sort: self.list("sort")?.unwrap_or_default(),
            fields: self.list("fields")?,
            limit: self.parsed("limit", "a whole number")?,
            cursor: self.text("cursor").map(str::to_owned),
            count,
            q: self.text("q").map(str::to_owned),
            deleted: self.flag("deleted")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIST: [&str; 8] = ["filter", "sort", "fields", "limit", "cursor", "count", "q", "deleted"];

    #[test]
    fn a_list_in_a_query_string() {
        let text = "filter=%7B%22and%22%3A%5B%5D%7D&sort=-amount,name&fields=name&limit=20&count=exact&q=%E5%BC%A0+Wei&deleted=true";
        let request = Query::parse(text, LIST.into_iter()).unwrap().list_request().unwrap();
        assert_eq!(request.filter, Some(serde_json::json!({"and": []})));
        assert_eq!(
            (request.sort, request.fields),
            (vec!["-amount".to_owned(), "name".to_owned()], Some(vec!["name".to_owned()]))
        );
        assert_eq!(
            (request.limit, request.count, request.q.as_deref(), request.deleted),
            (Some(20), CountMode::Exact, Some("张 Wei"), true)
        );
        let empty = Query::parse("", LIST.into_iter()).unwrap().list_request().unwrap();
        assert_eq!((empty.limit, empty.count, empty.deleted, empty.sort.len()), (None, CountMode::None, false, 0));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (text, code) in [
            ("page=2", Code::ParameterInvalid),
            ("limit=1&limit=2", Code::ParameterInvalid),
            ("limit=-1", Code::ParameterInvalid),
            ("limit=1.5", Code::ParameterInvalid),
            ("limit=", Code::ParameterInvalid),
            ("count=all", Code::ParameterInvalid),
            ("deleted=1", Code::ParameterInvalid),
            ("sort=name,,x", Code::ParameterInvalid),
            ("fields=", Code::ParameterInvalid),
            ("filter=%7B", Code::FilterInvalid),
            ("filter=", Code::FilterInvalid),
        ] {
            let outcome = Query::parse(text, LIST.into_iter()).and_then(|query| query.list_request());
            assert_eq!(outcome.map(|_| ()).unwrap_err().code, code, "{text}");
        }
        let fault = Query::parse("secret=1", LIST.into_iter()).unwrap_err();
        assert!(!fault.detail.contains("secret") && fault.detail.contains("cursor"), "{}", fault.detail);
    }

    proptest! {
        #[test]
        fn no_query_panics(text in "[a-z=&%0-9,+]{0,60}|\\PC{0,40}") {
            let _ = Query::parse(&text, LIST.into_iter()).and_then(|query| query.list_request());
        }
    }
}
