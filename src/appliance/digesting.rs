//! What the daily digest tells, taken together: sets, drills, targets, the plan, the log, the machine. It reads and sends nothing.

use crate::appliance::Keeper;
use crate::appliance::health::ApplianceHealth;
use crate::cli::failure::Failure;
use api::{Check, Health};
use kernel::Timestamp;
use notify::{Digest, FailedRun, LogState, Planned, Proven, TargetState};
use recovery::{DrillReport, KeepRule, RecoveryError};
use std::collections::BTreeSet;
use store::{BackupRow, DrillRow};

const DAY_SECONDS: i64 = 86_400;
const SECOND_MICROS: i64 = 1_000_000;

/// The digest now, without its alarms; `since` is the moment of the one before.
pub(super) fn digest_of(
    keeper: &Keeper,
    health: &ApplianceHealth,
    silent: &BTreeSet<String>,
    since: Option<Timestamp>,
) -> Result<Digest, Failure> {
    let (now, sets, drills) = (keeper.now(), keeper.sets()?, keeper.drills()?);
    let checks = health.checks();
    let figure = |check: &str, figure: &str| {
        let found = checks.iter().find(|one| one.name == check);
        found.and_then(|check: &Check| check.figures.get(figure).copied())
    };
    let newest = sets.iter().find(|row| row.state == "verified");
    let config = keeper.config();
    Ok(Digest {
        now,
        since,
        alarms: Vec::new(),
        backups: config.schedule.is_some() && !config.targets.is_empty(),
        proven: drills.iter().find(|drill| drill.ok).and_then(|drill| proven(drill, &sets)),
        rpo_seconds: rpo_seconds(keeper, newest, now),
        newest: newest.map(|row| (row.name.clone(), row.made_at)),
        targets: targets(keeper, &sets, silent)?,
        failed: failed(&sets, &drills, since.unwrap_or(now.plus_seconds(-DAY_SECONDS))),
        planned: planned(keeper, &sets)?,
        log: LogState {
            sealed: figure("audit_log", "sealed").zip(figure("audit_log", "rows")),
            verified: drills.iter().find_map(verified),
        },
        free_bytes: figure("disk", "free_bytes"),
        certificate_days: figure("certificate", "days").and_then(|days| i64::try_from(days).ok()),
    })
}

fn name_of(sets: &[BackupRow], sequence: u64) -> Option<&BackupRow> {
    sets.iter().find(|row| row.sequence == sequence)
}

fn proven(drill: &DrillRow, sets: &[BackupRow]) -> Option<Proven> {
    let row = name_of(sets, drill.sequence)?;
    Some(Proven { set: row.name.clone(), made_at: row.made_at, at: drill.at, millis: drill.millis })
}

/// When a drill verified the log with every record, and whether it was whole.
fn verified(drill: &DrillRow) -> Option<(Timestamp, bool)> {
    let report: DrillReport = serde_json::from_str(&drill.report).ok()?;
    report.checks.iter().find(|check| check.check == "log").map(|check| (drill.at, check.ok))
}

/// What would be lost: by shipping where there is some, else what was done since the newest set.
fn rpo_seconds(keeper: &Keeper, newest: Option<&BackupRow>, now: Timestamp) -> Option<u64> {
    let shipped = keeper.shipping.as_ref().and_then(|shipping| {
        let targets = shipping.targets(now);
        targets.iter().map(|target| target.rpo_seconds).max()
    });
    let since = |row: &BackupRow| u64::try_from(now.micros().saturating_sub(row.made_at.micros()) / SECOND_MICROS).ok();
    shipped.or_else(|| newest.and_then(since))
}

fn targets(keeper: &Keeper, sets: &[BackupRow], silent: &BTreeSet<String>) -> Result<Vec<TargetState>, Failure> {
    let (late, now) = (keeper.targets_late()?, keeper.now());
    let shipped = keeper.shipping.as_ref().map(|shipping| shipping.targets(now)).unwrap_or_default();
    let state = |name: String| {
        let there: Vec<&BackupRow> = sets.iter().filter(|row| row.target == name && row.state == "verified").collect();
        TargetState {
            newest: there.first().map(|row| row.made_at),
            sets: there.len(),
            bytes: there.iter().map(|row| row.bytes).sum(),
            late: late.contains(&name),
            silent: silent.contains(&name),
            behind_seconds: shipped.iter().find(|target| target.target == name).map(|target| target.rpo_seconds),
            name,
        }
    };
    Ok(keeper.target_names().into_iter().map(state).collect())
}

fn failed(sets: &[BackupRow], drills: &[DrillRow], since: Timestamp) -> Vec<FailedRun> {
    let stopped = RecoveryError::Stopped.to_string();
    let bad_set = |row: &&BackupRow| row.state == "failed" && row.detail != stopped;
    let sets_failed = sets.iter().filter(bad_set).filter_map(|row| {
        let at = row.ended_at.filter(|at| *at > since)?;
        Some(FailedRun { at, set: row.name.clone(), target: row.target.clone(), drill: false })
    });
    let drills_failed = drills.iter().filter(|drill| !drill.ok && drill.at > since).map(|drill| FailedRun {
        at: drill.at,
        set: name_of(sets, drill.sequence).map_or_else(|| drill.sequence.to_string(), |row| row.name.clone()),
        target: drill.target.clone(),
        drill: true,
    });
    let mut all: Vec<FailedRun> = sets_failed.chain(drills_failed).collect();
    all.sort_by_key(|run| run.at);
    all
}

fn planned(keeper: &Keeper, sets: &[BackupRow]) -> Result<Vec<Planned>, Failure> {
    let (plans, delay) = (keeper.plan()?, keeper.config().policy.delay_seconds);
    let goes = |row: &BackupRow| {
        let (decisions, _) = plans.get(&row.target)?;
        decisions.iter().find(|one| one.sequence == row.sequence && one.rule != KeepRule::Keep)?;
        let goes_at = row.marked_at?.plus_seconds(delay);
        Some(Planned { set: row.name.clone(), target: row.target.clone(), goes_at })
    };
    let mut all: Vec<Planned> = sets.iter().filter(|row| row.state == "verified").filter_map(goes).collect();
    all.sort_by_key(|one| one.goes_at);
    Ok(all)
}
