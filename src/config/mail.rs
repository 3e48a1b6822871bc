//! The section `[mail]`: the relay of the site, whom letters come from and whom they go to. Without a relay no mail is sent and
//! nothing is connected to.

use super::backup::schedule_of;
use super::targets::SYSTEM_AUTHORITIES;
use super::{Schedule, Section, host_name_is_plain};
use crate::appliance::Layout;
use config::Value;
use notify::{Language, RelaySettings, Security, Topic, address_is_plain};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Recipients of one kind.
const RECIPIENTS_MAX: usize = 16;
/// Characters of the name to sign in with.
const USER_CHARS_MAX: usize = 128;
/// Longest quiet period: a week.
const QUIET_MINUTES_MAX: u64 = 7 * 24 * 60;
const QUIET_MINUTES: u64 = 60;
/// The kinds of letters, as the section `[mail.to]` names them.
const KINDS: [(&str, Topic); 4] =
    [("digest", Topic::Digest), ("backup", Topic::Backup), ("system", Topic::System), ("audit", Topic::Audit)];

/// Which letters go through which relay to whom.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MailConfig {
    /// The relay.
    pub(crate) relay: RelaySettings,
    /// The authorities that may have signed its certificate.
    pub(crate) ca_file: PathBuf,
    /// The file with the password.
    pub(crate) password_file: Option<PathBuf>,
    /// The language of letters.
    pub(crate) language: Language,
    /// When the digest is sent; `None` never.
    pub(crate) digest: Option<Schedule>,
    /// Seconds in which one thing is not told twice.
    pub(crate) quiet_seconds: i64,
    to: BTreeMap<Topic, Vec<String>>,
}

impl MailConfig {
    /// Who gets letters of this kind.
    pub(crate) fn to(&self, topic: Topic) -> &[String] {
        self.to.get(&topic).map_or(&[], Vec::as_slice)
    }
    /// Everybody who gets letters, each once.
    pub(crate) fn everybody(&self) -> Vec<String> {
        let mut all: Vec<String> = self.to.values().flatten().cloned().collect();
        all.sort();
        all.dedup();
        all
    }
    /// Where it is, for people.
    pub(crate) fn place(&self) -> String {
        let how = match self.relay.security {
            Security::None => "in clear",
            Security::StartTls => "STARTTLS",
            Security::Tls => "TLS",
        };
        format!("{}:{} ({how})", self.relay.host, self.relay.port)
    }
    /// The files it needs: key, file, and whether only its owner may read it.
    pub(super) fn files(&self) -> Vec<(&'static str, &Path, bool)> {
        let ca = (self.relay.security != Security::None).then_some(("mail.ca_file", self.ca_file.as_path(), false));
        let password = self.password_file.as_deref().map(|file| ("mail.password_file", file, true));
        ca.into_iter().chain(password).collect()
    }
}

/// The section, if it names a relay.
pub(super) fn mail_of(mut section: Section<'_>, layout: &Layout) -> Option<MailConfig> {
    let host = section.text("relay").filter(|host| !host.is_empty());
    if host.as_deref().is_some_and(|host| !host_name_is_plain(host) || host.starts_with('*')) {
        section.problem("relay", "write a host name such as mail.example.org, or an IP address.".to_owned());
    }
    let security = security_of(&mut section);
    let usual = match security {
        Security::None => 25,
        Security::StartTls => 587,
        Security::Tls => 465,
    };
    let port = section.number("port", u64::from(u16::MAX)).and_then(|port| u16::try_from(port).ok());
    let port = port.filter(|port| *port > 0).unwrap_or(usual);
    let path = |text: Option<String>| text.filter(|path| !path.is_empty()).map(|path| layout.resolve(Path::new(&path)));
    let system = || SYSTEM_AUTHORITIES.iter().map(PathBuf::from).find(|path| path.exists());
    let (ca_file, password_file) = (path(section.text("ca_file")), path(section.text("password_file")));
    let ca_file = ca_file.or_else(system).unwrap_or_else(|| PathBuf::from(super::targets::DEBIAN_AUTHORITIES));
    let user = section.text("user").filter(|user| !user.is_empty());
    let loopback = host
        .as_deref()
        .is_some_and(|host| host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()));
    sign_in_fits(&mut section, user.as_deref(), password_file.is_some(), security == Security::None && !loopback);
    let from = section.text("from").unwrap_or_default();
    if host.is_some() && !address_is_plain(&from) {
        section.problem("from", "write the address that letters come from, such as kontor@example.org.".to_owned());
    }
    let language = language_of(&mut section);
    let digest = schedule_of(&mut section, "digest", "0 6 * * *");
    let quiet = section.number("quiet_minutes", QUIET_MINUTES_MAX).unwrap_or(QUIET_MINUTES);
    if quiet == 0 {
        section.problem("quiet_minutes", "write at least 1.".to_owned());
    }
    let to = section.section("to");
    let to = recipients_of(to, section.problems);
    if host.is_some() && to.values().all(Vec::is_empty) {
        section.problem("to", "nobody would get mail: name recipients under [mail.to].".to_owned());
    }
    section.close();
    let relay = RelaySettings { host: host?, port, security, user, from };
    let quiet_seconds = i64::try_from(quiet).unwrap_or(i64::MAX / 60) * 60;
    Some(MailConfig { relay, ca_file, password_file, language, digest, quiet_seconds, to })
}

fn security_of(section: &mut Section<'_>) -> Security {
    match section.text("tls").as_deref() {
        None | Some("starttls") => Security::StartTls,
        Some("tls") => Security::Tls,
        Some("none") => Security::None,
        Some(_) => {
            section.problem("tls", "write \"starttls\", \"tls\" or \"none\".".to_owned());
            Security::StartTls
        }
    }
}

fn language_of(section: &mut Section<'_>) -> Language {
    match section.text("language").as_deref() {
        None | Some("en") => Language::English,
        Some("zh") => Language::Chinese,
        Some(_) => {
            section.problem("language", "write \"en\" or \"zh\".".to_owned());
            Language::English
        }
    }
}

fn sign_in_fits(section: &mut Section<'_>, user: Option<&str>, password: bool, in_clear: bool) {
    let plain = |user: &str| user.chars().count() <= USER_CHARS_MAX && !user.chars().any(char::is_control);
    if user.is_some_and(|user| !plain(user)) {
        section.problem("user", format!("write at most {USER_CHARS_MAX} printable characters."));
    }
    if user.is_some() != password {
        section.problem("password_file", "user and password_file belong together: name both or none.".to_owned());
    }
    if user.is_some() && in_clear {
        let what =
            "with tls = \"none\" the password would go over the network in clear: write \"starttls\" or \"tls\".";
        section.problem("tls", what.to_owned());
    }
}

fn recipients_of(values: BTreeMap<String, Value>, problems: &mut Vec<super::Problem>) -> BTreeMap<Topic, Vec<String>> {
    let mut section = Section { name: "mail.to", values, problems };
    let mut all = BTreeMap::new();
    for (key, topic) in KINDS {
        let addresses = section.texts(key).unwrap_or_default();
        if addresses.len() > RECIPIENTS_MAX {
            section.problem(key, format!("at most {RECIPIENTS_MAX} addresses."));
        }
        for (at, address) in addresses.iter().enumerate() {
            if !address_is_plain(address) {
                section.problem(&format!("{key}[{at}]"), "write one address, such as it@example.org.".to_owned());
            }
        }
        all.insert(topic, addresses);
    }
    section.close();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parsed(text: &str) -> Result<Option<MailConfig>, Vec<String>> {
        let layout = Layout::new(Path::new("/srv/kontor"));
        let keys = |problems: Vec<crate::config::Problem>| problems.into_iter().map(|problem| problem.key).collect();
        Config::parse(text, &layout).map(|config| config.mail).map_err(keys)
    }

    #[test]
    fn off_unless_a_relay_is_named() {
        for text in ["", "[mail]", "[mail]\nrelay = \"\"\n[mail.to]\ndigest = [\"it@example.org\"]"] {
            assert_eq!(parsed(text), Ok(None), "{text}");
        }
        let least =
            "[mail]\nrelay = \"mail.example.org\"\nfrom = \"k@example.org\"\n[mail.to]\naudit = [\"a@example.org\"]";
        let mail = parsed(least).unwrap().unwrap();
        assert_eq!((mail.relay.port, mail.relay.security), (587, Security::StartTls));
        assert_eq!((mail.quiet_seconds, mail.everybody()), (3_600, vec!["a@example.org".to_owned()]));
        assert!(mail.to(Topic::Backup).is_empty() && mail.to(Topic::Audit).len() == 1);
        let tls = parsed(&least.replace("[mail.to]", "tls = \"tls\"\nlanguage = \"zh\"\ndigest = \"\"\n[mail.to]"));
        let tls = tls.unwrap().unwrap();
        assert_eq!((tls.relay.port, tls.language, tls.digest), (465, Language::Chinese, None));
    }

    #[test]
    fn mistakes_are_told_at_once() {
        let text = "[mail]\nrelay = \"a b\"\nport = 70000\ntls = \"ssl\"\nfrom = \"k\"\nuser = \"u\"\nlanguage = \"de\"\n\
                    digest = \"daily\"\nquiet_minutes = 0\nhost = \"x\"\n[mail.to]\nbackup = [\"a@x.example\\nBcc: b@x.example\"]\nboss = []";
        let mut keys = parsed(text).unwrap_err();
        keys.sort();
        assert_eq!(
            keys,
            [
                "mail.digest",
                "mail.from",
                "mail.host",
                "mail.language",
                "mail.password_file",
                "mail.port",
                "mail.quiet_minutes",
                "mail.relay",
                "mail.tls",
                "mail.to.backup[0]",
                "mail.to.boss",
            ]
        );
        let signed = |relay: &str| {
            let rest = "tls = \"none\"\nfrom = \"k@example.org\"\nuser = \"u\"\npassword_file = \"p\"";
            parsed(&format!("[mail]\nrelay = \"{relay}\"\n{rest}\n[mail.to]\naudit = [\"a@example.org\"]"))
        };
        assert_eq!(signed("mail.example.org").unwrap_err(), ["mail.tls"]);
        assert!(signed("127.0.0.1").is_ok(), "this machine hears no more than it knows");
        let nobody = "[mail]\nrelay = \"mail.example.org\"\nfrom = \"k@example.org\"";
        assert_eq!(parsed(nobody).unwrap_err(), ["mail.to"]);
    }
}
