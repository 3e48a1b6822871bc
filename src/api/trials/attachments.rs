//! Files of records over HTTP: forms, headers, refusals. What it means is tested in `records`.

use super::site::{Reply, Site, Who};
use serde_json::json;
use testkit::on_both_engines;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

fn upload(site: &Site, path: &str, who: &Who, name: Option<&str>, bytes: &[u8]) -> Reply {
    let headers: Vec<(&str, &str)> = name.map(|name| ("content-disposition", name)).into_iter().collect();
    site.send_bytes("POST", path, who, &headers, bytes.to_vec())
}

#[test]
fn files_over_http() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, anna) = site.signed_in("anna", &["seller"], None);
        let made = site.post("/api/v1/records/account", &anna, json!({"name": "Hanse"})).good();
        let files = format!("/api/v1/records/account/{}/attachments", made["id"].as_str().unwrap());
        let reply = upload(&site, &files, &anna, Some("attachment; filename*=UTF-8''%E7%85%A7%20x.png"), PNG);
        assert_eq!(reply.status, 201);
        let place = reply.header("location").unwrap().to_owned();
        let file = reply.good();
        assert_eq!(
            (file["name"].as_str(), file["media_type"].as_str(), file["size"].as_u64()),
            (Some("照 x.png"), Some("image/png"), Some(16))
        );
        let list = site.get(&files, &anna).good();
        assert_eq!((&list["items"][0], &list["editable"]), (&file, &json!(true)));

        let download = site.get(&place, &anna);
        assert_eq!(download.body, PNG);
        for (header, expected) in [
            ("content-type", "application/octet-stream"),
            ("content-disposition", "attachment; filename=\"_ x.png\"; filename*=UTF-8''%E7%85%A7%20x.png"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(download.header(header), Some(expected), "{header}");
        }
        let shown = site.get(&format!("{place}?preview=true"), &anna);
        assert_eq!((shown.body.as_slice(), shown.header("content-type")), (PNG, Some("image/png")));
        assert!(shown.header("content-disposition").unwrap().starts_with("inline;"));
        let policy = shown.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; sandbox;"), "{policy}");

        let text =
            upload(&site, &files, &anna, Some("attachment; filename=a.html"), b"<script>alert(1)</script>").good();
        assert_eq!((text["media_type"].as_str(), text["preview"].as_bool()), (Some("text/plain"), Some(false)));
        let page = format!("{files}/{}", text["id"].as_str().unwrap());
        assert_eq!(site.get(&format!("{page}?preview=true"), &anna).code(), "media_type_unsupported");

        assert_eq!(upload(&site, &files, &anna, None, PNG).code(), "parameter_invalid");
        let evil = upload(&site, &files, &anna, Some("attachment; filename=a.png"), b"MZ\x90\0");
        assert_eq!((evil.status, evil.code().as_str()), (415, "media_type_unsupported"));
        let big = site.raw(
            "POST",
            &files,
            &[
                ("cookie", anna.cookie.clone().unwrap()),
                ("x-csrf-token", anna.csrf.clone().unwrap()),
                ("content-disposition", "attachment; filename=a.pdf".to_owned()),
            ],
            vec![b'x'; 25 * 1024 * 1024 + 1],
        );
        assert_eq!((big.status, big.code().as_str()), (413, "limit_exceeded"));
        assert!(big.json()["detail"].as_str().unwrap().contains("ATTACHMENT_BYTES_MAX"));

        let (_, bela) = site.signed_in("bela", &["seller"], None);
        assert_eq!(site.get(&place, &bela).code(), "record_not_found");
        assert_eq!(upload(&site, &files, &bela, Some("attachment; filename=a.png"), PNG).code(), "record_not_found");
        let unsigned = Who { csrf: None, ..anna.clone() };
        assert_eq!(upload(&site, &files, &unsigned, Some("attachment; filename=a.png"), PNG).code(), "csrf_required");
        assert_eq!(site.send("DELETE", &place, &anna, &[], None).status, 204);
        assert_eq!(site.get(&place, &anna).code(), "attachment_unknown");
        assert_eq!(site.get(&format!("{files}/x"), &anna).code(), "attachment_unknown");
    });
}
