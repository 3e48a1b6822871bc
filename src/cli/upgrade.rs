//! `kontor upgrade`: another version of the appliance from a signed bundle, and back. It says before what it would do, and what it
//! has not done when something fails.

use crate::appliance::upgrade::{self, Ended, Last, Plan, Secrecy, State, Wanted};
use crate::appliance::{Appliance, local_operator};
use crate::cli::Dir;
use crate::cli::backup::size;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::Out;
use crate::cli::secret::{self, PassphraseFrom};
use ::upgrade::Bundle;
use clap::Subcommand;
use identity::{Actor, Channel};
use kernel::Code;
use serde_json::json;
use std::path::PathBuf;

/// Upgrades: verify a bundle, plan, apply, finalize, roll back.
#[derive(Subcommand)]
pub(crate) enum UpgradeVerb {
    /// Checks a bundle: signatures of two release keys, and every file in it. Needs no appliance.
    #[command(after_help = "Example:
  kontor upgrade verify kontor-0.2.0.bundle

Trusts the release keys that this program was built with. `kontor upgrade plan` also looks at those that the appliance has got
since, and at the versions it has behind it.
Exit codes: 0 good; 1 refused; 2 it cannot be read.")]
    Verify(VerifyArgs),
    /// Says what an upgrade would do here, and what is in its way. Changes nothing.
    #[command(after_help = "Example:
  kontor upgrade plan --dir /srv/kontor kontor-0.2.0.bundle

Room, time, steps of the schema, settings to be written otherwise, what changes for programs, backups. May run beside a server.
Exit codes: 0 it can begin; 1 something is in its way, or the bundle is refused; 2 not done.")]
    Plan(PlanArgs),
    /// Brings the appliance to the version of a bundle; when anything fails, back to where it was.
    #[command(after_help = "Examples:
  kontor upgrade apply --dir /srv/kontor kontor-0.2.0.bundle
  kontor upgrade apply --dir /var/lib/kontor --service kontor.service --previous kontor_0.1.0_amd64.deb kontor-0.2.0.bundle

Copies the data, switches the program, migrates with the new one, tests, and starts the service. A server that runs has to be
stopped first, or named with --service. Cut off at any point, `kontor upgrade resume` goes on or puts everything back.
Exit codes: 0 the new version is in its place; 1 it failed and everything is as it was; 2 not begun, or not finished: resume.")]
    Apply(ApplyArgs),
    /// Brings the database to the version of this program, which was switched by other means.
    #[command(after_help = "Example:
  kontor upgrade adopt --dir /srv/kontor

Copies, migrates and tests as apply does. When that fails, the data are as they were; the former program is for you to put back.
Exit codes: 0 done; 1 it failed and the data are as they were; 2 not begun, or not finished: resume.")]
    Adopt(OpenArgs),
    /// Goes on with an upgrade that was cut off: finishes it, or puts everything back.
    #[command(after_help = "Example:
  kontor upgrade resume --dir /srv/kontor

Exit codes: 0 nothing to do, or the new version is in its place; 1 everything is as it was; 2 not finished.")]
    Resume(ResumeArgs),
    /// Says how far an upgrade is, and what became of the last. Needs no secret.
    #[command(after_help = "Example:
  kontor upgrade status --dir /srv/kontor

Exit codes: 0 nothing is half done; 1 an upgrade was cut off; 2 it cannot be read.")]
    Status(StatusArgs),
    /// Makes an upgrade final: the copy goes, new formats may be written, and there is no way back.
    #[command(after_help = "Example:
  kontor upgrade finalize --dir /srv/kontor

Older versions refuse this appliance from then on. May run beside a server.
Exit codes: 0 final; 1 the passphrase opens nothing; 2 not done.")]
    Finalize(OpenArgs),
    /// Takes an upgrade back that is not final.
    #[command(after_help = "Examples:
  kontor upgrade rollback --dir /srv/kontor
  kontor upgrade rollback --dir /srv/kontor --lose-newer

Loses nothing where the former version can read the data as they are. Otherwise they go back to the copy: what was written since
is counted, and goes only with --lose-newer.
Exit codes: 1 everything is as it was before the upgrade; 2 not done, or not finished: resume.")]
    Rollback(RollbackArgs),
}

#[derive(clap::Args)]
pub(crate) struct VerifyArgs {
    /// The bundle.
    bundle: PathBuf,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct OpenArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
}

#[derive(clap::Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    open: OpenArgs,
    /// The bundle.
    bundle: PathBuf,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    open: OpenArgs,
    /// The bundle.
    bundle: PathBuf,
    /// The systemd unit that serves the appliance: stopped before, started afterwards.
    #[arg(long, value_name = "UNIT")]
    service: Option<String>,
    /// Where the program lies, if it is not the one that runs.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// The package file of the installed version, where the program belongs to a package: for the way back.
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    open: OpenArgs,
    /// Said by the other version, which tells the rest.
    #[arg(long, hide = true)]
    handed_over: bool,
}

#[derive(clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    dir: Dir,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct RollbackArgs {
    #[command(flatten)]
    open: OpenArgs,
    /// Gives up what was written since the upgrade.
    #[arg(long)]
    lose_newer: bool,
}

pub(crate) fn run(verb: &UpgradeVerb, out: &mut Out) -> Result<u8, Failure> {
    match verb {
        UpgradeVerb::Verify(args) => verify(args, out),
        UpgradeVerb::Plan(args) => plan(args, out),
        UpgradeVerb::Apply(args) => {
            let wanted = Wanted {
                bundle: Some(args.bundle.clone()),
                binary: args.binary.clone(),
                previous: args.previous.clone(),
                service: args.service.clone(),
            };
            begin(&args.open, &wanted, out)
        }
        UpgradeVerb::Adopt(args) => {
            begin(args, &Wanted { bundle: None, binary: None, previous: None, service: None }, out)
        }
        UpgradeVerb::Resume(args) => resume(args, out),
        UpgradeVerb::Status(args) => status(args, out),
        UpgradeVerb::Finalize(args) => finalize(args, out),
        UpgradeVerb::Rollback(args) => rollback(args, out),
    }
}

/// The appliance unsealed, who acts, and what the other version needs to unseal it too. What the operator names is read with the
/// operator's rights, what the appliance names with those of its account.
fn open(args: &OpenArgs) -> Result<(Appliance, Actor, Secrecy), Failure> {
    let appliance = Appliance::load_as_root(&args.dir.dir)?;
    let operator =
        local_operator(&appliance.layout, Channel::Cli, appliance.clock.as_ref(), appliance.random.as_ref())?;
    if args.from.shares.is_wanted() {
        return Err(Failure::new(
            Code::ParameterInvalid,
            "an upgrade needs a passphrase or a key file: both versions unseal",
        )
        .kept("nothing was changed")
        .todo("add a passphrase with the shares first: `kontor slot add-passphrase`"));
    }
    let layout = &appliance.layout;
    let by_file = !args.from.is_named()
        && upgrade::as_owner(layout, || match appliance.key_file_secret()? {
            Some(secret) => appliance.unseal(&secret).map(|()| true),
            None => Ok(false),
        })?;
    if by_file {
        return Ok((appliance, operator, Secrecy(None)));
    }
    let text = args.from.passphrase.existing()?;
    upgrade::as_owner(layout, || appliance.unseal(&secret::passphrase(text.clone())))?;
    Ok((appliance, operator, Secrecy(Some(text))))
}

fn verify(args: &VerifyArgs, out: &mut Out) -> Result<u8, Failure> {
    let bundle = match Bundle::open(&args.bundle, &upgrade::trusted()?) {
        Ok(bundle) => bundle,
        Err(error @ ::upgrade::BundleError::Read { .. }) => return Err(upgrade::refused(error)),
        Err(error) => return Err(upgrade::refused(error).exit(EXIT_ANSWER_BAD)),
    };
    let manifest = bundle.manifest();
    if args.json {
        out.json(
            &json!({"version": manifest.version, "upgrades_from": manifest.upgrades_from, "signed_by": bundle.signers(),
            "keys_epoch": bundle.keys().epoch, "made_at": manifest.made_at, "files": manifest.files}),
        )?;
        return Ok(0);
    }
    out.line(format!(
        "Kontor {}, for {} and newer, made {}.",
        manifest.version, manifest.upgrades_from, manifest.made_at
    ));
    out.line(format!("Signed by {} (epoch {}).", bundle.signers().join(" and "), bundle.keys().epoch));
    for member in &manifest.files {
        out.line(format!("  {}  {}  {}", member.name, size(member.bytes), member.sha256));
    }
    out.line("The bundle is good.");
    Ok(0)
}

fn plan(args: &PlanArgs, out: &mut Out) -> Result<u8, Failure> {
    let (appliance, _, _) = open(&args.open)?;
    let planned = upgrade::bundle_of(&appliance, &args.bundle).and_then(|bundle| {
        upgrade::as_owner(&appliance.layout, || {
            appliance.refuse_standby()?;
            let opened = appliance.open_without_shipping()?;
            let planned = upgrade::plan(&appliance, &opened, &bundle);
            opened.store.close();
            planned
        })
    });
    let plan = planned.map_err(|failure| {
        if failure.code == Code::ParameterInvalid { failure.exit(EXIT_ANSWER_BAD) } else { failure }
    })?;
    if args.json {
        out.json(&plan)?;
    } else {
        tell(&plan, out);
    }
    Ok(if plan.blockers.is_empty() { 0 } else { EXIT_ANSWER_BAD })
}

fn tell(plan: &Plan, out: &mut Out) {
    out.line(format!("From {} to {} (leads on from {} and newer).", plan.from, plan.to, plan.upgrades_from));
    out.line(format!("Signed by {} (epoch {}).", plan.signed_by.join(" and "), plan.keys_epoch));
    let (database, log) = (size(plan.database_bytes), size(plan.log_bytes));
    out.line(format!("Database {database} with {} records, log {log}.", plan.records));
    out.line(format!("Room: {} needed, {} free.", size(plan.needs_bytes), size(plan.free_bytes)));
    out.line(format!("Nobody can work for about {} seconds; the service is stopped and started.", plan.seconds));
    out.line(match plan.steps.len() {
        0 => "The schema stays as it is.".to_owned(),
        _ => format!("Steps of the schema: {}.", plan.steps.join(", ")),
    });
    for change in &plan.settings {
        out.line(format!("Setting {}: {} ({})", change.key, change.what.en, change.what.zh));
    }
    for change in &plan.api {
        out.line(format!("For programs, since {}: {} ({})", change.since, change.what.en, change.what.zh));
    }
    out.line(format!("Who decides: {}.", plan.approval));
    plan.warnings.iter().for_each(|warning| out.line(format!("Note: {warning}.")));
    plan.blockers.iter().for_each(|blocker| out.line(format!("IN THE WAY: {blocker}.")));
    if plan.blockers.is_empty() {
        out.line("It can begin: `kontor upgrade apply`.");
    }
}

fn begin(args: &OpenArgs, wanted: &Wanted, out: &mut Out) -> Result<u8, Failure> {
    let (mut appliance, operator, secrecy) = open(args)?;
    let ended = upgrade::apply(&mut appliance, wanted, &operator, &secrecy)?;
    Ok(end(&appliance, &ended, out))
}

fn resume(args: &ResumeArgs, out: &mut Out) -> Result<u8, Failure> {
    let (mut appliance, operator, secrecy) = open(&args.open)?;
    appliance.upgrading = true;
    if args.handed_over {
        upgrade::require_wanted(&appliance.layout)?;
    }
    let ended = upgrade::drive(&appliance, &operator, &secrecy, None)?;
    if args.handed_over {
        return Ok(if matches!(ended, Ended::Back(_)) { EXIT_ANSWER_BAD } else { 0 });
    }
    Ok(end(&appliance, &ended, out))
}

fn end(appliance: &Appliance, ended: &Ended, out: &mut Out) -> u8 {
    let dir = appliance.layout.dir().display();
    match ended {
        Ended::Nothing => {
            out.line("No upgrade is under way.");
            0
        }
        Ended::Waiting => {
            let state = State::read(&appliance.layout).ok().flatten();
            let versions =
                state.map(|state| format!("{} after {}", state.to, upgrade::told(&state.from))).unwrap_or_default();
            out.line(format!(
                "\
Version {versions} is in its place, and its self-test was well.
What to do next:
  1. work with it for a day or two
  2. kontor upgrade finalize --dir {dir}      or back: kontor upgrade rollback --dir {dir}"
            ));
            0
        }
        Ended::Back(why) => {
            out.line(format!("The former version is in its place: {why}."));
            EXIT_ANSWER_BAD
        }
    }
}

fn status(args: &StatusArgs, out: &mut Out) -> Result<u8, Failure> {
    let appliance = Appliance::load_as_root(&args.dir.dir)?;
    let (state, last) = (State::read(&appliance.layout)?, Last::read(&appliance.layout));
    let half = state.as_ref().is_some_and(|state| !state.waits());
    if args.json {
        let told = |state: &State| json!({"from": state.from, "to": state.to, "phase": state.phase.word(), "since": state.since, "why": state.why});
        out.json(&json!({"running": upgrade::running(), "upgrade": state.as_ref().map(told), "last": last}))?;
    } else {
        out.line(format!("This is version {}.", upgrade::running()));
        match &state {
            Some(state) if half => out.line(format!(
                "The upgrade from {} to {} was cut off ({}). Run `kontor upgrade resume`.",
                upgrade::told(&state.from),
                state.to,
                state.phase.word()
            )),
            Some(state) => out.line(format!(
                "The upgrade from {} waits to be finalized since {}.",
                upgrade::told(&state.from),
                state.since
            )),
            None => out.line("No upgrade is under way."),
        }
        if let Some(last) = last {
            let why = if last.why.is_empty() { String::new() } else { format!(" ({})", last.why) };
            let from = upgrade::told(&last.from);
            out.line(format!("The last: {from} to {}, {} at {}{why}.", last.to, last.outcome, last.at));
        }
    }
    Ok(if half { EXIT_ANSWER_BAD } else { 0 })
}

fn finalize(args: &OpenArgs, out: &mut Out) -> Result<u8, Failure> {
    let (appliance, operator, _) = open(args)?;
    let state = upgrade::finalize(&appliance, &operator)?;
    out.line(format!("{} is final; versions before it refuse this appliance from now on.", state.to));
    Ok(0)
}

fn rollback(args: &RollbackArgs, out: &mut Out) -> Result<u8, Failure> {
    let (mut appliance, operator, secrecy) = open(&args.open)?;
    let mut told = String::new();
    let ended = upgrade::roll_back(&mut appliance, &operator, &secrecy, args.lose_newer, &mut |text| told = text)?;
    out.line(format!("Going back: {told}."));
    Ok(end(&appliance, &ended, out))
}
