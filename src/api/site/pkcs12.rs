//! Opens PKCS#12 files (.p12, .pfx; RFC 7292) as OpenSSL, Windows and Java write them: AES with PBKDF2, and Triple DES of older ones.
//! It takes out keys and certificates, and also opens keys that stand encrypted in PEM. It never writes such a file, and looks at
//! nothing before the file's own check of the passphrase held.

use cbc::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7};
use ring::{digest, hmac, pbkdf2};
use std::num::NonZeroU32;
use yasna::{ASN1Result, BERReader, Tag};
use zeroize::Zeroizing;

/// Rounds of a hash that a file may ask for: minutes, not days.
const ROUNDS_MAX: u32 = 10_000_000;

const DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 1];
const SIGNED_DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 2];
const ENCRYPTED_DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 6];
const KEY_BAG: &[u64] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 1];
const SHROUDED_KEY_BAG: &[u64] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 2];
const CERTIFICATE_BAG: &[u64] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 3];
const X509: &[u64] = &[1, 2, 840, 113_549, 1, 9, 22, 1];
const PBES2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 13];
const PBKDF2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 12];
const SHA1_TRIPLE_DES: &[u64] = &[1, 2, 840, 113_549, 1, 12, 1, 3];
const AES_128: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 1, 2];
const AES_192: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 1, 22];
const AES_256: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 1, 42];
const HMAC_SHA1: &[u64] = &[1, 2, 840, 113_549, 2, 7];

/// Why such a file does not open.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unopened {
    /// It is no such file.
    Malformed,
    /// The passphrase is another.
    Passphrase,
    /// It is protected in a way that is not known here: which.
    Method(String),
}

/// What was in it, as DER.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) keys: Vec<Zeroizing<Vec<u8>>>,
}

/// How something is encrypted.
enum Scheme {
    /// RFC 8018: key from PBKDF2 with this function, then this cipher.
    Pbes2 { salt: Vec<u8>, rounds: u32, function: Vec<u64>, cipher: Vec<u64>, iv: Vec<u8> },
    /// RFC 7292, appendix B, with SHA-1 and Triple DES.
    Older { salt: Vec<u8>, rounds: u32 },
    /// Another.
    Unknown(Vec<u64>),
}

struct Sealed {
    scheme: Scheme,
    bytes: Vec<u8>,
}

enum Content {
    Plain(Vec<u8>),
    Sealed(Sealed),
    Other(Vec<u64>),
}

enum Bag {
    Key(Vec<u8>),
    ShroudedKey(Sealed),
    Certificate(Vec<u8>),
    Other,
}

/// The file's own check of the passphrase.
struct Mac {
    hash: Vec<u64>,
    value: Vec<u8>,
    salt: Vec<u8>,
    rounds: u32,
}

struct File {
    content: Content,
    mac: Option<Mac>,
}

fn malformed(_: yasna::ASN1Error) -> Unopened {
    Unopened::Malformed
}

/// Whether this is such a file.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    yasna::parse_ber(bytes, file).is_ok()
}

/// Opens one.
pub(super) fn open(bytes: &[u8], passphrase: &str) -> Result<Contents, Unopened> {
    let File { content, mac } = yasna::parse_ber(bytes, file).map_err(malformed)?;
    let Content::Plain(safes) = content else {
        return Err(Unopened::Method("signed with a certificate instead of a passphrase".to_owned()));
    };
    if let Some(mac) = mac {
        verify(&mac, &safes, passphrase)?;
    }
    let safes = yasna::parse_ber(&safes, |reader| reader.collect_sequence_of(content_of)).map_err(malformed)?;
    let mut contents = Contents::default();
    for safe in safes {
        let bags = match safe {
            Content::Plain(bags) => Zeroizing::new(bags),
            Content::Sealed(sealed) => decrypt(&sealed, passphrase)?,
            Content::Other(kind) => return Err(Unopened::Method(dotted(&kind))),
        };
        for bag in yasna::parse_ber(&bags, |reader| reader.collect_sequence_of(bag_of)).map_err(malformed)? {
            match bag {
                Bag::Key(key) => contents.keys.push(Zeroizing::new(key)),
                Bag::ShroudedKey(sealed) => contents.keys.push(decrypt(&sealed, passphrase)?),
                Bag::Certificate(certificate) => contents.certificates.push(certificate),
                Bag::Other => {}
            }
        }
    }
    Ok(contents)
}

/// A key of PKCS#8 that is encrypted by itself.
pub(super) fn open_key(bytes: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, Unopened> {
    decrypt(&yasna::parse_ber(bytes, sealed).map_err(malformed)?, passphrase)
}

/// The certificates of a PKCS#7 file (.p7b), in which authorities hand out chains.
pub(super) fn certificates_of_pkcs7(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let read = yasna::parse_ber(bytes, |reader| {
        reader.read_sequence(|reader| {
            let kind = reader.next().read_oid()?;
            if kind.components().as_slice() != SIGNED_DATA {
                return Err(yasna::ASN1Error::new(yasna::ASN1ErrorKind::Invalid));
            }
            reader.next().read_tagged(Tag::context(0), |reader| {
                reader.read_sequence(|reader| {
                    reader.next().read_u8()?;
                    reader.next().read_der()?;
                    reader.next().read_der()?;
                    let mut certificates = Vec::new();
                    reader.next().read_tagged_implicit(Tag::context(0), |reader| {
                        reader.read_set_of(|reader| reader.read_der().map(|one| certificates.push(one)))
                    })?;
                    // Lists of what was revoked, and who signed: neither counts here.
                    while reader.read_optional(|reader| reader.read_der())?.is_some() {}
                    Ok(certificates)
                })
            })
        })
    });
    read.ok()
}

fn file(reader: BERReader<'_, '_>) -> ASN1Result<File> {
    reader.read_sequence(|reader| {
        let version = reader.next().read_u8()?;
        if version != 3 {
            return Err(yasna::ASN1Error::new(yasna::ASN1ErrorKind::Invalid));
        }
        let content = content_of(reader.next())?;
        Ok(File { content, mac: reader.read_optional(mac)? })
    })
}

fn mac(reader: BERReader<'_, '_>) -> ASN1Result<Mac> {
    reader.read_sequence(|reader| {
        let (hash, value) = reader.next().read_sequence(|reader| {
            let hash = reader.next().read_sequence(|reader| {
                let hash = reader.next().read_oid()?;
                reader.read_optional(|reader| reader.read_der())?;
                Ok(hash)
            })?;
            Ok((hash.components().clone(), reader.next().read_bytes()?))
        })?;
        let salt = reader.next().read_bytes()?;
        let rounds = reader.read_optional(|reader| reader.read_u32())?.unwrap_or(1);
        Ok(Mac { hash, value, salt, rounds })
    })
}

fn content_of(reader: BERReader<'_, '_>) -> ASN1Result<Content> {
    reader.read_sequence(|reader| {
        let kind = reader.next().read_oid()?;
        let reader = reader.next();
        match kind.components().as_slice() {
            DATA => reader.read_tagged(Tag::context(0), |reader| reader.read_bytes()).map(Content::Plain),
            ENCRYPTED_DATA => reader.read_tagged(Tag::context(0), encrypted_data).map(Content::Sealed),
            other => {
                reader.read_der()?;
                Ok(Content::Other(other.to_vec()))
            }
        }
    })
}

fn encrypted_data(reader: BERReader<'_, '_>) -> ASN1Result<Sealed> {
    reader.read_sequence(|reader| {
        reader.next().read_u8()?;
        let sealed = reader.next().read_sequence(|reader| {
            reader.next().read_oid()?;
            let scheme = scheme_of(reader.next())?;
            let bytes = reader.next().read_tagged_implicit(Tag::context(0), |reader| reader.read_bytes())?;
            Ok(Sealed { scheme, bytes })
        })?;
        reader.read_optional(|reader| reader.read_der())?;
        Ok(sealed)
    })
}

fn sealed(reader: BERReader<'_, '_>) -> ASN1Result<Sealed> {
    reader.read_sequence(|reader| {
        let scheme = scheme_of(reader.next())?;
        Ok(Sealed { scheme, bytes: reader.next().read_bytes()? })
    })
}

fn scheme_of(reader: BERReader<'_, '_>) -> ASN1Result<Scheme> {
    reader.read_sequence(|reader| {
        let kind = reader.next().read_oid()?;
        match kind.components().as_slice() {
            PBES2 => reader.next().read_sequence(|reader| {
                let (derivation, salt, rounds, function) = reader.next().read_sequence(|reader| {
                    let derivation = reader.next().read_oid()?;
                    if derivation.components().as_slice() != PBKDF2 {
                        reader.next().read_der()?;
                        return Ok((derivation, Vec::new(), 0, Vec::new()));
                    }
                    let (salt, rounds, function) = reader.next().read_sequence(|reader| {
                        let (salt, rounds) = (reader.next().read_bytes()?, reader.next().read_u32()?);
                        reader.read_optional(|reader| reader.read_u32())?;
                        let function = reader.read_optional(named)?.unwrap_or_else(|| HMAC_SHA1.to_vec());
                        Ok((salt, rounds, function))
                    })?;
                    Ok((derivation, salt, rounds, function))
                })?;
                let (cipher, iv) = reader.next().read_sequence(|reader| {
                    let cipher = reader.next().read_oid()?;
                    Ok((cipher.components().clone(), reader.next().read_bytes()?))
                })?;
                if derivation.components().as_slice() != PBKDF2 {
                    return Ok(Scheme::Unknown(derivation.components().clone()));
                }
                Ok(Scheme::Pbes2 { salt, rounds, function, cipher, iv })
            }),
            SHA1_TRIPLE_DES => reader.next().read_sequence(|reader| {
                Ok(Scheme::Older { salt: reader.next().read_bytes()?, rounds: reader.next().read_u32()? })
            }),
            other => {
                reader.read_optional(|reader| reader.read_der())?;
                Ok(Scheme::Unknown(other.to_vec()))
            }
        }
    })
}

/// The name of an algorithm whose parameters say nothing.
fn named(reader: BERReader<'_, '_>) -> ASN1Result<Vec<u64>> {
    reader.read_sequence(|reader| {
        let name = reader.next().read_oid()?;
        reader.read_optional(|reader| reader.read_null())?;
        Ok(name.components().clone())
    })
}

fn bag_of(reader: BERReader<'_, '_>) -> ASN1Result<Bag> {
    reader.read_sequence(|reader| {
        let kind = reader.next().read_oid()?;
        let bag = reader.next().read_tagged(Tag::context(0), |reader| match kind.components().as_slice() {
            KEY_BAG => reader.read_der().map(Bag::Key),
            SHROUDED_KEY_BAG => sealed(reader).map(Bag::ShroudedKey),
            CERTIFICATE_BAG => reader.read_sequence(|reader| {
                let kind = reader.next().read_oid()?;
                if kind.components().as_slice() != X509 {
                    reader.next().read_der()?;
                    return Ok(Bag::Other);
                }
                let bytes = reader.next().read_tagged(Tag::context(0), |reader| reader.read_bytes())?;
                Ok(Bag::Certificate(bytes))
            }),
            _ => reader.read_der().map(|_| Bag::Other),
        })?;
        reader.read_optional(|reader| reader.read_der())?;
        Ok(bag)
    })
}

fn dotted(name: &[u64]) -> String {
    name.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
}

fn rounds_checked(rounds: u32) -> Result<NonZeroU32, Unopened> {
    NonZeroU32::new(rounds).filter(|rounds| rounds.get() <= ROUNDS_MAX).ok_or(Unopened::Malformed)
}

fn verify(mac: &Mac, safes: &[u8], passphrase: &str) -> Result<(), Unopened> {
    let (hash, algorithm) = match mac.hash.as_slice() {
        [1, 3, 14, 3, 2, 26] => (&digest::SHA1_FOR_LEGACY_USE_ONLY, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        [2, 16, 840, 1, 101, 3, 4, 2, 1] => (&digest::SHA256, hmac::HMAC_SHA256),
        [2, 16, 840, 1, 101, 3, 4, 2, 2] => (&digest::SHA384, hmac::HMAC_SHA384),
        [2, 16, 840, 1, 101, 3, 4, 2, 3] => (&digest::SHA512, hmac::HMAC_SHA512),
        other => return Err(Unopened::Method(dotted(other))),
    };
    let rounds = rounds_checked(mac.rounds)?;
    // A file without a passphrase has an empty one, which some programs write with its ending zero and some without.
    for text in [wide(passphrase), Zeroizing::new(Vec::new())].iter().take(if passphrase.is_empty() { 2 } else { 1 }) {
        let key = derived(hash, 3, (text, &mac.salt, rounds), hash.output_len());
        if hmac::verify(&hmac::Key::new(algorithm, &key), safes, &mac.value).is_ok() {
            return Ok(());
        }
    }
    Err(Unopened::Passphrase)
}

/// A passphrase as RFC 7292 has it: UTF-16, with a zero at its end.
fn wide(passphrase: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(passphrase.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect())
}

/// The derivation of RFC 7292, appendix B.2. `purpose` is 1 for keys, 2 for initial values, 3 for the check.
fn derived(
    hash: &'static digest::Algorithm,
    purpose: u8,
    (passphrase, salt, rounds): (&[u8], &[u8], NonZeroU32),
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let block = hash.block_len();
    let filled =
        |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().cycle().take(bytes.len().div_ceil(block) * block).collect() };
    let mut mixed = Zeroizing::new([filled(salt), filled(passphrase)].concat());
    let mut made = Zeroizing::new(Vec::with_capacity(length + hash.output_len()));
    while made.len() < length {
        let mut context = digest::Context::new(hash);
        context.update(&vec![purpose; block]);
        context.update(&mixed);
        let mut found = context.finish();
        for _ in 1..rounds.get() {
            found = digest::digest(hash, found.as_ref());
        }
        made.extend_from_slice(found.as_ref());
        let added: Vec<u8> = found.as_ref().iter().copied().cycle().take(block).collect();
        for part in mixed.chunks_mut(block) {
            let mut carry = 1;
            for (byte, add) in part.iter_mut().zip(&added).rev() {
                let [high, low] = (u16::from(*byte) + u16::from(*add) + carry).to_be_bytes();
                (*byte, carry) = (low, u16::from(high));
            }
        }
    }
    made.truncate(length);
    made
}

fn decrypt(sealed: &Sealed, passphrase: &str) -> Result<Zeroizing<Vec<u8>>, Unopened> {
    let mut clear = Zeroizing::new(sealed.bytes.clone());
    let length = match &sealed.scheme {
        Scheme::Unknown(name) => return Err(Unopened::Method(method(name))),
        Scheme::Older { salt, rounds } => {
            let (hash, text) = (&digest::SHA1_FOR_LEGACY_USE_ONLY, wide(passphrase));
            let of = (text.as_slice(), salt.as_slice(), rounds_checked(*rounds)?);
            let (key, iv) = (derived(hash, 1, of, 24), derived(hash, 2, of, 8));
            unlock::<cbc::Decryptor<des::TdesEde3>>(&key, &iv, &mut clear)?
        }
        Scheme::Pbes2 { salt, rounds, function, cipher, iv } => {
            let function = match function.as_slice() {
                HMAC_SHA1 => pbkdf2::PBKDF2_HMAC_SHA1,
                [1, 2, 840, 113_549, 2, 9] => pbkdf2::PBKDF2_HMAC_SHA256,
                [1, 2, 840, 113_549, 2, 10] => pbkdf2::PBKDF2_HMAC_SHA384,
                [1, 2, 840, 113_549, 2, 11] => pbkdf2::PBKDF2_HMAC_SHA512,
                other => return Err(Unopened::Method(dotted(other))),
            };
            let length = match cipher.as_slice() {
                AES_128 => 16,
                AES_192 => 24,
                AES_256 => 32,
                other => return Err(Unopened::Method(dotted(other))),
            };
            let mut key = Zeroizing::new(vec![0; length]);
            pbkdf2::derive(function, rounds_checked(*rounds)?, salt, passphrase.as_bytes(), &mut key);
            match length {
                16 => unlock::<cbc::Decryptor<aes::Aes128>>(&key, iv, &mut clear)?,
                24 => unlock::<cbc::Decryptor<aes::Aes192>>(&key, iv, &mut clear)?,
                _ => unlock::<cbc::Decryptor<aes::Aes256>>(&key, iv, &mut clear)?,
            }
        }
    };
    clear.truncate(length);
    Ok(clear)
}

fn unlock<C: KeyIvInit + BlockModeDecrypt>(key: &[u8], iv: &[u8], bytes: &mut [u8]) -> Result<usize, Unopened> {
    let cipher = C::new_from_slices(key, iv).map_err(|_| Unopened::Malformed)?;
    // What a wrong passphrase makes of it has no padding.
    cipher.decrypt_padded::<Pkcs7>(bytes).map(<[u8]>::len).map_err(|_| Unopened::Passphrase)
}

/// What a method is called, where people know it by a name.
fn method(name: &[u64]) -> String {
    match name {
        [1, 2, 840, 113_549, 1, 12, 1, 5 | 6] => "RC2".to_owned(),
        [1, 2, 840, 113_549, 1, 12, 1, 1 | 2] => "RC4".to_owned(),
        [1, 2, 840, 113_549, 1, 5, 3 | 10] => "DES".to_owned(),
        [1, 3, 6, 1, 4, 1, 11_591, 4, 11] => "scrypt".to_owned(),
        other => dotted(other),
    }
}
