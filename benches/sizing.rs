//! How large a machine so many people need: the mix of what they ask for, at a fixed pace, and what the server takes of
//! processor, memory and disk meanwhile. And the server at rest, and how long a restart is. It fills nothing; it measures a folder that is filled.

use crate::appliance::{Bench, MANAGER, People, get};
use crate::data::Numbers;
use crate::load::{Figure, Writer};
use crate::paced::{Pace, paced};
use crate::process::Memory;
use crate::results::Machine;
use crate::verbs::{Verb, World};
use crate::{Outcome, say};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::bare::Bare;

/// What people ask for, of a hundred requests. The rest makes records.
const MIX: [(Verb, u64); 4] = [(Verb::Open, 45), (Verb::List, 20), (Verb::ListTeam, 10), (Verb::Search, 15)];
/// How long the server is left alone to see what it takes at rest.
const IDLE: Duration = Duration::from_secs(30);
/// Restarts, of which the longest counts.
const RESTARTS: usize = 3;

/// What a number of people at work takes.
#[derive(Debug, Serialize)]
pub(crate) struct Crowd {
    people: u64,
    figure: Figure,
    /// Of one core.
    processor_percent: f64,
    memory: Memory,
    /// By how much the folder grew for each thousand requests, once the server had closed it.
    kib_per_thousand: f64,
}

/// All of it.
#[derive(Debug, Serialize)]
pub(crate) struct Sizing {
    date: String,
    contacts: usize,
    machine: Machine,
    idle_processor_percent: f64,
    idle_memory: Memory,
    restart_seconds: f64,
    folder_mib: u64,
    crowds: Vec<Crowd>,
}

/// Measures each number of people, one request a second each.
pub(crate) fn sizing(bench: &Bench<'_>, crowds: &[u64], machine: Machine) -> Outcome<Sizing> {
    let world = World::look(&mut Bare::open(&bench.engine)?, MANAGER)?;
    let (idle_processor_percent, idle_memory, people) = at_rest(bench)?;
    let restart_seconds =
        (0..RESTARTS).try_fold(0.0_f64, |longest, _| restart(bench).map(|taken| longest.max(taken)))?;
    let mut sizing = Sizing {
        date: bench.options.date.clone(),
        contacts: world.ids.len(),
        machine,
        idle_processor_percent,
        idle_memory,
        restart_seconds,
        folder_mib: folder_bytes(&bench.dir)? >> 20,
        crowds: Vec::new(),
    };
    say(&format!("at rest {idle_processor_percent:.2} % of a core; a restart takes {restart_seconds:.2} s"));
    for people_at_work in crowds {
        let crowd = crowd(bench, &world, &people, *people_at_work)?;
        say(&format!(
            "{people_at_work} people: {:.0}/s, median {} µs, p99 {} µs, {:.0} % of a core, {} KiB",
            crowd.figure.per_second,
            crowd.figure.median_micros,
            crowd.figure.p99_micros,
            crowd.processor_percent,
            crowd.memory.resident_kib
        ));
        sizing.crowds.push(crowd);
    }
    Ok(sizing)
}

/// The server without anybody, after it has settled.
fn at_rest(bench: &Bench<'_>) -> Outcome<(f64, Memory, People)> {
    let (server, endpoint, _) = bench.start(&bench.options.kontor, &get("/healthz", ""))?;
    let people = bench.people(&endpoint)?;
    std::thread::park_timeout(Duration::from_secs(10));
    let before = server.processor_micros();
    std::thread::park_timeout(IDLE);
    Ok((percent(server.processor_micros() - before, IDLE), server.memory(), people))
}

/// From the signal to stop until the next process has answered.
fn restart(bench: &Bench<'_>) -> Outcome<f64> {
    let (server, _, _) = bench.start(&bench.options.kontor, &get("/healthz", ""))?;
    let began = bench.clock.monotonic();
    drop(server);
    let (_server, _, _) = bench.start(&bench.options.kontor, &get("/readyz", ""))?;
    Ok((bench.clock.monotonic() - began).as_secs_f64())
}

fn crowd(bench: &Bench<'_>, world: &World, people: &People, count: u64) -> Outcome<Crowd> {
    let before = folder_bytes(&bench.dir)?;
    let (server, endpoint, _) = bench.start(&bench.options.kontor, &get("/healthz", ""))?;
    let (seconds, connections) = (bench.options.seconds, usize::try_from(count)?);
    let taken = server.processor_micros();
    let pace = Pace { per_second: count, connections, seconds, answered: None };
    let figure = paced(&endpoint, &pace, &bench.clock, &mixed(world, people))?;
    let lasted = Duration::from_secs(seconds) + crate::load::WARM_UP;
    let (processor_percent, memory) = (percent(server.processor_micros() - taken, lasted), server.memory());
    drop(server);
    if figure.failed > figure.requests / 1_000 {
        return Err(format!("{} of {} requests failed", figure.failed, figure.requests).into());
    }
    let grown = folder_bytes(&bench.dir)?.saturating_sub(before);
    #[expect(clippy::cast_precision_loss, reason = "bytes of a measurement")]
    let kib_per_thousand = grown as f64 / 1024.0 / (figure.requests.max(1) as f64 / 1_000.0);
    Ok(Crowd { people: count, figure, processor_percent, memory, kib_per_thousand })
}

fn mixed(world: &World, people: &People) -> Writer {
    let asked: Vec<(Writer, u64)> = MIX.iter().map(|(verb, of)| (world.requests(*verb, people), *of)).collect();
    let make = world.requests(Verb::Create, people);
    Arc::new(move |numbers: &mut Numbers, out| {
        let mut dice = numbers.below(100);
        for (write, of) in &asked {
            if dice < *of {
                return write(numbers, out);
            }
            dice -= of;
        }
        make(numbers, out);
    })
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a measurement")]
fn percent(micros: u64, of: Duration) -> f64 {
    micros as f64 / of.as_micros().max(1) as f64 * 100.0
}

fn folder_bytes(folder: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.metadata()?;
        bytes += if found.is_dir() { folder_bytes(&entry.path())? } else { found.len() };
    }
    Ok(bytes)
}

impl Sizing {
    /// The table of the document.
    pub(crate) fn table(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        writeln!(
            out,
            "Measured {} with {} contacts: {}. The load generator shares the cores.\n",
            self.date,
            self.contacts,
            self.machine.words()
        )?;
        writeln!(
            out,
            "| people at work | requests a second | median ms | p99 ms | processor, of one core | memory MiB | disk KiB per 1,000 requests |"
        )?;
        writeln!(out, "|---|---|---|---|---|---|---|")?;
        for crowd in &self.crowds {
            let millis = |micros: u64| format!("{:.1}", Duration::from_micros(micros).as_secs_f64() * 1_000.0);
            writeln!(
                out,
                "| {} | {:.0} | {} | {} | {:.0} % | {} | {:.0} |",
                crowd.people,
                crowd.figure.per_second,
                millis(crowd.figure.median_micros),
                millis(crowd.figure.p99_micros),
                crowd.processor_percent,
                crowd.memory.resident_kib >> 10,
                crowd.kib_per_thousand
            )?;
        }
        let met = |met: bool| if met { "yes" } else { "**no**" };
        writeln!(out, "\n| aim | measured | met |\n|---|---|---|")?;
        let (idle, restart) = (self.idle_processor_percent, self.restart_seconds);
        writeln!(out, "| processor at rest ≤ 1 % of a core | {idle:.2} % | {} |", met(idle <= 1.0))?;
        writeln!(
            out,
            "| a restart, from the signal to the first answer ≤ 2 s | {restart:.2} s | {} |",
            met(restart <= 2.0)
        )?;
        writeln!(
            out,
            "\nAt rest it holds {} MiB of memory; the folder has {} MiB on disk.",
            self.idle_memory.resident_kib >> 10,
            self.folder_mib
        )?;
        Ok(out)
    }
}
