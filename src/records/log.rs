//! The log for those who may read it, and notes about acts that belong to no record. Reading the log is itself logged.

use crate::{Pending, Records};
use audit::{Checkpoint, Entry, TileReader, Verb as Act};
use authz::AppAction;
use identity::{Actor, SignInEvent};
use kernel::{Code, Fault, RecordId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{LogLine, ReadTx, Refused};

/// Entries of one page when the caller does not say, and at most.
const ENTRIES_DEFAULT: usize = 50;
const ENTRIES_MAX: usize = 200;
/// Entries that one filtered page looks through before it hands back what it has.
const ENTRIES_LOOKED_AT_MAX: usize = 20_000;

/// Which entries.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogQuery {
    /// Only those before this number.
    pub before: Option<u64>,
    /// How many.
    pub limit: Option<usize>,
    /// By this user.
    pub user: Option<UserId>,
    /// About this object.
    pub object: Option<String>,
    /// About this record, also as one of a list.
    pub record: Option<RecordId>,
    /// With this verb.
    pub verb: Option<String>,
    /// Not with this verb: the sign of life of each minute hides what people did.
    pub without: Option<String>,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
}

/// One entry in words. Changed values are never part of it; the history of the record shows them to those who may see it.
#[derive(Clone, Debug, Serialize)]
pub struct LogEntryView {
    /// Its number, the index of its leaf.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub verb: &'static str,
    /// Who: the kind of actor, the user, and how they were recognised.
    pub actor: &'static str,
    /// The user.
    pub user: Option<UserId>,
    /// For whom.
    pub on_behalf_of: Option<UserId>,
    /// How recognised.
    pub auth: &'static str,
    /// Through which door.
    pub channel: &'static str,
    /// From where.
    pub address: String,
    /// The request.
    pub request: Option<String>,
    /// Why.
    pub purpose: String,
    /// The object.
    pub object: String,
    /// The record.
    pub record: Option<RecordId>,
    /// Records of a list.
    pub ids: Vec<RecordId>,
    /// How many they were.
    pub count: u64,
    /// Personal fields and how they were used.
    pub fields: Vec<(String, &'static str)>,
    /// Fields that changed.
    pub changed: Vec<String>,
    /// How often it happened: more than once where one entry sums up what came again and again.
    pub repeats: u64,
    /// `single` for a whole act; `intent` and `outcome` of one that happens outside the database carry the same request.
    pub phase: &'static str,
    /// `ok`, or `failed` where the act was allowed and did not succeed.
    pub outcome: &'static str,
    /// `allow` or `deny`.
    pub decision: &'static str,
    /// The error of a denial.
    pub error: String,
    /// The rules that decided.
    pub rules: Vec<String>,
    /// A remark.
    pub note: String,
}

/// Entries, newest first.
#[derive(Clone, Debug, Serialize)]
pub struct LogView {
    /// The entries.
    pub items: Vec<LogEntryView>,
    /// Pass as `before` to see older ones.
    pub next: Option<u64>,
}

/// A proof, in the hex form of its hashes.
#[derive(Clone, Debug, Serialize)]
pub struct ProofView {
    /// Entries the proof speaks of.
    pub size: u64,
    /// The root over them.
    pub root: String,
    /// The hashes.
    pub hashes: Vec<String>,
}

impl Records {
    /// Entries of the log.
    pub fn log_entries(&self, actor: &Arc<Actor>, query: LogQuery) -> Pending<LogView> {
        let limit = query.limit.unwrap_or(ENTRIES_DEFAULT);
        if !(1..=ENTRIES_MAX).contains(&limit) {
            return Pending::failed(Fault::new(Code::ParameterInvalid, format!("limit is from 1 to {ENTRIES_MAX}.")));
        }
        if [&query.verb, &query.without].into_iter().flatten().any(|verb| Act::from_name(verb).is_none()) {
            return Pending::failed(Fault::new(Code::ParameterInvalid, "There is no such verb in the log."));
        }
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| {
            let entry = records.log_read_entry(&actor)?;
            let view = log_page(tx, &query, limit)?;
            Ok((view, vec![entry]))
        }))
    }

    fn log_read_entry(&self, actor: &Actor) -> Result<Entry, Refused> {
        let why = self
            .policy()
            .act(actor, AppAction::AuditRead)
            .map_err(|denied| self.denial(actor, Act::AuditRead, denied, None))?;
        let mut entry = self.store.entry(actor, Act::AuditRead);
        entry.decision.rules = why.rules;
        Ok(entry)
    }

    fn read_tiles<T: Send + 'static>(
        &self,
        actor: &Arc<Actor>,
        what: String,
        read: impl FnOnce(&mut TileReader) -> Result<T, audit::LogError> + Send + 'static,
    ) -> Pending<T> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |_| {
            let mut entry = records.log_read_entry(&actor)?;
            entry.note = what;
            let folder = records.store.config().log_folder.clone();
            let note = TileReader::checkpoint_note(&folder).map_err(Fault::internal)?;
            let checkpoint = Checkpoint::read_unverified(&note).map_err(Fault::internal)?;
            let mut reader = TileReader::new(folder, checkpoint.size);
            let found = read(&mut reader).map_err(|error| match error {
                audit::LogError::Range => Fault::new(Code::RecordNotFound, "The log has no such tile or entry yet."),
                other => Fault::internal(other),
            })?;
            Ok((found, vec![entry]))
        }))
    }

    /// The signed checkpoint (`checkpoint`) or a tile (`tile/…`), as the specification of transparency logs names them.
    pub fn log_resource(&self, actor: &Arc<Actor>, path: &str) -> Pending<Vec<u8>> {
        let path = path.to_owned();
        let folder = self.store.config().log_folder.clone();
        self.read_tiles(actor, path.clone(), move |reader| {
            if path == "checkpoint" { TileReader::checkpoint_note(&folder) } else { reader.resource(&path) }
        })
    }

    /// The proof that an entry is in the log.
    pub fn log_inclusion(&self, actor: &Arc<Actor>, seq: u64) -> Pending<ProofView> {
        self.read_tiles(actor, format!("inclusion {seq}"), move |reader| {
            let hashes = reader.inclusion_proof(seq)?;
            proof(reader, &hashes)
        })
    }

    /// The proof that the log still begins as it was when it had `old` entries.
    pub fn log_consistency(&self, actor: &Arc<Actor>, old: u64) -> Pending<ProofView> {
        self.read_tiles(actor, format!("consistency {old}"), move |reader| {
            let hashes = reader.consistency_proof(old)?;
            proof(reader, &hashes)
        })
    }

    /// Notes an act of an actor that belongs to no record: sign-in, sign-out, token made, start, stop.
    pub fn note(&self, actor: &Actor, verb: Act, note: &str) -> store::Ticket<()> {
        let mut entry = self.store.entry(actor, verb);
        note.clone_into(&mut entry.note);
        self.store.append(vec![entry])
    }

    /// Notes failed sign-ins, summed by source.
    pub fn note_sign_in_failed(&self, event: &SignInEvent) -> store::Ticket<()> {
        let (SignInEvent::Failed(report) | SignInEvent::FailedAgain(report)) = event;
        let address = report.source.map(|source| source.to_string()).unwrap_or_default();
        let mut entry = self
            .store
            .entry_anonymous(Act::SignInFailed, audit::Channel::Api, &address)
            .denied(Code::SignInFailed, Vec::new());
        entry.repeats = u64::from(report.failures) + u64::from(report.refused);
        entry.target.object = "user".to_owned();
        entry.target.count = u64::try_from(report.users.len()).unwrap_or(u64::MAX);
        entry.target.ids.clone_from(&report.users);
        self.store.append(vec![entry])
    }

    /// Notes attempts to unseal from one address that failed while there was no log to write to.
    pub fn note_unseal_failed(
        &self,
        address: &str,
        count: u64,
        (first, last): (Timestamp, Timestamp),
    ) -> store::Ticket<()> {
        let entry = self.store.entry_anonymous(Act::Unseal, audit::Channel::Api, address);
        let mut entry = entry.denied(Code::UnsealFailed, Vec::new());
        entry.repeats = count.max(1);
        entry.note = format!("failed while sealed, from {first} to {last}");
        self.store.append(vec![entry])
    }

    /// Notes an unseal, and what it was done with where that is worth telling.
    pub fn note_unseal(&self, address: &str, told: &str) -> store::Ticket<()> {
        let mut entry = self.store.entry_anonymous(Act::Unseal, audit::Channel::Api, address);
        told.clone_into(&mut entry.note);
        self.store.append(vec![entry])
    }

    /// Notes a refusal that was decided outside this crate: a missing CSRF token, an unknown session.
    pub fn note_denied(&self, actor: &Actor, verb: Act, code: Code) -> store::Ticket<()> {
        let entry = self.store.entry(actor, verb).denied(code, Vec::new());
        self.store.append(vec![entry])
    }
}

fn proof(reader: &mut TileReader, hashes: &[audit::Hash]) -> Result<ProofView, audit::LogError> {
    let size = reader.size();
    let root = reader.root_at(size)?;
    Ok(ProofView { size, root: hex(&root), hashes: hashes.iter().map(|hash| hex(hash)).collect() })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn log_page(tx: &mut ReadTx<'_>, query: &LogQuery, limit: usize) -> Result<LogView, Refused> {
    let mut view = LogView { items: Vec::new(), next: None };
    let mut before = query.before;
    let mut looked_at = 0;
    loop {
        let lines = tx.log_lines_before(before, 500)?;
        if lines.is_empty() {
            return Ok(view);
        }
        looked_at += lines.len();
        for LogLine { seq, bytes } in lines {
            before = Some(seq);
            let entry = Entry::decode(&bytes).map_err(Fault::internal)?;
            if query.from.is_some_and(|from| entry.at < from) {
                return Ok(view);
            }
            if fits(&entry, query) {
                view.items.push(entry_view(seq, entry));
            }
            if view.items.len() == limit {
                view.next = Some(seq).filter(|seq| *seq > 0);
                return Ok(view);
            }
        }
        if looked_at >= ENTRIES_LOOKED_AT_MAX {
            view.next = before.filter(|seq| *seq > 0);
            return Ok(view);
        }
    }
}

fn fits(entry: &Entry, query: &LogQuery) -> bool {
    let about = |id: RecordId| {
        entry.target.record == Some(id)
            || entry.target.ids.contains(&id)
            || entry.related.iter().any(|related| related.ids.contains(&id))
    };
    query.user.is_none_or(|user| entry.actor.user == Some(user) || entry.actor.on_behalf_of == Some(user))
        && query.object.as_ref().is_none_or(|object| entry.target.object == *object)
        && query.record.is_none_or(about)
        && query.verb.as_ref().is_none_or(|verb| entry.act.verb.name() == verb)
        && query.without.as_ref().is_none_or(|verb| entry.act.verb.name() != verb)
        && query.to.is_none_or(|to| entry.at < to)
}

fn entry_view(seq: u64, entry: Entry) -> LogEntryView {
    LogEntryView {
        seq,
        at: entry.at,
        verb: entry.act.verb.name(),
        actor: entry.actor.kind.name(),
        user: entry.actor.user,
        on_behalf_of: entry.actor.on_behalf_of,
        auth: entry.actor.auth.name(),
        channel: entry.source.channel.name(),
        address: entry.source.address,
        request: entry.request.map(|request| request.to_string()),
        purpose: entry.act.purpose,
        object: entry.target.object,
        record: entry.target.record,
        ids: entry.target.ids,
        count: entry.target.count,
        fields: entry.fields.into_iter().map(|used| (used.field, used.how.name())).collect(),
        changed: entry.changes.into_iter().map(|change| change.field).collect(),
        repeats: entry.repeats,
        phase: entry.phase.name(),
        outcome: entry.outcome.name(),
        decision: entry.decision.effect.name(),
        error: entry.decision.error,
        rules: entry.decision.rules,
        note: entry.note,
    }
}
