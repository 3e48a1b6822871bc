//! Private activities: their owner's alone, on every way that leads to an activity, and still moved by the appliance.

use identity::Actor;
use kernel::{Code, RecordId};
use records::{Shown, TimelineRequest};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use testkit::{TestAppliance, on_both_engines};

fn all_of(kontor: &TestAppliance, login: &str) -> Arc<Actor> {
    if kontor.store.policy().role("everything").is_none() {
        let all = json!({"read": "all", "create": "all", "update": "all", "delete": "all", "assign": "all"});
        kontor.role(json!({"name": "everything", "label": {"en": "E", "zh": "E"}, "description": {"en": "E", "zh": "E"}, "objects": {"*": all, "organisation": {"read": "all"}},
            "levels": {"S0": "edit", "S1": "edit", "S2": "edit", "S3": "edit"}, "actions": ["bulk"]}));
    }
    kontor.actor(kontor.user(login, &["everything"], None))
}

fn subjects(kontor: &TestAppliance, actor: &Arc<Actor>) -> Vec<Json> {
    kontor.found(actor, "activity", "subject", &Json::Null, &["subject"]).unwrap()
}

fn told(kontor: &TestAppliance, actor: &Arc<Actor>, account: RecordId) -> String {
    let found = kontor.records.timeline(actor, "account", account, TimelineRequest::default()).wait();
    serde_json::to_string(&found.map(Shown::into_view).unwrap()).unwrap()
}

#[test]
fn a_private_activity_is_its_owners_alone() {
    on_both_engines(|kontor| {
        let (anna, boss) = (all_of(kontor, "anna"), all_of(kontor, "boss"));
        let account = kontor.create(&anna, "account", json!({"name": "Hanse"})).unwrap().id;
        let regarding = json!({"object": "account", "id": account});
        let note =
            |subject: &str, private: bool| json!({"subject": subject, "regarding": regarding, "private": private});
        let secret = kontor.create(&anna, "activity", note("Secretword", true)).unwrap().id;
        let open = kontor.create(&anna, "activity", note("Openword", false)).unwrap().id;
        assert_eq!(subjects(kontor, &anna), [json!("Openword"), json!("Secretword")]);
        assert_eq!(subjects(kontor, &boss), [json!("Openword")]);
        // The newest first, which is read in another way.
        let newest = |actor| kontor.found(actor, "activity", "subject", &Json::Null, &["-created_at"]).unwrap().len();
        assert_eq!((newest(&anna), newest(&boss)), (2, 1));
        let hits =
            |actor: &Arc<Actor>| kontor.records.search(actor, "secretword", None).wait().unwrap().view().groups.len();
        assert_eq!((hits(&anna), hits(&boss)), (1, 0));
        assert!(
            told(kontor, &anna, account).contains("Secretword") && !told(kontor, &boss, account).contains("Secretword")
        );
        assert_eq!(kontor.open(&boss, "activity", secret).unwrap_err().code, Code::RecordNotFound);
        assert_eq!(
            kontor.change(&boss, "activity", secret, json!({"private": false})).unwrap_err().code,
            Code::RecordNotFound
        );
        assert_eq!(kontor.delete(&boss, "activity", secret).unwrap_err().code, Code::RecordNotFound);
        assert_eq!(kontor.history(&boss, "activity", secret).unwrap_err().code, Code::RecordNotFound);
        let count = json!({"count": "exact", "fields": []});
        assert_eq!(kontor.list(&boss, "activity", count).unwrap().count, Some(1));
        let bin = json!({"deleted": true, "fields": ["subject"]});
        kontor.delete(&anna, "activity", secret).unwrap();
        assert!(kontor.list(&boss, "activity", bin.clone()).unwrap().items.is_empty());
        assert_eq!(kontor.list(&anna, "activity", bin).unwrap().items.len(), 1);
        assert_eq!(
            kontor.records.restore(&boss, "activity", secret).wait().map(|_| ()).unwrap_err().code,
            Code::RecordNotFound
        );
        kontor.records.restore(&anna, "activity", secret).wait().unwrap();

        // Handed over, it is the other's alone; opened up, it is everybody's.
        kontor.change(&anna, "activity", secret, json!({"owner": boss.user()})).unwrap();
        assert_eq!((subjects(kontor, &anna).len(), subjects(kontor, &boss).len()), (1, 2));
        kontor.change(&boss, "activity", secret, json!({"private": false})).unwrap();
        assert_eq!(subjects(kontor, &anna).len(), 2);
        kontor.change(&boss, "activity", open, json!({"private": true})).unwrap();
        assert_eq!(kontor.open(&boss, "activity", open).unwrap_err().code, Code::RecordNotFound, "it is Anna's");
        // What follows an account follows it unseen.
        let gone = kontor.delete(&boss, "account", account).unwrap();
        assert_eq!(gone.unlinked, 1);
        assert_eq!(kontor.open(&anna, "activity", open).unwrap().fields["regarding"], Json::Null);
    });
}
