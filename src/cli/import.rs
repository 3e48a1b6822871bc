//! `kontor import`: a delimited text file becomes records, with every row accounted for.

use crate::appliance::{Appliance, Desk};
use crate::cli::Dir;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::Out;
use crate::cli::secret::{self, PassphraseFrom};
use identity::Channel;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kernel::{AnyKind, Code, Id, limits};
use std::path::{Path, PathBuf};
use transfer::{DetectionReport, Go, ImportJob, ImportReport, Input, Mapping, Rejects};

/// Reasons of rejection that are printed; all are in the file of rejected rows.
const REASONS_SHOWN: usize = 10;

/// Imports a CSV file: encoding, delimiter and columns are found out and shown; every rejected row is kept with its reason.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  kontor import --dir /srv/kontor --object account --dry-run customers.csv
  kontor import --dir /srv/kontor --object account --map customers.json customers.csv

UTF-8 with or without BOM, UTF-16, GB18030 and Windows-1252; comma, semicolon, tab or bar. Without --map the columns are \
matched by their names in English or Chinese. Prints what was found out about the file, then how many rows were created, \
changed, the same, left alone and rejected: together all rows of the file. Rejected rows go to FILE.rejected.csv with \
line, code and reason; mended, that file can be imported with the same mapping. Running the same file again is safe when \
the mapping names an external id. May run beside a server.
Exit codes: 0 every row was taken; 1 some were rejected; 2 not done, or stopped.")]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
    /// The object that a row becomes a record of, such as account; with --map the mapping's own when absent.
    #[arg(long, required_unless_present = "map")]
    object: Option<String>,
    /// The mapping file (JSON): which column goes where, and what its values mean.
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Try every row and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Where rejected rows go; FILE.rejected.csv when absent. No file is made when there are none.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// One line of JSON instead of text.
    #[arg(long)]
    json: bool,
    /// The file to import.
    file: PathBuf,
}

pub(crate) fn run(args: &ImportArgs, out: &mut Out) -> Result<u8, Failure> {
    let mapping = args.map.as_deref().map(read_mapping).transpose()?;
    let object = args.object.clone().or_else(|| mapping.as_ref().map(|mapping| mapping.object.clone()));
    let object = object.ok_or_else(|| Failure::new(Code::ParameterInvalid, "name the object with --object"))?;
    let appliance = Appliance::load(&args.dir.dir)?;
    secret::unseal(&appliance, &args.from)?;
    let desk = Desk::open(&appliance, Channel::Import)?;
    let number: Id<AnyKind> = Id::generate(appliance.clock.as_ref(), appliance.random.as_ref());
    let job = ImportJob {
        input: Input::Path(args.file.clone()),
        object,
        mapping,
        dry_run: args.dry_run,
        rejects: Rejects::File(args.rejects.clone().unwrap_or_else(|| beside(&args.file))),
        job: number.to_string(),
        is_sample: false,
        ledger: None,
        resume: None,
    };
    let bar = progress_bar(args.json);
    let ended = transfer::run(&desk.records, &desk.operator, job, &mut |progress| {
        bar.set_length(progress.bytes_total);
        bar.set_position(progress.bytes);
        bar.set_message(format!("{} rows", progress.rows));
        Go::On
    });
    bar.finish_and_clear();
    // What was imported is sealed into the log also when the file could not be read to its end.
    let closed = desk.close();
    let report = ended.map_err(|fault| {
        Failure::from(fault)
            .kept("rows that were imported before stay; running the file again is safe with an external id")
    })?;
    closed?;
    if args.json {
        out.json(&report)?
    } else {
        tell(&report, out)
    }
    Ok(if report.rejected == 0 && report.reject_file.is_none() { 0 } else { EXIT_ANSWER_BAD })
}

fn read_mapping(path: &Path) -> Result<Mapping, Failure> {
    let bytes_max = u64::try_from(limits::IMPORT_MAPPING_BYTES_MAX).unwrap_or(u64::MAX);
    let text = crate::appliance::read_small(path, bytes_max)?;
    Mapping::parse(&text).map_err(|fault| {
        let failure = Failure::from(fault).kept("nothing was imported");
        failure.todo(format!("mend {} and try with --dry-run", path.display()))
    })
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".rejected.csv");
    PathBuf::from(name)
}

/// On the error stream, and only where somebody looks at it.
fn progress_bar(quiet: bool) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(
        None,
        if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() },
    );
    match ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  {elapsed}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn tell(report: &ImportReport, out: &mut Out) {
    if let Some(found) = &report.detection {
        tell_file(found, out);
    }
    out.line("");
    out.line(if report.dry_run { "Dry run: nothing was written. It would be:" } else { "Imported:" });
    let ImportReport { created, updated, unchanged, skipped, rejected, .. } = report;
    out.line(format!(
        "  created {created}, changed {updated}, the same {unchanged}, left alone {skipped}, rejected {rejected}"
    ));
    out.line(format!(
        "  {} rows in all; {} empty lines",
        created + updated + unchanged + skipped + rejected,
        report.empty_lines
    ));
    if report.related + report.deferred > 0 {
        out.line(format!(
            "  {} related records made, {} references to later rows set",
            report.related, report.deferred
        ));
    }
    let mut reasons: Vec<(&String, &u64)> = report.reasons.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (reason, count) in reasons.iter().take(REASONS_SHOWN) {
        out.line(format!("  {count:>6} × {reason}"));
    }
    if let Some(file) = &report.reject_file {
        out.line(format!("Rejected rows, with line and reason: {}", file.display()));
    }
}

fn tell_file(found: &DetectionReport, out: &mut Out) {
    out.line(format!("Encoding   {} ({:?}): {}", found.encoding, found.confidence, found.encoding_how));
    out.line(format!("Delimiter  {}: {}", found.delimiter, found.delimiter_how));
    let rows: Vec<Vec<String>> = found
        .columns
        .iter()
        .map(|column| {
            let to = if column.left_out {
                "(left out: nothing is mapped to it)".to_owned()
            } else {
                column.fields.join(", ")
            };
            vec![format!("#{}", column.number), column.name.clone(), to]
        })
        .collect();
    out.table(&["COLUMN", "NAME", "GOES TO"], &rows);
    found.warnings.iter().for_each(|warning| out.line(format!("Note: {warning}")));
}
