//! One connection over SSH to a server whose host key stands in the configuration. It lets nobody in but that key, signs in with
//! one key or one password from a private file, opens SFTP and nothing else, and has a time limit on each step.

use super::SftpSettings;
use crate::secret::{private_lines, private_text};
use russh::Disconnect;
use russh::client::{self, AuthResult, Handle};
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::client::{Config as SftpConfig, SftpSession};
use russh_sftp::protocol::StatusCode;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// Longest wait for a connection that is signed in.
const CONNECT: Duration = Duration::from_secs(30);
/// Longest wait for the answer to one request.
const ANSWER_SECONDS: u64 = 60;
/// Longest wait for one step, which may be several requests.
const STEP: Duration = Duration::from_secs(180);
/// How often it is asked whether the server is still there, and how many times it may stay silent.
const ALIVE: Duration = Duration::from_secs(15);
const SILENT_MAX: usize = 3;

/// A connection that is signed in.
pub(super) struct Connection {
    ssh: Handle<Known>,
    sftp: SftpSession,
}

impl Connection {
    /// Whether it can still be used.
    pub(super) fn is_open(&self) -> bool {
        !self.ssh.is_closed()
    }
    /// What is asked over it.
    pub(super) fn sftp(&self) -> &SftpSession {
        &self.sftp
    }
}

/// The one server key that is let through, and the one that was shown.
struct Known {
    wanted: String,
    shown: Arc<Mutex<String>>,
}

impl client::Handler for Known {
    type Error = russh::Error;
    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else { return Ok(false) };
        let found = key.fingerprint(HashAlg::Sha256).to_string();
        let known = found == self.wanted;
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(known)
    }
}

fn denied(what: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::PermissionDenied, what.into())
}

/// Runs one step to its end, or to its time limit.
pub(super) fn within<T>(runtime: &Runtime, most: Duration, step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = || io::Error::new(ErrorKind::TimedOut, "the server does not answer in time");
    runtime.block_on(async { timeout(most, step).await.unwrap_or_else(|_| Err(late())) })
}

/// One step with the usual time limit.
pub(super) fn step<T>(runtime: &Runtime, step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    within(runtime, STEP, step)
}

/// Connects and signs in.
pub(super) fn connect(runtime: &Runtime, settings: &SftpSettings) -> io::Result<Connection> {
    within(runtime, CONNECT, connecting(settings))
}

async fn connecting(settings: &SftpSettings) -> io::Result<Connection> {
    let config = client::Config {
        client_id: russh::SshId::Standard("SSH-2.0-Kontor".into()),
        keepalive_interval: Some(ALIVE),
        keepalive_max: SILENT_MAX,
        nodelay: true,
        ..client::Config::default()
    };
    let shown = Arc::<Mutex<String>>::default();
    let known = Known { wanted: settings.host_key.clone(), shown: Arc::clone(&shown) };
    let address = (settings.host.as_str(), settings.port);
    let mut ssh = client::connect(Arc::new(config), address, known).await.map_err(|error| {
        let shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        not_connected(settings, &error, &shown)
    })?;
    let signed_in = match (&settings.key_file, &settings.password_file) {
        (Some(file), _) => {
            let text = private_text(file)?;
            let key = PrivateKey::from_openssh(text.as_bytes());
            let key = key.map_err(|_| denied(format!("{}: it is no private key of OpenSSH", file.display())))?;
            if key.is_encrypted() {
                return Err(denied(format!(
                    "{}: the key has a passphrase; make one without for this target",
                    file.display()
                )));
            }
            let key = PrivateKeyWithHashAlg::new(Arc::new(key), Some(HashAlg::Sha256));
            ssh.authenticate_publickey(&settings.user, key).await
        }
        (None, Some(file)) => {
            let lines = private_lines(file, 1)?;
            let password = lines.first().map(|line| line.as_str()).unwrap_or_default();
            ssh.authenticate_password(&settings.user, password).await
        }
        (None, None) => return Err(denied("there is neither a key nor a password")),
    };
    match signed_in {
        Ok(AuthResult::Success) => {}
        Ok(AuthResult::Failure { .. }) => {
            let _ = ssh.disconnect(Disconnect::ByApplication, "", "").await;
            let told = format!(
                "the server lets {} not in: look at the account there, and at its key or password",
                settings.user
            );
            return Err(denied(told));
        }
        Err(error) => return Err(broken(&error)),
    }
    let channel = ssh.channel_open_session().await.map_err(|error| broken(&error))?;
    channel.request_subsystem(true, "sftp").await.map_err(|error| broken(&error))?;
    let config = SftpConfig { request_timeout_secs: ANSWER_SECONDS, ..SftpConfig::default() };
    let sftp = SftpSession::new_with_config(channel.into_stream(), config).await.map_err(sftp_error)?;
    Ok(Connection { ssh, sftp })
}

fn not_connected(settings: &SftpSettings, error: &russh::Error, shown: &str) -> io::Error {
    let SftpSettings { host, port, host_key, .. } = settings;
    if !shown.is_empty() && shown != host_key {
        return denied(format!(
            "{host} shows the host key {shown}, and the configuration names {host_key}. Either the server has a new key or \
             another one stands in its place: compare at the server itself with ssh-keygen -lf on its host keys"
        ));
    }
    match error {
        russh::Error::IO(error) => io::Error::new(error.kind(), format!("{host}:{port}: {error}")),
        other => io::Error::new(ErrorKind::ConnectionAborted, format!("{host}:{port}: {other}")),
    }
}

fn broken(error: &russh::Error) -> io::Error {
    io::Error::new(ErrorKind::ConnectionAborted, format!("the connection broke: {error}"))
}

/// An answer of the server in the words of the system.
pub(super) fn sftp_error(error: SftpError) -> io::Error {
    let (kind, what) = match &error {
        SftpError::Status(status) => match status.status_code {
            StatusCode::NoSuchFile => (ErrorKind::NotFound, "no such file or folder on the server".to_owned()),
            StatusCode::PermissionDenied => {
                (ErrorKind::PermissionDenied, "the server's account may not do that there".to_owned())
            }
            code => (ErrorKind::Other, format!("the server refuses ({code})")),
        },
        SftpError::Timeout => (ErrorKind::TimedOut, "the server does not answer in time".to_owned()),
        _ => (ErrorKind::ConnectionAborted, "the connection broke".to_owned()),
    };
    io::Error::new(kind, what)
}
