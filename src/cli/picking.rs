//! `kontor backup browse` and `kontor backup pick`: what a set holds, and single records brought back from it. Whoever runs
//! the machine reads no customer data, so a user signs in here, and that user's rights decide on both sides. Nothing is
//! written before it is named.

use crate::appliance::{Appliance, Desk};
use crate::cli::Dir;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::Out;
use crate::cli::secret::{self, PassphraseFrom};
use crate::cli::signing_in::AsUser;
use identity::{Actor, Channel};
use kernel::{Code, RecordId};
use records::{JobState, JobView, PickAsk, PickCompared, PickListed, PickRecord, PickSet, PickState, PickedAll, Shown};
use recovery::Progress;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::Duration;
use store::BackupRow;

/// Characters of a value that a table shows.
const VALUE_CHARS: usize = 40;
/// How often a comparison or a job is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Failed records that are told one by one.
const FAILED_SHOWN: usize = 50;

/// Which set, and who looks into it.
#[derive(clap::Args)]
struct SetArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
    #[command(flatten)]
    user: AsUser,
    /// The target to read it from, when not the first that has it.
    #[arg(long, value_name = "TARGET")]
    target: Option<String>,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
    /// The set: its number or its name.
    #[arg(value_name = "SET")]
    set: String,
}

#[derive(clap::Args)]
pub(crate) struct BrowseArgs {
    #[command(flatten)]
    set: SetArgs,
    /// The object whose records are listed.
    #[arg(value_name = "OBJECT")]
    object: Option<String>,
    /// Words of the name, a number, or an id.
    #[arg(long, value_name = "TEXT", requires = "object")]
    find: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct PickArgs {
    #[command(flatten)]
    set: SetArgs,
    /// The object.
    #[arg(value_name = "OBJECT")]
    object: String,
    /// The record; the whole object when absent.
    #[arg(value_name = "ID")]
    id: Option<RecordId>,
    /// A field to bring back. Can be given several times.
    #[arg(long, value_name = "FIELD")]
    field: Vec<String>,
    /// Everything that can be brought back of the record.
    #[arg(long, requires = "id", conflicts_with = "field")]
    all: bool,
    /// A reference of the record whose record is brought back first. Can be given several times.
    #[arg(long, value_name = "FIELD", requires = "id")]
    with: Vec<String>,
    /// Tries it and takes it back.
    #[arg(long, requires = "id")]
    dry_run: bool,
    /// Of a whole object: the records that are nowhere any more.
    #[arg(long, conflicts_with = "id")]
    missing: bool,
    /// Of a whole object: the records in the recycle bin.
    #[arg(long, conflicts_with = "id")]
    binned: bool,
    /// Of a whole object: the records that differ, in these fields or in all.
    #[arg(long, conflicts_with = "id")]
    different: bool,
}

/// One who looks into one set.
struct Looking<'d> {
    desk: &'d Desk,
    actor: &'d Arc<Actor>,
    set: Arc<PickSet>,
}

fn looking(args: &SetArgs, what: &str, look: impl FnOnce(&Looking<'_>) -> Result<u8, Failure>) -> Result<u8, Failure> {
    let appliance = Appliance::load(&args.dir.dir)?;
    secret::unseal(&appliance, &args.from)?;
    let desk = Desk::open(&appliance, Channel::Cli)?;
    let done = args.user.act(&desk, what, |actor| {
        desk.records.may_act(actor, authz::AppAction::BackupPick, audit::Verb::BackupPick)?;
        let keeper = desk.keeper(&appliance)?;
        let row = named(&keeper.sets()?, args)?;
        let row = keeper.browsable(row.sequence, &row.target)?;
        let (scratch, set) = keeper.browse(actor, &row, &Progress::default())?;
        let done = look(&Looking { desk: &desk, actor, set });
        drop(scratch);
        done
    });
    desk.close()?;
    done
}

/// The set by number or name, on the target that is named or the first that has it.
fn named(rows: &[BackupRow], args: &SetArgs) -> Result<BackupRow, Failure> {
    let number: Option<u64> = args.set.parse().ok();
    let is = |row: &&BackupRow| {
        row.state == "verified"
            && args.target.as_ref().is_none_or(|target| *target == row.target)
            && (row.name == args.set || Some(row.sequence) == number)
    };
    rows.iter().find(is).cloned().ok_or_else(|| {
        Failure::new(Code::RecordNotFound, format!("there is no verified set {}", args.set))
            .kept("nothing was changed")
            .todo("`kontor backup list` shows their numbers and targets")
    })
}

pub(crate) fn browse(args: &BrowseArgs, out: &mut Out) -> Result<u8, Failure> {
    looking(&args.set, "kontor backup browse", |here| match &args.object {
        None => objects(here, args.set.json, out),
        Some(object) => listed(here, object, args.find.as_deref(), args.set.json, out),
    })
}

fn objects(here: &Looking<'_>, json: bool, out: &mut Out) -> Result<u8, Failure> {
    let view = here.desk.records.pick_objects(here.actor, &here.set).wait()?.into_view();
    if json {
        out.json(&view)?;
        return Ok(0);
    }
    let row = |one: &records::PickObject| {
        let least = if one.count_is_minimum { "at least " } else { "" };
        vec![one.object.clone(), format!("{least}{}", one.count), one.label.en.clone()]
    };
    out.table(&["OBJECT", "RECORDS", "NAME"], &view.items.iter().map(row).collect::<Vec<_>>());
    Ok(0)
}

fn listed(here: &Looking<'_>, object: &str, find: Option<&str>, json: bool, out: &mut Out) -> Result<u8, Failure> {
    let limit = Some(kernel::limits::PAGE_ROWS_MAX);
    let request = PickListed { q: find.map(str::to_owned), cursor: None, limit };
    let page = here.desk.records.pick_list(here.actor, &here.set, object, request).wait()?.into_view();
    if json {
        out.json(&page)?;
        return Ok(0);
    }
    let row = |one: &records::PickRow| {
        let number = one.number.clone().unwrap_or_else(|| "-".to_owned());
        vec![one.id.to_string(), number, state(one.state).to_owned(), one.title.clone().unwrap_or_default()]
    };
    out.table(&["ID", "NUMBER", "STATE", "NAME"], &page.items.iter().map(row).collect::<Vec<_>>());
    if page.next.is_some() {
        out.note("There are more; narrow them with --find.");
    }
    Ok(0)
}

pub(crate) fn pick(args: &PickArgs, out: &mut Out) -> Result<u8, Failure> {
    looking(&args.set, "kontor backup pick", |here| match args.id {
        Some(id) => one(here, args, id, out),
        None => whole(here, args, out),
    })
}

fn one(here: &Looking<'_>, args: &PickArgs, id: RecordId, out: &mut Out) -> Result<u8, Failure> {
    let records = &here.desk.records;
    let view = records.pick_open(here.actor, &here.set, &args.object, id).wait()?.into_view();
    if args.field.is_empty() && !args.all {
        return shown(&view, args.set.json, out).map(|()| 0);
    }
    let fields = (!args.all).then(|| args.field.clone());
    let ask = PickAsk { fields, with: args.with.clone(), dry_run: args.dry_run };
    let picked = records.pick_bring(here.actor, &here.set, (&args.object, id), view.version, ask).wait()?.into_view();
    if args.set.json {
        out.json(&picked)?;
        return Ok(0);
    }
    let verb = match (picked.dry_run, picked.was) {
        (true, _) => "Would be brought back",
        (false, PickState::Binned) => "Taken out of the bin",
        (false, PickState::Missing) => "Made anew under its id",
        (false, PickState::Live | PickState::Erased) => "Brought back",
    };
    out.line(format!("{verb}: {} {}, version {}.", picked.object, picked.id, picked.version));
    if !picked.brought.is_empty() {
        out.line(format!("  fields  {}", picked.brought.join(", ")));
    }
    for (object, id) in &picked.with {
        out.line(format!("  with    {object} {id}"));
    }
    for (field, why) in &picked.left {
        out.note(format!("  empty   {field}: {}", word(why)));
    }
    if picked.number_kept == Some(false) {
        out.note("  Its number belongs to another record now; it has a new one.");
    }
    Ok(0)
}

fn shown(view: &PickRecord, json: bool, out: &mut Out) -> Result<(), Failure> {
    if json {
        return out.json(view);
    }
    out.line(format!("{} {}  {}  {}", view.object, view.id, state(view.state), view.title.clone().unwrap_or_default()));
    let row = |field: &records::PickField| {
        let can = match (field.choosable, field.same, &field.why) {
            (true, _, _) => "yes".to_owned(),
            (false, Some(true), _) => "same".to_owned(),
            (false, _, Some(why)) => word(why),
            (false, _, None) => String::new(),
        };
        vec![field.field.clone(), short(&field.then), short(&field.now), can]
    };
    let differ =
        view.fields.iter().filter(|field| field.same != Some(true) && (!field.then.is_null() || !field.now.is_null()));
    out.table(&["FIELD", "IN THE SET", "NOW", "CAN COME BACK"], &differ.map(row).collect::<Vec<_>>());
    for label in &view.gone {
        out.note(format!("{} was a field then and is none now.", label.en));
    }
    if view.state == PickState::Erased {
        out.note("Its keys were destroyed since; it does not come back.");
    }
    Ok(())
}

fn whole(here: &Looking<'_>, args: &PickArgs, out: &mut Out) -> Result<u8, Failure> {
    let records = &here.desk.records;
    records.pick_compare(here.actor, &here.set, &args.object).wait()?;
    let compared = loop {
        let view = records.pick_compared(here.actor, &here.set, &args.object)?;
        if !view.running {
            break view;
        }
        std::thread::park_timeout(LOOK_EVERY);
    };
    if let Some(code) = compared.code {
        return Err(Failure::new(code, "the comparison could not be finished").kept("nothing was changed"));
    }
    let wanted = [("missing", args.missing), ("binned", args.binned), ("different", args.different)];
    let what: Vec<String> = wanted.iter().filter(|(_, is)| *is).map(|(word, _)| (*word).to_owned()).collect();
    if what.is_empty() {
        return told(&compared, args.set.json, out).map(|()| 0);
    }
    let fields = (!args.field.is_empty()).then(|| args.field.clone());
    let request = PickedAll { what, fields };
    let job = records.pick_bring_all(here.actor, &here.set, &args.object, request).wait()?.into_view();
    let job = ended(here, job)?;
    ended_told(here, &job, args.set.json, out)
}

fn told(view: &PickCompared, json: bool, out: &mut Out) -> Result<(), Failure> {
    if json {
        return out.json(view);
    }
    for (what, count) in [
        ("looked at", view.looked),
        ("same", view.same),
        ("different", view.different),
        ("in the bin", view.binned),
        ("missing", view.missing),
        ("not yours to change", view.refused),
    ] {
        out.line(format!("{what:<20} {count}"));
    }
    let row = |(field, count): (&String, &u64)| vec![field.clone(), count.to_string()];
    out.table(&["FIELD", "RECORDS THAT DIFFER"], &view.fields.iter().map(row).collect::<Vec<_>>());
    if view.capped {
        out.note("More were found than are brought back in one go; run it again afterwards.");
    }
    Ok(())
}

fn ended(here: &Looking<'_>, mut job: JobView) -> Result<JobView, Failure> {
    while job.state == JobState::Running {
        std::thread::park_timeout(LOOK_EVERY);
        job = here.desk.records.job(here.actor, job.id).wait().map(Shown::into_view)?;
    }
    Ok(job)
}

fn ended_told(here: &Looking<'_>, job: &JobView, json: bool, out: &mut Out) -> Result<u8, Failure> {
    let failed = Some(records::BulkOutcome::Failed);
    let rows = here.desk.records.job_rows(here.actor, job.id, failed, None, Some(FAILED_SHOWN)).wait()?.into_view();
    if json {
        out.json(&json!({"job": job, "failed": rows.items}))?;
    } else {
        out.line(format!("{} brought back, {} as they were, {} refused.", job.done, job.same, job.failed));
        let row = |row: &records::JobRowView| {
            vec![row.id.to_string(), row.code.clone().unwrap_or_default(), row.detail.clone().unwrap_or_default()]
        };
        if !rows.items.is_empty() {
            out.table(&["ID", "CODE", "WHY"], &rows.items.iter().map(row).collect::<Vec<_>>());
        }
        out.note(format!("Job {}; it can be undone in the web interface for a day.", job.id));
    }
    Ok(if job.failed > 0 || job.state != JobState::Done { EXIT_ANSWER_BAD } else { 0 })
}

fn state(state: PickState) -> &'static str {
    match state {
        PickState::Live => "live",
        PickState::Binned => "binned",
        PickState::Missing => "missing",
        PickState::Erased => "erased",
    }
}

/// The reason as its name on the wire, with spaces.
fn word(why: &records::PickWhy) -> String {
    serde_json::to_value(why).ok().and_then(|name| name.as_str().map(|name| name.replace('_', " "))).unwrap_or_default()
}

fn short(value: &Json) -> String {
    let text = match value {
        Json::Null => "-".to_owned(),
        Json::String(text) => text.replace(['\n', '\r', '\t'], " "),
        other => other.to_string(),
    };
    if text.chars().count() <= VALUE_CHARS { text } else { text.chars().take(VALUE_CHARS - 1).chain(['…']).collect() }
}
