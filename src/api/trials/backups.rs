//! Backups over the API: who may see and steer them, and how the answers look.

use super::site::Site;
use serde_json::json;
use testkit::on_both_engines;

#[test]
fn administrators_of_the_system_see_and_steer_and_nobody_else() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, admin) = site.signed_in("ole", &["system_admin"], None);
        let (_, anna) = site.signed_in("anna", &["sales_manager"], None);
        let (_, auditor) = site.signed_in("greta", &["audit_admin"], None);
        let path = "/api/v1/backups";
        let shown = site.get(path, &admin).good();
        assert_eq!((&shown["sets"][0]["plan"], &shown["running"]["what"]), (&json!("keep"), &json!("make")));
        assert_eq!(site.get(path, &anna).code(), "access_denied");
        assert_eq!(site.send("POST", path, &admin, &[], None).status, 202);
        assert_eq!(site.send("POST", &format!("{path}/drills?target=disk"), &admin, &[], None).code(), "unavailable");
        for who in [&anna, &auditor] {
            assert_eq!(site.send("POST", path, who, &[], None).code(), "access_denied");
            assert_eq!(site.send("DELETE", &format!("{path}/running"), who, &[], None).code(), "access_denied");
        }
        let test = format!("{path}/targets/disk/test");
        assert_eq!(site.send("POST", &test, &auditor, &[], None).code(), "access_denied");
        assert_eq!(site.send("POST", &test, &admin, &[], None).good()["ok"], false);
        let set = site.get(&format!("{path}/1/disk"), &admin).good();
        assert_eq!((&set["tables"][0]["now"], &set["pinned"]), (&json!(2), &json!(false)));
        for unknown in ["2/disk", "1/other", "x/disk", "-1/disk", "99999999999999999999/disk"] {
            assert_eq!(site.get(&format!("{path}/{unknown}"), &admin).code(), "record_not_found", "{unknown}");
        }
        let pin = |pinned: bool| {
            site.send("PUT", &format!("{path}/1/disk/pin"), &admin, &[], Some(json!({"pinned": pinned})))
        };
        assert_eq!(pin(true).good()["sets"][0]["pinned"], true);
        assert_eq!(pin(false).good()["sets"][0]["pinned"], false);
        assert_eq!(site.send("DELETE", &format!("{path}/running"), &admin, &[], None).good(), json!({"stopped": true}));
    });
}
