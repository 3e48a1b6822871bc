//! What was chosen of a set's record becomes a change of the live one: out of the bin, made anew under its old id, or field by
//! field. By the verbs that anybody uses, with their decisions, versions, entries and history; the set is named in each.

use super::fields::{Compare, Target};
use super::{Kept, Pair, PickField, PickSet, PickState, PickWhy};
use crate::change::Expect;
use crate::create::CreateOptions;
use crate::reduce::Tally;
use crate::{Pending, RecordView, Records};
use audit::Verb as Act;
use authz::AppAction;
use identity::Actor;
use kernel::{Code, Fault, FaultItem, RecordId, Timestamp, limits};
use metadata::{ObjectKind, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use store::{Cause, Changed, Refused, WriteTx};

/// What is to be brought back of a record.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PickAsk {
    /// These fields; all that can be when absent.
    pub fields: Option<Vec<String>>,
    /// References whose records are brought back first.
    pub with: Vec<String>,
    /// Only look what would happen.
    pub dry_run: bool,
}

/// What was brought back.
#[derive(Clone, Debug, Serialize)]
pub struct Picked {
    /// The object.
    pub object: String,
    /// The record, under the id it had.
    pub id: RecordId,
    /// Where it was before.
    pub was: PickState,
    /// Its version now.
    pub version: i64,
    /// The fields that were written.
    pub brought: Vec<String>,
    /// Fields of a record made anew that stay empty, with why.
    pub left: Vec<(String, PickWhy)>,
    /// Records that came back with it.
    pub with: Vec<(String, RecordId)>,
    /// Whether it has the human number it had; absent where it has none, or kept it.
    pub number_kept: Option<bool>,
    /// Whether nothing was written, only tried.
    pub dry_run: bool,
    /// The record as its reader sees it now; absent after a try.
    pub record: Option<RecordView>,
}

/// Which version somebody chose from, and what.
pub(crate) struct Choice<'c> {
    pub(crate) expect: Expect,
    pub(crate) fields: Option<&'c [String]>,
    pub(crate) with: &'c [String],
    /// One of many: a record in the bin is only taken out, as it lay there, and of the fields that are named those are
    /// written that can be.
    pub(crate) as_it_lay: bool,
}

impl Records {
    /// Brings a record, or fields of it, back from a set.
    pub fn pick_bring(
        &self,
        actor: &Arc<Actor>,
        set: &Arc<PickSet>,
        (object, id): (&str, RecordId),
        if_match: Option<i64>,
        ask: PickAsk,
    ) -> Pending<Picked> {
        let (records, actor, set, object) = (self.clone(), Arc::clone(actor), Arc::clone(set), object.to_owned());
        Pending::in_background(move || {
            records.may_pick(&actor, &set)?;
            if ask.fields.as_ref().map_or(0, Vec::len).max(ask.with.len()) > limits::PICK_FIELDS_MAX {
                let detail = format!("At most {} fields (PICK_FIELDS_MAX).", limits::PICK_FIELDS_MAX);
                return Err(Fault::new(Code::LimitExceeded, detail));
            }
            let pair = records.pair(&set, &object)?;
            let (kept, targets) = records.pick_kept(&actor, &set, &pair, id)?;
            let writer = records.clone();
            let written = records.store.write(move |tx| {
                let expect = Expect::Version(if_match);
                let choice = Choice { expect, fields: ask.fields.as_deref(), with: &ask.with, as_it_lay: false };
                if ask.dry_run {
                    return writer.pick_tried(tx, &actor, set.name(), &pair, (&kept, &targets), &choice);
                }
                let mut picked = writer.pick_in_tx(tx, &actor, set.name(), &pair, (&kept, &targets), &choice)?;
                picked.record = Some(writer.after_write(tx, &actor, &pair.now, id, picked.version)?);
                Ok(picked)
            });
            written.wait()
        })
    }

    /// Does it and takes it back.
    fn pick_tried(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        set: &str,
        pair: &Pair,
        kept: (&Kept, &[Target]),
        choice: &Choice<'_>,
    ) -> Result<Picked, Refused> {
        let mut outcome = Err(Refused::from(Fault::internal("nothing was tried")));
        let undone = tx.attempt(|tx| -> Result<(), Refused> {
            outcome = self.pick_in_tx(tx, actor, set, pair, kept, choice);
            // Whatever it was, it does not stay.
            Err(Fault::new(Code::BadRequest, "only tried").into())
        })?;
        drop(undone);
        let picked = outcome?;
        let mut entry = tx.entry(actor, Act::BackupPick).on_record(&pair.now.name, picked.id);
        entry.note = format!("{set}: only tried");
        tx.log_entry(&entry)?;
        Ok(Picked { dry_run: true, ..picked })
    }

    /// The one road of single records and of whole objects.
    pub(crate) fn pick_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        set: &str,
        pair: &Pair,
        (kept, targets): (&Kept, &[Target]),
        choice: &Choice<'_>,
    ) -> Result<Picked, Refused> {
        let act = self.policy().act(actor, AppAction::BackupPick);
        act.map_err(|denied| self.denial(actor, Act::BackupPick, denied, Some(kept.row.id())))?;
        let with = self.pick_with(tx, actor, set, targets, choice.with, &pair.then)?;
        let sight = self.pick_sight(tx.read(), (actor, pair), kept)?;
        let write = self.pick_write_levels(actor, pair, kept, &sight);
        let compare = Compare { actor, pair, kept, targets, write: write.as_ref() };
        let fields = self.pick_fields(tx.read(), &compare, &sight, &mut Tally::default())?;
        let (was, version) = (sight.state, sight.version());
        let created_at = match pair.then.field_index("created_at") {
            Some(at) => tx.read().value(&sight.then, &kept.row, at)?,
            None => None,
        };
        let number = super::browse::plain_text(tx.read(), pair, kept, &sight, "number")?;
        drop(sight);
        let chosen = chosen(&fields, choice, was)?;
        let cause = Cause { backup_set: Some(set.to_owned()), ..Cause::default() };
        let mut number_kept = None;
        let changed = match was {
            PickState::Erased => return Err(erased().into()),
            PickState::Live => {
                self.change_in_tx(tx, actor, &pair.now, (kept.row.id(), choice.expect), &chosen, cause)?
            }
            PickState::Binned => {
                let version = match choice.expect {
                    Expect::Version(None) => return Err(version_required().into()),
                    Expect::Version(version) => version,
                    Expect::Current => version,
                };
                let out = self.restore_in_tx(tx, actor, &pair.now, (kept.row.id(), version))?;
                if chosen.is_empty() {
                    out
                } else {
                    self.change_in_tx(tx, actor, &pair.now, (out.id, Expect::Current), &chosen, cause)?
                }
            }
            PickState::Missing => {
                let (made, kept_number) =
                    self.pick_made(tx, actor, pair, (kept.row.id(), chosen.clone()), (created_at, number, cause))?;
                number_kept = kept_number;
                made
            }
        };
        let brought: Vec<String> = chosen.keys().cloned().collect();
        if changed.moved || !with.is_empty() {
            self.pick_logged(tx, actor, set, pair, (changed.id, was), &brought)?;
        }
        let left =
            |field: PickField| field.why.filter(|why| !matches!(why, PickWhy::ReadOnly)).map(|why| (field.field, why));
        let left = if was == PickState::Missing {
            fields.into_iter().filter(has_value).filter_map(left).collect()
        } else {
            Vec::new()
        };
        Ok(Picked {
            object: pair.now.name.clone(),
            id: changed.id,
            was,
            version: changed.version,
            brought,
            left,
            with,
            number_kept,
            dry_run: false,
            record: None,
        })
    }

    /// The records of these references, brought back whole; what they point to themselves is not followed.
    fn pick_with(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        set: &str,
        targets: &[Target],
        names: &[String],
        then: &metadata::ObjectDef,
    ) -> Result<Vec<(String, RecordId)>, Refused> {
        let mut brought = Vec::new();
        for name in names {
            let at = then.field_index(name);
            let target = targets.iter().find(|target| at.is_some_and(|at| target.is_of(at)));
            let Some((pair, kept)) = target.and_then(|target| target.found.as_ref()) else {
                let detail = format!("What {name} pointed to is not in the set.");
                return Err(Fault::invalid(Vec::new())
                    .with_item(format!("/with/{name}"), Code::ReferenceUnknown, detail)
                    .into());
            };
            let choice = Choice { expect: Expect::Current, fields: None, with: &[], as_it_lay: true };
            let sight = self.pick_sight(tx.read(), (actor, pair), kept)?;
            if sight.state == PickState::Live {
                continue;
            }
            drop(sight);
            let picked = self.pick_in_tx(tx, actor, set, pair, (kept, &[]), &choice)?;
            brought.push((picked.object, picked.id));
        }
        Ok(brought)
    }

    /// A record that is nowhere any more, made anew under its id and, where nobody else has it, its number.
    fn pick_made(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        pair: &Pair,
        (id, body): (RecordId, Map<String, Json>),
        (created_at, number, cause): (Option<Value>, Option<String>, Cause),
    ) -> Result<(Changed, Option<bool>), Refused> {
        if pair.now.kind == ObjectKind::Organisation {
            let detail = "Users, teams and units that are gone are not brought back from a set; make them anew.";
            return Err(Fault::new(Code::ParameterInvalid, detail).into());
        }
        let created_at: Option<Timestamp> = match created_at {
            Some(Value::Timestamp(at)) => Some(at),
            _ => None,
        };
        let numbered = pair.now.number.is_some();
        let known = number.filter(|_| numbered);
        let free = match &known {
            Some(number) => tx.read().number_is_free(&pair.now, number)?,
            None => false,
        };
        let number = known.filter(|_| free);
        let cause = Cause { created_at, number, ..cause };
        let options = CreateOptions { cause, id: Some(id), ..CreateOptions::default() };
        let id = self.create_in_tx(tx, actor, &pair.now, &body, options)?;
        Ok((Changed { id, version: 1, moved: true }, numbered.then_some(free)))
    }

    fn pick_logged(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Actor,
        set: &str,
        pair: &Pair,
        (id, was): (RecordId, PickState),
        brought: &[String],
    ) -> Result<(), Refused> {
        let mut entry = tx.entry(actor, Act::BackupPick).on_record(&pair.now.name, id);
        let what = match was {
            PickState::Live | PickState::Erased => "fields brought back",
            PickState::Binned => "taken out of the bin",
            PickState::Missing => "made anew",
        };
        let names = if brought.is_empty() { String::new() } else { format!(": {}", brought.join(", ")) };
        entry.note = format!("{set}: {what}{names}").chars().take(limits::PURPOSE_CHARS_MAX).collect();
        Ok(tx.log_entry(&entry)?)
    }
}

fn has_value(field: &PickField) -> bool {
    !matches!(&field.then, Json::Null | Json::Bool(false)) || field.why == Some(PickWhy::KeyGone)
}

fn version_required() -> Fault {
    Fault::new(Code::VersionRequired, "Send If-Match with the version you read, such as If-Match: \"3\".")
}

fn erased() -> Fault {
    let detail = "The keys of this person or record were destroyed since the set was made (an erasure, or sample data that was removed). What the set holds of it does not come back.";
    Fault::new(Code::RestoreRefused, detail)
}

/// The values to write. Whoever names a field that cannot be brought back is told why.
fn chosen(fields: &[PickField], choice: &Choice<'_>, was: PickState) -> Result<Map<String, Json>, Fault> {
    let body = |wanted: &dyn Fn(&PickField) -> bool| {
        let taken = fields.iter().filter(|field| wanted(field));
        taken.map(|field| (field.field.clone(), field.then.clone())).collect::<Map<_, _>>()
    };
    if was == PickState::Binned && choice.as_it_lay {
        return Ok(Map::new());
    }
    let Some(names) = choice.fields else {
        return Ok(body(&|field| field.choosable));
    };
    // A record made anew gets what it had; the choice is about those that are there.
    if choice.as_it_lay {
        return Ok(body(&|field| field.choosable && (was == PickState::Missing || names.contains(&field.field))));
    }
    let mut items = Vec::new();
    for name in names {
        let field = fields.iter().find(|field| field.field == *name);
        let told = match field {
            None => Some((
                Code::FieldUnknown,
                "The set, or the appliance, has no such field that you could see.".to_owned(),
            )),
            Some(field) => field.why.filter(|_| field.same != Some(true)).map(|why| why_told(why, field)),
        };
        if let Some((code, detail)) = told {
            items.push(FaultItem { pointer: format!("/{name}"), code, detail });
        }
    }
    if !items.is_empty() {
        let mut fault =
            Fault::new(Code::RestoreRefused, "Some of these fields cannot be brought back; nothing was changed.");
        fault.items = items;
        return Err(fault);
    }
    Ok(body(&|field| field.choosable && names.contains(&field.field)))
}

fn why_told(why: PickWhy, field: &PickField) -> (Code, String) {
    let (code, detail) = match why {
        PickWhy::ReadOnly => (Code::FieldReadOnly, "The appliance sets this field."),
        PickWhy::NotReadable => (Code::FieldDenied, "You do not see this field in clear."),
        PickWhy::NotWritable => (Code::FieldDenied, "Your roles do not let you set this field."),
        PickWhy::KeyGone => (Code::RestoreRefused, "The key that sealed this value was destroyed since."),
        PickWhy::ValueRefused => (Code::ValueNotAnOption, "The field does not take this value any more."),
        PickWhy::TargetGone => {
            (Code::ReferenceUnknown, "What it points to is gone or out of your reach; bring that back too.")
        }
        PickWhy::SubjectFixed => {
            (Code::FieldReadOnly, "The record is sealed with the key of the subject it was made for.")
        }
    };
    (code, field.detail.clone().unwrap_or_else(|| detail.to_owned()))
}
