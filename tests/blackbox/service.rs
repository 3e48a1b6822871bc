//! The server in the hands of a service manager: what it tells it, the sockets it takes over, what a reload changes and what it
//! leaves, and how it ends. The other side is played by the tests: a datagram socket, open sockets, signals.

use crate::support::*;
use kernel::Clock;
use rustix::process::Signal;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The end of a server that has nothing to wait for.
const END_MAX: Duration = Duration::from_secs(6);

/// Plays the service manager.
struct Manager {
    socket: UnixDatagram,
}

impl Manager {
    fn of(place: &Place, command: &mut Command) -> Self {
        let path = place.path("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        command.env("NOTIFY_SOCKET", &path);
        Self { socket }
    }
    /// What was told until now.
    fn forget(&self) {
        self.socket.set_nonblocking(true).unwrap();
        while self.socket.recv(&mut [0u8; 4096]).is_ok() {}
        self.socket.set_nonblocking(false).unwrap();
    }
    /// The next message that holds this.
    #[track_caller]
    fn hears(&self, part: &str) -> String {
        let mut bytes = [0u8; 4096];
        loop {
            let length = self.socket.recv(&mut bytes).unwrap_or_else(|_| panic!("{part} was never told"));
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if text.contains(part) {
                return text;
            }
        }
    }
}

/// An appliance on plain HTTP with these changes of its configuration.
fn plain(changes: &[(&str, &str)]) -> Place {
    let place = Place::new();
    place.init().ended(0);
    configure(&place, &[&[("plain_http_on_loopback = false", "plain_http_on_loopback = true")], changes].concat());
    place
}

fn configure(place: &Place, changes: &[(&str, &str)]) {
    let path = place.dir().join("kontor.toml");
    let mut text = fs::read_to_string(&path).unwrap();
    for (old, new) in changes {
        assert!(text.contains(old), "{old} in {text}");
        text = text.replacen(old, new, 1);
    }
    fs::write(&path, text).unwrap();
}

fn serve(place: &Place) -> Command {
    place.command(&["serve", "--dir", place.dir().to_str().unwrap()])
}

fn send(server: &Server, signal: Signal) {
    rustix::process::kill_process(server.pid(), signal).unwrap();
}

/// One question on an open connection, which stays open.
#[track_caller]
fn ask(stream: &mut (impl Read + Write), path: &str) -> String {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    stream.flush().unwrap();
    answer_of(stream)
}

fn answer_of(stream: &mut impl Read) -> String {
    let mut reader = BufReader::with_capacity(1, stream);
    let (mut text, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the connection ended after {text:?}");
        let lower = line.to_ascii_lowercase();
        length = lower.strip_prefix("content-length:").map_or(length, |rest| rest.trim().parse().unwrap());
        text.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    text + &String::from_utf8(body).unwrap()
}

fn address(url: &str) -> String {
    url.split("//").nth(1).unwrap().to_owned()
}

#[test]
fn the_service_manager_hears_how_it_is_and_an_idle_connection_keeps_nobody_waiting() {
    let place = plain(&[]);
    let mut command = serve(&place);
    command.env("WATCHDOG_USEC", "900000");
    let manager = Manager::of(&place, &mut command);
    let server = Server::start(command, true);
    let url = url_in(&server.line_with("serving"));
    assert!(manager.hears("READY=1").contains(&format!("STATUS=Serves {url}")));
    for _ in 0..3 {
        manager.hears("WATCHDOG=1");
    }
    send(&server, Signal::HUP);
    assert!(manager.hears("RELOADING=1").contains("MONOTONIC_USEC="));
    manager.hears("READY=1");
    let mut idle = TcpStream::connect(address(&url)).unwrap();
    assert!(ask(&mut idle, "/readyz").starts_with("HTTP/1.1 200"));
    let clock = kernel::SystemClock::start();
    send(&server, Signal::TERM);
    assert!(manager.hears("STOPPING=1").contains("EXTEND_TIMEOUT_USEC="));
    assert_eq!(server.ended(), 0);
    let taken = clock.monotonic();
    assert!(taken < END_MAX, "it took {taken:?}");
    assert_eq!(idle.read(&mut [0; 16]).unwrap(), 0, "it was closed in order");
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

#[test]
fn whoever_takes_all_connections_does_not_have_it_started_anew() {
    let place = plain(&[]);
    let inner = serve(&place);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 300; exec \"$@\"", "sh"]).arg(inner.get_program()).args(inner.get_args());
    command.env_remove("KONTOR_PASSPHRASE_FILE").env("WATCHDOG_USEC", "900000");
    let manager = Manager::of(&place, &mut command);
    let server = Server::start(command, true);
    let address = address(&url_in(&server.line_with("serving")));
    manager.hears("WATCHDOG=1");
    let taken: Vec<TcpStream> = (0..400).map(|_| TcpStream::connect(&address).unwrap()).collect();
    server.line_with("nearly all connections are taken");
    manager.forget();
    manager.hears("WATCHDOG=1");
    drop(taken);
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_sealed_server_is_ready_says_so_and_tells_when_it_was_unsealed() {
    let place = Place::new();
    place.init_sealed().ended(0);
    let mut command = serve(&place);
    let manager = Manager::of(&place, &mut command);
    let server = Server::start(command, true);
    server.line_with("serving");
    assert!(manager.hears("READY=1").contains("Sealed"));
    let passphrase = place.path("passphrase");
    // The configuration names no port: the server says itself where it is.
    place.on(&["unseal"], &["--passphrase-file", passphrase.to_str().unwrap()]).ended(0);
    manager.hears("STATUS=Serves");
    assert_eq!(server.stop(), 0);
}

#[test]
fn sockets_that_are_held_open_are_taken_over() {
    let place = plain(&[]);
    let sockets = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("[::1]:0").unwrap()];
    let addresses = sockets.each_ref().map(|socket| socket.local_addr().unwrap());
    // A connection that comes before the server does waits for it.
    let mut early = TcpStream::connect(addresses[0]).unwrap();
    write!(early, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let started = |files: &str, place: &Place| {
        let inner = serve(place);
        let mut shell = Command::new("sh");
        let text = format!(
            "exec 3<&0 4<&1 </dev/null >/dev/null; LISTEN_FDS={files} LISTEN_PID=$$ exec {:?} {}",
            inner.get_program(),
            inner.get_args().map(|argument| argument.to_str().unwrap()).collect::<Vec<_>>().join(" ")
        );
        shell.args(["-c", &text]).stderr(Stdio::piped());
        let [first, second] = sockets.each_ref().map(|socket| OwnedFd::from(socket.try_clone().unwrap()));
        shell.stdin(first).stdout(second).spawn().unwrap()
    };
    let mut child = started("2", &place);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().contains("serving")).unwrap().unwrap();
    assert!(answer_of(&mut early).starts_with("HTTP/1.1 200"));
    for address in addresses {
        assert!(ask(&mut TcpStream::connect(address).unwrap(), "/healthz").starts_with("HTTP/1.1 200"), "{address}");
    }
    // Commands on this machine find it where it was put, not where the configuration says.
    let doctor = place.on(&["doctor"], &[]).out;
    assert!(doctor.contains("It serves and is ready") && !doctor.contains("service_silent"), "{doctor}");
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // The socket is still there: whoever comes now waits for the next start.
    let mut between = TcpStream::connect(addresses[0]).unwrap();
    write!(between, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut child = started("1", &place);
    assert!(answer_of(&mut between).starts_with("HTTP/1.1 200"));
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn while_it_drains_it_answers_and_says_that_it_stops() {
    let place = plain(&[("drain_seconds = 0", "drain_seconds = 120")]);
    let server = Server::start(serve(&place), true);
    let address = address(&url_in(&server.line_with("serving")));
    send(&server, Signal::TERM);
    server.line_with("still answering");
    let ready = ask(&mut TcpStream::connect(&address).unwrap(), "/readyz");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("stopping"), "{ready}");
    let alive = ask(&mut TcpStream::connect(&address).unwrap(), "/healthz");
    assert!(alive.starts_with("HTTP/1.1 200") && alive.to_lowercase().contains("connection: close"), "{alive}");
    // A second signal ends the wait.
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_reload_takes_over_what_is_valid_and_drops_no_connection() {
    let place = Place::new();
    place.init().ended(0);
    let server = Server::start(serve(&place), true);
    let address = address(&url_in(&server.line_with("serving")));
    let names = || {
        let output = Command::new("sh")
            .args(["-c", &format!("openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName")])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let mut open = Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", &address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut into, mut from) = (open.stdin.take().unwrap(), open.stdout.take().unwrap());
    let mut ask_open = || {
        write!(into, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        into.flush().unwrap();
        answer_of(&mut from)
    };
    assert!(ask_open().starts_with("HTTP/1.1 200"));
    assert!(!names().contains("crm.bank.example"));
    configure(&place, &[("names = []", "names = [\"crm.bank.example\"]"), ("level = \"info\"", "level = \"debug\"")]);
    send(&server, Signal::HUP);
    server.line_with("read anew and is in force");
    assert!(names().contains("crm.bank.example"), "{}", names());
    assert!(ask_open().starts_with("HTTP/1.1 200"), "the connection from before goes on");
    configure(
        &place,
        &[("node = \"kontor\"", "node = \"other\""), ("schedule = \"15 2 * * *\"", "schedule = \"16 2 * * *\"")],
    );
    send(&server, Signal::HUP);
    assert!(server.line_with("count from the next start on").contains("node"));
    configure(&place, &[("level = \"debug\"", "level = \"loud\""), ("drain_seconds = 0", "drain_seconds = \"x\"")]);
    send(&server, Signal::HUP);
    let refused = server.line_with("was not taken over");
    assert!(refused.contains("log.level") && refused.contains("server.drain_seconds"), "{refused}");
    assert!(ask_open().starts_with("HTTP/1.1 200"));
    let _ = open.kill();
    let _ = open.wait();
    assert_eq!(server.stop(), 0);
}

#[test]
fn key_file_and_credentials_of_the_service_manager() {
    let place = plain(&[("key_file = \"keys/unseal.key\"", "key_file = \"credential:unseal-key\"")]);
    let folder = place.path("credentials");
    fs::create_dir(&folder).unwrap();
    fs::rename(place.dir().join("keys/unseal.key"), folder.join("unseal-key")).unwrap();
    // systemd gives the reader by an access list, whose mask shows as the group's mode.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o440);
    fs::set_permissions(folder.join("unseal-key"), mode).unwrap();
    let mut command = serve(&place);
    command.env("CREDENTIALS_DIRECTORY", &folder);
    let server = Server::start(command, true);
    let address = address(&url_in(&server.line_with("serving")));
    assert!(ask(&mut TcpStream::connect(address).unwrap(), "/readyz").starts_with("HTTP/1.1 200"));
    assert_eq!(server.stop(), 0);
    // Without the service manager it says what is missing.
    let mut command = serve(&place);
    command.env_remove("CREDENTIALS_DIRECTORY");
    Ran::of(command.output().unwrap()).ended(78).complains("unseal.key_file").complains("unseal-key");
}

#[test]
fn in_the_journal_each_line_has_its_level() {
    let place = plain(&[("node = \"kontor\"", "node = \"kontor\"")]);
    let path = place.path("journal");
    let file = fs::File::create(&path).unwrap();
    let found = file.metadata().unwrap();
    let mut command = serve(&place);
    command.env("JOURNAL_STREAM", format!("{}:{}", found.dev(), found.ino())).stderr(file).stdout(Stdio::null());
    let manager = Manager::of(&place, &mut command);
    let mut child = command.spawn().unwrap();
    manager.hears("READY=1");
    configure(&place, &[("level = \"info\"", "level = \"loud\"")]);
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::HUP).unwrap();
    manager.hears("NOT in force");
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let text = fs::read_to_string(path).unwrap();
    assert!(text.lines().all(|line| line.starts_with('<')), "{text}");
    assert!(text.lines().any(|line| line.starts_with("<6>") && line.contains("serving")), "{text}");
    assert!(text.lines().any(|line| line.starts_with("<3>") && line.contains("not taken over")), "{text}");
}
