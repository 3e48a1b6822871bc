//! What a backup set would hold now, open for browsing: the database as a snapshot has it, without the packing.

use crate::TestAppliance;
use records::PickSet;
use std::io::Write;
use std::process::Command;
use std::sync::Arc;
use store::SetStore;

impl TestAppliance {
    /// A set of this moment with this number.
    pub fn set(&self, number: u32) -> Arc<PickSet> {
        self.set_altered(number, "")
    }

    /// The same with its rows altered, as if they had been so then.
    pub fn set_altered(&self, number: u32, sql: &str) -> Arc<PickSet> {
        self.seal_log();
        let folder = self.dir().join(format!("set-{number}"));
        std::fs::create_dir(&folder).expect("a scratch folder");
        let file = folder.join("kontor.db");
        let snapshot = self.store.snapshot().expect("a snapshot");
        let mut copy = std::fs::File::create(&file).expect("a copy");
        let (mut block, mut at) = (vec![0; 1 << 20], 0);
        while at < snapshot.database_bytes() {
            let read = snapshot.read_database(&mut block, at).expect("a block");
            copy.write_all(block.get(..read).expect("what was read")).expect("a write");
            at += u64::try_from(read).expect("a length");
        }
        drop(snapshot);
        let altered = Command::new("sqlite3").arg(&file).arg(sql).status().expect("sqlite3 runs");
        assert!(altered.success(), "{sql}");
        let (vault, clock, random) = (self.store.vault(), self.store.clock(), self.store.random());
        let store = SetStore::open(&file, Arc::clone(vault), Arc::clone(clock), Arc::clone(random));
        Arc::new(PickSet::new(store.expect("an open set"), format!("set-{number} on disk"), clock.now()))
    }
}
