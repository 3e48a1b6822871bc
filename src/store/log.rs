//! The log's side of the store: entries begun from an actor, turned into rows, and read again. Rows are the truth of the
//! transaction; what strangers verify is made from them elsewhere.

use crate::engine::{Conn, Row, Sql, committer::LogRow, dialect};
use crate::{ReadTx, Shared, Store, StoreError, WriteTx};
use audit::{Entry, Verb};
use identity::Actor;
use kernel::RecordId;
use metadata::ColumnType;

/// One entry as read back from the database.
pub struct LogLine {
    /// Its sequence number, the index of its leaf.
    pub seq: u64,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
}

pub(crate) fn row_of(entry: &Entry) -> Result<LogRow, StoreError> {
    let bytes = entry.encode().map_err(|error| StoreError::Audit(error.to_string()))?;
    let tells_change = entry.state_before.is_some()
        || entry.state_after.is_some()
        || matches!(
            entry.act.verb,
            Verb::Link | Verb::Unlink | Verb::AttachmentAdd | Verb::AttachmentRemove | Verb::Merge
        );
    let changed = entry.target.record.filter(|_| tells_change);
    Ok(LogRow { at: entry.at.micros(), changed, bytes })
}

impl WriteTx<'_, '_> {
    /// Completes this unit's last entry about the record of `read` with what its answer shows; where the unit has none, `read`
    /// itself becomes one.
    pub fn log_shown(&mut self, read: Entry, fill: impl FnOnce(&mut Entry)) -> Result<(), StoreError> {
        for row in self.log.iter_mut().rev() {
            let mut entry = Entry::decode(&row.bytes).map_err(|error| StoreError::Audit(error.to_string()))?;
            if entry.target.record == read.target.record && entry.target.object == read.target.object {
                fill(&mut entry);
                row.bytes = row_of(&entry)?.bytes;
                return Ok(());
            }
        }
        let mut read = read;
        fill(&mut read);
        self.log_entry(&read)
    }
}

impl Shared {
    /// An entry about an act of this actor, now.
    pub(crate) fn entry(&self, actor: &Actor, verb: Verb) -> Entry {
        let (kind, auth) = (audit_kind(actor), audit_auth(actor));
        let mut who = audit::Actor { kind, auth, ..audit::Actor::default() };
        who.user = (kind == audit::ActorKind::User).then(|| actor.user());
        who.session = actor.session();
        who.token = actor.token();
        let address = actor.source().map(|address| address.to_string()).unwrap_or_default();
        let mut entry =
            Entry::new(verb, self.clock.as_ref(), self.boot, self.node.clone()).by(who, audit_channel(actor), address);
        entry.request = actor.request_id().parse().ok();
        entry.act.purpose = actor.purpose().unwrap_or_default().to_owned();
        entry.decision.epoch = Some(self.policy.load().epoch());
        if kind == audit::ActorKind::LocalOperator {
            entry.note = format!("operator {}", actor.login());
        }
        entry
    }
}

impl Store {
    /// An entry about an act of this actor, now, for [`Store::append`] and [`Store::disclose`].
    pub fn entry(&self, actor: &Actor, verb: Verb) -> Entry {
        self.shared.entry(actor, verb)
    }
    /// An entry about an act that nobody has signed in for.
    pub fn entry_anonymous(&self, verb: Verb, channel: audit::Channel, address: &str) -> Entry {
        Entry::new(verb, self.shared.clock.as_ref(), self.shared.boot, self.shared.node.clone()).by(
            audit::Actor::default(),
            channel,
            address,
        )
    }
}

fn audit_kind(actor: &Actor) -> audit::ActorKind {
    match actor.kind() {
        identity::ActorKind::User => audit::ActorKind::User,
        identity::ActorKind::LocalOperator => audit::ActorKind::LocalOperator,
        identity::ActorKind::System => audit::ActorKind::System,
    }
}
fn audit_auth(actor: &Actor) -> audit::AuthMethod {
    match actor.auth() {
        identity::AuthMethod::Password => audit::AuthMethod::Password,
        identity::AuthMethod::Token => audit::AuthMethod::Token,
        identity::AuthMethod::LocalOperator => audit::AuthMethod::Cli,
        identity::AuthMethod::System => audit::AuthMethod::None,
    }
}
fn audit_channel(actor: &Actor) -> audit::Channel {
    match actor.channel() {
        identity::Channel::Ui => audit::Channel::Ui,
        identity::Channel::Api => audit::Channel::Api,
        identity::Channel::Cli => audit::Channel::Cli,
        identity::Channel::Job => audit::Channel::Job,
        identity::Channel::Import => audit::Channel::Import,
        identity::Channel::System => audit::Channel::System,
    }
}

pub(crate) fn lines(conn: &mut Conn, from: u64, max: usize) -> Result<Vec<LogLine>, StoreError> {
    let mut sql = Sql::new("SELECT \"seq\", \"bytes\" FROM \"k_audit\" WHERE \"seq\" >= ");
    sql.bind(i64::try_from(from).unwrap_or(i64::MAX)).push(" ORDER BY \"seq\" LIMIT ");
    sql.number(max);
    let rows = conn.rows(&sql, &[ColumnType::Integer, ColumnType::Binary])?;
    rows.into_iter().map(line).collect()
}

pub(crate) fn line(row: Row) -> Result<LogLine, StoreError> {
    let seq = row.int(0).and_then(|seq| u64::try_from(seq).ok());
    let seq = seq.ok_or_else(|| StoreError::damaged("a log row has no sequence number"))?;
    Ok(LogLine { seq, bytes: row.get(1).bin().unwrap_or_default().to_vec() })
}

impl ReadTx<'_> {
    /// Entries from a sequence number on.
    pub fn log_lines(&mut self, from: u64, max: usize) -> Result<Vec<LogLine>, StoreError> {
        lines(self.conn, from, max)
    }
    /// Entries before a sequence number, newest first; all when it is absent.
    pub fn log_lines_before(&mut self, before: Option<u64>, max: usize) -> Result<Vec<LogLine>, StoreError> {
        let mut sql = Sql::new("SELECT \"seq\", \"bytes\" FROM \"k_audit\" WHERE \"seq\" < ");
        sql.bind(before.and_then(|seq| i64::try_from(seq).ok()).unwrap_or(i64::MAX))
            .push(" ORDER BY \"seq\" DESC LIMIT ");
        sql.number(max);
        let rows = self.conn.rows(&sql, &[ColumnType::Integer, ColumnType::Binary])?;
        rows.into_iter().map(line).collect()
    }
    /// Entries between two sequence numbers that may be about a record, newest first: its id stands somewhere in their
    /// bytes. The engine looks, so that a walk over the log does not carry every entry up here.
    pub fn log_lines_about(
        &mut self,
        record: RecordId,
        (from, before): (u64, u64),
        max: usize,
    ) -> Result<Vec<LogLine>, StoreError> {
        let number = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
        let mut sql = Sql::new("SELECT \"seq\", \"bytes\" FROM \"k_audit\" WHERE \"seq\" >= ");
        sql.bind(number(from)).push(" AND \"seq\" < ").bind(number(before));
        dialect::push_holds(self.conn, &mut sql, "bytes", record.as_bytes());
        sql.push(" ORDER BY \"seq\" DESC LIMIT ").bind(i64::try_from(max).unwrap_or(i64::MAX));
        let rows = self.conn.rows(&sql, &[ColumnType::Integer, ColumnType::Binary])?;
        rows.into_iter().map(line).collect()
    }
    /// How many entries there are.
    pub fn log_size(&mut self) -> Result<u64, StoreError> {
        size(self.conn)
    }
}

/// How many entries a database has, whatever version made it.
pub(crate) fn size(conn: &mut Conn) -> Result<u64, StoreError> {
    let row =
        conn.first(&Sql::new("SELECT coalesce(max(\"seq\"), -1) + 1 FROM \"k_audit\""), &[ColumnType::Integer])?;
    Ok(row.and_then(|row| u64::try_from(row.int(0)?).ok()).unwrap_or(0))
}
