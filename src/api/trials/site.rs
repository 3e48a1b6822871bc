//! A whole appliance behind the server's own handlers, without a socket: requests in, answers out. Every good JSON answer
//! is held against the API description, so what is described and what is sent cannot drift apart.

use super::picks::Sets;
use crate::appliance::{Appliance, Brought, Check, Health, Open, SharesGiven, Unsealer, Unsealing};
use crate::backups::{
    BackupOrder, Backups, BackupsView, DrillCheck, DrillView, KeepView, RunningView, SetFile, SetLine, SetTable,
    SetView, ShippedView, TargetView, TestStep, TestView,
};
use crate::call::Site as Shared;
use crate::dispatch;
use crate::openapi::{document, shipped_objects};
use crate::route::{self, Gives};
use crate::router::Router;
use crate::wire::Cookie;
use actix_web::{App, http::StatusCode, rt::System, test};
use identity::{Identity, Ports};
use kernel::{Clock, Code, Fault, RecordId, Timestamp};
use records::{SampleSource, SampleStep};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use store::DirectoryPorts;
use testkit::TestAppliance;

pub(super) const PASSWORD: &str = "correct horse battery 7";

static DESCRIPTION: LazyLock<Json> = LazyLock::new(|| document(&shipped_objects()));

struct Well;
impl Health for Well {
    fn checks(&self) -> Vec<Check> {
        vec![Check {
            name: "database",
            ok: true,
            state: "database_answers",
            figures: BTreeMap::new(),
            detail: "answers".to_owned(),
            serves: true,
        }]
    }
}

/// A sample of one customer.
struct Few;
impl SampleSource for Few {
    fn steps(&self, records: &records::Records) -> Result<Vec<SampleStep>, Fault> {
        let object = Arc::clone(records.catalog().object("account").expect("accounts"));
        let fields = json!({"name": "Koggen Muster"}).as_object().cloned().unwrap_or_default();
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().expect("an id");
        let created_at = kernel::Timestamp::from_micros(0);
        Ok(vec![SampleStep::Create { object, id, fields, links: Vec::new(), created_at }])
    }
}

/// Backups of which one is made, and whose work is never over.
#[derive(Default)]
struct Made(Mutex<Option<bool>>);
impl Made {
    fn line(&self) -> SetLine {
        SetLine {
            sequence: 1,
            target: "disk".to_owned(),
            name: "set-00000001-20260301T021500Z".to_owned(),
            state: "verified".to_owned(),
            made_at: Timestamp::from_micros(0),
            bytes: 1,
            verified_at: Some(Timestamp::from_micros(1)),
            proven_at: None,
            pinned: *self.0.lock().unwrap() == Some(true),
            detail: String::new(),
            plan: Some("keep"),
            reason: Some("newest"),
            goes_at: None,
        }
    }
}
impl Backups for Made {
    fn show(&self) -> Result<BackupsView, Fault> {
        let check = DrillCheck { check: "log".to_owned(), ok: true, detail: String::new(), millis: 1 };
        let at = Timestamp::from_micros(2);
        let shipped = ShippedView { sync: true, rpo_seconds: 0, trouble: None };
        Ok(BackupsView {
            schedule: Some("15 2 * * *".to_owned()),
            drill: None,
            next_at: Some(at),
            own_key: true,
            recipients: 0,
            keep: KeepView { daily: 7, weekly: 4, monthly: 12, yearly: 7, at_least: 3, delay_hours: 72 },
            steady: true,
            targets: vec![TargetView {
                name: "disk".to_owned(),
                place: "/mnt/disk".to_owned(),
                late: false,
                shipped: Some(shipped),
            }],
            sets: vec![self.line()],
            drills: vec![DrillView {
                at,
                sequence: 1,
                target: "disk".to_owned(),
                ok: true,
                millis: 9,
                checks: vec![check],
            }],
            window_days: Some(7),
            running: Some(RunningView { what: "make", since: at, done: 1, total: 2 }),
        })
    }
    fn set(&self, sequence: u64, target: &str) -> Result<SetView, Fault> {
        if (sequence, target) != (1, "disk") {
            return Err(Fault::new(Code::RecordNotFound, "There is no such set."));
        }
        let file = SetFile { name: "database.tar.zst.age".to_owned(), bytes: 1, sha256: "00".to_owned() };
        Ok(SetView {
            line: self.line(),
            place: "/mnt/disk/a/set".to_owned(),
            folder: true,
            made_by: "0.1.0".to_owned(),
            holds_bytes: 1,
            files: vec![file],
            tables: vec![SetTable { table: "account".to_owned(), then: 1, now: 2 }],
            log_then: 3,
            log_now: 4,
        })
    }
    fn begin(&self, _: &Arc<identity::Actor>, order: BackupOrder) -> Result<(), Fault> {
        let busy = Fault::new(Code::Unavailable, "A backup or drill is under way.");
        if matches!(order, BackupOrder::Make(_)) { Ok(()) } else { Err(busy) }
    }
    fn stop(&self) -> bool {
        true
    }
    fn test(&self, target: &str) -> Result<TestView, Fault> {
        let steps = vec![TestStep { step: "write", ok: false, detail: Some("no space".to_owned()) }];
        Ok(TestView { target: target.to_owned(), ok: false, steps })
    }
    fn pin(&self, _: &identity::Actor, sequence: u64, target: &str, pinned: bool) -> Result<(), Fault> {
        self.set(sequence, target)?;
        *self.0.lock().unwrap() = Some(pinned);
        Ok(())
    }
}

/// Opens with one passphrase, or with the share `second` once `first` was given.
struct Key(TestServices);
impl Unsealer for Key {
    fn unseal(&self, brought: &Brought<'_>) -> Result<Unsealing, Fault> {
        match brought {
            Brought::Passphrase(PASSWORD) => Ok(Unsealing::Open(Box::new(self.0.open()), String::new())),
            Brought::Share("first", _) => {
                let given = SharesGiven { set: 7, given: vec![1], needed: 2, forgotten_after_seconds: 900 };
                Ok(Unsealing::Waiting(given))
            }
            Brought::Share("second", from) => {
                Ok(Unsealing::Open(Box::new(self.0.open()), format!("recovery shares 1, 2; {from:?}")))
            }
            _ => Err(Fault::new(Code::UnsealFailed, "That does not open it.")),
        }
    }
}

#[derive(Clone)]
struct TestServices {
    records: records::Records,
    imports: transfer::Imports,
    exports: transfer::Exports,
    identity: Arc<Identity>,
    picks: Arc<Sets>,
}
impl TestServices {
    fn open(&self) -> Open {
        Open {
            records: self.records.clone(),
            imports: self.imports.clone(),
            exports: self.exports.clone(),
            identity: Arc::clone(&self.identity),
            health: Arc::new(Well),
            backups: Arc::<Made>::default(),
            picks: Arc::<Sets>::clone(&self.picks),
            sample: Arc::new(Few),
        }
    }
}

/// An appliance and its server.
pub(super) struct Site<'k> {
    pub(super) kontor: &'k TestAppliance,
    pub(super) identity: Arc<Identity>,
    pub(super) appliance: Appliance,
    shared: Arc<Shared>,
    pub(super) picks: Arc<Sets>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
    pub(super) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or(Json::Null)
    }
    /// The body of an answer that must be good.
    #[track_caller]
    pub(super) fn good(self) -> Json {
        assert!(self.status < 300, "{} {}", self.status, self.json());
        self.json()
    }
    /// The code of an answer that must be a problem.
    #[track_caller]
    pub(super) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{} {}", self.status, self.json());
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"));
        problem["code"].as_str().unwrap().to_owned()
    }
}

/// How somebody shows who they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Who {
    pub(super) cookie: Option<String>,
    pub(super) csrf: Option<String>,
    pub(super) token: Option<String>,
}

impl<'k> Site<'k> {
    pub(super) fn sealed(kontor: &'k TestAppliance) -> Self {
        let store = Arc::new(DirectoryPorts(Arc::clone(&kontor.store)));
        let ports = Ports {
            users: Arc::<DirectoryPorts>::clone(&store),
            sessions: Arc::<DirectoryPorts>::clone(&store),
            tokens: store,
        };
        let clock: Arc<dyn Clock> = Arc::<kernel::ManualClock>::clone(&kontor.clock);
        let random = Arc::clone(kontor.store.random());
        let identity = Arc::new(Identity::new(ports, Arc::clone(&clock), Arc::clone(&random)));
        let imports = transfer::Imports::new(kontor.records.clone(), Arc::clone(&kontor.store));
        let exports = transfer::Exports::new(kontor.records.clone(), Arc::clone(&kontor.store));
        let (records, identity_too, picks) = (kontor.records.clone(), Arc::clone(&identity), Arc::<Sets>::default());
        let services = TestServices { records, imports, exports, identity: identity_too, picks: Arc::clone(&picks) };
        let appliance = Appliance::sealed(Arc::new(Key(services)), clock, random);
        let shared = Arc::new(Shared {
            meter: crate::meter::Meter::new(),
            metrics: None,
            appliance: appliance.clone(),
            rates: None,
            proxies: Default::default(),
            cookie: Cookie { secure: true },
            looks: Default::default(),
            checks: Default::default(),
        });
        Self { kontor, identity, appliance, shared, picks }
    }

    pub(super) fn open(kontor: &'k TestAppliance) -> Self {
        let site = Self::sealed(kontor);
        site.appliance.unseal(&Brought::Passphrase(PASSWORD), None).unwrap();
        site
    }

    /// A user with a password, signed in.
    pub(super) fn signed_in(&self, login: &str, roles: &[&str], unit: Option<RecordId>) -> (RecordId, Who) {
        let user = self.kontor.user(login, roles, unit);
        self.identity.password_set(user, PASSWORD, identity::PasswordOrigin::Own).unwrap();
        (user, self.sign_in(login))
    }

    pub(super) fn sign_in(&self, login: &str) -> Who {
        let reply = self.send(
            "POST",
            "/api/v1/session",
            &Who::default(),
            &[],
            Some(json!({"login": login, "password": PASSWORD})),
        );
        let cookie = reply.header("set-cookie").and_then(|line| line.split(';').next()).map(str::to_owned);
        let csrf = reply.good()["csrf"].as_str().map(str::to_owned);
        Who { cookie, csrf, token: None }
    }

    pub(super) fn get(&self, path: &str, who: &Who) -> Reply {
        self.send("GET", path, who, &[], None)
    }
    pub(super) fn post(&self, path: &str, who: &Who, body: Json) -> Reply {
        self.send("POST", path, who, &[], Some(body))
    }

    /// Sends a request as a browser or program would.
    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        who: &Who,
        headers: &[(&str, &str)],
        body: Option<Json>,
    ) -> Reply {
        let mut headers = headers.to_vec();
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.send_bytes(method, path, who, &headers, body)
    }

    /// The same with any body.
    pub(super) fn send_bytes(
        &self,
        method: &str,
        path: &str,
        who: &Who,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Reply {
        let mut all: Vec<(&str, String)> = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        all.extend(who.cookie.iter().map(|cookie| ("cookie", cookie.clone())));
        all.extend(who.csrf.iter().map(|csrf| ("x-csrf-token", csrf.clone())));
        all.extend(who.token.iter().map(|token| ("authorization", format!("Bearer {token}"))));
        let reply = self.raw(method, path, &all, body);
        if (200..300).contains(&reply.status) && method != "HEAD" {
            described(method, path, &reply);
        }
        reply
    }

    pub(super) fn raw(&self, method: &str, path: &str, headers: &[(&str, String)], body: Vec<u8>) -> Reply {
        let shared = Arc::clone(&self.shared);
        let router = Arc::new(Router::new(route::all()).expect("no two addresses clash"));
        System::new().block_on(async move {
            let app = App::new().configure(|config| dispatch::configure(config, &shared, &router));
            let service = test::init_service(app).await;
            let mut request = test::TestRequest::with_uri(path)
                .method(method.parse().unwrap())
                .peer_addr("192.0.2.7:4711".parse().unwrap());
            for (name, value) in headers {
                request = request.append_header((*name, value.as_str()));
            }
            let response = test::call_service(&service, request.set_payload(body).to_request()).await;
            let status: StatusCode = response.status();
            let text = |value: &actix_web::http::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
            let headers =
                response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
            let body = test::read_body(response).await.to_vec();
            Reply { status: status.as_u16(), headers, body }
        })
    }
}

/// Whether an address fits a route's pattern.
fn fits(pattern: &str, path: &str) -> bool {
    if let Some((start, _)) = pattern.split_once("{path") {
        return path.starts_with(start);
    }
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len() && pattern.iter().zip(&path).all(|(one, two)| one.starts_with('{') || one == two)
}

/// Holds a good answer against the description of its route.
fn described(method: &str, path: &str, reply: &Reply) {
    let path = path.split('?').next().unwrap();
    let route = route::all().find(|route| route.verb.name() == method && fits(route.path, path)).expect("a route");
    assert_eq!(reply.status, route.status, "{method} {path}");
    let Gives::Json(schema) = route.gives else { return };
    let whole = json!({"components": DESCRIPTION["components"], "$ref": format!("#/components/schemas/{schema}")});
    let validator = jsonschema::validator_for(&whole).unwrap();
    let body = reply.json();
    let problems: Vec<String> =
        validator.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(problems.is_empty(), "{method} {path} is not as described: {problems:#?}\n{body:#}");
}
