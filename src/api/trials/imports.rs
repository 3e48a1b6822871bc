//! Imports over HTTP, step by step as the wizard goes. What the engine does with rows is tested in `transfer`.

use super::site::{Site, Who};
use serde_json::{Value as Json, json};
use testkit::on_both_engines;

const FILE: &str = "Firma;Telefon;Stadt\nHanse;+49 451 1234;Lübeck\nBöse;kein Telefon;Kiel\nElbe;+49 40 5678;Hamburg\n";

fn send(site: &Site, who: &Who, text: &str) -> Json {
    let name = [("content-disposition", "attachment; filename*=UTF-8''Kunden%202026.csv")];
    site.send_bytes("POST", "/api/v1/imports?object=account", who, &name, text.as_bytes().to_vec()).good()
}

/// Asks until the import is in one of these states.
fn until(site: &Site, who: &Who, path: &str, states: &[&str]) -> Json {
    for _ in 0..10_000 {
        let view = site.get(path, who).good();
        if states.iter().any(|state| view["state"] == *state) {
            return view;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
    panic!("{path} is not in {states:?}: {}", site.get(path, who).json());
}

/// The file of rejected rows repeats the row as it came, with its line, code and reason.
fn names_the_bad_row(text: &str) {
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(lines[0], "Firma;Telefon;Stadt;_line;_code;_reason");
    assert!(lines.len() == 2 && lines[1].starts_with("Böse;kein Telefon;Kiel;3;value_format;"), "{text}");
}

#[test]
fn the_wizard_from_the_file_to_its_undo() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, lead) = site.signed_in("lead", &["sales_manager"], None);
        let made = send(&site, &lead, FILE);
        assert_eq!((made["state"].as_str(), made["can_run"].as_bool()), (Some("new"), Some(true)), "{made:#}");
        assert_eq!(made["file_name"], "Kunden 2026.csv");
        assert_eq!(made["detection"]["delimiter"], "semicolon");
        assert_eq!(made["sample"]["rows"][0], json!(["Hanse", "+49 451 1234", "Lübeck"]));
        let path = format!("/api/v1/imports/{}", made["id"].as_str().unwrap());
        let act = |what: &str| site.send("POST", &format!("{path}/{what}"), &lead, &[], None);
        let mapping = json!({"kontor_mapping": 1, "object": "account", "match": ["name"],
            "fields": {"name": {"column": "Firma"}, "phone": {"column": "Telefon"}}, "ignore_columns": ["Stadt"]});
        let mut wrong = json!({"mapping": mapping});
        wrong["mapping"]["fields"]["nme"] = json!({"column": "Firma"});
        let patch = |body| site.send("PATCH", &path, &lead, &[], Some(body));
        assert_eq!(patch(wrong).code(), "import_mapping");
        assert_eq!(
            patch(json!({"mapping": mapping.clone()})).good()["mapping"]["fields"]["phone"]["column"],
            "Telefon"
        );
        assert_eq!(patch(json!({"object": "nothing"})).code(), "object_unknown");

        assert_eq!(act("dry-run").status, 202);
        let tried = until(&site, &lead, &path, &["checked"]);
        assert_eq!((tried["dry_run"]["created"].as_u64(), tried["dry_run"]["rejected"].as_u64()), (Some(2), Some(1)));
        assert_eq!(
            (tried["first_errors"][0]["line"].as_u64(), kontor.sql_number("SELECT count(*) FROM account")),
            (Some(3), 0)
        );

        assert_eq!(act("run").status, 202);
        let done = until(&site, &lead, &path, &["done"]);
        assert_eq!(
            (done["progress"]["created"].as_u64(), done["progress"]["rejected"].as_u64()),
            (Some(2), Some(1)),
            "{done:#}"
        );
        for step in ["run", "resume", "pause"] {
            assert_eq!(act(step).code(), "job_busy", "{step}");
        }
        assert_eq!(patch(json!({"mapping": mapping})).code(), "job_busy");
        let file = site.get(&format!("{path}/rejected"), &lead);
        assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
        assert!(file.header("content-disposition").unwrap().contains("Kunden%202026.rejected.csv"));
        names_the_bad_row(&String::from_utf8(file.body).unwrap());
        let entries = kontor.log();
        let mine = |entry: &&audit::Entry| entry.act.ticket == format!("import {}", made["id"].as_str().unwrap());
        assert_eq!(entries.iter().filter(mine).count(), 2, "each record names its import");

        // One of the two is touched by somebody before the import is taken back.
        let list = site.get("/api/v1/records/account?fields=name&sort=name", &lead).good();
        let elbe = format!("/api/v1/records/account/{}", list["items"][0]["id"].as_str().unwrap());
        site.send("PATCH", &elbe, &lead, &[("if-match", "\"1\"")], Some(json!({"website": "https://elbe.example"})))
            .good();
        assert_eq!(act("undo").status, 202);
        let undone = until(&site, &lead, &path, &["undone"]);
        assert_eq!(
            (undone["undo"]["removed"].as_u64(), undone["undo"]["failed"].as_u64()),
            (Some(1), Some(1)),
            "{undone:#}"
        );
        assert_eq!(undone["undo"]["failures"][0]["code"], "version_conflict");
        assert_eq!(kontor.sql_number("SELECT count(*) FROM account WHERE deleted_at IS NULL"), 1);
        assert_eq!(act("undo").code(), "undo_refused");

        let (_, other) = site.signed_in("other", &["sales_manager"], None);
        assert_eq!(site.get(&path, &other).code(), "job_unknown");
        assert_eq!(site.get("/api/v1/imports", &other).good()["items"], json!([]));
        let (_, anna) = site.signed_in("anna", &["seller"], None);
        assert_eq!(site.get("/api/v1/imports", &anna).code(), "access_denied");
        assert_eq!(site.send("DELETE", &path, &lead, &[], None).status, 204);
        assert_eq!(site.get(&path, &lead).code(), "job_unknown");
    });
}

#[test]
fn a_file_that_cannot_be_read_says_so_and_can_be_mended() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, lead) = site.signed_in("lead", &["sales_manager"], None);
        let made = send(&site, &lead, "1,2\n3,4\n");
        assert_eq!(
            (made["problem"]["code"].as_str(), made["can_run"].as_bool()),
            (Some("import_mapping"), Some(false))
        );
        let path = format!("/api/v1/imports/{}", made["id"].as_str().unwrap());
        assert_eq!(site.send("POST", &format!("{path}/run"), &lead, &[], None).code(), "import_mapping");
        let mapping = json!({"kontor_mapping": 1, "object": "account", "header": false,
            "fields": {"name": {"column": "#1"}}, "ignore_columns": ["#2"]});
        assert_eq!(site.send("PATCH", &path, &lead, &[], Some(json!({"mapping": mapping}))).good()["can_run"], true);
        for wrong in [json!({"object": 1}), json!({"file": "x"})] {
            assert_eq!(site.send("PATCH", &path, &lead, &[], Some(wrong)).code(), "validation_failed");
        }
        for _ in 1..20 {
            send(&site, &lead, "a\nb\n");
        }
        let name = [("content-disposition", "attachment; filename=a.csv")];
        let more = site.send_bytes("POST", "/api/v1/imports", &lead, &name, b"a\nb\n".to_vec());
        assert_eq!((more.status, more.code().as_str()), (413, "limit_exceeded"));
    });
}

#[test]
fn another_encoding_proposes_the_columns_anew() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, lead) = site.signed_in("lead", &["sales_manager"], None);
        let name = [("content-disposition", "attachment; filename=a.csv")];
        // 客户名称,电话 in GBK.
        let gbk = b"\xbf\xcd\xbb\xa7\xc3\xfb\xb3\xc6,\xb5\xe7\xbb\xb0\n\xba\xba\xc8\xf8,+49 451 1234567\n";
        let made = site.send_bytes("POST", "/api/v1/imports?object=account", &lead, &name, gbk.to_vec()).good();
        let path = format!("/api/v1/imports/{}", made["id"].as_str().unwrap());
        let read_as = |encoding: &str| {
            let mapping = json!({"kontor_mapping": 1, "object": "account", "encoding": encoding, "fields": {}});
            site.send("PATCH", &path, &lead, &[], Some(json!({"mapping": mapping}))).good()["mapping"].clone()
        };
        let wrong = read_as("windows-1252");
        assert_eq!((wrong["encoding"].as_str(), wrong["fields"].as_object().unwrap().len()), (Some("windows-1252"), 0));
        let right = read_as("gb18030");
        assert_eq!(right["encoding"], "gb18030");
        assert_eq!(right["fields"]["name"]["column"], "客户名称", "{right:#}");
    });
}
