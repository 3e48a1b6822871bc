//! Recovery shares at the command line: made and handed to people, or taken from them. A share is shown once; it is never kept,
//! never logged, and never an argument.

use crate::appliance::{Appliance, layout};
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::out::{Out, person_present};
use crate::cli::{secret, sheet};
use kernel::{Code, limits};
use std::fmt;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use vault::{Gathered, Gathering, Secret, Share, Vault};
use zeroize::Zeroizing;

/// Wrong shares that somebody may type before it is too much.
const ATTEMPTS_MAX: usize = 64;

/// Where recovery shares come from.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct SharesFrom {
    /// Ask for recovery shares, one after the other, instead of the passphrase.
    #[arg(long)]
    pub(crate) shares: bool,
    /// A file (mode 0600, or a pipe) with the words of one recovery share; can be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) share_file: Vec<PathBuf>,
}

impl SharesFrom {
    /// Whether shares were asked for.
    pub(crate) fn is_wanted(&self) -> bool {
        self.shares || !self.share_file.is_empty()
    }
}

/// How many shares there are, and how many of them open.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Numbers {
    /// How many shares are needed to open the appliance.
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    threshold: u8,
    /// How many shares are made.
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    of: u8,
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.threshold, self.of)
    }
}

/// A set that is to be made.
pub(crate) struct NewSet<'a> {
    pub(crate) numbers: Numbers,
    pub(crate) label: &'a str,
    pub(crate) replaces: Option<u32>,
    /// Where the sheets go; the terminal without it.
    pub(crate) sheets: Option<&'a Path>,
}

/// Makes a set of an unsealed appliance and hands its shares out. When that fails, nothing has changed.
pub(crate) fn add(appliance: &Appliance, set: &NewSet<'_>, out: &mut Out) -> Result<u32, Failure> {
    if set.sheets.is_none() && !(person_present() && std::io::stdout().is_terminal()) {
        return Err(Failure::new(Code::ParameterInvalid, "there is no terminal to show the shares on")
            .kept("nothing was changed")
            .todo("name a folder for their sheets with --sheets"));
    }
    let numbers = (set.numbers.threshold, set.numbers.of);
    let slot = appliance.vault.slot_add_shares(
        numbers,
        set.label,
        set.replaces,
        appliance.clock.as_ref(),
        |slot, shares| {
            let facts = sheet::Facts::of(appliance, slot, numbers)?;
            match set.sheets {
                Some(folder) => write_sheets(folder, &facts, shares),
                None => show(&facts, shares, out),
            }
        },
    )?;
    out.line(format!("Slot {slot} opens with {} recovery shares.", set.numbers));
    if let Some(folder) = set.sheets {
        out.line(format!(
            "Their sheets lie in {}: print them, give each to another person, then destroy the files.",
            folder.display()
        ));
    }
    out.line("Prove them soon: kontor slot test-shares");
    Ok(slot)
}

/// One file per share; all of them, or none.
fn write_sheets(folder: &Path, facts: &sheet::Facts, shares: &[Share]) -> Result<(), Failure> {
    if !folder.exists() {
        layout::make_private_folder(folder)?;
    }
    let mut written: Vec<PathBuf> = Vec::with_capacity(shares.len());
    for share in shares {
        let path =
            folder.join(format!("kontor-share-{}-set-{}-slot-{}.html", share.number(), share.set(), facts.slot()));
        let done = sheet::page(facts, share).and_then(|page| layout::write_private(&path, &page));
        if let Err(failure) = done {
            written.iter().for_each(|path| drop(std::fs::remove_file(path)));
            return Err(failure.kept("nothing was changed; the sheets that were written are gone again"));
        }
        written.push(path);
    }
    Ok(())
}

/// One after the other on the terminal, which is wiped in between.
fn show(facts: &sheet::Facts, shares: &[Share], out: &mut Out) -> Result<(), Failure> {
    for share in shares {
        out.line(sheet::text(facts, share).as_str());
        out.flush();
        let answer = secret::ask("Written down? Read it over once more, then press Enter to wipe it from the screen. ");
        // Screen and the lines that were scrolled off it.
        out.line("\u{1b}[2J\u{1b}[3J\u{1b}[H");
        out.flush();
        answer?;
    }
    Ok(())
}

/// Shares that are enough.
pub(crate) struct Enough {
    pub(crate) secret: Secret,
    /// Which they were, for the log: numbers, no words.
    pub(crate) told: String,
}

/// Takes shares from files, then from whoever types, until they are enough for a slot of this vault.
pub(crate) fn gather(vault: &Vault, from: &SharesFrom) -> Result<Enough, Failure> {
    let slots = vault.share_slots()?;
    if slots.is_empty() {
        return Err(Failure::new(Code::UnsealFailed, "this appliance has no recovery shares")
            .exit(EXIT_ANSWER_BAD)
            .kept("nothing was changed")
            .todo("use the passphrase or the key file"));
    }
    let mut gathering = Gathering::new();
    for file in &from.share_file {
        let words = words_in(file)?;
        let gathered = gathering.add(&slots, &words).map_err(|error| {
            let failure = Failure::from(error);
            let told = format!("{}: {}", file.display(), failure.what());
            Failure::new(failure.code, told).exit(EXIT_ANSWER_BAD).kept("nothing was changed")
        })?;
        if gathered.is_enough() {
            return enough(&gathering, &slots, &gathered);
        }
    }
    if !from.shares && !from.share_file.is_empty() {
        return Err(gathering.secret(&slots).err().map_or_else(too_many, Failure::from).exit(EXIT_ANSWER_BAD));
    }
    let mut told = String::new();
    for _ in 0..ATTEMPTS_MAX {
        match gathering.add(&slots, &ask(&told)?) {
            Ok(gathered) if gathered.is_enough() => return enough(&gathering, &slots, &gathered),
            Ok(gathered) => told = so_far(&gathered),
            Err(error) => told = Failure::from(error).what().to_owned(),
        }
    }
    Err(too_many())
}

fn too_many() -> Failure {
    Failure::new(Code::UnsealFailed, "too many attempts").exit(EXIT_ANSWER_BAD).kept("nothing was changed")
}

fn enough(gathering: &Gathering, slots: &[vault::ShareSlot], gathered: &Gathered) -> Result<Enough, Failure> {
    let told = format!("recovery shares {} of set {}", numbers(gathered), gathered.set);
    Ok(Enough { secret: gathering.secret(slots)?, told })
}

fn numbers(gathered: &Gathered) -> String {
    gathered.shares.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")
}

fn so_far(gathered: &Gathered) -> String {
    format!("Good. Share {} of set {} is there; {} are needed.", numbers(gathered), gathered.set, gathered.needed)
}

/// Asks for one share, after saying what came of the one before.
pub(crate) fn ask(told: &str) -> Result<Zeroizing<String>, Failure> {
    let lead = if told.is_empty() { String::new() } else { format!("{told}\n") };
    secret::ask(&format!("{lead}Recovery share, all its words in order (they do not show): "))
        .map_err(|failure| failure.todo("name files with --share-file, one for each share"))
}

/// The words of a share in a private file.
pub(crate) fn words_in(path: &Path) -> Result<Zeroizing<String>, Failure> {
    layout::require_private(path)?;
    let bytes_max = u64::try_from(limits::RECOVERY_SHARE_BYTES_MAX).unwrap_or(u64::MAX);
    crate::appliance::read_small(path, bytes_max).map(Zeroizing::new)
}
