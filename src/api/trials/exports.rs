//! Exports over HTTP: asked for, watched, downloaded, refused.

use super::site::{Site, Who};
use audit::Verb as Act;
use serde_json::{Value as Json, json};
use testkit::on_both_engines;

/// Asks until the export has ended.
fn ended(site: &Site, who: &Who, path: &str) -> Json {
    for _ in 0..10_000 {
        let view = site.get(path, who).good();
        if view["state"] != "running" {
            return view;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
    panic!("{path} does not end: {}", site.get(path, who).json());
}

#[test]
fn a_list_becomes_a_file() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, lead) = site.signed_in("lead", &["sales_manager"], None);
        for (name, phone) in [("Hanse", "+49 451 1234567"), ("=HYPERLINK(\"x\")", "+49 40 7654321")] {
            site.post("/api/v1/records/account", &lead, json!({"name": name, "phone": phone})).good();
        }
        let ask = json!({"columns": ["name", "phone", "owner", "type"], "format": "csv", "sort": ["-name"]});
        let begun = site.post("/api/v1/records/account/export", &lead, ask.clone());
        assert_eq!(begun.status, 202);
        let path = begun.header("location").unwrap().to_owned();
        let ready = ended(&site, &lead, &path);
        assert_eq!((ready["state"].as_str(), ready["rows"].as_u64()), (Some("ready"), Some(2)), "{ready:#}");

        let file = site.get(&format!("{path}/file"), &lead);
        assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
        assert_eq!(file.header("cache-control"), Some("no-store"));
        assert!(file.header("content-disposition").unwrap().starts_with("attachment; filename="));
        assert_eq!(u64::try_from(file.body.len()).ok(), ready["size"].as_u64());
        let text = String::from_utf8(file.body).unwrap();
        let lines: Vec<&str> = text.strip_prefix('\u{feff}').unwrap().lines().collect();
        assert!(lines.len() == 3 && lines[1].starts_with("Hanse,'+494511234567,"), "{text}");
        assert!(lines[2].starts_with("\"'=HYPERLINK(\"\"x\"\")\""), "a formula is a text: {text}");

        let log = kontor.log();
        let mine: Vec<_> = log.iter().filter(|entry| entry.act.verb == Act::Export).collect();
        let notes: Vec<&str> = mine.iter().map(|entry| entry.note.split(' ').next().unwrap()).collect();
        assert_eq!(notes, ["export", "export", "export", "download"]);
        assert_eq!(mine[1].target.ids.len(), 2, "the page names its records");
        assert!(mine[1].fields.iter().any(|used| used.field == "phone"), "and its personal fields");

        for (wrong, code) in [
            (json!({"columns": [], "format": "csv"}), "parameter_invalid"),
            (json!({"columns": ["nme"], "format": "csv"}), "parameter_invalid"),
            (json!({"columns": ["name"], "format": "xlsx"}), "validation_failed"),
            (
                json!({"columns": ["name"], "format": "csv", "filter": {"field": "nme", "op": "eq", "value": 1}}),
                "filter_invalid",
            ),
        ] {
            assert_eq!(site.post("/api/v1/records/account/export", &lead, wrong.clone()).code(), code, "{wrong}");
        }
        let (_, other) = site.signed_in("other", &["sales_manager"], None);
        assert_eq!(site.get(&format!("{path}/file"), &other).code(), "job_unknown");
        assert_eq!(site.get("/api/v1/exports", &other).good()["items"], json!([]));
        let (_, anna) = site.signed_in("anna", &["seller"], None);
        assert_eq!(site.post("/api/v1/records/account/export", &anna, ask).code(), "access_denied");
        assert_eq!(site.send("DELETE", &path, &lead, &[], None).status, 204);
        assert_eq!(site.get(&format!("{path}/file"), &lead).code(), "job_unknown");
    });
}
