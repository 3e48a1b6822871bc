//! Opening one record, and revealing masked values of it with a stated purpose.

use crate::fields::choose;
use crate::reduce::{self, Tally};
use crate::{Pending, RecordView, Records};
use audit::{FieldUse, How, Verb as Act};
use authz::{Level, Verb};
use identity::Actor;
use kernel::{Code, Fault, RecordId, limits};
use metadata::ObjectDef;
use serde_json::Map;
use std::sync::Arc;
use store::{ReadTx, Refused};

impl Records {
    /// One record by id, with these fields or all.
    pub fn open(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        id: RecordId,
        fields: Option<Vec<String>>,
    ) -> Pending<RecordView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| {
            let mut tally = Tally::default();
            let view = records.open_in_tx(tx, &actor, &definition, (id, fields.as_deref()), Act::Read, &mut tally)?;
            let mut entry = records.store.entry(&actor, Act::Read).on_record(&definition.name, id);
            if let Ok(scope) = records.policy().scope(&actor, &definition, Verb::Read) {
                entry.decision.rules = scope.why().rules.clone();
                entry.decision.epoch = Some(scope.why().epoch);
            }
            tally.into_entry(&mut entry);
            Ok((view, vec![entry]))
        }))
    }

    /// One record as this reader may see it; the caller logs. Records in the bin open only for those who may delete.
    pub(crate) fn open_in_tx(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
        (id, fields): (RecordId, Option<&[String]>),
        act: Act,
        tally: &mut Tally,
    ) -> Result<RecordView, Refused> {
        let (policy, catalog) = (self.policy(), Arc::clone(tx.catalog()));
        let scope =
            policy.scope(actor, object, Verb::Read).map_err(|denied| self.denial(actor, act, denied, Some(id)))?;
        let chosen = choose(&policy, &catalog, actor, object, fields, false)?;
        let row = tx.row(object, id, &chosen.to_load())?.ok_or_else(|| self.missing(actor, act, &object.name, id))?;
        let mut merged_into = None;
        if row.deleted() {
            merged_into = self.survivor_in_sight(tx, actor, object, id)?;
            if policy.grant::<authz::Delete>(actor, object, row.facts()).is_err() {
                let missing = self.missing(actor, act, &object.name, id);
                return Err(match merged_into {
                    Some(survivor) => crate::merge::led_on(missing, survivor),
                    None => missing,
                });
            }
        }
        let _may_read = scope.grant(row.facts()).map_err(|denied| self.denial(actor, act, denied, Some(id)))?;
        let views = reduce::records(tx, &scope, std::slice::from_ref(&row), &chosen, tally)?;
        let view = views.into_iter().next().ok_or_else(|| Fault::internal("one row gave no view"))?;
        Ok(RecordView { merged_into, ..view })
    }

    /// Masked values in clear, for a purpose that the log keeps. Only fields one sees masked can be revealed.
    pub fn reveal(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        id: RecordId,
        fields: Vec<String>,
        purpose: &str,
    ) -> Pending<RecordView> {
        let purpose = purpose.trim().to_owned();
        if purpose.is_empty()
            || purpose.chars().count() > limits::PURPOSE_CHARS_MAX
            || purpose.chars().any(char::is_control)
        {
            let detail = format!("State why you need the values, in 1 to {} characters.", limits::PURPOSE_CHARS_MAX);
            return Pending::failed(Fault::new(Code::PurposeRequired, detail));
        }
        if fields.is_empty() || fields.len() > limits::LIST_FIELDS_MAX {
            return Pending::failed(Fault::new(Code::ParameterInvalid, "Name the fields to reveal."));
        }
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(
            self.store.disclose(move |tx| records.reveal_in_tx(tx, &actor, &definition, (id, &fields), &purpose)),
        )
    }

    fn reveal_in_tx(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
        (id, names): (RecordId, &[String]),
        purpose: &str,
    ) -> Result<(RecordView, Vec<audit::Entry>), Refused> {
        let policy = self.policy();
        let wanted =
            names.iter().map(|name| crate::fields::position(object, name, name)).collect::<Result<Vec<_>, _>>()?;
        let read = policy
            .scope(actor, object, Verb::Read)
            .map_err(|denied| self.denial(actor, Act::Reveal, denied, Some(id)))?;
        policy
            .scope(actor, object, Verb::Reveal)
            .map_err(|denied| self.denial(actor, Act::Reveal, denied, Some(id)))?;
        let row = tx.row(object, id, &wanted)?.filter(|row| !row.deleted());
        let row = row.ok_or_else(|| self.missing(actor, Act::Reveal, &object.name, id))?;
        let grant = read.grant(row.facts()).map_err(|denied| self.denial(actor, Act::Reveal, denied, Some(id)))?;
        let reveal = policy
            .grant::<authz::Reveal>(actor, object, row.facts())
            .map_err(|denied| self.denial(actor, Act::Reveal, denied, Some(id)))?;
        let mut view = RecordView {
            id,
            object: object.name.clone(),
            version: row.version(),
            deleted: false,
            merged_into: None,
            fields: Map::new(),
            reduced: Map::new(),
        };
        let mut used = Vec::with_capacity(wanted.len());
        for at in wanted {
            let Some(field) = object.fields.get(at) else { continue };
            // The role that reveals must itself show the field: one role's reach does not lend another role's fields.
            if grant.levels().get(at).min(reveal.levels().get(at)) < Level::Masked {
                let fault =
                    Fault::new(Code::FieldDenied, format!("Your roles do not let you reveal field {}.", field.name));
                return Err(self.field_denied(actor, Act::Reveal, &object.name, fault));
            }
            let value = tx.value(&grant, &row, at)?.unwrap_or(metadata::Value::Null);
            view.fields.insert(field.name.clone(), value.to_wire(&field.field_type));
            used.push(FieldUse { field: field.name.clone(), how: How::Clear });
        }
        let mut entry = self.store.entry(actor, Act::Reveal).on_record(&object.name, id);
        entry.decision.rules = reveal.why().rules.clone();
        entry.decision.epoch = Some(reveal.why().epoch);
        entry.act.purpose = purpose.to_owned();
        entry.fields = used;
        Ok((view, vec![entry]))
    }
}
