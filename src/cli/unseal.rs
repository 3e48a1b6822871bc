//! `kontor unseal`: gives the passphrase or recovery shares to the server that runs on this machine, over its own TLS.

use crate::appliance::Appliance;
use crate::cli::Dir;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::local::Local;
use crate::cli::out::Out;
use crate::cli::secret::PassphraseFrom;
use crate::cli::shares::{self, SharesFrom};
use kernel::Code;
use serde_json::{Value as Json, json};

/// Shares that are given at most, wrong ones among them.
const SHARES_MAX: usize = 64;

/// Unseals the running appliance with a passphrase or recovery shares.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  kontor unseal --dir /srv/kontor
  kontor unseal --dir /srv/kontor --shares

Asks for the passphrase (or reads --passphrase-file), sends it to the server on this machine over HTTPS, trusting the \
authority of its certificate only, and says what happened. With --shares it asks for recovery shares \
until they are enough; the server keeps them for a quarter of an hour, so that people can come one after the other. Failed \
attempts are in the audit log once it can be written.
Exit codes: 0 open; 1 the passphrase or a share opens nothing, or more shares are needed; 2 the server does not answer, or refused.")]
pub(crate) struct UnsealArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
    /// The address of the server, when it is another than the one it listens on.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

pub(crate) fn run(args: &UnsealArgs, out: &mut Out) -> Result<u8, Failure> {
    let appliance = Appliance::load(&args.dir.dir)?;
    let local = Local::of(&appliance, args.url.as_deref())?;
    if local.is_open()? {
        out.line("The appliance is open already.");
        return Ok(0);
    }
    let server = Server(&local);
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
struct Server<'a>(&'a Local);

impl Server<'_> {
    /// Gives it something. `None` when it is open then, else how many shares wait.
    fn give(&self, what: &str, secret: &str) -> Result<Option<String>, Failure> {
        let body = json!({what: secret});
        let (status, answer) = self.0.post("/api/v1/system/unseal", &body)?;
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
