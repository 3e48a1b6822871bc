//! The configuration of one appliance: `kontor.toml`, read strictly into one struct per concern, every mistake told at
//! once. It holds no secret: where one is needed, it names the file that does. It never opens a database or a key.

mod backup;
mod mail;
mod moved;
pub(crate) mod reference;
mod section;
mod ship;
mod targets;
mod template;

pub(crate) use backup::{BackupConfig, Schedule};
pub(crate) use mail::MailConfig;
pub(crate) use moved::{quoted, with_database, with_values};
pub(crate) use ship::ShipConfig;
pub(crate) use targets::TargetConfig;
pub(crate) use template::{DEFAULT_LISTEN, NewConfig, new_text};

use crate::appliance::Layout;
use crate::appliance::layout::is_credential;
use config::{FileFormat, Value};
use kernel::limits;
use section::Section;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Characters of the name of a node in the log.
const NODE_CHARS_MAX: usize = 64;
/// Characters of one host name (RFC 1035 section 2.3.4).
const HOST_CHARS_MAX: usize = 253;
/// Host names of one certificate.
const HOSTS_MAX: usize = 50;
/// Seconds that a stop may wait for a load balancer to look elsewhere.
const DRAIN_SECONDS_MAX: u64 = 300;

/// Everything that can be configured.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// The name of this node in the log.
    pub(crate) node: String,
    /// The network side.
    pub(crate) server: ServerConfig,
    /// Where the data lies.
    pub(crate) database: DatabaseConfig,
    /// How the root key is found.
    pub(crate) unseal: UnsealConfig,
    /// What the process says about itself.
    pub(crate) log: LogConfig,
    /// When sets are made, where they go, and how long they stay.
    pub(crate) backup: BackupConfig,
    /// Which letters go to whom; none without a relay.
    pub(crate) mail: Option<MailConfig>,
    /// The folder of sealed files, where it is not below the appliance's own.
    pub(crate) files: Option<PathBuf>,
    /// The file with the token that figures are told for; without one none are.
    pub(crate) metrics_token_file: Option<PathBuf>,
}

/// The network side.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ServerConfig {
    /// Address and port.
    pub(crate) listen: SocketAddr,
    /// HTTP instead of HTTPS; possible on a loopback address only.
    pub(crate) plain_http_on_loopback: bool,
    /// Host names and addresses in the certificate beside `localhost`.
    pub(crate) names: Vec<String>,
    /// Seconds in which it says that it stops and still answers, before it stops.
    pub(crate) drain_seconds: u64,
    /// Who is believed when it says for whom it asks.
    pub(crate) proxies: api::Proxies,
}

/// Where the data lies.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DatabaseConfig {
    /// In a file of the appliance.
    Sqlite,
    /// On a PostgreSQL server.
    Postgres {
        /// The file that holds the address with its password.
        url_file: PathBuf,
        /// The authority that signed the server's certificate.
        ca_file: Option<PathBuf>,
    },
}

/// How the root key is found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UnsealConfig {
    /// The key file; without one the appliance starts sealed.
    pub(crate) key_file: Option<PathBuf>,
}

/// What the process says about itself, on the error stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LogConfig {
    /// From which level on.
    pub(crate) level: tracing::Level,
    /// One JSON object a line instead of text.
    pub(crate) json: bool,
}

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The key, as `section.key`; empty for the file as a whole.
    pub(crate) key: String,
    /// What is wrong and what to write.
    pub(crate) what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() { f.write_str(&self.what) } else { write!(f, "{}: {}", self.key, self.what) }
    }
}

impl Config {
    /// Reads the configuration of an appliance; all problems at once.
    pub(crate) fn read(layout: &Layout) -> Result<Self, Vec<Problem>> {
        let path = layout.config();
        let whole = |what: String| vec![Problem { key: String::new(), what }];
        let file = File::open(&path).map_err(|error| {
            whole(format!("{} cannot be read: {error}. Is this the folder of an appliance?", path.display()))
        })?;
        let mut text = String::new();
        file.take(limits::CONFIG_BYTES_MAX + 1)
            .read_to_string(&mut text)
            .map_err(|error| whole(format!("{} cannot be read: {error}.", path.display())))?;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > limits::CONFIG_BYTES_MAX {
            return Err(whole(format!("{} has more than {} bytes.", path.display(), limits::CONFIG_BYTES_MAX)));
        }
        Self::parse(&text, layout)
    }

    /// Reads the text of a configuration. Relative paths are meant from the appliance's folder.
    pub(crate) fn parse(text: &str, layout: &Layout) -> Result<Self, Vec<Problem>> {
        let built = config::Config::builder().add_source(config::File::from_str(text, FileFormat::Toml)).build();
        let root = built.and_then(config::Config::try_deserialize::<BTreeMap<String, Value>>);
        let root =
            root.map_err(|error| vec![Problem { key: String::new(), what: format!("not valid TOML: {error}") }])?;
        let mut problems = Vec::new();
        let mut root = Section { name: "", values: root, problems: &mut problems };
        let node = root.text("node").unwrap_or_else(|| "kontor".to_owned());
        if node.is_empty() || node.chars().count() > NODE_CHARS_MAX || node.chars().any(char::is_control) {
            root.problem("node", format!("write 1 to {NODE_CHARS_MAX} printable characters."));
        }
        let (server, database) = (root.section("server"), root.section("database"));
        let (unseal, log) = (root.section("unseal"), root.section("log"));
        let (backup, mail, files) = (root.section("backup"), root.section("mail"), root.section("files"));
        let metrics = root.section("metrics");
        root.close();
        let server = server_of(Section { name: "server", values: server, problems: &mut problems });
        let database = database_of(Section { name: "database", values: database, problems: &mut problems }, layout);
        let mut unseal = Section { name: "unseal", values: unseal, problems: &mut problems };
        let key_file = unseal.text("key_file").map(|path| layout.resolve(Path::new(&path)));
        unseal.close();
        let mut files = Section { name: "files", values: files, problems: &mut problems };
        let files_folder = files.text("folder").map(|path| layout.resolve(Path::new(&path)));
        files.close();
        let log = log_of(Section { name: "log", values: log, problems: &mut problems });
        let backup = backup::backup_of(Section { name: "backup", values: backup, problems: &mut problems }, layout);
        let mail = mail::mail_of(Section { name: "mail", values: mail, problems: &mut problems }, layout);
        let mut metrics = Section { name: "metrics", values: metrics, problems: &mut problems };
        let token_file = metrics.text("token_file").filter(|path| !path.is_empty());
        let metrics_token_file = token_file.map(|path| layout.resolve(Path::new(&path)));
        metrics.close();
        if backup.ship.is_some() && matches!(database, Some(DatabaseConfig::Postgres { .. })) {
            problems.push(Problem {
                key: "backup.ship".to_owned(),
                what: "PostgreSQL ships by its own write-ahead log archive (docs/admin/backup.md); remove the section."
                    .to_owned(),
            });
        }
        match (server, database) {
            (Some(server), Some(database)) if problems.is_empty() => {
                let (unseal, files) = (UnsealConfig { key_file }, files_folder);
                Ok(Self { node, server, database, unseal, log, backup, mail, files, metrics_token_file })
            }
            _ => Err(problems),
        }
    }

    /// Whether a text of a configuration names this key (`section.key`).
    pub(crate) fn names(text: &str, key: &str) -> bool {
        let built = config::Config::builder().add_source(config::File::from_str(text, FileFormat::Toml)).build();
        built.is_ok_and(|built| built.get::<Value>(key).is_ok())
    }

    /// What the files named here lack, as far as can be seen without using them.
    pub(crate) fn problems_on_disk(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut look = |key: &str, path: &Path, private: bool| {
            let problem = |what: String| Problem { key: key.to_owned(), what };
            match File::open(path).and_then(|file| file.metadata()) {
                Err(error) => problems.push(problem(format!("{} cannot be read: {error}.", path.display()))),
                Ok(found) if private && !is_credential(path) && found.permissions().mode() & 0o077 != 0 => {
                    problems.push(problem(format!("{} can be read by others: run chmod 600 on it.", path.display())));
                }
                Ok(_) => {}
            }
        };
        if let DatabaseConfig::Postgres { url_file, ca_file } = &self.database {
            look("database.url_file", url_file, true);
            ca_file.iter().for_each(|file| look("database.ca_file", file, false));
        }
        self.metrics_token_file.iter().for_each(|file| look("metrics.token_file", file, true));
        self.unseal.key_file.iter().for_each(|file| look("unseal.key_file", file, true));
        for (name, target) in &self.backup.targets {
            for (key, file, private) in target.files() {
                look(&format!("backup.targets.{name}.{key}"), file, private);
            }
        }
        for (key, file, private) in self.mail.iter().flat_map(MailConfig::files) {
            look(key, file, private);
        }
        problems
    }
}

fn server_of(mut section: Section<'_>) -> Option<ServerConfig> {
    let listen = section.text("listen").unwrap_or_else(|| DEFAULT_LISTEN.to_owned());
    let plain = section.flag("plain_http_on_loopback").unwrap_or(false);
    let names = section.texts("names").unwrap_or_default();
    let listen: Option<SocketAddr> = listen.parse().ok();
    match listen {
        None => {
            section.problem("listen", "write an address and a port, such as 127.0.0.1:8443 or [::]:443.".to_owned())
        }
        Some(listen) if plain && !listen.ip().is_loopback() => section.problem(
            "plain_http_on_loopback",
            "HTTP without TLS is possible on a loopback address only; set it to false or listen on 127.0.0.1."
                .to_owned(),
        ),
        Some(_) => {}
    }
    if names.len() > HOSTS_MAX {
        section.problem("names", format!("at most {HOSTS_MAX} names."));
    }
    for (at, name) in names.iter().enumerate() {
        if !host_name_is_plain(name) {
            section.problem(
                &format!("names[{at}]"),
                "write a host name such as crm.example.org, or an IP address.".to_owned(),
            );
        }
    }
    let proxies = proxies_of(&mut section);
    let drain_seconds = section.number("drain_seconds", DRAIN_SECONDS_MAX).unwrap_or(0);
    section.close();
    listen.map(|listen| ServerConfig { listen, plain_http_on_loopback: plain, names, drain_seconds, proxies })
}

fn proxies_of(section: &mut Section<'_>) -> api::Proxies {
    let texts = section.texts("proxies").unwrap_or_default();
    if texts.len() > HOSTS_MAX {
        section.problem("proxies", format!("at most {HOSTS_MAX} proxies."));
    }
    let mut networks = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        match api::Proxies::network(text) {
            Some(network) => networks.push(network),
            None => section.problem(
                &format!("proxies[{at}]"),
                "write the address of a proxy such as 10.0.0.5, or a network such as 10.0.0.0/24.".to_owned(),
            ),
        }
    }
    api::Proxies::new(networks)
}

fn database_of(mut section: Section<'_>, layout: &Layout) -> Option<DatabaseConfig> {
    let engine = section.text("engine").unwrap_or_else(|| "sqlite".to_owned());
    let path = |text: Option<String>| text.map(|path| layout.resolve(Path::new(&path)));
    let (url_file, ca_file) = (path(section.text("url_file")), path(section.text("ca_file")));
    let found = match (engine.as_str(), url_file) {
        ("sqlite", None) => Some(DatabaseConfig::Sqlite),
        ("sqlite", Some(_)) => {
            section.problem("url_file", "only for engine = \"postgres\"; remove it.".to_owned());
            None
        }
        ("postgres", Some(url_file)) => Some(DatabaseConfig::Postgres { url_file, ca_file }),
        ("postgres", None) => {
            section.problem(
                "url_file",
                "engine = \"postgres\" needs the path of a file that holds the address.".to_owned(),
            );
            None
        }
        _ => {
            section.problem("engine", "write \"sqlite\" or \"postgres\".".to_owned());
            None
        }
    };
    section.close();
    found
}

fn log_of(mut section: Section<'_>) -> LogConfig {
    let level = section.text("level").unwrap_or_else(|| "info".to_owned());
    let format = section.text("format").unwrap_or_else(|| "text".to_owned());
    let level = match level.as_str() {
        "error" => tracing::Level::ERROR,
        "warn" => tracing::Level::WARN,
        "info" => tracing::Level::INFO,
        "debug" => tracing::Level::DEBUG,
        _ => {
            section.problem("level", "write \"error\", \"warn\", \"info\" or \"debug\".".to_owned());
            tracing::Level::INFO
        }
    };
    if !matches!(format.as_str(), "text" | "json") {
        section.problem("format", "write \"text\" or \"json\".".to_owned());
    }
    section.close();
    LogConfig { level, json: format == "json" }
}

/// Whether this can stand in a certificate: a DNS name, with a star in front at most, or an IP address.
pub(crate) fn host_name_is_plain(name: &str) -> bool {
    if name.parse::<std::net::IpAddr>().is_ok() {
        return true;
    }
    let rest = name.strip_prefix("*.").unwrap_or(name);
    let label = |label: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (1..=63).contains(&label.len()) && label.chars().all(plain) && !label.starts_with('-') && !label.ends_with('-')
    };
    rest.len() <= HOST_CHARS_MAX && rest.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        Layout::new(Path::new("/srv/kontor"))
    }
    fn keys(text: &str) -> Vec<String> {
        Config::parse(text, &layout()).unwrap_err().into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn what_init_writes_is_what_check_reads() {
        let names = vec!["crm.example.org".to_owned(), "10.0.0.7".to_owned()];
        let plain = NewConfig { listen: "[::1]:9000", names: &names, postgres: None, key_file: true };
        let config = Config::parse(&new_text(&plain), &layout()).unwrap();
        assert_eq!(
            config.server,
            ServerConfig {
                listen: "[::1]:9000".parse().unwrap(),
                plain_http_on_loopback: false,
                names,
                drain_seconds: 0,
                proxies: api::Proxies::default()
            }
        );
        assert_eq!(config.unseal.key_file.as_deref(), Some(Path::new("/srv/kontor/keys/unseal.key")));
        assert_eq!(config.database, DatabaseConfig::Sqlite);
        let url = Path::new("/etc/quo\"te\\d");
        let server = NewConfig {
            listen: DEFAULT_LISTEN,
            names: &[],
            postgres: Some((url, Some(Path::new("ca.pem")))),
            key_file: false,
        };
        let config = Config::parse(&new_text(&server), &layout()).unwrap();
        let ca_file = Some(PathBuf::from("/srv/kontor/ca.pem"));
        assert_eq!(config.database, DatabaseConfig::Postgres { url_file: url.to_owned(), ca_file });
        assert_eq!(config.unseal.key_file, None);
    }

    #[test]
    fn an_empty_file_is_a_configuration() {
        let config = Config::parse("", &layout()).unwrap();
        assert_eq!((config.node.as_str(), config.server.listen.port()), ("kontor", 8443));
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let text = "node = 7\nport = 1\n[server]\nlisten = \"here\"\nnames = [1, \"a b\"]\n[database]\nengine = \"oracle\"\n\
                    [unseal]\nkeyfile = \"x\"\n[log]\nlevel = \"loud\"\nformat = \"xml\"\n[extra]\nx = 1\n";
        assert_eq!(
            keys(text),
            [
                "node",
                "extra",
                "port",
                "server.names[0]",
                "server.listen",
                "server.names[0]",
                "database.engine",
                "unseal.keyfile",
                "log.level",
                "log.format"
            ]
        );
    }

    #[test]
    fn contradictions_are_refused() {
        for (text, expected) in [
            ("[server]\nlisten = \"0.0.0.0:80\"\nplain_http_on_loopback = true", "server.plain_http_on_loopback"),
            ("[database]\nengine = \"postgres\"", "database.url_file"),
            ("[database]\nurl_file = \"x\"", "database.url_file"),
            ("server = 1", "server"),
            ("[server", ""),
        ] {
            assert_eq!(keys(text), [expected], "{text}");
        }
    }

    #[test]
    fn host_names() {
        for (name, plain) in [
            ("crm.example.org", true),
            ("*.example.org", true),
            ("::1", true),
            ("localhost", true),
            ("", false),
            ("-a.example", false),
            ("a..b", false),
            ("ex ample", false),
            ("https://crm", false),
            ("a.*", false),
        ] {
            assert_eq!(host_name_is_plain(name), plain, "{name}");
        }
    }
}
