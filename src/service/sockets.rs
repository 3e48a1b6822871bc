//! Sockets that the service manager holds open (socket activation): connections wait in them while the service starts anew, and it
//! needs no right to open ports. And how many may be open at a time. It binds nothing itself.

use crate::cli::failure::{EXIT_CONFIG, Failure};
use kernel::{Code, limits};
use listenfd::ListenFd;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs;
use std::net::TcpListener;

/// Descriptors for files beside those of connections.
const FILES_BESIDE: u64 = 4_096;

/// Lets this process have as many connections as its limit says, where the system leaves it fewer and lets it ask for more.
pub(crate) fn make_room() {
    let wanted = u64::try_from(limits::CONNECTIONS_MAX).unwrap_or(u64::MAX).saturating_add(FILES_BESIDE);
    let may = getrlimit(Resource::Nofile);
    let wanted = may.maximum.map_or(wanted, |most| most.min(wanted));
    if may.current.is_none_or(|now| now >= wanted) {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: may.maximum }) {
        tracing::warn!(%error, may = may.current, "fewer files and connections may be open than this server could serve");
    }
}

/// Whether nearly all connections are taken that this process may have: then it cannot even ask itself.
pub(crate) fn are_taken() -> bool {
    let most = u64::try_from(limits::CONNECTIONS_MAX).unwrap_or(u64::MAX);
    let most = getrlimit(Resource::Nofile).current.map_or(most, |may| may.min(most));
    // Where not even this list can be opened, no descriptor is left.
    let open =
        fs::read_dir("/proc/self/fd").map_or(u64::MAX, |listed| u64::try_from(listed.count()).unwrap_or(u64::MAX));
    open >= most / 10 * 9
}

/// The sockets that were handed to this process; none without socket activation. Once: the environment names them no longer then.
pub(crate) fn handed() -> Result<Vec<TcpListener>, Failure> {
    let mut handed = ListenFd::from_env();
    let mut sockets = Vec::with_capacity(handed.len());
    for at in 0..handed.len() {
        let socket = handed.take_tcp_listener(at).map_err(|error| {
            Failure::new(Code::ConfigInvalid, format!("socket {} of those that were handed over: {error}", at + 1))
                .exit(EXIT_CONFIG)
                .kept("nothing was started")
                .todo("write ListenStream= with an address and a port into the socket unit, and nothing else")
        })?;
        sockets.extend(socket);
    }
    Ok(sockets)
}
