//! How the appliance is: database, log, disk, certificate. Each check says in words what to do when it is not well.
//! It looks and tells; it mends nothing.

use crate::appliance::backup_health::Looked;
use crate::appliance::upgrade::State;
use crate::appliance::watch::Silent;
use crate::appliance::{Appliance, Layout, Live};
use crate::cli::failure::Failure;
use api::{CERTIFICATE_DUE_DAYS, CERTIFICATE_ENDS_DAYS, Check, Health, InUse, certificate_expires};
use audit::{TileReader, VerifierKey};
use kernel::Clock;
use notify::{Alarm, AlarmKind};
use recovery::ShipStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::Store;

/// Entries that may wait to be sealed before the sealer counts as stuck, if it makes no progress either.
const UNSEALED_PATIENCE: Duration = Duration::from_secs(10);
/// Free space below which the operator is warned: 512 MiB.
const DISK_FREE_BYTES_MIN: u64 = 512 * 1024 * 1024;
/// Days that an upgrade may wait to be finalized.
const UPGRADE_DAYS_MAX: i64 = 14;
const DAY_MICROS: i64 = 86_400 * 1_000_000;

/// The checks of one appliance.
pub(crate) struct ApplianceHealth {
    layout: Layout,
    secure: bool,
    live: Arc<Live>,
    key: VerifierKey,
    clock: Arc<dyn Clock>,
    store: Arc<Store>,
    shipping: Option<Arc<ShipStatus>>,
    silent: Arc<Silent>,
    /// The size of the sealed log when it was last seen to grow, and when that was.
    progress: Mutex<(u64, Duration)>,
}

impl ApplianceHealth {
    /// The checks over an open store.
    pub(crate) fn new(
        appliance: &Appliance,
        store: &Arc<Store>,
        shipping: Option<Arc<ShipStatus>>,
        silent: Arc<Silent>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            layout: appliance.layout.clone(),
            secure: !appliance.config.server.plain_http_on_loopback,
            live: Arc::clone(&appliance.live),
            key: appliance.verifier_key()?,
            clock: Arc::clone(&appliance.clock),
            store: Arc::clone(store),
            shipping,
            silent,
            progress: Mutex::new((0, appliance.clock.monotonic())),
        })
    }

    fn log(&self) -> (Check, Check) {
        let rows = match self.store.read(|tx| tx.log_size()).wait() {
            Ok(rows) => rows,
            Err(fault) => {
                let lost =
                    format!("The database does not answer ({}). Look at its disk or its server.", fault.code.as_str());
                let unknown = "Unknown while the database does not answer.".to_owned();
                return (
                    check("database", false, "database_silent", [], lost),
                    check("audit_log", false, "log_unknown", [], unknown),
                );
            }
        };
        let database = check("database", true, "database_answers", [], "It answers.".to_owned());
        let sealed = match TileReader::open(self.layout.log(), &self.key) {
            Ok((_, checkpoint)) => checkpoint.size,
            Err(error) => {
                let told = format!("The checkpoint cannot be read: {error}. Run `kontor audit verify`.");
                return (database, check("audit_log", false, "log_unreadable", [], told));
            }
        };
        let now = self.clock.monotonic();
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if sealed != progress.0 || sealed >= rows {
            *progress = (sealed, now);
        }
        if sealed < rows && now.saturating_sub(progress.1) > UNSEALED_PATIENCE {
            let waiting = rows - sealed;
            let told = format!(
                "{waiting} entries wait to be sealed and none is. Look at the disk of the log folder, then restart."
            );
            return (database, check("audit_log", false, "log_waits", [("waiting", waiting)], told));
        }
        let told = format!("{sealed} of {rows} entries are sealed.");
        (database, check("audit_log", true, "log_sealed", [("sealed", sealed), ("rows", rows)], told))
    }

    fn disk(&self) -> Check {
        let free = match rustix::fs::statvfs(self.layout.dir()) {
            Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
            Err(error) => {
                return check("disk", false, "disk_unknown", [], format!("Its free space is unknown: {error}."));
            }
        };
        let told = format!("{} MiB are free.", free / (1024 * 1024));
        let figures = [("free_bytes", free)];
        if free >= DISK_FREE_BYTES_MIN {
            return check("disk", true, "disk_free", figures, told);
        }
        let told = format!("{told} Free some: without space the log cannot grow, and nothing is answered.");
        check("disk", false, "disk_low", figures, told)
    }

    fn certificate(&self) -> Check {
        if !self.secure {
            let told = "Plain HTTP on a loopback address; none is used.".to_owned();
            return check("certificate", true, "certificate_none", [], told);
        }
        let InUse { files, of_site } = InUse::in_folder(&self.layout.tls());
        let renewal = match of_site {
            true => "Ask the authority of the site for a new one: `kontor tls csr`, then `kontor tls import`.",
            false => "Restart the appliance: it issues a new one at start.",
        };
        let end = match certificate_expires(&files.certificate) {
            Ok(end) => end,
            Err(error) => {
                return check("certificate", false, "certificate_unreadable", [], format!("{error}. {renewal}"));
            }
        };
        let days = end.micros().saturating_sub(self.clock.now().micros()) / DAY_MICROS;
        let figures = [("days", u64::try_from(days).unwrap_or(0))];
        let state = match (days < CERTIFICATE_ENDS_DAYS, of_site) {
            (true, true) => "certificate_site_ends",
            (true, false) => "certificate_ends",
            (false, true) if days < CERTIFICATE_DUE_DAYS => "certificate_due",
            (false, _) => {
                return check("certificate", true, "certificate_good", figures, format!("Good for {days} days."));
            }
        };
        check("certificate", false, state, figures, format!("Good for {days} days. {renewal}"))
    }
}

pub(super) fn check<const N: usize>(
    name: &'static str,
    ok: bool,
    state: &'static str,
    figures: [(&'static str, u64); N],
    detail: String,
) -> Check {
    // A certificate that ends in some days is no reason to take a node out of service: the others have the same. Nor is a file that
    // somebody broke: the server shows what it has loaded.
    let beside = matches!(name, "backup" | "mail" | "nodes" | "upgrade" | "certificate");
    let serves = !beside || matches!(state, "backup_fenced" | "node_replaced");
    Check { name, ok, state, figures: figures.into(), detail, serves }
}

/// What somebody should know, and what mail tells of it.
pub(super) struct Finding {
    pub(super) check: Check,
    pub(super) alarms: Vec<Alarm>,
}

/// The alarms of a check about the machine or the log that is not well. A certificate that ends soon was due before: the first
/// alarm stays while the second is there.
fn alarms_of(check: &Check) -> Vec<Alarm> {
    let due = (check.state == "certificate_site_ends").then(|| Check { state: "certificate_due", ..check.clone() });
    due.iter().chain([check]).filter_map(alarm_of).collect()
}

fn alarm_of(check: &Check) -> Option<Alarm> {
    let figure = |name: &str| check.figures.get(name).copied().unwrap_or(0);
    let kind = match check.state {
        "certificate_unreadable" => AlarmKind::CertificateEnds,
        state => AlarmKind::ALL.into_iter().find(|kind| kind.word() == state)?,
    };
    let figure = match kind {
        AlarmKind::DiskLow => figure("free_bytes") >> 20,
        AlarmKind::CertificateEnds | AlarmKind::CertificateDue | AlarmKind::CertificateSiteEnds => figure("days"),
        AlarmKind::LogWaits => figure("waiting"),
        _ => 0,
    };
    (!check.ok).then(|| Alarm::new(kind, "", figure))
}

impl ApplianceHealth {
    fn mail(&self) -> Check {
        let Some(status) = self.live.post().map(|post| post.outbox.status()) else {
            let told = "None is sent: mail.relay in kontor.toml names no relay.".to_owned();
            return check("mail", true, "mail_none", [], told);
        };
        let waiting = [("waiting", status.waiting as u64)];
        if let Some((_, told)) = status.failing.filter(|_| status.waiting > 0) {
            return check("mail", false, "mail_waits", waiting, format!("{} letters wait: {told}.", status.waiting));
        }
        if status.refused > 0 {
            let told = "The relay refuses a recipient. Look with `kontor mail test`.".to_owned();
            return check("mail", false, "mail_refused", [("refused", status.refused as u64)], told);
        }
        let told = format!("{} letters were sent since the start.", status.taken);
        check("mail", true, "mail_good", [("taken", status.taken)], told)
    }

    /// An upgrade that is done and not final.
    fn upgrade(&self) -> Option<Check> {
        let state = State::read(&self.layout).ok().flatten().filter(State::waits)?;
        let days = self.clock.now().micros().saturating_sub(state.since.micros()) / DAY_MICROS;
        let told = format!(
            "{} is not finalized since {}. Run `kontor upgrade finalize`, or `rollback`.",
            state.to, state.since
        );
        let figures = [("days", u64::try_from(days).unwrap_or(0))];
        let (ok, word) = if days < UPGRADE_DAYS_MAX { (true, "upgrade_waits") } else { (false, "upgrade_forgotten") };
        Some(check("upgrade", ok, word, figures, told))
    }

    /// Everything that is looked at, and what mail tells of it.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let (database, log) = self.log();
        let plain = |check: Check| Finding { alarms: alarms_of(&check), check };
        let mut found: Vec<Finding> = [database, log, self.disk(), self.certificate()].into_iter().map(plain).collect();
        let (silent, backup) = (self.silent.names(), self.live.backup());
        let looked = Looked {
            config: &backup,
            store: &self.store,
            shipping: self.shipping.as_deref(),
            demonstration: self.layout.demo_users().exists(),
            silent: &silent,
        };
        found.extend(looked.findings());
        found.push(Finding { check: self.mail(), alarms: Vec::new() });
        found.extend(self.nodes().map(|check| Finding { check, alarms: Vec::new() }));
        found.extend(self.upgrade().map(|check| Finding { check, alarms: Vec::new() }));
        found
    }

    /// The nodes, where there can be several and the database says which there are.
    fn nodes(&self) -> Option<Check> {
        if self.store.node_replaced() {
            let told = "Another process took this node's name, or the node was removed. Restart it.".to_owned();
            return Some(check("nodes", false, "node_replaced", [], told));
        }
        let nodes = if self.store.is_shared() { self.store.read(|tx| tx.nodes()).wait().ok()? } else { return None };
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let (alive, all) = (number(nodes.iter().filter(|node| node.lives).count()), number(nodes.len()));
        let silent = nodes.iter().filter(|node| !node.lives && node.stopped_at.is_none());
        let silent: Vec<&str> = silent.map(|node| node.name.as_str()).collect();
        let figures = [("alive", alive), ("nodes", all)];
        if silent.is_empty() {
            return Some(check("nodes", true, "nodes_good", figures, format!("{alive} of {all} nodes serve.")));
        }
        let told = format!("{alive} of {all} nodes serve. Look at {}, or `kontor node remove`.", silent.join(", "));
        Some(check("nodes", false, "nodes_silent", figures, told))
    }
}

/// How an appliance is, for a command beside the server: without what only the serving process knows.
pub(crate) fn checks_beside(appliance: &Appliance, store: &Arc<Store>) -> Result<Vec<Check>, Failure> {
    let health = ApplianceHealth::new(appliance, store, None, Arc::default())?;
    Ok(health.checks().into_iter().filter(|check| check.name != "mail").collect())
}

impl Health for ApplianceHealth {
    fn checks(&self) -> Vec<Check> {
        let mut checks: Vec<Check> = Vec::new();
        for found in self.findings() {
            // Of what is wrong with one thing the page shows the worst.
            if checks.last().is_none_or(|last| last.name != found.check.name) {
                checks.push(found.check);
            }
        }
        checks
    }
}
