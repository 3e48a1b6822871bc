//! `kontor backup report`: what drills found, as signed files for whoever asks for proof. It drills nothing and shows no record.

use crate::appliance::Keeper;
use crate::cli::backup::OpenArgs;
use crate::cli::failure::Failure;
use crate::cli::out::Out;
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) open: OpenArgs,
    /// The folder to put the files in; it must be there.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// How many drills, newest first.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=500))]
    last: u16,
}

pub(crate) fn write(args: &ReportArgs, keeper: &Keeper, out: &mut Out) -> Result<u8, Failure> {
    let mut written = Vec::new();
    for report in keeper.signed_reports(usize::from(args.last))? {
        let file = args.to.join(format!("{}.json", report.name));
        put(&file, &report.text)?;
        put(&args.to.join(format!("{}.sig", report.name)), report.note.as_bytes())?;
        written.push(file.display().to_string());
    }
    if args.open.json {
        out.json(&json!({ "files": written }))?;
    } else {
        for file in &written {
            out.line(file);
        }
        out.line("Beside each lies its signature (.sig), made with the key of the audit log.");
    }
    Ok(0)
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|error| Failure::file(path, &error))
}
