//! The section `[backup.targets]`: where sets go. A text is a folder; a table names a store that speaks S3 or a server with
//! SFTP, and the files that hold the credentials. What is not named here is never connected to.

use super::{Section, host_name_is_plain};
use crate::appliance::Layout;
use config::{Value, ValueKind};
use outbound::{S3Settings, SftpSettings};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Characters of the name of a target.
const NAME_CHARS_MAX: usize = 32;
/// Most targets.
const TARGETS_MAX: usize = 16;
/// Characters of an address, and of each part of it.
const ADDRESS_CHARS_MAX: usize = 512;
/// The authorities that a Debian or Red Hat system trusts.
pub(super) const SYSTEM_AUTHORITIES: [&str; 2] = [DEBIAN_AUTHORITIES, "/etc/pki/tls/certs/ca-bundle.crt"];
pub(super) const DEBIAN_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Where sets go.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TargetConfig {
    /// A folder: another disk, or what is mounted there.
    Folder(PathBuf),
    /// A store that speaks S3.
    S3(S3Settings),
    /// A server with SFTP.
    Sftp(SftpSettings),
}

impl TargetConfig {
    /// Where it is, for people.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Folder(path) => path.display().to_string(),
            Self::S3(at) => format!("s3 {}/{}/{}", at.host, at.bucket, at.prefix),
            Self::Sftp(at) => format!("sftp {}@{}:{} {}", at.user, at.host, at.port, at.folder),
        }
    }
    /// The files it needs: key, file, and whether only its owner may read it.
    pub(super) fn files(&self) -> Vec<(&'static str, &Path, bool)> {
        match self {
            Self::Folder(_) => Vec::new(),
            Self::S3(at) => {
                let ca = (!at.plain_http).then_some(("ca_file", at.ca_file.as_path(), false));
                ca.into_iter().chain([("credentials_file", at.credentials.as_path(), true)]).collect()
            }
            Self::Sftp(at) => {
                let key = at.key_file.as_deref().map(|file| ("key_file", file, true));
                let password = at.password_file.as_deref().map(|file| ("password_file", file, true));
                key.into_iter().chain(password).collect()
            }
        }
    }
}

pub(super) fn targets_of(section: &mut Section<'_>, layout: &Layout) -> Vec<(String, TargetConfig)> {
    let mut targets = Vec::new();
    let table = section.section("targets");
    if table.len() > TARGETS_MAX {
        section.problem("targets", format!("at most {TARGETS_MAX} targets."));
    }
    for (name, value) in table {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(plain) {
            section.problem("targets", format!("a name has 1 to {NAME_CHARS_MAX} letters a to z, digits, - and _."));
            continue;
        }
        if let Some(target) = target_of(section, &name, value, layout) {
            targets.push((name, target));
        }
    }
    targets
}

fn target_of(section: &mut Section<'_>, name: &str, value: Value, layout: &Layout) -> Option<TargetConfig> {
    let key = format!("{}.targets.{name}", section.name);
    match value.kind {
        ValueKind::String(path) if !path.is_empty() => Some(TargetConfig::Folder(layout.resolve(Path::new(&path)))),
        ValueKind::Table(table) if table.contains_key("s3") => {
            let values = table.into_iter().collect();
            s3_of(Section { name: &key, values, problems: section.problems }, layout).map(TargetConfig::S3)
        }
        ValueKind::Table(table) if table.contains_key("sftp") => {
            let values = table.into_iter().collect();
            sftp_of(Section { name: &key, values, problems: section.problems }, layout).map(TargetConfig::Sftp)
        }
        _ => {
            let what = "write the path of a folder in double quotes, or { s3 = \"https://…\", … } or { sftp = \"sftp://…\", … }.";
            section.problem(&format!("targets.{name}"), what.to_owned());
            None
        }
    }
}

fn s3_of(mut section: Section<'_>, layout: &Layout) -> Option<S3Settings> {
    let address = section.text("s3").unwrap_or_default();
    let parsed = address_of(&address);
    if parsed.is_none() {
        let what = "write https://HOST/BUCKET or https://HOST/BUCKET/PREFIX; http:// only for this machine itself.";
        section.problem("s3", what.to_owned());
    }
    let region = section.text("region").unwrap_or_else(|| "us-east-1".to_owned());
    if region.is_empty() || !region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        section.problem("region", "write the region as the store names it, such as \"eu-central-1\".".to_owned());
    }
    let path_style = section.flag("path_style").unwrap_or(true);
    let system = || SYSTEM_AUTHORITIES.iter().map(PathBuf::from).find(|path| path.exists());
    let ca_file = section.text("ca_file").map(|path| layout.resolve(Path::new(&path))).or_else(system);
    let credentials = section.text("credentials_file").map(|path| layout.resolve(Path::new(&path)));
    if credentials.is_none() {
        let what = "name a file (mode 0600) with two lines: the id of the access key, and its secret.";
        section.problem("credentials_file", what.to_owned());
    }
    section.close_as("backup.targets.NAME (S3)");
    let (plain_http, host, bucket, prefix) = parsed?;
    let ca_file = ca_file.unwrap_or_else(|| PathBuf::from(DEBIAN_AUTHORITIES));
    Some(S3Settings { host, plain_http, bucket, prefix, region, path_style, ca_file, credentials: credentials? })
}

fn sftp_of(mut section: Section<'_>, layout: &Layout) -> Option<SftpSettings> {
    let server = server_of(&section.text("sftp").unwrap_or_default());
    if server.is_none() {
        let what =
            "write sftp://USER@HOST/FOLDER or sftp://USER@HOST:PORT/FOLDER; /~/FOLDER lies below the account's own.";
        section.problem("sftp", what.to_owned());
    }
    let host_key = section.text("host_key").unwrap_or_default();
    let print = host_key.strip_prefix("SHA256:").unwrap_or_default();
    if print.len() != 43 || !print.chars().all(|c| c.is_ascii_alphanumeric() || "+/".contains(c)) {
        let what = "write the fingerprint of the server's key, SHA256:…, as ssh-keygen -lf shows it at the server.";
        section.problem("host_key", what.to_owned());
    }
    let mut file = |key: &str| section.text(key).map(|path| layout.resolve(Path::new(&path)));
    let (key_file, password_file) = (file("key_file"), file("password_file"));
    if key_file.is_some() == password_file.is_some() {
        section.problem("key_file", "name either a key_file or a password_file (mode 0600).".to_owned());
    }
    section.close_as("backup.targets.NAME (SFTP)");
    let (user, host, port, folder) = server?;
    Some(SftpSettings { host, port, user, folder, host_key, key_file, password_file })
}

/// Account, host, port and folder.
fn server_of(address: &str) -> Option<(String, String, u16, String)> {
    let (who, path) = address.strip_prefix("sftp://")?.split_once('/')?;
    let (user, host) = who.split_once('@')?;
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (host, 22),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let folder = match path.strip_prefix("~/") {
        Some(below) => below.to_owned(),
        None => format!("/{path}"),
    };
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let fits = address.len() <= ADDRESS_CHARS_MAX
        && plain(user)
        && host_name_is_plain(host)
        && !folder.chars().any(char::is_control)
        && folder.split('/').all(|part| part != "..");
    fits.then(|| (user.to_owned(), host.to_owned(), port, folder))
}

/// Whether it is HTTP, host and port, bucket, prefix.
fn address_of(address: &str) -> Option<(bool, String, String, String)> {
    let (plain, rest) = match (address.strip_prefix("https://"), address.strip_prefix("http://")) {
        (Some(rest), _) => (false, rest),
        (None, rest) => (true, rest?),
    };
    let (host, path) = rest.split_once('/')?;
    let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.parse::<u16>().is_ok() { name } else { host });
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let loopback = bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let plain_word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let fits = address.len() <= ADDRESS_CHARS_MAX
        && host_name_is_plain(bare)
        && (loopback || !plain)
        && !bucket.is_empty()
        && plain_word(bucket)
        && prefix.trim_matches('/').split('/').all(|part| plain_word(part) && part != ".." && part != ".");
    fits.then(|| (plain, host.to_owned(), bucket.to_owned(), prefix.trim_matches('/').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_stores_are_parted() {
        for (address, wanted) in [
            ("https://s3.example.org/sets", Some((false, "s3.example.org", "sets", ""))),
            (
                "https://s3.example.org:9000/sets/kontor/one/",
                Some((false, "s3.example.org:9000", "sets", "kontor/one")),
            ),
            ("http://127.0.0.1:9000/sets", Some((true, "127.0.0.1:9000", "sets", ""))),
            ("http://s3.example.org/sets", None),
            ("https://s3.example.org/", None),
            ("https://s3.example.org", None),
            ("https://key:secret@s3.example.org/sets", None),
            ("https://s3.example.org/sets/../other", None),
            ("https://s3.example.org/sets?x=1", None),
            ("s3://sets", None),
        ] {
            let found = address_of(address);
            let found = found.as_ref().map(|(plain, host, bucket, prefix)| (*plain, &**host, &**bucket, &**prefix));
            assert_eq!(found, wanted, "{address}");
        }
    }

    #[test]
    fn addresses_of_servers_are_parted() {
        for (address, wanted) in [
            (
                "sftp://kontor@nas.example.org/backups/kontor",
                Some(("kontor", "nas.example.org", 22, "/backups/kontor")),
            ),
            ("sftp://kontor@192.0.2.7:2222/~/sets", Some(("kontor", "192.0.2.7", 2222, "sets"))),
            ("sftp://kontor@[2001:db8::1]:2222/sets", Some(("kontor", "2001:db8::1", 2222, "/sets"))),
            ("sftp://kontor@[2001:db8::1]/sets", Some(("kontor", "2001:db8::1", 22, "/sets"))),
            ("sftp://nas.example.org/sets", None),
            ("sftp://kontor:secret@nas.example.org/sets", None),
            ("sftp://kontor@nas.example.org", None),
            ("sftp://kontor@nas.example.org/../etc", None),
            ("ftp://kontor@nas.example.org/sets", None),
        ] {
            let found = server_of(address);
            let found = found.as_ref().map(|(user, host, port, folder)| (&**user, &**host, *port, &**folder));
            assert_eq!(found, wanted, "{address}");
        }
    }
}
