//! Many-to-many relations: roles, both ends, what is out of sight, tags.

use audit::Verb;
use kernel::Code;
use serde_json::json;
use testkit::{on_both_engines, told};

#[test]
fn a_link_is_seen_from_both_ends_with_its_role() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let make = |object: &str, body| kontor.create(&anna, object, body).unwrap().id;
        let account = make("account", json!({"name": "Hanse"}));
        let contact = make("contact", json!({"full_name": "王伟", "mobile": "13800138000"}));
        let role = |role: &str| Some(role.to_owned());
        let link = |name: Option<String>| {
            kontor
                .records
                .link(&anna, "account", account, "contacts", contact, name)
                .wait()
                .map(|shown| shown.view().moved)
        };
        assert!(link(role("influencer")).unwrap());
        assert!(!link(role("influencer")).unwrap(), "the same again is no change");
        assert!(link(role("decision_maker")).unwrap(), "a role can change");
        assert_eq!(told(&link(role("king")).unwrap_err()).1, [("/role".to_owned(), Code::ValueNotAnOption)]);
        let from_contact = kontor.records.links(&anna, "contact", contact, "accounts").wait().unwrap().into_view();
        assert_eq!(
            (from_contact.items[0].role.as_deref(), from_contact.items[0].record.id),
            (Some("decision_maker"), account)
        );
        assert_eq!(
            kontor.records.links(&anna, "account", account, "contacts").wait().unwrap().view().items[0].record.fields["full_name"],
            "王伟"
        );
        assert_eq!(
            kontor.records.links(&anna, "account", account, "enemies").wait().unwrap_err().code,
            Code::RelationUnknown
        );
        let notes: Vec<String> = kontor
            .history(&anna, "account", account)
            .unwrap()
            .items
            .into_iter()
            .map(|act| format!("{} {}", act.verb, act.note))
            .collect();
        assert_eq!(notes, ["link contacts decision_maker", "link contacts influencer", "create "]);
        let unlink =
            || kontor.records.unlink(&anna, "contact", contact, "accounts", account).wait().unwrap().view().moved;
        assert_eq!((unlink(), unlink()), (true, false));
        assert!(kontor.records.links(&anna, "account", account, "contacts").wait().unwrap().view().items.is_empty());
    });
}

#[test]
fn the_other_end_must_be_in_sight() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let bo = kontor.actor(kontor.user("bo", &["seller"], None));
        let own = kontor.create(&anna, "account", json!({"name": "Anna's"})).unwrap().id;
        let seen = kontor.create(&anna, "contact", json!({"full_name": "Seen"})).unwrap().id;
        let hidden = kontor.create(&bo, "contact", json!({"full_name": "Hidden"})).unwrap().id;
        kontor.records.link(&anna, "account", own, "contacts", seen, None).wait().unwrap();
        let operator = kontor.operator();
        kontor.records.link(&operator, "account", own, "contacts", hidden, None).wait().unwrap();
        let items = kontor.records.links(&anna, "account", own, "contacts").wait().unwrap().into_view().items;
        assert_eq!(items.iter().map(|link| link.record.id).collect::<Vec<_>>(), [seen]);
        let entry = kontor.log().into_iter().rev().find(|entry| entry.act.verb == Verb::List).unwrap();
        assert_eq!(entry.target.ids, [seen]);
        let fault = kontor.records.link(&anna, "account", own, "contacts", hidden, None).wait().unwrap_err();
        assert_eq!(told(&fault).1, [("/id".to_owned(), Code::ReferenceUnknown)]);
        let gone = kontor.records.unlink(&anna, "account", own, "contacts", hidden).wait().unwrap().view().moved;
        assert!(!gone, "nobody learns of or undoes a link to a record out of sight");
        assert_eq!(kontor.records.links(&operator, "account", own, "contacts").wait().unwrap().view().items.len(), 2);
        assert_eq!(
            kontor.records.links(&anna, "contact", hidden, "accounts").wait().unwrap_err().code,
            Code::RecordNotFound
        );
        assert_eq!(
            kontor.records.link(&anna, "contact", hidden, "accounts", own, None).wait().unwrap_err().code,
            Code::RecordNotFound
        );
        let agent = kontor.actor(kontor.user("agent", &["service_agent"], None));
        assert_eq!(
            kontor
                .records
                .links(&agent, "product", kontor.make("product", json!({"name": "P"})), "opportunities")
                .wait()
                .unwrap_err()
                .code,
            Code::AccessDenied
        );
    });
}

#[test]
fn tags_are_links() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let account = kontor.create(&anna, "account", json!({"name": "Hanse"})).unwrap().id;
        let tag = kontor.make("tag", json!({"name": "VIP 贵宾"}));
        assert!(kontor.records.link(&anna, "account", account, "tags", tag, None).wait().unwrap().view().moved);
        assert_eq!(
            kontor.records.links(&anna, "tag", tag, "accounts").wait().unwrap().view().items[0].record.id,
            account
        );
        assert_eq!(
            kontor.records.links(&anna, "account", account, "tags").wait().unwrap().view().items[0].record.fields["name"],
            "VIP 贵宾"
        );
    });
}
