//! Every surface that could show something of an account, as text: answers and errors alike.

use crate::world::{FIELDS, PRIVATE, Subject, World};
use identity::Actor;
use kernel::Fault;
use records::{
    BulkRequest, DuplicatesRequest, ListRequest, LogQuery, MergeRequest, NotificationsRequest, Pending, PickAsk,
    PickListed, Shown, TimelineRequest,
};
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

impl Surface {
    fn new(name: &'static str, answers: Vec<Answer>) -> Self {
        Self { name, answers }
    }
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

/// One person in front of the world.
struct Walker<'w, 'k> {
    world: &'w World<'k>,
    actor: &'w Arc<Actor>,
}

/// Asks every surface.
pub(crate) fn walk(world: &World<'_>, actor: &Arc<Actor>) -> Vec<Surface> {
    let walker = Walker { world, actor };
    let mut surfaces = walker.lists();
    surfaces.extend(walker.words());
    surfaces.extend(walker.single_records());
    surfaces.extend(walker.writes());
    surfaces.extend(walker.numbers());
    surfaces.extend(walker.previews());
    surfaces.extend(walker.about());
    surfaces.extend(walker.rights());
    surfaces.push(walker.private());
    surfaces.extend(walker.picks());
    surfaces
}

impl Walker<'_, '_> {
    fn records(&self) -> &records::Records {
        &self.world.kontor.records
    }
    fn live(&self) -> impl Iterator<Item = &Subject> {
        self.world.subjects.iter().filter(|subject| !subject.deleted)
    }
    fn list(&self, object: &str, about: String, request: Json) -> (String, Pending<records::ListView>) {
        let request: ListRequest = serde_json::from_value(request).expect("a request");
        (about, self.records().list(self.actor, object, request))
    }

    fn by_value(&self, object: &str, prefix: &str) -> Vec<Answer> {
        let asked = self.live().filter(|subject| prefix.is_empty() || ["own", "mate", "far"].contains(&subject.place));
        let ask = |subject: &Subject, field: &str| {
            let mut filter = question(subject, field);
            filter["field"] = json!(format!("{prefix}{}", filter["field"].as_str().unwrap_or_default()));
            let request = json!({"filter": filter, "fields": ["id_type"], "count": "exact"});
            self.list(object, format!("{field} of {}", subject.name()), request)
        };
        all(asked.flat_map(|subject| FIELDS.map(|(field, _)| ask(subject, field))).collect())
    }

    fn lists(&self) -> Vec<Surface> {
        let columns = names();
        let related: Vec<String> =
            columns.iter().map(|name| format!("account.{name}")).chain(["full_name".to_owned()]).collect();
        let whole = json!({"fields": columns, "limit": 200, "count": "exact"});
        let page = serde_json::from_value(json!({"fields": columns, "limit": 200})).expect("a list");
        let exported = self.records().export_page(self.actor, "account", page, String::new());
        let bin = json!({"fields": columns, "limit": 200, "count": "exact", "deleted": true});
        let every: Vec<_> = self.world.subjects.iter().map(|subject| subject.id).collect();
        let named = json!({"field": "id", "op": "in", "value": every});
        let by_ids = json!({"fields": columns, "filter": named, "limit": 200, "count": "exact"});
        let sorted = |(field, _): (&str, _)| {
            self.list("account", format!("sort {field}"), json!({"sort": [field], "fields": columns, "limit": 200}))
        };
        let listed = vec![self.list("account", "all".into(), whole), self.list("account", "usual".into(), json!({}))];
        vec![
            Surface::new("list", all(listed)),
            Surface::new("export", all(vec![("all".to_owned(), exported)])),
            Surface::new("bin", all(vec![self.list("account", "all".into(), bin)])),
            Surface::new("sort", all(FIELDS.map(sorted).into())),
            Surface::new("filter", self.by_value("account", "")),
            Surface::new("ids", all(vec![self.list("account", "ids".into(), by_ids)])),
            Surface::new(
                "related",
                all(vec![self.list("contact", "all".into(), json!({"fields": related, "limit": 200}))]),
            ),
            Surface::new("rel.filter", self.by_value("contact", "account.")),
        ]
    }

    fn words(&self) -> Vec<Surface> {
        let words = |subject: &Subject| {
            let values = ["legal_name", "phone", "email"]
                .map(|field| subject.value(field).as_str().unwrap_or_default().to_owned());
            values.into_iter().chain([subject.name()]).collect::<Vec<_>>()
        };
        let all_words: Vec<String> = self.live().flat_map(words).collect();
        let search = |q: &String| (q.clone(), self.records().search(self.actor, q, None));
        let narrowed =
            |q: &String| self.list("account", q.clone(), json!({"q": q, "count": "exact", "fields": names()}));
        vec![
            Surface::new("search", all(all_words.iter().map(search).collect())),
            Surface::new("q", all(all_words.iter().map(narrowed).collect())),
        ]
    }

    fn single_records(&self) -> Vec<Surface> {
        let (records, actor) = (self.records(), self.actor);
        let everyone = || self.world.subjects.iter().map(|subject| (subject.name(), subject));
        let reveal = |subject: &Subject| {
            FIELDS.map(|(field, _)| {
                let pending =
                    records.reveal(actor, "account", subject.id, vec![field.to_owned()], "a test of the matrix");
                (format!("{field} of {}", subject.name()), pending)
            })
        };
        let gone = self.world.subjects.iter().filter(|subject| subject.deleted).take(1);
        vec![
            Surface::new(
                "open",
                all(everyone().map(|(about, one)| (about, records.open(actor, "account", one.id, None))).collect()),
            ),
            Surface::new(
                "files",
                all(everyone().map(|(about, one)| (about, records.attachments(actor, "account", one.id))).collect())
                    .into_iter()
                    .chain(everyone().map(|(about, one)| {
                        let file = records.attachment_open(actor, "account", one.id, (one.file, false)).wait();
                        answer(about, file.map(|found| found.into_view().view))
                    }))
                    .collect(),
            ),
            Surface::new("duplicates", self.doubles()),
            Surface::new(
                "history",
                all(everyone()
                    .map(|(about, one)| (about, records.history(actor, "account", one.id, None, None)))
                    .collect()),
            ),
            Surface::new(
                "timeline",
                all(everyone()
                    .map(|(about, one)| (about, records.timeline(actor, "account", one.id, TimelineRequest::default())))
                    .collect()),
            ),
            Surface::new(
                "access-log",
                all(everyone()
                    .map(|(about, one)| (about, records.access_log(actor, "account", one.id, None, Some(20))))
                    .collect()),
            ),
            Surface::new(
                "links",
                all(everyone()
                    .map(|(about, one)| (about, records.links(actor, "contact", one.contact, "accounts")))
                    .collect()),
            ),
            Surface::new("reveal", all(self.live().chain(gone).flat_map(reveal).collect())),
        ]
    }

    /// Every value of every record, as if it were being typed.
    fn doubles(&self) -> Vec<Answer> {
        let ask = |subject: &Subject| {
            let values = ["legal_name", "phone", "email", "tax_no", "bank_account_no"];
            let values = values.into_iter().map(|field| (field.to_owned(), subject.value(field)));
            let values = values.chain([("name".to_owned(), json!(subject.name()))]).collect();
            let request = DuplicatesRequest { values, except: None };
            (subject.name(), self.records().duplicates(self.actor, "account", request))
        };
        all(self.live().map(ask).collect())
    }

    fn writes(&self) -> Vec<Surface> {
        let (records, actor) = (self.records(), self.actor);
        let stale = |subject: &Subject| {
            FIELDS.map(|(field, _)| {
                let pending =
                    records.change(actor, "account", subject.id, Some(999), object_of(json!({field: other(field)})));
                (format!("{field} of {}", subject.name()), pending)
            })
        };
        let bulk = |targets: Json| {
            // A value that fits no record: what differs is which records are there at all.
            let mut request = json!({"change": {"action": "update", "fields": {"level": "zz"}}});
            request.as_object_mut().expect("an object").extend(object_of(targets));
            records.bulk(actor, "account", serde_json::from_value::<BulkRequest>(request).expect("a request"), None)
        };
        let create =
            |about: &str, body: Json| (about.to_owned(), records.create(actor, "account", object_of(body), None));
        let ids: Vec<_> = self.world.subjects.iter().map(|subject| subject.id).collect();
        let kept = self.world.subjects.last().map(Subject::body).unwrap_or_default();
        let again = records.create(actor, "account", object_of(kept), Some(self.world.replay.clone()));
        vec![
            Surface::new("conflict", all(self.live().flat_map(stale).collect())),
            Surface::new(
                "bulk",
                all(vec![
                    ("ids".to_owned(), bulk(json!({"ids": ids}))),
                    ("filter".to_owned(), bulk(json!({"filter": {"and": []}}))),
                ]),
            ),
            Surface::new(
                "create",
                all(vec![
                    create("new", json!({"name": "Temporary", "legal_name": "x", "phone": "+49 1"})),
                    create("plain", json!({"name": "Temporary"})),
                ]),
            ),
            Surface::new("replay", all(vec![("kept".to_owned(), again)])),
            Surface::new("merge", self.merges()),
            Surface::new("delete-plan", self.deletes()),
        ]
    }

    /// What each record would take from the next, asked for field by field; and the next from it, with nothing chosen.
    fn merges(&self) -> Vec<Answer> {
        let mut asked = Vec::new();
        let subjects: Vec<_> = self.world.subjects.iter().collect();
        for pair in subjects.windows(2) {
            let mut ask = |about: String, stays: &Subject, goes: &Subject, fields: Json| {
                let version = |subject: &Subject| self.world.kontor.version("account", subject.id);
                let request = json!({"losers": [{"id": goes.id, "version": version(goes)}], "fields": fields});
                let request = serde_json::from_value::<MergeRequest>(request).expect("a request");
                let view = self.records().merge_plan(self.actor, "account", (stays.id, Some(version(stays))), request);
                // The answer repeats the id of the one that stays.
                let view =
                    view.wait().map(Shown::into_view).map(|view| json!({"moved": view.moved, "kept": view.kept}));
                asked.push(answer(about, view));
            };
            ask(format!("all of {}", pair[0].name()), pair[1], pair[0], json!({}));
            // One pair for the fields: what differs between places, the bare merge asks of all.
            for (field, _) in FIELDS.iter().filter(|_| pair[0].place == "own") {
                ask(format!("{field} of {}", pair[1].name()), pair[0], pair[1], json!({*field: pair[1].id}));
            }
        }
        asked
    }

    /// What deleting each record would do to others.
    fn deletes(&self) -> Vec<Answer> {
        let ask = |subject: &Subject| {
            let version = self.world.kontor.version("account", subject.id);
            (String::new(), self.records().delete_plan(self.actor, "account", subject.id, Some(version)))
        };
        all(self.world.subjects.iter().map(ask).collect())
    }

    /// Activities that somebody else keeps to themselves, by every way that leads to an activity.
    fn private(&self) -> Surface {
        let records = self.records();
        let whole = json!({"fields": ["subject"], "limit": 200, "count": "exact"});
        let mut asked = all(vec![
            self.list("activity", "all".into(), whole),
            self.list("activity", "q".into(), json!({"q": PRIVATE, "fields": ["subject"]})),
        ]);
        asked.extend(all(vec![("search".to_owned(), records.search(self.actor, PRIVATE, None))]));
        asked.extend(all(self
            .world
            .private
            .iter()
            .map(|id| (String::new(), records.open(self.actor, "activity", *id, None)))
            .collect()));
        asked.extend(all(self
            .world
            .private
            .iter()
            .map(|id| (String::new(), records.history(self.actor, "activity", *id, None, None)))
            .collect()));
        let change = |id: &kernel::RecordId| {
            (String::new(), records.change(self.actor, "activity", *id, Some(1), object_of(json!({"private": false}))))
        };
        asked.extend(all(self.world.private.iter().map(change).collect()));
        let by = serde_json::from_value(json!({"group_by": ["subject"]})).expect("a request");
        asked.extend(all(vec![("by subject".to_owned(), records.summary(self.actor, "activity", by))]));
        Surface::new("private", asked)
    }

    /// Counts by each field, and of what can be added up the sum.
    fn numbers(&self) -> Vec<Surface> {
        let ask = |request: Json| {
            self.records().summary(self.actor, "account", serde_json::from_value(request).expect("a request"))
        };
        let by = |(field, _): &(&str, _)| {
            let field = if *field == "registered_address" { "registered_address.city" } else { field };
            (format!("by {field}"), ask(json!({"group_by": [field]})))
        };
        let mut asked: Vec<_> = FIELDS.iter().map(by).collect();
        asked.push(("sum".to_owned(), ask(json!({"group_by": ["name"], "sums": ["credit_limit"]}))));
        vec![Surface::new("summary", all(asked))]
    }

    /// What a bulk change would do to each field, of named records and of all that match.
    fn previews(&self) -> Vec<Surface> {
        let ids: Vec<_> = self.world.subjects.iter().map(|subject| subject.id).collect();
        let ask = |targets: Json, field: &str| {
            let mut request = json!({"change": {"action": "update", "fields": {field: other(field)}}});
            request.as_object_mut().expect("an object").extend(object_of(targets));
            let request = serde_json::from_value::<BulkRequest>(request).expect("a request");
            let view = self.records().bulk_preview(self.actor, "account", request).wait().map(Shown::into_view);
            // It repeats the ids it was given; what tells something is which of them it treats as there.
            let view = view.map(|mut view| {
                view.reasons.retain(|reason| reason.code != kernel::Code::RecordNotFound);
                view
            });
            answer(field.to_owned(), view)
        };
        let mut asked: Vec<_> = FIELDS.iter().map(|(field, _)| ask(json!({"ids": ids}), field)).collect();
        asked.push(ask(json!({"filter": {"and": []}}), "legal_name"));
        vec![Surface::new("preview", asked)]
    }

    /// What those who give or check roles are told about somebody who may see everything: of each record and field.
    fn rights(&self) -> Vec<Surface> {
        let records = self.records();
        let everyone = self.world.subjects.iter();
        let ask = |subject: &Subject| {
            FIELDS.map(|(field, _)| {
                let question =
                    json!({"user": self.world.probe, "object": "account", "record": subject.id, "field": field});
                let question = serde_json::from_value(question).expect("a question");
                (format!("{field} of {}", subject.name()), records.rights_check(self.actor, question))
            })
        };
        let view = |request: Json| serde_json::from_value(request).expect("a request");
        vec![
            Surface::new("rights", all(everyone.flat_map(ask).collect())),
            Surface::new(
                "view-as",
                all(vec![
                    ("person".to_owned(), records.rights_view(self.actor, view(json!({"user": self.world.probe})))),
                    ("roles".to_owned(), records.rights_view(self.actor, view(json!({"roles": ["sales_manager"]})))),
                ]),
            ),
        ]
    }

    /// What sets show and would bring back of each record, also one that lay elsewhere then.
    fn picks(&self) -> Vec<Surface> {
        let (records, mut listed, mut opened, mut tried) = (self.records(), Vec::new(), Vec::new(), Vec::new());
        for (at, set) in self.world.sets.iter().enumerate() {
            let elsewhere = at > 0;
            listed.push(answer("objects".into(), records.pick_objects(self.actor, set).wait().map(Shown::into_view)));
            let mut list = |about: &str, q: Option<String>| {
                let request = PickListed { q, limit: Some(200), ..PickListed::default() };
                let page = records.pick_list(self.actor, set, "account", request).wait().map(Shown::into_view);
                listed.push(answer(about.to_owned(), page));
            };
            list("all", None);
            let words = |subject: &&Subject| elsewhere && ["own", "mate", "far"].contains(&subject.place);
            self.live().filter(words).for_each(|subject| list("name", Some(subject.name())));
            self.live().filter(words).for_each(|subject| list("legal name", Some(subject.core("legal_name"))));
            for subject in &self.world.subjects {
                let view = records.pick_open(self.actor, set, "account", subject.id).wait().map(Shown::into_view);
                opened.push(answer(subject.name(), view));
                // From a version that is none: the refusal tells both sides of what differs.
                for version in [self.world.kontor.version("account", subject.id), 999].into_iter().filter(|_| elsewhere)
                {
                    let ask = PickAsk { dry_run: true, ..PickAsk::default() };
                    let of = ("account", subject.id);
                    let view = records.pick_bring(self.actor, set, of, Some(version), ask).wait().map(Shown::into_view);
                    tried.push(answer(subject.name(), view));
                }
            }
        }
        vec![Surface::new("pick.list", listed), Surface::new("pick.open", opened), Surface::new("pick.tried", tried)]
    }

    fn about(&self) -> Vec<Surface> {
        let log = self.records().log_entries(self.actor, LogQuery { limit: Some(200), ..LogQuery::default() });
        vec![
            Surface::new("metadata", vec![answer("account".into(), self.records().object(self.actor, "account"))]),
            Surface::new("log", all(vec![("all".to_owned(), log)])),
            Surface::new(
                "bell",
                all(vec![(
                    "all".to_owned(),
                    self.records().notifications(self.actor, NotificationsRequest::default()),
                )]),
            ),
            Surface::new(
                "events",
                vec![answer("missed".into(), self.records().watch(self.actor, Some(0)).map(|(_, begun)| begun.missed))],
            ),
            Surface::new("sample", all(vec![("all".to_owned(), self.records().sample_show(self.actor))])),
            Surface::new("views", all(vec![("shared".to_owned(), self.records().views(self.actor, "account"))])),
        ]
    }
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
