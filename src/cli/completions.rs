//! `kontor completions`: what a shell needs to complete this command line. Packages have the answers with them; it opens no
//! appliance and writes no file.

use crate::cli::failure::Failure;
use crate::cli::out::Out;
use clap::Command;
use clap_complete::Shell;
use clap_complete::aot::Generator;

/// Prints the completions of a shell.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kontor completions bash > /usr/share/bash-completion/completions/kontor

The packages have those of bash, zsh and fish in their places already.
Exit codes: 0 done; 2 wrong usage.")]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, mut command: Command, out: &mut Out) -> Result<u8, Failure> {
    let mut text = Vec::new();
    command.set_bin_name("kontor");
    command.build();
    args.shell.generate(&command, &mut text);
    out.line(String::from_utf8_lossy(&text).trim_end());
    Ok(0)
}
