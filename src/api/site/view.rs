//! What a certificate says of itself, in words for people. It judges nothing.

use kernel::Timestamp;
use rustls_pki_types::CertificateDer;
use serde::Serialize;
use std::net::{Ipv4Addr, Ipv6Addr};
use x509_cert::{
    Certificate,
    der::{Decode, Encode, oid::ObjectIdentifier},
    ext::pkix::{
        AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, SubjectAltName, SubjectKeyIdentifier,
        name::GeneralName,
    },
    spki::SubjectPublicKeyInfoOwned,
    time::Time,
};

const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const CURVES: [(ObjectIdentifier, &str); 3] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), "EC P-256"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.34"), "EC P-384"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.35"), "EC P-521"),
];

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateView {
    /// Whose it is.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Host names and addresses that it stands for.
    pub names: Vec<String>,
    /// From when it is good.
    pub not_before: Timestamp,
    /// Until when it is good.
    pub not_after: Timestamp,
    /// The kind of its key.
    pub key: String,
    /// Its number at its authority, in hexadecimal.
    pub serial: String,
    /// SHA-256 of it, as browsers show it.
    pub sha256: String,
    /// Whether it may stand for a server.
    pub server_auth: bool,
    /// Whether it may sign others.
    pub authority: bool,
    /// Subject and issuer as they are written: what leads from one certificate to the next.
    #[serde(skip)]
    pub(super) links: Links,
}

/// What certificates of a chain know of each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Links {
    pub(super) subject: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    /// The id of its key, and of the key that signed it; empty where it does not say.
    pub(super) key_id: Vec<u8>,
    pub(super) issuer_key_id: Vec<u8>,
    /// The public key.
    pub(super) key: Vec<u8>,
}

impl CertificateView {
    /// Reads it; the error says in words what is wrong.
    pub(crate) fn of(der: &CertificateDer<'_>) -> Result<Self, String> {
        let bad = |error: x509_cert::der::Error| format!("holds something that is no certificate: {error}");
        let parsed = Certificate::from_der(der).map_err(bad)?;
        let inner = &parsed.tbs_certificate;
        let names = inner.get::<SubjectAltName>().map_err(bad)?.map(|(_, names)| names.0).unwrap_or_default();
        let usages = inner.get::<ExtendedKeyUsage>().map_err(bad)?.map(|(_, usages)| usages.0).unwrap_or_default();
        let basic = inner.get::<BasicConstraints>().map_err(bad)?;
        let key_id = inner.get::<SubjectKeyIdentifier>().map_err(bad)?;
        let signer = inner.get::<AuthorityKeyIdentifier>().map_err(bad)?.and_then(|(_, id)| id.key_identifier);
        let links = Links {
            subject: inner.subject.to_der().map_err(bad)?,
            issuer: inner.issuer.to_der().map_err(bad)?,
            key_id: key_id.map(|(_, id)| id.0.as_bytes().to_vec()).unwrap_or_default(),
            key: inner.subject_public_key_info.to_der().map_err(bad)?,
            issuer_key_id: signer.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
        };
        Ok(Self {
            subject: inner.subject.to_string(),
            issuer: inner.issuer.to_string(),
            names: names.iter().filter_map(name_of).collect(),
            not_before: moment(inner.validity.not_before),
            not_after: moment(inner.validity.not_after),
            key: key_of(&inner.subject_public_key_info),
            serial: hex(inner.serial_number.as_bytes(), ""),
            sha256: hex(ring::digest::digest(&ring::digest::SHA256, der).as_ref(), ":"),
            server_auth: usages.contains(&SERVER_AUTH),
            authority: basic.is_some_and(|(_, basic)| basic.ca),
            links,
        })
    }
    /// Whole days that are left at a moment; negative once it has ended.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        self.not_after.micros().saturating_sub(now.micros()).div_euclid(86_400 * 1_000_000)
    }
    /// Whether nobody else stands behind it.
    pub fn is_self_issued(&self) -> bool {
        self.links.subject == self.links.issuer
    }
    /// Whether this one is said to have signed the other.
    pub(super) fn issued(&self, other: &Self) -> bool {
        let (id, asked) = (&self.links.key_id, &other.links.issuer_key_id);
        self.links.subject == other.links.issuer && (id.is_empty() || asked.is_empty() || id == asked)
    }
}

fn moment(time: Time) -> Timestamp {
    Timestamp::from_micros(i64::try_from(time.to_unix_duration().as_micros()).unwrap_or(i64::MAX))
}

fn name_of(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
        GeneralName::IpAddress(bytes) => {
            let four = <[u8; 4]>::try_from(bytes.as_bytes()).map(|bytes| Ipv4Addr::from(bytes).to_string());
            four.or_else(|_| <[u8; 16]>::try_from(bytes.as_bytes()).map(|bytes| Ipv6Addr::from(bytes).to_string())).ok()
        }
        // No browser looks for a server under any other kind of name.
        _ => None,
    }
}

fn key_of(info: &SubjectPublicKeyInfoOwned) -> String {
    let kind = info.algorithm.oid;
    if kind == RSA {
        let bits = rsa_bits(info.subject_public_key.raw_bytes());
        return bits.map_or_else(|| "RSA".to_owned(), |bits| format!("RSA {bits}"));
    }
    let curve = info.algorithm.parameters.as_ref().and_then(|one| one.decode_as::<ObjectIdentifier>().ok());
    let known = CURVES.iter().find(|(oid, _)| kind == EC && Some(*oid) == curve);
    known.map_or_else(|| kind.to_string(), |(_, name)| (*name).to_owned())
}

/// How long the modulus of an RSA key is.
fn rsa_bits(key: &[u8]) -> Option<usize> {
    let modulus = yasna::parse_der(key, |reader| {
        reader.read_sequence(|reader| {
            let (modulus, _) = reader.next().read_bigint_bytes()?;
            reader.next().read_bigint_bytes()?;
            Ok(modulus)
        })
    });
    let modulus = modulus.ok()?;
    let first = modulus.iter().position(|byte| *byte != 0)?;
    Some((modulus.len() - first) * 8)
}

fn hex(bytes: &[u8], between: &str) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(between)
}
