//! `kontor slot`: the ways in which this appliance can be unsealed. A slot is added or taken away by who can unseal it.

use crate::appliance::{Appliance, Layout, local_operator};
use crate::cli::audit_verify::seal_after;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::Out;
use crate::cli::secret::{self, PassphraseFile, PassphraseFrom};
use crate::cli::shares;
use crate::cli::{Dir, secret::passphrase};
use audit::Verb;
use clap::Subcommand;
use identity::Channel;
use std::path::PathBuf;
use vault::{PassphraseCost, Secret, SlotKind, Vault};

/// Unseal slots: passphrases, key files and recovery shares that open this appliance.
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
    /// Makes recovery shares: so many of so many people open the appliance together.
    #[command(after_help = "Examples:
  kontor slot add-shares --dir /srv/kontor --sheets /media/stick
  kontor slot add-shares --dir /srv/kontor --threshold 2 --of 3 --replaces 4

Writes one printable sheet per share (mode 0600) into the folder, or shows one after the other on the terminal. They are
shown once and kept nowhere: print them, hand them out, destroy the files. --replaces takes the slot of an older set away in
the same moment; its shares open nothing any more. The words are those of SLIP-0039, which other programs read too.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done, and then no share is good.")]
    AddShares(AddShares),
    /// Proves that recovery shares open the appliance, without unsealing anything.
    #[command(after_help = "Example:
  kontor slot test-shares --dir /srv/kontor --share-file one --share-file two --share-file three

Asks for the shares when no file is named, says of each whether it is right, and whether together they open their slot. The
passphrase or key file is needed beside them, for the test stands in the audit log.
Exit codes: 0 they open; 1 they do not, or the passphrase opens nothing; 2 not done.")]
    TestShares(TestShares),
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
pub(crate) struct AddShares {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    label: Label,
    #[command(flatten)]
    from: PassphraseFrom,
    #[command(flatten)]
    numbers: shares::Numbers,
    /// A folder for the sheets, best on a medium that goes to the printer and nowhere else. Without it the shares are shown on
    /// the terminal.
    #[arg(long, value_name = "DIR")]
    sheets: Option<PathBuf>,
    /// The slot of an older set, which goes in the same moment.
    #[arg(long, value_name = "SLOT")]
    replaces: Option<u32>,
}

#[derive(clap::Args)]
pub(crate) struct TestShares {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    passphrase: PassphraseFile,
    #[command(flatten)]
    shares: shares::SharesFrom,
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
                Ok(vault.slot_add(&new, label, PassphraseCost::default(), appliance.clock.as_ref())?)
            })
            .map(|slot| out.line(format!("Slot {slot} opens with the new passphrase.")))
        }
        SlotVerb::AddKeyFile(args) => {
            let appliance = Appliance::load(&args.dir.dir)?;
            secret::unseal(&appliance, &args.from)?;
            let new = Secret::key_file_create(&args.file, appliance.random.as_ref())?;
            let label = args.label.label.as_deref().unwrap_or("key file");
            change(&appliance, "key file slot added", |vault| {
                Ok(vault.slot_add(&new, label, PassphraseCost::default(), appliance.clock.as_ref())?)
            })
            .map(|slot| {
                out.line(format!("Slot {slot} opens with {}. Keep a copy apart from the data.", args.file.display()))
            })
        }
        SlotVerb::AddShares(args) => {
            let appliance = Appliance::load(&args.dir.dir)?;
            secret::unseal(&appliance, &args.from)?;
            let label = args.label.label.as_deref().unwrap_or("recovery shares");
            let (numbers, replaces, sheets) = (args.numbers, args.replaces, args.sheets.as_deref());
            let set = shares::NewSet { numbers, label, replaces, sheets };
            let what = match replaces {
                Some(old) => format!("recovery shares made, {numbers}; those of slot {old} are void"),
                None => format!("recovery shares made, {numbers}"),
            };
            change(&appliance, &what, |_| shares::add(&appliance, &set, out)).map(drop)
        }
        SlotVerb::TestShares(args) => return test_shares(args, out),
        SlotVerb::Remove(args) => {
            let appliance = Appliance::load(&args.dir.dir)?;
            secret::unseal(&appliance, &args.from)?;
            change(&appliance, "slot removed", |vault| Ok(vault.slot_remove(args.slot)?))
                .map(|()| out.line(format!("Slot {} is gone.", args.slot)))
        }
    }
    .map(|()| 0)
}

/// Tests recovery shares. What came of it is in the log, also when a share is not what it should be.
fn test_shares(args: &TestShares, out: &mut Out) -> Result<u8, Failure> {
    let appliance = Appliance::load(&args.dir.dir)?;
    let from = PassphraseFrom { passphrase: args.passphrase.clone(), shares: shares::SharesFrom::default() };
    secret::unseal(&appliance, &from)?;
    let operator =
        local_operator(&appliance.layout, Channel::Cli, appliance.clock.as_ref(), appliance.random.as_ref())?;
    let opened = appliance.open()?;
    let tested = shares::gather(&appliance.vault, &args.shares)
        .and_then(|gathered| Ok((appliance.vault.slot_test(&gathered.secret)?, gathered.told)));
    let mut entry = opened.store.entry(&operator, Verb::KeyChange);
    let told = match &tested {
        Ok((slot, told)) => format!("tested: {told} open slot {slot}"),
        Err(failure) => {
            entry.outcome = audit::ActOutcome::Failed;
            format!("recovery shares tested, not well: {}", failure.what())
        }
    };
    entry.note = format!("{}; {told}", entry.note);
    opened.store.append(vec![entry]).wait()?;
    seal_after(&opened)?;
    opened.store.close();
    match tested {
        Ok((slot, told)) => {
            out.line(format!("The {told} open slot {slot}. Nothing was unsealed, and nothing is kept of them."));
            Ok(0)
        }
        Err(failure) => Err(failure.exit(EXIT_ANSWER_BAD)),
    }
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
                SlotKind::Shares { threshold, count, set } => {
                    format!("recovery shares, {threshold} of {count} (set {set})")
                }
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
    change: impl FnOnce(&Vault) -> Result<T, Failure>,
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
    done
}
