//! Reads what an authority hands out: certificates and keys in PEM, PKCS#12, PKCS#7 or DER. It takes everything out and judges
//! nothing; a passphrase that it is given goes no further.

use super::check::{CertificateRefused, refused};
use super::pkcs12::{self, Unopened};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use x509_cert::der::pem::decode_vec;
use zeroize::Zeroize;

const ENCRYPTED_BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const ENCRYPTED_END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
const PKCS7_BEGIN: &str = "-----BEGIN PKCS7-----";
const PKCS7_END: &str = "-----END PKCS7-----";
const OLDER_ENCRYPTED: &str = "Proc-Type: 4,ENCRYPTED";

/// Certificates and keys, in the order in which they were found.
#[derive(Default)]
pub struct Material {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) keys: Vec<PrivateKeyDer<'static>>,
}

impl Drop for Material {
    fn drop(&mut self) {
        self.keys.iter_mut().for_each(Zeroize::zeroize);
    }
}

impl Material {
    /// Whether a passphrase has to be asked for to read this.
    pub fn wants_passphrase(bytes: &[u8]) -> bool {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN ") => text.contains(ENCRYPTED_BEGIN),
            // One that has none opens with an empty one.
            _ => pkcs12::is_one(bytes) && pkcs12::open(bytes, "").is_err(),
        }
    }

    /// Adds what is in a file.
    ///
    /// # Errors
    /// When nothing in it can be read, or the passphrase is another.
    pub fn add(&mut self, bytes: &[u8], passphrase: &str) -> Result<(), CertificateRefused> {
        let before = self.certificates.len() + self.keys.len();
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN ") => self.add_pem(text, passphrase)?,
            _ => self.add_der(bytes, passphrase)?,
        }
        if self.certificates.len() + self.keys.len() == before {
            return Err(refused("certificate_unreadable", "the file holds neither a certificate nor a key"));
        }
        Ok(())
    }

    /// Whether there is a certificate in it.
    pub fn has_certificates(&self) -> bool {
        !self.certificates.is_empty()
    }

    fn add_pem(&mut self, text: &str, passphrase: &str) -> Result<(), CertificateRefused> {
        if text.contains(OLDER_ENCRYPTED) {
            return Err(unopened(Unopened::Method("an older form of PEM".to_owned())));
        }
        let bad = |error: rustls_pki_types::pem::Error| {
            refused("certificate_unreadable", format!("the file is damaged: {error}"))
        };
        for found in CertificateDer::pem_slice_iter(text.as_bytes()) {
            self.certificates.push(found.map_err(bad)?);
        }
        for found in PrivateKeyDer::pem_slice_iter(text.as_bytes()) {
            self.keys.push(found.map_err(bad)?);
        }
        for block in blocks(text, ENCRYPTED_BEGIN, ENCRYPTED_END) {
            let mut key = pkcs12::open_key(&decoded(block)?, passphrase).map_err(unopened)?;
            self.keys.push(PrivatePkcs8KeyDer::from(std::mem::take(&mut *key)).into());
        }
        for block in blocks(text, PKCS7_BEGIN, PKCS7_END) {
            let found = pkcs12::certificates_of_pkcs7(&decoded(block)?)
                .ok_or_else(|| refused("certificate_unreadable", "the PKCS#7 block in the file is damaged"))?;
            self.certificates.extend(found.into_iter().map(CertificateDer::from));
        }
        Ok(())
    }

    fn add_der(&mut self, bytes: &[u8], passphrase: &str) -> Result<(), CertificateRefused> {
        if pkcs12::is_one(bytes) {
            let found = pkcs12::open(bytes, passphrase).map_err(unopened)?;
            self.certificates.extend(found.certificates.into_iter().map(CertificateDer::from));
            let keys = found.keys.into_iter().map(|mut key| std::mem::take(&mut *key));
            self.keys.extend(keys.map(|key| PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key))));
        } else if let Some(found) = pkcs12::certificates_of_pkcs7(bytes) {
            self.certificates.extend(found.into_iter().map(CertificateDer::from));
        } else if bytes.first() == Some(&0x30) {
            self.certificates.push(CertificateDer::from(bytes.to_vec()));
        }
        Ok(())
    }
}

fn unopened(why: Unopened) -> CertificateRefused {
    match why {
        Unopened::Malformed => refused("certificate_unreadable", "the file is damaged"),
        Unopened::Passphrase => refused("certificate_passphrase", "the passphrase does not open the file"),
        Unopened::Method(method) => {
            refused("certificate_method", format!("the file is encrypted in a way that is not read here: {method}"))
        }
    }
}

/// The blocks between two lines, those included.
fn blocks<'a>(text: &'a str, begin: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(begin).filter_map(move |(at, _)| {
        let rest = text.get(at..)?;
        rest.get(..rest.find(end)? + end.len())
    })
}

fn decoded(block: &str) -> Result<Vec<u8>, CertificateRefused> {
    // Lines may end as on Windows, and be of any length.
    let block: String = block.lines().map(|line| format!("{}\n", line.trim())).collect();
    let decoded = decode_vec(block.as_bytes()).map(|(_, bytes)| bytes);
    decoded.map_err(|error| refused("certificate_unreadable", format!("the file is damaged: {error}")))
}
