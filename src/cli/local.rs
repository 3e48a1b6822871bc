//! The server of a folder as verbs on the same machine reach it: over its own TLS, through no proxy, trusting the authority that
//! signed what it shows and no other. It asks what it is told to ask, and keeps nothing.

use crate::appliance::{Appliance, Layout};
use crate::cli::failure::Failure;
use api::InUse;
use kernel::{Code, limits};
use serde_json::Value as Json;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// Longest wait for the answer: the passphrase hash, then the opening of the database.
const ANSWER_SECONDS_MAX: u64 = 120;
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// Bytes of a page.
const PAGE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A server on this machine.
pub(crate) struct Local {
    agent: ureq::Agent,
    url: String,
    /// What people call it.
    told: String,
}

/// One address, whatever the name: the certificate of the site has the name of the appliance, and not the address it listens on.
#[derive(Debug)]
struct Here(SocketAddr);

impl Resolver for Here {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut found = self.empty();
        found.push(self.0);
        Ok(found)
    }
}

impl Local {
    /// The server of an appliance: where its configuration says, or at an address.
    pub(crate) fn of(appliance: &Appliance, url: Option<&str>) -> Result<Self, Failure> {
        let told = url.map_or_else(|| own_url(appliance), str::to_owned);
        let own = authorities(&api::OwnCertificates::in_folder(appliance.layout.tls()).ca_certificate())?;
        let plain = Self { agent: trusting(&own).into(), url: told.clone(), told: told.clone() };
        let in_use = InUse::in_folder(&appliance.layout.tls());
        if !in_use.of_site {
            return Ok(plain);
        }
        // A server that was not reloaded after an import still shows the own one.
        if plain.get("/healthz").is_ok() {
            return Ok(plain);
        }
        let root = authorities(&in_use.files.certificate)?.pop();
        let trusted: Vec<Certificate<'static>> = own.into_iter().chain(root).collect();
        let address = told.split("://").nth(1).and_then(|rest| rest.trim_end_matches('/').parse::<SocketAddr>().ok());
        let name = in_use.views().ok().and_then(|chain| Some(chain.first()?.names.first()?.replacen("*.", "x.", 1)));
        Ok(match (address, name) {
            (Some(address), Some(name)) => {
                let host = name.parse::<Ipv6Addr>().map_or_else(|_| name.clone(), |ip| format!("[{ip}]"));
                let agent = ureq::Agent::with_parts(trusting(&trusted), DefaultConnector::default(), Here(address));
                Self { agent, url: format!("https://{host}:{}", address.port()), told }
            }
            _ => Self { agent: trusting(&trusted).into(), url: told.clone(), told },
        })
    }

    /// Status and answer.
    pub(crate) fn get(&self, path: &str) -> Result<(u16, Json), Failure> {
        self.read(self.agent.get(format!("{}{path}", self.url)).call())
    }
    /// The same for something that is sent.
    pub(crate) fn post(&self, path: &str, body: &Json) -> Result<(u16, Json), Failure> {
        self.read(self.agent.post(format!("{}{path}", self.url)).send_json(body))
    }

    /// A page in plain text, for who shows a token.
    pub(crate) fn text(&self, path: &str, token: &str) -> Result<String, Failure> {
        let asked = self.agent.get(format!("{}{path}", self.url)).header("Authorization", format!("Bearer {token}"));
        let refused = |what: String| Failure::new(Code::Unavailable, format!("{} {path}: {what}", self.told));
        let mut answer = asked.call().map_err(|error| refused(error.to_string()))?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(PAGE_BYTES_MAX).read_to_string();
        let text = text.map_err(|error| refused(error.to_string()))?;
        if status == 200 { Ok(text) } else { Err(refused(status.to_string())) }
    }

    fn read(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<(u16, Json), Failure> {
        let unreachable = |error: &dyn std::fmt::Display| {
            Failure::new(Code::Unavailable, format!("the server at {} does not answer: {error}", self.told))
                .kept("nothing was changed")
                .todo("is it running? start it with `kontor serve`; with another address, name it with --url")
        };
        let mut answer = answer.map_err(|error| unreachable(&error))?;
        let status = answer.status().as_u16();
        let text = answer
            .body_mut()
            .with_config()
            .limit(ANSWER_BYTES_MAX)
            .read_to_string()
            .map_err(|error| unreachable(&error))?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Json::Null)))
    }

    /// Whether it is unsealed.
    pub(crate) fn is_open(&self) -> Result<bool, Failure> {
        let (status, answer) = self.get("/readyz")?;
        let sealed = |reason: &Json| reason.as_str().is_some_and(|reason| reason.starts_with("sealed"));
        let reasons = answer.get("reasons").and_then(Json::as_array);
        Ok(status == 200 || !reasons.is_none_or(|reasons| reasons.iter().any(sealed)))
    }
}

/// The server as it is reached on this machine: where it says itself, else where the configuration says.
fn own_url(appliance: &Appliance) -> String {
    let config = &appliance.config.server;
    let told = appliance.layout.served_at();
    let told = told.as_deref().and_then(|url| {
        let (scheme, address) = url.split_once("://")?;
        Some((scheme, address.parse::<SocketAddr>().ok()?))
    });
    let (scheme, listen) =
        told.unwrap_or((if config.plain_http_on_loopback { "http" } else { "https" }, config.listen));
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("{scheme}://{}", SocketAddr::new(ip, listen.port()))
}

/// The certificates in a file that may stand behind others.
fn authorities(path: &std::path::Path) -> Result<Vec<Certificate<'static>>, Failure> {
    let pem = crate::appliance::read_small(path, limits::CONFIG_BYTES_MAX)?;
    let found: Result<Vec<_>, _> = ureq::tls::parse_pem(pem.as_bytes()).collect();
    let found = found.map_err(|error| Failure::new(Code::ConfigInvalid, format!("{}: {error}", path.display())))?;
    let certificate = |item| match item {
        ureq::tls::PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    };
    Ok(found.into_iter().filter_map(certificate).collect())
}

fn trusting(authorities: &[Certificate<'static>]) -> Config {
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(authorities)).build();
    ureq::Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(ANSWER_SECONDS_MAX)))
        .build()
}

/// Whether a server of this appliance lives at an address.
pub(crate) fn is_alive(appliance: &Appliance, url: &str) -> Result<bool, Failure> {
    Ok(Local::of(appliance, Some(url))?.get("/healthz")?.0 == 200)
}

/// Why the server of this folder is not ready; nothing when it is.
pub(crate) fn readiness(layout: &Layout) -> Result<Vec<String>, Failure> {
    let (status, answer) = Local::of(&Appliance::load(layout.dir())?, None)?.get("/readyz")?;
    let reasons = answer.get("reasons").and_then(Json::as_array).into_iter().flatten();
    let reasons: Vec<String> = reasons.filter_map(Json::as_str).map(str::to_owned).collect();
    Ok(if reasons.is_empty() && status != 200 { vec![format!("it answers {status}")] } else { reasons })
}
