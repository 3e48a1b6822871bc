//! Counts and sums over the records in reach: the numbers of grouped lists, of kanban columns and of the home page. Scope
//! and levels are those of a list, and it is logged like one.

use crate::filter::FilterReader;
use crate::group::{group_field, sum_field};
use crate::list::digest;
use crate::reduce::Tally;
use crate::search::groups_of;
use crate::{Pending, Records};
use audit::{How, Verb as Act};
use authz::{Scope, Verb};
use identity::{Actor, Locale};
use kernel::{Code, Currency, Fault, RecordId, limits};
use metadata::{FieldDef, FieldType, ObjectDef, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{FieldSum, GroupField, ListQuery, ReadTx, Refused, SummaryLine, SummaryQuery};

/// Groups of an answer when the caller does not say.
const GROUPS_DEFAULT: usize = 100;

/// What to count and add up.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SummaryRequest {
    /// The filter tree.
    pub filter: Option<Json>,
    /// Search text.
    pub q: Option<String>,
    /// What to put records together by: `stage`, `expected_close:month`, `billing_address.city`.
    pub group_by: Vec<String>,
    /// Fields to add up.
    pub sums: Vec<String>,
    /// Fields to take the mean of.
    pub averages: Vec<String>,
    /// Groups of the answer.
    pub limit: Option<usize>,
}

/// Numbers over some records.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct Figures {
    /// How many records.
    pub count: u64,
    /// By field: a list of amounts, one per currency, or a number as text.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub sums: Map<String, Json>,
    /// The same as means over the records that have a value, rounded to the decimals of the field.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub averages: Map<String, Json>,
}

/// One group.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct GroupView {
    /// Its value for each group field as on the wire; of a bucket the first day; null where records have none.
    pub key: Vec<Json>,
    /// The same for people: the label of an option, the title of a record that the reader may see.
    pub label: Vec<Option<String>>,
    /// Its numbers.
    #[serde(flatten)]
    pub figures: Figures,
}

/// All groups.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct SummaryView {
    /// The groups: dates and options in their order, others the largest first.
    pub groups: Vec<GroupView>,
    /// Whether there are more groups; the totals speak of all.
    pub more: bool,
    /// Over all records.
    pub total: Figures,
}

/// A request whose names are known and allowed.
struct Read {
    query: SummaryQuery,
    sums: Vec<usize>,
    averages: Vec<usize>,
    limit: usize,
}

impl Records {
    /// Counts and adds up.
    pub fn summary(&self, actor: &Arc<Actor>, object: &str, request: SummaryRequest) -> Pending<SummaryView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| records.summary_in_tx(tx, &actor, &definition, &request)))
    }

    fn summary_in_tx(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
        request: &SummaryRequest,
    ) -> Result<(SummaryView, Vec<audit::Entry>), Refused> {
        let policy = self.policy();
        let scope =
            policy.scope(actor, object, Verb::Read).map_err(|denied| self.denial(actor, Act::Summary, denied, None))?;
        let mut tally = Tally::default();
        let read = self.read_summary(tx, actor, object, &scope, request, &mut tally)?;
        let lines = tx.summary(&scope, &read.query)?;
        let (mut groups, total) = gather(object, &read, &lines);
        let more = groups.len() > read.limit;
        groups.truncate(read.limit);
        // Numbers of a single record are its values, so the log names it.
        let mut ids: Vec<RecordId> = groups.iter().flat_map(|(_, sums)| sums.singles.iter().copied()).collect();
        if read.query.group.is_empty() || total.count == 1 {
            ids.extend(&total.singles);
        }
        ids.sort_unstable();
        ids.dedup();
        let labels = self.labels(tx, actor, object, &read.query.group, &groups, &mut tally)?;
        let view = SummaryView {
            groups: groups
                .into_iter()
                .zip(labels)
                .map(|((keys, sums), label)| GroupView {
                    key: wire(object, &read.query.group, &keys),
                    label,
                    figures: figures(object, &read, &sums),
                })
                .collect(),
            more,
            total: figures(object, &read, &total),
        };
        let mut entry = self.store.entry(actor, Act::Summary).on_list(&object.name, ids);
        entry.target.count = view.total.count;
        entry.decision.rules = scope.why().rules.clone();
        entry.decision.epoch = Some(scope.why().epoch);
        let asked = json!({"filter": request.filter, "q": request.q, "group_by": request.group_by, "sums": request.sums, "averages": request.averages});
        entry.target.query = Some(digest(asked.to_string().as_bytes()));
        entry.target.scope = Some(digest(format!("{:?}", scope.predicate()).as_bytes()));
        tally.into_entry(&mut entry);
        Ok((view, vec![entry]))
    }

    fn read_summary(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
        scope: &Scope<'_>,
        request: &SummaryRequest,
        tally: &mut Tally,
    ) -> Result<Read, Refused> {
        let (policy, catalog) = (self.policy(), Arc::clone(tx.catalog()));
        let refused = |fault| self.maybe_logged(actor, object, Act::Summary, fault);
        let fiscal = crate::settings::fiscal_start(tx, request.filter.as_ref())?;
        let mut reader = FilterReader::new(&policy, &catalog, actor, self.store.clock().now()).fiscal(fiscal);
        let filter = request.filter.as_ref().filter(|tree| !tree.is_null());
        let filter = filter.map(|tree| reader.read(object, scope.floor(), tree)).transpose().map_err(refused)?;
        reader.used.iter().for_each(|name| tally.filter(name));
        let search = match request.q.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => groups_of(object, scope.floor(), text)?,
            None => Vec::new(),
        };
        at_most("group_by", request.group_by.len(), "SUMMARY_FIELDS_MAX", limits::SUMMARY_FIELDS_MAX)?;
        let asked = request.sums.len() + request.averages.len();
        at_most("sums and averages", asked, "SUMMARY_SUMS_MAX", limits::SUMMARY_SUMS_MAX)?;
        let limit = request.limit.unwrap_or(GROUPS_DEFAULT);
        if !(1..=limits::SUMMARY_GROUPS_MAX).contains(&limit) {
            let detail = format!("limit is from 1 to {} (SUMMARY_GROUPS_MAX).", limits::SUMMARY_GROUPS_MAX);
            return Err(Fault::new(Code::ParameterInvalid, detail).into());
        }
        let floor = scope.floor();
        let group = request.group_by.iter().enumerate();
        let group = group.map(|(at, text)| group_field(object, floor, text, &format!("/group_by/{at}")));
        let group = group.collect::<Result<Vec<_>, _>>().map_err(refused)?;
        let fields = |names: &[String], place: &str| {
            let each = |(at, name): (usize, &String)| sum_field(object, floor, name, &format!("/{place}/{at}"));
            names.iter().enumerate().map(each).collect::<Result<Vec<_>, _>>()
        };
        let sums = fields(&request.sums, "sums").map_err(refused)?;
        let averages = fields(&request.averages, "averages").map_err(refused)?;
        let mut wanted = sums.clone();
        wanted.extend(&averages);
        wanted.sort_unstable();
        wanted.dedup();
        // Of one record a sum is its value.
        group
            .iter()
            .map(|group| group.field)
            .chain(wanted.iter().copied())
            .for_each(|at| tally.field(object, at, How::Clear));
        let list = ListQuery {
            object: Arc::clone(object),
            filter,
            search,
            sort: Vec::new(),
            after: None,
            limit: 1,
            fields: Vec::new(),
            deleted: false,
            within: None,
        };
        Ok(Read { query: SummaryQuery { list, group, sums: wanted }, sums, averages, limit })
    }

    /// What people call the groups. Titles of records come through the reader's scope and levels there.
    fn labels(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        object: &ObjectDef,
        group: &[GroupField],
        groups: &[(Vec<Value>, Sums)],
        tally: &mut Tally,
    ) -> Result<Vec<Vec<Option<String>>>, Refused> {
        let pointed = groups.iter().flat_map(|(keys, _)| keys).filter_map(|key| match key {
            Value::Reference { object, id } => Some((object.clone(), *id)),
            _ => None,
        });
        let titles = self.titles_in_tx(tx, actor, pointed.collect(), tally)?;
        let label = |(group, key): (&GroupField, &Value)| {
            let field = object.fields.get(group.field)?;
            match (key, &field.field_type) {
                (Value::Null, _) => None,
                (Value::Reference { id, .. }, _) => titles.get(id).cloned(),
                (Value::Enum(code), FieldType::Enum { options }) => {
                    options.iter().find(|option| option.code == *code).map(|option| {
                        if actor.locale() == Locale::Zh { option.label.zh.clone() } else { option.label.en.clone() }
                    })
                }
                (Value::Date(day), _) => Some(day.format("%Y-%m-%d").to_string()),
                (key, field_type) => key.to_text(field_type),
            }
        };
        Ok(groups.iter().map(|(keys, _)| group.iter().zip(keys).map(label).collect()).collect())
    }

    /// The titles of records as far as the reader sees them, whatever objects they lie in; the tally is told of each.
    pub(crate) fn titles_in_tx(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        wanted: Vec<(String, RecordId)>,
        tally: &mut Tally,
    ) -> Result<BTreeMap<RecordId, String>, Refused> {
        let (policy, catalog) = (self.policy(), Arc::clone(tx.catalog()));
        let mut by_object: BTreeMap<String, Vec<RecordId>> = BTreeMap::new();
        for (object, id) in wanted {
            by_object.entry(object).or_default().push(id);
        }
        let mut titles = BTreeMap::new();
        for (name, mut ids) in by_object {
            ids.sort_unstable();
            ids.dedup();
            let Some(object) = catalog.object(&name) else { continue };
            let Ok(scope) = policy.scope(actor, object, Verb::Read) else { continue };
            let Some(title) = object.field_index(&object.title_field) else { continue };
            let rows = tx.rows_in_scope(&scope, object, &ids, &[title])?;
            tx.prefetch(&rows, &[title])?;
            for row in &rows {
                let grant = scope.grant(row.facts()).map_err(Fault::from)?;
                let view = crate::reduce::record(tx, &grant, row, &[title], tally)?;
                tally.other(&name, row.id());
                let shown = view.fields.get(&object.title_field).or(view.reduced.get(&object.title_field));
                if let Some(text) = shown.and_then(Json::as_str) {
                    titles.insert(row.id(), text.to_owned());
                }
            }
        }
        Ok(titles)
    }
}

fn at_most(what: &str, count: usize, name: &str, most: usize) -> Result<(), Fault> {
    if count <= most {
        return Ok(());
    }
    Err(Fault::new(Code::LimitExceeded, format!("At most {most} fields in {what} ({name}).")))
}

/// Sums of one group: the count, and per summed field its values by currency.
#[derive(Default)]
struct Sums {
    count: u64,
    /// Records that stand alone in a line.
    singles: Vec<RecordId>,
    fields: Vec<BTreeMap<Option<String>, (i128, u64)>>,
}

impl Sums {
    fn add(&mut self, line: &SummaryLine) {
        self.count += line.count;
        self.singles.extend(line.only);
        self.fields.resize_with(line.sums.len(), BTreeMap::new);
        for (sums, FieldSum { currency, sum, values }) in self.fields.iter_mut().zip(&line.sums) {
            if *values > 0 {
                let so_far = sums.entry(currency.map(|currency| currency.as_str().to_owned())).or_default();
                so_far.0 += sum;
                so_far.1 += values;
            }
        }
    }
}

/// The engine's lines are split by currency; put together again, in the order of the answer.
fn gather(object: &ObjectDef, read: &Read, lines: &[SummaryLine]) -> (Vec<(Vec<Value>, Sums)>, Sums) {
    let mut total = Sums::default();
    total.fields.resize_with(read.query.sums.len(), BTreeMap::new);
    let mut groups: BTreeMap<Vec<Option<String>>, (Vec<Value>, Sums)> = BTreeMap::new();
    for line in lines {
        total.add(line);
        if read.query.group.is_empty() {
            continue;
        }
        let name = |(group, key): (&GroupField, &Value)| {
            object.fields.get(group.field).and_then(|field| key.to_text(&field.field_type))
        };
        let names: Vec<Option<String>> = read.query.group.iter().zip(&line.keys).map(name).collect();
        groups.entry(names).or_insert_with(|| (line.keys.clone(), Sums::default())).1.add(line);
    }
    let mut groups: Vec<(Vec<Value>, Sums)> = groups.into_values().collect();
    let first = read.query.group.first().and_then(|group| object.fields.get(group.field).zip(Some(group)));
    match first {
        // By day they are in order already; options stand as they are defined; what has no value comes last.
        Some((_, group)) if group.bucket.is_some() => {
            groups.sort_by_key(|(keys, _)| keys.first().is_none_or(Value::is_null));
        }
        Some((FieldDef { field_type: FieldType::Enum { options }, .. }, _)) => {
            groups.sort_by_key(|(keys, _)| match keys.first() {
                Some(Value::Enum(code)) => {
                    options.iter().position(|option| option.code == *code).unwrap_or(options.len())
                }
                _ => usize::MAX,
            });
        }
        _ => groups.sort_by_key(|(keys, sums)| (keys.first().is_none_or(Value::is_null), u64::MAX - sums.count)),
    }
    (groups, total)
}

fn wire(object: &ObjectDef, group: &[GroupField], keys: &[Value]) -> Vec<Json> {
    let each = |(group, key): (&GroupField, &Value)| match (object.fields.get(group.field), key) {
        (_, Value::Date(day)) => json!(day.format("%Y-%m-%d").to_string()),
        (Some(field), key) => key.to_wire(&field.field_type),
        (None, _) => Json::Null,
    };
    group.iter().zip(keys).map(each).collect()
}

fn figures(object: &ObjectDef, read: &Read, sums: &Sums) -> Figures {
    let of = |wanted: &[usize], mean: bool| {
        let mut map = Map::new();
        for at in wanted {
            let place = read.query.sums.iter().position(|summed| summed == at);
            let found = place.and_then(|place| sums.fields.get(place));
            if let (Some(field), Some(found)) = (object.fields.get(*at), found) {
                map.insert(field.name.clone(), number(field, found, mean));
            }
        }
        map
    };
    Figures { count: sums.count, sums: of(&read.sums, false), averages: of(&read.averages, true) }
}

fn number(field: &FieldDef, sums: &BTreeMap<Option<String>, (i128, u64)>, mean: bool) -> Json {
    let value = |(sum, values): &(i128, u64)| if mean { rounded(*sum, *values) } else { *sum };
    if field.field_type == FieldType::Money {
        let line = |(code, sums): (&Option<String>, &(i128, u64))| {
            let currency: Currency = code.as_deref()?.parse().ok()?;
            Some(json!({"amount": scaled(value(sums), currency.exponent()), "currency": currency.as_str()}))
        };
        return Json::Array(sums.iter().filter_map(line).collect());
    }
    let scale = if let FieldType::Decimal { scale } = field.field_type { u32::from(scale) } else { 0 };
    match sums.get(&None) {
        Some(sums) => json!(scaled(value(sums), scale)),
        None if mean => Json::Null,
        None => json!(scaled(0, scale)),
    }
}

/// Half away from zero, as people round.
fn rounded(sum: i128, values: u64) -> i128 {
    let values = i128::from(values.max(1));
    (sum.abs() + values / 2) / values * sum.signum()
}

/// An integer with a decimal point set into it; money of this size may not fit the type of one amount.
fn scaled(number: i128, decimals: u32) -> String {
    let width = usize::try_from(decimals).unwrap_or(0);
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = width + 1);
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(width));
    let sign = if number < 0 { "-" } else { "" };
    if width == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
