//! Sample data: marked, counted, removed to the last row; what people changed or added is named first and asked for.

use audit::Verb as Act;
use identity::Actor;
use kernel::{Clock, Code, Fault, Id, RecordId, Timestamp};
use records::{Records, SampleLink, SampleSource, SampleState, SampleStep, SampleView};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use testkit::{Engine, TestAppliance, object_of, on_both_engines};

/// A small house: one record of every kind that leaves something behind.
struct Small(Vec<RecordId>);

impl Small {
    fn new(kontor: &TestAppliance) -> Arc<Self> {
        let id = |_| Id::generate(kontor.clock.as_ref(), kontor.store.random().as_ref());
        Arc::new(Self((0..7).map(id).collect()))
    }
}

impl SampleSource for Small {
    fn steps(&self, records: &Records) -> Result<Vec<SampleStep>, Fault> {
        let catalog = records.catalog();
        let [unit, user, account, contact, activity, tag, lead] = self.0[..] else { panic!("seven ids") };
        let step = |object: &str, id, fields: Json, links| SampleStep::Create {
            object: Arc::clone(catalog.object(object).unwrap()),
            id,
            fields: object_of(fields),
            links,
            created_at: Timestamp::from_micros(1),
        };
        let link = |relation, other| SampleLink { relation, other, role: None };
        Ok(vec![
            step("unit", unit, json!({"code": "S", "name": "Sample house"}), vec![]),
            step(
                "user",
                user,
                json!({"username": "sam", "display_name": "Sam", "status": "active", "unit": unit}),
                vec![],
            ),
            step("tag", tag, json!({"name": "Sample tag"}), vec![]),
            step(
                "account",
                account,
                json!({"name": "Muster", "phone": "+49 451 555", "owner": user, "unit": unit}),
                vec![link("tags", tag)],
            ),
            step(
                "contact",
                contact,
                json!({"full_name": "Mia Muster", "mobile": "+49 151 555", "account": account, "owner": user}),
                vec![link("accounts", account)],
            ),
            step(
                "activity",
                activity,
                json!({"kind": "note", "subject": "Hello", "body": "A sealed text", "regarding": {"object": "account", "id": account}}),
                vec![],
            ),
            step("lead", lead, json!({"full_name": "Lea Muster", "owner": user}), vec![]),
            SampleStep::Change {
                object: Arc::clone(catalog.object("unit").unwrap()),
                id: unit,
                fields: object_of(json!({"manager": user})),
            },
        ])
    }
}

fn view(kontor: &TestAppliance, actor: &Arc<Actor>) -> SampleView {
    loop {
        let view = kontor.records.sample_show(actor).wait().unwrap().into_view();
        if !matches!(view.state, SampleState::Loading | SampleState::Removing) {
            return view;
        }
        std::thread::yield_now();
    }
}

fn load(kontor: &TestAppliance, admin: &Arc<Actor>) -> Arc<Small> {
    let small = Small::new(kontor);
    kontor.records.sample_load(admin, small.clone()).wait().unwrap();
    let loaded = view(kontor, admin);
    assert_eq!((loaded.state, loaded.error), (SampleState::Present, None));
    kontor.clock.advance_seconds(60);
    small
}

fn remove(kontor: &TestAppliance, actor: &Arc<Actor>, confirmed: bool) -> Result<SampleView, Fault> {
    kontor.records.sample_remove(actor, confirmed, || {}).wait()?;
    Ok(view(kontor, actor))
}

/// Rows of every table but the log, and of the full-text index.
fn rows(kontor: &TestAppliance) -> BTreeMap<String, i64> {
    let mut tables = kontor.tables();
    if kontor.engine == Engine::Embedded {
        tables.extend(kontor.sql("SELECT name FROM sqlite_master WHERE name LIKE 's\\_%\\_docsize' ESCAPE '\\'"));
    }
    tables.retain(|table| table != "k_audit");
    tables
        .into_iter()
        .map(|table| (table.clone(), kontor.sql_number(&format!("SELECT count(*) FROM \"{table}\""))))
        .collect()
}

#[test]
fn what_came_with_the_sample_goes_to_the_last_row() {
    on_both_engines(|kontor| {
        let admin = kontor.actor(kontor.user("admin", &["system_admin"], None));
        let before = rows(kontor);
        let small = load(kontor, &admin);
        let full = rows(kontor);
        let search = if kontor.engine == Engine::Embedded { "s_account_docsize" } else { "account" };
        for table in [
            "unit",
            "user",
            "account",
            "contact",
            "activity",
            "tag",
            "lead",
            "k_key",
            "k_credential",
            "k_number",
            "k_meta",
            search,
        ] {
            assert!(full[table] > before.get(table).copied().unwrap_or(0), "the sample leaves nothing in {table}");
        }
        let loaded = view(kontor, &admin);
        let counts: Vec<(&str, usize)> = loaded.objects.iter().map(|one| (one.object.as_str(), one.count)).collect();
        assert_eq!(
            counts,
            [("account", 1), ("activity", 1), ("contact", 1), ("lead", 1), ("tag", 1), ("unit", 1), ("user", 1)]
        );
        assert_eq!((loaded.changed_total, loaded.added_total, loaded.you), (0, 0, false));
        assert!(kontor.records.settings().wait().unwrap().into_view().sample);
        // What its users leave by working.
        let role = kontor.records.role_grant(&kontor.operator(), small.0[1], "seller", None, None);
        role.wait().unwrap();
        let sam = kontor.actor(small.0[1]);
        kontor.records.preference_set(&sam, "ui", &json!({"a": 1})).wait().unwrap();
        let body = serde_json::from_value(json!({"name": "Mine", "definition": {"kind": "table"}}));
        if let Ok(body) = body {
            let _ = kontor.records.view_create(&sam, "account", body).wait();
        }
        import(kontor, small.0[1]);
        let gone = remove(kontor, &admin, false).unwrap();
        assert_eq!((gone.state, gone.error), (SampleState::None, None));
        assert_eq!(rows(kontor), before);
        kontor.seal_log();
        let report = kontor.verify(4);
        assert!(report.ok, "{:?}", report.findings);
        let log = kontor.log();
        let ended = |entry: &&audit::Entry| {
            entry.act.verb == Act::Delete && entry.state_before.is_some() && entry.state_after.is_none()
        };
        assert_eq!(log.iter().filter(ended).count(), 7);
        assert!(log.iter().filter(ended).all(|entry| entry.actor.on_behalf_of == Some(admin.user())));
        assert!(log.iter().any(|entry| entry.note == "sample data: removed 7 records"));
        assert_eq!(remove(kontor, &admin, true).map(|_| ()).unwrap_err().code, Code::SampleRefused);
    });
}

/// An import of a user with one step.
fn import(kontor: &TestAppliance, user: RecordId) {
    let id: RecordId = Id::generate(kontor.clock.as_ref(), kontor.store.random().as_ref());
    let kept = store::ImportKept {
        id,
        user,
        state: "done".to_owned(),
        wanted: String::new(),
        boot: id,
        body: b"{}".to_vec(),
        progress: "{}".to_owned(),
        at: kontor.clock.now(),
        beat_at: kontor.clock.now(),
        finished_at: None,
    };
    let written = kontor.store.write(move |tx| {
        tx.import_insert(&kept)?;
        Ok(tx.import_step(id, 1, b"{}")?)
    });
    written.wait().unwrap();
}

#[test]
fn what_people_changed_or_added_is_named_and_asked_for() {
    on_both_engines(|kontor| {
        let admin = kontor.actor(kontor.user("admin", &["system_admin"], None));
        let small = load(kontor, &admin);
        let [unit, _, account, ..] = small.0[..] else { panic!("ids") };
        kontor.role(json!({"name": "clerk", "label": {"en": "C", "zh": "C"}, "description": {"en": "C", "zh": "C"},
            "objects": {"*": {"read": "all", "create": "all", "update": "all", "assign": "all"}},
            "levels": {"S0": "edit", "S1": "edit", "S2": "edit", "S3": "edit"}}));
        let anna = kontor.user("anna", &["clerk"], Some(unit));
        let clerk = kontor.actor(anna);
        kontor.change(&clerk, "account", account, json!({"name": "Meister"})).unwrap();
        let contact = kontor.create(&clerk, "contact", json!({"full_name": "Nora", "account": account})).unwrap().id;
        let mut upload =
            kontor.records.attachment_begin(&clerk, "account", account, "terms.pdf").wait().unwrap().into_view();
        upload.write(b"%PDF-1.7 terms").unwrap();
        upload.finish().wait().unwrap();
        assert_eq!(files(kontor), 1);
        let seen = view(kontor, &admin);
        assert_eq!(seen.files, 1);
        let changed: Vec<_> = seen.changed.iter().map(|one| (one.object.as_str(), one.id, one.by)).collect();
        assert_eq!((seen.changed_total, changed), (1, vec![("account", account, Some(anna))]));
        let added: Vec<_> = seen.added.iter().map(|one| (one.object.as_str(), one.id, one.goes)).collect();
        assert_eq!(added, [("contact", contact, false), ("user", anna, false)]);
        assert_eq!(remove(kontor, &admin, false).map(|_| ()).unwrap_err().code, Code::SampleRefused);
        assert_eq!(view(kontor, &admin).state, SampleState::Present, "nothing is touched without a word");
        let gone = remove(kontor, &admin, true).unwrap();
        assert_eq!((gone.state, gone.error), (SampleState::None, None));
        let operator = kontor.operator();
        assert_eq!(kontor.open(&operator, "contact", contact).unwrap().fields["account"], Json::Null);
        assert_eq!(kontor.open(&operator, "user", anna).unwrap().fields["unit"], Json::Null);
        assert_eq!(kontor.open(&operator, "account", account).map(|_| ()).unwrap_err().code, Code::RecordNotFound);
        // A folder that several nodes use is emptied by the sweep.
        let waiting = usize::from(kontor.store.is_shared());
        assert_eq!((files(kontor), kontor.sql_number("SELECT count(*) FROM k_attachment")), (waiting, 0));
        kontor.seal_log();
        assert!(kontor.verify(4).ok);
    });
}

/// Files beside the database.
fn files(kontor: &TestAppliance) -> usize {
    let folders = std::fs::read_dir(&kontor.store.config().files_folder).into_iter().flatten().flatten();
    folders.map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().count()).sum()
}

#[test]
fn whoever_asks_stays_and_others_may_not_ask() {
    on_both_engines(|kontor| {
        let first = kontor.actor(kontor.user("admin", &["system_admin"], None));
        let small = load(kontor, &first);
        let sam = small.0[1];
        kontor.records.role_grant(&kontor.operator(), sam, "system_admin", None, None).wait().unwrap();
        let sam_acts = kontor.actor(sam);
        assert!(view(kontor, &sam_acts).you);
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let refused = [
            kontor.records.sample_show(&anna).wait().map(|_| ()),
            kontor.records.sample_remove(&anna, true, || {}).wait().map(|_| ()),
            kontor.records.sample_load(&anna, small.clone()).wait().map(|_| ()),
        ];
        assert!(refused.into_iter().all(|refused| refused.unwrap_err().code == Code::AccessDenied));
        let again = kontor.records.sample_load(&first, small.clone()).wait().map(|_| ());
        assert_eq!(again.unwrap_err().code, Code::SampleRefused, "there is one already");
        assert_eq!(remove(kontor, &sam_acts, true).unwrap().state, SampleState::None);
        let kept = kontor.open(&kontor.operator(), "user", sam).unwrap();
        assert_eq!((&kept.fields["unit"], &kept.fields["is_sample"]), (&Json::Null, &json!(false)));
        assert_eq!(kontor.store.read(move |tx| tx.role_assignments(sam)).wait().unwrap().len(), 1);
        kontor.make("account", json!({"name": "A real one"}));
        let late = kontor.records.sample_load(&first, small).wait().map(|_| ());
        assert_eq!(late.unwrap_err().code, Code::SampleRefused, "there are customers");
    });
}

/// Gives half of a sample, then fails.
struct Broken(Arc<Small>);
impl SampleSource for Broken {
    fn steps(&self, records: &Records) -> Result<Vec<SampleStep>, Fault> {
        let mut steps = self.0.steps(records)?;
        // Units first, in a commit of their own size, so that something is there when the bad one comes.
        let unit = Arc::clone(records.catalog().object("unit").unwrap());
        for at in 0..300 {
            let id = Id::generate(&kernel::SystemClock::start(), &vault::OsRandom::new());
            let fields = object_of(json!({"code": format!("U{at}"), "name": "Unit"}));
            steps.insert(
                0,
                SampleStep::Create {
                    object: Arc::clone(&unit),
                    id,
                    fields,
                    links: vec![],
                    created_at: Timestamp::from_micros(1),
                },
            );
        }
        let id = Id::generate(&kernel::SystemClock::start(), &vault::OsRandom::new());
        steps.push(SampleStep::Create {
            object: unit,
            id,
            fields: object_of(json!({"code": "bad"})),
            links: vec![],
            created_at: Timestamp::from_micros(1),
        });
        Ok(steps)
    }
}

#[test]
fn a_loading_that_broke_off_is_told_and_can_be_removed() {
    on_both_engines(|kontor| {
        let admin = kontor.actor(kontor.user("admin", &["system_admin"], None));
        let before = rows(kontor);
        kontor.records.sample_load(&admin, Arc::new(Broken(Small::new(kontor)))).wait().unwrap();
        let seen = view(kontor, &admin);
        assert_eq!(seen.state, SampleState::Interrupted);
        assert!(seen.error.unwrap().contains("a sample record of unit"));
        assert!(rows(kontor)["unit"] > before["unit"]);
        assert_eq!(remove(kontor, &admin, true).unwrap().state, SampleState::None);
        assert_eq!(rows(kontor), before);
    });
}
