//! A target on a server over SFTP, tried with a real OpenSSH: sets are whole or not there, only the server that is meant is let
//! through, and what is wrong is told with what to do.

use crate::parts::{gone_on_with, loose, read, secret, set, write};
use crate::ssh_server::SshServer;
use outbound::{SftpSettings, SftpTarget};
use recovery::{MANIFEST, Target, TargetStep};
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

struct Server {
    ssh: SshServer,
    folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Option<Self> {
        let ssh = SshServer::start(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))?;
        Some(Self { ssh, folder: tempfile::tempdir().unwrap() })
    }
    fn settings(&self) -> SftpSettings {
        SftpSettings {
            host: "127.0.0.1".to_owned(),
            port: self.ssh.port,
            user: self.ssh.user.clone(),
            folder: self.ssh.files().to_str().unwrap().to_owned(),
            host_key: self.ssh.host_key.clone(),
            key_file: Some(self.ssh.key()),
            password_file: None,
        }
    }
    fn files(&self) -> PathBuf {
        self.ssh.files()
    }
    fn target(&self) -> SftpTarget {
        SftpTarget::new("nas", self.settings(), "a-b")
    }
    fn secret(&self, name: &str, text: &str) -> PathBuf {
        secret(self.folder.path(), name, text)
    }
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
    let Some(mut server) = Server::start() else { return };
    let (target, set) = (server.target(), set(3));
    target.begin(&set).unwrap();
    let mut sink = target.part(&set, MANIFEST).unwrap();
    sink.write_all(b"the manifest").unwrap();
    server.ssh.end();
    assert!(sink.write_all(&vec![7; 4_000_000]).and_then(|()| sink.finish()).is_err(), "nothing is taken for written");
    let away = target.list().unwrap_err();
    assert!(!away.to_string().is_empty());
    assert!(server.ssh.begin());
    let back = server.target();
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

    let settings = || server.settings();
    let key = fs::read_to_string(server.ssh.key()).unwrap();
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

#[test]
fn files_beside_the_sets_are_there_whole() {
    let Some(server) = Server::start() else { return };
    loose(&server.target());
}

#[test]
fn what_was_begun_is_gone_on_with() {
    let Some(server) = Server::start() else { return };
    gone_on_with(&server.target(), &server.target());
}
