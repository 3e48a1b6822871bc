//! What of the configuration may change while the appliance serves, and which keys have to wait for the next start. Whoever needs
//! such a value asks for it each time. It reads no file itself.

use crate::appliance::watch::Post;
use crate::config::{BackupConfig, Config};
use arc_swap::{ArcSwap, ArcSwapOption};
use std::sync::Arc;

/// The values in force.
pub(crate) struct Live {
    backup: ArcSwap<BackupConfig>,
    post: ArcSwapOption<Post>,
}

impl Live {
    pub(super) fn new(config: &Config) -> Self {
        Self { backup: ArcSwap::from_pointee(config.backup.clone()), post: ArcSwapOption::empty() }
    }
    /// When sets are made, where they go, and how long they stay.
    pub(super) fn backup(&self) -> Arc<BackupConfig> {
        self.backup.load_full()
    }
    /// Takes over what may change of backups. Shipping goes on to the targets that it began with.
    pub(super) fn backup_set(&self, config: &Config) {
        let ship = self.backup().ship.clone();
        self.backup.store(Arc::new(BackupConfig { ship, ..config.backup.clone() }));
    }
    /// The post, where there is a relay and the appliance is open.
    pub(super) fn post(&self) -> Option<Arc<Post>> {
        self.post.load_full()
    }
    pub(super) fn post_set(&self, post: Option<Arc<Post>>) {
        self.post.store(post);
    }
}

/// The keys that differ and count from the next start on.
pub(crate) fn restart_keys(before: &Config, after: &Config) -> Vec<&'static str> {
    let (old, new) = (&before.server, &after.server);
    let shipped = |config: &Config| {
        let ship = config.backup.ship.as_ref();
        let named = config.backup.targets.iter().filter(|(name, _)| ship.is_some_and(|ship| ship.names(name)));
        named.cloned().collect::<Vec<_>>()
    };
    let keys = [
        ("node", before.node != after.node),
        ("server.listen", old.listen != new.listen),
        ("server.plain_http_on_loopback", old.plain_http_on_loopback != new.plain_http_on_loopback),
        ("server.proxies", old.proxies != new.proxies),
        ("database", before.database != after.database),
        ("files.folder", before.files != after.files),
        ("unseal.key_file", before.unseal != after.unseal),
        ("log.format", before.log.json != after.log.json),
        ("backup.ship", before.backup.ship != after.backup.ship || shipped(before) != shipped(after)),
    ];
    keys.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appliance::Layout;
    use std::path::Path;

    #[test]
    fn what_waits_for_a_start_is_named() {
        let config = |text: &str| Config::parse(text, &Layout::new(Path::new("/srv/kontor"))).unwrap();
        let target = "[backup.targets]\nd = \"/mnt/d\"\n";
        let shipped = format!("[backup.ship]\nsync = \"d\"\n{target}");
        for (before, after, keys) in [
            ("", "", &[][..]),
            ("", "[log]\nlevel = \"debug\"\n[server]\nnames = [\"a.example\"]\ndrain_seconds = 5", &[]),
            ("", "[backup]\nschedule = \"1 1 * * *\"", &[]),
            ("", target, &[]),
            ("", "node = \"b\"\n[server]\nlisten = \"127.0.0.1:1\"", &["node", "server.listen"]),
            ("", "[log]\nformat = \"json\"\n[unseal]\nkey_file = \"k\"", &["unseal.key_file", "log.format"]),
            (target, shipped.as_str(), &["backup.ship"]),
            (shipped.as_str(), &shipped.replace("/mnt/d", "/mnt/e"), &["backup.ship"]),
        ] {
            assert_eq!(restart_keys(&config(before), &config(after)), keys, "{after}");
        }
    }
}
