//! `kontor backup restore --at` and `kontor backup window`: what one can go back to, what would be lost, and going back.

use crate::appliance::recovery_failure;
use crate::cli::backup::{RestoreArgs, size};
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::Out;
use crate::cli::restoring::{Place, log_key};
use audit::VerifierKey;
use kernel::{Code, Timestamp};
use recovery::{DirectoryTarget, Rewind, SetName, Target};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Which stretches of time a target can go back to.
#[derive(clap::Args)]
pub(crate) struct WindowArgs {
    /// The folder of the appliance on a target: the one that holds its sets.
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// The public key of the log, from a copy kept elsewhere.
    #[arg(long, value_name = "FILE")]
    log_key: Option<PathBuf>,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

/// The folder that holds sets: this one, or the only one below it.
pub(crate) fn folder_of_sets(path: &Path) -> Result<PathBuf, Failure> {
    let whole = path.canonicalize().map_err(|error| Failure::file(path, &error))?;
    let holds = |folder: &Path| DirectoryTarget::holding_sets(folder).list().is_ok_and(|sets| !sets.is_empty());
    if holds(&whole) {
        return Ok(whole);
    }
    let below = std::fs::read_dir(&whole).map_err(|error| Failure::file(path, &error))?;
    let mut below = below.flatten().map(|entry| entry.path()).filter(|path| path.is_dir() && holds(path));
    match (below.next(), below.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(Failure::new(Code::RecordNotFound, format!("{} holds no backup set", path.display()))),
        _ => Err(Failure::new(Code::ParameterInvalid, format!("{} holds sets of several appliances", path.display()))
            .todo("name the folder of one of them")),
    }
}

/// The key that a target's sets should be signed with: from a copy, or the newest set's own, which is shown.
pub(crate) fn key_of(target: &dyn Target, copy: Option<&Path>, out: &mut Out) -> Result<VerifierKey, Failure> {
    if let Some(path) = copy {
        return log_key(path);
    }
    let sets = target.list().map_err(|error| Failure::new(Code::Unavailable, error.to_string()))?;
    let newest = sets.last().ok_or_else(|| Failure::new(Code::RecordNotFound, "there is no set"))?;
    let key = recovery::own_log_key(target, newest).map_err(recovery_failure)?;
    out.note(format!("The sets are signed by {key}"));
    out.note("Compare that with the copy of log-key.pub that your auditors keep, or name it with --log-key.");
    Ok(key)
}

pub(crate) fn window(args: &WindowArgs, out: &mut Out) -> Result<u8, Failure> {
    let target = DirectoryTarget::holding_sets(&folder_of_sets(&args.from)?);
    let key = key_of(&target, args.log_key.as_deref(), out)?;
    let spans = recovery::windows(&target, &key).map_err(recovery_failure)?;
    let well = spans.iter().all(|span| span.broken.is_none());
    if args.json {
        let told = |span: &recovery::Span| json!({"from": span.from, "to": span.to, "set": span.set.as_str(), "broken": span.broken});
        out.json(&spans.iter().map(told).collect::<Vec<_>>())?;
        return Ok(if well { 0 } else { EXIT_ANSWER_BAD });
    }
    let line = |span: &recovery::Span| {
        let broken =
            span.broken.clone().map_or_else(|| "whole".to_owned(), |broken| format!("NOT whole behind it: {broken}"));
        vec![span.from.to_string(), span.to.to_string(), span.set.to_string(), broken]
    };
    out.table(&["FROM", "TO", "BEGINS WITH", "CHAIN"], &spans.iter().map(line).collect::<Vec<_>>());
    out.line("Any moment between FROM and TO can be restored: kontor backup restore --from FOLDER --at TO --dir DIR");
    Ok(if well { 0 } else { EXIT_ANSWER_BAD })
}

/// What would be lost, before anything is made.
fn tell(plan: &Rewind, at: Option<Timestamp>, out: &mut Out) {
    out.line(format!("Begins with {} of {}.", plan.set, plan.set_at));
    out.line(format!("{} segments lead on from there, to {}.", plan.segments, plan.moment));
    out.line(format!("What was committed after {} will NOT be in it.", plan.moment));
    if plan.torn {
        out.line("The newest file ends in the middle of a segment: its writer was interrupted there.");
    }
    if let Some(at) = at.filter(|at| *at > plan.moment) {
        out.line(format!("Nothing was shipped between {} and {at}.", plan.moment));
    }
}

/// Goes back to a moment, or to the newest that a target has.
pub(crate) fn restore(args: &RestoreArgs, out: &mut Out) -> Result<u8, Failure> {
    let from = args.lies_at();
    let name = from.file_name().and_then(|name| name.to_str());
    let only: Option<SetName> = name.and_then(|name| name.parse().ok());
    let folder = match (&only, from.canonicalize()) {
        (Some(_), Ok(whole)) => whole.parent().unwrap_or(Path::new("/")).to_owned(),
        (Some(_), Err(error)) => return Err(Failure::file(from, &error)),
        (None, _) => folder_of_sets(from)?,
    };
    let target = DirectoryTarget::holding_sets(&folder);
    let key = key_of(&target, args.log_key(), out)?;
    let plan = recovery::rewind_plan(&target, only.as_ref(), args.at, &key).map_err(recovery_failure)?;
    tell(&plan, args.at, out);
    out.flush();
    if let Some(broken) = &plan.broken {
        return Err(Failure::new(Code::ParameterInvalid, format!("the chain is broken: {broken}"))
            .kept("nothing was changed")
            .todo(format!("restore the last good moment: --at {}", plan.moment)));
    }
    let place = Place::new(&args.dir, &args.database)?;
    let identity = args.open.identity(folder.join(plan.set.as_str()).join("slots.json"))?;
    let made = recovery::rewind(&target, &plan, &key, &identity, &args.dir, |half| place.settle(half))
        .map_err(|error| recovery_failure(error).kept("nothing was changed; what was half restored is gone"))?;
    args.open.place_key_file(&args.dir, out)?;
    let restored = &made.restored;
    out.line(format!(
        "{} was made from {} and what was shipped after it: {} files, {}, {} sealed entries of the log.",
        args.dir.display(),
        plan.set,
        restored.files,
        size(restored.bytes),
        made.log_entries
    ));
    Ok(if place.tell_rewound(&plan.moment, &key, out)? { 0 } else { EXIT_ANSWER_BAD })
}
