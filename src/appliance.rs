//! One appliance in its folder: configuration, keys, database, log. Puts the crates together and hands them to the verbs
//! of the command line and to the server. It never prints, and never asks for a secret by itself.

mod backup_desk;
mod backup_health;
mod backup_pins;
mod backup_turn;
mod completing;
mod create;
mod desk;
mod digesting;
mod drill_reports;
mod figures;
mod health;
mod joining;
mod keeper;
mod keeping;
pub(crate) mod layout;
mod live;
mod membership;
mod operator;
mod picks;
mod planning;
mod post_office;
mod running;
mod sample_data;
mod shipping;
mod signer;
mod targets;
pub(crate) mod upgrade;
mod waiting_shares;
mod watch;

pub(crate) use backup_health::proven_too_old;
pub(crate) use create::{NewAppliance, create};
pub(crate) use desk::{Desk, NewUser, fields_of, identity_over};
pub(crate) use figures::figures_beside;
pub(crate) use health::checks_beside;
pub(crate) use joining::{NewNode, join, kit};
pub(crate) use keeper::{Keeper, failure as recovery_failure};
pub(crate) use layout::{FolderLock, Layout};
pub(crate) use live::{Live, restart_keys};
pub(crate) use operator::local_operator;
pub(crate) use post_office::{house_of, relay_of};
pub(crate) use running::Gate;
pub(crate) use sample_data::{HouseSample, Places};
pub(crate) use signer::LogSigner;
pub(crate) use targets::target_of;

use crate::cli::failure::Failure;
use crate::config::{Config, DatabaseConfig, Problem};
use audit::VerifierKey;
use kernel::{Clock, Code, Random, SystemClock, limits};
use recovery::ShipStatus;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use store::{EngineConfig, PostgresUrl, Store, StoreConfig};
use vault::{OsRandom, Secret, Vault, VaultError};
use zeroize::Zeroizing;

/// Reader threads of a store: enough for the processors, few enough for a small server's memory.
const READERS_MIN: usize = 2;
const READERS_MAX: usize = 8;

/// An appliance as its folder describes it; its vault may be sealed.
pub(crate) struct Appliance {
    pub(crate) layout: Layout,
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) vault: Arc<Vault>,
    /// What of the configuration may change while it serves: it begins as `config` has it.
    pub(crate) live: Arc<Live>,
    /// Whether it is opened by an upgrade, which may open it half-way.
    pub(crate) upgrading: bool,
}

/// An unsealed appliance with its database open.
pub(crate) struct Opened {
    pub(crate) store: Arc<Store>,
    pub(crate) signer: Arc<LogSigner>,
    /// How shipping is, where commits are shipped.
    pub(crate) shipping: Option<Arc<ShipStatus>>,
}

impl Appliance {
    /// The appliance in a folder, sealed. Reads the configuration and nothing else.
    pub(crate) fn load(dir: &Path) -> Result<Self, Failure> {
        let layout = Layout::new(dir);
        operator::refuse_root_on_foreign(&layout)?;
        Self::at(layout)
    }

    /// The same for an upgrade, which root may do: only root switches a program. What is read and done there has the owner's rights.
    pub(crate) fn load_as_root(dir: &Path) -> Result<Self, Failure> {
        let layout = Layout::new(dir).acting()?;
        upgrade::as_owner(&layout.clone(), || Self::at(layout))
    }

    fn at(layout: Layout) -> Result<Self, Failure> {
        let config = Config::read(&layout).map_err(|problems| config_failure(&layout, &problems))?;
        let layout = layout.with_files(config.files.clone());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let random: Arc<dyn Random> = Arc::new(OsRandom::new());
        let vault = Arc::new(Vault::sealed(layout.slots(), Arc::clone(&random)));
        let live = Arc::new(Live::new(&config));
        Ok(Self { layout, config, clock, random, vault, live, upgrading: false })
    }

    /// How the store is opened.
    pub(crate) fn store_config(&self) -> Result<StoreConfig, Failure> {
        let engine = match &self.config.database {
            DatabaseConfig::Sqlite => EngineConfig::Sqlite { file: self.layout.database() },
            DatabaseConfig::Postgres { url_file, ca_file } => {
                EngineConfig::Postgres { url: database_url(url_file)?, ca_file: ca_file.clone() }
            }
        };
        let processors = std::thread::available_parallelism().map_or(READERS_MIN, usize::from);
        let readers = processors.clamp(READERS_MIN, READERS_MAX);
        Ok(StoreConfig {
            engine,
            readers,
            log_folder: self.layout.log(),
            files_folder: self.layout.files(),
            node: self.config.node.clone(),
        })
    }

    /// The secret of the key file, where the configuration names one.
    pub(crate) fn key_file_secret(&self) -> Result<Option<Secret>, Failure> {
        let Some(path) = &self.config.unseal.key_file else { return Ok(None) };
        let read = if layout::is_credential(path) {
            let text = Zeroizing::new(read_small(path, limits::CONFIG_BYTES_MAX)?);
            Secret::key_text(&text)
        } else {
            Secret::key_file_read(path)
        };
        let secret = read.map_err(|error| {
            let told = format!("the key file {}: {error}", path.display());
            Failure::new(Code::Sealed, told).kept("the appliance stays sealed").todo(
                "mend the file or its mode; or take unseal.key_file out of kontor.toml and unseal with a passphrase",
            )
        })?;
        Ok(Some(secret))
    }

    /// Opens the vault with a secret.
    pub(crate) fn unseal(&self, secret: &Secret) -> Result<(), Failure> {
        self.vault.unseal(secret).map_err(|error| match error {
            VaultError::NoSlotOpens => {
                Failure::new(Code::UnsealFailed, "no unseal slot opens with that passphrase or key file")
                    .exit(1)
                    .kept("the appliance stays sealed; nothing was changed")
                    .todo("check the passphrase, or name another file; `kontor slot list` shows which slots there are")
            }
            other => Failure::from(other),
        })
    }

    /// Refuses a standby: it is no appliance before it was promoted, sealed or not.
    pub(crate) fn refuse_standby(&self) -> Result<(), Failure> {
        if !self.layout.dir().join(recovery::STANDBY).exists() {
            return Ok(());
        }
        Err(Failure::new(Code::ConfigInvalid, format!("{} is a standby", self.layout.dir().display()))
            .kept("nothing was changed")
            .todo("use the appliance that it follows; or make it the appliance: `kontor standby promote`"))
    }

    /// Opens the database of an unsealed appliance and the key that signs the log, and ships what is committed from now on
    /// where the configuration says so. Never a standby.
    pub(crate) fn open(&self) -> Result<Opened, Failure> {
        self.refuse_standby()?;
        if !self.upgrading {
            upgrade::refuse_half_done(&self.layout)?;
        }
        let opened_from = shipping::stamp(self);
        let mut opened = self.open_without_shipping()?;
        opened.shipping = shipping::begin(self, &opened.store, &opened.signer, opened_from)?;
        Ok(opened)
    }

    /// The same without shipping: for the promotion of a standby, whose own term is not yet the one in force.
    pub(crate) fn open_without_shipping(&self) -> Result<Opened, Failure> {
        let (appliance, _) = self.vault.appliance()?;
        let store = Store::open(
            self.store_config()?,
            Arc::clone(&self.vault),
            Arc::clone(&self.clock),
            Arc::clone(&self.random),
        )?;
        let store = Arc::new(store);
        let stored = store.appliance()?;
        if stored != appliance.to_string() {
            let told = "the database belongs to another appliance than the keys in this folder";
            return Err(Failure::new(Code::ConfigInvalid, told)
                .kept("nothing was changed")
                .todo("put the keys/ folder and the database of one appliance together, as a backup set has them"));
        }
        upgrade::admit(&store, &self.vault)?;
        let signer = Arc::new(LogSigner::load(&store, appliance)?);
        Ok(Opened { store, signer, shipping: None })
    }

    /// The public key of the log, from the file that auditors get too.
    pub(crate) fn verifier_key(&self) -> Result<VerifierKey, Failure> {
        let path = self.layout.log_key();
        let text = read_small(&path, limits::CONFIG_BYTES_MAX)?;
        text.trim().parse().map_err(|error| {
            Failure::new(Code::ConfigInvalid, format!("{}: {error}", path.display()))
                .todo("restore the file from a backup, or start the appliance once: `kontor serve` writes it anew")
        })
    }
}

/// What is wrong with a configuration, all at once.
pub(crate) fn config_failure(layout: &Layout, problems: &[Problem]) -> Failure {
    let told = match problems {
        [only] => only.to_string(),
        many => many.iter().fold(format!("{} problems:", many.len()), |text, problem| format!("{text}\n  {problem}")),
    };
    Failure::new(Code::ConfigInvalid, told)
        .kept("nothing was started and nothing was changed")
        .todo(format!("mend {} and look again with `kontor config check`", layout.config().display()))
}

/// Reads a small text file with a limit.
pub(crate) fn read_small(path: &Path, bytes_max: u64) -> Result<String, Failure> {
    let refuse = |what: String| {
        Failure::new(Code::Unavailable, format!("{}: {what}", path.display())).kept("nothing was changed")
    };
    let file = std::fs::File::open(path).map_err(|error| refuse(error.to_string()))?;
    let mut text = String::new();
    file.take(bytes_max + 1).read_to_string(&mut text).map_err(|error| refuse(error.to_string()))?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(refuse(format!("it has more than {bytes_max} bytes")));
    }
    Ok(text)
}

/// The address of the database server; the file must be private, because it holds a password.
pub(crate) fn database_url(path: &Path) -> Result<PostgresUrl, Failure> {
    layout::require_private(path)?;
    let text = Zeroizing::new(read_small(path, limits::CONFIG_BYTES_MAX)?);
    Ok(PostgresUrl(text.trim().to_owned()))
}
