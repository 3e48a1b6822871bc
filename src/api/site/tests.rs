//! Certificates that a foreign authority signed, with material that OpenSSL makes: what is taken, in every form, and what is not.

use super::*;
use crate::tls::Shown;
use kernel::{Clock, SystemClock};
use std::{collections::BTreeSet, os::unix::fs::PermissionsExt, process::Command};

/// A folder with a request, and an authority of two stages beside it.
struct Site {
    folder: tempfile::TempDir,
    site: SiteCertificate,
    now: Timestamp,
}

const EXTENSIONS: &str = "[ca]\nbasicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n\
    [leaf]\nsubjectAltName=DNS:crm.bank.example,DNS:*.apps.bank.example,IP:10.0.0.7\nextendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\n\
    [client]\nsubjectAltName=DNS:crm.bank.example\nextendedKeyUsage=clientAuth\n[bare]\nextendedKeyUsage=serverAuth\n";

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tls")).unwrap();
        let made = Self {
            site: SiteCertificate::in_folder(folder.path().join("tls")),
            folder,
            // OpenSSL has no other clock than the machine: what it makes later begins later.
            now: SystemClock::start().now().plus_seconds(120),
        };
        fs::write(made.path("ext"), EXTENSIONS).unwrap();
        made.openssl(
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out root.key 2>&1
            req -x509 -new -key root.key -subj '/O=Bank/CN=Bank Root' -days 3650 -config /dev/null -extensions ca -config ext.req -out root.pem
            genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out mid.key
            req -new -key mid.key -subj '/O=Bank/CN=Bank Issuing' -config ext.req -out mid.csr
            x509 -req -in mid.csr -CA root.pem -CAkey root.key -CAcreateserial -days 1000 -extfile ext -extensions ca -out mid.pem",
        );
        made
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }
    /// Lines of commands of OpenSSL.
    #[track_caller]
    fn openssl(&self, lines: &str) {
        let head =
            "[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n";
        fs::write(self.path("ext.req"), head).unwrap();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let line = line.replace("-config /dev/null ", "");
            let ran = Command::new("sh").args(["-c", &format!("openssl {line}")]).current_dir(&self.folder).output();
            let ran = ran.unwrap();
            assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
        }
    }
    fn request(&self, names: &[&str]) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let (organization, country) = (Some("Bank"), Some("DE"));
        let wanted = Wanted { names: &names, organization, country, key: RequestKey::P256, new_key: false };
        fs::write(self.path("leaf.csr"), self.site.request(&wanted).unwrap()).unwrap();
    }
    /// Signs the request: `leaf.pem`.
    fn signed(&self, section: &str, days: &str) {
        self.openssl(&format!(
            "x509 -req -in leaf.csr -CA mid.pem -CAkey mid.key -CAcreateserial {days} -extfile ext -extensions {section} -out leaf.pem"
        ));
    }
    fn check(&self, files: &[&str], names: &[&str]) -> Result<Checked, CertificateRefused> {
        let mut brought = Material::default();
        for file in files {
            brought.add(&self.read(file), "secret")?;
        }
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        self.site.check(&brought, &Material::default(), &names, self.now)
    }
    #[track_caller]
    fn refuses(&self, files: &[&str], names: &[&str], reason: &str) {
        match self.check(files, names) {
            Err(refused) => {
                assert_eq!(refused.reason, reason, "{refused}");
                assert!(!refused.todo.is_empty());
            }
            Ok(_) => panic!("{files:?} was taken"),
        }
    }
}

const CHAIN: [&str; 3] = ["leaf.pem", "mid.pem", "root.pem"];

#[test]
fn a_request_is_signed_elsewhere_and_its_certificate_is_shown() {
    let site = Site::new();
    site.request(&["crm.bank.example", "10.0.0.7"]);
    let key = site.read("tls/request.key");
    site.request(&["crm.bank.example", "10.0.0.7"]);
    assert_eq!(site.read("tls/request.key"), key, "who has the first request can still sign it");
    site.openssl("req -in leaf.csr -verify -noout -text -out csr.txt 2>&1");
    let text = String::from_utf8(site.read("csr.txt")).unwrap();
    for part in [
        "DNS:crm.bank.example",
        "IP Address:10.0.0.7",
        "CN = crm.bank.example",
        "O = Bank",
        "C = DE",
        "Server Authentication",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    site.signed("leaf", "-days 300");
    // In any order.
    let checked =
        site.check(&["root.pem", "leaf.pem", "mid.pem"], &["crm.bank.example", "*.apps.bank.example"]).unwrap();
    let subjects: Vec<&str> = checked.chain().iter().map(|view| view.subject.as_str()).collect();
    assert!(
        subjects[0].contains("crm.bank.example") && subjects[1].contains("Issuing") && subjects[2].contains("Root")
    );
    let leaf = &checked.chain()[0];
    assert_eq!(leaf.names, ["crm.bank.example", "*.apps.bank.example", "10.0.0.7"]);
    assert_eq!((leaf.key.as_str(), checked.chain()[2].key.as_str()), ("EC P-256", "RSA 2048"));
    assert_eq!(leaf.days_left(site.now), 299);
    site.openssl("x509 -in leaf.pem -noout -fingerprint -sha256 -out print.txt");
    assert!(String::from_utf8(site.read("print.txt")).unwrap().contains(&leaf.sha256));
    site.site.install(&checked, site.now).unwrap();
    assert_eq!(fs::metadata(site.site.file()).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!site.site.request_key().exists(), "the request is answered");
    let in_use = InUse::in_folder(&site.path("tls"));
    assert!(in_use.of_site);
    let shown = Shown::load(&in_use.files).unwrap();
    assert_eq!(shown.length(), 2, "the root is not sent");
    assert_eq!(in_use.views().unwrap().len(), 3);
}

#[test]
fn every_form_that_authorities_hand_out_is_read() {
    let site = Site::new();
    site.request(&["crm.bank.example"]);
    site.signed("leaf", "-days 300");
    site.openssl(
        "pkcs8 -topk8 -in tls/request.key -out locked.key -passout pass:secret
        pkcs8 -topk8 -nocrypt -in tls/request.key -out leaf.key
        crl2pkcs7 -nocrl -certfile mid.pem -certfile root.pem -outform DER -out chain.p7b
        crl2pkcs7 -nocrl -certfile mid.pem -certfile root.pem -out chain.p7b.pem
        x509 -in leaf.pem -outform DER -out leaf.cer",
    );
    fs::write(site.path("chain.pem"), [site.read("mid.pem"), site.read("root.pem")].concat()).unwrap();
    fs::remove_file(site.site.request_key()).unwrap();
    site.openssl(
        "pkcs12 -export -in leaf.pem -inkey leaf.key -certfile chain.pem -name kontor -out aes.p12 -passout pass:secret
        pkcs12 -export -in leaf.pem -inkey leaf.key -certfile chain.pem -out small.p12 -passout pass:secret -keypbe aes-128-cbc -certpbe aes-192-cbc -macalg sha512 -iter 1
        pkcs12 -export -in leaf.pem -inkey leaf.key -certfile chain.pem -out older.p12 -passout pass:secret -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1
        pkcs12 -export -in leaf.pem -inkey leaf.key -certfile chain.pem -out plain.p12 -passout pass:secret -keypbe NONE -certpbe NONE
        pkcs12 -export -in leaf.pem -inkey leaf.key -certfile chain.pem -out empty.p12 -passout pass:",
    );
    for files in [
        &["aes.p12"][..],
        &["small.p12"],
        &["older.p12"],
        &["plain.p12"],
        &["leaf.cer", "chain.p7b", "leaf.key"],
        &["leaf.cer", "chain.p7b.pem", "locked.key"],
        &["leaf.pem", "chain.pem", "leaf.key"],
    ] {
        let checked = site.check(files, &["crm.bank.example"]).unwrap_or_else(|refused| panic!("{files:?}: {refused}"));
        assert_eq!(checked.chain().len(), 3, "{files:?}");
    }
    for (file, wants) in
        [("aes.p12", true), ("empty.p12", false), ("locked.key", true), ("leaf.pem", false), ("leaf.cer", false)]
    {
        assert_eq!(Material::wants_passphrase(&site.read(file)), wants, "{file}");
    }
    let mut empty = Material::default();
    empty.add(&site.read("empty.p12"), "").unwrap();
    assert_eq!((empty.certificates.len(), empty.keys.len()), (3, 1));
    for file in ["aes.p12", "small.p12", "older.p12", "plain.p12", "locked.key"] {
        let refused = Material::default().add(&site.read(file), "Secret").unwrap_err();
        assert_eq!(refused.reason, "certificate_passphrase", "{file}: {refused}");
    }
    let whole = site.read("aes.p12");
    for at in (0..whole.len()).step_by(7) {
        // Neither a panic nor a success, whatever is damaged: all of it is under the file's own check.
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        let mut taken = Material::default();
        let same = taken.add(&bytes, "secret").is_ok();
        assert!(!same || taken.certificates.len() <= 3, "{at}");
        drop(Material::default().add(&whole[..at], "secret"));
    }
}

#[test]
fn what_cannot_be_shown_is_refused_with_its_reason() {
    let site = Site::new();
    let mut seen = BTreeSet::new();
    let mut refuses = |files: &[&str], names: &[&str], reason: &'static str| {
        site.refuses(files, names, reason);
        seen.insert(reason);
    };
    site.request(&["crm.bank.example"]);
    site.signed("leaf", "-days 300");
    refuses(&CHAIN, &["other.bank.example"], "certificate_names");
    refuses(&["leaf.pem", "root.pem"], &[], "certificate_chain");
    refuses(&["leaf.pem", "mid.pem"], &[], "certificate_chain");
    refuses(&["mid.pem", "root.pem"], &[], "certificate_key");
    refuses(&["tls/request.key"], &[], "certificate_missing");
    refuses(&["ext"], &[], "certificate_unreadable");
    fs::write(site.path("cut.pem"), &site.read("leaf.pem")[..400]).unwrap();
    refuses(&["cut.pem"], &[], "certificate_unreadable");
    // An authority of the same name with another key.
    site.openssl(
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out false.key
        req -x509 -new -key false.key -subj '/O=Bank/CN=Bank Root' -days 3650 -config ext.req -extensions ca -out false.pem
        req -x509 -new -key tls/request.key -subj /CN=self -days 30 -config ext.req -out self.pem
        pkcs12 -export -in leaf.pem -inkey tls/request.key -out odd.p12 -passout pass:secret -keypbe aes-256-cbc -certpbe camellia-128-cbc",
    );
    refuses(&["leaf.pem", "mid.pem", "false.pem"], &[], "certificate_chain");
    refuses(&["self.pem"], &[], "certificate_self_signed");
    refuses(&["odd.p12"], &[], "certificate_method");
    site.signed("client", "-days 300");
    refuses(&CHAIN, &[], "certificate_purpose");
    site.signed("bare", "-days 300");
    refuses(&CHAIN, &[], "certificate_names");
    site.signed("leaf", "-days 300");
    let later = Site { now: site.now.plus_seconds(301 * 86_400), ..site };
    later.refuses(&CHAIN, &[], "certificate_expired");
    let early = Site { now: later.now.plus_seconds(-302 * 86_400), ..later };
    early.refuses(&CHAIN, &[], "certificate_early");
    seen.extend(["certificate_expired", "certificate_early", "certificate_passphrase"]);
    assert_eq!(seen, CertificateRefused::reasons().collect(), "each reason has its example");
}

#[test]
fn former_ones_stay_for_a_while_and_the_own_one_comes_back() {
    let site = Site::new();
    assert!(!site.site.leave(site.now).unwrap());
    for turn in 0..6 {
        site.request(&["crm.bank.example"]);
        site.signed("leaf", &format!("-days {}", 100 + turn));
        let checked = site.check(&CHAIN, &[]).unwrap();
        site.site.install(&checked, site.now.plus_seconds(turn / 2)).unwrap();
    }
    let former = site.site.former().unwrap();
    assert_eq!(former.len(), 3, "{former:?}");
    // A certificate that is renewed for the same key finds it in the file in use, and a former one brings its own.
    site.openssl("x509 -in tls/site.pem -x509toreq -signkey tls/site.pem -out leaf.csr 2>&1");
    site.signed("leaf", "-days 200");
    assert!(!site.site.request_key().exists());
    assert_eq!(site.check(&CHAIN, &[]).unwrap().chain()[0].days_left(site.now), 199);
    let name = format!("tls/{}", former[2].file_name().unwrap().to_str().unwrap());
    assert_eq!(site.check(&[&name], &[]).unwrap().chain()[0].days_left(site.now), 103);
    assert!(site.site.leave(site.now.plus_seconds(9)).unwrap());
    assert!(!InUse::in_folder(&site.path("tls")).of_site);
    assert_eq!(site.site.former().unwrap().len(), 3);
}
