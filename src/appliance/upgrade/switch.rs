//! The program in its place: switched by a rename where it is a file of its own, by the package manager where it belongs to a
//! package. And the service around it, stopped and started by systemd. Each of these can be repeated.

use crate::appliance::Layout;
use crate::appliance::upgrade::own::{self, Piece};
use crate::appliance::upgrade::state::{Install, State};
use crate::appliance::upgrade::{Secrecy, fault};
use crate::cli::failure::Failure;
use kernel::Code;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use upgrade::Kind;

/// The names of what comes and of what was there, in the folder of an upgrade.
pub(super) const NEXT: &str = "next";
pub(super) const NEXT_DEB: &str = "next.deb";
pub(super) const NEXT_RPM: &str = "next.rpm";
pub(super) const PREVIOUS: &str = "previous";
pub(super) const PREVIOUS_DEB: &str = "previous.deb";
pub(super) const PREVIOUS_RPM: &str = "previous.rpm";
/// Where programs of the system are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What programs that are started learn of the surroundings, beside where programs lie.
const HANDED_ON: [&str; 2] = ["SUDO_UID", "CREDENTIALS_DIRECTORY"];

fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env_clear().env("PATH", std::env::var("PATH").unwrap_or_else(|_| PATH.to_owned())).stdin(Stdio::null());
    command.envs(fault::handed_on());
    // Who acts, for the log, and where the secrets of a service lie that is stopped meanwhile.
    command.envs(HANDED_ON.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
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

/// The version that a program or package says it has; empty when it says none.
pub(super) fn version_of(kind: Kind, path: &Path) -> String {
    let mut command = match kind {
        Kind::Deb => program("dpkg-deb"),
        Kind::Rpm => program("rpm"),
        _ => program(&path.to_string_lossy()),
    };
    match kind {
        Kind::Deb => command.arg("-f").arg(path).arg("Version"),
        Kind::Rpm => command.args(["-qp", "--nosignature", "--qf", "%{VERSION}"]).arg(path),
        _ => command.args(["version", "--json"]),
    };
    let said = command.output().map(|ran| String::from_utf8_lossy(&ran.stdout).trim().to_owned()).unwrap_or_default();
    let of_program = |text: &str| {
        let told: serde_json::Value = serde_json::from_str(text).ok()?;
        told.get("version")?.as_str().map(str::to_owned)
    };
    if matches!(kind, Kind::Deb | Kind::Rpm) { of_package(&said) } else { of_program(&said).unwrap_or_default() }
}

/// What a program calls the version of a package: without the packager's revision, which only Debian writes there, and with a hyphen
/// before a pre-release, where packages have the tilde that sorts before nothing (Debian policy 5.6.12).
fn of_package(said: &str) -> String {
    let upstream = said.rsplit_once('-').map_or(said, |(upstream, _revision)| upstream);
    upstream.replace('~', "-")
}

/// Puts the program that comes in its place.
pub(super) fn forward(state: &State, layout: &Layout) -> Result<(), Failure> {
    match &state.install {
        Install::File => put(&mut Piece::open(&state.pieces, layout, NEXT)?, &state.installed),
        Install::Deb => package("dpkg", &["-i", "--force-confold"], state, layout, NEXT_DEB),
        Install::Rpm => package("rpm", &["-U", "--replacepkgs", "--oldpackage"], state, layout, NEXT_RPM),
        Install::Done => Ok(()),
    }
}

/// Puts the program that was there back.
pub(super) fn back(state: &State, layout: &Layout) -> Result<(), Failure> {
    match &state.install {
        Install::File => put(&mut Piece::open(&state.pieces, layout, PREVIOUS)?, &state.installed),
        Install::Deb => package("dpkg", &["-i", "--force-confold", "--force-downgrade"], state, layout, PREVIOUS_DEB),
        Install::Rpm => package("rpm", &["-U", "--replacepkgs", "--oldpackage"], state, layout, PREVIOUS_RPM),
        Install::Done => Ok(()),
    }
}

/// Copies beside the place and renames: whoever starts the program finds the one or the other, whole.
fn put(from: &mut File, installed: &Path) -> Result<(), Failure> {
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
fn copy_program(from: &mut File, to: &Path) -> io::Result<()> {
    let mut made = own::create_alone(to, 0o600)?;
    io::copy(from, &mut made)?;
    made.set_permissions(fs::Permissions::from_mode(0o755))?;
    made.sync_all()
}

/// Lets the package manager install a piece: by a copy of what was looked at, which nobody can exchange meanwhile.
fn package(name: &str, arguments: &[&str], state: &State, layout: &Layout, piece: &str) -> Result<(), Failure> {
    let mut file = Piece::open(&state.pieces, layout, piece)?;
    let failed = |told: String| {
        Failure::new(Code::Unavailable, format!("{name} {piece}: {told}"))
            .todo("look at what the package manager printed; it needs root")
    };
    let run = |path: &Path| program(name).args(arguments).arg(path).stdout(Stdio::null()).output();
    let ran = own::aside(&mut file, piece, run).and_then(|ran| ran).map_err(|error| failed(error.to_string()))?;
    if ran.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&ran.stderr);
    Err(failed(told.lines().last().unwrap_or_default().to_owned()))
}

/// The sockets that are open for a service: whoever knocks there starts it, also while it should be stopped.
pub(super) fn open_sockets(unit: &str) -> Vec<String> {
    let shown = program("systemctl").args(["show", "--property=TriggeredBy", "--value", "--", unit]).output();
    let names = shown.map(|shown| String::from_utf8_lossy(&shown.stdout).into_owned()).unwrap_or_default();
    let is_open = |name: &&str| {
        let asked = program("systemctl").args(["is-active", "--quiet", "--", name]).status();
        name.ends_with(".socket") && asked.is_ok_and(|status| status.success())
    };
    names.split_whitespace().filter(is_open).map(str::to_owned).collect()
}

/// Stops the service, its sockets first.
pub(super) fn stop(state: &State) -> Result<(), Failure> {
    systemctl("stop", state)
}

/// Starts the service and the sockets that were open. What was tried and failed meanwhile does not count against its limit of starts.
pub(super) fn start(state: &State) -> Result<(), Failure> {
    // A unit that has not failed has nothing to be forgotten.
    let _ = systemctl("reset-failed", state);
    systemctl("start", state)
}

fn systemctl(verb: &str, state: &State) -> Result<(), Failure> {
    let Some(unit) = &state.service else { return Ok(()) };
    let ran = program("systemctl").args([verb, "--"]).args(&state.sockets).arg(unit).status();
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

#[cfg(test)]
mod tests {
    use super::of_package;

    #[test]
    fn a_package_is_of_its_program_s_version() {
        let said = ["1.0.0-1", "1.0.0", "1.0.0~rc1-1", "1.0.0~rc1", "1.0.0~rc~2-3", ""];
        let of_program = ["1.0.0", "1.0.0", "1.0.0-rc1", "1.0.0-rc1", "1.0.0-rc-2", ""];
        assert_eq!(said.map(of_package), of_program);
    }
}
