//! The backups for those who look at them in the browser: sets with the plan's word on each, drills, and what is under way.
//! It reads what the keeper knows and what lies on the targets; the work itself is the keeper's.

use crate::appliance::Keeper;
use crate::appliance::keeping::Bench;
use crate::appliance::planning::Plans;
use api::{
    BackupOrder, Backups, BackupsView, DrillCheck, DrillView, KeepView, SetFile, SetLine, SetTable, SetView,
    ShippedView, TargetView, TestStep, TestView,
};
use identity::Actor;
use kernel::{Outcome, Timestamp};
use recovery::{DrillReport, KeepRule, Reason, TargetShipped};
use std::sync::Arc;
use store::{BackupRow, DrillRow};

/// Sets that are shown: some years of nightly ones, as many as a plan keeps and more.
const SETS_SHOWN: usize = 1_000;
/// Drills that are shown.
const DRILLS_SHOWN: usize = 100;
const HOUR_SECONDS: i64 = 3_600;

/// The keeper and the thread that works for it.
pub(super) struct BackupDesk {
    keeper: Arc<Keeper>,
    bench: Bench,
}

impl BackupDesk {
    pub(super) fn new(keeper: Arc<Keeper>, bench: Bench) -> Self {
        Self { keeper, bench }
    }
}

impl Backups for BackupDesk {
    fn show(&self) -> Outcome<BackupsView> {
        let keeper = &self.keeper;
        let look = || {
            let (plans, rows, late) = (keeper.plan()?, keeper.sets()?, keeper.targets_late()?);
            Ok::<_, crate::cli::failure::Failure>((plans, rows, late, keeper.drills()?))
        };
        let (plans, rows, late, drills) = look().map_err(|failure| failure.fault())?;
        let config = keeper.config();
        let targets = keeper.target_places().into_iter();
        let shipped = keeper.shipped();
        let target = |(name, place): (String, String)| TargetView {
            late: late.contains(&name),
            shipped: shipped.iter().find(|one| one.target == name).map(shipped_of),
            name,
            place,
        };
        let targets = targets.map(target).collect();
        Ok(BackupsView {
            schedule: config.schedule.as_ref().map(ToString::to_string),
            drill: config.drill.as_ref().filter(|_| config.own_key).map(ToString::to_string),
            next_at: keeper.next_set(),
            own_key: config.own_key,
            recipients: config.recipients.len(),
            keep: KeepView {
                daily: config.policy.daily,
                weekly: config.policy.weekly,
                monthly: config.policy.monthly,
                yearly: config.policy.yearly,
                at_least: config.policy.floor,
                delay_hours: config.policy.delay_seconds / HOUR_SECONDS,
            },
            steady: plans.values().all(|(_, steady)| *steady),
            targets,
            sets: rows.iter().take(SETS_SHOWN).map(|row| self.line(row, &plans)).collect(),
            drills: drills.iter().take(DRILLS_SHOWN).map(drill_of).collect(),
            window_days: config.ship.as_ref().filter(|_| !shipped.is_empty()).map(|ship| ship.window_days),
            running: self.bench.running(),
        })
    }

    fn set(&self, sequence: u64, target: &str) -> Outcome<SetView> {
        let keeper = &self.keeper;
        let look = || {
            let row = keeper.set(sequence, target)?;
            let (place, manifest) = keeper.manifest(&row)?;
            Ok::<_, crate::cli::failure::Failure>((keeper.plan()?, row, place, manifest, keeper.facts()?))
        };
        let (plans, row, place, manifest, facts) = look().map_err(|failure| failure.fault())?;
        let now = |table: &str| facts.tables.iter().find(|now| now.table == table).map_or(0, |now| now.rows);
        let files = manifest.files.iter();
        Ok(SetView {
            line: self.line(&row, &plans),
            folder: keeper.is_folder(target),
            place,
            made_by: manifest.made_by.clone(),
            holds_bytes: manifest.holds_bytes(),
            files: files
                .map(|file| SetFile { name: file.name.clone(), bytes: file.bytes, sha256: file.sha256.clone() })
                .collect(),
            tables: manifest
                .tables()
                .map(|(table, then)| SetTable { table: table.to_owned(), then, now: now(table) })
                .collect(),
            log_then: manifest.log_rows(),
            log_now: facts.log_rows,
        })
    }

    fn begin(&self, by: &Arc<Actor>, order: BackupOrder) -> Outcome<()> {
        self.keeper.can(&order).map_err(|failure| failure.fault())?;
        self.bench.ask(by, order)
    }

    fn stop(&self) -> bool {
        self.bench.stop()
    }

    fn test(&self, target: &str) -> Outcome<TestView> {
        let steps = self.keeper.try_out(target).map_err(|failure| failure.fault())?;
        let told = |step: &recovery::TargetStep| TestStep {
            step: step.step,
            ok: step.is_well(),
            detail: step.outcome.as_ref().err().map(ToString::to_string),
        };
        let ok = steps.iter().all(recovery::TargetStep::is_well);
        Ok(TestView { target: target.to_owned(), ok, steps: steps.iter().map(told).collect() })
    }

    fn pin(&self, by: &Actor, sequence: u64, target: &str, pinned: bool) -> Outcome<()> {
        self.keeper.pin(by, sequence, target, pinned).map_err(|failure| failure.fault())
    }
}

impl BackupDesk {
    fn line(&self, row: &BackupRow, plans: &Plans) -> SetLine {
        let decisions = plans.get(&row.target).filter(|_| row.state == "verified").map(|(decisions, _)| decisions);
        let decision = decisions.and_then(|all| all.iter().find(|one| one.sequence == row.sequence));
        let delay = self.keeper.config().policy.delay_seconds;
        let goes =
            |marked: Timestamp| decision.filter(|one| one.rule != KeepRule::Keep).map(|_| marked.plus_seconds(delay));
        SetLine {
            sequence: row.sequence,
            target: row.target.clone(),
            name: row.name.clone(),
            state: row.state.clone(),
            made_at: row.made_at,
            bytes: row.bytes,
            verified_at: row.verified_at,
            proven_at: row.proven_at,
            pinned: row.pinned,
            detail: row.detail.clone(),
            plan: decision.map(|one| rule_word(one.rule)),
            reason: decision.map(|one| reason_word(one.reason)),
            goes_at: row.marked_at.and_then(goes),
        }
    }
}

fn shipped_of(shipped: &TargetShipped) -> ShippedView {
    ShippedView { sync: shipped.sync, rpo_seconds: shipped.rpo_seconds, trouble: shipped.trouble.clone() }
}

fn rule_word(rule: KeepRule) -> &'static str {
    match rule {
        KeepRule::Keep => "keep",
        KeepRule::Mark => "mark",
        KeepRule::Remove => "remove",
    }
}

fn reason_word(reason: Reason) -> &'static str {
    match reason {
        Reason::Pinned => "pinned",
        Reason::Newest => "newest",
        Reason::Daily => "daily",
        Reason::Weekly => "weekly",
        Reason::Monthly => "monthly",
        Reason::Yearly => "yearly",
        Reason::Floor => "floor",
        Reason::OnlyHope => "only_hope",
        Reason::Replaced => "replaced",
        Reason::NeverVerified => "never_verified",
    }
}

fn drill_of(row: &DrillRow) -> DrillView {
    let report: Option<DrillReport> = serde_json::from_str(&row.report).ok();
    let checks = report.map(|report| report.checks).unwrap_or_default().into_iter();
    let check =
        |one: recovery::Drilled| DrillCheck { check: one.check, ok: one.ok, detail: one.detail, millis: one.millis };
    DrillView {
        at: row.at,
        sequence: row.sequence,
        target: row.target.clone(),
        ok: row.ok,
        millis: row.millis,
        checks: checks.map(check).collect(),
    }
}
