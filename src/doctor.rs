//! Looks an appliance over from beside, stopped, sealed or serving: configuration, certificate, clock, disk, files, keys, database,
//! log, backups, machine. Each finding has a name that stays, a weight, and what to do. It needs no unseal secret, changes nothing,
//! and leaves no entry in the log.

mod catalogue;
mod database;
mod files;
mod machine;
mod service;

use catalogue::CATALOGUE;

use crate::appliance::{Appliance, Layout};
use crate::config::{Config, DatabaseConfig};
use kernel::{Clock, SystemClock};
use serde::Serialize;
use std::sync::Arc;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Weight {
    /// To know; nothing has to be done.
    Note,
    /// It works, and something should be done.
    Warning,
    /// It does not work, or is not safe.
    Error,
}

impl Weight {
    /// Its word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that somebody should know.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    /// Its name, which stays.
    pub(crate) id: &'static str,
    pub(crate) weight: Weight,
    /// What was seen, with figures and paths. No secret and no personal value.
    pub(crate) seen: String,
    /// What it means.
    pub(crate) means: &'static str,
    /// What to do.
    pub(crate) todo: &'static str,
}

/// What was looked at, and what was found.
#[derive(Default)]
pub(crate) struct Findings {
    found: Vec<Finding>,
    /// What was seen and is well, in words.
    pub(crate) well: Vec<String>,
}

impl Findings {
    /// Adds a finding of the catalogue.
    fn add(&mut self, id: &'static str, seen: impl Into<String>) {
        let known = CATALOGUE.iter().find(|known| known.id == id);
        let (weight, [means, _], [todo, _]) =
            known.map_or((Weight::Error, [""; 2], [""; 2]), |known| (known.weight, known.what, known.todo));
        self.found.push(Finding { id, weight, seen: seen.into(), means, todo });
    }
    /// Says that something is well.
    fn well(&mut self, what: impl Into<String>) {
        self.well.push(what.into());
    }
    /// Heaviest first.
    pub(crate) fn sorted(mut self) -> (Vec<Finding>, Vec<String>) {
        self.found.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
        (self.found, self.well)
    }
}

/// What the looks have in common.
struct Patient<'a> {
    layout: &'a Layout,
    config: &'a Config,
    clock: &'a Arc<dyn Clock>,
    /// Whether every page and every entry is read.
    deep: bool,
    serving: bool,
}

impl Patient<'_> {
    fn embedded(&self) -> bool {
        self.config.database == DatabaseConfig::Sqlite
    }
}

/// Looks over the appliance of a folder.
pub(crate) fn look(layout: &Layout, deep: bool) -> Findings {
    let mut findings = Findings::default();
    let config = match Config::read(layout) {
        Ok(config) => config,
        Err(problems) => {
            problems.iter().for_each(|problem| findings.add("config_invalid", problem.to_string()));
            return findings;
        }
    };
    for problem in config.problems_on_disk() {
        findings.add("config_invalid", problem.to_string());
    }
    if findings.found.is_empty() {
        findings.well("The configuration is valid.");
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let serving = layout.is_served();
    let patient = Patient { layout, config: &config, clock: &clock, deep, serving };
    files::look(&patient, &mut findings);
    machine::look(&patient, &mut findings);
    service::look(&patient, &mut findings);
    match Appliance::load(layout.dir()) {
        Ok(appliance) => database::look(&patient, &appliance, &mut findings),
        Err(failure) => findings.add("config_invalid", failure.what()),
    }
    findings
}
