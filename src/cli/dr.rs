//! `kontor dr`: a set on off-line media. Volumes are cut from a set where it lies, verified by themselves, and become an appliance
//! again on a blank machine, on either engine. Nothing sealed is opened by cutting, and a restore never writes over anything.

use crate::appliance::{Appliance, Keeper, local_operator, recovery_failure};
use crate::cli::Dir;
use crate::cli::audit_verify::seal_after;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::init::DatabaseArgs;
use crate::cli::out::Out;
use crate::cli::restoring::{OpenWith, Place};
use crate::cli::secret::{self, PassphraseFrom};
use crate::cli::{qr, restoring};
use audit::{ActOutcome, Phase, Verb};
use clap::Subcommand;
use identity::{Actor, Channel};
use kernel::{Clock, Code};
use recovery::{Finding, Pace, Progress, VolumeJob, Volumes, VolumesTarget, Written, export_volume};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use store::Store;

/// Side of the code on a label, in millimetres.
const QR_MM: u32 = 42;

/// Disaster recovery with off-line media: cut a set into volumes with parity, verify them, come back from them.
#[derive(Subcommand)]
pub(crate) enum DrVerb {
    /// Cuts a set into volumes of a fixed size, with parity.
    #[command(after_help = "Examples:
  kontor dr export --dir /srv/kontor --volume-size 4.7G --parity 2 /media/stick
  kontor dr export --dir /srv/kontor --new --volume-size 25G /media/a /media/b /media/c
  kontor dr export --dir /srv/kontor --set SET --volume-size 4.7G --only 3,4 /media/disc

Takes the newest verified set (--target says of which target; one in a store or on a server is fetched first, which needs as much
room), or the one that --set names, or makes one first (--new). Of each ten data volumes
and their parity any two may be lost. Volumes go to the folders in turn. What is there already and whole is left alone: after
an interruption say the same again. Each volume has its own checksums, a label to print, instructions, and a script that needs
public tools only.
Exit codes: 0 all volumes are there and read back; 1 the passphrase opens nothing; 2 not done.")]
    Export(ExportArgs),
    /// Verifies volumes, each by itself, and says whether they are enough.
    #[command(after_help = "Example:
  kontor dr verify --log-key log-key.pub /media/a /media/b

A folder is a volume or holds some. --log-key names the copy of log-key.pub that you keep elsewhere; without it each volume's own
is used: then an altered one is found, but not one that somebody else made anew. Needs no secret.
Exit codes: 0 all are there and whole; 1 some are not (it says whether the rest is enough); 2 not done.")]
    Verify(VerifyArgs),
    /// Makes an appliance from volumes, on either engine. Never over anything.
    #[command(after_help = "Examples:
  kontor dr import --from /media/a /media/b --dir /srv/kontor
  kontor dr import --from /media/volumes --dir /srv/kontor --database-url-file /etc/kontor/database-url

Volumes that are missing or damaged are made again from the rest on the way; when too many are, it says which to look for and
makes nothing. Then as `kontor backup restore`.
Exit codes: 0 restored; 1 the secret opens nothing, or what was restored is not whole; 2 not done.")]
    Import(ImportArgs),
    /// Writes all that one user may take in neutral formats: JSON lines, CSV, JSON Schema, files.
    #[command(after_help = "Examples:
  kontor dr dump --dir /srv/kontor --as greta /media/stick/leaving
  kontor dr dump --dir /srv/kontor --as greta --recipient age1... --password-file greta.txt /media/stick/leaving

Takes two: whoever has the machine and its unseal secret, and a user whose roles allow exports, who signs in here. The dump has what that
user may see, as they may see it: scope, field levels and masks are theirs, and the log names every record and personal field.
Sealed with age for the appliance's own key and the recipients of its backups, or those named here; --plain writes it open.
Exit codes: 0 written; 1 the passphrase or the password opens nothing; 2 not done.")]
    Dump(super::dump::DumpArgs),
}

#[derive(clap::Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
    /// The folder of the set, instead of the newest one.
    #[arg(long, value_name = "SET", conflicts_with = "new")]
    set: Option<PathBuf>,
    /// Makes a new set first.
    #[arg(long)]
    new: bool,
    /// The target to take the newest set from, instead of any.
    #[arg(long, value_name = "NAME", conflicts_with = "set")]
    target: Option<String>,
    /// Bytes of a medium: a number with K, M, G or T (thousands), or KiB, MiB, GiB, TiB.
    #[arg(long, value_name = "SIZE", value_parser = bytes_of)]
    volume_size: u64,
    /// How many volumes of each group may be lost.
    #[arg(long, value_name = "N", default_value_t = 2)]
    parity: u32,
    /// How many data volumes share their parity.
    #[arg(long, value_name = "N", default_value_t = 10)]
    group: u32,
    /// Only these volumes, by number, where media are changed by hand.
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    only: Vec<u32>,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
    /// Folders to put them in, in turn.
    #[arg(value_name = "FOLDER", required = true)]
    folders: Vec<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct VerifyArgs {
    /// The public key of the log, from a copy kept elsewhere.
    #[arg(long, value_name = "FILE")]
    log_key: Option<PathBuf>,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
    /// Volumes, or folders that hold some.
    #[arg(value_name = "FOLDER", required = true)]
    folders: Vec<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct ImportArgs {
    /// Volumes, or folders that hold some.
    #[arg(long = "from", value_name = "FOLDER", required = true, num_args = 1..)]
    folders: Vec<PathBuf>,
    /// The public key of the log, from a copy kept elsewhere.
    #[arg(long, value_name = "FILE")]
    log_key: Option<PathBuf>,
    /// The folder to make; absent or empty.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    open: OpenWith,
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(crate) fn run(verb: &DrVerb, out: &mut Out) -> Result<u8, Failure> {
    match verb {
        DrVerb::Export(args) => export(args, out),
        DrVerb::Verify(args) => verify(args, out),
        DrVerb::Import(args) => import(args, out),
        DrVerb::Dump(args) => super::dump::run(args, out),
    }
}

/// Bytes of a size in words.
fn bytes_of(text: &str) -> Result<u64, String> {
    let wrong = || "write a number with K, M, G, T or KiB, MiB, GiB, TiB, such as 4.7G".to_owned();
    let split = text.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit: u64 = match unit {
        "" | "B" => 1,
        "K" | "KB" => 1_000,
        "M" | "MB" => 1_000_000,
        "G" | "GB" => 1_000_000_000,
        "T" | "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err(wrong()),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let (whole, digits) = (whole.parse::<u64>().map_err(|_| wrong())?, part.len().min(9));
    let part = part.get(..digits).unwrap_or_default().parse::<u64>().map_err(|_| wrong())?;
    let scale = 10u64.pow(u32::try_from(digits).unwrap_or(9));
    let rest = part.saturating_mul(unit).checked_div(scale).unwrap_or(0);
    Ok(whole.saturating_mul(unit).saturating_add(rest))
}

fn export(args: &ExportArgs, out: &mut Out) -> Result<u8, Failure> {
    for folder in &args.folders {
        if !folder.is_dir() {
            return Err(Failure::new(
                Code::ParameterInvalid,
                format!("{} is no folder that is there", folder.display()),
            )
            .kept("nothing was written")
            .todo("mount the medium, or make the folder"));
        }
    }
    let appliance = Appliance::load(&args.dir.dir)?;
    let operator =
        local_operator(&appliance.layout, Channel::Cli, appliance.clock.as_ref(), appliance.random.as_ref())?;
    secret::unseal(&appliance, &args.from)?;
    let opened = appliance.open()?;
    let keeper = Keeper::new(&appliance, &opened.store, &opened.signer, opened.shipping.clone())?;
    let done = source(args, &keeper, &operator, &appliance, out).and_then(|(set, _scratch)| {
        let qr = |text: &str| qr::svg(text, QR_MM).map(|svg| svg.to_string()).unwrap_or_default();
        let sizes = (args.volume_size, args.group, args.parity);
        let job = VolumeJob::begin(&set, sizes, opened.signer.as_ref(), &qr).map_err(recovery_failure)?;
        write(args, &job, &opened.store, &operator, out)
    });
    seal_after(&opened)?;
    opened.store.close();
    done
}

/// The set to cut.
fn source(
    args: &ExportArgs,
    keeper: &Keeper,
    operator: &Actor,
    appliance: &Appliance,
    out: &mut Out,
) -> Result<(PathBuf, Option<tempfile::TempDir>), Failure> {
    if let Some(set) = &args.set {
        let set = set.canonicalize().map_err(|error| Failure::file(set, &error))?;
        return Ok((set, None));
    }
    if args.new {
        let made = keeper.make(operator, &Progress::default(), &keeper.target_names())?;
        out.note(format!("Set {} was made.", made.name));
    }
    if let Some(folder) = keeper.newest_folder(args.target.as_deref())? {
        return Ok((folder, None));
    }
    // Parity is counted over places that lie far apart: what lies on another machine is brought here first.
    let dir = appliance.layout.dir();
    let scratch = tempfile::Builder::new().prefix("fetched-").tempdir_in(dir);
    let scratch = scratch.map_err(|error| Failure::file(dir, &error))?;
    let fetched = keeper.fetch_newest(args.target.as_deref(), scratch.path())?.ok_or_else(|| {
        Failure::new(Code::RecordNotFound, "no verified set lies on a target of [backup.targets]")
            .kept("nothing was written")
            .todo("make one with --new, or name one with --set")
    })?;
    out.note(format!("The set was fetched to {}; it goes again at the end.", fetched.display()));
    Ok((fetched, Some(scratch)))
}

/// In the log before anything leaves, and how it went after it.
fn write(
    args: &ExportArgs,
    job: &VolumeJob<'_>,
    store: &Store,
    operator: &Actor,
    out: &mut Out,
) -> Result<u8, Failure> {
    let all = job.cut().volumes();
    let numbers: Vec<u32> = if args.only.is_empty() { (1..=all).collect() } else { args.only.clone() };
    let entry = |phase, outcome| {
        let mut entry = store.entry(operator, Verb::DrExport);
        let operator = std::mem::take(&mut entry.note);
        entry.note = format!("{operator}; {}, {} of {all} volumes", job.set(), numbers.len());
        (entry.phase, entry.outcome) = (phase, outcome);
        entry
    };
    store.append(vec![entry(Phase::Intent, ActOutcome::Ok)]).wait()?;
    let written = volumes(args, job, &numbers, store.clock().as_ref(), out);
    let outcome = if written.is_ok() { ActOutcome::Ok } else { ActOutcome::Failed };
    store.append(vec![entry(Phase::Outcome, outcome)]).wait()?;
    let (places, new) = written?;
    if args.json {
        out.json(&json!({"set": job.set().to_string(), "volumes": all, "data": job.cut().data(), "parity": job.cut().parity(),
            "made": new, "places": places}))?;
    } else {
        out.line(format!(
            "{}: {all} volumes, {} with data; of each {} and their parity any {} may be lost.",
            job.set(),
            job.cut().data(),
            job.cut().group(),
            job.cut().parity()
        ));
        out.line("Print the label.html of each, keep them in different places, and verify them from time to time: kontor dr verify");
    }
    Ok(0)
}

fn volumes(
    args: &ExportArgs,
    job: &VolumeJob<'_>,
    numbers: &[u32],
    clock: &dyn Clock,
    out: &mut Out,
) -> Result<(Vec<PathBuf>, usize), Failure> {
    let progress = Progress::default();
    let (mut places, mut new) = (Vec::new(), 0);
    for number in numbers {
        // By number, so that whoever goes on later finds each volume where it was.
        let turn = usize::try_from(number.saturating_sub(1)).unwrap_or(0).checked_rem(args.folders.len()).unwrap_or(0);
        let Some(folder) = args.folders.get(turn) else { continue };
        let mut pace = Pace::begin(&progress, None, clock);
        let written = export_volume(job, *number, folder, &mut pace).map_err(|error| {
            recovery_failure(error)
                .kept("volumes that were written are whole and stay")
                .todo("mend what it says and say the same again: it goes on where it was")
        })?;
        let (word, place) = match written {
            Written::Made(place) => {
                new += 1;
                ("written and read back", place)
            }
            Written::There(place) => ("was there already", place),
        };
        if !args.json {
            out.line(format!("{}  {word}", place.display()));
        }
        places.push(place);
    }
    Ok((places, new))
}

fn look(args: &[PathBuf], log_key: Option<&PathBuf>, out: &mut Out) -> Result<(Volumes, Vec<Finding>), Failure> {
    let key = log_key.map(|path| restoring::log_key(path)).transpose()?;
    let (volumes, findings) = Volumes::look(args, key.as_ref()).map_err(recovery_failure)?;
    if key.is_none() {
        out.note(format!("The volumes are signed by the key in {}", volumes.beside("log-key.pub").display()));
        out.note("Compare that with the copy of log-key.pub that your auditors keep, or name it with --log-key.");
    }
    Ok((volumes, findings))
}

fn verify(args: &VerifyArgs, out: &mut Out) -> Result<u8, Failure> {
    let (volumes, findings) = look(&args.folders, args.log_key.as_ref(), out)?;
    let (missing, enough) = (volumes.missing(), volumes.enough());
    let whole = missing.is_empty() && findings.iter().all(|one| one.damage.is_none());
    if args.json {
        let told = |one: &Finding| json!({"place": one.place, "number": one.number, "damage": one.damage});
        let why = enough.as_ref().err().map(ToString::to_string);
        out.json(&json!({"set": volumes.set().to_string(), "volumes": volumes.cut().volumes(), "missing": missing,
            "enough": enough.is_ok(), "why": why, "found": findings.iter().map(told).collect::<Vec<_>>()}))?;
        return Ok(if whole { 0 } else { EXIT_ANSWER_BAD });
    }
    for one in &findings {
        let number = one.number.map_or_else(|| "?".to_owned(), |number| number.to_string());
        let verdict = one.damage.as_ref().map_or_else(|| "whole".to_owned(), |why| format!("NOT WHOLE: {why}"));
        out.line(format!("volume {number:>3}  {verdict}  {}", one.place.display()));
    }
    let names: Vec<String> = missing.iter().map(u32::to_string).collect();
    match enough {
        Ok(()) if whole => out.line(format!("{}: all {} volumes are whole.", volumes.set(), volumes.cut().volumes())),
        Ok(()) => out.line(format!(
            "{}: volumes {} are missing or damaged; the rest is enough. Make them anew: kontor dr export --only {}",
            volumes.set(),
            names.join(", "),
            names.join(",")
        )),
        Err(why) => out.line(format!("{}: NOT enough. {why}", volumes.set())),
    }
    Ok(if whole { 0 } else { EXIT_ANSWER_BAD })
}

fn import(args: &ImportArgs, out: &mut Out) -> Result<u8, Failure> {
    let (volumes, findings) = look(&args.folders, args.log_key.as_ref(), out)?;
    for one in findings.iter().filter(|one| one.damage.is_some()) {
        let why = one.damage.as_deref().unwrap_or_default();
        out.note(format!("{} is not whole and is not used: {why}", one.place.display()));
    }
    volumes.enough().map_err(|error| recovery_failure(error).kept("nothing was made"))?;
    let missing = volumes.missing();
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(u32::to_string).collect();
        out.note(format!("Volumes {} are made again from the rest.", names.join(", ")));
    }
    let key = match &args.log_key {
        Some(path) => restoring::log_key(path)?,
        None => restoring::log_key(&volumes.beside("log-key.pub"))?,
    };
    let place = Place::new(&args.dir, &args.database)?;
    let identity = args.open.identity(volumes.beside("slots.json"))?;
    let set = volumes.set().clone();
    let target = VolumesTarget::new(Arc::new(volumes));
    place.restore((&target, &set), &key, &identity, &args.open, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_stand_on_media() {
        for (text, bytes) in [
            ("4.7G", 4_700_000_000),
            ("25GB", 25_000_000_000),
            ("700M", 700_000_000),
            ("1.5MiB", 1_572_864),
            ("1048576", 1 << 20),
            ("2TiB", 2 << 40),
        ] {
            assert_eq!(bytes_of(text), Ok(bytes), "{text}");
        }
        for text in ["", "G", "4,7G", "-1", "1.2.3M", "4.7 G", "1e9", "."] {
            assert!(bytes_of(text).is_err(), "{text}");
        }
    }
}
