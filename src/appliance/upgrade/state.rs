//! How far an upgrade is: one small file in the folder of the appliance, written beside, synced and renamed. Both versions read
//! it, so its format has a number. It holds no secret.

use crate::appliance::upgrade::{fault, mark, own};
use crate::appliance::{Appliance, Layout};
use crate::cli::failure::Failure;
use kernel::{AnyKind, Code, Id, Timestamp, limits};
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::path::PathBuf;
use upgrade::Version;

/// The format of the file.
const FORMAT: u32 = 1;
/// The file whose lock is held by who upgrades.
const LOCK: &str = "lock";
/// The mode of a file that the server reads too.
pub(super) const PUBLIC: u32 = 0o644;
/// The mode of every other.
pub(super) const PRIVATE: u32 = 0o600;

/// What is done; the next step follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// The log tells of the intent; nothing else is done.
    Begun,
    /// Data, log and both programs lie in the copy.
    Copied,
    /// The program is being switched.
    Switching,
    /// The new program is in its place.
    Switched,
    /// The schema is the new one.
    Migrated,
    /// The self-test was well.
    Tested,
    /// The new version serves, and waits to be finalized.
    Waiting,
    /// The program is being switched back.
    Leaving,
    /// The former program is in its place, and the data go back.
    Restoring,
}

impl Phase {
    /// Its word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Copied => "copied",
            Self::Switching => "switching",
            Self::Switched => "switched",
            Self::Migrated => "migrated",
            Self::Tested => "tested",
            Self::Waiting => "waiting",
            Self::Leaving => "leaving",
            Self::Restoring => "restoring",
        }
    }
}

/// How the program gets into its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub(crate) enum Install {
    /// A file of its own.
    File,
    /// A package of Debian.
    Deb,
    /// A package of RPM.
    Rpm,
    /// Somebody has switched it already.
    Done,
}

/// How far an upgrade is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    format: u32,
    /// Which upgrade it is, among all of this machine.
    pub(super) id: String,
    pub(crate) phase: Phase,
    /// The version that is left.
    pub(crate) from: Version,
    /// The version that comes.
    pub(crate) to: Version,
    /// When it began; while it waits, since when.
    pub(crate) since: Timestamp,
    /// Where the program lies.
    pub(crate) installed: PathBuf,
    pub(crate) install: Install,
    /// The programs or packages that come and that were there, as they were put into the folder.
    pub(crate) pieces: Vec<own::Piece>,
    /// The service that is stopped and started.
    pub(crate) service: Option<String>,
    /// The sockets that were open for it.
    pub(crate) sockets: Vec<String>,
    /// Tables of others beside ours.
    pub(crate) others: Vec<String>,
    /// The last step of the schema that the version which is left knows.
    pub(crate) known: i64,
    /// System tables that steps of the migration name.
    pub(crate) touched: Vec<String>,
    /// Entries of the log when it was done.
    pub(crate) entries: u64,
    /// What finalizing allows, sealed for this appliance; without a bundle what this program has.
    pub(crate) accepted: Option<String>,
    /// Whether going back takes the data back too.
    pub(crate) restores: bool,
    /// Entries of the log that go then; unknown before it comes to that.
    pub(crate) given_up: Option<u64>,
    /// Why it goes back; empty on the way there.
    pub(crate) why: String,
}

impl State {
    /// An upgrade that begins.
    pub(crate) fn begin(
        appliance: &Appliance,
        (from, to): (Version, Version),
        installed: PathBuf,
        install: Install,
    ) -> Self {
        let (clock, random) = (appliance.clock.as_ref(), appliance.random.as_ref());
        let id: Id<AnyKind> = Id::generate(clock, random);
        let at = clock.now();
        Self {
            format: FORMAT,
            id: id.to_string(),
            phase: Phase::Begun,
            from,
            to,
            since: at,
            installed,
            install,
            pieces: Vec::new(),
            service: None,
            sockets: Vec::new(),
            others: Vec::new(),
            known: 0,
            touched: Vec::new(),
            entries: 0,
            accepted: None,
            restores: true,
            given_up: None,
            why: String::new(),
        }
    }

    /// How far it is; `None` when there is none.
    pub(crate) fn read(layout: &Layout) -> Result<Option<Self>, Failure> {
        let path = layout.upgrade_state();
        let Some(text) = own::read(layout, own::STATE, limits::CONFIG_BYTES_MAX)? else { return Ok(None) };
        let state: Result<Self, _> = serde_json::from_str(&text);
        match state {
            Ok(state) if state.format == FORMAT => {
                if mark::is_of(layout, &state.id)? {
                    return Ok(Some(state));
                }
                Err(own::foreign(&path, "is not of the upgrade that root has begun here"))
            }
            _ => Err(Failure::new(Code::ConfigInvalid, format!("{} cannot be understood", path.display()))
                .kept("nothing was changed")
                .todo("use the version that wrote it, or restore a backup set into another folder")),
        }
    }

    /// Writes it down: from now on this is how far it is.
    pub(crate) fn keep(&self, layout: &Layout) -> Result<(), Failure> {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
        own::replace(layout, own::STATE, &text, PUBLIC)?;
        fault::reached(self.phase.word());
        Ok(())
    }

    /// Writes down that it came to this phase.
    pub(crate) fn enter(&mut self, phase: Phase, layout: &Layout) -> Result<(), Failure> {
        self.phase = phase;
        self.keep(layout)
    }

    /// Whether it is one that is done and may still be taken back.
    pub(crate) fn waits(&self) -> bool {
        self.phase == Phase::Waiting
    }
}

/// Refuses to open an appliance whose upgrade is neither done nor undone.
pub(crate) fn refuse_half_done(layout: &Layout) -> Result<(), Failure> {
    let Some(state) = State::read(layout)?.filter(|state| !state.waits()) else { return Ok(()) };
    let dir = layout.dir().display();
    Err(Failure::new(
        Code::Unavailable,
        format!("the upgrade from {} to {} was cut off ({})", super::told(&state.from), state.to, state.phase.word()),
    )
    .kept("the appliance stays closed; the copy of its data lies in its folder")
    .todo(format!("run `kontor upgrade resume --dir {dir}`: it finishes, or puts everything back")))
}

/// Held by the one process that upgrades.
pub(super) struct Alone(#[expect(dead_code, reason = "held for its lock")] File);

impl Alone {
    pub(super) fn take(layout: &Layout) -> Result<Self, Failure> {
        own::make_folder(layout)?;
        let path = layout.upgrade().join(LOCK);
        let file = match mark::lock_file(layout)? {
            Some(file) => file,
            None => own::lock_file(layout, LOCK)?,
        };
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => {
                Err(Failure::new(Code::Unavailable, "another process upgrades this appliance")
                    .kept("that one goes on; nothing was changed")
                    .todo("wait for it"))
            }
            Err(TryLockError::Error(error)) => Err(Failure::file(&path, &error)),
        }
    }
}
