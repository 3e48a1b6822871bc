//! `make bench`: measures the built binary as people use it, over HTTPS with permissions and log on, and beside it, in the
//! same run, the bare engine, a constant answer and the same binary built without the log. Writes results as JSON and
//! the tables of docs/BENCHMARKS.md. It changes nothing outside its scratch folder and those two files.

mod appliance;
mod bare;
mod client;
mod data;
mod load;
mod paced;
mod process;
mod report;
mod results;
mod sizing;
mod verbs;

use appliance::{Bench, Imported, MANAGER, People, get};
use clap::Parser;
use kernel::{Clock, SystemClock};
use metadata::{Catalog, ColumnType, ObjectDef, Profile, shipped};
use results::{BareResult, IdleResult, ImportResult, Results, VerbResult};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use store::bare::{Bare, Value};
use store::{EngineConfig, PostgresUrl};
use verbs::{Verb, World};

/// Any error ends the run; half a measurement is none.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// How long a server rests before its memory is looked at.
const REST: Duration = Duration::from_secs(5);

/// Measures an appliance.
#[derive(Parser)]
pub(crate) struct Options {
    /// The built binary.
    #[arg(long)]
    kontor: PathBuf,
    /// The same, built with the feature `bench-without-audit`.
    #[arg(long)]
    kontor_without_audit: Option<PathBuf>,
    /// A folder to work in; several gigabytes at a million contacts. What an earlier run filled is measured again as it is.
    #[arg(long)]
    scratch: PathBuf,
    /// The day, for the document.
    #[arg(long)]
    date: String,
    /// Where the results go, as JSON.
    #[arg(long)]
    results: PathBuf,
    /// The document whose tables are written; none when absent.
    #[arg(long)]
    document: Option<PathBuf>,
    /// Contacts.
    #[arg(long, default_value_t = 1_000_000)]
    contacts: u64,
    /// Accounts.
    #[arg(long, default_value_t = 100_000)]
    accounts: u64,
    /// Seconds of each figure.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Only the verbs whose names begin so, with commas between; then nothing is inserted into the bare engine.
    #[arg(long, value_delimiter = ',')]
    verbs: Vec<String>,
    /// Numbers of connections.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    connections: Vec<usize>,
    /// A private file with the address of a PostgreSQL server; the embedded engine when absent.
    #[arg(long)]
    database_url_file: Option<PathBuf>,
    /// The authority of its certificate.
    #[arg(long)]
    database_ca_file: Option<PathBuf>,
    /// Only loads the server that somebody else has started, with so many requests a second (0: as many as it answers), and prints
    /// the figure as JSON: `create` or `open`, as `--verbs` says.
    #[arg(long)]
    paced: Option<u64>,
    /// Measures what so many people at work take of the machine, with commas between, on a folder that is filled.
    #[arg(long, value_delimiter = ',')]
    sizing: Vec<u64>,
    /// Where the ids of what was made go, one a line, as soon as each is answered.
    #[arg(long)]
    answered: Option<PathBuf>,
}

impl Options {
    fn engine_config(&self, dir: &Path) -> Outcome<EngineConfig> {
        Ok(match &self.database_url_file {
            None => EngineConfig::Sqlite { file: dir.join("data").join("kontor.db") },
            Some(file) => {
                let url = PostgresUrl(std::fs::read_to_string(file)?.trim().to_owned());
                EngineConfig::Postgres { url, ca_file: self.database_ca_file.clone() }
            }
        })
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("bench: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) {
    // Nobody reads a closed stream.
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn contact() -> Outcome<Arc<ObjectDef>> {
    let catalog = Catalog::build(shipped(), Profile::Standard, 0)?;
    Ok(Arc::clone(catalog.object("contact").ok_or("there is no object contact")?))
}

/// Load on a server that is there already.
fn load_only(options: &Options, per_second: u64, clock: &Arc<dyn Clock>) -> Outcome<()> {
    let bench = Bench::find(options, Arc::clone(clock))?.ok_or("there is no appliance in the scratch folder")?;
    let endpoint = Arc::new(client::Endpoint::new(bench.address, &bench.dir.join("tls").join("ca.pem"))?);
    let people = bench.people(&endpoint)?;
    let world = World::look(&mut Bare::open(&bench.engine)?, MANAGER)?;
    let verb = if options.verbs.iter().any(|verb| verb == "open") { Verb::Open } else { Verb::Create };
    let (write, connections) = (world.requests(verb, &people), options.connections.first().copied().unwrap_or(16));
    let figure = if per_second == 0 {
        load::load(&endpoint, connections, options.seconds, clock, &write)?
    } else {
        let pace =
            paced::Pace { per_second, connections, seconds: options.seconds, answered: options.answered.as_deref() };
        paced::paced(&endpoint, &pace, clock, &write)?
    };
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&figure)?)?)
}

fn run(options: &Options) -> Outcome<()> {
    std::fs::create_dir_all(&options.scratch)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    if let Some(per_second) = options.paced {
        return load_only(options, per_second, &clock);
    }
    if !options.sizing.is_empty() {
        let bench = Bench::find(options, Arc::clone(&clock))?.ok_or("there is no appliance in the scratch folder")?;
        let machine = results::machine(&options.scratch, clock.as_ref())?;
        let sizing = sizing::sizing(&bench, &options.sizing, machine)?;
        std::fs::write(&options.results, serde_json::to_string_pretty(&sizing)?)?;
        return options
            .document
            .as_deref()
            .map_or(Ok(()), |document| report::put(document, "sizing", &sizing.table()?));
    }
    let mut results = Results {
        date: options.date.clone(),
        contacts: options.contacts,
        accounts: options.accounts,
        seconds: options.seconds,
        machine: results::machine(&options.scratch, clock.as_ref())?,
        binary_bytes: std::fs::metadata(&options.kontor)?.len(),
        ..Results::default()
    };
    say("the appliance and its people");
    let found = Bench::find(options, Arc::clone(&clock))?;
    let fresh = found.is_none();
    let bench = found.map_or_else(|| Bench::make(options, Arc::clone(&clock)), Ok)?;
    describe(&bench, &mut results)?;
    let people = if fresh { fill(&bench, &mut results)? } else { people(&bench)? };
    let contact = contact()?;
    let world = World::look(&mut Bare::open(&bench.engine)?, MANAGER)?;
    measure(&bench, &world, &people, &contact, &mut results)?;
    if options.verbs.is_empty() {
        bare_inserts(&bench, &contact, &mut results)?;
    }
    std::fs::write(&options.results, serde_json::to_string_pretty(&results)?)?;
    if let Some(document) = &options.document {
        report::write(document, &results)?;
    }
    Ok(())
}

/// Which engine, which version.
fn describe(bench: &Bench<'_>, results: &mut Results) -> Outcome<()> {
    let sqlite = matches!(bench.engine, EngineConfig::Sqlite { .. });
    let ask = if sqlite { "SELECT sqlite_version()" } else { "SELECT current_setting('server_version')" };
    let version = Bare::open(&bench.engine)?.rows(ask, Vec::new(), &[ColumnType::Text])?;
    if let Some(Value::Text(version)) = version.into_iter().next().and_then(|row| row.into_iter().next()) {
        results.engine_version = version;
    }
    results.engine = if sqlite { "SQLite" } else { "PostgreSQL" };
    let told = std::process::Command::new(&bench.options.kontor).arg("version").output()?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    results.kontor_version = told
        .split_whitespace()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
        .unwrap_or_default()
        .to_owned();
    Ok(())
}

fn noted(name: &'static str, imported: Imported, results: &mut Results) {
    #[expect(clippy::cast_precision_loss, reason = "rows of a measurement")]
    let per_second = imported.rows as f64 / imported.taken.seconds.max(0.001);
    say(&format!("  {name}: {} rows, {per_second:.0} rows/s", imported.rows));
    results.imports.push(ImportResult {
        name,
        rows: imported.rows,
        per_second,
        taken: imported.taken,
        bare: None,
        bare_per_second: None,
    });
}

/// Imports everything; looks at the resting server at a tenth and at the whole.
fn fill(bench: &Bench<'_>, results: &mut Results) -> Outcome<People> {
    let contacts = bench.options.contacts;
    let (tenth, sealed_from) = (contacts / 10, contacts - contacts / 5);
    say("imports");
    noted("accounts", bench.import_accounts()?, results);
    noted("contacts, the first tenth", bench.import_contacts(0..tenth, false)?, results);
    let people = people(bench)?;
    rest(bench, &people, tenth, results)?;
    noted("contacts", bench.import_contacts(tenth..sealed_from, false)?, results);
    noted("contacts, three sealed fields", bench.import_contacts(sealed_from..contacts, true)?, results);
    rest(bench, &people, contacts, results)?;
    Ok(people)
}

fn people(bench: &Bench<'_>) -> Outcome<People> {
    let (_server, endpoint, _) = bench.start(&bench.options.kontor, &get("/healthz", ""))?;
    bench.people(&endpoint)
}

/// A server that has just started, has given one answer and then rests.
fn rest(bench: &Bench<'_>, people: &People, contacts: u64, results: &mut Results) -> Outcome<()> {
    let world = World::look(&mut Bare::open(&bench.engine)?, MANAGER)?;
    let id = world.ids.last().ok_or("there is no contact")?;
    let first = get(&format!("/api/v1/records/contact/{id}"), &people.reader);
    let (server, _, first_answer_seconds) = bench.start(&bench.options.kontor, &first)?;
    std::thread::park_timeout(REST);
    let memory = server.memory();
    say(&format!(
        "  at rest with {contacts} contacts: {} KiB, first answer after {first_answer_seconds:.2} s",
        memory.resident_kib
    ));
    results.idle.push(IdleResult { contacts, memory, first_answer_seconds });
    Ok(())
}

/// Each verb: with the log, without it, and on the bare engine, one right after the other.
fn measure(
    bench: &Bench<'_>,
    world: &World,
    people: &People,
    contact: &Arc<ObjectDef>,
    results: &mut Results,
) -> Outcome<()> {
    let sqlite = matches!(bench.engine, EngineConfig::Sqlite { .. });
    for verb in
        [Verb::Constant, Verb::Open, Verb::OpenBySession, Verb::List, Verb::ListTeam, Verb::Search, Verb::Create]
    {
        let wanted = &bench.options.verbs;
        if !wanted.is_empty() && !wanted.iter().any(|name| verb.name().starts_with(name.as_str())) {
            continue;
        }
        say(verb.name());
        let mut found = figures(bench, &bench.options.kontor, verb, world, people, results)?;
        if let Some(silent) = bench
            .options
            .kontor_without_audit
            .as_deref()
            .filter(|_| !matches!(verb, Verb::Constant | Verb::OpenBySession))
        {
            let without = figures(bench, silent, verb, world, people, results)?;
            found.iter_mut().zip(without).for_each(|(result, without)| result.without_audit = Some(without.figure));
        }
        results.verbs.extend(found);
        let Some((statement, values)) = world.query(verb, contact, sqlite) else { continue };
        let mut threads = vec![1, std::thread::available_parallelism()?.get()];
        threads.dedup();
        for threads in threads {
            let figure =
                bare::queries(&bench.engine, threads, bench.options.seconds, &bench.clock, (&statement, &values))?;
            say(&format!("  bare, {threads} threads: {:.0}/s", figure.per_second));
            results.bare.push(BareResult { verb: verb.name(), threads, figure });
        }
    }
    Ok(())
}

fn figures(
    bench: &Bench<'_>,
    program: &Path,
    verb: Verb,
    world: &World,
    people: &People,
    results: &mut Results,
) -> Outcome<Vec<VerbResult>> {
    let (server, endpoint, _) = bench.start(program, &get("/healthz", ""))?;
    let write = world.requests(verb, people);
    let mut found = Vec::new();
    // Once by session cookie is enough to see what the way of signing in costs.
    let once = [16];
    let connections = if verb == Verb::OpenBySession { once.as_slice() } else { &bench.options.connections };
    for connections in connections {
        let before = server.processor_micros();
        let figure = load::load(&endpoint, *connections, bench.options.seconds, &bench.clock, &write)?;
        let processor_micros = each(server.processor_micros() - before, figure, bench.options.seconds);
        say(&format!(
            "  {connections} connections: {:.0}/s, median {} µs, p99 {} µs, server {processor_micros:.0} µs each",
            figure.per_second, figure.median_micros, figure.p99_micros
        ));
        let verb = verb.name();
        found.push(VerbResult { verb, connections: *connections, figure, without_audit: None, processor_micros });
    }
    if program == bench.options.kontor {
        results.memory_under_load = results.memory_under_load.larger(server.memory());
    }
    Ok(found)
}

/// Processor time of one request; those of the warm-up are taken to come as fast as those that were counted.
#[expect(clippy::cast_precision_loss, reason = "microseconds of a measurement")]
fn each(processor_micros: u64, figure: load::Figure, seconds: u64) -> f64 {
    processor_micros as f64 / (figure.per_second * (seconds as f64 + load::WARM_UP.as_secs_f64())).max(1.0)
}

/// The bulk insert of the rows that were imported, then one commit per row on the full table.
fn bare_inserts(bench: &Bench<'_>, contact: &Arc<ObjectDef>, results: &mut Results) -> Outcome<()> {
    say("bare inserts");
    let mut copy = bare::Copy::make(&bench.engine, &bench.options.scratch, contact)?;
    for import in results.imports.iter_mut().filter(|import| import.name.starts_with("contacts")) {
        let bulk = copy.bulk(import.rows, bench.clock.as_ref())?;
        say(&format!("  {}: {:.0} rows/s", import.name, bulk.per_second()));
        (import.bare, import.bare_per_second) = (Some(bulk), Some(bulk.per_second()));
    }
    // The embedded engine has one writer at a time: more threads would only wait for its lock.
    let threads: &[usize] = if matches!(bench.engine, EngineConfig::Sqlite { .. }) { &[1] } else { &[1, 16] };
    for threads in threads {
        let figure = copy.one_by_one(*threads, bench.options.seconds, &bench.clock)?;
        say(&format!("  one commit per row, {threads} threads: {:.0}/s", figure.per_second));
        results.bare.push(BareResult { verb: Verb::Create.name(), threads: *threads, figure });
    }
    Ok(())
}
