//! Secrets at the command line: from a private file, from the file an environment variable names, or typed without echo.
//! Never from an argument, because arguments show in the list of processes.

use crate::appliance::{Appliance, Desk, layout};
use crate::cli::Dir;
use crate::cli::failure::Failure;
use crate::cli::out::{Out, person_present};
use crate::cli::shares::{self, SharesFrom};
use identity::Channel;
use kernel::{Code, limits};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use vault::{Secret, Vault};
use zeroize::Zeroizing;

/// Names the file with the passphrase, for scripts.
pub(crate) const PASSPHRASE_FILE_VARIABLE: &str = "KONTOR_PASSPHRASE_FILE";

/// Where a passphrase comes from.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct PassphraseFile {
    /// A file (mode 0600, or a pipe such as /dev/fd/3) whose first line is the passphrase. Without it the file named by
    /// the environment variable KONTOR_PASSPHRASE_FILE is read, else the passphrase is asked for.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

impl PassphraseFile {
    fn file(&self) -> Option<PathBuf> {
        self.passphrase_file.clone().or_else(|| std::env::var_os(PASSPHRASE_FILE_VARIABLE).map(PathBuf::from))
    }
    /// The text of a passphrase that exists.
    pub(crate) fn existing(&self) -> Result<Zeroizing<String>, Failure> {
        match self.file() {
            Some(file) => first_line(&file),
            None => ask("Passphrase: "),
        }
    }
    /// A passphrase that is to be set: typed ones are asked for twice.
    pub(crate) fn fresh(&self, out: &mut Out) -> Result<Secret, Failure> {
        let text = match self.file() {
            Some(file) => first_line(&file)?,
            None => {
                out.note(format!(
                    "A new passphrase, at least {} characters. Nobody can recover it.",
                    limits::PASSWORD_CHARS_MIN
                ));
                ask_twice("New passphrase: ")?
            }
        };
        Ok(passphrase(text))
    }
}

/// Where the passphrase comes from, or the recovery shares that stand for it.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct PassphraseFrom {
    #[command(flatten)]
    pub(crate) passphrase: PassphraseFile,
    #[command(flatten)]
    pub(crate) shares: SharesFrom,
}

impl PassphraseFrom {
    /// Whether it was said where the secret comes from; otherwise a key file goes first.
    pub(crate) fn is_named(&self) -> bool {
        self.passphrase.passphrase_file.is_some() || self.shares.is_wanted()
    }
    /// The secret, for the slots of this vault.
    pub(crate) fn secret(&self, vault: &Vault) -> Result<Secret, Failure> {
        if self.shares.is_wanted() && self.passphrase.passphrase_file.is_some() {
            return Err(Failure::new(Code::ParameterInvalid, "either a passphrase or recovery shares, not both")
                .kept("nothing was changed"));
        }
        if self.shares.is_wanted() {
            return Ok(shares::gather(vault, &self.shares)?.secret);
        }
        Ok(passphrase(self.passphrase.existing()?))
    }
}

/// Takes the text over into a secret.
pub(crate) fn passphrase(mut text: Zeroizing<String>) -> Secret {
    Secret::passphrase(std::mem::take(&mut *text))
}

/// Unseals the vault for a command: with what was named, else with the key file where there is one, else with the passphrase.
pub(crate) fn unseal(appliance: &Appliance, from: &PassphraseFrom) -> Result<(), Failure> {
    let key_file = if from.is_named() { None } else { appliance.key_file_secret()? };
    let secret = match key_file {
        Some(secret) => secret,
        None => from.secret(&appliance.vault)?,
    };
    appliance.unseal(&secret)
}

/// An unsealed appliance with its database, for the local operator.
pub(crate) fn desk_of(dir: &Dir, from: &PassphraseFrom) -> Result<(Appliance, Desk), Failure> {
    let appliance = Appliance::load(&dir.dir)?;
    unseal(&appliance, from)?;
    let desk = Desk::open(&appliance, Channel::Cli)?;
    Ok((appliance, desk))
}

/// The first line of a private file.
pub(crate) fn first_line(path: &Path) -> Result<Zeroizing<String>, Failure> {
    layout::require_private(path)?;
    let bytes_max = u64::try_from(limits::PASSPHRASE_BYTES_MAX).unwrap_or(u64::MAX) + 2;
    let mut text = Zeroizing::new(String::with_capacity(limits::PASSPHRASE_BYTES_MAX + 8));
    let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
    file.take(bytes_max).read_to_string(&mut text).map_err(|error| Failure::file(path, &error))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() || line.len() > limits::PASSPHRASE_BYTES_MAX {
        let told = format!(
            "the first line of {} is empty or has more than {} bytes",
            path.display(),
            limits::PASSPHRASE_BYTES_MAX
        );
        return Err(Failure::new(Code::ValueFormat, told)
            .kept("nothing was changed")
            .todo("write the secret on its first line"));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// Asks on the terminal, without echo.
pub(crate) fn ask(question: &str) -> Result<Zeroizing<String>, Failure> {
    let nobody = |why: String| {
        Failure::new(Code::ParameterInvalid, why)
            .kept("nothing was changed")
            .todo(format!("name a file with --passphrase-file or --password-file, or in {PASSPHRASE_FILE_VARIABLE}"))
    };
    if !person_present() {
        return Err(nobody("a secret is needed and there is no terminal to ask on".to_owned()));
    }
    rpassword::prompt_password(question).map(Zeroizing::new).map_err(|error| nobody(error.to_string()))
}

/// Asks twice; a typing mistake in a new secret would lock its owner out.
pub(crate) fn ask_twice(question: &str) -> Result<Zeroizing<String>, Failure> {
    let (first, second) = (ask(question)?, ask("The same again: ")?);
    if first == second {
        Ok(first)
    } else {
        Err(Failure::new(Code::ParameterInvalid, "the two do not agree")
            .kept("nothing was changed")
            .todo("run the command again"))
    }
}
