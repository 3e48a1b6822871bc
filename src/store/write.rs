//! The only mutator. Each verb takes its grant, writes the row, its search tokens and its audit entry, and hands back
//! what changed. Actor and record come from the grant; what the entry says comes from what was written.

use crate::change::{ChangeLog, seal_field};
use crate::engine::committer::{Group, Known, LogRow, Settle};
use crate::engine::dialect::{self, Indexing};
use crate::engine::{Cell, Conn, Insert, Sql};
use crate::read::ReadTx;
use crate::rows::{self, StoredRow};
use crate::ticket::Answer;
use crate::unique::unique;
use crate::{Refused, Shared, StoreError, log, state};
use audit::Verb;
use authz::{Action, Create, Delete, Grant, Restore, Update};
use kernel::{Code, Fault, RecordId, Timestamp, UserId};
use metadata::{Checked, Column, ColumnType, FieldDef, ObjectDef, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What stands behind a change, for the entry and the row.
#[derive(Clone, Default)]
pub struct Cause {
    /// For whom the appliance acts, when a rule changes a record in consequence of somebody's act.
    pub on_behalf_of: Option<UserId>,
    /// The import run.
    pub import_job: Option<String>,
    /// Sample data of a demonstration.
    pub is_sample: bool,
    /// When the record came into being elsewhere; imports, samples and what comes back from a set only.
    pub created_at: Option<Timestamp>,
    /// The backup set that the values come from.
    pub backup_set: Option<String>,
    /// The human number that the record had before; the caller has looked that it is free.
    pub number: Option<String>,
}

/// What a change left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The record.
    pub id: RecordId,
    /// Its version now.
    pub version: i64,
    /// Whether anything was different; if not, nothing was written and nothing logged.
    pub moved: bool,
}

/// A unit of work.
pub struct WriteTx<'c, 's> {
    pub(crate) read: ReadTx<'c>,
    pub(crate) log: &'s mut Vec<LogRow>,
    /// What this unit enters into the full-text index, when its group commits.
    pub(crate) search: Vec<Indexing>,
    after: Vec<Box<dyn FnOnce() + Send>>,
    /// The last human numbers that are known, and the objects of those that were given here.
    numbers: BTreeMap<String, i64>,
    numbered: BTreeSet<String>,
}

/// Runs a unit inside its own savepoint and says what to do when the group is settled.
pub(crate) fn run_unit<T: Send + 'static>(
    group: &mut Group<'_>,
    shared: &Arc<Shared>,
    task: impl FnOnce(&mut WriteTx<'_, '_>) -> Result<T, Refused>,
    answer: Answer<T>,
) -> Settle {
    if let Some(fault) = shared.files.handover.refused() {
        return Box::new(move |_| answer.send(Err(fault)));
    }
    if let Err(error) = dialect::begin_unit(group.conn) {
        return Box::new(move |_| answer.send(Err(error.into())));
    }
    group.conn.let_wait(true);
    let mut entries = Vec::new();
    let mut tx = WriteTx {
        read: ReadTx::begin(group.conn, shared),
        log: &mut entries,
        search: Vec::new(),
        after: Vec::new(),
        numbers: std::mem::take(&mut group.known.numbers),
        numbered: BTreeSet::new(),
    };
    tx.read.remember_facts(std::mem::take(&mut group.known.facts));
    let outcome = task(&mut tx).and_then(|value| tx.keep_numbers().map(|()| value).map_err(Refused::from));
    let WriteTx { mut read, search, after, numbers, .. } = tx;
    let (facts, keys) = (read.take_facts(), read.into_keys());
    let outcome = outcome.and_then(|value| Ok(dialect::end_unit(group.conn).map(|()| value)?));
    group.conn.let_wait(false);
    match outcome {
        Ok(value) => {
            group.known = Known { facts, numbers };
            group.log.append(&mut entries);
            group.search.extend(search);
            Box::new(move |settled| {
                answer.send(match settled {
                    Ok(()) => {
                        if let Some(keys) = keys {
                            keys.commit();
                        }
                        after.into_iter().for_each(|run| run());
                        Ok(value)
                    }
                    Err(cause) => Err(StoreError::Commit(cause).into()),
                });
            })
        }
        Err(Refused { fault, entry }) => {
            group.conn.drop_waiting();
            let undone = group.conn.batch("ROLLBACK TO SAVEPOINT unit; RELEASE SAVEPOINT unit");
            if let Some(row) = entry.and_then(|entry| log::row_of(&entry).ok()) {
                group.log.push(row);
            }
            Box::new(move |settled| {
                let failed = undone.err().map(Fault::from);
                let unlogged = settled.err().map(|cause| Fault::from(StoreError::Commit(cause)));
                answer.send(Err(failed.or(unlogged).unwrap_or(fault)));
            })
        }
    }
}

impl<'c> WriteTx<'c, '_> {
    /// Reading inside the unit: facts that decide are read where the change is made.
    pub fn read(&mut self) -> &mut ReadTx<'c> {
        &mut self.read
    }
    pub(crate) fn conn(&mut self) -> &mut Conn {
        self.read.conn
    }
    pub(crate) fn now(&self) -> Timestamp {
        self.read.shared.clock.now()
    }
    /// The roles as they are now.
    pub fn policy(&self) -> Arc<authz::Policy> {
        self.read.shared.policy.load_full()
    }
    /// Runs a part of the unit that may fail on its own: what it did is then undone, and the rest of the unit stays.
    /// The outer error is the engine's; the inner one is the part's.
    pub fn attempt<T>(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<T, Refused>,
    ) -> Result<Result<T, Refused>, StoreError> {
        let (entries, search, after) = (self.log.len(), self.search.len(), self.after.len());
        let numbers = self.numbers.clone();
        self.conn().batch("SAVEPOINT attempt")?;
        // What waits is part of it, and so is its failure.
        let outcome = part(self).and_then(|value| self.conn().flush().map(|()| value).map_err(Refused::from));
        if outcome.is_ok() {
            self.conn().batch("RELEASE SAVEPOINT attempt")?;
            return Ok(outcome);
        }
        self.conn().drop_waiting();
        self.conn().batch("ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt")?;
        self.log.truncate(entries);
        self.search.truncate(search);
        self.after.truncate(after);
        // Numbers of the part are given to the next: they stay without gaps.
        self.numbers = numbers;
        // A key made by the part is gone from the ring; nothing later may seal with it. The others load again.
        self.read.discard_keys();
        self.read.forget_facts(None);
        Ok(outcome)
    }
    /// Runs once the group is on disk.
    pub fn after_commit(&mut self, run: impl FnOnce() + Send + 'static) {
        self.after.push(Box::new(run));
    }
    /// Counts anew what lies in an object's table, for an engine that plans by it, after many rows came at once.
    pub fn statistics_gather(&mut self, object: &ObjectDef) -> Result<(), StoreError> {
        dialect::gather_statistics(self.conn(), &object.name)
    }
    /// Adds an entry that belongs to this unit.
    pub fn log_entry(&mut self, entry: &audit::Entry) -> Result<(), StoreError> {
        self.log.push(log::row_of(entry)?);
        Ok(())
    }
    /// An entry about an act of this actor, now.
    pub fn entry(&self, actor: &identity::Actor, verb: Verb) -> audit::Entry {
        self.read.shared.entry(actor, verb)
    }

    /// Makes a record.
    pub fn create(
        &mut self,
        grant: Grant<'_, Create>,
        object: &Arc<ObjectDef>,
        values: Checked,
        cause: Cause,
    ) -> Result<Changed, StoreError> {
        let (now, id) = (self.now(), grant.record());
        let mut values = values;
        self.fill_system(object, &mut values, grant.actor().user(), now, &cause)?;
        let subject = subject_of(object, &values, id);
        if subject == id {
            self.read.keys_and_store()?.0.newborn(id);
        }
        self.read.forget_facts(Some((object, id)));
        self.read.foreseen.made(object, &values);
        let mut changes = ChangeLog::new(object, id, subject);
        let selection = self.read.shared.selections.all(object);
        let mut columns = vec!["id", "version"];
        let mut cells = vec![Cell::from(id), Cell::Int(1)];
        let mut whole = selection.empty_cells();
        for (index, value) in values.values() {
            let Some(field) = object.fields.get(*index).filter(|_| !value.is_null()) else { continue };
            let held_in = selection.columns_of(*index);
            let sealed = self.field_cells(object, (field, held_in), value, (id, subject))?;
            changes.record(&mut self.read, field, None, Some((value, &sealed)))?;
            let start = selection.span(*index).map_or(0, |span| span.start);
            for ((column, cell), kept) in held_in.iter().zip(sealed).zip(whole.iter_mut().skip(start)) {
                if !cell.is_null() {
                    kept.clone_from(&cell);
                    columns.push(&column.name);
                    cells.push(cell);
                }
            }
        }
        let after = state::row_state(&object.name, columns.iter().copied().zip(&cells))?;
        let tokens = crate::search::fresh_tokens(object, &values);
        let record = Insert::system(&object.name, &columns, cells);
        let insert = Insert { object: Some(object), tokens: tokens.clone(), ..record };
        let rid = dialect::insert_row(self.conn(), insert)?;
        self.read.remember_inserted(selection.inserted((rid, id), whole)?);
        if let Some((rid, tokens)) = rid.zip(tokens) {
            self.search.push(dialect::fresh(object, rid, tokens));
        }
        self.log_change(&grant, Verb::Create, changes, (None, Some(after)), &cause)?;
        Ok(Changed { id, version: 1, moved: true })
    }

    /// Changes a record that was read whole in this unit.
    pub fn update(
        &mut self,
        grant: Grant<'_, Update>,
        row: &StoredRow,
        values: Checked,
        cause: Cause,
    ) -> Result<Changed, StoreError> {
        let object = Arc::clone(row.object());
        check_same(&grant, row)?;
        let subject = row.subject();
        keeps_subject(row, &values)?;
        let mut changes = ChangeLog::new(&object, row.id(), subject);
        let selection = self.read.shared.selections.all(&object);
        let mut moved: Vec<(String, Cell)> = Vec::new();
        let stage = object.stage_timed();
        for (index, value) in values.values() {
            let Some(field) = object.fields.get(*index) else { continue };
            let before = row.cells_of(*index).unwrap_or_default();
            if self.read.holds(row, *index, value)? {
                continue;
            }
            let held_in = selection.columns_of(*index);
            let cells = self.field_cells(&object, (field, held_in), value, (row.id(), subject))?;
            changes.record(
                &mut self.read,
                field,
                Some(before),
                (!value.is_null()).then_some((value, cells.as_slice())),
            )?;
            moved.extend(held_in.iter().map(|column| column.name.clone()).zip(cells));
            if stage == Some(*index) {
                moved.push((metadata::STAGE_SINCE.to_owned(), Cell::Int(self.now().micros())));
            }
        }
        if moved.is_empty() {
            return Ok(Changed { id: row.id(), version: row.version(), moved: false });
        }
        self.stamp(&mut moved, row, grant.actor().user());
        let states = self.write_row(&object, row, &moved)?;
        self.index_search(&object, &values, row)?;
        self.log_change(&grant, Verb::Update, changes, states, &cause)?;
        Ok(Changed { id: row.id(), version: row.version() + 1, moved: true })
    }

    /// Puts a record that was read whole into the recycle bin.
    pub fn delete(&mut self, grant: Grant<'_, Delete>, row: &StoredRow, cause: Cause) -> Result<Changed, StoreError> {
        let object = Arc::clone(row.object());
        check_same(&grant, row)?;
        let user = grant.actor().user();
        let mut moved = vec![
            ("deleted_at".to_owned(), Cell::Int(self.now().micros())),
            ("deleted_by_id".to_owned(), Cell::from(user)),
        ];
        self.stamp(&mut moved, row, user);
        let states = self.write_row(&object, row, &moved)?;
        self.unindex_search(&object, row)?;
        self.log_change(&grant, Verb::Delete, ChangeLog::new(&object, row.id(), row.subject()), states, &cause)?;
        Ok(Changed { id: row.id(), version: row.version() + 1, moved: true })
    }

    /// Takes a record that was read whole out of the recycle bin.
    pub fn restore(&mut self, grant: Grant<'_, Restore>, row: &StoredRow, cause: Cause) -> Result<Changed, StoreError> {
        let object = Arc::clone(row.object());
        check_same(&grant, row)?;
        let mut moved = vec![
            ("deleted_at".to_owned(), Cell::Null(ColumnType::Integer)),
            ("deleted_by_id".to_owned(), Cell::Null(ColumnType::Binary)),
        ];
        self.merge_forget(row.id())?;
        self.stamp(&mut moved, row, grant.actor().user());
        let states = self.write_row(&object, row, &moved)?;
        self.index_search_row(&object, row)?;
        self.log_change(&grant, Verb::Restore, ChangeLog::new(&object, row.id(), row.subject()), states, &cause)?;
        Ok(Changed { id: row.id(), version: row.version() + 1, moved: true })
    }

    fn stamp(&self, moved: &mut Vec<(String, Cell)>, row: &StoredRow, user: UserId) {
        moved.push(("version".to_owned(), Cell::Int(row.version() + 1)));
        moved.push(("updated_at".to_owned(), Cell::Int(self.now().micros())));
        moved.push(("updated_by_id".to_owned(), Cell::from(user)));
    }

    /// The cells of a field: plain, or sealed with its index entries.
    fn field_cells(
        &mut self,
        object: &ObjectDef,
        (field, held_in): (&FieldDef, &[Column]),
        value: &Value,
        (id, subject): (RecordId, RecordId),
    ) -> Result<Vec<Cell>, StoreError> {
        if rows::is_sealed(field) {
            seal_field(&mut self.read, object, (field, held_in), value, (id, subject))
        } else {
            Ok(rows::plain_cells(held_in, value))
        }
    }

    fn fill_system(
        &mut self,
        object: &Arc<ObjectDef>,
        values: &mut Checked,
        user: UserId,
        now: Timestamp,
        cause: &Cause,
    ) -> Result<(), StoreError> {
        let by = Value::Reference { object: "user".to_owned(), id: user };
        for (name, value) in [
            ("created_at", Value::Timestamp(cause.created_at.unwrap_or(now))),
            ("created_by", by.clone()),
            ("updated_at", Value::Timestamp(now)),
            ("updated_by", by),
        ] {
            values.set_system(object, name, value);
        }
        // A sample says itself since when.
        let timed = object.stage_timed().and_then(|_| object.field_index(metadata::STAGE_SINCE));
        if timed.is_some_and(|at| values.get(at).is_none()) {
            values.set_kept(object, metadata::STAGE_SINCE, Value::Timestamp(cause.created_at.unwrap_or(now)));
        }
        if cause.is_sample {
            values.set_system(object, "is_sample", Value::Bool(true));
        }
        if let Some(job) = &cause.import_job {
            values.set_system(object, "import_job", Value::Text(job.clone()));
        }
        if let Some(number) = &object.number {
            let text = match &cause.number {
                Some(known) => {
                    self.number_known(object, known)?;
                    known.clone()
                }
                None => {
                    let (next, width) = (self.next_number(&object.name)?, usize::from(number.digits));
                    format!("{}{next:0width$}", number.prefix)
                }
            };
            values.set_system(object, "number", Value::Text(text));
        }
        Ok(())
    }

    /// The next human number of an object. Counted in memory for the length of the unit, where nobody else counts, and
    /// written once by [`WriteTx::keep_numbers`].
    fn next_number(&mut self, object: &str) -> Result<i64, StoreError> {
        self.numbered.insert(object.to_owned());
        if let Some(last) = self.numbers.get_mut(object) {
            *last += 1;
            return Ok(*last);
        }
        let mut sql = Sql::new("SELECT \"last\" FROM \"k_number\" WHERE \"object\" = ");
        sql.bind(object);
        let row = self.conn().first(&sql, &[ColumnType::Integer])?;
        let next = row.and_then(|row| row.int(0)).unwrap_or(0) + 1;
        self.numbers.insert(object.to_owned(), next);
        Ok(next)
    }

    /// A number that a record brings along is not given again.
    fn number_known(&mut self, object: &ObjectDef, text: &str) -> Result<(), StoreError> {
        let prefix = object.number.as_ref().map_or("", |number| number.prefix.as_str());
        let Some(known) = text.strip_prefix(prefix).and_then(|digits| digits.parse::<i64>().ok()) else {
            return Ok(());
        };
        let next = self.next_number(&object.name)?;
        if let Some(last) = self.numbers.get_mut(&object.name) {
            *last = known.max(next - 1);
        }
        Ok(())
    }

    /// The next human number of an object is asked for anew: what was kept of it is gone.
    pub(crate) fn forget_number(&mut self, object: &str) {
        self.numbers.remove(object);
        self.numbered.remove(object);
    }

    fn keep_numbers(&mut self) -> Result<(), StoreError> {
        for object in std::mem::take(&mut self.numbered) {
            let Some(last) = self.numbers.get(&object).copied() else { continue };
            let (columns, cells) = (["object", "last"], vec![Cell::Text(object), Cell::Int(last)]);
            let otherwise = " ON CONFLICT (\"object\") DO UPDATE SET \"last\" = excluded.\"last\"";
            self.conn().insert(Insert { otherwise, ..Insert::system("k_number", &columns, cells) })?;
        }
        Ok(())
    }

    /// Writes changed columns and returns the states before and after. Somebody else's version in between is a conflict.
    fn write_row(
        &mut self,
        object: &ObjectDef,
        row: &StoredRow,
        moved: &[(String, Cell)],
    ) -> Result<States, StoreError> {
        let fixed = [("id", Cell::from(row.id())), ("version", Cell::Int(row.version()))];
        let old: Vec<(&str, &Cell)> = fixed.iter().map(|(name, cell)| (*name, cell)).chain(row.named_cells()).collect();
        let before = state::row_state(&object.name, old.iter().copied())?;
        let changed = |name: &str| moved.iter().rev().find(|(moved, _)| moved == name).map(|(_, cell)| cell);
        let after =
            state::row_state(&object.name, old.iter().map(|(name, cell)| (*name, changed(name).unwrap_or(cell))))?;
        self.read.forget_facts(Some((object, row.id())));
        self.read.foreseen.changed(object);
        let mut sql = Sql::new("UPDATE ");
        sql.ident(&object.name).push(" SET ");
        for (at, (name, cell)) in moved.iter().enumerate() {
            sql.push(if at == 0 { "" } else { ", " }).ident(name).push(" = ").bind(cell.clone());
        }
        sql.push(" WHERE \"rid\" = ").bind(row.rid).push(" AND \"version\" = ").bind(row.version()).varied();
        if self.conn().execute(&sql).map_err(|error| unique(object, error))? == 1 {
            return Ok((Some(before), Some(after)));
        }
        Err(Fault::new(Code::VersionConflict, "The record was changed at the same moment; read it again.").into())
    }

    pub(crate) fn log_change<A: Action>(
        &mut self,
        grant: &Grant<'_, A>,
        verb: Verb,
        changes: ChangeLog,
        states: States,
        cause: &Cause,
    ) -> Result<(), StoreError> {
        let mut entry = self.entry(grant.actor(), verb).on_record(grant.object(), grant.record());
        entry.actor.on_behalf_of = cause.on_behalf_of;
        entry.decision.rules = grant.why().rules.clone();
        entry.decision.epoch = Some(grant.why().epoch);
        (entry.state_before, entry.state_after) = states;
        if let Some(job) = &cause.import_job {
            entry.act.ticket = format!("import {job}");
        }
        if let Some(set) = &cause.backup_set {
            entry.act.ticket = format!("backup {set}");
        }
        changes.into_entry(&mut self.read, &mut entry)?;
        self.log_entry(&entry)
    }
}

/// State hashes before and after.
pub(crate) type States = (Option<[u8; 32]>, Option<[u8; 32]>);

/// Keys of a record: those of its subject, when the definition names one and it is set.
fn subject_of(object: &ObjectDef, values: &Checked, id: RecordId) -> RecordId {
    let metadata::Subject::Field(name) = &object.subject else { return id };
    match object.field_index(name).and_then(|index| values.get(index)) {
        Some(Value::Reference { id: subject, .. }) => *subject,
        _ => id,
    }
}

/// Sealed values and their history are bound to the subject, so a record keeps the one it was made with.
fn keeps_subject(row: &StoredRow, values: &Checked) -> Result<(), StoreError> {
    let object = row.object();
    let metadata::Subject::Field(name) = &object.subject else { return Ok(()) };
    let named = object.field_index(name).is_some_and(|index| values.get(index).is_some());
    if !named || subject_of(object, values, row.id()) == row.subject() {
        return Ok(());
    }
    let detail = "The record was made for this subject and is sealed with its key; make a new record for another.";
    Err(Fault::invalid(Vec::new()).with_item(format!("/{name}"), Code::FieldReadOnly, detail).into())
}

pub(crate) fn check_same<A: Action>(grant: &Grant<'_, A>, row: &StoredRow) -> Result<(), StoreError> {
    if grant.record() == row.id() && grant.object() == row.object().name {
        Ok(())
    } else {
        Err(StoreError::damaged("a grant for another record was given to a change"))
    }
}
