//! Who saw a record: everything the log tells of it, in words. For auditors, who need no right to the record and get no
//! value of it; and for those with the right `access_log`, of records they may read. Asking is itself in the log.

use crate::reduce::Tally;
use crate::{Pending, Records};
use audit::{Effect, Entry, Verb as Act};
use authz::{AppAction, FieldLevels, Level, Verb};
use identity::Actor;
use kernel::{Code, Fault, RecordId, Timestamp, UserId, limits};
use metadata::{ObjectDef, ObjectKind};
use serde::Serialize;
use std::sync::Arc;
use store::{ReadTx, Refused};

/// One time that somebody saw, changed or asked for a record.
#[derive(Clone, Debug, Serialize)]
pub struct AccessView {
    /// The entry's number in the log.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub verb: &'static str,
    /// `record` when it was about this record, `list` when among others, `related` when shown along with another.
    pub way: &'static str,
    /// Who; absent for the appliance and its operator.
    pub user: Option<UserId>,
    /// What they are called, as far as the reader sees it.
    pub name: Option<String>,
    /// For whom.
    pub on_behalf_of: Option<UserId>,
    /// Through which door.
    pub channel: &'static str,
    /// From where; auditors only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Why, in the words of the one who did it.
    pub purpose: String,
    /// Personal fields and how they were shown.
    pub fields: Vec<(String, &'static str)>,
    /// Fields that were changed.
    pub changed: Vec<String>,
    /// The error of a refusal; auditors only, others are shown what was allowed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// Who saw a record, newest first.
#[derive(Clone, Debug, Serialize)]
pub struct AccessLogView {
    /// The entries.
    pub items: Vec<AccessView>,
    /// Pass as `before` to see older ones; a page may be short of its limit, or empty, and still have a next.
    pub next: Option<u64>,
}

/// Who asks: an auditor, or somebody whose levels limit which fields are named.
enum Asking {
    Auditor,
    Reader(FieldLevels),
}

impl Records {
    /// Who saw a record.
    pub fn access_log(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        id: RecordId,
        before: Option<u64>,
        limit: Option<usize>,
    ) -> Pending<AccessLogView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let limit = limit.unwrap_or(limits::PAGE_ROWS_DEFAULT);
        if !(1..=limits::PAGE_ROWS_MAX).contains(&limit) {
            let detail = format!("limit is from 1 to {} (PAGE_ROWS_MAX).", limits::PAGE_ROWS_MAX);
            return Pending::failed(Fault::new(Code::ParameterInvalid, detail));
        }
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| {
            let (asking, rules) = records.may_ask(tx, &actor, &definition, id)?;
            let mut view = page(tx, &definition, id, &asking, (before, limit))?;
            records.name_people(tx, &actor, &mut view)?;
            let mut entry = records.store.entry(&actor, Act::AccessLog).on_record(&definition.name, id);
            entry.decision.rules = rules;
            Ok((view, vec![entry]))
        }))
    }

    fn may_ask(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
        id: RecordId,
    ) -> Result<(Asking, Vec<String>), Refused> {
        let policy = self.policy();
        if let Ok(why) = policy.act(actor, AppAction::AuditRead) {
            return Ok((Asking::Auditor, why.rules));
        }
        if object.kind != ObjectKind::Business {
            let fault = Fault::new(Code::AccessDenied, "Who saw users, teams, units and the like is for auditors.");
            return Err(self.field_denied(actor, Act::AccessLog, &object.name, fault));
        }
        let denial = |denied| self.denial(actor, Act::AccessLog, denied, Some(id));
        let scope = policy.scope(actor, object, Verb::Read).map_err(denial)?;
        let why = policy.act(actor, AppAction::AccessLog).map_err(denial)?;
        let row = tx.row(object, id, &[])?.filter(|row| !row.deleted());
        let row = row.ok_or_else(|| self.missing(actor, Act::AccessLog, &object.name, id))?;
        let grant = scope.grant(row.facts()).map_err(denial)?;
        Ok((Asking::Reader(grant.levels().clone()), why.rules))
    }

    fn name_people(&self, tx: &mut ReadTx<'_>, actor: &Actor, view: &mut AccessLogView) -> Result<(), Refused> {
        let users = view.items.iter().filter_map(|item| item.user).map(|user| ("user".to_owned(), user)).collect();
        let names = self.titles_in_tx(tx, actor, users, &mut Tally::default())?;
        for item in &mut view.items {
            item.name = item.user.and_then(|user| names.get(&user).cloned());
        }
        Ok(())
    }
}

fn page(
    tx: &mut ReadTx<'_>,
    object: &ObjectDef,
    id: RecordId,
    asking: &Asking,
    (before, limit): (Option<u64>, usize),
) -> Result<AccessLogView, Refused> {
    let mut view = AccessLogView { items: Vec::new(), next: None };
    let mut before = match before {
        Some(before) => before,
        None => tx.log_size()?,
    };
    let from = before.saturating_sub(limits::ACCESS_LOG_ENTRIES_MAX);
    loop {
        let lines = tx.log_lines_about(id, (from, before), limit)?;
        let ended = lines.len() < limit;
        for line in lines {
            before = line.seq;
            let entry = Entry::decode(&line.bytes).map_err(Fault::internal)?;
            view.items.extend(access(object, id, asking, line.seq, entry));
            if view.items.len() == limit {
                view.next = Some(before).filter(|seq| *seq > 0);
                return Ok(view);
            }
        }
        if ended {
            view.next = Some(from).filter(|seq| *seq > 0);
            return Ok(view);
        }
    }
}

/// What an entry says about the record, if it speaks of it at all: the same bytes may stand for something else.
fn access(object: &ObjectDef, id: RecordId, asking: &Asking, seq: u64, entry: Entry) -> Option<AccessView> {
    let way = if entry.target.record == Some(id) {
        "record"
    } else if entry.target.ids.contains(&id) {
        "list"
    } else if entry.related.iter().any(|related| related.ids.contains(&id)) {
        "related"
    } else {
        return None;
    };
    let auditor = matches!(asking, Asking::Auditor);
    if !auditor && entry.decision.effect == Effect::Deny {
        return None;
    }
    let known = |field: &str| match asking {
        Asking::Auditor => true,
        // Fields of other objects stand in entries, too; of those this reader's levels say nothing.
        Asking::Reader(levels) => {
            way != "related" && object.field_index(field).is_some_and(|at| levels.get(at) > Level::None)
        }
    };
    Some(AccessView {
        seq,
        at: entry.at,
        verb: entry.act.verb.name(),
        way,
        user: entry.actor.user,
        name: None,
        on_behalf_of: entry.actor.on_behalf_of,
        channel: entry.source.channel.name(),
        address: auditor.then_some(entry.source.address),
        purpose: entry.act.purpose,
        fields: entry
            .fields
            .into_iter()
            .filter(|used| known(&used.field))
            .map(|used| (used.field, used.how.name()))
            .collect(),
        changed: entry.changes.into_iter().map(|change| change.field).filter(|field| known(field)).collect(),
        error: entry.decision.error,
    })
}
