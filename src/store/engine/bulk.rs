//! Whole tables on their way from one engine to the other: how each engine tells which tables it has, hands out their rows in
//! order without holding them all, and takes many rows at once. It does not know what a table means.

use super::dialect::{self, Indexing};
use super::{Cell, Conn, Row, Sql};
use crate::StoreError;
use metadata::ColumnType;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Rows that are read, or written, in one go.
const ROWS_MAX: usize = 1_000;
/// Bytes of text that one statement brings, at most by one row more.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// A table as it lies: its columns in the order they were made, and those of its key in the order of the key.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) table: String,
    pub(crate) columns: Vec<(String, ColumnType)>,
    pub(crate) key: Vec<String>,
}

impl Shape {
    /// The place of a column.
    pub(crate) fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|(name, _)| name == column)
    }
    /// The types of the columns.
    pub(crate) fn types(&self) -> Vec<ColumnType> {
        self.columns.iter().map(|(_, kind)| *kind).collect()
    }
    /// The names of the columns, sorted: what two engines have in common.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }
}

/// The tables of a database; not what belongs to the full-text index.
pub(crate) fn shapes(conn: &mut Conn) -> Result<BTreeMap<String, Shape>, StoreError> {
    let (text, integer) = (ColumnType::Text, ColumnType::Integer);
    let sql = Sql::new(if conn.is_sqlite() {
        "SELECT l.\"name\", c.\"name\", c.\"type\", c.\"pk\" FROM pragma_table_list l JOIN pragma_table_info(l.\"name\") c \
         WHERE l.\"schema\" = 'main' AND l.\"type\" = 'table' AND l.\"name\" NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         ORDER BY l.\"name\", c.\"cid\""
    } else {
        // An int2vector counts from 0, so the first column of a key has the place 1.
        "SELECT CAST(c.relname AS text), CAST(a.attname AS text), CAST(t.typname AS text), \
         CAST(coalesce(array_position(CAST(i.indkey AS int2[]), a.attnum) + 1, 0) AS bigint) \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary \
         WHERE c.relkind IN ('r', 'p') AND n.nspname = current_schema() ORDER BY c.relname, a.attnum"
    });
    let mut found: BTreeMap<String, Shape> = BTreeMap::new();
    let mut keys: BTreeMap<String, Vec<(i64, String)>> = BTreeMap::new();
    for row in conn.rows(&sql, &[text, text, text, integer])? {
        let word = |at| row.text(at).unwrap_or_default();
        let (table, column) = (word(0), word(1));
        let kind = match word(2).as_str() {
            "INTEGER" | "BIGINT" | "int8" => ColumnType::Integer,
            "TEXT" | "text" => ColumnType::Text,
            "BLOB" | "bytea" => ColumnType::Binary,
            "bool" => ColumnType::Bool,
            // The full-text index of the server engine; it is made anew from the row.
            "tsvector" => continue,
            other => {
                let told = format!("{table}.{column} is of the type {other}, which no table of an appliance has.");
                return Err(StoreError::SchemaUnknown(told));
            }
        };
        if let Some(place) = row.int(3).filter(|place| *place > 0) {
            keys.entry(table.clone()).or_default().push((place, column.clone()));
        }
        let shape = || Shape { table: table.clone(), columns: Vec::new(), key: Vec::new() };
        found.entry(table.clone()).or_insert_with(shape).columns.push((column, kind));
    }
    for (table, mut key) in keys {
        key.sort();
        if let Some(shape) = found.get_mut(&table) {
            shape.key = key.into_iter().map(|(_, column)| column).collect();
        }
    }
    Ok(found)
}

/// The names of all tables, whoever made them.
pub(crate) fn tables(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    let sql = Sql::new(if conn.is_sqlite() {
        "SELECT \"name\" FROM sqlite_master WHERE \"type\" = 'table'"
    } else {
        "SELECT CAST(c.relname AS text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p') AND n.nspname = current_schema()"
    });
    Ok(conn.rows(&sql, &[ColumnType::Text])?.iter().filter_map(|row| row.text(0)).collect())
}

/// The names of the tables that this account may take away: those it has made, or whose owner it may act as.
pub(crate) fn own_tables(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    let sql = Sql::new(
        "SELECT CAST(c.relname AS text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p') AND n.nspname = current_schema() AND pg_has_role(c.relowner, 'USAGE')",
    );
    Ok(conn.rows(&sql, &[ColumnType::Text])?.iter().filter_map(|row| row.text(0)).collect())
}

/// How many tables and views somebody has made in a database.
pub(crate) fn relations(conn: &mut Conn) -> Result<i64, StoreError> {
    let sql = Sql::new(if conn.is_sqlite() {
        "SELECT count(*) FROM sqlite_master"
    } else {
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname = current_schema()"
    });
    Ok(conn.first(&sql, &[ColumnType::Integer])?.and_then(|row| row.int(0)).unwrap_or(0))
}

/// Hands out every row of a table in the order of its key. Inside a transaction; few rows are in memory at a time.
pub(crate) fn walk(
    conn: &mut Conn,
    shape: &Shape,
    mut each: impl FnMut(Row) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let list = |names: &mut dyn Iterator<Item = &String>| names.map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let columns = list(&mut shape.columns.iter().map(|(name, _)| name));
    let order = if shape.key.is_empty() { columns.clone() } else { list(&mut shape.key.iter()) };
    let query = format!("SELECT {columns} FROM {} ORDER BY {order}", quoted(&shape.table));
    let types = shape.types();
    if conn.is_sqlite() {
        let mut sql = Sql::default();
        sql.shared(&query.into());
        return conn.each(&sql, &types, each);
    }
    // A name of its own for each table: the statement that fetches stays prepared, and its columns differ.
    let cursor = format!("walk_{}", shape.table);
    conn.batch(&format!("DECLARE {} NO SCROLL CURSOR FOR {query}", quoted(&cursor)))?;
    let mut fetch = Sql::new("FETCH FORWARD ");
    fetch.number(ROWS_MAX).push(" FROM ").ident(&cursor);
    loop {
        let rows = conn.rows(&fetch, &types)?;
        let last = rows.len() < ROWS_MAX;
        rows.into_iter().try_for_each(&mut each)?;
        if last {
            return conn.batch(&format!("CLOSE {}", quoted(&cursor)));
        }
    }
}

/// Rows on their way into one table. The embedded engine takes them one by one; the server engine takes many at once, each
/// column as one array.
pub(crate) struct Filler {
    shape: Shape,
    /// The search table, of a record table, and the place of the row number.
    search: Option<(String, usize)>,
    waiting: usize,
    /// The columns as they wait, then the search tokens.
    texts: Vec<String>,
}

impl Filler {
    /// Into a table of this shape. `search` names the search table of a record table.
    pub(crate) fn begin(shape: Shape, search: Option<String>) -> Self {
        let search = search.zip(shape.place("rid"));
        let texts = vec![String::new(); shape.columns.len() + 1];
        Self { shape, search, waiting: 0, texts }
    }

    /// Adds a row, with its search tokens if it has any.
    pub(crate) fn add(&mut self, conn: &mut Conn, row: Row, tokens: Option<String>) -> Result<(), StoreError> {
        if conn.is_sqlite() {
            let rid = self.search.as_ref().and_then(|(_, place)| row.int(*place));
            let mut sql = Sql::new("INSERT INTO ");
            sql.ident(&self.shape.table).push(" (");
            sql.idents(self.shape.columns.iter().map(|(name, _)| name.as_str())).push(") VALUES (");
            sql.binds(row.into_cells()).push(")");
            conn.execute(&sql)?;
            let (Some((search_table, _)), Some(rid), Some(tokens)) = (&self.search, rid, tokens) else { return Ok(()) };
            let (table, search_table) = (self.shape.table.clone(), search_table.clone());
            return dialect::index_tokens(conn, Indexing { table, search_table, rid, tokens, fresh: true });
        }
        let tokens = Cell::opt_text(tokens);
        for (text, cell) in self.texts.iter_mut().zip(row.into_cells().iter().chain([&tokens])) {
            text.push(if text.is_empty() { '{' } else { ',' });
            push_element(text, cell);
        }
        self.waiting += 1;
        let bytes: usize = self.texts.iter().map(String::len).sum();
        if self.waiting >= ROWS_MAX || bytes >= BYTES_MAX { self.send(conn) } else { Ok(()) }
    }

    /// Sends what still waits.
    pub(crate) fn end(mut self, conn: &mut Conn) -> Result<(), StoreError> {
        if self.waiting > 0 { self.send(conn) } else { Ok(()) }
    }

    fn send(&mut self, conn: &mut Conn) -> Result<(), StoreError> {
        self.waiting = 0;
        let mut texts: Vec<String> = self.texts.iter_mut().map(std::mem::take).collect();
        texts.iter_mut().for_each(|text| text.push('}'));
        let tokens = texts.pop().filter(|_| self.search.is_some());
        let places: Vec<String> = (0..texts.len()).map(|place| format!("c{place}")).collect();
        let mut sql = Sql::new("INSERT INTO ");
        sql.ident(&self.shape.table).push(" (");
        sql.idents(self.shape.columns.iter().map(|(name, _)| name.as_str()));
        sql.push(if tokens.is_some() { ", \"search_tokens\")" } else { ")" });
        sql.push(" OVERRIDING SYSTEM VALUE SELECT ").idents(places.iter().map(String::as_str));
        if tokens.is_some() {
            sql.push(", array_to_tsvector(string_to_array(u.\"tokens\", ' '))");
        }
        sql.push(" FROM unnest(");
        for (at, (text, (_, kind))) in texts.into_iter().zip(&self.shape.columns).enumerate() {
            sql.push(if at > 0 { ", CAST(CAST(" } else { "CAST(CAST(" }).bind(Cell::Text(text));
            sql.push(match kind {
                ColumnType::Text => " AS text) AS text[])",
                ColumnType::Integer => " AS text) AS bigint[])",
                ColumnType::Binary => " AS text) AS bytea[])",
                ColumnType::Bool => " AS text) AS boolean[])",
            });
        }
        let named = tokens.is_some();
        if let Some(tokens) = tokens {
            sql.push(", CAST(CAST(").bind(Cell::Text(tokens)).push(" AS text) AS text[])");
        }
        sql.push(") AS u (").idents(places.iter().map(String::as_str));
        sql.push(if named { ", \"tokens\")" } else { ")" });
        conn.execute(&sql).map(|_| ())
    }
}

/// One element of an array in the words of the server engine.
fn push_element(text: &mut String, cell: &Cell) {
    match cell {
        Cell::Null(_) => text.push_str("NULL"),
        Cell::Int(number) => {
            // Writing into a text cannot fail.
            let _ = write!(text, "{number}");
        }
        Cell::Bool(flag) => text.push(if *flag { 't' } else { 'f' }),
        Cell::Text(plain) => {
            text.push('"');
            for char in plain.chars() {
                if matches!(char, '"' | '\\') {
                    text.push('\\');
                }
                text.push(char);
            }
            text.push('"');
        }
        Cell::Bin(bytes) => {
            text.push_str("\"\\\\x");
            for byte in bytes {
                for half in [byte >> 4, byte & 15] {
                    text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
                }
            }
            text.push('"');
        }
    }
}

/// The next row of a record table gets the number after the highest.
pub(crate) fn number_on(conn: &mut Conn, table: &str) -> Result<(), StoreError> {
    if conn.is_sqlite() {
        return Ok(());
    }
    let mut sql = Sql::new("SELECT setval(pg_get_serial_sequence(quote_ident(");
    sql.bind(table).push("), 'rid'), max(\"rid\")) FROM ").ident(table);
    conn.rows(&sql, &[ColumnType::Integer]).map(|_| ())
}
