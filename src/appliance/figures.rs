//! Figures of an appliance for a monitoring system: the process, the checks of the health page, backups. Whoever shows the token of the
//! configuration sees them. No record, no person, no address of anybody.

use crate::appliance::health::{ApplianceHealth, checks_beside};
use crate::appliance::{Appliance, Desk, Gate, Keeper, layout, read_small};
use crate::cli::failure::Failure;
use api::{Check, Exposition, Health, Metrics};
use kernel::{Timestamp, limits};
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Characters of a token, at least.
const TOKEN_CHARS_MIN: usize = 32;
/// Ticks of a second in /proc: the same on every Linux that this runs on.
const TICKS: f64 = 100.0;

/// What is told of an open appliance.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) health: Arc<ApplianceHealth>,
    pub(super) keeper: Arc<Keeper>,
}

impl Metrics for Gate {
    fn admits(&self, token: &str) -> Option<bool> {
        let file = self.config().metrics_token_file?;
        let read = layout::require_private(&file).and_then(|()| read_small(&file, limits::CONFIG_BYTES_MAX));
        let known = Zeroizing::new(read.inspect_err(|failure| tracing::warn!(told = failure.text(), "metrics")).ok()?);
        let known = known.trim().as_bytes();
        if known.len() < TOKEN_CHARS_MIN {
            tracing::warn!("the token of metrics is too short; nothing is told");
            return None;
        }
        // Every byte is looked at, so that the time says nothing.
        let differs = known.iter().zip(token.as_bytes()).fold(0u8, |differs, (a, b)| differs | (a ^ b));
        Some(known.len() == token.len() && differs == 0)
    }

    fn tell(&self, page: &mut Exposition) {
        page.family("kontor_build_info", "gauge", "The version that runs.");
        page.sample("kontor_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        let told = self.told();
        page.one("kontor_open", "gauge", "1 while the appliance is open, 0 while it is sealed.", flag(told.is_some()));
        if let Some(long) = self.standstill() {
            let help = "Seconds since what keeps the log going last went round.";
            page.one("kontor_standstill_seconds", "gauge", help, long.as_secs_f64());
        }
        process(page);
        let Some(Told { health, keeper }) = told else { return };
        checks(&health.checks(), page);
        backups(&keeper, page);
    }
}

/// The figures that can be seen beside the server: those of checks and of backups.
pub(crate) fn figures_beside(appliance: &Appliance, desk: &Desk) -> Result<String, Failure> {
    let mut page = Exposition::default();
    checks(&checks_beside(appliance, &desk.store)?, &mut page);
    backups(&desk.keeper(appliance)?, &mut page);
    Ok(page.into_text())
}

fn flag(is: bool) -> f64 {
    if is { 1.0 } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "the format has floats")]
fn float(number: u64) -> f64 {
    number as f64
}

fn seconds(at: Timestamp) -> f64 {
    float(u64::try_from(at.micros()).unwrap_or(0)) / 1_000_000.0
}

/// Under the names that exporters of processes use.
fn process(page: &mut Exposition) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold spaces; the rest begins behind it, with the third field.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let help = "Seconds of processor time that were used.";
    page.one("process_cpu_seconds_total", "counter", help, float(field(14) + field(15)) / TICKS);
    page.one("process_threads", "gauge", "Threads.", float(field(20)));
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).map(|rest| rest.trim_end_matches("kB"));
    let resident = resident.and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0);
    page.one("process_resident_memory_bytes", "gauge", "Memory that is in use.", float(resident * 1024));
    let files = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    page.one("process_open_fds", "gauge", "Open files and connections.", float(files as u64));
}

fn checks(checks: &[Check], page: &mut Exposition) {
    page.family("kontor_check_ok", "gauge", "1 where a check of the health page is well; state says how it is.");
    for check in checks {
        page.sample("kontor_check_ok", &[("check", check.name), ("state", check.state)], flag(check.ok));
    }
    let named = [
        ("disk", "free_bytes", "kontor_disk_free_bytes", "Free space on the disk of the appliance."),
        ("certificate", "days", "kontor_certificate_days", "Days until the certificate ends."),
        ("audit_log", "rows", "kontor_audit_entries", "Entries of the audit log."),
        (
            "audit_log",
            "sealed",
            "kontor_audit_entries_sealed",
            "Entries of the audit log that are under the checkpoint.",
        ),
        ("audit_log", "waiting", "kontor_audit_entries_stuck", "Entries that wait to be sealed while none is."),
        ("mail", "waiting", "kontor_mail_waiting", "Letters that the relay has not taken."),
    ];
    for (check, figure, name, help) in named {
        let found = checks.iter().find(|one| one.name == check).and_then(|one| one.figures.get(figure));
        if let Some(value) = found {
            page.one(name, "gauge", help, float(*value));
        }
    }
}

fn backups(keeper: &Keeper, page: &mut Exposition) {
    let Ok(sets) = keeper.sets() else { return };
    let mut newest = BTreeMap::new();
    for name in keeper.target_names() {
        let whole = sets.iter().find(|row| row.target == name && row.state == "verified" && row.verified_at.is_some());
        newest.insert(name, whole);
    }
    page.family(
        "kontor_backup_newest_timestamp_seconds",
        "gauge",
        "When the newest verified set was made; 0 without one.",
    );
    for (name, row) in &newest {
        let at = row.map_or(0.0, |row| seconds(row.made_at));
        page.sample("kontor_backup_newest_timestamp_seconds", &[("target", name)], at);
    }
    page.family("kontor_backup_newest_bytes", "gauge", "How large the newest verified set is.");
    for (name, row) in &newest {
        page.sample("kontor_backup_newest_bytes", &[("target", name)], float(row.map_or(0, |row| row.bytes)));
    }
    let proven =
        sets.iter().filter(|row| row.proven_at.is_some() && row.state == "verified").map(|row| row.made_at).max();
    let help = "When the newest set was made that a drill has restored; 0 without one.";
    page.one("kontor_backup_proven_timestamp_seconds", "gauge", help, proven.map_or(0.0, seconds));
    let shipped = keeper.shipped();
    if !shipped.is_empty() {
        page.family(
            "kontor_ship_lag_seconds",
            "gauge",
            "Seconds of work that would be lost if this target alone were left.",
        );
        for target in shipped {
            page.sample("kontor_ship_lag_seconds", &[("target", &target.target)], float(target.rpo_seconds));
        }
    }
}
