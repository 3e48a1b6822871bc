//! Tests of the own certificates: they stand a real handshake, renew in time, and never overwrite an authority.

use super::*;
use kernel::ManualClock;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection, pki_types::ServerName};
use std::os::unix::fs::PermissionsExt;

const START: i64 = 1_790_000_000;

/// Rustls reads no clock of ours, so the client's idea of now is handed in.
#[derive(Debug)]
struct At(i64);
impl rustls::time_provider::TimeProvider for At {
    fn current_time(&self) -> Option<rustls_pki_types::UnixTime> {
        let seconds = u64::try_from(self.0).unwrap();
        Some(rustls_pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

fn handshake(own: &OwnCertificates, name: &str, now: i64) -> Result<rustls::ProtocolVersion, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(own.ca_certificate()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_details(provider, Arc::new(At(now)))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut server = ServerConnection::new(Arc::new(Shown::load(&own.server()).unwrap().config().unwrap())).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), ServerName::try_from(name.to_owned()).unwrap()).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(client.protocol_version().unwrap())
}

fn made(names: &[&str]) -> (tempfile::TempDir, OwnCertificates, ManualClock) {
    let folder = tempfile::tempdir().unwrap();
    let own = OwnCertificates::in_folder(folder.path().join("tls"));
    let clock = ManualClock::at_seconds(START);
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    own.create(&names, &clock).unwrap();
    (folder, own, clock)
}

#[test]
fn clients_that_know_the_authority_connect_by_every_name() {
    let (_folder, own, _) = made(&["kontor.bank.example", "10.1.2.3"]);
    for name in ["localhost", "127.0.0.1", "::1", "kontor.bank.example", "10.1.2.3"] {
        assert_eq!(handshake(&own, name, START), Ok(rustls::ProtocolVersion::TLSv1_3), "{name}");
    }
    assert!(handshake(&own, "other.example", START).is_err());
    assert!(handshake(&own, "localhost", START + 398 * 86_400).is_err(), "ends after 397 days");
}

#[test]
fn keys_are_private_and_the_authority_is_never_overwritten() {
    let (_folder, own, clock) = made(&[]);
    for file in [own.ca_key(), own.ca_certificate(), own.server().key, own.server().certificate] {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
    let before = fs::read(own.ca_key()).unwrap();
    assert!(matches!(own.create(&[], &clock), Err(TlsError::File { .. })));
    assert_eq!(fs::read(own.ca_key()).unwrap(), before);
}

#[test]
fn a_certificate_is_renewed_in_its_last_month_and_when_broken() {
    let (_folder, own, clock) = made(&[]);
    assert!(!own.renew_if_due(&[], &clock).unwrap());
    clock.advance_seconds(360 * 86_400);
    assert!(!own.renew_if_due(&[], &clock).unwrap());
    clock.advance_seconds(10 * 86_400);
    assert!(own.renew_if_due(&["new.example".to_owned()], &clock).unwrap());
    assert!(handshake(&own, "new.example", START + 380 * 86_400).is_ok(), "the same authority signed again");
    fs::write(own.server().key, "broken").unwrap();
    assert!(own.renew_if_due(&[], &clock).unwrap());
    assert!(Shown::load(&own.server()).is_ok());
}

#[test]
fn bad_names_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let own = OwnCertificates::in_folder(folder.path());
    let outcome = own.create(&["grüße.example".to_owned()], &ManualClock::at_seconds(START));
    assert!(matches!(outcome, Err(TlsError::Name(name)) if name == "grüße.example"));
}
