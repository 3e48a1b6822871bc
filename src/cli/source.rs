//! Where a command finds sets and what was shipped: a folder, or a store or server that a file names as the configuration does.
//! So a blank machine needs that file and its credentials and no copy beforehand. It reads and never writes there.

use crate::appliance::{Layout, read_small, recovery_failure, target_of};
use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::cli::restoring::log_key;
use crate::config::{Config, TargetConfig};
use audit::VerifierKey;
use kernel::{Clock, Code, SystemClock, limits};
use recovery::{DirectoryTarget, SetName, StandbyFrom, Target};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where sets and what was shipped lie.
#[derive(clap::Args)]
pub(crate) struct SourceArgs {
    /// The folder that holds the sets of an appliance, or a file with [backup.targets] as kontor.toml has it.
    #[arg(long, value_name = "FOLDER|FILE")]
    pub(crate) from: PathBuf,
    /// Which target of the file, where it names several.
    #[arg(long, value_name = "NAME")]
    pub(crate) target: Option<String>,
    /// Whose sets, where those of several appliances lie there.
    #[arg(long, value_name = "ID")]
    pub(crate) appliance: Option<String>,
}

/// A place of sets, ready to be read.
pub(crate) struct Source {
    pub(crate) target: Box<dyn Target>,
    /// How it is found again.
    pub(crate) from: StandbyFrom,
    /// Whether it is a folder of this machine.
    pub(crate) is_folder: bool,
}

impl SourceArgs {
    /// The set that `--from` names itself: its folder.
    pub(crate) fn set(&self) -> Option<SetName> {
        self.from.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok())
    }

    /// Finds the place. Where `--from` names a set it is the folder that holds it.
    pub(crate) fn open(&self) -> Result<Source, Failure> {
        if self.set().is_some() {
            let whole = self.from.canonicalize().map_err(|error| Failure::file(&self.from, &error))?;
            return Ok(Source::folder(whole.parent().unwrap_or(Path::new("/"))));
        }
        Source::open(&StandbyFrom {
            from: self.from.clone(),
            target: self.target.clone(),
            appliance: self.appliance.clone(),
        })
    }
}

impl Source {
    fn folder(path: &Path) -> Self {
        let from = StandbyFrom { from: path.to_owned(), target: None, appliance: None };
        Self { target: Box::new(DirectoryTarget::holding_sets(path)), from, is_folder: true }
    }

    /// The same place again.
    pub(crate) fn open(from: &StandbyFrom) -> Result<Self, Failure> {
        let whole = from.from.canonicalize().map_err(|error| Failure::file(&from.from, &error))?;
        if whole.is_dir() {
            return Ok(Self::folder(&folder_of_sets(&whole, from.appliance.as_deref())?));
        }
        let (name, config) = named(&whole, from.target.as_deref())?;
        if let TargetConfig::Folder(path) = &config {
            return Ok(Self::folder(&folder_of_sets(path, from.appliance.as_deref())?));
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let unreachable = |error: std::io::Error| {
            Failure::new(Code::Unavailable, format!("{name}: {error}")).kept("nothing was changed")
        };
        let appliance = match &from.appliance {
            Some(appliance) => appliance.clone(),
            None => {
                let houses = target_of(&name, &config, "", &clock).appliances().map_err(unreachable)?;
                let holds =
                    |house: &String| target_of(&name, &config, house, &clock).list().is_ok_and(|sets| !sets.is_empty());
                only(houses.into_iter().filter(holds).collect(), &config.place())?
            }
        };
        let target = target_of(&name, &config, &appliance, &clock);
        let from = StandbyFrom { from: whole, target: Some(name), appliance: Some(appliance) };
        Ok(Self { target, from, is_folder: false })
    }

    /// The newest set that lies there.
    pub(crate) fn newest(&self) -> Result<SetName, Failure> {
        let sets = self.target.list().map_err(|error| Failure::new(Code::Unavailable, error.to_string()))?;
        sets.last().cloned().ok_or_else(|| Failure::new(Code::RecordNotFound, "there is no set"))
    }

    /// The key that the sets should be signed with: from a copy, or this set's own (the newest's), which is shown.
    pub(crate) fn key(
        &self,
        set: Option<&SetName>,
        copy: Option<&Path>,
        out: &mut Out,
    ) -> Result<VerifierKey, Failure> {
        if let Some(path) = copy {
            return log_key(path);
        }
        let set = set.map_or_else(|| self.newest(), |set| Ok(set.clone()))?;
        let key = recovery::own_log_key(self.target.as_ref(), &set).map_err(recovery_failure)?;
        out.note(format!("The sets are signed by {key}"));
        out.note("Compare that with the copy of log-key.pub that your auditors keep, or name it with --log-key.");
        Ok(key)
    }

    /// The unseal slots of a set, in a private file that goes with the handle: they are no secret, and what opens them reads files.
    pub(crate) fn slots(&self, set: &SetName) -> Result<tempfile::NamedTempFile, Failure> {
        let text = recovery::slots_of(self.target.as_ref(), set).map_err(recovery_failure)?;
        let written = tempfile::NamedTempFile::new().and_then(|mut file| file.write_all(&text).map(|()| file));
        written.map_err(|error| Failure::file(&std::env::temp_dir(), &error))
    }
}

/// The target of a file: the one that was named, or the only one.
fn named(file: &Path, target: Option<&str>) -> Result<(String, TargetConfig), Failure> {
    let text = read_small(file, limits::CONFIG_BYTES_MAX)?;
    let config = Config::parse(&text, &Layout::new(file.parent().unwrap_or(Path::new("/")))).map_err(|problems| {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure::new(Code::ConfigInvalid, format!("{}: {}", file.display(), told.join("; ")))
            .kept("nothing was changed")
            .todo("name a folder that holds sets, or a file with [backup.targets] as kontor.toml has it")
    })?;
    let mut targets = config.backup.targets;
    let names: Vec<String> = targets.iter().map(|(name, _)| name.clone()).collect();
    match target {
        Some(wanted) => targets.into_iter().find(|(name, _)| name == wanted),
        None if targets.len() == 1 => targets.pop(),
        None => None,
    }
    .ok_or_else(|| {
        Failure::new(Code::ParameterInvalid, format!("{} names the targets: {}", file.display(), names.join(", ")))
            .kept("nothing was changed")
            .todo("name one of them with --target")
    })
}

fn only(mut houses: Vec<String>, place: &str) -> Result<String, Failure> {
    match (houses.pop(), houses.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Failure::new(Code::RecordNotFound, format!("{place} holds no backup set"))),
        (Some(last), false) => {
            houses.push(last);
            Err(Failure::new(
                Code::ParameterInvalid,
                format!("{place} holds sets of several appliances: {}", houses.join(", ")),
            )
            .kept("nothing was changed")
            .todo("name one of them with --appliance"))
        }
    }
}

/// The folder that holds sets: this one, or the only one below it, or that of the appliance.
fn folder_of_sets(path: &Path, appliance: Option<&str>) -> Result<PathBuf, Failure> {
    let holds = |folder: &Path| DirectoryTarget::holding_sets(folder).list().is_ok_and(|sets| !sets.is_empty());
    if holds(path) {
        return Ok(path.to_owned());
    }
    if path.join(recovery::MANIFEST).exists() {
        return Err(Failure::new(Code::ParameterInvalid, format!("{} is a set under another name", path.display()))
            .kept("nothing was changed")
            .todo(
                "give the folder its name back, set-NNNNNNNN-YYYYMMDDTHHMMSSZ: its manifest.json has number and moment",
            ));
    }
    let below = std::fs::read_dir(path).map_err(|error| Failure::file(path, &error))?;
    let names = below.flatten().filter(|entry| entry.path().is_dir() && holds(&entry.path()));
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let names = names.filter(|name| appliance.is_none_or(|wanted| wanted == name));
    Ok(path.join(only(names.collect(), &path.display().to_string())?))
}
