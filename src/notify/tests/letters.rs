//! Every letter in both languages, word by word: `letters.en.txt` and `letters.zh.txt` beside this are what people get.
//! `UPDATE_SNAPSHOTS=1` writes them anew; read the difference.
#![cfg(test)]

use kernel::Timestamp;
use notify::{
    Alarm, AlarmKind, Digest, FailedRun, House, Language, Letter, LogState, Notice, Planned, Proven, TargetState,
    alarm_letter, test_letter,
};
use std::path::Path;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn alarm(kind: AlarmKind) -> Alarm {
    let about = match kind {
        AlarmKind::BackupFailed => "set-00000042-20260131T021500Z",
        AlarmKind::BackupLate
        | AlarmKind::BackupUnmade
        | AlarmKind::BackupBehind
        | AlarmKind::TargetSilent
        | AlarmKind::DeletionStopped => "disk2",
        _ => "",
    };
    Alarm::new(kind, about, 61)
}

fn good() -> Digest {
    Digest {
        now: at("2026-02-01T06:00:00Z"),
        since: Some(at("2026-01-31T06:00:04Z")),
        alarms: Vec::new(),
        backups: true,
        proven: Some(Proven {
            set: "set-00000042-20260201T021500Z".to_owned(),
            made_at: at("2026-02-01T02:15:00Z"),
            at: at("2026-02-01T03:45:41Z"),
            millis: 40_601,
        }),
        rpo_seconds: Some(1),
        newest: Some(("set-00000042-20260201T021500Z".to_owned(), at("2026-02-01T02:15:00Z"))),
        targets: vec![TargetState {
            name: "disk2".to_owned(),
            newest: Some(at("2026-02-01T02:15:00Z")),
            sets: 12,
            bytes: 4_100_000_000,
            late: false,
            silent: false,
            behind_seconds: Some(1),
        }],
        failed: Vec::new(),
        planned: vec![Planned {
            set: "set-00000030-20260120T021500Z".to_owned(),
            target: "disk2".to_owned(),
            goes_at: at("2026-02-04T02:16:00Z"),
        }],
        log: LogState { sealed: Some((1_204_117, 1_204_117)), verified: Some((at("2026-02-01T03:45:41Z"), true)) },
        free_bytes: Some(120 << 30),
        certificate_days: Some(80),
    }
}

fn bad() -> Digest {
    let since = at("2026-01-31T08:00:00Z");
    let kinds = [AlarmKind::BackupLate, AlarmKind::TargetSilent, AlarmKind::LogDamaged];
    let failed = |drill| FailedRun {
        at: since,
        set: "set-00000041-20260131T021500Z".to_owned(),
        target: "disk2".to_owned(),
        drill,
    };
    Digest {
        since: None,
        alarms: kinds.map(|kind| (alarm(kind), since)).to_vec(),
        proven: None,
        rpo_seconds: Some(100_000),
        targets: vec![TargetState {
            name: "nas".to_owned(),
            newest: None,
            sets: 0,
            bytes: 0,
            late: true,
            silent: true,
            behind_seconds: None,
        }],
        failed: [failed(false), failed(true)].into_iter().cycle().take(33).collect(),
        planned: Vec::new(),
        log: LogState { sealed: None, verified: Some((since, false)) },
        free_bytes: None,
        certificate_days: None,
        ..good()
    }
}

fn none() -> Digest {
    let log = LogState { sealed: Some((7, 7)), verified: None };
    let (proven, newest, rpo_seconds) = (None, None, None);
    Digest { backups: false, targets: Vec::new(), planned: Vec::new(), log, proven, newest, rpo_seconds, ..good() }
}

fn all(language: Language) -> Vec<Letter> {
    let house = House { host: "crm.example.org".to_owned(), node: "kontor".to_owned() };
    let (since, now) = (at("2026-01-31T08:00:00Z"), at("2026-01-31T09:30:00Z"));
    let mut letters = vec![test_letter(now, &house, language)];
    for kind in AlarmKind::ALL {
        let notice = |over| Notice { alarm: alarm(kind), since, over };
        letters.push(alarm_letter(&notice(false), now, &house, language));
        if kind == AlarmKind::BackupLate {
            letters.push(alarm_letter(&notice(true), now, &house, language));
        }
    }
    letters.extend([good(), bad(), none()].iter().map(|digest| digest.letter(&house, language)));
    letters
}

#[test]
fn letters_say_what_they_said() {
    for (language, file) in [(Language::English, "letters.en.txt"), (Language::Chinese, "letters.zh.txt")] {
        let told = |letter: &Letter| format!("Subject: {}\n\n{}", letter.subject(), letter.text());
        let found = all(language).iter().map(told).collect::<Vec<_>>().join("\n=====\n");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&path, &found).unwrap();
        }
        let wanted = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == wanted, "{file} is not what is sent now; UPDATE_SNAPSHOTS=1 writes it anew:\n{found}");
    }
}

#[test]
fn chinese_letters_are_chinese() {
    for (english, chinese) in all(Language::English).iter().zip(all(Language::Chinese)) {
        assert_ne!(english.text(), chinese.text());
        assert!(chinese.subject().chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{}", chinese.subject());
        assert!(!english.text().contains(|c: char| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{}", english.text());
    }
}
