//! Custom roles and questions about rights over the API: planned, run, refused, and in force for open sessions at once.

use super::site::{Site, Who};
use serde_json::{Value as Json, json};
use testkit::on_both_engines;

fn tagged(version: i64) -> [(&'static str, String); 1] {
    [("if-match", format!("\"{version}\""))]
}

fn send(site: &Site<'_>, method: &str, path: &str, who: &Who, version: i64, body: Option<Json>) -> super::site::Reply {
    let headers = tagged(version);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    site.send(method, path, who, &headers, body)
}

#[test]
fn a_custom_role_from_plan_to_retirement() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, officer) = site.signed_in("officer", &["security_admin"], None);
        let (_, auditor) = site.signed_in("auditor", &["audit_admin"], None);
        let (user, anna) = site.signed_in("anna", &[], None);
        let draft =
            json!({"name": "x_desk", "copy_of": "service_agent", "role": {"label": {"en": "Desk", "zh": "前台"}}});
        for who in [&auditor, &anna] {
            assert_eq!(site.post("/api/v1/roles?plan=true", who, draft.clone()).code(), "access_denied");
        }
        let planned = site.post("/api/v1/roles?plan=true", &officer, draft.clone()).good();
        assert_eq!((&planned["applied"], &planned["role"]["version"]), (&json!(false), &json!(1)));
        assert_eq!(site.post("/api/v1/roles", &officer, draft.clone()).good()["applied"], true);
        let twice = site.post("/api/v1/roles", &officer, draft);
        assert_eq!((twice.status, twice.code().as_str()), (422, "plan_refused"));
        let custom = |who: &Who| {
            let roles = site.get("/api/v1/roles", who).good();
            roles["items"].as_array().unwrap().iter().find(|role| role["role"]["name"] == "x_desk").cloned().unwrap()
        };
        assert_eq!(custom(&auditor)["custom"], true);
        site.post(&format!("/api/v1/users/{user}/roles"), &officer, json!({"role": "x_desk"})).good();
        let anna = site.sign_in("anna");
        let lead = json!({"topic": "Kran", "full_name": "Jo"});
        assert_eq!(site.post("/api/v1/records/lead", &anna, lead.clone()).code(), "access_denied");
        let mut objects = custom(&officer)["role"]["objects"].clone();
        objects["lead"] = json!({"read": "own", "create": "own"});
        let path = "/api/v1/roles/x_desk";
        let mut fields = custom(&officer)["role"]["fields"].clone();
        fields["lead.full_name"] = json!("edit");
        let wider = json!({"objects": objects, "fields": fields});
        assert_eq!(site.send("PATCH", path, &officer, &[], Some(wider.clone())).code(), "version_required");
        let plan = send(&site, "PATCH", &format!("{path}?plan=true"), &officer, 1, Some(wider.clone())).good();
        assert_eq!(plan["people"][0]["users"], json!([user]));
        assert_eq!(send(&site, "PATCH", path, &officer, 1, Some(wider.clone())).good()["applied"], true);
        site.post("/api/v1/records/lead", &anna, lead).good();
        let stale = send(&site, "PATCH", path, &officer, 1, Some(wider));
        assert_eq!((stale.status, stale.code().as_str()), (412, "version_conflict"));
        let fixed = send(&site, "DELETE", "/api/v1/roles/seller", &officer, 1, None);
        assert_eq!((fixed.status, fixed.code().as_str()), (409, "role_fixed"));
        assert_eq!(send(&site, "DELETE", "/api/v1/roles/x_nobody", &officer, 1, None).code(), "role_unknown");
        let versions = site.get(&format!("{path}/versions"), &auditor).good();
        assert_eq!(versions["items"].as_array().unwrap().len(), 2);
        assert_eq!(site.get(&format!("{path}/versions"), &anna).code(), "access_denied");
        assert_eq!(send(&site, "DELETE", path, &officer, 2, None).good()["act"], "retire");
        assert_eq!(site.get("/api/v1/session", &anna).code(), "sign_in_required", "who lost a role signs in anew");
        assert_eq!(custom(&officer)["assignable"], false);
        assert_eq!(send(&site, "POST", &format!("{path}/restore"), &officer, 3, None).good()["applied"], true);
    });
}

#[test]
fn rights_are_explained_to_those_who_give_or_check_them() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, officer) = site.signed_in("officer", &["security_admin"], None);
        let (_, auditor) = site.signed_in("auditor", &["audit_admin"], None);
        let (user, anna) = site.signed_in("anna", &["seller"], None);
        let account = site.post("/api/v1/records/account", &anna, json!({"name": "Anker & Co"})).good()["id"].clone();
        let question = json!({"user": user, "object": "account", "record": account, "verb": "read", "field": "phone"});
        for who in [&officer, &auditor] {
            let answer = site.post("/api/v1/roles/check", who, question.clone()).good();
            assert_eq!((&answer["allowed"], &answer["level"]), (&json!(true), &json!("edit")));
            assert!(!answer.to_string().contains("Anker"));
            let view = site.post("/api/v1/roles/view", who, json!({"user": user})).good();
            assert!(view["objects"].as_array().unwrap().iter().any(|object| object["definition"]["name"] == "account"));
            let objects = site.get("/api/v1/roles/objects", who).good();
            assert!(objects["items"].as_array().unwrap().iter().any(|object| object["name"] == "account"));
        }
        assert_eq!(site.post("/api/v1/roles/check", &anna, question).code(), "access_denied");
        assert_eq!(site.post("/api/v1/roles/view", &anna, json!({"roles": ["seller"]})).code(), "access_denied");
        assert_eq!(site.get("/api/v1/roles/objects", &anna).code(), "access_denied");
        let wrong = site.post("/api/v1/roles/check", &officer, json!({"user": user, "object": "ship"}));
        assert_eq!((wrong.status, wrong.code().as_str()), (404, "object_unknown"));
        let nobody = json!({"user": "01890a5d-ac96-774b-bcce-b302099a8057", "object": "account"});
        assert_eq!(site.post("/api/v1/roles/check", &officer, nobody).code(), "record_not_found");
    });
}
