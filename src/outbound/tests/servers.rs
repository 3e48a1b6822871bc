//! A target on a server over SFTP, tried with a real OpenSSH: sets are whole or not there, only the server that is meant is let
//! through, and what is wrong is told with what to do.
#![cfg(test)]

use kernel::Timestamp;
use outbound::{SftpSettings, SftpTarget};
use recovery::{MANIFEST, SetName, Target, TargetStep};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/support/sshd.sh");

/// A running server; it ends with this.
struct Server {
    folder: tempfile::TempDir,
    settings: SftpSettings,
}

fn sh(command: &str, folder: &Path) -> (Option<i32>, String) {
    let ran = Command::new(SCRIPT).arg(command).arg(folder).output().unwrap();
    assert!(ran.status.success() || ran.status.code() == Some(3), "{ran:?}");
    (ran.status.code(), String::from_utf8(ran.stdout).unwrap())
}

/// Why the package could not be had.
fn said(folder: &tempfile::TempDir) -> String {
    fs::read_to_string(folder.path().join("sshd/download.log")).unwrap_or_default()
}

impl Server {
    /// `None`, and said so, where no OpenSSH can be had; with `CI` set that is a failure.
    fn start() -> Option<Self> {
        // The server may run under another account, which has to reach its files.
        let open = fs::Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().permissions(open).tempdir().unwrap();
        let (code, answer) = sh("start", &folder.path().join("sshd"));
        if code == Some(3) {
            assert!(
                std::env::var_os("CI").is_none(),
                "no OpenSSH server for the tests (Debian: openssh-server): {}",
                said(&folder)
            );
            println!("SKIPPED: no OpenSSH server can be had on this machine (Debian: openssh-server)");
            return None;
        }
        let (port, user) = answer.trim().split_once(' ').unwrap();
        let at = |name: &str| folder.path().join("sshd").join(name);
        let shown = Command::new("ssh-keygen").arg("-lf").arg(at("host.pub")).output().unwrap();
        let shown = String::from_utf8(shown.stdout).unwrap();
        let settings = SftpSettings {
            host: "127.0.0.1".to_owned(),
            port: port.parse().unwrap(),
            user: user.to_owned(),
            folder: at("files").to_str().unwrap().to_owned(),
            host_key: shown.split(' ').nth(1).unwrap().to_owned(),
            key_file: Some(at("client")),
            password_file: None,
        };
        Some(Self { folder, settings })
    }
    fn files(&self) -> PathBuf {
        self.folder.path().join("sshd/files")
    }
    fn target(&self) -> SftpTarget {
        SftpTarget::new("nas", self.settings.clone(), "a-b")
    }
    fn secret(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        sh("stop", &self.folder.path().join("sshd"));
    }
}

fn set(number: u64) -> SetName {
    SetName::new(number, Timestamp::from_micros(1_790_000_000_000_000))
}

fn write(target: &SftpTarget, set: &SetName, files: &[(&str, &[u8])]) {
    target.begin(set).unwrap();
    for (name, bytes) in files {
        let mut sink = target.part(set, name).unwrap();
        for block in bytes.chunks(100_000) {
            sink.write_all(block).unwrap();
        }
        sink.finish().unwrap();
    }
}

fn read(target: &SftpTarget, set: &SetName, file: &str) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    target.read(set, file)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[test]
fn a_set_is_there_under_its_name_or_not_at_all() {
    let Some(server) = Server::start() else { return };
    let (target, first) = (server.target(), set(1));
    assert_eq!(target.list().unwrap(), []);
    let large: Vec<u8> = (0..5_000_000u32).map(|at| (at % 251) as u8).collect();
    let files: [(&str, &[u8]); 3] = [("database.tar.zst.age", &large), ("empty", b""), (MANIFEST, b"the manifest")];
    write(&target, &first, &files);
    assert_eq!(target.list().unwrap(), [], "half a set is none");
    target.publish(&first).unwrap();
    assert_eq!(target.list().unwrap(), std::slice::from_ref(&first));
    for (name, bytes) in files {
        assert!(read(&target, &first, name).unwrap() == bytes, "{name}");
    }
    assert_eq!(read(&target, &first, "absent").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(target.begin(&first).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert!(target.free_bytes().is_some());

    // Whoever wrote the next one ended in the middle: another finds the first one, and begins the next anew.
    let (other, second) = (server.target(), set(2));
    write(&target, &second, &[("database.tar.zst.age", b"half")]);
    drop(target);
    assert_eq!(other.list().unwrap(), std::slice::from_ref(&first));
    write(&other, &second, &[(MANIFEST, b"m")]);
    other.abandon(&second);
    assert!(!server.files().join("a-b").join(format!("{second}.part")).exists());
    other.remove(&first).unwrap();
    assert_eq!(other.list().unwrap(), []);
    assert_eq!(fs::read_dir(server.files().join("a-b")).unwrap().count(), 0);
}

#[test]
fn a_server_that_ends_and_comes_back_is_met_again() {
    let Some(server) = Server::start() else { return };
    let (target, set) = (server.target(), set(3));
    target.begin(&set).unwrap();
    let mut sink = target.part(&set, MANIFEST).unwrap();
    sink.write_all(b"the manifest").unwrap();
    // Of OpenSSH each connection has a process of its own: they end too.
    let pid = fs::read_to_string(server.folder.path().join("sshd/pid")).unwrap();
    let pid = pid.trim();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    sh("stop", &server.folder.path().join("sshd"));
    for child in children.split_whitespace() {
        Command::new("sh").args(["-c", "kill \"$0\"", child]).status().unwrap();
    }
    assert!(sink.write_all(&vec![7; 4_000_000]).and_then(|()| sink.finish()).is_err(), "nothing is taken for written");
    let away = target.list().unwrap_err();
    assert!(!away.to_string().is_empty());
    let (code, answer) = sh("start", &server.folder.path().join("sshd"));
    assert_eq!(code, Some(0));
    let port = answer.split(' ').next().unwrap().parse().unwrap();
    let back = SftpTarget::new("nas", SftpSettings { port, ..server.settings.clone() }, "a-b");
    assert_eq!(back.list().unwrap(), []);
    write(&back, &set, &[(MANIFEST, b"the manifest")]);
    back.publish(&set).unwrap();
    assert_eq!(back.list().unwrap(), [set]);
}

#[test]
fn only_the_server_that_is_meant_is_let_through() {
    let Some(server) = Server::start() else { return };
    let good = server.target().try_out("word");
    let names: Vec<&str> = good.iter().map(|step| step.step).collect();
    assert_eq!(names, ["connect", "write", "rename", "read back", "remove"]);
    assert!(good.iter().all(TargetStep::is_well));
    assert_eq!(fs::read_dir(server.files()).unwrap().count(), 0, "nothing is left");

    let settings = || server.settings.clone();
    let key = fs::read_to_string(server.folder.path().join("sshd/client")).unwrap();
    let stranger = server.folder.path().join("stranger");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&stranger).status();
    assert!(made.unwrap().success());
    let open = server.secret("open", &key);
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let password = server.secret("password", "the wrong password\n");
    let other = format!("SHA256:{}", "A".repeat(43));
    for (settings, part) in [
        (SftpSettings { host_key: other.clone(), ..settings() }, "shows the host key SHA256:"),
        (SftpSettings { key_file: Some(stranger), ..settings() }, "not in: look at the account"),
        (SftpSettings { key_file: Some(open), ..settings() }, "chmod 600"),
        (SftpSettings { key_file: Some(password.clone()), ..settings() }, "no private key of OpenSSH"),
        (SftpSettings { key_file: None, password_file: Some(password), ..settings() }, "not in: look at the account"),
        (SftpSettings { key_file: None, ..settings() }, "neither a key nor a password"),
        (SftpSettings { port: 1, ..settings() }, "127.0.0.1:1: "),
    ] {
        let steps = SftpTarget::new("nas", settings, "a-b").try_out("word");
        assert_eq!(steps.len(), 1, "{part}");
        let told = steps[0].outcome.as_ref().unwrap_err().to_string();
        assert!(told.contains(part), "{part} in {told}");
        assert!(!told.contains("the wrong password") && !key.lines().any(|line| told.contains(line)), "{told}");
    }
    // Signed in, but with no right there.
    let steps =
        SftpTarget::new("nas", SftpSettings { folder: "/nowhere".to_owned(), ..settings() }, "a-b").try_out("w");
    assert_eq!(steps.len(), 2);
    assert_eq!(steps[1].outcome.as_ref().unwrap_err().kind(), ErrorKind::NotFound);
}

/// Files beside the sets: whole, replaced, listed, gone.
fn loose(target: &dyn Target) {
    assert!(target.loose("stream").unwrap().is_empty());
    for text in ["first", "second, and longer"] {
        target.loose_keep("stream/segment-1", text.as_bytes()).unwrap();
        let mut found = String::new();
        target.loose_read("stream/segment-1").unwrap().read_to_string(&mut found).unwrap();
        assert_eq!(found, text);
    }
    assert_eq!(target.loose("stream").unwrap(), ["segment-1"]);
    assert!(target.list().unwrap().is_empty(), "they are no sets");
    target.loose_remove("stream/segment-1").unwrap();
    target.loose_remove("stream/segment-1").unwrap();
    assert!(target.loose("stream").unwrap().is_empty());
}

#[test]
fn files_beside_the_sets_are_there_whole() {
    let Some(server) = Server::start() else { return };
    loose(&server.target());
}
