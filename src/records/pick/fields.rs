//! A record of a set beside the record of now, field by field: what may be shown of both, whether they differ, and whether
//! the value of then can be brought back, and why not. The same list decides what is shown and what is written.

use super::browse::title_of;
use super::sight::{Present, Sight};
use super::{Kept, Pair, PickSet, PickState};
use crate::Records;
use crate::fields::pointed;
use crate::reduce::Tally;
use audit::How;
use authz::{FieldLevels, Level, Read, Verb};
use identity::Actor;
use kernel::{Fault, RecordId};
use metadata::{FieldDef, Subject, Value, mask, parse_value};
use serde::Serialize;
use serde_json::Value as Json;
use std::sync::Arc;
use store::{ReadTx, StoreError};

/// Why a value cannot be brought back.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum PickWhy {
    /// The appliance sets it.
    ReadOnly,
    /// The actor does not see it in clear.
    NotReadable,
    /// The actor may not set it.
    NotWritable,
    /// The key that sealed it was destroyed since.
    KeyGone,
    /// The definitions of now do not take it: an option that was retired, another type.
    ValueRefused,
    /// What it points to is gone or out of reach.
    TargetGone,
    /// The record is sealed with the key of the subject it was made for.
    SubjectFixed,
}

/// What a reference of then points to.
#[derive(Clone, Debug, Serialize)]
pub struct PickTarget {
    /// The object.
    pub object: String,
    /// The record.
    pub id: RecordId,
    /// What it was called then, as far as that may be read.
    pub title: Option<String>,
    /// Where it is now; absent when it is not in the set, or not in sight.
    pub state: Option<PickState>,
}

/// One field of both.
#[derive(Clone, Debug, Serialize)]
pub struct PickField {
    /// Its name.
    pub field: String,
    /// Its value then: in clear, as its mask, or whether there was one.
    pub then: Json,
    /// Its value now, likewise; `null` for a record that is nowhere.
    pub now: Json,
    /// `clear`, `masked` or `exists`.
    pub shown: &'static str,
    /// Whether both are the same; absent where that is not for the actor to know.
    pub same: Option<bool>,
    /// Whether the value of then can be brought back.
    pub choosable: bool,
    /// Why not.
    pub why: Option<PickWhy>,
    /// The same in words, where the definitions say more.
    pub detail: Option<String>,
    /// What it points to, of a reference.
    pub target: Option<PickTarget>,
}

/// The record that a reference of a set's record points to, as it lies in the set.
pub(crate) struct Target {
    field: usize,
    pub(crate) object: String,
    pub(crate) id: RecordId,
    pub(crate) found: Option<(Pair, Kept)>,
}

impl Target {
    /// Whether this field points to it.
    pub(crate) fn is_of(&self, field: usize) -> bool {
        self.field == field
    }
}

/// What one comparison needs beside the record.
pub(crate) struct Compare<'c> {
    pub(crate) actor: &'c Actor,
    pub(crate) pair: &'c Pair,
    pub(crate) kept: &'c Kept,
    pub(crate) targets: &'c [Target],
    /// What the actor may set, where anything.
    pub(crate) write: Option<&'c FieldLevels>,
}

impl Records {
    /// The records that the references point to that the actor may read, as they lie in the set.
    pub(crate) fn targets_of(
        &self,
        actor: &Arc<Actor>,
        set: &PickSet,
        pair: &Pair,
        kept: Kept,
    ) -> Result<(Kept, Vec<Target>), Fault> {
        let (policy, who, both) = (self.policy(), Arc::clone(actor), pair.clone());
        let pointed = set.store.read(move |tx| {
            let mut found = Vec::new();
            if let Ok(grant) = policy.grant::<Read>(&who, &both.then, kept.row.facts()) {
                for (at, field) in both.then.fields.iter().enumerate() {
                    let plain = !field.reference_targets().is_empty() && !field.is_sealed();
                    if plain
                        && grant.levels().get(at) >= Level::Read
                        && let Some(Value::Reference { object, id }) = tx.value(&grant, &kept.row, at)?
                    {
                        found.push((at, object, id));
                    }
                }
            }
            Ok((kept, found))
        });
        let (kept, pointed) = pointed.wait()?;
        let mut targets = Vec::with_capacity(pointed.len());
        for (field, object, id) in pointed {
            let found = match self.pair(set, &object) {
                Ok(pair) => self.kept_of(set, &pair.then, vec![id])?.pop().map(|kept| (pair, kept)),
                Err(_) => None,
            };
            targets.push(Target { field, object, id, found });
        }
        Ok((kept, targets))
    }

    /// Every field that the set and the definitions of now both have, and that the actor may know of.
    pub(crate) fn pick_fields(
        &self,
        tx: &mut ReadTx<'_>,
        compare: &Compare<'_>,
        sight: &Sight<'_>,
        tally: &mut Tally,
    ) -> Result<Vec<PickField>, StoreError> {
        let mut fields = Vec::new();
        if sight.state == PickState::Erased {
            return Ok(fields);
        }
        for (now, field) in compare.pair.now.fields.iter().enumerate() {
            let Some(then) = compare.pair.then.field_index(&field.name).filter(|_| !field.retired) else { continue };
            match sight.level(then, now) {
                Level::None => {}
                Level::Exists => fields.push(known(tx, compare, sight, (then, now, field), tally)),
                Level::Masked => fields.push(masked(tx, compare, sight, (then, now, field), tally)?),
                Level::Read | Level::Edit => fields.push(self.clear(tx, compare, sight, (then, now, field), tally)?),
            }
        }
        Ok(fields)
    }

    fn clear(
        &self,
        tx: &mut ReadTx<'_>,
        compare: &Compare<'_>,
        sight: &Sight<'_>,
        (then, now, field): (usize, usize, &FieldDef),
        tally: &mut Tally,
    ) -> Result<PickField, StoreError> {
        let Some(value) = value_then(tx, compare, sight, then)? else {
            return Ok(no_key(field, "clear"));
        };
        let current = value_now(tx, sight, now)?;
        if !value.is_null() || !current.is_null() {
            tally.field(&compare.pair.now, now, How::Clear);
        }
        // In the words of the field as it was: another type of now shows in whether it is taken.
        let then_type = compare.pair.then.fields.get(then).map_or(&field.field_type, |field| &field.field_type);
        let (old, new) = (value.to_wire(then_type), current.to_wire(&field.field_type));
        let same = old == new;
        let mut target = None;
        let mut why = self.refused(compare, sight, field, now);
        if let Some(id) = pointed(&value) {
            let (told, there) = self.target(tx, compare, then, id)?;
            if !there && why.is_none() && !same {
                why = Some(PickWhy::TargetGone);
            }
            target = told;
        }
        let mut detail = None;
        if why.is_none()
            && !same
            && !old.is_null()
            && let Err(item) = parse_value(field, &old, "")
        {
            why = Some(PickWhy::ValueRefused);
            detail = Some(item.detail);
        }
        let choosable = why.is_none() && !same;
        let name = field.name.clone();
        Ok(PickField {
            field: name,
            then: old,
            now: new,
            shown: "clear",
            same: Some(same),
            choosable,
            why,
            detail,
            target,
        })
    }

    /// Why nothing at all can be written to a field.
    fn refused(&self, compare: &Compare<'_>, sight: &Sight<'_>, field: &FieldDef, now: usize) -> Option<PickWhy> {
        if field.read_only {
            return Some(PickWhy::ReadOnly);
        }
        if compare.write.is_none_or(|levels| levels.get(now) < Level::Edit) {
            return Some(PickWhy::NotWritable);
        }
        let subject = matches!(&compare.pair.now.subject, Subject::Field(name) if *name == field.name);
        (subject && sight.now.is_some()).then_some(PickWhy::SubjectFixed)
    }

    /// What a reference of then points to, and whether it can be pointed to now.
    fn target(
        &self,
        tx: &mut ReadTx<'_>,
        compare: &Compare<'_>,
        then: usize,
        id: RecordId,
    ) -> Result<(Option<PickTarget>, bool), StoreError> {
        let Some(target) = compare.targets.iter().find(|target| target.field == then && target.id == id) else {
            return Ok((None, false));
        };
        let policy = self.policy();
        let mut there = false;
        if let Ok(object) = self.definition(&target.object) {
            let scope = policy.scope(compare.actor, &object, Verb::Read).ok();
            let facts = tx.facts(&object, id)?;
            there = scope.zip(facts).is_some_and(|(scope, facts)| scope.predicate().admits(&facts));
        }
        let mut told = PickTarget { object: target.object.clone(), id, title: None, state: None };
        if let Some((pair, kept)) = &target.found {
            let mut present = Present::of(tx, pair, std::slice::from_ref(kept), &[])?;
            if let Some(sight) = present.sight(&policy, compare.actor, pair, kept) {
                // The name of another record is told in the entry of this one only where it is no personal field.
                told.title = title_of(tx, pair, kept, &sight, &mut Tally::default())?;
                told.state = Some(sight.state);
            }
        }
        Ok((Some(told), there))
    }
}

/// The value of then, opened with a key of now; `None` when there is no such key any more.
fn value_then(
    tx: &mut ReadTx<'_>,
    compare: &Compare<'_>,
    sight: &Sight<'_>,
    at: usize,
) -> Result<Option<Value>, StoreError> {
    match tx.value(&sight.then, &compare.kept.row, at) {
        Ok(value) => Ok(Some(value.unwrap_or(Value::Null))),
        Err(StoreError::Vault(vault::VaultError::Sealed)) => Err(StoreError::Vault(vault::VaultError::Sealed)),
        Err(StoreError::Vault(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn value_now(tx: &mut ReadTx<'_>, sight: &Sight<'_>, at: usize) -> Result<Value, StoreError> {
    let Some((row, grant)) = &sight.now else { return Ok(Value::Null) };
    Ok(tx.value(grant, row, at)?.unwrap_or(Value::Null))
}

fn no_key(field: &FieldDef, shown: &'static str) -> PickField {
    PickField {
        field: field.name.clone(),
        then: Json::Null,
        now: Json::Null,
        shown,
        same: None,
        choosable: false,
        why: Some(PickWhy::KeyGone),
        detail: None,
        target: None,
    }
}

fn masked(
    tx: &mut ReadTx<'_>,
    compare: &Compare<'_>,
    sight: &Sight<'_>,
    (then, now, field): (usize, usize, &FieldDef),
    tally: &mut Tally,
) -> Result<PickField, StoreError> {
    let Some(value) = value_then(tx, compare, sight, then)? else { return Ok(no_key(field, "masked")) };
    let current = value_now(tx, sight, now)?;
    if !value.is_null() || !current.is_null() {
        tally.field(&compare.pair.now, now, How::Masked);
    }
    let hidden = |value: &Value| {
        if value.is_null() { Json::Null } else { Json::String(mask(field.mask_or_all(), value, &field.field_type)) }
    };
    Ok(reduced(field, "masked", (hidden(&value), hidden(&current))))
}

fn known(
    tx: &mut ReadTx<'_>,
    compare: &Compare<'_>,
    sight: &Sight<'_>,
    (then, now, field): (usize, usize, &FieldDef),
    tally: &mut Tally,
) -> PickField {
    tally.field(&compare.pair.now, now, How::Exists);
    let there = tx.has_value(&sight.then, &compare.kept.row, then).unwrap_or_default();
    let current = sight.now.as_ref().and_then(|(row, grant)| tx.has_value(grant, row, now));
    reduced(field, "exists", (Json::Bool(there), current.map_or(Json::Null, Json::Bool)))
}

/// What is not seen in clear is not compared either.
fn reduced(field: &FieldDef, shown: &'static str, (then, now): (Json, Json)) -> PickField {
    let why = Some(PickWhy::NotReadable);
    let name = field.name.clone();
    PickField { field: name, then, now, shown, same: None, choosable: false, why, detail: None, target: None }
}
