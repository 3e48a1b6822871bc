//! What the tests of this crate share: the folder of an appliance around a test appliance's data, sets made of it, and how what was
//! restored is opened.

use audit::Signer;
use kernel::{Clock, RecordId};
use recovery::{House, Progress, RecoveryError, SetJob, Target, TargetOutcome, write_sets};
use std::fs;
use std::path::{Path, PathBuf};
use store::{EngineConfig, StoreConfig};
use testkit::TestAppliance;

/// The small files of an appliance below `root`, and where its data lie.
pub(crate) fn house(kontor: &TestAppliance, root: &Path) -> House {
    let dir = root.join("house");
    fs::create_dir_all(dir.join("tls")).unwrap();
    let (config, log_key) = (dir.join("kontor.toml"), dir.join("log-key.pub"));
    fs::write(&config, "node = \"kontor\"\n").unwrap();
    fs::write(&log_key, format!("{}\n", kontor.verifier_key())).unwrap();
    fs::write(dir.join("tls/ca.pem"), "a certificate").unwrap();
    let (log, files) = (kontor.store.config().log_folder.clone(), kontor.store.config().files_folder.clone());
    let slots = kontor.store.vault().slots_path().to_owned();
    House { config, slots, log_key, tls: dir.join("tls"), log, files, dir }
}

/// Makes a set and puts it on these targets; what became of it on each.
pub(crate) fn write_set(
    kontor: &TestAppliance,
    house: &House,
    sequence: u64,
    targets: &[&dyn Target],
    progress: &Progress,
) -> Result<Vec<TargetOutcome>, RecoveryError> {
    let signer = kontor.signer();
    let job = SetJob {
        store: &kontor.store,
        house,
        signer: &signer as &dyn Signer,
        recipients: &[kontor.store.vault().archive_identity().unwrap().recipient()],
        own_key: true,
        sequence,
        at: kontor.clock.now(),
        made_by: "test",
        bytes_per_second: None,
        progress,
    };
    write_sets(&job, targets).map(|(_, outcomes)| outcomes)
}

/// Puts a sealed file on a record: a document by its first bytes.
pub(crate) fn attach(kontor: &TestAppliance, account: RecordId, name: &str, bytes: &[u8]) {
    let upload = kontor.records.attachment_begin(&kontor.operator(), "account", account, name).wait();
    let mut upload = upload.unwrap().into_view();
    upload.write(&[b"%PDF-1.7 ".as_slice(), bytes].concat()).unwrap();
    upload.finish().wait().unwrap();
}

/// How a store over this folder is opened.
pub(crate) fn config_of(engine: EngineConfig, dir: &Path) -> StoreConfig {
    let (log_folder, files_folder) = (dir.join("log"), dir.join("data/files"));
    StoreConfig { engine, readers: 1, log_folder, files_folder, node: String::new() }
}

/// The database file of a restored folder.
pub(crate) fn file_in(dir: &Path) -> EngineConfig {
    EngineConfig::Sqlite { file: dir.join("data/kontor.db") }
}

/// All files below a folder by their place in it, with what is in them.
pub(crate) fn files_of(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut waiting) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(folder) = waiting.pop() {
        for path in fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                waiting.push(path);
            } else {
                found.push((path.strip_prefix(dir).unwrap().to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
