//! `kontor mail`: whether letters reach people. It needs no key of the appliance and tells nothing of it but its name.

use crate::appliance::{Appliance, house_of, relay_of};
use crate::cli::Dir;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::Out;
use clap::Subcommand;
use kernel::Code;
use serde_json::json;

/// Mail: try it out.
#[derive(Subcommand)]
pub(crate) enum MailVerb {
    /// Sends a test letter and says what the relay answered.
    #[command(after_help = "Examples:
  kontor mail test --dir /srv/kontor
  kontor mail test --dir /srv/kontor --to it@example.org

Without --to it goes to everybody under [mail.to], each by itself. Needs no passphrase, and may run beside a server. That the
relay took it does not say that it arrived: look into the mailbox.
Exit codes: 0 the relay took all; 1 it did not; 2 not done.")]
    Test(TestArgs),
}

#[derive(clap::Args)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    dir: Dir,
    /// Whom to send it to, instead of those of the configuration.
    #[arg(long, value_name = "ADDRESS")]
    to: Vec<String>,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(verb: &MailVerb, out: &mut Out) -> Result<u8, Failure> {
    match verb {
        MailVerb::Test(args) => test(args, out),
    }
}

fn test(args: &TestArgs, out: &mut Out) -> Result<u8, Failure> {
    let appliance = Appliance::load(&args.dir.dir)?;
    let Some(mail) = &appliance.config.mail else {
        return Err(Failure::new(Code::ConfigInvalid, "no mail is sent: mail.relay names no relay")
            .kept("nothing was sent")
            .todo("fill in the section [mail] of kontor.toml"));
    };
    if let Some(wrong) = args.to.iter().find(|address| !notify::address_is_plain(address)) {
        return Err(Failure::new(Code::ParameterInvalid, format!("{wrong:?} is no address"))
            .kept("nothing was sent")
            .todo("write it as it@example.org"));
    }
    let to = if args.to.is_empty() { mail.everybody() } else { args.to.clone() };
    let relay = relay_of(mail, &appliance);
    let letter = notify::test_letter(appliance.clock.now(), &house_of(&appliance.config), mail.language);
    let sent: Vec<_> = to.iter().map(|to| (to, relay.send(&letter, to))).collect();
    let well = sent.iter().all(|(_, sent)| sent.is_ok());
    if args.json {
        let told = |(to, sent): &(&String, Result<String, notify::SendError>)| match sent {
            Ok(answer) => json!({"to": to, "ok": true, "answer": answer}),
            Err(error) => json!({"to": to, "ok": false, "answer": error.answer, "detail": error.told}),
        };
        out.json(&json!({"relay": mail.place(), "ok": well, "sent": sent.iter().map(told).collect::<Vec<_>>()}))?;
        return Ok(if well { 0 } else { EXIT_ANSWER_BAD });
    }
    out.line(format!("Relay {}, from {}", mail.place(), mail.relay.from));
    for (to, sent) in &sent {
        match sent {
            Ok(answer) => out.line(format!("  {to}  taken: {answer}")),
            Err(error) => {
                out.line(format!("  {to}  NOT taken: {}", error.told));
                out.line(format!("    the relay said: {}", error.answer.as_deref().unwrap_or("nothing")));
            }
        }
    }
    Ok(if well { 0 } else { EXIT_ANSWER_BAD })
}
