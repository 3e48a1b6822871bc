//! `kontor backup`: sets made, listed, verified, proven and restored at the command line. May run beside a server: one
//! process at a time makes or removes sets. A restore never writes over anything.

use crate::appliance::{Appliance, Keeper, Opened, local_operator, proven_too_old};
use crate::cli::Dir;
use crate::cli::audit_verify::seal_after;
use crate::cli::backup_target::{self, TargetVerb};
use crate::cli::drill_report;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::init::DatabaseArgs;
use crate::cli::out::Out;
use crate::cli::picking;
use crate::cli::restoring::{OpenWith, Place};
use crate::cli::rewinding;
use crate::cli::secret::{self, PassphraseFrom};
use crate::cli::source::{Source, SourceArgs};
use crate::service::signals::Signals;
use audit::Verb;
use clap::Subcommand;
use identity::{Actor, Channel};
use kernel::{Code, Timestamp};
use recovery::{Decision, KeepRule, Progress, SetName};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::BackupRow;

/// Backup sets: make, list, verify, prove and restore them.
#[derive(Subcommand)]
pub(crate) enum BackupVerb {
    /// Makes a set now and puts it on every target.
    #[command(after_help = "Example:
  kontor backup run --dir /srv/kontor

Reads each set back before it counts, then marks and removes older ones by plan. May run beside a server.
Exit codes: 0 on every target; 1 on some it failed; 2 not done.")]
    Run(OpenArgs),
    /// Lists the sets, and what the plan says of each.
    #[command(after_help = "Example:
  kontor backup list --dir /srv/kontor

STATE says what became of it, PROVEN when a drill last restored it. PLAN says whether it stays and why.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    List(OpenArgs),
    /// Restores the newest set into a scratch folder, looks it through, and takes it away again.
    #[command(after_help = "Example:
  kontor backup drill --dir /srv/kontor

Unpacks the set, looks through the database file, compares its counts with the manifest, and verifies the whole log with
every record's state. Says how long that took: the time a recovery needs.
Exit codes: 0 everything was well; 1 it was not; 2 not done.")]
    Drill(OpenArgs),
    /// Writes the reports of drills as files, signed with the key of the audit log.
    #[command(after_help = "Example:
  kontor backup report --dir /srv/kontor --to /media/audit --last 30

Each drill is a JSON file with what was asked and what came of it, and a signed note (.sig) over its SHA-256. For auditors.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    Report(drill_report::ReportArgs),
    /// Prints the key that opens the sets of this appliance with `age`, for a safe.
    #[command(after_help = "Example:
  kontor backup key --dir /srv/kontor > /media/safe/kontor-backup.key

Whoever has this key and a set needs no passphrase for the set; sealed fields in it stay sealed. That it was shown stands
in the audit log.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    Key(OpenArgs),
    /// Reads a set back where it lies: lengths, hashes, signature. Needs no secret.
    #[command(after_help = "Example:
  kontor backup verify --from /mnt/disk2/kontor/0192…/set-00000042-20260131T021500Z --log-key log-key.pub
  kontor backup verify --from kontor.toml --target store --set set-00000042-20260131T021500Z

Without a set it is the newest. --from may name a file as kontor.toml whose [backup.targets] says where a store or server is.
--log-key names the copy of log-key.pub that you keep elsewhere. Without it the one in the set is used: then an altered
set is found, but not one that somebody else made anew.
Exit codes: 0 whole; 1 it is not; 2 not done.")]
    Verify(VerifyArgs),
    /// Makes an appliance's folder from a set. Never over anything.
    #[command(after_help = "Examples:
  kontor backup restore --from /media/set-00000042-20260131T021500Z --dir /srv/kontor
  kontor backup restore --from SET --dir /srv/kontor --key-file unseal.key
  kontor backup restore --from SET --dir /srv/kontor --shares
  kontor backup restore --from SET --dir /srv/kontor --age-key-file kontor-backup.key
  kontor backup restore --from SET --dir /srv/kontor --database-url-file /etc/kontor/database-url
  kontor backup restore --from /mnt/disk2/kontor/0192… --dir /srv/kontor --at 2026-01-31T10:59:59Z
  kontor backup restore --from targets.toml --target store --dir /srv/kontor

--from names a set; or the folder that holds the sets of an appliance: then the newest moment is restored that was shipped
there, or with --at the last one not later than that. Or it names a file as kontor.toml, whose [backup.targets] says where a
store or server is; --set names a set there. Says first what will not be in it. `kontor backup window` says how far
back that goes.

Verifies the set first, and looks through what it restored afterwards: damage, counts, the log with every record. The data go
into a SQLite file, whatever engine the set was made on; with --database-url-file into an empty database of a PostgreSQL
server. What was written after the moment of the set is not in it; the command says which moment that is.
Exit codes: 0 restored; 1 the secret opens nothing, or what was restored is not whole; 2 not done.")]
    Restore(RestoreArgs),
    #[command(subcommand)]
    Target(TargetVerb),
    /// Says from when to when a target can go back, and whether the chain is whole.
    #[command(after_help = "Example:
  kontor backup window --from /mnt/disk2/kontor

Reads every segment that was shipped there and checks hashes, order and signatures; opens nothing and needs no secret.
Exit codes: 0 whole; 1 something is in the way of a later moment; 2 not done.")]
    Window(rewinding::WindowArgs),
    /// Shows what a set holds, as a user may see it.
    #[command(after_help = "Examples:
  kontor backup browse --dir /srv/kontor --as greta 42
  kontor backup browse --dir /srv/kontor --as greta 42 account --find hanse

SET is its number or its name, as `kontor backup list` prints it. Without OBJECT the objects and their records are counted;
--find takes words of the name, a number such as ACC-000017, or an id. STATE says where a record is now: live, binned (in the
recycle bin) or missing (nowhere). The user needs the right backup_pick and sees what that user may see today.
Exit codes: 0 done; 1 the passphrase or the password opens nothing; 2 not done.")]
    Browse(picking::BrowseArgs),
    /// Compares records of a set with those of now, and brings back what is named.
    #[command(after_help = "Examples:
  kontor backup pick --dir /srv/kontor --as greta 42 account 01890a5d-ac96-774b-bcce-b302099a8057
  kontor backup pick --dir /srv/kontor --as greta 42 account 01890a5d-… --field phone --field email
  kontor backup pick --dir /srv/kontor --as greta 42 account 01890a5d-… --all
  kontor backup pick --dir /srv/kontor --as greta 42 account
  kontor backup pick --dir /srv/kontor --as greta 42 account --missing --different --field phone

Without --field, --all, --missing, --binned or --different nothing is written: both sides are shown, or counted for a whole
object. What is written goes through the user's own rights, as a change like any other. --dry-run tries it and takes it back.
Exit codes: 0 done; 1 some records were refused, or a secret opens nothing; 2 not done.")]
    Pick(picking::PickArgs),
    /// Prints what every table holds, as hashes that are the same on both engines.
    #[command(after_help = "Example:
  kontor backup content --dir /srv/kontor

Compare them before and after a move from one engine to the other. While an appliance serves they change: stop it first, or
compare with what `kontor backup restore` made. Needs no secret; nothing is opened and nothing is written.
Exit codes: 0 done; 2 not done.")]
    Content(ContentArgs),
}

/// An appliance that is opened.
#[derive(clap::Args)]
pub(crate) struct OpenArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
    /// One line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(clap::Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// The name of a set there (set-00000042-20260131T021500Z).
    #[arg(long, value_name = "SET")]
    set: Option<SetName>,
    /// The public key of the log, from a copy kept elsewhere.
    #[arg(long, value_name = "FILE")]
    log_key: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    set: VerifyArgs,
    /// The folder to make; absent or empty.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) open: OpenWith,
    /// The moment to go back to, such as 2026-01-31T10:59:59Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

impl VerifyArgs {
    /// The set that was named, in either way.
    fn only(&self) -> Result<Option<SetName>, Failure> {
        match (self.source.set(), &self.set) {
            (Some(_), Some(_)) => {
                Err(Failure::new(Code::ParameterInvalid, "--from names a set already; leave --set away"))
            }
            (at, named) => Ok(at.or_else(|| named.clone())),
        }
    }
}

impl RestoreArgs {
    /// Where to restore from.
    pub(crate) fn source(&self) -> &SourceArgs {
        &self.set.source
    }
    /// The copy of the log's public key.
    pub(crate) fn log_key(&self) -> Option<&Path> {
        self.set.log_key.as_deref()
    }
}

#[derive(clap::Args)]
pub(crate) struct ContentArgs {
    #[command(flatten)]
    dir: Dir,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(verb: &BackupVerb, out: &mut Out) -> Result<u8, Failure> {
    match verb {
        BackupVerb::Run(args) => with_keeper(args, |keeper, operator| make(keeper, operator, args.json, out)),
        BackupVerb::List(args) => with_keeper(args, |keeper, _| list(keeper, args.json, out)),
        BackupVerb::Drill(args) => with_keeper(args, |keeper, operator| drill(keeper, operator, args.json, out)),
        BackupVerb::Report(args) => with_keeper(&args.open, |keeper, _| drill_report::write(args, keeper, out)),
        BackupVerb::Key(args) => key(args, out),
        BackupVerb::Verify(args) => verify(args, out),
        BackupVerb::Restore(args) => restore(args, out),
        BackupVerb::Target(verb) => backup_target::run(verb, out),
        BackupVerb::Window(args) => rewinding::window(args, out),
        BackupVerb::Browse(args) => picking::browse(args, out),
        BackupVerb::Pick(args) => picking::pick(args, out),
        BackupVerb::Content(args) => content(args, out),
    }
}

fn with_keeper(args: &OpenArgs, act: impl FnOnce(&Keeper, &Actor) -> Result<u8, Failure>) -> Result<u8, Failure> {
    let appliance = Appliance::load(&args.dir.dir)?;
    let operator =
        local_operator(&appliance.layout, Channel::Cli, appliance.clock.as_ref(), appliance.random.as_ref())?;
    secret::unseal(&appliance, &args.from)?;
    let opened = appliance.open()?;
    let done = Keeper::new(&appliance, &opened.store, &opened.signer, opened.shipping.clone())
        .and_then(|keeper| act(&keeper, &operator));
    close(opened)?;
    done
}

fn close(opened: Opened) -> Result<(), Failure> {
    seal_after(&opened)?;
    opened.store.close();
    Ok(())
}

fn make(keeper: &Keeper, operator: &Actor, json: bool, out: &mut Out) -> Result<u8, Failure> {
    let made = keeper.make(operator, stopped_by_signal()?.as_ref(), &keeper.target_names())?;
    let whole = made.outcomes.iter().all(|outcome| outcome.outcome.is_ok());
    let told = |outcome: &recovery::TargetOutcome| match &outcome.outcome {
        Ok(verified) => json!({"target": outcome.target, "ok": true, "bytes": verified.bytes()}),
        Err(error) => {
            json!({"target": outcome.target, "ok": false, "error": error.word(), "detail": error.to_string()})
        }
    };
    if json {
        let targets: Vec<_> = made.outcomes.iter().map(told).collect();
        out.json(&json!({"set": made.name.to_string(), "sequence": made.sequence, "targets": targets}))?;
    } else {
        out.line(format!("Set {}", made.name));
        for outcome in &made.outcomes {
            out.line(match &outcome.outcome {
                Ok(verified) => format!("  {}  {}, written and read back", outcome.target, size(verified.bytes())),
                Err(error) => format!("  {}  FAILED: {error}", outcome.target),
            });
        }
    }
    let gone = if whole { keeper.prune(operator)? } else { 0 };
    if gone > 0 && !json {
        out.line(format!("{gone} older sets were removed by plan."));
    }
    Ok(if whole { 0 } else { EXIT_ANSWER_BAD })
}

/// A progress that ends with SIGTERM or SIGINT: what is half done is taken away before the process ends.
fn stopped_by_signal() -> Result<Arc<Progress>, Failure> {
    let (signals, progress) = (Signals::listen()?, Arc::new(Progress::default()));
    let told = Arc::clone(&progress);
    let thread = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        signals.wait_alone();
        told.stop();
    });
    thread.map_err(|error| Failure::new(Code::Unavailable, format!("cannot start a thread: {error}")))?;
    Ok(progress)
}

fn list(keeper: &Keeper, json: bool, out: &mut Out) -> Result<u8, Failure> {
    let (rows, plans) = (keeper.sets()?, keeper.plan()?);
    let decision = |row: &BackupRow| -> Option<Decision> {
        let (decisions, _) = plans.get(&row.target)?;
        decisions.iter().find(|one| one.sequence == row.sequence && row.state == "verified").copied()
    };
    if json {
        let told = |row: &BackupRow| {
            json!({"sequence": row.sequence, "target": row.target, "name": row.name, "state": row.state,
                "made_at": row.made_at, "bytes": row.bytes, "verified_at": row.verified_at, "proven_at": row.proven_at,
                "marked_at": row.marked_at, "detail": row.detail, "plan": decision(row)})
        };
        out.json(&rows.iter().map(told).collect::<Vec<_>>())?;
        return Ok(0);
    }
    let when = |at: Option<Timestamp>| {
        at.map_or_else(|| "-".to_owned(), |at| at.to_datetime().format("%Y-%m-%d %H:%M").to_string())
    };
    let line = |row: &BackupRow| {
        let plan = decision(row).map_or_else(|| row.detail.clone(), |one| words(&one).to_owned());
        vec![row.name.clone(), row.target.clone(), row.state.clone(), size(row.bytes), when(row.proven_at), plan]
    };
    out.table(&["SET", "TARGET", "STATE", "SIZE", "PROVEN", "PLAN"], &rows.iter().map(line).collect::<Vec<_>>());
    if plans.values().any(|(_, steady)| !steady) {
        out.note("The clock and the sets disagree about time, so no set is removed. Look at the machine's clock.");
    }
    if let Some(hours) = proven_too_old(&keeper.config(), &rows, keeper.now()) {
        out.note(format!(
            "The newest proven set is {hours} hours old, which is too old. Prove a newer one: kontor backup drill"
        ));
    }
    if let Some(next) = keeper.next_set() {
        out.line(format!("Next set: {}", when(Some(next))));
    }
    Ok(0)
}

fn words(decision: &Decision) -> &'static str {
    use recovery::Reason;
    match (decision.rule, decision.reason) {
        (KeepRule::Remove, _) => "goes with the next set",
        (KeepRule::Mark, Reason::NeverVerified) => "may go: it was never read back whole",
        (KeepRule::Mark, _) => "may go: younger sets do for it",
        (KeepRule::Keep, Reason::Pinned) => "stays: somebody wants it to",
        (KeepRule::Keep, Reason::Newest) => "stays: the newest",
        (KeepRule::Keep, Reason::Daily) => "stays: of its day",
        (KeepRule::Keep, Reason::Weekly) => "stays: of its week",
        (KeepRule::Keep, Reason::Monthly) => "stays: of its month",
        (KeepRule::Keep, Reason::Yearly) => "stays: of its year",
        (KeepRule::Keep, _) => "stays: one of the fewest that always do",
    }
}

fn drill(keeper: &Keeper, operator: &Actor, json: bool, out: &mut Out) -> Result<u8, Failure> {
    let report = keeper.drill(operator, &stopped_by_signal()?, None)?;
    if json {
        out.json(&report)?;
    } else {
        out.line(format!("Set {} from {}", report.set, report.target));
        for check in &report.checks {
            let verdict = if check.ok { "well" } else { "NOT WELL" };
            out.line(format!("  {:<9}  {verdict}  {} ms  {}", check.check, check.millis, check.detail));
        }
        let verdict = if report.ok { "The set was restored and is whole" } else { "The set could NOT be restored" };
        out.line(format!("{verdict}; {} ms in all.", report.millis));
    }
    Ok(if report.ok { 0 } else { EXIT_ANSWER_BAD })
}

fn key(args: &OpenArgs, out: &mut Out) -> Result<u8, Failure> {
    let appliance = Appliance::load(&args.dir.dir)?;
    let operator =
        local_operator(&appliance.layout, Channel::Cli, appliance.clock.as_ref(), appliance.random.as_ref())?;
    secret::unseal(&appliance, &args.from)?;
    let opened = appliance.open()?;
    // In the log before it is on the screen.
    let entry = opened.store.entry(&operator, Verb::BackupKey);
    let logged = opened.store.append(vec![entry]).wait();
    let identity = appliance.vault.archive_identity()?;
    close(opened)?;
    logged?;
    out.line(format!("# opens the backup sets of this Kontor appliance; public half {}", identity.recipient()));
    out.line(identity.reveal().as_str());
    Ok(0)
}

/// The set that was meant: `--from` names its folder, `--set` its name, or it is the newest.
fn meant(args: &VerifyArgs, source: &Source) -> Result<SetName, Failure> {
    match args.only()? {
        Some(set) => Ok(set),
        None => source.newest(),
    }
}

fn verify(args: &VerifyArgs, out: &mut Out) -> Result<u8, Failure> {
    let source = args.source.open()?;
    let set = meant(args, &source)?;
    let key = source.key(Some(&set), args.log_key.as_deref(), out)?;
    match recovery::verify_set(source.target.as_ref(), &set, &key, None) {
        Ok((verified, manifest)) => {
            out.line(format!("{set} is whole: {} files, {}.", manifest.files.len(), size(verified.bytes())));
            out.line(format!(
                "Appliance {}, moment {}, {} entries of the log.",
                manifest.appliance,
                manifest.made_at,
                manifest.log_rows()
            ));
            Ok(0)
        }
        Err(error) => {
            out.line(format!("{set} is NOT whole: {error}"));
            Ok(EXIT_ANSWER_BAD)
        }
    }
}

fn restore(args: &RestoreArgs, out: &mut Out) -> Result<u8, Failure> {
    let only = args.set.only()?;
    let (Some(set), None) = (&only, args.at) else { return rewinding::restore(args, only.as_ref(), out) };
    let source = args.set.source.open()?;
    let key = source.key(Some(set), args.log_key(), out)?;
    let place = Place::new(&args.dir, &args.database)?;
    let slots = source.slots(set)?;
    let identity = args.open.identity(slots.path().to_owned())?;
    place.restore((source.target.as_ref(), set), &key, &identity, &args.open, out)
}

fn content(args: &ContentArgs, out: &mut Out) -> Result<u8, Failure> {
    let tables = store::Store::content_of(&Appliance::load(&args.dir.dir)?.store_config()?.engine)?;
    if args.json {
        out.json(&tables)?;
        return Ok(0);
    }
    let line = |table: &store::TableContent| vec![table.table.clone(), table.rows.to_string(), table.sha256.clone()];
    out.table(&["TABLE", "ROWS", "SHA-256"], &tables.iter().map(line).collect::<Vec<_>>());
    Ok(0)
}

pub(crate) fn size(bytes: u64) -> String {
    if bytes < 10 * 1024 * 1024 { format!("{} KiB", bytes.div_ceil(1024)) } else { format!("{} MiB", bytes >> 20) }
}
