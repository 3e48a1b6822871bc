//! `kontor doctor`: looks an appliance over and says what to do about what it finds.

use crate::appliance::Layout;
use crate::cli::Dir;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::Out;
use crate::doctor::{self, Weight};
use kernel::Code;
use serde_json::json;

/// Looks the appliance over: configuration, files, keys, clock, disk, database, log, backups, service.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  kontor doctor --dir /srv/kontor
  kontor doctor --dir /srv/kontor --deep --json

Works on a stopped, sealed or serving appliance, needs no unseal secret and changes nothing. Each finding has a name that stays \
(docs/admin/doctor.md), a weight, and what to do.
Exit codes: 0 well, notes at most; 1 warnings or errors; 2 there is no appliance here.")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    dir: Dir,
    /// Reads every page of the embedded database and every entry of the log.
    #[arg(long)]
    deep: bool,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &DoctorArgs, out: &mut Out) -> Result<u8, Failure> {
    let layout = Layout::new(&args.dir.dir);
    if layout.is_unused()? {
        return Err(Failure::new(Code::ConfigInvalid, format!("there is no appliance in {}", layout.dir().display()))
            .todo("make one with `kontor init`"));
    }
    let (found, well) = doctor::look(&layout, args.deep).sorted();
    let bad = found.iter().any(|finding| finding.weight > Weight::Note);
    if args.json {
        out.json(&json!({"ok": !bad, "findings": found, "well": well}))?;
        return Ok(if bad { EXIT_ANSWER_BAD } else { 0 });
    }
    for finding in &found {
        out.line(format!("{:<8} {}: {}", finding.weight.word(), finding.id, finding.means));
        out.line(format!("         {}", finding.seen));
        out.line(format!("         to do: {}", finding.todo));
    }
    for line in &well {
        out.line(format!("{:<8} {line}", "well"));
    }
    Ok(if bad { EXIT_ANSWER_BAD } else { 0 })
}
