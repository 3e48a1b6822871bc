//! The certificate that the site's own authority signed: the key and the request for it, what was brought back, and what is in
//! use. It lies in one file with its chain and its key, so that a crash leaves the former one or the new one and never a pair that
//! does not fit. It issues nothing itself, and takes nothing that was not checked.

mod check;
mod material;
mod pkcs12;
#[cfg(test)]
mod tests;
mod view;

pub use check::{CertificateRefused, Checked};
pub use material::Material;
pub use view::CertificateView;

use crate::tls::{OwnCertificates, TlsError, TlsFiles, content, file_error, read_text, replace, server_name_params};
use kernel::Timestamp;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, SignatureAlgorithm};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// Days before its end at which a certificate that somebody else has to renew is told of.
pub const CERTIFICATE_DUE_DAYS: i64 = 30;
/// Days before its end at which any certificate should long have been renewed.
pub const CERTIFICATE_ENDS_DAYS: i64 = 14;
/// Former certificates that stay, with their keys.
const FORMER_MAX: usize = 3;
/// How their names begin.
const FORMER: &str = "site-";
/// Files that may come from one second.
const SAME_SECOND_MAX: u32 = 100;

/// What is shown to browsers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InUse {
    /// Where it lies.
    pub files: TlsFiles,
    /// Whether the site's authority signed it; else the appliance's own did.
    pub of_site: bool,
}

impl InUse {
    /// What a start shows: the certificate of the site where there is one.
    pub fn in_folder(folder: &Path) -> Self {
        let site = SiteCertificate::in_folder(folder);
        if site.exists() {
            return Self { files: site.files(), of_site: true };
        }
        Self { files: OwnCertificates::in_folder(folder).server(), of_site: false }
    }
    /// It and its chain, as they lie there.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn views(&self) -> Result<Vec<CertificateView>, TlsError> {
        let path = &self.files.certificate;
        let bytes = fs::read(path).map_err(|source| file_error(path, source))?;
        let views: Result<Vec<_>, String> = CertificateDer::pem_slice_iter(&bytes)
            .map(|found| found.map_err(|error| error.to_string()).and_then(|one| CertificateView::of(&one)))
            .collect();
        views.map_err(|problem| content(path, problem))
    }
}

/// What a key for a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKey {
    /// NIST P-256: quick, and known everywhere.
    P256,
    /// NIST P-384.
    P384,
}

impl RequestKey {
    fn algorithm(self) -> &'static SignatureAlgorithm {
        match self {
            Self::P256 => &PKCS_ECDSA_P256_SHA256,
            Self::P384 => &PKCS_ECDSA_P384_SHA384,
        }
    }
}

/// What a request asks for.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Names and addresses; the first is the common name too.
    pub names: &'a [String],
    /// Organisation and country of the subject, where the authority wants them.
    pub organization: Option<&'a str>,
    /// Two letters.
    pub country: Option<&'a str>,
    /// The kind of a key that is made.
    pub key: RequestKey,
    /// Whether a key that waits already is thrown away.
    pub new_key: bool,
}

/// The certificate of the site, in one folder.
#[derive(Clone, Debug)]
pub struct SiteCertificate {
    folder: PathBuf,
}

impl SiteCertificate {
    /// The one in this folder; nothing is read yet.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }
    /// The file with certificate, chain and key.
    pub fn file(&self) -> PathBuf {
        self.folder.join("site.pem")
    }
    /// The same as the server wants it.
    pub fn files(&self) -> TlsFiles {
        TlsFiles { certificate: self.file(), key: self.file() }
    }
    /// Whether there is one.
    pub fn exists(&self) -> bool {
        self.file().exists()
    }
    /// The key of a request that was made and whose certificate has not come.
    pub fn request_key(&self) -> PathBuf {
        self.folder.join("request.key")
    }

    /// A request (PEM) for the authority. The key stays here: it is made where none waits, and is used again where one does, so
    /// that a request which somebody has already is still good.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate, or the key cannot be read or written.
    pub fn request(&self, wanted: &Wanted<'_>) -> Result<String, TlsError> {
        let mut params = server_name_params(wanted.names)?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        // X.520 has room for 64 characters; browsers look at the names alone.
        let name = wanted.names.first().map(String::as_str).filter(|name| name.len() <= 64);
        for (kind, value) in [
            (rcgen::DnType::CountryName, wanted.country),
            (rcgen::DnType::OrganizationName, wanted.organization),
            (rcgen::DnType::CommonName, name),
        ] {
            if let Some(value) = value {
                params.distinguished_name.push(kind, value);
            }
        }
        let path = self.request_key();
        let key = if path.exists() && !wanted.new_key {
            KeyPair::from_pem(&read_text(&path)?).map_err(|error| content(&path, error))?
        } else {
            let key = KeyPair::generate_for(wanted.key.algorithm())?;
            replace(&path, zeroize::Zeroizing::new(key.serialize_pem()).as_bytes())?;
            key
        };
        Ok(params.serialize_request(&key)?.pem()?)
    }

    /// Keys that lie here and may be the one of a certificate that was brought: that of the request, then the one in use.
    pub(super) fn keys(&self) -> Vec<PrivateKeyDer<'static>> {
        let files = [self.request_key(), self.file()];
        files.iter().filter_map(|path| PrivateKeyDer::from_pem_file(path).ok()).collect()
    }

    /// Takes over what was checked. What was in use stays beside it, the newest three of them; a running server shows the new one
    /// after a reload.
    ///
    /// # Errors
    /// When a file cannot be written; then the former one is in use as before.
    pub fn install(&self, checked: &Checked, now: Timestamp) -> Result<(), TlsError> {
        if self.exists() {
            self.keep_former(now)?;
        }
        replace(&self.file(), checked.bundle().as_bytes())?;
        self.sync()?;
        self.forget_old()?;
        if checked.answers_request() {
            remove(&self.request_key())?;
        }
        Ok(())
    }

    /// Back to the certificate of the appliance's own authority. Says whether there was another.
    ///
    /// # Errors
    /// When a file cannot be renamed.
    pub fn leave(&self, now: Timestamp) -> Result<bool, TlsError> {
        if !self.exists() {
            return Ok(false);
        }
        self.keep_former(now)?;
        remove(&self.file())?;
        self.sync()?;
        self.forget_old()?;
        Ok(true)
    }

    /// A second name for the file in use: the first is then renamed over, so there is a certificate at every moment.
    fn keep_former(&self, now: Timestamp) -> Result<(), TlsError> {
        let stamp: String = now.to_string().chars().take(19).filter(|c| c.is_ascii_alphanumeric()).collect();
        for turn in 0..SAME_SECOND_MAX {
            let path = self.folder.join(format!("{FORMER}{stamp}Z-{turn:02}.pem"));
            match fs::hard_link(self.file(), &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                done => return done.map_err(|source| file_error(&path, source)),
            }
        }
        Err(file_error(&self.folder, io::Error::from(io::ErrorKind::AlreadyExists)))
    }

    /// The former ones, oldest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn former(&self) -> Result<Vec<PathBuf>, TlsError> {
        let listed = fs::read_dir(&self.folder).map_err(|source| file_error(&self.folder, source))?;
        let mut found: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
        found.retain(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with(FORMER) && name.ends_with(".pem")
        });
        found.sort();
        Ok(found)
    }

    fn forget_old(&self) -> Result<(), TlsError> {
        let former = self.former()?;
        former.iter().take(former.len().saturating_sub(FORMER_MAX)).try_for_each(|path| remove(path))
    }

    fn sync(&self) -> Result<(), TlsError> {
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(|source| file_error(&self.folder, source))
    }
}

fn remove(path: &Path) -> Result<(), TlsError> {
    fs::remove_file(path).map_err(|source| file_error(path, source))
}
