//! The certificate of the site: asked for, signed by a foreign authority that OpenSSL plays, brought back in the forms that such
//! authorities use, shown to browsers after a reload and after a restart; and what is refused, with everything left as it was.

use crate::support::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const NAME: &str = "crm.bank.example";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// An authority of two stages, in a folder of its own.
pub(crate) struct Authority {
    folder: PathBuf,
}

impl Authority {
    pub(crate) fn new(place: &Place) -> Self {
        let made = Self { folder: place.path("authority") };
        fs::create_dir(&made.folder).unwrap();
        let text = format!(
            "[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n\
             [leaf]\nsubjectAltName=DNS:{NAME}\nextendedKeyUsage=serverAuth\n[other]\nsubjectAltName=DNS:other.example\nextendedKeyUsage=serverAuth\n\
             [client]\nsubjectAltName=DNS:{NAME}\nextendedKeyUsage=clientAuth\n"
        );
        fs::write(made.folder.join("conf"), text).unwrap();
        made.openssl(
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out root.key
            req -x509 -new -key root.key -subj /O=Bank/CN=BankRoot -days 3650 -config conf -extensions ca -out root.pem
            genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -quiet -out mid.key
            req -new -key mid.key -subj /O=Bank/CN=BankIssuing -config conf -out mid.csr
            x509 -req -in mid.csr -CA root.pem -CAkey root.key -CAcreateserial -days 1000 -extfile conf -extensions ca -out mid.pem",
        );
        fs::write(made.folder.join("chain.pem"), made.read("mid.pem") + &made.read("root.pem")).unwrap();
        made
    }
    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }
    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap()
    }
    #[track_caller]
    fn openssl(&self, lines: &str) {
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut command = Command::new("openssl");
            let ran = command.args(line.split_whitespace()).current_dir(&self.folder).output().unwrap();
            assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
        }
    }
    /// Signs what was asked for, as `NAME.pem`.
    #[track_caller]
    fn sign(&self, csr: &str, section: &str, days: u32, name: &str) {
        self.openssl(&format!(
            "x509 -req -in {csr} -CA mid.pem -CAkey mid.key -CAcreateserial -days {days} -extfile conf -extensions {section} -out {name}.pem"
        ));
    }
    /// Asks for a certificate, has it signed for so many days, and brings it back.
    #[track_caller]
    pub(crate) fn serve_site(&self, place: &Place, days: u32) {
        let csr = self.path(&format!("for-{days}.csr"));
        place.on(&["tls", "csr"], &["--name", NAME, "--out", &csr]).ended(0);
        self.sign(&csr, "leaf", days, "leaf");
        place.on(&["tls", "import"], &[&self.path("leaf.pem"), &self.path("chain.pem")]).ended(0);
    }
    /// What a client that trusts the root alone sees: who signed, and the fingerprint.
    fn sees(&self, url: &str) -> String {
        let address = url.split("//").nth(1).unwrap();
        let line = format!(
            "openssl s_client -connect {address} -servername {NAME} -verify_hostname {NAME} -verify_return_error -CAfile root.pem </dev/null 2>&1 \
             | tee seen | openssl x509 -noout -issuer -fingerprint -sha256; cat seen"
        );
        let ran = Command::new("sh").args(["-c", &line]).current_dir(&self.folder).output().unwrap();
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }
    fn fingerprint(&self, name: &str) -> String {
        self.openssl(&format!("x509 -in {name} -noout -fingerprint -sha256 -out print"));
        self.read("print").trim().split('=').nth(1).unwrap().to_owned()
    }
}

/// An appliance that browsers reach by that name.
fn named() -> Place {
    let place = Place::new();
    place.init().ended(0);
    let path = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("names = []"));
    fs::write(path, text.replacen("names = []", &format!("names = [{NAME:?}]"), 1)).unwrap();
    place
}

fn serve(place: &Place) -> (Server, String) {
    let server = Server::start(place.command(&["serve", "--dir", place.dir().to_str().unwrap()]), true);
    let url = url_in(&server.line_with("serving"));
    (server, url)
}

fn reload(server: &Server) {
    rustix::process::kill_process(server.pid(), rustix::process::Signal::HUP).unwrap();
}

fn tls_folder(place: &Place) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = fs::read_dir(place.dir().join("tls")).unwrap().map(|found| found.unwrap().path());
    files.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn shown(place: &Place, code: i32) -> Value {
    serde_json::from_str(&place.on(&["tls", "show"], &["--json"]).ended(code).out).unwrap()
}

#[test]
fn asked_for_signed_elsewhere_imported_and_shown_after_a_reload_and_a_restart() {
    let place = named();
    let authority = Authority::new(&place);
    let (server, url) = serve(&place);
    assert_eq!(shown(&place, 0)["of_site"], json!(false));
    let csr = authority.path("crm.csr");
    let key = place.dir().join("tls/request.key");
    place
        .on(&["tls", "csr"], &["--out", &csr, "--organization", "Hanse Bank", "--country", "DE"])
        .ended(0)
        .says("crm.csr");
    assert_eq!(mode(&key), 0o600);
    assert!(!authority.read("crm.csr").contains("PRIVATE"));
    place.on(&["tls", "csr"], &["--out", &csr]).ended(2).complains("name a new file");
    place.on(&["tls", "csr"], &["--name", "a b"]).ended(2).complains("parameter_invalid");
    place.on(&["tls", "csr"], &[]).ended(0).says("BEGIN CERTIFICATE REQUEST");
    assert_eq!(shown(&place, 0)["request_waits"], json!(true));
    authority.sign(&csr, "leaf", 300, "crm");
    let files = [authority.path("crm.pem"), authority.path("chain.pem")];
    let files = [files[0].as_str(), files[1].as_str()];
    let before = tls_folder(&place);
    place.on(&["tls", "import"], &[&files[..], &["--check"]].concat()).ended(0).says("nothing was changed");
    assert_eq!(tls_folder(&place), before);
    place.on(&["tls", "import"], &files).ended(0).says("BankIssuing").says("systemctl reload kontor");
    assert!(!key.exists());
    assert_eq!(mode(&place.dir().join("tls/site.pem")), 0o600);
    // Before the reload the former one is shown, and commands on this machine still find the server.
    assert!(!authority.sees(&url).contains("BankIssuing"));
    assert!(!place.on(&["doctor"], &[]).out.contains("service_silent"));
    reload(&server);
    server.line_with("read anew and is in force");
    let print = authority.fingerprint("crm.pem");
    let seen = authority.sees(&url);
    assert!(seen.contains("BankIssuing") && seen.contains(&print) && seen.contains("Verify return code: 0"), "{seen}");
    assert!(!seen.contains("s:O = Bank, CN = BankRoot"), "the root is not sent: {seen}");
    let doctor = place.on(&["doctor"], &[]).out;
    assert!(doctor.contains("It serves and is ready") && !doctor.contains("certificate_"), "{doctor}");
    let now = shown(&place, 0);
    assert_eq!((&now["of_site"], &now["days"], &now["lacks"]), (&json!(true), &json!(299), &json!([])), "{now}");
    assert_eq!(now["chain"][0]["sha256"], json!(print));
    assert_eq!(now["chain"].as_array().unwrap().len(), 3);
    assert_eq!(server.stop(), 0);
    let (server, url) = serve(&place);
    assert!(authority.sees(&url).contains(&print));
    // Back to the own one, and again to the site's, from the file that stayed.
    place.on(&["tls", "own"], &[]).ended(0);
    reload(&server);
    server.line_with("read anew and is in force");
    assert!(!authority.sees(&url).contains(&print));
    let former = tls_folder(&place).into_keys().find(|path| path.to_str().unwrap().contains("/site-")).unwrap();
    place.on(&["tls", "import"], &[former.to_str().unwrap()]).ended(0);
    reload(&server);
    server.line_with("read anew and is in force");
    assert!(authority.sees(&url).contains(&print));
    assert_eq!(server.stop(), 0);
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
    assert_eq!(
        noted(&place, "config_change", "certificate imported: SHA-256"),
        4,
        "two imports, each before and after"
    );
    assert_eq!(noted(&place, "config_change", &format!("certificate asked for: {NAME}")), 4);
}

#[test]
fn a_sealed_server_with_the_certificate_of_the_site_is_unsealed_on_its_own_machine() {
    let place = Place::new();
    place.init_sealed().ended(0);
    let authority = Authority::new(&place);
    let passphrase = place.path("passphrase");
    let with = ["--passphrase-file", passphrase.to_str().unwrap()];
    let csr = authority.path("crm.csr");
    // What opens nothing leaves no file that would be in the way of the next try.
    let wrong = place.secret("wrong", "a lantern under the quay");
    let asks = ["--name", NAME, "--key", "p384", "--out", &csr];
    place.on(&["tls", "csr"], &[&["--passphrase-file", wrong.to_str().unwrap()], &asks[..]].concat()).ended(1);
    assert!(!std::path::Path::new(&csr).exists());
    place.on(&["tls", "csr"], &[&with[..], &asks[..]].concat()).ended(0);
    authority.sign(&csr, "leaf", 300, "crm");
    let files = [authority.path("crm.pem"), authority.path("chain.pem")];
    place.on(&["tls", "import"], &[&with[..], &[&files[0], &files[1]]].concat()).ended(0).says("EC P-384");
    let (server, url) = serve(&place);
    place.on(&["unseal"], &[&with[..], &["--url", &url]].concat()).ended(0).says("is open");
    assert_eq!(server.stop(), 0);
}

/// How many entries of the log say this, as an auditor finds them.
pub(crate) fn noted(place: &Place, verb: &str, part: &str) -> usize {
    let password = place.secret("auditor", "a lantern over the quay");
    place.on(
        &["user", "add"],
        &["otto", "--role", "audit_admin", "--lasting", "--password-file", password.to_str().unwrap()],
    );
    // The own authority signs again, so that the client needs one root only.
    place.on(&["tls", "own"], &[]).ended(0);
    let (server, url) = serve(place);
    let agent = client(&place.dir().join("tls/ca.pem"));
    let login = json!({"login": "otto", "password": "a lantern over the quay"});
    let signed_in = agent.post(format!("{url}/api/v1/session")).send_json(login).unwrap();
    let cookie = signed_in.headers().get("set-cookie").unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
    let asked = agent.get(format!("{url}/api/v1/audit/entries?verb={verb}&limit=100")).header("cookie", &cookie);
    let (status, page) = answer(asked.call());
    assert_eq!(status, 200, "{page}");
    assert_eq!(server.stop(), 0);
    page.to_string().matches(part).count()
}

#[test]
fn a_file_with_its_key_is_taken_with_its_passphrase() {
    let place = named();
    let authority = Authority::new(&place);
    authority.openssl(&format!(
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -quiet -out made.key
        req -new -key made.key -subj /CN={NAME} -config conf -out made.csr"
    ));
    authority.sign("made.csr", "leaf", 300, "made");
    authority
        .openssl("pkcs12 -export -in made.pem -inkey made.key -certfile chain.pem -out made.pfx -passout pass:lantern");
    let (pfx, right) = (authority.path("made.pfx"), place.secret("right", "lantern"));
    let wrong = place.secret("wrong", "lanterns");
    let before = tls_folder(&place);
    let with = |file: &PathBuf| place.on(&["tls", "import"], &[&pfx, "--file-passphrase-file", file.to_str().unwrap()]);
    with(&wrong).ended(1).complains("value_format: certificate_passphrase");
    place.on(&["tls", "import"], &[&pfx]).ended(2).complains("no terminal to ask on");
    assert_eq!(tls_folder(&place), before);
    with(&right).ended(0).says("RSA 3072");
    let (server, url) = serve(&place);
    assert!(authority.sees(&url).contains(&authority.fingerprint("made.pem")));
    assert_eq!(server.stop(), 0);
    // The name of the file in the environment, and the key in another file.
    let mut command = place.command(&["tls", "import", "--check", "--dir", place.dir().to_str().unwrap(), &pfx]);
    command.env("KONTOR_CERTIFICATE_PASSPHRASE_FILE", &right);
    Ran::of(command.output().unwrap()).ended(0);
    let key = place.secret("made.key", authority.read("made.key").trim_end());
    let key = ["--key", key.to_str().unwrap(), "--ca", &authority.path("chain.pem"), "--check"];
    place.on(&["tls", "import"], &[&[authority.path("made.pem").as_str()][..], &key[..]].concat()).ended(0);
}

#[test]
fn what_is_refused_leaves_everything_as_it_was() {
    let place = named();
    let authority = Authority::new(&place);
    let csr = authority.path("crm.csr");
    place.on(&["tls", "csr"], &["--out", &csr]).ended(0);
    for (section, days) in [("leaf", 300), ("other", 300), ("client", 300), ("leaf", 0)] {
        authority.sign(&csr, section, days, &format!("{section}{days}"));
    }
    authority.openssl(&format!(
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out foreign.key
        req -new -key foreign.key -subj /CN={NAME} -config conf -out foreign.csr
        req -x509 -new -key foreign.key -subj /CN={NAME} -days 30 -config conf -extensions leaf -out self.pem"
    ));
    authority.sign("foreign.csr", "leaf", 300, "foreign");
    fs::write(authority.folder.join("garbage.pem"), [0x30, 0x82, 0xff, 0xff, 0, 1, 2, 3]).unwrap();
    fs::write(authority.folder.join("empty.pem"), "").unwrap();
    let before = tls_folder(&place);
    for (files, reason) in [
        (&["foreign.pem", "chain.pem"][..], "certificate_key"),
        (&["leaf300.pem"], "certificate_chain"),
        (&["leaf300.pem", "root.pem"], "certificate_chain"),
        (&["other300.pem", "chain.pem"], "certificate_names"),
        (&["client300.pem", "chain.pem"], "certificate_purpose"),
        (&["leaf0.pem", "chain.pem"], "certificate_expired"),
        (&["self.pem", "foreign.key"], "certificate_self_signed"),
        (&["garbage.pem"], "certificate_unreadable"),
        (&["empty.pem"], "certificate_unreadable"),
        (&["foreign.key"], "certificate_missing"),
    ] {
        let paths: Vec<String> = files.iter().map(|file| authority.path(file)).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let ran = place.on(&["tls", "import"], &paths).ended(1).complains(&format!("value_format: {reason}: "));
        ran.complains("to do: ").complains("as it was");
        assert_eq!(tls_folder(&place), before, "{reason}");
    }
    place.on(&["tls", "import"], &["nowhere.pem"]).ended(2).complains("unavailable");
    // A certificate in use that somebody broke keeps nothing from being told, and a server does not start with it.
    fs::write(place.dir().join("tls/site.pem"), "broken").unwrap();
    place.on(&["tls", "show"], &[]).ended(2);
    assert!(place.on(&["doctor"], &[]).out.contains("certificate_site_unusable"));
    place.run(&["serve", "--dir", place.dir().to_str().unwrap()]).ended(78).complains("kontor tls own");
    place.on(&["tls", "own"], &[]).ended(0);
    let (server, _) = serve(&place);
    assert_eq!(server.stop(), 0);
}

#[test]
fn its_end_is_told_of_in_time_and_takes_no_server_out_of_service() {
    let place = named();
    let authority = Authority::new(&place);
    let token = place.secret("token", TOKEN);
    let path = place.dir().join("kontor.toml");
    let text =
        fs::read_to_string(&path).unwrap().replace("[metrics]\n", &format!("[metrics]\ntoken_file = {token:?}\n"));
    fs::write(path, text).unwrap();
    for (days, state) in [(20, "certificate_due"), (9, "certificate_site_ends")] {
        authority.serve_site(&place, days);
        assert_eq!(shown(&place, 1)["days"], json!(days - 1));
        let (server, url) = serve(&place);
        let doctor = place.on(&["doctor"], &[]).out;
        assert!(doctor.contains(state) && doctor.contains("kontor tls csr"), "{doctor}");
        assert!(doctor.contains("It serves and is ready"), "{doctor}");
        let asked = |path: &str| {
            let line = format!(
                "printf 'GET {path} HTTP/1.1\\r\\nHost: {NAME}\\r\\nAuthorization: Bearer {TOKEN}\\r\\nConnection: close\\r\\n\\r\\n' \
                 | openssl s_client -quiet -connect {} -servername {NAME} -CAfile root.pem 2>errors",
                url.split("//").nth(1).unwrap()
            );
            let ran = Command::new("sh").args(["-c", &line]).current_dir(&authority.folder).output().unwrap();
            String::from_utf8(ran.stdout).unwrap()
        };
        let page = asked("/metrics");
        for line in
            [format!("kontor_certificate_days {}", days - 1), format!("check=\"certificate\",state=\"{state}\"}} 0")]
        {
            assert!(page.contains(&line), "{line} in {page}");
        }
        // What somebody broke is told, and the server goes on with what it has loaded.
        fs::write(place.dir().join("tls/site.pem"), "broken").unwrap();
        let page = asked("/metrics");
        assert!(page.contains("state=\"certificate_unreadable\"} 0"), "{page}");
        let page = asked("/readyz");
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        assert_eq!(server.stop(), 0);
    }
}
