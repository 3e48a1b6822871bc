//! What a set holds, as far as somebody may see it: objects with counts, and records found by name, number or id. Records
//! out of reach are in no count and on no page.

use super::sight::{Present, Sight};
use super::{Kept, Pair, PickSet, PickState, all_fields, keyed};
use crate::list::{page_rows, read_cursor};
use crate::reduce::Tally;
use crate::search::groups_where;
use crate::{Pending, Records};
use audit::{How, Verb as Act};
use authz::{Level, Verb};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use identity::Actor;
use kernel::{Code, Fault, Label, RecordId};
use metadata::{Value, mask};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{Condition, Cursor, Filter, ListQuery, Op, ReadTx, StoreError};

/// Records that are looked at one by one for a count, where the reach is narrow; beyond it is "at least".
const COUNTED_MAX: usize = 2_000;
/// Records that are looked at together.
pub(crate) const TOGETHER: usize = 200;
/// Looks into the set for one page.
const ROUNDS_MAX: usize = 100;

/// An object of a set.
#[derive(Clone, Debug, Serialize)]
pub struct PickObject {
    /// Its name.
    pub object: String,
    /// What people read.
    pub label: Label,
    /// Records in sight.
    pub count: u64,
    /// Whether there may be more.
    pub count_is_minimum: bool,
}

/// The objects of a set that somebody may read.
#[derive(Clone, Debug, Serialize)]
pub struct PickObjects {
    /// In the order of the definitions.
    pub items: Vec<PickObject>,
}

/// Which records of an object.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PickListed {
    /// Words of the name, a human number, or an id.
    pub q: Option<String>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows of the page.
    pub limit: Option<usize>,
}

/// A record of a set in a list.
#[derive(Clone, Debug, Serialize)]
pub struct PickRow {
    /// The record.
    pub id: RecordId,
    /// What it was called then, as far as that may be read.
    pub title: Option<String>,
    /// Its human number then.
    pub number: Option<String>,
    /// Where it is now.
    pub state: PickState,
}

/// A page of records of a set.
#[derive(Clone, Debug, Serialize)]
pub struct PickPage {
    /// The youngest first.
    pub items: Vec<PickRow>,
    /// Pass as `cursor` to see more.
    pub next: Option<String>,
}

impl Records {
    /// The objects of a set that somebody may read, with counts.
    pub fn pick_objects(&self, actor: &Arc<Actor>, set: &Arc<PickSet>) -> Pending<PickObjects> {
        let (records, actor, set) = (self.clone(), Arc::clone(actor), Arc::clone(set));
        Pending::in_background(move || {
            records.may_pick(&actor, &set)?;
            let mut items = Vec::new();
            for today in records.catalog().objects() {
                let Ok(pair) = records.pair(&set, &today.name) else { continue };
                let Some((count, count_is_minimum)) = records.pick_count(&actor, &set, &pair)? else { continue };
                let (object, label) = (today.name.clone(), today.plural.clone());
                items.push(PickObject { object, label, count, count_is_minimum });
            }
            let mut entry = records.store.entry(&actor, Act::BackupPick);
            entry.note = format!("{}: objects", set.name());
            records.store.append(vec![entry]).wait()?;
            Ok(PickObjects { items })
        })
    }

    /// How many records are in sight; `None` for who may read none.
    fn pick_count(&self, actor: &Arc<Actor>, set: &PickSet, pair: &Pair) -> Result<Option<(u64, bool)>, Fault> {
        let policy = self.policy();
        let everywhere = |object, verb| policy.scope(actor, object, verb).map(|scope| scope.predicate().is_all());
        let (Ok(then), Ok(now)) = (everywhere(&pair.then, Verb::Read), everywhere(&pair.now, Verb::Read)) else {
            return Ok(None);
        };
        if then && now && everywhere(&pair.now, Verb::Delete).unwrap_or(false) {
            let (actor, pair) = (Arc::clone(actor), pair.clone());
            let counted = set.store.read(move |tx| {
                let scope =
                    policy.scope(&actor, &pair.then, Verb::Read).map_err(|denied| StoreError::Fault(denied.into()))?;
                tx.count(&scope, &query(&pair, Vec::new(), 1, None), None)
            });
            return Ok(Some((counted.wait()?, false)));
        }
        let (mut count, mut looked, mut after) = (0, 0, None);
        loop {
            let (kept, next) = self.pick_rows(actor, set, pair, (None, after, TOGETHER))?;
            looked += kept.len();
            count += self.pick_visible(actor, pair, kept)?.len();
            after = next;
            if after.is_none() || looked >= COUNTED_MAX {
                return Ok(Some((u64::try_from(count).unwrap_or(u64::MAX), after.is_some())));
            }
        }
    }

    /// The records of an object, the youngest first, or those that a text finds.
    pub fn pick_list(
        &self,
        actor: &Arc<Actor>,
        set: &Arc<PickSet>,
        object: &str,
        request: PickListed,
    ) -> Pending<PickPage> {
        let (records, actor, set, object) = (self.clone(), Arc::clone(actor), Arc::clone(set), object.to_owned());
        Pending::in_background(move || {
            records.may_pick(&actor, &set)?;
            let pair = records.pair(&set, &object)?;
            let scope = records.policy().scope(&actor, &pair.now, Verb::Read).map(|_| ());
            scope.map_err(|denied| records.log_refusal(records.denial(&actor, Act::BackupPick, denied, None)))?;
            let limit = page_rows(request.limit)?;
            let text = request.q.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
            let mut after = request.cursor.as_deref().map(read_cursor).transpose()?;
            let mut shown = Vec::new();
            for _ in 0..ROUNDS_MAX {
                let (kept, next) =
                    records.pick_rows(&actor, &set, &pair, (text.clone(), after, limit - shown.len()))?;
                shown.extend(records.pick_visible(&actor, &pair, kept)?);
                after = next;
                if after.is_none() || shown.len() == limit {
                    break;
                }
            }
            let next = after.map(|cursor| URL_SAFE_NO_PAD.encode(cursor.to_bytes()));
            let items = records.pick_shown(&actor, &set, &pair, (shown, text))?;
            Ok(PickPage { items, next })
        })
    }

    /// A page of rows in the reach of then, with what follows it.
    pub(crate) fn pick_rows(
        &self,
        actor: &Arc<Actor>,
        set: &PickSet,
        pair: &Pair,
        (text, after, limit): (Option<String>, Option<Cursor>, usize),
    ) -> Result<(Vec<Kept>, Option<Cursor>), Fault> {
        let (policy, actor, pair) = (self.policy(), Arc::clone(actor), pair.clone());
        let found = set.store.read(move |tx| {
            let denied = |denied: authz::Denied| StoreError::Fault(denied.into());
            let then = policy.scope(&actor, &pair.then, Verb::Read).map_err(denied)?;
            let now = policy.scope(&actor, &pair.now, Verb::Read).map_err(denied)?;
            let mut query = query(&pair, all_fields(&pair.then), limit, after);
            if let Some(text) = text {
                // What one may not read today finds nothing, however it was readable then.
                let readable = |at: usize| {
                    let name = pair.then.fields.get(at).map(|field| field.name.as_str());
                    let today = name.and_then(|name| pair.now.field_index(name));
                    then.floor().get(at) >= Level::Read && today.is_some_and(|at| now.floor().get(at) >= Level::Read)
                };
                find(&pair, &mut query, &text, readable)?;
            }
            let page = tx.list(&then, &query)?;
            Ok((keyed(tx, page.rows)?, page.next))
        });
        found.wait()
    }

    /// Those of them that the actor may see now, without those whose keys were destroyed.
    fn pick_visible(&self, actor: &Arc<Actor>, pair: &Pair, kept: Vec<Kept>) -> Result<Vec<Kept>, Fault> {
        if kept.is_empty() {
            return Ok(kept);
        }
        let (policy, actor, pair) = (self.policy(), Arc::clone(actor), pair.clone());
        let seen = self.store.read(move |tx| {
            let mut present = Present::of(tx, &pair, &kept, &[])?;
            let sees = |kept: &Kept| {
                let sight = present.sight(&policy, &actor, &pair, kept);
                sight.is_some_and(|sight| sight.state != PickState::Erased)
            };
            Ok(kept.into_iter().filter(sees).collect())
        });
        seen.wait()
    }

    /// Titles and states, once the log knows.
    pub(crate) fn pick_shown(
        &self,
        actor: &Arc<Actor>,
        set: &PickSet,
        pair: &Pair,
        (kept, text): (Vec<Kept>, Option<String>),
    ) -> Result<Vec<PickRow>, Fault> {
        let (records, actor, pair, name) = (self.clone(), Arc::clone(actor), pair.clone(), set.name().to_owned());
        let shown = self.store.disclose(move |tx| {
            let (policy, mut tally) = (records.policy(), Tally::default());
            let mut present = Present::of(tx, &pair, &kept, &[])?;
            let mut rows = Vec::with_capacity(kept.len());
            for kept in &kept {
                let Some(sight) = present.sight(&policy, &actor, &pair, kept) else { continue };
                let title = title_of(tx, &pair, kept, &sight, &mut tally)?;
                let number = plain_text(tx, &pair, kept, &sight, "number")?;
                rows.push(PickRow { id: kept.row.id(), title, number, state: sight.state });
            }
            let ids = rows.iter().map(|row| row.id).collect();
            let mut entry = records.store.entry(&actor, Act::BackupPick).on_list(&pair.now.name, ids);
            entry.note = name;
            entry.target.query = text.map(|text| crate::list::digest(text.as_bytes()));
            tally.into_entry(&mut entry);
            Ok((rows, vec![entry]))
        });
        shown.wait().map(store::Durable::into_inner)
    }
}

fn query(pair: &Pair, fields: Vec<usize>, limit: usize, after: Option<Cursor>) -> ListQuery {
    ListQuery {
        object: Arc::clone(&pair.then),
        filter: None,
        search: Vec::new(),
        sort: Vec::new(),
        after,
        limit,
        fields,
        deleted: false,
        within: None,
    }
}

/// An id, a human number, or words.
fn find(pair: &Pair, query: &mut ListQuery, text: &str, readable: impl Fn(usize) -> bool) -> Result<(), Fault> {
    if let Ok(id) = text.parse::<RecordId>() {
        query.filter = Some(Filter::Ids(vec![id]));
        return Ok(());
    }
    let numbered = pair.then.number.as_ref().filter(|number| {
        let digits = text.get(number.prefix.len()..).unwrap_or_default();
        let prefix = text.get(..number.prefix.len()).unwrap_or_default();
        prefix.eq_ignore_ascii_case(&number.prefix)
            && !digits.is_empty()
            && digits.bytes().all(|digit| digit.is_ascii_digit())
    });
    let at = pair.then.field_index("number").filter(|at| readable(*at));
    if let (Some(_), Some(field)) = (numbered, at) {
        let op = Op::Eq(Value::Text(text.to_uppercase()));
        query.filter = Some(Filter::Is(Condition { field, part: None, op }));
        return Ok(());
    }
    query.search = groups_where(&pair.then, readable, text)?;
    if query.search.is_empty() {
        return Err(Fault::new(Code::ParameterInvalid, "The search text has no letter and no digit."));
    }
    Ok(())
}

/// What a record was called then, as far as that may be read.
pub(crate) fn title_of(
    tx: &mut ReadTx<'_>,
    pair: &Pair,
    kept: &Kept,
    sight: &Sight<'_>,
    tally: &mut Tally,
) -> Result<Option<String>, StoreError> {
    let Some((then, now, level)) = position(pair, sight, &pair.now.title_field) else { return Ok(None) };
    let Some(field) = pair.now.fields.get(now).filter(|_| level >= Level::Masked && sight.state != PickState::Erased)
    else {
        return Ok(None);
    };
    let value = match tx.value(&sight.then, &kept.row, then) {
        Ok(value) => value.unwrap_or(Value::Null),
        Err(StoreError::Vault(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    if value.is_null() {
        return Ok(None);
    }
    tally.field(&pair.now, now, if level >= Level::Read { How::Clear } else { How::Masked });
    if level < Level::Read {
        return Ok(Some(mask(field.mask_or_all(), &value, &field.field_type)));
    }
    Ok(value.to_text(&field.field_type))
}

/// The text of a plain field that may be read.
pub(crate) fn plain_text(
    tx: &mut ReadTx<'_>,
    pair: &Pair,
    kept: &Kept,
    sight: &Sight<'_>,
    name: &str,
) -> Result<Option<String>, StoreError> {
    let Some((then, now, level)) = position(pair, sight, name) else { return Ok(None) };
    let Some(field) = pair.now.fields.get(now).filter(|field| level >= Level::Read && !field.is_sealed()) else {
        return Ok(None);
    };
    Ok(tx.value(&sight.then, &kept.row, then)?.and_then(|value| value.to_text(&field.field_type)))
}

/// The positions of a field then and now, and how much of it may be seen.
fn position(pair: &Pair, sight: &Sight<'_>, name: &str) -> Option<(usize, usize, Level)> {
    let (then, now) = (pair.then.field_index(name)?, pair.now.field_index(name)?);
    Some((then, now, sight.level(then, now)))
}
