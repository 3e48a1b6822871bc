//! Making volumes: each by itself, from the set where it lies, under a name that nobody mistakes for a whole one until it is
//! synced and read back. One that is there already and whole is left alone, so an interrupted export goes on.

use super::cut::{Cut, Part, STRIPE};
use super::found::look_at;
use super::rebuild::{Encoder, STRIPE_LEN};
use super::stream::{Layout, Stream};
use super::words::{self, Label};
use super::{BLOCK, CODE, FORMAT, MANIFEST, Member, SIGNATURE, SUMS, Sum, VolumeFile};
use crate::manifest::{MANIFEST as SET_MANIFEST, SIGNATURE as SET_SIGNATURE};
use crate::{DirectoryTarget, Manifest, Pace, RecoveryError, SetName, verify_set};
use audit::{Signer, VerifierKey};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What the folder of a volume is called before it is whole.
const HALF: &str = ".part";
/// Files of the set that lie on each volume in clear: enough to know what it is of, and for the unseal secret to open it.
const BESIDE: [&str; 4] = [SET_MANIFEST, SET_SIGNATURE, "slots.json", "log-key.pub"];

/// A set that is being cut. Made by reading it back whole.
pub struct VolumeJob<'a> {
    folder: PathBuf,
    manifest: Manifest,
    set: SetName,
    cut: Cut,
    members: Vec<Member>,
    stream: Stream,
    signer: &'a dyn Signer,
    key: VerifierKey,
    qr: &'a dyn Fn(&str) -> String,
}

/// What became of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was made, and read back.
    Made(PathBuf),
    /// It was there already, and is whole.
    There(PathBuf),
}

impl<'a> VolumeJob<'a> {
    /// Verifies the set in this folder and plans its volumes of `volume` bytes, `parity` more for each `group`. `qr` draws a
    /// text as SVG for the labels.
    ///
    /// # Errors
    /// [`RecoveryError::Damaged`] and [`RecoveryError::Key`] for a set that is not whole or not of this appliance.
    pub fn begin(
        folder: &Path,
        (volume, group, parity): (u64, u32, u32),
        signer: &'a dyn Signer,
        qr: &'a dyn Fn(&str) -> String,
    ) -> Result<Self, RecoveryError> {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let set: SetName = name.parse()?;
        let target = DirectoryTarget::holding_sets(folder.parent().unwrap_or(Path::new("/")));
        let key = VerifierKey::of(signer).map_err(|error| RecoveryError::Key(error.to_string()))?;
        let (_, manifest) = verify_set(&target, &set, &key, None)?;
        let length = |name: &str| {
            let found = fs::metadata(folder.join(name)).map_err(RecoveryError::target(format!("looking at {name}")))?;
            Ok::<Member, RecoveryError>(Member { name: name.to_owned(), bytes: found.len() })
        };
        let mut members = vec![length(SET_MANIFEST)?, length(SET_SIGNATURE)?];
        members.extend(manifest.files.iter().map(|part| Member { name: part.name.clone(), bytes: part.bytes }));
        let layout = Layout::new(set.as_str(), &members, manifest.made_at)?;
        let cut = Cut::new(layout.bytes(), volume, group, parity)?;
        let stream = Stream::open(folder, &members, layout)?;
        Ok(Self { folder: folder.to_owned(), manifest, set, cut, members, stream, signer, key, qr })
    }

    /// How it is cut.
    pub fn cut(&self) -> &Cut {
        &self.cut
    }
    /// The set.
    pub fn set(&self) -> &SetName {
        &self.set
    }

    fn stem(&self, number: u32) -> String {
        format!("{}-volume-{number:03}-of-{:03}", self.set, self.cut.volumes())
    }

    fn volume(&self, number: u32, sha256: String) -> VolumeFile {
        VolumeFile {
            format: FORMAT.to_owned(),
            code: CODE.to_owned(),
            appliance: self.manifest.appliance.clone(),
            set: self.set.to_string(),
            made_at: self.manifest.made_at,
            cut: self.cut,
            members: self.members.clone(),
            number,
            of: self.cut.volumes(),
            bytes: self.cut.bytes_of(number),
            sha256,
        }
    }
}

/// Makes one volume below `into`, or leaves it alone if it is there and whole.
///
/// # Errors
/// [`RecoveryError::Refused`] for a number that is none, or a folder with other volumes of that name;
/// [`RecoveryError::Target`] when the medium refuses.
pub fn export_volume(
    job: &VolumeJob<'_>,
    number: u32,
    into: &Path,
    pace: &mut Pace<'_>,
) -> Result<Written, RecoveryError> {
    let part = job.cut.part(number);
    let part = part.ok_or_else(|| RecoveryError::Refused(format!("there are volumes 1 to {}", job.cut.volumes())))?;
    let place = into.join(job.stem(number));
    if place.exists() {
        let wanted = job.volume(number, String::new());
        return match look_at(&place, &job.key).map(|found| found.goes_with(&wanted) && found.number == number) {
            Ok(true) => Ok(Written::There(place)),
            Ok(false) => Err(RecoveryError::Refused(format!(
                "{} is there already, cut in another way; name another folder",
                place.display()
            ))),
            Err(why) => Err(RecoveryError::Refused(format!(
                "{} is there already and is not whole ({why}); take it away and say it again",
                place.display()
            ))),
        };
    }
    let half = into.join(format!("{}{HALF}", job.stem(number)));
    let failed = || format!("making {}", half.display());
    if half.exists() {
        fs::remove_dir_all(&half).map_err(RecoveryError::target(failed()))?;
    }
    fs::DirBuilder::new().mode(0o700).create(&half).map_err(RecoveryError::target(failed()))?;
    let made = fill(job, number, part, &half, pace).and_then(|()| {
        let folder = |path: &Path| File::open(path).and_then(|folder| folder.sync_all());
        let placed = folder(&half).and_then(|()| fs::rename(&half, &place)).and_then(|()| folder(into));
        placed.map_err(RecoveryError::target(format!("naming {}", place.display())))
    });
    if let Err(error) = made {
        // What cannot be taken away is told by the next attempt, which begins with that.
        let _ = fs::remove_dir_all(&half);
        return Err(error);
    }
    look_at(&place, &job.key).map_err(|why| {
        RecoveryError::Damaged(format!("{} does not read back ({why}); the medium is bad", place.display()))
    })?;
    Ok(Written::Made(place))
}

fn fill(job: &VolumeJob<'_>, number: u32, part: Part, half: &Path, pace: &mut Pace<'_>) -> Result<(), RecoveryError> {
    let mut sums = Vec::new();
    let payload = words::payload(number, part);
    let sha256 = {
        let mut out = Out { file: create(&half.join(&payload))?, sum: Sum::new(), payload: &payload };
        match part {
            Part::Data { index } => data(job, index, &mut out, pace)?,
            Part::Parity { group, row } => parity(job, group, row, &mut out, pace)?,
        }
        out.file.sync_all().map_err(RecoveryError::target(format!("writing {payload}")))?;
        out.sum.end()
    };
    sums.push((sha256.clone(), payload));
    let mut small = |name: &str, bytes: &[u8]| -> Result<(), RecoveryError> {
        let written = create(&half.join(name)).and_then(|mut file| {
            let done = file.write_all(bytes).and_then(|()| file.sync_all());
            done.map_err(RecoveryError::target(format!("writing {name}")))
        });
        sums.push((Sum::of(bytes), name.to_owned()));
        written
    };
    let (text, note) = job.volume(number, sha256.clone()).signed(job.signer)?;
    small(MANIFEST, &text)?;
    small(SIGNATURE, note.as_bytes())?;
    let mut set_sums = String::new();
    for name in BESIDE {
        let bytes = fs::read(job.folder.join(name)).map_err(RecoveryError::target(format!("reading {name}")))?;
        if [SET_MANIFEST, SET_SIGNATURE].contains(&name) {
            set_sums.push_str(&format!("{}  {name}\n", Sum::of(&bytes)));
        }
        small(name, &bytes)?;
    }
    for part in &job.manifest.files {
        set_sums.push_str(&format!("{}  {}\n", part.sha256, part.name));
    }
    small(words::SET_SUMS, set_sums.as_bytes())?;
    let label = Label {
        job: (&job.set, &job.manifest.appliance, job.manifest.made_at),
        number,
        cut: &job.cut,
        sha256: &sha256,
    };
    small(words::LABEL, label.page(job.qr).as_bytes())?;
    small(words::README, words::readme(&job.cut, job.set.as_str()).as_bytes())?;
    small(words::SCRIPT, words::script(&job.cut, job.set.as_str()).as_bytes())?;
    let list: String = sums.iter().map(|(sum, name)| format!("{sum}  {name}\n")).collect();
    create(&half.join(SUMS)).and_then(|mut file| {
        let done = file.write_all(list.as_bytes()).and_then(|()| file.sync_all());
        done.map_err(RecoveryError::target(format!("writing {SUMS}")))
    })
}

fn create(path: &Path) -> Result<File, RecoveryError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(RecoveryError::target(format!("making {}", path.display())))
}

/// The payload on its way out.
struct Out<'p> {
    file: File,
    sum: Sum,
    payload: &'p str,
}

impl Out<'_> {
    fn put(&mut self, bytes: &[u8], pace: &mut Pace<'_>) -> Result<(), RecoveryError> {
        self.sum.take(bytes);
        self.file.write_all(bytes).map_err(RecoveryError::target(format!("writing {}", self.payload)))?;
        pace.moved(bytes.len() as u64)
    }
}

fn data(job: &VolumeJob<'_>, index: u32, out: &mut Out<'_>, pace: &mut Pace<'_>) -> Result<(), RecoveryError> {
    let (mut at, length) = job.cut.range(index);
    let end = at + length;
    let mut block = vec![0; BLOCK];
    while at < end {
        let now = usize::try_from(end - at).unwrap_or(BLOCK).min(BLOCK);
        let piece = block.get_mut(..now).unwrap_or_default();
        job.stream.read_at(piece, at).map_err(RecoveryError::target("reading the set"))?;
        out.put(piece, pace)?;
        at += now as u64;
    }
    Ok(())
}

fn parity(
    job: &VolumeJob<'_>,
    group: u32,
    row: u32,
    out: &mut Out<'_>,
    pace: &mut Pace<'_>,
) -> Result<(), RecoveryError> {
    let mut encoder = Encoder::new(&job.cut, group, row)?;
    let mut stripes: Vec<Vec<u8>> = job.cut.members(group).map(|_| vec![0; STRIPE_LEN]).collect();
    let mut made = vec![0; STRIPE_LEN];
    let bytes = job.cut.bytes_of(job.cut.parity_number(group, row));
    for at in (0..bytes).step_by(STRIPE_LEN) {
        for (index, stripe) in job.cut.members(group).zip(&mut stripes) {
            let (from, length) = job.cut.range(index);
            // What lies behind the end of a shorter volume counts as empty, not as the next one's.
            stripe.fill(0);
            let inside = usize::try_from(length.saturating_sub(at).min(STRIPE)).unwrap_or(0);
            let piece = stripe.get_mut(..inside).unwrap_or_default();
            job.stream.read_at(piece, from + at).map_err(RecoveryError::target("reading the set"))?;
        }
        encoder.stripe(&stripes, &mut made)?;
        out.put(&made, pace)?;
    }
    Ok(())
}
