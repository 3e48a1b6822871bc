//! The verbs of records over HTTP: forms, versions, retries, refusals. What they do is tested in `records`.

use super::site::{Site, Who};
use audit::Verb as Act;
use serde_json::{Value as Json, json};
use testkit::{TestAppliance, on_both_engines};

fn seller<'k>(kontor: &'k TestAppliance) -> (Site<'k>, Who) {
    let site = Site::open(kontor);
    let unit = kontor.make("unit", json!({"code": "HL", "name": "Lübeck"}));
    let (_, anna) = site.signed_in("anna", &["seller"], Some(unit));
    (site, anna)
}

const ACCOUNTS: &str = "/api/v1/records/account";

#[test]
fn a_record_from_create_to_restore() {
    on_both_engines(|kontor| {
        let (site, anna) = seller(kontor);
        let made = site.post(ACCOUNTS, &anna, json!({"name": "Hansekontor 汉萨", "phone": "+49 451 123456"}));
        assert_eq!((made.status, made.header("etag")), (201, Some("\"1\"")));
        let path = made.header("location").unwrap().to_owned();
        let request = made.header("x-request-id").unwrap().to_owned();
        let id = made.good()["id"].as_str().unwrap().to_owned();
        assert_eq!(path, format!("{ACCOUNTS}/{id}"));
        let log = kontor.log();
        let entry = log.iter().find(|entry| entry.act.verb == Act::Create && entry.target.object == "account").unwrap();
        assert_eq!(entry.request.map(|id| id.to_string()), Some(request), "answer and log tell of the same request");
        assert_eq!(
            site.get(&format!("{path}?fields=name"), &anna).good()["fields"],
            json!({"name": "Hansekontor 汉萨"})
        );
        let change = |if_match: &[(&str, &str)], name: &str| {
            site.send("PATCH", &path, &anna, if_match, Some(json!({"name": name})))
        };
        assert_eq!((change(&[], "A").status, change(&[], "A").code().as_str()), (428, "version_required"));
        assert_eq!(change(&[("if-match", "*")], "A").code(), "parameter_invalid");
        let changed = change(&[("if-match", "\"1\"")], "Hansekontor");
        assert_eq!((changed.status, changed.header("etag")), (200, Some("\"2\"")));
        let stale = change(&[("if-match", "\"1\"")], "Other");
        assert_eq!((stale.status, stale.code().as_str()), (412, "version_conflict"));
        assert_eq!(stale.json()["current_version"], 2, "{}", stale.json());
        let history = site.get(&format!("{path}/history?limit=1"), &anna).good();
        assert_eq!(
            (history["items"][0]["verb"].as_str(), history["items"].as_array().unwrap().len()),
            (Some("update"), 1)
        );
        let gone = site.send("DELETE", &path, &anna, &[("if-match", "\"2\"")], None);
        assert_eq!((gone.status, gone.header("etag")), (200, Some("\"3\"")));
        assert_eq!(site.get(&path, &anna).good()["deleted"], true, "the recycle bin can be looked into");
        assert_eq!(site.get(ACCOUNTS, &anna).good()["items"], json!([]));
        assert_eq!(site.get(&format!("{ACCOUNTS}?deleted=true"), &anna).good()["items"].as_array().unwrap().len(), 1);
        let back = site.send("POST", &format!("{path}/restore"), &anna, &[], None).good();
        assert_eq!(back["fields"]["name"], "Hansekontor");
    });
}

#[test]
fn a_repeated_create_gives_the_first_answer() {
    on_both_engines(|kontor| {
        let (site, anna) = seller(kontor);
        let create = |key: &str, name: &str| {
            site.send("POST", ACCOUNTS, &anna, &[("idempotency-key", key)], Some(json!({"name": name})))
        };
        let first = create("k-1", "One").good();
        assert_eq!(create("k-1", "One").good()["id"], first["id"]);
        let other = create("k-1", "Two");
        assert_eq!((other.status, other.code().as_str()), (422, "idempotency_mismatch"));
        assert_ne!(create("k-2", "One").good()["id"], first["id"]);
        let token = site.send("POST", "/api/v1/tokens", &anna, &[("idempotency-key", "k-3")], Some(json!({})));
        assert_eq!(token.code(), "parameter_invalid", "a promise that could not be kept is not made");
    });
}

#[test]
fn lists_in_both_forms() {
    on_both_engines(|kontor| {
        let (site, anna) = seller(kontor);
        for name in ["Anker", "Boje", "Deich"] {
            site.post(ACCOUNTS, &anna, json!({"name": name})).good();
        }
        let names = |page: &Json| -> Vec<String> {
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["fields"]["name"].as_str().unwrap().to_owned())
                .collect()
        };
        let first = site.get(&format!("{ACCOUNTS}?sort=-name&fields=name&limit=2&count=exact"), &anna).good();
        assert_eq!((names(&first), &first["count"]), (vec!["Deich".to_owned(), "Boje".to_owned()], &json!(3)));
        let cursor = first["next"].as_str().unwrap();
        let body = json!({"sort": ["-name"], "fields": ["name"], "limit": 2, "cursor": cursor});
        let second = site.post(&format!("{ACCOUNTS}/query"), &anna, body).good();
        assert_eq!((names(&second), &second["next"]), (vec!["Anker".to_owned()], &Json::Null));
        let filter = "%7B%22field%22%3A%22name%22%2C%22op%22%3A%22eq%22%2C%22value%22%3A%22Boje%22%7D";
        assert_eq!(names(&site.get(&format!("{ACCOUNTS}?filter={filter}"), &anna).good()), ["Boje"]);
        let found = site.get("/api/v1/search?q=Boje", &anna).good();
        assert_eq!(found["groups"][0]["items"][0]["fields"]["name"], "Boje");
        for (path, code) in [
            (format!("{ACCOUNTS}?page=2"), "parameter_invalid"),
            (format!("{ACCOUNTS}?filter=x"), "filter_invalid"),
            (format!("{ACCOUNTS}?cursor=x"), "cursor_invalid"),
            ("/api/v1/records/nothing".to_owned(), "object_unknown"),
            (format!("{ACCOUNTS}/no-id"), "record_not_found"),
            (format!("{ACCOUNTS}/01890a5d-ac96-774b-bcce-b302099a8057"), "record_not_found"),
            ("/api/v1/search".to_owned(), "parameter_invalid"),
        ] {
            assert_eq!(site.get(&path, &anna).code(), code, "{path}");
        }
    });
}

#[test]
fn links_and_bulk_changes() {
    on_both_engines(|kontor| {
        let (site, anna) = seller(kontor);
        let ids: Vec<String> = ["A", "B"]
            .iter()
            .map(|name| site.post(ACCOUNTS, &anna, json!({"name": name})).good()["id"].as_str().unwrap().to_owned())
            .collect();
        let tag = kontor.make("tag", json!({"name": "harbour"}));
        let path = format!("{ACCOUNTS}/{}/links/tags", ids[0]);
        assert_eq!(site.post(&path, &anna, json!({"record": tag})).good(), json!({"moved": true}));
        assert_eq!(site.post(&path, &anna, json!({"record": tag})).good(), json!({"moved": false}));
        assert_eq!(site.get(&path, &anna).good()["items"][0]["record"]["id"], json!(tag));
        assert_eq!(site.send("DELETE", &format!("{path}/{tag}"), &anna, &[], None).good(), json!({"moved": true}));
        let unknown = site.get(&format!("{ACCOUNTS}/{}/links/nothing", ids[0]), &anna);
        assert_eq!((unknown.status, unknown.code().as_str()), (404, "relation_unknown"));
        let bulk = site
            .post(
                &format!("{ACCOUNTS}/bulk"),
                &anna,
                json!({"ids": ids, "change": {"action": "update", "fields": {"website": "https://hanse.example"}}}),
            )
            .good();
        assert_eq!((&bulk["done"], bulk["rows"].as_array().unwrap().len()), (&json!(2), 2));
        let shape = site.post(&format!("{ACCOUNTS}/bulk"), &anna, json!({"ids": [], "change": {"action": "explode"}}));
        assert_eq!(shape.code(), "validation_failed");
    });
}

#[test]
fn invalid_values_come_back_with_their_places() {
    on_both_engines(|kontor| {
        let (site, anna) = seller(kontor);
        let reply = site.post(ACCOUNTS, &anna, json!({"name": 7, "nothing": 1, "email": "not mail secret-value"}));
        assert_eq!((reply.status, reply.code().as_str()), (422, "validation_failed"));
        let text = reply.json().to_string();
        assert!(
            text.contains("\"/name\"") && text.contains("\"/nothing\"") && !text.contains("secret-value"),
            "{text}"
        );
    });
}

#[test]
fn masked_values_are_revealed_for_a_purpose_that_the_log_keeps() {
    on_both_engines(|kontor| {
        let (site, anna) = seller(kontor);
        let owner = site.get("/api/v1/session", &anna).good()["user"]["id"].clone();
        let id = kontor
            .make("account", json!({"name": "Anker", "owner": owner, "bank_account_no": "DE89370400440532013000"}));
        let path = format!("{ACCOUNTS}/{id}");
        let opened = site.get(&path, &anna).good();
        assert_eq!(opened["fields"].get("bank_account_no"), None);
        assert!(opened["reduced"]["bank_account_no"].as_str().unwrap().contains("****"), "{opened}");
        let reveal = format!("{path}/reveal");
        let without = site.post(&reveal, &anna, json!({"fields": ["bank_account_no"]}));
        assert_eq!((without.status, without.code().as_str()), (400, "purpose_required"));
        let by_header = site.send(
            "POST",
            &reveal,
            &anna,
            &[("x-purpose", "refund 17")],
            Some(json!({"fields": ["bank_account_no"]})),
        );
        assert_eq!(by_header.good()["fields"]["bank_account_no"], "DE89370400440532013000");
        site.post(&reveal, &anna, json!({"fields": ["bank_account_no"], "purpose": "refund 18"})).good();
        let log = kontor.log();
        let purposes: Vec<&str> =
            log.iter().filter(|entry| entry.act.verb == Act::Reveal).map(|entry| entry.act.purpose.as_str()).collect();
        assert!(purposes.contains(&"refund 17") && purposes.contains(&"refund 18"), "{purposes:?}");
    });
}
