//! Looking into a set over the API: who may, what comes while none is open, and one record on its whole way.

use super::site::Site;
use crate::picks::{PickOpenView, PickSetLine, Picks, PicksView};
use identity::Actor;
use kernel::{Code, Fault, Timestamp};
use records::PickSet;
use serde_json::{Value as Json, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::on_both_engines;

/// A desk with one set, which a test puts there.
#[derive(Default)]
pub(super) struct Sets {
    there: Mutex<Option<Arc<PickSet>>>,
    open: Mutex<bool>,
}

impl Sets {
    fn put(&self, set: Arc<PickSet>) {
        *self.there.lock().unwrap() = Some(set);
    }
}

impl Picks for Sets {
    fn show(&self) -> Result<PicksView, Fault> {
        let name = "set-00000001-20260301T021500Z".to_owned();
        let at = Timestamp::from_micros(0);
        let line = PickSetLine { sequence: 1, target: "disk".to_owned(), name, made_at: at };
        let open = PickOpenView { line: line.clone(), ready: true, done: 1, total: 1, closes_at: Some(at) };
        let open = self.open.lock().unwrap().then_some(open);
        Ok(PicksView { own_key: true, sets: vec![line], open, failed: None })
    }
    fn open(&self, _: &Arc<Actor>, sequence: u64, target: &str) -> Result<(), Fault> {
        if (sequence, target) != (1, "disk") {
            return Err(Fault::new(Code::RecordNotFound, "There is no such set."));
        }
        *self.open.lock().unwrap() = true;
        Ok(())
    }
    fn close(&self, _: &Actor) -> Result<bool, Fault> {
        Ok(std::mem::take(&mut *self.open.lock().unwrap()))
    }
    fn set(&self) -> Result<Arc<PickSet>, Fault> {
        let none = || Fault::new(Code::SetNotOpen, "Open a backup set first.");
        if !*self.open.lock().unwrap() {
            return Err(none());
        }
        self.there.lock().unwrap().clone().ok_or_else(none)
    }
}

const PATH: &str = "/api/v1/picks";

#[test]
fn a_set_is_for_those_with_the_right_and_shows_them_what_they_may_see() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (lead, lead_in) = site.signed_in("lead", &["sales_manager"], None);
        let (_, admin) = site.signed_in("ole", &["system_admin"], None);
        let (_, seller) = site.signed_in("anna", &["seller"], None);
        let account = kontor.make("account", json!({"name": "Hanse", "legal_name": "Hanse AG", "owner": lead}));
        site.picks.put(kontor.set(1));
        let record = format!("{PATH}/records/account/{account}");
        for who in [&admin, &seller] {
            assert_eq!(site.get(PATH, who).code(), "access_denied");
            assert_eq!(site.get(&record, who).code(), "access_denied");
        }
        assert_eq!(site.get(&record, &lead_in).code(), "set_not_open");
        let open = |sequence: u32| {
            site.send("POST", PATH, &lead_in, &[], Some(json!({"sequence": sequence, "target": "disk"})))
        };
        assert_eq!(open(2).code(), "record_not_found");
        assert_eq!(open(1).status, 202);
        let objects = site.get(&format!("{PATH}/objects"), &lead_in).good();
        let counted = objects["items"].as_array().unwrap().iter().find(|one| one["object"] == "account").unwrap();
        assert_eq!(counted["count"], 1);

        kontor.change(&kontor.operator(), "account", account, json!({"legal_name": "Wrong"})).unwrap();
        let listed = site.get(&format!("{PATH}/records/account?q=hanse&limit=5"), &lead_in).good();
        assert_eq!((&listed["items"][0]["title"], &listed["items"][0]["state"]), (&json!("Hanse"), &json!("live")));
        let shown = site.get(&record, &lead_in).good();
        let field = shown["fields"].as_array().unwrap().iter().find(|field| field["field"] == "legal_name").unwrap();
        assert_eq!((&field["then"], &field["now"]), (&json!("Hanse AG"), &json!("Wrong")));
        let ask = |dry: bool| Some(json!({"fields": ["legal_name"], "dry_run": dry}));
        let version: [(&str, &str); 1] = [("If-Match", "\"2\"")];
        assert_eq!(site.send("POST", &record, &lead_in, &[], ask(false)).code(), "version_required");
        assert_eq!(site.send("POST", &record, &lead_in, &version, ask(true)).good()["dry_run"], true);
        let done = site.send("POST", &record, &lead_in, &version, ask(false)).good();
        assert_eq!(
            (&done["brought"], &done["record"]["fields"]["legal_name"]),
            (&json!(["legal_name"]), &json!("Hanse AG"))
        );
        assert_eq!(site.send("POST", &record, &lead_in, &version, ask(false)).code(), "version_conflict");
        assert_eq!(site.send("DELETE", PATH, &lead_in, &[], None).good(), json!({"closed": true}));
        assert_eq!(site.get(&format!("{PATH}/objects"), &lead_in).code(), "set_not_open");
    });
}

#[test]
fn a_whole_object_is_compared_and_brought_back_as_a_job() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (lead, lead_in) = site.signed_in("lead", &["sales_manager"], None);
        let account = kontor.make("account", json!({"name": "Hanse", "legal_name": "Hanse AG", "owner": lead}));
        site.picks.put(kontor.set(1));
        kontor.change(&kontor.operator(), "account", account, json!({"legal_name": "Wrong"})).unwrap();
        site.send("POST", PATH, &lead_in, &[], Some(json!({"sequence": 1, "target": "disk"}))).good();
        let compared = format!("{PATH}/compared/account");
        assert_eq!(site.get(&compared, &lead_in).code(), "job_unknown");
        site.send("POST", &compared, &lead_in, &[], None).good();
        let ended = |path: &str, over: &dyn Fn(&Json) -> bool| {
            for _ in 0..600 {
                let view = site.get(path, &lead_in).good();
                if over(&view) {
                    return view;
                }
                // Nothing rings when it ends; between two looks it gets on.
                std::thread::park_timeout(Duration::from_millis(50));
            }
            panic!("{path} does not end");
        };
        let view = ended(&compared, &|view| view["running"] == false);
        assert_eq!((&view["different"], &view["fields"]), (&json!(1), &json!({"legal_name": 1})));
        let rows = site.get(&format!("{compared}/rows?what=different"), &lead_in).good();
        assert_eq!(rows["items"][0]["fields"], json!(["legal_name"]));
        let what = Some(json!({"what": ["different"]}));
        let job = site.send("POST", &format!("{compared}/bring"), &lead_in, &[], what).good();
        let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
        let job = ended(&path, &|view| view["state"] != "running");
        assert_eq!((&job["done"], &job["action"]), (&json!(1), &json!("backup_pick")));
    });
}
