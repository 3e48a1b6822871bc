//! Requests to a store that speaks S3: signed, with a time limit on each step, tried again while the store is merely busy. Errors
//! say what to do and hold the store's code of it, but no credential, no address with a signature, and no text of the store.

use super::S3Settings;
use super::sign::{self, Subject, encoded, sha256};
use crate::secret::private_lines;
use kernel::Clock;
use quick_xml::events::Event;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::time::Duration;
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// Attempts of one request, and the wait before the second; it doubles.
const TRIES: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// After so long nothing is sent again: whoever stops the appliance waits for it.
const PATIENCE: Duration = Duration::from_secs(240);
/// Bytes of an answer that is XML.
const XML_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Bytes of the file of authorities: a whole system's list.
const AUTHORITIES_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// One request.
#[derive(Default)]
pub(super) struct Ask<'a> {
    pub(super) method: &'static str,
    /// The object; empty for the bucket.
    pub(super) key: &'a str,
    /// The query, not encoded, in the order of its names.
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
    /// First byte and the one after the last.
    pub(super) range: Option<(u64, u64)>,
    /// Only if there is no such object yet.
    pub(super) only_new: bool,
}

/// What came back of a request that succeeded.
pub(super) struct Answer {
    pub(super) etag: String,
    /// The length of the whole object, where a part of it was asked for.
    pub(super) whole: Option<u64>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// The text of each element of this name, in order.
    pub(super) fn texts(&self, name: &str) -> io::Result<Vec<String>> {
        let broken = |_| io::Error::new(ErrorKind::InvalidData, "the store's answer is not XML as S3 has it");
        let text = std::str::from_utf8(&self.body).map_err(|_| broken(()))?;
        let mut reader = quick_xml::Reader::from_str(text);
        let (mut found, mut inside) = (Vec::new(), None::<String>);
        loop {
            match reader.read_event().map_err(|_| broken(()))? {
                Event::Start(tag) => inside = (tag.local_name().as_ref() == name.as_bytes()).then(String::new),
                Event::Text(text) => {
                    if let Some(inside) = &mut inside {
                        inside.push_str(&text.decode().map_err(|_| broken(()))?);
                    }
                }
                Event::GeneralRef(reference) => {
                    let known = reference.decode().map_err(|_| broken(()))?;
                    let character = match known.as_ref() {
                        "amp" => Some('&'),
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "quot" => Some('"'),
                        "apos" => Some('\''),
                        _ => reference.resolve_char_ref().map_err(|_| broken(()))?,
                    };
                    if let (Some(inside), Some(character)) = (&mut inside, character) {
                        inside.push(character);
                    }
                }
                Event::End(_) => found.extend(inside.take()),
                Event::Eof => return Ok(found),
                _ => {}
            }
        }
    }
}

/// A store.
pub(super) struct Client {
    settings: S3Settings,
    host: String,
    clock: Arc<dyn Clock>,
    agent: ureq::Agent,
}

impl Client {
    /// A client of this store. Nothing is sent yet.
    pub(super) fn new(settings: &S3Settings, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let tls = TlsConfig::builder().root_certs(authorities(settings)?).build();
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .max_redirects(0)
            .https_only(!settings.plain_http)
            .http_status_as_error(false)
            .user_agent("")
            .timeout_resolve(seconds(10))
            .timeout_connect(seconds(10))
            .timeout_send_request(seconds(30))
            .timeout_send_body(seconds(180))
            .timeout_recv_response(seconds(60))
            .timeout_recv_body(seconds(180))
            .build();
        let host =
            if settings.path_style { settings.host.clone() } else { format!("{}.{}", settings.bucket, settings.host) };
        Ok(Self { settings: settings.clone(), host, clock, agent: agent.into() })
    }

    /// Sends a request until it is answered.
    pub(super) fn ask(&self, ask: &Ask<'_>) -> io::Result<Answer> {
        let (mut wait, begun) = (FIRST_WAIT, self.clock.monotonic());
        for left in (0..TRIES).rev() {
            match self.once(ask) {
                Err(Failed { again: true, .. }) if left > 0 && self.clock.monotonic() < begun + PATIENCE => {
                    let until = self.clock.monotonic() + wait;
                    while self.clock.monotonic() < until {
                        std::thread::park_timeout(until.saturating_sub(self.clock.monotonic()));
                    }
                    wait *= 2;
                }
                Err(failed) => return Err(failed.error),
                Ok(answer) => return Ok(answer),
            }
        }
        Err(io::Error::from(ErrorKind::TimedOut))
    }

    fn once(&self, ask: &Ask<'_>) -> Result<Answer, Failed> {
        let path = match (self.settings.path_style, ask.key) {
            (true, "") => format!("/{}", encoded(&self.settings.bucket, false)),
            (true, key) => format!("/{}/{}", encoded(&self.settings.bucket, false), encoded(key, true)),
            (false, key) => format!("/{}", encoded(key, true)),
        };
        let mut query: Vec<String> = ask
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name, false), encoded(value, false)))
            .collect();
        query.sort();
        let (query, body, at) = (query.join("&"), sha256(ask.body), self.clock.now());
        let subject = Subject { method: ask.method, host: &self.host, path: &path, query: &query, body: &body, at };
        let keys = private_lines(&self.settings.credentials, 2).map_err(Failed::for_good)?;
        let [id, secret] = keys.as_slice() else { return Err(Failed::for_good(ErrorKind::InvalidInput.into())) };
        let signed = sign::authorization(&subject, &self.settings.region, (id, secret));
        let scheme = if self.settings.plain_http { "http" } else { "https" };
        let question = if query.is_empty() { "" } else { "?" };
        let mut request = Request::builder()
            .method(ask.method)
            .uri(format!("{scheme}://{}{path}{question}{query}", self.host))
            .header("x-amz-content-sha256", &body)
            .header("x-amz-date", sign::moment(at))
            .header("authorization", signed);
        if let Some((first, end)) = ask.range {
            request = request.header("range", format!("bytes={first}-{}", end.saturating_sub(1)));
        }
        if ask.only_new {
            request = request.header("if-none-match", "*");
        }
        let wrong =
            |_| Failed::for_good(io::Error::new(ErrorKind::InvalidInput, "the address of the store is not one"));
        // A request that may have a body says how long it is, also when it is empty.
        let response = match ask.method {
            "PUT" | "POST" => self.agent.run(request.body(ask.body).map_err(wrong)?),
            _ => self.agent.run(request.body(()).map_err(wrong)?),
        };
        self.read(response.map_err(|error| unreachable(&self.settings.host, &error))?, ask)
    }

    fn read(&self, mut response: Response<ureq::Body>, ask: &Ask<'_>) -> Result<Answer, Failed> {
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let etag = header("etag").unwrap_or_default();
        let whole = header("content-range").and_then(|range| range.rsplit('/').next()?.parse().ok());
        let length = ask.range.map_or(0, |(first, end)| end.saturating_sub(first)).max(XML_BYTES_MAX);
        let mut body = Vec::new();
        let taken = response.body_mut().as_reader().take(length).read_to_end(&mut body);
        taken.map_err(|error| Failed { error: io::Error::new(error.kind(), "the answer ended early"), again: true })?;
        let answer = Answer { etag, whole, body };
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        // Codes are plain words; what else the store says is not repeated.
        let code = answer.texts("Code").ok().and_then(|codes| codes.into_iter().next()).unwrap_or_default();
        let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
        Err(refused(status, &code))
    }
}

/// Why a request failed, and whether it makes sense to send it again.
struct Failed {
    error: io::Error,
    again: bool,
}

impl Failed {
    fn for_good(error: io::Error) -> Self {
        Self { error, again: false }
    }
}

fn authorities(settings: &S3Settings) -> io::Result<RootCerts> {
    if settings.plain_http {
        return Ok(RootCerts::new_with_certs(&[]));
    }
    let told = |kind, what: String| io::Error::new(kind, format!("{}: {what}", settings.ca_file.display()));
    let file = fs::File::open(&settings.ca_file).map_err(|error| told(error.kind(), error.to_string()))?;
    let mut pem = Vec::new();
    file.take(AUTHORITIES_BYTES_MAX).read_to_end(&mut pem)?;
    let found: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        return Err(told(ErrorKind::InvalidData, "it holds no certificate in PEM".to_owned()));
    }
    Ok(RootCerts::new_with_certs(&found))
}

fn unreachable(host: &str, error: &ureq::Error) -> Failed {
    let (kind, what, again) = match error {
        ureq::Error::HostNotFound => {
            (ErrorKind::NotFound, "its name is not known: look at the address and at DNS".to_owned(), true)
        }
        ureq::Error::Timeout(_) => (ErrorKind::TimedOut, "it does not answer in time".to_owned(), true),
        ureq::Error::Io(error) if error.kind() == ErrorKind::InvalidData => {
            let what = format!("its certificate is not trusted ({error}): name the authority as ca_file");
            (ErrorKind::InvalidData, what, false)
        }
        ureq::Error::Io(error) => (error.kind(), format!("the connection failed ({})", error.kind()), true),
        ureq::Error::Rustls(error) => (
            ErrorKind::InvalidData,
            format!("its certificate is not trusted ({error}): name the authority as ca_file"),
            false,
        ),
        _ => (ErrorKind::ConnectionAborted, "the connection failed".to_owned(), true),
    };
    Failed { error: io::Error::new(kind, format!("{host}: {what}")), again }
}

fn refused(status: u16, code: &str) -> Failed {
    let again = matches!(status, 429 | 500 | 502 | 503 | 504) || code == "RequestTimeout";
    let (kind, what) = match (status, code) {
        (_, "RequestTimeTooSkewed") => {
            (ErrorKind::PermissionDenied, "its clock and ours differ: set the time of this machine")
        }
        (_, "NoSuchBucket") => (ErrorKind::NotFound, "there is no such bucket: make it, or mend its name"),
        (_, "QuotaExceeded" | "InsufficientStorage") | (507, _) => (ErrorKind::StorageFull, "the store is full"),
        (404, _) => (ErrorKind::NotFound, "there is no such object"),
        (412 | 409, _) => (ErrorKind::AlreadyExists, "there is such an object already"),
        (301 | 302 | 307 | 308, _) => (ErrorKind::InvalidInput, "the bucket is elsewhere: mend address or region"),
        (401 | 403, _) => (
            ErrorKind::PermissionDenied,
            "the store refuses the credentials: look at the key, its rights to read, write, list and delete, and the region",
        ),
        _ if again => (ErrorKind::TimedOut, "the store is busy or has a fault"),
        _ => (ErrorKind::Other, "the store refuses"),
    };
    Failed { error: io::Error::new(kind, format!("{what} (status {status} {code})")), again }
}
