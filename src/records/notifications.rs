//! The bell: what was assigned to somebody, where they were mentioned, which of their tasks are due. Titles are read when
//! shown, through the reader's own scope and levels; of a record out of reach only the fact remains.

use crate::preferences::is_person;
use crate::reduce::Tally;
use crate::{DoneView, Pending, Records};
use audit::Verb as Act;
use authz::{Level, Verb};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use identity::{Actor, TokenVerb};
use kernel::{Code, Fault, RecordId, Timestamp, UserId, limits};
use metadata::Value;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::sync::Arc;
use store::{Condition, Filter, ListQuery, Notice, Notification, Op, ReadTx, Refused};

/// Every kind, as in the preference `notifications`: `{"assigned": false}` switches one off.
const KINDS: [&str; 3] = ["assigned", "mentioned", "due"];
/// The preference that holds the switches.
const SWITCHES: &str = "notifications";

/// One notification as its user sees it.
#[derive(Clone, Debug, Serialize)]
pub struct NotificationView {
    /// Its id.
    pub id: RecordId,
    /// `assigned`, `mentioned` or `due`.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// Whether it has been read.
    pub read: bool,
    /// The object; absent when the record is out of reach.
    pub object: Option<String>,
    /// The record; absent when it is out of reach.
    pub record: Option<RecordId>,
    /// Its title, as the reader may see it.
    pub label: Option<String>,
    /// Who caused it.
    pub by: Option<UserId>,
    /// What they are called.
    pub by_name: Option<String>,
}

/// A page of notifications.
#[derive(Clone, Debug, Serialize)]
pub struct NotificationsView {
    /// Newest first.
    pub items: Vec<NotificationView>,
    /// How many are not read.
    pub unread: u64,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// Which notifications.
#[derive(Clone, Debug, Default)]
pub struct NotificationsRequest {
    /// Only those not read.
    pub unread: bool,
    /// How many.
    pub limit: Option<usize>,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// What to mark as read: these, or all that there are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotificationsRead {
    /// These.
    pub ids: Vec<RecordId>,
    /// Or all.
    pub all: bool,
}

fn cursor(item: &Notification) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}.{}", item.at.micros(), item.id))
}

fn read_cursor(text: &str) -> Option<(Timestamp, RecordId)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (at, id) = text.split_once('.')?;
    Some((Timestamp::from_micros(at.parse().ok()?), id.parse().ok()?))
}

/// The kinds that a user has switched off.
fn switched_off(tx: &mut ReadTx<'_>, user: UserId) -> Result<Vec<String>, Refused> {
    let text = tx.preference(user, SWITCHES)?.unwrap_or_default();
    let switches: Json = serde_json::from_slice(&text).unwrap_or(Json::Null);
    let off = |kind: &&str| switches.get(*kind) == Some(&Json::Bool(false));
    Ok(KINDS.into_iter().filter(off).map(str::to_owned).collect())
}

impl Records {
    /// Notes the tasks that have come due since the actor last asked. Asked before the list, because a due date passes
    /// without a change that could tell of it.
    pub fn notifications_due(&self, actor: &Arc<Actor>) -> Pending<DoneView> {
        if let Err(fault) = is_person(actor, TokenVerb::Read) {
            return Pending::failed(fault);
        }
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::in_background(move || {
            let (reader, who) = (records.clone(), Arc::clone(&actor));
            // Nothing of the tasks leaves here; whoever lists them is logged.
            let found = records.store.disclose(move |tx| Ok((reader.due_in_tx(tx, &who)?, Vec::new())));
            let (notices, over) = found.wait()?.into_inner();
            if notices.is_empty() && !over {
                return Ok(DoneView { moved: false });
            }
            let user = actor.user();
            let written = records.store.write(move |tx| {
                notices.iter().try_for_each(|notice| tx.notify(notice))?;
                tx.notifications_prune(user, limits::NOTIFICATIONS_PER_USER_MAX)?;
                Ok(())
            });
            written.wait()?;
            Ok(DoneView { moved: true })
        })
    }

    /// Own tasks whose time has come and that nobody was told of yet; and whether the user has too many notifications.
    fn due_in_tx(&self, tx: &mut ReadTx<'_>, actor: &Actor) -> Result<(Vec<Notice>, bool), Refused> {
        let (_, all) = tx.notifications_count(actor.user(), &[])?;
        let over = all > u64::try_from(limits::NOTIFICATIONS_PER_USER_MAX).unwrap_or(u64::MAX);
        let (policy, catalog, now) = (self.policy(), Arc::clone(tx.catalog()), self.store.clock().now());
        let off = switched_off(tx, actor.user())?;
        let object = catalog.object("activity").filter(|_| !off.iter().any(|kind| kind == "due"));
        let Some(object) = object else { return Ok((Vec::new(), over)) };
        let Ok(scope) = policy.scope(actor, object, Verb::Read) else { return Ok((Vec::new(), over)) };
        let is = |name: &str, op: Op| {
            let at = object.field_index(name).filter(|at| scope.floor().get(*at) >= Level::Read)?;
            Some(Filter::Is(Condition { field: at, part: None, op }))
        };
        let me = Value::Reference { object: "user".to_owned(), id: actor.user() };
        let open = ["planned", "in_progress", "waiting"].map(|code| Value::Enum(code.to_owned())).into();
        let filter = [
            is("owner", Op::Eq(me)),
            is("kind", Op::Eq(Value::Enum("task".to_owned()))),
            is("status", Op::In(open)),
            is("due", Op::Le(Value::Timestamp(now))),
        ];
        let due = object.field_index("due");
        let (Some(filter), Some(due)) = (filter.into_iter().collect::<Option<Vec<_>>>(), due) else {
            return Ok((Vec::new(), over));
        };
        let query = ListQuery {
            object: Arc::clone(object),
            filter: Some(Filter::And(filter)),
            search: Vec::new(),
            sort: vec![(due, true)],
            after: None,
            limit: limits::PAGE_ROWS_MAX,
            fields: vec![due],
            deleted: false,
            within: None,
        };
        let rows = tx.list(&scope, &query)?.rows;
        let mut notices = Vec::with_capacity(rows.len());
        for row in &rows {
            let grant = scope.grant(row.facts()).map_err(Fault::from)?;
            let Some(Value::Timestamp(at)) = tx.value(&grant, row, due)? else { continue };
            notices.push(Notice {
                user: actor.user(),
                kind: "due",
                object: object.name.clone(),
                record: row.id(),
                mark: at.micros().to_string(),
                by: None,
                at,
            });
        }
        let known = tx.notices_known(&notices)?;
        Ok((notices.into_iter().zip(known).filter(|(_, known)| !known).map(|(notice, _)| notice).collect(), over))
    }

    /// The actor's notifications.
    pub fn notifications(&self, actor: &Arc<Actor>, request: NotificationsRequest) -> Pending<NotificationsView> {
        if let Err(fault) = is_person(actor, TokenVerb::Read) {
            return Pending::failed(fault);
        }
        let limit = request.limit.unwrap_or(limits::PAGE_ROWS_DEFAULT);
        if !(1..=limits::PAGE_ROWS_MAX).contains(&limit) {
            let detail = format!("limit is from 1 to {} (PAGE_ROWS_MAX).", limits::PAGE_ROWS_MAX);
            return Pending::failed(Fault::new(Code::ParameterInvalid, detail));
        }
        let before = request.cursor.as_deref().map(read_cursor);
        if before == Some(None) {
            let detail = "The cursor cannot be read; begin again without it.";
            return Pending::failed(Fault::new(Code::CursorInvalid, detail));
        }
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| {
            let place = (before.flatten(), request.unread);
            records.notifications_in_tx(tx, &actor, place, limit)
        }))
    }

    fn notifications_in_tx(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        place: (Option<(Timestamp, RecordId)>, bool),
        limit: usize,
    ) -> Result<(NotificationsView, Vec<audit::Entry>), Refused> {
        let off = switched_off(tx, actor.user())?;
        let mut kept = tx.notifications(actor.user(), &off, place, limit + 1)?;
        let more = kept.len() > limit;
        kept.truncate(limit);
        let next = kept.last().filter(|_| more).map(cursor);
        let (unread, _) = tx.notifications_count(actor.user(), &off)?;
        let mut tally = Tally::default();
        let about = kept.iter().map(|item| (item.object.clone(), item.record));
        let by = kept.iter().filter_map(|item| item.by).map(|user| ("user".to_owned(), user));
        let titles = self.titles_in_tx(tx, actor, about.chain(by).collect(), &mut tally)?;
        let items = kept.into_iter().map(|item| {
            let label = titles.get(&item.record).cloned();
            NotificationView {
                id: item.id,
                kind: item.kind,
                at: item.at,
                read: item.read_at.is_some(),
                object: label.is_some().then_some(item.object),
                record: label.is_some().then_some(item.record),
                label,
                by: item.by,
                by_name: item.by.and_then(|user| titles.get(&user).cloned()),
            }
        });
        let view = NotificationsView { items: items.collect(), unread, next };
        let mut entry = self.store.entry(actor, Act::List);
        tally.into_entry(&mut entry);
        entry.note = "notifications".to_owned();
        Ok((view, vec![entry]))
    }

    /// Marks notifications of the actor as read.
    pub fn notifications_read(&self, actor: &Arc<Actor>, request: NotificationsRead) -> Pending<DoneView> {
        if let Err(fault) = is_person(actor, TokenVerb::Update) {
            return Pending::failed(fault);
        }
        if request.ids.len() > limits::NOTIFICATIONS_MARKED_MAX {
            let detail = format!("At most {} of them (NOTIFICATIONS_MARKED_MAX).", limits::NOTIFICATIONS_MARKED_MAX);
            return Pending::failed(Fault::new(Code::LimitExceeded, detail));
        }
        if request.all != request.ids.is_empty() {
            return Pending::failed(Fault::new(Code::ParameterInvalid, "Name notifications in ids, or say all."));
        }
        let (user, now) = (actor.user(), self.store.clock().now());
        Pending::written(self.store.write(move |tx| {
            tx.notifications_read(user, &request.ids, now)?;
            Ok(DoneView { moved: true })
        }))
    }
}
