//! The page for administrators with every setting, in both languages. A test holds the files in docs/ to it.

use super::{SECTIONS, SectionText};

/// English or Chinese, as an index of words.
type Language = usize;

const HEADS: [&str; 2] = [
    "# Every setting

This page is made from the program (`kontor config explain` prints the same), so it is whole. All settings are in `kontor.toml` in
the folder of the appliance. The file is TOML. Relative paths begin at its folder. Unknown keys are refused, so a misspelt one is never passed
over. No secret stands in it: where one is needed, the file that holds it is named. `kontor config check` tells every mistake at once.
Settings of the house, such as language and currency, are in [settings.md](settings.md).
",
    "# 全部设置

本页由程序生成（`kontor config explain` 显示同样的内容），因此是完整的。全部设置位于设备目录下的 `kontor.toml`，格式为 TOML。相对路径从该目录算起。未知的键会被拒绝，
写错的键不会被忽略。文件中不含任何机密：需要机密之处，写的是存放它的文件名。`kontor config check` 一次列出所有错误。语言、货币等本单位的设置见 [settings.zh-CN.md](settings.zh-CN.md)。
",
];
const COLUMNS: [[&str; 5]; 2] =
    [["key", "type", "default", "meaning", "example"], ["键", "类型", "默认值", "含义", "示例"]];
const BEFORE: [&str; 2] = ["Before the first section", "第一个小节之前"];

/// The page in one language: 0 English, 1 Chinese.
pub(crate) fn page(language: Language) -> String {
    let mut page = HEADS.get(language).copied().unwrap_or_default().to_owned();
    for section in SECTIONS {
        page.push_str(&one(section, language));
    }
    page
}

fn one(section: &SectionText, language: Language) -> String {
    let word = |words: &[&'static str; 2]| words.get(language).copied().unwrap_or_default();
    let mut text = match section.name {
        "" => format!("\n## {}\n", word(&BEFORE)),
        name => format!("\n## `[{name}]`\n\n{}\n", word(&section.what)),
    };
    if !section.lines.is_empty() {
        text.push_str(&format!("\n```\n{}\n```\n", section.lines.join("\n")));
    }
    if section.settings.is_empty() {
        return text;
    }
    let columns = COLUMNS.get(language).unwrap_or(&COLUMNS[0]);
    text.push_str(&format!("\n| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len())));
    for setting in section.settings {
        let [en, zh] = setting.kind.words();
        let kind = if language == 0 { en } else { zh };
        let default = if setting.default.is_empty() { String::new() } else { code(setting.default) };
        let cells = [code(setting.key), kind, default, word(&setting.what).to_owned(), code(setting.example)];
        text.push_str(&format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
    }
    text
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appliance::Layout;
    use crate::config::{Config, reference};
    use std::path::Path;

    #[test]
    fn the_pages_are_those_of_the_program() {
        for (language, file) in ["configuration.md", "configuration.zh-CN.md"].iter().enumerate() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/admin").join(file);
            if std::env::var_os("KONTOR_UPDATE").is_some() {
                std::fs::write(&path, page(language)).unwrap();
            }
            let found = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(found, page(language), "{file} is stale: KONTOR_UPDATE=1 cargo test writes it anew");
        }
    }

    /// The sections below [backup.targets] are tables of a name; their first key says which they are.
    fn written(section: &SectionText, key: &str, value: &str) -> String {
        let needed = [
            ("s3", "s3 = \"https://s3.example.org/sets\"\ncredentials_file = \"c\"\n"),
            (
                "sftp",
                "sftp = \"sftp://k@nas.example.org/sets\"\nhost_key = \"SHA256:0123456789012345678901234567890123456789012\"\nkey_file = \"k\"\n",
            ),
        ];
        let name = section.name.replace("NAME (S3)", "one").replace("NAME (SFTP)", "one");
        let first = section.settings.first().map_or("", |one| one.key);
        let rest = needed.iter().find(|(kind, _)| *kind == first).map_or("", |(_, lines)| *lines);
        let others: String = rest
            .lines()
            .filter(|line| !line.starts_with(&format!("{key} =")))
            .map(|line| format!("{line}\n"))
            .collect();
        let others = if key == "password_file" { others.replace("key_file = \"k\"\n", "") } else { others };
        let head = if name.is_empty() { String::new() } else { format!("[{name}]\n") };
        format!("{head}{others}{key} = {value}\n")
    }

    /// What is known beside the key itself may be missing in such a short file; that the key is unknown may not be said.
    #[test]
    fn every_setting_is_known_and_its_default_and_example_may_be_written() {
        let layout = Layout::new(Path::new("/srv/kontor"));
        for section in SECTIONS {
            for setting in section.settings {
                for value in [setting.default, setting.example].into_iter().filter(|value| !value.is_empty()) {
                    let value = value.replace("SHA256:…", &format!("SHA256:{}", "A".repeat(43)));
                    let text = written(section, setting.key, &value);
                    let problems = Config::parse(&text, &layout).err().unwrap_or_default();
                    let about = |problem: &&crate::config::Problem| {
                        problem.key.ends_with(setting.key)
                            && (problem.what.contains("no such key")
                                || problem.what.contains("write a")
                                || problem.what.contains("write true"))
                    };
                    assert!(!problems.iter().any(|problem| about(&problem)), "{text}{problems:?}");
                }
                assert!(setting.what.iter().all(|what| !what.is_empty()), "{}.{}", section.name, setting.key);
            }
        }
        // The other way about: a key of no section is refused, whatever the section.
        for section in ["", "server", "backup", "backup.ship", "mail", "mail.to"] {
            assert!(!reference::keys_of(section).is_empty() && !reference::keys_of(section).contains(&"nowhere"));
        }
    }
}
