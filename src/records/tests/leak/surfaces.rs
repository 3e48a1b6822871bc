//! Every surface that could show something of an account, as text: answers and errors alike.

use crate::world::{FIELDS, Subject, World};
use identity::Actor;
use kernel::Fault;
use records::{BulkRequest, ListRequest, LogQuery, Pending, Shown};
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use testkit::object_of;

/// One answer: what was asked, and the text or the code of the error.
pub(crate) struct Answer {
    pub(crate) about: String,
    pub(crate) text: String,
    pub(crate) code: Option<kernel::Code>,
    pub(crate) count: Option<u64>,
}

/// The calls of one surface.
pub(crate) struct Surface {
    pub(crate) name: &'static str,
    pub(crate) answers: Vec<Answer>,
}

fn fault_text(fault: &Fault) -> String {
    // The cause is for the operator's log, which is no place for customers' data either.
    format!("{} {:?} {:?} {:?} {:?}", fault.code.as_str(), fault.detail, fault.items, fault.extension, fault.cause())
}

fn answer<T: Serialize>(about: String, outcome: Result<T, Fault>) -> Answer {
    match outcome {
        Ok(view) => {
            let json = serde_json::to_value(&view).expect("an answer is JSON");
            Answer { about, count: json.get("count").and_then(Json::as_u64), text: json.to_string(), code: None }
        }
        Err(fault) => Answer { about, text: fault_text(&fault), code: Some(fault.code), count: None },
    }
}

/// Sends all calls before it waits for the first.
fn all<T: Serialize>(calls: Vec<(String, Pending<T>)>) -> Vec<Answer> {
    calls.into_iter().map(|(about, pending)| answer(about, pending.wait().map(Shown::into_view))).collect()
}

fn names() -> Vec<&'static str> {
    ["name"].into_iter().chain(FIELDS.iter().map(|(field, _)| *field)).collect()
}

/// The condition that asks whether a record has exactly this value.
pub(crate) fn question(subject: &Subject, field: &str) -> Json {
    match field {
        "registered_address" => json!({"field": "registered_address.city", "op": "eq", "value": subject.tail(field)}),
        _ => json!({"field": field, "op": "eq", "value": subject.value(field)}),
    }
}

pub(crate) fn walk(world: &World<'_>, actor: &Arc<Actor>) -> Vec<Surface> {
    let records = &world.kontor.records;
    let live: Vec<&Subject> = world.subjects.iter().filter(|subject| !subject.deleted).collect();
    let list = |object: &str, about: String, request: Json| {
        let request: ListRequest = serde_json::from_value(request).expect("a request");
        (about, records.list(actor, object, request))
    };
    let each = |subjects: &[&Subject]| subjects.iter().map(|subject| (subject.name(), subject.id)).collect::<Vec<_>>();
    let everyone: Vec<&Subject> = world.subjects.iter().collect();
    let by_value = |object: &str, prefix: &str| {
        let ask = |subject: &&Subject, field: &str| {
            let mut filter = question(subject, field);
            filter["field"] = json!(format!("{prefix}{}", filter["field"].as_str().unwrap_or_default()));
            list(
                object,
                format!("{field} of {}", subject.name()),
                json!({"filter": filter, "fields": ["id_type"], "count": "exact"}),
            )
        };
        let asked = live.iter().filter(|subject| prefix.is_empty() || ["own", "mate", "far"].contains(&subject.place));
        asked
            .flat_map(|subject| FIELDS.iter().map(|(field, _)| ask(subject, field)).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let columns = names();
    let related: Vec<String> =
        columns.iter().map(|name| format!("account.{name}")).chain(["full_name".to_owned()]).collect();
    let surface = |name, answers| Surface { name, answers };
    let bulk = |request: Json| {
        records.bulk(actor, "account", serde_json::from_value::<BulkRequest>(request).expect("a request"))
    };
    let ids: Vec<_> = everyone.iter().map(|subject| subject.id).collect();
    let stale = |subject: &&Subject| {
        let ask = |field: &str| {
            (
                format!("{field} of {}", subject.name()),
                records.change(actor, "account", subject.id, Some(999), object_of(json!({field: other(field)}))),
            )
        };
        FIELDS.iter().map(|(field, _)| ask(field)).collect::<Vec<_>>()
    };
    let reveal = |subject: &&Subject| {
        let ask = |field: &str| {
            (
                format!("{field} of {}", subject.name()),
                records.reveal(actor, "account", subject.id, vec![field.to_owned()], "a test of the matrix"),
            )
        };
        FIELDS.iter().map(|(field, _)| ask(field)).collect::<Vec<_>>()
    };
    let words = |subject: &&Subject| {
        ["legal_name", "phone", "email"]
            .map(|field| subject.value(field).as_str().unwrap_or_default().to_owned())
            .into_iter()
            .chain([subject.name()])
            .collect::<Vec<_>>()
    };
    let sorted = |field: &str| {
        list("account", format!("sort {field}"), json!({"sort": [field], "fields": columns, "limit": 200}))
    };
    let body = object_of(everyone.last().map(|kept| kept.body()).unwrap_or_default());
    vec![
        surface(
            "list",
            all(vec![
                list("account", "all".into(), json!({"fields": columns, "limit": 200, "count": "exact"})),
                list("account", "usual".into(), json!({})),
            ]),
        ),
        surface(
            "bin",
            all(vec![list(
                "account",
                "all".into(),
                json!({"fields": columns, "limit": 200, "count": "exact", "deleted": true}),
            )]),
        ),
        surface("sort", all(FIELDS.iter().map(|(field, _)| sorted(field)).collect())),
        surface("filter", all(by_value("account", ""))),
        surface("related", all(vec![list("contact", "all".into(), json!({"fields": related, "limit": 200}))])),
        surface("rel.filter", all(by_value("contact", "account."))),
        surface(
            "open",
            all(each(&everyone)
                .into_iter()
                .map(|(about, id)| (about, records.open(actor, "account", id, None)))
                .collect()),
        ),
        surface(
            "history",
            all(each(&everyone)
                .into_iter()
                .map(|(about, id)| (about, records.history(actor, "account", id, None, None)))
                .collect()),
        ),
        surface(
            "search",
            all(live.iter().flat_map(words).map(|q| (q.clone(), records.search(actor, &q, None))).collect()),
        ),
        surface(
            "q",
            all(live
                .iter()
                .flat_map(words)
                .map(|q| list("account", q.clone(), json!({"q": q, "count": "exact", "fields": columns})))
                .collect()),
        ),
        surface(
            "links",
            all(everyone
                .iter()
                .map(|subject| (subject.name(), records.links(actor, "contact", subject.contact, "accounts")))
                .collect()),
        ),
        surface("conflict", all(live.iter().filter(|subject| subject.place != "below").flat_map(stale).collect())),
        surface(
            "bulk",
            all(vec![
                (
                    "ids".to_owned(),
                    bulk(json!({"change": {"action": "update", "fields": {"level": "zz"}}, "ids": ids})),
                ),
                (
                    "filter".to_owned(),
                    bulk(json!({"change": {"action": "update", "fields": {"level": "zz"}}, "filter": {"and": []}})),
                ),
            ]),
        ),
        surface(
            "create",
            all(vec![
                (
                    "new".to_owned(),
                    records.create(
                        actor,
                        "account",
                        object_of(json!({"name": "Temporary", "legal_name": "x", "phone": "+49 1"})),
                        None,
                    ),
                ),
                ("plain".to_owned(), records.create(actor, "account", object_of(json!({"name": "Temporary"})), None)),
            ]),
        ),
        surface(
            "replay",
            all(vec![("kept".to_owned(), records.create(actor, "account", body, Some(world.replay.clone())))]),
        ),
        surface(
            "reveal",
            all(live
                .iter()
                .chain(everyone.iter().rev().filter(|subject| subject.deleted).take(1))
                .flat_map(reveal)
                .collect()),
        ),
        surface("metadata", vec![answer("account".into(), records.object(actor, "account"))]),
        surface(
            "log",
            all(vec![(
                "all".to_owned(),
                records.log_entries(actor, LogQuery { limit: Some(200), ..LogQuery::default() }),
            )]),
        ),
    ]
}

/// Another value that fits the field.
fn other(field: &str) -> Json {
    match field {
        "phone" => json!("+49 30 1"),
        "email" => json!("x@y.example"),
        "registered_address" => json!({"city": "X"}),
        "credit_limit" => json!({"amount": "1", "currency": "EUR"}),
        _ => json!("other"),
    }
}
