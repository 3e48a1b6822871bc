//! The database of a backup set, opened beside the appliance's own so that somebody can look at what it held. Nothing can be
//! written to it through here, and none of its own keys opens anything: a key that was destroyed since the set was made is
//! gone here too. Who wants a sealed value hands the row to a transaction of the appliance, which opens with the keys of now.

use crate::engine::{Access, Cell, Conn, EngineConfig, Sql, readers};
use crate::read::ReadTx;
use crate::rows::StoredRow;
use crate::ticket::Ticket;
use crate::{Shared, StoreError, definitions, files, migrate, reach, selection};
use arc_swap::ArcSwap;
use authz::Policy;
use kernel::{Clock, Fault, Id, Random, RecordId};
use metadata::{Catalog, ColumnType, ObjectDef};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use vault::Vault;

/// Readers of a set: one person looks at it.
const READERS: usize = 2;
/// Ids of one question.
const ASKED: usize = 200;

/// The database of a set, in a scratch folder of its own.
pub struct SetStore {
    shared: Arc<Shared>,
    readers: Mutex<readers::Readers>,
}

impl SetStore {
    /// Opens the database file of a set that was unpacked. One of an older version is brought up to date first, so the file
    /// must be a copy that nobody needs.
    ///
    /// # Errors
    /// [`StoreError::SchemaUnknown`] for a set of a newer version.
    pub fn open(
        file: &Path,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, StoreError> {
        let engine = EngineConfig::Sqlite { file: file.to_owned() };
        let mut conn = Conn::open(&engine, Access::Write)?;
        migrate::migrate(&mut conn, clock.now())?;
        let (profile, catalog) = definitions::load(&mut conn)?;
        let shared = Arc::new(Shared {
            catalog: ArcSwap::from_pointee(catalog),
            // What the set says of roles counts for nothing.
            policy: ArcSwap::from_pointee(Policy::new(Vec::new(), [0; 32])),
            vault,
            boot: Id::generate(clock.as_ref(), random.as_ref()),
            clock,
            random,
            profile,
            node: String::new(),
            leases: crate::leases::Leases::default(),
            selections: selection::Selections::default(),
            reaches: reach::Reaches::default(),
            files: files::Files::new(file.with_file_name("files"), false),
            opens: false,
        });
        let readers = readers::Readers::start(&engine, READERS)?;
        drop(conn);
        Ok(Self { shared, readers: Mutex::new(readers) })
    }

    /// The definitions as they were.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.shared.catalog.load_full()
    }

    /// Reads. What is handed out is for a grant to show.
    pub fn read<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Ticket<T> {
        let (answer, ticket) = Ticket::new();
        let shared = Arc::clone(&self.shared);
        let readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = readers.send(Box::new(move |conn| {
            let outcome = task(&mut ReadTx::begin(conn, &shared));
            answer.send(outcome.map_err(Fault::from));
        }));
        ticket.unless(sent)
    }
}

impl Drop for SetStore {
    fn drop(&mut self) {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).stop();
    }
}

impl ReadTx<'_> {
    /// Records by id, also from the bin and whoever may see them: mint a grant from their facts before use.
    pub fn rows_by_id(
        &mut self,
        object: &Arc<ObjectDef>,
        ids: &[RecordId],
        fields: &[usize],
    ) -> Result<Vec<StoredRow>, StoreError> {
        let selection = self.shared.selections.of(object, fields.iter().copied());
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(ASKED) {
            let mut sql = Sql::new("SELECT ");
            selection.push_columns(&mut sql);
            sql.push(" FROM ").ident(&object.name).push(" t WHERE t.\"id\" IN (");
            sql.binds(chunk.iter().map(|id| Cell::from(*id))).push(")").varied();
            self.conn.each(&sql, selection.types(), |row| {
                found.push(selection.row(row)?);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// Those of these subjects that have a key of any class.
    pub fn subjects_with_keys(&mut self, subjects: &[RecordId]) -> Result<BTreeSet<RecordId>, StoreError> {
        let mut found = BTreeSet::new();
        for chunk in subjects.chunks(ASKED) {
            let mut sql = Sql::new("SELECT DISTINCT \"subject\" FROM \"k_key\" WHERE \"subject\" IN (");
            sql.binds(chunk.iter().map(|id| Cell::from(*id))).push(")").varied();
            let rows = self.conn.rows(&sql, &[ColumnType::Binary])?;
            found.extend(rows.iter().filter_map(|row| row.id(0)));
        }
        Ok(found)
    }

    /// Whether no record of an object, in the bin or not, has this human number.
    pub fn number_is_free(&mut self, object: &ObjectDef, number: &str) -> Result<bool, StoreError> {
        let mut sql = Sql::new("SELECT \"version\" FROM ");
        sql.ident(&object.name).push(" WHERE \"number\" = ").bind(number).push(" LIMIT 1");
        Ok(self.conn.first(&sql, &[ColumnType::Integer])?.is_none())
    }
}
