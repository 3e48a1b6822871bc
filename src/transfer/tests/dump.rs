//! Dumps on both engines: what their user may take, as they may see it, in lines that their own schema describes; nothing for
//! whoever may not export, the operator of the machine among them; and every page in the log.
#![cfg(test)]

use audit::Verb;
use kernel::{Code, Fault, Outcome};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use testkit::{TestAppliance, on_both_engines};
use transfer::{Dump, DumpSink, DumpedObject};

/// Files in memory.
#[derive(Default)]
struct Kept(BTreeMap<String, Vec<u8>>);

impl DumpSink for Kept {
    fn file(&mut self, path: &str, bytes: u64, from: &mut dyn Read) -> Outcome<()> {
        let mut kept = Vec::new();
        from.read_to_end(&mut kept).map_err(Fault::internal)?;
        assert_eq!(kept.len() as u64, bytes, "{path}");
        assert!(self.0.insert(path.to_owned(), kept).is_none(), "{path} twice");
        Ok(())
    }
}

impl Kept {
    fn lines(&self, path: &str) -> Vec<Json> {
        let text = String::from_utf8(self.0.get(path).cloned().unwrap_or_default()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn dump(kontor: &TestAppliance, actor: &Arc<identity::Actor>) -> Outcome<(Kept, Vec<DumpedObject>)> {
    let mut kept = Kept::default();
    let told = Dump::new(kontor.records.clone(), Arc::clone(&kontor.store)).run(actor, "neutral dump", &mut kept)?;
    Ok((kept, told))
}

fn role(kontor: &TestAppliance, name: &str, rights: Json, levels: Json, actions: Json) {
    let words = json!({"en": name, "zh": name});
    kontor.role(json!({"name": name, "label": words, "description": words, "objects": rights, "levels": levels,
        "actions": actions}));
}

/// Who takes dumps, and what is there.
struct World {
    greta: Arc<identity::Actor>,
    ben: Arc<identity::Actor>,
    cleo: Arc<identity::Actor>,
    friend: kernel::RecordId,
    bytes: Vec<u8>,
}

fn world(kontor: &TestAppliance) -> World {
    let all = json!({"read": "all", "create": "all", "update": "all", "delete": "all"});
    let clear = json!({"S0": "edit", "S1": "edit", "S2": "edit", "S3": "edit"});
    let masked = json!({"S0": "read", "S1": "read", "S2": "masked", "S3": "none"});
    role(
        kontor,
        "leaver",
        json!({"*": all, "organisation": {"read": "all"}, "reference": all}),
        clear.clone(),
        json!(["export"]),
    );
    role(kontor, "narrow", json!({"contact": {"read": "own"}, "account": {"read": "own"}}), masked, json!(["export"]));
    role(kontor, "reader", json!({"*": all}), clear, json!([]));
    let unit = kontor.make("unit", json!({"code": "HL", "name": "Lübeck"}));
    let greta = kontor.actor(kontor.user("greta", &["leaver"], Some(unit)));
    let ben = kontor.actor(kontor.user("ben", &["narrow"], Some(unit)));
    let cleo = kontor.actor(kontor.user("cleo", &["reader"], Some(unit)));
    let account =
        kontor.make("account", json!({"name": "=Hanse \"Kontor\"", "phone": "+49 451 1234567", "owner": ben.user()}));
    for number in 0..230 {
        kontor.make(
            "contact",
            json!({"full_name": format!("李 {number}"), "account": account, "birth_date": "1980-02-29",
            "email": format!("p{number}@example.org"), "owner": if number < 3 { ben.user() } else { greta.user() }}),
        );
    }
    let binned = kontor.create(&greta, "contact", json!({"full_name": "Binned"})).unwrap();
    kontor.records.delete(&greta, "contact", binned.id, Some(1)).wait().unwrap();
    let friend = kontor.make("contact", json!({"full_name": "Friend", "owner": greta.user()}));
    kontor.records.link(&greta, "account", account, "contacts", friend, None).wait().unwrap();
    let mut upload =
        kontor.records.attachment_begin(&greta, "account", account, "..angebot;$(x).pdf").wait().unwrap().into_view();
    let bytes = [b"%PDF-1.7 ".as_slice(), &[9; 150_000]].concat();
    upload.write(&bytes).unwrap();
    upload.finish().wait().unwrap();
    World { greta, ben, cleo, friend, bytes }
}

#[test]
fn a_dump_holds_what_its_user_may_take_and_is_in_the_log() {
    on_both_engines(|kontor| {
        let World { greta, friend, bytes, .. } = world(kontor);
        let (kept, told) = dump(kontor, &greta).unwrap();
        let of = |name: &str| told.iter().find(|one| one.object == name).cloned().unwrap();
        assert_eq!(
            (of("contact").records, of("contact").deleted, of("account").links, of("account").files),
            (232, 1, 1, 1)
        );
        let contacts = kept.lines("records/contact-0001.jsonl");
        assert!(contacts.iter().any(|line| line["fields"]["email"] == "p7@example.org"), "sealed values are opened");
        assert_eq!(contacts.iter().filter(|line| line["deleted"] == true).count(), 1);
        for object in ["contact", "account", "user", "unit"] {
            let schema: Json = serde_json::from_slice(&kept.0[&format!("schema/{object}.schema.json")]).unwrap();
            let schema = jsonschema::validator_for(&schema).unwrap();
            let lines = kept.lines(&format!("records/{object}-0001.jsonl"));
            assert!(!lines.is_empty(), "{object}");
            for line in lines {
                let errors: Vec<String> = schema.iter_errors(&line).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{object}: {errors:?} in {line}");
            }
        }
        let csv = String::from_utf8(kept.0["records/account-0001.csv"].clone()).unwrap();
        assert!(csv.starts_with("id,version,deleted,") && csv.contains("\"'=Hanse \"\"Kontor\"\"\""), "{csv}");
        let link = &kept.lines("links/account-0001.jsonl")[0];
        assert_eq!((&link["relation"], &link["to"]), (&json!("contacts"), &json!(friend)));
        let file = &kept.lines("files/account-0001.jsonl")[0];
        assert_eq!(kept.0[file["path"].as_str().unwrap()], bytes);
        assert!(kept.0.keys().all(|path| !path.contains("/..") && !path.contains('$')), "{:?}", kept.0.keys());
        // Users without what they sign in with.
        let users = String::from_utf8(kept.0["records/user-0001.jsonl"].clone()).unwrap();
        assert!(users.contains("greta") && !users.contains("argon2"), "{users}");
        let log = kontor.log();
        let pages = log.iter().filter(|entry| entry.act.verb == Verb::Export && entry.note == "neutral dump");
        let named: usize = pages.map(|entry| entry.target.ids.len()).sum();
        assert!(named >= 232, "every record is named in the log: {named}");
    });
}

#[test]
fn who_sees_less_takes_less_and_who_may_not_export_takes_nothing() {
    on_both_engines(|kontor| {
        let World { ben, cleo, .. } = world(kontor);
        let (kept, told) = dump(kontor, &ben).unwrap();
        let contact = told.iter().find(|one| one.object == "contact").unwrap();
        assert_eq!(contact.records, 3);
        assert!(contact.reduced.contains(&"email".to_owned()), "{contact:?}");
        let text = String::from_utf8(kept.0.values().flatten().copied().collect::<Vec<u8>>());
        let text = text.unwrap_or_default();
        assert!(text.contains("p***@example.org"), "masked: {text}");
        assert!(
            (0..230).all(|number| !text.contains(&format!("p{number}@")) && !text.contains(&format!("李 {number}")))
        );
        assert!(!text.contains("1980-02-29") && !text.contains("1234567"), "{text}");
        assert!(!kept.0.contains_key("records/user-0001.jsonl"));

        // Nothing without the right, also for whoever runs the machine.
        for actor in [&cleo, &kontor.operator()] {
            let refused = dump(kontor, actor).err().unwrap();
            assert_eq!(refused.code, Code::AccessDenied, "{refused}");
        }
    });
}
