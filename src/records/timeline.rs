//! One timeline of a record: its activities and its changes, newest first, and above them what is planned. Each activity
//! passes its own scope and levels, each change those of the record.

use crate::fields::choose;
use crate::history::act_view;
use crate::reduce::{self, Tally};
use crate::{ActView, Pending, RecordView, Records};
use audit::Verb as Act;
use authz::{Grant, Level, Read, Scope, Verb};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use identity::Actor;
use kernel::{Code, Fault, RecordId, Timestamp, UserId, limits};
use metadata::{ObjectDef, Value};
use serde::Serialize;
use std::sync::Arc;
use store::{Condition, Filter, ListQuery, Op, ReadTx, Refused, StoredRow, TimelineQuery};

/// The object whose records lie on timelines, and what it is asked about.
const ACTIVITY: &str = "activity";
/// Status of what is still to be done.
const OPEN: [&str; 3] = ["planned", "in_progress", "waiting"];
/// A change of the record itself, among the kinds of activities.
const CHANGE: &str = "change";
/// Acts that one page looks through for a person or a time.
const ACTS_LOOKED_AT_MAX: usize = 2_000;

/// What of a timeline.
#[derive(Clone, Debug, Default)]
pub struct TimelineRequest {
    /// Kinds of activities, and `change`; all when empty.
    pub kinds: Vec<String>,
    /// Only what this person did or has to do.
    pub person: Option<UserId>,
    /// Only from this time on.
    pub from: Option<Timestamp>,
    /// Only before this time.
    pub to: Option<Timestamp>,
    /// Items of the page.
    pub limit: Option<usize>,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// One thing on a timeline.
#[derive(Clone, Debug, Serialize, PartialEq)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TimelineItem {
    /// An activity.
    Activity {
        /// When it was completed, began, was due or was made: the first of these that is known.
        at: Timestamp,
        /// The activity.
        record: RecordView,
    },
    /// A change of the record.
    Change {
        /// When.
        at: Timestamp,
        /// Who did what, as in the history.
        act: ActView,
    },
}

/// A page of a timeline.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct TimelineView {
    /// What is still to be done, the next first; on the first page only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<Vec<RecordView>>,
    /// What was done, newest first.
    pub items: Vec<TimelineItem>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// How far one of the two streams has been shown.
#[derive(Clone, Copy, PartialEq)]
enum Place<T> {
    Start,
    After(T),
    End,
}

struct Places {
    activities: Place<(Timestamp, RecordId)>,
    acts: Place<u64>,
}

/// Activities as their reader reaches them.
struct Activities<'a> {
    object: Arc<ObjectDef>,
    scope: Scope<'a>,
}

impl Records {
    /// The timeline of a record.
    pub fn timeline(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        id: RecordId,
        request: TimelineRequest,
    ) -> Pending<TimelineView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let limit = request.limit.unwrap_or(limits::PAGE_ROWS_DEFAULT);
        if !(1..=limits::PAGE_ROWS_MAX).contains(&limit) {
            let detail = format!("limit is from 1 to {} (PAGE_ROWS_MAX).", limits::PAGE_ROWS_MAX);
            return Pending::failed(Fault::new(Code::ParameterInvalid, detail));
        }
        let places = match request.cursor.as_deref().map_or(Ok(Places::start()), Places::read) {
            Ok(places) => places,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(
            self.store
                .disclose(move |tx| records.timeline_in_tx(tx, &actor, (&definition, id), &request, (places, limit))),
        )
    }

    fn timeline_in_tx(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        (object, id): (&Arc<ObjectDef>, RecordId),
        request: &TimelineRequest,
        (mut places, limit): (Places, usize),
    ) -> Result<(TimelineView, Vec<audit::Entry>), Refused> {
        let (policy, catalog) = (self.policy(), Arc::clone(tx.catalog()));
        let scope = policy
            .scope(actor, object, Verb::Read)
            .map_err(|denied| self.denial(actor, Act::History, denied, Some(id)))?;
        let row = tx.row(object, id, &[])?.filter(|row| !row.deleted());
        let row = row.ok_or_else(|| self.missing(actor, Act::History, &object.name, id))?;
        let grant = scope.grant(row.facts()).map_err(|denied| self.denial(actor, Act::History, denied, Some(id)))?;
        let activity = catalog.object(ACTIVITY).filter(|activity| points_to(activity, &object.name)).cloned();
        let activities = activity.and_then(|activity| {
            let scope = policy.scope(actor, &activity, Verb::Read).ok()?;
            Some(Activities { object: activity, scope })
        });
        let (first, mut tally) = (places.activities == Place::Start && places.acts == Place::Start, Tally::default());
        let wants = |kind: &str| request.kinds.is_empty() || request.kinds.iter().any(|wanted| wanted == kind);
        let planned = match &activities {
            Some(activities) if first => {
                let rows = activities.rows(tx, id, request, (true, Place::Start), limits::TIMELINE_PLANNED_MAX)?;
                Some(self.shown(tx, actor, activities, &rows, &mut tally)?)
            }
            _ => first.then(Vec::new),
        };
        let done = match &activities {
            Some(activities) => activities.rows(tx, id, request, (false, places.activities), limit + 1)?,
            None => Vec::new(),
        };
        let acts = if wants(CHANGE) { acts(tx, &grant, &row, request, &mut places, limit + 1)? } else { Vec::new() };
        if !wants(CHANGE) {
            places.acts = Place::End;
        }
        let (done, acts) = merge(done, acts, limit, &mut places);
        let views = match &activities {
            Some(activities) => self.shown(tx, actor, activities, &done, &mut tally)?,
            None => Vec::new(),
        };
        let activity =
            |((at, _), record): (&(Timestamp, StoredRow), RecordView)| TimelineItem::Activity { at: *at, record };
        let mut items: Vec<TimelineItem> = done.iter().zip(views).map(activity).collect();
        items.extend(
            acts.into_iter()
                .map(|act| TimelineItem::Change { at: act.at, act: act_view(object, grant.levels(), act, &mut tally) }),
        );
        items.sort_by_key(|item| std::cmp::Reverse(item.at()));
        let mut entry = self.store.entry(actor, Act::History).on_record(&object.name, id);
        entry.decision.rules = scope.why().rules.clone();
        tally.into_entry(&mut entry);
        entry.note = "timeline".to_owned();
        Ok((TimelineView { planned, items, next: places.write() }, vec![entry]))
    }

    fn shown(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        activities: &Activities<'_>,
        rows: &[(Timestamp, StoredRow)],
        tally: &mut Tally,
    ) -> Result<Vec<RecordView>, Refused> {
        let (policy, catalog) = (self.policy(), Arc::clone(tx.catalog()));
        let chosen = choose(&policy, &catalog, actor, &activities.object, None, false)?;
        let mut views = Vec::with_capacity(rows.len());
        for (_, row) in rows {
            views.extend(reduce::records(tx, &activities.scope, std::slice::from_ref(row), &chosen, tally)?);
            tally.other(&activities.object.name, row.id());
        }
        Ok(views)
    }
}

impl TimelineItem {
    fn at(&self) -> Timestamp {
        match self {
            Self::Activity { at, .. } | Self::Change { at, .. } => *at,
        }
    }
}

fn points_to(activity: &ObjectDef, object: &str) -> bool {
    activity.field("regarding").is_some_and(|field| field.reference_targets().iter().any(|target| target == object))
}

impl Activities<'_> {
    /// A field by which the reader may choose and order.
    fn usable(&self, name: &str) -> Option<usize> {
        let at = self.object.field_index(name)?;
        (self.scope.floor().get(at) >= Level::Read).then_some(at)
    }

    fn is(&self, name: &str, op: Op) -> Option<Filter> {
        Some(Filter::Is(Condition { field: self.usable(name)?, part: None, op }))
    }

    /// Planned ones, the next first, or the others, newest first.
    fn rows(
        &self,
        tx: &mut ReadTx<'_>,
        record: RecordId,
        request: &TimelineRequest,
        (planned, place): (bool, Place<(Timestamp, RecordId)>),
        limit: usize,
    ) -> Result<Vec<(Timestamp, StoredRow)>, Refused> {
        let Some(filter) = self.filter(record, request, planned) else { return Ok(Vec::new()) };
        let after = match place {
            Place::Start => None,
            Place::After(after) => Some(after),
            Place::End => return Ok(Vec::new()),
        };
        let names: &[&str] =
            if planned { &["due", "start", "created_at"] } else { &["completed_at", "start", "due", "created_at"] };
        let times: Vec<usize> = names.iter().filter_map(|name| self.usable(name)).collect();
        if times.is_empty() {
            return Ok(Vec::new());
        }
        let fields = (0..self.object.fields.len()).collect();
        let list = ListQuery {
            object: Arc::clone(&self.object),
            filter: Some(filter),
            search: Vec::new(),
            sort: Vec::new(),
            after: None,
            limit,
            fields,
            deleted: false,
            within: None,
        };
        let query = TimelineQuery { list, times, ascending: planned, after, from: request.from, to: request.to };
        Ok(tx.timeline(&self.scope, &query)?)
    }

    /// `None` when the reader may not ask what it takes: then there is nothing to show.
    fn filter(&self, record: RecordId, request: &TimelineRequest, planned: bool) -> Option<Filter> {
        let code = |code: &str| Value::Enum(code.to_owned());
        let target = Value::Reference { object: String::new(), id: record };
        let mut all = vec![self.is("regarding", Op::Eq(target))?];
        // A note is never still to be done, whatever its status says.
        let note = self.is("kind", Op::Eq(code("note")));
        let open = self.is("status", Op::In(OPEN.map(code).into()));
        match (planned, note, open) {
            (true, Some(_), Some(open)) => all.extend([open, self.is("kind", Op::Ne(code("note")))?]),
            (true, ..) => return None,
            (false, Some(note), Some(_)) => {
                let closed = OPEN.iter().filter_map(|status| self.is("status", Op::Ne(code(status)))).collect();
                all.push(Filter::Or(vec![note, Filter::And(closed)]));
            }
            (false, ..) => {}
        }
        if !request.kinds.is_empty() {
            all.push(self.is("kind", Op::In(request.kinds.iter().map(|kind| code(kind)).collect()))?);
        }
        if let Some(person) = request.person {
            let person = || Value::Reference { object: "user".to_owned(), id: person };
            all.push(Filter::Or(vec![self.is("owner", Op::Eq(person()))?, self.is("created_by", Op::Eq(person()))?]));
        }
        Some(Filter::And(all))
    }
}

/// Acts of the record that fit the request; says in `places` when there are no more.
fn acts(
    tx: &mut ReadTx<'_>,
    grant: &Grant<'_, Read>,
    row: &StoredRow,
    request: &TimelineRequest,
    places: &mut Places,
    wanted: usize,
) -> Result<Vec<store::HistoryEntry>, Refused> {
    let (mut found, mut looked_at) = (Vec::new(), 0);
    let mut before = match places.acts {
        Place::Start => None,
        Place::After(seq) => Some(seq),
        Place::End => return Ok(found),
    };
    loop {
        let page = tx.history(grant, row, before, limits::PAGE_ROWS_DEFAULT)?;
        looked_at += page.len();
        let last = page.last().map(|act| act.seq);
        let ended = page.len() < limits::PAGE_ROWS_DEFAULT;
        found.extend(page.into_iter().filter(|act| {
            request.person.is_none_or(|person| act.user == Some(person))
                && request.from.is_none_or(|from| act.at >= from)
                && request.to.is_none_or(|to| act.at < to)
        }));
        if ended || found.len() >= wanted || looked_at >= ACTS_LOOKED_AT_MAX {
            // Where the next page goes on when none of what follows is taken from this one.
            places.acts = if ended { Place::End } else { last.map_or(Place::End, Place::After) };
            return Ok(found);
        }
        before = last;
    }
}

/// Takes the newest of both, as many as the page holds, and notes how far each has come.
fn merge(
    mut done: Vec<(Timestamp, StoredRow)>,
    mut acts: Vec<store::HistoryEntry>,
    limit: usize,
    places: &mut Places,
) -> (Vec<(Timestamp, StoredRow)>, Vec<store::HistoryEntry>) {
    let (mut one, mut two) = (0, 0);
    while one + two < limit {
        let (activity, act) = (done.get(one).map(|(at, _)| *at), acts.get(two).map(|act| act.at));
        match (activity, act) {
            (None, None) => break,
            (Some(activity), Some(act)) if activity < act => two += 1,
            (Some(_), _) => one += 1,
            (None, Some(_)) => two += 1,
        }
    }
    if one < done.len() {
        if let Some((at, row)) = one.checked_sub(1).and_then(|last| done.get(last)) {
            places.activities = Place::After((*at, row.id()));
        }
    } else {
        places.activities = Place::End;
    }
    if let Some(next) = acts.get(two) {
        // The number just above the one that comes next: histories go on below it.
        places.acts = Place::After(next.seq + 1);
    }
    done.truncate(one);
    acts.truncate(two);
    (done, acts)
}

impl Places {
    const fn start() -> Self {
        Self { activities: Place::Start, acts: Place::Start }
    }

    /// The opaque text of the next page; none when both have ended.
    fn write(&self) -> Option<String> {
        let activities = match self.activities {
            Place::Start => "s".to_owned(),
            Place::After((at, id)) => format!("{}.{id}", at.micros()),
            Place::End => "e".to_owned(),
        };
        let acts = match self.acts {
            Place::Start => "s".to_owned(),
            Place::After(seq) => seq.to_string(),
            Place::End => "e".to_owned(),
        };
        let ended = self.activities == Place::End && self.acts == Place::End;
        (!ended).then(|| URL_SAFE_NO_PAD.encode(format!("{activities}/{acts}")))
    }

    fn read(text: &str) -> Result<Self, Fault> {
        let invalid = || Fault::new(Code::CursorInvalid, "The cursor cannot be read; begin again without it.");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let text = String::from_utf8(bytes).map_err(|_| invalid())?;
        let (activities, acts) = text.split_once('/').ok_or_else(invalid)?;
        let activities = match activities {
            "s" => Place::Start,
            "e" => Place::End,
            place => {
                let (at, id) = place.split_once('.').ok_or_else(invalid)?;
                let at = Timestamp::from_micros(at.parse().map_err(|_| invalid())?);
                Place::After((at, id.parse().map_err(|_| invalid())?))
            }
        };
        let acts = match acts {
            "s" => Place::Start,
            "e" => Place::End,
            seq => Place::After(seq.parse().map_err(|_| invalid())?),
        };
        Ok(Self { activities, acts })
    }
}
