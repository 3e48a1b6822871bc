//! `kontor unseal`: gives the passphrase or recovery shares to the server that runs on this machine, over its own TLS.

use crate::appliance::{Appliance, Layout};
use crate::cli::Dir;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::Out;
use crate::cli::secret::PassphraseFrom;
use crate::cli::shares::{self, SharesFrom};
use kernel::Code;
use serde_json::{Value as Json, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Longest wait for the answer: the passphrase hash, then the opening of the database.
const ANSWER_SECONDS_MAX: u64 = 120;
/// Shares that are given at most, wrong ones among them.
const SHARES_MAX: usize = 64;
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Unseals the running appliance with a passphrase or recovery shares.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  kontor unseal --dir /srv/kontor
  kontor unseal --dir /srv/kontor --shares

Asks for the passphrase (or reads --passphrase-file), sends it to the server on this machine over HTTPS, trusting the \
appliance's own authority only, and says what happened. With --shares it asks for recovery shares \
until they are enough; the server keeps them for a quarter of an hour, so that people can come one after the other. Failed \
attempts are in the audit log once it can be written.
Exit codes: 0 open; 1 the passphrase or a share opens nothing, or more shares are needed; 2 the server does not answer, or refused.")]
pub(crate) struct UnsealArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
    /// The address of the server, when it is not the one of kontor.toml.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

pub(crate) fn run(args: &UnsealArgs, out: &mut Out) -> Result<u8, Failure> {
    let appliance = Appliance::load(&args.dir.dir)?;
    let url = args.url.clone().unwrap_or_else(|| own_url(&appliance));
    let agent = agent(&appliance)?;
    if is_open(&agent, &url)? {
        out.line("The appliance is open already.");
        return Ok(0);
    }
    let server = Server { agent: &agent, url: &url };
    if args.from.shares.is_wanted() {
        return with_shares(&args.from.shares, &server, out);
    }
    let passphrase = args.from.passphrase.existing()?;
    server.give("passphrase", &passphrase)?;
    out.line("The appliance is open.");
    Ok(0)
}

/// Gives recovery shares, one after the other, until the appliance is open or nobody has a further one.
fn with_shares(from: &SharesFrom, server: &Server<'_>, out: &mut Out) -> Result<u8, Failure> {
    let mut files = from.share_file.iter();
    let mut told = String::new();
    for _ in 0..SHARES_MAX {
        let (words, typed) = match files.next() {
            Some(file) => (shares::words_in(file)?, false),
            None if from.shares => (shares::ask(&std::mem::take(&mut told))?, true),
            None => break,
        };
        match server.give("share", &words) {
            Ok(None) => {
                out.line("The appliance is open.");
                return Ok(0);
            }
            Ok(Some(waiting)) => {
                told.clone_from(&waiting);
                out.note(waiting);
            }
            // Who types may try again; what stands in a file stays as it is.
            Err(failure) if typed && failure.code != Code::Unavailable => told = failure.what().to_owned(),
            Err(failure) => return Err(failure),
        }
    }
    Err(Failure::new(Code::Sealed, "more shares are needed")
        .exit(EXIT_ANSWER_BAD)
        .kept("the server keeps what was given for a quarter of an hour")
        .todo("give further shares: `kontor unseal --shares`, or --share-file"))
}

/// The server that is to be unsealed.
struct Server<'a> {
    agent: &'a ureq::Agent,
    url: &'a str,
}

impl Server<'_> {
    /// Gives it something. `None` when it is open then, else how many shares wait.
    fn give(&self, what: &str, secret: &str) -> Result<Option<String>, Failure> {
        let body = json!({what: secret});
        let (status, answer) =
            ask(self.agent.post(format!("{}/api/v1/system/unseal", self.url)).send_json(&body), self.url)?;
        if status == 200 {
            let numbers = answer
                .pointer("/shares/given")
                .and_then(Json::as_array)
                .map(|given| given.iter().map(Json::to_string).collect::<Vec<_>>().join(", "));
            let needed = answer.pointer("/shares/needed").and_then(Json::as_u64).unwrap_or_default();
            return Ok(numbers.map(|given| format!("The server has share {given}; {needed} of a set are needed.")));
        }
        Err(refused(&answer))
    }
}

fn refused(answer: &Json) -> Failure {
    let text = |name: &str| answer.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let code = [Code::UnsealFailed, Code::ValueFormat].into_iter().find(|code| text("code") == code.as_str());
    let (wrong, code) = (code.is_some(), code.unwrap_or(Code::Unavailable));
    let failure =
        Failure::new(code, format!("{} ({})", text("detail"), text("code"))).kept("the appliance stays sealed");
    if wrong {
        failure.exit(EXIT_ANSWER_BAD).todo("check the passphrase or share and try again")
    } else {
        failure.todo("look at the server's own log")
    }
}

/// The server as it is reached on this machine.
fn own_url(appliance: &Appliance) -> String {
    let config = &appliance.config.server;
    let ip = match config.listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let scheme = if config.plain_http_on_loopback { "http" } else { "https" };
    format!("{scheme}://{}", SocketAddr::new(ip, config.listen.port()))
}

/// A client that trusts this appliance's authority and no other, and goes through no proxy.
fn agent(appliance: &Appliance) -> Result<ureq::Agent, Failure> {
    let path = api::OwnCertificates::in_folder(appliance.layout.tls()).ca_certificate();
    let pem = crate::appliance::read_small(&path, kernel::limits::CONFIG_BYTES_MAX)?;
    let authority = Certificate::from_pem(pem.as_bytes())
        .map_err(|error| Failure::new(Code::ConfigInvalid, format!("{}: {error}", path.display())))?;
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[authority])).build();
    let config = ureq::Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(ANSWER_SECONDS_MAX)));
    Ok(config.build().into())
}

/// Whether a server of this appliance lives at an address.
pub(crate) fn is_alive(appliance: &Appliance, url: &str) -> Result<bool, Failure> {
    Ok(ask(agent(appliance)?.get(format!("{url}/healthz")).call(), url)?.0 == 200)
}

/// Why the server of this folder is not ready; nothing when it is.
pub(crate) fn readiness(layout: &Layout) -> Result<Vec<String>, Failure> {
    let appliance = Appliance::load(layout.dir())?;
    let url = own_url(&appliance);
    let (status, answer) = ask(agent(&appliance)?.get(format!("{url}/readyz")).call(), &url)?;
    let reasons = answer.get("reasons").and_then(Json::as_array).into_iter().flatten();
    let reasons: Vec<String> = reasons.filter_map(Json::as_str).map(str::to_owned).collect();
    Ok(if reasons.is_empty() && status != 200 { vec![format!("it answers {status}")] } else { reasons })
}

fn is_open(agent: &ureq::Agent, url: &str) -> Result<bool, Failure> {
    let (status, answer) = ask(agent.get(format!("{url}/readyz")).call(), url)?;
    let sealed = |reason: &Json| reason.as_str().is_some_and(|reason| reason.starts_with("sealed"));
    let reasons = answer.get("reasons").and_then(Json::as_array);
    Ok(status == 200 || !reasons.is_none_or(|reasons| reasons.iter().any(sealed)))
}

fn ask(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>, url: &str) -> Result<(u16, Json), Failure> {
    let unreachable = |error: &dyn std::fmt::Display| {
        Failure::new(Code::Unavailable, format!("the server at {url} does not answer: {error}"))
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
