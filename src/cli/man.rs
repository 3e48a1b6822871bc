//! `kontor man`: the manual pages of the command line, made from what the command line says of itself. It writes into a
//! folder that is there, and opens no appliance.

use crate::cli::failure::Failure;
use crate::cli::out::Out;
use clap::Command;
use clap_mangen::Man;
use kernel::Code;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Writes the manual pages, one for each verb.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kontor man /usr/local/share/man/man1

The packages have them in their place already: `man kontor`, `man kontor-backup-run`.
Exit codes: 0 done; 2 not done.")]
pub(crate) struct ManArgs {
    /// A folder that is there.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(crate) fn run(args: &ManArgs, mut command: Command, out: &mut Out) -> Result<u8, Failure> {
    if !args.folder.is_dir() {
        let told = format!("{} is no folder", args.folder.display());
        return Err(Failure::new(Code::ParameterInvalid, told).kept("nothing was written").todo("make it first"));
    }
    command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = 0;
    write_pages(&command, "kontor", &args.folder, &mut pages)?;
    out.note(format!("{pages} manual pages were written to {}", args.folder.display()));
    Ok(0)
}

/// The page of a verb and those of the verbs below it.
fn write_pages(command: &Command, name: &str, folder: &Path, pages: &mut usize) -> Result<(), Failure> {
    let path = folder.join(format!("{name}.1"));
    let text = page(command, name).map_err(|error| Failure::file(&path, &error))?;
    fs::write(&path, text).map_err(|error| Failure::file(&path, &error))?;
    *pages += 1;
    for verb in command.get_subcommands() {
        write_pages(verb, &format!("{name}-{}", verb.get_name()), folder, pages)?;
    }
    Ok(())
}

fn page(command: &Command, name: &str) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    // Without a date: the same version gives the same bytes.
    let source = format!("Kontor {}", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone())
        .title(name.to_uppercase())
        .section("1")
        .source(source)
        .manual("Kontor")
        .render(&mut text)?;
    Ok(text)
}
