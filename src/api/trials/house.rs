//! Settings, the first run and sample data over the API: who may, what is refused, what comes back.

use super::site::Site;
use serde_json::json;
use testkit::on_both_engines;

#[test]
fn settings_are_read_by_all_and_changed_by_one() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, admin) = site.signed_in("admin", &["system_admin"], None);
        let (_, anna) = site.signed_in("anna", &["seller"], None);
        let read = site.get("/api/v1/settings", &anna);
        assert_eq!(read.header("etag"), Some("\"1\""));
        assert_eq!(read.good()["ribbon"]["kind"], "none");
        let change = json!({"ribbon": {"kind": "training", "text": "Course of May"}});
        let send =
            |who, headers: &[(&str, &str)], body| site.send("PATCH", "/api/v1/settings", who, headers, Some(body));
        assert_eq!(send(&anna, &[("if-match", "\"1\"")], change.clone()).code(), "access_denied");
        assert_eq!(send(&admin, &[], change.clone()).code(), "version_required");
        assert_eq!(send(&admin, &[("if-match", "\"1\"")], json!({"colour": "red"})).code(), "validation_failed");
        let set = send(&admin, &[("if-match", "\"1\"")], change.clone());
        assert_eq!(set.header("etag"), Some("\"2\""));
        assert_eq!(set.good()["ribbon"]["text"], "Course of May");
        assert_eq!(send(&admin, &[("if-match", "\"1\"")], change).code(), "version_conflict");
        assert_eq!(site.get("/api/v1/settings", &anna).good()["ribbon"]["kind"], "training");
    });
}

#[test]
fn the_first_run_is_gone_through_step_by_step() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, admin) = site.signed_in("admin", &["system_admin"], None);
        let (_, anna) = site.signed_in("anna", &["seller"], None);
        kontor.records.setup_begin(&kontor.operator()).wait().unwrap();
        assert_eq!(site.get("/api/v1/setup", &anna).code(), "access_denied");
        let first = site.get("/api/v1/setup", &admin).good();
        assert_eq!((&first["finished"], &first["slots"][0]["kind"]), (&json!(false), &json!("key_file")));
        let step =
            |who, name: &str| site.send("PUT", &format!("/api/v1/setup/{name}"), who, &[], Some(json!({"done": true})));
        assert_eq!(step(&anna, "region").code(), "access_denied");
        assert_eq!(step(&admin, "nothing").code(), "parameter_invalid");
        assert_eq!(step(&admin, "people").code(), "access_denied", "that is the security administrator's");
        assert_ne!(step(&admin, "organisation").good()["steps"][0]["done_at"], json!(null));
        assert_eq!(step(&admin, "finish").good()["finished"], true);
    });
}

#[test]
fn sample_data_is_loaded_and_removed() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, admin) = site.signed_in("admin", &["system_admin"], None);
        let (_, anna) = site.signed_in("anna", &["sales_manager"], None);
        let send = |method: &str, path: &str, who| site.send(method, path, who, &[], None);
        for method in ["GET", "POST", "DELETE"] {
            assert_eq!(send(method, "/api/v1/sample", &anna).code(), "access_denied");
        }
        let settled = || loop {
            let view = site.get("/api/v1/sample", &admin).good();
            if view["state"] != "loading" && view["state"] != "removing" {
                break view;
            }
        };
        assert_eq!(settled()["state"], "none");
        assert_eq!(send("DELETE", "/api/v1/sample", &admin).code(), "sample_refused");
        send("POST", "/api/v1/sample", &admin).good();
        assert_eq!(settled()["objects"], json!([{"object": "account", "count": 1, "changed": 0}]));
        assert_eq!(site.get("/api/v1/settings", &anna).good()["sample"], true);
        assert_eq!(send("POST", "/api/v1/sample", &admin).code(), "sample_refused");
        send("DELETE", "/api/v1/sample", &admin).good();
        assert_eq!(settled()["state"], "none");
        assert_eq!(site.get("/api/v1/settings", &anna).good()["sample"], false);
    });
}
