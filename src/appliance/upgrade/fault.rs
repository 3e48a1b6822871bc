//! What tests of upgrades do to a build with debug assertions: another version, and an end in the middle. In any other build this
//! does nothing, whatever the environment says.

use std::ffi::OsString;
use std::path::PathBuf;

/// Another version than that of the package.
pub(super) fn version() -> Option<String> {
    if cfg!(debug_assertions) { std::env::var("KONTOR_TRIAL_VERSION").ok() } else { None }
}

/// Ends the process as a power cut would, right after this was done: the word of a phase, when that was written down, or another.
/// Where a mark follows the word, the process that waits for this one ends before it.
pub(super) fn reached(what: &str) {
    let Ok(wanted) = std::env::var("KONTOR_TRIAL_KILL") else { return };
    let (word, both) = wanted.strip_suffix('!').map_or((wanted.as_str(), false), |word| (word, true));
    if !cfg!(debug_assertions) || word != what {
        return;
    }
    let above = rustix::process::getppid().filter(|_| both);
    for process in above.into_iter().chain([rustix::process::getpid()]) {
        let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
    }
}

/// Another place for what root notes for itself.
pub(super) fn place() -> Option<PathBuf> {
    if cfg!(debug_assertions) { std::env::var_os("KONTOR_TRIAL_PLACE").map(PathBuf::from) } else { None }
}

/// What a process that is started hands on of this.
pub(super) fn handed_on() -> impl Iterator<Item = (&'static str, OsString)> {
    let names = ["KONTOR_TRIAL_KILL", "KONTOR_TRIAL_PLACE"].into_iter().filter(|_| cfg!(debug_assertions));
    names.filter_map(|name| Some((name, std::env::var_os(name)?)))
}
