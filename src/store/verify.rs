//! What the verifier of the log asks of the database: entries and row states, both of one moment.

use crate::engine::{Access, Cell, Conn, Sql, dialect};
use crate::selection::Selections;
use crate::{Store, StoreConfig, StoreError, definitions, log, migrate, state};
use audit::{Checkpoint, EntryRow, EntrySource, PortError, Report, StateSource, Verification, VerifierKey};
use kernel::RecordId;
use metadata::{Catalog, ColumnType, ObjectDef};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// How far to verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Depth(pub u8);

impl Store {
    /// Verifies the log: 1 tiles, 2 signature, 3 every entry against the database, 4 every record against the log.
    /// Needs no key but the public one, and writes nothing: database and log may be a copy that cannot be written.
    pub fn verify_log(
        config: &StoreConfig,
        key: &VerifierKey,
        older: Option<&Checkpoint>,
        depth: Depth,
    ) -> Result<Report, StoreError> {
        Self::verify_log_while(config, key, older, depth, &|| true)
    }

    /// The same as long as it is wanted: once `wanted` says no, it ends at its next page with a finding, so the report is
    /// never a good one.
    pub fn verify_log_while(
        config: &StoreConfig,
        key: &VerifierKey,
        older: Option<&Checkpoint>,
        depth: Depth,
        wanted: &dyn Fn() -> bool,
    ) -> Result<Report, StoreError> {
        verify((&config.engine, &config.log_folder), key, older, depth, wanted)
    }
}

fn verify(
    (engine, folder): (&crate::EngineConfig, &Path),
    key: &VerifierKey,
    older: Option<&Checkpoint>,
    depth: Depth,
    wanted: &dyn Fn() -> bool,
) -> Result<Report, StoreError> {
    let mut conn = Conn::open(engine, Access::Look)?;
    migrate::check_known(&mut conn)?;
    let (_, catalog) = definitions::load(&mut conn)?;
    // Tiles are read after the snapshot is taken, so they may already know newer entries than it; never the reverse.
    dialect::begin_snapshot(&mut conn)?;
    let conn = Rc::new(RefCell::new(conn));
    let mut entries = Entries(Rc::clone(&conn), wanted);
    let mut states = States { conn: Rc::clone(&conn), catalog: Arc::new(catalog), wanted };
    let report = audit::verify(Verification {
        folder,
        key,
        older,
        entries: (depth >= Depth(3)).then_some(&mut entries as &mut dyn EntrySource),
        states: (depth >= Depth(4)).then_some(&mut states as &mut dyn StateSource),
    });
    conn.borrow_mut().batch("ROLLBACK")?;
    Ok(report)
}

/// The rows of the log behind a connection.
pub(crate) fn entries_of(conn: Conn) -> impl EntrySource {
    Entries(Rc::new(RefCell::new(conn)), &|| true)
}

fn port(error: StoreError) -> PortError {
    PortError(error.to_string())
}

/// Says no more once nobody wants to know.
fn still(wanted: &dyn Fn() -> bool) -> Result<(), PortError> {
    if wanted() { Ok(()) } else { Err(PortError("it was stopped".to_owned())) }
}

struct Entries<'w>(Rc<RefCell<Conn>>, &'w dyn Fn() -> bool);

impl EntrySource for Entries<'_> {
    fn rows(&mut self, from_seq: u64, max: usize) -> Result<Vec<EntryRow>, PortError> {
        still(self.1)?;
        let lines = log::lines(&mut self.0.borrow_mut(), from_seq, max).map_err(port)?;
        Ok(lines.into_iter().map(|line| (line.seq, line.bytes)).collect())
    }
    fn count(&mut self) -> Result<u64, PortError> {
        let sql = Sql::new("SELECT count(*) FROM \"k_audit\"");
        let row = self.0.borrow_mut().first(&sql, &[ColumnType::Integer]).map_err(port)?;
        Ok(row.and_then(|row| u64::try_from(row.int(0)?).ok()).unwrap_or(0))
    }
}

struct States<'w> {
    conn: Rc<RefCell<Conn>>,
    catalog: Arc<Catalog>,
    wanted: &'w dyn Fn() -> bool,
}

impl StateSource for States<'_> {
    fn objects(&mut self) -> Result<Vec<String>, PortError> {
        Ok(self.catalog.objects().map(|object| object.name.clone()).collect())
    }
    fn rows(
        &mut self,
        object: &str,
        after: Option<RecordId>,
        max: usize,
    ) -> Result<Vec<(RecordId, [u8; 32])>, PortError> {
        still(self.wanted)?;
        let object = self.catalog.object(object).ok_or_else(|| PortError(format!("no definition of {object}")))?;
        states(&mut self.conn.borrow_mut(), object, after, max).map_err(port)
    }
}

fn states(
    conn: &mut Conn,
    object: &Arc<ObjectDef>,
    after: Option<RecordId>,
    max: usize,
) -> Result<Vec<(RecordId, [u8; 32])>, StoreError> {
    let selection = Selections::default().all(object);
    let mut sql = Sql::new("SELECT ");
    selection.push_columns(&mut sql);
    sql.push(" FROM ").ident(&object.name).push(" t");
    if let Some(after) = after {
        sql.push(" WHERE t.\"id\" > ").bind(after);
    }
    sql.push(" ORDER BY t.\"id\" LIMIT ").number(max);
    let mut found = Vec::new();
    for row in conn.rows(&sql, selection.types())? {
        let row = selection.row(row)?;
        let fixed = [("id", Cell::from(row.id())), ("version", Cell::Int(row.version()))];
        let cells = fixed.iter().map(|(name, cell)| (*name, cell)).chain(row.named_cells());
        found.push((row.id(), state::row_state(&object.name, cells)?));
    }
    Ok(found)
}
