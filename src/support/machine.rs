//! The machine and the service for a support bundle: figures of the kernel, versions of what lies below, how systemd sees the unit,
//! and the last lines of the journal. It names no host and no account.

use super::scrub::Scrub;
use crate::appliance::Layout;
use kernel::Timestamp;
use serde_json::{Map, Value as Json, json};
use std::fs;
use std::process::{Command, Stdio};

/// What of a unit is told: states, counts and times.
const PROPERTIES: [&str; 12] = [
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "NRestarts",
    "ExecMainStatus",
    "ExecMainCode",
    "ActiveEnterTimestampMonotonic",
    "MemoryCurrent",
    "MemoryPeak",
    "CPUUsageNSec",
    "TasksCurrent",
];
/// Characters of a line of the journal.
const LINE_CHARS_MAX: usize = 2_000;

/// What a program says; `None` where it is not there or fails.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let ran = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    ran.status.success().then(|| String::from_utf8_lossy(&ran.stdout).into_owned())
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Only what a version can look like: a distribution may write anything into such a file.
fn version(text: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || " .-+_~#:".contains(*c);
    text.trim().chars().take_while(plain).take(80).collect::<String>().trim_end().to_owned()
}

/// Kernel, memory, processors, disk, C library, systemd.
pub(super) fn facts(layout: &Layout) -> Json {
    let memory = read("/proc/meminfo");
    let kib = |name: &str| {
        let line = memory.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let release = read("/etc/os-release");
    let of_release = |name: &str| {
        let found = release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        found.map(|text| version(text.trim_matches('"')))
    };
    let disk = rustix::fs::statvfs(layout.dir()).ok().map(|disk| {
        json!({"bytes": disk.f_blocks.saturating_mul(disk.f_frsize), "bytes_free": disk.f_bavail.saturating_mul(disk.f_frsize),
            "inodes": disk.f_files, "inodes_free": disk.f_favail})
    });
    let kind = rustix::fs::statfs(layout.dir()).ok().map(|found| format!("{:#x}", found.f_type));
    let library = said("getconf", &["GNU_LIBC_VERSION"]).map(|text| version(&text));
    let systemd = said("systemctl", &["--version"]);
    let systemd = systemd.and_then(|text| text.lines().next().map(version));
    json!({
        "architecture": std::env::consts::ARCH,
        "kernel": version(&read("/proc/sys/kernel/osrelease")),
        "distribution": of_release("ID"),
        "distribution_version": of_release("VERSION_ID"),
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "load": read("/proc/loadavg").split_whitespace().take(3).collect::<Vec<_>>(),
        "uptime_seconds": read("/proc/uptime").split('.').next().and_then(|text| text.parse::<u64>().ok()),
        "memory_kib": kib("MemTotal"),
        "memory_available_kib": kib("MemAvailable"),
        "swap_kib": kib("SwapTotal"),
        "swap_free_kib": kib("SwapFree"),
        "disk": disk,
        "file_system_number": kind,
        "c_library": library,
        "systemd": systemd,
    })
}

/// States of the unit.
pub(super) fn service(unit: &str) -> Json {
    let names = PROPERTIES.join(",");
    let Some(told) = said("systemctl", &["show", unit, "--property", &names]) else {
        return json!({"left_out": "systemd does not answer"});
    };
    let lines = told.lines().filter_map(|line| line.split_once('='));
    let known = lines.filter(|(name, _)| PROPERTIES.contains(name));
    json!(known.map(|(name, value)| (name.to_owned(), json!(version(value)))).collect::<Map<_, _>>())
}

/// The last lines of the unit: time, level and text, without the name of the machine.
pub(super) fn journal(unit: &str, lines: u32, scrub: &Scrub) -> String {
    let count = lines.to_string();
    let asked = ["--unit", unit, "--lines", &count, "--output", "json", "--no-pager", "--quiet"];
    let Some(told) = said("journalctl", &asked) else {
        return "left out: there is no journal, or this account may not read it (group systemd-journal)\n".to_owned();
    };
    let text: String = told.lines().filter_map(|line| line_of(line, scrub)).collect();
    if text.is_empty() { "no lines: the unit has another name (--unit), or says nothing\n".to_owned() } else { text }
}

fn line_of(line: &str, scrub: &Scrub) -> Option<String> {
    let entry: Json = serde_json::from_str(line).ok()?;
    let text = |name: &str| entry.get(name).and_then(Json::as_str);
    let at = Timestamp::from_micros(text("__REALTIME_TIMESTAMP")?.parse().ok()?);
    let level = match text("PRIORITY") {
        Some("0" | "1" | "2" | "3") => "error",
        Some("4") => "warning",
        Some("7") => "debug",
        _ => "info",
    };
    let message: String = text("MESSAGE")?.chars().take(LINE_CHARS_MAX).collect();
    Some(format!("{at} {level:<7} {}\n", scrub.text(&message).replace('\n', " ")))
}
