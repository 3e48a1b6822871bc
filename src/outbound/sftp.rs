//! Backup sets on a server over SFTP, laid out as in a folder of this machine: written under a name that nobody mistakes for a whole
//! set, synced, and renamed. A connection that breaks ends the set on this target; the next attempt begins it anew.

mod connection;

use connection::{Connection, connect, sftp_error, step};
use recovery::{PartSink, SetName, Target, TargetStep};
use russh_sftp::client::SftpSession;
use russh_sftp::client::fs::File;
use russh_sftp::protocol::OpenFlags;
use std::io::{self, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

/// What the folder of a set is called before it is whole, and while it goes.
const HALF: &str = ".part";
const GOING: &str = ".going";
/// Bytes that are gathered before they are sent, and asked for at once.
const BLOCK: usize = 1024 * 1024;

/// Where a server is and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SftpSettings {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The account.
    pub user: String,
    /// The folder of all sets; below the account's own folder unless it begins with `/`.
    pub folder: String,
    /// The fingerprint of the one host key that is let through: `SHA256:…`.
    pub host_key: String,
    /// A private file with a key of OpenSSH that has no passphrase.
    pub key_file: Option<PathBuf>,
    /// A private file with a password, where there is no key.
    pub password_file: Option<PathBuf>,
}

/// A server as a target of the sets of one appliance.
pub struct SftpTarget {
    name: String,
    appliance: String,
    settings: SftpSettings,
    runtime: OnceLock<Arc<Runtime>>,
    connection: Mutex<Option<Arc<Connection>>>,
}

async fn asked<T>(answer: impl Future<Output = Result<T, russh_sftp::client::error::Error>>) -> io::Result<T> {
    answer.await.map_err(sftp_error)
}

impl SftpTarget {
    /// The sets of `appliance` on a server. Nothing is sent yet.
    pub fn new(name: &str, settings: SftpSettings, appliance: &str) -> Self {
        let (name, appliance) = (name.to_owned(), appliance.to_owned());
        Self { name, appliance, settings, runtime: OnceLock::new(), connection: Mutex::default() }
    }

    fn runtime(&self) -> io::Result<&Arc<Runtime>> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        // One thread of its own: the connection answers the server also while nobody asks.
        let made = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(self.runtime.get_or_init(|| Arc::new(made)))
    }

    fn connection(&self) -> io::Result<Arc<Connection>> {
        let mut held = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = held.as_ref().filter(|connection| connection.is_open()) {
            return Ok(Arc::clone(open));
        }
        let made = Arc::new(connect(self.runtime()?, &self.settings)?);
        Ok(Arc::clone(held.insert(made)))
    }

    /// One step on the connection, which is made first where there is none.
    fn on<T>(&self, act: impl AsyncFnOnce(&SftpSession) -> io::Result<T>) -> io::Result<T> {
        let connection = self.connection()?;
        step(self.runtime()?, act(connection.sftp()))
    }

    fn root(&self) -> &str {
        if self.settings.folder.is_empty() { "." } else { &self.settings.folder }
    }
    fn house(&self) -> String {
        format!("{}/{}", self.root().trim_end_matches('/'), self.appliance)
    }
    fn whole(&self, set: &SetName) -> String {
        format!("{}/{set}", self.house())
    }
    fn half(&self, set: &SetName) -> String {
        format!("{}{HALF}", self.whole(set))
    }

    fn open(&self, path: &str, flags: OpenFlags) -> io::Result<Pipe> {
        let connection = self.connection()?;
        let runtime = Arc::clone(self.runtime()?);
        let file = step(&runtime, asked(connection.sftp().open_with_flags(path, flags)))?;
        Ok(Pipe { runtime, _connection: connection, file: Some(file), waiting: Vec::new(), used: 0 })
    }
}

/// Takes a folder with its files away; none is as good.
async fn clear(sftp: &SftpSession, path: &str) -> io::Result<()> {
    let entries = match asked(sftp.read_dir(path)).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        asked(sftp.remove_file(format!("{path}/{}", entry.file_name()))).await?;
    }
    asked(sftp.remove_dir(path)).await
}

impl Target for SftpTarget {
    fn name(&self) -> &str {
        &self.name
    }
    fn begin(&self, set: &SetName) -> io::Result<()> {
        let (house, half, whole) = (self.house(), self.half(set), self.whole(set));
        self.on(async |sftp| {
            if !asked(sftp.try_exists(&house)).await? {
                asked(sftp.create_dir(&house)).await?;
            }
            if asked(sftp.try_exists(&whole)).await? {
                return Err(io::Error::new(ErrorKind::AlreadyExists, "a whole set of this name is there already"));
            }
            clear(sftp, &half).await?;
            asked(sftp.create_dir(&half)).await
        })
    }
    fn resume(&self, set: &SetName) -> io::Result<()> {
        let half = self.half(set);
        if self.on(async |sftp| asked(sftp.try_exists(&half)).await)? { Ok(()) } else { self.begin(set) }
    }
    fn kept(&self, set: &SetName, file: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.open(&format!("{}/{file}", self.half(set)), OpenFlags::READ)?))
    }
    fn halves(&self) -> io::Result<Vec<SetName>> {
        let names = self.loose(".")?;
        Ok(names.iter().filter_map(|name| name.strip_suffix(HALF)?.parse().ok()).collect())
    }
    fn part(&self, set: &SetName, file: &str) -> io::Result<Box<dyn PartSink>> {
        let path = format!("{}/{file}", self.half(set));
        Ok(Box::new(self.open(&path, OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE)?))
    }
    fn publish(&self, set: &SetName) -> io::Result<()> {
        let (half, whole) = (self.half(set), self.whole(set));
        self.on(async |sftp| asked(sftp.rename(&half, &whole)).await)
    }
    fn abandon(&self, set: &SetName) {
        let half = self.half(set);
        // What stays behind is called half; the next attempt under this name takes it away.
        let _ = self.on(async |sftp| clear(sftp, &half).await);
    }
    fn read(&self, set: &SetName, file: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.open(&format!("{}/{file}", self.whole(set)), OpenFlags::READ)?))
    }
    fn appliances(&self) -> io::Result<Vec<String>> {
        let root = self.root().to_owned();
        let entries = self.on(async |sftp| asked(sftp.read_dir(&root)).await)?;
        Ok(entries.filter(|entry| entry.file_type().is_dir()).map(|entry| entry.file_name()).collect())
    }
    fn list(&self) -> io::Result<Vec<SetName>> {
        let (house, root) = (self.house(), self.root().to_owned());
        let mut sets = self.on(async |sftp| match asked(sftp.read_dir(&house)).await {
            // No set yet is one thing, a place that is not there another.
            Err(error) if error.kind() == ErrorKind::NotFound => asked(sftp.metadata(&root)).await.map(|_| Vec::new()),
            entries => Ok(entries?.filter_map(|entry| entry.file_name().parse::<SetName>().ok()).collect()),
        })?;
        sets.sort();
        Ok(sets)
    }
    fn remove(&self, set: &SetName) -> io::Result<()> {
        let (whole, going) = (self.whole(set), format!("{}{GOING}", self.whole(set)));
        self.on(async |sftp| {
            clear(sftp, &going).await?;
            asked(sftp.rename(&whole, &going)).await?;
            clear(sftp, &going).await
        })
    }
    fn free_bytes(&self) -> Option<u64> {
        let root = self.root().to_owned();
        let found = self.on(async |sftp| asked(sftp.fs_info(&root)).await).ok()??;
        Some(found.blocks_avail.saturating_mul(found.fragment_size))
    }
    fn loose(&self, folder: &str) -> io::Result<Vec<String>> {
        let (folder, root) = (format!("{}/{folder}", self.house()), self.root().to_owned());
        self.on(async |sftp| match asked(sftp.read_dir(&folder)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => asked(sftp.metadata(&root)).await.map(|_| Vec::new()),
            entries => Ok(entries?.map(|entry| entry.file_name()).collect()),
        })
    }
    fn loose_read(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.open(&format!("{}/{path}", self.house()), OpenFlags::READ)?))
    }
    fn loose_keep(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let (house, whole) = (self.house(), format!("{}/{path}", self.house()));
        let folder = whole.rsplit_once('/').map_or_else(String::new, |(folder, _)| folder.to_owned());
        let half = format!("{whole}{HALF}");
        self.on(async |sftp| {
            for made in [&house, &folder] {
                if !asked(sftp.try_exists(made)).await? {
                    asked(sftp.create_dir(made)).await?;
                }
            }
            Ok(())
        })?;
        let mut pipe = self.open(&half, OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE)?;
        pipe.write_all(bytes)?;
        Box::new(pipe).finish()?;
        self.on(async |sftp| {
            // The protocol renames over nothing. Between the two steps the file is there under its other name.
            if asked(sftp.try_exists(&whole)).await? {
                asked(sftp.remove_file(&whole)).await?;
            }
            asked(sftp.rename(&half, &whole)).await
        })
    }
    fn loose_remove(&self, path: &str) -> io::Result<()> {
        let path = format!("{}/{path}", self.house());
        self.on(async |sftp| match asked(sftp.remove_file(&path)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }
    fn try_out(&self, word: &str) -> Vec<TargetStep> {
        let mut steps = vec![TargetStep::new("connect", self.connection().map(drop))];
        if !steps.iter().all(TargetStep::is_well) {
            return steps;
        }
        let whole = format!("{}/.probe-{word}", self.root().trim_end_matches('/'));
        let half = format!("{whole}{HALF}");
        let write = || {
            let mut pipe = self.open(&half, OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUDE)?;
            pipe.write_all(word.as_bytes())?;
            Box::new(pipe).finish()
        };
        steps.push(TargetStep::new("write", write()));
        if steps.iter().all(TargetStep::is_well) {
            let renamed = self.on(async |sftp| asked(sftp.rename(&half, &whole)).await);
            let left = if renamed.is_ok() { whole } else { half };
            steps.push(TargetStep::new("rename", renamed));
            let mut bytes = Vec::new();
            let read = self.open(&left, OpenFlags::READ).and_then(|mut pipe| pipe.read_to_end(&mut bytes));
            steps.push(TargetStep::same("read back", read.map(|_| bytes), word.as_bytes()));
            steps.push(TargetStep::new("remove", self.on(async |sftp| asked(sftp.remove_file(&left)).await)));
        }
        steps
    }
}

/// A file on the server, on its way there or back.
struct Pipe {
    runtime: Arc<Runtime>,
    /// Held while the file is open.
    _connection: Arc<Connection>,
    file: Option<File>,
    waiting: Vec<u8>,
    used: usize,
}

fn closed() -> io::Error {
    io::Error::new(ErrorKind::BrokenPipe, "the file is closed")
}

impl Pipe {
    fn send(&mut self) -> io::Result<()> {
        let file = self.file.as_mut().ok_or_else(closed)?;
        step(&self.runtime, file.write_all(&self.waiting))?;
        self.waiting.clear();
        Ok(())
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.waiting.len() >= BLOCK {
            self.send()?;
        }
        let room = BLOCK.saturating_sub(self.waiting.len()).min(bytes.len());
        self.waiting.extend_from_slice(bytes.get(..room).unwrap_or_default());
        Ok(room)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PartSink for Pipe {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.send()?;
        let mut file = self.file.take().ok_or_else(closed)?;
        step(&self.runtime, async {
            file.flush().await?;
            asked(file.sync_all()).await?;
            file.close().await
        })
    }
}

impl Read for Pipe {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.used >= self.waiting.len() {
            let file = self.file.as_mut().ok_or_else(closed)?;
            self.waiting.resize(BLOCK, 0);
            let got = step(&self.runtime, file.read(&mut self.waiting))?;
            self.waiting.truncate(got);
            self.used = 0;
        }
        let left = self.waiting.get(self.used..).unwrap_or_default();
        let count = left.len().min(out.len());
        out.iter_mut().zip(left).for_each(|(to, from)| *to = *from);
        self.used += count;
        Ok(count)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // A file of the server is closed by a task of the runtime: it has to be dropped inside.
        let _inside = self.runtime.enter();
        self.file = None;
    }
}
