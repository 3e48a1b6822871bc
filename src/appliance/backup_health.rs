//! Whether the backups are well: a set on every target in time, and the last drill good. It looks and tells.

use crate::appliance::health::check;
use crate::config::BackupConfig;
use api::Check;
use kernel::Timestamp;
use recovery::{ShipStatus, TargetShipped};
use store::Store;

/// How late a set may be before somebody is told: what was missed at night is made up for by then.
pub(super) const LATE_SECONDS: i64 = 6 * 3600;
/// Rows of sets that are looked at.
const SETS_MAX: usize = 500;
/// How far behind a target may be before somebody is told.
const SHIPPED_LATE_SECONDS: u64 = 60;
const HOUR_MICROS: i64 = 3600 * 1_000_000;

/// What is wrong with shipping, if something is.
fn shipped_badly(shipping: &ShipStatus, now: Timestamp) -> Option<Check> {
    if let Some(fault) = shipping.fence_fault() {
        return Some(check("backup", false, "backup_fenced", [], fault.detail));
    }
    let late = |target: &TargetShipped| {
        target.trouble.is_some() || (!target.sync && target.rpo_seconds > SHIPPED_LATE_SECONDS)
    };
    let target = shipping.targets(now).into_iter().find(late)?;
    let why = target.trouble.map_or_else(String::new, |trouble| format!(" ({trouble})"));
    let told = format!(
        "What was committed in the last {} seconds is not on {}{why}. Look at that target; it is tried again by itself.",
        target.rpo_seconds, target.target
    );
    Some(check("backup", false, "backup_behind", [("rpo_seconds", target.rpo_seconds)], told))
}

/// The check. A demonstration has nothing to lose, so that it has no backups is well.
pub(super) fn backup_check(
    config: &BackupConfig,
    store: &Store,
    shipping: Option<&ShipStatus>,
    demonstration: bool,
) -> Check {
    if let Some(told) = shipping.and_then(|shipping| shipped_badly(shipping, store.clock().now())) {
        return told;
    }
    // Whatever else is well: who archives the server's log relies on it.
    if store.read(|tx| tx.archiver()).wait().ok().flatten().is_some_and(|archiver| archiver.is_failing()) {
        let told =
            "PostgreSQL could NOT archive its log (pg_stat_archiver). Look at archive_command and the disk there.";
        return check("backup", false, "backup_archive", [], told.to_owned());
    }
    let Some(schedule) = config.schedule.as_ref().filter(|_| !config.targets.is_empty()) else {
        let told = "None are made: name a target under [backup.targets] in kontor.toml.".to_owned();
        return check("backup", demonstration, "backup_none", [], told);
    };
    let Ok((rows, drills)) = store.read(|tx| Ok((tx.backups(SETS_MAX)?, tx.drills(1)?))).wait() else {
        return check("backup", false, "backup_unknown", [], "Unknown while the database does not answer.".to_owned());
    };
    let now = store.clock().now();
    let hours = |at: Timestamp| u64::try_from(now.micros().saturating_sub(at.micros()) / HOUR_MICROS).unwrap_or(0);
    let newest =
        |target: &str| rows.iter().find(|row| row.target == target && row.state == "verified").map(|row| row.made_at);
    let late = |name: &str| schedule.is_due(newest(name), now.plus_seconds(-LATE_SECONDS));
    let late: Vec<&str> = config.targets.iter().map(|(name, _)| name.as_str()).filter(|name| late(name)).collect();
    if !late.is_empty() {
        let told =
            format!("No set in time on {}. Look with `kontor backup list`, and at the disk there.", late.join(", "));
        return check("backup", false, "backup_late", [("targets", late.len() as u64)], told);
    }
    if drills.first().is_some_and(|drill| !drill.ok) {
        let told = "The last set could NOT be restored. Make a new one (`kontor backup run`) and prove it (`kontor backup drill`).";
        return check("backup", false, "backup_failed", [], told.to_owned());
    }
    let last = rows.iter().find(|row| row.state == "verified").map_or(0, |row| hours(row.made_at));
    match rows.iter().filter_map(|row| row.proven_at).max() {
        Some(proven) => {
            let proven = hours(proven);
            let told = format!("Last set {last} hours ago; last proven restore {proven} hours ago.");
            let Some(shipping) = shipping else {
                return check("backup", true, "backup_good", [("hours", last), ("proven_hours", proven)], told);
            };
            let rpo = shipping.targets(now).iter().map(|target| target.rpo_seconds).max().unwrap_or(0);
            let figures = [("hours", last), ("proven_hours", proven), ("rpo_seconds", rpo)];
            let told = format!("{told} If this machine were lost now, {rpo} seconds of work would be.");
            check("backup", true, "backup_shipped", figures, told)
        }
        None => {
            let told = format!("Last set {last} hours ago; none was proven yet.");
            check("backup", true, "backup_new", [("hours", last)], told)
        }
    }
}
