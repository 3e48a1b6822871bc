//! The command line: one file per verb, one writer for what they say, one form for what goes wrong.
//! A verb opens the appliance in its folder, does one thing as the local operator, and tells it in the audit log.

mod advisories;
mod audit_verify;
mod backup;
mod backup_target;
mod completions;
mod config_check;
mod config_explain;
mod demo;
mod doctor;
mod dr;
mod drill_report;
mod dump;
pub(crate) mod failure;
mod import;
mod init;
pub(crate) mod local;
mod mail;
mod man;
mod new_file;
mod node;
mod object;
pub(crate) mod out;
mod picking;
mod qr;
mod restoring;
mod rewinding;
mod secret;
mod serve;
mod shares;
mod sheet;
mod signing_in;
mod slot;
mod source;
mod standby;
mod support;
mod tls;
mod unseal;
mod upgrade;
mod user;
mod version;

pub(crate) use local::is_alive;
pub(crate) use serve::certificates;
pub(crate) use version::facts as version_facts;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use failure::{EXIT_NOT_DONE, Failure};
use out::Out;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
First steps:
  kontor demo --dir demo --listen 127.0.0.1:8443      look at it with sample data
  kontor init --dir kontor --admin anna               make an appliance of your own
  kontor serve --dir kontor                           and start it

Exit codes: 0 done; 1 done, but the answer is bad (findings, rejected rows, a refused secret); 2 not done, or wrong \
usage; 74 the disk failed under the audit log; 78 the configuration is not valid.
`kontor help VERB` explains a verb with an example. Guides: docs/admin/.";

/// Kontor: a CRM that never leaves the building.
///
/// One binary with web interface, API, database, encryption, permissions and audit log. Everything of one appliance lies
/// in one folder: /var/lib/kontor where a package was installed, else the one named with --dir.
#[derive(Parser)]
#[command(name = "kontor", bin_name = "kontor", max_term_width = 100, after_help = AFTER_HELP, version)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Init(init::InitArgs),
    Serve(serve::ServeArgs),
    Demo(demo::DemoArgs),
    Unseal(unseal::UnsealArgs),
    #[command(subcommand)]
    Slot(slot::SlotVerb),
    #[command(subcommand)]
    User(user::UserVerb),
    #[command(subcommand)]
    Object(object::ObjectVerb),
    Import(import::ImportArgs),
    #[command(subcommand)]
    Backup(backup::BackupVerb),
    #[command(subcommand)]
    Dr(dr::DrVerb),
    #[command(subcommand)]
    Standby(standby::StandbyVerb),
    #[command(subcommand)]
    Node(node::NodeVerb),
    #[command(subcommand)]
    Mail(mail::MailVerb),
    #[command(subcommand)]
    Tls(tls::TlsVerb),
    #[command(subcommand)]
    Audit(AuditVerb),
    #[command(subcommand)]
    Config(ConfigVerb),
    #[command(subcommand)]
    Upgrade(upgrade::UpgradeVerb),
    Advisories(advisories::AdvisoriesArgs),
    Doctor(doctor::DoctorArgs),
    #[command(subcommand)]
    Support(support::SupportVerb),
    Version(version::VersionArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// The audit log: verify it.
#[derive(Subcommand)]
enum AuditVerb {
    Verify(audit_verify::VerifyArgs),
}

/// The configuration: check it, look up what can stand in it.
#[derive(Subcommand)]
enum ConfigVerb {
    Check(config_check::CheckArgs),
    Explain(config_explain::ExplainArgs),
}

/// Where the packages put the appliance of a machine.
pub(crate) const INSTALLED_DIR: &str = "/var/lib/kontor";

/// The folder of the appliance.
#[derive(Args, Clone, Debug)]
pub(crate) struct Dir {
    /// The folder of the appliance: configuration, keys, data, log. Without it the one that the environment variable KONTOR_DIR
    /// names, else /var/lib/kontor where a package has made that.
    #[arg(long, value_name = "DIR", env = "KONTOR_DIR", hide_env = true, default_value = installed(), hide_default_value = true, required = installed().is_none())]
    pub(crate) dir: PathBuf,
}

/// Only where it is there: nobody makes an appliance in a folder of the system by leaving a word out.
fn installed() -> Option<&'static str> {
    std::path::Path::new(INSTALLED_DIR).is_dir().then_some(INSTALLED_DIR)
}

/// Everything that can be written on the command line.
fn command() -> clap::Command {
    Cli::command()
}

/// Runs the verb that the arguments name, and says how the process ends.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut out = Out::of_process();
    let parsed = command().try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let verb = match parsed {
        Ok(cli) => cli.verb,
        Err(refused) => {
            let text = refused.render().to_string();
            if refused.use_stderr() {
                out.note(text.trim_end());
                return ExitCode::from(EXIT_NOT_DONE);
            }
            out.line(text.trim_end());
            out.flush();
            return ExitCode::SUCCESS;
        }
    };
    let ended = keep_private().and_then(|()| dispatch(verb, &mut out));
    out.flush();
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            out.note(failure.text());
            ExitCode::from(failure.exit)
        }
    }
}

fn dispatch(verb: Verb, out: &mut Out) -> Result<u8, Failure> {
    match verb {
        Verb::Init(args) => init::run(&args, out),
        Verb::Serve(args) => serve::run(&args, out),
        Verb::Demo(args) => demo::run(&args, out),
        Verb::Unseal(args) => unseal::run(&args, out),
        Verb::User(verb) => user::run(&verb, out),
        Verb::Object(verb) => object::run(&verb, out),
        Verb::Import(args) => import::run(&args, out),
        Verb::Slot(verb) => slot::run(&verb, out),
        Verb::Backup(verb) => backup::run(&verb, out),
        Verb::Dr(verb) => dr::run(&verb, out),
        Verb::Standby(verb) => standby::run(&verb, out),
        Verb::Node(verb) => node::run(&verb, out),
        Verb::Mail(verb) => mail::run(&verb, out),
        Verb::Tls(verb) => tls::run(&verb, out),
        Verb::Audit(AuditVerb::Verify(args)) => audit_verify::run(&args, out),
        Verb::Config(ConfigVerb::Check(args)) => config_check::run(&args, out),
        Verb::Config(ConfigVerb::Explain(args)) => config_explain::run(&args, out),
        Verb::Upgrade(verb) => upgrade::run(&verb, out),
        Verb::Advisories(args) => advisories::run(&args, out),
        Verb::Doctor(args) => doctor::run(&args, out),
        Verb::Support(verb) => support::run(&verb, out),
        Verb::Version(args) => version::run(&args, out),
        Verb::Completions(args) => completions::run(&args, command(), out),
        Verb::Man(args) => man::run(&args, command(), out),
    }
}

/// A core dump would hold keys and customer data in clear, and files with either are for their owner only.
fn keep_private() -> Result<(), Failure> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none)
        .and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable))
        .map_err(|error| Failure::new(kernel::Code::Unavailable, format!("core dumps cannot be switched off: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_every_verb_teaches() {
        let mut command = command();
        command.build();
        command.clone().debug_assert();
        fn visit(command: &clap::Command, path: &str) {
            for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
                let path = format!("{path} {}", verb.get_name());
                assert!(verb.get_about().is_some(), "{path} says what it is for");
                if verb.has_subcommands() {
                    visit(verb, &path);
                } else {
                    let help = verb
                        .get_after_long_help()
                        .or(verb.get_after_help())
                        .map(ToString::to_string)
                        .unwrap_or_default();
                    assert!(help.contains("Example"), "{path} has an example");
                    assert!(help.contains("Exit codes"), "{path} names its exit codes");
                    assert!(help.contains("kontor "), "{path} shows a whole command");
                }
            }
        }
        visit(&command, "kontor");
    }
}
