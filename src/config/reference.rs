//! Every setting of `kontor.toml` in one place: what it is called, what it may be, what it means. The parser knows no key that
//! does not stand here; a new configuration, `kontor config explain` and the page for administrators are made from it.

mod backups;
mod house;
mod letters;
mod page;

pub(crate) use page::page;

/// What a setting may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// true or false.
    Flag,
    /// A whole number, from and to.
    Number(u64, u64),
    /// A list of texts.
    Texts,
    /// A time that comes again, as cron has it; an empty text is never.
    Schedule,
    /// A file or folder; a relative path begins at the folder of the appliance.
    Path,
}

impl Kind {
    /// What it is called, in English and Chinese.
    pub(crate) fn words(self) -> [String; 2] {
        let both = |en: &str, zh: &str| [en.to_owned(), zh.to_owned()];
        match self {
            Self::Text => both("text", "文本"),
            Self::Choice(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                [words.join(", "), words.join("、")]
            }
            Self::Flag => both("true, false", "true、false"),
            Self::Number(least, most) => [format!("number, {least} to {most}"), format!("数字，{least} 到 {most}")],
            Self::Texts => both("list of texts", "文本列表"),
            Self::Schedule => both("schedule (cron, UTC)", "计划（cron，UTC）"),
            Self::Path => both("path", "路径"),
        }
    }
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Its key inside its section.
    pub(crate) key: &'static str,
    /// What it may be.
    pub(crate) kind: Kind,
    /// What holds where it is not written, as TOML; empty where there is nothing.
    pub(crate) default: &'static str,
    /// Another value, as TOML.
    pub(crate) example: &'static str,
    /// What it means, in English and Chinese.
    pub(crate) what: [&'static str; 2],
}

/// One section of the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SectionText {
    /// Its name; empty before the first section.
    pub(crate) name: &'static str,
    /// What it is for, in English and Chinese.
    pub(crate) what: [&'static str; 2],
    /// Lines of it that are examples, where its keys are names of one's own.
    pub(crate) lines: &'static [&'static str],
    /// What may stand in it.
    pub(crate) settings: &'static [Setting],
}

/// All sections, in the order of the file.
pub(crate) const SECTIONS: &[SectionText] = &[
    house::ROOT,
    house::SERVER,
    house::DATABASE,
    house::FILES,
    house::UNSEAL,
    house::LOG,
    backups::BACKUP,
    backups::SHIP,
    backups::TARGETS,
    backups::S3,
    backups::SFTP,
    letters::MAIL,
    letters::MAIL_TO,
    house::METRICS,
];

/// The keys of a section: its settings and the sections below it. None for a name that is not here.
pub(super) fn keys_of(section: &str) -> Vec<&'static str> {
    let own = SECTIONS.iter().filter(|text| text.name == section).flat_map(|text| text.settings).map(|one| one.key);
    let below = SECTIONS.iter().filter_map(|text| {
        let rest = if section.is_empty() { text.name } else { text.name.strip_prefix(section)?.strip_prefix('.')? };
        (!rest.is_empty() && !rest.contains(['.', ' '])).then_some(rest)
    });
    own.chain(below).collect()
}

/// Whether a section has this key; a target of one's own name is of one kind or another.
pub(super) fn knows(section: &str, key: &str) -> bool {
    let kinds: &[&str] =
        if section.starts_with("backup.targets.") { &[backups::S3.name, backups::SFTP.name] } else { &[section] };
    kinds.iter().any(|kind| keys_of(kind).contains(&key))
}
