//! `kontor init`: a new appliance in a folder of its own, and a security administrator who can let others in.

use crate::appliance::{Desk, NewAppliance, NewUser, create, fields_of, layout};
use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::cli::secret::PassphraseFile;
use crate::cli::shares;
use crate::cli::{Dir, INSTALLED_DIR};
use crate::config::{DEFAULT_LISTEN, host_name_is_plain};
use audit::Verb;
use clap::ValueEnum;
use identity::{Channel, PasswordOrigin, password_generate};
use kernel::{Code, RecordId};
use metadata::Profile;
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What the packages bring to start it; see systemd/.
const INSTALLED_UNIT: &str = "/usr/lib/systemd/system/kontor.service";

/// Makes a new appliance: keys, certificates, configuration, database, and a first security administrator.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  kontor init --dir /srv/kontor --admin anna
  kontor init --dir /srv/kontor --unseal both --profile strict --listen 0.0.0.0:443 --name crm.example.org --admin anna
  kontor init --dir /srv/kontor --database-url-file /etc/kontor/database-url --database-ca-file /etc/kontor/ca.pem

DIR must not exist yet, or be empty. The passphrase is asked for twice, or read from --passphrase-file; nobody can \
recover it. Prints the administrator's first password once, and what to do next. When something fails, what was made is \
taken away again.
Exit codes: 0 done; 2 not done.")]
pub(crate) struct InitArgs {
    #[command(flatten)]
    dir: Dir,
    /// Which fields are encrypted: `standard` contact data and numbers, `strict` also names and subjects. Cannot be changed later.
    #[arg(long, value_enum, default_value = "standard")]
    profile: ProfileArg,
    /// What opens the appliance after a start: a passphrase that somebody types, a key file on this machine, or both.
    #[arg(long, value_enum, default_value = "passphrase")]
    unseal: UnsealArg,
    #[command(flatten)]
    from: PassphraseFile,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_LISTEN)]
    listen: SocketAddr,
    /// Host names or addresses by which browsers will reach it; they stand in the certificate.
    #[arg(long = "name", value_name = "HOST", num_args = 1..)]
    names: Vec<String>,
    /// The login of a security administrator to make; can be given several times. Two are better than one.
    #[arg(long = "admin", value_name = "LOGIN")]
    admins: Vec<String>,
    /// A folder for the sheets of recovery shares, which open the appliance when passphrase and key file are lost. Without it
    /// none are made; `kontor slot add-shares` makes them later.
    #[arg(long, value_name = "DIR")]
    share_sheets: Option<PathBuf>,
    #[command(flatten)]
    share_numbers: shares::Numbers,
}

/// A database server in place of the embedded database.
#[derive(clap::Args)]
pub(crate) struct DatabaseArgs {
    /// A file (mode 0600) with the address of a PostgreSQL server, postgres://user:password@host:5432/database, instead
    /// of the embedded database.
    #[arg(long, value_name = "FILE")]
    database_url_file: Option<PathBuf>,
    /// The PEM file of the authority that signed that server's certificate; needed unless it runs on this machine.
    #[arg(long, value_name = "FILE", requires = "database_url_file")]
    database_ca_file: Option<PathBuf>,
}

impl DatabaseArgs {
    /// The files with the address and the authority, as the configuration will name them.
    pub(crate) fn server(&self) -> Result<Option<(PathBuf, Option<PathBuf>)>, Failure> {
        let absolute = |path: &PathBuf| std::path::absolute(path).map_err(|error| Failure::file(path, &error));
        let Some(url) = self.database_url_file.as_ref().map(absolute).transpose()? else { return Ok(None) };
        layout::require_private(&url)?;
        Ok(Some((url, self.database_ca_file.as_ref().map(absolute).transpose()?)))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ProfileArg {
    Standard,
    Strict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum UnsealArg {
    Passphrase,
    KeyFile,
    Both,
}

pub(crate) fn run(args: &InitArgs, out: &mut Out) -> Result<u8, Failure> {
    if let Some(bad) = args.names.iter().find(|name| !host_name_is_plain(name)) {
        return Err(Failure::new(Code::ParameterInvalid, format!("{bad} is neither a host name nor an IP address"))
            .kept("nothing was made"));
    }
    let server = args.database.server()?;
    let unused = crate::appliance::Layout::new(&args.dir.dir).is_unused()?;
    // Nobody types a passphrase for a folder that will be refused anyway.
    let passphrase = (unused && args.unseal != UnsealArg::KeyFile).then(|| args.from.fresh(out)).transpose()?;
    let created = create(NewAppliance {
        dir: &args.dir.dir,
        profile: if args.profile == ProfileArg::Strict { Profile::Strict } else { Profile::Standard },
        passphrase,
        key_file: args.unseal != UnsealArg::Passphrase,
        listen: &args.listen.to_string(),
        names: &args.names,
        postgres: server.as_ref().map(|server| (server.0.as_path(), server.1.as_deref())),
    })
    .map_err(|failure| nothing_left(failure, server.is_some(), false))?;
    let desk = Desk::open(&created.appliance, Channel::Cli)?;
    let admins = furnish(&desk, &args.admins);
    // What a step of it kept is gone with the folder.
    let admins = admins.map_err(|failure| nothing_left(failure.kept(""), server.is_some(), true))?;
    layout::write_public(&created.appliance.layout.log_key(), &format!("{}\n", desk.verifier_key()?))?;
    if let Some(sheets) = &args.share_sheets {
        // Last, for the sheets lie outside the folder that would be taken away again.
        desk.note(Verb::KeyChange, "recovery shares made")?;
        let set = shares::NewSet {
            numbers: args.share_numbers,
            label: "recovery shares of init",
            replaces: None,
            sheets: Some(sheets.as_path()),
        };
        shares::add(&created.appliance, &set, out).map_err(|failure| nothing_left(failure, server.is_some(), true))?;
    }
    desk.close()?;
    let appliance = created.keep();
    tell(&appliance.layout, args, &admins, out);
    Ok(0)
}

/// What a failure has left, unless the failure says so itself.
fn nothing_left(failure: Failure, server: bool, tables: bool) -> Failure {
    failure.kept_if_silent(match (server, tables) {
        (false, _) => "nothing: what was half made was taken away again",
        (true, false) => "what was made in the folder was taken away again; no table of anybody else was touched",
        (true, true) => {
            "what was made in the folder was taken away again; the database holds the tables of this attempt, so use a new one"
        }
    })
}

/// The first entry of the log, the root unit, the first administrators with their passwords.
fn furnish(desk: &Desk, admins: &[String]) -> Result<Vec<(String, identity::SecretText)>, Failure> {
    desk.note(Verb::ConfigChange, "appliance made")?;
    desk.records.setup_begin(&desk.operator).wait()?;
    let fields = json!({"code": "HQ", "name": "Head office 总部", "short_name": "HQ", "type": "company"});
    let unit: RecordId = desk.records.create(&desk.operator, "unit", fields_of(fields), None).wait()?.into_view().id;
    let mut made = Vec::with_capacity(admins.len());
    for login in admins {
        let password = password_generate(desk.store.random().as_ref());
        let roles = ["security_admin".to_owned()];
        let origin = PasswordOrigin::First;
        desk.user_add(&NewUser { login, name: login, unit: Some(unit), password: &password, origin, roles: &roles })?;
        made.push((login.clone(), password));
    }
    Ok(made)
}

fn tell(layout: &crate::appliance::Layout, args: &InitArgs, admins: &[(String, identity::SecretText)], out: &mut Out) {
    let dir = layout.dir().display();
    out.line(format!("An appliance was made in {dir}."));
    out.line("");
    for (login, password) in admins {
        out.line(format!("  security administrator  {login}   first password  {}   (shown once)", password.expose()));
    }
    if admins.is_empty() {
        out.line(format!(
            "  Nobody can sign in yet: kontor user add --dir {dir} LOGIN --name NAME --role security_admin"
        ));
    }
    out.line("");
    out.line("What to do next:");
    let served_by_system = layout.dir() == Path::new(INSTALLED_DIR) && Path::new(INSTALLED_UNIT).exists();
    let (serve, unseal) = if served_by_system {
        ("systemctl enable --now kontor".to_owned(), "sudo -u kontor kontor unseal".to_owned())
    } else {
        (format!("kontor serve --dir {dir}"), format!("kontor unseal --dir {dir}"))
    };
    out.line(format!("  1. {serve}"));
    let mut step = 2;
    if args.unseal == UnsealArg::Passphrase {
        out.line(format!("  {step}. {unseal}          (it starts sealed and waits for the passphrase)"));
        step += 1;
    } else {
        out.line(format!(
            "     It unseals itself with {}; keep a copy apart from the data.",
            layout.key_file().display()
        ));
    }
    out.line(format!(
        "  {step}. Let browsers trust {}, then open https://{}/",
        layout.tls().join("ca.pem").display(),
        args.listen
    ));
    out.line(format!(
        "  {}. Give {} to your auditors; with it they verify the log without you.",
        step + 1,
        layout.log_key().display()
    ));
}
