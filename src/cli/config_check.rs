//! `kontor config check`: everything that is wrong with a configuration, at once, before anything is started.

use crate::appliance::{Layout, config_failure};
use crate::cli::Dir;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::Out;
use crate::config::{Config, DatabaseConfig};
use kernel::Code;
use std::os::unix::fs::PermissionsExt;

/// Checks the configuration and the files it names; starts nothing.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kontor config check --dir /srv/kontor

Prints what the configuration means, or every problem with the key it is about. Opens no database and no key.
Exit codes: 0 valid; 1 problems; 2 the folder cannot be read.")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    dir: Dir,
}

pub(crate) fn run(args: &CheckArgs, out: &mut Out) -> Result<u8, Failure> {
    let layout = Layout::new(&args.dir.dir);
    if layout.is_unused()? {
        return Err(Failure::new(Code::ConfigInvalid, format!("there is no appliance in {}", layout.dir().display()))
            .todo("make one with `kontor init`"));
    }
    let bad = |problems: &[crate::config::Problem]| config_failure(&layout, problems).exit(EXIT_ANSWER_BAD);
    let config = Config::read(&layout).map_err(|problems| bad(&problems))?;
    let mut problems = config.problems_on_disk();
    problems.extend(open_folders(&layout));
    if !problems.is_empty() {
        return Err(bad(&problems));
    }
    out.line("The configuration is valid.");
    let scheme = if config.server.plain_http_on_loopback { "http" } else { "https" };
    out.line(format!("  listens on  {scheme}://{}", config.server.listen));
    out.line(format!("  names       localhost {}", config.server.names.join(" ")));
    out.line(match &config.database {
        DatabaseConfig::Sqlite => format!("  database    {}", layout.database().display()),
        DatabaseConfig::Postgres { url_file, .. } => {
            format!("  database    PostgreSQL, address in {}", url_file.display())
        }
    });
    out.line(match &config.unseal.key_file {
        Some(file) => format!("  at start    unseals itself with {}", file.display()),
        None => "  at start    sealed, waits for `kontor unseal`".to_owned(),
    });
    out.line(match &config.mail {
        Some(mail) => format!("  mail        through {} to {}", mail.place(), recipients(mail.everybody().len())),
        None => "  mail        none: mail.relay names no relay".to_owned(),
    });
    Ok(0)
}

fn recipients(count: usize) -> String {
    if count == 1 { "1 recipient".to_owned() } else { format!("{count} recipients") }
}

/// Folders with keys and data that others can enter.
fn open_folders(layout: &Layout) -> Vec<crate::config::Problem> {
    let mut problems = Vec::new();
    for folder in [layout.keys(), layout.data(), layout.log(), layout.tls()] {
        let what = match std::fs::metadata(&folder) {
            Err(error) => format!("{} cannot be read: {error}.", folder.display()),
            Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                format!("{} can be entered by others: run chmod 700 on it.", folder.display())
            }
            Ok(_) => continue,
        };
        problems.push(crate::config::Problem { key: String::new(), what });
    }
    problems
}
