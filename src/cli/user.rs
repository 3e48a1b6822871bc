//! `kontor user`: people, passwords and roles, by the local operator. The way in when nobody can sign in.

use crate::appliance::{Desk, NewUser, fields_of};
use crate::cli::Dir;
use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::cli::secret::{self, PassphraseFrom};
use clap::{Args, Subcommand};
use identity::{PasswordOrigin, SecretText, password_generate};
use kernel::{Code, Timestamp, limits};
use records::ListRequest;
use serde_json::{Value as Json, json};
use std::path::PathBuf;

const AFTER_CHANGE: &str = "A running server knows of it within seconds.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.";

/// Users: list, add, set passwords, give and take roles, close.
#[derive(Subcommand)]
pub(crate) enum UserVerb {
    /// Lists the users with their status and roles.
    #[command(after_help = "Example:
  kontor user list --dir /srv/kontor --json

Prints login, name, status and roles of each user; that it was read is in the audit log.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    List(ListArgs),
    /// Makes a user with a first password and roles.
    #[command(after_help = format!("Example:
  kontor user add --dir /srv/kontor li.na --name \"李娜\" --unit HQ --role seller

Prints the generated password once, unless --password-file names one or --ask asks for one. At the first sign-in it has to \
be changed, unless --lasting says otherwise. {AFTER_CHANGE}"))]
    Add(AddArgs),
    /// Sets a user's password and ends their sessions.
    #[command(after_help = format!("Example:
  kontor user password --dir /srv/kontor li.na

Prints the generated password once, unless --password-file names one or --ask asks for one. At the first sign-in it has to \
be changed, unless --lasting says otherwise. {AFTER_CHANGE}"))]
    Password(PasswordArgs),
    /// Gives a role to a user.
    #[command(after_help = format!("Example:
  kontor user grant --dir /srv/kontor li.na sales_manager --until 2027-01-01T00:00:00Z

The three administrations (system_admin, security_admin, audit_admin) exclude each other and every business role. \
{AFTER_CHANGE}"))]
    Grant(GrantArgs),
    /// Takes a role away from a user and ends their sessions.
    #[command(after_help = format!("Example:
  kontor user revoke --dir /srv/kontor li.na sales_manager

{AFTER_CHANGE}"))]
    Revoke(RevokeArgs),
    /// Closes a user: no more signing in, sessions end, records stay.
    #[command(after_help = format!("Example:
  kontor user close --dir /srv/kontor li.na

Sets the status to `left`; change it in the user's record to let them in again. {AFTER_CHANGE}"))]
    Close(CloseArgs),
}

/// The appliance and how it is unsealed for this command.
#[derive(Args)]
pub(crate) struct At {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
}

impl At {
    /// Opens it for the local operator.
    pub(crate) fn open(&self) -> Result<Desk, Failure> {
        Ok(secret::desk_of(&self.dir, &self.from)?.1)
    }
}

/// Where a new password comes from; generated and printed once without either.
#[derive(Args)]
struct NewPassword {
    /// A file (mode 0600) whose first line is the password.
    #[arg(long, value_name = "FILE", conflicts_with = "ask")]
    password_file: Option<PathBuf>,
    /// Ask for it, twice.
    #[arg(long)]
    ask: bool,
    /// Let it last: without this its user has to change it at the first sign-in.
    #[arg(long)]
    lasting: bool,
}

impl NewPassword {
    fn origin(&self) -> PasswordOrigin {
        if self.lasting { PasswordOrigin::Own } else { PasswordOrigin::First }
    }

    /// The password, and whether it has to be shown to somebody.
    fn get(&self, desk: &Desk) -> Result<(SecretText, bool), Failure> {
        let given = match &self.password_file {
            Some(file) => Some(secret::first_line(file)?),
            None if self.ask => Some(secret::ask_twice("Password: ")?),
            None => None,
        };
        Ok(match given {
            Some(mut text) => (SecretText::new(std::mem::take(&mut *text)), false),
            None => (password_generate(desk.store.random().as_ref()), true),
        })
    }
}

#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    at: At,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct AddArgs {
    #[command(flatten)]
    at: At,
    /// What the user signs in with.
    login: String,
    /// What others see; the login when absent.
    #[arg(long)]
    name: Option<String>,
    /// The code of the unit.
    #[arg(long, value_name = "CODE")]
    unit: Option<String>,
    /// A role; can be given several times.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    #[command(flatten)]
    password: NewPassword,
}

#[derive(Args)]
pub(crate) struct PasswordArgs {
    #[command(flatten)]
    at: At,
    /// The login.
    login: String,
    #[command(flatten)]
    password: NewPassword,
}

#[derive(Args)]
pub(crate) struct GrantArgs {
    #[command(flatten)]
    at: At,
    /// The login.
    login: String,
    /// The name of the role.
    role: String,
    /// From when, as in 2027-01-01T00:00:00Z; at once when absent.
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Until when; for good when absent.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
}

#[derive(Args)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    at: At,
    /// The login.
    login: String,
    /// The name of the role.
    role: String,
}

#[derive(Args)]
pub(crate) struct CloseArgs {
    #[command(flatten)]
    at: At,
    /// The login.
    login: String,
}

pub(crate) fn run(verb: &UserVerb, out: &mut Out) -> Result<u8, Failure> {
    match verb {
        UserVerb::List(args) => list(args, out),
        UserVerb::Add(args) => add(args, out),
        UserVerb::Password(args) => password(args, out),
        UserVerb::Grant(args) => grant(args, out),
        UserVerb::Revoke(args) => revoke(args, out),
        UserVerb::Close(args) => close(args, out),
    }
    .map(|()| 0)
}

fn list(args: &ListArgs, out: &mut Out) -> Result<(), Failure> {
    let desk = args.at.open()?;
    let mut users = Vec::new();
    let mut cursor = None;
    loop {
        let request = ListRequest {
            fields: Some(["username", "display_name", "status"].map(str::to_owned).into()),
            sort: vec!["username".to_owned()],
            limit: Some(limits::PAGE_ROWS_MAX),
            cursor: cursor.take(),
            ..ListRequest::default()
        };
        let page = desk.records.list(&desk.operator, "user", request).wait()?.into_view();
        for user in page.items {
            let roles = desk.records.roles_of(&desk.operator, user.id).wait()?.into_view();
            let roles: Vec<String> = roles.roles.into_iter().map(|held| held.role).collect();
            let text = |name: &str| user.fields.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
            users.push((text("username"), text("display_name"), text("status"), roles));
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    if args.json {
        let rows: Vec<Json> = users
            .iter()
            .map(|(login, name, status, roles)| json!({"login": login, "name": name, "status": status, "roles": roles}))
            .collect();
        out.json(&rows)?;
    } else {
        let rows: Vec<Vec<String>> =
            users.into_iter().map(|(login, name, status, roles)| vec![login, name, status, roles.join(" ")]).collect();
        out.table(&["LOGIN", "NAME", "STATUS", "ROLES"], &rows);
    }
    desk.close()
}

fn tell_password(login: &str, password: &SecretText, shown: bool, out: &mut Out) {
    if shown {
        out.line(format!("The password of {login} is  {}   (shown once)", password.expose()));
    }
}

fn add(args: &AddArgs, out: &mut Out) -> Result<(), Failure> {
    let desk = args.at.open()?;
    known_roles(&desk, &args.roles)?;
    let unit = args.unit.as_deref().map(|code| desk.unit(code)).transpose()?;
    let (password, shown) = args.password.get(&desk)?;
    let name = args.name.as_deref().unwrap_or(&args.login);
    desk.user_add(&NewUser {
        login: &args.login,
        name,
        unit,
        password: &password,
        origin: args.password.origin(),
        roles: &args.roles,
    })?;
    out.line(format!("User {} was made.", args.login));
    tell_password(&args.login, &password, shown, out);
    desk.close()
}

/// A misspelt role is told before the user is made.
fn known_roles(desk: &Desk, roles: &[String]) -> Result<(), Failure> {
    let policy = desk.records.policy();
    let assignable = |name: &str| policy.role(name).is_some_and(|role| role.kind != authz::RoleKind::Internal);
    match roles.iter().find(|role| !assignable(role)) {
        None => Ok(()),
        Some(unknown) => {
            let known = policy.roles().map(|role| role.name.as_str()).filter(|name| assignable(name));
            let known: Vec<&str> = known.collect();
            Err(Failure::new(Code::ValueNotAnOption, format!("there is no role {unknown}"))
                .kept("nothing was changed")
                .todo(format!("the roles are {}", known.join(", "))))
        }
    }
}

fn password(args: &PasswordArgs, out: &mut Out) -> Result<(), Failure> {
    let desk = args.at.open()?;
    let user = desk.user(&args.login)?;
    let (password, shown) = args.password.get(&desk)?;
    desk.password_set(user, &password, args.password.origin())?;
    out.line(format!("The password of {} was set; their sessions have ended.", args.login));
    tell_password(&args.login, &password, shown, out);
    desk.close()
}

fn grant(args: &GrantArgs, out: &mut Out) -> Result<(), Failure> {
    let desk = args.at.open()?;
    known_roles(&desk, std::slice::from_ref(&args.role))?;
    let user = desk.user(&args.login)?;
    let done = desk.records.role_grant(&desk.operator, user, &args.role, args.from, args.until).wait()?.into_view();
    let how = if done.moved { "has" } else { "had already" };
    out.line(format!("{} {how} the role {}.", args.login, args.role));
    desk.close()
}

fn revoke(args: &RevokeArgs, out: &mut Out) -> Result<(), Failure> {
    let desk = args.at.open()?;
    let user = desk.user(&args.login)?;
    let done = desk.records.role_revoke(&desk.operator, user, &args.role).wait()?.into_view();
    let how = if done.moved { "no longer has" } else { "did not have" };
    out.line(format!("{} {how} the role {}.", args.login, args.role));
    desk.close()
}

fn close(args: &CloseArgs, out: &mut Out) -> Result<(), Failure> {
    let desk = args.at.open()?;
    let user = desk.user(&args.login)?;
    let record = desk.record("user", user)?;
    let left = fields_of(json!({"status": "left"}));
    desk.records.change(&desk.operator, "user", user, Some(record.version), left).wait()?;
    let ended = desk.identity.sessions_end(user)?;
    out.line(format!("{} is closed; {ended} sessions have ended.", args.login));
    desk.close()
}
