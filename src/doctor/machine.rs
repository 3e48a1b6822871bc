//! The machine below: clock, memory, swap.

use super::{Findings, Patient};
use std::fs;
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

/// Seconds that a file may seem to be of the future: clocks of mounts differ.
const AHEAD_SECONDS: u64 = 120;
const MEMORY_KIB_MIN: u64 = 256 * 1024;
const MEMORY_TOTAL_KIB_MIN: u64 = 1_800 * 1024;

pub(super) fn look(patient: &Patient<'_>, findings: &mut Findings) {
    clock(patient, findings);
    memory(findings);
    swap(findings);
}

fn clock(patient: &Patient<'_>, findings: &mut Findings) {
    let now = u64::try_from(patient.clock.now().micros() / 1_000_000).unwrap_or(0);
    let newest = [patient.layout.database(), patient.layout.log().join("checkpoint"), patient.layout.config()];
    let changed = newest.iter().filter_map(|path| fs::metadata(path).ok()?.modified().ok());
    let newest = changed.filter_map(|at| at.duration_since(UNIX_EPOCH).ok()).map(|at| at.as_secs()).max().unwrap_or(0);
    if newest > now.saturating_add(AHEAD_SECONDS) {
        findings.add("clock_behind", format!("the newest file was written {} s after now", newest - now));
    }
    match synchronised() {
        Some(true) => findings.well("The clock is synchronised."),
        Some(false) => findings.add("clock_unsynchronised", "no time source is in use"),
        None => findings.add("clock_unknown", "neither systemd nor chrony says"),
    }
}

/// Whether the clock follows a time source, as far as the system says.
fn synchronised() -> Option<bool> {
    let told = Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    match told.ok().filter(|told| told.status.success()).as_ref().map(|told| told.stdout.trim_ascii()) {
        Some(b"yes") => return Some(true),
        Some(b"no") => return Some(false),
        _ => {}
    }
    fs::exists("/run/systemd/timesync/synchronized").ok().filter(|there| *there)
}

/// A figure of a file of the kernel such as /proc/meminfo, in KiB.
fn figure(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

fn memory(findings: &mut Findings) {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let (Some(total), Some(free)) = (figure(&text, "MemTotal"), figure(&text, "MemAvailable")) else { return };
    let told = format!("{} MiB of memory, {} MiB available", total / 1024, free / 1024);
    if total < MEMORY_TOTAL_KIB_MIN || free < MEMORY_KIB_MIN {
        findings.add("memory_low", told);
    } else {
        findings.well(format!("{told}."));
    }
}

/// What is swapped out lies on a disk in clear, unless that is encrypted.
fn swap(findings: &mut Findings) {
    let text = fs::read_to_string("/proc/swaps").unwrap_or_default();
    let areas: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    let plain: Vec<&str> = areas
        .into_iter()
        .filter(|area| !area.starts_with("/dev/zram") && !area.starts_with("/dev/dm-") && !area.contains("mapper"))
        .collect();
    if plain.is_empty() {
        findings.well("Nothing is swapped to a plain disk.");
    } else {
        findings.add("swap_plain", plain.join(", "));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn figures_of_the_kernel() {
        let text = "MemTotal:       24592912 kB\nMemAvailable:   20 kB\n";
        assert_eq!(super::figure(text, "MemAvailable"), Some(20));
        assert_eq!(super::figure(text, "Mem"), None);
    }
}
