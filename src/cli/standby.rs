//! `kontor standby`: a second appliance that follows the first by what is shipped, says how it is, and takes its place by one
//! command; the old one is fenced. Never opens a standby as an appliance before it was promoted.

use crate::appliance::{Appliance, FolderLock, layout, local_operator, recovery_failure};
use crate::cli::Dir;
use crate::cli::audit_verify::seal_after;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::Out;
use crate::cli::restoring::OpenWith;
use crate::cli::secret::{self, PassphraseFrom};
use crate::cli::source::{Source, SourceArgs};
use audit::{Verb, VerifierKey};
use clap::Subcommand;
use identity::Channel;
use kernel::{Clock, Code, SystemClock};
use recovery::{Fence, Followed, Standby, Target};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use vault::ArchiveIdentity;

/// How often it is looked for what was shipped.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// And on a machine of somebody else, which may count what it is asked.
const LOOK_FAR_EVERY: Duration = Duration::from_secs(2);

/// The second machine: follow the first, look how it stands, take its place.
#[derive(Subcommand)]
pub(crate) enum StandbyVerb {
    /// Follows what is shipped to a target, until it is stopped; makes the folder the first time.
    #[command(after_help = "Examples:
  kontor standby follow --from /mnt/disk2/kontor --dir /srv/standby --key-file unseal.key
  kontor standby follow --from /mnt/disk2/kontor --dir /srv/standby --key-file unseal.key --once
  kontor standby follow --from targets.toml --target nas --dir /srv/standby --key-file unseal.key

Restores the newest moment the first time, then applies each segment as it comes, and looks everything through every
--verify-minutes: the chain of hashes, the database, the whole log with every record. Begins anew by itself when a new stream
with a new set begins. --once catches up, looks through and ends. May be killed at any time.
Exit codes: 0 stopped, or caught up and well; 1 the secret opens nothing, or something is not well; 2 not done.")]
    Follow(FollowArgs),
    /// Says how the standby in a folder stands.
    #[command(after_help = "Example:
  kontor standby status --dir /srv/standby

Exit codes: 0 well; 1 something is in the way; 2 there is no standby.")]
    Status(StatusArgs),
    /// Makes the standby the appliance: catches up, looks it through, fences the old one.
    #[command(after_help = "Example:
  kontor standby promote --dir /srv/standby

Writes a signed fence with a higher term to the target it followed: the old node takes no writes any more as soon as it
sees it there, also when it comes back later (`fenced`). With --as-is it does without the target, which then cannot tell
the old node: make sure by hand that it is off for good. Then: kontor config check, kontor serve.
Exit codes: 0 promoted; 1 it is not whole, or the secret opens nothing; 2 not done.")]
    Promote(PromoteArgs),
}

#[derive(clap::Args)]
pub(crate) struct FollowArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    source: SourceArgs,
    /// The public key of the log, from a copy kept elsewhere.
    #[arg(long, value_name = "FILE")]
    log_key: Option<PathBuf>,
    #[command(flatten)]
    open: OpenWith,
    /// Catches up, looks through, and ends.
    #[arg(long)]
    once: bool,
    /// How often everything is looked through.
    #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=10_080))]
    verify_minutes: u64,
}

#[derive(clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    dir: Dir,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct PromoteArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    secret: PassphraseFrom,
    /// Without the target: what is in the folder now is what the appliance will be.
    #[arg(long)]
    as_is: bool,
}

pub(crate) fn run(verb: &StandbyVerb, out: &mut Out) -> Result<u8, Failure> {
    match verb {
        StandbyVerb::Follow(args) => follow(args, out),
        StandbyVerb::Status(args) => status(args, out),
        StandbyVerb::Promote(args) => promote(args, out),
    }
}

fn standby_of(dir: &Path) -> Result<Option<Standby>, Failure> {
    Standby::read(dir).map_err(recovery_failure)
}

fn none_here(dir: &Path) -> Failure {
    Failure::new(Code::RecordNotFound, format!("{} is no standby", dir.display()))
        .todo("make one: `kontor standby follow`")
}

fn follow(args: &FollowArgs, out: &mut Out) -> Result<u8, Failure> {
    let dir = &args.dir.dir;
    let source = args.source.open()?;
    let key = source.key(None, args.log_key.as_deref(), out)?;
    let known = standby_of(dir)?;
    let identity = match &known {
        Some(_) => args.open.identity(layout::Layout::new(dir).slots())?,
        None => args.open.identity(source.slots(&source.newest()?)?.path().to_owned())?,
    };
    if known.is_none() {
        begin(args, &source, (&key, &identity), dir, out)?;
    }
    let look_every = if source.is_folder { LOOK_EVERY } else { LOOK_FAR_EVERY };
    let _lock = FolderLock::take(&layout::Layout::new(dir))?;
    let (clock, mut verified) = (SystemClock::start(), None);
    let every = Duration::from_secs(args.verify_minutes * 60);
    loop {
        let outcome = recovery::standby_follow(source.target.as_ref(), &key, &identity, dir);
        match outcome {
            Ok(Followed::Applied(_)) => continue,
            Ok(Followed::Anew) => {
                out.line("A new stream has begun; the standby begins anew from its set.");
                anew(args, &source, (&key, &identity), out)?;
                verified = None;
                continue;
            }
            Ok(Followed::Current) => {}
            Err(error) if args.once => return Err(recovery_failure(error)),
            // A target that is away comes back; what is damaged may be mended there.
            Err(error) => out.note(format!("{error}; it is tried again")),
        }
        if verified.is_none_or(|at| clock.monotonic().saturating_sub(at) >= every) {
            verified = Some(clock.monotonic());
            let found = recovery::standby_verify(&key, dir, &clock).map_err(recovery_failure)?;
            tell(dir, &found, out)?;
            if args.once {
                return Ok(if found.is_empty() { 0 } else { EXIT_ANSWER_BAD });
            }
        }
        out.flush();
        std::thread::park_timeout(look_every);
    }
}

fn begin(
    args: &FollowArgs,
    source: &Source,
    (key, identity): (&VerifierKey, &ArchiveIdentity),
    into: &Path,
    out: &mut Out,
) -> Result<(), Failure> {
    let (_, plan) = recovery::standby_begin(source.target.as_ref(), &source.from, key, identity, into)
        .map_err(|error| recovery_failure(error).kept("nothing was changed; what was half made is gone"))?;
    out.line(format!("{} was made from {} and follows from {} on.", into.display(), plan.set, plan.moment));
    args.open.place_key_file(into, out)?;
    out.flush();
    Ok(())
}

/// Made beside the folder and put in its place; what was there was a standby and holds nothing of its own.
fn anew(
    args: &FollowArgs,
    source: &Source,
    keys: (&VerifierKey, &ArchiveIdentity),
    out: &mut Out,
) -> Result<(), Failure> {
    let dir = &args.dir.dir;
    let beside = |ending: &str| {
        let mut name = dir.file_name().unwrap_or_default().to_owned();
        name.push(ending);
        dir.with_file_name(name)
    };
    let (next, old) = (beside(".next"), beside(".old"));
    for left in [&next, &old] {
        if left.exists() {
            std::fs::remove_dir_all(left).map_err(|error| Failure::file(left, &error))?;
        }
    }
    begin(args, source, keys, &next, out)?;
    let placed = std::fs::rename(dir, &old).and_then(|()| std::fs::rename(&next, dir));
    placed.map_err(|error| Failure::file(dir, &error))?;
    std::fs::remove_dir_all(&old).map_err(|error| Failure::file(&old, &error))
}

fn tell(dir: &Path, found: &[String], out: &mut Out) -> Result<(), Failure> {
    let standby = standby_of(dir)?.ok_or_else(|| none_here(dir))?;
    if found.is_empty() {
        out.line(format!("As of {}: database, log and every record are as they should be.", standby.moment));
    } else {
        out.line(format!("As of {}: NOT well: {}", standby.moment, found.join("; ")));
    }
    Ok(())
}

fn status(args: &StatusArgs, out: &mut Out) -> Result<u8, Failure> {
    let standby = standby_of(&args.dir.dir)?.ok_or_else(|| none_here(&args.dir.dir))?;
    let behind = SystemClock::start().now().micros().saturating_sub(standby.moment.micros()) / 1_000_000;
    let code = if standby.trouble.is_none() { 0 } else { EXIT_ANSWER_BAD };
    if args.json {
        out.json(&json!({"from": standby.from.from, "target": standby.from.target, "moment": standby.moment, "seconds_behind": behind,
            "verified_at": standby.verified_at, "verified_moment": standby.verified_moment, "trouble": standby.trouble}))?;
        return Ok(code);
    }
    out.line(format!("Follows {}", standby.from));
    out.line(format!("As of {}, {behind} seconds ago", standby.moment));
    out.line(match (standby.verified_at, standby.verified_moment) {
        (Some(at), Some(moment)) => format!("Looked through at {at}, as of {moment}: well"),
        _ => "Not looked through yet".to_owned(),
    });
    if let Some(trouble) = &standby.trouble {
        out.line(format!("NOT well: {trouble}"));
    }
    Ok(code)
}

fn promote(args: &PromoteArgs, out: &mut Out) -> Result<u8, Failure> {
    let dir = &args.dir.dir;
    let standby = standby_of(dir)?.ok_or_else(|| none_here(dir))?;
    let appliance = Appliance::load(dir)?;
    let _lock =
        FolderLock::take(&appliance.layout).map_err(|failure| failure.todo("stop `kontor standby follow` first"))?;
    let key = appliance.verifier_key()?;
    secret::unseal(&appliance, &args.secret)?;
    let identity = appliance.vault.archive_identity()?;
    let source = if args.as_is { None } else { Some(Source::open(&standby.from)?) };
    let kept = |failure: Failure| failure.kept("nothing was changed; the standby is still one");
    if let Some(source) = &source {
        loop {
            match recovery::standby_follow(source.target.as_ref(), &key, &identity, dir)
                .map_err(recovery_failure)
                .map_err(kept)?
            {
                Followed::Applied(_) => {}
                Followed::Current => break,
                Followed::Anew => {
                    return Err(kept(
                        Failure::new(Code::Unavailable, "a newer stream has begun that this one does not have").todo(
                            "let `kontor standby follow --once` begin anew first; or promote what is here with --as-is",
                        ),
                    ));
                }
            }
        }
    }
    let found = recovery::standby_verify(&key, dir, appliance.clock.as_ref()).map_err(recovery_failure)?;
    tell(dir, &found, out)?;
    if !found.is_empty() {
        return Ok(EXIT_ANSWER_BAD);
    }
    take_over(&appliance, source.as_ref().map(|source| source.target.as_ref()), &key, out)?;
    out.line(format!(
        "\
{0} is the appliance now.
What to do next:
  1. switch the old machine off for good, if you can
  2. kontor config check --dir {0}        (addresses, paths and targets may differ on this machine)
  3. kontor serve --dir {0}",
        dir.display()
    ));
    Ok(0)
}

/// The fence first: from then on there are never two. Should this end half-way, promoting again takes a higher term.
fn take_over(
    appliance: &Appliance,
    target: Option<&dyn Target>,
    key: &VerifierKey,
    out: &mut Out,
) -> Result<(), Failure> {
    let operator =
        local_operator(&appliance.layout, Channel::Cli, appliance.clock.as_ref(), appliance.random.as_ref())?;
    let opened = appliance.open_without_shipping()?;
    let own = opened.store.read(|tx| tx.term()).wait()?;
    let there = target.map_or(Ok(None), |target| recovery::fence_of(target, key)).map_err(recovery_failure)?;
    let term = there.map_or(0, |fence| fence.term).max(own) + 1;
    let fence = Fence { term, node: appliance.config.node.clone(), at: appliance.clock.now().to_string() };
    if let Some(target) = target {
        recovery::fence_raise(target, &fence, opened.signer.as_ref()).map_err(recovery_failure)?;
        out.line(format!("A fence with term {term} stands on {}.", target.name()));
    } else {
        out.note("No fence was written: the old node does not know. Make sure that it is off for good.");
    }
    let mut entry = opened.store.entry(&operator, Verb::ConfigChange);
    entry.note = format!("{}; a standby was promoted, term {term}", entry.note).trim_start_matches("; ").to_owned();
    let written = opened.store.write(move |tx| {
        tx.set_term(term)?;
        Ok(tx.log_entry(&entry)?)
    });
    written.wait()?;
    seal_after(&opened)?;
    opened.store.close();
    recovery::standby_end(appliance.layout.dir()).map_err(recovery_failure)
}
