//! The appliance's own certificate authority and server certificate, and loading of what is shown: these, or those of the site.
//! It never sends a key anywhere and never overwrites a certificate authority.

use crate::site::CertificateView;
use arc_swap::ArcSwap;
use chrono::Datelike;
use kernel::{Clock, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use x509_cert::{Certificate, der::Decode};

/// How long the certificate authority is good for: ten years.
const CA_SECONDS: i64 = 3_652 * 86_400;
/// How long a server certificate is good for: the most that browsers accept with room to spare.
const SERVER_SECONDS: i64 = 397 * 86_400;
/// A server certificate with less than this left is renewed at start.
const RENEW_SECONDS: i64 = 30 * 86_400;
/// Certificates begin a day early, because clocks of clients differ.
const EARLY_SECONDS: i64 = 86_400;

/// What can go wrong with certificates.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A name cannot stand in a certificate.
    #[error("`{0}` is neither a DNS name nor an IP address")]
    Name(String),
    /// Making a certificate failed.
    #[error("the certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
    /// Certificate and key do not fit the TLS library.
    #[error("the certificate cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
}

/// Where certificate and key of the server lie, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Whether they can be shown.
    ///
    /// # Errors
    /// When they cannot be read, do not fit each other, or are of a kind that is not spoken.
    pub fn usable(&self) -> Result<(), TlsError> {
        certified(self).map(|_| ())
    }
}

/// The appliance's own certificates, in one folder.
#[derive(Clone, Debug)]
pub struct OwnCertificates {
    folder: PathBuf,
}

impl OwnCertificates {
    /// Certificates in this folder; nothing is read or made yet.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }
    /// The certificate of the authority, to be given to clients.
    pub fn ca_certificate(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }
    /// Certificate and key of the server.
    pub fn server(&self) -> TlsFiles {
        TlsFiles { certificate: self.folder.join("server.pem"), key: self.folder.join("server.key") }
    }
    fn ca_key(&self) -> PathBuf {
        self.folder.join("ca.key")
    }

    /// Makes a certificate authority and a first server certificate. Refuses where an authority exists already.
    ///
    /// Key pairs come from the operating system's randomness inside the certificate library, which takes no other source.
    pub fn create(&self, names: &[String], clock: &dyn Clock) -> Result<(), TlsError> {
        fs::create_dir_all(&self.folder).map_err(|source| file_error(&self.folder, source))?;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = ca_params(&key, clock.now()).self_signed(&key)?;
        write_new(&self.ca_key(), key.serialize_pem().as_bytes(), 0o600)?;
        write_new(&self.ca_certificate(), certificate.pem().as_bytes(), 0o600)?;
        self.issue(names, clock)
    }

    /// Issues a new server certificate with a new key, for `localhost`, this machine's name and the given names.
    pub fn issue(&self, names: &[String], clock: &dyn Clock) -> Result<(), TlsError> {
        let ca_key_path = self.ca_key();
        let ca_key = KeyPair::from_pem(&read_text(&ca_key_path)?).map_err(|error| content(&ca_key_path, error))?;
        let issuer = Issuer::new(ca_params(&ca_key, clock.now()), ca_key);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = server_params(names, clock.now())?.signed_by(&key, &issuer)?;
        let files = self.server();
        // The key first: a crash between the two leaves a pair that does not fit, which the next start replaces.
        replace(&files.key, key.serialize_pem().as_bytes())?;
        replace(&files.certificate, certificate.pem().as_bytes())
    }

    /// Renews the server certificate when it has less than 30 days left, cannot be used, or lacks a name. Says whether it did.
    pub fn renew_if_due(&self, names: &[String], clock: &dyn Clock) -> Result<bool, TlsError> {
        let files = self.server();
        let left = certificate_expires(&files.certificate)
            .map(|end| end.micros().saturating_sub(clock.now().micros()) / 1_000_000);
        let due = left.map_or(true, |seconds| seconds < RENEW_SECONDS)
            || certified(&files).is_err()
            || !self.names_all(names)?;
        if due {
            self.issue(names, clock)?;
        }
        Ok(due)
    }

    /// Whether the server certificate stands for all of these names.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn names_all(&self, names: &[String]) -> Result<bool, TlsError> {
        Ok(certificate_lacks(&self.server().certificate, names)?.is_empty())
    }
}

/// The names that the certificate in a file does not stand for.
///
/// # Errors
/// When it cannot be read.
pub fn certificate_lacks(path: &Path, names: &[String]) -> Result<Vec<String>, TlsError> {
    let certificate = CertificateDer::from_pem_file(path).map_err(|error| content(path, error))?;
    names_missing(&certificate, names).map_err(|problem| content(path, problem))
}

/// The names that a certificate does not stand for; the error says in words why it cannot be read.
pub(crate) fn names_missing(certificate: &CertificateDer<'_>, names: &[String]) -> Result<Vec<String>, String> {
    let parsed = ParsedCertificate::try_from(certificate).map_err(|error| error.to_string())?;
    let stands = |name: &&String| {
        let asked = name.strip_prefix("*.").map_or_else(|| (*name).clone(), |rest| format!("x.{rest}"));
        ServerName::try_from(asked).is_ok_and(|asked| verify_server_name(&parsed, &asked).is_ok())
    };
    Ok(names.iter().filter(|name| !stands(name)).cloned().collect())
}

/// The name is taken from the key, so that the same authority signs again without its certificate being parsed.
fn ca_params(key: &KeyPair, now: Timestamp) -> CertificateParams {
    let digest = ring::digest::digest(&ring::digest::SHA256, key.public_key_raw());
    let short: String = digest.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let mut params = dated(CertificateParams::default(), now, CA_SECONDS);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Kontor");
    params.distinguished_name.push(DnType::CommonName, format!("Kontor appliance {short}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params
}

fn server_params(names: &[String], now: Timestamp) -> Result<CertificateParams, TlsError> {
    let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    for name in names.iter().cloned().chain(host_name()) {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    let mut params = dated(server_name_params(&all)?, now, SERVER_SECONDS);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Kontor");
    params.distinguished_name.push(DnType::CommonName, "Kontor");
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// What a certificate of a server with these names is for.
pub(crate) fn server_name_params(names: &[String]) -> Result<CertificateParams, TlsError> {
    for name in names {
        // Each alone first, so that the error can say which one is wrong.
        CertificateParams::new([name.clone()]).map_err(|_| TlsError::Name(name.clone()))?;
    }
    let mut params = CertificateParams::new(names)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn dated(mut params: CertificateParams, now: Timestamp, seconds: i64) -> CertificateParams {
    let day = |at: Timestamp| {
        let date = at.date();
        let small = |number: u32| u8::try_from(number).unwrap_or(1);
        date_time_ymd(date.year(), small(date.month()), small(date.day()))
    };
    params.not_before = day(now.plus_seconds(-EARLY_SECONDS));
    params.not_after = day(now.plus_seconds(seconds - EARLY_SECONDS));
    params
}

/// The machine's name as the kernel knows it; none where it cannot stand in a certificate.
fn host_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?.trim().to_ascii_lowercase();
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.');
    (plain && !name.is_empty() && name.len() <= 253).then_some(name)
}

/// When a certificate ends.
pub fn certificate_expires(path: &Path) -> Result<Timestamp, TlsError> {
    let certificate = CertificateDer::from_pem_file(path).map_err(|error| content(path, error))?;
    let parsed = Certificate::from_der(&certificate).map_err(|error| content(path, error))?;
    let end = parsed.tbs_certificate.validity.not_after.to_unix_duration();
    Ok(Timestamp::from_micros(i64::try_from(end.as_micros()).unwrap_or(i64::MAX)))
}

/// The certificate that connections are shown. It can be exchanged while others are open; those keep theirs.
#[derive(Debug)]
pub(crate) struct Shown(ArcSwap<CertifiedKey>);

impl Shown {
    /// Shows what lies in these files.
    pub(crate) fn load(files: &TlsFiles) -> Result<Arc<Self>, TlsError> {
        Ok(Arc::new(Self(ArcSwap::from_pointee(certified(files)?))))
    }
    /// Shows what lies in these files from now on; where they cannot be used, what was shown stays.
    pub(crate) fn replace(&self, files: &TlsFiles) -> Result<(), TlsError> {
        self.0.store(Arc::new(certified(files)?));
        Ok(())
    }
    /// Whether this is the certificate that is shown.
    pub(crate) fn is(&self, certificate: &CertificateDer<'_>) -> bool {
        self.0.load().end_entity_cert().is_ok_and(|shown| shown == certificate)
    }
    /// How many certificates are sent.
    #[cfg(test)]
    pub(crate) fn length(&self) -> usize {
        self.0.load().cert.len()
    }
    /// TLS 1.2 and 1.3 with it.
    pub(crate) fn config(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        Ok(config)
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// The algorithms of TLS.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Certificate and key that belong together.
fn certified(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(&files.certificate)
        .map_err(|error| content(&files.certificate, error))?
        .collect();
    let mut chain = chain.map_err(|error| content(&files.certificate, error))?;
    if chain.is_empty() {
        return Err(content(&files.certificate, "holds no certificate"));
    }
    // The root is for this machine: whoever does not trust it already gains nothing from being sent it.
    if chain.len() > 1
        && chain.last().is_some_and(|last| CertificateView::of(last).is_ok_and(|last| last.is_self_issued()))
    {
        chain.pop();
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| content(&files.key, error))?;
    Ok(CertifiedKey::from_der(chain, key, &provider())?)
}

pub(crate) fn file_error(path: &Path, source: io::Error) -> TlsError {
    TlsError::File { path: path.to_owned(), source }
}
pub(crate) fn content(path: &Path, problem: impl std::fmt::Display) -> TlsError {
    TlsError::Content { path: path.to_owned(), problem: problem.to_string() }
}
pub(crate) fn read_text(path: &Path) -> Result<String, TlsError> {
    fs::read_to_string(path).map_err(|source| file_error(path, source))
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), TlsError> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| file_error(path, source))
}

/// Written beside, then renamed: a crash leaves the old file or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), TlsError> {
    let part = path.with_extension("part");
    match fs::remove_file(&part) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(file_error(&part, source)),
        _ => {}
    }
    write_new(&part, bytes, 0o600)?;
    fs::rename(&part, path).map_err(|source| file_error(path, source))
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
