//! Leases: of what only one process of an appliance may do at a time, who does it now. Taken, kept and lost by the time of the
//! database; each change of hands raises a number, and who writes on the strength of a lease has that number compared in the
//! same transaction. So a process that was cut off or held up finds out before it has done anything. The embedded engine has
//! one server, whose folder is locked: there a lease is always held, costs nothing and writes nothing.

use crate::engine::{Sql, dialect};
use crate::{ReadTx, Store, StoreError, WriteTx};
use kernel::{BootKind, Code, Fault, Id, RecordId, limits};
use metadata::ColumnType;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

const INT: ColumnType = ColumnType::Integer;
const TEXT: ColumnType = ColumnType::Text;
/// A lease counts as lost here a little before the database gives it to somebody else.
const MARGIN: Duration = Duration::from_secs(1);
/// Renewals in the time of a lease: one may fail.
const RENEWALS: u64 = 3;

/// What only one process may do at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lease {
    /// Sign checkpoints of the log.
    Sealing,
    /// Do what is due by the clock: backups, drills, mail, sweeps.
    Schedule,
    /// Make, prove or remove backup sets, whoever asked for it.
    Backup,
}

impl Lease {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sealing, Self::Schedule, Self::Backup];

    /// Its name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sealing => "sealing",
            Self::Schedule => "schedule",
            Self::Backup => "backup",
        }
    }
    /// How long it is held without a sign of life.
    const fn seconds(self) -> u64 {
        match self {
            Self::Sealing => limits::LEASE_SEALING_SECONDS,
            Self::Schedule | Self::Backup => limits::LEASE_SECONDS,
        }
    }
}

/// A lease as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// Its name.
    pub name: String,
    /// The node that has it.
    pub node: String,
    /// How often it has changed hands.
    pub token: i64,
    /// Whether it is held now.
    pub held: bool,
}

/// What this process holds: the number, and until when by its own clock.
#[derive(Default)]
pub(crate) struct Leases {
    shared: bool,
    held: Mutex<BTreeMap<Lease, (i64, Duration)>>,
    /// What somebody in this process keeps on a thread of its own.
    kept: Mutex<BTreeSet<Lease>>,
    /// Somebody else took this node's name.
    replaced: AtomicBool,
    /// The starts of all processes that lived when this one last said that it does.
    living: Mutex<BTreeSet<Id<BootKind>>>,
}

impl Leases {
    /// For an engine that several processes may serve from, or one that only one does.
    pub(crate) fn new(shared: bool) -> Self {
        Self { shared, ..Self::default() }
    }
    fn kept(&self) -> MutexGuard<'_, BTreeSet<Lease>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Keeps which processes live.
    pub(crate) fn keep_living(&self, living: BTreeSet<Id<BootKind>>) {
        *self.living.lock().unwrap_or_else(PoisonError::into_inner) = living;
    }
    /// Whether somebody else took this node's name.
    pub(crate) fn is_replaced(&self) -> bool {
        self.replaced.load(Ordering::Relaxed)
    }
    fn held(&self) -> MutexGuard<'_, BTreeMap<Lease, (i64, Duration)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Forgets all; the database will give them to others when their time is over. Nothing is taken again by a node that
    /// was replaced.
    pub(crate) fn lose_all(&self, replaced: bool) {
        self.replaced.fetch_or(replaced, Ordering::Relaxed);
        self.held().clear();
    }
}

fn lost(lease: Lease) -> Fault {
    let detail = format!("Another node has taken over ({}); nothing was changed.", lease.name());
    Fault::new(Code::Unavailable, detail)
}

impl WriteTx<'_, '_> {
    /// Refuses the unit when another process has this lease, or nobody here took it.
    pub fn lease_require(&mut self, lease: Lease) -> Result<(), StoreError> {
        if !self.read.shared.leases.shared {
            return Ok(());
        }
        let known = self.read.shared.leases.held().get(&lease).map(|(token, _)| *token);
        let token = known.ok_or_else(|| lost(lease))?;
        let boot = self.read.shared.boot;
        let mut sql = Sql::new("SELECT \"token\" FROM \"k_lease\" WHERE \"name\" = ");
        sql.bind(lease.name()).push(" AND \"boot\" = ").bind(boot);
        let found = self.conn().first(&sql, &[INT])?.and_then(|row| row.int(0));
        if found == Some(token) {
            return Ok(());
        }
        self.read.shared.leases.held().remove(&lease);
        Err(lost(lease).into())
    }

    /// Takes a lease that is free or was let go, or keeps one; its number, or nothing when another has it.
    fn lease_take(&mut self, lease: Lease) -> Result<Option<i64>, StoreError> {
        let (boot, node) = (self.read.shared.boot, self.read.shared.node.clone());
        let seconds = i64::try_from(lease.seconds()).unwrap_or(i64::MAX);
        let mut sql =
            Sql::new("INSERT INTO \"k_lease\" (\"name\", \"node\", \"boot\", \"token\", \"ends_at\") VALUES (");
        sql.bind(lease.name()).push(", ").bind(node.as_str()).push(", ").bind(boot).push(", 1, ");
        dialect::push_now(self.conn(), &mut sql);
        sql.push(" + ").bind(seconds.saturating_mul(1_000_000)).push(
            ") ON CONFLICT (\"name\") DO UPDATE SET \"node\" = excluded.\"node\", \"boot\" = excluded.\"boot\", \
             \"token\" = \"k_lease\".\"token\" + CASE WHEN \"k_lease\".\"boot\" = excluded.\"boot\" THEN 0 ELSE 1 END, \
             \"ends_at\" = excluded.\"ends_at\" WHERE \"k_lease\".\"boot\" = excluded.\"boot\" OR \"k_lease\".\"ends_at\" < ",
        );
        dialect::push_now(self.conn(), &mut sql);
        self.conn().execute(&sql)?;
        let mut sql = Sql::new("SELECT \"token\" FROM \"k_lease\" WHERE \"name\" = ");
        sql.bind(lease.name()).push(" AND \"boot\" = ").bind(boot);
        Ok(self.conn().first(&sql, &[INT])?.and_then(|row| row.int(0)))
    }
}

impl ReadTx<'_> {
    /// All leases.
    pub fn leases(&mut self) -> Result<Vec<LeaseRow>, StoreError> {
        let mut sql = Sql::new("SELECT \"name\", \"node\", \"token\", CAST(CASE WHEN \"ends_at\" >= ");
        dialect::push_now(self.conn, &mut sql);
        sql.push(" THEN 1 ELSE 0 END AS BIGINT) FROM \"k_lease\" ORDER BY \"name\"");
        let rows = self.conn.rows(&sql, &[TEXT, TEXT, INT, INT])?;
        let lease = |row: &crate::engine::Row| LeaseRow {
            name: row.text(0).unwrap_or_default(),
            node: row.text(1).unwrap_or_default(),
            token: row.int(2).unwrap_or_default(),
            held: row.int(3) == Some(1),
        };
        Ok(rows.iter().map(lease).collect())
    }
}

impl Store {
    /// Whether the process of this start lives: this one, or another that said so a moment ago by the time of the database. What
    /// it was doing is still its own then.
    pub fn boot_lives(&self, boot: RecordId) -> bool {
        let (boot, leases) = (Id::<BootKind>::from_bytes(*boot.as_bytes()), &self.shared.leases);
        boot == self.shared.boot || leases.living.lock().unwrap_or_else(PoisonError::into_inner).contains(&boot)
    }

    /// Whether this process holds a lease, as far as its own clock can say. For what is begun outside the database; what is
    /// written asks again, in its transaction.
    pub fn lease_held(&self, lease: Lease) -> bool {
        let leases = &self.shared.leases;
        let now = self.shared.clock.monotonic();
        !leases.shared || leases.held().get(&lease).is_some_and(|(_, until)| now < *until)
    }

    /// Takes a lease or keeps it; whether this process has it now.
    pub fn lease_keep(&self, lease: Lease) -> Result<bool, Fault> {
        Ok(!self.shared.leases.shared || self.lease_taken(lease, None)?.is_some())
    }

    /// Takes it or keeps it: its number, or nothing when another has it. Whoever names a number keeps that one alone; when it is
    /// another now, somebody else had the lease in between, and it is let go again.
    fn lease_taken(&self, lease: Lease, only: Option<i64>) -> Result<Option<i64>, Fault> {
        if self.shared.leases.is_replaced() {
            return Ok(None);
        }
        // The clock is read before the database is asked: the lease never lasts longer here than there.
        let until = self.shared.clock.monotonic() + Duration::from_secs(lease.seconds()).saturating_sub(MARGIN);
        let token = self.write(move |tx| Ok(tx.lease_take(lease)?)).wait()?;
        let kept = token.filter(|token| only.is_none_or(|only| only == *token));
        match kept {
            Some(token) => drop(self.shared.leases.held().insert(lease, (token, until))),
            None => drop(self.shared.leases.held().remove(&lease)),
        }
        if token.is_some() && kept.is_none() {
            self.lease_let_go(lease)?;
        }
        Ok(kept)
    }

    /// The same only when it is about time: cheap to call often.
    pub fn lease_keep_when_due(&self, lease: Lease) -> Result<bool, Fault> {
        if !self.shared.leases.shared {
            return Ok(true);
        }
        let soon = self.shared.clock.monotonic() + Duration::from_secs(lease.seconds() - lease.seconds() / RENEWALS);
        let fresh = self.shared.leases.held().get(&lease).is_some_and(|(_, until)| soon < *until + MARGIN);
        if fresh { Ok(true) } else { self.lease_keep(lease) }
    }

    /// Lets a lease go, so that another need not wait for its end.
    pub fn lease_release(&self, lease: Lease) -> Result<(), Fault> {
        if self.shared.leases.held().remove(&lease).is_none() {
            return Ok(());
        }
        self.lease_let_go(lease)
    }

    fn lease_let_go(&self, lease: Lease) -> Result<(), Fault> {
        let boot = self.shared.boot;
        self.write(move |tx| {
            let mut sql = Sql::new("UPDATE \"k_lease\" SET \"ends_at\" = 0 WHERE \"name\" = ");
            sql.bind(lease.name()).push(" AND \"boot\" = ").bind(boot);
            tx.conn().execute(&sql)?;
            Ok(())
        })
        .wait()
    }

    /// Takes a lease and keeps it on a thread of its own for as long as the answer lives; nothing when another has it.
    pub fn lease_hold(self: &Arc<Self>, lease: Lease) -> Result<Option<LeaseHeld>, Fault> {
        // Within one process, too, only one has it.
        if !self.shared.leases.kept().insert(lease) {
            return Ok(None);
        }
        let taken = if self.shared.leases.shared { self.lease_taken(lease, None) } else { Ok(Some(0)) };
        let token = match taken {
            Ok(Some(token)) => token,
            missed => {
                self.shared.leases.kept().remove(&lease);
                return missed.map(|_| None);
            }
        };
        let mut guard = LeaseHeld { store: Arc::clone(self), lease, token, stop: None, thread: None };
        if self.shared.leases.shared {
            let (stop, stopped) = channel::<()>();
            let store = Arc::clone(self);
            let every = Duration::from_secs(lease.seconds()) / u32::try_from(RENEWALS).unwrap_or(1);
            let keep = move || {
                while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                    match store.lease_taken(lease, Some(token)) {
                        Ok(Some(_)) => {}
                        Ok(None) => {
                            tracing::warn!(lease = lease.name(), "a lease was lost to another node");
                            return;
                        }
                        Err(fault) => {
                            tracing::warn!(
                                code = fault.code.as_str(),
                                lease = lease.name(),
                                "a lease could not be kept"
                            );
                        }
                    }
                }
            };
            let thread = std::thread::Builder::new().name("lease".to_owned()).spawn(keep).map_err(Fault::internal)?;
            (guard.stop, guard.thread) = (Some(stop), Some(thread));
        }
        Ok(Some(guard))
    }
}

/// A lease that is kept while this lives.
pub struct LeaseHeld {
    store: Arc<Store>,
    lease: Lease,
    /// The number it was taken with: with another one, somebody else had it in between.
    token: i64,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl LeaseHeld {
    /// Refuses what is to be done outside the database when the lease was lost meanwhile.
    pub fn still(&self) -> Result<(), Fault> {
        let (leases, now) = (&self.store.shared.leases, self.store.shared.clock.monotonic());
        let ours = |(token, until): &(i64, Duration)| *token == self.token && now < *until;
        if !leases.shared || leases.held().get(&self.lease).is_some_and(ours) { Ok(()) } else { Err(lost(self.lease)) }
    }
}

impl Drop for LeaseHeld {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if let Err(fault) = self.store.lease_release(self.lease) {
            tracing::warn!(code = fault.code.as_str(), lease = self.lease.name(), "a lease ends by itself");
        }
        self.store.shared.leases.kept().remove(&self.lease);
    }
}
