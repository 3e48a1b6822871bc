//! The bare engine beside: the same queries on plain connections, the same rows into a copy of the table with the same
//! indexes. No permission, no log, no HTTP: what the engine itself can do on this machine.

use crate::Outcome;
use crate::data::Numbers;
use crate::load::Figure;
use crate::verbs::{Values, searchable};
use kernel::Clock;
use metadata::{ColumnType, FieldDef, ObjectDef, encode_token, index_tokens};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::EngineConfig;
use store::bare::{Bare, Statement, Value};

/// Rows of one transaction, as an import has them.
const ROWS_PER_COMMIT: usize = 500;
/// Rows of one statement.
const ROWS_PER_STATEMENT: usize = 20;
/// The engine's own checkpoint, in pages: 16 MiB, as the store's checkpointer.
const CHECKPOINT: &str = "PRAGMA wal_autocheckpoint = 4096";

/// Runs a query from so many threads for a fixed time.
pub(crate) fn queries(
    config: &EngineConfig,
    threads: usize,
    seconds: u64,
    clock: &Arc<dyn Clock>,
    (statement, values): (&Statement, &Values),
) -> Outcome<Figure> {
    let counted = clock.monotonic() + Duration::from_millis(1_500);
    let end = counted + Duration::from_secs(seconds);
    let one = |seed: u64| -> Result<Vec<u64>, String> {
        let mut bare = Bare::open_reader(config).map_err(|error| error.to_string())?;
        let mut numbers = Numbers::new(seed);
        let mut micros = Vec::new();
        loop {
            let values = values(&mut numbers);
            let began = clock.monotonic();
            if began >= end {
                return Ok(micros);
            }
            bare.count(statement, &values).map_err(|error| error.to_string())?;
            let ended = clock.monotonic();
            if began >= counted && ended <= end {
                micros.push(u64::try_from((ended - began).as_micros()).unwrap_or(u64::MAX));
            }
        }
    };
    let micros = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..threads).map(|at| scope.spawn(move || one(u64::try_from(at).unwrap_or(0) + 77))).collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| "a thread of the bare engine ended".to_owned())??);
        }
        Ok::<_, String>(all)
    })?;
    #[expect(clippy::cast_precision_loss, reason = "seconds of a measurement")]
    Ok(Figure::of(micros, 0, seconds as f64))
}

/// What the bulk insert took.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Bulk {
    pub(crate) rows: u64,
    /// Table and its indexes.
    pub(crate) seconds_table: f64,
    /// The full-text index.
    pub(crate) seconds_search: f64,
}

impl Bulk {
    #[expect(clippy::cast_precision_loss, reason = "rows of a measurement")]
    pub(crate) fn per_second(&self) -> f64 {
        self.rows as f64 / (self.seconds_table + self.seconds_search).max(0.001)
    }
}

/// A copy of the table of contacts, with all its indexes and nothing else.
pub(crate) struct Copy {
    source: Bare,
    target: Bare,
    config: EngineConfig,
    contact: Arc<ObjectDef>,
    names: Vec<String>,
    types: Vec<ColumnType>,
    table: &'static str,
    sqlite: bool,
    last: i64,
}

type Row = Vec<Value>;

fn filled(value: &Value) -> bool {
    !matches!(value, Value::Null(_))
}

impl Copy {
    /// Makes the empty copy: on the embedded engine in a file of its own, on a server beside the original.
    pub(crate) fn make(appliance: &EngineConfig, scratch: &Path, contact: &Arc<ObjectDef>) -> Outcome<Self> {
        let mut source = Bare::open(appliance)?;
        let sqlite = matches!(appliance, EngineConfig::Sqlite { .. });
        let (config, table) = if sqlite {
            (EngineConfig::Sqlite { file: scratch.join("bare.db") }, "contact")
        } else {
            (appliance.clone(), "bare_contact")
        };
        let mut target = Bare::open(&config)?;
        if sqlite {
            let search = contact.search_table();
            let all = "SELECT \"sql\" FROM \"sqlite_master\" WHERE \"sql\" IS NOT NULL AND (\"tbl_name\" = 'contact' OR \"name\" = ?) ORDER BY rowid";
            for row in source.rows(all, vec![Value::Text(search)], &[ColumnType::Text])? {
                if let Some(Value::Text(text)) = row.first() {
                    target.batch(text)?;
                }
            }
            target.batch(CHECKPOINT)?;
        } else {
            target.batch("CREATE TABLE \"bare_contact\" (LIKE \"contact\" INCLUDING ALL)")?;
        }
        let fixed = [("rid", ColumnType::Integer), ("id", ColumnType::Binary), ("version", ColumnType::Integer)];
        let fields = contact.fields.iter().flat_map(FieldDef::columns).map(|column| (column.name, column.column_type));
        let (names, types) = fixed.into_iter().map(|(name, kind)| (name.to_owned(), kind)).chain(fields).unzip();
        Ok(Self { source, target, config, contact: Arc::clone(contact), names, types, table, sqlite, last: 0 })
    }

    fn read(&mut self, text: &'static str, from: i64) -> Outcome<Vec<Row>> {
        let limit = Value::Integer(i64::try_from(ROWS_PER_COMMIT)?);
        Ok(self.source.rows(text, vec![Value::Integer(from), limit], &self.types)?)
    }

    fn select(&self) -> &'static str {
        let names = self.names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        // One text per copy; it lives as long as the run.
        format!("SELECT {names} FROM \"contact\" WHERE \"rid\" > ? ORDER BY \"rid\" LIMIT ?").leak()
    }

    /// The columns that these rows fill. A server gives row numbers itself.
    fn columns(&self, rows: &[Row]) -> Vec<usize> {
        let used = |at: &usize| rows.iter().any(|row| row.get(*at).is_some_and(filled));
        (usize::from(!self.sqlite)..self.names.len()).filter(used).collect()
    }

    fn insert(&self, columns: &[usize], rows: usize) -> Statement {
        let names = columns
            .iter()
            .filter_map(|at| self.names.get(*at))
            .map(|name| format!("\"{name}\""))
            .collect::<Vec<_>>()
            .join(", ");
        let marks = vec!["?"; columns.len()].join(", ");
        let (more_names, more_marks) = if self.sqlite {
            ("", "")
        } else {
            (", \"search_tokens\"", ", array_to_tsvector(string_to_array(?, ' '))")
        };
        let row = format!("({marks}{more_marks})");
        Statement::new(&format!(
            "INSERT INTO \"{}\" ({names}{more_names}) VALUES {}",
            self.table,
            vec![row; rows].join(", ")
        ))
    }

    fn insert_search(&self, rows: usize) -> Statement {
        let table = self.contact.search_table();
        Statement::new(&format!("INSERT INTO \"{table}\" (rowid, tokens) VALUES {}", vec!["(?, ?)"; rows].join(", ")))
    }

    /// The search tokens of a row, as the store makes them.
    fn tokens(&self, row: &Row) -> String {
        let mut tokens: Vec<String> = Vec::new();
        for tag in searchable(&self.contact) {
            let at = self.names.iter().position(|name| name == tag);
            if let Some(Value::Text(text)) = at.and_then(|at| row.get(at)) {
                tokens.extend(index_tokens(text).iter().map(|token| encode_token(tag, token)));
            }
        }
        tokens.sort_unstable();
        tokens.dedup();
        tokens.join(" ")
    }

    /// Inserts the next rows of the original; only the inserting is timed.
    pub(crate) fn bulk(&mut self, rows: u64, clock: &dyn Clock) -> Outcome<Bulk> {
        let select = self.select();
        let mut bulk = Bulk::default();
        let (mut insert, mut columns) = (None, Vec::new());
        let insert_search = self.insert_search(ROWS_PER_STATEMENT);
        while bulk.rows < rows {
            let mut chunk = self.read(select, self.last)?;
            chunk.truncate(usize::try_from(rows - bulk.rows)?);
            let Some(Value::Integer(last)) = chunk.last().and_then(|row| row.first()) else { break };
            self.last = *last;
            if insert.is_none() {
                columns = self.columns(&chunk);
            }
            let insert = insert.get_or_insert_with(|| self.insert(&columns, ROWS_PER_STATEMENT));
            let tokens: Vec<String> = chunk.iter().map(|row| self.tokens(row)).collect();
            bulk.rows += u64::try_from(chunk.len())?;
            let began = clock.monotonic();
            self.target.batch("BEGIN")?;
            for (part, tokens) in chunk.chunks(ROWS_PER_STATEMENT).zip(tokens.chunks(ROWS_PER_STATEMENT)) {
                let mut values = Vec::with_capacity(part.len() * (columns.len() + 1));
                for (row, tokens) in part.iter().zip(tokens) {
                    values.extend(columns.iter().filter_map(|at| row.get(*at).cloned()));
                    values.extend((!self.sqlite).then(|| Value::Text(tokens.clone())));
                }
                if part.len() == ROWS_PER_STATEMENT {
                    self.target.execute(insert, &values)?;
                } else {
                    self.target.execute(&self.insert(&columns, part.len()), &values)?;
                }
            }
            let inserted = clock.monotonic();
            if self.sqlite {
                for (part, tokens) in chunk.chunks(ROWS_PER_STATEMENT).zip(tokens.chunks(ROWS_PER_STATEMENT)) {
                    let pairs = part
                        .iter()
                        .zip(tokens)
                        .filter_map(|(row, tokens)| Some([row.first()?.clone(), Value::Text(tokens.clone())]));
                    let pairs: Vec<Value> = pairs.flatten().collect();
                    if part.len() == ROWS_PER_STATEMENT {
                        self.target.execute(&insert_search, &pairs)?;
                    } else {
                        self.target.execute(&self.insert_search(part.len()), &pairs)?;
                    }
                }
            }
            let searched = clock.monotonic();
            self.target.batch("COMMIT")?;
            bulk.seconds_search += (searched - inserted).as_secs_f64();
            bulk.seconds_table += (inserted - began + (clock.monotonic() - searched)).as_secs_f64();
        }
        Ok(bulk)
    }

    /// One row to a commit, each on disk before the next of its thread: the newest row of the original over and over,
    /// with another id and number.
    pub(crate) fn one_by_one(&mut self, threads: usize, seconds: u64, clock: &Arc<dyn Clock>) -> Outcome<Figure> {
        let select = self.select();
        let newest = self.source.rows("SELECT max(\"rid\") FROM \"contact\"", Vec::new(), &[ColumnType::Integer])?;
        let Some(Value::Integer(newest)) = newest.first().and_then(|row| row.first()) else {
            return Err("there is no contact".into());
        };
        let row = self.read(select, newest - 1)?.into_iter().next().ok_or("there is no contact")?;
        let columns: Vec<usize> = self.columns(std::slice::from_ref(&row)).into_iter().filter(|at| *at > 0).collect();
        let place = |name: &str| columns.iter().position(|at| self.names.get(*at).is_some_and(|known| known == name));
        let (id, number) = (place("id").ok_or("no id")?, place("number").ok_or("no number")?);
        let (insert, tokens) = (self.insert(&columns, 1), self.tokens(&row));
        let search =
            format!("INSERT INTO \"{}\" (rowid, tokens) VALUES (last_insert_rowid(), ?)", self.contact.search_table());
        let search = self.sqlite.then(|| Statement::new(&search));
        let mut template: Vec<Value> = columns.iter().filter_map(|at| row.get(*at).cloned()).collect();
        template.extend((!self.sqlite).then(|| Value::Text(tokens.clone())));
        let end = clock.monotonic() + Duration::from_secs(seconds);
        let one = |thread: usize| -> Result<Vec<u64>, String> {
            let told = |error: store::StoreError| error.to_string();
            let mut bare = Bare::open(&self.config).map_err(told)?;
            if self.sqlite {
                bare.batch(CHECKPOINT).map_err(told)?;
            }
            let mut numbers = Numbers::new(u64::try_from(threads * 1_000 + thread).unwrap_or(0) ^ 0xc0_ffee);
            let (mut values, mut micros) = (template.clone(), Vec::new());
            while clock.monotonic() < end {
                let fresh = [numbers.next().to_be_bytes(), numbers.next().to_be_bytes()].concat();
                for (at, value) in [(id, Value::Binary(fresh)), (number, Value::Text(format!("B{}", numbers.next())))] {
                    if let Some(place) = values.get_mut(at) {
                        *place = value;
                    }
                }
                let began = clock.monotonic();
                bare.batch("BEGIN").map_err(told)?;
                bare.execute(&insert, &values).map_err(told)?;
                if let Some(search) = &search {
                    bare.execute(search, &[Value::Text(tokens.clone())]).map_err(told)?;
                }
                bare.batch("COMMIT").map_err(told)?;
                micros.push(u64::try_from((clock.monotonic() - began).as_micros()).unwrap_or(u64::MAX));
            }
            Ok(micros)
        };
        let micros = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads)
                .map(|at| {
                    scope.spawn({
                        let one = &one;
                        move || one(at)
                    })
                })
                .collect();
            let mut all = Vec::new();
            for thread in threads {
                all.extend(thread.join().map_err(|_| "a thread of the bare engine ended".to_owned())??);
            }
            Ok::<_, String>(all)
        })?;
        #[expect(clippy::cast_precision_loss, reason = "seconds of a measurement")]
        Ok(Figure::of(micros, 0, seconds as f64))
    }
}
