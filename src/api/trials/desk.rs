//! What the web interface keeps and counts, over HTTP: forms, versions, refusals. What it means is tested in `records`.

use super::site::{Site, Who};
use serde_json::json;
use testkit::on_both_engines;

#[test]
fn preferences_views_and_summaries() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, anna) = site.signed_in("anna", &["seller"], None);
        let put = |who: &Who, key: &str, body| {
            site.send("PUT", &format!("/api/v1/me/preferences/{key}"), who, &[], Some(body))
        };
        assert_eq!(put(&anna, "home.layout", json!({"value": [1, {"x": null}]})).status, 204);
        assert_eq!(put(&anna, "Home", json!({"value": 1})).code(), "parameter_invalid");
        assert_eq!(put(&anna, "home", json!({"value": "x".repeat(20_000)})).code(), "limit_exceeded");
        assert_eq!(put(&anna, "home", json!({})).code(), "validation_failed");
        let list = || site.get("/api/v1/me/preferences", &anna).good();
        assert_eq!(list(), json!({"items": {"home.layout": [1, {"x": null}]}}));
        assert_eq!(site.send("DELETE", "/api/v1/me/preferences/home.layout", &anna, &[], None).status, 204);
        assert_eq!(list(), json!({"items": {}}));

        let views = "/api/v1/metadata/objects/account/views";
        let made =
            site.post(views, &anna, json!({"name": "Mine", "definition": {"columns": ["name"], "density": "compact"}}));
        assert_eq!((made.status, made.header("etag")), (201, Some("\"1\"")));
        let view = format!("{views}/{}", made.good()["id"].as_str().unwrap());
        let change = |if_match: &[(&str, &str)], body| site.send("PATCH", &view, &anna, if_match, Some(body));
        assert_eq!(change(&[], json!({"name": "A"})).code(), "version_required");
        assert_eq!(change(&[("if-match", "\"1\"")], json!({"name": "A", "default": true})).good()["default"], true);
        let stale = change(&[("if-match", "\"1\"")], json!({"name": "B"}));
        assert_eq!((stale.status, stale.json()["current_version"].as_i64()), (412, Some(2)));
        assert_eq!(change(&[("if-match", "\"2\"")], json!({"columns": []})).code(), "validation_failed");
        assert_eq!(site.get(views, &anna).good()["items"][0]["name"], "A");
        assert_eq!(site.send("DELETE", &view, &anna, &[("if-match", "\"2\"")], None).status, 204);
        assert_eq!(
            site.send("DELETE", &format!("{views}/x"), &anna, &[("if-match", "\"2\"")], None).code(),
            "view_unknown"
        );

        site.post("/api/v1/records/account", &anna, json!({"name": "Hanse", "kind": "company"})).good();
        let summary = "/api/v1/records/account/summary";
        let found = site
            .post(summary, &anna, json!({"group_by": ["owner", "created_at:month"], "sums": ["annual_revenue"]}))
            .good();
        assert_eq!(
            (found["total"]["count"].as_u64(), found["groups"][0]["label"][0].as_str()),
            (Some(1), Some("anna"))
        );
        assert_eq!(site.post(summary, &anna, json!({"group_by": ["credit_rating"]})).code(), "field_not_filterable");
        assert_eq!(site.post(summary, &anna, json!({"group": []})).code(), "validation_failed");
    });
}

#[test]
fn timelines_and_who_saw_a_record() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, lead) = site.signed_in("lead", &["sales_manager"], None);
        let made = site.post("/api/v1/records/account", &lead, json!({"name": "Hanse"})).good();
        let (id, path) = (&made["id"], format!("/api/v1/records/account/{}", made["id"].as_str().unwrap()));
        for (kind, status) in [("call", "completed"), ("task", "planned")] {
            let body =
                json!({"kind": kind, "subject": kind, "status": status, "regarding": {"object": "account", "id": id}});
            site.post("/api/v1/records/activity", &lead, body).good();
        }
        let whole = site.get(&format!("{path}/timeline"), &lead).good();
        assert_eq!(
            (whole["planned"][0]["fields"]["kind"].as_str(), whole["items"].as_array().unwrap().len()),
            (Some("task"), 2)
        );
        let page = site.get(&format!("{path}/timeline?limit=1&kind=call,change"), &lead).good();
        let cursor = page["next"].as_str().unwrap();
        let second = site.get(&format!("{path}/timeline?limit=1&kind=call,change&cursor={cursor}"), &lead).good();
        assert_ne!(second["items"][0]["type"], page["items"][0]["type"]);
        assert_eq!(site.get(&format!("{path}/timeline?limit=0"), &lead).code(), "parameter_invalid");
        assert_eq!(site.get(&format!("{path}/timeline?from=now"), &lead).code(), "parameter_invalid");
        let seen = site.get(&format!("{path}/access-log?limit=2"), &lead).good();
        assert_eq!(
            (seen["items"][0]["verb"].as_str(), seen["items"][0]["name"].as_str()),
            (Some("history"), Some("lead"))
        );
        let (_, anna) = site.signed_in("anna", &["seller"], None);
        assert_eq!(site.get(&format!("{path}/access-log"), &anna).code(), "access_denied");
    });
}

#[test]
fn the_bell() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, anna) = site.signed_in("anna", &["seller"], None);
        let task = json!({"kind": "task", "subject": "Call", "due": "2026-03-01T00:00:00Z"});
        site.post("/api/v1/records/activity", &anna, task).good();
        let list = |query: &str| site.get(&format!("/api/v1/notifications{query}"), &anna);
        let seen = list("?unread=true&limit=5").good();
        assert_eq!((seen["unread"].as_u64(), seen["items"][0]["kind"].as_str()), (Some(1), Some("due")));
        let read = |body| site.post("/api/v1/notifications/read", &anna, body);
        assert_eq!(read(json!({"ids": [seen["items"][0]["id"]]})).status, 204);
        assert_eq!(list("").good()["unread"], 0);
        assert_eq!(read(json!({})).code(), "parameter_invalid");
        assert_eq!(list("?limit=x").code(), "parameter_invalid");
    });
}

#[test]
fn bulk_jobs() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, anna) = site.signed_in("anna", &["seller"], None);
        site.post("/api/v1/records/account", &anna, json!({"name": "Hanse"})).good();
        let body = json!({"change": {"action": "update", "fields": {"legal_name": "New"}}, "filter": {"and": []}});
        let preview = site.post("/api/v1/records/account/bulk/preview", &anna, body.clone()).good();
        assert_eq!((preview["count"].as_u64(), preview["change"].as_u64()), (Some(1), Some(1)));
        let job = site.post("/api/v1/records/account/bulk/jobs", &anna, body.clone()).good();
        let path = format!("/api/v1/jobs/{}", job["id"].as_str().unwrap());
        let ended = |path: &str| loop {
            let job = site.get(path, &anna).good();
            if job["state"] != "running" {
                return job;
            }
        };
        assert_eq!((ended(&path)["done"].as_u64(), ended(&path)["can_undo"].as_bool()), (Some(1), Some(true)));
        assert_eq!(site.get(&format!("{path}/rows?outcome=done"), &anna).good()["items"][0]["version"], 2);
        assert_eq!(site.get(&format!("{path}/rows?outcome=x"), &anna).code(), "parameter_invalid");
        let undo = site.send("POST", &format!("{path}/undo"), &anna, &[], None).good();
        assert_eq!(ended(&format!("/api/v1/jobs/{}", undo["id"].as_str().unwrap()))["done"], 1);
        assert_eq!(site.send("POST", &format!("{path}/undo"), &anna, &[], None).code(), "undo_refused");
        assert_eq!(site.send("POST", &format!("{path}/stop"), &anna, &[], None).good()["state"], "done");
        assert_eq!(site.get("/api/v1/jobs", &anna).good()["items"].as_array().unwrap().len(), 2);
        assert_eq!(site.get("/api/v1/jobs/x", &anna).code(), "job_unknown");
        assert_eq!(site.post("/api/v1/records/user/bulk/jobs", &anna, body).code(), "parameter_invalid");
    });
}
