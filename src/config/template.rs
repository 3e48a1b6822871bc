//! The text of a new configuration: every key with what it means, so that whoever edits it needs no other page.

use std::path::Path;

/// Where a new appliance listens unless it is told otherwise.
pub(crate) const DEFAULT_LISTEN: &str = "127.0.0.1:8443";

/// What `init` writes into a new configuration.
pub(crate) struct NewConfig<'a> {
    /// Address and port.
    pub(crate) listen: &'a str,
    /// Names for the certificate.
    pub(crate) names: &'a [String],
    /// The file with the address of a PostgreSQL server, and its authority.
    pub(crate) postgres: Option<(&'a Path, Option<&'a Path>)>,
    /// Whether there is a key file slot.
    pub(crate) key_file: bool,
}

/// The text of a new configuration, every key with what it means.
pub(crate) fn new_text(new: &NewConfig<'_>) -> String {
    // A TOML basic string has the escapes of a JSON string.
    let quote = |text: &str| serde_json::Value::from(text).to_string();
    let names: Vec<String> = new.names.iter().map(|name| quote(name)).collect();
    let database = match new.postgres {
        None => "engine = \"sqlite\"\n# url_file = \"/etc/kontor/database-url\"\n# ca_file = \"/etc/kontor/database-ca.pem\"\n".to_owned(),
        Some((url, ca)) => {
            let ca = ca.map_or_else(|| "# ca_file = \"/etc/kontor/database-ca.pem\"".to_owned(), |ca| format!("ca_file = {}", quote(&ca.to_string_lossy())));
            format!("engine = \"postgres\"\nurl_file = {}\n{ca}\n", quote(&url.to_string_lossy()))
        }
    };
    let key_file = if new.key_file { "key_file = \"keys/unseal.key\"" } else { "# key_file = \"keys/unseal.key\"" };
    TEMPLATE
        .replace("@LISTEN@", &quote(new.listen))
        .replace("@NAMES@", &names.join(", "))
        .replace("@DATABASE@", &database)
        .replace("@KEY_FILE@", key_file)
}

const TEMPLATE: &str = r#"# The configuration of this Kontor appliance. Check it with: kontor config check --dir DIR
# Relative paths begin at the folder of this file. Unknown keys are refused. No secret stands here.

# The name of this node in the audit log; with several nodes each has its own.
node = "kontor"

[server]
# Address and port of the web interface and the API.
listen = @LISTEN@
# HTTP instead of HTTPS. Possible on a loopback address only, for a proxy on the same machine.
plain_http_on_loopback = false
# Names and addresses by which browsers reach this machine, beside localhost; they stand in the certificate.
names = [@NAMES@]

[database]
# "sqlite": one file below data/, the default. "postgres": a PostgreSQL server, version 15 or newer.
# url_file: a file (mode 0600) that holds postgres://user:password@host:5432/database
# ca_file: the PEM file of the authority that signed the server's certificate; needed unless it runs on this machine.
@DATABASE@
[unseal]
# The key file with which the appliance unseals itself at start. Without it, it starts sealed and waits for
# `kontor unseal`. Whoever has this file and the data can read everything: keep them on different disks.
@KEY_FILE@

[log]
# What the process writes to its error stream: "error", "warn", "info" or "debug". Not the audit log, which is always whole.
level = "info"
# "text" for people, "json" for collectors.
format = "text"

[backup]
# When a backup set is made: minute, hour, day of month, month, day of week, in UTC, as cron has it. One that was missed
# while the appliance was down is made up for. "" makes none by itself.
schedule = "15 2 * * *"
# When the newest set is restored into a scratch folder and looked through.
drill = "45 3 * * *"
# How old, in hours, the newest set may be that was proven so, before the health page and the mail say so; 0 never.
proven_max_hours = 48
# Whether the appliance's unseal secret opens its sets. Without it there is no drill, and the recipients below alone open them.
own_key = true
# Further keys that open the sets, as `age-keygen` prints them: ["age1..."]
recipients = []
# How many sets stay: the newest of each of so many days, weeks, months and years, and never fewer than keep_at_least.
keep_daily = 7
keep_weekly = 4
keep_monthly = 12
keep_yearly = 7
keep_at_least = 3
# Hours between the decision that a set may go and its going.
delete_after_hours = 72
# MiB a second, at most; 0 means as fast as it goes.
mib_per_second = 0

# What is committed goes on at once, so that one can go back to any second (not on PostgreSQL, which has its own means).
[backup.ship]
# A target below that every answer waits for: what was answered survives the loss of this machine. A folder on another disk.
sync = ""
# Further targets that get everything within a second.
also = []
# true: nothing is written while the target of sync does not take it. false: work goes on, and the health page says so.
strict = false
# MiB that may wait for a target that does not answer; beyond them a new set is made when it is back.
spool_mib = 1024
# How many days back one can go to any second.
window_days = 7

# Where the sets go, each to all of them: a name of your own and a folder that is there, best on another disk or mounted
# from another machine; or a store that speaks S3, with a file (mode 0600) that has two lines, the id of the access key and
# its secret; or a server with SFTP, with the fingerprint of its host key and a private key (mode 0600). Without a line here there are no backups, and the health page says so. Nothing but these and the relay below is ever connected to.
[backup.targets]
# disk2 = "/mnt/disk2/kontor"
# store = { s3 = "https://s3.example.org/bucket/prefix", region = "eu-central-1", credentials_file = "/etc/kontor/s3" }
# nas = { sftp = "sftp://kontor@nas.example.org/backups", host_key = "SHA256:…", key_file = "/etc/kontor/nas.key" }

# Alarms at once and a digest each day, by mail through the relay of the site. Without a relay none is sent. Try it out with
# `kontor mail test`.
[mail]
# The host name of the relay, as its certificate has it. "" sends nothing.
relay = ""
# "starttls" (port 587), "tls" (port 465) or "none" (port 25); another port is named with port = …
tls = "starttls"
# The PEM file of the authority that signed the relay's certificate; without it those that the system trusts.
# ca_file = "/etc/kontor/relay-ca.pem"
# Whom to sign in as, and a file (mode 0600) with the password, where the relay asks for it.
# user = "kontor"
# password_file = "/etc/kontor/relay-password"
# The address that letters come from.
# from = "kontor@example.org"
# "en" or "zh".
language = "en"
# When the digest is sent, in UTC, as cron has it; "" never.
digest = "0 6 * * *"
# Minutes in which the same thing is not told twice.
quiet_minutes = 60

# Who gets what: lists of addresses. digest: each day; backup: backups and drills; system: disk, database, certificate; audit:
# the audit log.
[mail.to]
digest = []
backup = []
system = []
audit = []
"#;
