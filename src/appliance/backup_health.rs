//! Whether the backups are well: a set on every target in time, the last drill good and not too long ago, every target there.
//! It looks and tells. What it finds is the health page's word and, for each target, an alarm.

use crate::appliance::health::{Finding, check};
use crate::appliance::planning::plan_of;
use crate::config::BackupConfig;
use api::Check;
use kernel::Timestamp;
use notify::{Alarm, AlarmKind};
use recovery::{DrillReport, RecoveryError, ShipStatus, TargetShipped};
use std::collections::BTreeSet;
use store::{BackupRow, DrillRow, Store};

/// How late a set or a drill may be before somebody is told: what was missed at night is made up for by then.
pub(super) const LATE_SECONDS: i64 = 6 * 3600;
/// Rows of sets that are looked at.
const SETS_MAX: usize = 500;
/// How far behind a target may be before somebody is told.
const SHIPPED_LATE_SECONDS: u64 = 60;
const HOUR_MICROS: i64 = 3600 * 1_000_000;

/// What is looked at.
pub(super) struct Looked<'a> {
    pub(super) config: &'a BackupConfig,
    pub(super) store: &'a Store,
    pub(super) shipping: Option<&'a ShipStatus>,
    /// A demonstration has nothing to lose, so that it has no backups is well.
    pub(super) demonstration: bool,
    /// Targets that did not answer when they were asked last.
    pub(super) silent: &'a BTreeSet<String>,
}

/// The rows of the tables of sets and drills, newest first.
struct Rows {
    sets: Vec<BackupRow>,
    drill: Option<DrillRow>,
}

impl Looked<'_> {
    /// Everything that is wrong, the worst first; else how it is.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let now = self.store.clock().now();
        let mut found: Vec<Finding> = self.shipped_badly(now).into_iter().collect();
        // Whatever else is well: who archives the server's log relies on it.
        if self.store.read(|tx| tx.archiver()).wait().ok().flatten().is_some_and(|archiver| archiver.is_failing()) {
            let told =
                "PostgreSQL could NOT archive its log (pg_stat_archiver). Look at archive_command and the disk there.";
            found.push(bad(AlarmKind::BackupArchive, [], told.to_owned()));
        }
        if self.config.schedule.is_none() || self.config.targets.is_empty() {
            let told = "None are made: name a target under [backup.targets] in kontor.toml.".to_owned();
            let check = check("backup", self.demonstration, "backup_none", [], told);
            let alarms = if check.ok { Vec::new() } else { vec![Alarm::new(AlarmKind::BackupNone, "", 0)] };
            found.push(Finding { check, alarms });
            return found;
        }
        let Ok((sets, drills)) = self.store.read(|tx| Ok((tx.backups(SETS_MAX)?, tx.drills(1)?))).wait() else {
            let told = "Unknown while the database does not answer.".to_owned();
            found.push(Finding { check: check("backup", false, "backup_unknown", [], told), alarms: Vec::new() });
            return found;
        };
        let rows = Rows { sets, drill: drills.into_iter().next() };
        found.extend(self.late(&rows, now));
        found.extend(unproven(&rows));
        found.extend(self.unmade(&rows));
        found.extend(self.old(&rows, now));
        found.extend(self.unanswered());
        found.extend(self.unsteady(&rows, now));
        if found.is_empty() {
            found.push(Finding { check: self.well(&rows, now), alarms: Vec::new() });
        }
        found
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.config.targets.iter().map(|(name, _)| name.as_str())
    }

    /// What is wrong with shipping, if something is.
    fn shipped_badly(&self, now: Timestamp) -> Option<Finding> {
        let shipping = self.shipping?;
        if let Some(fault) = shipping.fence_fault() {
            return Some(bad(AlarmKind::BackupFenced, [], fault.detail));
        }
        let late = |target: &TargetShipped| {
            target.trouble.is_some() || (!target.sync && target.rpo_seconds > SHIPPED_LATE_SECONDS)
        };
        let targets: Vec<TargetShipped> = shipping.targets(now).into_iter().filter(late).collect();
        let target = targets.first()?;
        let why = target.trouble.as_ref().map_or_else(String::new, |trouble| format!(" ({trouble})"));
        let told = format!(
            "What was committed in the last {} seconds is not on {}{why}. Look at that target; it is tried again by itself.",
            target.rpo_seconds, target.target
        );
        let check = check("backup", false, "backup_behind", [("rpo_seconds", target.rpo_seconds)], told);
        // A moment of it is no reason to write to people: each start has one.
        let lasting = targets.iter().filter(|target| target.rpo_seconds > SHIPPED_LATE_SECONDS);
        let alarm = |target: &TargetShipped| Alarm::new(AlarmKind::BackupBehind, &target.target, target.rpo_seconds);
        Some(Finding { check, alarms: lasting.map(alarm).collect() })
    }

    fn late(&self, rows: &Rows, now: Timestamp) -> Option<Finding> {
        let schedule = self.config.schedule.as_ref()?;
        let late = |name: &&str| schedule.is_due(newest(rows, name), now.plus_seconds(-LATE_SECONDS));
        let late: Vec<&str> = self.names().filter(late).collect();
        let told =
            format!("No set in time on {}. Look with `kontor backup list`, and at the disk there.", late.join(", "));
        about_targets(AlarmKind::BackupLate, &late, told)
    }

    /// Targets on which the last set could not be made; one that somebody stopped is none.
    fn unmade(&self, rows: &Rows) -> Option<Finding> {
        let stopped = RecoveryError::Stopped.to_string();
        let failed = |name: &&str| {
            let last = rows.sets.iter().find(|row| row.target == **name && row.state != "writing");
            last.is_some_and(|row| row.state == "failed" && row.detail != stopped)
        };
        let failed: Vec<&str> = self.names().filter(failed).collect();
        let told = format!(
            "The last set could not be made on {}; it is tried again. `kontor backup list` says why.",
            failed.join(", ")
        );
        about_targets(AlarmKind::BackupUnmade, &failed, told)
    }

    /// What was proven too long ago, or should have been by now.
    fn old(&self, rows: &Rows, now: Timestamp) -> Vec<Finding> {
        let mut found = Vec::new();
        if let Some(hours) = proven_too_old(self.config, &rows.sets, now) {
            let told = format!(
                "The newest set that was restored and found whole is {hours} hours old. Prove a newer one with `kontor backup drill`."
            );
            let check = check("backup", false, AlarmKind::ProvenOld.word(), [("hours", hours)], told);
            found.push(Finding { check, alarms: vec![Alarm::new(AlarmKind::ProvenOld, "", hours)] });
        }
        let Some(schedule) = self.config.drill.as_ref().filter(|_| self.config.own_key) else { return found };
        // There is something to prove since the oldest set that is there.
        let first = rows.sets.iter().filter(|row| row.state == "verified").map(|row| row.made_at).min();
        let last = rows.drill.as_ref().map(|drill| drill.at).max(first);
        if first.is_some() && schedule.is_due(last, now.plus_seconds(-LATE_SECONDS)) {
            let told = "No set was proven in time. Prove the newest with `kontor backup drill`.".to_owned();
            found.push(bad(AlarmKind::DrillLate, [""], told));
        }
        found
    }

    fn unanswered(&self) -> Option<Finding> {
        let silent: Vec<&str> = self.names().filter(|name| self.silent.contains(*name)).collect();
        let told = format!(
            "{} did not answer. Try it with `kontor backup target test`; the next set waits for it.",
            silent.join(", ")
        );
        about_targets(AlarmKind::TargetSilent, &silent, told)
    }

    fn unsteady(&self, rows: &Rows, now: Timestamp) -> Option<Finding> {
        let plans = plan_of(&rows.sets, &self.config.policy, now);
        let unsteady: Vec<&str> =
            plans.iter().filter(|(_, (_, steady))| !steady).map(|(name, _)| name.as_str()).collect();
        let told = format!(
            "The clock and the sets on {} disagree about time, so no set is removed. Look at the machine's clock.",
            unsteady.join(", ")
        );
        about_targets(AlarmKind::DeletionStopped, &unsteady, told)
    }

    fn well(&self, rows: &Rows, now: Timestamp) -> Check {
        let hours = |at: Timestamp| hours_since(at, now);
        let last = rows.sets.iter().find(|row| row.state == "verified").map_or(0, |row| hours(row.made_at));
        let Some(proven) = rows.sets.iter().filter_map(|row| row.proven_at).max() else {
            let told = format!("Last set {last} hours ago; none was proven yet.");
            return check("backup", true, "backup_new", [("hours", last)], told);
        };
        let proven = hours(proven);
        let told = format!("Last set {last} hours ago; last proven restore {proven} hours ago.");
        let Some(shipping) = self.shipping else {
            return check("backup", true, "backup_good", [("hours", last), ("proven_hours", proven)], told);
        };
        let rpo = shipping.targets(now).iter().map(|target| target.rpo_seconds).max().unwrap_or(0);
        let figures = [("hours", last), ("proven_hours", proven), ("rpo_seconds", rpo)];
        let told = format!("{told} If this machine were lost now, {rpo} seconds of work would be.");
        check("backup", true, "backup_shipped", figures, told)
    }
}

fn hours_since(at: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.micros().saturating_sub(at.micros()) / HOUR_MICROS).unwrap_or(0)
}

fn newest(rows: &Rows, target: &str) -> Option<Timestamp> {
    rows.sets.iter().find(|row| row.target == target && row.state == "verified").map(|row| row.made_at)
}

/// How many hours old the newest set is that was restored and found whole, if that is too many; where none was, the oldest
/// set that is there. Where the appliance makes no drills nothing is.
pub(crate) fn proven_too_old(config: &BackupConfig, sets: &[BackupRow], now: Timestamp) -> Option<u64> {
    let most = config.proven_hours_max.filter(|_| config.own_key && config.drill.is_some())?;
    let there = || sets.iter().filter(|row| row.state == "verified");
    let proven = there().filter(|row| row.proven_at.is_some()).map(|row| row.made_at).max();
    let hours = hours_since(proven.or_else(|| there().map(|row| row.made_at).min())?, now);
    (hours >= most).then_some(hours)
}

/// The last drill, if it was not good. When it was the log that did not verify, that is an alarm of its own.
fn unproven(rows: &Rows) -> Option<Finding> {
    let drill = rows.drill.as_ref().filter(|drill| !drill.ok)?;
    let report: Option<DrillReport> = serde_json::from_str(&drill.report).ok();
    let log = report.is_some_and(|report| report.checks.iter().any(|check| check.check == "log" && !check.ok));
    let told = "The last set could NOT be restored. Make a new one (`kontor backup run`) and prove it (`kontor backup drill`).";
    let name = rows.sets.iter().find(|row| row.sequence == drill.sequence).map_or("", |row| row.name.as_str());
    let mut finding = bad(AlarmKind::BackupFailed, [name], told.to_owned());
    finding.alarms.extend(log.then(|| Alarm::new(AlarmKind::LogDamaged, name, 0)));
    Some(finding)
}

fn bad<const N: usize>(kind: AlarmKind, about: [&str; N], told: String) -> Finding {
    let alarms = if about.is_empty() {
        vec![Alarm::new(kind, "", 0)]
    } else {
        about.iter().map(|about| Alarm::new(kind, about, 0)).collect()
    };
    Finding { check: check("backup", false, kind.word(), [], told), alarms }
}

/// Something that is wrong with these targets, if there are any.
fn about_targets(kind: AlarmKind, targets: &[&str], told: String) -> Option<Finding> {
    let check = check("backup", false, kind.word(), [("targets", targets.len() as u64)], told);
    let alarms = targets.iter().map(|target| Alarm::new(kind, target, 0)).collect();
    (!targets.is_empty()).then_some(Finding { check, alarms })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appliance::Layout;
    use crate::config::Config;
    use std::path::Path;

    fn hour(hours: i64) -> Timestamp {
        Timestamp::from_micros(1_790_000_000_000_000).plus_seconds(hours * 3_600)
    }
    fn row(sequence: u64, made: i64, proven: Option<i64>, state: &str) -> BackupRow {
        BackupRow {
            sequence,
            target: "disk2".to_owned(),
            name: format!("set {sequence}"),
            state: state.to_owned(),
            made_at: hour(made),
            ended_at: Some(hour(made)),
            bytes: 1,
            verified_at: Some(hour(made)),
            proven_at: proven.map(hour),
            marked_at: None,
            pinned: false,
            detail: String::new(),
        }
    }
    fn config(keys: &str) -> BackupConfig {
        let text = format!("[backup]\n{keys}\n[backup.targets]\ndisk2 = \"/mnt/disk2\"\n");
        Config::parse(&text, &Layout::new(Path::new("/srv/kontor"))).unwrap().backup
    }

    #[test]
    fn what_was_proven_is_as_old_as_its_data_and_has_to_be_there() {
        let usual = config("");
        // Proven an hour ago, but of data two days old.
        let stale = [row(3, 47, None, "verified"), row(2, 1, Some(48), "verified")];
        assert_eq!(proven_too_old(&usual, &stale, hour(48)), None);
        assert_eq!(proven_too_old(&usual, &stale, hour(49)), Some(48));
        let fresh = [row(3, 47, Some(48), "verified"), row(2, 1, Some(3), "verified")];
        assert_eq!(proven_too_old(&usual, &fresh, hour(49)), None);
        // One that was proven and is gone proves nothing.
        let gone = [row(3, 47, Some(48), "removed"), row(2, 1, Some(3), "verified")];
        assert_eq!(proven_too_old(&usual, &gone, hour(60)), Some(59));
        // None was proven yet: told once there was something to prove for so long.
        let never = [row(3, 47, None, "verified"), row(2, 1, None, "verified"), row(1, 0, None, "failed")];
        assert_eq!(proven_too_old(&usual, &never, hour(48)), None);
        assert_eq!(proven_too_old(&usual, &never, hour(49)), Some(48));
        assert_eq!(proven_too_old(&usual, &[], hour(9_999)), None);
        for (keys, told) in [
            ("proven_max_hours = 24", Some(30)),
            ("proven_max_hours = 31", None),
            ("proven_max_hours = 0", None),
            ("proven_max_hours = 24\ndrill = \"\"", None),
        ] {
            let rows = [row(2, 0, Some(1), "verified")];
            assert_eq!(proven_too_old(&config(keys), &rows, hour(30)), told, "{keys}");
        }
    }

    #[test]
    fn a_drill_whose_log_did_not_verify_is_two_alarms() {
        let drill = |log: bool, ok: bool| DrillRow {
            at: hour(1),
            sequence: 2,
            target: "disk2".to_owned(),
            ok,
            millis: 1,
            report: format!(
                r#"{{"set":"set 2","sequence":2,"target":"disk2","ok":{ok},"millis":1,"checks":[{{"check":"log","ok":{log},"detail":"","millis":1}}]}}"#
            ),
        };
        let found = |drill| unproven(&Rows { sets: vec![row(2, 0, None, "verified")], drill: Some(drill) });
        assert!(found(drill(true, true)).is_none());
        let kinds = |drill| found(drill).unwrap().alarms.iter().map(|alarm| alarm.kind).collect::<Vec<_>>();
        assert_eq!(kinds(drill(true, false)), [AlarmKind::BackupFailed]);
        assert_eq!(kinds(drill(false, false)), [AlarmKind::BackupFailed, AlarmKind::LogDamaged]);
    }
}
