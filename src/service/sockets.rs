//! Sockets that the service manager holds open (socket activation): connections wait in them while the service starts anew, and it
//! needs no right to open ports. It binds nothing itself.

use crate::cli::failure::{EXIT_CONFIG, Failure};
use kernel::Code;
use listenfd::ListenFd;
use std::net::TcpListener;

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
