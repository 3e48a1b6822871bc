//! A copy of the data of an appliance that nobody serves, and the way back from it: what an upgrade keeps until it is final. The
//! database as one file of the embedded engine, whatever engine it came from, and the log beside it. It works on the schema of
//! every version this one knows, opens nothing sealed, and needs no key. Sealed files never change and are not its concern.

use crate::engine::{Access, Conn, EngineConfig, Sql, bulk, dialect};
use crate::snapshot::SealGate;
use crate::tree::copy_folder;
use crate::{Store, StoreConfig, StoreError, carry};
use kernel::{Code, Fault, Timestamp};
use metadata::ColumnType;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// The names of both parts in the folder of a copy.
const DATABASE: &str = "kontor.db";
const LOG: &str = "log";
const INT: ColumnType = ColumnType::Integer;

fn failed(what: &str, error: &io::Error) -> StoreError {
    let told = format!("{what}: {error}");
    Fault::new(Code::Unavailable, told).into()
}

impl Store {
    /// Bytes of a database on its disk.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn size_of(engine: &EngineConfig) -> Result<u64, StoreError> {
        if let EngineConfig::Sqlite { file } = engine {
            let bytes = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
            return Ok(bytes(file) + bytes(&file.with_extension("db-wal")));
        }
        let mut conn = Conn::open(engine, Access::Look)?;
        let row = conn.first(&Sql::new("SELECT pg_database_size(current_database())"), &[INT])?;
        Ok(row.and_then(|row| u64::try_from(row.int(0)?).ok()).unwrap_or(0))
    }

    /// Copies database and log into an empty folder, synced. Names the tables of others that lie beside ours on a server.
    ///
    /// # Errors
    /// What the disk says; `unavailable` when another process reads or writes the database.
    pub fn copy_still(config: &StoreConfig, into: &Path, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let _gate = SealGate::pass(&config.log_folder)?;
        let others = match &config.engine {
            EngineConfig::Sqlite { file } => {
                copy_file(&config.engine, file, &into.join(DATABASE)).map(|()| Vec::new())?
            }
            EngineConfig::Postgres { .. } => copy_server(&config.engine, &into.join(DATABASE), now)?,
        };
        copy_folder(&config.log_folder, &into.join(LOG)).map_err(|error| failed("copying the log", &error))?;
        let synced = File::open(into).and_then(|folder| rustix::fs::syncfs(&folder).map_err(io::Error::from));
        synced.map_err(|error| failed("syncing the copy", &error))?;
        Ok(others)
    }

    /// Entries of the log that the database has and its copy does not: those that go when the copy comes back.
    ///
    /// # Errors
    /// When one of the two cannot be asked.
    pub fn newer_than_copy(engine: &EngineConfig, from: &Path) -> Result<u64, StoreError> {
        let copy = EngineConfig::Sqlite { file: from.join(DATABASE) };
        let size = |engine: &EngineConfig| crate::log::size(&mut Conn::open(engine, Access::Look)?);
        Ok(size(engine)?.saturating_sub(size(&copy)?))
    }

    /// Puts the copy back in place of what is there now. It may be repeated when it was interrupted. The copy stays. The log that
    /// is there now is kept at `aside`, once, where that is named.
    ///
    /// # Errors
    /// What the disk or the server says; then it has to be repeated.
    pub fn copy_back(
        config: &StoreConfig,
        from: &Path,
        others: &[String],
        aside: Option<&Path>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Cut off between two renames there is none, and no gate in it.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&config.log_folder);
        made.map_err(|error| failed("making the folder of the log", &error))?;
        let _gate = SealGate::pass(&config.log_folder)?;
        match &config.engine {
            EngineConfig::Sqlite { file } => {
                put_file(&from.join(DATABASE), file).map_err(|error| failed("putting the database back", &error))?
            }
            EngineConfig::Postgres { .. } => put_server(&from.join(DATABASE), &config.engine, others, now)?,
        }
        put_log(&from.join(LOG), &config.log_folder, aside).map_err(|error| failed("putting the log back", &error))
    }
}

fn copy_file(engine: &EngineConfig, file: &Path, to: &Path) -> Result<(), StoreError> {
    // Opened before the locks are taken and closed after they are given up: a close in between would drop them (POSIX).
    let mut from = File::open(file).map_err(|error| failed("opening the database", &error))?;
    let mut conn = Conn::open(engine, Access::Write)?;
    let row = conn.first(&Sql::new("PRAGMA wal_checkpoint(TRUNCATE)"), &[INT; 3])?;
    conn.batch("BEGIN EXCLUSIVE")?;
    let log = file.with_extension("db-wal");
    let moved = row.is_some_and(|row| row.int(0) == Some(0)) && fs::metadata(&log).map_or(0, |found| found.len()) == 0;
    let copied =
        if moved { copy_bytes(&mut from, to) } else { Err(io::Error::other("another process uses the database")) };
    conn.batch("ROLLBACK")?;
    drop(conn);
    copied.map_err(|error| failed("copying the database", &error))
}

fn copy_bytes(from: &mut File, to: &Path) -> io::Result<()> {
    let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    // The file system shares the blocks where it can.
    io::copy(from, &mut made)?;
    made.flush()
}

fn copy_server(engine: &EngineConfig, to: &Path, now: Timestamp) -> Result<Vec<String>, StoreError> {
    let mut reader = Conn::open(engine, Access::Look)?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    made.map_err(|error| failed("making the copy", &error))?;
    let mut copy = Conn::open(&EngineConfig::Sqlite { file: to.to_owned() }, Access::Fill)?;
    dialect::begin_snapshot(&mut reader)?;
    dialect::begin_group(&mut copy)?;
    let contents = carry::carry(&mut reader, &mut copy, now, &|| true)?;
    copy.batch("COMMIT")?;
    // System tables that only a newer version knows are ours too.
    let ours =
        |table: &String| table.starts_with(carry::SYSTEM) || contents.iter().any(|content| content.table == *table);
    let others = bulk::tables(&mut reader)?.into_iter().filter(|table| !ours(table)).collect();
    reader.batch("ROLLBACK")?;
    Ok(others)
}

fn put_file(copy: &Path, file: &Path) -> io::Result<()> {
    let half = file.with_extension("db-back");
    let _ = fs::remove_file(&half);
    copy_bytes(&mut File::open(copy)?, &half)?;
    File::open(&half)?.sync_all()?;
    for ending in ["db-wal", "db-shm"] {
        match fs::remove_file(file.with_extension(ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(&half, file)?;
    synced_folder(file)
}

/// Everything of ours goes and comes back in one transaction.
fn put_server(copy: &Path, engine: &EngineConfig, others: &[String], now: Timestamp) -> Result<(), StoreError> {
    let mut from = Conn::open(&EngineConfig::Sqlite { file: copy.to_owned() }, Access::Look)?;
    let mut to = Conn::open(engine, Access::Write)?;
    dialect::begin_snapshot(&mut from)?;
    dialect::begin_group(&mut to)?;
    let put = (|| {
        for table in bulk::own_tables(&mut to)?.iter().filter(|table| !others.contains(table)) {
            let mut drop = Sql::new("DROP TABLE ");
            drop.ident(table).push(" CASCADE");
            to.execute(&drop)?;
        }
        carry::carry_compared(&mut from, &mut to, now)
    })();
    from.batch("ROLLBACK")?;
    to.batch(if put.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    put.map(drop)
}

fn put_log(copy: &Path, folder: &Path, aside: Option<&Path>) -> io::Result<()> {
    let half = folder.with_extension("back");
    let gone = folder.with_extension("gone");
    remove_folder(&half)?;
    copy_folder(copy, &half)?;
    rustix::fs::syncfs(File::open(&half)?)?;
    remove_folder(&gone)?;
    // What lies there already was put there before this was interrupted; since then the folder is the copy's.
    if let Some(aside) = aside.filter(|aside| !aside.exists() && folder.exists()) {
        fs::rename(folder, aside)?;
    }
    if folder.exists() {
        fs::rename(folder, &gone)?;
    }
    fs::rename(&half, folder)?;
    synced_folder(folder)?;
    remove_folder(&gone)
}

fn synced_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |above| File::open(above)?.sync_all())
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
