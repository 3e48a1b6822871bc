//! Figures for a monitoring system: who sees them, what they hold, that a real Prometheus takes them, and that its own tool takes the
//! rules that come with the appliance.

use crate::support::*;
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/prometheus.sh");
const MONITORING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/monitoring");
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Ends the Prometheus of a folder.
struct Ending<'a>(&'a str);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        prometheus(&["stop", self.0]);
    }
}

/// Runs the script; `None` where Prometheus cannot be had, which is said.
fn prometheus(arguments: &[&str]) -> Option<Ran> {
    // A pipe of its children would keep this one waiting.
    let ran = Ran::of(Command::new(SCRIPT).args(arguments).output().unwrap());
    if ran.code == 3 {
        assert!(std::env::var_os("CI").is_none(), "{}", ran.err);
        eprintln!("SKIPPED: {}", ran.err);
        return None;
    }
    Some(ran)
}

fn with_token(place: &Place) {
    let token = place.secret("token", TOKEN);
    let path = place.dir().join("kontor.toml");
    let text =
        fs::read_to_string(&path).unwrap().replace("[metrics]\n", &format!("[metrics]\ntoken_file = {token:?}\n"));
    fs::write(path, text).unwrap();
}

fn serve(place: &Place) -> (Server, String) {
    let server = Server::start(place.command(&["serve", "--dir", place.dir().to_str().unwrap()]), true);
    let url = url_in(&server.line_with("serving"));
    (server, url)
}

fn ask(place: &Place, url: &str, token: Option<&str>) -> (u16, String) {
    let agent = client(&place.dir().join("tls/ca.pem"));
    let mut request = agent.get(format!("{url}/metrics"));
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let mut response = request.call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

#[test]
fn figures_are_told_to_who_shows_the_token_and_to_nobody_else() {
    let place = Place::new();
    place.init().ended(0);
    let (server, url) = serve(&place);
    assert_eq!(ask(&place, &url, Some(TOKEN)).0, 404, "switched off");
    assert_eq!(server.stop(), 0);
    with_token(&place);
    let (server, url) = serve(&place);
    for wrong in [None, Some("0"), Some("0123456789abcdef0123456789abcdeX"), Some("0123456789abcdef0123456789abcdef0")]
    {
        assert_eq!(ask(&place, &url, wrong).0, 401, "{wrong:?}");
    }
    let (status, page) = ask(&place, &url, Some(TOKEN));
    assert_eq!(status, 200);
    for line in [
        "kontor_open 1",
        "kontor_check_ok{check=\"database\",state=\"database_answers\"} 1",
        "kontor_http_requests_total{route=\"/metrics\",method=\"GET\",status=\"4xx\"} 4",
        "kontor_http_request_duration_seconds_bucket{route=\"/metrics\",method=\"GET\",le=\"+Inf\"} 4",
        "kontor_backup_proven_timestamp_seconds 0",
        "# TYPE process_cpu_seconds_total counter",
        "kontor_certificate_days 39",
    ] {
        assert!(page.contains(line), "{line} in {page}");
    }
    for (name, least) in
        [("process_resident_memory_bytes ", 1e6), ("kontor_disk_free_bytes ", 1e6), ("process_open_fds ", 5.0)]
    {
        let line = page.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name} in {page}"));
        assert!(line.parse::<f64>().unwrap() > least, "{name}{line}");
    }
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_sealed_appliance_says_that_it_is() {
    let place = Place::new();
    place.init_sealed().ended(0);
    with_token(&place);
    let (server, url) = serve(&place);
    let (status, page) = ask(&place, &url, Some(TOKEN));
    assert!(status == 200 && page.contains("kontor_open 0") && !page.contains("kontor_check_ok{"), "{page}");
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_real_prometheus_takes_figures_and_rules_and_the_dashboard_asks_for_figures_that_there_are() {
    let place = Place::new();
    let folder = place.path("prometheus");
    let folder = folder.to_str().unwrap();
    let rules = format!("{MONITORING}/kontor-alerts.yml");
    let Some(checked) = prometheus(&["check", folder, &rules]) else { return };
    checked.ended(0).says("SUCCESS");
    place.init().ended(0);
    with_token(&place);
    let (server, url) = serve(&place);
    let ca = place.dir().join("tls/ca.pem");
    let address = url.trim_start_matches("https://");
    let config = format!(
        "global: {{scrape_interval: 1s}}\nrule_files: [{rules:?}]\nscrape_configs:\n- job_name: kontor\n  scheme: https\n  \
         authorization: {{credentials: {TOKEN}}}\n  tls_config: {{ca_file: {ca:?}}}\n  static_configs: [{{targets: [{address:?}]}}]\n"
    );
    let path = place.path("prometheus.yml");
    fs::write(&path, config).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    prometheus(&["start", folder, path.to_str().unwrap(), &port.to_string()]).unwrap().ended(0);
    let _ending = Ending(folder);
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).http_status_as_error(false).build().into();
    let told = |query: &str| -> Option<Value> {
        let answer = agent.get(format!("http://127.0.0.1:{port}/api/v1/query")).query("query", query).call();
        let text = answer.ok()?.body_mut().read_to_string().ok()?;
        let answer: Value = serde_json::from_str(&text).ok()?;
        answer.pointer("/data/result/0/value/1").cloned()
    };
    let mut turns = 0;
    // What is counted of requests is there from the second time on.
    while told("up{job=\"kontor\"}") != Some(Value::from("1")) || told("kontor_http_requests_total").is_none() {
        turns += 1;
        assert!(turns < 600, "it was never scraped: {}", fs::read_to_string(format!("{folder}/log")).unwrap());
        std::thread::park_timeout(Duration::from_millis(100));
    }
    // Every figure that the dashboard and the rules name is one that Prometheus has, or one of shipping, mail and alarms.
    let named = fs::read_to_string(format!("{MONITORING}/kontor-dashboard.json")).unwrap()
        + &fs::read_to_string(&rules).unwrap();
    let words = named.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let mut names: Vec<&str> =
        words.filter(|word| word.starts_with("kontor_") || word.starts_with("process_")).collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let absent =
            ["kontor_ship_lag_seconds", "kontor_audit_entries_stuck", "kontor_backup_newest_timestamp_seconds"];
        assert!(absent.contains(&name) || told(name).is_some(), "Prometheus has no {name}");
    }
    assert_eq!(server.stop(), 0);
}
