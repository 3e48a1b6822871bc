//! Takes words out of free text that a house may have chosen: everything in its configuration, the names of its machine and of its
//! accounts, and whatever looks like an address, a host, a path, an id or a key. Lines of the program hold no value of a record to
//! begin with; this is the second belt.

use crate::config::reference::{Kind, SECTIONS};
use std::fs;
use std::net::IpAddr;
use std::path::Path;

/// Shorter texts are words of everybody; names of machines often are short.
const KNOWN_CHARS_MIN: usize = 4;
const HOST_CHARS_MIN: usize = 2;
/// From this length on, letters and digits mixed are taken for a key.
const KEY_CHARS_MIN: usize = 20;
/// Accounts of people begin here.
const PEOPLE_UID_MIN: u32 = 1_000;
const UID_NOBODY: u32 = 65_534;
/// Endings that make a name of a file, not of a host.
const FILES: [&str; 14] =
    ["toml", "db", "json", "pem", "key", "pub", "md", "rs", "log", "part", "service", "socket", "txt", "sock"];

/// Knows what this house calls its things.
pub(super) struct Scrub {
    /// Longest first, in lower case.
    known: Vec<String>,
    dir: String,
}

impl Scrub {
    /// For the appliance in a folder, named with its whole path, with the text of its configuration.
    pub(super) fn new(config: &str, dir: &Path) -> Self {
        let hosts = ["/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname", "/etc/machine-id"];
        let hosts: String = hosts.iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let accounts = accounts.lines().flat_map(people).map(str::to_owned);
        let named = hosts.split_whitespace().flat_map(|name| [name, name.split('.').next().unwrap_or_default()]);
        Self::knowing(quoted(config).chain(accounts), named.map(str::to_owned), dir)
    }

    fn knowing(words: impl Iterator<Item = String>, hosts: impl Iterator<Item = String>, dir: &Path) -> Self {
        let long = |least: usize| move |word: &String| word.chars().count() >= least;
        let all = words.filter(long(KNOWN_CHARS_MIN)).chain(hosts.filter(long(HOST_CHARS_MIN)));
        let mut known: Vec<String> = all.map(|word| word.to_lowercase()).filter(|word| !of_program(word)).collect();
        known.sort_by_key(|word| std::cmp::Reverse(word.len()));
        known.dedup();
        Self { known, dir: dir.to_string_lossy().into_owned() }
    }

    /// A text without them.
    pub(super) fn text(&self, text: &str) -> String {
        let text = replaced(&text.replace(&self.dir, "[dir]"), &self.known);
        let mut cleaned = String::with_capacity(text.len());
        let mut word = String::new();
        for c in text.chars().chain(['\n']) {
            if c.is_whitespace() || "\"'()<>{},;=|`".contains(c) {
                cleaned.push_str(&cleaned_word(&word));
                cleaned.push(c);
                word.clear();
            } else {
                word.push(c);
            }
        }
        cleaned.pop();
        cleaned
    }

    /// The last look at everything, whatever it is: texts of the house that are no plain words of the program's language.
    pub(super) fn last(&self, text: &str) -> String {
        let odd = |word: &&String| word.contains(|c: char| !c.is_ascii_lowercase());
        replaced(text, &self.known.iter().filter(odd).cloned().collect::<Vec<_>>())
    }
}

/// Words that the program has itself: what may stand in a setting by its nature, defaults, its own name.
fn of_program(word: &str) -> bool {
    let settings = SECTIONS.iter().flat_map(|section| section.settings);
    let mine = settings.flat_map(|setting| match setting.kind {
        Kind::Choice(words) => words.to_vec(),
        _ => vec![setting.default.trim_matches('"')],
    });
    word == "kontor" || mine.into_iter().any(|own| own.to_lowercase() == word)
}

/// What stands in quotes, and names of targets before their equals sign.
fn quoted(config: &str) -> impl Iterator<Item = String> {
    let lines: Vec<String> =
        config.lines().filter(|line| !line.trim_start().starts_with('#')).map(str::to_owned).collect();
    let targets = lines.iter().skip_while(|line| line.trim() != "[backup.targets]").skip(1);
    let targets = targets.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once('='));
    let tables = lines.iter().filter_map(|line| line.trim().strip_prefix("[backup.targets."));
    let names: Vec<String> = targets
        .map(|(name, _)| name.trim().trim_matches('"').to_owned())
        .chain(tables.map(|name| name.trim_end_matches(']').trim_matches('"').to_owned()))
        .collect();
    let texts: Vec<String> = lines
        .iter()
        .flat_map(|line| {
            ['"', '\''].map(|quote| line.split(quote).skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        })
        .flatten()
        .collect();
    texts.into_iter().chain(names)
}

/// Login and name of an account of a person, in a line of `passwd(5)`.
fn people(line: &str) -> Vec<&str> {
    let parts: Vec<&str> = line.split(':').collect();
    let [login, _, uid, _, name, ..] = parts[..] else { return Vec::new() };
    let uid: u32 = uid.parse().unwrap_or(0);
    if !(PEOPLE_UID_MIN..UID_NOBODY).contains(&uid) {
        return Vec::new();
    }
    std::iter::once(login).chain(name.split([',', ' '])).collect()
}

/// The text with these words, whatever their case, as `[removed]`. They stand alone: `data` in `database` is another word.
fn replaced(text: &str, words: &[String]) -> String {
    let mut text = text.to_owned();
    for word in words {
        let lower = text.to_lowercase();
        // Where lower case is longer or shorter, places would not agree; such a text is cleaned by patterns alone.
        if lower.len() != text.len() || !lower.contains(word.as_str()) {
            continue;
        }
        let (mut made, mut from) = (String::with_capacity(text.len()), 0);
        for (at, _) in lower.match_indices(word.as_str()) {
            let end = at + word.len();
            let joined = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            let (before, after) = (
                lower.get(..at).and_then(|part| part.chars().next_back()),
                lower.get(end..).and_then(|part| part.chars().next()),
            );
            if at < from || joined(before) || joined(after) {
                continue;
            }
            made.push_str(text.get(from..at).unwrap_or_default());
            made.push_str("[removed]");
            from = end;
        }
        made.push_str(text.get(from..).unwrap_or_default());
        text = made;
    }
    text
}

/// A word, or what stands for it.
fn cleaned_word(word: &str) -> String {
    let bare = word.trim_matches(|c: char| ".:!?[]".contains(c));
    let told = match bare {
        "" => return word.to_owned(),
        _ if word.contains("[removed]") || word.contains("[dir]") => return with_dir(word),
        _ if bare.contains('@') => "[mail]",
        _ if bare.contains("://") => "[address]",
        _ if is_address(bare) => "[address]",
        _ if bare.starts_with('/') => "[path]",
        _ if is_host(bare) => "[host]",
        _ if is_id(bare) => "[id]",
        _ if is_key(bare) => "[key]",
        _ if bare.chars().any(|c| c.is_alphabetic() && !c.is_ascii()) => "[text]",
        _ => return word.to_owned(),
    };
    let behind = word.split_once(bare).map_or("", |(_, behind)| behind);
    format!("{told}{behind}")
}

/// A path below the appliance's folder: its first two parts are the program's.
fn with_dir(word: &str) -> String {
    let bare = word.trim_end_matches(|c: char| ".:!?".contains(c));
    let behind = word.get(bare.len()..).unwrap_or_default();
    let Some((before, rest)) = bare.split_once("[dir]") else { return word.to_owned() };
    let plain = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || ".-_".contains(c));
    let parts: Vec<&str> = rest.split('/').skip(1).take_while(plain).take(2).collect();
    let before = if before.is_empty() { "" } else { "[text]" };
    parts.iter().fold(format!("{before}[dir]"), |path, part| path + "/" + part) + behind
}

/// An address of IP version 4 or 6, with a port, a network or a zone behind it.
fn is_address(word: &str) -> bool {
    let parses = |text: &str| text.parse::<IpAddr>().is_ok();
    let bare = word.split(['/', '%']).next().unwrap_or_default().trim_start_matches('[');
    let without_port = bare.rsplit_once(':').map_or(bare, |(host, _)| host).trim_end_matches(']');
    parses(bare.trim_end_matches(']')) || parses(without_port)
}

/// Labels with dots between, the last of letters; not a file, and not a setting.
fn is_host(word: &str) -> bool {
    let host = word.split([':', '/']).next().unwrap_or_default();
    let label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let Some((_, last)) = host.rsplit_once('.') else { return false };
    let setting = SECTIONS
        .iter()
        .any(|section| section.settings.iter().any(|one| format!("{}.{}", section.name, one.key) == word));
    last.len() >= 2
        && last.chars().all(|c| c.is_ascii_alphabetic())
        && host.split('.').all(label)
        && !FILES.contains(&last)
        && !setting
}

/// An id of a record, or of anything else: 36 characters with four hyphens.
fn is_id(word: &str) -> bool {
    word.len() == 36 && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-') && word.matches('-').count() == 4
}

fn is_key(word: &str) -> bool {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "+/_-:.".contains(c));
    let mixed = word.chars().any(|c| c.is_ascii_digit()) && word.chars().any(|c| c.is_ascii_alphabetic());
    // Moments are long, too, and are wanted.
    let moment = word.starts_with("20") && word.contains('T') && word.ends_with('Z');
    word.len() >= KEY_CHARS_MIN && plain && mixed && !moment && !word.starts_with("set-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrub() -> Scrub {
        let config = "node = \"Nordlicht\"\n[server]\nnames = ['crm.hanse.example']\n# \"comment\"\n[backup.targets]\nelbdisk = \"/mnt/x\"\n\
                      [backup.targets.weser]\ns3 = \"https://s3.hanse.example\"\n[log]\nlevel = \"debug\"\n[mail]\nuser = \"kontor\"\n";
        Scrub::knowing(quoted(config), ["bankhost07".to_owned(), "vm".to_owned()].into_iter(), Path::new("/srv/kontor"))
    }

    #[test]
    fn what_a_house_may_have_chosen_goes() {
        for (text, cleaned) in [
            ("target elbdisk: no set yet", "target [removed]: no set yet"),
            ("node \"NORDLICHT\" and weser", "node \"[removed]\" and [removed]"),
            ("bankhost07 systemd[1]: started", "[removed] systemd[1]: started"),
            ("on vm: svm", "on [removed]: svm"),
            ("mail to anna.huber@hanse.example failed", "mail to [mail] failed"),
            ("from 10.1.2.3, [2001:db8::1]:443 and fe80::1%eth0.", "from [address], [address] and [address]."),
            ("serving url=\"https://127.0.0.1:8443\"", "serving url=\"[address]\""),
            ("cannot reach db7.intern.hanse.example:5432", "cannot reach [host]"),
            ("/srv/kontor/data/kontor.db: 12 MiB", "[dir]/data/kontor.db: 12 MiB"),
            ("/srv/kontor/data/files/0190aa: gone", "[dir]/data/files: gone"),
            ("/mnt/anna/x.csv: no such file", "[path]: no such file"),
            ("record 01890a5d-ac96-774b-bcce-b302099a8057 of 李娜", "record [id] of [text]"),
            ("token 9f86d081884c7d659a2feaa0c55ad015", "token [key]"),
        ] {
            let found = scrub().text(text);
            assert_eq!(found, cleaned);
            for left in ["elbdisk", "nordlicht", "hanse", "anna", "10.1.2.3", "2001:db8", "01890a5d", "李", "9f86"] {
                assert!(!found.to_lowercase().contains(left), "{left} in {found}");
            }
        }
    }

    #[test]
    fn what_the_program_says_stays() {
        for text in [
            "2026-01-31T02:15:00.000000Z warning the log took nothing for 181 s",
            "config_invalid: backup.schedule: write it as cron has it (kontor.toml)",
            "the certificate is good for 12 days; SQLite 3.51.1, kernel 6.1.0-18-amd64",
            "set-00000042-20260131T021500Z was made in 3.2 s at debug level by kontor.service",
            "comment",
        ] {
            assert_eq!(scrub().text(text), text);
        }
    }

    #[test]
    fn the_last_look_takes_names_and_leaves_words() {
        assert_eq!(scrub().last("{\"weser\": \"crm.hanse.example\"}"), "{\"weser\": \"[removed]\"}");
        assert_eq!(scrub().last("bankhost07x"), "bankhost07x");
    }

    #[test]
    fn people_of_the_machine_are_known_and_its_services_are_not() {
        assert_eq!(people("anna:x:1000:1000:Anna Huber,,,:/mnt/anna:/bin/sh"), ["anna", "Anna", "Huber", "", "", ""]);
        assert!(people("kontor:x:900:900::/var/lib/kontor:/usr/sbin/nologin").is_empty());
    }
}
