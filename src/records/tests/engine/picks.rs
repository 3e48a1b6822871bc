//! Records brought back from a set: compared and chosen field by field, out of the bin, made anew; and what an old set may
//! not show or bring back any more.

use identity::Actor;
use kernel::{Code, Fault, RecordId};
use records::{PickAsk, PickField, PickListed, PickRecord, PickSet, PickState, PickWhy, Picked, Shown};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use testkit::{TestAppliance, on_both_engines};

/// Everything, and the right to look into sets.
pub(crate) fn keeper(kontor: &TestAppliance) -> Arc<Actor> {
    let all = json!({"read": "all", "create": "all", "update": "all", "delete": "all", "assign": "all"});
    kontor.role(json!({"name": "keeper", "label": {"en": "K", "zh": "K"}, "description": {"en": "K", "zh": "K"},
        "objects": {"*": all, "organisation": {"read": "all"}, "reference": all},
        "levels": {"S0": "edit", "S1": "edit", "S2": "edit", "S3": "edit"},
        "fields": {"account.bank_account_no": "masked", "account.website": "read"},
        "actions": ["bulk", "backup_pick"]}));
    kontor.actor(kontor.user("keeper", &["keeper"], None))
}

fn open(
    kontor: &TestAppliance,
    actor: &Arc<Actor>,
    set: &Arc<PickSet>,
    object: &str,
    id: RecordId,
) -> Result<PickRecord, Fault> {
    kontor.records.pick_open(actor, set, object, id).wait().map(Shown::into_view)
}

fn field<'r>(record: &'r PickRecord, name: &str) -> &'r PickField {
    record.fields.iter().find(|field| field.field == name).unwrap()
}

pub(crate) fn ask(fields: Option<&[&str]>, with: &[&str], dry_run: bool) -> PickAsk {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    PickAsk { fields: fields.map(owned), with: owned(with), dry_run }
}

fn bring(
    kontor: &TestAppliance,
    (actor, set): (&Arc<Actor>, &Arc<PickSet>),
    of: (&str, RecordId),
    version: Option<i64>,
    ask: PickAsk,
) -> Result<Picked, Fault> {
    kontor.records.pick_bring(actor, set, of, version, ask).wait().map(Shown::into_view)
}

fn listed(
    kontor: &TestAppliance,
    actor: &Arc<Actor>,
    set: &Arc<PickSet>,
    object: &str,
    q: Option<&str>,
) -> Vec<(String, PickState)> {
    let request = PickListed { q: q.map(str::to_owned), ..PickListed::default() };
    let page = kontor.records.pick_list(actor, set, object, request).wait().unwrap().into_view();
    page.items.into_iter().map(|row| (row.title.unwrap_or_default(), row.state)).collect()
}

fn picks(kontor: &TestAppliance) -> Vec<String> {
    let entries = kontor.log().into_iter().filter(|entry| entry.act.verb == audit::Verb::BackupPick);
    entries.map(|entry| entry.note).collect()
}

#[test]
fn fields_come_back_one_by_one_through_the_usual_change() {
    on_both_engines(|kontor| {
        let anna = keeper(kontor);
        let before = json!({"name": "Hanse", "phone": "+49 451 1234", "legal_name": "Hanse AG",
            "bank_account_no": "BANK4711", "website": "https://hanse.example"});
        let id = kontor.make("account", before);
        let set = kontor.set(1);
        kontor.change(&anna, "account", id, json!({"name": "Wrong", "phone": "+49 451 9999"})).unwrap();
        let shown = open(kontor, &anna, &set, "account", id).unwrap();
        assert_eq!((shown.state, shown.version, shown.may_bring), (PickState::Live, Some(2), true));
        let name = field(&shown, "name");
        assert_eq!((&name.then, &name.now, name.choosable), (&json!("Hanse"), &json!("Wrong"), true));
        assert!(field(&shown, "phone").choosable, "a sealed value opens and is compared");
        assert_eq!(field(&shown, "legal_name").same, Some(true));
        assert_eq!(field(&shown, "updated_at").why, Some(PickWhy::ReadOnly));

        let only = ask(Some(&["phone"]), &[], true);
        let tried = bring(kontor, (&anna, &set), ("account", id), Some(2), only).unwrap();
        assert!(tried.dry_run && tried.brought == ["phone"] && kontor.version("account", id) == 2, "only tried");
        let stale = bring(kontor, (&anna, &set), ("account", id), Some(1), ask(Some(&["phone"]), &[], false));
        assert_eq!(stale.unwrap_err().code, Code::VersionConflict);
        let none = bring(kontor, (&anna, &set), ("account", id), None, ask(Some(&["phone"]), &[], false));
        assert_eq!(none.unwrap_err().code, Code::VersionRequired);
        let done = bring(kontor, (&anna, &set), ("account", id), Some(2), ask(Some(&["phone"]), &[], false)).unwrap();
        assert_eq!((done.version, done.brought.as_slice()), (3, ["phone".to_owned()].as_slice()));
        let now = kontor.open(&anna, "account", id).unwrap();
        assert_eq!(now.fields["phone"], field(&shown, "phone").then);
        assert_eq!(now.fields["name"], "Wrong", "what was not chosen stays");
        let entries = kontor.log();
        let update = entries.iter().rfind(|entry| entry.act.verb == audit::Verb::Update).unwrap();
        assert_eq!(update.act.ticket, "backup set-1 on disk");
        assert!(
            picks(kontor).iter().any(|note| note == "set-1 on disk: fields brought back: phone"),
            "{:?}",
            picks(kontor)
        );
    });
}

#[test]
fn what_one_may_not_read_or_set_cannot_be_chosen() {
    on_both_engines(|kontor| {
        let anna = keeper(kontor);
        let secret = json!({"name": "Hanse", "bank_account_no": "BANK4711", "website": "https://old.example"});
        let id = kontor.make("account", secret);
        let set = kontor.set(1);
        let operator = kontor.operator();
        let later = json!({"bank_account_no": "BANK9922", "website": "https://new.example"});
        kontor.change(&operator, "account", id, later).unwrap();
        let shown = open(kontor, &anna, &set, "account", id).unwrap();
        let bank = field(&shown, "bank_account_no");
        assert_eq!(
            (bank.shown, bank.same, bank.choosable, bank.why),
            ("masked", None, false, Some(PickWhy::NotReadable))
        );
        let text = serde_json::to_string(&shown).unwrap();
        assert!(!text.contains("BANK4711") && !text.contains("BANK9922"), "{text}");
        assert_eq!(field(&shown, "website").why, Some(PickWhy::NotWritable));
        for name in ["bank_account_no", "website", "nothing"] {
            let refused = bring(kontor, (&anna, &set), ("account", id), Some(2), ask(Some(&[name]), &[], false));
            assert_eq!(refused.map(|_| ()).unwrap_err().code, Code::RestoreRefused, "{name}");
        }
        let without = kontor.actor(kontor.user("seller", &["seller"], None));
        assert_eq!(open(kontor, &without, &set, "account", id).unwrap_err().code, Code::AccessDenied);
        let administrator = kontor.actor(kontor.user("system", &["system_admin"], None));
        assert_eq!(open(kontor, &administrator, &set, "account", id).unwrap_err().code, Code::AccessDenied);
    });
}

#[test]
fn a_record_comes_out_of_the_bin_or_is_made_anew_under_its_id_and_number() {
    on_both_engines(|kontor| {
        let anna = keeper(kontor);
        let body = |name: &str| json!({"name": name, "phone": "+49 451 1234", "owner": anna.user()});
        let binned = kontor.create(&anna, "account", body("Binned")).unwrap().id;
        let gone = kontor.create(&anna, "account", body("Gone")).unwrap();
        let set = kontor.set(1);
        kontor.delete(&anna, "account", binned).unwrap();
        kontor.sql(&format!("DELETE FROM account WHERE id = {}", kontor.sql_bytes(gone.id.as_bytes())));
        kontor.create(&anna, "account", body("Later")).unwrap();
        let mut there = listed(kontor, &anna, &set, "account", None);
        there.sort();
        assert_eq!(there, [("Binned".to_owned(), PickState::Binned), ("Gone".to_owned(), PickState::Missing)]);
        let back = bring(kontor, (&anna, &set), ("account", binned), Some(2), ask(None, &[], false)).unwrap();
        assert_eq!((back.was, back.version), (PickState::Binned, 3));
        let made = bring(kontor, (&anna, &set), ("account", gone.id), None, ask(None, &[], false)).unwrap();
        assert_eq!((made.was, made.version, made.number_kept), (PickState::Missing, 1, Some(true)));
        let now = kontor.open(&anna, "account", gone.id).unwrap();
        for name in ["name", "phone", "number", "created_at", "owner"] {
            assert_eq!(now.fields[name], gone.fields[name], "{name}");
        }
        let next = kontor.create(&anna, "account", body("Next")).unwrap();
        assert_eq!(next.fields["number"], "ACC-000004", "no number is given twice");
        assert_eq!(open(kontor, &anna, &set, "account", gone.id).unwrap().state, PickState::Live);
        kontor.seal_log();
        assert!(kontor.verify(4).findings.is_empty(), "{:?}", kontor.verify(4).findings);
    });
}

#[test]
fn a_number_that_somebody_else_has_is_not_taken() {
    on_both_engines(|kontor| {
        let anna = keeper(kontor);
        let gone = kontor.create(&anna, "account", json!({"name": "Gone"})).unwrap();
        let other = kontor.create(&anna, "account", json!({"name": "Other"})).unwrap();
        let set = kontor.set(1);
        let id = kontor.sql_bytes(gone.id.as_bytes());
        kontor.sql(&format!("DELETE FROM account WHERE id = {id}"));
        let id = kontor.sql_bytes(other.id.as_bytes());
        kontor.sql(&format!("UPDATE account SET number = 'ACC-000001' WHERE id = {id}"));
        let made = bring(kontor, (&anna, &set), ("account", gone.id), None, ask(None, &[], false)).unwrap();
        assert_eq!(made.number_kept, Some(false));
        assert_eq!(kontor.open(&anna, "account", gone.id).unwrap().fields["number"], "ACC-000003");
    });
}

#[test]
fn who_was_erased_does_not_come_back() {
    on_both_engines(|kontor| {
        let anna = keeper(kontor);
        let erased =
            kontor.create(&anna, "account", json!({"name": "Erasedname", "phone": "+49 451 1234"})).unwrap().id;
        let shredded = kontor.create(&anna, "account", json!({"name": "Kept", "phone": "+49 451 5678"})).unwrap().id;
        let set = kontor.set(1);
        for (id, whole) in [(erased, true), (shredded, false)] {
            let id = kontor.sql_bytes(id.as_bytes());
            kontor.sql(&format!("DELETE FROM k_key WHERE subject = {id}"));
            if whole {
                kontor.sql(&format!("DELETE FROM account WHERE id = {id}"));
            }
        }
        assert!(listed(kontor, &anna, &set, "account", None).is_empty());
        assert!(listed(kontor, &anna, &set, "account", Some("erasedname")).is_empty());
        for id in [erased, shredded] {
            let shown = open(kontor, &anna, &set, "account", id).unwrap();
            assert_eq!((shown.state, shown.may_bring, shown.title.as_deref()), (PickState::Erased, false, None));
            assert!(shown.fields.is_empty() && shown.gone.is_empty());
            let version = shown.version;
            let refused = bring(kontor, (&anna, &set), ("account", id), version, ask(None, &[], false));
            assert_eq!(refused.map(|_| ()).unwrap_err().code, Code::RestoreRefused);
        }
    });
}

#[test]
fn the_reach_of_now_decides_also_over_what_lay_elsewhere_then() {
    on_both_engines(|kontor| {
        let all = keeper(kontor);
        let (lead, other) = (kontor.user("lead", &["sales_manager"], None), kontor.user("other", &["seller"], None));
        let make = |name: &str, owner: RecordId| kontor.make("account", json!({"name": name, "owner": owner}));
        let (stays, leaves, comes) = (make("Stays", lead), make("Leaves", lead), make("Comes", other));
        let regarding = json!({"object": "account", "id": stays});
        let private = json!({"subject": "Secretword", "regarding": regarding, "owner": other, "private": true});
        let secret = kontor.make("activity", private);
        let set = kontor.set(1);
        kontor.change(&all, "account", leaves, json!({"owner": other})).unwrap();
        kontor.change(&all, "account", comes, json!({"owner": lead})).unwrap();
        let lead = kontor.actor(lead);
        assert_eq!(listed(kontor, &lead, &set, "account", None), [("Stays".to_owned(), PickState::Live)]);
        for id in [leaves, comes] {
            assert_eq!(open(kontor, &lead, &set, "account", id).unwrap_err().code, Code::RecordNotFound);
            let refused = bring(kontor, (&lead, &set), ("account", id), Some(2), ask(None, &[], false));
            assert_eq!(refused.map(|_| ()).unwrap_err().code, Code::RecordNotFound);
        }
        let counted = |actor: &Arc<Actor>, object: &str| {
            let view = kontor.records.pick_objects(actor, &set).wait().unwrap().into_view();
            view.items.iter().find(|one| one.object == object).map(|one| one.count)
        };
        assert_eq!((counted(&lead, "account"), counted(&all, "account")), (Some(1), Some(3)));
        assert_eq!(counted(&all, "activity"), Some(0), "somebody's private activity is in no count");
        assert_eq!(open(kontor, &all, &set, "activity", secret).unwrap_err().code, Code::RecordNotFound);
        kontor.sql(&format!("DELETE FROM activity WHERE id = {}", kontor.sql_bytes(secret.as_bytes())));
        assert_eq!(open(kontor, &all, &set, "activity", secret).unwrap_err().code, Code::RecordNotFound);
        assert!(listed(kontor, &all, &set, "activity", Some("secretword")).is_empty());
    });
}

#[test]
fn what_a_reference_points_to_comes_back_with_it_or_stays_empty() {
    on_both_engines(|kontor| {
        let anna = keeper(kontor);
        let account = kontor.create(&anna, "account", json!({"name": "Hanse"})).unwrap().id;
        let body = json!({"full_name": "Ada", "account": account});
        let [one, two] = [0, 1].map(|_| kontor.create(&anna, "contact", body.clone()).unwrap().id);
        let set = kontor.set(1);
        for id in [one, two] {
            kontor.delete(&anna, "contact", id).unwrap();
            kontor.sql(&format!("DELETE FROM contact WHERE id = {}", kontor.sql_bytes(id.as_bytes())));
        }
        kontor.delete(&anna, "account", account).unwrap();
        let shown = open(kontor, &anna, &set, "contact", one).unwrap();
        let reference = field(&shown, "account");
        assert_eq!((reference.choosable, reference.why), (false, Some(PickWhy::TargetGone)));
        let target = reference.target.as_ref().unwrap();
        assert_eq!((target.title.as_deref(), target.state), (Some("Hanse"), Some(PickState::Binned)));
        let alone = bring(kontor, (&anna, &set), ("contact", one), None, ask(None, &[], false)).unwrap();
        assert_eq!(alone.left, [("account".to_owned(), PickWhy::TargetGone)]);
        assert_eq!(kontor.open(&anna, "contact", one).unwrap().fields["account"], Json::Null);
        let both = bring(kontor, (&anna, &set), ("contact", two), None, ask(None, &["account"], false)).unwrap();
        assert_eq!(both.with, [("account".to_owned(), account)]);
        assert_eq!(kontor.open(&anna, "contact", two).unwrap().fields["account"], json!(account));
        assert_eq!(kontor.open(&anna, "account", account).unwrap().fields["name"], "Hanse");
    });
}

#[test]
fn definitions_of_now_decide_what_is_taken() {
    on_both_engines(|kontor| {
        let add = |name: &str, more: Json| {
            let mut field = json!({"name": name, "label": {"en": name, "zh": name}, "sensitivity": "S1"});
            field.as_object_mut().unwrap().extend(testkit::object_of(more));
            json!({"change": "add_field", "object": "account", "field": field})
        };
        let options =
            json!([{"code": "a", "label": {"en": "A", "zh": "A"}}, {"code": "b", "label": {"en": "B", "zh": "B"}}]);
        kontor
            .define(json!([
                add("x_grade", json!({"type": "enum", "options": options})),
                add("x_note", json!({"type": "text", "max_chars": 50, "sealing": "sealed", "sensitivity": "S2"})),
                add("x_old", json!({"type": "text", "max_chars": 50})),
            ]))
            .unwrap();
        let anna = keeper(kontor);
        let body = json!({"name": "Hanse", "x_grade": "a", "x_note": "sealedword", "x_old": "gone"});
        let id = kontor.create(&anna, "account", body).unwrap().id;
        let set = kontor.set(1);
        kontor.change(&anna, "account", id, json!({"x_grade": "b", "x_note": null, "x_old": null})).unwrap();
        kontor
            .define(json!([
                {"change": "retire_field", "object": "account", "field": "x_old"},
                {"change": "change_option", "object": "account", "field": "x_grade", "code": "a", "patch": {"active": false}},
            ]))
            .unwrap();
        let shown = open(kontor, &anna, &set, "account", id).unwrap();
        let labels: Vec<&str> = shown.gone.iter().map(|label| label.en.as_str()).collect();
        assert_eq!(labels, ["x_old"]);
        assert!(shown.fields.iter().all(|field| field.field != "x_old"));
        assert_eq!(field(&shown, "x_grade").why, Some(PickWhy::ValueRefused));
        let done = bring(kontor, (&anna, &set), ("account", id), Some(2), ask(None, &[], false)).unwrap();
        assert_eq!(done.brought, ["x_note"]);
        assert_eq!(kontor.open(&anna, "account", id).unwrap().fields["x_note"], "sealedword");
    });
}
