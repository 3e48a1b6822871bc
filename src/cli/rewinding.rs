//! `kontor backup restore --at` and `kontor backup window`: what one can go back to, what would be lost, and going back.

use crate::appliance::recovery_failure;
use crate::cli::backup::{RestoreArgs, size};
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::Out;
use crate::cli::restoring::Place;
use crate::cli::source::SourceArgs;
use kernel::{Code, Timestamp};
use recovery::{Rewind, SetName};
use serde_json::json;
use std::path::PathBuf;

/// Which stretches of time a target can go back to.
#[derive(clap::Args)]
pub(crate) struct WindowArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// The public key of the log, from a copy kept elsewhere.
    #[arg(long, value_name = "FILE")]
    log_key: Option<PathBuf>,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn window(args: &WindowArgs, out: &mut Out) -> Result<u8, Failure> {
    let source = args.source.open()?;
    let key = source.key(None, args.log_key.as_deref(), out)?;
    let spans = recovery::windows(source.target.as_ref(), &key).map_err(recovery_failure)?;
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
pub(crate) fn restore(args: &RestoreArgs, only: Option<&SetName>, out: &mut Out) -> Result<u8, Failure> {
    let source = args.source().open()?;
    let target = source.target.as_ref();
    let key = source.key(only, args.log_key(), out)?;
    let plan = recovery::rewind_plan(target, only, args.at, &key).map_err(recovery_failure)?;
    tell(&plan, args.at, out);
    out.flush();
    if let Some(broken) = &plan.broken {
        return Err(Failure::new(Code::ParameterInvalid, format!("the chain is broken: {broken}"))
            .kept("nothing was changed")
            .todo(format!("restore the last good moment: --at {}", plan.moment)));
    }
    let place = Place::new(&args.dir, &args.database)?;
    let slots = source.slots(&plan.set)?;
    let identity = args.open.identity(slots.path().to_owned())?;
    let made = recovery::rewind(target, &plan, &key, &identity, &args.dir, |half| place.settle(half))
        .map_err(|error| recovery_failure(error).kept("nothing was changed; what was half restored is gone"))?;
    place.arrived()?;
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
