//! The section `[backup.ship]`: where commits go as they are made, and what happens when they cannot.

use super::{Section, TargetConfig};
use config::Value;
use std::collections::BTreeMap;

/// Largest journal that may wait for a target: 1 TiB.
const SPOOL_MIB_MAX: u64 = 1024 * 1024;
const SPOOL_MIB: u64 = 1024;
/// Longest time to which one can go back, in days.
const WINDOW_DAYS_MAX: u64 = 3_650;
const WINDOW_DAYS: u64 = 7;

/// Where commits go as they are made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ShipConfig {
    /// The target that every answer waits for, a folder.
    pub(crate) sync: Option<String>,
    /// Targets that get everything within a second.
    pub(crate) also: Vec<String>,
    /// Whether nothing is written while the first cannot be.
    pub(crate) strict: bool,
    /// Bytes that may wait for a target.
    pub(crate) spool_bytes: u64,
    /// To how many days back one can go to any second.
    pub(crate) window_days: u64,
}

impl ShipConfig {
    /// Whether commits go there.
    pub(crate) fn names(&self, target: &str) -> bool {
        self.sync.as_deref() == Some(target) || self.also.iter().any(|name| name == target)
    }
}

/// The section, if it names a target.
pub(super) fn ship_of(
    above: &mut Section<'_>,
    values: BTreeMap<String, Value>,
    targets: &[(String, TargetConfig)],
) -> Option<ShipConfig> {
    let mut section = Section { name: "backup.ship", values, problems: &mut *above.problems };
    let sync = section.text("sync").filter(|name| !name.is_empty());
    let also = section.texts("also").unwrap_or_default();
    for (key, name) in sync.iter().map(|name| ("sync", name)).chain(also.iter().map(|name| ("also", name))) {
        match targets.iter().find(|(target, _)| target == name) {
            None => section.problem(key, format!("{name:?} is no name under [backup.targets].")),
            Some((_, TargetConfig::S3(_) | TargetConfig::Sftp(_))) if key == "sync" => {
                let what = "every answer waits for it, so it has to be a folder; this one can stand in also.";
                section.problem(key, format!("{name:?}: {what}"));
            }
            Some(_) => {}
        }
    }
    if sync.as_ref().is_some_and(|sync| also.contains(sync)) {
        section.problem("also", "a target is named once: in sync or in also.".to_owned());
    }
    let strict = section.flag("strict").unwrap_or(false);
    if strict && sync.is_none() {
        section.problem(
            "strict",
            "without sync there is nothing that answers could wait for; set it to false.".to_owned(),
        );
    }
    let spool_mib = section.number("spool_mib", SPOOL_MIB_MAX).unwrap_or(SPOOL_MIB);
    let window_days = section.number("window_days", WINDOW_DAYS_MAX).unwrap_or(WINDOW_DAYS);
    if spool_mib < 64 {
        section.problem("spool_mib", "write at least 64.".to_owned());
    }
    section.close();
    let configured = sync.is_some() || !also.is_empty();
    configured.then_some(ShipConfig { sync, also, strict, spool_bytes: spool_mib * 1024 * 1024, window_days })
}
