//! Custom roles: made as copies, changed with a plan before, retired, and what they may not say; and questions about rights
//! that must answer as the decision itself does, and tell nothing of a record beyond it.

use audit::Verb as Act;
use authz::{Level, RoleDraft, RolePatch, Verb};
use identity::Actor;
use kernel::{Code, Fault, RecordId};
use records::{RightsAnswer, RightsView, RoleChange, RolePlanView, Shown};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use testkit::{TestAppliance, on_both_engines, told};

fn draft(body: Json) -> RoleChange {
    RoleChange::Create(serde_json::from_value::<RoleDraft>(body).unwrap())
}

fn patch(name: &str, version: i64, body: Json) -> RoleChange {
    RoleChange::Change(name.to_owned(), Some(version), serde_json::from_value::<RolePatch>(body).unwrap())
}

struct Desk<'k> {
    kontor: &'k TestAppliance,
    officer: Arc<Actor>,
}

impl Desk<'_> {
    fn plan(&self, change: RoleChange) -> Result<RolePlanView, Fault> {
        self.kontor.records.role_plan(&self.officer, change).wait().map(Shown::into_view)
    }
    fn run(&self, change: RoleChange) -> Result<RolePlanView, Fault> {
        self.kontor.records.role_run(&self.officer, change).wait().map(Shown::into_view)
    }
    fn check(&self, question: Json) -> Result<RightsAnswer, Fault> {
        let question = serde_json::from_value(question).unwrap();
        self.kontor.records.rights_check(&self.officer, question).wait().map(Shown::into_view)
    }
    fn view(&self, request: Json) -> Result<RightsView, Fault> {
        let request = serde_json::from_value(request).unwrap();
        self.kontor.records.rights_view(&self.officer, request).wait().map(Shown::into_view)
    }
    fn lines(plan: &RolePlanView) -> Vec<String> {
        plan.changes.iter().map(authz::RightsChange::line).collect()
    }
}

fn desk(kontor: &TestAppliance) -> Desk<'_> {
    Desk { kontor, officer: kontor.actor(kontor.user("officer", &["security_admin"], None)) }
}

#[test]
fn a_copy_is_changed_for_those_who_hold_it_at_once() {
    on_both_engines(|kontor| {
        let desk = desk(kontor);
        let words = json!({"en": "Inside sales", "zh": "内勤"});
        let copy = || draft(json!({"name": "x_inside", "copy_of": "seller", "role": {"label": words}}));
        let planned = desk.plan(copy()).unwrap();
        assert!(!planned.applied && planned.role.version == 1 && !planned.changes.is_empty());
        assert!(kontor.store.policy().role("x_inside").is_none(), "a plan changes nothing");
        assert!(desk.run(copy()).unwrap().applied);
        let role = kontor.store.policy().role("x_inside").cloned().unwrap();
        assert_eq!((role.label.zh.as_str(), role.is_custom(), role.is_assignable()), ("内勤", true, true));
        let anna = kontor.user("anna", &["x_inside"], None);
        kontor.user("bert", &["x_inside", "sales_manager"], None);
        let other = kontor.make("account", json!({"name": "Hafen", "phone": "+49 451 123456"}));
        let seller = kontor.actor(anna);
        assert_eq!(kontor.open(&seller, "account", other).unwrap_err().code, Code::RecordNotFound);
        let mut objects = serde_json::to_value(&role.objects).unwrap();
        objects["account"] = json!({"read": "all"});
        let wider = || patch("x_inside", 1, json!({"objects": objects, "fields": {"account.phone": "masked"}}));
        let planned = desk.plan(wider()).unwrap();
        let lines = Desk::lines(&planned);
        assert!(lines.contains(&"account.read own>all".to_owned()), "{lines:?}");
        assert!(lines.contains(&"account.delete own>none".to_owned()), "{lines:?}");
        assert_eq!(planned.people_count, 2);
        let text = serde_json::to_value(&planned).unwrap();
        let of = |roles: Json| text["people"].as_array().unwrap().iter().find(|group| group["roles"] == roles).cloned();
        assert!(of(json!(["x_inside"])).unwrap()["changes"].to_string().contains("\"verb\":\"delete\""));
        let manager = of(json!(["sales_manager", "x_inside"])).unwrap()["changes"].to_string();
        assert!(!manager.contains("\"verb\":\"delete\""), "another role still gives it: {manager}");
        assert!(desk.run(wider()).unwrap().applied);
        let shown = kontor.open(&seller, "account", other).unwrap();
        assert_eq!(shown.reduced["phone"], "****3456", "the same session has the new rights");
        let same = desk.run(patch("x_inside", 2, json!({"fields": {"account.phone": "masked"}}))).unwrap();
        assert!(!same.applied && same.role.version == 2, "nothing moved, nothing is written");
        let versions = kontor.records.role_versions(&desk.officer, "x_inside").wait().unwrap();
        let acts: Vec<_> = versions.view().iter().map(|version| (version.version, version.act.as_str())).collect();
        assert_eq!(acts, [(2, "change"), (1, "create")]);
        let notes: Vec<String> = kontor
            .log()
            .into_iter()
            .filter(|entry| entry.act.verb == Act::RoleChange)
            .map(|entry| entry.note)
            .collect();
        assert!(
            notes
                .iter()
                .any(|note| note.starts_with("change x_inside version 2 sha256 ")
                    && note.contains("account.read own>all")),
            "{notes:?}"
        );
    });
}

#[test]
fn a_retired_role_is_nobodys_and_comes_back_to_nobody() {
    on_both_engines(|kontor| {
        let desk = desk(kontor);
        desk.run(draft(json!({"name": "x_temp", "copy_of": "seller"}))).unwrap();
        let anna = kontor.user("anna", &["x_temp"], None);
        let retire = |version| RoleChange::Retire("x_temp".to_owned(), Some(version));
        let planned = desk.plan(retire(1)).unwrap();
        assert_eq!((planned.people_count, planned.act), (1, "retire"));
        assert!(kontor.list(&kontor.actor(anna), "account", json!({})).is_ok());
        let before = kontor.actor(anna);
        assert!(desk.run(retire(1)).unwrap().applied);
        assert_eq!(kontor.list(&before, "account", json!({})).unwrap_err().code, Code::AccessDenied);
        assert!(kontor.actor(anna).roles().is_empty());
        let give = |who| kontor.records.role_grant(&desk.officer, who, "x_temp", None, None).wait().map(|_| ());
        assert_eq!(give(anna).unwrap_err().code, Code::ValidationFailed);
        assert_eq!(desk.run(patch("x_temp", 2, json!({}))).unwrap_err().code, Code::RoleFixed);
        assert_eq!(
            told(&desk.run(draft(json!({"name": "x_temp", "copy_of": "seller"}))).unwrap_err()).1,
            [("/name".to_owned(), Code::ValueNotUnique)],
            "the name stays taken"
        );
        desk.run(RoleChange::Restore("x_temp".to_owned(), Some(2))).unwrap();
        assert!(kontor.actor(anna).roles().is_empty(), "not given back");
        give(anna).unwrap();
        assert!(kontor.list(&kontor.actor(anna), "account", json!({})).is_ok());
    });
}

#[test]
fn guard_rails() {
    on_both_engines(|kontor| {
        let desk = desk(kontor);
        let refused = |body: Json| told(&desk.plan(draft(body)).unwrap_err());
        let words = json!({"en": "W", "zh": ""});
        let role = |more: Json| {
            let mut role = json!({"label": words, "description": words});
            role.as_object_mut().unwrap().extend(testkit::object_of(more));
            role
        };
        for shipped in ["seller", "service_agent", "system_admin"] {
            let changed = desk.run(patch(shipped, 0, json!({}))).unwrap_err();
            assert_eq!(changed.code, Code::RoleFixed, "{shipped}");
        }
        assert_eq!(desk.run(patch("x_none", 1, json!({}))).unwrap_err().code, Code::RoleUnknown);
        let (code, parts) = refused(json!({"name": "boss", "role": role(json!({
            "actions": ["roles", "bulk"], "objects": {"user": {"read": "all", "update": "all"}, "ship": {"read": "all"}},
            "fields": {"account.nothing": "edit"}, "forbid": {"objects": {"boat": ["read"]}, "fields": ["x"]}}))}));
        let parts: Vec<&str> = parts.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(code, Code::PlanRefused);
        assert_eq!(
            parts,
            [
                "/name",
                "/objects/ship",
                "/forbid/objects/boat",
                "/fields/account.nothing",
                "/forbid/fields/x",
                "/actions/roles",
                "/objects/user/update"
            ],
            "every error at once"
        );
        let (_, parts) = refused(json!({"name": "x_auditor", "copy_of": "security_admin", "role": role(json!({
            "actions": ["roles", "audit_read"], "objects": {"account": {"read": "own"}, "organisation": {"read": "all"}, "reference": {"update": "own"}}}))}));
        let parts: Vec<&str> = parts.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(parts, ["/actions/audit_read", "/objects/account", "/objects/reference/update"]);
        assert_eq!(
            refused(json!({"name": "x_op", "copy_of": "local_operator"})).1,
            [("/kind".to_owned(), Code::ValueNotAnOption)]
        );
        assert_eq!(
            refused(json!({"name": "x_copy", "copy_of": "nobody"})).1,
            [("/copy_of".to_owned(), Code::ValueNotAnOption)]
        );
        for shipped in ["seller", "sales_manager", "service_agent", "system_admin", "security_admin", "audit_admin"] {
            desk.plan(draft(json!({"name": "x_copy", "copy_of": shipped})))
                .unwrap_or_else(|fault| panic!("{shipped}: {:?}", fault.items));
        }
        let seller = kontor.actor(kontor.user("anna", &["seller"], None));
        let by_other = kontor.records.role_plan(&seller, draft(json!({"name": "x_mine", "copy_of": "seller"}))).wait();
        assert_eq!(by_other.map(|_| ()).unwrap_err().code, Code::AccessDenied);
        // Who holds a role does not change it, also not to their own loss.
        desk.run(draft(json!({"name": "x_keeper", "copy_of": "security_admin"}))).unwrap();
        let keeper = kontor.actor(kontor.user("keeper", &["x_keeper"], None));
        for change in
            [patch("x_keeper", 1, json!({"actions": ["roles"]})), RoleChange::Retire("x_keeper".to_owned(), Some(1))]
        {
            let own = kontor.records.role_run(&keeper, change.clone()).wait().map(|_| ()).unwrap_err();
            assert_eq!(own.code, Code::AccessDenied);
            assert_eq!(
                kontor.records.role_plan(&keeper, change).wait().map(|_| ()).unwrap_err().code,
                Code::AccessDenied
            );
        }
        assert_eq!(desk.run(patch("x_keeper", 7, json!({"actions": []}))).unwrap_err().code, Code::VersionConflict);
        let many: serde_json::Map<String, Json> =
            (0..kernel::limits::ROLE_FIELDS_MAX + 1).map(|at| (format!("account.f{at}"), json!("read"))).collect();
        let large = refused(json!({"name": "x_large", "copy_of": "seller", "role": {"fields": many}}));
        assert!(large.1.contains(&("/fields".to_owned(), Code::LimitExceeded)), "{:?}", large.1.first());
    });
}

#[test]
fn what_is_forbidden_wins_over_a_custom_role() {
    on_both_engines(|kontor| {
        let desk = desk(kontor);
        desk.run(draft(json!({"name": "x_wide", "copy_of": "sales_manager"}))).unwrap();
        let words = json!({"en": "No deleting", "zh": "禁止删除"});
        let taking = json!({"objects": {"*": ["delete"]}, "fields": ["account.phone"], "actions": ["bulk"]});
        let made =
            desk.run(draft(json!({"name": "x_no", "role": {"label": words, "description": words, "forbid": taking}})));
        assert_eq!(Desk::lines(&made.unwrap()), ["forbids *.delete", "forbids account.phone", "forbids bulk"]);
        let anna = kontor.user("anna", &["x_wide", "x_no"], None);
        let own = kontor.make("account", json!({"name": "Eigen", "owner": anna, "phone": "+49 451 123456"}));
        let actor = kontor.actor(anna);
        assert_eq!(kontor.delete(&actor, "account", own).unwrap_err().code, Code::AccessDenied);
        let seen = kontor.open(&actor, "account", own).unwrap();
        assert!(!seen.fields.contains_key("phone") && !seen.reduced.contains_key("phone"));
        let deleting = desk.check(json!({"user": anna, "object": "account", "verb": "delete", "record": own})).unwrap();
        let deleting = serde_json::to_value(&deleting).unwrap();
        assert_eq!((&deleting["allowed"], &deleting["reason"]), (&json!(false), &json!("forbidden")));
        assert_eq!(deleting["forbids"], json!([{"role": "x_no", "entry": "*.delete"}]));
        let retired = desk.plan(RoleChange::Retire("x_no".to_owned(), Some(1))).unwrap();
        assert!(retired.notes.iter().any(|note| note.en.contains("may do more")), "what it forbids goes with it");
    });
}

/// Records at every distance from one person.
fn places(kontor: &TestAppliance) -> (RecordId, Vec<RecordId>) {
    let unit = |code: &str, parent: Option<RecordId>| {
        kontor.make("unit", json!({"code": code, "name": code, "parent": parent}))
    };
    let top = unit("top", None);
    let (home, far) = (unit("home", Some(top)), unit("far", Some(top)));
    let below = unit("below", Some(home));
    let probe = kontor.user("probe", &[], Some(home));
    let mate = kontor.user("mate", &[], Some(far));
    let team = kontor.team("T", &[probe, mate]);
    let owners = [
        probe,
        mate,
        kontor.user("colleague", &[], Some(home)),
        kontor.user("junior", &[], Some(below)),
        kontor.user("stranger", &[], Some(far)),
    ];
    let mut made: Vec<RecordId> = owners
        .iter()
        .map(|owner| kontor.make("account", json!({"name": "Geheim", "phone": "+49 451 777888", "owner": owner})))
        .collect();
    made.push(kontor.make("account", json!({"name": "Geheim", "owner": owners[4], "team": team})));
    (probe, made)
}

#[test]
fn the_explanation_is_the_decision() {
    on_both_engines(|kontor| {
        let desk = desk(kontor);
        let (probe, records) = places(kontor);
        let account = Arc::clone(kontor.store.catalog().object("account").unwrap());
        let words = json!({"en": "W", "zh": "W"});
        for (name, role) in [
            (
                "x_a",
                json!({"objects": {"account": {"read": "team", "update": "own", "reveal": "all"}}, "levels": {"S2": "masked", "S1": "edit"}}),
            ),
            ("x_b", json!({"objects": {"*": {"read": "unit_and_below", "delete": "unit"}}, "levels": {"S2": "read"}})),
            ("x_c", json!({"objects": {"account": {"update": "all"}}, "fields": {"account.phone": "edit"}})),
            ("x_d", json!({"forbid": {"objects": {"account": ["reveal"]}, "fields": ["account.email"]}})),
        ] {
            let mut role = role;
            role["label"] = words.clone();
            role["description"] = words.clone();
            desk.run(draft(json!({"name": name, "role": role}))).unwrap();
        }
        let mut compared = 0;
        for roles in
            [vec!["x_a"], vec!["x_b"], vec!["x_a", "x_b"], vec!["x_b", "x_c"], vec!["x_a", "x_b", "x_c", "x_d"], vec![]]
        {
            for role in kontor.actor(probe).roles().to_vec() {
                kontor.records.role_revoke(&desk.officer, probe, &role).wait().unwrap();
            }
            for role in &roles {
                kontor.records.role_grant(&desk.officer, probe, role, None, None).wait().unwrap();
            }
            let (actor, policy) = (kontor.actor(probe), kontor.store.policy());
            for record in &records {
                let (object, id) = (Arc::clone(&account), *record);
                let facts = kontor.store.read(move |tx| tx.facts(&object, id)).wait().unwrap().unwrap();
                let read = policy.grant::<authz::Read>(&actor, &account, &facts);
                let update = policy.grant::<authz::Update>(&actor, &account, &facts).is_ok() && read.is_ok();
                let delete = policy.grant::<authz::Delete>(&actor, &account, &facts).is_ok() && read.is_ok();
                let reveal = policy.grant::<authz::Reveal>(&actor, &account, &facts).is_ok() && read.is_ok();
                for (verb, right) in
                    [("read", read.is_ok()), ("update", update), ("delete", delete), ("reveal", reveal)]
                {
                    let answer = desk
                        .check(json!({"user": probe, "object": "account", "record": record, "verb": verb}))
                        .unwrap();
                    assert_eq!(answer.explained.allowed, right, "{roles:?} {verb} {answer:?}");
                    compared += 1;
                }
                for field in ["phone", "email", "legal_name"] {
                    let level = read.as_ref().ok().map(|grant| grant.levels().get(account.field_index(field).unwrap()));
                    let answer = desk
                        .check(json!({"user": probe, "object": "account", "record": record, "field": field}))
                        .unwrap();
                    assert_eq!(answer.explained.level, level, "{roles:?} {field} {answer:?}");
                    assert_eq!(answer.explained.allowed, level >= Some(Level::Read));
                }
            }
        }
        assert_eq!(compared, 6 * 6 * 4);
    });
}

#[test]
fn a_question_tells_nothing_of_a_record_that_is_out_of_reach() {
    on_both_engines(|kontor| {
        let desk = desk(kontor);
        let (probe, records) = places(kontor);
        kontor.records.role_grant(&desk.officer, probe, "seller", None, None).wait().unwrap();
        let nowhere: RecordId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let ask = |record: RecordId, verb: &str, field: Option<&str>| {
            let answer =
                desk.check(json!({"user": probe, "object": "account", "record": record, "verb": verb, "field": field}));
            serde_json::to_value(answer.unwrap()).unwrap()
        };
        let bin = kontor.make("account", json!({"name": "Geheim", "owner": probe}));
        kontor.delete(&kontor.actor(probe), "account", bin).unwrap();
        for verb in ["read", "update", "delete", "reveal", "assign"] {
            for field in [None, Some("phone")] {
                for record in &records[1..] {
                    assert_eq!(ask(*record, verb, field), ask(nowhere, verb, field), "{verb}");
                }
            }
        }
        assert_eq!(ask(bin, "read", None)["allowed"], true, "who may delete finds it in the bin");
        assert_eq!(ask(bin, "update", None), ask(nowhere, "update", None));
        let own = ask(records[0], "read", Some("phone"));
        assert_eq!((&own["allowed"], &own["rights"][0]["through"]), (&json!(true), &json!(["owner"])));
        assert!(!own.to_string().contains("Geheim") && !own.to_string().contains("777888"));
        let entries: Vec<_> = kontor.log().into_iter().filter(|entry| entry.act.verb == Act::RightsCheck).collect();
        assert!(entries.iter().any(|entry| entry.target.record == Some(records[1])), "each question is in the log");
        assert!(entries.iter().all(|entry| !entry.note.contains("Geheim")));
        let seller = kontor.actor(probe);
        let question = serde_json::from_value(json!({"user": probe, "object": "account"})).unwrap();
        let own = kontor.records.rights_check(&seller, question).wait().map(|_| ()).unwrap_err();
        assert_eq!(own.code, Code::AccessDenied, "not for those who are asked about");
    });
}

#[test]
fn questions_without_a_record_and_views() {
    on_both_engines(|kontor| {
        let desk = desk(kontor);
        let anna = kontor.user("anna", &["service_agent"], None);
        let say = |question: Json| serde_json::to_value(desk.check(question).unwrap()).unwrap();
        let missing = say(json!({"user": anna, "object": "lead"}));
        assert_eq!(missing["reason"], "no_right");
        assert!(missing["helps"].as_array().unwrap().contains(&json!("seller")), "{missing}");
        assert!(!missing["helps"].as_array().unwrap().contains(&json!("audit_admin")));
        let phone = say(json!({"user": anna, "object": "account", "field": "phone"}));
        assert_eq!(
            (&phone["reason"], &phone["level"], &phone["levels"][0]["source"]),
            (&json!("field_level"), &json!("masked"), &json!("object"))
        );
        assert_eq!(say(json!({"user": anna, "act": "bulk"}))["reason"], "no_right");
        assert_eq!(say(json!({"user": anna, "act": "token"}))["reason"], "granted");
        let system = kontor.user("sys", &["system_admin"], None);
        assert_eq!(say(json!({"user": system, "object": "account"}))["reason"], "administration");
        for bad in [
            json!({"user": anna}),
            json!({"user": anna, "object": "account", "act": "bulk"}),
            json!({"user": anna, "act": "bulk", "verb": "read"}),
        ] {
            assert_eq!(desk.check(bad).unwrap_err().code, Code::ParameterInvalid);
        }
        assert_eq!(desk.check(json!({"user": anna, "object": "ship"})).unwrap_err().code, Code::ObjectUnknown);
        assert_eq!(
            desk.check(json!({"user": anna, "object": "account", "field": "keel"})).unwrap_err().code,
            Code::FieldUnknown
        );
        kontor.make("account", json!({"name": "Geheim"}));
        let view = desk.view(json!({"user": anna})).unwrap();
        let actor = kontor.actor(anna);
        let own = serde_json::to_value(kontor.records.objects(&actor).unwrap()).unwrap();
        assert_eq!(serde_json::to_value(&view.objects).unwrap(), own, "what the person's own interface is made from");
        assert_eq!(view.reach["case"]["read"], "unit_and_below");
        assert!(!serde_json::to_string(&view).unwrap().contains("Geheim"));
        assert!(desk.view(json!({"roles": ["seller", "audit_admin"]})).unwrap().nothing);
        assert_eq!(desk.view(json!({"roles": ["nobody"]})).unwrap_err().code, Code::RoleUnknown);
        assert_eq!(desk.view(json!({})).unwrap_err().code, Code::ParameterInvalid);
        assert!(kontor.may(&actor, "case", Verb::Update));
    });
}
