//! Everything that differs between the engines, and nothing else: type names, full text, the start of a write group,
//! upsert. The rest of the store must not ask which engine it is on.

use super::{Cell, Conn, Sql};
use crate::{Bucket, StoreError};
use metadata::ColumnType;

/// The advisory lock that orders writers of one PostgreSQL database ("kontor" in ASCII).
const WRITER_LOCK: i64 = 0x6b6f_6e74_6f72;

/// Begins the transaction of a write group: from here on no other process writes.
pub(crate) fn begin_group(conn: &mut Conn) -> Result<(), StoreError> {
    if conn.is_sqlite() {
        conn.batch("BEGIN IMMEDIATE")
    } else {
        conn.batch("BEGIN")?;
        let locked = conn.batch(&format!("SELECT pg_advisory_xact_lock({WRITER_LOCK})"));
        if locked.is_err() {
            let _ = conn.batch("ROLLBACK");
        }
        locked
    }
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

/// The condition "this row matches", for a query whose record table is called `t`.
pub(crate) fn matches(conn: &Conn, search_table: &str, groups: &TokenGroups) -> Sql {
    let expression = Cell::Text(expression(conn.is_sqlite(), groups));
    let mut sql = Sql::default();
    if conn.is_sqlite() {
        sql.push("t.\"rid\" IN (SELECT rowid FROM ").ident(search_table).push(" WHERE ").ident(search_table);
        sql.push(" MATCH ").bind(expression).push(")");
    } else {
        sql.push("t.\"search_tokens\" @@ CAST(").bind(expression).push(" AS text)::tsquery");
    }
    sql
}

/// ` FROM … WHERE` the row matches, for a query that only wants the newest hits: the embedded engine then walks the index
/// backwards and stops early.
pub(crate) fn push_search(conn: &Conn, sql: &mut Sql, table: &str, search_table: &str, groups: &TokenGroups) {
    if conn.is_sqlite() {
        let expression = Cell::Text(expression(true, groups));
        sql.push(" FROM ")
            .ident(search_table)
            .push(" s CROSS JOIN ")
            .ident(table)
            .push(" t ON t.\"rid\" = s.rowid WHERE s.");
        sql.ident(search_table).push(" MATCH ").bind(expression);
    } else {
        sql.push(" FROM ").ident(table).push(" t WHERE ").append(matches(conn, search_table, groups));
    }
}

/// What "newest" means to [`push_search`].
pub(crate) fn search_order(conn: &Conn) -> &'static str {
    if conn.is_sqlite() { "s.rowid" } else { "t.\"rid\"" }
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

/// Begins a read transaction whose statements all see the same moment.
pub(crate) fn begin_snapshot(conn: &mut Conn) -> Result<(), StoreError> {
    conn.batch(if conn.is_sqlite() { "BEGIN" } else { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" })
}

/// Runs an insert and returns the new row's number. The embedded engine tells it apart from the statement: `RETURNING`
/// there costs a statement journal per row.
pub(crate) fn insert_row(conn: &mut Conn, mut insert: Sql) -> Result<Option<i64>, StoreError> {
    let types = [ColumnType::Integer];
    if conn.is_sqlite() {
        conn.execute(&insert)?;
        return Ok(conn.first(&Sql::new("SELECT last_insert_rowid()"), &types)?.and_then(|row| row.int(0)));
    }
    insert.push(" RETURNING \"rid\"");
    Ok(conn.first(&insert, &types)?.and_then(|row| row.int(0)))
}

/// Begins an insert that replaces nothing: the row stays as it was when its key is there already.
pub(crate) fn insert_or_ignore(conn: &Conn) -> (&'static str, &'static str) {
    if conn.is_sqlite() { ("INSERT OR IGNORE INTO ", "") } else { ("INSERT INTO ", " ON CONFLICT DO NOTHING") }
}
