//! What is wrong, as far as mail tells of it, and when it is told: once when it begins, once when it is over, and not again
//! within a quiet period however often it comes and goes. Pure: it neither looks nor sends.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

/// Alarms that are remembered: each kind for each target, and more.
const KNOWN_MAX: usize = 400;

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// The daily digest.
    Digest,
    /// Alarms about backups.
    Backup,
    /// Alarms about the machine.
    System,
    /// Alarms about the audit log.
    Audit,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// No backups are made at all.
    BackupNone,
    /// No set in time on a target.
    BackupLate,
    /// The last set could not be made on a target.
    BackupUnmade,
    /// The last set could not be restored.
    BackupFailed,
    /// No drill in time.
    DrillLate,
    /// The newest set that was restored is too old; the figure is its age in hours.
    ProvenOld,
    /// Commits do not reach a target; the figure is how many seconds of them.
    BackupBehind,
    /// Another node was promoted: this one takes no writes.
    BackupFenced,
    /// PostgreSQL could not archive its log.
    BackupArchive,
    /// A target does not answer.
    TargetSilent,
    /// Clock and sets disagree about time, so none is removed.
    DeletionStopped,
    /// The database does not answer.
    DatabaseSilent,
    /// Little room is left on the disk; the figure is MiB.
    DiskLow,
    /// The certificate is about to end; the figure is days.
    CertificateEnds,
    /// The certificate of the site has to be renewed; the figure is days.
    CertificateDue,
    /// It was not, and is about to end; the figure is days.
    CertificateSiteEnds,
    /// The checkpoint of the log cannot be read or is not signed by its key.
    LogUnreadable,
    /// Entries of the log wait to be sealed, and none is; the figure is how many.
    LogWaits,
    /// The log, or a record against it, did not verify.
    LogDamaged,
}

impl AlarmKind {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::BackupNone,
        Self::BackupLate,
        Self::BackupUnmade,
        Self::BackupFailed,
        Self::DrillLate,
        Self::ProvenOld,
        Self::BackupBehind,
        Self::BackupFenced,
        Self::BackupArchive,
        Self::TargetSilent,
        Self::DeletionStopped,
        Self::DatabaseSilent,
        Self::DiskLow,
        Self::CertificateEnds,
        Self::CertificateDue,
        Self::CertificateSiteEnds,
        Self::LogUnreadable,
        Self::LogWaits,
        Self::LogDamaged,
    ];

    /// Its stable word, the same as the state on the health page where there is one.
    pub fn word(self) -> &'static str {
        match self {
            Self::BackupNone => "backup_none",
            Self::BackupLate => "backup_late",
            Self::BackupUnmade => "backup_unmade",
            Self::BackupFailed => "backup_failed",
            Self::DrillLate => "drill_late",
            Self::ProvenOld => "proven_old",
            Self::BackupBehind => "backup_behind",
            Self::BackupFenced => "backup_fenced",
            Self::BackupArchive => "backup_archive",
            Self::TargetSilent => "target_silent",
            Self::DeletionStopped => "deletion_stopped",
            Self::DatabaseSilent => "database_silent",
            Self::DiskLow => "disk_low",
            Self::CertificateEnds => "certificate_ends",
            Self::CertificateDue => "certificate_due",
            Self::CertificateSiteEnds => "certificate_site_ends",
            Self::LogUnreadable => "log_unreadable",
            Self::LogWaits => "log_waits",
            Self::LogDamaged => "log_damaged",
        }
    }

    /// Who is told.
    pub fn topic(self) -> Topic {
        match self {
            Self::BackupNone
            | Self::BackupLate
            | Self::BackupUnmade
            | Self::BackupFailed
            | Self::DrillLate
            | Self::ProvenOld
            | Self::BackupBehind
            | Self::BackupFenced
            | Self::BackupArchive
            | Self::TargetSilent
            | Self::DeletionStopped => Topic::Backup,
            Self::DatabaseSilent
            | Self::DiskLow
            | Self::CertificateEnds
            | Self::CertificateDue
            | Self::CertificateSiteEnds => Topic::System,
            Self::LogUnreadable | Self::LogWaits | Self::LogDamaged => Topic::Audit,
        }
    }
}

/// One thing that is wrong now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What.
    pub kind: AlarmKind,
    /// The target or the set that it is about; empty for the whole.
    pub about: String,
    /// Its figure, where the kind has one.
    pub figure: u64,
}

impl Alarm {
    /// An alarm.
    pub fn new(kind: AlarmKind, about: &str, figure: u64) -> Self {
        Self { kind, about: about.to_owned(), figure }
    }
    /// What its letters are put in as.
    pub fn key(&self) -> String {
        format!("{} {}", self.kind.word(), self.about)
    }
}

/// What is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it is about.
    pub alarm: Alarm,
    /// When it began.
    pub since: Timestamp,
    /// Whether it is over.
    pub over: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Known {
    alarm: Alarm,
    since: Timestamp,
    open: bool,
    /// Its beginning was told, and not yet its end.
    told: bool,
    /// The relay took that.
    taken: bool,
    /// When something of it was told last.
    last: Option<Timestamp>,
}

/// What was told of. Kept over restarts, so that a restart tells nothing twice.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Alarms {
    known: Vec<Known>,
}

impl Alarms {
    /// What was told but not taken by the relay when the process ended is told again.
    pub fn after_restart(&mut self) {
        for known in self.known.iter_mut().filter(|known| known.told && !known.taken) {
            (known.told, known.last) = (false, None);
        }
    }

    /// Compares what is wrong now with what was told. `quiet_seconds` is the time in which one thing is not told twice.
    pub fn look(&mut self, found: &[Alarm], now: Timestamp, quiet_seconds: i64) -> Vec<Notice> {
        let mut notices = Vec::new();
        for alarm in found {
            let key = |known: &Known| known.alarm.kind == alarm.kind && known.alarm.about == alarm.about;
            if !self.known.iter().any(key) && self.known.len() < KNOWN_MAX {
                let alarm = alarm.clone();
                self.known.push(Known { alarm, since: now, open: false, told: false, taken: false, last: None });
            }
        }
        for known in &mut self.known {
            let still = found.iter().find(|one| one.kind == known.alarm.kind && one.about == known.alarm.about);
            let quiet = known.last.is_some_and(|last| last.plus_seconds(quiet_seconds) > now);
            match still {
                Some(alarm) => {
                    if !known.open {
                        (known.open, known.since) = (true, now);
                    }
                    known.alarm.figure = alarm.figure;
                    if !known.told && !quiet {
                        (known.told, known.taken, known.last) = (true, false, Some(now));
                        notices.push(Notice { alarm: known.alarm.clone(), since: known.since, over: false });
                    }
                }
                None => {
                    known.open = false;
                    if known.told {
                        (known.told, known.last) = (false, Some(now));
                        notices.push(Notice { alarm: known.alarm.clone(), since: known.since, over: true });
                    }
                }
            }
        }
        let quiet = |known: &Known| known.last.is_some_and(|last| last.plus_seconds(quiet_seconds) > now);
        self.known.retain(|known| known.open || quiet(known));
        notices
    }

    /// The relay took the letter of this key, or it was given up: then it is told again after the quiet period.
    pub fn settled(&mut self, key: &str, taken: bool) {
        for known in self.known.iter_mut().filter(|known| known.alarm.key() == key) {
            // One recipient who has it is enough, in whatever order they are heard of.
            known.taken |= taken;
            known.told = if known.taken { known.told || known.open } else { false };
        }
    }

    /// What is wrong now, and since when.
    pub fn open(&self) -> impl Iterator<Item = (&Alarm, Timestamp)> {
        self.known.iter().filter(|known| known.open).map(|known| (&known.alarm, known.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: i64 = 3_600;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000).plus_seconds(minutes * 60)
    }
    fn late(target: &str) -> Alarm {
        Alarm::new(AlarmKind::BackupLate, target, 0)
    }
    fn said(notices: &[Notice]) -> Vec<(String, bool)> {
        notices.iter().map(|notice| (notice.alarm.about.clone(), notice.over)).collect()
    }

    #[test]
    fn told_once_and_once_when_it_is_over() {
        let mut alarms = Alarms::default();
        assert_eq!(said(&alarms.look(&[late("disk2")], at(0), QUIET)), [("disk2".to_owned(), false)]);
        for minute in 1..5_000 {
            assert!(alarms.look(&[late("disk2")], at(minute), QUIET).is_empty(), "minute {minute}");
        }
        let both = [late("disk2"), late("nas")];
        assert_eq!(said(&alarms.look(&both, at(5_000), QUIET)), [("nas".to_owned(), false)]);
        let over = alarms.look(&[late("nas")], at(5_001), QUIET);
        assert_eq!((said(&over), over[0].since), (vec![("disk2".to_owned(), true)], at(0)));
        assert!(alarms.look(&[late("nas")], at(5_002), QUIET).is_empty());
    }

    #[test]
    fn what_comes_and_goes_is_told_once_in_a_quiet_period() {
        let (mut alarms, mut letters) = (Alarms::default(), Vec::new());
        for minute in 0..120 {
            let found: &[Alarm] = if minute % 2 == 0 { &[late("disk2")] } else { &[] };
            letters.extend(alarms.look(found, at(minute), QUIET).into_iter().map(|notice| (minute, notice.over)));
        }
        assert_eq!(letters, [(0, false), (1, true), (62, false), (63, true)]);
    }

    #[test]
    fn what_the_relay_did_not_take_is_told_again() {
        let mut alarms = Alarms::default();
        alarms.look(&[late("disk2")], at(0), QUIET);
        alarms.settled(&late("disk2").key(), false);
        assert!(alarms.look(&[late("disk2")], at(59), QUIET).is_empty(), "not each minute");
        assert_eq!(alarms.look(&[late("disk2")], at(60), QUIET).len(), 1);
        alarms.settled(&late("disk2").key(), true);
        alarms.settled(&late("disk2").key(), false);
        assert!(alarms.look(&[late("disk2")], at(500), QUIET).is_empty(), "somebody has it");
        let mut alarms = Alarms::default();
        alarms.look(&[late("disk2")], at(0), QUIET);
        alarms.settled(&late("disk2").key(), false);
        alarms.settled(&late("disk2").key(), true);
        assert!(alarms.look(&[late("disk2")], at(500), QUIET).is_empty(), "somebody has it");
        assert_eq!(alarms.look(&[], at(501), QUIET).len(), 1, "and hears of the end");
        // Nobody was told that it began, so nobody is told that it is over.
        let mut silent = Alarms::default();
        silent.look(&[late("disk2")], at(0), QUIET);
        silent.settled(&late("disk2").key(), false);
        assert!(silent.look(&[], at(1), QUIET).is_empty());
    }

    #[test]
    fn a_restart_tells_nothing_twice_and_loses_nothing() {
        let (taken, lost) = (late("disk2"), late("nas"));
        let mut alarms = Alarms::default();
        alarms.look(&[taken.clone(), lost.clone()], at(0), QUIET);
        alarms.settled(&taken.key(), true);
        let kept = serde_json::to_string(&alarms).unwrap();
        let mut alarms: Alarms = serde_json::from_str(&kept).unwrap();
        alarms.after_restart();
        assert_eq!(said(&alarms.look(&[taken, lost], at(1), QUIET)), [("nas".to_owned(), false)]);
        assert_eq!(said(&alarms.look(&[], at(2), QUIET)).len(), 2);
    }

    #[test]
    fn words_are_stable_and_each_its_own() {
        for kind in AlarmKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
        }
        let mut words: Vec<_> = AlarmKind::ALL.map(AlarmKind::word).to_vec();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), AlarmKind::ALL.len());
    }
}
