//! Reading inside one connection: rows by id, values against a grant, keys as they are needed. Nothing here decides who
//! may read; everything here asks for the proof that somebody decided.

use crate::engine::{Cell, Conn, Insert, Sql};
use crate::foreseen::Foreseen;
use crate::rows::{self, StoredRow};
use crate::selection::{Selection, UNNUMBERED};
use crate::{Shared, StoreError};
use authz::{Facts, Grant, Level, Predicate, Read, Scope};
use kernel::RecordId;
use metadata::{Catalog, ColumnType, FieldType, ObjectDef, Value};
use std::collections::HashMap;
use std::sync::Arc;
use vault::{Class, KeyStore, KeyStoreError, KeyUse, Place, WrappedKey};

/// Facts by the object's serial number and the record.
pub(crate) type KnownFacts = HashMap<(u64, RecordId), Option<Facts>>;

/// Reads through one connection, with the definitions as they were when it began.
pub struct ReadTx<'c> {
    pub(crate) conn: &'c mut Conn,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) shared: &'c Arc<Shared>,
    keys: Option<KeyUse>,
    /// Facts read in a unit of work, where nobody else writes: thousands of rows of an import point to the same few records.
    facts: Option<KnownFacts>,
    /// The row that the unit has just inserted: its maker's answer is made from it once, without reading it again.
    inserted: Option<StoredRow>,
    /// What a unit of work looked up for many rows at once.
    pub(crate) foreseen: Foreseen,
}

impl<'c> ReadTx<'c> {
    pub(crate) fn begin(conn: &'c mut Conn, shared: &'c Arc<Shared>) -> Self {
        Self {
            conn,
            catalog: shared.catalog.load_full(),
            shared,
            keys: None,
            facts: None,
            inserted: None,
            foreseen: Foreseen::default(),
        }
    }

    /// The definitions.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// A record by id, with these fields, whether or not somebody may see it: mint a grant from its facts before use.
    pub fn row(
        &mut self,
        object: &Arc<ObjectDef>,
        id: RecordId,
        fields: &[usize],
    ) -> Result<Option<StoredRow>, StoreError> {
        self.row_with(&self.shared.selections.of(object, fields.iter().copied()), id)
    }

    /// A record with all its fields.
    pub fn row_whole(&mut self, object: &Arc<ObjectDef>, id: RecordId) -> Result<Option<StoredRow>, StoreError> {
        // It may be read in order to be changed, by its number.
        self.inserted.take_if(|row| row.rid == UNNUMBERED);
        self.row_with(&self.shared.selections.all(object), id)
    }

    fn row_with(&mut self, selection: &Arc<Selection>, id: RecordId) -> Result<Option<StoredRow>, StoreError> {
        let same = |row: &StoredRow| row.id() == id && row.object().serial == selection.object_def().serial;
        if self.inserted.as_ref().is_some_and(same) {
            return Ok(self.inserted.take());
        }
        let mut sql = Sql::new("SELECT ");
        selection.push_columns(&mut sql);
        sql.push(" FROM ").ident(selection.object_name()).push(" t WHERE t.\"id\" = ").bind(id);
        self.conn.first(&sql, selection.types())?.map(|row| selection.row(row)).transpose()
    }

    /// What decides who reaches a record; `None` when there is no such record or it lies in the recycle bin.
    pub fn facts(&mut self, object: &Arc<ObjectDef>, id: RecordId) -> Result<Option<Facts>, StoreError> {
        let key = (object.serial.0, id);
        if let Some(known) = self.facts.as_ref().and_then(|facts| facts.get(&key)) {
            return Ok(known.clone());
        }
        let row = self.row(object, id, &[])?;
        let found = row.filter(|row| !row.deleted()).map(|row| row.facts().clone());
        self.keep_facts(object, id, found.clone());
        Ok(found)
    }

    /// Whether facts of a record are remembered.
    pub(crate) fn knows_facts(&self, object: &ObjectDef, id: RecordId) -> bool {
        self.facts.as_ref().is_some_and(|facts| facts.contains_key(&(object.serial.0, id)))
    }

    /// Remembers facts, in a unit of work.
    pub(crate) fn keep_facts(&mut self, object: &ObjectDef, id: RecordId, found: Option<Facts>) {
        if let Some(facts) = &mut self.facts {
            facts.insert((object.serial.0, id), found);
        }
    }

    /// Begins to remember facts, for a unit of work, with those of the units before it.
    pub(crate) fn remember_facts(&mut self, known: KnownFacts) {
        self.facts = Some(known);
    }

    /// The facts that were remembered.
    pub(crate) fn take_facts(&mut self) -> KnownFacts {
        self.facts.take().unwrap_or_default()
    }

    /// Keeps the row that was just inserted, until something else is written.
    pub(crate) fn remember_inserted(&mut self, row: StoredRow) {
        self.inserted = Some(row);
    }

    /// Forgets what was remembered: a record changed, or a part of the unit was undone.
    pub(crate) fn forget_facts(&mut self, record: Option<(&ObjectDef, RecordId)>) {
        self.inserted = None;
        let Some(facts) = &mut self.facts else { return };
        match record {
            Some((object, record)) => drop(facts.remove(&(object.serial.0, record))),
            None => {
                facts.clear();
                self.foreseen = Foreseen::default();
            }
        }
    }

    /// Records of another object by id, as far as the scope reaches: for the related columns of a list.
    pub fn rows_in_scope(
        &mut self,
        scope: &Scope<'_>,
        object: &Arc<ObjectDef>,
        ids: &[RecordId],
        fields: &[usize],
    ) -> Result<Vec<StoredRow>, StoreError> {
        let selection = self.shared.selections.of(object, fields.iter().copied());
        let mut found = Vec::with_capacity(ids.len());
        if scope.object() != object.name || scope.predicate().is_nothing() {
            return Ok(found);
        }
        for chunk in ids.chunks(100) {
            let mut sql = Sql::new("SELECT ");
            selection.push_columns(&mut sql);
            sql.push(" FROM ").ident(&object.name).push(" t WHERE t.\"deleted_at\" IS NULL AND t.\"id\" IN (");
            sql.binds(chunk.iter().map(|id| Cell::from(*id))).push(")").varied();
            push_predicate(&mut sql, scope.predicate(), "t");
            self.conn.each(&sql, selection.types(), |row| {
                found.push(selection.row(row)?);
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// A field's value for a reader whose grant shows at least its mask. `None` below that level.
    pub fn value(
        &mut self,
        grant: &Grant<'_, Read>,
        row: &StoredRow,
        field: usize,
    ) -> Result<Option<Value>, StoreError> {
        let same = grant.record() == row.id() && grant.object() == row.object().name;
        if !same || grant.levels().get(field) < Level::Masked {
            return Ok(None);
        }
        self.value_open(row, field, |keys, store, place, bytes| {
            let opened = keys.open(store, grant, place, bytes)?;
            opened.expose(grant).map(str::to_owned)
        })
        .map(Some)
    }

    /// Whether a field has a value, for a reader whose grant shows that much.
    pub fn has_value(&self, grant: &Grant<'_, Read>, row: &StoredRow, field: usize) -> Option<bool> {
        let same = grant.record() == row.id() && grant.object() == row.object().name;
        (same && grant.levels().get(field) >= Level::Exists).then(|| row.has_value(field))
    }

    fn value_open(
        &mut self,
        row: &StoredRow,
        field: usize,
        open: impl FnOnce(&mut KeyUse, &mut dyn KeyStore, Place, &[u8]) -> Result<String, vault::VaultError>,
    ) -> Result<Value, StoreError> {
        let object = row.object();
        let (Some(definition), Some(cells)) = (object.fields.get(field), row.cells_of(field)) else {
            return Err(StoreError::damaged("a field was asked for that was not selected"));
        };
        let plain = rows::plain_value(definition, cells)?;
        if !rows::is_sealed(definition) {
            return Ok(plain);
        }
        let Some(bytes) = rows::sealed_cell(definition, cells) else { return Ok(plain) };
        let place = Place::of(object, definition, row.id(), row.subject())?;
        let (keys, mut store) = self.keys_and_store()?;
        let text = open(keys, &mut store, place, bytes)?;
        match (plain, &definition.field_type) {
            (Value::Address(mut address), FieldType::Address) => {
                address.street = Some(text);
                Ok(Value::Address(address))
            }
            (_, FieldType::Address) => {
                Ok(Value::Address(Box::new(metadata::Address { street: Some(text), ..metadata::Address::default() })))
            }
            (_, field_type) => Value::from_text(&text, field_type)
                .map_err(|_| StoreError::damaged(format!("sealed field {} holds another type", definition.name))),
        }
    }

    /// Whether a sealed value equals one of these texts: the second look behind every blind index.
    pub(crate) fn sealed_matches(
        &mut self,
        row: &StoredRow,
        field: usize,
        texts: &[String],
    ) -> Result<bool, StoreError> {
        let object = Arc::clone(row.object());
        let (Some(definition), Some(cells)) = (object.fields.get(field), row.cells_of(field)) else { return Ok(false) };
        let Some(bytes) = rows::sealed_cell(definition, cells) else { return Ok(false) };
        let place = Place::of(&object, definition, row.id(), row.subject())?;
        let (keys, mut store) = self.keys_and_store()?;
        for text in texts {
            if keys.matches(&mut store, place, bytes, text)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Loads the keys of many rows in one query, before their sealed fields are opened one by one.
    pub fn prefetch(&mut self, rows: &[StoredRow], fields: &[usize]) -> Result<(), StoreError> {
        let mut wanted: Vec<(RecordId, Class)> = Vec::new();
        for row in rows {
            for field in fields {
                let Some(definition) = row.object().fields.get(*field).filter(|field| rows::is_sealed(field)) else {
                    continue;
                };
                if row.has_value(*field) {
                    wanted.push((row.subject(), Class::of(definition)));
                }
            }
        }
        if wanted.len() < 2 {
            return Ok(());
        }
        let (keys, mut store) = self.keys_and_store()?;
        keys.prefetch(&mut store, &wanted)?;
        Ok(())
    }

    /// The keys of this transaction beside the connection they are loaded through.
    pub(crate) fn keys_and_store(&mut self) -> Result<(&mut KeyUse, Ring<'_>), StoreError> {
        if !self.shared.opens {
            return Err(StoreError::damaged("a sealed value was asked of a set itself"));
        }
        if self.keys.is_none() {
            self.keys = Some(self.shared.vault.key_use()?);
        }
        let keys = self.keys.as_mut().ok_or(StoreError::Vault(vault::VaultError::Sealed))?;
        Ok((keys, Ring(self.conn)))
    }

    /// Whether a row's field holds this value already.
    pub(crate) fn holds(&mut self, row: &StoredRow, field: usize, value: &Value) -> Result<bool, StoreError> {
        let Some(definition) = row.object().fields.get(field) else { return Ok(false) };
        let stored = rows::plain_value(definition, row.cells_of(field).unwrap_or_default())?;
        if !rows::is_sealed(definition) {
            return Ok(stored == *value);
        }
        if value.is_null() {
            return Ok(!row.has_value(field));
        }
        // Of an address the region lies plain; the sealed street is compared on its own.
        if let Value::Address(address) = value {
            let region = metadata::Address { street: None, ..(**address).clone() };
            let same_region = match stored {
                Value::Address(stored) => *stored == region,
                _ => region.is_empty(),
            };
            if !same_region {
                return Ok(false);
            }
        }
        match rows::sealed_text(definition, value) {
            Some(text) => self.sealed_is(row, field, &text),
            None => Ok(!row.has_sealed(field)),
        }
    }

    /// Exactly this text, not merely equal after normalisation.
    fn sealed_is(&mut self, row: &StoredRow, field: usize, text: &str) -> Result<bool, StoreError> {
        let object = Arc::clone(row.object());
        let (Some(definition), Some(cells)) = (object.fields.get(field), row.cells_of(field)) else { return Ok(false) };
        let Some(bytes) = rows::sealed_cell(definition, cells) else { return Ok(false) };
        let place = Place::of(&object, definition, row.id(), row.subject())?;
        let (keys, mut store) = self.keys_and_store()?;
        let stored = keys.audit_mac_sealed(&mut store, place, bytes)?;
        Ok(stored == self.shared.vault.audit_mac(&object.name, &definition.name, row.id(), text.as_bytes())?)
    }

    /// The index entry to look for when a sealed field is asked for by value.
    pub(crate) fn blind_query(
        &mut self,
        object: &ObjectDef,
        field: &metadata::FieldDef,
        text: &str,
    ) -> Result<Option<i64>, StoreError> {
        Ok(self.shared.vault.blind_query(object, field, vault::BlindIndex::Whole, text)?)
    }

    /// Hands freshly opened keys to the cache that all transactions share; reading never makes keys that could vanish.
    pub(crate) fn publish_keys(&mut self) {
        if let Some(keys) = self.keys.take() {
            keys.commit();
        }
    }

    /// Forgets the keys of this transaction without publishing them.
    pub(crate) fn discard_keys(&mut self) {
        self.keys = None;
    }

    /// Takes the keys out, to be published once the transaction is on disk.
    pub(crate) fn into_keys(self) -> Option<KeyUse> {
        self.keys
    }
}

/// The conditions of a reach that is neither everything nor nothing: any of these columns holds one of these ids.
pub(crate) fn parts(predicate: &Predicate) -> impl Iterator<Item = (&'static str, &[RecordId])> {
    let parts = [("owner_id", predicate.owners()), ("unit_id", predicate.units()), ("team_id", predicate.teams())];
    parts.into_iter().filter(|(_, ids)| !ids.is_empty())
}

/// Adds ` AND (…)` that leaves out private records of others.
pub(crate) fn push_private(sql: &mut Sql, predicate: &Predicate, alias: &'static str) {
    let Some(person) = predicate.private_of() else { return };
    sql.push(" AND (coalesce(").push(alias).push(".\"private\", ").bind(false).push(") = ").bind(false);
    sql.push(" OR ").push(alias).push(".\"owner_id\" = ").bind(person).push(")");
}

/// Adds ` AND (…)` for a scope; a scope over everything adds nothing, one over nothing adds a contradiction.
pub(crate) fn push_predicate(sql: &mut Sql, predicate: &Predicate, alias: &'static str) {
    if predicate.is_all() {
        return;
    }
    if predicate.is_nothing() {
        sql.push(" AND 1 = 0");
        return;
    }
    push_private(sql, predicate, alias);
    if predicate.is_everywhere() {
        return;
    }
    sql.push(" AND (");
    for (at, (column, ids)) in parts(predicate).enumerate() {
        if at > 0 {
            sql.push(" OR ");
        }
        sql.push(alias).push(".").ident(column);
        if let [only] = ids {
            sql.push(" = ").bind(*only);
        } else {
            sql.push(" IN (").binds(ids.iter().map(|id| Cell::from(*id))).push(")");
        }
    }
    sql.push(")");
}

/// The stored key ring, through one connection.
pub(crate) struct Ring<'c>(pub(crate) &'c mut Conn);

fn failed(error: StoreError) -> KeyStoreError {
    KeyStoreError::Failed(error.to_string())
}

impl KeyStore for Ring<'_> {
    fn load(&mut self, subject: RecordId, class: Class) -> Result<Vec<(u32, Vec<u8>)>, KeyStoreError> {
        let mut sql = Sql::new("SELECT \"generation\", \"wrapped\" FROM \"k_key\" WHERE \"subject\" = ");
        sql.bind(subject).push(" AND \"class\" = ").bind(i64::from(class.number()));
        let rows = self.0.rows(&sql, &[ColumnType::Integer, ColumnType::Binary]).map_err(failed)?;
        Ok(rows
            .into_iter()
            .filter_map(|row| Some((u32::try_from(row.int(0)?).ok()?, row.get(1).bin()?.to_vec())))
            .collect())
    }

    fn load_many(&mut self, subjects: &[RecordId]) -> Result<Vec<WrappedKey>, KeyStoreError> {
        let mut found = Vec::with_capacity(subjects.len());
        for chunk in subjects.chunks(200) {
            let mut sql = Sql::new(
                "SELECT \"subject\", \"class\", \"generation\", \"wrapped\" FROM \"k_key\" WHERE \"subject\" IN (",
            );
            sql.binds(chunk.iter().map(|id| Cell::from(*id))).push(")").varied();
            let types = [ColumnType::Binary, ColumnType::Integer, ColumnType::Integer, ColumnType::Binary];
            let each = |row: crate::engine::Row| {
                let class = row.int(1).and_then(|number| Class::from_number(u8::try_from(number).ok()?));
                let key = row.id(0).zip(class).zip(row.int(2)).zip(row.get(3).bin());
                if let Some((((subject, class), generation), wrapped)) = key {
                    let generation = u32::try_from(generation).unwrap_or_default();
                    found.push(WrappedKey { subject, class, generation, wrapped: wrapped.to_vec() });
                }
                Ok(())
            };
            self.0.each(&sql, &types, each).map_err(failed)?;
        }
        Ok(found)
    }

    fn insert(
        &mut self,
        subject: RecordId,
        class: Class,
        generation: u32,
        wrapped: &[u8],
    ) -> Result<(), KeyStoreError> {
        if self.0.may_wait() {
            // Units of work follow each other, and each looks first whether there is a key: none is in the way.
            let number = |number| Cell::Int(i64::from(number));
            let cells =
                vec![Cell::from(subject), number(class.number().into()), number(generation), Cell::from(wrapped)];
            let columns = &["subject", "class", "generation", "wrapped"];
            return self.0.insert(Insert::system("k_key", columns, cells)).map_err(failed);
        }
        let (begin, end) = crate::engine::dialect::insert_or_ignore(self.0);
        let mut sql = Sql::new(begin);
        sql.push("\"k_key\" (\"subject\", \"class\", \"generation\", \"wrapped\") VALUES (");
        sql.bind(subject).push(", ").bind(i64::from(class.number())).push(", ").bind(i64::from(generation));
        sql.push(", ").bind(wrapped).push(")").push(end);
        if self.0.execute(&sql).map_err(failed)? == 0 { Err(KeyStoreError::Conflict) } else { Ok(()) }
    }

    fn load_named(&mut self, name: &str) -> Result<Option<Vec<u8>>, KeyStoreError> {
        let mut sql = Sql::new("SELECT \"wrapped\" FROM \"k_named_key\" WHERE \"name\" = ");
        sql.bind(name);
        let row = self.0.first(&sql, &[ColumnType::Binary]).map_err(failed)?;
        Ok(row.and_then(|row| row.get(0).bin().map(<[u8]>::to_vec)))
    }

    fn insert_named(&mut self, name: &str, wrapped: &[u8]) -> Result<(), KeyStoreError> {
        let (begin, end) = crate::engine::dialect::insert_or_ignore(self.0);
        let mut sql = Sql::new(begin);
        sql.push("\"k_named_key\" (\"name\", \"wrapped\") VALUES (")
            .bind(name)
            .push(", ")
            .bind(wrapped)
            .push(")")
            .push(end);
        if self.0.execute(&sql).map_err(failed)? == 0 { Err(KeyStoreError::Conflict) } else { Ok(()) }
    }
}
