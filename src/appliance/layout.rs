//! Where the parts of an appliance lie below its folder, and the locks and modes that keep them ours.

use crate::appliance::upgrade::{Owner, owner_of};
use crate::cli::failure::Failure;
use kernel::{Code, Timestamp};
use rustix::fs::OFlags;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Where the credentials of the service lie while it runs, for commands beside it.
const CREDENTIALS: &str = "/run/credentials/kontor.service";
const CREDENTIALS_ABOVE: &str = "/run/credentials";

/// Bytes of the address of a server.
const URL_BYTES_MAX: u64 = 256;

/// The folder of one appliance.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    dir: PathBuf,
    credentials: PathBuf,
    /// Sealed files, where they do not lie below the folder.
    files: Option<PathBuf>,
    /// Who has it, where root acts for them.
    owner: Option<Owner>,
}

impl Layout {
    /// The layout below this folder.
    pub(crate) fn new(dir: &Path) -> Self {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").filter(|path| !path.is_empty());
        let credentials = PathBuf::from(credentials.unwrap_or_else(|| CREDENTIALS.into()));
        Self { dir: dir.to_owned(), credentials, files: None, owner: None }
    }
    /// The same for an upgrade, in which root acts for the account that has the folder: asked here, and never again.
    pub(crate) fn acting(self) -> Result<Self, Failure> {
        let dir = fs::canonicalize(&self.dir).map_err(|error| Failure::file(&self.dir, &error))?;
        let owner = owner_of(&dir)?;
        Ok(Self { dir, owner, ..self })
    }
    /// The account that root acts for.
    pub(crate) fn owner(&self) -> Option<Owner> {
        self.owner
    }
    /// The same with the sealed files elsewhere: in a folder that all nodes see.
    pub(crate) fn with_files(self, files: Option<PathBuf>) -> Self {
        Self { files, ..self }
    }
    /// The file with the id of this folder as a node.
    pub(crate) fn node_id(&self) -> PathBuf {
        self.dir.join("node.id")
    }
    /// The folder itself.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }
    /// The configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.dir.join("kontor.toml")
    }
    /// The folder of the unseal slots.
    pub(crate) fn keys(&self) -> PathBuf {
        self.dir.join("keys")
    }
    /// The unseal slots.
    pub(crate) fn slots(&self) -> PathBuf {
        self.keys().join("slots.json")
    }
    /// The key file that `init` makes.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.keys().join("unseal.key")
    }
    /// The folder of the embedded database.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }
    /// The embedded database.
    pub(crate) fn database(&self) -> PathBuf {
        self.data().join("kontor.db")
    }
    /// The folder of sealed files: those of records, and those that wait to be imported.
    pub(crate) fn files(&self) -> PathBuf {
        self.files.clone().unwrap_or_else(|| self.data().join("files"))
    }
    /// The folder of the audit log.
    pub(crate) fn log(&self) -> PathBuf {
        self.dir.join("log")
    }
    /// The audit log that an upgrade which was taken back has given up, by the moment it began to wait.
    pub(crate) fn log_given_up(&self, version: &str, at: Timestamp) -> PathBuf {
        self.dir.join(format!("log-given-up-{version}-{}", at.micros() / 1_000_000))
    }
    /// The public key of the audit log, for auditors.
    pub(crate) fn log_key(&self) -> PathBuf {
        self.dir.join("log-key.pub")
    }
    /// The folder of the certificates.
    pub(crate) fn tls(&self) -> PathBuf {
        self.dir.join("tls")
    }
    /// The file whose lock says that a backup or drill is under way.
    pub(crate) fn backup_lock(&self) -> PathBuf {
        self.dir.join("backup.lock")
    }
    /// Where commits wait for targets that are not folders of this machine.
    pub(crate) fn spool(&self) -> PathBuf {
        self.dir.join("ship")
    }
    /// Where a drill restores a set to, and takes it away again.
    pub(crate) fn drill(&self) -> PathBuf {
        self.dir.join("drill")
    }
    /// What was told by mail, so that a restart tells nothing twice.
    pub(crate) fn told(&self) -> PathBuf {
        self.dir.join("mail.json")
    }
    /// Where the database of a set lies while somebody looks into it.
    pub(crate) fn browse(&self) -> PathBuf {
        self.dir.join("browse")
    }
    /// The file whose lock says that somebody looks into a set.
    pub(crate) fn browse_lock(&self) -> PathBuf {
        self.dir.join("browse.lock")
    }
    /// Where an upgrade keeps what it can go back to.
    pub(crate) fn upgrade(&self) -> PathBuf {
        self.dir.join("upgrade")
    }
    /// How far an upgrade is.
    pub(crate) fn upgrade_state(&self) -> PathBuf {
        self.upgrade().join("state.json")
    }
    /// How the last one ended.
    pub(crate) fn upgrade_last(&self) -> PathBuf {
        self.upgrade().join("last.json")
    }
    /// The copy of database, log and files.
    pub(crate) fn upgrade_copy(&self) -> PathBuf {
        self.upgrade().join("copy")
    }
    /// The users of a demonstration and their passwords.
    pub(crate) fn demo_users(&self) -> PathBuf {
        self.dir.join("demo-users.json")
    }
    /// The file whose lock says that a server runs here.
    fn lock(&self) -> PathBuf {
        self.dir.join("serve.lock")
    }
    /// Whether a server holds the folder.
    pub(crate) fn is_served(&self) -> bool {
        let held = File::open(self.lock()).map(|file| file.try_lock_shared());
        matches!(held, Ok(Err(TryLockError::WouldBlock)))
    }
    /// Where the server that holds the folder is reached, as it wrote itself.
    pub(crate) fn served_at(&self) -> Option<String> {
        let mut text = String::new();
        File::open(self.lock())
            .ok()
            .filter(|_| self.is_served())?
            .take(URL_BYTES_MAX)
            .read_to_string(&mut text)
            .ok()?;
        Some(text.trim().to_owned()).filter(|url| !url.is_empty())
    }
    /// A path of the configuration: relative ones begin here, and `credential:NAME` is what the service manager gave the service
    /// under that name.
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        let name = path.to_str().and_then(|text| text.strip_prefix("credential:"));
        match name.filter(|name| !name.is_empty() && !name.contains('/') && !name.starts_with('.')) {
            Some(name) => self.credentials.join(name),
            None => self.dir.join(path),
        }
    }
    /// Whether nothing was made here yet: no such folder, or an empty one.
    pub(crate) fn is_unused(&self) -> Result<bool, Failure> {
        match fs::read_dir(&self.dir) {
            Ok(mut entries) => Ok(entries.next().is_none()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(Failure::file(&self.dir, &error)),
        }
    }
}

/// Held by the one server of a folder.
#[derive(Debug)]
pub(crate) struct FolderLock {
    file: File,
}

impl FolderLock {
    /// Takes the lock; a second server on the same folder is refused.
    pub(crate) fn take(layout: &Layout) -> Result<Self, Failure> {
        let path = layout.lock();
        // Root takes it too, in a folder that others may write: it makes no file where a link leads.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600).custom_flags(flags);
        let file = options.open(&path).map_err(|error| Failure::file(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {
                // Where the last one was reached.
                file.set_len(0).map_err(|error| Failure::file(&path, &error))?;
                Ok(Self { file })
            }
            Err(TryLockError::WouldBlock) => Err(Failure::new(
                Code::Unavailable,
                format!("another process serves {} already", layout.dir().display()),
            )
            .kept("that one goes on; nothing was changed")
            .todo("stop it first, or use another --dir")),
            Err(TryLockError::Error(error)) => Err(Failure::file(&path, &error)),
        }
    }

    /// Says to commands on this machine where the server is reached: sockets may have been handed over to it that the
    /// configuration does not name.
    pub(crate) fn tell(&self, url: &str) -> std::io::Result<()> {
        self.file.write_all_at(url.as_bytes(), 0)
    }
}

/// Whether this lies where service managers put credentials. Who may read those is decided by their folder; their modes show the
/// mask of an access list.
pub(crate) fn is_credential(path: &Path) -> bool {
    let named = std::env::var_os("CREDENTIALS_DIRECTORY").filter(|folder| !folder.is_empty());
    path.starts_with(CREDENTIALS_ABOVE) || named.is_some_and(|folder| path.parent() == Some(Path::new(&folder)))
}

/// Makes a folder that only its owner may enter.
pub(crate) fn make_private_folder(path: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o700)))
        .map_err(|error| Failure::file(path, &error))
}

/// Writes a new file that only its owner may read; never over one that is there.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    write_new(path, text, 0o600)
}

/// Writes a new file that is meant for others too; never over one that is there.
pub(crate) fn write_public(path: &Path, text: &str) -> Result<(), Failure> {
    write_new(path, text, 0o644)
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(|error| Failure::file(path, &error))
}

/// Refuses a file with a secret that others can read. What is no file, such as a pipe, has no readers to fear.
pub(crate) fn require_private(path: &Path) -> Result<(), Failure> {
    if is_credential(path) {
        return Ok(());
    }
    let found = fs::metadata(path).map_err(|error| Failure::file(path, &error))?;
    if found.is_file() && found.permissions().mode() & 0o077 != 0 {
        return Err(Failure::new(Code::ConfigInvalid, format!("{} can be read by others", path.display()))
            .kept("it was not used")
            .todo(format!("run chmod 600 {}", path.display())));
    }
    Ok(())
}
