//! The daily digest: whether the backups are worth anything today, and what has to be done. It is put into words here; what is
//! so was found out by others.

use crate::words::{House, Language, moment, title};
use crate::{Alarm, Letter};
use kernel::Timestamp;

const HOUR_SECONDS: u64 = 3_600;
const MINUTE_SECONDS: u64 = 60;
/// Lines of one list; more are counted.
const LINES_MAX: usize = 30;

/// The last restore that was looked through and found whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The set.
    pub set: String,
    /// The moment of the set.
    pub made_at: Timestamp,
    /// When it was restored.
    pub at: Timestamp,
    /// How long that took, in milliseconds.
    pub millis: u64,
}

/// One target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetState {
    /// Its name.
    pub name: String,
    /// The moment of its newest whole set.
    pub newest: Option<Timestamp>,
    /// Whole sets there.
    pub sets: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Whether it should have a newer one.
    pub late: bool,
    /// Whether it did not answer when it was asked last.
    pub silent: bool,
    /// Seconds of work that are not there yet, where commits are shipped to it.
    pub behind_seconds: Option<u64>,
}

/// A set or a drill that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRun {
    /// When.
    pub at: Timestamp,
    /// The set, or its number where no more is known.
    pub set: String,
    /// The target.
    pub target: String,
    /// Whether it was a drill.
    pub drill: bool,
}

/// A set that will be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The set.
    pub set: String,
    /// The target.
    pub target: String,
    /// Not before this.
    pub goes_at: Timestamp,
}

/// The audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// Entries that are sealed, and all; `None` when that is not known.
    pub sealed: Option<(u64, u64)>,
    /// When it was last verified with every record, and whether it was whole.
    pub verified: Option<(Timestamp, bool)>,
}

/// What a digest tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The moment of it.
    pub now: Timestamp,
    /// The one before.
    pub since: Option<Timestamp>,
    /// What is wrong, and since when.
    pub alarms: Vec<(Alarm, Timestamp)>,
    /// Whether sets are made at all.
    pub backups: bool,
    /// The last proven restore.
    pub proven: Option<Proven>,
    /// Seconds of work that would be lost with this machine.
    pub rpo_seconds: Option<u64>,
    /// The newest whole set and its moment.
    pub newest: Option<(String, Timestamp)>,
    /// The targets.
    pub targets: Vec<TargetState>,
    /// What failed since the digest before.
    pub failed: Vec<FailedRun>,
    /// What will be removed.
    pub planned: Vec<Planned>,
    /// The audit log.
    pub log: LogState,
    /// Free bytes of the appliance's disk.
    pub free_bytes: Option<u64>,
    /// Days that the certificate is good for; `None` where there is none.
    pub certificate_days: Option<i64>,
}

impl Digest {
    /// The digest as a letter.
    pub fn letter(&self, house: &House, language: Language) -> Letter {
        let subject = match (self.alarms.len(), language) {
            (0, Language::English) => "Digest: all is well".to_owned(),
            (0, Language::Chinese) => "每日摘要：一切正常".to_owned(),
            (1, Language::English) => "Digest: 1 thing is NOT well".to_owned(),
            (count, Language::English) => format!("Digest: {count} things are NOT well"),
            (count, Language::Chinese) => format!("每日摘要：有 {count} 项不正常"),
        };
        let sections = [
            self.head(language),
            if self.backups { self.restores(language) } else { none_made(language) },
            self.places(language),
            self.failures(language),
            self.deletions(language),
            self.machine(language),
            house.signature(language),
        ];
        let text: Vec<String> = sections.into_iter().filter(|section| !section.is_empty()).collect();
        Letter::new(&house.subject(&subject), &format!("{}\n", text.join("\n\n")))
    }

    fn head(&self, language: Language) -> String {
        let now = moment(self.now);
        let since = self.since.map(moment);
        let head = match (language, since) {
            (Language::English, Some(since)) => format!("{now}; the digest before was of {since}."),
            (Language::English, None) => format!("{now}; this is the first digest."),
            (Language::Chinese, Some(since)) => format!("{now}；上一份摘要为 {since}。"),
            (Language::Chinese, None) => format!("{now}；这是第一份摘要。"),
        };
        if self.alarms.is_empty() {
            return format!("{head}\n\n{}", language.pick("All is well.", "一切正常。"));
        }
        let line = |(alarm, since): &(Alarm, Timestamp)| {
            let (title, since) = (title(alarm.kind, &alarm.about, language), moment(*since));
            language.pick(format!("{title} (since {since})"), format!("{title}（自 {since}）"))
        };
        list(&format!("{head}\n\n{}", language.pick("NOT well", "不正常")), self.alarms.iter().map(line), language)
    }

    fn restores(&self, language: Language) -> String {
        let none = || language.pick("none yet", "尚无").to_owned();
        let proven = self.proven.as_ref().map_or_else(none, |proven| {
            let (at, made) = (moment(proven.at), moment(proven.made_at));
            language.pick(format!("{at}, {} of {made}", proven.set), format!("{at}，{}（时刻 {made}）", proven.set))
        });
        let rpo = self.rpo_seconds.map_or_else(none, |seconds| span(seconds, language));
        let rto = self.proven.as_ref().map_or_else(none, |proven| span(proven.millis.div_ceil(1_000), language));
        let newest = self.newest.as_ref().map_or_else(none, |(set, at)| {
            language.pick(format!("{set} of {}", moment(*at)), format!("{set}（时刻 {}）", moment(*at)))
        });
        match language {
            Language::English => format!(
                "Backups\n  Last proven restore: {proven}\n  Work that would be lost with this machine now (RPO): {rpo}\n  \
                 Time a recovery takes, without people (RTO, by that restore): {rto}\n  Newest set: {newest}"
            ),
            Language::Chinese => format!(
                "备份\n  最近一次经过验证的恢复：{proven}\n  若此刻失去本机，将丢失的工作（RPO）：{rpo}\n  \
                 恢复所需时间，不含人工（RTO，据该次恢复）：{rto}\n  最新备份集：{newest}"
            ),
        }
    }

    fn places(&self, language: Language) -> String {
        let line = |target: &TargetState| {
            let mut words = Vec::new();
            if target.late {
                words.push(language.pick("LATE", "迟到").to_owned());
            }
            if target.silent {
                words.push(language.pick("DOES NOT ANSWER", "没有响应").to_owned());
            }
            words.push(target.newest.map_or_else(
                || language.pick("no set yet", "尚无备份集").to_owned(),
                |at| language.pick(format!("newest set {}", moment(at)), format!("最新备份集 {}", moment(at))),
            ));
            let size = size(target.bytes);
            words.push(
                language.pick(format!("{} sets, {size}", target.sets), format!("{} 个备份集，{size}", target.sets)),
            );
            words.extend(target.behind_seconds.map(|seconds| {
                let behind = span(seconds, language);
                language.pick(format!("commits behind by {behind}"), format!("提交落后 {behind}"))
            }));
            let (colon, comma) = language.pick((": ", "; "), ("：", "；"));
            format!("{}{colon}{}", target.name, words.join(comma))
        };
        if self.targets.is_empty() {
            return String::new();
        }
        list(language.pick("Targets", "目标位置"), self.targets.iter().map(line), language)
    }

    fn failures(&self, language: Language) -> String {
        let line = |run: &FailedRun| {
            let (at, set, target) = (moment(run.at), &run.set, &run.target);
            match (language, run.drill) {
                (Language::English, true) => format!("{at}: the drill of {set} on {target}"),
                (Language::English, false) => format!("{at}: {set} on {target}"),
                (Language::Chinese, true) => format!("{at}：{target} 上 {set} 的演练"),
                (Language::Chinese, false) => format!("{at}：{target} 上的 {set}"),
            }
        };
        let head = language.pick("Failed since the digest before", "上一份摘要以来的失败");
        if !self.backups {
            return String::new();
        }
        if self.failed.is_empty() {
            return format!("{head}\n  {}", language.pick("nothing", "无"));
        }
        list(head, self.failed.iter().map(line), language)
    }

    fn deletions(&self, language: Language) -> String {
        if self.planned.is_empty() {
            return String::new();
        }
        let line = |one: &Planned| {
            let (set, target, at) = (&one.set, &one.target, moment(one.goes_at));
            language.pick(format!("{set} on {target}, not before {at}"), format!("{target} 上的 {set}，不早于 {at}"))
        };
        let head = language.pick(
            "Planned deletions (to call one back: Backups, the set, Keep for good)",
            "计划中的删除（撤回：备份，选择备份集，长期保留）",
        );
        list(head, self.planned.iter().map(line), language)
    }

    fn machine(&self, language: Language) -> String {
        let unknown = || language.pick("unknown", "未知").to_owned();
        let sealed = self.log.sealed.map_or_else(unknown, |(sealed, rows)| {
            language
                .pick(format!("{sealed} of {rows} entries are sealed"), format!("{rows} 个条目中已封存 {sealed} 个"))
        });
        let verified = match (self.log.verified, language) {
            (Some((at, true)), Language::English) => format!("verified with every record at {}: whole", moment(at)),
            (Some((at, false)), Language::English) => format!("verified at {}: NOT whole", moment(at)),
            (None, Language::English) => "not verified by a drill yet".to_owned(),
            (Some((at, true)), Language::Chinese) => format!("{} 连同每条记录一起验证：完整", moment(at)),
            (Some((at, false)), Language::Chinese) => format!("{} 验证：不完整", moment(at)),
            (None, Language::Chinese) => "尚未由演练验证".to_owned(),
        };
        let free = self.free_bytes.map_or_else(unknown, size);
        let days = self.certificate_days.map_or_else(
            || language.pick("none is used", "未使用").to_owned(),
            |days| language.pick(format!("good for {days} days"), format!("还有 {days} 天有效")),
        );
        match language {
            Language::English => {
                format!("This machine\n  Audit log: {sealed}; {verified}\n  Disk: {free} free\n  Certificate: {days}")
            }
            Language::Chinese => {
                format!("本机\n  审计日志：{sealed}；{verified}\n  磁盘：剩余 {free}\n  证书：{days}")
            }
        }
    }
}

fn none_made(language: Language) -> String {
    language
        .pick(
            "Backups\n  NONE are made: name a target under [backup.targets] in kontor.toml.",
            "备份\n  没有制作备份：请在 kontor.toml 的 [backup.targets] 下写明目标位置。",
        )
        .to_owned()
}

fn list(head: &str, lines: impl Iterator<Item = String>, language: Language) -> String {
    let lines: Vec<String> = lines.collect();
    let mut text = lines.iter().take(LINES_MAX).fold(head.to_owned(), |text, line| format!("{text}\n  - {line}"));
    let more = lines.len().saturating_sub(LINES_MAX);
    if more > 0 {
        text.push_str(&language.pick(format!("\n  and {more} more"), format!("\n  另有 {more} 项")));
    }
    text
}

/// A span of time as people say it: its two largest units.
fn span(seconds: u64, language: Language) -> String {
    let (hours, minutes) = (seconds / HOUR_SECONDS, seconds % HOUR_SECONDS / MINUTE_SECONDS);
    let rest = seconds % MINUTE_SECONDS;
    match (hours, minutes) {
        (0, 0) => language.pick(format!("{rest} s"), format!("{rest} 秒")),
        (0, _) => language.pick(format!("{minutes} min {rest} s"), format!("{minutes} 分 {rest} 秒")),
        _ => language.pick(format!("{hours} h {minutes} min"), format!("{hours} 小时 {minutes} 分")),
    }
}

fn size(bytes: u64) -> String {
    match bytes >> 20 {
        0 => format!("{} KiB", bytes.div_ceil(1024)),
        mib @ 1..10_240 => format!("{mib} MiB"),
        mib => format!("{} GiB", mib >> 10),
    }
}
