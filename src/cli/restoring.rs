//! The end of every restore, whatever it was made from: the data go onto the engine that was asked for, the configuration says
//! so, and what lies there is looked through before anybody relies on it. Never over anything that is there.

use crate::appliance::{Appliance, Layout, database_url, layout, recovery_failure};
use crate::cli::backup::size;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::init::DatabaseArgs;
use crate::cli::out::Out;
use crate::cli::secret::PassphraseFrom;
use crate::config::{Config, DatabaseConfig, with_database};
use audit::VerifierKey;
use kernel::{Clock, Code, SystemClock, Timestamp, limits};
use recovery::{RecoveryError, Restored, SetName, Target};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Depth, EngineConfig, Store, StoreConfig};
use vault::{ArchiveIdentity, OsRandom, Secret, Vault};

/// What opens a set: the unseal secret by the slots that lie beside it, or an age key.
#[derive(clap::Args)]
pub(crate) struct OpenWith {
    #[command(flatten)]
    from: PassphraseFrom,
    /// The key file that unseals the appliance, instead of the passphrase.
    #[arg(long, value_name = "FILE", conflicts_with = "age_key_file")]
    key_file: Option<PathBuf>,
    /// A file with an age key (AGE-SECRET-KEY-1…) the set was sealed for, instead of the passphrase.
    #[arg(long, value_name = "FILE")]
    age_key_file: Option<PathBuf>,
}

impl OpenWith {
    /// Puts the key file that was named where the restored configuration names one, or says that it is to be put there.
    pub(crate) fn place_key_file(&self, dir: &Path, out: &mut Out) -> Result<(), Failure> {
        place_key_file(dir, self.key_file.as_deref(), out)
    }

    /// The key that opens the set: given as such, or from the unseal secret by these slots.
    pub(crate) fn identity(&self, slots: PathBuf) -> Result<ArchiveIdentity, Failure> {
        if let Some(file) = &self.age_key_file {
            layout::require_private(file)?;
            let text = crate::appliance::read_small(file, limits::CONFIG_BYTES_MAX)?;
            return Ok(ArchiveIdentity::read(&text)?);
        }
        let vault = Vault::sealed(slots, Arc::new(OsRandom::new()));
        let secret = match &self.key_file {
            Some(file) => Secret::key_file_read(file)?,
            None => self.from.secret(&vault).map_err(|failure| failure.exit(EXIT_ANSWER_BAD))?,
        };
        vault.unseal(&secret).map_err(|error| {
            let failure = Failure::from(error);
            failure
                .exit(EXIT_ANSWER_BAD)
                .kept("nothing was changed")
                .todo("use the passphrase, key file or recovery shares that opened the appliance when the set was made, or --age-key-file")
        })?;
        Ok(vault.archive_identity()?)
    }
}

/// The public key of a log, from a file that was kept.
pub(crate) fn log_key(path: &Path) -> Result<VerifierKey, Failure> {
    let text = crate::appliance::read_small(path, limits::CONFIG_BYTES_MAX)?;
    let wrong = |error| Failure::new(Code::ParameterInvalid, format!("{}: {error}", path.display()));
    text.trim().parse().map_err(wrong)
}

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

    /// Restores a set here, and says what became of it: the exit code.
    pub(crate) fn restore(
        &self,
        (target, set): (&dyn Target, &SetName),
        key: &VerifierKey,
        identity: &ArchiveIdentity,
        open: &OpenWith,
        out: &mut Out,
    ) -> Result<u8, Failure> {
        let restored = recovery::restore_with(target, set, key, identity, &self.dir, |half, _| self.settle(half));
        let kept = "nothing was changed; what was half restored is gone";
        let restored = restored.map_err(|error| recovery_failure(error).kept(kept))?;
        self.arrived()?;
        open.place_key_file(&self.dir, out)?;
        Ok(if self.tell(set.as_str(), &restored, key, out) { 0 } else { EXIT_ANSWER_BAD })
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
        let embedded = Config::parse(&text, &Layout::new(half)).is_ok_and(|old| old.database == DatabaseConfig::Sqlite);
        if server.is_some() || !embedded {
            fs::write(&config, with_database(&text, server)).map_err(failed("writing kontor.toml"))?;
        }
        if let Some((_, _, there)) = &self.server {
            let file = half.join("data/kontor.db");
            let place = std::path::absolute(&self.dir).map_err(failed("looking at the folder"))?;
            Store::carry_into(&EngineConfig::Sqlite { file: file.clone() }, there, &place, self.clock.now())?;
            fs::remove_file(&file).map_err(failed("removing the file that was carried over"))?;
        }
        Ok(())
    }

    /// The folder is in its place: the database of a server waits for it no longer.
    pub(crate) fn arrived(&self) -> Result<(), Failure> {
        let Some((_, _, there)) = &self.server else { return Ok(()) };
        Ok(Store::carried_in_place(there)?)
    }

    /// Looks through what was rolled forward to a moment; whether all was well.
    pub(crate) fn tell_rewound(&self, moment: &Timestamp, key: &VerifierKey, out: &mut Out) -> Result<bool, Failure> {
        let dir = self.dir.display();
        let file = || EngineConfig::Sqlite { file: self.dir.join("data/kontor.db") };
        let config = StoreConfig {
            engine: self.server.as_ref().map_or_else(file, |(_, _, there)| there.clone()),
            readers: 1,
            log_folder: self.dir.join("log"),
            files_folder: self.dir.join("data/files"),
            node: String::new(),
        };
        let report = Store::verify_log(&config, key, None, Depth(4))?;
        for finding in &report.findings {
            out.line(format!("  {}: {}", finding.place, finding.detail));
        }
        if !report.ok {
            out.line("What was restored is NOT whole. Do not serve it; restore an earlier moment.");
            return Ok(false);
        }
        out.line(format!(
            "\
It is the appliance as of {moment}: {} entries of the log and {} records are as they should be.
What to do next:
  1. kontor config check --dir {dir}        (addresses, paths and targets may differ on this machine)
  2. kontor serve --dir {dir}",
            report.checked.entries, report.checked.records
        ));
        Ok(true)
    }

    /// Says what was restored, and looks it through; whether all was well.
    fn tell(&self, from: &str, restored: &Restored, key: &VerifierKey, out: &mut Out) -> bool {
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

/// The restored configuration may name the key file, which no set holds.
fn place_key_file(dir: &Path, file: Option<&Path>, out: &mut Out) -> Result<(), Failure> {
    let appliance = Appliance::load(dir)?;
    let Some(place) = appliance.config.unseal.key_file.filter(|place| !place.exists()) else { return Ok(()) };
    let Some(file) = file else {
        out.line(format!(
            "\
kontor.toml names the key file {}, which no set holds. Put your copy of it there, or take
unseal.key_file out of kontor.toml and unseal with `kontor unseal`: the appliance does not start before.",
            place.display()
        ));
        return Ok(());
    };
    let text = crate::appliance::read_small(file, limits::CONFIG_BYTES_MAX)?;
    layout::write_private(&place, &text)?;
    out.line(format!("The key file was put at {}, where the configuration names it.", place.display()));
    Ok(())
}
