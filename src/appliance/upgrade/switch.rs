//! The program in its place: switched by a rename where it is a file of its own, by the package manager where it belongs to a
//! package. And the service around it, stopped and started by systemd. Each of these can be repeated.

use crate::appliance::Layout;
use crate::appliance::upgrade::state::{Install, State};
use crate::appliance::upgrade::{Secrecy, fault};
use crate::cli::failure::Failure;
use kernel::Code;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// Where programs of the system are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env_clear().env("PATH", std::env::var("PATH").unwrap_or_else(|_| PATH.to_owned())).stdin(Stdio::null());
    command.envs(fault::handed_on());
    command
}

/// The package that a program belongs to.
pub(super) enum Owner {
    Nobody,
    Deb,
    Rpm,
}

pub(super) fn owner(installed: &Path) -> Owner {
    let says_yes = |name: &str, asked: &str| {
        let asked = program(name).arg(asked).arg(installed).stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    if says_yes("dpkg-query", "-S") {
        Owner::Deb
    } else if says_yes("rpm", "-qf") {
        Owner::Rpm
    } else {
        Owner::Nobody
    }
}

/// Puts the program that comes in its place.
pub(super) fn forward(state: &State, layout: &Layout) -> Result<(), Failure> {
    match &state.install {
        Install::File => put(&layout.upgrade().join("next"), &state.installed),
        Install::Deb { next, .. } => package("dpkg", &["-i", "--force-confold"], next),
        Install::Rpm { next, .. } => package("rpm", &["-U", "--replacepkgs", "--oldpackage"], next),
        Install::Done => Ok(()),
    }
}

/// Puts the program that was there back.
pub(super) fn back(state: &State, layout: &Layout) -> Result<(), Failure> {
    match &state.install {
        Install::File => put(&layout.upgrade().join("previous"), &state.installed),
        Install::Deb { previous, .. } => package("dpkg", &["-i", "--force-confold", "--force-downgrade"], previous),
        Install::Rpm { previous, .. } => package("rpm", &["-U", "--replacepkgs", "--oldpackage"], previous),
        Install::Done => Ok(()),
    }
}

/// Copies beside the place and renames: whoever starts the program finds the one or the other, whole.
fn put(from: &Path, installed: &Path) -> Result<(), Failure> {
    let mut name = installed.file_name().unwrap_or_default().to_owned();
    name.push(".switching");
    let half = installed.with_file_name(name);
    let folder = installed.parent().unwrap_or(Path::new("/"));
    let switched = copy_program(from, &half)
        .and_then(|()| fs::rename(&half, installed))
        .and_then(|()| File::open(folder)?.sync_all());
    switched
        .map_err(|error| Failure::file(installed, &error).todo("the account that upgrades must be able to write there"))
}

/// Copies a program, synced, so that everybody can run it.
pub(super) fn copy_program(from: &Path, to: &Path) -> io::Result<()> {
    let mut read = File::open(from)?;
    let _ = fs::remove_file(to);
    let mut made = File::create_new(to)?;
    io::copy(&mut read, &mut made)?;
    made.set_permissions(fs::Permissions::from_mode(0o755))?;
    made.sync_all()
}

fn package(name: &str, arguments: &[&str], file: &Path) -> Result<(), Failure> {
    let failed = |told: String| {
        Failure::new(Code::Unavailable, format!("{name} {}: {told}", file.display()))
            .todo("look at what the package manager printed; it needs root")
    };
    let ran = program(name).args(arguments).arg(file).stdout(Stdio::null()).output();
    let ran = ran.map_err(|error| failed(error.to_string()))?;
    if ran.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&ran.stderr);
    Err(failed(told.lines().last().unwrap_or_default().to_owned()))
}

/// Stops or starts the service.
pub(super) fn service(state: &State, verb: &str) -> Result<(), Failure> {
    let Some(unit) = &state.service else { return Ok(()) };
    let ran = program("systemctl").arg(verb).arg(unit).status();
    match ran {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(Code::Unavailable, format!("systemctl {verb} {unit}: {status}"))
            .todo(format!("look with `systemctl status {unit}` and `journalctl -u {unit}`"))),
        Err(error) => Err(Failure::new(Code::Unavailable, format!("systemctl: {error}"))),
    }
}

/// Lets the program that is in its place go on from where the state is.
pub(super) fn hand_over(state: &State, dir: &Path, secrecy: &Secrecy) -> Result<ExitStatus, Failure> {
    let mut command = program(&state.installed.to_string_lossy());
    command.args(["upgrade", "resume", "--dir"]).arg(dir).arg("--handed-over");
    let passphrase = secrecy.passphrase();
    if passphrase.is_some() {
        // A pipe: nothing of it is an argument, a variable or a file.
        command.args(["--passphrase-file", "/dev/stdin"]).stdin(Stdio::piped());
    }
    let failed = |error: io::Error| Failure::new(Code::Unavailable, format!("{}: {error}", state.installed.display()));
    let mut child = command.spawn().map_err(failed)?;
    if let (Some(text), Some(mut pipe)) = (passphrase, child.stdin.take()) {
        // Who does not read it does not need it.
        let _ = pipe.write_all(text.as_bytes()).and_then(|()| pipe.write_all(b"\n"));
    }
    child.wait().map_err(failed)
}

/// Makes sure that what root wrote belongs to the owner of the appliance.
pub(crate) fn give_back(layout: &Layout) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt;
    let slots = layout.slots();
    let owner = fs::metadata(&slots).map_err(|error| Failure::file(&slots, &error))?;
    if !rustix::process::geteuid().is_root() || owner.uid() == 0 {
        return Ok(());
    }
    let mut folders: Vec<PathBuf> = vec![layout.dir().to_owned()];
    while let Some(folder) = folders.pop() {
        let listed = fs::read_dir(&folder).map_err(|error| Failure::file(&folder, &error))?;
        for entry in listed {
            let entry = entry.map_err(|error| Failure::file(&folder, &error))?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(|error| Failure::file(&folder, &error))?);
            std::os::unix::fs::lchown(&path, Some(owner.uid()), Some(owner.gid()))
                .map_err(|error| Failure::file(&path, &error))?;
            if kind.is_dir() {
                folders.push(path);
            }
        }
    }
    Ok(())
}
