//! Several stores on one database, as nodes have them: who holds a lease, who signs the log, and what becomes of a name that
//! two folders use.

#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use audit::Verb;
use kernel::{AnyKind, Clock, Code, Id, SystemClock, limits};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::{Lease, Sealer, Store, StoreConfig};
use testkit::{Engine, TestAppliance};

/// A further node of an appliance: a store of its own on the same database, with a log's folder of its own.
fn node(kontor: &TestAppliance, name: &str) -> Arc<Store> {
    let old = kontor.store.config();
    let log_folder: PathBuf = kontor.dir().join(format!("log-{name}"));
    Store::log_begin(&log_folder, &kontor.signer()).unwrap();
    opened(kontor, StoreConfig { log_folder, node: name.to_owned(), ..old.clone() })
}

fn opened(kontor: &TestAppliance, config: StoreConfig) -> Arc<Store> {
    let random = Arc::clone(kontor.store.random());
    let (vault, clock) = (Arc::clone(kontor.store.vault()), Arc::clone(kontor.store.clock()));
    Arc::new(Store::open(config, vault, clock, random).unwrap())
}

fn folder(kontor: &TestAppliance) -> Id<AnyKind> {
    Id::generate(kontor.store.clock().as_ref(), kontor.store.random().as_ref())
}

fn tokens(store: &Store) -> Vec<(String, String, i64, bool)> {
    let leases = store.read(|tx| tx.leases()).wait().unwrap();
    leases.into_iter().map(|lease| (lease.name, lease.node, lease.token, lease.held)).collect()
}

#[test]
fn a_lease_has_one_holder_and_its_number_fences() {
    let kontor = TestAppliance::new(Engine::Server);
    let (one, two) = (node(&kontor, "one"), node(&kontor, "two"));
    assert!(one.lease_keep(Lease::Schedule).unwrap() && one.lease_keep(Lease::Schedule).unwrap());
    assert!(!two.lease_keep(Lease::Schedule).unwrap());
    assert_eq!((one.lease_held(Lease::Schedule), two.lease_held(Lease::Schedule)), (true, false));
    assert_eq!(tokens(&two), [("schedule".to_owned(), "one".to_owned(), 1, true)]);
    one.write(|tx| Ok(tx.lease_require(Lease::Schedule)?)).wait().unwrap();
    // Whoever was held up so long that its time is over finds another in its place, whatever its own clock says.
    kontor.sql("UPDATE k_lease SET ends_at = 0");
    assert!(two.lease_keep(Lease::Schedule).unwrap());
    assert!(one.lease_held(Lease::Schedule), "it does not know yet");
    let refused = one.write(|tx| Ok(tx.lease_require(Lease::Schedule)?)).wait().unwrap_err();
    assert_eq!(refused.code, Code::Unavailable);
    assert!(!one.lease_held(Lease::Schedule), "now it does");
    assert_eq!(tokens(&one), [("schedule".to_owned(), "two".to_owned(), 2, true)]);
    two.lease_release(Lease::Schedule).unwrap();
    assert!(one.lease_keep(Lease::Schedule).unwrap());
    assert_eq!(tokens(&one), [("schedule".to_owned(), "one".to_owned(), 3, true)]);
    // A second hand in the same process waits like another node.
    let held = one.lease_hold(Lease::Backup).unwrap().unwrap();
    assert!(one.lease_hold(Lease::Backup).unwrap().is_none() && two.lease_hold(Lease::Backup).unwrap().is_none());
    held.still().unwrap();
    drop(held);
    assert!(two.lease_hold(Lease::Backup).unwrap().is_some());
}

#[test]
fn a_lease_that_another_had_in_between_is_lost_for_good() {
    let kontor = TestAppliance::new(Engine::Server);
    let (one, two) = (node(&kontor, "one"), node(&kontor, "two"));
    let passed_on = || {
        kontor.sql("UPDATE k_lease SET ends_at = 0");
        assert!(two.lease_keep(Lease::Backup).unwrap());
        two.lease_release(Lease::Backup).unwrap();
    };
    // Taken again under another number it is not what was begun with.
    let held = one.lease_hold(Lease::Backup).unwrap().unwrap();
    passed_on();
    assert!(one.lease_keep(Lease::Backup).unwrap() && one.lease_held(Lease::Backup));
    assert_eq!(held.still().unwrap_err().code, Code::Unavailable);
    drop(held);
    // Whoever keeps it finds out at the next look, and leaves it to others.
    let held = one.lease_hold(Lease::Backup).unwrap().unwrap();
    held.still().unwrap();
    passed_on();
    let (clock, patience) = (SystemClock::start(), Duration::from_secs(3 * limits::LEASE_SECONDS));
    while one.lease_held(Lease::Backup) {
        assert!(clock.monotonic() < patience, "it went on with the lease");
        std::thread::park_timeout(Duration::from_millis(50));
    }
    held.still().unwrap_err();
    one.write(|tx| Ok(tx.lease_require(Lease::Backup)?)).wait().unwrap_err();
    assert!(two.lease_keep(Lease::Backup).unwrap(), "nobody has to wait for its end");
    drop(held);
    assert!(two.lease_held(Lease::Backup) && tokens(&one).iter().any(|(.., held)| *held));
}

#[test]
fn a_lease_costs_the_embedded_engine_nothing() {
    let kontor = TestAppliance::new(Engine::Embedded);
    let before = kontor.log().len();
    assert!(kontor.store.lease_keep(Lease::Sealing).unwrap() && kontor.store.lease_held(Lease::Backup));
    assert!(kontor.store.lease_hold(Lease::Schedule).unwrap().is_some() && kontor.store.node_beat().unwrap());
    kontor.store.write(|tx| Ok(tx.lease_require(Lease::Sealing)?)).wait().unwrap();
    assert_eq!((kontor.log().len(), kontor.sql_number("SELECT count(*) FROM k_lease")), (before, 0));
}

#[test]
fn a_name_belongs_to_one_folder_that_lives() {
    let kontor = TestAppliance::new(Engine::Server);
    let (one, two, home, other) = (node(&kontor, "n"), node(&kontor, "n"), folder(&kontor), folder(&kontor));
    one.node_begin(home, "1").unwrap();
    assert_eq!(two.node_begin(other, "1").unwrap_err().code, Code::ConfigInvalid);
    assert!(one.node_beat().unwrap() && !one.node_replaced());
    // The same folder started again after it was killed: the older process is the one that has to go.
    two.node_begin(home, "2").unwrap();
    assert!(one.lease_keep(Lease::Schedule).unwrap());
    assert!(!one.node_beat().unwrap() && one.node_replaced());
    assert!(!one.lease_held(Lease::Schedule) && !one.lease_keep(Lease::Sealing).unwrap());
    assert!(two.node_beat().unwrap());
    let entry = |store: &Store| store.entry(&kontor.operator(), Verb::ConfigChange);
    assert_eq!(two.node_remove("n", entry(&two)).unwrap_err().code, Code::JobBusy);
    let nodes = |store: &Store| store.read(|tx| tx.nodes()).wait().unwrap();
    assert!(nodes(&two).iter().all(|node| node.lives && node.here && node.version == "2"));
    two.node_end().unwrap();
    assert!(nodes(&one).iter().all(|node| !node.lives && node.stopped_at.is_some()));
    // A name that nobody uses is free for another folder.
    let three = node(&kontor, "n3");
    assert!(!three.node_remove("nobody", entry(&three)).unwrap());
    assert!(three.node_remove("n", entry(&three)).unwrap());
    assert!(nodes(&three).is_empty());
}

#[test]
fn what_a_node_does_is_its_own_while_it_lives() {
    let kontor = TestAppliance::new(Engine::Server);
    let (one, two) = (node(&kontor, "one"), node(&kontor, "two"));
    let boot = Id::from_bytes(*one.boot().as_bytes());
    assert!(one.boot_lives(boot) && !two.boot_lives(boot), "nobody has said anything yet");
    one.node_begin(folder(&kontor), "1").unwrap();
    two.node_begin(folder(&kontor), "1").unwrap();
    assert!(two.boot_lives(boot));
    // Silent for longer than a node may be, by the time of the database.
    kontor.sql("UPDATE k_node SET beat_at = beat_at - 16000000 WHERE name = 'one'");
    assert!(two.node_beat().unwrap() && !two.boot_lives(boot));
    assert!(one.node_beat().unwrap() && two.node_beat().unwrap() && two.boot_lives(boot));
    one.node_end().unwrap();
    assert!(two.node_beat().unwrap() && !two.boot_lives(boot));
    let server = TestAppliance::new(Engine::Embedded);
    assert!(server.store.boot_lives(Id::from_bytes(*server.store.boot().as_bytes())) && !server.store.boot_lives(boot));
}

#[test]
fn each_node_has_the_log_and_one_signs_it() {
    let kontor = TestAppliance::new(Engine::Server);
    let (one, two) = (node(&kontor, "one"), node(&kontor, "two"));
    let signer = kontor.signer();
    let note = |store: &Store| {
        let entry = store.entry(&kontor.operator(), Verb::Heartbeat);
        (0..300).for_each(|_| store.append(vec![entry.clone()]).wait().unwrap());
    };
    note(&one);
    assert!(one.seal_log(&signer).unwrap().is_some());
    // What one signed the other makes of the rows and takes over.
    note(&two);
    let size = two.seal_log(&signer).unwrap().unwrap();
    let checkpoint = |store: &Store| std::fs::read(store.config().log_folder.join("checkpoint")).unwrap();
    assert!(one.lease_keep(Lease::Sealing).unwrap());
    assert_eq!(two.seal_log(&signer).unwrap(), None, "another one signs");
    one.lease_release(Lease::Sealing).unwrap();
    assert_eq!(one.seal_log(&signer).unwrap(), Some(size));
    assert_eq!(checkpoint(&one), checkpoint(&two));
    // A database that went back does not get a second history over what was sealed.
    kontor.sql(&format!("DELETE FROM k_audit WHERE seq = {}", size - 1));
    let told = one.seal_log(&signer).unwrap_err().to_string();
    assert!(told.contains("no longer has it"), "{told}");
}

#[test]
fn nodes_see_the_same_files_or_do_not_start() {
    let kontor = TestAppliance::new(Engine::Server);
    let (one, two) = (node(&kontor, "one"), node(&kontor, "two"));
    one.files_agree().unwrap();
    two.files_agree().unwrap();
    let config = StoreConfig { files_folder: kontor.dir().join("elsewhere"), ..two.config().clone() };
    let random = Arc::clone(kontor.store.random());
    let (vault, clock) = (Arc::clone(kontor.store.vault()), Arc::clone(kontor.store.clock()));
    let three = Store::open(config, vault, clock, random).unwrap();
    let refused = three.files_agree().unwrap_err();
    assert!(refused.code == Code::ConfigInvalid && refused.detail.contains("not the one"), "{refused:?}");
    assert!(!kontor.dir().join("elsewhere").exists(), "nothing was written");
    TestAppliance::new(Engine::Embedded).store.files_agree().unwrap();
}

#[test]
fn while_a_node_upgrades_no_other_begins() {
    let kontor = TestAppliance::new(Engine::Server);
    let (one, two) = (node(&kontor, "one"), node(&kontor, "two"));
    let (first, second) = (folder(&kontor), folder(&kontor));
    two.node_begin(second, "1").unwrap();
    let refused = one.upgrade_begin().unwrap_err();
    assert!(refused.code == Code::JobBusy && refused.detail.contains("two"), "{refused:?}");
    two.node_end().unwrap();
    one.upgrade_begin().unwrap();
    for refused in [two.node_begin(second, "1"), two.upgrade_begin()] {
        let refused = refused.unwrap_err();
        assert!(refused.code == Code::JobBusy && refused.detail.contains("one"), "{refused:?}");
    }
    // The node itself may try what it brought, and repeat what was cut off.
    one.upgrade_begin().unwrap();
    one.node_begin(first, "2").unwrap();
    one.node_end().unwrap();
    one.upgrade_end().unwrap();
    two.node_begin(second, "2").unwrap();
    two.node_end().unwrap();
    // Who is gone for good holds up nobody, whether it ever served or not.
    let three = node(&kontor, "three");
    three.upgrade_begin().unwrap();
    assert_eq!(two.node_begin(second, "2").unwrap_err().code, Code::JobBusy);
    assert!(two.node_remove("three", two.entry(&kontor.operator(), Verb::ConfigChange)).unwrap());
    two.node_begin(second, "2").unwrap();
}

#[test]
fn tiles_of_a_log_that_is_gone_are_served_to_nobody() {
    let kontor = TestAppliance::new(Engine::Server);
    let (one, two) = (node(&kontor, "one"), node(&kontor, "two"));
    let tell = |store: &Store| store.append(vec![store.entry(&kontor.operator(), Verb::Heartbeat)]).wait().unwrap();
    let sealed = |store: &Store| store.seal_log(&kontor.signer()).unwrap().unwrap();
    tell(&one);
    let before = sealed(&one);
    let kept = "SELECT string_agg(format('UPDATE k_meta SET value = %L WHERE key = %L', value, key), '; ') FROM k_meta \
                WHERE key IN ('log_anchor', 'log_checkpoint')";
    let back = kontor.sql(kept).join("\n");
    tell(&one);
    assert_eq!((sealed(&one), sealed(&two)), (before + 1, before + 1));
    // The database goes back by an entry, and goes on to more than there was.
    kontor.sql(&format!("DELETE FROM k_audit WHERE seq >= {before}; {back}"));
    let three = node(&kontor, "three");
    tell(&three);
    tell(&three);
    assert_eq!(sealed(&three), before + 2);
    let two = opened(&kontor, two.config().clone());
    assert!(Sealer::start(&two, Arc::new(kontor.signer())).is_err());
    Sealer::start(&three, Arc::new(kontor.signer())).unwrap().stop();
}
