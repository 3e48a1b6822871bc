//! `kontor slot`: the ways in which this appliance can be unsealed. A slot is added or taken away by who can unseal it.

use crate::appliance::{Appliance, Layout, local_operator};
use crate::cli::audit_verify::seal_after;
use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::cli::secret::{self, PassphraseFrom};
use crate::cli::{Dir, secret::passphrase};
use audit::Verb;
use clap::Subcommand;
use identity::Channel;
use std::path::PathBuf;
use vault::{PassphraseCost, Secret, SlotKind, Vault};

/// Unseal slots: passphrases and key files that open this appliance.
#[derive(Subcommand)]
pub(crate) enum SlotVerb {
    /// Lists the slots, without their secrets.
    #[command(after_help = "Example:
  kontor slot list --dir /srv/kontor

Prints number, kind, label and age of each slot. Works while the appliance is sealed.
Exit codes: 0 done; 2 not done.")]
    List(Dir),
    /// Adds a passphrase.
    #[command(after_help = "Example:
  kontor slot add-passphrase --dir /srv/kontor --label \"vault of the branch\"

Asks for a passphrase that opens the appliance (unless there is a key file), then twice for the new one.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    AddPassphrase(AddPassphrase),
    /// Makes a key file and adds it.
    #[command(after_help = "Example:
  kontor slot add-key-file --dir /srv/kontor --label \"USB stick\" /media/stick/kontor.key

Writes a new file (mode 0600) that opens the appliance. To use it at start, name it as unseal.key_file in kontor.toml.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    AddKeyFile(AddKeyFile),
    /// Takes a slot away. The last one stays.
    #[command(after_help = "Example:
  kontor slot remove --dir /srv/kontor 2

Whoever has the secret of that slot, and no copy of slots.json from before, can no longer unseal.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    Remove(Remove),
}

/// How a new slot is called.
#[derive(clap::Args)]
pub(crate) struct Label {
    /// What the slot is called in lists, such as the place where its secret is kept.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct AddPassphrase {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    label: Label,
    #[command(flatten)]
    from: PassphraseFrom,
    /// A file (mode 0600) whose first line is the new passphrase; asked for without it.
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct AddKeyFile {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    label: Label,
    #[command(flatten)]
    from: PassphraseFrom,
    /// The key file to make.
    file: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
    /// The number of the slot.
    slot: u32,
}

pub(crate) fn run(verb: &SlotVerb, out: &mut Out) -> Result<u8, Failure> {
    match verb {
        SlotVerb::List(dir) => list(dir, out),
        SlotVerb::AddPassphrase(args) => {
            let appliance = Appliance::load(&args.dir.dir)?;
            secret::unseal(&appliance, &args.from)?;
            let new = match &args.new_passphrase_file {
                Some(file) => passphrase(secret::first_line(file)?),
                None => passphrase(secret::ask_twice("New passphrase: ")?),
            };
            let label = args.label.label.as_deref().unwrap_or("passphrase");
            change(&appliance, "passphrase slot added", |vault| {
                vault.slot_add(&new, label, PassphraseCost::default(), appliance.clock.as_ref())
            })
            .map(|slot| out.line(format!("Slot {slot} opens with the new passphrase.")))
        }
        SlotVerb::AddKeyFile(args) => {
            let appliance = Appliance::load(&args.dir.dir)?;
            secret::unseal(&appliance, &args.from)?;
            let new = Secret::key_file_create(&args.file, appliance.random.as_ref())?;
            let label = args.label.label.as_deref().unwrap_or("key file");
            change(&appliance, "key file slot added", |vault| {
                vault.slot_add(&new, label, PassphraseCost::default(), appliance.clock.as_ref())
            })
            .map(|slot| {
                out.line(format!("Slot {slot} opens with {}. Keep a copy apart from the data.", args.file.display()))
            })
        }
        SlotVerb::Remove(args) => {
            let appliance = Appliance::load(&args.dir.dir)?;
            secret::unseal(&appliance, &args.from)?;
            change(&appliance, "slot removed", |vault| vault.slot_remove(args.slot))
                .map(|()| out.line(format!("Slot {} is gone.", args.slot)))
        }
    }
    .map(|()| 0)
}

fn list(dir: &Dir, out: &mut Out) -> Result<(), Failure> {
    let layout = Layout::new(&dir.dir);
    let random = std::sync::Arc::new(vault::OsRandom::new());
    let slots = Vault::sealed(layout.slots(), random).slot_list()?;
    let rows: Vec<Vec<String>> = slots
        .iter()
        .map(|slot| {
            let kind = match &slot.kind {
                SlotKind::Passphrase => "passphrase".to_owned(),
                SlotKind::KeyFile => "key file".to_owned(),
                SlotKind::Unsupported(name) => format!("{name} (not known to this version)"),
            };
            vec![slot.id.to_string(), kind, slot.created_at.date().to_string(), slot.label.clone()]
        })
        .collect();
    out.table(&["SLOT", "KIND", "SINCE", "LABEL"], &rows);
    Ok(())
}

/// Changes the slots, told in the log: first the intent, for the file is not part of the database, then the outcome.
fn change<T>(
    appliance: &Appliance,
    what: &str,
    change: impl FnOnce(&Vault) -> Result<T, vault::VaultError>,
) -> Result<T, Failure> {
    let operator =
        local_operator(&appliance.layout, Channel::Cli, appliance.clock.as_ref(), appliance.random.as_ref())?;
    let opened = appliance.open()?;
    let entry = |phase, outcome| {
        let mut entry = opened.store.entry(&operator, Verb::KeyChange);
        entry.note = format!("{}; {what}", entry.note);
        (entry.phase, entry.outcome) = (phase, outcome);
        entry
    };
    opened.store.append(vec![entry(audit::Phase::Intent, audit::ActOutcome::Ok)]).wait()?;
    let done = change(&appliance.vault);
    let outcome = if done.is_ok() { audit::ActOutcome::Ok } else { audit::ActOutcome::Failed };
    opened.store.append(vec![entry(audit::Phase::Outcome, outcome)]).wait()?;
    seal_after(&opened)?;
    opened.store.close();
    Ok(done?)
}
