//! Several nodes on one database behind a real HAProxy, each on a machine of its own: restarted one after another, killed, cut off
//! from the database. What was answered is there, and the log of each verifies.

use crate::spaces::Space;
use crate::support::*;
use kernel::{Clock, SystemClock};
use serde_json::{Value, json};
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// People who work at the same time.
const WORKERS: usize = 4;
const PORT: u16 = 8443;

/// An appliance of two nodes, each on its machine, with HAProxy before them.
struct House {
    place: Place,
    database: testkit::OwnServer,
    spaces: [Space; 2],
    dirs: [PathBuf; 2],
    seller: Value,
    proxy: Option<(Child, u16)>,
}

impl House {
    fn make() -> Option<Self> {
        let spaces = Space::several::<2>()?;
        if Command::new("haproxy").arg("-v").output().is_err() {
            assert!(std::env::var_os("CI").is_none(), "no HAProxy for the tests (Debian: haproxy)");
            println!("SKIPPED: no HAProxy on this machine (Debian: haproxy)");
            return None;
        }
        let (place, database) = (Place::new(), testkit::OwnServer::start());
        let dirs = [place.dir(), place.path("second")];
        let url = place.secret("database-url", &database.url);
        let dir = dirs[0].to_str().unwrap().to_owned();
        let on = ["--database-url-file", url.to_str().unwrap(), "--database-ca-file", database.ca.to_str().unwrap()];
        let demo = ["demo", "--dir", &dir, "--listen", "127.0.0.1:0", "--json"];
        let server = Server::start(place.command(&[demo.as_slice(), &on].concat()), false);
        let said: Value = serde_json::from_str(&server.line_with("{")).unwrap();
        assert_eq!(server.stop(), 0);
        let users = said["users"].as_array().unwrap();
        let seller = users.iter().find(|user| user["roles"] == json!(["seller"])).unwrap();
        let seller = json!({"login": seller["login"], "password": seller["password"]});
        let house = Self { place, database, spaces, dirs, seller, proxy: None };
        house.configure();
        Some(house)
    }

    /// One folder becomes two nodes.
    fn configure(&self) {
        let [one, two] = self.dirs.each_ref().map(|dir| dir.to_str().unwrap());
        let (config, files) = (self.dirs[0].join("kontor.toml"), self.place.path("files"));
        fs::rename(self.dirs[0].join("data/files"), &files).unwrap();
        let text = fs::read_to_string(&config).unwrap();
        let listen = |space: &Space| format!("{}:{PORT}", space.address);
        let line = |text: &str, key: &str, value: &str| -> String {
            let is_own = |line: &&str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
            let first = text.lines().position(|line| is_own(&line)).unwrap();
            let lines = text
                .lines()
                .enumerate()
                .map(|(at, line)| if at == first { format!("{key} = {value}\n") } else { format!("{line}\n") });
            lines.collect()
        };
        let text = line(&text, "node", "\"one\"");
        let text = line(&text, "listen", &format!("{:?}", listen(&self.spaces[0])));
        let text = line(&text, "drain_seconds", "3");
        let text = line(&text, "folder", &format!("{:?}", files.to_str().unwrap()));
        fs::write(&config, text).unwrap();
        let kit = self.place.path("kit");
        let key = self.dirs[0].join("keys/unseal.key");
        self.place.run(&["node", "kit", "--dir", one, kit.to_str().unwrap()]).ended(0);
        let listen = listen(&self.spaces[1]);
        let join = ["node", "join", "--kit", kit.to_str().unwrap(), "--dir", two, "--node", "two", "--listen", &listen];
        let with = ["--key-file", key.to_str().unwrap()];
        self.place.run(&[join.as_slice(), &with].concat()).ended(0).says("its log is up to date");
        // Each reaches the database over its own wire; the name in the certificate stays the one of the server.
        let port: u16 = self.database.url.rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap();
        for (number, space) in self.spaces.iter().enumerate() {
            let near = space.reach((Ipv4Addr::LOCALHOST, port).into());
            let url = self.database.url.replace(&format!("127.0.0.1:{port}"), &format!("localhost:{near}"));
            let url = self.place.secret(&format!("url-{number}"), &format!("{url}?hostaddr={}", space.ours));
            let config = self.dirs[number].join("kontor.toml");
            let text = fs::read_to_string(&config).unwrap();
            fs::write(&config, line(&text, "url_file", &format!("{:?}", url.to_str().unwrap()))).unwrap();
        }
    }

    fn serve(&self, number: usize) -> Server {
        let serve = self.place.command(&["serve", "--dir", self.dirs[number].to_str().unwrap()]);
        let server = Server::start(self.spaces[number].command(&serve), true);
        server.line_with("serving");
        server
    }

    /// The example of the guide, with the addresses of this test.
    fn start_proxy(&mut self) {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/examples/haproxy.cfg");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = fs::read_to_string(example).unwrap();
        let text = text
            .replace("/etc/haproxy/kontor-ca.pem", self.dirs[0].join("tls/ca.pem").to_str().unwrap())
            .replace("    log /dev/log local0\n", "")
            .replace("maxconn 4000", "maxconn 200")
            .replace("bind :443", &format!("bind 127.0.0.1:{port}"))
            .replace("192.0.2.11:443", &format!("{}:{PORT}", self.spaces[0].address))
            .replace("192.0.2.12:443", &format!("{}:{PORT}", self.spaces[1].address));
        let config = self.place.path("haproxy.cfg");
        fs::write(&config, text).unwrap();
        let checked = Command::new("haproxy").args(["-c", "-f"]).arg(&config).output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        let mut proxy = Command::new("haproxy");
        let proxy = proxy.args(["-db", "-f"]).arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.proxy = Some((proxy, port));
    }

    /// Through the proxy, or to one node past it.
    fn url(&self, node: Option<usize>) -> String {
        match node {
            None => format!("https://localhost:{}", self.proxy.as_ref().unwrap().1),
            Some(number) => format!("https://{}:{PORT}", self.spaces[number].address),
        }
    }
    fn client(&self) -> ureq::Agent {
        client(&self.dirs[0].join("tls/ca.pem"))
    }

    fn verify(&self) {
        for dir in &self.dirs {
            let verified = self.place.run(&["audit", "verify", "--dir", dir.to_str().unwrap(), "--level", "4"]);
            verified.ended(0).says("The log is sound");
        }
    }

    /// The node that signs the log.
    fn signs(&self) -> Option<usize> {
        let listed = self.place.run(&["node", "list", "--dir", self.dirs[0].to_str().unwrap(), "--json"]);
        let nodes: Value = serde_json::from_str(&listed.out).ok()?;
        let signs = |node: &&Value| node["tasks"].as_array().is_some_and(|tasks| tasks.contains(&json!("sealing")));
        let name = nodes.as_array()?.iter().find(signs)?["name"].as_str()?;
        ["one", "two"].iter().position(|known| *known == name)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some((proxy, _)) = &mut self.proxy {
            let _ = proxy.kill();
            let _ = proxy.wait();
        }
    }
}

/// What people did while something happened.
#[derive(Default)]
struct Work {
    made: Vec<String>,
    reads: usize,
    failures: Vec<String>,
}

/// Somebody who makes accounts and reads them again, without a second attempt.
struct Person {
    agent: ureq::Agent,
    url: String,
    cookie: String,
    csrf: String,
}

impl Person {
    fn sign_in(house: &House) -> Self {
        let (agent, url) = (house.client(), house.url(None));
        let response = agent.post(format!("{url}/api/v1/session")).send_json(&house.seller).unwrap();
        let cookie =
            response.headers().get("set-cookie").unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
        let (status, body) = answer(Ok(response));
        assert_eq!(status, 200, "{body}");
        Self { agent, url, cookie, csrf: body["csrf"].as_str().unwrap().to_owned() }
    }
    fn make(&self, name: &str) -> Result<String, String> {
        let post = self.agent.post(format!("{}/api/v1/records/account", self.url));
        let sent =
            post.header("cookie", &self.cookie).header("x-csrf-token", &self.csrf).send_json(json!({"name": name}));
        let mut response = sent.map_err(|error| error.to_string())?;
        let text = response.body_mut().read_to_string().map_err(|error| error.to_string())?;
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        if response.status() == 201 { Ok(body["id"].as_str().unwrap().to_owned()) } else { Err(text) }
    }
    fn read(&self, id: &str) -> Result<(), String> {
        let get = self.agent.get(format!("{}/api/v1/records/account/{id}", self.url)).header("cookie", &self.cookie);
        let mut response = get.call().map_err(|error| error.to_string())?;
        let text = response.body_mut().read_to_string().map_err(|error| error.to_string())?;
        if response.status() == 200 { Ok(()) } else { Err(text) }
    }
    fn work(&self, number: usize, done: &AtomicBool) -> Work {
        let mut work = Work::default();
        while !done.load(Ordering::Relaxed) {
            match self.make(&format!("Under load {number} {}", work.made.len())) {
                Ok(id) => {
                    match self.read(&id) {
                        Ok(()) => work.reads += 1,
                        Err(told) => work.failures.push(format!("read: {told}")),
                    }
                    work.made.push(id);
                }
                Err(told) => {
                    work.failures.push(format!("make: {told}"));
                    std::thread::park_timeout(Duration::from_millis(20));
                }
            }
        }
        work
    }
    fn all_there(&self, work: &Work) {
        let lost: Vec<&String> = work.made.iter().filter(|id| self.read(id).is_err()).collect();
        assert!(lost.is_empty(), "{} of {} answered records are not there", lost.len(), work.made.len());
    }
}

/// People work while something happens.
fn under_load(house: &House, happens: impl FnOnce()) -> Work {
    let done = AtomicBool::new(false);
    let mut all = Work::default();
    // Before anything happens; whoever is signed in is so on every node.
    let people: Vec<Person> = (0..WORKERS).map(|_| Person::sign_in(house)).collect();
    std::thread::scope(|scope| {
        let done = &done;
        let spawn = |(number, person): (usize, Person)| scope.spawn(move || person.work(number, done));
        let people: Vec<_> = people.into_iter().enumerate().map(spawn).collect();
        happens();
        done.store(true, Ordering::Relaxed);
        for person in people {
            let Work { made, reads, failures } = person.join().unwrap();
            all.made.extend(made);
            all.reads += reads;
            all.failures.extend(failures);
        }
    });
    all
}

#[test]
fn nodes_are_restarted_killed_and_cut_off_and_nothing_is_lost() {
    let Some(mut house) = House::make() else { return };
    let mut nodes = [Some(house.serve(0)), Some(house.serve(1))];
    house.start_proxy();
    let clock = SystemClock::start();
    while answer_of(&house) != Some(200) {
        assert!(clock.monotonic() < PATIENCE, "HAProxy never found a node");
    }
    // One after another, in order: nobody notices.
    let work = under_load(&house, || {
        for (number, node) in nodes.iter_mut().enumerate() {
            assert_eq!(node.take().unwrap().stop(), 0);
            *node = Some(house.serve(number));
            wait_up(&house, number);
        }
    });
    println!("rolling restart: {} made, {} read, {} failed", work.made.len(), work.reads, work.failures.len());
    assert!(work.failures.is_empty() && work.made.len() > 20, "{:?}", &work.failures[..work.failures.len().min(5)]);
    Person::sign_in(&house).all_there(&work);
    // The one that signs the log is killed: what was answered is there, the other signs on.
    let signs = house.signs().expect("a node that signs");
    let other = 1 - signs;
    let work = under_load(&house, || {
        drop(nodes[signs].take());
        nodes[other].as_ref().unwrap().line_with("this node signs the log");
    });
    println!("killed: {} made, {} read, {} failed", work.made.len(), work.reads, work.failures.len());
    Person::sign_in(&house).all_there(&work);
    nodes[signs] = Some(house.serve(signs));
    wait_up(&house, signs);
    // Its wire is cut: it is no holder any more, whatever it believes, and takes its place as another when the wire is mended.
    let signs = house.signs().expect("a node that signs");
    let other = 1 - signs;
    house.spaces[signs].cut();
    nodes[other].as_ref().unwrap().line_with("this node signs the log");
    let work = under_load(&house, || std::thread::park_timeout(Duration::from_secs(2)));
    assert!(!work.made.is_empty());
    Person::sign_in(&house).all_there(&work);
    house.spaces[signs].mend();
    wait_up(&house, signs);
    assert_eq!(house.signs(), Some(other), "the one that was cut off does not sign");
    // The database is restarted under both.
    house.database.down();
    house.database.up();
    (0..2).for_each(|number| wait_up(&house, number));
    let person = Person::sign_in(&house);
    person.read(&person.make("After all").unwrap()).unwrap();
    for node in nodes.iter_mut() {
        assert_eq!(node.take().unwrap().stop(), 0);
    }
    house.verify();
}

#[test]
fn who_is_no_node_any_more_serves_nobody() {
    let (place, database) = (Place::new(), testkit::OwnServer::start());
    place.init_on(&database.url, &database.ca).ended(0);
    let serve = || Server::start(place.command(&["serve", "--dir", place.dir().to_str().unwrap()]), true);
    let server = serve();
    server.line_with("serving");
    database.sql("DELETE FROM k_node");
    server.line_with("no node of the appliance any more");
    assert_eq!(server.ended(), 2);
    // Started again it takes its place anew.
    let server = serve();
    server.line_with("serving");
    assert_eq!(server.stop(), 0);
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

fn answer_of(house: &House) -> Option<u16> {
    let response = house.client().get(format!("{}/readyz", house.url(None))).call();
    response.ok().map(|response| response.status().as_u16())
}

/// Waits until a node is ready and HAProxy has seen it twice.
fn wait_up(house: &House, number: usize) {
    let clock = SystemClock::start();
    let tls = ureq::tls::TlsConfig::builder().disable_verification(true).build();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(5)))
        .build()
        .into();
    // Past the proxy the certificate has no name for this address.
    let ready =
        || agent.get(format!("{}/readyz", house.url(Some(number)))).call().is_ok_and(|there| there.status() == 200);
    while !ready() {
        assert!(clock.monotonic() < PATIENCE, "node {number} is not ready");
        std::thread::park_timeout(Duration::from_millis(100));
    }
    std::thread::park_timeout(Duration::from_millis(1_500));
}
