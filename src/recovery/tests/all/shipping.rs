//! Commits that are shipped as they are made: what was answered is in the second place, any moment can be gone back to, and
//! whatever is altered, cut, missing or in the wrong order is named and refused.

use crate::parts::{attach, file_in, write_set};
use audit::VerifierKey;
use kernel::{Clock, Code, RecordId, Timestamp};
use recovery::{
    DirectoryTarget, Fence, House, Progress, RecoveryError, ShipPlan, ShipStart, ShipStatus, Target, fence_raise,
    leads_into_stream, rewind, rewind_plan, ship, streams_prune, windows,
};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::{Depth, EngineConfig, Store, StoreConfig, file_stamp};
use testkit::{Engine, TestAppliance};
use vault::ArchiveIdentity;

pub(crate) struct Site {
    pub(crate) kontor: TestAppliance,
    pub(crate) house: House,
    pub(crate) root: tempfile::TempDir,
    pub(crate) signer: Arc<testkit::TestSigner>,
    pub(crate) key: VerifierKey,
}

pub(crate) fn site() -> Site {
    let kontor = TestAppliance::new(Engine::Embedded);
    let root = tempfile::tempdir().unwrap();
    let house = crate::parts::house(&kontor, root.path());
    for place in ["one", "two", "three"] {
        fs::create_dir(root.path().join(place)).unwrap();
    }
    kontor.make("account", json!({"name": "Hanse"}));
    kontor.seal_log();
    let (signer, key) = (Arc::new(kontor.signer()), kontor.verifier_key());
    Site { kontor, house, root, signer, key }
}

pub(crate) fn database(config: &StoreConfig) -> PathBuf {
    match &config.engine {
        EngineConfig::Sqlite { file } => file.clone(),
        EngineConfig::Postgres { .. } => panic!("these tests are about the embedded engine"),
    }
}

impl Site {
    pub(crate) fn target(&self, name: &str) -> DirectoryTarget {
        DirectoryTarget::new(name, &self.root.path().join(name), "a")
    }
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.root.path().join(name).join("a/stream")
    }
    pub(crate) fn identity(&self) -> ArchiveIdentity {
        self.kontor.store.vault().archive_identity().unwrap()
    }
    pub(crate) fn plan(&self, sync: Option<&str>, others: &[&str]) -> ShipPlan {
        ShipPlan {
            sync: sync
                .map(|name| (Arc::new(self.target(name)) as Arc<dyn Target>, self.root.path().join(name).join("a"))),
            others: others.iter().map(|name| Arc::new(self.target(name)) as Arc<dyn Target>).collect(),
            spool: self.root.path().join("spool"),
            bytes_max: 1 << 30,
            strict: false,
            recipients: vec![self.identity().recipient()],
            term: 0,
        }
    }
    pub(crate) fn ship(&self, store: &Arc<Store>, plan: ShipPlan, opened_from: Option<(u64, i64)>) -> Arc<ShipStatus> {
        let signer = Arc::<testkit::TestSigner>::clone(&self.signer);
        ship(store, ShipStart { plan, signer, opened_from, database: database(store.config()) }).unwrap()
    }
    /// Commits go to the folder `one` before they are answered, and a first set lies there.
    pub(crate) fn shipped(&self) -> Arc<ShipStatus> {
        let status = self.ship(&self.kontor.store, self.plan(Some("one"), &[]), None);
        self.set(1, &["one"]);
        self.based(&status);
        status
    }
    /// Whoever makes the sets says when one leads into the stream.
    pub(crate) fn based(&self, status: &ShipStatus) {
        let now = self.kontor.clock.now();
        assert!(status.targets(now).iter().all(|target| target.trouble.is_some()), "without a set it is worth nothing");
        status.base_is_known(&status.stream_without_base().unwrap(), true, now);
    }
    pub(crate) fn set(&self, sequence: u64, on: &[&str]) {
        let targets = on.iter().map(|name| self.target(name)).collect::<Vec<_>>();
        let list: Vec<&dyn Target> = targets.iter().map(|target| target as &dyn Target).collect();
        let outcomes = write_set(&self.kontor, &self.house, sequence, &list, &Progress::default()).unwrap();
        outcomes.into_iter().for_each(|one| drop(one.outcome.unwrap()));
    }
    pub(crate) fn account(&self, name: &str) -> RecordId {
        self.kontor.make("account", json!({"name": name}))
    }
    /// Goes back to a moment and hands back how many accounts there are; the log is verified with every record.
    pub(crate) fn back(&self, name: &str, at: Option<Timestamp>) -> Result<i64, RecoveryError> {
        let (target, key, into) = (self.target(name), self.key.clone(), self.root.path().join("restored"));
        let plan = rewind_plan(&target, None, at, &key)?;
        if let Some(broken) = plan.broken {
            return Err(RecoveryError::Damaged(format!("{broken}; last good {}", plan.moment)));
        }
        rewind(&target, &plan, &key, &self.identity(), &into, |_| Ok(()))?;
        let config = config_of(&into);
        let report = Store::verify_log(&config, &key, None, Depth(4)).unwrap();
        assert!(report.ok, "{:?}", report.findings);
        let facts = Store::facts_of(&config.engine).unwrap();
        let rows = facts.tables.iter().find(|table| table.table == "account").unwrap().rows;
        fs::remove_dir_all(&into).unwrap();
        Ok(rows)
    }
    /// Lets the shipper look again: it goes by a clock that stands still.
    pub(crate) fn later(&self) {
        self.kontor.clock.advance_seconds(2);
    }
    pub(crate) fn wait(&self, what: &str, mut there: impl FnMut() -> bool) {
        for _ in 0..3_000 {
            if there() {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        panic!("never: {what}");
    }
}

pub(crate) fn config_of(dir: &Path) -> StoreConfig {
    crate::parts::config_of(file_in(dir), dir)
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().flatten().map(|one| one.path()).collect();
    found.sort();
    found
}

#[test]
fn what_was_answered_is_in_the_second_folder_with_its_files_and_its_log() {
    let site = site();
    let status = site.shipped();
    assert!(leads_into_stream(&site.target("one"), &status.stream_name().unwrap()).unwrap());
    for number in 0..30 {
        let account = site.account(&format!("Customer {number}"));
        if number == 20 {
            attach(&site.kontor, account, "a.pdf", &[7; 200_000]);
            site.kontor.seal_log();
        }
        // Nothing is closed and nothing is waited for: what was answered is there.
        if number % 10 == 0 {
            assert_eq!(site.back("one", None).unwrap(), number + 2);
        }
    }
    let (target, key, into) = (site.target("one"), site.key.clone(), site.root.path().join("kept"));
    let plan = rewind_plan(&target, None, None, &key).unwrap();
    rewind(&target, &plan, &key, &site.identity(), &into, |_| Ok(())).unwrap();
    let sealed = |folder: &Path| -> Vec<Vec<u8>> {
        files(folder).iter().flat_map(|below| files(below)).map(|file| fs::read(file).unwrap()).collect()
    };
    assert_eq!(sealed(&into.join("data/files")), sealed(&site.house.files));
    assert_eq!(fs::read(into.join("log/checkpoint")).unwrap(), fs::read(site.house.log.join("checkpoint")).unwrap());
    // It serves: the store opens, seals its log and goes on.
    let (store, records) = site.kontor.over_restored(config_of(&into));
    let name = testkit::object_of(json!({"name": "Afterwards"}));
    records.create(&site.kontor.operator(), "account", name, None).wait().unwrap();
    assert!(store.seal_log(site.signer.as_ref()).unwrap().is_some());
    store.close();
    assert_eq!(status.targets(site.kontor.clock.now())[0].rpo_seconds, 0);
}

#[test]
fn any_second_can_be_gone_back_to_and_what_is_too_old_is_said() {
    let site = site();
    let before = site.kontor.clock.now().plus_seconds(-1);
    site.shipped();
    let mut moments = vec![(site.kontor.clock.now(), 1)];
    for number in 0..6 {
        site.kontor.clock.advance_seconds(10);
        site.account(&format!("Customer {number}"));
        site.kontor.seal_log();
        moments.push((site.kontor.clock.now(), number + 2));
        if number == 3 {
            site.set(2, &["one"]);
        }
    }
    for (moment, accounts) in &moments {
        assert_eq!(site.back("one", Some(*moment)).unwrap(), *accounts);
        assert_eq!(site.back("one", Some(moment.plus_seconds(9))).unwrap(), *accounts);
    }
    let refused = site.back("one", Some(before)).unwrap_err();
    assert!(refused.to_string().contains("no set that old"), "{refused}");
    let spans = windows(&site.target("one"), &site.key.clone()).unwrap();
    assert_eq!(spans.len(), 1, "{spans:?}");
    assert_eq!((spans[0].from, spans[0].to), (moments[0].0, moments[6].0));
    // What leads on from the younger set is all that a short window needs.
    site.kontor.clock.advance_seconds(10);
    site.kontor.store.close();
    assert_eq!(streams_prune(&site.target("one"), site.kontor.clock.now()).unwrap(), 0, "there is but one file");
    assert_eq!(site.back("one", None).unwrap(), 7);
}

#[test]
fn whatever_is_altered_cut_missing_or_in_the_wrong_order_is_named() {
    let site = site();
    site.shipped();
    site.account("Before");
    site.kontor.store.close();
    // A new file for each start; the clock tells where the last good moment is.
    for number in 0..2 {
        site.kontor.clock.advance_seconds(10);
        let stamp = file_stamp(&database(site.kontor.store.config()));
        let (store, records) = site.kontor.over_restored(site.kontor.store.config().clone());
        let _status = site.ship(&store, site.plan(Some("one"), &[]), stamp);
        let name = testkit::object_of(json!({"name": format!("Later {number}")}));
        records.create(&site.kontor.operator(), "account", name, None).wait().unwrap();
        store.close();
    }
    let first = site.kontor.clock.now().plus_seconds(-20);
    let all = files(&site.folder("one"));
    assert_eq!((all.len(), site.back("one", None).unwrap()), (3, 4));
    for (at, path) in all.iter().enumerate() {
        let (name, whole) = (path.file_name().unwrap().to_str().unwrap(), fs::read(path).unwrap());
        let step = (whole.len() / 23).max(1);
        for place in (0..whole.len()).step_by(step) {
            let mut turned = whole.clone();
            turned[place] ^= 4;
            fs::write(path, &turned).unwrap();
            let refused = site.back("one", None).unwrap_err().to_string();
            assert!(refused.contains(name) && refused.contains("last good"), "{place}: {refused}");
        }
        // The end of the last file may have been cut by its writer's death; any other may not.
        fs::write(path, &whole[..whole.len() - 1]).unwrap();
        let cut = site.back("one", None);
        if at + 1 < all.len() {
            assert!(cut.unwrap_err().to_string().contains(name));
            fs::remove_file(path).unwrap();
            assert!(site.back("one", None).unwrap_err().to_string().contains("missing") || at > 0);
        } else {
            assert!((3..=4).contains(&cut.unwrap()));
        }
        fs::write(path, &whole).unwrap();
    }
    // In the wrong order.
    let (two, three) = (fs::read(&all[1]).unwrap(), fs::read(&all[2]).unwrap());
    fs::write(&all[1], &three).unwrap();
    fs::write(&all[2], &two).unwrap();
    assert!(site.back("one", None).unwrap_err().to_string().contains("is number"));
    // What lies before the damage can be gone back to all the same.
    assert_eq!(site.back("one", Some(first)).unwrap(), 2);
    let told = site.back("one", Some(first.plus_seconds(1))).unwrap_err().to_string();
    assert!(told.contains(&format!("last good {first}")), "{told}");
    fs::write(&all[1], &two).unwrap();
    fs::write(&all[2], &three).unwrap();
    assert_eq!(site.back("one", None).unwrap(), 4);
    // Another appliance's key signed none of it.
    let other = self::site();
    let plan = rewind_plan(&site.target("one"), None, None, &other.key).unwrap();
    assert!(plan.broken.is_some_and(|broken| broken.contains("not signed")));
}

#[test]
fn the_write_ahead_log_begins_anew_under_load_and_nothing_is_lost() {
    let site = site();
    let status = site.shipped();
    let wal = PathBuf::from(format!("{}-wal", database(site.kontor.store.config()).display()));
    let salts = || fs::read(&wal).unwrap()[16..20].to_vec();
    let (mut seen, mut made) = (vec![salts()], 1);
    for round in 0..8 {
        for number in 0..25 {
            site.account(&format!("Customer {round} {number}"));
            made += 1;
        }
        // A snapshot moves the whole log, and the next commit begins it anew; others would like to move it, too.
        drop(site.kontor.store.snapshot().unwrap());
        site.kontor.sql("PRAGMA wal_checkpoint(PASSIVE)");
        site.later();
        site.account(&format!("First of round {round}"));
        made += 1;
        if salts() != seen[seen.len() - 1] {
            seen.push(salts());
        }
    }
    assert!(seen.len() > 4, "the log began anew only {} times; nothing was tested", seen.len());
    assert_eq!(site.back("one", None).unwrap(), made);
    assert!(status.targets(site.kontor.clock.now()).iter().all(|target| target.trouble.is_none()));
}

#[test]
fn what_other_processes_commit_is_shipped_too() {
    let site = site();
    let status = site.shipped();
    // A command beside the server: it does not ship, since somebody does.
    let (beside, records) = site.kontor.over_restored(site.kontor.store.config().clone());
    let second = site.ship(&beside, site.plan(Some("one"), &[]), None);
    assert!(second.is_elsewhere());
    for number in 0..5 {
        let name = testkit::object_of(json!({"name": format!("By a command {number}")}));
        let account = records.create(&site.kontor.operator(), "account", name, None).wait().unwrap().into_view();
        let upload = records.attachment_begin(&site.kontor.operator(), "account", account.id, "b.pdf").wait();
        let mut upload = upload.unwrap().into_view();
        upload.write(b"%PDF-1.7 by a command").unwrap();
        upload.finish().wait().unwrap();
    }
    beside.close();
    site.later();
    site.wait("the command's commits are there", || site.back("one", None).unwrap() == 6);
    // When the one who ships ends, another goes on with the same stream.
    let name = status.stream_name();
    let (beside, records) = site.kontor.over_restored(site.kontor.store.config().clone());
    let third = site.ship(&beside, site.plan(Some("one"), &[]), None);
    site.kontor.store.close();
    site.wait("the command ships", || {
        site.later();
        third.stream_name().is_some()
    });
    assert_eq!(third.stream_name(), name);
    let last = testkit::object_of(json!({"name": "The last"}));
    records.create(&site.kontor.operator(), "account", last, None).wait().unwrap();
    assert_eq!(site.back("one", None).unwrap(), 7);
    beside.close();
}

#[test]
fn a_start_goes_on_where_the_last_one_ended_or_begins_a_new_stream() {
    let site = site();
    let name = site.shipped().stream_name();
    site.account("One");
    site.kontor.store.close();
    let config = site.kontor.store.config().clone();
    let reopened = |shipped: bool| {
        let stamp = file_stamp(&database(&config));
        let (store, records) = site.kontor.over_restored(config.clone());
        let status = shipped.then(|| site.ship(&store, site.plan(Some("one"), &[]), stamp));
        let again = testkit::object_of(json!({"name": "Again"}));
        records.create(&site.kontor.operator(), "account", again, None).wait().unwrap();
        let name = status.and_then(|status| status.stream_name());
        store.close();
        name
    };
    assert_eq!(reopened(true), name, "closed in order: it goes on");
    assert_eq!(site.back("one", None).unwrap(), 3);
    // Somebody wrote without shipping: never silently.
    reopened(false);
    let next = reopened(true);
    assert!(next.is_some() && next != name);
    assert!(!leads_into_stream(&site.target("one"), &next.unwrap()).unwrap(), "a new set is wanted");
    assert_eq!(site.back("one", None).unwrap(), 3, "what was shipped is still there");
}

#[test]
fn a_second_folder_that_goes_away_is_told_and_where_it_is_strict_nothing_is_written() {
    let site = site();
    let mut plan = site.plan(Some("one"), &[]);
    plan.strict = true;
    let status = site.ship(&site.kontor.store, plan, None);
    site.set(1, &["one"]);
    site.based(&status);
    site.account("While it is there");
    let (there, away) = (site.root.path().join("one"), site.root.path().join("away"));
    // Away as a file system is that was taken off: what was open cannot be written any more, either.
    fs::rename(&there, &away).unwrap();
    fs::write(&there, "in the way").unwrap();
    let name = || json!({"name": "While it is away"});
    site.wait("writes are refused", || {
        site.later();
        // The file that is open still takes what is written; a new one cannot be begun.
        let made = site.kontor.create(&site.kontor.operator(), "account", name());
        made.is_err_and(|fault| fault.code == Code::CopyMissing)
    });
    assert!(status.targets(site.kontor.clock.now())[0].trouble.is_some());
    fs::remove_file(&there).unwrap();
    fs::rename(&away, &there).unwrap();
    site.wait("writes are taken again", || {
        site.later();
        site.kontor.create(&site.kontor.operator(), "account", name()).is_ok()
    });
    let rows = site.kontor.sql_number("SELECT count(*) FROM account");
    assert_eq!(site.back("one", None).unwrap(), rows);
    assert!(status.targets(site.kontor.clock.now())[0].trouble.is_none());
}

#[test]
fn a_node_that_was_replaced_takes_no_writes() {
    let site = site();
    let status = site.shipped();
    site.account("Before");
    let at = "2026-03-02T09:00:00Z".to_owned();
    let fence = Fence { term: 1, node: "standby".to_owned(), at };
    // Somebody else's fence is none.
    fence_raise(&site.target("one"), &fence, self::site().signer.as_ref()).unwrap();
    site.wait("it is told", || status.targets(site.kontor.clock.now())[0].trouble.is_some());
    assert!(status.fence_fault().is_none());
    fence_raise(&site.target("one"), &fence, site.signer.as_ref()).unwrap();
    site.wait("writes are refused", || {
        let made = site.kontor.create(&site.kontor.operator(), "account", json!({"name": "Too late"}));
        made.is_err_and(|fault| fault.code == Code::Fenced && fault.detail.contains("standby"))
    });
    site.kontor.store.close();
    // Also after a new start.
    let (store, records) = site.kontor.over_restored(site.kontor.store.config().clone());
    let status = site.ship(&store, site.plan(Some("one"), &[]), None);
    assert!(status.fence_fault().is_some());
    let name = testkit::object_of(json!({"name": "Much too late"}));
    let refused = records.create(&site.kontor.operator(), "account", name, None).wait().err().unwrap();
    assert_eq!(refused.code, Code::Fenced);
    store.close();
}

#[test]
fn the_other_engine_ships_by_its_own_means() {
    let kontor = TestAppliance::new(Engine::Server);
    assert!(kontor.store.tap().unwrap().is_none());
}
