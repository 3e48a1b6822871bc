//! `kontor backup target`: where sets go, and whether a set could be put there. It needs no key of the appliance, reads no set and
//! leaves nothing behind.

use crate::appliance::{Appliance, target_of};
use crate::cli::Dir;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::Out;
use clap::Subcommand;
use kernel::Code;
use serde_json::json;

/// Targets of backup sets: list them, try one out.
#[derive(Subcommand)]
pub(crate) enum TargetVerb {
    /// Lists the targets of the configuration.
    #[command(after_help = "Example:
  kontor backup target list --dir /srv/kontor

Exit codes: 0 done; 2 not done.")]
    List(Dir),
    /// Tries a target out: writes a small file, reads it back, and takes it away again.
    #[command(after_help = "Example:
  kontor backup target test --dir /srv/kontor nas

Says of each step how it went, and what to do when it did not. Needs no passphrase, and may run beside a server.
Exit codes: 0 everything went well; 1 something did not; 2 not done.")]
    Test(TestArgs),
}

#[derive(clap::Args)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    dir: Dir,
    /// The name of the target in kontor.toml.
    name: String,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(verb: &TargetVerb, out: &mut Out) -> Result<u8, Failure> {
    match verb {
        TargetVerb::List(dir) => {
            let appliance = Appliance::load(&dir.dir)?;
            let targets = appliance.config.backup.targets.iter();
            let rows: Vec<Vec<String>> = targets.map(|(name, target)| vec![name.clone(), target.place()]).collect();
            out.table(&["TARGET", "PLACE"], &rows);
            Ok(0)
        }
        TargetVerb::Test(args) => test(args, out),
    }
}

fn test(args: &TestArgs, out: &mut Out) -> Result<u8, Failure> {
    let appliance = Appliance::load(&args.dir.dir)?;
    let found = appliance.config.backup.targets.iter().find(|(name, _)| *name == args.name);
    let (name, config) = found.ok_or_else(|| {
        Failure::new(Code::ParameterInvalid, format!("there is no target {}", args.name))
            .kept("nothing was tried")
            .todo("`kontor backup target list` shows the names")
    })?;
    let mut number = [0u8; 4];
    appliance.random.fill(&mut number);
    let word = format!("{:08x}", u32::from_be_bytes(number));
    let steps = target_of(name, config, "kontor", &appliance.clock).try_out(&word);
    let well = steps.iter().all(recovery::TargetStep::is_well);
    if args.json {
        let told = |step: &recovery::TargetStep| {
            let detail = step.outcome.as_ref().err().map(ToString::to_string);
            json!({"step": step.step, "ok": step.is_well(), "detail": detail})
        };
        out.json(&json!({"target": name, "ok": well, "steps": steps.iter().map(told).collect::<Vec<_>>()}))?;
        return Ok(if well { 0 } else { EXIT_ANSWER_BAD });
    }
    out.line(format!("{name}: {}", config.place()));
    for step in &steps {
        match &step.outcome {
            Ok(()) => out.line(format!("  {:<9}  well", step.step)),
            Err(error) => out.line(format!("  {:<9}  NOT WELL  {error}", step.step)),
        }
    }
    if well {
        out.line("Sets can be put there.");
        return Ok(0);
    }
    out.line("Sets can NOT be put there. Mend what is said above; the account of the appliance needs to read, write, list and remove.");
    Ok(EXIT_ANSWER_BAD)
}
