//! The database, the log and what is remembered of backups, looked at without a key and without a lock.

use super::{Findings, Patient};
use crate::appliance::{Appliance, proven_too_old};
use crate::config::TargetConfig;
use store::{BackupRow, DatabaseLook, Depth, Store};

/// Sets that are looked at.
const ROWS_MAX: usize = 1_000;
/// The oldest PostgreSQL, as its number says it.
const POSTGRES_MIN: u64 = 150_000;
/// Of a hundred connections.
const CONNECTIONS_MAX: u64 = 80;
const SKEW_MICROS_MAX: i64 = 2_000_000;
/// How long a set may be overdue.
const LATE_SECONDS: i64 = 2 * 3_600;
/// How deep the log is looked at: tiles and signature; with everything else when asked for.
const DEPTH: Depth = Depth(2);
const DEPTH_DEEP: Depth = Depth(4);

pub(super) fn look(patient: &Patient<'_>, appliance: &Appliance, findings: &mut Findings) {
    let config = match appliance.store_config() {
        Ok(config) => config,
        Err(failure) => return findings.add("database_unreadable", failure.what()),
    };
    let seen = match Store::look_at(&config.engine, ROWS_MAX, patient.deep) {
        Ok(seen) => seen,
        Err(error) => return findings.add("database_unreadable", error.to_string()),
    };
    if patient.embedded() {
        embedded(&seen, findings)
    } else {
        server(patient, &seen, findings)
    }
    log(patient, appliance, &config, findings);
    backups(patient, &seen, findings);
}

fn embedded(seen: &DatabaseLook, findings: &mut Findings) {
    let setting = |name: &str| seen.settings.get(name).map_or("", String::as_str);
    match &seen.damage {
        Some(lines) if !lines.is_empty() => findings.add("database_damaged", lines.join("; ")),
        Some(_) => findings.well("Every page of the database is whole."),
        None => findings.well(format!("The database answers (SQLite {}).", setting("version"))),
    }
    let figure = |name: &str| setting(name).parse::<u64>().unwrap_or(0);
    let (pages, free) = (figure("pages"), figure("pages_free"));
    if pages > 0 && free.saturating_mul(2) > pages && free.saturating_mul(figure("page_bytes")) > 1 << 30 {
        findings.add("database_empty_pages", format!("{free} of {pages} pages are empty"));
    }
}

fn server(patient: &Patient<'_>, seen: &DatabaseLook, findings: &mut Findings) {
    let setting = |name: &str| seen.settings.get(name).map_or("", String::as_str);
    let figure = |name: &str| setting(name).parse::<u64>().unwrap_or(0);
    findings.well(format!("The database answers (PostgreSQL {}).", setting("server_version")));
    if figure("server_version_num") < POSTGRES_MIN {
        findings.add("postgres_old", setting("server_version"));
    }
    for (name, id) in [("fsync", "postgres_fsync"), ("full_page_writes", "postgres_full_page_writes")] {
        if setting(name) != "on" {
            findings.add(id, format!("{name} = {}", setting(name)));
        }
    }
    if setting("synchronous_commit") == "off" {
        findings.add("postgres_synchronous_commit", "synchronous_commit = off");
    }
    if setting("data_checksums") == "off" {
        findings.add("postgres_checksums", "data_checksums = off");
    }
    let (used, most) = (figure("connections"), figure("max_connections"));
    if most > 0 && used.saturating_mul(100) / most > CONNECTIONS_MAX {
        findings.add("postgres_connections", format!("{used} of {most}"));
    }
    if setting("encrypted") != "true" {
        findings.add("postgres_plain", "the connection is not encrypted");
    }
    let skew = seen.now.map(|now| now.micros().saturating_sub(patient.clock.now().micros()));
    match skew {
        Some(skew) if skew.abs() > SKEW_MICROS_MAX => {
            findings.add("clock_skew", format!("{} s", skew / 1_000_000));
        }
        _ => findings.well("The clocks of this machine and of the database server agree."),
    }
}

fn log(patient: &Patient<'_>, appliance: &Appliance, config: &store::StoreConfig, findings: &mut Findings) {
    let key = match appliance.verifier_key() {
        Ok(key) => key,
        Err(failure) => return findings.add("log_unverified", failure.what()),
    };
    let depth = if patient.deep { DEPTH_DEEP } else { DEPTH };
    match Store::verify_log(config, &key, None, depth) {
        Ok(report) if report.ok => findings.well(format!("The audit log is sound (level {}).", depth.0)),
        Ok(report) => findings.add("log_broken", format!("{} findings at level {}", report.findings.len(), depth.0)),
        Err(error) => findings.add("log_unverified", error.to_string()),
    }
}

fn backups(patient: &Patient<'_>, seen: &DatabaseLook, findings: &mut Findings) {
    let (config, now) = (&patient.config.backup, patient.clock.now());
    if config.targets.is_empty() || config.schedule.is_none() {
        return findings.add("backup_none", "no schedule or no target");
    }
    let newest = |name: &str| {
        let whole = |row: &&BackupRow| row.target == name && row.verified_at.is_some() && row.state == "verified";
        seen.backups.iter().find(whole)
    };
    for (name, target) in &config.targets {
        let last = newest(name);
        let since = last.map(|row| row.made_at);
        let due = config.schedule.as_ref().is_some_and(|at| at.is_due(since, now.plus_seconds(-LATE_SECONDS)));
        match last {
            Some(row) if !due => findings.well(format!("Target {name}: newest set of {}.", row.made_at)),
            Some(row) => findings.add("backup_late", format!("target {name}: newest set of {}", row.made_at)),
            None => findings.add("backup_late", format!("target {name}: no set yet")),
        }
        let TargetConfig::Folder(folder) = target else { continue };
        match rustix::fs::statvfs(folder) {
            Err(error) => findings.add("backup_target_away", format!("target {name}: {error}")),
            Ok(disk) => {
                let free = disk.f_bavail.saturating_mul(disk.f_frsize);
                let needed = last.map_or(0, |row| row.bytes.saturating_add(row.bytes / 5));
                if free < needed {
                    findings.add("backup_room", format!("target {name}: {} MiB free", free >> 20));
                }
            }
        }
    }
    if let Some(hours) = proven_too_old(config, &seen.backups, now) {
        findings.add("backup_unproven", format!("{hours} h"));
    }
    if seen.drills.first().is_some_and(|drill| !drill.ok) {
        findings.add("drill_failed", "the last drill");
    }
}
