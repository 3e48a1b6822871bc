//! Everything that differs between the engines, and nothing else: type names, full text, the start of a write group,
//! upsert. The rest of the store must not ask which engine it is on.

use super::later::Savepoint;
use super::{Cell, Conn, Insert, Sql};
use crate::{Bucket, StoreError};
use metadata::{ColumnType, ObjectDef};

/// The advisory lock that orders writers of one PostgreSQL database ("kontor" in ASCII).
const WRITER_LOCK: i64 = 0x6b6f_6e74_6f72;
/// Hits of a search that the server engine reads whole and sorts: a few milliseconds.
const FEW_HITS: usize = 2_000;
/// How many of the newest rows it looks through for a word that more have.
const NEWEST_ROWS: usize = 20_000;

/// Whether several processes may serve from such a database at once.
pub(crate) fn is_shared(conn: &Conn) -> bool {
    !conn.is_sqlite()
}

/// The time of the database, in microseconds since the epoch: the one clock that all nodes have.
pub(crate) fn push_now(conn: &Conn, sql: &mut Sql) {
    sql.push(if conn.is_sqlite() {
        "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
    } else {
        "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
    });
}

/// Begins the transaction of a write group: from here on no other process writes.
pub(crate) fn begin_group(conn: &mut Conn) -> Result<(), StoreError> {
    if conn.is_sqlite() {
        return conn.batch("BEGIN IMMEDIATE");
    }
    // With the savepoint of the first unit: one round trip for all three.
    let begun = conn.batch(&format!("BEGIN; SELECT pg_advisory_xact_lock({WRITER_LOCK}); SAVEPOINT unit"));
    if begun.is_err() {
        let _ = conn.batch("ROLLBACK");
    }
    conn.set_savepoint(Savepoint::Fresh);
    begun
}

/// Sets the savepoint of a unit of work.
pub(crate) fn begin_unit(conn: &mut Conn) -> Result<(), StoreError> {
    let savepoint = conn.set_savepoint(Savepoint::None);
    match savepoint {
        Savepoint::Fresh => Ok(()),
        Savepoint::Done => conn.batch("RELEASE SAVEPOINT unit; SAVEPOINT unit"),
        Savepoint::None => conn.batch("SAVEPOINT unit"),
    }
}

/// Ends a unit of work that went well; what still waits of it is sent.
pub(crate) fn end_unit(conn: &mut Conn) -> Result<(), StoreError> {
    if conn.is_sqlite() {
        return conn.batch("RELEASE SAVEPOINT unit");
    }
    conn.flush()?;
    conn.set_savepoint(Savepoint::Done);
    Ok(())
}

/// Notes in a database of the server engine that it was carried there for somebody who has not come yet; nothing takes the
/// note away. A file goes with its folder and needs none.
pub(crate) fn note_carried(conn: &mut Conn, note: Option<&str>) -> Result<(), StoreError> {
    if conn.is_sqlite() {
        return Ok(());
    }
    let note = note.map_or_else(|| "NULL".to_owned(), |note| format!("'{}'", note.replace('\'', "''")));
    conn.batch(&format!("COMMENT ON TABLE \"k_migration\" IS {note}"))
}

/// That note.
pub(crate) fn noted_carried(conn: &mut Conn) -> Result<Option<String>, StoreError> {
    if conn.is_sqlite() {
        return Ok(None);
    }
    let sql = Sql::new("SELECT obj_description(to_regclass('k_migration'), 'pg_class')");
    Ok(conn.first(&sql, &[ColumnType::Text])?.and_then(|row| row.text(0)))
}

/// The engine's name of a column type.
pub(crate) fn type_name(conn: &Conn, column_type: ColumnType) -> &'static str {
    match (conn.is_sqlite(), column_type) {
        (true, ColumnType::Text) => "TEXT",
        // "C": compared by code point, as SQLite does, so both engines sort and page alike.
        (false, ColumnType::Text) => "TEXT COLLATE \"C\"",
        (true, ColumnType::Integer | ColumnType::Bool) => "INTEGER",
        (false, ColumnType::Integer) => "BIGINT",
        (false, ColumnType::Bool) => "BOOLEAN",
        (true, ColumnType::Binary) => "BLOB",
        (false, ColumnType::Binary) => "BYTEA",
    }
}

/// The declaration of the row number, the key that full text and paging use inside the engine.
pub(crate) fn row_number(conn: &Conn) -> &'static str {
    if conn.is_sqlite() {
        "\"rid\" INTEGER PRIMARY KEY"
    } else {
        "\"rid\" BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
    }
}

/// What closes a table declaration.
pub(crate) fn table_end(conn: &Conn) -> &'static str {
    if conn.is_sqlite() { ") STRICT" } else { ")" }
}

/// The order of an index column: nulls first on both engines.
pub(crate) fn index_order(conn: &Conn) -> &'static str {
    if conn.is_sqlite() { "" } else { " ASC NULLS FIRST" }
}

/// Statements that make an object's full-text index.
pub(crate) fn create_search(conn: &Conn, table: &str, search_table: &str) -> Vec<String> {
    if conn.is_sqlite() {
        vec![format!(
            "CREATE VIRTUAL TABLE \"{search_table}\" USING fts5(tokens, content='', contentless_delete=1, detail=none, tokenize='ascii')"
        )]
    } else {
        vec![
            format!("ALTER TABLE \"{table}\" ADD COLUMN \"search_tokens\" tsvector"),
            format!("CREATE INDEX \"{search_table}\" ON \"{table}\" USING gin (\"search_tokens\")"),
        ]
    }
}

/// A record's tokens on their way into the full-text index.
pub(crate) struct Indexing {
    /// The record's table and its search table.
    pub(crate) table: String,
    pub(crate) search_table: String,
    /// The row's number.
    pub(crate) rid: i64,
    /// The tokens with spaces between; empty takes the row out.
    pub(crate) tokens: String,
    /// The row had none before.
    pub(crate) fresh: bool,
}

/// The tokens of a new record.
pub(crate) fn fresh(object: &ObjectDef, rid: i64, tokens: String) -> Indexing {
    Indexing { table: object.name.clone(), search_table: object.search_table(), rid, tokens, fresh: true }
}

/// Puts a record's tokens into the index.
pub(crate) fn index_tokens(conn: &mut Conn, indexing: Indexing) -> Result<(), StoreError> {
    let Indexing { table, search_table, rid, tokens: text, fresh } = indexing;
    if !conn.is_sqlite() {
        let mut sql = Sql::new("UPDATE ");
        sql.ident(&table).push(" SET \"search_tokens\" = array_to_tsvector(string_to_array(");
        sql.bind(Cell::Text(text)).push(", ' ')) WHERE \"rid\" = ").bind(rid);
        return conn.execute(&sql).map(|_| ());
    }
    if !fresh {
        let mut sql = Sql::new("DELETE FROM ");
        sql.ident(&search_table).push(" WHERE rowid = ").bind(rid);
        conn.execute(&sql)?;
    }
    if text.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("INSERT INTO ");
    sql.ident(&search_table).push(" (rowid, tokens) VALUES (").bind(rid).push(", ").bind(Cell::Text(text)).push(")");
    conn.execute(&sql).map(|_| ())
}

/// A search: every group must match, a group matches when one of its tokens does; `true` marks a prefix.
pub(crate) type TokenGroups = Vec<Vec<(String, bool)>>;

/// The engine's own search expression.
fn expression(sqlite: bool, groups: &TokenGroups) -> String {
    let group = |tokens: &Vec<(String, bool)>| {
        let one = |(token, prefix): &(String, bool)| match (sqlite, prefix) {
            (true, false) => format!("\"{token}\""),
            (true, true) => format!("\"{token}\"*"),
            (false, false) => format!("'{token}'"),
            (false, true) => format!("'{token}':*"),
        };
        let joined = tokens.iter().map(one).collect::<Vec<_>>().join(if sqlite { " OR " } else { " | " });
        format!("({joined})")
    };
    groups.iter().map(group).collect::<Vec<_>>().join(if sqlite { " AND " } else { " & " })
}

/// The condition "this row matches", for a query whose record table is called `t`. The server engine finds the rows first
/// whatever the order of the list is: it cannot tell how many a bound expression finds, and would walk the order past
/// everything else.
pub(crate) fn matches(conn: &Conn, table: &str, search_table: &str, groups: &TokenGroups) -> Sql {
    if !conn.is_sqlite() {
        return among_matches(table, groups);
    }
    let mut sql = Sql::new("t.\"rid\" IN (SELECT rowid FROM ");
    sql.ident(search_table).push(" WHERE ").ident(search_table);
    sql.push(" MATCH ").bind(Cell::Text(expression(true, groups))).push(")");
    sql
}

/// The condition that a row is among those that match, found before anything else is looked at.
fn among_matches(table: &str, groups: &TokenGroups) -> Sql {
    let mut sql = Sql::new("t.\"rid\" = ANY(ARRAY(SELECT t.\"rid\" FROM ");
    sql.ident(table).push(" t WHERE ").append(row_matches(groups)).push("))");
    sql
}

/// The server engine's own condition on one row.
fn row_matches(groups: &TokenGroups) -> Sql {
    let mut sql = Sql::new("t.\"search_tokens\" @@ CAST(");
    sql.bind(Cell::Text(expression(false, groups))).push(" AS text)::tsquery");
    sql
}

/// One way to find the newest rows that match. Each gives columns of `t` and a number, how many hits it saw.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SearchStep {
    /// The embedded engine walks its index backwards and stops early.
    Walk,
    /// All hits, if they are few, without an order that the engine could walk instead.
    Few,
    /// Where hits are many, some are among the newest rows.
    Newest,
    /// Hits are many, and all of them are old.
    All,
}

impl SearchStep {
    /// The steps of this engine, in order.
    pub(crate) fn of(conn: &Conn) -> &'static [Self] {
        if conn.is_sqlite() { &[Self::Walk] } else { &[Self::Few, Self::Newest, Self::All] }
    }

    /// Whether the answer is whole with this step.
    pub(crate) fn is_enough(self, found: usize, limit: usize, seen: i64) -> bool {
        match self {
            Self::Walk | Self::All => true,
            Self::Few => usize::try_from(seen).is_ok_and(|seen| seen < FEW_HITS),
            Self::Newest => found == limit,
        }
    }

    /// The query of this step; `columns` and `reach` write the columns and the conditions of the scope, of table `t`.
    pub(crate) fn query(
        self,
        (table, search_table): (&str, &str),
        groups: &TokenGroups,
        limit: usize,
        (columns, reach): (impl Fn(&mut Sql), impl Fn(&mut Sql)),
    ) -> Sql {
        let mut sql = Sql::new("SELECT ");
        columns(&mut sql);
        sql.push(if self == Self::Few { ", h.\"seen\" FROM " } else { ", CAST(0 AS BIGINT) FROM " });
        match self {
            Self::Walk => {
                sql.ident(search_table).push(" s CROSS JOIN ").ident(table).push(" t ON t.\"rid\" = s.rowid WHERE s.");
                sql.ident(search_table).push(" MATCH ").bind(Cell::Text(expression(true, groups)));
            }
            Self::Few => {
                sql.push("(SELECT c.\"hit\", count(*) OVER () AS \"seen\" FROM (SELECT t.\"rid\" AS \"hit\" FROM ");
                sql.ident(table).push(" t WHERE ").append(row_matches(groups));
            }
            Self::Newest => {
                sql.ident(table).push(" t WHERE t.\"rid\" > (SELECT max(\"rid\") FROM ").ident(table);
                sql.push(") - ").number(NEWEST_ROWS).push(" AND ").append(row_matches(groups));
            }
            Self::All => {
                sql.ident(table).push(" t WHERE ").append(among_matches(table, groups));
            }
        }
        sql.push(" AND t.\"deleted_at\" IS NULL");
        reach(&mut sql);
        if self == Self::Few {
            sql.push(" LIMIT ").number(FEW_HITS).push(") c ORDER BY c.\"hit\" DESC LIMIT ").number(limit);
            sql.push(") h JOIN ").ident(table).push(" t ON t.\"rid\" = h.\"hit\" ORDER BY t.\"rid\" DESC");
        } else {
            sql.push(if self == Self::Walk {
                " ORDER BY s.rowid DESC LIMIT "
            } else {
                " ORDER BY t.\"rid\" DESC LIMIT "
            });
            sql.number(limit);
        }
        sql.varied();
        sql
    }
}

/// ` AND` the bytes of a column hold these bytes somewhere.
pub(crate) fn push_holds(conn: &Conn, sql: &mut Sql, column: &'static str, bytes: &[u8]) {
    if conn.is_sqlite() {
        sql.push(" AND instr(").ident(column).push(", ").bind(bytes).push(") > 0");
    } else {
        sql.push(" AND position(").bind(bytes).push(" IN ").ident(column).push(") > 0");
    }
}

/// The smallest id of a group, in hexadecimal: PostgreSQL takes no minimum of bytes.
pub(crate) fn push_first_id(conn: &Conn, sql: &mut Sql) {
    sql.push(if conn.is_sqlite() { "hex(min(t.\"id\"))" } else { "min(encode(t.\"id\", 'hex'))" });
}

/// The first day of the bucket that a date, or an instant in microseconds, lies in, as `2026-01-31`.
pub(crate) fn push_bucket(conn: &Conn, sql: &mut Sql, column: &str, instant: bool, bucket: Bucket) {
    if conn.is_sqlite() {
        let base = |sql: &mut Sql| {
            sql.push("t.").ident(column).push(if instant { " / 1000000, 'unixepoch'" } else { "" });
        };
        sql.push("date(");
        base(sql);
        if bucket == Bucket::Quarter {
            sql.push(", 'start of month', '-' || ((CAST(strftime('%m', ");
            base(sql);
        }
        sql.push(match bucket {
            Bucket::Year => ", 'start of year')",
            Bucket::Quarter => ") AS INTEGER) - 1) % 3) || ' months')",
            Bucket::Month => ", 'start of month')",
            Bucket::Week => ", 'weekday 0', '-6 days')",
            Bucket::Day => ")",
        });
        return;
    }
    sql.push("to_char(date_trunc('").push(match bucket {
        Bucket::Year => "year",
        Bucket::Quarter => "quarter",
        Bucket::Month => "month",
        Bucket::Week => "week",
        Bucket::Day => "day",
    });
    if instant {
        sql.push("', to_timestamp(t.").ident(column).push(" / 1000000) AT TIME ZONE 'UTC'), 'YYYY-MM-DD')");
    } else {
        sql.push("', CAST(CAST(t.").ident(column).push(" AS date) AS timestamp)), 'YYYY-MM-DD')");
    }
}

/// Begins one of the walks that a list of the newest is merged from.
pub(crate) fn push_arm_begin(conn: &Conn, sql: &mut Sql) {
    sql.push(if conn.is_sqlite() { "" } else { "(" });
}

/// Ends it. The server engine walks and merges only what is itself in the list's order and bounded; the embedded one has no
/// words for that and needs none.
pub(crate) fn push_arm_end(conn: &Conn, sql: &mut Sql, limit: usize) {
    if !conn.is_sqlite() {
        sql.push(" ORDER BY t.\"created_at\" DESC NULLS LAST, t.\"id\" DESC NULLS LAST LIMIT ").number(limit).push(")");
    }
}

/// Begins a read transaction whose statements all see the same moment.
pub(crate) fn begin_snapshot(conn: &mut Conn) -> Result<(), StoreError> {
    conn.batch(if conn.is_sqlite() { "BEGIN" } else { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" })
}

/// Inserts a record. The embedded engine tells its row number, apart from the statement (`RETURNING` there costs a
/// statement journal per row), and takes its tokens afterwards; the server engine takes them in the row, which may wait.
pub(crate) fn insert_row(conn: &mut Conn, insert: Insert<'_>) -> Result<Option<i64>, StoreError> {
    if !conn.is_sqlite() {
        return conn.insert(insert).map(|()| None);
    }
    conn.insert(insert)?;
    let rid = conn.first(&Sql::new("SELECT last_insert_rowid()"), &[ColumnType::Integer])?.and_then(|row| row.int(0));
    rid.map(Some).ok_or_else(|| StoreError::damaged("an insert returned no row number"))
}

/// Begins an insert that replaces nothing: the row stays as it was when its key is there already.
pub(crate) fn insert_or_ignore(conn: &Conn) -> (&'static str, &'static str) {
    if conn.is_sqlite() { ("INSERT OR IGNORE INTO ", "") } else { ("INSERT INTO ", " ON CONFLICT DO NOTHING") }
}

/// Counts what lies in a table for the engine that plans by it, after many rows came at once.
pub(crate) fn gather_statistics(conn: &mut Conn, table: &str) -> Result<(), StoreError> {
    if conn.is_sqlite() {
        return Ok(());
    }
    conn.batch(&format!("ANALYZE \"{}\"", table.replace('"', "\"\"")))
}
