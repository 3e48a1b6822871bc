//! `kontor object`: objects, fields, options and relations; changes are planned, shown, then run.

use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::cli::user::At;
use clap::{Args, Subcommand};
use kernel::Code;
use metadata::{DefinitionChange, ObjectDef};
use records::PlanView;
use std::path::{Path, PathBuf};

/// Bytes of a file of changes.
const CHANGES_BYTES_MAX: u64 = 1024 * 1024;

/// Definitions: list and show objects, plan and apply changes.
#[derive(Subcommand)]
pub(crate) enum ObjectVerb {
    /// Lists the objects.
    #[command(after_help = "Example:
  kontor object list --dir /srv/kontor

Prints name, labels and the number of fields of each object; custom ones begin with x_.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    List(ListArgs),
    /// Shows an object's definition as JSON.
    #[command(after_help = "Example:
  kontor object show --dir /srv/kontor account | jq '.fields[].name'

Prints the definition on one line.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    Show(ShowArgs),
    /// Shows what changes would do, with every error at once; changes nothing.
    #[command(after_help = "Example:
  kontor object plan --dir /srv/kontor changes.json

changes.json is a list of changes that run together or not at all:
  [{\"change\": \"add_field\", \"object\": \"account\",
    \"field\": {\"name\": \"x_kennel\", \"label\": {\"en\": \"Kennel\", \"zh\": \"犬舍\"}, \"type\": \"text\", \"sensitivity\": \"S1\"}}]
Others are create_object, change_object, change_field, retire_field, restore_field, add_option, change_option, add_link.
Exit codes: 0 the plan would run; 1 the passphrase opens nothing; 2 it has errors, or not done.")]
    Plan(ChangeArgs),
    /// Runs changes: all of them or none.
    #[command(after_help = "Example:
  kontor object apply --dir /srv/kontor changes.json

Takes the same file as `kontor object plan`, prints what was done. A running server takes it over within seconds; a new \
field costs the same on an empty table and on a million records.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    Apply(ChangeArgs),
}

#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    at: At,
}

#[derive(Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    at: At,
    /// The object.
    object: String,
}

#[derive(Args)]
pub(crate) struct ChangeArgs {
    #[command(flatten)]
    at: At,
    /// The file with the changes.
    file: PathBuf,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(verb: &ObjectVerb, out: &mut Out) -> Result<u8, Failure> {
    match verb {
        ObjectVerb::List(args) => list(args, out),
        ObjectVerb::Show(args) => {
            let desk = args.at.open()?;
            let view = desk.records.object(&desk.operator, &args.object)?;
            out.json(&view.definition)?;
            desk.close()
        }
        ObjectVerb::Plan(args) => {
            let changes = read_changes(&args.file)?;
            let desk = args.at.open()?;
            let plan = desk.records.plan(&desk.operator, changes).wait().map_err(refused)?.into_view();
            tell(&plan, args.json, out)?;
            desk.close()
        }
        ObjectVerb::Apply(args) => {
            let changes = read_changes(&args.file)?;
            let desk = args.at.open()?;
            let plan = desk.records.run_plan(&desk.operator, changes).wait().map_err(refused)?.into_view();
            tell(&plan, args.json, out)?;
            desk.close()
        }
    }
    .map(|()| 0)
}

fn refused(fault: kernel::Fault) -> Failure {
    Failure::from(fault)
        .kept("the definitions are as they were")
        .todo("mend the file and look again with `kontor object plan`")
}

fn list(args: &ListArgs, out: &mut Out) -> Result<(), Failure> {
    let desk = args.at.open()?;
    let catalog = desk.records.catalog();
    let row = |object: &std::sync::Arc<ObjectDef>| {
        vec![object.name.clone(), object.label.en.clone(), object.label.zh.clone(), object.fields.len().to_string()]
    };
    let rows: Vec<Vec<String>> = catalog.objects().map(row).collect();
    out.table(&["OBJECT", "ENGLISH", "CHINESE", "FIELDS"], &rows);
    desk.close()
}

/// A list of changes, or a single one.
fn read_changes(path: &Path) -> Result<Vec<DefinitionChange>, Failure> {
    let text = crate::appliance::read_small(path, CHANGES_BYTES_MAX)?;
    let wrong = |error: serde_json::Error| {
        Failure::new(Code::JsonInvalid, format!("{}: {error}", path.display()))
            .kept("nothing was changed")
            .todo("`kontor help object plan` shows the form of a change")
    };
    if text.trim_start().starts_with('[') {
        serde_json::from_str(&text).map_err(wrong)
    } else {
        serde_json::from_str(&text).map(|change| vec![change]).map_err(wrong)
    }
}

fn tell(plan: &PlanView, json: bool, out: &mut Out) -> Result<(), Failure> {
    if json {
        return out.json(plan);
    }
    out.line(if plan.applied { "Done:" } else { "This would run:" });
    plan.steps.iter().for_each(|step| out.line(format!("  {}", step.text.en)));
    plan.notes.iter().for_each(|note| out.line(format!("  Note: {}", note.en)));
    out.line(format!("The definitions are at version {}.", plan.catalog_version));
    Ok(())
}
