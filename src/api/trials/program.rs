//! Programs with API tokens, and the server on a real socket.

use super::site::{Site, Who};
use crate::appliance::{Appliance, Brought, Unsealer, Unsealing};
use crate::proxies::Proxies;
use crate::rate::RateLimit;
use crate::server::{ServeError, ServerConfig, serve};
use kernel::{Clock, Code, Fault, ManualClock, Random};
use serde_json::json;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use testkit::on_both_engines;

#[test]
fn a_token_from_its_making_to_its_end() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (_, anna) = site.signed_in("anna", &["seller"], None);
        let wrong = site.post(
            "/api/v1/tokens",
            &anna,
            json!({"name": "", "scopes": ["x"], "expires_at": "2026-04-01T00:00:00Z"}),
        );
        assert_eq!(wrong.status, 422);
        let body = json!({"name": "nightly", "scopes": ["account:read"], "expires_at": "2026-04-01T00:00:00Z", "allow": ["192.0.2.0/24"]});
        let created = site.post("/api/v1/tokens", &anna, body).good();
        let program = Who { token: created["token"].as_str().map(str::to_owned), ..Who::default() };
        assert!(
            !site.get("/api/v1/tokens", &anna).good().to_string().contains(created["token"].as_str().unwrap()),
            "its text is shown once"
        );
        assert_eq!(site.get("/api/v1/records/account", &program).status, 200);
        let refused = site.post("/api/v1/records/account", &program, json!({"name": "A"}));
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (403, "token_scope"),
            "no CSRF token is asked of a program"
        );
        assert_eq!(site.get("/api/v1/session", &program).good()["csrf"], json!(null));
        assert_eq!(site.send("DELETE", "/api/v1/session", &program, &[], None).code(), "access_denied");
        let id = created["id"].as_str().unwrap();
        assert_eq!(site.send("DELETE", &format!("/api/v1/tokens/{id}"), &anna, &[], None).status, 204);
        assert_eq!(site.get("/api/v1/records/account", &program).code(), "sign_in_required");
        let verbs: Vec<_> = kontor.log().iter().map(|entry| entry.act.verb).collect();
        assert!(verbs.contains(&audit::Verb::TokenCreate) && verbs.contains(&audit::Verb::TokenRevoke));
    });
}

#[test]
fn a_token_is_as_good_as_the_right_to_tokens() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let role = |actions: &[&str]| {
            kontor
                .role(json!({"name": "clerk", "label": {"en": "C", "zh": "C"}, "description": {"en": "C", "zh": "C"},
                "objects": {"account": {"read": "own"}}, "levels": {"S1": "read"}, "actions": actions}));
        };
        role(&["token"]);
        let (_, anna) = site.signed_in("anna", &["clerk"], None);
        let body = json!({"name": "nightly", "scopes": ["account:read"], "expires_at": "2026-04-01T00:00:00Z"});
        let token = site.post("/api/v1/tokens", &anna, body).good()["token"].as_str().map(str::to_owned);
        let program = Who { token, ..Who::default() };
        assert_eq!(site.get("/api/v1/records/account", &program).status, 200);
        role(&[]);
        let refused = site.get("/api/v1/records/account", &program);
        assert_eq!((refused.status, refused.code().as_str()), (403, "access_denied"));
        let entry = kontor.log().pop().unwrap();
        assert_eq!((entry.act.verb, entry.decision.effect), (audit::Verb::Denied, audit::Effect::Deny));
        assert_eq!(site.get("/api/v1/records/account", &anna).status, 200, "only the tokens are gone");
        role(&["token"]);
        assert_eq!(site.get("/api/v1/records/account", &program).status, 200);
    });
}

struct Never;
impl Unsealer for Never {
    fn unseal(&self, _: &Brought<'_>) -> Result<Unsealing, Fault> {
        Err(Fault::new(Code::UnsealFailed, "Never."))
    }
}
struct Counting(std::sync::atomic::AtomicU8);
impl Random for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    }
}

fn sealed() -> Appliance {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at_seconds(1_790_000_000));
    Appliance::sealed(Arc::new(Never), clock, Arc::new(Counting(0.into())))
}

fn ask(address: SocketAddr, path: &str) -> String {
    ask_with(address, "GET", path, "")
}

fn ask_with(address: SocketAddr, method: &str, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_server_on_a_socket_starts_answers_and_stops() {
    let mut config = ServerConfig::new("127.0.0.1:0".parse().unwrap(), None);
    config.rate = Some(RateLimit { per_second: 1, burst: 3, spare_loopback: false });
    config.workers = Some(1);
    let server = serve(config, sealed()).unwrap();
    let address = server.address();
    assert_eq!(server.url(), format!("http://{address}"));
    assert!(ask(address, "/healthz").starts_with("HTTP/1.1 200"));
    let refused = ask(address, "/api/v1/session");
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("\"code\":\"sealed\""), "{refused}");
    let announced = ask_with(
        address,
        "POST",
        "/api/v1/system/unseal",
        "Content-Type: application/json\r\nContent-Length: 99999999\r\n",
    );
    assert!(announced.starts_with("HTTP/1.1 413"), "refused before it is sent: {announced}");
    let flood = ask(address, "/healthz");
    assert!(flood.starts_with("HTTP/1.1 429") && flood.to_lowercase().contains("retry-after"), "{flood}");
    assert!(!server.is_finished());
    server.stop().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

/// Each person behind a proxy of the site has a limit of their own; who is no proxy cannot choose an address.
#[test]
fn a_proxy_of_the_site_says_for_whom_it_asks() {
    let statuses = |proxies: &[&str], from: &[&str]| -> Vec<String> {
        let mut config = ServerConfig::new("127.0.0.1:0".parse().unwrap(), None);
        config.rate = Some(RateLimit { per_second: 1, burst: 1, spare_loopback: false });
        config.proxies = Proxies::new(proxies.iter().map(|text| Proxies::network(text).unwrap()).collect());
        let server = serve(config, sealed()).unwrap();
        let ask = |from: &&str| ask_with(server.address(), "GET", "/healthz", &format!("X-Forwarded-For: {from}\r\n"));
        let answers = from.iter().map(ask).map(|text| text.get(9..12).unwrap_or_default().to_owned()).collect();
        server.stop().unwrap();
        answers
    };
    let three = ["198.51.100.1", "198.51.100.2", "198.51.100.1"];
    assert_eq!(statuses(&["127.0.0.1"], &three), ["200", "200", "429"]);
    assert_eq!(statuses(&["10.0.0.5"], &three), ["200", "429", "429"]);
}

#[test]
fn plain_http_stays_on_the_machine() {
    let config = ServerConfig::new("0.0.0.0:0".parse().unwrap(), None);
    assert!(matches!(serve(config, sealed()), Err(ServeError::PlainHttp)));
}
