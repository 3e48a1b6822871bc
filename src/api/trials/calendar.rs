//! The secret calendar address: made, looked at, limited, revoked; it opens a calendar and nothing else.

use super::site::{Site, Who};
use audit::Verb as Act;
use kernel::RecordId;
use serde_json::json;
use testkit::on_both_engines;

#[test]
fn a_calendar_by_its_secret_address() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (anna_id, anna) = site.signed_in("anna", &["seller"], None);
        let nobody = Who::default();
        for (subject, more) in [
            (
                "Tea, with; guests",
                json!({"kind": "meeting", "start": "2026-03-03T09:00:00Z", "end": "2026-03-03T10:00:00Z", "location": "Secretplace", "body": "Secretwords"}),
            ),
            ("Call back", json!({"kind": "task", "due": "2026-03-04T12:00:00Z"})),
            ("Cancelled", json!({"kind": "call", "start": "2026-03-03T09:00:00Z", "status": "cancelled"})),
            ("A note", json!({"kind": "note", "start": "2026-03-03T09:00:00Z"})),
        ] {
            let mut body = more;
            body["subject"] = json!(subject);
            site.post("/api/v1/records/activity", &anna, body).good();
        }
        let feed = "/api/v1/me/calendar-feed";
        assert_eq!(site.get(feed, &anna).good(), json!({"feed": null}));
        let create = || site.send("POST", feed, &anna, &[], None).good()["path"].as_str().unwrap().to_owned();
        let path = create();
        assert!(site.get(feed, &anna).good()["feed"]["expires_at"].is_string());
        let reply = site.get(&path, &nobody);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/calendar; charset=utf-8")));
        let text = String::from_utf8(reply.body).unwrap();
        assert!(
            text.contains("SUMMARY:Tea\\, with\\; guests\r\n") && text.contains("DTEND:20260303T100000Z"),
            "{text}"
        );
        assert_eq!(text.matches("BEGIN:VEVENT").count(), 2, "{text}");
        assert!(!text.contains("Secret") && !text.contains("Cancelled"), "{text}");
        let log = kontor.log();
        let look = log.iter().rfind(|entry| entry.note == "calendar feed").unwrap();
        assert!(look.actor.user == Some(anna_id) && look.target.ids.len() == 2 && look.actor.token.is_some());
        let secret = path.trim_start_matches("/calendar/").trim_end_matches(".ics").to_owned();
        let stored = kontor.sql("SELECT * FROM k_token").join("");
        assert!(!stored.contains(secret.splitn(3, '_').last().unwrap()), "only its digest is kept");

        // As a token of the API it reads nothing, and a token of the API is no address.
        let program = |token: &str| Who { token: Some(token.to_owned()), ..Who::default() };
        for closed in ["records/activity", "me/preferences", "notifications", "jobs", "records/activity/x/timeline"] {
            let code = site.get(&format!("/api/v1/{closed}"), &program(&secret)).code();
            assert!(["token_scope", "record_not_found"].contains(&code.as_str()), "{closed}: {code}");
        }
        for closed in ["session", "sessions", "tokens", "me/calendar-feed", "metadata/objects"] {
            assert_eq!(site.get(&format!("/api/v1/{closed}"), &program(&secret)).code(), "token_scope", "{closed}");
        }
        let narrow = json!({"name": "narrow", "scopes": ["account:*"], "expires_at": "2026-04-01T00:00:00Z"});
        let narrow = site.post("/api/v1/tokens", &anna, narrow).good()["token"].as_str().unwrap().to_owned();
        for own in ["sessions", "tokens", "me/calendar-feed"] {
            assert_eq!(site.get(&format!("/api/v1/{own}"), &program(&narrow)).code(), "token_scope", "{own}");
        }
        let id = RecordId::from_bytes([7; 16]);
        for own in [format!("sessions/{id}"), format!("tokens/{id}"), "me/calendar-feed".to_owned()] {
            let reply = site.send("DELETE", &format!("/api/v1/{own}"), &program(&narrow), &[], None);
            assert_eq!(reply.code(), "token_scope", "{own}");
        }
        let wide = json!({"name": "all", "scopes": ["*:*"], "expires_at": "2026-04-01T00:00:00Z"});
        let wide = site.post("/api/v1/tokens", &anna, wide).good()["token"].as_str().unwrap().to_owned();
        for wrong in [format!("/calendar/{wide}.ics"), format!("/calendar/{secret}"), "/calendar/x.ics".to_owned()] {
            assert_eq!(site.get(&wrong, &nobody).code(), "route_not_found", "{wrong}");
        }
        let second = create();
        assert_eq!(site.get(&path, &nobody).code(), "route_not_found", "a new address ends the old one");
        assert_eq!(site.get(&second, &nobody).status, 200);
        assert_eq!(site.send("DELETE", feed, &anna, &[], None).status, 204);
        assert_eq!(site.get(&second, &nobody).code(), "route_not_found");
        let acts = kontor.log().iter().filter(|entry| entry.act.verb == Act::CalendarFeed).count();
        assert_eq!(acts, 4, "made twice, ended twice");
    });
}

#[test]
fn a_calendar_is_not_looked_at_all_the_time() {
    let kontor = testkit::TestAppliance::new(testkit::Engine::Embedded);
    let site = Site::open(&kontor);
    let (_, anna) = site.signed_in("anna", &["seller"], None);
    let made = site.send("POST", "/api/v1/me/calendar-feed", &anna, &[], None).good();
    let look = || site.get(made["path"].as_str().unwrap(), &Who::default());
    for _ in 0..kernel::limits::CALENDAR_LOOKS_PER_HOUR_MAX {
        assert_eq!(look().status, 200);
    }
    assert_eq!(look().code(), "rate_limited");
    kontor.clock.advance_seconds(3600);
    assert_eq!(look().status, 200);
    let (_, nobody) = site.signed_in("nobody", &[], None);
    assert_eq!(site.send("POST", "/api/v1/me/calendar-feed", &nobody, &[], None).code(), "access_denied");
}
