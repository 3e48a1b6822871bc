//! The targets of the configuration as things that sets can be put on. It connects to nothing before somebody uses one.

use crate::config::TargetConfig;
use kernel::Clock;
use outbound::{S3Target, SftpTarget};
use recovery::{DirectoryTarget, Target};
use std::sync::Arc;

/// A target for the sets of this appliance.
pub(crate) fn target_of(name: &str, config: &TargetConfig, appliance: &str, clock: &Arc<dyn Clock>) -> Box<dyn Target> {
    match config {
        TargetConfig::Folder(path) => Box::new(DirectoryTarget::new(name, path, appliance)),
        TargetConfig::S3(settings) => Box::new(S3Target::new(name, settings.clone(), appliance, Arc::clone(clock))),
        TargetConfig::Sftp(settings) => Box::new(SftpTarget::new(name, settings.clone(), appliance)),
    }
}
