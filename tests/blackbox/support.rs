//! What black-box tests share: a folder with an appliance of its own, a running server on a free port, a client that
//! trusts it. Waits for conditions, never for a time.

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

pub(crate) const PASSPHRASE: &str = "correct horse battery staple";
/// Longest wait for one line of a server: a slow machine hashes a passphrase and makes two thousand records.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// A folder for one test.
pub(crate) struct Place {
    root: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }
    pub(crate) fn dir(&self) -> PathBuf {
        self.path("appliance")
    }
    /// A file only its owner can read.
    pub(crate) fn secret(&self, name: &str, text: &str) -> PathBuf {
        use std::io::Write;
        let path = self.path(name);
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path).unwrap();
        writeln!(file, "{text}").unwrap();
        path
    }
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        // A long run tries the binary as it is released (`make kills`).
        let built = env!("CARGO_BIN_EXE_kontor").into();
        let binary = std::env::var_os("KONTOR_TEST_BINARY").unwrap_or(built);
        let mut command = Command::new(binary);
        command.args(arguments).current_dir(self.root.path()).stdin(Stdio::null()).env_remove("KONTOR_PASSPHRASE_FILE");
        command
    }
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }
    /// A verb on the appliance of this place.
    pub(crate) fn on(&self, verb: &[&str], rest: &[&str]) -> Ran {
        let dir = self.dir();
        let at = ["--dir", dir.to_str().unwrap()];
        self.run(&[verb, at.as_slice(), rest].concat())
    }
    /// An appliance with both slots, a security administrator and a free port.
    pub(crate) fn init(&self) -> Ran {
        let file = self.secret("passphrase", PASSPHRASE);
        self.on(
            &["init"],
            &[
                "--passphrase-file",
                file.to_str().unwrap(),
                "--unseal",
                "both",
                "--admin",
                "anna",
                "--listen",
                "127.0.0.1:0",
            ],
        )
    }
    /// The same on a PostgreSQL server.
    pub(crate) fn init_on(&self, url: &str, ca: &Path) -> Ran {
        let (file, url) = (self.secret("passphrase", PASSPHRASE), self.secret("database-url", url));
        let on = ["--database-url-file", url.to_str().unwrap(), "--database-ca-file", ca.to_str().unwrap()];
        let usual = ["--passphrase-file", file.to_str().unwrap(), "--unseal", "both", "--listen", "127.0.0.1:0"];
        self.on(&["init"], &[usual.as_slice(), on.as_slice()].concat())
    }
    /// The same without a key file: it starts sealed.
    pub(crate) fn init_sealed(&self) -> Ran {
        let file = self.secret("passphrase", PASSPHRASE);
        self.on(&["init"], &["--passphrase-file", file.to_str().unwrap(), "--listen", "127.0.0.1:0"])
    }
}

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Self {
        assert!(self.out.contains(part), "{part:?} in {self:#?}");
        self
    }
    #[track_caller]
    pub(crate) fn complains(self, part: &str) -> Self {
        assert!(self.err.contains(part), "{part:?} in {self:#?}");
        self
    }
}

/// A running server; killed when the test fails before it was stopped.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
}

impl Server {
    /// Starts a server and reads one of its streams line by line.
    pub(crate) fn start(mut command: Command, errors: bool) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (read, other): (Box<dyn Read + Send>, Box<dyn Read + Send>) =
            if errors { (Box::new(err), Box::new(out)) } else { (Box::new(out), Box::new(err)) };
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(read).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
        });
        // The other stream is drained, so that a full pipe never stops the server.
        std::thread::spawn(move || std::io::copy(&mut BufReader::new(other), &mut std::io::sink()));
        Self { child, lines }
    }
    /// The next line that holds this text.
    #[track_caller]
    pub(crate) fn line_with(&self, part: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("the server never said {part:?}"));
            if line.contains(part) {
                return line;
            }
        }
    }
    pub(crate) fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }
    /// SIGTERM, and the code it ends with.
    pub(crate) fn stop(self) -> i32 {
        rustix::process::kill_process(self.pid(), rustix::process::Signal::TERM).unwrap();
        self.ended()
    }
    /// Waits for its end; what it said that nobody has read yet.
    pub(crate) fn said(mut self) -> Vec<String> {
        self.child.wait().unwrap();
        self.lines.iter().collect()
    }
    /// Waits for its end, and says with which code.
    pub(crate) fn ended(mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that trusts one authority.
pub(crate) fn client(ca: &Path) -> ureq::Agent {
    let authority = ureq::tls::Certificate::from_pem(&fs::read(ca).unwrap()).unwrap();
    let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::new_with_certs(&[authority])).build();
    ureq::Agent::config_builder().tls_config(tls).proxy(None).http_status_as_error(false).build().into()
}

pub(crate) fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, Value) {
    let mut response = response.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap_or(Value::Null))
}

/// The address in a line of the server's log.
pub(crate) fn url_in(line: &str) -> String {
    let rest = line.split("url=\"").nth(1).unwrap_or_else(|| panic!("no url in {line}"));
    rest.split('"').next().unwrap().to_owned()
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
