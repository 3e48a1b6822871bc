//! A second appliance that follows: a folder made from the newest set of a target, rolled forward with each segment that is
//! shipped there, looked through again and again, and ready to be promoted. Until then it is no appliance: it takes nothing of
//! its own. What is applied ends with a commit; a crash in between is made good by applying the same again.

use crate::journal::{Next, Reading, StreamPlace, stream_files};
use crate::manifest::hex;
use crate::rewind::{Applier, Rewind, bytes_of, config_of, leads_into, rewind, rewind_plan};
use crate::{RecoveryError, Target};
use audit::VerifierKey;
use kernel::{Clock, Timestamp};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use store::{Depth, Store};
use vault::ArchiveIdentity;

/// The file that says that a folder is a standby, and how far it is.
pub const STANDBY: &str = "standby.json";
/// Segments that are applied between two looks at the clock.
const SEGMENTS_AT_ONCE: u64 = 2_000;

/// What a standby follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandbyFrom {
    /// A folder that holds sets; or a file that names targets.
    pub from: PathBuf,
    /// Which of its targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Whose sets there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appliance: Option<String>,
}

impl std::fmt::Display for StandbyFrom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.target {
            Some(target) => write!(f, "{target} ({})", self.from.display()),
            None => write!(f, "{}", self.from.display()),
        }
    }
}

/// How a standby stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standby {
    /// What it follows.
    #[serde(flatten)]
    pub from: StandbyFrom,
    stream: u32,
    name: String,
    segment: u64,
    hash: String,
    /// Everything in it was committed by then.
    pub moment: Timestamp,
    /// When it was last looked through with everything well.
    pub verified_at: Option<Timestamp>,
    /// The moment it had then.
    pub verified_moment: Option<Timestamp>,
    /// What was wrong the last time, if something was.
    pub trouble: Option<String>,
}

/// What following found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// So many segments were applied; there may be more.
    Applied(u64),
    /// There is nothing new.
    Current,
    /// The stream has ended, and a set leads into a newer one: begin anew.
    Anew,
}

impl Standby {
    /// How the standby in a folder stands; `None` when it is none.
    ///
    /// # Errors
    /// [`RecoveryError::Damaged`] when its file cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, RecoveryError> {
        let text = match fs::read(folder.join(STANDBY)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(RecoveryError::target(format!("reading {STANDBY}")))?,
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| RecoveryError::Damaged(format!("{STANDBY}: {error}")))
    }

    fn write(&self, folder: &Path) -> Result<(), RecoveryError> {
        let failed = || RecoveryError::target(format!("writing {STANDBY}"));
        let text = serde_json::to_vec_pretty(self).map_err(|error| RecoveryError::Damaged(error.to_string()))?;
        let half = folder.join(format!("{STANDBY}.part"));
        fs::write(&half, text).map_err(failed())?;
        let file = fs::File::open(&half).map_err(failed())?;
        file.sync_all().map_err(failed())?;
        fs::rename(&half, folder.join(STANDBY)).map_err(failed())
    }

    fn place(&self) -> Option<StreamPlace> {
        let (name, hash) = (bytes_of(&self.name)?.try_into().ok()?, bytes_of(&self.hash)?.try_into().ok()?);
        Some(StreamPlace { stream: self.stream, name: Some(name), number: self.segment, hash })
    }

    fn at(&mut self, place: &StreamPlace) {
        (self.stream, self.segment, self.hash) = (place.stream, place.number, hex(&place.hash));
        self.name = place.name.map(|name| hex(&name)).unwrap_or_default();
    }
}

/// Makes a standby from what a target has. Never over anything.
///
/// # Errors
/// As [`rewind`]; [`RecoveryError::Refused`] when the newest set leads into no stream.
pub fn standby_begin(
    target: &dyn Target,
    from: &StandbyFrom,
    key: &VerifierKey,
    identity: &ArchiveIdentity,
    into: &Path,
) -> Result<(Standby, Rewind), RecoveryError> {
    let plan = rewind_plan(target, None, None, key)?;
    let Some(place) = plan.end() else {
        return Err(RecoveryError::Refused(
            "nothing is shipped there that a standby could follow; name a target of [backup.ship]".to_owned(),
        ));
    };
    let mut standby = Standby {
        from: from.clone(),
        stream: 0,
        name: String::new(),
        segment: 0,
        hash: String::new(),
        moment: plan.moment,
        verified_at: None,
        verified_moment: None,
        trouble: plan.broken.clone(),
    };
    standby.at(&place);
    rewind(target, &plan, key, identity, into, |half| standby.write(half))?;
    Ok((standby, plan))
}

/// Applies what was shipped since, up to the last commit.
///
/// # Errors
/// [`RecoveryError::Damaged`] naming what does not belong; what the target or the disk says.
pub fn standby_follow(
    target: &dyn Target,
    key: &VerifierKey,
    identity: &ArchiveIdentity,
    folder: &Path,
) -> Result<Followed, RecoveryError> {
    let mut standby = Standby::read(folder)?.ok_or_else(|| RecoveryError::Refused("it is no standby".to_owned()))?;
    let place = standby.place().ok_or_else(|| RecoveryError::Damaged(format!("{STANDBY}: its place")))?;
    let (first, mut reading) = (place.number, Reading::of_target(target, place, key));
    let (mut waiting, mut applied) = (Vec::new(), 0);
    let mut applier = Applier::open(folder)?;
    while applied < SEGMENTS_AT_ONCE {
        match reading.next()? {
            Next::Segment(segment) => {
                let (border, at) = (segment.head.border, segment.head.at);
                waiting.push(segment);
                if border {
                    for segment in waiting.drain(..) {
                        applier.apply(&segment, &segment.open(identity)?)?;
                    }
                    standby.at(reading.at());
                    standby.moment = at.max(standby.moment);
                    applied = reading.at().number - first;
                }
            }
            Next::End(_) => break,
            Next::Broken(what) => {
                standby.trouble = Some(what.clone());
                standby.write(folder)?;
                return if began_anew(target, standby.stream)? {
                    Ok(Followed::Anew)
                } else {
                    Err(RecoveryError::Damaged(what))
                };
            }
        }
    }
    if applied > 0 {
        applier.finish()?;
        standby.trouble = None;
        standby.write(folder)?;
        return Ok(Followed::Applied(applied));
    }
    Ok(if began_anew(target, standby.stream)? { Followed::Anew } else { Followed::Current })
}

/// Whether there is a newer stream, with a set that leads into it.
fn began_anew(target: &dyn Target, stream: u32) -> Result<bool, RecoveryError> {
    let Some(newest) = stream_files(target)?.last().copied().filter(|file| file.stream > stream) else {
        return Ok(false);
    };
    leads_into(target, |place| place.stream == newest.stream)
}

/// Looks the standby through: its log brought up to its data, damage, and every record. What is wrong, if something is.
///
/// # Errors
/// When it cannot be looked at.
pub fn standby_verify(key: &VerifierKey, folder: &Path, clock: &dyn Clock) -> Result<Vec<String>, RecoveryError> {
    let mut standby = Standby::read(folder)?.ok_or_else(|| RecoveryError::Refused("it is no standby".to_owned()))?;
    let config = config_of(folder);
    let mut found = match Store::log_follow(&config, key) {
        Ok(_) => Store::integrity_of(&config.engine)?,
        Err(error) => vec![error.to_string()],
    };
    let report = Store::verify_log(&config, key, None, Depth(4))?;
    found.extend(report.findings.iter().map(|finding| format!("{}: {}", finding.place, finding.detail)));
    standby.trouble = found.first().cloned();
    if found.is_empty() {
        standby.verified_at = Some(clock.now());
        standby.verified_moment = Some(standby.moment);
    }
    standby.write(folder)?;
    Ok(found)
}

/// Makes an appliance of the standby: from now on it may be opened.
///
/// # Errors
/// What the disk says.
pub fn standby_end(folder: &Path) -> Result<(), RecoveryError> {
    let failed = || RecoveryError::target(format!("removing {STANDBY}"));
    fs::remove_file(folder.join(STANDBY)).map_err(failed())?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed())
}
