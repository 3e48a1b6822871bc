//! The way to the relay as the configuration has it. Password and authorities are read when a letter is sent, so they can be
//! mended while the appliance runs; the password file must be private.

use crate::appliance::{Appliance, layout, read_small};
use crate::config::{Config, MailConfig};
use kernel::limits;
use notify::{Access, House, Relay};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Where the system keeps the name of the machine.
const MACHINE: &str = "/proc/sys/kernel/hostname";
/// Bytes of the file of authorities: a whole system's list.
const AUTHORITIES_BYTES_MAX: u64 = 4 * 1024 * 1024;

struct Files {
    ca_file: PathBuf,
    password_file: Option<PathBuf>,
}

impl Access for Files {
    fn authorities(&self) -> io::Result<Vec<u8>> {
        let text = read_small(&self.ca_file, AUTHORITIES_BYTES_MAX).map_err(|failure| told(failure.what()))?;
        Ok(text.into_bytes())
    }
    fn password(&self) -> io::Result<Zeroizing<String>> {
        let Some(path) = &self.password_file else { return Err(told("no password_file is named")) };
        layout::require_private(path).map_err(|failure| told(failure.what()))?;
        let text = read_small(path, limits::CONFIG_BYTES_MAX).map_err(|failure| told(failure.what()))?;
        Ok(Zeroizing::new(Zeroizing::new(text).trim().to_owned()))
    }
    fn machine(&self) -> String {
        machine()
    }
}

fn told(what: &str) -> io::Error {
    io::Error::other(what.to_owned())
}

/// The name of this machine; `localhost` where it has none that a relay would take.
fn machine() -> String {
    let name = std::fs::read_to_string(MACHINE).unwrap_or_default();
    let name = name.trim();
    if crate::config::host_name_is_plain(name) { name.to_owned() } else { "localhost".to_owned() }
}

/// The relay of the configuration. Nothing is connected to yet.
pub(crate) fn relay_of(mail: &MailConfig, appliance: &Appliance) -> Relay {
    let files = Files { ca_file: mail.ca_file.clone(), password_file: mail.password_file.clone() };
    let (clock, random) = (Arc::clone(&appliance.clock), Arc::clone(&appliance.random));
    Relay::new(mail.relay.clone(), Arc::new(files), clock, random)
}

/// Who writes the letters of an appliance: the first name of its certificate, else the machine.
pub(crate) fn house_of(config: &Config) -> House {
    let names = &config.server.names;
    let host = names.iter().find(|name| !name.starts_with('*')).cloned().unwrap_or_else(machine);
    House { host, node: config.node.clone() }
}
