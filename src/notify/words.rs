//! The words of letters, in both languages. They are built from kinds, names and figures; no text of anybody else comes in.

use crate::{AlarmKind, Letter, Notice};
use kernel::Timestamp;

/// The language of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Chinese.
    Chinese,
}

impl Language {
    /// One of two texts.
    pub(crate) fn pick<T>(self, english: T, chinese: T) -> T {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

/// Who writes: as every letter says at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct House {
    /// The name by which people reach the appliance, or that of the machine.
    pub host: String,
    /// The name of the node in the log.
    pub node: String,
}

impl House {
    pub(crate) fn subject(&self, rest: &str) -> String {
        format!("[Kontor {}] {rest}", self.host)
    }
    pub(crate) fn signature(&self, language: Language) -> String {
        let (host, node) = (&self.host, &self.node);
        language.pick(format!("-- \nKontor on {host}, node {node}"), format!("-- \n{host} 上的 Kontor，节点 {node}"))
    }
}

/// A moment as people read it, in UTC.
pub(crate) fn moment(at: Timestamp) -> String {
    at.to_datetime().format("%Y-%m-%d %H:%M UTC").to_string()
}

/// What is wrong, in one line.
pub(crate) fn title(kind: AlarmKind, about: &str, language: Language) -> String {
    let (english, chinese) = match kind {
        AlarmKind::BackupNone => ("No backups are made", "没有制作备份"),
        AlarmKind::BackupLate => ("No backup set in time", "备份集没有按时完成"),
        AlarmKind::BackupUnmade => ("A backup set could not be made", "备份集未能制作"),
        AlarmKind::BackupFailed => ("A backup set could NOT be restored", "备份集未能恢复"),
        AlarmKind::DrillLate => ("No restore drill in time", "恢复演练没有按时进行"),
        AlarmKind::ProvenOld => ("The newest proven backup set is too old", "最近一个经过验证的备份集太旧"),
        AlarmKind::BackupBehind => ("Commits do not reach a target", "提交没有送达目标位置"),
        AlarmKind::BackupFenced => {
            ("Another node was promoted; this one takes no writes", "另一个节点已被提升；本节点不再接受写入")
        }
        AlarmKind::BackupArchive => ("PostgreSQL could not archive its log", "PostgreSQL 未能归档其日志"),
        AlarmKind::TargetSilent => ("A backup target does not answer", "备份目标位置没有响应"),
        AlarmKind::DeletionStopped => {
            ("No old backup set is removed: clock and sets disagree", "旧备份集停止删除：时钟与备份集不一致")
        }
        AlarmKind::DatabaseSilent => ("The database does not answer", "数据库没有响应"),
        AlarmKind::DiskLow => ("Little room is left on the disk", "磁盘空间不足"),
        AlarmKind::CertificateEnds | AlarmKind::CertificateSiteEnds => {
            ("The certificate is about to end", "证书即将到期")
        }
        AlarmKind::CertificateDue => ("The certificate has to be renewed", "证书需要更新"),
        AlarmKind::LogUnreadable => ("The checkpoint of the audit log cannot be verified", "审计日志的检查点无法验证"),
        AlarmKind::LogWaits => ("Entries of the audit log are not sealed", "审计日志的条目没有被封存"),
        AlarmKind::LogDamaged => ("The audit log did NOT verify", "审计日志未通过验证"),
    };
    let title = language.pick(english, chinese);
    if about.is_empty() {
        title.to_owned()
    } else {
        language.pick(format!("{title}: {about}"), format!("{title}：{about}"))
    }
}

/// The figure of a kind in words; nothing where it has none.
fn figure(kind: AlarmKind, figure: u64, language: Language) -> Option<String> {
    let (english, chinese) = match kind {
        AlarmKind::ProvenOld => (format!("It is {figure} hours old."), format!("它已有 {figure} 小时。")),
        AlarmKind::BackupBehind => (
            format!("The last {figure} seconds of work are not there."),
            format!("最近 {figure} 秒的工作还没有送到那里。"),
        ),
        AlarmKind::DiskLow => (format!("{figure} MiB are free."), format!("剩余 {figure} MiB。")),
        AlarmKind::CertificateEnds | AlarmKind::CertificateDue | AlarmKind::CertificateSiteEnds => {
            (format!("It is good for {figure} days."), format!("还有 {figure} 天有效。"))
        }
        AlarmKind::LogWaits => (format!("{figure} entries wait."), format!("有 {figure} 个条目在等待。")),
        AlarmKind::BackupNone
        | AlarmKind::BackupLate
        | AlarmKind::BackupUnmade
        | AlarmKind::BackupFailed
        | AlarmKind::DrillLate
        | AlarmKind::BackupFenced
        | AlarmKind::BackupArchive
        | AlarmKind::TargetSilent
        | AlarmKind::DeletionStopped
        | AlarmKind::DatabaseSilent
        | AlarmKind::LogUnreadable
        | AlarmKind::LogDamaged => return None,
    };
    Some(language.pick(english, chinese))
}

/// What to do.
fn advice(kind: AlarmKind, language: Language) -> &'static str {
    let (english, chinese) = match kind {
        AlarmKind::BackupNone => (
            "Name a target under [backup.targets] in kontor.toml and restart the appliance.",
            "请在 kontor.toml 的 [backup.targets] 下写明目标位置，然后重新启动设备。",
        ),
        AlarmKind::BackupLate | AlarmKind::BackupUnmade => (
            "Look with `kontor backup list`, which says why, and at the room there; try the target with `kontor backup target test`. It is tried again each half hour.",
            "请用 `kontor backup list` 查看原因，并检查那里的空间；用 `kontor backup target test` 测试目标位置。每半小时会重试一次。",
        ),
        AlarmKind::BackupFailed => (
            "Look with `kontor backup list`. Make a new set (`kontor backup run`) and prove it (`kontor backup drill`). Until then rely on older sets.",
            "请用 `kontor backup list` 查看。制作新的备份集（`kontor backup run`）并加以验证（`kontor backup drill`）。在此之前请依靠更早的备份集。",
        ),
        AlarmKind::DrillLate | AlarmKind::ProvenOld => (
            "Prove the newest set with `kontor backup drill`, and look at the log of the service for what kept it from being done.",
            "请用 `kontor backup drill` 验证最新的备份集，并查看服务日志，了解演练为何没有进行。",
        ),
        AlarmKind::BackupBehind | AlarmKind::TargetSilent => (
            "Look at that target and what lies in between; try it with `kontor backup target test`. It is tried again by itself.",
            "请检查该目标位置及其网络；用 `kontor backup target test` 测试。系统会自动重试。",
        ),
        AlarmKind::BackupFenced => (
            "Use the promoted appliance. Do not start this one again before it is known which of the two is right.",
            "请使用已提升的那台设备。在弄清哪一台正确之前，不要重新启动本机。",
        ),
        AlarmKind::BackupArchive => (
            "Look at pg_stat_archiver, archive_command and the disk on the database server.",
            "请在数据库服务器上检查 pg_stat_archiver、archive_command 和磁盘。",
        ),
        AlarmKind::DeletionStopped => (
            "Set the clock of the machine right. Until then every set stays, so watch the room of the targets.",
            "请校正机器的时钟。在此之前所有备份集都会保留，请留意目标位置的空间。",
        ),
        AlarmKind::DatabaseSilent => ("Look at its disk or its server.", "请检查它的磁盘或服务器。"),
        AlarmKind::DiskLow => (
            "Free some: without room the audit log cannot grow, and nothing is answered any more.",
            "请释放空间：没有空间审计日志就无法增长，系统将不再应答。",
        ),
        AlarmKind::CertificateEnds => {
            ("Restart the appliance: it issues a new one at start.", "请重新启动设备：启动时会签发新的证书。")
        }
        AlarmKind::CertificateDue | AlarmKind::CertificateSiteEnds => (
            "Ask the authority of the site for a new one: `kontor tls csr`, then `kontor tls import`.",
            "请向本单位的证书颁发机构申请新证书：先用 `kontor tls csr`，再用 `kontor tls import`。",
        ),
        AlarmKind::LogUnreadable | AlarmKind::LogDamaged => (
            "Run `kontor audit verify` and tell the auditors. Change nothing on the machine before they have looked.",
            "请运行 `kontor audit verify` 并通知审计人员。在他们查看之前，不要改动机器上的任何内容。",
        ),
        AlarmKind::LogWaits => (
            "Look at the disk of the log folder, then restart the appliance.",
            "请检查日志文件夹所在的磁盘，然后重新启动设备。",
        ),
    };
    language.pick(english, chinese)
}

/// The letter about something that began or is over.
pub fn alarm_letter(notice: &Notice, now: Timestamp, house: &House, language: Language) -> Letter {
    let alarm = &notice.alarm;
    let title = title(alarm.kind, &alarm.about, language);
    let (since, end) = (moment(notice.since), house.signature(language));
    if notice.over {
        let over = language.pick("Over", "已解除");
        let told = language.pick(
            format!("This is over since {}. It began at {since}.", moment(now)),
            format!("此问题已于 {} 解除，开始于 {since}。", moment(now)),
        );
        let subject = house.subject(&language.pick(format!("{over}: {title}"), format!("{over}：{title}")));
        return Letter::new(&subject, &format!("{title}\n\n{told}\n\n{end}\n"));
    }
    let figure = figure(alarm.kind, alarm.figure, language).map(|words| format!("{words}\n")).unwrap_or_default();
    let since = language.pick(format!("Seen since {since}."), format!("发现于 {since}。"));
    let advice = advice(alarm.kind, language);
    let todo = language.pick(format!("What to do: {advice}"), format!("处理办法：{advice}"));
    let after = language.pick(
        "You get one more letter when it is over; until then the daily digest names it.",
        "问题解除后您会再收到一封邮件；在此之前，每日摘要会列出它。",
    );
    let text = format!("{title}\n\n{figure}{since}\n\n{todo}\n\n{after}\n\n{end}\n");
    Letter::new(&house.subject(&title), &text)
}

/// The letter of `kontor mail test`.
pub fn test_letter(now: Timestamp, house: &House, language: Language) -> Letter {
    let subject = house.subject(language.pick("Test", "测试"));
    let text = language.pick(
        "This is a test. Alarms and the daily digest of this appliance will come from this address.",
        "这是一封测试邮件。本设备的告警和每日摘要将从这个地址发出。",
    );
    Letter::new(&subject, &format!("{text}\n\n{}\n\n{}\n", moment(now), house.signature(language)))
}
