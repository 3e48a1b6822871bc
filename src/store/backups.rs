//! What the appliance remembers of its backup sets and drills. The truth about a set is on its target; this says when which
//! was made, read back, proven, and may go. Which ones go is decided elsewhere.

use crate::engine::{Cell, Conn, Row, Sql};
use crate::{ReadTx, StoreError, WriteTx};
use kernel::Timestamp;
use metadata::ColumnType;

const INT: ColumnType = ColumnType::Integer;
const TEXT: ColumnType = ColumnType::Text;
const BOOL: ColumnType = ColumnType::Bool;
const COLUMNS: [(&str, ColumnType); 12] = [
    ("sequence", INT),
    ("target", TEXT),
    ("name", TEXT),
    ("state", TEXT),
    ("made_at", INT),
    ("ended_at", INT),
    ("bytes", INT),
    ("verified_at", INT),
    ("proven_at", INT),
    ("marked_at", INT),
    ("pinned", BOOL),
    ("detail", TEXT),
];
const DRILL_COLUMNS: [(&str, ColumnType); 6] =
    [("at", INT), ("sequence", INT), ("target", TEXT), ("ok", BOOL), ("millis", INT), ("report", TEXT)];

/// What failed or went is remembered for a year and some weeks.
const FORGOTTEN_SECONDS: i64 = 400 * 86_400;

/// A set on one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupRow {
    /// Its number.
    pub sequence: u64,
    /// The target.
    pub target: String,
    /// Its name there.
    pub name: String,
    /// `writing`, `verified`, `failed`, `lost` (it is no longer on the target) or `removed`.
    pub state: String,
    /// Its moment.
    pub made_at: Timestamp,
    /// When making it ended.
    pub ended_at: Option<Timestamp>,
    /// Its bytes on the target.
    pub bytes: u64,
    /// When it was last read back whole.
    pub verified_at: Option<Timestamp>,
    /// When a drill last restored it with everything well.
    pub proven_at: Option<Timestamp>,
    /// Since when it may go.
    pub marked_at: Option<Timestamp>,
    /// Whether somebody wants it to stay.
    pub pinned: bool,
    /// Why it failed, in words.
    pub detail: String,
}

/// What a drill found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillRow {
    /// When it ended.
    pub at: Timestamp,
    /// The set.
    pub sequence: u64,
    /// The target it was read from.
    pub target: String,
    /// Whether everything was well.
    pub ok: bool,
    /// How long it took.
    pub millis: u64,
    /// The report, as JSON.
    pub report: String,
}

fn select(columns: &[(&'static str, ColumnType)], table: &'static str) -> (Sql, Vec<ColumnType>) {
    let mut sql = Sql::new("SELECT ");
    for (at, (name, _)) in columns.iter().enumerate() {
        sql.push(if at > 0 { ", " } else { "" }).ident(name);
    }
    sql.push(" FROM ").ident(table);
    (sql, columns.iter().map(|(_, kind)| *kind).collect())
}

fn unsigned(row: &Row, at: usize) -> u64 {
    row.int(at).and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn backup_of(row: &Row) -> BackupRow {
    let (text, time) = (|at| row.text(at).unwrap_or_default(), |at| row.int(at).map(Timestamp::from_micros));
    BackupRow {
        sequence: unsigned(row, 0),
        target: text(1),
        name: text(2),
        state: text(3),
        made_at: time(4).unwrap_or_default(),
        ended_at: time(5),
        bytes: unsigned(row, 6),
        verified_at: time(7),
        proven_at: time(8),
        marked_at: time(9),
        pinned: row.get(10).bool().unwrap_or(false),
        detail: text(11),
    }
}

/// Sets on all targets, newest first.
pub(crate) fn backups_of(conn: &mut Conn, limit: usize) -> Result<Vec<BackupRow>, StoreError> {
    let (mut sql, types) = select(&COLUMNS, "k_backup");
    sql.push(" ORDER BY \"sequence\" DESC, \"target\" LIMIT ").number(limit);
    Ok(conn.rows(&sql, &types)?.iter().map(backup_of).collect())
}

/// Drills, newest first.
pub(crate) fn drills_of(conn: &mut Conn, limit: usize) -> Result<Vec<DrillRow>, StoreError> {
    let (mut sql, types) = select(&DRILL_COLUMNS, "k_drill");
    sql.push(" ORDER BY \"at\" DESC, \"sequence\" DESC, \"target\" LIMIT ").number(limit);
    let drill = |row: &Row| DrillRow {
        at: row.int(0).map(Timestamp::from_micros).unwrap_or_default(),
        sequence: unsigned(row, 1),
        target: row.text(2).unwrap_or_default(),
        ok: row.get(3).bool().unwrap_or(false),
        millis: unsigned(row, 4),
        report: row.text(5).unwrap_or_default(),
    };
    Ok(conn.rows(&sql, &types)?.iter().map(drill).collect())
}

impl ReadTx<'_> {
    /// Sets on all targets, newest first.
    pub fn backups(&mut self, limit: usize) -> Result<Vec<BackupRow>, StoreError> {
        backups_of(self.conn, limit)
    }

    /// Drills, newest first.
    pub fn drills(&mut self, limit: usize) -> Result<Vec<DrillRow>, StoreError> {
        drills_of(self.conn, limit)
    }
}

impl WriteTx<'_, '_> {
    /// Takes the next number for a set that is begun now on these targets, each with a row of its own. It is higher than
    /// `above`, which the targets know of: after a restore the database has not seen the sets that were made later.
    pub fn backup_begin(
        &mut self,
        at: Timestamp,
        targets: &[String],
        above: u64,
        name: impl Fn(u64) -> String,
    ) -> Result<u64, StoreError> {
        let last = self.conn().first(&Sql::new("SELECT coalesce(max(\"sequence\"), 0) FROM \"k_backup\""), &[INT])?;
        let sequence = last.map_or(0, |row| unsigned(&row, 0)).max(above) + 1;
        let mut old =
            Sql::new("DELETE FROM \"k_backup\" WHERE \"state\" IN ('failed', 'removed', 'lost') AND \"made_at\" < ");
        old.bind(at.plus_seconds(-FORGOTTEN_SECONDS).micros());
        self.conn().execute(&old)?;
        for target in targets {
            self.backup_keep(&BackupRow {
                sequence,
                target: target.clone(),
                name: name(sequence),
                state: "writing".to_owned(),
                made_at: at,
                ended_at: None,
                bytes: 0,
                verified_at: None,
                proven_at: None,
                marked_at: None,
                pinned: false,
                detail: String::new(),
            })?;
        }
        Ok(sequence)
    }

    /// Keeps what is known of a set now.
    pub fn backup_keep(&mut self, row: &BackupRow) -> Result<(), StoreError> {
        let time = |at: Option<Timestamp>| at.map_or(Cell::Null(INT), |at| Cell::from(at.micros()));
        let cells = [
            Cell::from(signed(row.sequence)),
            Cell::from(row.target.as_str()),
            Cell::from(row.name.as_str()),
            Cell::from(row.state.as_str()),
            Cell::from(row.made_at.micros()),
            time(row.ended_at),
            Cell::from(signed(row.bytes)),
            time(row.verified_at),
            time(row.proven_at),
            time(row.marked_at),
            Cell::from(row.pinned),
            Cell::from(row.detail.as_str()),
        ];
        let mut sql = Sql::new("INSERT INTO \"k_backup\" (");
        for (at, (name, _)) in COLUMNS.iter().enumerate() {
            sql.push(if at > 0 { ", " } else { "" }).ident(name);
        }
        sql.push(") VALUES (").binds(cells).push(") ON CONFLICT (\"sequence\", \"target\") DO UPDATE SET ");
        for (at, (name, _)) in COLUMNS.iter().skip(2).enumerate() {
            sql.push(if at > 0 { ", " } else { "" }).ident(name).push(" = excluded.").ident(name);
        }
        self.conn().execute(&sql).map(drop)
    }

    /// Keeps the report of a drill; reports older than `before` go.
    pub fn drill_keep(&mut self, row: &DrillRow, before: Timestamp) -> Result<(), StoreError> {
        let cells = [
            Cell::from(row.at.micros()),
            Cell::from(signed(row.sequence)),
            Cell::from(row.target.as_str()),
            Cell::from(row.ok),
            Cell::from(signed(row.millis)),
            Cell::from(row.report.as_str()),
        ];
        let mut sql = Sql::new(
            "INSERT INTO \"k_drill\" (\"at\", \"sequence\", \"target\", \"ok\", \"millis\", \"report\") VALUES (",
        );
        sql.binds(cells).push(") ON CONFLICT (\"at\", \"sequence\", \"target\") DO NOTHING");
        self.conn().execute(&sql)?;
        let mut old = Sql::new("DELETE FROM \"k_drill\" WHERE \"at\" < ");
        old.bind(before.micros());
        self.conn().execute(&old).map(drop)
    }
}
