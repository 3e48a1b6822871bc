//! Nobody gets in by a side door: every route without credentials, sealed, with a wrong method, from another site.

use super::site::{PASSWORD, Site, Who};
use crate::route::{self, Access, Carries, Verb};
use serde_json::json;
use testkit::{Engine, TestAppliance, on_both_engines};

/// An address of a route with something in each variable part.
fn address(path: &str) -> String {
    path.split('/')
        .map(|part| match part {
            "{object}" => "account",
            "{relation}" => "tags",
            "{path:.*}" => "0/000",
            "{seq}" | "{size}" => "0",
            part if part.starts_with('{') => "01890a5d-ac96-774b-bcce-b302099a8057",
            part => part,
        })
        .collect::<Vec<_>>()
        .join("/")
}

#[test]
fn every_guarded_route_refuses_strangers_and_a_sealed_appliance_serves_nothing() {
    let kontor = TestAppliance::new(Engine::Embedded);
    let (open, sealed) = (Site::open(&kontor), Site::sealed(&kontor));
    let token = Who { token: Some("kontor_00000000000000000000000000_x".to_owned()), ..Who::default() };
    let cookie = Who { cookie: Some("__Host-kontor=x.y".to_owned()), ..Who::default() };
    let mut guarded = 0;
    for route in route::all() {
        let body = matches!(route.takes, Carries::Json(_)).then(|| json!({}));
        let send = |site: &Site, who: &Who| site.send(route.verb.name(), &address(route.path), who, &[], body.clone());
        if matches!(route.access(), Access::SignedIn | Access::Act(_)) {
            guarded += 1;
            for who in [Who::default(), token.clone(), cookie.clone()] {
                let reply = send(&open, &who);
                assert_eq!((reply.status, reply.code().as_str()), (401, "sign_in_required"), "{}", route.name);
                assert!(reply.header("www-authenticate").is_some());
            }
        }
        if route.access() != Access::SealedOk {
            let reply = send(&sealed, &Who::default());
            assert_eq!((reply.status, reply.code().as_str()), (503, "sealed"), "{}", route.name);
        }
    }
    assert!(guarded > 40);
}

#[test]
fn an_unseal_opens_everything_and_is_logged() {
    on_both_engines(|kontor| {
        let site = Site::sealed(kontor);
        let nobody = Who::default();
        assert_eq!(site.get("/healthz", &nobody).status, 200);
        let ready = site.get("/readyz", &nobody);
        assert_eq!(ready.status, 503);
        assert_eq!(ready.json()["ready"], false);
        assert!(ready.json()["reasons"][0].as_str().unwrap().starts_with("sealed"));
        for path in
            ["/", "/docs", "/docs/errors", "/api/docs", "/api/v1/openapi.json", "/pages/style.css", "/pages/reader.js"]
        {
            assert_eq!(site.get(path, &nobody).status, 200, "{path}");
        }
        let wrong = || site.post("/api/v1/system/unseal", &nobody, json!({"passphrase": "wrong"}));
        for _ in 0..4 {
            let wrong = wrong();
            assert_eq!((wrong.status, wrong.code().as_str()), (403, "unseal_failed"));
            kontor.clock.advance_seconds(1);
        }
        let early = wrong();
        assert_eq!(
            (early.status, early.code().as_str(), early.header("retry-after")),
            (429, "rate_limited", Some("1"))
        );
        kontor.clock.advance_seconds(1);
        assert_eq!(
            site.post("/api/v1/system/unseal", &nobody, json!({"passphrase": PASSWORD})).good(),
            json!({"sealed": false})
        );
        assert_eq!(
            site.post("/api/v1/system/unseal", &nobody, json!({"passphrase": "whatever"})).good(),
            json!({"sealed": false})
        );
        assert_eq!(site.get("/readyz", &nobody).good(), json!({"ready": true, "reasons": []}));
        let log = kontor.log();
        let unseals: Vec<_> = log
            .iter()
            .filter(|entry| entry.act.verb == audit::Verb::Unseal)
            .map(|entry| (entry.decision.effect, entry.repeats, entry.source.address.as_str(), entry.note.as_str()))
            .collect();
        let failed = "failed while sealed, from 2026-03-02T09:00:00.000000Z to 2026-03-02T09:00:03.000000Z";
        assert_eq!(
            unseals,
            [(audit::Effect::Deny, 4, "192.0.2.7", failed), (audit::Effect::Allow, 1, "192.0.2.7", "")],
            "failures are told as soon as there is a log"
        );
    });
}

#[test]
fn recovery_shares_are_given_one_by_one() {
    let kontor = TestAppliance::new(Engine::Embedded);
    let site = Site::sealed(&kontor);
    let nobody = Who::default();
    let give = |body: serde_json::Value| site.post("/api/v1/system/unseal", &nobody, body);
    for body in [json!({}), json!({"passphrase": PASSWORD, "share": "first"})] {
        assert_eq!(give(body).code(), "parameter_invalid");
    }
    let long = "academic ".repeat(200);
    assert_eq!(give(json!({"share": long})).code(), "limit_exceeded");
    let waiting = json!({"set": 7, "given": [1], "needed": 2, "forgotten_after_seconds": 900});
    assert_eq!(give(json!({"share": "first"})).good(), json!({"sealed": true, "shares": waiting}));
    assert_eq!(site.get("/readyz", &nobody).status, 503);
    for _ in 0..4 {
        assert_eq!(give(json!({"share": "somebody else's"})).code(), "unseal_failed");
    }
    // Wrong shares are guesses like any other.
    assert_eq!(give(json!({"share": "second"})).code(), "rate_limited");
    kontor.clock.advance_seconds(60);
    assert_eq!(give(json!({"share": "second"})).good(), json!({"sealed": false}));
    let log = kontor.log();
    let unseal = log.iter().rfind(|entry| entry.act.verb == audit::Verb::Unseal).unwrap();
    assert_eq!(unseal.note, "recovery shares 1, 2; Some(192.0.2.7)");
}

#[test]
fn every_answer_carries_its_headers() {
    let kontor = TestAppliance::new(Engine::Embedded);
    let site = Site::open(&kontor);
    for path in ["/", "/nowhere", "/api/v1/session", "/healthz", "/api/docs"] {
        let reply = site.get(path, &Who::default());
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert!(reply.header("content-security-policy").unwrap().starts_with("default-src 'self';"), "{path}");
        assert!(!reply.header("content-security-policy").unwrap().contains("unsafe"), "{path}");
        assert!(reply.header("strict-transport-security").is_some(), "{path}");
        assert_eq!(reply.header("x-request-id").unwrap().len(), 36, "{path}");
        let cache = reply.header("cache-control").unwrap();
        assert!(cache == "no-store" || (cache == "no-cache" && !path.starts_with("/api/v1")), "{path} {cache}");
    }
}

#[test]
fn addresses_methods_and_forms_that_do_not_fit() {
    let kontor = TestAppliance::new(Engine::Embedded);
    let site = Site::open(&kontor);
    let nobody = Who::default();
    let reply = site.get("/api/v2/records", &nobody);
    assert_eq!((reply.status, reply.code().as_str()), (404, "route_not_found"));
    let reply = site.send("DELETE", "/api/v1/records/account", &nobody, &[], None);
    assert_eq!((reply.status, reply.code().as_str()), (405, "method_not_allowed"));
    assert_eq!(reply.header("allow"), Some("GET, POST"));
    assert_eq!(
        site.send("OPTIONS", "/api/v1/session", &nobody, &[("origin", "https://evil.example")], None).status,
        405
    );
    assert_eq!(site.send("HEAD", "/healthz", &nobody, &[], None).status, 200);
    let login = json!({"login": "anna", "password": "x"});
    let reply = site.send("POST", "/api/v1/session", &nobody, &[("sec-fetch-site", "cross-site")], Some(login));
    assert_eq!((reply.status, reply.code().as_str()), (403, "csrf_required"));
    for (headers, body, status, code) in [
        (vec![], "{}", 415, "media_type_unsupported"),
        (vec![("content-type", "text/plain".to_owned())], "{}", 415, "media_type_unsupported"),
        (vec![("content-type", "application/json".to_owned())], "{", 400, "json_invalid"),
        (vec![("content-type", "application/json; charset=utf-8".to_owned())], "{}", 422, "validation_failed"),
        (
            vec![("content-type", "application/json".to_owned()), ("x-purpose", "p".repeat(300))],
            "{}",
            400,
            "parameter_invalid",
        ),
        (
            vec![("content-type", "application/json".to_owned()), ("x-filler", "x".repeat(40_000))],
            "{}",
            413,
            "limit_exceeded",
        ),
    ] {
        let reply = site.raw("POST", "/api/v1/session", &headers, body.as_bytes().to_vec());
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{headers:?}");
    }
    let large = vec![b' '; kernel::limits::BODY_BYTES_MAX + 1];
    let reply = site.raw("POST", "/api/v1/session", &[("content-type", "application/json".to_owned())], large);
    assert_eq!((reply.status, reply.code().as_str()), (413, "limit_exceeded"));
    assert!(reply.json()["detail"].as_str().unwrap().contains("BODY_BYTES_MAX"));
    let reply = site.get("/healthz?x=1", &nobody);
    assert_eq!((reply.status, reply.code().as_str()), (400, "parameter_invalid"));
    let reply = site.get(&format!("/healthz?{}", "x".repeat(20_000)), &nobody);
    assert_eq!((reply.status, reply.code().as_str()), (413, "limit_exceeded"));
}

#[test]
fn problems_speak_the_language_of_the_reader() {
    let kontor = TestAppliance::new(Engine::Embedded);
    let site = Site::open(&kontor);
    let reply = site.send("GET", "/api/v1/session", &Who::default(), &[("accept-language", "zh-CN,en;q=0.5")], None);
    assert_eq!(reply.json()["title"], "请先登录");
    assert_eq!(reply.json()["type"], "/docs/errors#sign_in_required");
    let page =
        String::from_utf8(site.send("GET", "/docs/errors", &Who::default(), &[("accept-language", "zh")], None).body)
            .unwrap();
    assert!(page.contains("<html lang=\"zh-CN\">") && page.contains("id=\"sign_in_required\""));
}

#[test]
fn a_route_that_changes_something_checks_the_session_token() {
    let kontor = TestAppliance::new(Engine::Embedded);
    let site = Site::open(&kontor);
    let (_, anna) = site.signed_in("anna", &["seller"], None);
    let without = Who { csrf: None, ..anna.clone() };
    let wrong = Who { csrf: Some("A".repeat(43)), ..anna.clone() };
    let mut changing = 0;
    for route in route::all()
        .filter(|route| route.verb != Verb::Get && matches!(route.access(), Access::SignedIn | Access::Act(_)))
    {
        changing += 1;
        let body = matches!(route.takes, Carries::Json(_)).then(|| json!({}));
        for who in [&without, &wrong] {
            let reply = site.send(route.verb.name(), &address(route.path), who, &[], body.clone());
            assert_eq!((reply.status, reply.code().as_str()), (403, "csrf_required"), "{}", route.name);
        }
    }
    let denied = kontor.log().iter().filter(|entry| entry.act.verb == audit::Verb::Denied).count();
    assert!(changing > 25 && denied == changing * 2, "each refusal is in the log: {denied} of {changing}");
}

#[test]
fn every_act_of_the_appliance_refuses_those_without_the_right_and_tells_the_log() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (user, nobody) = site.signed_in("nobody", &[], None);
        let mut acts = 0;
        for route in route::all().filter(|route| matches!(route.access(), Access::Act(_))) {
            acts += 1;
            let body = matches!(route.takes, Carries::Json(_)).then(|| json!({}));
            let reply = site.send(route.verb.name(), &address(route.path), &nobody, &[], body);
            assert_eq!((reply.status, reply.code().as_str()), (403, "access_denied"), "{}", route.name);
        }
        let denied = |entry: &&audit::Entry| entry.act.verb == audit::Verb::Denied && entry.actor.user == Some(user);
        assert!(acts > 20);
        assert_eq!(kontor.log().iter().filter(denied).count(), acts);
    });
}
