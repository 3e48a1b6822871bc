//! What lies in the folder: whose it is and who may read it, where the key is, how much room there is.

use super::{Findings, Patient};
use crate::appliance::Layout;
use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use vault::{OsRandom, SlotKind, Vault};

/// Files that are told by name; the rest is counted.
const TOLD_MAX: usize = 10;
/// Entries of the folder that are looked at: attachments can be many.
const LOOKED_MAX: usize = 200_000;
const GIB: u64 = 1 << 30;
const FREE_BYTES_MIN: u64 = GIB;
/// Of a hundred.
const INODES_FREE_MIN: u64 = 5;
/// File systems of other machines, by their number in statfs(2): NFS, SMB (three of them), AFS, Ceph, 9p, OCFS2, GFS2.
const NETWORK: [u64; 9] =
    [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x5346_414f, 0x00c3_6400, 0x0102_1997, 0x7461_636f, 0x0116_1970];
const MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];

pub(super) fn look(patient: &Patient<'_>, findings: &mut Findings) {
    modes(patient, findings);
    room(patient, findings);
    keys(patient, findings);
}

/// What is wrong with whose files are and with who may use them.
#[derive(Default)]
struct Wrong {
    open: Vec<PathBuf>,
    foreign: Vec<PathBuf>,
    hidden: Vec<PathBuf>,
    /// What root closed to the server.
    closed: Vec<PathBuf>,
}

impl Wrong {
    /// Every file belongs to who owns the folder, and nobody else may read it. The log's public key is for everybody.
    fn look(&mut self, path: &Path, found: &Metadata, owner: u32, layout: &Layout) {
        // What is in the copy is the account's, like the data.
        if path.starts_with(layout.upgrade()) && !path.starts_with(layout.upgrade_copy()) {
            return self.look_at_upgrade(path, found, owner, layout);
        }
        let public = path == layout.log_key();
        if found.mode() & 0o077 != 0 && !public && !found.is_symlink() {
            self.open.push(path.to_owned());
        }
        if found.uid() != owner {
            self.foreign.push(path.to_owned());
        }
    }

    /// Where root upgrades for the account, the folder and what lies in it are root's: nobody else may write there, and the server
    /// reads how far it is.
    fn look_at_upgrade(&mut self, path: &Path, found: &Metadata, owner: u32, layout: &Layout) {
        if found.mode() & 0o022 != 0 && !found.is_symlink() {
            self.open.push(path.to_owned());
        }
        if found.uid() != owner && found.uid() != 0 {
            self.foreign.push(path.to_owned());
        }
        let needed = if path == layout.upgrade() {
            0o005
        } else if path == layout.upgrade_state() || path == layout.upgrade_last() {
            0o004
        } else {
            0
        };
        if found.uid() == 0 && owner != 0 && found.mode() & needed != needed {
            self.closed.push(path.to_owned());
        }
    }

    fn told(&self) -> impl Iterator<Item = (&'static str, String)> {
        let all = [
            ("file_open", &self.open),
            ("file_foreign", &self.foreign),
            ("folder_unreadable", &self.hidden),
            ("upgrade_closed", &self.closed),
        ];
        all.into_iter().filter_map(|(id, paths)| Some((id, listed(paths)?)))
    }
}

fn modes(patient: &Patient<'_>, findings: &mut Findings) {
    let layout = patient.layout;
    let Ok(owner) = fs::metadata(layout.dir()).map(|found| found.uid()) else {
        findings.add("folder_unreadable", layout.dir().display().to_string());
        return;
    };
    let (mut wrong, mut looked) = (Wrong::default(), 0usize);
    let mut folders = vec![layout.dir().to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            // Where root closed it, that is told as such.
            if folder != layout.upgrade() {
                wrong.hidden.push(folder);
            }
            continue;
        };
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            let Ok(found) = fs::symlink_metadata(&path) else { continue };
            looked += 1;
            wrong.look(&path, &found, owner, layout);
            if found.is_dir() && looked < LOOKED_MAX {
                folders.push(path);
            }
        }
    }
    let before = findings.found.len();
    wrong.told().for_each(|(id, told)| findings.add(id, told));
    if findings.found.len() == before {
        findings.well(format!("{looked} files and folders belong to their owner alone."));
    }
}

fn listed(paths: &[impl AsRef<Path>]) -> Option<String> {
    let names: Vec<String> = paths.iter().take(TOLD_MAX).map(|path| path.as_ref().display().to_string()).collect();
    let rest = paths.len().saturating_sub(TOLD_MAX);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    (!names.is_empty()).then(|| names.join(", ") + &more)
}

fn room(patient: &Patient<'_>, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for folder in [patient.layout.dir().to_owned(), patient.layout.data(), patient.layout.log()] {
        let Ok(device) = fs::metadata(&folder).map(|found| found.dev()) else { continue };
        if !seen.insert(device) {
            continue;
        }
        let Ok(disk) = rustix::fs::statvfs(&folder) else { continue };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let told = format!("{}: {} MiB free", folder.display(), free >> 20);
        if free < FREE_BYTES_MIN {
            findings.add("disk_low", told)
        } else {
            findings.well(format!("{told}."))
        }
        if disk.f_files > 0 && disk.f_favail.saturating_mul(100) / disk.f_files < INODES_FREE_MIN {
            findings.add("inodes_low", format!("{}: {} of {} free", folder.display(), disk.f_favail, disk.f_files));
        }
        let kind = rustix::fs::statfs(&folder).map(|found| u64::try_from(found.f_type).unwrap_or(0)).unwrap_or(0);
        if NETWORK.contains(&kind) && patient.embedded() {
            findings.add("disk_network", format!("{} lies on a file system of another machine", folder.display()));
        }
        if MEMORY.contains(&kind) {
            findings.add("disk_memory", format!("{} lies in memory", folder.display()));
        }
    }
}

fn keys(patient: &Patient<'_>, findings: &mut Findings) {
    match Vault::sealed(patient.layout.slots(), std::sync::Arc::new(OsRandom::new())).slot_list() {
        Err(error) => findings.add("slots_unreadable", error.to_string()),
        Ok(slots) if slots.len() < 2 => findings.add("slot_single", format!("{} slot", slots.len())),
        Ok(slots) => {
            if let Some(slot) = slots.iter().find(|slot| matches!(slot.kind, SlotKind::Unsupported(_))) {
                findings.add("slot_unknown", format!("slot {}", slot.id));
            }
            findings.well(format!("{} unseal slots.", slots.len()));
        }
    }
    let Some(file) = &patient.config.unseal.key_file else {
        findings.well("No key file: it starts sealed.");
        return;
    };
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    let beside = file.starts_with(patient.layout.dir()) || device(file) == device(&patient.layout.data());
    if beside && device(file).is_some() {
        findings.add("key_beside_data", format!("{} lies on the disk of the data", file.display()));
    }
}
