//! Sign-in, sign-out, passwords and sessions, as a browser lives them.

use super::site::{PASSWORD, Site, Who};
use audit::Verb as Act;
use serde_json::json;
use testkit::on_both_engines;

#[test]
fn a_session_from_sign_in_to_sign_out() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (user, anna) = site.signed_in("anna", &["seller"], None);
        let me = site.get("/api/v1/session", &anna).good();
        assert_eq!(
            (me["user"]["id"].as_str(), me["user"]["login"].as_str()),
            (Some(user.to_string().as_str()), Some("anna"))
        );
        assert_eq!(me["csrf"].as_str(), anna.csrf.as_deref(), "a page that was loaded again finds its token");
        let sessions = site.get("/api/v1/sessions", &anna).good();
        assert_eq!(sessions["items"][0]["current"], true);
        assert_eq!(sessions["items"][0]["source"], "192.0.2.7");
        let gone = site.send("DELETE", "/api/v1/session", &anna, &[], None);
        assert_eq!(gone.status, 204);
        assert!(gone.header("set-cookie").unwrap().contains("Max-Age=0"));
        assert_eq!(site.get("/api/v1/session", &anna).code(), "sign_in_required");
        let log = kontor.log();
        let entry = log.iter().find(|entry| entry.act.verb == Act::SignIn).expect("the sign-in is logged");
        assert_eq!((entry.actor.user, entry.source.address.as_str()), (Some(user), "192.0.2.7"));
        assert!(entry.request.is_some() && log.iter().any(|entry| entry.act.verb == Act::SignOut));
    });
}

#[test]
fn the_cookie_stays_in_its_place() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        site.signed_in("anna", &["seller"], None);
        let reply = site.post("/api/v1/session", &Who::default(), json!({"login": "ANNA ", "password": PASSWORD}));
        let cookie = reply.header("set-cookie").unwrap();
        assert!(
            cookie.starts_with("__Host-kontor=") && cookie.ends_with("; Path=/; HttpOnly; Secure; SameSite=Strict"),
            "{cookie}"
        );
    });
}

#[test]
fn wrong_credentials_all_look_the_same_and_are_logged() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        site.signed_in("anna", &["seller"], None);
        let try_it = |login: &str, password: &str| {
            let reply = site.post("/api/v1/session", &Who::default(), json!({"login": login, "password": password}));
            let mut problem = reply.json();
            problem.as_object_mut().unwrap().remove("request_id");
            (reply.status, problem)
        };
        let wrong = try_it("anna", "wrong");
        assert_eq!(wrong.0, 401);
        assert_eq!(wrong, try_it("nobody", "wrong"));
        assert_eq!(wrong, try_it("\u{0}", "wrong"));
        let failed: Vec<_> = kontor.log().into_iter().filter(|entry| entry.act.verb == Act::SignInFailed).collect();
        assert!(!failed.is_empty());
        for _ in 0..8 {
            try_it("anna", "wrong");
        }
        let delayed = site.post("/api/v1/session", &Who::default(), json!({"login": "anna", "password": PASSWORD}));
        assert_eq!((delayed.status, delayed.code().as_str()), (429, "sign_in_delayed"));
        assert!(delayed.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    });
}

#[test]
fn a_changed_password_ends_the_other_sessions() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, first) = site.signed_in("anna", &["seller"], None);
        let second = site.sign_in("anna");
        let new = "another fine staple 9";
        let refused = site.post("/api/v1/session/password", &first, json!({"old": "wrong", "new": new}));
        assert_eq!((refused.status, refused.code().as_str()), (401, "sign_in_failed"));
        let weak = site.post("/api/v1/session/password", &first, json!({"old": PASSWORD, "new": "short"}));
        assert_eq!((weak.status, weak.code().as_str()), (422, "validation_failed"));
        let reply = site.post("/api/v1/session/password", &first, json!({"old": PASSWORD, "new": new}));
        let cookie = reply.header("set-cookie").and_then(|line| line.split(';').next()).map(str::to_owned);
        let third = Who { cookie, csrf: reply.good()["csrf"].as_str().map(str::to_owned), token: None };
        assert_eq!(site.get("/api/v1/session", &third).status, 200);
        for old in [&first, &second] {
            assert_eq!(site.get("/api/v1/session", old).code(), "sign_in_required");
        }
        assert!(kontor.log().iter().any(|entry| entry.act.verb == Act::PasswordChange));
    });
}

#[test]
fn a_password_set_by_somebody_else_is_good_for_changing_it() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, officer) = site.signed_in("officer", &["security_admin"], None);
        let (user, before) = site.signed_in("anna", &["seller"], None);
        assert_eq!(site.get("/api/v1/session", &before).good()["password_change_required"], false);
        let set = json!({"password": "set by somebody else 7"});
        assert_eq!(site.post(&format!("/api/v1/users/{user}/password"), &officer, set).status, 204);
        let opened = |reply: super::site::Reply| {
            let cookie = reply.header("set-cookie").and_then(|line| line.split(';').next()).map(str::to_owned);
            let session = reply.good();
            let who = Who { cookie, csrf: session["csrf"].as_str().map(str::to_owned), token: None };
            (session["password_change_required"].clone(), who)
        };
        let login = json!({"login": "anna", "password": "set by somebody else 7"});
        let (required, first) = opened(site.post("/api/v1/session", &Who::default(), login));
        assert_eq!(required, true);
        assert_eq!(site.get("/api/v1/session", &first).good()["password_change_required"], true);
        for path in ["/api/v1/records/account", "/api/v1/sessions", "/api/v1/tokens", "/api/v1/metadata/objects"] {
            let refused = site.get(path, &first);
            assert_eq!((refused.status, refused.code().as_str()), (403, "password_change_required"), "{path}");
        }
        let made = site.post("/api/v1/records/account", &first, json!({"name": "A"}));
        assert_eq!(made.code(), "password_change_required");
        let change = |new: &str| {
            let body = json!({"old": "set by somebody else 7", "new": new});
            site.post("/api/v1/session/password", &first, body)
        };
        assert_eq!(change("set by somebody else 7").code(), "validation_failed", "the same again does not do");
        let (required, own) = opened(change("chosen by herself alone 9"));
        assert_eq!(required, false);
        assert_eq!(site.get("/api/v1/records/account", &own).status, 200);
    });
}

#[test]
fn one_session_ends_another_of_the_same_person_only() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, first) = site.signed_in("anna", &["seller"], None);
        let second = site.sign_in("anna");
        let (_, other) = site.signed_in("ben", &["seller"], None);
        let list = site.get("/api/v1/sessions", &first).good();
        let id = list["items"].as_array().unwrap().iter().find(|line| line["current"] == false).unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let path = format!("/api/v1/sessions/{id}");
        assert_eq!(site.send("DELETE", &path, &other, &[], None).code(), "record_not_found");
        assert_eq!(site.get("/api/v1/session", &second).status, 200);
        assert_eq!(site.send("DELETE", &path, &first, &[], None).status, 204);
        assert_eq!(site.get("/api/v1/session", &second).code(), "sign_in_required");
    });
}
