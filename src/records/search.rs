//! Search: the words of a text in the fields that are marked searchable, over one object or all, newest hits first.
//! E-mail addresses and telephone numbers are also looked up in the sealed fields that have an exact index.

use crate::fields::choose;
use crate::reduce::{self, Tally};
use crate::{Pending, Records, SearchGroup, SearchView};
use audit::{Disclosed, Verb as Act};
use authz::{FieldLevels, Level, Scope, Verb};
use identity::Actor;
use kernel::{Code, Fault, RecordId, limits};
use metadata::{FieldType, ObjectDef, Sealing, encode_token, parse_value, query_tokens};
use serde_json::Value as Json;
use std::sync::Arc;
use store::{Condition, Filter, ListQuery, Op, ReadTx, Refused, SearchQuery, StoreError, StoredRow};

/// The token groups of a text over the fields one may read: each word must be found in one of them.
pub(crate) fn groups_of(
    object: &ObjectDef,
    floor: &FieldLevels,
    text: &str,
) -> Result<Vec<Vec<(String, bool)>>, Fault> {
    groups_where(object, |at| floor.get(at) >= Level::Read, text)
}

/// The same over the fields that `may_read`.
pub(crate) fn groups_where(
    object: &ObjectDef,
    may_read: impl Fn(usize) -> bool,
    text: &str,
) -> Result<Vec<Vec<(String, bool)>>, Fault> {
    if text.chars().count() > limits::SEARCH_CHARS_MAX {
        return Err(Fault::new(
            Code::LimitExceeded,
            format!("At most {} characters (SEARCH_CHARS_MAX).", limits::SEARCH_CHARS_MAX),
        ));
    }
    let tags: Vec<&str> = object
        .fields
        .iter()
        .enumerate()
        .filter(|(at, field)| field.searchable && !field.is_sealed() && may_read(*at))
        .map(|(_, field)| field.name.as_str())
        .collect();
    if tags.is_empty() {
        return Err(Fault::new(
            Code::FieldNotFilterable,
            format!("Object {} has no field that you could search.", object.name),
        ));
    }
    let tokens = query_tokens(text);
    if tokens.is_empty() {
        return Err(no_token());
    }
    let group =
        |token: &metadata::QueryToken| tags.iter().map(|tag| (encode_token(tag, &token.text), token.prefix)).collect();
    Ok(tokens.iter().map(group).collect())
}

fn no_token() -> Fault {
    Fault::new(Code::ParameterInvalid, "The search text has no letter and no digit.")
}

impl Records {
    /// The newest hits in each object, or in these.
    pub fn search(&self, actor: &Arc<Actor>, q: &str, objects: Option<Vec<String>>) -> Pending<SearchView> {
        let text = q.trim().to_owned();
        if text.is_empty() {
            return Pending::failed(Fault::new(Code::ParameterInvalid, "Give a text to search for."));
        }
        if query_tokens(&text).is_empty() {
            return Pending::failed(no_token());
        }
        let catalog = self.catalog();
        let named = match &objects {
            None => Ok(catalog.objects().cloned().collect::<Vec<_>>()),
            Some(names) => names.iter().map(|name| self.definition(name)).collect(),
        };
        let definitions = match named {
            Ok(definitions) => definitions,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| records.search_in_tx(tx, &actor, &definitions, &text)))
    }

    fn search_in_tx(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        objects: &[Arc<ObjectDef>],
        text: &str,
    ) -> Result<(SearchView, Vec<audit::Entry>), Refused> {
        let policy = self.policy();
        let mut groups = Vec::new();
        let mut disclosed = Vec::new();
        let mut tally = Tally::default();
        let mut reachable = false;
        for object in objects {
            let scope = match policy.scope(actor, object, Verb::Read) {
                Ok(scope) => scope,
                // One named object is a question about it; among all, it is simply not there.
                Err(denied) if objects.len() == 1 => return Err(self.denial(actor, Act::Search, denied, None)),
                Err(_) => continue,
            };
            reachable = true;
            let hits = self.hits(tx, &scope, object, text)?;
            if hits.is_empty() {
                continue;
            }
            let more = hits.len() > limits::SEARCH_HITS_PER_OBJECT;
            let chosen = choose(&policy, tx.catalog().clone().as_ref(), actor, object, None, true)?;
            let shown = hits.get(..limits::SEARCH_HITS_PER_OBJECT.min(hits.len())).unwrap_or_default();
            let items = reduce::records(tx, &scope, shown, &chosen, &mut tally)?;
            let ids: Vec<RecordId> = items.iter().map(|item| item.id).collect();
            disclosed.push(Disclosed {
                object: object.name.clone(),
                count: u64::try_from(ids.len()).unwrap_or(0),
                ids,
            });
            groups.push(SearchGroup { object: object.name.clone(), items, more });
        }
        if !reachable {
            return Err(Fault::new(Code::AccessDenied, "Your roles do not let you read any of these objects.").into());
        }
        let mut entry = self.store.entry(actor, Act::Search);
        tally.into_entry(&mut entry);
        entry.related.extend(disclosed);
        entry.target.query = Some(crate::list::digest(text.as_bytes()));
        Ok((SearchView { groups }, vec![entry]))
    }

    fn hits(
        &self,
        tx: &mut ReadTx<'_>,
        scope: &Scope<'_>,
        object: &Arc<ObjectDef>,
        text: &str,
    ) -> Result<Vec<StoredRow>, Refused> {
        let fields: Vec<usize> = choose_listed(object);
        let limit = limits::SEARCH_HITS_PER_OBJECT + 1;
        let mut rows = match groups_of(object, scope.floor(), text) {
            Ok(groups) => {
                tx.search(scope, &SearchQuery { object: Arc::clone(object), groups, fields: fields.clone(), limit })?
            }
            Err(fault) if fault.code == Code::LimitExceeded => return Err(fault.into()),
            Err(_) => Vec::new(),
        };
        for row in self.sealed_hits(tx, scope, object, text, &fields)? {
            if rows.len() < limit && !rows.iter().any(|known| known.id() == row.id()) {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// Records whose sealed e-mail or telephone is exactly this text.
    fn sealed_hits(
        &self,
        tx: &mut ReadTx<'_>,
        scope: &Scope<'_>,
        object: &Arc<ObjectDef>,
        text: &str,
        fields: &[usize],
    ) -> Result<Vec<StoredRow>, StoreError> {
        let looks_exact = text.contains('@') || text.chars().filter(char::is_ascii_digit).count() >= 6;
        let mut found = Vec::new();
        if !looks_exact {
            return Ok(found);
        }
        for (at, field) in object.fields.iter().enumerate() {
            let kind = matches!(field.field_type, FieldType::Email | FieldType::Phone);
            if !kind || field.sealing != Sealing::Exact || field.retired || scope.floor().get(at) < Level::Read {
                continue;
            }
            let Ok(value) = parse_value(field, &Json::String(text.to_owned()), "/q") else { continue };
            let query = ListQuery {
                object: Arc::clone(object),
                filter: Some(Filter::Is(Condition { field: at, part: None, op: Op::Eq(value) })),
                search: Vec::new(),
                sort: Vec::new(),
                after: None,
                limit: limits::SEARCH_HITS_PER_OBJECT + 1,
                fields: fields.to_vec(),
                deleted: false,
                within: None,
            };
            found.extend(tx.list(scope, &query)?.rows);
        }
        Ok(found)
    }
}

/// The fields that a hit shows: those of a list without chosen columns.
fn choose_listed(object: &ObjectDef) -> Vec<usize> {
    (0..object.fields.len()).filter(|at| object.fields.get(*at).is_some_and(crate::fields::listed)).collect()
}
