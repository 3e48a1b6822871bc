//! Merging: what the survivor takes, what follows it, who may do it, where the old address leads, and that it is all or nothing.

use audit::Verb;
use identity::Actor;
use kernel::{Code, Fault, RecordId};
use records::{MergeRequest, MergeView, Shown};
use serde_json::{Value as Json, json};
use std::io::Read;
use std::sync::Arc;
use testkit::{TestAppliance, on_both_engines, told};

type Asked = (RecordId, i64, MergeRequest);

fn asked(kontor: &TestAppliance, object: &str, survivor: RecordId, losers: &[RecordId], fields: Json) -> Asked {
    let losers: Vec<Json> = losers.iter().map(|id| json!({"id": id, "version": kontor.version(object, *id)})).collect();
    let request = serde_json::from_value(json!({"losers": losers, "fields": fields})).unwrap();
    (survivor, kontor.version(object, survivor), request)
}

fn merge(
    kontor: &TestAppliance,
    actor: &Arc<Actor>,
    object: &str,
    (id, version, request): Asked,
) -> Result<MergeView, Fault> {
    kontor.records.merge(actor, object, (id, Some(version)), request).wait().map(Shown::into_view)
}

fn plan(
    kontor: &TestAppliance,
    actor: &Arc<Actor>,
    object: &str,
    (id, version, request): Asked,
) -> Result<MergeView, Fault> {
    kontor.records.merge_plan(actor, object, (id, Some(version)), request).wait().map(Shown::into_view)
}

fn manager(kontor: &TestAppliance) -> Arc<Actor> {
    kontor.actor(kontor.user("boss", &["sales_manager"], None))
}

fn add(kontor: &TestAppliance, actor: &Arc<Actor>, of: RecordId, name: &str, bytes: &[u8]) -> RecordId {
    let mut upload = kontor.records.attachment_begin(actor, "account", of, name).wait().unwrap().into_view();
    upload.write(bytes).unwrap();
    upload.finish().wait().unwrap().view().id
}

struct Pair {
    stays: RecordId,
    goes: RecordId,
    contact: RecordId,
    note: RecordId,
}

fn pair(kontor: &TestAppliance, actor: &Arc<Actor>) -> Pair {
    let stays = kontor.create(actor, "account", json!({"name": "Hanse", "phone": "+49 451 1"})).unwrap().id;
    let goes = json!({"name": "Hanse GmbH", "phone": "+49 451 2", "email": "a@hanse.example", "parent": stays});
    let goes = kontor.create(actor, "account", goes).unwrap().id;
    kontor.change(actor, "account", stays, json!({"parent": goes})).unwrap();
    let contact = kontor.create(actor, "contact", json!({"full_name": "Nora", "account": goes})).unwrap().id;
    let regarding = json!({"subject": "Call", "regarding": {"object": "account", "id": goes}});
    let note = kontor.create(actor, "activity", regarding).unwrap().id;
    Pair { stays, goes, contact, note }
}

#[test]
fn the_survivor_takes_values_and_all_that_belongs_to_the_other() {
    on_both_engines(|kontor| {
        let boss = manager(kontor);
        let Pair { stays, goes, contact, note } = pair(kontor, &boss);
        let tag = kontor.make("tag", json!({"name": "Key"}));
        for account in [stays, goes] {
            kontor.records.link(&boss, "account", account, "tags", tag, None).wait().unwrap();
        }
        let other = kontor.make("tag", json!({"name": "Other"}));
        kontor.records.link(&boss, "account", goes, "tags", other, None).wait().unwrap();
        let bytes = [b"%PDF-1.7 ".to_vec(), vec![b'x'; 100_000]].concat();
        add(kontor, &boss, goes, "contract.pdf", &bytes);
        let ask = || asked(kontor, "account", stays, &[goes], json!({"email": goes, "name": stays}));
        let (log, planned) = (kontor.log().len(), plan(kontor, &boss, "account", ask()).unwrap());
        assert_eq!((planned.applied, planned.files, planned.changed.clone()), (false, 1, vec!["email".to_owned()]));
        assert_eq!(kontor.log().len(), log + 1, "a plan leaves one entry, and nothing else");
        assert_eq!(kontor.open(&boss, "contact", contact).unwrap().fields["account"], json!(goes));

        let done = merge(kontor, &boss, "account", ask()).unwrap();
        assert!(done.applied);
        assert_eq!((&done.moved, done.files, done.unseen), (&planned.moved, 1, false));
        let moved: Vec<_> = done.moved.iter().map(|one| (one.object.as_str(), one.by.as_str(), one.count)).collect();
        assert_eq!(
            moved,
            [("account", "parent", 1), ("activity", "regarding", 1), ("contact", "account", 1), ("tag", "tags", 2)]
        );
        let survivor = kontor.open(&boss, "account", stays).unwrap();
        assert_eq!((&survivor.fields["name"], &survivor.fields["phone"]), (&json!("Hanse"), &json!("+494511")));
        assert_eq!((&survivor.fields["email"], &survivor.fields["parent"]), (&json!("a@hanse.example"), &Json::Null));
        assert_eq!(survivor.version, done.version);
        assert_eq!(kontor.open(&boss, "contact", contact).unwrap().fields["account"], json!(stays));
        assert_eq!(
            kontor.open(&boss, "activity", note).unwrap().fields["regarding"],
            json!({"object": "account", "id": stays})
        );
        let tags = kontor.records.links(&boss, "account", stays, "tags").wait().unwrap();
        assert_eq!(tags.view().items.len(), 2);
        let files = kontor.records.attachments(&boss, "account", stays).wait().unwrap().into_view();
        let found = kontor.records.attachment_open(&boss, "account", stays, (files.items[0].id, false)).wait();
        let mut read = Vec::new();
        found.unwrap().into_view().bytes.read_to_end(&mut read).unwrap();
        assert_eq!((files.items.len(), files.items[0].name.as_str(), read == bytes), (1, "contract.pdf", true));
        assert!(kontor.records.attachments(&boss, "account", goes).wait().unwrap().view().items.is_empty());

        let entry = kontor.log().into_iter().find(|entry| entry.act.verb == Verb::Merge).unwrap();
        assert_eq!((entry.target.record, entry.related[0].ids.clone()), (Some(stays), vec![goes]));
        assert_eq!(kontor.history(&boss, "account", stays).unwrap().items[0].verb, "merge");
        kontor.seal_log();
        assert!(kontor.verify(4).ok, "rows, files and log agree");
    });
}

#[test]
fn the_old_address_leads_to_the_survivor_until_the_record_comes_back() {
    on_both_engines(|kontor| {
        let boss = manager(kontor);
        let make = |name: &str| kontor.create(&boss, "account", json!({"name": name})).unwrap().id;
        let (first, second, third) = (make("One"), make("Two"), make("Three"));
        kontor.role(json!({"name": "looker", "label": {"en": "L", "zh": "L"}, "description": {"en": "L", "zh": "L"},
            "objects": {"account": {"read": "all"}}, "levels": {"S0": "read", "S1": "read", "S2": "read"}}));
        let looker = kontor.actor(kontor.user("lars", &["looker"], None));
        let stranger = kontor.actor(kontor.user("xaver", &["seller"], None));
        merge(kontor, &boss, "account", asked(kontor, "account", second, &[first], json!({}))).unwrap();
        merge(kontor, &boss, "account", asked(kontor, "account", third, &[second], json!({}))).unwrap();
        let led = kontor.open(&looker, "account", first).unwrap_err();
        assert_eq!(led.code, Code::RecordMerged);
        assert_eq!(led.extension.as_deref(), Some(json!({"merged_into": third}).to_string().as_str()));
        let unseen = kontor.open(&stranger, "account", first).unwrap_err();
        assert_eq!((unseen.code, unseen.extension), (Code::RecordNotFound, None));
        let shown = kontor.open(&boss, "account", first).unwrap();
        assert_eq!((shown.deleted, shown.merged_into), (true, Some(third)), "who may delete sees the bin");
        kontor.records.restore(&boss, "account", first).wait().unwrap();
        assert_eq!(kontor.open(&looker, "account", first).unwrap().merged_into, None);
    });
}

#[test]
fn each_right_is_asked_and_each_version_compared_and_a_refusal_changes_nothing() {
    on_both_engines(|kontor| {
        let boss = manager(kontor);
        let Pair { stays, goes, contact, .. } = pair(kontor, &boss);
        let rights = |name: &str, verbs: Json, levels: Json| {
            kontor.role(json!({"name": name, "label": {"en": "R", "zh": "R"}, "description": {"en": "R", "zh": "R"},
                "objects": {"account": verbs}, "levels": levels}));
            kontor.actor(kontor.user(name, &[name], None))
        };
        let edit = || json!({"S0": "edit", "S1": "edit", "S2": "edit", "S3": "edit"});
        let all = || json!({"read": "all", "update": "all", "delete": "all"});
        let keeper = rights("keeper", json!({"read": "all", "update": "all"}), edit());
        let cleaner = rights("cleaner", json!({"read": "all", "delete": "all"}), edit());
        let blind = rights("blind", all(), json!({"S0": "edit", "S1": "edit", "S2": "masked"}));
        let reader = rights("reader", all(), json!({"S0": "edit", "S1": "edit", "S2": "read"}));
        let email = json!({"email": goes});
        let ask = |fields: Json| asked(kontor, "account", stays, &[goes], fields);
        for (actor, fields, code) in [
            (&keeper, json!({}), Code::AccessDenied),
            (&cleaner, json!({}), Code::AccessDenied),
            (&blind, email.clone(), Code::FieldDenied),
            (&reader, email.clone(), Code::FieldDenied),
            (&boss, json!({"parent": goes}), Code::ValidationFailed),
            (&boss, json!({"nothing": goes}), Code::ParameterInvalid),
        ] {
            let fault = merge(kontor, actor, "account", ask(fields.clone())).unwrap_err();
            assert_eq!(fault.code, code, "{fields}: {fault}");
        }
        let (id, version, mut request) = ask(json!({}));
        request.losers[0].version += 1;
        assert_eq!(merge(kontor, &boss, "account", (id, version, request)).unwrap_err().code, Code::VersionConflict);
        let (id, version, request) = ask(json!({}));
        assert_eq!(
            merge(kontor, &boss, "account", (id, version + 1, request.clone())).unwrap_err().code,
            Code::VersionConflict
        );
        let without = kontor.records.merge(&boss, "account", (id, None), request).wait().map(|_| ()).unwrap_err();
        assert_eq!(without.code, Code::VersionRequired);
        let twice = merge(kontor, &boss, "account", asked(kontor, "account", stays, &[stays], json!({}))).unwrap_err();
        assert_eq!(told(&twice).1, [("/losers/0/id".to_owned(), Code::ValueNotUnique)]);
        let user = kontor.user("twin", &[], None);
        let people = merge(kontor, &kontor.operator(), "user", asked(kontor, "user", boss.user(), &[user], json!({})));
        assert_eq!(people.unwrap_err().code, Code::MergeRefused);
        assert!(!kontor.open(&boss, "account", goes).unwrap().deleted);
        assert_eq!(kontor.open(&boss, "contact", contact).unwrap().fields["account"], json!(goes));
        assert!(
            !kontor
                .log()
                .iter()
                .any(|entry| entry.act.verb == Verb::Merge && entry.decision.effect == audit::Effect::Allow)
        );

        // Who sees a value only masked merges all the same; it stays as the survivor has it, and the answer says so.
        let done = merge(kontor, &blind, "account", ask(json!({}))).unwrap();
        assert!(done.kept.contains(&"email".to_owned()) && done.kept.contains(&"phone".to_owned()), "{:?}", done.kept);
        assert!(
            done.moved.iter().all(|one| one.object == "account"),
            "{:?}: records out of sight are not counted",
            done.moved
        );
        assert_eq!(
            kontor.open(&boss, "contact", contact).unwrap().fields["account"],
            json!(stays),
            "they follow all the same"
        );
        assert_eq!(kontor.open(&boss, "account", stays).unwrap().fields["email"], Json::Null);
    });
}

#[test]
fn an_import_finds_the_survivor_and_cases_say_what_they_went_into() {
    on_both_engines(|kontor| {
        let all = json!({"read": "all", "create": "all", "update": "all", "delete": "all"});
        kontor.role(json!({"name": "clerk", "label": {"en": "C", "zh": "C"}, "description": {"en": "C", "zh": "C"},
            "objects": {"case": all}, "levels": {"S0": "edit", "S1": "edit", "S2": "edit", "S3": "edit"}}));
        let boss = kontor.actor(kontor.user("clerk", &["clerk"], None));
        let case = |subject: &str| kontor.make("case", json!({"subject": subject}));
        let (stays, goes) = (case("A"), case("B"));
        let name = move |tx: &mut store::WriteTx<'_, '_>| Ok(tx.external_set("case", goes, "erp", "77")?);
        kontor.store.write(name).wait().unwrap();
        merge(kontor, &boss, "case", asked(kontor, "case", stays, &[goes], json!({}))).unwrap();
        let found = kontor.store.read(|tx| tx.external_find("case", "erp", "77")).wait().unwrap();
        assert_eq!(found, Some(stays));
        assert_eq!(kontor.open(&boss, "case", goes).unwrap().fields["merged_into"], json!(stays));
    });
}

#[test]
fn what_is_sealed_for_one_that_goes_stops_the_merge() {
    on_both_engines(|kontor| {
        kontor.define(json!([{"change": "create_object", "definition": {"name": "x_talk", "label": {"en": "T", "zh": "T"}, "plural": {"en": "T", "zh": "T"}, "title_field": "name", "subject": {"field": "person"}, "fields": [
            {"name": "name", "label": {"en": "n", "zh": "n"}, "type": "text", "sensitivity": "S1", "sealing": "plain", "required": true},
            {"name": "person", "label": {"en": "p", "zh": "p"}, "type": "reference", "targets": ["contact"], "on_delete": "unlink", "sensitivity": "S1"}]}}])).unwrap();
        let boss = manager(kontor);
        let contact = |name: &str| kontor.create(&boss, "contact", json!({"full_name": name})).unwrap().id;
        let (stays, goes) = (contact("One"), contact("Two"));
        kontor.create(&boss, "x_talk", json!({"name": "t", "person": goes})).unwrap();
        let fault = merge(kontor, &boss, "contact", asked(kontor, "contact", stays, &[goes], json!({}))).unwrap_err();
        assert_eq!(fault.code, Code::MergeRefused);
        merge(kontor, &boss, "contact", asked(kontor, "contact", goes, &[stays], json!({}))).unwrap();
    });
}
