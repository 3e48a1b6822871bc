//! `kontor audit verify`: is the log what it was, and does the database still say the same? Needs the public key only, so
//! it works while the appliance serves, while it is sealed, and for an auditor without any secret.

use crate::appliance::{Appliance, Opened};
use crate::cli::Dir;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::Out;
use audit::{Checkpoint, Report, Verification};
use kernel::{Code, limits};
use std::path::PathBuf;
use store::{Depth, Store};

/// Verifies the audit log and says where anything was altered.
///
/// Level 1: the tiles belong together and lead to the root. 2: the checkpoint is signed by this appliance's key.
/// 3: every entry of the database is the one in the log. 4: every record's row is as the log last told it.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  kontor audit verify --dir /srv/kontor
  kontor audit verify --dir /srv/kontor --level 4 --older checkpoint-of-march --json
  kontor audit verify --dir /srv/kontor --log /srv/kontor/log-given-up-0.2.0-1795413010

Prints a verdict, how much was looked at, and one line for each finding: level, place, what is wrong. Writes nothing: works \
beside a running server, while the appliance is sealed, and on a copy on a medium that cannot be written. Keep a copy of log/checkpoint elsewhere from time to time: \
with --older the log must still begin with it.
Exit codes: 0 sound; 1 findings; 2 the verification could not be carried out.")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    dir: Dir,
    /// How far to verify, 1 to 4; levels 1 and 2 are carried out together.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=4))]
    level: u8,
    /// A checkpoint file kept from earlier.
    #[arg(long, value_name = "CHECKPOINT")]
    older: Option<PathBuf>,
    /// Another folder with tiles of this appliance instead, at levels 1 and 2 and without a database: one that an upgrade which was
    /// taken back has kept, or a copy.
    #[arg(long, value_name = "FOLDER", conflicts_with = "level")]
    log: Option<PathBuf>,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &VerifyArgs, out: &mut Out) -> Result<u8, Failure> {
    let appliance = Appliance::load(&args.dir.dir)?;
    let key = appliance.verifier_key()?;
    let older = args.older.as_deref().map(|path| -> Result<Checkpoint, Failure> {
        let note = crate::appliance::read_small(path, limits::CONFIG_BYTES_MAX)?;
        Checkpoint::open(note.as_bytes(), &key)
            .map_err(|error| Failure::new(Code::ParameterInvalid, format!("{}: {error}", path.display())))
    });
    let older = older.transpose()?;
    let older = older.as_ref();
    let report = match &args.log {
        Some(folder) => audit::verify(Verification { folder, key: &key, older, entries: None, states: None }),
        None => Store::verify_log(&appliance.store_config()?, &key, older, Depth(args.level))?,
    };
    tell(&report, args.json, out)?;
    Ok(if report.ok { 0 } else { EXIT_ANSWER_BAD })
}

fn tell(report: &Report, json: bool, out: &mut Out) -> Result<(), Failure> {
    if json {
        return out.json(report);
    }
    let mut text = String::new();
    report.write_text(&mut text).map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    out.line(text.trim_end());
    Ok(())
}

/// Seals what a command has put into the log, unless a server does it anyway.
pub(crate) fn seal_after(opened: &Opened) -> Result<(), Failure> {
    opened.store.seal_log(opened.signer.as_ref())?;
    Ok(())
}
