//! Imports that go on by themselves, on both engines: paused, interrupted and gone on with, no row is imported twice; taken
//! back, everything is as it was.
#![cfg(test)]

use identity::Actor;
use kernel::{Code, Fault, RecordId};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use testkit::{TestAppliance, on_both_engines};
use transfer::{ImportPatch, ImportState, ImportView, Imports};

/// Three batches.
const ROWS: u64 = 1_500;

fn imports(kontor: &TestAppliance) -> Imports {
    Imports::new(kontor.records.clone(), Arc::clone(&kontor.store))
}

fn sent(imports: &Imports, actor: &Arc<Actor>, text: &str) -> RecordId {
    let mut upload = imports.begin(actor, "customers.csv", Some("account".to_owned())).unwrap();
    text.as_bytes().chunks(10_000).for_each(|piece| upload.write(piece).unwrap());
    let view = upload.finish().unwrap();
    let mapping = json!({"kontor_mapping": 1, "object": "account", "match": ["name"],
        "fields": {"name": {"column": "name"}, "website": {"column": "website"}}});
    let mapping = serde_json::from_value(mapping).unwrap();
    imports.patch(actor, view.id, ImportPatch { object: None, mapping: Some(mapping) }).unwrap();
    view.id
}

/// Looks until nothing goes on by itself any more.
fn rest(imports: &Imports, actor: &Arc<Actor>, id: RecordId) -> ImportView {
    loop {
        let view = imports.get(actor, id).unwrap();
        if !matches!(view.state, ImportState::Running | ImportState::Checking | ImportState::Undoing) {
            return view;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn live(kontor: &TestAppliance) -> i64 {
    kontor.sql_number("SELECT count(*) FROM account WHERE deleted_at IS NULL")
}

#[test]
fn an_import_that_is_cut_off_goes_on_behind_its_last_row() {
    on_both_engines(|kontor| {
        let imports = imports(kontor);
        let lead = kontor.actor(kontor.user("lead", &["sales_manager"], None));
        let rows = (0..ROWS).map(|row| format!("Customer {row},https://{row}.example\n"));
        let id = sent(&imports, &lead, &format!("name,website\n{}", rows.collect::<String>()));

        imports.start(&lead, id, false, false).unwrap();
        imports.want(&lead, id, false).unwrap();
        let paused = rest(&imports, &lead, id);
        assert_eq!((paused.state, paused.can_resume), (ImportState::Paused, true));
        assert!(paused.progress.created > 0 && paused.progress.created < ROWS, "{:?}", paused.progress);
        assert_eq!(u64::try_from(live(kontor)).unwrap(), paused.progress.created);
        assert_eq!(imports.start(&lead, id, false, false).unwrap_err().code, Code::JobBusy);

        // As if its process had been killed: it says that it runs, but gives no sign of life.
        kontor.sql("UPDATE k_import SET state = 'running'");
        kontor.clock.advance_seconds(200);
        assert_eq!(imports.get(&lead, id).unwrap().state, ImportState::Interrupted);

        imports.start(&lead, id, false, true).unwrap();
        let done = rest(&imports, &lead, id);
        assert_eq!((done.state, done.progress.created, done.progress.rejected), (ImportState::Done, ROWS, 0));
        assert_eq!(u64::try_from(live(kontor)).unwrap(), ROWS, "no row is imported twice, none is left out");
        assert_eq!(imports.start(&lead, id, false, true).unwrap_err().code, Code::JobBusy);

        imports.undo(&lead, id).unwrap();
        let undone = rest(&imports, &lead, id);
        assert_eq!((undone.state, undone.undo.map(|undo| undo.removed)), (ImportState::Undone, Some(ROWS)));
        assert_eq!(live(kontor), 0);
    });
}

#[test]
fn what_an_import_changed_gets_its_old_values_back() {
    on_both_engines(|kontor| {
        let imports = imports(kontor);
        let lead = kontor.actor(kontor.user("lead", &["sales_manager"], None));
        let kept =
            kontor.create(&lead, "account", json!({"name": "Hanse", "website": "https://old.example"})).unwrap().id;
        let id = sent(&imports, &lead, "name,website\nHanse,https://new.example\nElbe,https://elbe.example\n");
        imports.start(&lead, id, true, false).unwrap();
        let tried = rest(&imports, &lead, id);
        let tried = tried.dry_run.unwrap();
        assert_eq!((tried.created, tried.updated, live(kontor)), (1, 1, 1));

        imports.start(&lead, id, false, false).unwrap();
        let done = rest(&imports, &lead, id);
        assert_eq!((done.state, done.progress.created, done.progress.updated), (ImportState::Done, 1, 1));
        assert_eq!(kontor.open(&lead, "account", kept).unwrap().fields["website"], "https://new.example");

        imports.undo(&lead, id).unwrap();
        let undone = rest(&imports, &lead, id).undo.unwrap();
        assert_eq!((undone.removed, undone.restored, undone.failed), (1, 1, 0), "{:?}", undone.failures);
        assert_eq!(kontor.open(&lead, "account", kept).unwrap().fields["website"], "https://old.example");
    });
}

#[test]
fn rights_that_are_taken_away_stop_an_import() {
    on_both_engines(|kontor| {
        let imports = imports(kontor);
        let user = kontor.user("lead", &["sales_manager"], None);
        let lead = kontor.actor(user);
        let id = sent(&imports, &lead, "name,website\nHanse,https://hanse.example\n");
        kontor.records.role_revoke(&kontor.operator(), user, "sales_manager").wait().unwrap();
        // The session still holds the rights of before; the run asks for those of now.
        imports.start(&lead, id, false, false).unwrap();
        let stopped = rest(&imports, &lead, id);
        assert_eq!(
            (stopped.state, stopped.problem.map(|problem| problem.code)),
            (ImportState::Stopped, Some(Code::AccessDenied))
        );
        assert_eq!(live(kontor), 0);
        assert!(
            kontor
                .log()
                .iter()
                .any(|entry| entry.decision.error == "access_denied" && entry.act.verb == audit::Verb::Import)
        );
    });
}

#[test]
fn a_row_that_may_not_be_is_refused_and_in_the_log_also_when_only_tried() {
    on_both_engines(|kontor| {
        let imports = imports(kontor);
        let words = json!({"en": "Looker", "zh": "查看者"});
        kontor.role(json!({"name": "looker", "label": words, "description": words, "actions": ["import"],
            "objects": {"account": {"read": "all"}}, "levels": {"S0": "edit", "S1": "edit", "S2": "edit"}}));
        let looker = kontor.actor(kontor.user("looker", &["looker"], None));
        let id = sent(&imports, &looker, "name,website\nHanse,\nElbe,\n");
        let denied = || {
            let refused = |entry: &&audit::Entry| entry.decision.error == "access_denied";
            kontor.log().iter().filter(refused).count()
        };
        imports.start(&looker, id, true, false).unwrap();
        let tried = rest(&imports, &looker, id);
        assert_eq!((tried.dry_run.unwrap().rejected, tried.first_errors[0].code), (2, Code::AccessDenied));
        assert_eq!(denied(), 2);
        imports.start(&looker, id, false, false).unwrap();
        let done = rest(&imports, &looker, id);
        assert_eq!((done.state, done.progress.rejected, done.progress.created), (ImportState::Done, 2, 0));
        assert_eq!((denied(), live(kontor)), (4, 0));
    });
}

/// A file of records of the organisation, mapped column by column.
fn sent_of(
    imports: &Imports,
    actor: &Arc<Actor>,
    object: &str,
    (fields, found): (&[&str], &str),
    text: &str,
) -> Result<RecordId, Fault> {
    let mut upload = imports.begin(actor, "house.csv", Some(object.to_owned())).unwrap();
    upload.write(text.as_bytes()).unwrap();
    let view = upload.finish().unwrap();
    let fields: serde_json::Map<_, _> =
        fields.iter().map(|name| ((*name).to_owned(), json!({"column": name}))).collect();
    let mapping = json!({"kontor_mapping": 1, "object": object, "match": [found], "fields": fields});
    let mapping = serde_json::from_value(mapping).unwrap();
    imports.patch(actor, view.id, ImportPatch { object: None, mapping: Some(mapping) })?;
    Ok(view.id)
}

#[test]
fn an_officer_brings_units_and_people_by_file_and_nobody_else_does() {
    on_both_engines(|kontor| {
        let imports = imports(kontor);
        let officer = kontor.actor(kontor.user("officer", &["security_admin"], None));
        let units = (&["code", "name"][..], "code");
        let id = sent_of(&imports, &officer, "unit", units, "code,name\nhl,L\u{fc}beck\nsh,Shanghai\n").unwrap();
        imports.start(&officer, id, false, false).unwrap();
        let done = rest(&imports, &officer, id);
        assert_eq!((done.state, done.progress.created, done.progress.rejected), (ImportState::Done, 2, 0));
        let people = (&["username", "display_name"][..], "username");
        let id = sent_of(&imports, &officer, "user", people, "username,display_name\nanna,Anna\nbert,Bert\ncleo,\n")
            .unwrap();
        imports.start(&officer, id, false, false).unwrap();
        let done = rest(&imports, &officer, id);
        assert_eq!(
            (done.state, done.progress.created, done.progress.rejected),
            (ImportState::Done, 2, 1),
            "nobody is without a name"
        );
        assert_eq!(kontor.sql_number("SELECT count(*) FROM k_credential WHERE login IN ('anna', 'bert')"), 2);

        // Customers are none of theirs, and the organisation is none of a manager's.
        let fault = imports.begin(&officer, "customers.csv", Some("account".to_owned())).map(|_| ()).unwrap_err();
        assert_eq!(fault.code, Code::ObjectUnknown);
        let lead = kontor.actor(kontor.user("lead", &["sales_manager"], None));
        let refused = sent_of(&imports, &lead, "unit", units, "code,name\nxx,Mine\n").unwrap_err();
        assert_eq!(refused.code, Code::ImportMapping, "units have no field that a manager may set");
        assert_eq!(kontor.sql_number("SELECT count(*) FROM unit WHERE code = 'xx'"), 0);
    });
}
