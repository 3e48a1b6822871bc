//! Letters through a real mail server: encrypted with the site's own authority, signed in, refused, away, and given up.
#![cfg(test)]

use kernel::SystemClock;
use notify::{Access, Letter, Outbox, OutboxStatus, Patience, Relay, RelaySettings, Security, Told};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/support/smtpd.sh");
/// Far longer than anything here takes; a test that waits so long has failed.
const ENOUGH: Duration = Duration::from_secs(60);

/// A folder with a mail server; it ends with this.
struct Server {
    folder: tempfile::TempDir,
    port: u16,
    security: Security,
}

fn sh(arguments: &[&str], folder: &Path) -> Option<String> {
    let ran = Command::new(SCRIPT).arg(arguments[0]).arg(folder).args(&arguments[1..]).output().unwrap();
    assert!(ran.status.success() || ran.status.code() == Some(3), "{ran:?}");
    (ran.status.code() != Some(3)).then(|| String::from_utf8(ran.stdout).unwrap())
}

impl Server {
    /// `None`, and said so, where no mail server can be had; with `CI` set that is a failure.
    fn start(security: Security) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let Some(answer) = sh(&["start", word(security)], folder.path()) else {
            assert!(std::env::var_os("CI").is_none(), "no mail server for the tests (Debian: python3-aiosmtpd)");
            println!("SKIPPED: no mail server can be had on this machine (Debian: python3-aiosmtpd)");
            return None;
        };
        Some(Self { port: answer.trim().parse().unwrap(), folder, security })
    }
    fn stop(&self) {
        sh(&["stop"], self.folder.path());
    }
    fn start_again(&self) {
        sh(&["start", word(self.security), &self.port.to_string()], self.folder.path()).unwrap();
    }
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    fn settings(&self) -> RelaySettings {
        RelaySettings {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            security: self.security,
            user: (self.security != Security::None).then(|| "kontor".to_owned()),
            from: "kontor@crm.example.org".to_owned(),
        }
    }
    fn relay(&self, settings: RelaySettings, ca: &str, password: &str) -> Relay {
        let files = Files { ca: self.file(ca), password: password.to_owned() };
        Relay::new(settings, Arc::new(files), Arc::new(SystemClock::start()), Arc::new(Counting::default()))
    }
    fn good(&self) -> Relay {
        self.relay(self.settings(), "ca.pem", "secret")
    }
    fn mail(&self) -> Vec<String> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(self.file("mail")).unwrap().map(|found| found.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|kind| kind == "eml"));
        files.sort();
        files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn word(security: Security) -> &'static str {
    match security {
        Security::None => "none",
        Security::StartTls => "starttls",
        Security::Tls => "tls",
    }
}

struct Files {
    ca: PathBuf,
    password: String,
}

impl Access for Files {
    fn authorities(&self) -> io::Result<Vec<u8>> {
        fs::read(&self.ca)
    }
    fn password(&self) -> io::Result<Zeroizing<String>> {
        Ok(Zeroizing::new(self.password.clone()))
    }
    fn machine(&self) -> String {
        "machine.example.org".to_owned()
    }
}

/// Each number once.
#[derive(Default)]
struct Counting(std::sync::atomic::AtomicU64);

impl kernel::Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_be_bytes();
        bytes.iter_mut().zip(number.iter().cycle()).for_each(|(byte, from)| *byte = *from);
    }
}

fn letter() -> Letter {
    Letter::new("备份集 of disk2\r\nBcc: evil@other.example", "一切正常。\nAll is well.\n")
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let clock = SystemClock::start();
    while kernel::Clock::monotonic(&clock) < ENOUGH {
        if let Some(found) = look() {
            return found;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    panic!("it did not come to be in {ENOUGH:?}");
}

#[test]
fn a_letter_arrives_however_it_is_encrypted() {
    for security in [Security::None, Security::StartTls, Security::Tls] {
        let Some(server) = Server::start(security) else { return };
        let answer = server.good().send(&letter(), "it@example.org").unwrap_or_else(|error| panic!("{error:?}"));
        assert!(answer.starts_with("250 ") && answer.contains("taken as 1"), "{answer}");
        let mail = server.mail();
        assert_eq!(mail.len(), 1);
        let tls = if security == Security::None { "False" } else { "True" };
        for wanted in [
            "X-Test-To: it@example.org\r\n",
            "X-Test-From: kontor@crm.example.org\r\n",
            &format!("X-Test-Tls: {tls}\r\n"),
            "X-Test-Hello: machine.example.org\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
        ] {
            assert!(mail[0].contains(wanted), "{wanted} in {}", mail[0]);
        }
        assert!(!mail[0].lines().any(|line| line.starts_with("Bcc")), "{}", mail[0]);
    }
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let Some(server) = Server::start(Security::StartTls) else { return };
    let (good, right) = (server.settings(), "ca.pem");
    let named = |change: &dyn Fn(&mut RelaySettings)| {
        let mut settings = good.clone();
        change(&mut settings);
        settings
    };
    let nobody = named(&|at| at.user = None);
    let elsewhere = named(&|at| at.port = 1);
    let clear = named(&|at| (at.security, at.user) = (Security::None, None));
    let wrapped = named(&|at| at.security = Security::Tls);
    for (what, settings, ca, password, told) in [
        ("an authority of somebody else", good.clone(), "other.pem", "secret", "name its authority as ca_file"),
        ("no authority", good.clone(), "none.pem", "secret", "No such file"),
        ("a file without one", good.clone(), "server.key", "secret", "no certificate"),
        ("a wrong password", good.clone(), right, "wrong", "look at tls, user and password_file"),
        ("nobody", nobody, right, "secret", "look at tls, user and password_file"),
        ("no encryption", clear, right, "secret", "look at tls, user and password_file"),
        ("no server", elsewhere, right, "secret", "look at relay and port"),
        ("TLS from the first byte", wrapped, right, "secret", "look at tls and port"),
    ] {
        let refused = server.relay(settings, ca, password).send(&letter(), "it@example.org").unwrap_err();
        assert!(!refused.about_letter && !refused.lasting, "{what}: {refused:?}");
        assert!(refused.told.contains(told), "{what}: {refused:?}");
        assert!(!refused.told.contains("it@example.org") && !refused.told.contains("secret"), "{what}: {refused:?}");
    }
    let gone = server.good().send(&letter(), "gone@refused.example").unwrap_err();
    assert!(gone.lasting && gone.about_letter && gone.told.contains("status 550"), "{gone:?}");
    assert_eq!(gone.answer.as_deref(), Some("550 5.1.1 <gone@refused.example> no such user"));
    let later = server.good().send(&letter(), "gone@later.example").unwrap_err();
    assert!(!later.lasting && later.about_letter && later.told.contains("status 450"), "{later:?}");
    assert!(server.mail().is_empty());
    let Some(plain) = Server::start(Security::None) else { return };
    let settings = RelaySettings { security: Security::StartTls, ..plain.settings() };
    let refused = plain.relay(settings, right, "secret").send(&letter(), "it@example.org").unwrap_err();
    assert!(refused.told.contains("offers no STARTTLS"), "{refused:?}");
}

#[test]
fn a_name_that_the_certificate_does_not_have_is_refused() {
    let Some(server) = Server::start(Security::Tls) else { return };
    server.good().send(&letter(), "it@example.org").unwrap();
    // The same server under a name that is not in the certificate.
    let other = RelaySettings { host: "localhost".to_owned(), ..server.settings() };
    let refused = server.relay(other, "ca.pem", "secret").send(&letter(), "it@example.org").unwrap_err();
    assert!(!refused.about_letter && refused.told.contains("and its name as relay"), "{refused:?}");
    assert_eq!(server.mail().len(), 1);
}

const SHORT: Patience =
    Patience { first: Duration::from_millis(50), most: Duration::from_millis(200), keep: Duration::from_secs(3_600) };

#[test]
fn what_a_relay_that_is_away_did_not_take_it_gets_when_it_is_back() {
    let Some(server) = Server::start(Security::StartTls) else { return };
    server.stop();
    let outbox = Outbox::start(server.good(), SHORT).unwrap();
    outbox.put("one", &letter(), &["it@example.org".to_owned(), "boss@example.org".to_owned()]);
    let failing = until(|| Some(outbox.status()).filter(|status| status.failing.is_some()));
    assert!(failing.waiting <= 2 && failing.taken == 0 && failing.refused == 0, "{failing:?}");
    // Of the same key only the newest waits; another key waits beside it.
    outbox.put("one", &Letter::new("newer", "newer"), &["it@example.org".to_owned()]);
    outbox.put("two", &letter(), &["it@example.org".to_owned()]);
    server.start_again();
    let status = until(|| Some(outbox.status()).filter(|status| status.waiting == 0 && status.taken == 3));
    assert_eq!(status.failing, None, "{status:?}");
    let mail = server.mail();
    assert_eq!(mail.len(), 3);
    assert_eq!(mail.iter().filter(|mail| mail.contains("Subject: newer\r\n")).count(), 1);
    let told = outbox.told();
    assert!(told.len() == 3 && told.iter().all(|told| told.taken), "{told:?}");
    assert!(outbox.told().is_empty() && !outbox.waits("one"));
}

#[test]
fn a_refused_recipient_keeps_nothing_from_the_others() {
    let Some(server) = Server::start(Security::None) else { return };
    let outbox = Outbox::start(server.good(), SHORT).unwrap();
    let to = ["gone@refused.example", "it@example.org", "gone@later.example", "boss@example.org"];
    outbox.put("one", &letter(), &to.map(str::to_owned));
    let settled = |status: &OutboxStatus| (status.waiting, status.taken, status.refused) == (1, 2, 1);
    let status = until(|| Some(outbox.status()).filter(settled));
    assert_eq!(status.given_up, 1);
    assert_eq!(server.mail().len(), 2);
    let mut taken: Vec<bool> = outbox.told().iter().map(|told: &Told| told.taken).collect();
    taken.sort_unstable();
    assert_eq!(taken, [false, true, true]);
    // Greylisted for good: after its time it is given up, and that is told.
    let hasty = Outbox::start(server.good(), Patience { keep: Duration::from_millis(300), ..SHORT }).unwrap();
    hasty.put("two", &letter(), &["gone@later.example".to_owned()]);
    let told = until(|| hasty.told().pop());
    assert!(told.key == "two" && !told.taken, "{told:?}");
    assert_eq!(hasty.status().waiting, 0);
}

#[test]
fn the_queue_is_bounded() {
    let Some(server) = Server::start(Security::None) else { return };
    server.stop();
    let outbox = Outbox::start(server.good(), Patience { first: ENOUGH, ..SHORT }).unwrap();
    let put = |number: u32| outbox.put(&format!("{number}"), &letter(), &["it@example.org".to_owned()]);
    put(0);
    // From then on it waits, and has none in its hands.
    until(|| Some(outbox.status()).filter(|status| status.failing.is_some() && status.waiting == 1));
    (1..700).for_each(put);
    let status = outbox.status();
    assert_eq!((status.waiting, status.given_up), (500, 200), "{status:?}");
    let told = outbox.told();
    assert!(told.len() == 200 && told[0].key == "0" && told.iter().all(|told| !told.taken), "{told:?}");
}
