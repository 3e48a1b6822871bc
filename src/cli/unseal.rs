//! `kontor unseal`: gives the passphrase to the server that runs on this machine, over its own TLS.

use crate::appliance::Appliance;
use crate::cli::Dir;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::Out;
use crate::cli::secret::PassphraseFrom;
use kernel::Code;
use serde_json::{Value as Json, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Longest wait for the answer: the passphrase hash, then the opening of the database.
const ANSWER_SECONDS_MAX: u64 = 120;
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Unseals the running appliance with a passphrase.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kontor unseal --dir /srv/kontor

Asks for the passphrase (or reads --passphrase-file), sends it to the server on this machine over HTTPS, trusting the \
appliance's own authority only, and says what happened. Failed attempts are in the audit log once it can be written.
Exit codes: 0 open; 1 the passphrase opens nothing; 2 the server does not answer, or refused.")]
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
    let passphrase = args.from.existing()?;
    let body = json!({"passphrase": passphrase.as_str()});
    let (status, answer) = ask(agent.post(format!("{url}/api/v1/system/unseal")).send_json(&body), &url)?;
    if status == 200 {
        out.line("The appliance is open.");
        return Ok(0);
    }
    let text = |name: &str| answer.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let wrong = text("code") == Code::UnsealFailed.as_str();
    let code = if wrong { Code::UnsealFailed } else { Code::Unavailable };
    let failure =
        Failure::new(code, format!("{} ({})", text("detail"), text("code"))).kept("the appliance stays sealed");
    Err(if wrong {
        failure.exit(EXIT_ANSWER_BAD).todo("check the passphrase and try again")
    } else {
        failure.todo("look at the server's own log")
    })
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
