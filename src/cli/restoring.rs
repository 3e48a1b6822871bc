//! The end of every restore, whatever it was made from: the data go onto the engine that was asked for, the configuration says
//! so, and what lies there is looked through before anybody relies on it. Never over anything that is there.

use crate::appliance::database_url;
use crate::cli::backup::size;
use crate::cli::failure::Failure;
use crate::cli::init::DatabaseArgs;
use crate::cli::out::Out;
use crate::config::with_database;
use audit::VerifierKey;
use kernel::{Clock, SystemClock};
use recovery::{RecoveryError, Restored};
use std::fs;
use std::path::{Path, PathBuf};
use store::{EngineConfig, Store};

/// Where an appliance is restored to.
pub(crate) struct Place {
    dir: PathBuf,
    /// The files with address and authority of a server, and how it is reached.
    server: Option<(PathBuf, Option<PathBuf>, EngineConfig)>,
    clock: SystemClock,
}

impl Place {
    /// A folder, and an empty database of a server if one was named.
    pub(crate) fn new(dir: &Path, database: &DatabaseArgs) -> Result<Self, Failure> {
        let server = match database.server()? {
            Some((url, ca)) => {
                let engine = EngineConfig::Postgres { url: database_url(&url)?, ca_file: ca.clone() };
                Some((url, ca, engine))
            }
            None => None,
        };
        Ok(Self { dir: dir.to_owned(), server, clock: SystemClock::start() })
    }

    /// The last step on a folder that is not in its place yet.
    pub(crate) fn settle(&self, half: &Path) -> Result<(), RecoveryError> {
        let failed = |what: &str| {
            let what = what.to_owned();
            move |cause| RecoveryError::Target { what, cause }
        };
        let config = half.join("kontor.toml");
        let text = fs::read_to_string(&config).map_err(failed("reading kontor.toml"))?;
        let server = self.server.as_ref().map(|(url, ca, _)| (url.as_path(), ca.as_deref()));
        fs::write(&config, with_database(&text, server)).map_err(failed("writing kontor.toml"))?;
        if let Some((_, _, there)) = &self.server {
            let file = half.join("data/kontor.db");
            Store::carry_into(&EngineConfig::Sqlite { file: file.clone() }, there, self.clock.now())?;
            fs::remove_file(&file).map_err(failed("removing the file that was carried over"))?;
        }
        Ok(())
    }

    /// Says what was restored, and looks it through; whether all was well.
    pub(crate) fn tell(&self, from: &str, restored: &Restored, key: &VerifierKey, out: &mut Out) -> bool {
        let dir = self.dir.display();
        out.line(format!("{dir} was made from {from}: {} files, {}.", restored.files, size(restored.bytes)));
        if self.server.is_some() {
            out.line("The data lie in the PostgreSQL database; every table arrived with the hash it had.");
        }
        let at = restored.manifest.made_at;
        out.line(format!("It is the appliance as of {at}. What was written later is not in it."));
        let file = || EngineConfig::Sqlite { file: self.dir.join("data/kontor.db") };
        let engine = self.server.as_ref().map_or_else(file, |(_, _, there)| there.clone());
        let checks = recovery::look_through(&restored.manifest, key, (engine, &self.dir), &self.clock);
        for check in &checks {
            let verdict = if check.ok { "well" } else { "NOT WELL" };
            out.line(format!("  {:<9}  {verdict}  {} ms  {}", check.check, check.millis, check.detail));
        }
        let well = checks.iter().all(|check| check.ok);
        if !well {
            out.line("What was restored is NOT whole. Do not serve it; restore another set.");
            return false;
        }
        out.line(format!(
            "\
What to do next:
  1. kontor config check --dir {dir}        (addresses, paths and targets may differ on this machine)
  2. kontor serve --dir {dir}"
        ));
        true
    }
}
