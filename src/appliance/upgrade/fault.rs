//! What tests of upgrades do to a build with debug assertions: another version, and an end in the middle. In any other build this
//! does nothing, whatever the environment says.

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

/// What a process that is started hands on of this.
pub(super) fn handed_on() -> Option<(&'static str, String)> {
    let name = "KONTOR_TRIAL_KILL";
    if cfg!(debug_assertions) { std::env::var(name).ok().map(|value| (name, value)) } else { None }
}
