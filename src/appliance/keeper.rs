//! The appliance's backups at work: sets made when they are due or asked for, old ones marked and removed by plan, the
//! newest proven by a drill. One at a time, also when a command does it beside the server. What happens stands in the log
//! and in the table of sets; nothing here opens a record.

use crate::appliance::backup_health::LATE_SECONDS;
use crate::appliance::{Appliance, Layout, Live, LogSigner, target_of};
use crate::cli::failure::Failure;
use crate::config::{BackupConfig, TargetConfig};
use audit::{ActOutcome, Verb, VerifierKey};
use identity::Actor;
use kernel::{Code, Timestamp};
use recovery::{
    Decision, DrillReport, House, KeepRule, Progress, RecoveryError, SetJob, SetName, ShipStatus, Target, TargetOutcome,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{BackupRow, DrillRow, Lease, Store};
use vault::Vault;

/// Sets that are looked at: far more than any plan keeps.
const SETS_MAX: usize = 10_000;
/// How long after a failed attempt the next one is made, in seconds: a target that is away for an hour is back soon after.
pub(super) const RETRY_SECONDS: i64 = 30 * 60;
/// Reports of drills are kept for two years.
const REPORTS_SECONDS: i64 = 2 * 365 * 86_400;

/// The backups of an open appliance.
pub(crate) struct Keeper {
    pub(super) layout: Layout,
    live: Arc<Live>,
    pub(super) appliance: String,
    pub(super) store: Arc<Store>,
    pub(super) vault: Arc<Vault>,
    pub(super) signer: Arc<LogSigner>,
    key: VerifierKey,
    pub(super) shipping: Option<Arc<ShipStatus>>,
}

/// What became of making a set.
pub(crate) struct Made {
    pub(crate) sequence: u64,
    pub(crate) name: SetName,
    pub(crate) outcomes: Vec<TargetOutcome>,
}

impl Keeper {
    /// The backups of an appliance whose store is open.
    pub(crate) fn new(
        appliance: &Appliance,
        store: &Arc<Store>,
        signer: &Arc<LogSigner>,
        shipping: Option<Arc<ShipStatus>>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            layout: appliance.layout.clone(),
            live: Arc::clone(&appliance.live),
            appliance: store.appliance()?,
            store: Arc::clone(store),
            vault: Arc::clone(&appliance.vault),
            signer: Arc::clone(signer),
            key: signer.verifier_key()?,
            shipping,
        })
    }

    /// When the next set is made by itself.
    pub(crate) fn next_set(&self) -> Option<Timestamp> {
        let config = self.config();
        let schedule = config.schedule.as_ref().filter(|_| !config.targets.is_empty())?;
        schedule.next(self.now())
    }

    /// Its configuration.
    pub(crate) fn config(&self) -> Arc<BackupConfig> {
        self.live.backup()
    }
    /// The key that signs the sets.
    pub(super) fn log_key(&self) -> &VerifierKey {
        &self.key
    }
    /// What the database holds now, counted.
    pub(super) fn facts(&self) -> Result<store::DatabaseFacts, Failure> {
        Ok(self.store.read(|tx| tx.database_facts()).wait()?)
    }
    /// The target of this name.
    pub(super) fn target(&self, name: &str) -> Result<Box<dyn Target>, Failure> {
        let found = self.targets().into_iter().find(|target| target.name() == name);
        found.ok_or_else(|| Failure::new(Code::ConfigInvalid, format!("{name} is no target any more")))
    }
    /// The targets and where they are.
    pub(super) fn target_places(&self) -> Vec<(String, String)> {
        self.config().targets.iter().map(|(name, config)| (name.clone(), config.place())).collect()
    }
    /// Whether a target is a folder of the machine.
    pub(super) fn is_folder(&self, target: &str) -> bool {
        self.config().targets.iter().any(|(name, config)| name == target && matches!(config, TargetConfig::Folder(_)))
    }
    /// A word that is used once.
    pub(super) fn word(&self) -> String {
        let mut number = [0u8; 4];
        self.store.random().fill(&mut number);
        format!("{:08x}", u32::from_be_bytes(number))
    }
    /// Where the sets of this appliance lie on a target.
    pub(super) fn place_of_sets(&self, target: &str) -> String {
        let place = self.target_places().into_iter().find(|(name, _)| name == target).map(|(_, place)| place);
        format!("{}/{}", place.unwrap_or_default(), self.appliance)
    }

    pub(super) fn targets(&self) -> Vec<Box<dyn Target>> {
        let config = self.config();
        let targets = config.targets.iter();
        targets.map(|(name, config)| target_of(name, config, &self.appliance, self.store.clock())).collect()
    }

    /// The names of all targets.
    pub(crate) fn target_names(&self) -> Vec<String> {
        self.config().targets.iter().map(|(name, _)| name.clone()).collect()
    }

    /// What it is told in time by.
    pub(super) fn clock(&self) -> Arc<dyn kernel::Clock> {
        Arc::clone(self.store.clock())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.store.clock().now()
    }

    /// The sets that are known, newest first.
    pub(crate) fn sets(&self) -> Result<Vec<BackupRow>, Failure> {
        Ok(self.store.read(|tx| tx.backups(SETS_MAX)).wait()?)
    }

    /// The drills that are known, newest first.
    pub(crate) fn drills(&self) -> Result<Vec<DrillRow>, Failure> {
        Ok(self.store.read(|tx| tx.drills(SETS_MAX)).wait()?)
    }

    /// The folder of the newest verified set that lies in one.
    pub(crate) fn newest_folder(&self, on: Option<&str>) -> Result<Option<PathBuf>, Failure> {
        let config = self.config();
        let place = |row: &BackupRow| {
            let (_, root) = config.targets.iter().find(|(name, _)| *name == row.target)?;
            let TargetConfig::Folder(root) = root else { return None };
            Some(root.join(&self.appliance).join(&row.name)).filter(|folder| folder.is_dir())
        };
        let wanted = |row: &&BackupRow| row.state == "verified" && on.is_none_or(|name| name == row.target);
        Ok(self.sets()?.iter().filter(wanted).find_map(place))
    }

    /// Brings the newest verified set of a target (of any) into a folder below this one.
    pub(crate) fn fetch_newest(&self, on: Option<&str>, into: &Path) -> Result<Option<PathBuf>, Failure> {
        let (rows, known) = (self.sets()?, self.target_names());
        let wanted = |row: &&BackupRow| {
            row.state == "verified" && known.contains(&row.target) && on.is_none_or(|name| name == row.target)
        };
        let Some(row) = rows.iter().find(wanted) else { return Ok(None) };
        let (from, set) = (self.target(&row.target)?, row.name.parse().map_err(failure)?);
        recovery::fetch_set(from.as_ref(), &set, &self.key, into).map(Some).map_err(failure)
    }

    /// Makes a set now and puts it on these targets.
    pub(crate) fn make(&self, by: &Actor, progress: &Progress, on: &[String]) -> Result<Made, Failure> {
        let targets: Vec<_> =
            self.targets().into_iter().filter(|target| on.iter().any(|name| name == target.name())).collect();
        if targets.is_empty() {
            return Err(Failure::new(Code::ConfigInvalid, "there is no target for backups")
                .kept("nothing was changed")
                .todo("name a folder or a store under [backup.targets] in kontor.toml"));
        }
        let _busy = self.busy()?;
        let names: Vec<String> = targets.iter().map(|target| target.name().to_owned()).collect();
        let above = self.reconcile(&targets)?;
        tidy(&targets);
        let at = self.now();
        let (begun, name) = (names.clone(), move |sequence| SetName::new(sequence, at).to_string());
        let sequence = self.kept(move |tx| tx.backup_begin(at, &begun, above, name))?;
        let config = self.config();
        let mut recipients = config.recipients.clone();
        if config.own_key {
            recipients.push(self.vault.archive_identity()?.recipient());
        }
        let house = self.house();
        let job = SetJob {
            store: &self.store,
            house: &house,
            signer: self.signer.as_ref(),
            recipients: &recipients,
            own_key: config.own_key,
            sequence,
            at,
            made_by: env!("CARGO_PKG_VERSION"),
            bytes_per_second: config.bytes_per_second,
            progress,
        };
        let list: Vec<&dyn Target> = targets.iter().map(AsRef::as_ref).collect();
        let outcomes = match recovery::write_sets(&job, &list) {
            Ok((_, outcomes)) => outcomes,
            Err(error) => {
                let told = error.to_string();
                let failed = |name: &String| TargetOutcome {
                    target: name.clone(),
                    outcome: Err(RecoveryError::Refused(told.clone())),
                };
                names.iter().map(failed).collect()
            }
        };
        let name = SetName::new(sequence, at);
        for outcome in &outcomes {
            self.settle(by, &name, at, outcome)?;
        }
        Ok(Made { sequence, name, outcomes })
    }

    /// Brings the table of sets in line with what lies on the targets: after a crash, a restore, or somebody's hand. The
    /// highest number seen. A target that does not answer says so when something is written to it.
    pub(super) fn reconcile(&self, targets: &[Box<dyn Target>]) -> Result<u64, Failure> {
        let (rows, mut highest) = (self.sets()?, 0);
        for target in targets {
            let Ok(there) = target.list() else { continue };
            highest = there.iter().map(SetName::sequence).max().unwrap_or(0).max(highest);
            for row in rows.iter().filter(|row| row.target == target.name()) {
                let lies_there = there.iter().any(|set| set.as_str() == row.name);
                let (state, detail) = match (row.state.as_str(), lies_there) {
                    ("verified", false) => ("lost", "it is no longer on the target"),
                    // Whoever wrote it ended before it could say how that went.
                    ("writing", false) => ("failed", "it was interrupted"),
                    _ => continue,
                };
                let next = BackupRow { state: state.to_owned(), detail: detail.to_owned(), ..row.clone() };
                self.kept(move |tx| tx.backup_keep(&next))?;
            }
            let settled = |set: &SetName| {
                rows.iter()
                    .any(|row| row.target == target.name() && row.sequence == set.sequence() && row.state != "writing")
            };
            for set in there.iter().filter(|set| !settled(set)) {
                self.adopt(target.as_ref(), set)?;
            }
        }
        Ok(highest)
    }

    /// A set that lies on a target and of which nothing was known, or not how it ended.
    pub(super) fn adopt(&self, target: &dyn Target, set: &SetName) -> Result<(), Failure> {
        let now = self.now();
        let (state, manifest, detail) = match recovery::verify_set(target, set, &self.key, None) {
            Ok((_, manifest)) => ("verified", Some(manifest), String::new()),
            Err(error) => ("failed", None, format!("found on the target: {error}")),
        };
        let row = BackupRow {
            sequence: set.sequence(),
            target: target.name().to_owned(),
            name: set.to_string(),
            state: state.to_owned(),
            made_at: manifest.as_ref().map_or(now, |manifest| manifest.made_at),
            ended_at: Some(now),
            bytes: manifest.as_ref().map_or(0, recovery::Manifest::bytes),
            verified_at: manifest.is_some().then_some(now),
            proven_at: None,
            marked_at: None,
            pinned: false,
            detail,
        };
        self.kept(move |tx| tx.backup_keep(&row))
    }

    /// Writes down what became of a set on one target.
    pub(super) fn settle(
        &self,
        by: &Actor,
        name: &SetName,
        at: Timestamp,
        outcome: &TargetOutcome,
    ) -> Result<(), Failure> {
        let now = self.now();
        let (state, bytes, detail) = match &outcome.outcome {
            Ok(verified) => ("verified", verified.bytes(), String::new()),
            Err(error) => ("failed", 0, error.to_string()),
        };
        let row = BackupRow {
            sequence: name.sequence(),
            target: outcome.target.clone(),
            name: name.to_string(),
            state: state.to_owned(),
            made_at: at,
            ended_at: Some(now),
            bytes,
            verified_at: outcome.outcome.is_ok().then_some(now),
            proven_at: None,
            marked_at: None,
            pinned: false,
            detail: detail.clone(),
        };
        let told = if detail.is_empty() { format!("{bytes} bytes, read back whole") } else { detail };
        self.keep(by, Verb::Backup, row, outcome.outcome.is_ok(), &told)
    }

    pub(super) fn keep(&self, by: &Actor, verb: Verb, row: BackupRow, ok: bool, told: &str) -> Result<(), Failure> {
        let mut entry = self.store.entry(by, verb);
        let operator = std::mem::take(&mut entry.note);
        let lead = if operator.is_empty() { String::new() } else { format!("{operator}; ") };
        entry.note = format!("{lead}{} on {}: {told}", row.name, row.target);
        if !ok {
            entry.outcome = ActOutcome::Failed;
        }
        // A mark that a set stays is nobody's turn.
        let anybody = verb == Verb::BackupPin;
        let written = self.store.write(move |tx| {
            if !anybody {
                tx.lease_require(Lease::Backup)?;
            }
            tx.backup_keep(&row)?;
            Ok(tx.log_entry(&entry)?)
        });
        Ok(written.wait()?)
    }

    fn house(&self) -> House {
        House {
            dir: self.layout.dir().to_owned(),
            config: self.layout.config(),
            slots: self.layout.slots(),
            log_key: self.layout.log_key(),
            tls: self.layout.tls(),
            log: self.layout.log(),
            files: self.layout.files(),
        }
    }

    /// Carries the plan out: marks what may go, and removes what was marked long enough, each with a younger set that is
    /// read back at that moment. Says how many went.
    pub(crate) fn prune(&self, by: &Actor) -> Result<usize, Failure> {
        let busy = self.busy()?;
        let (plans, rows) = (self.plan()?, self.sets()?);
        let mut gone = 0;
        for target in self.targets() {
            let Some((decisions, _)) = plans.get(target.name()) else { continue };
            // Read back once, when first something goes.
            let mut successor = None;
            for decision in decisions {
                let row = rows.iter().find(|row| row.sequence == decision.sequence && row.target == target.name());
                let Some(row) = row else { continue };
                let mut next = row.clone();
                match decision.rule {
                    KeepRule::Keep if row.marked_at.is_some() => next.marked_at = None,
                    KeepRule::Mark if row.marked_at.is_none() => next.marked_at = Some(self.now()),
                    KeepRule::Remove => {
                        if successor.is_none() {
                            successor = Some(self.newest_verified(target.as_ref(), decisions, &rows)?);
                        }
                        let Some(successor) = &successor else { continue };
                        busy.lease.still()?;
                        recovery::remove_set(target.as_ref(), &row.name.parse().map_err(failure)?, successor)
                            .map_err(failure)?;
                        next.state = "removed".to_owned();
                        gone += 1;
                        self.keep(by, Verb::BackupRemove, next, true, "younger sets do for it")?;
                        continue;
                    }
                    KeepRule::Keep | KeepRule::Mark => continue,
                }
                self.kept(move |tx| tx.backup_keep(&next))?;
            }
        }
        let files = self.prune_streams()?;
        if files > 0 {
            tracing::info!(files, "what was shipped before the oldest set that is gone on from was removed");
        }
        Ok(gone)
    }

    fn newest_verified(
        &self,
        target: &dyn Target,
        decisions: &[Decision],
        rows: &[BackupRow],
    ) -> Result<recovery::Verified, Failure> {
        let stays = |row: &&BackupRow| {
            row.target == target.name()
                && row.state == "verified"
                && decisions.iter().any(|one| one.sequence == row.sequence && one.rule == KeepRule::Keep)
        };
        let newest = rows.iter().find(stays).ok_or_else(|| Failure::new(Code::Internal, "no set stays"))?;
        let set = newest.name.parse().map_err(failure)?;
        Ok(recovery::verify_set(target, &set, &self.key, None).map_err(failure)?.0)
    }

    /// Restores the newest set of a target (of the first that has one) into a scratch folder and looks it through.
    pub(crate) fn drill(
        &self,
        by: &Actor,
        progress: &Arc<Progress>,
        target: Option<&str>,
    ) -> Result<DrillReport, Failure> {
        if !self.config().own_key {
            return Err(Failure::new(Code::ConfigInvalid, "the appliance cannot open its own sets (backup.own_key)")
                .kept("nothing was changed")
                .todo("restore a set with one of the recipients' keys on another machine: `kontor backup restore`"));
        }
        let _busy = self.busy()?;
        let rows = self.sets()?;
        // A target that is no longer configured proves nothing.
        let known = self.target_names();
        let wanted = |row: &&BackupRow| {
            row.state == "verified" && known.contains(&row.target) && target.is_none_or(|name| name == row.target)
        };
        let newest = rows.iter().find(wanted).cloned();
        let row = newest.ok_or_else(|| {
            Failure::new(Code::RecordNotFound, "there is no verified set to prove")
                .todo("make one first: `kontor backup run`")
        })?;
        let from = self.targets().into_iter().find(|target| target.name() == row.target);
        let from =
            from.ok_or_else(|| Failure::new(Code::ConfigInvalid, format!("{} is no target any more", row.target)))?;
        let identity = self.vault.archive_identity()?;
        let clock = Arc::clone(self.store.clock());
        let set: SetName = row.name.parse().map_err(failure)?;
        let (keys, scratch) = ((&self.key, &identity), self.layout.drill());
        let report = recovery::drill_while(from.as_ref(), &set, keys, &scratch, clock.as_ref(), progress);
        let report = report.map_err(failure)?;
        self.settle_drill(by, row, &report)?;
        Ok(report)
    }

    fn settle_drill(&self, by: &Actor, mut row: BackupRow, report: &DrillReport) -> Result<(), Failure> {
        let now = self.now();
        let text = serde_json::to_string(report).map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
        let (ok, millis) = (report.ok, report.millis);
        let kept = DrillRow { at: now, sequence: row.sequence, target: row.target.clone(), ok, millis, report: text };
        let before = now.plus_seconds(-REPORTS_SECONDS);
        self.kept(move |tx| tx.drill_keep(&kept, before))?;
        if ok {
            row.proven_at = Some(now);
        }
        let wrong: Vec<&str> =
            report.checks.iter().filter(|check| !check.ok).map(|check| check.detail.as_str()).collect();
        let told = if ok { format!("restored and whole in {millis} ms") } else { wrong.join("; ") };
        self.keep(by, Verb::Drill, row, ok, &told)
    }

    /// The targets that should have a newer set by now, and were not tried just before.
    pub(crate) fn targets_due(&self) -> Result<Vec<String>, Failure> {
        let config = self.config();
        let Some(schedule) = config.schedule.as_ref().filter(|_| !config.targets.is_empty()) else {
            return Ok(Vec::new());
        };
        let (rows, now) = (self.sets()?, self.now());
        let due = |name: &String| {
            let of = || rows.iter().filter(|row| row.target == *name);
            let done = of().find(|row| row.verified_at.is_some()).map(|row| row.made_at);
            let tried = of().next().map(|row| row.ended_at.unwrap_or(row.made_at));
            schedule.is_due(done, now)
                && tried.is_none_or(|tried| tried.plus_seconds(RETRY_SECONDS) <= now || Some(tried) <= done)
        };
        Ok(self.target_names().into_iter().filter(due).collect())
    }

    /// The targets that should have had a newer set for hours.
    pub(super) fn targets_late(&self) -> Result<Vec<String>, Failure> {
        let config = self.config();
        let Some(schedule) = config.schedule.as_ref() else { return Ok(Vec::new()) };
        let (rows, now) = (self.sets()?, self.now().plus_seconds(-LATE_SECONDS));
        let newest = |name: &String| {
            let verified = rows.iter().find(|row| row.target == *name && row.verified_at.is_some());
            verified.map(|row| row.made_at)
        };
        Ok(self.target_names().into_iter().filter(|name| schedule.is_due(newest(name), now)).collect())
    }

    /// Whether a drill is due by the schedule, and there is something to prove.
    pub(crate) fn drill_is_due(&self) -> Result<bool, Failure> {
        let last = self.drills()?.first().map(|row| row.at);
        let due = |schedule: &crate::config::Schedule| schedule.is_due(last, self.now());
        let something = self.sets()?.iter().any(|row| row.state == "verified");
        let config = self.config();
        Ok(config.own_key && something && config.drill.as_ref().is_some_and(due))
    }
}

/// Takes away what was begun on the targets and will not be gone on with: a new set is just being made.
fn tidy(targets: &[Box<dyn Target>]) {
    for target in targets {
        // One that does not answer says so when something is written to it.
        target.halves().unwrap_or_default().iter().for_each(|set| target.abandon(set));
    }
}

pub(crate) fn failure(error: RecoveryError) -> Failure {
    Failure::from(kernel::Fault::from(error))
}
