//! `kontor tls`: the certificate that browsers see. Shows it, asks the site's own authority for one, takes over what that signed, and
//! goes back to the appliance's own. A running server takes it over when it is reloaded; nothing here reloads it.

use crate::appliance::{Appliance, Desk, layout};
use crate::cli::Dir;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::new_file::{self, NewFile};
use crate::cli::out::Out;
use crate::cli::secret::{self, PassphraseFrom};
use crate::config::host_name_is_plain;
use api::{
    CertificateRefused, CertificateView, Checked, InUse, Material, RequestKey, SiteCertificate, TlsError, Wanted,
};
use audit::{ActOutcome, Phase, Verb};
use clap::{Subcommand, ValueEnum};
use kernel::{Code, Timestamp};
use serde_json::json;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Bytes of a file with certificates: a list of authorities and more.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Names the file with the passphrase of a key or PKCS#12 file, for scripts.
const FILE_PASSPHRASE_VARIABLE: &str = "KONTOR_CERTIFICATE_PASSPHRASE_FILE";

/// The certificate that browsers see: show it, ask the site's authority for one, import it.
#[derive(Subcommand)]
pub(crate) enum TlsVerb {
    /// Shows the certificate in use with its chain, and whether a request waits.
    #[command(after_help = "Examples:
  kontor tls show --dir /srv/kontor
  kontor tls show --dir /srv/kontor --json

Needs no passphrase. A running server shows the same once it was started or reloaded after the last change.
Exit codes: 0 good; 1 it ends in less than 30 days, or does not stand for all of server.names; 2 it cannot be read.")]
    Show(ShowArgs),
    /// Makes a key and a request for the site's own authority.
    #[command(after_help = "Examples:
  kontor tls csr --dir /srv/kontor --out crm.csr
  kontor tls csr --dir /srv/kontor --name crm.bank.example --organization \"Hanse Bank\" --country DE --out crm.csr

The key stays in the folder of the appliance (tls/request.key). The names are those of server.names unless --name gives others. \
A key that waits already is used again, so that a request which somebody has is still good; --new-key makes another. Leaves an \
entry in the audit log.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    Csr(CsrArgs),
    /// Takes over a certificate that the site's authority signed.
    #[command(after_help = "Examples:
  kontor tls import --dir /srv/kontor crm.pem chain.pem
  kontor tls import --dir /srv/kontor crm.cer --ca bank-root.cer
  kontor tls import --dir /srv/kontor crm.pfx --file-passphrase-file passphrase
  systemctl reload kontor

Takes PEM, DER, PKCS#7 (.p7b) and PKCS#12 (.p12, .pfx), in any order. The key is the one of `kontor tls csr`, of the file itself, \
of --key, or of the certificate in use. Checked before anything is changed: the key fits, the chain is whole up to a root (of the \
files, of --ca, or trusted by this machine), it is good today, it is for servers, and it stands for all of server.names. What was \
in use stays beside it. Leaves an entry in the audit log. --check looks, and changes nothing.
Exit codes: 0 done; 1 the certificate is refused, or a passphrase opens nothing; 2 not done.")]
    Import(ImportArgs),
    /// Goes back to the certificate of the appliance's own authority.
    #[command(after_help = "Example:
  kontor tls own --dir /srv/kontor
  systemctl reload kontor

The one of the site stays beside it, as tls/site-….pem; `kontor tls import` takes it again. Leaves an entry in the audit log.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    Own(OwnArgs),
}

#[derive(clap::Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    dir: Dir,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

/// The kind of a key.
#[derive(Clone, Copy, ValueEnum)]
enum KeyKind {
    P256,
    P384,
}

#[derive(clap::Args)]
pub(crate) struct CsrArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
    /// A name or address instead of those of server.names; may be given several times. The first is the common name too.
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// The organisation in the subject.
    #[arg(long, value_name = "TEXT")]
    organization: Option<String>,
    /// The country in the subject, two letters.
    #[arg(long, value_name = "CC")]
    country: Option<String>,
    /// The kind of the key, where one is made.
    #[arg(long, value_enum, value_name = "KIND", default_value = "p256")]
    key: KeyKind,
    /// Makes another key where one waits. A request for that one is worth nothing from then on.
    #[arg(long)]
    new_key: bool,
    /// Where the request is written (PEM); without it, it is printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
    /// What the authority sent back.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The file with the key (mode 0600), when it was made elsewhere.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Certificates of the authority that are not in the files: its root, or what lies between.
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
    /// A file (mode 0600, or a pipe) whose first line is the passphrase of a PKCS#12 file or an encrypted key. Without it the file
    /// named by the environment variable KONTOR_CERTIFICATE_PASSPHRASE_FILE is read, else it is asked for.
    #[arg(long, value_name = "FILE")]
    file_passphrase_file: Option<PathBuf>,
    /// Looks whether it would be taken, and changes nothing.
    #[arg(long)]
    check: bool,
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct OwnArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
}

pub(crate) fn run(verb: &TlsVerb, out: &mut Out) -> Result<u8, Failure> {
    match verb {
        TlsVerb::Show(args) => show(args, out),
        TlsVerb::Csr(args) => csr(args, out),
        TlsVerb::Import(args) => import(args, out),
        TlsVerb::Own(args) => own(args, out),
    }
}

fn site_of(appliance: &Appliance) -> SiteCertificate {
    SiteCertificate::in_folder(appliance.layout.tls())
}

fn not_done(error: TlsError) -> Failure {
    Failure::new(Code::Unavailable, error.to_string()).kept("the certificate in use is as it was")
}

fn show(args: &ShowArgs, out: &mut Out) -> Result<u8, Failure> {
    let appliance = Appliance::load(&args.dir.dir)?;
    let in_use = InUse::in_folder(&appliance.layout.tls());
    let names = &appliance.config.server.names;
    let chain = in_use.views().map_err(|error| not_done(error).todo("look with `kontor doctor`"))?;
    let lacks = api::certificate_lacks(&in_use.files.certificate, names).map_err(not_done)?;
    let leaf = chain.first().ok_or_else(|| Failure::new(Code::Unavailable, "the file holds no certificate"))?;
    let (now, waits) = (appliance.clock.now(), site_of(&appliance).request_key().exists());
    let days = leaf.days_left(now);
    let good = days >= api::CERTIFICATE_DUE_DAYS && lacks.is_empty();
    if args.json {
        out.json(&json!({"ok": good, "of_site": in_use.of_site, "file": in_use.files.certificate, "days": days, "lacks": lacks,
            "request_waits": waits, "plain_http": appliance.config.server.plain_http_on_loopback, "chain": chain}))?;
        return Ok(if good { 0 } else { EXIT_ANSWER_BAD });
    }
    if appliance.config.server.plain_http_on_loopback {
        out.line("Plain HTTP on a loopback address (server.plain_http_on_loopback): no certificate is used.");
    }
    let whose = if in_use.of_site { "signed for the site" } else { "of the appliance's own authority" };
    out.line(format!("The certificate in use, {whose}: {}", in_use.files.certificate.display()));
    told(&chain, now, out);
    if !lacks.is_empty() {
        out.line(format!("It does not stand for {} (server.names).", lacks.join(", ")));
    }
    if waits {
        out.line(
            "A request waits for its certificate: tls/request.key. `kontor tls import` takes what the authority sends.",
        );
    }
    Ok(if good { 0 } else { EXIT_ANSWER_BAD })
}

fn told(chain: &[CertificateView], now: Timestamp, out: &mut Out) {
    let [leaf, rest @ ..] = chain else { return };
    let days = leaf.days_left(now);
    for (what, value) in [
        ("subject", leaf.subject.clone()),
        ("issuer", leaf.issuer.clone()),
        ("names", leaf.names.join(", ")),
        ("good from", leaf.not_before.to_string()),
        ("good until", format!("{} ({days} days)", leaf.not_after)),
        ("key", leaf.key.clone()),
        ("serial", leaf.serial.clone()),
        ("SHA-256", leaf.sha256.clone()),
    ] {
        out.line(format!("  {what:<11} {value}"));
    }
    for view in rest {
        out.line(format!("  signed by   {}, good until {}", view.subject, view.not_after));
    }
}

/// Does something to the files of the certificate, told in the log: first the intent, for they are not part of the database, then
/// the outcome.
fn change<T>(desk: Desk, what: &str, change: impl FnOnce() -> Result<T, TlsError>) -> Result<T, Failure> {
    let entry = |phase, outcome| {
        let mut entry = desk.store.entry(&desk.operator, Verb::ConfigChange);
        entry.note = format!("{}; {what}", entry.note);
        (entry.phase, entry.outcome) = (phase, outcome);
        entry
    };
    desk.store.append(vec![entry(Phase::Intent, ActOutcome::Ok)]).wait()?;
    let done = change();
    let outcome = if done.is_ok() { ActOutcome::Ok } else { ActOutcome::Failed };
    desk.store.append(vec![entry(Phase::Outcome, outcome)]).wait()?;
    desk.close()?;
    done.map_err(not_done)
}

fn csr(args: &CsrArgs, out: &mut Out) -> Result<u8, Failure> {
    let bad = |what: String, todo: &str| {
        Err(Failure::new(Code::ParameterInvalid, what).kept("nothing was made").todo(todo.to_owned()))
    };
    if let Some(name) = args.names.iter().find(|name| !host_name_is_plain(name)) {
        return bad(format!("{name} is neither a host name nor an IP address"), "write it as crm.example.org");
    }
    let country = |text: &&String| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    if let Some(text) = args.country.as_ref().filter(|text| !country(text)) {
        return bad(format!("{text} is no country"), "write two capital letters, such as DE or CN");
    }
    let config = Appliance::load(&args.dir.dir)?.config;
    let names = if args.names.is_empty() { &config.server.names } else { &args.names };
    if names.is_empty() {
        return bad("there is no name to ask for".to_owned(), "set server.names in kontor.toml, or give --name");
    }
    let file = args.out.as_deref().map(|path| NewFile::make(path, new_file::BY_MASK)).transpose()?;
    let (appliance, desk) = secret::desk_of(&args.dir, &args.from)?;
    let (key, site) = (
        match args.key {
            KeyKind::P256 => RequestKey::P256,
            KeyKind::P384 => RequestKey::P384,
        },
        site_of(&appliance),
    );
    let (organization, country) = (args.organization.as_deref(), args.country.as_deref());
    let wanted = Wanted { names, organization, country, key, new_key: args.new_key };
    let what = format!("certificate asked for: {}", names.join(", "));
    let request = change(desk, &what, || site.request(&wanted))?;
    match (file, &args.out) {
        (Some(file), Some(path)) => {
            file.write(request.as_bytes())?;
            out.line(format!("The request for {} is in {}.", names.join(", "), path.display()));
            out.line("Give it to the authority, then: kontor tls import FILE");
        }
        _ => out.line(request.trim_end()),
    }
    Ok(0)
}

fn refused(why: &CertificateRefused, files: &[PathBuf]) -> Failure {
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    Failure::new(Code::ValueFormat, format!("{why} ({})", names.join(", ")))
        .exit(EXIT_ANSWER_BAD)
        .kept("the certificate in use is as it was")
        .todo(why.todo)
}

fn import(args: &ImportArgs, out: &mut Out) -> Result<u8, Failure> {
    let appliance = Appliance::load(&args.dir.dir)?;
    let checked = looked_at(args, &appliance)?;
    let now = appliance.clock.now();
    if !args.check {
        let (appliance, desk) = secret::desk_of(&args.dir, &args.from)?;
        let print = checked.chain().first().map_or("", |leaf| leaf.sha256.as_str());
        change(desk, &format!("certificate imported: SHA-256 {print}"), || site_of(&appliance).install(&checked, now))?;
    }
    if args.json {
        out.json(&json!({"ok": true, "imported": !args.check, "chain": checked.chain()}))?;
        return Ok(0);
    }
    out.line(if args.check { "It would be taken; nothing was changed." } else { "The certificate was taken over." });
    told(checked.chain(), now, out);
    if !args.check {
        out.line("A running server shows it after: systemctl reload kontor");
    }
    Ok(0)
}

/// Reads and checks what was brought.
fn looked_at(args: &ImportArgs, appliance: &Appliance) -> Result<Checked, Failure> {
    let (mut brought, mut authorities) = (Material::default(), Material::default());
    if let Some(key) = &args.key {
        layout::require_private(key)?;
    }
    for path in args.files.iter().chain(&args.key) {
        take(path, args.file_passphrase_file.as_deref(), &mut brought)?;
    }
    for path in &args.ca {
        take(path, args.file_passphrase_file.as_deref(), &mut authorities)?;
    }
    let (names, now) = (&appliance.config.server.names, appliance.clock.now());
    site_of(appliance).check(&brought, &authorities, names, now).map_err(|why| refused(&why, &args.files))
}

fn take(path: &Path, passphrase_file: Option<&Path>, into: &mut Material) -> Result<(), Failure> {
    let failed = |error| Failure::file(path, &error).kept("the certificate in use is as it was");
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)).map_err(failed)?;
    let passphrase = if Material::wants_passphrase(&bytes) {
        let named = std::env::var_os(FILE_PASSPHRASE_VARIABLE).map(PathBuf::from);
        match passphrase_file.map(Path::to_owned).or(named) {
            Some(file) => secret::first_line(&file)?,
            None => secret::ask(&format!("Passphrase of {}: ", path.display()))?,
        }
    } else {
        Zeroizing::default()
    };
    into.add(&bytes, &passphrase).map_err(|why| refused(&why, &[path.to_owned()]))
}

fn own(args: &OwnArgs, out: &mut Out) -> Result<u8, Failure> {
    let (appliance, desk) = secret::desk_of(&args.dir, &args.from)?;
    let (site, now) = (site_of(&appliance), appliance.clock.now());
    if !site.exists() {
        desk.close()?;
        out.line("The certificate of the appliance's own authority is in use already.");
        return Ok(0);
    }
    change(desk, "certificate of the site put aside; the own one is in use", || site.leave(now))?;
    out.line("The certificate of the appliance's own authority is in use from the next reload or start on:");
    out.line("  systemctl reload kontor");
    Ok(0)
}
