//! Deleting: refuse, unlink, cascade, rings; the recycle bin, restore, and what search and links show of it.

use identity::Actor;
use kernel::{Code, RecordId};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use testkit::{TestAppliance, on_both_engines, told};

fn clerk(kontor: &TestAppliance) -> Arc<Actor> {
    let all = json!({"read": "all", "create": "all", "update": "all", "delete": "all", "assign": "all"});
    kontor.role(json!({"name": "clerk", "label": {"en": "C", "zh": "C"}, "description": {"en": "C", "zh": "C"},
        "objects": {"*": all, "organisation": all, "reference": all}, "levels": {"S0": "edit", "S1": "edit", "S2": "edit", "S3": "edit"}}));
    kontor.actor(kontor.user("clerk", &["clerk"], None))
}

fn tree(kontor: &TestAppliance) {
    let label = |text: &str| json!({"en": text, "zh": text});
    let reference = |name: &str, target: &str, rule: &str, required: bool| json!({"name": name, "label": label(name), "type": "reference", "targets": [target], "on_delete": rule, "required": required, "parent": required, "sensitivity": "S1"});
    let title = json!({"name": "title", "label": label("t"), "type": "text", "sensitivity": "S1", "sealing": "plain", "required": true});
    let object = |name: &str, fields: Json| json!({"change": "create_object", "definition": {"name": name, "label": label(name), "plural": label(name), "title_field": "title", "fields": fields}});
    kontor
        .define(json!([
            object("x_case", json!([title, reference("next", "x_case", "cascade", false)])),
            object("x_part", json!([title, reference("of", "x_case", "cascade", true)])),
            object(
                "x_bolt",
                json!([
                    title,
                    reference("of", "x_part", "cascade", true),
                    reference("beside", "x_part", "unlink", false)
                ])
            ),
            object("x_stop", json!([title, reference("of", "x_bolt", "refuse", false)]))
        ]))
        .unwrap_or_else(|fault| panic!("{fault} {:?}", fault.items));
}

#[test]
fn each_relation_says_what_a_delete_does() {
    on_both_engines(|kontor| {
        let clerk = clerk(kontor);
        tree(kontor);
        let top = kontor.make("unit", json!({"code": "top", "name": "Top"}));
        let below = kontor.make("unit", json!({"code": "below", "name": "Below", "parent": top}));
        let refused = kontor.delete(&clerk, "unit", top).unwrap_err();
        assert_eq!(refused.code, Code::DeleteRefused);
        kontor.delete(&clerk, "unit", below).unwrap();
        kontor.delete(&clerk, "unit", top).unwrap();

        let account = kontor.make("account", json!({"name": "Gone"}));
        let contact = kontor.make("contact", json!({"full_name": "Stays", "account": account}));
        let note =
            kontor.make("activity", json!({"subject": "Call", "regarding": {"object": "account", "id": account}}));
        let planned = kontor.records.delete_plan(&clerk, "account", account, Some(1)).wait().unwrap().into_view();
        let affected: Vec<_> =
            planned.affected.iter().map(|one| (one.object.as_str(), one.field.as_str(), one.count)).collect();
        assert_eq!(affected, [("activity", "regarding", 1), ("contact", "account", 1)]);
        assert!(!kontor.open(&clerk, "account", account).unwrap().deleted, "a plan changes nothing");
        let stale = kontor.records.delete_plan(&clerk, "account", account, Some(7)).wait().map(|_| ()).unwrap_err();
        assert_eq!(stale.code, Code::VersionConflict);
        let gone = kontor.delete(&clerk, "account", account).unwrap();
        assert_eq!((gone.unlinked, gone.cascaded, &gone.affected), (2, 0, &planned.affected));
        assert_eq!(kontor.open(&clerk, "contact", contact).unwrap().fields["account"], Json::Null);
        let act = &kontor.history(&clerk, "activity", note).unwrap().items[0];
        assert_eq!(
            (act.verb, act.user, act.changes[0].field.as_str()),
            ("update", Some(clerk.user()), "regarding"),
            "the appliance acts for the one who deleted"
        );
        let entry = kontor
            .log()
            .into_iter()
            .rev()
            .find(|entry| entry.target.record == Some(note) && entry.state_after.is_some())
            .unwrap();
        assert_eq!((entry.actor.kind, entry.actor.on_behalf_of), (audit::ActorKind::System, Some(clerk.user())));

        let case = kontor.make("x_case", json!({"title": "case"}));
        let part = kontor.make("x_part", json!({"title": "part", "of": case}));
        let other =
            kontor.make("x_part", json!({"title": "other", "of": kontor.make("x_case", json!({"title": "other"}))}));
        let bolt = kontor.make("x_bolt", json!({"title": "bolt", "of": part}));
        let free = kontor.make("x_bolt", json!({"title": "free", "of": other, "beside": part}));
        let stop = kontor.make("x_stop", json!({"title": "stop", "of": bolt}));
        assert_eq!(
            kontor.delete(&clerk, "x_case", case).unwrap_err().code,
            Code::DeleteRefused,
            "two steps down somebody objects"
        );
        assert_eq!((kontor.version("x_case", case), kontor.version("x_bolt", bolt)), (1, 1), "and nothing has moved");
        kontor.delete(&clerk, "x_stop", stop).unwrap();
        let done = kontor.delete(&clerk, "x_case", case).unwrap();
        assert_eq!((done.unlinked, done.cascaded), (1, 2));
        assert_eq!(kontor.open(&clerk, "x_bolt", free).unwrap().fields["beside"], Json::Null);
        let back = kontor.records.restore(&clerk, "x_case", case).wait().unwrap().into_view();
        assert_eq!((back.deleted, back.version), (false, 3));
        assert!(kontor.open(&clerk, "x_part", part).unwrap().deleted, "what went with it stays in the bin");
    });
}

#[test]
fn rings_of_references_end() {
    on_both_engines(|kontor| {
        let clerk = clerk(kontor);
        tree(kontor);
        let own = kontor.make("account", json!({"name": "Own parent"}));
        kontor.change(&clerk, "account", own, json!({"parent": own})).unwrap();
        kontor.delete(&clerk, "account", own).unwrap_or_else(|fault| panic!("{fault}"));
        let one = kontor.make("x_case", json!({"title": "one"}));
        let two = kontor.make("x_case", json!({"title": "two", "next": one}));
        kontor.change(&clerk, "x_case", one, json!({"next": two})).unwrap();
        assert_eq!(kontor.delete(&clerk, "x_case", one).unwrap_or_else(|fault| panic!("{fault}")).cascaded, 1);
        kontor.seal_log();
        let report = kontor.verify(4);
        assert!(report.ok, "{:?}", report.findings);
    });
}

#[test]
fn the_bin_is_out_of_sight_but_for_those_who_may_delete() {
    on_both_engines(|kontor| {
        let clerk = clerk(kontor);
        kontor.role(json!({"name": "half", "label": {"en": "H", "zh": "H"}, "description": {"en": "H", "zh": "H"},
            "objects": {"account": {"read": "all", "create": "own", "update": "all", "delete": "own"}}, "levels": {"S1": "edit", "S2": "edit"}}));
        let half = kontor.actor(kontor.user("half", &["half"], None));
        let reader = kontor.actor(kontor.user(
            "seller",
            &["service_agent"],
            Some(kontor.make("unit", json!({"code": "u", "name": "U"}))),
        ));
        let account = kontor.make("account", json!({"name": "Vanished Ltd 王伟", "phone": "+49 451 9"}));
        kontor.clock.advance_seconds(1);
        let own = kontor.create(&half, "account", json!({"name": "Own of half"})).unwrap().id;
        let contact = kontor.make("contact", json!({"full_name": "Linked"}));
        kontor.records.link(&clerk, "account", account, "contacts", contact, None).wait().unwrap();
        kontor.delete(&clerk, "account", account).unwrap();
        kontor.delete(&half, "account", own).unwrap();
        let bin = |actor: &Arc<Actor>| {
            kontor
                .list(actor, "account", json!({"deleted": true}))
                .map(|view| view.items.iter().map(|item| item.id).collect::<Vec<RecordId>>())
        };
        assert_eq!(bin(&clerk).unwrap(), [own, account]);
        assert_eq!(bin(&half).unwrap(), [own], "one sees in the bin what one may take out of it");
        assert_eq!(bin(&reader).unwrap_err().code, Code::AccessDenied);
        assert_eq!(
            kontor.list(&clerk, "account", json!({"q": "vanished", "deleted": true})).unwrap_err().code,
            Code::ParameterInvalid
        );
        assert!(kontor.open(&clerk, "account", account).unwrap().deleted);
        assert_eq!(kontor.open(&half, "account", account).unwrap_err().code, Code::RecordNotFound);
        for q in ["Vanished", "王伟", "+49 451 9"] {
            assert!(kontor.records.search(&clerk, q, None).wait().unwrap().view().groups.is_empty(), "{q}");
        }
        assert!(kontor.list(&clerk, "account", json!({"q": "vanished"})).unwrap().items.is_empty());
        assert!(kontor.records.links(&clerk, "contact", contact, "accounts").wait().unwrap().view().items.is_empty());
        assert_eq!(kontor.history(&clerk, "account", account).unwrap_err().code, Code::RecordNotFound);
        assert_eq!(
            kontor.change(&clerk, "account", account, json!({"name": "x"})).unwrap_err().code,
            Code::RecordNotFound
        );
        let clash = kontor.create(&clerk, "contact", json!({"full_name": "x", "account": account})).unwrap_err();
        assert_eq!(told(&clash).1, [("/account".to_owned(), Code::ReferenceUnknown)]);
        assert_eq!(kontor.records.restore(&half, "account", account).wait().unwrap_err().code, Code::RecordNotFound);
        kontor.records.restore(&clerk, "account", account).wait().unwrap();
        assert_eq!(kontor.records.search(&clerk, "王伟", None).wait().unwrap().view().groups[0].items[0].id, account);
        assert_eq!(kontor.records.links(&clerk, "contact", contact, "accounts").wait().unwrap().view().items.len(), 1);
        assert!(kontor.open(&clerk, "account", account).unwrap().fields["deleted_at"].is_null());
    });
}

#[test]
fn what_follows_is_told_as_far_as_it_is_in_sight() {
    on_both_engines(|kontor| {
        tree(kontor);
        kontor.role(json!({"name": "half", "label": {"en": "H", "zh": "H"}, "description": {"en": "H", "zh": "H"},
            "objects": {"x_case": {"read": "own", "create": "own", "delete": "own"}, "x_part": {"read": "own", "create": "own"}}, "levels": {"S1": "edit"}}));
        let half = kontor.actor(kontor.user("half", &["half"], None));
        let case = kontor.create(&half, "x_case", json!({"title": "case"})).unwrap().id;
        let own = kontor.create(&half, "x_part", json!({"title": "own", "of": case})).unwrap().id;
        for title in ["of others", "of others too"] {
            let part = kontor.make("x_part", json!({"title": title, "of": case}));
            kontor.make("x_bolt", json!({"title": title, "of": part}));
        }
        let other = kontor.make("x_part", json!({"title": "o", "of": kontor.make("x_case", json!({"title": "o"}))}));
        let free = kontor.make("x_bolt", json!({"title": "free", "of": other, "beside": own}));
        let done = kontor.delete(&half, "x_case", case).unwrap();
        assert_eq!((done.unlinked, done.cascaded), (0, 1), "of two kinds and six records the own one");
        let left = "SELECT count(*) FROM x_part WHERE deleted_at IS NULL";
        assert_eq!((kontor.sql_number(left), kontor.version("x_bolt", free)), (1, 2), "all of them were dealt with");
    });
}
