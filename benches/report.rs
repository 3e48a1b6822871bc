//! From results to the tables in docs/BENCHMARKS.md. It writes between two marks and leaves the rest, where people say
//! why a figure is what it is. Every ratio is between figures of the same run.

use crate::Outcome;
use crate::load::Figure;
use crate::results::Results;
use std::fmt::Write as _;
use std::path::Path;

/// The number of connections that aims are judged at.
const JUDGED: usize = 16;
/// What the best of the known peers did on such a machine at 16 connections, per second.
const PEERS: [(&str, f64); 4] =
    [("open by id", 137.0), ("list 50", 16.0), ("search, two characters", 40.0), ("create", 70.0)];

/// Puts the tables between the marks of this engine.
pub(crate) fn write(document: &Path, results: &Results) -> Outcome<()> {
    put(document, results.engine, &tables(results)?)
}

/// Puts figures between their marks.
pub(crate) fn put(document: &Path, name: &str, figures: &str) -> Outcome<()> {
    let text = std::fs::read_to_string(document)?;
    let (begin, end) = (format!("<!-- figures: {name} -->"), format!("<!-- end of figures: {name} -->"));
    let head = text.find(&begin).ok_or_else(|| format!("{} has no mark {begin}", document.display()))? + begin.len();
    let tail = text
        .find(&end)
        .filter(|tail| *tail >= head)
        .ok_or_else(|| format!("{} has no mark {end}", document.display()))?;
    let (before, after) = (text.get(..head).unwrap_or_default(), text.get(tail..).unwrap_or_default());
    Ok(std::fs::write(document, format!("{before}\n{figures}\n{after}"))?)
}

fn tables(results: &Results) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(
        out,
        "Measured {} with Kontor {} on {} ({}): {}. {} contacts, {} accounts, {} s per figure; server, load generator and bare engine share the cores.",
        results.date,
        results.kontor_version,
        results.engine,
        results.engine_version,
        results.machine.words(),
        results.contacts,
        results.accounts,
        results.seconds
    )?;
    writeln!(out, "\n### Aims\n\n| aim | measured | met |\n|---|---|---|")?;
    for (aim, measured, met) in aims(results) {
        writeln!(
            out,
            "| {aim} | {measured} | {} |",
            met.map_or("not measured", |met| if met { "yes" } else { "**no**" })
        )?;
    }
    writeln!(out, "\n### Verbs over HTTPS\n")?;
    writeln!(
        out,
        "| verb | connections | per second | median ms | p99 ms | server CPU µs each | without the log | of it | constant answer | of it | bare engine | of it | peers |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|---|---|---|---|")?;
    for result in &results.verbs {
        let figure = &result.figure;
        let constant = results
            .verb("constant answer", result.connections)
            .map(|found| found.figure)
            .filter(|_| result.verb != "constant answer");
        let bare = results.bare(result.verb).map(|found| found.figure);
        let peers = PEERS.iter().find(|(verb, _)| *verb == result.verb && result.connections == JUDGED);
        writeln!(
            out,
            "| {} | {} | {:.0} | {} | {} | {:.0} | {} | {} | {} | {} | {} | {} | {} |",
            result.verb,
            result.connections,
            figure.per_second,
            millis(figure.median_micros),
            millis(figure.p99_micros),
            result.processor_micros,
            rate(result.without_audit),
            percent(figure, result.without_audit),
            rate(constant),
            percent(figure, constant),
            rate(bare),
            percent(figure, bare),
            peers.map_or(String::new(), |(_, rate)| format!("× {:.0}", figure.per_second / rate))
        )?;
    }
    bare_and_imports(&mut out, results)?;
    Ok(out)
}

fn bare_and_imports(out: &mut String, results: &Results) -> std::fmt::Result {
    writeln!(
        out,
        "\n### The bare engine\n\n| what | threads | per second | median ms | p99 ms |\n|---|---|---|---|---|"
    )?;
    for result in &results.bare {
        let figure = &result.figure;
        writeln!(
            out,
            "| {} | {} | {:.0} | {} | {} |",
            result.verb,
            result.threads,
            figure.per_second,
            millis(figure.median_micros),
            millis(figure.p99_micros)
        )?;
    }
    writeln!(out, "\n### Import\n")?;
    writeln!(
        out,
        "| what | rows | rows/s | bare bulk insert, rows/s | of it | memory MiB, first half | memory MiB, all | of it anonymous |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    for import in &results.imports {
        let bare = import.bare_per_second;
        writeln!(
            out,
            "| {} | {} | {:.0} | {} | {} | {:.0} | {:.0} | {:.0} |",
            import.name,
            import.rows,
            import.per_second,
            bare.map_or(String::new(), |rate| format!("{rate:.0}")),
            bare.map_or(String::new(), |rate| format!("{:.0} %", 100.0 * import.per_second / rate)),
            mib(import.taken.memory_first_half.resident_kib),
            mib(import.taken.memory_most.resident_kib),
            mib(import.taken.memory_most.anonymous_kib)
        )?;
    }
    writeln!(
        out,
        "\n### The server at rest\n\n| contacts | memory MiB | of it anonymous | first answer after start, s |\n|---|---|---|---|"
    )?;
    for idle in &results.idle {
        let (all, anonymous) = (mib(idle.memory.resident_kib), mib(idle.memory.anonymous_kib));
        writeln!(out, "| {} | {all:.0} | {anonymous:.0} | {:.2} |", idle.contacts, idle.first_answer_seconds)?;
    }
    let (all, anonymous) = (mib(results.memory_under_load.resident_kib), mib(results.memory_under_load.anonymous_kib));
    writeln!(
        out,
        "\nRight after its load the server held at most {all:.0} MiB over all verbs, of it {anonymous:.0} MiB anonymous; the rest are pages of the database file that the kernel may take back. The stripped binary has {:.1} MiB.",
        mib(results.binary_bytes / 1_024)
    )
}

type Aim = (String, String, Option<bool>);

/// Each aim with what was measured at 16 connections, and whether it is met.
fn aims(results: &Results) -> Vec<Aim> {
    let at = |verb: &str| results.verb(verb, JUDGED).map(|result| &result.figure);
    let part = |own: Option<&Figure>, other: Option<Figure>| {
        own.zip(other).map(|(own, other)| 100.0 * own.per_second / other.per_second.max(0.001))
    };
    let at_least = |aim: &str, least: f64, measured: Option<f64>| {
        (
            format!("{aim} ≥ {least:.0} %"),
            measured.map_or(String::new(), |measured| format!("{measured:.0} %")),
            measured.map(|measured| measured >= least),
        )
    };
    let at_most = |aim: &str, most: f64, unit: &str, measured: Option<f64>| {
        (
            format!("{aim} ≤ {most} {unit}"),
            measured.map_or(String::new(), |measured| format!("{measured:.2} {unit}")),
            measured.map(|measured| measured <= most),
        )
    };
    let bare = |verb: &str| results.bare(verb).map(|found| found.figure);
    let constant = at("constant answer").copied();
    let silent = results.verb("open by id", JUDGED).and_then(|result| result.without_audit);
    let scope = part(at("list 50 in a team's scope"), at("list 50").copied()).map(|part| 100.0 - part);
    let search = at("search, two characters").zip(bare("search, two characters"));
    let import = |name: &str| {
        let found = results.imports.iter().find(|import| import.name == name);
        found.and_then(|import| Some(100.0 * import.per_second / import.bare_per_second?))
    };
    let growth = |name: &str| {
        let found = results.imports.iter().find(|import| import.name == name)?;
        Some(mib(found.taken.memory_most.anonymous_kib) - mib(found.taken.memory_first_half.anonymous_kib))
    };
    let first = results.idle.first().filter(|_| results.idle.len() > 1);
    let last = results.idle.last();
    vec![
        at_least("open: of its own throughput without the log", 50.0, part(at("open by id"), silent)),
        at_least("open: of the constant answer's throughput", 20.0, part(at("open by id"), constant)),
        at_least("list: of the bare engine's throughput for the same rows", 30.0, part(at("list 50"), bare("list 50"))),
        at_most("list: cost of a team's scope, against the same list without one", 15.0, "%", scope),
        at_most(
            "search: times the bare full-text query",
            3.0,
            "×",
            search.map(|(own, bare)| bare.per_second / own.per_second.max(0.001)),
        ),
        at_least("create: of the bare engine's one-commit-per-row rate", 200.0, part(at("create"), bare("create"))),
        at_least("import: of the bare engine's bulk insert with the same indexes", 40.0, import("contacts")),
        at_least("import with three sealed fields: of the same", 20.0, import("contacts, three sealed fields")),
        at_most("import: growth of memory from the first half to the second", 16.0, "MiB", growth("contacts")),
        at_most(
            "idle memory at a tenth of the contacts (100,000)",
            80.0,
            "MiB",
            first.filter(|idle| idle.contacts >= 100_000).map(|idle| mib(idle.memory.resident_kib)),
        ),
        at_most(
            "idle memory at all contacts (a million)",
            150.0,
            "MiB",
            last.filter(|idle| idle.contacts >= 1_000_000).map(|idle| mib(idle.memory.resident_kib)),
        ),
        at_most(
            "first answer after start at all contacts (a million)",
            2.0,
            "s",
            last.filter(|idle| idle.contacts >= 1_000_000).map(|idle| idle.first_answer_seconds),
        ),
        at_most("stripped binary", 40.0, "MiB", Some(mib(results.binary_bytes / 1_024))),
    ]
}

fn rate(figure: Option<Figure>) -> String {
    figure.map_or(String::new(), |figure| format!("{:.0}", figure.per_second))
}
fn percent(own: &Figure, other: Option<Figure>) -> String {
    other.map_or(String::new(), |other| format!("{:.0} %", 100.0 * own.per_second / other.per_second.max(0.001)))
}
#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn millis(micros: u64) -> String {
    format!("{:.2}", micros as f64 / 1_000.0)
}
#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1_024.0
}
