//! The history of one record, reduced field by field like the record itself.

use crate::reduce::Tally;
use crate::{ActView, HistoryView, MoveView, Pending, Records};
use audit::{How, Verb as Act};
use authz::{FieldLevels, Level, Verb};
use identity::Actor;
use kernel::{Code, Fault, RecordId};
use metadata::{FieldDef, ObjectDef, Value, mask};
use serde_json::Value as Json;
use std::sync::Arc;
use store::{FieldMove, HistoryEntry, ReadTx, Refused};

/// Acts of one page when the caller does not say, and at most.
const ACTS_DEFAULT: usize = 50;
const ACTS_MAX: usize = 200;

impl Records {
    /// Who changed what and when, newest first.
    pub fn history(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        id: RecordId,
        before: Option<u64>,
        limit: Option<usize>,
    ) -> Pending<HistoryView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let limit = limit.unwrap_or(ACTS_DEFAULT);
        if !(1..=ACTS_MAX).contains(&limit) {
            return Pending::failed(Fault::new(Code::ParameterInvalid, format!("limit is from 1 to {ACTS_MAX}.")));
        }
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(
            self.store.disclose(move |tx| records.history_in_tx(tx, &actor, &definition, id, (before, limit))),
        )
    }

    fn history_in_tx(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
        id: RecordId,
        (before, limit): (Option<u64>, usize),
    ) -> Result<(HistoryView, Vec<audit::Entry>), Refused> {
        let policy = self.policy();
        let scope = policy
            .scope(actor, object, Verb::Read)
            .map_err(|denied| self.denial(actor, Act::History, denied, Some(id)))?;
        let row = tx.row(object, id, &[])?.filter(|row| !row.deleted());
        let row = row.ok_or_else(|| self.missing(actor, Act::History, &object.name, id))?;
        let grant = scope.grant(row.facts()).map_err(|denied| self.denial(actor, Act::History, denied, Some(id)))?;
        let mut acts = tx.history(&grant, &row, before, limit + 1)?;
        let more = acts.len() > limit;
        acts.truncate(limit);
        let next = acts.last().filter(|_| more).map(|act| act.seq);
        let mut tally = Tally::default();
        let items = acts.into_iter().map(|act| act_view(object, grant.levels(), act, &mut tally)).collect();
        let mut entry = self.store.entry(actor, Act::History).on_record(&object.name, id);
        entry.decision.rules = scope.why().rules.clone();
        tally.into_entry(&mut entry);
        Ok((HistoryView { items, next }, vec![entry]))
    }
}

/// One act as its reader may see it; the tally is told of each value that is shown.
pub(crate) fn act_view(object: &ObjectDef, levels: &FieldLevels, act: HistoryEntry, tally: &mut Tally) -> ActView {
    // Who sees no files is not told that there was one, only that something was done.
    let hidden = matches!(act.verb, Act::AttachmentAdd | Act::AttachmentRemove) && levels.files() < Level::Exists;
    ActView {
        seq: act.seq,
        at: act.at,
        verb: if hidden { Act::Update } else { act.verb }.name(),
        user: act.user,
        channel: act.channel.name(),
        note: if hidden { String::new() } else { act.note },
        changes: act.moves.iter().filter_map(|moved| move_view(object, levels, moved, tally)).collect(),
    }
}

fn move_view(object: &ObjectDef, levels: &FieldLevels, moved: &FieldMove, tally: &mut Tally) -> Option<MoveView> {
    let field = object.fields.get(moved.field)?;
    let level = levels.get(moved.field);
    let values = [&moved.before, &moved.after];
    if level >= Level::Masked && values.into_iter().flatten().any(|value| !value.is_null()) {
        tally.field(object, moved.field, if level >= Level::Read { How::Clear } else { How::Masked });
    }
    let side = |value: &Option<Value>| {
        value.as_ref().filter(|_| level >= Level::Masked).map(|value| shown(field, value, level))
    };
    Some(MoveView {
        field: field.name.clone(),
        before: side(&moved.before),
        after: side(&moved.after),
        masked: level == Level::Masked,
        hidden: !moved.kept || level < Level::Masked,
    })
}

fn shown(field: &FieldDef, value: &Value, level: Level) -> Json {
    if level >= Level::Read {
        value.to_wire(&field.field_type)
    } else {
        Json::String(mask(field.mask_or_all(), value, &field.field_type))
    }
}
