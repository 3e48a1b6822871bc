//! `kontor advisories`: published advisories about what this binary was built from, off-line, from a file that came with a release.

use crate::appliance::read_small;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::Out;
use kernel::Code;
use serde_json::json;
use std::path::PathBuf;
use upgrade::{Advisories, dependencies_in};

/// What this binary was built from: `name version` a line, from the lock file of the build.
const DEPENDENCIES: &str = include_str!(concat!(env!("OUT_DIR"), "/dependencies.txt"));
/// Where a package puts the file.
const INSTALLED: &str = "/usr/share/kontor/advisories.json";
/// Bytes of such a file.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Says which published advisories concern this program. Off-line.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  kontor advisories
  kontor advisories --file /media/stick/advisories.json --json

Compares the versions this program was built from with the advisories of a file: the one of the package, or a newer one, as each
bundle has it. Nothing is asked of the network. The list holds what could be built in on any system, so one that is not on this
one may be named.
Exit codes: 0 none; 1 some; 2 the file cannot be read.")]
pub(crate) struct AdvisoriesArgs {
    /// The advisories.
    #[arg(long, value_name = "FILE", default_value = INSTALLED)]
    file: PathBuf,
    /// Only lists what this program was built from.
    #[arg(long, conflicts_with = "file")]
    dependencies: bool,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &AdvisoriesArgs, out: &mut Out) -> Result<u8, Failure> {
    let dependencies = dependencies_in(DEPENDENCIES);
    if args.dependencies {
        if args.json {
            out.json(&dependencies)?;
        } else {
            dependencies.iter().for_each(|one| out.line(format!("{} {}", one.name, one.version)));
        }
        return Ok(0);
    }
    let wrong = |error: upgrade::BundleError| {
        Failure::new(Code::ParameterInvalid, format!("{}: {error}", args.file.display()))
            .todo("name the file of a bundle or package with --file")
    };
    let text = read_small(&args.file, FILE_BYTES_MAX)
        .map_err(|failure| failure.todo("name the file of a bundle or package with --file"))?;
    let known = Advisories::read(&text).map_err(wrong)?;
    let found = known.concerning(&dependencies);
    if args.json {
        let told = |(advisory, dependency): &(&upgrade::Advisory, &upgrade::Dependency)| json!({"advisory": advisory, "version": dependency.version});
        out.json(&json!({"made_at": known.made_at, "source": known.source, "looked_at": known.advisories.len(),
            "dependencies": dependencies.len(), "found": found.iter().map(told).collect::<Vec<_>>()}))?;
    } else {
        let count = (known.advisories.len(), dependencies.len());
        out.line(format!("{} advisories as of {} against {} crates.", count.0, known.made_at, count.1));
        for (advisory, dependency) in &found {
            let (name, version) = (&dependency.name, &dependency.version);
            out.line(format!(
                "{}  {name} {version}  {}  {}  {}",
                advisory.id, advisory.severity, advisory.title, advisory.link
            ));
        }
        out.line(if found.is_empty() {
            "None concerns this program."
        } else {
            "Look for a newer version, and ask the publisher."
        });
    }
    Ok(if found.is_empty() { 0 } else { EXIT_ANSWER_BAD })
}
