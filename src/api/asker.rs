//! A server asks itself whether it answers: a real connection to its own socket, so that what accepts, what encrypts and what
//! answers have all been seen to work. It knows the server by the very certificate that is shown, and sends nothing but that question.

use crate::tls::{Shown, provider};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, Stream};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

const QUESTION: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const GOOD: &[u8] = b"HTTP/1.1 200 ";

/// Asks one server.
#[derive(Clone, Debug)]
pub struct Asker {
    address: SocketAddr,
    shown: Option<Arc<Shown>>,
}

impl Asker {
    pub(crate) fn new(address: SocketAddr, shown: Option<Arc<Shown>>) -> Self {
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        Self { address: SocketAddr::new(ip, address.port()), shown }
    }

    /// Asks, and waits at most so long for each step.
    ///
    /// # Errors
    /// When it does not answer, or not well.
    pub fn ask(&self, patience: Duration) -> io::Result<()> {
        let mut tcp = TcpStream::connect_timeout(&self.address, patience)?;
        tcp.set_read_timeout(Some(patience))?;
        tcp.set_write_timeout(Some(patience))?;
        match &self.shown {
            None => question(&mut tcp),
            Some(shown) => {
                let verifier = Arc::new(Same { shown: Arc::clone(shown), provider: provider() });
                let config = ClientConfig::builder_with_provider(provider())
                    .with_safe_default_protocol_versions()
                    .map_err(io::Error::other)?
                    .dangerous()
                    .with_custom_certificate_verifier(verifier)
                    .with_no_client_auth();
                let name = ServerName::from(self.address.ip());
                let mut tls = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
                question(&mut Stream::new(&mut tls, &mut tcp))
            }
        }
    }
}

fn question(stream: &mut (impl Read + Write)) -> io::Result<()> {
    stream.write_all(QUESTION)?;
    let mut answer = [0u8; GOOD.len()];
    stream.read_exact(&mut answer)?;
    if answer == GOOD { Ok(()) } else { Err(io::Error::other("the answer is no 200")) }
}

/// Takes the certificate that this process shows, and no other.
#[derive(Debug)]
struct Same {
    shown: Arc<Shown>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Same {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.shown.is(certificate) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
