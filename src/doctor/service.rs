//! The service: whether it runs and is ready, whether its port is free, its certificate.

use super::{Findings, Patient};
use crate::cli::local;
use api::{CERTIFICATE_DUE_DAYS, CERTIFICATE_ENDS_DAYS, InUse, certificate_expires, certificate_lacks};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};

const DAY_MICROS: i64 = 86_400 * 1_000_000;

pub(super) fn look(patient: &Patient<'_>, findings: &mut Findings) {
    certificate(patient, findings);
    if patient.serving {
        ready(patient, findings);
        return;
    }
    findings.add("service_stopped", "no process serves this folder");
    let listen = patient.config.server.listen;
    match TcpListener::bind(listen) {
        Ok(_) => findings.well(format!("{listen} is free.")),
        // Ports below 1024 are the service's to open, not of every account.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        Err(_) if held_for_service(listen, &socket_units()) => {
            findings.well(format!("{listen} is held open for the service by its socket unit."));
        }
        Err(error) => findings.add("port_taken", format!("{listen}: {error}")),
    }
}

/// What systemd listens on: address, socket unit and service in each line; nothing where it does not answer.
fn socket_units() -> String {
    let asked = Command::new("systemctl")
        .args(["list-sockets", "--no-legend", "--no-pager"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    asked.map(|told| String::from_utf8_lossy(&told.stdout).into_owned()).unwrap_or_default()
}

/// Whether a socket unit of Kontor has this port.
fn held_for_service(listen: SocketAddr, units: &str) -> bool {
    units.lines().any(|line| {
        let mut words = line.split_whitespace();
        let port = words.next().and_then(|address| address.rsplit_once(':')).map(|(_, port)| port.parse::<u16>());
        port == Some(Ok(listen.port())) && words.any(|unit| unit.starts_with("kontor"))
    })
}

fn certificate(patient: &Patient<'_>, findings: &mut Findings) {
    if patient.config.server.plain_http_on_loopback {
        findings.well("Plain HTTP on a loopback address; no certificate is used.");
        return;
    }
    let InUse { files, of_site } = InUse::in_folder(&patient.layout.tls());
    let of = |own: &'static str, site: &'static str| if of_site { site } else { own };
    match certificate_expires(&files.certificate) {
        Err(error) => findings.add(of("certificate_unusable", "certificate_site_unusable"), error.to_string()),
        Ok(end) => {
            let days = end.micros().saturating_sub(patient.clock.now().micros()) / DAY_MICROS;
            let told = format!("the certificate is good for {days} days");
            if days < CERTIFICATE_ENDS_DAYS {
                findings.add(of("certificate_ends", "certificate_site_ends"), told);
            } else if days < CERTIFICATE_DUE_DAYS && of_site {
                findings.add("certificate_due", told);
            } else {
                findings.well(format!("The certificate is good for {days} days."));
            }
        }
    }
    let lacks = certificate_lacks(&files.certificate, &patient.config.server.names).unwrap_or_default();
    if !lacks.is_empty() {
        findings.add(of("certificate_names", "certificate_site_names"), lacks.join(", "));
    }
}

fn ready(patient: &Patient<'_>, findings: &mut Findings) {
    match local::readiness(patient.layout) {
        Ok(reasons) if reasons.is_empty() => findings.well("It serves and is ready."),
        Ok(reasons) => {
            for reason in reasons {
                let id = if reason.starts_with("sealed") { "service_sealed" } else { "service_not_ready" };
                findings.add(id, reason);
            }
        }
        Err(failure) => findings.add("service_silent", failure.what()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_its_socket_unit_holds_is_not_taken() {
        let units = "/run/dbus/system_bus_socket dbus.socket dbus.service\n[::]:443 kontor.socket kontor.service\n\
                     0.0.0.0:80 nginx.socket nginx.service\n";
        let held = |listen: &str| held_for_service(listen.parse().unwrap(), units);
        assert_eq!((held("0.0.0.0:443"), held("[::]:443"), held("0.0.0.0:80")), (true, true, false));
        assert!(!held("0.0.0.0:44") && !held_for_service("0.0.0.0:443".parse().unwrap(), ""));
    }
}
