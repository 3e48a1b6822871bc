//! `kontor demo`: an appliance with sample data, made on first use and served at once. Not for real customers: its key
//! lies beside its data and its passwords in a file.

use crate::appliance::{Appliance, Desk, HouseSample, Layout, NewAppliance, Places, create, layout};
use crate::cli::failure::Failure;
use crate::cli::init::DatabaseArgs;
use crate::cli::out::Out;
use crate::cli::serve::{Served, Where};
use crate::config::DEFAULT_LISTEN;
use audit::Verb;
use identity::{Channel, PasswordOrigin, SecretText, password_generate};
use kernel::{Code, limits};
use metadata::Profile;
use records::SettingsPatch;
use sample::Sample;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Serves an appliance with sample data, made in DIR on first use. Not for real customers.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  kontor demo --dir demo --listen 127.0.0.1:8443
  kontor demo --dir demo --listen 127.0.0.1:0 --json
  kontor demo --dir demo --database-url-file database-url --database-ca-file ca.pem

Makes an appliance with the sample data of a bank in Lübeck and Shanghai, prints who can sign in, and serves until \
SIGTERM or SIGINT. With --json it prints one line when it serves: {\"url\",\"ca_cert\",\"dir\",\"users\":[{\"login\", \
\"password\",\"roles\"}]}. A folder made by it before is served again, with the same passwords. The key lies beside the \
data: good for a look, not for customers.
Exit codes: 0 stopped as asked; 2 not done; 74 the disk failed under the audit log.")]
pub(crate) struct DemoArgs {
    /// The folder of the demonstration; absent, empty, or one that was made so before. Never that of an installed appliance.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Address and port; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_LISTEN)]
    listen: SocketAddr,
    /// One line of JSON once it serves.
    #[arg(long)]
    json: bool,
    /// One password for all demonstration users, at least 12 characters; random ones when absent. First use only.
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
}

/// Somebody who can sign in to the demonstration.
#[derive(Clone, Serialize, Deserialize)]
struct DemoUser {
    login: String,
    password: String,
    roles: Vec<String>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Announcement<'a> {
    url: String,
    ca_cert: PathBuf,
    dir: PathBuf,
    users: &'a [DemoUser],
}

pub(crate) fn run(args: &DemoArgs, out: &mut Out) -> Result<u8, Failure> {
    let dir = std::path::absolute(&args.dir).map_err(|error| Failure::file(&args.dir, &error))?;
    let layout = Layout::new(&dir);
    if layout.is_unused()? {
        if !args.json {
            out.note(format!("Making a demonstration in {} …", dir.display()));
        }
        make(args, &dir)?;
    }
    let users = read_users(&layout)?;
    let appliance = Appliance::load(&dir)?;
    let level = crate::service::journal::begin(appliance.config.log);
    let served = Served::start(appliance, level, Where::Here(args.listen))?;
    let ca_cert = api::OwnCertificates::in_folder(served.appliance().layout.tls()).ca_certificate();
    let announcement = Announcement { url: served.url(), ca_cert, dir, users: &users };
    if args.json {
        out.json(&announcement)?
    } else {
        tell(&announcement, out)
    }
    out.flush();
    served.until_told()
}

fn tell(announcement: &Announcement<'_>, out: &mut Out) {
    out.line(format!("Kontor serves a demonstration at {}/", announcement.url));
    out.line(format!("Let your browser trust {}", announcement.ca_cert.display()));
    out.line("");
    let rows: Vec<Vec<String>> = announcement
        .users
        .iter()
        .map(|user| vec![user.login.clone(), user.password.clone(), user.roles.join(" ")])
        .collect();
    out.table(&["LOGIN", "PASSWORD", "ROLES"], &rows);
    out.line("");
    out.line("Ctrl-C stops it. The same command serves it again.");
}

fn read_users(layout: &Layout) -> Result<Vec<DemoUser>, Failure> {
    let path = layout.demo_users();
    if !path.exists() {
        return Err(Failure::new(Code::ConfigInvalid, format!("{} is not a demonstration", layout.dir().display()))
            .kept("nothing was changed")
            .todo("name another folder; or serve it with `kontor serve`; a demonstration that was not finished can be removed"));
    }
    layout::require_private(&path)?;
    let text = crate::appliance::read_small(&path, limits::CONFIG_BYTES_MAX)?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::new(Code::ConfigInvalid, format!("{}: {error}", path.display())))
}

/// Makes the appliance, its people and its records; takes it away again when anything fails.
fn make(args: &DemoArgs, dir: &std::path::Path) -> Result<(), Failure> {
    let server = args.database.server()?;
    let created = create(NewAppliance {
        dir,
        profile: Profile::Standard,
        passphrase: None,
        key_file: true,
        listen: &args.listen.to_string(),
        names: &[],
        postgres: server.as_ref().map(|server| (server.0.as_path(), server.1.as_deref())),
    })?;
    let desk = Desk::open(&created.appliance, Channel::Cli)?;
    desk.note(Verb::ConfigChange, "demonstration made")?;
    let (clock, random) = (Arc::clone(desk.store.clock()), Arc::clone(desk.store.random()));
    let house = HouseSample { clock, random };
    let sample = house.generate();
    let (steps, places) = house.lay_out(&desk.records.catalog(), &sample)?;
    desk.records.sample_load_now(&desk.operator, steps)?;
    let settings = SettingsPatch {
        organisation: Some("Kogge & Anker".to_owned()),
        time_zone: Some("Europe/Berlin".to_owned()),
        ..SettingsPatch::default()
    };
    desk.records.settings_change(&desk.operator, None, settings).wait()?;
    let users = let_in(&desk, &sample, &places, args.password.as_deref())?;
    let text = serde_json::to_string_pretty(&users).map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    let paths = &created.appliance.layout;
    layout::write_public(&paths.log_key(), &format!("{}\n", desk.verifier_key()?))?;
    desk.close()?;
    // The last file: a folder without it was not finished.
    layout::write_private(&paths.demo_users(), &text)?;
    created.keep();
    Ok(())
}

/// Roles for all who have some, passwords for those who sign in.
fn let_in(desk: &Desk, sample: &Sample, places: &Places, fixed: Option<&str>) -> Result<Vec<DemoUser>, Failure> {
    let mut users = Vec::new();
    for user in &sample.users {
        let id = places.id(&user.key)?;
        for role in &user.roles {
            desk.records.role_grant(&desk.operator, id, role, None, None).wait()?;
        }
        if !user.sign_in {
            continue;
        }
        let password = fixed
            .map_or_else(|| password_generate(desk.store.random().as_ref()), |text| SecretText::new(text.to_owned()));
        desk.password_set(id, &password, PasswordOrigin::Own)?;
        let roles = user.roles.iter().map(|role| (*role).to_owned()).collect();
        users.push(DemoUser { login: user.login.clone(), password: password.expose().to_owned(), roles });
    }
    Ok(users)
}
