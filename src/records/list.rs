//! Lists: one page of the records in reach, with the columns asked for.

use crate::fields::{choose, position};
use crate::filter::FilterReader;
use crate::reduce::{self, Tally};
use crate::search::groups_of;
use crate::{CountMode, ListRequest, ListView, Pending, Records};
use audit::Verb as Act;
use authz::{Level, Scope, Verb};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use identity::Actor;
use kernel::{Code, Fault, limits};
use metadata::{Catalog, ObjectDef};
use std::sync::Arc;
use store::{Cursor, ListQuery, ReadTx, Refused};

/// Rows an estimate counts before it says "more".
const ESTIMATE_ROWS: usize = 10_000;

impl Records {
    /// One page of an object's records.
    pub fn list(&self, actor: &Arc<Actor>, object: &str, request: ListRequest) -> Pending<ListView> {
        self.listed(actor, object, request, (Act::List, String::new()))
    }

    /// One page, told in the log as this act.
    pub(crate) fn listed(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        request: ListRequest,
        (act, note): (Act, String),
    ) -> Pending<ListView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| {
            let (view, mut entry) = records.list_in_tx(tx, &actor, &definition, &request, act)?;
            entry.note = note;
            Ok((view, vec![entry]))
        }))
    }

    fn list_in_tx(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
        request: &ListRequest,
        act: Act,
    ) -> Result<(ListView, audit::Entry), Refused> {
        let (policy, catalog) = (self.policy(), Arc::clone(tx.catalog()));
        let scope = policy.scope(actor, object, Verb::Read).map_err(|denied| self.denial(actor, act, denied, None))?;
        // The bin is for those who may put records there and take them out, and shows each only theirs.
        let bin = if request.deleted {
            Some(policy.scope(actor, object, Verb::Delete).map_err(|denied| self.denial(actor, act, denied, None))?)
        } else {
            None
        };
        let chosen = choose(&policy, &catalog, actor, object, request.fields.as_deref(), true)?;
        let mut tally = Tally::default();
        let fiscal = crate::settings::fiscal_start(tx, request.filter.as_ref())?;
        let loaded = (chosen.to_load(), fiscal);
        let mut query = self.query(actor, (object, &catalog), &scope, request, loaded, &mut tally)?;
        query.within = bin.map(|bin| bin.predicate().clone());
        let page = tx.list(&scope, &query).map_err(Refused::from)?;
        let items = reduce::records(tx, &scope, &page.rows, &chosen, &mut tally)?;
        let (count, count_is_minimum) = self.count(tx, &scope, &query, request.count)?;
        let mut entry = self.store.entry(actor, act).on_list(&object.name, items.iter().map(|item| item.id).collect());
        entry.decision.rules = scope.why().rules.clone();
        entry.decision.epoch = Some(scope.why().epoch);
        entry.target.query = Some(digest(&request_bytes(request)));
        entry.target.scope = Some(digest(format!("{:?}", scope.predicate()).as_bytes()));
        tally.into_entry(&mut entry);
        let next = page.next.map(|cursor| URL_SAFE_NO_PAD.encode(cursor.to_bytes()));
        Ok((ListView { items, next, count, count_is_minimum }, entry))
    }

    fn query(
        &self,
        actor: &Actor,
        (object, catalog): (&Arc<ObjectDef>, &Catalog),
        scope: &Scope<'_>,
        request: &ListRequest,
        (fields, fiscal): (Vec<usize>, u8),
        tally: &mut Tally,
    ) -> Result<ListQuery, Refused> {
        let policy = self.policy();
        let mut reader = FilterReader::new(&policy, catalog, actor, self.store.clock().now()).fiscal(fiscal);
        let filter = request.filter.as_ref().filter(|tree| !tree.is_null());
        let filter = filter.map(|tree| reader.read(object, scope.floor(), tree)).transpose();
        let filter = filter.map_err(|fault| self.maybe_logged(actor, object, Act::List, fault))?;
        reader.used.iter().for_each(|name| tally.filter(name));
        let search = match request.q.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            // The index holds live records only; an empty answer would say that the bin holds none.
            Some(_) if request.deleted => {
                return Err(
                    Fault::new(Code::ParameterInvalid, "The recycle bin cannot be searched; use a filter.").into()
                );
            }
            Some(text) => groups_of(object, scope.floor(), text)?,
            None => Vec::new(),
        };
        Ok(ListQuery {
            object: Arc::clone(object),
            filter,
            search,
            sort: self.sort(actor, object, scope, &request.sort, tally)?,
            after: request.cursor.as_deref().map(read_cursor).transpose()?,
            limit: page_rows(request.limit)?,
            fields,
            deleted: request.deleted,
            within: None,
        })
    }

    fn sort(
        &self,
        actor: &Actor,
        object: &Arc<ObjectDef>,
        scope: &Scope<'_>,
        names: &[String],
        tally: &mut Tally,
    ) -> Result<Vec<(usize, bool)>, Refused> {
        if names.len() > limits::SORT_FIELDS_MAX {
            return Err(Fault::new(
                Code::LimitExceeded,
                format!("At most {} fields to sort by (SORT_FIELDS_MAX).", limits::SORT_FIELDS_MAX),
            )
            .into());
        }
        let mut sort = Vec::with_capacity(names.len());
        for name in names {
            let (name, descending) = name.strip_prefix('-').map_or((name.as_str(), false), |name| (name, true));
            let at = position(object, name, name)?;
            if scope.floor().get(at) < Level::Read {
                let fault = Fault::new(
                    Code::FieldNotFilterable,
                    format!("You may not read field {name}, so it cannot order records."),
                );
                return Err(self.field_denied(actor, Act::List, &object.name, fault));
            }
            tally.filter(name);
            sort.push((at, descending));
        }
        Ok(sort)
    }

    /// Filtering by a field one may not read is a denial and goes into the log; a mistyped filter is not.
    pub(crate) fn maybe_logged(&self, actor: &Actor, object: &ObjectDef, act: Act, fault: Fault) -> Refused {
        let denied = fault.code == Code::AccessDenied || fault.items.iter().any(|item| item.code == Code::FieldDenied);
        if denied { self.field_denied(actor, act, &object.name, fault) } else { fault.into() }
    }

    fn count(
        &self,
        tx: &mut ReadTx<'_>,
        scope: &Scope<'_>,
        query: &ListQuery,
        mode: CountMode,
    ) -> Result<(Option<u64>, bool), Refused> {
        let stop = match mode {
            CountMode::None => return Ok((None, false)),
            CountMode::Estimate => Some(ESTIMATE_ROWS + 1),
            CountMode::Exact => None,
        };
        let count = tx.count(scope, query, stop)?;
        let most = u64::try_from(ESTIMATE_ROWS).unwrap_or(u64::MAX);
        Ok(if stop.is_some() && count > most { (Some(most), true) } else { (Some(count), false) })
    }
}

pub(crate) fn page_rows(limit: Option<usize>) -> Result<usize, Fault> {
    let limit = limit.unwrap_or(limits::PAGE_ROWS_DEFAULT);
    if (1..=limits::PAGE_ROWS_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(Fault::new(Code::ParameterInvalid, format!("limit is from 1 to {} (PAGE_ROWS_MAX).", limits::PAGE_ROWS_MAX)))
}

pub(crate) fn read_cursor(text: &str) -> Result<Cursor, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    bytes
        .and_then(|bytes| Cursor::from_bytes(&bytes))
        .ok_or_else(|| Fault::new(Code::CursorInvalid, "The cursor cannot be read; begin again without it."))
}

/// What was asked, for the query digest of the entry.
fn request_bytes(request: &ListRequest) -> Vec<u8> {
    let asked =
        serde_json::json!({"filter": request.filter, "sort": request.sort, "q": request.q, "deleted": request.deleted});
    asked.to_string().into_bytes()
}

pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    hash
}
