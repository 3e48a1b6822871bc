//! How the appliance is: database, log, disk, certificate. Each check says in words what to do when it is not well.
//! It looks and tells; it mends nothing.

use crate::appliance::backup_health::backup_check;
use crate::appliance::{Appliance, Layout};
use crate::cli::failure::Failure;
use crate::config::BackupConfig;
use api::{Check, Health, OwnCertificates, certificate_expires};
use audit::{TileReader, VerifierKey};
use kernel::Clock;
use recovery::ShipStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::Store;

/// Entries that may wait to be sealed before the sealer counts as stuck, if it makes no progress either.
const UNSEALED_PATIENCE: Duration = Duration::from_secs(10);
/// Free space below which the operator is warned: 512 MiB.
const DISK_FREE_BYTES_MIN: u64 = 512 * 1024 * 1024;
/// Days before the end of a certificate at which the operator is warned; it renews itself at 30, at a start.
const CERTIFICATE_DAYS_MIN: i64 = 14;
const DAY_MICROS: i64 = 86_400 * 1_000_000;

/// The checks of one appliance.
pub(crate) struct ApplianceHealth {
    layout: Layout,
    secure: bool,
    backup: BackupConfig,
    key: VerifierKey,
    clock: Arc<dyn Clock>,
    store: Arc<Store>,
    shipping: Option<Arc<ShipStatus>>,
    /// The size of the sealed log when it was last seen to grow, and when that was.
    progress: Mutex<(u64, Duration)>,
}

impl ApplianceHealth {
    /// The checks over an open store.
    pub(crate) fn new(
        appliance: &Appliance,
        store: &Arc<Store>,
        shipping: Option<Arc<ShipStatus>>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            layout: appliance.layout.clone(),
            secure: !appliance.config.server.plain_http_on_loopback,
            backup: appliance.config.backup.clone(),
            key: appliance.verifier_key()?,
            clock: Arc::clone(&appliance.clock),
            store: Arc::clone(store),
            shipping,
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
        let renewal = "Restart the appliance: it issues a new one at start.";
        let end = match certificate_expires(&OwnCertificates::in_folder(self.layout.tls()).server().certificate) {
            Ok(end) => end,
            Err(error) => {
                return check("certificate", false, "certificate_unreadable", [], format!("{error}. {renewal}"));
            }
        };
        let days = end.micros().saturating_sub(self.clock.now().micros()) / DAY_MICROS;
        let figures = [("days", u64::try_from(days).unwrap_or(0))];
        if days >= CERTIFICATE_DAYS_MIN {
            return check("certificate", true, "certificate_good", figures, format!("Good for {days} days."));
        }
        check("certificate", false, "certificate_ends", figures, format!("Good for {days} days. {renewal}"))
    }
}

pub(super) fn check<const N: usize>(
    name: &'static str,
    ok: bool,
    state: &'static str,
    figures: [(&'static str, u64); N],
    detail: String,
) -> Check {
    Check { name, ok, state, figures: figures.into(), detail, serves: name != "backup" || state == "backup_fenced" }
}

impl Health for ApplianceHealth {
    fn checks(&self) -> Vec<Check> {
        let (database, log) = self.log();
        let backup =
            backup_check(&self.backup, &self.store, self.shipping.as_deref(), self.layout.demo_users().exists());
        vec![database, log, self.disk(), self.certificate(), backup]
    }
}
