//! `kontor support`: one file with what the makers need to help, and nothing of a customer, a person or a secret; and a look into
//! such a file. It sends nothing anywhere.

use crate::appliance::{Appliance, Desk, Layout};
use crate::cli::Dir;
use crate::cli::failure::Failure;
use crate::cli::new_file::{self, NewFile};
use crate::cli::out::Out;
use crate::cli::secret::{self, PassphraseFrom};
use crate::support::{Bundle, Wanted, look_into};
use audit::Verb;
use clap::Subcommand;
use identity::Channel;
use kernel::Code;
use serde_json::json;
use std::path::PathBuf;

/// Lines of the journal at most.
const LINES_MAX: u32 = 100_000;

/// A file for the makers of Kontor, without customers, people and secrets; and a look into it.
#[derive(Subcommand)]
pub(crate) enum SupportVerb {
    /// Writes the file and says what is in it.
    #[command(after_help = "Examples:
  kontor support bundle --dir /srv/kontor kontor-support.tar.gz
  kontor support bundle --dir /srv/kontor --unlogged kontor-support.tar.gz

Versions, settings without names, findings of the doctor, states, counts, sizes, figures, facts of the machine and the last lines \
of the journal. No record, no name, no address, no secret: what is in it is chosen by lists of what may be told, and free text is \
cleaned on top of that. Look through it before it leaves the house: `kontor support show FILE`. Leaves an entry in the audit log \
(support_bundle); --unlogged makes one of an appliance that cannot be opened, without an entry.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    Bundle(BundleArgs),
    /// Shows what is in such a file: in words, or one of its texts.
    #[command(after_help = "Examples:
  kontor support show kontor-support.tar.gz
  kontor support show kontor-support.tar.gz journal.txt

Opens no appliance. Any program that reads .tar.gz shows the same.
Exit codes: 0 done; 2 it cannot be read, or has no such text.")]
    Show(ShowArgs),
}

#[derive(clap::Args)]
pub(crate) struct BundleArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
    /// The file that is written; never over one that is there.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The unit of systemd whose lines of the journal are taken.
    #[arg(long, value_name = "UNIT", default_value = "kontor.service")]
    unit: String,
    /// How many lines of the journal.
    #[arg(long, value_name = "NUMBER", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(0..=i64::from(LINES_MAX)))]
    lines: u32,
    /// Does not open the appliance: for one whose keys or database do not open. The audit log does not know of it then.
    #[arg(long)]
    unlogged: bool,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct ShowArgs {
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// One of its texts; without it the one that says what is in it.
    #[arg(value_name = "NAME", default_value = "manifest.txt")]
    name: String,
}

pub(crate) fn run(verb: &SupportVerb, out: &mut Out) -> Result<u8, Failure> {
    match verb {
        SupportVerb::Bundle(args) => bundle(args, out),
        SupportVerb::Show(args) => {
            out.line(look_into(&args.file, &args.name)?.trim_end());
            Ok(0)
        }
    }
}

fn bundle(args: &BundleArgs, out: &mut Out) -> Result<u8, Failure> {
    let file = NewFile::make(&args.file, new_file::PRIVATE)?;
    let (bundle, packed) = gathered(args)?;
    file.write(&packed)?;
    if args.json {
        out.json(
            &json!({"file": args.file, "bytes": packed.len(), "logged": !args.unlogged, "texts": bundle.pieces()}),
        )?;
        return Ok(0);
    }
    out.line(format!("{} ({} bytes) holds:", args.file.display(), packed.len()));
    let rows =
        bundle.pieces().iter().map(|one| vec![one.name.to_owned(), one.text.len().to_string(), one.what.to_owned()]);
    out.table(&["TEXT", "BYTES", "WHAT"], &rows.collect::<Vec<_>>());
    out.line(format!("Look through it before it leaves the house: kontor support show {} NAME", args.file.display()));
    Ok(0)
}

fn gathered(args: &BundleArgs) -> Result<(Bundle, Vec<u8>), Failure> {
    let wanted = Wanted { unit: &args.unit, lines: args.lines };
    // With its whole path everything that is told of it can be known again.
    let dir = std::path::absolute(&args.dir.dir).map_err(|error| Failure::file(&args.dir.dir, &error))?;
    if args.unlogged {
        let layout = Layout::new(&dir);
        if layout.is_unused()? {
            return Err(Failure::new(
                Code::ConfigInvalid,
                format!("there is no appliance in {}", layout.dir().display()),
            ));
        }
        let appliance = match Appliance::load(&dir) {
            Err(failure) if failure.code != Code::ConfigInvalid => return Err(failure),
            loaded => loaded.ok(),
        };
        let bundle = Bundle::gather(&layout, (appliance.as_ref(), None), &wanted);
        let packed = bundle.packed()?;
        return Ok((bundle, packed));
    }
    let hint = |failure: Failure| {
        let ill = failure.code != Code::UnsealFailed && failure.code != Code::ParameterInvalid;
        if ill { failure.todo("mend it; or make a bundle without opening the appliance: --unlogged") } else { failure }
    };
    let appliance = Appliance::load(&dir).map_err(hint)?;
    let desk =
        secret::unseal(&appliance, &args.from).and_then(|()| Desk::open(&appliance, Channel::Cli)).map_err(hint)?;
    let bundle = Bundle::gather(&appliance.layout, (Some(&appliance), Some(&desk)), &wanted);
    let packed = bundle.packed()?;
    // The log knows of it before anybody can take it.
    desk.note(Verb::SupportBundle, &format!("{} texts, {} bytes", bundle.pieces().len(), packed.len()))?;
    desk.close()?;
    Ok((bundle, packed))
}
