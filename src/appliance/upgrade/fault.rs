//! What tests of upgrades do to a build with debug assertions: another version, and an end in the middle. In any other build this
//! does nothing, whatever the environment says.

use crate::appliance::upgrade::Phase;

/// Another version than that of the package.
pub(super) fn version() -> Option<String> {
    if cfg!(debug_assertions) { std::env::var("KONTOR_TRIAL_VERSION").ok() } else { None }
}

/// Ends the process as a power cut would, right after this phase was written down.
pub(super) fn reached(phase: Phase) {
    if cfg!(debug_assertions) && std::env::var("KONTOR_TRIAL_KILL").is_ok_and(|name| name == phase.word()) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// What a process that is started hands on of this.
pub(super) fn handed_on() -> Option<(&'static str, String)> {
    let name = "KONTOR_TRIAL_KILL";
    if cfg!(debug_assertions) { std::env::var(name).ok().map(|value| (name, value)) } else { None }
}
