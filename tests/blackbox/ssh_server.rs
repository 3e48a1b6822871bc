//! A server with SFTP, for tests: a real OpenSSH on a port of its own that lets in one key. It ends with its handle.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A running server.
pub(crate) struct SshServer {
    folder: tempfile::TempDir,
    script: PathBuf,
    pub(crate) port: u16,
    pub(crate) user: String,
    /// The fingerprint of its key.
    pub(crate) host_key: String,
}

impl SshServer {
    /// `None`, and said so, where no OpenSSH can be had; with `CI` set that is a failure. `sources` is the root of the sources.
    pub(crate) fn start(sources: &str) -> Option<Self> {
        // The server may run under another account, which has to reach its files.
        let open = fs::Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().permissions(open).tempdir().unwrap();
        let script = Path::new(sources).join("tests/support/sshd.sh");
        let mut server = Self { folder, script, port: 0, user: String::new(), host_key: String::new() };
        server.begin().then_some(server)
    }
    /// Starts it (again); whether there is one to be had.
    pub(crate) fn begin(&mut self) -> bool {
        let (code, answer) = self.sh("start");
        if code == Some(3) {
            let why = fs::read_to_string(self.at("download.log")).unwrap_or_default();
            let must = std::env::var_os("CI").is_some();
            assert!(!must, "no OpenSSH server for the tests (Debian: openssh-server): {why}");
            println!("SKIPPED: no OpenSSH server can be had on this machine (Debian: openssh-server)");
            return false;
        }
        let (port, user) = answer.trim().split_once(' ').unwrap();
        (self.port, self.user) = (port.parse().unwrap(), user.to_owned());
        let shown = Command::new("ssh-keygen").arg("-lf").arg(self.at("host.pub")).output().unwrap();
        let shown = String::from_utf8(shown.stdout).unwrap();
        self.host_key = shown.split(' ').nth(1).unwrap().to_owned();
        true
    }
    /// Ends it, and every connection: of OpenSSH each has a process of its own.
    pub(crate) fn end(&self) {
        let pid = fs::read_to_string(self.at("pid")).unwrap();
        let pid = pid.trim();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        self.sh("stop");
        for child in children.split_whitespace() {
            Command::new("sh").args(["-c", "kill \"$0\"", child]).status().unwrap();
        }
    }
    fn sh(&self, command: &str) -> (Option<i32>, String) {
        let ran = Command::new(&self.script).arg(command).arg(self.folder.path().join("sshd")).output().unwrap();
        assert!(ran.status.success() || ran.status.code() == Some(3), "{ran:?}");
        (ran.status.code(), String::from_utf8(ran.stdout).unwrap())
    }
    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join("sshd").join(name)
    }
    /// The folder that may be written to.
    pub(crate) fn files(&self) -> PathBuf {
        self.at("files")
    }
    /// The private key that is let in.
    pub(crate) fn key(&self) -> PathBuf {
        self.at("client")
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        self.sh("stop");
    }
}
