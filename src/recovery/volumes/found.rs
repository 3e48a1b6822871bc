//! Volumes as they are found on media: each looked at by itself, put together, and read as the set they hold. What is missing
//! or damaged is made again from the rest where that is enough; where it is not, it is named. Writes nothing.

use super::cut::{Cut, STRIPE};
use super::rebuild::{STRIPE_LEN, decode};
use super::stream::Layout;
use super::words::payload;
use super::{BLOCK, MANIFEST, MANIFEST_BYTES_MAX, SIGNATURE, Sum, VolumeFile};
use crate::target::PartSink;
use crate::{RecoveryError, SetName, Target, TargetStep};
use audit::VerifierKey;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folders that are looked at below one that was named.
const FOLDERS_MAX: usize = 2_000;

/// A volume that was looked at.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Where it lies.
    pub place: PathBuf,
    /// Its number, where it can be told.
    pub number: Option<u32>,
    /// Why it is not whole.
    pub damage: Option<String>,
}

/// The volumes of one set, as far as they are whole.
pub struct Volumes {
    head: VolumeFile,
    set: SetName,
    layout: Layout,
    whole: BTreeMap<u32, Arc<File>>,
    /// A folder of a whole one, for what lies on each.
    beside: PathBuf,
}

impl Volumes {
    /// Looks at all volumes in these folders: a folder is one, or holds some.
    ///
    /// # Errors
    /// [`RecoveryError::Damaged`] when no whole one is there; [`RecoveryError::Refused`] when they are of different sets.
    pub fn look(folders: &[PathBuf], key: Option<&VerifierKey>) -> Result<(Self, Vec<Finding>), RecoveryError> {
        let mut findings = Vec::new();
        let mut found: Option<(VolumeFile, PathBuf)> = None;
        let mut whole = BTreeMap::new();
        for place in places(folders)? {
            let own = if key.is_none() { own_key(&place) } else { None };
            let Some(key) = key.or(own.as_ref()) else {
                findings.push(Finding { place, number: None, damage: Some("log-key.pub cannot be read".to_owned()) });
                continue;
            };
            let number = number_of(&place);
            match look_at(&place, key) {
                Ok(volume) => {
                    let head = found.get_or_insert_with(|| (volume.clone(), place.clone()));
                    if !head.0.goes_with(&volume) {
                        return Err(RecoveryError::Refused(format!(
                            "{} is of {}, {} of {}, or they were cut in different ways; name the folders of one set",
                            head.1.display(),
                            head.0.set,
                            place.display(),
                            volume.set
                        )));
                    }
                    let opened = volume_file(&place, &volume).map(Arc::new);
                    whole.insert(volume.number, opened.map_err(RecoveryError::target(place.display().to_string()))?);
                    findings.push(Finding { place, number: Some(volume.number), damage: None });
                }
                Err(why) => findings.push(Finding { place, number, damage: Some(why) }),
            }
        }
        let Some((head, beside)) = found else {
            let told = findings
                .iter()
                .filter_map(|one| one.damage.as_ref().map(|why| format!("{}: {why}", one.place.display())));
            let told = told.collect::<Vec<_>>().join("; ");
            return Err(RecoveryError::Damaged(format!("no whole volume lies there. {told}")));
        };
        let set: SetName = head.set.parse()?;
        let layout = Layout::new(&head.set, &head.members, head.made_at)?;
        if layout.bytes() != head.cut.bytes {
            return Err(RecoveryError::Damaged(format!("{MANIFEST} says what cannot be")));
        }
        findings.sort_by(|one, two| (one.number, &one.place).cmp(&(two.number, &two.place)));
        Ok((Self { head, set, layout, whole, beside }, findings))
    }

    /// The set they hold.
    pub fn set(&self) -> &SetName {
        &self.set
    }
    /// How it was cut.
    pub fn cut(&self) -> &Cut {
        &self.head.cut
    }
    /// The numbers that are not there, or not whole.
    pub fn missing(&self) -> Vec<u32> {
        (1..=self.head.of).filter(|number| !self.whole.contains_key(number)).collect()
    }
    /// A file that lies on each volume beside its piece of the set: `slots.json`, `log-key.pub`.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.beside.join(name)
    }

    /// Whether the rest is enough.
    ///
    /// # Errors
    /// [`RecoveryError::Damaged`] naming the volumes of which more would have to be found.
    pub fn enough(&self) -> Result<(), RecoveryError> {
        let mut told = Vec::new();
        for group in 0..self.cut().groups() {
            let numbers = self.cut().members(group).map(|index| index + 1);
            let lost: Vec<u32> = numbers.filter(|number| !self.whole.contains_key(number)).collect();
            let parity = (0..self.cut().parity()).map(|row| self.cut().parity_number(group, row));
            let (left, gone): (Vec<u32>, Vec<u32>) = parity.partition(|number| self.whole.contains_key(number));
            if lost.len() > left.len() {
                let names: Vec<String> = lost.iter().chain(&gone).map(u32::to_string).collect();
                let wanted = lost.len() - left.len();
                told.push(format!("at least {wanted} of the volumes {} (missing or damaged)", names.join(", ")));
            }
        }
        if told.is_empty() {
            return Ok(());
        }
        Err(RecoveryError::Damaged(format!("too many volumes are lost; find {}", told.join(", and "))))
    }

    /// One stripe of a data volume that is lost.
    fn stripe(&self, index: u32, at: u64) -> Result<Vec<u8>, RecoveryError> {
        let (group, lost) = self.cut().place(index);
        let (mut data, mut parity) = (Vec::new(), Vec::new());
        for (place, member) in (0..).zip(self.cut().members(group)) {
            if let Some(file) = self.whole.get(&(member + 1)) {
                let mut stripe = vec![0; STRIPE_LEN];
                let inside = usize::try_from(self.cut().range(member).1.saturating_sub(at).min(STRIPE)).unwrap_or(0);
                let read = file.read_exact_at(stripe.get_mut(..inside).unwrap_or_default(), at);
                read.map_err(RecoveryError::target(format!("reading volume {}", member + 1)))?;
                data.push((place, stripe));
            }
        }
        for row in 0..self.cut().parity() {
            let number = self.cut().parity_number(group, row);
            if let Some(file) = self.whole.get(&number) {
                let mut stripe = vec![0; STRIPE_LEN];
                let read = file.read_exact_at(&mut stripe, at);
                read.map_err(RecoveryError::target(format!("reading volume {number}")))?;
                parity.push((row, stripe));
            }
        }
        decode(self.cut(), group, lost, &data, &parity)
    }
}

/// The folders of volumes.
fn places(folders: &[PathBuf]) -> Result<Vec<PathBuf>, RecoveryError> {
    let mut places = Vec::new();
    for folder in folders {
        if folder.join(MANIFEST).exists() {
            places.push(folder.clone());
            continue;
        }
        let failed = || format!("looking into {}", folder.display());
        for entry in fs::read_dir(folder).map_err(RecoveryError::target(failed()))?.take(FOLDERS_MAX) {
            let path = entry.map_err(RecoveryError::target(failed()))?.path();
            // What is half written has no name yet.
            if path.join(MANIFEST).exists() && path.extension().is_none() {
                places.push(path);
            }
        }
    }
    places.sort();
    Ok(places)
}

fn small(path: &Path) -> Result<Vec<u8>, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MANIFEST_BYTES_MAX + 1).read_to_end(&mut bytes));
    match read {
        Ok(read) if read as u64 <= MANIFEST_BYTES_MAX => Ok(bytes),
        Ok(_) => Err(format!("{name} is larger than it can be")),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

fn own_key(place: &Path) -> Option<VerifierKey> {
    String::from_utf8(small(&place.join("log-key.pub")).ok()?).ok()?.trim().parse().ok()
}

/// What a damaged volume says of its number.
fn number_of(place: &Path) -> Option<u32> {
    let volume: serde_json::Value = serde_json::from_slice(&small(&place.join(MANIFEST)).ok()?).ok()?;
    volume.get("number").and_then(serde_json::Value::as_u64).and_then(|number| u32::try_from(number).ok())
}

fn volume_file(place: &Path, volume: &VolumeFile) -> io::Result<File> {
    let part = volume.cut.part(volume.number).ok_or(io::ErrorKind::InvalidData)?;
    File::open(place.join(payload(volume.number, part)))
}

/// Reads one volume whole: signed, as long as it should be, unaltered. Why it is not, in words.
pub(crate) fn look_at(place: &Path, key: &VerifierKey) -> Result<VolumeFile, String> {
    let volume = VolumeFile::open(&small(&place.join(MANIFEST))?, &small(&place.join(SIGNATURE))?, key)?;
    let part = volume.cut.part(volume.number).ok_or_else(|| format!("{MANIFEST} says what cannot be"))?;
    let name = payload(volume.number, part);
    let read = |error: io::Error| format!("{name}: {error}");
    let mut file = File::open(place.join(&name)).map_err(read)?;
    // The medium is what has to be right, not the memory of writing it. It is a hint, so a refusal is none.
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    let (mut sum, mut bytes, mut block) = (Sum::new(), 0u64, vec![0; BLOCK]);
    loop {
        let now = file.read(&mut block).map_err(read)?;
        if now == 0 {
            break;
        }
        sum.take(block.get(..now).unwrap_or_default());
        bytes += now as u64;
    }
    if bytes != volume.bytes || bytes != volume.cut.bytes_of(volume.number) {
        return Err(format!("{name} has {bytes} bytes and should have {}", volume.bytes));
    }
    if sum.end() != volume.sha256 {
        return Err(format!("{name} was altered: its SHA-256 is not that of {MANIFEST}"));
    }
    Ok(volume)
}

/// The volumes of a set as the place where it lies: nothing is put together beforehand.
pub struct VolumesTarget(Arc<Volumes>);

impl VolumesTarget {
    /// Over volumes that are enough.
    pub fn new(volumes: Arc<Volumes>) -> Self {
        Self(volumes)
    }
}

fn only_read<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "volumes are only read"))
}

impl Target for VolumesTarget {
    fn name(&self) -> &str {
        "volumes"
    }
    fn begin(&self, _: &SetName) -> io::Result<()> {
        only_read()
    }
    fn part(&self, _: &SetName, _: &str) -> io::Result<Box<dyn PartSink>> {
        only_read()
    }
    fn publish(&self, _: &SetName) -> io::Result<()> {
        only_read()
    }
    fn abandon(&self, _: &SetName) {}
    fn read(&self, set: &SetName, file: &str) -> io::Result<Box<dyn Read + Send>> {
        let place = self.0.head.members.iter().position(|member| member.name == file);
        let found = place.filter(|_| *set == self.0.set).and_then(|place| self.0.layout.file(place));
        let (at, length) = found.ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Joined { volumes: Arc::clone(&self.0), at, end: at + length, stripe: None }))
    }
    fn list(&self) -> io::Result<Vec<SetName>> {
        Ok(vec![self.0.set.clone()])
    }
    fn remove(&self, _: &SetName) -> io::Result<()> {
        only_read()
    }
    fn free_bytes(&self) -> Option<u64> {
        None
    }
    fn try_out(&self, _: &str) -> Vec<TargetStep> {
        vec![TargetStep::new("write", only_read())]
    }
}

/// A file of the set, read over the volumes.
struct Joined {
    volumes: Arc<Volumes>,
    at: u64,
    end: u64,
    /// The last stripe that was made again: of which volume, from where.
    stripe: Option<(u32, u64, Vec<u8>)>,
}

impl Read for Joined {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let cut = *self.volumes.cut();
        let index = u32::try_from(self.at.checked_div(cut.payload).unwrap_or(0)).map_err(io::Error::other)?;
        let (from, length) = cut.range(index);
        let inside = self.at - from;
        let left = (self.end - self.at).min(length.saturating_sub(inside)).min(buffer.len() as u64);
        if left == 0 {
            return Ok(0);
        }
        let mut wanted = usize::try_from(left).unwrap_or(buffer.len());
        if let Some(file) = self.volumes.whole.get(&(index + 1)) {
            file.read_exact_at(buffer.get_mut(..wanted).unwrap_or_default(), inside)?;
        } else {
            let place = inside / STRIPE * STRIPE;
            if self.stripe.as_ref().is_none_or(|(of, at, _)| (*of, *at) != (index, place)) {
                let made = self.volumes.stripe(index, place).map_err(io::Error::other)?;
                self.stripe = Some((index, place, made));
            }
            let stripe = self.stripe.as_ref().map(|(_, _, bytes)| bytes.as_slice()).unwrap_or_default();
            let rest = usize::try_from(inside - place).ok().and_then(|skip| stripe.get(skip..)).unwrap_or_default();
            wanted = wanted.min(rest.len());
            buffer.get_mut(..wanted).unwrap_or_default().copy_from_slice(rest.get(..wanted).unwrap_or_default());
        }
        self.at += wanted as u64;
        Ok(wanted)
    }
}
