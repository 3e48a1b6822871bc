//! Whether a certificate that was brought can be shown to browsers: it has a key here, its chain is whole up to an authority, it is
//! good now, it is for servers, and it stands for every name of this appliance. It changes nothing.

use super::SiteCertificate;
use super::material::Material;
use super::view::CertificateView;
use crate::tls::{names_missing, provider};
use kernel::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::{CertificateError, Error, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject};
use std::{fmt, sync::Arc, time::Duration};
use x509_cert::der::pem::{LineEnding, encode_string};
use zeroize::Zeroizing;

/// Certificates of a chain at most, the first among them.
const CHAIN_MAX: usize = 8;

/// Every reason for which a certificate is refused, and what to do. A reason keeps its name.
const REASONS: [(&str, &str); 11] = [
    ("certificate_unreadable", "name a file in PEM, DER, PKCS#7 (.p7b) or PKCS#12 (.p12, .pfx)"),
    ("certificate_missing", "name the file that the authority sent back"),
    ("certificate_passphrase", "try again with the passphrase that the file was made with"),
    ("certificate_method", "make the file anew with AES-256 and SHA-256"),
    (
        "certificate_key",
        "name the file with its key (--key), or ask for a certificate for the key that waits here: `kontor tls csr`",
    ),
    ("certificate_self_signed", "let the authority of the site sign it, or keep the appliance's own certificate"),
    ("certificate_expired", "ask the authority for a new one"),
    ("certificate_early", "wait until then, or set the clock of this machine right"),
    ("certificate_purpose", "ask the authority for one with the extended key usage serverAuth"),
    ("certificate_names", "ask for one with these names, or take them out of server.names in kontor.toml"),
    (
        "certificate_chain",
        "put the certificates of the authority, up to its root, into the file, or name them with --ca",
    ),
];

/// Why a certificate is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRefused {
    /// The reason: a name that stays.
    pub reason: &'static str,
    /// What was seen.
    pub seen: String,
    /// What to do.
    pub todo: &'static str,
}

impl fmt::Display for CertificateRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.seen)
    }
}

impl CertificateRefused {
    /// Every reason there can be.
    pub fn reasons() -> impl Iterator<Item = &'static str> {
        REASONS.iter().map(|(reason, _)| *reason)
    }
}

pub(super) fn refused(reason: &'static str, seen: impl Into<String>) -> CertificateRefused {
    let todo = REASONS.iter().find(|(known, _)| *known == reason).map_or("", |(_, todo)| todo);
    CertificateRefused { reason, seen: seen.into(), todo }
}

/// A certificate that can be shown, with its chain and its key.
pub struct Checked {
    bundle: Zeroizing<String>,
    chain: Vec<CertificateView>,
    answers_request: bool,
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checked({:?})", self.chain)
    }
}

impl Checked {
    /// The certificate first, then who signed it, up to the root.
    pub fn chain(&self) -> &[CertificateView] {
        &self.chain
    }
    pub(super) fn bundle(&self) -> &str {
        &self.bundle
    }
    /// Whether its key is the one of the request that waits.
    pub(super) fn answers_request(&self) -> bool {
        self.answers_request
    }
}

/// One certificate with what it says.
#[derive(Clone)]
struct Known {
    der: CertificateDer<'static>,
    view: CertificateView,
}

impl Known {
    fn of(der: &CertificateDer<'static>) -> Result<Self, String> {
        Ok(Self { der: der.clone(), view: CertificateView::of(der)? })
    }
}

fn known(ders: &[CertificateDer<'static>]) -> Result<Vec<Known>, CertificateRefused> {
    let bad = |problem| refused("certificate_unreadable", format!("the file {problem}"));
    ders.iter().map(|der| Known::of(der).map_err(bad)).collect()
}

impl SiteCertificate {
    /// Looks whether what was brought can be shown. `authorities` are certificates that only complete the chain.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn check(
        &self,
        brought: &Material,
        authorities: &Material,
        names: &[String],
        now: Timestamp,
    ) -> Result<Checked, CertificateRefused> {
        let certificates = known(&brought.certificates)?;
        if certificates.is_empty() {
            return Err(refused("certificate_missing", "the file holds no certificate"));
        }
        let here = self.keys();
        let (leaf, key) = pair(&certificates, brought.keys.iter().chain(&here))?;
        first_looked_at(leaf, names, now)?;
        let chain = chain_of(leaf, &[certificates.as_slice(), &known(&authorities.certificates)?].concat())?;
        for known in &chain {
            in_time(&known.view, now)?;
        }
        verified(&chain, now)?;
        let waiting = PrivateKeyDer::from_pem_file(self.request_key()).ok();
        Ok(Checked {
            bundle: bundle(&chain, key)?,
            answers_request: waiting.is_some_and(|waiting| waiting.secret_der() == key.secret_der()),
            chain: chain.into_iter().map(|known| known.view).collect(),
        })
    }
}

/// The certificate whose key is here, and that key.
fn pair<'a>(
    certificates: &'a [Known],
    keys: impl Iterator<Item = &'a PrivateKeyDer<'static>>,
) -> Result<(&'a Known, &'a PrivateKeyDer<'static>), CertificateRefused> {
    for key in keys {
        let public = provider().key_provider.load_private_key(key.clone_key()).ok().and_then(|key| {
            let public = key.public_key()?;
            Some(public.as_ref().to_vec())
        });
        if let Some(leaf) = certificates.iter().find(|known| Some(&known.view.links.key) == public.as_ref()) {
            return Ok((leaf, key));
        }
    }
    let about = certificates.iter().find(|known| !known.view.authority).or(certificates.first());
    let subject = about.map_or("", |known| known.view.subject.as_str());
    Err(refused("certificate_key", format!("no key that is here or in the file is the one of {subject}")))
}

/// What can be said of the certificate alone.
fn first_looked_at(leaf: &Known, names: &[String], now: Timestamp) -> Result<(), CertificateRefused> {
    let view = &leaf.view;
    if view.is_self_issued() {
        return Err(refused("certificate_self_signed", format!("{} is signed by nobody but itself", view.subject)));
    }
    in_time(view, now)?;
    if !view.server_auth {
        return Err(refused("certificate_purpose", format!("{} is not for servers", view.subject)));
    }
    if view.names.is_empty() {
        return Err(refused("certificate_names", format!("{} stands for no host name and no address", view.subject)));
    }
    let missing = names_missing(&leaf.der, names).map_err(|problem| refused("certificate_unreadable", problem))?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(refused("certificate_names", format!("{} does not stand for {}", view.subject, missing.join(", "))))
}

fn in_time(view: &CertificateView, now: Timestamp) -> Result<(), CertificateRefused> {
    if view.not_after <= now {
        return Err(refused("certificate_expired", format!("{} ended at {}", view.subject, view.not_after)));
    }
    if view.not_before > now {
        return Err(refused("certificate_early", format!("{} begins at {}", view.subject, view.not_before)));
    }
    Ok(())
}

/// From the certificate to a root, out of what was brought and of what this machine trusts.
fn chain_of(leaf: &Known, pool: &[Known]) -> Result<Vec<Known>, CertificateRefused> {
    let mut chain = vec![leaf.clone()];
    let mut machine: Option<Vec<Known>> = None;
    while let Some(last) = chain.last().filter(|last| !last.view.is_self_issued()) {
        // A root before another certificate of the same name: authorities sign each other crosswise.
        let issuer = |pool: &[Known]| {
            let mut found: Vec<&Known> = pool.iter().filter(|known| known.view.issued(&last.view)).collect();
            found.sort_by_key(|known| !known.view.is_self_issued());
            found.first().map(|known| (*known).clone())
        };
        let next = issuer(pool).or_else(|| issuer(machine.get_or_insert_with(of_machine)));
        let Some(next) = next.filter(|_| chain.len() < CHAIN_MAX) else {
            let told =
                format!("the certificate of {} is missing, which signed {}", last.view.issuer, last.view.subject);
            return Err(refused("certificate_chain", told));
        };
        chain.push(next);
    }
    Ok(chain)
}

/// The authorities that this machine trusts; what cannot be read among them does not count.
fn of_machine() -> Vec<Known> {
    rustls_native_certs::load_native_certs().certs.iter().filter_map(|der| Known::of(der).ok()).collect()
}

/// The same look that a browser takes which trusts the root.
fn verified(chain: &[Known], now: Timestamp) -> Result<(), CertificateRefused> {
    let failed = |error: &dyn fmt::Display| refused("certificate_chain", format!("the chain does not verify: {error}"));
    let [leaf, between @ .., root] = chain else { return Err(failed(&"it has no root")) };
    let mut roots = RootCertStore::empty();
    roots.add(root.der.clone()).map_err(|error| failed(&error))?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    let verifier = verifier.map_err(|error| failed(&error))?;
    let between: Vec<CertificateDer<'_>> = between.iter().map(|known| known.der.clone()).collect();
    let name =
        leaf.view.names.first().map(|name| name.strip_prefix("*.").map_or(name.clone(), |rest| format!("x.{rest}")));
    let name = ServerName::try_from(name.unwrap_or_default()).map_err(|error| failed(&error))?;
    let now = UnixTime::since_unix_epoch(Duration::from_micros(u64::try_from(now.micros()).unwrap_or(0)));
    match verifier.verify_server_cert(&leaf.der, &between, &name, &[], now) {
        Ok(_) => Ok(()),
        Err(Error::InvalidCertificate(
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. },
        )) => Err(refused("certificate_purpose", "a certificate of the chain is not for what it is used for")),
        Err(error) => Err(failed(&error)),
    }
}

/// Chain and key as they lie in one file.
fn bundle(chain: &[Known], key: &PrivateKeyDer<'_>) -> Result<Zeroizing<String>, CertificateRefused> {
    let label = match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    };
    let written = |label, bytes: &[u8]| {
        encode_string(label, LineEnding::LF, bytes)
            .map_err(|error| refused("certificate_unreadable", error.to_string()))
    };
    let mut text = Zeroizing::new(String::new());
    for known in chain {
        text.push_str(&written("CERTIFICATE", &known.der)?);
    }
    text.push_str(&Zeroizing::new(written(label, key.secret_der())?));
    Ok(text)
}
