//! Machines for tests: network namespaces, each with one wire to this one, so that a node has its own loopback and its wire can be
//! cut. Needs root and the programs of iproute2; where that cannot be, the tests that need it say so.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};

/// A machine of its own.
pub(crate) struct Space {
    name: String,
    wire: String,
    /// Its address, and ours on its wire.
    pub(crate) address: Ipv4Addr,
    pub(crate) ours: Ipv4Addr,
}

fn ip(arguments: &[&str]) -> bool {
    let status = Command::new("ip").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

impl Space {
    /// Machines of these numbers; `None`, and said so, where there can be none. With `CI` set that is a failure.
    pub(crate) fn several<const N: usize>() -> Option<[Self; N]> {
        let made: Vec<Self> = (0..N).map_while(Self::make).collect();
        made.try_into().ok().or_else(|| {
            let why = "no network namespaces can be made here (root and iproute2 are needed)";
            assert!(std::env::var_os("CI").is_none(), "{why}");
            println!("SKIPPED: {why}");
            None
        })
    }

    fn make(number: usize) -> Option<Self> {
        let pid = std::process::id();
        let (name, wire) = (format!("kontor{pid}n{number}"), format!("kn{pid}w{number}"));
        let (high, low) = (u8::try_from(pid / 64 % 256).ok()?, u8::try_from(pid % 64 * 4).ok()?);
        let net = 100 + u8::try_from(number).ok()?;
        let (ours, address) = (Ipv4Addr::new(10, net, high, low + 1), Ipv4Addr::new(10, net, high, low + 2));
        let space = Self { name, wire, address, ours };
        let (inside, far) = (space.name.as_str(), format!("{}i", space.wire));
        let within = |rest: &[&str]| ip(&[["-n", inside].as_slice(), rest].concat());
        let made = ip(&["netns", "add", inside])
            && ip(&["link", "add", &space.wire, "type", "veth", "peer", "name", &far])
            && ip(&["link", "set", &far, "netns", inside])
            && ip(&["addr", "add", &format!("{ours}/30"), "dev", &space.wire])
            && ip(&["link", "set", &space.wire, "up"])
            && within(&["addr", "add", &format!("{address}/30"), "dev", &far])
            && within(&["link", "set", &far, "up"])
            && within(&["link", "set", "lo", "up"]);
        made.then_some(space)
    }

    /// A command on this machine. It keeps its process: a signal to it is a signal to the program.
    pub(crate) fn command(&self, command: &Command) -> Command {
        let mut inside = Command::new("ip");
        inside.args(["netns", "exec", &self.name]).arg(command.get_program()).args(command.get_args());
        inside.stdin(Stdio::null()).env_remove("KONTOR_PASSPHRASE_FILE");
        if let Some(folder) = command.get_current_dir() {
            inside.current_dir(folder);
        }
        inside
    }

    /// Cuts its wire: nothing arrives, and nobody is told.
    pub(crate) fn cut(&self) {
        assert!(ip(&["link", "set", &self.wire, "down"]));
    }
    /// Mends it.
    pub(crate) fn mend(&self) {
        assert!(ip(&["link", "set", &self.wire, "up"]));
    }

    /// Lets this machine reach a port of ours that listens on loopback only; the port it is reached by.
    pub(crate) fn reach(&self, to: SocketAddr) -> u16 {
        let listener = TcpListener::bind((self.ours, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || listener.incoming().flatten().for_each(|from| pass(from, to)));
        port
    }
}

/// Carries bytes both ways until one side ends.
fn pass(from: TcpStream, to: SocketAddr) {
    let Ok(far) = TcpStream::connect(to) else { return };
    let _ = (from.set_nodelay(true), far.set_nodelay(true));
    let pairs = [(from.try_clone(), far.try_clone()), (far.try_clone(), from.try_clone())];
    for pair in pairs {
        let (Ok(mut source), Ok(mut sink)) = pair else { return };
        std::thread::spawn(move || {
            let _ = io::copy(&mut source, &mut sink);
            let _ = sink.shutdown(Shutdown::Both);
            let _ = source.shutdown(Shutdown::Both);
        });
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        ip(&["netns", "del", &self.name]);
        ip(&["link", "del", &self.wire]);
    }
}
