//! Volumes for off-line media: every byte is there, each is verified by itself and by other people's tools, two may be lost, a
//! third is named, a turned bit names its volume, and what was interrupted goes on.

use crate::parts::{attach, files_of, write_set};
use recovery::{
    Cut, DirectoryTarget, Pace, Part, Progress, RecoveryError, Target, VolumeJob, Volumes, VolumesTarget, Written,
    export_volume, restore,
};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use testkit::{Engine, TestAppliance, TestSigner};

/// A megabyte each, so that a small set makes many.
const SIZE: u64 = 1 << 20;

struct Site {
    kontor: TestAppliance,
    root: tempfile::TempDir,
    set: PathBuf,
}

/// A set with a file that does not get smaller.
fn site() -> Site {
    let kontor = TestAppliance::new(Engine::Embedded);
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("sets")).unwrap();
    let house = crate::parts::house(&kontor, root.path());
    let account = kontor.make("account", json!({"name": "Hanse"}));
    for number in 0..3 {
        attach(&kontor, account, &format!("{number}.pdf"), &[number; 700_000]);
    }
    kontor.seal_log();
    let target = DirectoryTarget::holding_sets(&root.path().join("sets"));
    let outcomes = write_set(&kontor, &house, 1, &[&target], &Progress::default()).unwrap();
    let name = outcomes.into_iter().next().unwrap().outcome.unwrap().set().clone();
    let set = root.path().join("sets").join(name.as_str());
    Site { kontor, root, set }
}

fn qr(text: &str) -> String {
    format!("<svg>{text}</svg>")
}

impl Site {
    fn job<'a>(&self, signer: &'a TestSigner) -> VolumeJob<'a> {
        VolumeJob::begin(&self.set, (SIZE, 3, 2), signer, &qr).unwrap()
    }
    /// All volumes into a folder.
    fn volumes(&self, name: &str) -> PathBuf {
        let (signer, into, progress) = (self.kontor.signer(), self.root.path().join(name), Progress::default());
        let job = self.job(&signer);
        fs::create_dir(&into).unwrap();
        for number in 1..=job.cut().volumes() {
            let mut pace = Pace::begin(&progress, None, self.kontor.clock.as_ref());
            assert!(matches!(export_volume(&job, number, &into, &mut pace).unwrap(), Written::Made(_)));
        }
        into
    }
    fn look(&self, folder: &Path) -> (Volumes, Vec<recovery::Finding>) {
        Volumes::look(&[folder.to_owned()], Some(&self.kontor.verifier_key())).unwrap()
    }
    fn import(&self, folder: &Path) -> Result<(), RecoveryError> {
        let (volumes, _) = self.look(folder);
        volumes.enough()?;
        let (set, into) = (volumes.set().clone(), self.root.path().join("imported"));
        let target = VolumesTarget::new(Arc::new(volumes));
        let identity = self.kontor.store.vault().archive_identity().unwrap();
        restore(&target, &set, &self.kontor.verifier_key(), &identity, &into)?;
        assert_eq!(files_of(&into), files_of(&self.restored()));
        fs::remove_dir_all(&into).unwrap();
        Ok(())
    }
    /// What the set itself holds.
    fn restored(&self) -> PathBuf {
        let into = self.root.path().join("straight");
        if !into.exists() {
            let target = DirectoryTarget::holding_sets(self.set.parent().unwrap());
            let set = target.list().unwrap().remove(0);
            let identity = self.kontor.store.vault().archive_identity().unwrap();
            restore(&target, &set, &self.kontor.verifier_key(), &identity, &into).unwrap();
        }
        into
    }
}

/// The folder of a volume.
fn volume(folder: &Path, number: u32) -> PathBuf {
    let wanted = format!("-volume-{number:03}-of-");
    let found = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    found.into_iter().find(|path| path.to_str().unwrap().contains(&wanted)).unwrap()
}

#[test]
fn any_two_of_a_group_may_be_lost_and_a_third_is_named() {
    let site = site();
    let folder = site.volumes("media");
    let (volumes, findings) = site.look(&folder);
    let cut = *volumes.cut();
    assert!(cut.data() >= 5 && volumes.missing().is_empty() && findings.iter().all(|one| one.damage.is_none()));
    drop(volumes);
    site.import(&folder).unwrap();
    // Every pair of the first group and its parity, and two of the last group with it.
    let of = |group: u32| {
        (1..=cut.volumes()).filter(move |number| match cut.part(*number).unwrap() {
            Part::Data { index } => index / cut.group() == group,
            Part::Parity { group: of, .. } => of == group,
        })
    };
    let first: Vec<u32> = of(0).collect();
    let last: Vec<u32> = of((cut.data() - 1) / cut.group()).take(2).collect();
    let away = site.root.path().join("away");
    fs::create_dir(&away).unwrap();
    let moved = |numbers: &[u32]| -> Vec<(PathBuf, PathBuf)> {
        let pairs = numbers.iter().map(|number| {
            let from = volume(&folder, *number);
            (from.clone(), away.join(from.file_name().unwrap()))
        });
        let pairs: Vec<_> = pairs.collect();
        pairs.iter().for_each(|(from, to)| fs::rename(from, to).unwrap());
        pairs
    };
    let back = |pairs: Vec<(PathBuf, PathBuf)>| pairs.into_iter().for_each(|(from, to)| fs::rename(to, from).unwrap());
    for (at, one) in first.iter().enumerate() {
        for two in &first[at + 1..] {
            let lost = moved(&[&[*one, *two], last.as_slice()].concat());
            site.import(&folder).unwrap_or_else(|error| panic!("without {one}, {two} and {last:?}: {error}"));
            back(lost);
        }
    }
    let lost = moved(&first[..3]);
    let refused = site.import(&folder).unwrap_err();
    assert_eq!(refused.word(), "damaged");
    assert!(refused.to_string().contains("1 of the volumes 1, 2, 3 (missing or damaged)"), "{refused}");
    assert!(!site.root.path().join("imported").exists());
    back(lost);
}

#[test]
fn a_turned_bit_names_its_volume_and_other_peoples_volumes_are_refused() {
    let site = site();
    let folder = site.volumes("media");
    for (number, name) in [(2, "kontor-002.data"), (3, "volume.json"), (4, "volume.sig")] {
        let path = volume(&folder, number).join(name);
        let bytes = fs::read(&path).unwrap();
        for damaged in [
            Some({
                let mut turned = bytes.clone();
                turned[bytes.len() / 2] ^= 1;
                turned
            }),
            Some(bytes[..bytes.len() - 1].to_vec()),
            None,
        ] {
            match &damaged {
                Some(damaged) => fs::write(&path, damaged).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let (volumes, findings) = site.look(&folder);
            assert_eq!(volumes.missing(), [number], "{name}");
            let told: Vec<_> = findings.iter().filter(|one| one.damage.is_some()).collect();
            assert!(told.iter().all(|one| one.place == volume(&folder, number)), "{told:?}");
            site.import(&folder).unwrap();
        }
        fs::write(&path, bytes).unwrap();
    }
    // Volumes of another appliance are not this one's, and two sets are not one.
    let other = self::site();
    let others = other.volumes("media");
    let refused = Volumes::look(std::slice::from_ref(&others), Some(&site.kontor.verifier_key())).err().unwrap();
    assert_eq!(refused.word(), "damaged", "{refused}");
    let refused = Volumes::look(&[folder, others], None).err().unwrap();
    assert_eq!(refused.word(), "refused", "{refused}");
}

#[test]
fn what_was_interrupted_goes_on_and_what_is_there_is_left_alone() {
    let site = site();
    let (signer, into, progress) = (site.kontor.signer(), site.root.path().join("media"), Progress::default());
    let job = site.job(&signer);
    fs::create_dir(&into).unwrap();
    let go = |number, progress: &Progress| {
        export_volume(&job, number, &into, &mut Pace::begin(progress, None, site.kontor.clock.as_ref()))
    };
    go(1, &progress).unwrap();
    let stopped = Progress::default();
    stopped.stop();
    assert!(matches!(go(2, &stopped), Err(RecoveryError::Stopped)));
    assert_eq!(fs::read_dir(&into).unwrap().count(), 1, "nothing half is left");
    // Whoever was killed leaves something half; it is no volume, and is made anew.
    let half = into.join(format!("{}-volume-002-of-{:03}.part", job.set(), job.cut().volumes()));
    fs::create_dir(&half).unwrap();
    fs::write(half.join("volume.json"), "half").unwrap();
    assert_eq!(site.look(&into).0.missing().len() as u32, job.cut().volumes() - 1);
    for number in 1..=job.cut().volumes() {
        let written = go(number, &progress).unwrap();
        assert_eq!(matches!(written, Written::There(_)), number == 1);
    }
    let before = files_of(&into);
    for number in 1..=job.cut().volumes() {
        assert!(matches!(go(number, &progress).unwrap(), Written::There(_)));
    }
    assert!(files_of(&into) == before);
    assert_eq!(go(job.cut().volumes() + 1, &progress).unwrap_err().word(), "refused");
    // One that is there and is not whole is told, not written over.
    let payload = volume(&into, 1).join("kontor-001.data");
    let mut bytes = fs::read(&payload).unwrap();
    bytes[7] ^= 1;
    fs::write(&payload, &bytes).unwrap();
    assert!(go(1, &progress).unwrap_err().to_string().contains("is not whole"));
    // A lost one is made again just as it was.
    fs::remove_dir_all(volume(&into, 1)).unwrap();
    go(1, &progress).unwrap();
    assert!(files_of(&into) == before);
    assert!(matches!(Cut::new(10, 100, 10, 2), Err(RecoveryError::Refused(_))));
}

#[test]
fn other_peoples_tools_are_enough() {
    let site = site();
    let folder = site.volumes("media");
    let key = site.root.path().join("key");
    let identity = site.kontor.store.vault().archive_identity().unwrap();
    fs::write(&key, format!("{}\n", identity.reveal().as_str())).unwrap();
    let run = |rest: &str| {
        let line = format!("cd {:?}; sh media/*-volume-001-*/open.sh {rest}", site.root.path());
        let output = Command::new("sh").args(["-c", &line]).env_clear().env("PATH", "/usr/bin:/bin").output().unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let (done, told) = run("verify media/*-volume-002-*");
    assert!(done && told.lines().count() == 1 && told.contains(": whole"), "{told}");
    let (done, told) = run("join joined media");
    assert!(done && told.contains("The set is whole"), "{told} (Debian: apt-get install age zstd tar coreutils)");
    let (done, told) = run("open joined key opened");
    assert!(done, "{told}");
    assert_eq!(files_of(&site.root.path().join("opened")), files_of(&site.restored()));
    // What is not whole or not there is told, and nothing is joined.
    let payload = volume(&folder, 2).join("kontor-002.data");
    let bytes = fs::read(&payload).unwrap();
    fs::write(&payload, &bytes[1..]).unwrap();
    let (done, told) = run("verify media");
    assert!(!done && told.contains("volume-002") && told.contains("NOT whole"), "{told}");
    let (done, told) = run("join again media");
    assert!(!done && told.contains("whole volumes only"), "{told}");
    fs::remove_dir_all(volume(&folder, 2)).unwrap();
    let (done, told) = run("join again media");
    assert!(!done && told.contains("volume 2 is missing"), "{told}");
    assert!(!site.root.path().join("again").exists());
    // The label has what tells the volume from others; nothing in clear tells of customers.
    let label = fs::read_to_string(volume(&folder, 1).join("label.html")).unwrap();
    assert!(label.contains("<svg>kontor-volume") && label.contains(" 1/"), "{label}");
    for (path, bytes) in files_of(&folder) {
        assert!(!bytes.windows(5).any(|window| window == b"Hanse"), "{path:?}");
    }
}
