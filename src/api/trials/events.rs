//! The stream of events on a real socket: begins, tells, ends with its session and with the server.

use super::site::{Site, Who};
use crate::server::{Handle, ServerConfig, serve};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use testkit::on_both_engines;

struct Reader {
    stream: TcpStream,
    text: String,
}

impl Reader {
    fn open(server: &Handle, who: &Who, more: &str) -> Self {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(9))).unwrap();
        // Without TLS the cookie has its plain name.
        let cookie = who.cookie.as_deref().unwrap_or_default().replace("__Host-", "");
        write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n{more}\r\n").unwrap();
        Self { stream, text: String::new() }
    }
    /// Reads until these words have come; what came with them stays readable.
    fn until(&mut self, words: &str) -> &str {
        let mut buffer = [0; 4096];
        while !self.text.contains(words) {
            let count = self.stream.read(&mut buffer).unwrap_or_else(|error| panic!("{error}: {}", self.text));
            assert!(count > 0, "the stream ended before {words}: {}", self.text);
            self.text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
        &self.text
    }
    fn drained(mut self) -> String {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).unwrap();
        self.text + &String::from_utf8_lossy(&rest)
    }
}

#[test]
fn a_stream_tells_resumes_and_ends() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (anna_id, anna) = site.signed_in("anna", &["seller"], None);
        let (_, ben) = site.signed_in("ben", &["seller"], None);
        let server = serve(ServerConfig::new("127.0.0.1:0".parse().unwrap(), None), site.appliance.clone()).unwrap();
        let mut hers = Reader::open(&server, &anna, "");
        let head = hers.until("event: hello").to_lowercase();
        assert!(head.contains("content-type: text/event-stream") && head.contains("x-accel-buffering: no"), "{head}");
        let mut his = Reader::open(&server, &ben, "");
        his.until("event: hello");
        let id = kontor.make("account", json!({"name": "Secretname", "owner": anna_id}));
        let data = format!("data: {{\"object\":\"account\",\"id\":\"{id}\",\"version\":1,\"verb\":\"create\"}}");
        let told = hers.until(&data).to_owned();
        assert!(!told.contains("Secretname"));
        let start = told.split("\nid: ").nth(1).and_then(|text| text.split('\n').next()).unwrap();
        let mut again = Reader::open(&server, &anna, &format!("Last-Event-ID: {start}\r\n"));
        again.until(&data);
        let wrong = Reader::open(&server, &anna, "Last-Event-ID: x\r\nConnection: close\r\n").drained();
        assert!(wrong.starts_with("HTTP/1.1 400"), "{wrong}");

        site.send("DELETE", "/api/v1/session", &anna, &[], None);
        kontor.make("account", json!({"name": "After", "owner": anna_id}));
        let text = hers.until("event: end").to_owned();
        assert_eq!(text.matches("event: change").count(), 1, "nothing after the end of the session: {text}");
        assert!(!his.text.contains("event: change"), "another's records are not told");

        server.stop().unwrap();
        assert!(!his.drained().contains("event: change"), "the stop of the server ends streams");
    });
}

#[test]
fn presence_over_http() {
    on_both_engines(|kontor| {
        let site = Site::open(kontor);
        let (anna_id, anna) = site.signed_in("anna", &["seller"], None);
        let (_, ben) = site.signed_in("ben", &["seller"], None);
        let id = kontor.make("account", json!({"name": "A", "owner": anna_id}));
        let path = format!("/api/v1/records/account/{id}/presence");
        let send = |method: &str, who: &Who| site.send(method, &path, who, &[], None);
        assert_eq!(send("POST", &anna).good()["users"], json!([anna_id]));
        assert_eq!(send("POST", &ben).code(), "record_not_found");
        assert_eq!(send("DELETE", &anna).good(), json!({"moved": true}));
        assert_eq!(send("DELETE", &anna).good(), json!({"moved": false}));
    });
}
