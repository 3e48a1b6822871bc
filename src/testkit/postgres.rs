//! A database of one's own on the PostgreSQL that the tests start: one server for a test run, one database per test.

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

static SERVER: OnceLock<(String, PathBuf)> = OnceLock::new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// The address of a fresh database and the authority of its server's certificate.
pub fn database() -> (String, PathBuf) {
    let (url, ca) = SERVER.get_or_init(start);
    // A long run has more processes than there are numbers for them.
    let by_chance = RandomState::new().hash_one(std::process::id());
    let name = format!("t{by_chance:x}_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let created = Command::new("psql")
        .args([url.as_str(), "-q", "-v", "ON_ERROR_STOP=1", "-c", &format!("CREATE DATABASE {name}")])
        .env("PGSSLROOTCERT", ca)
        .output()
        .expect("psql runs");
    assert!(created.status.success(), "a database cannot be made: {}", String::from_utf8_lossy(&created.stderr));
    (with_database(url, &name), ca.clone())
}

/// The server of the whole test run, or one that the next test process finds again.
fn start() -> (String, PathBuf) {
    if let (Ok(url), Some(ca)) =
        (std::env::var("KONTOR_TEST_POSTGRES_URL"), std::env::var_os("KONTOR_TEST_POSTGRES_CA"))
    {
        return (url, PathBuf::from(ca));
    }
    let dir = std::env::temp_dir().join("kontor-test-postgres");
    (script("start", &dir), dir.join("ca.pem"))
}

/// A server of one's own, for a test that stops it.
pub struct OwnServer {
    dir: tempfile::TempDir,
    /// The address of its database.
    pub url: String,
    /// The authority of its certificate.
    pub ca: PathBuf,
}

impl OwnServer {
    /// Starts it.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a scratch folder");
        let url = script("start", dir.path());
        let ca = dir.path().join("ca.pem");
        Self { dir, url, ca }
    }
    /// Its folder: data, certificates, address.
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }
    /// Cuts it off, as a power cut would.
    pub fn down(&self) {
        script("down", self.dir.path());
    }
    /// Runs SQL in its database.
    pub fn sql(&self, text: &str) {
        let mut command = Command::new("psql");
        command.args([self.url.as_str(), "-qXAt", "-v", "ON_ERROR_STOP=1", "-c", text]).env("PGSSLROOTCERT", &self.ca);
        let output = command.output().expect("psql runs");
        assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
    }
    /// Starts it again, with its data, on its port.
    pub fn up(&self) {
        script("up", self.dir.path());
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        script("stop", self.dir.path());
    }
}

fn script(command: &str, dir: &Path) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let script = root.join("tests/support/postgres.sh");
    let output = Command::new("bash").arg(script).arg(command).arg(dir).output().expect("bash runs");
    assert!(output.status.success(), "PostgreSQL, {command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The same address with another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').unwrap_or((url, ""));
    let (server, _) = address.rsplit_once('/').expect("an address with a database");
    if options.is_empty() { format!("{server}/{name}") } else { format!("{server}/{name}?{options}") }
}
