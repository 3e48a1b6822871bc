//! Shipping as the appliance has it: which targets, with which keys, and how it stands. Begun with the store, by every
//! process of the appliance; the first of them ships for all.

use crate::appliance::keeper::RETRY_SECONDS;
use crate::appliance::{Appliance, Keeper, LogSigner, recovery_failure, target_of};
use crate::cli::failure::Failure;
use crate::config::{DatabaseConfig, ShipConfig, TargetConfig};
use recovery::{ShipPlan, ShipStart, ShipStatus, Target, TargetShipped};
use std::sync::Arc;
use store::Store;

/// What the closed database file looked like; asked before the store is opened.
pub(super) fn stamp(appliance: &Appliance) -> Option<(u64, i64)> {
    store::file_stamp(&appliance.layout.database())
}

/// Begins to ship, if the configuration says so.
pub(super) fn begin(
    appliance: &Appliance,
    store: &Arc<Store>,
    signer: &Arc<LogSigner>,
    opened_from: Option<(u64, i64)>,
) -> Result<Option<Arc<ShipStatus>>, Failure> {
    let backup = &appliance.config.backup;
    let Some(ship) = backup.ship.as_ref().filter(|_| appliance.config.database == DatabaseConfig::Sqlite) else {
        store.ship_never()?;
        return Ok(None);
    };
    let house = store.appliance()?;
    let target = |name: &String| -> Option<Arc<dyn Target>> {
        let (name, config) = backup.targets.iter().find(|(target, _)| target == name)?;
        Some(target_of(name, config, &house, store.clock()).into())
    };
    let folder = |name: &String| match &backup.targets.iter().find(|(target, _)| target == name)?.1 {
        TargetConfig::Folder(path) => Some(path),
        TargetConfig::S3(_) | TargetConfig::Sftp(_) => None,
    };
    let sync = ship.sync.as_ref().and_then(|name| Some((target(name)?, folder(name)?.join(&house))));
    let mut recipients = backup.recipients.clone();
    if backup.own_key {
        recipients.push(appliance.vault.archive_identity()?.recipient());
    }
    let plan = ShipPlan {
        sync,
        others: ship.also.iter().filter_map(target).collect(),
        spool: appliance.layout.spool(),
        bytes_max: ship.spool_bytes,
        strict: ship.strict,
        recipients,
        term: store.read(|tx| tx.term()).wait()?,
    };
    let signer = Arc::clone(signer) as Arc<dyn audit::Signer + Send + Sync>;
    let start = ShipStart { plan, signer, opened_from, database: appliance.layout.database() };
    recovery::ship(store, start).map(Some).map_err(recovery_failure)
}

impl Keeper {
    /// The targets that commits are shipped to and that have no set that leads into the stream yet.
    pub(crate) fn targets_without_base(&self) -> Vec<String> {
        let stream = self.shipping.as_ref().and_then(|shipping| shipping.stream_without_base());
        let config = self.config();
        let (Some(ship), Some(stream)) = (&config.ship, stream) else {
            return Vec::new();
        };
        let (targets, rows, now) = (self.targets(), self.sets().unwrap_or_default(), self.now());
        let failed = |name: &str| {
            let last = rows.iter().find(|row| row.target == name);
            last.is_some_and(|row| row.state == "failed" && row.made_at.plus_seconds(RETRY_SECONDS) > now)
        };
        let (mut without, mut unknown) = (Vec::new(), false);
        for target in targets.iter().filter(|target| ship.names(target.name())) {
            match recovery::leads_into_stream(target.as_ref(), &stream) {
                Ok(true) => {}
                Ok(false) if !failed(target.name()) => without.push(target.name().to_owned()),
                // One that does not answer is asked again the next time.
                Ok(false) | Err(_) => unknown = true,
            }
        }
        if let Some(shipping) = &self.shipping {
            shipping.base_is_known(&stream, without.is_empty() && !unknown, now);
        }
        without
    }

    /// How shipping to each target stands; nothing where it is not configured.
    pub(crate) fn shipped(&self) -> Vec<TargetShipped> {
        self.shipping.as_ref().map(|shipping| shipping.targets(self.now())).unwrap_or_default()
    }

    /// Removes what was shipped before the oldest set from which one should be able to go on. Says how many files went.
    pub(super) fn prune_streams(&self) -> Result<usize, Failure> {
        let config = self.config();
        let Some(ship) = &config.ship else { return Ok(0) };
        let (begins, mut gone) = (window_begins(ship, self.now()), 0);
        for target in self.targets().iter().filter(|target| ship.names(target.name())) {
            gone += recovery::streams_prune(target.as_ref(), begins).map_err(recovery_failure)?;
        }
        Ok(gone)
    }
}

/// The oldest moment to which one should be able to go back.
fn window_begins(ship: &ShipConfig, now: kernel::Timestamp) -> kernel::Timestamp {
    now.plus_seconds(-i64::try_from(ship.window_days).unwrap_or(i64::MAX / 86_400).saturating_mul(86_400))
}
