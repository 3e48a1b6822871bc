//! The service: whether it runs and is ready, whether its port is free, its certificate.

use super::{Findings, Patient};
use crate::cli::unseal;
use api::{OwnCertificates, certificate_expires};
use std::net::TcpListener;

const DAY_MICROS: i64 = 86_400 * 1_000_000;
const CERTIFICATE_DAYS_MIN: i64 = 14;

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
        Err(error) => findings.add("port_taken", format!("{listen}: {error}")),
    }
}

fn certificate(patient: &Patient<'_>, findings: &mut Findings) {
    if patient.config.server.plain_http_on_loopback {
        findings.well("Plain HTTP on a loopback address; no certificate is used.");
        return;
    }
    let own = OwnCertificates::in_folder(patient.layout.tls());
    match certificate_expires(&own.server().certificate) {
        Err(error) => findings.add("certificate_unusable", error.to_string()),
        Ok(end) => {
            let days = end.micros().saturating_sub(patient.clock.now().micros()) / DAY_MICROS;
            let told = format!("the certificate is good for {days} days");
            if days < CERTIFICATE_DAYS_MIN {
                findings.add("certificate_ends", told);
            } else {
                findings.well(format!("The certificate is good for {days} days."));
            }
        }
    }
    if own.names_all(&patient.config.server.names).is_ok_and(|all| !all) {
        findings.add("certificate_names", patient.config.server.names.join(", "));
    }
}

fn ready(patient: &Patient<'_>, findings: &mut Findings) {
    match unseal::readiness(patient.layout) {
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
