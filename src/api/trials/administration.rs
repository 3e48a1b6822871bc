//! What administrators do over the API: roles, passwords, sessions, definitions, the log; and that others cannot.

use super::site::{PASSWORD, Site, Who};
use audit::Verb as Act;
use serde_json::json;
use testkit::on_both_engines;

#[test]
fn roles_passwords_and_sessions_of_others() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (officer_id, officer) = site.signed_in("officer", &["security_admin"], None);
        let (user, anna) = site.signed_in("anna", &["seller"], None);
        let roles = site.get("/api/v1/roles", &officer).good();
        assert!(roles["items"].as_array().unwrap().iter().any(|role| role["role"]["name"] == "seller"));
        let path = format!("/api/v1/users/{user}/roles");
        assert_eq!(site.post(&path, &anna, json!({"role": "sales_manager"})).code(), "access_denied");
        assert_eq!(site.post(&path, &officer, json!({"role": "sales_manager"})).good(), json!({"moved": true}));
        assert_eq!(site.get("/api/v1/session", &anna).code(), "sign_in_required", "new rights need a new session");
        assert_eq!(site.get(&path, &officer).good()["roles"].as_array().unwrap().len(), 2);
        assert_eq!(
            site.send("DELETE", &format!("{path}/sales_manager"), &officer, &[], None).good(),
            json!({"moved": true})
        );
        assert_eq!(
            site.post(&path, &officer, json!({"role": "audit_admin"})).code(),
            "validation_failed",
            "roles that exclude each other"
        );
        let own = site.post(&format!("/api/v1/users/{officer_id}/roles"), &officer, json!({"role": "seller"}));
        assert_eq!(own.code(), "access_denied");
        let set = |id, who: &Who| {
            site.post(&format!("/api/v1/users/{id}/password"), who, json!({"password": "quite a new thing 5"}))
        };
        assert_eq!(set(officer_id, &officer).code(), "access_denied");
        let anna = site.sign_in("anna");
        assert_eq!(set(user, &anna).code(), "access_denied");
        assert_eq!(
            site.get(&format!("/api/v1/users/{user}/sessions"), &officer).good()["items"].as_array().unwrap().len(),
            1
        );
        assert_eq!(site.send("DELETE", &format!("/api/v1/users/{user}/sessions"), &officer, &[], None).status, 204);
        assert_eq!(site.get("/api/v1/session", &anna).code(), "sign_in_required");
        let token = json!({"name": "t", "scopes": ["*:read"], "expires_at": "2026-04-01T00:00:00Z"});
        let token = site.post("/api/v1/tokens", &site.sign_in("anna"), token).good()["id"].as_str().unwrap().to_owned();
        let tokens = format!("/api/v1/users/{user}/tokens");
        assert_eq!(site.send("DELETE", &format!("{tokens}/{token}"), &officer, &[], None).status, 204);
        assert_ne!(site.get(&tokens, &officer).good()["items"][0]["revoked_at"], json!(null));
        assert_eq!(set(user, &officer).status, 204);
        let old = site.post("/api/v1/session", &Who::default(), json!({"login": "anna", "password": PASSWORD}));
        assert_eq!(old.code(), "sign_in_failed");
    });
}

#[test]
fn definitions_travel_small_and_what_is_secret_never() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, anna) = site.signed_in("anna", &["seller"], None);
        let ask = |path: &str| {
            let cookie = ("cookie", anna.cookie.clone().unwrap());
            site.raw("GET", path, &[cookie, ("accept-encoding", "br, gzip".to_owned())], Vec::new())
        };
        let whole = site.get("/api/v1/metadata/objects", &anna);
        assert_eq!((whole.header("content-encoding"), whole.header("vary")), (None, Some("Accept-Encoding")));
        let small = ask("/api/v1/metadata/objects");
        assert_eq!((small.header("content-encoding"), small.header("cache-control")), (Some("gzip"), Some("no-store")));
        assert!(small.body.len() * 4 < whole.body.len(), "{} of {}", small.body.len(), whole.body.len());
        // The token against forged requests stands in this one.
        assert_eq!(ask("/api/v1/session").header("content-encoding"), None);
    });
}

#[test]
fn definitions_are_planned_then_run_and_described() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, admin) = site.signed_in("admin", &["system_admin"], None);
        let (_, anna) = site.signed_in("anna", &["seller"], None);
        let field =
            json!({"name": "x_berth", "label": {"en": "Berth", "zh": "泊位"}, "type": "text", "sensitivity": "S1"});
        let path = "/api/v1/metadata/objects/account/fields";
        assert_eq!(site.post(path, &anna, field.clone()).code(), "access_denied");
        let planned = site.post(&format!("{path}?plan=true"), &admin, field.clone()).good();
        assert_eq!(planned["applied"], false);
        assert!(planned["steps"].as_array().unwrap().iter().any(|step| step["action"] == "add_column"));
        let names = |who: &Who| site.get(path, who).good()["items"].to_string();
        assert!(!names(&anna).contains("x_berth"), "a plan changes nothing");
        assert_eq!(site.post(path, &admin, field.clone()).good()["applied"], true);
        assert!(names(&anna).contains("x_berth"));
        let again = site.post(path, &admin, field);
        assert_eq!((again.status, again.code().as_str()), (422, "plan_refused"));
        assert!(again.json()["errors"].as_array().is_some_and(|errors| !errors.is_empty()));
        let described = site.get("/api/v1/openapi.json", &anna).good();
        assert!(described["components"]["schemas"]["account_record"].to_string().contains("x_berth"));
        let public = site.get("/api/v1/openapi.json", &Who::default()).good();
        assert!(!public.to_string().contains("x_berth"), "strangers see the shipped objects only");
        let made = site.post("/api/v1/records/account", &anna, json!({"name": "Anker", "x_berth": "7"})).good();
        assert_eq!(made["fields"]["x_berth"], "7");
        let object = site.get("/api/v1/metadata/objects/account", &anna).good();
        assert_eq!(object["verbs"]["read"], true);
        site.get("/api/v1/metadata/objects", &admin).good();
        let enum_option = json!({"code": "x_pier", "label": {"en": "Pier", "zh": "码头"}});
        let option = site.post("/api/v1/metadata/objects/account/fields/kind/options?plan=true", &admin, enum_option);
        assert!(matches!(option.status, 200 | 422), "{}", option.json());
        assert!(kontor.log().iter().any(|entry| entry.act.verb == Act::DefinitionChange));
    });
}

#[test]
fn layouts_are_arranged_by_those_who_may_define() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, admin) = site.signed_in("admin", &["system_admin"], None);
        let (_, anna) = site.signed_in("anna", &["seller"], None);
        let path = "/api/v1/metadata/objects/account/layout";
        let before = site.get(path, &anna).good();
        assert_eq!((&before["version"], &before["arranged"]), (&json!(0), &json!(false)));
        let section = json!({"label": {"en": "Berths", "zh": "泊位"}, "fields": ["name", "phone"]});
        let layout = json!({"highlights": ["phone"], "create": ["name"], "sections": [section]});
        let change = json!({"layout": layout, "version": 0});
        let put = |query: &str, who: &Who, body: serde_json::Value| {
            site.send("PUT", &format!("{path}{query}"), who, &[], Some(body))
        };
        assert_eq!(put("", &anna, change.clone()).code(), "access_denied");
        assert_eq!(put("?plan=true", &admin, change.clone()).good()["applied"], false);
        assert_eq!(site.get(path, &anna).good(), before, "a plan changes nothing");
        assert_eq!(put("", &admin, change.clone()).good()["applied"], true);
        let after = site.get(path, &anna).good();
        assert_eq!((&after["sections"][0]["label"]["en"], &after["highlights"]), (&json!("Berths"), &json!(["phone"])));
        let late = put("", &admin, change);
        assert_eq!((late.status, late.json()["errors"][0]["code"].clone()), (422, json!("version_conflict")));
        let wrong = json!({"layout": {"highlights": ["nothing"], "create": [], "sections": []}, "version": 1});
        assert_eq!(put("?plan=true", &admin, wrong).json()["errors"].as_array().map(Vec::len), Some(2));
        assert_eq!(put("", &admin, json!({"version": 1})).good()["applied"], true);
        assert_eq!(site.get(path, &anna).good()["sections"], before["sections"]);
    });
}

#[test]
fn the_log_is_read_by_auditors_and_tells_of_it() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (auditor_id, auditor) = site.signed_in("auditor", &["audit_admin"], None);
        let (_, anna) = site.signed_in("anna", &["seller"], None);
        let sealed = kontor.seal_log();
        for path in ["entries", "checkpoint", "tile/0/000", "proof/inclusion/0", "proof/consistency/1"] {
            let reply = site.get(&format!("/api/v1/audit/{path}"), &anna);
            assert_eq!((reply.status, reply.code().as_str()), (403, "access_denied"), "{path}");
        }
        let page = site.get("/api/v1/audit/entries?limit=2&verb=sign_in", &auditor).good();
        assert_eq!(page["items"].as_array().unwrap().len(), 2);
        let note = site.get("/api/v1/audit/checkpoint", &auditor);
        assert_eq!(note.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(String::from_utf8(note.body).unwrap().lines().nth(1), Some(sealed.to_string().as_str()));
        assert_eq!(site.get("/api/v1/audit/proof/inclusion/0", &auditor).good()["size"], sealed);
        site.get("/api/v1/audit/proof/consistency/1", &auditor).good();
        assert_eq!(site.get("/api/v1/audit/proof/inclusion/999999", &auditor).code(), "record_not_found");
        let tile = site.get(&format!("/api/v1/audit/tile/0/000.p/{sealed}"), &auditor);
        assert_eq!((tile.status, tile.body.len()), (200, 32 * usize::try_from(sealed).unwrap()));
        for path in ["/api/v1/audit/tile/../slots.json", "/api/v1/audit/tile/%2e%2e/%2e%2e/kontor.db"] {
            assert!(matches!(site.get(path, &auditor).status, 400 | 404), "{path}");
        }
        let log = kontor.log();
        let reads =
            log.iter().filter(|entry| entry.act.verb == Act::AuditRead && entry.actor.user == Some(auditor_id)).count();
        assert!(reads >= 5, "{reads}");
        assert!(log.iter().filter(|entry| entry.act.verb == Act::Denied).count() >= 5);
    });
}

#[test]
fn health_is_for_those_with_the_right() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, admin) = site.signed_in("admin", &["system_admin"], None);
        let (_, anna) = site.signed_in("anna", &["seller"], None);
        assert_eq!(site.get("/api/v1/system/health", &anna).code(), "access_denied");
        let health = site.get("/api/v1/system/health", &admin).good();
        assert_eq!(
            (&health["checks"][0]["name"], &health["version"]),
            (&json!("database"), &json!(env!("CARGO_PKG_VERSION")))
        );
    });
}
