//! All of a database carried into an empty one, of the other engine or the same: the moment of one transaction, table by table,
//! a few rows in memory at a time, in one transaction on the other side too. And the hash of what a table holds, which is the
//! same on both engines. Sealed values travel as they lie; nothing is opened, and search tokens come from plain fields only.

use crate::engine::bulk::{self, Filler, Shape};
use crate::engine::{Access, Cell, Conn, EngineConfig, dialect};
use crate::snapshot::{DatabaseFacts, database_facts};
use crate::{StoreError, definitions, migrate, schema, search};
use kernel::{Code, Fault, Timestamp};
use metadata::{Catalog, ColumnType, ObjectDef};
use ring::digest;
use std::path::Path;
use std::sync::Arc;

/// The steps of the schema: each engine has its own text, and so its own hash of it.
const STEPS: &str = "k_migration";
/// Who serves the database, and who does what: nothing that a copy holds.
const OF_NODES: [&str; 2] = ["k_lease", "k_node"];
/// How system tables are called.
pub(crate) const SYSTEM: &str = "k_";
/// Rows between two looks whether to go on.
const LOOK_ROWS: u64 = 1_000;

/// What a table holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TableContent {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 over its rows in the order of its key, each with its columns by name; in hexadecimal.
    pub sha256: String,
}

/// Carries everything into an empty database. `to` is inside a transaction, which the caller ends; `from` inside one whose
/// statements all see the same moment.
pub(crate) fn carry(
    from: &mut Conn,
    to: &mut Conn,
    now: Timestamp,
    go_on: &dyn Fn() -> bool,
) -> Result<Vec<TableContent>, StoreError> {
    migrate::check_known(from)?;
    let (_, catalog) = definitions::load(from)?;
    // On the server engine others may have their own beside ours.
    let others = bulk::tables(to)?;
    // A copy has the steps of its source, also where this version has more.
    let last = migrate::last_step(from)?;
    migrate::migrate_up_to(to, now, last)?;
    let objects: Vec<Arc<ObjectDef>> = catalog.objects().map(Arc::clone).collect();
    for object in &objects {
        schema::create_bare_table(to, object)?;
        object.links.iter().try_for_each(|link| schema::create_link(to, object, link))?;
    }
    let (here, there) = (bulk::shapes(from)?, bulk::shapes(to)?);
    let mut contents = Vec::new();
    for (table, shape) in there.iter().filter(|(table, _)| !others.contains(table)) {
        let known = here.get(table).filter(|known| known.names() == shape.names());
        let unlike = || StoreError::SchemaUnknown(format!("The table {table} is not as the definitions say."));
        let known = known.ok_or_else(unlike)?;
        if is_content(table) {
            let object = objects.iter().find(|object| object.name == *table);
            contents.push(carry_table((from, to), &joint(known, shape), object, go_on)?);
        }
    }
    for object in &objects {
        schema::create_indexes(to, object)?;
        bulk::number_on(to, &object.name)?;
        dialect::gather_statistics(to, &object.name)?;
    }
    Ok(contents)
}

/// A shape that reads and writes truth as truth: the embedded engine keeps it as a number.
fn joint(one: &Shape, two: &Shape) -> Shape {
    let is_bool = |shape: &Shape, column: &str| {
        shape.columns.iter().any(|(name, kind)| name == column && *kind == ColumnType::Bool)
    };
    let mut shape = two.clone();
    for (column, kind) in &mut shape.columns {
        if is_bool(one, column) || is_bool(two, column) {
            *kind = ColumnType::Bool;
        }
    }
    shape
}

fn carry_table(
    (from, to): (&mut Conn, &mut Conn),
    shape: &Shape,
    object: Option<&Arc<ObjectDef>>,
    go_on: &dyn Fn() -> bool,
) -> Result<TableContent, StoreError> {
    let searched = object.filter(|object| search::has_index(object));
    let deleted = shape.place("deleted_at");
    let mut content = Content::begin(shape);
    let mut filler = Filler::begin(shape.clone(), searched.map(|object| object.search_table()));
    bulk::walk(from, shape, |row| {
        content.add(|place| row.get(place));
        if content.rows.is_multiple_of(LOOK_ROWS) && !go_on() {
            return Err(Fault::new(Code::Unavailable, "It was stopped; nothing was changed.").into());
        }
        // What lies in the bin is not found.
        let found = searched.filter(|_| deleted.is_none_or(|place| row.get(place).is_null()));
        let cell = |column: &str| shape.place(column).map(|place| row.get(place).clone());
        let tokens = found.map(|object| search::tokens_at_rest(object, cell)).transpose()?.flatten();
        filler.add(to, row, tokens)
    })?;
    filler.end(to)?;
    Ok(content.end(shape))
}

/// The hash of a table while its rows go by.
struct Content {
    /// The columns by name: a place in the row.
    places: Vec<usize>,
    digest: digest::Context,
    rows: u64,
}

impl Content {
    fn begin(shape: &Shape) -> Self {
        let mut digest = digest::Context::new(&digest::SHA256);
        let names = shape.names();
        for name in &names {
            digest.update(name.as_bytes());
            digest.update(&[0]);
        }
        Self { places: names.iter().filter_map(|name| shape.place(name)).collect(), digest, rows: 0 }
    }

    fn add<'r>(&mut self, cell: impl Fn(usize) -> &'r Cell) {
        self.rows += 1;
        for place in &self.places {
            let mut put = |tag: u8, bytes: &[u8]| {
                self.digest.update(&[tag]);
                self.digest.update(&(bytes.len() as u64).to_be_bytes());
                self.digest.update(bytes);
            };
            match cell(*place) {
                Cell::Null(_) => put(0, &[]),
                Cell::Int(number) => put(1, &number.to_be_bytes()),
                // A number where the engine has no truth.
                Cell::Bool(flag) => put(1, &i64::from(*flag).to_be_bytes()),
                Cell::Text(text) => put(2, text.as_bytes()),
                Cell::Bin(bytes) => put(3, bytes),
            }
        }
    }

    fn end(self, shape: &Shape) -> TableContent {
        let sha256 = hexadecimal(self.digest.finish().as_ref());
        TableContent { table: shape.table.clone(), rows: self.rows, sha256 }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the tables hold. Inside a transaction.
fn contents(conn: &mut Conn) -> Result<Vec<TableContent>, StoreError> {
    let (_, catalog) = definitions::load(conn)?;
    let shapes = bulk::shapes(conn)?;
    let mut found = Vec::new();
    for shape in shapes.values().filter(|shape| is_content(&shape.table) && is_ours(&catalog, &shape.table)) {
        let mut content = Content::begin(shape);
        bulk::walk(conn, shape, |row| {
            content.add(|place| row.get(place));
            Ok(())
        })?;
        found.push(content.end(shape));
    }
    Ok(found)
}

/// Whether a copy holds what is in a table.
fn is_content(table: &str) -> bool {
    table != STEPS && !OF_NODES.contains(&table)
}

/// Whether a table is one of an appliance: on the server engine others may have their own beside it.
fn is_ours(catalog: &Catalog, table: &str) -> bool {
    let linked = |object: &Arc<ObjectDef>| object.links.iter().any(|link| object.link_table(link) == table);
    table.starts_with(SYSTEM) || catalog.object(table).is_some() || catalog.objects().any(linked)
}

impl crate::Store {
    /// What every table of a database holds, as hashes that do not depend on the engine; without who serves it just now.
    /// Writes nothing; reads everything.
    ///
    /// # Errors
    /// When the database cannot be read, or is not one of this version.
    pub fn content_of(engine: &EngineConfig) -> Result<Vec<TableContent>, StoreError> {
        let mut conn = Conn::open(engine, Access::Look)?;
        migrate::check_known(&mut conn)?;
        dialect::begin_snapshot(&mut conn)?;
        let found = contents(&mut conn);
        conn.batch("ROLLBACK")?;
        found
    }

    /// Carries a database that no server has open into an empty one of the server engine: all of it or nothing. Before the
    /// end every table is read back, and its hash compared. `place` is the folder of the appliance that will use it: until
    /// [`Self::carried_in_place`] the database says so, and a run for the same folder takes what an interrupted one left
    /// there, if it holds the very same.
    ///
    /// # Errors
    /// `parameter_invalid` when there is anything else in it already, which then stays as it is.
    pub fn carry_into(
        from: &EngineConfig,
        to: &EngineConfig,
        place: &Path,
        now: Timestamp,
    ) -> Result<(DatabaseFacts, Vec<TableContent>), StoreError> {
        let mut from = Conn::open(from, Access::Look)?;
        let mut to = Conn::open(to, Access::Write)?;
        dialect::begin_snapshot(&mut from)?;
        dialect::begin_group(&mut to)?;
        let carried = carry_checked(&mut from, &mut to, (&waits_for(place), now));
        from.batch("ROLLBACK")?;
        to.batch(if carried.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        carried
    }

    /// The folder that a database was carried for is in its place: from here on nothing is carried into it any more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn carried_in_place(engine: &EngineConfig) -> Result<(), StoreError> {
        dialect::note_carried(&mut Conn::open(engine, Access::Write)?, None)
    }
}

/// What a database says of itself while the folder it was carried for is not in its place.
fn waits_for(place: &Path) -> String {
    let place = digest::digest(&digest::SHA256, place.as_os_str().as_encoded_bytes());
    format!("kontor: carried for {}", hexadecimal(place.as_ref()))
}

fn altered(told: String) -> StoreError {
    Fault::new(Code::Internal, told).into()
}

fn carry_checked(
    from: &mut Conn,
    to: &mut Conn,
    (note, now): (&str, Timestamp),
) -> Result<(DatabaseFacts, Vec<TableContent>), StoreError> {
    if bulk::relations(to)? > 0 {
        if dialect::noted_carried(to)?.as_deref() == Some(note)
            && let Some(there) = left_whole(from, to)?
        {
            return Ok((database_facts(to)?, there));
        }
        let told = "That database is not empty: an appliance is never restored over anything. Name a new one \
                    (createdb), or drop what is in it yourself if nobody needs it.";
        return Err(Fault::new(Code::ParameterInvalid, told).into());
    }
    let carried = carry_compared(from, to, now)?;
    dialect::note_carried(to, Some(note))?;
    Ok(carried)
}

/// Carries everything, reads it back and compares.
pub(crate) fn carry_compared(
    from: &mut Conn,
    to: &mut Conn,
    now: Timestamp,
) -> Result<(DatabaseFacts, Vec<TableContent>), StoreError> {
    let carried = carry(from, to, now, &|| true)?;
    let (mut then, facts) = (database_facts(from)?, database_facts(to)?);
    // What only a later version added stays behind: this one passes it by.
    then.schema = then.schema.min(migrate::last_known());
    let there = contents(to)?;
    let differs = |one: &&TableContent| !there.contains(one);
    if let Some(table) = carried.iter().find(differs) {
        return Err(altered(format!("The table {} did not arrive as it was; nothing was kept.", table.table)));
    }
    if then != facts || carried.len() != there.len() {
        return Err(altered("The counts of the two databases differ; nothing was kept.".to_owned()));
    }
    Ok((facts, there))
}

/// What an interrupted run left, if it is what this one would carry. Nobody has served it since: a start writes an entry.
fn left_whole(from: &mut Conn, to: &mut Conn) -> Result<Option<Vec<TableContent>>, StoreError> {
    migrate::check_known(from)?;
    migrate::check_known(to)?;
    let (mut here, there) = (contents(from)?, contents(to)?);
    // What only a later version added was not carried.
    here.retain(|one| there.iter().any(|content| content.table == one.table));
    Ok(if here == there { Some(there) } else { None })
}
