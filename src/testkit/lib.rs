//! For tests only: a private appliance per test, on the embedded engine and on a real PostgreSQL over TLS, with a clock
//! that stands still. Never part of a release; panics with a clear sentence instead of returning errors.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests stop with a sentence instead of handing errors on"
)]

mod database;
mod postgres;
mod sealing;
mod sets;
mod short;

pub use sealing::TestSigner;
pub use short::told;

use authz::Verb;
use identity::{Actor, ActorContext, Channel, UserDirectory, memory};
use kernel::{Clock, Fault, Id, ManualClock, Random, RecordId};
use metadata::Profile;
use records::{RecordView, Records};
use serde_json::{Map, Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{DirectoryPorts, EngineConfig, PostgresUrl, SetUp, Store, StoreConfig};
use vault::{OsRandom, PassphraseCost, Secret, Vault};

/// Which engine a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite.
    Embedded,
    /// PostgreSQL.
    Server,
}

/// Runs a test on both engines, each with an appliance of its own.
pub fn on_both_engines(test: impl Fn(&TestAppliance)) {
    for engine in [Engine::Embedded, Engine::Server] {
        eprintln!("engine: {engine:?}");
        test(&TestAppliance::new(engine));
    }
}

/// Runs a test on both engines and compares what it answers: nothing may depend on the engine.
pub fn same_on_both_engines(test: impl Fn(&TestAppliance) -> Json) {
    let answers = [Engine::Embedded, Engine::Server].map(|engine| {
        eprintln!("engine: {engine:?}");
        test(&TestAppliance::new(engine))
    });
    let mut differences = Vec::new();
    differ("", &answers[0], &answers[1], &mut differences);
    assert!(differences.is_empty(), "the engines answer differently:\n{}", differences.join("\n"));
}

fn differ(place: &str, one: &Json, two: &Json, found: &mut Vec<String>) {
    match (one, two) {
        (Json::Object(one), Json::Object(two)) if one.keys().eq(two.keys()) => {
            one.iter().for_each(|(key, value)| differ(&format!("{place}/{key}"), value, &two[key], found));
        }
        _ if one == two => {}
        _ => found.push(format!("{place}: {one} and {two}")),
    }
}

/// The folder of third-party data; `None`, with a line that says so, when it is not there. In CI it must be there
/// whenever the checkout has it beside it.
pub fn shared_data() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("KONTOR_SHARED").map_or(beside, PathBuf::from).join("data");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "the third-party data is missing in CI: {}", folder.display());
    eprintln!("SKIPPED: the third-party data is not beside this checkout");
    None
}

/// An appliance without a server: store, vault and verbs in a folder of its own.
pub struct TestAppliance {
    dir: tempfile::TempDir,
    /// The engine.
    pub engine: Engine,
    /// The store.
    pub store: Arc<Store>,
    /// The verbs.
    pub records: Records,
    /// Its clock: 2026-03-02T09:00:00Z until moved.
    pub clock: Arc<ManualClock>,
}

impl TestAppliance {
    /// A fresh appliance under the standard profile.
    pub fn new(engine: Engine) -> Self {
        Self::with_profile(engine, Profile::Standard)
    }

    /// A fresh appliance under the standard profile, on a server of its own.
    pub fn on_server(server: &OwnServer) -> Self {
        let engine = EngineConfig::Postgres { url: PostgresUrl(server.url.clone()), ca_file: Some(server.ca.clone()) };
        Self::over(Engine::Server, Profile::Standard, |_| engine)
    }

    /// A fresh appliance.
    pub fn with_profile(engine: Engine, profile: Profile) -> Self {
        Self::over(engine, profile, |dir| engine_config(engine, dir))
    }

    fn over(engine: Engine, profile: Profile, place: impl FnOnce(&Path) -> EngineConfig) -> Self {
        let dir = tempfile::tempdir().expect("a scratch folder");
        let clock = Arc::new(ManualClock::at_seconds(1_772_442_000));
        let random: Arc<dyn Random> = Arc::new(OsRandom::new());
        let appliance: vault::ApplianceId = Id::generate(clock.as_ref(), random.as_ref());
        let key = Secret::key_file_create(&dir.path().join("unseal.key"), random.as_ref()).expect("a key file");
        let slots = dir.path().join("slots.json");
        let vault = Vault::create(
            slots,
            appliance,
            (&key, "test", PassphraseCost::default()),
            clock.as_ref(),
            Arc::clone(&random),
        )
        .expect("a vault");
        let config = StoreConfig {
            engine: place(dir.path()),
            readers: 2,
            log_folder: dir.path().join("log"),
            files_folder: dir.path().join("files"),
            node: "test".to_owned(),
        };
        SetUp::run(&config, profile, &appliance.to_string(), clock.as_ref()).expect("a database");
        let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let store = Arc::new(Store::open(config, Arc::new(vault), time, random).expect("an open store"));
        Self { dir, engine, records: Records::new(Arc::clone(&store)), store, clock }
    }

    /// The verbs over data that were restored elsewhere, under the same keys and clock.
    pub fn over_restored(&self, config: StoreConfig) -> (Arc<Store>, Records) {
        let (vault, clock, random) = (self.store.vault(), self.store.clock(), self.store.random());
        let store = Store::open(config, Arc::clone(vault), Arc::clone(clock), Arc::clone(random));
        let store = Arc::new(store.expect("an open store"));
        (Arc::clone(&store), Records::new(store))
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The operator at the command line.
    pub fn operator(&self) -> Arc<Actor> {
        let proof = identity::LocalOperator::assert(identity::DirectoryOwnership {
            owner_uid: 0,
            process_uid: 0,
            private_file_opened: true,
        });
        Arc::new(identity::LocalOperator::actor(&proof.expect("a proof"), "tester", self.context(Channel::Cli)))
    }

    /// A request context with an id of its own.
    pub fn context(&self, channel: Channel) -> ActorContext {
        let id: Id<kernel::AnyKind> = Id::generate(self.clock.as_ref(), self.store.random().as_ref());
        ActorContext::new(channel, id.to_string()).expect("a request id")
    }

    /// Makes a record as the operator.
    pub fn make(&self, object: &str, fields: Json) -> RecordId {
        self.create(&self.operator(), object, fields)
            .unwrap_or_else(|fault| panic!("making {object}: {fault} {:?} {:?}", fault.items, fault.cause()))
            .id
    }

    /// Makes a record as somebody.
    pub fn create(&self, actor: &Arc<Actor>, object: &str, fields: Json) -> Result<RecordView, Fault> {
        self.records.create(actor, object, object_of(fields), None).wait().map(records::Shown::into_view)
    }

    /// Makes a user with roles.
    pub fn user(&self, login: &str, roles: &[&str], unit: Option<RecordId>) -> RecordId {
        let mut fields = json!({"username": login, "display_name": login, "status": "active"});
        if let (Some(unit), Some(map)) = (unit, fields.as_object_mut()) {
            map.insert("unit".to_owned(), json!(unit));
        }
        let user = self.make("user", fields);
        for role in roles {
            self.records
                .role_grant(&self.operator(), user, role, None, None)
                .wait()
                .unwrap_or_else(|fault| panic!("granting {role}: {fault} {:?}", fault.items));
        }
        user
    }

    /// Makes a team of users.
    pub fn team(&self, name: &str, members: &[RecordId]) -> RecordId {
        let team = self.make("team", json!({"name": name}));
        for member in members {
            self.records
                .link(&self.operator(), "team", team, "members", *member, Some("member".to_owned()))
                .wait()
                .expect("a member");
        }
        team
    }

    /// A signed-in user, with their rights as they are now.
    pub fn actor(&self, user: RecordId) -> Arc<Actor> {
        let facts = DirectoryPorts(Arc::clone(&self.store)).facts(user).expect("facts").expect("a user");
        Arc::new(memory::session_actor(facts, self.context(Channel::Api)).expect("a session"))
    }

    /// The entries of the log, oldest first.
    pub fn log(&self) -> Vec<audit::Entry> {
        let lines = self.store.read(|tx| tx.log_lines(0, 1_000_000)).wait().expect("the log");
        lines.iter().map(|line| audit::Entry::decode(&line.bytes).expect("an entry")).collect()
    }

    /// Whether a policy gives this verb anywhere; for tables of tests.
    pub fn may(&self, actor: &Actor, object: &str, verb: Verb) -> bool {
        let catalog = self.store.catalog();
        catalog.object(object).is_some_and(|object| self.store.policy().scope(actor, object, verb).is_ok())
    }
}

/// The map inside a JSON object.
pub fn object_of(fields: Json) -> Map<String, Json> {
    match fields {
        Json::Object(map) => map,
        other => panic!("a test gave {other} for a record"),
    }
}

fn engine_config(engine: Engine, dir: &Path) -> EngineConfig {
    match engine {
        Engine::Embedded => EngineConfig::Sqlite { file: dir.join("kontor.db") },
        Engine::Server => {
            let (url, ca) = postgres::database();
            EngineConfig::Postgres { url: PostgresUrl(url), ca_file: Some(ca) }
        }
    }
}

pub use postgres::{OwnServer, database as postgres_database};
