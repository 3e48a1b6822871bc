//! An answer before it becomes an HTTP response. Records reach it only as `Shown`, after their audit entry is on disk.

use crate::body::FileBody;
use crate::stream::EventBody;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use kernel::{Fault, Outcome};
use serde::Serialize;

/// What an answer carries.
#[derive(Debug)]
pub(crate) enum Payload {
    /// Nothing.
    Empty,
    /// JSON text.
    Json(Vec<u8>),
    /// JSON text that is made small for readers who take it so.
    Packed(Vec<u8>),
    /// Something else, with its media type.
    Bytes(&'static str, Vec<u8>),
    /// A file of the binary, with its media type; the same until the next version.
    Page(&'static str, Vec<u8>),
    /// A stored file, read as it is sent; the handler says its media type.
    File(FileBody),
    /// Server-sent events, as they come.
    Events(EventBody),
}

/// Status, headers and content of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) payload: Payload,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Answer {
    pub(crate) fn json<T: Serialize + ?Sized>(content: &T) -> Outcome<Self> {
        let text = serde_json::to_vec(content).map_err(Fault::internal)?;
        Ok(Self { status: 200, payload: Payload::Json(text), headers: Vec::new() })
    }
    /// A long answer that is made small on its way. Only for what holds no secret and repeats nothing of the request: the
    /// length of a small form tells about its content (BREACH, CVE-2013-3587).
    pub(crate) fn packed(mut self) -> Self {
        if let Payload::Json(text) = self.payload {
            self.payload = Payload::Packed(text);
        }
        self
    }
    /// A list that has no pages.
    pub(crate) fn items<T: Serialize>(items: &[T]) -> Outcome<Self> {
        #[derive(Serialize)]
        struct Items<'i, T> {
            items: &'i [T],
        }
        Self::json(&Items { items })
    }
    pub(crate) fn empty() -> Self {
        Self { status: 204, payload: Payload::Empty, headers: Vec::new() }
    }
    pub(crate) fn bytes(media: &'static str, bytes: Vec<u8>) -> Self {
        Self { status: 200, payload: Payload::Bytes(media, bytes), headers: Vec::new() }
    }
    pub(crate) fn page(media: &'static str, bytes: Vec<u8>) -> Self {
        Self { status: 200, payload: Payload::Page(media, bytes), headers: Vec::new() }
    }
    pub(crate) fn file(file: FileBody) -> Self {
        Self { status: 200, payload: Payload::File(file), headers: Vec::new() }
    }
    pub(crate) fn events(events: EventBody) -> Self {
        Self { status: 200, payload: Payload::Events(events), headers: Vec::new() }
    }
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Outcome<Self> {
        self.headers.push((name, HeaderValue::from_str(value).map_err(Fault::internal)?));
        Ok(self)
    }
    /// The version of the one record in the answer, as a strong entity tag (RFC 9110 section 8.8.3).
    pub(crate) fn etag(self, version: i64) -> Outcome<Self> {
        self.header(header::ETAG, &format!("\"{version}\""))
    }
}
