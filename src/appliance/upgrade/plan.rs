//! What an upgrade would do here, before it does anything: versions, room, time, settings, what changes for others, and what is in
//! its way. It measures and reads; it changes nothing but a small file that it takes away again.

use crate::appliance::upgrade::{FORMATS, as_owner, kept, own, platform, refused, running, trusted};
use crate::appliance::{Appliance, Keeper, Opened, proven_too_old};
use crate::cli::failure::Failure;
use crate::config::{Config, DatabaseConfig};
use kernel::{Clock, Code, limits};
use serde::Serialize;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use store::Store;
use upgrade::{ApiChange, Bundle, BundleError, Kind, SettingChange};

/// What is written to measure the disk.
const PROBE_BYTES: usize = 32 * 1024 * 1024;
/// Room that stays free beside everything.
const SPARE_BYTES: u64 = 256 * 1024 * 1024;
/// What the self-test and the hashes of the copy read a second, beside the disk: an estimate on the careful side, not a measured figure.
const LOOKED_THROUGH_BYTES_PER_SECOND: u64 = 60 * 1024 * 1024;
/// Switching, starting, answering.
const BESIDE_SECONDS: u64 = 5;

/// What an upgrade would do.
#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    pub(crate) from: String,
    pub(crate) to: String,
    /// Versions that are passed over in this hop can follow on from this one.
    pub(crate) upgrades_from: String,
    pub(crate) signed_by: Vec<String>,
    pub(crate) keys_epoch: u32,
    pub(crate) database_bytes: u64,
    pub(crate) log_bytes: u64,
    pub(crate) records: i64,
    pub(crate) needs_bytes: u64,
    pub(crate) free_bytes: u64,
    /// The steps of the schema that would run.
    pub(crate) steps: Vec<String>,
    pub(crate) seconds: u64,
    pub(crate) formats: u32,
    pub(crate) settings: Vec<SettingChange>,
    pub(crate) api: Vec<ApiChange>,
    pub(crate) approval: &'static str,
    /// What is in the way.
    pub(crate) blockers: Vec<String>,
    /// What should be known.
    pub(crate) warnings: Vec<String>,
}

/// The note of an entry: the operator's name, which it has already, and what happened.
pub(super) fn noted(entry: &audit::Entry, told: &str) -> String {
    if entry.note.is_empty() { told.to_owned() } else { format!("{}; {told}", entry.note) }
}

/// A bundle whose signatures are by the keys that this appliance trusts. With the rights of who upgrades, who has brought it.
pub(crate) fn bundle_of(appliance: &Appliance, path: &Path) -> Result<Bundle, Failure> {
    let known = as_owner(&appliance.layout, || {
        let opened = appliance.open_without_shipping()?;
        let known = kept::known(&opened, &appliance.vault);
        opened.store.close();
        known
    })?;
    let bundle = Bundle::open(path, &trusted()?).map_err(refused)?;
    match known.filter(|known| !bundle.leads_through(known)) {
        Some(known) => {
            let told = format!(
                "its keys do not lead through those of epoch {}, which an earlier upgrade has brought here",
                known.epoch
            );
            Err(refused(BundleError::Untrusted(told)))
        }
        None => Ok(bundle),
    }
}

/// Looks at a bundle and at an open appliance.
pub(crate) fn plan(appliance: &Appliance, opened: &Opened, bundle: &Bundle) -> Result<Plan, Failure> {
    let manifest = bundle.manifest();
    let (config, from) = (appliance.store_config()?, running());
    let facts = opened.store.read(|tx| tx.database_facts()).wait()?;
    let records = facts.tables.iter().filter_map(|table| table.live.map(|_| table.rows)).sum::<i64>();
    let (database, log) = (Store::size_of(&config.engine)?, folder_bytes(&config.log_folder));
    let program = manifest.member(Kind::Binary, &platform()).map_or(0, |member| member.bytes);
    // The copy, and once more on the way back: the old data go only when the others are whole.
    let needs = (database + log) * 2 + program * 3 + copied_files(appliance, &config.files_folder) + SPARE_BYTES;
    let schema = Store::schema_of(&config.engine)?;
    let steps: Vec<_> = manifest.steps.iter().filter(|step| step.number > schema.at).collect();
    let migration: u64 = steps.iter().map(|step| step.millis_per_million * records.unsigned_abs() / 1_000_000).sum();
    let rate = write_rate(appliance)?;
    let looked = 2 * (database + log) / LOOKED_THROUGH_BYTES_PER_SECOND;
    let mut plan = Plan {
        from: from.to_string(),
        to: manifest.version.to_string(),
        upgrades_from: manifest.upgrades_from.to_string(),
        signed_by: bundle.signers().to_vec(),
        keys_epoch: bundle.keys().epoch,
        database_bytes: database,
        log_bytes: log,
        records,
        needs_bytes: needs,
        free_bytes: free(appliance),
        steps: steps.iter().map(|step| format!("{} {}", step.number, step.name)).collect(),
        seconds: (database + log) / rate.max(1) + looked + migration / 1000 + BESIDE_SECONDS,
        formats: manifest.formats,
        settings: settings(appliance, bundle)?,
        api: manifest.api.iter().filter(|change| change.since > from).cloned().collect(),
        approval: "one operator of this machine who can unseal the appliance; this version does not ask a second person",
        blockers: Vec::new(),
        warnings: Vec::new(),
    };
    blockers(&mut plan, bundle);
    if let Err(error) = fs::read_dir(&config.files_folder)
        && error.kind() != io::ErrorKind::NotFound
    {
        let folder = config.files_folder.display();
        plan.blockers.push(format!("{folder} cannot be read by the account of the appliance ({error})"));
    }
    plan.blockers.extend(others_serve(appliance, opened)?);
    warnings(&mut plan, appliance, opened)?;
    Ok(plan)
}

/// Other nodes that work with the same database.
pub(super) fn others_serve(appliance: &Appliance, opened: &Opened) -> Result<Vec<String>, Failure> {
    let nodes = opened.store.read(|tx| tx.nodes()).wait()?;
    let others = nodes.into_iter().filter(|node| node.lives && node.name != appliance.config.node);
    Ok(others.map(|node| format!("the node {} serves; stop it first", node.name)).collect())
}

fn blockers(plan: &mut Plan, bundle: &Bundle) {
    let manifest = bundle.manifest();
    if let Err(error) = manifest.follows_on(&running()) {
        plan.blockers.push(error.to_string());
    }
    if manifest.member(Kind::Binary, &platform()).is_none() {
        plan.blockers.push(format!("the bundle has no program for {}", platform()));
    }
    if plan.free_bytes < plan.needs_bytes {
        let told = format!("{} MiB are free and {} MiB are needed", plan.free_bytes >> 20, plan.needs_bytes >> 20);
        plan.blockers.push(told);
    }
    let removed = plan.settings.iter().filter(|change| change.removed);
    let told: Vec<String> = removed.map(|change| format!("kontor.toml: {}: {}", change.key, change.what.en)).collect();
    plan.blockers.extend(told);
}

fn warnings(plan: &mut Plan, appliance: &Appliance, opened: &Opened) -> Result<(), Failure> {
    let keeper = Keeper::new(appliance, &opened.store, &opened.signer, None)?;
    let sets = keeper.sets()?;
    if !sets.iter().any(|set| set.state == "verified") {
        plan.warnings.push("there is no backup set; the copy that the upgrade makes lies on the same disk".to_owned());
    } else if let Some(hours) = proven_too_old(&keeper.config(), &sets, keeper.now()) {
        plan.warnings.push(format!("the newest set that was restored and found whole is {hours} hours old"));
    }
    if keeper.config().ship.is_some() {
        plan.warnings.push("what is shipped ends with the upgrade and begins anew with the next backup set".to_owned());
    }
    if matches!(appliance.config.database, DatabaseConfig::Postgres { .. }) {
        let told =
            "the database server needs room for its tables a second time while going back; stop every other node first";
        plan.warnings.push(told.to_owned());
    }
    let kept = plan.settings.iter().filter(|change| !change.removed);
    let told: Vec<String> = kept.map(|change| format!("kontor.toml: {}: {}", change.key, change.what.en)).collect();
    plan.warnings.extend(told);
    if plan.formats > FORMATS {
        let told = "new formats on disk are written once it is finalized; from then on there is no way back";
        plan.warnings.push(told.to_owned());
    }
    Ok(())
}

/// Settings of this appliance that the bundle renames or takes away.
fn settings(appliance: &Appliance, bundle: &Bundle) -> Result<Vec<SettingChange>, Failure> {
    let text = crate::appliance::read_small(&appliance.layout.config(), limits::CONFIG_BYTES_MAX)?;
    let mine = |change: &&SettingChange| change.since > running() && Config::names(&text, &change.key);
    Ok(bundle.manifest().settings.iter().filter(mine).cloned().collect())
}

fn free(appliance: &Appliance) -> u64 {
    rustix::fs::statvfs(appliance.layout.dir()).map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize))
}

/// Bytes of sealed files that are copied: on another file system than the appliance none of them can get a second name.
fn copied_files(appliance: &Appliance, files: &Path) -> u64 {
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    if device(files) == device(appliance.layout.dir()) { 0 } else { folder_bytes(files) }
}

fn folder_bytes(folder: &Path) -> u64 {
    let Ok(listed) = fs::read_dir(folder) else { return 0 };
    let bytes = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => folder_bytes(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    listed.flatten().map(bytes).sum()
}

/// Bytes a second that reach the disk of the appliance.
fn write_rate(appliance: &Appliance) -> Result<u64, Failure> {
    let path = appliance.layout.dir().join("upgrade-probe");
    let (clock, block): (&dyn Clock, _) = (appliance.clock.as_ref(), vec![0x5a; PROBE_BYTES]);
    let began = clock.monotonic();
    let written =
        own::create_alone(&path, 0o600).and_then(|mut file| file.write_all(&block).and_then(|()| file.sync_all()));
    let millis = u64::try_from((clock.monotonic() - began).as_millis()).unwrap_or(u64::MAX).max(1);
    let gone = fs::remove_file(&path);
    written.and(gone).map_err(|error| {
        let told = format!("{}: {error}", path.display());
        Failure::new(Code::Unavailable, told).kept("nothing was changed").todo("free space there")
    })?;
    Ok(PROBE_BYTES as u64 * 1000 / millis)
}
