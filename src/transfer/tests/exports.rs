//! Exports on both engines: only what its maker may see, as they may see it, sealed, for a day, with the rights it was made with.
#![cfg(test)]

use identity::Actor;
use kernel::{Code, Fault, limits};
use serde_json::{Value as Json, json};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use testkit::{TestAppliance, on_both_engines};
use transfer::{ExportState, ExportView, Exports};

fn exports(kontor: &TestAppliance) -> Exports {
    Exports::new(kontor.records.clone(), Arc::clone(&kontor.store))
}

/// Looks until the export has ended.
fn made(exports: &Exports, actor: &Arc<Actor>, object: &str, request: Json) -> Result<ExportView, Fault> {
    let begun = exports.begin(actor, object, serde_json::from_value(request).unwrap())?;
    loop {
        let view = exports.get(actor, begun.id)?;
        if view.state != ExportState::Running {
            return Ok(view);
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn bytes(exports: &Exports, actor: &Arc<Actor>, view: &ExportView) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    exports.download(actor, view.id)?.bytes.read_to_end(&mut bytes).map_err(Fault::internal)?;
    Ok(bytes)
}

fn role(kontor: &TestAppliance, name: &str, read: &str, personal: &str) {
    let words = json!({"en": name, "zh": name});
    kontor.role(json!({"name": name, "label": words, "description": words, "objects": {"account": {"read": read}},
        "levels": {"S0": "read", "S1": "read", "S2": personal}, "actions": ["export"]}));
}

#[test]
fn a_file_holds_what_its_maker_may_see() {
    on_both_engines(|kontor| {
        let exports = exports(kontor);
        role(kontor, "all_masked", "all", "masked");
        role(kontor, "own_clear", "own", "read");
        role(kontor, "all_nothing", "all", "none");
        let anna = kontor.actor(kontor.user("anna", &["own_clear"], None));
        let ben = kontor.actor(kontor.user("ben", &["all_masked"], None));
        let cleo = kontor.actor(kontor.user("cleo", &["all_nothing"], None));
        for (name, owner) in [("Hanse", anna.user()), ("Elbe", ben.user())] {
            kontor.make("account", json!({"name": name, "phone": "+49 451 1234567", "owner": owner}));
        }
        let ask = |columns: Json| json!({"columns": columns, "format": "csv", "sort": ["name"]});
        let text = |actor: &Arc<Actor>| {
            let view = made(&exports, actor, "account", ask(json!(["name", "phone"]))).unwrap();
            assert_eq!(view.state, ExportState::Ready, "{:?}", view.problem);
            String::from_utf8(bytes(&exports, actor, &view).unwrap()).unwrap()
        };
        let clear = text(&anna);
        assert!(clear.contains("Hanse,'+494511234567\r\n") && !clear.contains("Elbe"), "{clear}");
        let masked = text(&ben);
        assert!(masked.contains("Elbe") && masked.contains("Hanse") && !masked.contains("1234567"), "{masked}");
        // A column of which one sees nothing is one that is not there.
        let nothing = made(&exports, &cleo, "account", ask(json!(["name", "phone"]))).unwrap_err();
        assert_eq!(nothing.items[0].code, Code::FieldUnknown);
        let hidden = ask(json!(["name"])).as_object().cloned().map(|mut ask| {
            ask.insert("filter".to_owned(), json!({"field": "phone", "op": "eq", "value": "+49 451 1234567"}));
            Json::Object(ask)
        });
        assert!(made(&exports, &ben, "account", hidden.unwrap()).is_err(), "no filter by what is masked");
        assert_eq!(made(&exports, &anna, "contact", ask(json!(["full_name"]))).unwrap_err().code, Code::ObjectUnknown);
    });
}

#[test]
fn a_file_is_sealed_and_goes_with_its_time_and_rights() {
    on_both_engines(|kontor| {
        let exports = exports(kontor);
        let user = kontor.user("lead", &["sales_manager"], None);
        let lead = kontor.actor(user);
        kontor.create(&lead, "account", json!({"name": "secretcanary", "website": "https://canary.example"})).unwrap();
        let ask = json!({"columns": ["name", "owner", "created_at"], "format": "csv_gb18030"});
        let view = made(&exports, &lead, "account", ask.clone()).unwrap();
        assert_eq!((view.state, view.rows), (ExportState::Ready, 1), "{:?}", view.problem);
        let folders = std::fs::read_dir(&kontor.store.config().files_folder).unwrap().flatten();
        let files: Vec<_> = folders.flat_map(|folder| std::fs::read_dir(folder.path()).unwrap().flatten()).collect();
        assert_eq!(files.len(), 1);
        assert!(!String::from_utf8_lossy(&std::fs::read(files[0].path()).unwrap()).contains("secretcanary"));
        assert!(String::from_utf8_lossy(&bytes(&exports, &lead, &view).unwrap()).contains("secretcanary"));
        assert_eq!(kontor.store.files_sweep().unwrap(), 0, "a row names the file");

        // Roles are changed: what was taken before may be more than may be taken now.
        kontor.records.role_grant(&kontor.operator(), user, "seller", None, None).wait().unwrap();
        let lead = kontor.actor(user);
        assert_eq!(bytes(&exports, &lead, &view).unwrap_err().code, Code::AccessDenied);
        assert!(kontor.log().iter().any(|entry| entry.note.contains("refused: rights were changed since")));

        let again = made(&exports, &lead, "account", ask).unwrap();
        kontor.clock.advance_seconds(limits::EXPORT_SECONDS);
        assert_eq!(bytes(&exports, &lead, &again).unwrap_err().code, Code::JobUnknown);
        assert!(exports.list(&lead).unwrap().items.is_empty());
        kontor.clock.advance_seconds(1);
        assert_eq!(kontor.store.old_sweep().unwrap(), 2);
        assert_eq!(
            kontor.store.files_sweep().unwrap(),
            0,
            "the files went with their rows, or are too young for the sweep"
        );
        let folders = std::fs::read_dir(&kontor.store.config().files_folder).unwrap().flatten();
        let waiting = if kontor.store.is_shared() { 2 } else { 0 };
        assert_eq!(folders.flat_map(|folder| std::fs::read_dir(folder.path()).unwrap()).count(), waiting);
    });
}
