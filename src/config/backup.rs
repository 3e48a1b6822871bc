//! The section `[backup]`: when sets are made and proven, where they go, who opens them, how long they stay.

use super::Section;
use super::ship::{ShipConfig, ship_of};
use super::targets::{TargetConfig, targets_of};
use crate::appliance::Layout;
use recovery::Policy;
use std::str::FromStr;
use vault::ArchiveRecipient;

/// Most further keys.
const LIST_MAX: usize = 16;
/// Largest number of sets of a kind.
const KEEP_MAX: u64 = 1_000;

/// Two nights: a night that failed is made up for in the next.
const PROVEN_MAX_HOURS: u64 = 48;

/// When sets are made, where they go, and how long they stay.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BackupConfig {
    /// When a set is made; `None` never by itself.
    pub(crate) schedule: Option<Schedule>,
    /// When the newest set is proven.
    pub(crate) drill: Option<Schedule>,
    /// Hours that the newest proven set may be old before somebody is told.
    pub(crate) proven_hours_max: Option<u64>,
    /// Whether the unseal secret of the appliance opens its sets.
    pub(crate) own_key: bool,
    /// Who else opens them.
    pub(crate) recipients: Vec<ArchiveRecipient>,
    /// How long they stay.
    pub(crate) policy: Policy,
    /// Bytes a second, at most.
    pub(crate) bytes_per_second: Option<u64>,
    /// Where they go, by name.
    pub(crate) targets: Vec<(String, TargetConfig)>,
    /// Where commits go as they are made.
    pub(crate) ship: Option<ShipConfig>,
}

/// Times that come again and again, in the words of cron.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Schedule(croner::Cron);

impl std::fmt::Display for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl Schedule {
    /// The schedule that a text says.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        croner::Cron::from_str(text).ok().map(Self)
    }
    /// Whether a time of it lies after `last` and not after `now`: what was missed is due until it was made up for.
    pub(crate) fn is_due(&self, last: Option<kernel::Timestamp>, now: kernel::Timestamp) -> bool {
        let previous = self.0.find_previous_occurrence(&now.to_datetime(), true);
        previous.is_ok_and(|previous| last.is_none_or(|last| previous.timestamp_micros() > last.micros()))
    }
    /// Its next time after `now`.
    pub(crate) fn next(&self, now: kernel::Timestamp) -> Option<kernel::Timestamp> {
        let next = self.0.find_next_occurrence(&now.to_datetime(), false).ok()?;
        Some(kernel::Timestamp::from_micros(next.timestamp_micros()))
    }
}

pub(super) fn backup_of(mut section: Section<'_>, layout: &Layout) -> BackupConfig {
    let schedule = schedule_of(&mut section, "schedule", "15 2 * * *");
    let drill = schedule_of(&mut section, "drill", "45 3 * * *");
    let proven_hours_max = section.number("proven_max_hours", 24 * 365).unwrap_or(PROVEN_MAX_HOURS);
    let proven_hours_max = Some(proven_hours_max).filter(|hours| *hours > 0);
    let own_key = section.flag("own_key").unwrap_or(true);
    let recipients = recipients_of(&mut section);
    let policy = policy_of(&mut section);
    let rate = section.number("mib_per_second", 100_000).filter(|rate| *rate > 0);
    let targets = targets_of(&mut section, layout);
    let shipped = section.section("ship");
    let ship = ship_of(&mut section, shipped, &targets);
    if !own_key && recipients.is_empty() && !targets.is_empty() {
        section
            .problem("recipients", "with own_key = false somebody else has to open the sets: name a key.".to_owned());
    }
    section.close();
    let bytes_per_second = rate.map(|rate| rate * 1024 * 1024);
    BackupConfig { schedule, drill, proven_hours_max, own_key, recipients, policy, bytes_per_second, targets, ship }
}

/// When something happens; "" never.
pub(super) fn schedule_of(section: &mut Section<'_>, key: &str, usual: &str) -> Option<Schedule> {
    let text = section.text(key).unwrap_or_else(|| usual.to_owned());
    if text.trim().is_empty() {
        return None;
    }
    let parsed = Schedule::parse(&text);
    if parsed.is_none() {
        section.problem(
            key,
            "write five parts as cron has them, such as \"15 2 * * *\" for a quarter past two.".to_owned(),
        );
    }
    parsed
}

fn recipients_of(section: &mut Section<'_>) -> Vec<ArchiveRecipient> {
    let texts = section.texts("recipients").unwrap_or_default();
    if texts.len() > LIST_MAX {
        section.problem("recipients", format!("at most {LIST_MAX} keys."));
    }
    let mut recipients = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        match text.parse() {
            Ok(recipient) => recipients.push(recipient),
            Err(_) => section.problem(
                &format!("recipients[{at}]"),
                "write the public half of a key, age1…, as `age-keygen` prints it.".to_owned(),
            ),
        }
    }
    recipients
}

fn policy_of(section: &mut Section<'_>) -> Policy {
    let usual = Policy::default();
    let mut count = |key: &str, usual: usize| {
        section.number(key, KEEP_MAX).and_then(|number| usize::try_from(number).ok()).unwrap_or(usual)
    };
    let mut policy = Policy {
        daily: count("keep_daily", usual.daily),
        weekly: count("keep_weekly", usual.weekly),
        monthly: count("keep_monthly", usual.monthly),
        yearly: count("keep_yearly", usual.yearly),
        floor: count("keep_at_least", usual.floor),
        ..usual
    };
    if policy.floor == 0 {
        section.problem("keep_at_least", "write at least 1: the last set never goes.".to_owned());
    }
    if let Some(hours) = section.number("delete_after_hours", 24 * 365) {
        policy.delay_seconds = i64::try_from(hours).unwrap_or(72) * 3600;
    }
    policy
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Timestamp;

    #[test]
    fn what_was_missed_is_due_until_it_was_made_up_for() {
        let nightly = Schedule(croner::Cron::from_str("15 2 * * *").unwrap());
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-03-10T09:00:00Z");
        assert!(nightly.is_due(None, now), "there never was one");
        assert!(nightly.is_due(Some(at("2026-03-10T02:14:59Z")), now));
        assert!(!nightly.is_due(Some(at("2026-03-10T02:15:03Z")), now));
        assert!(nightly.is_due(Some(at("2026-03-01T02:15:03Z")), now), "nine were missed; one makes up for them");
        assert_eq!(nightly.next(now), Some(at("2026-03-11T02:15:00Z")));
    }
}
